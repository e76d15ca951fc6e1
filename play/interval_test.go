package play_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/agon-rl/agon/play"
)

func TestWilson(t *testing.T) {
	// At the ends the interval is z²/(n+z²) wide; 81 of 263 is Newcombe's (1998) example.
	for _, test := range []struct {
		k, n int
		want [2]float64
	}{
		{0, 10, [2]float64{0, 0.277540}},
		{10, 10, [2]float64{0.722460, 1}},
		{81, 263, [2]float64{0.255289, 0.366210}},
	} {
		if got := play.Wilson(test.k, test.n); !close2(got, test.want, 1e-5) {
			t.Errorf("%d of %d: %v, expected %v", test.k, test.n, got, test.want)
		}
	}
}

func TestMeanInterval(t *testing.T) {
	same := func(x float64, n int) []float64 {
		out := make([]float64, n)
		for i := range out {
			out[i] = x
		}
		return out
	}
	const z2 = 1.96 * 1.96
	for _, test := range []struct {
		name    string
		returns []float64
		want    [2]float64
	}{
		// 1.96 √(z²/(n+z²)/(n+z²)) = z²/(n+z²)
		{"draws", same(0, 1000), [2]float64{-z2 / (1000 + z2), z2 / (1000 + z2)}},
		{"wins", same(1, 1000), [2]float64{0.990766, 1}},
		{"losses", same(-1, 1000), [2]float64{-1, -0.990766}},
		// Agresti and Coull's of 5 in 10, from (0, 1) to (-1, 1): 2p-1.
		{"half and half", append(same(-1, 5), same(1, 5)...), [2]float64{2*0.236590 - 1, 2*0.763410 - 1}},
	} {
		if got := play.MeanInterval(test.returns, -1, 1); !close2(got, test.want, 1e-5) {
			t.Errorf("%s: %v, expected %v", test.name, got, test.want)
		}
	}
}

// The interval holds the true mean in 95 of 100 samples, rare ends included,
// where the normal approximation alone often has no width.
func TestMeanIntervalCovers(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for name, rare := range map[string]float64{"draws": 0.002, "both": 0.3} {
		const samples, n = 1000, 1000
		held := 0
		returns := make([]float64, n)
		for range samples {
			for i := range returns {
				if returns[i] = 0; r.Float64() < rare {
					returns[i] = 1
				}
			}
			if in := play.MeanInterval(returns, -1, 1); in[0] <= rare && rare <= in[1] {
				held++
			}
		}
		if t.Logf("%s: %d of %d", name, held, samples); held < 93*samples/100 {
			t.Errorf("%s: the mean is in %d of %d intervals", name, held, samples)
		}
	}
}

func close2(a, b [2]float64, tolerance float64) bool {
	return math.Abs(a[0]-b[0]) < tolerance && math.Abs(a[1]-b[1]) < tolerance
}

// Bounds that do not lie evenly about 0, by hand: with z² = 3.8416, ten zeros of [0, 1]
// have a mean of (z²/2)/(10+z²) = 0.138770, and Agresti and Coull's half width is
// 1.96 √(0.138770·0.861230/13.8416) = 0.182122. Returns of [1, 3] are those of [0, 1]
// times 2 and 1 more. Three of four have 4.9208/7.8416 ± 1.96 √(0.627525·0.372475/7.8416).
func TestMeanIntervalOfUnevenBounds(t *testing.T) {
	zeros, ones := make([]float64, 10), make([]float64, 10)
	for i := range ones {
		ones[i] = 1
	}
	if got := play.MeanInterval(zeros, 0, 1); !close2(got, [2]float64{0, 0.138770 + 0.182122}, 1e-5) {
		t.Errorf("ten zeros of [0, 1]: %v", got)
	}
	if got := play.MeanInterval(ones, 1, 3); !close2(got, [2]float64{1, 1 + 2*(0.138770+0.182122)}, 1e-5) {
		t.Errorf("ten ones of [1, 3]: %v", got)
	}
	if got := play.MeanInterval([]float64{0, 1, 1, 1}, 0, 1); !close2(got, [2]float64{0.289135, 0.965915}, 1e-5) {
		t.Errorf("three of four: %v", got)
	}
}
