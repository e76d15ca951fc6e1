package prefs_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"

	"github.com/agon-rl/agon/prefs"
)

// filled returns a row in which every column has a value of its own.
func filled[R prefs.Row]() R {
	var row R
	v := reflect.ValueOf(&row).Elem()
	for i := range v.NumField() {
		name, f := v.Type().Field(i).Name, v.Field(i)
		switch f.Kind() {
		case reflect.String:
			f.SetString("the " + name)
		case reflect.Bool:
			f.SetBool(true)
		case reflect.Int32, reflect.Int64:
			f.SetInt(int64(100 + i))
		case reflect.Float64:
			f.SetFloat(float64(100+i) + 0.5)
		case reflect.Slice:
			list := reflect.MakeSlice(f.Type(), 2, 2)
			for k := range 2 {
				list.Index(k).Set(reflect.ValueOf(1000*(k+1) + i).Convert(f.Type().Elem()))
			}
			f.Set(list)
		}
	}
	return row
}

// columnName is a field's name as files have it: ChosenQ is chosen_q.
func columnName(field string) string {
	var out strings.Builder
	for i, r := range field {
		if unicode.IsUpper(r) && i > 0 {
			out.WriteByte('_')
		}
		out.WriteRune(unicode.ToLower(r))
	}
	return out.String()
}

// columnsOf lists what a row says, by the columns that files ought to have, as text.
func columnsOf(row any) map[string]string {
	out, v := map[string]string{}, reflect.ValueOf(row)
	for i := range v.NumField() {
		out[columnName(v.Type().Field(i).Name)] = fmt.Sprint(v.Field(i).Interface())
	}
	return out
}

// inLines reads a file of JSON lines with nothing of package prefs, column by column.
func inLines(t *testing.T, path string) []map[string]string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var out []map[string]string
	d := json.NewDecoder(bytes.NewReader(text))
	for d.More() {
		var row map[string]any
		if err := d.Decode(&row); err != nil {
			t.Fatal(err)
		}
		cells := map[string]string{}
		for name, value := range row {
			cells[name] = fmt.Sprint(value)
		}
		out = append(out, cells)
	}
	return out
}

// inParquet reads a Parquet file in the same way, leaf by leaf.
func inParquet(t *testing.T, path string) []map[string]string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	file, err := parquet.OpenFile(f, info.Size())
	if err != nil {
		t.Fatal(err)
	}
	leaves := file.Schema().Columns()
	var out []map[string]string
	for _, group := range file.RowGroups() {
		rows, buffer := group.Rows(), make([]parquet.Row, 1)
		for {
			n, err := rows.ReadRows(buffer)
			if n == 1 {
				cells := map[string]string{}
				for _, value := range buffer[0] {
					leaf := leaves[value.Column()]
					if len(leaf) == 1 {
						cells[leaf[0]] = value.String()
						continue
					}
					if !value.IsNull() { // an item of a list
						cells[leaf[0]] = strings.TrimSpace(cells[leaf[0]] + " " + value.String())
					}
				}
				for _, leaf := range leaves {
					if len(leaf) > 1 {
						cells[leaf[0]] = "[" + cells[leaf[0]] + "]"
					}
				}
				out = append(out, cells)
			}
			if err != nil {
				break
			}
		}
		if err := rows.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// keepsColumns writes a row with a value of its own in every column and looks for each
// where it belongs: in the file's column of that name, and in the field when the file is
// read.
func keepsColumns[R prefs.Row](t *testing.T) {
	t.Helper()
	row := filled[R]()
	var empty R
	want, none := columnsOf(row), columnsOf(empty)
	for _, format := range prefs.Formats {
		t.Run(strings.TrimPrefix(reflect.TypeFor[R]().String(), "prefs.")+format, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "rows"+format)
			if err := prefs.Write(path, []R{row, empty, row}); err != nil {
				t.Fatal(err)
			}
			look := inLines
			if format == ".parquet" {
				look = inParquet
			}
			cells := look(t, path)
			if len(cells) != 3 {
				t.Fatalf("the file has %d rows, expected 3", len(cells))
			}
			for i, expected := range []map[string]string{want, none, want} {
				for name, value := range cells[i] {
					if value == "<nil>" { // no list and an empty one are told apart in JSON alone
						cells[i][name] = "[]"
					}
				}
				if d := cmp.Diff(expected, cells[i]); d != "" {
					t.Errorf("row %d of the file (-expected +found):\n%s", i, d)
				}
			}
			again, err := prefs.Read[R](path)
			if err != nil {
				t.Fatal(err)
			}
			if len(again) != 3 {
				t.Fatalf("%d rows are read, expected 3", len(again))
			}
			for i, expected := range []map[string]string{want, none, want} {
				if d := cmp.Diff(expected, columnsOf(again[i])); d != "" {
					t.Errorf("row %d as it is read (-expected +found):\n%s", i, d)
				}
			}
		})
	}
}

// No two columns change places, in any kind of file, in writing or in reading.
func TestFilesKeepEveryColumn(t *testing.T) {
	keepsColumns[prefs.Pair](t)
	keepsColumns[prefs.Completion](t)
	keepsColumns[prefs.Outcome](t)
	keepsColumns[prefs.Visit](t)
	keepsColumns[prefs.PromptPair](t)
}

