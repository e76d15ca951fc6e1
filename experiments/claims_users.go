package main

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/mat"

	"github.com/agon-rl/agon/play"
	"github.com/agon-rl/agon/prefs"
)

// user is someone's taste.
type user struct{ taste []float64 }

const tastes, tasteScale = 4, 2.0

func newUser(r *rand.Rand) user {
	u := user{make([]float64, tastes)}
	for k := range u.taste {
		u.taste[k] = r.NormFloat64() * tasteScale
	}
	return u
}

// seen is a labelled pair of a user: the chosen answer's features less the rejected's.
func (u user) seen(r *rand.Rand) []float64 {
	d := make([]float64, tastes)
	for k := range d {
		d[k] = r.NormFloat64()
	}
	if r.Float64() >= sigmoid(inner(u.taste, d)) {
		for k := range d {
			d[k] = -d[k]
		}
	}
	return d
}

func inner(a, b []float64) float64 {
	sum := 0.0
	for i := range a {
		sum += a[i] * b[i]
	}
	return sum
}

// asked is a query behind what was seen of its user: the same distance from the
// middle, the chosen answer on one side and the rejected one on the other.
func asked(context [][]float64, query []float64) prefs.Observation {
	other := make([]float64, len(query))
	for k, x := range query {
		other[k] = -x
	}
	return prefs.Observation{Chosen: inContext(context, query), Rejected: inContext(context, other), Target: 1}
}

// attending fits a score that is linear in what attention sees.
func attending(examples []prefs.Observation, r *rand.Rand) (*prefs.Estimator, error) {
	e := prefs.NewEstimator()
	e.Hidden, e.Dropout, e.Rate, e.Batch = 0, 0, 0.003, 128
	return e, e.Fit(examples, r)
}

// firstLayer leaves out what later layers see.
func firstLayer(examples []prefs.Observation) []prefs.Observation {
	out := slices.Clone(examples)
	for i, x := range out {
		out[i].Chosen, out[i].Rejected = x.Chosen[:tastes*tastes], x.Rejected[:tastes*tastes]
	}
	return out
}

// inContext tells an answer x by what was seen of its user, d_1 … d_k, as layers of
// linear attention see it: the products of x with Σd, with GΣd and with G²Σd, each
// brought to length 1, where G = Σddᵀ/k. A score linear in them can be that of steps of regression on what was
// seen (von Oswald et al. 2022, arXiv 2212.07677).
func inContext(context [][]float64, x []float64) []float64 {
	const layers = 3
	k := float64(len(context))
	sum := make([]float64, tastes)
	for _, d := range context {
		for i := range d {
			sum[i] += d[i] / math.Sqrt(k)
		}
	}
	var out []float64
	for range layers {
		size := math.Sqrt(inner(sum, sum)) // a norm for each layer
		for _, s := range sum {
			for _, value := range x {
				out = append(out, s*value/size)
			}
		}
		next := make([]float64, tastes)
		for _, d := range context {
			along := inner(d, sum) / k
			for i := range d {
				next[i] += along * d[i]
			}
		}
		sum = next
	}
	return out
}

