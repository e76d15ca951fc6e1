package benchmark_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"

	"github.com/agon-rl/agon/spc/benchmark"
)

// goodRows are one row of each benchmark, which bad rows are made of.
var goodRows = map[string]string{
	"processbench": `{"id":"gsm8k-0","generator":"m","problem":"1+1?","steps":["One.","Two."],"final_answer_correct":true,"label":-1}`,
	"spc":          `{"problem":"1+1?","partial_solution":"One.","next_step":"Two.","process_bench_human_label":1,"data_type":"math","file_name":"0"}`,
	"prm800k":      `{"question":{"problem":"1+1?","pre_generated_steps":["One."]},"label":{"steps":[{"completions":[{"text":"One.","rating":1}],"human_completion":null,"chosen_completion":0}],"finish_reason":"solution"}}`,
	"deltabench":   `{"id":1,"question":"1+1?","task_l1":"Math","final_correct":1,"sections_content":"section1:\nOne\nsection2: Two","reason_error_section_numbers":[2],"reason_unuseful_section_numbers":[]}`,
	"gsm8k":        `{"question":"1+1?","answer":"1+1=2\n#### 2"}`,
	"math":         `{"problem":"1+1?","level":"Level 1","type":"Algebra","solution":"\\boxed{2}"}`,
}

