package prefs_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/mcts"
	"github.com/agon-rl/agon/play"
	"github.com/agon-rl/agon/prefs"
)

// siblings are the actions of one node. The best is 0, the most visited and likeliest 1,
// and 4 was never tried.
var siblings = []mcts.Child{
	{Action: 0, Q: 0.8, Visits: 10, Prior: 0.1},
	{Action: 1, Q: 0.3, Visits: 30, Prior: 0.4},
	{Action: 2, Q: -0.375, Visits: 5, Prior: 0.3},
	{Action: 3, Q: -0.625, Visits: 1, Prior: 0.15},
	{Action: 4, Q: 0, Visits: 0, Prior: 0.05},
}

func chosen(t *testing.T, rule string, children []mcts.Child) string {
	t.Helper()
	r, err := prefs.FindExtraction(rule)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, m := range r.Choose(children) {
		out = append(out, fmt.Sprintf("%d>%d", m.Chosen.Action, m.Rejected.Action))
	}
	return strings.Join(out, " ")
}

// What each rule takes of the siblings, by hand.
func TestRulesByHand(t *testing.T) {
	for rule, want := range map[string]string{
		"mcts-dpo": "0>3",
		"cpl":      "0>2 0>3 1>2 1>3",
		// Ranks of the tried by their priors: 1 has 1, 2 has 1/3, 3 has −1/3, 0 has −1. Mixed
		// by half: 1 is worth 0.65, 2 −0.021, 0 −0.1 and 3 −0.479, and 2 over 0 is too close.
		"agent-q":               "1>2 1>0 1>3 2>3 0>3",
		"agent-q(gap=0)":        "1>2 1>0 1>3 2>0 2>3 0>3",
		"agent-q(ranked=1)":     "0>1 0>2 0>3 1>2 1>3 2>3",
		"agent-q(ranked=0)":     "1>2 1>3 1>0 2>3 2>0 3>0", // the policy's order alone
		"agent-q-open":          "1>0 1>2 1>3 1>4",         // whatever the values
		"rstar":                 "0>3 0>2 1>3 1>2",
		"rstar(gap=1)":          "0>3 0>2",
		"rstar(visits=5)":       "0>2", // three are left: one against one
		"tpo":                   "0>1 0>2 0>3 1>2 1>3 2>3",
		"tpo(visits=0)":         "0>1 0>4 0>2 0>3 1>4 1>2 1>3 4>2 4>3 2>3",
		"tpo(visits=6)":         "0>1",
		"tpo(visits=11)":        "",
		"tpo(gap=0.9)":          "0>2 0>3 1>3",
		"tpo(signs=true)":       "0>2 0>3 1>2 1>3",
		"mcts-dpo(gap=1.5)":     "",
		"agent-q-open(gap=0.5)": "1>2 1>3",
	} {
		if got := chosen(t, rule, siblings); got != want {
			t.Errorf("%s takes %q, expected %q", rule, got, want)
		}
	}
}

// Of actions of one value the likelier comes first, and of those the more visited; none
// of them is set against another. Where the policy ranks none above another, its ranking
// counts for nothing.
func TestRulesByHandWhereSiblingsTie(t *testing.T) {
	tied := []mcts.Child{
		{Action: 0, Q: 0.5, Visits: 5, Prior: 0.2},
		{Action: 1, Q: 0.5, Visits: 5, Prior: 0.4},
		{Action: 2, Q: -0.5, Visits: 9, Prior: 0.2},
		{Action: 3, Q: -0.5, Visits: 7, Prior: 0.2},
	}
	even := []mcts.Child{
		{Action: 0, Q: 0.1, Visits: 5, Prior: 0.5},
		{Action: 1, Q: 0.6, Visits: 5, Prior: 0.5},
	}
	for _, test := range []struct {
		rule     string
		children []mcts.Child
		want     string
	}{
		{"mcts-dpo", tied, "1>3"},
		{"tpo", tied, "1>2 1>3 0>2 0>3"},
		{"rstar", tied, "1>3 1>2 0>3 0>2"},
		{"mcts-dpo", tied[2:], ""},
		{"cpl", tied[:2], ""},
		{"cpl", []mcts.Child{{Action: 0, Q: 0.5, Visits: 1}, {Action: 1, Q: 0, Visits: 1}}, ""},
		{"cpl", []mcts.Child{{Action: 0, Q: 0, Visits: 1}, {Action: 1, Q: -0.5, Visits: 1}}, ""},
		{"agent-q(gap=0.25)", even, "1>0"}, // half of 0.5
		{"agent-q(gap=0.26)", even, ""},
		{"tpo", siblings[:1], ""},
		{"tpo", nil, ""},
	} {
		if got := chosen(t, test.rule, test.children); got != test.want {
			t.Errorf("%s takes %q of %+v, expected %q", test.rule, got, test.children, test.want)
		}
	}
}

