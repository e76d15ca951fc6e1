package spec

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Registry holds what a person can name of one kind: the agents, the judges, the
// estimators. Each is added by an init function of the file that defines it, so that
// a new one is one file and help texts, errors and constructors cannot disagree about
// what there is. The zero Registry is empty and ready to use.
//
// It is filled before main runs and only read from then on, which any number of
// goroutines may do at a time.
type Registry[T any] struct {
	entries []Entry[T] // in ascending order of their names
}

// Entry is one thing that can be named.
type Entry[T any] struct {
	Name    string   // as a person writes it
	Aliases []string // other names that Find takes: a paper's, an older one
	// Usage is the form with its settings as help shows it, such as
	// mcts:sims=400; "" for the bare name.
	Usage string
	// Help says in one or more lines what it is, without the last line's end.
	Help  string
	Value T // mostly a constructor
}

// Add puts an entry into the registry. It is called from init functions and panics
// where the name is empty or a name is taken, since that is a mistake in the program,
// not in its input.
func (r *Registry[T]) Add(e Entry[T]) {
	for _, name := range append([]string{e.Name}, e.Aliases...) {
		if _, taken := r.Get(name); taken || name == "" {
			panic(fmt.Sprintf("registering %q: the name %q is empty or taken", e.Name, name))
		}
	}
	at, _ := slices.BinarySearchFunc(r.entries, e.Name, func(a Entry[T], name string) int { return strings.Compare(a.Name, name) })
	r.entries = slices.Insert(r.entries, at, e)
}

// Register is Add of an entry without other names; an empty usage is the bare name.
func (r *Registry[T]) Register(name, usage, help string, value T) {
	r.Add(Entry[T]{Name: name, Usage: usage, Help: help, Value: value})
}

// All returns the entries in ascending order of their names.
func (r *Registry[T]) All() []Entry[T] { return slices.Clone(r.entries) }

// Names returns the names in ascending order, aliases left out.
func (r *Registry[T]) Names() []string {
	out := make([]string, len(r.entries))
	for i, e := range r.entries {
		out[i] = e.Name
	}
	return out
}

// Get returns the entry that has a name or an alias, if there is one.
func (r *Registry[T]) Get(name string) (Entry[T], bool) {
	i := slices.IndexFunc(r.entries, func(e Entry[T]) bool { return e.Name == name || slices.Contains(e.Aliases, name) })
	if i < 0 {
		return Entry[T]{}, false
	}
	return r.entries[i], true
}

// Find is Get with an error, that of Unknown, where there is none.
func (r *Registry[T]) Find(name string) (Entry[T], error) {
	e, ok := r.Get(name)
	if !ok {
		return e, Unknown(name, r.Names())
	}
	return e, nil
}

// Read parses text, finds the entry that it names and starts reading the settings
// given to it. The error begins with the offending text in quotes, so that callers
// need to say only what was wanted: fmt.Errorf("agent %w", err).
func (r *Registry[T]) Read(text string) (Entry[T], *Reader, error) {
	s, err := Parse(text)
	if err != nil {
		return Entry[T]{}, nil, err
	}
	e, err := r.Find(s.Name)
	if err != nil {
		return e, nil, err
	}
	return e, Read(s), nil
}

// Unknown is the error of a name that is none of names: with the nearest of them, and
// all.
func Unknown(name string, names []string) error {
	return fmt.Errorf("%q is unknown%s; there are %s", name, Suggest(name, names), strings.Join(names, ", "))
}

// widest is the longest usage, in characters, that help puts its text beside; a longer
// one stands above it.
const widest = 36

// Help prints the entries as a table of two columns, usage and help, in ascending
// order of the names and without the last line's end.
func (r *Registry[T]) Help() string {
	column := 0
	for _, e := range r.entries {
		if width := utf8.RuneCountInString(e.usage()); width <= widest {
			column = max(column, width+2)
		}
	}
	margin := strings.Repeat(" ", max(column, 4))
	var b strings.Builder
	for i, e := range r.entries {
		if i > 0 {
			b.WriteByte('\n')
		}
		usage := e.usage()
		b.WriteString(usage)
		if e.help() == "" {
			continue
		}
		if width := utf8.RuneCountInString(usage); width <= widest {
			b.WriteString(margin[width:])
		} else {
			b.WriteString("\n" + margin)
		}
		b.WriteString(strings.ReplaceAll(e.help(), "\n", "\n"+margin))
	}
	return b.String()
}

func (e Entry[T]) usage() string {
	if e.Usage == "" {
		return e.Name
	}
	return e.Usage
}

// help is the entry's own text and its other names.
func (e Entry[T]) help() string {
	if len(e.Aliases) == 0 {
		return e.Help
	}
	return strings.TrimPrefix(e.Help+"; also called "+strings.Join(e.Aliases, ", "), "; ")
}
