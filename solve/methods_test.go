package solve_test

import (
	"errors"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/agon-rl/agon/solve"
)

func start(t testing.TB, tree *solve.Tree, method string) solve.Solver {
	t.Helper()
	begin, err := solve.ParseMethod(method)
	if err != nil {
		t.Fatal(err)
	}
	solver, err := begin(tree)
	if err != nil {
		t.Fatal(err)
	}
	return solver
}

func measure(t testing.TB, tree *solve.Tree, s solve.Strategy) solve.Report {
	t.Helper()
	r, err := tree.Measure(s)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// Exploitability of the average policy after N iterations, as OpenSpiel's
// solvers have it.
func TestSequences(t *testing.T) {
	for _, test := range []struct {
		game, method string
		want         map[int]float64
	}{
		{"kuhn_poker", "dcfr", map[int]float64{1: .458333333333, 2: .258333333333, 10: .0227787839258, 100: .00166634197033, 1000: .000146500228115}},
		{"kuhn_poker", "lcfr", map[int]float64{1: .458333333333, 2: .263888888889, 10: .0212507306122, 100: .00108902736505, 1000: .0000935298860647}},
		{"kuhn_poker", "dcfr(alpha=1,beta=1,gamma=1)", map[int]float64{100: .00108902736505}},
		{"kuhn_poker", "cfr(simultaneous=true)", map[int]float64{2: .3125, 1000: .00726910640856}},
		{"leduc_poker", "dcfr", map[int]float64{1: 2.37361111111, 2: 2.05519444444, 10: .778802046996, 100: .00775326185069}},
		{"leduc_poker", "lcfr", map[int]float64{1: 2.37361111111, 2: 2.05791666667, 10: .721065155707, 100: .0344895336696}},
		{"leduc_poker", "cfr(simultaneous=true)", map[int]float64{2: 2.30097080499, 10: .927018571968, 100: .173034311921}},
	} {
		tree := compile(t, test.game)
		for n, want := range test.want {
			solver := start(t, tree, test.method)
			if err := solver.Iterate(t.Context(), n); err != nil {
				t.Fatal(err)
			}
			near(t, fmt.Sprintf("%s, %s after %d", test.game, test.method, n), measure(t, tree, solver.Strategy()).Exploitability, want, 1e-9)
		}
	}
}

// The linear program finds the published values, and its strategy is its own
// proof: no best response gains.
func TestLinearProgram(t *testing.T) {
	values := map[string]float64{
		"kuhn_poker":                         -1.0 / 18,
		"leduc_poker":                        -0.085606424078,
		"leduc_poker(suit_isomorphism=true)": -0.085606424078, // suits decide nothing
		"liars_dice(dice_sides=3)":           1.0 / 9,
		"matrix(rps)":                        0,
		"matrix(biased_rps)":                 0,
	}
	if os.Getenv("AGON_TEST_SLOW") != "" {
		values["liars_dice"] = -7.0 / 258
	}
	for game, want := range values {
		tree := compile(t, game)
		solver := start(t, tree, "lp")
		if err := solver.Iterate(t.Context(), 100); err != nil {
			t.Fatal(err)
		}
		r := measure(t, tree, solver.Strategy())
		near(t, game+", value", r.Value[0], want, 1e-9)
		near(t, game+", exploitability", r.Exploitability, 0, 1e-9)
		if solver.Iterations() >= 100 {
			t.Errorf("%s: no end after %d iterations", game, solver.Iterations())
		}
	}
}

// Every method approaches equilibrium, as far as its kind does in that time.
func TestMethodsConverge(t *testing.T) {
	for _, test := range []struct {
		method     string
		iterations int
		kuhn       float64 // exploitability
		leduc      float64
	}{
		{"cfr", 1000, 2e-3, 0.02},
		{"cfr+", 1000, 2e-4, 1e-3},
		{"pcfr+", 1000, 1e-6, 1e-3},
		{"fp", 1000, 0.03, 0.1},
		{"mmd", 3000, 0.02, 1},
		{"mccfr", 50000, 0.02, 0.2},
		{"mccfr(sampling=outcome)", 50000, 0.05, 1},
		{"double_oracle", 1000, 1e-9, math.Inf(1)},
	} {
		for game, bound := range map[string]float64{"kuhn_poker": test.kuhn, "leduc_poker": test.leduc} {
			if math.IsInf(bound, 1) {
				continue
			}
			tree := compile(t, game)
			solver := start(t, tree, test.method)
			if err := solver.Iterate(t.Context(), test.iterations); err != nil {
				t.Fatal(err)
			}
			if got := measure(t, tree, solver.Strategy()).Exploitability; !(got <= bound) {
				t.Errorf("%s, %s after %d: exploitability %g, want at most %g", game, test.method, test.iterations, got, bound)
			}
		}
	}
}

// Sampling methods repeat themselves with the seed.
func TestSeeds(t *testing.T) {
	tree := compile(t, "leduc_poker")
	run := func(method string) float64 {
		solver := start(t, tree, method)
		if err := solver.Iterate(t.Context(), 200); err != nil {
			t.Fatal(err)
		}
		return measure(t, tree, solver.Strategy()).NashConv
	}
	for _, sampling := range []string{"external", "outcome"} {
		a, b, c := run("mccfr(sampling="+sampling+",seed=3)"), run("mccfr(sampling="+sampling+",seed=3)"), run("mccfr(sampling="+sampling+",seed=4)")
		if a != b || a == c {
			t.Errorf("%s: %g and %g with one seed, %g with another", sampling, a, b, c)
		}
	}
}

func TestParseMethodRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"cfr++":                  `method "cfr++" is unknown, did you mean "cfr+"?`,
		"dcfr(alfa=1)":           `did you mean "alpha"?`,
		"dcfr(alpha=many)":       "alpha=many: expected a number",
		"mccfr(sampling=robust)": "sampling=robust: expected external, outcome",
		"lp(1)":                  "unexpected argument",
		"":                       "expected a name",
	} {
		_, err := solve.ParseMethod(text)
		var method *solve.MethodError
		if err == nil || !errors.As(err, &method) || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: got %v, want one line with %q", text, err, want)
		}
	}
	for _, method := range []string{"lp", "double_oracle", "mmd"} {
		begin, err := solve.ParseMethod(method)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := begin(compile(t, "kuhn_poker(players=3)")); err == nil || !strings.Contains(err.Error(), "3 seats") {
			t.Errorf("%s with three seats: %v", method, err)
		}
	}
}

