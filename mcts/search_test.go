package mcts_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/mcts"
	"github.com/agon-rl/agon/play"
	"github.com/agon-rl/agon/policy"
	"github.com/agon-rl/agon/solve"
)

func search(t testing.TB, o mcts.Options, e mcts.Evaluator, trees ...*mcts.Tree) {
	t.Helper()
	s, err := mcts.New(o, e)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Run(context.Background(), trees...); err != nil {
		t.Fatal(err)
	}
}

// decisions returns a state of every position where somebody is to move.
func decisions(t testing.TB, game games.Game) []games.State {
	t.Helper()
	met := map[string]bool{}
	var out []games.State
	var walk func(s games.State)
	walk = func(s games.State) {
		key := string(s.(games.Positioned).AppendPosition(nil))
		if met[key] || s.Turn() == games.Over {
			return
		}
		met[key] = true
		out = append(out, s)
		for _, a := range s.Actions(nil) {
			next := s.Clone()
			if err := next.Apply(a); err != nil {
				t.Fatal(err)
			}
			walk(next)
		}
	}
	walk(game.Start())
	return out
}

// optimal is the share of states in which the search's best action keeps the
// value of the game.
func optimal(t testing.TB, game games.Game, states []games.State, o mcts.Options) float64 {
	t.Helper()
	perfect, err := solve.Minimax(context.Background(), game)
	if err != nil {
		t.Fatal(err)
	}
	right := 0
	for i, s := range states {
		tree := tree(t, game, s, uint64(i))
		search(t, o, &mcts.Rollout{Count: 1}, tree)
		best := tree.Best()
		actions := s.Actions(nil)
		probs := make([]float64, len(actions))
		if err := perfect.Probabilities(context.Background(), []games.State{s}, [][]float64{probs}); err != nil {
			t.Fatal(err)
		}
		if probs[slices.Index(actions, best)] > 0 {
			right++
		}
	}
	return float64(right) / float64(len(states))
}

// UCT chooses as well as OpenSpiel's does with as many simulations; with proofs
// it is better.
func TestTicTacToeQuality(t *testing.T) {
	game := open(t, "tic_tac_toe")
	states := decisions(t, game)
	if len(states) != 4520 {
		t.Fatalf("%d states, expected 4520", len(states))
	}
	for simulations, theirs := range map[int]float64{10: .903, 25: .938, 50: .961, 100: .976, 200: .989} {
		o := options(t, "uct", simulations)
		plain := optimal(t, game, states, o)
		o.Prove = true
		proving := optimal(t, game, states, o)
		sd := math.Sqrt(2 * theirs * (1 - theirs) / float64(len(states)))
		t.Logf("%d simulations: %.4f, with proofs %.4f; OpenSpiel %.3f ± %.4f", simulations, plain, proving, theirs, sd)
		if math.Abs(plain-theirs) > 4*sd {
			t.Errorf("%d simulations: %.4f of the moves are best, OpenSpiel's %.3f", simulations, plain, theirs)
		}
		if proving <= plain {
			t.Errorf("%d simulations: proofs bring %.4f of best moves, %.4f without", simulations, proving, plain)
		}
	}
}

// All rules find the win and see the threat in positions of one move.
func TestTactics(t *testing.T) {
	game := open(t, "connect_four")
	for _, rule := range mcts.Rules.Names() {
		for name, test := range map[string]struct {
			moves []games.Action
			want  games.Action
		}{
			"win":    {[]games.Action{3, 0, 3, 0, 3, 1}, 3},
			"threat": {[]games.Action{3, 0, 3, 0, 3}, 3},
		} {
			s := game.Start()
			for _, a := range test.moves {
				if err := s.Apply(a); err != nil {
					t.Fatal(err)
				}
			}
			tree := tree(t, game, s, 1)
			search(t, options(t, rule, 4000), &mcts.Rollout{Count: 4}, tree)
			if got := tree.Best(); got != test.want {
				t.Errorf("%s, %s: column %d, expected %d", rule, name, got, test.want)
			}
		}
	}
}

// Of proven wins, the one that ends the game is played, whatever its visits.
func TestProvenWinIsTakenAtOnce(t *testing.T) {
	game := open(t, "connect_four")
	s := game.Start()
	for _, a := range []games.Action{3, 0, 3, 0, 3, 1} {
		if err := s.Apply(a); err != nil {
			t.Fatal(err)
		}
	}
	for number := range uint64(20) {
		o := options(t, "uct", 20_000)
		o.Prove = true
		grown := tree(t, game, s, number)
		search(t, o, &mcts.Rollout{Count: 1}, grown)
		proven := 0
		for _, c := range grown.Children(mcts.Root) {
			if c.Proven && c.Q == 1 {
				proven++
			}
		}
		if got := grown.Best(); got != 3 {
			t.Errorf("seed %d: column %d of %d proven wins", number, got, proven)
		}
	}
}

