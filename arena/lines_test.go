package arena_test

import (
	"slices"
	"testing"

	"github.com/agon-rl/agon/arena"
	"github.com/agon-rl/agon/arena/rating"
)

// duel makes a meeting of counts of pairs, as a summary would.
func duel(first, second string, wins, losses, draws int, counts rating.Counts) arena.Duel {
	d := counts.Compare()
	out := arena.Duel{First: first, Second: second, Tally: arena.Tally{Wins: wins, Losses: losses, Draws: draws}, Counts: counts, Score: d.Score, LOS: &d.LOS}
	if d.Score > 0 && d.Score < 1 {
		out.Elo, out.EloError = &d.Elo, &d.EloError
	}
	return out
}

func TestLines(t *testing.T) {
	s := arena.Summary{
		Pairings: []arena.Duel{
			duel("A", "B", 100, 80, 20, rating.Counts{5, 20, 40, 25, 10}),
			duel("A", "C", 4, 0, 0, rating.Counts{0, 0, 0, 0, 2}),
			duel("B", "C", 0, 4, 0, rating.Counts{2, 0, 0, 0, 0}),
		},
		Test: &arena.Test{LLR: 1.94, Lower: -2.944, Upper: 2.944},
	}
	want := []string{
		"Score of A vs B: 100 - 80 - 20  [0.537] 200",
		"Elo difference: 26.1 +/- 34.8, LOS: 93.1 %, DrawRatio: 10.0 %",
		"SPRT: llr 1.94 (65.9%), lbound -2.94, ubound 2.94",
		"Ptnml(0-2): 5, 20, 40, 25, 10",
		"Score of A vs C: 4 - 0 - 0  [1.000] 4",
		"Elo difference: inf +/- inf, LOS: 100.0 %, DrawRatio: 0.0 %",
		"SPRT: llr 1.94 (65.9%), lbound -2.94, ubound 2.94",
		"Ptnml(0-2): 0, 0, 0, 0, 2",
		"Score of B vs C: 0 - 4 - 0  [0.000] 4",
		"Elo difference: -inf +/- inf, LOS: 0.0 %, DrawRatio: 0.0 %",
		"SPRT: llr 1.94 (65.9%), lbound -2.94, ubound 2.94",
		"Ptnml(0-2): 2, 0, 0, 0, 0",
	}
	if got := s.Lines(); !slices.Equal(got, want) {
		for i := range got {
			if got[i] != want[i] {
				t.Errorf("%q, expected %q", got[i], want[i])
			}
		}
	}
}
