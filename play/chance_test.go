package play_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/play"
)

// wheel is a game of one draw of chance, or one choice of the only seat; who plays it gets
// the number of the outcome.
type wheel struct {
	odds    []float64 // nil: the seat chooses
	numbers []games.Action
	at      games.Action
	over    bool
	err     error
}

func (w *wheel) Turn() games.Seat {
	switch {
	case w.over:
		return games.Over
	case w.odds != nil:
		return games.Chance
	}
	return 0
}
func (w *wheel) Actions(dst []games.Action) []games.Action { return append(dst, w.numbers...) }
func (w *wheel) Odds(dst []float64) []float64              { return append(dst, w.odds...) }
func (w *wheel) Apply(a games.Action) error {
	if w.err != nil {
		return w.err
	}
	w.at, w.over = a, true
	return nil
}
func (w *wheel) Returns(dst []float64) []float64           { return append(dst, float64(w.at)) }
func (w *wheel) Clone() games.State                        { c := *w; return &c }
func (w *wheel) AppendKey(dst []byte, _ games.Seat) []byte { return dst }
func (w *wheel) Observe(_ games.Seat, dst []float32)       { clear(dst) }
func (w *wheel) playouts(t *testing.T, n int) map[float64]int {
	t.Helper()
	counts, r := map[float64]int{}, rand.New(rand.NewPCG(1, 2))
	var p play.Playout
	for range n {
		returns, err := p.From(w, r)
		if err != nil {
			t.Fatal(err)
		}
		counts[returns[0]]++
	}
	return counts
}

// Chance falls by its odds, outcome by outcome, even ones or not; seats choose evenly.
func TestPlayoutFollowsTheOdds(t *testing.T) {
	const n = 20_000
	for name, test := range map[string]struct {
		wheel *wheel
		want  []float64
	}{
		"uneven":        {&wheel{odds: []float64{0.5, 0.2, 0.3}}, []float64{0.5, 0.2, 0.3}},
		"rising":        {&wheel{odds: []float64{0.1, 0.2, 0.7}}, []float64{0.1, 0.2, 0.7}},
		"never":         {&wheel{odds: []float64{0, 0.75, 0.25}}, []float64{0, 0.75, 0.25}},
		"even":          {&wheel{odds: []float64{1. / 3, 1. / 3, 1. / 3}}, []float64{1. / 3, 1. / 3, 1. / 3}},
		"a seat":        {&wheel{}, []float64{1. / 3, 1. / 3, 1. / 3}},
		"rounding left": {&wheel{odds: []float64{0.5, 0.25, 0.125}}, []float64{0.5, 0.25, 0.25}}, // what odds lack of 1 is the last's
	} {
		test.wheel.numbers = []games.Action{3, 5, 9}
		counts := test.wheel.playouts(t, n)
		for i, want := range test.want {
			got := float64(counts[float64(test.wheel.numbers[i])]) / n
			if math.Abs(got-want) > 5*math.Sqrt(want*(1-want)/n) {
				t.Errorf("%s: outcome %d comes in %.4f of the games, expected %.4f", name, i, got, want)
			}
		}
	}
}

func TestPlayoutRefuses(t *testing.T) {
	fault := errors.New("it broke")
	for want, w := range map[string]*wheel{
		"playout: seat 0 is to move and has no listed action": {},
		"playout: a chance node with 0 outcomes has 2 odds":   {odds: []float64{0.5, 0.5}},
		"playout: a chance node with 1 outcomes has 2 odds":   {odds: []float64{0.5, 0.5}, numbers: []games.Action{1}},
		"playout: a chance node with 3 outcomes has 2 odds":   {odds: []float64{0.5, 0.5}, numbers: []games.Action{1, 2, 3}},
		"playout: a chance node with 0 outcomes has 0 odds":   {odds: []float64{}},
		"playout: it broke": {numbers: []games.Action{1}, err: fault},
	} {
		var p play.Playout
		if _, err := p.From(w, rand.New(rand.NewPCG(1, 2))); err == nil || err.Error() != want {
			t.Errorf("%v, expected %q", err, want)
		}
	}
	_, took, err := play.Playouts(&wheel{numbers: []games.Action{1}, err: fault}, 0, rand.New(rand.NewPCG(1, 2)))
	if err != nil || took != 0 {
		t.Errorf("no time for a game: %v after %v", err, took)
	}
	if n, _, err := play.Playouts(&wheel{numbers: []games.Action{1}, err: fault}, 1, rand.New(rand.NewPCG(1, 2))); !errors.Is(err, fault) || n != 0 || !strings.Contains(err.Error(), "playout") {
		t.Errorf("%d games of broken rules, %v", n, err)
	}
}

// lane is a game of many turns of one seat: who plays it gets how often each number was
// named at every place.
type lane struct {
	places  int
	numbers int
	moves   []games.Action
}

func (l *lane) Turn() games.Seat {
	if len(l.moves) == l.places {
		return games.Over
	}
	return 0
}
func (l *lane) Actions(dst []games.Action) []games.Action {
	for a := range l.numbers {
		dst = append(dst, games.Action(a))
	}
	return dst
}
func (*lane) Odds(dst []float64) []float64                { return dst }
func (l *lane) Apply(a games.Action) error                { l.moves = append(l.moves, a); return nil }
func (*lane) Returns(dst []float64) []float64             { return append(dst, 0) }
func (l *lane) Clone() games.State                        { return &lane{l.places, l.numbers, slices.Clone(l.moves)} }
func (l *lane) AppendKey(dst []byte, _ games.Seat) []byte { return dst }
func (*lane) Observe(_ games.Seat, dst []float32)         { clear(dst) }

// Every turn of a long game is as random as the first: at each place all numbers are
// named about equally often, and do not repeat what was named just before.
func TestLongPlayoutsStayRandom(t *testing.T) {
	const places, count = 150, 4000
	for _, numbers := range []int{2, 3, 10} {
		r, counts, same := rand.New(rand.NewPCG(1, 2)), make([][]int, places), make([]int, places)
		for i := range counts {
			counts[i] = make([]int, numbers)
		}
		var p play.Playout
		for range count {
			l := &lane{places: places, numbers: numbers}
			if _, err := p.Finish(l, r); err != nil {
				t.Fatal(err)
			}
			for i, a := range l.moves {
				if counts[i][a]++; i > 0 && l.moves[i-1] == a {
					same[i]++
				}
			}
		}
		want := float64(count) / float64(numbers)
		off := 5 * math.Sqrt(want*(1-1/float64(numbers)))
		for i, at := range counts {
			for a, n := range at {
				if math.Abs(float64(n)-want) > off {
					t.Errorf("of %d numbers, %d is named %d times at turn %d, expected %.0f ± %.0f", numbers, a, n, i, want, off)
				}
			}
			if i > 0 && math.Abs(float64(same[i])-want) > off {
				t.Errorf("of %d numbers, that of turn %d is named again %d times, expected %.0f ± %.0f", numbers, i-1, same[i], want, off)
			}
		}
	}
}
