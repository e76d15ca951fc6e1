package objective

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // graph code reads as formulas
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
// beside which there may stand λ·(−log π(w)) and a term of a third answer. Evaluate
// is the formula in plain arithmetic, Loss the same as a graph.
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
	// discounted: 1 − α of LD-DPO (arXiv 2409.06411). Graphs get sums, and leave
	// that to who sums.
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

// Pairs are the nodes of a batch, each [pairs]. Log-probabilities are summed over
// the tokens in which the two differ, or are of one action.
type Pairs struct {
	Chosen, Rejected                   *Node // log π
	ChosenReference, RejectedReference *Node // log π_ref: a frozen copy's, an earlier checkpoint's, or what was logged; several by Pair.Mix
	ChosenLength, RejectedLength       *Node // tokens
	ChosenQ, RejectedQ                 *Node // values
	ChosenVisits, RejectedVisits       *Node
	Weight                             *Node // 1, and 0 for padding

	// What may be nil.
	Target                *Node // P(chosen ≻ rejected); nil for the objective's label
	Doubt                 *Node // where above 0, the probability that the pair's label is wrong: P is 1 less it
	Margin                *Node // of rewards
	Factor                *Node // of a pair's loss
	Extra, ExtraReference *Node // the third answer's log π and log π_ref; see Pair.WantsExtra
	ExtraLength           *Node
}

// Mix is the objective's base: its references' log-probabilities, weighed. One
// reference stands for all.
func (o Pair) Mix(references ...*Node) *Node {
	if len(references) == 1 || len(o.Base) == 0 {
		return references[0]
	}
	var sum *Node
	for k, r := range references {
		if k == len(o.Base) {
			break
		}
		term := MulScalar(r, o.Base[k])
		if sum == nil {
			sum = term
		} else {
			sum = Add(sum, term)
		}
	}
	return sum
}

// PairStats names the statistics that Loss returns: the loss, the mean of Δ, the
// share of pairs in which the policy has come to prefer the chosen one (Δ > 0),
// and the mean log-ratios of both.
var PairStats = []string{"pair_loss", "pair_margin", "pair_accuracy", "pair_chosen", "pair_rejected"}

// Loss returns the scalar loss and the statistics of PairStats.
func (o Pair) Loss(p Pairs) (loss *Node, stats []*Node) {
	if len(o.Parts) > 0 {
		return o.lossOfParts(p)
	}
	count := ReduceAllSum(p.Weight)
	mean := func(x *Node) *Node { return Div(ReduceAllSum(Mul(x, p.Weight)), count) }

	chosen, rejected := p.Chosen, p.Rejected
	if !o.Free {
		chosen, rejected = Sub(chosen, StopGradient(p.ChosenReference)), Sub(rejected, StopGradient(p.RejectedReference))
	}
	bent, bentRejected := chosen, rejected
	if !o.Free { // a link bends the log-ratio of a whole answer
		bent, bentRejected = o.link(bent), o.link(bentRejected)
	}
	if o.PerToken {
		chosen, rejected = Div(chosen, p.ChosenLength), Div(rejected, p.RejectedLength)
		bent, bentRejected = Div(bent, p.ChosenLength), Div(bentRejected, p.RejectedLength)
	}
	if o.Free {
		bent, bentRejected = o.link(bent), o.link(bentRejected)
	}
	var each *Node
	switch o.Shape {
	case "aot", "aot-unpaired":
		each = o.transported(p, chosen, rejected)
	case "sft":
		each = ZerosLike(chosen)
	case "sppo", "linear", "nca", "bco", "apo-zero", "apo-down", "kto":
		each = o.separably(p, bent, bentRejected)
	default:
		each = MulScalar(o.paired(p, bent, bentRejected), o.scale(1))
	}
	each = o.withTerms(p, each)
	if p.Factor != nil {
		each = Mul(each, p.Factor)
	}
	loss = mean(each)
	margin := Sub(chosen, rejected) // Δ
	accuracy := mean(ConvertDType(GreaterThan(margin, ZerosLike(margin)), margin.DType()))
	return loss, []*Node{loss, mean(margin), accuracy, mean(chosen), mean(rejected)}
}

