package mcts

import (
	"math"

	"github.com/agon-rl/agon/internal/spec"
)

func init() {
	Rules.Add(spec.Entry[func(r *spec.Reader) Rule]{
		Name: "uct", Usage: "uct,c=1.414", Help: "c·√(ln N / n), untried actions first (Kocsis & Szepesvári 2006)",
		Value: func(r *spec.Reader) Rule { return UCT(r.Float("c", math.Sqrt2, 0, mostC)) },
	})
}

// UCT explores by c·√(ln N / n) and tries untried actions first, in random order (Kocsis
// & Szepesvári 2006; c = √2 by Auer et al. 2002).
func UCT(c float64) Rule {
	pick := func(t *Tree, at NodeID) int32 {
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
	return Rule{Name: "uct", Root: pick, Interior: pick, Best: mostVisited, Target: visitShares, wrong: checkC(c)}
}
