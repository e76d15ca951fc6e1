package objective

import (
	"fmt"
	"math"
	"strings"
)

// knobs are settings from which the formula's own are derived.
type knobs struct {
	ratio, extrapolate       float64 // of references: INPO's τ/η, accelerated APO's α
	extrapolates             bool
	weights, base            []float64 // opponents', references'
	divergence, loss, convex string
	divergenceAlpha, ldAlpha float64
	curve                    float64 // AlphaPO's α
	normalize, trl, mode     string
	distance                 string // of reward-aware RPO
	kl                       float64
	mix                      [3]float64 // MPO's weights
}

// settle derives the formula from the knobs.
func (o *Objective) settle() error {
	k, p := &o.knobs, &o.Pair
	switch {
	case k.weights != nil: // reference, then the opponents, whose weights count by their share
		sum := 0.0
		for _, w := range k.weights {
			sum += w
		}
		if !(sum > 0) {
			return fmt.Errorf("weights=%v: expected at least one of more than 0", k.weights)
		}
		p.Base = []float64{k.ratio}
		for _, w := range k.weights {
			p.Base = append(p.Base, (1-k.ratio)*w/sum)
		}
	case k.extrapolates:
		p.Base = []float64{1 + k.extrapolate, -k.extrapolate}
	}
	if len(k.base) > 0 {
		p.Base = k.base
	}
	switch k.divergence {
	case "reverse_kl":
		p.Link = ""
	case "forward_kl":
		p.Link, p.Curve = "power", -1
	case "js":
		p.Link = "js"
	case "alpha":
		p.Link, p.Curve = "power", k.divergenceAlpha-1
		if math.Abs(p.Curve) < 1e-6 { // f′(t) → log t
			p.Link, p.Curve = "", 0
		}
	}
	switch k.loss {
	case "logistic", "sigmoid":
		p.Shape = "sigmoid"
	case "hinge", "ipo":
		p.Shape = k.loss
	case "sppo":
		p.Shape, p.Label = k.loss, "q"
	}
	if k.convex != "" {
		p.Shape = k.convex
		if k.convex == "logistic" {
			p.Shape = "sigmoid"
		}
	}
	if k.distance != "" {
		p.Shape = "reward-" + k.distance
	}
	if k.curve != 0 {
		p.Link, p.Curve = "power", -k.curve
	}
	if k.normalize != "" {
		p.PerToken = k.normalize == "true"
	}
	p.Excess = 1 - k.ldAlpha
	switch {
	case k.trl == "0.19" && p.Shape == "bco":
		p.DeltaOf = "batch"
	case k.trl == "0.19" && p.Shape == "exo" && p.Smoothing == 0:
		p.Smoothing = 1e-3
	}
	if p.Shape == "kto" && !math.IsNaN(k.kl) {
		p.Delta, p.DeltaOf = k.kl, ""
	}
	if k.mode != "" {
		p.Pessimism = k.mode == "offline"
	}
	if len(p.Parts) > 0 {
		for i := range p.Parts {
			p.Parts[i].Weight, p.Parts[i].Pair.Beta = k.mix[i], p.Beta
		}
	}
	p.Name, o.List.Name = o.Entry.Name, o.Entry.Name
	return nil
}

