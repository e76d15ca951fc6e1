package solve

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/agon-rl/agon/games"
)

// LinearProgram solves the sequence form (Koller, Megiddo & von Stengel 1994,
// "Fast Algorithms for Finding Randomized Strategies in Game Trees"): with
// realisation plans x and y, payoffs M to the first seat and the plans'
// constraints Ex = e, Fy = f, an equilibrium is a solution of
//
//	z = Eᵀw − My ≥ 0,  x ≥ 0,  x·z = 0,  Ex = e
//	s = Mᵀx − Fᵀu ≥ 0,  y ≥ 0,  y·s = 0,  Fy = f
//
// A primal-dual interior point method with Mehrotra's predictor and corrector
// (1992, "On the Implementation of a Primal-Dual Interior Point Method") finds
// it in some tens of iterations; the gap x·z + y·s bounds NashConv. Its linear
// systems are symmetric quasi-definite and sparse. They are eliminated from
// the end of the game to its start, which keeps them sparse: what lies behind
// one history does not meet what lies behind another.
type LinearProgram struct {
	tree *Tree
	done int
	over bool

	sides    [2]side
	payoff   []triplet // M, by the sides' sequences
	factor   *ldl
	rank     []int32   // by unknown: its row in the factor
	diagonal []int32   // by row: where its diagonal is among the factor's values
	sign     []float64 // by row: that of its block
	delta    float64   // the regularisation
	best     Strategy  // of the smallest gap
	gap      float64
	stale    int     // iterations since the best
	scale    float64 // of the game's payoffs: the largest, the program's unit
}

// side is one seat's half of the problem.
type side struct {
	sequences []int32 // as the tree numbers them; the empty one first
	local     []int32 // by the tree's sequence: its number here
	sets      []span
	x, slack  []float64 // plan and its slack, by sequence
	dual      []float64 // by set, the constraint of the empty sequence first
	at        int32     // unknowns: sequences from rank[at] …
	dualAt    int32     // … and duals from rank[dualAt]
}

// factorLimit bounds the factors: about a gigabyte.
const factorLimit = 80_000_000

// The regularisation δ is added to the system's diagonal with the sign that the
// block has. Each step is then that of a proximal point problem (Friedlander &
// Orban 2012, "A Primal-Dual Regularized Interior-Point Method for Convex
// Quadratic Programs"), and pivots stay away from zero where a plan and its
// slack do not. It grows, up to a bound, where pivots are lost all the same.
const (
	leastRegularisation = 1e-8
	mostRegularisation  = 1e-4
)

// NewLinearProgram prepares the program of a two-seat zero-sum game.
func NewLinearProgram(t *Tree) (*LinearProgram, error) {
	if err := t.twoSeats("lp"); err != nil {
		return nil, err
	}
	l := &LinearProgram{tree: t, gap: math.Inf(1), delta: leastRegularisation}
	for seat := range l.sides {
		s := &l.sides[seat]
		s.sets = t.own[seat]
		s.sequences, s.local = []int32{t.empty()}, make([]int32, t.actions+1)
		for _, set := range s.sets {
			for a := set.first; a < set.last; a++ {
				s.local[a] = int32(len(s.sequences))
				s.sequences = append(s.sequences, a)
			}
		}
		s.x, s.slack = make([]float64, len(s.sequences)), make([]float64, len(s.sequences))
		s.dual = make([]float64, len(s.sets)+1)
	}
	l.payoff = t.matrix(l.sides[0].local, l.sides[1].local)
	for _, e := range l.payoff {
		l.scale = max(l.scale, math.Abs(e.value))
	}
	for i := range l.payoff { // the program is the same in any unit, the regularisation is not
		l.payoff[i].value /= cmp.Or(l.scale, 1)
	}
	l.start()
	if err := l.pattern(); err != nil {
		return nil, err
	}
	l.judge()
	return l, nil
}

