package arena

import (
	"fmt"
	"math"
	"strings"
)

// Lines are the results in the words of fastchess and cutechess: for each pairing its
// score, the difference of Elo, and the units by what they scored; then the sequential
// test, where there is one.
func (s Summary) Lines() []string {
	var out []string
	for _, d := range s.Pairings {
		out = append(out, d.scoreLine(), d.eloLine())
		if s.Test != nil {
			out = append(out, s.Test.line())
		}
		if len(d.Counts) == 5 {
			out = append(out, fmt.Sprintf("Ptnml(0-2): %s", counts(d.Counts)))
		}
	}
	return out
}

func (d Duel) scoreLine() string {
	return fmt.Sprintf("Score of %s vs %s: %d - %d - %d  [%.3f] %d", d.First, d.Second, d.Wins, d.Losses, d.Draws, d.Score, d.Games())
}

// eloLine writes what is beyond all bounds as inf, as those programs do.
func (d Duel) eloLine() string {
	return fmt.Sprintf("Elo difference: %s +/- %s, LOS: %s %%, DrawRatio: %.1f %%",
		elo(d.Elo, d.Score), elo(d.EloError, 1), percent(d.LOS, d.Score), 100*float64(d.Draws)/float64(max(1, d.Games())))
}

// elo writes a number, or, where it is infinite, on which side of an even score.
func elo(x *float64, score float64) string {
	switch {
	case x != nil:
		return fmt.Sprintf("%.1f", *x)
	case score < 0.5:
		return "-inf"
	}
	return "inf"
}

func percent(los *float64, score float64) string {
	if los == nil {
		return map[bool]string{true: "100.0", false: "0.0"}[score > 0.5]
	}
	return fmt.Sprintf("%.1f", 100**los)
}

func (t Test) line() string {
	bound := t.Upper
	if t.LLR < 0 {
		bound = t.Lower
	}
	text := fmt.Sprintf("SPRT: llr %.2f (%.1f%%), lbound %.2f, ubound %.2f", t.LLR, 100*math.Abs(t.LLR/bound), t.Lower, t.Upper)
	if t.Taken != "" {
		text += fmt.Sprintf(" - %s was accepted", t.Taken)
	}
	return text
}

func counts(all []float64) string {
	var out []string
	for _, n := range all {
		out = append(out, fmt.Sprintf("%.0f", n))
	}
	return strings.Join(out, ", ")
}
