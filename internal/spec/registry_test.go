package spec_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/agon-rl/agon/internal/spec"
)

// ExampleRegistry names kinds of noise: each is a function of the settings that a
// person gives it.
func ExampleRegistry() {
	var noises spec.Registry[func(r *spec.Reader) string]
	// Each of these stands in an init function of its own file.
	noises.Add(spec.Entry[func(r *spec.Reader) string]{
		Name: "gauss", Aliases: []string{"normal"}, Usage: "gauss(mean=0,deviation=1)", Help: "the bell curve",
		Value: func(r *spec.Reader) string {
			return fmt.Sprint("N", r.Float("mean", 0, -9, 9), r.Float("deviation", 1, 0, 9))
		},
	})
	noises.Add(spec.Entry[func(r *spec.Reader) string]{
		Name: "coin", Help: "heads or tails,\neach as likely",
		Value: func(*spec.Reader) string { return "coin" },
	})

	fmt.Println(noises.Help())
	noise, settings, err := noises.Read("normal(2)")
	fmt.Println(noise.Value(settings), err)
	_, _, err = noises.Read("gaus")
	fmt.Println(err)
	// Output:
	// coin                       heads or tails,
	//                            each as likely
	// gauss(mean=0,deviation=1)  the bell curve; also called normal
	// N2 1 <nil>
	// "gaus" is unknown, did you mean "gauss"?; there are coin, gauss
}

func TestRegistry(t *testing.T) {
	var r spec.Registry[int]
	if r.Help() != "" || len(r.Names()) != 0 {
		t.Errorf("an empty registry has the help %q and the names %v", r.Help(), r.Names())
	}
	r.Add(spec.Entry[int]{Name: "b", Aliases: []string{"second"}, Value: 2})
	r.Add(spec.Entry[int]{Name: "c", Value: 3})
	r.Add(spec.Entry[int]{Name: "a", Value: 1})
	if got := r.Names(); !slices.Equal(got, []string{"a", "b", "c"}) {
		t.Errorf("names are %v", got)
	}
	for name, want := range map[string]int{"a": 1, "b": 2, "second": 2, "c": 3} {
		if e, err := r.Find(name); err != nil || e.Value != want {
			t.Errorf("%s: got %d, %v; want %d", name, e.Value, err, want)
		}
	}
	for _, e := range r.All() {
		if got, ok := r.Get(e.Name); !ok || got.Value != e.Value {
			t.Errorf("%s is listed as %d and found as %d, %v", e.Name, e.Value, got.Value, ok)
		}
	}
	if _, err := r.Find("d"); err == nil || err.Error() != `"d" is unknown, did you mean "a"?; there are a, b, c` {
		t.Errorf("d: %v", err)
	}
	for text, want := range map[string]string{"": "expected a name", "a(": `found "(" at column 2`, "x": `"x" is unknown`} {
		if _, _, err := r.Read(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", text, err, want)
		}
	}
}

// A name stands for one thing, whether it is a thing's own name or an alias.
func TestNamesAreTakenOnce(t *testing.T) {
	for name, e := range map[string]spec.Entry[int]{
		"no name":         {},
		"a name twice":    {Name: "a"},
		"an alias's name": {Name: "second"},
		"a name as alias": {Name: "b", Aliases: []string{"a"}},
		"an alias twice":  {Name: "b", Aliases: []string{"second"}},
	} {
		var r spec.Registry[int]
		r.Add(spec.Entry[int]{Name: "a", Aliases: []string{"second"}})
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: it was added", name)
				}
			}()
			r.Add(e)
		}()
		if got := r.Names(); !slices.Equal(got, []string{"a"}) {
			t.Errorf("%s: the names are %v after it", name, got)
		}
	}
}

// What is too long to stand beside its help stands above it, and moves no column.
func TestHelpOfLongForms(t *testing.T) {
	var r spec.Registry[int]
	long := "a(" + strings.Repeat("x=1,", 10) + "y=1)"
	r.Add(spec.Entry[int]{Name: "a", Usage: long, Help: "first\nsecond"})
	r.Add(spec.Entry[int]{Name: "b", Usage: "b(é=1)", Help: "short"})
	r.Add(spec.Entry[int]{Name: "c"})
	want := long + "\n        first\n        second\nb(é=1)  short\nc"
	if got := r.Help(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
