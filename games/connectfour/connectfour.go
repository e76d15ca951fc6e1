// Package connectfour holds connect four on boards of any size that fits into
// 64 bits. Ids, names, information states and returns are those of OpenSpiel's
// connect_four. On the usual board of 6 rows and 7 columns the first player
// wins by starting in the centre (Allis 1988).
package connectfour

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/internal/spec"
)

// A column takes rows+1 bits, the topmost always empty, so that no line of
// stones runs over the edge.
const maxBits = 64

func init() {
	games.Register(games.Rules{
		Name:    "connect_four",
		Summary: "Connect four: stones fall into columns, four in a row win",
		Params: []games.Param{
			{Name: "rows", Default: "6", Help: "rows of the board; (rows+1)*columns is 64 at most"},
			{Name: "columns", Default: "7", Help: "columns of the board"},
			{Name: "x_in_row", Default: "4", Help: "stones in a row that win"},
		},
		Make: func(r *spec.Reader) (games.Game, error) {
			rows := r.Int("rows", 6, 1, maxBits)
			columns := r.Int("columns", 7, 1, maxBits)
			inRow := r.Int("x_in_row", 4, 1, maxBits)
			if err := r.Err(); err != nil {
				return nil, err
			}
			return New(rows, columns, inRow)
		},
	})
}

type game struct {
	info                 games.Info
	rows, columns, inRow int
	first                uint64 // the lowest cell of every column
	board                uint64 // all cells
}

// New returns connect four where inRow stones in a row win. It refuses boards
// with more than 64 of (rows+1)*columns.
func New(rows, columns, inRow int) (games.Game, error) {
	if rows < 1 || columns < 1 || inRow < 1 || rows >= maxBits || columns > maxBits || (rows+1)*columns > maxBits {
		return nil, fmt.Errorf("connect_four: rows=%d, columns=%d, x_in_row=%d: expected positive numbers with (rows+1)*columns at most %d", rows, columns, inRow, maxBits)
	}
	name := spec.Spec{Name: "connect_four"}
	for _, p := range []struct {
		key             string
		value, fallback int
	}{{"rows", rows, 6}, {"columns", columns, 7}, {"x_in_row", inRow, 4}} {
		if p.value != p.fallback {
			name.Args = append(name.Args, spec.Arg{Key: p.key, Value: strconv.Itoa(p.value)})
		}
	}
	g := &game{rows: rows, columns: columns, inRow: inRow, info: games.Info{
		Name:      name.String(),
		Seats:     2,
		Roles:     []string{"first", "second"},
		Actions:   columns,
		MaxLength: rows * columns,
		MinReturn: -1,
		MaxReturn: 1,
		// own stones, the other's stones, empty cells
		Tensor: []int{3, rows, columns},
	}}
	for c := range columns {
		g.first |= 1 << (c * (rows + 1))
		g.board |= (1<<rows - 1) << (c * (rows + 1))
	}
	return g, nil
}

func (g *game) Info() games.Info { return g.info }

func (g *game) Start() games.State { return &state{game: g} }

// wins tells whether stones hold enough in a row in any direction: a set that
// is shifted onto itself inRow-1 times and not empty has such a line.
func (g *game) wins(stones uint64) bool {
	up := g.rows + 1
	for _, step := range [...]int{1, up - 1, up, up + 1} {
		line := stones
		for range g.inRow - 1 {
			line = stones & (line >> step)
		}
		if line != 0 {
			return true
		}
	}
	return false
}

type state struct {
	game   *game
	boards [2]uint64 // stones of each seat; bit column*(rows+1)+row, row 0 lowest
	turn   int8
	won    bool // by the seat that moved last
	length uint8
	moves  [maxBits]uint8
}

func (s *state) Turn() games.Seat { return games.Seat(s.turn) }

func (s *state) Actions(dst []games.Action) []games.Action {
	if games.Seat(s.turn) == games.Over {
		return dst
	}
	g := s.game
	filled := s.boards[0] | s.boards[1]
	top := uint64(1) << (g.rows - 1)
	for column := range g.columns {
		if filled&top == 0 {
			dst = append(dst, games.Action(column))
		}
		top <<= g.rows + 1
	}
	return dst
}

func (s *state) Odds(dst []float64) []float64 { return dst }

