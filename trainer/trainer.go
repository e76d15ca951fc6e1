// Package trainer trains agents by self-play: actors play games with the
// current policy, an estimator turns them into advantages, the updater steps
// the weights. All that a run is depends on its recipe alone; how many workers
// play, and whether the run was interrupted, changes nothing in it.
package trainer

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/rs/zerolog"

	"github.com/agon-rl/agon/agents"
	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/play"
	"github.com/agon-rl/agon/policy"
	"github.com/agon-rl/agon/policy/backend"
	"github.com/agon-rl/agon/rae"
	"github.com/agon-rl/agon/solve"
	"github.com/agon-rl/agon/trainer/run"
)

// Options are what may differ between two executions of the same recipe.
type Options struct {
	Backend backend.Backend // nil: pure Go
	Workers int             // groups of games played at the same time
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
	Reached bool // the recipe's target was reached before its last update
	Final   Line // the newest value of every metric
}

// Run is a run under way.
type Run struct {
	Recipe    Recipe
	Options   Options
	Game      games.Game
	Info      games.Info
	Model     *policy.Model
	Players   []*Player
	Pasts     []*Past
	Estimator rae.Estimator
	Folder    *run.Folder // nil before Train

	Done   int // updates
	Total  int // updates of the recipe
	Played int // games

	kind         MethodKind
	method       Method
	describe     policy.Description
	coefficients func(update int) Coefficients
	opponents    opponents
	fixed        play.Agent // opponents: fixed
	stages       stages
	stage        stage
	timing       Line

	saved   int // updates done at the last checkpoint
	final   Line
	reached bool
}

