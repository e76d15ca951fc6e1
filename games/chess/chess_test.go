package chess_test

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/games/chess"
	_ "github.com/agon-rl/agon/games/connectfour"
	"github.com/agon-rl/agon/games/gamestest"
)

const kiwipete = "r3k2r/p1ppqpb1/bn2pnp1/3PN3/1p2P3/2N2Q1p/PPPBBPPP/R3K2R w KQkq - 0 1"

func TestConformance(t *testing.T) {
	for _, name := range []string{
		"chess",
		"chess(ends=fide)",
		"chess(fen=n1n5/PPPk4/8/8/8/8/4Kppp/5N1N b - - 0 1)",
		"chess(ends=fide,fen=" + kiwipete + ")",
		"chess(ends=fide,fen=7k/8/8/8/8/8/1R6/K7 w - - 99 80)", // draws to claim
		"chess(fen=7k/5KQ1/8/8/8/8/8/8 b - - 0 1)",             // over from the start
	} {
		t.Run(name, func(t *testing.T) { gamestest.Run(t, newGame(t, name), gamestest.Options{Nodes: 150, Walks: 1}) })
	}
}

func FuzzApply(f *testing.F) { gamestest.FuzzApply(f, newGame(f, "chess")) }

func FuzzHear(f *testing.F) { gamestest.FuzzHear(f, newGame(f, "chess")) }

func newGame(t testing.TB, name string) games.Game {
	t.Helper()
	game, err := games.New(name)
	if err != nil {
		t.Fatal(err)
	}
	return game
}

