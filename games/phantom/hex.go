package phantom

import (
	"fmt"
	"strconv"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/internal/spec"
)

func init() {
	games.Register(games.Rules{
		Name:    "dark_hex",
		Summary: "Hex in which the other player's stones are hidden",
		Params: []games.Param{
			{Name: "board_size", Default: "3", Help: "rows and columns, where they are not given"},
			{Name: "gameversion", Default: "cdh", Help: "cdh (classical): whoever hits a hidden stone moves again; adh (abrupt): loses the turn"},
			{Name: "num_cols", Default: "3", Help: "columns; num_rows*num_cols is 64 at most"},
			{Name: "num_rows", Default: "3", Help: "rows"},
			{Name: "obstype", Default: "reveal-nothing", Help: "reveal-numturns tells each seat when the other has moved"},
		},
		Make: func(r *spec.Reader) (games.Game, error) {
			size := r.Int("board_size", 3, 1, 26)
			abrupt, reveal, versions := version(r, "cdh", "adh")
			cols, rows := r.Int("num_cols", size, 1, 26), r.Int("num_rows", size, 1, 26)
			if err := r.Err(); err != nil {
				return nil, err
			}
			if rows*cols > maxCells {
				return nil, fmt.Errorf("dark_hex: num_rows=%d, num_cols=%d: expected %d cells at most", rows, cols, maxCells)
			}
			var args []spec.Arg
			number := func(key string, value int) { args = append(args, spec.Arg{Key: key, Value: strconv.Itoa(value)}) }
			if rows == cols && rows != 3 {
				number("board_size", rows)
			}
			for _, a := range versions {
				if a.Key == "gameversion" {
					args = append(args, a)
				}
			}
			if rows != cols {
				number("num_cols", cols)
				number("num_rows", rows)
			}
			if reveal {
				args = append(args, versions[len(versions)-1])
			}
			return darkHex(rows, cols, abrupt, reveal, args), nil
		},
	})
}

func darkHex(rows, cols int, abrupt, reveal bool, args []spec.Arg) games.Game {
	b := newBoard(rows, cols)
	g := &rules{
		rows: rows, cols: cols, abrupt: abrupt, reveal: reveal, hex: true,
		wins: b.connects,
		name: func(_ games.Seat, cell int) string { return fmt.Sprintf("%c%d", 'a'+cell%cols, cell/cols+1) },
		about: fmt.Sprintf("Dark hex on a board of %d rows and %d columns of hexagons, each row half a cell further to the right than the one above, so that a cell touches those to its left and right, above and above to the right, below and below to the left. Cells are named by column and row, a1 in the upper left corner. Player 0 plays x and moves first, player 1 plays o. Player 0 wins by a chain of x from the top row to the bottom row, player 1 by a chain of o from the left column to the right column (+1, the other -1); one of them always does.",
			rows, cols),
	}
	return g.finish(spec.Spec{Name: "dark_hex", Args: args})
}

// board knows what touches what.
type board struct {
	cols                     int
	top, bottom, left, right uint64
}

func newBoard(rows, cols int) board {
	b := board{cols: cols}
	for col := range cols {
		b.top |= 1 << col
		b.bottom |= 1 << ((rows-1)*cols + col)
	}
	for row := range rows {
		b.left |= 1 << (row * cols)
		b.right |= 1 << (row*cols + cols - 1)
	}
	return b
}

// connects tells whether a seat's stones join its two sides: what can be
// reached from one side over the stones is grown until it grows no more.
func (b board) connects(stones uint64, seat games.Seat) bool {
	from, to := b.top, b.bottom
	if seat == 1 {
		from, to = b.left, b.right
	}
	reached := stones & from
	if stones&to == 0 {
		return false
	}
	for reached != 0 {
		next := reached | reached<<b.cols | reached>>b.cols
		west, east := reached&^b.left, reached&^b.right
		next |= west>>1 | east<<1 | east>>(b.cols-1) | west<<(b.cols-1)
		next &= stones
		if next&to != 0 {
			return true
		}
		if next == reached {
			return false
		}
		reached = next
	}
	return false
}
