package objective

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
)

// Pair is the loss of preferences between two actions, or two texts: one formula,
// of which the papers' objectives are settings (see Get). With references mixed as
// Σ_k w_k·log ref_k, for each answer
//
//	u = log π − Σ_k w_k·log ref_k,  both divided by length where PerToken,
//	v = link(u),
//	x = β·(v_w − v_l) − γ − α·(Q_w − Q_l) − margin,  P the label of the pair,
//
// and the loss of a pair is a function of x and P, of both v, or of all v of the batch:
// its shape (see shapes). Beside it there may stand λ·(−log π(w)) and a term of a third
// answer.
type Pair struct {
	Name  string // what it is called
	Shape string
	Beta  float64
	// Smoothing is ε: the share of labels thought to be wrong, P = 1−ε.
	Smoothing float64
	// Label says what P is where no target is given: 1−ε (""), by how often each
	// was tried, 1 − min(N_l/(N_w+N_l), ½) ("visits", MCTS-DPO), by values,
	// σ((Q_w−Q_l)/τ) ("q"), by a difference of win rates, ½ + Q_w − Q_l
	// ("difference", EGPO), or not used, since Q_w and Q_l are scores whose tie is
	// at 0 ("scores").
	Label string
	// Alpha weighs the difference of values as a margin (Step-APO), or as the
	// reward that is to be met.
	Alpha float64
	// Gamma is a constant margin (SimPO).
	Gamma float64
	// Temperature is τ of the labels by values.
	Temperature float64
	// Tau is DiscoPOP's τ.
	Tau float64
	// Free has no reference: π_ref is left out of Δ.
	Free bool
	// Base are the weights of several references in the log-ratio; empty for one.
	// They sum to 1.
	Base []float64
	// PerToken divides log-probabilities by the length of the text in tokens; an
	// action has length 1.
	PerToken bool
	// Excess is by how much tokens beyond the length of the other answer are
	// discounted: 1 − α of LD-DPO (arXiv 2409.06411).
	Excess float64
	// Link bends log-ratios: none (""), (e^(cu) − 1)/c with c = Curve ("power"),
	// log 2 + log σ(u) ("js"), or odds, u − log(1 − e^u) ("odds").
	Link  string
	Curve float64
	// Delta is δ of bco, z₀ of kto; DeltaOf takes it from the batch instead: from
	// the mean reward of all answers ("batch"), or the mean log-ratio of the third
	// answers, at least 0 ("extra").
	Delta   float64
	DeltaOf string
	// Desirable and Undesirable are kto's λ_D and λ_U.
	Desirable, Undesirable float64
	// Scale multiplies the shape.
	Scale float64
	// SFT is λ, on the log-probability of the chosen one: per token of the answer
	// (""), of all chosen answers of the batch ("tokens", as TRL does), or summed
	// ("sum").
	SFT   float64
	SFTBy string
	// Third weighs a term of a third answer: its log π ("log"), its log-ratio
	// ("ratio"), half the square of that ("kl"), or its negative log-likelihood
	// over all third tokens of the batch ("nll").
	Third   float64
	ThirdOf string
	// Pessimism turns the term's sign, and takes the chosen answer where there is
	// no third.
	Pessimism bool
	// TermBeta multiplies both terms by β.
	TermBeta bool
	// Parts make a weighted sum of other objectives instead, none of which divides by
	// length.
	Parts []Part
}

// Part is an objective within a sum.
type Part struct {
	Weight float64
	Pair   Pair
}

// Named returns a pair objective with its paper's constants, changed by the
// arguments of a spec: dpo, step-apo(beta=0.1,alpha=0.5). See Get.
func Named(text string) (Pair, error) {
	o, err := Get(text)
	switch {
	case err != nil:
		return Pair{}, err
	case o.OfLists():
		return Pair{}, fmt.Errorf("preference objective %q is of lists of answers: expected one of pairs, such as dpo", o.Entry.Name)
	}
	return o.Pair, nil
}

// WantsExtra tells whether a pair must have a third answer.
func (o Pair) WantsExtra() bool { return o.Third != 0 && !o.Pessimism }