// lossOfParts sums the parts; the statistics beside the loss are the first one's.
func (o Pair) lossOfParts(p Pairs) (loss *Node, stats []*Node) {
	for i, part := range o.Parts {
		l, s := part.Pair.Loss(p)
		l = MulScalar(l, part.Weight)
		if i == 0 {
			loss, stats = l, s
		} else {
			loss = Add(loss, l)
		}
	}
	stats[0] = loss
	return loss, stats
}

// label is P of every pair.
func (o Pair) label(p Pairs) *Node {
	if p.Target != nil {
		return StopGradient(p.Target)
	}
	label := o.ownLabel(p)
	if p.Doubt == nil {
		return label
	}
	return Where(GreaterThan(p.Doubt, ZerosLike(p.Doubt)), OneMinus(StopGradient(p.Doubt)), label)
}

// ownLabel is P by the objective's settings.
func (o Pair) ownLabel(p Pairs) *Node {
	gap := func() *Node { return Sub(p.ChosenQ, p.RejectedQ) }
	switch o.Label {
	case "visits":
		visits := MaxScalar(Add(p.ChosenVisits, p.RejectedVisits), 1)
		return OneMinus(MinScalar(Div(p.RejectedVisits, visits), 0.5))
	case "q":
		return Sigmoid(DivScalar(gap(), o.Temperature))
	case "difference":
		return AddScalar(gap(), 0.5)
	}
	return MulScalar(OnesLike(p.Chosen), 1-o.Smoothing)
}

// paired is φ(x) of the difference between both answers.
func (o Pair) paired(p Pairs, chosen, rejected *Node) *Node {
	difference := Sub(chosen, rejected)
	margin := MulScalar(OnesLike(difference), o.Gamma)
	if p.Margin != nil {
		margin = Add(margin, p.Margin)
	}
	wanted := ZerosLike(difference) // y of the reward shapes
	if o.Alpha != 0 {
		gap := MulScalar(Sub(p.ChosenQ, p.RejectedQ), o.Alpha)
		if isReward(o.Shape) {
			wanted = gap
		} else {
			margin = Add(margin, gap)
		}
	}
	x := Sub(MulScalar(difference, o.Beta), margin)
	right, wrong := Neg(logSigmoid(x)), Neg(logSigmoid(Neg(x)))
	label := o.label(p)
	mixed := func(a, b *Node) *Node { return Add(Mul(label, a), Mul(OneMinus(label), b)) }
	switch o.Shape {
	case "sigmoid":
		return mixed(right, wrong)
	case "robust":
		return DivScalar(Sub(MulScalar(right, 1-o.Smoothing), MulScalar(wrong, o.Smoothing)), 1-2*o.Smoothing)
	case "hinge":
		return mixed(MaxScalar(OneMinus(x), 0), MaxScalar(AddScalar(x, 1), 0))
	case "ipo":
		return Square(Sub(Sub(difference, DivScalar(margin, o.Beta)), DivScalar(AddScalar(label, -0.5), o.Beta)))
	case "exo":
		f, h := Add(right, Log(label)), Add(wrong, Log(OneMinus(label)))
		return Neg(Add(Mul(Sigmoid(x), f), Mul(Sigmoid(Neg(x)), h)))
	case "discopop":
		scaled := DivScalar(x, o.Tau)
		return Add(Mul(Sigmoid(Neg(scaled)), right), boundedExp(Sub(logSigmoid(scaled), x)))
	case "exponential":
		return boundedExp(Neg(x))
	case "truncated":
		return Square(MaxScalar(OneMinus(x), 0))
	case "savage":
		return Square(Sigmoid(Neg(x)))
	case "square":
		return Square(OneMinus(x))
	case "reward-sq":
		return Square(Sub(x, wanted))
	}
	// Of two coins: log σ(y)/σ(x), log σ(−y)/σ(−x).
	a, b := Add(right, logSigmoid(wanted)), Add(wrong, logSigmoid(Neg(wanted)))
	if o.Shape == "reward-fwd_kl" {
		return Neg(Add(Mul(Sigmoid(x), a), Mul(Sigmoid(Neg(x)), b)))
	}
	return Add(Mul(Sigmoid(wanted), a), Mul(Sigmoid(Neg(wanted)), b))
}

