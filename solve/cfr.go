package solve

import (
	"context"

	"github.com/agon-rl/agon/games"
)

// Variant says which counterfactual regret minimisation is run.
type Variant struct {
	// Plus floors cumulative regrets at zero after each update and weights
	// the average by the iteration (CFR+, Tammelin 2014, arXiv 1407.5042).
	Plus bool
	// Simultaneous updates all seats from the same strategies; the default
	// updates one seat after the other, as OpenSpiel does.
	Simultaneous bool
}

// CFR is a solver under way. Its average strategy approaches an equilibrium of
// a two-seat zero-sum game (Zinkevich et al. 2007, "Regret Minimization in
// Games with Incomplete Information").
type CFR struct {
	tree    *Tree
	variant Variant
	done    int

	current Strategy  // regret matching on the regrets
	regrets []float64 // by strategy entry
	sums    []float64 // by strategy entry: the average's numerator

	reach [][]float64 // by seat, by node: the probability that the seat's own actions lead there
	value []float64   // by node: the updated seat's expected return below
}

// NewCFR prepares a solver, which starts from the uniform strategy.
func NewCFR(t *Tree, v Variant) *CFR {
	c := &CFR{
		tree: t, variant: v, current: t.Uniform(),
		regrets: make([]float64, t.actions), sums: make([]float64, t.actions),
		reach: make([][]float64, t.Info.Seats), value: make([]float64, t.Nodes()),
	}
	for seat := range c.reach {
		c.reach[seat] = make([]float64, t.Nodes())
	}
	return c
}

// Iterations is how many are done.
func (c *CFR) Iterations() int { return c.done }

// Iterate does n more iterations, or fewer where the context ends.
func (c *CFR) Iterate(ctx context.Context, n int) error {
	for range n {
		if err := ctx.Err(); err != nil {
			return err
		}
		c.done++
		for seat := range c.tree.Info.Seats {
			c.descend()
			c.ascend(games.Seat(seat))
			c.learn(games.Seat(seat))
			if !c.variant.Simultaneous {
				c.match(games.Seat(seat))
			}
		}
		for seat := range c.tree.Info.Seats {
			if c.variant.Simultaneous {
				c.match(games.Seat(seat))
			}
		}
	}
	return nil
}

// descend passes every seat's probability of reaching each node down the tree.
func (c *CFR) descend() {
	t := c.tree
	for _, reach := range c.reach {
		reach[0] = 1
	}
	for id, turn := range t.seat {
		if turn == games.Over {
			continue
		}
		children := t.child[t.edge[id]:t.edge[id+1]]
		for seat, reach := range c.reach {
			r := reach[id]
			if games.Seat(seat) != turn {
				for _, child := range children {
					reach[child] = r
				}
				continue
			}
			first := t.Sets[t.set[id]].First
			for i, p := range c.current[first : first+len(children)] {
				reach[children[i]] = r * p
			}
		}
	}
}

// ascend passes the seat's expected returns up the tree.
func (c *CFR) ascend(seat games.Seat) {
	t := c.tree
	for id := len(t.seat) - 1; id >= 0; id-- {
		if f := t.final[id]; f >= 0 {
			c.value[id] = t.payoff[int(f)*t.Info.Seats+int(seat)]
			continue
		}
		value := 0.0
		for i, p := range t.probabilities(c.current, int32(id)) {
			value += p * c.value[t.child[int(t.edge[id])+i]]
		}
		c.value[id] = value
	}
}

// learn adds, at the seat's own nodes, to the regrets and to the average:
//
//	R(I,a) += π₋ᵢ(h)·(v(h·a) − v(h)),  S(I,a) += w·πᵢ(h)·σ(I,a)
//
// Nodes are taken in the order of a depth-first walk and products in that of
// the seats, chance last: where a regret is zero but for rounding, the order
// decides, and this one is OpenSpiel's.
func (c *CFR) learn(seat games.Seat) {
	t := c.tree
	weight := 1.0
	if c.variant.Plus {
		weight = float64(c.done)
	}
	for id, turn := range t.seat {
		if turn != seat {
			continue
		}
		others := 1.0
		for other, reach := range c.reach {
			if games.Seat(other) != seat {
				others *= reach[id]
			}
		}
		others *= t.chance[id]
		own := weight * c.reach[seat][id]
		first := t.Sets[t.set[id]].First
		for i, child := range t.child[t.edge[id]:t.edge[id+1]] {
			c.regrets[first+i] += others * (c.value[child] - c.value[id])
			c.sums[first+i] += own * c.current[first+i]
		}
	}
}

// match sets a seat's strategy in proportion to its positive regrets.
func (c *CFR) match(seat games.Seat) {
	for i := range c.tree.Sets {
		set := &c.tree.Sets[i]
		if set.Seat != seat {
			continue
		}
		lo, hi := set.First, set.First+len(set.Actions)
		if c.variant.Plus {
			for j, r := range c.regrets[lo:hi] {
				c.regrets[lo+j] = max(r, 0)
			}
		}
		proportional(c.current[lo:hi], c.regrets[lo:hi])
	}
}

// proportional overwrites dst with the positive parts of weights as
// probabilities, uniform where there are none.
func proportional(dst, weights []float64) {
	sum := 0.0
	for _, w := range weights {
		sum += max(w, 0)
	}
	for i, w := range weights {
		if sum > 0 {
			dst[i] = max(w, 0) / sum
		} else {
			dst[i] = 1 / float64(len(dst))
		}
	}
}

// Average returns the average strategy.
func (c *CFR) Average() Strategy {
	out := make(Strategy, len(c.sums))
	for _, set := range c.tree.Sets {
		lo, hi := set.First, set.First+len(set.Actions)
		proportional(out[lo:hi], c.sums[lo:hi])
	}
	return out
}
