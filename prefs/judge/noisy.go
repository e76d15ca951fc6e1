package judge

import (
	"context"

	"github.com/agon-rl/agon/internal/spec"
)

func init() {
	Kinds.Add(spec.Entry[Kind]{
		Name: "noisy", Usage: "noisy(flip=0.2,judge=outcome)", Help: "the other way round in a fifth of the cases",
		Value: func(r *spec.Reader, env Environment) (Judge, error) {
			flip := r.Float("flip", 0.1, 0, 1)
			return env.around("noisy", r, func(f Judge) Judge { return Noisy{f, flip} })
		},
	})
}

// Noisy answers the other way round with probability Flip:
// P'(a ≻ b) = (1−ε)·P(a ≻ b) + ε·(1 − P(a ≻ b)).
type Noisy struct {
	Judge Judge
	Flip  float64 // ε
}

// Prefer implements Judge.
func (n Noisy) Prefer(ctx context.Context, a, b *Answer) (float64, error) {
	p, err := n.Judge.Prefer(ctx, a, b)
	return p + n.Flip*(1-2*p), err
}

// Close closes the judge.
func (n Noisy) Close() error { return Close(n.Judge) }
