package judge

import (
	"context"
	"errors"

	"github.com/agon-rl/agon/games"
)

// Relabelled is what became of pairs whose labels were given anew.
type Relabelled struct {
	Pairs   int `json:"pairs"`
	Agreed  int `json:"agreed"`  // the chosen one is preferred
	Swapped int `json:"swapped"` // the rejected one is
	Tied    int `json:"tied"`    // neither is
	Lost    int `json:"lost"`    // no judgement could be had; they count for nothing
	// Kappa is Cohen's κ of the two labels, of pairs that were judged and not tied: the
	// agreement beyond that of coins, 2·agreed/(agreed + swapped) − 1. NaN has no place in
	// JSON: it is 0 where there are none.
	Kappa float64 `json:"kappa"`
}

// Relabel asks a feedback for all pairs, of which the first was chosen, and returns what it
// says: P(first ≻ second), or -1 where no judgement could be had.
func Relabel(ctx context.Context, f Judge, pairs [][2]*Answer) (p []float64, r Relabelled, err error) {
	r.Pairs = len(pairs)
	for _, pair := range pairs {
		x, err := f.Prefer(ctx, pair[0], pair[1])
		switch {
		case errors.Is(err, games.ErrLost):
			x = -1
			r.Lost++
		case err != nil:
			return nil, r, err
		case x > 0.5:
			r.Agreed++
		case x < 0.5:
			r.Swapped++
		default:
			r.Tied++
		}
		p = append(p, x)
	}
	if n := r.Agreed + r.Swapped; n > 0 {
		r.Kappa = 2*float64(r.Agreed)/float64(n) - 1
	}
	return p, r, nil
}