// matrix sums the ends' payoffs to the first seat by the sequences of the two.
func (t *Tree) matrix(first, second []int32) []triplet {
	index := map[[2]int32]int32{}
	var out []triplet
	for i, p := range t.ends.chance {
		key := [2]int32{first[t.ends.sequence[2*i]], second[t.ends.sequence[2*i+1]]}
		at, met := index[key]
		if !met {
			at = int32(len(out))
			index[key] = at
			out = append(out, triplet{row: key[0], column: key[1]})
		}
		out[at].value += p * t.ends.payoff[2*i]
	}
	return out
}

// gradients returns My and Mᵀx: what each sequence is worth against the other
// side's plan, to the first seat.
func (l *LinearProgram) gradients(x, y []float64) (my, mx []float64) {
	my, mx = make([]float64, len(x)), make([]float64, len(y))
	for _, e := range l.payoff {
		my[e.row] += e.value * y[e.column]
		mx[e.column] += e.value * x[e.row]
	}
	return my, mx
}

// start puts the plans where every sequence has a share that its followers
// leave it, and the slacks where all products with their plans are equal: on
// the central path but for the equations of the slacks, which the steps mend.
func (l *LinearProgram) start() {
	for i := range l.sides {
		s := &l.sides[i]
		size := make([]float64, len(s.x)) // of a sequence: the most leaves that share its mass
		behind := make([]float64, len(s.x))
		for _, set := range slices.Backward(s.sets) {
			sum := 0.0
			for a := set.first; a < set.last; a++ {
				q := s.local[a]
				size[q] = max(1, behind[q])
				sum += size[q]
			}
			behind[s.local[set.after]] = max(behind[s.local[set.after]], sum)
		}
		s.x[0] = 1
		for _, set := range s.sets {
			sum := 0.0
			for a := set.first; a < set.last; a++ {
				sum += size[s.local[a]]
			}
			for a := set.first; a < set.last; a++ {
				s.x[s.local[a]] = s.x[s.local[set.after]] * size[s.local[a]] / sum
			}
		}
		for q, x := range s.x {
			s.slack[q] = 1 / x
		}
	}
}

// constraint calls visit with the entries of E or F: by dual and sequence.
func (s *side) constraint(visit func(dual, sequence int32, value float64)) {
	visit(0, 0, 1)
	for k, set := range s.sets {
		for a := set.first; a < set.last; a++ {
			visit(int32(k+1), s.local[a], 1)
		}
		visit(int32(k+1), s.local[set.after], -1)
	}
}

// pattern orders the unknowns and analyses the Newton system
//
//	[ z/x+δ   −M     Eᵀ   0  ] [Δx]
//	[ −Mᵀ   −s/y−δ   0    Fᵀ ] [Δy]
//	[ E       0     −δ    0  ] [Δw]
//	[ 0       F      0    δ  ] [Δu]
//
// δ being the regularisation.
func (l *LinearProgram) pattern() error {
	rank := l.order()
	var entries []triplet
	add := func(i, j int32, value float64) {
		i, j = rank[i], rank[j]
		entries = append(entries, triplet{min(i, j), max(i, j), value})
	}
	a, b := &l.sides[0], &l.sides[1]
	for _, e := range l.payoff {
		add(a.at+e.row, b.at+e.column, -e.value)
	}
	for i := range l.sides {
		s := &l.sides[i]
		s.constraint(func(dual, sequence int32, value float64) { add(s.dualAt+dual, s.at+sequence, value) })
	}
	for i := range rank {
		add(int32(i), int32(i), 0)
	}
	l.sign = make([]float64, len(rank))
	for i := range l.sides {
		s, sign := &l.sides[i], float64(1-2*i)
		for q := range s.x {
			l.sign[rank[s.at+int32(q)]] = sign
		}
		for k := range s.dual {
			l.sign[rank[s.dualAt+int32(k)]] = -sign
		}
	}
	var err error
	if l.factor, err = newLDL(len(rank), entries, factorLimit); err != nil {
		return err
	}
	l.rank = rank
	l.diagonal = make([]int32, len(rank))
	for k := range rank {
		l.diagonal[k] = l.factor.start[k+1] - 1 // the last of its column
	}
	return nil
}

