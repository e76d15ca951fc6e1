package objective_test

import (
	"math"
	"testing"

	"github.com/agon-rl/agon/objective"
)

// Losses and slopes that a person can check with a calculator. There is one pair,
//
//	chosen    log π = −0.4 − 0.6 = −1 (mean −0.5),               log ref = −1.2 − 0.8 = −2
//	rejected  log π = −0.5 − 0.5 − 1 − 1 = −3 (mean −0.75),      log ref = 4·(−0.5) = −2
//	extra     log π = −1.5,                                      log ref = −1
//
// so u(w) = 1, u(l) = −1, their difference is 2, and their means are 0.5 and −0.25. It has
// values q = (0.8, 0.3), and a search tried its answers n = (30, 10) times. A slope below 0
// pushes an answer up: the step goes against it.
func handPair() objective.Preference {
	return objective.Preference{
		Chosen:   objective.Sequence{LogP: []float64{-0.4, -0.6}, Ref: [][]float64{{-1.2, -0.8}}},
		Rejected: objective.Sequence{LogP: []float64{-0.5, -0.5, -1, -1}, Ref: [][]float64{{-0.5, -0.5, -0.5, -0.5}}},
		Extra:    &objective.Sequence{LogP: []float64{-1.5}, Ref: [][]float64{{-1}}},
		Q:        &[2]float64{0.8, 0.3}, N: &[2]float64{30, 10},
	}
}

