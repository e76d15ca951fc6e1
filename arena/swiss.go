package arena

import (
	"slices"

	"github.com/agon-rl/agon/internal/spec"
)

func init() {
	Schedules.Add(spec.Entry[scheduler]{
		Name: "swiss", Usage: "swiss(rounds=5)",
		Help: "those of like score meet, nobody twice while it can be helped; --rounds sets of games a meeting",
		Value: func(r *spec.Reader, rounds int, _ uint64) Schedule {
			return swiss{rounds: r.Int("rounds", 5, 1, 1<<20), units: rounds}
		},
	})
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
