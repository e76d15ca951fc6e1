// Package spc is the self-play critic (SPC, arXiv 2504.19162): a sneaky generator
// and a critic train each other in rounds, from a naive start. It holds the loop, the
// critic's measure by kind of error, its use at test time, and in spc/benchmark the
// field's benchmarks.
package spc

import (
	"context"
	"errors"
	"time"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/games/sneakycritic"
	"github.com/agon-rl/agon/objective"
	"github.com/agon-rl/agon/play"
	"github.com/agon-rl/agon/policy"
	"github.com/agon-rl/agon/rae"
	"github.com/agon-rl/agon/trainer"
	"github.com/agon-rl/agon/trainer/run"
)

// player is a network in training.
type player struct {
	role    string
	updater *trainer.Updater
	network *policy.Network   // of the updater's weights; opened anew after every step
	rounds  []*policy.Weights // as it was at the end of each round; 0 is the start
	past    []*policy.Network // the same, opened
}

// Trainer is a run under way.
type Trainer struct {
	task

	recipe     Recipe
	options    trainer.Options
	folder     *run.Folder
	describe   policy.Description
	model      *policy.Model
	rate       func(int) float64
	opponents  opponents
	stages     stages
	validity   validity
	curriculum curriculum
	refinement refinement
	cases      games.Game // that are played: all, or those with naive kinds for a sneaky player that knows no other
	estimator  rae.Estimator
	evaluator  *evaluator           // nil for another game
	exact      *exact               // nil where the game is too large
	players    []*player            // by seat; one network with two roles is there twice
	source     *source              // whose players play the games of offline rounds; nil for the run's own
	data       [2][]policy.Sentence // offline: the answers of the rounds so far, by seat
	games      []*play.Episode      // replay: the games of the rounds so far
	wonRounds  float64              // offline and replay: the critic's share of these games

	sneakiest []Example // as last looked at

	update int // updates done
	saved  int
	played int // games played so far
	stage  stage
	final  map[string]float64
}

// Train runs the recipe of an open run to its end, from its last whole checkpoint
// where it has one.
func Train(ctx context.Context, folder *run.Folder, options trainer.Options) (result trainer.Result, err error) {
	recipe, err := RecipeOf(folder)
	if err != nil {
		return trainer.Result{}, err
	}
	t, err := New(ctx, recipe, options)
	if err != nil {
		return trainer.Result{}, err
	}
	defer func() { err = errors.Join(err, t.Close()) }()
	return t.Run(ctx, folder)
}

// New prepares training by a recipe; it writes nothing.
func New(ctx context.Context, recipe Recipe, options trainer.Options) (*Trainer, error) {
	t := &Trainer{recipe: recipe, options: options, final: map[string]float64{}}
	if err := t.prepare(ctx); err != nil {
		return nil, errors.Join(err, t.Close())
	}
	return t, nil
}

func (t *Trainer) prepare(ctx context.Context) (err error) {
	r := t.recipe
	if t.task, err = newTask(r); err != nil {
		return err
	}
	if t.rate, err = r.rate(); err != nil {
		return err
	}
	if t.opponents, err = parseOpponents(r.Opponents); err != nil {
		return err
	}
	if t.stages, err = parseStages(r.Stages); err != nil {
		return err
	}
	if t.validity, err = parseValidity(r.Validity); err != nil {
		return err
	}
	if t.curriculum, err = parseCurriculum(r.Curriculum); err != nil {
		return err
	}
	if t.refinement, err = parseRefinement(r.Refine); err != nil {
		return err
	}
	if t.estimator, err = rae.New(r.Objective.Advantage); err != nil {
		return err
	}
	t.cases = t.game
	if r.Sneaky == "naive" {
		errors := t.spc.Critique().Errors
		t.cases = newGenerator(errors, false, 0).cases(t.spc)
	}
	if t.spc != nil {
		if t.evaluator, err = newEvaluator(t.task, r.Evaluate.Cases); err != nil {
			return err
		}
	} else if t.exact, err = newExact(ctx, t.game); err != nil {
		return err
	}
	t.describe = policy.Description{Game: t.game.Info().Name, Arch: r.Policy}
	if t.model, err = t.describe.Model(t.options.Backend, t.game); err != nil {
		return err
	}
	if t.source, err = openSource(r, t.model); err != nil {
		return err
	}
	return t.preparePlayers()
}

// both is what one network with two roles is called.
const both = "both"

