package agents

import (
	"context"
	"fmt"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/internal/spec"
	"github.com/agon-rl/agon/mcts"
	"github.com/agon-rl/agon/play"
	"github.com/agon-rl/agon/solve"
)

func init() {
	Kinds.Add(spec.Entry[Kind]{
		Name: "minimax", Help: "perfect play where nothing is hidden, any of the best moves",
		Value: Kind{Open: openMinimax},
	})
	Evaluators.Add(spec.Entry[EvaluatorKind]{Name: "exact", Help: "minimax's value, where nothing is hidden", Value: openExact})
}

func openMinimax(ctx context.Context, _ *spec.Reader, env Environment) (play.Agent, error) {
	p, err := solve.Minimax(ctx, env.Game)
	if err != nil {
		return nil, err
	}
	return NewSampler(p, false), nil
}

// openExact opens an evaluator that knows what every state is worth.
func openExact(ctx context.Context, r *spec.Reader, env Environment) (Evaluating, error) {
	if err := r.Err(); err != nil { // before the game is solved
		return Evaluating{}, err
	}
	perfect, err := solve.Minimax(ctx, env.Game)
	if err != nil {
		return Evaluating{}, fmt.Errorf("exact: %w", err)
	}
	info := env.Game.Info()
	return Evaluating{New: func() mcts.Evaluator {
		return mcts.Exact{Value: func(ctx context.Context, s games.State) (float64, error) {
			v, err := perfect.Value(ctx, s)
			if s.Turn() == 1 {
				v = info.Sum - v
			}
			return v, err
		}}
	}}, nil
}
