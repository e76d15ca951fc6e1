package backend

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
)

// DirEnv names the environment variable with the folder of the plugins that
// Install fetches, in place of the folder that Dir names by itself.
const DirEnv = "AGON_PJRT_DIR"

// searchEnv is the field's own variable: folders of plugins, searched first.
const searchEnv = "PJRT_PLUGIN_LIBRARY_PATH"

// Dir returns the folder of the plugins that Install fetches: that of DirEnv,
// or agon/pjrt in the user's cache folder.
func Dir() (string, error) {
	if dir := os.Getenv(DirEnv); dir != "" {
		return filepath.Abs(dir)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("no cache folder for plugins: %w: set %s to a folder", err, DirEnv)
	}
	return filepath.Join(cache, "agon", "pjrt"), nil
}

// plugin is a PJRT plugin found on disk.
type plugin struct{ path, version string }

// kind is the plugin's word in a backend's name: cpu or cuda.
func kind(name string) string { return strings.TrimPrefix(name, "xla:") }

// lookUp finds the plugin for CPU or CUDA. The error is a *missing; the plugin
// is returned beside it where it is something else that is missing.
func lookUp(name string) (plugin, error) {
	p, found := find(kind(name), searchDirs())
	lacks := func(why, advice string) (plugin, error) {
		return p, &missing{name: name, why: why, advice: advice}
	}
	switch {
	case !linked():
		return lacks("XLA is not part of this program", "build it with a C compiler and CGO_ENABLED=1 (a library user imports policy/backend/xla as well)")
	case name == CUDA && !hasDevice():
		return lacks("no NVIDIA device found", "")
	case !found:
		return lacks("no PJRT plugin found", fmt.Sprintf("`agon backend install %s` fetches it, or set %s to its folder", kind(name), searchEnv))
	}
	if why := misleading(kind(name), p.path); why != "" {
		return lacks(why, "move the plugin to another folder")
	}
	return p, nil
}

// searchDirs are the folders in which a plugin may lie, the first first: the
// field's own variable, what Install fetched, and where go-xla's installer
// puts plugins for a user or for the machine.
func searchDirs() []string {
	dirs := filepath.SplitList(os.Getenv(searchEnv))
	var roots []string
	if dir, err := Dir(); err == nil {
		dirs = append(dirs, filepath.Join(dir, "cpu"), filepath.Join(dir, "cuda"))
		roots = append(roots, dir)
	}
	if home, err := os.UserHomeDir(); err == nil {
		switch runtime.GOOS {
		case "darwin":
			roots = append(roots, filepath.Join(home, "Library", "Application Support"))
		case "windows":
			roots = append(roots, filepath.Join(home, "AppData", "Local"))
		default:
			roots = append(roots, filepath.Join(home, ".local", "lib"))
		}
	}
	roots = append(roots, filepath.FromSlash("/usr/local/lib"))
	for _, root := range roots {
		dirs = append(dirs, filepath.Join(root, "go-xla"), filepath.Join(root, "go-xla", "nvidia"))
	}
	return dirs
}

// find returns the first plugin of the kind in dirs.
func find(kind string, dirs []string) (plugin, bool) {
	for _, dir := range dirs {
		for _, pattern := range []string{"pjrt_c_api_%s_plugin.*", "pjrt_c_api_%s_v*_plugin.*", "pjrt[-_]plugin[-_]%s.*"} {
			paths, _ := filepath.Glob(filepath.Join(dir, fmt.Sprintf(pattern, kind)))
			for _, path := range paths {
				if !isLibrary(path) {
					continue
				}
				if full, err := filepath.Abs(path); err == nil {
					return plugin{path: full, version: version(full)}, true
				}
			}
		}
	}
	return plugin{}, false
}

func isLibrary(path string) bool {
	switch filepath.Ext(path) {
	case ".so", ".dylib", ".dll":
		info, err := os.Stat(path)
		return err == nil && info.Mode().IsRegular()
	}
	return false
}

var releaseName = regexp.MustCompile(`_(v\d+(\.\d+)+)_plugin\.`)

// version returns the version that Install noted beside the plugin, or the one
// in the file's name as go-xla's installer gives it, or nothing.
func version(path string) string {
	var o origin
	if text, err := os.ReadFile(filepath.Join(filepath.Dir(path), originFile)); err == nil && json.Unmarshal(text, &o) == nil && o.File == filepath.Base(path) {
		return o.Package + " " + o.Version
	}
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	if m := releaseName.FindStringSubmatch(filepath.Base(path)); m != nil {
		return m[1]
	}
	return ""
}

// misleading says why go-xla would take the plugin for one of the other kind:
// it tells the kinds apart by words anywhere in the path. It also reads
// options after a comma.
func misleading(kind, path string) string {
	upper := strings.ToUpper(path)
	words := []string{"CUDA", "NVIDIA"}
	if kind == "cuda" {
		words = []string{"CPU"}
	}
	for _, w := range words {
		if strings.Contains(upper, w) {
			return fmt.Sprintf("the path %s holds the word %s, by which XLA's binding takes it for another kind of plugin", path, strings.ToLower(w))
		}
	}
	if strings.Contains(path, ",") {
		return fmt.Sprintf("the path %s holds a comma", path)
	}
	return ""
}

// hasDevice says whether this machine seems to have an NVIDIA device: one of
// the driver's device files, or Windows' paravirtual one under WSL.
func hasDevice() bool {
	for _, pattern := range []string{"/dev/nvidia[0-9]*", "/dev/dxg"} {
		if found, _ := filepath.Glob(pattern); len(found) > 0 {
			return true
		}
	}
	return false
}
