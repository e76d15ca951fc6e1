package spc

import (
	"context"
	"math/rand/v2"
	"slices"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/games/problem"
	"github.com/agon-rl/agon/games/sneakycritic"
	"github.com/agon-rl/agon/play"
	"github.com/agon-rl/agon/policy"
)

// generator slips steps in by kinds drawn uniformly from those that a case has:
// what a learnt sneaky player starts from and is compared with.
type generator struct {
	kinds   []bool  // by the menu's order: whether it is drawn from
	explore float64 // the share of uniform draws from all that is open
}

// newGenerator draws from the naive kinds, or from the whole menu.
func newGenerator(errors problem.Errors, menu bool, explore float64) generator {
	g := generator{kinds: make([]bool, len(errors.Menu)), explore: explore}
	for i, kind := range errors.Menu {
		g.kinds[i] = menu || slices.Contains(errors.Naive, kind)
	}
	return g
}

// probabilities writes the chance of each open action.
func (g generator) probabilities(open []games.Action, dst []float64) {
	chosen := 0
	for _, a := range open {
		if int(a) < len(g.kinds) && g.kinds[a] {
			chosen++
		}
	}
	for i, a := range open {
		switch {
		case chosen == 0: // a case without them
			dst[i] = 1 / float64(len(open))
		case int(a) < len(g.kinds) && g.kinds[a]:
			dst[i] = g.explore/float64(len(open)) + (1-g.explore)/float64(chosen)
		default:
			dst[i] = g.explore / float64(len(open))
		}
	}
}

// tries is how many cases are drawn for one with a kind that a generator names.
const tries = 1000

// find draws a case in which the generator finds a kind that it names, so that it
// slips in no other, and returns the case's seed too.
func (g generator) find(game *sneakycritic.Game, r *rand.Rand) (s *sneakycritic.State, seed games.Action, err error) {
	menu := game.Critique().Errors.Menu
	for range tries {
		s, seed = game.Start().(*sneakycritic.State), problem.Draw(r)
		if err := s.Apply(seed); err != nil {
			return nil, 0, err
		}
		if slices.ContainsFunc(s.Candidates(), func(l problem.Line) bool {
			i := slices.Index(menu, l.Slip)
			return i >= 0 && g.kinds[i]
		}) {
			break
		}
	}
	return s, seed, nil
}

// cases is the game with those cases alone in which find finds a kind.
func (g generator) cases(game *sneakycritic.Game) *sneakycritic.Game {
	return game.From(func(r *rand.Rand) games.Action {
		_, seed, err := g.find(game, r)
		if err != nil {
			return problem.Draw(r) // the match tells of it
		}
		return seed
	})
}

// draw picks an action of the sneaky player. What is written freely is uniform.
func (g generator) draw(s *sneakycritic.State, r *rand.Rand) games.Action {
	open := s.Actions(nil)
	if s.Writing() {
		return open[r.IntN(len(open))]
	}
	probs := make([]float64, len(open))
	g.probabilities(open, probs)
	return open[policy.Sample(probs, r)]
}

// Act implements play.Agent.
func (g generator) Act(_ context.Context, in []play.Request, out []play.Decision) error {
	for i, request := range in {
		out[i].Action = g.draw(request.State.(*sneakycritic.State), request.Rand)
	}
	return nil
}

// Close implements play.Agent.
func (g generator) Close() error { return nil }
