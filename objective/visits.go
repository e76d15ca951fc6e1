package objective

import (
	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // graph code reads as formulas

	"github.com/agon-rl/agon/policy"
)

// Visits is the loss of expert iteration: the network learns what a search made
// of its policy, and how the game ended (AlphaZero; Silver et al. 2018, eq. 1):
//
//	L = −Σ_a π(a)·log p(a) + c_v·½(V − z)² − c_h·H(p)
//
// where π is the search's distribution over actions, by visits or Gumbel's
// improved policy, and z the return of the seat that moves.
type Visits struct {
	// ValueOnly leaves the policy alone: other lessons teach it.
	ValueOnly bool
}

// VisitStats names the statistics of one batch that Loss returns: KL(π ‖ p),
// the value's loss, the entropies of p and of π.
var VisitStats = []string{"search_kl", "search_value", "search_entropy", "search_target_entropy"}

// Pack adds the column that Loss reads, the return.
func (o Visits) Pack(c *policy.Columns, turns []policy.Turn) {
	c.ByTurn("return", turns, func(t *policy.Turn) float32 { return t.Return })
}

// Loss returns the scalar loss and the statistics of VisitStats. The turns have
// targets.
func (o Visits) Loss(out policy.Outputs, c policy.ColumnNodes, k Coefficients) (loss *Node, stats []*Node) {
	mean := func(x *Node) *Node { return Div(ReduceAllSum(Mul(x, out.Turns)), k.Turns) }
	cross, own, entropy := mean(out.Sum(out.CrossEntropy)), mean(out.Sum(out.TargetEntropy)), mean(out.Sum(out.Entropy))
	valueLoss := MulScalar(mean(Square(Sub(out.Value, StopGradient(c["return"])))), 0.5)
	loss = Mul(k.Value, valueLoss)
	if !o.ValueOnly {
		loss = Sub(Add(cross, loss), Mul(k.Entropy, entropy))
	}
	return loss, []*Node{Sub(cross, own), valueLoss, entropy, own}
}
