package play

import (
	"context"
	"errors"
	"math/rand/v2"

	"github.com/agon-rl/agon/games"
)

// Immediate is implemented by agents that pick an action in less time than it takes to
// gather a batch, such as a random one. Where all agents of a match are, its games are
// played one after another, with cheaper generators for the seats.
type Immediate interface {
	Agent
	// Pick returns the place of an action among the legal ones.
	Pick(s games.State, legal []games.Action, r *rand.Rand) int
}

// immediate returns the agents, if the match can be played without batches.
func (m Match) immediate() ([]Immediate, bool) {
	if _, batches := m.Game.(games.Stepper); batches || m.Clock != (Clock{}) {
		return nil, false
	}
	all := make([]Immediate, len(m.Agents))
	for i, a := range m.Agents {
		var ok bool
		if all[i], ok = a.(Immediate); !ok {
			return nil, false
		}
	}
	return all, true
}

// quick plays one group, game after game. What the games hold lies in few large slices.
func (m Match) quick(ctx context.Context, agents []Immediate, first uint64, group int, out []*Episode) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	q := m.quickly(agents, len(out))
	episodes := make([]Episode, len(out))
	for i := range out {
		out[i] = &episodes[i]
		if err := q.play(out[i], first+uint64(i), group); err != nil {
			return err
		}
	}
	return nil
}

// Each plays episodes first, first+1, …, first+count-1 as one group and calls a function
// with each, in order. An episode is valid until the function returns: games of a
// microsecond are played in the same memory.
func (m Match) Each(ctx context.Context, first uint64, count int, each func(*Episode)) error {
	agents, ok := m.immediate()
	if !ok {
		m.Group = count
		episodes, err := m.Play(ctx, first, count)
		for _, e := range episodes {
			each(e)
		}
		return err
	}
	const between = 256 // games between two looks at the context
	q := m.quickly(agents, 1)
	var e Episode
	for i := range count {
		if i%between == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		q.rewind()
		if err := q.play(&e, first+uint64(i), 0); err != nil {
			return err
		}
		each(&e)
	}
	return nil
}

// quick is what the games of a group share.
type quick struct {
	Match

	agents  []Immediate
	info    games.Info
	start   games.State
	state   games.State
	other   bool // whether state is of another game than start
	pcg     *rand.PCG
	rand    *rand.Rand
	legal   []games.Action
	actions []games.Action
	turns   []Turn
	returns []float64
	costs   []Cost // those that no episode has yet
	first   []Cost // of one episode, where its memory is used again
}

// quickly has memory for so many games.
func (m Match) quickly(agents []Immediate, count int) *quick {
	q := &quick{Match: m, agents: agents, info: m.Game.Info(), start: m.Game.Start(), pcg: rand.NewPCG(0, 0)}
	q.rand = rand.New(q.pcg)
	q.returns, q.costs = make([]float64, 0, count*q.info.Seats), make([]Cost, count*q.info.Seats)
	q.actions = make([]games.Action, 0, count*min(8, q.info.MaxLength))
	q.first = q.costs[:q.info.Seats]
	return q
}

// rewind lets the next episode have the memory of the last.
func (q *quick) rewind() {
	q.actions, q.turns, q.returns, q.costs = q.actions[:0], q.turns[:0], q.returns[:0], q.first
	clear(q.first)
}

func (q *quick) play(e *Episode, number uint64, group int) error {
	for voids := 0; ; voids++ {
		*e = Episode{Game: q.info.Name, Seed: q.Seed, Number: number, Group: group, Agents: q.Seats(number, group), Forfeit: games.Over, Voids: voids}
		err := q.once(e)
		if err == nil {
			return nil
		}
		if !errors.Is(err, games.ErrLost) || voids == mostVoids {
			return (&table{episode: e}).fail(err)
		}
	}
}

// once plays a game from its start to its end.
func (q *quick) once(e *Episode) error {
	action, turn := len(q.actions), len(q.turns)
	if len(q.costs) < q.info.Seats { // games that got lost took some
		q.costs = make([]Cost, q.info.Seats)
	}
	e.Costs, q.costs = q.costs[:q.info.Seats:q.info.Seats], q.costs[q.info.Seats:]
	if err := q.open(e); err != nil {
		return err
	}
	q.pcg.Seed(q.Seed^0x9e3779b97f4a7c15, mix(e.Number))
	var chance *rand.Rand
	for {
		seat := q.state.Turn()
		if seat == games.Over {
			break
		}
		var a games.Action
		switch seat {
		case games.Chance:
			if chance == nil {
				chance = q.chance(e.Number)
			}
			var err error
			if a, err = games.Draw(q.state, chance); err != nil {
				return err
			}
		default:
			q.legal = q.state.Actions(q.legal[:0])
			a = q.legal[q.agents[e.Agents[seat]].Pick(q.state, q.legal, q.rand)]
			if !q.Brief {
				q.turns = append(q.turns, Turn{At: len(q.actions) - action, Seat: seat, Action: a})
			}
			e.Costs[seat].Moves++
		}
		if err := q.state.Apply(a); err != nil {
			return err
		}
		q.actions = append(q.actions, a)
	}
	e.Actions = q.actions[action:len(q.actions):len(q.actions)]
	e.Turns = q.turns[turn:len(q.turns):len(q.turns)]
	place := len(q.returns)
	q.returns = q.state.Returns(q.returns)
	e.Returns = q.returns[place:len(q.returns):len(q.returns)]
	return nil
}

// open sets the state to where the episode starts.
func (q *quick) open(e *Episode) error {
	var opening Opening
	if q.Opening != nil {
		opening = q.Opening(e.Number)
	}
	start := q.start
	other := opening.Game != nil
	if other {
		start, e.Game = opening.Game.Start(), opening.Game.Info().Name
	}
	if other || q.other {
		q.state = nil // one of another game may not take it
	}
	q.state, q.other = games.Copy(q.state, start), other
	for _, a := range opening.Actions {
		if err := q.state.Apply(a); err != nil {
			return err
		}
		q.actions = append(q.actions, a)
	}
	return nil
}

// mix spreads the bits of a number (SplitMix64's finaliser).
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
