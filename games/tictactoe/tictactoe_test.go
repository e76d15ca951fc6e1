package tictactoe_test

import (
	"testing"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/games/gamestest"
	_ "github.com/agon-rl/agon/games/tictactoe"
)

func TestConformance(t *testing.T) {
	for _, name := range []string{"tic_tac_toe"} {
		t.Run(name, func(t *testing.T) { gamestest.Run(t, newGame(t, name), gamestest.Options{Nodes: 3000}) })
	}
}

func FuzzApply(f *testing.F) { gamestest.FuzzApply(f, newGame(f, "tic_tac_toe")) }

func FuzzHear(f *testing.F) { gamestest.FuzzHear(f, newGame(f, "tic_tac_toe")) }

func newGame(t testing.TB, name string) games.Game {
	t.Helper()
	game, err := games.New(name)
	if err != nil {
		t.Fatal(err)
	}
	return game
}

func TestBadParameters(t *testing.T) {
	for _, name := range []string{"tic_tac_toe(size=4)"} {
		if _, err := games.New(name); err == nil {
			t.Errorf("%s is taken", name)
		} else {
			t.Log(err)
		}
	}
}
