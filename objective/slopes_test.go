package objective_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/agon-rl/agon/objective"
)

// held is the objective with what takes no gradient as it is in the batch: bco's shift
// and kto's z₀, through which a difference of losses would see.
func held(o objective.Pair, batch []objective.Preference) objective.Pair {
	sum, n := 0.0, 0.0
	for _, p := range batch {
		switch {
		case o.DeltaOf == "batch":
			sum, n = sum+o.Beta*(ratio(o, p.Chosen)+ratio(o, p.Rejected)), n+2
		case o.DeltaOf == "extra" && p.Extra != nil:
			sum, n = sum+ratio(o, *p.Extra), n+1
		}
	}
	if n == 0 {
		return o
	}
	o.Delta = sum / n
	if o.DeltaOf == "extra" {
		o.Delta = math.Max(0, o.Delta)
	}
	o.DeltaOf = ""
	return o
}

// Slopes are those of the loss, in every token of every answer, where training is and
// far from there.
func TestSlopesArePairLosses(t *testing.T) {
	checked, worst, all := 0, 0.0, objectives(t, false)
	for _, name := range []string{"selm", "xpo", "hypo-hybrid"} { // terms by sum beside a loss by mean
		o := all[name]
		o.Pair.PerToken = true
		all[name+", by token"] = o
	}
	for name, of := range all {
		o := of.Pair
		for _, far := range []float64{0, -30, 30, -300, 300} {
			r := rand.New(rand.NewPCG(21, uint64(int64(far))))
			batch := drawPreferences(r, o, 4)
			if far != 0 { // one answer's log-probability
				moved := [][]float64{batch[0].Chosen.LogP, batch[1].Rejected.LogP, batch[2].Chosen.Ref[0]}[r.IntN(3)]
				for i := range moved {
					moved[i] = far / float64(len(moved))
				}
			}
			got, err := o.Evaluate(batch)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			still := held(o, batch)
			loss := func() float64 {
				r, err := still.Evaluate(batch)
				if err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				return r.Loss
			}
			if at := loss(); math.Abs(at-got.Loss) > 1e-13*math.Max(1, math.Abs(at)) {
				t.Errorf("%s: the loss is %g, and %g with its shift held", name, got.Loss, at)
			}
			for i, p := range batch {
				shared := min(len(p.Chosen.LogP), len(p.Rejected.LogP))
				sides := []struct {
					side   string
					of     *objective.Sequence
					slope  float64
					shared int
				}{{"chosen", &p.Chosen, got.Grads[i].Chosen, shared}, {"rejected", &p.Rejected, got.Grads[i].Rejected, shared}, {"extra", p.Extra, got.Grads[i].Extra, math.MaxInt}}
				for _, s := range sides {
					if s.of == nil {
						if s.slope != 0 {
							t.Errorf("%s: a slope of %g in an answer that is not there", name, s.slope)
						}
						continue
					}
					for k := range s.of.LogP {
						gradient := s.slope
						if o.PerToken {
							gradient /= float64(len(s.of.LogP))
						}
						if k >= s.shared {
							gradient *= 1 - o.Excess
						}
						want := slope(&s.of.LogP[k], loss)
						// What a difference of so large losses can tell.
						bound := 1e-8*math.Max(1e-2, math.Abs(want)) + 1e-12*math.Abs(got.Loss)
						if d := math.Abs(gradient - want); !(d <= bound) {
							t.Errorf("%s, far %g: pair %d, %s, token %d: %.12g, finite differences have %.12g", name, far, i+1, s.side, k+1, gradient, want)
						} else if far == 0 {
							worst = math.Max(worst, d)
						}
						checked++
					}
				}
			}
		}
	}
	t.Logf("%d slopes of %d objectives and variants, largest difference near training %.2g", checked, len(all), worst)
}

func TestSlopesAreListLosses(t *testing.T) {
	for name, of := range objectives(t, true) {
		for _, far := range []float64{0, -30, 30, -300, 300} {
			batch := drawLists(rand.New(rand.NewPCG(41, 42)))
			batch[0].Answers[0].LogP[0] += far
			batch[2].Answers[1].Ref[0][0] += far
			got, err := of.List.Evaluate(batch)
			if err != nil {
				t.Fatal(err)
			}
			loss := func() float64 {
				r, err := of.List.Evaluate(batch)
				if err != nil {
					t.Fatal(err)
				}
				return r.Loss
			}
			for i, l := range batch {
				for k, a := range l.Answers {
					for token := range a.LogP {
						want := slope(&a.LogP[token], loss)
						if d := math.Abs(got.Grads[i][k] - want); !(d <= 1e-8*math.Max(1e-2, math.Abs(want))+1e-12*math.Abs(got.Loss)) {
							t.Errorf("%s, far %g: list %d, answer %d: %.12g, finite differences have %.12g", name, far, i+1, k+1, got.Grads[i][k], want)
						}
					}
				}
			}
		}
	}
}

