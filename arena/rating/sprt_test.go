package rating_test

import (
	"math"
	"testing"

	"github.com/agon-rl/agon/arena/rating"
)

// TestLargeBounds tells that the likelihood of a difference rises up to what the counts
// show and falls beyond, however large it is.
func TestLargeBounds(t *testing.T) {
	for _, counts := range []rating.Counts{
		{2, 10, 188}, {1, 2, 10, 30, 57}, {0, 0, 1, 5, 194}, {40, 5, 1, 3, 0},
		{0, 0, 0, 0, 1, 0, 2, 5, 8, 13, 20, 31, 50}, // of three seats
	} {
		shown, before := counts.Compare().NElo, math.Inf(-1)
		for elo := -1000.0; elo <= 1000; elo += 25 {
			test := rating.SPRT{Elo0: -1100, Elo1: elo, Alpha: 0.05, Beta: 0.05, Model: rating.Normalized}
			llr := test.LLR(counts)
			if math.IsNaN(llr) || math.IsInf(llr, 0) {
				t.Fatalf("%v at %g: %g", counts, elo, llr)
			}
			if elo < shown-5 && llr <= before || elo > shown+30 && llr >= before {
				t.Errorf("%v, which show %.0f: %g at %g, %g before it", counts, shown, llr, elo, before)
			}
			before = llr
		}
	}
}
