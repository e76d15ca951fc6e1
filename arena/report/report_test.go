package report_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"

	"github.com/agon-rl/agon/agents"
	"github.com/agon-rl/agon/arena"
	"github.com/agon-rl/agon/arena/report"
	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/games/chess"
	_ "github.com/agon-rl/agon/games/standard"
)

// played plays a tournament and writes its report to a folder. The log, if not nil, is
// what was played of it before.
func played(t *testing.T, log []byte, workers int, game string, names []string, changes ...string) string {
	t.Helper()
	dir := t.TempDir()
	s := arena.DefaultSettings()
	s.Tournament, s.Agents, s.Rounds, s.Rating.Resamples = game, names, 10, 50
	text, err := s.YAML()
	if err != nil {
		t.Fatal(err)
	}
	if s, err = arena.ReadSettings(text, changes); err != nil {
		t.Fatal(err)
	}
	rules, err := games.New(game)
	if err != nil {
		t.Fatal(err)
	}
	tournament, err := s.Open(t.Context(), agents.Environment{Game: rules})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, e := range tournament.Entrants {
			_ = e.Agent.Close()
		}
	})
	tournament.Workers = workers
	path := filepath.Join(dir, "games.log")
	if err := os.WriteFile(path, log, 0o600); err != nil {
		t.Fatal(err)
	}
	opened, err := arena.OpenLog(path)
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close() // a test's
	table, err := tournament.Run(t.Context(), opened, nil)
	if err != nil {
		t.Fatal(err)
	}
	rate, err := s.Rate()
	if err != nil {
		t.Fatal(err)
	}
	summary, err := table.Summarize(rate)
	if err != nil {
		t.Fatal(err)
	}
	settings, err := s.YAML()
	if err != nil {
		t.Fatal(err)
	}
	f := report.Finished{Name: "a tournament", Settings: string(settings), Tournament: tournament, Summary: summary, Log: opened}
	if err := report.Write(t.Context(), dir, f); err != nil {
		t.Fatal(err)
	}
	return dir
}

func read(t *testing.T, dir, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// times are the one thing on the page that two equal tournaments differ in.
var times = regexp.MustCompile(`<td class="time"[^<]*</td>`)

// Neither workers nor a kill, wherever it came, change a byte of what is written but
// the times.
func TestSameBytes(t *testing.T) {
	names := []string{"random", "few=mcts(sims=5)", "minimax"}
	files := []string{report.GamesFile, report.ParquetFile, report.StandingsFile, report.SummaryFile, report.PageFile}
	one := played(t, nil, 1, "tic_tac_toe", names, "group=4")
	log := read(t, one, "games.log")
	others := map[string]string{
		"two workers":   played(t, nil, 2, "tic_tac_toe", names, "group=4"),
		"eight workers": played(t, nil, 8, "tic_tac_toe", names, "group=4"),
		"cut early":     played(t, log[:len(log)/5], 2, "tic_tac_toe", names, "group=4"),
		"cut late":      played(t, log[:len(log)-7], 8, "tic_tac_toe", names, "group=4"),
		"done":          played(t, log, 1, "tic_tac_toe", names, "group=4"),
	}
	for what, other := range others {
		for _, name := range files {
			a, b := times.ReplaceAll(read(t, one, name), nil), times.ReplaceAll(read(t, other, name), nil)
			if !bytes.Equal(a, b) {
				t.Errorf("%s: %s differs", what, name)
			}
		}
	}
	if !bytes.Contains(read(t, one, report.PageFile), []byte(`<td class="time"`)) {
		t.Error("the page has no times: what is left out of the comparison is not there")
	}
	left, err := fs.Glob(os.DirFS(one), ".*")
	if err != nil || len(left) > 0 {
		t.Errorf("left in the folder: %v, %v", left, err)
	}
}

// What is written holds the games that were played, in every form.
func TestForms(t *testing.T) {
	dir := played(t, nil, 1, "leduc_poker", []string{"a=random", "b=random"}, "rounds=6")
	var lines []arena.Transcript
	for line := range bytes.Lines(read(t, dir, report.GamesFile)) {
		var one arena.Transcript
		if err := json.Unmarshal(line, &one); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, one)
	}
	rows, err := parquet.ReadFile[arena.Transcript](filepath.Join(dir, report.ParquetFile))
	if err != nil {
		t.Fatal(err)
	}
	if len(lines) != 12 || len(rows) != 12 {
		t.Fatalf("%d lines and %d rows, expected 12 games", len(lines), len(rows))
	}
	game, err := games.New("leduc_poker")
	if err != nil {
		t.Fatal(err)
	}
	for i, g := range lines {
		a, _ := json.Marshal(g)
		b, _ := json.Marshal(rows[i])
		if !bytes.Equal(a, g.AppendJSON(nil)) {
			t.Errorf("game %d is written as\n%s, expected\n%s", i, g.AppendJSON(nil), a)
		}
		if !bytes.Equal(a, b) {
			t.Errorf("game %d is\n%s in lines and\n%s in rows", i, a, b)
		}
		s := game.Start()
		for _, m := range g.Moves {
			if int(s.Turn()) != m.Seat || games.Say(s, games.Action(m.Action)) != m.Name {
				t.Fatalf("game %d: %+v at the turn of %d", i, m, s.Turn())
			}
			if err := s.Apply(games.Action(m.Action)); err != nil {
				t.Fatal(err)
			}
		}
		if got := s.Returns(nil); fmt.Sprint(got) != fmt.Sprint(g.Returns) {
			t.Errorf("game %d pays %v, expected %v", i, g.Returns, got)
		}
	}
	table, err := csv.NewReader(bytes.NewReader(read(t, dir, report.StandingsFile))).ReadAll()
	if err != nil || len(table) != 3 || table[0][1] != "agent" {
		t.Errorf("%v, %v", table, err)
	}
	var summary arena.Summary
	if err := json.Unmarshal(read(t, dir, report.SummaryFile), &summary); err != nil || summary.Games != 12 {
		t.Errorf("%+v, %v", summary, err)
	}
	if _, err := os.Stat(filepath.Join(dir, report.PGNFile)); err == nil {
		t.Error("poker as PGN")
	}
}