// rolesOf names the networks of a run.
func rolesOf(r Recipe, info games.Info) []string {
	if r.Policies == "one" {
		return []string{both}
	}
	return info.Roles
}

func (t *Trainer) preparePlayers() error {
	o := t.recipe.Objective
	copies := o.PullTo != "uniform"
	for i, role := range rolesOf(t.recipe, t.game.Info()) {
		start := policy.NewWeights(t.model.Params, play.Generator(t.recipe.Seed, "weights "+role))
		if t.source != nil {
			start = t.source.starts[i]
		}
		updater, err := trainer.NewUpdater(t.model, t.recipe.Optimizer.Optimizer, start, copies,
			trainer.Turns(objective.PolicyGradient{Name: "ppo", Clip: o.Clip}, copies),
			trainer.Sentences(objective.Sentence{Clip: o.Clip, Imitate: o.Imitate}),
			trainer.Imitation())
		if err != nil {
			return err
		}
		t.players = append(t.players, &player{role: role, updater: updater})
	}
	if len(t.players) == 1 {
		t.players = append(t.players, t.players[0])
	}
	return nil
}

// distinct are the networks, each once.
func (t *Trainer) distinct() []*player {
	if len(t.players) == 2 && t.players[0] == t.players[1] {
		return t.players[:1]
	}
	return t.players
}

// learns tells whether a seat has a network that learns at all.
func (t *Trainer) learns(seat games.Seat) bool {
	return seat != sneakycritic.Sneaky || t.recipe.Sneaky == "learn"
}

// Close frees what the trainer holds. The run belongs to the caller.
func (t *Trainer) Close() error {
	errs := []error{t.source.close()}
	for _, p := range t.distinct() {
		for _, n := range append([]*policy.Network{p.network}, p.past...) {
			if n != nil {
				errs = append(errs, n.Close())
			}
		}
	}
	return errors.Join(errs...)
}

// Run trains to the recipe's end. A cancelled context ends it after a checkpoint of
// the updates done, with the context's error.
func (t *Trainer) Run(ctx context.Context, folder *run.Folder) (result trainer.Result, err error) {
	t.folder = folder
	from, err := t.resume()
	if err != nil {
		return trainer.Result{}, err
	}
	metrics, err := folder.Metrics(from)
	if err != nil {
		return trainer.Result{}, err
	}
	defer func() { err = errors.Join(err, metrics.Close()) }()
	timing, err := folder.Timing(from)
	if err != nil {
		return trainer.Result{}, err
	}
	defer func() { err = errors.Join(err, timing.Close()) }()
	err = t.loop(ctx, metrics, timing)
	return trainer.Result{Updates: t.update, Games: t.played, Final: t.final}, err
}

// round is the round of an update, counted from 0: 0 is the warm-up.
func (t *Trainer) round(update int) int {
	if update < t.recipe.Warmup {
		return 0
	}
	return 1 + (update-t.recipe.Warmup)/t.recipe.Updates
}

// begins tells whether a round of self-play begins with an update.
func (t *Trainer) begins(update int) bool {
	return update >= t.recipe.Warmup && (update-t.recipe.Warmup)%t.recipe.Updates == 0
}

// loop is the training algorithm: rounds, in each of which players meet opponents,
// learn and are measured.
func (t *Trainer) loop(ctx context.Context, metrics, timing *run.Log) error {
	began, first := time.Now(), t.update
	for t.update < t.recipe.Total() {
		updateBegan := time.Now()
		line := map[string]float64{"round": float64(t.round(t.update))}
		if err := ctx.Err(); err != nil { // warm-up and offline updates play nothing that would notice
			return t.interrupted(ctx, err)
		}
		if t.begins(t.update) {
			if err := t.beginRound(); err != nil {
				return err
			}
		}
		if err := t.open(); err != nil {
			return err
		}
		if err := t.step(ctx, line); err != nil {
			return t.interrupted(ctx, err)
		}
		t.update++
		line["games"] = float64(t.played)
		if err := t.measure(ctx, line); err != nil {
			return err
		}
		if err := metrics.Append(t.update, line); err != nil {
			return err
		}
		for name, value := range line {
			t.final[name] = value
		}
		if t.update%t.recipe.Checkpoint.Every == 0 || t.update == t.recipe.Total() {
			if err := t.save(); err != nil {
				return err
			}
		}
		if err := timing.Append(t.update, map[string]float64{"seconds": time.Since(updateBegan).Seconds()}); err != nil {
			return err
		}
		t.report(first, began)
	}
	return nil
}

