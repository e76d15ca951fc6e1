package objective

import (
	"fmt"
	"math"
	"strings"
)

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

// reduced is a sequence as the formulas use it.
type reduced struct {
	logp, base float64 // summed, and divided by length where the objective does
	length     float64 // in tokens
	factor     float64 // of a sum in what is reduced: the length where it is divided, else 1
}

func (a reduced) ratio() float64 { return a.logp - a.base }

// reduce sums an answer's tokens and mixes its references. Tokens from shared on, which
// the other answer has not, count less by Excess.
func (o Pair) reduce(side string, s Sequence, shared int) (a reduced, err error) {
	if len(s.LogP) == 0 {
		return a, fmt.Errorf("%s.logp: empty: expected the log-probability of every token", side)
	}
	sum := func(what string, x []float64) (total float64, err error) {
		for t, v := range x {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return 0, fmt.Errorf("%s.%s: token %d: %g: expected a finite number", side, what, t+1, v)
			}
			if t >= shared {
				v *= 1 - o.Excess
			}
			total += v
		}
		return finite(total), nil
	}
	a = reduced{length: s.tokens(), factor: 1}
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

// ratioText defines the log-ratio u.
func (o Pair) ratioText(references []string) string {
	weights := o.Base
	switch {
	case o.Free:
		weights = nil
	case len(weights) == 0:
		weights = []float64{1}
	}
	text := "log π(y)"
	for k, w := range weights {
		name := "ref"
		if k < len(references) {
			name = strings.ReplaceAll(references[k], " ", "_")
		}
		if len(weights) > len(references) && k >= 1 {
			name = fmt.Sprintf("opponent_%d", k)
		}
		sign := "−"
		if w < 0 {
			sign, w = "+", -w
		}
		text += fmt.Sprintf(" %s %s", sign, times(w, "log "+name+"(y)"))
	}
	switch {
	case o.PerToken && o.Free:
		text += "/|y|"
	case o.PerToken:
		text = "(" + text + ")/|y|"
	}
	if o.Excess != 0 {
		text += fmt.Sprintf(",  tokens beyond the other answer's length count %s", g(1-o.Excess))
	}
	return "u(y) = " + text
}

// score bends an answer's log-ratio by the link, and returns its slope too. A link bends
// the log-ratio of a whole answer, which is divided by length afterwards; without a
// reference it bends what is divided already. So do TRL's trainers.
func (o Pair) score(a reduced) (v, slope float64) {
	n := a.factor
	if o.Free {
		n = 1
	}
	v, slope = o.bend(finite(a.ratio() * n))
	return finite(v / n), slope
}

// links lists the links.
var links = []string{"", "power", "js", "odds"}

// oddsCap keeps the probability below 1, where odds have no end.
const oddsCap = 1e-300

// bend is the link and its slope.
func (o Pair) bend(u float64) (v, slope float64) {
	switch o.Link {
	case "power": // f′ of the α-divergence with c = α−1, of forward KL with c = −1 (f-DPO, arXiv 2309.16240, table 1); AlphaPO's reward with c = −α (arXiv 2501.03884, eq. 7)
		if t := o.Curve * u; t <= expCap {
			return math.Expm1(t) / o.Curve, math.Exp(t)
		}
		return math.Expm1(expCap) / o.Curve, 0
	case "js":
		return math.Ln2 - softplus(-u), sigmoid(-u)
	case "odds": // log p/(1−p) of the mean probability (ORPO, arXiv 2403.07691, eq. 4)
		if u > -oddsCap {
			return -oddsCap - math.Log(oddsCap), 0
		}
		return u - math.Log(-math.Expm1(u)), -1 / math.Expm1(u)
	}
	return u, 1
}

func (o Pair) linkText() string {
	u := "u"
	if o.PerToken && !o.Free {
		u = "|y|·u"
	}
	var text string
	switch o.Link {
	case "power":
		exponent := u
		switch o.Curve {
		case 1:
		case -1:
			exponent = "−" + u
		default:
			exponent = "(" + g(o.Curve) + "·" + u + ")"
		}
		text = fmt.Sprintf("(e^%s − 1)/%s", exponent, g(o.Curve))
		if o.Curve == -1 {
			text = fmt.Sprintf("1 − e^%s", exponent)
		}
	case "js":
		text = fmt.Sprintf("log 2 + log σ(%s)", u)
	case "odds":
		text = "u − log(1 − e^u)"
	default:
		return ""
	}
	if u != "u" {
		text = "(" + text + ")/|y|"
	}
	return "v = " + text
}

// ownLabel is P by the objective's settings.
func (o Pair) ownLabel(p Preference, gap float64) float64 {
	switch o.Label {
	case "visits":
		return 1 - math.Min(p.N[1]/math.Max(p.N[0]+p.N[1], 1), 0.5)
	case "q":
		return sigmoid(gap / o.Temperature)
	case "difference":
		return 0.5 + gap
	}
	return 1 - o.Smoothing
}

