package backend

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/gomlx/go-xla/installer"
)

// releasesURL serves what GitHub publishes about a release of the CPU plugin;
// the tag follows.
const releasesURL = "https://api.github.com/repos/" + installer.BinaryCPUReleasesRepo + "/releases/tags/"

// installRelease runs go-xla's installer, which puts plugins into dir/go-xla.
// It checks the hashes of what it fetches for CUDA, and not for the CPU: there
// we compare its download with the digest that GitHub publishes.
func installRelease(ctx context.Context, kind, dir string) (Installed, error) {
	folder := filepath.Join(dir, "go-xla")
	if kind == "cuda" {
		folder = filepath.Join(folder, "nvidia")
		if !hasDevice() {
			return Installed{}, fmt.Errorf("no NVIDIA device found: go-xla's installer fetches the CUDA plugin only where there is one")
		}
	}
	if err := quietly(func() error { return installer.AutoInstallPlugin(kind, dir, true, installer.Quiet) }); err != nil {
		return Installed{}, fmt.Errorf("go-xla's installer: %w", root(err))
	}
	if ctx.Err() != nil {
		return Installed{}, ctx.Err()
	}
	p, found := find(kind, []string{folder})
	if !found {
		return Installed{}, fmt.Errorf("go-xla's installer has no %s plugin for this platform", kind)
	}
	if kind == "cpu" {
		if err := checkRelease(ctx, releasesURL, p); err != nil {
			_ = os.RemoveAll(folder)
			return Installed{}, fmt.Errorf("%w; nothing was installed", err)
		}
	}
	return Installed{Name: "xla:" + kind, Plugin: p.path, Version: p.version}, nil
}

// checkRelease compares the archive that go-xla's installer keeps in its cache
// with the digest in the release's description.
func checkRelease(ctx context.Context, url string, p plugin) error {
	cache, err := os.UserCacheDir()
	if err != nil {
		return fmt.Errorf("the installer's cache: %w", err)
	}
	archives, _ := filepath.Glob(filepath.Join(cache, "go-xla", p.version+"_pjrt_cpu_*"))
	if len(archives) != 1 {
		return fmt.Errorf("the archive of the CPU plugin %s is not in go-xla's cache, so its hash cannot be checked", p.version)
	}
	asset := strings.TrimPrefix(filepath.Base(archives[0]), p.version+"_")
	want, err := digest(ctx, url+p.version, asset)
	if err != nil {
		return err
	}
	got, err := sum(archives[0])
	if err != nil {
		return err
	}
	if got != want {
		_ = os.Remove(archives[0])
		return fmt.Errorf("%s of release %s has SHA-256 %s, published is %s", asset, p.version, got, want)
	}
	return nil
}

// digest reads an asset's SHA-256 from a release's description.
func digest(ctx context.Context, url, asset string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", fmt.Errorf("asking for %s: %w", url, err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", fmt.Errorf("asking for the release's hashes: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return "", fmt.Errorf("asking for the hashes of release %s: the server answered %s", path.Base(url), response.Status)
	}
	var release struct {
		Assets []struct {
			Name   string `json:"name"`
			Digest string `json:"digest"`
		} `json:"assets"`
	}
	if err := json.NewDecoder(response.Body).Decode(&release); err != nil {
		return "", fmt.Errorf("reading the hashes of release %s: %w", path.Base(url), err)
	}
	for _, a := range release.Assets {
		if sha, ok := strings.CutPrefix(a.Digest, "sha256:"); ok && a.Name == asset {
			return sha, nil
		}
	}
	return "", fmt.Errorf("release %s publishes no hash of %s", path.Base(url), asset)
}

// quietly runs f with standard output turned to standard error: go-xla's
// installer prints, and standard output belongs to results.
func quietly(f func() error) error {
	stdout := os.Stdout
	os.Stdout = os.Stderr
	defer func() { os.Stdout = stdout }()
	return f()
}
