package run

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"maps"
	"math"
	"os"
	"slices"
	"strconv"
)

// UpdateKey is the key of the update's number in every line of a log.
const UpdateKey = "update"

// Log appends lines to metrics.jsonl or timing.jsonl. A line is one JSON
// object of numbers, {"update":1,"entropy":0.69,...}: the update first, the
// other keys sorted, numbers in their shortest exact form, null for what is no
// finite number. So the same values give the same bytes.
type Log struct {
	name string
	out  file
	size int64
	sum  hash.Hash
	line []byte
	err  error
}

// Metrics opens metrics.jsonl, for what measures learning, to append to. It is
// cut back to what it held when checkpoint c was written; nil stands for the
// run's start. A file that does not hold that any more is an error.
func (r *Folder) Metrics(c *Checkpoint) (*Log, error) {
	var keep extent
	if c != nil {
		keep = c.manifest.Metrics
	}
	l, err := r.openLog(MetricsFile, keep.Size)
	if err != nil {
		return nil, err
	}
	if keep.Size > 0 && l.extent().SHA256 != keep.SHA256 {
		_ = l.Close()
		return nil, fmt.Errorf("run %s: %s does not begin with the %d bytes that checkpoint %d was written with: restore the file, or remove the checkpoint",
			r.dir, MetricsFile, keep.Size, c.Step)
	}
	r.metrics = l
	return l, nil
}

// Timing opens timing.jsonl, for what measures time and so differs from run to
// run, to append to. It is cut back to the lines up to the update of
// checkpoint c; nil stands for the run's start.
func (r *Folder) Timing(c *Checkpoint) (*Log, error) {
	size := int64(0)
	if c != nil {
		data, err := readIfThere(r.Path(TimingFile))
		if err != nil {
			return nil, fmt.Errorf("run %s: %w", r.dir, plain(err))
		}
		for line := range bytes.Lines(data) {
			values, err := parseLine(line)
			if err != nil || values[UpdateKey] > float64(c.Step) {
				break
			}
			size += int64(len(line))
		}
	}
	return r.openLog(TimingFile, size)
}

// openLog opens a log that is to go on behind its first size bytes.
func (r *Folder) openLog(name string, size int64) (*Log, error) {
	fail := func(err error) (*Log, error) {
		return nil, fmt.Errorf("open %s of run %s: %w", name, r.dir, plain(err))
	}
	if r.lock == nil {
		return fail(ErrReadOnly)
	}
	l := &Log{name: name, size: size, sum: sha256.New()}
	old, err := readIfThere(r.Path(name))
	if err != nil {
		return fail(err)
	}
	if int64(len(old)) < size {
		return fail(fmt.Errorf("it has %d bytes, expected at least the %d of the checkpoint: restore the file, or remove the checkpoint", len(old), size))
	}
	l.sum.Write(old[:size])
	if l.out, err = r.disk.Append(r.Path(name), size); err != nil {
		return fail(err)
	}
	if err := r.disk.SyncDir(r.dir); err != nil {
		_ = l.out.Close()
		return fail(err)
	}
	return l, nil
}

func readIfThere(path string) ([]byte, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return data, err
}

// Append writes the line of an update in one call. After an error, such as a
// full disk, the log holds the lines before and takes no more.
func (l *Log) Append(update int, values map[string]float64) error {
	if l.err != nil {
		return l.err
	}
	l.line = appendLine(l.line[:0], update, values)
	if _, err := l.out.Write(l.line); err != nil {
		l.err = fmt.Errorf("write %s at update %d: %w", l.name, update, plain(err))
		_ = l.out.Truncate(l.size) // the half line, if it can be
		return l.err
	}
	l.sum.Write(l.line)
	l.size += int64(len(l.line))
	return nil
}

func appendLine(dst []byte, update int, values map[string]float64) []byte {
	dst = append(dst, `{"`+UpdateKey+`":`...)
	dst = strconv.AppendInt(dst, int64(update), 10)
	for _, key := range slices.Sorted(maps.Keys(values)) {
		if key == UpdateKey {
			continue
		}
		name, _ := json.Marshal(key) // a string always can be
		dst = append(append(append(dst, ','), name...), ':')
		if v := values[key]; math.IsNaN(v) || math.IsInf(v, 0) {
			dst = append(dst, "null"...)
		} else {
			dst = strconv.AppendFloat(dst, v, 'g', -1, 64)
		}
	}
	return append(dst, "}\n"...)
}

// sync makes the lines durable and returns what the file then holds.
func (l *Log) sync() (extent, error) {
	if l.err != nil {
		return extent{}, l.err
	}
	if err := l.out.Sync(); err != nil {
		return extent{}, err
	}
	return l.extent(), nil
}

func (l *Log) extent() extent {
	return extent{Name: l.name, Size: l.size, SHA256: hex.EncodeToString(l.sum.Sum(nil))}
}

// Close makes the lines durable and closes the log.
func (l *Log) Close() error {
	return errors.Join(l.out.Sync(), l.out.Close())
}

// ReadMetrics returns the lines of metrics.jsonl of the run in dir, none if
// there is no such file. A value that was no finite number is NaN. A last line
// without an end, as a killed process leaves it, is passed over.
func ReadMetrics(dir string) ([]map[string]float64, error) {
	return readLog((&Folder{dir: dir}).Path(MetricsFile))
}

// ReadTiming is ReadMetrics for timing.jsonl.
func ReadTiming(dir string) ([]map[string]float64, error) {
	return readLog((&Folder{dir: dir}).Path(TimingFile))
}

func readLog(path string) ([]map[string]float64, error) {
	data, err := readIfThere(path)
	if err != nil {
		return nil, err
	}
	var lines []map[string]float64
	for line := range bytes.Lines(data) {
		if line[len(line)-1] != '\n' {
			break
		}
		values, err := parseLine(line)
		if err != nil {
			return nil, fmt.Errorf("%s, line %d: %w", path, len(lines)+1, err)
		}
		lines = append(lines, values)
	}
	return lines, nil
}

func parseLine(line []byte) (map[string]float64, error) {
	if line[len(line)-1] != '\n' {
		return nil, io.ErrUnexpectedEOF
	}
	var raw map[string]*float64
	if err := json.Unmarshal(line, &raw); err != nil {
		return nil, fmt.Errorf("expected a JSON object of numbers: %w", err)
	}
	values := make(map[string]float64, len(raw))
	for key, v := range raw {
		values[key] = math.NaN()
		if v != nil {
			values[key] = *v
		}
	}
	if update, ok := values[UpdateKey]; !ok || math.IsNaN(update) {
		return nil, fmt.Errorf("expected a number %q", UpdateKey)
	}
	return values, nil
}

// Series picks one key's values, and the updates at which there are any, out
// of a log's lines.
func Series(lines []map[string]float64, key string) (updates, values []float64) {
	for _, line := range lines {
		if v, ok := line[key]; ok && !math.IsNaN(v) {
			updates = append(updates, line[UpdateKey])
			values = append(values, v)
		}
	}
	return updates, values
}
