package main

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"

	"github.com/agon-rl/agon/solve"
)

// theoryBetas are the regularisations at which rates are checked; they stand for games
// of preferences, and larger payoffs stretch them.
var theoryBetas = []float64{0.01, 0.05, 0.1, 0.5}

// theoryIterations is how long rates are checked, and theoryFloor down to which bound:
// below it what is left is the rounding of the equilibrium itself.
const (
	theoryIterations = 1000
	theoryFloor      = 1e-24
)

// theoryGames are 20: cycles, Bradley-Terry, random ones against oneself and between
// two seats.
func theoryGames(ctx context.Context) ([]*solve.Polymatrix, error) {
	names := []string{
		"matrix(soft_rps)", "matrix(biased_rps,bound=0.5)", "matrix(rps,bound=0.5)", "matrix(rpsls,bound=0.5)", "matrix(rpsw,bound=0.5)",
		"matrix(rps)", "matrix(biased_rps)", "matrix(matching_pennies)", "matrix(bradley_terry(n=4))", "matrix(bradley_terry(n=20,seed=2))",
		"matrix(random(n=5,columns=8,seed=1))", "matrix(random(n=20,columns=3,seed=2))",
	}
	for i, n := range []int{3, 5, 10, 10, 20, 20, 50, 50} {
		names = append(names, fmt.Sprintf("matrix(random(n=%d,seed=%d))", n, i+1))
	}
	var out []*solve.Polymatrix
	for _, name := range names {
		g, err := matrixGame(ctx, name)
		if err != nil {
			return nil, err
		}
		out = append(out, g)
	}
	return out, nil
}

// rate is how KL(π*‖π) stood to its bound.
type rate struct {
	method               string
	games, checked, over int
	largest              float64 // KL over bound after the first iteration
}

// theoryRates checks at every iteration that KL is within its bound.
func theoryRates(ctx context.Context) ([]rate, error) {
	all, err := theoryGames(ctx)
	if err != nil {
		return nil, err
	}
	var out []rate
	for _, m := range []struct {
		name  string
		bound func(beta float64, r solve.DynamicsReport) float64
	}{
		{"egpo", func(beta float64, r solve.DynamicsReport) float64 {
			return math.Pow(1-beta/(beta+3), float64(r.Iteration))
		}},
		{"nash-mp", func(beta float64, r solve.DynamicsReport) float64 {
			return math.Pow(1+2*beta, -float64(r.Queries)/2)
		}},
	} {
		result := rate{method: m.name, games: len(all)}
		for _, g := range all {
			for _, beta := range theoryBetas {
				d, err := begin(g, fmt.Sprintf("%s(beta=%g)", m.name, beta*max(1, 2*g.Bound)))
				if err != nil {
					return nil, err
				}
				first, err := d.Measure(ctx)
				if err != nil {
					return nil, err
				}
				for range theoryIterations {
					if err := d.Iterate(ctx, 1); err != nil {
						return nil, err
					}
					r, err := d.Measure(ctx)
					if err != nil {
						return nil, err
					}
					bound := m.bound(beta, r) * first.KL
					if bound < theoryFloor {
						break
					}
					result.checked++
					if r.KL > bound*(1+1e-9) {
						result.over++
					}
					result.largest = max(result.largest, r.KL/bound)
				}
			}
		}
		out = append(out, result)
	}
	return out, nil
}

// identity is how far two methods that are one came apart.
type identity struct {
	one, other string
	apart      float64
}

// theoryIdentities follows pairs of methods side by side, on the games of preferences.
func theoryIdentities(ctx context.Context) ([]identity, error) {
	all, err := theoryGames(ctx)
	if err != nil {
		return nil, err
	}
	pairs := []struct {
		one, other string
		methods    func(beta float64) (string, string)
	}{
		{"Nash Mirror Prox, η' = 2β", "EGPO, η = η'/(β(1+η'))", func(beta float64) (string, string) {
			prox := 2 * beta
			return fmt.Sprintf("nash-mp(eta=%.17g,beta=%g)", prox, beta), fmt.Sprintf("egpo(eta=%.17g,beta=%g)", prox/(beta*(1+prox)), beta)
		}},
		{"INPO, step 1/η", "OMD", func(beta float64) (string, string) {
			return fmt.Sprintf("inpo(eta=%.17g,tau=%g)", 1/0.3, beta), fmt.Sprintf("omd(eta=0.3,beta=%g)", beta)
		}},
		{"MPO (MMD), step η/(1−ηβ)", "OMD", func(beta float64) (string, string) {
			return fmt.Sprintf("mpo(eta=%.17g,beta=%g)", 0.3/(1-0.3*beta), beta), fmt.Sprintf("omd(eta=0.3,beta=%g)", beta)
		}},
		{"MNPO, one opponent", "INPO", func(beta float64) (string, string) {
			return fmt.Sprintf("mnpo(opponents=1,eta=3,tau=%g)", beta), fmt.Sprintf("inpo(eta=3,tau=%g)", beta)
		}},
	}
	var out []identity
	for _, p := range pairs {
		result := identity{one: p.one, other: p.other}
		for _, g := range all {
			if g.Bound > 0.5 {
				continue // for which these steps are too large
			}
			for _, beta := range theoryBetas {
				one, other := p.methods(beta)
				a, err := begin(g, one)
				if err != nil {
					return nil, err
				}
				b, err := begin(g, other)
				if err != nil {
					return nil, err
				}
				for range theoryIterations {
					if err := a.Iterate(ctx, 1); err != nil {
						return nil, err
					}
					if err := b.Iterate(ctx, 1); err != nil {
						return nil, err
					}
					for i, policy := range a.Policies() {
						for y, x := range policy {
							result.apart = max(result.apart, math.Abs(x-b.Policies()[i][y]))
						}
					}
				}
			}
		}
		out = append(out, result)
	}
	return out, nil
}

