package trainer

import (
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/agon-rl/agon/agents"
	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/internal/spec"
	"github.com/agon-rl/agon/objective"
	"github.com/agon-rl/agon/policy"
	"github.com/agon-rl/agon/prefs"
	"github.com/agon-rl/agon/rae"
	"github.com/agon-rl/agon/trainer/recipes"
)

// RecipeVersion is the version of the recipe's form that this program reads
// and writes.
const RecipeVersion = 1

// Recipe is everything that fixes what a run learns. Backend and number of
// workers are not in it: they change how fast a run is, not what it is.
type Recipe struct {
	Version int    `yaml:"version"`
	Program string `yaml:"program,omitempty"` // version of the program that wrote it
	Game    string `yaml:"game"`
	Seed    uint64 `yaml:"seed"`
	Updates int    `yaml:"updates"`
	Games   int    `yaml:"games"` // episodes an update
	Group   int    `yaml:"group"` // games in lockstep, evaluated in one call

	Policy      policy.Arch     `yaml:"policy"`
	Advantage   string          `yaml:"advantage"` // see rae.Estimators
	Objective   Objective       `yaml:"objective"`
	Search      Search          `yaml:"search"`
	Preferences GamePreferences `yaml:"preferences"`
	Optimizer   Optimizing      `yaml:"optimizer"`
	Opponents   string          `yaml:"opponents"` // see OpponentForms
	Evaluate    Evaluate        `yaml:"evaluate"`
	Guard       Guard           `yaml:"guard"`
	Stop        Stop            `yaml:"stop"`
	Checkpoint  Checkpoint      `yaml:"checkpoint"`
}

// Objective is the loss of an update.
type Objective struct {
	Name        string   `yaml:"name"` // ppo or reinforce; none where a search alone teaches
	Clip        float64  `yaml:"clip"` // PPO's ε
	Epochs      int      `yaml:"epochs"`
	Minibatches int      `yaml:"minibatches"` // of whole games
	Entropy     Schedule `yaml:"entropy"`     // weight of the entropy bonus
	Value       Schedule `yaml:"value"`       // weight of the value loss
	Magnet      Magnet   `yaml:"magnet"`
}

// Search is a tree search over the network in training, which judges its
// leaves, and what the network learns from it.
type Search struct {
	// Agent names the search, such as mcts:sims=32,rule=gumbel; empty for none.
	Agent string `yaml:"agent,omitempty"`
	// Learn is what the network learns from it: visits, the search's
	// distribution over actions and, by its value head, how the game ended
	// (expert iteration); best, its best action alone (supervised); or step
	// preferences among the actions that it tried, by an objective such as
	// dpo, mcts-dpo, step-apo(alpha=1), kto or, for whole lists, tpo(beta=0.5).
	Learn string `yaml:"learn"`
	// Rule says which pairs are taken; see prefs.Extractions.
	Rule string `yaml:"rule"`
	// Reference of preferences is logged, the network as it was when it
	// searched, or copy, that of objective.magnet: one that moves at every
	// multiple of magnet.every, or never where that is beyond the updates.
	Reference string `yaml:"reference"`
	// File holds pairs to learn from instead of games, .parquet or .jsonl.
	File string `yaml:"file,omitempty"`
	// Acts has the search play the games. Otherwise the network plays, and the
	// search looks at a share of its turns.
	Acts    bool    `yaml:"acts"`
	Share   float64 `yaml:"share"`
	Sampled int     `yaml:"sampled"` // turns at the start of a game that are drawn from the distribution; then the best action is played
}

// Magnet is the policy that a KL term pulls to.
type Magnet struct {
	Kind   string   `yaml:"kind"`   // uniform, or copy: the network as it was at the last multiple of Every
	Weight Schedule `yaml:"weight"` // weight of the KL term; 0 for no magnet
	Every  int      `yaml:"every,omitempty"`
}

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

// Guard watches for collapse; see Guard in docs/train.md.
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

// Defaults returns the settings that a recipe starts from.
func Defaults() Recipe {
	return Recipe{
		Version: RecipeVersion, Seed: 1, Updates: 1000, Games: 512, Group: 256,
		Policy:    policy.Arch{Kind: "mlp", Hidden: []int{64, 64}, Activation: "relu", Blocks: 2, Channels: 32},
		Advantage: "rae",
		Objective: Objective{
			Name: "ppo", Clip: 0.2, Epochs: 2, Minibatches: 1, Entropy: "0", Value: "0",
			Magnet: Magnet{Kind: "uniform", Weight: "0", Every: 100},
		},
		Preferences: GamePreferences{Samples: 8, Judge: "score", Pairs: "all", Reference: autoReference},
		Search:      Search{Learn: "visits", Rule: "tpo", Reference: "logged", Acts: true, Share: 1, Sampled: 30},
		Optimizer:   Optimizing{Rate: "0.001", Optimizer: Optimizer{Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8, ClipNorm: 1}},
		Opponents:   "self",
		Evaluate:    Evaluate{Every: 50, Exploitability: "auto", Games: 1000},
		Guard:       Guard{Every: 0, Games: 200},
		Checkpoint:  Checkpoint{Every: 100, Keep: 3},
	}
}

