package leduc_test

import (
	"testing"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/games/gamestest"
	_ "github.com/agon-rl/agon/games/leduc"
)

func TestConformance(t *testing.T) {
	for _, name := range []string{
		"leduc_poker", "leduc_poker(players=3)", "leduc_poker(players=10)",
		"leduc_poker(suit_isomorphism=true)", "leduc_poker(players=4,suit_isomorphism=true)",
	} {
		t.Run(name, func(t *testing.T) { gamestest.Run(t, newGame(t, name), gamestest.Options{Nodes: 4000}) })
	}
}

func FuzzApply(f *testing.F) { gamestest.FuzzApply(f, newGame(f, "leduc_poker")) }

func FuzzApplyMany(f *testing.F) {
	gamestest.FuzzApply(f, newGame(f, "leduc_poker(players=4,suit_isomorphism=true)"))
}

func FuzzHear(f *testing.F) { gamestest.FuzzHear(f, newGame(f, "leduc_poker")) }

func newGame(t testing.TB, name string) games.Game {
	t.Helper()
	game, err := games.New(name)
	if err != nil {
		t.Fatal(err)
	}
	return game
}

func TestBadParameters(t *testing.T) {
	for _, name := range []string{"leduc_poker(players=1)", "leduc_poker(players=11)", "leduc_poker(suit_isomorphism=3)", "leduc_poker(starting_player=1)"} {
		if _, err := games.New(name); err == nil {
			t.Errorf("%s is taken", name)
		} else {
			t.Log(err)
		}
	}
}
