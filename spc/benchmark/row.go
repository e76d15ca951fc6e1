package benchmark

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// row is a record of a file. It keeps the first error, so that a reader asks for
// all fields and need not check each.
type row struct {
	at     string // file and line
	subset string // what the file's name says
	number int    // from 0 on, in the file
	fields map[string]json.RawMessage
	err    error
}

func (r *row) fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf("%s: %w", r.at, fmt.Errorf(format, args...))
	}
}

// has tells whether a field is there and not null.
func (r *row) has(name string) bool {
	raw, found := r.fields[name]
	return found && string(raw) != "null"
}

// decode reads a field that must be there into v, which takes the kind of value
// that expected names.
func (r *row) decode(name, expected string, v any) {
	raw, found := r.fields[name]
	switch {
	case !found:
		r.fail("there is no field %q", name)
	case !r.has(name) || json.Unmarshal(raw, v) != nil:
		r.fail("field %q: got %s, expected %s", name, short(raw), expected)
	}
}

func (r *row) text(name string) (v string) {
	r.decode(name, "a string", &v)
	return v
}

// filled is text that must not be blank.
func (r *row) filled(name string) string {
	v := r.text(name)
	if r.err == nil && strings.TrimSpace(v) == "" {
		r.fail("field %q is empty", name)
	}
	return v
}

// optional is text that may be missing.
func (r *row) optional(name string) string {
	if !r.has(name) {
		return ""
	}
	return r.text(name)
}

// id is a row's id, a string or a number; without one, the file's name and the
// row's number.
func (r *row) id() string {
	if !r.has("id") {
		return r.subset + "-" + strconv.Itoa(r.number)
	}
	var v json.Number
	if json.Unmarshal(r.fields["id"], &v) == nil && v != "" {
		return v.String()
	}
	return r.text("id")
}

// steps are one string or more.
func (r *row) steps(name string) []string {
	const expected = "a list of strings"
	var list []*string // null in a list is no string
	r.decode(name, expected, &list)
	out := make([]string, len(list))
	for i, s := range list {
		if s == nil {
			r.fail("field %q, entry %d: got null, expected a string", name, i)
			return nil
		}
		out[i] = *s
	}
	if r.err == nil && len(out) == 0 {
		r.fail("field %q: the list is empty, expected one step or more", name)
	}
	return out
}

// integer is an integer from low to high.
func (r *row) integer(name string, low, high int) (v int) {
	r.decode(name, "an integer", &v)
	if r.err == nil && (v < low || v > high) {
		r.fail("field %q: got %d, expected an integer from %d to %d", name, v, low, high)
	}
	return v
}

// label is SPC's: 1 where the step is right and -1 where it is wrong.
func (r *row) label(name string) (wrong bool) {
	var v int
	r.decode(name, "1 or -1", &v)
	if r.err == nil && v != 1 && v != -1 {
		r.fail("field %q: got %d, expected 1 or -1", name, v)
	}
	return v == -1
}

// flag is a bool, as JSON, Python and data frames write it.
func (r *row) flag(name string) bool {
	var raw json.RawMessage
	r.decode(name, "true or false", &raw)
	switch strings.ToLower(strings.Trim(string(raw), `"`)) {
	case "true", "1", "1.0":
		return true
	case "false", "0", "0.0":
		return false
	}
	r.fail("field %q: got %s, expected true or false", name, short(raw))
	return false
}

// numbers is a list of integers, or a string that holds one as Python writes it.
func (r *row) numbers(name string) []int {
	const expected = "a list of integers such as [1, 3]"
	var list []*int
	if raw := r.fields[name]; len(raw) == 0 || raw[0] != '"' {
		r.decode(name, expected, &list)
	} else if list = pythonList(r.text(name)); list == nil {
		r.fail("field %q: got %s, expected %s", name, short(raw), expected)
	}
	out := make([]int, len(list))
	for i, v := range list {
		if v == nil {
			r.fail("field %q, entry %d: got null, expected an integer", name, i)
			return nil
		}
		out[i] = *v
	}
	return out
}

// pythonList reads a list or tuple of integers, quoted or not; nil where it is
// none.
func pythonList(text string) []*int {
	text = strings.TrimSpace(text)
	if len(text) < 2 || text[:1]+text[len(text)-1:] != "[]" && text[:1]+text[len(text)-1:] != "()" {
		return nil
	}
	list := []*int{}
	inner := strings.TrimSpace(text[1 : len(text)-1])
	inner = strings.TrimSpace(strings.TrimSuffix(inner, ","))
	if inner == "" {
		return list
	}
	for entry := range strings.SplitSeq(inner, ",") {
		v, err := strconv.Atoi(unquote(strings.TrimSpace(entry)))
		if err != nil {
			return nil
		}
		list = append(list, &v)
	}
	return list
}

func unquote(s string) string {
	if n := len(s); n >= 2 && s[0] == s[n-1] && (s[0] == '\'' || s[0] == '"') {
		return strings.TrimSpace(s[1 : n-1])
	}
	return s
}

func (r *row) origin() (o Origin) {
	o.Domain = r.optional("domain")
	if r.has("seed") {
		r.decode("seed", "an integer", &o.Seed)
	}
	return o
}

// short shows a value on one line.
func short(raw []byte) string {
	const most = 40
	text := []rune(string(bytes.Join(bytes.Fields(raw), []byte{' '})))
	if len(text) > most {
		return string(text[:most]) + "…"
	}
	return string(text)
}
