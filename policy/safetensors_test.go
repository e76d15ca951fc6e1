package policy_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/compute/dtypes"
	"pgregory.net/rapid"

	"github.com/agon-rl/agon/policy"
	"github.com/agon-rl/agon/policy/backend"
	"github.com/agon-rl/agon/policy/backend/backendtest"
)

func write(t testing.TB, w *policy.Weights, meta map[string]string) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := policy.WriteWeights(&out, w, meta); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// upload moves weights to a device, until the end of the test.
func upload(t testing.TB, d backend.Backend, params []policy.Param, values ...[]float32) *policy.Weights {
	t.Helper()
	w, err := policy.UploadWeights(d, params, values)
	if err != nil {
		t.Fatal(err)
	}
	closeLater(t, w)
	return w
}

// identical compares to the bit, so that NaN equals itself.
func identical(t testing.TB, a, b *policy.Weights) bool {
	t.Helper()
	for i := range min(len(a.Tensors), len(b.Tensors)) {
		if !slices.EqualFunc(values(t, a, i), values(t, b, i), func(x, y float32) bool { return math.Float32bits(x) == math.Float32bits(y) }) {
			return false
		}
	}
	return len(a.Tensors) == len(b.Tensors) && slices.EqualFunc(a.Params, b.Params, func(p, q policy.Param) bool {
		return p.Name == q.Name && slices.Equal(p.Dims, q.Dims) && p.Stored() == q.Stored()
	})
}

// show is what weights hold, for a message.
func show(t testing.TB, w *policy.Weights) string {
	t.Helper()
	var out strings.Builder
	for i, p := range w.Params {
		fmt.Fprintf(&out, "%s %v %s %v; ", p.Name, p.Dims, p.Stored(), values(t, w, i))
	}
	return out.String()
}

// What is written is read again, in the same order; equal weights give equal
// bytes, in whatever order the metadata was collected.
func TestWeightsRoundTrip(t *testing.T) {
	d := backendtest.Open(t, backend.Go)
	rapid.Check(t, func(r *rapid.T) {
		names := rapid.SliceOfNDistinct(rapid.String(), 0, 5, rapid.ID).Draw(r, "names")
		var params []policy.Param
		var all [][]float32
		bytesOfTensors := 0
		for _, name := range names {
			p := policy.Param{Name: name, Dims: rapid.SliceOfN(rapid.IntRange(0, 4), 0, 3).Draw(r, "dims")}
			if name == "__metadata__" {
				r.Skip("reserved")
			}
			keep := uint32(math.MaxUint32)
			if rapid.Bool().Draw(r, "half") { // a bfloat16 is the upper half of a float32
				p.Type, keep = dtypes.BFloat16, 0xffff0000
			}
			values := make([]float32, p.Size())
			for i := range values {
				values[i] = math.Float32frombits(rapid.Uint32().Draw(r, "bits") & keep)
			}
			params, all = append(params, p), append(all, values)
			bytesOfTensors += len(values) * p.Stored().Size()
		}
		w, err := policy.UploadWeights(d, params, all)
		if err != nil {
			r.Fatal(err)
		}
		defer w.Close()
		meta := rapid.MapOfN(rapid.StringMatching(`[a-z]{1,4}`), rapid.String(), 0, 3).Draw(r, "meta")
		file := write(t, w, meta)
		if !bytes.Equal(file, write(t, w, meta)) {
			r.Fatal("written twice, the bytes differ")
		}
		got, gotMeta, err := policy.ReadWeights(d, bytes.NewReader(file))
		if err != nil {
			r.Fatal(err)
		}
		defer got.Close()
		if !identical(t, w, got) || fmt.Sprint(meta) != fmt.Sprint(gotMeta) {
			r.Fatalf("wrote %s %v, read %s %v", show(t, w), meta, show(t, got), gotMeta)
		}
		header := int(binary.LittleEndian.Uint64(file)) + 8
		if header%8 != 0 || len(file) != header+bytesOfTensors {
			r.Fatalf("a header that ends at %d, %d bytes in all: the tensors are not aligned, or not of %d bytes", header, len(file), bytesOfTensors)
		}
	})
}

