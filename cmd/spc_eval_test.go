package cmd_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/agon-rl/agon/cmd"
	_ "github.com/agon-rl/agon/games/standard"
	"github.com/agon-rl/agon/policy/backend"
	"github.com/agon-rl/agon/spc/benchmark"
	"github.com/agon-rl/agon/trainer"
	"github.com/agon-rl/agon/trainer/run"
)

// A test that kills the program starts it as this test binary.
func TestMain(m *testing.M) {
	if os.Getenv("AGON_TEST_PROGRAM") != "" {
		os.Exit(cmd.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

const fixtures = "../testdata/benchmarks/"

// agon runs the program.
func agon(t *testing.T, args ...string) (status int, out, errOut string) {
	t.Helper()
	t.Setenv("AGON_BACKEND", "go")
	var o, e bytes.Buffer
	status = cmd.Main(args, strings.NewReader(""), &o, &e)
	return status, o.String(), e.String()
}

// judged is what spc eval --json prints.
type judged struct {
	Asks, Answered, Invalid, Missing, Refused int
	Calls, Retries                            int
	benchmark.Scores
	Valid benchmark.Scores
}

func judge(t *testing.T, args ...string) judged {
	t.Helper()
	status, out, errOut := agon(t, append([]string{"spc", "eval", "--json"}, args...)...)
	if told := regexp.MustCompile(`(?m)^\S+ INF backend .*\n`).ReplaceAllString(errOut, ""); status != 0 || told != "" {
		t.Fatalf("%v: status %d: %s", args, status, errOut)
	}
	return parse(t, out)
}

func parse(t *testing.T, out string) (j judged) {
	t.Helper()
	if err := json.Unmarshal([]byte(out), &j); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return j
}

// endpoint speaks the protocol of chat completions.
type endpoint struct {
	*httptest.Server
	answer func(prompt string) string
	fault  func(w http.ResponseWriter, r *http.Request) bool // may spoil a call instead

	mu              sync.Mutex
	calls, answered int
}

func serve(t *testing.T, answer func(prompt string) string) *endpoint {
	t.Helper()
	e := &endpoint{answer: answer}
	e.Server = httptest.NewServer(e)
	t.Cleanup(e.Close)
	return e
}

func (e *endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var q struct{ Messages []struct{ Content string } }
	if err := json.NewDecoder(r.Body).Decode(&q); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	e.mu.Lock()
	e.calls++
	e.mu.Unlock()
	if e.fault != nil && e.fault(w, r) {
		return
	}
	prompt := q.Messages[len(q.Messages)-1].Content
	e.mu.Lock()
	text := e.answer(prompt)
	e.answered++
	e.mu.Unlock()
	_ = json.NewEncoder(w).Encode(map[string]any{
		"choices": []any{map[string]any{"message": map[string]any{"role": "assistant", "content": text}}},
		"usage":   map[string]any{"prompt_tokens": 10, "completion_tokens": 2},
	})
}

func (e *endpoint) agent(settings string) string {
	return "openai:model=m,url=" + e.URL + "/v1" + settings
}

// inTurn answers each prompt by the texts recorded for it, in their order.
func inTurn(t *testing.T, task *benchmark.Task, texts []string) func(string) string {
	t.Helper()
	asks := task.Asks()
	if len(asks) != len(texts) {
		t.Fatalf("%d asks, %d recorded answers", len(asks), len(texts))
	}
	queue := map[string][]string{}
	for i, a := range asks {
		queue[a.User] = append(queue[a.User], texts[i])
	}
	return func(prompt string) string {
		texts := queue[prompt]
		if len(texts) == 0 {
			return "asked once too often"
		}
		queue[prompt] = texts[1:]
		return texts[0]
	}
}

type recordedSteps struct {
	Valid, Invalid                              int
	Correct, Erroneous, Average, Harmonic, Mean float64
	Subsets                                     map[string]float64
	Classes                                     map[string]struct{ Correct, Erroneous float64 }
}

type recordedFirsts struct {
	Subsets map[string]struct{ Erroneous, Correct, F1 float64 }
	Mean    float64
}

type recordedSections struct{ Macro, Micro benchmark.PRF }

type recordedAnswers struct {
	Accuracy, Valid float64
	Invalid         int
	Subset          string
}

func load(t *testing.T, name string, v any) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(fixtures, name))
	if err == nil {
		err = json.Unmarshal(text, v)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if math.Abs(got-want) > 1e-12 {
		t.Errorf("%s: got %.17g, recorded %.17g", what, got, want)
	}
}

func nearSteps(t *testing.T, got *benchmark.Table, want recordedSteps) {
	t.Helper()
	if got == nil || len(got.Rows) != len(want.Subsets) {
		t.Fatalf("%+v", got)
	}
	total := got.Total
	if n, invalid := total.Correct.N+total.Erroneous.N, total.Correct.Invalid+total.Erroneous.Invalid; n != want.Valid || invalid != want.Invalid {
		t.Errorf("%d verdicts, %d invalid, recorded %d and %d", n, invalid, want.Valid, want.Invalid)
	}
	near(t, "correct", total.Correct.Accuracy, want.Correct)
	near(t, "erroneous", total.Erroneous.Accuracy, want.Erroneous)
	near(t, "average", total.Average, want.Average)
	near(t, "harmonic", total.Harmonic, want.Harmonic)
	near(t, got.Measure, got.Score, want.Mean)
	for _, r := range got.Rows {
		near(t, r.Subset, r.Plain, want.Subsets[r.Subset])
		near(t, r.Subset+" correct", r.Correct.Accuracy, want.Classes[r.Subset].Correct)
		near(t, r.Subset+" erroneous", r.Erroneous.Accuracy, want.Classes[r.Subset].Erroneous)
	}
}

func nearFirsts(t *testing.T, got *benchmark.Table, want recordedFirsts) {
	t.Helper()
	if got == nil || len(got.Rows) != len(want.Subsets) {
		t.Fatalf("%+v", got)
	}
	near(t, got.Measure, got.Score, want.Mean)
	for _, r := range got.Rows {
		near(t, r.Subset+" F1", r.Harmonic, want.Subsets[r.Subset].F1)
		near(t, r.Subset+" correct", r.Correct.Accuracy, want.Subsets[r.Subset].Correct)
		near(t, r.Subset+" erroneous", r.Erroneous.Accuracy, want.Subsets[r.Subset].Erroneous)
	}
}

func nearSections(t *testing.T, got *benchmark.SectionTable, want recordedSections) {
	t.Helper()
	if got == nil {
		t.Fatal("no table")
	}
	for _, c := range []struct{ got, want benchmark.PRF }{{got.Macro, want.Macro}, {got.Micro, want.Micro}} {
		near(t, "precision", c.got.Precision, c.want.Precision)
		near(t, "recall", c.got.Recall, c.want.Recall)
		near(t, "F1", c.got.F1, c.want.F1)
	}
}

// From an endpoint's answers to the table, the program gives what
// testdata/spc/record.py makes of the same answers by the published rules.
func TestSpcEvalGivesRecordedScores(t *testing.T) {
	var want struct {
		ProcessBench       recordedFirsts
		Vote               recordedFirsts   `json:"processbench_vote"`
		ProcessBenchByStep recordedFirsts   `json:"processbench_by_step"`
		ProcessBenchSteps  recordedSteps    `json:"processbench_steps"`
		SPC                recordedSteps    `json:"spc"`
		PRM                recordedSteps    `json:"prm800k_steps"`
		DeltaBench         recordedSections `json:"deltabench"`
		DeltaBenchByStep   recordedSections `json:"deltabench_by_step"`
		DeltaBenchSteps    recordedSteps    `json:"deltabench_steps"`
		GSM8K, MATH        recordedAnswers
	}
	var v struct {
		FirstError   []string   `json:"first_error"`
		Votes        [][]string `json:"votes"`
		Steps        []string   `json:"steps"`
		Sections     []string   `json:"sections"`
		ProcessSteps []string   `json:"process_steps"`
		PRMSteps     []string   `json:"prm_steps"`
		DeltaSteps   []string   `json:"delta_steps"`
		GSM8K, MATH  []string
	}
	load(t, "scores.json", &want)
	load(t, "verdicts.json", &v)
	var votes []string
	for _, samples := range v.Votes {
		votes = append(votes, samples...)
	}
	answers := func(j judged, want recordedAnswers) {
		near(t, "accuracy", j.Answers.Score, want.Accuracy)
		near(t, "accuracy of valid answers", j.Valid.Answers.Score, want.Valid)
		if row := j.Answers.Rows[0]; row.Subset != want.Subset || row.Invalid != want.Invalid || j.Invalid != want.Invalid {
			t.Errorf("%+v, recorded %+v", j.Answers, want)
		}
	}
	for _, c := range []struct {
		bench, data, by string
		votes           int
		texts           []string
		check           func(judged)
	}{
		{"processbench", "processbench", "", 1, v.FirstError, func(j judged) { nearFirsts(t, j.FirstError, want.ProcessBench) }},
		{"processbench", "processbench-parquet", "solution", 1, v.FirstError, func(j judged) { nearFirsts(t, j.FirstError, want.ProcessBench) }},
		{"processbench", "processbench", "solution", 8, votes, func(j judged) { nearFirsts(t, j.FirstError, want.Vote) }},
		{"processbench", "processbench", "step", 1, v.ProcessSteps, func(j judged) {
			nearFirsts(t, j.FirstError, want.ProcessBenchByStep)
			nearSteps(t, j.Steps, want.ProcessBenchSteps)
		}},
		{"spc", "spc", "", 1, v.Steps, func(j judged) { nearSteps(t, j.Steps, want.SPC) }},
		{"prm800k", "prm800k", "", 1, v.PRMSteps, func(j judged) { nearSteps(t, j.Steps, want.PRM) }},
		{"deltabench", "deltabench", "", 1, v.Sections, func(j judged) { nearSections(t, j.Sections, want.DeltaBench) }},
		{"deltabench", "deltabench-csv", "", 1, v.Sections, func(j judged) { nearSections(t, j.Sections, want.DeltaBench) }},
		{"deltabench", "deltabench", "step", 1, v.DeltaSteps, func(j judged) {
			nearSections(t, j.Sections, want.DeltaBenchByStep)
			nearSteps(t, j.Steps, want.DeltaBenchSteps)
		}},
		{"gsm8k", "gsm8k", "", 1, v.GSM8K, func(j judged) { answers(j, want.GSM8K) }},
		{"gsm8k", "gsm8k-parquet", "answer", 1, v.GSM8K, func(j judged) { answers(j, want.GSM8K) }},
		{"math", "math", "", 1, v.MATH, func(j judged) { answers(j, want.MATH) }},
	} {
		t.Run(fmt.Sprint(c.data, " ", c.by, c.votes), func(t *testing.T) {
			server := serve(t, inTurn(t, newTask(t, c.bench, c.data, c.by, c.votes), c.texts))
			// One at a time: some prompts were answered differently each time.
			args := []string{"--bench", c.bench, "--data", fixtures + c.data, "--agent", server.agent(",parallel=1"), "--votes", fmt.Sprint(c.votes)}
			if c.by != "" {
				args = append(args, "--by", c.by)
			}
			j := judge(t, args...)
			if j.Asks != len(c.texts) || j.Answered != j.Asks || j.Calls != j.Asks || j.Invalid == 0 {
				t.Errorf("%+v, expected %d answers, some of them invalid", j, len(c.texts))
			}
			c.check(j)
		})
	}
}

func newTask(t *testing.T, bench, data, by string, votes int) *benchmark.Task {
	t.Helper()
	set, err := benchmark.Open(bench, fixtures+data)
	if err != nil {
		t.Fatal(err)
	}
	task, err := benchmark.NewTask(set, by, votes)
	if err != nil {
		t.Fatal(err)
	}
	return task
}

// byPrompt is a critic whose answer depends on the prompt alone; some are invalid.
func byPrompt(prompt string) string {
	n := 0
	for _, c := range prompt {
		n = (31*n + int(c)) % 1009
	}
	return []string{"<Answer>Correct</Answer>", "<Answer>Correct</Answer>", "<Answer>Incorrect</Answer>", "<Answer>Correct</Answer>", "I cannot tell."}[n%5]
}

// faulty spoils a share of calls, each kind in its turn.
func faulty(share float64) func(http.ResponseWriter, *http.Request) bool {
	spoils := []func(http.ResponseWriter, *http.Request){
		func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "overloaded", http.StatusInternalServerError)
		},
		func(_ http.ResponseWriter, r *http.Request) { // no answer in time
			_, _ = io.Copy(io.Discard, r.Body)
			<-r.Context().Done()
		},
		func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		func(w http.ResponseWriter, _ *http.Request) { // cut
			w.Header().Set("Content-Length", "1000")
			_, _ = w.Write([]byte(`{"choices":[{"mess`))
		},
		func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>Welcome!</html>")) },
		func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"choices":[]}`)) },
		func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "0.02")
			http.Error(w, `{"error":{"message":"slow down"}}`, http.StatusTooManyRequests)
		},
	}
	var mu sync.Mutex
	r, next := rand.New(rand.NewPCG(1, 2)), 0
	return func(w http.ResponseWriter, q *http.Request) bool {
		mu.Lock()
		if r.Float64() >= share {
			mu.Unlock()
			return false
		}
		spoil := spoils[next%len(spoils)]
		next++
		mu.Unlock()
		spoil(w, q)
		return true
	}
}

var byStep = []string{"--bench", "processbench", "--data", fixtures + "processbench", "--by", "step"}

// reference is what a critic gets whose endpoint never fails.
func reference(t *testing.T) judged {
	t.Helper()
	return judge(t, append(byStep, "--agent", serve(t, byPrompt).agent(""))...)
}

func same(t *testing.T, got, want judged) {
	t.Helper()
	got.Calls, got.Retries, want.Calls, want.Retries = 0, 0, 0, 0
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%+v\nexpected\n%+v", got, want)
	}
}

// An endpoint that fails in a tenth of its calls loses no row and changes no score.
func TestSpcEvalFailingEndpoint(t *testing.T) {
	want := reference(t)
	server := serve(t, byPrompt)
	server.fault = faulty(0.1)
	got := judge(t, append(byStep, "--agent", server.agent(",timeout=1s"))...)
	same(t, got, want)
	if spoilt := server.calls - server.answered; spoilt < 7 || got.Retries != spoilt || got.Calls != server.calls || server.answered != got.Asks {
		t.Errorf("%d calls, %d answered; %d calls, %d retries, %d asks by the program's account", server.calls, server.answered, got.Calls, got.Retries, got.Asks)
	}
	t.Logf("%d asks, %d calls, %d spoilt", got.Asks, got.Calls, server.calls-server.answered)
}

// Where retries do not help, rows are missing, in no score, and asked again by the
// same command until none is.
func TestSpcEvalAsksMissingRowsAgain(t *testing.T) {
	want := reference(t)
	server := serve(t, byPrompt)
	server.fault = faulty(0.2)
	args := append(byStep, "--agent", server.agent(",timeout=1s,retries=0"), "--out", filepath.Join(t.TempDir(), "answers.jsonl"))
	missing := want.Asks
	for try := 0; missing > 0; try++ {
		before := server.calls
		status, out, errOut := agon(t, append([]string{"spc", "eval", "--json"}, args...)...)
		got := parse(t, out)
		if server.calls-before != missing {
			t.Errorf("%d calls for %d open rows", server.calls-before, missing)
		}
		missing = got.Missing
		if n := got.Steps.Total.Correct.N + got.Steps.Total.Erroneous.N + got.Steps.Total.Correct.Invalid + got.Steps.Total.Erroneous.Invalid; n != want.Asks-missing {
			t.Errorf("%d scored or invalid, expected %d", n, want.Asks-missing)
		}
		if missing == 0 {
			same(t, got, want)
			if status != 0 || errOut != "" || try == 0 {
				t.Errorf("status %d, try %d: %s", status, try, errOut)
			}
			break
		}
		if line := fmt.Sprintf("agon: spc eval: %d of %d got no answer and are in no score: the same command asks them again; the first, row ", missing, want.Asks); status != 1 || !strings.HasPrefix(errOut, line) || strings.Count(errOut, "\n") != 1 {
			t.Errorf("status %d: %s", status, errOut)
		}
		t.Logf("%d missing: %s", missing, errOut)
	}
}

// Failures that all rows would meet end it at once, and an endpoint that is gone
// ends it soon; what was answered is kept.
func TestSpcEvalGivesUp(t *testing.T) {
	server := serve(t, byPrompt)
	answered, path := 0, filepath.Join(t.TempDir(), "answers.jsonl")
	for _, c := range []struct {
		fault func(http.ResponseWriter, *http.Request) bool
		want  string
		most  int
	}{
		{func(w http.ResponseWriter, _ *http.Request) bool {
			if answered++; answered > 10 {
				http.Error(w, `{"error":{"message":"no such model"}}`, http.StatusNotFound)
			}
			return answered > 10
		}, `^agon: benchmark: row \S+: model "m" at \S+: 404 Not Found: no such model; 10 of 91 answers are in \S+, and the same command goes on with them\n$`, 11},
		{func(w http.ResponseWriter, _ *http.Request) bool {
			http.Error(w, "gone", http.StatusBadGateway)
			return true
		}, `^agon: benchmark: 24 asks failed one after the other, the last one: .*502 Bad Gateway: gone; 10 of 91 answers are in`, 24},
	} {
		server.fault = c.fault
		before := server.calls
		status, out, errOut := agon(t, append([]string{"spc", "eval"}, append(byStep, "--agent", server.agent(",retries=0,parallel=1"), "--out", path)...)...)
		if status != 1 || out != "" || !regexp.MustCompile(c.want).MatchString(errOut) || server.calls-before != c.most {
			t.Errorf("status %d, %d calls, %q: %s", status, server.calls-before, out, errOut)
		}
	}
	// What a server finds wrong with one request is that row's matter.
	long := false
	server.fault = func(w http.ResponseWriter, _ *http.Request) bool {
		if !long {
			long = true
			http.Error(w, `{"error":{"message":"the prompt is too long"}}`, http.StatusBadRequest)
			return true
		}
		return false
	}
	status, out, errOut := agon(t, append([]string{"spc", "eval", "--json"}, append(byStep, "--agent", server.agent(",parallel=1"))...)...)
	if got := parse(t, out); status != 1 || got.Missing != 1 || got.Answered != got.Asks-1 || !strings.Contains(errOut, "the prompt is too long") || !strings.Contains(errOut, "with --out FILE, what is answered is kept") {
		t.Errorf("status %d: %+v: %s", status, got, errOut)
	}
}

// Killed in the middle, the program goes on where it was, and the end is that of a
// program that was never killed.
func TestSpcEvalKilledAndResumed(t *testing.T) {
	want := reference(t)
	server := serve(t, byPrompt)
	server.fault = func(http.ResponseWriter, *http.Request) bool {
		time.Sleep(20 * time.Millisecond)
		return false
	}
	const parallel = 2
	path := filepath.Join(t.TempDir(), "answers.jsonl")
	args := append(byStep, "--agent", server.agent(fmt.Sprint(",parallel=", parallel)), "--out", path)
	killed := exec.Command(os.Args[0], append([]string{"spc", "eval"}, args...)...)
	killed.Env = append(os.Environ(), "AGON_TEST_PROGRAM=1", "AGON_BACKEND=go")
	if err := killed.Start(); err != nil {
		t.Fatal(err)
	}
	kept := 0
	for deadline := time.Now().Add(60 * time.Second); kept < 20 && time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		text, _ := os.ReadFile(path)
		kept = bytes.Count(text, []byte{'\n'})
	}
	if err := killed.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := killed.Wait(); err == nil || killed.ProcessState.Success() {
		t.Fatal("it was not killed")
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	answered := bytes.Count(text, []byte{'\n'}) - 1
	if answered < 19 || answered >= want.Asks {
		t.Fatalf("%d of %d answers kept", answered, want.Asks)
	}
	// A crash of the machine may leave half a line.
	if err := os.WriteFile(path, append(text, `{"row":90,"id":"omni`...), 0o600); err != nil {
		t.Fatal(err)
	}
	got := judge(t, args...)
	same(t, got, want)
	if got.Calls != want.Asks-answered {
		t.Errorf("%d calls, %d of %d answers were kept", got.Calls, answered, want.Asks)
	}
	t.Logf("killed after %d of %d answers, %d calls to go on", answered, want.Asks, got.Calls)
	// Once more, there is nothing to ask.
	got = judge(t, args...)
	same(t, got, want)
	if got.Calls != 0 {
		t.Errorf("%d calls", got.Calls)
	}
}

