package rating

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/diff/fd"
	"gonum.org/v1/gonum/mat"
)

// The likelihood's gradient and information are its derivatives, by differences, with a
// seat and draws and without.
func TestLikelihoodDerivatives(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	records := []Record{{0, 1, 12, 5, 7}, {1, 0, 9, 3, 11}, {1, 2, 14, 4, 6}, {2, 0, 4, 2, 12}}
	decided := []Record{{0, 1, 12, 0, 7}, {1, 2, 14, 0, 6}}
	for _, test := range []struct {
		model   Model
		records []Record
		size    int
	}{
		{Model{Players: 3, Seat: true, Prior: 2}, records, 5},
		{Model{Players: 3}, records, 4},
		{Model{Players: 3, Seat: true}, decided, 4},
		{Model{Players: 3}, decided, 3},
	} {
		l := test.model.likelihood(test.records)
		if l.size != test.size {
			t.Errorf("%+v has %d parameters, expected %d", test.model, l.size, test.size)
		}
		x := make([]float64, l.size)
		for i := range x {
			x[i] = r.NormFloat64() / 2
		}
		value := func(x []float64) float64 { v, _, _ := l.at(x); return v }
		_, gradient, information := l.at(x)
		want := fd.Gradient(nil, value, x, &fd.Settings{Formula: fd.Central})
		var hessian mat.SymDense
		fd.Hessian(&hessian, value, x, nil)
		for i := range x {
			if math.Abs(gradient.AtVec(i)-want[i]) > 1e-5 {
				t.Errorf("%+v: slope %d is %g, by differences %g", test.model, i, gradient.AtVec(i), want[i])
			}
			for j := range x {
				if math.Abs(information.At(i, j)+hessian.At(i, j)) > 1e-2 {
					t.Errorf("%+v: information %d, %d is %g, by differences %g", test.model, i, j, information.At(i, j), -hessian.At(i, j))
				}
			}
		}
	}
}

// The value by hand: of two equals, with even odds of a win, a loss and a draw, each game
// has the likelihood of a third; the strengths' sum is held at 0 by half its square.
func TestLikelihoodByHand(t *testing.T) {
	l := Model{Players: 2}.likelihood([]Record{{0, 1, 1, 2, 3}})
	if v, _, _ := l.at([]float64{0, 0, 0}); math.Abs(v+6*math.Log(3)) > 1e-12 {
		t.Errorf("%g, expected %g", v, -6*math.Log(3))
	}
	if v, _, _ := l.at([]float64{1, 1, 0}); math.Abs(v+6*math.Log(3)+2) > 1e-12 {
		t.Errorf("%g, expected %g", v, -6*math.Log(3)-2)
	}
	// A strength of ln 4 beyond the other's: odds of 4 to 1, and 2 for a draw.
	if v, _, _ := l.at([]float64{math.Log(2), -math.Log(2), 0}); math.Abs(v-(math.Log(4./7)*1+2*math.Log(2./7)+3*math.Log(1./7))) > 1e-12 {
		t.Errorf("%g", v)
	}
	// The first seat adds half of its worth to who has it and takes half from the other.
	l = Model{Players: 2, Seat: true}.likelihood([]Record{{0, 1, 1, 0, 0}})
	if v, _, _ := l.at([]float64{0, 0, math.Log(3)}); math.Abs(v-math.Log(0.75)) > 1e-12 {
		t.Errorf("%g, expected %g", v, math.Log(0.75))
	}
}

// A fit starts from ratings that are given, around their mean, if they are of as many
// players; else from nothing.
func TestStartOfAFit(t *testing.T) {
	records := []Record{{0, 1, 12, 5, 7}, {1, 0, 9, 3, 11}}
	l := Model{Players: 2, Seat: true}.likelihood(records)
	near := &Ratings{Elo: []float64{500, 100}, Seat: 50, Draw: 2}
	for _, test := range []struct {
		near *Ratings
		want []float64
	}{
		{near, []float64{200 / eloScale, -200 / eloScale, 50 / eloScale, math.Ln2}},
		{&Ratings{Elo: near.Elo}, []float64{200 / eloScale, -200 / eloScale, 0, 0}},
		{&Ratings{Elo: []float64{1, 2, 3}}, make([]float64, 4)},
		{nil, make([]float64, 4)},
	} {
		got := l.start(test.near)
		for i := range test.want {
			if math.Abs(got[i]-test.want[i]) > 1e-12 {
				t.Errorf("from %+v: %v, expected %v", test.near, got, test.want)
				break
			}
		}
	}
	plain := Model{Players: 2}.likelihood([]Record{{0, 1, 2, 0, 1}})
	if got := plain.start(near); len(got) != 2 || math.Abs(got[0]-200/eloScale) > 1e-12 {
		t.Errorf("without a seat and draws: %v", got)
	}
}

// Strengths, the seat and draws run away each at a bound of its own.
func TestRunsAway(t *testing.T) {
	l := likelihood{players: 2, seat: 2, draw: 3, size: 4}
	for _, test := range []struct {
		x    []float64
		want bool
	}{
		{[]float64{20, -20, 12, -20}, false},
		{[]float64{20.1, 0, 0, 0}, true},
		{[]float64{0, -20.1, 0, 0}, true},
		{[]float64{0, 0, 12.1, 0}, true},
		{[]float64{0, 0, 0, 20.1}, true},
	} {
		if got := l.runsAway(test.x); got != test.want {
			t.Errorf("%v: %t", test.x, got)
		}
	}
}

// A mutant's chance to take over, by hand: of one twentieth where it is paid the same, of
// (1−e^−u)/(1−e^−mu) where it is paid u more, with no overflow at either end.
func TestTakeoverByHand(t *testing.T) {
	for _, test := range []struct {
		u, alpha float64
		members  int
		want     float64
	}{
		{0, 5, 20, 0.05},
		{1, 1, 2, (1 - math.Exp(-1)) / (1 - math.Exp(-2))},
		{-1, 1, 2, (1 - math.E) / (1 - math.Exp(2))},
		{0.5, 2, 3, (1 - math.Exp(-1)) / (1 - math.Exp(-3))},
		{1e6, 1, 50, 1},
		{-1e6, 1, 50, 0},
		{1e-15, 1, 50, 0.02},
	} {
		if got := takeover(test.u, test.alpha, test.members); !(math.Abs(got-test.want) < 1e-12) {
			t.Errorf("paid %g more, intensity %g, %d members: %g, expected %g", test.u, test.alpha, test.members, got, test.want)
		}
	}
}