// White, who moves first, has the second seat: in PGN too.
func TestPGN(t *testing.T) {
	book := filepath.Join(t.TempDir(), "mate.epd")
	// White mates in one, whoever it is; Black cannot.
	if err := os.WriteFile(book, []byte("k7/8/1K6/8/8/8/8/7R w - - bm Rh8#;\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	dir := played(t, nil, 1, "chess", []string{"search=mcts(sims=300)", "random"}, "rounds=1", "openings=book("+book+")")
	records, err := chess.ReadPGN(bytes.NewReader(read(t, dir, report.PGNFile)))
	if err != nil || len(records) != 2 {
		t.Fatalf("%d games, %v", len(records), err)
	}
	var transcripts []arena.Transcript
	for line := range bytes.Lines(read(t, dir, report.GamesFile)) {
		var one arena.Transcript
		if err := json.Unmarshal(line, &one); err != nil {
			t.Fatal(err)
		}
		transcripts = append(transcripts, one)
	}
	mated := false
	for i, r := range records {
		tags := map[string]string{}
		for _, tag := range r.Tags {
			tags[tag.Name] = tag.Value
		}
		g := transcripts[i]
		if tags["White"] != g.Agents[1] || tags["Black"] != g.Agents[0] {
			t.Errorf("game %d: %v, expected White to be %s", i, tags, g.Agents[1])
		}
		if want := map[float64]string{1: "1-0", 0.5: "1/2-1/2", 0: "0-1"}[g.Scores[1]]; r.Result != want {
			t.Errorf("game %d: %s, expected %s", i, r.Result, want)
		}
		if !strings.HasPrefix(r.FEN, "k7/8/1K6/8/8/8/8/7R w") {
			t.Errorf("game %d starts at %s", i, r.FEN)
		}
		mated = mated || tags["White"] == "search" && r.Result == "1-0"
	}
	if !mated {
		t.Error("the search does not find a mate in one, or it is told as another's")
	}
}

// The page of a tournament with many games holds some of every meeting, and those in
// which something went wrong; it stays small.
func TestSample(t *testing.T) {
	dir := played(t, nil, 2, "tic_tac_toe", []string{"a=random", "b=random", "c=random"}, "rounds=3000", "rating.resamples=0")
	page := read(t, dir, report.PageFile)
	_, data, _ := bytes.Cut(page, []byte("const page = "))
	data, _, _ = bytes.Cut(data, []byte(";</script>"))
	var held struct {
		Games []struct{ Agents []string }
	}
	if err := json.Unmarshal(data, &held); err != nil {
		t.Fatal(err)
	}
	meetings := map[string]int{}
	for _, g := range held.Games {
		meetings[fmt.Sprint(g.Agents)]++
	}
	if len(meetings) != 6 || len(held.Games) > 200 || len(held.Games) < 150 {
		t.Errorf("%d games of %v", len(held.Games), meetings)
	}
	if len(page) > 1<<20 {
		t.Errorf("%d bytes", len(page))
	}
	if lines := bytes.Count(read(t, dir, report.GamesFile), []byte("\n")); lines != 18000 {
		t.Errorf("%d games in the transcripts", lines)
	}
}

// Names are text, wherever they come from.
func TestNamesAreEscaped(t *testing.T) {
	dir := played(t, nil, 1, "tic_tac_toe", []string{"<b>x</b>=random", "</script><script>alert`1`</script>=random"}, "rounds=2")
	page := read(t, dir, report.PageFile)
	for _, bad := range []string{"<b>x</b>", "<script>alert`1`"} {
		if bytes.Contains(page, []byte(bad)) {
			t.Errorf("the page holds %s", bad)
		}
	}
	if !bytes.Contains(page, []byte("&lt;b&gt;x&lt;/b&gt;")) {
		t.Error("the page does not hold the name")
	}
}
