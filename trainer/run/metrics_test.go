package run

import (
	"errors"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func appendAll(t *testing.T, l *Log, updates ...int) {
	t.Helper()
	for _, u := range updates {
		if err := l.Append(u, map[string]float64{"loss": 1 / float64(u), "entropy": math.Exp(-float64(u))}); err != nil {
			t.Fatal(err)
		}
	}
}

// TestResumedLogs stops a run at update 5 whose last checkpoint is of update
// 3, resumes it, and wants the same metrics as without the interruption.
func TestResumedLogs(t *testing.T) {
	straight, broken := filepath.Join(t.TempDir(), "run"), filepath.Join(t.TempDir(), "run")
	for _, dir := range []string{straight, broken} {
		r, err := Create(dir, nil)
		if err != nil {
			t.Fatal(err)
		}
		metrics, err := r.Metrics(nil)
		if err != nil {
			t.Fatal(err)
		}
		timing, err := r.Timing(nil)
		if err != nil {
			t.Fatal(err)
		}
		appendAll(t, metrics, 1, 2, 3)
		appendAll(t, timing, 1, 2, 3)
		if err := commit(r, 3, "three", true); err != nil {
			t.Fatal(err)
		}
		appendAll(t, metrics, 4, 5)
		appendAll(t, timing, 4, 5)
		if dir == broken {
			for _, l := range []*Log{metrics, timing} {
				if _, err := l.out.Write([]byte(`{"update":6,"lo`)); err != nil {
					t.Fatal(err)
				}
			}
			if lines, err := ReadMetrics(dir); err != nil || len(lines) != 5 {
				t.Errorf("with a half line: %v, %v", lines, err)
			}
			_ = r.Close()
			if r, err = Resume(dir); err != nil {
				t.Fatal(err)
			}
			c, err := r.Latest(func(err error) { t.Error(err) })
			if err != nil {
				t.Fatal(err)
			}
			if metrics, err = r.Metrics(c); err != nil {
				t.Fatal(err)
			}
			if timing, err = r.Timing(c); err != nil {
				t.Fatal(err)
			}
			appendAll(t, metrics, 4, 5)
			appendAll(t, timing, 4, 5)
		}
		appendAll(t, metrics, 6)
		appendAll(t, timing, 6)
		if err := errors.Join(commit(r, 6, "six", true), metrics.Close(), timing.Close(), r.Close()); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{MetricsFile, TimingFile} {
		want, err := os.ReadFile(filepath.Join(straight, name))
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join(broken, name))
		if err != nil || string(got) != string(want) {
			t.Errorf("%s after the resume:\n%s%v\nexpected:\n%s", name, got, err, want)
		}
	}
	if lines, err := ReadTiming(broken); err != nil || len(lines) != 6 {
		t.Errorf("timing: %v, %v", lines, err)
	}
}

func TestAlteredMetricsAreRefused(t *testing.T) {
	for name, content := range map[string]string{
		"altered":   "{\"update\":1,\"loss\":0.7}\n",
		"truncated": "{\"update\":1",
	} {
		dir := filepath.Join(t.TempDir(), "run")
		newRunWith(t, dir, 1)
		path := filepath.Join(dir, MetricsFile)
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		r, err := Resume(dir)
		if err != nil {
			t.Fatal(err)
		}
		c, err := r.At(1)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.Metrics(c); err == nil || !strings.Contains(err.Error(), "restore the file") {
			t.Errorf("%s: %v", name, err)
		}
		if left, _ := os.ReadFile(path); string(left) != content {
			t.Errorf("%s: the file was changed to %q", name, left)
		}
		_ = r.Close()
	}
}

func TestLine(t *testing.T) {
	got := string(appendLine(nil, 7, map[string]float64{
		"games": 512, "entropy": 0.1, "tiny": 1e-9, "loss": math.NaN(), "grad": math.Inf(1), "odd \"key\"": -1, UpdateKey: 99,
	}))
	want := `{"update":7,"entropy":0.1,"games":512,"grad":null,"loss":null,"odd \"key\"":-1,"tiny":1e-09}` + "\n"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// TestLineRoundTrip: what is written is read again, to the last bit.
func TestLineRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		update := rapid.IntRange(0, 1e9).Draw(t, "update")
		values := rapid.MapOf(rapid.StringMatching(`[a-z_/]{1,8}`), rapid.Float64()).Draw(t, "values")
		delete(values, UpdateKey)
		got, err := parseLine(appendLine(nil, update, values))
		if err != nil {
			t.Fatal(err)
		}
		values[UpdateKey] = float64(update)
		if !maps.EqualFunc(got, values, func(a, b float64) bool {
			return a == b || math.IsNaN(a) && (math.IsNaN(b) || math.IsInf(b, 0))
		}) {
			t.Fatalf("got %v, wrote %v", got, values)
		}
	})
}

func TestReadMetrics(t *testing.T) {
	tests := []struct {
		name, content string
		updates       []float64
		says          string
	}{
		{"empty", "", nil, ""},
		{"some lines lack a key", "{\"update\":1,\"x\":2}\n{\"update\":2}\n{\"update\":3,\"x\":4}\n", []float64{1, 3}, ""},
		{"not a number", "{\"update\":1,\"x\":null}\n{\"update\":2,\"x\":5}\n", []float64{2}, ""},
		{"half a line", "{\"update\":1,\"x\":2}\n{\"update\":2,\"x\"", []float64{1}, ""},
		{"broken in the middle", "{\"update\":1}\n{\"upd\n{\"update\":3}\n", nil, "line 2"},
		{"text", "{\"update\":1,\"x\":\"high\"}\n", nil, "line 1"},
		{"no update", "{\"x\":1}\n", nil, `"update"`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, MetricsFile), []byte(test.content), 0o644); err != nil {
				t.Fatal(err)
			}
			lines, err := ReadMetrics(dir)
			if test.says != "" {
				if err == nil || !strings.Contains(err.Error(), test.says) {
					t.Fatalf("got %v; expected an error with %q", err, test.says)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if updates, _ := Series(lines, "x"); !slices.Equal(updates, test.updates) {
				t.Errorf("updates %v, expected %v", updates, test.updates)
			}
		})
	}
	if lines, err := ReadMetrics(t.TempDir()); err != nil || lines != nil {
		t.Errorf("without a file: %v, %v", lines, err)
	}
}
