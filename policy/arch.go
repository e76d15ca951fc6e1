package policy

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // graph code reads as formulas
	"github.com/gomlx/gomlx/ml/layers/activation"
	"github.com/gomlx/gomlx/ml/nn"
	"github.com/gomlx/gomlx/support/exceptions"

	"github.com/agon-rl/agon/games"
)

// Arch describes what maps an encoded state to logits over the game's actions
// and a value for the seat to move. It is part of a recipe.
type Arch struct {
	// Kind is mlp (fully connected), resnet (a residual convolution for
	// boards: tensors [planes, rows, columns]) or table (a row of logits for
	// each information state).
	Kind string `yaml:"kind"`
	// Hidden holds the widths of the MLP's hidden layers.
	Hidden []int `yaml:"hidden,omitempty"`
	// Activation of the MLP: relu or tanh.
	Activation string `yaml:"activation,omitempty"`
	// Blocks and Channels size the residual tower.
	Blocks   int `yaml:"blocks,omitempty"`
	Channels int `yaml:"channels,omitempty"`
}

// Kinds lists the architectures.
var Kinds = []string{"mlp", "resnet", "table"}

// Param is one trained tensor: its name, shape and how it starts.
type Param struct {
	Name string
	Dims []int
	// Scale is the standard deviation of the normal distribution that the
	// values start from; zero starts them at zero.
	Scale float64
}

// Size is the number of values.
func (p Param) Size() int {
	n := 1
	for _, d := range p.Dims {
		n *= d
	}
	return n
}

// Validate says what is wrong with the architecture for a game.
func (a Arch) Validate(info games.Info) error {
	switch a.Kind {
	case "mlp":
		for _, width := range a.Hidden {
			if width < 1 || width > 8192 {
				return fmt.Errorf("policy.hidden: width %d: expected 1 to 8192", width)
			}
		}
		if a.Activation != "relu" && a.Activation != "tanh" {
			return fmt.Errorf("policy.activation: %q: expected relu or tanh", a.Activation)
		}
	case "resnet":
		if len(info.Tensor) != 3 {
			return fmt.Errorf("policy.kind: resnet needs a board, a tensor [planes, rows, columns]; that of %s is %v: use mlp", info.Name, info.Tensor)
		}
		if a.Blocks < 0 || a.Blocks > 64 || a.Channels < 1 || a.Channels > 1024 {
			return fmt.Errorf("policy.blocks, policy.channels: %d, %d: expected 0 to 64 and 1 to 1024", a.Blocks, a.Channels)
		}
	case "table":
	default:
		return fmt.Errorf("policy.kind: %q: expected %s", a.Kind, strings.Join(Kinds, ", "))
	}
	return nil
}

// headScale keeps the first policy close to uniform and the first values close
// to zero.
const headScale = 0.01

// Params lists the tensors of the network, in the order in which the graph
// takes them. input is the shape of one encoded state, for a table [rows].
func (a Arch) Params(input []int, actions int) []Param {
	var params []Param
	dense := func(name string, in, out int, scale float64) {
		params = append(params, Param{name + "/weights", []int{in, out}, scale}, Param{name + "/biases", []int{out}, 0})
	}
	conv := func(name string, in, out int, scale float64) {
		params = append(params, Param{name + "/weights", []int{3, 3, in, out}, scale}, Param{name + "/biases", []int{out}, 0})
	}
	he := func(fanIn int) float64 { return math.Sqrt(2 / float64(fanIn)) } // He et al. 2015, eq. 10
	switch a.Kind {
	case "mlp":
		in := size(input)
		for i, width := range a.Hidden {
			dense(fmt.Sprintf("hidden_%d", i), in, width, he(in))
			in = width
		}
		dense("policy", in, actions, headScale)
		dense("value", in, 1, headScale)
	case "resnet":
		c := a.Channels
		conv("stem", input[0], c, he(9*input[0]))
		for i := range a.Blocks {
			conv(fmt.Sprintf("block_%d/first", i), c, c, he(9*c))
			conv(fmt.Sprintf("block_%d/second", i), c, c, he(9*c)/math.Sqrt(float64(2*a.Blocks)))
		}
		flat := c * input[1] * input[2]
		dense("policy", flat, actions, headScale)
		dense("value", flat, 1, headScale)
	case "table":
		params = append(params, Param{"logits", []int{input[0], actions}, 0}, Param{"values", []int{input[0], 1}, 0})
	}
	return params
}

