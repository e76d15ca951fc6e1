package plugins

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/agon-rl/agon/internal/spec"
)

// Wrappers are the kinds of environments that agon_game.wrap serves.
var Wrappers = []string{"gymnasium", "openenv", "openspiel", "pettingzoo", "textarena"}

// Wrap describes a plugin that serves an environment of another Python library by
// agon_game.wrap. The Python is one that has both.
func Wrap(python, kind, name string, options []string) (Manifest, error) {
	if !slices.Contains(Wrappers, kind) {
		return Manifest{}, fmt.Errorf("plugin wrap: unknown kind %q%s; there are %s", kind, spec.Suggest(kind, Wrappers), strings.Join(Wrappers, ", "))
	}
	path, err := exec.LookPath(python)
	if err != nil {
		return Manifest{}, fmt.Errorf("plugin wrap: --python %s: there is no such program", python)
	}
	if path, err = filepath.Abs(path); err != nil {
		return Manifest{}, err
	}
	plain := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, strings.ToLower(name))
	return Manifest{
		Name: strings.Trim(plain, "_"), Summary: fmt.Sprintf("%s of %s", name, kind),
		Command: append([]string{path, "-m", "agon_game.wrap", kind, name}, options...),
	}, nil
}

// Write writes the manifest into a new folder.
func (m Manifest) Write(folder string) error {
	text, err := yaml.Marshal(struct {
		Name    string   `yaml:"name"`
		Summary string   `yaml:"summary"`
		Command []string `yaml:"command"`
	}{m.Name, m.Summary, m.Command})
	if err != nil {
		return err
	}
	if err := os.Mkdir(folder, 0o755); err != nil { //nolint:gosec // for others to read
		return err
	}
	return os.WriteFile(filepath.Join(folder, ManifestFile), text, 0o644) //nolint:gosec // for others to read
}
