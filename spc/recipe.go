package spc

import (
	"fmt"
	"slices"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/games/sneakycritic"
	"github.com/agon-rl/agon/internal/spec"
	"github.com/agon-rl/agon/objective"
	"github.com/agon-rl/agon/policy"
	"github.com/agon-rl/agon/trainer"
	"github.com/agon-rl/agon/trainer/run"
)

// Method is the name by which recipes ask for the critic's rounds.
const Method = "critic"

// Settings are those of the method, below critic in a recipe. Games of two seats
// without kinds of error, such as inspection, have no naive start: there warmup is 0.
type Settings struct {
	Warmup int `yaml:"warmup"` // updates of round 0: both imitate the naive start
	Rounds int `yaml:"rounds"` // rounds of self-play after it, each of the recipe's updates
	// Sneaky is who slips wrong steps in: learn, a network that starts from the
	// naive kinds of error; or, to compare with, uniform draws from the naive
	// kinds (naive) or from all the kinds there are names for (menu).
	Sneaky string `yaml:"sneaky"`
	// Explore is the share of all that is open in the naive start, so that the
	// other kinds are tried at all.
	Explore float64 `yaml:"explore"`
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
	Refine string `yaml:"refine"`
	// Data is how many games a round plays for learning from rounds; each update draws
	// as many as games says, and for spc as many answers to imitate. Restart starts
	// every round from round 0, as SPC does.
	Data    int  `yaml:"data"`
	Restart bool `yaml:"restart"`
	// Source is the folder of another run, whose players play those games in the
	// place of the run's own. The run starts from that one's round 0, so that
	// several losses can be compared on the same games.
	Source string `yaml:"source,omitempty"`
	Cases  int    `yaml:"cases"`            // lines of every kind in the critic's exam
	Longer string `yaml:"longer,omitempty"` // a game of longer problems, of the same shape, for a second exam
}

func init() {
	trainer.Methods.Add(spec.Entry[trainer.MethodKind]{
		Name: Method, Help: "rounds of a sneaky generator against a critic (SPC)",
		Value: trainer.MethodKind{
			Defaults:  defaults,
			Validate:  validate,
			Measures:  measures,
			Headlines: func(trainer.Recipe) []string { return []string{"f1", "nash_conv/average"} },
			Updates:   total,
			Lessons:   lessons,
			Open:      open,
		},
	})
}

// defaults are those of a recipe of the method.
func defaults(r *trainer.Recipe) any {
	r.Method, r.Game, r.Players, r.Updates = Method, "sneaky_critic", "roles", 300
	r.Policy.Hidden = []int{128, 128}
	r.Magnet.Weight = "0.3"
	r.Evaluate.Games = 1024
	return &Settings{
		Warmup: 200, Rounds: 3, Sneaky: "learn", Explore: 0.25, Validity: "exact", Curriculum: "uniform", Refine: "none",
		Data: 16384, Restart: true, Cases: 200,
	}
}

// RecipeOf reads the recipe of a run, and refuses runs of another method.
func RecipeOf(folder *run.Folder) (trainer.Recipe, *Settings, error) {
	r, err := trainer.RecipeOf(folder)
	if err != nil {
		return r, nil, err
	}
	s, ok := r.Settings.(*Settings)
	if !ok {
		return r, nil, fmt.Errorf("run %s: method: %s: expected %s", folder.Dir(), r.Method, Method)
	}
	return r, s, nil
}

// settingsOf are the method's settings of a recipe.
func settingsOf(r trainer.Recipe) *Settings {
	if s, ok := r.Settings.(*Settings); ok {
		return s
	}
	return &Settings{}
}

// total is how many updates a run has.
func total(r trainer.Recipe) int {
	s := settingsOf(r)
	return s.Warmup + s.Rounds*r.Updates
}

// learning is how players learn: the one entry of learn.
type learning struct {
	rounds   bool // from the games of the rounds so far, else from fresh ones
	gradient objective.PolicyGradient
	clipped  *Clipped // spc
	respond  bool     // best-response
	soft     float64  // its temperature, in units of return per nat; 0 for exact ones
}

// LearnForms documents what players learn from, and by what.
const LearnForms = `games   ppo(clip=0.2) or reinforce; in a game that can be solved, best-response(soft=0)
rounds  ppo or reinforce on the games of the rounds so far, or SPC's own objective on
        them, spc(clip=0.2,imitate=0.15)`

// losses are the names of what players learn by.
var losses = append(slices.Clone(objective.PolicyGradients), "spc", "best-response")

