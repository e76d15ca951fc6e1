package phantom_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/games/gamestest"
	_ "github.com/agon-rl/agon/games/phantom"
)

func TestConformance(t *testing.T) {
	for _, name := range []string{
		"phantom_ttt", "phantom_ttt(gameversion=abrupt)", "phantom_ttt(obstype=reveal-numturns)",
		"dark_hex", "dark_hex(board_size=2)", "dark_hex(gameversion=adh,num_cols=4,num_rows=2)", "dark_hex(board_size=2,obstype=reveal-numturns)", "dark_hex(board_size=8)",
	} {
		t.Run(name, func(t *testing.T) { gamestest.Run(t, newGame(t, name), gamestest.Options{Nodes: 1000}) })
	}
}

func FuzzApply(f *testing.F) { gamestest.FuzzApply(f, newGame(f, "phantom_ttt")) }

func FuzzHear(f *testing.F) { gamestest.FuzzHear(f, newGame(f, "dark_hex")) }

// A try on a hidden stone is repeated in the classical games and lost in the
// abrupt ones; the other seat's information state stays as it was.
func TestTries(t *testing.T) {
	for name, next := range map[string]games.Seat{"phantom_ttt": 1, "phantom_ttt(gameversion=abrupt)": 0, "dark_hex": 1, "dark_hex(gameversion=adh)": 0} {
		s := newGame(t, name).Start()
		play(t, s, 4)
		before := games.Key(s, 0)
		play(t, s, 4)
		if s.Turn() != next {
			t.Errorf("%s: turn %d after a try on a hidden stone, want %d", name, s.Turn(), next)
		}
		if view := games.Key(s, 1); !strings.HasPrefix(view, "...\n.x.\n...\n") {
			t.Errorf("%s: the second seat sees %q", name, view)
		}
		if after := games.Key(s, 0); after != before {
			t.Errorf("%s: the first seat can tell %q from %q", name, before, after)
		}
	}
}

func play(t *testing.T, s games.State, actions ...games.Action) {
	t.Helper()
	for _, a := range actions {
		if err := s.Apply(a); err != nil {
			t.Fatal(err)
		}
	}
}

// On boards of any shape the shifted bits find a chain if and only if a walk
// from cell to cell does, and exactly one player has one when the board is full.
func TestChains(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows, cols := rapid.IntRange(1, 8).Draw(t, "rows"), rapid.IntRange(1, 8).Draw(t, "cols")
		name := "dark_hex(gameversion=adh,num_cols=" + string(rune('0'+cols)) + ",num_rows=" + string(rune('0'+rows)) + ")"
		game, err := games.New(name)
		if err != nil {
			t.Fatal(err)
		}
		s := game.Start()
		board := make([]games.Seat, rows*cols)
		for i := range board {
			board[i] = -1
		}
		for s.Turn() != games.Over {
			seat, a := s.Turn(), rapid.SampledFrom(s.Actions(nil)).Draw(t, "cell")
			if err := s.Apply(a); err != nil {
				t.Fatal(err)
			}
			if board[a] < 0 {
				board[a] = seat
			}
			won := chained(board, rows, cols, seat)
			if over := s.Turn() == games.Over; over != won {
				t.Fatalf("over %v, a chain of seat %d %v on %v", over, seat, won, board)
			}
			if won && s.Returns(nil)[seat] != 1 {
				t.Fatalf("seat %d has a chain and gets %v", seat, s.Returns(nil))
			}
		}
	})
}

func chained(board []games.Seat, rows, cols int, seat games.Seat) bool {
	seen := map[int]bool{}
	var walk func(r, c int) bool
	walk = func(r, c int) bool {
		if r < 0 || c < 0 || r >= rows || c >= cols || seen[r*cols+c] || board[r*cols+c] != seat {
			return false
		}
		seen[r*cols+c] = true
		if seat == 0 && r == rows-1 || seat == 1 && c == cols-1 {
			return true
		}
		for _, d := range [][2]int{{0, 1}, {0, -1}, {1, 0}, {-1, 0}, {-1, 1}, {1, -1}} {
			if walk(r+d[0], c+d[1]) {
				return true
			}
		}
		return false
	}
	for i := range max(rows, cols) {
		if seat == 0 && walk(0, i) || seat == 1 && walk(i, 0) {
			return true
		}
	}
	return false
}

func TestBadParameters(t *testing.T) {
	for _, name := range []string{
		"phantom_ttt(gameversion=cdh)", "phantom_ttt(obstype=all)", "phantom_ttt(board_size=4)",
		"dark_hex(board_size=0)", "dark_hex(board_size=9)", "dark_hex(num_rows=26,num_cols=3)", "dark_hex(gameversion=classical)", "dark_hex(num_cols=x)",
	} {
		if _, err := games.New(name); err == nil {
			t.Errorf("%s is taken", name)
		} else {
			t.Log(err)
		}
	}
}

func newGame(t testing.TB, name string) games.Game {
	t.Helper()
	game, err := games.New(name)
	if err != nil {
		t.Fatal(err)
	}
	return game
}
