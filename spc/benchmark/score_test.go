package benchmark_test

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/agon-rl/agon/spc/benchmark"
)

func load(t *testing.T, name string, v any) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "testdata", "benchmarks", name))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, v); err != nil {
		t.Fatal(err)
	}
}

// near compares with what testdata/spc/record.py has computed.
func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if math.Abs(got-want) > 1e-12 {
		t.Errorf("%s: got %.17g, expected %.17g", what, got, want)
	}
}

func TestRecordedScores(t *testing.T) {
	type firstErrors struct {
		Subsets map[string]struct{ Erroneous, Correct, F1 float64 }
		Mean    float64
	}
	var want struct {
		ProcessBench firstErrors
		Vote         firstErrors `json:"processbench_vote"`
		SPC          struct {
			Valid, Invalid                              int
			Correct, Erroneous, Average, Harmonic, Mean float64
			Subsets                                     map[string]float64
		}
		DeltaBench struct{ Macro, Micro benchmark.PRF }
	}
	var v verdicts
	load(t, "scores.json", &want)
	load(t, "verdicts.json", &v)

	solutions := open(t, "processbench", "processbench").Solutions
	firsts, votes := make([]int, len(solutions)), make([]int, len(solutions))
	for i := range solutions {
		firsts[i], votes[i] = benchmark.ParseFirst(v.FirstError[i]), benchmark.Vote(v.Votes[i])
	}
	for _, c := range []struct {
		verdicts []int
		want     firstErrors
	}{{firsts, want.ProcessBench}, {votes, want.Vote}} {
		table, err := benchmark.FirstErrorF1(solutions, c.verdicts)
		if err != nil || len(table.Rows) != len(c.want.Subsets) {
			t.Fatalf("%+v, %v", table, err)
		}
		near(t, table.Measure, table.Score, c.want.Mean)
		for _, r := range table.Rows {
			near(t, r.Subset+" erroneous", r.Erroneous.Accuracy, c.want.Subsets[r.Subset].Erroneous)
			near(t, r.Subset+" correct", r.Correct.Accuracy, c.want.Subsets[r.Subset].Correct)
			near(t, r.Subset+" F1", r.Harmonic, c.want.Subsets[r.Subset].F1)
		}
		t.Logf("\n%s", table)
	}

	questions := open(t, "spc", "spc").Questions
	words := make([]benchmark.Verdict, len(questions))
	for i := range questions {
		words[i] = benchmark.ParseVerdict(v.Steps[i])
	}
	table, err := benchmark.StepAccuracy(questions, words)
	if err != nil || len(table.Rows) != len(want.SPC.Subsets) {
		t.Fatalf("%+v, %v", table, err)
	}
	total := table.Total
	if n, invalid := total.Correct.N+total.Erroneous.N, total.Correct.Invalid+total.Erroneous.Invalid; n != want.SPC.Valid || invalid != want.SPC.Invalid {
		t.Errorf("%d valid and %d invalid verdicts, expected %d and %d", n, invalid, want.SPC.Valid, want.SPC.Invalid)
	}
	near(t, "correct", total.Correct.Accuracy, want.SPC.Correct)
	near(t, "erroneous", total.Erroneous.Accuracy, want.SPC.Erroneous)
	near(t, "average", total.Average, want.SPC.Average)
	near(t, "harmonic", total.Harmonic, want.SPC.Harmonic)
	near(t, table.Measure, table.Score, want.SPC.Mean)
	for _, r := range table.Rows {
		near(t, r.Subset, r.Plain, want.SPC.Subsets[r.Subset])
	}

	solutions = open(t, "deltabench", "deltabench").Solutions
	named := make([][]int, len(solutions))
	for i := range solutions {
		named[i] = benchmark.ParseSections(v.Sections[i])
	}
	scores, err := benchmark.SectionF1(solutions, named)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name      string
		got, want benchmark.PRF
	}{{"macro", scores.Macro, want.DeltaBench.Macro}, {"micro", scores.Micro, want.DeltaBench.Micro}} {
		near(t, c.name+" precision", c.got.Precision, c.want.Precision)
		near(t, c.name+" recall", c.got.Recall, c.want.Recall)
		near(t, c.name+" F1", c.got.F1, c.want.F1)
	}
	t.Logf("\n%s", scores)
}

