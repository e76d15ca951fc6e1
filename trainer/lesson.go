package trainer

import (
	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // graph code reads as formulas

	"github.com/agon-rl/agon/objective"
	"github.com/agon-rl/agon/policy"
)

// Lesson is a kind of batch that an updater learns from, with its loss. An
// update may hold several lessons, one after the other: turns with their
// advantages, a search's targets, step preferences.
type Lesson struct {
	Name  string
	Stats []string // names of what an update's step returns, before the gradient's norm

	tensors  int // of a batch
	validate func() error
	loss     func(u *Updater, n nodes) (loss *Node, stats []*Node)
}

// Turns is the lesson of policy.NewBatch: policy gradient.
func Turns(o objective.PolicyGradient) Lesson {
	return Lesson{
		Name: "turns", Stats: objective.StatNames, tensors: policy.TurnTensors, validate: o.Validate,
		loss: func(u *Updater, n nodes) (*Node, []*Node) {
			mask, row, action := n.batch[1], n.batch[2], n.batch[3]
			spread := func(x *Node) *Node { return Gather(x, row) }
			lp, values := u.evaluate(n.params, n)
			turns := objective.Turns{
				LogProbs: spread(lp), Mask: spread(mask),
				Chosen:    OneHot(action, u.model.Info.Actions, lp.DType()),
				Behaviour: n.batch[4], Advantage: n.batch[5], Return: n.batch[6], Weight: n.batch[7],
				Values:        spread(values),
				EntropyWeight: n.knob(1), MagnetWeight: n.knob(2), ValueWeight: n.knob(3),
			}
			if n.magnet != nil {
				target, _ := u.evaluate(n.magnet, n)
				turns.Magnet = StopGradient(spread(target))
			}
			return o.Loss(turns)
		},
	}
}

// Targets is the lesson of policy.NewTargetBatch: expert iteration.
func Targets() Lesson {
	return Lesson{
		Name: "targets", Stats: objective.VisitStats, tensors: policy.TargetTensors, validate: func() error { return nil },
		loss: func(u *Updater, n nodes) (*Node, []*Node) {
			spread := func(x *Node) *Node { return Gather(x, n.batch[2]) }
			lp, values := u.evaluate(n.params, n)
			return objective.Visits{}.Loss(objective.Targets{
				LogProbs: spread(lp), Mask: spread(n.batch[1]), Values: spread(values),
				Target: n.batch[3], Return: n.batch[4], Weight: n.batch[5],
				EntropyWeight: n.knob(1), ValueWeight: n.knob(3),
			})
		},
	}
}

// evaluate returns the log-probabilities [rows, actions] and values [rows] of
// the batch's distinct states.
func (u *Updater) evaluate(params []*Node, n nodes) (logProbs, values *Node) {
	states, mask := n.batch[0], n.batch[1]
	logits, values := u.model.Arch.Forward(params, u.model.Encoder.Shape(), states)
	// An illegal action's logit drops by 1e9, so its probability is exactly 0.
	masked := Add(Mul(logits, mask), MulScalar(AddScalar(mask, -1), 1e9))
	return LogSoftmax(masked), values
}
