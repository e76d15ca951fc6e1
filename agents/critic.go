package agents

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"sync/atomic"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/games/problem"
	"github.com/agon-rl/agon/games/sneakycritic"
	"github.com/agon-rl/agon/internal/spec"
	"github.com/agon-rl/agon/mcts"
	"github.com/agon-rl/agon/play"
	"github.com/agon-rl/agon/policy"
	"github.com/agon-rl/agon/trainer/run"
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
func OpenStepCritic(where string, env Environment) (*StepCritic, error) {
	game, err := criticised(where, env)
	if err != nil {
		return nil, err
	}
	env.Game = game
	agent, err := openRun(where, false, env)
	if err != nil {
		return nil, err
	}
	c := NewStepCritic(game, Verdicts(agent))
	c.close = agent.Close
	return c, nil
}

// criticised is the game of sneaky_critic that a run was trained on, which must be
// about problems such as those of env.Game.
func criticised(where string, env Environment) (*sneakycritic.Game, error) {
	checkpoint, err := openCheckpoint(where, env)
	if err != nil {
		return nil, err
	}
	name := PolicyFile("critic")
	if _, err := checkpoint.ReadFile(name); err != nil {
		name = PolicyFile("") // one network with two roles
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

// Verdicts is an agent as a policy: its own where it has one, else whatever it
// answers, with certainty.
func Verdicts(agent play.Agent) policy.Policy {
	if q, ok := agent.(Queryable); ok {
		return q.Policy()
	}
	return answers{agent}
}

type answers struct{ play.Agent }

// Probabilities implements policy.Policy.
func (a answers) Probabilities(ctx context.Context, states []games.State, out [][]float64) error {
	requests, decisions := make([]play.Request, len(states)), make([]play.Decision, len(states))
	for i, s := range states {
		requests[i] = play.Request{State: s, Rand: generatorOf(s)}
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

// written is a line of a solution, where it stood, and what it led to.
type written struct {
	at   problem.Solution
	line problem.Line
	key  string
}

// Confidence implements mcts.Confidence.
func (b *Belief) Confidence(ctx context.Context, states []games.State, out []float64) error {
	ways := make([][]written, len(states)) // the lines of each that were not judged yet, last first
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
			ways[i] = append(ways[i], written{at, line, key})
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

// CriticEvaluator judges a search's leaves by a critic: a solution believed with
// probability p is worth 2p-1.
type CriticEvaluator struct {
	Belief *Belief
	Priors policy.Policy // of the leaves; nil for uniform ones
}

// Evaluate implements mcts.Evaluator.
func (e CriticEvaluator) Evaluate(ctx context.Context, leaves []mcts.Leaf, out []mcts.Evaluation) error {
	if e.Priors != nil {
		states, priors := make([]games.State, len(leaves)), make([][]float64, len(leaves))
		for i, leaf := range leaves {
			states[i], priors[i] = leaf.State, make([]float64, len(leaf.State.Actions(nil)))
		}
		if err := e.Priors.Probabilities(ctx, states, priors); err != nil {
			return err
		}
		for i := range out {
			out[i].Priors = priors[i]
		}
	}
	return mcts.SelfEvaluation{Model: e.Belief}.Evaluate(ctx, leaves, out)
}

// CriticOfEnds is the same evaluator for those who have no verifier: it judges whole
// solutions too, in the place of what the game says of them.
type CriticOfEnds struct{ CriticEvaluator }

var _ mcts.EndEvaluator = CriticOfEnds{}

// EvaluateEnds implements mcts.EndEvaluator.
func (e CriticOfEnds) EvaluateEnds(ctx context.Context, leaves []mcts.Leaf, out []mcts.Evaluation) error {
	for i := range leaves {
		leaves[i].Seat = 0 // the solver's, who is the only one
	}
	return mcts.SelfEvaluation{Model: e.Belief}.Evaluate(ctx, leaves, out)
}

// openCriticEvaluator opens critic(DIR,policy=AGENT,ends=game|critic).
func openCriticEvaluator(ctx context.Context, r *spec.Reader, env Environment) (_ opened, err error) {
	dir, priors, ends := r.String("dir", ""), r.String("policy", ""), r.Choice("ends", "game", "game", "critic")
	switch err := r.Err(); {
	case err != nil:
		return opened{}, misnamed("mcts: eval=%w", err)
	case dir == "":
		return opened{}, misnamed("mcts: eval=critic: expected the folder of a run of SPC, such as critic(runs/spc_countdown)")
	}
	critic, err := OpenStepCritic(dir, env)
	if err != nil {
		return opened{}, fmt.Errorf("mcts: eval=critic: %w", err)
	}
	prior, err := openPriors(ctx, priors, env)
	if err != nil {
		return opened{}, errors.Join(err, critic.Close())
	}
	return opened{
		make: func() mcts.Evaluator {
			e := CriticEvaluator{Belief: NewBelief(critic)}
			if prior != nil {
				e.Priors = prior.Policy()
			}
			if ends == "critic" {
				return CriticOfEnds{e}
			}
			return e
		},
		close: func() error {
			if prior == nil {
				return critic.Close()
			}
			return errors.Join(critic.Close(), prior.Close())
		},
	}, nil
}

// queryable is an agent whose probabilities can be asked for.
type queryable interface {
	play.Agent
	Queryable
}

// openPriors opens an agent that gives priors; nil for none.
func openPriors(ctx context.Context, text string, env Environment) (queryable, error) {
	if text == "" {
		return nil, nil
	}
	agent, err := Open(ctx, text, env)
	if err != nil {
		return nil, fmt.Errorf("mcts: eval=critic: policy: %w", err)
	}
	q, ok := agent.(queryable)
	if !ok {
		return nil, errors.Join(misnamed("mcts: eval=critic: policy=%s: expected an agent whose probabilities can be asked for", text), agent.Close())
	}
	return q, nil
}

// openCheckpoint finds the checkpoint that DIR or DIR@STEP names.
func openCheckpoint(where string, env Environment) (*run.Checkpoint, error) {
	dir, step, err := splitRun(where)
	if err != nil {
		return nil, err
	}
	folder, err := run.Open(dir)
	if err != nil {
		return nil, err
	}
	return checkpointOf(folder, step, env.Warn)
}

// Proposer has an agent propose the steps of a search: K decisions at a state, each
// step with the share of them that it got, for its prior.
type Proposer struct{ Agent play.Agent }

var _ mcts.Proposer = Proposer{}

// Propose implements mcts.Proposer.
func (p Proposer) Propose(ctx context.Context, states []games.State, k int, rands []*rand.Rand) ([][]mcts.Proposal, error) {
	requests, decisions := make([]play.Request, 0, k*len(states)), make([]play.Decision, k*len(states))
	for i, s := range states {
		for range k {
			requests = append(requests, play.Request{State: s, Rand: rands[i]})
		}
	}
	if err := p.Agent.Act(ctx, requests, decisions); err != nil {
		return nil, err
	}
	out := make([][]mcts.Proposal, len(states))
	for i := range states {
		counts := map[games.Action]int{}
		some := decisions[i*k : (i+1)*k]
		for _, d := range some {
			counts[d.Action]++
		}
		for _, d := range some {
			out[i] = append(out[i], mcts.Proposal{Action: d.Action, LogProb: math.Log(float64(counts[d.Action]) / float64(k))})
		}
	}
	return out, nil
}
