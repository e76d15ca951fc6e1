// Package backendtest opens devices for tests. Each keeps a ledger of the arrays that live
// on it: a test fails that leaves some behind, or uses one that is gone.
package backendtest

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/shapes"

	"github.com/agon-rl/agon/policy/backend"
)

// Each runs a test on the Go backend and, where AGON_TEST_XLA is 1, on XLA's for the CPU.
func Each(t *testing.T, test func(t *testing.T, device *Device)) {
	names := []string{backend.Go}
	if os.Getenv("AGON_TEST_XLA") == "1" {
		names = append(names, backend.CPU)
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) { test(t, Open(t, name)) })
	}
}

// Open opens the backend of a name. When the test is over, nothing may live on it.
func Open(t testing.TB, name string) *Device {
	t.Helper()
	b, _, err := backend.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	d := &Device{Backend: b, report: t.Errorf, live: map[*array]bool{}}
	t.Cleanup(func() {
		if left := d.shapes(); len(left) > 0 && !t.Failed() {
			t.Errorf("%d arrays are left on the device: %s", len(left), strings.Join(left, ", "))
		}
		b.Finalize()
	})
	return d
}

// Device is a backend with a ledger.
type Device struct {
	backend.Backend
	report func(format string, args ...any)

	mu   sync.Mutex
	live map[*array]bool
}

// Live is the number of arrays on the device.
func (d *Device) Live() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.live)
}

// Bytes is the memory of the arrays on the device.
func (d *Device) Bytes() (total uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for a := range d.live {
		total += uint64(a.shape.ByteSize())
	}
	return total
}

// shapes are those of the arrays on the device, sorted.
func (d *Device) shapes() (out []string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for a := range d.live {
		out = append(out, a.shape.String())
	}
	slices.Sort(out)
	return out
}

// array is a buffer in the ledger.
type array struct {
	compute.Buffer
	device *Device
	shape  shapes.Shape
}

func (d *Device) enter(b compute.Buffer) (compute.Buffer, error) {
	shape, err := b.Shape()
	if err != nil {
		return nil, err
	}
	a := &array{b, d, shape}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.live[a] = true
	return a, nil
}

// use says whether an array may be used, and takes it out of the ledger where that is its
// end.
func (a *array) use(what string, end bool) error {
	a.device.mu.Lock()
	there := a.device.live[a]
	if end {
		delete(a.device.live, a)
	}
	a.device.mu.Unlock()
	if there {
		return nil
	}
	err := fmt.Errorf("%s an array %s that is gone", what, a.shape)
	a.device.report("%v", err) // also where the caller drops the error
	return err
}

// Backend implements compute.Buffer.
func (a *array) Backend() compute.Backend { return a.device }

// Finalize implements compute.Buffer.
func (a *array) Finalize() error {
	if err := a.use("freeing", true); err != nil {
		return err
	}
	return a.Buffer.Finalize()
}

// ToFlatData implements compute.Buffer.
func (a *array) ToFlatData(flat any) error {
	if err := a.use("reading", false); err != nil {
		return err
	}
	return a.Buffer.ToFlatData(flat)
}

// Data implements compute.Buffer.
func (a *array) Data() (any, error) {
	if err := a.use("reading", false); err != nil {
		return nil, err
	}
	return a.Buffer.Data()
}

// BufferFromFlatData implements compute.Backend.
func (d *Device) BufferFromFlatData(device compute.DeviceNum, flat any, shape shapes.Shape) (compute.Buffer, error) {
	b, err := d.Backend.BufferFromFlatData(device, flat, shape)
	if err != nil {
		return nil, err
	}
	return d.enter(b)
}

// Builder implements compute.Backend.
func (d *Device) Builder(name string) compute.Builder {
	return builder{d.Backend.Builder(name), d}
}

type builder struct {
	compute.Builder
	device *Device
}

// Compile implements compute.Builder.
func (b builder) Compile() (compute.Executable, error) {
	e, err := b.Builder.Compile()
	if err != nil {
		return nil, err
	}
	return executable{e, b.device}, nil
}

type executable struct {
	compute.Executable
	device *Device
}

// Execute implements compute.Executable.
func (e executable) Execute(in []compute.Buffer, donate []bool, device compute.DeviceNum) ([]compute.Buffer, error) {
	plain := make([]compute.Buffer, len(in))
	for i, b := range in {
		a, ok := b.(*array)
		if !ok {
			return nil, fmt.Errorf("input %d is of another device", i)
		}
		given := donate != nil && donate[i]
		if err := a.use(map[bool]string{true: "giving up", false: "computing with"}[given], given); err != nil {
			return nil, err
		}
		plain[i] = a.Buffer
	}
	out, err := e.Executable.Execute(plain, donate, device)
	if err != nil {
		return nil, err
	}
	for i, b := range out {
		if out[i], err = e.device.enter(b); err != nil {
			return nil, err
		}
	}
	return out, nil
}
