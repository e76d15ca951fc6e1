package solve_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/agon-rl/agon/solve"
)

// matrixGame compiles a game of games/matrix.
func matrixGame(t testing.TB, name string) *solve.Polymatrix {
	t.Helper()
	g, err := compile(t, name).Polymatrix()
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// theoryGames are 20 games: cycles, Bradley-Terry, random ones against oneself and
// between two seats, of 3 to 50 answers.
func theoryGames(t testing.TB) []*solve.Polymatrix {
	names := []string{
		"matrix(soft_rps)", "matrix(biased_rps,bound=0.5)", "matrix(rps,bound=0.5)", "matrix(rpsls,bound=0.5)", "matrix(rpsw,bound=0.5)",
		"matrix(bradley_terry(n=4))", "matrix(bradley_terry(n=20,seed=2))", "matrix(matching_pennies)", "matrix(rps)", "matrix(biased_rps)",
		"matrix(random(n=5,columns=8,seed=1))", "matrix(random(n=20,columns=3,seed=2))",
	}
	for i, n := range []int{3, 5, 10, 10, 20, 20, 50, 50} {
		names = append(names, fmt.Sprintf("matrix(random(n=%d,seed=%d))", n, i+1))
	}
	var out []*solve.Polymatrix
	for _, name := range names {
		out = append(out, matrixGame(t, name))
	}
	return out
}

func dynamics(t testing.TB, g *solve.Polymatrix, method string) *solve.Dynamics {
	t.Helper()
	begin, known, err := solve.ParseDynamics(method)
	if err != nil || !known {
		t.Fatalf("%s: %v", method, err)
	}
	d, err := begin(g)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func advance(t testing.TB, d *solve.Dynamics, n int) solve.DynamicsReport {
	t.Helper()
	if err := d.Iterate(t.Context(), n); err != nil {
		t.Fatal(err)
	}
	r, err := d.Measure(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// EGPO's KL(π*‖π) is at most (1−ηβ)^t of what it was, Nash Mirror Prox's at most
// (1+2β)^(−N/2) after N queries; in games of larger payoffs, by their scale.
func TestLinearRates(t *testing.T) {
	const rounding = 1e-24 // of the equilibrium, in KL
	for _, g := range theoryGames(t) {
		scale := max(1, 2*g.Bound)
		for _, beta := range []float64{0.01, 0.05, 0.1, 0.5} {
			beta *= scale
			for _, method := range []string{"egpo", "nash-mp"} {
				d := dynamics(t, g, fmt.Sprintf("%s(beta=%g,reference=random)", method, beta))
				start := advance(t, d, 0).KL
				for range 50 {
					r := advance(t, d, 4)
					want := math.Pow(1+2*beta/scale, -float64(r.Queries)/2) * start
					if method == "egpo" {
						want = math.Pow(1-beta/(beta+3*scale), float64(r.Iteration)) * start
					}
					if math.Abs(r.KLBound/want-1) > 1e-9 {
						t.Fatalf("%s, %s, beta %g, iteration %d: the bound reported is %g, expected %g", g.Name, method, beta, r.Iteration, r.KLBound, want)
					}
					if want < rounding {
						break
					}
					if r.KL > want*(1+1e-9) {
						t.Errorf("%s, %s, beta %g, iteration %d: KL %g above its bound %g", g.Name, method, beta, r.Iteration, r.KL, want)
					}
				}
			}
		}
	}
}

// The same update under several names.
func TestIdentities(t *testing.T) {
	for _, g := range theoryGames(t) {
		for _, beta := range []float64{0.05, 0.5} {
			prox := 2 * beta
			mp := prox / (beta * (1 + prox))
			const eta = 0.3
			for _, pair := range [][2]string{
				{fmt.Sprintf("nash-mp(eta=%g,beta=%g", prox, beta), fmt.Sprintf("egpo(eta=%.17g,beta=%g", mp, beta)},
				{fmt.Sprintf("inpo(eta=%.17g,tau=%g", 1/eta, beta), fmt.Sprintf("omd(eta=%g,beta=%g", eta, beta)},
				{fmt.Sprintf("mpo(eta=%.17g,beta=%g", eta/(1-eta*beta), beta), fmt.Sprintf("omd(eta=%g,beta=%g", eta, beta)},
				{fmt.Sprintf("mnpo(opponents=1,eta=%g,tau=%g", 3.0, beta), fmt.Sprintf("inpo(eta=%g,tau=%g", 3.0, beta)},
				{fmt.Sprintf("mnpo(opponents=2,weights=1:0,eta=%g,tau=%g", 3.0, beta), fmt.Sprintf("inpo(eta=%g,tau=%g", 3.0, beta)},
				{"apo(alpha=0,eta=0.2", "sppo(eta=0.2"},
			} {
				one := dynamics(t, g, pair[0]+",reference=random,start=random,seed=5)")
				other := dynamics(t, g, pair[1]+",reference=random,start=random,seed=5)")
				for i := range 500 {
					if g.Bound > 1 && i > 20 {
						break // steps too large for the game, where rounding grows
					}
					advance1(t, one, other)
					for p, policy := range one.Policies() {
						for y, x := range policy {
							if d := math.Abs(x - other.Policies()[p][y]); d > 1e-12 {
								t.Fatalf("%s: %s and %s differ by %g after %d iterations", g.Name, pair[0], pair[1], d, i+1)
							}
						}
					}
				}
			}
		}
	}
}

func advance1(t testing.TB, ds ...*solve.Dynamics) {
	t.Helper()
	for _, d := range ds {
		if err := d.Iterate(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
	}
}
