package agents

import (
	"context"
	"math"
	"math/rand/v2"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/mcts"
	"github.com/agon-rl/agon/play"
	"github.com/agon-rl/agon/policy"
)

// Queryable is implemented by agents whose probabilities can be asked for, so
// that they can be measured exactly.
type Queryable interface {
	Policy() policy.Policy
}

// Drawn returns the policy that each decision of an agent is drawn from by itself. A
// search has none: its policy is one of those that it might have found.
func Drawn(a play.Agent) (policy.Policy, bool) {
	switch a := a.(type) {
	case *Sampler:
		return a.Policy(), true
	case seated:
		return a.Policy(), true
	case Random:
		return a.Policy(), true
	}
	return nil, false
}

// Random plays every legal action with equal probability.
type Random struct{ *Sampler }

var _ play.Immediate = Random{}

// NewRandom returns the agent random.
func NewRandom() Random { return Random{NewSampler(policy.Uniform{}, false)} }

// Pick implements play.Immediate.
func (Random) Pick(_ games.State, legal []games.Action, r *rand.Rand) int { return r.IntN(len(legal)) }

// Sampler plays a policy: it draws each action with the policy's probability.
type Sampler struct {
	policy policy.Policy
	// greedy plays the most probable action instead, the first of equals.
	greedy bool
	close  func() error
}

var (
	_ play.Agent = (*Sampler)(nil)
	_ Queryable  = (*Sampler)(nil)
)

// NewSampler returns an agent that plays p; greedy has it always take the most
// probable action.
func NewSampler(p policy.Policy, greedy bool) *Sampler {
	return &Sampler{policy: p, greedy: greedy}
}

// Policy implements Queryable: what the agent plays, greed included.
func (s *Sampler) Policy() policy.Policy {
	if s.greedy {
		return greedy{s.policy}
	}
	return s.policy
}

// PolicyValue is the policy as a search's judge of leaves, if it also says what states
// are worth.
func (s *Sampler) PolicyValue() (mcts.PolicyValue, bool) {
	p, ok := s.policy.(mcts.PolicyValue)
	return p, ok
}

// Act implements play.Agent.
func (s *Sampler) Act(ctx context.Context, in []play.Request, out []play.Decision) error {
	states := make([]games.State, len(in))
	probs := make([][]float64, len(in))
	legal := make([][]games.Action, len(in))
	var actions []games.Action
	for i, request := range in {
		states[i] = request.State
		start := len(actions)
		actions = request.State.Actions(actions)
		legal[i] = actions[start:len(actions):len(actions)]
		probs[i] = make([]float64, len(legal[i]))
	}
	if err := s.Policy().Probabilities(ctx, states, probs); err != nil {
		return err
	}
	for i := range in {
		out[i].Action = legal[i][policy.Sample(probs[i], in[i].Rand)]
	}
	return nil
}

// Close implements play.Agent.
func (s *Sampler) Close() error {
	if s.close == nil {
		return nil
	}
	return s.close()
}

// greedy puts all probability on the most probable action.
type greedy struct{ policy.Policy }

func (g greedy) Probabilities(ctx context.Context, states []games.State, out [][]float64) error {
	if err := g.Policy.Probabilities(ctx, states, out); err != nil {
		return err
	}
	for _, probs := range out {
		best, highest := 0, math.Inf(-1)
		for i, p := range probs {
			if p > highest {
				best, highest = i, p
			}
			probs[i] = 0
		}
		probs[best] = 1
	}
	return nil
}

// Learner plays a network and records what its updater needs: it is the actor
// of self-play training.
type Learner struct{ Network *policy.Network }

var _ play.Agent = Learner{}

// Act implements play.Agent. Every decision's Record is a *policy.Step.
func (l Learner) Act(ctx context.Context, in []play.Request, out []play.Decision) error {
	states := make([]games.State, len(in))
	rands := make([]*rand.Rand, len(in))
	for i, request := range in {
		states[i], rands[i] = request.State, request.Rand
	}
	steps, err := l.Network.Act(ctx, states, rands)
	if err != nil {
		return err
	}
	for i, step := range steps {
		out[i] = play.Decision{Action: step.Action(), Record: step}
	}
	return nil
}

// Close implements play.Agent; the network belongs to the caller.
func (l Learner) Close() error { return nil }
