package judge

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/agon-rl/agon/internal/spec"
)

// Forms says what Parse reads, a line each.
const Forms = `outcome                             who got more in the end; temperature=1: by the logistic model of the difference
partial(discount=1)                 the larger sum of rewards; temperature=0 prefers it for sure
regret(values=FILE)                 the smaller regret; FILE is a JSON list of V* by state; discount=1, temperature=0
foresight                           what the answer promises; temperature=0
hindsight(steps=2)                  the same after two steps were seen; without steps, after all
cycle(n=3,strength=1)               rock-paper-scissors, n=5 with lizard and Spock
table(FILE)                         a JSON matrix of probabilities by answer
cyclic(scale=1)                     features that beat each other in a circle
learned(FILE)                       a reward or an embedding that was fitted
openai(model=NAME,…)                a language model, asked in both orders; tries=3
noisy(flip=0.2,judge=outcome)       the other way round in a fifth of the cases
draws(votes=1,seed=1,judge=outcome) labels drawn once a pair
mix(outcome,0.7,cycle,0.3)          one of several judges, by weight
symmetric(judge=…)                  the mean over both orders`

var names = []string{
	"outcome", "partial", "regret", "foresight", "hindsight", "cycle", "table", "cyclic", "learned",
	"openai", "noisy", "draws", "mix", "symmetric",
}

// Environment is what feedback is opened in.
type Environment struct {
	// Ask opens the language model that openai(…) names; agents.OpenFeedback brings one.
	Ask func(s spec.Spec) (Asker, error)
	// Own are judges of the caller's, by names that take no parameters: a game's own
	// judgement, of which noisy(judge=score) then makes a noisy one. They go before those
	// of Forms.
	Own map[string]Judge
}

// Parse opens the feedback that text names; see Forms. Close it after use.
func Parse(text string, env Environment) (Judge, error) {
	f, err := parse(text, env, 0)
	if err != nil {
		return nil, fmt.Errorf("feedback %w", err)
	}
	return f, nil
}

// deepest is how far judges may be nested in judges.
const deepest = 16

func parse(text string, env Environment, depth int) (Judge, error) {
	s, err := spec.Parse(text)
	if err != nil {
		return nil, err
	}
	if depth > deepest {
		return nil, fmt.Errorf("%s: it is nested more than %d deep", s.Name, deepest)
	}
	if own := env.Own[s.Name]; own != nil && len(s.Args) == 0 {
		return own, nil
	}
	switch s.Name {
	case "mix":
		return parseMix(s, env, depth)
	case "openai":
		return parseModel(s, env)
	}
	r := spec.Read(s)
	f, err := read(s.Name, r, env, depth)
	if wrong := r.Err(); wrong != nil && (err == nil || !errors.As(err, new(*judgeError))) {
		if f != nil {
			wrong = errors.Join(wrong, Close(f))
		}
		return nil, wrong
	}
	return f, err
}

// judgeError is what is wrong with a judge within a judge, or with a name: it says more
// than what is wrong with the arguments.
type judgeError struct{ error }

// read opens feedback that is no list of judges.
func read(name string, r *spec.Reader, env Environment, depth int) (Judge, error) {
	const most = math.MaxFloat64
	temperature := func() float64 { return r.Float("temperature", 0, 0, most) }
	switch name {
	case "outcome":
		return Outcome(temperature()), nil
	case "partial":
		return PartialReturn(r.Float("discount", 1, 0, 1), temperature()), nil
	case "regret":
		file, discount := r.String("values", ""), r.Float("discount", 1, 0, 1)
		var values []float64
		if err := readJSON(r, "regret: values", file, &values); err != nil {
			return nil, err
		}
		return Regret(values, discount, temperature()), nil
	case "foresight":
		return Hindsight(0, temperature()), nil
	case "hindsight":
		return Hindsight(r.Int("steps", -1, 0, math.MaxInt32), temperature()), nil
	case "cyclic":
		return Cyclic{r.Float("scale", 1, 0, most)}, nil
	case "cycle":
		n, strength := r.Int("n", 3, 3, 1001), r.Float("strength", 1, 0, 1)
		if n%2 == 0 {
			return nil, fmt.Errorf("cycle: n=%d: expected an odd number", n)
		}
		return Cycle(n, strength)
	case "table":
		var p [][]float64
		if err := readJSON(r, "table: file", r.String("file", ""), &p); err != nil {
			return nil, err
		}
		return bare(NewTable(p))
	case "learned":
		file := r.String("file", "")
		if err := r.Err(); err != nil {
			return nil, err
		}
		return bare(ReadModel(file))
	}
	return wrap(name, r, env, depth)
}

