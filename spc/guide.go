package spc

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/agon-rl/agon/agents"
	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/games/problem"
	"github.com/agon-rl/agon/mcts"
	"github.com/agon-rl/agon/play"
)

// Calls is what a solution cost. All ways to solve problems count alike.
type Calls struct {
	Policy int // steps that the solver was asked for, those thrown away included
	Critic int // lines that a critic judged
}

// Attempt is a solution handed in.
type Attempt struct {
	End    problem.Solution // over
	Answer string           // "" where it comes to none
	// Belief is how far the critic believes it; see Belief. 1 without a critic.
	Belief float64
	Calls
}

// Solved tells whether the game's verifier finds every step right.
func (a Attempt) Solved() bool { return a.End.Returns(nil)[0] == 1 }

// Tries is how often SPC has a rejected step tried anew.
const Tries = 5

// Guide writes solutions step by step as SPC does at test time (arXiv 2504.19162): the
// solver proposes a step, the critic judges it, and where it says Incorrect the solver
// tries anew, up to Tries times. Where all tries are rejected the last one stands, as
// readers of the paper describe it; its authors released no code for this that one
// could check. With Best, ours, the one that the critic believed most stands.
type Guide struct {
	Solver play.Agent
	Critic *StepCritic // nil for the solver alone
	Tries  int
	Best   bool
}

// draft is a solution under way.
type draft struct {
	Attempt
	rand   *rand.Rand
	steps  int
	tries  int          // of this step that were rejected
	best   games.Action // of those
	belief float64      // of the best
}

// Solve writes a solution of every problem, side by side, drawing for problem i from
// rands[i] alone. Problems may have lines already.
func (g Guide) Solve(ctx context.Context, problems []problem.Solution, rands []*rand.Rand) ([]Attempt, error) {
	drafts, live := make([]*draft, len(problems)), []*draft{}
	for i, p := range problems {
		drafts[i] = &draft{Attempt: Attempt{End: p.Clone().(problem.Solution), Belief: 1}, rand: rands[i]}
		if p.Turn() != games.Over {
			live = append(live, drafts[i])
		}
	}
	for len(live) > 0 {
		steps, err := g.propose(ctx, live)
		if err != nil {
			return nil, err
		}
		beliefs, err := g.judge(ctx, live, steps)
		if err != nil {
			return nil, err
		}
		still := live[:0]
		for i, d := range live {
			if err := d.take(steps[i], beliefs[i], g); err != nil {
				return nil, err
			}
			if d.End.Turn() != games.Over {
				still = append(still, d)
			}
		}
		live = still
	}
	out := make([]Attempt, len(drafts))
	for i, d := range drafts {
		out[i] = d.Attempt
		out[i].Answer = d.End.Answer()
	}
	return out, nil
}

// propose asks the solver for a step of each draft.
func (g Guide) propose(ctx context.Context, live []*draft) ([]games.Action, error) {
	requests, decisions := make([]play.Request, len(live)), make([]play.Decision, len(live))
	for i, d := range live {
		requests[i] = play.Request{State: d.End, Turn: d.steps, Rand: d.rand}
	}
	if err := g.Solver.Act(ctx, requests, decisions); err != nil {
		return nil, fmt.Errorf("the solver: %w", err)
	}
	steps := make([]games.Action, len(live))
	for i, d := range live {
		steps[i] = decisions[i].Action
		d.Policy++
	}
	return steps, nil
}

// judge is the critic's belief in each step; 1 without a critic.
func (g Guide) judge(ctx context.Context, live []*draft, steps []games.Action) ([]float64, error) {
	out := make([]float64, len(live))
	if g.Critic == nil {
		for i := range out {
			out[i] = 1
		}
		return out, nil
	}
	solutions, lines := make([]problem.Solution, len(live)), make([]problem.Line, len(live))
	for i, d := range live {
		after := d.End.Clone().(problem.Solution)
		if err := after.Apply(steps[i]); err != nil {
			return nil, fmt.Errorf("the solver: %w", err)
		}
		solutions[i], lines[i], _ = after.Before() // the line with its text
		d.Critic++
	}
	return out, g.Critic.Judge(ctx, solutions, lines, out)
}

