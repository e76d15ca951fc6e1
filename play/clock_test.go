package play_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/play"
)

// The next decision may take a move's time, or what is left of the game's where that is
// less; no limit counts for nothing.
func TestLimit(t *testing.T) {
	for _, test := range []struct {
		move, game, want time.Duration
	}{
		{0, 0, 0},
		{3 * time.Second, 0, 3 * time.Second},
		{0, 5 * time.Second, 5 * time.Second},
		{3 * time.Second, 5 * time.Second, 3 * time.Second},
		{5 * time.Second, 3 * time.Second, 3 * time.Second},
	} {
		clock := play.Clock{Move: test.move, Game: test.game, Gain: 7 * time.Second}
		if got := clock.Limit(); got != test.want {
			t.Errorf("%v a move and %v a game: %v, expected %v", test.move, test.game, got, test.want)
		}
	}
}

// A move may take nine tenths of its limit, or a thirtieth of the game's time and four
// fifths of the gain where that is less, and never more than four fifths of what is left.
func TestShare(t *testing.T) {
	for _, test := range []struct {
		clock play.Clock
		want  time.Duration
	}{
		{play.Clock{}, 0},
		{play.Clock{Move: 10 * time.Second}, 9 * time.Second},
		{play.Clock{Game: 60 * time.Second}, 2 * time.Second},
		{play.Clock{Game: 60 * time.Second, Gain: 10 * time.Second}, 10 * time.Second},
		{play.Clock{Game: 3 * time.Second, Gain: 10 * time.Second}, 2400 * time.Millisecond},
		{play.Clock{Move: 10 * time.Second, Game: 60 * time.Second}, 2 * time.Second},
		{play.Clock{Move: time.Second, Game: 60 * time.Second}, 900 * time.Millisecond},
		{play.Clock{Move: time.Second, Game: 27 * time.Second}, 900 * time.Millisecond},
	} {
		if got := test.clock.Share(); got != test.want {
			t.Errorf("%+v: %v, expected %v", test.clock, got, test.want)
		}
	}
}

// Costs add up field by field.
func TestCostsAddUp(t *testing.T) {
	sum := play.Cost{Moves: 1, Time: 2, Illegal: 3, Failed: 4, TokensIn: 5, TokensOut: 6, Dollars: 7}
	sum.Add(play.Cost{Moves: 10, Time: 20, Illegal: 30, Failed: 40, TokensIn: 50, TokensOut: 60, Dollars: 70})
	if want := (play.Cost{Moves: 11, Time: 22, Illegal: 33, Failed: 44, TokensIn: 55, TokensOut: 66, Dollars: 77}); sum != want {
		t.Errorf("%+v, expected %+v", sum, want)
	}
}

// sleeper takes its time and notes what it was told that it has.
type sleeper struct {
	sleep time.Duration
	err   error
	left  []play.Clock
}

func (s *sleeper) Act(_ context.Context, in []play.Request, out []play.Decision) error {
	time.Sleep(s.sleep)
	for i, r := range in {
		s.left = append(s.left, r.Left)
		out[i].Err = s.err
	}
	return nil
}
func (*sleeper) Close() error { return nil }

