package plugins

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/games/gamestest"
	"github.com/agon-rl/agon/plugins/protocol"
)

// CheckOptions say how thorough a check is.
type CheckOptions struct {
	Seed      uint64
	Histories int // enumerated, shortest first
	Walks     int // random games
}

// CheckResult is what a check found.
type CheckResult struct {
	Game     string
	Failures []error
	Notes    []string // what the plugin declares that it cannot do
}

// Check starts a plugin and looks for promises that it breaks: in its answers,
// by asking what a host would not ask, then by the battery that all games pass.
// An error means that nothing could be found out.
func Check(ctx context.Context, o Options, how CheckOptions) (*CheckResult, error) {
	g, err := Open(o)
	if err != nil {
		return nil, err
	}
	defer g.Close() //nolint:errcheck // it returns nil
	twin, err := Open(o)
	if err != nil {
		return nil, err
	}
	defer twin.Close() //nolint:errcheck // it returns nil
	result := &CheckResult{Game: g.info.Name, Notes: g.notes()}
	note := func(err error) {
		if err != nil {
			result.Failures = append(result.Failures, err)
		}
	}
	raw := &rawCheck{game: g, twin: twin, random: rand.New(rand.NewPCG(how.Seed, 0)), notes: &result.Notes}
	note(raw.run(ctx, how))
	if len(result.Failures) == 0 { // otherwise it would find the same in other words
		note(gamestest.Check(g, gamestest.Options{Seed: how.Seed, Nodes: how.Histories, Walks: how.Walks}))
	}
	if len(result.Failures) == 0 {
		note(g.Err())
	}
	return result, ctx.Err()
}

// notes are what a plugin declares that it cannot do.
func (g *Game) notes() []string {
	var out []string
	if g.description.Replays {
		out = append(out, "states are restored by replaying their history: long games are slow to search")
	}
	if g.description.Keyless {
		out = append(out, "there are no keys: tables, exact solvers and exploitability refuse the game")
	}
	if !g.description.Speaks {
		out = append(out, "there are no words: actions go by their numbers")
	}
	return out
}

// rawCheck asks a plugin what the host never would, and everything twice.
type rawCheck struct {
	game, twin *Game
	random     *rand.Rand
	notes      *[]string
	slowest    time.Duration
}

// slow is a call for one state that is worth a note.
const slow = 50 * time.Millisecond

func (c *rawCheck) run(ctx context.Context, how CheckOptions) error {
	queue := [][]games.Action{nil}
	states := map[string]view{"": c.game.start}
	for seen := 0; len(queue) > 0 && seen < how.Histories; seen++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		history := queue[0]
		queue = queue[1:]
		at := states[fmt.Sprint(history)]
		if len(history) == 0 {
			at = c.game.start
		}
		if err := c.at(history, at); err != nil {
			return err
		}
		for _, a := range at.actions {
			next, err := c.next(history, at, a)
			if err != nil {
				return err
			}
			if longer := append(slices.Clone(history), a); len(queue)+seen < how.Histories {
				queue = append(queue, longer)
				states[fmt.Sprint(longer)] = next
			}
		}
	}
	for range how.Walks {
		var history []games.Action
		for at := c.game.start; len(at.actions) > 0; {
			a := at.actions[c.random.IntN(len(at.actions))]
			next, err := c.next(history, at, a)
			if err != nil {
				return err
			}
			history, at = append(history, a), next
		}
	}
	if c.slowest > slow {
		*c.notes = append(*c.notes, fmt.Sprintf("slow: a call for one state took %v", c.slowest.Round(time.Millisecond)))
	}
	return nil
}

// after names a history in an error.
func (c *rawCheck) after(history []games.Action, format string, args ...any) error {
	return fmt.Errorf("%s, %s: "+format, append([]any{c.game.info.Name, tell(c.game, history)}, args...)...)
}

// tell writes a history with the names of its actions.
func tell(g games.Game, history []games.Action) string {
	if len(history) == 0 {
		return "at the start"
	}
	s := g.Start()
	var names []string
	for _, a := range history {
		names = append(names, games.Say(s, a))
		if err := s.Apply(a); err != nil {
			break
		}
	}
	return fmt.Sprintf("after actions %v (%s)", history, strings.Join(names, ", "))
}

func request(v view, a games.Action, want protocol.Want) *protocol.StepRequest {
	return &protocol.StepRequest{States: v.bytes, Ends: []uint32{uint32(len(v.bytes))}, Actions: []int32{int32(a)}, Want: uint32(want)}
}

