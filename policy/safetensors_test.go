package policy_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/agon-rl/agon/policy"
)

func write(t testing.TB, w *policy.Weights, meta map[string]string) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := policy.WriteWeights(&out, w, meta); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// identical compares to the bit, so that NaN equals itself.
func identical(a, b *policy.Weights) bool {
	return slices.EqualFunc(a.Params, b.Params, func(p, q policy.Param) bool {
		return p.Name == q.Name && slices.Equal(p.Dims, q.Dims)
	}) && slices.EqualFunc(a.Values, b.Values, func(x, y []float32) bool {
		return slices.EqualFunc(x, y, func(x, y float32) bool { return math.Float32bits(x) == math.Float32bits(y) })
	})
}

// What is written is read again, in the same order; equal weights give equal
// bytes, in whatever order the metadata was collected.
func TestWeightsRoundTrip(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		names := rapid.SliceOfNDistinct(rapid.String(), 0, 5, rapid.ID).Draw(r, "names")
		w := &policy.Weights{}
		for _, name := range names {
			p := policy.Param{Name: name, Dims: rapid.SliceOfN(rapid.IntRange(0, 4), 0, 3).Draw(r, "dims")}
			if name == "__metadata__" {
				r.Skip("reserved")
			}
			values := make([]float32, p.Size())
			for i := range values {
				values[i] = math.Float32frombits(rapid.Uint32().Draw(r, "bits"))
			}
			w.Params, w.Values = append(w.Params, p), append(w.Values, values)
		}
		meta := rapid.MapOfN(rapid.StringMatching(`[a-z]{1,4}`), rapid.String(), 0, 3).Draw(r, "meta")
		file := write(t, w, meta)
		if !bytes.Equal(file, write(t, w, meta)) {
			r.Fatal("written twice, the bytes differ")
		}
		got, gotMeta, err := policy.ReadWeights(bytes.NewReader(file))
		if err != nil {
			r.Fatal(err)
		}
		if !identical(w, got) || fmt.Sprint(meta) != fmt.Sprint(gotMeta) {
			r.Fatalf("wrote %v %v, read %v %v", w, meta, got, gotMeta)
		}
		if (binary.LittleEndian.Uint64(file)+8)%8 != 0 {
			r.Fatal("the tensors are not aligned")
		}
	})
}

// A file that ends anywhere before its end is refused, and so is one that goes
// on.
func TestTruncatedWeights(t *testing.T) {
	w := policy.NewWeights([]policy.Param{{Name: "weights", Dims: []int{3, 2}, Scale: 1}, {Name: "biases", Dims: []int{2}}}, rand.New(rand.NewPCG(1, 1)))
	file := write(t, w, map[string]string{"a": "b"})
	for n := range len(file) {
		if _, _, err := policy.ReadWeights(bytes.NewReader(file[:n])); err == nil || !strings.Contains(err.Error(), "the file ends") {
			t.Fatalf("%d of %d bytes: %v", n, len(file), err)
		}
	}
	if _, _, err := policy.ReadWeights(bytes.NewReader(append(file, 0))); err == nil || !strings.Contains(err.Error(), "more bytes follow") {
		t.Errorf("one byte more: %v", err)
	}
	broken := errors.New("broken disk")
	if _, _, err := policy.ReadWeights(&failing{file[:len(file)-4], broken}); !errors.Is(err, broken) {
		t.Errorf("a failing reader: %v", err)
	}
}

type failing struct {
	data []byte
	err  error
}

func (f *failing) Read(p []byte) (int, error) {
	if len(f.data) == 0 {
		return 0, f.err
	}
	n := copy(p, f.data)
	f.data = f.data[n:]
	return n, nil
}

// headed is a weights file with the given header and four bytes of data.
func headed(header string) []byte {
	return append(append(binary.LittleEndian.AppendUint64(nil, uint64(len(header))), header...), 1, 2, 3, 4)
}

