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
}

// NewFictitiousPlay starts from the uniform strategy.
func NewFictitiousPlay(t *Tree) *FictitiousPlay {
	return &FictitiousPlay{tree: t, plan: t.reach(t.Uniform())}
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
		average := f.Strategy()
		answers := make([][]float64, f.tree.Info.Seats)
		for seat := range answers {
			_, best := f.tree.respond(average, f.plan, games.Seat(seat))
			answers[seat] = f.tree.reach(best)
		}
		step := 1 / float64(f.done+1)
		for seat, answer := range answers {
			for _, set := range f.tree.own[seat] {
				for a := set.first; a < set.last; a++ {
					f.plan[a] += step * (answer[a] - f.plan[a])
				}
			}
		}
	}
	return nil
}

// Strategy implements Solver.
func (f *FictitiousPlay) Strategy() Strategy { return f.tree.behaviour(f.plan) }
