package benchmark_test

import (
	"bytes"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	_ "github.com/agon-rl/agon/games/arithmetic"
	_ "github.com/agon-rl/agon/games/countdown"
	_ "github.com/agon-rl/agon/games/kuhn"
	_ "github.com/agon-rl/agon/games/modchain"
	"github.com/agon-rl/agon/games/sneakycritic"
	"github.com/agon-rl/agon/spc/benchmark"
)

// What is generated is read back as it was, every line of it is the domain's, and a
// critic that knows the domain's truth finds every first error.
func TestGenerate(t *testing.T) {
	for _, domain := range []string{"arithmetic", "countdown", "equations", "horn", "word_problem", "word_problem(people=8)"} {
		t.Run(domain, func(t *testing.T) {
			const count = 40
			solutions, err := benchmark.Generate(domain, count, 5)
			if err != nil {
				t.Fatal(err)
			}
			again, err := benchmark.Generate(domain, count, 5)
			if err != nil || !reflect.DeepEqual(solutions, again) {
				t.Error("the same seed gives other solutions")
			}
			var text bytes.Buffer
			if err := benchmark.WriteProcessBench(&text, solutions); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(t.TempDir(), "generated.json")
			write(t, path, text.Bytes())
			set, err := benchmark.Open("processbench", path)
			if err != nil {
				t.Fatal(err)
			}
			wrong := 0
			for i, s := range set.Solutions {
				s.Subset = ""
				if !reflect.DeepEqual(s, solutions[i]) {
					t.Errorf("got\n%+v\nexpected\n%+v", s, solutions[i])
				}
				if s.First < 0 != (i%2 == 0) || s.First < 0 && !s.FinalCorrect {
					t.Errorf("%+v", s)
				}
				if !s.FinalCorrect {
					wrong++
				}
			}
			if wrong == 0 && domain != "horn" {
				t.Error("no error changes an answer")
			}
			game, err := sneakycritic.New(sneakycritic.Params{Domain: domain, Clean: 0.5})
			if err != nil {
				t.Fatal(err)
			}
			task, err := benchmark.NewTask(set, benchmark.ByStep, 1)
			if err != nil {
				t.Fatal(err)
			}
			report, err := task.Score(judge(t, task, benchmark.Player{Game: game, Agent: knower{}}, ""))
			if err != nil || report.Refused != 0 || report.FirstError.Score != 1 || report.Steps.Score != 1 {
				t.Errorf("%v, %s", err, report)
			}
			whole, err := sneakycritic.New(sneakycritic.Params{Domain: domain, Clean: 0.5, Whole: true})
			if err != nil {
				t.Fatal(err)
			}
			if task, err = benchmark.NewTask(set, benchmark.BySolution, 1); err != nil {
				t.Fatal(err)
			}
			report, err = task.Score(judge(t, task, benchmark.Player{Game: whole, Agent: knower{}}, ""))
			if err != nil || report.Refused != 0 || report.Invalid != 0 || report.FirstError.Score != 1 {
				t.Errorf("%v, whole solutions: %s", err, report)
			}
			t.Logf("%d of %d with a wrong answer\n%+v", wrong, count, solutions[1])
		})
	}
	for _, domain := range []string{"kuhn_poker", "equations(seed=1)", "modchain"} {
		if _, err := benchmark.Generate(domain, 1, 1); err == nil || !strings.Contains(err.Error(), "expected problems that chance draws") {
			t.Errorf("%s: %v", domain, err)
		}
	}
}
