package arena

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"github.com/agon-rl/agon/play"
)

// Log is the file that a tournament is written to as it goes: a line a game, and after
// each group of games one that seals it. What follows the last seal is a group that a
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
	in   *bufio.Reader
	line int
}

// next returns the next group; false after the last.
func (g *groups) next() (sealed, bool, error) {
	var group sealed
	for {
		line, err := readLine(g.in)
		if errors.Is(err, io.EOF) {
			return sealed{}, false, nil
		}
		if err != nil {
			return sealed{}, false, err
		}
		g.line++
		if isSeal(line) {
			if err := json.Unmarshal(line, &group.seal); err != nil || group.seal.Games != len(group.results) {
				return sealed{}, false, fmt.Errorf("line %d does not seal the games before it: the file was changed; begin anew, or restore it", g.line)
			}
			return group, true, nil
		}
		var r Result
		if err := json.Unmarshal(line, &r); err != nil {
			return sealed{}, false, fmt.Errorf("line %d is no game: the file was changed; begin anew, or restore it: %w", g.line, err)
		}
		group.results = append(group.results, r)
	}
}

func isSeal(line []byte) bool { return bytes.HasPrefix(line, []byte(`{"sealed":`)) }

// replay returns the next group of the log; false after the last.
func (l *Log) replay() (sealed, bool, error) {
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
func (l *Log) write(g sealed) error {
	line, err := json.Marshal(g.seal)
	if err != nil {
		return err
	}
	_, err = l.file.Write(append(append(g.text, line...), '\n'))
	return err
}

// finish writes out what the log will hold of a group.
func (g *sealed) finish() {
	g.seal.Games = len(g.results)
	g.text = make([]byte, 0, 100*len(g.results))
	for _, r := range g.results {
		g.text = append(r.AppendJSON(g.text), '\n')
	}
}

// Close makes the log safe on disk and closes it.
func (l *Log) Close() error { return errors.Join(l.file.Sync(), l.file.Close()) }

// AppendJSON appends the result as encoding/json would write it, many times as fast:
// games of a microsecond are written too.
func (r Result) AppendJSON(b []byte) []byte {
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
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, int64(x), 10)
	}
	return append(b, ']')
}

func appendFloats(b []byte, all []float64) []byte {
	b = append(b, '[')
	for i, x := range all {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendFloat(b, x, 'g', -1, 64)
	}
	return append(b, ']')
}
