package spec

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/agnivade/levenshtein"
)

// Reader hands a spec's arguments out by name and type. The getters never
// fail: they note the first wrong argument, and Err returns it, together with
// arguments that nobody asked for.
type Reader struct {
	spec  Spec
	taken map[int]bool
	known []string
	err   error
}

// Read starts reading the arguments of s.
func Read(s Spec) *Reader { return &Reader{spec: s, taken: map[int]bool{}} }

// String returns the argument key, or fallback where it is not given. The
// first positional argument stands for the first key asked for that is not
// given by name, and so on.
func (r *Reader) String(key, fallback string) string {
	value, ok := r.lookup(key)
	if !ok {
		return fallback
	}
	return value
}

// Choice is String limited to the given values.
func (r *Reader) Choice(key, fallback string, values ...string) string {
	value := r.String(key, fallback)
	if !slices.Contains(values, value) {
		r.fail("%s=%s: expected %s%s", key, value, strings.Join(values, ", "), Suggest(value, values))
		return fallback
	}
	return value
}

// Int returns the integer argument key within [min, max].
func (r *Reader) Int(key string, fallback, min, max int) int {
	text, ok := r.lookup(key)
	if !ok {
		return fallback
	}
	value, err := strconv.Atoi(text)
	if err != nil || value < min || value > max {
		r.fail("%s=%s: expected a whole number from %d to %d", key, text, min, max)
		return fallback
	}
	return value
}

// Float returns the number argument key within [min, max].
func (r *Reader) Float(key string, fallback, min, max float64) float64 {
	text, ok := r.lookup(key)
	if !ok {
		return fallback
	}
	value, err := strconv.ParseFloat(text, 64)
	if err != nil || !(value >= min && value <= max) {
		r.fail("%s=%s: expected a number from %g to %g", key, text, min, max)
		return fallback
	}
	return value
}

// Bool returns the truth argument key: true or false.
func (r *Reader) Bool(key string, fallback bool) bool {
	text, ok := r.lookup(key)
	if !ok {
		return fallback
	}
	value, err := strconv.ParseBool(text)
	if err != nil {
		r.fail("%s=%s: expected true or false", key, text)
		return fallback
	}
	return value
}

// Rest returns the arguments that no getter has taken yet, in the order given, and
// takes them.
func (r *Reader) Rest() []Arg {
	var out []Arg
	for i, a := range r.spec.Args {
		if !r.taken[i] {
			r.taken[i] = true
			out = append(out, a)
		}
	}
	return out
}

// Err returns the first wrong argument, or an argument that no getter asked
// for together with the nearest known name.
func (r *Reader) Err() error {
	if r.err != nil {
		return r.err
	}
	for i, a := range r.spec.Args {
		if r.taken[i] {
			continue
		}
		if a.Key == "" {
			return fmt.Errorf("%s: unexpected argument %q", r.spec.Name, a.Value)
		}
		if len(r.known) == 0 {
			return fmt.Errorf("%s: unknown parameter %q: it takes none", r.spec.Name, a.Key)
		}
		return fmt.Errorf("%s: unknown parameter %q%s; it takes %s", r.spec.Name, a.Key, Suggest(a.Key, r.known), strings.Join(r.known, ", "))
	}
	return nil
}

func (r *Reader) lookup(key string) (string, bool) {
	r.known = append(r.known, key)
	for i, a := range r.spec.Args {
		if a.Key == key {
			r.taken[i] = true
			return a.Value, true
		}
	}
	for i, a := range r.spec.Args {
		if a.Key == "" && !r.taken[i] {
			r.taken[i] = true
			return a.Value, true
		}
	}
	return "", false
}

func (r *Reader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf("%s: %s", r.spec.Name, fmt.Sprintf(format, args...))
	}
}

// Suggest returns `, did you mean "X"?` with the nearest of names to word, or
// nothing where none is near.
func Suggest(word string, names []string) string {
	best, distance := "", len(word)/2+1
	for _, name := range names {
		// The start of a name, up to one of its joints: kuhn for kuhn_poker.
		if len(word) >= 3 && strings.HasPrefix(strings.ToLower(name), strings.ToLower(word)+"_") && !slices.Contains(names, word) {
			best = name
			break
		}
		if d := far(word, name); d <= distance && (best == "" || d < distance) {
			best, distance = name, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf(", did you mean %q?", best)
}

// far is how many letters apart two names are; a plus may be spelled out.
func far(word, name string) int {
	word, name = strings.ToLower(word), strings.ToLower(name)
	d := levenshtein.ComputeDistance(word, name)
	if strings.Contains(name, "+") {
		d = min(d, levenshtein.ComputeDistance(word, strings.ReplaceAll(name, "+", "plus")))
	}
	return d
}