// Each bad input ends in one line that says where, what was given, and what was
// expected.
func TestBadInput(t *testing.T) {
	const deltaHead = "id,question,task_l1,final_correct,sections_content,reason_error_section_numbers,reason_unuseful_section_numbers\n"
	for _, c := range []struct{ name, file, old, new, want string }{
		{"nobench", "x.jsonl", "", "", `there is no benchmark "nobench"; known are deltabench, gsm8k, math, prm800k, processbench, spc`},
		{"processbench", "gsm8k.json", "{", "[{\n ,", `DIR/gsm8k.json:2: broken JSON: invalid character ',' looking for beginning of object key string`},
		{"processbench", "gsm8k.json", "{", "\n[ 3, {", `DIR/gsm8k.json:2: got 3, expected a JSON object`},
		{"processbench", "gsm8k.json", "{", "[\n\n{", `DIR/gsm8k.json:3: broken JSON: unexpected EOF`},
		{"processbench", "gsm8k.json", `"problem":"1+1?",`, ``, `DIR/gsm8k.json:1: there is no field "problem"`},
		{"processbench", "gsm8k.json", `"1+1?"`, `"  "`, `DIR/gsm8k.json:1: field "problem" is empty`},
		{"processbench", "gsm8k.json", `"1+1?"`, `7`, `DIR/gsm8k.json:1: field "problem": got 7, expected a string`},
		{"processbench", "gsm8k.json", `"1+1?"`, `null`, `DIR/gsm8k.json:1: field "problem": got null, expected a string`},
		{"processbench", "gsm8k.json", `["One.","Two."]`, `[]`, `DIR/gsm8k.json:1: field "steps": the list is empty, expected one step or more`},
		{"processbench", "gsm8k.json", `["One.","Two."]`, `"One."`, `DIR/gsm8k.json:1: field "steps": got "One.", expected a list of strings`},
		{"processbench", "gsm8k.json", `"Two."`, `null`, `DIR/gsm8k.json:1: field "steps", entry 1: got null, expected a string`},
		{"processbench", "gsm8k.json", `"label":-1`, `"label":2`, `DIR/gsm8k.json:1: field "label": got 2, expected an integer from -1 to 1`},
		{"processbench", "gsm8k.json", `"label":-1`, `"label":-2`, `DIR/gsm8k.json:1: field "label": got -2, expected an integer from -1 to 1`},
		{"processbench", "gsm8k.json", `"label":-1`, `"label":0.5`, `DIR/gsm8k.json:1: field "label": got 0.5, expected an integer`},
		{"processbench", "gsm8k.json", `correct":true`, `correct":"yes"`, `DIR/gsm8k.json:1: field "final_answer_correct": got "yes", expected true or false`},
		{"processbench", "gsm8k.json", `"label"`, `"seed":"one","label"`, `DIR/gsm8k.json:1: field "seed": got "one", expected an integer`},
		{"processbench", "other.json", ``, ``, `DIR: the folder has no data; expected gsm8k, math, olympiadbench, omnimath.json, .jsonl, .parquet or .csv`},
		{"processbench", "gsm8k.parquet", ``, ``, `DIR/gsm8k.parquet: it is no whole Parquet file: `},

		{"spc", "x.jsonl", "*", "version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 2\n", "DIR/x.jsonl:1: this is a git-LFS pointer and not the data: run `git lfs pull` where it was cloned"},
		{"spc", "x.parquet", "*", "version https://git-lfs.github.com/spec/v1\n", "DIR/x.parquet:1: this is a git-LFS pointer and not the data: run `git lfs pull` where it was cloned"},
		{"spc", "x.jsonl", "*", "", `DIR/x.jsonl: the file holds no rows`},
		{"spc", "x.json", "*", " \n[ ]\n", `DIR/x.json: the file holds no rows`},
		{"spc", "x.csv", "*", "", `DIR/x.csv: the file holds no rows`},
		{"spc", "x.txt", ``, ``, `DIR: the folder has no data; expected *.json, .jsonl, .parquet or .csv`},
		{"spc", "x.jsonl", `{`, "\n\n{]", `DIR/x.jsonl:3: broken JSON: invalid character ']' looking for beginning of object key string`},
		{"spc", "x.jsonl", `{`, "\n[]\n{", `DIR/x.jsonl:3: broken JSON: there is more after the array`},
		{"spc", "x.jsonl", `"Two."`, `""`, `DIR/x.jsonl:1: field "next_step" is empty`},
		{"spc", "x.jsonl", `label":1`, `label":0`, `DIR/x.jsonl:1: field "process_bench_human_label": got 0, expected 1 or -1`},
		{"spc", "x.jsonl", `label":1`, `label":true`, `DIR/x.jsonl:1: field "process_bench_human_label": got true, expected 1 or -1`},
		{"spc", "x.jsonl", `process_bench_human_label`, `label`, `DIR/x.jsonl:1: there is no field "process_bench_human_label"`},
		{"spc", "x.jsonl", `next_step`, `correct_last_step`, `DIR/x.jsonl:1: there is no field "incorrect_last_step"`},
		{"spc", "x.jsonl", `"partial_solution":"One.",`, ``, `DIR/x.jsonl:1: there is no field "partial_solution"`},

		{"prm800k", "x.jsonl", `"rating":1`, `"rating":2`, `DIR/x.jsonl:1: field "label", step 0, completion 0: got rating 2, expected -1, 0, 1 or null`},
		{"prm800k", "x.jsonl", `"rating":1`, `"rating":"good"`, `DIR/x.jsonl:1: field "label": got a string at steps.completions.rating, expected int`},
		{"prm800k", "x.jsonl", `"text":"One.",`, ``, `DIR/x.jsonl:1: field "label", step 0, completion 0: there is no text`},
		{"prm800k", "x.jsonl", `completion":0`, `completion":1`, `DIR/x.jsonl:1: field "label", step 0: got chosen_completion 1, expected less than 1`},
		{"prm800k", "x.jsonl", `human_completion":null`, `human_completion":{"body":"x"}`, `DIR/x.jsonl:1: field "label": got human_completion {"body":"x"}, expected a string or an object with a text`},
		{"prm800k", "x.jsonl", `"solution"`, `"bored"`, `DIR/x.jsonl:1: field "label": got finish_reason "bored", expected solution, found_error, bad_problem or give_up`},
		{"prm800k", "x.jsonl", `"problem":"1+1?"`, `"problem":""`, `DIR/x.jsonl:1: field "question": there is no problem`},
		{"prm800k", "x.jsonl", `"label":{`, `"labels":{`, `DIR/x.jsonl:1: there is no field "label"`},
		{"prm800k", "x.jsonl", `{"problem":"1+1?","pre_generated_steps":["One."]}`, `"1+1?"`, `DIR/x.jsonl:1: field "question": got "1+1?", expected an object`},

		{"deltabench", "x.jsonl", `[2]`, `[3]`, `DIR/x.jsonl:1: field "reason_error_section_numbers": got section 3, expected 1 to 2`},
		{"deltabench", "x.jsonl", `[2]`, `[0]`, `DIR/x.jsonl:1: field "reason_error_section_numbers": got section 0, expected 1 to 2`},
		{"deltabench", "x.jsonl", `[2]`, `[null]`, `DIR/x.jsonl:1: field "reason_error_section_numbers", entry 0: got null, expected an integer`},
		{"deltabench", "x.jsonl", `[2]`, `2`, `DIR/x.jsonl:1: field "reason_error_section_numbers": got 2, expected a list of integers such as [1, 3]`},
		{"deltabench", "x.jsonl", `section1`, `part1`, `DIR/x.jsonl:1: field "sections_content": found no block that begins with "section1:"`},
		{"deltabench", "x.jsonl", `"final_correct":1`, `"final_correct":2`, `DIR/x.jsonl:1: field "final_correct": got 2, expected true or false`},
		{"deltabench", "x.csv", "*", deltaHead + "1,Q,Math,True,section1: A,\"[1, 'two']\",[]\n", `DIR/x.csv:2: field "reason_error_section_numbers": got "[1, 'two']", expected a list of integers such as [1, 3]`},
		{"deltabench", "x.csv", "*", deltaHead + "1,Q,Math,True,\"section1:\nA\",[],[]\n2,Q,Math,True,section1: A,[,[]\n", `DIR/x.csv:4: field "reason_error_section_numbers": got "[", expected a list of integers such as [1, 3]`},
		{"deltabench", "x.csv", "*", "id,question\n1,Q\n", `DIR/x.csv:2: there is no field "task_l1"`},
		{"deltabench", "x.csv", "*", "id,question\n1\n", `DIR/x.csv:2: broken CSV: wrong number of fields`},
		{"deltabench", "x.csv", "*", "id,question\n1,\"Q\n", `DIR/x.csv:2: broken CSV: extraneous or missing " in quoted-field`},

		{"gsm8k", "x.jsonl", `####`, ``, `DIR/x.jsonl:1: field "answer": there is no "#### " before the final answer`},
		{"gsm8k", "x.jsonl", `#### 2`, `#### `, `DIR/x.jsonl:1: field "answer": there is nothing after "####"`},
		{"math", "x.jsonl", `{2}`, `{2`, `DIR/x.jsonl:1: field "solution": there is no whole \boxed{...} with the final answer`},
		{"math", "x.jsonl", `"solution"`, `"answer"`, `DIR/x.jsonl:1: there is no field "solution"`},
	} {
		dir := t.TempDir()
		text := strings.Replace(goodRows[c.name], c.old, c.new, 1)
		if c.old == "*" {
			text = c.new
		}
		write(t, filepath.Join(dir, c.file), []byte(text))
		refused(t, c.name, dir, c.want)
	}
}

