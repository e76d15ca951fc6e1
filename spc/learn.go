package spc

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"

	"github.com/agon-rl/agon/agents"
	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/games/sneakycritic"
	"github.com/agon-rl/agon/play"
	"github.com/agon-rl/agon/policy"
	"github.com/agon-rl/agon/rae"
)

// The agents of a match: the two networks in training, the generator that a learnt
// sneaky player is compared with, then the pasts of both.
const (
	generatorAgent = 2
	firstPast      = 3
)

// imitations draws cases of naive kinds until each seat that learns has count answers
// to imitate: the kind that the naive sneaky player names, the true verdict. A seat
// that hardly ever moves has fewer.
func (t *Trainer) imitations(count int, r *rand.Rand) (rows [2][]policy.Sentence, err error) {
	errors := t.spc.Critique().Errors
	naive, start := newGenerator(errors, false, 0), newGenerator(errors, false, t.recipe.Explore)
	lacks := func(seat games.Seat) bool { return t.learns(seat) && len(rows[seat]) < count }
	const patience = 4 // cases for each answer
	for tries := 0; tries < patience*count && (lacks(sneakycritic.Sneaky) || lacks(sneakycritic.Critic)); tries++ {
		s, _, err := naive.find(t.spc, r)
		if err != nil {
			return rows, err
		}
		if lacks(sneakycritic.Sneaky) {
			if err := t.imitateSneaky(s.Clone().(*sneakycritic.State), start, &rows[sneakycritic.Sneaky], r); err != nil {
				return rows, err
			}
		}
		if lacks(sneakycritic.Critic) {
			if err := t.imitateCritic(s, naive, &rows[sneakycritic.Critic], r); err != nil {
				return rows, err
			}
		}
	}
	return rows, nil
}

// imitateSneaky adds what a generator writes in a case that is not clean.
func (t *Trainer) imitateSneaky(s *sneakycritic.State, by generator, rows *[]policy.Sentence, r *rand.Rand) error {
	var steps []*policy.Step
	for s.Turn() == sneakycritic.Sneaky {
		step, err := t.stepOf(s, by.draw(s, r))
		if err != nil {
			return err
		}
		steps = append(steps, step)
		if err := s.Apply(step.Chosen); err != nil {
			return err
		}
	}
	if len(steps) > 0 {
		*rows = append(*rows, policy.Sentence{Steps: steps, Imitated: true})
	}
	return nil
}

// imitateCritic adds the true verdict on what a generator writes.
func (t *Trainer) imitateCritic(s *sneakycritic.State, by generator, rows *[]policy.Sentence, r *rand.Rand) error {
	for s.Turn() == sneakycritic.Sneaky {
		if err := s.Apply(by.draw(s, r)); err != nil {
			return err
		}
	}
	if s.Turn() != sneakycritic.Critic { // there was no naive kind, and what was written was right
		return nil
	}
	step, err := t.stepOf(s, s.Truth())
	if err != nil {
		return err
	}
	*rows = append(*rows, policy.Sentence{Steps: []*policy.Step{step}, Imitated: true})
	return nil
}

// stepOf is the record of an action, as if a network had taken it.
func (t *Trainer) stepOf(s games.State, a games.Action) (*policy.Step, error) {
	step := &policy.Step{Encoded: make([]float32, t.model.Encoder.Size()), Legal: s.Actions(nil), Chosen: a}
	return step, t.model.Encoder.Encode(s, s.Turn(), step.Encoded)
}

// learnOnline plays fresh games and takes policy gradient steps on them.
func (t *Trainer) learnOnline(ctx context.Context, line map[string]float64) error {
	game, err := t.curriculum.problems(ctx, t, t.players[sneakycritic.Critic].network, t.recipe.Games, uint64(t.update))
	if err != nil {
		return err
	}
	match := play.Match{
		Game: game, Seed: t.recipe.Seed, Agents: t.agents(), Group: t.recipe.Group, Workers: t.options.Workers, Seats: t.seats,
	}
	episodes, err := match.Play(ctx, uint64(t.played), t.recipe.Games)
	if err != nil {
		return err
	}
	t.played += t.recipe.Games
	if err := t.judgeValidity(episodes, line); err != nil {
		return err
	}
	if err := t.learnFrom(episodes, line); err != nil {
		return err
	}
	t.endStage(won(episodes), line)
	return nil
}