// What a search proves is what minimax says, and nim is proven to the end
// before the simulations are used up.
func TestProofsAreExact(t *testing.T) {
	ctx := context.Background()
	for _, name := range []string{"tic_tac_toe", "nim(pile_sizes=1;2;3)", "connect_four(rows=4,columns=4,x_in_row=3)", "breakthrough(rows=4,columns=3)"} {
		game := open(t, name)
		perfect, err := solve.Minimax(ctx, game)
		if err != nil {
			t.Fatal(err)
		}
		proofs := 0
		for i, s := range decisions(t, game) {
			if i%7 != 0 {
				continue
			}
			o := options(t, "uct", 300)
			o.Prove = true
			grown := tree(t, game, s, uint64(i))
			search(t, o, &mcts.Rollout{Count: 1}, grown)
			for _, c := range grown.Children(mcts.Root) {
				next := s.Clone()
				if err := next.Apply(c.Action); err != nil {
					t.Fatal(err)
				}
				value, err := perfect.Value(ctx, next)
				if err != nil {
					t.Fatal(err)
				}
				if s.Turn() == 1 {
					value = -value
				}
				if c.Proven {
					proofs++
				}
				if c.Proven && math.Abs(c.Q-value) > 1e-9 {
					t.Fatalf("%s, state %d, action %d: proven to be worth %g, minimax says %g", name, i, c.Action, c.Q, value)
				}
			}
			if i == 0 && strings.HasPrefix(name, "nim") && grown.Simulations() == 300 {
				t.Errorf("%s: the search did not end when all was proven", name)
			}
			if i > 2000 {
				break
			}
		}
		if proofs == 0 {
			t.Errorf("%s: nothing was proven", name)
		}
	}
}

// The same seed gives the same tree, another one another.
func TestSameSeedSameTree(t *testing.T) {
	for _, rule := range mcts.Rules.Names() {
		for _, name := range []string{"connect_four", "pig(winscore=20)"} {
			game := open(t, name)
			grow := func(number uint64) []mcts.Child {
				tree := tree(t, game, decision(t, game), number)
				o := options(t, rule, 300)
				o.Leaves, o.Noise = 4, mcts.Noise{Alpha: 1, Share: 0.25}
				search(t, o, &mcts.Rollout{Count: 1}, tree)
				return tree.Children(mcts.Root)
			}
			first := grow(1)
			if !reflect.DeepEqual(first, grow(1)) {
				t.Errorf("%s, %s: one seed, two trees", rule, name)
			}
			if reflect.DeepEqual(first, grow(2)) {
				t.Errorf("%s, %s: two seeds, one tree", rule, name)
			}
		}
	}
}