// Train runs the recipe of an open run to its end: RecipeOf, New, Run.Train and
// Close.
func Train(ctx context.Context, folder *run.Folder, options Options) (result Result, err error) {
	recipe, err := RecipeOf(folder)
	if err != nil {
		return Result{}, err
	}
	r, err := New(ctx, recipe, options)
	if err != nil {
		return Result{}, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	return r.Train(ctx, folder)
}

// New prepares training by a recipe: it opens all that the recipe names and
// writes nothing.
func New(ctx context.Context, recipe Recipe, options Options) (*Run, error) {
	r := &Run{Recipe: recipe, Options: options, timing: Line{}, final: Line{}}
	if err := r.prepare(ctx); err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return r, nil
}

func (r *Run) prepare(ctx context.Context) (err error) {
	if r.Game, err = games.New(r.Recipe.Game); err != nil {
		return err
	}
	r.Info = r.Game.Info()
	method, err := Methods.Find(r.Recipe.Method)
	if err != nil {
		return err
	}
	r.kind = method.Value
	r.Total = r.kind.Updates(r.Recipe)
	if r.coefficients, err = r.Recipe.schedules(max(1, r.Total)); err != nil {
		return err
	}
	if r.stages, err = parseStages(r.Recipe.Stages); err != nil {
		return err
	}
	if r.opponents, err = parseOpponents(r.Recipe.Opponents); err != nil {
		return err
	}
	if r.Estimator, err = rae.New(r.Recipe.Advantage); err != nil {
		return err
	}
	r.describe = policy.Description{Game: r.Info.Name, Arch: r.Recipe.Policy}
	if r.Recipe.Policy.Kind == "table" {
		if r.describe.Keys, err = keysOf(ctx, r.Game); err != nil {
			return err
		}
	}
	if r.Model, err = r.describe.Model(r.Options.Backend, r.Game); err != nil {
		return err
	}
	if r.opponents.agent != "" {
		if r.fixed, err = agents.Open(ctx, r.opponents.agent, r.environment()); err != nil {
			return err
		}
	}
	if err := r.openPlayers(); err != nil {
		return err
	}
	r.method, err = r.kind.Open(ctx, r)
	return err
}

// keysOf lists the information states of all seats, for a table.
func keysOf(ctx context.Context, game games.Game) ([]string, error) {
	tree, err := solve.Compile(ctx, game, solve.DefaultNodes)
	if err != nil {
		return nil, fmt.Errorf("policy.kind: table needs a game small enough to list its information states: %w", err)
	}
	return tree.Keys(), nil
}

func (r *Run) environment() agents.Environment {
	return agents.Environment{Game: r.Game, Backend: func() (backend.Backend, error) {
		if r.Model != nil { // one backend for all, also where none was given
			return r.Model.Device(), nil
		}
		if r.Options.Backend != nil {
			return r.Options.Backend, nil
		}
		b, _, err := backend.Open(backend.Go)
		return b, err
	}}
}

// Close frees what the run holds. Its folder belongs to the caller.
func (r *Run) Close() error {
	var errs []error
	if r.method != nil {
		errs = append(errs, r.method.Close())
	}
	for _, p := range r.Pasts {
		errs = append(errs, p.Close())
	}
	for _, p := range r.Players {
		errs = append(errs, p.close())
	}
	if r.fixed != nil {
		errs = append(errs, r.fixed.Close())
	}
	return errors.Join(errs...)
}

// Train trains to the recipe's end, from the folder's last whole checkpoint where it
// has one. A cancelled context ends it after a checkpoint of the updates done,
// with the context's error. A run trains once.
func (r *Run) Train(ctx context.Context, folder *run.Folder) (result Result, err error) {
	r.Folder = folder
	from, err := r.resume()
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
	err = r.loop(ctx, metrics, timing)
	return Result{Updates: r.Done, Games: r.Played, Reached: r.reached, Final: r.final}, err
}

// loop is the training algorithm: update, measure, save.
func (r *Run) loop(ctx context.Context, metrics, timing *run.Log) error {
	began, first := time.Now(), r.Played
	for r.Done < r.Total && !r.reached {
		updateBegan := time.Now()
		line := Line{}
		r.timing = Line{}
		if err := r.update(ctx, line); err != nil {
			return r.interrupted(ctx, err)
		}
		line["games"] = float64(r.Played)
		if err := r.measure(ctx, line); err != nil {
			return err
		}
		if err := metrics.Append(r.Done, line); err != nil {
			return err
		}
		for name, value := range line {
			r.final[name] = value
		}
		r.reached = r.Recipe.Stop.reached(line) || r.Recipe.Guard.Stop && line["collapse"] == 1
		if r.Done%r.Recipe.Checkpoint.Every == 0 || r.Done == r.Total || r.reached {
			if err := r.save(); err != nil {
				return err
			}
		}
		r.timing["seconds"] = time.Since(updateBegan).Seconds()
		if err := timing.Append(r.Done, r.timing); err != nil {
			return err
		}
		r.report(r.Played-first, began)
	}
	return nil
}

// update does one update by the recipe's method.
func (r *Run) update(ctx context.Context, line Line) error {
	if err := ctx.Err(); err != nil { // some updates play nothing that would notice
		return err
	}
	if err := r.Open(); err != nil {
		return err
	}
	if err := r.method.Update(ctx, line); err != nil {
		return err
	}
	if m := r.Recipe.Magnet; m.Kind == "copy" && (r.Done+1)%m.Every == 0 {
		if err := r.SetMagnets(); err != nil {
			return err
		}
	}
	r.Done++
	return nil
}

// interrupted saves what was learnt before the update under way where a person
// stopped the run. That update is dropped, and played again the same when the
// run is resumed.
func (r *Run) interrupted(ctx context.Context, err error) error {
	if ctx.Err() != nil && r.Done > r.saved {
		err = errors.Join(err, r.save())
	}
	return err
}

func (r *Run) measure(ctx context.Context, line Line) error {
	if r.opponents.every > 0 && r.Done%r.opponents.every == 0 {
		if err := r.Remember(); err != nil {
			return err
		}
	}
	if err := r.Open(); err != nil {
		return err
	}
	if err := r.method.Measure(ctx, line); err != nil {
		return fmt.Errorf("evaluating update %d: %w", r.Done, err)
	}
	return nil
}

// Evaluates says whether strength is measured after an update.
func (r *Run) Evaluates(update int) bool {
	return update%r.Recipe.Evaluate.Every == 0 || update == r.Total
}

// Open opens the players' networks with their newest weights.
func (r *Run) Open() error {
	for _, p := range r.Players {
		if err := p.open(r.Model); err != nil {
			return err
		}
	}
	return nil
}

// SetMagnets makes the players as they are their magnets.
func (r *Run) SetMagnets() error {
	for _, p := range r.Players {
		w := p.Updater.Weights()
		if err := errors.Join(p.Updater.SetMagnet(w), w.Close()); err != nil {
			return err
		}
	}
	return nil
}

// Coefficients are those of an update, by their schedules.
func (r *Run) Coefficients() Coefficients { return r.coefficients(r.Done) }

// Took notes how long a part of an update took, since it began.
func (r *Run) Took(part string, began time.Time) {
	r.timing["seconds_"+part] += time.Since(began).Seconds()
}

// PlayerOf is the index of the player who has a seat.
func (r *Run) PlayerOf(seat games.Seat) int {
	return slices.IndexFunc(r.Players, func(p *Player) bool { return slices.Contains(p.Seats, seat) })
}

// Trains tells whether a seat learns in the stage under way.
func (r *Run) Trains(seat games.Seat) bool { return r.stages.trains(r.stage, r.PlayerOf(seat)) }

// EndStage counts an update of the stage, in which the last player won a share of the
// games.
func (r *Run) EndStage(won float64) { r.stage = r.stages.next(r.stage, won) }

// TakesTurns tells whether stages have one player train at a time, and which.
func (r *Run) TakesTurns() (player int, turns bool) {
	if r.stages.kind == "together" {
		return 0, false
	}
	if r.stage.First {
		return 0, true
	}
	return len(r.Players) - 1, true
}

// Policy is what the players play together.
func (r *Run) Policy() policy.Policy {
	if len(r.Players) == 1 {
		return r.Players[0].Network
	}
	seated := make(agents.Seated, r.Info.Seats)
	for seat := range seated {
		seated[seat] = r.Players[r.PlayerOf(games.Seat(seat))].Network
	}
	return seated
}

// Agents are those that may sit in a match: the players, who act by actors, their
// pasts, player by player and past by past, and the fixed opponent.
func (r *Run) Agents(actor func(p *Player) play.Agent) (all []play.Agent) {
	for _, p := range r.Players {
		all = append(all, actor(p))
	}
	for _, past := range r.Pasts {
		for _, network := range past.Networks {
			all = append(all, r.AsOpponent(network))
		}
	}
	if r.fixed != nil {
		all = append(all, r.fixed)
	}
	return all
}

// Opponent is the index in Agents of who has a seat that no learner has: of a past, or
// of the fixed agent, as Meet drew it.
func (r *Run) Opponent(met int, seat games.Seat) int {
	first := len(r.Players) * (1 + met)
	if met == len(r.Pasts) {
		return first
	}
	return first + r.PlayerOf(seat)
}

// Meet draws whom the learner in a seat meets in a group of games; -1 for the current
// players.
func (r *Run) Meet(group int, seat games.Seat) int {
	return r.opponents.meet(r.Pasts, play.Generator(r.Recipe.Seed, "opponent", uint64(r.Done), uint64(group)), int(seat))
}

// MeetEarlier is Meet for players as they were at the end of a round before, in place of
// the current ones: with so many pasts, of which theirs is the last.
func (r *Run) MeetEarlier(pasts int, draw *rand.Rand) int {
	if r.opponents.newest { // the newest that is older than they are
		pasts--
	}
	if !r.opponents.pooled() {
		return -1
	}
	return r.opponents.meet(make([]*Past, pasts), draw, 0)
}

// Remember adds the players as they are to the pasts.
func (r *Run) Remember() error {
	past := &Past{Update: r.Done, Scores: slices.Repeat([]float64{0.5}, r.Info.Seats)}
	for _, p := range r.Players {
		w := p.Updater.Weights()
		network, err := r.Model.Network(w)
		if err := errors.Join(err, w.Close()); err != nil {
			return errors.Join(err, past.Close())
		}
		past.Networks = append(past.Networks, network)
	}
	r.Pasts = append(r.Pasts, past)
	if r.opponents.keep == 0 || len(r.Pasts) <= r.opponents.keep {
		return nil
	}
	drop := r.opponents.superfluous(r.Pasts)
	dropped := r.Pasts[drop]
	r.Pasts = slices.Delete(slices.Clone(r.Pasts), drop, drop+1)
	return dropped.Close()
}

// Match is games of the run's between agents, who are still to be seated, in a named
// stream of random numbers: "" for those that are learnt from.
func (r *Run) Match(stream string, players ...play.Agent) play.Match {
	return play.Match{
		Game: r.Game, Seed: r.Recipe.Seed, Stream: stream, Agents: players, Group: r.Recipe.Group, Workers: r.Options.Workers,
	}
}

func (r *Run) report(games int, began time.Time) {
	if r.Options.Progress == nil {
		return
	}
	p := Progress{Update: r.Done, Updates: r.Total, Games: r.Played, GamesPerSecond: float64(games) / time.Since(began).Seconds()}
	p.Measure, p.Value = r.headline()
	r.Options.Progress(p)
}

// headline picks the measure that a person watches.
func (r *Run) headline() (string, float64) {
	for _, name := range append([]string{r.Recipe.Stop.Measure}, r.kind.Headlines(r.Recipe)...) {
		if value, ok := r.final[name]; ok {
			return name, value
		}
	}
	return "", 0
}

// reached says whether a line of metrics meets the target.
func (s Stop) reached(line Line) bool {
	value, ok := line[s.Measure]
	return ok && (s.Below != nil && value < *s.Below || s.Above != nil && value > *s.Above)
}
