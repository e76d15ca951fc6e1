package objective

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
)

// List is a loss of whole lists of answers, each with a score (see listShapes),
// averaged over lists; lambda over those in which scores differ.
type List struct {
	Name        string
	Shape       string
	Beta        float64
	Temperature float64 // τ of infonca and nca
}

// Validate says what is wrong with the settings.
func (o List) Validate() error {
	switch _, known := listShapes[o.Shape]; {
	case !known:
		return fmt.Errorf("list objective: shape %q: expected %s", o.Shape, strings.Join(slices.Sorted(maps.Keys(listShapes)), ", "))
	case !(o.Beta > 0) || math.IsInf(o.Beta, 0):
		return fmt.Errorf("list objective: beta=%g: expected more than 0", o.Beta)
	case o.softens() && !(o.Temperature > 0) || math.IsInf(o.Temperature, 0):
		return fmt.Errorf("list objective: temperature=%g: expected more than 0", o.Temperature)
	}
	return nil
}

// listShape is what the loss makes of a list, as text and as arithmetic side by side.
type listShape struct {
	// text is the loss, after lines that define what it needs beside u.
	text func(o List) []string
	// of is the loss, of log-ratios u, and its slopes in them.
	of func(o List, u, scores []float64) (loss float64, slopes []float64)
}

var listShapes = map[string]listShape{
	// TPO's LambdaLoss over all pairs that the scores order, averaged over the pairs of a
	// list (Liao et al. 2024, arXiv 2410.12854). Ranks are by score, from 1.
	"lambda": {
		text: func(o List) []string {
			return []string{
				o.rewardText(), "λ(i,j) = |2^score(i) − 2^score(j)|·|1/log₂(1+rank(i)) − 1/log₂(1+rank(j))|",
				"L = mean over score(i) > score(j) of −λ(i,j)·log σ(r(i) − r(j))",
			}
		},
		of: func(o List, u, scores []float64) (loss float64, slopes []float64) {
			r, discount := scaled(u, o.Beta), make([]float64, len(u))
			for i := range u {
				rank := 1.0
				for j := range u {
					if scores[j] > scores[i] {
						rank++
					}
				}
				discount[i] = 1 / math.Log2(1+rank)
			}
			pairs := 0.0
			slopes = make([]float64, len(u))
			for i := range u {
				for j := range u {
					if scores[i] <= scores[j] {
						continue
					}
					pairs++
					lambda := finite(math.Abs(finite(math.Exp2(scores[i]))-finite(math.Exp2(scores[j])))) * math.Abs(discount[i]-discount[j])
					x := finite(r[i] - r[j])
					loss += finite(lambda * softplus(-x))
					d := lambda * o.Beta * sigmoid(-x)
					slopes[i] -= d
					slopes[j] += d
				}
			}
			pairs = math.Max(pairs, 1)
			for i := range slopes {
				slopes[i] = finite(slopes[i]) / pairs
			}
			return finite(loss) / pairs, slopes
		},
	},
	// Rafailov et al. 2023, arXiv 2305.18290, A.3. Of equal scores the first comes first.
	"plackett-luce": {
		text: func(o List) []string {
			return []string{o.rewardText(), "L = −Σ_k (r(k) − log Σ_{j at or after k} e^r(j)), k by score, best first"}
		},
		of: func(o List, u, scores []float64) (loss float64, slopes []float64) {
			r, best := scaled(u, o.Beta), indices(len(u))
			slopes = make([]float64, len(u))
			slices.SortStableFunc(best, func(a, b int) int { return cmp.Compare(scores[b], scores[a]) })
			for k, at := range best[:len(best)-1] {
				p, sum := softmaxOf(r, best[k:])
				loss += sum - r[at]
				slopes[at] -= o.Beta
				for j, other := range best[k:] {
					slopes[other] += o.Beta * p[j]
				}
			}
			return loss, slopes
		},
	},
	// Scores are win rates (arXiv 2405.00675).
	"sppo": {
		text: func(o List) []string {
			return []string{fmt.Sprintf("L = ½·Σ_k (u(k) − (score(k) − ½)/%s)²", g(o.Beta))}
		},
		of: func(o List, u, scores []float64) (loss float64, slopes []float64) {
			slopes = make([]float64, len(u))
			for k := range u {
				slopes[k] = finite(u[k] - finite((scores[k]-0.5)/o.Beta))
				loss += slopes[k] * slopes[k] / 2
			}
			return loss, slopes
		},
	},
	// Chen et al. 2024, arXiv 2402.05369; so is nca.
	"infonca": {
		text: func(o List) []string {
			return []string{o.rewardText(), o.sharesText(), "L = −Σ_k p(k)·log softmax(r)(k)"}
		},
		of: func(o List, u, scores []float64) (loss float64, slopes []float64) {
			r, p := scaled(u, o.Beta), o.shares(scores)
			q, sum := softmaxOf(r, indices(len(r)))
			slopes = make([]float64, len(u))
			for k := range u {
				if p[k] > 0 { // sum − r may be infinite where it is 0
					loss += p[k] * (sum - r[k])
				}
				slopes[k] = o.Beta * (q[k] - p[k])
			}
			return loss, slopes
		},
	},
	"nca": {
		text: func(o List) []string {
			return []string{o.rewardText(), o.sharesText(), "L = −Σ_k p(k)·log σ(r(k)) + (1/K)·log σ(−r(k))"}
		},
		of: func(o List, u, scores []float64) (loss float64, slopes []float64) {
			r, p, all := scaled(u, o.Beta), o.shares(scores), float64(len(u))
			slopes = make([]float64, len(u))
			for k := range u {
				loss += p[k]*softplus(-r[k]) + softplus(r[k])/all
				slopes[k] = o.Beta * (sigmoid(r[k])/all - p[k]*sigmoid(-r[k]))
			}
			return loss, slopes
		},
	},
}

