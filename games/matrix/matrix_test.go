package matrix_test

import (
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/games/gamestest"
	"github.com/agon-rl/agon/games/matrix"
)

func TestConformance(t *testing.T) {
	for _, name := range []string{"matrix(rps)", "matrix(biased_rps)", "matrix(matching_pennies)", "matrix(rpsw)", "matrix(testdata/oblong.json)"} {
		t.Run(name, func(t *testing.T) { gamestest.Run(t, newGame(t, name), gamestest.Options{}) })
	}
}

func FuzzApply(f *testing.F) { gamestest.FuzzApply(f, newGame(f, "matrix(testdata/oblong.json)")) }

func FuzzHear(f *testing.F) { gamestest.FuzzHear(f, newGame(f, "matrix(rps)")) }

func newGame(t testing.TB, name string) games.Game {
	t.Helper()
	game, err := games.New(name)
	if err != nil {
		t.Fatal(err)
	}
	return game
}

func TestReturns(t *testing.T) {
	for _, test := range []struct {
		game        string
		row, column games.Action
		want        float64
	}{
		{"matrix(rps)", 0, 1, -1},
		{"matrix(rps)", 2, 1, 1},
		{"matrix(biased_rps)", 0, 2, 50},
		{"matrix(matching_pennies)", 1, 1, 1},
		{"matrix(testdata/oblong.json)", 1, 2, -2.5},
	} {
		s := newGame(t, test.game).Start()
		for _, a := range []games.Action{test.row, test.column} {
			if err := s.Apply(a); err != nil {
				t.Fatal(err)
			}
		}
		if got := s.Returns(nil); got[0] != test.want || got[1] != -test.want {
			t.Errorf("%s: row %d against column %d returns %v, expected %g for the row player", test.game, test.row, test.column, got, test.want)
		}
	}
}

// The column player must not learn from anything it sees what the row player
// picked.
func TestPickIsHidden(t *testing.T) {
	game := newGame(t, "matrix(rps)")
	show := func(a games.Action) string {
		s := game.Start()
		if err := s.Apply(a); err != nil {
			t.Fatal(err)
		}
		return games.Key(s, 1) + s.(games.Speaker).Prompt(1)
	}
	if show(0) != show(1) || show(1) != show(2) {
		t.Errorf("the column player sees %q or %q", show(0), show(1))
	}
}

func TestBadFiles(t *testing.T) {
	for name, test := range map[string]struct{ text, want string }{
		"empty file":     {"", "the file is empty"},
		"cut off":        {`{"payoffs": [[1, 2]`, "the JSON is cut off"},
		"no payoffs":     {`{}`, "expected at least one row"},
		"empty row":      {`{"payoffs": [[]]}`, "expected at least one row and one column"},
		"ragged":         {`{"payoffs": [[1, 2], [3]]}`, "row 1 has 1 numbers, row 0 has 2"},
		"NaN":            {`{"payoffs": [[NaN]]}`, "invalid character 'N'"},
		"too large":      {`{"payoffs": [[1e999]]}`, "1e999"},
		"text":           {`{"payoffs": [["a"]]}`, "cannot unmarshal string"},
		"other field":    {`{"payoff": [[1]]}`, `unknown field "payoff"`},
		"bare array":     {`[[1]]`, "cannot unmarshal array"},
		"two objects":    {`{"payoffs": [[1]]} {}`, "more text after the JSON"},
		"names missing":  {`{"payoffs": [[1], [2]], "rows": ["a"]}`, "rows: 1 names for 2 actions"},
		"name twice":     {`{"payoffs": [[1, 2]], "columns": ["a", "A"]}`, `columns: "A" stands there twice`},
		"name empty":     {`{"payoffs": [[1]], "rows": [""]}`, `rows: "": expected a name`},
		"name a number":  {`{"payoffs": [[1]], "rows": ["7"]}`, `rows: "7": expected a name`},
		"name in braces": {`{"payoffs": [[1]], "rows": ["[0]"]}`, `rows: "[0]": expected a name`},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "payoffs.json")
			if err := os.WriteFile(file, []byte(test.text), 0o600); err != nil {
				t.Fatal(err)
			}
			expectError(t, "matrix("+strconv.Quote(file)+")", test.want)
		})
	}
	expectError(t, "matrix(no_such.json)", "no_such.json")
	expectError(t, "matrix(rpss)", `did you mean "rps"?`)
	expectError(t, "matrix(rps,extra=1)", `unknown parameter "extra"`)
}

func expectError(t *testing.T, game, want string) {
	t.Helper()
	_, err := games.New(game)
	if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
		t.Errorf("%s: the error is %v, expected one line that holds %q", game, err, want)
	}
}

func TestNewRefusesWhatIsNotFinite(t *testing.T) {
	for _, x := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		if _, err := matrix.New("matrix", matrix.Payoffs{Payoffs: [][]float64{{0, x}}}); err == nil {
			t.Errorf("a payoff of %g is taken", x)
		}
	}
}
