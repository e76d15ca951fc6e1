package solve_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/policy"
	"github.com/agon-rl/agon/solve"
)

// noise is a policy with a random distribution at every information state,
// some actions never played.
type noise uint64

func (n noise) Probabilities(_ context.Context, states []games.State, out [][]float64) error {
	for i, s := range states {
		h := uint64(n)
		for _, c := range games.Key(s, s.Turn()) {
			h = (h ^ uint64(c)) * 1099511628211
		}
		r := rand.New(rand.NewPCG(h, uint64(s.Turn())))
		sum := 0.0
		for a := range out[i] {
			if out[i][a] = max(0, r.Float64()-0.2); a == len(out[i])-1 && sum == 0 {
				out[i][a] = 1
			}
			sum += out[i][a]
		}
		for a := range out[i] {
			out[i][a] /= sum
		}
	}
	return nil
}

// Both ways to measure agree, whatever the number of workers.
func TestStreamEqualsTree(t *testing.T) {
	for _, name := range []string{"kuhn_poker", "kuhn_poker(players=3)", "leduc_poker", "matrix(rps)", "spiral_kuhn(deals=1)", "connect_four(rows=2,columns=3,x_in_row=2)",
		"dark_hex(board_size=2)", "dark_hex(board_size=2,gameversion=adh)", "dark_hex(board_size=2,obstype=reveal-numturns)", "dark_hex(gameversion=adh,num_cols=3,num_rows=2)", "dark_hex(num_cols=3,num_rows=2)",
	} {
		game, err := games.New(name)
		if err != nil {
			t.Fatal(err)
		}
		tree := compile(t, name)
		for i, p := range []policy.Policy{policy.Uniform{}, noise(1), noise(2), fixed(0)} {
			want, err := tree.Evaluate(t.Context(), p)
			if err != nil {
				t.Fatal(err)
			}
			for _, workers := range []int{1, 3} {
				got, err := solve.Stream{Workers: workers}.Measure(t.Context(), game, p)
				if err != nil {
					t.Fatal(err)
				}
				for seat := range want.Value {
					what := fmt.Sprintf("%s, policy %d, seat %d", name, i, seat)
					near(t, what+", value", got.Value[seat], want.Value[seat], 1e-12)
					near(t, what+", best response", got.BestResponse[seat], want.BestResponse[seat], 1e-12)
				}
				near(t, name, got.Exploitability, want.Exploitability, 1e-12)
			}
		}
	}
}

func TestStreamRefuses(t *testing.T) {
	game, err := games.New("leduc_poker")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := (solve.Stream{Limit: 20}).Measure(t.Context(), game, policy.Uniform{}); !errors.Is(err, solve.ErrTooLarge) {
		t.Errorf("a limit of 20 histories: %v", err)
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := (solve.Stream{}).Measure(cancelled, game, policy.Uniform{}); !errors.Is(err, context.Canceled) {
		t.Errorf("a context that is over: %v", err)
	}
	shares := []float64{}
	progress := func(_ int64, share float64) { shares = append(shares, share) }
	if _, err := (solve.Stream{Progress: progress}).Measure(t.Context(), game, policy.Uniform{}); err != nil {
		t.Fatal(err)
	}
	if n := len(shares); n == 0 || shares[n-1] < 0.999 || shares[0] <= 0 {
		t.Errorf("progress: %v", shares)
	}
}
