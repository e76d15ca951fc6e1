package spc

import (
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/games/sneakycritic"
	"github.com/agon-rl/agon/internal/spec"
	"github.com/agon-rl/agon/objective"
	"github.com/agon-rl/agon/policy"
	"github.com/agon-rl/agon/rae"
	"github.com/agon-rl/agon/trainer"
	"github.com/agon-rl/agon/trainer/recipes"
	"github.com/agon-rl/agon/trainer/run"
)

// RecipeVersion is the version of the recipe's form that this program reads and
// writes.
const RecipeVersion = 1

// Recipe is everything that fixes what a run learns.
type Recipe struct {
	Kind    string `yaml:"kind"` // recipes.SPC: what tells such recipes from those of package trainer
	Version int    `yaml:"version"`
	Program string `yaml:"program,omitempty"` // version of the program that wrote it
	// Game is sneaky_critic of a domain, or another game of two seats such as
	// inspection, which has no naive start: there warmup is 0.
	Game   string `yaml:"game"`
	Seed   uint64 `yaml:"seed"`
	Warmup int    `yaml:"warmup"` // updates of round 0: both imitate the naive start
	Rounds int    `yaml:"rounds"` // rounds of self-play after it
	// Updates of a round, each of which trains whom the stage says.
	Updates int `yaml:"updates"`
	Games   int `yaml:"games"` // games an update
	Group   int `yaml:"group"` // games in lockstep, evaluated in one call

	Policies string      `yaml:"policies"` // two, or one network with two roles
	Policy   policy.Arch `yaml:"policy"`
	// Sneaky is who slips wrong steps in: learn, a network that starts from the
	// naive kinds of error; or, to compare with, uniform draws from the naive
	// kinds (naive) or from all the kinds there are names for (menu).
	Sneaky string `yaml:"sneaky"`
	// Explore is the share of all that is open in the naive start, so that the
	// other kinds are tried at all.
	Explore   float64            `yaml:"explore"`
	Objective Objective          `yaml:"objective"`
	Optimizer trainer.Optimizing `yaml:"optimizer"`
	// Opponents are those that a player in training meets: latest, the other as
	// it is; earlier(temperature=1), as it was at the end of the round before; or
	// pool(share=1,temperature=1), as it was at the end of any round, drawn for
	// each group, in a share of the groups. A temperature above 1 softens how the
	// earlier ones play: p^(1/temperature), normalised.
	Opponents string `yaml:"opponents"`
	// Stages say who trains: together, alternate(every=10) or
	// adaptive(up=0.9,down=0.75,dwell=5,most=50,decay=0.9).
	Stages string `yaml:"stages"`
	// Validity of a slipped step is exact, the verifier's, or
	// drop(tries=8,slips=0.1,high=0.5,gap=0.25): how often a solver that slips
	// still gets the answer after it.
	Validity string `yaml:"validity"`
	// Curriculum draws problems uniformly, or by spread(pool=4,power=1): of so
	// many times the problems needed, by the spread of what the critic makes of
	// their kinds of error (eva, arXiv 2411.00062).
	Curriculum string `yaml:"curriculum"`
	// Refine is none, or pairs(games=1024,playable=true): at the end of every round
	// wrong lines of so many games are repaired, and the preferences of the repairs,
	// for whoever solves such problems, go into the run's folder refined (SPaR, arXiv
	// 2412.11605). Lines that the problems' game cannot play are left out, or not.
	Refine     string             `yaml:"refine"`
	Evaluate   Evaluate           `yaml:"evaluate"`
	Checkpoint trainer.Checkpoint `yaml:"checkpoint"`
}