// train trains a small pair of players and returns the run's folder.
func train(t *testing.T, recipe string) string {
	t.Helper()
	r, err := trainer.ReadRecipe([]byte(recipe), nil)
	if err != nil {
		t.Fatal(err)
	}
	text, err := r.YAML()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "run")
	folder, err := run.Create(dir, text)
	if err != nil {
		t.Fatal(err)
	}
	defer folder.Close()
	b, _, err := backend.Open("go")
	if err != nil {
		t.Fatal(err)
	}
	result, err := trainer.Train(t.Context(), folder, trainer.Options{Backend: b, Workers: 2, Log: zerolog.Nop()})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v", result)
	return dir
}

// A network trained on generated problems judges rows of files: those of its domain,
// and no others.
func TestSpcEvalNetwork(t *testing.T) {
	folder := train(t, "method: critic\ngame: sneaky_critic(domain=word_problem)\ngames: 64\npolicy: {hidden: [32]}\nevaluate: {every: 20}\ncritic: {warmup: 20, rounds: 0, cases: 2}\n")
	greedy := "run(" + folder + ",greedy=true)"
	got := judge(t, "--bench", "processbench", "--data", fixtures+"processbench/gsm8k.json", "--agent", greedy)
	if got.Asks != 21 || got.Answered != 21 || got.Invalid != 0 || got.Refused != 0 {
		t.Errorf("%+v", got)
	}
	status, out, errOut := agon(t, append([]string{"spc", "eval", "--json"}, append(byStep, "--agent", greedy)...)...)
	all := parse(t, out)
	if status != 0 || all.Answered != 42 || all.Refused != 49 || len(all.Steps.Rows) != 2 || !reflect.DeepEqual(all.Steps.Rows[0], got.Steps.Rows[0]) {
		t.Errorf("status %d, %+v", status, all)
	}
	if want := regexp.MustCompile(`(?m)^\S+ WRN run\(.* cannot judge 49 of 91 rows, which are in no score; the first: row math-0/0: word_problem: got "8\(-4x - 4\) = 9x - 9", expected a story such as .*$`); !want.MatchString(errOut) {
		t.Error(errOut)
	}
}
