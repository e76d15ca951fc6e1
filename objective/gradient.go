// Package objective holds what training minimises: the losses of policy gradient and
// of a search's targets as graphs, and the preference objectives, each a loss with its
// slopes in the answers' log-probabilities in plain arithmetic.
package objective

import (
	"fmt"

	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // graph code reads as formulas

	"github.com/agon-rl/agon/internal/spec"
	"github.com/agon-rl/agon/policy"
)

// PolicyGradient is the loss of one batch of turns:
//
//	L = L_policy + c_v·½(V − R)² − c_h·H(π) + c_m·KL(π ‖ μ)
//
// where the policy term is that of Name, H the entropy of the policy at each
// pick, and μ the magnet: the uniform policy or a slowly moving copy of the
// network. The magnet turns plain policy gradient into magnetic mirror
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
	// SequenceRatio takes one ρ for all picks of a turn, the geometric mean of theirs
	// (GSPO, arXiv 2507.18071, eq. 7).
	SequenceRatio bool
	// SequenceMean is the mean over turns of the means over their picks, as GRPO has
	// it; else the mean is over all picks.
	SequenceMean bool
}

// PolicyGradients lists the names.
var PolicyGradients = []string{"ppo", "reinforce"}

// ParsePolicyGradient reads a loss of policy gradient: reinforce, ppo or
// ppo(clip=0.2,ratio=token,mean=token), where ratio and mean may be sequence.
func ParsePolicyGradient(text string) (o PolicyGradient, err error) {
	s, err := spec.Parse(text)
	if err != nil {
		return o, err
	}
	r := spec.Read(s)
	o.Name = s.Name
	switch s.Name {
	case "ppo":
		o.Clip = r.Float("clip", 0.2, 1e-9, 1-1e-9)
		o.SequenceRatio = r.Choice("ratio", "token", "token", "sequence") == "sequence"
	case "reinforce":
	default:
		return o, fmt.Errorf("%q: expected ppo or reinforce%s", s.Name, spec.Suggest(s.Name, PolicyGradients))
	}
	o.SequenceMean = r.Choice("mean", "token", "token", "sequence") == "sequence"
	return o, r.Err()
}

// String is the loss as ParsePolicyGradient reads it.
func (o PolicyGradient) String() string {
	s := spec.Spec{Name: o.Name}
	if o.Name == "ppo" {
		s.Args = append(s.Args, spec.Arg{Key: "clip", Value: fmt.Sprint(o.Clip)})
	}
	if o.SequenceRatio {
		s.Args = append(s.Args, spec.Arg{Key: "ratio", Value: "sequence"})
	}
	if o.SequenceMean {
		s.Args = append(s.Args, spec.Arg{Key: "mean", Value: "sequence"})
	}
	return s.String()
}

// Coefficients are what a loss's terms are weighed with and divided by; scalars of the
// graph.
type Coefficients struct {
	Entropy, Magnet, Value *Node // schedules move them
	// Picks and Turns are how many there are. Where a step is taken on several batches,
	// they count those of all, so that the losses and the statistics of the batches add up
	// to those of the step.
	Picks, Turns *Node
}

// StatNames names the statistics of one batch that Loss returns.
var StatNames = []string{"loss", "loss_policy", "loss_value", "entropy", "magnet_kl", "behaviour_kl", "clipped"}

// Pack adds the columns that Loss reads: the log-probability with which each pick was
// sampled, and by turn the advantage and the value's target.
func (o PolicyGradient) Pack(c *policy.Columns, turns []policy.Turn) {
	c.ByPick("behaviour", turns, func(t *policy.Turn, pick int) float32 { return t.Picks[pick].LogProb })
	c.ByTurn("advantage", turns, func(t *policy.Turn) float32 { return t.Advantage })
	c.ByTurn("return", turns, func(t *policy.Turn) float32 { return t.Return })
}

// Loss returns the scalar loss and the statistics of StatNames.
func (o PolicyGradient) Loss(out policy.Outputs, c policy.ColumnNodes, k Coefficients) (loss *Node, stats []*Node) {
	mean := func(x *Node) *Node { return Div(ReduceAllSum(Mul(x, out.Picks)), k.Picks) } // over picks
	meanOfTurns := func(x *Node) *Node { return Div(ReduceAllSum(Mul(x, out.Turns)), k.Turns) }
	length := out.Sum(OnesLike(out.LogProb))
	byTurn := func(x *Node) *Node { return Div(out.Sum(x), MaxScalar(length, 1)) } // means over a turn's picks

	advantage := out.Spread(c["advantage"])
	logRatio := Sub(out.LogProb, c["behaviour"])
	if o.SequenceRatio {
		logRatio = out.Spread(byTurn(logRatio))
	}
	ratio := Exp(logRatio)
	clipped := ZerosLike(ratio)
	var gain *Node
	switch o.Name {
	case "ppo":
		bounded := ClipScalar(ratio, 1-o.Clip, 1+o.Clip)
		gain = Min(Mul(ratio, advantage), Mul(bounded, advantage))
		clipped = ConvertDType(NotEqual(ratio, bounded), ratio.DType())
	case "reinforce":
		gain = Mul(out.LogProb, advantage)
	}
	policyLoss := Neg(mean(gain))
	if o.SequenceMean {
		policyLoss = Neg(meanOfTurns(byTurn(gain)))
	}
	valueLoss := MulScalar(meanOfTurns(Square(Sub(out.Value, StopGradient(c["return"])))), 0.5)

	entropy, magnetKL := mean(out.Entropy), mean(out.KL)
	loss = Add(policyLoss, Mul(k.Value, valueLoss))
	loss = Sub(loss, Mul(k.Entropy, entropy))
	loss = Add(loss, Mul(k.Magnet, magnetKL))
	// KL(behaviour ‖ π) ≈ mean(ρ − 1 − log ρ), non-negative and of low variance
	// (Schulman 2020, joschu.net/blog/kl-approx.html, k3).
	behaviourKL := mean(Sub(AddScalar(ratio, -1), logRatio))
	return loss, []*Node{loss, policyLoss, valueLoss, entropy, magnetKL, behaviourKL, mean(clipped)}
}
