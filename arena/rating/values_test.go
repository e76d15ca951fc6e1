package rating_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/agon-rl/agon/arena/rating"
)

// same tells whether two numbers are within a tolerance, and no number is within none.
func same(got, want, tolerance float64) bool {
	return got == want || math.Abs(got-want) <= tolerance*max(1, math.Abs(want))
}

// What runs in circles: all of rock, paper and scissors, nothing of what ratings explain,
// and of a sum of the two the share of the squares, since they are orthogonal.
func TestCyclicShareByHand(t *testing.T) {
	circle := [][]float64{{0, 1, -1}, {-1, 0, 1}, {1, -1, 0}} // squares of 6
	ratings := []float64{2, 0, 1}
	mixed := func(circles, rated float64) [][]float64 {
		out := make([][]float64, 3)
		for i := range out {
			for j := range 3 {
				out[i] = append(out[i], circles*circle[i][j]+rated*(ratings[i]-ratings[j])) // squares of 2·(4+1+1) = 12
			}
		}
		return out
	}
	for _, test := range []struct{ circles, rated, want float64 }{
		{1, 0, 1}, {0, 1, 0}, {1, 1, 6. / 18}, {2, 1, 24. / 36}, {0, 0, 0},
	} {
		if got := rating.CyclicShare(mixed(test.circles, test.rated)); !same(got, test.want, 1e-12) {
			t.Errorf("%g of a circle and %g of ratings: %g, expected %g", test.circles, test.rated, got, test.want)
		}
	}
}

// Elo of a score and back, with what has no bound at the ends.
func TestEloOfScores(t *testing.T) {
	for score, want := range map[float64]float64{0.75: 190.848501888, 0.5: 0, 0.25: -190.848501888, 0: math.Inf(-1), 1: math.Inf(1), -0.1: math.Inf(-1), 1.1: math.Inf(1)} {
		if got := rating.EloOf(score); !same(got, want, 1e-9) {
			t.Errorf("a score of %g is %g Elo, expected %g", score, got, want)
		}
	}
	for elo, want := range map[float64]float64{0: 0.5, 400: 10. / 11, -400: 1. / 11, math.Inf(1): 1, math.Inf(-1): 0} {
		if got := rating.ScoreOf(elo); !same(got, want, 1e-12) {
			t.Errorf("%g Elo score %g, expected %g", elo, got, want)
		}
	}
}

// Where all units ended alike, the difference has a sign and no bound.
func TestCompareOfUnitsThatAreAlike(t *testing.T) {
	inf := math.Inf(1)
	for name, test := range map[string]struct {
		counts         rating.Counts
		score, elo, sp float64 // sp: the chance to be better
	}{
		"all won":   {rating.Counts{0, 0, 0, 0, 7}, 1, inf, 1},
		"all lost":  {rating.Counts{7, 0, 0, 0, 0}, 0, -inf, 0},
		"all drawn": {rating.Counts{0, 7, 0}, 0.5, 0, 0.5},
	} {
		d := test.counts.Compare()
		nelo := test.elo // without a spread it is as far from 0
		if d.Score != test.score || !same(d.Elo, test.elo, 1e-12) || !same(d.NElo, nelo, 1e-12) || d.LOS != test.sp || !math.IsInf(d.EloError, 1) || !math.IsInf(d.NEloError, 1) {
			t.Errorf("%s: %+v", name, d)
		}
	}
	// Three quarters of a point each: better for sure, by a known amount of Elo.
	if d := (rating.Counts{0, 0, 0, 7, 0}).Compare(); d.LOS != 1 || !math.IsInf(d.NElo, 1) || !same(d.Elo, 190.848501888, 1e-9) {
		t.Errorf("all by three quarters: %+v", d)
	}
	if d := (rating.Counts{0, 7, 0, 0, 0}).Compare(); d.LOS != 0 || !math.IsInf(d.NElo, -1) || !same(d.Elo, -190.848501888, 1e-9) {
		t.Errorf("all by a quarter: %+v", d)
	}
}

// Counts by hand: 1, 2 and 1 games have a mean of ½ and a variance of (¼+0+0+¼)/4; the
// other way round everything changes its sign.
func TestMomentsByHand(t *testing.T) {
	mean, variance := rating.Counts{1, 2, 1}.Moments()
	if mean != 0.5 || variance != 0.125 {
		t.Errorf("mean %g, variance %g", mean, variance)
	}
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.SampledFrom([]int{3, 5}).Draw(t, "kinds")
		counts := rating.Counts(rapid.SliceOfN(rapid.Float64Range(0.5, 50), n, n).Draw(t, "counts"))
		turned := make(rating.Counts, n)
		for i, x := range counts {
			turned[n-1-i] = x
		}
		a, b := counts.Compare(), turned.Compare()
		if !same(a.Score, 1-b.Score, 1e-9) || !same(a.Elo, -b.Elo, 1e-6) || !same(a.NElo, -b.NElo, 1e-6) || !same(a.LOS, 1-b.LOS, 1e-9) || !same(a.EloError, b.EloError, 1e-6) || !same(a.ScoreError, b.ScoreError, 1e-9) {
			t.Fatalf("%v: %+v, turned round %+v", counts, a, b)
		}
		if sum := counts.Total(); !same(sum, turned.Total(), 1e-12) {
			t.Fatalf("%g and %g in all", sum, turned.Total())
		}
	})
}