// The settings.
var (
	pBeta = param{
		name: "beta", help: "β, the weight of the reference: the higher, the nearer to it", lo: 1e-9, hi: 1e9,
		number: func(o *Objective) *float64 { return &o.Pair.Beta },
	}
	pSmoothing = param{
		name: "smoothing", aliases: []string{"label_smoothing", "epsilon"}, help: "ε, the share of labels thought to be wrong", lo: 0, hi: 0.5,
		number: func(o *Objective) *float64 { return &o.Pair.Smoothing },
	}
	pAlpha = param{
		name: "alpha", help: "α, how much of the difference of values q is a margin", lo: 0, hi: 1e9,
		number: func(o *Objective) *float64 { return &o.Pair.Alpha },
	}
	pGamma = param{
		name: "gamma", aliases: []string{"simpo_gamma", "tpo_l_gamma"}, help: "γ, a constant margin of rewards", lo: 0, hi: 1e9,
		number: func(o *Objective) *float64 { return &o.Pair.Gamma },
	}
	pTemperature = param{
		name: "temperature", help: "τ of the labels by values, σ((Q_w − Q_l)/τ)", lo: 1e-9, hi: 1e9,
		number: func(o *Objective) *float64 { return &o.Pair.Temperature },
	}
	pSFT = param{
		name: "sft", aliases: []string{"rpo_alpha", "cpo_alpha"}, help: "λ, imitation of the chosen answer beside it", lo: 0, hi: 1e9,
		number: func(o *Objective) *float64 { return &o.Pair.SFT },
	}
	pSFTBy = param{
		name: "sft_by", help: "imitation per token of the answer, over all chosen tokens of the batch, or summed", choices: []string{"answer", "tokens", "sum"},
		word: func(o *Objective) *string { return &o.Pair.SFTBy },
	}
	pThird = param{
		name: "alpha", aliases: []string{"tpo_alpha"}, help: "the weight of the third answer's term", lo: 0, hi: 1e9,
		number: func(o *Objective) *float64 { return &o.Pair.Third },
	}
	pDivergence = param{
		name: "divergence", aliases: []string{"f_divergence_type"}, help: "the f-divergence from the reference", choices: []string{"reverse_kl", "forward_kl", "js", "alpha"},
		spelled: map[string]string{"js_divergence": "js", "alpha_divergence": "alpha", "reverse-kl": "reverse_kl", "forward-kl": "forward_kl"},
		word:    func(o *Objective) *string { return &o.knobs.divergence },
	}
	pDivergenceAlpha = param{
		name: "divergence_alpha", aliases: []string{"f_alpha_divergence_coef", "alpha_divergence_coef"}, flipped: []string{"alpha_divergence_coef"},
		help: "α of the α-divergence as TRL counts it from 1.0 on; alpha_divergence_coef, TRL's before that, is 1 − α", lo: -1e3, hi: 1e3,
		number: func(o *Objective) *float64 { return &o.knobs.divergenceAlpha },
	}
	pLDAlpha = param{
		name: "ld_alpha", help: "weight of tokens beyond the other answer's length (LD-DPO, 2409.06411)", lo: 0, hi: 1,
		number: func(o *Objective) *float64 { return &o.knobs.ldAlpha },
	}
	pBase = param{
		name: "base", help: "weights of several references, which sum to 1", list: true, lo: -1e6, hi: 1e6,
		numbers: func(o *Objective) *[]float64 { return &o.knobs.base },
	}
	pTRL = param{
		name: "trl", help: "the version of TRL whose formula it is", choices: []string{"1.16", "1.0", "0.19"},
		spelled: map[string]string{"1.16.0": "1.16", "1.0.0": "1.0", "0.19.1": "0.19", "1": "1.0", "1.00": "1.0"},
		word:    func(o *Objective) *string { return &o.knobs.trl },
	}
	pNormalize = param{
		name: "normalize", help: "divide log-ratios by length", choices: []string{"true", "false"},
		word: func(o *Objective) *string { return &o.knobs.normalize },
	}
	pEta = param{
		name: "eta", aliases: []string{"beta"}, help: "η: the log-ratio's difference should be (P − ½)/η", lo: 1e-9, hi: 1e9,
		number: func(o *Objective) *float64 { return &o.Pair.Beta },
	}
	pRatio = param{
		name: "ratio", help: "τ/η, the weight of the fixed reference in the base", lo: 0, hi: 1,
		number: func(o *Objective) *float64 { return &o.knobs.ratio },
	}
	pLoss = func(help string, choices ...string) param {
		return param{
			name: "loss", aliases: []string{"loss_type"}, help: help, choices: choices,
			spelled: map[string]string{"sigmoid": choices[0], "logistic": choices[0]},
			word:    func(o *Objective) *string { return &o.knobs.loss },
		}
	}
	pListBeta = param{
		name: "beta", help: "β, the weight of the reference", lo: 1e-9, hi: 1e9,
		number: func(o *Objective) *float64 { return &o.List.Beta },
	}
	pListTemperature = param{
		name: "temperature", help: "τ of the softmax over scores", lo: 1e-9, hi: 1e9,
		number: func(o *Objective) *float64 { return &o.List.Temperature },
	}
)

// renamed is a parameter under another name and help.
func renamed(p param, name, help string, aliases ...string) param {
	p.name, p.aliases = name, aliases
	if help != "" {
		p.help = help
	}
	return p
}

var (
	fixed    = []string{"reference"}
	previous = []string{"previous policy"}
)

// difference are the settings of every loss of a difference of rewards.
func difference(first ...param) []param {
	has := map[string]bool{}
	for _, p := range first {
		has[p.name] = true
	}
	for _, p := range []param{pBeta, pSmoothing, pAlpha, pGamma, pSFT, pSFTBy, pDivergence, pDivergenceAlpha, pLDAlpha, pBase} {
		if !has[p.name] {
			first = append(first, p)
		}
	}
	return first
}

// template is a pair loss with defaults for what is not given.
func template(p Pair) Objective {
	if p.Shape == "" {
		p.Shape = "sigmoid"
	}
	if p.Beta == 0 {
		p.Beta = 0.1
	}
	if p.Temperature == 0 {
		p.Temperature = 1
	}
	if p.SFTBy == "" {
		p.SFTBy = "answer"
	}
	o := Objective{Pair: p, knobs: knobs{divergence: "reverse_kl", divergenceAlpha: 0.5, ldAlpha: 1, kl: math.NaN()}}
	if p.Link != "" { // it has its own
		o.knobs.divergence = ""
	}
	return o
}

// with changes knobs of a template.
func (o Objective) with(change func(k *knobs)) Objective {
	change(&o.knobs)
	return o
}

func lists(l List) Objective {
	if l.Temperature == 0 {
		l.Temperature = 1
	}
	return Objective{List: l, Pair: Pair{Temperature: 1}, knobs: knobs{ldAlpha: 1, kl: math.NaN()}}
}

const (
	fromTRL    = "TRL 1.16's own code, recorded and equal"
	fromPaper  = "the paper's equation"
	fromCode   = "the authors' released code"
	fromMemory = "from memory of the paper: not checked against its text"
)

