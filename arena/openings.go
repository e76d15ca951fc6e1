package arena

import (
	"fmt"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/internal/spec"
)

// OpeningKinds are the ways to begin games that can be named. Each is added by the file
// that defines it.
var OpeningKinds spec.Registry[opener]

// opener makes openings of the settings in r; nil for games that start at the start.
type opener func(r *spec.Reader, game games.Game, seed uint64) (Openings, error)

func init() {
	OpeningKinds.Add(spec.Entry[opener]{
		Name:  "none",
		Help:  "games start at the start",
		Value: func(*spec.Reader, games.Game, uint64) (Openings, error) { return nil, nil },
	})
}

// ParseOpenings reads where games start; nil for the start.
func ParseOpenings(text string, game games.Game, seed uint64) (Openings, error) {
	kind, r, err := OpeningKinds.Read(text)
	if err != nil {
		return nil, fmt.Errorf("openings: %w", err)
	}
	out, err := kind.Value(r, game, seed)
	if wrong := r.Err(); wrong != nil {
		err = wrong
	}
	if err != nil {
		return nil, fmt.Errorf("openings: %w", err)
	}
	return out, nil
}
