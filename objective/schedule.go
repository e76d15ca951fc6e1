package objective

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/agon-rl/agon/internal/spec"
)

// Term is a policy within a mixture: a checkpoint and its weight. Checkpoint 0 is
// the policy before training, checkpoint t the one at the beginning of round t.
type Term struct {
	Checkpoint int
	Weight     float64
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

// OfParameters tells whether the mixture is of parameters instead of
// log-probabilities.
func (r References) OfParameters() bool { return r.Kind == "ema" }

// At returns the mixture in round t, from 0, by checkpoint, each once. Weights sum
// to 1; policies of weight 0 are left out.
func (r References) At(t int) []Term {
	t = max(t, 0)
	switch r.Kind {
	case "every":
		return merged(Term{t / r.Every * r.Every, 1})
	case "ema": // the average is of round 0 and of those that Every divides
		n := t / r.Every
		terms := []Term{{0, math.Pow(r.Decay, float64(n))}}
		for k := 1; k <= n; k++ {
			terms = append(terms, Term{k * r.Every, (1 - r.Decay) * math.Pow(r.Decay, float64(n-k))})
		}
		return merged(terms...)
	case "geometric":
		return merged(Term{0, r.Weight}, Term{t, 1 - r.Weight})
	case "extrapolated":
		return merged(Term{max(t-1, 0), -r.Alpha}, Term{t, 1 + r.Alpha})
	}
	return merged(Term{0, 1})
}

// merged adds the weights of equal checkpoints, which follow one another.
func merged(terms ...Term) []Term {
	var out []Term
	for _, t := range terms {
		if n := len(out); n > 0 && out[n-1].Checkpoint == t.Checkpoint {
			out[n-1].Weight += t.Weight
		} else {
			out = append(out, t)
		}
	}
	return slices.DeleteFunc(out, func(t Term) bool { return t.Weight == 0 })
}
