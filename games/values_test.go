package games_test

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/internal/spec"
)

// lot is a state of one chance node, or of one seat's, as it is told.
type lot struct {
	turn    games.Seat
	actions []games.Action
	odds    []float64
	applied []games.Action
}

func (l *lot) Turn() games.Seat                          { return l.turn }
func (l *lot) Actions(dst []games.Action) []games.Action { return append(dst, l.actions...) }
func (l *lot) Odds(dst []float64) []float64              { return append(dst, l.odds...) }
func (l *lot) Apply(a games.Action) error                { l.applied = append(l.applied, a); return nil }
func (l *lot) Returns(dst []float64) []float64           { return append(dst, 1.5, -1.5, 0) }
func (l *lot) Clone() games.State                        { c := *l; return &c }
func (l *lot) AppendKey(dst []byte, s games.Seat) []byte { return fmt.Append(dst, "of ", int(s)) }
func (l *lot) Observe(_ games.Seat, dst []float32)       { clear(dst) }

// Chance falls by its odds; what they lack of 1 is the last outcome's.
func TestDrawByOdds(t *testing.T) {
	const n = 20_000
	for _, test := range []struct{ odds, want []float64 }{
		{[]float64{0.5, 0.2, 0.3}, []float64{0.5, 0.2, 0.3}},
		{[]float64{0, 1, 0}, []float64{0, 1, 0}},
		{[]float64{0.25, 0.25, 0.25}, []float64{0.25, 0.25, 0.5}},
	} {
		r, counts := rand.New(rand.NewPCG(1, 2)), map[games.Action]float64{}
		for range n {
			a, err := games.Draw(&lot{turn: games.Chance, actions: []games.Action{4, 6, 9}, odds: test.odds}, r)
			if err != nil {
				t.Fatal(err)
			}
			counts[a] += 1. / n
		}
		for i, a := range []games.Action{4, 6, 9} {
			if p := test.want[i]; math.Abs(counts[a]-p) > 5*math.Sqrt(p*(1-p)/n)+1e-9 {
				t.Errorf("odds %v: outcome %d falls in %.3f of the cases, expected %g", test.odds, a, counts[a], p)
			}
		}
	}
	for _, bad := range []*lot{{}, {odds: []float64{1}}, {actions: []games.Action{1}, odds: []float64{0.5, 0.5}}, {actions: []games.Action{1, 2}, odds: []float64{1}}} {
		if _, err := games.Draw(bad, rand.New(rand.NewPCG(1, 2))); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("%d outcomes has %d odds", len(bad.actions), len(bad.odds))) {
			t.Errorf("%v", err)
		}
	}
}

// sampled draws its own outcome.
type sampled struct{ lot }

func (*sampled) Sample(*rand.Rand) games.Action { return 7 }

func TestDrawOfSamplers(t *testing.T) {
	if a, err := games.Draw(&sampled{}, nil); a != 7 || err != nil {
		t.Errorf("%d, %v", a, err)
	}
}

// A menu is for who reads it: his own actions, whom he waits for, or what he got.
func TestMenu(t *testing.T) {
	for _, test := range []struct {
		turn, seat games.Seat
		want       string
	}{
		{1, 1, "It is your turn. Open to you: 4 [4], 6 [6].\nAnswer with one of them, by name or by the number in brackets; the last one in your answer counts."},
		{1, 0, "Player 1 is to move."},
		{games.Chance, 0, "Chance is to move."},
		{games.Over, 0, "The game is over. Your return: +1.5."},
		{games.Over, 1, "The game is over. Your return: -1.5."},
		{games.Over, 2, "The game is over. Your return: 0."},
	} {
		if got := games.Menu(&lot{turn: test.turn, actions: []games.Action{4, 6}}, test.seat); got != test.want {
			t.Errorf("seat %d while %d is to move: %q, expected %q", test.seat, test.turn, got, test.want)
		}
	}
	// Of more than a hundred actions the first hundred are named.
	for n, want := range map[int]string{100: "98 [98], 99 [99].", 101: "98 [98], 99 [99], … (101 in all)."} {
		if got := games.Menu(&lot{actions: games.Ids(n)}, 0); !strings.Contains(got, want) {
			t.Errorf("%d actions: %q lacks %q", n, got, want)
		}
	}
}

// An illegal action is told with what is legal, or that there is nothing more.
func TestIllegal(t *testing.T) {
	err := games.Illegal(&lot{actions: []games.Action{4, 6}}, 5)
	if !errors.Is(err, games.ErrIllegal) || err.Error() != "illegal action 5: legal here are [4 6]" {
		t.Errorf("%v", err)
	}
	if err = games.Illegal(&lot{turn: games.Over}, 5); !errors.Is(err, games.ErrIllegal) || err.Error() != "illegal action 5: the game is over" {
		t.Errorf("%v", err)
	}
}

// stepping plays many actions at once.
type stepping struct {
	games.Game
	calls int
}

