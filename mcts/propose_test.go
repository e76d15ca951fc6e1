package mcts_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/games/problem"
	"github.com/agon-rl/agon/mcts"
)

// texts is a chain of arithmetic whose steps are texts: a state lists what was
// proposed at it so far, and nothing else.
type texts struct {
	games.State
	proposed []games.Action
}

func (s *texts) Propose(text string) (games.Action, error) {
	a, err := s.State.(games.Speaker).Hear(text)
	if err == nil && !slices.Contains(s.proposed, a) {
		s.proposed = append(s.proposed, a)
		slices.Sort(s.proposed)
	}
	return a, err
}

func (s *texts) Actions(dst []games.Action) []games.Action {
	if s.Turn() < 0 {
		return s.State.Actions(dst)
	}
	return append(dst, s.proposed...)
}

func (s *texts) Apply(a games.Action) error {
	if s.Turn() >= 0 && !slices.Contains(s.proposed, a) {
		return games.Illegal(s, a)
	}
	err := s.State.Apply(a)
	if err == nil {
		s.proposed = nil
	}
	return err
}

func (s *texts) Clone() games.State { return &texts{s.State.Clone(), slices.Clone(s.proposed)} }

// speaker proposes texts for steps of the chain: some that are open, drawn
// uniformly, and one that is nonsense.
type speaker struct{ asked int }

func (p *speaker) Propose(_ context.Context, states []games.State, k int, rands []*rand.Rand) ([][]mcts.Proposal, error) {
	out := make([][]mcts.Proposal, len(states))
	for i, s := range states {
		plain := s.(*texts).State
		legal := plain.Actions(nil)
		for range k {
			a := legal[rands[i].IntN(len(legal))]
			out[i] = append(out[i], mcts.Proposal{Text: "so " + games.Say(plain, a), LogProb: -math.Log(float64(len(legal)))})
		}
		out[i] = append(out[i], mcts.Proposal{Text: "I do not know", LogProb: -1})
		p.asked++
	}
	return out, nil
}

// A chain whose steps must be proposed is solved: the tree holds proposals alone,
// each once, with priors that sum to 1, and finds right steps among them.
func TestProposals(t *testing.T) {
	game, err := games.New("modchain(length=3,seed=5)")
	if err != nil {
		t.Fatal(err)
	}
	rule, err := mcts.NewRule("puct")
	if err != nil {
		t.Fatal(err)
	}
	truth := mcts.Exact{Value: func(_ context.Context, s games.State) (float64, error) {
		if s.(*texts).State.(problem.Verified).Solvable() {
			return 1, nil
		}
		return -1, nil
	}}
	proposer := &speaker{}
	search, err := mcts.New(mcts.Options{Rule: rule, Simulations: 200, Leaves: 1, Nodes: 10000}, mcts.Proposing{Proposer: proposer, K: 12, Evaluator: truth})
	if err != nil {
		t.Fatal(err)
	}
	var s games.State = &texts{State: game.Start()}
	tree, err := mcts.NewTree(game.Info(), s, rand.New(rand.NewPCG(1, 2)), nil)
	if err != nil {
		t.Fatal(err)
	}
	for s.Turn() != games.Over {
		if err := search.Run(t.Context(), tree); err != nil {
			t.Fatal(err)
		}
		sum := 0.0
		for _, c := range tree.Children(mcts.Root) {
			sum += c.Prior
		}
		if math.Abs(sum-1) > 1e-6 {
			t.Errorf("priors sum to %g", sum)
		}
		actions, p := tree.Distribution(1)
		if len(actions) != len(tree.Children(mcts.Root)) || len(p) != len(actions) {
			t.Errorf("%d actions, %d probabilities", len(actions), len(p))
		}
		best := tree.Best()
		if _, err := s.(games.Open).Propose(fmt.Sprint("= ", best)); err != nil {
			t.Fatal(err)
		}
		if err := s.Apply(best); err != nil {
			t.Fatal(err)
		}
		tree.Advance(best, s)
	}
	if s.Returns(nil)[0] != 1 {
		t.Errorf("returns %v", s.Returns(nil))
	}
	if proposer.asked == 0 {
		t.Error("nothing was proposed")
	}
}

// listed proposes listed actions, or what it is told.
type listed []mcts.Proposal

func (p listed) Propose(_ context.Context, states []games.State, _ int, _ []*rand.Rand) ([][]mcts.Proposal, error) {
	out := make([][]mcts.Proposal, len(states))
	for i, s := range states {
		for _, q := range p {
			if q.Text != "" || q.LogProb > 0 || slices.Contains(s.Actions(nil), q.Action) {
				out[i] = append(out[i], q)
			}
		}
		if len(out[i]) == 0 {
			out[i] = []mcts.Proposal{{Action: s.Actions(nil)[0]}}
		}
	}
	return out, nil
}

