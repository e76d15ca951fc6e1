package policy

import (
	"fmt"
	"slices"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/agon-rl/agon/games"
)

// Turn is one turn with what an estimator made of it.
type Turn struct {
	Step      *Step
	Advantage float32
	Return    float32 // the value head's target
}

// Batch holds what an update learns from in the form that its graph takes.
// Entries refer to distinct states by row, so that the network evaluates each
// state once. All batches begin with
//
//	States     [rows, width]    encoded states
//	Mask       [rows, actions]  1 where the action is legal
//
// and go on with what their constructor says. Rows and entries are padded to
// compiled sizes.
type Batch struct {
	Turns int // without padding
	Rows  int // without padding

	tensors []*tensors.Tensor
}

// packed is a batch's distinct states, with each entry's row.
type packed struct {
	states, mask []float32
	row          []int32 // by entry, padded
	rows         int     // padded
	distinct     int
	first        games.Action // a legal action of the first row
}

// pack finds the distinct ones among encoded states.
func pack(m *Model, count int, at func(i int) (encoded []float32, legal []games.Action)) (p packed, err error) {
	if count == 0 {
		return p, fmt.Errorf("a batch without turns")
	}
	width, actions := m.Encoder.Size(), m.Info.Actions
	set := newRowSet(width, min(count, 4096))
	padded, err := Padded(count)
	if err != nil {
		return p, err
	}
	p.row = make([]int32, padded)
	var legalOf [][]games.Action // by row
	for i := range count {
		encoded, legal := at(i)
		p.row[i] = set.add(encoded)
		if int(p.row[i]) == len(legalOf) {
			legalOf = append(legalOf, legal)
		}
	}
	p.distinct, p.first = set.len(), legalOf[0][0]
	if p.rows, err = Padded(p.distinct); err != nil {
		return p, err
	}
	p.states, p.mask = make([]float32, p.rows*width), make([]float32, p.rows*actions)
	copy(p.states, set.rows)
	for r := range p.rows {
		if r >= len(legalOf) { // padding: any legal action keeps the softmax finite
			p.mask[r*actions] = 1
			continue
		}
		for _, a := range legalOf[r] {
			p.mask[r*actions+int(a)] = 1
		}
	}
	return p, nil
}

// batch makes the tensors of packed states and of the columns given, each of
// one entry a turn or, where it is longer, of several.
func (p packed) batch(m *Model, count int, integers [][]int32, columns ...[]float32) (*Batch, error) {
	b := &Batch{Turns: count, Rows: p.distinct}
	padded := len(p.row)
	err := catch(func() {
		b.tensors = []*tensors.Tensor{
			tensors.FromFlatDataAndDimensions(p.states, p.rows, m.Encoder.Size()),
			tensors.FromFlatDataAndDimensions(p.mask, p.rows, m.Info.Actions),
			tensors.FromFlatDataAndDimensions(p.row, padded, 1),
		}
		for _, c := range integers {
			b.tensors = append(b.tensors, tensors.FromFlatDataAndDimensions(c, padded))
		}
		for _, c := range columns {
			if len(c) > padded {
				b.tensors = append(b.tensors, tensors.FromFlatDataAndDimensions(c, padded, len(c)/padded))
			} else {
				b.tensors = append(b.tensors, tensors.FromFlatDataAndDimensions(c, padded))
			}
		}
	})
	return b, err
}

// TurnTensors is how many tensors a batch of turns has.
const TurnTensors = 8

// NewBatch packs turns for a model. After the states come
//
//	Row        [turns, 1]       each turn's row
//	Action     [turns]
//	Behaviour  [turns]          log-probability when it was sampled
//	Advantage  [turns]
//	Return     [turns]
//	Weight     [turns]          1, and 0 for padding
func NewBatch(m *Model, turns []Turn) (*Batch, error) {
	p, err := pack(m, len(turns), func(i int) ([]float32, []games.Action) { return turns[i].Step.Encoded, turns[i].Step.Legal })
	if err != nil {
		return nil, err
	}
	padded := len(p.row)
	action := slices.Repeat([]int32{int32(p.first)}, padded)
	columns := make([][]float32, 4)
	for c := range columns {
		columns[c] = make([]float32, padded)
	}
	for i, t := range turns {
		action[i] = int32(t.Step.Chosen)
		columns[0][i], columns[1][i], columns[2][i], columns[3][i] = t.Step.LogProb, t.Advantage, t.Return, 1
	}
	return p.batch(m, len(turns), [][]int32{action}, columns...)
}

// Target is what a search made of a state: what expert iteration learns from.
type Target struct {
	Encoded []float32      // the state as the network saw it
	Legal   []games.Action // the legal actions, in the game's order
	Probs   []float32      // the search's distribution, parallel to Legal
	Return  float32        // what the seat that moved got in the end
}

// TargetTensors is how many tensors a batch of targets has.
const TargetTensors = 6

// NewTargetBatch packs targets for a model. After the states come
//
//	Row     [turns, 1]        each turn's row
//	Target  [turns, actions]  the search's distribution
//	Return  [turns]
//	Weight  [turns]           1, and 0 for padding
func NewTargetBatch(m *Model, targets []Target) (*Batch, error) {
	p, err := pack(m, len(targets), func(i int) ([]float32, []games.Action) { return targets[i].Encoded, targets[i].Legal })
	if err != nil {
		return nil, err
	}
	padded, actions := len(p.row), m.Info.Actions
	target, returns, weight := make([]float32, padded*actions), make([]float32, padded), make([]float32, padded)
	for i, t := range targets {
		for j, a := range t.Legal {
			target[i*actions+int(a)] = t.Probs[j]
		}
		returns[i], weight[i] = t.Return, 1
	}
	return p.batch(m, len(targets), nil, target, returns, weight)
}

