package backend_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // graph code reads as formulas
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/agon-rl/agon/policy/backend"
)

// layers are the widths of the benchmark's network: Leduc's size.
var layers = []int{30, 64, 64, 3}

// forward is a perceptron; w alternates matrices and biases.
func forward(x *Node, w []*Node) *Node {
	for i := 0; i < len(w); i += 2 {
		x = Add(Dot(x, w[i]).MatMul(), ExpandAxes(w[i+1], 0))
		if i+2 < len(w) {
			x = Max(x, ZerosLike(x))
		}
	}
	return x
}

// random returns tensors filled with seeded noise.
func random(rng *rand.Rand, dims ...[]int) []*tensors.Tensor {
	out := make([]*tensors.Tensor, len(dims))
	for i, d := range dims {
		size := 1
		for _, n := range d {
			size *= n
		}
		flat := make([]float32, size)
		for j := range flat {
			flat[j] = float32(rng.NormFloat64()) / 8
		}
		out[i] = tensors.FromFlatDataAndDimensions(flat, d...)
	}
	return out
}

// weights returns the network's tensors.
func weights(rng *rand.Rand) []*tensors.Tensor {
	var dims [][]int
	for i := range len(layers) - 1 {
		dims = append(dims, []int{layers[i], layers[i+1]}, []int{layers[i+1]})
	}
	return random(rng, dims...)
}

// startState returns weights and Adam's moments, all zero, to start from.
func startState(rng *rand.Rand) []*tensors.Tensor {
	state := weights(rng)
	for range 2 {
		for _, w := range state[:2*(len(layers)-1)] {
			state = append(state, tensors.FromShape(w.Shape()))
		}
	}
	return state
}

// step is one gradient step with Adam on the mean squared output: weights,
// first moments, second moments and the input go in, the new three and the
// loss come out.
func step(in []*Node) []*Node {
	n := 2 * (len(layers) - 1)
	w, first, second, x := in[:n], in[n:2*n], in[2*n:3*n], in[3*n]
	loss := ReduceAllMean(Square(forward(x, w)))
	var newW, newFirst, newSecond []*Node
	for i, g := range Gradient(loss, w...) {
		m := Add(MulScalar(first[i], 0.9), MulScalar(g, 0.1))
		v := Add(MulScalar(second[i], 0.999), MulScalar(Square(g), 0.001))
		newW = append(newW, Sub(w[i], MulScalar(Div(m, AddScalar(Sqrt(v), 1e-8)), 1e-3)))
		newFirst, newSecond = append(newFirst, m), append(newSecond, v)
	}
	return append(append(append(newW, newFirst...), newSecond...), loss)
}

func infer(in []*Node) *Node { return forward(in[0], in[1:]) }

func anys(ts ...*tensors.Tensor) []any {
	out := make([]any, len(ts))
	for i, t := range ts {
		out[i] = t
	}
	return out
}

// benchNames are the backends to measure: XLA where its plugin is found.
func benchNames() []string {
	names := []string{backend.Go}
	for _, e := range backend.List() {
		if e.Available && e.Name != backend.Go {
			names = append(names, e.Name)
		}
	}
	return names
}

func open(tb testing.TB, name string) compute.Backend {
	tb.Helper()
	b, _, err := backend.Open(name)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(b.Finalize)
	return b
}

// BenchmarkInference is one call with fresh input and kept weights, as actors
// do: the input is copied in, the logits are copied out.
func BenchmarkInference(b *testing.B) {
	for _, name := range benchNames() {
		be := open(b, name)
		for _, batch := range []int{1, 16, 64, 256} {
			b.Run(fmt.Sprintf("%s/batch=%d", name, batch), func(b *testing.B) {
				rng := rand.New(rand.NewPCG(1, 2))
				w := weights(rng)
				exec := MustNewExec(be, infer)
				flat := make([]float32, batch*layers[0])
				call := func() {
					x := tensors.FromFlatDataAndDimensions(flat, batch, layers[0])
					out := exec.MustCall(anys(append([]*tensors.Tensor{x}, w...)...)...)
					_ = tensors.MustCopyFlatData[float32](out[0])
					out[0].MustFinalizeAll()
					x.MustFinalizeAll()
				}
				call()
				b.ReportAllocs()
				for b.Loop() {
					call()
				}
				b.ReportMetric(float64(batch)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
			})
		}
	}
}

// BenchmarkParallel is BenchmarkInference at batch 64 from several goroutines.
func BenchmarkParallel(b *testing.B) {
	for _, name := range benchNames() {
		be := open(b, name)
		b.Run(name, func(b *testing.B) {
			w := weights(rand.New(rand.NewPCG(1, 2)))
			exec := MustNewExec(be, infer)
			b.SetParallelism(4)
			b.RunParallel(func(pb *testing.PB) {
				flat := make([]float32, 64*layers[0])
				for pb.Next() {
					x := tensors.FromFlatDataAndDimensions(flat, 64, layers[0])
					out := exec.MustCall(anys(append([]*tensors.Tensor{x}, w...)...)...)
					_ = tensors.MustCopyFlatData[float32](out[0])
					out[0].MustFinalizeAll()
					x.MustFinalizeAll()
				}
			})
		})
	}
}

// BenchmarkStep is one training step whose state stays in tensors.
func BenchmarkStep(b *testing.B) {
	for _, name := range benchNames() {
		be := open(b, name)
		for _, batch := range []int{256, 1024} {
			b.Run(fmt.Sprintf("%s/batch=%d", name, batch), func(b *testing.B) {
				rng := rand.New(rand.NewPCG(1, 2))
				exec := MustNewExec(be, step)
				state, x := startState(rng), random(rng, []int{batch, layers[0]})[0]
				call := func() {
					out := exec.MustCall(anys(append(state[:len(state):len(state)], x)...)...)
					for _, t := range state {
						t.MustFinalizeAll()
					}
					_ = tensors.ToScalar[float32](out[len(state)])
					out[len(state)].MustFinalizeAll()
					state = out[:len(state)]
				}
				call()
				b.ReportAllocs()
				for b.Loop() {
					call()
				}
			})
		}
	}
}
