// Package games holds the rules' interface and the registry of games. Each
// game is a sub-package; package games/standard registers those that come with
// Agon.
//
// A state holds no randomness: chance is a node like any other, and whoever
// runs the game draws. So one seed fixes a run, and a state can be copied
// without copying a generator. Simultaneous moves are played as hidden moves
// in sequence. Returns are paid at the end only.
package games

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
)

// Seat is the 0-based index of a player, or Chance or Over.
type Seat int

// Chance and Over are what State.Turn returns where no player is to move. The
// values are OpenSpiel's.
const (
	Chance Seat = -1
	Over   Seat = -4
)

// Action is the number of a move at a node. Games that OpenSpiel has use its
// numbers. Player actions lie in [0, Info.Actions); chance outcomes have
// numbers of their own.
type Action int32

// ChanceKind says how chance appears in a game.
type ChanceKind int

// A game has no chance, chance nodes that list their outcomes with odds, or
// chance nodes too wide to list that can only be sampled (see Sampler).
const (
	NoChance ChanceKind = iota
	Listed
	Sampled
)

// Info describes a game. It does not change while the game lives.
type Info struct {
	Name      string     // with the parameters that differ from their defaults: liars_dice(numdice=2)
	Origin    string     // by what New finds the game, where that is not Name: plugin:./nim
	Seats     int        // number of players; 1 in games of reasoning against a verifier
	Roles     []string   // the name of each seat's part, such as first, sneaky, critic
	Actions   int        // number of distinct player actions
	MaxLength int        // the most player actions in one episode
	MinReturn float64    // lower bound of a seat's return
	MaxReturn float64    // upper bound of a seat's return
	Sum       float64    // what the returns of all seats add up to; without meaning where there is one seat
	Chance    ChanceKind //
	Hidden    bool       // true where some seat cannot see everything
	Tensor    []int      // shape of what Observe writes; [planes, rows, columns] for boards
	Recall    bool       // true where the tensor tells all that the information state does (perfect recall)
	NoKeys    bool       // true where keys are empty: the rules cannot tell information states apart
}

// Spec is the text from which New builds the game again.
func (i Info) Spec() string {
	if i.Origin != "" {
		return i.Origin
	}
	return i.Name
}

// TensorSize is the number of values that Observe writes.
func (i Info) TensorSize() int {
	size := 1
	for _, d := range i.Tensor {
		size *= d
	}
	return size
}

// Game is a set of rules with its parameters fixed. It is immutable and safe
// for concurrent use.
type Game interface {
	Info() Info
	Start() State
}

// State is a node of a game. A state belongs to one goroutine at a time.
type State interface {
	// Turn returns who moves here: a seat, Chance or Over.
	Turn() Seat
	// Actions appends the legal actions, or the chance outcomes, in ascending
	// order. There is at least one unless the game is over.
	Actions(dst []Action) []Action
	// Odds appends the probabilities of the chance outcomes, parallel to
	// Actions. Away from a chance node it appends nothing.
	Odds(dst []float64) []float64
	// Apply plays an action. An illegal one is an error that wraps ErrIllegal
	// and changes nothing.
	Apply(Action) error
	// Returns appends the return of every seat: zeros before the end.
	Returns(dst []float64) []float64
	// Clone returns an independent copy.
	Clone() State
	// AppendKey appends the information state of a seat: equal for two
	// histories if and only if the seat cannot tell them apart. It is defined
	// at every node, for every seat.
	AppendKey(dst []byte, s Seat) []byte
	// Observe writes the tensor that a network in seat s sees. It overwrites
	// all of dst, which has Info.TensorSize values.
	Observe(s Seat, dst []float32)
}

// Copier is implemented by states that can be overwritten with another state
// of the same game without allocating. Playouts and tree walks use it.
type Copier interface {
	CopyFrom(State)
}

// Sampler is implemented by states of games whose Info.Chance is Sampled.
type Sampler interface {
	Sample(r *rand.Rand) Action
}

// Dice is implemented by states at whose chance nodes fair dice may fall. It
// saves random playouts from listing the outcomes and their odds.
type Dice interface {
	// Faces is n at a chance node whose outcomes are 0, 1, …, n-1, all as
	// likely, and 0 at every other node.
	Faces() int
}

// Positioned is implemented by states of games without hidden information
// whose future depends on less than their history. Two states with equal
// positions have the same legal continuations and returns, so a solver may
// treat them as one.
type Positioned interface {
	AppendPosition(dst []byte) []byte
}

// Speaker is a state that people and language models can play in text. All
// games that come with Agon are Speakers.
type Speaker interface {
	// Prompt tells seat s the rules, then what happened as far as s may know,
	// then what is open to it.
	Prompt(s Seat) string
	// Say names an action that is legal here, chance outcomes included. Names
	// are unique at a node. OpenSpiel's games use its action strings.
	Say(Action) string
	// Hear finds the last well-formed action in a text. Hear(Say(a)) is a for
	// every legal a. Where there is none, or the last one is illegal, the
	// error says what was found and what is open.
	Hear(text string) (Action, error)
}

// Talker is a state whose seats may talk freely beside their actions. The
// words go along with the next Apply: the other seats' prompts show them, and
// no key or tensor holds them.
type Talker interface {
	Talk(text string)
}

