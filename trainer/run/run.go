// Package run is a run on disk: folder layout, recipe file, checkpoint files,
// metrics.
//
// A run is a folder:
//
//	run.json               what makes the folder a run: version and id
//	recipe.yaml            the complete recipe
//	metrics.jsonl          a line an update, of what measures learning
//	timing.jsonl           a line an update, of what measures time
//	checkpoints/00000020/  the state after update 20, and its manifest.json
//	episodes/              games that were played
//	report.html, curve.png, curve.svg
//	lock                   locked while a process writes the run
//
// What lies in checkpoints and metrics belongs to the caller; this package
// answers for whole files: a process may be killed, and the power may go, at
// any moment, and the run still opens with its last checkpoint or the one
// before, never with half of one.
package run

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// Version is the version of the folder layout that this package writes, and
// the only one that it reads.
const Version = 1

// Names of what lies in a run's folder.
const (
	RecipeFile     = "recipe.yaml"
	MetricsFile    = "metrics.jsonl"
	TimingFile     = "timing.jsonl"
	CheckpointsDir = "checkpoints"
	EpisodesDir    = "episodes"
	ReportFile     = "report.html"

	markFile = "run.json"
	lockName = "lock"
	tempMark = ".tmp-" // begins the name of what is still being written
)

// Errors that callers tell apart with errors.Is.
var (
	ErrExists       = errors.New("already exists")
	ErrNotRun       = errors.New("not a run")
	ErrVersion      = errors.New("unknown version")
	ErrLocked       = errors.New("in use by another process")
	ErrReadOnly     = errors.New("opened for reading only")
	ErrNoCheckpoint = errors.New("no checkpoint")
)

// mark is the content of run.json.
type mark struct {
	Version int    `json:"version"`
	ID      string `json:"id"`
	// Recipe is the SHA-256 of the recipe's text, so that one that was cut off
	// where it is still well-formed is recognised.
	Recipe string `json:"recipe,omitempty"`
}

func hashOf(text []byte) string { return fmt.Sprintf("%x", sha256.Sum256(text)) }

// Folder is an open run. Its methods must not be called at the same time.
type Folder struct {
	dir     string
	id      string
	recipe  string // the hash of the recipe's text; "" where the run has none
	disk    disk
	lock    *os.File // nil: for reading only
	metrics *Log     // nil: not opened
	newest  int      // the step last committed by this process, else -1
}

// Create makes a new run of the folder dir, which must not exist or be empty,
// and opens it for writing. The folder appears complete or not at all.
func Create(dir string, recipe []byte) (*Folder, error) {
	r, err := create(realDisk{}, dir, recipe)
	if err != nil {
		return nil, fmt.Errorf("create run %s: %w", dir, plain(err))
	}
	return r, nil
}

func create(d disk, dir string, recipe []byte) (_ *Folder, err error) {
	given := filepath.Clean(dir)
	if dir, err = filepath.Abs(dir); err != nil {
		return nil, err
	}
	if entries, err := os.ReadDir(dir); err == nil && len(entries) > 0 {
		return nil, fmt.Errorf("the folder %w and is not empty: resume the run, or choose another name", ErrExists)
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	parent, name := filepath.Dir(dir), filepath.Base(dir)
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return nil, err
	}
	removeAbandoned(d, parent, name)

	r := &Folder{id: rand.Text(), recipe: hashOf(recipe), disk: d, newest: -1}
	temp := filepath.Join(parent, "."+name+tempMark+r.id)
	if err := d.Mkdir(temp); err != nil {
		return nil, fmt.Errorf("cannot make a folder in %s: %w", parent, cause(err))
	}
	defer func() {
		if err != nil {
			_ = r.Close()
			_ = d.RemoveAll(temp)
		}
	}()
	// The lock stays with the file, so it holds through the rename.
	if r.lock, err = takeLock(temp); err != nil {
		return nil, err
	}
	made, err := json.Marshal(mark{Version: Version, ID: r.id, Recipe: hashOf(recipe)})
	if err != nil {
		return nil, err
	}
	for _, sub := range []string{CheckpointsDir, EpisodesDir} {
		if err := d.Mkdir(filepath.Join(temp, sub)); err != nil {
			return nil, err
		}
	}
	if err := writeFile(d, filepath.Join(temp, RecipeFile), recipe); err != nil {
		return nil, err
	}
	if err := writeFile(d, filepath.Join(temp, markFile), append(made, '\n')); err != nil {
		return nil, err
	}
	if err := d.SyncDir(temp); err != nil {
		return nil, err
	}
	if err := d.Rename(temp, dir); err != nil {
		if errors.Is(err, fs.ErrExist) || errors.Is(err, syscall.ENOTEMPTY) {
			return nil, fmt.Errorf("the folder %w", ErrExists)
		}
		return nil, err
	}
	if err := d.SyncDir(parent); err != nil {
		return nil, err
	}
	r.dir = given
	return r, nil
}

// removeAbandoned removes what a Create of the same name left that was killed:
// temporary folders that nobody holds the lock of.
func removeAbandoned(d disk, parent, name string) {
	left, _ := filepath.Glob(filepath.Join(parent, "."+name+tempMark+"*"))
	for _, dir := range left {
		lock, err := takeLock(dir)
		if err != nil {
			continue
		}
		_ = d.RemoveAll(dir)
		_ = lock.Close()
	}
}

// Resume opens a run for writing: it takes the run's lock and clears away what
// a killed process left half-written.
func Resume(dir string) (*Folder, error) { return resume(realDisk{}, dir) }

