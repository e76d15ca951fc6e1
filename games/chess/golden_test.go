package chess_test

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/games/chess"
)

// recorded is one line of what testdata/pythonchess/record.py writes.
type recorded struct {
	Ends    string   `json:"ends"`
	FEN     string   `json:"fen"`
	Moves   string   `json:"moves"`
	Options []string `json:"options"`
	Names   []string `json:"names"`
	Sums    []uint32 `json:"sums"`
	FENs    []string `json:"fens"`
	Claims  []int    `json:"claims"`
	End     string   `json:"end"`
	Result  string   `json:"result"`
}

// TestGolden replays games that python-chess recorded, the file in testdata or
// that of AGON_CHESS_GOLDEN.
func TestGolden(t *testing.T) {
	file := os.Getenv("AGON_CHESS_GOLDEN")
	if file == "" {
		file = "testdata/chess.jsonl.gz"
	}
	plies, claims := 0, 0
	for i, want := range readRecorded(t, file) {
		if want.FEN == "" {
			want.FEN = chess.StartFEN
		}
		game, err := chess.New(want.FEN, chess.Ends(want.Ends))
		if err != nil {
			t.Fatal(err)
		}
		got := recorded{Ends: want.Ends, FEN: want.FEN, Moves: want.Moves}
		s := game.Start()
		for _, move := range append(strings.Fields(want.Moves), "") {
			got.see(t, s, want.Names != nil)
			if move == "" {
				break
			}
			a, err := chess.Find(s, move)
			if err != nil {
				t.Fatalf("line %d: %v", i+1, err)
			}
			if err := s.Apply(a); err != nil {
				t.Fatalf("line %d: %v", i+1, err)
			}
			plies++
		}
		got.End = chess.Reason(s)
		record, err := chess.NewRecord(s)
		if err != nil {
			t.Fatal(err)
		}
		got.Result = record.Result
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("line %d (-python-chess +Agon):\n%s", i+1, diff)
		}
		checkPGN(t, record)
		claims += len(got.Claims)
	}
	t.Logf("%d plies are equal, and draws can be claimed at %d of them", plies, claims)
	if plies < 30000 || claims < 500 {
		t.Errorf("%d plies and %d with claims, expected 30000 and 500 at least", plies, claims)
	}
}

// see notes what a position shows, as record.py does.
func (r *recorded) see(t *testing.T, s games.State, full bool) {
	t.Helper()
	type move struct{ uci, san string }
	var moves []move
	for _, a := range legal(s) {
		uci, err := chess.UCI(s, a)
		if err != nil {
			t.Fatal(err)
		}
		moves = append(moves, move{uci, games.Say(s, a)})
	}
	slices.SortFunc(moves, func(a, b move) int { return strings.Compare(a.uci, b.uci) })
	var options, names []string
	for _, m := range moves {
		options, names = append(options, m.uci), append(names, m.san)
	}
	option, name := strings.Join(options, " "), strings.Join(names, " ")
	ply := len(r.Sums) + len(r.Names)
	if slices.Contains(s.Actions(nil), chess.ClaimDraw) {
		r.Claims = append(r.Claims, ply)
	}
	if full {
		r.Options, r.Names = append(r.Options, option), append(r.Names, name)
	} else {
		r.Sums = append(r.Sums, crc32.ChecksumIEEE([]byte(option+"|"+name)))
	}
	if ply%10 == 0 {
		fen, err := chess.FEN(s)
		if err != nil {
			t.Fatal(err)
		}
		r.FENs = append(r.FENs, fen)
	}
}

// legal lists the moves, without a claim, also where the game is drawn and they
// are not open.
func legal(s games.State) []games.Action {
	if s.Turn() != games.Over {
		return slices.DeleteFunc(s.Actions(nil), func(a games.Action) bool { return a == chess.ClaimDraw })
	}
	var out []games.Action
	for a := range games.Action(4674) {
		if _, err := chess.UCI(s, a); err == nil {
			out = append(out, a)
		}
	}
	return out
}

// checkPGN writes a game and reads it back.
func checkPGN(t *testing.T, record chess.Record) {
	t.Helper()
	record.Tags = []chess.Tag{{Name: "Event", Value: `"quoted" \ test`}}
	var text strings.Builder
	if err := record.Write(&text); err != nil {
		t.Fatal(err)
	}
	again, err := chess.ReadPGN(strings.NewReader(text.String()))
	if err != nil || len(again) != 1 {
		t.Fatalf("%d games are read back: %v\n%s", len(again), err, text.String())
	}
	again[0].Tags = again[0].Tags[:1] // without those that are only unknown
	if diff := cmp.Diff(record, again[0]); diff != "" {
		t.Fatalf("PGN (-written +read):\n%s", diff)
	}
}

func readRecorded(t *testing.T, file string) []recorded {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	unzipped, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var out []recorded
	lines := bufio.NewScanner(unzipped)
	lines.Buffer(nil, 1<<22)
	for lines.Scan() {
		var r recorded
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			t.Fatal(fmt.Errorf("%s, line %d: %w", file, len(out)+1, err))
		}
		out = append(out, r)
	}
	if err := lines.Err(); err != nil || len(out) == 0 {
		t.Fatalf("%s: %d games: %v", file, len(out), err)
	}
	return out
}

// BenchmarkPlayout plays random games to the end.
func BenchmarkPlayout(b *testing.B) {
	start := newGame(b, "chess").Start()
	random, s := rand.New(rand.NewPCG(1, 0)), start.Clone()
	var actions []games.Action
	plies := 0
	b.ReportAllocs()
	for b.Loop() {
		s = games.Copy(s, start)
		for s.Turn() != games.Over {
			actions = s.Actions(actions[:0])
			if err := s.Apply(actions[random.IntN(len(actions))]); err != nil {
				b.Fatal(err)
			}
			plies++
		}
	}
	b.ReportMetric(float64(plies)/b.Elapsed().Seconds(), "plies/s")
}
