package trainer

import (
	"errors"
	"fmt"
	"math"
	"slices"

	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // graph code reads as formulas

	"github.com/agon-rl/agon/objective"
	"github.com/agon-rl/agon/policy"
	"github.com/agon-rl/agon/policy/backend"
)

// Learnable is an architecture that an updater can train.
type Learnable interface {
	// Params lists its tensors, in the order in which Forward takes them.
	Params() []policy.Param
	// Device is where it computes.
	Device() backend.Backend
	// Pack makes columns of turns: those that Forward reads.
	Pack(turns []policy.Turn) (policy.Columns, error)
	// Forward evaluates columns by its weights and, for KL and Reference, those of a
	// reference; nil is the uniform policy.
	Forward(params, reference []*Node, c policy.ColumnNodes) policy.Outputs
}

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
	// Accumulate splits each minibatch into so many parts, whose gradients are added
	// up before the step, so that less memory is needed at a time.
	Accumulate int `yaml:"accumulate"`
}

// Coefficients are the numbers of one update that schedules move. They are
// inputs of the compiled graph, so that a schedule compiles nothing anew.
type Coefficients struct {
	Rate, Entropy, Magnet, Value float64
}

// Updater changes an architecture's weights by gradient steps. Weights, moments and
// the magnet stay on the device; the moments' memory is donated to each step, and so
// is that of weights which nobody else holds.
type Updater struct {
	learnable Learnable
	optimizer Optimizer
	lessons   map[string]*graphs
	apply     *backend.Program
	trainable []int // indices of Params

	steps         uint64
	weights       *policy.Weights
	magnet        *policy.Weights // nil for the uniform magnet
	first, second []*backend.Tensor
}

// graphs are the compiled graphs of a lesson. All its batches have the same columns.
type graphs struct {
	Lesson
	names                       []string // of columns
	update, accumulate, forward *backend.Program
}

// NewUpdater prepares an updater of one lesson or more. It takes a handle of its own
// on the weights to start from. copies says that the magnet is a copy of the weights,
// which starts as they do.
func NewUpdater(l Learnable, o Optimizer, start *policy.Weights, copies bool, lessons ...Lesson) (*Updater, error) {
	params := l.Params()
	if err := start.Check(params); err != nil {
		return nil, err
	}
	u := &Updater{learnable: l, optimizer: o, lessons: map[string]*graphs{}, weights: start.Share()}
	for i, p := range params {
		if !p.Frozen {
			u.trainable = append(u.trainable, i)
		}
	}
	if copies {
		u.magnet = start.Share()
	}
	err := u.forget()
	for _, lesson := range lessons {
		g := &graphs{Lesson: lesson}
		u.lessons[lesson.Name] = g
		for _, program := range []struct {
			to    **backend.Program
			name  string
			graph func(g *graphs, in []*Node) []*Node
		}{{&g.update, "update", u.updateGraph}, {&g.accumulate, "gradient", u.accumulateGraph}, {&g.forward, "log-probabilities", u.forwardGraph}} {
			var failed error
			*program.to, failed = backend.NewProgram(l.Device(), program.name, func(in []*Node) []*Node { return program.graph(g, in) })
			err = errors.Join(err, failed)
		}
	}
	var failed error
	u.apply, failed = backend.NewProgram(l.Device(), "update", u.applyGraph)
	if err = errors.Join(err, failed); err != nil {
		return nil, errors.Join(err, u.Close())
	}
	return u, nil
}

// zeros are tensors of the shapes of those that are trained.
func (u *Updater) zeros() (out []*backend.Tensor, err error) {
	params := u.learnable.Params()
	for _, i := range u.trainable {
		t, err := backend.Upload(u.learnable.Device(), make([]float32, params[i].Size()), params[i].Dims...)
		if err != nil {
			return nil, errors.Join(err, backend.Free(out))
		}
		out = append(out, t)
	}
	return out, nil
}

// forget sets the moments to zero.
func (u *Updater) forget() (err error) {
	err = errors.Join(backend.Free(u.first), backend.Free(u.second))
	u.first, u.second = nil, nil
	if err != nil {
		return err
	}
	if u.first, err = u.zeros(); err != nil {
		return err
	}
	u.second, err = u.zeros()
	return err
}