func TestCountsRefuse(t *testing.T) {
	for _, counts := range []rating.Counts{nil, {1, 2}, {1, 2, 3, 4}, {1, -1, 0}, {1, math.NaN(), 0}, {0, 0, math.Inf(1)}} {
		if counts.Check() == nil {
			t.Errorf("%v are taken", counts)
		}
	}
	for _, counts := range []rating.Counts{{0, 0, 0}, {1, 2, 3}, {1, 2, 3, 4, 5}} {
		if err := counts.Check(); err != nil {
			t.Error(err)
		}
	}
}

// Resamples that equal the estimate count half as below it: around the middle of an even
// sample the interval is even.
func TestBCaCountsTiesHalf(t *testing.T) {
	var resamples []float64
	for i := -40; i <= 40; i++ {
		resamples = append(resamples, float64(i))
	}
	for range 39 {
		resamples = append(resamples, 0)
	}
	low, high := rating.BCa(resamples, 0, 0)
	if !same(low, -high, 0.03) || high < 36 || high > 38 {
		t.Errorf("between %g and %g", low, high)
	}
	// An estimate above all resamples has an interval among them all the same.
	if low, high := rating.BCa([]float64{3, 4, 5}, 9, -0.5); !(low >= 3 && high <= 5 && low <= high) {
		t.Errorf("between %g and %g", low, high)
	}
}

// The acceleration by hand: influences of −1, −1 and 2 have squares of 6 and cubes of 6.
func TestAccelerationByHand(t *testing.T) {
	got := rating.Acceleration([][]rating.Weighted{{{Influence: -1, Count: 2}, {Influence: 2, Count: 1}}})
	if want := 6 / (6 * math.Pow(6, 1.5)); !same(got, want, 1e-12) {
		t.Errorf("%g, expected %g", got, want)
	}
	if turned := rating.Acceleration([][]rating.Weighted{{{Influence: 1, Count: 2}, {Influence: -2, Count: 1}}}); !same(turned, -got, 1e-12) {
		t.Errorf("%g, turned round %g", got, turned)
	}
}

// What alpha-rank and the Nash average refuse, and what they just take.
func TestTablesThatAreRefused(t *testing.T) {
	good := [][]float64{{0, 1}, {-1, 0}}
	for _, test := range []struct {
		name    string
		payoff  [][]float64
		alpha   float64
		members int
		ok      bool
	}{
		{"two members", good, 1, 2, true},
		{"one member", good, 1, 1, false},
		{"no intensity", good, 0, 50, false},
		{"an intensity of no number", good, math.NaN(), 50, false},
		{"one player", [][]float64{{0}}, 1, 50, false},
		{"nobody", nil, 1, 50, false},
		{"a short row", [][]float64{{0, 1}, {-1}}, 1, 50, false},
		{"no number", [][]float64{{0, math.NaN()}, {-1, 0}}, 1, 50, false},
		{"no bound", [][]float64{{0, math.Inf(1)}, {-1, 0}}, 1, 50, false},
	} {
		ranks, err := rating.AlphaRank(test.payoff, test.alpha, test.members)
		if (err == nil) != test.ok {
			t.Errorf("%s: %v, %v", test.name, ranks, err)
		}
		if test.alpha != 1 || test.members != 50 {
			continue
		}
		if _, _, err := rating.NashAverage(test.payoff); err == nil {
			t.Errorf("Nash average, %s: no error", test.name)
		}
	}
}

// Two players by hand: of 1 against −1 with intensity 1 and two members a mutant of the
// better takes over with (1−e⁻²)/(1−e⁻⁴) and one of the worse with e⁻² times that, so
// that the better has 1/(1+e⁻²).
func TestAlphaRankByHand(t *testing.T) {
	for _, turned := range []bool{false, true} {
		payoff := [][]float64{{0, 1}, {-1, 0}}
		if turned {
			payoff = [][]float64{{0, -1}, {1, 0}}
		}
		ranks, err := rating.AlphaRank(payoff, 1, 2)
		if err != nil {
			t.Fatal(err)
		}
		better := 0
		if turned {
			better = 1
		}
		if want := 1 / (1 + math.Exp(-2)); !same(ranks[better], want, 1e-12) || !same(ranks[1-better], 1-want, 1e-12) {
			t.Errorf("%v, expected %g of player %d", ranks, want, better)
		}
	}
	// Who are paid the same share evenly.
	ranks, err := rating.AlphaRank([][]float64{{0, 0, 0}, {0, 0, 0}, {0, 0, 0}}, 5, 50)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range ranks {
		if !same(r, 1./3, 1e-12) {
			t.Errorf("%v", ranks)
		}
	}
}

