package objective

import (
	"fmt"

	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // graph code reads as formulas
)

// List is TPO's loss of whole lists of siblings (Liao et al. 2024, arXiv
// 2410.12854): LambdaLoss over all pairs that the values order,
//
//	−Σ_{v_i > v_j} λ_ij·log σ(r_i − r_j),  r = β·log π/π_ref,
//	λ_ij = |2^v_i − 2^v_j|·|1/log₂(1+rank_i) − 1/log₂(1+rank_j)|
//
// where ranks are by value, from 1. It is averaged over the pairs of a list and
// then over lists. (The released code climbs this loss instead of descending
// it, and has no λ.)
type List struct{ Beta float64 }

// Validate says what is wrong with the settings.
func (o List) Validate() error {
	if !(o.Beta > 0) {
		return fmt.Errorf("preference objective tpo: beta=%g: expected more than 0", o.Beta)
	}
	return nil
}

// Lists are the nodes of a batch.
type Lists struct {
	LogProbs  *Node // [lists, siblings] log π
	Reference *Node // [lists, siblings] log π_ref
	Value     *Node // [lists, siblings]
	Rank      *Node // [lists, siblings] by value, from 1
	Mask      *Node // [lists, siblings] 1 where there is a sibling
	Weight    *Node // [lists] 1, and 0 for padding
}

// Loss returns the scalar loss, and the statistics of PairStats over the pairs.
func (o List) Loss(l Lists) (loss *Node, stats []*Node) {
	ratio := Sub(l.LogProbs, StopGradient(l.Reference))
	// across[.., i, j] compares sibling i with sibling j.
	across := func(x *Node) *Node { return Sub(InsertAxes(x, -1), InsertAxes(x, 1)) }
	both := Mul(InsertAxes(l.Mask, -1), InsertAxes(l.Mask, 1))
	better := Mul(both, ConvertDType(GreaterThan(across(l.Value), ZerosLike(both)), l.Value.DType()))
	discount := Div(OnesLike(l.Rank), DivScalar(Log1P(l.Rank), ln2))
	lambda := Mul(Abs(across(Exp(MulScalar(l.Value, ln2)))), Abs(across(discount)))
	margin := across(ratio)
	each := Neg(Mul(lambda, logSigmoid(MulScalar(margin, o.Beta))))

	weight := Mul(better, InsertAxes(l.Weight, -1, -1))
	pairs := ReduceSum(weight, 1, 2) // [lists]
	ordered := ConvertDType(GreaterThan(pairs, ZerosLike(pairs)), pairs.DType())
	lists := MaxScalar(ReduceAllSum(ordered), 1)
	perList := Div(ReduceSum(Mul(each, weight), 1, 2), MaxScalar(pairs, 1))
	loss = Div(ReduceAllSum(perList), lists)

	mean := func(x *Node) *Node { return Div(ReduceAllSum(Mul(x, weight)), MaxScalar(ReduceAllSum(weight), 1)) }
	accuracy := mean(ConvertDType(GreaterThan(margin, ZerosLike(margin)), margin.DType()))
	chosen := mean(Add(InsertAxes(ratio, -1), ZerosLike(margin)))
	return loss, []*Node{loss, mean(margin), accuracy, chosen, Sub(chosen, mean(margin))}
}

const ln2 = 0.693147180559945309417232121458
