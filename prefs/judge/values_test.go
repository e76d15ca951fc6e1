package judge

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/play"
)

// How far judgements agree with labels, by hand: two sides are right, a tie of either is a
// half; the loss is the mean of −P·log p − (1−P)·log(1−p).
func TestAgreementByHand(t *testing.T) {
	labels := func(p ...float64) (out []Comparison) {
		for _, x := range p {
			out = append(out, Comparison{P: x})
		}
		return out
	}
	for _, test := range []struct {
		says, labels   []float64
		accuracy, loss float64
	}{
		{[]float64{0.8}, []float64{1}, 1, -math.Log(0.8)},
		{[]float64{0.8}, []float64{0}, 0, -math.Log(0.2)},
		{[]float64{0.4}, []float64{0}, 1, -math.Log(0.6)},
		{[]float64{0.5}, []float64{1}, 0.5, math.Ln2},
		{[]float64{0.9}, []float64{0.5}, 0.5, -(math.Log(0.9) + math.Log(0.1)) / 2},
		{[]float64{0.8, 0.4, 0.5, 0.9}, []float64{1, 0, 1, 0.5}, 0.75, (-math.Log(0.8) - math.Log(0.6) + math.Ln2 - (math.Log(0.9)+math.Log(0.1))/2) / 4},
		{[]float64{0}, []float64{1}, 0, -math.Log(1e-12)}, // certain and wrong
		{[]float64{1}, []float64{0}, 0, -math.Log(1e-12)},
		{[]float64{1}, []float64{1}, 1, 0},
	} {
		accuracy, loss, err := AgreementOf(test.says, labels(test.labels...))
		if err != nil || math.Abs(accuracy-test.accuracy) > 1e-12 || math.Abs(loss-test.loss) > 1e-9 {
			t.Errorf("%v of the labels %v: accuracy %g, loss %g, %v, expected %g and %g", test.says, test.labels, accuracy, loss, err, test.accuracy, test.loss)
		}
	}
	for _, n := range [][2]int{{1, 2}, {2, 1}, {0, 0}, {0, 1}} {
		if _, _, err := AgreementOf(make([]float64, n[0]), make([]Comparison, n[1])); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("%d judgements of %d comparisons", n[0], n[1])) {
			t.Errorf("%v", err)
		}
	}
}

// A label is what the judge says of the pair in its order, and an error names the
// comparison.
func TestLabelsByValue(t *testing.T) {
	more := Func(func(_ context.Context, a, b *Answer) (float64, error) {
		if a.Return < 0 {
			return 0, errors.New("less than nothing")
		}
		return Logistic(a.Return, b.Return, 1), nil
	})
	one, two := &Answer{Return: 1}, &Answer{Return: 3}
	got, err := Label(t.Context(), more, [][2]*Answer{{one, two}, {two, one}})
	if err != nil || len(got) != 2 || got[0].A != one || got[0].B != two || got[1].A != two || got[1].B != one {
		t.Fatalf("%+v, %v", got, err)
	}
	if want := 1 / (1 + math.Exp(2)); math.Abs(got[0].P-want) > 1e-12 || math.Abs(got[1].P-(1-want)) > 1e-12 {
		t.Errorf("%g and %g, expected %g and its opposite", got[0].P, got[1].P, want)
	}
	got = append(got, Comparison{A: &Answer{Return: -1}, B: one})
	if _, err := AskAll(t.Context(), more, got); err == nil || err.Error() != "comparison 3: less than nothing" {
		t.Errorf("%v", err)
	}
	if _, _, err := Agreement(t.Context(), more, got); err == nil {
		t.Error("an error was passed over")
	}
	if _, err := Label(t.Context(), more, [][2]*Answer{{got[2].A, one}}); err == nil {
		t.Error("an error was passed over")
	}
}