// decision is the first state in which somebody is to move.
func decision(t testing.TB, game games.Game) games.State {
	t.Helper()
	s, r := game.Start(), play.Generator(1, "chance")
	for s.Turn() == games.Chance {
		a, err := games.Draw(s, r)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Apply(a); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// Noise takes its share of the root's priors and leaves probabilities.
func TestNoise(t *testing.T) {
	game := open(t, "connect_four")
	met := map[float64]bool{}
	for number := range uint64(20) {
		o := options(t, "puct", 10)
		o.Noise = mcts.Noise{Alpha: 0.3, Share: 0.25}
		grown := tree(t, game, game.Start(), number)
		search(t, o, &mcts.Rollout{Count: 1}, grown)
		sum := 0.0
		for _, c := range grown.Children(mcts.Root) {
			sum += c.Prior
			met[c.Prior] = true
			if c.Prior < 0.75/7-1e-6 || c.Prior > 0.75/7+0.25+1e-6 {
				t.Errorf("a prior of %g with a quarter of noise", c.Prior)
			}
			if below := grown.Children(c.Node); len(below) > 0 && math.Abs(below[0].Prior-1./7) > 1e-6 {
				t.Errorf("noise below the root: a prior of %g", below[0].Prior)
			}
		}
		if math.Abs(sum-1) > 1e-6 {
			t.Errorf("priors sum to %g", sum)
		}
	}
	if len(met) < 100 {
		t.Errorf("%d priors in 20 draws for 7 moves", len(met))
	}
}

// spread counts the states of its calls that are alike.
type spread struct {
	nothing
	calls, leaves, alike int
}

func (s *spread) Evaluate(ctx context.Context, leaves []mcts.Leaf, out []mcts.Evaluation) error {
	met := map[string]bool{}
	for _, l := range leaves {
		key := games.Key(l.State, l.Seat)
		if met[key] {
			s.alike++
		}
		met[key] = true
	}
	s.calls, s.leaves = s.calls+1, s.leaves+len(leaves)
	return s.nothing.Evaluate(ctx, leaves, out)
}

// Leaves that wait count on the way to them, so those judged in one call hardly
// repeat.
func TestLeavesOfACallDiffer(t *testing.T) {
	game := open(t, "connect_four")
	for _, rule := range []string{"uct", "puct", "alphazero"} {
		o := options(t, rule, 700)
		o.Leaves = 7
		e := &spread{}
		search(t, o, e, tree(t, game, game.Start(), 1))
		if per := float64(e.leaves) / float64(e.calls); per < 6 || e.alike > e.leaves/10 {
			t.Errorf("%s: %.1f leaves a call, %d of %d alike", rule, per, e.alike, e.leaves)
		}
	}
}

// Visits and values add up, whatever the rule, chance, and how many leaves wait
// at a time.
func TestTreeAddsUp(t *testing.T) {
	for _, name := range []string{"tic_tac_toe", "pig(winscore=10)", "othello", "breakthrough(rows=5,columns=5)"} {
		for _, rule := range mcts.Rules.Names() {
			for _, leaves := range []int{1, 7} {
				game := open(t, name)
				tree := tree(t, game, decision(t, game), 3)
				o := options(t, rule, 500)
				o.Leaves, o.Prove = leaves, rule == "uct"
				search(t, o, &mcts.Rollout{Count: 1}, tree)
				what := fmt.Sprintf("%s, %s, %d leaves", name, rule, leaves)
				if got := tree.Simulations(); got != 500 && !o.Prove {
					t.Errorf("%s: %d simulations", what, got)
				}
				for n := range mcts.NodeID(tree.Nodes()) {
					sum := 0
					for _, c := range tree.Children(n) {
						sum += c.Visits
						if c.Q < -1-1e-9 || c.Q > 1+1e-9 {
							t.Fatalf("%s: node %d, action %d: value %g", what, n, c.Action, c.Q)
						}
					}
					own := tree.Visits(n) - sum
					if tree.Seat(n) == games.Over {
						own = 1
					}
					if own < 0 || leaves == 1 && own > 1 {
						t.Fatalf("%s: node %d of seat %d has %d visits, its actions %d", what, n, tree.Seat(n), tree.Visits(n), sum)
					}
				}
			}
		}
	}
}

// Information-set search on Kuhn poker comes down to an exploitability of 1/6
// and not below: it finds good play and no equilibrium.
func TestInformationSetsOfKuhn(t *testing.T) {
	game := open(t, "kuhn_poker")
	worlds, err := mcts.NewWorlds(context.Background(), game, 1000)
	if err != nil {
		t.Fatal(err)
	}
	tree, err := solve.Compile(context.Background(), game, solve.DefaultNodes)
	if err != nil {
		t.Fatal(err)
	}
	table := policy.NewTable()
	for i, set := range tree.Sets {
		o := options(t, "uct", 20_000)
		o.Rule = mcts.UCT(1) // OpenSpiel's 2 with returns of up to 2
		grown, err := mcts.NewTree(game.Info(), set.State, play.Generator(1, "search", uint64(i)), worlds)
		if err != nil {
			t.Fatal(err)
		}
		search(t, o, &mcts.Rollout{Count: 1}, grown)
		actions, p := grown.Distribution(1)
		probs := map[string]float64{}
		for j, a := range actions {
			probs[games.Say(set.State, a)] = p[j]
		}
		table.Set(set.Key, probs)
	}
	report, err := tree.Evaluate(context.Background(), table)
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(report.Exploitability-1./6) > 0.01 {
		t.Errorf("exploitability %.4f, expected about 1/6", report.Exploitability)
	}
}

// A tree that has as many nodes as it may goes on without growing.
func TestFullTree(t *testing.T) {
	game := open(t, "connect_four")
	o := options(t, "puct", 2000)
	o.Nodes = 50
	tree := tree(t, game, game.Start(), 1)
	search(t, o, &mcts.Rollout{Count: 1}, tree)
	if !tree.Full() || tree.Nodes() > 50 || tree.Simulations() != 2000 {
		t.Errorf("full %t, %d nodes, %d simulations", tree.Full(), tree.Nodes(), tree.Simulations())
	}
}

// slow is an evaluator that takes its time.
type slow struct{ nothing }

func (s slow) Evaluate(ctx context.Context, leaves []mcts.Leaf, out []mcts.Evaluation) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(5 * time.Millisecond):
		return s.nothing.Evaluate(ctx, leaves, out)
	}
}

