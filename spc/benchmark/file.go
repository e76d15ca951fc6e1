package benchmark

import (
	"bufio"
	"bytes"
	"encoding/csv"
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

// endings in order of preference: data sets come in several formats side by
// side, and a row must not count twice.
var endings = [][]string{{".json", ".jsonl"}, {".parquet"}, {".csv"}}

// list finds the files to read: path itself, or a folder's files.
func list(path string, names []string) ([]string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("expected a file or a folder with data: %w", err)
	}
	if !info.IsDir() {
		if !slices.ContainsFunc(endings, func(e []string) bool { return slices.Contains(e, filepath.Ext(path)) }) {
			return nil, fmt.Errorf("%s: expected a file that ends in .json, .jsonl, .parquet or .csv", path)
		}
		return []string{path}, nil
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, err
	}
	for _, group := range endings {
		var found []string
		for _, e := range entries {
			wanted := names == nil || slices.Contains(names, stem(e.Name()))
			if !e.IsDir() && wanted && slices.Contains(group, filepath.Ext(e.Name())) {
				found = append(found, filepath.Join(path, e.Name()))
			}
		}
		if found != nil {
			return found, nil
		}
	}
	if names == nil {
		names = []string{"*"}
	}
	return nil, fmt.Errorf("%s: the folder has no data; expected %s.json, .jsonl, .parquet or .csv", path, strings.Join(names, ", "))
}

// stem is a file's name without its ending and without the part's number that
// Hugging Face appends, as in test-00000-of-00001.parquet.
func stem(path string) string {
	name := strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
	if i := strings.Index(name, "-0"); i > 0 && strings.Contains(name, "-of-") {
		name = name[:i]
	}
	return name
}

// readFile calls do for each row, up to the first that does not fit.
func readFile(path string, do func(*row)) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // opened for reading
	info, err := f.Stat()
	if err != nil {
		return err
	}
	rows := 0
	take := func(at string, fields map[string]json.RawMessage) error {
		r := &row{at: at, subset: stem(path), number: rows, fields: fields}
		rows++
		do(r)
		return r.err
	}
	head := make([]byte, len(pointer))
	n, err := f.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("%s: %w", path, err)
	}
	switch {
	case string(head[:n]) == pointer:
		return fmt.Errorf("%s:1: this is a git-LFS pointer and not the data: run `git lfs pull` where it was cloned", path)
	case filepath.Ext(path) == ".parquet":
		err = readParquet(path, f, info.Size(), take)
	case filepath.Ext(path) == ".csv":
		err = readCSV(path, f, take)
	default:
		err = readJSON(path, f, take)
	}
	if err == nil && rows == 0 {
		err = fmt.Errorf("%s: the file holds no rows", path)
	}
	return err
}

// pointer begins a file that Git keeps elsewhere.
const pointer = "version https://git-lfs"

type taker func(at string, fields map[string]json.RawMessage) error

// readJSON reads an array of objects, or one object a line: names do not tell,
// since files of lines end in .json as well.
func readJSON(path string, f io.Reader, take taker) error {
	in := bufio.NewReaderSize(f, 1<<20)
	line := 1
	for {
		b, err := in.ReadByte()
		switch {
		case errors.Is(err, io.EOF):
			return nil // no rows: the caller says so
		case err != nil:
			return fmt.Errorf("%s: %w", path, err)
		case b == '\n':
			line++
		case b == ' ' || b == '\t' || b == '\r':
		default:
			if err := in.UnreadByte(); err != nil {
				return fmt.Errorf("%s: %w", path, err)
			}
			if b == '[' {
				return readArray(path, line, in, take)
			}
			return readLines(path, line, in, take)
		}
	}
}

func readLines(path string, line int, in io.Reader, take taker) error {
	const longest = 64 << 20
	s := bufio.NewScanner(in)
	s.Buffer(nil, longest)
	for ; s.Scan(); line++ {
		text := bytes.TrimSpace(s.Bytes())
		if len(text) == 0 {
			continue
		}
		if err := takeObject(fmt.Sprintf("%s:%d", path, line), text, take); err != nil {
			return err
		}
	}
	if err := s.Err(); err != nil {
		return fmt.Errorf("%s:%d: %w", path, line, err)
	}
	return nil
}

func takeObject(at string, text []byte, take taker) error {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(text, &fields); err != nil {
		if json.Valid(text) {
			return fmt.Errorf("%s: got %s, expected a JSON object", at, short(text))
		}
		return fmt.Errorf("%s: broken JSON: %w", at, err)
	}
	return take(at, fields)
}