// A pair as others would write it, word by word.
func TestPairFromText(t *testing.T) {
	const line = `{"prompt": "You are x.", "chosen": "b2", "rejected": "a1", "game": "tic_tac_toe", "history": [8, 7], "key": "87",
		"seat": 0, "depth": 2, "chosen_action": 4, "rejected_action": 0, "chosen_q": 0.75, "rejected_q": -0.25,
		"chosen_visits": 90, "rejected_visits": 10, "value": 0.5, "visits": 101,
		"chosen_prior": -0.5, "rejected_prior": -2.5, "chosen_behaviour": -0.625, "rejected_behaviour": -2.75,
		"rule": "tpo", "source": "mcts", "seed": 42, "chosen_source": "new", "rejected_source": "old", "doubt": 0.125}`
	want := prefs.Pair{
		Prompt: "You are x.", Chosen: "b2", Rejected: "a1", Game: "tic_tac_toe", History: []int32{8, 7}, Key: "87",
		Seat: 0, Depth: 2, ChosenAction: 4, RejectedAction: 0, ChosenQ: 0.75, RejectedQ: -0.25,
		ChosenVisits: 90, RejectedVisits: 10, Value: 0.5, Visits: 101,
		ChosenPrior: -0.5, RejectedPrior: -2.5, ChosenBehaviour: -0.625, RejectedBehaviour: -2.75,
		Rule: "tpo", Source: "mcts", Seed: 42, ChosenSource: "new", RejectedSource: "old", Doubt: 0.125,
	}
	path := filepath.Join(t.TempDir(), "pair.jsonl")
	if err := os.WriteFile(path, []byte(strings.ReplaceAll(line, "\n", " ")), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := prefs.Read[prefs.Pair](path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]prefs.Pair{want}, got); d != "" {
		t.Error(d)
	}
}

// A pair is two completions: the chosen one is the good one, with its own value.
func TestCompletionsOfAPair(t *testing.T) {
	p := prefs.Pair{Prompt: "p", Chosen: "c", Rejected: "r", Game: "g", Key: "k", ChosenQ: 0.5, RejectedQ: -0.25, Rule: "tpo"}
	want := []prefs.Completion{
		{Prompt: "p", Completion: "c", Label: true, Game: "g", Key: "k", Q: 0.5, Rule: "tpo"},
		{Prompt: "p", Completion: "r", Label: false, Game: "g", Key: "k", Q: -0.25, Rule: "tpo"},
	}
	if d := cmp.Diff(want, p.Completions()); d != "" {
		t.Error(d)
	}
}

// A pair's answers are its two sides, and the pair with these answers is the pair again;
// turned round, it is the pair swapped. No other column moves.
func TestAnswersOfAPair(t *testing.T) {
	p := filled[prefs.Pair]()
	chosen, rejected := p.Answers()
	for side, a := range map[string]prefs.Candidate{"Chosen": chosen, "Rejected": rejected} {
		of := func(name string) any { return reflect.ValueOf(p).FieldByName(side + name).Interface() }
		want := prefs.Candidate{
			Text: of("").(string), Action: of("Action").(int32), Q: of("Q").(float64), Visits: of("Visits").(int64),
			Prior: of("Prior").(float64), Behaviour: of("Behaviour").(float64), Source: of("Source").(string), Seed: p.Seed,
		}
		if d := cmp.Diff(want, a); d != "" {
			t.Errorf("%s:\n%s", side, d)
		}
	}
	same := p
	same.Doubt = 0 // of the label, which is new
	if d := cmp.Diff(same, p.With(chosen, rejected)); d != "" {
		t.Errorf("with its own answers:\n%s", d)
	}
	if d := cmp.Diff(p.Swapped(), p.With(rejected, chosen)); d != "" {
		t.Errorf("turned round:\n%s", d)
	}
	p.ChosenSource = "" // the pair's own
	if chosen, _ := p.Answers(); chosen.Source != p.Source {
		t.Errorf("the chosen answer is of %q, expected %q", chosen.Source, p.Source)
	}
	chosen.Source, rejected.Source = "one", "one"
	if q := p.With(chosen, rejected); q.Source != "one" || q.ChosenSource != "" || q.RejectedSource != "" {
		t.Errorf("both of one source: %q, %q and %q", q.Source, q.ChosenSource, q.RejectedSource)
	}
}

// Files of many rows, which are read in chunks, keep each row's own lists.
func TestLongFilesKeepTheirLists(t *testing.T) {
	rows := make([]prefs.Visit, 1000)
	for i := range rows {
		rows[i] = prefs.Visit{History: []int32{int32(i), int32(i + 1)}, Target: []float64{float64(i)}, Seat: int32(i)}
	}
	for _, format := range prefs.Formats {
		path := filepath.Join(t.TempDir(), "rows"+format)
		if err := prefs.Write(path, rows); err != nil {
			t.Fatal(err)
		}
		again, err := prefs.Read[prefs.Visit](path)
		if err != nil || len(again) != len(rows) {
			t.Fatalf("%s: %d rows, %v", format, len(again), err)
		}
		for i, row := range again {
			if row.Seat != int32(i) || len(row.History) != 2 || row.History[0] != int32(i) || len(row.Target) != 1 || row.Target[0] != float64(i) {
				t.Fatalf("%s: row %d is read as %+v", format, i, row)
			}
		}
	}
}
