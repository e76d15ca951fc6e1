package objective

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/agon-rl/agon/internal/spec"
)

// param is a setting that an objective takes: a number within [lo, hi], a word of a
// choice, or numbers.
type param struct {
	name    string
	help    string
	aliases []string
	flipped string // an alias whose number counts the other way: value = 1 − given
	lo, hi  float64
	choices []string
	spelled map[string]string // other spellings of a word
	list    bool

	value value // where it is not given
	apply func(o *Objective, v value)
}

// value is what a parameter is set to.
type value struct {
	number  float64
	word    string
	numbers []float64
}

// number makes a parameter of a number.
func number(name, help string, lo, hi, standard float64, set func(o *Objective, x float64), aliases ...string) param {
	return param{
		name: name, help: help, lo: lo, hi: hi, value: value{number: standard}, aliases: aliases,
		apply: func(o *Objective, v value) { set(o, v.number) },
	}
}

// word makes a parameter of a word, which is the first of its choices where not given.
// spelled are other spellings.
func word(name, help string, choices []string, spelled map[string]string, set func(o *Objective, word string), aliases ...string) param {
	return param{
		name: name, help: help, choices: choices, spelled: spelled, value: value{word: choices[0]}, aliases: aliases,
		apply: func(o *Objective, v value) { set(o, v.word) },
	}
}

// as is the parameter under another name; help stays where it is empty.
func (p param) as(name, help string, aliases ...string) param {
	p.name, p.aliases = name, aliases
	if help != "" {
		p.help = help
	}
	return p
}

type params []param

// where are the parameters of which one, a number, has another standard.
func (ps params) where(name string, standard float64) params {
	return ps.with(name, value{number: standard})
}

// whose are the parameters of which one, a word, has another standard.
func (ps params) whose(name, standard string) params { return ps.with(name, value{word: standard}) }

func (ps params) with(name string, standard value) params {
	out := slices.Clone(ps)
	out[slices.IndexFunc(out, func(p param) bool { return p.name == name })].value = standard
	return out
}

// find returns the parameter of a key, or the first that is not given where the key is
// empty.
func (ps params) find(a spec.Arg, given map[string]value) (param, error) {
	var names, known []string
	for _, p := range ps {
		if _, taken := given[p.name]; a.Key == "" && !taken || a.Key != "" && (p.name == a.Key || slices.Contains(p.aliases, a.Key)) {
			return p, nil
		}
		names = append(names, p.name)
		known = append(append(known, p.name), p.aliases...)
	}
	switch {
	case a.Key == "":
		return param{}, fmt.Errorf("unexpected argument %q", a.Value)
	case len(known) == 0:
		return param{}, fmt.Errorf("unknown parameter %q: it takes none", a.Key)
	}
	return param{}, fmt.Errorf("unknown parameter %q%s; it takes %s", a.Key, spec.Suggest(a.Key, known), strings.Join(names, ", "))
}

// parse reads what was given under a key, which may be empty.
func (p param) parse(key, text string) (v value, err error) {
	shown := key
	if shown == "" {
		shown = p.name
	}
	read := func(text string) (float64, bool) {
		x, err := strconv.ParseFloat(text, 64)
		return x, err == nil && x >= p.lo && x <= p.hi
	}
	switch {
	case p.list:
		sum := 0.0
		for _, field := range strings.FieldsFunc(strings.Trim(text, "[]"), func(r rune) bool { return strings.ContainsRune(", ;", r) }) {
			x, ok := read(field)
			if !ok {
				return v, fmt.Errorf("%s=%s: expected numbers from %g to %g, such as \"0.5,0.5\"", shown, text, p.lo, p.hi)
			}
			v.numbers, sum = append(v.numbers, x), sum+x
		}
		switch {
		case len(v.numbers) == 0:
			return v, fmt.Errorf("%s=%s: expected numbers, such as \"0.5,0.5\"", shown, text)
		case p.lo == 0 && sum == 0: // they count by their share
			return v, fmt.Errorf("%s=%v: expected at least one of more than 0", p.name, v.numbers)
		}
	case len(p.choices) > 0:
		v.word = text
		if to, ok := p.spelled[text]; ok {
			v.word = to
		}
		if !slices.Contains(p.choices, v.word) {
			return v, fmt.Errorf("%s=%s: expected %s%s", shown, text, p.rangeText(), spec.Suggest(text, p.choices))
		}
	default:
		x, ok := read(text)
		if !ok {
			return v, fmt.Errorf("%s=%s: expected a number %s", shown, text, p.rangeText())
		}
		if v.number = x; key == p.flipped && key != "" {
			v.number = 1 - x
		}
	}
	return v, nil
}

// text is a value as it is shown, and read again.
func (p param) text(v value) string {
	switch {
	case p.list:
		return listed(v.numbers)
	case len(p.choices) > 0:
		return v.word
	case math.IsNaN(v.number):
		return "from the batch"
	}
	return fmt.Sprintf("%g", v.number)
}

