package objective

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // graph code reads as formulas

	"github.com/agon-rl/agon/spec"
)

// Pair is the loss of preferences between two actions, or two texts. With
//
//	Δ = log π(w)/π_ref(w) − log π(l)/π_ref(l),  x = β·Δ − α·(Q_w − Q_l) − γ
//
// the shapes are
//
//	sigmoid  −(1−ε)·log σ(x) − ε·log σ(−x)
//	robust   (−(1−ε)·log σ(x) + ε·log σ(−x)) / (1−2ε)
//	soft     −P·log σ(x) − (1−P)·log σ(−x),  P = σ((Q_w − Q_l)/τ)
//	hinge    max(0, 1 − x)
//	ipo      (Δ − 1/(2β))²
//
// to which λ·(−log π(w)) is added where SFT is not 0. The papers' objectives are
// settings of it; see Named.
type Pair struct {
	Name  string // what it is called
	Shape string // sigmoid, robust, soft, hinge or ipo
	Beta  float64
	// Smoothing is ε: the share of labels thought to be wrong.
	Smoothing float64
	// ByVisits takes ε from how often each action was tried:
	// min(N_l/(N_w+N_l), ½) (MCTS-DPO).
	ByVisits bool
	// Alpha weighs the difference of values as a margin (Step-APO).
	Alpha float64
	// Gamma is a constant margin (SimPO).
	Gamma float64
	// Temperature is τ of the soft labels.
	Temperature float64
	// Free has no reference: π_ref is left out of Δ.
	Free bool
	// PerToken divides log-probabilities by the length of the text in tokens; an
	// action has length 1.
	PerToken bool
	// SFT is λ, on the log-probability of the chosen one per token.
	SFT float64
}

// PairNames lists what Named knows.
var PairNames = []string{"dpo", "cdpo", "robust-dpo", "ipo", "hinge", "simpo", "rpo", "mcts-dpo", "step-apo", "soft-dpo"}

// Named returns a published objective with its paper's constants, changed by
// the arguments of a spec: dpo, step-apo(beta=0.1,alpha=0.5).
func Named(text string) (Pair, error) {
	s, err := spec.Parse(text)
	if err != nil {
		return Pair{}, fmt.Errorf("preference objective %w", err)
	}
	p := Pair{Name: s.Name, Shape: "sigmoid", Beta: 0.1, Temperature: 1}
	switch s.Name {
	case "dpo": // Rafailov et al. 2023, arXiv 2305.18290, eq. 7
	case "cdpo": // Mitchell 2023, "A note on DPO with noisy preferences"
		p.Smoothing = 0.1
	case "robust-dpo": // Chowdhury et al. 2024, arXiv 2403.00409, eq. 13
		p.Shape, p.Smoothing = "robust", 0.1
	case "ipo": // Azar et al. 2023, arXiv 2310.12036, eq. 17
		p.Shape, p.PerToken = "ipo", true
	case "hinge": // SLiC as TRL has it; Zhao et al. 2023, arXiv 2305.10425
		p.Shape = "hinge"
	case "simpo": // Meng et al. 2024, arXiv 2405.14734, eq. 6
		p.Beta, p.Gamma, p.Free, p.PerToken = 2, 1, true, true
	case "rpo": // Pang et al. 2024, arXiv 2404.19733, eq. 1
		p.SFT = 1
	case "mcts-dpo": // Xie et al. 2024, arXiv 2405.00451, eq. 8
		p.ByVisits = true
	case "step-apo": // Wang et al. 2024, arXiv 2409.08642, eq. 9
		p.Beta, p.Alpha = 0.3, 1
	case "soft-dpo": // labels by P(w ≻ l) ∝ σ(Q_w − Q_l); Agent Q, arXiv 2408.07199, theorem 1
		p.Shape, p.Beta = "soft", 1
	default:
		return Pair{}, fmt.Errorf("preference objective %q is unknown%s; there are %s", s.Name, spec.Suggest(s.Name, PairNames), strings.Join(PairNames, ", "))
	}
	r := spec.Read(s)
	p.Beta = r.Float("beta", p.Beta, 1e-9, 1e9)
	p.Smoothing = r.Float("smoothing", p.Smoothing, 0, 0.5)
	p.Alpha = r.Float("alpha", p.Alpha, 0, 1e9)
	p.Gamma = r.Float("gamma", p.Gamma, 0, 1e9)
	p.Temperature = r.Float("temperature", p.Temperature, 1e-9, 1e9)
	p.SFT = r.Float("sft", p.SFT, 0, 1e9)
	if err := r.Err(); err != nil {
		return Pair{}, fmt.Errorf("preference objective %w", err)
	}
	return p, p.Validate()
}