// A critic that knows the truth scores 1 everywhere; one that always says the
// same has no F1, whatever its plain accuracy.
func TestTruthAndDegenerateCritics(t *testing.T) {
	solutions := open(t, "processbench", "processbench").Solutions
	for name, first := range map[string]func(benchmark.Solution) int{
		"all correct":     func(benchmark.Solution) int { return -1 },
		"first incorrect": func(benchmark.Solution) int { return 0 },
		"unread":          func(benchmark.Solution) int { return benchmark.Unread },
		"truth":           func(s benchmark.Solution) int { return s.First },
	} {
		firsts := make([]int, len(solutions))
		for i, s := range solutions {
			firsts[i] = first(s)
		}
		table, err := benchmark.FirstErrorF1(solutions, firsts)
		if want := map[bool]float64{true: 1}[name == "truth"]; err != nil || table.Score != want {
			t.Errorf("%s: F1 %g, expected %g, %v", name, table.Score, want, err)
		}
		if invalid := table.Total.Correct.Invalid + table.Total.Erroneous.Invalid; (invalid == len(solutions)) != (name == "unread") {
			t.Errorf("%s: %d invalid", name, invalid)
		}
	}
	questions := open(t, "spc", "spc").Questions
	for _, say := range []benchmark.Verdict{benchmark.Correct, benchmark.Incorrect, benchmark.Invalid} {
		words := make([]benchmark.Verdict, len(questions))
		for i := range words {
			words[i] = say
		}
		table, err := benchmark.StepAccuracy(questions, words)
		if err != nil || table.Total.Harmonic != 0 {
			t.Errorf("always %d: harmonic mean %g, %v", say, table.Total.Harmonic, err)
		}
	}
	sections := open(t, "deltabench", "deltabench").Solutions
	truth, none := make([][]int, len(sections)), make([][]int, len(sections))
	for i, s := range sections {
		truth[i] = append([]int{len(s.Steps) + 7}, s.Wrong...) // beyond the last wrong one: dropped
	}
	if table, err := benchmark.SectionF1(sections, truth); err != nil || table.Macro.F1 != 1 || table.Micro.F1 != 1 || table.Total.Harmonic != 1 {
		t.Errorf("%+v, %v", table, err)
	}
	if table, err := benchmark.SectionF1(sections, none); err != nil || table.Macro.F1 != 0 || table.Micro.F1 != 0 || table.Total.Correct.Hits != 0 {
		t.Errorf("%+v, %v", table, err)
	}
}

// Whatever a critic says: the harmonic mean lies between its classes' accuracies
// and not above their mean, and every row is scored or invalid.
func TestScoresInRange(t *testing.T) {
	questions := open(t, "spc", "spc").Questions
	rapid.Check(t, func(t *rapid.T) {
		words := make([]benchmark.Verdict, len(questions))
		for i := range words {
			words[i] = benchmark.Verdict(rapid.IntRange(0, 2).Draw(t, "verdict"))
		}
		table, err := benchmark.StepAccuracy(questions, words)
		if err != nil {
			t.Fatal(err)
		}
		r := table.Total
		a, b := r.Correct.Accuracy, r.Erroneous.Accuracy
		const rounding = 1e-12
		if r.Harmonic < min(a, b)-rounding || r.Harmonic > r.Average+rounding || table.Score < 0 || table.Score > 1 {
			t.Errorf("%+v", table)
		}
		if n := r.Correct.N + r.Erroneous.N + r.Correct.Invalid + r.Erroneous.Invalid; n != len(questions) {
			t.Errorf("%d rows of %d", n, len(questions))
		}
	})
}

func TestVerdictsMustMatch(t *testing.T) {
	_, errF := benchmark.FirstErrorF1(make([]benchmark.Solution, 2), []int{0})
	_, errA := benchmark.StepAccuracy(make([]benchmark.Question, 1), nil)
	_, errS := benchmark.SectionF1(nil, make([][]int, 1))
	for _, c := range []struct {
		err  error
		want string
	}{
		{errF, "benchmark: got 1 verdicts for 2 solutions, expected one for each"},
		{errA, "benchmark: got 0 verdicts for 1 questions, expected one for each"},
		{errS, "benchmark: got 1 verdicts for 0 solutions, expected one for each"},
	} {
		if c.err == nil || c.err.Error() != c.want {
			t.Errorf("got %v, expected %s", c.err, c.want)
		}
	}
}

// Nothing shows a score without both classes.
func TestTableShowsBothClasses(t *testing.T) {
	table, err := benchmark.StepAccuracy(
		[]benchmark.Question{{Subset: "a"}, {Subset: "a", Wrong: true}, {Subset: "b", Wrong: true}},
		[]benchmark.Verdict{benchmark.Correct, benchmark.Correct, benchmark.Invalid})
	if err != nil {
		t.Fatal(err)
	}
	want := "" +
		"  subset  correct acc  n  erroneous acc  n  average  harmonic   plain  invalid\n" +
		"       a       1.0000  1         0.0000  1   0.5000    0.0000  0.5000        0\n" +
		"       b            -  0              -  0   0.0000    0.0000  0.0000        1\n" +
		"     all       1.0000  1         0.0000  1   0.5000    0.0000  0.5000        1\n" +
		"SPC step accuracy, mean over subsets: 0.5000\n"
	if got := table.String(); strings.TrimSpace(got) != strings.TrimSpace(want) {
		t.Errorf("got\n%s\nexpected\n%s", got, want)
	}
}
