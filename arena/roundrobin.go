package arena

import (
	"fmt"

	"github.com/agon-rl/agon/internal/spec"
)

func init() {
	Schedules.Add(spec.Entry[scheduler]{
		Name:  "roundrobin",
		Help:  "everybody meets everybody, --rounds times",
		Value: func(_ *spec.Reader, rounds int, _ uint64) Schedule { return roundRobin{rounds: rounds} },
	})
	Schedules.Add(spec.Entry[scheduler]{
		Name: "gauntlet", Usage: "gauntlet(seeds=1)",
		Help: "the first entrants meet all the others, --rounds times",
		Value: func(r *spec.Reader, rounds int, _ uint64) Schedule {
			return roundRobin{rounds: rounds, seeds: r.Int("seeds", 1, 1, 1<<20)}
		},
	})
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
