package prefs

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/parquet-go/parquet-go"
)

// Row is what files hold, one kind a file.
type Row interface {
	Pair | Completion | Outcome | Visit | PromptPair
}

// Formats are the endings of files that can be read and written.
var Formats = []string{".parquet", ".jsonl"}

// CheckName refuses a file whose ending names no format.
func CheckName(path string) error {
	if ending := filepath.Ext(path); !slices.Contains(Formats, ending) {
		return fmt.Errorf("prefs: %s: expected a file that ends in .parquet or .jsonl", path)
	}
	return nil
}

// Write writes rows into a file, in the format of its ending. The file is made
// whole or not at all.
func Write[R Row](path string, rows []R) (err error) {
	if err := CheckName(path); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".tmp-*")
	if err != nil {
		return fmt.Errorf("prefs: writing %s: %w", path, err)
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("prefs: writing %s: %w", path, errors.Join(err, os.Remove(f.Name())))
		}
	}()
	out := bufio.NewWriterSize(f, 1<<20)
	if filepath.Ext(path) == ".parquet" {
		err = writeParquet(out, rows)
	} else {
		err = writeLines(out, rows)
	}
	if err == nil {
		err = out.Flush()
	}
	if err == nil {
		err = f.Chmod(0o644)
	}
	if err == nil {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

func writeParquet[R Row](out io.Writer, rows []R) error {
	w := parquet.NewGenericWriter[R](out, parquet.Compression(&parquet.Zstd))
	if _, err := w.Write(rows); err != nil {
		return errors.Join(err, w.Close())
	}
	return w.Close()
}

func writeLines[R Row](out io.Writer, rows []R) error {
	e := json.NewEncoder(out)
	e.SetEscapeHTML(false)
	for _, row := range rows {
		if err := e.Encode(row); err != nil {
			return err
		}
	}
	return nil
}

// Read reads all rows of a file.
func Read[R Row](path string) (rows []R, err error) {
	if err := CheckName(path); err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("prefs: %w", err)
	}
	defer f.Close() //nolint:errcheck // opened for reading
	info, err := f.Stat()
	switch {
	case err != nil:
	case !info.Mode().IsRegular():
		err = errors.New("it is a folder or a device")
	case info.Size() == 0:
		err = errors.New("the file is empty")
	case filepath.Ext(path) == ".parquet":
		rows, err = readParquet[R](f, info.Size())
	default:
		rows, err = readLines[R](f)
	}
	if err != nil {
		return nil, fmt.Errorf("prefs: %s: %w", path, err)
	}
	return rows, nil
}

// pointer begins a file that Git keeps elsewhere.
const pointer = "version https://git-lfs"

var errPointer = errors.New("it is a Git LFS pointer and not the data: fetch it with git lfs pull")

func readParquet[R Row](f *os.File, size int64) (rows []R, err error) {
	defer func() {
		if r := recover(); r != nil { // the library panics where pages contradict the schema
			rows, err = nil, fmt.Errorf("it is damaged: %v", r)
		}
	}()
	head := make([]byte, len(pointer))
	if n, _ := f.ReadAt(head, 0); string(head[:n]) == pointer {
		return nil, errPointer
	}
	file, err := parquet.OpenFile(f, size)
	if err != nil {
		return nil, fmt.Errorf("it is no whole Parquet file: %w", err)
	}
	if err := comparable(file.Schema(), parquet.SchemaOf(new(R))); err != nil {
		return nil, err
	}
	r := parquet.NewGenericReader[R](f)
	defer r.Close() //nolint:errcheck // the file is the caller's
	rows = make([]R, 0, r.NumRows())
	chunk := make([]R, 256)
	for {
		n, err := r.Read(chunk)
		rows = append(rows, chunk[:n]...)
		clear(chunk)
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return nil, fmt.Errorf("row %d: %w", len(rows)+1, err)
		}
	}
}

// later are columns that files of earlier versions lack; they are read as zeros.
var later = []string{"chosen_source", "rejected_source", "doubt"}

// comparable refuses a file whose columns are not those of the rows wanted.
func comparable(file, want *parquet.Schema) error {
	have := map[string]parquet.Kind{}
	for _, path := range file.Columns() {
		leaf, _ := file.Lookup(path...)
		have[path[0]] = leaf.Node.Type().Kind()
	}
	for _, path := range want.Columns() {
		leaf, _ := want.Lookup(path...)
		kind, found := have[path[0]]
		switch {
		case !found && slices.Contains(later, path[0]):
		case !found:
			return fmt.Errorf("there is no column %q; expected %s", path[0], strings.Join(fields(want), ", "))
		case kind != leaf.Node.Type().Kind():
			return fmt.Errorf("column %q is of type %s, expected %s", path[0], kind, leaf.Node.Type().Kind())
		}
	}
	return nil
}

func fields(s *parquet.Schema) []string {
	var out []string
	for _, f := range s.Fields() {
		out = append(out, f.Name())
	}
	return out
}

func readLines[R Row](f io.Reader) (rows []R, err error) {
	const longest = 64 << 20
	in := bufio.NewScanner(f)
	in.Buffer(nil, longest)
	for line := 1; in.Scan(); line++ {
		text := bytes.TrimSpace(in.Bytes())
		if len(text) == 0 {
			continue
		}
		if line == 1 && bytes.HasPrefix(text, []byte(pointer)) {
			return nil, errPointer
		}
		d := json.NewDecoder(bytes.NewReader(text))
		d.DisallowUnknownFields()
		var row R
		if err := d.Decode(&row); err != nil {
			return nil, fmt.Errorf("line %d: %w", line, err)
		}
		if d.More() {
			return nil, fmt.Errorf("line %d: more than one value", line)
		}
		rows = append(rows, row)
	}
	if err := in.Err(); err != nil {
		return nil, fmt.Errorf("line %d: %w", len(rows)+1, err)
	}
	if rows == nil {
		return nil, errors.New("the file holds no rows")
	}
	return rows, nil
}
