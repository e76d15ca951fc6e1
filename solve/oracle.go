package solve

import (
	"context"
	"slices"

	"github.com/agon-rl/agon/games"
)

// doneBelow is the gain of a best response that exact methods take for none.
const doneBelow = 1e-10

// DoubleOracle keeps a few plain strategies a seat, solves the matrix game
// between them, and lets a best response to the solution join until none
// gains (McMahan, Gordon & Blum 2003, "Planning in the Presence of Cost
// Functions Controlled by an Adversary").
type DoubleOracle struct {
	tree    *Tree
	done    int
	over    bool
	plans   [2][][]float64 // realisation plans of the strategies, by sequence
	weights [2][]float64   // the solution of the matrix game
	payoff  [][]float64    // of the first seat, by its strategy and the other's
}

// NewDoubleOracle starts from each seat's best response to uniform play.
func NewDoubleOracle(t *Tree) (*DoubleOracle, error) {
	if err := t.twoSeats("double_oracle"); err != nil {
		return nil, err
	}
	d := &DoubleOracle{tree: t}
	uniform := t.Uniform()
	reach := t.reach(uniform)
	for seat := range games.Seat(2) {
		_, best := t.respond(uniform, reach, seat)
		d.plans[seat], d.weights[seat] = [][]float64{t.reach(best)}, []float64{1}
	}
	d.payoff = [][]float64{{d.meet(0, 0)}}
	return d, nil
}

// meet returns the first seat's expected return when two of the strategies
// meet.
func (d *DoubleOracle) meet(first, second int) float64 {
	return d.tree.value(d.joint(d.plans[0][first], d.plans[1][second]))[0]
}

// joint puts the seats' realisation plans into one.
func (d *DoubleOracle) joint(first, second []float64) []float64 {
	plan := slices.Clone(first)
	for _, set := range d.tree.own[1] {
		copy(plan[set.first:set.last], second[set.first:set.last])
	}
	return plan
}

// mixture returns a seat's realisation plan under the matrix game's solution.
func (d *DoubleOracle) mixture(seat int) []float64 {
	out := make([]float64, d.tree.actions+1)
	for i, w := range d.weights[seat] {
		for q, x := range d.plans[seat][i] {
			out[q] += w * x
		}
	}
	return out
}

// Iterations implements Solver.
func (d *DoubleOracle) Iterations() int { return d.done }

// Iterate implements Solver. It ends early once no best response gains.
func (d *DoubleOracle) Iterate(ctx context.Context, n int) error {
	for range n {
		if d.over {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := d.grow(); err != nil {
			return err
		}
		d.done++
	}
	return nil
}

func (d *DoubleOracle) grow() error {
	t := d.tree
	plan := d.joint(d.mixture(0), d.mixture(1))
	s := t.behaviour(plan)
	value := t.value(plan)
	gain := 0.0
	var joins [2][]float64
	for seat := range 2 {
		worth, best := t.respond(s, plan, games.Seat(seat))
		gain += worth - value[seat]
		joins[seat] = t.reach(best)
	}
	if d.over = gain < doneBelow; d.over {
		return nil
	}
	for seat, plan := range joins {
		d.plans[seat] = append(d.plans[seat], plan)
	}
	for i := range d.plans[0] {
		if i == len(d.payoff) {
			d.payoff = append(d.payoff, nil)
		}
		for j := len(d.payoff[i]); j < len(d.plans[1]); j++ {
			d.payoff[i] = append(d.payoff[i], d.meet(i, j))
		}
	}
	var err error
	_, d.weights[0], d.weights[1], err = MatrixGame(d.payoff)
	return err
}

// Strategy implements Solver.
func (d *DoubleOracle) Strategy() Strategy {
	return d.tree.behaviour(d.joint(d.mixture(0), d.mixture(1)))
}
