package agents

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"time"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/internal/spec"
	"github.com/agon-rl/agon/mcts"
	"github.com/agon-rl/agon/play"
	"github.com/agon-rl/agon/policy"
)

func init() {
	Kinds.Add(spec.Entry[Kind]{
		Name: "mcts", Usage: "mcts:sims=400",
		Help: `tree search; also rule=NAME with its settings, eval=EVALUATOR,
prove=true, time=2s, temperature=1, leaves=8, nodes=1000000, noise=0.25, alpha=0.3`,
		Value: Kind{Open: openSearch},
	})
}

// worldLimit bounds the decisions of a game of hidden information that is
// searched: the agent lists them all when it is opened.
const worldLimit = 1_000_000

// Searcher plays by Monte Carlo tree search. It grows one tree for every state
// that waits, all in lockstep.
type Searcher struct {
	Game    games.Info
	Options mcts.Options
	// Evaluator returns an evaluator for one search.
	Evaluator func() mcts.Evaluator
	// Temperature of the distribution over the root's visits that it draws
	// from; 0 takes the best action.
	Temperature float64
	// Time, if not zero, ends a search early.
	Time time.Duration
	// Worlds is nil where the game hides nothing.
	Worlds *mcts.Worlds

	close func() error
}

var (
	_ play.Agent = (*Searcher)(nil)
	_ Queryable  = (*Searcher)(nil)
)

// Trees searches states, drawing for states[i] from rands[i] alone.
func (s *Searcher) Trees(ctx context.Context, states []games.State, rands []*rand.Rand) ([]*mcts.Tree, error) {
	return s.within(ctx, s.Time, states, rands)
}

// within searches for so long at most; 0 is no limit.
func (s *Searcher) within(ctx context.Context, limit time.Duration, states []games.State, rands []*rand.Rand) ([]*mcts.Tree, error) {
	trees := make([]*mcts.Tree, len(states))
	for i, state := range states {
		var err error
		if trees[i], err = mcts.NewTree(s.Game, state, rands[i], s.Worlds); err != nil {
			return nil, err
		}
	}
	search, err := mcts.New(s.Options, s.Evaluator())
	if err != nil {
		return nil, err
	}
	timed := ctx
	if limit > 0 {
		var cancel context.CancelFunc
		timed, cancel = context.WithTimeout(ctx, limit)
		defer cancel()
	}
	return trees, search.Run(timed, trees...)
}

// Act implements play.Agent. Every decision's Record is its *mcts.Tree.
func (s *Searcher) Act(ctx context.Context, in []play.Request, out []play.Decision) error {
	states, rands := make([]games.State, len(in)), make([]*rand.Rand, len(in))
	limit := s.Time
	for i, request := range in {
		states[i], rands[i] = request.State, request.Rand
		if share := request.Left.Share(); share > 0 && (limit == 0 || share < limit) {
			limit = share
		}
	}
	trees, err := s.within(ctx, limit, states, rands)
	if err != nil {
		return err
	}
	if err := ctx.Err(); err != nil { // stopped from outside, not by its own clock
		return err
	}
	for i, tree := range trees {
		actions, p := tree.Distribution(s.Temperature)
		out[i] = play.Decision{Action: actions[policy.Sample(p, rands[i])], Record: tree}
	}
	return nil
}

// Close implements play.Agent.
func (s *Searcher) Close() error {
	if s.close == nil {
		return nil
	}
	return s.close()
}

// Policy implements Queryable: the distribution that Act draws from. Each
// information state has a generator of its own, so that it has one answer.
func (s *Searcher) Policy() policy.Policy { return searched{s} }

type searched struct{ *Searcher }

// together bounds how many trees are held at a time.
const together = 256

func (s searched) Probabilities(ctx context.Context, states []games.State, out [][]float64) error {
	for lo := 0; lo < len(states); lo += together {
		some := states[lo:min(lo+together, len(states))]
		rands := make([]*rand.Rand, len(some))
		for i, state := range some {
			rands[i] = GeneratorOf(state)
		}
		trees, err := s.Trees(ctx, some, rands)
		if err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		for i, tree := range trees {
			_, p := tree.Distribution(s.Temperature)
			copy(out[lo+i], p)
		}
	}
	return nil
}

// GeneratorOf is a generator that an information state has for itself, so that what is
// asked of an agent that draws has one answer.
func GeneratorOf(state games.State) *rand.Rand {
	key := fnv.New64a()
	_, _ = key.Write(state.AppendKey(nil, state.Turn())) // a hash takes anything
	return play.Generator(key.Sum64(), "search")
}

// OpenSearch opens the search agent that text names, as Open does.
func OpenSearch(ctx context.Context, text string, env Environment) (*Searcher, error) {
	agent, err := Open(ctx, text, env)
	if err != nil {
		return nil, err
	}
	searcher, ok := agent.(*Searcher)
	if !ok {
		return nil, errors.Join(Misnamed("agent %q does not search: expected one such as mcts:sims=400", text), agent.Close())
	}
	return searcher, nil
}

