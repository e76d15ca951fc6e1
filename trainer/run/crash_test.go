package run

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/cockroachdb/datadriven"
)

// TestCalls holds, as golden text, the calls to the file system by which a
// run changes: testdata/calls.
func TestCalls(t *testing.T) {
	root := t.TempDir()
	dir := filepath.Join(root, "run")
	d := newFaultDisk(t, root)
	var r *Folder
	var metrics *Log
	var err error
	datadriven.RunTest(t, "testdata/calls", func(t *testing.T, data *datadriven.TestData) string {
		switch data.Cmd {
		case "create":
			if r, err = create(d, dir, []byte(data.Input)); err != nil {
				return err.Error()
			}
			// The id was logged before it was known.
			return strings.ReplaceAll(d.takeLog(), r.ID(), "ID")
		case "kill":
			err = r.lock.Close() // as the operating system does
		case "resume":
			r, err = resume(d, dir)
		case "metrics":
			var step int
			data.ScanArgs(t, "at", &step)
			var c *Checkpoint
			if step > 0 {
				c, err = r.At(step)
			}
			if err == nil {
				metrics, err = r.Metrics(c)
			}
		case "append":
			var update int
			data.ScanArgs(t, "update", &update)
			err = metrics.Append(update, map[string]float64{"loss": 1 / float64(update)})
		case "checkpoint":
			var step int
			data.ScanArgs(t, "step", &step)
			err = commit(r, step, data.Input, !data.HasArg("uncommitted"))
		case "prune":
			var keep int
			data.ScanArgs(t, "keep", &keep)
			err = r.Prune(keep, nil)
		case "fail":
			data.ScanArgs(t, "after", &d.failAt)
			d.failAt += d.calls
			d.failWith = syscall.ENOSPC
			return ""
		default:
			t.Fatalf("unknown command %q", data.Cmd)
		}
		if err != nil {
			err = fmt.Errorf("%s", strings.ReplaceAll(err.Error(), root+string(filepath.Separator), ""))
			return d.takeLog() + "error: " + err.Error() + "\n"
		}
		return d.takeLog()
	})
}

// commit writes a checkpoint of files "weights" and "state", and commits it
// unless told otherwise.
func commit(r *Folder, step int, content string, really bool) error {
	w, err := r.Checkpoint(step)
	if err != nil {
		return err
	}
	for _, name := range []string{"weights", "state"} {
		if _, err := fmt.Fprintf(w.File(name), "%s of %s", name, content); err != nil {
			w.Abort()
			return w.wrap(err)
		}
	}
	if !really {
		return nil
	}
	return w.Commit()
}

