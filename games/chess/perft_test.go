package chess_test

import (
	"os"
	"testing"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/games/chess"
)

// Counts of move sequences: https://www.chessprogramming.org/Perft_Results.
var perfts = []struct {
	fen    string
	counts [5]int
}{
	{chess.StartFEN, [5]int{20, 400, 8902, 197281, 4865609}},
	{kiwipete, [5]int{48, 2039, 97862, 4085603, 193690690}},
	{"8/2p5/3p4/KP5r/1R3p1k/8/4P1P1/8 w - - 0 1", [5]int{14, 191, 2812, 43238, 674624}},
	{"r3k2r/Pppp1ppp/1b3nbN/nP6/BBP1P3/q4N2/Pp1P2PP/R2Q1RK1 w kq - 0 1", [5]int{6, 264, 9467, 422333, 15833292}},
	{"rnbq1k1r/pp1Pbppp/2p5/8/2B5/8/PPP1NnPP/RNBQK2R w KQ - 1 8", [5]int{44, 1486, 62379, 2103487, 89941194}},
	{"r4rk1/1pp1qppp/p1np1n2/2b1p1B1/2B1P1b1/P1NP1N2/1PP1QPPP/R4RK1 w - - 0 10", [5]int{46, 2079, 89890, 3894594, 164075551}},
}

func TestPerft(t *testing.T) {
	depth := 3
	if os.Getenv("AGON_TEST_SLOW") != "" {
		depth = 5
	}
	for _, test := range perfts {
		t.Run(test.fen, func(t *testing.T) {
			t.Parallel()
			game, err := chess.New(test.fen, chess.FIDE)
			if err != nil {
				t.Fatal(err)
			}
			for i, want := range test.counts[:depth] {
				if got := perft(t, game.Start(), i+1); got != want {
					t.Errorf("depth %d: %d sequences, expected %d", i+1, got, want)
				}
			}
		})
	}
}

func perft(t *testing.T, s games.State, depth int) int {
	actions := s.Actions(nil)
	if depth == 1 {
		return len(actions)
	}
	sum, next := 0, s.Clone()
	for _, a := range actions {
		next = games.Copy(next, s)
		if err := next.Apply(a); err != nil {
			t.Fatal(err)
		}
		sum += perft(t, next, depth-1)
	}
	return sum
}
