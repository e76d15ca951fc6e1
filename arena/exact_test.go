package arena_test

import (
	"context"
	"math"
	"slices"
	"testing"

	"github.com/agon-rl/agon/agents"
	"github.com/agon-rl/agon/arena"
	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/play"
)

// firstWith plays the first action with a probability and the second otherwise.
type firstWith float64

func (p firstWith) Probabilities(_ context.Context, states []games.State, out [][]float64) error {
	for i := range states {
		out[i][0], out[i][1] = float64(p), 1-float64(p)
	}
	return nil
}

// exactOf is what can be known of a matrix game between entrants, by the probability of
// their first action; a negative one cannot be asked.
func exactOf(t *testing.T, matrix string, first ...float64) (*arena.Exact, arena.Tournament) {
	t.Helper()
	game, err := games.New(matrix)
	if err != nil {
		t.Fatal(err)
	}
	out := arena.Tournament{Game: game, Group: 2, Seed: 1}
	for i, p := range first {
		agent := play.Agent(agents.NewSampler(firstWith(math.Abs(p)), false))
		if p < 0 {
			agent = struct{ play.Agent }{agent}
		}
		out.Entrants = append(out.Entrants, arena.Entrant{Name: string(rune('a' + i)), Agent: agent})
	}
	if out.Schedule, err = arena.ParseSchedule("roundrobin", 10, 1); err != nil {
		t.Fatal(err)
	}
	x, err := arena.NewExact(t.Context(), game, out.Entrants)
	if err != nil {
		t.Fatal(err)
	}
	return x, out
}

// In a game that pays the row 3, −1, 0 and 2, who always takes the first action loses 1 as
// the row to who always takes the second, and gets 0 as the column: −0.5 a game. A best
// response to it gains 3 as the row and 1 as the column, 2 a seat.
func TestExactByHand(t *testing.T) {
	x, _ := exactOf(t, `matrix("[[3, -1], [0, 2]]")`, 1, 0, -0.5)
	for u, want := range map[arena.Unit]float64{{First: 0, Second: 1}: -0.5, {First: 1, Second: 0}: 0.5} {
		if got := x.Margin(u); math.Abs(got-want) > 1e-12 {
			t.Errorf("the margin of %+v is %g, expected %g", u, got, want)
		}
	}
	if e, err := x.Exploitability(0); err != nil || math.Abs(e-2) > 1e-12 {
		t.Errorf("exploitability %g, %v, expected 2", e, err)
	}
	if !x.Known(0) || !x.Known(1) || x.Known(2) {
		t.Error("the first two entrants can be asked, the third cannot")
	}
}

// Where both are even and the game pays 4 if both take the first action, the row expects
// 1: 2 after its first action, 0 after its second. So its first action was luck of 1, and
// the column's after it luck of 2, which is taken off where it is known who drew.
func TestLuckByHand(t *testing.T) {
	x, _ := exactOf(t, `matrix("[[4, 0], [0, 0]]")`, 0.5, 0.5, -0.5)
	for _, test := range []struct {
		name    string
		seats   []int
		actions []games.Action
		returns []float64
		want    float64 // of the row; the column has the opposite
	}{
		{"both known", []int{0, 1}, []games.Action{0, 0}, []float64{4, -4}, 1},
		{"both known, no luck", []int{0, 1}, []games.Action{1, 0}, []float64{0, 0}, 1},
		{"the row known", []int{0, 2}, []games.Action{0, 0}, []float64{4, -4}, 3},
		{"the row known, no luck", []int{0, 2}, []games.Action{1, 0}, []float64{0, 0}, 1},
		{"the column known", []int{2, 0}, []games.Action{0, 0}, []float64{4, -4}, 2},
		{"the column known, no luck", []int{2, 0}, []games.Action{0, 1}, []float64{0, 0}, 2},
	} {
		got, ok, err := x.Corrected(test.seats, test.actions, test.returns)
		if err != nil || !ok || !slices.Equal(got, []float64{test.want, -test.want}) {
			t.Errorf("%s: %v, %t, %v, expected ±%g", test.name, got, ok, err, test.want)
		}
		if test.returns[0] != -test.returns[1] {
			t.Errorf("%s: the game's own returns have become %v", test.name, test.returns)
		}
	}
	if _, ok, err := x.Corrected([]int{2, 2}, []games.Action{0, 0}, []float64{4, -4}); ok || err != nil {
		t.Errorf("nobody is known: %t, %v", ok, err)
	}
}

// In a tournament the margin without luck of two that are known is the exact one, whatever
// they drew; of one that is known it is nearer to it than what was played, and nobody is
// measured who cannot be asked.
func TestMarginsWithoutLuck(t *testing.T) {
	x, tournament := exactOf(t, `matrix("[[3, -1], [0, 2]]")`, 0.75, 0.25, -0.5)
	table, _ := resultsOf(t, tournament)
	s, err := table.Summarize(arena.Rating{})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range s.Pairings {
		known := d.Second == "b"
		if known != (d.Exact != nil) || d.Reduced == nil {
			t.Errorf("%s against %s: exact %v, without luck %v", d.First, d.Second, d.Exact, d.Reduced)
			continue
		}
		if !known {
			continue
		}
		want := x.Margin(arena.Unit{First: 0, Second: 1})
		if math.Abs(*d.Exact-want) > 1e-12 || math.Abs(*d.Reduced-want) > 1e-12 || math.Abs(d.Reduced95[0]-want) > 1e-12 || d.Margin == want {
			t.Errorf("exact %g, without luck %g in %v, played %g, expected %g", *d.Exact, *d.Reduced, *d.Reduced95, d.Margin, want)
		}
	}
	for _, r := range s.Standings {
		if (r.Exploitability == nil) != (r.Name == "c") {
			t.Errorf("%s: exploitability %v", r.Name, r.Exploitability)
		}
	}
}

// Nothing is measured where nobody can be asked, of games of three seats, and of large ones.
func TestWhatIsNotMeasured(t *testing.T) {
	if x, _ := exactOf(t, "matrix(rps)", -0.5, -0.5); x != nil {
		t.Error("nobody can be asked")
	}
	for name, game := range map[string]games.Game{"three seats": three{}, "large": mustGame(t, "connect_four"), "sampled chance": mustGame(t, "sneaky_critic")} {
		if x, err := arena.NewExact(t.Context(), game, []arena.Entrant{{Name: "a", Agent: agents.NewRandom()}}); x != nil || err != nil {
			t.Errorf("%s: %v, %v", name, x, err)
		}
	}
}

func mustGame(t *testing.T, name string) games.Game {
	t.Helper()
	game, err := games.New(name)
	if err != nil {
		t.Fatal(err)
	}
	return game
}