func (p param) rangeText() string {
	if len(p.choices) > 0 {
		return strings.Join(p.choices, ", ")
	}
	return fmt.Sprintf("from %g to %g", p.lo, p.hi)
}

// listed are numbers as a setting takes them: 0.5,0.3.
func listed(xs []float64) string {
	texts := make([]string, len(xs))
	for i, x := range xs {
		texts[i] = strconv.FormatFloat(x, 'g', -1, 64)
	}
	return strings.Join(texts, ",")
}

// The parameters, with the standard that most objectives have.
var (
	pBeta = number("beta", "β, the weight of the reference: the higher, the nearer to it", 1e-9, 1e9, 0.1, func(o *Objective, x float64) {
		o.Pair.Beta, o.List.Beta = x, x
		for i := range o.Pair.Parts {
			o.Pair.Parts[i].Pair.Beta = x
		}
	})
	pSmoothing   = number("smoothing", "ε, the share of labels thought to be wrong", 0, 0.5, 0, func(o *Objective, x float64) { o.Pair.Smoothing = x }, "label_smoothing", "epsilon")
	pAlpha       = number("alpha", "α, how much of the difference of values q is a margin", 0, 1e9, 0, func(o *Objective, x float64) { o.Pair.Alpha = x })
	pGamma       = number("gamma", "γ, a constant margin of rewards", 0, 1e9, 0, func(o *Objective, x float64) { o.Pair.Gamma = x }, "simpo_gamma", "tpo_l_gamma")
	pTau         = number("tau", "τ, how sharply the two parts are blended", 1e-9, 1e9, 0.05, func(o *Objective, x float64) { o.Pair.Tau = x }, "discopop_tau")
	pTemperature = number("temperature", "τ of the labels by values, σ((Q_w − Q_l)/τ)", 1e-9, 1e9, 1, func(o *Objective, x float64) { o.Pair.Temperature = x })
	pSFT         = number("sft", "λ, imitation of the chosen answer beside it", 0, 1e9, 0, func(o *Objective, x float64) { o.Pair.SFT = x }, "rpo_alpha", "cpo_alpha")
	pSFTBy       = word("sft_by", "imitation per token of the answer, over all chosen tokens of the batch, or summed", []string{"answer", "tokens", "sum"}, nil,
		func(o *Objective, by string) { o.Pair.SFTBy = by })
	pThird      = number("alpha", "the weight of the third answer's term", 0, 1e9, 1, func(o *Objective, x float64) { o.Pair.Third = x }, "tpo_alpha")
	pDivergence = word("divergence", "the f-divergence from the reference", []string{"reverse_kl", "forward_kl", "js", "alpha"},
		map[string]string{"js_divergence": "js", "alpha_divergence": "alpha", "reverse-kl": "reverse_kl", "forward-kl": "forward_kl"},
		func(o *Objective, divergence string) {
			switch divergence {
			case "forward_kl":
				o.Pair.Link, o.Pair.Curve = "power", -1
			case "js":
				o.Pair.Link = "js"
			case "alpha":
				if c := o.values["divergence_alpha"].number - 1; math.Abs(c) >= 1e-6 { // f′(t) → log t
					o.Pair.Link, o.Pair.Curve = "power", c
				}
			}
		}, "f_divergence_type")
	pDivergenceAlpha = param{
		name: "divergence_alpha", aliases: []string{"f_alpha_divergence_coef", "alpha_divergence_coef"}, flipped: "alpha_divergence_coef",
		help: "α of the α-divergence as TRL counts it from 1.0 on; alpha_divergence_coef, TRL's before that, is 1 − α", lo: -1e3, hi: 1e3,
		value: value{number: 0.5}, apply: func(*Objective, value) {}, // pDivergence reads it
	}
	pCurve = number("alpha", "α of the reward (1 − p^−α)/α", -1e3, 1e3, 0, func(o *Objective, x float64) {
		if x != 0 {
			o.Pair.Link, o.Pair.Curve = "power", -x
		}
	}, "alphapo_alpha")
	pOdds    = number("beta", "λ, the weight of the odds ratio", 0, 1e9, 0.1, func(o *Objective, x float64) { o.Pair.Scale = x }, "lambda")
	pLDAlpha = number("ld_alpha", "weight of tokens beyond the other answer's length (LD-DPO, 2409.06411)", 0, 1, 1, func(o *Objective, x float64) { o.Pair.Excess = 1 - x })
	pBase    = param{
		name: "base", help: "weights of several references, which sum to 1", list: true, lo: -1e6, hi: 1e6,
		apply: func(o *Objective, v value) {
			if len(v.numbers) > 0 {
				o.Pair.Base = v.numbers
			}
		},
	}
	pEta     = pBeta.as("eta", "η: the log-ratio's difference should be (P − ½)/η", "beta")
	pRatio   = number("ratio", "τ/η, the weight of the fixed reference in the base", 0, 1, 1./3, func(o *Objective, x float64) { o.Pair.Base = []float64{x, 1 - x} })
	pWeights = param{
		name: "weights", help: "λ_j of the opponents, which count by their share", aliases: []string{"history_weights"}, list: true, hi: 1e6,
		value: value{numbers: []float64{1}},
		apply: func(o *Objective, v value) {
			sum, fixed := 0.0, o.values["ratio"].number
			for _, w := range v.numbers {
				sum += w
			}
			o.Pair.Base = []float64{fixed}
			for _, w := range v.numbers {
				o.Pair.Base = append(o.Pair.Base, (1-fixed)*w/sum)
			}
		},
	}
	pExtrapolate = number("extrapolate", "α: weights 1+α and −α of the two", 0, 1, 0.3, func(o *Objective, x float64) { o.Pair.Base = []float64{1 + x, -x} }, "momentum")
	pNormalize   = word("normalize", "divide log-ratios by length", []string{"true", "false"}, nil, func(o *Objective, so string) { o.Pair.PerToken = so == "true" })
	pConvex      = word("convex", "the convex function f(x)", []string{"logistic", "hinge", "square", "exponential", "truncated", "savage"},
		map[string]string{"squared": "square", "sigmoid": "logistic"}, setShape)
	pDistance = word("distance", "between the implicit reward x and the given one r: KL(σ(r) ‖ σ(x)), KL(σ(x) ‖ σ(r)), (x − r)²", []string{"bwd_kl", "fwd_kl", "sq"},
		map[string]string{"rpo_bwd_kl": "bwd_kl", "rpo_fwd_kl": "fwd_kl", "rpo_sq": "sq", "square": "sq"}, func(o *Objective, d string) { o.Pair.Shape = "reward-" + d })
	pTRL = word("trl", "the version of TRL whose formula it is", []string{"1.16", "1.0", "0.19"},
		map[string]string{"1.16.0": "1.16", "1.0.0": "1.0", "0.19.1": "0.19", "1": "1.0", "1.00": "1.0"},
		func(o *Objective, version string) {
			switch {
			case version != "0.19":
			case o.Pair.Shape == "bco":
				o.Pair.DeltaOf = "batch"
			case o.Pair.Smoothing == 0: // of exo
				o.Pair.Smoothing = 1e-3
				o.values["smoothing"] = value{number: 1e-3}
			}
		})
	pMode        = word("mode", "optimism or pessimism", []string{"online", "offline"}, nil, func(o *Objective, mode string) { o.Pair.Pessimism = mode == "offline" })
	pDesirable   = number("desirable", "λ_D", 0, 1e9, 1, func(o *Objective, x float64) { o.Pair.Desirable = x }, "desirable_weight")
	pUndesirable = number("undesirable", "λ_U", 0, 1e9, 1, func(o *Objective, x float64) { o.Pair.Undesirable = x }, "undesirable_weight")
	pDelta       = number("delta", "δ, the reward shift", -1e9, 1e9, 0, func(o *Objective, x float64) { o.Pair.Delta = x })
	pKL          = number("kl", "z₀, the policy's KL from the reference", 0, 1e9, math.NaN(), func(o *Objective, x float64) {
		if !math.IsNaN(x) {
			o.Pair.Delta, o.Pair.DeltaOf = x, ""
		}
	})
	pListBeta        = pBeta.as("beta", "β, the weight of the reference")
	pListTemperature = number("temperature", "τ of the softmax over scores", 1e-9, 1e9, 1, func(o *Objective, x float64) { o.List.Temperature = x })
)

// pLoss is a choice of shapes.
func pLoss(help string, choices ...string) param {
	return word("loss", help, choices, map[string]string{"sigmoid": choices[0], "logistic": choices[0]}, setShape, "loss_type")
}

func setShape(o *Objective, name string) {
	switch o.Pair.Shape = name; name {
	case "logistic":
		o.Pair.Shape = "sigmoid"
	case "sppo":
		o.Pair.Label, o.Pair.Scale = "q", 0.5
	}
}

// pPart is the weight of a part.
func pPart(name, help string, part int, standard float64) param {
	return number(name, help, 0, 1e6, standard, func(o *Objective, x float64) { o.Pair.Parts[part].Weight = x })
}

// difference are the parameters of every loss of a difference of rewards, after those
// that come first.
func difference(first ...param) params {
	out := params(first)
	for _, p := range []param{pBeta, pSmoothing, pAlpha, pGamma, pSFT, pSFTBy, pDivergence, pDivergenceAlpha, pLDAlpha, pBase} {
		if !slices.ContainsFunc(first, func(other param) bool { return other.name == p.name || slices.Contains(other.aliases, p.name) }) {
			out = append(out, p)
		}
	}
	return out
}
