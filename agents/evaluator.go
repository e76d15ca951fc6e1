package agents

import (
	"context"
	"errors"
	"fmt"

	"github.com/agon-rl/agon/internal/spec"
	"github.com/agon-rl/agon/mcts"
)

// Evaluators are what can be named to judge the leaves of a search, as in
// mcts:eval=rollout(8). Each is added by the file that defines it.
var Evaluators spec.Registry[EvaluatorKind]

// EvaluatorKind opens an evaluator with the settings in r. Its errors begin with the
// evaluator's name, as those of Kind.Open do.
type EvaluatorKind func(ctx context.Context, r *spec.Reader, env Environment) (Evaluating, error)

// Evaluating is an evaluator that was opened.
type Evaluating struct {
	New   func() mcts.Evaluator // for one search
	Close func() error          // nil where nothing is to be freed
}

// close frees what an evaluator holds.
func (e Evaluating) close() error {
	if e.Close == nil {
		return nil
	}
	return e.Close()
}

// OpenEvaluator opens the evaluator that text names.
func OpenEvaluator(ctx context.Context, text string, env Environment) (Evaluating, error) {
	kind, r, err := Evaluators.Read(text)
	if err != nil {
		return Evaluating{}, Misnamed("eval=%s: %w", text, err)
	}
	e, err := kind.Value(ctx, r, env)
	var name *NameError
	if wrong := r.Err(); wrong != nil && !errors.As(err, &name) {
		if err == nil {
			wrong = errors.Join(wrong, e.close())
		}
		return Evaluating{}, Misnamed("eval=%w", wrong)
	}
	if err != nil {
		return Evaluating{}, fmt.Errorf("eval=%w", err)
	}
	return e, nil
}
