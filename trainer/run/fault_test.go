package run

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// loss says what a crash takes with it.
type loss int

const (
	lossNone    loss = iota // the process was killed: what was written stays
	lossData                // the power went: content that was not synced is gone
	lossEntries             // and so are folder entries that were not synced
)

func (l loss) String() string { return [...]string{"killed", "data lost", "entries lost"}[l] }

var errCrash = errors.New("the machine is gone")

// faultDisk writes down the calls, lets the call number failAt fail with
// failWith, and where that is errCrash all that come after.
type faultDisk struct {
	root     string // left out of the log
	log      strings.Builder
	calls    int
	failAt   int // from 0; negative: never
	failWith error
	crashed  bool

	trash    string // where removed things go, so that a power loss can bring them back
	trashed  int
	unsynced map[*os.File]int64 // what was written, and how many bytes of it are durable
	pending  []entryChange      // changes of folder entries that are not durable yet
}

type entryChange struct {
	dir  string
	undo func() error
}

func newFaultDisk(t *testing.T, root string) *faultDisk {
	t.Helper()
	d := &faultDisk{root: root, failAt: -1, trash: t.TempDir(), unsynced: map[*os.File]int64{}}
	t.Cleanup(func() {
		for f := range d.unsynced {
			_ = f.Close()
		}
	})
	return d
}

func (d *faultDisk) call(format string, args ...any) error {
	line := fmt.Sprintf(format, args...)
	line = strings.ReplaceAll(line, d.root+string(filepath.Separator), "")
	line = strings.ReplaceAll(line, d.root, ".")
	d.calls++
	switch {
	case d.crashed:
		return errCrash
	case d.calls-1 == d.failAt:
		d.crashed = errors.Is(d.failWith, errCrash)
		return d.failWith
	}
	fmt.Fprintln(&d.log, filepath.ToSlash(line))
	return nil
}

// takeLog returns what was logged since it was last called.
func (d *faultDisk) takeLog() string {
	defer d.log.Reset()
	return d.log.String()
}

func (d *faultDisk) changed(path string, undo func() error) {
	d.pending = append(d.pending, entryChange{filepath.Dir(path), undo})
}

func (d *faultDisk) Mkdir(path string) error {
	if err := d.call("mkdir %s", path); err != nil {
		return err
	}
	d.changed(path, func() error { return os.RemoveAll(path) })
	return realDisk{}.Mkdir(path)
}

func (d *faultDisk) Create(path string) (file, error) {
	if err := d.call("create %s", path); err != nil {
		return nil, err
	}
	d.changed(path, func() error { return os.Remove(path) })
	return d.wrap(path)(realDisk{}.Create(path))
}

func (d *faultDisk) Append(path string, size int64) (file, error) {
	if err := d.call("append %s at %d", path, size); err != nil {
		return nil, err
	}
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		d.changed(path, func() error { return os.Remove(path) })
	}
	return d.wrap(path)(realDisk{}.Append(path, size))
}

func (d *faultDisk) wrap(path string) func(file, error) (file, error) {
	return func(f file, err error) (file, error) {
		if err != nil {
			return nil, err
		}
		handle := f.(*os.File)
		again, err := os.OpenFile(path, os.O_WRONLY, 0) // lives on after Close, for lose
		if err != nil {
			return nil, err
		}
		info, err := again.Stat()
		if err != nil {
			return nil, err
		}
		d.unsynced[again] = info.Size()
		return &faultFile{File: handle, disk: d, path: path, again: again}, nil
	}
}

func (d *faultDisk) Rename(from, to string) error {
	if err := d.call("rename %s %s", from, to); err != nil {
		return err
	}
	if err := (realDisk{}).Rename(from, to); err != nil {
		return err
	}
	d.changed(to, func() error { return os.Rename(to, from) })
	return nil
}

func (d *faultDisk) RemoveAll(path string) error {
	if err := d.call("remove %s", path); err != nil {
		return err
	}
	d.trashed++
	away := filepath.Join(d.trash, fmt.Sprint(d.trashed))
	if err := os.Rename(path, away); errors.Is(err, os.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	d.changed(path, func() error { return os.Rename(away, path) })
	return nil
}

func (d *faultDisk) SyncDir(path string) error {
	if err := d.call("sync folder %s", path); err != nil {
		return err
	}
	var left []entryChange
	for _, c := range d.pending {
		if c.dir != path {
			left = append(left, c)
		}
	}
	d.pending = left
	return realDisk{}.SyncDir(path)
}

// lose takes from the real folder what a crash would have taken.
func (d *faultDisk) lose(t *testing.T, l loss) {
	t.Helper()
	if l >= lossData {
		for f, durable := range d.unsynced {
			if info, err := f.Stat(); err != nil {
				t.Fatal(err)
			} else if info.Size() < durable {
				continue
			}
			if err := f.Truncate(durable); err != nil {
				t.Fatal(err)
			}
		}
	}
	if l >= lossEntries {
		for i := len(d.pending) - 1; i >= 0; i-- {
			if err := d.pending[i].undo(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

type faultFile struct {
	*os.File
	disk  *faultDisk
	path  string
	again *os.File
}

// Write fails in the middle: half of p arrives.
func (f *faultFile) Write(p []byte) (int, error) {
	crashed := f.disk.crashed
	if err := f.disk.call("write %s", f.path); err != nil {
		n := 0
		if !crashed {
			n, _ = f.File.Write(p[:len(p)/2])
		}
		return n, err
	}
	return f.File.Write(p)
}

func (f *faultFile) Sync() error {
	if err := f.disk.call("sync %s", f.path); err != nil {
		return err
	}
	info, err := f.Stat()
	if err != nil {
		return err
	}
	f.disk.unsynced[f.again] = info.Size()
	return f.File.Sync()
}

func (f *faultFile) Truncate(size int64) error {
	if err := f.disk.call("truncate %s to %d", f.path, size); err != nil {
		return err
	}
	return f.File.Truncate(size)
}

func (f *faultFile) Close() error {
	err := f.disk.call("close %s", f.path)
	return errors.Join(err, f.File.Close())
}
