package run

import (
	"io"
	"os"
	"runtime"
)

// disk is every call by which a run's folder changes. It is an interface so
// that tests can write down the calls, and let each of them fail.
type disk interface {
	Mkdir(path string) error
	// Create makes a new file, which must not exist.
	Create(path string) (file, error)
	// Append opens or makes a file to append to, and cuts it to size.
	Append(path string, size int64) (file, error)
	Rename(from, to string) error
	RemoveAll(path string) error
	// SyncDir makes the entries of a folder durable: what was made, renamed
	// or removed in it.
	SyncDir(path string) error
}

type file interface {
	io.WriteCloser
	Sync() error
	Truncate(size int64) error
}

// realDisk is the operating system's.
type realDisk struct{}

func (realDisk) Mkdir(path string) error      { return os.Mkdir(path, 0o755) }
func (realDisk) Rename(from, to string) error { return os.Rename(from, to) }
func (realDisk) RemoveAll(path string) error  { return os.RemoveAll(path) }

func (realDisk) Create(path string) (file, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return nil, err // not f: a nil *os.File is no nil file
	}
	return f, nil
}

func (realDisk) Append(path string, size int64) (file, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return nil, err
	}
	if err := f.Truncate(size); err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

func (realDisk) SyncDir(path string) error {
	if runtime.GOOS == "windows" {
		return nil // folders cannot be synced there
	}
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	if err := d.Sync(); err != nil {
		_ = d.Close()
		return err
	}
	return d.Close()
}