// The bytes of a small file, one by one: what any program that reads the format sees.
func TestBytesOfAFile(t *testing.T) {
	d := backendtest.Open(t, backend.Go)
	w := upload(t, d, []policy.Param{{Name: "b", Dims: []int{2}, Type: dtypes.BFloat16}, {Name: "a", Dims: []int{1, 1}}}, []float32{1, -2.5}, []float32{0.1})
	header := `{"__metadata__":{"order":"[\"b\",\"a\"]"},"a":{"dtype":"F32","shape":[1,1],"data_offsets":[4,8]},"b":{"dtype":"BF16","shape":[2],"data_offsets":[0,4]}}`
	for len(header)%8 != 0 {
		header += " "
	}
	want := append(binary.LittleEndian.AppendUint64(nil, uint64(len(header))), header...)
	want = append(want, 0x80, 0x3f, 0x20, 0xc0, 0xcd, 0xcc, 0xcc, 0x3d) // 1 and −2.5 in 16 bits, 0.1 in 32
	if got := write(t, w, nil); !bytes.Equal(got, want) {
		t.Errorf("got\n%q, want\n%q", got, want)
	}
}

// A file that ends anywhere before its end is refused, and so is one that goes
// on.
func TestTruncatedWeights(t *testing.T) {
	d := backendtest.Open(t, backend.Go)
	w := upload(t, d, []policy.Param{{Name: "weights", Dims: []int{3, 2}}, {Name: "biases", Dims: []int{2}, Type: dtypes.BFloat16}}, []float32{1, 2, 3, 4, 5, 6}, []float32{7, 8})
	file := write(t, w, map[string]string{"a": "b"})
	for n := range len(file) {
		if _, _, err := policy.ReadWeights(d, bytes.NewReader(file[:n])); err == nil || !strings.Contains(err.Error(), "the file ends") {
			t.Fatalf("%d of %d bytes: %v", n, len(file), err)
		}
	}
	if _, _, err := policy.ReadWeights(d, bytes.NewReader(append(file, 0))); err == nil || !strings.Contains(err.Error(), "more bytes follow") {
		t.Errorf("one byte more: %v", err)
	}
	broken := errors.New("broken disk")
	if _, _, err := policy.ReadWeights(d, &failing{file[:len(file)-4], broken}); !errors.Is(err, broken) {
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
	"type":              {`{"x":{"dtype":"F16","shape":[1],"data_offsets":[0,4]}}`, `tensor "x" is of type "F16": expected F32 or BF16`},
	"no type":           {`{"x":{"shape":[1],"data_offsets":[0,4]}}`, `tensor "x" is of type "": expected F32 or BF16`},
	"half the bytes":    {`{"x":{"dtype":"BF16","shape":[1],"data_offsets":[0,4]}}`, `lies at bytes 0 to 4: expected 0 to 2`},
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
	d := backendtest.Open(t, backend.Go)
	for name, test := range badHeaders {
		t.Run(name, func(t *testing.T) {
			_, _, err := policy.ReadWeights(d, bytes.NewReader(headed(test.header)))
			if err == nil || !strings.HasPrefix(err.Error(), "reading weights: ") || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %v, want one line with %q", err, test.want)
			}
		})
	}
	long := binary.LittleEndian.AppendUint64(nil, 1<<40)
	if _, _, err := policy.ReadWeights(d, bytes.NewReader(long)); err == nil || !strings.Contains(err.Error(), "no safetensors file") {
		t.Errorf("a header of a terabyte: %v", err)
	}
}