func TestProposalsOfListedActions(t *testing.T) {
	game, err := games.New("tic_tac_toe")
	if err != nil {
		t.Fatal(err)
	}
	rule, err := mcts.NewRule("puct")
	if err != nil {
		t.Fatal(err)
	}
	run := func(p listed) (*mcts.Tree, error) {
		search, err := mcts.New(mcts.Options{Rule: rule, Simulations: 50, Leaves: 1, Nodes: 10000}, mcts.Proposing{Proposer: p, K: 3, Evaluator: &mcts.Rollout{Count: 1}})
		if err != nil {
			t.Fatal(err)
		}
		tree, err := mcts.NewTree(game.Info(), game.Start(), rand.New(rand.NewPCG(1, 2)), nil)
		if err != nil {
			t.Fatal(err)
		}
		return tree, search.Run(t.Context(), tree)
	}
	tree, err := run(listed{{Action: 4, LogProb: math.Log(0.3)}, {Action: 0, LogProb: math.Log(0.1)}, {Action: 4, LogProb: math.Log(0.3)}})
	if err != nil {
		t.Fatal(err)
	}
	children := tree.Children(mcts.Root)
	if len(children) != 2 || math.Abs(children[0].Prior-0.25) > 1e-6 || math.Abs(children[1].Prior-0.75) > 1e-6 {
		t.Errorf("%+v: expected priors of 1/4 and 3/4", children)
	}
	for _, bad := range []listed{{{Text: "centre"}}, {{Action: 4, LogProb: 1}}, {{Action: 99, LogProb: 0.5}}} {
		if _, err := run(bad); err == nil {
			t.Errorf("%+v is taken", bad)
		}
	}
}

// Gumbel's target is given by action, in whichever order the actions were proposed: where
// every state is worth the same, it is the priors.
func TestTargetOfProposals(t *testing.T) {
	game := open(t, "tic_tac_toe")
	grown := tree(t, game, game.Start(), 1)
	proposer := listed{{Action: 4, LogProb: math.Log(0.3)}, {Action: 0, LogProb: math.Log(0.1)}}
	search(t, options(t, "gumbel", 2), mcts.Proposing{Proposer: proposer, K: 2, Evaluator: nothing{}}, grown)
	actions, p := grown.Distribution(1)
	if !slices.Equal(actions, []games.Action{0, 4}) || math.Abs(p[0]-0.25) > 1e-6 || math.Abs(p[1]-0.75) > 1e-6 {
		t.Errorf("actions %v with %v, expected 1/4 and 3/4 of 0 and 4", actions, p)
	}
}

// worth values states by what their key says.
type worth map[string]float64

func (w worth) Evaluate(_ context.Context, leaves []mcts.Leaf, out []mcts.Evaluation) error {
	for i, leaf := range leaves {
		out[i].Values = append(out[i].Values, w[string(leaf.State.AppendKey(nil, 0))])
	}
	return nil
}

// counted counts the states that it proposes steps at.
type counted struct {
	listed
	at map[string]int
}

func (c counted) Propose(ctx context.Context, states []games.State, k int, rands []*rand.Rand) ([][]mcts.Proposal, error) {
	for _, s := range states {
		c.at[string(s.AppendKey(nil, 0))]++
	}
	return c.listed.Propose(ctx, states, k, rands)
}

// Late proposals are asked for once at a node, and nowhere below steps judged bad.
func TestLateProposals(t *testing.T) {
	game, err := games.New("modchain(length=4,seed=1)")
	if err != nil {
		t.Fatal(err)
	}
	key := func(actions ...games.Action) string {
		s := game.Start()
		for _, a := range actions {
			if err := s.Apply(a); err != nil {
				t.Fatal(err)
			}
		}
		return string(s.AppendKey(nil, 0))
	}
	open := game.Start().Actions(nil)
	judge := worth{key(): 0, key(open[0]): -0.9, key(open[1]): 0.9}
	rule, err := mcts.NewRule("puct")
	if err != nil {
		t.Fatal(err)
	}
	for _, leaves := range []int{1, 3} {
		for _, late := range []bool{false, true} {
			proposer := counted{listed{{Action: open[0]}, {Action: open[1]}}, map[string]int{}}
			search, err := mcts.New(mcts.Options{Rule: rule, Simulations: 3, Leaves: leaves, Nodes: 100}, mcts.Proposing{Proposer: proposer, K: 2, Evaluator: judge, Late: late})
			if err != nil {
				t.Fatal(err)
			}
			tree, err := mcts.NewTree(game.Info(), game.Start(), rand.New(rand.NewPCG(1, 2)), nil)
			if err != nil {
				t.Fatal(err)
			}
			if err := search.Run(t.Context(), tree); err != nil {
				t.Fatal(err)
			}
			if got := proposer.at[key(open[0])] > 0; got == late || proposer.at[key()] != 1 {
				t.Errorf("%d leaves, late %v: steps are proposed %v", leaves, late, proposer.at)
			}
			if got := proposer.at[key(open[1])]; got != 1 && leaves == 1 {
				t.Errorf("late %v: steps are proposed %d times after the good one", late, got)
			}
			for n := range mcts.NodeID(tree.Nodes()) {
				if asked := len(tree.Children(n)) > 0; tree.Expanded(n) != asked {
					t.Errorf("node %d: expanded %v", n, tree.Expanded(n))
				}
			}
		}
	}
}
