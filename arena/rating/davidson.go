package rating

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
)

// Record is how games ended in which one of two players had the first seat.
type Record struct {
	First, Second       int     // players
	Wins, Draws, Losses float64 // of the first
}

// Model says how players are rated.
type Model struct {
	Players int
	// Anchor is the player whose rating is AnchorElo; -1 makes the mean AnchorElo.
	Anchor    int
	AnchorElo float64
	// Seat has the first seat be worth something.
	Seat bool
	// Prior is how many games are added between every two players that met, half of
	// them from each seat, all of them half won and half lost. It bounds every
	// parameter; without it, one that won all games has no rating.
	Prior float64
	// Near is where the ratings may be expected, such as those of games drawn from the
	// same: it saves steps and changes nothing. nil where nothing is known.
	Near *Ratings
}

// Ratings are a fitted model.
type Ratings struct {
	Elo   []float64 // by player
	Error []float64 // standard errors, of the anchor 0
	Seat  float64   // Elo that the first seat is worth
	Draw  float64   // ν: the odds of a draw between equals to a win of one of them
}

// ErrNoMaximum is the error of Fit where the likelihood has no maximum.
var ErrNoMaximum = errors.New("the games do not bound all ratings: some players met no others, won all, or lost all; add games or a prior")

// Fit rates players by maximum likelihood: Bradley and Terry's model with ties
// (Davidson 1970) and an effect of the order (Davidson and Beaver 1977). With
// strengths θ, the worth γ of the first seat and κ = ln ν,
//
//	P(win) : P(draw) : P(loss) = exp(θ_i+γ/2) : exp((θ_i+θ_j)/2+κ) : exp(θ_j-γ/2).
//
// Its logarithm is concave, so that Newton's method finds the one maximum.
func (m Model) Fit(records []Record) (Ratings, error) {
	top, err := m.maximum(records)
	if err != nil {
		return Ratings{}, err
	}
	return m.ratings(top)
}

// Influence returns, for each of some sets of records, how far it moves every rating,
// in Elo and to first order, when it is added to those that were fitted: the inverse of
// the information times the set's score (Hampel 1974).
func (m Model) Influence(records []Record, sets [][]Record) ([][]float64, error) {
	top, err := m.maximum(records)
	if err != nil {
		return nil, err
	}
	out := make([][]float64, len(sets))
	for i, set := range sets {
		value, score := 0.0, mat.NewVecDense(top.size, nil)
		for _, r := range set {
			top.game(r, top.x, &value, score, nil)
		}
		step := mat.NewVecDense(top.size, nil)
		if err := top.factor.SolveVecTo(step, score); err != nil {
			return nil, ErrNoMaximum
		}
		out[i] = make([]float64, m.Players)
		for p := range out[i] {
			if out[i][p] = eloScale * step.AtVec(p); m.Anchor >= 0 {
				out[i][p] -= eloScale * step.AtVec(m.Anchor)
			}
		}
	}
	return out, nil
}

// maximum is where a likelihood has its top, with its information there.
type maximum struct {
	likelihood

	x      []float64
	factor *mat.Cholesky
}

func (m Model) maximum(records []Record) (maximum, error) {
	if err := m.check(records); err != nil {
		return maximum{}, err
	}
	l := m.likelihood(records)
	x := l.start(m.Near)
	value, gradient, information := l.at(x)
	for range 100 {
		var factor mat.Cholesky
		if l.runsAway(x) || !factor.Factorize(information) {
			return maximum{}, ErrNoMaximum
		}
		step := mat.NewVecDense(l.size, nil)
		if err := factor.SolveVecTo(step, gradient); err != nil {
			return maximum{}, ErrNoMaximum
		}
		if size := mat.Norm(step, math.Inf(1)); size < 1e-7 { // after it the next would be about its square
			for i := range x {
				x[i] += step.AtVec(i)
			}
			return maximum{l, x, &factor}, nil
		}
		var moved bool
		step.ScaleVec(min(1, 10/mat.Norm(step, math.Inf(1))), step)
		if x, value, gradient, information, moved = l.climb(x, value, step); !moved {
			if mat.Norm(step, math.Inf(1)) > 1e-3 { // it is still far, over ground that is flat
				return maximum{}, ErrNoMaximum
			}
			return maximum{l, x, &factor}, nil // as high as numbers tell
		}
	}
	return maximum{}, ErrNoMaximum
}

