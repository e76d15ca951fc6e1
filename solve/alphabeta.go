package solve

import (
	"context"
	"fmt"
	"math"

	"github.com/agon-rl/agon/games"
)

// AlphaBeta returns the first seat's return under perfect play of a two-seat
// zero-sum game without chance or hidden information, and how many positions it
// remembered. Unlike Minimax it leaves out what cannot change the value (Knuth
// & Moore 1975, "An Analysis of Alpha-Beta Pruning"), and so it knows no more
// than bounds on most positions. More than limit positions is an error that
// wraps ErrTooLarge.
func AlphaBeta(ctx context.Context, game games.Game, limit int) (value float64, positions int, err error) {
	if err := perfectInformation("alphabeta", game.Info()); err != nil {
		return 0, 0, err
	}
	a := &alphaBeta{ctx: ctx, info: game.Info(), limit: limit, known: map[string]bounds{}}
	value, err = a.search(game.Start(), math.Inf(-1), math.Inf(1), 0)
	return value, len(a.known), err
}

// bounds are what is known of a position's value.
type bounds struct{ low, high float64 }

type alphaBeta struct {
	ctx   context.Context
	info  games.Info
	limit int
	known map[string]bounds
	path  []games.State // for reuse, by depth
}

// search returns the value of a state where it lies between alpha and beta,
// else a bound on it that lies on the same side of both.
func (a *alphaBeta) search(s games.State, alpha, beta float64, depth int) (float64, error) {
	if s.Turn() == games.Over {
		return s.Returns(nil)[0], nil
	}
	if most := min(a.info.MaxLength, deepest); depth >= most {
		return 0, fmt.Errorf("alphabeta: %s goes on after %d moves, which is more than its length allows or than is searched", a.info.Name, most)
	}
	key := position(s)
	b, met := a.known[key]
	if !met {
		b = bounds{math.Inf(-1), math.Inf(1)}
	}
	if b.low >= beta || b.low == b.high {
		return b.low, nil
	}
	if b.high <= alpha {
		return b.high, nil
	}
	alpha, beta = max(alpha, b.low), min(beta, b.high)
	best, err := a.children(s, alpha, beta, depth)
	if err != nil {
		return 0, err
	}
	if best < beta {
		b.high = best
	}
	if best > alpha {
		b.low = best
	}
	if !met && len(a.known) >= a.limit {
		return 0, fmt.Errorf("%w: %s has more than %d positions that matter", ErrTooLarge, a.info.Name, a.limit)
	}
	a.known[key] = b
	if len(a.known)%4096 == 0 && a.ctx.Err() != nil {
		return 0, a.ctx.Err()
	}
	return best, nil
}

// children searches a state's actions until one is so good that the other seat
// does not let it come to this state.
func (a *alphaBeta) children(s games.State, alpha, beta float64, depth int) (float64, error) {
	if depth == len(a.path) {
		a.path = append(a.path, nil)
	}
	sign := 1.0
	if s.Turn() == 1 {
		sign = -1
	}
	best := math.Inf(-1)
	for _, action := range s.Actions(nil) {
		next := games.Copy(a.path[depth], s)
		a.path[depth] = next
		if err := next.Apply(action); err != nil {
			return 0, err
		}
		v, err := a.search(next, alpha, beta, depth+1)
		if err != nil {
			return 0, err
		}
		best = max(best, sign*v)
		if sign > 0 {
			alpha = max(alpha, v)
		} else {
			beta = min(beta, v)
		}
		if alpha >= beta {
			break
		}
	}
	return sign * best, nil
}