// readSearch reads the arguments of mcts.
func readSearch(r *spec.Reader) (o mcts.Options, err error) {
	rule, err := mcts.Rules.Find(r.Choice("rule", "uct", mcts.Rules.Names()...))
	if err != nil {
		return o, err
	}
	return mcts.Options{
		Rule:        rule.Value(r), // which reads the settings of its own
		Simulations: r.Int("sims", 400, 1, 1<<30),
		Leaves:      r.Int("leaves", 1, 1, 1<<16),
		Nodes:       r.Int("nodes", mcts.DefaultNodes, 2, 1<<30),
		Prove:       r.Bool("prove", false),
		Noise:       mcts.Noise{Share: r.Float("noise", 0, 0, 1), Alpha: r.Float("alpha", 0.3, 1e-6, 1e6)},
	}, nil
}

// openSearch opens mcts.
func openSearch(ctx context.Context, r *spec.Reader, env Environment) (play.Agent, error) {
	o, err := readSearch(r)
	if err != nil {
		return nil, err
	}
	s := &Searcher{Game: env.Game.Info(), Options: o, Temperature: r.Float("temperature", 0, 0, 1e6)}
	clock, evaluator := r.String("time", ""), r.String("eval", "rollout")
	if clock != "" {
		if s.Time, err = time.ParseDuration(clock); err != nil || s.Time <= 0 {
			return nil, Misnamed("mcts: time=%s: expected a duration such as 500ms or 2s", clock)
		}
	}
	if err := r.Err(); err != nil {
		return nil, err
	}
	if err := o.Validate(); err != nil {
		return nil, err
	}
	if s.Game.Hidden {
		if s.Worlds, err = mcts.NewWorlds(ctx, env.Game, worldLimit); err != nil {
			return nil, fmt.Errorf("mcts: %w", err)
		}
	}
	judge, err := OpenEvaluator(ctx, evaluator, env)
	if err != nil {
		return nil, fmt.Errorf("mcts: %w", err)
	}
	s.Evaluator, s.close = judge.New, judge.Close
	if _, err := mcts.New(o, judge.New()); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// ReadSearch reads the name of a search whose leaves the network in training
// judges, such as mcts:sims=32,rule=gumbel. It opens nothing.
func ReadSearch(text string) (o mcts.Options, temperature float64, err error) {
	s, err := spec.Parse(text)
	if err != nil {
		return o, 0, err
	}
	if s.Name != "mcts" {
		return o, 0, fmt.Errorf("%q does not search: expected one such as mcts:sims=32,rule=gumbel", text)
	}
	r := spec.Read(s)
	o, err = readSearch(r)
	temperature = r.Float("temperature", 1, 0, 1e6)
	if err := errors.Join(err, r.Err()); err != nil {
		return o, 0, err
	}
	return o, temperature, o.Validate()
}

// Searched is the Record of a decision that a search made in training.
type Searched struct {
	Step     *policy.Step // the state, and the search's best action
	Target   []float32    // the search's distribution, parallel to the pick's Allowed
	Children []mcts.Child // the root's
	Value    float64      // the root's mean, to the seat that moved, in [-1, 1]
}

// SearchLearner plays by search with a network in training, and records what
// its updater needs.
type SearchLearner struct {
	Searcher *Searcher
	Network  *policy.Network
	// Sampled is how many of a game's first turns are drawn from the search's
	// distribution; after them the best action is taken.
	// A rule that explores by itself always takes its best action.
	Sampled int
}

var _ play.Agent = SearchLearner{}

// Act implements play.Agent. Every decision's Record is a *Searched.
func (l SearchLearner) Act(ctx context.Context, in []play.Request, out []play.Decision) error {
	states, rands := make([]games.State, len(in)), make([]*rand.Rand, len(in))
	for i, request := range in {
		states[i], rands[i] = request.State, request.Rand
	}
	searched, trees, err := l.Search(ctx, states, rands)
	if err != nil {
		return err
	}
	for i, tree := range trees {
		out[i] = play.Decision{Action: tree.Best(), Record: searched[i]}
		if !l.Searcher.Options.Rule.Explores && in[i].Turn < l.Sampled {
			p := make([]float64, len(searched[i].Target))
			for j, q := range searched[i].Target {
				p[j] = float64(q)
			}
			out[i].Action = searched[i].Step.Picks[0].Allowed[policy.Sample(p, rands[i])]
		}
	}
	return nil
}

// Search searches states and describes what it found.
func (l SearchLearner) Search(ctx context.Context, states []games.State, rands []*rand.Rand) ([]*Searched, []*mcts.Tree, error) {
	trees, err := l.Searcher.Trees(ctx, states, rands)
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return nil, nil, err
	}
	out := make([]*Searched, len(trees))
	for i, tree := range trees {
		step, err := l.Network.Model.Observe(states[i], tree.Best())
		if err != nil {
			return nil, nil, err
		}
		legal, p := tree.Distribution(l.Searcher.Temperature)
		step.Picks[0].Allowed = legal // in the order of the distribution
		target := make([]float32, len(p))
		for j := range p {
			target[j] = float32(p[j])
		}
		out[i] = &Searched{Step: step, Target: target, Children: tree.Children(mcts.Root), Value: tree.Mean(mcts.Root)}
	}
	return out, trees, nil
}

// Close implements play.Agent; the network belongs to the caller.
func (l SearchLearner) Close() error { return nil }