// A header that promises gigabytes costs no more than the file is long.
func TestReadWeightsMemory(t *testing.T) {
	d := backendtest.Open(t, backend.Go)
	file := headed(badHeaders["large"].header)
	long := append(binary.LittleEndian.AppendUint64(nil, 99_000_000), '{')
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for _, f := range [][]byte{file, long} {
		if _, _, err := policy.ReadWeights(d, bytes.NewReader(f)); err == nil {
			t.Error("a file that promises more than it has is read")
		}
	}
	runtime.ReadMemStats(&after)
	if took := after.TotalAlloc - before.TotalAlloc; took > 1<<20 {
		t.Errorf("two files of %d and %d bytes took %d bytes of memory", len(file), len(long), took)
	}
}

// These files are what testdata/golden.py wrote with the reference implementation.
func TestGoldenWeights(t *testing.T) {
	d := backendtest.Open(t, backend.Go)
	for name, want := range map[string]*policy.Weights{
		"golden.safetensors": upload(t, d,
			[]policy.Param{{Name: "policy/weights", Dims: []int{2, 3}}, {Name: "policy/biases", Dims: []int{3}}, {Name: "scale"}, {Name: "empty", Dims: []int{0, 3}}},
			[]float32{-0.5, -0.25, 0, 0.25, 0.5, 0.75}, []float32{1e-38, -3.5, float32(math.Inf(1))}, []float32{0.1}, []float32{}),
		"golden_bfloat16.safetensors": upload(t, d,
			[]policy.Param{{Name: "norm", Dims: []int{2}}, {Name: "dense", Dims: []int{2, 3}, Type: dtypes.BFloat16}},
			[]float32{0.1, 1. / 3}, []float32{205. / 2048, -2.5, 1 + 2./128, 0x1.c4p127, float32(math.Inf(-1)), 0}),
	} {
		file, err := os.Open("testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		w, meta, err := policy.ReadWeights(d, file)
		if err != nil {
			t.Fatal(err)
		}
		closeLater(t, w)
		if !identical(t, w, want) || len(meta) != 1 || meta["made by"] != "Python" {
			t.Errorf("%s: read %s %v, want %s", name, show(t, w), meta, show(t, want))
		}
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
	d := backendtest.Open(t, backend.Go)
	w := upload(t, d, []policy.Param{{Name: "z", Dims: []int{2, 2}}, {Name: "a", Dims: []int{3}}, {Name: "ö \"", Dims: []int{}}},
		[]float32{1, 2, 3, 4.5}, []float32{-1, 0, 1}, []float32{7})
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
	got, meta, err := policy.ReadWeights(d, file)
	if err != nil {
		t.Fatal(err)
	}
	closeLater(t, got)
	if !identical(t, w, got) || meta["about"] != "a test" {
		t.Errorf("wrote %s, read %s with %v", show(t, w), show(t, got), meta)
	}
}

func FuzzReadWeights(f *testing.F) {
	d := backendtest.Open(f, backend.Go)
	f.Add(write(f, upload(f, d, []policy.Param{{Name: "w", Dims: []int{2, 2}}, {Name: "h", Dims: []int{3}, Type: dtypes.BFloat16}}, []float32{1, 2, 3, 4}, []float32{5, 6, 7}), map[string]string{"k": "v"}))
	for _, bad := range badHeaders {
		f.Add(headed(bad.header))
	}
	for _, name := range []string{"golden.safetensors", "golden_bfloat16.safetensors"} {
		golden, err := os.ReadFile("testdata/" + name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(golden)
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		w, meta, err := policy.ReadWeights(d, bytes.NewReader(file))
		if err != nil {
			return
		}
		defer w.Close()
		total := 0
		for i, p := range w.Params {
			if n := len(values(t, w, i)); n != p.Size() {
				t.Fatalf("%s %v holds %d values", p.Name, p.Dims, n)
			}
			total += p.Size() * p.Stored().Size()
		}
		if total > len(file) {
			t.Fatalf("%d bytes of values in %d bytes", total, len(file))
		}
		again, _, err := policy.ReadWeights(d, bytes.NewReader(write(t, w, meta)))
		if err != nil {
			t.Fatalf("written and read again: %v", err)
		}
		defer again.Close()
		if !identical(t, w, again) {
			t.Fatalf("written %s and read %s", show(t, w), show(t, again))
		}
	})
}
