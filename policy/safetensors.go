package policy

import (
	"cmp"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"

	"github.com/gomlx/compute/dtypes"

	"github.com/agon-rl/agon/policy/backend"
)

// maxHeader bounds the header of a weights file; the reference implementation
// of safetensors has the same bound.
const maxHeader = 100_000_000

// maxValues bounds the values of one tensor, far beyond any network here, so
// that no product of dimensions in a damaged header overflows.
const maxValues = 1 << 32

// orderKey is the entry of the metadata that lists the tensors in the
// network's order; programs that rewrite a file may store them in another.
const orderKey = "order"

// tensorEntry is what the header says of a tensor.
type tensorEntry struct {
	DType   string   `json:"dtype"`
	Shape   []int    `json:"shape"`
	Offsets [2]int64 `json:"data_offsets"` // first byte and the byte after the last, in the data
}

func (e tensorEntry) stored() dtypes.DType {
	if e.DType == typeNames[dtypes.BFloat16] {
		return dtypes.BFloat16
	}
	return dtypes.Float32
}

// WriteWeights writes weights in the safetensors layout: the length of a JSON
// header in 8 bytes, the header with each tensor's type, shape and offsets, and
// the values, little-endian, as they are stored. Tensors leave the device one by
// one. meta goes into the header's __metadata__. Equal weights give equal bytes.
func WriteWeights(out io.Writer, w *Weights, meta map[string]string) error {
	header := map[string]any{}
	order := make([]string, len(w.Params))
	end := int64(0)
	for i, p := range w.Params {
		start := end
		end += int64(p.Stored().Size()) * int64(p.Size())
		header[p.Name] = tensorEntry{typeNames[p.Stored()], append([]int{}, p.Dims...), [2]int64{start, end}}
		order[i] = p.Name
	}
	names, err := json.Marshal(order)
	if err != nil {
		return fmt.Errorf("writing weights: %w", err)
	}
	full := map[string]string{}
	maps.Copy(full, meta)
	full[orderKey] = string(names)
	header["__metadata__"] = full
	text, err := json.Marshal(header)
	if err != nil {
		return fmt.Errorf("writing weights: %w", err)
	}
	for len(text)%8 != 0 {
		text = append(text, ' ')
	}
	if len(text) > maxHeader {
		return fmt.Errorf("writing weights: a header of %d bytes is larger than the largest, %d: use an mlp where a table has too many rows", len(text), maxHeader)
	}
	buf := append(binary.LittleEndian.AppendUint64(nil, uint64(len(text))), text...)
	for i := range w.Params {
		if _, err := out.Write(buf); err != nil {
			return fmt.Errorf("writing weights: %w", err)
		}
		values, err := w.Values(i)
		if err != nil {
			return fmt.Errorf("writing weights: %w", err)
		}
		buf = encodeFloats(buf[:0], w.Params[i].Stored(), values)
	}
	if _, err := out.Write(buf); err != nil {
		return fmt.Errorf("writing weights: %w", err)
	}
	return nil
}

// typeNames are the file's names of the types that weights are stored as.
var typeNames = map[dtypes.DType]string{dtypes.Float32: "F32", dtypes.BFloat16: "BF16"}

// encodeFloats appends values as they are stored. The upper half of a float32 is a
// bfloat16: what comes from the device as one loses nothing.
func encodeFloats(buf []byte, stored dtypes.DType, values []float32) []byte {
	for _, v := range values {
		if bits := math.Float32bits(v); stored == dtypes.BFloat16 {
			buf = binary.LittleEndian.AppendUint16(buf, uint16(bits>>16))
		} else {
			buf = binary.LittleEndian.AppendUint32(buf, bits)
		}
	}
	return buf
}

