package solve

import (
	"context"
	"math"
	"slices"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/policy"
)

// Report measures a strategy profile exactly.
type Report struct {
	Value        []float64 // by seat: expected return when all follow the profile
	BestResponse []float64 // by seat: expected return of the best response to the others
	// NashConv is the sum over seats of what a best response gains;
	// Exploitability is NashConv divided by the number of seats.
	NashConv       float64
	Exploitability float64
}

// Evaluate measures a policy that sits in every seat.
func (t *Tree) Evaluate(ctx context.Context, p policy.Policy) (Report, error) {
	s, err := t.Strategy(ctx, p)
	if err != nil {
		return Report{}, err
	}
	return t.Measure(s)
}

// Measure measures a strategy profile. One that is no distribution at some
// information set is an error.
func (t *Tree) Measure(s Strategy) (Report, error) {
	if err := t.check(s); err != nil {
		return Report{}, err
	}
	reach := t.reach(s)
	r := Report{Value: t.value(reach)}
	for seat := range t.Info.Seats {
		value, _ := t.respond(s, reach, games.Seat(seat))
		r.BestResponse = append(r.BestResponse, value)
		r.NashConv += value - r.Value[seat]
	}
	r.Exploitability = r.NashConv / float64(t.Info.Seats)
	return r, nil
}

// Value returns every seat's expected return under a strategy profile.
func (t *Tree) Value(s Strategy) []float64 { return t.value(t.reach(s)) }

// BestResponse returns the expected return of the best response of a seat to
// the others' strategies, and that response: s with the seat's probabilities
// replaced by 1 for a best action, the first of equals.
func (t *Tree) BestResponse(s Strategy, seat games.Seat) (float64, Strategy) {
	return t.respond(s, t.reach(s), seat)
}

// SoftResponse is the softened best response of a seat: s with the seat's part replaced
// by what does best if every information set that it plays to also costs temperature
// times the KL divergence from uniform play there (a quantal response; the pull of
// MirrorDescent). With utilities u(a), the values of the sets behind a included,
//
//	x(a) ∝ e^{u(a)/τ},  v(I) = τ · log (1/n Σ_a e^{u(a)/τ})
//
// A temperature near 0 is the best response, a high one uniform play.
func (t *Tree) SoftResponse(s Strategy, seat games.Seat, temperature float64) Strategy {
	next := slices.Clone(s)
	worth := t.worth(t.reach(s), seat)
	for _, set := range slices.Backward(t.own[seat]) {
		u := worth[set.first:set.last]
		highest, sum := slices.Max(u), 0.0
		for i, x := range u {
			next[int(set.first)+i] = math.Exp((x - highest) / temperature)
			sum += next[int(set.first)+i]
		}
		for a := set.first; a < set.last; a++ {
			next[a] /= sum
		}
		worth[set.after] += highest + temperature*math.Log(sum/float64(len(u)))
	}
	return next
}

// reach returns, by sequence, the probability that its seat plays it: the
// realisation plan of the sequence form (von Stengel 1996, "Efficient
// Computation of Behavior Strategies").
func (t *Tree) reach(s Strategy) []float64 {
	reach := make([]float64, t.actions+1)
	reach[t.empty()] = 1
	for seat := range t.own {
		t.realise(s, reach, games.Seat(seat))
	}
	return reach
}

// realise sets reach at the sequences of one seat.
func (t *Tree) realise(s Strategy, reach []float64, seat games.Seat) {
	for _, set := range t.own[seat] {
		r := reach[set.after]
		for a := set.first; a < set.last; a++ {
			reach[a] = r * s[a]
		}
	}
}

// value returns every seat's expected return.
func (t *Tree) value(reach []float64) []float64 {
	out := make([]float64, t.Info.Seats)
	for i, p := range t.ends.chance {
		at := i * len(out)
		for _, q := range t.ends.sequence[at : at+len(out)] {
			p *= reach[q]
		}
		for seat := range out {
			out[seat] += p * t.ends.payoff[at+seat]
		}
	}
	return out
}

// worth returns, by sequence of a seat, what the ends right after it pay it,
// weighted with the probability that chance and the others play their parts:
// the gradient of its expected return in the sequence form.
func (t *Tree) worth(reach []float64, seat games.Seat) []float64 {
	worth := make([]float64, t.actions+1)
	t.weigh(worth, reach, seat)
	return worth
}

// weigh is worth, written into a slice that is there.
func (t *Tree) weigh(worth, reach []float64, seat games.Seat) {
	clear(worth)
	seats := t.Info.Seats
	for i, p := range t.ends.chance {
		sequence := t.ends.sequence[i*seats : (i+1)*seats]
		for other, q := range sequence {
			if games.Seat(other) != seat {
				p *= reach[q]
			}
		}
		worth[sequence[seat]] += p * t.ends.payoff[i*seats+int(seat)]
	}
}

// perSeat returns space for worth, by seat.
func (t *Tree) perSeat() [][]float64 {
	out := make([][]float64, t.Info.Seats)
	for seat := range out {
		out[seat] = make([]float64, t.actions+1)
	}
	return out
}

// respond is BestResponse, given the reach of s.
func (t *Tree) respond(s Strategy, reach []float64, seat games.Seat) (float64, Strategy) {
	best := slices.Clone(s)
	return t.answer(best, make([]float64, t.actions+1), reach, seat), best
}

// answer writes a best response to those who play reach where it concerns the
// seat, and returns its expected return. A sequence is worth what its ends pay
// and what the best actions at the information sets after it are worth. Sets are
// decided from the last to the first.
func (t *Tree) answer(best Strategy, worth, reach []float64, seat games.Seat) float64 {
	t.weigh(worth, reach, seat)
	for _, set := range slices.Backward(t.own[seat]) {
		chosen, highest := set.first, math.Inf(-1)
		for a := set.first; a < set.last; a++ {
			best[a] = 0
			if worth[a] > highest {
				chosen, highest = a, worth[a]
			}
		}
		best[chosen] = 1
		worth[set.after] += highest
	}
	return worth[t.empty()]
}
