package rating_test

import (
	"encoding/json"
	"math"
	"os"
	"testing"

	"github.com/agon-rl/agon/arena/rating"
)

// reference is what testdata/rating/record.py recorded of scipy, choix, fastchess's
// formulas and OpenSpiel.
type reference struct {
	Tables []struct {
		Players int
		Seat    bool
		Records [][5]float64
		Elo     []float64
		SeatElo float64 `json:"seat_elo"`
		Draw    float64
		Choix   []float64
	}
	Results []struct {
		Counts    rating.Counts
		Score     float64
		Elo       float64
		EloError  float64 `json:"elo_error"`
		NElo      float64
		NEloError float64 `json:"nelo_error"`
		LOS       float64
		LLR       [][4]any
	}
	Matrices []struct {
		Payoff    [][]float64
		Alpha     float64
		Members   int
		AlphaRank []float64
		Nash      []float64
	}
}

func read(t *testing.T) (r reference) {
	t.Helper()
	text, err := os.ReadFile("testdata/reference.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	if len(r.Tables) < 10 || len(r.Results) < 20 || len(r.Matrices) < 10 {
		t.Fatalf("recorded: %d tables, %d results, %d matrices", len(r.Tables), len(r.Results), len(r.Matrices))
	}
	return r
}

// near compares with a tolerance that grows with the number's size.
func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance*max(1, math.Abs(want))) {
		t.Errorf("%s: %.12g, expected %.12g", what, got, want)
	}
}

func nearAll(t *testing.T, what string, got, want []float64, tolerance float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d numbers, expected %d", what, len(got), len(want))
	}
	for i := range want {
		near(t, what, got[i], want[i], tolerance)
	}
}

func TestRatingsEqualAnIndependentFit(t *testing.T) {
	for _, table := range read(t).Tables {
		var records []rating.Record
		for _, r := range table.Records {
			records = append(records, rating.Record{First: int(r[0]), Second: int(r[1]), Wins: r[2], Draws: r[3], Losses: r[4]})
		}
		got, err := rating.Model{Players: table.Players, Anchor: -1, Seat: table.Seat}.Fit(records)
		if err != nil {
			t.Fatal(err)
		}
		nearAll(t, "Elo", got.Elo, table.Elo, 1e-6)
		near(t, "the seat's worth", got.Seat, table.SeatElo, 1e-6)
		near(t, "the odds of a draw", got.Draw, table.Draw, 1e-6)
		if table.Choix != nil {
			nearAll(t, "Elo by choix", got.Elo, table.Choix, 1e-6)
		}
	}
}

func TestDifferencesEqualFastchess(t *testing.T) {
	for _, r := range read(t).Results {
		if err := r.Counts.Check(); err != nil {
			t.Fatal(err)
		}
		d := r.Counts.Compare()
		near(t, "score", d.Score, r.Score, 1e-9)
		near(t, "Elo", d.Elo, r.Elo, 1e-9)
		near(t, "Elo's error", d.EloError, r.EloError, 1e-9)
		near(t, "nElo", d.NElo, r.NElo, 1e-9)
		near(t, "nElo's error", d.NEloError, r.NEloError, 1e-9)
		near(t, "LOS", d.LOS, r.LOS, 1e-9)
		for _, l := range r.LLR {
			s := rating.SPRT{Elo0: l[0].(float64), Elo1: l[1].(float64), Alpha: 0.05, Beta: 0.05, Model: l[2].(string)}
			if err := s.Check(); err != nil {
				t.Fatal(err)
			}
			near(t, s.Model+" LLR", s.LLR(r.Counts), l[3].(float64), 1e-8)
		}
	}
}

func TestAlphaRankAndNashEqualOpenSpiel(t *testing.T) {
	for _, m := range read(t).Matrices {
		ranks, err := rating.AlphaRank(m.Payoff, m.Alpha, m.Members)
		if err != nil {
			t.Fatal(err)
		}
		nearAll(t, "alpha-rank", ranks, m.AlphaRank, 1e-7)
		if m.Nash == nil {
			continue
		}
		weights, gains, err := rating.NashAverage(m.Payoff)
		if err != nil {
			t.Fatal(err)
		}
		nearAll(t, "Nash average", weights, m.Nash, 1e-6)
		for i, g := range gains {
			if g > 1e-9 {
				t.Errorf("player %d gains %g against the equilibrium", i, g)
			}
		}
	}
}
