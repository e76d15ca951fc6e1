package hex_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/games/gamestest"
	"github.com/agon-rl/agon/games/hex"
)

func TestConformance(t *testing.T) {
	for _, name := range []string{"hex(board_size=3)", "hex(num_cols=4,num_rows=2)", "hex(num_rows=9)", "hex(board_size=3,swap=true)", "hex(board_size=2,swap=true)"} {
		t.Run(name, func(t *testing.T) {
			gamestest.Run(t, newGame(t, name), gamestest.Options{Nodes: 2000, Walks: 10})
		})
	}
}

func FuzzApply(f *testing.F) { gamestest.FuzzApply(f, newGame(f, "hex(board_size=5,swap=true)")) }

func FuzzHear(f *testing.F) { gamestest.FuzzHear(f, newGame(f, "hex(swap=true)")) }

func newGame(t testing.TB, name string) games.Game {
	t.Helper()
	game, err := games.New(name)
	if err != nil {
		t.Fatal(err)
	}
	return game
}

func play(t testing.TB, name string, actions ...games.Action) games.State {
	t.Helper()
	s := newGame(t, name).Start()
	for _, a := range actions {
		if err := s.Apply(a); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// On boards of any size the marks must find the same chains as a search from
// the edge does.
func TestChains(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows, cols := rapid.IntRange(2, 19).Draw(t, "rows"), rapid.IntRange(2, 19).Draw(t, "columns")
		game, err := hex.New(rows, cols, false)
		if err != nil {
			t.Fatal(err)
		}
		b := board{rows: rows, cols: cols, cells: make([]int, rows*cols)}
		s := game.Start()
		for mover := 1; s.Turn() != games.Over; mover = 3 - mover {
			a := rapid.SampledFrom(s.Actions(nil)).Draw(t, "cell")
			b.cells[a] = mover
			if err := s.Apply(a); err != nil {
				t.Fatal(err)
			}
			want := 0.0
			switch won := b.joins(mover); {
			case won && mover == 1:
				want = 1
			case won:
				want = -1
			}
			if got := s.Returns(nil)[0]; got != want || (s.Turn() == games.Over) != (want != 0) {
				t.Fatalf("%v: turn %d with return %g, expected return %g", b.cells, s.Turn(), got, want)
			}
		}
	})
}

// board holds 1 where player 0 has a stone and 2 where player 1 has.
type board struct {
	rows, cols int
	cells      []int
}

func (b board) joins(mover int) bool {
	seen := make([]bool, len(b.cells))
	var reach func(row, col int) bool
	reach = func(row, col int) bool {
		if row < 0 || col < 0 || row == b.rows || col == b.cols {
			return false
		}
		cell := row*b.cols + col
		if seen[cell] || b.cells[cell] != mover {
			return false
		}
		seen[cell] = true
		if mover == 1 && row == b.rows-1 || mover == 2 && col == b.cols-1 {
			return true
		}
		for _, step := range [][2]int{{-1, 0}, {-1, 1}, {0, -1}, {0, 1}, {1, -1}, {1, 0}} {
			if reach(row+step[0], col+step[1]) {
				return true
			}
		}
		return false
	}
	for row := range b.rows {
		for col := range b.cols {
			if (mover == 1 && row == 0 || mover == 2 && col == 0) && reach(row, col) {
				return true
			}
		}
	}
	return false
}

// The first player wins on square boards, whoever has the longer way loses on
// others, and with the swap rule the second player wins.
func TestValues(t *testing.T) {
	for name, want := range map[string]float64{
		"hex(board_size=2)":           1,
		"hex(board_size=3)":           1,
		"hex(num_cols=3,num_rows=4)":  -1,
		"hex(num_cols=4,num_rows=3)":  1,
		"hex(board_size=3,swap=true)": -1,
	} {
		if got := value(newGame(t, name).Start(), map[string]float64{}); got != want {
			t.Errorf("%s has the value %g for the first player, expected %g", name, got, want)
		}
	}
}

func value(s games.State, known map[string]float64) float64 {
	if s.Turn() == games.Over {
		return s.Returns(nil)[0]
	}
	position := string(s.(games.Positioned).AppendPosition(nil))
	if v, ok := known[position]; ok {
		return v
	}
	sign := 1 - 2*float64(s.Turn())
	best := -1.0
	for _, a := range s.Actions(nil) {
		next := s.Clone()
		if err := next.Apply(a); err != nil {
			panic(err)
		}
		best = max(best, sign*value(next, known))
	}
	known[position] = sign * best
	return sign * best
}

// A swap mirrors the stone; it is open once, and frees the first cell.
func TestSwap(t *testing.T) {
	const swap = 9
	s := play(t, "hex(board_size=3,swap=true)", 1, swap)
	if got := s.Actions(nil); len(got) != 8 || got[1] != 1 || got[3] != 4 {
		t.Errorf("open after b1, swap are %v, expected all but 3 (a2)", got)
	}
	for _, actions := range [][]games.Action{{}, {1, swap, 1}, {1, 2}} {
		if s := play(t, "hex(board_size=3,swap=true)", actions...); s.Apply(swap) == nil {
			t.Errorf("swap is taken after %v", actions)
		}
	}
	// The chain o a2, b2, c2 starts with the stone that was taken over.
	if got := play(t, "hex(board_size=3,swap=true)", 1, swap, 0, 4, 1, 5).Returns(nil); got[1] != 1 {
		t.Errorf("the returns are %v, expected a win by the stone taken over", got)
	}
	if s := play(t, "hex(board_size=2)", 1); s.Apply(4) == nil {
		t.Error("swap is taken where the rule is off")
	}
}

func TestBadParameters(t *testing.T) {
	for _, name := range []string{
		"hex(board_size=1)", "hex(board_size=20)", "hex(num_cols=1)", "hex(num_rows=0)", "hex(board_size=big)",
		"hex(swap=maybe)", "hex(num_cols=3,num_rows=4,swap=true)", "hex(size=5)",
	} {
		if _, err := games.New(name); err == nil {
			t.Errorf("%s is taken", name)
		} else {
			t.Log(err)
		}
	}
}
