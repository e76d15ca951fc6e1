package mcts

import (
	"fmt"
	"math"
	"math/bits"
	"slices"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/internal/spec"
)

func init() {
	Rules.Add(spec.Entry[func(r *spec.Reader) Rule]{
		Name: "gumbel", Usage: "gumbel,considered=16,gumbel=1",
		Help: `sequential halving of so many actions at the root, below it the action that falls most behind the
improved policy; gumbel=0 takes out the noise (Danihelka et al. 2022)`,
		Value: func(r *spec.Reader) Rule {
			considered, scale := r.Int("considered", 16, 1, 1<<20), DefaultGumbelScale
			scale.Noise = r.Float("gumbel", scale.Noise, 0, 1e6)
			return Gumbel(considered, scale)
		},
	})
}

// GumbelScale holds Gumbel search's constants: values q, scaled to [0, 1] over
// a node, are weighed against log-probabilities as
//
//	σ(q) = (Visit + maxᵦ n(b))·Value·q
//
// and Noise multiplies the Gumbel draws at the root; 0 makes the search
// deterministic.
type GumbelScale struct {
	Visit, Value, Noise float64
}

// DefaultGumbelScale is mctx's.
var DefaultGumbelScale = GumbelScale{Visit: 50, Value: 0.1, Noise: 1}

// Gumbel is sequential halving at the root, over so many actions, and, below, the action
// whose share of visits falls most behind the improved policy, which is what a policy is
// to learn (Danihelka et al. 2022, "Policy improvement by planning with Gumbel", eq. 8
// and section 3.4). Visits, choice and target are mctx's.
func Gumbel(considered int, scale GumbelScale) Rule {
	rule := Rule{
		Name:     "gumbel",
		Root:     func(t *Tree, _ NodeID) int32 { return t.halve(scale) },
		Interior: func(t *Tree, at NodeID) int32 { return t.behind(scale, at) },
		// Of the most visited actions the one of the highest score.
		Best: func(t *Tree) games.Action { return t.edgesOf(Root)[t.topScore(scale, math.MaxInt32)].action },
		// The improved policy, softmax(log P + σ(q)), at any temperature.
		Target: func(t *Tree, _ float64, p []float64) {
			edges := t.edgesOf(Root)
			improved := t.improved(scale, Root)
			for i, c := range t.Children(Root) {
				p[i] = improved[slices.IndexFunc(edges, func(e edge) bool { return e.action == c.Action })]
			}
		},
		Begin: func(t *Tree, simulations int) error {
			if t.gumbel != nil {
				return fmt.Errorf("a tree of Gumbel search is grown once: its number of simulations is part of the rule")
			}
			t.gumbel = newGumbelRoot(t, considered, simulations, scale.Noise)
			return nil
		},
		Explores: true,
	}
	if considered < 1 {
		rule.wrong = fmt.Errorf("considered=%d: expected at least 1", considered)
	}
	return rule
}

// gumbelRoot is what sequential halving keeps of a search.
type gumbelRoot struct {
	noise    []float64 // by the root's edges: the Gumbel draw
	schedule []int32   // by simulation: how often the action it takes was taken before
	scratch  []float64
}

// newGumbelRoot draws the noise and fixes the schedule for a number of simulations.
func newGumbelRoot(t *Tree, considered, simulations int, scale float64) *gumbelRoot {
	g := &gumbelRoot{noise: make([]float64, t.nodes[Root].count)}
	for i := range g.noise {
		g.noise[i] = -scale * math.Log(-math.Log(1-t.random.Float64()))
	}
	g.schedule = halving(min(considered, len(g.noise)), simulations)
	return g
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

// halve takes, of the root's actions that have had as many visits as the
// schedule says, the one of the highest g + log P + σ(q).
func (t *Tree) halve(scale GumbelScale) int32 {
	g := t.gumbel
	taken := int32(0)
	for _, e := range t.edgesOf(Root) {
		taken += e.visits
	}
	due := int32(math.MaxInt32) // beyond the schedule, the best goes on
	if int(taken) < len(g.schedule) {
		due = g.schedule[taken]
	}
	return t.topScore(scale, due)
}

// topScore returns the root action of the highest g + log P + σ(q) among those
// with the given visits; of the most visited where there is none.
func (t *Tree) topScore(scale GumbelScale, visits int32) int32 {
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
	q := t.completed(scale, Root)
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

// behind takes the action with the largest π′(a) − n(a)/(1 + Σn), π′ being the
// improved policy.
func (t *Tree) behind(scale GumbelScale, at NodeID) int32 {
	p, edges := t.improved(scale, at), t.edgesOf(at)
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

// improved is softmax(log P + σ(q)), the improved policy, by a node's edges; the slice is
// valid until the next call.
func (t *Tree) improved(scale GumbelScale, at NodeID) []float64 {
	p, edges := t.completed(scale, at), t.edgesOf(at)
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
	return p
}

func logPrior(e *edge) float64 { return math.Log(max(float64(e.prior), 1e-38)) }

// completed returns σ(q) for every action of a node; the slice is valid until
// the next call. Untried actions get the mixed value (eq. 33 of the paper's
// appendix D):
//
//	( v̂ + Σn · Σ P·q / Σ P ) / (1 + Σn), over the tried actions
func (t *Tree) completed(scale GumbelScale, at NodeID) []float64 {
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
	factor := (scale.Visit + float64(most)) * scale.Value / max(high-low, 1e-8)
	for i := range q {
		q[i] = (q[i] - low) * factor
	}
	g.scratch = q
	return q
}
