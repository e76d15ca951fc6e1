package solve

import (
	"context"
	"math"
	"slices"

	"github.com/agon-rl/agon/games"
)

// Variant says which counterfactual regret minimisation is run. The zero value
// is CFR as Zinkevich et al. 2007 have it, with alternating updates.
type Variant struct {
	// Simultaneous updates all seats from the same strategies; the default
	// updates one seat after the other, as OpenSpiel does.
	Simultaneous bool
	// Plus floors cumulative regrets at zero after each update (regret
	// matching+; Tammelin 2014, arXiv 1407.5042).
	Plus bool
	// Predictive plays against the cumulative regrets with the latest ones
	// counted twice, as a prediction of the next (PCFR+; Farina et al. 2021,
	// arXiv 2007.14358).
	Predictive bool
	// Average weights iteration t's strategy with t^Average in the average.
	Average float64
	// Discount, if not nil, is (α, β): after iteration t positive regrets are
	// multiplied by t^α/(t^α+1), negative ones by t^β/(t^β+1) (discounted CFR;
	// Brown & Sandholm 2019, arXiv 1809.04040).
	Discount *[2]float64
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
	latest  []float64   // by strategy entry: the regrets of this iteration; predictive variants only
	sums    []float64   // by strategy entry: the average's numerator
	reach   []float64   // by sequence: the probability that its seat plays it
	value   [][]float64 // by seat, by node: the seat's expected return below
	work    *work
}

// NewCFR prepares a solver, which starts from the uniform strategy.
func NewCFR(t *Tree, v Variant) *CFR {
	uniform := t.Uniform()
	c := &CFR{
		tree: t, variant: v, current: slices.Concat(uniform, t.odds),
		regrets: make([]float64, t.actions), sums: make([]float64, t.actions),
		reach: t.reach(uniform), value: make([][]float64, t.Info.Seats),
	}
	if v.Predictive {
		c.latest = make([]float64, t.actions)
	}
	for seat := range c.value {
		c.value[seat] = make([]float64, t.nodes)
		for i, id := range t.ends.id {
			c.value[seat][id] = t.ends.payoff[i*t.Info.Seats+seat]
		}
	}
	c.work = newWork(c)
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
			c.learn(seat)
			if !c.variant.Simultaneous {
				c.tree.realise(c.current, c.reach, seat)
			}
		}
		if c.variant.Simultaneous {
			for seat := range games.Seat(c.tree.Info.Seats) {
				for _, set := range c.tree.own[seat] {
					c.match(set)
				}
				c.tree.realise(c.current, c.reach, seat)
			}
		}
	}
	return nil
}

// accumulate adds a seat's strategy in a set to its average, with weight w:
//
//	S(I,a) += w·πᵢ(I)·σ(I,a)
func (c *CFR) accumulate(set span) {
	weight := power(c.done, c.variant.Average)
	for a := set.first; a < set.last; a++ {
		c.sums[a] += float64(weight * c.reach[a])
	}
}

// learn passes the seat's expected returns up the tree, and updates its
// information sets by them. Where a regret is zero but for rounding, the order of
// the arithmetic decides what regret matching makes of it. This order is
// OpenSpiel's: nodes as a depth-first walk leaves them, seats' probabilities
// multiplied in turn, chance last. The conversions keep a product and a sum
// from being fused. So every processor computes the same, and any number of
// them: which goroutine does a node or an information set changes nothing.
func (c *CFR) learn(seat games.Seat) {
	c.work.seat = seat
	c.work.each(c.work.values)
	for _, i := range c.work.top {
		c.evaluate(seat, int(i), int(i)+1)
	}
	c.work.each(c.work.updates)
}

// evaluate sets the expected returns of the inner nodes lo to hi, which come
// after their children.
func (c *CFR) evaluate(seat games.Seat, lo, hi int) {
	value := c.value[seat]
	for i := lo; i < hi; i++ {
		n := &c.tree.inner[i]
		children := value[n.child : n.child+n.count]
		v := 0.0
		for a, p := range c.current[n.first : n.first+n.count] {
			v += float64(p * children[a])
		}
		value[n.id] = v
	}
}

// update does all of an iteration that concerns one information set.
func (c *CFR) update(seat games.Seat, o occurrence) {
	c.accumulate(o.set)
	c.regret(seat, o)
	if !c.variant.Simultaneous { // the others still play against the old strategy
		c.match(o.set)
	}
}

// regret adds to the regrets of an information set of the seat, with h its
// nodes:
//
//	R(I,a) += π₋ᵢ(h)·(v(h·a) − v(h))
func (c *CFR) regret(seat games.Seat, o occurrence) {
	t, value, seats := c.tree, c.value[seat], c.tree.Info.Seats
	regrets := c.regrets[o.set.first:o.set.last]
	if c.variant.Predictive {
		regrets = c.latest[o.set.first:o.set.last]
		clear(regrets)
	}
	for _, i := range o.nodes {
		n := &t.inner[i]
		others := 1.0
		for other, sequence := range t.before[int(i)*seats : (int(i)+1)*seats] {
			if games.Seat(other) != seat {
				others *= c.reach[sequence]
			}
		}
		others *= n.chance
		v := value[n.id]
		for a, child := range value[n.child : n.child+n.count] {
			regrets[a] += float64(others * (child - v))
		}
	}
}

// match sets the strategy of an information set in proportion to its positive
// regrets.
func (c *CFR) match(set span) {
	regrets, strategy := c.regrets[set.first:set.last], c.current[set.first:set.last]
	if c.variant.Predictive {
		for a, r := range c.latest[set.first:set.last] {
			regrets[a] += r
		}
	}
	if c.variant.Plus {
		for a, r := range regrets {
			regrets[a] = max(r, 0)
		}
	}
	if c.variant.Discount != nil {
		positive, negative := c.discounts()
		for a, r := range regrets {
			if r >= 0 {
				regrets[a] = r * positive
			} else {
				regrets[a] = r * negative
			}
		}
	}
	if c.variant.Predictive {
		for a, r := range c.latest[set.first:set.last] {
			strategy[a] = regrets[a] + r
		}
		proportional(strategy, strategy)
	} else {
		proportional(strategy, regrets)
	}
}

// discounts returns t^α/(t^α+1) and t^β/(t^β+1).
func (c *CFR) discounts() (positive, negative float64) {
	d := c.variant.Discount
	if d == nil {
		return 1, 1
	}
	a, b := power(c.done, d[0]), power(c.done, d[1])
	return a / (a + 1), b / (b + 1)
}

// power returns t^y, correctly rounded for halves as C's pow is and math.Pow is
// not: regrets that are zero but for rounding make the last bit matter.
func power(t int, y float64) float64 {
	x := float64(t)
	switch {
	case y == 0:
		return 1
	case y == 1:
		return x
	case y == 2:
		return x * x
	case y != 1.5:
		return math.Pow(x, y)
	}
	// x·√x with what rounding takes from the root and from the product added.
	root := math.Sqrt(x)
	lost := math.FMA(-root, root, x) / (2 * root)
	product := x * root
	return product + (math.FMA(x, root, -product) + x*lost)
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

// Strategy implements Solver: the average strategy.
func (c *CFR) Strategy() Strategy {
	out := make(Strategy, c.tree.actions)
	for _, set := range c.tree.Sets {
		lo, hi := set.First, set.First+len(set.Actions)
		proportional(out[lo:hi], c.sums[lo:hi])
	}
	return out
}
