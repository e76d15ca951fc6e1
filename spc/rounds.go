// Package spc is the self-play critic (SPC, arXiv 2504.19162): a sneaky generator
// and a critic train each other in rounds, from a naive start. It holds the rounds as a
// method of package trainer, the critic's measure by kind of error, its use at test
// time, and in spc/benchmark the field's benchmarks.
package spc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/games/sneakycritic"
	"github.com/agon-rl/agon/play"
	"github.com/agon-rl/agon/policy"
	"github.com/agon-rl/agon/trainer"
	"github.com/agon-rl/agon/trainer/run"
)

// rounds is the method critic: in each round players meet opponents, learn and are
// measured. The pasts of the run are the players as they were at the end of the rounds,
// the first as round 0 left them.
type rounds struct {
	*trainer.Run
	task
	learning
	settings   *Settings
	validity   validity
	curriculum curriculum
	refinement refinement
	cases      games.Game      // that are played: all, or those with naive kinds for a sneaky player that knows no other
	evaluator  *evaluator      // nil for another game
	exact      *exact          // nil where the game is too large
	source     []*trainer.Past // whose players play the games of rounds without fresh ones; nil for the run's own
	data       [2][]rewarded   // spc: the answers of the rounds so far, by seat
	games      []*play.Episode // from rounds: the games of the rounds so far
	wonRounds  float64         // the critic's share of these games
	sneakiest  []Example       // as last looked at
}

func open(ctx context.Context, r *trainer.Run) (_ trainer.Method, err error) {
	m := &rounds{Run: r, settings: settingsOf(r.Recipe), cases: r.Game}
	defer func() {
		if err != nil {
			err = errors.Join(err, m.Close())
		}
	}()
	if m.task, err = newTask(r.Recipe); err != nil {
		return nil, err
	}
	if m.learning, err = readLearning(r.Recipe); err != nil {
		return nil, err
	}
	if m.validity, err = parseValidity(m.settings.Validity); err != nil {
		return nil, err
	}
	if m.curriculum, err = parseCurriculum(m.settings.Curriculum); err != nil {
		return nil, err
	}
	if m.refinement, err = parseRefinement(m.settings.Refine); err != nil {
		return nil, err
	}
	if m.settings.Sneaky == "naive" {
		m.cases = newGenerator(m.spc.Critique().Errors, false, 0).cases(m.spc)
	}
	if m.spc != nil {
		m.evaluator, err = newEvaluator(m.task, m.settings.Cases)
	} else {
		m.exact, err = newExact(ctx, m.Game)
	}
	if err != nil {
		return nil, err
	}
	return m, m.openSource()
}

// player is who has a seat.
func (m *rounds) player(seat games.Seat) *trainer.Player { return m.Players[m.PlayerOf(seat)] }

// learns tells whether a seat has a network that learns at all.
func (m *rounds) learns(seat games.Seat) bool {
	return seat != sneakycritic.Sneaky || m.settings.Sneaky == "learn"
}

// trains tells whether a seat learns in the stage under way.
func (m *rounds) trains(s games.Seat) bool { return m.learns(s) && m.Trains(s) }

// Close implements trainer.Method.
func (m *rounds) Close() error { return closePasts(m.source) }

// round is the round of an update, counted from 0: 0 is the warm-up.
func (m *rounds) round(update int) int {
	if update < m.settings.Warmup {
		return 0
	}
	return 1 + (update-m.settings.Warmup)/m.Recipe.Updates
}

// begins tells whether a round of self-play begins with an update.
func (m *rounds) begins(update int) bool {
	return update >= m.settings.Warmup && (update-m.settings.Warmup)%m.Recipe.Updates == 0
}

// Update implements trainer.Method: of the warm-up or of a round.
func (m *rounds) Update(ctx context.Context, line trainer.Line) error {
	line["round"] = float64(m.round(m.Done))
	if m.Done < m.settings.Warmup {
		return m.warmUp(line)
	}
	if m.begins(m.Done) {
		if err := m.beginRound(); err != nil {
			return err
		}
	}
	switch {
	case m.respond:
		m.exact.respond(m.Recipe.Opponents == "pool", m.soft, m.trains)
		m.endStage(0, trainer.Line{})
		return nil
	case m.clipped != nil:
		return m.learnClipped(ctx, line)
	case m.rounds:
		return m.replayed(ctx, line)
	}
	return m.learnOnline(ctx, line)
}

