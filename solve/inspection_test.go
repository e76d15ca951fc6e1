package solve_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/agon-rl/agon/games/inspection"
	"github.com/agon-rl/agon/solve"
)

// The self-play critic's exact game is worth what its closed form says, and the
// linear program's strategy is an equilibrium, for 30 settings and more.
func TestInspectionIsWorthItsClosedForm(t *testing.T) {
	settings := 0
	for _, steps := range []int{2, 5, 8} {
		for _, checks := range []int{1, 2} {
			for _, q := range []float64{0, 0.2, 0.25, 0.4, 0.5, 0.75} {
				name := fmt.Sprintf("inspection(checks=%d,clean=%g,steps=%d)", checks, q, steps)
				tree := compile(t, name)
				solver := start(t, tree, "lp")
				if err := solver.Iterate(t.Context(), 100); err != nil {
					t.Fatal(name, err)
				}
				r := measure(t, tree, solver.Strategy())
				near(t, name+", value to the critic", -r.Value[0], inspection.Value(steps, checks, q), 1e-9)
				near(t, name+", exploitability", r.Exploitability, 0, 1e-9)
				settings++
			}
		}
	}
	t.Logf("%d settings", settings)
}

// The exploitability of a pair is what the closed form says too: of the critic that
// checks steps drawn uniformly and believes what it did not find wrong, against a
// sneaky player that corrupts step i with probability p_i. The critic's best response
// checks the k likeliest steps, and gets max(1-2q, q + (1-q)(2·Σp - 1)); the sneaky
// player's gets minus what that critic is sure of, q + (1-q)(2k/n - 1).
func TestInspectionsExploitabilityIsItsClosedForm(t *testing.T) {
	r, settings := rand.New(rand.NewPCG(1, 2)), 0
	for _, steps := range []int{2, 5, 8} {
		for _, checks := range []int{1, 2} {
			for _, q := range []float64{0.1, 0.2, 0.25, 0.4, 0.5, 0.75} {
				name := fmt.Sprintf("inspection(checks=%d,clean=%g,steps=%d)", checks, q, steps)
				tree := compile(t, name)
				chance := make([]float64, steps)
				sum := 0.0
				for i := range chance {
					chance[i] = r.ExpFloat64()
					sum += chance[i]
				}
				for i := range chance {
					chance[i] /= sum
				}
				report := measure(t, tree, inspectionPair(tree, steps, checks, chance))
				slices.Sort(chance)
				likeliest := 0.0
				for _, p := range chance[steps-checks:] {
					likeliest += p
				}
				answer := max(1-2*q, q+(1-q)*(2*likeliest-1))
				sure := q + (1-q)*(2*float64(checks)/float64(steps)-1)
				near(t, name+", exploitability", report.Exploitability, (answer-sure)/2, 1e-9)
				settings++
			}
		}
	}
	t.Logf("%d settings", settings)
}

// inspectionPair has the sneaky player corrupt steps with the chances given, and the
// critic check steps drawn uniformly, in ascending order, and believe.
func inspectionPair(tree *solve.Tree, steps, checks int, chance []float64) solve.Strategy {
	choose := func(n, k int) float64 {
		ways := 1.0
		for i := range k {
			ways *= float64(n-i) / float64(i+1)
		}
		return ways
	}
	s := make(solve.Strategy, len(tree.Uniform()))
	for _, set := range tree.Sets {
		probs := s[set.First : set.First+len(set.Actions)]
		found, done := strings.Contains(set.Key, "!"), strings.Count(set.Key, "+")+strings.Count(set.Key, "!")
		for i, a := range set.Actions {
			switch {
			case set.Seat == inspection.Sneaky:
				probs[i] = chance[a]
			case done == checks: // the answers: Correct, then Incorrect
				if found == (i == 1) {
					probs[i] = 1
				}
			default: // of the subsets that are left, those whose least step is this one
				ways := 0.0
				for _, b := range set.Actions {
					ways += choose(steps-1-int(b), checks-done-1)
				}
				probs[i] = choose(steps-1-int(a), checks-done-1) / ways
			}
		}
	}
	return s
}
