package objective_test

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/agon-rl/agon/objective"
)

func term(checkpoint int, weight float64) objective.Term {
	return objective.Term{Checkpoint: checkpoint, Weight: weight}
}

func TestReferenceSchedules(t *testing.T) {
	for _, c := range []struct {
		text  string
		round int
		want  []objective.Term
	}{
		{"fixed", 7, []objective.Term{term(0, 1)}},
		{"previous", 7, []objective.Term{term(7, 1)}},
		{"every(3)", 7, []objective.Term{term(6, 1)}},
		{"every(rounds=3)", 2, []objective.Term{term(0, 1)}},
		{"ema(decay=0.5)", 0, []objective.Term{term(0, 1)}},
		{"ema(decay=0.5)", 2, []objective.Term{term(0, 0.25), term(1, 0.25), term(2, 0.5)}},
		{"ema(decay=0.5,every=2)", 5, []objective.Term{term(0, 0.25), term(2, 0.25), term(4, 0.5)}},
		{"ema(decay=1)", 5, []objective.Term{term(0, 1)}},
		{"geometric(weight=0.25)", 4, []objective.Term{term(0, 0.25), term(4, 0.75)}},
		{"geometric(weight=0.25)", 0, []objective.Term{term(0, 1)}},
		{"extrapolated(alpha=0.3)", 4, []objective.Term{term(3, -0.3), term(4, 1.3)}},
		{"extrapolated(alpha=0.3)", 0, []objective.Term{term(0, 1)}},
	} {
		r, err := objective.ParseReferences(c.text)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.want, r.At(c.round), cmpopts.EquateApprox(0, 1e-15)); diff != "" {
			t.Errorf("%s, round %d:\n%s", c.text, c.round, diff)
		}
	}
}

// Weights sum to 1 in every round, and checkpoints are past ones, each once.
func TestSchedulesHold(t *testing.T) {
	references := []string{"fixed", "previous", "every(4)", "ema(decay=0.7)", "ema(decay=0.9,every=3)", "geometric(weight=0.2)", "extrapolated(alpha=0.8)"}
	rapid.Check(t, func(t *rapid.T) {
		round := rapid.IntRange(0, 200).Draw(t, "round")
		r, err := objective.ParseReferences(rapid.SampledFrom(references).Draw(t, "references"))
		if err != nil {
			t.Fatal(err)
		}
		terms := r.At(round)
		sum, last := 0.0, -1
		for _, term := range terms {
			if sum += term.Weight; term.Checkpoint <= last || term.Checkpoint > round || term.Weight == 0 {
				t.Fatalf("%+v, round %d: %v", r, round, terms)
			}
			last = term.Checkpoint
		}
		if math.Abs(sum-1) > 1e-12 {
			t.Fatalf("%+v, round %d: %v sums to %g", r, round, terms, sum)
		}
		if r.OfParameters() != (r.Kind == "ema") {
			t.Fatalf("%+v is of parameters", r)
		}
	})
}

func TestBadSchedules(t *testing.T) {
	for text, want := range map[string]string{
		"fixd": `"fixd": expected fixed, every, previous, ema, geometric, extrapolated, did you mean "fixed"`, "every(0)": "rounds=0: expected a whole number",
		"ema(decay=2)": "decay=2: expected a number from 0 to 1", "geometric(w=1)": `unknown parameter "w"`, "": "expected a name",
	} {
		if _, err := objective.ParseReferences(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
}
