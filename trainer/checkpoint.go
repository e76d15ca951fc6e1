package trainer

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/agon-rl/agon/agents"
	"github.com/agon-rl/agon/policy"
	"github.com/agon-rl/agon/policy/backend"
	"github.com/agon-rl/agon/trainer/run"
)

// stateFile is what a checkpoint holds beside tensors.
const stateFile = "state.json"

// fileOf is the file of a checkpoint that holds a player's tensors of a kind.
func fileOf(kind string, p *Player) string {
	if p.Name == "" {
		return kind + ".safetensors"
	}
	return kind + "." + p.Name + ".safetensors"
}

// pastKind names a past's files.
func pastKind(past *Past) string { return fmt.Sprintf("snapshot_%08d", past.Update) }

// progress is the content of the state file. Generators are not in it: each is derived
// from the seed and from what it is for.
type progress struct {
	Version   int               `json:"version"`
	Update    int               `json:"update"`
	Played    int               `json:"played"`
	Steps     map[string]uint64 `json:"optimizer_steps"` // by player
	Advantage json.RawMessage   `json:"advantage"`
	Pasts     []*Past           `json:"pasts"`
	Stage     stage             `json:"stage"`
	Method    json.RawMessage   `json:"method"`
	Final     Line              `json:"final"`
	Reached   bool              `json:"reached"`
}

// progress1 is what version 0.1 wrote of a run of the method play, beside what has
// kept its name.
type progress1 struct {
	Steps uint64  `json:"steps"`
	Pool  []*Past `json:"pool"`
}

// save writes a checkpoint of the updates done. Tensors leave the device one by one.
func (r *Run) save() error {
	w, err := r.Folder.Checkpoint(r.Done)
	if err != nil {
		return err
	}
	defer w.Abort()
	p := progress{Version: RecipeVersion, Update: r.Done, Played: r.Played, Steps: map[string]uint64{}, Pasts: r.Pasts, Stage: r.stage, Final: r.final, Reached: r.reached}
	if p.Advantage, err = json.Marshal(r.Estimator); err != nil {
		return fmt.Errorf("saving the baselines: %w", err)
	}
	for _, player := range r.Players {
		s := player.Updater.State()
		p.Steps[player.Name] = s.Steps
		err = errors.Join(err, policy.SaveNetwork(w.File(agents.PolicyFile(player.Name)), r.describe, s.Weights))
		err = errors.Join(err, policy.WriteWeights(w.File(fileOf("adam_first", player)), s.First, nil),
			policy.WriteWeights(w.File(fileOf("adam_second", player)), s.Second, nil))
		if s.Magnet != nil {
			err = errors.Join(err, policy.WriteWeights(w.File(fileOf("magnet", player)), s.Magnet, nil))
		}
	}
	for _, past := range r.Pasts {
		for i, network := range past.Networks {
			err = errors.Join(err, policy.WriteWeights(w.File(fileOf(pastKind(past), r.Players[i])), network.Weights, nil))
		}
	}
	state, failed := r.method.Save(w)
	if err = errors.Join(err, failed); err != nil {
		return err
	}
	if p.Method, err = json.Marshal(state); err != nil {
		return fmt.Errorf("saving the run's state: %w", err)
	}
	text, err := json.MarshalIndent(p, "", " ")
	if err != nil {
		return fmt.Errorf("saving the run's state: %w", err)
	}
	_, err = w.File(stateFile).Write(text)
	if err := errors.Join(err, w.Commit()); err != nil {
		return err
	}
	r.saved = r.Done
	return r.Folder.Prune(r.Recipe.Checkpoint.Keep, nil)
}