// fewExamples is FSPO: a model that learns to learn a user's taste.
var fewExamples = claim{
	id: "fspo-users", source: "2502.19312",
	says:    "a model trained behind examples of users comes to know a new user the better the more of his examples it is shown, and comes near to Bayes",
	setting: "users with a taste drawn from N(0, 4·I) in four dimensions, labels by Bradley and Terry; three layers of linear attention learn from 8,000 users; 2,000 new ones are asked once each",
	seeds:   10,
	run: func(_ context.Context, seed uint64) (figures, error) {
		r := play.Generator(seed, "claims/fspo")
		out := figures{}
		for _, k := range []int{1, 4, 16, 64} {
			var examples []prefs.Observation
			for range 8000 {
				u := newUser(r)
				examples = append(examples, asked(u.many(k, r), u.seen(r)))
			}
			model, err := attending(examples, r)
			if err != nil {
				return nil, err
			}
			one, err := attending(firstLayer(examples), r)
			if err != nil {
				return nil, err
			}
			var test, strange []prefs.Observation
			bayes := 0.0
			const users = 2000
			for range users {
				u := newUser(r)
				context, query := u.many(k, r), u.seen(r)
				test, strange = append(test, asked(context, query)), append(strange, asked(newUser(r).many(k, r), query))
				if predictive(context, query, r) > 0.5 {
					bayes++
				}
			}
			name := fmt.Sprint(k)
			out["shown "+name], out["bayes "+name], out["strange "+name] = accuracyOn(model, test), bayes/users, accuracyOn(model, strange)
			out["short of one "+name] = bayes/users - accuracyOn(one, firstLayer(test))
			out["short "+name] = bayes/users - out["shown "+name]
		}
		out["grows"] = out["shown 16"] - out["shown 1"]
		return out, nil
	},
	measures: []measure{
		{key: "grows", what: "accuracy, 16 examples less 1", expect: moreThan(0.05)},
		{key: "short 16", what: "Bayes' accuracy less the model's, 16 examples", expect: lessThan(0.02)},
		{key: "short 64", what: "Bayes' accuracy less the model's, 64 examples", expect: lessThan(0.02)},
		{key: "strange 16", what: "accuracy behind 16 examples of another user", expect: between(0.47, 0.53)},
		{key: "short of one 16", what: "Bayes' accuracy less that of the first layer alone, 16 examples"},
		{key: "shown 1", what: "accuracy, 1 example"},
		{key: "bayes 1", what: "Bayes, 1 example"},
		{key: "shown 4", what: "accuracy, 4 examples"},
		{key: "bayes 4", what: "Bayes, 4 examples"},
		{key: "shown 16", what: "accuracy, 16 examples"},
		{key: "bayes 16", what: "Bayes, 16 examples"},
		{key: "shown 64", what: "accuracy, 64 examples"},
		{key: "bayes 64", what: "Bayes, 64 examples"},
	},
}

func (u user) many(n int, r *rand.Rand) (out [][]float64) {
	for range n {
		out = append(out, u.seen(r))
	}
	return out
}

// predictive is the posterior probability that the query is labelled as it is. The
// posterior is met at its mode with its curvature there, and what a normal
// distribution does not say of it is put right by importance weights.
func predictive(context [][]float64, query []float64, r *rand.Rand) float64 {
	const draws, wider = 64, 1.2
	logPosterior := func(w []float64) float64 {
		sum := -inner(w, w) / (2 * tasteScale * tasteScale)
		for _, d := range context {
			sum -= math.Log1p(math.Exp(-inner(w, d)))
		}
		return sum
	}
	mode := make([]float64, tastes)
	var curvature mat.Cholesky
	for range 25 { // Newton's method; the posterior is log-concave
		hessian, gradient := mat.NewSymDense(tastes, nil), mat.NewVecDense(tastes, nil)
		for k, x := range mode {
			hessian.SetSym(k, k, 1/(tasteScale*tasteScale))
			gradient.SetVec(k, -x/(tasteScale*tasteScale))
		}
		for _, d := range context {
			p, v := sigmoid(inner(mode, d)), mat.NewVecDense(tastes, d)
			hessian.SymRankOne(hessian, p*(1-p), v)
			gradient.AddScaledVec(gradient, 1-p, v)
		}
		step := mat.NewVecDense(tastes, nil)
		if !curvature.Factorize(hessian) || curvature.SolveVecTo(step, gradient) != nil {
			return math.NaN() // never: the prior's part is positive definite
		}
		if mat.Norm(step, 2) < 1e-9 {
			break
		}
		for k := range mode {
			mode[k] += step.AtVec(k) * min(1, 2/mat.Norm(step, 2))
		}
	}
	var root mat.TriDense
	curvature.UTo(&root) // H = UᵀU, so U⁻¹z has covariance H⁻¹
	logs, likes, most := make([]float64, draws), make([]float64, draws), math.Inf(-1)
	for i := range draws {
		z, w := mat.NewVecDense(tastes, nil), mat.NewVecDense(tastes, nil)
		for k := range tastes {
			z.SetVec(k, r.NormFloat64())
		}
		if w.SolveVec(&root, z) != nil {
			return math.NaN()
		}
		at := slices.Clone(mode)
		for k := range at {
			at[k] += wider * w.AtVec(k)
		}
		logs[i], likes[i] = logPosterior(at)+mat.Dot(z, z)/2, sigmoid(inner(at, query))
		most = max(most, logs[i])
	}
	all, with := 0.0, 0.0
	for i, x := range logs {
		weight := math.Exp(x - most)
		all += weight
		with += weight * likes[i]
	}
	return with / all
}
