package mcts

import (
	"math"

	"github.com/agon-rl/agon/internal/spec"
)

func init() {
	Rules.Add(spec.Entry[func(r *spec.Reader) Rule]{
		Name: "alphazero", Usage: "alphazero,c=1.25", Help: "puct with c(N) = c + ln((N+19652+1)/19652) (Silver et al. 2018)",
		Value: func(r *spec.Reader) Rule { return AlphaZero(r.Float("c", 1.25, 0, mostC)) },
	})
}

// AlphaZero explores as PUCT does, the more the more visits a node has: by
// c(N)·P·√N / (1+n) with c(N) = c + ln((N+19652+1)/19652) and c = 1.25 (Silver et al.
// 2018).
func AlphaZero(c float64) Rule {
	pick := func(t *Tree, at NodeID) int32 { return t.puct(growingC(c, t.nodes[at].visits), at) }
	return Rule{Name: "alphazero", Root: pick, Interior: pick, Best: mostVisited, Target: visitShares, wrong: checkC(c)}
}

// growingC is c(N).
func growingC(c float64, visits int32) float64 {
	const base = 19652
	return c + math.Log((float64(visits)+base+1)/base)
}
