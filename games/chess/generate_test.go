package chess_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	notnil "github.com/notnil/chess"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/games/chess"
)

// agree compares the legal moves of a state, and whether they give check, with
// those of notnil/chess, which reads the position from its FEN.
func agree(t testing.TB, s games.State) {
	t.Helper()
	fen, err := chess.FEN(s)
	if err != nil {
		t.Fatal(err)
	}
	position := &notnil.Position{}
	if err := position.UnmarshalText([]byte(fen)); err != nil {
		t.Fatal(err)
	}
	var want, got []string
	for _, m := range position.ValidMoves() {
		name := m.String()
		if m.HasTag(notnil.Check) {
			name += "+"
		}
		want = append(want, name)
	}
	for _, a := range legal(s) {
		uci, err := chess.UCI(s, a)
		if err != nil {
			t.Fatal(err)
		}
		if san := games.Say(s, a); strings.ContainsAny(san, "+#") {
			uci += "+"
		}
		got = append(got, uci)
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("%s (-notnil +Agon):\n%s", fen, diff)
	}
	mated := position.Status() == notnil.Checkmate
	if mate := chess.Reason(s) == "checkmate"; mate != mated {
		t.Fatalf("%s: checkmate %t, notnil says %t", fen, mate, mated)
	}
}

// The moves made here are notnil's, in every position that perft meets and in
// those of random games.
func TestMovesAreNotnils(t *testing.T) {
	for _, test := range perfts {
		game, err := chess.New(test.fen, chess.FIDE)
		if err != nil {
			t.Fatal(err)
		}
		met := 0
		var walk func(s games.State, depth int)
		walk = func(s games.State, depth int) {
			met++
			agree(t, s)
			if depth == 0 || s.Turn() == games.Over {
				return
			}
			for _, a := range s.Actions(nil) {
				next := s.Clone()
				if err := next.Apply(a); err != nil {
					t.Fatal(err)
				}
				walk(next, depth-1)
			}
		}
		walk(game.Start(), 2)
		r := rand.New(rand.NewPCG(1, 2))
		for range 5 {
			s := game.Start()
			for ; s.Turn() != games.Over; met++ {
				agree(t, s)
				actions := s.Actions(nil)
				if err := s.Apply(actions[r.IntN(len(actions))]); err != nil {
					t.Fatal(err)
				}
			}
			agree(t, s)
		}
		t.Logf("%s: %d positions", test.fen, met)
	}
}

// Positions in which simple generators go wrong.
var traps = []string{
	"8/8/8/8/k2Pp2Q/8/8/3K4 b - d3 0 1",                    // en passant bares the rank
	"8/8/8/2k5/3Pp3/8/8/4K3 b - d3 0 1",                    // en passant takes what gives check
	"4k3/8/8/3pP3/8/5n2/8/4K3 w - d6 0 1",                  // a knight gives check meanwhile
	"8/8/1k6/2b5/2pP4/8/5K2/8 b - d3 0 1",                  // the passed square lies behind a bishop
	"4k3/8/6b1/8/3pP3/8/2K5/8 b - e3 0 1",                  // en passant on the line of a bishop
	"b7/8/8/3pP3/4K3/8/8/7k w - d6 0 1",                    // the captured pawn shields the king from a bishop
	"3rk3/8/8/3pP3/8/3K4/8/8 w - d6 0 1",                   // and on a file
	"r3k2r/8/3Q4/8/8/5q2/8/R3K2R b KQkq - 0 1",             // castling through attacks
	"r3k2r/8/8/8/8/8/1p6/R3K2R w KQkq - 0 1",               // a pawn attacks where kings castle
	"1r2k3/8/8/8/8/8/8/R3K3 w Q - 0 1",                     // the rook may pass an attacked square
	"4r1k1/8/8/8/8/5n2/8/4K2R w K - 0 1",                   // two checks
	"R3K2k/8/8/8/8/8/8/8 b - - 0 1",                        // a rook behind its king
	"rK5R/8/8/8/8/8/8/6k1 w - - 0 1",                       // no stepping back on the line of attack
	"7k/8/8/8/8/8/rPKPr3/8 w - - 0 1",                      // two pins on one rank
	"R6R/3Q4/1Q4Q1/4Q3/2Q4Q/Q4Q2/pp1Q4/kBNN1KB1 w - - 0 1", // 218 moves, the most there are
	"n1n5/PPPk4/8/8/8/8/4Kppp/5N1N b - - 0 1",              // promotions
}

