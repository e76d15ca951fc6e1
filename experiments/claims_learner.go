package main

import (
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/floats"

	"github.com/agon-rl/agon/objective"
)

// lister is a policy over a list of answers, log-linear in features of theirs:
// π ∝ ref·exp(φ·θ), with θ = 0 at the start. Without features each answer has a logit.
type lister struct {
	reference []float64 // log ref
	features  [][]float64
	theta     []float64
	adam      *adam // nil for plain gradient descent
	rate      float64
}

func newLister(reference []float64, features [][]float64, rate float64, withAdam bool) *lister {
	l := &lister{reference: reference, features: features, rate: rate}
	l.theta = make([]float64, len(reference))
	if features != nil {
		l.theta = make([]float64, len(features[0]))
	}
	if withAdam {
		l.adam = &adam{m: make([]float64, len(l.theta)), v: make([]float64, len(l.theta))}
	}
	return l
}

// logs are log π.
func (l *lister) logs() []float64 {
	out := make([]float64, len(l.reference))
	for i := range out {
		out[i] = l.reference[i]
		if l.features == nil {
			out[i] += l.theta[i]
		} else {
			out[i] += floats.Dot(l.features[i], l.theta)
		}
	}
	z := floats.LogSumExp(out)
	floats.AddConst(-z, out)
	return out
}

// probs is π.
func (l *lister) probs() []float64 {
	out := l.logs()
	for i, x := range out {
		out[i] = math.Exp(x)
	}
	return out
}

// preference is a pair of answers of the list, with a third one where an objective
// wants it, and how much it counts.
type preference struct {
	chosen, rejected int
	extra            int // -1 for none
	target, margin   *float64
	weight           float64
}

// gradient is that of the mean loss by θ, of pairs that count by their weights. bases
// are log-probabilities of the references in the objective's order.
func (l *lister) gradient(o objective.Pair, pairs []preference, bases ...[]float64) ([]float64, error) {
	logs := l.logs()
	at := func(i int) objective.Sequence {
		s := objective.Sequence{LogP: []float64{logs[i]}}
		for _, b := range bases {
			s.Ref = append(s.Ref, []float64{b[i]})
		}
		return s
	}
	batch := make([]objective.Preference, len(pairs))
	for k, p := range pairs {
		batch[k] = objective.Preference{Chosen: at(p.chosen), Rejected: at(p.rejected), Target: p.target, Margin: p.margin, Weight: &pairs[k].weight}
		if p.extra >= 0 {
			third := at(p.extra)
			batch[k].Extra = &third
		}
	}
	result, err := o.Evaluate(batch)
	if err != nil {
		return nil, err
	}
	pushes := make([]float64, len(logs)) // by log π of each answer
	for k, p := range pairs {
		g := result.Grads[k]
		pushes[p.chosen] += g.Chosen
		pushes[p.rejected] += g.Rejected
		if p.extra >= 0 {
			pushes[p.extra] += g.Extra
		}
	}
	total := floats.Sum(pushes)
	for i, x := range logs { // log π_i moves with its own logit and against all
		pushes[i] -= total * math.Exp(x)
	}
	if l.features == nil {
		return pushes, nil
	}
	out := make([]float64, len(l.theta))
	for i, g := range pushes {
		floats.AddScaled(out, g, l.features[i])
	}
	return out, nil
}

// merged joins equal pairs into one that weighs as all of them do in a mean.
func merged(pairs []preference) []preference {
	var out []preference
	for _, p := range pairs {
		i := slices.IndexFunc(out, func(q preference) bool { return q.chosen == p.chosen && q.rejected == p.rejected && q.extra == p.extra })
		if i < 0 {
			out, i = append(out, p), len(out)
			out[i].weight = 0
		}
		out[i].weight += p.weight
	}
	for i := range out {
		out[i].weight *= float64(len(out)) / float64(len(pairs))
	}
	return out
}

// learn takes a step down an objective.
func (l *lister) learn(o objective.Pair, pairs []preference, bases ...[]float64) error {
	g, err := l.gradient(o, pairs, bases...)
	if err != nil {
		return err
	}
	if l.adam != nil {
		l.adam.scale(g)
	}
	floats.AddScaled(l.theta, -l.rate, g)
	return nil
}

// adam scales gradients as Kingma and Ba's optimizer (arXiv 1412.6980) does, with their
// constants.
type adam struct {
	m, v []float64
	t    int
}

func (a *adam) scale(g []float64) {
	a.t++
	for i, x := range g {
		a.m[i] = 0.9*a.m[i] + 0.1*x
		a.v[i] = 0.999*a.v[i] + 0.001*x*x
		m, v := a.m[i]/(1-math.Pow(0.9, float64(a.t))), a.v[i]/(1-math.Pow(0.999, float64(a.t)))
		g[i] = m / (math.Sqrt(v) + 1e-8)
	}
}

// kl is KL(p ‖ q) of log-probabilities.
func kl(p, q []float64) (d float64) {
	for i, x := range p {
		d += math.Exp(x) * (x - q[i])
	}
	return d
}

// judgedPair draws two answers of a policy and labels them by the logistic model.
func judgedPair(probs, rewards []float64, scale float64, r *rand.Rand) preference {
	a, b := draw(probs, r), draw(probs, r)
	if r.Float64() >= sigmoid(scale*(rewards[a]-rewards[b])) {
		a, b = b, a
	}
	return preference{chosen: a, rejected: b, extra: -1, weight: 1}
}
