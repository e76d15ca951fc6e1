package spec_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/agon-rl/agon/internal/spec"
)

func TestParse(t *testing.T) {
	for text, want := range map[string]spec.Spec{
		"kuhn_poker":                {Name: "kuhn_poker"},
		"  kuhn_poker ":             {Name: "kuhn_poker"},
		"tic_tac_toe()":             {Name: "tic_tac_toe"},
		"liars_dice(numdice=1)":     {Name: "liars_dice", Args: []spec.Arg{{Key: "numdice", Value: "1"}}},
		"matrix(rps)":               {Name: "matrix", Args: []spec.Arg{{Value: "rps"}}},
		`matrix("my, file.json")`:   {Name: "matrix", Args: []spec.Arg{{Value: "my, file.json"}}},
		"mcts:sims=400,c=1.4":       {Name: "mcts", Args: []spec.Arg{{Key: "sims", Value: "400"}, {Key: "c", Value: "1.4"}}},
		"run:a folder (old)@1000":   {Name: "run", Args: []spec.Arg{{Value: "a folder (old)@1000"}}},
		"policy:C:/kuhn.json":       {Name: "policy", Args: []spec.Arg{{Value: "C:/kuhn.json"}}},
		"fixed(mcts(sims=4,c=1))":   {Name: "fixed", Args: []spec.Arg{{Value: "mcts(sims=4,c=1)"}}},
		"mcts(eval=run(a@1),n = 2)": {Name: "mcts", Args: []spec.Arg{{Key: "eval", Value: "run(a@1)"}, {Value: "n = 2"}}},
		`a(b="x\ty")`:               {Name: "a", Args: []spec.Arg{{Key: "b", Value: "x\ty"}}},
	} {
		got, err := spec.Parse(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %#v, want %#v", text, got, want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"":               "expected a name",
		"(a)":            "expected a name",
		"a b":            `found " b" at column 2`,
		"a(b":            `found "(b" at column 2`,
		"a(b))":          "closed that was not opened",
		"a((b)":          "not closed",
		`a("b)`:          "quote is not closed",
		"a(b,,c)":        "an argument is empty",
		"a(b=)":          "an argument is empty",
		"a(b=1,c=2,b=3)": `"b" is given twice`,
		`a("b"c)`:        "bad quoted text",
	} {
		_, err := spec.Parse(text)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: got %v, want one line with %q", text, err, want)
		}
	}
}

// reading parses text and reads it as the parameters of a made-up agent.
func reading(t *testing.T, text string) (count int, rate float64, loud bool, mode string, err error) {
	t.Helper()
	s, err := spec.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	r := spec.Read(s)
	count, rate = r.Int("count", 7, 1, 10), r.Float("rate", 0.5, 0, 1)
	loud, mode = r.Bool("loud", false), r.Choice("mode", "slow", "slow", "fast")
	return count, rate, loud, mode, r.Err()
}

func TestReader(t *testing.T) {
	for text, want := range map[string][]any{
		"a":                         {7, 0.5, false, "slow"},
		"a(mode=fast,count=3)":      {3, 0.5, false, "fast"},
		"a(3,0.25)":                 {3, 0.25, false, "slow"},
		"a(rate=1,2,true)":          {2, 1.0, true, "slow"},
		"a(2,0.1,true,fast)":        {2, 0.1, true, "fast"},
		"a(count=10,rate=0,loud=1)": {10, 0.0, true, "slow"},
	} {
		count, rate, loud, mode, err := reading(t, text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
		} else if got := []any{count, rate, loud, mode}; !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %v, want %v", text, got, want)
		}
	}
}

func TestReaderRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"a(count=0)":             "a: count=0: expected a whole number from 1 to 10",
		"a(count=many)":          "a: count=many: expected a whole number from 1 to 10",
		"a(rate=2)":              "a: rate=2: expected a number from 0 to 1",
		"a(rate=NaN)":            "a: rate=NaN: expected a number from 0 to 1",
		"a(loud=perhaps)":        "a: loud=perhaps: expected true or false",
		"a(mode=fasd)":           `a: mode=fasd: expected slow, fast, did you mean "fast"?`,
		"a(cuont=3)":             `a: unknown parameter "cuont", did you mean "count"?; it takes count, rate, loud, mode`,
		"a(1,1,1,fast,5)":        `a: unexpected argument "5"`,
		"a(count=0,rate=2,x=12)": "a: count=0: expected a whole number from 1 to 10",
	} {
		if _, _, _, _, err := reading(t, text); err == nil || err.Error() != want {
			t.Errorf("%s:\n got %v\nwant %s", text, err, want)
		}
	}
	s, err := spec.Parse("a(b=1)")
	if err != nil {
		t.Fatal(err)
	}
	if err := spec.Read(s).Err(); err == nil || err.Error() != `a: unknown parameter "b": it takes none` {
		t.Errorf("a name without parameters: %v", err)
	}
}

func TestSuggest(t *testing.T) {
	names := []string{"horn", "kuhn_poker", "leduc_poker", "tic_tac_toe", "cfr", "cfr+", "pcfr+"}
	for word, want := range map[string]string{
		"kuhn":        `, did you mean "kuhn_poker"?`,
		"KUHN_POKER":  `, did you mean "kuhn_poker"?`,
		"Kuhn":        `, did you mean "kuhn_poker"?`, // six letters away, but its start
		"poker":       "",
		"ledcu_poker": `, did you mean "leduc_poker"?`,
		"go":          "",
		"cfrplus":     `, did you mean "cfr+"?`, // as many letters from cfr
		"pcfrplus":    `, did you mean "pcfr+"?`,
		"cfr_plus":    `, did you mean "cfr+"?`,
		"cfrr":        `, did you mean "cfr"?`,
		"cfR":         `, did you mean "cfr"?`,
		"":            "",
	} {
		if got := spec.Suggest(word, names); got != want {
			t.Errorf("%q: got %q, want %q", word, got, want)
		}
	}
}

// Whatever Parse takes, String prints so that Parse takes it as the same.
func FuzzParse(f *testing.F) {
	for _, text := range []string{"a", "a(b=1,c)", `a("x, y")`, "run:DIR@3", "a(b(c=1),d=e(f))", `a(b="\"")`, "a:b=1,c=d(e)"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := spec.Parse(text)
		if err != nil {
			return
		}
		again, err := spec.Parse(s.String())
		if err != nil {
			t.Fatalf("%q is printed as %q, which is refused: %v", text, s, err)
		}
		if again.Name != s.Name || len(again.Args) != len(s.Args) {
			t.Fatalf("%q is printed as %q and read as %#v", text, s, again)
		}
		for i := range s.Args {
			if again.Args[i] != s.Args[i] {
				t.Fatalf("%q is printed as %q: argument %d is %#v, was %#v", text, s, i, again.Args[i], s.Args[i])
			}
		}
	})
}

// Commas in parentheses and quotes do not part a list.
func TestList(t *testing.T) {
	for text, want := range map[string][]string{
		"egpo":                           {"egpo"},
		" egpo(eta=0.1,beta=0.2) , omd ": {"egpo(eta=0.1,beta=0.2)", "omd"},
		`matrix("a,b"),x(y(z,w),v)`:      {`matrix("a,b")`, "x(y(z,w),v)"},
	} {
		got, err := spec.List(text)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q: got %q and error %v, want %q", text, got, err, want)
		}
	}
	for text, want := range map[string]string{
		"":     "entry 1 of the list is empty",
		"a,,b": "entry 2 of the list is empty",
		"a(b":  "a parenthesis is not closed",
		`a("b`: "a quote is not closed",
		"a),b": "closed that was not opened",
	} {
		if _, err := spec.List(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %q", text, err, want)
		}
	}
}
