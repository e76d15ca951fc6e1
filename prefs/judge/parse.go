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
	"strings"

	"github.com/agon-rl/agon/internal/spec"
)

// Kinds are the judges that can be named. Each is added by the file that defines it.
var Kinds spec.Registry[Kind]

// Kind opens a judge with the settings in r. Its errors begin with the judge's name;
// those of settings are r.Err()'s, which Parse asks for too.
type Kind func(r *spec.Reader, env Environment) (Judge, error)

// Environment is what feedback is opened in.
type Environment struct {
	// Ask opens the language model that openai(…) names; agents.OpenFeedback brings one.
	Ask func(s spec.Spec) (Asker, error)
	// Own are judges of the caller's, by names that take no parameters: a game's own
	// judgement, of which noisy(judge=score) then makes a noisy one. They go before those
	// of Kinds.
	Own map[string]Judge

	depth int // of the judges that this one is named in
}

// Parse opens the feedback that text names, one of Kinds or of the environment's own.
// Close it after use.
func Parse(text string, env Environment) (Judge, error) {
	f, err := env.parse(text)
	if err != nil {
		return nil, fmt.Errorf("feedback %w", err)
	}
	return f, nil
}

// deepest is how far judges may be nested in judges.
const deepest = 16

func (env Environment) parse(text string) (Judge, error) {
	s, err := spec.Parse(text)
	if err != nil {
		return nil, err
	}
	if env.depth > deepest {
		return nil, fmt.Errorf("%s: it is nested more than %d deep", s.Name, deepest)
	}
	if own := env.Own[s.Name]; own != nil && len(s.Args) == 0 {
		return own, nil
	}
	kind, ok := Kinds.Get(s.Name)
	if !ok {
		return nil, &judgeError{spec.Unknown(s.Name, env.names())}
	}
	r := spec.Read(s)
	f, err := kind.Value(r, env)
	if wrong := r.Err(); wrong != nil && (err == nil || !errors.As(err, new(*judgeError))) {
		if f != nil {
			wrong = errors.Join(wrong, Close(f))
		}
		return nil, wrong
	}
	return f, err
}

// names are those of all judges, the environment's own first.
func (env Environment) names() []string {
	own := slices.DeleteFunc(slices.Sorted(maps.Keys(env.Own)), func(name string) bool {
		_, known := Kinds.Get(name)
		return known
	})
	return append(own, Kinds.Names()...)
}

// judgeError is what is wrong with a judge within a judge, or with a name: it says more
// than what is wrong with the arguments.
type judgeError struct{ error }

// inner opens a judge that another one is made of.
func (env Environment) inner(text string) (Judge, error) {
	env.depth++
	return env.parse(text)
}

// around opens the judge that the setting judge names and puts another around it.
func (env Environment) around(name string, r *spec.Reader, around func(Judge) Judge) (Judge, error) {
	judge := r.String("judge", "outcome")
	if err := r.Err(); err != nil {
		return nil, err
	}
	inner, err := env.inner(judge)
	if err != nil {
		return nil, &judgeError{fmt.Errorf("%s: judge: %w", name, err)}
	}
	return around(inner), nil
}

// readTemperature reads the setting temperature.
func readTemperature(r *spec.Reader) float64 { return r.Float("temperature", 0, 0, math.MaxFloat64) }

// bare takes the package's name off an error that Parse puts it before.
func bare[F Judge](f F, err error) (Judge, error) {
	if err != nil {
		return nil, errors.New(strings.TrimPrefix(err.Error(), "feedback "))
	}
	return f, nil
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
