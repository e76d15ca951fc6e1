package spc

import (
	"context"
	"fmt"

	"github.com/agon-rl/agon/agents"
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
	imitated, err := t.imitations(t.recipe.Games, r)
	if err != nil {
		return err
	}
	for seat, p := range t.players {
		if !t.learns(seatOf(seat)) || len(t.data[seat]) == 0 {
			continue
		}
		rows := imitated[seat]
		for range t.recipe.Games {
			rows = append(rows, t.data[seat][r.IntN(len(t.data[seat]))])
		}
		batch, err := policy.NewSentenceBatch(t.model, rows)
		if err != nil {
			return err
		}
		stats, err := p.updater.Step("sentences", batch, t.coefficients())
		if closed := batch.Close(); err == nil {
			err = closed
		}
		if err != nil {
			return err
		}
		line["loss/"+p.role], line["clipped/"+p.role] = float64(stats[0]), float64(stats[3])
		line["samples/"+p.role] = float64(t.recipe.Games)
	}
	return nil
}

// collect plays the games of the rounds so far, unless they are there already. They
// depend on the recipe and on the players at the rounds' ends alone, so that they
// need not be saved.
func (t *Trainer) collect(ctx context.Context, line map[string]float64) error {
	if len(t.data[sneakycritic.Critic]) > 0 {
		return nil
	}
	won, count := 0.0, 0.0
	for round := 1; round <= t.round(t.update); round++ {
		match := play.Match{
			Game: t.cases, Seed: t.recipe.Seed, Agents: t.frozen(round), Group: t.recipe.Group, Workers: t.options.Workers,
			Seats: func(_ uint64, group int) []int { return t.frozenSeats(round, group) },
		}
		first := uint64(round) * uint64(t.recipe.Objective.Data)
		episodes, err := match.Play(ctx, first, t.recipe.Objective.Data)
		if err != nil {
			return err
		}
		if t.recipe.Sneaky == "learn" {
			if err := t.judgeValidity(episodes, line); err != nil {
				return err
			}
		}
		for _, e := range episodes {
			if count++; e.Returns[sneakycritic.Critic] > 0 {
				won++
			}
			t.keep(e)
		}
	}
	t.played = t.round(t.update) * t.recipe.Objective.Data
	line["won/critic"] = won / count
	return t.refer()
}

// frozen are the players as they were at the end of the round before: first those
// whose answers are learnt from, then the generator, then the pasts.
func (t *Trainer) frozen(round int) []play.Agent {
	all := t.agents()
	for seat := range 2 {
		all[seat] = agents.Learner{Network: t.players[seat].past[round-1]}
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