// A search that is stopped has an answer, be it after some simulations or
// before the first.
func TestStopped(t *testing.T) {
	game := open(t, "connect_four")
	for _, rule := range mcts.Rules.Names() {
		for _, patience := range []time.Duration{0, 50 * time.Millisecond} {
			grown := tree(t, game, game.Start(), 1)
			s, err := mcts.New(options(t, rule, 1_000_000), slow{})
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			if err := s.Run(ctx, grown); err != nil {
				t.Fatal(err)
			}
			cancel()
			if best := grown.Best(); best < 0 || best > 6 || grown.Simulations() >= 1_000_000 {
				t.Errorf("%s after %d simulations: %d", rule, grown.Simulations(), best)
			}
		}
	}
}

// What a tree knows of a move's subtree is kept, and nothing else.
func TestAdvance(t *testing.T) {
	game := open(t, "connect_four")
	grown := tree(t, game, game.Start(), 1)
	o := options(t, "uct", 3000)
	search(t, o, &mcts.Rollout{Count: 1}, grown)
	children := grown.Children(mcts.Root)
	c := children[3]
	below := grown.Children(c.Node)
	next := game.Start()
	if err := next.Apply(c.Action); err != nil {
		t.Fatal(err)
	}
	before := grown.Nodes()
	if !grown.Advance(c.Action, next) {
		t.Fatal("nothing was kept")
	}
	if grown.Nodes() >= before || grown.Visits(mcts.Root) != c.Visits {
		t.Errorf("%d of %d nodes, %d visits, expected %d", grown.Nodes(), before, grown.Visits(mcts.Root), c.Visits)
	}
	after := grown.Children(mcts.Root)
	for i := range below {
		if a, b := below[i], after[i]; a.Visits != b.Visits || a.Q != b.Q || a.Action != b.Action {
			t.Errorf("action %d has %+v, before %+v", a.Action, b, a)
		}
	}
	search(t, o, &mcts.Rollout{Count: 1}, grown)
	if grown.Simulations() != 3000 || grown.Visits(mcts.Root) != c.Visits+3000 {
		t.Errorf("%d simulations, %d visits", grown.Simulations(), grown.Visits(mcts.Root))
	}
}

type broken struct{ evaluation mcts.Evaluation }

func (b broken) Evaluate(_ context.Context, _ []mcts.Leaf, out []mcts.Evaluation) error {
	if b.evaluation.Values == nil && b.evaluation.Priors == nil {
		return errors.New("no answer")
	}
	out[0] = b.evaluation
	return nil
}

