package objective

import (
	"fmt"
	"math"

	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // graph code reads as formulas
)

// Sentence is SPC's offline objective (arXiv 2504.19162, and the trainer of its
// released code): a clipped ratio of whole answers, with the mean log-probability
// of an answer's steps, the raw reward instead of an advantage, and a frozen
// reference instead of the policy that played; beside it plain imitation of rows
// without a reward:
//
//	ρ = exp( mean_t log π − mean_t log π_ref )
//	L = −mean_rewarded min( r·ρ, r·clip(ρ, 1−ε, 1+ε) ) − c·mean_imitated mean_t log π
type Sentence struct {
	Clip    float64 // ε, 0.2 in the paper
	Imitate float64 // c, 0.15 in the paper
}

// Validate says what is wrong with the settings.
func (o Sentence) Validate() error {
	switch {
	case !(o.Clip > 0 && o.Clip < 1):
		return fmt.Errorf("objective.clip: %g: expected more than 0 and less than 1", o.Clip)
	case !(o.Imitate >= 0) || math.IsInf(o.Imitate, 0):
		return fmt.Errorf("objective.imitate: %g: expected at least 0", o.Imitate)
	}
	return nil
}

// Sentences are the nodes of a batch of answers.
type Sentences struct {
	LogProb   *Node // [answers] mean log π of the answer's steps
	Reference *Node // [answers] the same by the reference
	Reward    *Node // [answers]
	Rewarded  *Node // [answers] 1 where there is a reward
	Imitated  *Node // [answers] 1 where the answer is to be imitated; neither for padding
}

// SentenceStats names the statistics of one batch that Loss returns.
var SentenceStats = []string{"loss", "loss_reward", "loss_imitation", "clipped"}

// Loss returns the scalar loss and the statistics of SentenceStats.
func (o Sentence) Loss(s Sentences) (loss *Node, stats []*Node) {
	mean := func(x, weight *Node) *Node {
		return Div(ReduceAllSum(Mul(x, weight)), MaxScalar(ReduceAllSum(weight), 1))
	}
	ratio := Exp(Sub(s.LogProb, s.Reference))
	bounded := ClipScalar(ratio, 1-o.Clip, 1+o.Clip)
	rewarded := Neg(mean(Min(Mul(ratio, s.Reward), Mul(bounded, s.Reward)), s.Rewarded))
	imitated := Neg(mean(s.LogProb, s.Imitated))
	loss = Add(rewarded, MulScalar(imitated, o.Imitate))
	return loss, []*Node{loss, rewarded, imitated, mean(ConvertDType(NotEqual(ratio, bounded), ratio.DType()), s.Rewarded)}
}

// Answer is one answer of a batch, for Value.
type Answer struct {
	LogProbs, Reference []float64 // by step
	Reward              float64
	Imitated            bool // there is no reward
}

// Value is the loss of a batch in plain arithmetic: what the graph is tested
// against.
func (o Sentence) Value(answers []Answer) float64 {
	var rewarded, imitated, n, m float64
	for _, a := range answers {
		var lp, ref float64
		for i := range a.LogProbs {
			lp += a.LogProbs[i] / float64(len(a.LogProbs))
			ref += a.Reference[i] / float64(len(a.LogProbs))
		}
		if a.Imitated {
			imitated, m = imitated-lp, m+1
			continue
		}
		ratio := math.Exp(lp - ref)
		bounded := math.Min(math.Max(ratio, 1-o.Clip), 1+o.Clip)
		rewarded, n = rewarded-math.Min(ratio*a.Reward, bounded*a.Reward), n+1
	}
	return rewarded/math.Max(n, 1) + o.Imitate*imitated/math.Max(m, 1)
}
