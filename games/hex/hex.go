// Package hex holds Hex on boards of 2 to 19 rows and columns, with or without
// the swap rule. Ids, names and returns are those of OpenSpiel's hex. There are
// no draws, and without the swap rule the first player wins on every square
// board (Nash 1949, by strategy stealing).
package hex

import (
	"fmt"
	"math/bits"
	"strconv"
	"strings"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/internal/spec"
)

const (
	minSize     = 2
	maxSize     = 19
	defaultSize = 11
	maxCells    = maxSize * maxSize
	edges       = 4
)

// What a cell holds: nothing, or the stone of seat 0 or 1 and which of that
// seat's two edges its chain has reached. An edge counts as a stone that has
// reached itself. Seat 0 joins top (near) and bottom (far), seat 1 left (near)
// and right (far).
const (
	stoneMask = 3 // 1 is a stone of seat 0, 2 of seat 1
	near      = 4
	far       = 8
)

func init() {
	games.Register(games.Rules{
		Name:    "hex",
		Summary: "Hex: join your two sides of a board of hexagons by a chain of stones",
		Params: []games.Param{
			{Name: "board_size", Default: "11", Help: "rows and columns, where they are not given; 2 to 19"},
			{Name: "num_cols", Default: "board_size", Help: "columns"},
			{Name: "num_rows", Default: "board_size", Help: "rows"},
			{Name: "swap", Default: "false", Help: "true lets the second player take over the first stone; square boards only"},
		},
		Make: func(r *spec.Reader) (games.Game, error) {
			size := r.Int("board_size", defaultSize, minSize, maxSize)
			cols := r.Int("num_cols", size, minSize, maxSize)
			rows := r.Int("num_rows", size, minSize, maxSize)
			swap := r.Bool("swap", false)
			if err := r.Err(); err != nil {
				return nil, err
			}
			return New(rows, cols, swap)
		},
	})
}

type game struct {
	info              games.Info
	rows, cols, cells int
	swap              bool
	around            [][6]uint16 // by cell: what it touches, edges included
	start             state
}

// New returns Hex. It refuses fewer than 2 or more than 19 rows or columns, and
// the swap rule on boards that are not square, where a mirrored stone may fall
// off.
func New(rows, cols int, swap bool) (games.Game, error) {
	if min(rows, cols) < minSize || max(rows, cols) > maxSize {
		return nil, fmt.Errorf("hex: num_rows=%d, num_cols=%d: expected whole numbers from %d to %d", rows, cols, minSize, maxSize)
	}
	if swap && rows != cols {
		return nil, fmt.Errorf("hex: swap=true with num_rows=%d and num_cols=%d: expected a square board", rows, cols)
	}
	g := &game{rows: rows, cols: cols, cells: rows * cols, swap: swap}
	g.info = games.Info{
		Name:      name(rows, cols, swap),
		Seats:     2,
		Roles:     []string{"first", "second"},
		Actions:   g.cells,
		MaxLength: g.cells,
		MinReturn: -1,
		MaxReturn: 1,
		// own stones, the other's stones, empty cells, all ones for the seat
		// that joins left and right
		Tensor: []int{4, rows, cols},
	}
	if swap {
		g.info.Actions++
		g.info.MaxLength++
	}
	for row := range rows {
		for col := range cols {
			g.around = append(g.around, [6]uint16{
				g.at(row-1, col), g.at(row-1, col+1), g.at(row, col-1),
				g.at(row, col+1), g.at(row+1, col-1), g.at(row+1, col),
			})
		}
	}
	g.start = state{game: g}
	copy(g.start.cells[g.cells:], []uint8{1 | near, 1 | far, 2 | near, 2 | far})
	for cell := range g.cells {
		g.start.empty[cell/64] |= 1 << (cell % 64)
	}
	return g, nil
}

func name(rows, cols int, swap bool) string {
	s := spec.Spec{Name: "hex"}
	add := func(key string, size int) {
		if size != defaultSize {
			s.Args = append(s.Args, spec.Arg{Key: key, Value: strconv.Itoa(size)})
		}
	}
	if rows == cols {
		add("board_size", rows)
	} else {
		add("num_cols", cols)
		add("num_rows", rows)
	}
	if swap {
		s.Args = append(s.Args, spec.Arg{Key: "swap", Value: "true"})
	}
	return s.String()
}

