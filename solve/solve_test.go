package solve_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"runtime"
	"slices"
	"testing"

	"github.com/agon-rl/agon/games"
	_ "github.com/agon-rl/agon/games/standard"
	"github.com/agon-rl/agon/policy"
	"github.com/agon-rl/agon/solve"
)

func compile(t testing.TB, name string) *solve.Tree {
	t.Helper()
	game, err := games.New(name)
	if err != nil {
		t.Fatal(err)
	}
	tree, err := solve.Compile(context.Background(), game, solve.DefaultNodes)
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

func exploitability(t testing.TB, tree *solve.Tree, p policy.Policy) float64 {
	t.Helper()
	r, err := tree.Evaluate(context.Background(), p)
	if err != nil {
		t.Fatal(err)
	}
	return r.Exploitability
}

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance) {
		t.Errorf("%s: %.12f, want %.12f", what, got, want)
	}
}

// fixed always plays the action of the given rank among the legal ones, the
// last where there are fewer.
type fixed int

func (f fixed) Probabilities(_ context.Context, _ []games.State, out [][]float64) error {
	for _, probs := range out {
		clear(probs)
		i := int(f)
		if i < 0 || i >= len(probs) {
			i = len(probs) - 1
		}
		probs[i] = 1
	}
	return nil
}

// Sizes of the trees: published counts.
func TestTreeSizes(t *testing.T) {
	for _, test := range []struct {
		game        string
		nodes, sets int
	}{
		{"kuhn_poker", 58, 12},
		{"leduc_poker", 9457, 936},
		{"tic_tac_toe", 549946, 294778},
	} {
		tree := compile(t, test.game)
		if tree.Nodes() != test.nodes || len(tree.Sets) != test.sets {
			t.Errorf("%s: %d nodes and %d information sets, want %d and %d", test.game, tree.Nodes(), len(tree.Sets), test.nodes, test.sets)
		}
	}
}

// Exploitability and values of simple policies, as OpenSpiel gives them.
func TestExploitabilityOfSimplePolicies(t *testing.T) {
	for _, test := range []struct {
		game   string
		name   string
		policy policy.Policy
		want   float64
	}{
		{"kuhn_poker", "uniform", policy.Uniform{}, 11.0 / 24},
		{"kuhn_poker", "always bet", fixed(1), 1.0 / 3},
		{"kuhn_poker", "always pass", fixed(0), 1},
		{"leduc_poker", "uniform", policy.Uniform{}, 2.373611111111111},
		{"leduc_poker", "always raise", fixed(9), 2.366666666666667},
		{"leduc_poker", "fold if you can", fixed(0), 1},
		{"matrix(rps)", "uniform", policy.Uniform{}, 0},
		{"matrix(rps)", "always rock", fixed(0), 1},
	} {
		tree := compile(t, test.game)
		near(t, test.game+" "+test.name, exploitability(t, tree, test.policy), test.want, 1e-9)
	}
	r, err := compile(t, "kuhn_poker").Evaluate(t.Context(), policy.Uniform{})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "value of uniform Kuhn", r.Value[0], 0.125, 1e-12)
	near(t, "its zero sum", r.Value[0]+r.Value[1], 0, 1e-12)
	r, err = compile(t, "leduc_poker").Evaluate(t.Context(), policy.Uniform{})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "value of uniform Leduc", r.Value[0], -0.078125, 1e-12)
}

// Kuhn's equilibria are a family with one parameter: the chance α that the
// opener bets a jack.
func TestKuhnEquilibriumFamily(t *testing.T) {
	tree := compile(t, "kuhn_poker")
	for _, alpha := range []float64{0, 1.0 / 6, 1.0 / 3} {
		table := policy.NewTable()
		for key, bet := range map[string]float64{
			"0": alpha, "1": 0, "2": 3 * alpha, "0pb": 0, "1pb": alpha + 1.0/3, "2pb": 1,
			"0p": 1.0 / 3, "1p": 0, "2p": 1, "0b": 0, "1b": 1.0 / 3, "2b": 1,
		} {
			table.Set(key, map[string]float64{"Pass": 1 - bet, "Bet": bet})
		}
		r, err := tree.Evaluate(t.Context(), table)
		if err != nil {
			t.Fatal(err)
		}
		near(t, fmt.Sprintf("α=%g exploitability", alpha), r.Exploitability, 0, 1e-12)
		near(t, fmt.Sprintf("α=%g value", alpha), r.Value[0], -1.0/18, 1e-12)
	}
}

