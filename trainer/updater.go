package trainer

import (
	"fmt"
	"math"

	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // graph code reads as formulas
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/support/exceptions"

	"github.com/agon-rl/agon/policy"
)

// Optimizer is Adam (Kingma & Ba 2015, arXiv 1412.6980, algorithm 1), with
// decoupled weight decay (AdamW, Loshchilov & Hutter 2019, arXiv 1711.05101)
// where WeightDecay is not zero, on gradients clipped to a global norm.
type Optimizer struct {
	Beta1       float64 `yaml:"beta1"`
	Beta2       float64 `yaml:"beta2"`
	Epsilon     float64 `yaml:"epsilon"`
	WeightDecay float64 `yaml:"weight_decay"`
	// ClipNorm bounds the norm of the gradient over all tensors; 0 for none.
	ClipNorm float64 `yaml:"clip_norm"`
}

// Coefficients are the numbers of one update that schedules move. They are
// inputs of the compiled graph, so that a schedule compiles nothing anew.
type Coefficients struct {
	Rate, Entropy, Magnet, Value float64
}

// Updater changes a network's weights by gradient steps on batches. One
// compiled call evaluates the network on the batch's distinct states, the loss
// on its turns, the gradient, and the optimizer's step.
type Updater struct {
	model     *policy.Model
	optimizer Optimizer
	copies    bool // the magnet is a copy of the network
	lessons   map[string]*graphs

	state State
}

// graphs are the compiled graphs of a lesson.
type graphs struct {
	Lesson
	update, gradient, forward *Exec
}

// State is all that an updater must save: the weights, the optimizer's
// moments, its count of steps and the magnet's weights.
type State struct {
	Steps   uint64
	Weights *policy.Weights
	First   *policy.Weights // Adam's first moments
	Second  *policy.Weights // Adam's second moments
	Magnet  *policy.Weights // nil for the uniform magnet
}

// NewUpdater prepares the update's graphs, one for each lesson; they are
// compiled at the first batch of each size. copies says that the magnet is a
// copy of the network, which starts as the network itself.
func NewUpdater(m *policy.Model, opt Optimizer, start *policy.Weights, copies bool, lessons ...Lesson) (*Updater, error) {
	if err := start.Check(m.Params); err != nil {
		return nil, err
	}
	u := &Updater{model: m, optimizer: opt, copies: copies, lessons: map[string]*graphs{}}
	u.state = State{Weights: start, First: zeros(m.Params), Second: zeros(m.Params)}
	if copies {
		u.state.Magnet = start
	}
	for _, lesson := range lessons {
		if err := lesson.validate(); err != nil {
			return nil, err
		}
		g := &graphs{Lesson: lesson}
		err := exceptions.TryCatch[error](func() {
			g.update = MustNewExec(m.Backend, func(in []*Node) []*Node { return u.graph(lesson, in) }).SetMaxCache(-1)
			g.gradient = MustNewExec(m.Backend, func(in []*Node) []*Node { return u.gradientGraph(lesson, in) }).SetMaxCache(-1)
			if lesson.outputs != nil {
				g.forward = MustNewExec(m.Backend, func(in []*Node) []*Node {
					return []*Node{lesson.outputs(u, u.nodes(lesson, in))}
				}).SetMaxCache(-1)
			}
		})
		if err != nil {
			return nil, fmt.Errorf("preparing the update: %w", err)
		}
		u.lessons[lesson.Name] = g
	}
	return u, nil
}

func zeros(params []policy.Param) *policy.Weights {
	w := &policy.Weights{Params: params, Values: make([][]float32, len(params))}
	for i, p := range params {
		w.Values[i] = make([]float32, p.Size())
	}
	return w
}

// State returns what to save. It stays valid while the updater goes on.
func (u *Updater) State() State { return u.state }

// Restore continues from a saved state.
func (u *Updater) Restore(s State) error {
	if (s.Magnet != nil) != u.copies {
		return fmt.Errorf("the saved state and the recipe differ in whether the magnet is a copy of the network")
	}
	saved := []*policy.Weights{s.Weights, s.First, s.Second}
	if u.copies {
		saved = append(saved, s.Magnet)
	}
	for _, w := range saved {
		if err := w.Check(u.model.Params); err != nil {
			return err
		}
	}
	u.state = s
	return nil
}