func (s *stepping) Step(_ []games.State, _ []games.Action, errs []error) {
	s.calls++
	errs[0] = games.ErrLost
}

// Step plays each action in its own state, by the game's own way where it has one.
func TestStep(t *testing.T) {
	a, b := &lot{}, &lot{}
	errs := []error{games.ErrLost, games.ErrLost}
	games.Step(nil, []games.State{a, b}, []games.Action{3, 5}, errs)
	if !slices.Equal(a.applied, []games.Action{3}) || !slices.Equal(b.applied, []games.Action{5}) || errs[0] != nil || errs[1] != nil {
		t.Errorf("%v and %v, %v", a.applied, b.applied, errs)
	}
	own := &stepping{}
	if games.Step(own, []games.State{a}, []games.Action{3}, errs[:1]); own.calls != 1 || !errors.Is(errs[0], games.ErrLost) || len(a.applied) != 1 {
		t.Errorf("%d calls, %v", own.calls, errs)
	}
}

// What a game is called and how large its tensor is, by what it says of itself.
func TestInfo(t *testing.T) {
	if got := (games.Info{Tensor: []int{3, 4, 5}}).TensorSize(); got != 60 {
		t.Errorf("3 planes of 4 by 5 are %d values", got)
	}
	if got := (games.Info{}).TensorSize(); got != 1 {
		t.Errorf("a scalar is %d values", got)
	}
	if got := (games.Info{Name: "nim"}).Spec(); got != "nim" {
		t.Errorf("%q", got)
	}
	if got := (games.Info{Name: "nim", Origin: "plugin:./nim"}).Spec(); got != "plugin:./nim" {
		t.Errorf("%q", got)
	}
	if got := games.Key(&lot{}, 2); got != "of 2" {
		t.Errorf("%q", got)
	}
	if got := games.Say(&lot{}, -3); got != "-3" {
		t.Errorf("%q", got)
	}
	b := games.BoardOf(2, 3, func(r, c int) string { return fmt.Sprint(r, c) })
	if got := fmt.Sprint(b.Cells); got != "[[0 0 0 1 0 2] [1 0 1 1 1 2]]" {
		t.Errorf("%s", got)
	}
}

// copying can be overwritten.
type copying struct{ lot }

func (c *copying) CopyFrom(s games.State) { c.lot = s.(*copying).lot }

// A copy overwrites what can be overwritten, and is another state in any case.
func TestCopy(t *testing.T) {
	from, to := &copying{lot{turn: 1}}, &copying{}
	if got := games.Copy(to, from); got != games.State(to) || to.turn != 1 {
		t.Errorf("%+v", got)
	}
	for _, dst := range []games.State{nil, &lot{}} {
		if got := games.Copy(dst, from); got == dst || got == games.State(from) || got.Turn() != 1 {
			t.Errorf("%+v", got)
		}
	}
}

// Names that are not registered are asked of who finds games elsewhere; his error counts,
// his silence does not.
func TestFind(t *testing.T) {
	found := stateless{}
	fault := errors.New("it crashed")
	games.Find(func(text string) (games.Game, error) {
		switch text {
		case "elsewhere":
			return found, nil
		case "broken":
			return nil, fault
		}
		return nil, nil
	})
	defer games.Find(nil)
	if g, err := games.New("elsewhere"); g != games.Game(found) || err != nil {
		t.Errorf("%v, %v", g, err)
	}
	if _, err := games.New("broken"); !errors.Is(err, fault) {
		t.Errorf("%v", err)
	}
	if g, err := games.New("kuhn_poker"); err != nil || g.Info().Name != "kuhn_poker" {
		t.Errorf("a game of our own: %v", err)
	}
	for text, want := range map[string]string{
		"kuhn_pokr":          `unknown game "kuhn_pokr", did you mean "kuhn_poker"?`,
		"":                   "game ",
		"kuhn_poker(cards)":  "game ",
		"kuhn_poker(card=3)": `unknown parameter "card"`,
	} {
		if _, err := games.New(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, expected %q", text, err, want)
		}
	}
	games.Find(nil)
	if _, err := games.New("elsewhere"); err == nil {
		t.Error("nobody finds it")
	}
}

type stateless struct{ games.Game }

// A game is registered once, and can be made.
func TestRegisterRefuses(t *testing.T) {
	for name, rules := range map[string]games.Rules{
		"a name that is taken": {Name: "kuhn_poker", Make: func(*spec.Reader) (games.Game, error) { return nil, nil }},
		"nothing to make it":   {Name: "made_of_nothing"},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: it was registered", name)
				}
			}()
			games.Register(rules)
		}()
	}
	all := games.All()
	if !slices.IsSortedFunc(all, func(a, b games.Rules) int { return strings.Compare(a.Name, b.Name) }) || len(all) < 10 {
		t.Errorf("%d games, not in order", len(all))
	}
}