// Comparisons are read line by line, and what is wrong names its line.
func TestReadComparisons(t *testing.T) {
	got, err := ReadComparisons(strings.NewReader(`{"a":{"actions":[0]},"b":{"actions":[1],"return":2},"p":0.75}

 {"a":{"text":"x"},"b":{"text":"y"},"p":0}
{"a":{},"b":{},"p":1}
`))
	want := []Comparison{
		{&Answer{Actions: []games.Action{0}}, &Answer{Actions: []games.Action{1}, Return: 2}, 0.75},
		{&Answer{Text: "x"}, &Answer{Text: "y"}, 0},
		{&Answer{}, &Answer{}, 1},
	}
	if d := cmp.Diff(want, got); d != "" || err != nil {
		t.Errorf("%v\n%s", err, d)
	}
	const good = `{"a":{},"b":{},"p":1}` + "\n"
	for text, want := range map[string]string{
		"":                                 "it holds no comparisons",
		"\n\n":                             "it holds no comparisons",
		good + "{":                         "line 2: unexpected EOF",
		good + "\n" + `{"a":{},"p":1}`:     `line 3: expected two answers, "a" and "b"`,
		`{"b":{},"p":1}`:                   `line 1: expected two answers, "a" and "b"`,
		`{"a":{},"b":{}}`:                  `line 1: expected "p", the share of judgements for a`,
		good + `{"a":{},"b":{},"p":1.01}`:  "line 2: p: 1.01: expected a number from 0 to 1",
		good + `{"a":{},"b":{},"p":-0.01}`: "line 2: p: -0.01: expected a number from 0 to 1",
		`{"a":{},"b":{},"p":1,"q":1}`:      `line 1: json: unknown field "q"`,
		`{"a":{},"b":{},"p":1} 2`:          "line 1: there is more after the first value",
	} {
		if _, err := ReadComparisons(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: %v, expected %q", text, err, want)
		}
	}
}

// The logistic model at its ends: no temperature is a sure judge, none overflows.
func TestLogisticByHand(t *testing.T) {
	for _, test := range []struct{ a, b, temperature, want float64 }{
		{2, 1, 0, 1}, {1, 2, 0, 0}, {1, 1, 0, 0.5}, {1, 1, 3, 0.5},
		{3, 1, 2, 1 / (1 + math.Exp(-1))}, {1, 3, 2, 1 / (1 + math.E)},
		{1e6, 0, 1, 1}, {0, 1e6, 1, 0}, {math.Inf(1), 0, 0, 1}, {0, math.Inf(1), 1, 0},
	} {
		if got := Logistic(test.a, test.b, test.temperature); !(math.Abs(got-test.want) < 1e-12) {
			t.Errorf("%g against %g at %g: %g, expected %g", test.a, test.b, test.temperature, got, test.want)
		}
	}
	if got := Logistic(math.NaN(), 0, 0); !math.IsNaN(got) {
		t.Errorf("no number against 0: %g", got)
	}
	for _, x := range []float64{-800, -3, 0, 3, 800} {
		if s, l := sigmoid(x), logSigmoid(x); math.Abs(s-1/(1+math.Exp(-x))) > 1e-15 || math.IsInf(l, 0) || math.Abs(l-(-math.Log1p(math.Exp(-x)))) > 1e-12 && x > -700 || x == -800 && l != -800 {
			t.Errorf("σ(%g) = %g, its logarithm %g", x, s, l)
		}
	}
}

// What a model reads of an answer: one action of so many, or as many features.
func TestInputsOfAnswers(t *testing.T) {
	for _, test := range []struct {
		inputs Inputs
		width  int
		answer *Answer
		want   []float64 // nil: refused
	}{
		{Inputs{3}, 0, &Answer{Actions: []games.Action{2}}, []float64{0, 0, 1}},
		{Inputs{3}, 0, &Answer{Actions: []games.Action{0}}, []float64{1, 0, 0}},
		{Inputs{3}, 0, &Answer{Actions: []games.Action{3}}, nil},
		{Inputs{3}, 0, &Answer{Actions: []games.Action{-1}}, nil},
		{Inputs{3}, 0, &Answer{Actions: []games.Action{0, 1}}, nil},
		{Inputs{3}, 0, &Answer{}, nil},
		{Inputs{}, 2, &Answer{Features: []float64{4, 5}}, []float64{4, 5}},
		{Inputs{}, 2, &Answer{Features: []float64{4}}, nil},
	} {
		got, err := test.inputs.of(test.answer, test.width)
		if (err == nil) != (test.want != nil) {
			t.Errorf("%+v of %+v: %v", test.inputs, test.answer, err)
		}
		if d := cmp.Diff(test.want, got); d != "" {
			t.Errorf("%+v of %+v: %s", test.inputs, test.answer, d)
		}
	}
}