// newRunWith makes a run with one checkpoint a step, of content "old", and a
// line of metrics a step, and closes it.
func newRunWith(t *testing.T, dir string, steps ...int) {
	t.Helper()
	r, err := Create(dir, []byte("game: kuhn_poker\n"))
	if err != nil {
		t.Fatal(err)
	}
	metrics, err := r.Metrics(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range steps {
		if err := errors.Join(metrics.Append(step, map[string]float64{"loss": 0.5}), commit(r, step, "old", true)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(metrics.Close(), r.Close()); err != nil {
		t.Fatal(err)
	}
}

// advance resumes a run and commits one more checkpoint, of content "new". It
// tells whether Commit said that all is well.
func advance(d disk, dir string, step int) (committed bool, err error) {
	r, err := resume(d, dir)
	if err != nil {
		return false, err
	}
	defer func() { _ = r.lock.Close() }()
	c, err := r.Latest(func(error) {})
	if err != nil {
		return false, err
	}
	metrics, err := r.Metrics(c)
	if err != nil {
		return false, err
	}
	defer func() { _ = metrics.Close() }()
	if err := metrics.Append(step, map[string]float64{"loss": 0.25}); err != nil {
		return false, err
	}
	if err := commit(r, step, "new", true); err != nil {
		return false, err
	}
	return true, r.Prune(1, nil)
}

// TestFaults lets every call to the file system of one checkpoint fail, or be
// the last one before a crash. After each the run opens with the old
// checkpoint or with the new one, whole, and with the metrics that belong to
// it; and a checkpoint that was reported as committed is there.
func TestFaults(t *testing.T) {
	scenes := []struct {
		name string
		have []int // steps of content "old"
		step int   // the step of content "new"
	}{
		{"next", []int{1}, 2},
		{"replace", []int{1, 2}, 2},
	}
	for _, scene := range scenes {
		for _, l := range []loss{lossNone, lossData, lossEntries} {
			t.Run(fmt.Sprintf("%s/crash, %s", scene.name, l), func(t *testing.T) {
				everyCall(t, scene.have, scene.step, errCrash, l)
			})
		}
		t.Run(scene.name+"/no space", func(t *testing.T) {
			everyCall(t, scene.have, scene.step, syscall.ENOSPC, lossNone)
		})
	}
}

func everyCall(t *testing.T, have []int, step int, with error, l loss) {
	for n := 0; ; n++ {
		root := t.TempDir()
		dir := filepath.Join(root, "run")
		newRunWith(t, dir, have...)
		d := newFaultDisk(t, root)
		d.failAt, d.failWith = n, with
		committed, err := advance(d, dir, step)
		if d.calls <= n { // the fault was never reached
			if err != nil || n < 20 {
				t.Fatalf("%d calls, then %v", n, err)
			}
			return
		}
		if err != nil {
			checkMessage(t, err, with)
		}
		if !errors.Is(with, errCrash) {
			checkNoTemp(t, dir, n)
			checkReadable(t, dir, n, have[len(have)-1])
		}
		d.lose(t, l)
		checkWhole(t, dir, n, have[len(have)-1], step, committed)
		checkNoTemp(t, dir, n)
	}
}

// checkMessage wants one line that names its cause.
func checkMessage(t *testing.T, err, cause error) {
	t.Helper()
	if !errors.Is(err, cause) || strings.Contains(err.Error(), "\n") {
		t.Errorf("error %q: expected one line, caused by %q", err, cause)
	}
}

func checkNoTemp(t *testing.T, dir string, n int) {
	t.Helper()
	left, err := filepath.Glob(filepath.Join(dir, CheckpointsDir, ".*"))
	if err != nil {
		t.Fatal(err)
	}
	// Moved aside, not half-written: when removing itself fails.
	for _, path := range left {
		if !strings.Contains(path, asideMark) && !strings.Contains(path, prunedMark) {
			t.Errorf("fault at call %d: %s is left", n, path)
		}
	}
}

// checkReadable wants what a reader finds while the writer lives on after an
// error to be no older than before.
func checkReadable(t *testing.T, dir string, n, before int) {
	t.Helper()
	r, err := Open(dir)
	if err != nil {
		t.Fatalf("fault at call %d: %v", n, err)
	}
	c, err := r.Latest(func(err error) { t.Errorf("fault at call %d: warning: %v", n, err) })
	if err != nil || c.Step < before {
		t.Errorf("fault at call %d: a reader gets %+v, %v", n, c, err)
	}
}

func checkWhole(t *testing.T, dir string, n, before, step int, committed bool) {
	t.Helper()
	r, err := Resume(dir)
	if err != nil {
		t.Fatalf("fault at call %d: %v", n, err)
	}
	defer func() { _ = r.Close() }()
	c, err := r.Latest(func(err error) { t.Errorf("fault at call %d: warning: %v", n, err) })
	if err != nil {
		t.Fatalf("fault at call %d: %v", n, err)
	}
	content, err := c.ReadFile("weights")
	if err != nil {
		t.Fatal(err)
	}
	isOld := c.Step == before && string(content) == "weights of old"
	isNew := c.Step == step && string(content) == "weights of new"
	if !isOld && !isNew {
		t.Errorf("fault at call %d: step %d holds %q", n, c.Step, content)
	}
	if committed && !isNew {
		t.Errorf("fault at call %d: the committed checkpoint is gone", n)
	}
	metrics, err := r.Metrics(c)
	if err != nil {
		t.Fatalf("fault at call %d: %v", n, err)
	}
	_ = metrics.Close()
	lines, err := ReadMetrics(dir)
	if err != nil || len(lines) == 0 || lines[len(lines)-1][UpdateKey] != float64(c.Step) {
		t.Errorf("fault at call %d: checkpoint %d with metrics %v, %v", n, c.Step, lines, err)
	}
}

// damage is one way to spoil a file.
type damage struct {
	name  string
	bytes []byte
}

// damages flips every byte, in one bit and in all, cuts at every length, and
// adds a byte.
func damages(data []byte) []damage {
	var all []damage
	for i := range data {
		for _, mask := range []byte{1 << (i % 8), 0xff} {
			bad := []byte(string(data))
			bad[i] ^= mask
			all = append(all, damage{fmt.Sprintf("byte %d ^ %#x", i, mask), bad})
		}
		all = append(all, damage{fmt.Sprintf("cut to %d bytes", i), data[:i]})
	}
	return append(all, damage{"a byte more", append([]byte(string(data)), '\n')})
}

func TestDamagedCheckpointIsRefused(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	newRunWith(t, dir, 1, 2)
	r, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	checkRefused := func(what, reason string) {
		t.Helper()
		var warnings []error
		c, err := r.Latest(func(err error) { warnings = append(warnings, err) })
		if err != nil || c.Step != 1 || len(warnings) != 1 {
			t.Fatalf("%s: got %+v, %v, warnings %v; expected checkpoint 1 and a warning", what, c, err, warnings)
		}
		if line := warnings[0].Error(); !strings.Contains(line, reason) || strings.Contains(line, "\n") {
			t.Errorf("%s: warning %q; expected one line with %q", what, line, reason)
		}
	}
	for _, name := range []string{"weights", "state", manifestFile} {
		path := r.Path(CheckpointsDir, stepName(2), name)
		whole, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, bad := range damages(whole) {
			if err := os.WriteFile(path, bad.bytes, 0o644); err != nil {
				t.Fatal(err)
			}
			checkRefused(name+", "+bad.name, name)
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		checkRefused(name+" removed", name)
		if err := os.WriteFile(path, whole, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if c, err := r.Latest(func(err error) { t.Error(err) }); err != nil || c.Step != 2 {
		t.Fatalf("repaired: got %+v, %v", c, err)
	}

	other := filepath.Join(t.TempDir(), "other")
	newRunWith(t, other, 2)
	second := r.Path(CheckpointsDir, stepName(2))
	if err := errors.Join(os.RemoveAll(second), os.CopyFS(second, os.DirFS(filepath.Join(other, CheckpointsDir, stepName(2))))); err != nil {
		t.Fatal(err)
	}
	checkRefused("of another run", "another run")

	first := r.Path(CheckpointsDir, stepName(1))
	if err := errors.Join(os.RemoveAll(second), os.CopyFS(second, os.DirFS(first))); err != nil {
		t.Fatal(err)
	}
	checkRefused("renamed", "it is of step 1")
	if err := errors.Join(os.RemoveAll(first)); err != nil {
		t.Fatal(err)
	}
	if c, err := r.Latest(func(error) {}); err == nil || errors.Is(err, ErrNoCheckpoint) {
		t.Errorf("none whole: got %+v, %v; expected an error other than ErrNoCheckpoint", c, err)
	}
}
