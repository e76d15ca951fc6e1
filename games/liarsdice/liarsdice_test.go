package liarsdice_test

import (
	"testing"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/games/gamestest"
	_ "github.com/agon-rl/agon/games/liarsdice"
)

func TestConformance(t *testing.T) {
	for _, name := range []string{"liars_dice", "liars_dice(dice_sides=3,numdice=2)", "liars_dice(bidding_rule=reset-quantity,dice_sides=2)"} {
		t.Run(name, func(t *testing.T) { gamestest.Run(t, newGame(t, name), gamestest.Options{Nodes: 2000}) })
	}
}

func FuzzApply(f *testing.F) { gamestest.FuzzApply(f, newGame(f, "liars_dice")) }

func FuzzHear(f *testing.F) { gamestest.FuzzHear(f, newGame(f, "liars_dice")) }

// The highest face is wild, and the bidder wins where the dice hold exactly
// what was bid.
func TestCall(t *testing.T) {
	for _, test := range []struct {
		name    string
		actions []games.Action // the dice less one, then bids and the call
		first   float64
	}{
		{"the bid holds", []games.Action{1, 1, 7, 12}, 1},           // 2 and 2: two twos
		{"a six counts as a two", []games.Action{1, 5, 7, 12}, 1},   // 2 and 6: two twos
		{"the bid is a bluff", []games.Action{1, 2, 7, 12}, -1},     // 2 and 3: two twos
		{"sixes count themselves", []games.Action{5, 5, 11, 12}, 1}, // 6 and 6: two sixes
		{"the second bids", []games.Action{0, 1, 0, 1, 12}, -1},     // 1 and 2: one one, one two
	} {
		s := newGame(t, "liars_dice").Start()
		for _, a := range test.actions {
			if err := s.Apply(a); err != nil {
				t.Fatalf("%s: %v", test.name, err)
			}
		}
		if got := s.Returns(nil); s.Turn() != games.Over || got[0] != test.first || got[1] != -test.first {
			t.Errorf("%s: turn %d, returns %v", test.name, s.Turn(), got)
		}
	}
}

func TestBadParameters(t *testing.T) {
	for _, name := range []string{
		"liars_dice(numdice=0)", "liars_dice(numdice=6)", "liars_dice(dice_sides=1)", "liars_dice(dice_sides=9,numdice=5)",
		"liars_dice(players=3)", "liars_dice(bidding_rule=none)", "liars_dice(dice=2)",
	} {
		if _, err := games.New(name); err == nil {
			t.Errorf("%s is taken", name)
		} else {
			t.Log(err)
		}
	}
}

func newGame(t testing.TB, name string) games.Game {
	t.Helper()
	game, err := games.New(name)
	if err != nil {
		t.Fatal(err)
	}
	return game
}
