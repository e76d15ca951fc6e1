package judge

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"strings"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/optimize"

	"github.com/agon-rl/agon/internal/spec"
)

// Comparison is a label: the share P of judgements that preferred A to B.
type Comparison struct {
	A *Answer `json:"a"`
	B *Answer `json:"b"`
	P float64 `json:"p"`
}

// ReadComparisons reads comparisons, one as JSON a line:
//
//	{"a":{"actions":[0]},"b":{"actions":[1]},"p":0.9}
//
// Errors name the line.
func ReadComparisons(in io.Reader) (out []Comparison, err error) {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, mostFile)
	for n := 1; lines.Scan(); n++ {
		text := bytes.TrimSpace(lines.Bytes())
		if len(text) == 0 {
			continue
		}
		c := Comparison{P: math.NaN()}
		if err := strict(text, &c); err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		switch {
		case c.A == nil || c.B == nil:
			return nil, fmt.Errorf(`line %d: expected two answers, "a" and "b"`, n)
		case math.IsNaN(c.P):
			return nil, fmt.Errorf(`line %d: expected "p", the share of judgements for a`, n)
		case !(c.P >= 0 && c.P <= 1):
			return nil, fmt.Errorf("line %d: p: %g: expected a number from 0 to 1", n, c.P)
		}
		out = append(out, c)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("line %d: %w", len(out)+1, err)
	}
	if out == nil {
		return nil, errors.New("it holds no comparisons: expected one as JSON a line")
	}
	return out, nil
}

// Label asks a feedback for the labels of pairs.
func Label(ctx context.Context, f Judge, pairs [][2]*Answer) ([]Comparison, error) {
	out := make([]Comparison, len(pairs))
	for i, pair := range pairs {
		p, err := f.Prefer(ctx, pair[0], pair[1])
		if err != nil {
			return nil, err
		}
		out[i] = Comparison{pair[0], pair[1], p}
	}
	return out, nil
}

// AskAll asks a judge for what it says of each comparison.
func AskAll(ctx context.Context, f Judge, labels []Comparison) ([]float64, error) {
	says := make([]float64, len(labels))
	for i, c := range labels {
		var err error
		if says[i], err = f.Prefer(ctx, c.A, c.B); err != nil {
			return nil, fmt.Errorf("comparison %d: %w", i+1, err)
		}
	}
	return says, nil
}

// Agreement says how far a feedback agrees with labels: the share of comparisons whose
// sides are the same, ties of either counting a half, and the mean log loss in nats.
func Agreement(ctx context.Context, f Judge, labels []Comparison) (accuracy, loss float64, err error) {
	says, err := AskAll(ctx, f, labels)
	if err != nil {
		return 0, 0, err
	}
	return AgreementOf(says, labels)
}

// surest bounds the log loss of a judgement that was certain and wrong.
const surest = 1e-12

// AgreementOf is Agreement of what a feedback said of each comparison. What it said for
// sure and wrongly costs −log 1e-12 and not infinity.
func AgreementOf(says []float64, labels []Comparison) (accuracy, loss float64, err error) {
	if len(says) != len(labels) || len(labels) == 0 {
		return 0, 0, fmt.Errorf("feedback: %d judgements of %d comparisons: expected as many, and some", len(says), len(labels))
	}
	for i, c := range labels {
		switch s := (says[i] - 0.5) * (c.P - 0.5); {
		case s > 0:
			accuracy++
		case s == 0:
			accuracy += 0.5
		}
		loss -= c.P*math.Log(math.Max(says[i], surest)) + (1-c.P)*math.Log(math.Max(1-says[i], surest))
	}
	n := float64(len(labels))
	return accuracy / n, loss / n, nil
}

// Inputs says how models read an answer: the one action it is, of so many, or, where
// Answers is 0, its features.
type Inputs struct {
	Answers int `json:"answers,omitempty"`
}