// ReadRecipe fills the defaults with a YAML text and then with settings of the
// form path=value, such as objective.magnet.weight=0.1. Unknown names are
// refused with the nearest right one. The recipe is validated.
func ReadRecipe(text []byte, settings []string) (Recipe, error) {
	r := Defaults()
	if err := recipes.Expect(recipes.Training, text); err != nil {
		return r, err
	}
	if err := recipes.Fill("recipe", &r, text, settings); err != nil {
		return r, err
	}
	return r, r.Validate()
}

// YAML returns the complete recipe.
func (r Recipe) YAML() ([]byte, error) { return yaml.Marshal(r) }

// Validate says what is wrong with a recipe, naming the setting.
func (r Recipe) Validate() error {
	if r.Version != RecipeVersion {
		return fmt.Errorf("recipe: version %d: this program reads version %d", r.Version, RecipeVersion)
	}
	if r.Game == "" {
		return fmt.Errorf("recipe: game is missing: name one, such as game: kuhn_poker")
	}
	game, err := games.New(r.Game)
	if err != nil {
		return fmt.Errorf("recipe: %w", err)
	}
	for _, bound := range []struct {
		name          string
		value, lo, hi int
	}{
		{"updates", r.Updates, 1, 1 << 30},
		{"games", r.Games, 1, 1 << 20},
		{"group", r.Group, 1, 1 << 16},
		{"objective.epochs", r.Objective.Epochs, 1, 1000},
		{"objective.minibatches", r.Objective.Minibatches, 1, r.Games},
		{"objective.magnet.every", r.Objective.Magnet.Every, 1, 1 << 30},
		{"search.sampled", r.Search.Sampled, 0, 1 << 20},
		{"evaluate.every", r.Evaluate.Every, 1, 1 << 30},
		{"evaluate.games", r.Evaluate.Games, 2, 1 << 24},
		{"guard.every", r.Guard.Every, 0, 1 << 30},
		{"guard.games", r.Guard.Games, 2, 1 << 24},
		{"checkpoint.every", r.Checkpoint.Every, 1, 1 << 30},
		{"checkpoint.keep", r.Checkpoint.Keep, 1, 1 << 20},
	} {
		if bound.value < bound.lo || bound.value > bound.hi {
			return fmt.Errorf("recipe: %s: %d: expected %d to %d", bound.name, bound.value, bound.lo, bound.hi)
		}
	}
	for _, choice := range []struct {
		name, value string
		values      []string
	}{
		{"objective.name", r.Objective.Name, append([]string{noGradient}, objective.PolicyGradients...)},
		{"search.reference", r.Search.Reference, []string{"logged", "copy"}},
		{"objective.magnet.kind", r.Objective.Magnet.Kind, []string{"uniform", "copy"}},
		{"evaluate.exploitability", r.Evaluate.Exploitability, []string{"auto", "on", "off"}},
	} {
		if !slices.Contains(choice.values, choice.value) {
			return fmt.Errorf("recipe: %s: %q: expected %s%s", choice.name, choice.value, strings.Join(choice.values, ", "), spec.Suggest(choice.value, choice.values))
		}
	}
	if err := r.Policy.Validate(game.Info()); err != nil {
		return fmt.Errorf("recipe: %w", err)
	}
	if err := r.validateLearning(); err != nil {
		return fmt.Errorf("recipe: %w", err)
	}
	if err := r.validatePreferences(game); err != nil {
		return fmt.Errorf("recipe: %w", err)
	}
	if _, err := rae.New(r.Advantage); err != nil {
		return fmt.Errorf("recipe: %w", err)
	}
	if _, err := parseOpponents(r.Opponents); err != nil {
		return fmt.Errorf("recipe: %w", err)
	}
	if _, err := r.schedules(); err != nil {
		return err
	}
	if (r.Stop.Measure == "") != (r.Stop.Below == nil && r.Stop.Above == nil) {
		return fmt.Errorf("recipe: stop: expected a measure together with below or above")
	}
	if err := r.validateStop(game.Info()); err != nil {
		return fmt.Errorf("recipe: stop.measure: %w", err)
	}
	return r.Optimizer.Validate()
}