// Objective is how players learn.
type Objective struct {
	// Name is online, policy gradient on fresh games; offline, SPC's objective on
	// the games of the rounds so far; replay, policy gradient on these; or
	// best-response, where each player answers the latest other exactly, in games
	// that can be solved.
	Name      string  `yaml:"name"`
	Advantage string  `yaml:"advantage"` // online: see rae.Estimators
	Clip      float64 `yaml:"clip"`
	Epochs    int     `yaml:"epochs"` // online: passes over an update's games
	// Pull is the weight of the KL term that pulls to a policy: uniform, start
	// (that of round 0) or round (that of the round's start). Online.
	Pull   float64 `yaml:"pull"`
	PullTo string  `yaml:"pull_to"`
	// Soft is the temperature of best responses, in units of return per nat; 0 for
	// exact ones.
	Soft float64 `yaml:"soft,omitempty"`
	// Data is how many games a round plays for offline learning and replay; each
	// update draws as many as games says, and offline as many answers to imitate,
	// which count by Imitate. Restart starts every round from round 0, as SPC does.
	Data    int     `yaml:"data"`
	Imitate float64 `yaml:"imitate"`
	Restart bool    `yaml:"restart"`
	// Players is the folder of another run, whose players play those games in the
	// place of the run's own. The run starts from that one's round 0, so that
	// several objectives can be compared on the same games. Offline and replay.
	Players string `yaml:"players,omitempty"`
}

// Evaluate says how the critic is measured.
type Evaluate struct {
	Every  int    `yaml:"every"`            // updates
	Cases  int    `yaml:"cases"`            // lines of every kind in the critic's exam
	Games  int    `yaml:"games"`            // games that are watched for what the sneaky player does
	Longer string `yaml:"longer,omitempty"` // a game of longer problems, of the same shape
}

// Defaults returns the settings that a recipe starts from.
func Defaults() Recipe {
	return Recipe{
		Kind: recipes.SPC, Version: RecipeVersion, Game: "sneaky_critic", Seed: 1, Warmup: 200, Rounds: 3, Updates: 300, Games: 512, Group: 256,
		Policies: "two",
		Policy:   policy.Arch{Kind: "mlp", Hidden: []int{128, 128}, Activation: "relu", Blocks: 2, Channels: 32},
		Sneaky:   "learn", Explore: 0.25,
		Objective: Objective{
			Name: "online", Advantage: "rae", Clip: 0.2, Epochs: 2, Pull: 0.3, PullTo: "uniform",
			Data: 16384, Imitate: 0.15, Restart: true,
		},
		Optimizer: trainer.Optimizing{Rate: "0.001", Optimizer: trainer.Optimizer{Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8, ClipNorm: 1}},
		Opponents: "latest", Stages: "together", Validity: "exact", Curriculum: "uniform", Refine: "none",
		Evaluate:   Evaluate{Every: 50, Cases: 200, Games: 1024},
		Checkpoint: trainer.Checkpoint{Every: 100, Keep: 3},
	}
}

// ReadRecipe fills the defaults with a YAML text and settings of the form
// path=value, and validates.
func ReadRecipe(text []byte, settings []string) (Recipe, error) {
	r := Defaults()
	if err := recipes.Fill("recipe", &r, text, settings); err != nil {
		return r, err
	}
	return r, r.Validate()
}

// RecipeOf reads the recipe of a run, and refuses runs of another kind.
func RecipeOf(folder *run.Folder) (Recipe, error) {
	text, err := folder.Recipe()
	if err != nil {
		return Recipe{}, err
	}
	if err := recipes.Expect(recipes.SPC, text); err != nil {
		return Recipe{}, fmt.Errorf("run %s: %w", folder.Dir(), err)
	}
	return ReadRecipe(text, nil)
}

// YAML returns the complete recipe.
func (r Recipe) YAML() ([]byte, error) { return yaml.Marshal(r) }