func TestMatrixGame(t *testing.T) {
	for _, test := range []struct {
		name        string
		payoff      [][]float64
		value       float64
		row, column []float64
	}{
		{"rock, paper, scissors", [][]float64{{0, -1, 1}, {1, 0, -1}, {-1, 1, 0}}, 0, []float64{1. / 3, 1. / 3, 1. / 3}, []float64{1. / 3, 1. / 3, 1. / 3}},
		{"matching pennies, one side heavier", [][]float64{{3, -1}, {-1, 1}}, 1. / 3, []float64{1. / 3, 2. / 3}, []float64{1. / 3, 2. / 3}},
		{"a saddle", [][]float64{{2, 3}, {1, 4}}, 2, []float64{1, 0}, []float64{1, 0}},
		{"one action each", [][]float64{{-7}}, -7, []float64{1}, []float64{1}},
		{"all the same", [][]float64{{5, 5}, {5, 5}}, 5, nil, nil},
	} {
		value, row, column, err := solve.MatrixGame(test.payoff)
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		near(t, test.name+", value", value, test.value, 1e-9)
		for i := range test.row {
			near(t, fmt.Sprintf("%s, row %d", test.name, i), row[i], test.row[i], 1e-9)
			near(t, fmt.Sprintf("%s, column %d", test.name, i), column[i], test.column[i], 1e-9)
		}
	}
	for _, bad := range [][][]float64{nil, {{}}, {{1, 2}, {3}}, {{math.NaN()}}} {
		if _, _, _, err := solve.MatrixGame(bad); err == nil {
			t.Errorf("%v is taken", bad)
		}
	}
}

// In any matrix game neither seat can gain by leaving the solution.
func TestMatrixGameIsAnEquilibrium(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		columns := rapid.IntRange(1, 6).Draw(t, "columns")
		payoff := rapid.SliceOfN(rapid.SliceOfN(rapid.Float64Range(-10, 10), columns, columns), 1, 6).Draw(t, "payoff")
		value, row, column, err := solve.MatrixGame(payoff)
		if err != nil {
			t.Fatal(err)
		}
		for j := range columns {
			paid := 0.0
			for i, p := range row {
				paid += p * payoff[i][j]
			}
			if paid < value-1e-7 {
				t.Fatalf("column %d pays %g, less than the value %g", j, paid, value)
			}
		}
		for i := range payoff {
			paid := 0.0
			for j, p := range column {
				paid += p * payoff[i][j]
			}
			if paid > value+1e-7 {
				t.Fatalf("row %d pays %g, more than the value %g", i, paid, value)
			}
		}
	})
}
