package mcts

import (
	"math"

	"github.com/agon-rl/agon/internal/spec"
)

func init() {
	Rules.Add(spec.Entry[func(r *spec.Reader) Rule]{
		Name: "agent-q", Usage: "agent-q,c=1.414", Help: "c·√(ln N / (1+n)) (Agent Q, arXiv 2408.07199)",
		Value: func(r *spec.Reader) Rule { return AgentQ(r.Float("c", math.Sqrt2, 0, mostC)) },
	})
}

// AgentQ explores by c·√(ln N / (1+n)), so that an untried action counts as visited once
// (Agent Q, arXiv 2408.07199, eq. 7; its c is not published).
func AgentQ(c float64) Rule {
	pick := func(t *Tree, at NodeID) int32 {
		n := &t.nodes[at]
		k := c * rootLog(max(1, n.visits))
		return highest(t.edgesOf(at), func(e *edge) float64 { return e.upper(k * inverseRoot(1+e.visits)) })
	}
	return Rule{Name: "agent-q", Root: pick, Interior: pick, Best: mostVisited, Target: visitShares, wrong: checkC(c)}
}
