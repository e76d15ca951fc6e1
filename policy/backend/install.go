package backend

import (
	"archive/zip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// Ways to install a plugin.
const (
	// ViaPip fetches a pinned wheel with `python3 -m pip download`, so that
	// the user's own index settings count, and checks its SHA-256.
	ViaPip = "pip"
	// ViaInstaller runs go-xla's own installer, which fetches the CPU plugin
	// that its authors publish, or the CUDA plugin with NVIDIA's libraries.
	ViaInstaller = "installer"
)

// Installed is what Install did.
type Installed struct {
	Name    string `json:"name"` // CPU or CUDA
	Plugin  string `json:"plugin"`
	Version string `json:"version"`
	Note    string `json:"note,omitempty"` // what is left to do
}

// wheel is a package on the Python index that holds a PJRT plugin.
type wheel struct {
	pkg, version string
	member       string            // the plugin's path in the wheel
	sums         map[string]string // GOOS/GOARCH -> SHA-256 of the wheel
	fetch, disk  int               // MB to fetch and of the plugin, on linux/amd64
}

// wheels are pinned: a plugin is machine code that this program will run.
var wheels = map[string]wheel{
	"cpu": {
		pkg: "lammps-jax-pjrt-cpu", version: "0.11.2",
		member: "lammps_jax_pjrt_cpu/pjrt_c_api_cpu_plugin.so",
		fetch:  63, disk: 202,
		sums: map[string]string{
			"linux/amd64": "1319390d948b39f69f7dade496b7c385149d9ca6097a6b62114da113216d9ad1",
		},
	},
	"cuda": {
		pkg: "jax-cuda13-pjrt", version: "0.11.2",
		member: "jax_plugins/xla_cuda13/xla_cuda_plugin.so",
		fetch:  134, disk: 411,
		sums: map[string]string{
			"linux/amd64": "e5ff589d43064913bb74027682d89639c7ea48f9f81c2bae6fc75117e913f93e",
			"linux/arm64": "63b55e50e5c2583a25e196ba06b034b63d2b2d8ad4c2f17935652c8d3ad2dd2d",
		},
	},
}

// originFile lies beside a plugin that Install fetched and says what it is.
const originFile = "origin.json"

type origin struct {
	Package string `json:"package"`
	Version string `json:"version"`
	SHA256  string `json:"sha256"` // of the wheel
	File    string `json:"file"`   // the plugin's name
}

// Fetches says what Install will fetch, and how much of it where that is known.
func Fetches(kind, via string) string {
	w, ok := wheels[kind]
	if !ok || via != ViaPip {
		return fmt.Sprintf("the %s plugin by go-xla's installer, which picks the version", kind)
	}
	return fmt.Sprintf("the %s plugin by pip: %s %s, about %d MB, %d MB unpacked", kind, w.pkg, w.version, w.fetch, w.disk)
}

// Install fetches the PJRT plugin of the kind, cpu or cuda, into dir, or into
// Dir() where dir is empty. A plugin whose hash is not the expected one is not
// installed; one that was there before is replaced only by a whole one. The
// installer may write progress to standard error.
func Install(ctx context.Context, kind, via, dir string) (Installed, error) {
	w, ok := wheels[kind]
	if !ok {
		return Installed{}, fmt.Errorf("unknown plugin %q: expected cpu or cuda", kind)
	}
	if dir == "" {
		var err error
		if dir, err = Dir(); err != nil {
			return Installed{}, err
		}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return Installed{}, fmt.Errorf("the plugins' folder: %w", err)
	}
	switch via {
	case ViaPip:
		return installWheel(ctx, w, kind, dir)
	case ViaInstaller:
		return installRelease(ctx, kind, dir)
	}
	return Installed{}, fmt.Errorf("unknown way to install %q: expected %s or %s", via, ViaPip, ViaInstaller)
}

func installWheel(ctx context.Context, w wheel, kind, dir string) (Installed, error) {
	platform := runtime.GOOS + "/" + runtime.GOARCH
	want, ok := w.sums[platform]
	if !ok {
		return Installed{}, fmt.Errorf("%s %s has no wheel for %s: install by %q", w.pkg, w.version, platform, ViaInstaller)
	}
	scratch, err := os.MkdirTemp(dir, ".install-")
	if err != nil {
		return Installed{}, fmt.Errorf("the plugins' folder: %w", err)
	}
	defer func() { _ = os.RemoveAll(scratch) }()

	file, err := download(ctx, w, scratch)
	if err != nil {
		return Installed{}, err
	}
	if got, err := sum(file); err != nil {
		return Installed{}, err
	} else if got != want {
		return Installed{}, fmt.Errorf("%s has SHA-256 %s, expected %s: it is not the wheel that this version was tested with; nothing was installed", filepath.Base(file), got, want)
	}
	name := fmt.Sprintf("pjrt_c_api_%s_plugin.so", kind)
	if err := unzip(file, w.member, filepath.Join(scratch, name)); err != nil {
		return Installed{}, err
	}
	note, err := json.Marshal(origin{Package: w.pkg, Version: w.version, SHA256: want, File: name})
	if err != nil {
		return Installed{}, err
	}
	if err := os.WriteFile(filepath.Join(scratch, originFile), note, 0o644); err != nil {
		return Installed{}, fmt.Errorf("noting the plugin's origin: %w", err)
	}
	folder := filepath.Join(dir, kind)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return Installed{}, fmt.Errorf("the plugins' folder: %w", err)
	}
	for _, f := range []string{name, originFile} {
		if err := os.Rename(filepath.Join(scratch, f), filepath.Join(folder, f)); err != nil {
			return Installed{}, fmt.Errorf("putting the plugin in place: %w", err)
		}
	}
	done := Installed{Name: "xla:" + kind, Plugin: filepath.Join(folder, name), Version: w.pkg + " " + w.version}
	if kind == "cuda" {
		done.Note = fmt.Sprintf("the plugin needs NVIDIA's CUDA 13 and cuDNN libraries: where the system has none, `python3 -m pip install --target %s 'jax-cuda13-plugin[with-cuda]'` puts them where the plugin looks", dir)
	}
	return done, nil
}

