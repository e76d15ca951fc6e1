package prefs_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/play"
	"github.com/agon-rl/agon/prefs"
)

// Hugging Face's datasets loads all kinds of rows in both formats, value by
// value, in the columns of TRL's trainers. AGON_TEST_PYTHON names a Python that
// has datasets installed.
func TestDatasetsLoads(t *testing.T) {
	python := os.Getenv("AGON_TEST_PYTHON")
	if python == "" {
		t.Skip("AGON_TEST_PYTHON is not set")
	}
	dir, want := t.TempDir(), map[string]any{}
	var files []string
	tree, c := grown(t, "tic_tac_toe", 300, 4)
	pairs := prefs.Extract(tree, extraction(t, "cpl"), c)
	var completions []prefs.Completion
	for _, p := range pairs {
		completions = append(completions, p.Completions()...)
	}
	game, err := games.New("kuhn_poker")
	if err != nil {
		t.Fatal(err)
	}
	episodes := []*play.Episode{
		{Game: "kuhn_poker", Actions: []games.Action{1, 0, 1, 1}, Returns: []float64{2, -2}, Turns: []play.Turn{{At: 2, Action: 1}, {At: 3, Seat: 1, Action: 1}}, Forfeit: games.Over},
		{Game: "kuhn_poker", Actions: []games.Action{1, 0, 0, 0}, Returns: []float64{1, -1}, Turns: []play.Turn{{At: 2}, {At: 3, Seat: 1}}, Forfeit: games.Over},
	}
	outcomes := prefs.Outcomes(game, episodes, "test")
	if len(outcomes) != 1 || outcomes[0].Chosen != "Bet" || outcomes[0].Rejected != "Pass" {
		t.Fatalf("%+v", outcomes)
	}
	add := func(name string, rows any, write func(path string) error) {
		for _, format := range prefs.Formats {
			path := filepath.Join(dir, name+format)
			if err := write(path); err != nil {
				t.Fatal(err)
			}
			files, want[name+format] = append(files, path), rows
		}
	}
	add("pairs", pairs, func(path string) error { return prefs.Write(path, pairs) })
	add("completions", completions, func(path string) error { return prefs.Write(path, completions) })
	add("outcomes", outcomes, func(path string) error { return prefs.Write(path, outcomes) })
	visits := []prefs.Visit{prefs.VisitOf(tree, c)}
	add("visits", visits, func(path string) error { return prefs.Write(path, visits) })
	prompts := prefs.Intra(pairs, play.Generator(1, "prompts"))
	if len(prompts) == 0 {
		t.Fatal("no move is chosen in one state and rejected in another")
	}
	add("prompts", prompts, func(path string) error { return prefs.Write(path, prompts) })
	text, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	list := filepath.Join(dir, "want.json")
	if err := os.WriteFile(list, text, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), python, append([]string{filepath.Join("..", "testdata", "datasets", "check.py"), list}, files...)...)
	cmd.Env = append(os.Environ(), "HF_HUB_OFFLINE=1", "HF_HOME="+filepath.Join(dir, "hf"))
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if got := strings.Count(string(out), " rows, columns "); got != len(files) {
		t.Fatalf("%d files were checked, expected %d:\n%s", got, len(files), out)
	}
	t.Log(string(out))
}
