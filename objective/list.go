package objective

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
)

// List is a loss of whole lists of answers, each with a score. With
// r = β·log π/π_ref its shapes are
//
//	lambda         TPO's LambdaLoss over all pairs that the scores order (Liao et al.
//	               2024, arXiv 2410.12854), averaged over the pairs of a list:
//	               −λ_ij·log σ(r_i − r_j),
//	               λ_ij = |2^v_i − 2^v_j|·|1/log₂(1+rank_i) − 1/log₂(1+rank_j)|
//	               with ranks by score, from 1 (the released code climbs this loss
//	               instead of descending it, and has no λ)
//	plackett-luce  −Σ_k (r_(k) − log Σ_{j≥k} e^r_(j)), best first; of equal scores
//	               the first comes first (Rafailov et al. 2023, arXiv 2305.18290, A.3)
//	sppo           ½ Σ (r/β − (v − ½)/β)², scores being win rates (arXiv 2405.00675)
//	infonca        −Σ p_k·log softmax(r)_k, p = softmax(v/τ) (arXiv 2402.05369)
//	nca            −Σ p_k·log σ(r_k) + (1/K)·log σ(−r_k) (the same)
//
// each averaged over lists; lambda over those in which scores differ.
type List struct {
	Name        string
	Shape       string // "" is lambda
	Beta        float64
	Temperature float64 // τ of infonca and nca; 0 is 1
}

var listShapes = []string{"lambda", "plackett-luce", "sppo", "infonca", "nca"}

// Validate says what is wrong with the settings.
func (o List) Validate() error {
	switch {
	case !slices.Contains(listShapes, o.shape()):
		return fmt.Errorf("list objective: shape %q: expected %s", o.Shape, strings.Join(listShapes, ", "))
	case !(o.Beta > 0) || math.IsInf(o.Beta, 0):
		return fmt.Errorf("list objective: beta=%g: expected more than 0", o.Beta)
	case !(o.Temperature >= 0) || math.IsInf(o.Temperature, 0):
		return fmt.Errorf("list objective: temperature=%g: expected more than 0", o.Temperature)
	}
	return nil
}

func (o List) shape() string {
	if o.Shape == "" {
		return "lambda"
	}
	return o.Shape
}

func (o List) temperature() float64 {
	if o.Temperature == 0 {
		return 1
	}
	return o.Temperature
}

// Listing is a list of answers with their scores.
type Listing struct {
	Answers []Sequence
	Scores  []float64
	Weight  *float64 // factor of the list's loss
}

// ListResult is what a batch of lists comes to. Loss is the mean of Losses (lambda's
// of those of lists in which scores differ), Grads are the gradients of Loss with
// respect to the answers' reduced log-probabilities.
type ListResult struct {
	Loss   float64
	Losses []float64
	Grads  [][]float64
}

// Evaluate returns the losses of a batch and the gradients of their mean, in plain
// arithmetic. Errors name the list, counted from 1.
func (o List) Evaluate(batch []Listing) (ListResult, error) {
	if err := o.Validate(); err != nil {
		return ListResult{}, err
	}
	if len(batch) == 0 {
		return ListResult{}, errors.New("lists: empty: expected at least one list")
	}
	out := ListResult{Losses: make([]float64, len(batch)), Grads: make([][]float64, len(batch))}
	count := 0.0
	weights := make([]float64, len(batch))
	reducer := Pair{Name: o.Name}
	for i, l := range batch {
		ratio, err := o.read(reducer, l)
		if err != nil {
			return ListResult{}, fmt.Errorf("list %d: %w", i+1, err)
		}
		weights[i] = 1
		if l.Weight != nil {
			weights[i] = *l.Weight
		}
		loss, slopes := o.each(ratio, l.Scores)
		out.Losses[i], out.Grads[i] = finite(loss), slopes
		if o.shape() != "lambda" || slices.Min(l.Scores) < slices.Max(l.Scores) {
			count++
		}
	}
	count = math.Max(count, 1)
	for i := range batch {
		out.Losses[i] = finite(out.Losses[i] * weights[i])
		out.Loss = finite(out.Loss + out.Losses[i]/count)
		for k := range out.Grads[i] {
			out.Grads[i][k] = finite(finite(out.Grads[i][k]) * weights[i] / count)
		}
	}
	return out, nil
}

