package prefs

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"gonum.org/v1/gonum/mat"

	"github.com/agon-rl/agon/play"
)

// Audit says what a set of pairs can teach beside what it is meant to. Where the
// chosen answers come from another writer than the rejected ones, a learner can
// tell them apart by style and need not learn what makes them better (More is
// Less, Wang et al. 2025, arXiv 2504.02193: such sets are linearly separable, and
// models trained on them are less safe). So it asks how well a linear probe tells
// the chosen answer, and each answer's source, from features that have nothing to
// do with quality. Accuracies are of states that the probe has not seen.
type Audit struct {
	Pairs   int            `json:"pairs"`
	States  int            `json:"states"`
	Sources map[string]int `json:"sources"` // answers of each
	Mixed   float64        `json:"mixed"`   // share of pairs whose answers are of two sources
	Folds   int            `json:"folds"`
	Quality Quality        `json:"quality"`
	Chosen  []Probe        `json:"chosen"` // telling the chosen answer, by kinds of features
	Source  []Probe        `json:"source"` // telling the answers of one source from all others, by form and policy; empty where there is one
}

// Quality is how much better the chosen answers are, by the values in the pairs.
type Quality struct {
	Gap     float64 `json:"gap"`     // mean difference of values
	Even    float64 `json:"even"`    // share of pairs of equal values
	Against float64 `json:"against"` // share of pairs whose rejected answer has the higher value
}

// Probe is a logistic regression and what it tells, 0.5 being chance.
type Probe struct {
	Name     string     `json:"name"`
	Accuracy float64    `json:"accuracy"` // of unseen states; for sources the mean over the source and the others
	Interval [2]float64 `json:"interval"` // 95 %
	Features []Weight   `json:"features"` // the heaviest first, of a fit to all
}

// Weight is a feature's part in a probe, per standard deviation, and how often the
// feature alone points the same way.
type Weight struct {
	Name   string  `json:"name"`
	Weight float64 `json:"weight"`
	Alone  float64 `json:"alone"` // accuracy of its sign; 0.5 where it tells nothing
}

// column is a feature of an answer. The form's and the policy's are what a
// learner could go by instead of quality.
type column struct {
	kind, name string
	of         func(a Candidate) float64
}

var columns = []column{
	{"form", "length", func(a Candidate) float64 { return float64(utf8.RuneCountInString(a.Text)) }},
	{"form", "words", func(a Candidate) float64 { return float64(len(strings.Fields(a.Text))) }},
	{"form", "digits", func(a Candidate) float64 { return lettersThat(a.Text, unicode.IsDigit) }},
	{"form", "marks", func(a Candidate) float64 { return lettersThat(a.Text, isMark) }},
	{"form", "capitals", func(a Candidate) float64 { return lettersThat(a.Text, unicode.IsUpper) }},
	{"form", "action", func(a Candidate) float64 { return float64(a.Action) }},
	{"policy", "prior", func(a Candidate) float64 { return a.Prior }},
	{"policy", "behaviour", func(a Candidate) float64 { return a.Behaviour }},
	{"search", "visits", func(a Candidate) float64 { return math.Log1p(float64(a.Visits)) }},
	{"value", "q", func(a Candidate) float64 { return a.Q }},
}

// kinds are the probes of the chosen answer: surface is form and policy together.
var kinds = []string{"form", "policy", "surface", "search", "value"}

func columnsOf(kind string) []column {
	return slices.DeleteFunc(slices.Clone(columns), func(c column) bool {
		return c.kind != kind && (kind != "surface" || c.kind != "form" && c.kind != "policy")
	})
}

// AuditFolds is how often a probe is fitted without a part of the states.
const AuditFolds = 5

// AuditOf audits pairs. The states' folds are drawn from r.
func AuditOf(pairs []Pair, r *rand.Rand) (Audit, error) {
	out := Audit{Pairs: len(pairs), Sources: map[string]int{}, Folds: AuditFolds}
	if len(pairs) == 0 {
		return out, errors.New("prefs: there are no pairs to audit")
	}
	for _, p := range pairs {
		for _, x := range []float64{p.ChosenQ, p.RejectedQ, p.ChosenPrior, p.RejectedPrior, p.ChosenBehaviour, p.RejectedBehaviour} {
			if math.IsNaN(x) || math.IsInf(x, 0) {
				return out, fmt.Errorf("prefs: a pair at %q holds a number that is not finite", p.Prompt)
			}
		}
	}
	fold, err := foldsOf(pairs, out.Folds, r)
	if err != nil {
		return out, err
	}
	for _, p := range pairs {
		chosen, rejected := p.Answers()
		out.Sources[chosen.Source]++
		out.Sources[rejected.Source]++
		if chosen.Source != rejected.Source {
			out.Mixed++
		}
		out.Quality.Gap += p.Gap()
		switch {
		case p.Gap() == 0:
			out.Quality.Even++
		case p.Gap() < 0:
			out.Quality.Against++
		}
	}
	for _, x := range []*float64{&out.Mixed, &out.Quality.Gap, &out.Quality.Even, &out.Quality.Against} {
		*x /= float64(len(pairs))
	}
	tasks, states := tasksOf(pairs), map[string]bool{}
	for _, task := range tasks {
		states[task] = true
	}
	out.States = len(states)
	for _, kind := range kinds {
		out.Chosen = append(out.Chosen, probeChosen(kind, pairs, tasks, fold, out.Folds))
	}
	if len(out.Sources) > 1 {
		for _, name := range slices.Sorted(maps.Keys(out.Sources)) {
			out.Source = append(out.Source, probeSource(name, pairs, tasks, fold, out.Folds))
		}
	}
	return out, nil
}

