package mcts

import (
	"fmt"
	"math"
	"slices"

	"github.com/agon-rl/agon/internal/spec"
)

// Rule chooses which action a simulation takes: the one with the highest
// Q + U, where Q is the mean value and U one of these terms, N being the
// node's visits, n the action's and P its prior:
//
//	uct       c·√(ln N / n), untried actions first (Kocsis & Szepesvári 2006)
//	agent-q   c·√(ln N / (1+n)) (Agent Q, arXiv 2408.07199, eq. 7)
//	puct      c·P·√N / (1+n): MCTS-DPO (arXiv 2405.00451) with c = 1, CPL
//	          (arXiv 2409.08642) with c = 1.5
//	alphazero c(N)·P·√N / (1+n), c(N) = c + ln((N+19652+1)/19652), c = 1.25
//	          (Silver et al. 2018)
//	muzero    the same, with Q scaled to [0, 1] over the node's value and those
//	          of its tried actions, untried ones having the least
//	          (Schrittwieser et al. 2020, appendix B)
//	gumbel    sequential halving at the root and, below, the action whose share
//	          of visits falls most behind the improved policy (Danihelka et al.
//	          2022)
type Rule struct {
	Name string
	// C is the constant of the formula; it has no part in gumbel.
	C float64
	// Considered is how many of the root's actions gumbel compares.
	Considered int
	// Scale is how much gumbel's values weigh against its priors.
	Scale GumbelScale
}

// RuleNames lists the names of rules.
var RuleNames = []string{"uct", "agent-q", "puct", "alphazero", "muzero", "gumbel"}

// defaults are the constants of the papers; Agent Q's is not published.
var defaults = map[string]float64{"uct": math.Sqrt2, "agent-q": math.Sqrt2, "puct": 1.5, "alphazero": 1.25, "muzero": 1.25}

// NewRule returns a rule with the constants of its paper.
func NewRule(name string) (Rule, error) {
	if !slices.Contains(RuleNames, name) {
		return Rule{}, fmt.Errorf("selection rule %q is unknown%s; there are %v", name, spec.Suggest(name, RuleNames), RuleNames)
	}
	return Rule{Name: name, C: defaults[name], Considered: 16, Scale: GumbelScale{Visit: 50, Value: 0.1, Noise: 1}}, nil
}

// Validate says what is wrong with a rule.
func (r Rule) Validate() error {
	if _, err := NewRule(r.Name); err != nil {
		return err
	}
	switch {
	case r.Name != "gumbel" && !(r.C >= 0 && r.C < math.Inf(1)):
		return fmt.Errorf("selection rule %s: c=%g: expected a number of at least 0", r.Name, r.C)
	case r.Name == "gumbel" && r.Considered < 1:
		return fmt.Errorf("selection rule gumbel: considered=%d: expected at least 1", r.Considered)
	}
	return nil
}

// pick returns the edge to take at a decision node, as its place among the
// node's edges.
func (t *Tree) pick(r *Rule, n NodeID) int32 {
	switch r.Name[0] { // tells the rules apart, and is quicker than comparing strings
	case 'u':
		return t.uct(r.C, n)
	case 'a':
		if r.Name[1] == 'g' {
			return t.agentQ(r.C, n)
		}
		return t.puct(alphaZeroC(r.C, t.nodes[n].visits), n)
	case 'p':
		return t.puct(r.C, n)
	case 'm':
		return t.muZero(r.C, n)
	}
	return t.gumbelPick(r, n)
}

// uct tries untried actions first, in random order.
func (t *Tree) uct(c float64, at NodeID) int32 {
	n := &t.nodes[at]
	edges := t.edges[n.first : n.first+n.count]
	if n.tried < n.count {
		j := n.tried
		if left := uint64(n.count - n.tried); left > 1 {
			j += int32(t.random.Uint64N(left))
		}
		edges[j], edges[n.tried] = edges[n.tried], edges[j]
		n.tried++
		return n.tried - 1
	}
	k := c * rootLog(n.visits)
	best, most := 0, math.Inf(-1)
	for i := range edges {
		e := &edges[i]
		r := inverseRoot(e.visits) // Q + U = total·r² + k·r
		score := e.total * r
		if !e.proven() {
			score += k
		}
		score *= r
		if score > most {
			best, most = i, score
		}
	}
	return int32(best)
}

// UCT asks for little else than √(ln n) and 1/√n, mostly of small numbers.
var rootLogs, inverseRoots = tabulate(func(n float64) float64 { return math.Sqrt(math.Log(n)) }), tabulate(func(n float64) float64 { return 1 / math.Sqrt(n) })

func tabulate(f func(float64) float64) (out [4096]float64) {
	for n := range out {
		out[n] = f(float64(n))
	}
	return out
}

func rootLog(n int32) float64 {
	if uint(n) < uint(len(rootLogs)) {
		return rootLogs[n]
	}
	return math.Sqrt(math.Log(float64(n)))
}

func inverseRoot(n int32) float64 {
	if uint(n) < uint(len(inverseRoots)) {
		return inverseRoots[n]
	}
	return 1 / math.Sqrt(float64(n))
}

// agentQ counts an untried action as worth nothing and visited once.
func (t *Tree) agentQ(c float64, at NodeID) int32 {
	n := &t.nodes[at]
	k := c * rootLog(max(1, n.visits))
	return t.argmax(n, func(e *edge) float64 { return e.score(0, k*inverseRoot(1+e.visits)) })
}

func alphaZeroC(c float64, visits int32) float64 {
	const base = 19652
	return c + math.Log((float64(visits)+base+1)/base)
}

// puct counts an untried action as worth nothing: a draw.
func (t *Tree) puct(c float64, at NodeID) int32 {
	n := &t.nodes[at]
	k := c * math.Sqrt(float64(n.visits))
	return t.argmax(n, func(e *edge) float64 { return e.score(0, k*float64(e.prior)/float64(1+e.visits)) })
}

// muZero scales values as mctx does, whose visits it has.
func (t *Tree) muZero(c float64, at NodeID) int32 {
	n := &t.nodes[at]
	low := n.mean()
	high := low
	edges := t.edges[n.first : n.first+n.count]
	for i := range edges {
		if e := &edges[i]; e.visits > 0 {
			low, high = min(low, e.mean()), max(high, e.mean())
		}
	}
	span := max(high-low, 1e-8)
	k := alphaZeroC(c, n.visits) * math.Sqrt(float64(n.visits))
	return t.argmax(n, func(e *edge) float64 {
		q := 0.0
		if e.visits > 0 {
			q = (e.mean() - low) / span
		}
		return q + k*float64(e.prior)/float64(1+e.visits)
	})
}

// score is Q + U, with untried for the Q of an action without visits. What is
// proven needs no exploring.
func (e *edge) score(untried, u float64) float64 {
	switch {
	case e.visits == 0:
		return untried + u
	case e.proven():
		return e.mean()
	}
	return e.mean() + u
}

// argmax returns the first edge with the highest score.
func (t *Tree) argmax(n *node, score func(*edge) float64) int32 {
	edges := t.edges[n.first : n.first+n.count]
	best, most := 0, math.Inf(-1)
	for i := range edges {
		if s := score(&edges[i]); s > most {
			best, most = i, s
		}
	}
	return int32(best)
}
