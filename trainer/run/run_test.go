package run

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// childEnv names the run that the test program is to write as a child process.
const childEnv = "AGON_TEST_CHILD_RUN"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childEnv); dir != "" {
		if err := writeForever(dir); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

// writeForever trains nothing, as fast as it can: a line of metrics and a
// checkpoint each step, from where the run stands. It prints every step that
// was committed.
func writeForever(dir string) error {
	r, err := Resume(dir)
	if errors.Is(err, ErrNotRun) {
		r, err = Create(dir, []byte("game: kuhn_poker\n"))
	}
	if err != nil {
		return err
	}
	step := 0
	c, err := r.Latest(func(err error) { fmt.Println(err) })
	if err == nil {
		step = c.Step
	} else if !errors.Is(err, ErrNoCheckpoint) {
		return err
	}
	metrics, err := r.Metrics(c)
	if err != nil {
		return err
	}
	fmt.Println("started")
	for {
		step++
		if err := metrics.Append(step, map[string]float64{"half": float64(step) / 2}); err != nil {
			return err
		}
		if err := commit(r, step, strconv.Itoa(step), true); err != nil {
			return err
		}
		fmt.Println(step)
		if err := r.Prune(2, nil); err != nil {
			return err
		}
	}
}

// startChild starts writeForever and returns its output after "started".
func startChild(t *testing.T, dir string) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	if !lines.Scan() || lines.Text() != "started" {
		t.Fatalf("child said %q", lines.Text())
	}
	return cmd, lines
}

// TestKilled kills a process that writes a run, at random moments. While it
// lives nobody else can write the run; after its death the run goes on where
// it was last committed.
func TestKilled(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	rng := rand.New(rand.NewPCG(1, 2))
	last := 0
	for round := range 15 {
		cmd, lines := startChild(t, dir)
		_, err := Resume(dir)
		if !errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), strconv.Itoa(cmd.Process.Pid)) {
			t.Fatalf("second writer: %v; expected ErrLocked with process %d", err, cmd.Process.Pid)
		}
		// On a slow disk no commit may end in the time that follows: some rounds
		// wait for one first.
		if round%3 == 2 && lines.Scan() {
			if last, err = strconv.Atoi(lines.Text()); err != nil {
				t.Fatalf("child said %q", lines.Text())
			}
		}
		time.Sleep(time.Duration(rng.IntN(20_000)) * time.Microsecond)
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		for lines.Scan() {
			step, err := strconv.Atoi(lines.Text())
			if err != nil {
				t.Fatalf("child said %q", lines.Text())
			}
			last = max(last, step)
		}
		_ = cmd.Wait()
		r, err := Resume(dir)
		if err != nil {
			t.Fatal(err)
		}
		if last > 0 {
			c, err := r.Latest(func(err error) { t.Error(err) })
			if err != nil || c.Step < last {
				t.Fatalf("got %+v, %v; step %d was committed", c, err, last)
			}
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if last == 0 {
		t.Error("no checkpoint was ever committed")
	}
}

