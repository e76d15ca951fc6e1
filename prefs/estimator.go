package prefs

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
)

// Estimator judges pairs of answers that are described by numbers. It scores an
// answer by a network of one hidden layer and compares scores as Bradley and
// Terry do,
//
//	g(x) = v·(m ∘ relu(Wx + b))/(1−d),  P(c ≻ r) = σ(g(c) − g(r)),
//
// so that P(c ≻ r) + P(r ≻ c) = 1. The mask m drops units with probability d, in
// learning and, for Passes, in judging: each mask is a draw of the weights from an
// approximate posterior (Gal & Ghahramani 2016, arXiv 1506.02142). Without hidden
// units it is g(x) = w·(m ∘ x)/(1−d), logistic regression. Plain Go, since pairs
// are told by tens of numbers: a fit takes a second.
type Estimator struct {
	Hidden  int     // units; 0 for logistic regression
	Dropout float64 // d, in [0, 1)
	Rate    float64 // Adam's step
	Decay   float64 // L2, on all weights but b
	Epochs  int
	Batch   int

	inputs int
	w      []float64 // [hidden × inputs]; [inputs] without hidden units
	b, v   []float64 // [hidden]
}

// NewEstimator returns an estimator with the settings that the strategy certain has.
func NewEstimator() *Estimator {
	return &Estimator{Hidden: 32, Dropout: 0.2, Rate: 0.01, Decay: 1e-4, Epochs: 30, Batch: 32}
}

// Observation is a labelled pair of answers as numbers.
type Observation struct {
	Chosen, Rejected []float64
	// Target is the probability that the chosen one is better: 1 for a label that
	// is believed.
	Target float64
}

// Validate says what is wrong with the settings.
func (e *Estimator) Validate() error {
	switch {
	case e.Hidden < 0 || e.Epochs < 1 || e.Batch < 1:
		return fmt.Errorf("prefs: an estimator of %d hidden units, %d epochs in batches of %d: expected at least 0, 1 and 1", e.Hidden, e.Epochs, e.Batch)
	case !(e.Dropout >= 0 && e.Dropout < 1):
		return fmt.Errorf("prefs: dropout=%g: expected at least 0 and less than 1", e.Dropout)
	case !(e.Rate > 0) || !(e.Decay >= 0) || math.IsInf(e.Rate, 0) || math.IsInf(e.Decay, 0):
		return errors.New("prefs: an estimator's rate must be more than 0 and its decay at least 0")
	}
	return nil
}

// Fit learns from examples, from new weights. What it draws, it draws from r.
func (e *Estimator) Fit(examples []Observation, r *rand.Rand) error {
	if err := e.Validate(); err != nil {
		return err
	}
	if len(examples) == 0 {
		return errors.New("prefs: an estimator needs pairs to learn from")
	}
	e.inputs = len(examples[0].Chosen)
	for i, x := range examples {
		if len(x.Chosen) != e.inputs || len(x.Rejected) != e.inputs || e.inputs == 0 {
			return fmt.Errorf("prefs: pair %d is told by %d and %d numbers, the first by %d", i, len(x.Chosen), len(x.Rejected), e.inputs)
		}
		if !(x.Target >= 0 && x.Target <= 1) {
			return fmt.Errorf("prefs: pair %d has target %g: expected 0 to 1", i, x.Target)
		}
	}
	e.start(r)
	params := [][]float64{e.w, e.b, e.v}
	grads := [][]float64{make([]float64, len(e.w)), make([]float64, len(e.b)), make([]float64, len(e.v))}
	optimizer := newAdam(e.Rate, params)
	mask := make([]float64, e.units())
	order := r.Perm(len(examples))
	for range e.Epochs {
		r.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		for first := 0; first < len(order); first += e.Batch {
			some := order[first:min(first+e.Batch, len(order))]
			for _, g := range grads {
				clear(g)
			}
			for _, i := range some {
				e.drop(mask, r)
				e.learn(examples[i], mask, 1/float64(len(some)), grads)
			}
			for _, k := range []int{0, 2} {
				for i, x := range params[k] {
					grads[k][i] += e.Decay * x
				}
			}
			optimizer.step(params, grads)
		}
	}
	return nil
}

// units are how many numbers a mask has.
func (e *Estimator) units() int {
	if e.Hidden == 0 {
		return e.inputs
	}
	return e.Hidden
}

func (e *Estimator) start(r *rand.Rand) {
	if e.Hidden == 0 {
		e.w, e.b, e.v = make([]float64, e.inputs), nil, nil
		return
	}
	e.w, e.b, e.v = make([]float64, e.Hidden*e.inputs), make([]float64, e.Hidden), make([]float64, e.Hidden)
	for i := range e.w {
		e.w[i] = r.NormFloat64() * math.Sqrt(2/float64(e.inputs))
	}
	for i := range e.v {
		e.v[i] = r.NormFloat64() * math.Sqrt(1/float64(e.Hidden))
	}
}

