// Package trainer trains agents by self-play: actors play games with the
// current policy, an estimator turns them into advantages, the updater steps
// the weights. All that a run is depends on its recipe alone; how many workers
// play, and whether the run was interrupted, changes nothing in it.
package trainer

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/gomlx/compute"
	"github.com/rs/zerolog"

	"github.com/agon-rl/agon/agents"
	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/play"
	"github.com/agon-rl/agon/policy"
	"github.com/agon-rl/agon/rae"
	"github.com/agon-rl/agon/trainer/run"
)

// Options are what may differ between two executions of the same recipe.
type Options struct {
	Backend compute.Backend
	Workers int // groups of games played at the same time
	Log     zerolog.Logger
	// Progress, if not nil, is called after every update.
	Progress func(Progress)
}

// Progress is what a person watches.
type Progress struct {
	Update, Updates int
	Games           int     // episodes played so far
	GamesPerSecond  float64 // since this process began
	Measure         string  // the newest measure's name, "" before the first
	Value           float64
}

// Result says how a run ended.
type Result struct {
	Updates int
	Games   int
	Reached bool               // the recipe's target was reached before its last update
	Final   map[string]float64 // the newest value of every metric
}

// Trainer is a run under way.
type Trainer struct {
	recipe  Recipe
	options Options
	folder  *run.Folder
	game    games.Game
	info    games.Info

	describe     policy.Description
	model        *policy.Model
	updater      *Updater
	coefficients func(update int) Coefficients
	estimator    rae.Estimator
	teacher      *teacher    // nil where no search teaches
	preferring   *preferring // nil where games are not compared
	opponents    opponents
	fixed        play.Agent // opponents.kind fixed
	evaluator    *evaluator

	update  int // updates done
	saved   int // updates done at the last checkpoint
	pool    pool
	guard   guard
	final   map[string]float64
	reached bool
}

// Train runs the recipe of an open run to its end: RecipeOf, New, Run and
// Close.
func Train(ctx context.Context, folder *run.Folder, options Options) (result Result, err error) {
	recipe, err := RecipeOf(folder)
	if err != nil {
		return Result{}, err
	}
	t, err := New(ctx, recipe, options)
	if err != nil {
		return Result{}, err
	}
	defer func() { err = errors.Join(err, t.Close()) }()
	return t.Run(ctx, folder)
}

// RecipeOf reads the recipe of a run.
func RecipeOf(folder *run.Folder) (Recipe, error) {
	text, err := folder.Recipe()
	if err != nil {
		return Recipe{}, err
	}
	return ReadRecipe(text, nil)
}

// New prepares training by a recipe: it opens all that the recipe names and
// writes nothing.
func New(ctx context.Context, recipe Recipe, options Options) (*Trainer, error) {
	t := &Trainer{recipe: recipe, options: options, final: map[string]float64{}}
	if err := t.prepare(ctx); err != nil {
		return nil, errors.Join(err, t.Close())
	}
	return t, nil
}

func (t *Trainer) prepare(ctx context.Context) (err error) {
	if t.game, err = games.New(t.recipe.Game); err != nil {
		return err
	}
	t.info = t.game.Info()
	if t.evaluator, err = newEvaluator(ctx, t); err != nil {
		return err
	}
	if err := t.prepareModel(); err != nil {
		return err
	}
	if t.estimator, err = rae.New(t.recipe.Advantage); err != nil {
		return err
	}
	if t.coefficients, err = t.recipe.schedules(); err != nil {
		return err
	}
	if t.opponents, err = parseOpponents(t.recipe.Opponents); err != nil {
		return err
	}
	if t.teacher, err = t.prepareTeacher(ctx); err != nil {
		return err
	}
	if err := t.preparePreferences(ctx); err != nil {
		return err
	}
	if t.opponents.kind == "fixed" {
		t.fixed, err = agents.Open(ctx, t.opponents.agent, t.environment())
	}
	return err
}

