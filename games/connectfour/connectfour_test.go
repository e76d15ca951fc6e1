package connectfour_test

import (
	"testing"

	"github.com/agon-rl/agon/games"
	_ "github.com/agon-rl/agon/games/connectfour"
	"github.com/agon-rl/agon/games/gamestest"
)

func TestConformance(t *testing.T) {
	for _, name := range []string{"connect_four", "connect_four(rows=2,columns=3,x_in_row=2)", "connect_four(rows=1,columns=32)"} {
		t.Run(name, func(t *testing.T) { gamestest.Run(t, newGame(t, name), gamestest.Options{Nodes: 2000}) })
	}
}

func FuzzApply(f *testing.F) { gamestest.FuzzApply(f, newGame(f, "connect_four")) }

func FuzzHear(f *testing.F) { gamestest.FuzzHear(f, newGame(f, "connect_four")) }

func newGame(t testing.TB, name string) games.Game {
	t.Helper()
	game, err := games.New(name)
	if err != nil {
		t.Fatal(err)
	}
	return game
}
