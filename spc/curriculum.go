package spc

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/games/sneakycritic"
	"github.com/agon-rl/agon/internal/spec"
	"github.com/agon-rl/agon/play"
	"github.com/agon-rl/agon/policy"
)

// curriculum decides which problems are played.
type curriculum struct {
	spread bool
	pool   int     // candidates for each game
	power  float64 // how much the spread counts; 0 for uniform draws
}

func parseCurriculum(text string) (curriculum, error) {
	s, err := spec.Parse(text)
	if err != nil {
		return curriculum{}, fmt.Errorf("critic.curriculum: %w", err)
	}
	r := spec.Read(s)
	c := curriculum{spread: s.Name == "spread"}
	switch s.Name {
	case "uniform":
	case "spread":
		c.pool, c.power = r.Int("pool", 4, 1, 64), r.Float("power", 1, 0, 100)
	default:
		return c, fmt.Errorf("critic.curriculum: unknown form %q%s; there are uniform, spread", s.Name, spec.Suggest(s.Name, []string{"uniform", "spread"}))
	}
	if err := r.Err(); err != nil {
		return c, fmt.Errorf("critic.curriculum: %w", err)
	}
	return c, nil
}

// problems is the game with problems for so many games. Those of a spread curriculum
// are drawn from candidates, other ones for each number, by how much a critic's chance
// of being right differs between the lines that may stand there, the best less the
// worst: eva's informativeness (arXiv 2411.00062), a proxy of regret.
func (c curriculum) problems(ctx context.Context, m *rounds, critic policy.Policy, count int, number uint64) (games.Game, error) {
	if !c.spread {
		return m.cases, nil
	}
	r := play.Generator(m.Recipe.Seed, "curriculum", number)
	seeds := make([]games.Action, c.pool*count)
	weights := make([]float64, len(seeds))
	total := 0.0
	var states []games.State
	var truths []games.Action
	first := make([]int, len(seeds)+1)
	for i := range seeds {
		s := m.cases.Start().(*sneakycritic.State)
		seeds[i] = s.Sample(r)
		if err := s.Apply(seeds[i]); err != nil {
			return nil, err
		}
		for _, line := range s.Candidates() {
			shown := s.Show(line)
			states, truths = append(states, shown), append(truths, shown.Truth())
		}
		first[i+1] = len(states)
	}
	right, err := chances(ctx, critic, states, truths)
	if err != nil {
		return nil, err
	}
	for i := range seeds {
		low, high := 1.0, 0.0
		for _, p := range right[first[i]:first[i+1]] {
			low, high = min(low, p), max(high, p)
		}
		weights[i] = math.Pow(max(high-low, 1e-3), c.power)
		total += weights[i]
	}
	for i := range weights {
		weights[i] /= total
	}
	return m.spc.From(func(r *rand.Rand) games.Action { return seeds[policy.Sample(weights, r)] }), nil
}

// chances are a critic's probabilities of the verdicts given.
func chances(ctx context.Context, critic policy.Policy, states []games.State, verdicts []games.Action) ([]float64, error) {
	probs, err := judge(ctx, critic, states)
	if err != nil {
		return nil, err
	}
	out := make([]float64, len(states))
	for i, p := range probs {
		out[i] = p[verdicts[i]]
	}
	return out, nil
}

// judge asks a critic for its probabilities of all verdicts.
func judge(ctx context.Context, critic policy.Policy, states []games.State) ([][]float64, error) {
	probs := make([][]float64, len(states))
	var open []games.Action
	for i := range probs {
		open = states[i].Actions(open[:0])
		probs[i] = make([]float64, len(open))
	}
	const most = 4096 // in one call
	for lo := 0; lo < len(states); lo += most {
		hi := min(lo+most, len(states))
		if err := critic.Probabilities(ctx, states[lo:hi], probs[lo:hi]); err != nil {
			return nil, err
		}
	}
	return probs, nil
}