// OfWinRates tells whether the values of both answers enter the formula as win rates,
// from 0 to 1, where a tie is ½. Others take their difference, in any unit.
func (o Pair) OfWinRates() bool { return o.Label == "difference" || o.Label == "q" && o.ofShares() }

// Labelled tells whether the loss has one label P, which a pair's target sets: who doubts
// a pair gives it 1 less the doubt.
func (o Pair) Labelled() bool {
	ownShares := o.Label == "scores" || o.Label == "q" && o.ofShares()
	return len(o.Parts) == 0 && shapes[o.Shape].target && !ownShares
}

// ofShares tells whether each answer has a win rate of its own.
func (o Pair) ofShares() bool { return o.Shape == "sppo" || o.Shape == "linear" }

// labelText says what P is.
func (o Pair) labelText() string {
	switch {
	case o.Label == "visits":
		return "P = target, else 1 − min(n_l/(n_w + n_l), ½)"
	case o.Label == "q" && o.ofShares():
		return "P(w), P(l) = q, else target and 1 − target"
	case o.Label == "q" && o.Temperature == 1:
		return "P = target, else σ(q_w − q_l)"
	case o.Label == "q":
		return fmt.Sprintf("P = target, else σ((q_w − q_l)/%s)", g(o.Temperature))
	case o.Label == "difference":
		return "P = target, else ½ + q_w − q_l"
	}
	return "P = target, else " + g(1-o.Smoothing)
}

// ownMargin is the lead in reward that the objective asks for.
func (o Pair) ownMargin(gap float64) float64 {
	if o.isReward() {
		return o.Gamma
	}
	return finite(o.Gamma + o.Alpha*gap)
}

// marginText is what is taken from a difference of rewards. place tells whether the
// formula has one for a pair's own margin.
func (o Pair) marginText(place bool) (text string) {
	if o.Gamma != 0 {
		text += " − " + g(o.Gamma)
	}
	if o.Alpha != 0 && !o.isReward() {
		text += " − " + times(o.Alpha, "(q_w − q_l)")
	}
	if place {
		text += " − margin"
	}
	return text
}

// term stands beside the preference: a multiple of what an answer is worth.
type term struct {
	weight float64
	text   string
	third  bool // of the third answer, or of the chosen one where there is none
	// of is the worth and its slope in the answer's summed log-probability. share is one
	// over the tokens that an answer of the batch has on average.
	of func(a reduced, share float64) (worth, slope float64)
}

// terms are what stands beside the preference: imitation of the chosen answer, and the
// term of a third one.
func (o Pair) terms() (out []term) {
	sum := func(a reduced, _ float64) (worth, slope float64) { return finite(a.logp * a.factor), 1 }
	ofAnswer := func(a reduced, _ float64) (worth, slope float64) { return a.logp * (a.factor / a.length), 1 / a.length }
	ofBatch := func(a reduced, share float64) (worth, slope float64) { return a.logp * (a.factor * share), share }
	ratio := func(a reduced, _ float64) (worth, slope float64) { return finite(a.ratio() * a.factor), 1 }
	scale := 1.0
	if o.TermBeta {
		scale = o.Beta
	}
	if c := o.SFT * scale; c != 0 {
		t := term{weight: -c, text: "log π(w)/|w|", of: ofAnswer}
		switch o.SFTBy {
		case "tokens": // as TRL does
			t.text, t.of = "mean over all chosen tokens of the batch of log π", ofBatch
		case "sum":
			t.text, t.of = "log π(w)", sum
		}
		out = append(out, t)
	}
	if c := o.Third * scale; c != 0 {
		t, y := term{weight: c, third: true}, "(extra)"
		if o.Pessimism {
			t.weight, y = -c, "(extra, else w)"
		}
		switch o.ThirdOf {
		case "nll":
			t.weight, t.text, t.of = -c, "mean over all extra tokens of the batch of log π", ofBatch
		case "log":
			t.text, t.of = "log π"+y, sum
		case "ratio":
			t.text, t.of = "u"+y, ratio
		case "kl": // whose gradient u·∇log π is that of KL(π ‖ ref) over own samples
			t.text, t.of = "½·u"+y+"²", func(a reduced, _ float64) (worth, slope float64) {
				u, _ := ratio(a, 0)
				return u * u / 2, u
			}
		}
		out = append(out, t)
	}
	return out
}

// signed is the term as it follows a loss.
func (t term) signed() string {
	if t.weight < 0 {
		return " − " + times(-t.weight, t.text)
	}
	return " + " + times(t.weight, t.text)
}

// add adds the term to the batch's losses and slopes.
func (t term) add(rows []row, out *Result) {
	at := func(i int) (reduced, *float64) {
		if t.third && rows[i].extra != nil {
			return *rows[i].extra, &out.Grads[i].Extra
		}
		return rows[i].chosen, &out.Grads[i].Chosen
	}
	tokens := 0.0
	for i := range rows {
		a, _ := at(i)
		tokens += a.length
	}
	for i := range rows {
		a, push := at(i)
		worth, slope := t.of(a, float64(len(rows))/tokens)
		out.Losses[i] += finite(t.weight * worth)
		*push += t.weight * slope * a.factor
	}
}