// Sequences recorded from OpenSpiel 2.0.2 (alternating updates) and its
// simultaneous form; two iterations tell the two apart.
func TestCFRSequences(t *testing.T) {
	for _, test := range []struct {
		game    string
		variant solve.Variant
		want    map[int]float64
	}{
		{"kuhn_poker", solve.Variant{}, map[int]float64{1: .458333333333, 2: .270833333333, 10: .0686987938172, 100: .00822597731592, 1000: .000937616646993}},
		{"kuhn_poker", solve.Variant{Plus: true, Average: 1}, map[int]float64{1: .458333333333, 2: .263888888889, 10: .0326870906683, 100: .00119440410111, 1000: .0000873653225208}},
		{"kuhn_poker", solve.Variant{Simultaneous: true}, map[int]float64{1: .458333333333, 2: .3125, 10: .0962085002014, 100: .0256747358469, 1000: .00726910640856}},
		{"leduc_poker", solve.Variant{}, map[int]float64{1: 2.37361111111, 2: 2.06131944444, 10: .888578983169, 100: .0957163530046, 1000: .0118178102598}},
		{"leduc_poker", solve.Variant{Plus: true, Average: 1}, map[int]float64{1: 2.37361111111, 2: 2.05791666667, 10: .61043890159, 100: .0134159949709, 1000: .000257151616156}},
		{"leduc_poker", solve.Variant{Simultaneous: true}, map[int]float64{1: 2.37361111111, 2: 2.30097080499, 10: .927018571968, 100: .173034311921}},
	} {
		tree := compile(t, test.game)
		solver := solve.NewCFR(tree, test.variant)
		for _, n := range []int{1, 2, 10, 100, 1000} {
			want, recorded := test.want[n]
			if !recorded {
				continue
			}
			if err := solver.Iterate(t.Context(), n-solver.Iterations()); err != nil {
				t.Fatal(err)
			}
			r, err := tree.Measure(solver.Strategy())
			if err != nil {
				t.Fatal(err)
			}
			near(t, fmt.Sprintf("%s %+v after %d", test.game, test.variant, n), r.Exploitability, want, 1e-9)
		}
	}
}

func TestCFRReachesKuhnsValue(t *testing.T) {
	tree := compile(t, "kuhn_poker")
	solver := solve.NewCFR(tree, solve.Variant{Plus: true, Average: 1})
	if err := solver.Iterate(t.Context(), 20000); err != nil {
		t.Fatal(err)
	}
	near(t, "value", tree.Value(solver.Strategy())[0], -1.0/18, 1e-6)
}

// Also where goroutines share an iteration, as they do on liar's dice.
func TestIterationsAllocateNothing(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
	for _, game := range []string{"kuhn_poker", "liars_dice"} {
		tree := compile(t, game)
		for _, method := range []string{
			"cfr", "cfr(simultaneous=true)", "cfr+", "lcfr", "dcfr", "pcfr+",
			"mccfr", "mccfr(sampling=outcome)", "fp", "mmd",
		} {
			solver := start(t, tree, method)
			step := func() { _ = solver.Iterate(context.Background(), 1) }
			for range 100 { // what grows has grown
				step()
			}
			if n := testing.AllocsPerRun(20, step); n > 0 {
				t.Errorf("%s, %s: %g allocations an iteration", game, method, n)
			}
		}
	}
}

// A best response earns what BestResponse says when it is played.
func TestBestResponseEarnsItsValue(t *testing.T) {
	for _, game := range []string{"kuhn_poker", "leduc_poker", "matrix(biased_rps)"} {
		tree := compile(t, game)
		for seat := range games.Seat(2) {
			value, response := tree.BestResponse(tree.Uniform(), seat)
			near(t, fmt.Sprintf("%s seat %d", game, seat), tree.Value(response)[seat], value, 1e-12)
		}
	}
}