// Validate says what is wrong with a recipe, naming the setting.
func (r Recipe) Validate() error {
	if r.Kind != recipes.SPC {
		return fmt.Errorf("recipe: kind: %q: expected %s; recipes without a kind belong to agon train", r.Kind, recipes.SPC)
	}
	if r.Version != RecipeVersion {
		return fmt.Errorf("recipe: version %d: this program reads version %d", r.Version, RecipeVersion)
	}
	for _, bound := range []struct {
		name          string
		value, lo, hi int
	}{
		{"warmup", r.Warmup, 0, 1 << 30},
		{"rounds", r.Rounds, 0, 1000},
		{"updates", r.Updates, 1, 1 << 30},
		{"games", r.Games, 1, 1 << 20},
		{"group", r.Group, 1, 1 << 16},
		{"objective.epochs", r.Objective.Epochs, 1, 1000},
		{"objective.data", r.Objective.Data, 1, 1 << 22},
		{"evaluate.every", r.Evaluate.Every, 1, 1 << 30},
		{"evaluate.cases", r.Evaluate.Cases, 1, 1 << 20},
		{"evaluate.games", r.Evaluate.Games, 1, 1 << 20},
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
		{"policies", r.Policies, []string{"two", "one"}},
		{"sneaky", r.Sneaky, []string{"learn", "naive", "menu"}},
		{"objective.name", r.Objective.Name, []string{"online", "offline", "replay", "best-response"}},
		{"objective.pull_to", r.Objective.PullTo, []string{"uniform", "start", "round"}},
	} {
		if !slices.Contains(choice.values, choice.value) {
			return fmt.Errorf("recipe: %s: %q: expected %s%s", choice.name, choice.value, strings.Join(choice.values, ", "), spec.Suggest(choice.value, choice.values))
		}
	}
	for _, bound := range []struct {
		name          string
		value, lo, hi float64
	}{
		{"explore", r.Explore, 0, 1},
		{"objective.pull", r.Objective.Pull, 0, 1e6},
		{"objective.imitate", r.Objective.Imitate, 0, 1e6},
		{"objective.soft", r.Objective.Soft, 0, 1e6},
	} {
		if !(bound.value >= bound.lo && bound.value <= bound.hi) {
			return fmt.Errorf("recipe: %s: %g: expected %g to %g", bound.name, bound.value, bound.lo, bound.hi)
		}
	}
	if r.Warmup+r.Rounds == 0 {
		return fmt.Errorf("recipe: warmup and rounds are 0: nothing is learnt")
	}
	return r.validateParts()
}

// validateParts checks what is named by a text of its own.
func (r Recipe) validateParts() error {
	if _, err := newTask(r); err != nil {
		return fmt.Errorf("recipe: %w", err)
	}
	if _, err := r.rate(); err != nil {
		return fmt.Errorf("recipe: optimizer.rate: %w", err)
	}
	if err := (objective.Sentence{Clip: r.Objective.Clip, Imitate: r.Objective.Imitate}).Validate(); err != nil {
		return fmt.Errorf("recipe: %w", err)
	}
	if _, err := rae.New(r.Objective.Advantage); err != nil {
		return fmt.Errorf("recipe: objective.%w", err)
	}
	if _, err := parseOpponents(r.Opponents); err != nil {
		return fmt.Errorf("recipe: %w", err)
	}
	if _, err := parseStages(r.Stages); err != nil {
		return fmt.Errorf("recipe: %w", err)
	}
	if _, err := parseValidity(r.Validity); err != nil {
		return fmt.Errorf("recipe: %w", err)
	}
	if _, err := parseCurriculum(r.Curriculum); err != nil {
		return fmt.Errorf("recipe: %w", err)
	}
	if _, err := parseRefinement(r.Refine); err != nil {
		return fmt.Errorf("recipe: %w", err)
	}
	if err := r.validateTogether(); err != nil {
		return fmt.Errorf("recipe: %w", err)
	}
	return r.Optimizer.Validate()
}

