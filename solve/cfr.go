package solve

import (
	"context"
	"slices"

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
// Games with Incomplete Information"). It belongs to one goroutine at a time.
type CFR struct {
	tree    *Tree
	variant Variant
	done    int

	current Strategy    // regret matching on the regrets, then the tree's odds
	regrets []float64   // by strategy entry
	sums    []float64   // by strategy entry: the average's numerator
	reach   []float64   // by sequence: the probability that its seat plays it
	value   [][]float64 // by seat, by node: the seat's expected return below
}

// NewCFR prepares a solver, which starts from the uniform strategy.
func NewCFR(t *Tree, v Variant) *CFR {
	uniform := t.Uniform()
	c := &CFR{
		tree: t, variant: v, current: slices.Concat(uniform, t.odds),
		regrets: make([]float64, t.actions), sums: make([]float64, t.actions),
		reach: t.reach(uniform), value: make([][]float64, t.Info.Seats),
	}
	for seat := range c.value {
		c.value[seat] = make([]float64, t.nodes)
		for i, id := range t.ends.id {
			c.value[seat][id] = t.ends.payoff[i*t.Info.Seats+seat]
		}
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
		for seat := range games.Seat(c.tree.Info.Seats) {
			c.accumulate(seat)
			c.learn(seat)
			if !c.variant.Simultaneous {
				c.match(seat)
			}
		}
		if c.variant.Simultaneous {
			for seat := range games.Seat(c.tree.Info.Seats) {
				c.match(seat)
			}
		}
	}
	return nil
}

// accumulate adds a seat's strategy to its average, with weight w:
//
//	S(I,a) += w·πᵢ(I)·σ(I,a)
func (c *CFR) accumulate(seat games.Seat) {
	weight := 1.0
	if c.variant.Plus {
		weight = float64(c.done)
	}
	for _, set := range c.tree.own[seat] {
		for a := set.first; a < set.last; a++ {
			c.sums[a] += float64(weight * c.reach[a])
		}
	}
}

// learn passes the seat's expected returns up the tree and adds, at its own
// nodes, to the regrets:
//
//	R(I,a) += π₋ᵢ(h)·(v(h·a) − v(h))
//
// Where a regret is zero but for rounding, the order of the arithmetic decides
// what regret matching makes of it. This order is OpenSpiel's: nodes as a
// depth-first walk leaves them, seats' probabilities multiplied in turn, chance
// last. The conversions keep a product and a sum from being fused, so that
// every processor computes the same.
func (c *CFR) learn(seat games.Seat) {
	t := c.tree
	value, seats := c.value[seat], t.Info.Seats
	for i := range t.inner {
		n := &t.inner[i]
		children := value[n.child : n.child+n.count]
		v := 0.0
		for a, p := range c.current[n.first : n.first+n.count] {
			v += float64(p * children[a])
		}
		value[n.id] = v
		if games.Seat(n.seat) != seat {
			continue
		}
		others := 1.0
		for other, sequence := range t.before[i*seats : (i+1)*seats] {
			if games.Seat(other) != seat {
				others *= c.reach[sequence]
			}
		}
		others *= n.chance
		regrets := c.regrets[n.first : n.first+n.count]
		for a, child := range children {
			regrets[a] += float64(others * (child - v))
		}
	}
}

// match sets a seat's strategy in proportion to its positive regrets.
func (c *CFR) match(seat games.Seat) {
	for _, set := range c.tree.own[seat] {
		regrets := c.regrets[set.first:set.last]
		if c.variant.Plus {
			for a, r := range regrets {
				regrets[a] = max(r, 0)
			}
		}
		proportional(c.current[set.first:set.last], regrets)
	}
	c.tree.realise(c.current, c.reach, seat)
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
	out := make(Strategy, c.tree.actions)
	for _, set := range c.tree.Sets {
		lo, hi := set.First, set.First+len(set.Actions)
		proportional(out[lo:hi], c.sums[lo:hi])
	}
	return out
}
