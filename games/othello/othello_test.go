package othello_test

import (
	"errors"
	"os"
	"slices"
	"strings"
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

// After eight moves black has no placement, so passing is all that is open;
// then white moves again.
func TestPass(t *testing.T) {
	s := play(t, "f5 f6 c4 g5 h5 h4 g7 h6")
	if got := s.Actions(nil); !slices.Equal(got, []games.Action{othello.Pass}) || s.Turn() != 0 {
		t.Fatalf("open to player %d: %v, want a pass of player 0 alone", s.Turn(), got)
	}
	if err := s.Apply(othello.Pass); err != nil {
		t.Fatal(err)
	}
	if err := s.Apply(othello.Pass); !errors.Is(err, games.ErrIllegal) || s.Turn() != 1 {
		t.Errorf("white can place a disc and passes: error %v, player %d to move", err, s.Turn())
	}
}

// The shortest game: white has no disc left after nine moves, and no pass comes
// after that.
func TestWipeout(t *testing.T) {
	s := play(t, "e6 f4 e3 f6 g5 d6 e7 f5 c5")
	if got := s.Returns(nil); s.Turn() != games.Over || !slices.Equal(got, []float64{1, -1}) {
		t.Errorf("turn %d, returns %v, want a game that black has won", s.Turn(), got)
	}
}

func play(t *testing.T, moves string) games.State {
	t.Helper()
	s := othello.New().Start()
	for move := range strings.FieldsSeq(moves) {
		a, err := s.(games.Speaker).Hear(move)
		if err == nil {
			err = s.Apply(a)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func TestBadParameters(t *testing.T) {
	if _, err := games.New("othello(size=6)"); err == nil {
		t.Error("a size is taken")
	} else {
		t.Log(err)
	}
}
