package policy

import (
	"fmt"
	"math/bits"
	"math/rand/v2"
	"slices"

	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // graph code reads as formulas

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/policy/backend"
)

const indexType = dtypes.Int32

// Model is an architecture compiled for a game and a device. Its weights come
// with each call, so that the current network, its magnet and past checkpoints
// share one compiled graph, and training never touches weights that an actor
// is using.
type Model struct {
	Info    games.Info
	Arch    Arch
	Encoder Encoder

	device  backend.Backend
	params  []Param
	forward *backend.Program
	average *backend.Program
}

// NewModel prepares an architecture on a device; nil is the pure Go backend. Graphs
// are compiled at the first call for each batch size.
func NewModel(device backend.Backend, info games.Info, arch Arch, encoder Encoder) (*Model, error) {
	if err := arch.Validate(info); err != nil {
		return nil, err
	}
	if device == nil {
		var err error
		if device, _, err = backend.Open(backend.Go); err != nil {
			return nil, err
		}
	}
	m := &Model{Info: info, Arch: arch, Encoder: encoder, device: device}
	m.params = arch.Params(encoder.Shape(), info.Actions)
	var err error
	m.forward, err = backend.NewProgram(device, arch.Kind+" network", func(in []*Node) []*Node {
		n := len(m.params)
		logits, values := arch.Forward(Compute(in[:n]), encoder.Shape(), in[n])
		return []*Node{logits, values}
	})
	if err != nil {
		return nil, err
	}
	m.average, err = backend.NewProgram(device, "average", m.averageGraph)
	return m, err
}

// Compute converts tensors as they are stored to float32.
func Compute(params []*Node) []*Node {
	out := make([]*Node, len(params))
	for i, p := range params {
		out[i] = ConvertDType(p, dtypes.Float32)
	}
	return out
}

// Params lists the network's tensors in the order in which graphs take them.
func (m *Model) Params() []Param { return m.params }

// Device is where the model computes.
func (m *Model) Device() backend.Backend { return m.device }

// Draw draws the weights that training starts from.
func (m *Model) Draw(r *rand.Rand) (*Weights, error) { return DrawWeights(m.device, m.params, r) }

// Average is share·a + (1−share)·b.
func (m *Model) Average(a, b *Weights, share float64) (*Weights, error) {
	s, err := backend.Upload(m.device, []float32{float32(share)})
	if err != nil {
		return nil, err
	}
	defer s.Free() //nolint:errcheck // frees memory; nothing depends on it
	in := append([]*backend.Tensor{s}, a.Tensors...)
	out, err := m.average.Run(append(in, b.Tensors...), 0)
	if err != nil {
		return nil, err
	}
	return NewWeights(m.params, out), nil
}

func (m *Model) averageGraph(in []*Node) []*Node {
	n := len(m.params)
	share, a, b := in[0], in[1:1+n], in[1+n:]
	out := make([]*Node, n)
	for i := range out {
		x, y := ConvertDType(a[i], dtypes.Float32), ConvertDType(b[i], dtypes.Float32)
		out[i] = ConvertDType(Add(Mul(x, share), Mul(y, OneMinus(share))), m.params[i].Stored())
	}
	return out
}

// maxRows bounds a batch.
const maxRows = 1 << 20

// Padded returns the batch size, a power of two from 8 on, that n rows are
// padded to. A run meets few of them, so that soon nothing compiles any more.
func Padded(n int) (int, error) {
	if n > maxRows {
		return 0, fmt.Errorf("a batch of %d rows is larger than the largest, %d: use fewer games an update, more minibatches or optimizer.accumulate", n, maxRows)
	}
	if n <= 1 {
		return 1, nil
	}
	return max(8, 1<<bits.Len(uint(n-1))), nil
}

