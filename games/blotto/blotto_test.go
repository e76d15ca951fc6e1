package blotto_test

import (
	"testing"

	"github.com/agon-rl/agon/games"
	_ "github.com/agon-rl/agon/games/blotto"
	"github.com/agon-rl/agon/games/gamestest"
)

func TestConformance(t *testing.T) {
	for _, name := range []string{"blotto", "blotto(coins=3,fields=2)", "blotto(coins=1,fields=1)"} {
		t.Run(name, func(t *testing.T) { gamestest.Run(t, newGame(t, name), gamestest.Options{Nodes: 500}) })
	}
}

func FuzzApply(f *testing.F) { gamestest.FuzzApply(f, newGame(f, "blotto(coins=4)")) }

func FuzzHear(f *testing.F) { gamestest.FuzzHear(f, newGame(f, "blotto(coins=4)")) }

func TestBadParameters(t *testing.T) {
	for _, name := range []string{"blotto(coins=0)", "blotto(fields=7)", "blotto(coins=50,fields=6)", "blotto(players=3)", "blotto(coin=3)"} {
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