// at numbers a place: cells row by row, then the edges top, bottom, left,
// right for all that lies beyond.
func (g *game) at(row, col int) uint16 {
	switch {
	case row < 0:
		return uint16(g.cells)
	case row >= g.rows:
		return uint16(g.cells + 1)
	case col < 0:
		return uint16(g.cells + 2)
	case col >= g.cols:
		return uint16(g.cells + 3)
	}
	return uint16(row*g.cols + col)
}

func (g *game) Info() games.Info { return g.info }

func (g *game) Start() games.State { return g.start.Clone() }

type state struct {
	game   *game
	turn   int8
	length uint16
	empty  [(maxCells + 63) / 64]uint64 // the set of empty cells
	cells  [maxCells + edges]uint8
	moves  [maxCells + 1]uint16
}

func (s *state) Turn() games.Seat { return games.Seat(s.turn) }

// canSwap tells whether the second player may still take over the first stone.
func (s *state) canSwap() bool { return s.game.swap && s.length == 1 }

func (s *state) Actions(dst []games.Action) []games.Action {
	if games.Seat(s.turn) == games.Over {
		return dst
	}
	for i, word := range s.empty {
		for ; word != 0; word &= word - 1 {
			dst = append(dst, games.Action(64*i+bits.TrailingZeros64(word)))
		}
	}
	if s.canSwap() {
		dst = append(dst, games.Action(s.game.cells))
	}
	return dst
}

func (s *state) Odds(dst []float64) []float64 { return dst }

func (s *state) Apply(a games.Action) error {
	g := s.game
	if games.Seat(s.turn) == games.Over || a < 0 || int(a) > g.cells {
		return games.Illegal(s, a)
	}
	switch {
	case int(a) < g.cells && s.cells[a] == 0:
		s.moves[s.length] = uint16(a)
		s.turn ^= 1
		if s.place(uint16(a), 1<<(s.length&1)) {
			s.turn = int8(games.Over)
		}
	case int(a) == g.cells && s.canSwap():
		s.moves[s.length] = uint16(a)
		s.turn ^= 1
		s.takeOver(int(s.moves[0]))
	default:
		return games.Illegal(s, a)
	}
	s.length++
	return nil
}

// place puts a stone on an empty cell and tells whether it joins its seat's
// edges.
func (s *state) place(cell uint16, stone uint8) bool {
	s.empty[cell/64] &^= 1 << (cell % 64)
	mark := stone
	for _, next := range s.game.around[cell] {
		if s.cells[next]&stone != 0 {
			mark |= s.cells[next]
		}
	}
	if mark == stone {
		s.cells[cell] = stone
	} else {
		s.spread(cell, mark)
	}
	return mark == stone|near|far
}

// spread marks a stone and all of its chain that has no mark yet. Every cell is
// marked at most once before the game ends.
func (s *state) spread(cell uint16, mark uint8) {
	s.cells[cell] = mark
	for _, next := range s.game.around[cell] {
		if s.cells[next] == mark&stoneMask {
			s.spread(next, mark)
		}
	}
}

// takeOver makes the first stone one of the second player. It is mirrored, so
// that it is worth to the second player what it was to the first.
func (s *state) takeOver(cell int) {
	g := s.game
	s.cells[cell] = 0
	s.empty[cell/64] |= 1 << (cell % 64)
	s.place(uint16(cell%g.cols*g.cols+cell/g.cols), 2)
}

