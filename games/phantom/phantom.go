// Package phantom holds board games in which the other player's stones are
// hidden: phantom tic-tac-toe and dark hex. Whoever tries a cell that the other
// holds learns of that stone, and then moves again or, in the abrupt versions,
// has lost the turn. Ids, names, information states and returns are those of
// OpenSpiel's phantom_ttt and dark_hex, but for one thing: OpenSpiel's strings
// of dark_hex hold the number of all moves made, without when they were made.
// That is neither in its tensors nor in the game that is studied, and seats that
// knew it would forget what they knew; the states here leave it out.
package phantom

import (
	"fmt"
	"math/bits"
	"strconv"
	"strings"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/internal/spec"
)

// maxCells is how many cells a board may have: they fit into a word.
const maxCells = 64

// rules are what the two games differ in, and their parameters.
type rules struct {
	info       games.Info
	rows, cols int
	cells      int
	abrupt     bool // a try on the other's stone loses the turn
	reveal     bool // each seat is told whenever the other has moved
	draws      bool // a full board without a winner is a draw
	wins       func(stones uint64, seat games.Seat) bool
	name       func(seat games.Seat, cell int) string
	about      string // the rules in words
	hex        bool
}

// finish completes the description.
func (g *rules) finish(name spec.Spec) games.Game {
	n := g.rows * g.cols
	g.cells = n
	size := 3*n + n*n
	if g.reveal {
		size = 3*n + (2*n-1)*(n+1)
	}
	g.info = games.Info{
		Name: name.String(), Seats: 2, Roles: []string{"first", "second"}, Actions: n, MaxLength: 2*n - 1,
		MinReturn: -1, MaxReturn: 1, Hidden: true,
		// what the seat sees of the board (own stones, the other's, the rest),
		// then its moves in order, each a choice of a cell; where turns are
		// revealed also the other's, as turns only
		Tensor: []int{size}, Recall: true,
	}
	return g
}

func (g *rules) Info() games.Info { return g.info }

func (g *rules) Start() games.State { return &state{rules: g} }

// version reads what both games have as parameters.
func version(r *spec.Reader, classical, abrupt string) (isAbrupt, reveal bool, args []spec.Arg) {
	if isAbrupt = r.Choice("gameversion", classical, classical, abrupt) == abrupt; isAbrupt {
		args = append(args, spec.Arg{Key: "gameversion", Value: abrupt})
	}
	if reveal = r.Choice("obstype", "reveal-nothing", "reveal-nothing", "reveal-numturns") == "reveal-numturns"; reveal {
		args = append(args, spec.Arg{Key: "obstype", Value: "reveal-numturns"})
	}
	return isAbrupt, reveal, args
}

type state struct {
	rules  *rules
	stones [2]uint64
	known  [2]uint64 // by seat: stones of the other that it has met
	turn   int8
	won    int8 // 1 + the winner, 0 for none
	length uint8
	moves  [2*maxCells - 1]uint8 // tries in order: the cell, and seatBit where the second seat tried
}

const seatBit = 0x80

func (s *state) Turn() games.Seat { return games.Seat(s.turn) }

// open are the cells that a seat may try: those of which it knows nothing.
func (s *state) open(seat int8) uint64 {
	return (1<<s.rules.cells - 1) &^ (s.stones[seat] | s.known[seat])
}

func (s *state) Actions(dst []games.Action) []games.Action {
	if games.Seat(s.turn) == games.Over {
		return dst
	}
	for open := s.open(s.turn); open != 0; open &= open - 1 {
		dst = append(dst, games.Action(bits.TrailingZeros64(open)))
	}
	return dst
}

func (s *state) Odds(dst []float64) []float64 { return dst }

func (s *state) Apply(a games.Action) error {
	g := s.rules
	if games.Seat(s.turn) == games.Over || a < 0 || int(a) >= g.cells || s.open(s.turn)>>a&1 == 0 {
		return games.Illegal(s, a)
	}
	seat := s.turn & 1
	s.moves[s.length] = uint8(a) | uint8(seat)*seatBit
	s.length++
	stone := uint64(1) << a
	if s.stones[1-seat]&stone != 0 {
		s.known[seat] |= stone
		if g.abrupt {
			s.turn = 1 - seat
		}
		return nil
	}
	s.stones[seat] |= stone
	s.turn = 1 - seat
	switch {
	case g.wins(s.stones[seat], games.Seat(seat)):
		s.won, s.turn = 1+seat, int8(games.Over)
	case g.draws && bits.OnesCount64(s.stones[0]|s.stones[1]) == g.cells:
		s.turn = int8(games.Over)
	}
	return nil
}

func (s *state) Returns(dst []float64) []float64 {
	switch s.won {
	case 0:
		return append(dst, 0, 0)
	case 1:
		return append(dst, 1, -1)
	}
	return append(dst, -1, 1)
}

func (s *state) Clone() games.State {
	c := *s
	return &c
}

func (s *state) CopyFrom(src games.State) {
	from := src.(*state)
	s.rules, s.stones, s.known = from.rules, from.stones, from.known
	s.turn, s.won, s.length = from.turn, from.won, from.length
	copy(s.moves[:], from.moves[:from.length])
}

// passes is the effect of losing the turn.
const passes = 0x40

// Effect implements games.Concealer: the other notices stones, and in the
// abrupt versions whose turn it is; not which cell was tried in vain. Where
// turns are revealed it also notices how often, as in the abrupt versions.
func (s *state) Effect(a games.Action) int {
	switch {
	case s.stones[1-s.turn&1]>>a&1 == 0:
		return int(a)
	case s.rules.abrupt || s.rules.reveal:
		return passes
	}
	return games.NoEffect
}

