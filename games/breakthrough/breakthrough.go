// Package breakthrough holds Breakthrough (Troyka 2000) on boards of up to 64
// cells. Ids, names and returns are those of OpenSpiel's breakthrough.
package breakthrough

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
	defaultSize = 8
	maxCells    = 64
	maxMoves    = 256
	// A move's id is its cell times perCell, plus twice its direction, plus one
	// where it captures.
	perCell = 12
)

func init() {
	games.Register(games.Rules{
		Name:    "breakthrough",
		Summary: "Breakthrough: be the first to bring a piece to the other's end of the board",
		Params: []games.Param{
			{Name: "columns", Default: "8", Help: "columns of the board, 2 to 26; rows*columns is 64 at most"},
			{Name: "rows", Default: "8", Help: "rows of the board, 3 to 32"},
		},
		Make: func(r *spec.Reader) (games.Game, error) {
			columns, rows := r.Int("columns", defaultSize, 2, 26), r.Int("rows", defaultSize, 3, 32)
			if err := r.Err(); err != nil {
				return nil, err
			}
			return New(rows, columns)
		},
	})
}

type game struct {
	info          games.Info
	rows, columns int
	start         [2]uint64
	left, right   uint64    // the outer columns
	goal          [2]uint64 // by seat: the row that it wins by reaching
}

// New returns Breakthrough: with two rows of pieces each where there are six rows
// or more, else with one. It refuses boards of more than 64 cells.
func New(rows, columns int) (games.Game, error) {
	if rows < 3 || columns < 2 || columns > 26 || rows*columns > maxCells {
		return nil, fmt.Errorf("breakthrough: rows=%d, columns=%d: expected at least 3 rows, 2 to 26 columns, and %d cells at most", rows, columns, maxCells)
	}
	name := spec.Spec{Name: "breakthrough"}
	if columns != defaultSize {
		name.Args = append(name.Args, spec.Arg{Key: "columns", Value: strconv.Itoa(columns)})
	}
	if rows != defaultSize {
		name.Args = append(name.Args, spec.Arg{Key: "rows", Value: strconv.Itoa(rows)})
	}
	g := &game{rows: rows, columns: columns, info: games.Info{
		Name: name.String(), Seats: 2, Roles: []string{"black", "white"}, Actions: rows * columns * perCell,
		MaxLength: 2*columns*(2*rows-3) + 1, // a piece moves forward only
		MinReturn: -1, MaxReturn: 1,
		// own pieces, the other's pieces, empty cells, all ones where the seat is
		// black, all ones where it is to move
		Tensor: []int{5, rows, columns},
	}}
	deep := 1
	if rows >= 6 {
		deep = 2
	}
	row := uint64(1)<<columns - 1
	for r := range deep {
		g.start[0] |= row << (r * columns)
		g.start[1] |= row << ((rows - 1 - r) * columns)
	}
	for r := range rows {
		g.left |= 1 << (r * columns)
		g.right |= 1 << (r*columns + columns - 1)
	}
	g.goal = [2]uint64{row << ((rows - 1) * columns), row}
	return g, nil
}

func (g *game) Info() games.Info { return g.info }

func (g *game) Start() games.State { return &state{game: g, pieces: g.start} }

// state holds the cell of a row, counted from the top, and a column in bit
// row*columns+column. Black, seat 0, begins at the top.
type state struct {
	game   *game
	pieces [2]uint64
	turn   int8
	winner int8 // once the game is over
	length uint16
	moves  [maxMoves]uint16
}

func (s *state) Turn() games.Seat { return games.Seat(s.turn) }

// target is the cell that a move in a direction leads to: 0 to 2 are black's
// moves down to the left, straight and to the right, 3 to 5 white's up.
func (g *game) target(cell, direction int) int {
	if direction < 3 {
		return cell + g.columns + direction - 1
	}
	return cell - g.columns + direction - 4
}

