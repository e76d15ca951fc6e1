package solve

import (
	"context"
	"fmt"
	"slices"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/policy"
)

// MeasureContest measures a policy that sits in both seats of a contest, by
// enumeration of its answers: exactly, and without a tree.
func MeasureContest(ctx context.Context, g games.Contest, p policy.Policy) (Report, error) {
	first, err := AnswerProbs(ctx, g, p, 0)
	if err != nil {
		return Report{}, err
	}
	second, err := AnswerProbs(ctx, g, p, 1)
	if err != nil {
		return Report{}, err
	}
	return ContestReport(g, first, second), nil
}

// ContestReport measures two seats' distributions over a contest's answers.
func ContestReport(g games.Contest, first, second []float64) Report {
	against := [2][]float64{make([]float64, g.Answers()), make([]float64, g.Answers())} // what answers earn against each seat
	g.Earnings(against[0], first)
	g.Earnings(against[1], second)
	value := 0.0
	for i, p := range first {
		value += p * against[1][i]
	}
	r := Report{Value: []float64{value, 0 - value}, BestResponse: []float64{slices.Max(against[1]), slices.Max(against[0])}}
	r.NashConv = r.BestResponse[0] + r.BestResponse[1]
	r.Exploitability = r.NashConv / 2
	return r
}

// unfinished is an answer of which the first actions are given.
type unfinished struct {
	state   games.State
	prob    float64
	answers []int // that begin so
}

// AnswerProbs returns the probability with which a seat gives each answer.
func AnswerProbs(ctx context.Context, g games.Contest, p policy.Policy, seat games.Seat) ([]float64, error) {
	start := g.Start()
	for s := range seat { // what the seats before it answer does not matter
		for _, a := range g.Answer(0) {
			if err := start.Apply(a); err != nil {
				return nil, fmt.Errorf("%s: an answer of seat %d: %w", g.Info().Name, s, err)
			}
		}
	}
	answers := make([][]games.Action, g.Answers())
	all := make([]int, g.Answers())
	for i := range all {
		all[i], answers[i] = i, g.Answer(i)
	}
	out := make([]float64, g.Answers())
	level := []unfinished{{start, 1, all}}
	for depth := 0; len(level) > 0; depth++ {
		states, probs := make([]games.State, len(level)), make([][]float64, len(level))
		actions := make([][]games.Action, len(level))
		for i, u := range level {
			states[i], actions[i] = u.state, u.state.Actions(nil)
			probs[i] = make([]float64, len(actions[i]))
		}
		if err := p.Probabilities(ctx, states, probs); err != nil {
			return nil, err
		}
		var next []unfinished
		for i, u := range level {
			if err := distribution(probs[i]); err != nil {
				return nil, fmt.Errorf("%s: at %q: %w", g.Info().Name, games.Key(u.state, seat), err)
			}
			by := map[games.Action][]int{}
			for _, answer := range u.answers {
				a := answers[answer][depth]
				by[a] = append(by[a], answer)
			}
			for j, a := range actions[i] {
				with, prob := by[a], u.prob*probs[i][j]
				if len(with) == 1 && len(answers[with[0]]) == depth+1 {
					out[with[0]] = prob
					continue
				}
				s := u.state.Clone()
				if err := s.Apply(a); err != nil {
					return nil, fmt.Errorf("%s: %w", g.Info().Name, err)
				}
				next = append(next, unfinished{s, prob, with})
			}
		}
		level = next
	}
	return out, nil
}