// AppendCourse implements games.Concealer.
func (s *state) AppendCourse(dst []byte) []byte {
	for _, m := range s.moves[:s.length] {
		switch {
		case s.stones[m>>7]>>(m&^seatBit)&1 != 0:
			dst = append(dst, m)
		case s.rules.abrupt || s.rules.reveal:
			dst = append(dst, m&seatBit|passes)
		}
	}
	return dst
}

// AppendKey writes the board as the seat sees it, then its moves as seat,cell;
// where turns are revealed, the other's moves as seat,? and their number.
func (s *state) AppendKey(dst []byte, seat games.Seat) []byte {
	g := s.rules
	dst = s.appendView(dst, seat)
	if g.reveal {
		dst = strconv.AppendUint(dst, uint64(s.length), 10)
		dst = append(dst, '\n')
	}
	for _, m := range s.moves[:s.length] {
		who := games.Seat(m >> 7)
		if who != seat && !g.reveal {
			continue
		}
		dst = append(dst, '0'+byte(who), ',')
		if who == seat {
			dst = strconv.AppendUint(dst, uint64(m&^seatBit), 10)
		} else {
			dst = append(dst, '?')
		}
		dst = append(dst, ' ')
	}
	return dst
}

func (s *state) appendView(dst []byte, seat games.Seat) []byte {
	g := s.rules
	own, other := "xo"[seat], "ox"[seat]
	for cell := range g.cells {
		switch {
		case s.stones[seat]>>cell&1 != 0:
			dst = append(dst, own)
		case s.known[seat]>>cell&1 != 0:
			dst = append(dst, other)
		default:
			dst = append(dst, '.')
		}
		if cell%g.cols == g.cols-1 {
			dst = append(dst, '\n')
		}
	}
	return dst
}

// Observe writes what Info.Tensor lists.
func (s *state) Observe(seat games.Seat, dst []float32) {
	clear(dst)
	n := s.rules.cells
	for cell := range n {
		switch {
		case s.stones[seat]>>cell&1 != 0:
			dst[cell] = 1
		case s.known[seat]>>cell&1 != 0:
			dst[n+cell] = 1
		default:
			dst[2*n+cell] = 1
		}
	}
	turns := dst[3*n:]
	slot := 0
	for _, m := range s.moves[:s.length] {
		own := games.Seat(m>>7) == seat
		switch {
		case s.rules.reveal && own:
			turns[slot*(n+1)+int(m&^seatBit)] = 1
		case s.rules.reveal:
			turns[slot*(n+1)+n] = 1
		case own:
			turns[slot*n+int(m&^seatBit)] = 1
		default:
			continue
		}
		slot++
	}
}

// Board implements games.Drawer.
func (s *state) Board() games.Board {
	b := games.BoardOf(s.rules.rows, s.rules.cols, func(row, col int) string {
		switch cell := row*s.rules.cols + col; {
		case s.stones[0]>>cell&1 != 0:
			return "x"
		case s.stones[1]>>cell&1 != 0:
			return "o"
		}
		return ""
	})
	b.Slanted = s.rules.hex
	return b
}

// Say names a try by its cell.
func (s *state) Say(a games.Action) string {
	if a < 0 || int(a) >= s.rules.cells {
		return strconv.Itoa(int(a))
	}
	return s.rules.name(games.Seat(s.turn), int(a))
}

func (s *state) Hear(text string) (games.Action, error) {
	return games.Hear(s, text, games.Ids(s.rules.cells))
}

func (s *state) Prompt(seat games.Seat) string {
	g := s.rules
	var b strings.Builder
	b.WriteString(g.about)
	b.WriteString(" The other player's stones are hidden. If you try a cell that the other player holds, you learn of that stone and ")
	if g.abrupt {
		b.WriteString("your turn is over.")
	} else {
		b.WriteString("move again.")
	}
	fmt.Fprintf(&b, " A move is named as in %s, or by the cell's number in brackets, row by row from 0, as in [1].\n\nYou are player %d (%s) and play %c.\n", g.name(seat, 1), seat, g.info.Roles[seat], "xo"[seat])
	if games.Seat(s.turn) == games.Over {
		b.WriteString("The board:\n")
		s.draw(&b, s.stones[0], s.stones[1])
	} else {
		b.WriteString("What you know of the board:\n")
		both := [2]uint64{s.known[seat], s.known[seat]}
		both[seat] = s.stones[seat]
		s.draw(&b, both[0], both[1])
	}
	s.recall(&b, seat)
	b.WriteString(games.Menu(s, seat))
	return b.String()
}

// draw prints a board, each row of dark hex half a cell further to the right.
func (s *state) draw(b *strings.Builder, first, second uint64) {
	g := s.rules
	for row := range g.rows {
		if g.hex {
			b.WriteString(strings.Repeat(" ", row))
		}
		for col := range g.cols {
			cell, mark := row*g.cols+col, byte('.')
			switch {
			case first>>cell&1 != 0:
				mark = 'x'
			case second>>cell&1 != 0:
				mark = 'o'
			}
			if col > 0 {
				b.WriteByte(' ')
			}
			b.WriteByte(mark)
		}
		b.WriteByte('\n')
	}
}

// recall tells the moves that the seat knows of.
func (s *state) recall(b *strings.Builder, seat games.Seat) {
	var known []string
	for _, m := range s.moves[:s.length] {
		who := games.Seat(m >> 7)
		switch {
		case who == seat:
			known = append(known, s.rules.name(seat, int(m&^seatBit)))
		case s.rules.reveal:
			known = append(known, "(the other moved)")
		}
	}
	if len(known) > 0 {
		fmt.Fprintf(b, "Your moves so far: %s.\n", strings.Join(known, ", "))
	}
}