// resume goes back to the last whole checkpoint. A run without one starts from
// the beginning.
func (r *Run) resume() (*run.Checkpoint, error) {
	c, err := r.Folder.Latest(func(refused error) { r.Options.Log.Warn().Msg(refused.Error()) })
	if errors.Is(err, run.ErrNoCheckpoint) {
		if r.opponents.every > 0 { // the first past is the player as it was drawn
			return nil, r.Remember()
		}
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if err := r.restore(c); err != nil {
		return nil, fmt.Errorf("checkpoint %d of %s: %w", c.Step, r.Folder.Dir(), err)
	}
	r.Options.Log.Info().Int("update", r.Done).Msg("resuming")
	return c, nil
}

func (r *Run) restore(c *run.Checkpoint) error {
	p, err := r.readProgress(c)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(p.Advantage, r.Estimator); err != nil {
		return err
	}
	for _, player := range r.Players {
		if err := player.restore(c, p.Steps[player.Name]); err != nil {
			return err
		}
	}
	if r.Pasts, err = r.readPasts(c, p.Pasts); err != nil { // closed with the run
		return err
	}
	r.Done, r.saved, r.Played, r.stage, r.final, r.reached = p.Update, p.Update, p.Played, p.Stage, p.Final, p.Reached
	return r.method.Restore(c, p.Method)
}

// readProgress reads the state file, that of version 0.1 too where it means the same.
func (r *Run) readProgress(c *run.Checkpoint) (p progress, err error) {
	text, err := c.ReadFile(stateFile)
	if err != nil {
		return p, err
	}
	if err := json.Unmarshal(text, &p); err != nil {
		return p, fmt.Errorf("%s: %w", stateFile, err)
	}
	if p.Version == RecipeVersion {
		return p, nil
	}
	if r.Recipe.Method != playMethod {
		return p, fmt.Errorf("it is of version 0.1, whose rounds this program cannot go on with: train anew, or play it by run:DIR")
	}
	var old progress1
	if err := json.Unmarshal(text, &old); err != nil {
		return p, fmt.Errorf("%s: %w", stateFile, err)
	}
	p.Played, p.Steps, p.Pasts, p.Method = p.Update*r.Recipe.Games, map[string]uint64{"": old.Steps}, old.Pool, text
	return p, nil
}

// restore reads a player's updater.
func (p *Player) restore(c *run.Checkpoint, steps uint64) (err error) {
	s := State{Steps: steps}
	device := p.Updater.learnable.Device()
	for _, file := range []struct {
		to       **policy.Weights
		name     string
		optional bool
	}{
		{&s.Weights, agents.PolicyFile(p.Name), false}, {&s.First, fileOf("adam_first", p), false},
		{&s.Second, fileOf("adam_second", p), false}, {&s.Magnet, fileOf("magnet", p), true},
	} {
		if file.optional && !slices.Contains(c.Files(), file.name) {
			continue
		}
		if *file.to, err = ReadWeights(device, c, file.name); err != nil {
			return err
		}
	}
	return p.Updater.Restore(s)
}

// ReadPasts opens the pasts of a checkpoint of any run with the same players. With an
// error come those read before it, to be closed.
func (r *Run) ReadPasts(c *run.Checkpoint) ([]*Past, error) {
	p, err := r.readProgress(c)
	if err != nil {
		return nil, err
	}
	return r.readPasts(c, p.Pasts)
}

func (r *Run) readPasts(c *run.Checkpoint, pasts []*Past) (out []*Past, err error) {
	for _, past := range pasts {
		out = append(out, past)
		for _, player := range r.Players {
			network, err := r.readNetwork(c, fileOf(pastKind(past), player))
			if err != nil {
				return out, err
			}
			past.Networks = append(past.Networks, network)
		}
	}
	return out, nil
}

// readNetwork opens weights of the run's architecture from a file of a checkpoint.
func (r *Run) readNetwork(c *run.Checkpoint, name string) (*policy.Network, error) {
	w, err := ReadWeights(r.Model.Device(), c, name)
	if err != nil {
		return nil, err
	}
	defer w.Close() //nolint:errcheck // the network has a handle of its own
	return r.Model.Network(w)
}

// ReadWeights reads weights from a file of a checkpoint to a device.
func ReadWeights(device backend.Backend, c *run.Checkpoint, name string) (*policy.Weights, error) {
	in, err := c.Open(name)
	if err != nil {
		return nil, err
	}
	defer in.Close() //nolint:errcheck // opened for reading
	w, _, err := policy.ReadWeights(device, io.Reader(in))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return w, nil
}