// download fetches the wheel by pip and returns its path in dir.
func download(ctx context.Context, w wheel, dir string) (string, error) {
	python, err := exec.LookPath("python3")
	if err != nil {
		return "", fmt.Errorf("python3 not found: install Python with pip, or install by %q", ViaInstaller)
	}
	cmd := exec.CommandContext(ctx, python, "-m", "pip", "download", "--no-deps", "--only-binary=:all:",
		"--disable-pip-version-check", "--progress-bar=off", "--dest", dir, w.pkg+"=="+w.version)
	output, err := cmd.CombinedOutput()
	switch {
	case ctx.Err() != nil:
		return "", fmt.Errorf("downloading %s %s: %w", w.pkg, w.version, ctx.Err())
	case err != nil && strings.Contains(string(output), "No module named pip"):
		return "", fmt.Errorf("%s has no pip: install it (`%s -m ensurepip`), or install by %q", python, python, ViaInstaller)
	case err != nil:
		return "", fmt.Errorf("pip could not download %s==%s: %s: check the network and pip's index settings", w.pkg, w.version, lastError(string(output), err))
	}
	found, err := filepath.Glob(filepath.Join(dir, "*.whl"))
	if err != nil || len(found) != 1 {
		return "", fmt.Errorf("pip left %d wheels of %s in %s, expected 1", len(found), w.pkg, dir)
	}
	return found[0], nil
}

// lastError is the last of pip's own error lines: the first often only says
// that it tries again.
func lastError(output string, err error) string {
	last := err.Error()
	for line := range strings.Lines(output) {
		if text, ok := strings.CutPrefix(strings.TrimSpace(line), "ERROR: "); ok {
			last = text
		}
	}
	return last
}

// sum returns the SHA-256 of a file in hexadecimal.
func sum(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("hashing a download: %w", err)
	}
	defer func() { _ = f.Close() }()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", fmt.Errorf("hashing a download: %w", err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// unzip writes one member of an archive to a file and syncs it.
func unzip(archive, member, path string) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("unpacking %s: %w", filepath.Base(archive), err)
		}
	}()
	z, err := zip.OpenReader(archive)
	if err != nil {
		return err
	}
	defer func() { _ = z.Close() }()
	in, err := z.Open(member)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	out, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o755)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Sync(), out.Close())
}
