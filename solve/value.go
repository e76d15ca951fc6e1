package solve

import (
	"context"
	"fmt"
	"math"

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

// Measure measures a strategy profile.
func (t *Tree) Measure(s Strategy) (Report, error) {
	if len(s) != t.actions {
		return Report{}, fmt.Errorf("a strategy with %d probabilities for a tree with %d actions", len(s), t.actions)
	}
	r := Report{Value: t.Value(s)}
	for seat := range t.Info.Seats {
		value, _ := t.BestResponse(s, games.Seat(seat))
		r.BestResponse = append(r.BestResponse, value)
		r.NashConv += value - r.Value[seat]
	}
	r.Exploitability = r.NashConv / float64(t.Info.Seats)
	return r, nil
}

// Value returns every seat's expected return under a strategy profile.
func (t *Tree) Value(s Strategy) []float64 {
	reach := make([]float64, t.Nodes())
	reach[0] = 1
	out := make([]float64, t.Info.Seats)
	for id, seat := range t.seat {
		if seat == games.Over {
			for p := range out {
				out[p] += reach[id] * t.payoff[int(t.final[id])*t.Info.Seats+p]
			}
			continue
		}
		t.spread(s, int32(id), reach)
	}
	return out
}

// probabilities returns those of a node's edges under a strategy.
func (t *Tree) probabilities(s Strategy, id int32) []float64 {
	lo, hi := t.edge[id], t.edge[id+1]
	if set := t.set[id]; set >= 0 {
		first := t.Sets[set].First
		return s[first : first+int(hi-lo)]
	}
	return t.odds[lo:hi]
}

func (t *Tree) spread(s Strategy, id int32, reach []float64) {
	for i, p := range t.probabilities(s, id) {
		reach[t.child[int(t.edge[id])+i]] = reach[id] * p
	}
}

// BestResponse returns the expected return of the best response of a seat to
// the others' strategies, and that response: s with the seat's probabilities
// replaced by 1 for a best action, the first of equals.
//
// Information sets are decided from the last of the seat's own actions to the
// first, each for the action with the largest value summed over its nodes,
// weighted with the probability that chance and the others reach them.
func (t *Tree) BestResponse(s Strategy, seat games.Seat) (float64, Strategy) {
	reach := make([]float64, t.Nodes()) // by chance and the others alone
	reach[0] = 1
	for id, turn := range t.seat {
		switch turn {
		case games.Over:
		case seat:
			for e := t.edge[id]; e < t.edge[id+1]; e++ {
				reach[t.child[e]] = reach[id]
			}
		default:
			t.spread(s, int32(id), reach)
		}
	}
	value := make([]float64, t.Nodes())
	best := append(Strategy(nil), s...)
	for d := len(t.levels[seat]) - 1; d >= 0; d-- {
		for _, set := range t.levels[seat][d].sets {
			t.decide(&t.Sets[set], reach, value, best)
		}
		for _, id := range t.levels[seat][d].other {
			if f := t.final[id]; f >= 0 {
				value[id] = t.payoff[int(f)*t.Info.Seats+int(seat)]
				continue
			}
			for i, p := range t.probabilities(s, id) {
				value[id] += p * value[t.child[int(t.edge[id])+i]]
			}
		}
	}
	return value[0], best
}

// decide picks the best action of an information set whose children's values
// are known.
func (t *Tree) decide(set *Set, reach, value []float64, best Strategy) {
	chosen, highest := 0, math.Inf(-1)
	for a := range set.Actions {
		q := 0.0
		for _, id := range set.nodes {
			q += reach[id] * value[t.child[int(t.edge[id])+a]]
		}
		if q > highest {
			chosen, highest = a, q
		}
	}
	for a := range set.Actions {
		best[set.First+a] = 0
	}
	best[set.First+chosen] = 1
	for _, id := range set.nodes {
		value[id] = value[t.child[int(t.edge[id])+chosen]]
	}
}