// Where policy and reference agree every objective pushes the chosen answer up and the
// rejected one down, but for those that are told here.
func TestDirections(t *testing.T) {
	type signs struct{ chosen, rejected, extra float64 }
	others := map[string]signs{
		"apo-down":   {0, 1, 0},   // pushes both down, and stands still in the chosen one here
		"sft":        {-1, 0, 0},  // has no rejected one
		"selm":       {-1, 1, 1},  // a bonus for answers that are unlike the reference's
		"vpo":        {-1, 1, 1},  // the same
		"xpo":        {-1, 1, 1},  // the same
		"discopop":   {1, -1, 0},  // is not convex: its valley lies behind the reference
		"tpo-triple": {-1, 1, -1}, // imitates the third
		"tpo-l":      {-1, 1, -1}, // the same

		"vpo(alpha=2,mode=offline)": {-1, 1, -1},
	}
	sign := func(x float64) float64 {
		switch {
		case x > 0:
			return 1
		case x < 0:
			return -1
		}
		return 0
	}
	for name, of := range objectives(t, false) {
		want, told := others[name]
		if !told && of.Entry.Name != name {
			continue
		}
		if !told {
			want = signs{-1, 1, 0}
		}
		at := func(lp ...float64) objective.Sequence { return objective.Sequence{LogP: lp, Ref: [][]float64{lp}} }
		extra := at(-2)
		got, err := of.Pair.Evaluate([]objective.Preference{{
			Chosen: at(-1.5, -0.5), Rejected: at(-1, -1), Extra: &extra, Q: &[2]float64{0.75, -0.25}, N: &[2]float64{30, 10},
		}})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if g := got.Grads[0]; (signs{sign(g.Chosen), sign(g.Rejected), sign(g.Extra)}) != want {
			t.Errorf("%s: slopes %+v, expected signs %+v", name, g, want)
		}
	}
	for name, of := range objectives(t, true) {
		a := objective.Sequence{LogP: []float64{-2}, Ref: [][]float64{{-2}}}
		got, err := of.List.Evaluate([]objective.Listing{{Answers: []objective.Sequence{a, a}, Scores: []float64{0.1, 0.9}}})
		if err != nil || !(got.Grads[0][0] > 0 && got.Grads[0][1] < 0) {
			t.Errorf("%s: slopes %v, %v: expected the better answer to go up", name, got.Grads, err)
		}
	}
}

// Where a loss has a label, a pair's target moves it; where it has none, a target is
// refused, or stands for win rates of its own.
func TestTargetsMoveLabels(t *testing.T) {
	labelled := 0
	for name, of := range objectives(t, false) {
		loss := func(target float64) (float64, error) {
			p := handPair()
			p.Chosen.LogP[0], p.Target = -0.7, &target
			r, err := of.Pair.Evaluate([]objective.Preference{p})
			return r.Loss, err
		}
		low, err1 := loss(0.2)
		high, err2 := loss(0.7)
		if !of.Pair.Labelled() {
			if err1 == nil && of.Pair.Shape != "sppo" && of.Pair.Shape != "linear" {
				t.Errorf("%s takes a target, and has no label", name)
			}
			continue
		}
		labelled++
		if err1 != nil || err2 != nil || low == high {
			t.Errorf("%s: losses %g, %g, %v, %v with targets of 0.2 and 0.7", name, low, high, err1, err2)
		}
	}
	if o := named(t, "sppo"); labelled < 40 || o.Labelled() || !named(t, "sppo-hard").Labelled() {
		t.Errorf("%d objectives have a label", labelled)
	}
}

