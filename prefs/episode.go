package prefs

import (
	"context"
	"slices"
	"strings"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/mcts"
	"github.com/agon-rl/agon/play"
)

// VisitOf is what a finished search made of its root.
func VisitOf(t *mcts.Tree, c Context) Visit {
	s := t.State()
	seat := s.Turn()
	actions, target := t.Distribution(1)
	return Visit{
		Prompt: promptOf(s, seat), Game: c.Game, History: numbers(c.History), Key: games.Key(s, seat), Seat: int32(seat),
		Actions: numbers(actions), Target: target, Value: t.Mean(mcts.Root), Source: c.Source,
	}
}

func promptOf(s games.State, seat games.Seat) string {
	if speaker, ok := s.(games.Speaker); ok {
		return speaker.Prompt(seat)
	}
	return games.Key(s, seat)
}

func numbers(actions []games.Action) []int32 {
	out := make([]int32, len(actions))
	for i, a := range actions {
		out[i] = int32(a)
	}
	return out
}

// Outcomes pairs games that a seat got more from with games that it got less
// from, where the two began alike: after the same first outcomes of chance, if
// any, and from the seat's first decision on. Every game is in one pair at most
// for each of its seats.
func Outcomes(game games.Game, episodes []*play.Episode, source string) []Outcome {
	type start struct {
		actions string
		seat    games.Seat
	}
	groups := map[start][]*play.Episode{}
	var order []start
	for _, e := range episodes {
		seen := map[games.Seat]bool{}
		for _, turn := range e.Turns {
			if seen[turn.Seat] || e.Forfeit != games.Over {
				continue
			}
			seen[turn.Seat] = true
			key := start{string(encode(e.Actions[:turn.At])), turn.Seat}
			if groups[key] == nil {
				order = append(order, key)
			}
			groups[key] = append(groups[key], e)
		}
	}
	var out []Outcome
	for _, key := range order {
		some := slices.Clone(groups[key])
		slices.SortStableFunc(some, func(a, b *play.Episode) int {
			switch x, y := a.Returns[key.seat], b.Returns[key.seat]; {
			case x > y:
				return -1
			case x < y:
				return 1
			}
			return 0
		})
		for i, j := 0, len(some)-1; i < j && some[i].Returns[key.seat] > some[j].Returns[key.seat]; i, j = i+1, j-1 {
			out = append(out, outcome(game, some[i], some[j], key.seat, source))
		}
	}
	return out
}

func encode(actions []games.Action) []byte {
	var out []byte
	for _, a := range actions {
		out = append(out, byte(a), byte(a>>8), byte(a>>16), byte(a>>24))
	}
	return out
}

func outcome(game games.Game, won, lost *play.Episode, seat games.Seat, source string) Outcome {
	at := won.Turns[slices.IndexFunc(won.Turns, func(t play.Turn) bool { return t.Seat == seat })].At
	s := game.Start()
	for _, a := range won.Actions[:at] {
		if s.Apply(a) != nil {
			break // the game played them itself
		}
	}
	return Outcome{
		Prompt: promptOf(s, seat), Chosen: said(game, won, seat), Rejected: said(game, lost, seat),
		Game: game.Info().Spec(), Seat: int32(seat), Start: numbers(won.Actions[:at]),
		ChosenHistory: numbers(won.Actions), RejectedHistory: numbers(lost.Actions),
		ChosenReturn: won.Returns[seat], RejectedReturn: lost.Returns[seat], Source: source,
	}
}

// said is what a seat did in a game, a line each.
func said(game games.Game, e *play.Episode, seat games.Seat) string {
	var lines []string
	s := game.Start()
	for _, a := range e.Actions {
		if s.Turn() == seat {
			lines = append(lines, games.Say(s, a))
		}
		if s.Apply(a) != nil {
			break
		}
	}
	return strings.Join(lines, "\n")
}

// Verifier returns the exact value of a game's states where the game itself
// knows whether they can still end well, as chains of reasoning do.
func Verifier(game games.Game) (value func(ctx context.Context, s games.State) (float64, error), ok bool) {
	info := game.Info()
	if _, ok := game.Start().(interface{ Solvable() bool }); !ok || info.Seats != 1 {
		return nil, false
	}
	return func(_ context.Context, s games.State) (float64, error) {
		if s.(interface{ Solvable() bool }).Solvable() {
			return info.MaxReturn, nil
		}
		return info.MinReturn, nil
	}, true
}
