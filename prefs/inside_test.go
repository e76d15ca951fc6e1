package prefs

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// The estimator's gradient is that of its loss, by central differences, with and
// without hidden units, under a mask.
func TestEstimatorGradient(t *testing.T) {
	for _, hidden := range []int{0, 5} {
		r := rand.New(rand.NewPCG(1, 2))
		e := &Estimator{Hidden: hidden, Dropout: 0.3, inputs: 4}
		e.start(r)
		for i := range e.w {
			e.w[i] = r.NormFloat64()
		}
		for i := range e.b {
			e.b[i] = r.NormFloat64()
		}
		mask := make([]float64, e.units())
		e.drop(mask, r)
		x := Observation{Chosen: []float64{0.3, -1, 0.7, 2}, Rejected: []float64{1, 0.5, -0.2, -0.4}, Target: 0.8}
		loss := func() float64 {
			p := logistic(e.score(x.Chosen, mask) - e.score(x.Rejected, mask))
			return -x.Target*math.Log(p) - (1-x.Target)*math.Log(1-p)
		}
		params := [][]float64{e.w, e.b, e.v}
		grads := [][]float64{make([]float64, len(e.w)), make([]float64, len(e.b)), make([]float64, len(e.v))}
		e.learn(x, mask, 1, grads)
		some := 0
		for k, p := range params {
			for i := range p {
				const h = 1e-6
				old := p[i]
				p[i] = old + h
				up := loss()
				p[i] = old - h
				down := loss()
				p[i] = old
				if want := (up - down) / (2 * h); math.Abs(want-grads[k][i]) > 1e-7 {
					t.Errorf("hidden %d, parameter %d.%d: gradient %g, expected %g", hidden, k, i, grads[k][i], want)
				}
				if grads[k][i] != 0 {
					some++
				}
			}
		}
		if some < 3 {
			t.Errorf("hidden %d: %d gradients are not 0", hidden, some)
		}
	}
}

// The probe's fit is where its gradient is 0, whatever the rows, separable ones too.
func TestLogisticFitIsOptimal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n, d := rapid.IntRange(1, 30).Draw(t, "rows"), rapid.IntRange(1, 5).Draw(t, "columns")
		x, y, weights := make([][]float64, n), make([]float64, n), make([]float64, n)
		for i := range x {
			x[i] = rapid.SliceOfN(rapid.Float64Range(-50, 50), d, d).Draw(t, "x")
			y[i], weights[i] = float64(rapid.IntRange(0, 1).Draw(t, "y")), rapid.Float64Range(0.1, 4).Draw(t, "weight")
		}
		w := logisticFit(x, y, weights)
		for k := range d {
			g, size := ridge*w[k], ridge*math.Abs(w[k])
			for i, row := range x {
				term := weights[i] * (logistic(dot(w, row)) - y[i]) * row[k]
				g, size = g+term, size+math.Abs(term)
			}
			if math.Abs(g) > 1e-6*(1+size) {
				t.Fatalf("gradient %d is %g of %g", k, g, size)
			}
		}
	})
}

// One row of value 1 and label 1: w solves w = 1 − σ(w).
func TestLogisticFitOfOneRow(t *testing.T) {
	w := logisticFit([][]float64{{1}}, []float64{1}, []float64{1})[0]
	if math.Abs(w-(1-logistic(w))) > 1e-12 || math.Abs(w-0.4010581375) > 1e-9 {
		t.Errorf("w = %.12f", w)
	}
}

func TestDrawn(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	counts := make([]float64, 3)
	const n = 20000
	for range n {
		places, err := drawn([]float64{1, 0, 3}, 0.34, r) // one of three
		if err != nil || len(places) != 1 {
			t.Fatal(places, err)
		}
		counts[places[0]]++
	}
	if counts[1] != 0 || math.Abs(counts[2]/n-0.75) > 0.015 { // five standard errors
		t.Errorf("drawn %v times of %d", counts, n)
	}
	if places, err := drawn([]float64{1, 0, 3}, 1, r); err != nil || !slices.Equal(places, []int{0, 2}) {
		t.Errorf("all: %v, %v", places, err)
	}
	for _, bad := range [][]float64{{-1}, {math.NaN()}, {math.Inf(1)}} {
		if _, err := drawn(bad, 1, r); err == nil {
			t.Errorf("weights %v are taken", bad)
		}
	}
	for _, share := range []float64{0, -1, 1.1, math.NaN()} {
		if _, err := drawn([]float64{1}, share, r); err == nil {
			t.Errorf("share %g is taken", share)
		}
	}
}

func TestClustered(t *testing.T) {
	// Four rows of two states, one all right and one all wrong: as sure as two draws.
	mean, interval := clustered([]float64{1, 1, 0, 0}, []string{"a", "a", "b", "b"})
	half := 1.96 * math.Sqrt(2*0.25*0.25)
	if mean != 0.5 || math.Abs(interval[1]-min(1, 0.5+half)) > 1e-12 || math.Abs(interval[0]-max(0, 0.5-half)) > 1e-12 {
		t.Errorf("%g, %v", mean, interval)
	}
	if mean, interval := clustered([]float64{1, 1}, []string{"a", "b"}); mean != 1 || interval[0] > 0.5 || interval[1] != 1 {
		t.Errorf("all right: %g, %v", mean, interval)
	}
}

// All pairs of a state are in one fold, and folds are as even as can be.
func TestFolds(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	var pairs []Pair
	for i := range 30 {
		pairs = append(pairs, Pair{Prompt: string(rune('a' + i%10))})
	}
	fold, err := foldsOf(pairs, 5, r)
	if err != nil {
		t.Fatal(err)
	}
	sizes := make([]int, 5)
	for i, f := range fold {
		if sizes[f]++; f != fold[i%10] {
			t.Errorf("pair %d of state %d is in fold %d, others in %d", i, i%10, f, fold[i%10])
		}
	}
	if !slices.Equal(sizes, []int{6, 6, 6, 6, 6}) {
		t.Errorf("folds of %v", sizes)
	}
	if _, err := foldsOf(pairs[:4], 5, r); err == nil {
		t.Error("four states in five folds")
	}
}
