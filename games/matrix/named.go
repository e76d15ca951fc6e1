package matrix

import (
	"math"
	"math/rand/v2"
	"slices"

	"github.com/agon-rl/agon/internal/spec"
)

var (
	hands  = []string{"Rock", "Paper", "Scissors"}
	sides  = []string{"Heads", "Tails"}
	always = map[string]Payoffs{
		"rps": {Payoffs: cycle(1), Rows: hands, Columns: hands},
		// equilibrium (1/16, 5/8, 5/16)
		"biased_rps":       {Payoffs: [][]float64{{0, -25, 50}, {25, 0, -5}, {-50, 5, 0}}, Rows: hands, Columns: hands},
		"matching_pennies": {Payoffs: [][]float64{{1, -1}, {-1, 1}}, Rows: sides, Columns: sides},
		// rock, paper, scissors with a harmless fourth action
		"rpsw": {
			Payoffs: [][]float64{{0, -1, 1, 0}, {1, 0, -1, 0}, {-1, 1, 0, 0}, {0, 0, 0, 0}},
			Rows:    append(slices.Clip(hands), "Water"), Columns: append(slices.Clip(hands), "Water"),
		},
	}
)

// cycle is rock, paper, scissors for a stake.
func cycle(stake float64) [][]float64 {
	return [][]float64{{0, -stake, stake}, {stake, 0, -stake}, {-stake, stake, 0}}
}

// names lists the built-in matrices in the order shown to people.
var names = []string{"rps", "biased_rps", "matching_pennies", "rpsw", "soft_rps", "rpsls", "random", "bradley_terry"}

// forms is names with parameters.
const forms = "rps, biased_rps, matching_pennies, rpsw, soft_rps(p=0.8), rpsls, random(n=10,seed=1), bradley_terry(n=4,seed=1)"

// most bounds the rows of matrices that are drawn.
const most = 2000

// build returns the matrix of a name with parameters; false where there is none of
// that name. Preferences are payoffs less ½: what a judge prefers with probability p
// wins p − ½.
func build(s spec.Spec) (p Payoffs, known bool, err error) {
	r := spec.Read(s)
	switch s.Name {
	case "soft_rps": // the winner is preferred with probability p
		p = Payoffs{Payoffs: cycle(r.Float("p", 0.8, 0.5, 1) - 0.5), Rows: hands, Columns: hands}
	case "rpsls": // each beats the two before it in this circle
		moves := []string{"Rock", "Spock", "Paper", "Lizard", "Scissors"}
		p = Payoffs{Rows: moves, Columns: moves}
		for i := range moves {
			row := make([]float64, len(moves))
			for j := range moves {
				switch (i - j + len(moves)) % len(moves) {
				case 1, 2:
					row[j] = 1
				case 3, 4:
					row[j] = -1
				}
			}
			p.Payoffs = append(p.Payoffs, row)
		}
	case "random":
		n, seed := r.Int("n", 10, 1, most), r.Int("seed", 1, 0, 1<<53)
		p.Payoffs = random(n, r.Int("columns", 0, 0, most), source(seed))
	case "bradley_terry": // P(i ≻ j) = σ(r_i − r_j), rewards drawn from a normal distribution
		n, random := r.Int("n", 4, 1, most), source(r.Int("seed", 1, 0, 1<<53))
		spread := r.Float("spread", 1, 0, 100)
		rewards := make([]float64, n)
		for i := range rewards {
			rewards[i] = spread * random.NormFloat64()
		}
		for i := range n {
			row := make([]float64, n)
			for j := range row {
				row[j] = math.Tanh((rewards[i]-rewards[j])/2) / 2
			}
			p.Payoffs = append(p.Payoffs, row)
		}
	default:
		if p, known = always[s.Name]; !known {
			return p, false, nil
		}
	}
	return p, true, r.Err()
}

func source(seed int) *rand.Rand {
	return rand.New(rand.NewPCG(uint64(seed), 0)) //nolint:gosec // not negative
}

// random draws preferences less ½, evenly from −½ to ½: those of a game against
// oneself, or, with columns, of one against another.
func random(n, columns int, random *rand.Rand) [][]float64 {
	width := columns
	if columns == 0 {
		width = n
	}
	out := make([][]float64, n)
	for i := range out {
		out[i] = make([]float64, width)
		for j := range out[i] {
			switch {
			case columns > 0 || j > i:
				out[i][j] = random.Float64() - 0.5
			case j < i:
				out[i][j] = 0 - out[j][i]
			}
		}
	}
	return out
}
