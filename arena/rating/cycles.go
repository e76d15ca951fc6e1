package rating

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
)

// CyclicShare is how much of a table of advantages, antisymmetric (a[i][j] is what i
// gains against j), no rating can say: with r_i the mean of row i, the part that
// differs from r_i-r_j, by its sum of squares. It is 0 for players in a line and 1 for
// rock, paper and scissors (Balduzzi et al. 2018, the table's Hodge decomposition).
func CyclicShare(a [][]float64) float64 {
	n := float64(len(a))
	mean := make([]float64, len(a))
	for i, row := range a {
		for _, x := range row {
			mean[i] += x / n
		}
	}
	cyclic, all := 0.0, 0.0
	for i, row := range a {
		for j, x := range row {
			rest := x - (mean[i] - mean[j])
			cyclic, all = cyclic+rest*rest, all+x*x
		}
	}
	if all == 0 {
		return 0
	}
	return cyclic / all
}

// square refuses tables that are not of one number for every two players.
func square(a [][]float64) error {
	for i, row := range a {
		if len(row) != len(a) {
			return fmt.Errorf("a table of %d players whose row %d has %d numbers", len(a), i, len(row))
		}
		for _, x := range row {
			if math.IsNaN(x) || math.IsInf(x, 0) {
				return fmt.Errorf("a table with %g in row %d", x, i)
			}
		}
	}
	if len(a) < 2 {
		return errors.New("a table of fewer than two players")
	}
	return nil
}

// AlphaRank is the share of time that a population of players spends with each of
// them, where mutants take over by what they are paid: payoff[i][j] is what i gets
// against j (Omidshafiei et al. 2019, one population, local selection). Alpha is the
// intensity of selection, and the population has so many members.
func AlphaRank(payoff [][]float64, alpha float64, members int) ([]float64, error) {
	if err := square(payoff); err != nil {
		return nil, err
	}
	if !(alpha > 0) || members < 2 {
		return nil, fmt.Errorf("alpha-rank: alpha=%g, members=%d: expected alpha above 0 and two members or more", alpha, members)
	}
	n := len(payoff)
	// The stationary distribution: πᵀ(C - I) = 0 with one equation replaced by Σπ = 1.
	system, right := mat.NewDense(n, n, nil), mat.NewVecDense(n, nil)
	for from := range n {
		stay := 1.0
		for to := range n {
			if to == from {
				continue
			}
			p := takeover(payoff[to][from]-payoff[from][to], alpha, members) / float64(n-1)
			system.Set(to, from, p)
			stay -= p
		}
		system.Set(from, from, stay-1)
	}
	for i := range n {
		system.Set(n-1, i, 1)
	}
	right.SetVec(n-1, 1)
	var pi mat.VecDense
	if err := pi.SolveVec(system, right); err != nil {
		var condition mat.Condition
		if !errors.As(err, &condition) || math.IsInf(float64(condition), 0) {
			return nil, fmt.Errorf("alpha-rank: alpha=%g is so large that players do not reach one another: take a smaller one", alpha)
		}
	}
	out := make([]float64, n)
	for i := range out {
		out[i] = max(0, pi.AtVec(i))
	}
	return out, nil
}

// takeover is the chance that one mutant, paid so much more than the others, ends as
// all m members: (1-exp(-αu))/(1-exp(-αmu)).
func takeover(u, alpha float64, members int) float64 {
	x, m := alpha*u, float64(members)
	if math.Abs(x)*m < 1e-12 {
		return 1 / m
	}
	if x < 0 { // the same, without numbers that overflow
		return math.Exp(x*(m-1)) * math.Expm1(x) / math.Expm1(x*m)
	}
	return math.Expm1(-x) / math.Expm1(-x*m)
}

// NashAverage is the equilibrium of the game in which two of us each name a player of
// an antisymmetric table of advantages, the most even of them where there are many,
// and what each player gains against it: 0 for those in it, less for the others
// (Balduzzi et al. 2018). Copies of a player share its part instead of adding to it.
func NashAverage(a [][]float64) (weights, gains []float64, err error) {
	if err := square(a); err != nil {
		return nil, nil, err
	}
	n := len(a)
	y := make([]float64, n) // logarithms of the weights
	for i := range y {
		y[i] = -math.Log(float64(n))
	}
	scale := 0.0
	for _, row := range a {
		for _, x := range row {
			scale = max(scale, math.Abs(x))
		}
	}
	// With a reward τ for evenness the equilibrium is p = softmax(Ap/τ). As τ falls it
	// goes to the most even equilibrium.
	for tau := 1.0; tau > 1e-12 && scale > 0; tau /= 4 {
		if err := evenly(a, tau*scale, y); err != nil {
			return nil, nil, err
		}
	}
	weights, gains = make([]float64, n), make([]float64, n)
	for i := range y {
		weights[i] = math.Exp(y[i])
	}
	for i, row := range a {
		for j, x := range row {
			gains[i] += x * weights[j]
		}
	}
	return weights, gains, nil
}

// evenly solves Ap - τ ln p = c, Σp = 1 for y = ln p and c, by Newton's method.
func evenly(a [][]float64, tau float64, y []float64) error {
	n := len(a)
	p, c := make([]float64, n), 0.0
	residual := func() *mat.VecDense {
		r, sum := mat.NewVecDense(n+1, nil), 0.0
		for i := range y {
			p[i] = math.Exp(y[i])
			sum += p[i]
		}
		for i, row := range a {
			v := -tau*y[i] - c
			for j, x := range row {
				v += x * p[j]
			}
			r.SetVec(i, v)
		}
		r.SetVec(n, sum-1)
		return r
	}
	for range 500 {
		r := residual()
		jacobian := mat.NewDense(n+1, n+1, nil)
		for i := range n {
			for j := range n {
				jacobian.Set(i, j, a[i][j]*p[j])
			}
			jacobian.Set(i, i, jacobian.At(i, i)-tau)
			jacobian.Set(i, n, -1)
			jacobian.Set(n, i, p[i])
		}
		var step mat.VecDense
		if err := step.SolveVec(jacobian, r); err != nil {
			var condition mat.Condition
			if !errors.As(err, &condition) || math.IsInf(float64(condition), 0) {
				return errors.New("nash average: the table's equilibrium cannot be told")
			}
		}
		largest, most := 0.0, 0.0
		for i := range n {
			if down := step.AtVec(i); down < 0 || p[i] > 1e-12 { // a weight of nothing may fall as far as it likes
				most = max(most, math.Abs(down))
			}
		}
		share := min(1, 2/most) // weights change by a factor of e² at most
		for i := range n {
			y[i] -= share * step.AtVec(i)
			largest = max(largest, p[i]*math.Abs(step.AtVec(i)))
		}
		c -= share * step.AtVec(n)
		if share == 1 && largest < 1e-14 {
			return nil
		}
	}
	return nil
}
