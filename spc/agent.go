package spc

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/agon-rl/agon/agents"
	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/games/problem"
	"github.com/agon-rl/agon/games/sneakycritic"
	"github.com/agon-rl/agon/internal/spec"
	"github.com/agon-rl/agon/mcts"
	"github.com/agon-rl/agon/play"
	"github.com/agon-rl/agon/policy"
)

// StepCritic judges the lines of solutions as they are written: the critic of the
// game sneaky_critic (SPC, arXiv 2504.19162) at work. It is safe for concurrent use
// where its policy is.
type StepCritic struct {
	game   *sneakycritic.Game
	policy policy.Policy
	calls  atomic.Int64
	close  func() error
}

// NewStepCritic returns the critic that plays p in a game of sneaky_critic.
func NewStepCritic(game *sneakycritic.Game, p policy.Policy) *StepCritic {
	return &StepCritic{game: game, policy: p}
}

// OpenStepCritic opens the critic of a run of SPC, DIR or DIR@STEP, for the problems
// of env.Game.
func OpenStepCritic(where string, env agents.Environment) (*StepCritic, error) {
	game, err := criticised(where, env)
	if err != nil {
		return nil, err
	}
	env.Game = game
	agent, err := agents.OpenRun(where, false, env)
	if err != nil {
		return nil, err
	}
	c := NewStepCritic(game, verdicts(agent))
	c.close = agent.Close
	return c, nil
}

// criticised is the game of sneaky_critic that a run was trained on, which must be
// about problems such as those of env.Game.
func criticised(where string, env agents.Environment) (*sneakycritic.Game, error) {
	checkpoint, err := agents.OpenCheckpoint(where, env.Warn)
	if err != nil {
		return nil, err
	}
	name := agents.PolicyFile("critic")
	if _, err := checkpoint.ReadFile(name); err != nil {
		name = agents.PolicyFile("") // one network with two roles
	}
	file, err := checkpoint.Open(name)
	if err != nil {
		return nil, fmt.Errorf("run %s: it holds no critic's network: %w", where, err)
	}
	defer file.Close() //nolint:errcheck // opened for reading
	description, err := policy.ReadDescription(file)
	if err != nil {
		return nil, fmt.Errorf("run %s: %w", where, err)
	}
	game, err := games.New(description.Game)
	if err != nil {
		return nil, fmt.Errorf("run %s: %w", where, err)
	}
	critic, ok := game.(*sneakycritic.Game)
	if !ok {
		return nil, fmt.Errorf("run %s: a network for %s: expected a critic, trained on sneaky_critic", where, description.Game)
	}
	return critic, fits(critic, env.Game)
}

// errWhole is why critics of whole solutions do not judge lines as they are written.
var errWhole = errors.New("a critic of whole solutions judges no single lines: expected one trained without whole=true")

// fits says whether a critic can read the lines of a game.
func fits(critic *sneakycritic.Game, game games.Game) error {
	if critic.Whole {
		return errWhole
	}
	own, ok := game.(problem.Criticised)
	if !ok {
		return fmt.Errorf("a critic judges problems that are solved line by line, and %s has none", game.Info().Name)
	}
	a, err1 := spec.Parse(critic.Params.Domain)
	b, err2 := spec.Parse(game.Info().Name)
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	if a.Name != b.Name || critic.Critique().View != own.Critique().View {
		return fmt.Errorf("a critic of %s cannot read %s", critic.Params.Domain, game.Info().Name)
	}
	return nil
}

// verdicts is an agent as a policy: its own where it has one, else whatever it
// answers, with certainty.
func verdicts(agent play.Agent) policy.Policy {
	if q, ok := agent.(agents.Queryable); ok {
		return q.Policy()
	}
	return answers{agent}
}

type answers struct{ play.Agent }

