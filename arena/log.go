package arena

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"time"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/play"
)

// Log is the file that a tournament is written to as it goes: a line a game, as JSON or,
// of plain games, as numbers, and after each group of games one that seals it. What follows the last seal is a group that a
// kill cut short; it is cut off when the log is opened, and played again.
type Log struct {
	path  string
	file  *os.File
	games int     // sealed when it was opened
	past  *groups // what was there when it was opened and was not replayed yet
}

// seal ends a group.
type seal struct {
	Games int           `json:"sealed"` // in the group
	Took  time.Duration `json:"took"`   // nanoseconds
	Costs []play.Cost   `json:"costs"`  // by entrant
}

// sealed is a group in the log.
type sealed struct {
	results []Result
	seal    seal
	text    []byte // of the results, a line each
	// what the results hold lies here, where they were played
	seating []int
	actions []games.Action
	returns []float64
}

// reset empties a group for other games in its memory.
func (g *sealed) reset() {
	g.results, g.text, g.seating, g.actions, g.returns = g.results[:0], g.text[:0], g.seating[:0], g.actions[:0], g.returns[:0]
	g.seal.Games, g.seal.Took = 0, 0
	clear(g.seal.Costs)
}

// OpenLog opens a log, or begins one.
func OpenLog(path string) (*Log, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return nil, err
	}
	l := &Log{path: path, file: file}
	whole, err := l.seals()
	if err == nil {
		err = file.Truncate(whole)
	}
	if err == nil {
		_, err = file.Seek(whole, io.SeekStart)
	}
	if err != nil {
		return nil, errors.Join(l.named(err), file.Close())
	}
	l.past = &groups{in: bufio.NewReaderSize(io.NewSectionReader(file, 0, whole), 1<<16)}
	return l, nil
}

func (l *Log) named(err error) error { return fmt.Errorf("the log %s: %w", l.path, err) }

// seals counts the sealed games and returns how many bytes they have.
func (l *Log) seals() (whole int64, err error) {
	in := bufio.NewReaderSize(l.file, 1<<16)
	offset, open := int64(0), 0
	for {
		line, err := readLine(in)
		offset += int64(len(line))
		switch {
		case errors.Is(err, io.EOF): // a line without its end is not there
			return whole, nil
		case err != nil:
			return 0, err
		case isSeal(line):
			l.games, open, whole = l.games+open, 0, offset
		default:
			open++
		}
	}
}

// readLine reads to the next line's end.
func readLine(in *bufio.Reader) ([]byte, error) {
	line, err := in.ReadSlice('\n')
	if !errors.Is(err, bufio.ErrBufferFull) {
		return line, err
	}
	long := bytes.Clone(line)
	rest, err := in.ReadBytes('\n')
	return append(long, rest...), err
}

// Games is how many games were there when the log was opened.
func (l *Log) Games() int { return l.games }

// groups reads sealed groups one after the other, so that a log of any size is never
// held.
type groups struct {
	in    *bufio.Reader
	line  int
	games int    // before the next
	last  sealed // the group before, which is about as large as the next
}

// next returns the next group; false after the last.
func (g *groups) next() (*sealed, bool, error) {
	last := &g.last
	group := &sealed{
		results: make([]Result, 0, len(last.results)), seating: make([]int, 0, len(last.seating)),
		actions: make([]games.Action, 0, len(last.actions)+len(last.actions)/16), returns: make([]float64, 0, len(last.returns)),
	}
	for {
		line, err := readLine(g.in)
		if errors.Is(err, io.EOF) {
			return nil, false, nil
		}
		if err != nil {
			return nil, false, err
		}
		g.line++
		if isSeal(line) {
			if err := json.Unmarshal(line, &group.seal); err != nil || group.seal.Games != len(group.results) {
				return nil, false, fmt.Errorf("line %d does not seal the games before it: the file was changed; begin anew, or restore it", g.line)
			}
			g.last = *group
			return group, true, nil
		}
		r, ok := group.plain(line)
		if r.Game = g.games; !ok {
			if r, err = result(line); err != nil {
				return nil, false, fmt.Errorf("line %d is no game: the file was changed; begin anew, or restore it: %w", g.line, err)
			}
		}
		g.games++
		group.results = append(group.results, r)
	}
}

// appendPlain appends a game in which nothing went wrong and nothing was said as
//
//	seats|actions|returns
//
// with commas between numbers; false where that cannot tell all. Its number follows from
// its place. A game of a microsecond takes longer to write than to play, by the byte.
func (r *Result) appendPlain(b []byte) ([]byte, bool) {
	if r.Start != "" || r.Forfeit != nil || r.Late || r.Voids > 0 || len(r.Illegal) > 0 || len(r.Talk) > 0 {
		return b, false
	}
	whole := b
	for i, seat := range r.Seats {
		b = appendNumber(b, i, int64(seat))
	}
	b = append(b, '|')
	for i, a := range r.Actions {
		if a <= -mostPlain || a >= mostPlain {
			return whole, false
		}
		b = appendNumber(b, i, int64(a))
	}
	b = append(b, '|')
	for i, x := range r.Returns {
		n := int64(x)
		if float64(n) != x || n <= -mostPlain || n >= mostPlain || n == 0 && math.Signbit(x) {
			return whole, false
		}
		b = appendNumber(b, i, n)
	}
	return b, true
}

// mostPlain is beyond what plain lines hold: numbers of nine digits.
const mostPlain = 1e9

func appendNumber(b []byte, place int, n int64) []byte {
	if place > 0 {
		b = append(b, ',')
	}
	if 0 <= n && n < 10 {
		return append(b, '0'+byte(n))
	}
	return strconv.AppendInt(b, n, 10)
}

