package arena_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/agon-rl/agon/arena"
)

// An agent written with the Python kit plays an equilibrium of Kuhn poker, and gains
// nothing on another equilibrium, which gains nothing on it. Its games do
// not depend on the workers.
func TestPythonAgent(t *testing.T) {
	python := os.Getenv("AGON_TEST_KIT")
	if python == "" {
		t.Skip("AGON_TEST_KIT names no Python with agon_game")
	}
	file, err := filepath.Abs(filepath.Join("..", "plugins", "examples", "python", "kuhn_player.py"))
	if err != nil {
		t.Fatal(err)
	}
	s := settings(t, "kuhn_poker", []string{"cfr:iterations=1000", "mine=plugin:" + python + " " + file}, "rounds=1500", "group=100")
	games := ""
	for _, workers := range []int{1, 3} {
		tournament := open(t, s)
		tournament.Workers = workers
		path := filepath.Join(t.TempDir(), "games.log")
		table, err := run(t, tournament, path)
		if err != nil {
			t.Fatal(err)
		}
		if games == "" {
			games = gamesOf(t, path)
		} else if gamesOf(t, path) != games {
			t.Errorf("%d workers play other games than one", workers)
		}
		sum, err := table.Summarize(arena.Rating{})
		if err != nil {
			t.Fatal(err)
		}
		d := sum.Pairings[0]
		if d.Margin95[0] > 0 || d.Margin95[1] < 0 || d.Margin95[1]-d.Margin95[0] > 0.2 {
			t.Errorf("the margin of an equilibrium against another is between %.3f and %.3f, expected 0 in it", d.Margin95[0], d.Margin95[1])
		}
		for _, r := range sum.Standings {
			if r.Illegal > 0 || r.Forfeits > 0 || r.Voids > 0 {
				t.Errorf("%+v", r)
			}
		}
	}
}
