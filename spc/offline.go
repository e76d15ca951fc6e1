package spc

import (
	"context"
	"fmt"

	"github.com/agon-rl/agon/agents"
	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/games/sneakycritic"
	"github.com/agon-rl/agon/play"
	"github.com/agon-rl/agon/policy"
	"github.com/agon-rl/agon/trainer"
)

// learnClipped is SPC's update: rewarded answers of the rounds so far, and as many to
// imitate, against a frozen reference.
func (m *rounds) learnClipped(ctx context.Context, line trainer.Line) error {
	if err := m.collect(ctx, line); err != nil {
		return err
	}
	r := play.Generator(m.Recipe.Seed, "offline", uint64(m.Done))
	rows, err := m.imitations(m.Recipe.Games, r)
	if err != nil {
		return err
	}
	for seat := range games.Seat(2) {
		if !m.trains(seat) || len(m.data[seat]) == 0 {
			continue
		}
		for range m.Recipe.Games {
			rows[seat] = append(rows[seat], m.data[seat][r.IntN(len(m.data[seat]))])
		}
		stats, err := m.learnAnswers(seat, *m.clipped, rows[seat])
		if err != nil {
			return err
		}
		role := m.Info.Roles[seat]
		line["loss/"+role], line["clipped/"+role], line["samples/"+role] = stats["loss"], stats["clipped"], float64(m.Recipe.Games)
	}
	m.endStage(m.wonRounds, line)
	return nil
}

// replayed takes steps of policy gradient on games of the rounds so far: drawn as
// learnClipped draws answers, with advantages by the running means and ratios to those
// who played, by their log-probabilities.
func (m *rounds) replayed(ctx context.Context, line trainer.Line) error {
	if err := m.collect(ctx, line); err != nil {
		return err
	}
	r := play.Generator(m.Recipe.Seed, "replay", uint64(m.Done))
	episodes := make([]*play.Episode, m.Recipe.Games)
	for i := range episodes {
		episodes[i] = m.games[r.IntN(len(m.games))]
	}
	if err := m.learnFrom(episodes, line); err != nil {
		return err
	}
	m.endStage(m.wonRounds, line)
	return nil
}

// collect plays the games of the rounds so far, unless they are there already. They
// depend on the recipe and on the players at the rounds' ends alone, so that they
// need not be saved.
func (m *rounds) collect(ctx context.Context, line trainer.Line) error {
	if len(m.games) > 0 {
		return nil
	}
	if !m.begins(m.Done) { // resumed within a round, whose first line says what was found
		line = trainer.Line{}
	}
	shares, last := 0.0, m.round(m.Done)
	var all []*play.Episode
	for round := 1; round <= last; round++ {
		critic := m.frozenPasts()[round-1].Networks[m.PlayerOf(sneakycritic.Critic)]
		game, err := m.curriculum.problems(ctx, m, critic, m.settings.Data, 1<<32+uint64(round))
		if err != nil {
			return err
		}
		match := m.Match("rounds", m.frozen(round)...)
		match.Game = game
		match.Seats = func(_ uint64, group int) []int { return m.frozenSeats(round, group) }
		episodes, err := match.Play(ctx, uint64(round)*uint64(m.settings.Data), m.settings.Data)
		if err != nil {
			return err
		}
		if err := m.judgeValidity(episodes, line); err != nil {
			return err
		}
		shares += won(episodes)
		all = append(all, episodes...)
	}
	m.games, m.wonRounds, m.Played = all, shares/float64(last), last*m.settings.Data
	if m.clipped == nil {
		return nil
	}
	for _, e := range all {
		m.keep(e)
	}
	return m.refer()
}

// frozenPasts are the players at the rounds' ends who play the games of rounds: the
// run's own, or another's.
func (m *rounds) frozenPasts() []*trainer.Past {
	if m.source != nil {
		return m.source
	}
	return m.Pasts
}

// frozen are the players as they were at the end of the round before: first those
// whose answers are learnt from, then the pasts, then the generator.
func (m *rounds) frozen(round int) (all []play.Agent) {
	pasts := m.frozenPasts()
	for i := range m.Players {
		all = append(all, agents.Learner{Network: pasts[round-1].Networks[i]})
	}
	for _, past := range pasts[:round] {
		for _, network := range past.Networks {
			all = append(all, m.AsOpponent(network))
		}
	}
	if m.spc != nil {
		all = append(all, m.generator())
	}
	return all
}

// frozenSeats has the critic of the round before meet the opponents that the recipe
// names, and the sneaky player too, group by group.
func (m *rounds) frozenSeats(round, group int) []int {
	seats := []int{m.PlayerOf(sneakycritic.Sneaky), m.PlayerOf(sneakycritic.Critic)}
	if m.settings.Sneaky != "learn" {
		seats[sneakycritic.Sneaky] = len(m.Players) * (1 + round)
		return seats
	}
	other := games.Seat(group % 2)
	r := play.Generator(m.Recipe.Seed, "frozen", uint64(round), uint64(group))
	if met := m.MeetEarlier(round, r); met >= 0 {
		seats[other] = len(m.Players)*(1+met) + m.PlayerOf(other)
	}
	return seats
}

// keep takes an episode's rewarded answers.
func (m *rounds) keep(e *play.Episode) {
	var steps [2][]*policy.Step
	for _, turn := range e.Turns {
		if step, ok := turn.Record.(*policy.Step); ok {
			steps[turn.Seat] = append(steps[turn.Seat], step)
		}
	}
	for seat, some := range steps {
		if len(some) > 0 {
			m.data[seat] = append(m.data[seat], rewarded{steps: some, reward: e.Returns[seat]})
		}
	}
}

// refer finds the answers' mean log-probabilities by the reference, the players of
// round 0: SPC's ratio is to them, not to those that played.
func (m *rounds) refer() error {
	for seat, answers := range m.data {
		var steps []*policy.Step
		for _, a := range answers {
			steps = append(steps, a.steps...)
		}
		values, err := m.Pasts[0].Networks[m.PlayerOf(games.Seat(seat))].LogProbs(steps)
		if err != nil {
			return fmt.Errorf("the reference: %w", err)
		}
		for i, a := range answers {
			m.data[seat][i].reference = mean(values[:len(a.steps)])
			values = values[len(a.steps):]
		}
	}
	return nil
}
