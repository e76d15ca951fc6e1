package randomgame_test

import (
	"math"
	"testing"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/games/gamestest"
	_ "github.com/agon-rl/agon/games/randomgame"
	"github.com/agon-rl/agon/solve"
)

func TestConformance(t *testing.T) {
	for _, name := range []string{"random_game", "random_game(actions=3,depth=5,hidden=true,seed=7,signals=3)", "random_game(actions=1,depth=1,signals=1)"} {
		t.Run(name, func(t *testing.T) { gamestest.Run(t, newGame(t, name), gamestest.Options{Nodes: 2000}) })
	}
}

func FuzzApply(f *testing.F) { gamestest.FuzzApply(f, newGame(f, "random_game")) }

func FuzzHear(f *testing.F) { gamestest.FuzzHear(f, newGame(f, "random_game")) }

// On random games the linear program, predictive CFR and double oracle agree on
// the value, and a seed is a game of its own.
func TestSolversAgree(t *testing.T) {
	values := map[string]float64{}
	for _, name := range []string{
		"random_game", "random_game(seed=2)", "random_game(hidden=true,seed=3)", "random_game(actions=3,hidden=true,seed=4,signals=3)", "random_game(depth=6,seed=5)",
	} {
		tree, err := solve.Compile(t.Context(), newGame(t, name), solve.DefaultNodes)
		if err != nil {
			t.Fatal(err)
		}
		for _, method := range []string{"lp", "pcfr+", "double_oracle"} {
			start, err := solve.ParseMethod(method)
			if err != nil {
				t.Fatal(err)
			}
			solver, err := start(tree)
			if err != nil {
				t.Fatal(err)
			}
			if err := solver.Iterate(t.Context(), 3000); err != nil {
				t.Fatal(err)
			}
			r, err := tree.Measure(solver.Strategy())
			if err != nil {
				t.Fatal(err)
			}
			if r.Exploitability > 1e-5 {
				t.Errorf("%s, %s: exploitability %g", name, method, r.Exploitability)
			}
			if value, met := values[name]; !met {
				values[name] = r.Value[0]
			} else if math.Abs(value-r.Value[0]) > 2e-5 {
				t.Errorf("%s: %s finds the value %g, lp %g", name, method, r.Value[0], value)
			}
		}
	}
	if values["random_game"] == values["random_game(seed=2)"] {
		t.Error("two seeds have one value")
	}
}

func TestBadParameters(t *testing.T) {
	for _, name := range []string{"random_game(depth=0)", "random_game(actions=17)", "random_game(signals=0)", "random_game(seed=-1)", "random_game(size=3)"} {
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
