package arena_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/agon-rl/agon/arena"
	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/games/chess"
)

// bookOf writes a book and returns its name.
func bookOf(t *testing.T, name string, lines ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// starts are where so many units of a tournament with a book start, as FEN.
func starts(t *testing.T, form, game string, seed uint64, units int) []string {
	t.Helper()
	rules, err := games.New(game)
	if err != nil {
		t.Fatal(err)
	}
	openings, err := arena.ParseOpenings(form, rules, seed)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for unit := range units {
		o := openings.Of(unit)
		s := rules.Start()
		if o.Game != nil {
			if got, want := o.Game.Info().Name, "ends=fide"; strings.Contains(game, want) && !strings.Contains(got, want) {
				t.Errorf("%s from a book is %s", game, got)
			}
			s = o.Game.Start()
		}
		for _, a := range o.Actions {
			if err := s.Apply(a); err != nil {
				t.Fatal(err)
			}
		}
		fen, err := chess.FEN(s)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, fen)
	}
	return out
}

func TestBooks(t *testing.T) {
	var epd, want []string
	for i := range 5 {
		fen := fmt.Sprintf("4k3/8/8/8/%s/8/8/4K3", strings.TrimLeft(fmt.Sprintf("%dP%d", i, 7-i), "0"))
		epd = append(epd, fen+` w - - id "a;b"; bm Kd2;`)
		want = append(want, fen+" w - - 0 1")
	}
	book := bookOf(t, "pawns.epd", append([]string{"# pawns", ""}, epd...)...)
	if got := starts(t, "book(file="+book+")", "chess(ends=fide)", 1, 7); fmt.Sprint(got) != fmt.Sprint(append(want, want[:2]...)) {
		t.Errorf("in order: %v", got)
	}
	random := "book(file=" + book + ",order=random)"
	one, two := starts(t, random, "chess", 1, 20), starts(t, random, "chess", 2, 20)
	if fmt.Sprint(one) == fmt.Sprint(two) || fmt.Sprint(one[:5]) == fmt.Sprint(one[5:10]) && fmt.Sprint(one[:5]) == fmt.Sprint(one[10:15]) {
		t.Errorf("the order is not random: %v, %v", one, two)
	}
	for pass := range 4 {
		seen := map[string]bool{}
		for _, fen := range one[5*pass : 5*pass+5] {
			seen[fen] = true
		}
		if len(seen) != 5 {
			t.Errorf("pass %d has only %d of 5 openings", pass, len(seen))
		}
	}
	pgn := bookOf(t, "lines.pgn", `[Event "one"]`, "", "1. e4 {best by test} c5 (1... e5) 2. Nf3 d6 *", "", `[FEN "4k3/8/8/8/P7/8/8/4K3 w - - 0 1"]`, "", "1. a5 *")
	all := starts(t, "book(file="+pgn+")", "chess", 1, 2)
	if want := []string{"rnbqkbnr/pp2pppp/3p4/2p5/4P3/5N2/PPPP1PPP/RNBQKB1R w KQkq - 0 3", "4k3/8/8/P7/8/8/8/4K3 b - - 0 1"}; fmt.Sprint(all) != fmt.Sprint(want) {
		t.Errorf("%v, expected %v", all, want)
	}
	if got := starts(t, "book(file="+pgn+",plies=1)", "chess", 1, 1)[0]; got != "rnbqkbnr/pppppppp/8/8/4P3/8/PPPP1PPP/RNBQKBNR b KQkq - 0 1" {
		t.Errorf("after one ply: %s", got)
	}
}

// Both games of a unit have its opening, and a log does not go on with another book.
func TestAnotherBookIsRefused(t *testing.T) {
	book := bookOf(t, "book.epd", "k7/8/1K6/8/8/8/8/6QR w - - bm Rh8#;", "k7/8/1K6/8/8/8/8/5Q1R w - -")
	s := settings(t, "chess", []string{"a=random", "b=random"}, "rounds=2", "openings=book("+book+")")
	path := filepath.Join(t.TempDir(), "games.log")
	if _, err := run(t, open(t, s), path); err != nil {
		t.Fatal(err)
	}
	log := gamesOf(t, path)
	for _, fen := range []string{"6QR w", "5Q1R w"} {
		if strings.Count(log, fen) != 2 {
			t.Errorf("%d games from %s, expected a pair", strings.Count(log, fen), fen)
		}
	}
	if _, err := run(t, open(t, s), path); err != nil {
		t.Errorf("the same book: %v", err)
	}
	if err := os.WriteFile(book, []byte("k7/8/1K6/8/8/8/8/7R w - -\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := run(t, open(t, s), path); err == nil || !strings.Contains(err.Error(), "its book of openings was changed") {
		t.Errorf("another book: %v", err)
	}
}

// What is no opening is said with its place in the book.
func TestBadBooks(t *testing.T) {
	rules, err := games.New("chess")
	if err != nil {
		t.Fatal(err)
	}
	const pawn = "4k3/8/8/8/8/8/P7/4K3 w - -"
	for name, test := range map[string]struct {
		file  string
		lines []string
		want  string // "" where it is one
	}{
		"nothing":               {"a.epd", []string{"", "# none"}, "it holds no opening"},
		"words":                 {"a.epd", []string{"# a book", "", "hello"}, `line 3: "hello": expected a position in FEN or EPD`},
		"no position":           {"a.epd", []string{pawn, "x w - -"}, "line 2: "},
		"a finished game":       {"a.epd", []string{"k6R/8/1K6/8/8/8/8/8 b - -"}, "line 1: the game is over there"},
		"FEN":                   {"a.epd", []string{pawn + " 0 1"}, ""},
		"EPD":                   {"a.epd", []string{pawn + " bm a4;"}, ""},
		"EPD of six fields":     {"a.epd", []string{pawn + " hmvc 3;"}, ""},
		"no game of chess":      {"a.pgn", []string{"1. e5 *"}, "e5"},
		"one that ends at once": {"a.pgn", []string{"1. f3 e5 2. g4 Qh4# 0-1"}, "game 1: the game is over there"},
		"games":                 {"a.pgn", []string{"1. e4 e5 *"}, ""},
	} {
		path := bookOf(t, test.file, test.lines...)
		_, err := arena.ParseOpenings("book(file="+path+")", rules, 1)
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s: %v, expected %q", name, err, test.want)
		}
	}
	if _, err := arena.ParseOpenings("book(file=none.epd)", rules, 1); err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("%v", err)
	}
	// A position's own clocks are kept where they are numbers.
	if got := starts(t, "book(file="+bookOf(t, "a.epd", pawn+" 7 30", pawn+" 7 x")+")", "chess", 1, 2); got[0] != pawn+" 7 30" || got[1] != pawn+" 0 1" {
		t.Errorf("%q", got)
	}
}
