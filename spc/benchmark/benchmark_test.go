package benchmark_test

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/agon-rl/agon/spc/benchmark"
)

func TestProcessBench(t *testing.T) {
	set := open(t, "processbench", "processbench")
	if len(set.Solutions) != 32 || set.Problems != nil || set.Skipped != 0 {
		t.Fatalf("%d solutions, %d problems, %d skipped", len(set.Solutions), len(set.Problems), set.Skipped)
	}
	s := set.Solutions[9]
	want := benchmark.Solution{
		ID: "math-1", Subset: "math", Generator: "agon", Problem: "5(6x + 8) = 5x - 9",
		Steps: []string{"30x + 40 = 5x - 9", "30x = 5x + 31", "35x = 10x + 31", "25x = 31", "x = 31/25"},
		First: 1, Wrong: []int{1}, Origin: benchmark.Origin{Domain: "equations", Seed: 101},
	}
	if !reflect.DeepEqual(s, want) {
		t.Errorf("%+v\nexpected\n%+v", s, want)
	}
	questions := s.Questions()
	if q := questions[1]; len(questions) != 2 || questions[0].Wrong || !q.Wrong || q.ID != "math-1/1" || q.Step != s.Steps[1] || !slices.Equal(q.Prefix, s.Steps[:1]) || q.Seed != 101 {
		t.Errorf("%+v", questions)
	}
	if len(set.Solutions[8].Questions()) != 5 {
		t.Errorf("a right solution of 5 steps asks %d questions", len(set.Solutions[8].Questions()))
	}
}

// Copies that pyarrow and Python's csv module wrote hold what the originals do.
func TestCopiesAgree(t *testing.T) {
	for name, copied := range map[string]string{"processbench": "processbench-parquet", "gsm8k": "gsm8k-parquet", "deltabench": "deltabench-csv"} {
		if one, other := open(t, name, name), open(t, name, copied); !reflect.DeepEqual(one, other) {
			t.Errorf("%s and %s differ:\n%+v\n%+v", name, copied, one, other)
		}
	}
}

func TestSPC(t *testing.T) {
	set := open(t, "spc", "spc")
	pairs := open(t, "spc", "spc/pairs.jsonl").Questions
	if len(pairs) != 32 || len(set.Questions) != 64 {
		t.Fatalf("%d questions of pairs, %d in all", len(pairs), len(set.Questions))
	}
	for i := 0; i < len(pairs); i += 2 {
		right, wrong := pairs[i], pairs[i+1]
		if right.Wrong || !wrong.Wrong || right.Step == wrong.Step || !slices.Equal(right.Prefix, wrong.Prefix) {
			t.Errorf("%+v\n%+v", right, wrong)
		}
	}
	if q := pairs[1]; q.ID != "1/incorrect" || q.Subset != "pairs" {
		t.Errorf("%+v", q)
	}
	// A file of the evaluation asks what the solution that it is made of asks last.
	for i, s := range open(t, "processbench", "processbench").Solutions {
		q, all := set.Questions[32+i], s.Questions()
		last := all[len(all)-1]
		if q.Wrong != last.Wrong || q.Step != last.Step || q.Problem != last.Problem || strings.Join(q.Prefix, "") != strings.Join(last.Prefix, "\n\n") || q.Subset != s.Subset {
			t.Errorf("%+v\n%+v", q, last)
		}
	}
}

func TestPRM800K(t *testing.T) {
	want := open(t, "processbench", "processbench").Solutions
	set := open(t, "prm800k", "prm800k/phase2.jsonl")
	if len(set.Solutions) != len(want)-2 || set.Skipped != 2 {
		t.Fatalf("%d solutions, %d skipped", len(set.Solutions), set.Skipped)
	}
	want = slices.Delete(slices.Clone(want), 2, 3)[1:] // a bad problem, and one given up
	rated := 0
	for i, s := range set.Solutions {
		steps := want[i].Steps
		if want[i].First >= 0 {
			steps = steps[:want[i].First+1]
			rated++ // the alternative to the wrong step
		}
		if s.First != want[i].First || !slices.Equal(s.Steps, steps) || s.FinalCorrect != (s.First < 0) {
			t.Errorf("%+v\n%+v", s, want[i])
		}
		rated += len(s.Steps)
	}
	if given := 3; len(set.Questions) != rated+given {
		t.Errorf("%d questions, expected %d", len(set.Questions), rated+given)
	}

	set = open(t, "prm800k", "prm800k/phase1.jsonl")
	wrong := 0
	for _, s := range set.Solutions {
		if s.First != -1 || !s.FinalCorrect {
			t.Errorf("%+v", s)
		}
	}
	for _, q := range set.Questions {
		if q.Step == "Not rated." {
			t.Errorf("%+v", q)
		}
		if q.Wrong {
			wrong++
		}
	}
	if len(set.Solutions) != 16 || wrong != 16 {
		t.Errorf("%d solutions, %d wrong steps", len(set.Solutions), wrong)
	}
}

