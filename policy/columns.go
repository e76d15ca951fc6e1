package policy

import (
	"fmt"
	"maps"
	"slices"

	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // graph code reads as formulas

	"github.com/agon-rl/agon/policy/backend"
)

// Columns are what an update learns from, by name. An architecture packs turns into
// those that its Forward reads; a lesson adds its own, one value a turn or a pick. All
// are padded to sizes of which a run meets few, so that soon nothing compiles any more.
type Columns struct {
	Turns, Picks             int // real ones
	PaddedTurns, PaddedPicks int
	Rows                     int // distinct states

	columns map[string]column
}

// column holds values of one of the two types.
type column struct {
	floats []float32
	ints   []int32
	dims   []int
}

// Floats adds a column of floats.
func (c *Columns) Floats(name string, values []float32, dims ...int) {
	c.add(name, column{floats: values, dims: dims})
}

// Ints adds a column of whole numbers.
func (c *Columns) Ints(name string, values []int32, dims ...int) {
	c.add(name, column{ints: values, dims: dims})
}

func (c *Columns) add(name string, values column) {
	if c.columns == nil {
		c.columns = map[string]column{}
	}
	c.columns[name] = values
}

// ByTurn adds a column [turns]; padding is 0.
func (c *Columns) ByTurn(name string, turns []Turn, of func(t *Turn) float32) {
	values := make([]float32, c.PaddedTurns)
	for i := range turns {
		values[i] = of(&turns[i])
	}
	c.Floats(name, values, c.PaddedTurns)
}

// ByPick adds a column [picks], the picks of one turn after the other; padding is 0.
func (c *Columns) ByPick(name string, turns []Turn, of func(t *Turn, pick int) float32) {
	values := make([]float32, 0, c.PaddedPicks)
	for i := range turns {
		for j := range turns[i].Picks {
			values = append(values, of(&turns[i], j))
		}
	}
	c.Floats(name, values[:c.PaddedPicks], c.PaddedPicks)
}

// Batch holds columns on a device.
type Batch struct {
	Turns, Picks, Rows int // without padding

	device      backend.Backend
	paddedPicks int
	names       []string // sorted
	tensors     []*backend.Tensor
}

// NewBatch moves columns to a device. Free them by Close.
func NewBatch(device backend.Backend, c Columns) (*Batch, error) {
	b := &Batch{Turns: c.Turns, Picks: c.Picks, Rows: c.Rows, device: device, paddedPicks: c.PaddedPicks, names: slices.Sorted(maps.Keys(c.columns))}
	for _, name := range b.names {
		x := c.columns[name]
		var t *backend.Tensor
		var err error
		if x.ints != nil {
			t, err = backend.Upload(device, x.ints, x.dims...)
		} else {
			t, err = backend.Upload(device, x.floats, x.dims...)
		}
		if err != nil {
			_ = b.Close() // the first error counts
			return nil, fmt.Errorf("column %s: %w", name, err)
		}
		b.tensors = append(b.tensors, t)
	}
	return b, nil
}

// SetByPick replaces the values of a column [picks].
func (b *Batch) SetByPick(name string, values []float32) error {
	i, ok := slices.BinarySearch(b.names, name)
	if !ok || len(values) != b.Picks {
		return fmt.Errorf("column %s: %d values: expected %d of a column that the batch has, %v", name, len(values), b.Picks, b.names)
	}
	full := make([]float32, b.paddedPicks)
	copy(full, values)
	t, err := backend.Upload(b.device, full, b.paddedPicks)
	if err != nil {
		return err
	}
	old := b.tensors[i]
	b.tensors[i] = t
	return old.Free()
}

// Tensors are the columns in the order of their names, as Nodes reads them.
func (b *Batch) Tensors() []*backend.Tensor { return b.tensors }

// Names are the sorted names of the columns.
func (b *Batch) Names() []string { return b.names }

// Close frees the columns.
func (b *Batch) Close() error { return backend.Free(b.tensors) }

// ColumnNodes are a batch's columns in a graph, by name.
type ColumnNodes map[string]*Node

// Nodes names the nodes of a batch's tensors.
func Nodes(names []string, in []*Node) ColumnNodes {
	out := ColumnNodes{}
	for i, name := range names {
		out[name] = in[i]
	}
	return out
}

// Outputs are what an architecture computes of a batch, for lessons to read. What no
// lesson reads is not computed.
type Outputs struct {
	LogProb *Node // [picks] log π of what was picked
	Entropy *Node // [picks] of π over what could have been picked
	KL      *Node // [picks] KL(π ‖ reference); the reference is uniform where there are no weights of one
	// Reference is [picks] log of what was picked by the reference's weights; nil
	// where there are none.
	Reference *Node
	// CrossEntropy is [picks] −Σ target·log π, and TargetEntropy that with the target
	// in π's place; nil where turns have no targets.
	CrossEntropy, TargetEntropy *Node
	Value                       *Node // [turns]
	// Picks [picks] and Turns [turns] are 1, and 0 for padding.
	Picks, Turns *Node
	// TurnOf is [picks] the number of a pick's turn; nil where a turn is one pick.
	TurnOf *Node
}

// Spread gives each pick what its turn has.
func (o Outputs) Spread(byTurn *Node) *Node {
	if o.TurnOf == nil {
		return byTurn
	}
	return Gather(byTurn, InsertAxes(o.TurnOf, -1))
}

// Sum adds up what a turn's picks have; padding counts nothing.
func (o Outputs) Sum(byPick *Node) *Node {
	if o.TurnOf == nil {
		return byPick
	}
	turns := o.Turns.Shape().Dim(0)
	return ReduceSum(Mul(OneHot(o.TurnOf, turns, byPick.DType()), InsertAxes(Mul(byPick, o.Picks), -1)), 0)
}