func TestTraps(t *testing.T) {
	for _, fen := range traps {
		game, err := chess.New(fen, chess.FIDE)
		if err != nil {
			t.Fatal(err)
		}
		s := game.Start()
		agree(t, s)
		if s.Turn() == games.Over {
			continue
		}
		for _, a := range s.Actions(nil) {
			next := s.Clone()
			if err := next.Apply(a); err != nil {
				t.Fatal(err)
			}
			agree(t, next)
		}
	}
}

// FuzzMoves plays on by bytes from positions of the perft suite.
func FuzzMoves(f *testing.F) {
	for i := range perfts {
		f.Add(byte(i), []byte{3, 1, 4, 1, 5, 9, 2, 6})
	}
	f.Fuzz(func(t *testing.T, start byte, choices []byte) {
		game, err := chess.New(perfts[int(start)%len(perfts)].fen, chess.FIDE)
		if err != nil {
			t.Fatal(err)
		}
		s := game.Start()
		for _, c := range choices[:min(len(choices), 200)] {
			agree(t, s)
			if s.Turn() == games.Over {
				return
			}
			actions := s.Actions(nil)
			if err := s.Apply(actions[int(c)%len(actions)]); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// BenchmarkPlies plays the same random games, drawn by OpenSpiel's rules, with the
// moves made here and with notnil's, which does not look for draws.
func BenchmarkPlies(b *testing.B) {
	const count = 400
	var played [count][]string
	plies, r := 0, rand.New(rand.NewPCG(1, 2))
	for i := range played {
		for s := newGame(b, "chess").Start(); s.Turn() != games.Over; plies++ {
			actions := s.Actions(nil)
			a := actions[r.IntN(len(actions))]
			uci, err := chess.UCI(s, a)
			if err != nil {
				b.Fatal(err)
			}
			played[i] = append(played[i], uci)
			if err := s.Apply(a); err != nil {
				b.Fatal(err)
			}
		}
	}
	report := func(b *testing.B) {
		b.ReportMetric(float64(plies)*float64(b.N)/b.Elapsed().Seconds(), "plies/s")
		b.ReportMetric(float64(plies)/count, "plies/game")
	}
	b.Run("agon", func(b *testing.B) {
		start := newGame(b, "chess").Start()
		var moves [count][]int // which of the legal moves each is
		for i, words := range played {
			s := start.Clone()
			for _, word := range words {
				a, err := chess.Find(s, word)
				if err != nil {
					b.Fatal(err)
				}
				moves[i] = append(moves[i], slices.Index(s.Actions(nil), a))
				if err := s.Apply(a); err != nil {
					b.Fatal(err)
				}
			}
		}
		s, actions := start.Clone(), []games.Action(nil)
		for b.Loop() {
			for _, game := range moves {
				s = games.Copy(s, start)
				for _, move := range game {
					actions = s.Actions(actions[:0])
					if err := s.Apply(actions[move]); err != nil {
						b.Fatal(err)
					}
				}
			}
		}
		report(b)
	})
	b.Run("notnil", func(b *testing.B) {
		start := notnil.StartingPosition()
		var moves [count][]int
		for i, words := range played {
			p := start
			for _, word := range words {
				valid := p.ValidMoves()
				move := slices.IndexFunc(valid, func(m *notnil.Move) bool { return m.String() == word })
				moves[i] = append(moves[i], move)
				p = p.Update(valid[move])
			}
		}
		for b.Loop() {
			for _, game := range moves {
				p := start
				for _, move := range game {
					p = p.Update(p.ValidMoves()[move])
				}
			}
		}
		report(b)
	})
}