// next plays an action twice in one process and once in another: a pure function
// gives the same three times.
func (c *rawCheck) next(history []games.Action, at view, a games.Action) (view, error) {
	want := protocol.Want_WANT_KEYS | protocol.Want_WANT_OBSERVATIONS
	if c.game.description.Keyless {
		want = protocol.Want_WANT_OBSERVATIONS
	}
	views := make([]view, 1)
	began := time.Now()
	first, err := c.ask(c.game, request(at, a, want), views)
	c.slowest = max(c.slowest, time.Since(began))
	if err != nil {
		return view{}, c.after(append(slices.Clone(history), a), "%w", err)
	}
	if views[0].failure != "" {
		return view{}, c.after(history, "the legal action %d is refused: %s", a, views[0].failure)
	}
	again := make([]view, 1)
	second, err := c.ask(c.game, request(at, a, want), again)
	if err != nil {
		return view{}, c.after(append(slices.Clone(history), a), "%w", err)
	}
	if !proto.Equal(first, second) {
		return view{}, c.after(append(slices.Clone(history), a), "the same call gives another answer the second time: the plugin keeps something that is not in the state's bytes, or draws random numbers: %s", differs(views[0], again[0]))
	}
	if c.random.IntN(4) == 0 || len(history) < 2 {
		other, err := c.ask(c.twin, request(at, a, want), again)
		if err != nil {
			return view{}, c.after(append(slices.Clone(history), a), "another process of the plugin: %w", err)
		}
		if !proto.Equal(first, other) {
			return view{}, c.after(append(slices.Clone(history), a), "another process of the plugin gives another answer: the state's bytes do not restore the state: %s", differs(views[0], again[0]))
		}
	}
	return views[0], nil
}

func (c *rawCheck) ask(g *Game, in *protocol.StepRequest, views []view) (out *protocol.StepReply, err error) {
	in.Params = g.params
	err = g.host.call(func(ctx context.Context, client client) error {
		if out, err = client.Step(ctx, in); err != nil {
			return err
		}
		return unpack(g.info, g.description.Open, in, out, views)
	})
	return out, err
}

// at offers a state what is not legal there.
func (c *rawCheck) at(history []games.Action, at view) error {
	if at.turn == games.Chance || c.game.description.Open {
		return nil
	}
	for _, a := range []games.Action{-1, 0, games.Action(c.random.IntN(c.game.info.Actions)), games.Action(c.game.info.Actions)} {
		if slices.Contains(at.actions, a) {
			continue
		}
		views := make([]view, 1)
		if _, err := c.ask(c.game, request(at, a, 0), views); err != nil {
			return c.after(history, "offered the illegal action %d: %w", a, err)
		}
		if views[0].failure == "" {
			return c.after(history, "the action %d is not among the legal %v and is not refused", a, at.actions)
		}
	}
	return nil
}

// differs says in what two views of the same state differ.
func differs(a, b view) string {
	switch {
	case a.turn != b.turn:
		return fmt.Sprintf("turn %d and %d", a.turn, b.turn)
	case !slices.Equal(a.actions, b.actions):
		return fmt.Sprintf("legal actions %v and %v", a.actions, b.actions)
	case !slices.Equal(a.odds, b.odds):
		return fmt.Sprintf("odds %v and %v", a.odds, b.odds)
	case !slices.Equal(a.returns, b.returns):
		return fmt.Sprintf("returns %v and %v", a.returns, b.returns)
	case !bytes.Equal(a.key, b.key):
		return fmt.Sprintf("keys %q and %q", a.key, b.key)
	case !bytes.Equal(a.tensor, b.tensor):
		return "observations"
	}
	return "the state's bytes"
}