// fork is a state in which seat 1 moves first: its actions 5 and 6 end the game, worth
// -0.5 and 0.25 to it; after 7 seat 0 wins all by 2 and most by 3.
type fork struct{ moves []games.Action }

func forkInfo() games.Info {
	return games.Info{Name: "fork", Seats: 2, Roles: []string{"a", "b"}, Actions: 8, MaxLength: 2, MinReturn: -1, MaxReturn: 1, Tensor: []int{1}}
}

func (f *fork) Turn() games.Seat {
	switch {
	case len(f.moves) == 0:
		return 1
	case len(f.moves) == 1 && f.moves[0] == 7:
		return 0
	}
	return games.Over
}
func (f *fork) Actions(dst []games.Action) []games.Action {
	switch f.Turn() {
	case 1:
		return append(dst, 5, 6, 7)
	case 0:
		return append(dst, 2, 3)
	}
	return dst
}
func (*fork) Odds(dst []float64) []float64 { return dst }
func (f *fork) Apply(a games.Action) error {
	if !slices.Contains(f.Actions(nil), a) {
		return games.Illegal(f, a)
	}
	f.moves = append(f.moves, a)
	return nil
}
func (f *fork) Returns(dst []float64) []float64 {
	first := map[games.Action]float64{5: 0.5, 6: -0.25, 2: 1, 3: 0.75}[f.moves[len(f.moves)-1]]
	return append(dst, first, -first)
}
func (f *fork) Clone() games.State { return &fork{slices.Clone(f.moves)} }
func (f *fork) AppendKey(dst []byte, s games.Seat) []byte {
	return fmt.Appendf(dst, "%d sees %v", s, f.moves)
}
func (*fork) Observe(_ games.Seat, dst []float32) { clear(dst) }
func (f *fork) Prompt(s games.Seat) string        { return fmt.Sprintf("You are %d after %v.", s, f.moves) }
func (*fork) Say(a games.Action) string           { return fmt.Sprintf("go %d", a) }
func (f *fork) Hear(string) (games.Action, error) { return 0, games.Illegal(f, 0) }

// opinion is an evaluator with priors of its own for each place of the fork.
type opinion struct{}

func (opinion) Evaluate(_ context.Context, leaves []mcts.Leaf, out []mcts.Evaluation) error {
	for i, leaf := range leaves {
		out[i].Values = append(out[i].Values, 0, 0)
		out[i].Priors = []float64{0.5, 0.25, 0.25}
		if leaf.Seat == 0 {
			out[i].Priors = []float64{0.125, 0.875}
		}
	}
	return nil
}

// proposed samples all actions of a state, those of lower number the likelier.
type proposed struct{}

func (proposed) Propose(_ context.Context, states []games.State, _ int, _ []*rand.Rand) ([][]mcts.Proposal, error) {
	out := make([][]mcts.Proposal, len(states))
	for i, s := range states {
		for _, a := range s.Actions(nil) {
			out[i] = append(out[i], mcts.Proposal{Action: a, LogProb: -float64(a)})
			if a == 3 {
				out[i][len(out[i])-1].LogProb = math.Inf(-1)
			}
		}
	}
	return out, nil
}