// of is an answer's input.
func (i Inputs) of(a *Answer, width int) ([]float64, error) {
	if i.Answers == 0 {
		if len(a.Features) != width {
			return nil, fmt.Errorf("feedback: the answer has %d features: expected %d", len(a.Features), width)
		}
		return a.Features, nil
	}
	if len(a.Actions) != 1 || a.Actions[0] < 0 || int(a.Actions[0]) >= i.Answers {
		return nil, fmt.Errorf("feedback: the answer's actions are %v: expected one from 0 to %d", a.Actions, i.Answers-1)
	}
	x := make([]float64, i.Answers)
	x[a.Actions[0]] = 1
	return x, nil
}

// Reward is Bradley and Terry's model with u(a) = w·x(a): P(a ≻ b) = σ(u(a) − u(b)).
// What it prefers never goes in circles.
type Reward struct {
	Inputs
	Weights []float64 `json:"weights"`
}

// Of is the reward of an answer.
func (m *Reward) Of(a *Answer) (float64, error) {
	x, err := m.of(a, len(m.Weights))
	if err != nil {
		return 0, err
	}
	return floats.Dot(m.Weights, x), nil
}

// Prefer implements Judge.
func (m *Reward) Prefer(ctx context.Context, a, b *Answer) (float64, error) {
	return Utility{m.Of, 1}.Prefer(ctx, a, b)
}

// Embedding is the General Preference Model (Zhang et al. 2024, arXiv 2410.02197,
// section 4): an answer is a vector v of an even dimension, and
//
//	P(a ≻ b) = σ(⟨R v_a, v_b⟩/τ) = σ(Σ_k (v_a[2k]·v_b[2k+1] − v_a[2k+1]·v_b[2k])/τ)
//
// with R of skew-symmetric blocks, so that cycles are within its reach; here
// v = W·x(a). (The paper has vectors of length 1; its released code leaves them as they
// are, as does this unless Unit is set.)
type Embedding struct {
	Inputs
	Weights     [][]float64 `json:"weights"` // [dimension][inputs] W
	Temperature float64     `json:"temperature"`
	Unit        bool        `json:"unit,omitempty"` // vectors are divided by their lengths
}

// Vector is the embedding of an answer.
func (m *Embedding) Vector(a *Answer) ([]float64, error) {
	x, err := m.of(a, len(m.Weights[0]))
	if err != nil {
		return nil, err
	}
	v, _ := m.embed(x)
	return v, nil
}

// embed returns the vector of an input, and its length before it was made 1.
func (m *Embedding) embed(x []float64) (v []float64, length float64) {
	v = make([]float64, len(m.Weights))
	for k, w := range m.Weights {
		v[k] = floats.Dot(w, x)
	}
	if length = 1; m.Unit {
		length = math.Max(floats.Norm(v, 2), 1e-12)
		floats.Scale(1/length, v)
	}
	return v, length
}

// score is ⟨R v_a, v_b⟩/τ.
func (m *Embedding) score(v, w []float64) (s float64) {
	for k := 0; k+1 < len(v); k += 2 {
		s += v[k]*w[k+1] - v[k+1]*w[k]
	}
	return s / m.Temperature
}

// Prefer implements Judge.
func (m *Embedding) Prefer(_ context.Context, a, b *Answer) (float64, error) {
	v, err := m.Vector(a)
	if err != nil {
		return 0, err
	}
	w, err := m.Vector(b)
	if err != nil {
		return 0, err
	}
	return sigmoid(m.score(v, w)), nil
}

// observation is a comparison as models read it.
type observation struct {
	a, b []float64
	p    float64
}

func (i Inputs) observations(labels []Comparison) ([]observation, error) {
	if len(labels) == 0 {
		return nil, errors.New("feedback: there is nothing to fit: expected comparisons")
	}
	width := i.Answers
	if width == 0 {
		width = len(labels[0].A.Features)
	}
	if width == 0 {
		return nil, errors.New("feedback: the answers have no features: expected some, or a list of answers")
	}
	out := make([]observation, len(labels))
	for k, c := range labels {
		if !(c.P >= 0 && c.P <= 1) {
			return nil, fmt.Errorf("feedback: comparison %d: %g: expected a probability", k+1, c.P)
		}
		a, err := i.of(c.A, width)
		if err != nil {
			return nil, fmt.Errorf("comparison %d: %w", k+1, err)
		}
		b, err := i.of(c.B, width)
		if err != nil {
			return nil, fmt.Errorf("comparison %d: %w", k+1, err)
		}
		out[k] = observation{a, b, c.P}
	}
	return out, nil
}

