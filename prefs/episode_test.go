package prefs_test

import (
	"context"
	"fmt"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/play"
	"github.com/agon-rl/agon/prefs"
)

// played is an episode of Kuhn poker after its deal of two cards.
func played(first float64, actions ...games.Action) *play.Episode {
	e := &play.Episode{Game: "kuhn_poker", Actions: actions, Returns: []float64{first, -first}, Forfeit: games.Over}
	for at := 2; at < len(actions); at++ {
		e.Turns = append(e.Turns, play.Turn{At: at, Seat: games.Seat(at % 2), Action: actions[at]})
	}
	return e
}

// Games with the queen (1) against the jack (0): a bet that is called wins 2, one that is
// not wins 1, as two passes do, and the first seat loses 1 if it passes twice. The first
// seat's best game is set against its worst; its two games of 1 say nothing. The second
// seat's games part by what the first did: after a bet it loses less by passing, after a
// pass it wins by betting. Other deals and forfeits have no part in it.
func TestOutcomesByHand(t *testing.T) {
	const pass, bet = 0, 1
	game, err := games.New("kuhn_poker")
	if err != nil {
		t.Fatal(err)
	}
	forfeit := played(-2, 1, 0, bet)
	forfeit.Forfeit = 1
	episodes := []*play.Episode{
		played(1, 1, 0, pass, pass),
		played(2, 1, 0, bet, bet),
		forfeit,
		played(-1, 1, 0, pass, bet, pass),
		played(1, 1, 0, bet, pass),
		played(-2, 1, 2, bet, bet), // against the king
	}
	prompt := func(seat games.Seat, actions ...games.Action) string {
		s := game.Start()
		for _, a := range actions {
			if err := s.Apply(a); err != nil {
				t.Fatal(err)
			}
		}
		return s.(games.Speaker).Prompt(seat)
	}
	want := []prefs.Outcome{
		{
			Prompt: prompt(0, 1, 0), Chosen: "Bet", Rejected: "Pass\nPass", Game: "kuhn_poker", Seat: 0, Start: []int32{1, 0},
			ChosenHistory: []int32{1, 0, bet, bet}, RejectedHistory: []int32{1, 0, pass, bet, pass}, ChosenReturn: 2, RejectedReturn: -1, Source: "me",
		},
		{
			Prompt: prompt(1, 1, 0, pass), Chosen: "Bet", Rejected: "Pass", Game: "kuhn_poker", Seat: 1, Start: []int32{1, 0, pass},
			ChosenHistory: []int32{1, 0, pass, bet, pass}, RejectedHistory: []int32{1, 0, pass, pass}, ChosenReturn: 1, RejectedReturn: -1, Source: "me",
		},
		{
			Prompt: prompt(1, 1, 0, bet), Chosen: "Pass", Rejected: "Bet", Game: "kuhn_poker", Seat: 1, Start: []int32{1, 0, bet},
			ChosenHistory: []int32{1, 0, bet, pass}, RejectedHistory: []int32{1, 0, bet, bet}, ChosenReturn: -1, RejectedReturn: -2, Source: "me",
		},
	}
	if d := cmp.Diff(want, prefs.Outcomes(game, episodes, "me")); d != "" {
		t.Error(d)
	}
}

// Every game is in one pair at most of a seat: the best with the worst, the next with the
// next, as long as they differ.
func TestOutcomesPairFromTheEnds(t *testing.T) {
	game, err := games.New("kuhn_poker")
	if err != nil {
		t.Fatal(err)
	}
	var episodes []*play.Episode
	for _, first := range []float64{0, 3, 1, -2, 0.5} {
		e := played(first, 1, 0, 1, 1)
		e.Turns = e.Turns[:1] // the first seat's alone
		episodes = append(episodes, e)
	}
	var got []string
	for _, o := range prefs.Outcomes(game, episodes, "") {
		got = append(got, fmt.Sprint(o.ChosenReturn, " over ", o.RejectedReturn))
	}
	if d := cmp.Diff([]string{"3 over -2", "1 over 0"}, got); d != "" {
		t.Error(d)
	}
	// Of games that are worth the same, the first that was played is the first taken.
	first, second := played(2, 1, 0, 1, 1), played(2, 1, 0, 1, 0)
	lost, lostToo := played(-2, 1, 0, 0, 0), played(-2, 1, 0, 0, 1, 0)
	for _, e := range []*play.Episode{first, second, lost, lostToo} {
		e.Turns = e.Turns[:1]
	}
	outcomes := prefs.Outcomes(game, []*play.Episode{first, lost, second, lostToo}, "")
	if len(outcomes) != 2 || len(outcomes[0].ChosenHistory) != 4 || outcomes[0].ChosenHistory[3] != 1 || len(outcomes[0].RejectedHistory) != 5 {
		t.Errorf("%+v", outcomes)
	}
}