// validateTogether refuses settings that contradict each other.
func (r Recipe) validateTogether() error {
	stages, _ := parseStages(r.Stages) // it was checked
	opponents, _ := parseOpponents(r.Opponents)
	switch o := r.Objective.Name; {
	case o != "online" && stages.kind == "adaptive":
		return fmt.Errorf("stages: adaptive: %s plays no games within a round by which to switch: take together or alternate", o)
	case o == "best-response" && opponents.kind == "earlier", o == "best-response" && opponents.share != 1 && opponents.kind == "pool":
		return fmt.Errorf("opponents: %s: best responses are to the latest, or to the average of all, pool", r.Opponents)
	case r.Objective.Soft > 0 && o != "best-response":
		return fmt.Errorf("objective.soft: %g softens best responses, and %s has none: expected objective.pull, or opponents with a temperature", r.Objective.Soft, o)
	case o == "best-response" && opponents.temperature != 1:
		return fmt.Errorf("opponents: %s: best responses are softened by objective.soft", r.Opponents)
	case r.Objective.Players != "" && o != "offline" && o != "replay":
		return fmt.Errorf("objective.players: %s plays games of its own: expected objective.name offline or replay", o)
	case r.Objective.Players != "" && r.Warmup > 0:
		return fmt.Errorf("warmup: %d: a run starts from the round 0 of objective.players: expected 0", r.Warmup)
	case o == "best-response" && r.Warmup > 0:
		return fmt.Errorf("warmup: %d: best responses have nothing to warm up: expected 0", r.Warmup)
	}
	return nil
}

// Total is how many updates a run has.
func (r Recipe) Total() int { return r.Warmup + r.Rounds*r.Updates }

// rate is the learning rate by update.
func (r Recipe) rate() (func(int) float64, error) { return r.Optimizer.Rate.Compile(max(1, r.Total())) }

// task is the game that is trained on.
type task struct {
	game   games.Game
	spc    *sneakycritic.Game // nil for another game of two seats
	longer *sneakycritic.Game // nil where there is none
}

// newTask opens the games that a recipe names and checks what they need.
func newTask(r Recipe) (task, error) {
	game, err := games.New(r.Game)
	if err != nil {
		return task{}, err
	}
	t := task{game: game}
	t.spc, _ = game.(*sneakycritic.Game)
	info := game.Info()
	if err := r.Policy.Validate(info); err != nil {
		return task{}, err
	}
	if r.Policy.Kind == "table" {
		return task{}, fmt.Errorf("policy.kind: table: expected mlp: cases are hardly ever the same twice")
	}
	if t.spc == nil {
		for _, setting := range []struct {
			name string
			used bool
		}{
			{"warmup", r.Warmup > 0},
			{"sneaky: " + r.Sneaky, r.Sneaky != "learn"},
			{"objective.name: offline", r.Objective.Name == "offline"},
			{"validity: " + r.Validity, r.Validity != "exact"},
			{"curriculum: " + r.Curriculum, r.Curriculum != "uniform"},
			{"refine: " + r.Refine, r.Refine != "none"},
			{"evaluate.longer", r.Evaluate.Longer != ""},
		} {
			if setting.used {
				return task{}, fmt.Errorf("%s: it wants kinds of error, and %s has none: take sneaky_critic, or leave it out", setting.name, info.Name)
			}
		}
		if info.Seats != 2 || info.Sum != 0 {
			return task{}, fmt.Errorf("game %s: expected a zero-sum game of two seats", info.Name)
		}
		return t, nil
	}
	if r.Objective.Name == "best-response" {
		return task{}, fmt.Errorf("objective.name: best-response: %s is too large to answer exactly: take inspection", info.Name)
	}
	if r.Policies == "one" && r.Sneaky != "learn" {
		return task{}, fmt.Errorf("policies: one: sneaky=%s is no network", r.Sneaky)
	}
	if r.Evaluate.Longer == "" {
		return t, nil
	}
	longer, err := games.New(r.Evaluate.Longer)
	if err != nil {
		return task{}, fmt.Errorf("evaluate.longer: %w", err)
	}
	var ok bool
	if t.longer, ok = longer.(*sneakycritic.Game); !ok || !slices.Equal(longer.Info().Tensor, info.Tensor) {
		return task{}, fmt.Errorf("evaluate.longer: %s: expected sneaky_critic of the same domain, with problems that a network sees in the same shape", r.Evaluate.Longer)
	}
	return t, nil
}
