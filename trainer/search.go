package trainer

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/agon-rl/agon/agents"
	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/mcts"
	"github.com/agon-rl/agon/play"
	"github.com/agon-rl/agon/policy"
	"github.com/agon-rl/agon/prefs"
)

// Search is a tree search over the network in training, which judges its leaves.
type Search struct {
	// Agent names the search, such as mcts:sims=32,rule=gumbel; empty for none.
	Agent string `yaml:"agent,omitempty"`
	// Rule says which pairs are taken of what it tried; see prefs.Extractions.
	Rule string `yaml:"rule"`
	// Reference of preferences is logged, the network as it was when it
	// searched, or copy, that of the magnet: one that moves at every multiple of
	// magnet.every, or never where that is beyond the updates. It is that of files too.
	Reference string `yaml:"reference"`
	// Acts has the search play the games. Otherwise the network plays, and the
	// search looks at a share of its turns.
	Acts    bool    `yaml:"acts"`
	Share   float64 `yaml:"share"`
	Sampled int     `yaml:"sampled"` // turns at the start of a game that are drawn from the distribution; then the best action is played
}

// validateSearch checks the search's settings; others says that the network learns from
// games in another way too.
func (r Recipe) validateSearch(searches, others bool) error {
	if _, err := prefs.FindExtraction(r.Search.Rule); err != nil {
		return fmt.Errorf("search.rule: %w", err)
	}
	if r.Search.Reference == "copy" && r.Magnet.Kind != "copy" {
		return fmt.Errorf("search.reference: copy: there is none: set magnet.kind=copy and magnet.every")
	}
	if !searches {
		return nil
	}
	if _, _, err := agents.ReadSearch(r.Search.Agent); err != nil {
		return fmt.Errorf("search.agent: %w", err)
	}
	if !(r.Search.Share > 0 && r.Search.Share <= 1) {
		return fmt.Errorf("search.share: %g: expected more than 0, up to 1", r.Search.Share)
	}
	if r.Search.Acts && others {
		return fmt.Errorf("search.acts: true: the search plays, and learn has an entry from games that the network plays: set search.acts=false")
	}
	return nil
}

// searchLimit bounds the decisions of a game of hidden information in which a
// search teaches.
const searchLimit = 1_000_000

// teacher is the search that the network learns from.
type teacher struct {
	searcher *agents.Searcher
	rule     prefs.Extraction
}

// openTeacher opens the recipe's search.
func (r *Run) openTeacher(ctx context.Context) (t *teacher, err error) {
	t = &teacher{}
	if t.rule, err = prefs.FindExtraction(r.Recipe.Search.Rule); err != nil {
		return nil, err
	}
	options, temperature, err := agents.ReadSearch(r.Recipe.Search.Agent)
	if err != nil {
		return nil, err
	}
	t.searcher = &agents.Searcher{Game: r.Info, Options: options, Temperature: temperature}
	if r.Info.Hidden {
		t.searcher.Worlds, err = mcts.NewWorlds(ctx, r.Game, searchLimit)
	}
	return t, err
}

// searcher plays by the search with a network at its leaves.
func (m *selfPlay) searcher(network *policy.Network) agents.SearchLearner {
	searcher := *m.search.searcher
	searcher.Evaluator = func() mcts.Evaluator { return mcts.Network{PolicyValue: network} }
	return agents.SearchLearner{Searcher: &searcher, Network: network, Sampled: m.Recipe.Search.Sampled}
}

// searched is a turn that a search looked at, and what its seat got in the end.
type searched struct {
	*agents.Searched
	outcome float32
}

