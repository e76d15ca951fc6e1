package solve_test

import (
	"fmt"
	"testing"

	"github.com/agon-rl/agon/games/inspection"
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