// readLearning reads what a recipe learns from, and by what.
func readLearning(r trainer.Recipe) (l learning, err error) {
	if len(r.Learn) != 1 {
		return l, fmt.Errorf("learn: %d entries: expected one, such as {from: games, loss: ppo}", len(r.Learn))
	}
	e := r.Learn[0]
	if err := trainer.Choose("learn: from", e.From, "games", "rounds"); err != nil {
		return l, err
	}
	l.rounds = e.From == "rounds"
	name, err := spec.Parse(e.Loss)
	if err != nil {
		return l, fmt.Errorf("learn: loss: %w", err)
	}
	settings := spec.Read(name)
	switch {
	case name.Name == "spc" && l.rounds:
		l.clipped = &Clipped{Clip: settings.Float("clip", 0.2, 0, 1), Imitate: settings.Float("imitate", 0.15, 0, 1e6)}
		if err = settings.Err(); err == nil {
			err = l.clipped.Validate()
		}
	case name.Name == "spc":
		err = fmt.Errorf("spc: it learns from the games of the rounds so far: expected from: rounds")
	case name.Name == "best-response" && !l.rounds:
		l.respond, l.soft = true, settings.Float("soft", 0, 0, 1e6)
		err = settings.Err()
	case name.Name == "best-response":
		err = fmt.Errorf("best-response: it learns from the game itself: expected from: games")
	case !slices.Contains(losses, name.Name):
		err = spec.Unknown(name.Name, losses)
	default:
		l.gradient, err = objective.ParsePolicyGradient(e.Loss)
	}
	if err != nil {
		return l, fmt.Errorf("learn: loss: %w", err)
	}
	return l, nil
}

// lessons are what the players' updaters learn by; imitation goes by slopes.
func lessons(r trainer.Recipe) ([]trainer.Lesson, error) {
	l, err := readLearning(r)
	if err != nil {
		return nil, err
	}
	if l.gradient.Name == "" {
		return []trainer.Lesson{trainer.Slopes()}, nil
	}
	return []trainer.Lesson{trainer.Advantages(l.gradient), trainer.Slopes()}, nil
}