func TestCreateOpenList(t *testing.T) {
	root := t.TempDir()
	recipe := []byte("game: kuhn_poker\nseed: 1\n")
	for _, name := range []string{"b", "a"} {
		r, err := Create(filepath.Join(root, name), recipe)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.Latest(nil); !errors.Is(err, ErrNoCheckpoint) {
			t.Errorf("Latest of a new run: %v", err)
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for _, other := range []string{"neither", ".hidden"} {
		if err := os.Mkdir(filepath.Join(root, other), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	list, err := List(root)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, r := range list {
		names = append(names, r.Name())
		got, err := r.Recipe()
		if err != nil || string(got) != string(recipe) {
			t.Errorf("recipe %q, %v", got, err)
		}
	}
	if !slices.Equal(names, []string{"a", "b"}) {
		t.Errorf("List: %q", names)
	}
	if list[0].ID() == list[1].ID() || list[0].ID() == "" {
		t.Errorf("ids %q and %q", list[0].ID(), list[1].ID())
	}
	if list, err := List(filepath.Join(root, "nowhere")); err != nil || len(list) > 0 {
		t.Errorf("List of nowhere: %v, %v", list, err)
	}
	if err := os.WriteFile(filepath.Join(root, "a", markFile), []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	if list, err := List(root); !errors.Is(err, ErrNotRun) || len(list) != 1 {
		t.Errorf("List beside a broken run: %v, %v", list, err)
	}
}

func TestCreateAfterKilledCreate(t *testing.T) {
	root := t.TempDir()
	left := filepath.Join(root, ".run"+tempMark+"ABC")
	if err := os.Mkdir(left, 0o755); err != nil {
		t.Fatal(err)
	}
	r, err := Create(filepath.Join(root, "run"), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	if _, err := os.Stat(left); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%s is left: %v", left, err)
	}
}

func TestRefusals(t *testing.T) {
	root := t.TempDir()
	write := func(path, content string) string {
		path = filepath.Join(root, filepath.FromSlash(path))
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(content), 0o644)); err != nil {
			t.Fatal(err)
		}
		return path
	}
	file := write("file", "")
	future := filepath.Dir(write("future/run.json", `{"version":2,"id":"X"}`))
	broken := filepath.Dir(write("broken/run.json", `{"version":`))
	nameless := filepath.Dir(write("nameless/run.json", `{"version":1}`))
	good := filepath.Join(root, "good")
	newRunWith(t, good, 1, 2)
	reader, err := Open(good)
	if err != nil {
		t.Fatal(err)
	}
	writer, err := Resume(good)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = writer.Close() }()
	files := func(names ...string) func() error {
		return func() error {
			w, err := writer.Checkpoint(3)
			if err != nil {
				return err
			}
			for _, name := range names {
				w.File(name)
			}
			return w.Commit()
		}
	}
	creating := func(dir string) func() error {
		return func() error { _, err := Create(dir, nil); return err }
	}
	opening := func(dir string) func() error { return func() error { _, err := Open(dir); return err } }
	tests := []struct {
		name string
		do   func() error
		is   error
		says string
	}{
		{"create over a run", creating(good), ErrExists, "choose another name"},
		{"create over a file", creating(file), nil, "file"},
		{"create below a file", creating(filepath.Join(file, "run")), nil, "not a directory"},
		{"open nothing", opening(filepath.Join(root, "nowhere")), ErrNotRun, "run.json"},
		{"open a file", opening(file), ErrNotRun, "run.json"},
		{"open another folder", opening(root), ErrNotRun, "run.json"},
		{"open a later version", opening(future), ErrVersion, "version 1"},
		{"open a broken run", opening(broken), ErrNotRun, "run.json"},
		{"open a run without id", opening(nameless), ErrNotRun, "no id"},
		{"resume twice", func() error { _, err := Resume(good); return err }, ErrLocked, strconv.Itoa(os.Getpid())},
		{"write while reading", func() error { _, err := reader.Checkpoint(3); return err }, ErrReadOnly, "checkpoint 3"},
		{"log while reading", func() error { _, err := reader.Metrics(nil); return err }, ErrReadOnly, MetricsFile},
		{"prune while reading", func() error { return reader.Prune(1, nil) }, ErrReadOnly, "prune"},
		{"negative step", func() error { _, err := writer.Checkpoint(-1); return err }, nil, "from 0 to 99999999"},
		{"no such step", func() error { _, err := writer.At(7); return err }, ErrNoCheckpoint, "checkpoint 7"},
		{"no such file", func() error {
			c, err := writer.At(1)
			if err != nil {
				return err
			}
			_, err = c.ReadFile("optimizer")
			return err
		}, nil, `"weights"`},
		{"file outside", files("../weights"), nil, `"../weights"`},
		{"file without a name", files(""), nil, `""`},
		{"file of the manifest's name", files(manifestFile), nil, manifestFile},
		{"file twice", files("weights", "weights"), nil, "twice"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			err := test.do()
			if err == nil || test.is != nil && !errors.Is(err, test.is) ||
				!strings.Contains(err.Error(), test.says) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %v; expected one line, %v, with %q", err, test.is, test.says)
			}
		})
	}
	if left, _ := filepath.Glob(filepath.Join(good, CheckpointsDir, tempMark+"*")); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}

func TestWriterIsUsedOnce(t *testing.T) {
	r, err := Create(filepath.Join(t.TempDir(), "run"), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	w, err := r.Checkpoint(1)
	if err != nil {
		t.Fatal(err)
	}
	f := w.File("weights")
	if err := w.Commit(); err != nil {
		t.Fatal(err)
	}
	w.Abort() // does nothing now
	if _, err := r.At(1); err != nil {
		t.Error(err)
	}
	if err := w.Commit(); err == nil {
		t.Error("a second Commit passed")
	}
	if _, err := f.Write([]byte("late")); err == nil {
		t.Error("a Write after Commit passed")
	}
}

func TestPrune(t *testing.T) {
	tests := []struct {
		have []int
		now  int // committed last
		keep int
		also func(int) bool
		want []int
	}{
		{[]int{1, 2, 3}, 4, 2, nil, []int{3, 4}},
		{[]int{1, 2, 3}, 4, 0, nil, []int{4}}, // the last one always stays
		{[]int{10, 15, 20, 25}, 30, 1, func(step int) bool { return step%10 == 0 }, []int{10, 20, 30}},
		{[]int{1, 2, 9}, 3, 5, nil, []int{1, 2, 3}}, // 9 is of a past that was gone back on
	}
	for _, test := range tests {
		dir := filepath.Join(t.TempDir(), "run")
		newRunWith(t, dir, test.have...)
		r, err := Resume(dir)
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Prune(1, nil); err != nil {
			t.Fatal(err)
		}
		if steps, _ := r.Steps(); !slices.Equal(steps, test.have) {
			t.Errorf("Prune before Commit left %v of %v", steps, test.have)
		}
		if err := errors.Join(commit(r, test.now, "new", true), r.Prune(test.keep, test.also)); err != nil {
			t.Fatal(err)
		}
		if steps, err := r.Steps(); err != nil || !slices.Equal(steps, test.want) {
			t.Errorf("Prune(%d) of %v and %d left %v, %v; expected %v", test.keep, test.have, test.now, steps, err, test.want)
		}
		_ = r.Close()
	}
}