func (s *state) Apply(a games.Action) error {
	g := s.game
	if games.Seat(s.turn) == games.Over || a < 0 || int(a) >= g.columns {
		return games.Illegal(s, a)
	}
	// Adding a bit at the column's foot carries over its stones to the lowest
	// empty cell.
	filled := s.boards[0] | s.boards[1]
	foot := int(a) * (g.rows + 1)
	stone := (filled + 1<<foot) & g.board &^ filled & ((1<<g.rows - 1) << foot)
	if stone == 0 {
		return games.Illegal(s, a)
	}
	mine := &s.boards[s.turn&1]
	*mine |= stone
	s.moves[s.length] = uint8(a)
	s.length++
	s.turn ^= 1
	s.won = g.wins(*mine)
	if s.won || int(s.length) == g.info.MaxLength {
		s.turn = int8(games.Over)
	}
	return nil
}

func (s *state) Returns(dst []float64) []float64 {
	switch {
	case !s.won:
		return append(dst, 0, 0)
	case s.length&1 == 1:
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
	s.game, s.boards, s.turn, s.won, s.length = from.game, from.boards, from.turn, from.won, from.length
	copy(s.moves[:], from.moves[:from.length])
}

// AppendKey writes the columns played so far, which both seats see: 3, 3, 2.
func (s *state) AppendKey(dst []byte, _ games.Seat) []byte {
	for i, move := range s.moves[:s.length] {
		if i > 0 {
			dst = append(dst, ", "...)
		}
		dst = strconv.AppendUint(dst, uint64(move), 10)
	}
	return dst
}

// AppendPosition writes the two boards.
func (s *state) AppendPosition(dst []byte) []byte {
	dst = binary.LittleEndian.AppendUint64(dst, s.boards[0])
	return binary.LittleEndian.AppendUint64(dst, s.boards[1])
}

// Observe writes three planes of rows by columns, the lowest row first: the
// seat's own stones, the other's stones, empty cells.
func (s *state) Observe(seat games.Seat, dst []float32) {
	clear(dst)
	g := s.game
	mine, other := s.boards[seat], s.boards[1-seat]
	plane := g.rows * g.columns
	for row := range g.rows {
		for column := range g.columns {
			cell, bit := row*g.columns+column, column*(g.rows+1)+row
			switch {
			case mine>>bit&1 != 0:
				dst[cell] = 1
			case other>>bit&1 != 0:
				dst[plane+cell] = 1
			default:
				dst[2*plane+cell] = 1
			}
		}
	}
}

// Board implements games.Drawer.
func (s *state) Board() games.Board {
	g := s.game
	return games.BoardOf(g.rows, g.columns, func(row, column int) string {
		bit := column*(g.rows+1) + g.rows - 1 - row
		switch {
		case s.boards[0]>>bit&1 != 0:
			return "x"
		case s.boards[1]>>bit&1 != 0:
			return "o"
		}
		return ""
	})
}

// Say names a move by the stone of the seat to move and the column.
func (s *state) Say(a games.Action) string {
	if a < 0 || int(a) >= s.game.columns {
		return strconv.Itoa(int(a))
	}
	return "xo"[s.length&1:s.length&1+1] + strconv.Itoa(int(a))
}

func (s *state) Hear(text string) (games.Action, error) {
	return games.Hear(s, text, games.Ids(s.game.columns))
}

func (s *state) Prompt(seat games.Seat) string {
	g := s.game
	var b strings.Builder
	fmt.Fprintf(&b, `Connect four on a board of %[1]d rows and %[2]d columns, numbered 0 to %[3]d from the left. Player 0 plays x and moves first, player 1 plays o. They take turns to drop a stone into a column that is not full; it falls to the lowest empty cell. Whoever first has %[4]d in a row, upright, level or slanting, wins (+1, the other -1); a full board without that is a draw (0). A move is named by your stone and the column, as in %[5]c0, or by the column's number, as in [0].

You are player %[6]d (%[7]s) and play %[5]c.
The board:
`, g.rows, g.columns, g.columns-1, g.inRow, "xo"[seat], seat, g.info.Roles[seat])
	for row := g.rows - 1; row >= 0; row-- {
		for column := range g.columns {
			bit := column*(g.rows+1) + row
			cell := byte('.')
			switch {
			case s.boards[0]>>bit&1 != 0:
				cell = 'x'
			case s.boards[1]>>bit&1 != 0:
				cell = 'o'
			}
			b.Write([]byte{' ', cell, ' '})
		}
		b.WriteByte('\n')
	}
	for column := range g.columns {
		fmt.Fprintf(&b, "%2d ", column)
	}
	b.WriteByte('\n')
	if s.length > 0 {
		b.WriteString("Moves so far:")
		for i, move := range s.moves[:s.length] {
			fmt.Fprintf(&b, " %c%d", "xo"[i&1], move)
		}
		b.WriteByte('\n')
	}
	b.WriteString(games.Menu(s, seat))
	return b.String()
}