// separably is Σ ψ over both answers; see Pair.separable.
func (o Pair) separably(p Pairs, chosen, rejected *Node) *Node {
	shares := func() (c, l *Node) {
		if p.Target == nil && o.Label == "q" {
			return p.ChosenQ, p.RejectedQ
		}
		c = o.label(p)
		return c, OneMinus(c)
	}
	x, y := MulScalar(chosen, o.Beta), MulScalar(rejected, o.Beta)
	loss := func(x *Node) *Node { return Neg(logSigmoid(x)) }
	switch o.Shape {
	case "sppo":
		var c, l *Node
		if o.Label == "scores" {
			c, l = p.ChosenQ, p.RejectedQ
		} else {
			c, l = shares()
			c, l = AddScalar(c, -0.5), AddScalar(l, -0.5)
		}
		return MulScalar(Add(Square(Sub(chosen, DivScalar(c, o.Beta))), Square(Sub(rejected, DivScalar(l, o.Beta)))), o.scale(0.5))
	case "linear":
		c, l := shares()
		return Neg(Add(Mul(AddScalar(c, -0.5), chosen), Mul(AddScalar(l, -0.5), rejected)))
	case "nca":
		return Add(loss(x), MulScalar(Add(loss(Neg(x)), loss(Neg(y))), 0.5))
	case "bco":
		shift := o.shiftNode(p, chosen, rejected)
		return Add(loss(Sub(x, shift)), loss(Sub(shift, y)))
	case "apo-zero":
		return MulScalar(Add(Sigmoid(Neg(x)), Sigmoid(y)), o.scale(1))
	case "apo-down":
		return Add(Sigmoid(x), Sigmoid(Sub(y, x)))
	}
	// kto
	shift := o.shiftNode(p, chosen, rejected)
	x, y = MulScalar(Sub(chosen, shift), o.Beta), MulScalar(Sub(rejected, shift), o.Beta)
	return MulScalar(Add(MulScalar(Sigmoid(Neg(x)), o.Desirable), MulScalar(Sigmoid(y), o.Undesirable)), 0.5)
}

// shiftNode is δ of bco and z₀ of kto, which take no gradient.
func (o Pair) shiftNode(p Pairs, chosen, rejected *Node) *Node {
	count := ReduceAllSum(p.Weight)
	mean := func(x *Node) *Node { return Div(ReduceAllSum(Mul(x, p.Weight)), count) }
	switch {
	case o.Shape == "kto" && o.DeltaOf == "extra" && p.Extra != nil:
		return StopGradient(MaxScalar(mean(Sub(p.Extra, p.ExtraReference)), 0))
	case o.DeltaOf == "batch":
		return StopGradient(MulScalar(mean(Add(chosen, rejected)), o.Beta/2))
	}
	return MulScalar(OnesLike(count), o.Delta)
}

// transported sorts over the batch: what stands k-th on one side meets what stands
// k-th on the other. A permutation is a matrix of ranks, which takes no gradient.
func (o Pair) transported(p Pairs, chosen, rejected *Node) *Node {
	var a, b *Node
	if o.Shape == "aot" {
		a, b = Sub(p.Chosen, p.Rejected), StopGradient(Sub(p.ChosenReference, p.RejectedReference))
	} else {
		a, b = chosen, rejected
	}
	// Padding sorts behind everything, on both sides.
	sorted := func(x *Node) *Node {
		index := Iota(x.Graph(), x.Shape(), 0)
		row, column := func(x *Node) *Node { return InsertAxes(x, -1) }, func(x *Node) *Node { return InsertAxes(x, 0) }
		number := func(condition *Node) *Node { return ConvertDType(condition, x.DType()) }
		far := Mul(OneMinus(p.Weight), AddScalar(ReduceAllMax(Abs(x)), 1))
		key := StopGradient(Add(Mul(x, p.Weight), MulScalar(far, 2)))
		less := number(LessThan(column(key), row(key)))
		tie := Mul(number(Equal(column(key), row(key))), number(LessThan(column(index), row(index))))
		rank := ReduceSum(Add(less, tie), 1) // of each
		place := number(Equal(column(rank), row(index)))
		return ReduceSum(Mul(place, column(x)), 1)
	}
	x := MulScalar(Sub(sorted(a), sorted(b)), o.Beta)
	return Add(MulScalar(Neg(logSigmoid(x)), 1-o.Smoothing), MulScalar(Neg(logSigmoid(Neg(x))), o.Smoothing))
}

