package trainer

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/agon-rl/agon/agents"
	"github.com/agon-rl/agon/games"
)

// stagesOf follows who trains while the last player wins the shares given.
func stagesOf(t *testing.T, text string, won ...float64) string {
	t.Helper()
	s, err := parseStages(text)
	if err != nil {
		t.Fatal(err)
	}
	var at stage
	var out strings.Builder
	for _, w := range won {
		first, last := s.trains(at, 0), s.trains(at, 1)
		out.WriteString(map[[2]bool]string{{true, true}: "b", {true, false}: "f", {false, true}: "l", {false, false}: "-"}[[2]bool{first, last}])
		at = s.next(at, w)
	}
	return out.String()
}

func TestStages(t *testing.T) {
	repeat := func(x float64, n int) []float64 { return slices.Repeat([]float64{x}, n) }
	for _, test := range []struct {
		text string
		won  []float64
		want string
	}{
		{"together", repeat(0.5, 4), "bbbb"},
		{"alternate(every=3)", repeat(0.5, 8), "lllfffll"},
		// The last player trains first. It stops at the upper threshold, the first one at
		// the lower one, and in between nobody does.
		{"adaptive(up=0.9,down=0.6,dwell=1,decay=0)", []float64{0.5, 0.89, 0.9, 0.8, 0.61, 0.6, 0.7, 0.95, 0.95}, "lllfffll" + "f"},
		// Not before the dwell is over, whatever happens, and always at its most.
		{"adaptive(up=0.9,down=0.6,dwell=4,decay=0)", repeat(1, 8), "llllffff"},
		{"adaptive(up=0.9,down=0.6,dwell=2,most=5,decay=0)", repeat(0.7, 12), "lllllfffff" + "ll"},
		{"adaptive(up=0.9,down=0.6,dwell=1,most=3,decay=0)", repeat(0, 6), "lllfll"},
		// The running mean is corrected for its start at zero: a last player that always wins
		// is at 1 from the first update.
		{"adaptive(up=0.9,down=0.6,dwell=1,decay=0.95)", []float64{1, 1}, "lf"},
		// And it is a mean: a single lost update does not end the first player's stage.
		{"adaptive(up=0.9,down=0.6,dwell=1,decay=0.9)", []float64{1, 1, 0, 1, 1}, "lffff"},
	} {
		if got := stagesOf(t, test.text, test.won...); got != test.want {
			t.Errorf("%s at %v: %s, want %s", test.text, test.won, got, test.want)
		}
	}
	s, err := parseStages("alternate(every=2)")
	if err != nil {
		t.Fatal(err)
	}
	var at stage
	for range 10 {
		at = s.next(at, 0)
	}
	if at.Switches != 5 {
		t.Errorf("%d switches in 10 updates of 2 each, want 5", at.Switches)
	}
}

// constant gives the first of two actions a probability.
type constant float64

func (p constant) Probabilities(_ context.Context, _ []games.State, out [][]float64) error {
	for i := range out {
		out[i][0], out[i][1] = float64(p), 1-float64(p)
	}
	return nil
}

// A past player of temperature T plays p^(1/T), normalised.
func TestTempered(t *testing.T) {
	game, err := games.New("kuhn_poker")
	if err != nil {
		t.Fatal(err)
	}
	state := game.Start()
	for _, card := range []games.Action{0, 1} {
		if err := state.Apply(card); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct{ temperature, p, want float64 }{{1, 0.8, 0.8}, {2, 0.8, 2. / 3}, {0.5, 0.8, 16. / 17}, {3, 0.5, 0.5}, {2, 1, 1}} {
		opponents, err := parseOpponents(fmt.Sprintf("earlier(temperature=%g)", test.temperature))
		if err != nil {
			t.Fatal(err)
		}
		past := (&Run{opponents: opponents}).AsOpponent(constant(test.p)).(agents.Queryable).Policy()
		probs := [][]float64{make([]float64, 2)}
		if err := past.Probabilities(t.Context(), []games.State{state}, probs); err != nil {
			t.Fatal(err)
		}
		if math.Abs(probs[0][0]-test.want) > 1e-12 || math.Abs(probs[0][0]+probs[0][1]-1) > 1e-12 {
			t.Errorf("%g at temperature %g: %v, want %g", test.p, test.temperature, probs[0], test.want)
		}
	}
}
