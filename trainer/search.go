package trainer

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/agon-rl/agon/agents"
	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/internal/spec"
	"github.com/agon-rl/agon/mcts"
	"github.com/agon-rl/agon/objective"
	"github.com/agon-rl/agon/play"
	"github.com/agon-rl/agon/policy"
	"github.com/agon-rl/agon/prefs"
)

// searchLimit bounds the decisions of a game of hidden information in which a
// search teaches.
const searchLimit = 1_000_000

// teacher is the search that the network learns from.
type teacher struct {
	settings Search
	searcher *agents.Searcher // nil where pairs come from a file
	lesson   Lesson
	rule     prefs.Extraction
	pairs    []policy.Preference // of the file
}

// teaches tells whether the recipe has a search to learn from.
func (s Search) teaches() bool { return s.Agent != "" || s.File != "" }

// prefers tells whether the network learns preferences from it, pair by pair.
func (s Search) prefers() bool {
	o, err := objective.Get(s.Learn)
	return err == nil && !o.OfLists()
}

// lesson is how the network learns from the search. copies says that the
// updater holds a copy of the network.
func (s Search) lesson(copies bool) (Lesson, error) {
	copies = copies && s.Reference == "copy"
	name, err := spec.Parse(s.Learn)
	switch {
	case err != nil:
		return Lesson{}, fmt.Errorf("search.learn: %w", err)
	case s.Learn == "visits" || s.Learn == "best":
		return Targets(), nil
	}
	o, err := objective.Get(s.Learn)
	_, unknown := objective.Find(name.Name)
	near := spec.Suggest(name.Name, []string{"visits", "best"})
	switch {
	case unknown != nil && near != "":
		return Lesson{}, fmt.Errorf("search.learn: %q is unknown%s; there are visits, best and the preference objectives of agon objectives list", name.Name, near)
	case err != nil:
		return Lesson{}, fmt.Errorf("search.learn: %w", err)
	case o.OfLists():
		return Lists(o.List, copies), nil
	case o.Pair.Shape == "kto":
		if !copies {
			return Lesson{}, fmt.Errorf("search.learn: kto needs all of the reference's probabilities, and a log holds two: set search.reference=copy and objective.magnet.kind=copy")
		}
		return Labelled(objective.KTO{Beta: o.Pair.Beta, Desirable: o.Pair.Desirable, Undesirable: o.Pair.Undesirable}), nil
	case o.Pair.WantsExtra():
		return Lesson{}, fmt.Errorf("search.learn: %s wants a third answer beside each pair, and a search's pairs have none: take another objective of agon objectives list", o.Entry.Name)
	}
	return Preferences(o.Pair, copies), nil
}

// lessons are what the recipe's updates learn from.
func (r Recipe) lessons() ([]Lesson, error) {
	var out []Lesson
	copies := r.Objective.Magnet.Kind == "copy"
	if r.Objective.Name != noGradient {
		out = append(out, Turns(r.Loss(), copies))
	}
	if r.prefers() && !r.Preferences.rewards() {
		out = append(out, Trajectories())
	}
	if r.Search.teaches() {
		lesson, err := r.Search.lesson(copies)
		if err != nil {
			return nil, err
		}
		out = append(out, lesson)
		if r.Search.Agent != "" && lesson.Name != "targets" { // a search needs values, and preferences teach none
			out = append(out, Values())
		}
	}
	return out, nil
}

