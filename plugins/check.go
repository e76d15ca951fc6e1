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
	raw := &rawCheck{game: g, twin: twin, random: rand.New(rand.NewPCG(how.Seed, 0))}
	note(raw.run(ctx, how))
	if raw.slow != nil {
		result.Notes = append(result.Notes, fmt.Sprintf("slow: %s, %s: %v", g.info.Name, tell(g, raw.slow.history), raw.slow))
	}
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
	slow       *rawError // the first slow call
}

// slowCall is how long a call for one state may take before it is worth a note,
// and mostSeeds how many outcomes of chance that cannot be listed are looked at.
const (
	slowCall  = 50 * time.Millisecond
	mostSeeds = 3
)

// rawError is a promise that a plugin breaks at the end of a history.
type rawError struct {
	history []games.Action
	err     error
}

func (f *rawError) Error() string { return f.err.Error() }
func (f *rawError) Unwrap() error { return f.err }

// run looks at histories, shortest first, then at random games.
func (c *rawCheck) run(ctx context.Context, how CheckOptions) error {
	err := c.enumerate(ctx, how.Histories)
	for walk := 0; err == nil && walk < how.Walks; walk++ {
		if err = ctx.Err(); err == nil {
			err = c.shorten(c.walk(c.atRandom))
		}
	}
	var f *rawError
	if errors.As(err, &f) {
		return fmt.Errorf("%s, %s: %w", c.game.info.Name, tell(c.game, f.history), f.err)
	}
	return err
}

func (c *rawCheck) enumerate(ctx context.Context, limit int) error {
	type ply struct {
		history []games.Action
		at      view
	}
	queue := []ply{{nil, c.game.start}}
	for seen := 0; len(queue) > 0 && seen < limit; seen++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		p := queue[0]
		queue = queue[1:]
		if err := c.at(p.history, p.at); err != nil {
			return err
		}
		for _, a := range c.choices(p.at) {
			next, err := c.next(p.history, p.at, a)
			if err != nil {
				return err
			}
			if len(queue)+seen < limit {
				queue = append(queue, ply{append(slices.Clone(p.history), a), next})
			}
		}
	}
	return nil
}

// choices are what can be played in a state; where chance cannot be listed, a few
// of its outcomes.
func (c *rawCheck) choices(at view) []games.Action {
	if at.turn != games.Chance || c.game.info.Chance != games.Sampled {
		return at.actions
	}
	var out []games.Action
	for range mostSeeds {
		s := state{game: c.game, view: at}
		out = append(out, s.sample(c.random))
	}
	return out
}

// atRandom draws what a walk plays next.
func (c *rawCheck) atRandom(_ int, at view) (games.Action, bool) {
	choices := c.choices(at)
	if len(choices) == 0 {
		return 0, false
	}
	return choices[c.random.IntN(len(choices))], true
}

// walk plays what choose says until that says no more.
func (c *rawCheck) walk(choose func(ply int, at view) (games.Action, bool)) error {
	var history []games.Action
	for at := c.game.start; ; {
		a, ok := choose(len(history), at)
		if !ok {
			return nil
		}
		next, err := c.next(history, at, a)
		if err != nil {
			return err
		}
		history, at = append(history, a), next
	}
}

// shorten makes the history of what a walk found as short as it can.
func (c *rawCheck) shorten(found error) error {
	var f *rawError
	if !errors.As(found, &f) {
		return found
	}
	gamestest.Shorten(f.history, func(history []games.Action) []games.Action {
		var shorter *rawError
		if c.game.host.err() != nil || !errors.As(c.walk(c.script(history)), &shorter) {
			return nil
		}
		f = shorter
		return f.history
	})
	return f
}

// script plays a history for as long as it is legal.
func (c *rawCheck) script(history []games.Action) func(int, view) (games.Action, bool) {
	return func(ply int, at view) (games.Action, bool) {
		if ply == len(history) {
			return 0, false
		}
		_, legal := slices.BinarySearch(at.actions, history[ply])
		return history[ply], legal || at.turn == games.Chance && c.game.info.Chance == games.Sampled
	}
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
	longer := append(slices.Clone(history), a)
	fails := func(format string, args ...any) (view, error) {
		return view{}, &rawError{longer, fmt.Errorf(format, args...)}
	}
	views, again := make([]view, 1), make([]view, 1)
	began := time.Now()
	first, err := c.ask(c.game, request(at, a, want), views)
	if took := time.Since(began); took > slowCall && c.slow == nil {
		c.slow = &rawError{longer, fmt.Errorf("a call for one state took %v", took.Round(time.Millisecond))}
	}
	if err != nil {
		return fails("%w", err)
	}
	if views[0].failure != "" {
		return view{}, &rawError{history, fmt.Errorf("the legal action %d is refused: %s", a, views[0].failure)}
	}
	second, err := c.ask(c.game, request(at, a, want), again)
	if err != nil {
		return fails("%w", err)
	}
	if !proto.Equal(first, second) {
		return fails("the same call gives another answer the second time: the plugin keeps something that is not in the state's bytes, or draws random numbers: %s", differs(views[0], again[0]))
	}
	other, err := c.ask(c.twin, request(at, a, want), again)
	if err != nil {
		return fails("another process of the plugin: %w", err)
	}
	if !proto.Equal(first, other) {
		return fails("another process of the plugin gives another answer: the state's bytes do not restore the state: %s", differs(views[0], again[0]))
	}
	return views[0], nil
}

