package objective

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/agon-rl/agon/internal/spec"
)

// Term is a policy within a mixture: a checkpoint and its weight. Checkpoint 0 is
// the policy before training, checkpoint t the one at the beginning of round t.
type Term struct {
	Checkpoint int
	Weight     float64
	// Half says that it is not the checkpoint but what half a step makes of it: the
	// first of extragradient's two.
	Half bool
}

// References says what a policy is compared with in each round: the mixture
//
//	log ref_t = Σ_k w_k·log π_k        of log-probabilities, up to a constant
//	θ_ref,t   = Σ_k w_k·θ_k            of parameters, for ema
//
// whose weights sum to 1. Kinds are
//
//	fixed              π_0
//	every(n)           the policy at the last round that n divides; previous is every(1)
//	ema(decay)         θ_ref ← d·θ_ref + (1−d)·θ_t, from θ_0; TRL's
//	                   ref_model_mixup_alpha is 1 − d, its ref_model_sync_steps is every
//	geometric(weight)  w of π_0 and 1 − w of π_t: INPO's base, Nash-MD's mixture
//	extrapolated(alpha)  1 + α of π_t, −α of π_{t−1}: accelerated preference
//	                   optimization (arXiv 2410.06293)
type References struct {
	Kind   string
	Every  int     // rounds between changes: of every and ema
	Decay  float64 // d of ema
	Weight float64 // w of geometric
	Alpha  float64 // α of extrapolated
}

// ReferenceKinds lists the kinds.
var ReferenceKinds = []string{"fixed", "every", "previous", "ema", "geometric", "extrapolated"}

// ParseReferences reads a schedule such as fixed, every(5), ema(decay=0.9),
// geometric(weight=0.125) or extrapolated(alpha=0.3).
func ParseReferences(text string) (References, error) {
	s, err := spec.Parse(text)
	if err != nil {
		return References{}, fmt.Errorf("reference schedule %w", err)
	}
	r, out := spec.Read(s), References{Kind: s.Name, Every: 1}
	switch s.Name {
	case "fixed":
	case "previous":
		out.Kind = "every"
	case "every":
		out.Every = r.Int("rounds", 1, 1, 1<<30)
	case "ema":
		out.Decay, out.Every = r.Float("decay", 0.9, 0, 1), r.Int("every", 1, 1, 1<<30)
	case "geometric":
		out.Weight = r.Float("weight", 1./3, 0, 1)
	case "extrapolated":
		out.Alpha = r.Float("alpha", 0.3, 0, 1)
	default:
		return References{}, fmt.Errorf("reference schedule %q: expected %s%s", s.Name, strings.Join(ReferenceKinds, ", "), spec.Suggest(s.Name, ReferenceKinds))
	}
	if err := r.Err(); err != nil {
		return References{}, fmt.Errorf("reference schedule %w", err)
	}
	return out, nil
}

// String is the schedule as ParseReferences reads it.
func (r References) String() string {
	switch r.Kind {
	case "every":
		if r.Every == 1 {
			return "previous"
		}
		return fmt.Sprintf("every(%d)", r.Every)
	case "ema":
		return fmt.Sprintf("ema(decay=%s,every=%d)", short(r.Decay), r.Every)
	case "geometric":
		return "geometric(weight=" + short(r.Weight) + ")"
	case "extrapolated":
		return "extrapolated(alpha=" + short(r.Alpha) + ")"
	}
	return "fixed"
}

// Formula is what the reference of round t is.
func (r References) Formula() string {
	switch r.Kind {
	case "every":
		if r.Every == 1 {
			return "ref_t = π_t"
		}
		return fmt.Sprintf("ref_t = π_k, k the last multiple of %d up to t", r.Every)
	case "ema":
		text := fmt.Sprintf("θ_ref ← %s·θ_ref + %s·θ_t", g(r.Decay), g(1-r.Decay))
		if r.Every > 1 {
			text += fmt.Sprintf(" every %d rounds", r.Every)
		}
		return text + ", from θ_0"
	case "geometric":
		return fmt.Sprintf("log ref_t = %s·log π_0 + %s·log π_t", g(r.Weight), g(1-r.Weight))
	case "extrapolated":
		return fmt.Sprintf("log ref_t = %s·log π_t − %s·log π_(t−1)", g(1+r.Alpha), g(r.Alpha))
	}
	return "ref_t = π_0"
}