// Validate says what is wrong with the settings.
func (o Pair) Validate() error {
	finite := func(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }
	_, known := shapes[o.Shape]
	switch {
	case len(o.Parts) > 0:
		var errs []error
		for _, p := range o.Parts {
			errs = append(errs, p.Pair.Validate())
		}
		return errors.Join(errs...)
	case !known:
		return fmt.Errorf("preference objective: shape %q: expected %s", o.Shape, strings.Join(slices.Sorted(maps.Keys(shapes)), ", "))
	case !(o.Beta > 0 && finite(o.Beta)):
		return fmt.Errorf("preference objective: beta=%g: expected more than 0", o.Beta)
	case !(o.Smoothing >= 0 && o.Smoothing <= 0.5), o.Shape == "robust" && o.Smoothing == 0.5:
		return fmt.Errorf("preference objective: smoothing=%g: expected 0 to 0.5, less than that for robust-dpo", o.Smoothing)
	case o.Shape == "exo" && o.Label == "" && o.Smoothing == 0:
		return errors.New("preference objective: smoothing=0: expected more than 0 for exo, which takes its logarithm")
	case !(o.SFT >= 0 && finite(o.SFT)) || !finite(o.Alpha) || !finite(o.Gamma) || !finite(o.Third):
		return errors.New("preference objective: sft, alpha, gamma: expected finite numbers, sft at least 0")
	case o.Label == "q" && !(o.Temperature > 0 && finite(o.Temperature)):
		return fmt.Errorf("preference objective: temperature=%g: expected more than 0", o.Temperature)
	case o.Shape == "discopop" && !(o.Tau > 0 && finite(o.Tau)):
		return fmt.Errorf("preference objective: tau=%g: expected more than 0", o.Tau)
	case !slices.Contains(links, o.Link) || o.Link == "power" && (o.Curve == 0 || !finite(o.Curve)):
		return fmt.Errorf("preference objective: link %q with curve %g: expected power with one that is not 0, js or odds", o.Link, o.Curve)
	case o.Shape == "kto" && (!(o.Desirable >= 0) || !(o.Undesirable >= 0) || o.Desirable+o.Undesirable == 0):
		return fmt.Errorf("preference objective kto: desirable=%g, undesirable=%g: expected at least 0, and not both 0", o.Desirable, o.Undesirable)
	}
	if len(o.Base) > 0 {
		sum := 0.0
		for _, w := range o.Base {
			sum += w
		}
		if !(math.Abs(sum-1) <= 1e-9) {
			return fmt.Errorf("preference objective: base %v: expected weights that sum to 1", o.Base)
		}
	}
	return nil
}

// PairStats names what training tells of a batch of pairs: the loss, the mean of Δ =
// log π/π_ref of the chosen less that of the rejected, the share of pairs with Δ > 0,
// and the mean log-ratios of both.
var PairStats = []string{"pair_loss", "pair_margin", "pair_accuracy", "pair_chosen", "pair_rejected"}

// Preference is a pair with what is known of it. A nil pointer means not given.
type Preference struct {
	Chosen, Rejected Sequence
	Extra            *Sequence   // a third answer: an own sample, a calibration sample, a gold answer
	Target           *float64    // P(chosen ≻ rejected), from 0 to 1
	Margin           *float64    // by how much the chosen one's reward should lead
	Weight           *float64    // factor of the pair's loss
	Q                *[2]float64 // values, scores or win rates of both
	N                *[2]float64 // how often a search tried both
}

// Push is the gradient of the batch's loss with respect to the reduced
// log-probabilities of a pair's answers: their sums, or their means where the
// objective divides by length.
type Push struct{ Chosen, Rejected, Extra float64 }

// Result is what a batch of pairs comes to. Loss is the mean of Losses, and Grads
// are the gradients of Loss.
type Result struct {
	Loss   float64
	Losses []float64
	Grads  []Push
}

// bound keeps a result within the range of float64.
func (r *Result) bound() {
	r.Loss = finite(r.Loss)
	for i, g := range r.Grads {
		r.Losses[i] = finite(r.Losses[i])
		r.Grads[i] = Push{finite(g.Chosen), finite(g.Rejected), finite(g.Extra)}
	}
}

