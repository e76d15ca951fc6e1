package benchmark_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/games/sneakycritic"
	"github.com/agon-rl/agon/play"
	"github.com/agon-rl/agon/spc/benchmark"
)

func task(t testing.TB, name, folder, by string) *benchmark.Task {
	t.Helper()
	task, err := benchmark.NewTask(open(t, name, folder), by, 1)
	if err != nil {
		t.Fatal(err)
	}
	return task
}

func judge(t testing.TB, task *benchmark.Task, critic benchmark.Critic, path string) *benchmark.Outcome {
	t.Helper()
	journal, err := benchmark.OpenJournal(path, task, "test")
	if err != nil {
		t.Fatal(err)
	}
	defer journal.Close()
	outcome, err := benchmark.Judge(t.Context(), task, critic, journal, benchmark.Options{Parallel: 4})
	if err != nil {
		t.Fatal(err)
	}
	return outcome
}

// knower plays the critic and knows the truth that the game knows.
type knower struct{}

func (knower) Act(_ context.Context, in []play.Request, out []play.Decision) error {
	for i, r := range in {
		out[i].Action = r.State.(*sneakycritic.State).Truth()
	}
	return nil
}

func (knower) Close() error { return nil }

// What a domain reads back of a file carries the file's truth: a critic that knows
// the game's scores 1, on the rows of its domain, in every benchmark. In DeltaBench
// sections of no use count as wrong, though they are true.
func TestPlayerJudgesByTheGame(t *testing.T) {
	for domain, subsets := range map[string][]string{"word_problem": {"gsm8k", "omnimath"}, "equations": {"math"}, "horn": {"olympiadbench"}} {
		game, err := sneakycritic.New(sneakycritic.Params{Domain: domain, Clean: 0.5})
		if err != nil {
			t.Fatal(err)
		}
		for _, bench := range []string{"processbench", "spc", "prm800k", "deltabench"} {
			task := task(t, bench, bench, benchmark.ByStep)
			outcome := judge(t, task, benchmark.Player{Game: game, Agent: knower{}}, "")
			report, err := task.Score(outcome)
			if err != nil {
				t.Fatal(err)
			}
			if report.Answered == 0 || report.Refused == 0 || report.Answered+report.Refused != report.Asks {
				t.Errorf("%s on %s: %+v", domain, bench, report)
			}
			if bench == "processbench" && len(report.FirstError.Rows) != len(subsets) {
				t.Errorf("%s: %s", domain, report)
			}
			steps := report.Steps.Total
			off := steps.Correct.N - steps.Correct.Hits + steps.Erroneous.N - steps.Erroneous.Hits
			if steps.Correct.N == 0 || off != 0 && bench != "deltabench" || report.FirstError != nil && report.FirstError.Score != 1 {
				t.Errorf("%s on %s: %s", domain, bench, report)
			}
		}
	}
}

// A critic that must not be asked about a solution at once refuses.
func TestPlayerRefusesProse(t *testing.T) {
	task := task(t, "processbench", "processbench", "")
	outcome := judge(t, task, benchmark.Coin{}, "")
	var unfit *benchmark.UnfitError
	if len(outcome.Refused) != 32 || !errors.As(outcome.Refused[0].Err, &unfit) || unfit.Error() != "row gsm8k-0: it asks for prose: expected steps to judge one by one" {
		t.Errorf("%+v", outcome.Refused)
	}
}

// A critic of whole solutions finds the first error of a file's, steps of several
// lines counted once, and refuses single steps, other domains and other questions.
func TestPlayerJudgesWholes(t *testing.T) {
	game, err := sneakycritic.New(sneakycritic.Params{Domain: "word_problem", Clean: 0.5, Whole: true})
	if err != nil {
		t.Fatal(err)
	}
	player := benchmark.Player{Game: game, Agent: knower{}}
	for _, bench := range []string{"processbench", "prm800k"} {
		task := task(t, bench, bench, benchmark.BySolution)
		report, err := task.Score(judge(t, task, player, ""))
		if err != nil || report.Answered == 0 || report.Refused == 0 || report.Invalid != 0 || report.FirstError.Total.Plain != 1 {
			t.Errorf("%s: %v, %s", bench, err, report)
		}
	}
	for _, test := range []struct{ bench, by string }{{"processbench", benchmark.ByStep}, {"deltabench", benchmark.BySolution}} {
		task := task(t, test.bench, test.bench, test.by)
		outcome := judge(t, task, player, "")
		if len(outcome.Refused) != len(task.Asks()) || !strings.Contains(outcome.Refused[0].Err.Error(), "it does not ask for the first wrong step") {
			t.Errorf("%+v: %d of %d refused", test, len(outcome.Refused), len(task.Asks()))
		}
	}
	answer, err := player.Answer(t.Context(), benchmark.Ask{Solution: &benchmark.Solution{
		Problem: "Ann has 3 coins. Ben has 2 more coins than Ann. Cem has 4 more coins than Ben. Dina has 2 times as many coins as Cem. How many coins does Dina have?",
		Steps:   []string{"Ben: 3 + 2 = 5\nCem: 5 + 4 = 9", "Dina: 9 * 2 = 19"},
	}})
	if err != nil || answer.Answer != `\boxed{1}` {
		t.Errorf("%+v, %v", answer, err)
	}
}

// flaky fails on the rows whose turn it is.
type flaky struct {
	calls *atomic.Int64
	fails func(row int) error
}

