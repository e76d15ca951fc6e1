package rating_test

import (
	"math"
	"testing"

	"github.com/agon-rl/agon/arena/rating"
)

// Takeovers are the steps of the population whose shares AlphaRank gives: those shares
// stay as they are under them.
func TestTakeoversKeepAlphaRank(t *testing.T) {
	payoff := [][]float64{{0, 0.3, -0.2, 0.1}, {-0.3, 0, 0.4, 0}, {0.2, -0.4, 0, 0.05}, {-0.1, 0, -0.05, 0}}
	const alpha, members = 3, 20
	shares, err := rating.AlphaRank(payoff, alpha, members)
	if err != nil {
		t.Fatal(err)
	}
	ways := rating.Takeovers(payoff, alpha, members)
	for to := range payoff {
		in, out := 0.0, 0.0
		for from := range payoff {
			in += shares[from] * ways[from][to]
			out += shares[to] * ways[to][from]
		}
		if math.Abs(in-out) > 1e-9 {
			t.Errorf("player %d: %g comes, %g goes", to, in, out)
		}
	}
	if ways[1][3] != 1 || ways[0][0] != 0 || !(ways[1][0] > 1 && ways[0][1] < 1) {
		t.Errorf("%v: expected 1 where both are paid the same, more where the mutant is paid better", ways)
	}
}