// OfParameters tells whether the mixture is of parameters instead of
// log-probabilities.
func (r References) OfParameters() bool { return r.Kind == "ema" }

// At returns the mixture in round t, from 0, by checkpoint, each once. Weights sum
// to 1; policies of weight 0 are left out.
func (r References) At(t int) []Term {
	t = max(t, 0)
	switch r.Kind {
	case "every":
		return only(t / r.Every * r.Every)
	case "ema":
		// The average is of round 0 and of those that Every divides.
		n := t / r.Every
		terms := []Term{{Checkpoint: 0, Weight: math.Pow(r.Decay, float64(n))}}
		for k := 1; k <= n; k++ {
			terms = append(terms, Term{Checkpoint: k * r.Every, Weight: (1 - r.Decay) * math.Pow(r.Decay, float64(n-k))})
		}
		return merged(terms)
	case "geometric":
		return merged([]Term{{Checkpoint: 0, Weight: r.Weight}, {Checkpoint: t, Weight: 1 - r.Weight}})
	case "extrapolated":
		return merged([]Term{{Checkpoint: t, Weight: 1 + r.Alpha}, {Checkpoint: max(t-1, 0), Weight: -r.Alpha}})
	}
	return only(0)
}

// Opponents says against whom answers are compared in each round: a mixture of
// policies, from which opponents are drawn by weight, or whose win rates are
// averaged. Kinds are
//
//	self               π_t
//	half-step          what half a step makes of π_t: extragradient (EGPO)
//	mixture(weight)    the geometric mixture w of π_0 and 1 − w of π_t (Nash-MD);
//	                   Geometric tells it from the others
//	queue(size)        the last n policies alike (minimaximalist SPO)
//	population(weights)  λ_j of π_{t−j}, by their share (MNPO)
//	optimistic         2·π_t − π_{t−1}, of win rates
type Opponents struct {
	Kind    string
	Weight  float64
	Size    int
	Weights []float64
}

// OpponentKinds lists the kinds.
var OpponentKinds = []string{"self", "half-step", "mixture", "queue", "population", "optimistic"}

// ParseOpponents reads a schedule such as self, queue(8) or
// population("0.5,0.3,0.2").
func ParseOpponents(text string) (Opponents, error) {
	s, err := spec.Parse(text)
	if err != nil {
		return Opponents{}, fmt.Errorf("opponent schedule %w", err)
	}
	r, out := spec.Read(s), Opponents{Kind: s.Name}
	switch s.Name {
	case "self", "half-step", "optimistic":
	case "mixture":
		out.Weight = r.Float("weight", 0.5, 0, 1)
	case "queue":
		out.Size = r.Int("size", 8, 1, 1<<20)
	case "population":
		text := r.String("weights", "1,1")
		sum := 0.0
		for _, field := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' || r == ';' }) {
			w, err := strconv.ParseFloat(field, 64)
			if err != nil || !(w >= 0 && w <= 1e9) {
				return Opponents{}, fmt.Errorf("opponent schedule population: weights=%s: expected numbers of at least 0, such as \"0.5,0.3,0.2\"", text)
			}
			out.Weights, sum = append(out.Weights, w), sum+w
		}
		if !(sum > 0) {
			return Opponents{}, fmt.Errorf("opponent schedule population: weights=%s: expected at least one of more than 0", text)
		}
	default:
		return Opponents{}, fmt.Errorf("opponent schedule %q: expected %s%s", s.Name, strings.Join(OpponentKinds, ", "), spec.Suggest(s.Name, OpponentKinds))
	}
	if err := r.Err(); err != nil {
		return Opponents{}, fmt.Errorf("opponent schedule %w", err)
	}
	return out, nil
}

