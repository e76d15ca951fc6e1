package benchmark_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/agon-rl/agon/games"
	_ "github.com/agon-rl/agon/games/equations"
	_ "github.com/agon-rl/agon/games/horn"
	"github.com/agon-rl/agon/games/problem"
	_ "github.com/agon-rl/agon/games/wordproblem"
	"github.com/agon-rl/agon/spc/benchmark"
)

var update = flag.Bool("update", false, "write testdata anew; then run testdata/spc/record.py")

// The files of testdata have the published schemas and hold derivations of
// Agon's own domains, some with a slip. The CSV and Parquet copies and the scores
// are by testdata/spc/record.py.
func TestWriteFixtures(t *testing.T) {
	if !*update {
		t.Skip("-update is not set")
	}
	r := rand.New(rand.NewPCG(20, 25))
	var drawn []derived
	for i, f := range []struct{ file, domain string }{
		{"gsm8k", "word_problem"}, {"math", "equations"}, {"olympiadbench", "horn"}, {"omnimath", "word_problem(people=7)"},
	} {
		var rows []object
		for n := range 8 {
			d := derive(t, r, f.domain, int64(100*i+n), n%2 == 1)
			drawn = append(drawn, d)
			rows = append(rows, d.processBench(f.file, n))
		}
		writeArray(t, "processbench/"+f.file+".json", rows)
	}
	var steps, pairs, phase1, phase2, delta, words, equations []object
	for i, d := range drawn {
		steps = append(steps, d.spcStep(i))
		delta = append(delta, d.deltaBench(i))
		if d.first >= 0 {
			pairs = append(pairs, d.spcPair(i))
			phase1 = append(phase1, d.phase1())
		}
		phase2 = append(phase2, d.phase2())
		last := d.right[len(d.right)-1]
		switch {
		case i < 8:
			words = append(words, object{"question": d.problem, "answer": strings.Join(d.right, "\n") + "\n#### " + last[strings.LastIndex(last, " ")+1:]})
		case i < 16:
			answer := strings.TrimPrefix(last, "x = ")
			equations = append(equations, object{"problem": "Solve $" + d.problem + "$.", "level": "Level 1", "type": "Algebra", "solution": strings.Join(d.right, ", so ") + `: the answer is \boxed{` + answer + "}."})
		}
	}
	phase2[0]["label"].(object)["finish_reason"] = "bad_problem"
	phase2[2]["label"].(object)["finish_reason"] = "give_up"
	for name, rows := range map[string][]object{
		"spc/steps": steps, "spc/pairs": pairs, "prm800k/phase1": phase1, "prm800k/phase2": phase2,
		"deltabench/deltabench": delta, "gsm8k/test": words, "math/test": equations,
	} {
		writeLines(t, name+".jsonl", rows)
	}
	writeVerdicts(t, r)
}

type object map[string]any

// derived is a derivation, its first wrong step, and the same one without it.
type derived struct {
	domain      string
	seed        int64
	problem     string
	steps       []string
	first       int // -1 without a slip
	right       []string
	rightAnswer bool
}

func derive(t *testing.T, r *rand.Rand, domain string, seed int64, slip bool) derived {
	t.Helper()
	game, err := games.New(domain)
	if err != nil {
		t.Fatal(err)
	}
	s := game.Start()
	if err := s.Apply(games.Action(seed)); err != nil {
		t.Fatal(err)
	}
	d := derived{domain: domain, seed: seed, first: -1, problem: strings.Split(s.(games.Speaker).Prompt(0), "\n\n")[1]}
	d.right, _ = walk(t, r, s.Clone(), -1)
	d.steps = d.right
	if slip {
		d.steps, d.first = walk(t, r, s, r.IntN(len(d.right)))
	}
	d.rightAnswer = d.steps[len(d.steps)-1] == d.right[len(d.right)-1]
	return d
}

// walk solves a problem, but for one wrong step from the given one on.
func walk(t *testing.T, r *rand.Rand, s games.State, slipAt int) (steps []string, first int) {
	t.Helper()
	first = -1
	for s.Turn() != games.Over {
		var choices []problem.Line
		var next []games.State
		slipNow := slipAt >= 0 && first < 0 && len(steps) >= slipAt
		for _, a := range s.Actions(nil) {
			lines := s.(problem.Solution).Next()
			line := lines[slices.IndexFunc(lines, func(l problem.Line) bool { return l.Action == a })]
			if line.Slip == problem.LeadsAway {
				line.Slip = ""
			}
			after := s.Clone()
			if err := after.Apply(a); err != nil {
				t.Fatal(err)
			}
			leads := first >= 0 || after.(problem.Verified).Solvable()
			if slipNow == (line.Slip != "") && (slipNow || leads) {
				choices, next = append(choices, line), append(next, after)
			}
		}
		if choices == nil {
			return steps, first
		}
		i := r.IntN(len(choices))
		if choices[i].Slip != "" {
			first = len(steps)
		}
		steps, s = append(steps, choices[i].Text), next[i]
	}
	return steps, first
}

