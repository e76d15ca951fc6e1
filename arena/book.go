package arena

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/games/chess"
	"github.com/agon-rl/agon/internal/spec"
	"github.com/agon-rl/agon/play"
)

func init() {
	OpeningKinds.Add(spec.Entry[opener]{
		Name: "book", Usage: "book(file=FILE)",
		Help: `chess from a book: the positions of an EPD or FEN file, or the first moves of the games of a .pgn;
also order=sequential|random, plies=8 (moves of a game, of both sides; all where absent)`,
		Value: openBook,
	})
}

func openBook(r *spec.Reader, game games.Game, seed uint64) (Openings, error) {
	file, order, plies := r.String("file", ""), r.Choice("order", "sequential", "sequential", "random"), r.Int("plies", 0, 1, 1<<16)
	if err := r.Err(); err != nil {
		return nil, err
	}
	b, err := readBook(file, plies, game)
	if err != nil {
		return nil, fmt.Errorf("book: %w", err)
	}
	if order == "random" {
		b.seed = &seed
	}
	return b, nil
}

// book is openings of chess from a file.
type book struct {
	lines []bookLine
	seed  *uint64 // of the order; nil for the file's
}

type bookLine struct {
	start   string // the game's name; "" for the tournament's own
	actions []games.Action
}

// Of implements Openings: the lines in order, each pass through the book in an order
// of its own where that is random.
func (b book) Of(unit int) play.Opening {
	pass, place := unit/len(b.lines), unit%len(b.lines)
	if b.seed != nil {
		place = play.Generator(*b.seed, "book", uint64(pass)).Perm(len(b.lines))[place]
	}
	line := b.lines[place]
	out := play.Opening{Actions: line.actions}
	if line.start != "" {
		out.Game, _ = games.New(line.start) // it was made when the book was read
	}
	return out
}

// readBook reads a book and plays every line of it.
func readBook(file string, plies int, game games.Game) (b book, err error) {
	if file == "" {
		return b, errors.New("expected a file, such as book(file=openings.epd)")
	}
	if _, err := chess.NewRecord(game.Start()); err != nil {
		return b, fmt.Errorf("books are of chess, not of %s", game.Info().Name)
	}
	text, err := os.ReadFile(file) //nolint:gosec // the book that the user named
	if err != nil {
		return b, err
	}
	if strings.EqualFold(filepath.Ext(file), ".pgn") {
		b.lines, err = readPGN(text, plies, game)
	} else {
		b.lines, err = readPositions(text, game)
	}
	if err == nil && len(b.lines) == 0 {
		err = errors.New("it holds no opening")
	}
	if err != nil {
		return b, fmt.Errorf("%s: %w", file, err)
	}
	return b, nil
}

// readPositions reads a position a line: FEN, or EPD, whose operations are skipped.
func readPositions(text []byte, game games.Game) (out []bookLine, err error) {
	in := bufio.NewScanner(bytes.NewReader(text))
	for number := 1; in.Scan(); number++ {
		fields := strings.Fields(in.Text())
		if len(fields) == 0 || strings.HasPrefix(fields[0], "#") {
			continue
		}
		if len(fields) < 4 {
			return nil, fmt.Errorf("line %d: %q: expected a position in FEN or EPD", number, in.Text())
		}
		line, err := lineOf(game, positionOf(fields), nil)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
		out = append(out, line)
	}
	return out, in.Err()
}

// positionOf takes the position from a line of FEN or EPD.
func positionOf(fields []string) string {
	if len(fields) >= 6 {
		_, clock := strconv.Atoi(fields[4])
		_, number := strconv.Atoi(fields[5])
		if clock == nil && number == nil {
			return strings.Join(fields[:6], " ")
		}
	}
	return strings.Join(fields[:4], " ") + " 0 1"
}

func readPGN(text []byte, plies int, game games.Game) (out []bookLine, err error) {
	records, err := chess.ReadPGN(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	for i, r := range records {
		moves := r.Moves
		if plies > 0 {
			moves = moves[:min(plies, len(moves))]
		}
		line, err := lineOf(game, r.FEN, slices.Clone(moves))
		if err != nil {
			return nil, fmt.Errorf("game %d: %w", i+1, err)
		}
		out = append(out, line)
	}
	return out, nil
}

// lineOf makes a line of a position and moves from there, and plays it: it must leave
// something to play.
func lineOf(game games.Game, fen string, moves []games.Action) (bookLine, error) {
	name, err := spec.Parse(game.Info().Name)
	if err != nil {
		return bookLine{}, err
	}
	name.Args = slices.DeleteFunc(name.Args, func(a spec.Arg) bool { return a.Key == "fen" })
	name.Args = append(name.Args, spec.Arg{Key: "fen", Value: fen})
	from, err := games.New(name.String())
	if err != nil {
		return bookLine{}, err
	}
	out := bookLine{start: from.Info().Name, actions: moves}
	s := from.Start()
	for _, a := range moves {
		if err := s.Apply(a); err != nil {
			return bookLine{}, err
		}
	}
	if s.Turn() == games.Over {
		return bookLine{}, fmt.Errorf("the game is over there: %s", chess.Reason(s))
	}
	if out.start == game.Info().Name {
		out.start = ""
	}
	return out, nil
}