// String is the schedule as ParseOpponents reads it.
func (o Opponents) String() string {
	switch o.Kind {
	case "mixture":
		return "mixture(weight=" + short(o.Weight) + ")"
	case "queue":
		return fmt.Sprintf("queue(size=%d)", o.Size)
	case "population":
		return "population(weights=\"" + listed(o.Weights) + "\")"
	}
	return o.Kind
}

// Formula is who the opponent of round t is.
func (o Opponents) Formula() string {
	switch o.Kind {
	case "half-step":
		return "μ_t = π_(t+½), half a step from π_t"
	case "mixture":
		return fmt.Sprintf("log μ_t = %s·log π_0 + %s·log π_t", g(o.Weight), g(1-o.Weight))
	case "queue":
		return fmt.Sprintf("μ_t = the mean of π_(t−j), j = 0 … %d", o.Size-1)
	case "population":
		var terms []string
		for j, w := range shares(o.Weights) {
			terms = append(terms, fmt.Sprintf("%s·π_(t−%d)", g(w), j))
		}
		return "μ_t = " + strings.Join(terms, " + ")
	case "optimistic":
		return "μ_t = 2·π_t − π_(t−1), of win rates"
	}
	return "μ_t = π_t"
}

// Geometric tells whether the mixture is of log-probabilities instead of policies.
func (o Opponents) Geometric() bool { return o.Kind == "mixture" }

// At returns the mixture in round t, from 0. Weights sum to 1. Early rounds have
// fewer policies: a queue is shorter, and a population's weights are shared by those
// that there are.
func (o Opponents) At(t int) []Term {
	t = max(t, 0)
	switch o.Kind {
	case "half-step":
		return []Term{{Checkpoint: t, Weight: 1, Half: true}}
	case "mixture":
		return merged([]Term{{Checkpoint: 0, Weight: o.Weight}, {Checkpoint: t, Weight: 1 - o.Weight}})
	case "queue":
		n := min(o.Size, t+1)
		terms := make([]Term, n)
		for j := range terms {
			terms[j] = Term{Checkpoint: t - j, Weight: 1 / float64(n)}
		}
		return merged(terms)
	case "population":
		weights := shares(o.Weights[:min(len(o.Weights), t+1)])
		var terms []Term
		for j, w := range weights {
			terms = append(terms, Term{Checkpoint: t - j, Weight: w})
		}
		return merged(terms)
	case "optimistic":
		return merged([]Term{{Checkpoint: t, Weight: 2}, {Checkpoint: max(t-1, 0), Weight: -1}})
	}
	return only(t)
}

// shares are weights by their sum; alike, where that is 0.
func shares(weights []float64) []float64 {
	out, sum := make([]float64, len(weights)), 0.0
	for _, w := range weights {
		sum += w
	}
	for i, w := range weights {
		out[i] = 1 / float64(len(weights))
		if sum > 0 {
			out[i] = w / sum
		}
	}
	return out
}

func only(checkpoint int) []Term { return []Term{{Checkpoint: checkpoint, Weight: 1}} }

// merged adds the weights of equal checkpoints, and sorts by checkpoint.
func merged(terms []Term) []Term {
	slices.SortStableFunc(terms, func(a, b Term) int { return a.Checkpoint - b.Checkpoint })
	var out []Term
	for _, t := range terms {
		if n := len(out); n > 0 && out[n-1].Checkpoint == t.Checkpoint {
			out[n-1].Weight += t.Weight
			continue
		}
		out = append(out, t)
	}
	return slices.DeleteFunc(out, func(t Term) bool { return t.Weight == 0 })
}

func short(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }

// listed are numbers as a setting takes them: 0.5,0.3.
func listed(xs []float64) string {
	texts := make([]string, len(xs))
	for i, x := range xs {
		texts[i] = short(x)
	}
	return strings.Join(texts, ",")
}