// after plays words from a position.
func after(t testing.TB, name string, words string) games.State {
	t.Helper()
	s := newGame(t, name).Start()
	for _, word := range strings.Fields(words) {
		a, err := chess.Find(s, word)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Apply(a); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func TestBadParameters(t *testing.T) {
	for _, name := range []string{
		"chess(ends=draw)", "chess(rows=8)", "chess(fen=)", "chess(fen=start)", `chess(fen="")`,
		"chess(fen=rnbqkbnr/pppppppp/8/8/8/8/PPPPPPPP/RNBQKBNR)",               // no side to move
		"chess(fen=rnbqkbnr/pppppppp/8/8/8/8/PPPPPPP/RNBQKBNR w KQkq - 0 1)",   // a short rank
		"chess(fen=rnbqkbnr/ppppppppp/8/8/8/8/PPPPPPPP/RNBQKBNR w KQkq - 0 1)", // a long rank
		"chess(fen=8/8/8/8/8/8/8/K7 w - - 0 1)",                                // no black king
		"chess(fen=kk6/8/8/8/8/8/8/K7 w - - 0 1)",                              // two black kings
		"chess(fen=k7/8/8/8/8/8/8/K6r b - - 0 1)",                              // White in check
		"chess(fen=8/8/8/8/8/8/kK6/8 w - - 0 1)",                               // kings side by side
		"chess(fen=k6P/8/8/8/8/8/8/K7 w - - 0 1)",                              // a pawn on the last rank
		"chess(fen=k7/8/8/8/8/8/8/K6R w K - 0 1)",                              // castling without a king on e1
		"chess(fen=k7/8/8/8/8/8/8/4K3 w K - 0 1)",                              // castling without a rook
		"chess(fen=k7/8/8/8/8/8/8/K6R w - e3 0 1)",                             // en passant of the side to move
		"chess(fen=k7/8/8/8/8/8/8/K6R w - e6 0 1)",                             // en passant without a pawn
		"chess(fen=k7/8/8/8/8/8/8/K6R w - - -1 1)",                             // clocks
		"chess(fen=k7/8/8/8/8/8/8/K6R w - - 0 0)",
		"chess(fen=k7/8/8/8/8/8/8/K6R w - - 0 99999999999999999999)",
		"chess(fen=k7/8/8/8/8/8/8/K6R x - - 0 1)",
		"chess(fen=QQQQQQQ1/Q6Q/Q6Q/Q6Q/Q6Q/Q6Q/Q5nr/KQQQ2bk w - - 0 1)", // more queens than pawns can give
	} {
		_, err := games.New(name)
		if err == nil {
			t.Errorf("%s is taken", name)
			continue
		}
		if strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: the error has several lines: %v", name, err)
		}
		t.Log(err)
	}
}

// Four fields are enough, and what is odd but possible is taken.
func TestFEN(t *testing.T) {
	for given, want := range map[string]string{
		"rnbqkbnr/pppppppp/8/8/8/8/PPPPPPPP/RNBQKBNR w KQkq -":         chess.StartFEN,
		"rnbqkbnr/pppppppp/8/8/4P3/8/PPPP1PPP/RNBQKBNR b KQkq e3 0 1":  "rnbqkbnr/pppppppp/8/8/4P3/8/PPPP1PPP/RNBQKBNR b KQkq - 0 1",
		"rnbqkbnr/ppp1pppp/8/8/3pP3/8/PPPP1PPP/RNBQKBNR b KQkq e3 0 3": "rnbqkbnr/ppp1pppp/8/8/3pP3/8/PPPP1PPP/RNBQKBNR b KQkq e3 0 3",
		"3k4/8/8/8/3pP3/8/8/3RK3 b - e3 0 1":                           "3k4/8/8/8/3pP3/8/8/3RK3 b - - 0 1", // the pawn is pinned
		"k7/8/8/8/8/8/8/K6R  w  -  -  120  300":                        "k7/8/8/8/8/8/8/K6R w - - 120 300",
	} {
		game, err := chess.New(given, chess.OpenSpiel)
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := chess.FEN(game.Start()); got != want {
			t.Errorf("%s is written %s, expected %s", given, got, want)
		}
	}
	if got := newGame(t, "chess(fen="+chess.StartFEN+")").Info().Name; got != "chess" {
		t.Errorf("the usual start is named %s", got)
	}
}

// Where games end, and why. The cases in which OpenSpiel and FIDE, or simple
// programs and the Laws, part ways.
func TestEnds(t *testing.T) {
	shuffle, back := " Nc6 Nc3 Nb8 Nb1", "Nf3 Nf6 Ng1 Ng8 "
	for _, test := range []struct {
		game, words, reason string
		white               float64
	}{
		{"chess", "f3 e5 g4 Qh4", "checkmate", -1},
		{"chess", "e4 e5 Bc4 Nc6 Qh5 Nf6 Qxf7", "checkmate", 1},
		{"chess", "Nf3 Nf6 Ng1 Ng8 Nf3 Nf6 Ng1", "", 0},
		{"chess", "Nf3 Nf6 Ng1 Ng8 Nf3 Nf6 Ng1 Ng8", "3-fold repetition", 0},
		// No pawn can capture on e3, so the position after 1. e4 counts as
		// repeated.
		{"chess", "e4" + shuffle + shuffle, "3-fold repetition", 0},
		// Here the first time one can.
		{"chess(fen=4k1n1/8/8/8/3p4/8/4P3/4K1N1 w - - 0 1)", "e4 Nf6 Nf3 Ng8 Ng1 Nf6 Nf3 Ng8 Ng1", "", 0},
		{"chess(fen=4k1n1/8/8/8/3p4/8/4P3/4K1N1 w - - 0 1)", "e4 Nf6 Nf3 Ng8 Ng1 Nf6 Nf3 Ng8 Ng1 Nf6", "3-fold repetition", 0},
		// Here it seems so, but the pawn is pinned.
		{"chess(fen=3k2n1/8/8/8/3p4/8/4P3/3RK1N1 w - - 0 1)", "e4 Nf6 Nf3 Ng8 Ng1 Nf6 Nf3 Ng8 Ng1", "3-fold repetition", 0},
		// The first two times White may still castle.
		{"chess(fen=4k3/8/8/8/8/8/8/4K2R w K - 0 1)", "Ke2 Kd8 Ke1 Ke8 Ke2 Kd8 Ke1 Ke8", "", 0},
		{"chess(ends=fide)", "e4" + shuffle + shuffle + shuffle, "", 0},
		{"chess(ends=fide)", "e4" + shuffle + shuffle + shuffle + shuffle, "5-fold repetition", 0},
		{"chess(fen=6k1/8/8/8/8/8/8/K6R w - - 99 80)", "Kb1", "50-move rule", 0},
		{"chess(fen=6k1/8/8/8/8/8/8/K6R w - - 98 80)", "Kb1", "", 0},
		{"chess(fen=7k/5Q2/6K1/8/8/8/8/8 w - - 99 80)", "Qg7", "checkmate", 1}, // mate goes first
		{"chess(ends=fide,fen=6k1/8/8/8/8/8/8/K6R w - - 148 80)", "Kb1", "", 0},
		{"chess(ends=fide,fen=6k1/8/8/8/8/8/8/K6R w - - 149 80)", "Kb1", "75-move rule", 0},
		{"chess(ends=fide)", back + back + "draw", "draw claimed", 0},
		{"chess(ends=fide,fen=7k/8/8/8/8/8/1R6/K7 b - - 100 80)", "draw", "draw claimed", 0},
		{"chess(fen=7k/8/6K1/8/8/8/8/5Q2 w - - 0 1)", "Qf7", "stalemate", 0},
		{"chess(fen=8/8/8/8/8/8/7k/K7 w - - 0 1)", "", "insufficient material", 0},
		{"chess(fen=8/8/8/8/8/8/N6k/K7 w - - 0 1)", "", "insufficient material", 0},
		{"chess(fen=8/8/8/8/8/8/NN5k/K7 w - - 0 1)", "", "", 0},
		{"chess(fen=8/8/8/8/8/8/Nn5k/K7 w - - 0 1)", "", "", 0},
		{"chess(fen=8/8/8/8/8/8/Bb5k/K7 w - - 0 1)", "", "", 0},
		{"chess(fen=8/8/8/8/8/1b6/B6k/K7 w - - 0 1)", "", "insufficient material", 0},
		{"chess(fen=8/8/8/8/8/B1b1b3/7k/K7 w - - 0 1)", "", "insufficient material", 0},
		{"chess(fen=8/8/8/8/8/6p1/6Bk/K7 w - - 0 1)", "", "", 0},
	} {
		s := after(t, test.game, test.words)
		if got := chess.Reason(s); got != test.reason || (s.Turn() == games.Over) != (test.reason != "") {
			t.Errorf("%s %s: the end is %q, expected %q", test.game, test.words, got, test.reason)
		}
		if got := s.Returns(nil)[1]; got != test.white {
			t.Errorf("%s %s: White has %g, expected %g", test.game, test.words, got, test.white)
		}
	}
}

// Where a draw can be claimed: while the third repetition or fifty moves stand on
// the board.
func TestClaims(t *testing.T) {
	const back = "Nf3 Nf6 Ng1 Ng8 "
	for _, test := range []struct {
		game, words string
		open        bool
	}{
		{"chess(ends=fide)", "", false},
		{"chess(ends=fide)", back + "Nf3 Nf6 Ng1", false}, // the next move would repeat
		{"chess(ends=fide)", back + back, true},
		{"chess(ends=fide)", back + back + "e4", false}, // too late
		{"chess(ends=fide)", back + back + "Nf3", true}, // this one stands for the third time too
		{"chess(ends=fide)", back + back + back, true},
		{"chess(ends=fide)", back + back + back + back, false}, // over: the fifth time
		{"chess", back + back, false},                          // over: the third time
		{"chess(ends=fide,fen=7k/8/8/8/8/8/1R6/K7 w - - 98 80)", "Rb3", false},
		{"chess(ends=fide,fen=7k/8/8/8/8/8/1R6/K7 w - - 99 80)", "Rb3", true},
		{"chess(ends=fide,fen=7k/8/8/8/8/8/1R6/K7 w - - 99 80)", "", false},
		{"chess(ends=fide,fen=7k/5Q2/6K1/8/8/8/8/8 w - - 99 80)", "Qg7", false}, // mate goes first
		{"chess(fen=7k/8/8/8/8/8/1R6/K7 w - - 99 80)", "", false},
	} {
		s := after(t, test.game, test.words)
		before := games.Key(s, 0)
		if open := slices.Contains(s.Actions(nil), chess.ClaimDraw); open != test.open {
			t.Errorf("%s %s: a claim is open: %t, expected %t", test.game, test.words, open, test.open)
		}
		err := s.Apply(chess.ClaimDraw)
		if !test.open {
			if !errors.Is(err, games.ErrIllegal) || games.Key(s, 0) != before {
				t.Errorf("%s %s: a claim has error %v and makes %q of %q", test.game, test.words, err, games.Key(s, 0), before)
			}
			continue
		}
		if want := strings.TrimSpace(before + " draw"); err != nil || s.Turn() != games.Over || games.Key(s, 1) != want {
			t.Errorf("%s %s: a claim has error %v, it is %d's turn and the key %q, expected the end and %q", test.game, test.words, err, s.Turn(), games.Key(s, 1), want)
		}
		if diff := cmp.Diff([]float64{0, 0}, s.Returns(nil)); diff != "" {
			t.Errorf("%s %s: the returns differ:\n%s", test.game, test.words, diff)
		}
		if prompt := s.(games.Speaker).Prompt(0); !strings.Contains(prompt, "It is the end: draw claimed.") {
			t.Errorf("%s %s: the prompt does not tell: %s", test.game, test.words, prompt)
		}
	}
	for name, want := range map[string]int{"chess": 4674, "chess(ends=fide)": 4675} {
		if got := newGame(t, name).Info().Actions; got != want {
			t.Errorf("%s has %d actions, expected %d", name, got, want)
		}
	}
}

// A claim has words in every direction.
func TestClaimInText(t *testing.T) {
	open := after(t, "chess(ends=fide)", "Nf3 Nf6 Ng1 Ng8 Nf3 Nf6 Ng1 Ng8")
	for _, text := range []string{"claim draw", "I claim the draw.", "e4? No, claim a draw", "[4674]", "4674", `\boxed{Claim draw}`} {
		if a, err := open.(games.Speaker).Hear(text); err != nil || a != chess.ClaimDraw {
			t.Errorf("%q is heard as %d, error %v", text, a, err)
		}
	}
	for text, want := range map[string]string{"claim draw? No: e4": "e4", "it is a draw; Nf3": "Nf3"} {
		if a, err := open.(games.Speaker).Hear(text); err != nil || games.Say(open, a) != want {
			t.Errorf("%q is heard as %d, error %v, expected %s", text, a, err, want)
		}
	}
	if got := games.Say(open, chess.ClaimDraw); got != "claim draw" {
		t.Errorf("the claim is called %s", got)
	}
	if uci, err := chess.UCI(open, chess.ClaimDraw); uci != "draw" || err != nil {
		t.Errorf("engines call it %s, error %v", uci, err)
	}
	if prompt := open.(games.Speaker).Prompt(1); !strings.Contains(prompt, "A draw can be claimed: claim draw [4674].") {
		t.Errorf("the prompt does not tell that a draw can be claimed: %s", prompt)
	}
	for game, want := range map[string]string{"chess(ends=fide)": "illegal action claim draw: open are a3", "chess": `no action found in "I claim a draw"`} {
		s := after(t, game, "")
		if _, err := s.(games.Speaker).Hear("I claim a draw"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: the error is %v, expected %s", game, err, want)
		}
		if _, err := chess.Find(s, "claim draw"); !errors.Is(err, games.ErrIllegal) {
			t.Errorf("%s: Find has error %v", game, err)
		}
		if _, err := chess.UCI(s, chess.ClaimDraw); !errors.Is(err, games.ErrIllegal) {
			t.Errorf("%s: UCI has error %v", game, err)
		}
	}
}

func TestHear(t *testing.T) {
	bishopOrPawn := "chess(fen=4k3/8/8/8/8/2n5/1P1B4/4K3 w - - 0 1)"
	onlyBishop := "chess(fen=4k3/8/8/8/8/2n5/3B4/4K3 w - - 0 1)"
	castles := "chess(fen=r3k2r/8/8/8/8/8/8/R3K2R w KQkq - 0 1)"
	promotes := "chess(fen=4k3/P7/8/8/8/8/8/4K3 w - - 0 1)"
	knights := "chess(fen=4k3/8/8/8/8/8/8/1N2KN2 w - - 0 1)"
	for _, test := range []struct{ game, text, want string }{
		{"chess", "e4", "e4"}, {"chess", "e2e4", "e4"}, {"chess", "E2-E4", "e4"}, {"chess", "[2426]", "e4"}, {"chess", "2426", "e4"},
		{"chess", "I play 1.e4!", "e4"}, {"chess", "not e4 but **Nf3**.", "Nf3"}, {"chess", "NF3", "Nf3"}, {"chess", "nf3", "Nf3"},
		{"chess", "Ng1f3", "Nf3"}, {"chess", `\boxed{d4}, better than e4`, "d4"}, {"chess", "g1f3", "Nf3"},
		{bishopOrPawn, "bxc3", "bxc3"}, {bishopOrPawn, "Bxc3", "Bxc3"}, {bishopOrPawn, "Bc3", "Bxc3"}, {onlyBishop, "bxc3", "Bxc3"},
		{castles, "O-O", "O-O"}, {castles, "0-0-0", "O-O-O"}, {castles, "e1g1", "O-O"}, {castles, "o-o", "O-O"}, {castles, "Rxh8", "Rxh8+"},
		{promotes, "a8=Q", "a8=Q+"}, {promotes, "a7a8n", "a8=N"}, {promotes, "A8=R", "a8=R+"}, {promotes, "a8Q+", "a8=Q+"},
		{knights, "Nbd2", "Nbd2"}, {knights, "nfd2", "Nfd2"}, {knights, "Nb1d2", "Nbd2"},
	} {
		s := after(t, test.game, "")
		a, err := s.(games.Speaker).Hear(test.text)
		if err != nil {
			t.Errorf("%s: %q: %v", test.game, test.text, err)
		} else if got := games.Say(s, a); got != test.want {
			t.Errorf("%s: %q is heard as %s, expected %s", test.game, test.text, got, test.want)
		}
	}
	for _, test := range []struct{ game, text, want string }{
		{"chess", "e5", "illegal action e5: open are a3, a4"},
		{"chess", "e4, no: Qh5", "illegal action Qh5"},
		{"chess", "I resign", `no action found in "I resign"`},
		{"chess", `e4 \boxed{resign}`, `no action found in "e4 \\boxed{resign}"`},
		{"chess", "[4673]", "illegal action 4673"},
		{promotes, "a8", "illegal action a8"},
		{knights, "Nd2", "illegal action Nd2"}, // which one?
		{castles, "Kg1", "illegal action Kg1"},
	} {
		s := after(t, test.game, "")
		if a, err := s.(games.Speaker).Hear(test.text); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %q is %d with error %v, expected %s", test.game, test.text, a, err, test.want)
		}
	}
}

