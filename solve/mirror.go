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
	tree        *Tree
	alpha, step float64
	done        int
	current     Strategy
	reach       []float64 // by sequence: the realisation plan of current
	next        Strategy  // what current becomes

	worth     [][]float64 // by seat, by sequence
	eta, pull float64     // of this iteration
	seats     *bySeat
}

// NewMirrorDescent starts from the uniform strategy with temperature alpha, in
// units of return per nat, and step eta.
func NewMirrorDescent(t *Tree, alpha, eta float64) (*MirrorDescent, error) {
	if err := t.twoSeats("mmd"); err != nil {
		return nil, err
	}
	uniform := t.Uniform()
	m := &MirrorDescent{
		tree: t, alpha: alpha, step: eta, current: uniform, reach: t.reach(uniform),
		next: slices.Clone(uniform), worth: t.perSeat(),
	}
	m.seats = newBySeat(t, m.descend)
	return m, nil
}

// Iterations implements Solver.
func (m *MirrorDescent) Iterations() int { return m.done }

// Iterate implements Solver.
func (m *MirrorDescent) Iterate(ctx context.Context, n int) error {
	for range n {
		if err := ctx.Err(); err != nil {
			return err
		}
		m.done++
		root := math.Sqrt(float64(m.done))
		m.eta, m.pull = m.step/root, m.alpha/root*m.step/root
		m.seats.run()
		m.current, m.next = m.next, m.current
		for seat := range m.tree.own {
			m.tree.realise(m.current, m.reach, games.Seat(seat))
		}
	}
	return nil
}

// descend sets a seat's part of next. At a set I with utilities u(a), the values
// of the sets behind a included,
//
//	x(a) ∝ [x(a)·ρ(a)^{αη}·e^{ηu(a)}]^{1/(1+αη)}
//	v(I) = (1+αη)/η · log Σ_a [x(a)·ρ(a)^{αη}·e^{ηu(a)}]^{1/(1+αη)}
//
// which is the proximal step of the dilated entropy, solved from the last sets
// to the first.
func (m *MirrorDescent) descend(seat games.Seat) {
	worth := m.worth[seat]
	m.tree.weigh(worth, m.reach, seat)
	for _, set := range slices.Backward(m.tree.own[seat]) {
		log, next := worth[set.first:set.last], m.next[set.first:set.last]
		highest := math.Inf(-1)
		magnet := -math.Log(float64(len(log)))
		for i, old := range m.current[set.first:set.last] {
			x := math.Log(math.Max(old, math.SmallestNonzeroFloat64))
			log[i] = (x + m.pull*magnet + m.eta*log[i]) / (1 + m.pull)
			highest = max(highest, log[i])
		}
		sum := 0.0
		for i, l := range log {
			next[i] = math.Exp(l - highest)
			sum += next[i]
		}
		for i := range next {
			next[i] /= sum
		}
		worth[set.after] += (1 + m.pull) / m.eta * (highest + math.Log(sum))
	}
}

// Strategy implements Solver.
func (m *MirrorDescent) Strategy() Strategy { return slices.Clone(m.current) }
