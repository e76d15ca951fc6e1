package solve

import "math"

// MirrorStep is one step of mirror descent with the entropy as its mirror, on the
// log-policies θ of a preference or payoff game P:
//
//	θ⁺ = Σ_k w_k·θ_k + Size·P·(Σ_j v_j·π_j)
//
// The methods of Nash and preference learning differ in what stands in Base (w, θ)
// and in Opponent (v, π), and in nothing else.
type MirrorStep struct {
	Base     []Term // of log-policies; their weights sum to 1
	Opponent []Term // of policies
	Size     float64
}

// Term is a policy with its weight.
type Term struct {
	Of     Source
	Weight float64
	Back   int // how many iterations ago, of Past and First
}

// Source says which policy a Term means.
type Source int

const (
	// Reference is the policy to which a regularised game pulls.
	Reference Source = iota
	// Past is the policy θ_{t−Back} with which an iteration began; Back 0 is
	// the current one. Before the first there was nothing else than the first.
	Past
	// First is what the first step of an iteration gave: of this one, or Back
	// iterations ago.
	First
	// OwnBase is the policy of the step's own base; of opponents alone.
	OwnBase
	// Others is the mean of the other players' log-policies; of bases alone.
	Others
)

// Update is a method: the steps of each iteration. The last one gives θ_{t+1}.
type Update struct {
	Name  string
	Beta  float64 // of the regularised game that it solves; 0 where it solves the game itself
	Steps func(t int) []MirrorStep
	// Every moves the reference to the current policy every so many iterations;
	// 0 leaves it where it is.
	Every int
	// Contraction is the factor by which, in zero-sum games, theory bounds what an
	// iteration leaves of KL(π*‖π); 0 where it says nothing.
	Contraction float64
}

// Falling makes an update of one that takes its step as a parameter, with steps of
// η_t = 2/(β(t+2)), by which Nash-MD's theory goes.
func Falling(beta float64, update func(eta, beta float64) Update) Update {
	r := update(1/beta, beta)
	r.Contraction = 0
	r.Steps = func(t int) []MirrorStep { return update(2/(beta*float64(t+2)), beta).Steps(t) }
	return r
}

func always(steps ...MirrorStep) func(int) []MirrorStep {
	return func(int) []MirrorStep { return steps }
}

// now is the current policy.
func now(weight float64) Term { return Term{Of: Past, Weight: weight} }

// pulled is the base of a step of size eta in a game regularised by beta.
func pulled(eta, beta float64) []Term {
	if beta == 0 {
		return []Term{now(1)}
	}
	return []Term{{Of: Reference, Weight: eta * beta}, now(1 - eta*beta)}
}

// Hedge is multiplicative weights; SPO (Swamy et al. 2024, arXiv 2401.04056) is this
// on win rates, and SPPO (Wu et al. 2024, arXiv 2405.00675) regresses on it:
//
//	π⁺ ∝ π·exp(η·Pπ)
func Hedge(eta float64) Update {
	return Update{Name: "hedge", Steps: always(MirrorStep{[]Term{now(1)}, []Term{now(1)}, eta})}
}

// OMD is online mirror descent on the regularised game:
//
//	π⁺ ∝ π^{1−ηβ}·ref^{ηβ}·exp(η·Pπ)
func OMD(eta, beta float64) Update {
	return Update{Name: "omd", Beta: beta, Steps: always(MirrorStep{pulled(eta, beta), []Term{now(1)}, eta})}
}

// INPO (Zhang et al. 2024, arXiv 2407.00617) has OMD's step under its own names: the
// minimiser of the loss with τ and η has log-ratios
//
//	log π⁺ = (τ/η)·log ref + (1−τ/η)·log π + (1/η)·Pπ
func INPO(eta, tau float64) Update {
	return Update{Name: "inpo", Beta: tau, Steps: always(MirrorStep{
		[]Term{{Of: Reference, Weight: tau / eta}, now(1 - tau/eta)}, []Term{now(1)}, 1 / eta,
	})}
}

// MPO (Wang et al. 2024, arXiv 2410.16714) is magnetic mirror descent (Sokota et al.
// 2023, arXiv 2206.05825) with the reference as magnet, which it moves to the current
// policy every so many iterations, or never:
//
//	π⁺ ∝ [π·ref^{ηβ}·exp(η·Pπ)]^{1/(1+ηβ)}
func MPO(eta, beta float64, every int) Update {
	r := Update{Name: "mpo", Beta: beta, Every: every, Steps: always(MirrorStep{
		[]Term{{Of: Reference, Weight: eta * beta / (1 + eta*beta)}, now(1 / (1 + eta*beta))}, []Term{now(1)}, eta / (1 + eta*beta),
	})}
	if every > 0 {
		r.Beta = 0
	}
	return r
}

// NashMD (Munos et al. 2023, arXiv 2312.00886) plays against the geometric mixture of
// policy and reference from which it steps:
//
//	m ∝ π^{1−ηβ}·ref^{ηβ},   π⁺ ∝ m·exp(η·Pm)
//
// With a constant step it ends beside the regularised equilibrium, since there π would
// have to be m. Falling steps take it there at a rate of 1/T.
func NashMD(eta, beta float64) Update {
	return Update{Name: "nash-md", Beta: beta, Steps: always(MirrorStep{pulled(eta, beta), []Term{{Of: OwnBase, Weight: 1}}, eta})}
}

