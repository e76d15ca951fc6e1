package objective

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
)

// This file is the closed form of the preference objectives in plain Go: what a
// batch costs and which way its answers are pushed, in float64 and without a
// graph. The compiled graphs of Pair and List are tested against it, and
// `agon objectives eval` prints it.

// Sequence is one answer: the log-probabilities of its tokens by the policy and by
// every reference, in the objective's order (fixed, previous, the one before).
type Sequence struct {
	LogP []float64
	// Ref has one list a reference, each as long as LogP. A single reference
	// stands for all that the objective mixes. Empty where there is none.
	Ref [][]float64
	// Tokens is the number of tokens where LogP and Ref hold sums, one number
	// each; 0 means len(LogP).
	Tokens float64
}

func (s Sequence) tokens() float64 {
	if s.Tokens != 0 {
		return s.Tokens
	}
	return float64(len(s.LogP))
}

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

// reduced is a sequence as the formulas use it.
type reduced struct {
	logp, base float64 // reduced: summed, divided by length where the objective does
	length     float64
	factor     float64 // d(reduced)/d(sum)⁻¹: the length where reduced is the mean, else 1
}

// expCap bounds exponents: e^700 is finite, and so are its products with what
// settings allow.
const expCap = 700

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
	for i, e := range batch {
		r, err := o.row(e)
		if err != nil {
			return Result{}, fmt.Errorf("pair %d: %w", i+1, err)
		}
		rows[i] = r
	}
	shift := o.shift(rows)
	for i := range rows {
		rows[i].shift = shift
	}
	out := Result{Losses: make([]float64, len(rows)), Grads: make([]Push, len(rows))}
	switch o.Shape {
	case "aot":
		o.transport(rows, &out)
	case "aot-unpaired":
		o.transportUnpaired(rows, &out)
	default:
		for i, r := range rows {
			out.Losses[i], out.Grads[i] = o.each(r)
		}
	}
	out.bound()
	o.addTerms(rows, &out)
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

// row is an example, reduced.
type row struct {
	chosen, rejected, extra reduced
	hasExtra                bool
	label                   float64 // P(chosen ≻ rejected)
	labelled                bool    // it was given as a target
	margin, gap             float64 // of rewards; Q_w − Q_l
	scores                  [2]float64
	weight, shift           float64
}

func (o Pair) row(e Preference) (row, error) {
	r := row{weight: 1}
	shared := min(len(e.Chosen.LogP), len(e.Rejected.LogP))
	var err error
	if r.chosen, err = o.reduce("chosen", e.Chosen, shared); err != nil {
		return r, err
	}
	if r.rejected, err = o.reduce("rejected", e.Rejected, shared); err != nil {
		return r, err
	}
	if r.hasExtra = e.Extra != nil; r.hasExtra {
		if r.extra, err = o.reduce("extra", *e.Extra, len(e.Extra.LogP)); err != nil {
			return r, err
		}
	}
	for _, x := range []struct {
		name   string
		given  *float64
		into   *float64
		lo, hi float64
		want   string
	}{
		{"target", e.Target, &r.label, 0, 1, "a number from 0 to 1"},
		{"margin", e.Margin, &r.margin, -math.MaxFloat64, math.MaxFloat64, "a finite number"},
		{"weight", e.Weight, &r.weight, 0, math.MaxFloat64, "a number of at least 0"},
	} {
		if x.given == nil {
			continue
		}
		if !(*x.given >= x.lo && *x.given <= x.hi) {
			return r, fmt.Errorf("%s: %g: expected %s", x.name, *x.given, x.want)
		}
		*x.into = *x.given
	}
	for _, x := range []struct {
		name  string
		given *[2]float64
		lo    float64
		want  string
	}{
		{"q", e.Q, -math.MaxFloat64, "finite numbers"},
		{"n", e.N, 0, "numbers of at least 0"},
	} {
		if x.given != nil && slices.ContainsFunc(x.given[:], func(v float64) bool { return !(v >= x.lo && v <= math.MaxFloat64) }) {
			return r, fmt.Errorf("%s: [%g, %g]: expected two %s", x.name, x.given[0], x.given[1], x.want)
		}
	}
	return r, o.known(e, &r)
}

