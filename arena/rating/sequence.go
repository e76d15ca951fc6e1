package rating

import (
	"math"
	"slices"
)

// Sequence is a confidence sequence for the mean of scores in [0, 1]: an interval
// that may be looked at after every score, since the chance that it ever leaves the
// mean out is at most alpha. It asks that each score has that mean, given those
// before, and nothing else.
//
// It bets against a mean m. A fortune that stakes a share f on scores above m is
// multiplied by 1+f(x/m-1), one that bets on scores below m by 1+f((1-x)/(1-m)-1). If
// m is the mean, neither grows on average, nor does the average of fortunes over
// shares; so the chance that it ever exceeds 1/alpha is at most alpha (Ville). The
// interval holds the m whose fortune has stayed below (Waudby-Smith and Ramdas,
// "Estimating means of bounded random variables by betting", with their grid of
// shares in place of one that is tuned). It depends on how often each score occurred,
// not on their order, so that nothing but counts is kept.
type Sequence struct {
	alpha  float64
	scores []float64
	counts []float64
}

// shares of a fortune that are staked.
var shares = func() (out []float64) {
	for f := 0.5; f > 1e-3; f /= math.Sqrt2 {
		out = append(out, f, 1-f)
	}
	return out
}()

// NewSequence returns a sequence of coverage 1-alpha.
func NewSequence(alpha float64) *Sequence { return &Sequence{alpha: alpha} }

// Add takes a score of [0, 1] into account.
func (s *Sequence) Add(score float64) {
	i := slices.Index(s.scores, score)
	if i < 0 {
		i = len(s.scores)
		s.scores, s.counts = append(s.scores, score), append(s.counts, 0)
	}
	s.counts[i]++
}

// Interval returns the bounds now; 0 and 1 before the first score. They follow from the
// counts alone, whoever looked before.
func (s *Sequence) Interval() (low, high float64) {
	mean, total := 0.0, 0.0
	for i, x := range s.scores {
		mean, total = mean+s.counts[i]*x, total+s.counts[i]
	}
	if total == 0 {
		return 0, 1
	}
	mean /= total
	return s.edge(0, mean, 1), s.edge(1, mean, -1)
}

// Holds tells whether the interval holds a mean, in a fiftieth of the time that its
// bounds take.
func (s *Sequence) Holds(mean float64) bool {
	bound := -math.Log(s.alpha / 2)
	return s.fortune(mean, 1) <= bound && s.fortune(mean, -1) <= bound
}

// edge is where, from a mean that is refuted towards one that is not, the fortune
// falls to its bound: half of alpha is spent on each side.
func (s *Sequence) edge(refuted, kept, side float64) float64 {
	if s.fortune(refuted, side) <= -math.Log(s.alpha/2) {
		return refuted
	}
	for range 50 {
		m := refuted + (kept-refuted)/2
		if s.fortune(m, side) > -math.Log(s.alpha/2) {
			refuted = m
		} else {
			kept = m
		}
	}
	return refuted
}

// fortune is the logarithm of the average fortune that bets against the mean m: on
// scores above it for side 1, below it for side -1. It is monotone in m.
func (s *Sequence) fortune(m, side float64) float64 {
	logs := make([]float64, len(shares))
	best := math.Inf(-1)
	for j, f := range shares {
		for i, x := range s.scores {
			gain := x/m - 1
			if side < 0 {
				gain = (1-x)/(1-m) - 1
			}
			if math.IsNaN(gain) { // a score of 0 against a mean of 0
				gain = 0
			}
			logs[j] += s.counts[i] * math.Log1p(f*gain)
		}
		best = max(best, logs[j])
	}
	if math.IsInf(best, 0) || len(s.scores) == 0 {
		return max(best, 0) * side * side
	}
	sum := 0.0
	for _, l := range logs {
		sum += math.Exp(l - best)
	}
	return best + math.Log(sum/float64(len(shares)))
}
