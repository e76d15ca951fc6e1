package objective

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Formula is the loss with its settings filled in, a line a definition: w is the
// chosen answer, l the rejected, P the label of the pair.
func (o Objective) Formula() []string {
	if o.OfLists() {
		return o.listFormula()
	}
	return o.Pair.formula(o.Entry.References)
}

func g(x float64) string { return strings.Replace(fmt.Sprintf("%.6g", x), "-", "−", 1) }

// times is "0.5·what", or what alone.
func times(x float64, what string) string {
	if x == 1 {
		return what
	}
	return g(x) + "·" + what
}

func (o Pair) formula(references []string) []string {
	if len(o.Parts) > 0 {
		var sum, out []string
		for i, p := range o.Parts {
			sum = append(sum, times(p.Weight, fmt.Sprintf("L%d", i+1)))
			lines := p.Pair.formula(references)
			out = append(out, fmt.Sprintf("L%d, %s:", i+1, p.Pair.Name))
			for _, l := range lines {
				out = append(out, "  "+l)
			}
		}
		return append([]string{"L = " + strings.Join(sum, " + ")}, out...)
	}
	var out []string
	if o.Shape != "sft" {
		out = append(out, o.ratioText(references))
	}
	v, link := "u", o.linkText()
	if link != "" {
		v = "v"
		out = append(out, link)
	}
	loss := ""
	if o.Shape != "sft" {
		lines := o.shapeText(v)
		out = append(out, lines[:len(lines)-1]...)
		loss = lines[len(lines)-1]
	}
	for _, term := range o.termTexts() {
		loss = strings.TrimSpace(loss + " " + term)
	}
	return append(out, "L = "+loss)
}

