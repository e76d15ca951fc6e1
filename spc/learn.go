package spc

import (
	"context"
	"errors"
	"math/rand/v2"

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

// imitations draws cases of naive kinds and what is right in them, by seat: the kind
// that the naive sneaky player names, the true verdict.
func (t *Trainer) imitations(count int, r *rand.Rand) (rows [2][]policy.Sentence, err error) {
	errors := t.spc.Critique().Errors
	naive, start := newGenerator(errors, false, 0), newGenerator(errors, false, t.recipe.Explore)
	for range count {
		s, _, err := naive.find(t.spc, r)
		if err != nil {
			return rows, err
		}
		var sneaky []*policy.Step
		for c := s.Clone().(*sneakycritic.State); c.Turn() == sneakycritic.Sneaky; {
			step, err := t.stepOf(c, start.draw(c, r))
			if err != nil {
				return rows, err
			}
			sneaky = append(sneaky, step)
			if err := c.Apply(step.Chosen); err != nil {
				return rows, err
			}
		}
		if len(sneaky) > 0 {
			rows[sneakycritic.Sneaky] = append(rows[sneakycritic.Sneaky], policy.Sentence{Steps: sneaky, Imitated: true})
		}
		for s.Turn() == sneakycritic.Sneaky {
			if err := s.Apply(naive.draw(s, r)); err != nil {
				return rows, err
			}
		}
		if s.Turn() != sneakycritic.Critic { // there was no naive kind, and what was written was right
			continue
		}
		verdict := sneakycritic.Correct
		if s.Wrong() {
			verdict = sneakycritic.Incorrect
		}
		step, err := t.stepOf(s, verdict)
		if err != nil {
			return rows, err
		}
		rows[sneakycritic.Critic] = append(rows[sneakycritic.Critic], policy.Sentence{Steps: []*policy.Step{step}, Imitated: true})
	}
	return rows, nil
}

// stepOf is the record of an action, as if a network had taken it.
func (t *Trainer) stepOf(s games.State, a games.Action) (*policy.Step, error) {
	step := &policy.Step{Encoded: make([]float32, t.model.Encoder.Size()), Legal: s.Actions(nil), Chosen: a}
	return step, t.model.Encoder.Encode(s, s.Turn(), step.Encoded)
}

// learnOnline plays fresh games and takes policy gradient steps on them.
func (t *Trainer) learnOnline(ctx context.Context, line map[string]float64) error {
	episodes, err := t.play(ctx, t.seats, line)
	if err != nil {
		return err
	}
	if err := t.judgeValidity(episodes, line); err != nil {
		return err
	}
	owns := func(e *play.Episode, s games.Seat) bool { return t.trained(e, s) }
	estimates, err := t.estimator.Estimate(episodes, t.game.Info().Roles, owns)
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

// trained tells whether a seat of an episode learns from it.
func (t *Trainer) trained(e *play.Episode, s games.Seat) bool {
	return e.Agents[s] == int(s) && t.learns(s) && t.stages.trains(t.stage, s)
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

// play plays an update's games.
func (t *Trainer) play(ctx context.Context, seats func(uint64, int) []int, line map[string]float64) ([]*play.Episode, error) {
	game, err := t.curriculum.problems(ctx, t)
	if err != nil {
		return nil, err
	}
	match := play.Match{
		Game: game, Seed: t.recipe.Seed, Agents: t.agents(), Group: t.recipe.Group, Workers: t.options.Workers, Seats: seats,
	}
	episodes, err := match.Play(ctx, uint64(t.played), t.recipe.Games)
	if err != nil {
		return nil, err
	}
	t.played += t.recipe.Games
	won, games := 0.0, 0.0
	for _, e := range episodes {
		games++
		if e.Returns[sneakycritic.Critic] > 0 {
			won++
		}
	}
	line["won/critic"] = won / games
	line["trains/sneaky"], line["trains/critic"] = 0, 0
	for seat, p := range t.game.Info().Roles {
		if t.stages.trains(t.stage, seatOf(seat)) && t.learns(seatOf(seat)) {
			line["trains/"+p] = 1
		}
	}
	t.stage = t.stages.next(t.stage, won/games)
	return episodes, nil
}

func seatOf(i int) games.Seat { return games.Seat(i) }

// agents are those that may sit in a match.
func (t *Trainer) agents() []play.Agent {
	all := []play.Agent{agents.Learner{Network: t.players[0].network}, agents.Learner{Network: t.players[1].network}, play.Agent(nil)}
	if t.spc != nil {
		all[generatorAgent] = newGenerator(t.spc.Critique().Errors, t.recipe.Sneaky == "menu", 0)
	}
	for i := range t.players[0].past {
		all = append(all, agents.NewSampler(t.players[0].past[i], false), agents.NewSampler(t.players[1].past[i], false))
	}
	return all
}
