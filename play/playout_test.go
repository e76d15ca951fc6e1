package play_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/agon-rl/agon/games"
	_ "github.com/agon-rl/agon/games/standard"
	"github.com/agon-rl/agon/play"
)

// startOf returns the state of a game after some actions.
func startOf(t testing.TB, name string, actions ...games.Action) games.State {
	t.Helper()
	game, err := games.New(name)
	if err != nil {
		t.Fatal(err)
	}
	s := game.Start()
	for _, a := range actions {
		if err := s.Apply(a); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// The mean return of random play is the exact value of the uniform policy,
// known by enumeration: 1/8 in Kuhn, -5/64 in Leduc. In tic-tac-toe it is the
// share of games that x wins less that of o (212256/362880 - 104544/362880).
func TestPlayoutMeans(t *testing.T) {
	const count = 200_000
	for _, test := range []struct {
		game string
		want float64
	}{
		{"kuhn_poker", 1.0 / 8},
		{"leduc_poker", -5.0 / 64},
		{"tic_tac_toe", float64(212256-104544) / 362880},
		{"matrix(biased_rps)", 0},
	} {
		t.Run(test.game, func(t *testing.T) {
			start, r := startOf(t, test.game), rand.New(rand.NewPCG(1, 2))
			var p play.Playout
			sum, squares := 0.0, 0.0
			for range count {
				returns, err := p.From(start, r)
				if err != nil {
					t.Fatal(err)
				}
				sum += returns[0]
				squares += returns[0] * returns[0]
			}
			mean := sum / count
			deviation := math.Sqrt((squares/count - mean*mean) / count)
			if math.Abs(mean-test.want) > 4*deviation {
				t.Errorf("the mean return is %g ± %g, expected %g", mean, deviation, test.want)
			}
		})
	}
}

func TestPlayoutLeavesItsStartAlone(t *testing.T) {
	start := startOf(t, "tic_tac_toe", 4)
	var p play.Playout
	for range 10 {
		if _, err := p.From(start, rand.New(rand.NewPCG(1, 2))); err != nil {
			t.Fatal(err)
		}
	}
	if key := games.Key(start, 0); key != "4" {
		t.Errorf("the key of the start became %q", key)
	}
}

// plain hides what a state can do beyond games.State.
type plain struct{ games.State }

func (p plain) Clone() games.State { return plain{p.State.Clone()} }

// Dice that are known to be fair fall as those whose outcomes are listed.
func TestPlayoutOfDice(t *testing.T) {
	for _, name := range []string{"pig", "pig(piglet=true)", "pig(diceoutcomes=20,players=3)"} {
		start := startOf(t, name)
		if _, ok := start.(games.Dice); !ok {
			t.Fatalf("%s has no dice", name)
		}
		var quick, listed play.Playout
		r, again := rand.New(rand.NewPCG(1, 2)), rand.New(rand.NewPCG(1, 2))
		for range 200 {
			got, err := quick.From(start, r)
			if err != nil {
				t.Fatal(err)
			}
			want, err := listed.From(plain{start}, again)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(got, want) {
				t.Fatalf("%s: %v, expected %v as from listed outcomes", name, got, want)
			}
		}
	}
}

func TestPlayoutDoesNotAllocate(t *testing.T) {
	for _, name := range []string{"kuhn_poker", "leduc_poker", "tic_tac_toe", "connect_four", "matrix(rps)", "pig"} {
		start, r := startOf(t, name), rand.New(rand.NewPCG(1, 2))
		var p play.Playout
		for range 100 { // until the buffers have their size
			if _, err := p.From(start, r); err != nil {
				t.Fatal(err)
			}
		}
		if n := testing.AllocsPerRun(100, func() { _, _ = p.From(start, r) }); n != 0 {
			t.Errorf("%s: %g allocations a game, expected none", name, n)
		}
	}
}

func TestPlayouts(t *testing.T) {
	count, took, err := play.Playouts(startOf(t, "kuhn_poker"), time.Millisecond, rand.New(rand.NewPCG(1, 2)))
	if err != nil || count < 256 || took < time.Millisecond {
		t.Errorf("%d games in %v, error %v; expected a batch or more in a millisecond or more", count, took, err)
	}
}

// BenchmarkPlayout plays one random game an operation. Kuhn is also played
// from after the deal.
func BenchmarkPlayout(b *testing.B) {
	for _, bench := range []struct {
		name, game string
		actions    []games.Action
	}{
		{"tic_tac_toe", "tic_tac_toe", nil},
		{"kuhn_poker", "kuhn_poker", nil},
		{"kuhn_poker_dealt", "kuhn_poker", []games.Action{0, 1}},
		{"leduc_poker", "leduc_poker", nil},
		{"leduc_poker_dealt", "leduc_poker", []games.Action{0, 2}},
		{"connect_four", "connect_four", nil},
		{"matrix", "matrix(rps)", nil},
		{"liars_dice_dealt", "liars_dice", []games.Action{2, 4}},
		{"dark_hex", "dark_hex", nil},
		{"phantom_ttt", "phantom_ttt", nil},
		{"hex", "hex", nil},
		{"nim", "nim", nil},
		{"pig", "pig", nil},
		{"goofspiel", "goofspiel(num_cards=6,points_order=descending)", nil},
		{"othello", "othello", nil},
		{"breakthrough", "breakthrough", nil},
		{"chess", "chess", nil},
		{"blotto", "blotto", nil},
	} {
		b.Run(bench.name, func(b *testing.B) {
			start, r := startOf(b, bench.game, bench.actions...), rand.New(rand.NewPCG(1, 2))
			var p play.Playout
			b.ReportAllocs()
			for b.Loop() {
				if _, err := p.From(start, r); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "games/s")
		})
	}
}
