package mcts

import (
	"math"
	"math/bits"

	"github.com/agon-rl/agon/games"
)

// GumbelScale holds Gumbel search's constants: values q, scaled to [0, 1] over
// a node, are weighed against log-probabilities as
//
//	σ(q) = (Visit + maxᵦ n(b))·Value·q
//
// and Noise multiplies the Gumbel draws at the root; 0 makes the search
// deterministic (Danihelka et al. 2022, "Policy improvement by planning with
// Gumbel", eq. 8 and section 3.4; the constants are mctx's).
type GumbelScale struct {
	Visit, Value, Noise float64
}

// gumbelRoot is what sequential halving keeps of a search.
type gumbelRoot struct {
	rule     Rule
	noise    []float64 // by root action: the Gumbel draw
	schedule []int32   // by simulation: how often the action it takes was taken before
	scratch  []float64
}

func (g *gumbelRoot) begun() bool { return len(g.noise) > 0 }

// begin draws the noise and fixes the schedule for a number of simulations.
func (g *gumbelRoot) begin(t *Tree, simulations int) {
	count := int(t.nodes[Root].count)
	g.noise = make([]float64, count)
	for i := range g.noise {
		g.noise[i] = -g.rule.Scale.Noise * math.Log(-math.Log(1-t.random.Float64()))
	}
	g.schedule = halving(min(g.rule.Considered, count), simulations)
}

// halving is the schedule of sequential halving (Karnin et al. 2013) as mctx
// has it: m actions are each taken equally often, then the better half of
// them, and so on down to two, in about log₂ m phases of equal length. An entry
// says how many visits the action taken has had before.
func halving(m, simulations int) []int32 {
	out := make([]int32, 0, simulations+m)
	phases := max(1, bits.Len(uint(m-1))) // ⌈log₂ m⌉
	visits := int32(0)
	for considered := m; len(out) < simulations; considered = max(min(m, 2), considered/2) {
		for range max(1, simulations/(phases*considered)) {
			for range considered {
				out = append(out, visits)
			}
			visits++
		}
	}
	return out[:simulations]
}

// gumbelPick is the rule's choice at a node.
func (t *Tree) gumbelPick(r *Rule, at NodeID) int32 {
	if at == Root {
		return t.halve()
	}
	return t.behind(r, at)
}

// halve takes, of the root's actions that have had as many visits as the
// schedule says, the one of the highest g + log P + σ(q).
func (t *Tree) halve() int32 {
	g := t.gumbel
	taken := int32(0)
	for _, e := range t.edgesOf(Root) {
		taken += e.visits
	}
	due := int32(math.MaxInt32) // beyond the schedule, the best goes on
	if int(taken) < len(g.schedule) {
		due = g.schedule[taken]
	}
	return t.topScore(due)
}

// topScore returns the root action of the highest g + log P + σ(q) among those
// with the given visits; of the most visited where there is none.
func (t *Tree) topScore(visits int32) int32 {
	edges := t.edgesOf(Root)
	most := int32(0)
	found := false
	for i := range edges {
		most = max(most, edges[i].visits)
		found = found || edges[i].visits == visits
	}
	if !found {
		visits = most
	}
	q := t.completed(&t.gumbel.rule, Root)
	best, high := 0, math.Inf(-1)
	for i := range edges {
		if edges[i].visits != visits {
			continue
		}
		if score := t.gumbel.noise[i] + logPrior(&edges[i]) + q[i]; score > high {
			best, high = i, score
		}
	}
	return int32(best)
}

// best is the action that the search ends with: of the most visited the one of
// the highest score.
func (g *gumbelRoot) best(t *Tree) games.Action {
	return t.edgesOf(Root)[t.topScore(math.MaxInt32)].action
}

// behind takes the action with the largest π′(a) − n(a)/(1 + Σn), π′ being the
// improved policy.
func (t *Tree) behind(r *Rule, at NodeID) int32 {
	p := t.completed(r, at)
	edges := t.edgesOf(at)
	t.softmax(edges, p)
	sum := int32(0)
	for i := range edges {
		sum += edges[i].visits
	}
	share := 1 / float64(1+sum)
	best, high := 0, math.Inf(-1)
	for i := range edges {
		if score := p[i] - float64(edges[i].visits)*share; score > high {
			best, high = i, score
		}
	}
	return int32(best)
}

// improved writes softmax(log P + σ(q)), the improved policy.
func (t *Tree) improved(at NodeID, p []float64) {
	copy(p, t.completed(&t.gumbel.rule, at))
	t.softmax(t.edgesOf(at), p)
}

func (t *Tree) softmax(edges []edge, p []float64) {
	high, sum := math.Inf(-1), 0.0
	for i := range edges {
		p[i] += logPrior(&edges[i])
		high = max(high, p[i])
	}
	for i := range p {
		p[i] = math.Exp(p[i] - high)
		sum += p[i]
	}
	for i := range p {
		p[i] /= sum
	}
}

func logPrior(e *edge) float64 { return math.Log(max(float64(e.prior), 1e-38)) }

// completed returns σ(q) for every action of a node; the slice is valid until
// the next call. Untried actions get the mixed value (eq. 33 of the paper's
// appendix D):
//
//	( v̂ + Σn · Σ P·q / Σ P ) / (1 + Σn), over the tried actions
func (t *Tree) completed(r *Rule, at NodeID) []float64 {
	n := &t.nodes[at]
	edges := t.edges[n.first : n.first+n.count]
	visits, most, weight, weighted := 0.0, int32(0), 0.0, 0.0
	for i := range edges {
		if e := &edges[i]; e.visits > 0 {
			visits += float64(e.visits)
			most = max(most, e.visits)
			p := max(float64(e.prior), 1e-38)
			weight += p
			weighted += p * e.mean()
		}
	}
	mixed := float64(n.value)
	if weight > 0 {
		mixed = (mixed + visits*weighted/weight) / (1 + visits)
	}
	g := t.gumbel
	q := g.scratch[:0]
	low, high := math.Inf(1), math.Inf(-1)
	for i := range edges {
		x := mixed
		if e := &edges[i]; e.visits > 0 {
			x = e.mean()
		}
		low, high = min(low, x), max(high, x)
		q = append(q, x)
	}
	scale := (r.Scale.Visit + float64(most)) * r.Scale.Value / max(high-low, 1e-8)
	for i := range q {
		q[i] = (q[i] - low) * scale
	}
	g.scratch = q
	return q
}