// take writes a step down, or has it tried anew.
func (d *draft) take(step games.Action, belief float64, g Guide) error {
	if d.tries == 0 || belief > d.belief {
		d.best, d.belief = step, belief
	}
	switch {
	case belief > 0.5:
	case d.tries < g.Tries:
		d.tries++
		return nil
	case g.Best:
		step, belief = d.best, d.belief
	}
	d.Belief *= belief
	d.tries = 0
	d.steps++
	return d.End.Apply(step)
}

// Believe has a critic judge whole solutions that were written without it, and counts
// its calls.
func Believe(ctx context.Context, critic *StepCritic, attempts []Attempt) error {
	ends, beliefs := make([]games.State, len(attempts)), make([]float64, len(attempts))
	for i, a := range attempts {
		ends[i] = a.End
	}
	if err := NewBelief(critic).Confidence(ctx, ends, beliefs); err != nil {
		return err
	}
	for i := range attempts {
		attempts[i].Belief = beliefs[i]
		attempts[i].Critic += written(attempts[i].End)
	}
	return nil
}

// written is how many lines a solution has.
func written(s problem.Solution) (lines int) {
	for {
		before, _, ok := s.Before()
		if !ok {
			return lines
		}
		s = before
		lines++
	}
}

// Majority is self-consistency: of solutions of a problem, the first with the answer
// that most of them have. Solutions without an answer have no vote.
func Majority(attempts []Attempt) Attempt {
	votes := map[string]int{}
	chosen := attempts[0]
	for _, a := range attempts {
		if a.Answer != "" {
			votes[a.Answer]++
		}
	}
	for _, a := range attempts {
		if votes[a.Answer] > votes[chosen.Answer] {
			chosen = a
		}
	}
	return cost(chosen, attempts)
}

// BestOf is best-of-N by a critic: of solutions of a problem, the first of those that
// it believes most.
func BestOf(attempts []Attempt) Attempt {
	chosen := attempts[0]
	for _, a := range attempts {
		if a.Belief > chosen.Belief {
			chosen = a
		}
	}
	return cost(chosen, attempts)
}

// Verified is best-of-N by the verifier: of solutions of a problem, the first that is
// right. It is what a selection can reach at most.
func Verified(attempts []Attempt) Attempt {
	for _, a := range attempts {
		if a.Solved() {
			return cost(a, attempts)
		}
	}
	return cost(attempts[0], attempts)
}

// cost makes one of several solutions cost what they all did.
func cost(chosen Attempt, all []Attempt) Attempt {
	chosen.Calls = Calls{}
	for _, a := range all {
		chosen.Policy += a.Policy
		chosen.Critic += a.Critic
	}
	return chosen
}

// TreeSearch looks for solutions in a tree of steps that the solver proposed, whose
// nodes a critic judges, ends included: there is no verifier. Steps are judged before
// the solver is asked what follows on them.
type TreeSearch struct {
	Solver play.Agent
	Critic *StepCritic
	Rule   mcts.Rule
	Steps  int // steps that the solver is asked for at a node
	Calls  int // policy calls for a problem; where the tree has no end by then, the solver finishes
}

