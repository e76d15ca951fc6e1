package phantom

import (
	"fmt"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/internal/spec"
)

func init() {
	games.Register(games.Rules{
		Name:    "phantom_ttt",
		Summary: "Tic-tac-toe in which the other player's marks are hidden",
		Params: []games.Param{
			{Name: "gameversion", Default: "classical", Help: "classical: whoever hits a hidden mark moves again; abrupt: loses the turn"},
			{Name: "obstype", Default: "reveal-nothing", Help: "reveal-numturns tells each seat when the other has moved"},
		},
		Make: func(r *spec.Reader) (games.Game, error) {
			abrupt, reveal, args := version(r, "classical", "abrupt")
			if err := r.Err(); err != nil {
				return nil, err
			}
			return ticTacToe(abrupt, reveal, args), nil
		},
	})
}

func ticTacToe(abrupt, reveal bool, args []spec.Arg) games.Game {
	g := &rules{
		rows: 3, cols: 3, abrupt: abrupt, reveal: reveal, draws: true,
		wins: func(stones uint64, _ games.Seat) bool { return lines[stones] },
		name: func(seat games.Seat, cell int) string {
			return fmt.Sprintf("%c(%d,%d)", mark(seat), cell/3, cell%3)
		},
		about: "Phantom tic-tac-toe on a board of 3 rows and 3 columns, numbered from 0. Player 0 plays x and moves first, player 1 plays o. Whoever first has three in a row, level, upright or slanting, wins (+1, the other -1); a full board without that is a draw (0).",
	}
	return g.finish(spec.Spec{Name: "phantom_ttt", Args: args})
}

// mark is a seat's sign; the second's also where nobody is to move.
func mark(seat games.Seat) byte {
	if seat == 0 {
		return 'x'
	}
	return 'o'
}

// lines tells of every set of cells whether it holds three in a row.
var lines = func() (out [1 << 9]bool) {
	for stones := range out {
		for _, line := range []int{0o7, 0o70, 0o700, 0o111, 0o222, 0o444, 0o421, 0o124} {
			out[stones] = out[stones] || stones&line == line
		}
	}
	return out
}()
