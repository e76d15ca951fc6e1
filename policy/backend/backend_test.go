package backend_test

import (
	"encoding/binary"
	"errors"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // graph code reads as formulas
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/agon-rl/agon/policy/backend"
)

func TestOpenRefusesUnknownNames(t *testing.T) {
	for name, want := range map[string]string{
		"xla:cpuu": `unknown backend "xla:cpuu": expected one of auto, go, xla:cpu, xla:cuda, did you mean "xla:cpu"?`,
		"tpu":      `unknown backend "tpu": expected one of auto, go, xla:cpu, xla:cuda`,
		"":         `unknown backend "": expected one of`,
	} {
		if _, _, err := backend.Open(name); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("Open(%q): %v, want %s", name, err, want)
		}
	}
}

// Where there is no plugin, auto takes Go and says why, and the others are
// refused with what to do.
func TestOpenWithoutPlugins(t *testing.T) {
	hidePlugins(t)
	b, choice, err := backend.Open(backend.Auto)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Finalize()
	if choice.Name != backend.Go || !strings.Contains(choice.Why, "no xla:cpu: ") || strings.Contains(choice.String(), "\n") {
		t.Errorf("auto chose %q", choice)
	}
	for _, name := range []string{backend.CPU, backend.CUDA} {
		if _, _, err := backend.Open(name); err == nil || !strings.HasPrefix(err.Error(), "backend "+name+": ") {
			t.Errorf("Open(%s): %v", name, err)
		}
	}
	for _, e := range backend.List() {
		if e.Available != (e.Name == backend.Go) || e.Why == "" {
			t.Errorf("List: %+v", e)
		}
	}
}

// hidePlugins lets a test find no plugin but those it makes, and skips it where
// one is installed for the whole machine.
func hidePlugins(t *testing.T) {
	t.Helper()
	t.Setenv("PJRT_PLUGIN_LIBRARY_PATH", "")
	t.Setenv("HOME", t.TempDir())
	t.Setenv(backend.DirEnv, t.TempDir())
	if names := benchNames(); len(names) > 1 {
		t.Skipf("found machine-wide: %v", names[1:])
	}
}

func TestCatch(t *testing.T) {
	if err := backend.Catch(func() {}); err != nil {
		t.Errorf("no panic: %v", err)
	}
	broken := errors.New("broken")
	if err := backend.Catch(func() { panic(broken) }); !errors.Is(err, broken) {
		t.Errorf("a panic with an error: %v", err)
	}
	if err := backend.Catch(func() { panic("text") }); err == nil || err.Error() != "text" {
		t.Errorf("a panic with a text: %v", err)
	}
	b := open(t, backend.Go)
	err := backend.Catch(func() {
		MustNewExec(b, func(x, y *Node) *Node { return Dot(x, y).MatMul() }).MustCall([][]float32{{1, 2}}, [][]float32{{1, 2}})
	})
	if err == nil {
		t.Error("a graph that cannot be built gave no error")
	}
}

// A graph with many independent matrix products stops for ever in the Go
// backend's default, parallel mode, within 0 to 22 calls on two cores.
func TestGoBackendDoesNotHang(t *testing.T) {
	if testing.Short() {
		t.Skip("under the race detector it takes minutes")
	}
	const products, size, calls = 16, 256, 30
	b := open(t, backend.Go)
	rng := rand.New(rand.NewPCG(1, 2))
	var in []*tensors.Tensor
	for range products + 1 {
		in = append(in, random(rng, []int{size, size})...)
	}
	finished := make(chan error, 1)
	go func() {
		finished <- backend.Catch(func() {
			exec := MustNewExec(b, func(in []*Node) *Node {
				sum := ScalarZero(in[0].Graph(), in[0].DType())
				for _, x := range in[1:] {
					sum = Add(sum, ReduceAllSum(Dot(in[0], x).MatMul()))
				}
				return sum
			})
			for range calls {
				exec.MustCall(anys(in...)...)[0].MustFinalizeAll()
			}
		})
	}()
	select {
	case err := <-finished:
		if err != nil {
			t.Fatal(err)
		}
	case <-time.After(2 * time.Minute):
		t.Fatalf("%d calls of a graph with %d independent products did not end: a deadlock of the backend's workers", calls, products)
	}
}

// One compiled graph serves several goroutines that share the weights, while
// other shapes are being compiled.
func TestConcurrentCalls(t *testing.T) {
	for _, name := range benchNames() {
		t.Run(name, func(t *testing.T) {
			w := weights(rand.New(rand.NewPCG(1, 2)))
			exec := MustNewExec(open(t, name), infer).SetMaxCache(-1)
			call := func(rows int) []float32 {
				x := random(rand.New(rand.NewPCG(3, 4)), []int{rows, layers[0]})
				out := exec.MustCall(anys(append(x, w...)...)...)[0]
				defer out.MustFinalizeAll()
				return tensors.MustCopyFlatData[float32](out)
			}
			want := hash(call(64)...)
			var wg sync.WaitGroup
			for worker := range 8 {
				wg.Go(func() {
					for i := range 20 {
						if i%10 == worker {
							call(worker + 1)
						}
						if hash(call(64)...) != want {
							t.Errorf("worker %d, call %d: another result", worker, i)
						}
					}
				})
			}
			wg.Wait()
		})
	}
}

// A seeded training run gives the same bits twice.
func TestRepeatable(t *testing.T) {
	for _, name := range benchNames() {
		t.Run(name, func(t *testing.T) {
			if first, second := train(t, name), train(t, name); hash(first...) != hash(second...) {
				t.Errorf("two runs with one seed differ: %v, %v", first, second)
			}
		})
	}
}

// train does 20 gradient steps and returns the losses.
func train(t *testing.T, name string) []float32 {
	t.Helper()
	rng := rand.New(rand.NewPCG(1, 2))
	exec := MustNewExec(open(t, name), step)
	state, x := startState(rng), random(rng, []int{256, layers[0]})[0]
	var losses []float32
	for range 20 {
		out := exec.MustCall(anys(append(state[:len(state):len(state)], x)...)...)
		losses = append(losses, tensors.ToScalar[float32](out[len(state)]))
		state = out[:len(state)]
	}
	return losses
}

func hash(values ...float32) uint64 {
	h := fnv.New64a()
	for _, v := range values {
		_, _ = h.Write(binary.LittleEndian.AppendUint32(nil, math.Float32bits(v)))
	}
	return h.Sum64()
}
