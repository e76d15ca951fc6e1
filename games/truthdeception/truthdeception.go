// Package truthdeception holds Truth and Deception, a language game of
// TextArena on which SPIRAL (arXiv 2506.24119) tests what it has learned. Both
// players read two statements of which one is true; the deceiver is told which.
// They talk in turn, then the guesser picks one and wins if it is true.
//
// With about=world the statements are facts. The rules then hide nothing from
// a guesser who knows the facts: information states tell both statements, so
// that a table learns them by heart and wins always, and what the game tests is
// what a language model knows and whether talk can shake it. With about=coin
// the statements are on a coin that only the deceiver has seen. The talk then
// costs nothing and proves nothing, and the game's value is 0.
package truthdeception

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/internal/spec"
)

// What a seat may say. First and Second are also the guesses, so that their
// numbers are those of the statements.
const (
	Nothing games.Action = iota
	First
	Second
	Ask
	actions
)

const (
	deceiver     = 0
	guesser      = 1
	defaultTurns = 6
	maxTurns     = 20
)

func init() {
	games.Register(games.Rules{
		Name:    "truth_and_deception",
		Summary: "TextArena's game of two statements: a deceiver knows the true one, a guesser must find it",
		Params: []games.Param{
			{Name: "about", Default: "world", Help: "world: facts; coin: a coin that only the deceiver has seen"},
			{Name: "turns", Default: "6", Help: fmt.Sprintf("actions in all, the guess included, an even number from 2 to %d", maxTurns)},
		},
		Make: func(r *spec.Reader) (games.Game, error) {
			about := r.Choice("about", "world", "world", "coin")
			turns := r.Int("turns", defaultTurns, 2, maxTurns)
			if err := r.Err(); err != nil {
				return nil, err
			}
			if turns%2 != 0 {
				return nil, fmt.Errorf("truth_and_deception: turns=%d: expected an even number, so that the guesser has the last", turns)
			}
			return New(about == "coin", turns), nil
		},
	})
}

type game struct {
	info   games.Info
	pairs  [][2]string
	secret bool // the statements do not tell which of them is true
}

// New returns the game about the world's facts or a secret coin, over an even
// number of turns from 2 to 20.
func New(secret bool, turns int) games.Game {
	g := &game{pairs: world[:], secret: secret}
	name := spec.Spec{Name: "truth_and_deception"}
	if secret {
		g.pairs = coin[:]
		name.Args = append(name.Args, spec.Arg{Key: "about", Value: "coin"})
	}
	if turns != defaultTurns {
		name.Args = append(name.Args, spec.Arg{Key: "turns", Value: strconv.Itoa(turns)})
	}
	g.info = games.Info{
		Name:      name.String(),
		Seats:     2,
		Roles:     []string{"deceiver", "guesser"},
		Actions:   int(actions),
		MaxLength: turns,
		MinReturn: -1,
		MaxReturn: 1,
		Chance:    games.Listed,
		Hidden:    true,
		// own seat, which statement is true as far as known, the pair, every
		// action
		Tensor: []int{fixedTensor + len(g.pairs) + turns*int(actions)},
		Recall: true,
	}
	return g
}

const fixedTensor = 2 + 2

func (g *game) Info() games.Info { return g.info }

func (g *game) Start() games.State { return &state{game: g} }

// state is flat, so that a copy is an assignment.
type state struct {
	game   *game
	drawn  int8 // chance draws the pair, then which statement is true
	length int8 // player actions so far
	pair   int8
	truth  int8 // 0 or 1: statement 1 or 2 is true
	acts   [maxTurns]int8
	saying string
	said   [maxTurns]string // the words that went along with each action
}

func (s *state) Turn() games.Seat {
	switch {
	case s.drawn < 2:
		return games.Chance
	case int(s.length) == s.game.info.MaxLength:
		return games.Over
	}
	return games.Seat(s.length % 2)
}

// guessing says whether only the guess is left.
func (s *state) guessing() bool { return int(s.length) == s.game.info.MaxLength-1 }

// open returns the range of the legal actions, from the first to before the
// last.
func (s *state) open() (from, to games.Action) {
	switch {
	case s.drawn == 0:
		return 0, games.Action(len(s.game.pairs))
	case s.drawn == 1:
		return 0, 2
	case s.Turn() == games.Over:
		return 0, 0
	case s.guessing():
		return First, Second + 1
	}
	return 0, actions
}

func (s *state) Actions(dst []games.Action) []games.Action {
	for a, to := s.open(); a < to; a++ {
		dst = append(dst, a)
	}
	return dst
}

func (s *state) Odds(dst []float64) []float64 {
	if s.Turn() != games.Chance {
		return dst
	}
	_, n := s.open()
	for range n {
		dst = append(dst, 1/float64(n))
	}
	return dst
}

func (s *state) Apply(a games.Action) error {
	if from, to := s.open(); a < from || a >= to {
		return games.Illegal(s, a)
	}
	switch s.drawn {
	case 0:
		s.pair = int8(a)
		s.drawn++
	case 1:
		s.truth = int8(a)
		s.drawn++
	default:
		s.acts[s.length] = int8(a)
		s.said[s.length], s.saying = s.saying, ""
		s.length++
	}
	return nil
}

// Talk implements games.Talker.
func (s *state) Talk(text string) { s.saying = text }

// guess is the statement that was picked, 0 or 1, when the game is over.
func (s *state) guess() int8 { return s.acts[s.length-1] - int8(First) }

