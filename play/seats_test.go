package play_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/play"
)

// ring is a toy of three seats without chance: they name a number below 3 in turn, twice
// around. A seat gets ten times its first number and its second, so that returns tell
// who named what.
type ring struct{}

func (ring) Info() games.Info {
	return games.Info{
		Name: "ring", Seats: 3, Roles: []string{"a", "b", "c"}, Actions: 3, MaxLength: 6,
		MinReturn: -10, MaxReturn: 22, Sum: 30, Tensor: []int{1},
	}
}
func (ring) Start() games.State { return &around{} }

type around struct{ moves []games.Action }

func (s *around) Turn() games.Seat {
	if len(s.moves) == 6 {
		return games.Over
	}
	return games.Seat(len(s.moves) % 3)
}
func (s *around) Actions(dst []games.Action) []games.Action {
	if len(s.moves) == 6 {
		return dst
	}
	return append(dst, 0, 1, 2)
}
func (*around) Odds(dst []float64) []float64 { return dst }
func (s *around) Apply(a games.Action) error {
	if a < 0 || a > 2 || len(s.moves) == 6 {
		return games.Illegal(s, a)
	}
	s.moves = append(s.moves, a)
	return nil
}
func (s *around) Returns(dst []float64) []float64 {
	if len(s.moves) < 6 {
		return append(dst, 0, 0, 0)
	}
	for seat := range 3 {
		dst = append(dst, float64(10*s.moves[seat]+s.moves[3+seat]))
	}
	return dst
}
func (s *around) Clone() games.State { return &around{slices.Clone(s.moves)} }
func (s *around) AppendKey(dst []byte, _ games.Seat) []byte {
	return fmt.Append(dst, s.moves)
}
func (*around) Observe(_ games.Seat, dst []float32) { dst[0] = 0 }

// one always names its number, in a batch.
type one struct{ games.Action }

func (o one) Act(_ context.Context, _ []play.Request, out []play.Decision) error {
	for i := range out {
		out[i].Action = o.Action
	}
	return nil
}
func (one) Close() error { return nil }

// quickly is one that needs no batch.
type quickly struct{ one }

func (q quickly) Pick(_ games.State, legal []games.Action, _ *rand.Rand) int {
	return slices.Index(legal, q.Action)
}

// With three seats the lone agent sits in the first, the second and the third seat in
// turn, and the other one everywhere else.
func TestOneAgainstRest(t *testing.T) {
	for _, test := range []struct {
		seats int
		want  [][]int
	}{
		{2, [][]int{{0, 1}, {1, 0}, {0, 1}, {1, 0}}},
		{3, [][]int{{0, 1, 1}, {1, 0, 1}, {1, 1, 0}, {0, 1, 1}}},
		{4, [][]int{{0, 1, 1, 1}, {1, 0, 1, 1}, {1, 1, 0, 1}, {1, 1, 1, 0}}},
	} {
		for episode, want := range test.want {
			if got := play.OneAgainstRest(test.seats, uint64(episode)); !slices.Equal(got, want) {
				t.Errorf("episode %d of %d seats: %v, expected %v", episode, test.seats, got, want)
			}
		}
	}
}

// Every seat's move is that of the agent that sits there, and its return is its own: the
// lone agent names 2 and the others 1, so 22 is where the lone one sat.
func TestWhoSatWhere(t *testing.T) {
	for name, agents := range map[string][]play.Agent{
		"in batches": {one{2}, one{1}},
		"without":    {quickly{one{2}}, quickly{one{1}}},
	} {
		t.Run(name, func(t *testing.T) {
			match := play.Match{
				Game: ring{}, Agents: agents, Group: 2,
				Seats: func(episode uint64, _ int) []int { return play.OneAgainstRest(3, episode) },
			}
			episodes, err := match.Play(t.Context(), 4, 3) // 4, 5 and 6: the second seat first
			if err != nil {
				t.Fatal(err)
			}
			for i, want := range []struct {
				seats   []int
				actions []games.Action
				returns []float64
				group   int
			}{
				{[]int{1, 0, 1}, []games.Action{1, 2, 1, 1, 2, 1}, []float64{11, 22, 11}, 0},
				{[]int{1, 1, 0}, []games.Action{1, 1, 2, 1, 1, 2}, []float64{11, 11, 22}, 0},
				{[]int{0, 1, 1}, []games.Action{2, 1, 1, 2, 1, 1}, []float64{22, 11, 11}, 1},
			} {
				e := episodes[i]
				if e.Number != uint64(4+i) || e.Group != want.group || !slices.Equal(e.Agents, want.seats) || !slices.Equal(e.Actions, want.actions) || !slices.Equal(e.Returns, want.returns) {
					t.Errorf("episode %d: %+v, expected %+v", 4+i, *e, want)
				}
				for at, turn := range e.Turns {
					if turn.At != at || turn.Seat != games.Seat(at%3) || turn.Action != want.actions[at] {
						t.Errorf("episode %d, turn %d: %+v", 4+i, at, turn)
					}
				}
				for seat, cost := range e.Costs {
					if cost.Moves != 2 {
						t.Errorf("episode %d: seat %d made %d moves, expected 2", 4+i, seat, cost.Moves)
					}
				}
			}
		})
	}
}

