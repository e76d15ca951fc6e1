package objective_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/agon-rl/agon/objective"
)

// variants are settings that change the formula, beside all names as they are.
var variants = []string{
	"dpo(smoothing=0.2,gamma=0.3,alpha=0.4,sft=0.5)", "dpo(base=\"0.3,0.7\")", "dpo(sft=0.5,sft_by=tokens)", "dpo(ld_alpha=0.3)",
	"hinge(beta=2,smoothing=0.1)", "hinge(divergence=js)", "ipo(normalize=false)", "ipo(divergence=alpha,divergence_alpha=0.3)", "ipo(gamma=0.2)",
	"ipo(alpha=0.4)", "sigmoid-norm(divergence=js)", "exo(smoothing=0.3)", "exo(smoothing=0,trl=0.19)", "discopop(beta=1,tau=0.5)", "discopop(beta=1,tau=3)",
	"f-dpo(divergence=forward_kl)", "f-dpo(divergence=alpha,divergence_alpha=1.8)", "f-dpo(divergence=alpha,divergence_alpha=1)",
	"gpo-generalized(convex=logistic)", "gpo-generalized(convex=hinge)", "gpo-generalized(convex=exponential)", "gpo-generalized(convex=truncated)",
	"gpo-generalized(convex=savage)", "simpo(sft=0.3)", "simpo(sft=0.3,sft_by=sum)", "simpo(curve=0.3)", "alphapo(alpha=-0.4)", "alphapo(alpha=0)", "cpo(loss=hinge)", "cpo(alpha=0.1)", "orpo(beta=2)", "orpo(sft=0)",
	"kto(kl=0.4,desirable_weight=2)", "kto(undesirable=3,base=\"0.3,0.7\")", "bco(delta=0.3)", "bco(trl=0.19)", "aot(smoothing=0.2)", "aot-unpaired(smoothing=0.2)", "sft(sft_by=answer)", "mpo(beta=1)",
	"step-apo(alpha=0.5)", "soft-dpo(temperature=2)", "spin(loss=hinge)", "mnpo(weights=\"1,0.5,2\",eta=0.5)", "inpo(eta=0.5,ratio=0.8)", "online-ipo(beta=2)",
	"sppo(beta=0.5)", "sppo-hard(beta=2)", "gpo-preference(beta=1)", "dno(eta=2)", "srpo-robust(beta=1)", "rpo-regularized(eta=3)", "rpo-reward-aware(distance=sq)", "rpo-reward-aware(distance=rpo_fwd_kl,eta=3)",
	"rpo-reward-aware(eta=2)", "hypo-hybrid(lambda=2)", "selm(alpha=3)", "vpo(mode=offline)", "vpo(alpha=2,mode=offline)", "xpo(alpha=2)",
	"apo-accelerated(loss=ipo)", "apo-accelerated(loss=sppo,beta=1)", "tpo-triple(loss=hinge)", "tpo-l(beta=2,smoothing=0.1)",
	"plackett-luce(beta=1.3)", "tpo-tree(beta=1.3)", "sppo-list(beta=1.3)", "infonca(beta=1.3,temperature=0.7)", "nca-list(beta=1.3,temperature=0.7)",
}

// objectives are all names as they are, and the variants: those of lists, or of pairs.
func objectives(t testing.TB, ofLists bool) map[string]objective.Objective {
	t.Helper()
	texts := slices.Clone(variants)
	for _, e := range objective.Entries() {
		texts = append(texts, e.Name)
	}
	out := map[string]objective.Objective{}
	for _, text := range texts {
		o, err := objective.Get(text)
		if err != nil {
			t.Fatal(err)
		}
		if o.OfLists() == ofLists {
			out[text] = o
		}
	}
	return out
}

func named(t testing.TB, text string) objective.Pair {
	t.Helper()
	o, err := objective.Named(text)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// drawSequence draws an answer of up to five tokens with references.
func drawSequence(r *rand.Rand, references int) objective.Sequence {
	n := 1 + r.IntN(5)
	tokens := func() []float64 {
		out := make([]float64, n)
		for i := range out {
			out[i] = -0.01 - r.ExpFloat64()
		}
		return out
	}
	s := objective.Sequence{LogP: tokens()}
	for range max(1, references) {
		s.Ref = append(s.Ref, tokens())
	}
	return s
}

// drawPreferences draws a batch with all that the objective has a place for.
func drawPreferences(r *rand.Rand, o objective.Pair, n int) []objective.Preference {
	out := make([]objective.Preference, n)
	for i := range out {
		extra := drawSequence(r, len(o.Base))
		out[i] = objective.Preference{
			Chosen: drawSequence(r, len(o.Base)), Rejected: drawSequence(r, len(o.Base)), Extra: &extra,
			Q: &[2]float64{r.Float64(), r.Float64()}, N: &[2]float64{float64(r.IntN(20)), float64(r.IntN(20))},
		}
		if o.Pessimism && i%2 == 0 { // the chosen one stands for it
			out[i].Extra = nil
		}
		target, margin, weight := 0.05+0.9*r.Float64(), r.Float64()-0.3, 0.2+r.Float64()
		for _, add := range []func(p *objective.Preference){
			func(p *objective.Preference) {
				if i%2 == 1 { // the other pairs' labels are the objective's own
					p.Target = &target
				}
			},
			func(p *objective.Preference) { p.Margin = &margin },
			func(p *objective.Preference) { p.Weight = &weight },
		} {
			with := out[i]
			if add(&with); accepts(o, with) {
				out[i] = with
			}
		}
	}
	return out
}

func accepts(o objective.Pair, p objective.Preference) bool {
	_, err := o.Evaluate([]objective.Preference{p})
	return err == nil
}

func drawLists(r *rand.Rand) []objective.Listing {
	var out []objective.Listing
	for _, n := range []int{4, 2, 3, 4} {
		weight := 0.2 + r.Float64()
		l := objective.Listing{Weight: &weight}
		for range n {
			l.Answers = append(l.Answers, drawSequence(r, 1))
			l.Scores = append(l.Scores, r.Float64())
		}
		out = append(out, l)
	}
	out[0].Scores[1] = out[0].Scores[2]           // two alike
	out[3].Scores = []float64{0.5, 0.5, 0.5, 0.5} // all alike
	return out
}

// total sums tokens, of which those from shared on count less.
func total(x []float64, shared int, excess float64) (sum float64) {
	for t, v := range x {
		if t >= shared {
			v *= 1 - excess
		}
		sum += v
	}
	return sum
}

// ratio is an answer's log-ratio to the objective's references.
func ratio(o objective.Pair, s objective.Sequence) float64 {
	u := total(s.LogP, math.MaxInt, 0)
	for k, ref := range s.Ref {
		weight := 1.0
		if len(o.Base) > 0 {
			weight = o.Base[k]
		}
		u -= weight * total(ref, math.MaxInt, 0)
	}
	return u
}

func sigma(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

func square(x float64) float64 { return x * x }

func isFinite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }

// slope is the derivative of f in x: a central difference, and half its step, by
// Richardson's extrapolation.
func slope(x *float64, f func() float64) float64 {
	at := *x
	defer func() { *x = at }()
	central := func(h float64) float64 {
		up, down := at+h, at-h
		*x = up
		high := f()
		*x = down
		return (high - f()) / (up - down)
	}
	const h = 1e-3
	return (4*central(h/2) - central(h)) / 3
}
