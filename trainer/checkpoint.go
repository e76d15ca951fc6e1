package trainer

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/agon-rl/agon/agents"
	"github.com/agon-rl/agon/policy"
	"github.com/agon-rl/agon/trainer/run"
)

// Files of a checkpoint.
const (
	firstFile   = "adam_first.safetensors"
	secondFile  = "adam_second.safetensors"
	magnetFile  = "magnet.safetensors"
	stateFile   = "state.json"
	poolPattern = "snapshot_%08d.safetensors"
	heldFile    = "reference.safetensors" // of preferences
	pastPattern = "before_%02d.safetensors"
)

// progress is what a checkpoint holds beside tensors. Generators are not in
// it: each is derived from the seed and from what it is for.
type progress struct {
	Update    int                `json:"update"`
	Steps     uint64             `json:"steps"` // of the optimizer
	Advantage json.RawMessage    `json:"advantage"`
	Pool      pool               `json:"pool"`
	Guard     guardState         `json:"guard"`
	Queue     [][]rival          `json:"queue,omitempty"` // of preferences
	Past      int                `json:"past,omitempty"`  // networks of earlier updates, for preferences
	Final     map[string]float64 `json:"final"`
	Reached   bool               `json:"reached"`
}

// save writes a checkpoint of the updates done.
func (t *Trainer) save() error {
	w, err := t.folder.Checkpoint(t.update)
	if err != nil {
		return err
	}
	defer w.Abort()
	s := t.updater.State()
	advantage, err := json.Marshal(t.estimator)
	if err != nil {
		return fmt.Errorf("saving the baselines: %w", err)
	}
	p := progress{
		Update: t.update, Steps: s.Steps, Advantage: advantage, Pool: t.pool,
		Guard: t.guard.state, Final: t.final, Reached: t.reached,
	}
	if t.preferring != nil {
		p.Queue, p.Past = t.preferring.queue, len(t.preferring.references.past)
	}
	state, err := json.MarshalIndent(p, "", " ")
	if err != nil {
		return fmt.Errorf("saving the run's state: %w", err)
	}
	_, err = w.File(stateFile).Write(state)
	err = errors.Join(err, policy.SaveNetwork(w.File(agents.PolicyFile("")), t.describe, s.Weights),
		policy.WriteWeights(w.File(firstFile), s.First, nil),
		policy.WriteWeights(w.File(secondFile), s.Second, nil))
	if s.Magnet != nil {
		err = errors.Join(err, policy.WriteWeights(w.File(magnetFile), s.Magnet, nil))
	}
	if t.preferring != nil {
		if held := t.preferring.references.held; held != nil {
			err = errors.Join(err, policy.WriteWeights(w.File(heldFile), held, nil))
		}
		for i, past := range t.preferring.references.past {
			err = errors.Join(err, policy.WriteWeights(w.File(fmt.Sprintf(pastPattern, i+1)), past, nil))
		}
	}
	for _, past := range t.pool {
		err = errors.Join(err, policy.WriteWeights(w.File(fmt.Sprintf(poolPattern, past.Update)), past.weights, nil))
	}
	if err := errors.Join(err, w.Commit()); err != nil {
		return err
	}
	t.saved = t.update
	return t.folder.Prune(t.recipe.Checkpoint.Keep, nil)
}

// resume goes back to the last whole checkpoint. A run without one starts from
// the beginning and gets its checkpoint of update 0.
func (t *Trainer) resume() (*run.Checkpoint, error) {
	c, err := t.folder.Latest(func(refused error) { t.options.Log.Warn().Msg(refused.Error()) })
	if errors.Is(err, run.ErrNoCheckpoint) {
		return nil, t.remember()
	}
	if err != nil {
		return nil, err
	}
	if err := t.restore(c); err != nil {
		return nil, fmt.Errorf("checkpoint %d of %s: %w", c.Step, t.folder.Dir(), err)
	}
	t.options.Log.Info().Int("update", t.update).Msg("resuming")
	return c, nil
}

func (t *Trainer) restore(c *run.Checkpoint) error {
	text, err := c.ReadFile(stateFile)
	if err != nil {
		return err
	}
	var p progress
	if err := json.Unmarshal(text, &p); err != nil {
		return fmt.Errorf("%s: %w", stateFile, err)
	}
	if err := json.Unmarshal(p.Advantage, t.estimator); err != nil {
		return err
	}
	_, weights, err := ReadPolicy(c, agents.PolicyFile(""))
	if err != nil {
		return err
	}
	state := State{Steps: p.Steps, Weights: weights}
	if state.First, err = ReadWeights(c, firstFile); err != nil {
		return err
	}
	if state.Second, err = ReadWeights(c, secondFile); err != nil {
		return err
	}
	if slices.Contains(c.Files(), magnetFile) {
		if state.Magnet, err = ReadWeights(c, magnetFile); err != nil {
			return err
		}
	}
	if err := t.updater.Restore(state); err != nil {
		return err
	}
	for _, past := range p.Pool {
		if past.weights, err = ReadWeights(c, fmt.Sprintf(poolPattern, past.Update)); err != nil {
			return err
		}
		if past.network, err = t.model.Network(past.weights); err != nil {
			return err
		}
	}
	if t.preferring != nil {
		if err := t.preferring.restore(c, p); err != nil {
			return err
		}
	}
	t.update, t.saved, t.pool, t.final, t.reached = p.Update, p.Update, p.Pool, p.Final, p.Reached
	t.guard.state = p.Guard
	return nil
}

// restore reads what preferences need of earlier updates.
func (p *preferring) restore(c *run.Checkpoint, from progress) (err error) {
	if from.Queue != nil {
		p.queue = from.Queue
	}
	f := &p.references
	if slices.Contains(c.Files(), heldFile) {
		if f.held, err = ReadWeights(c, heldFile); err != nil {
			return err
		}
	}
	f.past = make([]*policy.Weights, from.Past)
	for i := range f.past {
		if f.past[i], err = ReadWeights(c, fmt.Sprintf(pastPattern, i+1)); err != nil {
			return err
		}
	}
	return nil
}

// ReadWeights reads weights from a file of a checkpoint.
func ReadWeights(c *run.Checkpoint, name string) (*policy.Weights, error) {
	_, w, err := readFile(c, name, func(in io.Reader) (struct{}, *policy.Weights, error) {
		w, _, err := policy.ReadWeights(in)
		return struct{}{}, w, err
	})
	return w, err
}

// ReadPolicy reads a network that describes itself from a file of a checkpoint.
func ReadPolicy(c *run.Checkpoint, name string) (policy.Description, *policy.Weights, error) {
	return readFile(c, name, policy.ReadNetwork)
}

func readFile[T any](c *run.Checkpoint, name string, read func(io.Reader) (T, *policy.Weights, error)) (T, *policy.Weights, error) {
	content, err := c.ReadFile(name)
	if err != nil {
		var none T
		return none, nil, err
	}
	about, w, err := read(bytes.NewReader(content))
	if err != nil {
		return about, nil, fmt.Errorf("%s: %w", name, err)
	}
	return about, w, nil
}
