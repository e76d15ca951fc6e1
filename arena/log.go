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
	file *os.File
	past []sealed // not yet replayed
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
	l := &Log{file: file}
	whole, err := l.read()
	if err == nil {
		err = file.Truncate(whole)
	}
	if err == nil {
		_, err = file.Seek(whole, io.SeekStart)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("the log %s: %w", path, err), file.Close())
	}
	return l, nil
}

// read returns the sealed groups and how many bytes they have.
func (l *Log) read() (whole int64, err error) {
	in := bufio.NewReaderSize(l.file, 1<<16)
	var group sealed
	offset := int64(0)
	for number := 1; ; number++ {
		line, err := in.ReadBytes('\n')
		if err == io.EOF { // a line without its end is not there
			return whole, nil
		}
		if err != nil {
			return 0, err
		}
		offset += int64(len(line))
		if isSeal(line) {
			if err := json.Unmarshal(line, &group.seal); err != nil || group.seal.Games != len(group.results) {
				return 0, fmt.Errorf("line %d does not seal the games before it: the file was changed; begin anew, or restore it", number)
			}
			l.past, whole = append(l.past, group), offset
			group = sealed{}
			continue
		}
		var r Result
		if err := json.Unmarshal(line, &r); err != nil {
			return 0, fmt.Errorf("line %d is no game: the file was changed; begin anew, or restore it: %w", number, err)
		}
		group.results = append(group.results, r)
	}
}

// Games is how many games were there when the log was opened.
func (l *Log) Games() (n int) {
	for _, g := range l.past {
		n += len(g.results)
	}
	return n
}

func isSeal(line []byte) bool { return bytes.HasPrefix(line, []byte(`{"sealed":`)) }

// replay returns the next group of the log; false after the last.
func (l *Log) replay() (sealed, bool) {
	if len(l.past) == 0 {
		return sealed{}, false
	}
	group := l.past[0]
	l.past = l.past[1:]
	return group, true
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
		start, _ := json.Marshal(r.Start) //nolint:errcheck // a string cannot fail
		b = append(append(b, `,"start":`...), start...)
	}
	b = appendInts(append(b, `,"seats":`...), r.Seats)
	b = appendInts(append(b, `,"actions":`...), r.Actions)
	b = append(b, `,"returns":[`...)
	for i, x := range r.Returns {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendFloat(b, x, 'g', -1, 64)
	}
	b = append(b, ']')
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
		talk, _ := json.Marshal(r.Talk) //nolint:errcheck // strings and numbers cannot fail
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
