package trainer

import (
	"context"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/internal/spec"
	"github.com/agon-rl/agon/trainer/run"
)

// Method is what a run does in an update.
type Method interface {
	// Update does one update: it plays, learns, and adds to the line what was seen. What
	// it did is dropped where it returns an error, and done again the same by a resumed
	// run.
	Update(ctx context.Context, line Line) error
	// Measure adds to the line what is measured after an update; see Run.Evaluates.
	Measure(ctx context.Context, line Line) error
	// Save adds to a checkpoint what the method must remember beside the players, and
	// returns what of it is JSON. Restore reads both.
	Save(w *run.CheckpointWriter) (any, error)
	Restore(c *run.Checkpoint, state []byte) error
	// Close frees what the method holds.
	Close() error
}

// Line is what one update adds to the metrics.
type Line map[string]float64

// MethodKind is how a method comes into recipes and runs.
type MethodKind struct {
	// Defaults changes the defaults of a recipe of this method and returns its own
	// settings, a pointer to a struct; nil for a method without settings.
	Defaults func(r *Recipe) any
	// Validate says what is wrong with a recipe, beside what is checked for all.
	Validate func(r Recipe, game games.Game) error
	// Measures names what a run of the recipe measures.
	Measures func(r Recipe, info games.Info) []string
	// Headlines names the measures that a person watches, the most telling first.
	Headlines func(r Recipe) []string
	// Updates is how many updates a run has.
	Updates func(r Recipe) int
	// Lessons are those that the players' updaters learn by.
	Lessons func(r Recipe) ([]Lesson, error)
	// Open opens all that the recipe names; nothing is written.
	Open func(ctx context.Context, r *Run) (Method, error)
}

// methodKind is one with its name.
type methodKind struct {
	name string
	MethodKind
}

// Methods are the methods by name.
var Methods spec.Registry[MethodKind]

// playMethod is the method of recipes that name none.
const playMethod = "play"
