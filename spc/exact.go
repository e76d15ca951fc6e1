package spc

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/solve"
	"github.com/agon-rl/agon/trainer"
)

// exact measures players in a game small enough to solve: the newest pair and the
// average of all pairs so far.
type exact struct {
	tree    *solve.Tree
	newest  solve.Strategy
	average *solve.Average
}

// mostNodes bounds the games that are measured exactly.
const mostNodes = 1 << 20

func newExact(ctx context.Context, game games.Game) (*exact, error) {
	tree, err := solve.Compile(ctx, game, mostNodes)
	if err != nil {
		return nil, fmt.Errorf("a game without kinds of error is measured exactly: %w", err)
	}
	return &exact{tree: tree, newest: tree.Uniform(), average: solve.NewAverage(tree)}, nil
}

// respond has the seats that train answer exactly the newest other, or the average of
// all so far, which is fictitious play; softly, where a temperature is given.
func (x *exact) respond(pool bool, temperature float64, trains func(games.Seat) bool) {
	next, others := slices.Clone(x.newest), x.newest
	if pool {
		others = x.average.Strategy()
	}
	for seat := range games.Seat(2) {
		if !trains(seat) {
			continue
		}
		var answer solve.Strategy
		if temperature > 0 {
			answer = x.tree.SoftResponse(others, seat, temperature)
		} else {
			_, answer = x.tree.BestResponse(others, seat)
		}
		for _, set := range x.tree.Sets {
			if set.Seat == seat {
				copy(next[set.First:set.First+len(set.Actions)], answer[set.First:])
			}
		}
	}
	x.newest = next
}

// measureExactly adds the newest pair to the average, and where it is time to, what
// the two seats gain together by best responses.
func (m *rounds) measureExactly(ctx context.Context, line trainer.Line) (err error) {
	x := m.exact
	if !m.respond {
		if x.newest, err = x.tree.Strategy(ctx, m.Policy()); err != nil {
			return err
		}
	}
	x.average.Add(x.newest)
	if !m.Evaluates(m.Done) {
		return nil
	}
	for name, s := range map[string]solve.Strategy{"nash_conv/last": x.newest, "nash_conv/average": x.average.Strategy()} {
		report, err := x.tree.Measure(s)
		if err != nil {
			return err
		}
		line[name] = report.NashConv
	}
	return nil
}

type exactState struct {
	Newest  solve.Strategy  `json:"newest"`
	Average json.RawMessage `json:"average"`
}

func (x *exact) save() (exactState, error) {
	average, err := json.Marshal(x.average)
	return exactState{x.newest, average}, err
}

func (x *exact) restore(s exactState) error {
	if len(s.Newest) != len(x.newest) {
		return fmt.Errorf("a strategy of %d probabilities, the game has %d", len(s.Newest), len(x.newest))
	}
	x.newest = s.Newest
	return json.Unmarshal(s.Average, x.average)
}