// What a search made of its root, to the seat that moves there, which is the second.
func TestVisitByValue(t *testing.T) {
	tree := forkTree(t, opinion{})
	v := prefs.VisitOf(tree, prefs.Context{Game: "fork(of=roads)", History: []games.Action{9, 8}, Source: "tester", Seed: 77})
	want := prefs.Visit{
		Prompt: "You are 1 after [].", Game: "fork(of=roads)", History: []int32{9, 8}, Key: "1 sees []", Seat: 1,
		Actions: []int32{5, 6, 7}, Source: "tester",
	}
	// 60 simulations and the root's own evaluation, which was a draw.
	value := 0.0
	for _, c := range tree.Children(0) {
		want.Target = append(want.Target, float64(c.Visits)/60)
		value += c.Q * float64(c.Visits) / 61
	}
	want.Value = value
	if math.Abs(v.Value-value) > 1e-12 || value >= 0.25 || value <= -0.5 {
		t.Errorf("the value is %g, expected the mean of its actions' values, %g", v.Value, value)
	}
	v.Value = value
	for i, p := range v.Target {
		if math.Abs(p-want.Target[i]) > 1e-12 {
			t.Errorf("the targets are %v, expected %v", v.Target, want.Target)
		}
	}
	v.Target = want.Target
	if d := cmp.Diff(want, v); d != "" {
		t.Error(d)
	}
}

// gambler bets with a probability that goes by the information state, ½ where none is
// given.
type gambler map[string]float64

func (g gambler) Probabilities(_ context.Context, states []games.State, out [][]float64) error {
	for i, s := range states {
		bet, ok := g[games.Key(s, s.Turn())]
		if !ok {
			bet = 0.5
		}
		out[i][0], out[i][1] = 1-bet, bet
	}
	return nil
}

// Against one who bets with the king always and with the jack half of the time, a bet
// means the king in two of three cases: to call with the queen is worth (−2·1 + 2·½)/1.5
// = −2/3 chips and to fold −1. Who passes the queen himself three times of four changes
// nothing of that, only the priors and the mean.
func TestCounterfactualByHand(t *testing.T) {
	game, err := games.New("kuhn_poker")
	if err != nil {
		t.Fatal(err)
	}
	policy := gambler{"2p": 1, "0p": 0.5, "1": 0.25, "1pb": 0.125}
	where := prefs.Context{Game: "kuhn_poker(x)", Source: "gambler", Seed: 5}
	pairs, err := prefs.Counterfactual(t.Context(), game, policy, where, 1e-9)
	if err != nil {
		t.Fatal(err)
	}
	of := func(pairs []prefs.Pair, key string) (some []prefs.Pair) {
		for _, p := range pairs {
			if p.Key == key {
				some = append(some, p)
			}
		}
		return some
	}
	some := of(pairs, "1pb")
	if len(some) != 1 {
		t.Fatalf("%d pairs with the queen after a pass and a bet", len(some))
	}
	p := some[0]
	for _, x := range []struct {
		name      string
		got, want float64
	}{
		{"chosen_q", p.ChosenQ, -1. / 3}, {"rejected_q", p.RejectedQ, -0.5},
		{"chosen_prior", p.ChosenPrior, math.Log(0.125)}, {"rejected_prior", p.RejectedPrior, math.Log(0.875)},
		{"chosen_behaviour", p.ChosenBehaviour, math.Log(0.125)}, {"rejected_behaviour", p.RejectedBehaviour, math.Log(0.875)},
		{"value", p.Value, -0.125/3 - 0.875/2},
	} {
		if math.Abs(x.got-x.want) > 1e-12 {
			t.Errorf("%s is %g, expected %g", x.name, x.got, x.want)
		}
	}
	if p.Chosen != "Bet" || p.Rejected != "Pass" || p.ChosenAction != 1 || p.RejectedAction != 0 || p.Seat != 0 ||
		p.Game != "kuhn_poker(x)" || p.Source != "gambler" || p.Seed != 5 || p.Rule != "counterfactual" {
		t.Errorf("%+v", p)
	}

	// Where nobody ever bets after a pass there is nothing to learn of what follows, and an
	// action that is never taken has the least log-probability there is.
	pairs, err = prefs.Counterfactual(t.Context(), game, gambler{"0p": 0, "1p": 0, "2p": 0}, where, 1e-9)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"0pb", "1pb", "2pb"} {
		if some := of(pairs, key); len(some) > 0 {
			t.Errorf("%+v", some)
		}
	}
	if some := of(pairs, "2p"); len(some) != 1 || some[0].Chosen != "Bet" || some[0].ChosenPrior != math.Log(1e-45) || some[0].RejectedPrior != 0 {
		t.Errorf("%+v", some)
	}

	stopped, cancel := context.WithCancel(t.Context())
	cancel()
	large, err := games.New("leduc_poker")
	if err != nil {
		t.Fatal(err)
	}
	if _, err = prefs.Counterfactual(stopped, large, gambler{}, where, 0); err == nil {
		t.Error("a walk goes on after its end")
	}

	// With the jack a call of the king or queen loses a chip more, half the range, and
	// that is not more than a gap of one half.
	for gap, want := range map[float64]int{0.49: 1, 0.5: 0} {
		if pairs, err = prefs.Counterfactual(t.Context(), game, policy, where, gap); err != nil {
			t.Fatal(err)
		}
		if some := of(pairs, "0b"); len(some) != want {
			t.Errorf("gap %g: %d pairs with the jack after a bet, expected %d", gap, len(some), want)
		}
	}
}