// beginRound keeps the players as they were at the end of the round before.
func (m *rounds) beginRound() error {
	m.data, m.games = [2][]rewarded{}, nil              // of the rounds before; played anew where needed
	if round := m.round(m.Done); len(m.Pasts) < round { // else resumed at the very start of a round
		if err := m.Remember(); err != nil {
			return err
		}
		if kind := m.Recipe.Magnet.Kind; kind == "round" || kind == "start" && round == 1 {
			if err := m.SetMagnets(); err != nil {
				return err
			}
		}
	}
	if !m.learning.rounds || !m.settings.Restart {
		return nil
	}
	for i, p := range m.Players {
		if err := p.Updater.Restart(m.Pasts[0].Networks[i].Weights); err != nil {
			return err
		}
	}
	return m.Open()
}

// warmUp has both imitate the naive start: the sneaky player the naive kinds of
// error, the critic the truth about them.
func (m *rounds) warmUp(line trainer.Line) error {
	rows, err := m.imitations(m.Recipe.Games, play.Generator(m.Recipe.Seed, "warmup", uint64(m.Done)))
	if err != nil {
		return err
	}
	for seat, some := range rows {
		if !m.learns(games.Seat(seat)) || len(some) == 0 {
			continue
		}
		stats, err := m.learnAnswers(games.Seat(seat), Clipped{Imitate: 1}, some)
		if err != nil {
			return err
		}
		role := m.Info.Roles[seat]
		line["imitation/"+role], line["samples/"+role] = stats["loss_imitation"], float64(len(some))
	}
	return nil
}

// sneakiestFile of a checkpoint holds the examples of a run on a game of kinds of error.
const sneakiestFile = "sneakiest.json"

// Save implements trainer.Method. The games of rounds are not saved: they are played
// again.
func (m *rounds) Save(w *run.CheckpointWriter) (any, error) {
	if m.exact != nil {
		return m.exact.save()
	}
	text, err := json.MarshalIndent(m.sneakiest, "", " ")
	if err != nil {
		return nil, fmt.Errorf("saving the examples: %w", err)
	}
	_, err = w.File(sneakiestFile).Write(text)
	return nil, err
}

// Restore implements trainer.Method.
func (m *rounds) Restore(c *run.Checkpoint, text []byte) (err error) {
	if m.exact == nil {
		m.sneakiest, err = examplesOf(c)
		return err
	}
	var s exactState
	if err := json.Unmarshal(text, &s); err != nil {
		return fmt.Errorf("the state of the rounds: %w", err)
	}
	return m.exact.restore(s)
}

// rewarded is an answer of one or more steps with its reward, or one to imitate.
type rewarded struct {
	steps     []*policy.Step
	reference float64 // mean log-probability by the reference
	reward    float64
	imitated  bool // there is no reward
}

// learnAnswers takes a gradient step of the player in a seat on answers, and returns
// the statistics of ClippedStats.
func (m *rounds) learnAnswers(seat games.Seat, o Clipped, answers []rewarded) (stats map[string]float64, err error) {
	steps := make([][]*policy.Step, len(answers))
	for i, a := range answers {
		steps[i] = a.steps
	}
	_, err = m.player(seat).Updater.LearnSlopes(steps, m.Coefficients(), func(all trainer.Referred) (slopes []float32, err error) {
		batch := make([]Sample, len(answers))
		rest := all.LogProbs
		for i, a := range answers {
			batch[i] = Sample{LogProb: mean(rest[:len(a.steps)]), Reference: a.reference, Reward: a.reward, Imitated: a.imitated}
			rest = rest[len(a.steps):]
		}
		values, each := o.Evaluate(batch)
		stats = map[string]float64{}
		for i, name := range ClippedStats {
			stats[name] = values[i]
		}
		for i, a := range answers {
			for range a.steps { // of a mean, each has its part
				slopes = append(slopes, float32(each[i]/float64(len(a.steps))))
			}
		}
		return slopes, nil
	})
	return stats, err
}

func mean[T float32 | float64](x []T) (sum float64) {
	for _, v := range x {
		sum += float64(v) / float64(len(x))
	}
	return sum
}
