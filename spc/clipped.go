package spc

import (
	"fmt"
	"math"
)

// Clipped is SPC's offline objective (arXiv 2504.19162, and the trainer of its
// released code): PPO's clipped ratio of whole answers, with the mean log-probability
// of an answer's steps, the raw reward instead of an advantage, and a frozen reference
// instead of the policy that played; beside it plain imitation of answers without a
// reward. With lp = mean_t log π of an answer's steps,
//
//	ρ = exp(lp − lp_ref)
//	L = −mean_rewarded min(r·ρ, r·clip(ρ, 1−ε, 1+ε)) − c·mean_imitated lp
type Clipped struct {
	Clip    float64 // ε, 0.2 in the paper
	Imitate float64 // c, 0.15 in the paper
}

// Sample is an answer as Clipped weighs it.
type Sample struct {
	LogProb   float64 // mean log π of the answer's steps
	Reference float64 // the same by the reference
	Reward    float64
	Imitated  bool // it is to be imitated: there is no reward
}

// ClippedStats names the statistics that Evaluate returns: the loss, both its terms
// before they are weighed, and the share of rewarded answers whose ratio lies outside
// of the clip.
var ClippedStats = []string{"loss", "loss_reward", "loss_imitation", "clipped"}

// Validate says what is wrong with the settings.
func (o Clipped) Validate() error {
	switch {
	case !(o.Clip > 0 && o.Clip < 1):
		return fmt.Errorf("clip=%g: expected more than 0 and less than 1", o.Clip)
	case !(o.Imitate >= 0) || math.IsInf(o.Imitate, 0):
		return fmt.Errorf("imitate=%g: expected at least 0", o.Imitate)
	}
	return nil
}

// Evaluate returns the statistics of ClippedStats, and the slope of the loss in the
// LogProb of each answer.
func (o Clipped) Evaluate(answers []Sample) (stats, slopes []float64) {
	var rewarded, imitated float64 // how many there are
	for _, a := range answers {
		if a.Imitated {
			imitated++
		} else {
			rewarded++
		}
	}
	var gain, likelihood, clipped float64
	slopes = make([]float64, len(answers))
	for i, a := range answers {
		if a.Imitated {
			likelihood += a.LogProb / imitated
			slopes[i] = -o.Imitate / imitated
			continue
		}
		ratio := math.Min(math.Exp(a.LogProb-a.Reference), math.MaxFloat64)
		bounded := math.Min(math.Max(ratio, 1-o.Clip), 1+o.Clip)
		if ratio != bounded {
			clipped += 1 / rewarded
		}
		// A ratio beyond the clip on the side to which the reward pulls has no slope.
		if free := a.Reward * ratio; free <= a.Reward*bounded {
			gain += free / rewarded
			slopes[i] = -free / rewarded // dρ/dlp = ρ
		} else {
			gain += a.Reward * bounded / rewarded
		}
	}
	loss := -gain - o.Imitate*likelihood
	return []float64{loss, -gain, -likelihood, clipped}, slopes
}