// known fills in what the label, the margin and the scores are taken from, and
// says what is missing or has no place in the formula.
func (o Pair) known(e Preference, r *row) error {
	r.labelled = e.Target != nil
	if e.Q != nil {
		r.scores, r.gap = *e.Q, e.Q[0]-e.Q[1]
	}
	has := needsOf[o.Shape]
	switch {
	case e.Target != nil && !has.target:
		return fmt.Errorf("target: objective %s has no place for it", o.Name)
	case e.Margin != nil && !has.margin:
		return fmt.Errorf("margin: objective %s has no place for it", o.Name)
	case e.Weight != nil && has.sorts:
		return fmt.Errorf("weight: objective %s sorts a batch, and a pair has no loss of its own to weigh", o.Name)
	case o.Alpha != 0 && e.Q == nil && e.Margin == nil:
		return fmt.Errorf("q: missing: objective %s wants the values of both, \"q\":[w,l]", o.Name)
	case o.Label == "scores" && e.Q == nil:
		return fmt.Errorf("q: missing: objective %s wants the scores of both, \"q\":[w,l]", o.Name)
	case e.Target == nil && e.Q == nil && (o.Label == "q" || o.Label == "difference"):
		return fmt.Errorf("q: missing: objective %s wants \"q\":[w,l] or \"target\"", o.Name)
	case e.Target == nil && e.N == nil && o.Label == "visits":
		return fmt.Errorf("n: missing: objective %s wants \"n\":[w,l] or \"target\"", o.Name)
	case o.WantsExtra() && e.Extra == nil:
		return fmt.Errorf("extra: missing: objective %s wants a third answer, \"extra\":{\"logp\":[…],\"ref\":[…]}", o.Name)
	}
	if !r.labelled {
		r.label = 1 - o.Smoothing
		switch o.Label {
		case "visits":
			r.label = 1 - math.Min(e.N[1]/math.Max(e.N[0]+e.N[1], 1), 0.5)
		case "q":
			r.label = sigmoid(r.gap / o.Temperature)
		case "difference":
			r.label = 0.5 + r.gap
		}
	}
	if o.Shape == "exo" && !(r.label > 0 && r.label < 1) {
		return fmt.Errorf("target: %g: objective %s takes its logarithm: expected more than 0 and less than 1", r.label, o.Name)
	}
	return nil
}

// needs says what a shape has a place for.
type needs struct{ target, margin, sorts bool }

var needsOf = map[string]needs{
	"sigmoid": {target: true, margin: true}, "robust": {margin: true}, "hinge": {target: true, margin: true},
	"ipo": {target: true, margin: true}, "exo": {target: true, margin: true}, "discopop": {margin: true},
	"exponential": {margin: true}, "truncated": {margin: true}, "savage": {margin: true}, "square": {margin: true},
	"reward-sq": {}, "reward-bwd_kl": {}, "reward-fwd_kl": {},
	"sppo": {target: true}, "linear": {target: true}, "nca": {}, "bco": {}, "apo-zero": {}, "apo-down": {}, "kto": {},
	"aot": {sorts: true}, "aot-unpaired": {sorts: true}, "sft": {},
}

// reduce sums an answer's tokens and mixes its references.
func (o Pair) reduce(side string, s Sequence, shared int) (reduced, error) {
	if len(s.LogP) == 0 {
		return reduced{}, fmt.Errorf("%s.logp: empty: expected the log-probability of every token", side)
	}
	a := reduced{length: s.tokens(), factor: 1}
	sum := func(what string, x []float64) (float64, error) {
		total := 0.0
		for t, v := range x {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return 0, fmt.Errorf("%s.%s: token %d: %g: expected a finite number", side, what, t+1, v)
			}
			if t >= shared {
				v *= 1 - o.Excess // LD-DPO: what is longer than the other answer counts less
			}
			total += v
		}
		return finite(total), nil
	}
	var err error
	if a.logp, err = sum("logp", s.LogP); err != nil {
		return a, err
	}
	weights := o.Base
	if len(weights) == 0 || len(s.Ref) == 1 {
		weights = []float64{1} // weights sum to 1, so one reference stands for all
	}
	switch {
	case !o.Free && len(s.Ref) == 0:
		return a, fmt.Errorf("%s.ref: missing: objective %s compares with a reference", side, o.Name)
	case !o.Free && len(s.Ref) != len(weights):
		return a, fmt.Errorf("%s.ref: %d references: objective %s wants %d, or one that stands for all", side, len(s.Ref), o.Name, len(weights))
	}
	for k, ref := range s.Ref {
		if len(ref) != len(s.LogP) {
			return a, fmt.Errorf("%s.ref: %d tokens, and logp has %d: expected as many", side, len(ref), len(s.LogP))
		}
		total, err := sum("ref", ref)
		if err != nil {
			return a, err
		}
		if !o.Free {
			a.base = finite(a.base + weights[k]*total)
		}
	}
	if o.PerToken {
		a.logp, a.base, a.factor = a.logp/a.length, a.base/a.length, a.length
	}
	return a, nil
}

