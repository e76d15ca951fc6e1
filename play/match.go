package play

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/agon-rl/agon/games"
)

// Match says what is played by whom.
type Match struct {
	Game games.Game
	Seed uint64
	// Stream names this match's random numbers: matches of one seed with other names
	// draw apart, also where their episodes have the same numbers.
	Stream string
	Agents []Agent
	// Seats returns, for an episode and the lockstep group it is in, the index
	// of the agent in every seat. It may be called from several goroutines.
	Seats func(episode uint64, group int) []int
	// Group is how many games advance in lockstep; 256 where it is zero. What
	// an agent computes for one seat may depend in its last bits on what else
	// is in the batch, so Group is part of what fixes a run; Workers is not.
	Group int
	// Workers is how many groups are played at the same time; 1 where zero.
	Workers int
	// Deal numbers the chance of an episode, where episodes share it: the same
	// number draws the same deal, whoever plays. nil gives each its own.
	Deal func(episode uint64) uint64
	// Opening says where an episode starts; nil: at the start.
	Opening func(episode uint64) Opening
	// Brief leaves out of episodes the turns in which nothing was said or recorded.
	Brief bool
	// Clock limits the seats' time. Where it runs, Group must be 1.
	Clock Clock
}

// Opening is where a game starts.
type Opening struct {
	Game    games.Game     // another of the same kind, such as chess from a position; nil: the match's
	Actions []games.Action // from its start, chance outcomes included
}

// Play plays episodes first, first+1, …, first+count-1 and returns them in
// order.
func (m Match) Play(ctx context.Context, first uint64, count int) ([]*Episode, error) {
	group, workers := m.Group, m.Workers
	if group <= 0 {
		group = 256
	}
	groups := (count + group - 1) / group
	workers = max(1, min(workers, groups))
	episodes := make([]*Episode, count)
	one := m.lockstep
	if agents, ok := m.immediate(); ok {
		one = func(ctx context.Context, first uint64, group int, out []*Episode) error {
			return m.quick(ctx, agents, first, group, out)
		}
	}
	next := make(chan int)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for g := range next {
				lo, hi := g*group, min((g+1)*group, count)
				if err := one(ctx, first+uint64(lo), g, episodes[lo:hi]); err != nil {
					cancel(err)
				}
			}
		})
	}
	for g := range groups {
		next <- g
	}
	close(next)
	wg.Wait()
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	return episodes, nil
}

// table is one game under way.
type table struct {
	state   games.State
	episode *Episode
	chance  *rand.Rand
	seats   []Request // by seat; State is filled in when the seat is to move
	lost    error     // why the game is void: its rules gave no answer
}

// generator is that of one of the match's own streams.
func (m Match) generator(name string, path ...uint64) *rand.Rand {
	if m.Stream != "" {
		name = m.Stream + "/" + name
	}
	return Generator(m.Seed, name, path...)
}

// lockstep plays one group of games: chance first, then one call an agent for
// all seats that wait for it, until every game is over.
func (m Match) lockstep(ctx context.Context, first uint64, group int, out []*Episode) error {
	info := m.Game.Info()
	tables := make([]*table, len(out))
	for i := range out {
		var err error
		if tables[i], err = m.open(first+uint64(i), group, info); err != nil {
			return err
		}
		out[i] = tables[i].episode
	}
	requests := make([][]Request, len(m.Agents))
	waiting := make([][]*table, len(m.Agents))
	var decisions []Decision
	var moves moves
	for live := tables; ; {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := m.deal(live, &moves); err != nil {
			return err
		}
		for a := range m.Agents {
			requests[a], waiting[a] = requests[a][:0], waiting[a][:0]
		}
		still := live[:0]
		for _, t := range live {
			if t.episode.Forfeit != games.Over {
				continue
			}
			if t.lost != nil {
				if err := m.again(t, info); err != nil {
					return err
				}
				still = append(still, t)
				continue
			}
			seat := t.state.Turn()
			if seat == games.Over {
				t.episode.Returns = t.state.Returns(t.episode.Returns[:0])
				continue
			}
			agent := t.episode.Agents[seat]
			request := t.seats[seat]
			request.Turn, request.Left = t.moves(), m.Clock.left(t.episode.Costs[seat])
			requests[agent] = append(requests[agent], request)
			waiting[agent] = append(waiting[agent], t)
			still = append(still, t)
		}
		if live = still; len(live) == 0 {
			return nil
		}
		for a, agent := range m.Agents {
			if len(requests[a]) == 0 {
				continue
			}
			decisions = append(decisions[:0], make([]Decision, len(requests[a]))...)
			began := time.Now()
			if err := agent.Act(ctx, requests[a], decisions); err != nil {
				return err
			}
			m.spend(waiting[a], requests[a], decisions, time.Since(began))
			m.take(waiting[a], requests[a], decisions, info, &moves)
		}
	}
}

