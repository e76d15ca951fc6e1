package backend

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

const pluginText = "stands for machine code"

// fakePython puts a python3 first in PATH that runs the given shell script
// with pip's destination folder in $dest, and makes a wheel that the script
// can copy from $wheel. It returns the wheel as Install knows it.
func fakePython(t *testing.T, script string) wheel {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("the stand-in for python3 is a shell script")
	}
	bin := t.TempDir()
	path := filepath.Join(bin, "demo.whl")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	z := zip.NewWriter(f)
	member, err := z.Create("demo/plugin.so")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := member.Write([]byte(pluginText)); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(z.Close(), f.Close()); err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf("#!/bin/sh\nwheel=%s\nwhile [ $# -gt 0 ]; do [ \"$1\" = --dest ] && dest=$2; last=$1; shift; done\n%s\n", path, script)
	if err := os.WriteFile(filepath.Join(bin, "python3"), []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+string(filepath.ListSeparator)+os.Getenv("PATH"))
	hash, err := sum(path)
	if err != nil {
		t.Fatal(err)
	}
	return wheel{
		pkg: "demo", version: "1.2", member: "demo/plugin.so",
		sums: map[string]string{runtime.GOOS + "/" + runtime.GOARCH: hash},
	}
}

func TestInstallWheel(t *testing.T) {
	w := fakePython(t, `[ "$last" = demo==1.2 ] && cp "$wheel" "$dest"`)
	dir := t.TempDir()
	for range 2 { // the second replaces the first
		got, err := installWheel(t.Context(), w, "cpu", dir)
		if err != nil {
			t.Fatal(err)
		}
		if text, err := os.ReadFile(got.Plugin); err != nil || string(text) != pluginText {
			t.Errorf("plugin: %q, %v", text, err)
		}
		if got.Name != CPU || got.Version != "demo 1.2" || got.Note != "" {
			t.Errorf("installed %+v", got)
		}
		t.Setenv(DirEnv, dir)
		if found, ok := find("cpu", searchDirs()); !ok || found.path != got.Plugin || found.version != "demo 1.2" {
			t.Errorf("found %+v, installed %s", found, got.Plugin)
		}
	}
	onlyFiles(t, dir, "cpu/origin.json", "cpu/pjrt_c_api_cpu_plugin.so")
	cuda, err := installWheel(t.Context(), w, "cuda", dir)
	if err != nil || !strings.Contains(cuda.Note, "CUDA 13") {
		t.Errorf("cuda: %+v, %v: expected a note on NVIDIA's libraries", cuda, err)
	}
}

// A failed installation names its cause and leaves nothing behind.
func TestInstallWheelFails(t *testing.T) {
	for _, c := range []struct{ name, script, want string }{
		{"no pip", `echo "python3: No module named pip" >&2; exit 1`, "has no pip: install it"},
		{"no network", `echo "WARNING: Retrying"; echo "ERROR: No matching distribution found for demo==1.2"; exit 1`,
			"pip could not download demo==1.2: No matching distribution found for demo==1.2: check the network"},
		{"altered wheel", `cp "$wheel" "$dest"; echo >> "$dest/demo.whl"`, "nothing was installed"},
		{"two wheels", `cp "$wheel" "$dest"; cp "$wheel" "$dest/other.whl"`, "pip left 2 wheels"},
		{"nothing", `true`, "pip left 0 wheels"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w, dir := fakePython(t, c.script), t.TempDir()
			_, err := installWheel(t.Context(), w, "cpu", dir)
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("error %v, want a line with %q", err, c.want)
			}
			onlyFiles(t, dir)
		})
	}
	t.Run("no plugin in the wheel", func(t *testing.T) {
		w, dir := fakePython(t, `cp "$wheel" "$dest"`), t.TempDir()
		w.member = "demo/other.so"
		if _, err := installWheel(t.Context(), w, "cpu", dir); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("error %v", err)
		}
		onlyFiles(t, dir)
	})
	t.Run("another platform", func(t *testing.T) {
		_, err := installWheel(t.Context(), wheel{pkg: "demo", version: "1.2"}, "cpu", t.TempDir())
		if err == nil || !strings.Contains(err.Error(), "has no wheel for "+runtime.GOOS+"/"+runtime.GOARCH) {
			t.Errorf("error %v", err)
		}
	})
	t.Run("no python", func(t *testing.T) {
		w := fakePython(t, "")
		t.Setenv("PATH", t.TempDir())
		if _, err := installWheel(t.Context(), w, "cpu", t.TempDir()); err == nil || !strings.HasPrefix(err.Error(), "python3 not found") {
			t.Errorf("error %v", err)
		}
	})
	t.Run("cancelled", func(t *testing.T) {
		w := fakePython(t, `exec sleep 60`)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := installWheel(ctx, w, "cpu", t.TempDir()); !errors.Is(err, context.Canceled) {
			t.Errorf("error %v", err)
		}
	})
}