// objectivesTheory prints what theory says, checked.
func objectivesTheory(ctx context.Context, _ *lab) error {
	text, err := theoryPart(ctx, nil)
	fmt.Print(text)
	return err
}

// theoryPart is the page's part on rates and identities.
func theoryPart(ctx context.Context, _ []objectiveGame) (string, error) {
	rates, err := theoryRates(ctx)
	if err != nil {
		return "", err
	}
	identities, err := theoryIdentities(ctx)
	if err != nil {
		return "", err
	}
	var rateRows, identityRows [][]string
	bounds := map[string]string{"egpo": "(1−ηβ)^t, η = 1/(β+3)", "nash-mp": "(1+2β)^(−N/2), N queries"}
	for _, r := range rates {
		rateRows = append(rateRows, []string{r.method, bounds[r.method], fmt.Sprint(r.games), fmt.Sprint(len(theoryBetas)), fmt.Sprint(r.checked), fmt.Sprint(r.over), fmt.Sprintf("%.4f", r.largest)})
	}
	for _, i := range identities {
		identityRows = append(identityRows, []string{i.one, i.other, scientific(i.apart)})
	}
	return fmt.Sprintf(`## What theory says, checked

`+"`go run ./experiments objectives-theory`"+` prints this part alone. KL(π*‖π) over its bound,
at every iteration up to %d in which the bound is above %.0e, β = %s, references drawn. Games whose
payoffs are larger than preferences less ½ have β and step stretched with them.

%s
Methods that are one under two names, at most how far their probabilities are apart within %d
iterations, on the games of preferences and every β:

%s`, theoryIterations, theoryFloor, strings.Trim(strings.ReplaceAll(fmt.Sprint(theoryBetas), " ", ", "), "[]"),
		markdown([]string{"method", "bound / KL₀", "games", "β", "iterations checked", "above the bound", "largest KL / bound"}, rateRows),
		theoryIterations, markdown([]string{"one", "other", "apart"}, identityRows)), nil
}

// playersPart is MNPO among n players.
func playersPart(ctx context.Context, _ []objectiveGame) (string, error) {
	biased := [][]float64{{0.5, 0.25, 1}, {0.75, 0.5, 0.45}, {0, 0.55, 0.5}}
	soft := [][]float64{{0.5, 0.2, 0.8}, {0.8, 0.5, 0.2}, {0.2, 0.8, 0.5}}
	prefersFirst := [][]float64{{0.5, 0.6, 0.7}, {0.4, 0.5, 0.6}, {0.3, 0.4, 0.5}}
	var rows [][]string
	for _, c := range []struct {
		judges string
		n      int
		tables [][][]float64
	}{
		{"biased", 2, [][][]float64{biased}},
		{"biased", 3, [][][]float64{biased}},
		{"biased", 5, [][][]float64{biased}},
		{"biased, soft, transitive", 3, [][][]float64{biased, soft, prefersFirst}},
	} {
		g, err := solve.Players(c.judges, c.n, c.tables...)
		if err != nil {
			return "", err
		}
		start := g.RandomPolicies(rand.New(rand.NewPCG(objectiveSeed, 3)))
		for _, m := range []struct {
			name string
			rule solve.Update
		}{
			{"MNPO", solve.MNPOPlayers(2, objectiveBeta)},
			{"OMD, each for itself", solve.OMD(0.5, objectiveBeta)},
		} {
			d, err := solve.NewDynamics(g, m.rule, solve.DynamicsOptions{Start: start})
			if err != nil {
				return "", err
			}
			row := []string{fmt.Sprint(c.n), c.judges, m.name}
			var r solve.DynamicsReport
			for _, mark := range []int{1, 100, 1000} {
				if err := d.Iterate(ctx, mark-d.Iterations()); err != nil {
					return "", err
				}
				if r, err = d.Measure(ctx); err != nil {
					return "", err
				}
				row = append(row, scientific(r.Gap))
			}
			var gains []string
			for _, x := range r.Gains {
				gains = append(gains, scientific(x))
			}
			rows = append(rows, append(row, strings.Join(gains, ", "), scientific(r.RegularisedGap), scientific(r.KL)))
		}
	}
	return fmt.Sprintf(`## More than two players

n players, each with a policy of its own, drawn, and a payoff that is the average preference over
the others' answers by its judge; three answers, β = 0.1, a uniform reference, step 0.5. MNPO
starts each step from the geometric mean of the others' policies. The duality gap is the sum of
what each player's best response gains:

%s`, markdown([]string{"players", "judges", "method", "gap after 1", "100", "1000", "by player", "regularised gap", "KL"}, rows)), nil
}
