package nim_test

import (
	"testing"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/games/gamestest"
	"github.com/agon-rl/agon/games/nim"
)

func TestConformance(t *testing.T) {
	for _, name := range []string{"nim", "nim(is_misere=false,pile_sizes=3;4;5)", "nim(pile_sizes=4)", "nim(pile_sizes=1;2)"} {
		t.Run(name, func(t *testing.T) { gamestest.Run(t, newGame(t, name), gamestest.Options{Nodes: 2000}) })
	}
}

func FuzzApply(f *testing.F) { gamestest.FuzzApply(f, newGame(f, "nim")) }

func FuzzHear(f *testing.F) { gamestest.FuzzHear(f, newGame(f, "nim")) }

func newGame(t testing.TB, name string) games.Game {
	t.Helper()
	game, err := games.New(name)
	if err != nil {
		t.Fatal(err)
	}
	return game
}

// TestBouton holds the value of every three piles of up to four objects against
// the theory: whoever is to move loses where the sizes add up to zero without
// carry; where no pile is larger than one, misère is the other way round.
func TestBouton(t *testing.T) {
	for i := range 64 {
		sizes := []int{1 + i%4, 1 + i/4%4, 1 + i/16}
		for _, misere := range []bool{false, true} {
			game, err := nim.New(sizes, misere)
			if err != nil {
				t.Fatal(err)
			}
			want := sizes[0]^sizes[1]^sizes[2] != 0
			if misere && max(sizes[0], sizes[1], sizes[2]) == 1 {
				want = !want
			}
			if got := wins(game.Start(), map[string]bool{}); got != want {
				t.Errorf("%v, misère %v: the first player wins: %v, expected %v", sizes, misere, got, want)
			}
		}
	}
	if wins(newGame(t, "nim").Start(), map[string]bool{}) {
		t.Error("the first player wins from 1, 3, 5, 7")
	}
}

// wins tells whether the seat to move wins.
func wins(s games.State, known map[string]bool) bool {
	position := string(s.(games.Positioned).AppendPosition(nil))
	if won, ok := known[position]; ok {
		return won
	}
	mover := s.Turn()
	for _, a := range s.Actions(nil) {
		next := s.Clone()
		if err := next.Apply(a); err != nil {
			panic(err)
		}
		over := next.Turn() == games.Over
		if over && next.Returns(nil)[mover] == 1 || !over && !wins(next, known) {
			known[position] = true
			return true
		}
	}
	known[position] = false
	return false
}

func TestBadParameters(t *testing.T) {
	for _, name := range []string{
		"nim(pile_sizes=0)", "nim(pile_sizes=3;-1)", "nim(pile_sizes=3;;4)", "nim(pile_sizes=three)", "nim(pile_sizes=200;100)",
		"nim(pile_sizes=9223372036854775807;1)", "nim(is_misere=perhaps)", "nim(piles=3)",
	} {
		if _, err := games.New(name); err == nil {
			t.Errorf("%s is taken", name)
		} else {
			t.Log(err)
		}
	}
	if _, err := nim.New(nil, true); err == nil {
		t.Error("no piles are taken")
	}
}