// Close frees what the updater holds.
func (u *Updater) Close() error {
	return errors.Join(u.weights.Close(), u.magnet.Close(), backend.Free(u.first), backend.Free(u.second))
}

// Weights returns a handle on the weights as they are. Give it back by Close.
func (u *Updater) Weights() *policy.Weights { return u.weights.Share() }

// SetMagnet makes weights the magnet.
func (u *Updater) SetMagnet(w *policy.Weights) error {
	old := u.magnet
	u.magnet = w.Share()
	return old.Close()
}

// State is all that an updater must save, on the device: read it before the next step.
type State struct {
	Steps         uint64
	Weights       *policy.Weights
	First, Second *policy.Weights // Adam's moments, of the tensors that are trained
	Magnet        *policy.Weights // nil for the uniform magnet
}

// Hold returns the state with handles of its own, for Restore to come back to.
func (u *Updater) Hold() State {
	s := u.State()
	for _, t := range append(slices.Clone(u.first), u.second...) {
		t.Keep()
	}
	s.Weights = s.Weights.Share()
	if s.Magnet != nil {
		s.Magnet = s.Magnet.Share()
	}
	return s
}

// close gives the handles of a held state back.
func (s State) close() error {
	return errors.Join(s.Weights.Close(), s.Magnet.Close(), backend.Free(s.First.Tensors), backend.Free(s.Second.Tensors))
}

// State returns what to save. It belongs to the updater.
func (u *Updater) State() State {
	params := u.momentParams()
	return State{u.steps, u.weights, policy.NewWeights(params, u.first), policy.NewWeights(params, u.second), u.magnet}
}

// momentParams describe Adam's moments, which are of float32.
func (u *Updater) momentParams() (out []policy.Param) {
	all := u.learnable.Params()
	for _, i := range u.trainable {
		out = append(out, policy.Param{Name: all[i].Name, Dims: all[i].Dims})
	}
	return out
}

// Restore continues from a saved state, whose handles it takes over.
func (u *Updater) Restore(s State) error {
	if (s.Magnet != nil) != (u.magnet != nil) {
		return fmt.Errorf("the saved state and the recipe differ in whether the magnet is a copy of the network")
	}
	moments := u.momentParams()
	err := errors.Join(s.Weights.Check(u.learnable.Params()), s.First.Check(moments), s.Second.Check(moments))
	if s.Magnet != nil {
		err = errors.Join(err, s.Magnet.Check(u.learnable.Params()))
	}
	if err != nil {
		return err
	}
	err = u.Close()
	u.steps, u.weights, u.magnet, u.first, u.second = s.Steps, s.Weights, s.Magnet, s.First.Tensors, s.Second.Tensors
	return err
}

// Restart goes on from other weights, with an optimizer that remembers nothing.
func (u *Updater) Restart(w *policy.Weights) error {
	old := u.weights
	u.weights, u.steps = w.Share(), 0
	return errors.Join(old.Close(), u.forget())
}

// Batch packs turns for a lesson. Free it by Close.
func (u *Updater) Batch(lesson string, turns []policy.Turn) (*policy.Batch, error) {
	c, err := u.learnable.Pack(turns)
	if err != nil {
		return nil, err
	}
	g := u.lessons[lesson]
	g.pack(&c, turns)
	b, err := policy.NewBatch(u.learnable.Device(), c)
	if err != nil {
		return nil, err
	}
	if g.names == nil {
		g.names = b.Names()
	}
	if !slices.Equal(g.names, b.Names()) {
		return nil, errors.Join(fmt.Errorf("lesson %s: columns %v: expected %v", lesson, b.Names(), g.names), b.Close())
	}
	return b, nil
}

// batches packs turns for a lesson in as many parts as the optimizer accumulates. With an
// error come those packed before it, to be freed.
func (u *Updater) batches(lesson string, turns []policy.Turn) (out []*policy.Batch, err error) {
	parts := max(1, min(len(turns), u.optimizer.Accumulate))
	for i := range parts {
		b, err := u.Batch(lesson, turns[i*len(turns)/parts:(i+1)*len(turns)/parts])
		if err != nil {
			return out, err
		}
		out = append(out, b)
	}
	return out, nil
}

