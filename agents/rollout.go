package agents

import (
	"context"

	"github.com/agon-rl/agon/internal/spec"
	"github.com/agon-rl/agon/mcts"
)

func init() {
	Evaluators.Add(spec.Entry[EvaluatorKind]{
		Name: "rollout", Usage: "rollout(games=1)", Help: "random games to the end",
		Value: func(_ context.Context, r *spec.Reader, _ Environment) (Evaluating, error) {
			count := r.Int("games", 1, 1, 1<<20)
			return Evaluating{New: func() mcts.Evaluator { return &mcts.Rollout{Count: count} }}, nil
		},
	})
}