// The Nash average by hand: who beats all is all of it; of rock, paper and scissors where
// paper wins twice as much, the weights are ½ of scissors' prey and so on: the weights p
// solve A·p = 0. Who is even with another in it shares with him.
func TestNashAverageByHand(t *testing.T) {
	for name, test := range map[string]struct{ payoff, want [][]float64 }{
		"one beats all": {[][]float64{{0, 1, 1}, {-1, 0, 1}, {-1, -1, 0}}, [][]float64{{1, 0, 0}, {0, -1, -1}}},
		// A·p = 0 for p = (1, 1, 2)/4: row 0: −p1·2 + p2·1 = 0; row 1: 2·p0 − p2·1 = 0; row 2: −p0 + p1 = 0.
		"a lame circle": {[][]float64{{0, -2, 1}, {2, 0, -1}, {-1, 1, 0}}, [][]float64{{0.25, 0.25, 0.5}, {0, 0, 0}}},
		"all even":      {[][]float64{{0, 0}, {0, 0}}, [][]float64{{0.5, 0.5}, {0, 0}}},
	} {
		weights, gains, err := rating.NashAverage(test.payoff)
		if err != nil {
			t.Fatal(err)
		}
		for i := range weights {
			if !same(weights[i], test.want[0][i], 1e-9) || !same(gains[i], test.want[1][i], 1e-9) {
				t.Errorf("%s: weights %v, gains %v, expected %v and %v", name, weights, gains, test.want[0], test.want[1])
				break
			}
		}
	}
}

// A sequential test's bounds are Wald's, and what cannot be tested is refused.
func TestSPRTBounds(t *testing.T) {
	s := rating.SPRT{Elo0: 0, Elo1: 5, Alpha: 0.05, Beta: 0.1, Model: rating.Logistic}
	if lower, upper := s.Bounds(); !same(lower, math.Log(0.1/0.95), 1e-12) || !same(upper, math.Log(0.9/0.05), 1e-12) {
		t.Errorf("between %g and %g", lower, upper)
	}
	for want, change := range map[string]func(*rating.SPRT){
		"expected elo0 below elo1":    func(s *rating.SPRT) { s.Elo1 = s.Elo0 },
		"elo0=0, elo1=NaN":            func(s *rating.SPRT) { s.Elo1 = math.NaN() },
		"alpha=0, beta=0.1":           func(s *rating.SPRT) { s.Alpha = 0 },
		"alpha=0.05, beta=0":          func(s *rating.SPRT) { s.Beta = 0 },
		"alpha=0.5, beta=0.5":         func(s *rating.SPRT) { s.Alpha, s.Beta = 0.5, 0.5 },
		`model="": expected logistic`: func(s *rating.SPRT) { s.Model = "" },
	} {
		bad := s
		change(&bad)
		if err := bad.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, expected %q", err, want)
		}
	}
	s.Alpha, s.Beta = 0.5, 0.49
	if err := s.Check(); err != nil {
		t.Error(err)
	}
}

// A table of two by hand: nine wins and three losses are 190.85 Elo, with the standard
// error 400/ln 10 / √(12·¾·¼); the anchor's rating is given and has no error.
func TestRatingsByHand(t *testing.T) {
	records := []rating.Record{{First: 0, Second: 1, Wins: 9, Losses: 3}}
	got, err := rating.Model{Players: 2, Anchor: 1, AnchorElo: 1500}.Fit(records)
	if err != nil {
		t.Fatal(err)
	}
	if want := 400 / math.Ln10 / math.Sqrt(12*0.75*0.25); !same(got.Elo[0], 1690.848501888, 1e-9) || got.Elo[1] != 1500 || !same(got.Error[0], want, 1e-6) || got.Error[1] > 1e-6 {
		t.Errorf("%+v, expected 1690.85 ± %g", got, want)
	}
	// Around the mean each has half of the difference, and half of its error.
	got, err = rating.Model{Players: 2, Anchor: -1, AnchorElo: 100}.Fit(records)
	if err != nil {
		t.Fatal(err)
	}
	if want := 200 / math.Ln10 / math.Sqrt(12*0.75*0.25); !same(got.Elo[0], 100+190.848501888/2, 1e-9) || !same(got.Elo[1], 100-190.848501888/2, 1e-9) || !same(got.Error[0], want, 1e-6) || !same(got.Error[1], want, 1e-6) {
		t.Errorf("%+v, expected ± %g", got, want)
	}
	// A prior of four games, half of them won, makes it eleven of sixteen.
	got, err = rating.Model{Players: 2, Anchor: 1, Prior: 4}.Fit(records)
	if err != nil || !same(got.Elo[0], rating.EloOf(11./16), 1e-9) {
		t.Errorf("%+v, %v, expected %g", got, err, rating.EloOf(11./16))
	}
	// The first seat's worth: six of eight by whoever has it.
	got, err = rating.Model{Players: 2, Anchor: -1, Seat: true}.Fit([]rating.Record{{First: 0, Second: 1, Wins: 3, Losses: 1}, {First: 1, Second: 0, Wins: 3, Losses: 1}})
	if err != nil || !same(got.Seat, 190.848501888, 1e-9) || !same(got.Elo[0], 0, 1e-9) {
		t.Errorf("%+v, %v", got, err)
	}
}