// ratioText defines the log-ratio u.
func (o Pair) ratioText(references []string) string {
	text := "u(y) = log π(y)"
	if !o.Free {
		weights := o.Base
		if len(weights) == 0 {
			weights = []float64{1}
		}
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
	}
	if o.PerToken {
		text = strings.Replace(text, "= ", "= (", 1) + ")/|y|"
		if o.Free {
			text = "u(y) = log π(y)/|y|"
		}
	}
	if o.Excess != 0 {
		text += fmt.Sprintf(",  tokens beyond the other answer's length count %s", g(1-o.Excess))
	}
	return text
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

// labelText says what P is.
func (o Pair) labelText() string {
	switch o.Label {
	case "visits":
		return "P = target, else 1 − min(n_l/(n_w + n_l), ½)"
	case "q":
		if o.Shape == "sppo" || o.Shape == "linear" {
			return "P(w), P(l) = q, else target and 1 − target"
		}
		if o.Temperature == 1 {
			return "P = target, else σ(q_w − q_l)"
		}
		return fmt.Sprintf("P = target, else σ((q_w − q_l)/%s)", g(o.Temperature))
	case "difference":
		return "P = target, else ½ + q_w − q_l"
	}
	return "P = target, else " + g(1-o.Smoothing)
}

// shapeText defines what the loss needs, and the loss itself last.
func (o Pair) shapeText(v string) []string {
	b := func(what string) string { return times(o.Beta, what) }
	difference := fmt.Sprintf("%s(w) − %s(l)", v, v)
	margin := ""
	if o.Gamma != 0 {
		margin += " − " + g(o.Gamma)
	}
	if o.Alpha != 0 && !isReward(o.Shape) {
		margin += " − " + times(o.Alpha, "(q_w − q_l)")
	}
	if needsOf[o.Shape].margin {
		margin += " − margin"
	}
	x := "x = " + b("("+difference+")") + margin
	scaled := func(text string, own float64) string {
		if s := o.scale(own); s != 1 {
			return g(s) + "·[" + text + "]"
		}
		return text
	}
	one := func(text string) []string { return []string{x, scaled(text, 1)} }
	labelled := func(text string) []string { return []string{x, o.labelText(), scaled(text, 1)} }
	square := func(of, target string) string { return fmt.Sprintf("(%s − %s)²", of, target) }
	switch o.Shape {
	case "sigmoid":
		return labelled("−P·log σ(x) − (1−P)·log σ(−x)")
	case "robust":
		return one(fmt.Sprintf("(−%s·log σ(x) + %s·log σ(−x))/%s", g(1-o.Smoothing), g(o.Smoothing), g(1-2*o.Smoothing)))
	case "hinge":
		return labelled("P·max(0, 1−x) + (1−P)·max(0, 1+x)")
	case "ipo":
		if margin == "" {
			return []string{o.labelText(), square(difference, "(P − ½)/"+g(o.Beta))}
		}
		return []string{o.labelText(), square(difference, "(P − ½ + "+strings.Trim(strings.ReplaceAll(margin, "−", "+"), " +")+")/"+g(o.Beta))}
	case "exo":
		return labelled("σ(x)·(log σ(x) − log P) + σ(−x)·(log σ(−x) − log(1−P))")
	case "discopop":
		return []string{x, "s = σ(x/" + g(o.Tau) + ")", scaled("−(1−s)·log σ(x) + s·e^−x", 1)}
	case "exponential":
		return one("e^−x")
	case "truncated":
		return one("max(0, 1−x)²")
	case "savage":
		return one("σ(−x)²")
	case "square":
		return one("(1 − x)²")
	case "reward-sq", "reward-bwd_kl", "reward-fwd_kl":
		text := map[string]string{"reward-sq": "(x − r)²", "reward-bwd_kl": "KL(σ(r) ‖ σ(x))", "reward-fwd_kl": "KL(σ(x) ‖ σ(r))"}
		return []string{x, "r = " + times(o.Alpha, "(q_w − q_l)"), text[o.Shape]}
	case "sppo":
		if o.Label == "scores" {
			return []string{scaled(fmt.Sprintf("(%s(w) − q_w/%s)² + (%s(l) − q_l/%s)²", v, g(o.Beta), v, g(o.Beta)), 0.5)}
		}
		label := o.labelText()
		if o.Label != "q" {
			label = "P(w) = target, else 1;  P(l) = 1 − P(w)"
		}
		return []string{label, scaled(fmt.Sprintf("(%s(w) − (P(w) − ½)/%s)² + (%s(l) − (P(l) − ½)/%s)²", v, g(o.Beta), v, g(o.Beta)), 0.5)}
	case "linear":
		return []string{o.labelText(), fmt.Sprintf("−(P(w) − ½)·%s(w) − (P(l) − ½)·%s(l)", v, v)}
	case "nca":
		return []string{fmt.Sprintf("−log σ(%s) − ½·log σ(−%s) − ½·log σ(−%s)", b(v+"(w)"), b(v+"(w)"), b(v+"(l)"))}
	case "bco":
		if o.DeltaOf == "batch" {
			return []string{
				"δ = mean over the batch of " + times(o.Beta/2, "("+v+"(w) + "+v+"(l))") + ", without gradient",
				fmt.Sprintf("−log σ(%s − δ) − log σ(δ − %s)", b(v+"(w)"), b(v+"(l)")),
			}
		}
		if o.Delta == 0 {
			return []string{fmt.Sprintf("−log σ(%s) − log σ(−%s)", b(v+"(w)"), b(v+"(l)"))}
		}
		return []string{fmt.Sprintf("−log σ(%s − %s) − log σ(%s − %s)", b(v+"(w)"), g(o.Delta), g(o.Delta), b(v+"(l)"))}
	case "apo-zero":
		return []string{scaled(fmt.Sprintf("σ(−%s) + σ(%s)", b(v+"(w)"), b(v+"(l)")), 1)}
	case "apo-down":
		return []string{fmt.Sprintf("σ(%s) + σ(−%s)", b(v+"(w)"), b("("+difference+")"))}
	case "kto":
		z := "z = " + g(o.Delta)
		if o.DeltaOf == "extra" {
			z = "z = max(0, mean over the batch of u(extra)), 0 without, and without gradient"
		}
		return []string{z, fmt.Sprintf("½·[%s + %s]", times(o.Desirable, "σ(−"+b("("+v+"(w) − z)")+")"), times(o.Undesirable, "σ("+b("("+v+"(l) − z)")+")"))}
	case "aot", "aot-unpaired":
		d := "d(k) = k-th smallest of u(w), less the k-th smallest of u(l)"
		if o.Shape == "aot" {
			d = "d(k) = k-th smallest of log π(w) − log π(l), less the k-th smallest of log ref(w) − log ref(l)"
		}
		text := "−log σ(" + b("d(k)") + ")"
		if o.Smoothing != 0 {
			text = fmt.Sprintf("−%s·log σ(%s) − %s·log σ(−%s)", g(1-o.Smoothing), b("d(k)"), g(o.Smoothing), b("d(k)"))
		}
		return []string{d, "mean over k of " + text}
	}
	return []string{o.Shape}
}

// termTexts are what stands beside the preference, with signs.
func (o Pair) termTexts() []string {
	var out []string
	if c := o.SFT * o.termScale(); c != 0 {
		what := "log π(w)/|w|"
		switch o.SFTBy {
		case "tokens":
			what = "mean over all chosen tokens of the batch of log π"
		case "sum":
			what = "log π(w)"
		}
		out = append(out, "− "+times(c, what))
	}
	if c := o.Third * o.termScale(); c != 0 {
		sign, y := "+", "extra"
		if o.Pessimism {
			sign, y = "−", "extra, else w"
		}
		switch o.ThirdOf {
		case "nll":
			sign = "−"
			out = append(out, sign+" "+times(c, "mean over all extra tokens of the batch of log π"))
		case "log":
			out = append(out, sign+" "+times(c, "log π("+y+")"))
		case "ratio":
			out = append(out, sign+" "+times(c, "u("+y+")"))
		case "kl":
			out = append(out, sign+" "+times(c, "½·u("+y+")²"))
		}
	}
	return out
}

func (o Objective) listFormula() []string {
	l := o.List
	ratio := "u(k) = log π(k) − log " + strings.ReplaceAll(o.Entry.References[0], " ", "_") + "(k)"
	r := "r(k) = " + times(l.Beta, "u(k)")
	p := "p = softmax(score)"
	if l.temperature() != 1 {
		p = "p = softmax(score/" + g(l.temperature()) + ")"
	}
	switch l.shape() {
	case "lambda":
		return []string{
			ratio, r,
			"λ(i,j) = |2^score(i) − 2^score(j)|·|1/log₂(1+rank(i)) − 1/log₂(1+rank(j))|",
			"L = mean over score(i) > score(j) of −λ(i,j)·log σ(r(i) − r(j))",
		}
	case "plackett-luce":
		return []string{ratio, r, "L = −Σ_k (r(k) − log Σ_{j at or after k} e^r(j)), k by score, best first"}
	case "sppo":
		return []string{ratio, fmt.Sprintf("L = ½·Σ_k (u(k) − (score(k) − ½)/%s)²", g(l.Beta))}
	case "infonca":
		return []string{ratio, r, p, "L = −Σ_k p(k)·log softmax(r)(k)"}
	}
	return []string{ratio, r, p, "L = −Σ_k p(k)·log σ(r(k)) + (1/K)·log σ(−r(k))"}
}

// Clash is what an acronym names, where it names several methods.
type Clash struct {
	Acronym string `json:"acronym"`
	Names   string `json:"names"`
}

// Clashes lists the acronyms that Find refuses.
func Clashes() []Clash {
	var out []Clash
	for _, a := range slices.Sorted(maps.Keys(clashes)) {
		if !isID(a) {
			out = append(out, Clash{Acronym: a, Names: clashes[a]})
		}
	}
	return out
}

// Clash is the line on the acronym that begins an entry's name; "" where it is clear.
func (e *Entry) Clash() string {
	first, _, _ := strings.Cut(e.Name, "-")
	return clashes[first]
}