// Probabilities implements policy.Policy.
func (a answers) Probabilities(ctx context.Context, states []games.State, out [][]float64) error {
	requests, decisions := make([]play.Request, len(states)), make([]play.Decision, len(states))
	for i, s := range states {
		requests[i] = play.Request{State: s, Rand: agents.GeneratorOf(s)}
	}
	if err := a.Act(ctx, requests, decisions); err != nil {
		return err
	}
	var actions []games.Action
	for i, s := range states {
		actions = s.Actions(actions[:0])
		for j, legal := range actions {
			out[i][j] = 0
			if legal == decisions[i].Action {
				out[i][j] = 1
			}
		}
	}
	return nil
}

// Game is the game of sneaky_critic that the critic plays.
func (c *StepCritic) Game() *sneakycritic.Game { return c.game }

// Calls is how many lines were judged so far.
func (c *StepCritic) Calls() int { return int(c.calls.Load()) }

// Judge overwrites out[i] with the probability that the critic calls lines[i],
// written next where solutions[i] stands, Correct.
func (c *StepCritic) Judge(ctx context.Context, solutions []problem.Solution, lines []problem.Line, out []float64) error {
	if c.game.Whole {
		return errWhole
	}
	states, probs := make([]games.State, len(lines)), make([][]float64, len(lines))
	for i := range lines {
		states[i], probs[i] = c.game.Judging(solutions[i], lines[i]), make([]float64, 2)
	}
	if err := c.policy.Probabilities(ctx, states, probs); err != nil {
		return fmt.Errorf("the critic: %w", err)
	}
	c.calls.Add(int64(len(lines)))
	for i, p := range probs {
		out[i] = p[sneakycritic.Correct]
	}
	return nil
}

// Close frees what the critic was opened with.
func (c *StepCritic) Close() error {
	if c.close == nil {
		return nil
	}
	return c.close()
}

// Belief is how far a critic believes solutions, whole or not:
//
//	P(all lines right) = Π_t P(line t right | the lines before it right)
//
// by the chain rule, since a critic judges each line as if those before it stood. So
// one line that it is sure is wrong sinks a solution, as it should, where a mean over
// the lines would forgive it. A solution without lines is believed.
//
// It remembers what it was asked, so that lines that solutions share are judged once.
// It belongs to one goroutine.
type Belief struct {
	critic *StepCritic
	known  map[string]float64
}

var _ mcts.Confidence = (*Belief)(nil)

// NewBelief returns what a critic believes.
func NewBelief(c *StepCritic) *Belief { return &Belief{critic: c, known: map[string]float64{}} }

// pending is a line of a solution that is still to be judged, where it stood, and what it
// led to.
type pending struct {
	at   problem.Solution
	line problem.Line
	key  string
}

// Confidence implements mcts.Confidence.
func (b *Belief) Confidence(ctx context.Context, states []games.State, out []float64) error {
	ways := make([][]pending, len(states)) // the lines of each that were not judged yet, last first
	var solutions []problem.Solution
	var lines []problem.Line
	place := map[string]int{}
	for i, state := range states {
		s, ok := state.(problem.Solution)
		if !ok {
			return fmt.Errorf("a critic judges problems that are solved line by line, and here is none")
		}
		for {
			key := string(s.AppendKey(nil, 0))
			if _, known := b.known[key]; known {
				break
			}
			at, line, ok := s.Before()
			if !ok {
				b.known[key] = 1
				break
			}
			ways[i] = append(ways[i], pending{at, line, key})
			if _, asked := place[key]; !asked {
				place[key] = len(lines)
				solutions, lines = append(solutions, at), append(lines, line)
			}
			s = at
		}
	}
	if len(lines) > 0 {
		right := make([]float64, len(lines))
		if err := b.critic.Judge(ctx, solutions, lines, right); err != nil {
			return err
		}
		for _, way := range ways {
			for k := len(way) - 1; k >= 0; k-- {
				before := b.known[string(way[k].at.AppendKey(nil, 0))]
				b.known[way[k].key] = before * right[place[way[k].key]]
			}
		}
	}
	for i, state := range states {
		out[i] = b.known[string(state.AppendKey(nil, 0))]
	}
	return nil
}