// Who takes too long loses, and the game says that it was for that; an overrun within
// the margin is forgiven, and so is a game that got lost meanwhile.
func TestLateDecisions(t *testing.T) {
	const slow = 20 * time.Millisecond
	for name, test := range map[string]struct {
		clock play.Clock
		err   error
		late  bool
	}{
		"no limit":                {late: false},
		"in time for a move":      {clock: play.Clock{Move: time.Hour}},
		"too late for a move":     {clock: play.Clock{Move: time.Millisecond}, late: true},
		"too late for the game":   {clock: play.Clock{Game: time.Millisecond}, late: true},
		"the less of the two":     {clock: play.Clock{Move: time.Hour, Game: time.Millisecond}, late: true},
		"within the margin":       {clock: play.Clock{Move: time.Millisecond, Margin: time.Hour}},
		"the game was lost first": {clock: play.Clock{Move: time.Millisecond}, err: fmt.Errorf("%w: gone", games.ErrLost)},
	} {
		t.Run(name, func(t *testing.T) {
			first, second := &sleeper{sleep: slow, err: test.err}, &sleeper{}
			match := play.Match{
				Game: duel{}, Agents: []play.Agent{first, second}, Clock: test.clock, Group: 1,
				Seats: func(uint64, int) []int { return []int{0, 1} },
			}
			episodes, err := match.Play(t.Context(), 0, 1)
			if test.err != nil {
				if err == nil || len(second.left) > 0 {
					t.Errorf("a game that is always lost ended: %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			e := episodes[0]
			if e.Late != test.late || (e.Forfeit == 0) != test.late {
				t.Errorf("late %v, forfeit of seat %d, expected %v", e.Late, e.Forfeit, test.late)
			}
			if test.late && !slices.Equal(e.Returns, []float64{-1, 1}) {
				t.Errorf("returns %v: the late seat is the first", e.Returns)
			}
			if e.Costs[0].Time < slow || e.Costs[0].Moves != 1 {
				t.Errorf("the first seat is charged %+v for one decision of %v", e.Costs[0], slow)
			}
		})
	}
}

// What a seat is told to have is less by what it used, and more by what it gained, from
// its second decision on.
func TestLeftOfTheGame(t *testing.T) {
	agent := &sleeper{sleep: 10 * time.Millisecond}
	match := play.Match{
		Game: ring{}, Agents: []play.Agent{agent}, Group: 1, Clock: play.Clock{Game: time.Hour, Gain: time.Minute},
		Seats: func(uint64, int) []int { return []int{0, 0, 0} },
	}
	episodes, err := match.Play(t.Context(), 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	for seat := range 3 {
		first, second := agent.left[seat], agent.left[3+seat]
		used := time.Hour + time.Minute - second.Game
		if first.Game != time.Hour || used < agent.sleep || used > episodes[0].Costs[seat].Time-agent.sleep {
			t.Errorf("seat %d had %v, then %v after using some of %v", seat, first.Game, second.Game, episodes[0].Costs[seat].Time)
		}
	}
}

// The time of a call for many games is shared out among them.
func TestTimeOfACallIsShared(t *testing.T) {
	agent := &sleeper{sleep: 20 * time.Millisecond}
	match := play.Match{Game: duel{}, Agents: []play.Agent{agent}, Seats: both, Group: 8}
	began := time.Now()
	episodes, err := match.Play(t.Context(), 0, 8)
	if err != nil {
		t.Fatal(err)
	}
	took, sum := time.Since(began), time.Duration(0)
	for _, e := range episodes {
		for _, c := range e.Costs {
			sum += c.Time
		}
	}
	if sum < 2*agent.sleep-16 || sum > took { // parts are rounded down
		t.Errorf("the games are charged %v in all for two calls of %v, of %v", sum, agent.sleep, took)
	}
}

// A clock is kept for agents that need no batch, too: they are asked one by one.
func TestClockOfImmediateAgents(t *testing.T) {
	agent := &lazy{}
	match := play.Match{Game: duel{}, Agents: []play.Agent{agent}, Seats: both, Group: 1, Clock: play.Clock{Move: time.Nanosecond}}
	episodes, err := match.Play(t.Context(), 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	if !episodes[0].Late || agent.picked > 0 {
		t.Errorf("%+v after %d picks: a limit was not kept", *episodes[0], agent.picked)
	}
}

// lazy needs no batch and is late in one.
type lazy struct {
	sleeper

	picked int
}

func (l *lazy) Act(ctx context.Context, in []play.Request, out []play.Decision) error {
	l.sleep = time.Millisecond
	return l.sleeper.Act(ctx, in, out)
}

func (l *lazy) Pick(_ games.State, _ []games.Action, _ *rand.Rand) int {
	l.picked++
	return 0
}