// searches returns, by episode, what the search makes of the learner's turns:
// what it found while it played or, where the network played, what it finds at
// a share of the turns.
func (m *selfPlay) searches(ctx context.Context, episodes []*play.Episode) ([][]searched, error) {
	if m.search == nil {
		return nil, nil
	}
	out := make([][]searched, len(episodes))
	if !m.Recipe.Search.Acts {
		return out, m.review(ctx, episodes, out)
	}
	for i, e := range episodes {
		for _, turn := range e.Turns {
			s, ok := turn.Record.(*agents.Searched)
			if ok && m.owns(e, turn.Seat) {
				out[i] = append(out[i], searched{s, float32(e.Returns[turn.Seat])})
			}
		}
	}
	return out, nil
}

// reviewed is how many positions are searched in lockstep.
const reviewed = 256

// review replays the episodes and searches at a share of the learner's turns.
func (m *selfPlay) review(ctx context.Context, episodes []*play.Episode, out [][]searched) error {
	learner := m.searcher(m.Players[0].Network)
	var states []games.State
	var rands []*rand.Rand
	var episode []int
	flush := func() error {
		found, _, err := learner.Search(ctx, states, rands)
		if err != nil {
			return err
		}
		for i, s := range found {
			e := episode[i]
			out[e] = append(out[e], searched{s, float32(episodes[e].Returns[states[i].Turn()])})
		}
		states, rands, episode = nil, nil, nil
		return nil
	}
	for i, e := range episodes {
		draw := play.Generator(m.Recipe.Seed, "review", e.Number)
		s := m.Game.Start()
		for _, a := range e.Actions {
			if seat := s.Turn(); seat >= 0 && m.owns(e, seat) && draw.Float64() < m.Recipe.Search.Share {
				states, rands, episode = append(states, s.Clone()), append(rands, rand.New(rand.NewPCG(draw.Uint64(), draw.Uint64()))), append(episode, i)
			}
			if err := s.Apply(a); err != nil {
				return fmt.Errorf("replaying episode %d: %w", e.Number, err)
			}
			if len(states) == reviewed {
				if err := flush(); err != nil {
					return err
				}
			}
		}
	}
	return flush()
}

// learnSearch does the update's steps on what the search made of its games.
func (m *selfPlay) learnSearch(s source, found [][]searched, line Line) error {
	p, c := m.Players[0], m.Coefficients()
	taught := 0
	turns := func(chosen []int) (out []policy.Turn) {
		for _, i := range chosen {
			for _, x := range found[i] {
				out = append(out, x.turn(s.best))
			}
		}
		return out
	}
	var err error
	if s.compares == nil {
		err = p.Learn(targetsLesson, len(found), m.Done, c, line, func(chosen []int) []policy.Turn {
			some := turns(chosen)
			taught += len(some)
			return some
		})
	} else {
		err = m.learnCompared(s, len(found), line, func(chosen []int) (out []comparison) {
			for _, i := range chosen {
				for _, x := range found[i] {
					out = append(out, m.search.comparisons(s.compares, x)...)
				}
			}
			taught += len(out)
			return out
		})
	}
	line["taught"] = float64(taught) / float64(m.Recipe.Epochs)
	if err != nil || s.compares == nil || c.Value == 0 {
		return err
	}
	return p.Learn(valuesLesson, len(found), m.Done, c, line, turns)
}

// turn is the search's distribution or, where the network learns the best action
// alone, that.
func (s searched) turn(best bool) policy.Turn {
	t := policy.Turn{Step: s.Step, Target: s.Target, Return: s.outcome}
	if best {
		t.Target = make([]float32, len(s.Target))
		t.Target[slices.Index(s.Target, slices.Max(s.Target))] = 1
	}
	return t
}

// logOf keeps logarithms finite: the least positive float32.
func logOf(p float64) float64 { return math.Log(max(p, math.SmallestNonzeroFloat32)) }

// tried is an action that was tried at a state, as an answer.
func tried(at *policy.Step, action games.Action, logged float64) *response {
	step := *at
	step.Picks = []policy.Pick{{Token: action, Allowed: at.Picks[0].Allowed}}
	return &response{steps: []*policy.Step{&step}, reference: [][]float64{{logged}}}
}

