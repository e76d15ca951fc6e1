package objective

import (
	"errors"
	"fmt"
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
// and the loss of a pair is one of the shapes
//
//	sigmoid      −P·log σ(x) − (1−P)·log σ(−x)
//	robust       (−(1−ε)·log σ(x) + ε·log σ(−x)) / (1−2ε)
//	hinge        P·max(0, 1−x) + (1−P)·max(0, 1+x)
//	ipo          (v_w − v_l − (γ + margin)/β − (P−½)/β)²
//	exo          σ(x)·(log σ(x) − log P) + σ(−x)·(log σ(−x) − log (1−P))
//	discopop     −(1−s)·log σ(x) + s·e^−x,  s = σ(x/τ)
//	exponential  e^−x,   truncated  max(0, 1−x)²,   savage  σ(−x)²,   square  (1−x)²
//	reward-sq      (x − y)²,  y = α·(Q_w − Q_l)
//	reward-bwd_kl  KL(σ(y) ‖ σ(x)),  reward-fwd_kl  KL(σ(x) ‖ σ(y))
//	sppo         s·Σ (v − t)², t = (P−½)/β of each answer
//	linear       −Σ (P − ½)·v
//	nca, bco, apo-zero, apo-down, kto: sums over both answers, see separable
//	aot, aot-unpaired: log-ratios sorted over the batch, see transport
//	sft          nothing but the term below
//
// beside which there may stand λ·(−log π(w)) and a term of a third answer.
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
	// Link bends log-ratios: none (""), power, js or odds; Curve is c of power.
	Link  string
	Curve float64
	// Delta is δ of bco, z₀ of kto; DeltaOf takes it from the batch instead: from
	// the mean reward of all answers ("batch"), or the mean log-ratio of the third
	// answers, at least 0 ("extra").
	Delta   float64
	DeltaOf string
	// Desirable and Undesirable are kto's λ_D and λ_U.
	Desirable, Undesirable float64
	// Scale replaces the shape's factor: ½ of sppo's squares, 1 of the others.
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
	// Parts make a weighted sum of other objectives instead.
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

// links lists the links.
var links = []string{"", "power", "js", "odds"}

// Validate says what is wrong with the settings.
func (o Pair) Validate() error {
	finite := func(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }
	_, known := needsOf[o.Shape]
	switch {
	case len(o.Parts) > 0:
		var errs []error
		for _, p := range o.Parts {
			errs = append(errs, p.Pair.Validate())
		}
		return errors.Join(errs...)
	case !known:
		return fmt.Errorf("preference objective: shape %q: expected %s", o.Shape, strings.Join(shapeNames(), ", "))
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

func shapeNames() []string {
	var out []string
	for name := range needsOf {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// PairStats names what training tells of a batch of pairs: the loss, the mean of Δ =
// log π/π_ref of the chosen less that of the rejected, the share of pairs with Δ > 0,
// and the mean log-ratios of both.
var PairStats = []string{"pair_loss", "pair_margin", "pair_accuracy", "pair_chosen", "pair_rejected"}

// OfWinRates tells whether the values of both answers enter the formula as win rates,
// from 0 to 1, where a tie is ½. Others take their difference, in any unit.
func (o Pair) OfWinRates() bool {
	return o.Label == "difference" || o.Label == "q" && (o.Shape == "sppo" || o.Shape == "linear")
}
