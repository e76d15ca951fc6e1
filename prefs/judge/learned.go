package judge

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/agon-rl/agon/internal/spec"
)

func init() {
	Kinds.Add(spec.Entry[Kind]{
		Name: "learned", Usage: "learned(FILE)", Help: "a reward or an embedding that was fitted",
		Value: func(r *spec.Reader, _ Environment) (Judge, error) {
			file := r.String("file", "")
			if err := r.Err(); err != nil {
				return nil, err
			}
			return bare(ReadModel(file))
		},
	})
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