func TestByHand(t *testing.T) {
	half, low := 0.5, 0.4
	for _, c := range []struct {
		text                    string
		given                   func(p *objective.Preference)
		loss                    float64
		chosen, rejected, extra float64
	}{
		// x = 0.5·2 = 1: log(1 + e^−1), and −0.5·σ(−1).
		{"dpo(beta=0.5)", nil, 0.313261687518223, -0.134470710684998, 0.134470710684998, 0},
		// x = 1 − 0.4 = 0.6, where 0.4 is the pair's margin: log(1 + e^−0.6), −0.5·σ(−0.6).
		{"odpo(beta=0.5)", func(p *objective.Preference) { p.Margin = &low }, 0.437487950485886, -0.177171846887102, 0.177171846887102, 0},
		// Half of the pair's loss: a weight of 0.5.
		{"dpo(beta=0.5)", func(p *objective.Preference) { p.Weight = &half }, 0.156630843759111, -0.067235355342499, 0.067235355342499, 0},
		// A tie, P = ½, with x = 1: ½·log(1 + e^−1) + ½·log(1 + e), and 0.5·(σ(1) − ½): the chosen one leads too far.
		{"osp(beta=0.5)", func(p *objective.Preference) { p.Target = &half }, 0.813261687518223, 0.115529289315002, -0.115529289315002, 0},
		// P = 0.9: 0.9·0.313262 + 0.1·1.313262, 0.5·(σ(1) − 0.9).
		{"cdpo(beta=0.5)", nil, 0.413261687518223, -0.0844707106849976, 0.0844707106849976, 0},
		// (0.9·0.313262 − 0.1·1.313262)/0.8, 0.5·(−0.9·σ(−1) − 0.1·σ(1))/0.8.
		{"robust-dpo(beta=0.5)", nil, 0.188261687518223, -0.196970710684998, 0.196970710684998, 0},
		// 1 − x with x = 0.6.
		{"hinge(beta=0.3)", nil, 0.4, -0.3, 0.3, 0},
		// x = 1 is where the slope ends, and x = 2 lies beyond.
		{"hinge(beta=0.5)", nil, 0, 0, 0, 0},
		{"hinge(beta=1)", nil, 0, 0, 0, 0},
		// By token: (0.75 − 1/(2·0.5))², 2·(−0.25).
		{"ipo(beta=0.5)", nil, 0.0625, -0.5, 0.5, 0},
		// (2 − 1/(2·0.2))² = 0.5², and 2·(−0.5).
		{"ipo(beta=0.2,normalize=false)", nil, 0.25, -1, 1, 0},
		// σ(1)·log(σ(1)/0.8) + σ(−1)·log(σ(−1)/0.2), 0.5·σ(1)·σ(−1)·(log(σ(1)/0.8) − log(σ(−1)/0.2)).
		{"exo(beta=0.5,smoothing=0.2)", nil, 0.0137724183427844, -0.0379750405700324, 0.0379750405700324, 0},
		// s = σ(2): (1 − s)·log(1 + e^−1) + s·e^−1, 0.5·[−2·s·(1−s)·log(1 + e^−1) − (1−s)·σ(−1) + s·e^−1·(2·(1−s) − 1)].
		{"discopop(beta=0.5,tau=0.5)", nil, 0.361368845341694, -0.172308356273277, 0.172308356273277, 0},
		// 1 of 4 tries went to the rejected one, P = 0.75: 0.75·0.313262 + 0.25·1.313262, 0.5·(σ(1) − 0.75).
		{"mcts-dpo(beta=0.5)", nil, 0.563261687518223, -0.00947071068499755, 0.00947071068499755, 0},
		// 30 of 40 went to the rejected one: no more than ½ of doubt.
		{"mcts-dpo(beta=0.5)", func(p *objective.Preference) { p.N = &[2]float64{10, 30} }, 0.813261687518223, 0.115529289315002, -0.115529289315002, 0},
		// x = 1 − (0.8 − 0.3): log(1 + e^−0.5), −0.5·σ(−0.5).
		{"step-apo(beta=0.5)", nil, 0.474076984180107, -0.188770334399073, 0.188770334399073, 0},
		// P = σ(0.5) = 0.622459: P·0.313262 + (1 − P)·1.313262, 0.5·(σ(1) − P): it leads by more than the values say.
		{"soft-dpo(beta=0.5)", nil, 0.690802356316368, 0.0542996237140752, -0.0542996237140752, 0},
		// P = σ(0.5/2) = 0.562177.
		{"soft-dpo(beta=0.5,temperature=2)", nil, 0.751085186632425, 0.0844410388721034, -0.0844410388721034, 0},
		// 2·(−0.5 + 0.75) − 1 = −0.5: log(1 + e^0.5), −2·σ(0.5) by mean.
		{"simpo", nil, 0.974076984180107, -1.24491866240371, 1.24491866240371, 0},
		// Odds: −0.5 − log(1 − e^−0.5) = 0.432752, −0.75 − log(1 − e^−0.75) = −0.110647; 0.1·log(1 + e^−0.543399), and 0.5 of
		// imitation by token. By mean: −0.1·σ(−0.543399)/(1 − e^−0.5) − 1, 0.1·σ(−0.543399)/(1 − e^−0.75).
		{"orpo", nil, 0.545791273331333, -1.09337381174179, 0.0696311659107626, 0},
		// z₀ = 0.4: ½·[σ(−0.5·0.6) + σ(−0.5·1.4)], −¼·σ′(0.3), ¼·σ′(0.7).
		{"kto(beta=0.5,kl=0.4)", nil, 0.378684855510087, -0.0611145779226865, 0.0554282183232773, 0},
		// The same, weighed by 2 and 3.
		{"kto(beta=0.5,kl=0.4,desirable=2,undesirable=3)", nil, 0.923275824936092, -0.122229155845373, 0.166284654969832, 0},
		// The third answer's log-ratio is −0.5, so z₀ = 0: ½·[σ(−0.5) + σ(−0.5)], ¼·σ′(0.5).
		{"kto(beta=0.5)", nil, 0.377540668798145, -0.0587509280503985, 0.0587509280503985, 0},
		// −log σ(0.5) − ½·log σ(−0.5) − ½·log σ(0.5), 0.5·(−σ(−0.5) + ½·σ(0.5)), ¼·σ(−0.5).
		{"nca(beta=0.5)", nil, 1.19815396836021, -0.0331555015986091, 0.0943851671995364, 0},
		// δ = 0.3: −log σ(0.2) − log σ(0.8), −0.5·σ(−0.2), 0.5·σ(−0.8).
		{"bco(beta=0.5,delta=0.3)", nil, 0.969239535329369, -0.225083001343761, 0.155012759436194, 0},
		// 2·σ(−0.5), −0.5·σ′(0.5), 0.5·σ′(0.5).
		{"apo-zero(beta=0.5)", nil, 0.755081337596291, -0.117501856100797, 0.117501856100797, 0},
		// σ(0.5) + σ(−1), 0.5·(σ′(0.5) − σ′(1)), 0.5·σ′(1): both go down.
		{"apo-down(beta=0.5)", nil, 0.89140075257185, 0.0191958894800563, 0.0983059666207409, 0},
		// Log-ratios should be (0.8 − ½)/0.5 = 0.6 and −0.4: ½·(0.4² + 0.6²). The chosen one is beyond and goes down.
		{"sppo(beta=0.5)", nil, 0.26, 0.4, -0.6, 0},
		// They should be ½/0.5 = 1 and −1, and are.
		{"sppo-hard(beta=0.5)", nil, 0, 0, 0, 0},
		// They should be 0.8/0.5 = 1.6 and 0.6: ½·(0.6² + 1.6²).
		{"gpo-preference(beta=0.5)", nil, 1.46, -0.6, -1.6, 0},
		// (2 − (0.8 − 0.3)/0.5)², 2·1: it leads by more than the win rates say.
		{"online-ipo(beta=0.5)", nil, 1, 2, -2, 0},
		{"egpo(beta=0.5)", nil, 1, 2, -2, 0},
		// References −2, −1 of the chosen one and −2, −2 of the rejected, by ¼ and ¾: u(w) = −1 + 1.25, u(l) = −3 + 2;
		// (1.25 − 1/(2·0.2))² = 1.25², 2·(−1.25).
		{"inpo(eta=0.2,ratio=0.25)", func(p *objective.Preference) {
			p.Chosen.Ref = append(p.Chosen.Ref, []float64{-0.5, -0.5})
			p.Rejected.Ref = append(p.Rejected.Ref, p.Rejected.Ref[0])
			p.Extra = nil
		}, 1.5625, -2.5, 2.5, 0},
		// −(0.8 − ½)·(−1) − (0.3 − ½)·(−3).
		{"spo-minimax", nil, -0.3, -0.3, 0.2, 0},
		// (x − r)² with x = 1, r = 2·0.5: as far as it should be.
		{"rpo-reward-aware(beta=0.5,eta=2,distance=sq)", nil, 0, 0, 0, 0},
		// (1 − 0.5)², 0.5·2·0.5.
		{"rpo-reward-aware(beta=0.5,eta=1,distance=sq)", nil, 0.25, 0.5, -0.5, 0},
		// dpo's and 0.3·0.5, the chosen one's mean: −0.3/2 by sum.
		{"irpo(beta=0.5,sft=0.3)", nil, 0.463261687518223, -0.284470710684998, 0.134470710684998, 0},
		// dpo's and 0.6·0.5·1, by sum.
		{"rpo-regularized(beta=0.5,eta=0.6)", nil, 0.613261687518223, -0.434470710684998, 0.134470710684998, 0},
		// dpo's and 0.2·(−1.5): what explores is pushed down.
		{"xpo(beta=0.5,alpha=0.2)", nil, 0.013261687518223, -0.134470710684998, 0.134470710684998, 0.2},
		// dpo's and 0.2·0.5·(−0.5).
		{"selm(beta=0.5,alpha=0.2)", nil, 0.263261687518223, -0.134470710684998, 0.134470710684998, 0.1},
		// dpo's less 0.2·0.5·(−1.5).
		{"vpo(beta=0.5,alpha=0.2,mode=offline)", nil, 0.463261687518223, -0.134470710684998, 0.134470710684998, -0.1},
		// dpo's and 0.2·½·0.5², 0.2·(−0.5).
		{"hypo-hybrid(beta=0.5,lambda=0.2)", nil, 0.338261687518223, -0.134470710684998, 0.134470710684998, -0.1},
		// dpo's, the rejected one's last two tokens counting 0.4 as much: −1 + 0.4·(−2) + 1 + 0.4·1 = −0.4, x = 0.5·1.4.
		{"dpo(beta=0.5,ld_alpha=0.4)", nil, 0.403186048885458, -0.165906113915917, 0.165906113915917, 0},
	} {
		p := handPair()
		if c.given != nil {
			c.given(&p)
		}
		got, err := named(t, c.text).Evaluate([]objective.Preference{p})
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		for _, n := range []struct {
			what      string
			got, want float64
		}{{"loss", got.Loss, c.loss}, {"chosen", got.Grads[0].Chosen, c.chosen}, {"rejected", got.Grads[0].Rejected, c.rejected}, {"extra", got.Grads[0].Extra, c.extra}} {
			if !(math.Abs(n.got-n.want) <= 1e-14*math.Max(1, math.Abs(n.want))) {
				t.Errorf("%s: %s %.15g, by hand %.15g", c.text, n.what, n.got, n.want)
			}
		}
	}
}

