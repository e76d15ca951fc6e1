package backendtest

import (
	"fmt"
	"slices"
	"testing"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/agon-rl/agon/policy/backend"
)

// The ledger counts arrays and their bytes, takes those out that are freed or given up,
// and reports what is done with arrays that are gone.
func TestLedger(t *testing.T) {
	d := Open(t, backend.Go)
	var reports []string
	d.report = func(format string, args ...any) { reports = append(reports, fmt.Sprintf(format, args...)) }
	holds := func(arrays int, bytes uint64) {
		t.Helper()
		if d.Live() != arrays || d.Bytes() != bytes {
			t.Errorf("%d arrays of %d bytes, expected %d of %d", d.Live(), d.Bytes(), arrays, bytes)
		}
	}
	double, err := backend.NewProgram(d, "double", func(in []*graph.Node) []*graph.Node {
		return []*graph.Node{graph.MulScalar(in[0], 2)}
	})
	if err != nil {
		t.Fatal(err)
	}
	x, err := backend.Upload(d, []float32{1, 2, 3}, 3)
	if err != nil {
		t.Fatal(err)
	}
	holds(1, 12)
	kept, err := double.Run([]*backend.Tensor{x}, 0)
	if err != nil {
		t.Fatal(err)
	}
	holds(2, 24)
	given, err := double.Run(kept, 1)
	if err != nil {
		t.Fatal(err)
	}
	holds(2, 24)
	if values, err := given[0].Floats(); err != nil || !slices.Equal(values, []float32{4, 8, 12}) {
		t.Errorf("twice the double: %v, %v", values, err)
	}
	if len(reports) > 0 {
		t.Errorf("all was well, yet: %v", reports)
	}
	if _, err := double.Run(kept, 0); err == nil {
		t.Error("what was given up is computed with")
	}
	if _, err := kept[0].Floats(); err == nil {
		t.Error("what was given up is read")
	}
	if err := backend.Free([]*backend.Tensor{x, given[0]}); err != nil {
		t.Error(err)
	}
	holds(0, 0)
	if err := kept[0].Free(); err == nil {
		t.Error("what was given up is freed")
	}
	want := []string{
		"computing with an array (Float32)[3] that is gone",
		"reading an array (Float32)[3] that is gone",
		"freeing an array (Float32)[3] that is gone",
	}
	if !slices.Equal(reports, want) {
		t.Errorf("reports %q, expected %q", reports, want)
	}
}

// A test that leaves an array behind fails, with the array's shape.
func TestWhatIsLeftFails(t *testing.T) {
	var fake recorder
	fake.TB = t
	d := Open(&fake, backend.Go)
	if _, err := backend.Upload(d, []int32{1, 2}, 2, 1); err != nil {
		t.Fatal(err)
	}
	fake.cleanup()
	if want := "1 arrays are left on the device: (Int32)[2, 1]"; fake.said != want {
		t.Errorf("%q, expected %q", fake.said, want)
	}
}

// recorder is a test that notes what is said of it.
type recorder struct {
	testing.TB
	cleanup func()
	said    string
}

func (r *recorder) Cleanup(f func())                  { r.cleanup = f }
func (r *recorder) Errorf(format string, args ...any) { r.said = fmt.Sprintf(format, args...) }
func (r *recorder) Failed() bool                      { return false }