// EGPO (Zhou et al. 2025, arXiv 2503.08942) is the extragradient method: it answers
// where OMD's step would lead, and asks the judge twice an iteration:
//
//	π_½ ∝ π^{1−ηβ}·ref^{ηβ}·exp(η·Pπ),   π⁺ ∝ π^{1−ηβ}·ref^{ηβ}·exp(η·Pπ_½)
//
// KL(π*‖π_t) ≤ (1−ηβ)^t·KL(π*‖π_0) for η ≤ 1/(β+3) by its paper, and up to Nash
// Mirror Prox's 2/(1+2β) since the two are one.
func EGPO(eta, beta, scale float64) Update {
	r := Update{Name: "egpo", Beta: beta, Steps: always(
		MirrorStep{pulled(eta, beta), []Term{now(1)}, eta},
		MirrorStep{pulled(eta, beta), []Term{{Of: First, Weight: 1}}, eta},
	)}
	if eta*(scale+2*beta) <= 2*(1+1e-12) {
		r.Contraction = 1 - eta*beta
	}
	return r
}

// NashMP is Nash Mirror Prox (Tiapkin et al. 2025, arXiv 2505.19731), two proximal
// steps from one centre:
//
//	θ_½ = (θ + η·θ_ref + (η/β)·Pπ)/(1+η),   θ⁺ = (θ + η·θ_ref + (η/β)·Pπ_½)/(1+η)
//
// KL(π*‖π) ≤ (1+2β)^{−N/2}·KL(π*‖π_0) after N queries with η = 2β.
func NashMP(eta, beta, scale float64) Update {
	base := []Term{{Of: Reference, Weight: eta / (1 + eta)}, now(1 / (1 + eta))}
	size := eta / beta / (1 + eta)
	r := Update{Name: "nash-mp", Beta: beta, Steps: always(
		MirrorStep{base, []Term{now(1)}, size}, MirrorStep{base, []Term{{Of: First, Weight: 1}}, size},
	)}
	if eta*scale <= 2*beta*(1+1e-12) {
		r.Contraction = 1 / (1 + eta)
	}
	return r
}

// Optimistic is OMD against where the opponent seems to go, for one query an
// iteration; with beta = 0 it is optimistic multiplicative weights (Daskalakis &
// Panageas 2019, arXiv 1807.04252):
//
//	π⁺ ∝ π^{1−ηβ}·ref^{ηβ}·exp(η·P(2π_t − π_{t−1}))
func Optimistic(eta, beta float64) Update {
	return Update{Name: "optimistic", Beta: beta, Steps: always(MirrorStep{
		pulled(eta, beta), []Term{now(2), {Of: Past, Weight: -1, Back: 1}}, eta,
	})}
}

// MNPO (Wu et al. 2025, arXiv 2509.23102) has a population for opponent and mixes its
// log-policies in the base too, each with its weight λ:
//
//	log π⁺ = (τ/η)·log ref + (1−τ/η)·Σ_j λ_j·log π_j + (1/η)·P(Σ_j λ_j·π_j)
//
// The population is the current policy and those before it; one opponent makes it
// INPO.
func MNPO(eta, tau float64, lambda []float64) Update {
	base := []Term{{Of: Reference, Weight: tau / eta}}
	var opponent []Term
	for j, weight := range lambda {
		base = append(base, Term{Of: Past, Weight: (1 - tau/eta) * weight, Back: j})
		opponent = append(opponent, Term{Of: Past, Weight: weight, Back: j})
	}
	return Update{Name: "mnpo", Beta: tau, Steps: always(MirrorStep{base, opponent, 1 / eta})}
}

// MNPOPlayers is MNPO among n players, who each step from the others' policies:
//
//	log π_i⁺ = (τ/η)·log ref + (1−τ/η)·1/(n−1)·Σ_{j≠i} log π_j + (1/η)·1/(n−1)·Σ_{j≠i} Pπ_j
func MNPOPlayers(eta, tau float64) Update {
	return Update{Name: "mnpo", Beta: tau, Steps: always(MirrorStep{
		[]Term{{Of: Reference, Weight: tau / eta}, {Of: Others, Weight: 1 - tau/eta}}, []Term{now(1)}, 1 / eta,
	})}
}

// APO is accelerated preference optimisation (He et al. 2024, arXiv 2410.06293): OMD's
// step, then on in the direction of the last two results:
//
//	θ̂_{t+1} = OMD(θ_t),   θ_{t+1} = θ̂_{t+1} + α·(θ̂_{t+1} − θ̂_t)
//
// Once its direction is steady, that is a step of η/(1−α).
func APO(eta, beta, alpha float64) Update {
	return Update{Name: "apo", Beta: beta, Steps: always(
		MirrorStep{pulled(eta, beta), []Term{now(1)}, eta},
		MirrorStep{Base: []Term{{Of: First, Weight: 1 + alpha}, {Of: First, Weight: -alpha, Back: 1}}},
	)}
}

// COMAL (Liu et al. 2024, arXiv 2410.23223) is the proximal point method: it solves a
// regularised game, by so many iterations of EGPO, moves the reference to what it
// found, and goes on. It ends in the equilibrium of the game itself.
func COMAL(eta, beta float64, inner int) Update {
	r := EGPO(eta, beta, math.Inf(1))
	r.Name, r.Beta, r.Every = "comal", 0, inner
	return r
}