// comparisons are the pairs that the rule takes of what a search tried, or, for an
// objective of lists, all that it tried.
func (t *teacher) comparisons(c *comparing, s searched) (out []comparison) {
	if c.OfLists() {
		var list []*response
		for _, child := range s.Children {
			if child.Visits > 0 {
				a := tried(s.Step, child.Action, logOf(child.Prior))
				a.share = child.Q
				list = append(list, a)
			}
		}
		if len(list) > 1 {
			out = append(out, comparison{list: list})
		}
		return out
	}
	for _, m := range t.rule.Choose(s.Children) {
		out = append(out, c.pair(
			tried(s.Step, m.Chosen.Action, logOf(m.Chosen.Prior)), tried(s.Step, m.Rejected.Action, logOf(m.Rejected.Prior)),
			[2]float64{m.Chosen.Q, m.Rejected.Q}, [2]float64{float64(m.Chosen.Visits), float64(m.Rejected.Visits)}, 0))
	}
	return out
}

// files are the pairs of a file.
type files []prefsPair

// prefsPair is a pair of a file, with its state as the network sees it.
type prefsPair struct {
	prefs.Pair
	step *policy.Step
}

// readPairs reads a file of pairs of the recipe's game.
func (r *Run) readPairs(path string) (files, error) {
	pairs, err := prefs.Read[prefs.Pair](path)
	if err != nil {
		return nil, err
	}
	if len(pairs) == 0 {
		return nil, fmt.Errorf("%s: it holds no pairs", path)
	}
	out := make(files, len(pairs))
	for i, p := range pairs {
		if p.Game != r.Info.Spec() {
			return nil, fmt.Errorf("%s: row %d is of %s, and the recipe's game is %s", path, i+1, p.Game, r.Info.Name)
		}
		s, err := p.State()
		if err != nil {
			return nil, fmt.Errorf("%s: row %d: %w", path, i+1, err)
		}
		out[i].Pair = p
		if out[i].step, err = r.Model.Observe(s, games.Action(p.ChosenAction)); err != nil {
			return nil, fmt.Errorf("%s: row %d: %w", path, i+1, err)
		}
		for _, a := range []int32{p.ChosenAction, p.RejectedAction} {
			if !slices.Contains(out[i].step.Picks[0].Allowed, games.Action(a)) {
				return nil, fmt.Errorf("%s: row %d: action %d is not legal in its state", path, i+1, a)
			}
		}
	}
	return out, nil
}

// comparison is the pair for an objective.
func (p prefsPair) comparison(c *comparing) comparison {
	return c.pair(
		tried(p.step, games.Action(p.ChosenAction), p.ChosenPrior), tried(p.step, games.Action(p.RejectedAction), p.RejectedPrior),
		[2]float64{p.ChosenQ, p.RejectedQ}, [2]float64{float64(p.ChosenVisits), float64(p.RejectedVisits)}, p.Doubt)
}

// learnFile does the update's steps on pairs drawn from a file.
func (m *selfPlay) learnFile(s source, all files, line Line) error {
	draw := play.Generator(m.Recipe.Seed, "pairs", uint64(m.Done))
	some := make([]prefsPair, m.Recipe.Games)
	for i := range some {
		some[i] = all[draw.IntN(len(all))]
	}
	return m.learnCompared(s, len(some), line, func(chosen []int) (out []comparison) {
		for _, i := range chosen {
			out = append(out, some[i].comparison(s.compares))
		}
		return out
	})
}

// learnCompared does the epochs of a preference objective on minibatches of so many
// things, which hold the comparisons given.
func (m *selfPlay) learnCompared(s source, things int, line Line, of func(chosen []int) []comparison) error {
	var all compared
	err := minibatches(m.Recipe, things, m.Done, 0, func(chosen []int) error {
		return all.step(m.Players[0], s.compares, of(chosen), m.Coefficients())
	})
	all.write(s.from, line)
	return err
}