func TestDeltaBench(t *testing.T) {
	set, from := open(t, "deltabench", "deltabench"), open(t, "processbench", "processbench").Solutions
	more := 0
	for i, s := range set.Solutions {
		if s.FinalCorrect != from[i].FinalCorrect || !slices.Equal(s.Steps, from[i].Steps) {
			t.Errorf("%+v\n%+v", s, from[i])
		}
		if (s.First < 0) != (from[i].First < 0) || s.First >= 0 && !slices.Contains(s.Wrong, from[i].First) {
			t.Errorf("%+v\n%+v", s, from[i])
		}
		if len(s.Wrong) > 1 {
			more++
		}
	}
	if more == 0 {
		t.Error("no solution has several wrong sections")
	}
}

// A solution may speak of its sections without beginning one.
func TestSections(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "d.jsonl"), []byte(strings.Replace(goodRows["deltabench"], `section1:\nOne\nsection2: Two`, `Section 1: One\nsection1: again\nsection3: not yet\nas in section2: it\nsection2: Two`, 1)))
	set, err := benchmark.Open("deltabench", dir)
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"One\nsection1: again\nsection3: not yet\nas in section2: it", "Two"}; !slices.Equal(set.Solutions[0].Steps, want) {
		t.Errorf("%q", set.Solutions[0].Steps)
	}
}

func TestGold(t *testing.T) {
	for _, name := range []string{"gsm8k", "math"} {
		set := open(t, name, name)
		if len(set.Problems) != 8 {
			t.Fatalf("%s: %d problems", name, len(set.Problems))
		}
		file, err := os.ReadFile(filepath.Join("..", "..", "testdata", "benchmarks", name, "test.jsonl"))
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range strings.Split(strings.TrimSpace(string(file)), "\n") {
			p := set.Problems[i]
			if !strings.Contains(line, "#### "+p.Gold+`"`) && !strings.Contains(line, `boxed{`+p.Gold+`}`) {
				t.Errorf("%s: %q of %s", name, p.Gold, line)
			}
			if got, found := benchmark.Final("The answer is " + p.Gold + "."); !found || !benchmark.Equal(got, p.Gold) {
				t.Errorf("%s: %q is not %q", name, got, p.Gold)
			}
		}
	}
	dir := t.TempDir()
	write(t, filepath.Join(dir, "test.jsonl"), []byte(`{"question":"How much?","answer":"It is 1,200.\n#### 1,200 "}`))
	set, err := benchmark.Open("gsm8k", dir)
	if err != nil || set.Problems[0].Gold != "1200" || set.Problems[0].ID != "test-0" {
		t.Errorf("%+v, %v", set, err)
	}
}

func TestParseVerdict(t *testing.T) {
	for text, want := range map[string]benchmark.Verdict{
		"<Answer>Correct</Answer>":                               benchmark.Correct,
		"so\n<answer> incorrect\n</answer>.":                     benchmark.Incorrect,
		"<Answer>Correct</Answer> and <Answer>Correct</Answer>":  benchmark.Correct,
		"<Answer>Correct</Answer> <Answer>Incorrect</Answer>":    benchmark.Invalid,
		"<Answer>Incorrect</Answer> <Answer>Correct</Answer>":    benchmark.Invalid,
		"<Answer>Correct or not</Answer>":                        benchmark.Invalid,
		"<Answer>Maybe</Answer> then <Answer>Incorrect</Answer>": benchmark.Invalid,
		"Correct":         benchmark.Invalid,
		"<Answer>Correct": benchmark.Invalid,
		"":                benchmark.Invalid,
	} {
		if got := benchmark.ParseVerdict(text); got != want {
			t.Errorf("%q: got %d, expected %d", text, got, want)
		}
	}
}