// What looks at a batch gets a second pair, with u(w) = −2 + 1 = −1, u(l) = −1 + 3 = 2 and
// u(extra) = −0.5 + 2 = 1.5. Half of a pair's slope counts, since the loss is a mean.
func TestBatchesByHand(t *testing.T) {
	one := func(logp, ref float64) objective.Sequence {
		return objective.Sequence{LogP: []float64{logp}, Ref: [][]float64{{ref}}}
	}
	extra := one(-0.5, -2)
	batch := []objective.Preference{handPair(), {Chosen: one(-2, -1), Rejected: one(-1, -3), Extra: &extra}}
	for _, c := range []struct {
		text   string
		losses [2]float64
		slopes [2]objective.Push
	}{
		// log π(w) − log π(l) is 2 and −1, of the references 0 and 2: sorted, −1 meets 0 and 2 meets 2. The first of
		// these is of the second pair: log(1 + e^0.5), ½·0.5·σ(0.5); then log 2, ½·0.5·½.
		{"aot(beta=0.5)", [2]float64{0.974076984180107, 0.693147180559945}, [2]objective.Push{{Chosen: -0.125, Rejected: 0.125}, {Chosen: -0.155614832800464, Rejected: 0.155614832800464}}},
		// u(w) is 1 and −1, u(l) −1 and 2: sorted, −1 of the second pair meets −1 of the first, and 1 meets 2.
		{"aot-unpaired(beta=0.5)", [2]float64{0.693147180559945, 0.974076984180107}, [2]objective.Push{{Chosen: -0.155614832800464, Rejected: 0.125}, {Chosen: -0.125, Rejected: 0.155614832800464}}},
		// δ = 0.5·(1 − 1 − 1 + 2)/4 = 0.125: −log σ(0.375) − log σ(0.625), −log σ(−0.625) − log σ(−0.875).
		{"bco(beta=0.5,trl=0.19)", [2]float64{0.951823942416359, 2.27714525928157}, [2]objective.Push{{Chosen: -0.101833350011483, Rejected: 0.0871612838334864}, {Chosen: -0.162838716166514, Rejected: 0.176446256959253}}},
		// z₀ = (−0.5 + 1.5)/2 = 0.5: ½·[σ(−0.25) + σ(−0.75)], ½·[σ(0.75) + σ(0.75)]; slopes are ½·½·0.5·σ′.
		{"kto(beta=0.5)", [2]float64{0.379322399969404, 0.679178699175393}, [2]objective.Push{{Chosen: -0.0307667603421998, Rejected: 0.0272368742202268}, {Chosen: -0.0272368742202268, Rejected: 0.0272368742202268}}},
		// Without references x = 1 and −0.5. Imitation is over three tokens, so by pair ⅔ of each log π: log(1 + e^−1) + ⅔,
		// log(1 + e^0.5) + 4/3; slopes ½·(−0.5·σ(−1) − ⅔) and so on.
		{"cpo(beta=0.5)", [2]float64{0.97992835418489, 2.30741031751344}, [2]objective.Push{{Chosen: -0.400568688675832, Rejected: 0.0672353553424988}, {Chosen: -0.488948166133797, Rejected: 0.155614832800464}}},
	} {
		got, err := named(t, c.text).Evaluate(batch)
		if err != nil {
			t.Fatal(err)
		}
		near := func(what string, got, want float64) {
			if !(math.Abs(got-want) <= 1e-14*math.Max(1, math.Abs(want))) {
				t.Errorf("%s: %s %.15g, by hand %.15g", c.text, what, got, want)
			}
		}
		near("loss", got.Loss, (c.losses[0]+c.losses[1])/2)
		for i, want := range c.slopes {
			near("loss of a pair", got.Losses[i], c.losses[i])
			near("chosen", got.Grads[i].Chosen, want.Chosen)
			near("rejected", got.Grads[i].Rejected, want.Rejected)
			near("extra", got.Grads[i].Extra, 0)
		}
	}
}

