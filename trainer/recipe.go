package trainer

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/internal/spec"
	"github.com/agon-rl/agon/policy"
	"github.com/agon-rl/agon/rae"
	"github.com/agon-rl/agon/trainer/recipes"
	"github.com/agon-rl/agon/trainer/run"
)

// RecipeVersion is the version of the recipe's form that this program writes. It also
// reads version 1, that of Agon 0.1, where the meaning is the same.
const RecipeVersion = 2

// Recipe is everything that fixes what a run learns. Backend and number of
// workers are not in it: they change how fast a run is, not what it is.
type Recipe struct {
	Version int    `yaml:"version"`
	Program string `yaml:"program,omitempty"` // version of the program that wrote it
	// Method is what a run does in an update: play, or critic. The settings of a method
	// stand below its name.
	Method  string `yaml:"method"`
	Game    string `yaml:"game"`
	Seed    uint64 `yaml:"seed"`
	Updates int    `yaml:"updates"` // of a round, where the method has rounds
	Games   int    `yaml:"games"`   // episodes an update
	Group   int    `yaml:"group"`   // games in lockstep, evaluated in one call
	// Players is one, which has all roles, or roles: a network for each.
	Players string `yaml:"players"`

	Policy    policy.Arch `yaml:"policy"`
	Advantage string      `yaml:"advantage"` // see rae.New
	// Learn says what is learnt from what, in this order, in every update.
	Learn       []Learn     `yaml:"learn"`
	Epochs      int         `yaml:"epochs"`
	Minibatches int         `yaml:"minibatches"` // of whole games
	Entropy     Schedule    `yaml:"entropy"`     // weight of the entropy bonus
	Value       Schedule    `yaml:"value"`       // weight of the value loss
	Magnet      Magnet      `yaml:"magnet"`
	Optimizer   Optimizing  `yaml:"optimizer"`
	Opponents   string      `yaml:"opponents"` // see OpponentForms
	Stages      string      `yaml:"stages"`    // who trains, where there are several players; see StageForms
	Search      Search      `yaml:"search"`
	Preferences Preferences `yaml:"preferences"`
	Evaluate    Evaluate    `yaml:"evaluate"`
	Guard       Guard       `yaml:"guard"`
	Stop        Stop        `yaml:"stop"`
	Checkpoint  Checkpoint  `yaml:"checkpoint"`

	// Settings are those of the method, a pointer to what it registered; nil for none.
	Settings any `yaml:"-"`
}

// Magnet is the policy that a KL term pulls to.
type Magnet struct {
	// Kind is uniform, or copy: the network as it was at the last multiple of Every. The
	// critic's rounds know start, as it was when round 0 ended, and round, when the
	// round began.
	Kind   string   `yaml:"kind"`
	Weight Schedule `yaml:"weight"` // weight of the KL term; 0 for no magnet
	Every  int      `yaml:"every,omitempty"`
}

// copies tells whether the magnet is a copy of the network.
func (m Magnet) copies() bool { return m.Kind != "uniform" }

// Optimizing is the optimizer with its learning rate.
type Optimizing struct {
	Rate      Schedule `yaml:"rate"`
	Optimizer `yaml:",inline"`
}

// Evaluate says how strength is measured during the run.
type Evaluate struct {
	Every int `yaml:"every"` // updates
	// Exploitability is auto (where the game is small enough), on or off.
	Exploitability string   `yaml:"exploitability"`
	Against        []string `yaml:"against,omitempty"` // agents to play
	Games          int      `yaml:"games"`             // games against each
}

// Guard watches for collapse; see docs/guide/train.md.
type Guard struct {
	Every int  `yaml:"every"` // updates between matches against the anchors; 0 for no guard
	Games int  `yaml:"games"` // games against each anchor
	Stop  bool `yaml:"stop"`  // end the run when collapse is seen
}

// Stop ends a run early once a measure reaches a target.
type Stop struct {
	Measure string   `yaml:"measure,omitempty"`
	Below   *float64 `yaml:"below,omitempty"`
	Above   *float64 `yaml:"above,omitempty"`
}

// Checkpoint says how often the run is saved.
type Checkpoint struct {
	Every int `yaml:"every"` // updates
	Keep  int `yaml:"keep"`
}