// order numbers the unknowns: sequences and duals by how late in the game they
// are, the latest first.
func (l *LinearProgram) order() []int32 {
	t := l.tree
	depth := t.depths()
	a, b := &l.sides[0], &l.sides[1]
	a.at, b.at = 0, int32(len(a.x))
	a.dualAt = b.at + int32(len(b.x))
	b.dualAt = a.dualAt + int32(len(a.dual))
	late := make([]int32, int(b.dualAt)+len(b.dual))
	for i := range l.sides {
		s := &l.sides[i]
		for k, set := range s.sets {
			d := depth[set.first]
			late[s.dualAt+int32(k+1)] = 2 * d
			for q := set.first; q < set.last; q++ {
				late[s.at+s.local[q]] = 2*d + 1
			}
		}
		late[s.dualAt], late[s.at] = -2, -1
	}
	order := make([]int32, len(late))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortStableFunc(order, func(i, j int32) int { return int(late[j] - late[i]) })
	rank := make([]int32, len(order))
	for r, i := range order {
		rank[i] = int32(r)
	}
	return rank
}

// depths returns, by action, how many moves the first history of its set has.
func (t *Tree) depths() []int32 {
	out := make([]int32, t.actions)
	depth := make([]int32, t.nodes)
	for _, n := range slices.Backward(t.inner) { // parents before children
		for c := n.child; c < n.child+n.count; c++ {
			depth[c] = depth[n.id] + 1
		}
		if games.Seat(n.seat) != games.Chance {
			for a := n.first; a < n.first+n.count; a++ {
				out[a] = depth[n.id]
			}
		}
	}
	return out
}

// Iterations implements Solver.
func (l *LinearProgram) Iterations() int { return l.done }

