// Package objective holds losses as GoMLX graph functions. Each takes named
// nodes and returns a scalar to minimise; the formula stands in its comment
// with its source.
package objective

import (
	"fmt"

	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // graph code reads as formulas
)

// PolicyGradient is the loss of one batch of turns:
//
//	L = L_policy + c_v·½(V − R)² − c_h·H(π) + c_m·KL(π ‖ μ)
//
// where the policy term is that of Name, H the entropy of the policy at each
// turn's state, and μ the magnet: the uniform policy or a slowly moving copy
// of the network. The magnet turns plain policy gradient into magnetic mirror
// descent (Sokota et al. 2022, arXiv 2206.05825), whose last iterate converges
// where information is hidden; the entropy bonus is, up to a constant, the
// uniform magnet.
type PolicyGradient struct {
	// Name is ppo, min(ρA, clip(ρ, 1−ε, 1+ε)A) with ρ = π/π_behaviour
	// (Schulman et al. 2017, arXiv 1707.06347, eq. 7), or reinforce, A·log π
	// (Williams 1992).
	Name string
	// Clip is PPO's ε.
	Clip float64
}

// PolicyGradients lists the names.
var PolicyGradients = []string{"ppo", "reinforce"}

// Validate says what is wrong with the settings.
func (o PolicyGradient) Validate() error {
	switch {
	case o.Name != "ppo" && o.Name != "reinforce":
		return fmt.Errorf("objective.name: %q: expected ppo or reinforce", o.Name)
	case o.Name == "ppo" && !(o.Clip > 0 && o.Clip < 1):
		return fmt.Errorf("objective.clip: %g: expected more than 0 and less than 1", o.Clip)
	}
	return nil
}

// Turns are the nodes of a batch.
type Turns struct {
	LogProbs  *Node // [turns, actions] log π; illegal actions hold a large negative number
	Mask      *Node // [turns, actions] 1 where legal
	Chosen    *Node // [turns, actions] one-hot of the action taken
	Behaviour *Node // [turns] log-probability when sampled
	Advantage *Node // [turns]
	Values    *Node // [turns] the network's value
	Return    *Node // [turns] its target
	Weight    *Node // [turns] 1, and 0 for padding
	Magnet    *Node // [turns, actions] log μ; nil for the uniform magnet

	// Coefficients, scalars.
	EntropyWeight, MagnetWeight, ValueWeight *Node
}

// StatNames names the statistics of one batch that Loss returns.
var StatNames = []string{"loss", "loss_policy", "loss_value", "entropy", "magnet_kl", "behaviour_kl", "clipped"}

// Loss returns the scalar loss and the statistics of StatNames.
func (o PolicyGradient) Loss(t Turns) (loss *Node, stats []*Node) {
	count := ReduceAllSum(t.Weight)
	mean := func(x *Node) *Node { return Div(ReduceAllSum(Mul(x, t.Weight)), count) } // over turns
	over := func(x *Node) *Node { return ReduceSum(x, -1) }                           // over actions

	logProb := over(Mul(t.LogProbs, t.Chosen))
	logRatio := Sub(logProb, t.Behaviour)
	ratio := Exp(logRatio)
	clipped := ZerosLike(ratio)
	var gain *Node
	switch o.Name {
	case "ppo":
		bounded := ClipScalar(ratio, 1-o.Clip, 1+o.Clip)
		gain = Min(Mul(ratio, t.Advantage), Mul(bounded, t.Advantage))
		clipped = ConvertDType(NotEqual(ratio, bounded), ratio.DType())
	case "reinforce":
		gain = Mul(logProb, t.Advantage)
	}
	policyLoss := Neg(mean(gain))

	probs := Mul(Exp(t.LogProbs), t.Mask)
	logProbs := Mul(t.LogProbs, t.Mask)
	entropy := Neg(over(Mul(probs, logProbs)))
	var magnetKL *Node
	if t.Magnet != nil {
		magnetKL = over(Mul(probs, Sub(logProbs, Mul(t.Magnet, t.Mask))))
	} else {
		magnetKL = Sub(Log(over(t.Mask)), entropy) // KL(π ‖ uniform) = log n − H(π)
	}
	valueLoss := MulScalar(mean(Square(Sub(t.Values, StopGradient(t.Return)))), 0.5)

	meanEntropy, meanKL := mean(entropy), mean(magnetKL)
	loss = Add(policyLoss, Mul(t.ValueWeight, valueLoss))
	loss = Sub(loss, Mul(t.EntropyWeight, meanEntropy))
	loss = Add(loss, Mul(t.MagnetWeight, meanKL))
	// KL(behaviour ‖ π) ≈ mean(ρ − 1 − log ρ), non-negative and of low variance
	// (Schulman 2020, joschu.net/blog/kl-approx.html, k3).
	behaviourKL := mean(Sub(AddScalar(ratio, -1), logRatio))
	return loss, []*Node{loss, policyLoss, valueLoss, meanEntropy, meanKL, behaviourKL, mean(clipped)}
}
