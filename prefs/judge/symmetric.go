package judge

import (
	"context"

	"github.com/agon-rl/agon/internal/spec"
)

func init() {
	Kinds.Add(spec.Entry[Kind]{
		Name: "symmetric", Usage: "symmetric(judge=…)", Help: "the mean over both orders",
		Value: func(r *spec.Reader, env Environment) (Judge, error) {
			return env.around("symmetric", r, func(f Judge) Judge { return Symmetric{f} })
		},
	})
}

// Symmetric asks in both orders and takes the mean, (P(a ≻ b) + 1 − P(b ≻ a))/2, which
// cancels a judge's liking for whoever comes first.
type Symmetric struct{ Judge Judge }

// Prefer implements Judge.
func (s Symmetric) Prefer(ctx context.Context, a, b *Answer) (float64, error) {
	p, err := s.Judge.Prefer(ctx, a, b)
	if err != nil {
		return 0, err
	}
	q, err := s.Judge.Prefer(ctx, b, a)
	return (p + 1 - q) / 2, err
}

// Close closes the judge.
func (s Symmetric) Close() error { return Close(s.Judge) }
