package rating

import (
	"fmt"
	"math"
	"slices"
)

// Models of the difference that a sequential test is about.
const (
	Logistic   = "logistic"   // Elo
	Normalized = "normalized" // normalised Elo
)

// SPRT is a generalised sequential probability ratio test of H1, the difference is
// Elo1, against H0, it is Elo0.
type SPRT struct {
	Elo0, Elo1  float64
	Alpha, Beta float64 // the error rates that it keeps: H1 taken where H0 holds, and the opposite
	Model       string  // Logistic or Normalized
}

// Check says what is wrong with a test's settings.
func (s SPRT) Check() error {
	switch {
	case !(s.Elo0 < s.Elo1):
		return fmt.Errorf("sprt: elo0=%g, elo1=%g: expected elo0 below elo1", s.Elo0, s.Elo1)
	case !(s.Alpha > 0 && s.Beta > 0 && s.Alpha+s.Beta < 1):
		return fmt.Errorf("sprt: alpha=%g, beta=%g: expected both above 0 and a sum below 1", s.Alpha, s.Beta)
	case s.Model != Logistic && s.Model != Normalized:
		return fmt.Errorf("sprt: model=%q: expected %s or %s", s.Model, Logistic, Normalized)
	}
	return nil
}

// Bounds returns the log-likelihood ratios at which H0 and H1 are taken (Wald):
// ln(β/(1-α)) and ln((1-β)/α).
func (s SPRT) Bounds() (lower, upper float64) {
	return math.Log(s.Beta / (1 - s.Alpha)), math.Log((1 - s.Beta) / s.Alpha)
}

// unseen stands for a score that did not occur, so that no likelihood is zero.
const unseen = 1e-3

// LLR is the log-likelihood ratio of the counts: that of the likeliest distribution
// in which H1 holds to that of the likeliest one in which H0 does (Van den Bergh,
// "Comparing the approximations for the generalized log likelihood ratio of a
// multinomial distribution", and "Comments on normalized Elo").
func (s SPRT) LLR(c Counts) float64 {
	seen := make(Counts, len(c))
	for i, n := range c {
		if seen[i] = n; n == 0 {
			seen[i] = unseen
		}
	}
	total := seen.Total()
	for i := range seen {
		seen[i] /= total
	}
	likeliest := seen.withMean
	h0, h1 := ScoreOf(s.Elo0), ScoreOf(s.Elo1)
	if s.Model == Normalized {
		// of a unit of g games, of which each has nElo = 800/ln10 (s-½)/σ
		g := math.Sqrt(c.gamesPerUnit())
		likeliest, h0, h1 = seen.withRatio, g*s.Elo0/(2*eloScale), g*s.Elo1/(2*eloScale)
	}
	p0, p1 := likeliest(h0), likeliest(h1)
	llr := 0.0
	for i, p := range seen {
		llr += p * math.Log(p1[i]/p0[i])
	}
	return total * llr
}

// withMean is the likeliest distribution with a mean: p_i = p̂_i/(1+θ(a_i-s)), where θ
// makes it so (Van den Bergh, proposition 1.1).
func (c Counts) withMean(mean float64) []float64 {
	away := make([]float64, len(c))
	for i := range c {
		away[i] = c.score(i) - mean
	}
	return c.tilt(away)
}

// withRatio is the likeliest distribution in which (mean-½)/deviation is t (Van den
// Bergh, "Comments on normalized Elo", section 4.1): the condition is made linear
// where the solution stands, again and again. It starts where all scores are as likely,
// or, where t is so large that no distribution fulfils the condition made linear there,
// at wins and losses alone that have it.
func (c Counts) withRatio(t float64) []float64 {
	p := make(Counts, len(c))
	for i := range p {
		p[i] = 1 / float64(len(p))
	}
	away := p.beyondRatio(t)
	if slices.Min(away) >= 0 || slices.Max(away) <= 0 {
		clear(p)
		p[len(p)-1] = 0.5 + 0.5*t/math.Sqrt(1+t*t)
		p[0] = 1 - p[len(p)-1]
		away = p.beyondRatio(t)
	}
	for range 100 {
		next, moved := c.tilt(away), 0.0
		for i := range next {
			moved = max(moved, math.Abs(next[i]-p[i]))
		}
		if p = next; moved < 1e-13 {
			break
		}
		away = p.beyondRatio(t)
	}
	return p
}

// beyondRatio is, score by score, what (mean-½)/deviation = t asks to have the mean zero,
// made linear where the distribution stands.
func (c Counts) beyondRatio(t float64) []float64 {
	mean, variance := c.Moments()
	deviation := math.Sqrt(variance)
	away := make([]float64, len(c))
	for i := range c {
		a := c.score(i)
		z := (a - mean) / deviation
		away[i] = a - 0.5 - 0.5*t*deviation*(1+z*z)
	}
	return away
}

// tilt returns p̂_i/(1+θ φ_i) with the θ at which Σ p̂_i φ_i/(1+θ φ_i) is zero. The sum
// falls in θ between the poles that the extremes of φ make.
func (c Counts) tilt(phi []float64) []float64 {
	low, high := phi[0], phi[0]
	for _, x := range phi {
		low, high = min(low, x), max(high, x)
	}
	a, b := -1/high, -1/low
	theta := 0.0
	for range 200 {
		theta = a + (b-a)/2
		sum := 0.0
		for i, x := range phi {
			sum += c[i] * x / (1 + theta*x)
		}
		if sum > 0 {
			a = theta
		} else {
			b = theta
		}
	}
	p := make([]float64, len(c))
	for i, x := range phi {
		p[i] = c[i] / (1 + theta*x)
	}
	return p
}
