package spc

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/agon-rl/agon/agents"
	"github.com/agon-rl/agon/policy"
	"github.com/agon-rl/agon/trainer"
	"github.com/agon-rl/agon/trainer/run"
)

// Files of a checkpoint, beside the policies, which agents.PolicyFile names by role.
const (
	stateFile     = "state.json"
	sneakiestFile = "sneakiest.json" // the examples of a run on a game of kinds of error
	firstPattern  = "adam_first.%s.safetensors"
	secondPattern = "adam_second.%s.safetensors"
	magnetPattern = "magnet.%s.safetensors"
	roundPattern  = "round_%04d.%s.safetensors"
)

// progress is what a checkpoint holds beside tensors. Generators are derived from
// the seed and from what they are for, and the games of offline rounds are played
// again.
type progress struct {
	Update    int                `json:"update"`
	Played    int                `json:"played"`
	Rounds    int                `json:"rounds"` // of which the players are kept
	Steps     map[string]uint64  `json:"steps"`  // of the optimizers, by role
	Advantage json.RawMessage    `json:"advantage"`
	Stage     stage              `json:"stage"`
	Final     map[string]float64 `json:"final"`
	Exact     *exactState        `json:"exact,omitempty"`
}

// save writes a checkpoint of the updates done.
func (t *Trainer) save() error {
	w, err := t.folder.Checkpoint(t.update)
	if err != nil {
		return err
	}
	defer w.Abort()
	advantage, err := json.Marshal(t.estimator)
	if err != nil {
		return fmt.Errorf("saving the baselines: %w", err)
	}
	p := progress{Update: t.update, Played: t.played, Rounds: len(t.players[0].rounds), Steps: map[string]uint64{}, Advantage: advantage, Stage: t.stage, Final: t.final}
	if t.exact != nil {
		state, err := t.exact.save()
		if err != nil {
			return err
		}
		p.Exact = &state
	}
	for _, player := range t.distinct() {
		s := player.updater.State()
		p.Steps[player.role] = s.Steps
		role := t.roleOf(player)
		err = errors.Join(err, policy.SaveNetwork(w.File(agents.PolicyFile(role)), t.describe, s.Weights),
			policy.WriteWeights(w.File(fmt.Sprintf(firstPattern, player.role)), s.First, nil),
			policy.WriteWeights(w.File(fmt.Sprintf(secondPattern, player.role)), s.Second, nil))
		if s.Magnet != nil {
			err = errors.Join(err, policy.WriteWeights(w.File(fmt.Sprintf(magnetPattern, player.role)), s.Magnet, nil))
		}
		for i, weights := range player.rounds {
			err = errors.Join(err, policy.WriteWeights(w.File(fmt.Sprintf(roundPattern, i, player.role)), weights, nil))
		}
	}
	if t.spc != nil {
		examples, failed := json.MarshalIndent(t.sneakiest, "", " ")
		if failed == nil {
			_, failed = w.File(sneakiestFile).Write(examples)
		}
		err = errors.Join(err, failed)
	}
	state, failed := json.MarshalIndent(p, "", " ")
	if failed != nil {
		return fmt.Errorf("saving the run's state: %w", failed)
	}
	_, failed = w.File(stateFile).Write(state)
	if err := errors.Join(err, failed, w.Commit()); err != nil {
		return err
	}
	t.saved = t.update
	return t.folder.Prune(t.recipe.Checkpoint.Keep, nil)
}

// roleOf is the role that a player's policy is filed under: "" for one network with
// two roles.
func (t *Trainer) roleOf(p *player) string {
	if len(t.distinct()) == 1 {
		return ""
	}
	return p.role
}

// resume goes back to the last whole checkpoint; a run without one starts from the
// beginning.
func (t *Trainer) resume() (*run.Checkpoint, error) {
	c, err := t.folder.Latest(func(refused error) { t.options.Log.Warn().Msg(refused.Error()) })
	if errors.Is(err, run.ErrNoCheckpoint) {
		return nil, nil
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
	p, err := readProgress(c)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(p.Advantage, t.estimator); err != nil {
		return err
	}
	if t.exact != nil && p.Exact != nil {
		if err := t.exact.restore(*p.Exact); err != nil {
			return err
		}
	}
	if t.spc != nil {
		if t.sneakiest, err = examplesOf(c); err != nil {
			return err
		}
	}
	for _, player := range t.distinct() {
		if err := t.restorePlayer(c, player, p); err != nil {
			return err
		}
	}
	t.update, t.saved, t.played, t.stage, t.final = p.Update, p.Update, p.Played, p.Stage, p.Final
	return nil
}

func (t *Trainer) restorePlayer(c *run.Checkpoint, player *player, p progress) error {
	_, weights, err := trainer.ReadPolicy(c, agents.PolicyFile(t.roleOf(player)))
	if err != nil {
		return err
	}
	state := trainer.State{Steps: p.Steps[player.role], Weights: weights}
	if state.First, err = trainer.ReadWeights(c, fmt.Sprintf(firstPattern, player.role)); err != nil {
		return err
	}
	if state.Second, err = trainer.ReadWeights(c, fmt.Sprintf(secondPattern, player.role)); err != nil {
		return err
	}
	if name := fmt.Sprintf(magnetPattern, player.role); slices.Contains(c.Files(), name) {
		if state.Magnet, err = trainer.ReadWeights(c, name); err != nil {
			return err
		}
	}
	if err := player.updater.Restore(state); err != nil {
		return err
	}
	player.rounds, player.past, err = readRounds(c, t.model, player.role, p.Rounds)
	return err
}

func readProgress(c *run.Checkpoint) (p progress, err error) {
	text, err := c.ReadFile(stateFile)
	if err != nil {
		return p, err
	}
	if err := json.Unmarshal(text, &p); err != nil {
		return p, fmt.Errorf("%s: %w", stateFile, err)
	}
	return p, nil
}

// readRounds reads a network as it was at the end of each of the first rounds. With an
// error come those read before it, to be closed.
func readRounds(c *run.Checkpoint, model *policy.Model, role string, rounds int) (all []*policy.Weights, past []*policy.Network, err error) {
	for i := range rounds {
		weights, err := trainer.ReadWeights(c, fmt.Sprintf(roundPattern, i, role))
		if err != nil {
			return all, past, err
		}
		network, err := model.Network(weights)
		if err != nil {
			return all, past, err
		}
		all, past = append(all, weights), append(past, network)
	}
	return all, past, nil
}