// Preference is a step preference in the form that an update takes.
type Preference struct {
	Encoded []float32      // the state as the network saw it
	Legal   []games.Action // the legal actions, in the game's order

	Chosen, Rejected             games.Action
	ChosenLogProb                float32 // logged when the search was made: a reference that needs no network
	RejectedLogProb              float32
	ChosenQ, RejectedQ           float32 // in [-1, 1]
	ChosenVisits, RejectedVisits float32
	Doubt                        float32 // how probable it is that the label is wrong; 0 where nobody asked
}

// PreferenceTensors is how many tensors a batch of preferences has.
const PreferenceTensors = 13

// NewPreferenceBatch packs preferences for a model. After the states come
//
//	Row                                [pairs, 1]
//	Chosen, Rejected                   [pairs] actions
//	ChosenLogProb, RejectedLogProb     [pairs]
//	ChosenQ, RejectedQ                 [pairs]
//	ChosenVisits, RejectedVisits       [pairs]
//	Doubt                              [pairs]
//	Weight                             [pairs] 1, and 0 for padding
func NewPreferenceBatch(m *Model, pairs []Preference) (*Batch, error) {
	p, err := pack(m, len(pairs), func(i int) ([]float32, []games.Action) { return pairs[i].Encoded, pairs[i].Legal })
	if err != nil {
		return nil, err
	}
	padded := len(p.row)
	actions := [][]int32{slices.Repeat([]int32{int32(p.first)}, padded), slices.Repeat([]int32{int32(p.first)}, padded)}
	columns := make([][]float32, 8)
	for c := range columns {
		columns[c] = make([]float32, padded)
	}
	for i, x := range pairs {
		actions[0][i], actions[1][i] = int32(x.Chosen), int32(x.Rejected)
		for c, v := range [...]float32{x.ChosenLogProb, x.RejectedLogProb, x.ChosenQ, x.RejectedQ, x.ChosenVisits, x.RejectedVisits, x.Doubt, 1} {
			columns[c][i] = v
		}
	}
	return p.batch(m, len(pairs), actions, columns...)
}

// Comparison is a preference between two whole games: the steps of one seat in
// each, with Chosen the action taken and LogProb what it was sampled with.
type Comparison struct{ Chosen, Rejected []*Step }

// ComparisonTensors is how many tensors a batch of comparisons has.
const ComparisonTensors = 8

// NewComparisonBatch packs comparisons for a model. After the states come
//
//	Row      [steps, 1]
//	Action   [steps]
//	Pair     [steps]  the number of the step's comparison
//	Logged   [steps]  log-probability when it was sampled
//	Side     [steps]  1 in a chosen game, -1 in a rejected one, 0 for padding
//	Weight   [steps]  by comparison: 1, and 0 for padding
func NewComparisonBatch(m *Model, comparisons []Comparison) (*Batch, error) {
	var steps []*Step
	var pair []int32
	var side []float32
	for i, c := range comparisons {
		for j, some := range [][]*Step{c.Chosen, c.Rejected} {
			for _, s := range some {
				steps, pair, side = append(steps, s), append(pair, int32(i)), append(side, float32(1-2*j))
			}
		}
	}
	p, err := pack(m, len(steps), func(i int) ([]float32, []games.Action) { return steps[i].Encoded, steps[i].Legal })
	if err != nil {
		return nil, err
	}
	padded := len(p.row)
	action, logged, weight := slices.Repeat([]int32{int32(p.first)}, padded), make([]float32, padded), make([]float32, padded)
	for i, s := range steps {
		action[i], logged[i] = int32(s.Chosen), s.LogProb
	}
	for i := range comparisons {
		weight[i] = 1
	}
	pair = append(pair, make([]int32, padded-len(pair))...)
	side = append(side, make([]float32, padded-len(side))...)
	return p.batch(m, len(comparisons), [][]int32{action, pair}, logged, side, weight)
}

// Listing is a state with what a search thinks of those of its actions that it
// tried.
type Listing struct {
	Encoded  []float32
	Legal    []games.Action
	Tried    []games.Action
	Values   []float32 // parallel to Tried
	LogProbs []float32 // parallel to Tried: logged when the search was made
}

// ListingTensors is how many tensors a batch of listings has.
const ListingTensors = 8

// NewListingBatch packs listings for a model. After the states come
//
//	Row        [lists, 1]
//	Value      [lists, actions]
//	Rank       [lists, actions]  by value, from 1
//	Tried      [lists, actions]  1 where tried
//	Reference  [lists, actions]  logged log-probabilities
//	Weight     [lists]           1, and 0 for padding
func NewListingBatch(m *Model, lists []Listing) (*Batch, error) {
	p, err := pack(m, len(lists), func(i int) ([]float32, []games.Action) { return lists[i].Encoded, lists[i].Legal })
	if err != nil {
		return nil, err
	}
	padded, actions := len(p.row), m.Info.Actions
	value, rank := make([]float32, padded*actions), slices.Repeat([]float32{1}, padded*actions)
	tried, reference := make([]float32, padded*actions), make([]float32, padded*actions)
	weight := make([]float32, padded)
	for i, l := range lists {
		weight[i] = 1
		for j, a := range l.Tried {
			at := i*actions + int(a)
			value[at], tried[at], reference[at] = l.Values[j], 1, l.LogProbs[j]
			for _, other := range l.Values {
				if other > l.Values[j] {
					rank[at]++
				}
			}
		}
	}
	return p.batch(m, len(lists), nil, value, rank, tried, reference, weight)
}

// Tensors returns the batch's tensors in the order that its constructor says.
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
