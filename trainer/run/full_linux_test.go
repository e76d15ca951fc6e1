package run

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// mount gives the test a small file system of its own, or skips the test.
func mount(t *testing.T, options string, flags uintptr) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", flags, options); err != nil {
		t.Skipf("cannot mount a small file system here: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// TestFullDisk fills a real file system: with checkpoints, then with metrics.
func TestFullDisk(t *testing.T) {
	root := mount(t, "size=256k", 0)
	dir := filepath.Join(root, "run")
	r, err := Create(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	metrics, err := r.Metrics(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = metrics.Close() }()
	write := func(step int) error {
		w, err := r.Checkpoint(step)
		if err != nil {
			return err
		}
		if _, err := w.File("weights").Write(bytes.Repeat([]byte{7}, 50<<10)); err != nil {
			w.Abort()
			return err
		}
		return w.Commit()
	}
	last := 0
	for err == nil {
		if err = write(last + 1); err == nil {
			last++
		}
		if last > 100 {
			t.Fatal("the disk does not fill")
		}
	}
	if !errors.Is(err, syscall.ENOSPC) || strings.Contains(err.Error(), "\n") ||
		!strings.Contains(err.Error(), fmt.Sprintf("checkpoint %d", last+1)) {
		t.Errorf("checkpoint on a full disk: %v", err)
	}
	checkNoTemp(t, dir, 0)
	for update := 1; ; update++ {
		if err = metrics.Append(update, map[string]float64{"loss": 1. / 3}); err != nil {
			break
		}
	}
	if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), MetricsFile) {
		t.Errorf("metrics on a full disk: %v", err)
	}
	if lines, err := ReadMetrics(dir); err != nil || len(lines) == 0 {
		t.Errorf("metrics after a full disk: %d lines, %v", len(lines), err)
	}
	if _, err := Create(filepath.Join(root, "next"), bytes.Repeat([]byte{'#'}, 10<<10)); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("Create on a full disk: %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(root, ".*")); len(left) > 0 {
		t.Errorf("Create on a full disk left %q", left)
	}
	c, err := r.Latest(func(err error) { t.Error(err) })
	if err != nil || c.Step != last {
		t.Errorf("after a full disk: %+v, %v; expected checkpoint %d", c, err, last)
	}
}

func TestUnwritableFolder(t *testing.T) {
	root := mount(t, "size=256k", 0)
	dir := filepath.Join(root, "run")
	newRunWith(t, dir, 1)
	if err := syscall.Mount("", root, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		t.Skipf("cannot make a file system read-only here: %v", err)
	}
	if _, err := Create(filepath.Join(root, "next"), nil); !errors.Is(err, syscall.EROFS) || !strings.Contains(err.Error(), root) {
		t.Errorf("Create: %v", err)
	}
	if _, err := Resume(dir); !errors.Is(err, syscall.EROFS) {
		t.Errorf("Resume: %v", err)
	}
	r, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if c, err := r.Latest(func(err error) { t.Error(err) }); err != nil || c.Step != 1 {
		t.Errorf("Latest: %+v, %v", c, err)
	}
}