// The loss is the mean over comparisons, so that decay weighs as much of one label given
// three times: of a label that is certain, decay·w = 1 − σ(w).
func TestDecayByHand(t *testing.T) {
	c := Comparison{&Answer{Features: []float64{1}}, &Answer{Features: []float64{0}}, 1}
	for _, labels := range [][]Comparison{{c}, {c, c, c}} {
		for _, decay := range []float64{0.5, 0.01} {
			m, err := FitReward(labels, Inputs{}, decay)
			if err != nil {
				t.Fatal(err)
			}
			if w := m.Weights[0]; math.Abs(decay*w-(1-sigmoid(w))) > 1e-8 || w <= 0 {
				t.Errorf("%d labels, decay %g: w = %g, and %g is not %g", len(labels), decay, w, decay*w, 1-sigmoid(w))
			}
		}
	}
}

// The names of models, with what they are fitted with unless it is said.
func TestFitModelByName(t *testing.T) {
	labels := []Comparison{{&Answer{Features: []float64{1, 0}}, &Answer{Features: []float64{0, 1}}, 0.9}}
	for text, check := range map[string]func(Judge) bool{
		"reward":    func(f Judge) bool { m := f.(*Reward); return m.Answers == 0 && len(m.Weights) == 2 },
		"embedding": func(f Judge) bool { m := f.(*Embedding); return len(m.Weights) == 4 && m.Temperature == 0.1 && !m.Unit },
		"embedding(dimension=2,unit=true,temperature=0.5,starts=2)": func(f Judge) bool { m := f.(*Embedding); return len(m.Weights) == 2 && m.Temperature == 0.5 && m.Unit },
	} {
		f, err := FitModel(text, labels, play.Generator(1, "test"))
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if !check(f) {
			t.Errorf("%s is %+v", text, f)
		}
		if p, err := f.Prefer(t.Context(), labels[0].A, labels[0].B); err != nil || p < 0.6 || p > 0.9 {
			t.Errorf("%s: the better is preferred with %g, %v", text, p, err)
		}
	}
	list := []Comparison{{numbered(0), numbered(1), 0.9}}
	for _, text := range []string{"reward(answers=2,decay=0)", "embedding(answers=2,decay=0)"} {
		if f, err := FitModel(text, list, play.Generator(1, "test")); err != nil {
			t.Errorf("%s: %v", text, err)
		} else if p, err := f.Prefer(t.Context(), list[0].A, list[0].B); err != nil || math.Abs(p-0.9) > 1e-6 {
			t.Errorf("%s: %g, %v, expected what the label says", text, p, err)
		}
	}
	for text, want := range map[string]string{
		"":                         "model ",
		"rewards":                  `model "rewards" is unknown, did you mean "reward"?; there are reward, embedding`,
		"reward(decay=-1)":         "model reward: decay=-1",
		"reward(answers=-1)":       "model reward: answers=-1",
		"embedding(dimension=1)":   "model embedding: dimension=1",
		"embedding(dimension=3)":   "an embedding of dimension 3",
		"embedding(starts=0)":      "model embedding: starts=0",
		"embedding(temperature=0)": "model embedding: temperature=0",
	} {
		if _, err := FitModel(text, labels, play.Generator(1, "test")); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, expected %q", text, err, want)
		}
	}
}

// Segments whose states do not match their rewards are refused, either way.
func TestEndsOfSegments(t *testing.T) {
	for want, a := range map[string]*Answer{
		"0 states and 0 rewards": {},
		"1 states and 0 rewards": {States: []int{0}},
		"2 states and 2 rewards": {States: []int{0, 1}, Rewards: []float64{1, 1}},
		"state -1":               {States: []int{-1, 0}, Rewards: []float64{1}},
		"state 2":                {States: []int{0, 2}, Rewards: []float64{1}},
	} {
		if _, err := Regret([]float64{1, 2}, 1, 0).Prefer(t.Context(), a, a); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, expected %q", err, want)
		}
	}
	good := &Answer{States: []int{0, 7, 1}, Rewards: []float64{1, 1}} // what lies between needs no value
	if p, err := Regret([]float64{1, 2}, 1, 0).Prefer(t.Context(), good, good); err != nil || p != 0.5 {
		t.Errorf("%g, %v", p, err)
	}
}