// score bends an answer's log-ratio by the link, and returns its slope too.
//
//	power c  (e^(cu) − 1)/c: f′ of the α-divergence with c = α−1, forward KL
//	         with c = −1 (f-DPO, arXiv 2309.16240, table 1), AlphaPO's reward
//	         with c = −α (arXiv 2501.03884, eq. 7)
//	js       log 2 + log σ(u)
//	odds     log p/(1−p) of the mean probability (ORPO, arXiv 2403.07691, eq. 4)
//
// A link bends the log-ratio of a whole answer, which is divided by length
// afterwards; without a reference it bends what is divided already. So do TRL's
// trainers.
func (o Pair) score(a reduced) (v, slope float64) {
	n := 1.0
	if !o.Free {
		n = a.factor
	}
	u := finite((a.logp - a.base) * n)
	defer func() { v = finite(v) }()
	switch o.Link {
	case "power":
		t := o.Curve * u
		if t > expCap {
			return math.Expm1(expCap) / (o.Curve * n), 0
		}
		return math.Expm1(t) / (o.Curve * n), math.Exp(t)
	case "js":
		return (math.Ln2 - softplus(-u)) / n, sigmoid(-u)
	case "odds":
		if u > -oddsCap {
			return -oddsCap - log1mexp(-oddsCap), 0
		}
		return u - log1mexp(u), -1 / math.Expm1(u)
	}
	return u / n, 1
}

// oddsCap keeps the probability below 1, where odds have no end.
const oddsCap = 1e-300

// each is the loss of one pair, and its gradient.
func (o Pair) each(r row) (float64, Push) {
	c, dc := o.score(r.chosen)
	l, dl := o.score(r.rejected)
	margin := o.Gamma + r.margin
	if o.Alpha != 0 && !isReward(o.Shape) {
		margin += o.Alpha * r.gap
	}
	x := finite(o.Beta*(c-l) - margin)
	var loss, slope float64 // of φ(x)
	switch o.Shape {
	case "sft":
		return 0, Push{}
	case "sppo", "linear", "nca", "bco", "apo-zero", "apo-down", "kto":
		loss, gc, gl := o.separable(r, c, l)
		return loss, Push{Chosen: gc * dc, Rejected: gl * dl}
	case "ipo": // in Δ, as the paper has it: (Δ − t)²
		gap := finite(finite(c-l) - finite(margin/o.Beta) - finite((r.label-0.5)/o.Beta))
		return gap * gap, Push{Chosen: 2 * gap * dc, Rejected: -2 * gap * dl}
	case "reward-sq", "reward-bwd_kl", "reward-fwd_kl":
		loss, slope = reward(o.Shape, x, finite(o.Alpha*r.gap))
	default:
		loss, slope = phi(o.Shape, x, r.label, o.Smoothing, o.Tau)
	}
	loss, slope = loss*o.scale(1), slope*o.scale(1)
	return loss, Push{Chosen: slope * o.Beta * dc, Rejected: -slope * o.Beta * dl}
}

func isReward(shape string) bool { return strings.HasPrefix(shape, "reward-") }

