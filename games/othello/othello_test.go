package othello_test

import (
	"os"
	"testing"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/games/gamestest"
	"github.com/agon-rl/agon/games/othello"
)

func TestConformance(t *testing.T) {
	gamestest.Run(t, othello.New(), gamestest.Options{Nodes: 2000})
}

func FuzzApply(f *testing.F) { gamestest.FuzzApply(f, othello.New()) }

func FuzzHear(f *testing.F) { gamestest.FuzzHear(f, othello.New()) }

// Known counts of the histories of each length, a pass being a move.
func TestPerft(t *testing.T) {
	want := []int{1, 4, 12, 56, 244, 1396, 8200, 55092, 390216}
	if os.Getenv("AGON_TEST_SLOW") != "" {
		want = append(want, 3005288)
	}
	for depth, n := range want {
		if got := perft(t, othello.New().Start(), depth); got != n {
			t.Errorf("depth %d: %d, want %d", depth, got, n)
		}
	}
}

func perft(t *testing.T, s games.State, depth int) int {
	if depth == 0 {
		return 1
	}
	count := 0
	for _, a := range s.Actions(nil) {
		next := s.Clone()
		if err := next.Apply(a); err != nil {
			t.Fatal(err)
		}
		count += perft(t, next, depth-1)
	}
	return count
}

func TestBadParameters(t *testing.T) {
	if _, err := games.New("othello(size=6)"); err == nil {
		t.Error("a size is taken")
	} else {
		t.Log(err)
	}
}
