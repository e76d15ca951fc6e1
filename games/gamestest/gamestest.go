// Package gamestest checks that a game keeps the promises of package games.
// Built-in games run it in their tests, plugins through `agon plugin check`:
//
//	func TestConformance(t *testing.T) {
//		gamestest.Run(t, chess.New(), gamestest.Options{})
//	}
//
// The battery enumerates histories, shortest first, and plays seeded random
// games. What it finds is reported with the shortest history it knows of.
package gamestest

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/internal/spec"
)

// Options says how thorough a check is. The zero value is thorough enough for
// any small game and takes seconds.
type Options struct {
	Seed  uint64 // of the random games
	Nodes int    // how many histories to enumerate, shortest first; 10000 where zero
	Walks int    // how many random games to play to the end; 50 where zero
}

func (o Options) withDefaults() Options {
	if o.Nodes == 0 {
		o.Nodes = 10000
	}
	if o.Walks == 0 {
		o.Walks = 50
	}
	return o
}

// Run fails the test with the first broken promise that Check finds. It also
// demands what every game that comes with Agon has: that its states are
// Speakers and that its name builds it again.
func Run(t *testing.T, game games.Game, o Options) {
	t.Helper()
	if err := Check(game, o); err != nil {
		t.Fatal(err)
	}
	info := game.Info()
	if _, ok := game.Start().(games.Speaker); !ok {
		t.Fatalf("%s: its states are no games.Speaker", info.Name)
	}
	again, err := games.New(info.Name)
	if err != nil {
		t.Fatalf("the name %q does not build the game again: %v", info.Name, err)
	}
	if !reflect.DeepEqual(again.Info(), info) {
		t.Fatalf("the name %q builds another game: %+v, expected %+v", info.Name, again.Info(), info)
	}
}

// Check returns the first promise of package games that the game breaks, or
// nil. A panic inside the game is reported as an error too.
func Check(game games.Game, o Options) error {
	o = o.withDefaults()
	if err := checkInfo(game); err != nil {
		return err
	}
	c := &checker{game: game, info: game.Info(), random: rand.New(rand.NewPCG(o.Seed, 0)), book: newBook()}
	if err := c.enumerate(o.Nodes); err != nil {
		return c.report(err)
	}
	for range o.Walks {
		if err := c.walk(); err != nil {
			return c.report(err)
		}
	}
	return nil
}

// checker carries one check. The random generator decides which actions and
// clones are looked at where there are too many for all.
type checker struct {
	game   games.Game
	info   games.Info
	random *rand.Rand
	book   *book
}

// node is a history with the state it leads to.
type node struct {
	state   games.State
	history []games.Action
	turns   int      // player actions in history
	own     []uint64 // by seat, a hash of the keys at its turns and its actions
}

// failure is a broken promise at the end of a history. A local one shows at
// the node alone; others also need the nodes seen before.
type failure struct {
	history []games.Action
	local   bool
	err     error
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

func checkInfo(game games.Game) (err error) {
	defer recoverTo(&err)
	info := game.Info()
	if !reflect.DeepEqual(info, game.Info()) {
		return fmt.Errorf("%s: Info differs between two calls", info.Name)
	}
	if s, err := spec.Parse(info.Name); err != nil {
		return fmt.Errorf("Info.Name: %w", err)
	} else if s.Name == "" {
		return errors.New("Info.Name is empty")
	}
	broken := func(format string, args ...any) error {
		return fmt.Errorf("%s: Info.%s", info.Name, fmt.Sprintf(format, args...))
	}
	switch {
	case info.Seats < 1:
		return broken("Seats is %d, expected 1 or more", info.Seats)
	case len(info.Roles) != info.Seats:
		return broken("Roles has %d names, expected one for each of the %d seats", len(info.Roles), info.Seats)
	case slices.Contains(info.Roles, "") || len(slices.Compact(slices.Sorted(slices.Values(info.Roles)))) != info.Seats:
		return broken("Roles is %q, expected names that differ and are not empty", info.Roles)
	case info.Actions < 1:
		return broken("Actions is %d, expected 1 or more", info.Actions)
	case info.MaxLength < 1:
		return broken("MaxLength is %d, expected 1 or more", info.MaxLength)
	case !(info.MinReturn <= info.MaxReturn) || math.IsInf(info.MinReturn, 0) || math.IsInf(info.MaxReturn, 0):
		return broken("MinReturn is %g and MaxReturn %g, expected finite bounds in order", info.MinReturn, info.MaxReturn)
	case slices.ContainsFunc(info.Tensor, func(d int) bool { return d < 1 }):
		return broken("Tensor is %v, expected positive dimensions", info.Tensor)
	}
	return nil
}

func recoverTo(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("panic: %v", r)
	}
}

func (c *checker) root() node {
	return node{state: c.game.Start(), own: make([]uint64, c.info.Seats)}
}

// enumerate checks histories breadth first until limit of them are seen.
func (c *checker) enumerate(limit int) (err error) {
	queue := []node{c.root()}
	for seen := 0; len(queue) > 0 && seen < limit; seen++ {
		n := queue[0]
		queue = queue[1:]
		if err := c.check(n); err != nil {
			return err
		}
		if _, sampled := n.state.(games.Sampler); sampled && n.state.Turn() == games.Chance {
			continue
		}
		if len(queue)+seen >= limit {
			continue
		}
		for _, a := range n.state.Actions(nil) {
			child, err := c.child(n, n.state.Clone(), a)
			if err != nil {
				return err
			}
			queue = append(queue, child)
		}
	}
	return nil
}

