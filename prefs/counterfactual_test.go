package prefs_test

import (
	"math"
	"testing"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/policy"
	"github.com/agon-rl/agon/prefs"
)

// Against uniform play in Kuhn poker the values are known: to bet with the jack
// after a pass, for one, is worth (1 - 2)/2 against a player who calls half the time.
func TestCounterfactualValuesOfUniformPlay(t *testing.T) {
	game, err := games.New("kuhn_poker")
	if err != nil {
		t.Fatal(err)
	}
	pairs, err := prefs.Counterfactual(t.Context(), game, policy.Uniform{}, prefs.Context{Game: "kuhn_poker", Source: "uniform"}, 1e-9)
	if err != nil {
		t.Fatal(err)
	}
	byKey := map[string]prefs.Pair{}
	for _, p := range pairs {
		byKey[p.Key] = p
	}
	for _, c := range []struct {
		key              string
		chosen, rejected string
		better, worse    float64 // in chips
	}{
		{"2b", "Bet", "Pass", 2, -1},    // the king calls
		{"0b", "Pass", "Bet", -1, -2},   // the jack folds
		{"0p", "Bet", "Pass", -0.5, -1}, // the jack bluffs, and is called half the time
		{"2pb", "Bet", "Pass", 2, -1},   //
		{"1b", "Bet", "Pass", 0, -1},    // the queen calls: she meets jack and king alike
	} {
		p, ok := byKey[c.key]
		if !ok || p.Chosen != c.chosen || p.Rejected != c.rejected || math.Abs(p.ChosenQ-c.better/2) > 1e-12 || math.Abs(p.RejectedQ-c.worse/2) > 1e-12 {
			t.Errorf("%s: %+v, expected %s (%g) over %s (%g)", c.key, p, c.chosen, c.better, c.rejected, c.worse)
		}
		if s, err := p.State(); err != nil || games.Key(s, games.Seat(p.Seat)) != c.key {
			t.Errorf("%s: its history leads elsewhere: %v", c.key, err)
		}
	}
	if len(pairs) != 12 {
		t.Errorf("%d pairs of 12 information states", len(pairs))
	}
}

func TestCounterfactualRefuses(t *testing.T) {
	game, err := games.New("countdown")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := prefs.Counterfactual(t.Context(), game, policy.Uniform{}, prefs.Context{}, 0); err == nil {
		t.Error("sampled chance is taken")
	}
}