// validateStop refuses a measure that the run will never take: the run would go
// on to its last update.
func (r Recipe) validateStop(info games.Info) error {
	measure := r.Stop.Measure
	if measure == "" {
		return nil
	}
	names := []string{"length", "forfeits", "dropped", "gradient_norm", "gradient_noise"}
	names = slices.Concat(names, objective.StatNames, objective.VisitStats, objective.PairStats)
	switch {
	case info.Seats == 1:
		names = append(names, "solved")
	case r.Evaluate.Exploitability != "off":
		names = append(names, "exploitability")
	}
	for _, role := range info.Roles {
		names = append(names, "return/"+role, "wins/"+role, "advantage_variance/"+role)
	}
	for _, agent := range r.Evaluate.Against {
		names = append(names, "score/"+agent, "drawn/"+agent, "lost/"+agent)
	}
	if r.prefers() {
		names = append(names, "queries", "share")
	}
	if r.Opponents != "self" {
		names = append(names, "score/opponents")
	}
	if r.Guard.Every > 0 {
		names = append(names, "guard/score", "guard/best", "collapse")
	}
	if slices.Contains(names, measure) {
		return nil
	}
	return fmt.Errorf("%q is not measured in this run%s; measured are %s", measure, spec.Suggest(measure, names), strings.Join(names, ", "))
}

// noGradient is the objective of a run that only a search teaches.
const noGradient = "none"

// validateLearning checks what the network learns from.
func (r Recipe) validateLearning() error {
	if r.Objective.Name != noGradient {
		if err := r.Loss().Validate(); err != nil {
			return err
		}
	}
	switch {
	case r.Search.Agent == "" && r.Search.File == "":
		if r.Objective.Name == noGradient && !r.prefers() {
			return fmt.Errorf("objective.name: none: then a search must teach: set search.agent, such as mcts:sims=32,rule=gumbel, or search.file; or preferences: set preferences.objective, such as inpo")
		}
		return nil
	case r.Search.Agent != "" && r.Search.File != "":
		return fmt.Errorf("search.agent and search.file: expected one of them")
	case r.Search.File != "" && r.Objective.Name != noGradient:
		return fmt.Errorf("search.file: objective %s learns from games, and none are played: set objective.name=none", r.Objective.Name)
	case r.Search.File != "" && !r.Search.prefers():
		return fmt.Errorf("search.learn: %s: a file holds pairs: expected a preference objective such as dpo or step-apo", r.Search.Learn)
	}
	if _, err := r.Search.lesson(r.Objective.Magnet.Kind == "copy"); err != nil {
		return err
	}
	if _, err := prefs.FindExtraction(r.Search.Rule); err != nil {
		return fmt.Errorf("search.rule: %w", err)
	}
	if r.Search.Reference == "copy" && r.Objective.Magnet.Kind != "copy" {
		return fmt.Errorf("search.reference: copy: there is none: set objective.magnet.kind=copy and objective.magnet.every")
	}
	if r.Search.File != "" {
		return prefs.CheckName(r.Search.File)
	}
	if _, _, err := agents.ReadSearch(r.Search.Agent); err != nil {
		return fmt.Errorf("search.agent: %w", err)
	}
	if !(r.Search.Share > 0 && r.Search.Share <= 1) {
		return fmt.Errorf("search.share: %g: expected more than 0, up to 1", r.Search.Share)
	}
	if r.Search.Acts && r.Objective.Name != noGradient {
		return fmt.Errorf("search.acts: true: the search plays, and objective %s learns from games that the network plays: set search.acts=false or objective.name=none", r.Objective.Name)
	}
	return nil
}

// Validate says what is wrong with the optimizer's settings, the rate aside.
func (o Optimizing) Validate() error {
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
			return fmt.Errorf("recipe: optimizer.%s: %g: expected %g to %g", bound.name, bound.value, bound.lo, bound.hi)
		}
	}
	return nil
}

// Loss returns the settings of the loss.
func (r Recipe) Loss() objective.PolicyGradient {
	return objective.PolicyGradient{Name: r.Objective.Name, Clip: r.Objective.Clip}
}

// schedules compiles what changes over the run.
func (r Recipe) schedules() (func(update int) Coefficients, error) {
	var err error
	compile := func(name string, s Schedule) func(int) float64 {
		f, e := s.Compile(r.Updates)
		if e != nil && err == nil {
			err = fmt.Errorf("recipe: %s: %w", name, e)
		}
		return f
	}
	rate := compile("optimizer.rate", r.Optimizer.Rate)
	entropy := compile("objective.entropy", r.Objective.Entropy)
	magnet := compile("objective.magnet.weight", r.Objective.Magnet.Weight)
	value := compile("objective.value", r.Objective.Value)
	if err != nil {
		return nil, err
	}
	return func(u int) Coefficients {
		return Coefficients{Rate: rate(u), Entropy: entropy(u), Magnet: magnet(u), Value: value(u)}
	}, nil
}
