package mcts

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sort"

	"github.com/agon-rl/agon/games"
)

// Worlds says, for every information state of a game, which histories are
// possible there and how likely each is if chance is fair and the other seats
// act at random. It is found by walking through the whole game, and is safe
// for concurrent use once made.
//
// Search over such worlds (information-set MCTS; Cowling et al. 2012, one
// observer) lets a seat's own search know what it cannot know, at every node
// below the root: what it finds is good play, and no equilibrium.
type Worlds struct {
	info   games.Info
	states map[string]*worldSet
}

// worldSet holds the states of one information state, with the running sums of
// their weights.
type worldSet struct {
	states []games.State
	sums   []float64
}

// NewWorlds walks through a game of at most limit decision nodes.
func NewWorlds(ctx context.Context, game games.Game, limit int) (*Worlds, error) {
	w := &Worlds{info: game.Info(), states: map[string]*worldSet{}}
	if w.info.Chance == games.Sampled {
		return nil, fmt.Errorf("searching %s: its chance can only be sampled, and what a seat may not know must be listed", w.info.Name)
	}
	count := 0
	var walk func(s games.State, weights []float64) error
	walk = func(s games.State, weights []float64) error {
		seat := s.Turn()
		if seat == games.Over {
			return nil
		}
		if count%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		actions, odds := s.Actions(nil), s.Odds(nil)
		if seat >= 0 {
			if count++; count > limit {
				return fmt.Errorf("searching %s: it has more than %d decisions, too many to list what a seat may not know", w.info.Name, limit)
			}
			w.add(s, seat, weights[seat])
		}
		for i, a := range actions {
			next := s.Clone()
			if err := next.Apply(a); err != nil {
				return fmt.Errorf("searching %s: %w", w.info.Name, err)
			}
			p := 1 / float64(len(actions))
			if seat == games.Chance {
				p = odds[i]
			}
			below := make([]float64, len(weights))
			for j, x := range weights {
				if games.Seat(j) == seat {
					below[j] = x // what a seat did itself tells it nothing new
				} else {
					below[j] = x * p
				}
			}
			if err := walk(next, below); err != nil {
				return err
			}
		}
		return nil
	}
	weights := make([]float64, w.info.Seats)
	for i := range weights {
		weights[i] = 1
	}
	if err := walk(game.Start(), weights); err != nil {
		return nil, err
	}
	return w, nil
}

func (w *Worlds) add(s games.State, seat games.Seat, weight float64) {
	key := string(s.AppendKey([]byte{byte(seat)}, seat))
	set := w.states[key]
	if set == nil {
		set = &worldSet{}
		w.states[key] = set
	}
	if n := len(set.sums); n > 0 {
		weight += set.sums[n-1]
	}
	set.states, set.sums = append(set.states, s), append(set.sums, weight)
}

// draw overwrites dst with a state that the seat to move at s cannot tell from
// it.
func (w *Worlds) draw(s, dst games.State, r *rand.Rand) (games.State, error) {
	seat := s.Turn()
	set := w.states[string(s.AppendKey([]byte{byte(seat)}, seat))]
	if set == nil {
		return nil, fmt.Errorf("searching %s: seat %d is in an information state that the game never leads to", w.info.Name, seat)
	}
	total := set.sums[len(set.sums)-1]
	i := sort.SearchFloat64s(set.sums, r.Float64()*total)
	return games.Copy(dst, set.states[min(i, len(set.states)-1)]), nil
}