// interrupted saves what was learnt before the update under way where a person
// stopped the run. That update is dropped, and done again the same by a resumed run.
func (t *Trainer) interrupted(ctx context.Context, err error) error {
	if ctx.Err() != nil && t.update > t.saved {
		err = errors.Join(err, t.save())
	}
	return err
}

// step does one update, of the warm-up or of a round.
func (t *Trainer) step(ctx context.Context, line map[string]float64) error {
	switch {
	case t.update < t.recipe.Warmup:
		return t.warmUp(line)
	case t.recipe.Objective.Name == "best-response":
		t.exact.respond(t.opponents.kind == "pool", t.recipe.Objective.Soft, t.trains)
		t.endStage(0, map[string]float64{})
		return nil
	case t.recipe.Objective.Name == "offline":
		return t.learnOffline(ctx, line)
	case t.recipe.Objective.Name == "replay":
		return t.replayed(ctx, line)
	}
	return t.learnOnline(ctx, line)
}

// beginRound keeps the players as they were at the end of the round before.
func (t *Trainer) beginRound() error {
	for _, p := range t.distinct() {
		if len(p.rounds) > t.round(t.update)-1 {
			continue // resumed at the very start of a round
		}
		weights := p.updater.State().Weights
		network, err := t.model.Network(weights)
		if err != nil {
			return err
		}
		p.rounds, p.past = append(p.rounds, weights), append(p.past, network)
		switch {
		case t.recipe.Objective.PullTo == "start" && len(p.rounds) == 1, t.recipe.Objective.PullTo == "round":
			p.updater.SetMagnet(weights)
		}
	}
	t.data, t.games = [2][]policy.Sentence{}, nil // of the rounds before; played anew where needed
	if name := t.recipe.Objective.Name; (name == "offline" || name == "replay") && t.recipe.Objective.Restart {
		for _, p := range t.distinct() {
			if err := p.updater.Restart(p.rounds[0]); err != nil {
				return err
			}
		}
	}
	return nil
}

// open opens the players' networks with their newest weights.
func (t *Trainer) open() error {
	for _, p := range t.distinct() {
		if p.network != nil {
			if err := p.network.Close(); err != nil {
				return err
			}
		}
		var err error
		if p.network, err = t.model.Network(p.updater.State().Weights); err != nil {
			return err
		}
	}
	return nil
}

// warmUp has both imitate the naive start: the sneaky player the naive kinds of
// error, the critic the truth about them.
func (t *Trainer) warmUp(line map[string]float64) error {
	rows, err := t.imitations(t.recipe.Games, play.Generator(t.recipe.Seed, "warmup", uint64(t.update)))
	if err != nil {
		return err
	}
	for seat, some := range rows {
		if !t.learns(games.Seat(seat)) {
			continue
		}
		if err := t.imitate(games.Seat(seat), some, line); err != nil {
			return err
		}
	}
	return nil
}

func (t *Trainer) imitate(seat games.Seat, rows []policy.Sentence, line map[string]float64) error {
	if len(rows) == 0 {
		return nil
	}
	batch, err := policy.NewSentenceBatch(t.model, rows)
	if err != nil {
		return err
	}
	stats, err := t.players[seat].updater.Step("imitation", batch, t.coefficients())
	if err := errors.Join(err, batch.Close()); err != nil {
		return err
	}
	line["imitation/"+t.game.Info().Roles[seat]] = float64(stats[2])
	line["samples/"+t.game.Info().Roles[seat]] = float64(len(rows))
	return nil
}

func (t *Trainer) coefficients() trainer.Coefficients {
	return trainer.Coefficients{Rate: t.rate(t.update), Magnet: t.recipe.Objective.Pull}
}

func (t *Trainer) report(first int, began time.Time) {
	if t.options.Progress == nil {
		return
	}
	p := trainer.Progress{Update: t.update, Updates: t.recipe.Total(), Games: t.played}
	p.GamesPerSecond = float64(t.update-first) * float64(t.recipe.Games) / time.Since(began).Seconds()
	for _, name := range []string{"f1", "nash_conv/average"} {
		if value, ok := t.final[name]; ok {
			p.Measure, p.Value = name, value
		}
	}
	t.options.Progress(p)
}
