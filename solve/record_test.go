package solve_test

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"os"
	"testing"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/solve"
)

// pseudorandom is the policy that testdata/openspiel/record_solve.py describes;
// its value is the salt.
type pseudorandom int

func (salt pseudorandom) Probabilities(_ context.Context, states []games.State, out [][]float64) error {
	for i, s := range states {
		key, sum := games.Key(s, s.Turn()), 0.0
		for j, a := range s.Actions(nil) {
			h := fnv.New32a()
			fmt.Fprintf(h, "%d %s %s", int(salt), key, games.Say(s, a))
			out[i][j] = float64(h.Sum32() % 8)
			sum += out[i][j]
		}
		for j := range out[i] {
			if sum == 0 {
				out[i][j] = 1 / float64(len(out[i]))
			} else {
				out[i][j] /= sum
			}
		}
	}
	return nil
}

// recorded is solve/testdata/openspiel.json.
type recorded struct {
	Policies []struct {
		Game         string
		Salt         int
		Value        []float64
		BestResponse []float64 `json:"best_response"`
		NashConv     float64   `json:"nash_conv"`
	}
	CFR []struct {
		Game     string
		Method   string
		Sequence []struct {
			Iterations int
			NashConv   float64 `json:"nash_conv"`
		}
	}
}

func readRecorded(t *testing.T) recorded {
	t.Helper()
	text, err := os.ReadFile("testdata/openspiel.json")
	if err != nil {
		t.Fatal(err)
	}
	var out recorded
	if err := json.Unmarshal(text, &out); err != nil {
		t.Fatal(err)
	}
	if len(out.Policies) == 0 || len(out.CFR) == 0 {
		t.Fatal("testdata/openspiel.json holds nothing")
	}
	return out
}

func TestMeasuresEqualOpenSpiels(t *testing.T) {
	for _, want := range readRecorded(t).Policies {
		r, err := compile(t, want.Game).Evaluate(t.Context(), pseudorandom(want.Salt))
		if err != nil {
			t.Fatal(err)
		}
		what := fmt.Sprintf("%s, salt %d", want.Game, want.Salt)
		near(t, what+", NashConv", r.NashConv, want.NashConv, 1e-9)
		for seat := range want.Value {
			near(t, fmt.Sprintf("%s, value of seat %d", what, seat), r.Value[seat], want.Value[seat], 1e-9)
			near(t, fmt.Sprintf("%s, best response of seat %d", what, seat), r.BestResponse[seat], want.BestResponse[seat], 1e-9)
		}
	}
}

func TestCFREqualsOpenSpiels(t *testing.T) {
	for _, want := range readRecorded(t).CFR {
		tree := compile(t, want.Game)
		start, err := solve.ParseMethod(want.Method)
		if err != nil {
			t.Fatal(err)
		}
		solver, err := start(tree)
		if err != nil {
			t.Fatal(err)
		}
		for _, point := range want.Sequence {
			if err := solver.Iterate(t.Context(), point.Iterations-solver.Iterations()); err != nil {
				t.Fatal(err)
			}
			r, err := tree.Measure(solver.Strategy())
			if err != nil {
				t.Fatal(err)
			}
			near(t, fmt.Sprintf("%s, %s after %d", want.Game, want.Method, point.Iterations), r.NashConv, point.NashConv, 1e-9)
		}
	}
}