// probeChosen learns to tell the chosen answer by the difference of the features,
// without a constant, so that it cannot go by the order.
func probeChosen(kind string, pairs []Pair, tasks []string, fold []int, folds int) Probe {
	cols := columnsOf(kind)
	x := make([][]float64, len(pairs))
	for i, p := range pairs {
		chosen, rejected := p.Answers()
		x[i] = make([]float64, len(cols))
		for k, c := range cols {
			x[i][k] = c.of(chosen) - c.of(rejected)
		}
	}
	scale(x, false)
	ones, weights := make([]float64, len(x)), make([]float64, len(x))
	for i := range x {
		ones[i], weights[i] = 1, 1
	}
	right := crossed(x, ones, weights, fold, folds)
	out := Probe{Name: kind}
	out.Accuracy, out.Interval = clustered(right, tasks)
	w := logisticFit(x, ones, weights)
	for k, c := range cols {
		alone := 0.0
		for i := range x {
			alone += side(x[i][k] * math.Copysign(1, w[k]))
		}
		out.Features = append(out.Features, Weight{c.name, w[k], alone / float64(len(x))})
	}
	byWeight(out.Features)
	return out
}

// probeSource learns to tell the answers of a source from all others, both sides
// weighing the same.
func probeSource(name string, pairs []Pair, tasks []string, fold []int, folds int) Probe {
	cols := columnsOf("surface")
	var x [][]float64
	var y, weights []float64
	var where []int
	var states []string
	counts := [2]float64{}
	seen := map[string]bool{}
	for i, p := range pairs {
		chosen, rejected := p.Answers()
		for _, a := range []Candidate{chosen, rejected} {
			key := fmt.Sprint(tasks[i], "\x00", a.Source, "\x00", a.Action, a.Text)
			if seen[key] {
				continue
			}
			seen[key] = true
			row := make([]float64, len(cols), len(cols)+1)
			for k, c := range cols {
				row[k] = c.of(a)
			}
			label := 0.0
			if a.Source == name {
				label = 1
			}
			counts[int(label)]++
			x, y, where, states = append(x, row), append(y, label), append(where, fold[i]), append(states, tasks[i])
		}
	}
	scale(x, true)
	for i := range x {
		x[i] = append(x[i], 1)
	}
	for _, label := range y {
		weights = append(weights, float64(len(y))/(2*counts[int(label)]))
	}
	right := crossed(x, y, weights, where, folds)
	out := Probe{Name: name}
	half := 0.0
	for label := range 2 {
		var some []float64
		var at []string
		for i, r := range right {
			if int(y[i]) == label {
				some, at = append(some, r), append(at, states[i])
			}
		}
		accuracy, interval := clustered(some, at)
		out.Accuracy += accuracy / 2
		half += (interval[1] - interval[0]) * (interval[1] - interval[0]) / 4
	}
	half = math.Sqrt(half) / 2
	out.Interval = [2]float64{max(0, out.Accuracy-half), min(1, out.Accuracy+half)}
	w := logisticFit(x, y, weights)
	for k, c := range cols {
		alone := 0.0
		for i := range x {
			alone += weights[i] * side(x[i][k]*(2*y[i]-1)*math.Copysign(1, w[k]))
		}
		out.Features = append(out.Features, Weight{c.name, w[k], alone / float64(len(x))})
	}
	byWeight(out.Features)
	return out
}

func byWeight(features []Weight) {
	slices.SortStableFunc(features, func(a, b Weight) int { return cmp.Compare(math.Abs(b.Weight), math.Abs(a.Weight)) })
}

// side is 1 above 0, ½ at it and 0 below.
func side(x float64) float64 {
	switch {
	case x > 0:
		return 1
	case x < 0:
		return 0
	}
	return 0.5
}

