package judge_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/internal/spec"
	"github.com/agon-rl/agon/prefs/judge"
)

func action(i int) *judge.Answer {
	return &judge.Answer{Actions: []games.Action{games.Action(i)}}
}

func prefer(t *testing.T, f judge.Judge, a, b *judge.Answer) float64 {
	t.Helper()
	p, err := f.Prefer(t.Context(), a, b)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func open(t *testing.T, text string) judge.Judge {
	t.Helper()
	f, err := judge.Parse(text, judge.Environment{Ask: func(s spec.Spec) (judge.Asker, error) {
		if len(s.Args) > 0 && s.Args[0].Key != "model" {
			return nil, fmt.Errorf("openai: unknown parameter %q", s.Args[0].Key)
		}
		return liking{}, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// liking always likes the first answer.
type liking struct{}

func (liking) Ask(context.Context, string) (string, error) { return "A", nil }

// What each feedback says of two answers whose probabilities are known by hand.
func TestPrefer(t *testing.T) {
	dir := t.TempDir()
	values, table := filepath.Join(dir, "values.json"), filepath.Join(dir, "table.json")
	for file, text := range map[string]string{values: "[10, 4, 1]", table: "[[0.5, 0.9], [0.1, 0.5]]"} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	sigma := func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
	// Of the two walks the first gets more on its way and ends in a bad place: from state
	// 0, worth 10, it gets 3 and ends in state 2, worth 1; the other gets 1 and ends in
	// state 0.
	greedy := &judge.Answer{
		Prompt: "p", Text: "x", Actions: []games.Action{0}, Return: 1, Rewards: []float64{1, 2}, States: []int{0, 1, 2}, Hopes: []float64{5, 1, -4},
		Features: []float64{1, 0, 0},
	}
	patient := &judge.Answer{
		Prompt: "p", Text: "y", Actions: []games.Action{1}, Return: -1, Rewards: []float64{0, 1}, States: []int{0, 0, 0}, Hopes: []float64{3, 2, 2},
		Features: []float64{0, 1, 0},
	}
	for text, want := range map[string]float64{
		"outcome":                             1,
		"outcome(temperature=2)":              sigma(1),
		"partial":                             1,
		"partial(discount=0.5,temperature=1)": sigma(2 - 0.5),
		"partial(temperature=1)":              sigma(2),
		"regret(values=" + values + ",temperature=1)":              sigma((3 + 1 - 10) - (1 + 10 - 10)),
		"regret(values=" + values + ")":                            0,
		"regret(values=" + values + ",discount=0.5,temperature=1)": sigma((2 + 0.25 - 10) - (0.5 + 2.5 - 10)),
		"foresight":                              1,
		"foresight(temperature=1)":               sigma(2),
		"hindsight(steps=1,temperature=1)":       sigma((1 + 1) - (0 + 2)),
		"hindsight(temperature=1)":               sigma((3 - 4) - (1 + 2)),
		"hindsight(steps=9)":                     0,
		"cycle":                                  1,
		"cycle(n=5,strength=0.8)":                0.8,
		"table(" + table + ")":                   0.9,
		"cyclic(scale=2)":                        sigma(2),
		"noisy(flip=0.2,judge=outcome)":          0.8,
		"noisy(flip=0.2,judge=noisy(flip=0.2))":  0.8*0.8 + 0.2*0.2,
		"mix(outcome,3,foresight,1,hindsight,4)": 0.5,
		"symmetric(judge=table(" + table + "))":  0.9,
		"openai(model=m)":                        0.5, // it likes whatever comes first
	} {
		f := open(t, text)
		if got := prefer(t, f, greedy, patient); math.Abs(got-want) > 1e-12 {
			t.Errorf("%s: %g, expected %g", text, got, want)
		}
		if got := prefer(t, f, patient, greedy); math.Abs(got-(1-want)) > 1e-12 {
			t.Errorf("%s, swapped: %g, expected %g", text, got, 1-want)
		}
		if got := prefer(t, f, greedy, greedy); got != 0.5 {
			t.Errorf("%s: an answer against itself: %g", text, got)
		}
		if err := judge.Close(f); err != nil {
			t.Error(err)
		}
	}
}

// A pair has the same labels in either order and at any time, and their share comes near
// the judge's probability.
func TestDraws(t *testing.T) {
	noisy := judge.Noisy{Judge: judge.Outcome(0), Flip: 0.3}
	one := judge.Draws{Judge: noisy, Votes: 1, Seed: 7}
	won := 0.0
	for i := range 2000 {
		a, b := action(i), action(i+5000)
		a.Return = 1
		p := prefer(t, one, a, b)
		if q := prefer(t, one, b, a); p != 0 && p != 1 || q != 1-p || prefer(t, one, a, b) != p {
			t.Fatalf("pair %d: %g, swapped %g", i, p, q)
		}
		won += p
	}
	if won /= 2000; math.Abs(won-0.7) > 4*math.Sqrt(0.21/2000) {
		t.Errorf("%g of single votes, expected 0.7", won)
	}
	a, b := action(1), action(2)
	a.Return = 1
	if p := prefer(t, judge.Draws{Judge: noisy, Votes: 100000, Seed: 1}, a, b); math.Abs(p-0.7) > 0.006 {
		t.Errorf("%g of many votes, expected 0.7", p)
	}
	if p := prefer(t, one, a, a); p != 0.5 {
		t.Errorf("an answer against itself: %g", p)
	}
}

// In a cycle of n everybody beats as many as beat him, and no two agree on a winner.
func TestCycle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n, strength := 2*rapid.IntRange(1, 10).Draw(t, "half")+1, rapid.Float64Range(0, 1).Draw(t, "strength")
		table, err := judge.Cycle(n, strength)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := judge.NewTable(table); err != nil {
			t.Fatal(err)
		}
		for i, row := range table {
			total := 0.0
			for _, p := range row {
				total += p
			}
			if math.Abs(total-float64(n)/2) > 1e-9 {
				t.Errorf("row %d sums to %g", i, total)
			}
		}
	})
}

func TestParseRefuses(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	skew, ragged := write("skew.json", "[[0.5,0.9],[0.9,0.5]]"), write("ragged.json", "[[0.5,0.9],[0.1]]")
	outside, text := write("outside.json", "[[1.5]]"), write("text.json", `{"a":`)
	both, odd := write("both.json", `{}`), write("odd.json", `{"embedding":{"weights":[[1]],"temperature":1}}`)
	cold := write("cold.json", `{"embedding":{"weights":[[1],[1]],"temperature":0}}`)
	short := write("short.json", `{"reward":{"answers":3,"weights":[1]}}`)
	strange := write("strange.json", `{"reward":{"scores":[1]}}`)
	for text, want := range map[string]string{
		"":                                     `feedback "": expected a name such as kuhn_poker or mcts(sims=400)`,
		"outcom":                               `feedback "outcom" is unknown, did you mean "outcome"?; there are cycle, cyclic, draws, foresight, hindsight, learned, mix, noisy, openai, outcome, partial, regret, symmetric, table`,
		"nosy(flip=0.1)":                       `feedback "nosy" is unknown, did you mean "noisy"?; there are cycle, cyclic, draws, foresight, hindsight, learned, mix, noisy, openai, outcome, partial, regret, symmetric, table`,
		"outcome(temp=1)":                      `feedback outcome: unknown parameter "temp"; it takes temperature`,
		"outcome(temperature=-1)":              "feedback outcome: temperature=-1: expected a number from 0 to 1.7976931348623157e+308",
		"partial(temperature=NaN)":             "feedback partial: temperature=NaN: expected a number from 0 to 1.7976931348623157e+308",
		"partial(discount=2)":                  "feedback partial: discount=2: expected a number from 0 to 1",
		"hindsight(steps=-1)":                  "feedback hindsight: steps=-1: expected a whole number from 0 to 2147483647",
		"regret":                               "feedback regret: values: expected a JSON file",
		"regret(values=none.json)":             "feedback regret: values: stat none.json: no such file or directory",
		"regret(values=" + dir + ")":           "feedback regret: values: " + dir + ": it is a folder or a device",
		"cycle(n=4)":                           "feedback cycle: n=4: expected an odd number",
		"cycle(n=1)":                           "feedback cycle: n=1: expected a whole number from 3 to 1001",
		"cycle(strength=2)":                    "feedback cycle: strength=2: expected a number from 0 to 1",
		"table":                                "feedback table: file: expected a JSON file",
		"table(" + skew + ")":                  "feedback table: 0 beats 1 with 0.9 and 1 beats 0 with 0.9: expected the two to sum to 1",
		"table(" + ragged + ")":                "feedback table: row 1 has 1 numbers: expected 2, as many as rows",
		"table(" + outside + ")":               "feedback table: row 0, column 0 is 1.5: expected a probability",
		"table(" + text + ")":                  "feedback table: file: " + text + ": unexpected EOF",
		"learned":                              "feedback learned: file: expected a JSON file",
		"learned(" + both + ")":                "feedback learned: " + both + ": expected either a reward or an embedding",
		"learned(" + odd + ")":                 "feedback learned: " + odd + ": an embedding of dimension 1: expected an even number from 2",
		"learned(" + cold + ")":                "feedback learned: " + cold + ": temperature 0: expected more than 0",
		"learned(" + short + ")":               "feedback learned: " + short + ": 1 weights for 3 answers: expected as many",
		"learned(" + strange + ")":             "feedback learned: " + strange + `: json: unknown field "scores"`,
		"noisy(flip=2)":                        "feedback noisy: flip=2: expected a number from 0 to 1",
		"noisy(flips=0.2)":                     `feedback noisy: unknown parameter "flips", did you mean "flip"?; it takes flip, judge`,
		"noisy(flip=0.2,judge=outcom)":         `feedback noisy: judge: "outcom" is unknown, did you mean "outcome"?; there are cycle, cyclic, draws, foresight, hindsight, learned, mix, noisy, openai, outcome, partial, regret, symmetric, table`,
		"noisy(judge=draws(votes=0))":          "feedback noisy: judge: draws: votes=0: expected a whole number from 1 to 1048576",
		"mix":                                  "feedback mix: expected judges and weights in turn, such as mix(outcome,0.7,cycle,0.3)",
		"mix(outcome)":                         "feedback mix: expected judges and weights in turn, such as mix(outcome,0.7,cycle,0.3)",
		"mix(outcome,0)":                       `feedback mix: "0": expected a weight of more than 0 after each judge`,
		"mix(outcome,1,partial(discount=2),1)": "feedback mix: judge: partial: discount=2: expected a number from 0 to 1",
		"mix(judge=outcome,1)":                 `feedback mix: unexpected "judge": expected judges and weights in turn, such as mix(outcome,0.7,cycle,0.3)`,
		"openai(model=m)":                      "feedback openai: language models are not at hand here",
		strings.Repeat("noisy(0.1,", 17) + "outcome" + strings.Repeat(")", 17): "feedback " + strings.Repeat("noisy: judge: ", 17) + "outcome: it is nested more than 16 deep",
	} {
		if _, err := judge.Parse(text, judge.Environment{}); err == nil || err.Error() != want {
			t.Errorf("%q:\ngot  %v\nwant %s", text, err, want)
		}
	}
}

// Answers that lack what is judged are refused, not guessed.
func TestAnswersThatLackWhatIsJudged(t *testing.T) {
	values := filepath.Join(t.TempDir(), "values.json")
	if err := os.WriteFile(values, []byte("[1]"), 0o600); err != nil {
		t.Fatal(err)
	}
	for text, a := range map[string]*judge.Answer{
		"partial":                       {},
		"regret(values=" + values + ")": {Rewards: []float64{1}, States: []int{0, 1}},
		"hindsight":                     {Rewards: []float64{1}, Hopes: []float64{1}},
		"cycle":                         {Actions: []games.Action{3}},
		"cyclic":                        {Features: []float64{1}},
		"openai(model=m)":               {},
		"outcome":                       {Return: math.NaN()},
	} {
		if _, err := open(t, text).Prefer(t.Context(), a, a); err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// scripted says what it is told to say, in turn.
type scripted struct {
	lines []string
	asked []string
}

func (s *scripted) Ask(_ context.Context, question string) (string, error) {
	s.asked = append(s.asked, question)
	line := s.lines[0]
	s.lines = s.lines[1:]
	if line == "lost" {
		return "", fmt.Errorf("%w: no", games.ErrLost)
	}
	return line, nil
}

// A model's liking for the first place cancels out; what is no verdict is asked for
// again, and in the end is an error and not a tie.
func TestModel(t *testing.T) {
	a, b := &judge.Answer{Prompt: "p", Text: "good"}, &judge.Answer{Prompt: "p", Text: "bad"}
	for _, test := range []struct {
		lines []string
		want  float64
		lost  bool
	}{
		{lines: []string{"I think so.\nA", "B"}, want: 1},
		{lines: []string{"**B**", "a."}, want: 0},
		{lines: []string{"A", "A"}, want: 0.5},
		{lines: []string{"tie", "B"}, want: 0.75},
		{lines: []string{"hm", "A or B", "A", "", "(B)"}, want: 1},
		{lines: []string{"hm", "hm", "hm"}, lost: true},
		{lines: []string{"A", "hm", "hm", "hm"}, lost: true},
		{lines: []string{"A", "lost"}, lost: true},
	} {
		asker := &scripted{lines: test.lines}
		p, err := (&judge.Model{Asker: asker, Tries: 3}).Prefer(t.Context(), a, b)
		if p != test.want || errors.Is(err, games.ErrLost) != test.lost {
			t.Errorf("%q: %g, %v", test.lines, p, err)
		}
		if len(asker.lines) > 0 {
			t.Errorf("%q: %q were not asked for", test.lines, asker.lines)
		}
		last := asker.asked[len(asker.asked)-1]
		if first := asker.asked[0]; strings.Index(first, "good") > strings.Index(first, "bad") || !test.lost && strings.Index(last, "good") < strings.Index(last, "bad") {
			t.Errorf("asked %q, then %q", first, last)
		}
	}
}
