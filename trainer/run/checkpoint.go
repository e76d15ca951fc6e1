package run

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"
)

const (
	manifestFile = "manifest.json"
	asideMark    = tempMark + "aside-" // a checkpoint that is being replaced
	prunedMark   = tempMark + "pruned-"
)

// manifest says what a checkpoint holds, so that a reader can tell whether it
// is whole, and whether it is this run's.
type manifest struct {
	Version int      `json:"version"`
	Run     string   `json:"run"`
	Step    int      `json:"step"`
	Metrics extent   `json:"metrics"` // what metrics.jsonl held at this step
	Files   []extent `json:"files"`
	Sum     string   `json:"sum"` // SHA-256 of the manifest with this field empty
}

// extent is a file's content: its length in bytes and its SHA-256.
type extent struct {
	Name   string `json:"name"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

// encode returns the manifest's bytes, its sum filled in.
func (m manifest) encode() ([]byte, error) {
	m.Sum = ""
	data, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return nil, err
	}
	m.Sum = hexSum(sha256.Sum256(data))
	data, err = json.MarshalIndent(m, "", "  ")
	return append(data, '\n'), err
}

func hexSum(sum [sha256.Size]byte) string { return hex.EncodeToString(sum[:]) }

// CheckpointWriter writes one checkpoint. Its files gather in a temporary
// folder, which Commit moves into place. The first error sticks and is
// returned by Commit.
type CheckpointWriter struct {
	run   *Folder
	step  int
	temp  string
	files []*checkpointFile
	err   error
	done  bool
}

// Checkpoint starts the checkpoint of a step, counted in updates, from 0 to
// 99,999,999. A checkpoint of the same step is replaced on Commit.
func (r *Folder) Checkpoint(step int) (*CheckpointWriter, error) {
	w := &CheckpointWriter{run: r, step: step, temp: r.Path(CheckpointsDir, tempMark+stepName(step))}
	if r.lock == nil {
		return nil, w.wrap(ErrReadOnly)
	}
	if step < 0 || step > 99_999_999 {
		return nil, w.wrap(errors.New("expected a step from 0 to 99999999"))
	}
	if err := r.disk.RemoveAll(w.temp); err != nil {
		return nil, w.wrap(err)
	}
	if err := r.disk.Mkdir(w.temp); err != nil {
		return nil, w.wrap(err)
	}
	return w, nil
}

func stepName(step int) string { return fmt.Sprintf("%08d", step) }

func (w *CheckpointWriter) wrap(err error) error {
	return fmt.Errorf("write checkpoint %d of run %s: %w", w.step, w.run.dir, plain(err))
}

// File adds a file of the given name, one path element. Several files may be
// written side by side until Commit.
func (w *CheckpointWriter) File(name string) io.Writer {
	f := &checkpointFile{w: w, name: name, sum: sha256.New()}
	if w.err == nil {
		w.err = w.add(f)
	}
	return f
}

func (w *CheckpointWriter) add(f *checkpointFile) error {
	if f.name == "" || f.name == manifestFile || f.name != filepath.Base(f.name) || strings.HasPrefix(f.name, ".") || !utf8.ValidString(f.name) {
		return fmt.Errorf("file %q: expected a plain file name other than %s", f.name, manifestFile)
	}
	for _, other := range w.files {
		if other.name == f.name {
			return fmt.Errorf("file %q was added twice", f.name)
		}
	}
	out, err := w.run.disk.Create(filepath.Join(w.temp, f.name))
	if err != nil {
		return err
	}
	f.out, f.buf = out, bufio.NewWriterSize(out, 1<<16)
	w.files = append(w.files, f)
	return nil
}

type checkpointFile struct {
	w    *CheckpointWriter
	name string
	out  file
	buf  *bufio.Writer
	sum  hash.Hash
	size int64
}

func (f *checkpointFile) Write(p []byte) (int, error) {
	if f.w.done && f.w.err == nil {
		return 0, f.w.wrap(errors.New("written to after Commit or Abort"))
	}
	if f.w.err != nil {
		return 0, f.w.err
	}
	n, err := f.buf.Write(p)
	f.sum.Write(p[:n])
	f.size += int64(n)
	f.w.err = err
	return n, err
}

// finish makes the file's content durable.
func (f *checkpointFile) finish() error {
	if err := f.buf.Flush(); err != nil {
		return err
	}
	if err := f.out.Sync(); err != nil {
		return err
	}
	out := f.out
	f.out = nil
	return out.Close()
}

// Commit makes the checkpoint durable, with the metrics that belong to it, and
// then visible, in one step. After an error nothing half-written is left, and
// the run's earlier checkpoints stand.
func (w *CheckpointWriter) Commit() error {
	if w.done {
		return w.wrap(errors.New("committed or aborted before"))
	}
	if w.err == nil {
		w.err = w.commit()
	}
	if w.err != nil {
		w.Abort()
		return w.wrap(w.err)
	}
	w.done = true
	w.run.newest = w.step
	return nil
}

func (w *CheckpointWriter) commit() error {
	disk, root := w.run.disk, w.run.Path(CheckpointsDir)
	m := manifest{Version: Version, Run: w.run.id, Step: w.step}
	// The metrics first: a checkpoint must not outlive what led to it.
	if w.run.metrics != nil {
		var err error
		if m.Metrics, err = w.run.metrics.sync(); err != nil {
			return err
		}
	}
	for _, f := range w.files {
		if err := f.finish(); err != nil {
			return err
		}
		m.Files = append(m.Files, extent{f.name, f.size, hex.EncodeToString(f.sum.Sum(nil))})
	}
	data, err := m.encode()
	if err != nil {
		return err
	}
	if err := writeFile(disk, filepath.Join(w.temp, manifestFile), data); err != nil {
		return err
	}
	if err := disk.SyncDir(w.temp); err != nil {
		return err
	}
	return w.publish(root)
}

// publish moves the finished temporary folder into place. A folder that is not
// empty cannot be renamed over, so a checkpoint of the same step is moved aside
// first; removeTemp moves it back if the process ends between the renames.
func (w *CheckpointWriter) publish(root string) error {
	disk, final := w.run.disk, filepath.Join(root, stepName(w.step))
	aside := ""
	if _, err := os.Lstat(final); err == nil {
		aside = filepath.Join(root, asideMark+stepName(w.step))
		if err := disk.Rename(final, aside); err != nil {
			return err
		}
	}
	if err := disk.Rename(w.temp, final); err != nil {
		if aside != "" {
			_ = disk.Rename(aside, final)
		}
		return err
	}
	if err := disk.SyncDir(root); err != nil {
		return err
	}
	if aside != "" {
		return disk.RemoveAll(aside)
	}
	return nil
}

// Abort drops the checkpoint. It does nothing after Commit, so it can be
// deferred.
func (w *CheckpointWriter) Abort() {
	if w.done {
		return
	}
	w.done = true
	for _, f := range w.files {
		if f.out != nil {
			_ = f.out.Close()
		}
	}
	_ = w.run.disk.RemoveAll(w.temp)
}

// Prune removes checkpoints after a Commit: all but the last keep ones and
// those that also, which may be nil, says true of. Checkpoints of steps beyond
// the one just committed are leftovers of a past that was gone back on, and go
// too.
func (r *Folder) Prune(keep int, also func(step int) bool) error {
	if r.lock == nil {
		return fmt.Errorf("prune checkpoints of run %s: %w", r.dir, ErrReadOnly)
	}
	if r.newest < 0 {
		return nil // not before this process knows a checkpoint to be whole
	}
	steps, err := r.Steps()
	if err != nil {
		return err
	}
	kept := 0
	for i := len(steps) - 1; i >= 0; i-- {
		step := steps[i]
		if step <= r.newest && (kept < max(keep, 1) || also != nil && also(step)) {
			kept++
			continue
		}
		// Moved away first, so that no reader meets half of it.
		from, to := r.Path(CheckpointsDir, stepName(step)), r.Path(CheckpointsDir, prunedMark+stepName(step))
		if err := r.disk.Rename(from, to); err != nil {
			return fmt.Errorf("prune checkpoint %d of run %s: %w", step, r.dir, plain(err))
		}
		if err := r.disk.RemoveAll(to); err != nil {
			return fmt.Errorf("prune checkpoint %d of run %s: %w", step, r.dir, plain(err))
		}
	}
	return nil
}

// Steps returns the steps of which there are checkpoints, ascending, whole or
// not.
func (r *Folder) Steps() ([]int, error) {
	entries, err := os.ReadDir(r.Path(CheckpointsDir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("checkpoints of run %s: %w", r.dir, plain(err))
	}
	var steps []int
	for _, e := range entries {
		var step int
		if _, err := fmt.Sscanf(e.Name(), "%08d", &step); err == nil && step >= 0 && stepName(step) == e.Name() {
			steps = append(steps, step)
		}
	}
	return steps, nil // ReadDir sorts, and names have one length
}
