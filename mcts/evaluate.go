package mcts

import (
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/play"
	"github.com/agon-rl/agon/policy"
)

// Leaf is a state to judge. Somebody is to move there, but for EvaluateEnds.
type Leaf struct {
	State  games.State // for the evaluator to play on with, if it likes
	Seat   games.Seat  // who is to move
	Info   *games.Info
	Random *rand.Rand
	// Open tells whether the tree is about to look at the leaf's actions. It is
	// false where a leaf is judged before that, see Proposing.Late.
	Open bool

	bounds *valueRange
}

// Evaluation is what is thought of a leaf.
type Evaluation struct {
	// Values are what each seat may expect, in [-1, 1]; the slice given has
	// room and is to be appended to.
	Values []float64
	// Priors are the policy's probabilities, parallel to the state's actions;
	// nil stands for uniform ones.
	Priors []float64
	// Proposals, if there are some, are all the actions that the tree looks at
	// here, in the place of the state's list. Texts among them were made actions
	// of the leaf's own state.
	Proposals []Proposal
}

// Evaluator judges leaves, in one call as many as there are. It belongs to one
// search.
type Evaluator interface {
	Evaluate(ctx context.Context, leaves []Leaf, out []Evaluation) error
}

// EndEvaluator is an evaluator that judges the ends of games too, in the place of
// what the games return: of one who searches without a verifier.
type EndEvaluator interface {
	Evaluator
	// EvaluateEnds is Evaluate where nobody is to move; no actions are wanted.
	EvaluateEnds(ctx context.Context, leaves []Leaf, out []Evaluation) error
}

// judgeOfEnds is the evaluator that judges ends, if there is one.
func judgeOfEnds(e Evaluator) EndEvaluator {
	if p, ok := e.(Proposing); ok {
		e = p.Evaluator
	}
	ends, _ := e.(EndEvaluator)
	return ends
}

// Rollout judges a state by playing Count random games from it.
type Rollout struct {
	Count   int
	playout play.Playout
}

// Evaluate implements Evaluator.
func (r *Rollout) Evaluate(_ context.Context, leaves []Leaf, out []Evaluation) error {
	for i, leaf := range leaves {
		values := out[i].Values
		for k := range max(1, r.Count) {
			var returns []float64
			var err error
			if k+1 < r.Count {
				returns, err = r.playout.From(leaf.State, leaf.Random)
			} else {
				returns, err = r.playout.Finish(leaf.State, leaf.Random)
			}
			if err != nil {
				return err
			}
			if k == 0 {
				values = append(values, returns...)
				continue
			}
			for seat, x := range returns {
				values[seat] += x
			}
		}
		for seat := range values {
			values[seat] = leaf.bounds.normal(values[seat] / float64(max(1, r.Count)))
		}
		out[i].Values = values
	}
	return nil
}

// PolicyValue is a policy that also says what a state is worth; a network with two heads
// is one.
type PolicyValue interface {
	// Judge overwrites priors[i] with the probabilities of the actions of
	// states[i], and values[i] with the return that the seat to move expects.
	Judge(ctx context.Context, states []games.State, priors [][]float64, values []float64) error
}

// Network judges states by a policy that values them.
type Network struct{ PolicyValue PolicyValue }

// Evaluate implements Evaluator. Of more than two seats, all but the one to
// move are thought to share the rest.
func (n Network) Evaluate(ctx context.Context, leaves []Leaf, out []Evaluation) error {
	states, priors := make([]games.State, len(leaves)), make([][]float64, len(leaves))
	values := make([]float64, len(leaves))
	var actions []games.Action
	for i, leaf := range leaves {
		actions = leaf.State.Actions(actions[:0])
		states[i], priors[i] = leaf.State, make([]float64, len(actions))
	}
	if err := n.PolicyValue.Judge(ctx, states, priors, values); err != nil {
		return err
	}
	for i, leaf := range leaves {
		out[i].Priors = priors[i]
		out[i].Values = share(out[i].Values, leaf, leaf.bounds.normal(values[i]))
	}
	return nil
}

// share appends the values of all seats, given that of the seat to move.
func share(dst []float64, leaf Leaf, value float64) []float64 {
	for seat := range games.Seat(leaf.Info.Seats) {
		if seat == leaf.Seat {
			dst = append(dst, value)
		} else {
			dst = append(dst, min(1, max(-1, (leaf.bounds.sum-value)/float64(leaf.Info.Seats-1))))
		}
	}
	return dst
}

// Playout judges a state by playing it to the end with a policy, all leaves side
// by side, and gives the policy's probabilities as priors.
type Playout struct{ PolicyValue PolicyValue }

