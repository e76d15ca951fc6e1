package spc

import (
	"context"
	"math/rand/v2"
	"slices"

	"github.com/agon-rl/agon/agents"
	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/games/sneakycritic"
	"github.com/agon-rl/agon/play"
	"github.com/agon-rl/agon/policy"
	"github.com/agon-rl/agon/rae"
	"github.com/agon-rl/agon/trainer"
)

// imitations draws cases of naive kinds until each seat that learns has count answers
// to imitate: the kind that the naive sneaky player names, the true verdict. A seat
// that hardly ever moves has fewer.
func (m *rounds) imitations(count int, r *rand.Rand) (rows [2][]rewarded, err error) {
	errors := m.spc.Critique().Errors
	naive, start := newGenerator(errors, false, 0), newGenerator(errors, false, m.settings.Explore)
	lacks := func(seat games.Seat) bool { return m.learns(seat) && len(rows[seat]) < count }
	const patience = 4 // cases for each answer
	for tries := 0; tries < patience*count && (lacks(sneakycritic.Sneaky) || lacks(sneakycritic.Critic)); tries++ {
		s, _, err := naive.find(m.spc, r)
		if err != nil {
			return rows, err
		}
		if lacks(sneakycritic.Sneaky) {
			if err := m.imitateSneaky(s.Clone().(*sneakycritic.State), start, &rows[sneakycritic.Sneaky], r); err != nil {
				return rows, err
			}
		}
		if lacks(sneakycritic.Critic) {
			if err := m.imitateCritic(s, naive, &rows[sneakycritic.Critic], r); err != nil {
				return rows, err
			}
		}
	}
	return rows, nil
}

// imitateSneaky adds what a generator writes in a case that is not clean.
func (m *rounds) imitateSneaky(s *sneakycritic.State, by generator, rows *[]rewarded, r *rand.Rand) error {
	var steps []*policy.Step
	for s.Turn() == sneakycritic.Sneaky {
		step, err := m.stepOf(s, by.draw(s, r))
		if err != nil {
			return err
		}
		steps = append(steps, step)
		if err := s.Apply(step.Action()); err != nil {
			return err
		}
	}
	if len(steps) > 0 {
		*rows = append(*rows, rewarded{steps: steps, imitated: true})
	}
	return nil
}

// imitateCritic adds the true verdict on what a generator writes.
func (m *rounds) imitateCritic(s *sneakycritic.State, by generator, rows *[]rewarded, r *rand.Rand) error {
	for s.Turn() == sneakycritic.Sneaky {
		if err := s.Apply(by.draw(s, r)); err != nil {
			return err
		}
	}
	if s.Turn() != sneakycritic.Critic { // there was no naive kind, and what was written was right
		return nil
	}
	step, err := m.stepOf(s, s.Truth())
	if err != nil {
		return err
	}
	*rows = append(*rows, rewarded{steps: []*policy.Step{step}, imitated: true})
	return nil
}

// learnOnline plays fresh games and takes policy gradient steps on them.
func (m *rounds) learnOnline(ctx context.Context, line trainer.Line) error {
	game, err := m.curriculum.problems(ctx, m, m.player(sneakycritic.Critic).Network, m.Recipe.Games, uint64(m.Done))
	if err != nil {
		return err
	}
	agents, generator := m.agents()
	match := m.Match("", agents...)
	match.Game = game
	match.Seats = func(_ uint64, group int) []int { return m.seats(group, generator) }
	episodes, err := match.Play(ctx, uint64(m.Played), m.Recipe.Games)
	if err != nil {
		return err
	}
	m.Played += m.Recipe.Games
	if err := m.judgeValidity(episodes, line); err != nil {
		return err
	}
	if err := m.learnFrom(episodes, line); err != nil {
		return err
	}
	m.endStage(won(episodes), line)
	return nil
}

func (m *rounds) learnFrom(episodes []*play.Episode, line trainer.Line) error {
	estimates, err := m.Estimator.Estimate(episodes, m.Info.Roles, m.trained)
	if err != nil {
		return err
	}
	for _, p := range m.Players {
		turns := m.gather(p, episodes, estimates)
		err := p.Learn("turns", 1, m.Done, m.Coefficients(), line, func([]int) []policy.Turn { return turns })
		if err != nil {
			return err
		}
		line[p.Metric("samples")] = float64(len(turns))
	}
	return nil
}

// gather returns a player's turns in those seats that train.
func (m *rounds) gather(p *trainer.Player, episodes []*play.Episode, estimates [][]rae.Estimate) (turns []policy.Turn) {
	for i, e := range episodes {
		for j, turn := range e.Turns {
			step, ok := turn.Record.(*policy.Step)
			if !ok || m.player(turn.Seat) != p || !m.trained(e, turn.Seat) {
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
func (m *rounds) trained(e *play.Episode, s games.Seat) bool {
	return e.Agents[s] == m.PlayerOf(s) && m.trains(s) && slices.ContainsFunc(e.Turns, func(turn play.Turn) bool {
		_, recorded := turn.Record.(*policy.Step)
		return turn.Seat == s && recorded
	})
}

// endStage counts an update of the stage in which the critic won a share of the games.
func (m *rounds) endStage(won float64, line trainer.Line) {
	line["won/critic"] = won
	for seat, role := range m.Info.Roles {
		if line["trains/"+role] = 0; m.trains(games.Seat(seat)) {
			line["trains/"+role] = 1
		}
	}
	m.EndStage(won)
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
func (m *rounds) seats(group, generator int) []int {
	seats := []int{m.PlayerOf(sneakycritic.Sneaky), m.PlayerOf(sneakycritic.Critic)}
	if m.settings.Sneaky != "learn" {
		seats[sneakycritic.Sneaky] = generator
		return seats
	}
	own := (m.Done + group) % 2
	if player, turns := m.TakesTurns(); turns {
		own = int(m.Players[player].Seats[0])
	}
	other := games.Seat(1 - own)
	if met := m.Meet(group, games.Seat(own)); met >= 0 {
		seats[other] = m.Opponent(met, other)
	}
	return seats
}

// agents are those that may sit in a match: the run's, and behind them, with the index
// generator, the generator that a learnt sneaky player is compared with.
func (m *rounds) agents() (all []play.Agent, generator int) {
	all = m.Agents(func(p *trainer.Player) play.Agent { return agents.Learner{Network: p.Network} })
	if generator = len(all); m.spc != nil {
		all = append(all, m.generator())
	}
	return all, generator
}

func (m *rounds) generator() play.Agent {
	return newGenerator(m.spc.Critique().Errors, m.settings.Sneaky == "menu", 0)
}