// What is wrong is said in a line.
func TestErrors(t *testing.T) {
	game := open(t, "tic_tac_toe")
	for want, change := range map[string]func(*mcts.Options){
		"sims=0":             func(o *mcts.Options) { o.Simulations = 0 },
		"leaves=-1":          func(o *mcts.Options) { o.Leaves = -1 },
		"nodes=1":            func(o *mcts.Options) { o.Nodes = 1 },
		"noise=2":            func(o *mcts.Options) { o.Noise = mcts.Noise{Alpha: 1, Share: 2} },
		"alpha=0":            func(o *mcts.Options) { o.Noise = mcts.Noise{Share: 0.5} },
		"c=-1":               func(o *mcts.Options) { o.Rule = mcts.UCT(-1) },
		"puct: c=NaN":        func(o *mcts.Options) { o.Rule = mcts.PUCT(math.NaN()) },
		"functions":          func(o *mcts.Options) { o.Rule = mcts.Rule{Name: "mine", Best: o.Rule.Best} },
		"gumbel: considered": func(o *mcts.Options) { o.Rule = mcts.Gumbel(0, mcts.DefaultGumbelScale) },
	} {
		o := options(t, "uct", 10)
		change(&o)
		if _, err := mcts.New(o, nothing{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, expected %q", err, want)
		}
	}
	for text, want := range map[string]string{
		"ucb": `"ucb" is unknown`, "puct(c=-1)": "puct: c=-1: expected", "gumbel(c=1)": `unknown parameter "c"`, "uct(": `"uct("`,
	} {
		if _, err := mcts.NewRule(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, expected %q", text, err, want)
		}
	}
	for want, e := range map[string]broken{
		"no answer":                            {},
		"1 values, expected one for each of 2": {mcts.Evaluation{Values: []float64{0}}},
		"valued at 3: expected -1 to 1":        {mcts.Evaluation{Values: []float64{3, 0}}},
		"valued at NaN":                        {mcts.Evaluation{Values: []float64{math.NaN(), 0}}},
		"9 actions and 2 priors":               {mcts.Evaluation{Values: []float64{0, 0}, Priors: []float64{.5, .5}}},
		"a prior of -1 for action 0":           {mcts.Evaluation{Values: []float64{0, 0}, Priors: []float64{-1, 1, 0, 0, 0, 0, 0, 0, 0}}},
	} {
		s, err := mcts.New(options(t, "puct", 10), e)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Run(context.Background(), tree(t, game, game.Start(), 1)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, expected %q", err, want)
		}
	}
	over := game.Start()
	for _, a := range []games.Action{0, 3, 1, 4, 2} {
		if err := over.Apply(a); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := mcts.NewTree(game.Info(), over, play.Generator(1, "x"), nil); err == nil {
		t.Error("a finished game is searched")
	}
	kuhn := open(t, "kuhn_poker")
	if _, err := mcts.NewTree(kuhn.Info(), decision(t, kuhn), play.Generator(1, "x"), nil); err == nil {
		t.Error("hidden cards are searched as if they were seen")
	}
	if _, err := mcts.NewWorlds(context.Background(), open(t, "leduc_poker"), 100); err == nil || !strings.Contains(err.Error(), "more than 100 decisions") {
		t.Errorf("%v", err)
	}
}

// optimist values every state and, in the place of the game, every end.
type optimist struct {
	value float64
	ends  *int
}

func (o optimist) Evaluate(_ context.Context, leaves []mcts.Leaf, out []mcts.Evaluation) error {
	for i, leaf := range leaves {
		if leaf.State.Turn() == games.Over {
			return fmt.Errorf("an end among leaves")
		}
		out[i].Values = append(out[i].Values, 0, 0)
	}
	return nil
}

func (o optimist) EvaluateEnds(_ context.Context, leaves []mcts.Leaf, out []mcts.Evaluation) error {
	for i, leaf := range leaves {
		if leaf.State.Turn() != games.Over {
			return fmt.Errorf("a leaf among ends")
		}
		*o.ends++
		out[i].Values = append(out[i].Values, o.value, -o.value)
	}
	return nil
}

// An evaluator of ends is asked in the place of the game, through proposals too, with
// any number of leaves, and proves nothing.
func TestEndsJudged(t *testing.T) {
	game, err := games.New("nim(pile_sizes=1)")
	if err != nil {
		t.Fatal(err)
	}
	rule, err := mcts.NewRule("puct")
	if err != nil {
		t.Fatal(err)
	}
	for _, leaves := range []int{1, 4} {
		ends := 0
		judge := optimist{value: 0.25, ends: &ends}
		o := mcts.Options{Rule: rule, Simulations: 10, Leaves: leaves, Nodes: 100}
		for _, e := range []mcts.Evaluator{judge, mcts.Proposing{Proposer: first{}, K: 2, Evaluator: judge}} {
			search, err := mcts.New(o, e)
			if err != nil {
				t.Fatal(err)
			}
			tree, err := mcts.NewTree(game.Info(), game.Start(), rand.New(rand.NewPCG(1, 2)), nil)
			if err != nil {
				t.Fatal(err)
			}
			ends = 0
			if err := search.Run(t.Context(), tree); err != nil {
				t.Fatal(err)
			}
			if got := tree.Children(mcts.Root)[0]; ends != 10 || got.Q != 0.25 || got.Visits != 10 {
				t.Errorf("%d leaves: %d ends judged, %+v", leaves, ends, got)
			}
		}
	}
	o := mcts.Options{Rule: rule, Simulations: 10, Leaves: 1, Nodes: 100, Prove: true}
	if _, err := mcts.New(o, optimist{}); err == nil || !strings.Contains(err.Error(), "leave prove out") {
		t.Errorf("proofs of what an evaluator thinks: %v", err)
	}
}

// first proposes the first action that is listed.
type first struct{}

func (first) Propose(_ context.Context, states []games.State, _ int, _ []*rand.Rand) ([][]mcts.Proposal, error) {
	out := make([][]mcts.Proposal, len(states))
	for i, s := range states {
		out[i] = []mcts.Proposal{{Action: s.Actions(nil)[0]}}
	}
	return out, nil
}
