package objective

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
)

// shape is what the loss makes of a pair, as text and as arithmetic side by side.
type shape struct {
	target, margin bool // the formula has a place for them
	// text is the loss, after lines that define what it needs; v names the score.
	text func(o Pair, v string) []string
	// ofX is φ and φ′ of x, the difference of both scores; of is a loss of both scores,
	// and its slopes in them. A shape has one of them; neither where it sorts a batch
	// (see transport) or leaves the loss to its terms.
	ofX func(o Pair, r row, x float64) (loss, slope float64)
	of  func(o Pair, r row, w, l float64) (loss, slopeW, slopeL float64)
}

// sorts tells whether a batch is sorted, in which a pair has no loss of its own.
func (s shape) sorts() bool { return s.text != nil && s.ofX == nil && s.of == nil }

// text makes the text of a shape that is the same with all settings.
func text(lines ...string) func(Pair, string) []string {
	return func(Pair, string) []string { return lines }
}

// shapes are all of them. w and l are the scores of the chosen and the rejected answer.
var shapes = map[string]shape{
	"sigmoid": {
		target: true, margin: true, text: text("−P·log σ(x) − (1−P)·log σ(−x)"),
		ofX: func(_ Pair, r row, x float64) (loss, slope float64) {
			return mix(r.label, softplus(-x), softplus(x)), mix(r.label, -sigmoid(-x), sigmoid(x))
		},
	},
	"robust": { // Chowdhury et al. 2024, arXiv 2403.00409, eq. 13
		margin: true,
		text: func(o Pair, _ string) []string {
			return []string{fmt.Sprintf("(−%s·log σ(x) + %s·log σ(−x))/%s", g(1-o.Smoothing), g(o.Smoothing), g(1-2*o.Smoothing))}
		},
		ofX: func(o Pair, _ row, x float64) (loss, slope float64) {
			e, d := o.Smoothing, 1-2*o.Smoothing
			return ((1-e)*softplus(-x) - e*softplus(x)) / d, (-(1-e)*sigmoid(-x) - e*sigmoid(x)) / d
		},
	},
	"hinge": {
		target: true, margin: true, text: text("P·max(0, 1−x) + (1−P)·max(0, 1+x)"),
		ofX: func(_ Pair, r row, x float64) (loss, slope float64) {
			if x < 1 {
				loss, slope = r.label*(1-x), -r.label
			}
			if x > -1 {
				loss, slope = loss+(1-r.label)*(1+x), slope+1-r.label
			}
			return loss, slope
		},
	},
	"ipo": { // Azar et al. 2023, arXiv 2310.12036, eq. 17
		target: true, margin: true,
		text: func(o Pair, v string) []string {
			target := "P − ½" + strings.ReplaceAll(o.marginText(true), "−", "+")
			return []string{o.labelText(), fmt.Sprintf("(%s(w) − %s(l) − (%s)/%s)²", v, v, target, g(o.Beta))}
		},
		of: func(o Pair, r row, w, l float64) (loss, slopeW, slopeL float64) {
			d := finite(finite(w-l) - finite(r.margin/o.Beta) - finite((r.label-0.5)/o.Beta))
			return d * d, 2 * d, -2 * d
		},
	},
	"exo": { // Ji et al. 2024, arXiv 2402.00856, eq. 16
		target: true, margin: true, text: text("σ(x)·(log σ(x) − log P) + σ(−x)·(log σ(−x) − log(1−P))"),
		ofX: func(_ Pair, r row, x float64) (loss, slope float64) {
			right, wrong := -softplus(-x)-math.Log(r.label), -softplus(x)-math.Log1p(-r.label)
			return sigmoid(x)*right + sigmoid(-x)*wrong, bell(x) * (right - wrong)
		},
	},
	"discopop": { // Lu et al. 2024, arXiv 2406.08414, eq. 5
		margin: true,
		text: func(o Pair, _ string) []string {
			return []string{"s = σ(x/" + g(o.Tau) + ")", "−(1−s)·log σ(x) + s·e^−x"}
		},
		ofX: func(o Pair, _ row, x float64) (loss, slope float64) {
			s, rest := sigmoid(x/o.Tau), sigmoid(-x/o.Tau)
			e := boundedExp(-softplus(-x/o.Tau) - x) // s·e^−x
			return rest*softplus(-x) + e, -s*rest/o.Tau*softplus(-x) - rest*sigmoid(-x) + e*(rest/o.Tau-1)
		},
	},
	// The convex functions of Tang et al. 2024, arXiv 2402.05749.
	"exponential": {
		margin: true, text: text("e^−x"),
		ofX: func(_ Pair, _ row, x float64) (loss, slope float64) { return boundedExp(-x), -boundedExp(-x) },
	},
	"truncated": {
		margin: true, text: text("max(0, 1−x)²"),
		ofX: func(_ Pair, _ row, x float64) (loss, slope float64) {
			d := math.Max(0, 1-x)
			return d * d, -2 * d
		},
	},
	"savage": {
		margin: true, text: text("σ(−x)²"),
		ofX: func(_ Pair, _ row, x float64) (loss, slope float64) {
			return sigmoid(-x) * sigmoid(-x), -2 * sigmoid(-x) * bell(x)
		},
	},
	"square": {
		margin: true, text: text("(1 − x)²"),
		ofX: func(_ Pair, _ row, x float64) (loss, slope float64) { return (1 - x) * (1 - x), -2 * (1 - x) },
	},
	// Distances between the implicit reward x and the given one: NVIDIA's reward-aware
	// preference optimization (arXiv 2502.00203), as NeMo-Aligner has it.
	"reward-sq": {
		text: rewardText("(x − r)²"),
		ofX: func(o Pair, r row, x float64) (loss, slope float64) {
			d := x - o.reward(r)
			return d * d, 2 * d
		},
	},
	"reward-bwd_kl": { // of two coins
		text: rewardText("KL(σ(r) ‖ σ(x))"),
		ofX: func(o Pair, r row, x float64) (loss, slope float64) {
			y := o.reward(r)
			return sigmoid(y)*(softplus(-x)-softplus(-y)) + sigmoid(-y)*(softplus(x)-softplus(y)), sigmoid(-y)*sigmoid(x) - sigmoid(y)*sigmoid(-x)
		},
	},
	"reward-fwd_kl": {
		text: rewardText("KL(σ(x) ‖ σ(r))"),
		ofX: func(o Pair, r row, x float64) (loss, slope float64) {
			y := o.reward(r)
			return sigmoid(x)*(softplus(-y)-softplus(-x)) + sigmoid(-x)*(softplus(y)-softplus(x)), bell(x) * finite(x-y)
		},
	},
	"sppo": { // Wu et al. 2024, arXiv 2405.00675, eq. 4.7
		target: true,
		text: func(o Pair, v string) []string {
			if o.Label == "scores" {
				return []string{fmt.Sprintf("(%s(w) − q_w/%s)² + (%s(l) − q_l/%s)²", v, g(o.Beta), v, g(o.Beta))}
			}
			label := o.labelText()
			if o.Label != "q" {
				label = "P(w) = target, else 1;  P(l) = 1 − P(w)"
			}
			return []string{label, fmt.Sprintf("(%s(w) − (P(w) − ½)/%s)² + (%s(l) − (P(l) − ½)/%s)²", v, g(o.Beta), v, g(o.Beta))}
		},
		of: func(o Pair, r row, w, l float64) (loss, slopeW, slopeL float64) {
			leadW, leadL := o.leads(r)
			w, l = w-leadW/o.Beta, l-leadL/o.Beta
			return w*w + l*l, 2 * w, 2 * l
		},
	},
	"linear": { // REINFORCE on win shares
		target: true,
		text: func(o Pair, v string) []string {
			return []string{o.labelText(), fmt.Sprintf("−(P(w) − ½)·%s(w) − (P(l) − ½)·%s(l)", v, v)}
		},
		of: func(o Pair, r row, w, l float64) (loss, slopeW, slopeL float64) {
			leadW, leadL := o.leads(r)
			return -finite(leadW*w) - finite(leadL*l), -leadW, -leadL
		},
	},
	"nca": { // Chen et al. 2024, arXiv 2402.05369
		text: func(o Pair, v string) []string {
			return []string{fmt.Sprintf("−log σ(%s) − ½·log σ(−%s) − ½·log σ(−%s)", o.times(v+"(w)"), o.times(v+"(w)"), o.times(v+"(l)"))}
		},
		of: func(o Pair, _ row, w, l float64) (loss, slopeW, slopeL float64) {
			x, y := finite(o.Beta*w), finite(o.Beta*l)
			return softplus(-x) + softplus(x)/2 + softplus(y)/2, o.Beta * (sigmoid(x)/2 - sigmoid(-x)), o.Beta * sigmoid(y) / 2
		},
	},
	"bco": { // Jung et al. 2024, arXiv 2404.04656, eq. 8
		text: func(o Pair, v string) []string {
			w, l := o.times(v+"(w)"), o.times(v+"(l)")
			switch {
			case o.DeltaOf == "batch":
				return []string{
					"δ = mean over the batch of " + times(o.Beta/2, "("+v+"(w) + "+v+"(l))") + ", without gradient",
					fmt.Sprintf("−log σ(%s − δ) − log σ(δ − %s)", w, l),
				}
			case o.Delta == 0:
				return []string{fmt.Sprintf("−log σ(%s) − log σ(−%s)", w, l)}
			}
			return []string{fmt.Sprintf("−log σ(%s − %s) − log σ(%s − %s)", w, g(o.Delta), g(o.Delta), l)}
		},
		of: func(o Pair, r row, w, l float64) (loss, slopeW, slopeL float64) {
			x, y := finite(o.Beta*w)-r.shift, finite(o.Beta*l)-r.shift
			return softplus(-x) + softplus(y), -o.Beta * sigmoid(-x), o.Beta * sigmoid(y)
		},
	},
	"apo-zero": { // D'Oosterlinck et al. 2024, arXiv 2408.06266, eq. 7
		text: func(o Pair, v string) []string {
			return []string{fmt.Sprintf("σ(−%s) + σ(%s)", o.times(v+"(w)"), o.times(v+"(l)"))}
		},
		of: func(o Pair, _ row, w, l float64) (loss, slopeW, slopeL float64) {
			x, y := finite(o.Beta*w), finite(o.Beta*l)
			return sigmoid(-x) + sigmoid(y), -o.Beta * bell(x), o.Beta * bell(y)
		},
	},
	"apo-down": { // the same, eq. 8
		text: func(o Pair, v string) []string {
			return []string{fmt.Sprintf("σ(%s) + σ(−%s)", o.times(v+"(w)"), o.times("("+v+"(w) − "+v+"(l))"))}
		},
		of: func(o Pair, _ row, w, l float64) (loss, slopeW, slopeL float64) {
			x, d := finite(o.Beta*w), finite(o.Beta*(w-l))
			return sigmoid(x) + sigmoid(-d), o.Beta * (bell(x) - bell(d)), o.Beta * bell(d)
		},
	},
	"kto": { // Ethayarajh et al. 2024, arXiv 2402.01306, eq. 7; TRL's mean is over both answers
		text: func(o Pair, v string) []string {
			z := "z = " + g(o.Delta)
			if o.DeltaOf == "extra" {
				z = "z = max(0, mean over the batch of u(extra)), 0 without, and without gradient"
			}
			good, bad := "σ(−"+o.times("("+v+"(w) − z)")+")", "σ("+o.times("("+v+"(l) − z)")+")"
			return []string{z, "½·[" + times(o.Desirable, good) + " + " + times(o.Undesirable, bad) + "]"}
		},
		of: func(o Pair, r row, w, l float64) (loss, slopeW, slopeL float64) {
			x, y := finite(o.Beta*(w-r.shift)), finite(o.Beta*(l-r.shift))
			return (o.Desirable*sigmoid(-x) + o.Undesirable*sigmoid(y)) / 2, -o.Beta * o.Desirable * bell(x) / 2, o.Beta * o.Undesirable * bell(y) / 2
		},
	},
	"aot":          {text: transportText("d(k) = k-th smallest of log π(w) − log π(l), less the k-th smallest of log ref(w) − log ref(l)")},
	"aot-unpaired": {text: transportText("d(k) = k-th smallest of u(w), less the k-th smallest of u(l)")},
	"sft":          {},
}

