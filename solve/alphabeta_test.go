package solve_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/solve"
)

// Alpha-beta finds minimax's value with fewer positions, and known values.
func TestAlphaBeta(t *testing.T) {
	for _, test := range []struct {
		game  string
		value float64
	}{
		{"tic_tac_toe", 0},
		{"connect_four(rows=4,columns=4)", 0},
		{"connect_four(rows=2,columns=3,x_in_row=2)", 1},
		{"hex(board_size=3)", 1},
		{"hex(board_size=3,swap=true)", -1},
		// Misère nim goes to the second player where the sizes' exclusive or is
		// 0 and some pile holds more than one (Bouton 1901).
		{"nim", -1},
		{"nim(pile_sizes=1;2)", 1},
		{"nim(is_misere=false,pile_sizes=3;4;5)", 1},
	} {
		game, err := games.New(test.game)
		if err != nil {
			t.Fatal(err)
		}
		value, positions, err := solve.AlphaBeta(t.Context(), game, solve.DefaultPositions)
		if err != nil {
			t.Fatal(err)
		}
		if value != test.value {
			t.Errorf("%s: %g, want %g", test.game, value, test.value)
		}
		all, err := solve.Minimax(t.Context(), game)
		if err != nil {
			t.Fatal(err)
		}
		if full, err := all.Value(t.Context(), game.Start()); err != nil || full != value {
			t.Errorf("%s: minimax %g, alpha-beta %g: %v", test.game, full, value, err)
		}
		if positions >= all.Positions() {
			t.Errorf("%s: %d positions, minimax needs %d", test.game, positions, all.Positions())
		}
	}
}

func TestAlphaBetaRefuses(t *testing.T) {
	for name, want := range map[string]string{"kuhn_poker": "hides information", "pig": "has chance", "kuhn_poker(players=3)": "3 seats"} {
		game, err := games.New(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := solve.AlphaBeta(t.Context(), game, 10); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
	game, err := games.New("connect_four")
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := solve.AlphaBeta(t.Context(), game, 1000); !errors.Is(err, solve.ErrTooLarge) {
		t.Errorf("1,000 positions of connect four: %v", err)
	}
}