// Pack packs turns, each of one pick whose Allowed are given, into
//
//	states [rows, width]     distinct encoded states
//	mask   [rows, actions]   1 where the action is legal
//	row    [turns, 1]        each turn's row
//	action [turns]           what was picked
//	real   [turns]           1, and 0 for padding
//	target [turns, actions]  the distribution to learn, where turns have one
func (m *Model) Pack(turns []Turn) (c Columns, err error) {
	if len(turns) == 0 {
		return c, fmt.Errorf("a batch without turns")
	}
	c.Turns, c.Picks = len(turns), len(turns)
	if c.PaddedTurns, err = Padded(len(turns)); err != nil {
		return c, err
	}
	c.PaddedPicks = c.PaddedTurns
	width, actions := m.Encoder.Size(), m.Info.Actions
	set := newRowSet(width, min(len(turns), 4096))
	row, action := make([]int32, c.PaddedTurns), make([]int32, c.PaddedTurns)
	var allowed [][]games.Action // by row
	for i, t := range turns {
		encoded, err := m.read(t.Step)
		if err != nil {
			return c, fmt.Errorf("turn %d: %w", i+1, err)
		}
		row[i], action[i] = set.add(encoded), int32(t.Picks[0].Token)
		if int(row[i]) == len(allowed) {
			allowed = append(allowed, t.Picks[0].Allowed)
		}
	}
	for i := len(turns); i < len(action); i++ { // any legal action of row 0 keeps the logarithm finite
		action[i] = int32(allowed[0][0])
	}
	c.Rows = set.len()
	rows, err := Padded(c.Rows)
	if err != nil {
		return c, err
	}
	states, mask := make([]float32, rows*width), make([]float32, rows*actions)
	copy(states, set.rows)
	for r := range rows {
		if r >= len(allowed) { // padding: any legal action keeps the softmax finite
			mask[r*actions] = 1
			continue
		}
		for _, a := range allowed[r] {
			mask[r*actions+int(a)] = 1
		}
	}
	c.Floats("states", states, rows, width)
	c.Floats("mask", mask, rows, actions)
	c.Ints("row", row, c.PaddedTurns, 1)
	c.Ints("action", action, c.PaddedTurns)
	c.ByTurn("real", turns, func(*Turn) float32 { return 1 })
	if slices.ContainsFunc(turns, func(t Turn) bool { return t.Target != nil }) {
		target := make([]float32, c.PaddedTurns*actions)
		for i, t := range turns {
			if len(t.Target) != len(t.Picks[0].Allowed) {
				return c, fmt.Errorf("turn %d: a target of %d probabilities: expected one for each of %d actions", i+1, len(t.Target), len(t.Picks[0].Allowed))
			}
			for j, a := range t.Picks[0].Allowed {
				target[i*actions+int(a)] = t.Target[j]
			}
		}
		c.Floats("target", target, c.PaddedTurns, actions)
	}
	return c, nil
}

// read returns what a step saw, if it is one of this network's: a state and one pick.
func (m *Model) read(s *Step) (Encoded, error) {
	encoded, ok := s.Input.(Encoded)
	if width := m.Encoder.Size(); !ok || len(encoded) != width || len(s.Picks) != 1 {
		return nil, fmt.Errorf("an input of type %T, of %d numbers, with %d picks: expected a state of %d numbers and one pick", s.Input, len(encoded), len(s.Picks), width)
	}
	p := s.Picks[0]
	if !slices.Contains(p.Allowed, p.Token) || slices.Min(p.Allowed) < 0 || int(slices.Max(p.Allowed)) >= m.Info.Actions {
		return nil, fmt.Errorf("a pick of %d among %v: expected one of the legal actions, of %d in all", p.Token, p.Allowed, m.Info.Actions)
	}
	return encoded, nil
}

// Forward evaluates the columns of Pack by the weights params and, for KL and
// Reference, by those of a reference; nil is the uniform policy.
func (m *Model) Forward(params, reference []*Node, c ColumnNodes) Outputs {
	mask, row := c["mask"], c["row"]
	spread := func(byRow *Node) *Node { return Gather(byRow, row) } // to turns
	over := func(x *Node) *Node { return ReduceSum(x, -1) }         // over actions
	logProbs, values := m.logProbs(params, c)
	chosen := OneHot(c["action"], m.Info.Actions, logProbs.DType())
	picked := func(logProbs *Node) *Node { return over(Mul(spread(logProbs), chosen)) }

	probs, legal := Mul(Exp(logProbs), mask), Mul(logProbs, mask)
	entropy := Neg(over(Mul(probs, legal)))
	out := Outputs{
		LogProb: picked(logProbs), Entropy: spread(entropy), Value: spread(values),
		Picks: c["real"], Turns: c["real"],
	}
	if reference == nil {
		out.KL = spread(Sub(Log(over(mask)), entropy)) // KL(π ‖ uniform) = log n − H(π)
	} else {
		other, _ := m.logProbs(reference, c)
		other = StopGradient(other)
		out.KL = spread(over(Mul(probs, Sub(legal, Mul(other, mask)))))
		out.Reference = picked(other)
	}
	if target, ok := c["target"]; ok {
		out.CrossEntropy = Neg(over(Mul(target, spread(legal))))
		// 0·log 0 = 0: log of the target where it is 0 is multiplied by 0.
		out.TargetEntropy = Neg(over(Mul(target, Log(MaxScalar(target, 1e-30)))))
	}
	return out
}

// logProbs returns the log-probabilities [rows, actions] and values [rows] of the
// batch's distinct states. Illegal actions hold a large negative number.
func (m *Model) logProbs(params []*Node, c ColumnNodes) (logProbs, values *Node) {
	logits, values := m.Arch.Forward(params, m.Encoder.Shape(), c["states"])
	// An illegal action's logit drops by 1e9, so its probability is exactly 0.
	masked := Add(Mul(logits, c["mask"]), MulScalar(AddScalar(c["mask"], -1), 1e9))
	return LogSoftmax(masked), values
}
