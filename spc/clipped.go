package spc

import (
	"fmt"
	"math"
)

// Clipped is SPC's offline objective (arXiv 2504.19162, and the trainer of its
// released code): a clipped ratio of whole answers, with the mean log-probability
// of an answer's picks, the raw reward instead of an advantage, and a frozen
// reference instead of the policy that played; beside it plain imitation of answers
// without a reward:
//
//	ρ = exp( mean_t log π − mean_t log π_ref )
//	L = −mean_rewarded min( r·ρ, r·clip(ρ, 1−ε, 1+ε) ) − c·mean_imitated mean_t log π
type Clipped struct {
	Clip    float64 // ε, 0.2 in the paper
	Imitate float64 // c, 0.15 in the paper
}

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

// scored is an answer by its mean log-probabilities.
type scored struct {
	logProb, reference float64
	reward             float64
	imitated           bool // there is no reward
}

// clippedStats is what a batch comes to.
type clippedStats struct {
	loss, rewarded, imitated float64
	clipped                  float64 // the share of rewarded answers whose ratio was bounded
}

// evaluate returns the loss of a batch and its slopes in the answers' mean
// log-probabilities, dL/d mean_t log π.
func (o Clipped) evaluate(answers []scored) (s clippedStats, slopes []float64) {
	n, m := 0.0, 0.0
	for _, a := range answers {
		if a.imitated {
			m++
		} else {
			n++
		}
	}
	n, m = math.Max(n, 1), math.Max(m, 1)
	slopes = make([]float64, len(answers))
	for i, a := range answers {
		if a.imitated {
			s.imitated -= a.logProb / m
			slopes[i] = -o.Imitate / m
			continue
		}
		ratio := math.Exp(a.logProb - a.reference)
		bounded := math.Min(math.Max(ratio, 1-o.Clip), 1+o.Clip)
		s.rewarded -= math.Min(ratio*a.reward, bounded*a.reward) / n
		if ratio != bounded {
			s.clipped += 1 / n
		}
		if ratio*a.reward <= bounded*a.reward { // else the bound, which is flat
			slopes[i] = -a.reward * ratio / n
		}
	}
	s.loss = s.rewarded + o.Imitate*s.imitated
	return s, slopes
}
