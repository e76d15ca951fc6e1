package arena_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"
	"pgregory.net/rapid"

	"github.com/agon-rl/agon/arena"
	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/play"
)

// wordsOf is a tournament of a game between ann, bob and cid, to put games into words.
func wordsOf(t *testing.T, game string) arena.Tournament {
	t.Helper()
	rules, err := games.New(game)
	if err != nil {
		t.Fatal(err)
	}
	return arena.Tournament{Game: rules, Entrants: []arena.Entrant{{Name: "ann"}, {Name: "bob"}, {Name: "cid"}}}
}

// A game in words by hand: cid is x and wins the top row, ann speaks with her second move.
func TestTranscribeByHand(t *testing.T) {
	seat := games.Seat(0)
	r := arena.Result{
		Game: 5, Seats: []int{2, 0}, Actions: []games.Action{0, 3, 1, 4, 2}, Returns: []float64{1, -1},
		Forfeit: &seat, Late: true, Voids: 2, Illegal: []int{0, 3}, Talk: []arena.Talk{{At: 3, Text: "the middle"}},
	}
	want := arena.Transcript{
		Game: 5, Start: "tic_tac_toe", Agents: []string{"cid", "ann"}, Returns: []float64{1, -1}, Scores: []float64{1, 0},
		Forfeit: 0, Late: true, Voids: 2, Illegal: []int{0, 3},
		Moves: []arena.Move{
			{Seat: 0, Action: 0, Name: "x(0,0)"}, {Seat: 1, Action: 3, Name: "o(1,0)"}, {Seat: 0, Action: 1, Name: "x(0,1)"},
			{Seat: 1, Action: 4, Name: "o(1,1)", Text: "the middle"}, {Seat: 0, Action: 2, Name: "x(0,2)"},
		},
	}
	got, err := wordsOf(t, "tic_tac_toe").Transcribe(r)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	r.Forfeit, r.Illegal, r.Returns = nil, nil, []float64{0, 0}
	if got, err = wordsOf(t, "tic_tac_toe").Transcribe(r); err != nil || got.Forfeit != -1 || !slices.Equal(got.Illegal, []int{0, 0}) || !slices.Equal(got.Scores, []float64{0.5, 0.5}) {
		t.Errorf("%+v, %v", got, err)
	}
	r.Actions = []games.Action{0, 0}
	if _, err = wordsOf(t, "tic_tac_toe").Transcribe(r); err == nil || !strings.Contains(err.Error(), "game 5 of the log") {
		t.Errorf("an illegal game: %v", err)
	}
}