// walk plays one random game to its end and checks every node. A clone taken
// at the start of a random turn must be untouched when the game is over.
func (c *checker) walk() error {
	n := c.root()
	var kept node
	var before view
	for {
		if err := c.check(n); err != nil {
			return err
		}
		if kept.state == nil || c.random.IntN(4) == 0 {
			kept = node{state: n.state.Clone(), history: n.history}
			before = glance(kept.state, c.info)
		}
		a, ok := c.choose(n.state)
		if !ok {
			break
		}
		child, err := c.child(n, n.state, a)
		if err != nil {
			return err
		}
		n = child
	}
	if what := before.differs(glance(kept.state, c.info)); what != "" {
		return &failure{history: kept.history, err: fmt.Errorf("a clone changed while the state it was taken from was played on: %s", what)}
	}
	return nil
}

// choose draws uniformly from the legal actions, or from chance by its odds.
// There is nothing to choose at the end, and where actions must be proposed.
func (c *checker) choose(s games.State) (games.Action, bool) {
	switch s.Turn() {
	case games.Over:
		return 0, false
	case games.Chance:
		a, err := games.Draw(s, c.random)
		return a, err == nil
	}
	actions := s.Actions(nil)
	if len(actions) == 0 {
		return 0, false
	}
	return actions[c.random.IntN(len(actions))], true
}

// child plays a legal action on state, which holds what n.state does.
func (c *checker) child(n node, state games.State, a games.Action) (child node, err error) {
	history := append(slices.Clone(n.history), a)
	defer func() {
		if err != nil {
			err = &failure{history: n.history, local: true, err: err}
		}
	}()
	defer recoverTo(&err)
	child = node{state: state, history: history, turns: n.turns, own: n.own}
	if seat := state.Turn(); seat >= 0 {
		child.turns++
		child.own = slices.Clone(n.own)
		child.own[seat] = hash(n.own[seat], state.AppendKey(nil, seat), a)
	}
	if err := state.Apply(a); err != nil {
		return child, fmt.Errorf("the legal action %d is refused: %w", a, err)
	}
	return child, nil
}

// check checks one node by itself, then against the nodes seen before.
func (c *checker) check(n node) error {
	if err := c.local(n); err != nil {
		return &failure{history: n.history, local: true, err: err}
	}
	if c.info.NoKeys {
		return nil
	}
	if err := c.compare(n); err != nil {
		return &failure{history: n.history, err: err}
	}
	return nil
}

func (c *checker) compare(n node) (err error) {
	defer recoverTo(&err)
	return c.book.compare(n, c.info)
}

// report shortens the history of a local failure as far as it can and says
// where it is.
func (c *checker) report(err error) error {
	var f *failure
	if !errors.As(err, &f) {
		return fmt.Errorf("%s: %w", c.info.Name, err)
	}
	if f.local {
		f = c.shorten(f)
	}
	return fmt.Errorf("%s, %s: %w", c.info.Name, c.tell(f.history), f.err)
}

func (c *checker) shorten(f *failure) *failure {
	Shorten(f.history, func(history []games.Action) []games.Action {
		shorter := c.replay(history)
		if shorter == nil {
			return nil
		}
		f = shorter
		return append([]games.Action{}, f.history...)
	})
	return f
}

// Shorten leaves actions out of a history, one at a time and then two, for as long
// as what is left still shows a failure: fails returns how much of it does that, or
// nil.
func Shorten(history []games.Action, fails func(history []games.Action) []games.Action) []games.Action {
	const most = 2000
	for tries := 0; tries < most; {
		shorter := without(history, func(left []games.Action) []games.Action {
			if tries++; tries > most {
				return nil
			}
			return fails(left)
		})
		if shorter == nil {
			break
		}
		history = shorter
	}
	return history
}

// mostPairs is how long a history may be for two actions to be left out of it
// where no single one can be: in a game of two seats, a move of each.
const mostPairs = 24

func without(history []games.Action, fails func([]games.Action) []games.Action) []games.Action {
	for i := len(history) - 1; i >= 0; i-- {
		if shorter := fails(slices.Delete(slices.Clone(history), i, i+1)); shorter != nil {
			return shorter
		}
	}
	if len(history) > mostPairs {
		return nil
	}
	for i := len(history) - 1; i >= 0; i-- {
		for j := i - 1; j >= 0; j-- {
			left := slices.Delete(slices.Clone(history), i, i+1)
			if shorter := fails(slices.Delete(left, j, j+1)); shorter != nil {
				return shorter
			}
		}
	}
	return nil
}

// replay plays a history and returns the first broken promise on its way, or
// nil where the history is not a legal one.
func (c *checker) replay(history []games.Action) *failure {
	n := c.root()
	for i := 0; ; i++ {
		if err := c.local(n); err != nil {
			return &failure{history: n.history, local: true, err: err}
		}
		if i == len(history) || !slices.Contains(n.state.Actions(nil), history[i]) {
			return nil
		}
		child, err := c.child(n, n.state, history[i])
		if err != nil {
			var f *failure
			errors.As(err, &f)
			return f
		}
		n = child
	}
}

// tell writes a history with the names of its actions.
func (c *checker) tell(history []games.Action) (text string) {
	if len(history) == 0 {
		return "at the start"
	}
	defer func() {
		if recover() != nil {
			text = fmt.Sprintf("after actions %v", history)
		}
	}()
	names := make([]string, len(history))
	s := c.game.Start()
	for i, a := range history {
		names[i] = games.Say(s, a)
		if err := s.Apply(a); err != nil {
			break
		}
	}
	return fmt.Sprintf("after actions %v (%s)", history, strings.Join(names, ", "))
}
