package judge

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/agon-rl/agon/internal/spec"
)

func init() {
	Kinds.Add(spec.Entry[Kind]{
		Name: "mix", Usage: "mix(outcome,0.7,cycle,0.3)", Help: "one of several judges, by weight",
		Value: openMix,
	})
}

// openMix reads judges and weights in turn.
func openMix(r *spec.Reader, env Environment) (_ Judge, err error) {
	args := r.Rest()
	if len(args) == 0 || len(args)%2 != 0 {
		return nil, errors.New("mix: expected judges and weights in turn, such as mix(outcome,0.7,cycle,0.3)")
	}
	var out Mix
	defer func() {
		if err != nil {
			err = errors.Join(err, out.Close())
		}
	}()
	for pair := range slices.Chunk(args, 2) {
		if key := pair[0].Key + pair[1].Key; key != "" {
			return nil, fmt.Errorf("mix: unexpected %q: expected judges and weights in turn, such as mix(outcome,0.7,cycle,0.3)", key)
		}
		weight, wrong := strconv.ParseFloat(pair[1].Value, 64)
		if wrong != nil || !(weight > 0 && weight <= math.MaxFloat64) {
			return nil, fmt.Errorf("mix: %q: expected a weight of more than 0 after each judge", pair[1].Value)
		}
		f, err := env.inner(pair[0].Value)
		if err != nil {
			return nil, fmt.Errorf("mix: judge: %w", err)
		}
		out = append(out, Weighted{f, weight})
	}
	return out, nil
}

// Mix is a population of judges of which one, drawn by weight, is asked. Even where
// each has a reward of its own, what the population prefers may go in circles.
type Mix []Weighted

// Weighted is a judge with its weight.
type Weighted struct {
	Judge  Judge
	Weight float64
}

// Prefer implements Judge.
func (m Mix) Prefer(ctx context.Context, a, b *Answer) (float64, error) {
	p, total := 0.0, 0.0
	for _, w := range m {
		x, err := w.Judge.Prefer(ctx, a, b)
		if err != nil {
			return 0, err
		}
		p += w.Weight * x
		total += w.Weight
	}
	if !(total > 0) {
		return 0, fmt.Errorf("feedback mix: the weights sum to %g: expected more than 0", total)
	}
	return p / total, nil
}

// Close closes all judges.
func (m Mix) Close() error {
	errs := make([]error, len(m))
	for i, w := range m {
		errs[i] = Close(w.Judge)
	}
	return errors.Join(errs...)
}
