package main

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/diff/fd"
	"gonum.org/v1/gonum/floats"

	"github.com/agon-rl/agon/objective"
	"github.com/agon-rl/agon/play"
)

// The learner's gradient is that of the objective's loss by its own parameters, with
// features and without, with third answers and with equal pairs merged.
func TestListerGradient(t *testing.T) {
	r := play.Generator(1, "test")
	features := make([][]float64, 5)
	for i := range features {
		features[i] = []float64{r.NormFloat64(), r.NormFloat64(), r.NormFloat64()}
	}
	reference := randomLogs(5, r)
	var pairs []preference
	for range 12 {
		a := r.IntN(5)
		pairs = append(pairs, preference{chosen: a, rejected: (a + 1 + r.IntN(4)) % 5, extra: r.IntN(2), weight: r.Float64()})
	}
	for _, text := range []string{"dpo", "xpo(alpha=0.3)", "hypo-hybrid(lambda=0.3)", "rpo-regularized(eta=0.5)"} {
		o, err := objective.Named(text)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range [][][]float64{nil, features} {
			l := newLister(reference, f, 0.1, false)
			for i := range l.theta {
				l.theta[i] = r.NormFloat64()
			}
			got, err := l.gradient(o, pairs, reference)
			if err != nil {
				t.Fatal(err)
			}
			again, err := l.gradient(o, merged(pairs), reference)
			if err != nil {
				t.Fatal(err)
			}
			at := l.theta
			want := fd.Gradient(nil, func(x []float64) float64 {
				l.theta = x
				batch := make([]objective.Preference, len(pairs))
				logs := l.logs()
				of := func(i int) objective.Sequence {
					return objective.Sequence{LogP: []float64{logs[i]}, Ref: [][]float64{{reference[i]}}}
				}
				for k, p := range pairs {
					third := of(p.extra)
					batch[k] = objective.Preference{Chosen: of(p.chosen), Rejected: of(p.rejected), Extra: &third, Weight: &pairs[k].weight}
				}
				result, err := o.Evaluate(batch)
				if err != nil {
					t.Fatal(err)
				}
				return result.Loss
			}, at, &fd.Settings{Formula: fd.Central})
			l.theta = at
			if d := floats.Distance(got, want, math.Inf(1)); d > 1e-7 {
				t.Errorf("%s: %g, finite differences %g", text, got, want)
			}
			if d := floats.Distance(got, again, math.Inf(1)); d > 1e-12 {
				t.Errorf("%s: %g, merged %g", text, got, again)
			}
		}
	}
}

// The typist's gradient is that of its log-probability, its probabilities sum to 1 and
// its mean length is that of what it writes.
func TestTypist(t *testing.T) {
	r := play.Generator(2, "test")
	y := make(typist, longestAnswer)
	for i := range y {
		y[i] = r.NormFloat64()
	}
	total, length := 0.0, 0.0
	for n := 1; n <= longestAnswer; n++ {
		for good := 0; good <= n; good++ {
			w := written{good, n}
			logp, gradient := y.logp(w)
			ways := math.Round(math.Exp(lgamma(n) - lgamma(good) - lgamma(n-good)))
			total += ways * math.Exp(logp)
			length += ways * math.Exp(logp) * float64(n)
			want := fd.Gradient(nil, func(x []float64) float64 { p, _ := typist(x).logp(w); return p }, y, &fd.Settings{Formula: fd.Central})
			if d := floats.Distance(gradient, want, math.Inf(1)); d > 1e-6 {
				t.Fatalf("%+v: %g, finite differences %g", w, gradient, want)
			}
		}
	}
	if math.Abs(total-1) > 1e-9 || math.Abs(length-y.length()) > 1e-9 {
		t.Errorf("probabilities sum to %g, mean length %g, expected %g", total, length, y.length())
	}
}

func lgamma(n int) float64 { x, _ := math.Lgamma(float64(n) + 1); return x }

// What customers get, by hand: the product costs 0.35 and would give 0.8.
func TestCustomers(t *testing.T) {
	for _, test := range []struct {
		serves     bool
		answer     int
		hopes, use float64
	}{
		{true, 0, 0.45, 0.45}, {true, 1, outside, outside}, {true, 2, 0.45, 0.45},
		{false, 0, outside, outside}, {false, 2, 0.45, -0.35},
	} {
		told := customer{need: 0.8, price: 0.35, serves: test.serves}.told(test.answer)
		if math.Abs(told.Hopes[0]-test.hopes) > 1e-12 || math.Abs(floats.Sum(told.Rewards)-test.use) > 1e-12 {
			t.Errorf("%+v: hopes %g, gets %g", test, told.Hopes[0], floats.Sum(told.Rewards))
		}
	}
}