// The size said is that of the route taken, and none is made up.
func TestFetches(t *testing.T) {
	for _, c := range []struct{ kind, via, want string }{
		{"cpu", ViaPip, "the cpu plugin by pip: lammps-jax-pjrt-cpu 0.11.2, about 63 MB, 202 MB unpacked"},
		{"cuda", ViaPip, "the cuda plugin by pip: jax-cuda13-pjrt 0.11.2, about 134 MB, 411 MB unpacked"},
		{"cpu", ViaInstaller, "the cpu plugin by go-xla's installer, which picks the version"},
	} {
		if got := Fetches(c.kind, c.via); got != c.want {
			t.Errorf("%s by %s: %q, expected %q", c.kind, c.via, got, c.want)
		}
	}
}

func TestInstallRefuses(t *testing.T) {
	for _, c := range []struct{ kind, via, want string }{
		{"tpu", ViaPip, `unknown plugin "tpu": expected cpu or cuda`},
		{"cpu", "npm", `unknown way to install "npm": expected pip or installer`},
	} {
		if _, err := Install(t.Context(), c.kind, c.via, t.TempDir()); err == nil || err.Error() != c.want {
			t.Errorf("Install(%s, %s): %v, want %s", c.kind, c.via, err, c.want)
		}
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Install(t.Context(), "cpu", ViaPip, file); err == nil || !strings.Contains(err.Error(), "the plugins' folder") {
		t.Errorf("a file in the folder's place: %v", err)
	}
}

// What go-xla's installer fetched for the CPU is compared with the digest that
// the release publishes.
func TestCheckRelease(t *testing.T) {
	const asset = "pjrt_cpu_linux_amd64.tar.gz"
	archive := func(t *testing.T) (sha string) {
		home := t.TempDir()
		t.Setenv("HOME", home)
		t.Setenv("XDG_CACHE_HOME", filepath.Join(home, ".cache"))
		cache, err := os.UserCacheDir()
		if err != nil {
			t.Skip(err)
		}
		path := filepath.Join(cache, "go-xla", "v0.114.0_"+asset)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte("archive"), 0o600)); err != nil {
			t.Fatal(err)
		}
		if sha, err = sum(path); err != nil {
			t.Fatal(err)
		}
		return sha
	}
	for _, c := range []struct{ name, body, want string }{
		{"equal", `{"assets":[{"name":"other"},{"name":"` + asset + `","digest":"sha256:%s"}]}`, ""},
		{"differs", `{"assets":[{"name":"` + asset + `","digest":"sha256:00%s"}]}`, "published is 00"},
		{"none published", `{"assets":[{"name":"` + asset + `"}]}`, "publishes no hash of " + asset},
		{"not JSON", `<html>`, "reading the hashes of release v0.114.0"},
		{"refused", "", "403 Forbidden"},
	} {
		t.Run(c.name, func(t *testing.T) {
			sha := archive(t)
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				switch {
				case c.body == "":
					w.WriteHeader(http.StatusForbidden)
				case r.URL.Path == "/v0.114.0":
					_, _ = w.Write([]byte(strings.Replace(c.body, "%s", sha, 1)))
				}
			}))
			defer server.Close()
			err := checkRelease(t.Context(), server.URL+"/", plugin{version: "v0.114.0"})
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}

func TestFind(t *testing.T) {
	first, second := t.TempDir(), t.TempDir()
	for _, f := range []string{
		filepath.Join(first, "pjrt_c_api_cpu_plugin.txt"),
		filepath.Join(first, "pjrt_c_api_cuda_plugin.so"),
		filepath.Join(second, "pjrt_c_api_cpu_v0.114.0_plugin.so"),
	} {
		if err := os.WriteFile(f, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	dirs := []string{filepath.Join(first, "absent"), first, second}
	cpu, _ := find("cpu", dirs)
	if cpu.path != filepath.Join(second, "pjrt_c_api_cpu_v0.114.0_plugin.so") || cpu.version != "v0.114.0" {
		t.Errorf("cpu: %+v", cpu)
	}
	cuda, _ := find("cuda", dirs)
	if cuda.path != filepath.Join(first, "pjrt_c_api_cuda_plugin.so") || cuda.version != "" {
		t.Errorf("cuda: %+v", cuda)
	}
	if p, ok := find("tpu", dirs); ok {
		t.Errorf("tpu: %+v", p)
	}
}

func TestMisleadingPaths(t *testing.T) {
	for _, c := range []struct {
		kind, path string
		bad        bool
	}{
		{"cpu", "/home/ann/pjrt/cpu/pjrt_c_api_cpu_plugin.so", false},
		{"cpu", "/home/ann/cuda/pjrt_c_api_cpu_plugin.so", true},
		{"cpu", "/opt/Nvidia/pjrt_c_api_cpu_plugin.so", true},
		{"cuda", "/opt/nvidia/pjrt_c_api_cuda_plugin.so", false},
		{"cuda", "/home/cpu-lab/pjrt_c_api_cuda_plugin.so", true},
		{"cpu", "/home/ann,bob/pjrt_c_api_cpu_plugin.so", true},
	} {
		if why := misleading(c.kind, c.path); (why != "") != c.bad {
			t.Errorf("misleading(%s, %s) = %q", c.kind, c.path, why)
		}
	}
}

// onlyFiles fails if dir holds other files than those named.
func onlyFiles(t *testing.T, dir string, want ...string) {
	t.Helper()
	var got []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			rel, _ := filepath.Rel(dir, path)
			got = append(got, filepath.ToSlash(rel))
		}
		return err
	})
	if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%s holds %v (%v), want %v", dir, got, err, want)
	}
}
