package solve_test

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/policy"
	"github.com/agon-rl/agon/solve"
)

// A contest measured by its answers is the game measured by its tree, for any
// policy; and the uniform policy's measures of the default game follow from its
// features: 7/16 rising, 7/16 falling, 1/8 level.
func TestContestIsItsTree(t *testing.T) {
	tree := compile(t, "sequence(length=3,symbols=3)")
	g, err := games.New("sequence(length=3,symbols=3)")
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 1))
	for range 5 {
		s := tree.Uniform()
		for _, set := range tree.Sets {
			sum := 0.0
			for a := range set.Actions {
				s[set.First+a] = r.ExpFloat64()
				sum += s[set.First+a]
			}
			for a := range set.Actions {
				s[set.First+a] /= sum
			}
		}
		want, err := tree.Measure(s)
		if err != nil {
			t.Fatal(err)
		}
		got, err := solve.MeasureContest(context.Background(), g.(games.Contest), tree.Table(s))
		if err != nil {
			t.Fatal(err)
		}
		for i, pair := range [][2]float64{
			{got.Exploitability, want.Exploitability}, {got.NashConv, want.NashConv}, {got.Value[0], want.Value[0]}, {got.Value[1], want.Value[1]},
			{got.BestResponse[0], want.BestResponse[0]}, {got.BestResponse[1], want.BestResponse[1]},
		} {
			if math.Abs(pair[0]-pair[1]) > 1e-12 {
				t.Errorf("measure %d: %.15g by answers, %.15g by the tree", i, pair[0], pair[1])
			}
		}
	}
	g, err = games.New("sequence")
	if err != nil {
		t.Fatal(err)
	}
	uniform, err := solve.MeasureContest(context.Background(), g.(games.Contest), policy.Uniform{})
	if err != nil {
		t.Fatal(err)
	}
	if want := 7.0/16 - 0.5/8; math.Abs(uniform.Exploitability-want) > 1e-12 || math.Abs(uniform.Value[0]) > 1e-12 {
		t.Errorf("uniform: %+v, expected exploitability %g", uniform, want)
	}
}

// CFR+ over answers comes as near as it does elsewhere, and its table is it.
func TestSolveContest(t *testing.T) {
	game, err := games.New("sequence")
	if err != nil {
		t.Fatal(err)
	}
	g := game.(games.Contest)
	probs, err := solve.SolveContest(t.Context(), g, 1000)
	if err != nil {
		t.Fatal(err)
	}
	want := solve.ContestReport(g, probs, probs)
	if want.Exploitability > 1e-3 || want.Exploitability < 0 {
		t.Errorf("exploitability %g after 1,000 iterations", want.Exploitability)
	}
	table, err := solve.ContestTable(g, probs)
	if err != nil {
		t.Fatal(err)
	}
	got, err := solve.MeasureContest(t.Context(), g, table)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("exploitability %.2g", got.Exploitability)
	if math.Abs(got.Exploitability-want.Exploitability) > 1e-12 {
		t.Errorf("exploitability %g by the table, %g by the answers", got.Exploitability, want.Exploitability)
	}
}