// Open is implemented by states whose actions cannot be listed. Propose makes
// text an action of this node (same text, same action); Actions lists only
// what was proposed so far.
type Open interface {
	Propose(text string) (Action, error)
}

// Drawer is implemented by states that are drawn as a board. It shows all,
// hidden stones included.
type Drawer interface {
	Board() Board
}

// Board is what a board looks like.
type Board struct {
	// Cells holds the marks by row, from the top, and column: "" for nothing,
	// x and o for the seats' stones, any other short text as it is.
	Cells [][]string
	// Slanted boards are of hexagons: each row begins half a cell further to
	// the right than the one above.
	Slanted bool
}

// BoardOf fills a board of the given size, row 0 at the top.
func BoardOf(rows, columns int, mark func(row, column int) string) Board {
	b := Board{Cells: make([][]string, rows)}
	for r := range b.Cells {
		b.Cells[r] = make([]string, columns)
		for c := range b.Cells[r] {
			b.Cells[r][c] = mark(r, c)
		}
	}
	return b
}

// NoEffect is the effect of an action that nobody but its seat can notice.
const NoEffect = -1

// Concealer is implemented by states of two-seat games without chance in which
// seats learn by tries that the other does not see. What a seat tries in vain
// must not change what the other can do, sees, or tries in vain. Exact methods
// then need not pair every information state of one seat with every one of the
// other, but only with the courses of the game that it allows.
type Concealer interface {
	// Effect tells what the other seat may ever notice of a legal action: the
	// same number for actions that are the same to it, NoEffect where it is as
	// if nothing had happened.
	Effect(a Action) int
	// AppendCourse appends the effects of the actions so far, in order: equal
	// for two histories that differ only in what was tried in vain.
	AppendCourse(dst []byte) []byte
}

// Contest is implemented by two-seat zero-sum games in which each seat gives a whole
// answer, unseen by the other, and what it earns depends on the two answers alone,
// not on the seats. Such a game has a pair of answers for every end, but all of it
// can be computed from one vector for each seat: how probable each answer is.
type Contest interface {
	Game
	// Answers is how many different answers a seat can give.
	Answers() int
	// Answer returns the actions that give answer i, in order; Number is its inverse.
	Answer(i int) []Action
	Number(actions []Action) int
	// Score is what answer i earns against answer j, from -1 to 1.
	Score(i, j int) float64
	// Earnings overwrites dst[i] with what answer i earns on average against an
	// opponent who gives answer j with probability opponent[j].
	Earnings(dst, opponent []float64)
}

// ErrIllegal is wrapped by the error of Apply for an action that is not legal.
var ErrIllegal = errors.New("illegal action")

// ErrLost is wrapped by errors of games whose rules gave no answer, such as a
// plugin that keeps crashing. It says nothing about the action: the game is void,
// and nobody has lost it.
var ErrLost = errors.New("the game was lost")

// Stepper is implemented by games for which it is cheaper to play many actions
// at once.
type Stepper interface {
	// Step applies actions[i] to states[i] and writes what Apply would return to
	// errs[i], for all i. The states are different ones.
	Step(states []State, actions []Action, errs []error)
}

// Foreseer is implemented by games that are slow to ask about one state at a
// time, and that can ask about all of them before a walk through the whole game.
type Foreseer interface {
	// Foresee gets what so many histories will show, shortest first, as far as
	// there is room for it. What it does not get is asked for when it is needed.
	Foresee(ctx context.Context, histories int) error
}

// Step applies actions[i] to states[i], for all i, and writes what Apply returns
// to errs[i].
func Step(g Game, states []State, actions []Action, errs []error) {
	if stepper, ok := g.(Stepper); ok {
		stepper.Step(states, actions, errs)
		return
	}
	for i, s := range states {
		errs[i] = s.Apply(actions[i])
	}
}

// Illegal returns the error that Apply gives for an action that is not among
// the legal ones of s.
func Illegal(s State, a Action) error {
	if s.Turn() == Over {
		return fmt.Errorf("%w %d: the game is over", ErrIllegal, a)
	}
	return fmt.Errorf("%w %d: legal here are %v", ErrIllegal, a, s.Actions(nil))
}

// Key returns the information state of a seat as a string.
func Key(s State, seat Seat) string { return string(s.AppendKey(nil, seat)) }

// Say names an action in text: by the state's own words where it is a Speaker,
// else by its number.
func Say(s State, a Action) string {
	if speaker, ok := s.(Speaker); ok {
		return speaker.Say(a)
	}
	return strconv.Itoa(int(a))
}

// Copy overwrites dst with src and returns it where the state can do that;
// otherwise, or where dst is nil, it returns a clone of src.
func Copy(dst, src State) State {
	if c, ok := dst.(Copier); ok {
		c.CopyFrom(src)
		return dst
	}
	return src.Clone()
}

// Draw draws an outcome at a chance node.
func Draw(s State, r *rand.Rand) (Action, error) {
	if sampler, ok := s.(Sampler); ok {
		return sampler.Sample(r), nil
	}
	actions := s.Actions(nil)
	odds := s.Odds(nil)
	if len(actions) == 0 || len(odds) != len(actions) {
		return 0, fmt.Errorf("a chance node with %d outcomes has %d odds", len(actions), len(odds))
	}
	x := r.Float64()
	for i, p := range odds {
		if x -= p; x < 0 {
			return actions[i], nil
		}
	}
	return actions[len(actions)-1], nil
}