// phi is φ(x) and φ′(x) of a shape with label p.
func phi(shape string, x, p, smoothing, tau float64) (loss, slope float64) {
	right, wrong := softplus(-x), softplus(x) // −log σ(x), −log σ(−x)
	down, up := sigmoid(-x), sigmoid(x)
	switch shape {
	case "sigmoid":
		return mix(p, right, wrong), mix(p, -down, up)
	case "robust": // Chowdhury et al. 2024, arXiv 2403.00409, eq. 13
		d := 1 - 2*smoothing
		return ((1-smoothing)*right - smoothing*wrong) / d, (-(1-smoothing)*down - smoothing*up) / d
	case "hinge":
		var a, b, da, db float64
		if x < 1 {
			a, da = 1-x, -1
		}
		if x > -1 {
			b, db = 1+x, 1
		}
		return mix(p, a, b), mix(p, da, db)
	case "exo": // Ji et al. 2024, arXiv 2402.00856, eq. 16
		f, h := -right-math.Log(p), -wrong-math.Log1p(-p)
		return up*f + down*h, up * down * (f - h)
	case "discopop": // Lu et al. 2024, arXiv 2406.08414, eq. 5
		s, rest := sigmoid(x/tau), sigmoid(-x/tau)
		e := math.Exp(math.Min(-softplus(-x/tau)-x, expCap)) // σ(x/τ)·e^−x
		return rest*right + e, -s*rest/tau*right - rest*down + e*(rest/tau-1)
	case "exponential":
		e := math.Exp(math.Min(-x, expCap))
		return e, -e
	case "truncated":
		d := math.Max(0, 1-x)
		return d * d, -2 * d
	case "savage":
		return down * down, -2 * down * down * up
	case "square":
		return (1 - x) * (1 - x), -2 * (1 - x)
	}
	return math.NaN(), math.NaN() // Validate knows the shapes
}

// mix is p·a + (1−p)·b, exact where p is 0 or 1.
func mix(p, a, b float64) float64 {
	switch p {
	case 1:
		return a
	case 0:
		return b
	}
	return p*a + (1-p)*b
}

// reward is a distance between the implicit reward x and the given one y: that of
// NVIDIA's reward-aware preference optimization (arXiv 2502.00203), as NeMo-Aligner
// has it.
func reward(shape string, x, y float64) (loss, slope float64) {
	right, wrong := softplus(-y)-softplus(-x), softplus(y)-softplus(x) // log σ(x)/σ(y), log σ(−x)/σ(−y)
	switch shape {
	case "reward-sq":
		return (x - y) * (x - y), 2 * (x - y)
	case "reward-fwd_kl": // KL of two coins, σ(x) from σ(y)
		return sigmoid(x)*right + sigmoid(-x)*wrong, bell(x) * finite(x-y)
	}
	a, b := sigmoid(y), sigmoid(-y) // KL of σ(y) from σ(x)
	return -a*right - b*wrong, b*sigmoid(x) - a*sigmoid(-x)
}

// separable is Σ ψ(u) over both answers, with slopes in u (apo-down also looks at
// their difference).
func (o Pair) separable(r row, c, l float64) (loss, gc, gl float64) {
	b := o.Beta
	x, y := finite(b*c), finite(b*l)
	switch o.Shape {
	case "sppo": // Wu et al. 2024, arXiv 2405.00675, eq. 4.7, ½(u − t)² each
		tc, tl := o.targets(r)
		return ((c-tc)*(c-tc) + (l-tl)*(l-tl)) * o.scale(0.5), (c - tc) * 2 * o.scale(0.5), (l - tl) * 2 * o.scale(0.5)
	case "linear": // −Σ (P − ½)·log π: REINFORCE on win shares
		pc, pl := o.shares(r)
		return finite(-(pc-0.5)*c) - finite((pl-0.5)*l), -(pc - 0.5), -(pl - 0.5)
	case "nca": // Chen et al. 2024, arXiv 2402.05369
		return softplus(-x) + 0.5*softplus(x) + 0.5*softplus(y),
			b * (-sigmoid(-x) + 0.5*sigmoid(x)), b * 0.5 * sigmoid(y)
	case "bco": // Jung et al. 2024, arXiv 2404.04656, eq. 8
		x, y = x-r.shift, y-r.shift
		return softplus(-x) + softplus(y), -b * sigmoid(-x), b * sigmoid(y)
	case "apo-zero": // D'Oosterlinck et al. 2024, arXiv 2408.06266, eq. 7
		s := o.scale(1)
		return s * (sigmoid(-x) + sigmoid(y)), -s * b * bell(x), s * b * bell(y)
	case "apo-down": // the same, eq. 8
		d := finite(b * (c - l))
		return sigmoid(x) + sigmoid(-d), b * (bell(x) - bell(d)), b * bell(d)
	case "kto": // Ethayarajh et al. 2024, arXiv 2402.01306, eq. 7; TRL's mean is over both answers
		x, y = finite(b*(c-r.shift)), finite(b*(l-r.shift))
		return 0.5 * (o.Desirable*sigmoid(-x) + o.Undesirable*sigmoid(y)), -0.5 * b * o.Desirable * bell(x), 0.5 * b * o.Undesirable * bell(y)
	}
	return math.NaN(), math.NaN(), math.NaN()
}

