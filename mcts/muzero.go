package mcts

import (
	"math"

	"github.com/agon-rl/agon/internal/spec"
)

func init() {
	Rules.Add(spec.Entry[func(r *spec.Reader) Rule]{
		Name: "muzero", Usage: "muzero,c=1.25", Help: "alphazero's, with Q scaled to [0, 1] over the node (Schrittwieser et al. 2020)",
		Value: func(r *spec.Reader) Rule { return MuZero(r.Float("c", 1.25, 0, mostC)) },
	})
}

// MuZero explores as AlphaZero does, with Q scaled to [0, 1] over the node's value and
// those of its tried actions, untried ones having the least (Schrittwieser et al. 2020,
// appendix B). Visits are mctx's.
func MuZero(c float64) Rule {
	pick := func(t *Tree, at NodeID) int32 {
		n, edges := &t.nodes[at], t.edgesOf(at)
		low := n.mean()
		high := low
		for i := range edges {
			if e := &edges[i]; e.visits > 0 {
				low, high = min(low, e.mean()), max(high, e.mean())
			}
		}
		span := max(high-low, 1e-8)
		k := growingC(c, n.visits) * math.Sqrt(float64(n.visits))
		return highest(edges, func(e *edge) float64 {
			q := 0.0
			if e.visits > 0 {
				q = (e.mean() - low) / span
			}
			return q + k*float64(e.prior)/float64(1+e.visits)
		})
	}
	return Rule{Name: "muzero", Root: pick, Interior: pick, Best: mostVisited, Target: visitShares, wrong: checkC(c)}
}