// Evaluate returns the losses of a batch and the gradients of their mean. Errors
// name the pair, counted from 1.
func (o Pair) Evaluate(batch []Preference) (Result, error) {
	if err := o.Validate(); err != nil {
		return Result{}, err
	}
	if len(batch) == 0 {
		return Result{}, errors.New("pairs: empty: expected at least one pair")
	}
	if len(o.Parts) > 0 {
		return o.evaluateParts(batch)
	}
	rows := make([]row, len(batch))
	for i, p := range batch {
		var err error
		if rows[i], err = o.row(p); err != nil {
			return Result{}, fmt.Errorf("pair %d: %w", i+1, err)
		}
	}
	out := Result{Losses: make([]float64, len(rows)), Grads: make([]Push, len(rows))}
	if shapes[o.Shape].sorts() {
		o.transport(rows, &out)
	} else {
		shift := o.shift(rows)
		for i, r := range rows {
			r.shift = shift
			out.Losses[i], out.Grads[i] = o.each(r)
		}
	}
	for _, t := range o.terms() {
		t.add(rows, &out)
	}
	out.bound()
	n := float64(len(rows))
	for i, r := range rows {
		out.Losses[i] *= r.weight
		out.Loss += finite(out.Losses[i]) / n
		g := &out.Grads[i]
		*g = Push{g.Chosen * r.weight / n, g.Rejected * r.weight / n, g.Extra * r.weight / n}
	}
	out.bound()
	return out, nil
}

// each is the loss of one pair, and its gradient.
func (o Pair) each(r row) (loss float64, push Push) {
	w, slopeW := o.score(r.chosen)
	l, slopeL := o.score(r.rejected)
	s := shapes[o.Shape]
	switch {
	case s.ofX != nil:
		value, slope := s.ofX(o, r, finite(o.Beta*(w-l)-r.margin))
		loss, push = value, Push{Chosen: slope * o.Beta, Rejected: -slope * o.Beta}
	case s.of != nil:
		loss, push.Chosen, push.Rejected = s.of(o, r, w, l)
	}
	return loss * o.Scale, Push{Chosen: push.Chosen * o.Scale * slopeW, Rejected: push.Rejected * o.Scale * slopeL}
}

// evaluateParts is a weighted sum of objectives.
func (o Pair) evaluateParts(batch []Preference) (Result, error) {
	out := Result{Losses: make([]float64, len(batch)), Grads: make([]Push, len(batch))}
	for _, part := range o.Parts {
		r, err := part.Pair.Evaluate(batch)
		if err != nil {
			return Result{}, err
		}
		out.Loss += part.Weight * r.Loss
		for i, g := range r.Grads {
			sum := &out.Grads[i]
			out.Losses[i] += part.Weight * r.Losses[i]
			*sum = Push{sum.Chosen + part.Weight*g.Chosen, sum.Rejected + part.Weight*g.Rejected, sum.Extra + part.Weight*g.Extra}
		}
	}
	out.bound()
	return out, nil
}

// formula is the loss with its settings filled in.
func (o Pair) formula(references []string) []string {
	var sum, out []string
	for i, p := range o.Parts {
		sum = append(sum, times(p.Weight, fmt.Sprintf("L%d", i+1)))
		out = append(out, fmt.Sprintf("L%d, %s:", i+1, p.Pair.Name))
		for _, line := range p.Pair.formula(references) {
			out = append(out, "  "+line)
		}
	}
	if len(sum) > 0 {
		return append([]string{"L = " + strings.Join(sum, " + ")}, out...)
	}
	loss := ""
	if s := shapes[o.Shape]; s.text != nil {
		v := "u"
		out = append(out, o.ratioText(references))
		if link := o.linkText(); link != "" {
			v = "v"
			out = append(out, link)
		}
		if s.ofX != nil {
			out = append(out, "x = "+o.times(fmt.Sprintf("(%s(w) − %s(l))", v, v))+o.marginText(s.margin))
			if s.target {
				out = append(out, o.labelText())
			}
		}
		out = append(out, s.text(o, v)...)
		loss, out = out[len(out)-1], out[:len(out)-1]
		if o.Scale != 1 {
			loss = g(o.Scale) + "·[" + loss + "]"
		}
	}
	for _, t := range o.terms() {
		loss += t.signed()
	}
	return append(out, "L = "+strings.TrimSpace(loss))
}

