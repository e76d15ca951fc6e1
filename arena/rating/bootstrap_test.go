package rating

import (
	"math"
	"math/rand/v2"
	"testing"
)

// Efron's interval of resamples that are what they should be is the ordinary one; a bias
// moves both ends twice, an acceleration stretches the upper end.
func TestBCa(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	resamples := make([]float64, 200_001)
	for i := range resamples {
		resamples[i] = r.NormFloat64()
	}
	for _, c := range []struct{ estimate, acceleration, low, high float64 }{
		{0, 0, -1.96, 1.96},
		{-0.2, 0, -1.96 - 0.4, 1.96 - 0.4},
		// z0 = 0: the ends are z/(1 - az)
		{0, 0.1, -1.96 / 1.196, 1.96 / 0.804},
	} {
		low, high := BCa(resamples, c.estimate, c.acceleration)
		if math.Abs(low-c.low) > 0.03 || math.Abs(high-c.high) > 0.03 {
			t.Errorf("%+v: between %.3f and %.3f", c, low, high)
		}
	}
	if low, high := BCa([]float64{3, 3, 3}, 3, 0); low != 3 || high != 3 {
		t.Errorf("between %g and %g, expected 3", low, high)
	}
	// nothing below the estimate: the ends are resamples all the same
	if low, high := BCa([]float64{3, 4, 5}, 2, 0.5); !(low >= 3 && high <= 5) {
		t.Errorf("between %g and %g", low, high)
	}
}

// The acceleration of a mean is a sixth of its skewness by √n.
func TestAcceleration(t *testing.T) {
	xs := []Weighted{{0, 6}, {1, 3}, {4, 1}} // of a mean an influence is the value, by n
	const mean, squares, cubes = 0.7, 14.1, 33.96
	if got, want := Acceleration([][]Weighted{xs}), cubes/(6*math.Pow(squares, 1.5)); math.Abs(got-want) > 1e-12 {
		t.Errorf("%g, expected %g", got, want)
	}
	// two samples: their squares and cubes add up, around a mean each
	ys := []Weighted{{10, 6}, {11, 3}, {14, 1}}
	if got, want := Acceleration([][]Weighted{xs, ys}), 2*cubes/(6*math.Pow(2*squares, 1.5)); math.Abs(got-want) > 1e-12 {
		t.Errorf("%g, expected %g", got, want)
	}
	if got := Acceleration([][]Weighted{{{5, 3}}}); got != 0 {
		t.Errorf("%g where all are alike", got)
	}
}

// Influences are derivatives: a thousandth of a game more moves the ratings by a
// thousandth of its influence.
func TestInfluence(t *testing.T) {
	records := []Record{{0, 1, 12, 5, 7}, {1, 0, 9, 3, 11}, {1, 2, 14, 4, 6}, {2, 1, 5, 8, 9}, {0, 2, 17, 1, 3}, {2, 0, 4, 2, 12}}
	for _, m := range []Model{{Players: 3, Anchor: -1, Seat: true}, {Players: 3, Anchor: 1, Seat: true, Prior: 0.5}, {Players: 3, Anchor: -1}} {
		sets := [][]Record{{{0, 1, 1, 0, 0}}, {{1, 2, 0, 1, 0}, {2, 1, 0, 0, 1}}}
		influences, err := m.Influence(records, sets)
		if err != nil {
			t.Fatal(err)
		}
		before, err := m.Fit(records)
		if err != nil {
			t.Fatal(err)
		}
		for i, set := range sets {
			const little = 1e-3
			more := append([]Record{}, records...)
			for _, r := range set {
				more = append(more, Record{r.First, r.Second, little * r.Wins, little * r.Draws, little * r.Losses})
			}
			near := m
			near.Near = &before
			after, err := near.Fit(more)
			if err != nil {
				t.Fatal(err)
			}
			cold, err := m.Fit(more)
			if err != nil {
				t.Fatal(err)
			}
			for p := range after.Elo {
				if got, want := influences[i][p], (after.Elo[p]-before.Elo[p])/little; math.Abs(got-want) > 0.01*math.Abs(want)+1e-3 {
					t.Errorf("%+v: set %d moves player %d by %g, expected %g", m, i, p, got, want)
				}
				if math.Abs(after.Elo[p]-cold.Elo[p]) > 1e-8 {
					t.Errorf("near the end the climb ends at %g, else at %g", after.Elo[p], cold.Elo[p])
				}
			}
		}
	}
}

// A sequence holds what lies in its interval.
func TestSequenceHolds(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	s := NewSequence(0.05)
	if !s.Holds(0.01) || !s.Holds(0.99) {
		t.Error("something is refuted before the first score")
	}
	for i := range 300 {
		s.Add(float64(r.IntN(5)+r.IntN(2)) / 5)
		if i%23 > 0 {
			continue
		}
		low, high := s.Interval()
		for _, m := range []float64{low - 1e-6, low + 1e-6, (low + high) / 2, high - 1e-6, high + 1e-6} {
			if 0 < m && m < 1 && s.Holds(m) != (low < m && m < high) {
				t.Fatalf("%g between %g and %g: %t", m, low, high, s.Holds(m))
			}
		}
	}
}
