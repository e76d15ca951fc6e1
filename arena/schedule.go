package arena

import (
	"fmt"
	"math/bits"
	"slices"

	"github.com/agon-rl/agon/internal/spec"
	"github.com/agon-rl/agon/play"
)

// Schedule decides who meets whom.
type Schedule interface {
	check(entrants int) error
	// next returns the units that can be played now, given the table of all before;
	// none when the tournament is over.
	next(t *Table) []Unit
	// planned is how many units there will be at most; 0 where that depends on the
	// games.
	planned(entrants int) int
}

// Schedules documents the formats for help texts.
const Schedules = `roundrobin                   everybody meets everybody, --rounds times
gauntlet(seeds=1)            the first entrants meet all the others, --rounds times
swiss(rounds=5)              those of like score meet, nobody twice while it can be helped; --rounds sets of games a meeting
knockout                     who loses is out; --rounds sets of games a meeting, and more while they are even`

// ParseSchedule reads a format. Rounds are the units of every meeting.
func ParseSchedule(text string, rounds int, seed uint64) (Schedule, error) {
	if rounds < 1 {
		return nil, fmt.Errorf("rounds=%d: expected 1 or more", rounds)
	}
	s, err := spec.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("format: %w", err)
	}
	r := spec.Read(s)
	var out Schedule
	switch s.Name {
	case "roundrobin":
		out = roundRobin{rounds: rounds}
	case "gauntlet":
		out = roundRobin{rounds: rounds, seeds: r.Int("seeds", 1, 1, 1<<20)}
	case "swiss":
		out = swiss{rounds: r.Int("rounds", 5, 1, 1<<20), units: rounds}
	case "knockout":
		out = knockout{units: rounds, seed: seed}
	default:
		names := []string{"roundrobin", "gauntlet", "swiss", "knockout"}
		return nil, fmt.Errorf("format: unknown format %q%s; there are roundrobin, gauntlet, swiss, knockout", s.Name, spec.Suggest(s.Name, names))
	}
	if err := r.Err(); err != nil {
		return nil, fmt.Errorf("format: %w", err)
	}
	return out, nil
}

// roundRobin has all meet, or, where seeds are given, the seeds the others.
type roundRobin struct{ rounds, seeds int }

func (r roundRobin) check(entrants int) error {
	if r.seeds >= entrants {
		return fmt.Errorf("format: gauntlet with %d seeds of %d entrants: expected others for them to meet", r.seeds, entrants)
	}
	return nil
}

func (r roundRobin) next(t *Table) []Unit {
	if len(t.units) > 0 {
		return nil
	}
	var round, all []Unit
	for i := range t.names {
		for j := i + 1; j < len(t.names); j++ {
			if r.seeds == 0 || i < r.seeds && j >= r.seeds {
				round = append(round, Unit{i, j})
			}
		}
	}
	for range r.rounds {
		all = append(all, round...)
	}
	return all
}

func (r roundRobin) planned(entrants int) int {
	if r.seeds > 0 {
		return r.rounds * r.seeds * (entrants - r.seeds)
	}
	return r.rounds * entrants * (entrants - 1) / 2
}

// swiss pairs neighbours in the order of points.
type swiss struct{ rounds, units int }

func (s swiss) check(int) error { return nil }

func (s swiss) planned(entrants int) int { return s.rounds * s.units * (entrants / 2) }

func (s swiss) next(t *Table) []Unit {
	n := len(t.names)
	perRound := n / 2 * s.units
	if len(t.units) >= s.rounds*perRound {
		return nil
	}
	points, met, rested := make([]float64, n), map[[2]int]bool{}, make([]int, n)
	for i := range rested {
		rested[i] = len(t.units) / perRound
	}
	for i, u := range t.units {
		points[u.First] += t.scores[i]
		points[u.Second] += 1 - t.scores[i]
		met[[2]int{u.First, u.Second}], met[[2]int{u.Second, u.First}] = true, true
		if i%s.units == 0 {
			rested[u.First]--
			rested[u.Second]--
		}
	}
	for i, r := range rested { // a rest counts as if it were won
		points[i] += float64(r * s.units)
	}
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case points[a] > points[b]:
			return -1
		case points[a] < points[b]:
			return 1
		}
		return a - b
	})
	if n%2 == 1 {
		order = withoutRester(order, rested)
	}
	var round []Unit
	for _, u := range pairUp(order, met) {
		for range s.units {
			round = append(round, u)
		}
	}
	return round
}

// withoutRester takes out the last of those that rested least.
func withoutRester(order, rested []int) []int {
	least := slices.Min(rested)
	for i := len(order) - 1; ; i-- {
		if rested[order[i]] == least {
			return slices.Delete(slices.Clone(order), i, i+1)
		}
	}
}

// pairUp pairs each with the nearest below that it has not met, going back where that
// leaves others without; if all have met, with the nearest.
func pairUp(order []int, met map[[2]int]bool) []Unit {
	steps := 0
	var pair func(rest []int) []Unit
	pair = func(rest []int) []Unit {
		if len(rest) == 0 {
			return []Unit{}
		}
		for i := 1; i < len(rest); i++ {
			if steps++; steps > 1<<16 {
				return nil
			}
			if met[[2]int{rest[0], rest[i]}] {
				continue
			}
			others := slices.Concat(rest[1:i], rest[i+1:])
			if more := pair(others); more != nil {
				return append([]Unit{{rest[0], rest[i]}}, more...)
			}
		}
		return nil
	}
	if round := pair(order); round != nil {
		return round
	}
	var round []Unit
	for i := 0; i+1 < len(order); i += 2 {
		round = append(round, Unit{order[i], order[i+1]})
	}
	return round
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
