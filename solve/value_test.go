package solve

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/agon-rl/agon/games"
	_ "github.com/agon-rl/agon/games/standard"
)

func compiled(t testing.TB, name string) *Tree {
	t.Helper()
	game, err := games.New(name)
	if err != nil {
		t.Fatal(err)
	}
	tree, err := Compile(t.Context(), game, DefaultNodes)
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

func within(t testing.TB, what string, got, want, bound float64) {
	t.Helper()
	if math.Abs(got-want) > bound {
		t.Errorf("%s: got %g, want %g", what, got, want)
	}
}

// A soft response to uniform play is the softmax of what the actions are worth; a cold
// one is the best response, a hot one uniform play. What it maximises is less the
// divergence from uniform play: no other strategy does better.
func TestSoftResponse(t *testing.T) {
	tree := compiled(t, "matrix(biased_rps)")
	uniform := tree.Uniform()
	const temperature = 0.7
	soft, worth := tree.SoftResponse(uniform, 0, temperature), make([]float64, 3)
	sum := 0.0
	for a := range worth {
		pure := slices.Clone(uniform)
		for b := range worth {
			pure[b] = 0
		}
		pure[a] = 1
		worth[a] = math.Exp(tree.Value(pure)[0] / temperature)
		sum += worth[a]
	}
	for a, w := range worth {
		within(t, fmt.Sprint("action ", a), soft[a], w/sum, 1e-12)
	}
	for _, game := range []string{"kuhn_poker", "leduc_poker", "inspection"} {
		tree := compiled(t, game)
		for seat := range games.Seat(2) {
			best, _ := tree.BestResponse(tree.Uniform(), seat)
			within(t, game+", cold", tree.Value(tree.SoftResponse(tree.Uniform(), seat, 1e-6))[seat], best, 1e-3)
			within(t, game+", hot", tree.Value(tree.SoftResponse(tree.Uniform(), seat, 1e6))[seat], tree.Value(tree.Uniform())[seat], 1e-3)
			softened := tree.SoftResponse(tree.Uniform(), seat, 0.3)
			most := softValue(tree, softened, seat, 0.3)
			r := rand.New(rand.NewPCG(1, 2))
			for range 50 {
				other := slices.Clone(softened)
				for _, set := range tree.Sets {
					sum := 0.0
					for a := range set.Actions {
						other[set.First+a] *= math.Exp(0.3 * r.NormFloat64())
						sum += other[set.First+a]
					}
					for a := range set.Actions {
						other[set.First+a] /= sum
					}
				}
				for _, set := range tree.Sets { // the other seat stays
					if set.Seat != seat {
						copy(other[set.First:set.First+len(set.Actions)], tree.Uniform()[set.First:])
					}
				}
				if value := softValue(tree, other, seat, 0.3); value > most+1e-9 {
					t.Fatalf("%s, seat %d: another strategy is worth %g, the soft response %g", game, seat, value, most)
				}
			}
		}
	}
}

// softValue is a seat's expected return less temperature times the divergence from
// uniform play at each of its sets, weighted by how far it plays to it.
func softValue(tree *Tree, s Strategy, seat games.Seat, temperature float64) float64 {
	value := tree.Value(s)[seat]
	reach := tree.reach(s)
	for _, set := range tree.own[seat] {
		for _, p := range s[set.first:set.last] {
			value -= temperature * reach[set.after] * p * math.Log(p*float64(set.last-set.first))
		}
	}
	return value
}
