package plugins

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/rs/zerolog"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/internal/spec"
)

// Prefix stands before the program of a plugin where it is named as a game:
// plugin:./nim, plugin:./nim(rows=3), plugin:python nim.py.
const Prefix = "plugin:"

// Manifest is the file plugin.yaml that describes an installed plugin.
type Manifest struct {
	Name      string        `yaml:"name"`      // the game's; the folder's where empty
	Summary   string        `yaml:"summary"`   // one line
	Command   []string      `yaml:"command"`   // the program and its arguments, seen from the manifest's folder
	SHA256    string        `yaml:"sha256"`    // of the program, in hex; not checked where empty
	Processes int           `yaml:"processes"` // 1 where absent
	Timeout   time.Duration `yaml:"timeout"`   // for one call, such as 10s
	Memory    string        `yaml:"memory"`    // for one process, such as 512MiB
	Env       []string      `yaml:"env"`       // variables for the plugin, as NAME=value

	Folder string `yaml:"-"` // where the manifest lies
}

// ManifestFile is the name of a manifest.
const ManifestFile = "plugin.yaml"

// ReadManifest reads the manifest in a folder.
func ReadManifest(folder string) (Manifest, error) {
	path := filepath.Join(folder, ManifestFile)
	f, err := os.Open(path) //nolint:gosec // the manifest that the user named
	if err != nil {
		return Manifest{}, fmt.Errorf("plugin manifest: %w", err)
	}
	defer f.Close() //nolint:errcheck // it was only read
	m := Manifest{Folder: folder}
	if err := yaml.NewDecoder(f, yaml.Strict()).Decode(&m); err != nil {
		line, _, _ := strings.Cut(err.Error(), "\n")
		return Manifest{}, fmt.Errorf("%s: %s", path, line)
	}
	if m.Name == "" {
		m.Name = filepath.Base(folder)
	}
	if len(m.Command) == 0 {
		return Manifest{}, fmt.Errorf("%s: expected a command, such as command: [./nim]", path)
	}
	if _, err := m.options(); err != nil {
		return Manifest{}, fmt.Errorf("%s: %w", path, err)
	}
	return m, nil
}

func (m Manifest) options() (Options, error) {
	memory, err := bytesOf(m.Memory)
	return Options{
		Command: m.Command, Dir: m.Folder, Env: m.Env, SHA256: m.SHA256,
		Processes: m.Processes, Timeout: m.Timeout, Memory: memory,
	}, err
}

// bytesOf reads an amount of memory such as 512MiB.
func bytesOf(text string) (int64, error) {
	if text == "" {
		return 0, nil
	}
	number, unit := text, int64(1)
	for suffix, size := range map[string]int64{"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30} {
		if before, ok := strings.CutSuffix(text, suffix); ok {
			number, unit = before, size
		}
	}
	n, err := strconv.ParseInt(strings.TrimSpace(number), 10, 40)
	if err != nil || n <= 0 {
		return 0, fmt.Errorf("memory %q: expected an amount such as 512MiB", text)
	}
	return n * unit, nil
}

// Folders are where installed plugins are looked for: the list in AGON_PLUGINS,
// else plugins in the user's configuration folder for agon.
func Folders() []string {
	if list, ok := os.LookupEnv("AGON_PLUGINS"); ok {
		return filepath.SplitList(list)
	}
	config, err := os.UserConfigDir()
	if err != nil {
		return nil
	}
	return []string{filepath.Join(config, "agon", "plugins")}
}

// Installed returns the plugins with a manifest one level below the folders, the
// first of a name, sorted by name. Manifests that cannot be read are in the
// error, which does not keep the others from being there.
func Installed() ([]Manifest, error) {
	found := map[string]Manifest{}
	var failures []error
	for _, folder := range Folders() {
		entries, err := os.ReadDir(folder)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			failures = append(failures, err)
		}
		for _, e := range entries {
			inside := filepath.Join(folder, e.Name())
			if _, err := os.Stat(filepath.Join(inside, ManifestFile)); err != nil {
				continue
			}
			m, err := ReadManifest(inside)
			if err != nil {
				failures = append(failures, err)
				continue
			}
			if _, taken := found[m.Name]; !taken {
				found[m.Name] = m
			}
		}
	}
	return slices.SortedFunc(maps.Values(found), func(a, b Manifest) int { return strings.Compare(a.Name, b.Name) }), errors.Join(failures...)
}

// Opened holds the plugins that one program has opened, each once.
type Opened struct {
	log   zerolog.Logger
	mu    sync.Mutex
	games map[string]*Game
}

// Find makes games.New know plugins: those named with Prefix, and those
// installed. Whoever calls it calls Close in the end.
func Find(log zerolog.Logger) *Opened {
	o := &Opened{log: log, games: map[string]*Game{}}
	games.Find(func(text string) (games.Game, error) {
		if g, err := o.open(text); g != nil || err != nil {
			return g, err
		}
		return nil, nil
	})
	return o
}

func (o *Opened) open(text string) (games.Game, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if g, ok := o.games[text]; ok {
		return g, nil
	}
	options, found, err := Named(text)
	if err != nil || !found {
		return nil, err
	}
	options.Log = o.log
	g, err := Open(options)
	if err != nil {
		return nil, err
	}
	g.info.Origin = text
	o.games[text] = g
	return g, nil
}

// Err returns the first failure that a plugin's game could not return.
func (o *Opened) Err() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	var failures []error
	for _, g := range o.games {
		failures = append(failures, g.Err())
	}
	return errors.Join(failures...)
}

// Close ends all plugins.
func (o *Opened) Close() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	var failures []error
	for _, g := range o.games {
		failures = append(failures, g.Close())
	}
	clear(o.games)
	return errors.Join(failures...)
}

// Named reads how a plugin is run from its name: PREFIX and a command, a folder
// with a manifest, or the name of an installed plugin, then the game's
// parameters in brackets. Found is false where text names no plugin.
func Named(text string) (o Options, found bool, err error) {
	command, explicit := strings.CutPrefix(text, Prefix)
	params := ""
	if before, after, ok := strings.Cut(command, "("); ok && strings.HasSuffix(after, ")") {
		command, params = before, strings.TrimSuffix(after, ")")
	}
	if _, err := spec.Parse("game(" + params + ")"); err != nil {
		return o, true, fmt.Errorf("plugin %s: %w", command, err)
	}
	words := strings.Fields(command)
	if len(words) == 0 {
		if explicit {
			return o, true, fmt.Errorf("%q: expected a program after %s, such as %s./nim", text, Prefix, Prefix)
		}
		return o, false, nil
	}
	if explicit && len(words) == 1 {
		if s, err := os.Stat(words[0]); err == nil && s.IsDir() {
			m, err := ReadManifest(words[0])
			if err != nil {
				return o, true, err
			}
			o, err = m.options()
			o.Params = params
			return o, true, err
		}
	}
	if !strings.ContainsAny(command, " /\\") {
		installed, _ := Installed() // one that cannot be read is told of by agon plugin list
		for _, m := range installed {
			if m.Name == command {
				o, err = m.options()
				o.Params = params
				return o, true, err
			}
		}
	}
	if !explicit {
		return o, false, nil
	}
	return Options{Command: words, Params: params}, true, nil
}
