package arena

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/play"
)

// Run plays a tournament to its end, or on from where its log stops. Games are logged
// and counted in the order of their numbers, so that neither workers nor kills change
// the table. Progress, if not nil, hears of the table after every group.
func (t Tournament) Run(ctx context.Context, log *Log, progress func(*Table)) (*Table, error) {
	if err := t.Check(); err != nil {
		return nil, err
	}
	names := make([]string, len(t.Entrants))
	for i, e := range t.Entrants {
		names[i] = e.Name
	}
	s := &sitting{Tournament: t, log: log, table: NewTable(t.Game, names), progress: progress}
	var err error
	if s.table.exact, err = NewExact(ctx, t.Game, t.Entrants); err != nil {
		return nil, err
	}
	for {
		units := t.Schedule.next(s.table)
		if len(units) == 0 || s.stopped {
			break
		}
		if err := s.play(ctx, units); err != nil {
			return s.table, err
		}
	}
	if _, more, err := log.replay(); err != nil {
		return s.table, err
	} else if more {
		return s.table, fmt.Errorf("the log goes on after the tournament's end: it is of another one, or of other settings")
	}
	return s.table, nil
}

// sitting is a tournament under way.
type sitting struct {
	Tournament

	log      *Log
	table    *Table
	progress func(*Table)
	took     time.Duration // of play: the groups' times, by the workers that shared it
	stopped  bool
	spare    sync.Pool // of *sealed: the memory of groups that were counted
}

// group is a run of whole units that are played in lockstep.
type group struct {
	first  int // number of its first unit
	units  []Unit
	result chan *sealed
}

// play plays units: those in the log first, then the others side by side.
func (s *sitting) play(ctx context.Context, units []Unit) error {
	groups := s.split(len(s.table.units), units)
	for len(groups) > 0 && !s.stopped {
		past, ok, err := s.log.replay()
		if err != nil {
			return err
		}
		if !ok {
			break
		}
		if err := s.matches(groups[0], past); err != nil {
			return err
		}
		s.count(groups[0], past)
		groups = groups[1:]
	}
	if s.stopped || len(groups) == 0 {
		return nil
	}
	return s.together(ctx, groups)
}