// Run trains to the recipe's end, from the run's last whole checkpoint where it
// has one. A cancelled context ends it after a checkpoint of the updates done,
// with the context's error. A trainer runs once.
func (t *Trainer) Run(ctx context.Context, folder *run.Folder) (result Result, err error) {
	t.folder = folder
	from, err := t.resume()
	if err != nil {
		return Result{}, err
	}
	metrics, err := folder.Metrics(from)
	if err != nil {
		return Result{}, err
	}
	defer func() { err = errors.Join(err, metrics.Close()) }()
	timing, err := folder.Timing(from)
	if err != nil {
		return Result{}, err
	}
	defer func() { err = errors.Join(err, timing.Close()) }()
	err = t.loop(ctx, metrics, timing)
	return Result{Updates: t.update, Games: t.update * t.recipe.Games, Reached: t.reached, Final: t.final}, err
}

func (t *Trainer) environment() agents.Environment {
	return agents.Environment{Game: t.game, Backend: func() (compute.Backend, error) { return t.options.Backend, nil }}
}

func (t *Trainer) prepareModel() (err error) {
	t.describe = policy.Description{Game: t.info.Name, Arch: t.recipe.Policy}
	if t.recipe.Policy.Kind == "table" {
		if t.describe.Keys, err = t.evaluator.keys(); err != nil {
			return err
		}
	}
	if t.model, err = t.describe.Model(t.options.Backend, t.game); err != nil {
		return err
	}
	copies := t.recipe.Objective.Magnet.Kind == "copy"
	lessons, err := t.recipe.lessons()
	if err != nil {
		return err
	}
	t.updater, err = NewUpdater(t.model, t.recipe.Optimizer.Optimizer, t.initial(), copies, lessons...)
	return err
}

// initial draws the weights that the run starts from.
func (t *Trainer) initial() *policy.Weights {
	return policy.NewWeights(t.model.Params, play.Generator(t.recipe.Seed, "weights"))
}

// Close frees what the trainer holds. The run belongs to the caller.
func (t *Trainer) Close() error {
	var errs []error
	for _, s := range t.pool {
		errs = append(errs, s.close())
	}
	if t.fixed != nil {
		errs = append(errs, t.fixed.Close())
	}
	if t.evaluator != nil {
		errs = append(errs, t.evaluator.close())
	}
	return errors.Join(append(errs, t.preferring.close(), t.guard.close())...)
}

// loop is the training algorithm: play, estimate, update, measure, save.
func (t *Trainer) loop(ctx context.Context, metrics, timing *run.Log) error {
	began, first := time.Now(), t.update
	for t.update < t.recipe.Updates && !t.reached {
		updateBegan := time.Now()
		network, err := t.model.Network(t.updater.State().Weights)
		if err != nil {
			return err
		}
		line := map[string]float64{"games": float64((t.update + 1) * t.recipe.Games)}

		episodes, err := t.playGames(ctx, network)
		if err != nil {
			return t.interrupted(ctx, err, network)
		}
		played := time.Now()
		judged := episodes
		if t.recipe.Preferences.rewards() {
			judged = t.reward(episodes, line)
			if err := t.preferring.judge.failed(); err != nil {
				return t.interrupted(ctx, err, network)
			}
		}
		estimates, err := t.estimator.Estimate(judged, t.info.Roles, owns)
		if err != nil {
			return err
		}
		found, err := t.searches(ctx, network, episodes)
		if err != nil {
			return t.interrupted(ctx, err, network)
		}
		if err := network.Close(); err != nil {
			return err
		}
		if t.preferring != nil && t.preferring.loss != nil {
			err = t.prefer(ctx, episodes, line)
		} else {
			err = t.learn(episodes, estimates, found, line)
		}
		if err != nil {
			return t.interrupted(ctx, err, nil)
		}
		t.describeGames(episodes, estimates, line)
		t.recordOpponents(episodes, line)
		learnt := time.Now()
		t.update++
		if err := t.measure(ctx, line); err != nil {
			return err
		}
		if err := metrics.Append(t.update, line); err != nil {
			return err
		}
		for name, value := range line {
			t.final[name] = value
		}
		t.reached = t.recipe.Stop.reached(line) || t.recipe.Guard.Stop && line["collapse"] == 1
		if t.update%t.recipe.Checkpoint.Every == 0 || t.update == t.recipe.Updates || t.reached {
			if err := t.save(); err != nil {
				return err
			}
		}
		if err := timing.Append(t.update, map[string]float64{
			"seconds": time.Since(updateBegan).Seconds(), "seconds_play": played.Sub(updateBegan).Seconds(),
			"seconds_learn": learnt.Sub(played).Seconds(),
		}); err != nil {
			return err
		}
		t.report(first, began)
	}
	return nil
}

