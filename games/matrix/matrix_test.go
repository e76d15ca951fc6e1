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
	for _, name := range []string{"matrix(rps)", "matrix(biased_rps)", "matrix(matching_pennies)", "matrix(rpsw)", "matrix(testdata/oblong.json)",
		"matrix(soft_rps)", "matrix(rpsls,bound=0.5)", "matrix(random(n=3,seed=2))", "matrix(random(n=2,columns=3))", "matrix(bradley_terry)",
		`matrix("[[0, 2], [1, -1]]")`, `matrix(preferences="[[0.5, 0.9], [0.1, 0.5]]")`,
	} {
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
		{"matrix(soft_rps(p=0.75))", 0, 2, 0.25},
		{"matrix(soft_rps(p=1))", 0, 1, -0.5},
		{"matrix(biased_rps,bound=0.5)", 0, 2, 0.5},
		{"matrix(biased_rps,bound=0.5)", 1, 0, 0.25},
		{`matrix("[[0, 2], [1, -1]]")`, 0, 1, 2},
		{`matrix(preferences="[[0.5, 0.9], [0.1, 0.5]]")`, 0, 1, 0.4},
		// Spock vaporises rock, scissors cut lizard, rock crushes lizard
		{"matrix(rpsls)", 1, 0, 1},
		{"matrix(rpsls)", 4, 3, 1},
		{"matrix(rpsls)", 3, 0, -1},
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

// Matrices that are drawn are those of games against oneself unless columns are given,
// follow from their seed, and hold what their names say.
func TestDrawn(t *testing.T) {
	payoff := func(name string, i, j games.Action) float64 {
		s := newGame(t, name).Start()
		for _, a := range []games.Action{i, j} {
			if err := s.Apply(a); err != nil {
				t.Fatal(err)
			}
		}
		return s.Returns(nil)[0]
	}
	const random, other, bt = "matrix(random(n=5,seed=3))", "matrix(random(n=5,seed=4))", "matrix(bradley_terry(n=5,seed=3))"
	differs := false
	for i := range games.Action(5) {
		for j := range games.Action(5) {
			x := payoff(random, i, j)
			if x != -payoff(random, j, i) || math.Abs(x) > 0.5 || x != payoff(random, i, j) {
				t.Errorf("%s: %g in row %d, column %d", random, x, i, j)
			}
			differs = differs || x != payoff(other, i, j)
			for k := range games.Action(5) { // log odds of a Bradley-Terry model add up
				odds := func(a, b games.Action) float64 { p := payoff(bt, a, b) + 0.5; return math.Log(p / (1 - p)) }
				if d := odds(i, j) + odds(j, k) - odds(i, k); math.Abs(d) > 1e-12 {
					t.Errorf("%s: log odds of %d, %d, %d differ by %g", bt, i, j, k, d)
				}
			}
		}
	}
	if !differs {
		t.Error("two seeds give one matrix")
	}
	if got := payoff("matrix(random(n=2,columns=3,seed=1))", 0, 2); got == 0 {
		t.Errorf("row 0, column 2 is %g", got)
	}
}

func TestRefusesNames(t *testing.T) {
	for name, want := range map[string]string{
		"matrix(rsp)":                                     `unknown matrix "rsp", did you mean "rps"?`,
		"matrix(rps(p=1))":                                "rps: unknown parameter",
		"matrix(soft_rps(p=0.4))":                         "p=0.4: expected a number from 0.5 to 1",
		"matrix(random(n=0))":                             "n=0: expected a whole number from 1",
		"matrix(bradley_terry(sed=1))":                    `did you mean "seed"`,
		`matrix("[[0, 1]")`:                               "expected rows of numbers",
		`matrix("[[0, 1], [2]]")`:                         "row 1 has 1 numbers, row 0 has 2",
		`matrix(preferences="[[0.5, 0.9], [0.2, 0.5]]")`:  "row 0, column 1 is 0.9 and row 1, column 0 is 0.2; expected probabilities that sum to 1",
		`matrix(preferences="[[0.5, 0.9]]")`:              "row 0 has 2 numbers, and there are 1 rows",
		`matrix(rps,preferences="[[0.5]]")`:               "payoffs and preferences are given",
		"matrix(rps,bound=-1)":                            "bound=-1: expected a number from 0",
		`matrix(preferences="[[0.5, 1.5], [-0.5, 0.5]]")`: "expected probabilities that sum to 1",
		`matrix("[[0, 1], [2, 3]] [[1]]")`:                "expected rows of numbers",
		`matrix("[]")`:                                    "expected at least one row and one column",
	} {
		_, err := games.New(name)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, expected one line with %q", name, err, want)
		}
	}
}
