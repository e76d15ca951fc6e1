package policy

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // graph code reads as formulas
	"github.com/gomlx/gomlx/ml/layers/activation"
	"github.com/gomlx/gomlx/ml/nn"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/internal/spec"
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
	// Type is how weights are stored: float32, also where it is left out, or
	// bfloat16, in half the memory. Graphs compute in float32.
	Type string `yaml:"type,omitempty" json:"Type,omitempty"`
	// Freeze names tensors that are not trained, such as hidden_0/weights, or all
	// whose names begin so, such as hidden_0.
	Freeze []string `yaml:"freeze,omitempty" json:"Freeze,omitempty"`
}

// Kinds lists the architectures.
var Kinds = []string{"mlp", "resnet", "table"}

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
	if a.Type != "" && a.Type != "float32" && a.Type != "bfloat16" {
		return fmt.Errorf("policy.type: %q: expected float32 or bfloat16", a.Type)
	}
	return a.validateFreeze(info)
}

// validateFreeze refuses names of tensors that the network does not have, and to
// freeze all of them.
func (a Arch) validateFreeze(info games.Info) error {
	input := info.Tensor
	if a.Kind == "table" {
		input = []int{1}
	}
	params := a.Params(input, info.Actions)
	for _, name := range a.Freeze {
		if !slices.ContainsFunc(params, func(p Param) bool { return begins(p.Name, name) }) {
			var names []string
			for _, p := range params {
				names = append(names, p.Name)
			}
			return fmt.Errorf("policy.freeze: %q: the network has no such tensor%s; it has %s", name, spec.Suggest(name, names), strings.Join(names, ", "))
		}
	}
	if !slices.ContainsFunc(params, func(p Param) bool { return !p.Frozen }) {
		return fmt.Errorf("policy.freeze: %v: nothing is left to train", a.Freeze)
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
		params = append(params, Param{Name: name + "/weights", Dims: []int{in, out}, Scale: scale}, Param{Name: name + "/biases", Dims: []int{out}})
	}
	conv := func(name string, in, out int, scale float64) {
		params = append(params, Param{Name: name + "/weights", Dims: []int{3, 3, in, out}, Scale: scale}, Param{Name: name + "/biases", Dims: []int{out}})
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
		params = append(params, Param{Name: "logits", Dims: []int{input[0], actions}}, Param{Name: "values", Dims: []int{input[0], 1}})
	}
	for i := range params {
		if a.Type == "bfloat16" {
			params[i].Type = dtypes.BFloat16
		}
		params[i].Frozen = slices.ContainsFunc(a.Freeze, func(name string) bool { return begins(params[i].Name, name) })
	}
	return params
}

// begins tells whether a tensor's name is prefix, or goes on after it with a slash.
func begins(name, prefix string) bool {
	rest, ok := strings.CutPrefix(name, prefix)
	return ok && (rest == "" || rest[0] == '/')
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
