package breakthrough_test

import (
	"testing"

	"github.com/agon-rl/agon/games"
	_ "github.com/agon-rl/agon/games/breakthrough"
	"github.com/agon-rl/agon/games/gamestest"
)

func TestConformance(t *testing.T) {
	for _, name := range []string{"breakthrough", "breakthrough(columns=5,rows=6)", "breakthrough(columns=2,rows=3)"} {
		t.Run(name, func(t *testing.T) { gamestest.Run(t, newGame(t, name), gamestest.Options{Nodes: 500}) })
	}
}

func FuzzApply(f *testing.F) { gamestest.FuzzApply(f, newGame(f, "breakthrough(columns=5,rows=6)")) }

func FuzzHear(f *testing.F) { gamestest.FuzzHear(f, newGame(f, "breakthrough(columns=3,rows=4)")) }

// Straight ahead nothing is captured, and whoever reaches the far end has won.
func TestMoves(t *testing.T) {
	s := newGame(t, "breakthrough(columns=3,rows=4)").Start()
	for _, move := range []string{"b4b3", "b1b2"} {
		apply(t, s, move)
	}
	for _, a := range s.Actions(nil) {
		if name := games.Say(s, a); name == "b3b2" || name == "b3b2*" {
			t.Errorf("%s is open though the cell is taken", name)
		}
	}
	for _, move := range []string{"b3a2", "b2b3", "a2b1"} {
		apply(t, s, move)
	}
	if s.Turn() != games.Over || s.Returns(nil)[0] != 1 {
		t.Errorf("black has reached the end: turn %d, returns %v", s.Turn(), s.Returns(nil))
	}
}

func apply(t *testing.T, s games.State, move string) {
	t.Helper()
	for _, a := range s.Actions(nil) {
		if games.Say(s, a) == move {
			if err := s.Apply(a); err != nil {
				t.Fatal(err)
			}
			return
		}
	}
	t.Fatalf("%s is not open", move)
}

func TestBadParameters(t *testing.T) {
	for _, name := range []string{"breakthrough(rows=2)", "breakthrough(columns=1)", "breakthrough(rows=9)", "breakthrough(columns=x)", "breakthrough(row=8)"} {
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