// scale is the objective's factor, or its shape's own.
func (o Pair) scale(own float64) float64 {
	if o.Scale != 0 {
		return o.Scale
	}
	return own
}

// shares are the win rates of both answers against the policy: what q says, else
// the label and what it leaves.
func (o Pair) shares(r row) (chosen, rejected float64) {
	if o.Label == "q" && !r.labelled {
		return r.scores[0], r.scores[1]
	}
	return r.label, 1 - r.label
}

// targets are what the log-ratios of both answers should be.
func (o Pair) targets(r row) (chosen, rejected float64) {
	if o.Label == "scores" { // a score of 0, not of ½, is a tie
		return r.scores[0] / o.Beta, r.scores[1] / o.Beta
	}
	c, l := o.shares(r)
	return (c - 0.5) / o.Beta, (l - 0.5) / o.Beta
}

// shift is δ of bco and z₀ of kto, which take no gradient.
func (o Pair) shift(rows []row) float64 {
	mean := func(of func(r row) (float64, float64)) float64 {
		sum, n := 0.0, 0.0
		for _, r := range rows {
			v, m := of(r)
			sum, n = sum+v, n+m
		}
		return sum / math.Max(n, 1)
	}
	ratio := func(a reduced) float64 { return a.logp - a.base }
	switch {
	case o.Shape == "kto" && o.DeltaOf == "extra": // 0 where no pair has a third answer
		return math.Max(0, mean(func(r row) (float64, float64) {
			if !r.hasExtra {
				return 0, 0
			}
			return ratio(r.extra), 1
		}))
	case o.DeltaOf == "batch":
		return mean(func(r row) (float64, float64) { return o.Beta * (ratio(r.chosen) + ratio(r.rejected)), 2 })
	}
	return o.Delta
}

// transport is AOT's paired form: the sorted log-ratios of the policy against the
// sorted ones of the reference (Melnyk et al. 2024, arXiv 2406.05882). Losses
// stand in that order.
func (o Pair) transport(rows []row, out *Result) {
	policy := order(rows, func(r row) float64 { return r.chosen.logp - r.rejected.logp })
	reference := order(rows, func(r row) float64 { return r.chosen.base - r.rejected.base })
	for k := range rows {
		a, b := rows[policy[k]], rows[reference[k]]
		x := finite(o.Beta * (a.chosen.logp - a.rejected.logp - (b.chosen.base - b.rejected.base)))
		loss, slope := phi("sigmoid", x, 1-o.Smoothing, 0, 0)
		out.Losses[k] = loss
		out.Grads[policy[k]].Chosen += slope * o.Beta
		out.Grads[policy[k]].Rejected -= slope * o.Beta
	}
}

// transportUnpaired compares the sorted log-ratios of the chosen answers with the
// sorted ones of the rejected.
func (o Pair) transportUnpaired(rows []row, out *Result) {
	chosen := order(rows, func(r row) float64 { return r.chosen.logp - r.chosen.base })
	rejected := order(rows, func(r row) float64 { return r.rejected.logp - r.rejected.base })
	for k := range rows {
		a, b := rows[chosen[k]].chosen, rows[rejected[k]].rejected
		x := finite(o.Beta * (a.logp - a.base - (b.logp - b.base)))
		loss, slope := phi("sigmoid", x, 1-o.Smoothing, 0, 0)
		out.Losses[k] = loss
		out.Grads[chosen[k]].Chosen += slope * o.Beta
		out.Grads[rejected[k]].Rejected -= slope * o.Beta
	}
}