func (f flaky) Answer(_ context.Context, a benchmark.Ask) (benchmark.Entry, error) {
	f.calls.Add(1)
	if err := f.fails(a.Row); err != nil {
		return benchmark.Entry{}, err
	}
	return benchmark.Entry{Answer: fmt.Sprintf("Row %d.\n<Answer>Correct</Answer>", a.Row), TokensIn: 3, TokensOut: 1}, nil
}

// Rows that fail stay open and are asked again; what was answered is not.
func TestJudgeKeepsRowsOpen(t *testing.T) {
	task, path := task(t, "processbench", "processbench", benchmark.ByStep), filepath.Join(t.TempDir(), "a.jsonl")
	lost := fmt.Errorf("%w: no answer", games.ErrLost)
	calls := &atomic.Int64{}
	n := len(task.Asks())
	outcome := judge(t, task, flaky{calls, func(row int) error {
		if row%10 == 3 {
			return lost
		}
		return nil
	}}, path)
	report, err := task.Score(outcome)
	if err != nil {
		t.Fatal(err)
	}
	if open := 9; len(outcome.Missing) != open || report.Missing != open || report.Answered != n-open || report.TokensIn != int64(3*(n-open)) {
		t.Errorf("%+v", report)
	}
	if outcome.Missing[0].Row != 3 || outcome.Missing[1].Row != 13 || !errors.Is(outcome.Missing[0].Err, games.ErrLost) {
		t.Errorf("%+v", outcome.Missing)
	}
	// A solution with a step that is missing is in no score of whole solutions.
	if total := report.FirstError.Total; total.Correct.N+total.Erroneous.N >= 32 || total.Erroneous.Hits > 0 || total.Correct.Accuracy != 1 {
		t.Errorf("%+v", total)
	}
	before := calls.Load()
	outcome = judge(t, task, flaky{calls, func(int) error { return nil }}, path)
	if calls.Load()-before != 9 || len(outcome.Missing) != 0 || len(outcome.Entries) != n {
		t.Errorf("%d calls, %d missing, %d answers", calls.Load()-before, len(outcome.Missing), len(outcome.Entries))
	}
	for row, e := range outcome.Entries {
		if e.Answer != fmt.Sprintf("Row %d.\n<Answer>Correct</Answer>", row) {
			t.Errorf("row %d: %+v", row, e)
		}
	}
}

// An interruption ends it with its cause and keeps what was answered.
func TestJudgeInterrupted(t *testing.T) {
	task, path := task(t, "processbench", "processbench", benchmark.ByStep), filepath.Join(t.TempDir(), "a.jsonl")
	journal, err := benchmark.OpenJournal(path, task, "test")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	stop := errors.New("stopped by hand")
	calls := &atomic.Int64{}
	_, err = benchmark.Judge(ctx, task, flaky{calls, func(int) error {
		if calls.Load() > 30 {
			cancel(stop)
		}
		return nil
	}}, journal, benchmark.Options{})
	if !errors.Is(err, stop) || len(journal.Entries()) != 31 { // the answer that came with it counts
		t.Errorf("%v, %d answers", err, len(journal.Entries()))
	}
	if err := journal.Close(); err != nil {
		t.Fatal(err)
	}
	outcome := judge(t, task, flaky{calls, func(int) error { return nil }}, path)
	if len(outcome.Entries) != len(task.Asks()) || calls.Load() != int64(len(task.Asks())) {
		t.Errorf("%d answers, %d calls", len(outcome.Entries), calls.Load())
	}
}

// Whatever was cut off a journal, what is whole in it is kept, and nothing else.
func TestJournalCutAnywhere(t *testing.T) {
	task, path := task(t, "spc", "spc/pairs.jsonl", ""), filepath.Join(t.TempDir(), "a.jsonl")
	judge(t, task, benchmark.Coin{Seed: 1}, path)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for cut := 0; cut <= len(text); cut += 7 {
		if cut > 0 && cut < 10 {
			continue // not enough to know it by
		}
		write(t, path, text[:cut])
		journal, err := benchmark.OpenJournal(path, task, "test")
		if err != nil {
			t.Fatalf("cut at %d: %v", cut, err)
		}
		if want := max(0, strings.Count(string(text[:cut]), "\n")-1); len(journal.Entries()) != want {
			t.Errorf("cut at %d: %d answers, expected %d", cut, len(journal.Entries()), want)
		}
		if err := journal.Close(); err != nil {
			t.Fatal(err)
		}
		outcome := judge(t, task, benchmark.Coin{Seed: 1}, path)
		if again, err := os.ReadFile(path); err != nil || len(outcome.Entries) != len(task.Asks()) || len(again) != len(text) {
			t.Fatalf("cut at %d: %d answers, %d bytes, %v", cut, len(outcome.Entries), len(again), err)
		}
	}
}

func TestNewTaskRefuses(t *testing.T) {
	for _, c := range []struct {
		bench, by string
		votes     int
		want      string
	}{
		{"spc", "solution", 1, "benchmark: spc cannot be asked by solution; expected step"},
		{"gsm8k", "step", 1, "benchmark: gsm8k cannot be asked by step; expected answer"},
		{"processbench", "", 0, "benchmark: got 0 votes, expected 1 or more"},
		{"processbench", "step", 8, "benchmark: got 8 votes, expected 1: only the first error of a whole solution is voted on"},
		{"deltabench", "", 8, "benchmark: got 8 votes, expected 1: only the first error of a whole solution is voted on"},
	} {
		_, err := benchmark.NewTask(open(t, c.bench, c.bench), c.by, c.votes)
		if err == nil || err.Error() != c.want {
			t.Errorf("got %v, expected %s", err, c.want)
		}
	}
}