// entries are all objectives.
var entries = []*Entry{
	{
		Name: "dpo", Title: "Direct Preference Optimization", ArXiv: "2305.18290", Aliases: []string{"sigmoid", "2305.18290", "online-dpo"},
		Family: "pair", References: fixed, Source: fromTRL,
		Notes:    []string{"TRL's sigmoid took label_smoothing until 0.x and ignores it since 1.0; here smoothing makes it cdpo"},
		params:   difference(),
		template: template(Pair{}),
	},
	{
		Name: "cdpo", Title: "Conservative DPO: a note on DPO with noisy preferences (Mitchell 2023)", Aliases: []string{"conservative-dpo"},
		Family: "pair", References: fixed, Source: fromPaper,
		Equal:  []string{"dpo(smoothing=ε)", "mcts-dpo and osp with one label for all pairs"},
		params: difference(), template: template(Pair{Smoothing: 0.1}),
	},
	{
		Name: "robust-dpo", Title: "Provably Robust DPO", ArXiv: "2403.00409", Aliases: []string{"robust", "rdpo", "2403.00409"},
		Family: "pair", References: fixed, Source: fromTRL,
		Equal: []string{"dpo where smoothing=0"}, params: difference(), template: template(Pair{Shape: "robust", Smoothing: 0.1}),
	},
	{
		Name: "ipo", Title: "Identity Preference Optimization (ΨPO)", ArXiv: "2310.12036", Aliases: []string{"2310.12036"},
		Family: "pair", References: fixed, Source: fromTRL,
		Notes:  []string{"divided by length as TRL does; normalize=false is the paper's equation 17 as it stands"},
		Equal:  []string{"with normalize=false: online-ipo at target 1, inpo with all of its base on one reference"},
		params: append(difference(renamed(pBeta, "beta", "", "tau")), pNormalize), template: template(Pair{Shape: "ipo", PerToken: true}).with(func(k *knobs) { k.normalize = "true" }),
	},
	{
		Name: "hinge", Title: "SLiC-HF's rank calibration as a pair loss", ArXiv: "2305.10425", Aliases: []string{"slic", "slic-hf", "2305.10425"},
		Family: "pair", References: fixed, Source: fromTRL, params: difference(), template: template(Pair{Shape: "hinge"}),
	},
	{
		Name: "sigmoid-norm", Title: "Length-normalised DPO (Tülu 3)", ArXiv: "2411.15124", Aliases: []string{"ln-dpo", "2411.15124"},
		Family: "pair", References: fixed, Source: fromTRL, params: difference(), template: template(Pair{PerToken: true}),
	},
	{
		Name: "exo", Title: "Efficient Exact Optimization", ArXiv: "2402.00856", Aliases: []string{"exo-pair", "2402.00856"},
		Family: "pair", References: fixed, Source: fromTRL,
		Notes:  []string{"smoothing must be more than 0; TRL up to 0.19 took 1e-3 for 0: trl=0.19"},
		params: append(difference(), pTRL), template: template(Pair{Shape: "exo", Smoothing: 1e-3}).with(func(k *knobs) { k.trl = "1.16" }),
	},
	{
		Name: "discopop", Title: "DiscoPOP: discovering preference optimization algorithms", ArXiv: "2406.08414", Aliases: []string{"2406.08414"},
		Family: "pair", References: fixed, Source: fromTRL,
		params: difference(pBeta, param{
			name: "tau", aliases: []string{"discopop_tau"}, help: "τ, how sharply the two parts are blended", lo: 1e-9, hi: 1e9,
			number: func(o *Objective) *float64 { return &o.Pair.Tau },
		}),
		template: template(Pair{Shape: "discopop", Tau: 0.05}),
	},
	{
		Name: "f-dpo", Title: "f-DPO: beyond reverse KL", ArXiv: "2309.16240", Aliases: []string{"fdpo", "2309.16240"},
		Family: "pair", References: fixed, Source: fromTRL,
		Notes: []string{
			"alpha_divergence_coef is TRL's setting before 1.0, whose α is 1 − today's f_alpha_divergence_coef",
			"any loss of a difference takes divergence",
		},
		Equal:  []string{"dpo where divergence=reverse_kl, or alpha with divergence_alpha=1", "divergence=forward_kl is alpha with divergence_alpha=0"},
		params: difference(pBeta, pDivergence, pDivergenceAlpha), template: template(Pair{}).with(func(k *knobs) { k.divergence = "js" }),
	},
	{
		Name: "gpo-generalized", Title: "Generalized Preference Optimization: convex losses of the scaled log-ratio", ArXiv: "2402.05749", Aliases: []string{"2402.05749", "generalized-preference-optimization"},
		Family: "pair", References: fixed, Source: fromMemory,
		Equal: []string{"convex=logistic is dpo", "convex=hinge is hinge", "convex=square is β² times ipo(beta=β/2,normalize=false)"},
		params: difference(pBeta, param{
			name: "convex", help: "the convex function f(x)", choices: []string{"logistic", "hinge", "square", "exponential", "truncated", "savage"},
			spelled: map[string]string{"squared": "square", "sigmoid": "logistic"},
			word:    func(o *Objective) *string { return &o.knobs.convex },
		}),
		template: template(Pair{Shape: "square"}).with(func(k *knobs) { k.convex = "square" }),
	},
	{
		Name: "simpo", Title: "SimPO: a reference-free reward", ArXiv: "2405.14734", Aliases: []string{"2405.14734"},
		Family: "pair", Source: fromTRL,
		Notes:  []string{"TRL's CPOTrainer defaults to beta=0.1, simpo_gamma=0.5, cpo_alpha=1; the paper's are β = 2, γ = 1, no imitation"},
		Equal:  []string{"alphapo where alpha=0", "tpo-l without its third answer"},
		params: append(difference(pBeta, pGamma), renamed(pCurve, "curve", "", "alphapo_alpha")), template: template(Pair{Beta: 2, Gamma: 1, Free: true, PerToken: true}),
	},
	{
		Name: "alphapo", Title: "AlphaPO: the reward's shape matters", ArXiv: "2501.03884", Aliases: []string{"2501.03884"},
		Family: "pair", Source: fromTRL, Equal: []string{"simpo as alpha → 0"},
		params: []param{pBeta, pCurve, pGamma, pSmoothing, pSFT, pSFTBy}, template: template(Pair{Beta: 2.5, Gamma: 0.25, Free: true, PerToken: true}).with(func(k *knobs) { k.curve = 0.25 }),
	},
	{
		Name: "cpo", Title: "Contrastive Preference Optimization", ArXiv: "2401.08417", Aliases: []string{"2401.08417"},
		Family: "terms", Source: fromTRL,
		Notes: []string{"imitation is over all chosen tokens of the batch, as in TRL"},
		params: []param{
			pBeta, pSFT, pSmoothing, pCurve, pSFTBy,
			pLoss("the preference's shape", "sigmoid", "hinge"),
		},
		template: template(Pair{Free: true, SFT: 1, SFTBy: "tokens"}).with(func(k *knobs) { k.loss = "sigmoid" }),
	},
	{
		Name: "orpo", Title: "ORPO: odds ratios without a reference", ArXiv: "2403.07691", Aliases: []string{"2403.07691"},
		Family: "terms", Source: fromTRL,
		Notes:  []string{"TRL weighs the odds by beta (the paper's λ) and imitates with weight 1, over all chosen tokens of the batch and the prompt's; here over the answer's"},
		params: []param{renamed(pOdds, "beta", "λ, the weight of the odds ratio", "lambda"), pSFT, pSFTBy}, template: template(Pair{Beta: 1, Scale: 0.1, Link: "odds", Free: true, PerToken: true, SFT: 1, SFTBy: "tokens"}),
	},
	{
		Name: "kto", Title: "Kahneman-Tversky Optimization", ArXiv: "2402.01306", Aliases: []string{"2402.01306"},
		Family: "batch", References: fixed, Source: fromTRL,
		Notes: []string{
			"the mean is over answers, as in TRL: a pair counts half of its two losses",
			"z₀ is the mean log-ratio of the third answers, at least 0, and 0 where there is none; kl=… sets it",
		},
		Equal: []string{"apo-zero-unpaired where z₀ = 0"},
		params: []param{
			pBeta,
			{name: "desirable", aliases: []string{"desirable_weight"}, help: "λ_D", lo: 0, hi: 1e9, number: func(o *Objective) *float64 { return &o.Pair.Desirable }},
			{name: "undesirable", aliases: []string{"undesirable_weight"}, help: "λ_U", lo: 0, hi: 1e9, number: func(o *Objective) *float64 { return &o.Pair.Undesirable }},
			{name: "kl", help: "z₀, the policy's KL from the reference", lo: 0, hi: 1e9, number: func(o *Objective) *float64 { return &o.knobs.kl }},
			pBase,
		},
		template: template(Pair{Shape: "kto", Desirable: 1, Undesirable: 1, DeltaOf: "extra"}),
	},
	{
		Name: "bco", Title: "Binary Classifier Optimization", ArXiv: "2404.04656", Aliases: []string{"bco-pair", "2404.04656"},
		Family: "batch", References: fixed, Source: fromTRL,
		Notes: []string{"TRL lost the reward shift δ in 1.0; trl=0.19 takes it from the batch, which is what its running mean is after one"},
		params: []param{
			pBeta,
			{name: "delta", help: "δ, the reward shift", lo: -1e9, hi: 1e9, number: func(o *Objective) *float64 { return &o.Pair.Delta }},
			pTRL, pLDAlpha, pBase,
		},
		template: template(Pair{Shape: "bco"}).with(func(k *knobs) { k.trl = "1.16" }),
	},
	{
		Name: "nca", Title: "Noise Contrastive Alignment, of pairs", ArXiv: "2402.05369", Aliases: []string{"nca-pair", "2402.05369"},
		Family: "separable", References: fixed, Source: fromTRL, Equal: []string{"nca-list of two answers whose scores lie far apart"},
		params: []param{pBeta, pLDAlpha, pBase}, template: template(Pair{Shape: "nca"}),
	},
	{
		Name: "apo-zero", Title: "Anchored Preference Optimization: the chosen answer up, the rejected down", ArXiv: "2408.06266",
		Family: "separable", References: fixed, Source: fromTRL, Equal: []string{"2 × apo-zero-unpaired"},
		params: []param{pBeta, pLDAlpha, pBase}, template: template(Pair{Shape: "apo-zero"}),
	},
	{
		Name: "apo-zero-unpaired", Title: "Anchored Preference Optimization of answers one by one", ArXiv: "2408.06266",
		Family: "separable", References: fixed, Source: fromTRL, Notes: []string{"the mean is over answers, as in TRL's KTOTrainer"},
		Equal:  []string{"kto where z₀ = 0"},
		params: []param{pBeta, pBase}, template: template(Pair{Shape: "apo-zero", Scale: 0.5}),
	},
	{
		Name: "apo-down", Title: "Anchored Preference Optimization: both down, the rejected more", ArXiv: "2408.06266",
		Family: "separable", References: fixed, Source: fromTRL, params: []param{pBeta, pLDAlpha, pBase}, template: template(Pair{Shape: "apo-down"}),
	},
	{
		Name: "aot", Title: "Alignment via Optimal Transport, paired", ArXiv: "2406.05882", Aliases: []string{"2406.05882"},
		Family: "batch", References: fixed, Source: fromTRL,
		Notes:  []string{"losses stand in the sorted order; TRL's aot kept this meaning in all versions"},
		Equal:  []string{"cdpo where the batch is one pair"},
		params: []param{pBeta, pSmoothing, pLDAlpha, pBase}, template: template(Pair{Shape: "aot"}),
	},
	{
		Name: "aot-unpaired", Title: "Alignment via Optimal Transport, unpaired", ArXiv: "2406.05882", Aliases: []string{"aot-pair"},
		Family: "batch", References: fixed, Source: fromTRL,
		Notes:  []string{"TRL up to 0.x called this aot_pair; losses stand in the sorted order"},
		Equal:  []string{"cdpo where the batch is one pair"},
		params: []param{pBeta, pSmoothing, pLDAlpha, pBase}, template: template(Pair{Shape: "aot-unpaired"}),
	},
	{
		Name: "sft", Title: "Imitation of the chosen answers", Family: "terms", Source: fromTRL,
		params: []param{renamed(pSFT, "weight", "its weight"), pSFTBy}, template: template(Pair{Shape: "sft", Free: true, SFT: 1, SFTBy: "tokens"}),
	},
	{
		Name: "mpo", Title: "Mixed Preference Optimization: dpo, bco and imitation", ArXiv: "2411.10442", Aliases: []string{"2411.10442"},
		Family: "terms", References: fixed, Source: "TRL 1.16's loss_weights [0.8, 0.2, 1.0], recorded and equal",
		params: []param{
			pBeta,
			{name: "preference", help: "the weight of dpo", lo: 0, hi: 1e6, number: func(o *Objective) *float64 { return &o.knobs.mix[0] }},
			{name: "quality", help: "the weight of bco", lo: 0, hi: 1e6, number: func(o *Objective) *float64 { return &o.knobs.mix[1] }},
			{name: "generation", help: "the weight of sft", lo: 0, hi: 1e6, number: func(o *Objective) *float64 { return &o.knobs.mix[2] }},
		},
		template: template(Pair{Parts: []Part{
			{Pair: Pair{Name: "dpo", Shape: "sigmoid"}}, {Pair: Pair{Name: "bco", Shape: "bco"}},
			{Pair: Pair{Name: "sft", Shape: "sft", Free: true, SFT: 1, SFTBy: "tokens"}},
		}}).with(func(k *knobs) { k.mix = [3]float64{0.8, 0.2, 1} }),
	},
	{
		Name: "irpo", Title: "Iterative Reasoning Preference Optimization: dpo and imitation per token", ArXiv: "2404.19733", Aliases: []string{"iterative-rpo", "2404.19733"},
		Family: "terms", References: fixed, Source: fromPaper,
		Notes:  []string{"TRL up to 0.x calls the weight rpo_alpha and imitates over all chosen tokens of the batch: sft_by=tokens"},
		params: difference(pBeta, pSFT), template: template(Pair{SFT: 1}),
	},
	{
		Name: "mcts-dpo", Title: "Monte Carlo tree search boosts reasoning via iterative preference learning", ArXiv: "2405.00451", Aliases: []string{"2405.00451"},
		Family: "pair", References: fixed, Source: fromPaper, Equal: []string{"cdpo with ε = min(N_l/(N_w+N_l), ½)"},
		params: difference(), template: template(Pair{Label: "visits"}),
	},
	{
		Name: "step-apo", Title: "Step-level Advantage Preference Optimization (critical plan step learning)", ArXiv: "2409.08642", Aliases: []string{"cpl", "2409.08642"},
		Family: "pair", References: fixed, Source: fromPaper, Equal: []string{"odpo with margin α·(Q_w − Q_l)", "dpo where alpha=0"},
		params: difference(), template: template(Pair{Beta: 0.3, Alpha: 1}),
	},
	{
		Name: "soft-dpo", Title: "Agent Q: labels by values, P ∝ σ(Q_w − Q_l)", ArXiv: "2408.07199", Aliases: []string{"agent-q", "2408.07199"},
		Family: "pair", References: fixed, Source: fromPaper, Equal: []string{"dno with previous as reference"},
		params: difference(pBeta, pTemperature), template: template(Pair{Label: "q", Beta: 1}),
	},
	{
		Name: "odpo", Title: "DPO with an offset", ArXiv: "2402.10571", Aliases: []string{"2402.10571", "offset-dpo"},
		Family: "pair", References: fixed, Margin: true, Source: fromMemory, Notes: []string{"the offset is each pair's margin, such as α·log(score_w − score_l)"},
		Equal: []string{"dpo where margin=0"}, params: difference(), template: template(Pair{}),
	},
	{
		Name: "osp", Title: "Online Self-Preferring: labels by strength of preference", ArXiv: "2405.14103", Aliases: []string{"2405.14103"},
		Family: "pair", References: fixed, Online: true, Source: fromMemory, Notes: []string{"the strength is each pair's target"},
		Equal: []string{"cdpo with 1 − ε = target"}, params: difference(), template: template(Pair{}),
	},
	{
		Name: "spin", Title: "Self-Play Fine-Tuning", ArXiv: "2401.01335", Aliases: []string{"2401.01335"},
		Family: "pair", References: previous, Online: true, Source: fromCode, Notes: []string{"chosen is the demonstration, rejected the previous policy's own answer"},
		Equal:    []string{"dpo with the previous policy as reference", "loss=hinge is hinge with it"},
		params:   difference(pBeta, pLoss("ℓ", "logistic", "hinge")),
		template: template(Pair{}).with(func(k *knobs) { k.loss = "logistic" }),
	},
	{
		Name: "sppo", Title: "Self-Play Preference Optimization", ArXiv: "2405.00675", Aliases: []string{"2405.00675", "sppo-soft"},
		Family: "separable", References: previous, Online: true, Source: fromCode,
		Notes:  []string{"P of each answer is its win rate against the policy, q:[w,l]; or target, P and 1 − P"},
		Equal:  []string{"½ × sppo-hard where q is [1,0]", "gpo-preference with score P − ½"},
		params: []param{pBeta, pLDAlpha, pBase}, template: template(Pair{Shape: "sppo", Beta: 0.001, Label: "q"}),
	},
	{
		Name: "sppo-hard", Title: "Self-Play Preference Optimization with certain labels", ArXiv: "2405.00675",
		Family: "separable", References: previous, Source: fromTRL, Equal: []string{"2 × sppo where q is [1,0]"},
		params: []param{pBeta, pLDAlpha, pBase}, template: template(Pair{Shape: "sppo", Scale: 1}),
	},
	{
		Name: "gpo-preference", Title: "General Preference Optimization: SPPO on scores of a general preference model", ArXiv: "2410.02197", Aliases: []string{"2410.02197", "general-preference-optimization"},
		Family: "separable", References: previous, Online: true, Source: fromMemory, Notes: []string{"q are scores s(y ≻ π_t), whose tie is 0"},
		Equal:  []string{"sppo where q − ½ is the score"},
		params: []param{pBeta, pBase}, template: template(Pair{Shape: "sppo", Beta: 0.001, Label: "scores"}),
	},
	{
		Name: "inpo", Title: "Iterative Nash Policy Optimization", ArXiv: "2407.00617", Aliases: []string{"2407.00617"},
		Family: "pair", References: []string{"reference", "previous policy"}, Online: true, Source: "the code of MNPO",
		Equal:  []string{"mnpo with one opponent", "ipo(normalize=false) on the mixed base", "online mirror descent on matrix games"},
		params: []param{pEta, pRatio, pLDAlpha, pBase}, template: template(Pair{Shape: "ipo", Beta: 0.0075}).with(func(k *knobs) { k.ratio, k.weights = 1./3, []float64{1} }),
	},
	{
		Name: "mnpo", Title: "Multiplayer Nash Preference Optimization", ArXiv: "2509.23102", Aliases: []string{"2509.23102"},
		Family: "pair", References: []string{"reference", "opponent"}, Online: true, Source: fromCode,
		Notes: []string{"one reference, then one opponent a weight; the released configuration's weights are \"1,0\""},
		Equal: []string{"inpo where weights=1"},
		params: []param{pEta, pRatio, {
			name: "weights", aliases: []string{"history_weights"}, help: "λ_j of the opponents, which count by their share", list: true, lo: 0, hi: 1e6,
			numbers: func(o *Objective) *[]float64 { return &o.knobs.weights },
		}, pLDAlpha},
		template: template(Pair{Shape: "ipo", Beta: 0.0075}).with(func(k *knobs) { k.ratio, k.weights = 1./3, []float64{1} }),
	},
	{
		Name: "online-ipo", Title: "Extragradient Preference Optimization as a loss: online IPO", ArXiv: "2503.08942", Aliases: []string{"egpo", "2503.08942"},
		Family: "pair", References: fixed, Online: true, Source: fromCode, Notes: []string{"q are the win rates of both answers against a third, P(y ≻ y″)"},
		Equal:  []string{"ipo(normalize=false) where target=1"},
		params: []param{pBeta, pLDAlpha, pBase}, template: template(Pair{Shape: "ipo", Label: "difference"}),
	},
	{
		Name: "dno", Title: "Direct Nash Optimization", ArXiv: "2404.03715", Aliases: []string{"2404.03715"},
		Family: "pair", References: previous, Online: true, Source: fromMemory, Notes: []string{"q are both answers' win rates against the policy; P = σ(r_w − r_l)"},
		Equal:  []string{"soft-dpo with the previous policy as reference"},
		params: difference(renamed(pBeta, "eta", "η, the weight of the log-ratio", "beta"), pTemperature), template: template(Pair{Label: "q", Beta: 0.1}),
	},
	{
		Name: "dno-prct", Title: "Direct Nash Optimization in practice: dpo on pairs of large margin", ArXiv: "2404.03715",
		Family: "pair", References: previous, Online: true, Source: fromMemory, Equal: []string{"dpo with the previous policy as reference"},
		params: difference(), template: template(Pair{}),
	},
	{
		Name: "srpo-robust", Title: "Self-Improving Robust Preference Optimization", ArXiv: "2406.01660", Aliases: []string{"2406.01660", "self-improving-srpo"},
		Family: "pair", References: fixed, Source: "derived from its optimality condition",
		Notes: []string{
			"of the improver: both answers are given the rejected one as context; p − ½ = β·difference of log-ratios",
			"of the policy: margin carries what the improver says, with target=0.5",
		},
		Equal:  []string{"ipo(normalize=false)"},
		params: []param{pBeta, pBase}, template: template(Pair{Shape: "ipo"}),
	},
	{
		Name: "rpo-regularized", Title: "Regularized Preference Optimization", ArXiv: "2405.16436", Aliases: []string{"2405.16436", "regularized-rpo"},
		Family: "terms", References: fixed, Source: fromCode, Equal: []string{"vpo(mode=offline) without a third answer"},
		params: difference(pBeta, renamed(pSFT, "eta", "η: imitation weighs ηβ, summed over tokens", "sft")), template: template(Pair{Beta: 0.01, SFT: 0.005, SFTBy: "sum", TermBeta: true}),
	},
	{
		Name: "rpo-reward-aware", Title: "Reward-aware Preference Optimization (NVIDIA, Nemotron-4)", ArXiv: "2502.00203", Aliases: []string{"rpo-nvidia", "nvidia-rpo", "2502.00203", "2406.11704"},
		Family: "pair", References: fixed, Source: "NeMo-Aligner's code", Notes: []string{"q are rewards of both answers"},
		Equal: []string{"distance=bwd_kl is soft-dpo, up to a constant", "distance=fwd_kl is exo where η·(q_w − q_l) = log (1−ε)/ε"},
		params: []param{pBeta, renamed(pAlpha, "eta", "η, the scale of the rewards", "gt_reward_scale"), {
			name: "distance", help: "between the implicit reward x and the given one r: KL(σ(r) ‖ σ(x)), KL(σ(x) ‖ σ(r)), (x − r)²", choices: []string{"bwd_kl", "fwd_kl", "sq"},
			spelled: map[string]string{"rpo_bwd_kl": "bwd_kl", "rpo_fwd_kl": "fwd_kl", "rpo_sq": "sq", "square": "sq"},
			word:    func(o *Objective) *string { return &o.knobs.distance },
		}, pBase},
		template: template(Pair{Shape: "reward-bwd_kl", Alpha: 1}).with(func(k *knobs) { k.distance = "bwd_kl" }),
	},
	{
		Name: "rpo-lambda-harmonic", Title: "λ-Harmonic Reward Preference Optimization", ArXiv: "2407.12164", Aliases: []string{"2407.12164", "lambda-harmonic", "lambda-harmonic-rpo"},
		Family: "pair", References: fixed, Source: fromMemory, Notes: []string{"q are λ-harmonic rewards 1/(λ/a + (1−λ)/b) of two scores; labels by Bradley-Terry"},
		Equal:  []string{"soft-dpo on those rewards"},
		params: difference(pBeta, pTemperature), template: template(Pair{Label: "q"}),
	},
	{
		Name: "hypo-hybrid", Title: "Hybrid Preference Optimization: offline pairs and an online KL", ArXiv: "2406.01462", Aliases: []string{"2406.01462"},
		Family: "terms", References: fixed, Online: true, Source: fromMemory,
		Notes:  []string{"the KL stands as ½u² of an own sample, whose gradient u·∇log π is that of the KL"},
		params: difference(pBeta, renamed(pThird, "lambda", "λ, the weight of the KL")), template: template(Pair{Third: 0.01, ThirdOf: "kl"}),
	},
	{
		Name: "selm", Title: "Self-Exploring Language Models", ArXiv: "2405.19332", Aliases: []string{"2405.19332"},
		Family: "terms", References: fixed, Online: true, Source: fromCode, Equal: []string{"vpo(mode=online) and xpo(alpha=αβ), up to a constant"},
		params: difference(pBeta, renamed(pThird, "alpha", "α: the third answer's log-ratio weighs αβ")), template: template(Pair{Beta: 0.01, Third: 1e-3, ThirdOf: "ratio", TermBeta: true}),
	},
	{
		Name: "vpo", Title: "Value-Incentivized Preference Optimization", ArXiv: "2405.19320", Aliases: []string{"2405.19320"},
		Family: "terms", References: fixed, Source: fromMemory,
		Notes: []string{"online is optimism, +αβ·log π of the calibration sample; offline is pessimism, −αβ·log π"},
		Equal: []string{"mode=offline without a third answer is rpo-regularized(eta=α)", "mode=online is selm, up to a constant"},
		params: difference(pBeta, renamed(pThird, "alpha", "α: log π of the calibration sample weighs αβ"), param{
			name: "mode", help: "optimism or pessimism", choices: []string{"online", "offline"}, word: func(o *Objective) *string { return &o.knobs.mode },
		}),
		template: template(Pair{Third: 1e-3, ThirdOf: "log", TermBeta: true}).with(func(k *knobs) { k.mode = "online" }),
	},
	{
		Name: "xpo", Title: "Exploratory Preference Optimization", ArXiv: "2405.21046", Aliases: []string{"2405.21046"},
		Family: "terms", References: fixed, Online: true, Source: "TRL 1.0's own code, recorded and equal", Notes: []string{"the third answer is the reference's, which is also one of the pair"},
		Equal:  []string{"selm(alpha=α/β), up to a constant"},
		params: difference(pBeta, renamed(pThird, "alpha", "α: log π of the third answer")), template: template(Pair{Third: 1e-5, ThirdOf: "log"}),
	},
	{
		Name: "apo-accelerated", Title: "Accelerated Preference Optimization: extrapolated references", ArXiv: "2410.06293", Aliases: []string{"2410.06293", "accelerated-apo", "accelerated"},
		Family: "pair", References: []string{"previous policy", "the one before"}, Online: true, Source: fromMemory,
		Notes: []string{"the extrapolated policy π_{t+1} ∝ π̂_{t+1}·(π̂_{t+1}/π̂_t)^α as reference; its normaliser cancels in a difference, not in sppo"},
		Equal: []string{"dpo where extrapolate=0"},
		params: difference(pBeta, param{
			name: "extrapolate", aliases: []string{"momentum"}, help: "α: weights 1+α and −α of the two", lo: 0, hi: 1,
			number: func(o *Objective) *float64 { return &o.knobs.extrapolate },
		}, pLoss("the shape", "sigmoid", "ipo", "sppo")),
		template: template(Pair{}).with(func(k *knobs) { k.extrapolates, k.extrapolate, k.loss = true, 0.3, "sigmoid" }),
	},
	{
		Name: "spo-minimax", Title: "Self-Play Preference Optimization, minimaximalist: win shares as rewards", ArXiv: "2401.04056", Aliases: []string{"2401.04056", "minimaximalist", "minimaximalist-spo"},
		Family: "separable", Online: true, Source: fromMemory, Notes: []string{"REINFORCE: −Σ (share − ½)·log π, q being the shares of wins against a queue of own answers"},
		params: nil, template: template(Pair{Shape: "linear", Label: "q", Free: true}),
	},
	{
		Name: "spo-self-supervised", Title: "Self-supervised Preference Optimization", ArXiv: "2409.17791", Aliases: []string{"2409.17791", "self-supervised-po", "self-supervised-spo"},
		Family: "terms", References: fixed, Source: fromMemory,
		Notes:  []string{"the alignment loss; γ times the cross-entropy of the degree of corruption, which has no log-probability in it, stands beside it"},
		Equal:  []string{"dpo where γ = 0"},
		params: difference(), template: template(Pair{}),
	},
	{
		Name: "tpo-triple", Title: "Triple Preference Optimization", ArXiv: "2405.16681", Aliases: []string{"2405.16681"},
		Family: "terms", Source: fromTRL, Equal: []string{"cpo, imitating a third answer instead of the chosen one"},
		params:   []param{pBeta, pThird, pSmoothing, pLoss("the preference's shape", "sigmoid", "hinge")},
		template: template(Pair{Beta: 0.01, Free: true, Third: 1, ThirdOf: "nll"}).with(func(k *knobs) { k.loss = "sigmoid" }),
	},
	{
		Name: "tpo-l", Title: "Triple Preference Optimization, length-normalised", ArXiv: "2405.16681",
		Family: "terms", Source: fromTRL, Equal: []string{"simpo and imitation of a third answer"},
		params:   []param{pBeta, pGamma, pThird, pSmoothing},
		template: template(Pair{Beta: 0.01, Gamma: 0.5, Free: true, PerToken: true, Third: 1, ThirdOf: "nll"}),
	},
	{
		Name: "plackett-luce", Title: "DPO on rankings by Plackett-Luce", ArXiv: "2305.18290", Aliases: []string{"pl"},
		Family: "list", References: fixed, Source: fromPaper, Equal: []string{"dpo on lists of two"},
		params: []param{pListBeta}, template: lists(List{Shape: "plackett-luce", Beta: 0.1}),
	},
	{
		Name: "tpo-tree", Title: "Tree Preference Optimization: LambdaLoss over siblings", ArXiv: "2410.12854", Aliases: []string{"2410.12854", "tree-preference-optimization"},
		Family: "list", References: fixed, Source: fromPaper, Notes: []string{"the released code climbs this loss instead of descending it, and has no λ"},
		params: []param{pListBeta}, template: lists(List{Shape: "lambda", Beta: 0.5}),
	},
	{
		Name: "sppo-list", Title: "Self-Play Preference Optimization on K samples", ArXiv: "2405.00675",
		Family: "list", References: previous, Online: true, Source: fromCode, Notes: []string{"scores are win rates against the policy"},
		Equal: []string{"sppo on lists of two"}, params: []param{pListBeta}, template: lists(List{Shape: "sppo", Beta: 0.001}),
	},
	{
		Name: "infonca", Title: "InfoNCA: softmax over scored answers", ArXiv: "2402.05369",
		Family: "list", References: fixed, Source: fromMemory, Equal: []string{"dpo on lists of two whose scores lie far apart", "soft-dpo on lists of two"},
		params: []param{pListBeta, pListTemperature}, template: lists(List{Shape: "infonca", Beta: 0.1}),
	},
	{
		Name: "nca-list", Title: "Noise Contrastive Alignment of scored answers", ArXiv: "2402.05369",
		Family: "list", References: fixed, Source: fromMemory, Equal: []string{"nca on lists of two whose scores lie far apart"},
		params: []param{pListBeta, pListTemperature}, template: lists(List{Shape: "nca", Beta: 0.1}),
	},
}

