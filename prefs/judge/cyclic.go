package judge

import (
	"context"
	"fmt"
	"math"

	"github.com/agon-rl/agon/internal/spec"
)

func init() {
	Kinds.Add(spec.Entry[Kind]{
		Name: "cyclic", Usage: "cyclic(scale=1)", Help: "features that beat each other in a circle",
		Value: func(r *spec.Reader, _ Environment) (Judge, error) {
			return Cyclic{r.Float("scale", 1, 0, math.MaxFloat64)}, nil
		},
	})
}

// Cyclic is a judge of features that no reward explains: it prefers a to b by how a's
// features beat the next of b's in a circle,
//
//	P(a ≻ b) = σ(scale·Σ_i (a_i·b_{i+1} − a_{i+1}·b_i)),
//
// so that of three answers with one feature each, each beats another.
type Cyclic struct{ Scale float64 }

// Prefer implements Judge.
func (c Cyclic) Prefer(_ context.Context, a, b *Answer) (float64, error) {
	x, y := a.Features, b.Features
	if len(x) < 3 || len(x) != len(y) {
		return 0, fmt.Errorf("feedback cyclic: the answers have %d and %d features: expected as many, at least 3", len(x), len(y))
	}
	score := 0.0
	for i := range x {
		j := (i + 1) % len(x)
		score += x[i]*y[j] - x[j]*y[i]
	}
	return sigmoid(c.Scale * score), nil
}
