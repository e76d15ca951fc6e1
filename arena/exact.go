package arena

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/agon-rl/agon/agents"
	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/solve"
)

// mostNodes is the largest game that is measured beside being played.
const mostNodes = 1 << 16

// Exact knows a small game and the probabilities of those entrants that can be asked
// for them. It says without a game what two of them earn, how far each can be
// exploited, and how much of a played game was luck.
type Exact struct {
	game       games.Game
	tree       *solve.Tree
	strategies []solve.Strategy          // by entrant; nil for one that cannot be asked
	sets       map[string]*solve.Set     // by seat and key
	values     map[Unit]map[string]value // by who sits where, then by history
}

// value is what the seats expect at a history.
type value []float64

// NewExact asks the entrants; nil where the game is too large, or nobody answers.
func NewExact(ctx context.Context, game games.Game, entrants []Entrant) (*Exact, error) {
	if game.Info().Seats != 2 || game.Info().NoKeys {
		return nil, nil
	}
	tree, err := solve.Compile(ctx, game, mostNodes)
	if errors.Is(err, solve.ErrTooLarge) || game.Info().Chance == games.Sampled {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	x := &Exact{
		game: game, tree: tree, strategies: make([]solve.Strategy, len(entrants)),
		sets: map[string]*solve.Set{}, values: map[Unit]map[string]value{},
	}
	asked := false
	for i, e := range entrants {
		drawn, ok := agents.Drawn(e.Agent)
		if !ok {
			continue
		}
		if x.strategies[i], err = tree.Strategy(ctx, drawn); err != nil {
			return nil, fmt.Errorf("agent %s: %w", e.Name, err)
		}
		asked = true
	}
	if !asked {
		return nil, nil
	}
	for i := range tree.Sets {
		x.sets[setKey(tree.Sets[i].Seat, tree.Sets[i].Key)] = &tree.Sets[i]
	}
	return x, nil
}

func setKey(s games.Seat, key string) string { return string(rune(s)) + key }

// Known tells whether an entrant's probabilities are.
func (x *Exact) Known(entrant int) bool { return x.strategies[entrant] != nil }

// Margin is what the first of two known entrants earns a game beyond the even share,
// over both seats.
func (x *Exact) Margin(u Unit) float64 {
	even := x.tree.Info.Sum / 2
	one := x.tree.Value(x.profile(u.First, u.Second))[0]
	two := x.tree.Value(x.profile(u.Second, u.First))[1]
	return (one+two)/2 - even
}

// Exploitability is what best responses to a known entrant gain, a seat.
func (x *Exact) Exploitability(entrant int) (float64, error) {
	r, err := x.tree.Measure(x.strategies[entrant])
	return r.Exploitability, err
}

// profile seats two entrants. One that is not known plays as the other would, which
// is a guess.
func (x *Exact) profile(seats ...int) solve.Strategy {
	var out solve.Strategy
	for _, set := range x.tree.Sets {
		of := x.strategies[seats[set.Seat]]
		if of == nil {
			of = x.strategies[seats[1-set.Seat]]
		}
		if out == nil { // all have the same length
			out = make(solve.Strategy, len(of))
		}
		copy(out[set.First:set.First+len(set.Actions)], of[set.First:])
	}
	return out
}

// Corrected returns a game's returns without the luck that is known: at each chance
// node, and each action of a known entrant, what was drawn is worth V(h·a) where
// Σ_b p(b|h) V(h·b) was to be expected, and the difference is taken off. It has mean
// zero, whatever V is, so that the mean of what is left is that of the returns
// (AIVAT, arXiv 1612.06915, without its imaginary observations). V is the value where
// both play as far as they are known; the better the guess, the less luck is left. It
// is false where neither is known.
func (x *Exact) Corrected(seats []int, actions []games.Action, returns []float64) ([]float64, bool, error) {
	if !x.Known(seats[0]) && !x.Known(seats[1]) {
		return nil, false, nil
	}
	u := Unit{seats[0], seats[1]}
	values := x.values[u]
	if values == nil {
		values = map[string]value{}
		if _, err := x.walk(x.game.Start(), nil, x.profile(seats...), values); err != nil {
			return nil, false, err
		}
		x.values[u] = values
	}
	out := append([]float64(nil), returns...)
	s := x.game.Start()
	var history []byte
	for _, action := range actions {
		turn := s.Turn()
		if turn == games.Chance || turn >= 0 && x.Known(seats[turn]) {
			here, next := values[string(history)], values[string(appendAction(history, action))]
			for seat := range out {
				out[seat] -= next[seat] - here[seat]
			}
		}
		history = appendAction(history, action)
		if err := s.Apply(action); err != nil {
			return nil, false, err
		}
	}
	return out, true, nil
}

func appendAction(history []byte, a games.Action) []byte {
	return binary.AppendVarint(history[:len(history):len(history)], int64(a))
}

// walk computes the values of all histories from one on.
func (x *Exact) walk(s games.State, history []byte, profile solve.Strategy, values map[string]value) (value, error) {
	turn := s.Turn()
	if turn == games.Over {
		v := value(s.Returns(nil))
		values[string(history)] = v
		return v, nil
	}
	actions := s.Actions(nil)
	odds := s.Odds(nil)
	if turn >= 0 {
		set := x.sets[setKey(turn, games.Key(s, turn))]
		if set == nil {
			return nil, fmt.Errorf("%s: an information state that the game's tree has not", x.tree.Info.Name)
		}
		odds = profile[set.First : set.First+len(set.Actions)]
	}
	v := make(value, 2)
	for i, a := range actions {
		next := s.Clone()
		if err := next.Apply(a); err != nil {
			return nil, err
		}
		w, err := x.walk(next, appendAction(history, a), profile, values)
		if err != nil {
			return nil, err
		}
		for seat := range v {
			v[seat] += odds[i] * w[seat]
		}
	}
	values[string(history)] = v
	return v, nil
}