func (s *state) Returns(dst []float64) []float64 {
	switch {
	case s.Turn() != games.Over:
		return append(dst, 0, 0)
	case s.guess() == s.truth:
		return append(dst, -1, 1)
	}
	return append(dst, 1, -1)
}

func (s *state) Clone() games.State {
	c := *s
	return &c
}

func (s *state) CopyFrom(src games.State) { *s = *src.(*state) }

// knows says whether a seat can tell which statement is true: from its part,
// from the statements themselves, or from the result.
func (s *state) knows(seat games.Seat) bool {
	return s.drawn == 2 && (seat == deceiver || !s.game.secret || s.Turn() == games.Over)
}

// AppendKey writes the pair, the true statement, ? where it is hidden, and the
// actions: "17:2 1301". Before the draws it is empty.
func (s *state) AppendKey(dst []byte, seat games.Seat) []byte {
	if s.drawn < 2 {
		return dst
	}
	dst = append(strconv.AppendInt(dst, int64(s.pair), 10), ':')
	if s.knows(seat) {
		dst = append(dst, '1'+byte(s.truth))
	} else {
		dst = append(dst, '?')
	}
	dst = append(dst, ' ')
	for _, a := range s.acts[:s.length] {
		dst = append(dst, '0'+byte(a))
	}
	return dst
}

// Observe writes one-hot: the own seat, the true statement where the seat
// knows it, the pair, the actions.
func (s *state) Observe(seat games.Seat, dst []float32) {
	clear(dst)
	dst[seat] = 1
	if s.drawn < 2 {
		return
	}
	if s.knows(seat) {
		dst[2+s.truth] = 1
	}
	dst[fixedTensor+int(s.pair)] = 1
	acts := dst[fixedTensor+len(s.game.pairs):]
	for i, a := range s.acts[:s.length] {
		acts[i*int(actions)+int(a)] = 1
	}
}

// statement returns statement 0 or 1 as the players read it. Those on facts
// stand in the order that chance drew.
func (s *state) statement(i int8) string {
	if !s.game.secret {
		i ^= s.truth
	}
	return s.game.pairs[s.pair][i]
}

var talkNames = [actions]string{"Say nothing", "Claim 1", "Claim 2", "Ask a question"}

// Say names talk, guesses and draws in plain words.
func (s *state) Say(a games.Action) string {
	switch from, to := s.open(); {
	case s.Turn() == games.Chance && a >= from && a < to:
		if s.drawn == 0 {
			return fmt.Sprintf("pair %d", a)
		}
		return fmt.Sprintf("statement %d is true", a+1)
	case s.Turn() == games.Chance || a < 0 || a >= actions:
		return strconv.Itoa(int(a))
	}
	return s.name(int(s.length), a)
}

// name names an action of a turn: the last is the guess.
func (s *state) name(turn int, a games.Action) string {
	if turn == s.game.info.MaxLength-1 && (a == First || a == Second) {
		return fmt.Sprintf("Guess %d", a)
	}
	return talkNames[a]
}

func (s *state) Hear(text string) (games.Action, error) {
	n := int(actions)
	if s.Turn() == games.Chance {
		_, to := s.open()
		n = int(to)
	}
	return games.Hear(s, text, games.Ids(n))
}

func (s *state) Prompt(seat games.Seat) string {
	var b strings.Builder
	known := "they are about the world, and"
	if s.game.secret {
		known = "they are about a coin that only the deceiver has seen, and either is as likely;"
	}
	fmt.Fprintf(&b, `Truth and deception, for a deceiver (player 0) and a guesser (player 1). Both read two statements, 1 and 2. One is true and one is false: %s the deceiver is told which is true. They take turns, the deceiver first, %d actions in all. In each but the last a player may claim that statement 1 or statement 2 is true, ask the other a question, or say nothing, and may talk freely besides; the other reads it. A claim may be a lie. In the last action the guesser picks a statement. If it is the true one, the guesser wins (+1, the deceiver -1), else the deceiver (+1, the guesser -1).

You are player %d, the %s.
`, known, s.game.info.MaxLength, seat, s.game.info.Roles[seat])
	if s.drawn < 2 {
		b.WriteString("The statements are not drawn yet.\n" + games.Menu(s, seat))
		return b.String()
	}
	for i := range int8(2) {
		fmt.Fprintf(&b, "Statement %d: %s%s\n", i+1, s.statement(i), s.told(seat, i))
	}
	for i, a := range s.acts[:s.length] {
		player := fmt.Sprintf("Player %d", i%2)
		if i%2 == int(seat) {
			player = "You"
		}
		fmt.Fprintf(&b, "%d. %s: %s.", i+1, player, s.name(i, games.Action(a)))
		if s.said[i] != "" {
			fmt.Fprintf(&b, " %q", s.said[i])
		}
		b.WriteByte('\n')
	}
	if s.Turn() == seat {
		fmt.Fprintf(&b, "This is action %d of %d.\n", s.length+1, s.game.info.MaxLength)
	}
	b.WriteString(games.Menu(s, seat))
	return b.String()
}

// told marks a statement as true or false for those who are told.
func (s *state) told(seat games.Seat, i int8) string {
	switch {
	case seat == guesser && s.Turn() != games.Over:
		return ""
	case i == s.truth:
		return " (true)"
	}
	return " (false)"
}

var (
	_ games.State   = (*state)(nil)
	_ games.Copier  = (*state)(nil)
	_ games.Talker  = (*state)(nil)
	_ games.Speaker = (*state)(nil)
)
