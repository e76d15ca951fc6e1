package policy

import (
	"fmt"
	"math/bits"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // graph code reads as formulas
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/agon-rl/agon/games"
)

const indexType = dtypes.Int32

// Model is an architecture compiled for a game and a backend. Its weights come
// with each call, so that the current network, its magnet and past checkpoints
// share one compiled graph, and training never touches weights that an actor
// is using.
type Model struct {
	Info    games.Info
	Arch    Arch
	Encoder Encoder
	Params  []Param
	Backend compute.Backend

	forward *Exec
}

// NewModel prepares an architecture. Graphs are compiled at the first call for
// each batch size.
func NewModel(backend compute.Backend, info games.Info, arch Arch, encoder Encoder) (*Model, error) {
	if err := arch.Validate(info); err != nil {
		return nil, err
	}
	m := &Model{Info: info, Arch: arch, Encoder: encoder, Backend: backend}
	m.Params = arch.Params(encoder.Shape(), info.Actions)
	err := catch(func() {
		m.forward = MustNewExec(backend, func(in []*Node) []*Node {
			n := len(m.Params)
			logits, values := arch.Forward(in[:n], encoder.Shape(), in[n])
			return []*Node{logits, values}
		}).SetMaxCache(-1)
	})
	if err != nil {
		return nil, fmt.Errorf("preparing the %s network: %w", arch.Kind, err)
	}
	return m, nil
}

// maxRows bounds a batch.
const maxRows = 1 << 20

// Padded returns the batch size, a power of two from 8 on, that n rows are
// padded to. A run meets few of them, so that soon nothing compiles any more.
func Padded(n int) (int, error) {
	if n > maxRows {
		return 0, fmt.Errorf("a batch of %d rows is larger than the largest, %d: use fewer games an update or more minibatches", n, maxRows)
	}
	if n <= 1 {
		return 1, nil
	}
	return max(8, 1<<bits.Len(uint(n-1))), nil
}

// Network is a model with weights: a Policy.
type Network struct {
	Model   *Model
	Weights *Weights

	tensors []*tensors.Tensor
}

// Network returns the model with the given weights. Release it with Close.
func (m *Model) Network(w *Weights) (*Network, error) {
	if err := w.Check(m.Params); err != nil {
		return nil, err
	}
	n := &Network{Model: m, Weights: w, tensors: make([]*tensors.Tensor, len(w.Values))}
	err := catch(func() {
		for i, p := range w.Params {
			n.tensors[i] = tensors.FromFlatDataAndDimensions(w.Values[i], p.Dims...)
			// A tensor moves to the device at its first use, and a second
			// goroutine that looks at it meanwhile finds it nowhere. Moved here,
			// it is only read from then on.
			n.tensors[i].MustMaterializeOnDevice(m.Backend, true, 0)
		}
	})
	if err != nil {
		return nil, fmt.Errorf("moving the weights to the device: %w", err)
	}
	return n, nil
}

// Close frees the network's copy of the weights.
func (n *Network) Close() error {
	for _, t := range n.tensors {
		if err := t.FinalizeAll(); err != nil {
			return fmt.Errorf("freeing the network's tensors: %w", err)
		}
	}
	n.tensors = nil
	return nil
}

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
	full := make([]float32, padded*width)
	copy(full, x[:rows*width])
	args := make([]any, 0, len(n.tensors)+1)
	for _, t := range n.tensors {
		args = append(args, t)
	}
	err = catch(func() {
		in := tensors.FromFlatDataAndDimensions(full, padded, width)
		out := m.forward.MustCall(append(args, in)...)
		logits = tensors.MustCopyFlatData[float32](out[0])
		values = tensors.MustCopyFlatData[float32](out[1])
		out[0].MustFinalizeAll()
		out[1].MustFinalizeAll()
		in.MustFinalizeAll()
	})
	if err != nil {
		return nil, nil, fmt.Errorf("evaluating %d states: %w", rows, err)
	}
	return logits[:rows*m.Info.Actions], values[:rows], nil
}
