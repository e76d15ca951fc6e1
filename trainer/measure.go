package trainer

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/play"
	"github.com/agon-rl/agon/policy"
	"github.com/agon-rl/agon/rae"
)

// describeGames adds what the update's games looked like: what each role got,
// how its advantages spread, how long games were, and the signs of collapse.
func (t *Trainer) describeGames(episodes []*play.Episode, estimates [][]rae.Estimate, line map[string]float64) {
	if len(episodes) == 0 {
		return
	}
	n := len(t.info.Roles)
	returns, wins := make([]float64, n), make([]float64, n)
	sum, square, turns := make([]float64, n), make([]float64, n), make([]float64, n)
	length, forfeits, voids := 0, 0, 0
	played := make([]float64, n)
	for i, e := range episodes {
		length += len(e.Turns)
		voids += e.Voids
		if e.Forfeit != games.Over {
			forfeits++
		}
		for s := range n {
			if t.score(e, s) == 1 {
				wins[s]++
			}
			if owns(e, games.Seat(s)) {
				played[s]++
				returns[s] += e.Returns[s]
			}
		}
		for j, turn := range e.Turns {
			if owns(e, turn.Seat) {
				a := estimates[i][j].Advantage
				sum[turn.Seat] += a
				square[turn.Seat] += a * a
				turns[turn.Seat]++
			}
		}
	}
	games := float64(len(episodes))
	line["length"], line["forfeits"] = float64(length)/games, float64(forfeits)/games
	if voids > 0 { // no game of this process's own is ever void
		line["voids"] = float64(voids)
	}
	for s, role := range t.info.Roles {
		if played[s] > 0 {
			line["return/"+role] = returns[s] / played[s]
		}
		line["wins/"+role] = wins[s] / games
		if turns[s] > 0 {
			mean := sum[s] / turns[s]
			line["advantage_variance/"+role] = square[s]/turns[s] - mean*mean
		}
	}
	for key, mean := range t.estimator.Baselines() {
		if len(t.estimator.Baselines()) <= n {
			line["baseline/"+key] = mean
		}
	}
}

// recordOpponents counts the learner's results against opponents and adds its
// mean score to the line.
func (t *Trainer) recordOpponents(episodes []*play.Episode, line map[string]float64) {
	total, count := 0.0, 0
	for _, e := range episodes {
		learner, opponent := versus(e)
		if opponent == 0 {
			continue
		}
		score := t.score(e, learner)
		total, count = total+score, count+1
		if opponent <= len(t.pool) {
			t.pool[opponent-1].record(learner, score)
		}
	}
	if count > 0 {
		line["score/opponents"] = total / float64(count)
	}
}

// versus returns the learner's seat and the agent it met; 0 where the learner
// sat everywhere.
func versus(e *play.Episode) (learner, opponent int) {
	for s, agent := range e.Agents {
		if agent == 0 {
			learner = s
		} else {
			opponent = agent
		}
	}
	return learner, opponent
}

// score maps a seat's return to [0, 1]: 1 for the game's best, 0 for its
// worst, a half for an even share.
func (t *Trainer) score(e *play.Episode, seat int) float64 {
	even := t.info.Sum / float64(t.info.Seats)
	if t.info.Seats == 1 { // there is nobody to share with
		even = (t.info.MinReturn + t.info.MaxReturn) / 2
	}
	switch d := e.Returns[seat] - even; {
	case d > 0:
		return 1
	case d < 0:
		return 0
	}
	return 0.5
}

// remember adds the current network to the pool of past snapshots.
func (t *Trainer) remember() error {
	if t.opponents.kind != "past" && t.opponents.kind != "league" {
		return nil
	}
	weights := t.updater.State().Weights
	network, err := t.model.Network(weights)
	if err != nil {
		return err
	}
	t.pool = append(t.pool, &snapshot{Update: t.update, Scores: slices.Repeat([]float64{0.5}, t.info.Seats), weights: weights, network: network})
	if len(t.pool) <= t.opponents.keep {
		return nil
	}
	drop := t.pool.superfluous(t.opponents)
	dropped := t.pool[drop]
	t.pool = slices.Delete(slices.Clone(t.pool), drop, drop+1)
	return dropped.close()
}

func (s *snapshot) close() error {
	if s.network == nil {
		return nil
	}
	return s.network.Close()
}

// noiseParts is how many parts of a batch the gradient's noise is estimated
// from.
const noiseParts = 8

// gradientNoise estimates the standard deviation of the batch's gradient, in
// the units of its norm: with the gradients g_i of k parts of whole games,
//
//	√( Σ‖g_i − ḡ‖² / (k(k−1)) )
func (t *Trainer) gradientNoise(episodes []*play.Episode, estimates [][]rae.Estimate, c Coefficients) (float64, error) {
	var gradients [][]float32
	for part := range noiseParts {
		var chosen []int
		for i := part; i < len(episodes); i += noiseParts {
			chosen = append(chosen, i)
		}
		turns, _ := t.gather(episodes, estimates, chosen, c)
		if len(turns) == 0 {
			continue
		}
		batch, err := policy.NewBatch(t.model, turns)
		if err != nil {
			return 0, err
		}
		g, err := t.updater.Gradient("turns", batch, c)
		if err := errors.Join(err, batch.Close()); err != nil {
			return 0, err
		}
		gradients = append(gradients, g)
	}
	k := float64(len(gradients))
	if k < 2 {
		return 0, nil
	}
	sum := 0.0
	for j := range gradients[0] {
		mean, square := 0.0, 0.0
		for _, g := range gradients {
			mean += float64(g[j]) / k
			square += float64(g[j]) * float64(g[j])
		}
		sum += math.Max(0, square-k*mean*mean)
	}
	return math.Sqrt(sum / (k * (k - 1))), nil
}

// evaluates says whether the network is evaluated after an update.
func (t *Trainer) evaluates(update int) bool {
	return update%t.recipe.Evaluate.Every == 0 || update == t.recipe.Updates
}

// measure evaluates the updated network where it is time to, and lets the
// guard look.
func (t *Trainer) measure(ctx context.Context, line map[string]float64) error {
	if t.opponents.every > 0 && t.update%t.opponents.every == 0 {
		if err := t.remember(); err != nil {
			return err
		}
	}
	evaluate := t.evaluates(t.update)
	watch := t.recipe.Guard.Every > 0 && t.update%t.recipe.Guard.Every == 0
	if !evaluate && !watch {
		return nil
	}
	network, err := t.model.Network(t.updater.State().Weights)
	if err != nil {
		return err
	}
	defer network.Close() //nolint:errcheck // frees memory; nothing depends on it
	if evaluate {
		if err := t.evaluator.measure(ctx, network, line); err != nil {
			return fmt.Errorf("evaluating update %d: %w", t.update, err)
		}
	}
	if watch {
		return t.guard.watch(ctx, t, network, line)
	}
	return nil
}
