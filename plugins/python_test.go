package plugins_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/plugins"
)

// kit is a Python with the package agon_game.
func kit(t *testing.T) string {
	python := os.Getenv("AGON_TEST_KIT")
	if python == "" {
		t.Skip("AGON_TEST_KIT names no Python with agon_game")
	}
	return python
}

func python(t *testing.T, file string) plugins.Options {
	return plugins.Options{Command: []string{kit(t), filepath.Join("examples", "python", file)}, Timeout: 5 * time.Second}
}

// The games written with the Python kit keep their promises and are those of
// Agon; what they play does not depend on the place.
func TestPythonGames(t *testing.T) {
	for _, c := range []struct{ file, game string }{
		{"nim.py", ""}, {"kuhn_poker.py", "kuhn_poker"}, {"leduc_poker.py", "leduc_poker"},
		{"tic_tac_toe.py", "tic_tac_toe"}, {"tic_tac_toe_vector.py", "tic_tac_toe"},
	} {
		t.Run(c.file, func(t *testing.T) {
			t.Parallel()
			o := python(t, c.file)
			result, err := plugins.Check(t.Context(), o, plugins.CheckOptions{Histories: 40, Walks: 3})
			if err != nil {
				t.Fatal(err)
			}
			for _, failure := range result.Failures {
				t.Error(failure)
			}
			if c.game == "" {
				return
			}
			g := open(t, o)
			difference, err := plugins.Compare(t.Context(), g, builtin(t, c.game), plugins.CheckOptions{Histories: 200, Walks: 30})
			if err != nil || difference != "" {
				t.Errorf("%s, %v", difference, err)
			}
			sameViews(t, g, builtin(t, c.game), c.file != "tic_tac_toe_vector.py") // whose keys are its rows
		})
	}
}

// sameViews holds keys and observations of random games side by side.
func sameViews(t *testing.T, a, b games.Game, keys bool) {
	t.Helper()
	info := b.Info()
	for range 10 {
		x, y := a.Start(), b.Start()
		for y.Turn() != games.Over {
			for seat := range games.Seat(info.Seats) {
				if got, want := games.Key(x, seat), games.Key(y, seat); keys && got != want {
					t.Fatalf("key %q, expected %q", got, want)
				}
				got, want := make([]float32, info.TensorSize()), make([]float32, info.TensorSize())
				x.Observe(seat, got)
				y.Observe(seat, want)
				for i := range got {
					if got[i] != want[i] {
						t.Fatalf("observation %v, expected %v", got, want)
					}
				}
			}
			legal := y.Actions(nil)
			action := legal[len(games.Key(y, 0))%len(legal)]
			if err := x.Apply(action); err != nil {
				t.Fatal(err)
			}
			if err := y.Apply(action); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// Environments of other libraries, wrapped, keep the promises that they do not
// declare to be unable to keep; OpenSpiel's Kuhn poker is Agon's.
func TestPythonWrappers(t *testing.T) {
	for _, c := range []struct {
		words []string
		game  string
		note  string
	}{
		{[]string{"openspiel", "kuhn_poker"}, "kuhn_poker", ""},
		{[]string{"gymnasium", "CartPole-v1", "--min", "0", "--max", "500"}, "", "replaying their history"},
		{[]string{"pettingzoo", "pettingzoo.classic.tictactoe_v3", "--max-length", "9"}, "", "there are no keys"},
	} {
		t.Run(c.words[0], func(t *testing.T) {
			t.Parallel()
			o := plugins.Options{Command: append([]string{kit(t), "-m", "agon_game.wrap"}, c.words...), Timeout: 20 * time.Second}
			result, err := plugins.Check(t.Context(), o, plugins.CheckOptions{Histories: 15, Walks: 2})
			if err != nil {
				t.Fatal(err)
			}
			for _, failure := range result.Failures {
				t.Error(failure)
			}
			if !strings.Contains(strings.Join(result.Notes, ";"), c.note) {
				t.Errorf("notes %q, expected %q", result.Notes, c.note)
			}
			if c.game == "" {
				return
			}
			difference, err := plugins.Compare(t.Context(), open(t, o), builtin(t, c.game), plugins.CheckOptions{Histories: 100, Walks: 10})
			if err != nil || difference != "" {
				t.Errorf("%s, %v", difference, err)
			}
		})
	}
}
