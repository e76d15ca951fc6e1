package policy_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/agon-rl/agon/games"
	_ "github.com/agon-rl/agon/games/kuhn"
	"github.com/agon-rl/agon/policy"
)

func TestReadTableRefuses(t *testing.T) {
	for name, test := range map[string]struct{ text, want string }{
		"not JSON":        {`{"0": `, `expected JSON {"information state"`},
		"wrong shape":     {`{"0": [0.5, 0.5]}`, `expected JSON {"information state"`},
		"sum":             {`{"0": {"Pass": 0.5, "Bet": 0.4}}`, `information state "0": the probabilities sum to 0.9, not to 1`},
		"negative":        {`{"0": {"Pass": -0.5, "Bet": 1.5}}`, `is no probability`},
		"more than one":   {`{"0": {"Pass": 1.5}}`, `"Pass": 1.5 is no probability`},
		"no probability":  {`{"0": {"Pass": "NaN"}}`, `expected JSON`},
		"empty":           {``, `expected JSON`},
		"nothing at all":  {`{"0": {}}`, `sum to 0, not to 1`},
		"null":            {`null`, `found null`},
		"first of two":    {`{"1": {"Pass": 2}, "0": {"Pass": 2}}`, `information state "0", action "Pass"`},
		"a missing close": {`{"0": {"Pass": 1}`, `expected JSON`},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "policy.json")
			if err := os.WriteFile(path, []byte(test.text), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := policy.ReadTable(path)
			if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %v, want one line with %q", err, test.want)
			}
		})
	}
	folder := t.TempDir()
	if _, err := policy.ReadTable(folder); err == nil || !strings.Contains(err.Error(), "expected a file; it is a folder") {
		t.Errorf("a folder: %v", err)
	}
	huge := filepath.Join(folder, "huge.json")
	if err := os.WriteFile(huge, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(huge, 1<<30+1); err != nil { // no block of it is written
		t.Fatal(err)
	}
	if _, err := policy.ReadTable(huge); err == nil || !strings.Contains(err.Error(), "it has 1073741825 bytes, expected 1073741824 at most") {
		t.Errorf("a huge file: %v", err)
	}
	if _, err := policy.ReadTable("/does/not/exist.json"); err == nil {
		t.Error("a missing file is read")
	}
}

func TestTableNamesWhatIsMissing(t *testing.T) {
	game, err := games.New("kuhn_poker")
	if err != nil {
		t.Fatal(err)
	}
	s := game.Start()
	for range 2 {
		if err := s.Apply(s.Actions(nil)[0]); err != nil {
			t.Fatal(err)
		}
	}
	query := func(table *policy.Table) error {
		return table.Probabilities(t.Context(), []games.State{s}, [][]float64{make([]float64, 2)})
	}
	table := policy.NewTable()
	if err := query(table); err == nil || !strings.Contains(err.Error(), `no entry for the information state "0" of seat 0`) {
		t.Errorf("a missing state: %v", err)
	}
	table.Set("0", map[string]float64{"Pas": 1})
	if err := query(table); err == nil || !strings.Contains(err.Error(), `"Pas" is not legal there, did you mean "Pass"?`) {
		t.Errorf("a wrong action: %v", err)
	}
	table.Set("0", map[string]float64{"Bet": 1})
	if err := query(table); err != nil {
		t.Errorf("an action left out has probability zero, but: %v", err)
	}
}