// bare takes the package's name off an error that Parse puts it before.
func bare[F Judge](f F, err error) (Judge, error) {
	if err != nil {
		return nil, errors.New(strings.TrimPrefix(err.Error(), "feedback "))
	}
	return f, nil
}

// wrap opens feedback around a judge.
func wrap(name string, r *spec.Reader, env Environment, depth int) (Judge, error) {
	var around func(Judge) Judge
	switch name {
	case "noisy":
		flip := r.Float("flip", 0.1, 0, 1)
		around = func(f Judge) Judge { return Noisy{f, flip} }
	case "draws":
		votes, seed := r.Int("votes", 1, 1, 1<<20), r.Int("seed", 1, 0, math.MaxInt)
		around = func(f Judge) Judge { return Draws{f, votes, uint64(seed)} }
	case "symmetric":
		around = func(f Judge) Judge { return Symmetric{f} }
	default:
		all := slices.DeleteFunc(slices.Sorted(maps.Keys(env.Own)), func(name string) bool { return slices.Contains(names, name) })
		all = append(all, names...)
		return nil, &judgeError{fmt.Errorf("%q is unknown%s; there are %s", name, spec.Suggest(name, all), strings.Join(all, ", "))}
	}
	judge := r.String("judge", "outcome")
	if err := r.Err(); err != nil {
		return nil, err
	}
	inner, err := parse(judge, env, depth+1)
	if err != nil {
		return nil, &judgeError{fmt.Errorf("%s: judge: %w", name, err)}
	}
	return around(inner), nil
}

// parseMix reads judges and weights in turn.
func parseMix(s spec.Spec, env Environment, depth int) (_ Judge, err error) {
	if len(s.Args) == 0 || len(s.Args)%2 != 0 {
		return nil, errors.New("mix: expected judges and weights in turn, such as mix(outcome,0.7,cycle,0.3)")
	}
	var out Mix
	defer func() {
		if err != nil {
			err = errors.Join(err, out.Close())
		}
	}()
	for i := 0; i < len(s.Args); i += 2 {
		if key := s.Args[i].Key + s.Args[i+1].Key; key != "" {
			return nil, fmt.Errorf("mix: unexpected %q: expected judges and weights in turn, such as mix(outcome,0.7,cycle,0.3)", key)
		}
		weight, wrong := strconv.ParseFloat(s.Args[i+1].Value, 64)
		if wrong != nil || !(weight > 0 && weight <= math.MaxFloat64) {
			return nil, fmt.Errorf("mix: %q: expected a weight of more than 0 after each judge", s.Args[i+1].Value)
		}
		f, err := parse(s.Args[i].Value, env, depth+1)
		if err != nil {
			return nil, fmt.Errorf("mix: judge: %w", err)
		}
		out = append(out, Weighted{f, weight})
	}
	return out, nil
}