func refused(t *testing.T, name, path, want string) {
	t.Helper()
	dir := path
	if filepath.Ext(path) != "" {
		dir = filepath.Dir(path)
	}
	_, err := benchmark.Open(name, path)
	if err == nil {
		t.Errorf("%s: it is taken; expected %s", name, want)
		return
	}
	got := strings.ReplaceAll(err.Error(), dir, "DIR")
	whole := "benchmark: " + want
	// What a library says after our words is its own affair.
	if got != whole && !(strings.HasSuffix(want, ": ") && strings.HasPrefix(got, whole)) || strings.Contains(got, "\n") {
		t.Errorf("got      %s\nexpected %s", got, whole)
	}
}

func TestBadPaths(t *testing.T) {
	dir := t.TempDir()
	refused(t, "spc", filepath.Join(dir, "none.jsonl"), "expected a file or a folder with data: stat DIR/none.jsonl: no such file or directory")
	write(t, filepath.Join(dir, "x.txt"), []byte("x"))
	refused(t, "spc", filepath.Join(dir, "x.txt"), "DIR/x.txt: expected a file that ends in .json, .jsonl, .parquet or .csv")
}

func TestBadParquet(t *testing.T) {
	type fewer struct {
		ID    string   `parquet:"id"`
		Steps []string `parquet:"steps,list"`
	}
	type other struct {
		ID        string   `parquet:"id"`
		Generator string   `parquet:"generator"`
		Problem   string   `parquet:"problem"`
		Steps     []string `parquet:"steps,list"`
		Correct   bool     `parquet:"final_answer_correct"`
		Label     string   `parquet:"label"`
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "gsm8k.parquet")
	for want, err := range map[string]func() error{
		`DIR/gsm8k.parquet: row 1: there is no field "generator"`: func() error {
			return parquet.WriteFile(path, []fewer{{"a", []string{"One."}}})
		},
		`DIR/gsm8k.parquet: row 2: field "steps": the list is empty, expected one step or more`: func() error {
			rows := []other{{"a", "m", "1+1?", []string{"One."}, true, "0"}, {"b", "m", "1+1?", nil, true, "0"}}
			type right struct {
				ID        string   `parquet:"id"`
				Generator string   `parquet:"generator"`
				Problem   string   `parquet:"problem"`
				Steps     []string `parquet:"steps,list"`
				Correct   bool     `parquet:"final_answer_correct"`
				Label     int64    `parquet:"label"`
			}
			var written []right
			for _, r := range rows {
				written = append(written, right{r.ID, r.Generator, r.Problem, r.Steps, r.Correct, 0})
			}
			return parquet.WriteFile(path, written)
		},
		`DIR/gsm8k.parquet: row 1: field "label": got "0", expected an integer`: func() error {
			return parquet.WriteFile(path, []other{{"a", "m", "1+1?", []string{"One."}, true, "0"}})
		},
		`DIR/gsm8k.parquet: the file holds no rows`: func() error { return parquet.WriteFile(path, []other{}) },
	} {
		if err := err(); err != nil {
			t.Fatal(err)
		}
		refused(t, "processbench", path, want)
	}
}