// Iterate implements Solver. It ends early once the gap is as small as double
// precision makes it.
func (l *LinearProgram) Iterate(ctx context.Context, n int) error {
	for range n {
		if l.over {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := l.step(); err != nil {
			return err
		}
		l.done++
	}
	return nil
}

// complementarity is x·z + y·s.
func (l *LinearProgram) complementarity() float64 {
	sum := 0.0
	for i := range l.sides {
		for q, x := range l.sides[i].x {
			sum += x * l.sides[i].slack[q]
		}
	}
	return sum
}

// direction is a Newton step of both sides.
type direction struct{ x, slack, dual [2][]float64 }

// step is one iteration: the affine step tells how far the gap can fall, and
// the corrector aims there along the central path.
func (l *LinearProgram) step() error {
	count := float64(len(l.sides[0].x) + len(l.sides[1].x))
	gap := l.complementarity()
	if err := l.factorise(); err != nil {
		l.over = l.gap <= 1e-9*l.scale // which is all that rounding leaves
		if l.over {
			return nil
		}
		return err
	}
	affine := l.newton(func(i, q int) float64 { return -l.sides[i].x[q] * l.sides[i].slack[q] })
	reached := l.after(affine, l.longest(affine))
	ratio := reached / gap
	centre := ratio * ratio * ratio * gap / count
	d := l.newton(func(i, q int) float64 {
		return centre - l.sides[i].x[q]*l.sides[i].slack[q] - affine.x[i][q]*affine.slack[i][q]
	})
	length := min(1, 0.999*l.longest(d))
	for i := range l.sides {
		s := &l.sides[i]
		add(s.x, length, d.x[i])
		add(s.slack, length, d.slack[i])
		add(s.dual, length, d.dual[i])
	}
	l.judge()
	l.over = l.over || length < 1e-8
	return nil
}

// judge keeps the plans if they are the best so far, by what best responses
// gain. It ends the iterations where that is all rounding, or grows no less.
func (l *LinearProgram) judge() {
	plan := make([]float64, l.tree.actions+1)
	for i := range l.sides {
		for q, x := range l.sides[i].x {
			plan[l.sides[i].sequences[q]] = x
		}
	}
	now := -l.tree.Info.Sum
	for seat := range games.Seat(2) {
		worth := l.tree.worth(plan, seat)
		for _, set := range slices.Backward(l.tree.own[seat]) {
			worth[set.after] += slices.Max(worth[set.first:set.last])
		}
		now += worth[l.tree.empty()]
	}
	if now < l.gap {
		l.gap, l.best, l.stale = now, l.tree.behaviour(plan), 0
	} else {
		l.stale++
	}
	l.over = l.gap <= 1e-13*l.scale || l.stale > 5
}

// factorise factorises the system at the current point.
func (l *LinearProgram) factorise() error {
	for ; ; l.delta *= 100 {
		for r, sign := range l.sign {
			l.factor.value[l.diagonal[r]] = sign * l.delta
		}
		for i := range l.sides {
			s := &l.sides[i]
			for q := range s.x {
				r := l.rank[s.at+int32(q)]
				l.factor.value[l.diagonal[r]] += l.sign[r] * s.slack[q] / s.x[q]
			}
		}
		err := l.factor.factorise(l.sign)
		if err == nil {
			return nil
		}
		if l.delta >= mostRegularisation {
			return fmt.Errorf("the linear program of %s, gap %.2g: %w", l.tree.Info.Name, l.gap, err)
		}
	}
}

func add(to []float64, factor float64, by []float64) {
	for i, x := range by {
		to[i] += factor * x
	}
}

// longest is the largest step that keeps plans and slacks from being negative.
func (l *LinearProgram) longest(d direction) float64 {
	length := math.Inf(1)
	for i := range l.sides {
		for q := range l.sides[i].x {
			if dx := d.x[i][q]; dx < 0 {
				length = min(length, -l.sides[i].x[q]/dx)
			}
			if ds := d.slack[i][q]; ds < 0 {
				length = min(length, -l.sides[i].slack[q]/ds)
			}
		}
	}
	return length
}

// after is the gap after a step of the given length.
func (l *LinearProgram) after(d direction, length float64) float64 {
	length = min(1, length)
	sum := 0.0
	for i := range l.sides {
		s := &l.sides[i]
		for q := range s.x {
			sum += (s.x[q] + length*d.x[i][q]) * (s.slack[q] + length*d.slack[i][q])
		}
	}
	return sum
}

// newton solves the linearised conditions with the complementarity's right
// hand sides c: zΔx + xΔz = c. Residuals of the other conditions are carried
// along, so that rounding does not build up.
func (l *LinearProgram) newton(c func(side, sequence int) float64) direction {
	a, b := &l.sides[0], &l.sides[1]
	right := make([]float64, l.factor.n)
	my, mx := l.gradients(a.x, b.x)
	for i, worth := range [][]float64{my, mx} {
		// The residual of slack ∓ (Eᵀdual − worth), with the sides' signs.
		s, sign := &l.sides[i], float64(1-2*i)
		residual := make([]float64, len(s.x))
		for q := range residual {
			residual[q] = s.slack[q] + sign*worth[q]
		}
		s.constraint(func(dual, sequence int32, value float64) {
			residual[sequence] -= sign * value * s.dual[dual]
			right[l.rank[s.dualAt+dual]] -= value * s.x[sequence]
		})
		right[l.rank[s.dualAt]]++
		for q := range residual {
			right[l.rank[s.at+int32(q)]] = sign * (residual[q] + c(i, q)/s.x[q])
		}
	}
	solution := l.refined(right)
	var d direction
	for i := range l.sides {
		s := &l.sides[i]
		d.x[i], d.slack[i], d.dual[i] = make([]float64, len(s.x)), make([]float64, len(s.x)), make([]float64, len(s.dual))
		for q := range s.x {
			d.x[i][q] = solution[l.rank[s.at+int32(q)]]
			d.slack[i][q] = (c(i, q) - s.slack[q]*d.x[i][q]) / s.x[q]
		}
		for k := range s.dual {
			d.dual[i][k] = solution[l.rank[s.dualAt+int32(k)]]
		}
	}
	return d
}

// refined solves the system and takes the rounding of its factors out again.
func (l *LinearProgram) refined(right []float64) []float64 {
	x := slices.Clone(right)
	l.factor.solve(x)
	rest := l.factor.multiply(x)
	for i := range rest {
		rest[i] = right[i] - rest[i]
	}
	l.factor.solve(rest)
	add(x, 1, rest)
	return x
}

// Strategy implements Solver.
func (l *LinearProgram) Strategy() Strategy { return slices.Clone(l.best) }