func closeAll(batches []*policy.Batch) (err error) {
	for _, b := range batches {
		err = errors.Join(err, b.Close())
	}
	return err
}

// Learn takes one gradient step of a lesson on turns; see Step.
func (u *Updater) Learn(lesson string, turns []policy.Turn, c Coefficients) (stats []float32, err error) {
	batches, err := u.batches(lesson, turns)
	defer func() { err = errors.Join(err, closeAll(batches)) }()
	if err != nil {
		return nil, err
	}
	return u.Step(lesson, batches[0], c, batches[1:]...)
}

// LearnSlopes takes one gradient step of the lesson Slopes on answers, each of one step
// or more: slopes gets what Refer says of all their picks, and returns the loss's slopes
// in the log-probabilities, pick by pick. The result is the lesson's statistics and the
// gradient's norm.
func (u *Updater) LearnSlopes(answers [][]*policy.Step, c Coefficients, slopes func(Referred) ([]float32, error)) (stats []float32, err error) {
	var turns []policy.Turn
	for _, steps := range answers {
		for _, s := range steps {
			turns = append(turns, policy.Turn{Step: s})
		}
	}
	batches, err := u.batches(slopesLesson, turns)
	defer func() { err = errors.Join(err, closeAll(batches)) }()
	if err != nil {
		return nil, err
	}
	var all Referred
	for _, b := range batches {
		r, err := u.Refer(slopesLesson, b)
		if err != nil {
			return nil, err
		}
		all.LogProbs, all.KL, all.Reference = append(all.LogProbs, r.LogProbs...), append(all.KL, r.KL...), append(all.Reference, r.Reference...)
	}
	each, err := slopes(all)
	if err != nil {
		return nil, err
	}
	if len(each) != len(all.LogProbs) {
		return nil, fmt.Errorf("%d slopes for %d picks", len(each), len(all.LogProbs))
	}
	for _, b := range batches {
		if err := b.SetByPick("slope", each[:b.Picks]); err != nil {
			return nil, err
		}
		each = each[b.Picks:]
	}
	return u.Step(slopesLesson, batches[0], c, batches[1:]...)
}

// Step takes one gradient step on batches of a lesson, the same as on one batch of all
// their turns, and returns the lesson's statistics followed by the gradient's norm.
func (u *Updater) Step(lesson string, b *policy.Batch, c Coefficients, more ...*policy.Batch) ([]float32, error) {
	var stats []float32
	var err error
	if len(more) == 0 {
		stats, err = u.step(u.lessons[lesson], b, c)
	} else {
		stats, err = u.accumulated(u.lessons[lesson], append([]*policy.Batch{b}, more...), c)
	}
	if err != nil {
		return nil, fmt.Errorf("update %d: %w", u.steps+1, err)
	}
	u.steps++
	for _, s := range stats {
		if math.IsNaN(float64(s)) || math.IsInf(float64(s), 0) {
			return nil, fmt.Errorf("update %d: the loss or its gradient is not finite: lower optimizer.rate or set optimizer.clip_norm", u.steps)
		}
	}
	return stats, nil
}

func (u *Updater) step(g *graphs, b *policy.Batch, c Coefficients) ([]float32, error) {
	knobs, err := u.knobs(c, b)
	if err != nil {
		return nil, err
	}
	defer knobs.Free() //nolint:errcheck // frees memory; nothing depends on it
	in, donated := u.state(nil)
	in = append(append(append(in, u.frozen()...), u.reference()...), knobs)
	out, err := g.update.Run(append(in, b.Tensors()...), donated)
	if err != nil {
		return nil, err
	}
	return u.replace(out, donated)
}