// fuzz reads whatever bytes as a file: an error of one line or a set that holds
// something, and never a step without a truth.
func fuzz(f *testing.F, name, file string, seeds ...string) {
	f.Add([]byte(goodRows[name]))
	f.Add([]byte("[" + goodRows[name] + ",\n" + goodRows[name] + "]"))
	f.Add([]byte("version https://git-lfs.github.com/spec/v1\n"))
	for _, s := range seeds {
		text, err := os.ReadFile(filepath.Join("..", "..", "testdata", "benchmarks", s))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		path := filepath.Join(t.TempDir(), file)
		write(t, path, text)
		set, err := benchmark.Open(name, path)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "benchmark: "+path) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%q", err)
			}
			return
		}
		if len(set.Questions)+len(set.Problems)+set.Skipped == 0 {
			// A step that nobody rated makes a row without a question.
			if name != "prm800k" {
				t.Error("a set that holds nothing")
			}
		}
		for _, s := range set.Solutions {
			if len(s.Steps) == 0 || s.First < -1 || s.First >= len(s.Steps) || (s.First < 0) != (len(s.Wrong) == 0) {
				t.Errorf("%+v", s)
			}
		}
		for _, p := range set.Problems {
			if p.Gold == "" {
				t.Errorf("%+v", p)
			}
		}
	})
}

func FuzzProcessBench(f *testing.F) { fuzz(f, "processbench", "gsm8k.json", "processbench/math.json") }

func FuzzParquet(f *testing.F) {
	fuzz(f, "processbench", "gsm8k.parquet", "processbench-parquet/gsm8k-00000-of-00001.parquet")
}

func FuzzSPC(f *testing.F) { fuzz(f, "spc", "x.jsonl", "spc/pairs.jsonl") }

func FuzzPRM800K(f *testing.F) {
	fuzz(f, "prm800k", "x.jsonl", "prm800k/phase1.jsonl", "prm800k/phase2.jsonl")
}

func FuzzDeltaBench(f *testing.F) { fuzz(f, "deltabench", "x.jsonl", "deltabench/deltabench.jsonl") }

func FuzzDeltaBenchCSV(f *testing.F) {
	fuzz(f, "deltabench", "x.csv", "deltabench-csv/deltabench.csv")
}

func FuzzGSM8K(f *testing.F) { fuzz(f, "gsm8k", "x.jsonl", "gsm8k/test.jsonl") }

func FuzzMATH(f *testing.F) { fuzz(f, "math", "x.jsonl", "math/test.jsonl") }
