package goofspiel_test

import (
	"testing"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/games/gamestest"
	_ "github.com/agon-rl/agon/games/goofspiel"
)

func TestConformance(t *testing.T) {
	for _, name := range []string{
		"goofspiel", "goofspiel(num_cards=2)", "goofspiel(imp_info=true,num_cards=4,points_order=descending)",
		"goofspiel(num_cards=4,num_turns=2,points_order=ascending,returns_type=point_difference)", "goofspiel(num_cards=20)",
	} {
		t.Run(name, func(t *testing.T) { gamestest.Run(t, newGame(t, name), gamestest.Options{Nodes: 1000}) })
	}
}

func FuzzApply(f *testing.F) { gamestest.FuzzApply(f, newGame(f, "goofspiel(num_cards=5)")) }

func FuzzHear(f *testing.F) { gamestest.FuzzHear(f, newGame(f, "goofspiel(num_cards=5)")) }

// Equal bids leave the card to nobody, the last cards play themselves, and a bid
// stays hidden until both have bid.
func TestTricks(t *testing.T) {
	s := newGame(t, "goofspiel(num_cards=3,points_order=descending,returns_type=point_difference)").Start()
	apply := func(actions ...games.Action) {
		for _, a := range actions {
			if err := s.Apply(a); err != nil {
				t.Fatal(err)
			}
		}
	}
	before := games.Key(s, 1)
	apply(1)
	if after := games.Key(s, 1); after != before {
		t.Errorf("the second player sees the first's bid: %q, then %q", before, after)
	}
	apply(1, 2, 0) // 2 and 2 for the 3: nobody; 3 and 1 for the 2: the first
	// What is left: 1 and 3 for the 1, which the second takes.
	if s.Turn() != games.Over || s.Returns(nil)[0] != 0.5 {
		t.Errorf("turn %d, returns %v, want half of 2 less 1", s.Turn(), s.Returns(nil))
	}
	if key := games.Key(s, 0); key != "P0 3:2/2 2:3/1 1:1/3" {
		t.Errorf("the first player's key is %q", key)
	}
}

func TestBadParameters(t *testing.T) {
	for _, name := range []string{
		"goofspiel(num_cards=1)", "goofspiel(num_cards=21)", "goofspiel(num_cards=4,num_turns=5)", "goofspiel(num_turns=0)",
		"goofspiel(points_order=odd)", "goofspiel(returns_type=total_points)", "goofspiel(players=3)", "goofspiel(egocentric=true)",
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
