package agents

import (
	"context"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/internal/spec"
	"github.com/agon-rl/agon/play"
	"github.com/agon-rl/agon/policy"
	"github.com/agon-rl/agon/solve"
)

func init() {
	Kinds.Add(spec.Entry[Kind]{
		Name: "cfr", Usage: "cfr:iterations=1000", Help: "the average policy of CFR+, for games small enough to solve",
		Value: Kind{Open: openCFR},
	})
}

func openCFR(ctx context.Context, r *spec.Reader, env Environment) (play.Agent, error) {
	iterations := r.Int("iterations", 1000, 1, 1<<30)
	if err := r.Err(); err != nil {
		return nil, err
	}
	table, err := equilibrium(ctx, env.Game, iterations)
	if err != nil {
		return nil, err
	}
	return NewSampler(table, false), nil
}

// equilibrium solves a game by CFR+; a contest over its answers.
func equilibrium(ctx context.Context, game games.Game, iterations int) (*policy.Table, error) {
	if contest, ok := game.(games.Contest); ok {
		probs, err := solve.SolveContest(ctx, contest, iterations)
		if err != nil {
			return nil, err
		}
		return solve.ContestTable(contest, probs)
	}
	tree, err := solve.Compile(ctx, game, solve.DefaultNodes)
	if err != nil {
		return nil, err
	}
	solver := solve.NewCFR(tree, solve.Variant{Plus: true, Average: 1})
	if err := solver.Iterate(ctx, iterations); err != nil {
		return nil, err
	}
	return tree.Table(solver.Strategy()), nil
}