// withTerms adds what stands beside the preference.
func (o Pair) withTerms(p Pairs, each *Node) *Node {
	count := ReduceAllSum(p.Weight)
	share := func(length *Node) *Node { return Div(ReduceAllSum(Mul(length, p.Weight)), count) } // tokens a pair
	if o.SFT != 0 {
		term := p.Chosen
		switch o.SFTBy {
		case "tokens":
			term = Div(term, share(p.ChosenLength))
		case "sum":
		default:
			term = Div(term, p.ChosenLength)
		}
		each = Sub(each, MulScalar(term, o.SFT*o.termScale()))
	}
	if o.Third == 0 {
		return each
	}
	extra, reference, length := p.Extra, p.ExtraReference, p.ExtraLength
	if extra == nil {
		extra, reference, length = p.Chosen, p.ChosenReference, p.ChosenLength
	}
	ratio := func() *Node {
		if o.Free {
			return extra
		}
		return Sub(extra, StopGradient(reference))
	}
	c := o.Third * o.termScale()
	if o.Pessimism {
		c = -c
	}
	var term *Node
	switch o.ThirdOf {
	case "nll":
		term = Neg(Div(extra, share(length)))
	case "log":
		term = extra
	case "ratio":
		term = ratio()
	default: // kl
		term = MulScalar(Square(ratio()), 0.5)
	}
	return Add(each, MulScalar(term, c))
}

// link bends log-ratios; see Pair.score.
func (o Pair) link(u *Node) *Node {
	switch o.Link {
	case "power":
		return DivScalar(expm1(MinScalar(MulScalar(u, o.Curve), expLimit(u))), o.Curve)
	case "js":
		return AddScalar(logSigmoid(u), ln2)
	case "odds":
		u = MinScalar(u, -smallest(u))
		far := ConvertDType(LessThan(u, MulScalar(OnesLike(u), -ln2)), u.DType())
		// log(1 − e^u): the branch that is not taken gets an argument it can bear.
		below := Log1P(Neg(Exp(MinScalar(u, -ln2))))
		above := Log(Neg(expm1(MaxScalar(u, -ln2))))
		return Sub(u, Add(Mul(far, below), Mul(OneMinus(far), above)))
	}
	return u
}

// smallest is how near 0 a log-probability may come where odds are taken.
func smallest(x *Node) float64 {
	if x.DType().Size() >= 8 {
		return oddsCap
	}
	return 1e-30
}

// expm1 is e^x − 1 without cancellation, and with a gradient, which GoMLX's lacks.
func expm1(x *Node) *Node {
	e := Exp(x)
	return Add(StopGradient(Expm1(x)), Sub(e, StopGradient(e)))
}

// boundedExp is e^x, which stays finite.
func boundedExp(x *Node) *Node { return Exp(MinScalar(x, expLimit(x))) }

// expLimit is an exponent whose power has a finite square. (TRL's limit is 80, of
// the α-divergence alone, in which ipo overflows.)
func expLimit(x *Node) float64 {
	if x.DType().Size() >= 8 {
		return 300
	}
	return 40
}

// logSigmoid is log σ(x) = min(x, 0) − log(1 + e^−|x|), which is finite where
// σ(x) is not.
func logSigmoid(x *Node) *Node {
	return Sub(MinScalar(x, 0), Log1P(Exp(Neg(Abs(x)))))
}
