package solve_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/agon-rl/agon/games"
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
				for i := range 200 {
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

// What a rule reports is what the tree, which knows nothing of it, measures.
func TestDynamicsAgreeWithTrees(t *testing.T) {
	for _, name := range []string{"matrix(random(n=6,seed=3))", "matrix(random(n=4,columns=7,seed=4))", "matrix(biased_rps)", "blotto(coins=4)", "matrix(matching_pennies)"} {
		tree := compile(t, name)
		for _, method := range []string{"hedge(start=random)", "egpo(reference=random)", "mnpo(opponents=3,start=random)", "apo(start=random)", "comal(inner=3,start=random)"} {
			d, ok := start(t, tree, method).(*solve.Dynamics)
			if !ok {
				t.Fatalf("%s is no Dynamics", method)
			}
			r := advance(t, d, 7)
			near(t, name+", "+method+": gap", r.Gap, measure(t, tree, d.Strategy()).NashConv, 1e-12*max(1, r.Gap))
		}
	}
}

// Contests are measured as by their own report.
func TestDynamicsOnContests(t *testing.T) {
	game, err := games.New("sequence(length=3,symbols=4)")
	if err != nil {
		t.Fatal(err)
	}
	g, tree, err := solve.MatrixOf(t.Context(), game)
	if err != nil || tree != nil {
		t.Fatalf("a contest's matrix: tree %v, error %v", tree, err)
	}
	for _, method := range []string{"omd(reference=random)", "omd(reference=random,samples=2)"} {
		d := dynamics(t, g, method)
		r := advance(t, d, 30)
		play := d.Policies()[0]
		near(t, method, r.Gap, solve.ContestReport(game.(games.Contest), play, play).NashConv, 1e-12)
	}
}

// A game in which one policy can meet itself is found where payoffs are shifted, as
// preferences are, and half spans tell the scale.
func TestZeroSumForms(t *testing.T) {
	for _, test := range []struct {
		payoff   [][]float64
		policies int
		bound    float64
	}{
		{[][]float64{{0.5, 0.9}, {0.1, 0.5}}, 1, 0.4},
		{[][]float64{{0, 0.4}, {-0.4, 0}}, 1, 0.4},
		{[][]float64{{7, 9}, {5, 7}}, 1, 2},
		{[][]float64{{3}}, 1, 0},
		{[][]float64{{2, -1}, {-1, 1}}, 2, 1.5},
		{[][]float64{{0, 1}, {1, 0}}, 2, 0.5},
		{[][]float64{{0, 1, 2}}, 2, 1},
	} {
		g, err := solve.ZeroSum("form", test.payoff)
		if err != nil {
			t.Fatal(err)
		}
		if len(g.Sizes) != test.policies || g.Players() != 2 {
			t.Errorf("%v: %d policies for %d players, expected %d for 2", test.payoff, len(g.Sizes), g.Players(), test.policies)
		}
		near(t, fmt.Sprintf("bound of %v", test.payoff), g.Bound, test.bound, 1e-15)
	}
}

// No log-probability of a regularised equilibrium is further from that of a best
// response to it than rounding lets it be, on 20 games and four β.
func TestRegularisedNashPrecision(t *testing.T) {
	worst := 0.0
	for _, g := range theoryGames(t) {
		for _, beta := range []float64{0.01, 0.05, 0.1, 0.5} {
			beta *= max(1, 2*g.Bound)
			reference := g.RandomPolicies(rand.New(rand.NewPCG(7, 7)))
			for _, row := range reference {
				for y, p := range row {
					row[y] = math.Log(p)
				}
			}
			nash, err := g.RegularisedNash(t.Context(), reference, beta)
			if err != nil {
				t.Fatal(err)
			}
			gap := g.RegularisedGap(nash, reference, beta)
			worst = max(worst, gap/beta)
		}
	}
	t.Logf("KL of an equilibrium from its best response is at most %g", worst)
	if worst > 2e-27 { // 5e-14 in log-probabilities, where payoffs are divided by 0.01
		t.Errorf("KL of an equilibrium from its best response: %g", worst)
	}
}

// With two answers, of which the first is preferred with probability ½ + a, the
// regularised equilibrium has log odds a/β above the reference's, whatever the policy
// meets: π*(0)/π*(1) = ref(0)/ref(1)·e^{a/β}.
func TestRegularisedNashClosedForm(t *testing.T) {
	for _, a := range []float64{0, 0.1, 0.5} {
		for _, beta := range []float64{0.01, 0.1, 1} {
			g, err := solve.Preferences("two answers", [][]float64{{0.5, 0.5 + a}, {0.5 - a, 0.5}})
			if err != nil {
				t.Fatal(err)
			}
			ref := []float64{0.3, 0.7}
			nash, err := g.RegularisedNash(t.Context(), [][]float64{{math.Log(ref[0]), math.Log(ref[1])}}, beta)
			if err != nil {
				t.Fatal(err)
			}
			near(t, fmt.Sprintf("log odds, a %g, beta %g", a, beta), nash[0][0]-nash[0][1], math.Log(ref[0]/ref[1])+a/beta, 1e-12*max(1, a/beta))
		}
	}
	// A game in which all answers are alike in the end keeps a uniform reference.
	g := matrixGame(t, "matrix(rpsls,bound=0.5)")
	uniform := make([]float64, 5)
	for y := range uniform {
		uniform[y] = math.Log(0.2)
	}
	nash, err := g.RegularisedNash(t.Context(), [][]float64{uniform}, 0.05)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range nash[0] {
		near(t, "rpsls", math.Exp(x), 0.2, 1e-14)
	}
}

// Every rule's first two iterations on rock, paper, scissors, computed in probabilities
// by the formulas of the papers, without the machinery of terms.
func TestUpdatesByHand(t *testing.T) {
	payoff := [][]float64{{0, -0.25, 0.5}, {0.25, 0, -0.05}, {-0.5, 0.05, 0}}
	against := func(pi []float64) []float64 {
		u := make([]float64, 3)
		for i := range u {
			for j := range pi {
				u[i] += payoff[i][j] * pi[j]
			}
		}
		return u
	}
	// product is Π_k factor_k^power_k, normalised.
	product := func(power []float64, factor ...[]float64) []float64 {
		out, sum := []float64{1, 1, 1}, 0.0
		for k, f := range factor {
			for y := range out {
				out[y] *= math.Pow(f[y], power[k])
			}
		}
		for _, x := range out {
			sum += x
		}
		for y := range out {
			out[y] /= sum
		}
		return out
	}
	exp := func(u []float64) []float64 { return []float64{math.Exp(u[0]), math.Exp(u[1]), math.Exp(u[2])} }
	mix := func(a float64, p []float64, b float64, q []float64) []float64 {
		return []float64{a*p[0] + b*q[0], a*p[1] + b*q[1], a*p[2] + b*q[2]}
	}
	ref, first := []float64{0.2, 0.3, 0.5}, []float64{0.6, 0.3, 0.1}
	const eta, beta, alpha, prox = 0.7, 0.2, 0.4, 0.3
	type history = [][]float64 // π_0, π_1, …
	last := func(h history) []float64 { return h[len(h)-1] }
	before := func(h history) []float64 { return h[max(0, len(h)-2)] }
	omd := func(h history) []float64 {
		return product([]float64{1 - eta*beta, eta * beta, eta}, last(h), ref, exp(against(last(h))))
	}
	var hat history // of apo
	for _, test := range []struct {
		rule solve.Update
		next func(h history) []float64
	}{
		{solve.Hedge(eta), func(h history) []float64 { return product([]float64{1, eta}, last(h), exp(against(last(h)))) }},
		{solve.OMD(eta, beta), omd},
		{solve.INPO(1/eta, beta), omd},
		{solve.MPO(eta, beta, 0), func(h history) []float64 {
			return product([]float64{1 / (1 + eta*beta), eta * beta / (1 + eta*beta), eta / (1 + eta*beta)}, last(h), ref, exp(against(last(h))))
		}},
		{solve.MPO(eta, beta, 1), func(h history) []float64 { // the magnet is where the policy is
			magnet := last(h)
			if len(h) == 1 {
				magnet = ref
			}
			return product([]float64{1 / (1 + eta*beta), eta * beta / (1 + eta*beta), eta / (1 + eta*beta)}, last(h), magnet, exp(against(last(h))))
		}},
		{solve.NashMD(eta, beta), func(h history) []float64 {
			m := product([]float64{1 - eta*beta, eta * beta}, last(h), ref)
			return product([]float64{1, eta}, m, exp(against(m)))
		}},
		{solve.Falling(beta, solve.NashMD), func(h history) []float64 {
			eta := 2 / (beta * float64(len(h)+1))
			m := product([]float64{1 - eta*beta, eta * beta}, last(h), ref)
			return product([]float64{1, eta}, m, exp(against(m)))
		}},
		{solve.EGPO(eta, beta, 1), func(h history) []float64 {
			half := omd(h)
			return product([]float64{1 - eta*beta, eta * beta, eta}, last(h), ref, exp(against(half)))
		}},
		{solve.NashMP(prox, beta, 1), func(h history) []float64 {
			step := func(opponent []float64) []float64 {
				return product([]float64{1 / (1 + prox), prox / (1 + prox), prox / beta / (1 + prox)}, last(h), ref, exp(against(opponent)))
			}
			return step(step(last(h)))
		}},
		{solve.Optimistic(eta, beta), func(h history) []float64 {
			return product([]float64{1 - eta*beta, eta * beta, eta}, last(h), ref, exp(mix(2, against(last(h)), -1, against(before(h)))))
		}},
		{solve.MNPO(1/eta, beta, []float64{0.7, 0.3}), func(h history) []float64 {
			p := (1 - eta*beta)
			return product([]float64{p * 0.7, p * 0.3, eta * beta, eta}, last(h), before(h), ref, exp(against(mix(0.7, last(h), 0.3, before(h)))))
		}},
		{solve.APO(eta, 0, alpha), func(h history) []float64 {
			if len(h) == 1 {
				hat = history{first}
			}
			hat = append(hat, product([]float64{1, eta}, last(h), exp(against(last(h)))))
			return product([]float64{1 + alpha, -alpha}, last(hat), before(hat))
		}},
		{solve.COMAL(eta, beta, 2), func(h history) []float64 {
			centre := ref
			if len(h) > 2 {
				centre = h[2]
			}
			step := func(opponent []float64) []float64 {
				return product([]float64{1 - eta*beta, eta * beta, eta}, last(h), centre, exp(against(opponent)))
			}
			return step(step(last(h)))
		}},
	} {
		g, err := solve.ZeroSum("by hand", payoff)
		if err != nil {
			t.Fatal(err)
		}
		d, err := solve.NewDynamics(g, test.rule, solve.DynamicsOptions{Reference: [][]float64{ref}, Start: [][]float64{first}})
		if err != nil {
			t.Fatal(err)
		}
		h, sum := history{first}, make([]float64, 3)
		for i := range 4 {
			for y, p := range last(h) {
				sum[y] += p
			}
			h = append(h, test.next(h))
			advance1(t, d)
			for y, want := range last(h) {
				near(t, fmt.Sprintf("%s, iteration %d, answer %d", test.rule.Name, i+1, y), d.Policies()[0][y], want, 1e-14)
				near(t, fmt.Sprintf("%s, iteration %d, average, answer %d", test.rule.Name, i+1, y), d.Average()[0][y], sum[y]/float64(i+1), 1e-14)
			}
		}
		queries := map[string]int{"egpo": 8, "nash-mp": 8, "comal": 8}[test.rule.Name]
		if queries == 0 {
			queries = 4
		}
		if d.Queries() != queries {
			t.Errorf("%s asked %d times in 4 iterations, expected %d", test.rule.Name, d.Queries(), queries)
		}
	}
}

// Hedge's average iterate has a gap of at most twice its regret per iteration,
// log(n)/(ηT) + η/8 where payoffs span 1.
func TestHedgeRegret(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		n, seed := rapid.IntRange(2, 12).Draw(rt, "n"), rapid.IntRange(0, 1000).Draw(rt, "seed")
		eta, iterations := rapid.Float64Range(0.01, 3).Draw(rt, "eta"), rapid.IntRange(1, 300).Draw(rt, "iterations")
		d := dynamics(t, matrixGame(t, fmt.Sprintf("matrix(random(n=%d,seed=%d))", n, seed)), fmt.Sprintf("hedge(eta=%g)", eta))
		r := advance(t, d, iterations)
		if bound := 2 * (math.Log(float64(n))/(eta*float64(iterations)) + eta/8); r.AverageGap > bound+1e-12 {
			rt.Fatalf("the average's gap is %g, above %g", r.AverageGap, bound)
		}
	})
}