// plain reads what appendPlain wrote, and a line's end; false of any other line.
func (g *sealed) plain(line []byte) (r Result, ok bool) {
	in := scanner{rest: line}
	r.Seats = list(&in, &g.seating, '|', func() int { return int(in.number()) })
	r.Actions = list(&in, &g.actions, '|', func() games.Action { return games.Action(in.number()) })
	r.Returns = list(&in, &g.returns, '\n', func() float64 { return float64(in.number()) })
	return r, !in.failed && len(in.rest) == 0
}

// scanner reads whole numbers until one is not there.
type scanner struct {
	rest   []byte
	failed bool
}

// number reads one of at most nine digits, as it is written: without zeros before it.
func (s *scanner) number() int32 {
	sign, at, n := int32(1), 0, int32(0)
	if len(s.rest) > 0 && s.rest[0] == '-' {
		sign, at = -1, 1
	}
	first := at
	for ; at < len(s.rest) && '0' <= s.rest[at] && s.rest[at] <= '9' && at < first+9; at++ {
		n = 10*n + int32(s.rest[at]-'0')
	}
	leads := at > first+1 && s.rest[first] == '0'
	s.failed = s.failed || at == first || leads || sign < 0 && n == 0
	s.rest = s.rest[at:]
	return sign * n
}

// list reads numbers up to an end, which may come at once, into what a group holds.
func list[T any](s *scanner, all *[]T, end byte, next func() T) []T {
	at := len(*all)
	for more := len(s.rest) > 0 && s.rest[0] != end; more && !s.failed; {
		*all = append(*all, next())
		if more = len(s.rest) > 0 && s.rest[0] == ','; more {
			s.rest = s.rest[1:]
		}
	}
	if s.failed = s.failed || len(s.rest) == 0 || s.rest[0] != end; !s.failed {
		s.rest = s.rest[1:]
	}
	return (*all)[at:len(*all):len(*all)]
}

func result(line []byte) (r Result, err error) {
	err = json.Unmarshal(line, &r)
	return r, err
}

func isSeal(line []byte) bool { return bytes.HasPrefix(line, []byte(`{"sealed":`)) }

// replay returns the next group of the log; false after the last.
func (l *Log) replay() (*sealed, bool, error) {
	group, ok, err := l.past.next()
	if err != nil {
		err = l.named(err)
	}
	return group, ok, err
}

// Results calls a function with each game of the log, in order. It reads the file
// anew and leaves what is being written alone.
func (l *Log) Results(each func(Result) error) error {
	file, err := os.Open(l.path)
	if err != nil {
		return err
	}
	defer file.Close() //nolint:errcheck // it was only read
	past := groups{in: bufio.NewReaderSize(file, 1<<16)}
	for {
		group, ok, err := past.next()
		if err != nil {
			return l.named(err)
		}
		if !ok {
			return nil
		}
		for _, r := range group.results {
			if err := each(r); err != nil {
				return err
			}
		}
	}
}

// write appends a group, in one call, so that a kill leaves it whole or unsealed.
func (l *Log) write(g *sealed) error {
	line, err := json.Marshal(g.seal)
	if err != nil {
		return err
	}
	g.text = append(append(g.text, line...), '\n')
	_, err = l.file.Write(g.text)
	return err
}

// finish writes out what the log will hold of a group.
func (g *sealed) finish() {
	g.seal.Games = len(g.results)
	for i := range g.results {
		r := &g.results[i]
		text, plain := r.appendPlain(g.text)
		if !plain {
			text = r.AppendJSON(text)
		}
		g.text = append(text, '\n')
	}
}

// Close makes the log safe on disk and closes it.
func (l *Log) Close() error { return errors.Join(l.file.Sync(), l.file.Close()) }

// AppendJSON appends the result as encoding/json would write it, many times as fast:
// games of a microsecond are written too.
func (r *Result) AppendJSON(b []byte) []byte {
	b = append(b, `{"game":`...)
	b = strconv.AppendInt(b, int64(r.Game), 10)
	if r.Start != "" {
		start, _ := json.Marshal(r.Start) // a string cannot fail
		b = append(append(b, `,"start":`...), start...)
	}
	b = appendInts(append(b, `,"seats":`...), r.Seats)
	b = appendInts(append(b, `,"actions":`...), r.Actions)
	b = appendFloats(append(b, `,"returns":`...), r.Returns)
	if r.Forfeit != nil {
		b = strconv.AppendInt(append(b, `,"forfeit":`...), int64(*r.Forfeit), 10)
	}
	if r.Late {
		b = append(b, `,"late":true`...)
	}
	if r.Voids > 0 {
		b = strconv.AppendInt(append(b, `,"voids":`...), int64(r.Voids), 10)
	}
	if len(r.Illegal) > 0 {
		b = appendInts(append(b, `,"illegal":`...), r.Illegal)
	}
	if len(r.Talk) > 0 {
		talk, _ := json.Marshal(r.Talk) // strings and numbers cannot fail
		b = append(append(b, `,"talk":`...), talk...)
	}
	return append(b, '}')
}

func appendInts[T ~int | ~int32](b []byte, all []T) []byte {
	b = append(b, '[')
	for i, x := range all {
		b = appendNumber(b, i, int64(x))
	}
	return append(b, ']')
}

func appendFloats(b []byte, all []float64) []byte {
	b = append(b, '[')
	for i, x := range all {
		if i > 0 {
			b = append(b, ',')
		}
		if n := int(x); float64(n) == x && -1e6 < x && x < 1e6 && (n != 0 || !math.Signbit(x)) { // as the rest, and faster
			b = strconv.AppendInt(b, int64(n), 10)
			continue
		}
		b = strconv.AppendFloat(b, x, 'g', -1, 64)
	}
	return append(b, ']')
}