// accumulated is a step whose gradient is the sum of those of several batches.
func (u *Updater) accumulated(g *graphs, batches []*policy.Batch, c Coefficients) ([]float32, error) {
	sum, err := u.zeros()
	if err != nil {
		return nil, err
	}
	stats := make([]float32, len(g.Stats))
	for _, b := range batches {
		var some []float32
		if sum, some, err = u.addGradient(g, sum, b, c, batches...); err != nil {
			return nil, err
		}
		for i := range stats {
			stats[i] += some[i]
		}
	}
	knobs, err := u.knobs(c, batches...)
	if err != nil {
		return nil, errors.Join(err, backend.Free(sum))
	}
	defer knobs.Free() //nolint:errcheck // frees memory; nothing depends on it
	in, donated := u.state(sum)
	out, err := u.apply.Run(append(in, knobs), donated)
	if err != nil {
		return nil, err
	}
	norm, err := u.replace(out, donated-len(sum))
	return slices.Concat(stats, norm), err
}

// addGradient adds the gradient of a batch, one of those of a step, to a sum, which is
// given up. The statistics end with the square of the gradient's norm.
func (u *Updater) addGradient(g *graphs, sum []*backend.Tensor, b *policy.Batch, c Coefficients, step ...*policy.Batch) (_ []*backend.Tensor, stats []float32, err error) {
	knobs, err := u.knobs(c, step...)
	if err != nil {
		return nil, nil, errors.Join(err, backend.Free(sum))
	}
	defer knobs.Free() //nolint:errcheck // frees memory; nothing depends on it
	n := len(sum)
	in := append(append(append(slices.Clip(sum), u.trained()...), u.frozen()...), u.reference()...)
	out, err := g.accumulate.Run(append(append(in, knobs), b.Tensors()...), n)
	if err != nil {
		return nil, nil, err
	}
	defer out[n].Free() //nolint:errcheck // frees memory; nothing depends on it
	stats, err = out[n].Floats()
	return out[:n], stats, err
}

// Norms returns the squared norms of the gradients of batches of a lesson, and that of
// their mean. It changes nothing.
func (u *Updater) Norms(lesson string, batches []*policy.Batch, c Coefficients) (each []float64, ofMean float64, err error) {
	g := u.lessons[lesson]
	sum, err := u.zeros()
	if err != nil {
		return nil, 0, err
	}
	for _, b := range batches {
		var stats []float32
		if sum, stats, err = u.addGradient(g, sum, b, c, b); err != nil {
			return nil, 0, err
		}
		each = append(each, float64(stats[len(g.Stats)]))
	}
	defer backend.Free(sum) //nolint:errcheck // frees memory; nothing depends on it
	for _, t := range sum {
		values, err := t.Floats()
		if err != nil {
			return nil, 0, err
		}
		for _, x := range values {
			mean := float64(x) / float64(len(batches))
			ofMean += mean * mean
		}
	}
	return each, ofMean, nil
}

// Referred are log-probabilities of what a batch picked, by pick.
type Referred struct {
	LogProbs  []float32 // by the updater's weights
	KL        []float32 // of all that could have been picked, from the magnet
	Reference []float32 // by the magnet's weights; zero where it is uniform
}

// Refer returns the log-probabilities of a batch of a lesson, by the weights as they
// are.
func (u *Updater) Refer(lesson string, b *policy.Batch) (r Referred, err error) {
	in := append(append(slices.Clip(u.trained()), u.frozen()...), u.reference()...)
	out, err := u.lessons[lesson].forward.Run(append(in, b.Tensors()...), 0)
	if err != nil {
		return r, fmt.Errorf("log-probabilities at update %d: %w", u.steps, err)
	}
	defer backend.Free(out) //nolint:errcheck // frees memory; nothing depends on it
	for i, to := range []*[]float32{&r.LogProbs, &r.KL, &r.Reference} {
		if *to, err = out[i].Floats(); err != nil {
			return r, err
		}
		*to = (*to)[:b.Picks]
	}
	return r, nil
}

// trained and frozen are the weights' tensors, apart.
func (u *Updater) trained() (out []*backend.Tensor) {
	for _, i := range u.trainable {
		out = append(out, u.weights.Tensors[i])
	}
	return out
}

func (u *Updater) frozen() (out []*backend.Tensor) {
	for i, p := range u.learnable.Params() {
		if p.Frozen {
			out = append(out, u.weights.Tensors[i])
		}
	}
	return out
}

func (u *Updater) reference() []*backend.Tensor {
	if u.magnet == nil {
		return nil
	}
	return u.magnet.Tensors
}

