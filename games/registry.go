package games

import (
	"fmt"
	"sync/atomic"

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

var registry spec.Registry[Rules]

// finder is asked about names that are not registered.
var finder atomic.Pointer[Finder]

// Finder finds games that are not registered, such as plugins. It answers nil
// and no error for a text that names none of its own.
type Finder func(text string) (Game, error)

// Find makes New ask a finder about names that it does not know; nil for nobody.
func Find(f Finder) { finder.Store(&f) }

// Register makes a game available under its name. It is called from init
// functions and panics where the name is taken, since that is a mistake in the
// program, not in its input.
func Register(r Rules) {
	if r.Make == nil {
		panic(fmt.Sprintf("games.Register(%q): Make is nil", r.Name))
	}
	registry.Add(spec.Entry[Rules]{Name: r.Name, Help: r.Summary, Value: r})
}

// All returns the registered games, sorted by name.
func All() []Rules {
	var out []Rules
	for _, e := range registry.All() {
		out = append(out, e.Value)
	}
	return out
}

// New builds the game that text names, such as kuhn_poker or
// connect_four(rows=5). An unknown name or parameter is refused with the
// nearest right one.
func New(text string) (Game, error) {
	s, err := spec.Parse(text)
	rules, ok := registry.Get(s.Name)
	if find := finder.Load(); find != nil && *find != nil && (err != nil || !ok) {
		if game, err := (*find)(text); game != nil || err != nil {
			return game, err
		}
	}
	if err != nil {
		return nil, fmt.Errorf("game %w", err)
	}
	if !ok {
		return nil, fmt.Errorf("unknown game %q%s (`agon games` lists them)", s.Name, spec.Suggest(s.Name, registry.Names()))
	}
	game, err := rules.Value.Make(spec.Read(s))
	if err != nil {
		return nil, fmt.Errorf("game %w", err)
	}
	return game, nil
}