// row is a preference, reduced.
type row struct {
	chosen, rejected reduced
	extra            *reduced
	label            float64 // P(chosen ≻ rejected)
	labelled         bool    // it was given as a target
	margin, gap      float64 // of rewards; Q_w − Q_l
	scores           [2]float64
	weight, shift    float64
}

func (o Pair) row(p Preference) (r row, err error) {
	shared := min(len(p.Chosen.LogP), len(p.Rejected.LogP))
	if r.chosen, err = o.reduce("chosen", p.Chosen, shared); err != nil {
		return r, err
	}
	if r.rejected, err = o.reduce("rejected", p.Rejected, shared); err != nil {
		return r, err
	}
	if p.Extra != nil {
		extra, err := o.reduce("extra", *p.Extra, len(p.Extra.LogP))
		if err != nil {
			return r, err
		}
		r.extra = &extra
	}
	if err := o.misses(p); err != nil {
		return r, err
	}
	r.scores = or(p.Q, r.scores)
	r.gap = finite(r.scores[0] - r.scores[1])
	r.margin, r.weight = finite(o.ownMargin(r.gap)+or(p.Margin, 0)), or(p.Weight, 1)
	if r.labelled = p.Target != nil; r.labelled {
		r.label = *p.Target
	} else {
		r.label = o.ownLabel(p, r.gap)
	}
	if o.Shape == "exo" && !(r.label > 0 && r.label < 1) {
		return r, fmt.Errorf("target: %g: objective %s takes its logarithm: expected more than 0 and less than 1", r.label, o.Name)
	}
	return r, nil
}

// misses says which numbers of a pair are wrong, missing, or have no place in the formula.
func (o Pair) misses(p Preference) error {
	q, n := or(p.Q, [2]float64{}), or(p.N, [2]float64{})
	for _, x := range []struct {
		name, want string
		lo, hi     float64
		numbers    []float64
	}{
		{"target", "a number from 0 to 1", 0, 1, []float64{or(p.Target, 0)}},
		{"margin", "a finite number", -math.MaxFloat64, math.MaxFloat64, []float64{or(p.Margin, 0)}},
		{"weight", "a number of at least 0", 0, math.MaxFloat64, []float64{or(p.Weight, 0)}},
		{"q", "two finite numbers", -math.MaxFloat64, math.MaxFloat64, q[:]},
		{"n", "two numbers of at least 0", 0, math.MaxFloat64, n[:]},
	} {
		if slices.ContainsFunc(x.numbers, func(v float64) bool { return !(v >= x.lo && v <= x.hi) }) {
			shown := strings.ReplaceAll(fmt.Sprint(x.numbers), " ", ", ")
			if len(x.numbers) == 1 {
				shown = strings.Trim(shown, "[]")
			}
			return fmt.Errorf("%s: %s: expected %s", x.name, shown, x.want)
		}
	}
	has := shapes[o.Shape]
	switch {
	case p.Target != nil && !has.target:
		return fmt.Errorf("target: objective %s has no place for it", o.Name)
	case p.Margin != nil && !has.margin:
		return fmt.Errorf("margin: objective %s has no place for it", o.Name)
	case p.Weight != nil && has.sorts():
		return fmt.Errorf("weight: objective %s sorts a batch, and a pair has no loss of its own to weigh", o.Name)
	case o.Alpha != 0 && p.Q == nil && p.Margin == nil:
		return fmt.Errorf("q: missing: objective %s wants the values of both, \"q\":[w,l]", o.Name)
	case o.Label == "scores" && p.Q == nil:
		return fmt.Errorf("q: missing: objective %s wants the scores of both, \"q\":[w,l]", o.Name)
	case p.Target == nil && p.Q == nil && (o.Label == "q" || o.Label == "difference"):
		return fmt.Errorf("q: missing: objective %s wants \"q\":[w,l] or \"target\"", o.Name)
	case p.Target == nil && p.N == nil && o.Label == "visits":
		return fmt.Errorf("n: missing: objective %s wants \"n\":[w,l] or \"target\"", o.Name)
	case o.WantsExtra() && p.Extra == nil:
		return fmt.Errorf("extra: missing: objective %s wants a third answer, \"extra\":{\"logp\":[…],\"ref\":[…]}", o.Name)
	}
	return nil
}

// or is what is given, or another where nothing is.
func or[T any](given *T, other T) T {
	if given == nil {
		return other
	}
	return *given
}
