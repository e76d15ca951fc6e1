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

// duel is a toy: chance picks a number below 3, seat 0 then seat 1 name a
// number below 3 without seeing anything, and the one nearer to chance's wins.
type duel struct{}

func (duel) Info() games.Info {
	return games.Info{
		Name: "duel", Seats: 2, Roles: []string{"first", "second"}, Actions: 3, MaxLength: 2,
		MinReturn: -1, MaxReturn: 1, Chance: games.Listed, Hidden: true, Tensor: []int{1}, Recall: true,
	}
}
func (duel) Start() games.State { return &node{} }

type node struct{ moves []games.Action }

func (n *node) Turn() games.Seat {
	return [...]games.Seat{games.Chance, 0, 1, games.Over}[len(n.moves)]
}
func (n *node) Actions(dst []games.Action) []games.Action {
	if len(n.moves) == 3 {
		return dst
	}
	return append(dst, 0, 1, 2)
}
func (n *node) Odds(dst []float64) []float64 {
	if len(n.moves) > 0 {
		return dst
	}
	return append(dst, 0.25, 0.25, 0.5)
}
func (n *node) Apply(a games.Action) error {
	if a < 0 || a > 2 || len(n.moves) == 3 {
		return games.Illegal(n, a)
	}
	n.moves = append(n.moves, a)
	return nil
}
func (n *node) Returns(dst []float64) []float64 {
	if len(n.moves) < 3 {
		return append(dst, 0, 0)
	}
	far := func(a games.Action) games.Action { return max(a-n.moves[0], n.moves[0]-a) }
	switch d := far(n.moves[1]) - far(n.moves[2]); {
	case d < 0:
		return append(dst, 1, -1)
	case d > 0:
		return append(dst, -1, 1)
	}
	return append(dst, 0, 0)
}
func (n *node) Clone() games.State { return &node{slices.Clone(n.moves)} }
func (n *node) AppendKey(dst []byte, s games.Seat) []byte {
	if int(s)+1 < len(n.moves) {
		return append(dst, byte('0'+n.moves[int(s)+1]))
	}
	return dst
}
func (n *node) Observe(_ games.Seat, dst []float32) { dst[0] = 0 }

// dice draws its action from the seat's own generator and counts its calls.
type dice struct{ calls, largest int }

func (d *dice) Act(_ context.Context, in []play.Request, out []play.Decision) error {
	d.calls++
	d.largest = max(d.largest, len(in))
	for i, r := range in {
		out[i].Action = games.Action(r.Rand.IntN(3))
	}
	return nil
}
func (*dice) Close() error { return nil }

// stubborn always gives the same decision.
type stubborn struct{ decision play.Decision }

func (s stubborn) Act(_ context.Context, _ []play.Request, out []play.Decision) error {
	for i := range out {
		out[i] = s.decision
	}
	return nil
}
func (stubborn) Close() error { return nil }

func both(uint64, int) []int { return []int{0, 0} }

func transcript(t *testing.T, m play.Match, first uint64, count int) string {
	t.Helper()
	episodes, err := m.Play(t.Context(), first, count)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, e := range episodes {
		fmt.Fprintln(&b, e.Number, e.Actions, e.Returns)
	}
	return b.String()
}

// The same episodes come out whatever the number of workers, the size of a
// group, and where the counting starts.
func TestEpisodesDependOnSeedAndNumberOnly(t *testing.T) {
	match := func(group, workers int) play.Match {
		return play.Match{Game: duel{}, Seed: 7, Agents: []play.Agent{&dice{}}, Seats: both, Group: group, Workers: workers}
	}
	want := transcript(t, match(100, 1), 0, 100)
	for _, group := range []int{1, 7, 64} {
		if got := transcript(t, match(group, 1), 0, 100); got != want {
			t.Errorf("groups of %d play other games", group)
		}
	}
	halves := transcript(t, match(50, 1), 0, 40) + transcript(t, match(50, 1), 40, 60)
	if halves != want {
		t.Error("episodes 40 to 99 differ when they are played by themselves")
	}
	other := match(100, 1)
	other.Seed = 8
	if transcript(t, other, 0, 100) == want {
		t.Error("another seed plays the same games")
	}
}