// read returns the log-ratios of a list's answers.
func (o List) read(reducer Pair, l Listing) ([]float64, error) {
	switch {
	case len(l.Answers) < 2:
		return nil, fmt.Errorf("answers: %d: expected at least two", len(l.Answers))
	case len(l.Scores) != len(l.Answers):
		return nil, fmt.Errorf("scores: %d, and there are %d answers: expected as many", len(l.Scores), len(l.Answers))
	case l.Weight != nil && !(*l.Weight >= 0 && *l.Weight <= math.MaxFloat64):
		return nil, fmt.Errorf("weight: %g: expected a number of at least 0", *l.Weight)
	}
	ratio := make([]float64, len(l.Answers))
	for k, s := range l.Answers {
		a, err := reducer.reduce(fmt.Sprintf("answer %d", k+1), s, len(s.LogP))
		if err != nil {
			return nil, err
		}
		if v := l.Scores[k]; math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, fmt.Errorf("scores: %g: expected finite numbers", v)
		}
		ratio[k] = finite(a.logp - a.base)
	}
	return ratio, nil
}

// each is the loss of one list and its slopes in the log-ratios.
func (o List) each(ratio, scores []float64) (loss float64, slopes []float64) {
	n := len(ratio)
	slopes = make([]float64, n)
	r := make([]float64, n)
	for k := range r {
		r[k] = finite(o.Beta * ratio[k])
	}
	switch o.shape() {
	case "lambda":
		return lambdaLoss(o.Beta, r, scores)
	case "plackett-luce":
		best := indices(n)
		slices.SortStableFunc(best, func(a, b int) int { return cmp.Compare(scores[b], scores[a]) })
		for k := range best[:n-1] {
			p, sum := softmaxOf(r, best[k:])
			loss += sum - r[best[k]]
			slopes[best[k]] -= o.Beta
			for j, at := range best[k:] {
				slopes[at] += o.Beta * p[j]
			}
		}
	case "sppo":
		for k := range ratio {
			d := finite(ratio[k] - finite((scores[k]-0.5)/o.Beta))
			loss += d * d / 2
			slopes[k] = d
		}
	case "infonca":
		all := indices(n)
		p, _ := softmaxOf(scaled(scores, o.temperature()), all)
		q, sum := softmaxOf(r, all)
		for k := range r {
			if p[k] > 0 {
				loss += p[k] * (sum - r[k])
			}
			slopes[k] = o.Beta * (q[k] - p[k])
		}
	case "nca":
		p, _ := softmaxOf(scaled(scores, o.temperature()), indices(n))
		for k := range r {
			loss += p[k]*softplus(-r[k]) + softplus(r[k])/float64(n)
			slopes[k] = o.Beta * (-p[k]*sigmoid(-r[k]) + sigmoid(r[k])/float64(n))
		}
	}
	return loss, slopes
}

func lambdaLoss(beta float64, r, scores []float64) (loss float64, slopes []float64) {
	slopes = make([]float64, len(r))
	discount := make([]float64, len(r))
	for i := range r {
		rank := 1.0
		for j := range r {
			if scores[j] > scores[i] {
				rank++
			}
		}
		discount[i] = math.Ln2 / math.Log1p(rank)
	}
	pairs := 0.0
	for i := range r {
		for j := range r {
			if scores[i] <= scores[j] {
				continue
			}
			pairs++
			lambda := finite(math.Abs(finite(math.Exp2(scores[i]))-finite(math.Exp2(scores[j])))) * math.Abs(discount[i]-discount[j])
			x := finite(r[i] - r[j])
			loss += finite(lambda * softplus(-x))
			d := lambda * beta * sigmoid(-x)
			slopes[i] -= d
			slopes[j] += d
		}
	}
	pairs = math.Max(pairs, 1)
	for i := range slopes {
		slopes[i] = finite(slopes[i]) / pairs
	}
	return finite(loss) / pairs, slopes
}

func indices(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

func scaled(x []float64, by float64) []float64 {
	out := make([]float64, len(x))
	for i := range x {
		out[i] = finite(x[i] / by)
	}
	return out
}

// softmaxOf returns the softmax of x at some indices, and the logarithm of its sum.
func softmaxOf(x []float64, at []int) (p []float64, logSum float64) {
	top := math.Inf(-1)
	for _, i := range at {
		top = math.Max(top, x[i])
	}
	p = make([]float64, len(at))
	sum := 0.0
	for k, i := range at {
		p[k] = math.Exp(x[i] - top)
		sum += p[k]
	}
	for k := range p {
		p[k] /= sum
	}
	return p, top + math.Log(sum)
}
