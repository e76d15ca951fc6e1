package solve

import (
	"context"
	"math/rand/v2"

	"github.com/agon-rl/agon/games"
)

// MCCFR is Monte Carlo counterfactual regret minimisation (Lanctot et al.
// 2009, "Monte Carlo Sampling for Regret Minimization in Extensive Games"). An
// iteration walks once for every seat.
type MCCFR struct {
	tree    *Tree
	outcome bool    // sample one history a walk; else what chance and the others do
	epsilon float64 // outcome sampling: the share of uniform exploration
	random  *rand.Rand
	done    int
	index   []int32 // by node: its number in tree.inner, or ^ its number among the ends
	regrets []float64
	sums    []float64
	stack   []float64 // strategies of the sets on the path
}

// NewMCCFR prepares external sampling, or outcome sampling with epsilon of
// exploration.
func NewMCCFR(t *Tree, outcome bool, epsilon float64, random *rand.Rand) *MCCFR {
	m := &MCCFR{
		tree: t, outcome: outcome, epsilon: epsilon, random: random,
		index: make([]int32, t.nodes), regrets: make([]float64, t.actions), sums: make([]float64, t.actions),
	}
	for i := range t.inner {
		m.index[t.inner[i].id] = int32(i)
	}
	for i, id := range t.ends.id {
		m.index[id] = ^int32(i)
	}
	return m
}

// Iterations implements Solver.
func (m *MCCFR) Iterations() int { return m.done }

// Iterate implements Solver.
func (m *MCCFR) Iterate(ctx context.Context, n int) error {
	for range n {
		if m.done%64 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		m.done++
		for seat := range games.Seat(m.tree.Info.Seats) {
			m.stack = m.stack[:0]
			if m.outcome {
				m.episode(0, seat, 1, 1, 1)
			} else {
				m.external(0, seat)
			}
		}
	}
	return nil
}

// Strategy implements Solver: the average strategy.
func (m *MCCFR) Strategy() Strategy { return m.tree.behaviour(m.sums) }

func (m *MCCFR) payoff(end int32, seat games.Seat) float64 {
	return m.tree.ends.payoff[int(end)*m.tree.Info.Seats+int(seat)]
}

// strategy pushes the regret-matching strategy of a node's set onto the stack.
func (m *MCCFR) strategy(n *inner) []float64 {
	at := len(m.stack)
	m.stack = append(m.stack, m.regrets[n.first:n.first+n.count]...)
	s := m.stack[at:]
	proportional(s, s)
	return s
}

func (m *MCCFR) draw(probs []float64) int {
	x := m.random.Float64()
	for i, p := range probs {
		if x -= p; x < 0 {
			return i
		}
	}
	for i := len(probs) - 1; ; i-- { // rounding: the last that is possible
		if probs[i] > 0 || i == 0 {
			return i
		}
	}
}

// external walks all actions of the seat and one of everybody else's, and
// returns the seat's sampled value. Its regrets need no weights, since chance
// and the others are sampled as they play:
//
//	R(I,a) += v(I,a) − Σ_b σ(I,b)·v(I,b)
//
// The averages are updated at the next seat's sets, which this walk reaches
// with that seat's own probability.
func (m *MCCFR) external(id int32, seat games.Seat) float64 {
	t := m.tree
	if m.index[id] < 0 {
		return m.payoff(^m.index[id], seat)
	}
	n := &t.inner[m.index[id]]
	if games.Seat(n.seat) == games.Chance {
		lo := int(n.first) - t.actions
		return m.external(n.child+int32(m.draw(t.odds[lo:lo+int(n.count)])), seat)
	}
	at := len(m.stack)
	defer func() { m.stack = m.stack[:at] }()
	strategy := m.strategy(n)
	if games.Seat(n.seat) != seat {
		if games.Seat(n.seat) == (seat+1)%games.Seat(t.Info.Seats) {
			for a, p := range strategy {
				m.sums[int(n.first)+a] += p
			}
		}
		return m.external(n.child+int32(m.draw(strategy)), seat)
	}
	values := len(m.stack)
	m.stack = append(m.stack, strategy...)
	v := 0.0
	for a := range n.count {
		x := m.external(n.child+a, seat)
		m.stack[values+int(a)] = x
		v += m.stack[at+int(a)] * x
	}
	for a, x := range m.stack[values : values+int(n.count)] {
		m.regrets[int(n.first)+a] += x - v
	}
	return v
}

// episode samples one history and returns the seat's value of the node, and is
// given the probabilities with which the seat, everybody else, and the sampling
// came here. With q the sampling's probability of the action taken,
//
//	v(I,a) = v(next)/q for the action taken, 0 for the others
//	R(I,a) += π₋ᵢ/s·(v(I,a) − Σ_b σ(I,b)·v(I,b)),  S(I,a) += πᵢ/s·σ(I,a)
//
// where s is the sampling's probability of the history up to here.
func (m *MCCFR) episode(id int32, seat games.Seat, own, others, sampled float64) float64 {
	t := m.tree
	if m.index[id] < 0 {
		return m.payoff(^m.index[id], seat)
	}
	n := &t.inner[m.index[id]]
	if games.Seat(n.seat) == games.Chance {
		lo := int(n.first) - t.actions
		odds := t.odds[lo : lo+int(n.count)]
		a := m.draw(odds)
		return m.episode(n.child+int32(a), seat, own, others*odds[a], sampled*odds[a])
	}
	at := len(m.stack)
	defer func() { m.stack = m.stack[:at] }()
	strategy := m.strategy(n)
	if games.Seat(n.seat) != seat {
		a := m.draw(strategy)
		p := strategy[a]
		return m.episode(n.child+int32(a), seat, own, others*p, sampled*p)
	}
	uniform := m.epsilon / float64(n.count)
	var a int
	if m.random.Float64() < m.epsilon {
		a = m.random.IntN(int(n.count))
	} else {
		a = m.draw(strategy)
	}
	p := strategy[a]
	q := uniform + (1-m.epsilon)*p
	x := m.episode(n.child+int32(a), seat, own*p, others, sampled*q) / q
	strategy = m.stack[at : at+int(n.count)] // the stack may have moved
	v := p * x
	for b := range strategy {
		value := 0.0
		if b == a {
			value = x
		}
		m.regrets[int(n.first)+b] += others / sampled * (value - v)
		m.sums[int(n.first)+b] += own / sampled * strategy[b]
	}
	return v
}