// prepareTeacher opens the recipe's search or file; nil where it has none.
func (t *Trainer) prepareTeacher(ctx context.Context) (_ *teacher, err error) {
	if !t.recipe.Search.teaches() {
		return nil, nil
	}
	out := &teacher{settings: t.recipe.Search}
	if out.lesson, err = t.recipe.Search.lesson(t.recipe.Objective.Magnet.Kind == "copy"); err != nil {
		return nil, err
	}
	if out.rule, err = prefs.FindExtraction(t.recipe.Search.Rule); err != nil {
		return nil, err
	}
	if t.recipe.Search.File != "" {
		out.pairs, err = t.readPairs(t.recipe.Search.File)
		return out, err
	}
	options, temperature, err := agents.ReadSearch(t.recipe.Search.Agent)
	if err != nil {
		return nil, err
	}
	out.searcher = &agents.Searcher{Game: t.info, Options: options, Temperature: temperature}
	if t.info.Hidden {
		if out.searcher.Worlds, err = mcts.NewWorlds(ctx, t.game, searchLimit); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// readPairs reads a file of pairs of the recipe's game.
func (t *Trainer) readPairs(path string) ([]policy.Preference, error) {
	pairs, err := prefs.Read[prefs.Pair](path)
	if err != nil {
		return nil, err
	}
	out := make([]policy.Preference, len(pairs))
	encoder := t.model.Encoder
	for i, p := range pairs {
		if p.Game != t.info.Spec() {
			return nil, fmt.Errorf("%s: row %d is of %s, and the recipe's game is %s", path, i+1, p.Game, t.info.Name)
		}
		s, err := p.State()
		if err != nil {
			return nil, fmt.Errorf("%s: row %d: %w", path, i+1, err)
		}
		encoded := make([]float32, encoder.Size())
		if err := encoder.Encode(s, s.Turn(), encoded); err != nil {
			return nil, fmt.Errorf("%s: row %d: %w", path, i+1, err)
		}
		out[i] = policy.Preference{
			Encoded: encoded, Legal: s.Actions(nil), Chosen: games.Action(p.ChosenAction), Rejected: games.Action(p.RejectedAction),
			ChosenLogProb: float32(p.ChosenPrior), RejectedLogProb: float32(p.RejectedPrior),
			ChosenQ: float32(p.ChosenQ), RejectedQ: float32(p.RejectedQ),
			ChosenVisits: float32(p.ChosenVisits), RejectedVisits: float32(p.RejectedVisits), Doubt: float32(p.Doubt),
		}
		for _, a := range []games.Action{out[i].Chosen, out[i].Rejected} {
			if !slices.Contains(out[i].Legal, a) {
				return nil, fmt.Errorf("%s: row %d: action %d is not legal in its state", path, i+1, a)
			}
		}
	}
	return out, nil
}

// searcher is the search with a network to judge its leaves.
func (t *Trainer) searcher(network *policy.Network) agents.SearchLearner {
	s := *t.teacher.searcher
	s.Evaluator = func() mcts.Evaluator { return mcts.Network{PolicyValue: network} }
	return agents.SearchLearner{Searcher: &s, Network: network, Sampled: t.recipe.Search.Sampled}
}

// actor is who plays the learner's seats.
func (t *Trainer) actor(network *policy.Network) play.Agent {
	if t.teacher != nil && t.teacher.searcher != nil && t.recipe.Search.Acts {
		return t.searcher(network)
	}
	return agents.Learner{Network: network}
}

// searched is a turn that a search looked at, and what its seat got in the end.
type searched struct {
	*agents.Searched
	outcome float32
}

// searches returns, by episode, what the search makes of the learner's turns:
// what it found while it played or, where the network played, what it finds at
// a share of the turns.
func (t *Trainer) searches(ctx context.Context, network *policy.Network, episodes []*play.Episode) ([][]searched, error) {
	if t.teacher == nil || t.teacher.searcher == nil {
		return nil, nil
	}
	out := make([][]searched, len(episodes))
	if !t.recipe.Search.Acts {
		return out, t.review(ctx, network, episodes, out)
	}
	for i, e := range episodes {
		for _, turn := range e.Turns {
			s, ok := turn.Record.(*agents.Searched)
			if ok && owns(e, turn.Seat) {
				out[i] = append(out[i], searched{s, float32(e.Returns[turn.Seat])})
			}
		}
	}
	return out, nil
}

// reviewed is how many positions are searched in lockstep.
const reviewed = 256

// review replays the episodes and searches at a share of the learner's turns.
func (t *Trainer) review(ctx context.Context, network *policy.Network, episodes []*play.Episode, out [][]searched) error {
	learner := t.searcher(network)
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
		draw := play.Generator(t.recipe.Seed, "review", e.Number)
		s := t.game.Start()
		for _, a := range e.Actions {
			if seat := s.Turn(); seat >= 0 && owns(e, seat) && draw.Float64() < t.recipe.Search.Share {
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

// learnSearch does the update's steps on what the search made of its games, or
// on pairs drawn from the file.
func (t *Trainer) learnSearch(found [][]searched, c Coefficients, line map[string]float64) error {
	k := t.teacher
	if k.pairs != nil {
		draw := play.Generator(t.recipe.Seed, "pairs", uint64(t.update))
		some := make([]policy.Preference, t.recipe.Games)
		for i := range some {
			some[i] = k.pairs[draw.IntN(len(k.pairs))]
		}
		return t.steps(k.lesson.Name, c, len(some), line, func(chosen []int) (*policy.Batch, error) {
			var batch []policy.Preference
			for _, i := range chosen {
				batch = append(batch, some[i])
			}
			return policy.NewPreferenceBatch(t.model, batch)
		})
	}
	taught := 0
	err := t.steps(k.lesson.Name, c, len(found), line, func(chosen []int) (*policy.Batch, error) {
		b, err := k.batch(t.model, pick(found, chosen))
		if b != nil {
			taught += b.Turns
		}
		return b, err
	})
	line["taught"] = float64(taught) / float64(t.recipe.Objective.Epochs)
	if err != nil || k.lesson.Name == "targets" || c.Value == 0 {
		return err
	}
	return t.steps("values", c, len(found), line, func(chosen []int) (*policy.Batch, error) {
		return k.targets(t.model, pick(found, chosen))
	})
}

// pick joins what belongs to the episodes chosen.
func pick(found [][]searched, chosen []int) (some []searched) {
	for _, i := range chosen {
		some = append(some, found[i]...)
	}
	return some
}

// targets packs distributions and outcomes; nil where there are none.
func (k *teacher) targets(m *policy.Model, some []searched) (*policy.Batch, error) {
	if len(some) == 0 {
		return nil, nil
	}
	var out []policy.Target
	for _, s := range some {
		out = append(out, k.target(s))
	}
	return policy.NewTargetBatch(m, out)
}

// batch packs what the network learns from searches; nil where they hold
// nothing to learn from.
func (k *teacher) batch(m *policy.Model, some []searched) (*policy.Batch, error) {
	switch k.lesson.Name {
	case "targets":
		return k.targets(m, some)
	case "lists":
		var lists []policy.Listing
		for _, s := range some {
			if l := listing(s); len(l.Tried) > 1 {
				lists = append(lists, l)
			}
		}
		if len(lists) == 0 {
			return nil, nil
		}
		return policy.NewListingBatch(m, lists)
	}
	var pairs []policy.Preference
	for _, s := range some {
		pairs = append(pairs, k.preferences(s)...)
	}
	if len(pairs) == 0 {
		return nil, nil
	}
	return policy.NewPreferenceBatch(m, pairs)
}

// target is the search's distribution or, where the network learns the best
// action alone, that.
func (k *teacher) target(s searched) policy.Target {
	target := s.Target
	target.Return = s.outcome
	if k.settings.Learn == "best" {
		best := slices.Index(target.Probs, slices.Max(target.Probs))
		target.Probs = make([]float32, len(target.Probs))
		target.Probs[best] = 1
	}
	return target
}

func listing(s searched) policy.Listing {
	l := policy.Listing{Encoded: s.Target.Encoded, Legal: s.Target.Legal}
	for _, c := range s.Children {
		if c.Visits > 0 {
			l.Tried, l.Values, l.LogProbs = append(l.Tried, c.Action), append(l.Values, float32(c.Q)), append(l.LogProbs, logOf(c.Prior))
		}
	}
	return l
}

// logOf keeps logarithms finite: the least positive float32.
func logOf(p float64) float32 { return float32(math.Log(max(p, math.SmallestNonzeroFloat32))) }

func (k *teacher) preferences(s searched) []policy.Preference {
	var out []policy.Preference
	for _, m := range k.rule.Choose(s.Children) {
		out = append(out, policy.Preference{
			Encoded: s.Target.Encoded, Legal: s.Target.Legal, Chosen: m.Chosen.Action, Rejected: m.Rejected.Action,
			ChosenLogProb: logOf(m.Chosen.Prior), RejectedLogProb: logOf(m.Rejected.Prior),
			ChosenQ: float32(m.Chosen.Q), RejectedQ: float32(m.Rejected.Q),
			ChosenVisits: float32(m.Chosen.Visits), RejectedVisits: float32(m.Rejected.Visits),
		})
	}
	return out
}
