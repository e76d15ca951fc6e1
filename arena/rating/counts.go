// Package rating says what results tell about strength: differences of Elo with
// their errors, sequential tests, ratings by maximum likelihood, and what a single
// rating hides. It holds pure functions of results and plays nothing.
//
// A score lies in [0, 1]: 1 is a win, ½ a draw, 0 a loss. Where games come in pairs,
// the same opening or deal with the seats swapped, the pair is the unit that is
// counted: its two games depend on one another, and what luck they share cancels.
package rating

import (
	"fmt"
	"math"
)

// Z95 is the 97.5 % quantile of the normal distribution.
const Z95 = 1.959963984540054

// eloScale turns the logarithm of the odds into Elo.
const eloScale = 400 / math.Ln10

// Counts are how often each of the equally spaced scores from 0 to 1 occurred:
// three for games (loss, draw, win), five for pairs (LL, LD, DD+WL, WD, WW).
type Counts []float64

// Check refuses counts that are neither of games nor of pairs.
func (c Counts) Check() error {
	if len(c) != 3 && len(c) != 5 {
		return fmt.Errorf("%d counts: expected 3, of games, or 5, of pairs", len(c))
	}
	for _, n := range c {
		if !(n >= 0) || math.IsInf(n, 0) {
			return fmt.Errorf("counts %v: expected numbers from 0 up", []float64(c))
		}
	}
	return nil
}

// Total is how many games or pairs were counted.
func (c Counts) Total() float64 {
	total := 0.0
	for _, n := range c {
		total += n
	}
	return total
}

// score is the score that place i of the counts stands for.
func (c Counts) score(i int) float64 { return float64(i) / float64(len(c)-1) }

// gamesPerUnit is 1 for games and 2 for pairs.
func (c Counts) gamesPerUnit() float64 { return float64(len(c)-1) / 2 }

// Moments returns the mean score and the variance of a unit's.
func (c Counts) Moments() (mean, variance float64) {
	total := c.Total()
	for i, n := range c {
		mean += n / total * c.score(i)
	}
	for i, n := range c {
		d := c.score(i) - mean
		variance += n / total * d * d
	}
	return mean, variance
}

// Difference is how much stronger one player is than another. What lies beyond all
// bounds, such as the Elo of a player that won every game, is infinite.
type Difference struct {
	Score      float64 // mean, in [0, 1]
	ScoreError float64 // half the width of its 95 % interval
	Elo        float64 // logistic: 400 log10(s/(1-s))
	EloError   float64 // half the width of its 95 % interval
	// NElo is normalised Elo: the score beyond ½ in deviations of a game, which
	// measures how many games it takes to tell the players apart.
	NElo      float64
	NEloError float64
	LOS       float64 // likelihood of superiority: the chance that the difference is above zero
}

// Compare computes the difference as fastchess does: errors come from the variance
// of the units counted, so that of pairs takes what their games share into account.
func (c Counts) Compare() Difference {
	mean, variance := c.Moments()
	deviation := math.Sqrt(variance / c.Total())
	d := Difference{Score: mean, ScoreError: Z95 * deviation, Elo: EloOf(mean)}
	low, high := mean-d.ScoreError, mean+d.ScoreError
	d.EloError = (EloOf(high) - EloOf(low)) / 2
	perGame := math.Sqrt(variance * c.gamesPerUnit())
	nelo := func(score float64) float64 { return 2 * eloScale * (score - 0.5) / perGame }
	d.NElo, d.NEloError = nelo(mean), (nelo(high)-nelo(low))/2
	d.LOS = (1 + math.Erf((mean-0.5)/math.Sqrt2/deviation)) / 2
	if variance == 0 {
		d.EloError, d.NEloError = math.Inf(1), math.Inf(1)
		d.NElo, d.LOS = math.Inf(sign(mean-0.5)), 0.5+0.5*float64(sign(mean-0.5))
		if mean == 0.5 {
			d.NElo, d.LOS = 0, 0.5
		}
	}
	return d
}

func sign(x float64) int {
	switch {
	case x > 0:
		return 1
	case x < 0:
		return -1
	}
	return 0
}

// EloOf is the difference of Elo at which a score is expected; infinite at 0 and 1
// and beyond.
func EloOf(score float64) float64 {
	switch {
	case score <= 0:
		return math.Inf(-1)
	case score >= 1:
		return math.Inf(1)
	}
	return eloScale * math.Log(score/(1-score))
}

// ScoreOf is the score expected at a difference of Elo.
func ScoreOf(elo float64) float64 { return 1 / (1 + math.Exp(-elo/eloScale)) }