// runsAway tells whether a maximum lies where no games of a lifetime show one: strengths
// beyond 3500 Elo from their mean, a seat worth 2100, or draws that are all or nothing.
func (l likelihood) runsAway(x []float64) bool {
	const mostStrength, mostSeat, mostDraw = 20, 12, 20
	for i, v := range x {
		most := float64(mostStrength)
		switch i {
		case l.seat:
			most = mostSeat
		case l.draw:
			most = mostDraw
		}
		if math.Abs(v) > most {
			return true
		}
	}
	return false
}

func (m Model) check(records []Record) error {
	if m.Players < 2 || m.Anchor < -1 || m.Anchor >= m.Players {
		return fmt.Errorf("rating %d players with the anchor %d: expected two players or more, and the anchor among them", m.Players, m.Anchor)
	}
	for _, r := range records {
		if min(r.First, r.Second) < 0 || max(r.First, r.Second) >= m.Players || r.First == r.Second || !(min(r.Wins, r.Draws, r.Losses) >= 0) {
			return fmt.Errorf("the record %+v: expected two of %d players, and counts from 0 up", r, m.Players)
		}
	}
	return nil
}

// likelihood is the logarithm of the games' likelihood as a function of the
// parameters: all strengths, then γ and κ where the model has them.
type likelihood struct {
	players, seat, draw, size int // places of γ and κ; -1 where there is none
	games                     []Record
}

// likelihood gathers the games, the prior's among them. Without a draw ν is zero, and
// no parameter.
func (m Model) likelihood(records []Record) likelihood {
	l := likelihood{players: m.Players, seat: -1, draw: -1, size: m.Players}
	met := map[[2]int]bool{}
	draws := 0.0
	for _, r := range records {
		l.games = append(l.games, r)
		draws += r.Draws
		met[[2]int{min(r.First, r.Second), max(r.First, r.Second)}] = true
	}
	for i := range m.Players {
		for j := i + 1; j < m.Players; j++ {
			if met[[2]int{i, j}] && m.Prior > 0 {
				half := m.Prior / 4
				l.games = append(l.games, Record{First: i, Second: j, Wins: half, Losses: half}, Record{First: j, Second: i, Wins: half, Losses: half})
			}
		}
	}
	if m.Seat {
		l.seat, l.size = l.size, l.size+1
	}
	if draws > 0 {
		l.draw, l.size = l.size, l.size+1
	}
	return l
}

// start is where the climb begins.
func (l likelihood) start(near *Ratings) []float64 {
	x := make([]float64, l.size)
	if near == nil || len(near.Elo) != l.players {
		return x
	}
	mean := 0.0
	for _, elo := range near.Elo {
		mean += elo / float64(l.players)
	}
	for i, elo := range near.Elo {
		x[i] = (elo - mean) / eloScale
	}
	if l.seat >= 0 {
		x[l.seat] = near.Seat / eloScale
	}
	if l.draw >= 0 && near.Draw > 0 {
		x[l.draw] = math.Log(near.Draw)
	}
	return x
}

// slopes are how the utilities of a win, a loss and a draw change with θ of the first,
// θ of the second, γ and κ.
var slopes = [3][4]float64{{1, 0, 0.5, 0}, {0, 1, -0.5, 0}, {0.5, 0.5, 0, 1}}