func resume(d disk, dir string) (*Folder, error) {
	r, err := open(d, dir)
	if err != nil {
		return nil, err
	}
	if r.lock, err = takeLock(r.dir); err == nil {
		err = r.removeTemp()
	}
	if err != nil {
		_ = r.Close()
		return nil, fmt.Errorf("resume run %s: %w", dir, plain(err))
	}
	return r, nil
}

// removeTemp removes what was never committed, and moves back what was put
// aside for a checkpoint that did not come.
func (r *Folder) removeTemp() error {
	root := r.Path(CheckpointsDir)
	entries, err := os.ReadDir(root)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), tempMark) {
			continue
		}
		path := filepath.Join(root, e.Name())
		if step, ok := strings.CutPrefix(e.Name(), asideMark); ok {
			if err := r.disk.Rename(path, filepath.Join(root, step)); err == nil {
				continue
			}
		}
		if err := r.disk.RemoveAll(path); err != nil {
			return err
		}
	}
	return nil
}

// Open opens a run for reading. It takes no lock and writes nothing, so it
// works on a run that is being trained.
func Open(dir string) (*Folder, error) { return open(realDisk{}, dir) }

func open(d disk, dir string) (*Folder, error) {
	r := &Folder{dir: filepath.Clean(dir), disk: d, newest: -1}
	data, err := os.ReadFile(r.Path(markFile))
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return nil, fmt.Errorf("%s is %w: expected a folder with %s in it, as training makes it", dir, ErrNotRun, markFile)
	}
	if err != nil {
		return nil, fmt.Errorf("open run %s: %w", dir, plain(err))
	}
	var m mark
	if err := json.Unmarshal(data, &m); err != nil {
		return nil, fmt.Errorf("%s is %w: %s is no JSON object: %w", dir, ErrNotRun, markFile, err)
	}
	if m.Version != Version {
		return nil, fmt.Errorf("run %s has the %w %d: this program reads version %d; use the program that wrote the run", dir, ErrVersion, m.Version, Version)
	}
	if m.ID == "" {
		return nil, fmt.Errorf("%s is %w: %s has no id", dir, ErrNotRun, markFile)
	}
	r.id, r.recipe = m.ID, m.Recipe
	return r, nil
}

// List opens, for reading, every run directly under root, by name. Other
// folders are passed over. Runs that cannot be opened are told by the error,
// beside those that can.
func List(root string) ([]*Folder, error) {
	entries, err := os.ReadDir(root)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list runs: %w", err)
	}
	var found []*Folder
	var failed []error
	for _, e := range entries {
		dir := filepath.Join(root, e.Name())
		if _, err := os.Stat(filepath.Join(dir, markFile)); err != nil || strings.HasPrefix(e.Name(), ".") {
			continue
		}
		r, err := Open(dir)
		if err != nil {
			failed = append(failed, err)
			continue
		}
		found = append(found, r)
	}
	return found, errors.Join(failed...)
}

// Dir returns the run's folder.
func (r *Folder) Dir() string { return r.dir }

// Name returns the last element of the run's folder.
func (r *Folder) Name() string {
	if abs, err := filepath.Abs(r.dir); err == nil {
		return filepath.Base(abs)
	}
	return filepath.Base(r.dir)
}

// ID returns the run's random identity. It is drawn when the run is created,
// from outside the run's seed: it tells runs apart and nothing else.
func (r *Folder) ID() string { return r.id }

// Path returns the path of something in the run's folder.
func (r *Folder) Path(elem ...string) string {
	return filepath.Join(append([]string{r.dir}, elem...)...)
}

// Recipe returns the run's recipe as it was given to Create.
func (r *Folder) Recipe() ([]byte, error) {
	data, err := os.ReadFile(r.Path(RecipeFile))
	if err != nil {
		return nil, fmt.Errorf("recipe of run %s: %w", r.dir, plain(err))
	}
	if r.recipe != "" && r.recipe != hashOf(data) {
		return nil, fmt.Errorf("recipe of run %s: %s is not what the run was made with: put it back, or train a new run with it", r.dir, RecipeFile)
	}
	return data, nil
}

// Close gives the lock back. It does not close the run's logs.
func (r *Folder) Close() error {
	if r.lock == nil {
		return nil
	}
	err := r.lock.Close()
	r.lock = nil
	return err
}

// takeLock locks the run in dir and writes the process id for others to read.
func takeLock(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, lockName), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	taken, err := lockFile(f)
	if err == nil && !taken {
		held, _ := os.ReadFile(f.Name())
		err = fmt.Errorf("%w (%s): wait for it, or end it", ErrLocked, strings.TrimSpace(string(held)))
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	// Who holds the lock is a courtesy to the reader of the error above: a
	// full disk must not stand in the way of opening the run.
	if f.Truncate(0) == nil {
		_, _ = f.WriteAt([]byte("process "+strconv.Itoa(os.Getpid())+"\n"), 0)
	}
	return f, nil
}

// writeFile writes a new file and makes its content durable.
func writeFile(d disk, path string, data []byte) error {
	f, err := d.Create(path)
	if err != nil {
		return err
	}
	if _, err := f.Write(data); err != nil {
		_ = f.Close()
		return err
	}
	if err := f.Sync(); err != nil {
		_ = f.Close()
		return err
	}
	return f.Close()
}

// plain shortens an operating system's error to file names: the errors around
// it name the folder.
func plain(err error) error {
	var path *fs.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &path):
		return fmt.Errorf("%s %s: %w", path.Op, filepath.Base(path.Path), path.Err)
	case errors.As(err, &link):
		return fmt.Errorf("%s %s to %s: %w", link.Op, filepath.Base(link.Old), filepath.Base(link.New), link.Err)
	}
	return err
}

// cause is what the operating system said, without the file.
func cause(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}