// moves are the actions that go to the game in one call.
type moves struct {
	tables  []*table
	states  []games.State
	actions []games.Action
	errs    []error
	place   []int // of the request
}

func (m *moves) reset() {
	m.tables, m.states, m.actions, m.place = m.tables[:0], m.states[:0], m.actions[:0], m.place[:0]
}

func (m *moves) add(t *table, a games.Action) {
	m.tables, m.states, m.actions = append(m.tables, t), append(m.states, t.state), append(m.actions, a)
}

func (m *moves) play(g games.Game) {
	m.errs = append(m.errs[:0], make([]error, len(m.states))...)
	games.Step(g, m.states, m.actions, m.errs)
}

// spend adds up what decisions took, and takes those that came too late as none.
func (m Match) spend(tables []*table, requests []Request, decisions []Decision, took time.Duration) {
	each := took / time.Duration(len(requests))
	for i, t := range tables {
		d := &decisions[i]
		d.Cost.Moves, d.Cost.Time = 1, each
		t.episode.Costs[requests[i].Seat].Add(d.Cost)
		limit := requests[i].Left.Limit()
		if limit > 0 && each > limit+m.Clock.Margin && !errors.Is(d.Err, games.ErrLost) {
			t.episode.Late = true
			d.Err = fmt.Errorf("out of time: %v for a decision that may take %v", each, limit)
		}
	}
}

func (m Match) open(number uint64, group int, info games.Info) (*table, error) {
	t := &table{
		state: m.Game.Start(),
		episode: &Episode{
			Game: info.Name, Seed: m.Seed, Number: number, Group: group,
			Agents: m.Seats(number, group), Forfeit: games.Over, Costs: make([]Cost, info.Seats),
		},
		seats: make([]Request, info.Seats),
	}
	for seat := range t.seats {
		t.seats[seat] = Request{State: t.state, Seat: games.Seat(seat), Rand: m.generator("seat", number, uint64(seat))}
	}
	if info.Chance != games.NoChance {
		t.chance = m.chance(number)
	}
	if m.Opening == nil {
		return t, nil
	}
	opening := m.Opening(number)
	if opening.Game != nil {
		t.state, t.episode.Game = opening.Game.Start(), opening.Game.Info().Name
		for seat := range t.seats {
			t.seats[seat].State = t.state
		}
	}
	for _, action := range opening.Actions {
		if err := t.state.Apply(action); err != nil {
			return nil, t.fail(fmt.Errorf("its opening: %w", err))
		}
		t.episode.Actions = append(t.episode.Actions, action)
	}
	return t, nil
}

// moves is how many decisions were made.
func (t *table) moves() (n int) {
	for _, c := range t.episode.Costs {
		n += c.Moves
	}
	return n
}