// Defaults returns the settings that a recipe of the method play starts from.
func Defaults() Recipe {
	return Recipe{
		Version: RecipeVersion, Method: playMethod, Seed: 1, Updates: 1000, Games: 512, Group: 256, Players: "one",
		Policy:    policy.Arch{Kind: "mlp", Hidden: []int{64, 64}, Activation: "relu", Blocks: 2, Channels: 32},
		Advantage: "rae",
		Learn:     []Learn{{From: "games", Loss: "ppo"}}, Epochs: 2, Minibatches: 1, Entropy: "0", Value: "0",
		Magnet:      Magnet{Kind: "uniform", Weight: "0", Every: 100},
		Optimizer:   Optimizing{Rate: "0.001", Optimizer: Optimizer{Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8, ClipNorm: 1, Accumulate: 1}},
		Opponents:   "self",
		Stages:      "together",
		Search:      Search{Rule: "tpo", Reference: "logged", Acts: true, Share: 1, Sampled: 30},
		Preferences: Preferences{Samples: 8, Judge: "score", Pairs: "all", Reference: autoReference},
		Evaluate:    Evaluate{Every: 50, Exploitability: "auto", Games: 1000},
		Guard:       Guard{Every: 0, Games: 200},
		Checkpoint:  Checkpoint{Every: 100, Keep: 3},
	}
}

// ReadRecipe fills the defaults with a YAML text and then with settings of the
// form path=value, such as magnet.weight=0.1. Unknown names are refused with the
// nearest right one. The recipe is validated.
func ReadRecipe(text []byte, settings []string) (Recipe, error) {
	r := Defaults()
	text, err := recipes.Upgrade(text)
	if err != nil {
		return r, err
	}
	kind, err := methodOf(text, settings)
	if err != nil {
		return r, err
	}
	if err := misplaced(kind.name, text, settings); err != nil {
		return r, err
	}
	section := recipes.Section{}
	if kind.Defaults != nil {
		section = recipes.Section{Name: kind.name, Settings: kind.Defaults(&r)}
		r.Settings = section.Settings
	}
	if err := recipes.Fill("recipe", &r, section, text, settings); err != nil {
		return r, err
	}
	r.Settings = section.Settings
	return r, r.Validate()
}

// methodOf finds the method that a recipe's text, or a setting, names.
func methodOf(text []byte, settings []string) (methodKind, error) {
	name := recipes.HeadOf(text).Method
	for _, s := range settings {
		if value, ok := strings.CutPrefix(s, "method="); ok {
			name = value
		}
	}
	if name == "" {
		name = playMethod
	}
	e, err := Methods.Find(name)
	if err != nil {
		return methodKind{}, fmt.Errorf("recipe: method: %w", err)
	}
	return methodKind{e.Name, e.Value}, nil
}

// misplaced refuses settings that stand below the name of another method.
func misplaced(method string, text []byte, settings []string) error {
	var tree map[string]any
	_ = yaml.Unmarshal(text, &tree) // what is wrong with it is told where all of it is read
	names := slices.Collect(maps.Keys(tree))
	for _, s := range settings {
		names = append(names, s[:max(0, strings.IndexAny(s, ".="))])
	}
	for _, e := range Methods.All() {
		if e.Name != method && e.Value.Defaults != nil && slices.Contains(names, e.Name) {
			return fmt.Errorf("recipe: %s: settings of method: %[1]s, and the method is %s: set method=%[1]s, or leave them out", e.Name, method)
		}
	}
	return nil
}

// RecipeOf reads the recipe of a run.
func RecipeOf(folder *run.Folder) (Recipe, error) {
	text, err := folder.Recipe()
	if err != nil {
		return Recipe{}, err
	}
	return ReadRecipe(text, nil)
}

// YAML returns the complete recipe.
func (r Recipe) YAML() ([]byte, error) {
	section := recipes.Section{}
	if r.Settings != nil {
		section = recipes.Section{Name: r.Method, Settings: r.Settings}
	}
	return yaml.Marshal(recipes.Join(&r, section).Interface())
}

// Validate says what is wrong with a recipe, naming the setting.
func (r Recipe) Validate() error {
	if r.Version != RecipeVersion {
		return fmt.Errorf("recipe: version %d: this program reads versions 1 and %d", r.Version, RecipeVersion)
	}
	if r.Game == "" {
		return fmt.Errorf("recipe: game is missing: name one, such as game: kuhn_poker")
	}
	game, err := games.New(r.Game)
	if err != nil {
		return fmt.Errorf("recipe: %w", err)
	}
	for _, check := range []func() error{
		r.validateNumbers,
		func() error { return r.Policy.Validate(game.Info()) },
		func() error { _, err := rae.New(r.Advantage); return err },
		func() error { _, err := parseOpponents(r.Opponents); return err },
		func() error { _, err := parseStages(r.Stages); return err },
		func() error { return r.validateMethod(game) },
		func() error { _, err := r.schedules(1); return err },
		func() error { return r.validateStop(game.Info()) },
		r.Optimizer.validate,
	} {
		if err := check(); err != nil {
			return fmt.Errorf("recipe: %w", err)
		}
	}
	return nil
}