// What is known of each: Nash-MD's constant step is biased, and falling ones are within
// their bound of 8/(β²(T+1)); hedge circles while its average converges; optimism and
// proximal points reach the equilibrium itself; a step of 1000 circles between best
// responses; APO goes as hedge with a step of η/(1−α).
func TestTraps(t *testing.T) {
	biased := matrixGame(t, "matrix(biased_rps,bound=0.5)")
	const beta = 0.1
	for _, eta := range []float64{0.2, 1} {
		if r := advance(t, dynamics(t, biased, fmt.Sprintf("nash-md(eta=%g,reference=random)", eta)), 20000); r.KL < 1e-6 {
			t.Errorf("Nash-MD with a constant step of %g: KL %g, expected a bias above 1e-6", eta, r.KL)
		}
	}
	falling := dynamics(t, biased, "nash-md(schedule=falling,reference=random)")
	for range 40 {
		r := advance(t, falling, 50)
		if bound := 8 / (beta * beta * float64(r.Iteration+1)); r.KL > bound {
			t.Errorf("Nash-MD with falling steps, iteration %d: KL %g above %g", r.Iteration, r.KL, bound)
		}
		if r.Iteration == 2000 && r.KL > 1e-6 {
			t.Errorf("Nash-MD with falling steps: KL %g after 2000 iterations", r.KL)
		}
	}
	hedge := advance(t, dynamics(t, biased, "hedge(eta=0.5,start=random)"), 5000)
	if hedge.Gap < 0.1 || hedge.AverageGap > 0.01 {
		t.Errorf("hedge: last %g, average %g after 5000 iterations", hedge.Gap, hedge.AverageGap)
	}
	for _, method := range []string{"optimistic(eta=1,beta=0,start=random)", "comal(start=random)"} {
		if r := advance(t, dynamics(t, biased, method), 20000); r.Gap > 1e-4 {
			t.Errorf("%s: gap %g after 20000 iterations", method, r.Gap)
		}
	}
	d := dynamics(t, biased, "sppo(eta=1000,start=random)")
	seen := map[float64]bool{}
	for range 300 {
		r := advance(t, d, 1)
		for y, p := range d.Policies()[0] {
			if p > 1-1e-9 && r.Iteration > 10 {
				seen[float64(y)] = true
			}
		}
	}
	if len(seen) != 3 {
		t.Errorf("SPPO with a step of 1000 was at %v, expected each answer for sure at some time", seen)
	}
	bt := matrixGame(t, "matrix(bradley_terry)")
	apo := advance(t, dynamics(t, bt, "apo(eta=0.1,alpha=0.3)"), 200).Gap
	same := advance(t, dynamics(t, bt, "sppo(eta=0.1)"), 200).Gap
	larger := advance(t, dynamics(t, bt, fmt.Sprintf("sppo(eta=%.17g)", 0.1/0.7)), 200).Gap
	if apo > same/5 || math.Abs(apo/larger-1) > 0.02 {
		t.Errorf("APO %g, SPPO with its step %g, with a step of 1/(1−α) of it %g", apo, same, larger)
	}
}