// decodeFloats reads what encodeFloats wrote.
func decodeFloats(data []byte, stored dtypes.DType) []float32 {
	values := make([]float32, len(data)/stored.Size())
	for i := range values {
		if stored == dtypes.BFloat16 {
			values[i] = math.Float32frombits(uint32(binary.LittleEndian.Uint16(data[2*i:])) << 16)
		} else {
			values[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
		}
	}
	return values
}

// ReadWeights reads what WriteWeights wrote to a device, or any safetensors file of
// tensors of float32 or bfloat16; one that does not list the network's order has its
// tensors as they lie in the file. It holds one tensor at a time and no more memory
// than a small multiple of what in gives, whatever the header claims.
func ReadWeights(device backend.Backend, in io.Reader) (*Weights, map[string]string, error) {
	w, meta, err := readWeights(device, in)
	if err != nil {
		return nil, nil, fmt.Errorf("reading weights: %w", err)
	}
	return w, meta, nil
}

func readWeights(device backend.Backend, in io.Reader) (_ *Weights, _ map[string]string, err error) {
	entries, meta, err := readHeader(in)
	if err != nil {
		return nil, nil, err
	}
	inFile, size, err := layout(entries)
	if err != nil {
		return nil, nil, err
	}
	order := inFile
	if text, ok := meta[orderKey]; ok {
		if order, err = listed(text, entries); err != nil {
			return nil, nil, err
		}
		delete(meta, orderKey)
	}
	byName := map[string]*backend.Tensor{}
	defer func() {
		if err != nil {
			_ = backend.Free(slices.Collect(maps.Values(byName))) // the first error counts
		}
	}()
	for _, name := range inFile {
		if byName[name], err = readTensor(device, in, entries[name], size); err != nil {
			return nil, nil, fmt.Errorf("tensor %q: %w", name, err)
		}
	}
	switch n, err := io.ReadFull(in, make([]byte, 1)); {
	case n > 0:
		return nil, nil, fmt.Errorf("more bytes follow the last tensor")
	case err != io.EOF:
		return nil, nil, err
	}
	w := NewWeights(nil, nil)
	for _, name := range order {
		w.Params = append(w.Params, Param{Name: name, Dims: entries[name].Shape, Type: entries[name].stored()})
		w.Tensors = append(w.Tensors, byName[name])
	}
	return w, meta, nil
}

// readTensor reads the values of the file's next tensor, of size bytes in all.
func readTensor(device backend.Backend, in io.Reader, e tensorEntry, size int64) (*backend.Tensor, error) {
	data, err := io.ReadAll(io.LimitReader(in, e.Offsets[1]-e.Offsets[0]))
	if err != nil {
		return nil, err
	}
	if end := e.Offsets[0] + int64(len(data)); end < e.Offsets[1] {
		return nil, fmt.Errorf("the file ends after %d of %d bytes of tensors", end, size)
	}
	return backend.UploadAs(device, e.stored(), decodeFloats(data, e.stored()), e.Shape...)
}

// readHeader reads the length and the header.
func readHeader(in io.Reader) (map[string]tensorEntry, map[string]string, error) {
	var length [8]byte
	if _, err := io.ReadFull(in, length[:]); err != nil {
		return nil, nil, fmt.Errorf("the file ends in its first 8 bytes: %w", err)
	}
	n := binary.LittleEndian.Uint64(length[:])
	if n > maxHeader {
		return nil, nil, fmt.Errorf("a header of %d bytes: this is no safetensors file", n)
	}
	text, err := io.ReadAll(io.LimitReader(in, int64(n)))
	if err != nil {
		return nil, nil, err
	}
	if uint64(len(text)) < n {
		return nil, nil, fmt.Errorf("the file ends in its header: %w", io.ErrUnexpectedEOF)
	}
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(text, &raw); err != nil {
		return nil, nil, fmt.Errorf("the header is no JSON object: %w", err)
	}
	meta := map[string]string{}
	entries := make(map[string]tensorEntry, len(raw))
	for _, name := range slices.Sorted(maps.Keys(raw)) {
		if name == "__metadata__" {
			if err := json.Unmarshal(raw[name], &meta); err != nil {
				return nil, nil, fmt.Errorf("the header's __metadata__: expected texts by name: %w", err)
			}
			continue
		}
		var e tensorEntry
		if err := json.Unmarshal(raw[name], &e); err != nil {
			return nil, nil, fmt.Errorf("tensor %q: %w", name, err)
		}
		entries[name] = e
	}
	return entries, meta, nil
}

// layout checks that the tensors are of floats and fill the data without gap
// or overlap. It returns their names as they lie there, and the data's size in
// bytes.
func layout(entries map[string]tensorEntry) (names []string, size int64, err error) {
	names = slices.SortedFunc(maps.Keys(entries), func(a, b string) int {
		x, y := entries[a].Offsets, entries[b].Offsets
		return cmp.Or(cmp.Compare(x[0], y[0]), cmp.Compare(x[1], y[1]), cmp.Compare(a, b))
	})
	for _, name := range names {
		e := entries[name]
		if typeNames[e.stored()] != e.DType {
			return nil, 0, fmt.Errorf("tensor %q is of type %q: expected F32 or BF16", name, e.DType)
		}
		width := int64(e.stored().Size())
		values := int64(1)
		for _, d := range e.Shape {
			if d < 0 || int64(d) > maxValues/max(1, values) {
				return nil, 0, fmt.Errorf("tensor %q has the shape %v", name, e.Shape)
			}
			values *= int64(d)
		}
		if e.Offsets[0] != size || e.Offsets[1] != size+width*values {
			return nil, 0, fmt.Errorf("tensor %q of shape %v lies at bytes %d to %d: expected %d to %d", name, e.Shape, e.Offsets[0], e.Offsets[1], size, size+width*values)
		}
		size = e.Offsets[1]
	}
	return names, size, nil
}

// listed reads the order of tensors from the metadata.
func listed(text string, entries map[string]tensorEntry) ([]string, error) {
	var order []string
	if err := json.Unmarshal([]byte(text), &order); err != nil {
		return nil, fmt.Errorf("the order of tensors in the metadata: %w", err)
	}
	if !slices.Equal(slices.Sorted(slices.Values(order)), slices.Sorted(maps.Keys(entries))) {
		return nil, fmt.Errorf("the order of tensors in the metadata does not name each of the file's %d tensors once", len(entries))
	}
	return order, nil
}