// state are the tensors that a step replaces, after others that are given up: the
// moments and the weights that are trained. Those that nobody else holds are given up
// too: the first donated ones.
func (u *Updater) state(before []*backend.Tensor) (in []*backend.Tensor, donated int) {
	in, donated = slices.Clip(before), len(before)
	in = append(append(in, u.first...), u.second...)
	if slices.ContainsFunc(in[donated:], (*backend.Tensor).Shared) {
		return append(in, u.trained()...), donated
	}
	donated = len(in)
	in = append(in, u.trained()...)
	if !u.weights.Shared() {
		donated = len(in)
	}
	return in, donated
}

// replace makes the outputs of a step the state, and returns what stands behind them.
// Of the inputs of the state, the first donated ones are gone.
func (u *Updater) replace(out []*backend.Tensor, donated int) ([]float32, error) {
	n := len(u.trainable)
	first, second, old := u.first, u.second, u.weights
	tensors := slices.Clone(old.Tensors)
	for i, p := range u.learnable.Params() {
		if p.Frozen {
			tensors[i].Keep()
		}
	}
	for k, i := range u.trainable {
		tensors[i] = out[2*n+k]
	}
	u.first, u.second, u.weights = out[:n], out[n:2*n], policy.NewWeights(old.Params, tensors)
	var err error
	if donated < 2*n {
		err = errors.Join(backend.Free(first), backend.Free(second))
	}
	if donated < 3*n {
		err = errors.Join(err, old.Close())
	} else { // of the weights, what is frozen is not gone
		for i, p := range u.learnable.Params() {
			if p.Frozen {
				err = errors.Join(err, old.Tensors[i].Free())
			}
		}
	}
	stats, failed := out[3*n].Floats()
	return stats, errors.Join(err, failed, out[3*n].Free())
}

// knobs are the scalars of an update on batches, in the order in which graphs read them.
func (u *Updater) knobs(c Coefficients, batches ...*policy.Batch) (*backend.Tensor, error) {
	t, picks, turns := float64(u.steps+1), 0, 0
	for _, b := range batches {
		picks, turns = picks+b.Picks, turns+b.Turns
	}
	return backend.Upload(u.learnable.Device(), []float32{
		float32(c.Rate), float32(c.Entropy), float32(c.Magnet), float32(c.Value),
		float32(1 - math.Pow(u.optimizer.Beta1, t)), float32(1 - math.Pow(u.optimizer.Beta2, t)),
		float32(picks), float32(turns),
	}, 8)
}

// inputs takes a graph's inputs apart, in the order in which they are given.
type inputs struct{ rest []*Node }

func (in *inputs) next(count int) []*Node {
	taken := in.rest[:count]
	in.rest = in.rest[count:]
	return taken
}

func knob(knobs *Node, i int) *Node { return Reshape(SliceAxis(knobs, 0, AxisElem(i))) }

// forward evaluates a batch: trained, the inputs of the weights that are trained, are
// what gradients are of.
func (u *Updater) forward(g *graphs, trained []*Node, in *inputs, knobbed bool) (out policy.Outputs, c policy.ColumnNodes, knobs *Node) {
	all := u.learnable.Params()
	frozen := policy.Compute(in.next(len(all) - len(u.trainable)))
	var reference []*Node
	if u.magnet != nil {
		reference = policy.Compute(in.next(len(all)))
	}
	if knobbed {
		knobs = in.next(1)[0]
	}
	params := make([]*Node, 0, len(all))
	for _, p := range all {
		from := &trained
		if p.Frozen {
			from = &frozen
		}
		params, *from = append(params, (*from)[0]), (*from)[1:]
	}
	c = policy.Nodes(g.names, in.rest)
	return u.learnable.Forward(params, reference, c), c, knobs
}

// gradient builds a lesson's gradient in the weights that are trained.
func (u *Updater) gradient(g *graphs, trained []*Node, in *inputs) (gradients, stats []*Node, knobs *Node) {
	out, c, knobs := u.forward(g, trained, in, true)
	loss, stats := g.loss(out, c, objective.Coefficients{
		Entropy: knob(knobs, 1), Magnet: knob(knobs, 2), Value: knob(knobs, 3), Picks: knob(knobs, 6), Turns: knob(knobs, 7),
	})
	return Gradient(loss, trained...), stats, knobs
}