// order returns the rows' indices by key, smallest first; equal keys keep theirs.
func order(rows []row, key func(row) float64) []int {
	out := indices(len(rows))
	slices.SortStableFunc(out, func(a, b int) int { return cmp.Compare(key(rows[a]), key(rows[b])) })
	return out
}

// addTerms adds what stands beside the preference: imitation of the chosen answer,
// and the term of a third one.
func (o Pair) addTerms(rows []row, out *Result) {
	n := float64(len(rows))
	total := func(of func(r row) reduced) float64 {
		sum := 0.0
		for _, r := range rows {
			sum += of(r).length
		}
		return sum
	}
	chosen, third := total(func(r row) reduced { return r.chosen }), total(func(r row) reduced { return r.extra })
	for i, r := range rows {
		if o.SFT != 0 {
			// d is the derivative in the summed log-probability.
			d := -o.SFT * o.termScale()
			switch o.SFTBy {
			case "tokens": // the mean over all chosen tokens of the batch
				d *= n / chosen
			case "sum":
			default:
				d /= r.chosen.length
			}
			out.Losses[i] += finite(d * r.chosen.logp * r.chosen.factor)
			out.Grads[i].Chosen += d * r.chosen.factor
		}
		if o.Third == 0 {
			continue
		}
		at, push := r.extra, &out.Grads[i].Extra
		if !r.hasExtra {
			at, push = r.chosen, &out.Grads[i].Chosen
		}
		c := o.Third * o.termScale()
		if o.Pessimism {
			c = -c
		}
		switch u := finite((at.logp - at.base) * at.factor); o.ThirdOf {
		case "nll": // the mean over all third tokens of the batch
			c *= -n / third
			out.Losses[i] += c * at.logp * at.factor
			*push += c * at.factor
		case "log":
			out.Losses[i] += finite(c * at.logp * at.factor)
			*push += c * at.factor
		case "ratio":
			out.Losses[i] += finite(c * u)
			*push += c * at.factor
		case "kl": // ½u², whose gradient u·∇log π is that of KL(π ‖ ref) over own samples
			out.Losses[i] += finite(c * u * u / 2)
			*push += c * u * at.factor
		}
	}
}

func (o Pair) termScale() float64 {
	if o.TermBeta {
		return o.Beta
	}
	return 1
}

// evaluateParts is a weighted sum of objectives. Parts reduce answers in different
// ways, so gradients are in the summed log-probabilities.
func (o Pair) evaluateParts(batch []Preference) (Result, error) {
	out := Result{Losses: make([]float64, len(batch)), Grads: make([]Push, len(batch))}
	for _, part := range o.Parts {
		r, err := part.Pair.Evaluate(batch)
		if err != nil {
			return Result{}, err
		}
		perSum := func(s Sequence) float64 {
			if part.Pair.PerToken {
				return part.Weight / s.tokens()
			}
			return part.Weight
		}
		out.Loss += part.Weight * r.Loss
		for i, e := range batch {
			out.Losses[i] += part.Weight * r.Losses[i]
			g := &out.Grads[i]
			g.Chosen += r.Grads[i].Chosen * perSum(e.Chosen)
			g.Rejected += r.Grads[i].Rejected * perSum(e.Rejected)
			if e.Extra != nil {
				g.Extra += r.Grads[i].Extra * perSum(*e.Extra)
			}
		}
	}
	out.bound()
	return out, nil
}

func sigmoid(x float64) float64 {
	if x >= 0 {
		return 1 / (1 + math.Exp(-x))
	}
	e := math.Exp(x)
	return e / (1 + e)
}

// softplus is log(1 + e^x) = −log σ(−x).
func softplus(x float64) float64 { return math.Max(x, 0) + math.Log1p(math.Exp(-math.Abs(x))) }

// bell is σ′(x).
func bell(x float64) float64 { return sigmoid(x) * sigmoid(-x) }

// log1mexp is log(1 − e^x) for x < 0, without cancellation.
func log1mexp(x float64) float64 {
	if x < -math.Ln2 {
		return math.Log1p(-math.Exp(x))
	}
	return math.Log(-math.Expm1(x))
}

// finite bounds what leaves the range of float64.
func finite(x float64) float64 { return math.Min(math.Max(x, -math.MaxFloat64), math.MaxFloat64) }
