package mcts

import "github.com/agon-rl/agon/games"

// known appends the values of all seats, given that of one.
func (t *Tree) known(dst []float64, seat games.Seat, value float64) []float64 {
	if t.info.Seats == 1 || seat < 0 {
		seat = 0
	}
	for s := range games.Seat(t.info.Seats) {
		if s == seat {
			dst = append(dst, value)
		} else {
			dst = append(dst, t.bounds.sum-value)
		}
	}
	return dst
}

// proof returns the exact values of a node of which an edge has just been
// proven, and true, if the node is proven by that: somebody who is to move can
// reach the best there is, or has nothing open but proven edges. A chance node
// is proven by all of its outcomes. Else it returns the values given.
func (t *Tree) proof(at NodeID, values []float64) ([]float64, bool) {
	n := &t.nodes[at]
	edges := t.edgesOf(at)
	best, all, mean := -1.0, true, 0.0
	for i := range edges {
		e := &edges[i]
		if !e.proven() {
			all = false
			continue
		}
		best = max(best, e.mean())
		mean += float64(e.prior) * e.mean()
	}
	switch {
	case n.seat < 0 && (!all || t.info.Chance == games.Sampled):
		return values, false
	case n.seat < 0:
		return t.known(values[:0], 0, min(1, max(-1, mean))), true
	case all || best >= 1:
		return t.known(values[:0], games.Seat(n.seat), best), true
	}
	return values, false
}
