package solve

import (
	"context"
	"fmt"
	"math"
	"sync"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/policy"
)

// DefaultPositions bounds the positions that Minimax remembers: about half a
// gigabyte.
const DefaultPositions = 5_000_000

// deepest bounds the recursion, whatever length a game claims.
const deepest = 100_000

// Perfect plays perfectly where nothing is hidden: any action that keeps the
// value of its position, with equal probability. It remembers the positions
// that it has searched.
type Perfect struct {
	info  games.Info
	limit int

	mu     sync.Mutex
	values map[string]float64
}

var _ policy.Policy = (*Perfect)(nil)

// Minimax solves a two-seat zero-sum game without chance or hidden information
// by exhaustive search with memory of at most DefaultPositions positions.
func Minimax(ctx context.Context, game games.Game) (*Perfect, error) {
	return MinimaxWithin(ctx, game, DefaultPositions)
}

// MinimaxWithin is Minimax with another bound on the positions. A game with
// more is an error that wraps ErrTooLarge.
func MinimaxWithin(ctx context.Context, game games.Game, limit int) (*Perfect, error) {
	info := game.Info()
	if err := perfectInformation("minimax", info); err != nil {
		return nil, err
	}
	p := &Perfect{info: info, limit: limit, values: map[string]float64{}}
	if _, err := p.Value(ctx, game.Start()); err != nil {
		return nil, err
	}
	return p, nil
}

// perfectInformation refuses games that a method cannot search.
func perfectInformation(method string, info games.Info) error {
	switch {
	case info.Seats != 2:
		return fmt.Errorf("%s: %s has %d seats, and it needs two", method, info.Name, info.Seats)
	case info.Hidden:
		return fmt.Errorf("%s: %s hides information: use cfr", method, info.Name)
	case info.Chance != games.NoChance:
		return fmt.Errorf("%s: %s has chance, and it needs a game without", method, info.Name)
	}
	return nil
}

// Positions is how many positions are known, final ones included.
func (p *Perfect) Positions() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.values)
}

// Value returns the return of seat 0 from a state under perfect play.
func (p *Perfect) Value(ctx context.Context, s games.State) (float64, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.value(ctx, s, 0)
}

func (p *Perfect) value(ctx context.Context, s games.State, depth int) (float64, error) {
	key := position(s)
	if v, known := p.values[key]; known {
		return v, nil
	}
	if len(p.values)%4096 == 0 && ctx.Err() != nil {
		return 0, ctx.Err()
	}
	if most := min(p.info.MaxLength, deepest); depth > most {
		return 0, fmt.Errorf("minimax: %s goes on after %d moves, which is more than its length allows or than minimax searches", p.info.Name, most)
	}
	if s.Turn() == games.Over {
		return p.remember(key, s.Returns(nil)[0])
	}
	_, best, err := p.children(ctx, s, depth)
	if err != nil {
		return 0, err
	}
	return p.remember(key, best)
}

func (p *Perfect) remember(key string, v float64) (float64, error) {
	if len(p.values) >= p.limit {
		return 0, fmt.Errorf("%w: %s has more than %d positions", ErrTooLarge, p.info.Name, p.limit)
	}
	p.values[key] = v
	return v, nil
}

// children returns the value, for seat 0, of every action, and of the best for
// the seat to move.
func (p *Perfect) children(ctx context.Context, s games.State, depth int) ([]float64, float64, error) {
	sign := 1.0
	if s.Turn() == 1 {
		sign = -1
	}
	best := math.Inf(-1)
	var values []float64
	for _, a := range s.Actions(nil) {
		next := s.Clone()
		if err := next.Apply(a); err != nil {
			return nil, 0, err
		}
		v, err := p.value(ctx, next, depth+1)
		if err != nil {
			return nil, 0, err
		}
		values = append(values, v)
		best = math.Max(best, sign*v)
	}
	return values, sign * best, nil
}

func position(s games.State) string {
	if positioned, ok := s.(games.Positioned); ok {
		return string(positioned.AppendPosition(nil))
	}
	return games.Key(s, 0)
}

// Probabilities implements policy.Policy.
func (p *Perfect) Probabilities(ctx context.Context, states []games.State, out [][]float64) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, s := range states {
		values, best, err := p.children(ctx, s, 0)
		if err != nil {
			return err
		}
		count := 0.0
		for _, v := range values {
			if v == best {
				count++
			}
		}
		for j, v := range values {
			out[i][j] = 0
			if v == best {
				out[i][j] = 1 / count
			}
		}
	}
	return nil
}
