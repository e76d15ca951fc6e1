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

// WriteWeights writes weights in the safetensors layout: the length of a JSON
// header in 8 bytes, the header with each tensor's type, shape and offsets, and
// the values as little-endian float32. meta goes into the header's
// __metadata__. Equal weights give equal bytes.
func WriteWeights(out io.Writer, w *Weights, meta map[string]string) error {
	header := map[string]any{}
	order := make([]string, len(w.Params))
	end := int64(0)
	for i, p := range w.Params {
		start := end
		end += 4 * int64(p.Size())
		header[p.Name] = tensorEntry{"F32", append([]int{}, p.Dims...), [2]int64{start, end}}
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
	buf := binary.LittleEndian.AppendUint64(nil, uint64(len(text)))
	buf = append(buf, text...)
	for _, values := range w.Values {
		for _, v := range values {
			buf = binary.LittleEndian.AppendUint32(buf, math.Float32bits(v))
		}
	}
	if _, err := out.Write(buf); err != nil {
		return fmt.Errorf("writing weights: %w", err)
	}
	return nil
}

// ReadWeights reads what WriteWeights wrote, or any safetensors file of float32
// tensors; one that does not list the network's order has its tensors as they
// lie in the file. It holds no more memory than a small multiple of what in
// gives, whatever the header claims.
func ReadWeights(in io.Reader) (*Weights, map[string]string, error) {
	w, meta, err := readWeights(in)
	if err != nil {
		return nil, nil, fmt.Errorf("reading weights: %w", err)
	}
	return w, meta, nil
}

func readWeights(in io.Reader) (*Weights, map[string]string, error) {
	entries, meta, err := readHeader(in)
	if err != nil {
		return nil, nil, err
	}
	order, size, err := layout(entries)
	if err != nil {
		return nil, nil, err
	}
	if text, ok := meta[orderKey]; ok {
		if order, err = listed(text, entries); err != nil {
			return nil, nil, err
		}
		delete(meta, orderKey)
	}
	data, err := io.ReadAll(io.LimitReader(in, size))
	if err != nil {
		return nil, nil, err
	}
	if int64(len(data)) < size {
		return nil, nil, fmt.Errorf("the file ends after %d of %d bytes of tensors", len(data), size)
	}
	switch n, err := io.ReadFull(in, make([]byte, 1)); {
	case n > 0:
		return nil, nil, fmt.Errorf("more bytes follow the last tensor")
	case err != io.EOF:
		return nil, nil, err
	}
	w := &Weights{}
	for _, name := range order {
		e := entries[name]
		values := make([]float32, (e.Offsets[1]-e.Offsets[0])/4)
		for i := range values {
			values[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[e.Offsets[0]+4*int64(i):]))
		}
		w.Params, w.Values = append(w.Params, Param{Name: name, Dims: e.Shape}), append(w.Values, values)
	}
	return w, meta, nil
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

// layout checks that the tensors are of float32 and fill the data without gap
// or overlap. It returns their names as they lie there, and the data's size in
// bytes.
func layout(entries map[string]tensorEntry) (names []string, size int64, err error) {
	names = slices.SortedFunc(maps.Keys(entries), func(a, b string) int {
		x, y := entries[a].Offsets, entries[b].Offsets
		return cmp.Or(cmp.Compare(x[0], y[0]), cmp.Compare(x[1], y[1]), cmp.Compare(a, b))
	})
	for _, name := range names {
		e := entries[name]
		if e.DType != "F32" {
			return nil, 0, fmt.Errorf("tensor %q is of type %q: expected F32", name, e.DType)
		}
		values := int64(1)
		for _, d := range e.Shape {
			if d < 0 || int64(d) > maxValues/max(1, values) {
				return nil, 0, fmt.Errorf("tensor %q has the shape %v", name, e.Shape)
			}
			values *= int64(d)
		}
		if e.Offsets[0] != size || e.Offsets[1] != size+4*values {
			return nil, 0, fmt.Errorf("tensor %q of shape %v lies at bytes %d to %d: expected %d to %d", name, e.Shape, e.Offsets[0], e.Offsets[1], size, size+4*values)
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