// n players before one judge: the gap of each is its own, n = 2 is the game against
// oneself, and MNPO among players that start alike goes as INPO.
func TestPlayers(t *testing.T) {
	prefer := [][]float64{{0.5, 0.2, 0.9}, {0.8, 0.5, 0.3}, {0.1, 0.7, 0.5}}
	other := [][]float64{{0.5, 0.9, 0.9}, {0.1, 0.5, 0.6}, {0.1, 0.4, 0.5}} // its own equilibrium is answer 0
	self, err := solve.Preferences("self", prefer)
	if err != nil {
		t.Fatal(err)
	}
	play := [][]float64{{0.2, 0.3, 0.5}, {0.6, 0.1, 0.3}, {0.1, 0.1, 0.8}}
	three, err := solve.Players("three", 3, prefer, prefer, other)
	if err != nil {
		t.Fatal(err)
	}
	for i, gain := range three.Gains(play) {
		judge := prefer
		if i == 2 {
			judge = other
		}
		best, own := math.Inf(-1), 0.0
		for y := range 3 {
			u := 0.0
			for j := range 3 {
				for z := range 3 {
					if j != i {
						u += judge[y][z] * play[j][z] / 2
					}
				}
			}
			best, own = max(best, u), own+play[i][y]*u
		}
		near(t, fmt.Sprintf("player %d", i), gain, best-own, 1e-15)
	}
	two, err := solve.Players("two", 2, prefer)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "two players alike", two.Gap([][]float64{play[0], play[0]}), self.Gap(play[:1]), 1e-15)

	ref := [][]float64{play[0], play[0], play[0]}
	one, err := solve.NewDynamics(self, solve.INPO(3, 0.1), solve.DynamicsOptions{Reference: ref[:1]})
	if err != nil {
		t.Fatal(err)
	}
	alike, err := solve.Players("three alike", 3, prefer)
	if err != nil {
		t.Fatal(err)
	}
	many, err := solve.NewDynamics(alike, solve.MNPOPlayers(3, 0.1), solve.DynamicsOptions{Reference: ref})
	if err != nil {
		t.Fatal(err)
	}
	for range 300 {
		advance1(t, one, many)
		for _, policy := range many.Policies() {
			for y, p := range policy {
				near(t, "MNPO among players that are alike", p, one.Policies()[0][y], 1e-12)
			}
		}
	}
	among, err := self.Among(3)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "a game among three", among.Gap(play), alike.Gap(play), 1e-15)
	spread := advance(t, dynamics(t, among, "mnpo(population=players,tau=0.1,reference=random,start=random)"), 1000)
	if spread.KL > 1e-20 || spread.RegularisedGap > 1e-20 {
		t.Errorf("MNPO among three with one judge: KL %g, regularised gap %g", spread.KL, spread.RegularisedGap)
	}
	if r := advance(t, dynamics(t, among, "omd(samples=3)"), 1); r.Comparisons != 3*2*9 {
		t.Errorf("three players with two opponents each and three answers: %d comparisons, expected 54", r.Comparisons)
	}
	if _, err := two.Among(3); err == nil {
		t.Error("a game of two policies among three: no error")
	}
	// Players that start apart, one with a judge of its own, come to an equilibrium of
	// the regularised game of n players.
	apart, err := solve.NewDynamics(three, solve.OMD(0.2, 0.1), solve.DynamicsOptions{Start: play})
	if err != nil {
		t.Fatal(err)
	}
	r := advance(t, apart, 3000)
	if r.RegularisedGap > 1e-12 || r.KL > 1e-12 || len(r.Gains) != 3 {
		t.Errorf("three players, two judges: regularised gap %g, KL %g, gains %v", r.RegularisedGap, r.KL, r.Gains)
	}
	if _, err := solve.NewDynamics(self, solve.MNPOPlayers(3, 0.1), solve.DynamicsOptions{}); err == nil {
		t.Error("MNPO among players, without others: no error")
	}
}