func forkTree(t *testing.T, e mcts.Evaluator) *mcts.Tree {
	t.Helper()
	rule, err := mcts.NewRule("puct(c=10)") // so that all is tried
	if err != nil {
		t.Fatal(err)
	}
	search, err := mcts.New(mcts.Options{Rule: rule, Simulations: 60, Leaves: 1, Nodes: 100}, e)
	if err != nil {
		t.Fatal(err)
	}
	tree, err := mcts.NewTree(forkInfo(), &fork{}, play.Generator(1, "search"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := search.Run(t.Context(), tree); err != nil {
		t.Fatal(err)
	}
	return tree
}

// Every column of the pairs of a tree, by what the tree, the game and the evaluator say
// of each action.
func TestExtractByValue(t *testing.T) {
	const tiny = 1e-6 // priors are float32
	tree := forkTree(t, opinion{})
	byAction := func(at mcts.NodeID) map[int32]mcts.Child {
		out := map[int32]mcts.Child{}
		for _, c := range tree.Children(at) {
			out[int32(c.Action)] = c
		}
		return out
	}
	root := byAction(mcts.Root)
	below := byAction(root[7].Node)
	rule, err := prefs.FindExtraction("tpo")
	if err != nil {
		t.Fatal(err)
	}
	pairs := prefs.Extract(tree, rule, prefs.Context{Game: "fork(of=roads)", History: []games.Action{9, 8}, Source: "tester", Seed: 77})
	if len(pairs) != 4 {
		t.Fatalf("%d pairs, expected 3 at the root and 1 below", len(pairs))
	}
	if root[7].Q >= -0.5 { // what seat 0 gets of it is the loss of seat 1, and its own evaluation as a draw counts once
		t.Fatalf("the search values 7 at %g", root[7].Q)
	}
	for i, want := range []struct {
		chosen, rejected int32
		q                [2]float64
		prior            [2]float64
	}{
		{6, 5, [2]float64{0.25, -0.5}, [2]float64{0.25, 0.5}},
		{6, 7, [2]float64{0.25, root[7].Q}, [2]float64{0.25, 0.25}},
		{5, 7, [2]float64{-0.5, root[7].Q}, [2]float64{0.5, 0.25}},
		{2, 3, [2]float64{1, 0.75}, [2]float64{0.125, 0.875}},
	} {
		p, at, node := pairs[i], root, mcts.Root
		expected := prefs.Pair{
			Prompt: "You are 1 after [].", Key: "1 sees []", Seat: 1, Depth: 0, History: []int32{9, 8},
			Game: "fork(of=roads)", Rule: "tpo", Source: "tester", Seed: 77,
		}
		if i == 3 {
			at, node = below, root[7].Node
			expected.Prompt, expected.Key, expected.Seat, expected.Depth, expected.History = "You are 0 after [7].", "0 sees [7]", 0, 1, []int32{9, 8, 7}
		}
		expected.Chosen, expected.Rejected = fmt.Sprintf("go %d", want.chosen), fmt.Sprintf("go %d", want.rejected)
		expected.ChosenAction, expected.RejectedAction = want.chosen, want.rejected
		expected.ChosenVisits, expected.RejectedVisits = int64(at[want.chosen].Visits), int64(at[want.rejected].Visits)
		expected.Value, expected.Visits = tree.Mean(node), int64(tree.Visits(node))
		for _, x := range []struct {
			name      string
			got, want float64
		}{
			{"ChosenQ", p.ChosenQ, want.q[0]},
			{"RejectedQ", p.RejectedQ, want.q[1]},
			{"ChosenPrior", p.ChosenPrior, math.Log(want.prior[0])},
			{"RejectedPrior", p.RejectedPrior, math.Log(want.prior[1])},
			{"ChosenBehaviour", p.ChosenBehaviour, math.Log(want.prior[0])},
			{"RejectedBehaviour", p.RejectedBehaviour, math.Log(want.prior[1])},
		} {
			if math.Abs(x.got-x.want) > tiny {
				t.Errorf("pair %d: %s is %g, expected %g", i, x.name, x.got, x.want)
			}
		}
		p.ChosenQ, p.RejectedQ, p.ChosenPrior, p.RejectedPrior, p.ChosenBehaviour, p.RejectedBehaviour = 0, 0, 0, 0, 0, 0
		if d := cmp.Diff(expected, p); d != "" {
			t.Errorf("pair %d:\n%s", i, d)
		}
	}
	if root[5].Visits == root[6].Visits || root[6].Visits == root[7].Visits {
		t.Error("actions have the same visits, and would not be told apart by them")
	}
}

// Where actions are proposed, a pair holds what each was sampled with: the behaviour is
// the proposer's own log-probability, the prior that of the renormalised.
func TestExtractBehaviourByValue(t *testing.T) {
	tree := forkTree(t, mcts.Proposing{Proposer: proposed{}, K: 3, Evaluator: opinion{}})
	rule, err := prefs.FindExtraction("tpo(visits=0)")
	if err != nil {
		t.Fatal(err)
	}
	pairs := prefs.Extract(tree, rule, prefs.Context{})
	if len(pairs) != 4 {
		t.Fatalf("%d pairs, expected 4", len(pairs))
	}
	least := math.Log(1e-45) // what stands for a probability of 0
	all := math.Exp(-5) + math.Exp(-6) + math.Exp(-7)
	for _, p := range pairs {
		for _, side := range []struct {
			name             string
			action           int32
			behaviour, prior float64
		}{
			{"chosen", p.ChosenAction, p.ChosenBehaviour, p.ChosenPrior},
			{"rejected", p.RejectedAction, p.RejectedBehaviour, p.RejectedPrior},
		} {
			behaviour, prior := -float64(side.action), -float64(side.action)-math.Log(all)
			switch side.action {
			case 2:
				prior = 0
			case 3:
				behaviour, prior = least, least
			}
			if side.behaviour != behaviour || math.Abs(side.prior-prior) > 1e-6 {
				t.Errorf("%d > %d: the %s action was sampled with %g and has the prior %g, expected %g and %g", p.ChosenAction, p.RejectedAction, side.name, side.behaviour, side.prior, behaviour, prior)
			}
		}
	}
}

// Along the path of the best moves alone there are pairs at the root, whose most visited
// action ends the game; without it there is one more below.
func TestExtractAlongThePath(t *testing.T) {
	tree := forkTree(t, opinion{})
	for rule, want := range map[string]string{"tpo": "[0 0 0 1]", "tpo(path=true)": "[0 0 0]", "mcts-dpo(path=false)": "[0 1]", "mcts-dpo": "[0]"} {
		r, err := prefs.FindExtraction(rule)
		if err != nil {
			t.Fatal(err)
		}
		var depths []int32
		for _, p := range prefs.Extract(tree, r, prefs.Context{}) {
			depths = append(depths, p.Depth)
		}
		if got := fmt.Sprint(depths); got != want {
			t.Errorf("%s: pairs at the depths %s, expected %s", rule, got, want)
		}
	}
}

// Where information is hidden only the root is looked at, whose state alone is known.
func TestExtractOfHiddenGames(t *testing.T) {
	game, err := games.New("kuhn_poker")
	if err != nil {
		t.Fatal(err)
	}
	worlds, err := mcts.NewWorlds(t.Context(), game, 1000)
	if err != nil {
		t.Fatal(err)
	}
	s := game.Start()
	for _, a := range []games.Action{0, 2} { // the jack
		if err := s.Apply(a); err != nil {
			t.Fatal(err)
		}
	}
	tree, err := mcts.NewTree(game.Info(), s, play.Generator(1, "search"), worlds)
	if err != nil {
		t.Fatal(err)
	}
	rule, err := mcts.NewRule("uct")
	if err != nil {
		t.Fatal(err)
	}
	search, err := mcts.New(mcts.Options{Rule: rule, Simulations: 500, Leaves: 1, Nodes: 1000}, &mcts.Rollout{Count: 1})
	if err != nil {
		t.Fatal(err)
	}
	if err := search.Run(t.Context(), tree); err != nil {
		t.Fatal(err)
	}
	all, err := prefs.FindExtraction("tpo")
	if err != nil {
		t.Fatal(err)
	}
	pairs := prefs.Extract(tree, all, prefs.Context{Game: "kuhn_poker", History: []games.Action{0, 2}})
	if len(pairs) != 1 || pairs[0].Depth != 0 || pairs[0].Key != "0" || !slices.Equal(pairs[0].History, []int32{0, 2}) {
		t.Errorf("%+v", pairs)
	}
}

// Two sets of pairs, compared: what is in both, in one alone, and turned round, those of
// the largest gap first and five at most.
func TestDiffByHand(t *testing.T) {
	pair := func(state, chosen, rejected int32, gap float64) prefs.Pair {
		return prefs.Pair{Game: "g", History: []int32{state}, ChosenAction: chosen, RejectedAction: rejected, ChosenQ: gap}
	}
	first := []prefs.Pair{pair(1, 1, 2, 0.5), pair(2, 1, 2, 0.5), pair(3, 1, 2, 0.5), pair(3, 1, 3, 0.5)}
	second := []prefs.Pair{pair(1, 1, 2, 0.1), pair(2, 2, 1, 0.1), pair(4, 1, 2, 0.1), pair(5, 1, 2, 0.1), pair(6, 1, 2, 0.1)}
	for i := range int32(6) {
		first, second = append(first, pair(10+i, 1, 2, float64(i))), append(second, pair(10+i, 2, 1, 1))
	}
	d := prefs.Diff(first, second)
	if d.Both != 1 || d.First != 2 || d.Second != 3 || d.Contradicting != 7 || len(d.Examples) != 5 {
		t.Errorf("%+v", d)
	}
	for i, want := range []float64{5, 4, 3, 2, 1} {
		if p := d.Examples[i]; p.Gap() != want || p.ChosenAction != 1 {
			t.Errorf("example %d: %+v, expected the first set's pair of the gap %g", i, p, want)
		}
	}
}

// Pairs of actions that a solver finds the same are even, whoever moves; the error rate is
// of all pairs.
func TestErrorRate(t *testing.T) {
	if got := (prefs.Errors{Pairs: 8, Wrong: 2, Even: 4}).Rate(); got != 0.25 {
		t.Errorf("2 of 8: %g", got)
	}
	if got := (prefs.Errors{}).Rate(); got != 0 {
		t.Errorf("none: %g", got)
	}
	worth := func(_ context.Context, s games.State) (float64, error) { // of the first seat: more by 1 for a 4
		if strings.HasSuffix(games.Key(s, 0), "4") {
			return 1, nil
		}
		return 0, nil
	}
	of := func(seat int32, history ...int32) prefs.Pair {
		return prefs.Pair{Game: "tic_tac_toe", Seat: seat, History: history, ChosenAction: 4, RejectedAction: 5}
	}
	turned := of(1, 0)
	turned.ChosenAction, turned.RejectedAction = 5, 4
	even := of(0)
	even.ChosenAction = 6
	got, err := prefs.Check(t.Context(), []prefs.Pair{of(0), of(1, 0), turned, even}, worth)
	if want := (prefs.Errors{Pairs: 4, Wrong: 1, Even: 1}); err != nil || got != want {
		t.Errorf("%+v, %v, expected %+v: only the second seat's 4 is wrong", got, err, want)
	}
}
