package solve

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/optimize/convex/lp"
)

// MatrixGame solves a two-seat zero-sum game in which the row player is paid
// payoff[i][j] (rows × columns, all rows of one length). It returns the value
// and an equilibrium, by the linear program of von Neumann
//
//	min Σx  subject to  Σ_i x_i·(a_ij + shift) ≥ 1 for all j,  x ≥ 0
//
// where the shift makes all payoffs positive; then value = 1/Σx − shift and
// the row player's strategy is x/Σx.
func MatrixGame(payoff [][]float64) (value float64, row, column []float64, err error) {
	if len(payoff) == 0 || len(payoff[0]) == 0 {
		return 0, nil, nil, errors.New("a matrix game without actions")
	}
	transposed := make([][]float64, len(payoff[0]))
	for j := range transposed {
		transposed[j] = make([]float64, len(payoff))
		for i := range payoff {
			if len(payoff[i]) != len(transposed) {
				return 0, nil, nil, fmt.Errorf("row %d of a matrix game has %d payoffs, the first has %d", i, len(payoff[i]), len(transposed))
			}
			if x := payoff[i][j]; math.IsNaN(x) || math.IsInf(x, 0) {
				return 0, nil, nil, fmt.Errorf("a matrix game with a payoff of %g", x)
			}
			transposed[j][i] = -payoff[i][j]
		}
	}
	value, row, err = maximin(payoff)
	if err != nil {
		return 0, nil, nil, err
	}
	_, column, err = maximin(transposed)
	return value, row, column, err
}

// maximin returns the row player's value and strategy.
func maximin(payoff [][]float64) (float64, []float64, error) {
	rows, columns := len(payoff), len(payoff[0])
	lowest, highest := math.Inf(1), math.Inf(-1)
	for _, r := range payoff {
		for _, x := range r {
			lowest, highest = min(lowest, x), max(highest, x)
		}
	}
	shift, scale := 1-lowest, 1.0
	if highest > lowest { // payoffs from 1 to 2
		scale = 1 / (highest - lowest)
		shift = 1/scale - lowest
	}
	// Standard form with one surplus variable a column.
	a := mat.NewDense(columns, rows+columns, nil)
	b, cost := make([]float64, columns), make([]float64, rows+columns)
	for j := range columns {
		b[j] = 1
		for i := range rows {
			a.Set(j, i, (payoff[i][j]+shift)*scale)
		}
		a.Set(j, rows+j, -1)
	}
	for i := range rows {
		cost[i] = 1
	}
	total, x, err := lp.Simplex(cost, a, b, 1e-12, nil)
	if err != nil {
		return 0, nil, fmt.Errorf("the linear program of a matrix game of %d rows and %d columns: %w", rows, columns, err)
	}
	strategy := make([]float64, rows)
	for i := range strategy {
		strategy[i] = max(x[i], 0)
	}
	proportional(strategy, strategy)
	return 1/total/scale - shift, strategy, nil
}