func (s *state) Returns(dst []float64) []float64 {
	switch {
	case games.Seat(s.turn) != games.Over:
		return append(dst, 0, 0)
	case s.length&1 == 1: // whoever moved last has won
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
	places := from.game.cells + edges
	s.game, s.turn, s.length, s.empty = from.game, from.turn, from.length, from.empty
	copy(s.cells[:places], from.cells[:places])
	copy(s.moves[:from.length], from.moves[:from.length])
}

// AppendKey writes the moves so far, which both seats see: 60, 48, 3.
func (s *state) AppendKey(dst []byte, _ games.Seat) []byte {
	for i, move := range s.moves[:s.length] {
		if i > 0 {
			dst = append(dst, ", "...)
		}
		dst = strconv.AppendUint(dst, uint64(move), 10)
	}
	return dst
}

// AppendPosition writes who is to move, which the stones alone do not tell
// after a swap, and the cells, four to a byte.
func (s *state) AppendPosition(dst []byte) []byte {
	dst = append(dst, byte(s.length&1))
	packed := byte(0)
	for i, cell := range s.cells[:s.game.cells] {
		packed = packed<<2 | cell&stoneMask
		if i&3 == 3 {
			dst = append(dst, packed)
		}
	}
	return append(dst, packed)
}

// Observe writes four planes of rows by columns, the top row first: the seat's
// own stones, the other's stones, empty cells, and ones for the second seat,
// zeros for the first.
func (s *state) Observe(seat games.Seat, dst []float32) {
	clear(dst)
	n := s.game.cells
	for i, cell := range s.cells[:n] {
		switch cell & stoneMask {
		case 0:
			dst[2*n+i] = 1
		case 1 << seat:
			dst[i] = 1
		default:
			dst[n+i] = 1
		}
		dst[3*n+i] = float32(seat)
	}
}

// Say names a cell by its column and row, a1 in the upper left corner.
func (s *state) Say(a games.Action) string {
	g := s.game
	switch {
	case a >= 0 && int(a) < g.cells:
		return string(rune('a'+int(a)%g.cols)) + strconv.Itoa(int(a)/g.cols+1)
	case int(a) == g.cells && g.swap:
		return "swap"
	}
	return strconv.Itoa(int(a))
}

// Board implements games.Drawer.
func (s *state) Board() games.Board {
	b := games.BoardOf(s.game.rows, s.game.cols, func(row, col int) string {
		return [...]string{"", "x", "o"}[s.cells[row*s.game.cols+col]&stoneMask]
	})
	b.Slanted = true
	return b
}

func (s *state) Hear(text string) (games.Action, error) {
	return games.Hear(s, text, games.Ids(s.game.info.Actions))
}

func (s *state) Prompt(seat games.Seat) string {
	g := s.game
	var b strings.Builder
	fmt.Fprintf(&b, `Hex on a board of %d rows and %d columns of hexagons, each row half a cell further to the right than the one above, so that a cell touches those to its left and right, above and above to the right, below and below to the left. Player 0 plays x and moves first, player 1 plays o. They take turns to put a stone on an empty cell; stones never move. Player 0 wins by a chain of x from the top row to the bottom row, player 1 by a chain of o from the left column to the right column (+1, the other -1); one of them always does. `,
		g.rows, g.cols)
	if g.swap {
		b.WriteString("In place of their first stone, and only then, player 1 may answer swap: the first x is taken off, and an o is put on the cell that mirrors it, with column and row exchanged (c1 becomes a3); then player 0 moves. ")
	}
	fmt.Fprintf(&b, `A move is named by column and row, a1 in the upper left corner, or by its number, as in [0].

You are player %d (%s) and play %c.
The board:
`, seat, g.info.Roles[seat], "xo"[seat])
	s.draw(&b)
	if s.length > 0 {
		b.WriteString("Moves so far:")
		for i, move := range s.moves[:s.length] {
			fmt.Fprintf(&b, " %c %s", "xo"[i&1], s.Say(games.Action(move)))
		}
		b.WriteByte('\n')
	}
	b.WriteString(games.Menu(s, seat))
	return b.String()
}

func (s *state) draw(b *strings.Builder) {
	g := s.game
	b.WriteString("  ")
	for col := range g.cols {
		fmt.Fprintf(b, " %c", 'a'+col)
	}
	for cell := range g.cells {
		if row := cell / g.cols; cell%g.cols == 0 {
			fmt.Fprintf(b, "\n%*s%2d", row, "", row+1)
		}
		b.Write([]byte{' ', ".xo"[s.cells[cell]&stoneMask]})
	}
	b.WriteByte('\n')
}
