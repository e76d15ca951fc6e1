package objective

import (
	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // graph code reads as formulas
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

// Targets are the nodes of a batch.
type Targets struct {
	LogProbs *Node // [turns, actions] log p; illegal actions hold a large negative number
	Mask     *Node // [turns, actions] 1 where legal
	Target   *Node // [turns, actions] π
	Values   *Node // [turns] the network's value
	Return   *Node // [turns] z
	Weight   *Node // [turns] 1, and 0 for padding

	// Coefficients, scalars.
	EntropyWeight, ValueWeight *Node
}

// VisitStats names the statistics of one batch that Loss returns: KL(π ‖ p),
// the value's loss, the entropies of p and of π.
var VisitStats = []string{"search_kl", "search_value", "search_entropy", "search_target_entropy"}

// Loss returns the scalar loss and the statistics of VisitStats.
func (o Visits) Loss(t Targets) (loss *Node, stats []*Node) {
	count := ReduceAllSum(t.Weight)
	mean := func(x *Node) *Node { return Div(ReduceAllSum(Mul(x, t.Weight)), count) } // over turns
	over := func(x *Node) *Node { return ReduceSum(x, -1) }                           // over actions

	target := StopGradient(t.Target)
	cross := mean(Neg(over(Mul(target, Mul(t.LogProbs, t.Mask)))))
	// 0·log 0 = 0: log of the target where it is 0 is multiplied by 0.
	own := mean(Neg(over(Mul(target, Log(MaxScalar(target, 1e-30))))))
	probs := Mul(Exp(t.LogProbs), t.Mask)
	entropy := mean(Neg(over(Mul(probs, Mul(t.LogProbs, t.Mask)))))
	valueLoss := MulScalar(mean(Square(Sub(t.Values, StopGradient(t.Return)))), 0.5)

	loss = Mul(t.ValueWeight, valueLoss)
	if !o.ValueOnly {
		loss = Sub(Add(cross, loss), Mul(t.EntropyWeight, entropy))
	}
	return loss, []*Node{Sub(cross, own), valueLoss, entropy, own}
}
