package spc

import (
	"context"
	"errors"
	"fmt"

	"github.com/agon-rl/agon/agents"
	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/games/sneakycritic"
	"github.com/agon-rl/agon/play"
	"github.com/agon-rl/agon/policy"
)

// learnOffline is SPC's update: rewarded answers of the rounds so far, and as many to
// imitate, against a frozen reference.
func (t *Trainer) learnOffline(ctx context.Context, line map[string]float64) error {
	if err := t.collect(ctx, line); err != nil {
		return err
	}
	r := play.Generator(t.recipe.Seed, "offline", uint64(t.update))
	rows, err := t.imitations(t.recipe.Games, r)
	if err != nil {
		return err
	}
	for seat, p := range t.players {
		role := t.game.Info().Roles[seat]
		if !t.trains(games.Seat(seat)) || len(t.data[seat]) == 0 {
			continue
		}
		for range t.recipe.Games {
			rows[seat] = append(rows[seat], t.data[seat][r.IntN(len(t.data[seat]))])
		}
		batch, err := policy.NewSentenceBatch(t.model, rows[seat])
		if err != nil {
			return err
		}
		stats, err := p.updater.Step("sentences", batch, t.coefficients())
		if err := errors.Join(err, batch.Close()); err != nil {
			return err
		}
		line["loss/"+role], line["clipped/"+role] = float64(stats[0]), float64(stats[3])
		line["samples/"+role] = float64(t.recipe.Games)
	}
	t.endStage(t.wonRounds, line)
	return nil
}

// replayed takes steps of the on-line objective on games of the rounds so far: drawn as
// learnOffline draws answers, with advantages by the running means and ratios to those
// who played, by their log-probabilities.
func (t *Trainer) replayed(ctx context.Context, line map[string]float64) error {
	if err := t.collect(ctx, line); err != nil {
		return err
	}
	r := play.Generator(t.recipe.Seed, "replay", uint64(t.update))
	episodes := make([]*play.Episode, t.recipe.Games)
	for i := range episodes {
		episodes[i] = t.games[r.IntN(len(t.games))]
	}
	if err := t.learnFrom(episodes, line); err != nil {
		return err
	}
	t.endStage(t.wonRounds, line)
	return nil
}

// collect plays the games of the rounds so far, unless they are there already. They
// depend on the recipe and on the players at the rounds' ends alone, so that they
// need not be saved.
func (t *Trainer) collect(ctx context.Context, line map[string]float64) error {
	if len(t.data[sneakycritic.Critic])+len(t.data[sneakycritic.Sneaky])+len(t.games) > 0 {
		return nil
	}
	if !t.begins(t.update) { // resumed within a round, whose first line says what was found
		line = map[string]float64{}
	}
	shares := 0.0
	for round := 1; round <= t.round(t.update); round++ {
		game, err := t.curriculum.problems(ctx, t, t.pasts(sneakycritic.Critic)[round-1], t.recipe.Objective.Data, 1<<32+uint64(round))
		if err != nil {
			return err
		}
		match := play.Match{
			Game: game, Seed: t.recipe.Seed, Agents: t.frozen(round), Group: t.recipe.Group, Workers: t.options.Workers,
			Seats: func(_ uint64, group int) []int { return t.frozenSeats(round, group) },
		}
		first := uint64(round) * uint64(t.recipe.Objective.Data)
		episodes, err := match.Play(ctx, first, t.recipe.Objective.Data)
		if err != nil {
			return err
		}
		if err := t.judgeValidity(episodes, line); err != nil {
			return err
		}
		shares += won(episodes)
		if t.recipe.Objective.Name == "replay" {
			t.games = append(t.games, episodes...)
			continue
		}
		for _, e := range episodes {
			t.keep(e)
		}
	}
	t.played = t.round(t.update) * t.recipe.Objective.Data
	t.wonRounds = shares / float64(t.round(t.update))
	return t.refer()
}

// frozen are the players as they were at the end of the round before: first those
// whose answers are learnt from, then the generator, then the pasts.
func (t *Trainer) frozen(round int) []play.Agent {
	all := t.agents()[:firstPast]
	for seat := range games.Seat(2) {
		all[seat] = agents.Learner{Network: t.pasts(seat)[round-1]}
	}
	for past := range round {
		for seat := range games.Seat(2) {
			all = append(all, t.opponents.past(t.pasts(seat)[past]))
		}
	}
	return all
}

// frozenSeats has the critic of the round before meet the opponents that the recipe
// names, and the sneaky player too, group by group.
func (t *Trainer) frozenSeats(round, group int) []int {
	seats := []int{0, 1}
	if t.recipe.Sneaky != "learn" {
		return []int{generatorAgent, 1}
	}
	r := play.Generator(t.recipe.Seed, "frozen", uint64(round), uint64(group))
	other := group % 2
	switch {
	case t.opponents.kind == "earlier" && round > 1:
		seats[other] = firstPast + 2*(round-2) + other
	case t.opponents.kind == "pool" && r.Float64() < t.opponents.share:
		seats[other] = firstPast + 2*r.IntN(round) + other
	}
	return seats
}

// keep takes an episode's rewarded answers.
func (t *Trainer) keep(e *play.Episode) {
	var steps [2][]*policy.Step
	for _, turn := range e.Turns {
		if step, ok := turn.Record.(*policy.Step); ok {
			steps[turn.Seat] = append(steps[turn.Seat], step)
		}
	}
	for seat, some := range steps {
		if len(some) > 0 {
			t.data[seat] = append(t.data[seat], policy.Sentence{Steps: some, Reward: float32(e.Returns[seat])})
		}
	}
}

// refer replaces the log-probabilities of what was played by the reference's, the
// players of round 0: SPC's ratio is to them, not to those that played.
func (t *Trainer) refer() error {
	for seat, sentences := range t.data {
		var steps []*policy.Step
		for _, s := range sentences {
			steps = append(steps, s.Steps...)
		}
		if err := t.players[seat].past[0].LogProbs(steps); err != nil {
			return fmt.Errorf("the reference: %w", err)
		}
	}
	return nil
}
