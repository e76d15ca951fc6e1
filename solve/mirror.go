package solve

import (
	"context"
	"math"
	"slices"

	"github.com/agon-rl/agon/games"
)

// MirrorDescent is magnetic mirror descent (Sokota et al. 2023,
// arXiv 2206.05825) over sequences with the dilated entropy, pulled to the
// uniform magnet. With a constant temperature its last iterate converges to
// the quantal response equilibrium of that temperature; here temperature and
// step fall with the root of the iteration, which takes it to an equilibrium.
type MirrorDescent struct {
	tree       *Tree
	alpha, eta float64
	done       int
	current    Strategy
	reach      []float64
}

// NewMirrorDescent starts from the uniform strategy with temperature alpha, in
// units of return per nat, and step eta.
func NewMirrorDescent(t *Tree, alpha, eta float64) (*MirrorDescent, error) {
	if err := t.twoSeats("mmd"); err != nil {
		return nil, err
	}
	uniform := t.Uniform()
	return &MirrorDescent{tree: t, alpha: alpha, eta: eta, current: uniform, reach: t.reach(uniform)}, nil
}

// Iterations implements Solver.
func (m *MirrorDescent) Iterations() int { return m.done }

// Iterate implements Solver. At a set I with utilities u(a), the values of the
// sets behind a included,
//
//	x(a) ∝ [x(a)·ρ(a)^{αη}·e^{ηu(a)}]^{1/(1+αη)}
//	v(I) = (1+αη)/η · log Σ_a [x(a)·ρ(a)^{αη}·e^{ηu(a)}]^{1/(1+αη)}
//
// which is the proximal step of the dilated entropy, solved from the last sets
// to the first.
func (m *MirrorDescent) Iterate(ctx context.Context, n int) error {
	t := m.tree
	for range n {
		if err := ctx.Err(); err != nil {
			return err
		}
		m.done++
		root := math.Sqrt(float64(m.done))
		eta, pull := m.eta/root, m.alpha/root*m.eta/root
		next := slices.Clone(m.current)
		for seat := range t.Info.Seats {
			worth := t.worth(m.reach, games.Seat(seat))
			for _, set := range slices.Backward(t.own[seat]) {
				log := worth[set.first:set.last]
				highest := math.Inf(-1)
				magnet := -math.Log(float64(len(log)))
				for i := range log {
					x := math.Log(math.Max(m.current[int(set.first)+i], math.SmallestNonzeroFloat64))
					log[i] = (x + pull*magnet + eta*log[i]) / (1 + pull)
					highest = max(highest, log[i])
				}
				sum := 0.0
				for i, l := range log {
					p := math.Exp(l - highest)
					next[int(set.first)+i] = p
					sum += p
				}
				for i := range log {
					next[int(set.first)+i] /= sum
				}
				worth[set.after] += (1 + pull) / eta * (highest + math.Log(sum))
			}
		}
		m.current = next
		m.reach = t.reach(next)
	}
	return nil
}

// Strategy implements Solver.
func (m *MirrorDescent) Strategy() Strategy { return slices.Clone(m.current) }