// The deal of a card is a move of chance, -1, and a game that began elsewhere is told as
// that game.
func TestTranscribeChanceAndStart(t *testing.T) {
	got, err := wordsOf(t, "kuhn_poker").Transcribe(arena.Result{Seats: []int{0, 1}, Actions: []games.Action{2, 0, 1, 0}, Returns: []float64{1, -1}})
	if err != nil {
		t.Fatal(err)
	}
	var seats []int
	for _, m := range got.Moves {
		seats = append(seats, m.Seat)
	}
	if !slices.Equal(seats, []int{-1, -1, 0, 1}) {
		t.Errorf("moves of %v", seats)
	}
	got, err = wordsOf(t, "tic_tac_toe").Transcribe(arena.Result{Start: "connect_four", Seats: []int{0, 1}, Actions: []games.Action{3}, Returns: []float64{0, 0}})
	if err != nil || got.Start != "connect_four" {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err = wordsOf(t, "tic_tac_toe").Transcribe(arena.Result{Start: "nosuch"}); err == nil {
		t.Error("a game that there is not is told")
	}
}

// Lines written by hand for speed are what encoding/json writes.
func TestLinesAreJSON(t *testing.T) {
	text := rapid.StringOf(rapid.RuneFrom([]rune("aé\n\"\\<>&,|😀\u2028\x7f ")))
	number := rapid.OneOf(rapid.Float64Range(-3, 3), rapid.Float64(), rapid.SampledFrom([]float64{0, -1, 13, 1e6, -1e6, 999999, 1e21, 1e-7, 0.5}))
	numbers := rapid.SliceOfN(number, 1, 4)
	rapid.Check(t, func(t *rapid.T) {
		r := arena.Result{
			Game: rapid.IntRange(0, 1e6).Draw(t, "game"), Start: text.Draw(t, "start"), Seats: rapid.SliceOfN(rapid.IntRange(0, 20), 1, 4).Draw(t, "seats"),
			Actions: []games.Action{games.Action(rapid.Int32().Draw(t, "action")), 7}, Returns: numbers.Draw(t, "returns"), Late: rapid.Bool().Draw(t, "late"),
			Voids: rapid.IntRange(0, 2).Draw(t, "voids"), Illegal: rapid.SliceOfN(rapid.IntRange(0, 3), 0, 2).Draw(t, "illegal"),
		}
		if rapid.Bool().Draw(t, "forfeits") {
			seat := games.Seat(rapid.IntRange(0, 1).Draw(t, "forfeit"))
			r.Forfeit = &seat
		}
		if rapid.Bool().Draw(t, "talks") {
			r.Talk = []arena.Talk{{At: 3, Text: text.Draw(t, "talk")}}
		}
		var again arena.Result
		if err := json.Unmarshal(r.AppendJSON(nil), &again); err != nil {
			t.Fatalf("%s: %v", r.AppendJSON(nil), err)
		}
		want, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := json.Marshal(again); err != nil || string(back) != string(want) {
			t.Fatalf("%s, expected %s", back, want)
		}

		words := arena.Transcript{
			Game: r.Game, Start: r.Start, Agents: []string{text.Draw(t, "agent"), "b"}, Returns: r.Returns, Scores: []float64{0.5, 1},
			Forfeit: rapid.IntRange(-1, 1).Draw(t, "seat"), Late: r.Late, Voids: r.Voids, Illegal: []int{2, 0},
			Moves: []arena.Move{{Seat: -1, Action: int(r.Actions[0]), Name: text.Draw(t, "name")}, {Seat: 1, Action: 2, Name: "n", Text: text.Draw(t, "said")}},
		}
		if want, err = json.Marshal(words); err != nil {
			t.Fatal(err)
		}
		var told, expected any
		if err := json.Unmarshal(words.AppendJSON(nil), &told); err != nil {
			t.Fatalf("%s: %v", words.AppendJSON(nil), err)
		}
		if err := json.Unmarshal(want, &expected); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(expected, told); d != "" {
			t.Fatal(d)
		}
	})
}

// A game as the log has it, letter by letter.
func TestLineByHand(t *testing.T) {
	seat := games.Seat(1)
	r := arena.Result{
		Game: 12, Start: "chess(fen=x)", Seats: []int{3, 10}, Actions: []games.Action{4, -5, 123}, Returns: []float64{0.5, -2}, Forfeit: &seat,
		Late: true, Voids: 3, Illegal: []int{0, 11}, Talk: []arena.Talk{{At: 2, Text: "<hi>"}},
	}
	const want = `{"game":12,"start":"chess(fen=x)","seats":[3,10],"actions":[4,-5,123],"returns":[0.5,-2],"forfeit":1,"late":true,"voids":3,"illegal":[0,11],"talk":[{"at":2,"text":"\u003chi\u003e"}]}`
	if got := string(r.AppendJSON(nil)); got != want {
		t.Errorf("%s\nexpected\n%s", got, want)
	}
}

// The transcripts of a file of Parquet are those that were written, in their order.
func TestParquetByValue(t *testing.T) {
	var all []arena.Transcript
	for i := range 600 { // more than are held at a time
		all = append(all, arena.Transcript{
			Game: i, Start: "g", Agents: []string{"a", "b"}, Returns: []float64{0.5, -0.5}, Scores: []float64{1, 0}, Forfeit: -1, Late: i%2 == 0, Voids: i % 3, Illegal: []int{i, 0},
			Moves: []arena.Move{{Seat: -1, Action: i, Name: "n"}, {Seat: 1, Action: 2, Name: "m", Text: "t"}},
		})
	}
	path := filepath.Join(t.TempDir(), "games.parquet")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w := arena.NewParquet(f)
	for _, words := range all {
		if err := w.Write(arena.Result{}, words); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	got, err := parquet.ReadFile[arena.Transcript](path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(all, got); d != "" {
		t.Error(d)
	}
	var lines bytes.Buffer
	w = arena.NewTranscripts(&lines)
	for _, words := range all[:3] {
		if err := w.Write(arena.Result{}, words); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	for i, line := range strings.Split(strings.TrimSpace(lines.String()), "\n") {
		if line != string(all[i].AppendJSON(nil)) {
			t.Errorf("line %d: %s", i, line)
		}
	}
}

// White is who sits in seat 1, and the result is White's.
func TestPGNByHand(t *testing.T) {
	tournament := wordsOf(t, "chess")
	s := tournament.Game.Start()
	var actions []games.Action
	for _, move := range []string{"f3", "e5", "g4", "Qh4#"} { // the fool's mate
		a, err := s.(games.Speaker).Hear(move)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Apply(a); err != nil {
			t.Fatal(err)
		}
		actions = append(actions, a)
	}
	var out strings.Builder
	w, err := arena.NewPGN(tournament, &out)
	if err != nil {
		t.Fatal(err)
	}
	seat := games.Seat(0)
	for _, r := range []arena.Result{
		{Game: 4, Seats: []int{0, 1}, Actions: actions, Returns: s.Returns(nil)},
		{Game: 5, Seats: []int{1, 0}, Actions: actions[:2], Returns: []float64{-1, 1}, Forfeit: &seat},
		{Game: 6, Seats: []int{1, 0}, Actions: actions[:2], Returns: []float64{-1, 1}, Forfeit: &seat, Late: true},
		{Game: 7, Seats: []int{1, 0}, Actions: actions[:2], Returns: []float64{0, 0}},
	} {
		if err := w.Write(r, arena.Transcript{}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(out.String(), "[Event ")[1:]
	for i, want := range [][]string{
		{`[Round "3"]`, `[White "bob"]`, `[Black "ann"]`, `[Result "0-1"]`, "Qh4#"},
		{`[Round "3"]`, `[White "ann"]`, `[Black "bob"]`, `[Result "1-0"]`, `[Termination "rules infraction"]`},
		{`[Round "4"]`, `[Result "1-0"]`, `[Termination "time forfeit"]`},
		{`[Round "4"]`, `[Result "1/2-1/2"]`},
	} {
		for _, some := range want {
			if !strings.Contains(parts[i], some) {
				t.Errorf("game %d lacks %s:\n%s", i, some, parts[i])
			}
		}
		if i%3 == 0 && strings.Contains(parts[i], "Termination") {
			t.Errorf("game %d ended as games do:\n%s", i, parts[i])
		}
	}
	if _, err := arena.NewPGN(wordsOf(t, "tic_tac_toe"), &out); err == nil || arena.WritesPGN(wordsOf(t, "tic_tac_toe").Game) {
		t.Errorf("tic-tac-toe as PGN: %v", err)
	}
}

// Every column of the table for spreadsheets says what its head says.
func TestCSVByValue(t *testing.T) {
	number := func(x float64) *float64 { return &x }
	s := arena.Summary{Standings: []arena.Rated{
		{
			Standing: arena.Standing{
				Name: "ann", Tally: arena.Tally{Wins: 11, Draws: 12, Losses: 13}, Seats: []arena.Tally{{Wins: 1, Draws: 2, Losses: 3}, {Wins: 4, Draws: 5, Losses: 6}},
				Illegal: 14, Forfeits: 15, Late: 16, Voids: 17, Cost: play.Cost{Moves: 18, TokensIn: 19, TokensOut: 20, Dollars: 2.5, Failed: 21, Time: 9 * time.Second, Illegal: 99},
			},
			Score: 0.625, Elo: number(100.5), Elo95: &[2]float64{90.25, 110.75}, EloPerKTokens: number(31), Nash: number(0.25), AlphaRank: number(0.75), Exploitability: number(0.125),
		},
		{Standing: arena.Standing{Name: "bob", Seats: make([]arena.Tally, 2)}},
	}}
	var out bytes.Buffer
	if err := s.WriteCSV(&out); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&out).ReadAll()
	if err != nil || len(rows) != 3 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	row := func(i int) map[string]string {
		cells := map[string]string{}
		for k, name := range rows[0] {
			cells[name] = rows[i][k]
		}
		return cells
	}
	if d := cmp.Diff(map[string]string{
		"rank": "1", "agent": "ann", "elo": "100.5", "elo_low": "90.25", "elo_high": "110.75", "games": "36", "wins": "11", "draws": "12", "losses": "13", "score": "0.625",
		"seat0_wins": "1", "seat0_draws": "2", "seat0_losses": "3", "seat1_wins": "4", "seat1_draws": "5", "seat1_losses": "6",
		"illegal": "14", "forfeits": "15", "late": "16", "voids": "17", "moves": "18", "tokens_in": "19", "tokens_out": "20", "dollars": "2.5", "failed_calls": "21",
		"elo_per_ktokens": "31", "nash": "0.25", "alpha_rank": "0.75", "exploitability": "0.125",
	}, row(1)); d != "" {
		t.Error(d)
	}
	if second := row(2); second["rank"] != "2" || second["elo"] != "" || second["elo_low"] != "" || second["nash"] != "" || second["score"] != "0" {
		t.Errorf("%v", second)
	}

	out.Reset()
	if err := s.WriteTiming(&out); err != nil {
		t.Fatal(err)
	}
	if want := "agent,moves,seconds,seconds_per_move\nann,18,9,0.5\nbob,0,0,\n"; out.String() != want {
		t.Errorf("%q, expected %q", out.String(), want)
	}

	out.Reset()
	if err := s.WriteJSON(&out); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out.String(), `"time"`) || !strings.Contains(out.String(), `"moves": 18`) || s.Standings[0].Cost.Time != 9*time.Second {
		t.Errorf("%s\n%v", out.String(), s.Standings[0].Cost)
	}
}

// The share of points and the games of a tally.
func TestTally(t *testing.T) {
	if got := (arena.Tally{Wins: 3, Draws: 4, Losses: 1}); got.Games() != 8 || got.Score() != 0.625 {
		t.Errorf("%d games, score %g", got.Games(), got.Score())
	}
	if got := (arena.Tally{}).Score(); got != 0 {
		t.Errorf("no games score %g", got)
	}
}
