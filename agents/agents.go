// Package agents holds whatever picks actions, and opens each by the same kind
// of name on every verb: random, policy:FILE.json, run:DIR@STEP,
// cfr:iterations=1000, minimax, mcts:sims=400, openai:model=NAME, human.
package agents

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/internal/spec"
	"github.com/agon-rl/agon/play"
	"github.com/agon-rl/agon/policy"
	"github.com/agon-rl/agon/policy/backend"
	"github.com/agon-rl/agon/solve"
	"github.com/agon-rl/agon/trainer/run"
)

// Forms documents the agents for help texts.
const Forms = `random                       every legal action with equal probability
human                        a person at the terminal
policy:FILE.json             probabilities by information state
run:DIR[@STEP]               a trained network; run(DIR,greedy=true) takes its most probable action
cfr:iterations=1000          the average policy of CFR+, for games small enough to solve
minimax                      perfect play where nothing is hidden, any of the best moves
mcts:sims=400                tree search; also rule=uct|puct|alphazero|muzero|gumbel|agent-q, c=1.4,
                             eval=rollout(8)|run(DIR)|exact|verifier|self(model=NAME,url=…)|mix(rollout,0.5,run(DIR),0.5), prove=true,
                             eval=critic(DIR,policy=run(DIR),ends=game|critic) for problems solved line by line,
                             time=2s, temperature=1, leaves=8, nodes=1000000, noise=0.25, alpha=0.3, considered=16
uci:ENGINE,movetime=100      a chess engine, times in milliseconds; also depth=8, nodes=1000, elo=1500 (UCI_LimitStrength),
                             options=NAME:VALUE;NAME:VALUE, parallel=2, fresh=true (forget before each move)
material                     chess: takes what is worth most, any of the best moves
plugin:PROGRAM               an agent in a program of its own (plugins.ServeAgent), or in a folder with plugin.yaml; also
                             plugin(command=PROGRAM,timeout=1m,processes=2)
openai:model=NAME            a language model behind any OpenAI-compatible endpoint; also url=http://localhost:8000/v1
                             (else $OPENAI_BASE_URL), key=MY_KEY (the variable that holds the key, else OPENAI_API_KEY),
                             temperature=1, max_tokens=4096, seed=1, timeout=2m, retries=8, parallel=8,
                             rpm=60 and tpm=100000 (requests and tokens a minute), price_in=0.15 and price_out=0.6
                             (dollars per million tokens), template=FILE with {{.Prompt}}, {{.Role}} and {{.Game}},
                             tries=3, illegal=forfeit|random|error (for answers without a legal action)`

var names = []string{"random", "human", "policy", "run", "cfr", "minimax", "mcts", "openai", "uci", "material", "plugin"}

// Environment is what agents are opened in.
type Environment struct {
	Game games.Game
	// Backend opens the backend that networks run on. It is called only where
	// an agent needs one.
	Backend func() (backend.Backend, error)
	// In and Out are a person's terminal.
	In  io.Reader
	Out io.Writer
	// Warn, if not nil, hears of what was passed over, such as a checkpoint
	// that was refused for the one before it.
	Warn func(error)
}

// NameError is the error of Open where the name is wrong: no such agent, or a
// wrong parameter. What the name stands for was not looked at.
type NameError struct{ err error }

func (e *NameError) Error() string { return e.err.Error() }

func (e *NameError) Unwrap() error { return e.err }

func misnamed(format string, args ...any) error {
	return &NameError{fmt.Errorf(format, args...)}
}

// Open opens the agent that text names.
func Open(ctx context.Context, text string, env Environment) (play.Agent, error) {
	s, err := spec.Parse(text)
	if err != nil {
		return nil, misnamed("agent %w", err)
	}
	r := spec.Read(s)
	agent, err := open(ctx, s.Name, r, env)
	var name *NameError
	if wrong := r.Err(); wrong != nil && !errors.As(err, &name) {
		if err == nil {
			wrong = errors.Join(wrong, agent.Close())
		}
		return nil, misnamed("agent %w", wrong)
	}
	if err != nil {
		return nil, fmt.Errorf("agent %w", err)
	}
	return agent, nil
}

// Known returns a NameError where text is not the name of an agent, its parameters
// aside.
func Known(text string) error {
	s, err := spec.Parse(text)
	if err != nil {
		return misnamed("agent %w", err)
	}
	if !slices.Contains(names, s.Name) {
		return misnamed("agent %w", unknown(s.Name))
	}
	return nil
}

func unknown(name string) error {
	return fmt.Errorf("%q is unknown%s; there are %s", name, spec.Suggest(name, names), strings.Join(names, ", "))
}

func open(ctx context.Context, name string, r *spec.Reader, env Environment) (play.Agent, error) {
	switch name {
	case "random":
		return NewRandom(), nil
	case "human":
		return NewHuman(env.In, env.Out), nil
	case "policy":
		file, greedy := r.String("file", ""), r.Bool("greedy", false)
		if file == "" {
			return nil, misnamed("policy: expected a file, such as policy:kuhn.json")
		}
		table, err := policy.ReadTable(file)
		if err != nil {
			return nil, err
		}
		return NewSampler(table, greedy), nil
	case "run":
		return openRun(r.String("dir", ""), r.Bool("greedy", false), env)
	case "cfr":
		iterations := r.Int("iterations", 1000, 1, 1<<30)
		if err := r.Err(); err != nil {
			return nil, err
		}
		table, err := equilibrium(ctx, env.Game, iterations)
		if err != nil {
			return nil, err
		}
		return NewSampler(table, false), nil
	case "minimax":
		p, err := solve.Minimax(ctx, env.Game)
		if err != nil {
			return nil, err
		}
		return NewSampler(p, false), nil
	case "mcts":
		s, err := openSearch(ctx, r, env)
		if err != nil {
			return nil, err
		}
		return s, nil
	case "material":
		return openMaterial(env)
	case "openai":
		return openChat(r, env)
	case "plugin":
		return openPlugin(r, env)
	case "uci":
		return openEngine(ctx, r, env)
	}
	return nil, misnamed("%w", unknown(name))
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

// openRun opens the network of a run's checkpoint: DIR or DIR@STEP.
func openRun(where string, greedy bool, env Environment) (play.Agent, error) {
	if where == "" {
		return nil, misnamed("run: expected a run's folder, such as run:runs/kuhn_poker or run:runs/kuhn_poker@200")
	}
	checkpoint, err := openCheckpoint(where, env)
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
		return "", 0, misnamed("run: %q: expected a step number after @", where)
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

func checkpointOf(folder *run.Folder, step int, warn func(error)) (*run.Checkpoint, error) {
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

// equilibrium solves a game by CFR+; a contest over its answers.
func equilibrium(ctx context.Context, game games.Game, iterations int) (*policy.Table, error) {
	if contest, ok := game.(games.Contest); ok {
		probs, err := solve.SolveContest(ctx, contest, iterations)
		if err != nil {
			return nil, err
		}
		return solve.ContestTable(contest, probs)
	}
	tree, err := solve.Compile(ctx, game, solve.DefaultNodes)
	if err != nil {
		return nil, err
	}
	solver := solve.NewCFR(tree, solve.Variant{Plus: true, Average: 1})
	if err := solver.Iterate(ctx, iterations); err != nil {
		return nil, err
	}
	return tree.Table(solver.Strategy()), nil
}