// softens tells whether scores are the logits of shares p.
func (o List) softens() bool { return o.Shape == "infonca" || o.Shape == "nca" }

// shares are p.
func (o List) shares(scores []float64) []float64 {
	p, _ := softmaxOf(scaled(scores, 1/o.Temperature), indices(len(scores)))
	return p
}

func (o List) sharesText() string {
	if o.Temperature == 1 {
		return "p = softmax(score)"
	}
	return "p = softmax(score/" + g(o.Temperature) + ")"
}

func (o List) rewardText() string { return "r(k) = " + times(o.Beta, "u(k)") }

// formula is the loss with its settings filled in.
func (o List) formula(references []string) []string {
	ratio := "u(k) = log π(k) − log " + strings.ReplaceAll(references[0], " ", "_") + "(k)"
	return append([]string{ratio}, listShapes[o.Shape].text(o)...)
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
	for i, l := range batch {
		u, err := o.read(l)
		if err != nil {
			return ListResult{}, fmt.Errorf("list %d: %w", i+1, err)
		}
		loss, slopes := listShapes[o.Shape].of(o, u, l.Scores)
		out.Losses[i], out.Grads[i] = finite(loss), slopes
		if o.Shape != "lambda" || slices.Min(l.Scores) < slices.Max(l.Scores) {
			count++
		}
	}
	count = math.Max(count, 1)
	for i, l := range batch {
		weight := or(l.Weight, 1)
		out.Losses[i] = finite(out.Losses[i] * weight)
		out.Loss = finite(out.Loss + out.Losses[i]/count)
		for k, slope := range out.Grads[i] {
			out.Grads[i][k] = finite(finite(slope) * weight / count)
		}
	}
	return out, nil
}

// read returns the log-ratios of a list's answers.
func (o List) read(l Listing) ([]float64, error) {
	switch {
	case len(l.Answers) < 2:
		return nil, fmt.Errorf("answers: %d: expected at least two", len(l.Answers))
	case len(l.Scores) != len(l.Answers):
		return nil, fmt.Errorf("scores: %d, and there are %d answers: expected as many", len(l.Scores), len(l.Answers))
	case !(or(l.Weight, 1) >= 0 && or(l.Weight, 1) <= math.MaxFloat64):
		return nil, fmt.Errorf("weight: %g: expected a number of at least 0", *l.Weight)
	}
	u := make([]float64, len(l.Answers))
	for k, s := range l.Answers {
		a, err := Pair{Name: o.Name}.reduce(fmt.Sprintf("answer %d", k+1), s, len(s.LogP))
		if err != nil {
			return nil, err
		}
		if v := l.Scores[k]; math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, fmt.Errorf("scores: %g: expected finite numbers", v)
		}
		u[k] = finite(a.ratio())
	}
	return u, nil
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
		out[i] = finite(x[i] * by)
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
