package policy

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/internal/spec"
)

// Table is a policy by information state, read and written as JSON
// {"key": {"action string": probability}}. Actions that are left out have
// probability zero.
type Table struct {
	probs map[string]map[string]float64
}

var _ Policy = (*Table)(nil)

// NewTable returns an empty table.
func NewTable() *Table { return &Table{probs: map[string]map[string]float64{}} }

// Set sets the probabilities of an information state.
func (t *Table) Set(key string, probs map[string]float64) { t.probs[key] = probs }

// Len is the number of information states.
func (t *Table) Len() int { return len(t.probs) }

// tolerance is how far probabilities may be from summing to one.
const tolerance = 1e-6

// maxTable bounds a table's file, in bytes.
const maxTable = 1 << 30

// ReadTable reads a table from a JSON file of at most 1 GiB.
func ReadTable(path string) (*Table, error) {
	text, err := readFile(path)
	if err != nil {
		return nil, err
	}
	t := NewTable()
	if err := json.Unmarshal(text, &t.probs); err != nil {
		return nil, fmt.Errorf(`policy %s: expected JSON {"information state": {"action": probability}}: %w`, path, err)
	}
	if t.probs == nil {
		return nil, fmt.Errorf(`policy %s: expected JSON {"information state": {"action": probability}}, found null`, path)
	}
	for _, key := range slices.Sorted(maps.Keys(t.probs)) {
		probs, sum := t.probs[key], 0.0
		for _, action := range slices.Sorted(maps.Keys(probs)) {
			p := probs[action]
			if math.IsNaN(p) || p < 0 || p > 1+tolerance {
				return nil, fmt.Errorf("policy %s: information state %q, action %q: %g is no probability", path, key, action, p)
			}
			sum += p
		}
		if math.Abs(sum-1) > tolerance {
			return nil, fmt.Errorf("policy %s: information state %q: the probabilities sum to %g, not to 1", path, key, sum)
		}
	}
	return t, nil
}

// readFile reads a file that ends: a device or a pipe may not.
func readFile(path string) ([]byte, error) {
	switch info, err := os.Stat(path); {
	case err != nil: // os.Open says it
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("policy %s: expected a file; it is a folder, a device or a pipe", path)
	case info.Size() > maxTable:
		return nil, fmt.Errorf("policy %s: it has %d bytes, expected %d at most", path, info.Size(), maxTable)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("policy: %w", err)
	}
	defer f.Close() //nolint:errcheck // only read
	text, err := io.ReadAll(io.LimitReader(f, maxTable))
	if err != nil {
		return nil, fmt.Errorf("policy: %w", err)
	}
	return text, nil
}

// WriteFile writes the table as JSON, keys sorted. The file appears whole or
// not at all.
func (t *Table) WriteFile(path string) error {
	text, err := json.MarshalIndent(t.probs, "", " ")
	if err != nil {
		return fmt.Errorf("policy %s: %w", path, err)
	}
	file, err := os.CreateTemp(filepath.Dir(path), ".policy-*")
	if err != nil {
		return fmt.Errorf("policy %s: %w", path, err)
	}
	defer os.Remove(file.Name()) //nolint:errcheck // gone after the rename
	_, err = file.Write(append(text, '\n'))
	if err == nil {
		err = file.Sync()
	}
	if closeErr := file.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Chmod(file.Name(), 0o644) //nolint:gosec // a result to share
	}
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("policy %s: %w", path, err)
	}
	return nil
}

// Probabilities implements Policy.
func (t *Table) Probabilities(_ context.Context, states []games.State, out [][]float64) error {
	for i, s := range states {
		if err := t.at(s, out[i]); err != nil {
			return err
		}
	}
	return nil
}

func (t *Table) at(s games.State, out []float64) error {
	key := games.Key(s, s.Turn())
	probs, ok := t.probs[key]
	if !ok {
		return fmt.Errorf("policy: no entry for the information state %q of seat %d", key, s.Turn())
	}
	found := 0
	names := make([]string, len(out))
	for i, a := range s.Actions(nil) {
		names[i] = games.Say(s, a)
		p, listed := probs[names[i]]
		if out[i] = p; listed {
			found++
		}
	}
	if found == len(probs) {
		return nil
	}
	for _, action := range slices.Sorted(maps.Keys(probs)) {
		if !slices.Contains(names, action) {
			return fmt.Errorf("policy: information state %q: %q is not legal there%s; legal are %v", key, action, spec.Suggest(action, names), names)
		}
	}
	return nil
}
