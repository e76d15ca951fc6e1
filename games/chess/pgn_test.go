package chess_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/games/chess"
)

// What stands in PGN files of the world: comments, variations, marks, missing
// results, moves after a draw that nobody claimed.
const wild = "\ufeff" + `[Event "Immortal [game]"]
[White "Anderssen, \"A.\""]
[Result "1-0"]

1.e4 e5 2. f4 $1 exf4 {a gambit (the king's) [really]} 3 Bc4 ; 1. d4
3... Qh4+!? (3... d5 4. Bxd5 (4. exd5 {?} Nf6)) 4.Kf1 b5?! 5 . Bxb5
% not for us
Nf6 1-0
[Event "unfinished"]

1. Nf3 Nf6 2. Ng1 Ng8 3. Nf3 Nf6 4. Ng1 Ng8 5. e4 d5 6. e5 f5 7. exf6 e.p. *

[Event "no result"]
1. e4

[FEN "4k3/8/8/8/8/8/8/R3K3 w Q - 0 1"]
[SetUp "1"]
1. 0-0-0 Kf7 2. Rd7+
`

func TestReadPGN(t *testing.T) {
	records, err := chess.ReadPGN(strings.NewReader(wild))
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	for _, r := range records {
		var b strings.Builder
		if err := r.Write(&b); err != nil {
			t.Fatal(err)
		}
		_, text, _ := strings.Cut(b.String(), "[Black \"?\"]\n")
		texts = append(texts, text)
	}
	want := []string{
		"[Result \"1-0\"]\n\n1. e4 e5 2. f4 exf4 3. Bc4 Qh4+ 4. Kf1 b5 5. Bxb5 Nf6 1-0\n\n",
		"[Result \"*\"]\n\n1. Nf3 Nf6 2. Ng1 Ng8 3. Nf3 Nf6 4. Ng1 Ng8 5. e4 d5 6. e5 f5 7. exf6 *\n\n",
		"[Result \"*\"]\n\n1. e4 *\n\n",
		"[Result \"*\"]\n[SetUp \"1\"]\n[FEN \"4k3/8/8/8/8/8/8/R3K3 w Q - 0 1\"]\n\n1. O-O-O Kf7 2. Rd7+ *\n\n",
	}
	if diff := cmp.Diff(want, texts); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if got := records[0].Tags[1].Value; got != `Anderssen, "A."` {
		t.Errorf("White is %s", got)
	}
}

// A claim is the last action of a record, and a comment in PGN.
func TestClaimInPGN(t *testing.T) {
	record, err := chess.NewRecord(after(t, "chess(ends=fide)", "Nf3 Nf6 Ng1 Ng8 Nf3 Nf6 Ng1 Ng8 draw"))
	if err != nil {
		t.Fatal(err)
	}
	if last := record.Moves[len(record.Moves)-1]; last != chess.ClaimDraw || record.Result != "1/2-1/2" {
		t.Errorf("the record ends with action %d and %s", last, record.Result)
	}
	var text strings.Builder
	if err := record.Write(&text); err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(text.String(), "4. Ng1 Ng8 {draw claimed} 1/2-1/2\n\n") {
		t.Errorf("the PGN is %s", text.String())
	}
	checkPGN(t, record)
	s := newGame(t, "chess(ends=fide)").Start()
	for _, a := range record.Moves {
		if err := s.Apply(a); err != nil {
			t.Fatal(err)
		}
	}
	if got := chess.Reason(s); got != "draw claimed" {
		t.Errorf("the record replayed ends by %q", got)
	}
	start, err := chess.NewRecord(after(t, "chess(ends=fide,fen=7k/8/8/8/8/8/1R6/K7 b - - 100 80)", "draw"))
	if err != nil {
		t.Fatal(err)
	}
	checkPGN(t, start)

	// Only the last word before a draw counts, and only where one can be claimed.
	const wild = `1. Nf3 Nf6 2. Ng1 Ng8 3. Nf3 Nf6 4. Ng1 Ng8 {draw
claimed} 1/2-1/2
{draw claimed}
[Event "claimed in vain"]
1. Nf3 Nf6 2. Ng1 Ng8 3. Nf3 Nf6 4. Ng1 Ng8 {draw claimed} 5. e4 1/2-1/2
1. e4 {draw claimed} 1/2-1/2
1. Nf3 Nf6 2. Ng1 Ng8 3. Nf3 Nf6 4. Ng1 Ng8 {draw claimed} 0-1
1. Nf3 Nf6 2. Ng1 Ng8 3. Nf3 Nf6 4. Ng1 Ng8 ({draw claimed} e4) 1/2-1/2
{draw claimed}`
	records, err := chess.ReadPGN(strings.NewReader(wild))
	if err != nil {
		t.Fatal(err)
	}
	var lengths []int
	for _, r := range records {
		lengths = append(lengths, len(r.Moves))
	}
	if diff := cmp.Diff([]int{9, 9, 1, 8, 8}, lengths); diff != "" {
		t.Errorf("actions by game (-want +got):\n%s", diff)
	}
	if slices.Contains(records[1].Moves, chess.ClaimDraw) {
		t.Error("a claim that was played on from counts")
	}
}

func TestBadPGN(t *testing.T) {
	for text, want := range map[string]string{
		"1. e4 e5 *\n\n1. e4\ne6 2. Ke3":     `game 2, line 4: illegal action "Ke3" at rnbqkbnr/`,
		"1. e4 {":                            "a comment is not closed",
		"1. e4 (1. d4":                       "a variation is not closed",
		`[Event "?`:                          "a tag is not closed",
		"[Event x]":                          "tag [Event x]: expected a name and a value in quotes",
		"[FEN \"8/8/8/8/8/8/8/8 w - -\"] e4": "kings",
		"[FEN \"\"]":                         `tag [FEN ""]: 0 fields`,
		"1. f3 e5 2. g4 Qh4# 3. a3":          `illegal action "a3"`,
		"<xml>":                              `illegal action "<xml>"`,
	} {
		if _, err := chess.ReadPGN(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: the error is %v, expected %s", text, err, want)
		}
	}
}

func FuzzReadPGN(f *testing.F) {
	f.Add(wild)
	f.Add("[A \"\\")
	f.Add("1. e4 e5 ) [ ] { } 1-0 O-O 0-0 --")
	f.Add("[FEN \"7k/8/8/8/8/8/1R6/K7 b - - 100 80\"] {draw claimed} 1/2-1/2")
	f.Fuzz(func(t *testing.T, text string) {
		records, _ := chess.ReadPGN(strings.NewReader(text))
		for _, r := range records {
			var b strings.Builder
			if err := r.Write(&b); err != nil {
				t.Fatalf("what was read cannot be written: %v", err)
			}
		}
	})
}

// The functions for chess alone refuse other games, and say what is wrong.
func TestOtherGames(t *testing.T) {
	s := newGame(t, "connect_four").Start()
	_, fen := chess.FEN(s)
	_, uci := chess.UCI(s, 0)
	_, find := chess.Find(s, "e4")
	_, record := chess.NewRecord(s)
	for name, err := range map[string]error{"FEN": fen, "UCI": uci, "Find": find, "NewRecord": record} {
		if err == nil {
			t.Errorf("%s takes a state of another game", name)
		}
	}
	if chess.Reason(s) != "" {
		t.Error("Reason takes a state of another game")
	}
	start := newGame(t, "chess").Start()
	if _, err := chess.UCI(start, games.Action(0)); err == nil {
		t.Error("UCI names an illegal action")
	}
}