// together plays groups on all workers and takes their results in order. At most two
// groups a worker are under way or wait for an earlier one, so that a kill loses little.
func (s *sitting) together(ctx context.Context, groups []group) error {
	workers := max(1, s.Workers)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	waiting := make(chan group, 2*workers)
	work := make(chan group)
	pool, ctx := errgroup.WithContext(ctx)
	pool.Go(func() error {
		defer close(waiting)
		defer close(work)
		for _, g := range groups {
			select {
			case waiting <- g:
			case <-ctx.Done():
				return ctx.Err()
			}
			select {
			case work <- g:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	for range workers {
		pool.Go(func() error {
			for g := range work {
				result, err := s.playGroup(ctx, g)
				if err != nil {
					return err
				}
				g.result <- result
			}
			return nil
		})
	}
	err := s.take(ctx, waiting)
	if s.stopped || err != nil {
		cancel()
		_ = pool.Wait() // what was under way beyond the end is given up
		return err
	}
	return pool.Wait()
}

// take writes and counts groups in their order.
func (s *sitting) take(ctx context.Context, waiting <-chan group) error {
	for g := range waiting {
		select {
		case result := <-g.result:
			if err := s.log.write(result); err != nil {
				return err
			}
			if s.count(g, result); s.stopped {
				return nil
			}
			s.spare.Put(result)
		case <-ctx.Done():
			return nil // the pool says why
		}
	}
	return nil
}

// split cuts units, of which the first has a number, into groups.
func (s *sitting) split(first int, units []Unit) (out []group) {
	size := max(1, s.Group/gamesOf(s.Game.Info().Seats))
	for some := range slices.Chunk(units, size) {
		out = append(out, group{first: first, units: some, result: make(chan *sealed, 1)})
		first += len(some)
	}
	return out
}

// matches refuses a log that is not of these games.
func (s *sitting) matches(g group, past *sealed) error {
	seats := s.Game.Info().Seats
	each := gamesOf(seats)
	if len(past.results) != len(g.units)*each {
		return fmt.Errorf("the log has %d games in the group of game %d, where these settings have %d: it is of another tournament", len(past.results), g.first*each, len(g.units)*each)
	}
	for i, r := range past.results {
		want := g.first*each + i
		if r.Game != want || !slices.Equal(r.Seats, g.units[i/each].seats(seats, i%each)) || len(r.Returns) != seats {
			return fmt.Errorf("the log has game %d of the entrants %v where these settings have game %d of %v: it is of another tournament", r.Game, r.Seats, want, g.units[i/each].seats(seats, i%each))
		}
		if !s.begins(r, s.opening(g.first+i/each)) {
			return fmt.Errorf("the log's game %d begins otherwise than these settings have it: it is of another tournament, or its book of openings was changed", r.Game)
		}
	}
	return nil
}

// begins tells whether a game has the opening.
func (s *sitting) begins(r Result, o play.Opening) bool {
	start := ""
	if o.Game != nil && o.Game.Info().Name != s.Game.Info().Name {
		start = o.Game.Info().Name
	}
	return r.Start == start && len(r.Actions) >= len(o.Actions) && slices.Equal(r.Actions[:len(o.Actions)], o.Actions)
}

// count adds a group to the table and asks whether that was the last.
func (s *sitting) count(g group, result *sealed) {
	each := gamesOf(s.Game.Info().Seats)
	for i, r := range result.results {
		s.table.Add(g.units[i/each], s.opening(g.first+i/each), r)
	}
	s.table.Spend(result.seal.Costs)
	s.took += result.seal.Took / time.Duration(max(1, s.Workers))
	stop, total := s.Stop, s.table.cost
	s.stopped = stop.Games > 0 && s.table.games >= stop.Games ||
		stop.Tokens > 0 && total.TokensIn+total.TokensOut >= stop.Tokens ||
		stop.Dollars > 0 && total.Dollars >= stop.Dollars ||
		stop.Time > 0 && s.took >= stop.Time ||
		stop.Decided != nil && stop.Decided(s.table)
	if s.progress != nil {
		s.progress(s.table)
	}
}

func (s *sitting) opening(unit int) play.Opening {
	if s.Openings == nil {
		return play.Opening{}
	}
	return s.Openings.Of(unit)
}

// playGroup plays a group in lockstep.
func (s *sitting) playGroup(ctx context.Context, g group) (*sealed, error) {
	began := time.Now()
	seats := s.Game.Info().Seats
	each := gamesOf(seats)
	agents := make([]play.Agent, len(s.Entrants))
	for i, e := range s.Entrants {
		agents[i] = e.Agent
	}
	unit := func(game uint64) int { return int(game) / each }
	first, count := g.first*each, len(g.units)*each
	out, ok := s.spare.Get().(*sealed)
	if !ok {
		out = &sealed{seal: seal{Costs: make([]play.Cost, len(agents))}}
	}
	out.reset()
	for game := range count {
		out.seating = g.units[game/each].seat(out.seating, seats, game%each)
	}
	seating := out.seating
	match := play.Match{
		Game: s.Game, Seed: s.Seed, Agents: agents, Clock: s.Clock, Brief: true,
		Seats: func(game uint64, _ int) []int {
			at := (int(game) - first) * seats
			return seating[at : at+seats : at+seats]
		},
	}
	if s.Openings != nil {
		match.Opening = func(game uint64) play.Opening { return s.opening(unit(game)) }
	}
	if !s.Independent {
		match.Deal = func(game uint64) uint64 { return game / uint64(each) }
	}
	err := match.Each(ctx, uint64(first), count, func(e *play.Episode) {
		out.add(e, s.Game.Info().Name)
	})
	if err != nil {
		return nil, err
	}
	for i := range out.seal.Costs { // counted by game
		out.seal.Costs[i].Illegal = 0
	}
	out.seal.Took = time.Since(began)
	out.finish()
	return out, nil
}

// add takes an episode, whose memory is not the group's.
func (g *sealed) add(e *play.Episode, game string) {
	g.results = append(g.results, Result{
		Game: int(e.Number), Seats: e.Agents, Actions: keep(&g.actions, e.Actions), Returns: keep(&g.returns, e.Returns), Late: e.Late, Voids: e.Voids,
	})
	r := &g.results[len(g.results)-1]
	if e.Game != game {
		r.Start = e.Game
	}
	if e.Forfeit != games.Over {
		forfeit := e.Forfeit // only here: it is held from now on
		r.Forfeit = &forfeit
	}
	for seat := range e.Costs {
		c := &e.Costs[seat]
		if c.Illegal > 0 && r.Illegal == nil {
			r.Illegal = make([]int, len(e.Costs))
		}
		if c.Illegal > 0 {
			r.Illegal[seat] = c.Illegal
		}
		g.seal.Costs[e.Agents[seat]].Add(*c)
	}
	for _, turn := range e.Turns {
		if turn.Text != "" {
			r.Talk = append(r.Talk, Talk{At: turn.At, Text: turn.Text})
		}
	}
}

// keep appends some to what a group holds and returns them there.
func keep[T any](all *[]T, some []T) []T {
	at := len(*all)
	*all = append(*all, some...)
	return (*all)[at:len(*all):len(*all)]
}
