package policy

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"unsafe"

	"github.com/agon-rl/agon/games"
)

// Step is the behaviour record of one turn of a network: what its update needs
// to learn from the turn later.
type Step struct {
	Encoded []float32      // the state as the network saw it
	Legal   []games.Action // the legal actions, in the game's order
	Chosen  games.Action   // the action taken
	LogProb float32        // log-probability with which it was sampled
	Value   float32        // the network's value of the state for the seat to move
}

// rowSet numbers distinct encoded states. Small games meet the same states
// again and again, so a batch of thousands of turns is often a few rows.
type rowSet struct {
	width int
	index map[string]int32
	rows  []float32
}

func newRowSet(width, capacity int) *rowSet {
	return &rowSet{width: width, index: make(map[string]int32, capacity), rows: make([]float32, 0, capacity*width)}
}

func (s *rowSet) len() int { return len(s.index) }

// add returns the number of the row equal to x. The set keeps its own copy.
func (s *rowSet) add(x []float32) int32 {
	if row, ok := s.index[bytesOf(x)]; ok {
		return row
	}
	row := int32(len(s.index))
	s.rows = append(s.rows, x...)
	s.index[string([]byte(bytesOf(x)))] = row
	return row
}

// bytesOf views floats as a string without copying; it is used for look-ups
// only.
func bytesOf(x []float32) string {
	return unsafe.String((*byte)(unsafe.Pointer(unsafe.SliceData(x))), 4*len(x))
}

// evaluation is the network's answer for a batch of states.
type evaluation struct {
	encoded [][]float32 // by state
	legal   [][]games.Action
	row     []int32 // by state: its row in logits and values
	logits  []float32
	values  []float32
	actions int
}

// evaluate encodes states for the seats given and evaluates the distinct ones
// in one call.
func (n *Network) evaluate(ctx context.Context, states []games.State, seats []games.Seat) (*evaluation, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	width := n.Model.Encoder.Size()
	e := &evaluation{
		encoded: make([][]float32, len(states)), legal: make([][]games.Action, len(states)),
		row: make([]int32, len(states)), actions: n.Model.Info.Actions,
	}
	distinct := newRowSet(width, min(len(states), 1024))
	slab := make([]float32, len(states)*width)
	var actions []games.Action
	for i, s := range states {
		e.encoded[i] = slab[i*width : (i+1)*width : (i+1)*width]
		if err := n.Model.Encoder.Encode(s, seats[i], e.encoded[i]); err != nil {
			return nil, err
		}
		start := len(actions)
		actions = s.Actions(actions)
		e.legal[i] = actions[start:len(actions):len(actions)]
		e.row[i] = distinct.add(e.encoded[i])
	}
	var err error
	e.logits, e.values, err = n.Forward(distinct.rows, distinct.len())
	return e, err
}

// probabilities writes the softmax over the legal actions of state i.
func (e *evaluation) probabilities(i int, dst []float64) error {
	logits := e.logits[int(e.row[i])*e.actions:][:e.actions]
	highest := math.Inf(-1)
	for _, a := range e.legal[i] {
		highest = math.Max(highest, float64(logits[a]))
	}
	if math.IsNaN(highest) || math.IsInf(highest, 0) {
		return fmt.Errorf("the network's logits are not finite: its weights have diverged; lower the learning rate or clip gradients")
	}
	sum := 0.0
	for j, a := range e.legal[i] {
		dst[j] = math.Exp(float64(logits[a]) - highest)
		sum += dst[j]
	}
	for j := range e.legal[i] {
		dst[j] /= sum
	}
	return nil
}

// Probabilities implements Policy.
func (n *Network) Probabilities(ctx context.Context, states []games.State, out [][]float64) error {
	seats := make([]games.Seat, len(states))
	for i, s := range states {
		seats[i] = s.Turn()
	}
	e, err := n.evaluate(ctx, states, seats)
	if err != nil {
		return err
	}
	for i := range states {
		if err := e.probabilities(i, out[i]); err != nil {
			return err
		}
	}
	return nil
}

// Judge overwrites priors[i] with the action probabilities at states[i], as
// Probabilities does, and values[i] with the return that its seat expects.
func (n *Network) Judge(ctx context.Context, states []games.State, priors [][]float64, values []float64) error {
	seats := make([]games.Seat, len(states))
	for i, s := range states {
		seats[i] = s.Turn()
	}
	e, err := n.evaluate(ctx, states, seats)
	if err != nil {
		return err
	}
	for i := range states {
		if err := e.probabilities(i, priors[i]); err != nil {
			return err
		}
		values[i] = float64(e.values[e.row[i]])
	}
	return nil
}

// Act samples an action at every state for the seat to move, drawing for state
// i from rands[i], and returns the record of each.
func (n *Network) Act(ctx context.Context, states []games.State, rands []*rand.Rand) ([]*Step, error) {
	seats := make([]games.Seat, len(states))
	for i, s := range states {
		seats[i] = s.Turn()
	}
	e, err := n.evaluate(ctx, states, seats)
	if err != nil {
		return nil, err
	}
	steps := make([]Step, len(states))
	out := make([]*Step, len(states))
	probs := make([]float64, n.Model.Info.Actions)
	for i := range states {
		p := probs[:len(e.legal[i])]
		if err := e.probabilities(i, p); err != nil {
			return nil, err
		}
		j := Sample(p, rands[i])
		steps[i] = Step{
			Encoded: e.encoded[i], Legal: e.legal[i], Chosen: e.legal[i][j],
			LogProb: float32(math.Log(p[j])), Value: e.values[e.row[i]],
		}
		out[i] = &steps[i]
	}
	return out, nil
}

// Sample draws an index with the given probabilities.
func Sample(p []float64, r *rand.Rand) int {
	x := r.Float64()
	last := 0
	for i, q := range p {
		if q <= 0 {
			continue
		}
		last = i
		if x -= q; x < 0 {
			break
		}
	}
	return last
}

// StateValue implements rae.Valued.
func (s *Step) StateValue() float64 { return float64(s.Value) }