func TestMinimaxOnTicTacToe(t *testing.T) {
	game, err := games.New("tic_tac_toe")
	if err != nil {
		t.Fatal(err)
	}
	perfect, err := solve.Minimax(t.Context(), game)
	if err != nil {
		t.Fatal(err)
	}
	if v, _ := perfect.Value(t.Context(), game.Start()); v != 0 {
		t.Errorf("the value of tic-tac-toe is %g, want a draw", v)
	}
	if n := perfect.Positions(); n != 5478 {
		t.Errorf("%d positions, want 5478", n)
	}
	// A corner first: only the centre holds.
	s := game.Start()
	if err := s.Apply(0); err != nil {
		t.Fatal(err)
	}
	probs := make([]float64, len(s.Actions(nil)))
	if err := perfect.Probabilities(t.Context(), []games.State{s}, [][]float64{probs}); err != nil {
		t.Fatal(err)
	}
	for i, a := range s.Actions(nil) {
		want := 0.0
		if a == 4 {
			want = 1
		}
		if probs[i] != want {
			t.Errorf("after a corner, cell %d has probability %g, want %g", a, probs[i], want)
		}
	}
}

func TestTooLargeAndUnfitGames(t *testing.T) {
	game, _ := games.New("connect_four")
	if _, err := solve.Compile(t.Context(), game, 1000); !errors.Is(err, solve.ErrTooLarge) {
		t.Errorf("connect four within 1000 nodes: %v", err)
	}
	for _, name := range []string{"kuhn_poker", "matrix(rps)"} {
		game, _ := games.New(name)
		if _, err := solve.Minimax(t.Context(), game); err == nil {
			t.Errorf("minimax takes %s", name)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	small, err := games.New("tic_tac_toe")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := solve.Compile(ctx, small, solve.DefaultNodes); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled enumeration: %v", err)
	}
}

func TestTableRoundTrip(t *testing.T) {
	tree := compile(t, "leduc_poker")
	solver := solve.NewCFR(tree, solve.Variant{Plus: true, Average: 1})
	if err := solver.Iterate(t.Context(), 50); err != nil {
		t.Fatal(err)
	}
	average := solver.Strategy()
	want, err := tree.Measure(average)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "leduc.json")
	if err := tree.Table(average).WriteFile(path); err != nil {
		t.Fatal(err)
	}
	table, err := policy.ReadTable(path)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "exploitability after writing and reading", exploitability(t, tree, table), want.Exploitability, 1e-15)
}

// BenchmarkMethod times one iteration.
func BenchmarkMethod(b *testing.B) {
	for _, game := range []string{"kuhn_poker", "leduc_poker", "liars_dice"} {
		for _, method := range []string{"cfr", "cfr+", "dcfr", "pcfr+", "mccfr"} {
			b.Run(game+"/"+method, func(b *testing.B) {
				solver := start(b, compile(b, game), method)
				b.ReportAllocs()
				for b.Loop() {
					if err := solver.Iterate(context.Background(), 1); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// BenchmarkExploitability times the whole measurement of a policy: compiling
// the game, asking the policy, and the best responses.
func BenchmarkExploitability(b *testing.B) {
	for _, name := range []string{"kuhn_poker", "leduc_poker", "liars_dice"} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				exploitability(b, compile(b, name), policy.Uniform{})
			}
		})
	}
}

// The estimate of a game's size is exact where all games branch alike and near
// elsewhere.
func TestHistories(t *testing.T) {
	for game, want := range map[string]float64{"kuhn_poker": 58, "leduc_poker": 9457, "tic_tac_toe": 549946} {
		g, err := games.New(game)
		if err != nil {
			t.Fatal(err)
		}
		got, err := solve.Histories(g)
		if err != nil {
			t.Fatal(err)
		}
		near(t, game, got, math.Log10(want), 0.05)
	}
}

// How many goroutines share an iteration changes no bit of what comes out.
func TestWorkersAgree(t *testing.T) {
	tree := compile(t, "liars_dice")
	average := func(workers int, method string) solve.Strategy {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(workers))
		solver := start(t, tree, method)
		if err := solver.Iterate(context.Background(), 3); err != nil {
			t.Fatal(err)
		}
		return solver.Strategy()
	}
	for _, method := range []string{"cfr", "cfr(simultaneous=true)", "pcfr+", "dcfr", "fp", "mmd"} {
		if !slices.Equal(average(1, method), average(5, method)) {
			t.Errorf("%s: one goroutine and five differ", method)
		}
	}
}