var (
	pCurve = param{
		name: "alpha", aliases: []string{"alphapo_alpha"}, help: "α of the reward (1 − p^−α)/α", lo: -1e3, hi: 1e3,
		number: func(o *Objective) *float64 { return &o.knobs.curve },
	}
	pOdds = param{
		name: "beta", lo: 0, hi: 1e9, number: func(o *Objective) *float64 { return &o.Pair.Scale },
	}
)

// clashes are acronyms that name several methods, with a line that tells them.
var clashes = map[string]string{
	"apo":  "apo-accelerated (2410.06293), apo-zero and apo-down (anchored, 2408.06266)",
	"spo":  "spo-minimax (2401.04056), spo-self-supervised (2409.17791); soft preference optimization (2405.00747) is not here",
	"rpo":  "rpo-regularized (2405.16436), rpo-reward-aware (NVIDIA's, 2502.00203), rpo-lambda-harmonic (2407.12164), irpo (iterative, 2404.19733: what TRL called rpo_alpha)",
	"tpo":  "tpo-tree (2410.12854), tpo-triple and tpo-l (TRL's, 2405.16681)",
	"gpo":  "gpo-preference (2410.02197), gpo-generalized (2402.05749)",
	"hypo": "hypo-hybrid (2406.01462); another HyPO, 2602.11902, is not here",
	"srpo": "srpo-robust (self-improving, 2406.01660); others of this name, such as 2506.01713, are not here",
	"upo":  "uncertainty-enhanced preference optimization (2409.11212), a strategy for data, and unified preference optimization (2405.17956): neither is a loss here",
	// One paper, several objectives.
	"2408.06266": "apo-zero, apo-zero-unpaired, apo-down",
	"2405.16681": "tpo-triple, tpo-l",
}

var (
	byName   = map[string]*Entry{}
	allNames []string
)

func init() {
	for _, e := range entries {
		e.template.Entry = e
		e.template.settle() //nolint:errcheck // a test settles all of them
		for _, name := range append([]string{e.Name}, e.Aliases...) {
			byName[canonical(name)] = e
			if !isID(name) {
				allNames = append(allNames, name)
			}
		}
	}
}

// isID tells arXiv ids from names.
func isID(name string) bool { return strings.Contains(name, ".") }
