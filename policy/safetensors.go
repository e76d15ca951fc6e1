package policy

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
)

// maxHeader bounds the header of a weights file that is read.
const maxHeader = 16 << 20

// WriteWeights writes weights in the safetensors layout: the length of a JSON
// header in 8 bytes, the header with each tensor's type, shape and offsets, and
// the values as little-endian float32. meta goes into the header's
// __metadata__. Equal weights give equal bytes.
func WriteWeights(out io.Writer, w *Weights, meta map[string]string) error {
	type entry struct {
		DType   string   `json:"dtype"`
		Shape   []int    `json:"shape"`
		Offsets [2]int64 `json:"data_offsets"`
	}
	header := map[string]any{"__metadata__": meta}
	order := make([]string, len(w.Params))
	end := int64(0)
	for i, p := range w.Params {
		start := end
		end += 4 * int64(p.Size())
		header[p.Name] = entry{"F32", p.Dims, [2]int64{start, end}}
		order[i] = p.Name
	}
	names, err := json.Marshal(order)
	if err != nil {
		return err
	}
	full := map[string]string{"order": string(names)}
	for k, v := range meta {
		full[k] = v
	}
	header["__metadata__"] = full
	text, err := json.Marshal(header)
	if err != nil {
		return fmt.Errorf("writing weights: %w", err)
	}
	for len(text)%8 != 0 {
		text = append(text, ' ')
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

// ReadWeights reads what WriteWeights wrote.
func ReadWeights(in io.Reader) (*Weights, map[string]string, error) {
	fail := func(format string, args ...any) (*Weights, map[string]string, error) {
		return nil, nil, fmt.Errorf("reading weights: "+format, args...)
	}
	var length [8]byte
	if _, err := io.ReadFull(in, length[:]); err != nil {
		return fail("the file ends in its first 8 bytes: %w", err)
	}
	n := binary.LittleEndian.Uint64(length[:])
	if n > maxHeader {
		return fail("a header of %d bytes: this is no safetensors file", n)
	}
	text := make([]byte, n)
	if _, err := io.ReadFull(in, text); err != nil {
		return fail("the file ends in its header: %w", err)
	}
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(text, &raw); err != nil {
		return fail("the header is no JSON object: %w", err)
	}
	var meta map[string]string
	if err := json.Unmarshal(raw["__metadata__"], &meta); err != nil {
		return fail("the header has no __metadata__: %w", err)
	}
	var order []string
	if err := json.Unmarshal([]byte(meta["order"]), &order); err != nil {
		return fail("the metadata has no order of tensors: %w", err)
	}
	delete(meta, "order")
	w := &Weights{}
	for _, name := range order {
		var entry struct {
			DType string `json:"dtype"`
			Shape []int  `json:"shape"`
		}
		if err := json.Unmarshal(raw[name], &entry); err != nil || entry.DType != "F32" {
			return fail("tensor %q: expected an entry of type F32", name)
		}
		p := Param{Name: name, Dims: entry.Shape}
		if p.Size() < 0 || p.Size() > 1<<31 {
			return fail("tensor %q has the shape %v", name, entry.Shape)
		}
		data := make([]byte, 4*p.Size())
		if _, err := io.ReadFull(in, data); err != nil {
			return fail("the file ends in tensor %q: %w", name, err)
		}
		values := make([]float32, p.Size())
		for i := range values {
			values[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
		}
		w.Params, w.Values = append(w.Params, p), append(w.Values, values)
	}
	if extra, _ := io.Copy(io.Discard, in); extra > 0 {
		return fail("%d bytes follow the last tensor", extra)
	}
	return w, meta, nil
}