// interrupted saves what was learnt before the update under way where a person
// stopped the run. That update is dropped, and played again the same when the
// run is resumed.
func (t *Trainer) interrupted(ctx context.Context, err error, network *policy.Network) error {
	if network != nil {
		err = errors.Join(err, network.Close())
	}
	if ctx.Err() != nil && t.update > t.saved {
		err = errors.Join(err, t.save())
	}
	return err
}

// owns says whether a seat of an episode was the learner's: agent 0.
func owns(e *play.Episode, s games.Seat) bool { return e.Agents[s] == 0 }

// playGames plays the update's episodes. The learner is agent 0; past
// snapshots or the fixed agent come after it.
func (t *Trainer) playGames(ctx context.Context, network *policy.Network) (episodes []*play.Episode, err error) {
	if t.teacher != nil && t.teacher.pairs != nil {
		return nil, nil // nothing is played: the pairs are there
	}
	players := []play.Agent{t.actor(network)}
	for _, s := range t.pool {
		players = append(players, agents.NewSampler(s.network, false))
	}
	if t.fixed != nil {
		players = append(players, t.fixed)
	}
	if t.opponents.kind == "mixture" {
		mixed, err := t.mixture()
		if err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, mixed.Close()) }()
		players = append(players, agents.NewSampler(mixed, false))
	}
	match := t.match(players...)
	match.Seats = t.seats
	return match.Play(ctx, uint64(t.update)*uint64(t.recipe.Games), t.recipe.Games)
}

// match is the update's games between agents, who are still to be seated. Where games
// are compared, those that are have the same deal.
func (t *Trainer) match(players ...play.Agent) play.Match {
	m := play.Match{Game: t.game, Seed: t.recipe.Seed, Agents: players, Group: t.recipe.Group, Workers: t.options.Workers}
	if t.preferring != nil {
		k := uint64(t.recipe.Preferences.Samples)
		m.Deal = func(episode uint64) uint64 { return episode / k }
	}
	return m
}

// seats puts the learner in every seat, or, in a group that meets an opponent,
// in one seat that goes round with groups and updates.
func (t *Trainer) seats(_ uint64, group int) []int {
	seats := make([]int, t.info.Seats)
	own := (t.update + group) % len(seats)
	opponent := 0
	switch t.opponents.kind {
	case "mixture":
		opponent = 1
	case "past", "league":
		opponent = 1 + t.pool.draw(t.opponents, t.recipe.Seed, t.update, group, own)
	case "fixed":
		if play.Generator(t.recipe.Seed, "opponent", uint64(t.update), uint64(group)).Float64() < t.opponents.share {
			opponent = 1
		}
	}
	for s := range seats {
		if s != own {
			seats[s] = opponent
		}
	}
	return seats
}

