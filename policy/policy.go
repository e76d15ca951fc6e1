// Package policy holds what is trained and what is queried for probabilities:
// tables over information states, and networks over observation tensors with
// batched evaluation.
package policy

import (
	"context"

	"github.com/agon-rl/agon/games"
)

// Policy gives the probabilities with which the seat to move acts. Policies
// are safe for concurrent use.
type Policy interface {
	// Probabilities overwrites out[i] with the action probabilities at
	// states[i], parallel to its Actions: out[i] has that length. Every state
	// has a player to move.
	Probabilities(ctx context.Context, states []games.State, out [][]float64) error
}

// Uniform plays every legal action with equal probability.
type Uniform struct{}

var _ Policy = Uniform{}

// Probabilities implements Policy.
func (Uniform) Probabilities(_ context.Context, states []games.State, out [][]float64) error {
	for i := range states {
		for j := range out[i] {
			out[i][j] = 1 / float64(len(out[i]))
		}
	}
	return nil
}