func (r Recipe) validateMethod(game games.Game) error {
	e, err := Methods.Find(r.Method)
	if err != nil {
		return fmt.Errorf("method: %w", err)
	}
	return e.Value.Validate(r, game)
}

// validateNumbers checks ranges and choices.
func (r Recipe) validateNumbers() error {
	for _, bound := range []struct {
		name          string
		value, lo, hi int
	}{
		{"updates", r.Updates, 1, 1 << 30},
		{"games", r.Games, 1, 1 << 20},
		{"group", r.Group, 1, 1 << 16},
		{"epochs", r.Epochs, 1, 1000},
		{"minibatches", r.Minibatches, 1, r.Games},
		{"magnet.every", r.Magnet.Every, 1, 1 << 30},
		{"optimizer.accumulate", r.Optimizer.Accumulate, 1, 1 << 16},
		{"search.sampled", r.Search.Sampled, 0, 1 << 20},
		{"evaluate.every", r.Evaluate.Every, 1, 1 << 30},
		{"evaluate.games", r.Evaluate.Games, 1, 1 << 24},
		{"guard.every", r.Guard.Every, 0, 1 << 30},
		{"guard.games", r.Guard.Games, 2, 1 << 24},
		{"checkpoint.every", r.Checkpoint.Every, 1, 1 << 30},
		{"checkpoint.keep", r.Checkpoint.Keep, 1, 1 << 20},
	} {
		if bound.value < bound.lo || bound.value > bound.hi {
			return fmt.Errorf("%s: %d: expected %d to %d", bound.name, bound.value, bound.lo, bound.hi)
		}
	}
	for _, choice := range []struct {
		name, value string
		values      []string
	}{
		{"players", r.Players, []string{"one", "roles"}},
		{"search.reference", r.Search.Reference, []string{"logged", "copy"}},
		{"evaluate.exploitability", r.Evaluate.Exploitability, []string{"auto", "on", "off"}},
	} {
		if err := Choose(choice.name, choice.value, choice.values...); err != nil {
			return err
		}
	}
	return nil
}

// Choose refuses a value that is none of those expected.
func Choose(name, value string, values ...string) error {
	if slices.Contains(values, value) {
		return nil
	}
	return fmt.Errorf("%s: %q: expected %s%s", name, value, strings.Join(values, ", "), spec.Suggest(value, values))
}

// validateStop refuses a measure that the run will never take: the run would go
// on to its last update.
func (r Recipe) validateStop(info games.Info) error {
	if (r.Stop.Measure == "") != (r.Stop.Below == nil && r.Stop.Above == nil) {
		return fmt.Errorf("stop: expected a measure together with below or above")
	}
	measure := r.Stop.Measure
	if measure == "" {
		return nil
	}
	e, err := Methods.Find(r.Method)
	if err != nil {
		return err
	}
	names := e.Value.Measures(r, info)
	if slices.Contains(names, measure) {
		return nil
	}
	return fmt.Errorf("stop.measure: %q is not measured in this run%s; measured are %s", measure, spec.Suggest(measure, names), strings.Join(names, ", "))
}

// validate says what is wrong with the optimizer's settings, the rate aside.
func (o Optimizing) validate() error {
	for _, bound := range []struct {
		name          string
		value, lo, hi float64
	}{
		{"beta1", o.Beta1, 0, 0.999999},
		{"beta2", o.Beta2, 0, 0.999999},
		{"epsilon", o.Epsilon, 1e-16, 1},
		{"weight_decay", o.WeightDecay, 0, 10},
		{"clip_norm", o.ClipNorm, 0, 1e9},
	} {
		if !(bound.value >= bound.lo && bound.value <= bound.hi) {
			return fmt.Errorf("optimizer.%s: %g: expected %g to %g", bound.name, bound.value, bound.lo, bound.hi)
		}
	}
	return nil
}

// schedules compiles what changes over the updates of a run.
func (r Recipe) schedules(total int) (func(update int) Coefficients, error) {
	var err error
	compile := func(name string, s Schedule) func(int) float64 {
		f, e := s.Compile(total)
		if e != nil && err == nil {
			err = fmt.Errorf("%s: %w", name, e)
		}
		return f
	}
	rate := compile("optimizer.rate", r.Optimizer.Rate)
	entropy := compile("entropy", r.Entropy)
	magnet := compile("magnet.weight", r.Magnet.Weight)
	value := compile("value", r.Value)
	if err != nil {
		return nil, err
	}
	return func(u int) Coefficients {
		return Coefficients{Rate: rate(u), Entropy: entropy(u), Magnet: magnet(u), Value: value(u)}
	}, nil
}
