package agents

import (
	"context"
	"fmt"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/internal/spec"
	"github.com/agon-rl/agon/mcts"
)

func init() {
	Evaluators.Add(spec.Entry[EvaluatorKind]{
		Name: "verifier", Help: "the truth of a chain of reasoning, by the game's own verifier",
		Value: func(context.Context, *spec.Reader, Environment) (Evaluating, error) {
			return Evaluating{New: func() mcts.Evaluator { return mcts.Exact{Value: verified} }}, nil
		},
	})
}

// verified is +1 for a chain of reasoning that can still end well, else -1.
func verified(_ context.Context, s games.State) (float64, error) {
	v, ok := s.(interface{ Solvable() bool })
	switch {
	case !ok:
		return 0, fmt.Errorf("mcts: eval=verifier: the game has no verifier; use eval=exact or eval=rollout")
	case v.Solvable():
		return 1, nil
	}
	return -1, nil
}