func TestParseFirst(t *testing.T) {
	for text, want := range map[string]int{
		`\boxed{3}`: 3, `\boxed{-1}`: -1, `\boxed{1} no, \boxed{ 2 }`: 2, `\boxed{1} or \boxed{none}`: benchmark.Unread,
		`3`: benchmark.Unread, `\boxed{}`: benchmark.Unread, `\boxed{1.5}`: benchmark.Unread, `\boxed{99999999999999999999}`: benchmark.Unread,
	} {
		if got := benchmark.ParseFirst(text); got != want {
			t.Errorf("%q: got %d, expected %d", text, got, want)
		}
	}
}

func TestVote(t *testing.T) {
	for want, answers := range map[int][]string{
		2:                {`\boxed{1}`, `\boxed{2}`, `\boxed{2}`},
		1:                {`\boxed{1}`, `\boxed{2}`, `\boxed{2}`, `\boxed{1}`}, // of equals the first
		0:                {"nothing", "nothing", `\boxed{0}`},
		benchmark.Unread: {`\boxed{x}`, `\boxed{1}`, `\boxed{x}`},
	} {
		if got := benchmark.Vote(answers); got != want {
			t.Errorf("%q: got %d, expected %d", answers, got, want)
		}
	}
	if got := benchmark.Vote([]string{"nothing"}); got != benchmark.Unread {
		t.Errorf("no vote gives %d", got)
	}
}

func TestParseSections(t *testing.T) {
	for text, want := range map[string][]int{
		"Conclusion: no": {},
		"Conclusion: **Yes**\nError Section Number: 3\nExplanation: 7\nError section number: section 1\n": {2, 0},
		"Conclusion: yes": nil,
		"I do not know":   nil,
	} {
		if got := benchmark.ParseSections(text); !reflect.DeepEqual(got, want) {
			t.Errorf("%q: got %#v, expected %#v", text, got, want)
		}
	}
}

func TestFirstIncorrect(t *testing.T) {
	const c, i, x = benchmark.Correct, benchmark.Incorrect, benchmark.Invalid
	for _, test := range []struct {
		verdicts []benchmark.Verdict
		want     int
	}{{nil, -1}, {[]benchmark.Verdict{c, c}, -1}, {[]benchmark.Verdict{c, i, x}, 1}, {[]benchmark.Verdict{c, x, i}, benchmark.Unread}} {
		if got := benchmark.FirstIncorrect(test.verdicts); got != test.want {
			t.Errorf("%v: got %d, expected %d", test.verdicts, got, test.want)
		}
	}
}

// A prompt holds all that the critic may know, and its own form parses.
func TestPrompts(t *testing.T) {
	s := open(t, "processbench", "processbench").Solutions[9]
	system, user := benchmark.CriticPrompt(s.Questions()[1])
	for _, want := range []string{"## Problem\n" + s.Problem, "## Partial Solution\n" + s.Steps[0] + "\n", "## Last Step\n" + s.Steps[1]} {
		if !strings.Contains(user, want) {
			t.Errorf("%q is not in %q", want, user)
		}
	}
	if !strings.Contains(system, "<Answer>Incorrect</Answer>") || strings.Contains(user, s.Steps[2]) {
		t.Errorf("%q\n%q", system, user)
	}
	if _, user = benchmark.CriticPrompt(s.Questions()[0]); !strings.Contains(user, "## Partial Solution\nLet's solve this problem.\n") {
		t.Errorf("%q", user)
	}
	prompt := benchmark.FirstErrorPrompt(s)
	for _, want := range []string{s.Problem, "<paragraph_0>\n" + s.Steps[0] + "\n</paragraph_0>", "<paragraph_4>\n" + s.Steps[4], `\boxed{`} {
		if !strings.Contains(prompt, want) {
			t.Errorf("%q is not in %q", want, prompt)
		}
	}
	if prompt := benchmark.SectionsPrompt(s); !strings.Contains(prompt, "section1:\n"+s.Steps[0]) || !strings.Contains(prompt, "section5:\n") {
		t.Errorf("%q", prompt)
	}
}
