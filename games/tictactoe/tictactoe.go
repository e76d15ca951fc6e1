// Package tictactoe holds tic-tac-toe. Ids, names, information states and
// returns are those of OpenSpiel's tic_tac_toe. With best play it is a draw.
package tictactoe

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"strconv"
	"strings"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/internal/spec"
)

const (
	cells = 9
	full  = 1<<cells - 1
)

func init() {
	games.Register(games.Rules{
		Name:    "tic_tac_toe",
		Summary: "Tic-tac-toe: three in a row on a board of 3 by 3",
		Make: func(r *spec.Reader) (games.Game, error) {
			if err := r.Err(); err != nil {
				return nil, err
			}
			return New(), nil
		},
	})
}

type game struct{}

// New returns tic-tac-toe.
func New() games.Game { return game{} }

var info = games.Info{
	Name:      "tic_tac_toe",
	Seats:     2,
	Roles:     []string{"first", "second"},
	Actions:   cells,
	MaxLength: cells,
	MinReturn: -1,
	MaxReturn: 1,
	// own stones, the other's stones, empty cells
	Tensor: []int{3, 3, 3},
}

func (game) Info() games.Info { return info }

func (game) Start() games.State { return &state{} }

// lines tells for every set of cells, bit c being cell c, whether it holds
// three in a row.
var lines = func() (table [full + 1]bool) {
	for set := range table {
		for _, line := range [...]int{0o007, 0o070, 0o700, 0o111, 0o222, 0o444, 0o421, 0o124} {
			table[set] = table[set] || set&line == line
		}
	}
	return table
}()

type state struct {
	boards [2]uint16 // stones of each seat; bit c is cell c
	turn   int8
	length int8
	won    bool // by the seat that moved last
	moves  [cells]uint8
}

func (s *state) Turn() games.Seat { return games.Seat(s.turn) }

func (s *state) Actions(dst []games.Action) []games.Action {
	if games.Seat(s.turn) == games.Over {
		return dst
	}
	for free := full &^ (s.boards[0] | s.boards[1]); free != 0; free &= free - 1 {
		dst = append(dst, games.Action(bits.TrailingZeros16(free)))
	}
	return dst
}

func (s *state) Odds(dst []float64) []float64 { return dst }

func (s *state) Apply(a games.Action) error {
	if games.Seat(s.turn) == games.Over || a < 0 || a >= cells || (s.boards[0]|s.boards[1])>>a&1 != 0 {
		return games.Illegal(s, a)
	}
	mine := &s.boards[s.turn&1]
	*mine |= 1 << a
	s.moves[s.length] = uint8(a)
	s.length++
	s.turn ^= 1
	s.won = lines[*mine&full]
	if s.won || s.length == cells {
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

func (s *state) CopyFrom(src games.State) { *s = *src.(*state) }

// AppendKey writes the moves so far, which both seats see: 4, 0, 8.
func (s *state) AppendKey(dst []byte, _ games.Seat) []byte {
	for i, move := range s.moves[:s.length] {
		if i > 0 {
			dst = append(dst, ", "...)
		}
		dst = append(dst, '0'+move)
	}
	return dst
}

// AppendPosition writes the two boards.
func (s *state) AppendPosition(dst []byte) []byte {
	return binary.LittleEndian.AppendUint32(dst, uint32(s.boards[0])|uint32(s.boards[1])<<16)
}

// Observe writes three planes of 3 by 3 cells in the order of their ids: the
// seat's own stones, the other's stones, empty cells.
func (s *state) Observe(seat games.Seat, dst []float32) {
	clear(dst)
	mine, other := s.boards[seat], s.boards[1-seat]
	for cell := range cells {
		switch {
		case mine>>cell&1 != 0:
			dst[cell] = 1
		case other>>cell&1 != 0:
			dst[cells+cell] = 1
		default:
			dst[2*cells+cell] = 1
		}
	}
}

// Say names a move by the stone of the seat to move, its row and its column.
func (s *state) Say(a games.Action) string {
	if a < 0 || a >= cells {
		return strconv.Itoa(int(a))
	}
	return said[s.length&1][a]
}

// said are the names of all moves, by stone and cell.
var said = func() (all [2][cells]string) {
	for stone := range all {
		for a := range all[stone] {
			all[stone][a] = fmt.Sprintf("%c(%d,%d)", "xo"[stone], a/3, a%3)
		}
	}
	return all
}()

// Board implements games.Drawer.
func (s *state) Board() games.Board {
	return games.BoardOf(3, 3, func(row, column int) string {
		switch cell := 3*row + column; {
		case s.boards[0]>>cell&1 != 0:
			return "x"
		case s.boards[1]>>cell&1 != 0:
			return "o"
		}
		return ""
	})
}

func (s *state) Hear(text string) (games.Action, error) {
	return games.Hear(s, text, games.Ids(cells))
}

func (s *state) Prompt(seat games.Seat) string {
	var b strings.Builder
	fmt.Fprintf(&b, `Tic-tac-toe on a board of 3 by 3 cells. Player 0 sets x and moves first, player 1 sets o. They take turns to claim an empty cell. Whoever first has three in a row, a column or a diagonal wins (+1, the other -1); a full board without three in a row is a draw (0). A move is named by its row and column, both counted from 0, as in %[1]c(1,1) for the centre, or by the cell's number, as in [4].

You are player %[2]d (%[3]s) and set %[1]c.
The board, with the numbers of the empty cells:
`, "xo"[seat], seat, info.Roles[seat])
	for cell := range cells {
		switch {
		case s.boards[0]>>cell&1 != 0:
			b.WriteByte('x')
		case s.boards[1]>>cell&1 != 0:
			b.WriteByte('o')
		default:
			b.WriteByte('0' + byte(cell))
		}
		if cell%3 == 2 {
			b.WriteByte('\n')
		} else {
			b.WriteByte(' ')
		}
	}
	if s.length > 0 {
		b.WriteString("Moves so far:")
		for i, move := range s.moves[:s.length] {
			fmt.Fprintf(&b, " %c(%d,%d)", "xo"[i&1], move/3, move%3)
		}
		b.WriteByte('\n')
	}
	b.WriteString(games.Menu(s, seat))
	return b.String()
}