// Restart goes on from other weights, with an optimizer that remembers nothing.
func (u *Updater) Restart(w *policy.Weights) error {
	return u.Restore(State{Weights: w, First: zeros(u.model.Params), Second: zeros(u.model.Params), Magnet: u.state.Magnet})
}

// SetMagnet replaces the magnet's weights.
func (u *Updater) SetMagnet(w *policy.Weights) { u.state.Magnet = w }

// knobs are the scalars of an update in the order in which the graph reads
// them.
func (u *Updater) knobs(c Coefficients) []float32 {
	t := float64(u.state.Steps + 1)
	return []float32{
		float32(c.Rate), float32(c.Entropy), float32(c.Magnet), float32(c.Value),
		float32(1 - math.Pow(u.optimizer.Beta1, t)), float32(1 - math.Pow(u.optimizer.Beta2, t)),
	}
}

// Step does one gradient step on a batch of the named lesson and returns the
// lesson's statistics, followed by the gradient's norm.
func (u *Updater) Step(lesson string, b *policy.Batch, c Coefficients) ([]float32, error) {
	n := len(u.model.Params)
	var stats []float32
	next := State{Steps: u.state.Steps + 1, Magnet: u.state.Magnet}
	err := u.call(u.lessons[lesson].update, b, c, func(out []*tensors.Tensor) {
		next.Weights = take(u.model.Params, out[:n])
		next.First = take(u.model.Params, out[n:2*n])
		next.Second = take(u.model.Params, out[2*n:3*n])
		stats = flat(out[3*n])
	})
	if err != nil {
		return nil, fmt.Errorf("update %d: %w", next.Steps, err)
	}
	for _, s := range stats {
		if math.IsNaN(float64(s)) || math.IsInf(float64(s), 0) {
			return nil, fmt.Errorf("update %d: the loss or its gradient is not finite: lower optimizer.rate or set optimizer.clip_norm", next.Steps)
		}
	}
	u.state = next
	return stats, nil
}

// Gradient returns the gradient of the loss on a batch of the named lesson, all
// tensors one after the other, and changes nothing.
func (u *Updater) Gradient(lesson string, b *policy.Batch, c Coefficients) ([]float32, error) {
	var gradient []float32
	err := u.call(u.lessons[lesson].gradient, b, c, func(out []*tensors.Tensor) { gradient = flat(out[0]) })
	if err != nil {
		return nil, fmt.Errorf("gradient at update %d: %w", u.state.Steps, err)
	}
	return gradient, nil
}

// LogProbs returns the log-probabilities by the updater's weights of the steps of a
// batch of trajectories.
func (u *Updater) LogProbs(b *policy.Batch) ([]float32, error) {
	var out []float32
	err := u.call(u.lessons["trajectories"].forward, b, Coefficients{}, func(o []*tensors.Tensor) { out = flat(o[0]) })
	if err != nil {
		return nil, fmt.Errorf("log-probabilities at update %d: %w", u.state.Steps, err)
	}
	return out[:b.Turns], nil
}

// call runs a graph on the updater's state, a batch and the knobs.
func (u *Updater) call(exec *Exec, b *policy.Batch, c Coefficients, read func(out []*tensors.Tensor)) error {
	return exceptions.TryCatch[error](func() {
		own := append(u.inputs(), tensors.FromFlatDataAndDimensions(u.knobs(c), 6))
		all := make([]any, 0, len(own)+len(b.Tensors()))
		for _, t := range own {
			all = append(all, t)
		}
		for _, t := range b.Tensors() {
			all = append(all, t)
		}
		read(exec.MustCall(all...))
		for _, t := range own {
			t.MustFinalizeAll()
		}
	})
}

func flat(t *tensors.Tensor) []float32 {
	values := tensors.MustCopyFlatData[float32](t)
	t.MustFinalizeAll()
	return values
}