func TestWorkersChangeNothing(t *testing.T) {
	play1 := play.Match{Game: duel{}, Seed: 7, Agents: []play.Agent{uniform{}}, Seats: both, Group: 8, Workers: 1}
	want := transcript(t, play1, 0, 200)
	for _, workers := range []int{2, 8} {
		play1.Workers = workers
		if transcript(t, play1, 0, 200) != want {
			t.Errorf("%d workers play other games than one", workers)
		}
	}
}

type uniform struct{}

func (uniform) Act(_ context.Context, in []play.Request, out []play.Decision) error {
	for i, r := range in {
		out[i].Action = games.Action(r.Rand.IntN(3))
	}
	return nil
}
func (uniform) Close() error { return nil }

func TestLockstepAsksOnceForAllWaitingSeats(t *testing.T) {
	d := &dice{}
	m := play.Match{Game: duel{}, Seed: 1, Agents: []play.Agent{d}, Seats: both, Group: 64}
	if _, err := m.Play(t.Context(), 0, 64); err != nil {
		t.Fatal(err)
	}
	if d.calls != 2 || d.largest != 64 {
		t.Errorf("%d calls, the largest for %d seats; want 2 for 64 each: one for every turn", d.calls, d.largest)
	}
}

// An illegal action, or none, loses the game by its worst return and the rest
// goes to the other seat.
func TestForfeit(t *testing.T) {
	for name, d := range map[string]play.Decision{
		"illegal": {Action: 9},
		"none":    {Err: errors.New("I do not understand the game")},
	} {
		t.Run(name, func(t *testing.T) {
			m := play.Match{
				Game: duel{}, Agents: []play.Agent{&dice{}, stubborn{d}},
				Seats: func(uint64, int) []int { return []int{0, 1} },
			}
			episodes, err := m.Play(t.Context(), 0, 3)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range episodes {
				if e.Forfeit != 1 || !slices.Equal(e.Returns, []float64{1, -1}) || len(e.Turns) != 2 || len(e.Actions) != 2 {
					t.Errorf("got %+v, want a forfeit of seat 1", e)
				}
			}
		})
	}
}

func TestReplayingActionsGivesTheReturns(t *testing.T) {
	m := play.Match{Game: duel{}, Seed: 3, Agents: []play.Agent{&dice{}}, Seats: both}
	episodes, err := m.Play(t.Context(), 0, 50)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range episodes {
		s := duel{}.Start()
		for _, a := range e.Actions {
			if err := s.Apply(a); err != nil {
				t.Fatal(err)
			}
		}
		if s.Turn() != games.Over || !slices.Equal(s.Returns(nil), e.Returns) {
			t.Errorf("episode %d: replayed to %v, recorded %v", e.Number, s.Returns(nil), e.Returns)
		}
	}
}