// validate says what is wrong with a recipe, beside what the trainer checks.
func validate(r trainer.Recipe, _ games.Game) error {
	s := settingsOf(r)
	for _, bound := range []struct {
		name          string
		value, lo, hi int
	}{
		{"critic.warmup", s.Warmup, 0, 1 << 30},
		{"critic.rounds", s.Rounds, 0, 1000},
		{"critic.data", s.Data, 1, 1 << 22},
		{"critic.cases", s.Cases, 1, 1 << 20},
	} {
		if bound.value < bound.lo || bound.value > bound.hi {
			return fmt.Errorf("%s: %d: expected %d to %d", bound.name, bound.value, bound.lo, bound.hi)
		}
	}
	if !(s.Explore >= 0 && s.Explore <= 1) {
		return fmt.Errorf("critic.explore: %g: expected 0 to 1", s.Explore)
	}
	if s.Warmup+s.Rounds == 0 {
		return fmt.Errorf("critic.warmup and critic.rounds are 0: nothing is learnt")
	}
	for _, check := range []func() error{
		func() error { return trainer.Choose("critic.sneaky", s.Sneaky, "learn", "naive", "menu") },
		func() error { return trainer.Choose("magnet.kind", r.Magnet.Kind, "uniform", "start", "round") },
		func() error { _, err := newTask(r); return err },
		func() error { _, err := parseValidity(s.Validity); return err },
		func() error { _, err := parseCurriculum(s.Curriculum); return err },
		func() error { _, err := parseRefinement(s.Refine); return err },
		func() error { return validateTogether(r, s) },
	} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

// validateTogether refuses settings that contradict each other.
func validateTogether(r trainer.Recipe, s *Settings) error {
	l, err := readLearning(r)
	if err != nil {
		return err
	}
	o, err := spec.Parse(r.Opponents)
	if err != nil {
		return err
	}
	stages, err := spec.Parse(r.Stages)
	if err != nil {
		return err
	}
	loss := r.Learn[0].Loss
	switch {
	case !slices.Contains([]string{"self", "earlier", "pool"}, o.Name):
		return fmt.Errorf("opponents: %s: rounds know self, earlier and pool", o.Name)
	case r.Minibatches != 1:
		return fmt.Errorf("minibatches: %d: rounds learn from an update's games at once: expected 1", r.Minibatches)
	case r.Guard.Every > 0:
		return fmt.Errorf("guard.every: %d: the guard watches self-play of one player: expected 0", r.Guard.Every)
	case r.Players == "one" && stages.Name != "together":
		return fmt.Errorf("stages: %s: there is one player: expected together, or players=roles", stages.Name)
	case (l.rounds || l.respond) && stages.Name == "adaptive":
		return fmt.Errorf("stages: adaptive: %s from %s plays no games within a round by which to switch: take together or alternate", loss, r.Learn[0].From)
	case l.respond && (o.Name == "earlier" || len(o.Args) > 0):
		return fmt.Errorf("opponents: %s: best responses are to the latest, self, or to the average of all, pool; they are softened by best-response(soft=…)", r.Opponents)
	case l.respond && s.Warmup > 0:
		return fmt.Errorf("critic.warmup: %d: best responses have nothing to warm up: expected 0", s.Warmup)
	case s.Source != "" && !l.rounds:
		return fmt.Errorf("critic.source: %s plays games of its own: expected learn to hold an entry from rounds", loss)
	case s.Source != "" && s.Warmup > 0:
		return fmt.Errorf("critic.warmup: %d: a run starts from the round 0 of critic.source: expected 0", s.Warmup)
	}
	return nil
}

// measures names what a run of the recipe measures.
func measures(r trainer.Recipe, info games.Info) []string {
	t, err := newTask(r)
	if err != nil {
		return nil
	}
	names := []string{"round", "won/critic", "entropy", "magnet_kl"}
	for _, role := range info.Roles {
		names = append(names, "entropy/"+role, "magnet_kl/"+role, "imitation/"+role, "samples/"+role, "trains/"+role, "loss/"+role)
	}
	if t.spc == nil {
		return append(names, "nash_conv/last", "nash_conv/average")
	}
	names = append(names, "accuracy/correct", "accuracy/wrong", "f1", "f1/menu", "f1/other", "f1/worst", "f1/worst_menu", "refused", "fooled", "refined")
	if t.longer != nil {
		names = append(names, "f1/longer", "accuracy/correct_longer")
	}
	if t.spc.Whole {
		names = append(names, "accuracy/noticed")
	}
	for _, kind := range t.spc.Critique().Errors.All() {
		names = append(names, "caught/"+kind, "written/"+kind, "fooled/"+kind)
	}
	return names
}

// task is the game that is trained on.
type task struct {
	spc    *sneakycritic.Game // nil for another game of two seats
	longer *sneakycritic.Game // nil where there is none
}

// newTask opens the games that a recipe names and checks what they need.
func newTask(r trainer.Recipe) (t task, err error) {
	s := settingsOf(r)
	game, err := games.New(r.Game)
	if err != nil {
		return t, err
	}
	t.spc, _ = game.(*sneakycritic.Game)
	info := game.Info()
	if r.Policy.Kind == "table" {
		return t, fmt.Errorf("policy.kind: table: expected mlp: cases are hardly ever the same twice")
	}
	if t.spc == nil {
		return t, t.other(r, s, info)
	}
	l, err := readLearning(r)
	switch {
	case err != nil:
		return t, err
	case l.respond:
		return t, fmt.Errorf("learn: loss: best-response: %s is too large to answer exactly: take inspection", info.Name)
	case r.Players == "one" && s.Sneaky != "learn":
		return t, fmt.Errorf("players: one: critic.sneaky=%s is no network", s.Sneaky)
	case s.Longer == "":
		return t, nil
	}
	longer, err := games.New(s.Longer)
	if err != nil {
		return t, fmt.Errorf("critic.longer: %w", err)
	}
	var ok bool
	if t.longer, ok = longer.(*sneakycritic.Game); !ok || !slices.Equal(longer.Info().Tensor, info.Tensor) {
		return t, fmt.Errorf("critic.longer: %s: expected sneaky_critic of the same domain, with problems that a network sees in the same shape", s.Longer)
	}
	return t, nil
}

// other checks the settings of a game that has no kinds of error.
func (t task) other(r trainer.Recipe, s *Settings, info games.Info) error {
	l, err := readLearning(r)
	if err != nil {
		return err
	}
	for _, setting := range []struct {
		name string
		used bool
	}{
		{"critic.warmup", s.Warmup > 0},
		{"critic.sneaky: " + s.Sneaky, s.Sneaky != "learn"},
		{"learn: loss: spc", l.clipped != nil},
		{"critic.validity: " + s.Validity, s.Validity != "exact"},
		{"critic.curriculum: " + s.Curriculum, s.Curriculum != "uniform"},
		{"critic.refine: " + s.Refine, s.Refine != "none"},
		{"critic.longer", s.Longer != ""},
	} {
		if setting.used {
			return fmt.Errorf("%s: it wants kinds of error, and %s has none: take sneaky_critic, or leave it out", setting.name, info.Name)
		}
	}
	if info.Seats != 2 || info.Sum != 0 {
		return fmt.Errorf("game %s: expected a zero-sum game of two seats", info.Name)
	}
	return nil
}

// stepOf is the record of an action, as if a network had taken it.
func (m *rounds) stepOf(s games.State, a games.Action) (*policy.Step, error) {
	return m.Model.Observe(s, a)
}