func rewardText(distance string) func(o Pair, _ string) []string {
	return func(o Pair, _ string) []string { return []string{"r = " + times(o.Alpha, "(q_w − q_l)"), distance} }
}

// isReward tells whether the values of both answers are a reward that is to be met.
func (o Pair) isReward() bool { return strings.HasPrefix(o.Shape, "reward-") }

// reward is by how much the chosen answer is said to be better.
func (o Pair) reward(r row) float64 { return finite(o.Alpha * r.gap) }

// leads are by how much both answers win more often than not: by their scores, whose
// tie is at 0, by their win rates, or by the label.
func (o Pair) leads(r row) (chosen, rejected float64) {
	switch {
	case o.Label == "scores":
		return r.scores[0], r.scores[1]
	case o.Label == "q" && !r.labelled:
		return r.scores[0] - 0.5, r.scores[1] - 0.5
	}
	return r.label - 0.5, 0.5 - r.label
}

// shift is δ of bco and z₀ of kto, which take no gradient.
func (o Pair) shift(rows []row) float64 {
	sum, n := 0.0, 0.0
	for _, r := range rows {
		switch {
		case o.DeltaOf == "batch":
			sum, n = sum+o.Beta*(r.chosen.ratio()+r.rejected.ratio()), n+2
		case o.DeltaOf == "extra" && r.extra != nil:
			sum, n = sum+r.extra.ratio(), n+1
		}
	}
	switch o.DeltaOf {
	case "batch":
		return sum / n
	case "extra": // 0 where no pair has a third answer
		return math.Max(0, sum/math.Max(n, 1))
	}
	return o.Delta
}

