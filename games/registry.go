package games

import (
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/agon-rl/agon/internal/spec"
)

// Rules is a game before its parameters are fixed: what the registry holds.
type Rules struct {
	Name    string // short name; OpenSpiel's where it has the game
	Summary string // one line
	Params  []Param
	// Make builds the game. It reads every parameter from r and must return
	// r.Err() where that is not nil.
	Make func(r *spec.Reader) (Game, error)
}

// Param documents one parameter of a game.
type Param struct {
	Name, Default, Help string
}

var registry = struct {
	sync.RWMutex
	rules map[string]Rules
	find  Finder
}{rules: map[string]Rules{}}

// Finder finds games that are not registered, such as plugins. It answers nil
// and no error for a text that names none of its own.
type Finder func(text string) (Game, error)

// Find makes New ask a finder about names that it does not know.
func Find(f Finder) {
	registry.Lock()
	defer registry.Unlock()
	registry.find = f
}

// Register makes a game available under its name. It is called from init
// functions and panics where the name is taken, since that is a mistake in the
// program, not in its input.
func Register(r Rules) {
	registry.Lock()
	defer registry.Unlock()
	if _, taken := registry.rules[r.Name]; taken || r.Name == "" || r.Make == nil {
		panic(fmt.Sprintf("games.Register(%q): the name is empty or taken, or Make is nil", r.Name))
	}
	registry.rules[r.Name] = r
}

// All returns the registered games, sorted by name.
func All() []Rules {
	registry.RLock()
	defer registry.RUnlock()
	return slices.SortedFunc(maps.Values(registry.rules), func(a, b Rules) int {
		if a.Name < b.Name {
			return -1
		}
		return 1
	})
}

// New builds the game that text names, such as kuhn_poker or
// connect_four(rows=5). An unknown name or parameter is refused with the
// nearest right one.
func New(text string) (Game, error) {
	registry.RLock()
	find := registry.find
	registry.RUnlock()
	s, err := spec.Parse(text)
	registry.RLock()
	rules, ok := registry.rules[s.Name]
	names := slices.Sorted(maps.Keys(registry.rules))
	registry.RUnlock()
	if find != nil && (err != nil || !ok) {
		if game, err := find(text); game != nil || err != nil {
			return game, err
		}
	}
	if err != nil {
		return nil, fmt.Errorf("game %w", err)
	}
	if !ok {
		return nil, fmt.Errorf("unknown game %q%s (`agon games` lists them)", s.Name, spec.Suggest(s.Name, names))
	}
	game, err := rules.Make(spec.Read(s))
	if err != nil {
		return nil, fmt.Errorf("game %w", err)
	}
	return game, nil
}
