package arena

import (
	"math/bits"

	"github.com/agon-rl/agon/internal/spec"
	"github.com/agon-rl/agon/play"
)

func init() {
	Schedules.Add(spec.Entry[scheduler]{
		Name:  "knockout",
		Help:  "who loses is out; --rounds sets of games a meeting, and more while they are even",
		Value: func(_ *spec.Reader, rounds int, seed uint64) Schedule { return knockout{units: rounds, seed: seed} },
	})
}

// knockout halves the field until one is left. Entrants are seeded by their order:
// the first meets the last.
type knockout struct {
	units int
	seed  uint64
}

// mostExtra is how many units more a meeting has while it is even.
const mostExtra = 10

func (k knockout) check(int) error { return nil }

func (k knockout) planned(int) int { return 0 }

func (k knockout) next(t *Table) []Unit {
	field := bracket(len(t.names))
	for len(field) > 1 {
		var open []Unit
		var winners []int
		for i := 0; i < len(field); i += 2 {
			a, b := field[i], field[i+1]
			if b >= len(t.names) || a >= len(t.names) { // a bye
				winners = append(winners, min(a, b))
				continue
			}
			winner, more := k.decide(t, Unit{min(a, b), max(a, b)})
			winners = append(winners, winner)
			open = append(open, more...)
		}
		if len(open) > 0 {
			return open
		}
		field = winners
	}
	return nil
}

// decide returns who won a meeting, or what is still to be played in it. Two entrants
// meet once, so that its units are all that they played.
func (k knockout) decide(t *Table, u Unit) (winner int, more []Unit) {
	units, lead := 0, 0.0 // by which the first is ahead, in steps of a unit's score
	if p := t.pairings[u]; p != nil {
		units = p.Margin.N
		for i, n := range p.Counts {
			lead += n * float64(2*i-len(p.Counts)+1)
		}
	}
	for range k.units - units {
		more = append(more, u)
	}
	even := lead == 0
	switch {
	case len(more) > 0:
	case even && units < k.units+mostExtra:
		more = append(more, u)
	case even: // lots are drawn
		if play.Generator(k.seed, "lots", uint64(u.First), uint64(u.Second)).IntN(2) == 0 {
			return u.First, nil
		}
		return u.Second, nil
	case lead > 0:
		return u.First, nil
	default:
		return u.Second, nil
	}
	return u.First, more
}

// bracket is the order in which the first seeds meet as late as can be: 0 and 1 in the
// final. Places from n up are byes.
func bracket(n int) []int {
	size := 1 << bits.Len(uint(n-1))
	field := []int{0}
	for len(field) < size {
		next := make([]int, 0, 2*len(field))
		for _, s := range field {
			next = append(next, s, 2*len(field)-1-s)
		}
		field = next
	}
	return field
}
