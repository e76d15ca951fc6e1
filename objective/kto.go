package objective

import (
	"fmt"

	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // graph code reads as formulas
)

// KTO is the loss of actions known to be desirable or not, without pairing
// (Ethayarajh et al. 2024, arXiv 2402.01306, eq. 7): with r = log π/π_ref and
// z₀ the KL of the policy from the reference, which takes no gradient,
//
//	λ_D·(1 − σ(β(r − z₀)))  for desirable ones,
//	λ_U·(1 − σ(β(z₀ − r)))  for the others.
type KTO struct {
	Beta                   float64
	Desirable, Undesirable float64 // λ_D and λ_U; the paper's are 1
}

// Validate says what is wrong with the settings.
func (o KTO) Validate() error {
	if !(o.Beta > 0) || !(o.Desirable >= 0) || !(o.Undesirable >= 0) || o.Desirable+o.Undesirable == 0 {
		return fmt.Errorf("preference objective kto: beta=%g, desirable=%g, undesirable=%g: expected more than 0 and weights of at least 0", o.Beta, o.Desirable, o.Undesirable)
	}
	return nil
}

// Labelled are the nodes of a batch, each [actions] but KL.
type Labelled struct {
	LogProb, Reference *Node
	Desirable          *Node // 1 or 0
	Weight             *Node // 1, and 0 for padding
	KL                 *Node // scalar: z₀; what is below 0 counts as 0
}

// KTOStats names the statistics of one batch that Loss returns.
var KTOStats = []string{"kto_loss", "kto_kl", "kto_chosen", "kto_rejected"}

// Loss returns the scalar loss and the statistics of KTOStats.
func (o KTO) Loss(b Labelled) (loss *Node, stats []*Node) {
	kl := MaxScalar(StopGradient(b.KL), 0)
	ratio := Sub(b.LogProb, StopGradient(b.Reference))
	x := MulScalar(Sub(ratio, kl), o.Beta)
	good := MulScalar(OneMinus(Sigmoid(x)), o.Desirable)
	bad := MulScalar(OneMinus(Sigmoid(Neg(x))), o.Undesirable)
	other := OneMinus(b.Desirable)
	each := Add(Mul(b.Desirable, good), Mul(other, bad))
	loss = Div(ReduceAllSum(Mul(each, b.Weight)), ReduceAllSum(b.Weight))
	over := func(label *Node) *Node {
		w := Mul(label, b.Weight)
		return Div(ReduceAllSum(Mul(ratio, w)), MaxScalar(ReduceAllSum(w), 1))
	}
	return loss, []*Node{loss, kl, over(b.Desirable), over(other)}
}
