package spc

import (
	"context"
	"errors"
	"fmt"

	"github.com/agon-rl/agon/agents"
	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/internal/spec"
	"github.com/agon-rl/agon/mcts"
	"github.com/agon-rl/agon/play"
	"github.com/agon-rl/agon/policy"
)

func init() {
	agents.Evaluators.Add(spec.Entry[agents.EvaluatorKind]{
		Name: "critic", Usage: "critic(DIR[@STEP],policy=AGENT)",
		Help:  "a run's critic, for problems solved line by line, with an agent's probabilities as priors; also\nends=critic (it judges whole solutions too, in the place of the game)",
		Value: openCriticEvaluator,
	})
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
func openCriticEvaluator(ctx context.Context, r *spec.Reader, env agents.Environment) (agents.Evaluating, error) {
	dir, priors, ends := r.String("dir", ""), r.String("policy", ""), r.Choice("ends", "game", "game", "critic")
	if err := r.Err(); err != nil {
		return agents.Evaluating{}, err
	}
	if dir == "" {
		return agents.Evaluating{}, agents.Misnamed("critic: expected the folder of a run of SPC, such as critic(runs/spc_countdown)")
	}
	critic, err := OpenStepCritic(dir, env)
	if err != nil {
		return agents.Evaluating{}, fmt.Errorf("critic: %w", err)
	}
	prior, err := openPriors(ctx, priors, env)
	if err != nil {
		return agents.Evaluating{}, errors.Join(err, critic.Close())
	}
	return agents.Evaluating{
		New: func() mcts.Evaluator {
			e := CriticEvaluator{Belief: NewBelief(critic)}
			if prior != nil {
				e.Priors = prior.Policy()
			}
			if ends == "critic" {
				return CriticOfEnds{e}
			}
			return e
		},
		Close: func() error {
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
	agents.Queryable
}

// openPriors opens an agent that gives priors; nil for none.
func openPriors(ctx context.Context, text string, env agents.Environment) (queryable, error) {
	if text == "" {
		return nil, nil
	}
	agent, err := agents.Open(ctx, text, env)
	if err != nil {
		return nil, fmt.Errorf("critic: policy: %w", err)
	}
	q, ok := agent.(queryable)
	if !ok {
		return nil, errors.Join(agents.Misnamed("critic: policy=%s: expected an agent whose probabilities can be asked for", text), agent.Close())
	}
	return q, nil
}