// Evaluate implements Evaluator.
func (p Playout) Evaluate(ctx context.Context, leaves []Leaf, out []Evaluation) error {
	states, live := make([]games.State, len(leaves)), make([]int, len(leaves))
	for i, leaf := range leaves {
		states[i], live[i] = leaf.State, i
	}
	var actions []games.Action
	for first := true; len(live) > 0; first = false {
		asked, priors, values := make([]games.State, len(live)), make([][]float64, len(live)), make([]float64, len(live))
		for k, i := range live {
			actions = states[i].Actions(actions[:0])
			asked[k], priors[k] = states[i], make([]float64, len(actions))
		}
		if err := p.PolicyValue.Judge(ctx, asked, priors, values); err != nil {
			return err
		}
		still := live[:0]
		for k, i := range live {
			s, r := states[i], leaves[i].Random
			if first {
				out[i].Priors = priors[k]
				states[i] = s.Clone() // the leaf's own is still to be expanded
				s = states[i]
			}
			actions = s.Actions(actions[:0])
			if err := s.Apply(actions[policy.Sample(priors[k], r)]); err != nil {
				return err
			}
			for s.Turn() == games.Chance {
				a, err := games.Draw(s, r)
				if err != nil {
					return err
				}
				if err := s.Apply(a); err != nil {
					return err
				}
			}
			if s.Turn() != games.Over {
				still = append(still, i)
				continue
			}
			for _, x := range s.Returns(nil) {
				out[i].Values = append(out[i].Values, leaves[i].bounds.normal(x))
			}
		}
		live = still
	}
	return nil
}

// Exact judges states by a function that knows what they are worth: a solver,
// or the truth of a chain of reasoning.
type Exact struct {
	// Value is the return of the seat to move under best play.
	Value func(ctx context.Context, s games.State) (float64, error)
}

// Evaluate implements Evaluator.
func (e Exact) Evaluate(ctx context.Context, leaves []Leaf, out []Evaluation) error {
	for i, leaf := range leaves {
		value, err := e.Value(ctx, leaf.State)
		if err != nil {
			return err
		}
		out[i].Values = share(out[i].Values, leaf, leaf.bounds.normal(value))
	}
	return nil
}

// Confidence is a model that can be asked how likely it is that the steps up
// to a state are right, as a language model judges its own work.
type Confidence interface {
	// Confidence overwrites out[i] with a probability for states[i].
	Confidence(ctx context.Context, states []games.State, out []float64) error
}

// SelfEvaluation judges a state by what a model thinks of its own way there:
// a confidence of 0 is worth -1, one of 1 is worth 1 to the seat to move.
type SelfEvaluation struct{ Model Confidence }

// Evaluate implements Evaluator.
func (e SelfEvaluation) Evaluate(ctx context.Context, leaves []Leaf, out []Evaluation) error {
	states, confidence := make([]games.State, len(leaves)), make([]float64, len(leaves))
	for i, leaf := range leaves {
		states[i] = leaf.State
	}
	if err := e.Model.Confidence(ctx, states, confidence); err != nil {
		return err
	}
	for i, leaf := range leaves {
		out[i].Values = share(out[i].Values, leaf, 2*confidence[i]-1)
	}
	return nil
}

// Part is an evaluator of a mix and how much it counts.
type Part struct {
	Evaluator Evaluator
	Weight    float64
}

// Mix judges by the weighted mean of several evaluators; priors are those of
// the first that has some. An evaluator that plays on with a state gets a copy.
type Mix []Part

// Evaluate implements Evaluator.
func (m Mix) Evaluate(ctx context.Context, leaves []Leaf, out []Evaluation) error {
	total := 0.0
	for _, part := range m {
		total += part.Weight
	}
	if !(total > 0) {
		return fmt.Errorf("a mix of evaluators with weights that sum to %g: expected more than 0", total)
	}
	for i, leaf := range leaves {
		for range leaf.Info.Seats {
			out[i].Values = append(out[i].Values, 0)
		}
	}
	copies, parts := make([]Leaf, len(leaves)), make([]Evaluation, len(leaves))
	for _, part := range m {
		for i, leaf := range leaves {
			copies[i], parts[i] = leaf, Evaluation{}
			copies[i].State = leaf.State.Clone()
		}
		if err := part.Evaluator.Evaluate(ctx, copies, parts); err != nil {
			return err
		}
		for i := range parts {
			for seat, v := range parts[i].Values {
				out[i].Values[seat] += part.Weight / total * v
			}
			if out[i].Priors == nil {
				out[i].Priors = parts[i].Priors
			}
		}
	}
	return nil
}
