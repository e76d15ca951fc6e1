package games_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/agon-rl/agon/games"
)

func stateAt(t testing.TB, name string, actions ...games.Action) games.State {
	t.Helper()
	game, err := games.New(name)
	if err != nil {
		t.Fatal(err)
	}
	s := game.Start()
	for _, a := range actions {
		if err := s.Apply(a); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func TestHear(t *testing.T) {
	kuhn := stateAt(t, "kuhn_poker", 0, 2)
	deal := stateAt(t, "kuhn_poker(players=10)")
	board := stateAt(t, "tic_tac_toe", 0) // o to move, 0 is taken
	columns := stateAt(t, "connect_four(rows=2,columns=12)")
	oblong := stateAt(t, "matrix(matrix/testdata/oblong.json)", 0)
	for _, test := range []struct {
		name  string
		state games.State
		text  string
		want  games.Action
	}{
		{"name", kuhn, "Bet", 1},
		{"lower case", kuhn, "i pass", 0},
		{"last name", kuhn, "Bet? No: Pass.", 0},
		{"number in brackets", kuhn, "[1]", 1},
		{"spaces in brackets", kuhn, "[ 1 ]", 1},
		{"number alone", kuhn, " 1\n", 1},
		{"number before name", kuhn, "[1] no, Pass", 0},
		{"name before number", kuhn, "Pass no, [1]", 1},
		{"name in brackets", kuhn, "[Bet]", 1},
		{"name in a tag", kuhn, "<answer>Bet</answer> ", 1},
		{"part of a word", kuhn, "Pass, better so", 0},
		{"numbers in prose", kuhn, "with 1 chip and 2 players I Pass", 0},
		{"box", kuhn, `\boxed{Bet}`, 1},
		{"box counts", kuhn, `\boxed{Bet} and not Pass`, 1},
		{"last box", kuhn, `\boxed{Bet} then \boxed{Pass}`, 0},
		{"nested box", kuhn, `\boxed{\text{Bet}}`, 1},
		{"number in box", kuhn, `\boxed{1}`, 1},
		{"brackets in box", kuhn, `\boxed{[1]}`, 1},
		{"open box is no box", kuhn, `Bet \boxed{Pas`, 1},
		{"chance", deal, "Deal:1", 1},
		{"longer name", deal, "Deal:10", 10},
		{"cell", board, "o(1,1)", 4},
		{"cell by number", board, "I take [4]", 4},
		{"refused earlier", board, "[0] is taken, so [8]", 8},
		{"column", columns, "x1", 1},
		{"longer column", columns, "x11", 11},
		{"words", oblong, "far right", 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := test.state.(games.Speaker).Hear(test.text)
			if err != nil || got != test.want {
				t.Errorf("Hear(%q) is %d, error %v; expected %d", test.text, got, err, test.want)
			}
		})
	}
}

func TestHearRefuses(t *testing.T) {
	board := stateAt(t, "tic_tac_toe", 0)
	over := stateAt(t, "kuhn_poker", 0, 1, 0, 0)
	for _, test := range []struct {
		name    string
		state   games.State
		text    string
		want    string
		illegal bool
	}{
		{"nothing", board, "", `no action found in "": open are o(0,1), o(0,2)`, false},
		{"other words", board, "hello", `no action found in "hello"`, false},
		{"empty box", board, `o(1,1) \boxed{}`, "no action found", false},
		{"taken cell", board, "o(0,0)", "illegal action o(0,0): open are o(0,1)", true},
		{"the last is taken", board, "o(1,1) or [0]", "illegal action o(0,0)", true},
		{"no such cell", board, "[9]", "illegal action 9", true},
		{"negative", board, "[-1]", "illegal action -1", true},
		{"other's stone", board, "x(1,1)", "no action found", false},
		{"number beyond 32 bits", board, "[4294967300]", "no action found", false},
		{"long text", board, strings.Repeat("é", 1000), `"…é`, false},
		{"the end", over, "Bet", "the game is over", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			a, err := test.state.(games.Speaker).Hear(test.text)
			if err == nil {
				t.Fatalf("Hear(%q) is %d, expected an error", test.text, a)
			}
			if !strings.Contains(err.Error(), test.want) || errors.Is(err, games.ErrIllegal) != test.illegal {
				t.Errorf("Hear(%q) fails with %q, expected %q; wraps ErrIllegal: %v, expected %v", test.text, err, test.want, errors.Is(err, games.ErrIllegal), test.illegal)
			}
			if len(err.Error()) > 400 {
				t.Errorf("the error is %d bytes long", len(err.Error()))
			}
		})
	}
}
