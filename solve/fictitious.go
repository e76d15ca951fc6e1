package solve

import (
	"context"

	"github.com/agon-rl/agon/games"
)

// FictitiousPlay lets every seat answer the others' averages with a best
// response, which joins its own average (Brown 1951; over realisation plans as
// in Heinrich, Lanctot & Silver 2015, "Fictitious Self-Play in Extensive-Form
// Games").
type FictitiousPlay struct {
	tree *Tree
	done int
	plan []float64 // by sequence: the average's realisation plan

	// What an iteration needs besides.
	best   Strategy    // the answers to the averages
	answer []float64   // by sequence: their realisation plan
	worth  [][]float64 // by seat, by sequence
	seats  *bySeat
}

// NewFictitiousPlay starts from the uniform strategy.
func NewFictitiousPlay(t *Tree) *FictitiousPlay {
	uniform := t.Uniform()
	f := &FictitiousPlay{
		tree: t, plan: t.reach(uniform),
		best: uniform, answer: t.reach(uniform), worth: t.perSeat(),
	}
	f.seats = newBySeat(t, func(seat games.Seat) {
		t.answer(f.best, f.worth[seat], f.plan, seat)
		t.realise(f.best, f.answer, seat)
	})
	return f
}

// Iterations implements Solver.
func (f *FictitiousPlay) Iterations() int { return f.done }

// Iterate implements Solver.
//
//	x ← x + (b − x)/(t+1),  b the best response to the averages
func (f *FictitiousPlay) Iterate(ctx context.Context, n int) error {
	for range n {
		if err := ctx.Err(); err != nil {
			return err
		}
		f.done++
		f.seats.run()
		step := 1 / float64(f.done+1)
		for _, sets := range f.tree.own {
			for _, set := range sets {
				for a := set.first; a < set.last; a++ {
					f.plan[a] += step * (f.answer[a] - f.plan[a])
				}
			}
		}
	}
	return nil
}

// Strategy implements Solver.
func (f *FictitiousPlay) Strategy() Strategy { return f.tree.behaviour(f.plan) }
