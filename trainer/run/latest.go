package run

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// Checkpoint is a checkpoint that was found whole.
type Checkpoint struct {
	Step int // updates done
	dir  string
	manifest
}

// Latest returns the newest whole checkpoint. Every one that it must refuse,
// because it is truncated, altered, of another run or of an unknown version, it
// tells to warn in one line, and it goes on to the one before. Where no
// checkpoint was written yet, the error is ErrNoCheckpoint; where there are
// some and none is whole, it is another, since to start over is then a
// person's decision.
func (r *Folder) Latest(warn func(error)) (*Checkpoint, error) {
	steps, err := r.Steps()
	if err != nil {
		return nil, err
	}
	for _, step := range slices.Backward(steps) {
		c, err := r.At(step)
		if err == nil {
			return c, nil
		}
		warn(fmt.Errorf("%w; trying the one before", err))
	}
	if len(steps) > 0 {
		return nil, fmt.Errorf("run %s: none of its %d checkpoints can be used; to start over, remove %s",
			r.dir, len(steps), r.Path(CheckpointsDir, "*"))
	}
	return nil, fmt.Errorf("run %s: %w was written yet", r.dir, ErrNoCheckpoint)
}

// At returns the checkpoint of a step, if it is whole.
func (r *Folder) At(step int) (*Checkpoint, error) {
	dir := r.Path(CheckpointsDir, stepName(step))
	m, err := r.readManifest(dir, step)
	if err != nil {
		return nil, fmt.Errorf("checkpoint %d of run %s refused: %w", step, r.dir, plain(err))
	}
	for _, want := range m.Files {
		if err := verify(filepath.Join(dir, want.Name), want); err != nil {
			return nil, fmt.Errorf("checkpoint %d of run %s refused: %w", step, r.dir, plain(err))
		}
	}
	return &Checkpoint{Step: step, dir: dir, manifest: m}, nil
}

func (r *Folder) readManifest(dir string, step int) (manifest, error) {
	var m manifest
	data, err := os.ReadFile(filepath.Join(dir, manifestFile))
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Stat(dir); err == nil {
			return m, fmt.Errorf("it has no %s", manifestFile)
		}
		return m, ErrNoCheckpoint
	}
	if err != nil {
		return m, err
	}
	var head struct{ Version int }
	if json.Unmarshal(data, &head) == nil && head.Version != Version {
		return m, fmt.Errorf("%w %d in %s, expected %d", ErrVersion, head.Version, manifestFile, Version)
	}
	// A manifest is whole if writing it again gives the same bytes.
	if err := json.Unmarshal(data, &m); err != nil {
		return m, fmt.Errorf("%s is truncated or altered", manifestFile)
	}
	if again, err := m.encode(); err != nil || !bytes.Equal(again, data) {
		return m, fmt.Errorf("%s is truncated or altered", manifestFile)
	}
	if m.Run != r.id {
		return m, fmt.Errorf("it belongs to another run (id %s, this one is %s)", m.Run, r.id)
	}
	if m.Step != step {
		return m, fmt.Errorf("it is of step %d", m.Step)
	}
	return m, nil
}

// verify compares a file with what the manifest says of it.
func verify(path string, want extent) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	sum := sha256.New()
	size, err := io.Copy(sum, f)
	if err != nil {
		return err
	}
	if size != want.Size {
		return fmt.Errorf("%s has %d bytes, expected %d", want.Name, size, want.Size)
	}
	if hex.EncodeToString(sum.Sum(nil)) != want.SHA256 {
		return fmt.Errorf("%s was altered: its SHA-256 is not the manifest's", want.Name)
	}
	return nil
}

// Files returns the names of the checkpoint's files in the order in which they
// were added.
func (c *Checkpoint) Files() []string {
	names := make([]string, len(c.manifest.Files))
	for i, f := range c.manifest.Files {
		names[i] = f.Name
	}
	return names
}

// Open opens one of the checkpoint's files.
func (c *Checkpoint) Open(name string) (io.ReadCloser, error) {
	if !slices.Contains(c.Files(), name) {
		return nil, fmt.Errorf("checkpoint %s has no file %q; it has %q", c.dir, name, c.Files())
	}
	return os.Open(filepath.Join(c.dir, name))
}

// ReadFile returns the content of one of the checkpoint's files.
func (c *Checkpoint) ReadFile(name string) ([]byte, error) {
	f, err := c.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	return io.ReadAll(f)
}