func TestErrorsEndTheMatch(t *testing.T) {
	broken := errors.New("the network has burnt down")
	m := play.Match{Game: duel{}, Agents: []play.Agent{failing{broken}}, Seats: both, Group: 4, Workers: 2}
	if _, err := m.Play(t.Context(), 0, 64); !errors.Is(err, broken) {
		t.Errorf("got %v, want the agent's error", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	m.Agents = []play.Agent{uniform{}}
	if _, err := m.Play(ctx, 0, 64); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the context's error", err)
	}
}

type failing struct{ err error }

func (f failing) Act(context.Context, []play.Request, []play.Decision) error { return f.err }
func (failing) Close() error                                                 { return nil }

// Chance follows its odds.
func TestDrawFollowsTheOdds(t *testing.T) {
	r := play.Generator(1, "odds")
	counts := map[games.Action]int{}
	for range 4000 {
		a, err := games.Draw(duel{}.Start(), r)
		if err != nil {
			t.Fatal(err)
		}
		counts[a]++
	}
	for a, want := range map[games.Action]int{0: 1000, 1: 1000, 2: 2000} {
		if d := counts[a] - want; d < -150 || d > 150 {
			t.Errorf("outcome %d came %d times of 4000, want about %d", a, counts[a], want)
		}
	}
}

func TestGeneratorsAreIndependentStreams(t *testing.T) {
	seen := map[uint64]string{}
	for _, g := range []struct {
		seed   uint64
		stream string
		path   []uint64
	}{{1, "seat", []uint64{0, 0}}, {1, "seat", []uint64{0, 1}}, {1, "seat", []uint64{0}}, {1, "seats", nil}, {2, "seat", []uint64{0, 0}}, {1, "chance", []uint64{0, 0}}} {
		name := fmt.Sprint(g)
		first := play.Generator(g.seed, g.stream, g.path...).Uint64()
		if again := play.Generator(g.seed, g.stream, g.path...).Uint64(); again != first {
			t.Errorf("%s starts differently the second time", name)
		}
		if other, taken := seen[first]; taken {
			t.Errorf("%s starts like %s", name, other)
		}
		seen[first] = name
	}
}

// losing is a game that gives no answer now and then, as a plugin may.
type losing struct {
	games.Game
	failures map[int]bool // calls of Step that are lost, from 1
	calls    int
}

func (g *losing) Step(states []games.State, actions []games.Action, errs []error) {
	g.calls++
	for i, s := range states {
		if g.failures[g.calls] {
			errs[i] = fmt.Errorf("%w: it crashed", games.ErrLost)
			continue
		}
		errs[i] = s.Apply(actions[i])
	}
}

// A game that is lost is nobody's loss: it is played again from the same deal, and
// becomes the game that it would have been.
func TestLostGamesArePlayedAgain(t *testing.T) {
	match := func(g games.Game) ([]*play.Episode, error) {
		return play.Match{Game: g, Seed: 5, Agents: []play.Agent{&dice{}}, Seats: func(uint64, int) []int { return []int{0, 0} }, Group: 8}.Play(t.Context(), 0, 16)
	}
	want, err := match(duel{})
	if err != nil {
		t.Fatal(err)
	}
	got, err := match(&losing{Game: duel{}, failures: map[int]bool{2: true, 4: true, 9: true}})
	if err != nil {
		t.Fatal(err)
	}
	voids := 0
	for i := range want {
		voids += got[i].Voids
		got[i].Voids = 0
		got[i].Costs, want[i].Costs = nil, nil // times
		if a, b := fmt.Sprintf("%+v", *want[i]), fmt.Sprintf("%+v", *got[i]); a != b {
			t.Errorf("episode %d is\n%s, expected\n%s", i, b, a)
		}
	}
	if voids == 0 {
		t.Error("no game was lost")
	}
	always := map[int]bool{}
	for i := range 100 {
		always[i] = true
	}
	if _, err := match(&losing{Game: duel{}, failures: always}); !errors.Is(err, games.ErrLost) {
		t.Errorf("a game that is always lost: %v", err)
	}
}

// paying is dice that cost a token in and two out, and get lost in some calls.
type paying struct {
	dice
	failures map[int]bool
	calls    int
}

func (p *paying) Act(ctx context.Context, in []play.Request, out []play.Decision) error {
	if err := p.dice.Act(ctx, in, out); err != nil {
		return err
	}
	for i := range out {
		p.calls++
		out[i].Cost = play.Cost{TokensIn: 1, TokensOut: 2, Dollars: 0.5, Failed: 1}
		if p.failures[p.calls] {
			out[i].Err = fmt.Errorf("%w: the server is gone", games.ErrLost)
		}
	}
	return nil
}

// What was paid for a game that got lost is not forgotten; its moves are.
func TestLostGamesWerePaidFor(t *testing.T) {
	agent := &paying{failures: map[int]bool{2: true, 5: true}}
	match := play.Match{Game: duel{}, Seed: 5, Agents: []play.Agent{agent}, Seats: both, Group: 1}
	episodes, err := match.Play(t.Context(), 0, 4)
	if err != nil {
		t.Fatal(err)
	}
	var sum play.Cost
	voids := 0
	for _, e := range episodes {
		for _, c := range e.Costs {
			sum.Add(c)
		}
		voids += e.Voids
	}
	paid := int64(agent.calls)
	if voids != 2 || sum.TokensIn != paid || sum.TokensOut != 2*paid || sum.Dollars != float64(paid)/2 || sum.Failed != agent.calls {
		t.Errorf("%+v after %d calls and %d lost games", sum, agent.calls, voids)
	}
	if sum.Moves != 8 {
		t.Errorf("%d moves, expected 8: those of the games that count", sum.Moves)
	}
}

// Each hands on the episodes that Play returns.
func TestEach(t *testing.T) {
	for name, agent := range map[string]play.Agent{"in batches": &dice{}, "without": &picker{}} {
		t.Run(name, func(t *testing.T) {
			match := play.Match{Game: duel{}, Seed: 5, Agents: []play.Agent{agent}, Seats: both, Group: 16}
			want, err := match.Play(t.Context(), 3, 16)
			if err != nil {
				t.Fatal(err)
			}
			i := 0
			err = match.Each(t.Context(), 3, 16, func(e *play.Episode) {
				for _, costs := range [][]play.Cost{e.Costs, want[i].Costs} {
					for seat := range costs {
						costs[seat].Time = 0
					}
				}
				if a, b := fmt.Sprintf("%+v", *want[i]), fmt.Sprintf("%+v", *e); a != b {
					t.Errorf("episode %d is\n%s, expected\n%s", i, b, a)
				}
				i++
			})
			if err != nil || i != 16 {
				t.Errorf("%d episodes, %v", i, err)
			}
			gone, cancel := context.WithCancel(t.Context())
			cancel()
			if err := match.Each(gone, 0, 16, func(*play.Episode) {}); !errors.Is(err, context.Canceled) {
				t.Errorf("%v, expected %v", err, context.Canceled)
			}
		})
	}
}

// picker is dice without batches.
type picker struct{ dice }

func (*picker) Pick(_ games.State, legal []games.Action, r *rand.Rand) int { return r.IntN(len(legal)) }

// frail is a duel whose states give no answer to some calls of Apply, counted from 1.
type frail struct {
	duel
	failures map[int]bool
	calls    *int
}

func (g frail) Start() games.State { return &frailNode{node{}, g} }

type frailNode struct {
	node
	game frail
}

func (n *frailNode) Clone() games.State {
	return &frailNode{node{slices.Clone(n.moves)}, n.game}
}

func (n *frailNode) Apply(a games.Action) error {
	if *n.game.calls++; n.game.failures[*n.game.calls] {
		return fmt.Errorf("%w: it crashed", games.ErrLost)
	}
	return n.node.Apply(a)
}

// Games of agents that need no batch are played again too, and count what their last
// playing took; the same games come out whatever was lost.
func TestLostGamesWithoutBatches(t *testing.T) {
	match := func(failures map[int]bool) ([]*play.Episode, error) {
		g := frail{failures: failures, calls: new(int)}
		return play.Match{Game: g, Seed: 5, Agents: []play.Agent{&picker{}}, Seats: both, Group: 8}.Play(t.Context(), 0, 16)
	}
	want, err := match(nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := match(map[int]bool{2: true, 9: true, 20: true, 48: true})
	if err != nil {
		t.Fatal(err)
	}
	voids := 0
	for i := range want {
		voids += got[i].Voids
		got[i].Voids = 0
		if a, b := fmt.Sprintf("%+v", *want[i]), fmt.Sprintf("%+v", *got[i]); a != b {
			t.Errorf("episode %d is\n%s, expected\n%s", i, b, a)
		}
		if got[i].Costs[0].Moves != 1 || got[i].Costs[1].Moves != 1 {
			t.Errorf("episode %d: %+v, expected a move of each seat", i, got[i].Costs)
		}
	}
	if voids != 4 {
		t.Errorf("%d games were lost, expected 4", voids)
	}
}