// at returns the value at x, its gradient, and the information: the second
// derivatives with their sign turned. Only differences of strengths count, so a
// parabola in their sum is taken off, which has its top at zero.
func (l likelihood) at(x []float64) (float64, *mat.VecDense, *mat.SymDense) {
	value, gradient, information := 0.0, mat.NewVecDense(l.size, nil), mat.NewSymDense(l.size, nil)
	sum := 0.0
	for i := range l.players {
		sum += x[i]
	}
	value -= sum * sum / 2
	for i := range l.players {
		gradient.SetVec(i, -sum)
		for j := i; j < l.players; j++ {
			information.SetSym(i, j, 1)
		}
	}
	for _, r := range l.games {
		l.game(r, x, &value, gradient, information)
	}
	return value, gradient, information
}

// game adds one record: a multinomial logit, whose information is the covariance of
// the outcomes' slopes. It is left out where it is nil.
func (l likelihood) game(r Record, x []float64, value *float64, gradient *mat.VecDense, information *mat.SymDense) {
	places, counts := [4]int{r.First, r.Second, l.seat, l.draw}, [3]float64{r.Wins, r.Losses, r.Draws}
	outcomes := 3
	if l.draw < 0 {
		outcomes = 2
	}
	var utility, p [3]float64
	sum, total := 0.0, 0.0
	for o := range outcomes {
		for k, place := range places {
			if place >= 0 {
				utility[o] += slopes[o][k] * x[place]
			}
		}
		total += counts[o]
		sum += math.Exp(utility[o]) // strengths are bounded: it cannot overflow
	}
	var mean [4]float64
	whole := math.Log(sum)
	for o := range outcomes {
		p[o] = math.Exp(utility[o] - whole)
		*value += counts[o] * (utility[o] - whole)
		for k := range mean {
			mean[k] += p[o] * slopes[o][k]
		}
	}
	rise := gradient.RawVector().Data
	for k, i := range places {
		if i < 0 {
			continue
		}
		var weighted [3]float64 // the slope beyond its mean, by probability
		for o := range outcomes {
			rise[i] += (counts[o] - total*p[o]) * slopes[o][k]
			weighted[o] = total * p[o] * (slopes[o][k] - mean[k])
		}
		if information == nil {
			continue
		}
		upper := information.RawSymmetric()
		for m := k; m < len(places); m++ {
			if j := places[m]; j >= 0 {
				upper.Data[min(i, j)*upper.Stride+max(i, j)] += weighted[0]*slopes[0][m] + weighted[1]*slopes[1][m] + weighted[2]*slopes[2][m]
			}
		}
	}
}

// climb takes the largest of the step, its half, its quarter, … that goes up.
func (l likelihood) climb(x []float64, value float64, step *mat.VecDense) ([]float64, float64, *mat.VecDense, *mat.SymDense, bool) {
	for share := 1.0; share > 1e-6; share /= 2 {
		next := make([]float64, l.size)
		for i := range next {
			next[i] = x[i] + share*step.AtVec(i)
		}
		if v, g, h := l.at(next); v >= value {
			return next, v, g, h, true
		}
	}
	_, g, h := l.at(x)
	return x, value, g, h, false
}

// ratings turns parameters into Elo, with errors from the information's inverse. The
// parabola in the sum of strengths adds 1/n² to each covariance of two of them.
func (m Model) ratings(top maximum) (Ratings, error) {
	x, l := top.x, top.likelihood
	var covariance mat.SymDense
	if err := top.factor.InverseTo(&covariance); err != nil {
		return Ratings{}, ErrNoMaximum
	}
	n := float64(m.Players)
	of := func(i, j int) float64 { return covariance.At(i, j) - 1/(n*n) }
	r := Ratings{Elo: make([]float64, m.Players), Error: make([]float64, m.Players)}
	for i := range m.Players {
		variance, base := of(i, i), 0.0
		if a := m.Anchor; a >= 0 {
			variance, base = of(i, i)+of(a, a)-2*of(i, a), x[a]
		}
		r.Elo[i] = m.AnchorElo + eloScale*(x[i]-base)
		r.Error[i] = eloScale * math.Sqrt(max(0, variance))
	}
	if l.seat >= 0 {
		r.Seat = eloScale * x[l.seat]
	}
	if l.draw >= 0 {
		r.Draw = math.Exp(x[l.draw])
	}
	return r, nil
}