// Both seats see the board from their own side, and what came before.
func TestObserve(t *testing.T) {
	const king, rights = 5, 8*14 + 2
	s := after(t, "chess", "e4 Nc6 Nc3 Nb8 Nb1 Nc6")
	planes := func(seat games.Seat) func(plane, row, column int) float32 {
		dst := make([]float32, 119*64)
		s.Observe(seat, dst)
		return func(plane, row, column int) float32 { return dst[plane*64+row*8+column] }
	}
	forWhite, forBlack := planes(1), planes(0)
	for what, got := range map[string][2]float32{
		"White's king for White":           {forWhite(king, 0, 4), 1},
		"White's king for Black":           {forBlack(6+king, 7, 4), 1},
		"Black's king for Black":           {forBlack(king, 0, 4), 1},
		"White's pawn on e4 for Black":     {forBlack(6, 4, 4), 1},
		"Black's knight on c6":             {forBlack(1, 2, 2), 1},
		"Black's knight on b8 before":      {forBlack(14+1, 0, 1), 1},
		"the position's second time":       {forWhite(12, 3, 3), 1},
		"and no third":                     {forWhite(13, 3, 3), 0},
		"the first time, four plies ago":   {forWhite(4*14+12, 3, 3), 0},
		"nothing before the start":         {forWhite(7*14+king, 0, 4), 0},
		"White's colour":                   {forWhite(8*14, 7, 7), 1},
		"Black's colour":                   {forBlack(8*14, 7, 7), 0},
		"the number of the move":           {forWhite(8*14+1, 0, 0), 0.04},
		"White's right to castle":          {forWhite(rights, 0, 0), 1},
		"five of a hundred plies go by":    {forWhite(118, 0, 0), 0.05},
		"no pawn of White's on e2 is left": {forWhite(0, 1, 4), 0},
	} {
		if got[0] != got[1] {
			t.Errorf("%s: %g, expected %g", what, got[0], got[1])
		}
	}
}

