package agents

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/agon-rl/agon/internal/spec"
	"github.com/agon-rl/agon/mcts"
	"github.com/agon-rl/agon/play"
	"github.com/agon-rl/agon/policy"
	"github.com/agon-rl/agon/trainer/run"
)

func init() {
	Kinds.Add(spec.Entry[Kind]{
		Name: "run", Usage: "run:DIR[@STEP]", Help: "a trained network; run(DIR,greedy=true) takes its most probable action",
		Value: Kind{Open: func(_ context.Context, r *spec.Reader, env Environment) (play.Agent, error) {
			return OpenRun(r.String("dir", ""), r.Bool("greedy", false), env)
		}},
	})
	Evaluators.Add(spec.Entry[EvaluatorKind]{
		Name: "run", Usage: "run(DIR[@STEP])", Help: "a trained network that says what states are worth, and its priors",
		Value: openValues,
	})
}

// RunDir returns the folder of the run that an agent's name names, if it names
// one.
func RunDir(text string) (string, bool) {
	s, err := spec.Parse(text)
	if err != nil || s.Name != "run" {
		return "", false
	}
	dir := spec.Read(s).String("dir", "")
	if i := strings.LastIndexByte(dir, '@'); i >= 0 {
		dir = dir[:i]
	}
	return dir, dir != ""
}

// OpenRun opens the network of a run's checkpoint, DIR or DIR@STEP, or, where each role
// has its own, all of them.
func OpenRun(where string, greedy bool, env Environment) (play.Agent, error) {
	if where == "" {
		return nil, Misnamed("run: expected a run's folder, such as run:runs/kuhn_poker or run:runs/kuhn_poker@200")
	}
	checkpoint, err := OpenCheckpoint(where, env.Warn)
	if err != nil {
		return nil, err
	}
	dir, _, _ := splitRun(where)
	seats, err := openSeats(checkpoint, greedy, env)
	if err != nil {
		return nil, fmt.Errorf("run %s, checkpoint %d: %w", dir, checkpoint.Step, err)
	}
	return seats, nil
}

// splitRun takes DIR@STEP apart; the step is -1 where the newest is meant.
func splitRun(where string) (dir string, step int, err error) {
	i := strings.LastIndexByte(where, '@')
	if i < 0 {
		return where, -1, nil
	}
	n, err := strconv.Atoi(where[i+1:])
	if err != nil || n < 0 {
		return "", 0, Misnamed("run: %q: expected a step number after @", where)
	}
	return where[:i], n, nil
}

// PolicyFile is the file of a checkpoint that holds the network of a role, or, of
// the role "", the one network of all roles.
func PolicyFile(role string) string {
	if role == "" {
		return "policy.safetensors"
	}
	return "policy." + role + ".safetensors"
}

// openSeats opens a checkpoint's network, or one for each role.
func openSeats(c *run.Checkpoint, greedy bool, env Environment) (play.Agent, error) {
	if slices.Contains(c.Files(), PolicyFile("")) {
		return openPolicy(c, PolicyFile(""), greedy, env)
	}
	var seats seated
	for _, role := range env.Game.Info().Roles {
		sampler, err := openPolicy(c, PolicyFile(role), greedy, env)
		if err != nil {
			return nil, errors.Join(err, seats.Close())
		}
		seats = append(seats, sampler)
	}
	return seats, nil
}

func openPolicy(c *run.Checkpoint, name string, greedy bool, env Environment) (*Sampler, error) {
	file, err := c.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close() //nolint:errcheck // opened for reading
	network, err := openNetwork(file, env)
	if err != nil {
		return nil, err
	}
	sampler := NewSampler(network, greedy)
	sampler.close = network.Close
	return sampler, nil
}

// OpenCheckpoint finds the checkpoint that DIR or DIR@STEP names, the newest that is
// whole where there is no step. warn, if not nil, hears of what was passed over.
func OpenCheckpoint(where string, warn func(error)) (*run.Checkpoint, error) {
	dir, step, err := splitRun(where)
	if err != nil {
		return nil, err
	}
	folder, err := run.Open(dir)
	if err != nil {
		return nil, err
	}
	if step >= 0 {
		return folder.At(step)
	}
	if warn == nil {
		warn = func(error) {}
	}
	return folder.Latest(warn)
}

func openNetwork(in io.Reader, env Environment) (*policy.Network, error) {
	device, err := env.Backend()
	if err != nil {
		return nil, err
	}
	description, weights, err := policy.ReadNetwork(device, in)
	if err != nil {
		return nil, err
	}
	defer weights.Close() //nolint:errcheck // the network has a handle of its own
	model, err := description.Model(device, env.Game)
	if err != nil {
		return nil, err
	}
	return model.Network(weights)
}

// openValues opens the evaluator run.
func openValues(_ context.Context, r *spec.Reader, env Environment) (Evaluating, error) {
	dir, greedy := r.String("dir", ""), r.Bool("greedy", false)
	if err := r.Err(); err != nil {
		return Evaluating{}, err
	}
	agent, err := OpenRun(dir, greedy, env)
	if err != nil {
		return Evaluating{}, fmt.Errorf("run: agent %w", err)
	}
	sampler, ok := agent.(*Sampler)
	if !ok {
		return Evaluating{}, errors.Join(Misnamed("run: %s has a network for each role: expected one for all", dir), agent.Close())
	}
	values, ok := sampler.PolicyValue()
	if !ok {
		return Evaluating{}, errors.Join(Misnamed("run: %s holds no value of states", dir), agent.Close())
	}
	return Evaluating{New: func() mcts.Evaluator { return mcts.Network{PolicyValue: values} }, Close: agent.Close}, nil
}
