package spc_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/agon-rl/agon/spc"
)

func sameNumbers(got, want []float64, tolerance float64) bool {
	return slices.EqualFunc(got, want, func(x, y float64) bool { return math.Abs(x-y) <= tolerance })
}

// With ε = 0.2 and c = 0.15, by hand. A ratio of 1.5 is log 1.5 above the reference.
func TestClippedByHand(t *testing.T) {
	answer := func(ratio, reward float64) spc.Sample {
		return spc.Sample{LogProb: math.Log(ratio) - 1, Reference: -1, Reward: reward}
	}
	imitate := func(logProb float64) spc.Sample { return spc.Sample{LogProb: logProb, Reference: 5, Imitated: true} }
	for name, c := range map[string]struct {
		answers       []spc.Sample
		stats, slopes []float64
	}{
		// Within the clip the slope is −r·ρ: what was rewarded goes up.
		"within, won":  {[]spc.Sample{answer(1.1, 1)}, []float64{-1.1, -1.1, 0, 0}, []float64{-1.1}},
		"within, lost": {[]spc.Sample{answer(0.9, -1)}, []float64{0.9, 0.9, 0, 0}, []float64{0.9}},
		// Beyond the clip on the side to which the reward pulls nothing is to be had.
		"above, won":  {[]spc.Sample{answer(1.5, 1)}, []float64{-1.2, -1.2, 0, 1}, []float64{0}},
		"below, lost": {[]spc.Sample{answer(0.5, -1)}, []float64{0.8, 0.8, 0, 1}, []float64{0}},
		// On the other side the way back is open.
		"above, lost": {[]spc.Sample{answer(1.5, -1)}, []float64{1.5, 1.5, 0, 1}, []float64{1.5}},
		"below, won":  {[]spc.Sample{answer(0.5, 1)}, []float64{-0.5, -0.5, 0, 1}, []float64{-0.5}},
		"no reward":   {[]spc.Sample{answer(1.5, 0)}, []float64{0, 0, 0, 1}, []float64{0}},
		// −log π = 2, of which 0.15 count, whatever the reference says.
		"imitated": {[]spc.Sample{imitate(-2)}, []float64{0.3, 0, 2, 0}, []float64{-0.15}},
		// Each mean is over its own answers: (1.1 − 0.9 + 0.5 + 1.2)/4 = 0.475, (2 + 4)/2 = 3.
		"together": {
			[]spc.Sample{answer(1.1, 1), imitate(-2), answer(0.9, -1), answer(0.5, 1), imitate(-4), answer(1.5, 1)},
			[]float64{-0.475 + 0.15*3, -0.475, 3, 0.5}, []float64{-0.275, -0.075, 0.225, -0.125, -0.075, 0},
		},
		"nothing": {nil, []float64{0, 0, 0, 0}, nil},
	} {
		stats, slopes := spc.Clipped{Clip: 0.2, Imitate: 0.15}.Evaluate(c.answers)
		if !sameNumbers(stats, c.stats, 1e-15) || !sameNumbers(slopes, c.slopes, 1e-15) {
			t.Errorf("%s: %v, slopes %v; expected %v, %v", name, stats, slopes, c.stats, c.slopes)
		}
	}
	if want := []string{"loss", "loss_reward", "loss_imitation", "clipped"}; !slices.Equal(spc.ClippedStats, want) {
		t.Errorf("statistics are %v, expected %v", spc.ClippedStats, want)
	}
}

// Slopes are those of the loss, wherever it has one, and numbers far from any that
// training meets stay finite.
func TestClippedSlopes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := spc.Clipped{Clip: rapid.Float64Range(0.01, 0.99).Draw(t, "clip"), Imitate: rapid.Float64Range(0, 2).Draw(t, "imitate")}
		answers := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) spc.Sample {
			reference := rapid.Float64Range(-20, 0).Draw(t, "reference")
			return spc.Sample{
				Reference: reference, LogProb: reference + rapid.Float64Range(-3, 3).Draw(t, "log ratio"),
				Reward: rapid.Float64Range(-2, 2).Draw(t, "reward"), Imitated: rapid.Bool().Draw(t, "imitated"),
			}
		}), 1, 6).Draw(t, "answers")
		_, slopes := o.Evaluate(answers)
		for i, a := range answers {
			const h = 1e-4
			if ratio := math.Exp(a.LogProb - a.Reference); math.Min(math.Abs(ratio-1+o.Clip), math.Abs(ratio-1-o.Clip)) < 1e-2 {
				continue // a corner
			}
			central := func(h float64) float64 {
				moved := slices.Clone(answers)
				moved[i].LogProb = a.LogProb + h
				up, _ := o.Evaluate(moved)
				moved[i].LogProb = a.LogProb - h
				down, _ := o.Evaluate(moved)
				return (up[0] - down[0]) / (2 * h)
			}
			if want := (4*central(h/2) - central(h)) / 3; math.Abs(slopes[i]-want) > 1e-9*math.Max(1, math.Abs(want)) {
				t.Fatalf("%+v: slope %d is %.12g, finite differences have %.12g", answers, i, slopes[i], want)
			}
		}
		answers[0].LogProb, answers[0].Reward = rapid.SampledFrom([]float64{-1e300, -1e4, 1e4, 1e300}).Draw(t, "far"), rapid.SampledFrom([]float64{-1, 0, 1}).Draw(t, "r")
		stats, slopes := o.Evaluate(answers)
		for _, x := range append(stats, slopes...) {
			if math.IsNaN(x) || math.IsInf(x, 0) {
				t.Fatalf("%+v: %v, %v", answers, stats, slopes)
			}
		}
	})
}

func TestClippedRefusesBadSettings(t *testing.T) {
	for want, o := range map[string]spc.Clipped{
		"clip=0: expected":       {Imitate: 1},
		"clip=1: expected":       {Clip: 1},
		"clip=NaN: expected":     {Clip: math.NaN()},
		"imitate=-1: expected":   {Clip: 0.2, Imitate: -1},
		"imitate=+Inf: expected": {Clip: 0.2, Imitate: math.Inf(1)},
		"imitate=NaN: expected":  {Clip: 0.2, Imitate: math.NaN()},
	} {
		if err := o.Validate(); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%+v: %v, expected %q", o, err, want)
		}
	}
	if err := (spc.Clipped{Clip: 0.2}).Validate(); err != nil {
		t.Error(err)
	}
}