// ask makes one call. A wrong answer is an error and does not end the check: the
// host is not told of it.
func (c *rawCheck) ask(g *Game, in *protocol.StepRequest, views []view) (out *protocol.StepReply, err error) {
	in.Params = g.params
	var wrong error
	err = g.host.call(func(ctx context.Context, client client) error {
		if out, err = client.Step(ctx, in); err != nil {
			return err
		}
		wrong = unpack(g.info, g.description.Open, in, out, views)
		return nil
	})
	return out, errors.Join(err, wrong)
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
			return &rawError{history, fmt.Errorf("offered the illegal action %d: %w", a, err)}
		}
		if views[0].failure == "" {
			return &rawError{history, fmt.Errorf("the action %d is not among the legal %v and is not refused", a, at.actions)}
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
// length up to a number, then random ones, and returns the shortest history that
// it finds after which they differ in turn, legal actions, odds or returns; ""
// where they never do.
func Compare(ctx context.Context, game, reference games.Game, how CheckOptions) (string, error) {
	a, b := game.Info(), reference.Info()
	switch {
	case a.Seats != b.Seats:
		return fmt.Sprintf("%d seats, not %d", a.Seats, b.Seats), nil
	case a.Seats > 1 && a.Sum != b.Sum:
		return fmt.Sprintf("returns sum to %g, not %g", a.Sum, b.Sum), nil
	}
	c := comparison{game, reference}
	if what, err := c.enumerate(ctx, how.Histories); what != nil || err != nil {
		return c.tell(what), err
	}
	r := rand.New(rand.NewPCG(how.Seed, 1))
	for range how.Walks {
		found, err := c.walk(func(p pair) (games.Action, bool) {
			if p.y.Turn() == games.Chance {
				a, err := games.Draw(p.y, r)
				return a, err == nil
			}
			actions := p.y.Actions(nil)
			if len(actions) == 0 {
				return 0, false
			}
			return actions[r.IntN(len(actions))], true
		})
		if err != nil {
			return "", err
		}
		if found == nil {
			continue
		}
		gamestest.Shorten(found.history, func(history []games.Action) []games.Action {
			shorter, err := c.walk(func(p pair) (games.Action, bool) {
				if len(p.history) == len(history) {
					return 0, false
				}
				a := history[len(p.history)]
				_, legal := slices.BinarySearch(p.y.Actions(nil), a)
				return a, legal || p.y.Turn() == games.Chance && reference.Info().Chance == games.Sampled
			})
			if err != nil || shorter == nil {
				return nil
			}
			found = shorter
			return found.history
		})
		return c.tell(found), nil
	}
	return "", nil
}

// comparison plays two games side by side.
type comparison struct{ game, reference games.Game }

// pair is a state of each, after the same history, and in what they differ.
type pair struct {
	x, y    games.State
	history []games.Action
	what    string
}

func (c comparison) start() pair {
	p := pair{x: c.game.Start(), y: c.reference.Start()}
	p.what = sideBySide(p.x, p.y)
	return p
}

func (p pair) step(action games.Action) (pair, error) {
	next := pair{x: p.x.Clone(), y: p.y.Clone(), history: append(slices.Clone(p.history), action)}
	err := errors.Join(next.x.Apply(action), next.y.Apply(action))
	if err == nil {
		next.what = sideBySide(next.x, next.y)
	}
	return next, err
}

// tell says where two games differ; "" where they do not.
func (c comparison) tell(p *pair) string {
	if p == nil {
		return ""
	}
	return tell(c.reference, p.history) + ": " + p.what
}

// enumerate returns the shortest history, of so many, after which they differ.
func (c comparison) enumerate(ctx context.Context, limit int) (*pair, error) {
	queue := []pair{c.start()}
	for seen := 0; len(queue) > 0 && seen < limit; seen++ {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		p := queue[0]
		queue = queue[1:]
		if p.what != "" {
			return &p, nil
		}
		for _, action := range p.y.Actions(nil) {
			if len(queue)+seen >= limit {
				break
			}
			next, err := p.step(action)
			if err != nil {
				return nil, err
			}
			queue = append(queue, next)
		}
	}
	return nil, nil
}

// walk plays what choose says, until they differ, or the games are over, or choose
// says no more.
func (c comparison) walk(choose func(pair) (games.Action, bool)) (*pair, error) {
	for p := c.start(); ; {
		switch {
		case p.what != "":
			return &p, nil
		case p.y.Turn() == games.Over:
			return nil, nil
		}
		action, ok := choose(p)
		if !ok {
			return nil, nil
		}
		var err error
		if p, err = p.step(action); err != nil {
			return nil, err
		}
	}
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