func readArray(path string, line int, in io.Reader, take taker) error {
	text, err := io.ReadAll(in)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	lineAt := func(offset int64) string {
		return fmt.Sprintf("%s:%d", path, line+bytes.Count(text[:min(offset, int64(len(text)))], []byte{'\n'}))
	}
	broken := func(d *json.Decoder, err error) error {
		offset := d.InputOffset()
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			offset = syntax.Offset
		}
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return fmt.Errorf("%s: broken JSON: %w", lineAt(offset), err)
	}
	d := json.NewDecoder(bytes.NewReader(text))
	if _, err := d.Token(); err != nil {
		return broken(d, err)
	}
	for d.More() {
		start := d.InputOffset() // before the blanks and the comma that lead the value
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return broken(d, err)
		}
		start += int64(bytes.Index(text[start:], value))
		if err := takeObject(lineAt(start), value, take); err != nil {
			return err
		}
	}
	if _, err := d.Token(); err != nil {
		return broken(d, err)
	}
	if d.More() {
		return broken(d, errors.New("there is more after the array"))
	}
	return nil
}

func readCSV(path string, f io.Reader, take taker) error {
	in := csv.NewReader(f)
	head, err := in.Read()
	if errors.Is(err, io.EOF) {
		return nil
	}
	for line := 1; ; {
		if err != nil {
			var syntax *csv.ParseError
			if errors.As(err, &syntax) {
				line, err = syntax.Line, syntax.Err
			}
			return fmt.Errorf("%s:%d: broken CSV: %w", path, line, err)
		}
		var cells []string
		cells, err = in.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			continue
		}
		line, _ = in.FieldPos(0)
		fields := map[string]json.RawMessage{}
		for i, name := range head {
			fields[strings.TrimPrefix(name, "\ufeff")] = encode(cells[i])
		}
		if err := take(fmt.Sprintf("%s:%d", path, line), fields); err != nil {
			return err
		}
	}
}

// encode writes a value of a table as JSON, so that all formats are read alike.
func encode(v any) json.RawMessage {
	text, err := json.Marshal(v)
	if err != nil { // a number that JSON lacks
		return json.RawMessage("null")
	}
	return text
}

func readParquet(path string, f io.ReaderAt, size int64, take taker) (err error) {
	number := 1
	defer func() {
		if r := recover(); r != nil { // the library panics where pages contradict the schema
			err = fmt.Errorf("%s: row %d: the file is damaged: %v", path, number, r)
		}
	}()
	file, err := parquet.OpenFile(f, size)
	if err != nil {
		return fmt.Errorf("%s: it is no whole Parquet file: %w", path, err)
	}
	r := parquet.NewReader(file)
	defer r.Close() //nolint:errcheck // the file is the caller's
	columns, buffer := file.Schema().Columns(), make([]parquet.Row, 64)
	repeated := make([]bool, len(columns))
	for i, c := range columns {
		leaf, _ := file.Schema().Lookup(c...)
		repeated[i] = leaf.MaxRepetitionLevel > 0
	}
	for {
		n, err := r.ReadRows(buffer)
		for _, values := range buffer[:n] {
			if err := take(fmt.Sprintf("%s: row %d", path, number), cells(values, columns, repeated)); err != nil {
				return err
			}
			number++
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s: row %d: %w", path, number, err)
		}
	}
}

// cells gathers a row's values by column; a repeated column is a list.
func cells(values parquet.Row, columns [][]string, repeated []bool) map[string]json.RawMessage {
	fields, lists := map[string]json.RawMessage{}, map[string][]any{}
	for _, v := range values {
		name := columns[v.Column()][0]
		switch {
		case !repeated[v.Column()]:
			fields[name] = encode(native(v))
		case v.IsNull(): // of an empty list
			lists[name] = append([]any{}, lists[name]...)
		default:
			lists[name] = append(lists[name], native(v))
		}
	}
	for name, list := range lists {
		fields[name] = encode(list)
	}
	return fields
}

func native(v parquet.Value) any {
	switch v.Kind() {
	case parquet.Boolean:
		return v.Boolean()
	case parquet.Int32:
		return v.Int32()
	case parquet.Int64:
		return v.Int64()
	case parquet.Float:
		return v.Float()
	case parquet.Double:
		return v.Double()
	case parquet.ByteArray:
		return string(v.ByteArray())
	}
	return nil
}