// drop draws a mask, each unit's factor 0 or 1/(1−d).
func (e *Estimator) drop(mask []float64, r *rand.Rand) {
	for i := range mask {
		mask[i] = 1 / (1 - e.Dropout)
		if e.Dropout > 0 && r.Float64() < e.Dropout {
			mask[i] = 0
		}
	}
}

// score is g(x) under a mask; nil drops nothing.
func (e *Estimator) score(x, mask []float64) float64 {
	sum := 0.0
	if e.Hidden == 0 {
		for i, w := range e.w {
			sum += w * x[i] * factor(mask, i)
		}
		return sum
	}
	for j, v := range e.v {
		if m := factor(mask, j); m != 0 {
			sum += v * m * max(0, e.unit(x, j))
		}
	}
	return sum
}

func factor(mask []float64, i int) float64 {
	if mask == nil {
		return 1
	}
	return mask[i]
}

// unit is what hidden unit j gets.
func (e *Estimator) unit(x []float64, j int) float64 {
	sum := e.b[j]
	for i, w := range e.w[j*e.inputs : (j+1)*e.inputs] {
		sum += w * x[i]
	}
	return sum
}

// learn adds weight times the gradient of −t·log P − (1−t)·log(1−P).
func (e *Estimator) learn(x Observation, mask []float64, weight float64, grads [][]float64) {
	slope := weight * (logistic(e.score(x.Chosen, mask)-e.score(x.Rejected, mask)) - x.Target)
	e.climb(x.Chosen, mask, slope, grads)
	e.climb(x.Rejected, mask, -slope, grads)
}

// climb adds slope times the gradient of g(x).
func (e *Estimator) climb(x, mask []float64, slope float64, grads [][]float64) {
	if e.Hidden == 0 {
		for i := range e.w {
			grads[0][i] += slope * x[i] * mask[i]
		}
		return
	}
	for j, v := range e.v {
		if mask[j] == 0 {
			continue
		}
		h := e.unit(x, j)
		if h <= 0 {
			continue
		}
		grads[2][j] += slope * mask[j] * h
		back := slope * mask[j] * v
		grads[1][j] += back
		row := grads[0][j*e.inputs : (j+1)*e.inputs]
		for i, value := range x {
			row[i] += back * value
		}
	}
}

// Probability is P(c ≻ r) with no unit dropped.
func (e *Estimator) Probability(chosen, rejected []float64) float64 {
	return logistic(e.score(chosen, nil) - e.score(rejected, nil))
}

// Passes are n draws of P(c ≻ r), each under a mask of its own that both answers
// share.
func (e *Estimator) Passes(chosen, rejected []float64, n int, r *rand.Rand) []float64 {
	out, mask := make([]float64, n), make([]float64, e.units())
	for i := range out {
		e.drop(mask, r)
		out[i] = logistic(e.score(chosen, mask) - e.score(rejected, mask))
	}
	return out
}

// Belief is what passes say of a pair.
type Belief struct {
	Mean float64 // of P(c ≻ r)
	Gain float64 // InformationGain, in nats
}

// BeliefOf sums up passes.
func BeliefOf(passes []float64) Belief {
	sum := 0.0
	for _, p := range passes {
		sum += p
	}
	return Belief{sum / float64(len(passes)), InformationGain(passes)}
}

// InformationGain is what a label would tell of the weights, by draws p_1 … p_K of
// its probability under them (Houlsby et al. 2011, arXiv 1112.5745, eq. 2):
//
//	B = H(1/K Σ p_k) − 1/K Σ H(p_k),  H(p) = −p log p − (1−p) log(1−p).
//
// It is 0 where the draws agree and log 2 at most; the larger, the less certain.
func InformationGain(passes []float64) float64 {
	mean, within := 0.0, 0.0
	for _, p := range passes {
		mean += p / float64(len(passes))
		within += entropy(p) / float64(len(passes))
	}
	return max(0, entropy(mean)-within)
}

func entropy(p float64) float64 {
	if p <= 0 || p >= 1 {
		return 0
	}
	return -p*math.Log(p) - (1-p)*math.Log1p(-p)
}

func logistic(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

// adam is Adam (Kingma & Ba 2015, arXiv 1412.6980, algorithm 1).
type adam struct {
	rate          float64
	first, second [][]float64
	steps         float64
}

func newAdam(rate float64, params [][]float64) *adam {
	a := &adam{rate: rate}
	for _, p := range params {
		a.first, a.second = append(a.first, make([]float64, len(p))), append(a.second, make([]float64, len(p)))
	}
	return a
}

func (a *adam) step(params, grads [][]float64) {
	const beta1, beta2, epsilon = 0.9, 0.999, 1e-8
	a.steps++
	c1, c2 := 1-math.Pow(beta1, a.steps), 1-math.Pow(beta2, a.steps)
	for k, p := range params {
		m, v := a.first[k], a.second[k]
		for i, g := range grads[k] {
			m[i] = beta1*m[i] + (1-beta1)*g
			v[i] = beta2*v[i] + (1-beta2)*g*g
			p[i] -= a.rate * (m[i] / c1) / (math.Sqrt(v[i]/c2) + epsilon)
		}
	}
}
