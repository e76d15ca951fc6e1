package connectfour_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/games/connectfour"
)

// On boards of any size the shifted bits must find the same lines as a look
// at every cell in every direction.
func TestLines(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows := rapid.IntRange(1, 10).Draw(t, "rows")
		columns := rapid.IntRange(1, 64/(rows+1)).Draw(t, "columns")
		inRow := rapid.IntRange(1, 5).Draw(t, "x_in_row")
		game, err := connectfour.New(rows, columns, inRow)
		if err != nil {
			t.Fatal(err)
		}
		board := make([][]byte, columns)
		s := game.Start()
		for mover := byte('x'); s.Turn() != games.Over; mover ^= 'x' ^ 'o' {
			a := rapid.SampledFrom(s.Actions(nil)).Draw(t, "column")
			board[a] = append(board[a], mover)
			if err := s.Apply(a); err != nil {
				t.Fatal(err)
			}
			want := 0.0
			switch won := hasLine(board, mover, inRow); {
			case won && mover == 'x':
				want = 1
			case won:
				want = -1
			}
			full := true
			for _, column := range board {
				full = full && len(column) == rows
			}
			over := s.Turn() == games.Over
			if got := s.Returns(nil)[0]; got != want || over != (want != 0 || full) {
				t.Fatalf("%d in a row on %q: over %v with return %g, expected return %g", inRow, board, over, got, want)
			}
		}
	})
}

func hasLine(board [][]byte, stone byte, inRow int) bool {
	for column := range board {
		for row := range board[column] {
			for _, step := range [][2]int{{0, 1}, {1, 0}, {1, 1}, {1, -1}} {
				length := 0
				for c, r := column, row; c < len(board) && r >= 0 && r < len(board[c]) && board[c][r] == stone; c, r = c+step[0], r+step[1] {
					length++
				}
				if length >= inRow {
					return true
				}
			}
		}
	}
	return false
}

func TestBadParameters(t *testing.T) {
	for _, name := range []string{
		"connect_four(rows=0)", "connect_four(rows=9)", "connect_four(columns=10)", "connect_four(rows=63,columns=2)",
		"connect_four(x_in_row=0)", "connect_four(x_in_row=four)", "connect_four(row=5)",
	} {
		if _, err := games.New(name); err == nil {
			t.Errorf("%s is taken", name)
		} else {
			t.Log(err)
		}
	}
}