// Numbers far from any that training meets give finite losses and slopes, up to the
// end of float64.
func TestAllStayFinite(t *testing.T) {
	fars := []float64{-1e4, 1e4, -1e6, -1e-320, 0, -1e150, 1e150, -1e308, 1e308}
	finite := func(name string, far float64, numbers ...float64) {
		if slices.ContainsFunc(numbers, func(x float64) bool { return !isFinite(x) }) {
			t.Errorf("%s: %g: %v", name, far, numbers)
		}
	}
	for name, of := range objectives(t, false) {
		for _, far := range fars {
			for side := range 7 {
				batch := drawPreferences(rand.New(rand.NewPCG(31, 32)), of.Pair, 2)
				p := &batch[1]
				p.Target, p.Margin = nil, nil
				moved := [][]float64{p.Chosen.LogP, p.Rejected.LogP, p.Chosen.Ref[0], p.Rejected.Ref[0], p.Q[:], p.N[1:], nil}[side]
				if side == 6 {
					moved = p.Extra.LogP
				}
				for k := range moved {
					moved[k] = far
				}
				if side == 4 {
					p.Q[1] = -far
				}
				if !accepts(of.Pair, *p) { // the logarithm of a label, or a number of tries below 0
					continue
				}
				got, err := of.Pair.Evaluate(batch)
				if err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				numbers := append([]float64{got.Loss}, got.Losses...)
				for _, g := range got.Grads {
					numbers = append(numbers, g.Chosen, g.Rejected, g.Extra)
				}
				finite(fmt.Sprint(name, ", side ", side), far, numbers...)
			}
		}
	}
	for name, of := range objectives(t, true) {
		for _, far := range fars {
			batch := drawLists(rand.New(rand.NewPCG(43, 44)))
			batch[0].Answers[0].LogP[0], batch[1].Scores[0], batch[2].Scores[1] = far, far, -far
			got, err := of.List.Evaluate(batch)
			if err != nil {
				t.Fatal(err)
			}
			finite(name, far, append(slices.Concat(got.Grads...), append(got.Losses, got.Loss)...)...)
		}
	}
}

// At the end of float64 a loss of the difference still pushes its answers apart, where
// it pushes at all.
func TestSaturatedSlopesKeepTheirSign(t *testing.T) {
	for _, name := range []string{"dpo", "ipo", "hinge", "robust-dpo", "gpo-generalized(convex=exponential)", "discopop", "simpo", "nca", "bco", "sppo-hard", "srpo-robust"} {
		o := named(t, name)
		for _, far := range []float64{1e3, 1e5, 1e150, 1e308} {
			got, err := o.Evaluate([]objective.Preference{{
				Chosen:   objective.Sequence{LogP: []float64{-far}, Ref: [][]float64{{-1}}},
				Rejected: objective.Sequence{LogP: []float64{-1}, Ref: [][]float64{{-far}}},
			}})
			if err != nil {
				t.Fatal(err)
			}
			g := got.Grads[0]
			if !(g.Chosen < 0 && g.Rejected > 0 && got.Loss > 1) {
				t.Errorf("%s, %g: loss %g, slopes %+v", name, far, got.Loss, g)
			}
		}
	}
}

// Soft labels have the optimum π ∝ π_ref·exp(Q/β), with β = 1·τ.
func TestSoftLabelsHaveTheirOptimum(t *testing.T) {
	o := named(t, "soft-dpo")
	reference, q := []float64{0.5, 0.3, 0.2}, []float64{0.2, -0.6, 0.9}
	logits, norm := make([]float64, 3), 0.0
	for a := range q {
		norm += reference[a] * math.Exp(q[a])
	}
	probs := make([]float64, 3)
	for range 800 {
		sum := 0.0
		for _, z := range logits {
			sum += math.Exp(z)
		}
		for a, z := range logits {
			probs[a] = math.Exp(z) / sum
		}
		pairs := [][2]int{{0, 1}, {0, 2}, {1, 2}}
		var batch []objective.Preference
		for _, p := range pairs {
			of := func(a int) objective.Sequence {
				return objective.Sequence{LogP: []float64{math.Log(probs[a])}, Ref: [][]float64{{math.Log(reference[a])}}}
			}
			batch = append(batch, objective.Preference{Chosen: of(p[0]), Rejected: of(p[1]), Q: &[2]float64{q[p[0]], q[p[1]]}})
		}
		got, err := o.Evaluate(batch)
		if err != nil {
			t.Fatal(err)
		}
		for i, p := range pairs { // Σ of a pair's slopes is 0, so the softmax's normaliser cancels
			logits[p[0]] -= 3 * got.Grads[i].Chosen
			logits[p[1]] -= 3 * got.Grads[i].Rejected
		}
	}
	for a := range probs {
		if want := reference[a] * math.Exp(q[a]) / norm; math.Abs(probs[a]-want) > 1e-6 {
			t.Errorf("action %d: %.9f, expected %.9f", a, probs[a], want)
		}
	}
}