func (d derived) processBench(file string, n int) object {
	return object{
		"id": fmt.Sprintf("%s-%d", file, n), "generator": "agon", "problem": d.problem, "steps": d.steps,
		"final_answer_correct": d.rightAnswer, "label": d.first, "domain": d.domain, "seed": d.seed,
	}
}

func (d derived) at() int {
	if d.first >= 0 {
		return d.first
	}
	return len(d.steps) - 1
}

func (d derived) spcStep(i int) object {
	label := 1
	if d.first >= 0 {
		label = -1
	}
	key := []string{"process_bench_human_label", "delta_bench_human_label"}[i%2]
	return object{
		"problem": d.problem, "partial_solution": strings.Join(d.steps[:d.at()], "\n\n"), "next_step": d.steps[d.at()],
		key: label, "data_type": []string{"gsm8k", "math", "olympiadbench", "omnimath"}[i/8], "file_name": fmt.Sprintf("%d.json", i),
	}
}

func (d derived) spcPair(i int) object {
	right := d.right[min(d.first, len(d.right)-1)]
	return object{
		"problem": d.problem, "partial_solution": strings.Join(d.steps[:d.first], "\n\n"),
		"correct_last_step": right, "incorrect_last_step": d.steps[d.first], "id": i,
	}
}

func rated(text string, rating int) object {
	return object{"text": text, "rating": rating, "flagged": nil}
}

func labelled(problem string, generated any, finish string, steps []object) object {
	return object{
		"labeler": "0", "timestamp": "2025-01-01T00:00:00", "generation": nil, "is_quality_control_question": false,
		"is_initial_screening_question": false,
		"question": object{
			"problem": problem, "ground_truth_answer": "", "ground_truth_solution": nil, "pre_generated_steps": generated,
			"pre_generated_answer": nil, "pre_generated_verifier_score": nil,
		},
		"label": object{"steps": steps, "total_time": 1000, "finish_reason": finish},
	}
}

// phase2 rates one completion a step, up to the first error.
func (d derived) phase2() object {
	var steps []object
	for i, text := range d.steps[:d.at()+1] {
		step := object{"completions": []object{rated(text, i%2)}, "human_completion": nil, "chosen_completion": 0}
		if i == d.first {
			step = object{"completions": []object{rated("Another error.", -1), rated(text, -1)}, "human_completion": nil, "chosen_completion": nil}
		}
		steps = append(steps, step)
	}
	finish := "solution"
	if d.first >= 0 {
		finish = "found_error"
	}
	return labelled(d.problem, d.steps, finish, steps)
}

// phase1 rates alternatives; the labeller writes a step where all are wrong.
func (d derived) phase1() object {
	var steps []object
	for i, text := range d.right {
		step := object{"completions": []object{rated(text, 1)}, "human_completion": nil, "chosen_completion": 0}
		if i == d.first {
			step = object{
				"completions":      []object{rated(d.steps[i], -1), {"text": "Not rated.", "rating": nil}},
				"human_completion": object{"text": text, "rating": nil, "source": "human"}, "chosen_completion": nil,
			}
		}
		steps = append(steps, step)
	}
	return labelled(d.problem, nil, "solution", steps)
}

func (d derived) deltaBench(i int) object {
	var b strings.Builder
	for n, step := range d.steps {
		fmt.Fprintf(&b, "section%d:\n%s\n\n", n+1, step)
	}
	wrong, unuseful := []int{}, []int{}
	if d.first >= 0 {
		wrong = append(wrong, d.first+1)
		if i%4 == 1 && d.first > 0 {
			unuseful = append(unuseful, d.first, d.first+1)
		}
	}
	content := []string{"sections_content", "section_content"}[i/31]
	return object{
		"id": fmt.Sprintf("delta-%d", i), "question": d.problem, "answer": "", "origin": "agon", "task_l1": []string{"Math", "Programming", "PCB", "General"}[i%4],
		"task_l2": "", "final_correct": d.rightAnswer, content: b.String(), "reason_error_section_numbers": wrong,
		"reason_unuseful_section_numbers": unuseful, "reflection_section_numbers": []int{}, "stragegy_shift_section_numbers": []int{1},
	}
}

// verdicts are answers of a critic that errs and at times says nothing of use.
type verdicts struct {
	FirstError []string   `json:"first_error"` // to processbench's solutions
	Votes      [][]string `json:"votes"`       // 8 to each of them
	Steps      []string   `json:"steps"`       // to spc's questions
	Sections   []string   `json:"sections"`    // to deltabench's solutions
	// To each step of processbench up to the first wrong one, of prm800k that was
	// rated, and of deltabench.
	ProcessSteps []string `json:"process_steps"`
	PRMSteps     []string `json:"prm_steps"`
	DeltaSteps   []string `json:"delta_steps"`
	GSM8K        []string `json:"gsm8k"`
	MATH         []string `json:"math"`
}