// Compare plays two games side by side, all histories in the order of their
// length up to a number, then random ones, and returns where they differ first in
// turn, legal actions, odds or returns; "" where they never do.
func Compare(ctx context.Context, game, reference games.Game, how CheckOptions) (string, error) {
	a, b := game.Info(), reference.Info()
	switch {
	case a.Seats != b.Seats:
		return fmt.Sprintf("%d seats, not %d", a.Seats, b.Seats), nil
	case a.Seats > 1 && a.Sum != b.Sum:
		return fmt.Sprintf("returns sum to %g, not %g", a.Sum, b.Sum), nil
	}
	type pair struct {
		x, y    games.State
		history []games.Action
	}
	difference := func(p pair) string {
		what := sideBySide(p.x, p.y)
		if what == "" {
			return ""
		}
		return tell(reference, p.history) + ": " + what
	}
	step := func(p pair, action games.Action) (pair, error) {
		next := pair{p.x.Clone(), p.y.Clone(), append(slices.Clone(p.history), action)}
		return next, errors.Join(next.x.Apply(action), next.y.Apply(action))
	}
	queue := []pair{{game.Start(), reference.Start(), nil}}
	for seen := 0; len(queue) > 0 && seen < how.Histories; seen++ {
		if err := ctx.Err(); err != nil {
			return "", err
		}
		p := queue[0]
		queue = queue[1:]
		if what := difference(p); what != "" {
			return what, nil
		}
		for _, action := range p.y.Actions(nil) {
			next, err := step(p, action)
			if err != nil {
				return "", err
			}
			queue = append(queue, next)
		}
	}
	r := rand.New(rand.NewPCG(how.Seed, 1))
	for range how.Walks {
		for p := (pair{game.Start(), reference.Start(), nil}); ; {
			if what := difference(p); what != "" {
				return what, nil
			}
			actions := p.y.Actions(nil)
			if p.y.Turn() == games.Over || len(actions) == 0 {
				break
			}
			var err error
			if p, err = step(p, actions[r.IntN(len(actions))]); err != nil {
				return "", err
			}
		}
	}
	return "", nil
}

func sideBySide(x, y games.State) string {
	near := func(a, b float64) bool { return math.Abs(a-b) <= 1e-9 }
	switch {
	case x.Turn() != y.Turn():
		return fmt.Sprintf("turn %d, not %d", x.Turn(), y.Turn())
	case !slices.Equal(x.Actions(nil), y.Actions(nil)):
		return fmt.Sprintf("legal actions %v, not %v", x.Actions(nil), y.Actions(nil))
	case !slices.EqualFunc(x.Odds(nil), y.Odds(nil), near):
		return fmt.Sprintf("odds %v, not %v", x.Odds(nil), y.Odds(nil))
	case !slices.EqualFunc(x.Returns(nil), y.Returns(nil), near):
		return fmt.Sprintf("returns %v, not %v", x.Returns(nil), y.Returns(nil))
	}
	return ""
}

// SpeedResult is how fast random games go with so many states in a call.
type SpeedResult struct {
	Batch     int     `json:"batch"`
	PerSecond float64 `json:"steps_per_second"`
}

// Speed measures steps of random games through a plugin: one state a call, one
// call after the other, then many states a call from as many goroutines as there
// are cores, as training does it. Every step crosses over: the host remembers
// nothing here.
func Speed(ctx context.Context, o Options) ([]SpeedResult, error) {
	g, err := Open(o)
	if err != nil {
		return nil, err
	}
	defer g.Close() //nolint:errcheck // it returns nil
	g.known = nil
	var out []SpeedResult
	for _, batch := range []int{1, 16, 256, 1024} {
		const least = time.Second
		lanes := runtime.GOMAXPROCS(0)
		if batch == 1 {
			lanes = 1
		}
		var wait sync.WaitGroup
		rates, errs := make([]float64, lanes), make([]error, lanes)
		for i := range lanes {
			wait.Go(func() { rates[i], errs[i] = g.steps(ctx, batch, least, uint64(i)) })
		}
		wait.Wait()
		if err := errors.Join(errs...); err != nil {
			return nil, err
		}
		sum := 0.0
		for _, rate := range rates {
			sum += rate
		}
		out = append(out, SpeedResult{batch, sum})
	}
	return out, nil
}

// steps plays random games side by side for a time and returns steps a second.
func (g *Game) steps(ctx context.Context, batch int, least time.Duration, seed uint64) (float64, error) {
	r := rand.New(rand.NewPCG(seed, 1))
	states, actions, errs := make([]games.State, batch), make([]games.Action, batch), make([]error, batch)
	for i := range states {
		states[i] = g.Start()
	}
	began, count := time.Now(), 0
	for time.Since(began) < least {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		for i, s := range states {
			if s.Turn() == games.Over {
				games.Copy(s, g.Start())
			}
			at := plain(s)
			if at.turn == games.Chance {
				a, err := games.Draw(s, r)
				if err != nil {
					return 0, err
				}
				actions[i] = a
				continue
			}
			actions[i] = at.actions[r.IntN(len(at.actions))]
		}
		g.Step(states, actions, errs)
		if err := errors.Join(errs...); err != nil {
			return 0, err
		}
		count += batch
	}
	return float64(count) / time.Since(began).Seconds(), nil
}