// shapes lists the shapes.
var shapes = []string{"sigmoid", "robust", "soft", "hinge", "ipo"}

// Validate says what is wrong with the settings.
func (o Pair) Validate() error {
	finite := func(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }
	switch {
	case !slices.Contains(shapes, o.Shape):
		return fmt.Errorf("preference objective: shape %q: expected %s", o.Shape, strings.Join(shapes, ", "))
	case !(o.Beta > 0 && finite(o.Beta)):
		return fmt.Errorf("preference objective: beta=%g: expected more than 0", o.Beta)
	case !(o.Smoothing >= 0 && o.Smoothing <= 0.5), o.Shape == "robust" && o.Smoothing == 0.5:
		return fmt.Errorf("preference objective: smoothing=%g: expected 0 to 0.5, less than that for robust-dpo", o.Smoothing)
	case !(o.SFT >= 0 && finite(o.SFT)) || !finite(o.Alpha) || !finite(o.Gamma):
		return errors.New("preference objective: sft, alpha, gamma: expected finite numbers, sft at least 0")
	case o.Shape == "soft" && !(o.Temperature > 0 && finite(o.Temperature)):
		return fmt.Errorf("preference objective: temperature=%g: expected more than 0", o.Temperature)
	}
	return nil
}

// Pairs are the nodes of a batch, each [pairs]. Log-probabilities are summed over
// the tokens in which the two differ, or are of one action.
type Pairs struct {
	Chosen, Rejected                   *Node // log π
	ChosenReference, RejectedReference *Node // log π_ref: a frozen copy's, an earlier checkpoint's, or what was logged
	ChosenLength, RejectedLength       *Node // tokens
	ChosenQ, RejectedQ                 *Node // values
	ChosenVisits, RejectedVisits       *Node
	Weight                             *Node // 1, and 0 for padding
}

// PairStats names the statistics that Loss returns: the loss, the mean of Δ, the
// share of pairs in which the policy has come to prefer the chosen one (Δ > 0),
// and the mean log-ratios of both.
var PairStats = []string{"pair_loss", "pair_margin", "pair_accuracy", "pair_chosen", "pair_rejected"}

// Loss returns the scalar loss and the statistics of PairStats.
func (o Pair) Loss(p Pairs) (loss *Node, stats []*Node) {
	count := ReduceAllSum(p.Weight)
	mean := func(x *Node) *Node { return Div(ReduceAllSum(Mul(x, p.Weight)), count) }

	chosen, rejected := p.Chosen, p.Rejected
	if !o.Free {
		chosen, rejected = Sub(chosen, StopGradient(p.ChosenReference)), Sub(rejected, StopGradient(p.RejectedReference))
	}
	if o.PerToken {
		chosen, rejected = Div(chosen, p.ChosenLength), Div(rejected, p.RejectedLength)
	}
	margin := Sub(chosen, rejected) // Δ
	gap := Sub(p.ChosenQ, p.RejectedQ)
	x := AddScalar(Sub(MulScalar(margin, o.Beta), MulScalar(gap, o.Alpha)), -o.Gamma)
	smoothing := MulScalar(OnesLike(x), o.Smoothing)
	if o.ByVisits {
		visits := MaxScalar(Add(p.ChosenVisits, p.RejectedVisits), 1)
		smoothing = MinScalar(Div(p.RejectedVisits, visits), 0.5)
	}
	right, wrong := logSigmoid(x), logSigmoid(Neg(x))
	rest := OneMinus(smoothing)
	var each *Node
	switch o.Shape {
	case "sigmoid":
		each = Neg(Add(Mul(rest, right), Mul(smoothing, wrong)))
	case "robust":
		each = DivScalar(Sub(Mul(smoothing, wrong), Mul(rest, right)), 1-2*o.Smoothing)
	case "soft":
		label := Sigmoid(DivScalar(gap, o.Temperature))
		each = Neg(Add(Mul(label, right), Mul(OneMinus(label), wrong)))
	case "hinge":
		each = MaxScalar(OneMinus(x), 0)
	case "ipo":
		each = Square(AddScalar(margin, -1/(2*o.Beta)))
	}
	if o.SFT > 0 {
		each = Sub(each, MulScalar(Div(p.Chosen, p.ChosenLength), o.SFT))
	}
	loss = mean(each)
	accuracy := mean(ConvertDType(GreaterThan(margin, ZerosLike(margin)), margin.DType()))
	return loss, []*Node{loss, mean(margin), accuracy, mean(chosen), mean(rejected)}
}

// logSigmoid is log σ(x) = min(x, 0) − log(1 + e^−|x|), which is finite where
// σ(x) is not.
func logSigmoid(x *Node) *Node {
	return Sub(MinScalar(x, 0), Log1P(Exp(Neg(Abs(x)))))
}
