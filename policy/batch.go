package policy

import (
	"fmt"

	"github.com/gomlx/gomlx/core/tensors"
)

// Turn is one turn with what an estimator made of it.
type Turn struct {
	Step      *Step
	Advantage float32
	Return    float32 // the value head's target
}

// Batch holds turns in the form that an update's graph takes. Turns refer to
// distinct states by row, so that the network evaluates each state once:
//
//	States     [rows, width]    encoded states
//	Mask       [rows, actions]  1 where the action is legal
//	Row        [turns, 1]       each turn's row
//	Action     [turns]
//	Behaviour  [turns]          log-probability when it was sampled
//	Advantage  [turns]
//	Return     [turns]
//	Weight     [turns]          1, and 0 for padding
//
// Rows and turns are padded to compiled sizes.
type Batch struct {
	Turns int // without padding
	Rows  int // without padding

	tensors []*tensors.Tensor
}

// NewBatch packs turns for a model.
func NewBatch(m *Model, turns []Turn) (*Batch, error) {
	if len(turns) == 0 {
		return nil, fmt.Errorf("a batch without turns")
	}
	width, actions := m.Encoder.Size(), m.Info.Actions
	distinct := newRowSet(width, min(len(turns), 4096))
	row := make([]int32, len(turns))
	var legalOf []int // row -> a turn that has it
	for i, t := range turns {
		row[i] = distinct.add(t.Step.Encoded)
		if int(row[i]) == len(legalOf) {
			legalOf = append(legalOf, i)
		}
	}
	rows, err := Padded(distinct.len())
	if err != nil {
		return nil, err
	}
	padded, err := Padded(len(turns))
	if err != nil {
		return nil, err
	}
	states := make([]float32, rows*width)
	copy(states, distinct.rows)
	mask := make([]float32, rows*actions)
	for r := range rows {
		if r >= len(legalOf) { // padding: any legal action keeps the softmax finite
			mask[r*actions] = 1
			continue
		}
		for _, a := range turns[legalOf[r]].Step.Legal {
			mask[r*actions+int(a)] = 1
		}
	}
	index, action := make([]int32, padded), make([]int32, padded)
	columns := make([][]float32, 4)
	for c := range columns {
		columns[c] = make([]float32, padded)
	}
	for i, t := range turns {
		index[i], action[i] = row[i], int32(t.Step.Chosen)
		columns[0][i], columns[1][i], columns[2][i], columns[3][i] = t.Step.LogProb, t.Advantage, t.Return, 1
	}
	for i := len(turns); i < padded; i++ {
		action[i] = int32(turns[legalOf[0]].Step.Legal[0])
	}
	b := &Batch{Turns: len(turns), Rows: distinct.len()}
	err = catch(func() {
		b.tensors = []*tensors.Tensor{
			tensors.FromFlatDataAndDimensions(states, rows, width),
			tensors.FromFlatDataAndDimensions(mask, rows, actions),
			tensors.FromFlatDataAndDimensions(index, padded, 1),
			tensors.FromFlatDataAndDimensions(action, padded),
		}
		for _, c := range columns {
			b.tensors = append(b.tensors, tensors.FromFlatDataAndDimensions(c, padded))
		}
	})
	return b, err
}

// BatchTensors is how many tensors a batch has.
const BatchTensors = 8

// Tensors returns the batch's tensors in the order of the fields documented at
// Batch.
func (b *Batch) Tensors() []*tensors.Tensor { return b.tensors }

// Close frees the batch.
func (b *Batch) Close() error {
	for _, t := range b.tensors {
		if err := t.FinalizeAll(); err != nil {
			return fmt.Errorf("freeing a batch: %w", err)
		}
	}
	return nil
}