// scale divides columns by their root mean square, after their mean is taken off
// if wanted. Constant columns become 0.
func scale(x [][]float64, center bool) {
	for k := range x[0] {
		mean, square := 0.0, 0.0
		if center {
			for _, row := range x {
				mean += row[k] / float64(len(x))
			}
		}
		for _, row := range x {
			row[k] -= mean
			square += row[k] * row[k] / float64(len(x))
		}
		const rounding = 1e-12
		deviation := math.Sqrt(square)
		for _, row := range x {
			if deviation <= rounding*(1+math.Abs(mean)) {
				row[k] = 0
				continue
			}
			row[k] /= deviation
		}
	}
}

// crossed tells for each row whether a fit without its fold has it right: 1, ½ or 0.
func crossed(x [][]float64, y, weights []float64, fold []int, folds int) []float64 {
	right := make([]float64, len(x))
	for k := range folds {
		var xs [][]float64
		var ys, ws []float64
		for i := range x {
			if fold[i] != k {
				xs, ys, ws = append(xs, x[i]), append(ys, y[i]), append(ws, weights[i])
			}
		}
		w := logisticFit(xs, ys, ws)
		for i := range x {
			if fold[i] == k {
				right[i] = side(dot(w, x[i]) * (2*y[i] - 1))
			}
		}
	}
	return right
}

func dot(a, b []float64) float64 {
	sum := 0.0
	for i := range a {
		sum += a[i] * b[i]
	}
	return sum
}

// ridge is the probe's λ: the weight of ½|w|² against the sum over rows.
const ridge = 1.0

// logisticFit minimises −Σ_i c_i·log σ((2y_i−1)·w·x_i) + ½λ|w|² by Newton's method.
// The sum is strictly convex, so there is one answer, which it finds to rounding.
func logisticFit(x [][]float64, y, weights []float64) []float64 {
	d := 0
	if len(x) > 0 {
		d = len(x[0])
	}
	w := make([]float64, d)
	if d == 0 {
		return w
	}
	value := logisticLoss(x, y, weights, w)
	for range 100 {
		hessian, gradient := mat.NewSymDense(d, nil), mat.NewVecDense(d, nil)
		for k := range d {
			hessian.SetSym(k, k, ridge)
			gradient.SetVec(k, ridge*w[k])
		}
		for i, row := range x {
			p := logistic(dot(w, row))
			gradient.AddScaledVec(gradient, weights[i]*(p-y[i]), mat.NewVecDense(d, row[:d:d]))
			hessian.SymRankOne(hessian, weights[i]*p*(1-p), mat.NewVecDense(d, row[:d:d]))
		}
		var factor mat.Cholesky
		step := mat.NewVecDense(d, nil)
		if !factor.Factorize(hessian) || factor.SolveVecTo(step, gradient) != nil {
			return w // λ keeps it positive definite; only what is not finite ends here
		}
		if mat.Norm(step, 2) < 1e-12*(1+mat.Norm(mat.NewVecDense(d, slices.Clone(w)), 2)) {
			return w
		}
		next, fell := w, false
		for size := 1.0; size > 1e-9 && !fell; size /= 2 {
			next = make([]float64, d)
			for k := range w {
				next[k] = w[k] - size*step.AtVec(k)
			}
			if v := logisticLoss(x, y, weights, next); v < value {
				value, fell = v, true
			}
		}
		if !fell {
			return w
		}
		w = next
	}
	return w
}

func logisticLoss(x [][]float64, y, weights, w []float64) float64 {
	sum := ridge / 2 * dot(w, w)
	for i, row := range x {
		z := dot(w, row) * (2*y[i] - 1)
		sum += weights[i] * (math.Log1p(math.Exp(-math.Abs(z))) - min(0, z))
	}
	return sum
}

// clustered is a mean with its 95 % interval, where rows of one state count as one
// draw.
func clustered(right []float64, tasks []string) (mean float64, interval [2]float64) {
	n := float64(len(right))
	if n == 0 {
		return math.NaN(), [2]float64{0, 1}
	}
	for _, r := range right {
		mean += r
	}
	mean /= n // halves and ones: exact until here
	off := map[string]float64{}
	for i, r := range right {
		off[tasks[i]] += (r - mean) / n
	}
	variance := 0.0
	for _, key := range slices.Sorted(maps.Keys(off)) {
		variance += off[key] * off[key]
	}
	if variance == 0 { // all right, all wrong, or all even: the states' number bounds what is not known
		return mean, play.Wilson(int(math.Round(mean*float64(len(off)))), len(off))
	}
	half := 1.96 * math.Sqrt(variance)
	return mean, [2]float64{max(0, mean-half), min(1, mean+half)}
}
