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

// BenchmarkPlies plays random moves without looking for draws: by the moves made
// here and by notnil's.
func BenchmarkPlies(b *testing.B) {
	b.Run("agon", func(b *testing.B) {
		game, err := chess.New(chess.StartFEN, chess.FIDE)
		if err != nil {
			b.Fatal(err)
		}
		r, s := rand.New(rand.NewPCG(1, 2)), game.Start()
		var actions []games.Action
		for b.Loop() {
			if s.Turn() == games.Over {
				s = game.Start()
			}
			actions = s.Actions(actions[:0])
			if err := s.Apply(actions[r.IntN(len(actions))]); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "plies/s")
	})
	b.Run("notnil", func(b *testing.B) {
		r, p := rand.New(rand.NewPCG(1, 2)), notnil.StartingPosition()
		for b.Loop() {
			moves := p.ValidMoves()
			if len(moves) == 0 || p.HalfMoveClock() >= 150 {
				p = notnil.StartingPosition()
				moves = p.ValidMoves()
			}
			p = p.Update(moves[r.IntN(len(moves))])
		}
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "plies/s")
	})
}