func (t *Trainer) learnFrom(episodes []*play.Episode, line map[string]float64) error {
	estimates, err := t.estimator.Estimate(episodes, t.game.Info().Roles, t.trained)
	if err != nil {
		return err
	}
	for _, p := range t.distinct() {
		turns := t.gather(p, episodes, estimates)
		if len(turns) == 0 {
			continue
		}
		batch, err := policy.NewBatch(t.model, turns)
		if err != nil {
			return err
		}
		for range t.recipe.Objective.Epochs {
			stats, err := p.updater.Step("turns", batch, t.coefficients())
			if err != nil {
				return errors.Join(err, batch.Close())
			}
			line["entropy/"+p.role], line["pull/"+p.role] = float64(stats[3]), float64(stats[4])
		}
		if err := batch.Close(); err != nil {
			return err
		}
		line["samples/"+p.role] = float64(len(turns))
	}
	return nil
}

// gather returns a player's turns in those seats that train.
func (t *Trainer) gather(p *player, episodes []*play.Episode, estimates [][]rae.Estimate) (turns []policy.Turn) {
	for i, e := range episodes {
		for j, turn := range e.Turns {
			step, ok := turn.Record.(*policy.Step)
			if !ok || t.players[turn.Seat] != p || !t.trained(e, turn.Seat) {
				continue
			}
			turns = append(turns, policy.Turn{Step: step, Advantage: float32(estimates[i][j].Advantage), Return: float32(estimates[i][j].Target)})
		}
	}
	return turns
}

// trained tells whether a seat learns from an episode: where it is in training, and
// did something there that counts. A refused step leaves the critic nothing to learn,
// a clean solution the sneaky player; neither moves the other's mean return.
func (t *Trainer) trained(e *play.Episode, s games.Seat) bool {
	return e.Agents[s] == int(s) && t.trains(s) && slices.ContainsFunc(e.Turns, func(turn play.Turn) bool {
		_, recorded := turn.Record.(*policy.Step)
		return turn.Seat == s && recorded
	})
}

// trains tells whether a seat learns in the stage under way.
func (t *Trainer) trains(s games.Seat) bool { return t.learns(s) && t.stages.trains(t.stage, s) }

// endStage counts an update of the stage in which the critic won a share of the games.
func (t *Trainer) endStage(won float64, line map[string]float64) {
	line["won/critic"] = won
	for seat, role := range t.game.Info().Roles {
		if line["trains/"+role] = 0; t.trains(games.Seat(seat)) {
			line["trains/"+role] = 1
		}
	}
	t.stage = t.stages.next(t.stage, won)
}

// won is the critic's share of games won.
func won(episodes []*play.Episode) float64 {
	won := 0
	for _, e := range episodes {
		if e.Returns[sneakycritic.Critic] > 0 {
			won++
		}
	}
	return float64(won) / float64(len(episodes))
}

// seats puts a player in training opposite one of its opponents. Where both train,
// they share the games, or take turns with the groups if they meet others.
func (t *Trainer) seats(_ uint64, group int) []int {
	if t.recipe.Sneaky != "learn" {
		return []int{generatorAgent, int(sneakycritic.Critic)}
	}
	if t.opponents.kind == "latest" {
		return []int{0, 1}
	}
	own := (t.update + group) % 2
	if t.stages.kind != "together" {
		if own = 1; t.stage.Sneaky {
			own = 0
		}
	}
	seats := []int{0, 1}
	other := 1 - own
	rounds := len(t.players[other].past)
	r := play.Generator(t.recipe.Seed, "opponent", uint64(t.update), uint64(group))
	switch {
	case rounds == 0:
	case t.opponents.kind == "earlier":
		seats[other] = firstPast + 2*(rounds-1) + other
	case r.Float64() < t.opponents.share:
		seats[other] = firstPast + 2*r.IntN(rounds) + other
	}
	return seats
}

// agents are those that may sit in a match.
func (t *Trainer) agents() []play.Agent {
	all := []play.Agent{agents.Learner{Network: t.players[0].network}, agents.Learner{Network: t.players[1].network}, play.Agent(nil)}
	if t.spc != nil {
		all[generatorAgent] = newGenerator(t.spc.Critique().Errors, t.recipe.Sneaky == "menu", 0)
	}
	for i := range t.players[0].past {
		all = append(all, t.opponents.past(t.players[0].past[i]), t.opponents.past(t.players[1].past[i]))
	}
	return all
}