func (s *state) Actions(dst []games.Action) []games.Action {
	if games.Seat(s.turn) == games.Over {
		return dst
	}
	g := s.game
	own, other := s.pieces[s.turn], s.pieces[1-s.turn]
	empty := ^(own | other)
	first := 3 * int(s.turn)
	// Where the pieces stand that can go left, straight or right, to an empty
	// cell or onto a piece of the other's.
	left, right := own&^g.left, own&^g.right
	goLeft, takeLeft := left&g.back(first, empty), left&g.back(first, other)
	goOn := own & g.back(first+1, empty)
	goRight, takeRight := right&g.back(first+2, empty), right&g.back(first+2, other)
	for some := goLeft | takeLeft | goOn | goRight | takeRight; some != 0; some &= some - 1 {
		cell, piece := bits.TrailingZeros64(some), some&-some
		id := games.Action(cell*perCell + 2*first)
		if goLeft&piece != 0 {
			dst = append(dst, id)
		} else if takeLeft&piece != 0 {
			dst = append(dst, id+1)
		}
		if goOn&piece != 0 {
			dst = append(dst, id+2)
		}
		if goRight&piece != 0 {
			dst = append(dst, id+4)
		} else if takeRight&piece != 0 {
			dst = append(dst, id+5)
		}
	}
	return dst
}

// back moves a set of cells against a direction: to where one must stand to go
// there.
func (g *game) back(direction int, cells uint64) uint64 {
	by := g.target(0, direction)
	if by > 0 {
		return cells >> by
	}
	return cells << -by
}

func (s *state) Odds(dst []float64) []float64 { return dst }

// legal tells whether a move is open, and where it leads.
func (s *state) legal(a games.Action) (from, to uint64, ok bool) {
	g := s.game
	if games.Seat(s.turn) == games.Over || a < 0 || int(a) >= g.info.Actions {
		return 0, 0, false
	}
	cell, direction, captures := int(a)/perCell, int(a)%perCell/2, a&1 != 0
	side := direction % 3
	from = 1 << cell
	if direction/3 != int(s.turn) || s.pieces[s.turn]&from == 0 ||
		side == 0 && from&g.left != 0 || side == 2 && from&g.right != 0 {
		return 0, 0, false
	}
	to = 1 << g.target(cell, direction)
	if captures {
		return from, to, side != 1 && s.pieces[1-s.turn]&to != 0
	}
	return from, to, (s.pieces[0]|s.pieces[1])&to == 0
}

func (s *state) Apply(a games.Action) error {
	from, to, ok := s.legal(a)
	if !ok {
		return games.Illegal(s, a)
	}
	seat := s.turn
	s.pieces[seat] ^= from | to
	s.pieces[1-seat] &^= to
	s.moves[s.length] = uint16(a)
	s.length++
	s.turn = 1 - seat
	if to&s.game.goal[seat] != 0 || s.pieces[1-seat] == 0 {
		s.winner, s.turn = seat, int8(games.Over)
	}
	return nil
}