// counting notes how many decisions came before each of a game, and the seats asked.
type counting struct {
	one

	turns []int
	seats []games.Seat
}

func (c *counting) Act(ctx context.Context, in []play.Request, out []play.Decision) error {
	for _, r := range in {
		c.turns, c.seats = append(c.turns, r.Turn), append(c.seats, r.Seat)
	}
	return c.one.Act(ctx, in, out)
}

// A request says which decision of the episode it asks for, by all seats.
func TestTurnsAreCountedByAllSeats(t *testing.T) {
	agent, other := &counting{}, one{}
	match := play.Match{Game: ring{}, Agents: []play.Agent{agent, other}, Seats: func(uint64, int) []int { return []int{0, 1, 0} }}
	if _, err := match.Play(t.Context(), 0, 1); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(agent.turns, []int{0, 2, 3, 5}) || !slices.Equal(agent.seats, []games.Seat{0, 2, 0, 2}) {
		t.Errorf("asked for turns %v in seats %v, expected 0, 2, 3 and 5 in seats 0, 2, 0 and 2", agent.turns, agent.seats)
	}
}

// The offender of three gets the game's least, -10; the two others share what is left
// of its sum of 30 equally.
func TestForfeitOfOneInThree(t *testing.T) {
	match := play.Match{
		Game: ring{}, Agents: []play.Agent{one{0}, one{9}},
		Seats: func(uint64, int) []int { return []int{0, 1, 0} },
	}
	episodes, err := match.Play(t.Context(), 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	e := episodes[0]
	if e.Forfeit != 1 || !slices.Equal(e.Returns, []float64{20, -10, 20}) || !slices.Equal(e.Actions, []games.Action{0}) {
		t.Errorf("%+v, expected that seat 1 forfeits by its first action", *e)
	}
	if len(e.Turns) != 2 || e.Turns[1].Action != 9 || e.Turns[1].At != 1 {
		t.Errorf("turns %+v, expected that the illegal one is recorded", e.Turns)
	}
}

// refusing gives another answer to the first request of its first call.
type refusing struct {
	one

	first play.Decision
	asked int
}

func (r *refusing) Act(ctx context.Context, in []play.Request, out []play.Decision) error {
	if err := r.one.Act(ctx, in, out); err != nil {
		return err
	}
	if r.asked == 0 {
		out[0] = r.first
	}
	r.asked += len(in)
	return nil
}

// A game of a group that ends early, or gets lost, leaves the others as they would have
// been: everybody is asked for each of their turns once.
func TestTroubleStaysInItsGame(t *testing.T) {
	for name, test := range map[string]struct {
		first          play.Decision
		asked          int
		forfeit        games.Seat
		voids, actions int
	}{
		"no answer": {play.Decision{Err: errors.New("I pass")}, 1 + 3*6, 0, 0, 0},
		"illegal":   {play.Decision{Action: 9}, 1 + 3*6, 0, 0, 0},
		"lost":      {play.Decision{Err: fmt.Errorf("%w: gone", games.ErrLost)}, 1 + 4*6, games.Over, 1, 6},
	} {
		t.Run(name, func(t *testing.T) {
			agent := &refusing{one: one{1}, first: test.first}
			match := play.Match{Game: ring{}, Agents: []play.Agent{agent}, Seats: func(uint64, int) []int { return []int{0, 0, 0} }, Group: 4}
			episodes, err := match.Play(t.Context(), 0, 4)
			if err != nil {
				t.Fatal(err)
			}
			if e := episodes[0]; e.Forfeit != test.forfeit || e.Voids != test.voids || len(e.Actions) != test.actions {
				t.Errorf("the first game: %+v", *e)
			}
			for _, e := range episodes[1:] {
				if e.Forfeit != games.Over || e.Voids != 0 || !slices.Equal(e.Returns, []float64{11, 11, 11}) || len(e.Turns) != 6 {
					t.Errorf("another game: %+v", *e)
				}
			}
			if agent.asked != test.asked {
				t.Errorf("%d requests, expected %d", agent.asked, test.asked)
			}
		})
	}
}

// crumbling loses the first game of some calls of Step, counted from 1, or breaks.
type crumbling struct {
	games.Game

	lost   map[int]bool
	broken error
	calls  int
}

func (g *crumbling) Step(states []games.State, actions []games.Action, errs []error) {
	g.calls++
	for i, s := range states {
		switch {
		case i == 0 && g.lost[g.calls]:
			errs[i] = fmt.Errorf("%w: it crashed", games.ErrLost)
		case i == 0 && g.broken != nil:
			errs[i] = g.broken
		default:
			errs[i] = s.Apply(actions[i])
		}
	}
}

// Where the rules answer for some games of a group and not for others, only those are
// played again; agents that need no batch are played by Step as well.
func TestRulesLostForOneGame(t *testing.T) {
	for name, agent := range map[string]play.Agent{"in batches": one{2}, "without": quickly{one{2}}} {
		game := &crumbling{Game: ring{}, lost: map[int]bool{2: true}}
		match := play.Match{Game: game, Agents: []play.Agent{agent}, Seats: func(uint64, int) []int { return []int{0, 0, 0} }, Group: 3}
		episodes, err := match.Play(t.Context(), 0, 3)
		if err != nil {
			t.Fatal(err)
		}
		for i, e := range episodes {
			voids := 0
			if i == 0 {
				voids = 1
			}
			if e.Voids != voids || len(e.Actions) != 6 || len(e.Turns) != 6 || e.Forfeit != games.Over {
				t.Errorf("%s: game %d: %+v", name, i, *e)
			}
		}
		if game.calls != 3+6 {
			t.Errorf("%s: %d calls of Step, expected 3 until the lost game begins again and 6 of it", name, game.calls)
		}
	}
}

// A game may get lost three times and is played a fourth; lost four times, it ends the
// match, and the error says which.
func TestHowOftenGamesMayGetLost(t *testing.T) {
	for name, agent := range map[string]play.Agent{"in batches": &dice{}, "without": &picker{}} {
		for _, losses := range []int{3, 4} {
			failures := map[int]bool{}
			for i := range losses {
				failures[i+1] = true // the first call of every try: that of chance
			}
			game := frail{failures: failures, calls: new(int)}
			match := play.Match{Game: game, Agents: []play.Agent{agent}, Seats: both}
			episodes, err := match.Play(t.Context(), 7, 1)
			switch {
			case losses == 3 && (err != nil || episodes[0].Voids != 3 || len(episodes[0].Actions) != 3):
				t.Errorf("%s: lost three times: %v", name, err)
			case losses == 4 && (!errors.Is(err, games.ErrLost) || !strings.Contains(err.Error(), "game duel, episode 7: ")):
				t.Errorf("%s: lost four times: %v", name, err)
			case *game.calls != losses+3*(4-losses):
				t.Errorf("%s: the rules were asked %d times after %d losses", name, *game.calls, losses)
			}
		}
	}
}

// Chance that the rules refuse is a fault of the game and ends the match; so is any
// error of the rules for agents that need no batch, which pick legal actions. It is not
// tried again.
func TestBrokenRulesEndTheMatch(t *testing.T) {
	fault := errors.New("the deck is empty")
	game := &crumbling{Game: duel{}, broken: fault}
	match := play.Match{Game: game, Agents: []play.Agent{&dice{}}, Seats: both}
	if _, err := match.Play(t.Context(), 3, 1); !errors.Is(err, fault) || !strings.Contains(err.Error(), "game duel, episode 3: ") || game.calls != 1 {
		t.Errorf("%v after %d calls", err, game.calls)
	}
	calls := 0
	match.Game, match.Agents = faulty{fault: fault, calls: &calls}, []play.Agent{&picker{}}
	if _, err := match.Play(t.Context(), 3, 1); !errors.Is(err, fault) || !strings.Contains(err.Error(), "game duel, episode 3: ") || calls != 1 {
		t.Errorf("%v after %d calls", err, calls)
	}
}

// faulty is a duel whose rules refuse everything.
type faulty struct {
	duel

	fault error
	calls *int
}

func (g faulty) Start() games.State { return &faultyNode{node{}, g} }

type faultyNode struct {
	node
	game faulty
}

func (n *faultyNode) Clone() games.State { return &faultyNode{node{slices.Clone(n.moves)}, n.game} }
func (n *faultyNode) Apply(games.Action) error {
	*n.game.calls++
	return n.game.fault
}

// hall is a ring in which what is said is heard.
type hall struct {
	ring

	heard *[]string
}

func (h hall) Start() games.State { return &hallState{around{}, h.heard} }

type hallState struct {
	around
	heard *[]string
}

func (s *hallState) Clone() games.State {
	return &hallState{around{slices.Clone(s.moves)}, s.heard}
}
func (s *hallState) Talk(text string) { *s.heard = append(*s.heard, text) }

// talker says and records something at some of its turns.
type talker struct{ one }

func (talker) Act(_ context.Context, in []play.Request, out []play.Decision) error {
	for i, r := range in {
		switch r.Turn {
		case 1:
			out[i].Text = "second"
		case 3:
			out[i].Record = 4
		}
	}
	return nil
}

// What agents say is heard by the game, silence is not. Brief episodes keep the turns in
// which something was said or recorded, and those alone.
func TestTalk(t *testing.T) {
	for _, brief := range []bool{false, true} {
		var heard []string
		match := play.Match{Game: hall{heard: &heard}, Agents: []play.Agent{talker{}}, Seats: func(uint64, int) []int { return []int{0, 0, 0} }, Brief: brief}
		episodes, err := match.Play(t.Context(), 0, 1)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(heard, []string{"second"}) {
			t.Errorf("heard %q", heard)
		}
		turns := episodes[0].Turns
		if !brief && len(turns) != 6 {
			t.Errorf("%d turns, expected 6", len(turns))
		}
		if brief && (len(turns) != 2 || turns[0].At != 1 || turns[0].Text != "second" || turns[1].At != 3 || turns[1].Record != 4) {
			t.Errorf("%+v, expected what was said at 1 and recorded at 3", turns)
		}
	}
	// Agents that need no batch say nothing, so that brief episodes have no turns.
	match := play.Match{Game: ring{}, Agents: []play.Agent{quickly{one{1}}}, Seats: func(uint64, int) []int { return []int{0, 0, 0} }, Brief: true}
	episodes, err := match.Play(t.Context(), 0, 1)
	if err != nil || len(episodes[0].Turns) != 0 || len(episodes[0].Actions) != 6 || episodes[0].Costs[0].Moves != 2 {
		t.Errorf("%+v, %v", *episodes[0], err)
	}
}

// numbering names 0, 1 and 2 to the requests of a call in turn, and nothing to the first
// request of its first call.
type numbering struct{ called bool }

func (n *numbering) Act(_ context.Context, _ []play.Request, out []play.Decision) error {
	for i := range out {
		out[i].Action = games.Action(i % 3)
	}
	if !n.called {
		out[0].Err = errors.New("I pass")
	}
	n.called = true
	return nil
}
func (*numbering) Close() error { return nil }

// Games of a group are at different turns and one of them ends: the others' turns are
// still recorded with the seat that moved and what it did.
func TestRecordsStayInTheirGames(t *testing.T) {
	match := play.Match{
		Game: ring{}, Agents: []play.Agent{&numbering{}}, Seats: func(uint64, int) []int { return []int{0, 0, 0} },
		Opening: func(episode uint64) play.Opening { return play.Opening{Actions: make([]games.Action, episode)} },
	}
	episodes, err := match.Play(t.Context(), 0, 4)
	if err != nil {
		t.Fatal(err)
	}
	if episodes[0].Forfeit != 0 || len(episodes[0].Turns) != 1 {
		t.Errorf("%+v, expected that seat 0 forfeits its first turn", *episodes[0])
	}
	for i, e := range episodes[1:] {
		if len(e.Turns) != 6-(1+i) {
			t.Errorf("episode %d: %d turns after %d actions of its opening", 1+i, len(e.Turns), 1+i)
		}
		for _, turn := range e.Turns {
			if turn.Seat != games.Seat(turn.At%3) || turn.Action != e.Actions[turn.At] {
				t.Errorf("episode %d: %+v, and its actions are %v", 1+i, turn, e.Actions)
			}
		}
	}
}
