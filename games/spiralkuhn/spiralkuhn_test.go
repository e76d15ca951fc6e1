package spiralkuhn_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/games/gamestest"
	"github.com/agon-rl/agon/games/spiralkuhn"
	"github.com/agon-rl/agon/solve"
)

const (
	p, b    = spiralkuhn.Pass, spiralkuhn.Bet
	j, q, k = games.Action(0), games.Action(1), games.Action(2)
)

func after(t *testing.T, g games.Game, actions ...games.Action) games.State {
	t.Helper()
	s := g.Start()
	for i, a := range actions {
		if err := s.Apply(a); err != nil {
			t.Fatalf("action %d: %v", i, err)
		}
	}
	return s
}

func TestConformance(t *testing.T) {
	for _, name := range []string{"spiral_kuhn", "spiral_kuhn(rules=released)", "spiral_kuhn(deals=1)", "spiral_kuhn(deals=2)"} {
		t.Run(name, func(t *testing.T) {
			game, err := games.New(name)
			if err != nil {
				t.Fatal(err)
			}
			gamestest.Run(t, game, gamestest.Options{})
		})
	}
}

func FuzzApply(f *testing.F) { gamestest.FuzzApply(f, spiralkuhn.New(5, false)) }
func FuzzHear(f *testing.F)  { gamestest.FuzzHear(f, spiralkuhn.New(2, false)) }

func TestSeatOneOpensTheOddDeals(t *testing.T) {
	g := spiralkuhn.New(5, false)
	var actions []games.Action
	for deal := 1; deal <= 5; deal++ {
		actions = append(actions, k, j)
		s := after(t, g, actions...)
		if want := games.Seat(deal % 2); s.Turn() != want {
			t.Errorf("deal %d: seat %d opens, want %d", deal, s.Turn(), want)
		}
		actions = append(actions, p, p)
	}
	if s := after(t, g, actions...); s.Turn() != games.Over {
		t.Errorf("after five deals the turn is %d", s.Turn())
	}
}

// One deal tells what a deal pays; seat 1 opens it.
func TestPayments(t *testing.T) {
	for _, test := range []struct {
		name          string
		actions       []games.Action
		fair, release float64 // seat 0's return
	}{
		{"both check, seat 0 has the king", []games.Action{k, q, p, p}, 1, 1},
		{"both check, seat 1 has the king", []games.Action{q, k, p, p}, -1, -1},
		{"seat 1 bets, seat 0 folds the king", []games.Action{k, j, b, p}, -1, -1},
		{"seat 1 bets, seat 0 calls", []games.Action{k, j, b, b}, 1, 1},
		{"seat 0 bets, seat 1 folds", []games.Action{j, k, p, b, p}, 1, 1},
		{"seat 0 bets, seat 1 calls", []games.Action{j, k, p, b, b}, -1, -1},
	} {
		for released, want := range map[bool]float64{false: test.fair, true: test.release} {
			s := after(t, spiralkuhn.New(1, released), test.actions...)
			if got := s.Returns(nil); !slices.Equal(got, []float64{want, -want}) {
				t.Errorf("%s, released=%v: %v, want %g", test.name, released, got, want)
			}
		}
	}
}

// Under the true rules a called bet is worth two chips; as released it moves
// one, and the last deal decides whatever the chips say.
func TestChipsAgainstTheLastDeal(t *testing.T) {
	// Deal 1: seat 1 bets, seat 0 calls with the king. Deal 2: both check and
	// seat 0 loses.
	actions := []games.Action{k, j, b, b, j, k, p, p}
	if got := after(t, spiralkuhn.New(2, false), actions...).Returns(nil)[0]; got != 1 {
		t.Errorf("true rules: %g for two chips won and one lost, want 1", got)
	}
	if got := after(t, spiralkuhn.New(2, true), actions...).Returns(nil)[0]; got != -1 {
		t.Errorf("as released: %g for the loser of the last deal, want -1", got)
	}
	// One chip each way is a draw by the true rules.
	even := []games.Action{k, j, p, p, j, k, p, p}
	if got := after(t, spiralkuhn.New(2, false), even...).Returns(nil)[0]; got != 0 {
		t.Errorf("true rules: %g for equal chips, want a draw", got)
	}
}

