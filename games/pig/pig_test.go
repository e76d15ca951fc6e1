package pig_test

import (
	"math"
	"slices"
	"testing"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/games/gamestest"
	"github.com/agon-rl/agon/games/pig"
)

func TestConformance(t *testing.T) {
	for _, name := range []string{"pig(horizon=60,winscore=30)", "pig(horizon=3)", "pig(diceoutcomes=2,horizon=40,piglet=true,players=3,winscore=2)", "pig(players=10,winscore=1)"} {
		t.Run(name, func(t *testing.T) {
			gamestest.Run(t, newGame(t, name), gamestest.Options{Nodes: 2000, Walks: 20})
		})
	}
}

func FuzzApply(f *testing.F) { gamestest.FuzzApply(f, newGame(f, "pig(horizon=60,winscore=20)")) }

func FuzzHear(f *testing.F) { gamestest.FuzzHear(f, newGame(f, "pig")) }

func newGame(t testing.TB, name string) games.Game {
	t.Helper()
	game, err := games.New(name)
	if err != nil {
		t.Fatal(err)
	}
	return game
}

func play(t testing.TB, name string, actions ...games.Action) games.State {
	t.Helper()
	s := newGame(t, name).Start()
	for _, a := range actions {
		if err := s.Apply(a); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// Points win only when they are banked; then there is no other choice. The
// horizon ends the game at once, but a stop that is the last action may win.
func TestEnds(t *testing.T) {
	const three = 2 // the outcome
	s := play(t, "pig(winscore=3)", pig.Roll, three)
	if s.Turn() != 0 || !slices.Equal(s.Actions(nil), []games.Action{pig.Stop}) {
		t.Errorf("with enough points the turn is %d's and open are %v, expected 0 and only stop", s.Turn(), s.Actions(nil))
	}
	for _, test := range []struct {
		game    string
		actions []games.Action
		want    []float64
	}{
		{"pig(winscore=3)", []games.Action{pig.Roll, three, pig.Stop}, []float64{1, -1}},
		{"pig(horizon=2,winscore=3)", []games.Action{pig.Roll, three, pig.Stop}, []float64{1, -1}},
		{"pig(horizon=2,players=3,winscore=3)", []games.Action{pig.Stop, pig.Roll}, []float64{0, 0, 0}},
		{"pig(players=3,winscore=3)", []games.Action{pig.Roll, 0, pig.Roll, three, pig.Stop}, []float64{-0.5, 1, -0.5}},
	} {
		s := play(t, test.game, test.actions...)
		if got := s.Returns(nil); s.Turn() != games.Over || !slices.Equal(got, test.want) {
			t.Errorf("%s after %v: turn %d, returns %v, expected the end with %v", test.game, test.actions, s.Turn(), got, test.want)
		}
	}
}

// Neller and Presser (2004) solve Piglet with a coin and a goal of 2: the first
// player wins with probability 4/7. The horizon is far enough to reach that.
func TestPiglet(t *testing.T) {
	s := newGame(t, "pig(diceoutcomes=2,horizon=300,piglet=true,winscore=2)").Start()
	if got, want := value(s, map[string]float64{}), 2*4.0/7-1; math.Abs(got-want) > 1e-9 {
		t.Errorf("the value is %.12f, expected %.12f", got, want)
	}
}

// value is what the first of two players gets when both play best.
func value(s games.State, known map[string]float64) float64 {
	turn := s.Turn()
	if turn == games.Over {
		return s.Returns(nil)[0]
	}
	position := string(s.(games.Positioned).AppendPosition(nil))
	if v, ok := known[position]; ok {
		return v
	}
	mean, values := 0.0, []float64(nil)
	odds := s.Odds(nil)
	for i, a := range s.Actions(nil) {
		next := s.Clone()
		if err := next.Apply(a); err != nil {
			panic(err)
		}
		values = append(values, value(next, known))
		if turn == games.Chance {
			mean += odds[i] * values[i]
		}
	}
	switch turn {
	case 0:
		mean = slices.Max(values)
	case 1:
		mean = slices.Min(values)
	}
	known[position] = mean
	return mean
}

func TestBadParameters(t *testing.T) {
	for _, name := range []string{
		"pig(diceoutcomes=1)", "pig(horizon=0)", "pig(horizon=1001)", "pig(players=1)", "pig(players=11)",
		"pig(winscore=0)", "pig(winscore=ten)", "pig(piglet=2)", "pig(dice=6)",
	} {
		if _, err := games.New(name); err == nil {
			t.Errorf("%s is taken", name)
		} else {
			t.Log(err)
		}
	}
	if _, err := pig.New(pig.Params{}); err == nil {
		t.Error("a game of no players is taken")
	}
}