// parseModel opens a language model. tries is read here, the rest by whoever opens it.
func parseModel(s spec.Spec, env Environment) (Judge, error) {
	if env.Ask == nil {
		return nil, errors.New("openai: language models are not at hand here")
	}
	own, rest := spec.Spec{Name: s.Name}, spec.Spec{Name: s.Name}
	for _, a := range s.Args {
		if a.Key == "tries" {
			own.Args = append(own.Args, a)
		} else {
			rest.Args = append(rest.Args, a)
		}
	}
	r := spec.Read(own)
	tries := r.Int("tries", 3, 1, 100)
	if err := r.Err(); err != nil {
		return nil, err
	}
	asker, err := env.Ask(rest)
	if err != nil {
		return nil, err
	}
	return &Model{Asker: asker, Tries: tries}, nil
}

// mostFile bounds files, in bytes.
const mostFile = 64 << 20

func readJSON(r *spec.Reader, what, file string, into any) error {
	if err := r.Err(); err != nil && file == "" {
		return err
	}
	if file == "" {
		return fmt.Errorf("%s: expected a JSON file", what)
	}
	text, err := readFile(file)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	if err := strict(text, into); err != nil {
		return fmt.Errorf("%s: %s: %w", what, file, err)
	}
	return nil
}

func readFile(file string) ([]byte, error) {
	info, err := os.Stat(file)
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s: it is a folder or a device", file)
	case info.Size() > mostFile:
		return nil, fmt.Errorf("%s: it is longer than %d MiB", file, mostFile>>20)
	}
	return os.ReadFile(file)
}

// strict reads one JSON value and nothing else.
func strict(text []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	if d.More() {
		return errors.New("there is more after the first value")
	}
	return nil
}

// file is a fitted model on disk: one of the two.
type file struct {
	Reward    *Reward    `json:"reward,omitempty"`
	Embedding *Embedding `json:"embedding,omitempty"`
}

// WriteModel writes a *Reward or an *Embedding as JSON.
func WriteModel(path string, f Judge) error {
	var out file
	switch m := f.(type) {
	case *Reward:
		out.Reward = m
	case *Embedding:
		out.Embedding = m
	default:
		return fmt.Errorf("feedback: writing %s: a %T: expected a reward or an embedding", path, f)
	}
	text, err := json.MarshalIndent(out, "", "  ")
	if err == nil {
		err = os.WriteFile(path, append(text, '\n'), 0o644) //nolint:gosec // a model to share
	}
	if err != nil {
		return fmt.Errorf("feedback: writing %s: %w", path, err)
	}
	return nil
}

// ReadModel reads what WriteModel wrote.
func ReadModel(path string) (Judge, error) {
	if path == "" {
		return nil, errors.New("feedback learned: file: expected a JSON file")
	}
	text, err := readFile(path)
	if err != nil {
		return nil, fmt.Errorf("feedback learned: %w", err)
	}
	var in file
	if err := strict(text, &in); err != nil {
		return nil, fmt.Errorf("feedback learned: %s: %w", path, err)
	}
	wrong := func(format string, args ...any) (Judge, error) {
		return nil, fmt.Errorf("feedback learned: %s: %s", path, fmt.Sprintf(format, args...))
	}
	switch {
	case (in.Reward == nil) == (in.Embedding == nil):
		return wrong("expected either a reward or an embedding")
	case in.Reward != nil:
		m := in.Reward
		if len(m.Weights) == 0 || m.Answers != 0 && m.Answers != len(m.Weights) {
			return wrong("%d weights for %d answers: expected as many", len(m.Weights), m.Answers)
		}
		return m, nil
	}
	m := in.Embedding
	if d := len(m.Weights); d < 2 || d%2 != 0 {
		return wrong("an embedding of dimension %d: expected an even number from 2", d)
	}
	for _, row := range m.Weights {
		if len(row) == 0 || len(row) != len(m.Weights[0]) || m.Answers != 0 && m.Answers != len(row) {
			return wrong("a row of %d weights: expected rows of one length, with one weight an answer where answers are a list", len(row))
		}
	}
	if !(m.Temperature > 0) {
		return wrong("temperature %g: expected more than 0", m.Temperature)
	}
	return m, nil
}