func (s *state) Returns(dst []float64) []float64 {
	switch {
	case games.Seat(s.turn) != games.Over:
		return append(dst, 0, 0)
	case s.winner == 0:
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
	s.game, s.pieces, s.turn, s.winner, s.length = from.game, from.pieces, from.turn, from.winner, from.length
	copy(s.moves[:from.length], from.moves[:from.length])
}

// AppendKey writes the moves so far, which both seats see: a7a6 b2b3.
func (s *state) AppendKey(dst []byte, _ games.Seat) []byte {
	for i, move := range s.moves[:s.length] {
		if i > 0 {
			dst = append(dst, ' ')
		}
		dst = s.game.appendName(dst, games.Action(move))
	}
	return dst
}

// appendName writes the cells of a move, and * where it captures.
func (g *game) appendName(dst []byte, a games.Action) []byte {
	cell := int(a) / perCell
	for _, c := range [...]int{cell, g.target(cell, int(a)%perCell/2)} {
		dst = append(dst, 'a'+byte(c%g.columns))
		dst = strconv.AppendInt(dst, int64(g.rows-c/g.columns), 10)
	}
	if a&1 != 0 {
		dst = append(dst, '*')
	}
	return dst
}

// AppendPosition writes the pieces and who is to move.
func (s *state) AppendPosition(dst []byte) []byte {
	dst = binary.LittleEndian.AppendUint64(dst, s.pieces[0])
	dst = binary.LittleEndian.AppendUint64(dst, s.pieces[1])
	return append(dst, byte(s.turn))
}

func (s *state) Observe(seat games.Seat, dst []float32) {
	clear(dst)
	cells := s.game.rows * s.game.columns
	for cell := range cells {
		switch {
		case s.pieces[seat]>>cell&1 != 0:
			dst[cell] = 1
		case s.pieces[1-seat]>>cell&1 != 0:
			dst[cells+cell] = 1
		default:
			dst[2*cells+cell] = 1
		}
		if seat == 0 {
			dst[3*cells+cell] = 1
		}
		if games.Seat(s.turn) == seat {
			dst[4*cells+cell] = 1
		}
	}
}

// Say names a move by the cells that it leads from and to, as in a7b6, with *
// where it captures.
func (s *state) Say(a games.Action) string {
	g := s.game
	if a < 0 || int(a) >= g.info.Actions {
		return strconv.Itoa(int(a))
	}
	cell, direction := int(a)/perCell, int(a)%perCell/2
	to := g.target(cell, direction)
	if side := direction % 3; to < 0 || to >= g.rows*g.columns || side == 0 && cell%g.columns == 0 || side == 2 && cell%g.columns == g.columns-1 {
		return strconv.Itoa(int(a)) // off the board
	}
	return string(g.appendName(nil, a))
}

// Hear understands the moves of the seat's own pieces, legal or not.
func (s *state) Hear(text string) (games.Action, error) {
	var candidates []games.Action
	if games.Seat(s.turn) != games.Over {
		for left := s.pieces[s.turn]; left != 0; left &= left - 1 {
			first := games.Action(bits.TrailingZeros64(left)*perCell + 6*int(s.turn))
			for a := first; a < first+6; a++ {
				candidates = append(candidates, a)
			}
		}
	}
	return games.Hear(s, text, candidates)
}

// Board implements games.Drawer.
func (s *state) Board() games.Board {
	return games.BoardOf(s.game.rows, s.game.columns, func(row, column int) string {
		switch cell := row*s.game.columns + column; {
		case s.pieces[0]>>cell&1 != 0:
			return "x"
		case s.pieces[1]>>cell&1 != 0:
			return "o"
		}
		return ""
	})
}

func (s *state) Prompt(seat games.Seat) string {
	g := s.game
	var b strings.Builder
	way := [...]string{"down", "up"}[seat]
	fmt.Fprintf(&b, `Breakthrough on a board of %d rows and %d columns. Cells are named by column, a from the left, and row, 1 at the bottom. Black begins at the top, moves down and first; white begins at the bottom and moves up. A move takes one piece one cell forward, straight or slanting; straight only onto an empty cell, slanting onto an empty cell or onto a piece of the other's, which is captured. Whoever brings a piece to the far end, or captures all, wins (+1, the other -1). A move is named by the cells that it leads from and to, with a * where it captures, as in b3c4*.

You are player %d (%s), play %c and move %s.
`, g.rows, g.columns, seat, g.info.Roles[seat], "xo"[seat], way)
	for row, cells := range s.Board().Cells {
		fmt.Fprintf(&b, "%2d", g.rows-row)
		for _, mark := range cells {
			if mark == "" {
				mark = "."
			}
			b.WriteString(" " + mark)
		}
		b.WriteByte('\n')
	}
	b.WriteString("  ")
	for column := range g.columns {
		fmt.Fprintf(&b, " %c", 'a'+column)
	}
	b.WriteByte('\n')
	if s.length > 0 {
		fmt.Fprintf(&b, "Moves so far: %s\n", s.AppendKey(nil, seat))
	}
	b.WriteString(games.Menu(s, seat))
	return b.String()
}