// deal draws chance until in every game a player is to move or the game is over.
func (m Match) deal(tables []*table, moves *moves) error {
	for {
		moves.reset()
		for _, t := range tables {
			if t.lost != nil || t.episode.Forfeit != games.Over || t.state.Turn() != games.Chance {
				continue
			}
			action, err := games.Draw(t.state, t.chance)
			if err != nil {
				return t.fail(err)
			}
			moves.add(t, action)
		}
		if len(moves.tables) == 0 {
			return nil
		}
		moves.play(m.Game)
		for i, t := range moves.tables {
			switch err := moves.errs[i]; {
			case errors.Is(err, games.ErrLost):
				t.lost = err
			case err != nil:
				return t.fail(err)
			default:
				t.episode.Actions = append(t.episode.Actions, moves.actions[i])
			}
		}
	}
}

func (t *table) fail(err error) error {
	return fmt.Errorf("game %s, episode %d: %w", t.episode.Game, t.episode.Number, err)
}

// mostVoids is how often an episode may get lost before the match gives up.
const mostVoids = 3

// chance is the generator of an episode's chance.
func (m Match) chance(number uint64) *rand.Rand {
	if m.Deal != nil {
		number = m.Deal(number)
	}
	return m.generator("chance", number)
}

// again begins an episode that was lost from its start: the same deal, the same
// draws of its seats, their time anew. What was paid for the lost game stays paid.
func (m Match) again(t *table, info games.Info) error {
	voids := t.episode.Voids + 1
	if voids > mostVoids {
		return t.fail(t.lost)
	}
	episode, costs := t.episode, t.episode.Costs // the caller holds it
	fresh, err := m.open(episode.Number, episode.Group, info)
	if err != nil {
		return err
	}
	*t = *fresh
	*episode = *t.episode
	t.episode, episode.Voids = episode, voids
	for seat, c := range costs {
		episode.Costs[seat].Add(c.paid())
	}
	return nil
}

// take plays agents' decisions. An action that the game refuses, or none at all,
// forfeits the game; one that the game gave no answer to makes it void, as does an
// agent that got lost.
func (m Match) take(tables []*table, requests []Request, decisions []Decision, info games.Info, moves *moves) {
	moves.reset()
	for i, t := range tables {
		d := decisions[i]
		if errors.Is(d.Err, games.ErrLost) {
			t.lost = d.Err
			continue
		}
		if d.Err != nil {
			m.record(t, requests[i].Seat, d)
			t.forfeit(requests[i].Seat, info)
			continue
		}
		if talker, ok := t.state.(games.Talker); ok && d.Text != "" {
			talker.Talk(d.Text)
		}
		moves.add(t, d.Action)
		moves.place = append(moves.place, i)
	}
	moves.play(m.Game)
	for i, t := range moves.tables {
		seat, err := requests[moves.place[i]].Seat, moves.errs[i]
		if errors.Is(err, games.ErrLost) {
			t.lost = err
			continue
		}
		m.record(t, seat, decisions[moves.place[i]])
		if err != nil {
			t.forfeit(seat, info)
			continue
		}
		t.episode.Actions = append(t.episode.Actions, moves.actions[i])
	}
}

func (m Match) record(t *table, seat games.Seat, d Decision) {
	if m.Brief && d.Text == "" && d.Record == nil {
		return
	}
	t.episode.Turns = append(t.episode.Turns, Turn{At: len(t.episode.Actions), Seat: seat, Action: d.Action, Text: d.Text, Record: d.Record})
}

func (t *table) forfeit(seat games.Seat, info games.Info) {
	t.episode.Forfeit = seat
	t.episode.Returns = forfeit(seat, info)
}

// forfeit pays the offender the game's worst return and shares the rest among
// the other seats, so that the returns still sum to the game's constant.
func forfeit(offender games.Seat, info games.Info) []float64 {
	returns := make([]float64, info.Seats)
	for seat := range returns {
		returns[seat] = (info.Sum - info.MinReturn) / float64(max(1, info.Seats-1))
	}
	returns[offender] = info.MinReturn
	return returns
}

// OneAgainstRest seats agent 0 in one seat, which goes round with the
// episodes, and agent 1 in all others.
func OneAgainstRest(seats int, episode uint64) []int {
	out := make([]int, seats)
	for s := range out {
		out[s] = 1
	}
	out[episode%uint64(seats)] = 0
	return out
}