// Three answers with log-ratios (1, −1, 0.5), so r = (0.5, −0.5, 0.25), and scores (1, 2, 0).
func TestListsByHand(t *testing.T) {
	answer := func(ratio float64) objective.Sequence {
		return objective.Sequence{LogP: []float64{ratio - 1, -1}, Ref: [][]float64{{-1, -1}}}
	}
	list := objective.Listing{Answers: []objective.Sequence{answer(1), answer(-1), answer(0.5)}, Scores: []float64{1, 2, 0}}
	for _, c := range []struct {
		text   string
		loss   float64
		slopes []float64
	}{
		// 2^score = (2, 4, 1), 1/log₂(1 + rank) = (0.63093, 1, 0.5): λ of second and first |4 − 2|·0.36907 = 0.738140, of
		// second and third 1.5, of first and third 0.130930. A third of 0.738140·log(1 + e) + 1.5·log(1 + e^0.75) +
		// 0.130930·log(1 + e^−0.25); a pair's slope is 0.5·λ·σ(…)/3 up and down.
		{"tpo-tree(beta=0.5)", 0.916695248254734, []float64{0.080383302781756, -0.259731998050074, 0.179348695268318}},
		// The second comes first, then the first: −log(e^−0.5/(e^0.5 + e^−0.5 + e^0.25)) − log(e^0.5/(e^0.5 + e^0.25)).
		{"plackett-luce(beta=0.5)", 2.33986198694813, []float64{0.0140060340761621, -0.414314335918104, 0.400308301841942}},
		// ½·Σ (u − (score − ½)/0.5)² = ½·(0 + 4² + 1.5²).
		{"sppo-list(beta=0.5)", 9.125, []float64{0, -4, 1.5}},
		// p = softmax(1, 2, 0) = (0.244728, 0.665241, 0.090031), softmax(r) = (0.465836, 0.171371, 0.362793): their
		// cross-entropy, and half of their difference.
		{"infonca(beta=0.5)", 1.4516711661367, []float64{0.110553548105864, -0.246934813805515, 0.136381265699651}},
		// Σ p·log(1 + e^−r) + ⅓·log(1 + e^r), 0.5·(−p·σ(−r) + ⅓·σ(r)).
		{"nca-list(beta=0.5)", 1.57389932495103, []float64{0.0575457465489878, -0.144119275410148, 0.0739873331946098}},
	} {
		o, err := objective.Get(c.text)
		if err != nil {
			t.Fatal(err)
		}
		got, err := o.List.Evaluate([]objective.Listing{list})
		if err != nil {
			t.Fatal(err)
		}
		if math.Abs(got.Loss-c.loss) > 1e-14*c.loss {
			t.Errorf("%s: loss %.15g, by hand %.15g", c.text, got.Loss, c.loss)
		}
		for k, want := range c.slopes {
			if math.Abs(got.Grads[0][k]-want) > 1e-14*math.Max(1, math.Abs(want)) {
				t.Errorf("%s: slope of answer %d %.15g, by hand %.15g", c.text, k+1, got.Grads[0][k], want)
			}
		}
	}
}

