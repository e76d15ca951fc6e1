package mcts

import (
	"math"

	"github.com/agon-rl/agon/internal/spec"
)

func init() {
	Rules.Add(spec.Entry[func(r *spec.Reader) Rule]{
		Name: "puct", Usage: "puct,c=1.5", Help: "c·P·√N / (1+n); c=1 in MCTS-DPO (arXiv 2405.00451), 1.5 in CPL (arXiv 2409.08642)",
		Value: func(r *spec.Reader) Rule { return PUCT(r.Float("c", 1.5, 0, mostC)) },
	})
}

// PUCT explores by c·P·√N / (1+n): MCTS-DPO (arXiv 2405.00451) with c = 1, CPL (arXiv
// 2409.08642) with c = 1.5.
func PUCT(c float64) Rule {
	pick := func(t *Tree, at NodeID) int32 { return t.puct(c, at) }
	return Rule{Name: "puct", Root: pick, Interior: pick, Best: mostVisited, Target: visitShares, wrong: checkC(c)}
}

// puct takes the action of the highest Q + c·P·√N / (1+n).
func (t *Tree) puct(c float64, at NodeID) int32 {
	k := c * math.Sqrt(float64(t.nodes[at].visits))
	return highest(t.edgesOf(at), func(e *edge) float64 { return e.upper(k * float64(e.prior) / float64(1+e.visits)) })
}
