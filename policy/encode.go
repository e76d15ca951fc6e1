package policy

import (
	"fmt"

	"github.com/agon-rl/agon/games"
)

// Encoder writes a state as a network in the seat to move sees it.
type Encoder interface {
	// Shape is the shape of one encoded state.
	Shape() []int
	// Size is the number of values that Encode writes.
	Size() int
	Encode(s games.State, seat games.Seat, dst []float32) error
}

// Tensors encodes states by their own observation tensor.
type Tensors struct{ info games.Info }

// NewTensors returns the encoder of a game's observation tensors.
func NewTensors(info games.Info) Tensors { return Tensors{info} }

// Shape implements Encoder.
func (t Tensors) Shape() []int { return t.info.Tensor }

// Size implements Encoder.
func (t Tensors) Size() int { return t.info.TensorSize() }

// Encode implements Encoder.
func (t Tensors) Encode(s games.State, seat games.Seat, dst []float32) error {
	s.Observe(seat, dst)
	return nil
}

// Rows encodes a state as the number of its information state: what a table
// takes.
type Rows struct{ rows map[string]int }

// NewRows numbers the information states in the order given.
func NewRows(keys []string) Rows {
	rows := make(map[string]int, len(keys))
	for _, key := range keys {
		if _, ok := rows[key]; !ok {
			rows[key] = len(rows)
		}
	}
	return Rows{rows}
}

// Shape implements Encoder: the number of rows.
func (r Rows) Shape() []int { return []int{len(r.rows)} }

// Size implements Encoder.
func (r Rows) Size() int { return 1 }

// Encode implements Encoder.
func (r Rows) Encode(s games.State, seat games.Seat, dst []float32) error {
	key := s.AppendKey(nil, seat)
	row, ok := r.rows[string(key)]
	if !ok {
		return fmt.Errorf("the table has no row for the information state %q", key)
	}
	dst[0] = float32(row)
	return nil
}
