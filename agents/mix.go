package agents

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/agon-rl/agon/internal/spec"
	"github.com/agon-rl/agon/mcts"
)

func init() {
	Evaluators.Add(spec.Entry[EvaluatorKind]{
		Name: "mix", Usage: "mix(rollout,0.5,run(DIR),0.5)", Help: "the weighted mean of several",
		Value: openMix,
	})
}

// openMix opens mix, which is written with a weight after each part.
func openMix(ctx context.Context, r *spec.Reader, env Environment) (_ Evaluating, err error) {
	args := r.Rest()
	if len(args) < 2 || len(args)%2 != 0 {
		return Evaluating{}, Misnamed("mix: expected parts with their weights, such as mix(rollout,0.5,run(DIR),0.5)")
	}
	var parts []Evaluating
	var weights []float64
	closeAll := func() error {
		errs := make([]error, len(parts))
		for i, p := range parts {
			errs[i] = p.close()
		}
		return errors.Join(errs...)
	}
	for pair := range slices.Chunk(args, 2) {
		weight, err := strconv.ParseFloat(pair[1].Value, 64)
		if err != nil || !(weight > 0 && weight < math.Inf(1)) {
			return Evaluating{}, errors.Join(Misnamed("mix: weight %s of %s: expected a number above 0", pair[1].Value, pair[0].Value), closeAll())
		}
		part, err := OpenEvaluator(ctx, pair[0].Value, env)
		if err != nil {
			return Evaluating{}, errors.Join(fmt.Errorf("mix: %w", err), closeAll())
		}
		parts, weights = append(parts, part), append(weights, weight)
	}
	return Evaluating{Close: closeAll, New: func() mcts.Evaluator {
		var mix mcts.Mix
		for i, p := range parts {
			mix = append(mix, mcts.Part{Evaluator: p.New(), Weight: weights[i]})
		}
		return mix
	}}, nil
}
