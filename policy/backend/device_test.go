package backend_test

import (
	"math"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // graph code reads as formulas

	"github.com/agon-rl/agon/policy/backend"
	"github.com/agon-rl/agon/policy/backend/backendtest"
)

func upload[T float32 | int32](t testing.TB, d backend.Backend, values []T, dims ...int) *backend.Tensor {
	t.Helper()
	x, err := backend.Upload(d, values, dims...)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func floats(t testing.TB, x *backend.Tensor) []float32 {
	t.Helper()
	values, err := x.Floats()
	if err != nil {
		t.Fatal(err)
	}
	return values
}

func program(t testing.TB, d backend.Backend, build func(in []*Node) []*Node) *backend.Program {
	t.Helper()
	p, err := backend.NewProgram(d, "test", build)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func run(t testing.TB, p *backend.Program, donated int, in ...*backend.Tensor) []*backend.Tensor {
	t.Helper()
	out, err := p.Run(in, donated)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func free(t testing.TB, all ...*backend.Tensor) {
	t.Helper()
	if err := backend.Free(all); err != nil {
		t.Error(err)
	}
}

// same compares to the bit, so that NaN equals itself.
func same(a, b []float32) bool {
	return slices.EqualFunc(a, b, func(x, y float32) bool { return math.Float32bits(x) == math.Float32bits(y) })
}

// What is uploaded comes back to the bit, whatever its shape.
func TestUploadKeepsBits(t *testing.T) {
	backendtest.Each(t, func(t *testing.T, d *backendtest.Device) {
		odd := []float32{float32(math.NaN()), float32(math.Inf(-1)), float32(math.Copysign(0, -1)), 1e-45, 3.4e38, 0.1}
		for _, dims := range [][]int{{6}, {2, 3}, {1, 6, 1}} {
			x := upload(t, d, odd, dims...)
			if got := floats(t, x); !same(got, odd) || x.Size() != 6 || x.Type() != dtypes.Float32 {
				t.Errorf("shape %v: %v, expected %v", dims, got, odd)
			}
			free(t, x)
		}
		scalar, empty := upload(t, d, []float32{7}), upload(t, d, []float32{}, 0, 3)
		if a, b := floats(t, scalar), floats(t, empty); len(a) != 1 || a[0] != 7 || len(b) != 0 {
			t.Errorf("a scalar 7 came back as %v, nothing as %v", a, b)
		}
		free(t, scalar, empty)
	})
}

func TestUploadRefuses(t *testing.T) {
	backendtest.Each(t, func(t *testing.T, d *backendtest.Device) {
		if _, err := backend.Upload(d, []float32{1, 2}, 3); err == nil || err.Error() != "moving (Float32)[3] to the device: 2 values: expected 3" {
			t.Errorf("2 values for 3 places: %v", err)
		}
		whole := upload(t, d, []int32{1, 2}, 2)
		defer free(t, whole)
		if values, err := whole.Floats(); err == nil || err.Error() != "reading (Int32)[2] from the device: expected floats" {
			t.Errorf("whole numbers are read as the floats %v: %v", values, err)
		}
	})
}

// A bfloat16 keeps 8 binary digits, and the nearest one is taken, of two that are as near
// the even one: on the way to the device and in a graph. With 8 digits, 1 is followed by
// 1 + 1/128.
func TestBFloat16RoundsToNearestEven(t *testing.T) {
	const u = 1.0 / 128
	cases := [][2]float64{ // given, kept
		{1, 1}, {1 + u, 1 + u},
		{1 + u/2, 1},               // between 1 and 1+u: 1 is even
		{1 + 3*u/2, 1 + 2*u},       // between 1+u and 1+2u: 1+2u is even
		{1 + u/2 + u/1024, 1 + u},  // a little more than between
		{1 + u/2 - u/1024, 1},      // a little less
		{-1 - 3*u/2, -1 - 2*u},     // the sign is apart
		{2 - u/4, 2},               // up to the next power of two
		{0, 0}, {3e38, 0x1.c4p127}, // 226 · 2¹²⁰: as far as float32 goes
		{math.Inf(1), math.Inf(1)},     // what is not finite stays so
		{math.MaxFloat32, math.Inf(1)}, // and what rounds above the largest becomes so
		{1e-3, 131.0 / (1 << 17)}, {0.1, 205.0 / (1 << 11)}, {-2.5, -2.5},
		{100.25, 100}, {100.3, 100.5}, {5, 5}, // between 64 and 128 the step is 1/2
	}
	given, want := make([]float32, len(cases)), make([]float64, len(cases))
	for i, c := range cases {
		given[i], want[i] = float32(c[0]), c[1]
	}
	backendtest.Each(t, func(t *testing.T, d *backendtest.Device) {
		check := func(how string, x *backend.Tensor) {
			t.Helper()
			if x.Type() != dtypes.BFloat16 {
				t.Errorf("%s: of type %s", how, x.Type())
			}
			for i, got := range floats(t, x) {
				if float64(got) != want[i] {
					t.Errorf("%s: %g becomes %g, expected %g", how, given[i], got, want[i])
				}
				if math.Float32bits(got)<<16 != 0 {
					t.Errorf("%s: %g has more than 8 binary digits", how, got)
				}
			}
		}
		x, err := backend.UploadAs(d, dtypes.BFloat16, given, len(given))
		if err != nil {
			t.Fatal(err)
		}
		if d.Bytes() != uint64(2*len(given)) {
			t.Errorf("%d values take %d bytes", len(given), d.Bytes())
		}
		check("uploaded", x)
		full := upload(t, d, given, len(given))
		rounded := run(t, program(t, d, func(in []*Node) []*Node { return []*Node{ConvertDType(in[0], dtypes.BFloat16)} }), 0, full)[0]
		check("in a graph", rounded)
		free(t, x, full, rounded)
	})
}

// The memory is free when the last keeper has let go, and not before.
func TestKeepers(t *testing.T) {
	d := backendtest.Open(t, backend.Go)
	x := upload(t, d, []float32{1, 2}, 2)
	if x.Shared() {
		t.Error("a new tensor has several keepers")
	}
	if x.Keep() != x || !x.Shared() {
		t.Error("Keep adds no keeper")
	}
	free(t, x)
	if d.Live() != 1 || x.Shared() || !slices.Equal(floats(t, x), []float32{1, 2}) {
		t.Error("freed by one of two keepers, the tensor is gone")
	}
	free(t, x)
	if d.Live() != 0 {
		t.Error("freed by both keepers, the tensor is still there")
	}
	free(t, nil, nil)
	var none *backend.Tensor
	if err := none.Free(); err != nil {
		t.Errorf("no tensor: %v", err)
	}
}

// What is donated is gone after the call and its memory with it; what is not stays.
func TestDonation(t *testing.T) {
	backendtest.Each(t, func(t *testing.T, d *backendtest.Device) {
		sumAndDifference := program(t, d, func(in []*Node) []*Node { return []*Node{Add(in[0], in[1]), Sub(in[0], in[1])} })
		a, b := upload(t, d, []float32{5, 7}, 2), upload(t, d, []float32{1, 10}, 2)
		kept := run(t, sumAndDifference, 0, a, b)
		if d.Live() != 4 {
			t.Errorf("%d arrays after a call that keeps its inputs, expected 4", d.Live())
		}
		out := run(t, sumAndDifference, 1, a, b)
		if d.Live() != 5 {
			t.Errorf("%d arrays after a call that gives up 1 of 2, expected 5", d.Live())
		}
		for i, want := range [][]float32{{6, 17}, {4, -3}} {
			if got := floats(t, kept[i]); !slices.Equal(got, want) {
				t.Errorf("output %d: %v, expected %v", i, got, want)
			}
			if got := floats(t, out[i]); !slices.Equal(got, want) {
				t.Errorf("output %d of donated memory: %v, expected %v", i, got, want)
			}
		}
		if got := floats(t, b); !slices.Equal(got, []float32{1, 10}) {
			t.Errorf("the input that was not donated became %v", got)
		}
		free(t, append(append(kept, out...), b)...)
	})
}

// A graph that cannot be built, or is called with what it cannot take, is an error of one
// line that names the program; the program goes on.
func TestProgramRefuses(t *testing.T) {
	backendtest.Each(t, func(t *testing.T, d *backendtest.Device) {
		p := program(t, d, func(in []*Node) []*Node { return []*Node{Dot(in[0], in[1]).MatMul()} })
		a, b, c := upload(t, d, []float32{1, 2}, 1, 2), upload(t, d, []float32{3, 4}, 2, 1), upload(t, d, []float32{1, 2, 3}, 3, 1)
		if _, err := p.Run([]*backend.Tensor{a, c}, 0); err == nil || !strings.HasPrefix(err.Error(), "running the test: ") || strings.Contains(err.Error(), "\n") {
			t.Errorf("[1 2]·[3 1]: %v", err)
		}
		product := run(t, p, 0, a, b)
		if got := floats(t, product[0]); !slices.Equal(got, []float32{11}) {
			t.Errorf("1·3 + 2·4 = %v", got)
		}
		free(t, a, b, c, product[0])
	})
}

// Goroutines share a program and its inputs, while it is compiled for other shapes.
func TestProgramIsSafeForConcurrentUse(t *testing.T) {
	backendtest.Each(t, func(t *testing.T, d *backendtest.Device) {
		p := program(t, d, func(in []*Node) []*Node { return []*Node{Add(in[0], ReduceAllSum(in[1]))} })
		shared := upload(t, d, []float32{1, 2, 3}, 3)
		defer free(t, shared)
		var group sync.WaitGroup
		for worker := range 6 {
			group.Go(func() {
				for i := range 10 {
					n := 1 + (worker+i)%4
					x := upload(t, d, slices.Repeat([]float32{float32(worker)}, n), n)
					out := run(t, p, i%2, x, shared) // every second call gives its own input up
					if got := floats(t, out[0]); len(got) != n || got[n-1] != float32(worker+6) {
						t.Errorf("worker %d: %v, expected %d times %d", worker, got, n, worker+6)
					}
					if i%2 == 0 {
						free(t, x)
					}
					free(t, out...)
				}
			})
		}
		group.Wait()
	})
}