// Solve searches every problem, side by side, each with a tree of its own, and hands
// in the solution that the critic believes most.
func (t TreeSearch) Solve(ctx context.Context, info games.Info, problems []problem.Solution, rands []*rand.Rand) ([]Attempt, error) {
	o := mcts.Options{Rule: t.Rule, Simulations: 1, Leaves: 1, Nodes: mcts.DefaultNodes}
	ends := CriticOfEnds{CriticEvaluator: CriticEvaluator{Belief: NewBelief(t.Critic)}}
	search, err := mcts.New(o, mcts.Proposing{Proposer: agents.Proposer{Agent: t.Solver}, K: t.Steps, Evaluator: ends, Late: true})
	if err != nil {
		return nil, err
	}
	all := make([]*mcts.Tree, len(problems))
	for i, p := range problems {
		if all[i], err = mcts.NewTree(info, p, rands[i], nil); err != nil {
			return nil, err
		}
	}
	trees := all
	// A tree may ask no more before its calls are spent: its nodes are all there, or it
	// goes to the same end again and again. A call is given a few rounds.
	for range 4 * t.Calls {
		if trees = t.afford(trees); len(trees) == 0 {
			break
		}
		if err := search.Run(ctx, trees...); err != nil {
			return nil, err
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
	}
	return t.handIn(ctx, all, rands)
}

// spent is how many steps the solver was asked for.
func (t TreeSearch) spent(tree *mcts.Tree) int {
	asked := 0
	for n := range mcts.NodeID(tree.Nodes()) {
		if tree.Expanded(n) {
			asked += t.Steps
		}
	}
	return asked
}

// afford are the trees that may ask for more.
func (t TreeSearch) afford(trees []*mcts.Tree) (some []*mcts.Tree) {
	for _, tree := range trees {
		if tree.Simulations() == 0 || t.spent(tree)+t.Steps <= t.Calls {
			some = append(some, tree)
		}
	}
	return some
}

// handIn takes the best end of every tree, or has the solver finish where it has none.
func (t TreeSearch) handIn(ctx context.Context, trees []*mcts.Tree, rands []*rand.Rand) ([]Attempt, error) {
	starts, values := make([]problem.Solution, len(trees)), make([]float64, len(trees))
	for i, tree := range trees {
		var err error
		if starts[i], values[i], err = furthest(tree); err != nil {
			return nil, err
		}
	}
	out, err := Guide{Solver: t.Solver}.Solve(ctx, starts, rands)
	if err != nil {
		return nil, err
	}
	for i, tree := range trees {
		out[i].Policy += t.spent(tree)
		// every node but the root is a line, judged once; the root's lines are judged too
		out[i].Critic = tree.Nodes() - 1 + written(tree.State().(problem.Solution))
		out[i].Belief = (values[i] + 1) / 2 // as far as it was judged
	}
	return out, nil
}

// furthest is the end that a tree values most, or, where it has none, where its best
// steps lead, with what it is worth.
func furthest(tree *mcts.Tree) (best problem.Solution, value float64, err error) {
	value = math.Inf(-1)
	var walk func(at mcts.NodeID, s games.State) error
	walk = func(at mcts.NodeID, s games.State) error {
		for _, c := range met(tree, at) {
			next := s.Clone()
			if err := next.Apply(c.Action); err != nil {
				return err
			}
			if next.Turn() == games.Over && c.Q > value {
				best, value = next.(problem.Solution), c.Q
			}
			if err := walk(c.Node, next); err != nil {
				return err
			}
		}
		return nil
	}
	if err := walk(mcts.Root, tree.State()); err != nil || best != nil {
		return best, value, err
	}
	s, at := tree.State().Clone(), mcts.Root
	for {
		children := met(tree, at)
		if len(children) == 0 {
			return s.(problem.Solution), tree.Value(at), nil
		}
		next := slices.MaxFunc(children, func(a, b mcts.Child) int { return cmp.Compare(a.Q, b.Q) })
		if err := s.Apply(next.Action); err != nil {
			return nil, 0, err
		}
		at = next.Node
	}
}

// met are the children of a node that the search came to.
func met(tree *mcts.Tree, at mcts.NodeID) []mcts.Child {
	return slices.DeleteFunc(tree.Children(at), func(c mcts.Child) bool { return c.Visits == 0 || c.Node == mcts.None })
}