var badHeaders = map[string]struct{ header, want string }{
	"no object":         {`[]`, "no JSON object"},
	"no tensors":        {`{}`, "more bytes follow"},
	"type":              {`{"x":{"dtype":"F16","shape":[1],"data_offsets":[0,4]}}`, `tensor "x" is of type "F16": expected F32`},
	"negative":          {`{"x":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}`, `tensor "x" has the shape [-1]`},
	"negative twice":    {`{"x":{"dtype":"F32","shape":[-1,-1],"data_offsets":[0,4]}}`, `has the shape`},
	"overflow":          {`{"x":{"dtype":"F32","shape":[4294967296,4294967296,1],"data_offsets":[0,0]}}`, `has the shape`},
	"overflow to one":   {`{"x":{"dtype":"F32","shape":[3,6148914691236517205,1],"data_offsets":[0,4]}}`, `has the shape`},
	"large":             {`{"x":{"dtype":"F32","shape":[4294967296],"data_offsets":[0,17179869184]}}`, "the file ends after 4 of 17179869184 bytes"},
	"no shape":          {`{"x":{"dtype":"F32","shape":"1","data_offsets":[0,4]}}`, `tensor "x": json`},
	"fraction":          {`{"x":{"dtype":"F32","shape":[1.5],"data_offsets":[0,4]}}`, `tensor "x": json`},
	"no offsets":        {`{"x":{"dtype":"F32","shape":[1]}}`, `lies at bytes 0 to 0: expected 0 to 4`},
	"gap":               {`{"x":{"dtype":"F32","shape":[],"data_offsets":[4,8]}}`, `lies at bytes 4 to 8: expected 0 to 4`},
	"overlap":           {`{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"y":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, `tensor "y" of shape [1] lies at bytes 0 to 4: expected 4 to 8`},
	"metadata":          {`{"__metadata__":{"a":1}}`, "__metadata__: expected texts by name"},
	"order":             {`{"__metadata__":{"order":"x"},"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, "the order of tensors in the metadata"},
	"order twice":       {`{"__metadata__":{"order":"[\"x\",\"x\"]"},"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, "does not name each of the file's 1 tensors once"},
	"order of another":  {`{"__metadata__":{"order":"[\"y\"]"},"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, "does not name each"},
	"order leaves some": {`{"__metadata__":{"order":"[]"},"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, "does not name each"},
}

func TestReadWeightsRefuses(t *testing.T) {
	for name, test := range badHeaders {
		t.Run(name, func(t *testing.T) {
			_, _, err := policy.ReadWeights(bytes.NewReader(headed(test.header)))
			if err == nil || !strings.HasPrefix(err.Error(), "reading weights: ") || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %v, want one line with %q", err, test.want)
			}
		})
	}
	long := binary.LittleEndian.AppendUint64(nil, 1<<40)
	if _, _, err := policy.ReadWeights(bytes.NewReader(long)); err == nil || !strings.Contains(err.Error(), "no safetensors file") {
		t.Errorf("a header of a terabyte: %v", err)
	}
}

// A header that promises gigabytes costs no more than the file is long.
func TestReadWeightsMemory(t *testing.T) {
	file := headed(badHeaders["large"].header)
	long := append(binary.LittleEndian.AppendUint64(nil, 99_000_000), '{')
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for _, f := range [][]byte{file, long} {
		if _, _, err := policy.ReadWeights(bytes.NewReader(f)); err == nil {
			t.Error("a file that promises more than it has is read")
		}
	}
	runtime.ReadMemStats(&after)
	if took := after.TotalAlloc - before.TotalAlloc; took > 1<<20 {
		t.Errorf("two files of %d and %d bytes took %d bytes of memory", len(file), len(long), took)
	}
}

// golden is what testdata/golden.py wrote with the reference implementation.
func TestGoldenWeights(t *testing.T) {
	file, err := os.Open("testdata/golden.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	w, meta, err := policy.ReadWeights(file)
	if err != nil {
		t.Fatal(err)
	}
	want := &policy.Weights{
		Params: []policy.Param{{Name: "policy/weights", Dims: []int{2, 3}}, {Name: "policy/biases", Dims: []int{3}}, {Name: "scale"}, {Name: "empty", Dims: []int{0, 3}}},
		Values: [][]float32{{-0.5, -0.25, 0, 0.25, 0.5, 0.75}, {1e-38, -3.5, float32(math.Inf(1))}, {0.1}, {}},
	}
	if !identical(w, want) || len(meta) != 1 || meta["made by"] != "Python" {
		t.Errorf("read %v %v, want %v", w, meta, want)
	}
}

// What we write, Python's safetensors reads; what it then writes, in an order
// of its own, we read as the same weights.
func TestPythonReadsWeights(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip(err)
	}
	if err := exec.Command(python, "-c", "import numpy, safetensors").Run(); err != nil {
		t.Skip("python3 has no packages numpy and safetensors")
	}
	w := &policy.Weights{
		Params: []policy.Param{{Name: "z", Dims: []int{2, 2}}, {Name: "a", Dims: []int{3}}, {Name: "ö \"", Dims: []int{}}},
		Values: [][]float32{{1, 2, 3, 4.5}, {-1, 0, 1}, {7}},
	}
	in, out := filepath.Join(t.TempDir(), "in"), filepath.Join(t.TempDir(), "out")
	if err := os.WriteFile(in, write(t, w, map[string]string{"about": "a test"}), 0o600); err != nil {
		t.Fatal(err)
	}
	said, err := exec.Command(python, "testdata/rewrite.py", in, out).CombinedOutput()
	if want := "a [3] float32 0.0\nz [2, 2] float32 10.5\nö \" [] float32 7.0\n"; err != nil || string(said) != want {
		t.Fatalf("%v: Python read\n%swant\n%s", err, said, want)
	}
	file, err := os.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	got, meta, err := policy.ReadWeights(file)
	if err != nil {
		t.Fatal(err)
	}
	if !identical(w, got) || meta["about"] != "a test" {
		t.Errorf("wrote %v, read %v with %v", w, got, meta)
	}
}

func FuzzReadWeights(f *testing.F) {
	f.Add(write(f, policy.NewWeights([]policy.Param{{Name: "w", Dims: []int{2, 2}, Scale: 1}}, rand.New(rand.NewPCG(1, 2))), map[string]string{"k": "v"}))
	for _, bad := range badHeaders {
		f.Add(headed(bad.header))
	}
	golden, err := os.ReadFile("testdata/golden.safetensors")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(golden)
	f.Fuzz(func(t *testing.T, file []byte) {
		w, meta, err := policy.ReadWeights(bytes.NewReader(file))
		if err != nil {
			return
		}
		total := 0
		for i, p := range w.Params {
			if len(w.Values[i]) != p.Size() {
				t.Fatalf("%s %v holds %d values", p.Name, p.Dims, len(w.Values[i]))
			}
			total += p.Size()
		}
		if 4*total > len(file) {
			t.Fatalf("%d values in %d bytes", total, len(file))
		}
		again, _, err := policy.ReadWeights(bytes.NewReader(write(t, w, meta)))
		if err != nil || !identical(w, again) {
			t.Fatalf("written and read again: %v", err)
		}
	})
}