// A mean is over lists, and tpo-tree's over those that the scores order.
func TestMeansOfListsByHand(t *testing.T) {
	answer := func(ratio float64) objective.Sequence {
		return objective.Sequence{LogP: []float64{ratio - 2}, Ref: [][]float64{{-2}}}
	}
	list := func(first, second float64) objective.Listing {
		return objective.Listing{Answers: []objective.Sequence{answer(1), answer(-1)}, Scores: []float64{first, second}}
	}
	half := 0.5
	light := list(1, 0)
	light.Weight = &half
	batch := []objective.Listing{list(1, 0), light, list(1, 1)}
	for text, want := range map[string]struct{ loss, slope float64 }{
		// r is 0.5 and −0.5, λ = (2 − 1)·(1 − 1/log₂ 3) = 0.369070: 1.5·λ·log(1 + e^−1)/2, and −0.5·λ·σ(−1)/2.
		"tpo-tree(beta=0.5)": {0.0867116761567287, -0.0248145691649666},
		// log(1 + e^−1) of each, the first of equals being the better: (1 + 0.5 + 1)/3 of it, and −0.5·σ(−1)/3.
		"plackett-luce(beta=0.5)": {0.261051406265186, -0.0448235702283325},
	} {
		o, err := objective.Get(text)
		if err != nil {
			t.Fatal(err)
		}
		got, err := o.List.Evaluate(batch)
		if err != nil {
			t.Fatal(err)
		}
		if g := got.Grads; math.Abs(got.Loss-want.loss) > 1e-14 || math.Abs(g[0][0]-want.slope) > 1e-14 || g[1][1] != -g[0][0]/2 {
			t.Errorf("%s: loss %.15g, slopes %.15g, expected %.15g, %.15g", text, got.Loss, g, want.loss, want.slope)
		}
	}
}
