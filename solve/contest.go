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
	out := make([]float64, g.Answers())
	err := answering(g, seat, func(level []unfinished, _ func(unfinished, games.Action) []int) ([][]float64, error) {
		states, probs := make([]games.State, len(level)), make([][]float64, len(level))
		for i, u := range level {
			states[i], probs[i] = u.state, make([]float64, len(u.state.Actions(nil)))
		}
		if err := p.Probabilities(ctx, states, probs); err != nil {
			return nil, err
		}
		for i, u := range level {
			if err := distribution(probs[i]); err != nil {
				return nil, fmt.Errorf("%s: at %q: %w", g.Info().Name, games.Key(u.state, seat), err)
			}
		}
		return probs, nil
	}, func(answer int, prob float64) { out[answer] = prob })
	return out, err
}

// answering walks through the answers of a seat, all that are equally far at a time.
// ask returns the probabilities of the actions at each node, and may use with, the
// answers that begin with an action there; end hears of every finished answer.
func answering(g games.Contest, seat games.Seat, ask func(level []unfinished, with func(unfinished, games.Action) []int) ([][]float64, error), end func(answer int, prob float64)) error {
	start := g.Start()
	for s := range seat { // what the seats before it answer does not matter
		for _, a := range g.Answer(0) {
			if err := start.Apply(a); err != nil {
				return fmt.Errorf("%s: an answer of seat %d: %w", g.Info().Name, s, err)
			}
		}
	}
	answers := make([][]games.Action, g.Answers())
	all := make([]int, g.Answers())
	for i := range all {
		all[i], answers[i] = i, g.Answer(i)
	}
	level := []unfinished{{start, 1, all}}
	for depth := 0; len(level) > 0; depth++ {
		with := func(u unfinished, a games.Action) (some []int) {
			for _, answer := range u.answers {
				if answers[answer][depth] == a {
					some = append(some, answer)
				}
			}
			return some
		}
		probs, err := ask(level, with)
		if err != nil {
			return err
		}
		var next []unfinished
		for i, u := range level {
			for j, a := range u.state.Actions(nil) {
				some, prob := with(u, a), u.prob*probs[i][j]
				if len(some) == 1 && len(answers[some[0]]) == depth+1 {
					end(some[0], prob)
					continue
				}
				s := u.state.Clone()
				if err := s.Apply(a); err != nil {
					return fmt.Errorf("%s: %w", g.Info().Name, err)
				}
				next = append(next, unfinished{s, prob, some})
			}
		}
		level = next
	}
	return nil
}

// ContestTable is the policy that gives answers with the probabilities given, from
// both seats.
func ContestTable(g games.Contest, probs []float64) (*policy.Table, error) {
	table := policy.NewTable()
	for seat := range games.Seat(2) {
		err := answering(g, seat, func(level []unfinished, with func(unfinished, games.Action) []int) ([][]float64, error) {
			out := make([][]float64, len(level))
			for i, u := range level {
				actions := u.state.Actions(nil)
				out[i] = make([]float64, len(actions))
				sum, entry := 0.0, map[string]float64{}
				for j, a := range actions {
					for _, answer := range with(u, a) {
						out[i][j] += probs[answer]
					}
					sum += out[i][j]
				}
				for j, a := range actions {
					if out[i][j] /= sum; sum == 0 {
						out[i][j] = 1 / float64(len(actions)) // it is never come to
					}
					entry[games.Say(u.state, a)] = out[i][j]
				}
				table.Set(games.Key(u.state, seat), entry)
			}
			return out, nil
		}, func(int, float64) {})
		if err != nil {
			return nil, err
		}
	}
	return table, nil
}

// SolveContest approaches an equilibrium of a contest by predictive CFR+ (Farina et
// al. 2021, arXiv 2007.14358) with an answer for an action: regret matching on
// positive regrets, to which what was earned last is added as what will be earned
// next, averaged with quadratic weights. Both seats share the policy, since a contest
// is the same from both.
func SolveContest(ctx context.Context, g games.Contest, iterations int) ([]float64, error) {
	n := g.Answers()
	regret, now, average, earns := make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n)
	for i := range now {
		now[i], average[i] = 1/float64(n), 1/float64(n)
	}
	for t := 1; t <= iterations; t++ {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		g.Earnings(earns, now)
		sum := 0.0 // against itself a policy earns nothing: what an answer earns is its regret
		for i, x := range earns {
			regret[i] = max(0, regret[i]+x)
			sum += max(0, regret[i]+x)
		}
		if sum > 0 {
			for i, x := range earns {
				now[i] = max(0, regret[i]+x) / sum
			}
		}
		share := 3 / float64(t+2)
		for i, x := range now {
			average[i] += share * (x - average[i])
		}
	}
	return average, nil
}