// Goroutines that play on from copies of one state must not touch what they
// share; the race detector watches.
func TestShared(t *testing.T) {
	s := after(t, "chess(fen="+kiwipete+")", "O-O O-O-O Qxf6")
	var group sync.WaitGroup
	for i := range 8 {
		c := s.Clone()
		group.Go(func() {
			for ply := range 10 {
				c.(games.Speaker).Prompt(0)
				games.Key(c, 0)
				if _, err := c.(games.Speaker).Hear("e4"); err != nil && !errors.Is(err, games.ErrIllegal) {
					t.Error(err)
				}
				actions := c.Actions(nil)
				if len(actions) == 0 {
					return
				}
				if err := c.Apply(actions[(i+ply)%len(actions)]); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	if got, _ := chess.FEN(s); got != "2kr3r/p1ppqpb1/bn2pQp1/3PN3/1p2P3/2N4p/PPPBBPPP/R4RK1 b - - 0 2" {
		t.Errorf("the state that was copied is now %s", got)
	}
}

// Copies of a state at the same position by another order of moves share it;
// one more repetition behind them makes it another.
func TestPosition(t *testing.T) {
	position := func(words string) string {
		return string(after(t, "chess", words).(games.Positioned).AppendPosition(nil))
	}
	if diff := cmp.Diff(position("e4 e5 Nf3 Nc6 Bc4"), position("e4 Nc6 Bc4 e5 Nf3")); diff == "" {
		t.Error("clocks that differ are not told apart")
	}
	if diff := cmp.Diff(position("d4 d5 e4 e5"), position("d4 e5 e4 d5")); diff != "" {
		t.Error(diff)
	}
	if position("e4 e5 Nf3 Nf6 Ng1 Ng8") == position("e4 e5 Nf3 Nc6 Ng1 Nb8") {
		t.Error("positions with other repetitions behind them are the same")
	}
	s := after(t, "chess(ends=fide)", "Nf3 Nf6 Ng1 Ng8 Nf3 Nf6 Ng1 Ng8")
	before := string(s.(games.Positioned).AppendPosition(nil))
	if err := s.Apply(chess.ClaimDraw); err != nil {
		t.Fatal(err)
	}
	if before == string(s.(games.Positioned).AppendPosition(nil)) {
		t.Error("a claim does not change the position")
	}
}