// updateGraph is one update: network, loss, gradient, Adam.
func (u *Updater) updateGraph(g *graphs, all []*Node) []*Node {
	n, in := len(u.trainable), inputs{all}
	first, second, stored := in.next(n), in.next(n), in.next(n)
	trained := policy.Compute(stored)
	gradients, stats, knobs := u.gradient(g, trained, &in)
	out, norm := u.adam(trained, first, second, gradients, knobs)
	return append(out, packed(append(stats, norm)))
}

// accumulateGraph adds a batch's gradient to a sum.
func (u *Updater) accumulateGraph(g *graphs, all []*Node) []*Node {
	n, in := len(u.trainable), inputs{all}
	sum, trained := in.next(n), policy.Compute(in.next(n))
	gradients, stats, _ := u.gradient(g, trained, &in)
	square := squared(gradients)
	out := make([]*Node, 0, n+1)
	for i, x := range gradients {
		out = append(out, Add(sum[i], x))
	}
	return append(out, packed(append(stats, square)))
}

// applyGraph is an update by a gradient that was summed before.
func (u *Updater) applyGraph(all []*Node) []*Node {
	n, in := len(u.trainable), inputs{all}
	sum, first, second, stored := in.next(n), in.next(n), in.next(n), in.next(n)
	out, norm := u.adam(policy.Compute(stored), first, second, slices.Clone(sum), in.next(1)[0])
	return append(out, packed([]*Node{norm}))
}

// forwardGraph is what Refer returns.
func (u *Updater) forwardGraph(g *graphs, all []*Node) []*Node {
	in := inputs{all}
	trained := policy.Compute(in.next(len(u.trainable)))
	out, _, _ := u.forward(g, trained, &in, false)
	reference := out.Reference
	if reference == nil {
		reference = ZerosLike(out.LogProb)
	}
	return []*Node{out.LogProb, out.KL, reference}
}

// packed joins scalars to one tensor.
func packed(scalars []*Node) *Node {
	for i, s := range scalars {
		scalars[i] = Reshape(s, 1)
	}
	return Concatenate(scalars, 0)
}

func squared(gradients []*Node) *Node {
	sum := ReduceAllSum(Square(gradients[0]))
	for _, g := range gradients[1:] {
		sum = Add(sum, ReduceAllSum(Square(g)))
	}
	return sum
}

// adam is one step on all tensors, on gradients g of a norm of at most ClipNorm:
//
//	m ← β₁m + (1−β₁)g,  v ← β₂v + (1−β₂)g²
//	p ← p − rate·( (m/(1−β₁ᵗ)) / (√(v/(1−β₂ᵗ)) + ε) + decay·p )
//
// It returns the moments and the tensors, as they are stored, and the norm before it
// was bounded.
func (u *Updater) adam(trained, first, second, gradients []*Node, knobs *Node) (out []*Node, norm *Node) {
	o, n := u.optimizer, len(trained)
	rate, correct1, correct2 := knob(knobs, 0), knob(knobs, 4), knob(knobs, 5)
	norm = Sqrt(squared(gradients))
	if o.ClipNorm > 0 {
		shrink := MinScalar(Div(ConstAs(norm, o.ClipNorm), AddScalar(norm, 1e-6)), 1)
		for i, g := range gradients {
			gradients[i] = Mul(g, shrink)
		}
	}
	params := u.learnable.Params()
	out = make([]*Node, 3*n)
	for i, g := range gradients {
		m := Add(MulScalar(first[i], o.Beta1), MulScalar(g, 1-o.Beta1))
		v := Add(MulScalar(second[i], o.Beta2), MulScalar(Square(g), 1-o.Beta2))
		step := Div(Div(m, correct1), AddScalar(Sqrt(Div(v, correct2)), o.Epsilon))
		if o.WeightDecay > 0 {
			step = Add(step, MulScalar(trained[i], o.WeightDecay))
		}
		p := Sub(trained[i], Mul(step, rate))
		out[i], out[n+i], out[2*n+i] = m, v, ConvertDType(p, params[u.trainable[i]].Stored())
	}
	return out, norm
}
