package policy

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync/atomic"

	"github.com/gomlx/compute/dtypes"

	"github.com/agon-rl/agon/policy/backend"
)

// Param is one tensor of an architecture: its name, shape, type and how it starts.
type Param struct {
	Name string
	Dims []int
	// Scale is the standard deviation of the normal distribution that the
	// values start from; zero starts them at zero.
	Scale float64
	// Type is how the values are stored: Float32, also where it is not set, or
	// BFloat16, which takes half the memory. Graphs compute in float32.
	Type dtypes.DType
	// Frozen tensors are not trained.
	Frozen bool
}

// Size is the number of values.
func (p Param) Size() int {
	n := 1
	for _, d := range p.Dims {
		n *= d
	}
	return n
}

// Stored is the type that the values are stored as.
func (p Param) Stored() dtypes.DType {
	if p.Type == dtypes.BFloat16 {
		return dtypes.BFloat16
	}
	return dtypes.Float32
}

// Weights are the values of an architecture's tensors, on a device. They do not change
// once made: an update makes new ones, so a snapshot is a handle. Handles are counted:
// whoever keeps weights that came from elsewhere takes one by Share, and gives it back
// by Close. The memory is free once all are closed.
type Weights struct {
	Params  []Param
	Tensors []*backend.Tensor // parallel to Params

	handles atomic.Int32
}

// NewWeights holds tensors that are on a device already, with one handle.
func NewWeights(params []Param, tensors []*backend.Tensor) *Weights {
	w := &Weights{Params: params, Tensors: tensors}
	w.handles.Store(1)
	return w
}

// UploadWeights makes weights of values, one list a tensor, on a device.
func UploadWeights(device backend.Backend, params []Param, values [][]float32) (*Weights, error) {
	if len(values) != len(params) {
		return nil, fmt.Errorf("the weights hold %d tensors with the values of %d", len(params), len(values))
	}
	for i, p := range params {
		if len(values[i]) != p.Size() {
			return nil, fmt.Errorf("the weights hold %d values of %s %v", len(values[i]), p.Name, p.Dims)
		}
	}
	w := NewWeights(params, nil)
	for i, p := range params {
		t, err := backend.UploadAs(device, p.Stored(), values[i], p.Dims...)
		if err != nil {
			_ = w.Close() // the first error counts
			return nil, fmt.Errorf("weights of %s: %w", p.Name, err)
		}
		w.Tensors = append(w.Tensors, t)
	}
	return w, nil
}

// DrawWeights draws the weights that training starts from.
func DrawWeights(device backend.Backend, params []Param, r *rand.Rand) (*Weights, error) {
	values := make([][]float32, len(params))
	for i, p := range params {
		values[i] = make([]float32, p.Size())
		for j := range values[i] {
			if p.Scale != 0 {
				values[i][j] = float32(r.NormFloat64() * p.Scale)
			}
		}
	}
	return UploadWeights(device, params, values)
}

// Share returns the weights with one more handle on them.
func (w *Weights) Share() *Weights {
	w.handles.Add(1)
	return w
}

// Shared tells whether there are other handles than the caller's.
func (w *Weights) Shared() bool { return w.handles.Load() > 1 }

// Close gives a handle back; with the last one the device's memory is freed. No
// weights, nil, need no closing.
func (w *Weights) Close() error {
	if w == nil || w.handles.Add(-1) != 0 {
		return nil
	}
	return backend.Free(w.Tensors)
}

// Values copies the values of the tensor with the index i from the device.
func (w *Weights) Values(i int) ([]float32, error) { return w.Tensors[i].Floats() }

// Check says whether the weights fit an architecture's tensors.
func (w *Weights) Check(params []Param) error {
	if len(w.Params) != len(params) {
		return fmt.Errorf("the weights hold %d tensors, the network has %d", len(w.Params), len(params))
	}
	for i, p := range params {
		got := w.Params[i]
		if got.Name != p.Name || !slices.Equal(got.Dims, p.Dims) {
			return fmt.Errorf("the weights hold %s %v where the network has %s %v", got.Name, got.Dims, p.Name, p.Dims)
		}
		if got.Stored() != p.Stored() {
			return fmt.Errorf("the weights hold %s as %s where the network has %s", p.Name, got.Stored(), p.Stored())
		}
	}
	return nil
}