func size(dims []int) int { return Param{Dims: dims}.Size() }

// Forward builds the network: encoded states x [rows, …input] to logits
// [rows, actions] and values [rows].
func (a Arch) Forward(params []*Node, input []int, x *Node) (logits, values *Node) {
	next := func() *Node {
		p := params[0]
		params = params[1:]
		return p
	}
	dense := func(x *Node, act activation.Type) *Node {
		weights := next()
		return nn.Dense(x, weights, next(), compute.DenseLayoutInputOutputs, act)
	}
	rows := x.Shape().Dimensions[0]
	switch a.Kind {
	case "mlp":
		act := activation.TypeRelu
		if a.Activation == "tanh" {
			act = activation.TypeTanh
		}
		x = Reshape(x, rows, size(input))
		for range a.Hidden {
			x = dense(x, act)
		}
	case "resnet":
		conv := func(x *Node) *Node {
			weights := next()
			return Add(Convolve(x, weights).PadSame().Done(), Reshape(next(), 1, 1, 1, a.Channels))
		}
		relu := func(x *Node) *Node { return MaxScalar(x, 0) }
		x = TransposeAllAxes(Reshape(x, append([]int{rows}, input...)...), 0, 2, 3, 1) // channels last
		x = relu(conv(x))
		for range a.Blocks {
			x = relu(Add(x, conv(relu(conv(x)))))
		}
		x = Reshape(x, rows, a.Channels*input[1]*input[2])
	case "table":
		row := ConvertDType(Reshape(x, rows, 1), indexType)
		logits, values = Gather(next(), row), Gather(next(), row)
		return logits, Reshape(values, rows)
	}
	logits = dense(x, activation.TypeNone)
	return logits, Reshape(dense(x, activation.TypeNone), rows)
}

// Weights are the values of a network's tensors. They do not change once made:
// an update makes new ones, so a snapshot is a pointer.
type Weights struct {
	Params []Param
	Values [][]float32 // parallel to Params
}

// NewWeights draws the starting weights.
func NewWeights(params []Param, r *rand.Rand) *Weights {
	w := &Weights{Params: params, Values: make([][]float32, len(params))}
	for i, p := range params {
		w.Values[i] = make([]float32, p.Size())
		if p.Scale == 0 {
			continue
		}
		for j := range w.Values[i] {
			w.Values[i][j] = float32(r.NormFloat64() * p.Scale)
		}
	}
	return w
}

// Check says whether the weights fit a network.
func (w *Weights) Check(params []Param) error {
	if len(w.Params) != len(params) {
		return fmt.Errorf("the weights hold %d tensors, the network has %d", len(w.Params), len(params))
	}
	if len(w.Values) != len(params) {
		return fmt.Errorf("the weights hold %d tensors with the values of %d", len(params), len(w.Values))
	}
	for i, p := range params {
		if got := w.Params[i]; got.Name != p.Name || !slices.Equal(got.Dims, p.Dims) {
			return fmt.Errorf("the weights hold %s %v where the network has %s %v", got.Name, got.Dims, p.Name, p.Dims)
		}
		if len(w.Values[i]) != p.Size() {
			return fmt.Errorf("the weights hold %d values of %s %v", len(w.Values[i]), p.Name, p.Dims)
		}
	}
	return nil
}

// catch runs graph-building or executing code and returns its panic as an
// error: GoMLX panics, and no panic crosses this package's border.
func catch(fn func()) error { return exceptions.TryCatch[error](fn) }
