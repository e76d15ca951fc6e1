package solve_test

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/policy"
	"github.com/agon-rl/agon/solve"
)

// walk is a game without rules of its own: a state is the list of the actions
// so far, and functions say what holds there. What is left out is sound: two
// seats in turn, two moves each, keys that tell everything.
type walk struct {
	chance  games.ChanceKind
	length  int // 4 unless set
	endless bool
	turn    func(path []games.Action) games.Seat
	actions func(path []games.Action) []games.Action
	odds    []float64
	returns []float64
	key     func(path []games.Action) string
}

func (w *walk) Info() games.Info {
	return games.Info{Name: "walk", Seats: 2, Roles: []string{"first", "second"}, Actions: 3, MaxLength: w.end(), MinReturn: -1, MaxReturn: 1, Chance: w.chance}
}
func (w *walk) Start() games.State { return &place{walk: w} }

func (w *walk) end() int {
	if w.length == 0 {
		return 4
	}
	return w.length
}

type place struct {
	*walk
	path []games.Action
}

func (p *place) Turn() games.Seat {
	switch {
	case len(p.path) >= p.end() && !p.endless:
		return games.Over
	case p.turn != nil:
		return p.turn(p.path)
	}
	return games.Seat(len(p.path) % 2)
}

func (p *place) Actions(dst []games.Action) []games.Action {
	if p.actions != nil {
		return append(dst, p.actions(p.path)...)
	}
	return append(dst, 0, 1)
}

func (p *place) Odds(dst []float64) []float64 { return append(dst, p.odds...) }

func (p *place) Apply(a games.Action) error {
	p.path = append(p.path, a)
	return nil
}

func (p *place) Returns(dst []float64) []float64 {
	if p.returns != nil {
		return append(dst, p.returns...)
	}
	return append(dst, 1, -1)
}

func (p *place) Clone() games.State {
	return &place{walk: p.walk, path: append([]games.Action(nil), p.path...)}
}

func (p *place) AppendKey(dst []byte, _ games.Seat) []byte {
	if p.key != nil {
		return append(dst, p.key(p.path)...)
	}
	for _, a := range p.path {
		dst = append(dst, byte('0'+a))
	}
	return dst
}

func (p *place) Observe(games.Seat, []float32) {}

// always is a constant, whatever it is given.
func always[T any](value T) func([]games.Action) T {
	return func([]games.Action) T { return value }
}

// Games that break their contract, as a plugin's may, are refused.
func TestCompileRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		game *walk
		want string
	}{
		"sampled chance":      {&walk{chance: games.Sampled}, "its chance can only be sampled"},
		"no such seat":        {&walk{turn: always(games.Seat(2))}, "turn 2: expected a seat below 2"},
		"nothing to do":       {&walk{actions: always[[]games.Action](nil)}, "no action is open at turn 0"},
		"too few odds":        {&walk{turn: always(games.Chance), odds: []float64{1}}, "2 outcomes has 1 odds"},
		"odds above one":      {&walk{turn: always(games.Chance), odds: []float64{0.5, 0.6}}, "sum to 1.1, not to 1"},
		"negative odds":       {&walk{turn: always(games.Chance), odds: []float64{-0.5, 1.5}}, "-0.5 is no probability"},
		"a return for one":    {&walk{returns: []float64{1}}, "not one for each of its 2 seats"},
		"a return of nothing": {&walk{returns: []float64{math.NaN(), 0}}, "a return of NaN"},
		"keys that forget":    {&walk{length: 2, turn: always(games.Seat(0)), key: func(path []games.Action) string { return string(rune('a' + len(path))) }}, `reaches the information state "b" by different actions of its own`},
		"keys that join different actions": {&walk{
			length: 2,
			key:    func(path []games.Action) string { return string(rune('a' + len(path))) },
			actions: func(path []games.Action) []games.Action {
				if len(path) == 1 {
					return []games.Action{0, 1 + path[0]}
				}
				return []games.Action{0, 1}
			},
		}, `with the same key "b"`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := solve.Compile(t.Context(), test.game, 1000)
			if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %v, want one line with %q", err, test.want)
			}
		})
	}
	if tree, err := solve.Compile(t.Context(), &walk{}, 31); err != nil || tree.Nodes() != 31 {
		t.Errorf("a sound game of 31 nodes within 31: %v", err)
	}
	if _, err := solve.Compile(t.Context(), &walk{}, 30); !errors.Is(err, solve.ErrTooLarge) || !strings.Contains(err.Error(), "walk has about 31 histories, and 30 is the limit") {
		t.Errorf("31 nodes within 30: %v", err)
	}
}

// A game that never ends is an error; it does not exhaust the stack.
func TestEndlessGames(t *testing.T) {
	circular := &walk{length: 1000, endless: true, key: always("here")}
	if _, err := solve.Minimax(t.Context(), circular); err == nil || !strings.Contains(err.Error(), "goes on after 1000 moves") {
		t.Errorf("minimax on a game whose positions repeat: %v", err)
	}
	counting := &walk{endless: true, turn: always(games.Chance), actions: always([]games.Action{0}), odds: []float64{1}}
	if _, err := solve.Compile(t.Context(), counting, 5000); !errors.Is(err, solve.ErrTooLarge) {
		t.Errorf("a game without end: %v", err)
	}
}

// flat gives the same probabilities everywhere.
type flat []float64

func (a flat) Probabilities(_ context.Context, _ []games.State, out [][]float64) error {
	for _, probs := range out {
		copy(probs, a)
	}
	return nil
}

// A policy's answers are checked before they are measured.
func TestEvaluateRefuses(t *testing.T) {
	tree := compile(t, "kuhn_poker")
	partial := policy.NewTable()
	partial.Set("0", map[string]float64{"Pass": 1})
	for name, test := range map[string]struct {
		policy policy.Policy
		want   string
	}{
		"sum":      {flat{0.5, 0.4}, `kuhn_poker: seat 0, information state "0": the probabilities sum to 0.9, not to 1`},
		"negative": {flat{-0.5, 1.5}, "-0.5 is no probability"},
		"NaN":      {flat{math.NaN(), 1}, "NaN is no probability"},
		"infinite": {flat{math.Inf(1), 0}, "sum to +Inf"},
		"missing":  {partial, `no entry for the information state "1p" of seat 1`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := tree.Evaluate(t.Context(), test.policy)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
	if _, err := tree.Measure(make(solve.Strategy, 3)); err == nil || !strings.Contains(err.Error(), "3 probabilities: expected 24") {
		t.Errorf("a strategy of the wrong size: %v", err)
	}
}

func TestMinimaxWithin(t *testing.T) {
	game, err := games.New("tic_tac_toe")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := solve.MinimaxWithin(t.Context(), game, 5478); err != nil {
		t.Errorf("5478 positions within 5478: %v", err)
	}
	if _, err := solve.MinimaxWithin(t.Context(), game, 5477); !errors.Is(err, solve.ErrTooLarge) {
		t.Errorf("5478 positions within 5477: %v", err)
	}
}
