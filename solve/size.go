package solve

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/agon-rl/agon/games"
)

// An estimate of a game's size plays manyProbes random games, or fewer where
// they take more than probeSteps moves together; a glance at it fewProbes.
const (
	manyProbes = 2000
	fewProbes  = 50
	probeSteps = 100_000
)

// Histories estimates how many histories a game has, as the logarithm to the
// base 10, by Knuth's random probes (1975, "Estimating the Efficiency of
// Backtrack Programs"): a random game that passes nodes of b₁, b₂, … actions
// stands for 1 + b₁ + b₁b₂ + … histories. The estimate is unbiased, but where
// few long games make up most of the tree it is mostly too small. Games whose
// chance can only be sampled have no number: the result is +Inf.
func Histories(game games.Game) (float64, error) { return histories(game, manyProbes) }

func histories(game games.Game, probes int) (float64, error) {
	if game.Info().Chance == games.Sampled {
		return math.Inf(1), nil
	}
	r := rand.New(rand.NewPCG(1, 0))
	sum := math.Inf(-1) // logarithms throughout: chess has more than a float64 holds
	var actions []games.Action
	played, steps := 0, 0
	for ; played < probes && steps < probeSteps; played++ {
		s, product := game.Start(), 0.0
		sum = logAdd(sum, 0)
		for ; s.Turn() != games.Over; steps++ {
			if steps > probeSteps+deepest {
				return math.Inf(1), nil
			}
			actions = s.Actions(actions[:0])
			if len(actions) == 0 {
				return 0, fmt.Errorf("%s: no action is open at turn %d, and the game is not over", game.Info().Name, s.Turn())
			}
			product += math.Log(float64(len(actions)))
			sum = logAdd(sum, product)
			if err := s.Apply(actions[r.IntN(len(actions))]); err != nil {
				return 0, fmt.Errorf("%s: %w", game.Info().Name, err)
			}
		}
	}
	return (sum - math.Log(float64(played))) / math.Ln10, nil
}

// logAdd returns log(eᵃ + eᵇ).
func logAdd(a, b float64) float64 {
	if a < b {
		a, b = b, a
	}
	return a + math.Log1p(math.Exp(b-a))
}

// hopeless tells of a game that is so much larger than the limit that there is
// no need to try: by Markov's inequality a game within the limit is taken for
// one of a thousand times its size in one of a thousand cases at most.
func hopeless(game games.Game, limit int) (bool, error) {
	size, err := histories(game, fewProbes)
	return size > math.Log10(float64(limit))+3, err
}

// tooLarge is the error for a game with more nodes than the limit, with the
// size that it would take.
func tooLarge(game games.Game, limit int) error {
	size, err := Histories(game)
	if err != nil {
		return err
	}
	about := fmt.Sprintf("about 10^%.0f", math.Ceil(size))
	switch {
	case math.IsInf(size, 1):
		about = "no end of"
	case size < 7:
		about = fmt.Sprintf("about %.0f", math.Pow(10, size))
	}
	return fmt.Errorf("%w: %s has %s histories, and %d is the limit", ErrTooLarge, game.Info().Name, about, limit)
}