// crossEntropy is −p·log σ(s) − (1−p)·log σ(−s) and its derivative by s.
func crossEntropy(s, p float64) (loss, slope float64) {
	return -p*logSigmoid(s) - (1-p)*logSigmoid(-s), sigmoid(s) - p
}

// FitReward fits Bradley and Terry's model by maximum likelihood, less decay/2·|w|².
// Without decay a reward grows without end where labels are never contradicted, and
// where answers are a list only differences are determined: the mean is 0.
func FitReward(labels []Comparison, inputs Inputs, decay float64) (*Reward, error) {
	observations, err := inputs.observations(labels)
	if err != nil {
		return nil, err
	}
	objective := func(w, gradient []float64) (loss float64) {
		for _, e := range observations {
			l, slope := crossEntropy(floats.Dot(w, e.a)-floats.Dot(w, e.b), e.p)
			loss += l
			floats.AddScaled(gradient, slope, e.a)
			floats.AddScaled(gradient, -slope, e.b)
		}
		return loss
	}
	w, err := minimize(objective, make([]float64, len(observations[0].a)), len(observations), decay)
	if err != nil {
		return nil, err
	}
	return &Reward{inputs, w}, nil
}

// EmbeddingOptions are the settings of FitEmbedding.
type EmbeddingOptions struct {
	Dimension   int     // even, from 2; the paper's are 2 to 8
	Temperature float64 // τ; 0.1 in the released code
	Unit        bool
	Decay       float64 // weight of |W|²/2
	Starts      int     // from so many random weights; the best fit is kept
}

// FitEmbedding fits the General Preference Model by maximum likelihood, from random
// starts: unlike a reward's, its loss has more than one minimum.
func FitEmbedding(labels []Comparison, inputs Inputs, o EmbeddingOptions, r *rand.Rand) (*Embedding, error) {
	if o.Dimension < 2 || o.Dimension%2 != 0 {
		return nil, fmt.Errorf("feedback: an embedding of dimension %d: expected an even number from 2", o.Dimension)
	}
	if !(o.Temperature > 0) || o.Starts < 1 {
		return nil, fmt.Errorf("feedback: an embedding with temperature %g, %d starts: expected more than 0 and at least 1", o.Temperature, o.Starts)
	}
	observations, err := inputs.observations(labels)
	if err != nil {
		return nil, err
	}
	width := len(observations[0].a)
	best := math.Inf(1)
	var out *Embedding
	for range o.Starts {
		start := make([]float64, o.Dimension*width)
		for i := range start {
			start[i] = r.NormFloat64() * math.Sqrt(o.Temperature/float64(o.Dimension))
		}
		shape := func(w []float64) *Embedding {
			m := &Embedding{Inputs: inputs, Temperature: o.Temperature, Unit: o.Unit}
			for k := range o.Dimension {
				m.Weights = append(m.Weights, w[k*width:(k+1)*width])
			}
			return m
		}
		objective := func(w, gradient []float64) float64 { return shape(w).loss(observations, gradient) }
		w, err := minimize(objective, start, len(observations), o.Decay)
		if err != nil {
			return nil, err
		}
		if loss := objective(w, make([]float64, len(w))); loss < best {
			best, out = loss, shape(w)
		}
	}
	return out, nil
}