func TestShowdownShowsCardsAndAFoldDoesNot(t *testing.T) {
	g := spiralkuhn.New(2, false)
	shown := after(t, g, k, j, b, b)
	if got := games.Key(shown, 1); got != "0bb/2;" {
		t.Errorf("after a showdown seat 1 knows %q", got)
	}
	folded := after(t, g, k, j, b, p)
	if got := games.Key(folded, 1); got != "0bp;" {
		t.Errorf("after a fold seat 1 knows %q", got)
	}
	speaker := shown.(games.Speaker)
	if prompt := speaker.Prompt(1); !strings.Contains(prompt, "Showdown: the other card is the King.") {
		t.Errorf("the prompt does not tell the showdown:\n%s", prompt)
	}
	if prompt := folded.(games.Speaker).Prompt(1); strings.Contains(prompt, "King.") {
		t.Errorf("the prompt tells a card that was folded:\n%s", prompt)
	}
}

func TestPrompt(t *testing.T) {
	s := after(t, spiralkuhn.New(5, false), k, j, b, b, q, k, p).(games.Speaker)
	want := `You are player 1.
Deal 1: player 1 opens; your card is the Jack. You: bet. Player 0: call. Showdown: the other card is the King.
Deal 2: player 0 opens; your card is the King. Player 0: check.
You are -2 chips.
It is your turn. Open to you: check [0], bet [1].`
	if got := s.Prompt(1); !strings.Contains(got, want) {
		t.Errorf("the prompt is\n%s\nwant in it\n%s", got, want)
	}
}

// Values of short matches, exactly. As released the value is 0 and never to
// fold, blind to the card, loses nothing to any play.
func TestExactValues(t *testing.T) {
	for _, test := range []struct {
		deals    int
		released bool
	}{{1, true}, {2, true}, {1, false}, {2, false}} {
		tree, err := solve.Compile(t.Context(), spiralkuhn.New(test.deals, test.released), solve.DefaultNodes)
		if err != nil {
			t.Fatal(err)
		}
		if test.released {
			never := make(solve.Strategy, len(tree.Uniform()))
			for _, set := range tree.Sets {
				probs := never[set.First : set.First+2]
				probs[0], probs[1] = 0.5, 0.5 // to open or after a check, anything goes
				if strings.HasSuffix(set.Key, "b") {
					probs[0], probs[1] = 0, 1
				}
			}
			r, err := tree.Measure(never)
			if err != nil {
				t.Fatal(err)
			}
			if math.Abs(r.Value[0]) > 1e-12 || r.Exploitability > 1e-12 {
				t.Errorf("%d deals as released: never to fold has value %g and exploitability %g, want 0 and 0", test.deals, r.Value[0], r.Exploitability)
			}
			continue
		}
		solver := solve.NewCFR(tree, solve.Variant{Plus: true, Average: 1})
		if err := solver.Iterate(t.Context(), 500); err != nil {
			t.Fatal(err)
		}
		r, err := tree.Measure(solver.Strategy())
		if err != nil {
			t.Fatal(err)
		}
		if r.Exploitability > 1e-3 {
			t.Fatalf("%d deals: not solved, exploitability %g", test.deals, r.Exploitability)
		}
		t.Logf("%d deals of true Kuhn: value %.4f for seat 0, which opens the second deal", test.deals, r.Value[0])
	}
}

func TestBadParameters(t *testing.T) {
	for name, want := range map[string]string{
		"spiral_kuhn(deals=0)":      "deals=0: expected a whole number from 1 to 20",
		"spiral_kuhn(deals=x)":      "expected a whole number",
		"spiral_kuhn(rules=maybe)":  "expected true, released",
		"spiral_kuhn(rule=true)":    `unknown parameter "rule", did you mean "rules"?`,
		"spiral_kuhn(deals=5,a=b)":  `unknown parameter "a"`,
		"spiral_kuhn(deals=5,,a=b)": "an argument is empty",
	} {
		if _, err := games.New(name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
}