// Sampled judges are right on average, and tell how much they compared.
func TestSampledMean(t *testing.T) {
	g := matrixGame(t, "matrix(random(n=4,columns=3,seed=9))")
	exact := dynamics(t, g, "hedge(eta=1)")
	advance1(t, exact)
	mean := make([]float64, 4)
	const repetitions = 400
	for seed := range repetitions {
		d := dynamics(t, g, fmt.Sprintf("hedge(eta=1,samples=25,seed=%d)", seed))
		advance1(t, d)
		if d.Comparisons() != 25*7 {
			t.Fatalf("%d comparisons, expected 175", d.Comparisons())
		}
		for y, p := range d.Policies()[0] {
			mean[y] += math.Log(p/d.Policies()[0][0]) / repetitions
		}
	}
	for y, p := range exact.Policies()[0] {
		near(t, fmt.Sprintf("log odds of answer %d", y), mean[y], math.Log(p/exact.Policies()[0][0]), 4*math.Sqrt2*0.5/math.Sqrt(25*repetitions))
	}
}

func TestDynamicsRefuse(t *testing.T) {
	g := matrixGame(t, "matrix(rps)")
	for want, o := range map[string]solve.DynamicsOptions{
		"expected 1":                    {Reference: [][]float64{{1}, {1}}},
		"2 probabilities: expected 3":   {Start: [][]float64{{0.5, 0.5}}},
		"sum to":                        {Reference: [][]float64{{0.5, 0.5, 0.5}}},
		"gives answer 1 no probability": {Start: [][]float64{{0.5, 0, 0.5}}},
		"samples need a generator":      {Samples: 1},
	} {
		if _, err := solve.NewDynamics(g, solve.Hedge(1), o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: expected %q", err, want)
		}
	}
	for want, judges := range map[string][][][]float64{
		"2 judges for 3 players":               {{{0.5}}, {{0.5}}},
		"judges of 1 and of 2 answers":         {{{0.5}}, {{0.5, 0.5}, {0.5, 0.5}}, {{0.5}}},
		"expected probabilities that sum to 1": {{{0.5, 0.6}, {0.5, 0.5}}},
		"expected as many rows as columns":     {{{0.5, 0.6}}},
	} {
		if _, err := solve.Players("players", 3, judges...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: expected %q", err, want)
		}
	}
	// A search for the equilibrium ends with its context.
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := g.RegularisedNash(ctx, [][]float64{{-math.Log(3), -math.Log(3), -math.Log(3)}}, 0.1); !errors.Is(err, context.Canceled) {
		t.Errorf("a search that was stopped: %v", err)
	}
}