// learn does the update's gradient steps: of policy gradient, then on what the
// search made of the games.
func (t *Trainer) learn(episodes []*play.Episode, estimates [][]rae.Estimate, found [][]searched, line map[string]float64) error {
	c := t.coefficients(t.update)
	if t.recipe.Objective.Name != noGradient {
		if t.evaluates(t.update + 1) {
			noise, err := t.gradientNoise(episodes, estimates, c)
			if err != nil {
				return err
			}
			line["gradient_noise"] = noise
		}
		kept, all := 0, 0
		err := t.steps("turns", c, len(episodes), line, func(chosen []int) (*policy.Batch, error) {
			turns, total := t.gather(episodes, estimates, chosen, c)
			kept, all = kept+len(turns), all+total
			if len(turns) == 0 {
				return nil, nil
			}
			return policy.NewBatch(t.model, turns)
		})
		if err != nil {
			return err
		}
		line["dropped"] = 1 - float64(kept)/float64(max(1, all))
	}
	if t.teacher != nil {
		if err := t.learnSearch(found, c, line); err != nil {
			return err
		}
	}
	if m := t.recipe.Objective.Magnet; m.Kind == "copy" && (t.update+1)%m.Every == 0 {
		t.updater.SetMagnet(t.updater.State().Weights)
	}
	line["rate"] = c.Rate
	return nil
}

// steps does the epochs of one lesson. Minibatches are made of whole games:
// batch packs those with the numbers given, and returns nil where they hold
// nothing to learn from.
func (t *Trainer) steps(lesson string, c Coefficients, episodes int, line map[string]float64, batch func(chosen []int) (*policy.Batch, error)) error {
	o := t.recipe.Objective
	order := make([]int, episodes)
	for i := range order {
		order[i] = i
	}
	shuffle := play.Generator(t.recipe.Seed, "minibatches", uint64(t.update))
	names := append(slices.Clone(t.updater.lessons[lesson].Stats), "gradient_norm")
	sums := make([]float64, len(names))
	steps := 0
	for range o.Epochs {
		if o.Minibatches > 1 {
			shuffle.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		}
		for m := range o.Minibatches {
			b, err := batch(order[m*len(order)/o.Minibatches : (m+1)*len(order)/o.Minibatches])
			if err != nil {
				return err
			}
			if b == nil {
				continue
			}
			stats, err := t.updater.Step(lesson, b, c)
			if err := errors.Join(err, b.Close()); err != nil {
				return err
			}
			for i, s := range stats {
				sums[i] += float64(s)
			}
			steps++
		}
	}
	for i, name := range names {
		if _, other := line[name]; other { // an earlier lesson has the same
			name = lesson + "/" + name
		}
		if steps > 0 {
			line[name] = sums[i] / float64(steps)
		}
	}
	return nil
}

// gather returns the learner's turns in the episodes chosen. Turns whose
// advantage is exactly zero teach nothing and are dropped, as SPIRAL does,
// unless a value head learns from them.
func (t *Trainer) gather(episodes []*play.Episode, estimates [][]rae.Estimate, chosen []int, c Coefficients) (turns []policy.Turn, total int) {
	for _, i := range chosen {
		for j, turn := range episodes[i].Turns {
			step, ok := turn.Record.(*policy.Step)
			if !ok || !owns(episodes[i], turn.Seat) {
				continue
			}
			total++
			estimate := estimates[i][j]
			if estimate.Advantage == 0 && c.Value == 0 {
				continue
			}
			turns = append(turns, policy.Turn{Step: step, Advantage: float32(estimate.Advantage), Return: float32(estimate.Target)})
		}
	}
	return turns, total
}

func (t *Trainer) report(first int, began time.Time) {
	if t.options.Progress == nil {
		return
	}
	done := (t.update - first) * t.recipe.Games
	p := Progress{
		Update: t.update, Updates: t.recipe.Updates, Games: t.update * t.recipe.Games,
		GamesPerSecond: float64(done) / time.Since(began).Seconds(),
	}
	p.Measure, p.Value = t.evaluator.headline(t.final)
	t.options.Progress(p)
}

// reached says whether a line of metrics meets the target.
func (s Stop) reached(line map[string]float64) bool {
	value, ok := line[s.Measure]
	return ok && (s.Below != nil && value < *s.Below || s.Above != nil && value > *s.Above)
}