// inputs are the tensors of the updater's own state.
func (u *Updater) inputs() []*tensors.Tensor {
	sets := []*policy.Weights{u.state.Weights, u.state.First, u.state.Second}
	if u.copies {
		sets = append(sets, u.state.Magnet)
	}
	var out []*tensors.Tensor
	for _, w := range sets {
		for i, p := range w.Params {
			out = append(out, tensors.FromFlatDataAndDimensions(w.Values[i], p.Dims...))
		}
	}
	return out
}

func take(params []policy.Param, out []*tensors.Tensor) *policy.Weights {
	w := &policy.Weights{Params: params, Values: make([][]float32, len(params))}
	for i := range params {
		w.Values[i] = flat(out[i])
	}
	return w
}

// nodes are a graph's inputs by name, in the order of call.
type nodes struct {
	params, first, second, magnet, batch []*Node
	knobs                                *Node
}

func (u *Updater) nodes(lesson Lesson, in []*Node) nodes {
	next := func(count int) []*Node {
		taken := in[:count]
		in = in[count:]
		return taken
	}
	n := len(u.model.Params)
	out := nodes{params: next(n), first: next(n), second: next(n)}
	if u.copies {
		out.magnet = next(n)
	}
	out.knobs, out.batch = next(1)[0], next(lesson.tensors)
	return out
}

func (n nodes) knob(i int) *Node { return Reshape(SliceAxis(n.knobs, 0, AxisElem(i))) }

// gradientGraph builds the gradient alone.
func (u *Updater) gradientGraph(lesson Lesson, in []*Node) []*Node {
	n := u.nodes(lesson, in)
	loss, _ := lesson.loss(u, n)
	gradients := Gradient(loss, n.params...)
	for i, g := range gradients {
		gradients[i] = Reshape(g, g.Shape().Size())
	}
	return []*Node{Concatenate(gradients, 0)}
}

// graph builds one update: network, loss, gradient, Adam.
func (u *Updater) graph(lesson Lesson, in []*Node) []*Node {
	n := u.nodes(lesson, in)
	rate, correct1, correct2 := n.knob(0), n.knob(4), n.knob(5)
	loss, stats := lesson.loss(u, n)
	gradients := Gradient(loss, n.params...)
	square := ScalarZero(loss.Graph(), loss.DType())
	for _, g := range gradients {
		square = Add(square, ReduceAllSum(Square(g)))
	}
	norm := Sqrt(square)
	if o := u.optimizer; o.ClipNorm > 0 {
		shrink := MinScalar(Div(ConstAs(norm, o.ClipNorm), AddScalar(norm, 1e-6)), 1)
		for i, g := range gradients {
			gradients[i] = Mul(g, shrink)
		}
	}
	var newParams, newFirst, newSecond []*Node
	for i, g := range gradients {
		p, m, v := u.adam(n.params[i], n.first[i], n.second[i], g, rate, correct1, correct2)
		newParams, newFirst, newSecond = append(newParams, p), append(newFirst, m), append(newSecond, v)
	}
	stats = append(stats, norm)
	for i, s := range stats {
		stats[i] = Reshape(s, 1)
	}
	out := append(append(newParams, newFirst...), newSecond...)
	return append(out, Concatenate(stats, 0))
}

// adam is one step on one tensor:
//
//	m ← β₁m + (1−β₁)g,  v ← β₂v + (1−β₂)g²
//	p ← p − rate·( (m/(1−β₁ᵗ)) / (√(v/(1−β₂ᵗ)) + ε) + decay·p )
func (u *Updater) adam(p, m, v, g, rate, correct1, correct2 *Node) (newP, newM, newV *Node) {
	o := u.optimizer
	m = Add(MulScalar(m, o.Beta1), MulScalar(g, 1-o.Beta1))
	v = Add(MulScalar(v, o.Beta2), MulScalar(Square(g), 1-o.Beta2))
	step := Div(Div(m, correct1), AddScalar(Sqrt(Div(v, correct2)), o.Epsilon))
	if o.WeightDecay > 0 {
		step = Add(step, MulScalar(p, o.WeightDecay))
	}
	return Sub(p, Mul(step, rate)), m, v
}
