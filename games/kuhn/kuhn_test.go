package kuhn_test

import (
	"testing"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/games/gamestest"
	_ "github.com/agon-rl/agon/games/kuhn"
)

func TestConformance(t *testing.T) {
	for _, name := range []string{"kuhn_poker", "kuhn_poker(players=3)", "kuhn_poker(players=10)"} {
		t.Run(name, func(t *testing.T) { gamestest.Run(t, newGame(t, name), gamestest.Options{Nodes: 2000}) })
	}
}

func FuzzApply(f *testing.F) { gamestest.FuzzApply(f, newGame(f, "kuhn_poker")) }

func FuzzHear(f *testing.F) { gamestest.FuzzHear(f, newGame(f, "kuhn_poker")) }

func newGame(t testing.TB, name string) games.Game {
	t.Helper()
	game, err := games.New(name)
	if err != nil {
		t.Fatal(err)
	}
	return game
}

func TestBadParameters(t *testing.T) {
	for _, name := range []string{"kuhn_poker(players=1)", "kuhn_poker(players=11)", "kuhn_poker(players=two)", "kuhn_poker(player=2)"} {
		if _, err := games.New(name); err == nil {
			t.Errorf("%s is taken", name)
		} else {
			t.Log(err)
		}
	}
}