// What a fit refuses: what the games do not bound, and records that are none.
func TestFitRefuses(t *testing.T) {
	won := []rating.Record{{First: 0, Second: 1, Wins: 5}}
	for name, test := range map[string]struct {
		model   rating.Model
		records []rating.Record
		bound   bool // whether it is for want of a bound
	}{
		"all won":             {rating.Model{Players: 2, Anchor: -1}, won, true},
		"apart":               {rating.Model{Players: 4, Anchor: -1}, []rating.Record{{0, 1, 2, 0, 2}, {2, 3, 2, 0, 2}}, true},
		"nothing":             {rating.Model{Players: 2, Anchor: -1}, nil, true},
		"oneself":             {rating.Model{Players: 2, Anchor: -1}, []rating.Record{{0, 0, 1, 0, 1}}, false},
		"nobody":              {rating.Model{Players: 2, Anchor: -1}, []rating.Record{{0, 2, 1, 0, 1}}, false},
		"less than nobody":    {rating.Model{Players: 2, Anchor: -1}, []rating.Record{{-1, 1, 1, 0, 1}}, false},
		"less than no wins":   {rating.Model{Players: 2, Anchor: -1}, []rating.Record{{0, 1, -1, 0, 1}}, false},
		"no number of draws":  {rating.Model{Players: 2, Anchor: -1}, []rating.Record{{0, 1, 1, math.NaN(), 1}}, false},
		"an anchor of nobody": {rating.Model{Players: 2, Anchor: 2}, []rating.Record{{0, 1, 1, 0, 1}}, false},
		"one player":          {rating.Model{Players: 1, Anchor: -1}, nil, false},
	} {
		_, err := test.model.Fit(test.records)
		if err == nil || errors.Is(err, rating.ErrNoMaximum) != test.bound {
			t.Errorf("%s: %v", name, err)
		}
		if _, err = test.model.Influence(test.records, nil); err == nil {
			t.Errorf("%s has an influence", name)
		}
	}
	if got, err := (rating.Model{Players: 2, Anchor: -1, Prior: 1}).Fit(won); err != nil || !(got.Elo[0] > 100) {
		t.Errorf("with a prior: %+v, %v", got, err)
	}
}

// A sequence of scores has its intervals by side: the more of the highest, the higher the
// lower end, and never more than it is.
func TestSequenceByHand(t *testing.T) {
	s := rating.NewSequence(0.05)
	if low, high := s.Interval(); low != 0 || high != 1 {
		t.Errorf("before the first: between %g and %g", low, high)
	}
	before := 0.0
	for i := range 200 {
		s.Add(1)
		low, high := s.Interval()
		if high != 1 || low < before || low >= 1 {
			t.Fatalf("after %d wins between %g and %g, before at least %g", i+1, low, high, before)
		}
		before = low
	}
	if before < 0.9 || s.Holds(0.85) || !s.Holds(0.99) {
		t.Errorf("after 200 wins at least %g", before)
	}
	// Losses turn it round.
	one, other := rating.NewSequence(0.05), rating.NewSequence(0.05)
	for i := range 50 {
		score := []float64{1, 0.5, 1, 0}[i%4]
		one.Add(score)
		other.Add(1 - score)
	}
	low, high := one.Interval()
	if l, h := other.Interval(); !same(low, 1-h, 1e-9) || !same(high, 1-l, 1e-9) || low > 0.625 || high < 0.625 {
		t.Errorf("between %g and %g, turned round %g and %g", low, high, l, h)
	}
	// A wider promise is a wider interval.
	sure := rating.NewSequence(0.001)
	for i := range 50 {
		sure.Add([]float64{1, 0.5, 1, 0}[i%4])
	}
	if l, h := sure.Interval(); l >= low || h <= high {
		t.Errorf("between %g and %g at 99.9 %%, %g and %g at 95 %%", l, h, low, high)
	}
}
