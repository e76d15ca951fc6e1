package policy

import (
	"fmt"
	"math"
	"slices"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/agon-rl/agon/games"
)

// TrajectoryTensors is how many tensors a batch of trajectories has.
const TrajectoryTensors = 6

// NewTrajectoryBatch packs the steps of trajectories for a model. After the states
// come
//
//	Row     [steps, 1]
//	Action  [steps]
//	Real    [steps]  1, and 0 for padding
//	Slope   [steps]  dL/d log π of the step, which Slopes sets; at first 0
func NewTrajectoryBatch(m *Model, steps []*Step) (*Batch, error) {
	p, err := pack(m, len(steps), func(i int) ([]float32, []games.Action) { return steps[i].Encoded, steps[i].Legal })
	if err != nil {
		return nil, err
	}
	padded := len(p.row)
	action, real := slices.Repeat([]int32{int32(p.first)}, padded), make([]float32, padded)
	for i, s := range steps {
		action[i], real[i] = int32(s.Chosen), 1
	}
	return p.batch(m, len(steps), [][]int32{action}, real, make([]float32, padded))
}

// Slopes sets the slopes of a batch of trajectories, one for each step.
func (b *Batch) Slopes(slopes []float32) error {
	if len(slopes) != b.Turns || len(b.tensors) != TrajectoryTensors {
		return fmt.Errorf("%d slopes for a batch of %d steps", len(slopes), b.Turns)
	}
	last := len(b.tensors) - 1
	padded := b.tensors[last].Shape().Size()
	if err := b.tensors[last].FinalizeAll(); err != nil {
		return fmt.Errorf("freeing a batch's slopes: %w", err)
	}
	full := make([]float32, padded)
	copy(full, slopes)
	return catch(func() { b.tensors[last] = tensors.FromFlatDataAndDimensions(full, padded) })
}

// LogProbs overwrites the log-probabilities of steps by this network's.
func (n *Network) LogProbs(steps []*Step) error {
	values, err := n.Evaluate(steps)
	for i, x := range values {
		steps[i].LogProb = float32(x)
	}
	return err
}

// Evaluate returns this network's log-probabilities of steps.
func (n *Network) Evaluate(steps []*Step) ([]float64, error) {
	const most = 4096 // in one call
	width, actions := n.Model.Encoder.Size(), n.Model.Info.Actions
	var out []float64
	for ; len(steps) > 0; steps = steps[min(most, len(steps)):] {
		some := steps[:min(most, len(steps))]
		e := &evaluation{legal: make([][]games.Action, len(some)), row: make([]int32, len(some)), actions: actions}
		distinct := newRowSet(width, len(some))
		for i, s := range some {
			e.legal[i], e.row[i] = s.Legal, distinct.add(s.Encoded)
		}
		var err error
		if e.logits, e.values, err = n.Forward(distinct.rows, distinct.len()); err != nil {
			return nil, err
		}
		probs := make([]float64, actions)
		for i, s := range some {
			if err := e.probabilities(i, probs[:len(s.Legal)]); err != nil {
				return nil, err
			}
			out = append(out, math.Log(max(probs[slices.Index(s.Legal, s.Chosen)], math.SmallestNonzeroFloat64)))
		}
	}
	return out, nil
}