// transport compares what stands k-th on one side with what stands k-th on the other
// (Melnyk et al. 2024, arXiv 2406.05882). Losses stand in that order.
func (o Pair) transport(rows []row, out *Result) {
	one := func(r row) float64 { return r.chosen.logp - r.rejected.logp }
	other := func(r row) float64 { return r.chosen.base - r.rejected.base }
	paired := o.Shape == "aot"
	if !paired {
		one, other = func(r row) float64 { return r.chosen.ratio() }, func(r row) float64 { return r.rejected.ratio() }
	}
	first, second := order(rows, one), order(rows, other)
	for k, i := range first {
		j := second[k]
		x := finite(o.Beta * (one(rows[i]) - other(rows[j])))
		loss, slope := shapes["sigmoid"].ofX(o, row{label: 1 - o.Smoothing}, x)
		out.Losses[k] = loss
		if paired { // the other side is the reference's
			j = i
		}
		out.Grads[i].Chosen += slope * o.Beta
		out.Grads[j].Rejected -= slope * o.Beta
	}
}

func transportText(d string) func(o Pair, _ string) []string {
	return func(o Pair, _ string) []string {
		text := "−log σ(" + o.times("d(k)") + ")"
		if o.Smoothing != 0 {
			text = fmt.Sprintf("−%s·log σ(%s) − %s·log σ(−%s)", g(1-o.Smoothing), o.times("d(k)"), g(o.Smoothing), o.times("d(k)"))
		}
		return []string{d, "mean over k of " + text}
	}
}

// order returns the rows' indices by key, smallest first; equal keys keep theirs.
func order(rows []row, key func(row) float64) []int {
	out := indices(len(rows))
	slices.SortStableFunc(out, func(a, b int) int { return cmp.Compare(key(rows[a]), key(rows[b])) })
	return out
}

// g is a number as formulas print it.
func g(x float64) string { return strings.Replace(fmt.Sprintf("%.6g", x), "-", "−", 1) }

// times is "0.5·what", or what alone.
func times(x float64, what string) string {
	if x == 1 {
		return what
	}
	return g(x) + "·" + what
}

// times is β·what.
func (o Pair) times(what string) string { return times(o.Beta, what) }

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

// mix is p·a + (1−p)·b.
func mix(p, a, b float64) float64 { return p*a + (1-p)*b }

// expCap bounds exponents: e^700 is finite, and so are its products with what
// settings allow.
const expCap = 700

func boundedExp(x float64) float64 { return math.Exp(math.Min(x, expCap)) }

// finite bounds what leaves the range of float64.
func finite(x float64) float64 { return math.Min(math.Max(x, -math.MaxFloat64), math.MaxFloat64) }