func writeVerdicts(t *testing.T, r *rand.Rand) {
	t.Helper()
	var v verdicts
	first := func(s benchmark.Solution) string {
		return pick(r, fmt.Sprintf(`It may be \boxed{9}, but no: \boxed{%d}`, s.First), fmt.Sprintf(`\boxed{ %d }`, r.IntN(len(s.Steps)+1)-1), `\boxed{none}`, "I cannot tell.")
	}
	for _, s := range open(t, "processbench", "processbench").Solutions {
		v.FirstError = append(v.FirstError, first(s))
		samples := make([]string, 8)
		for i := range samples {
			samples[i] = fmt.Sprintf(`\boxed{%d}`, r.IntN(len(s.Steps)+1)-1)
			if r.IntN(4) == 0 {
				samples[i] = first(s)
			}
		}
		v.Votes = append(v.Votes, samples)
	}
	step := func(r *rand.Rand, q benchmark.Question) string {
		right, other := "Correct", "Incorrect"
		if q.Wrong {
			right, other = other, right
		}
		return pick(r, "Fine. <Answer>"+right+"</Answer>", "<Answer>"+strings.ToLower(other)+"</Answer>", "<Answer>Maybe</Answer>", "Correct")
	}
	for _, q := range open(t, "spc", "spc").Questions {
		v.Steps = append(v.Steps, step(r, q))
	}
	for _, s := range open(t, "deltabench", "deltabench").Solutions {
		var b strings.Builder
		for _, w := range s.Wrong {
			fmt.Fprintf(&b, "\nError Section Number: %d\nExplanation: a slip", w+1)
		}
		some := fmt.Sprintf("Conclusion: yes\nError Section Number: %d\nExplanation: 1 or 2 slips\nError Section Number: %d\nExplanation: more", 1+r.IntN(len(s.Steps)), 1+r.IntN(len(s.Steps)))
		v.Sections = append(v.Sections, pick(r, "Conclusion: Yes"+b.String()+"\nError Section Number: 1\nExplanation: none", some, "Conclusion: no", "I cannot tell."))
	}
	for name, to := range map[string]*[]string{"processbench": &v.ProcessSteps, "prm800k": &v.PRMSteps, "deltabench": &v.DeltaSteps} {
		r := rand.New(rand.NewPCG(uint64(len(name)), 25)) // maps have no order
		task, err := benchmark.NewTask(open(t, name, name), benchmark.ByStep, 1)
		if err != nil {
			t.Fatal(err)
		}
		for _, ask := range task.Asks() {
			q := *ask.Question
			text := step(r, q)
			for r.IntN(3) > 0 && benchmark.ParseVerdict(text) == benchmark.Invalid { // whole solutions shall be read
				text = step(r, q)
			}
			*to = append(*to, text)
		}
	}
	for i, p := range open(t, "gsm8k", "gsm8k").Problems {
		forms := []string{"So it is 3 + 4.\nThe answer is $" + p.Gold + "$ dollars.", `\boxed{` + p.Gold + `}`, "It is 1" + p.Gold + ".", "I cannot tell."}
		v.GSM8K = append(v.GSM8K, forms[i%len(forms)])
	}
	for i, p := range open(t, "math", "math").Problems {
		over, under, _ := strings.Cut(p.Gold, "/")
		forms := []string{`\boxed{` + p.Gold + `}`, `\boxed{x = \frac{` + over + `}{` + under + `}}`, `\boxed{` + over + `}`, "No idea."}
		v.MATH = append(v.MATH, forms[i%len(forms)])
	}
	writeArray(t, "verdicts.json", v)
}

// pick takes the first text most of the time.
func pick(r *rand.Rand, texts ...string) string {
	if r.IntN(3) > 0 {
		return texts[0]
	}
	return texts[r.IntN(len(texts))]
}

func writeArray(t *testing.T, name string, v any) {
	t.Helper()
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	if err := e.Encode(v); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join("..", "..", "testdata", "benchmarks", name), b.Bytes())
}

func writeLines(t *testing.T, name string, rows []object) {
	t.Helper()
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	for _, row := range rows {
		if err := e.Encode(row); err != nil {
			t.Fatal(err)
		}
	}
	write(t, filepath.Join("..", "..", "testdata", "benchmarks", name), b.Bytes())
}

func write(t testing.TB, path string, text []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text, 0o644); err != nil {
		t.Fatal(err)
	}
}

func open(t testing.TB, name, folder string) *benchmark.Set {
	t.Helper()
	set, err := benchmark.Open(name, filepath.Join("..", "..", "testdata", "benchmarks", folder))
	if err != nil {
		t.Fatal(err)
	}
	return set
}