// loss is the sum of cross entropies; gradient, by W row by row, is added to.
func (m *Embedding) loss(observations []observation, gradient []float64) (loss float64) {
	dimension := len(m.Weights)
	for _, e := range observations {
		v, lv := m.embed(e.a)
		w, lw := m.embed(e.b)
		l, slope := crossEntropy(m.score(v, w), e.p)
		loss += l
		slope /= m.Temperature
		dv, dw := make([]float64, dimension), make([]float64, dimension)
		for k := 0; k < dimension; k += 2 {
			dv[k], dv[k+1] = slope*w[k+1], -slope*w[k]
			dw[k], dw[k+1] = -slope*v[k+1], slope*v[k]
		}
		if m.Unit { // through v/|v|
			floats.AddScaled(dv, -floats.Dot(dv, v), v)
			floats.AddScaled(dw, -floats.Dot(dw, w), w)
		}
		width := len(e.a)
		for k := range dimension {
			floats.AddScaled(gradient[k*width:(k+1)*width], dv[k]/lv, e.a)
			floats.AddScaled(gradient[k*width:(k+1)*width], dw[k]/lw, e.b)
		}
	}
	return loss
}

// minimize finds the minimum of a sum of losses over their number, with decay, by
// gonum's BFGS with little memory. That asks for the loss and then for the gradient of a
// point; sum gives both, and is called once. Where the line search ends because no better
// point can be told apart, the best point stands.
func minimize(sum func(x, gradient []float64) float64, start []float64, count int, decay float64) ([]float64, error) {
	n := float64(count)
	var loss float64
	var at []float64 // where loss and slope are known
	slope := make([]float64, len(start))
	evaluate := func(x []float64) {
		if at != nil && floats.Equal(at, x) {
			return
		}
		at = append(at[:0], x...)
		clear(slope)
		loss = sum(x, slope)
	}
	problem := optimize.Problem{
		Func: func(x []float64) float64 {
			evaluate(x)
			return loss/n + decay/2*floats.Dot(x, x)
		},
		Grad: func(gradient, x []float64) {
			evaluate(x)
			floats.ScaleTo(gradient, 1/n, slope)
			floats.AddScaled(gradient, decay, x)
		},
	}
	settings := &optimize.Settings{GradientThreshold: 1e-10, MajorIterations: 2000, Converger: optimize.NeverTerminate{}}
	result, err := optimize.Minimize(problem, start, settings, &optimize.LBFGS{})
	if result == nil {
		return nil, fmt.Errorf("feedback: fitting: %w", err)
	}
	for _, x := range result.X {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return nil, errors.New("feedback: fitting: the weights are not finite")
		}
	}
	return result.X, nil
}

// Models says what FitModel reads, a line each.
const Models = `reward(answers=0,decay=0.001)                     Bradley and Terry's reward, linear in the answers' features;
                                                  answers=n: of n answers that are one action each
embedding(dimension=4,answers=0,temperature=0.1,  the General Preference Model, which cycles do not defeat
          decay=0.001,starts=1,unit=false)`

// FitModel fits the model that text names to labels; see Models. r draws where an
// embedding's fit starts.
func FitModel(text string, labels []Comparison, r *rand.Rand) (Judge, error) {
	s, err := spec.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("model %w", err)
	}
	const most = math.MaxFloat64
	read := spec.Read(s)
	switch s.Name {
	case "reward":
		inputs, decay := Inputs{read.Int("answers", 0, 0, 1<<20)}, read.Float("decay", 1e-3, 0, most)
		if err := read.Err(); err != nil {
			return nil, fmt.Errorf("model %w", err)
		}
		return FitReward(labels, inputs, decay)
	case "embedding":
		o := EmbeddingOptions{Dimension: read.Int("dimension", 4, 2, 1024)}
		inputs := Inputs{read.Int("answers", 0, 0, 1<<20)}
		o.Temperature, o.Decay = read.Float("temperature", 0.1, 1e-9, most), read.Float("decay", 1e-3, 0, most)
		o.Starts, o.Unit = read.Int("starts", 1, 1, 1<<10), read.Bool("unit", false)
		if err := read.Err(); err != nil {
			return nil, fmt.Errorf("model %w", err)
		}
		return FitEmbedding(labels, inputs, o, r)
	}
	kinds := []string{"reward", "embedding"}
	return nil, fmt.Errorf("model %q is unknown%s; there are %s", s.Name, spec.Suggest(s.Name, kinds), strings.Join(kinds, ", "))
}
