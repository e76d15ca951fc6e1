package policy

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/policy/backend"
)

// Network is a model with weights: a Policy.
type Network struct {
	Model   *Model
	Weights *Weights
}

// Network returns the model with the given weights, on which it takes a handle of its
// own. Release it with Close.
func (m *Model) Network(w *Weights) (*Network, error) {
	if err := w.Check(m.params); err != nil {
		return nil, err
	}
	return &Network{Model: m, Weights: w.Share()}, nil
}

// Close gives the handle on the weights back.
func (n *Network) Close() error { return n.Weights.Close() }

// Forward evaluates rows encoded states, x holding them one after the other,
// in one call. It returns logits [rows, actions], illegal actions included,
// and values [rows].
func (n *Network) Forward(x []float32, rows int) (logits, values []float32, err error) {
	m := n.Model
	width := m.Encoder.Size()
	padded, err := Padded(rows)
	if err != nil {
		return nil, nil, err
	}
	if padded > rows || len(x) != rows*width {
		full := make([]float32, padded*width)
		copy(full, x[:rows*width])
		x = full
	}
	states, err := backend.Upload(m.device, x, padded, width)
	if err != nil {
		return nil, nil, err
	}
	defer states.Free() //nolint:errcheck // frees memory; nothing depends on it
	out, err := m.forward.Run(append(slices.Clip(n.Weights.Tensors), states), 0)
	if err != nil {
		return nil, nil, fmt.Errorf("evaluating %d states: %w", rows, err)
	}
	defer backend.Free(out) //nolint:errcheck // frees memory; nothing depends on it
	if logits, err = out[0].Floats(); err != nil {
		return nil, nil, err
	}
	if values, err = out[1].Floats(); err != nil {
		return nil, nil, err
	}
	return logits[:rows*m.Info.Actions], values[:rows], nil
}

// evaluation is the network's answer for a batch of states.
type evaluation struct {
	encoded []Encoded // by state
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
		encoded: make([]Encoded, len(states)), legal: make([][]games.Action, len(states)),
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
	steps, picks := make([]Step, len(states)), make([]Pick, len(states))
	out := make([]*Step, len(states))
	probs := make([]float64, n.Model.Info.Actions)
	for i := range states {
		p := probs[:len(e.legal[i])]
		if err := e.probabilities(i, p); err != nil {
			return nil, err
		}
		j := Sample(p, rands[i])
		picks[i] = Pick{Token: e.legal[i][j], LogProb: float32(math.Log(p[j])), Allowed: e.legal[i]}
		steps[i] = Step{Input: e.encoded[i], Picks: picks[i : i+1 : i+1], Value: e.values[e.row[i]]}
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

// Observe is the record of an action, as if the network had taken it.
func (m *Model) Observe(s games.State, action games.Action) (*Step, error) {
	encoded := make(Encoded, m.Encoder.Size())
	if err := m.Encoder.Encode(s, s.Turn(), encoded); err != nil {
		return nil, err
	}
	return &Step{Input: encoded, Picks: []Pick{{Token: action, Allowed: s.Actions(nil)}}}, nil
}

// LogProbs returns this network's log-probabilities of what steps picked.
func (n *Network) LogProbs(steps []*Step) ([]float64, error) {
	const most = 4096 // in one call
	width, actions := n.Model.Encoder.Size(), n.Model.Info.Actions
	var out []float64
	for some := range slices.Chunk(steps, most) {
		e := &evaluation{legal: make([][]games.Action, len(some)), row: make([]int32, len(some)), actions: actions}
		distinct := newRowSet(width, len(some))
		for i, s := range some {
			encoded, err := n.Model.read(s)
			if err != nil {
				return nil, fmt.Errorf("step %d: %w", len(out)+i+1, err)
			}
			e.legal[i], e.row[i] = s.Picks[0].Allowed, distinct.add(encoded)
		}
		var err error
		if e.logits, e.values, err = n.Forward(distinct.rows, distinct.len()); err != nil {
			return nil, err
		}
		probs := make([]float64, actions)
		for i, s := range some {
			if err := e.probabilities(i, probs[:len(e.legal[i])]); err != nil {
				return nil, err
			}
			out = append(out, math.Log(max(probs[slices.Index(e.legal[i], s.Action())], math.SmallestNonzeroFloat64)))
		}
	}
	return out, nil
}
