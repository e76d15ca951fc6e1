package backend

import (
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/dtypes/bfloat16"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
)

// Backend is an open backend. The alias lets packages that must not depend on
// GoMLX pass one on.
type Backend = compute.Backend

// Tensor is an array on a device. What it holds does not change. Who keeps it says so
// by Keep, and lets go by Free; it begins with one keeper.
type Tensor struct {
	shape   shapes.Shape
	buffer  compute.Buffer
	keepers atomic.Int32
}

func newTensor(shape shapes.Shape, buffer compute.Buffer) *Tensor {
	t := &Tensor{shape: shape, buffer: buffer}
	t.keepers.Store(1)
	return t
}

// Upload copies values, in row-major order, to a device.
func Upload[T float32 | int32](device Backend, values []T, dims ...int) (*Tensor, error) {
	return upload(device, values, len(values), shapes.Make(dtypes.FromGenericsType[T](), dims...))
}

// UploadAs copies values to a device, where they are stored as the type given,
// Float32 or BFloat16, which keeps 8 of the 24 binary digits.
func UploadAs(device Backend, t dtypes.DType, values []float32, dims ...int) (*Tensor, error) {
	if t == dtypes.BFloat16 {
		return upload(device, bfloat16.FromFloat32s(values...), len(values), shapes.Make(t, dims...))
	}
	return Upload(device, values, dims...)
}

func upload(device Backend, values any, count int, shape shapes.Shape) (_ *Tensor, err error) {
	if count != shape.Size() { // backends differ in whether they say so
		return nil, fmt.Errorf("moving %s to the device: %d values: expected %d", shape, count, shape.Size())
	}
	var buffer compute.Buffer
	if caught := Catch(func() { buffer, err = device.BufferFromFlatData(0, values, shape) }); caught != nil {
		err = caught
	}
	if err != nil {
		return nil, fmt.Errorf("moving %s to the device: %w", shape, root(err))
	}
	return newTensor(shape, buffer), nil
}

// Type is the type of the elements.
func (t *Tensor) Type() dtypes.DType { return t.shape.DType }

// Size is the number of elements.
func (t *Tensor) Size() int { return t.shape.Size() }

// Floats copies the values of a tensor of floats from the device.
func (t *Tensor) Floats() (values []float32, err error) {
	if !t.Type().IsFloat() {
		return nil, fmt.Errorf("reading %s from the device: expected floats", t.shape)
	}
	values = make([]float32, t.Size())
	var short []bfloat16.BFloat16
	flat := any(values)
	if t.Type() == dtypes.BFloat16 {
		short = make([]bfloat16.BFloat16, t.Size())
		flat = short
	}
	caught := Catch(func() {
		if !t.buffer.Backend().HasSharedBuffers() {
			err = t.buffer.ToFlatData(flat)
			return
		}
		var view any // on a CPU the device's memory can be looked at, which waits for nobody
		if view, err = t.buffer.Data(); err == nil {
			switch view := view.(type) {
			case []float32:
				copy(values, view)
			case []bfloat16.BFloat16:
				copy(short, view)
			}
		}
	})
	if err = errors.Join(err, caught); err != nil {
		return nil, fmt.Errorf("reading %s from the device: %w", t.shape, root(err))
	}
	for i, x := range short {
		values[i] = x.Float32()
	}
	return values, nil
}

// Keep adds a keeper.
func (t *Tensor) Keep() *Tensor {
	t.keepers.Add(1)
	return t
}

// Shared tells whether there are other keepers than the caller.
func (t *Tensor) Shared() bool { return t.keepers.Load() > 1 }

// Free takes a keeper away; with the last one the device's memory is free. No tensor,
// nil, needs no freeing.
func (t *Tensor) Free() error {
	if t == nil || t.keepers.Add(-1) != 0 {
		return nil
	}
	if err := t.buffer.Finalize(); err != nil {
		return fmt.Errorf("freeing %s: %w", t.shape, root(err))
	}
	return nil
}

// Free frees several tensors and returns the first error.
func Free(all []*Tensor) (err error) {
	for _, t := range all {
		if failed := t.Free(); err == nil {
			err = failed
		}
	}
	return err
}

// Program is a graph function, compiled at the first call for the shapes that it is
// called with. It is safe for concurrent use.
type Program struct {
	name   string
	device Backend
	exec   *graph.Exec
}

// NewProgram prepares a graph function: inputs to outputs. Errors of the function come
// with the first call.
func NewProgram(device Backend, name string, build func(in []*graph.Node) []*graph.Node) (*Program, error) {
	p := &Program{name: name, device: device}
	if err := Catch(func() { p.exec = graph.MustNewExec(device, build).SetMaxCache(-1) }); err != nil {
		return nil, fmt.Errorf("preparing the %s: %w", name, err)
	}
	return p, nil
}

// Run calls the function. The inputs with an index below donated are given up: their
// memory may become the outputs', and they must not be used any more.
func (p *Program) Run(in []*Tensor, donated int) (out []*Tensor, err error) {
	err = Catch(func() {
		layout := make([]shapes.Shape, len(in))
		buffers, donate := make([]compute.Buffer, len(in)), make([]bool, len(in))
		for i, t := range in {
			layout[i], buffers[i], donate[i] = t.shape, t.buffer, i < donated
		}
		compiled, failed := p.exec.Compile(layout...)
		if failed != nil {
			panic(failed)
		}
		results := compiled.RunWithBuffers(buffers, donate, 0)
		out = make([]*Tensor, len(results))
		for i, r := range results {
			shape := r.Shape()
			buffer, failed := r.DonateBuffer(p.device, 0)
			if failed != nil {
				panic(failed)
			}
			out[i] = newTensor(shape, buffer)
		}
	})
	if err != nil {
		return nil, fmt.Errorf("running the %s: %w", p.name, root(err))
	}
	return out, nil
}
