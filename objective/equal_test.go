package objective_test

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/agon-rl/agon/objective"
)

// equality says that one objective is another with other constants: loss times
// factor, up to a constant where it is said.
type equality struct {
	one, other string
	factor     float64 // of the other
	constant   bool    // losses differ by what has no gradient
	batch      func(r *rand.Rand, e *objective.Preference)
	otherBatch func(e *objective.Preference) // how the other is given the same
}

func q(chosen, rejected float64) func(*rand.Rand, *objective.Preference) {
	return func(_ *rand.Rand, e *objective.Preference) { e.Q = &[2]float64{chosen, rejected} }
}

func drawQ(r *rand.Rand, e *objective.Preference) { e.Q = &[2]float64{r.Float64(), r.Float64()} }

// equalities are those that the papers' tables hide.
var equalities = []equality{
	{one: "spin", other: "dpo"},
	{one: "spin(loss=hinge,beta=2)", other: "hinge(beta=2)"},
	{one: "dno-prct", other: "dpo"},
	{one: "cdpo(smoothing=0.2)", other: "dpo(smoothing=0.2)"},
	{one: "robust-dpo(smoothing=0)", other: "dpo"},
	{one: "f-dpo(divergence=alpha,divergence_alpha=1)", other: "dpo"},
	{one: "f-dpo(divergence=reverse_kl)", other: "dpo"},
	{one: "f-dpo(divergence=alpha,divergence_alpha=0)", other: "f-dpo(divergence=forward_kl)"},
	{one: "f-dpo(divergence=alpha,alpha_divergence_coef=0.3)", other: "f-dpo(divergence=alpha,f_alpha_divergence_coef=0.7)"},
	{one: "gpo-generalized(convex=logistic)", other: "dpo"},
	{one: "gpo-generalized(convex=hinge)", other: "hinge"},
	{one: "gpo-generalized(convex=square,beta=0.6)", other: "ipo(normalize=false,beta=0.3)", factor: 0.36},
	{one: "alphapo(alpha=0,beta=2,gamma=1)", other: "simpo(beta=2,gamma=1)"},
	{one: "sppo-hard(beta=0.5)", other: "sppo(beta=0.5)", factor: 2, batch: q(1, 0)},
	{one: "gpo-preference(beta=0.5)", other: "sppo(beta=0.5)", batch: drawQ, otherBatch: func(e *objective.Preference) { e.Q = &[2]float64{e.Q[0] + 0.5, e.Q[1] + 0.5} }},
	{one: "inpo", other: "mnpo"},
	{one: "inpo(eta=0.3,ratio=0.2)", other: "mnpo(eta=0.3,ratio=0.2,weights=7)"},
	{one: "inpo(eta=0.3,ratio=0.2)", other: "ipo(normalize=false,beta=0.3,base=\"0.2,0.8\")"},
	{one: "mnpo(weights=\"1,0\")", other: "mnpo(weights=\"3,0\")"},
	{one: "online-ipo(beta=0.4)", other: "ipo(normalize=false,beta=0.4)", batch: q(1, 0.5)},
	{one: "online-ipo(beta=0.4)", other: "srpo-robust(beta=0.4)", batch: func(r *rand.Rand, e *objective.Preference) { e.Q = &[2]float64{r.Float64(), 0.5} }, otherBatch: func(e *objective.Preference) {
		target := e.Q[0]
		e.Target = &target
	}},
	{one: "srpo-robust(beta=0.4)", other: "ipo(normalize=false,beta=0.4)"},
	{one: "step-apo(beta=0.3,alpha=0)", other: "dpo(beta=0.3)"},
	{one: "step-apo(beta=0.3,alpha=0.7)", other: "odpo(beta=0.3)", batch: drawQ, otherBatch: func(e *objective.Preference) {
		margin := 0.7 * (e.Q[0] - e.Q[1])
		e.Margin = &margin
	}},
	{one: "mcts-dpo", other: "osp", batch: func(_ *rand.Rand, e *objective.Preference) { e.N = &[2]float64{30, 10} }, otherBatch: func(e *objective.Preference) {
		target := 0.75
		e.Target = &target
	}},
	{one: "osp", other: "cdpo(smoothing=0.3)", batch: func(_ *rand.Rand, e *objective.Preference) {
		target := 0.7
		e.Target = &target
	}, otherBatch: func(e *objective.Preference) { e.Target = nil }},
	{one: "dno(eta=0.5,temperature=1)", other: "soft-dpo(beta=0.5)", batch: drawQ},
	{one: "rpo-lambda-harmonic(beta=0.5)", other: "soft-dpo(beta=0.5)", batch: drawQ},
	{one: "rpo-reward-aware(beta=0.5)", other: "soft-dpo(beta=0.5)", batch: drawQ, constant: true},
	{one: "rpo-reward-aware(beta=0.5,distance=fwd_kl)", other: "exo(beta=0.5,smoothing=0.2)", batch: q(math.Log(4), 0)},
	{one: "irpo(sft=0)", other: "dpo"},
	{one: "vpo(mode=offline,alpha=0.3,beta=0.2)", other: "rpo-regularized(eta=0.3,beta=0.2)", batch: func(_ *rand.Rand, e *objective.Preference) { e.Extra = nil }},
	{one: "vpo(mode=online,alpha=0.3,beta=0.2)", other: "selm(alpha=0.3,beta=0.2)", constant: true},
	{one: "xpo(alpha=0.06,beta=0.2)", other: "selm(alpha=0.3,beta=0.2)", constant: true},
	{one: "hypo-hybrid(lambda=0)", other: "dpo"},
	{one: "apo-accelerated(extrapolate=0)", other: "dpo", otherBatch: func(e *objective.Preference) {
		for _, s := range []*objective.Sequence{&e.Chosen, &e.Rejected, e.Extra} {
			s.Ref = s.Ref[:1]
		}
	}},
	{one: "tpo-l(beta=2,gamma=1,alpha=0)", other: "simpo(beta=2,gamma=1)"},
	{one: "tpo-triple(beta=0.3,alpha=0.7)", other: "cpo(beta=0.3,sft=0.7)", batch: func(_ *rand.Rand, e *objective.Preference) { third := e.Chosen; e.Extra = &third }},
	{one: "tpo-l(beta=2,gamma=1,alpha=0.5)", other: "simpo(beta=2,gamma=1,sft=0.5,sft_by=tokens)", batch: func(_ *rand.Rand, e *objective.Preference) { third := e.Chosen; e.Extra = &third }},
	{one: "kto(kl=0)", other: "apo-zero-unpaired"},
	{one: "apo-zero", other: "apo-zero-unpaired", factor: 2},
	{one: "bco(delta=0)", other: "bco"},
	{one: "spo-self-supervised", other: "dpo"},
	{one: "mpo(preference=1,quality=0,generation=0)", other: "dpo"},
	{one: "exo(smoothing=0,trl=0.19)", other: "exo(smoothing=0.001)"},
}

func TestOneFunctionWithOtherConstants(t *testing.T) {
	for _, c := range equalities {
		a, b := named(t, c.one), named(t, c.other)
		r := rand.New(rand.NewPCG(51, 52))
		references := max(len(a.Base), len(b.Base), 1)
		var left, right []objective.Preference
		for range 3 {
			extra := drawSequence(r, references)
			e := objective.Preference{Chosen: drawSequence(r, references), Rejected: drawSequence(r, references), Extra: &extra}
			if c.batch != nil {
				c.batch(r, &e)
			}
			f := e
			if e.Q != nil {
				both := *e.Q
				f.Q = &both
			}
			if c.otherBatch != nil {
				c.otherBatch(&f)
			}
			left, right = append(left, e), append(right, f)
		}
		x, err1 := a.Evaluate(left)
		y, err2 := b.Evaluate(right)
		if err1 != nil || err2 != nil {
			t.Errorf("%s, %s: %v, %v", c.one, c.other, err1, err2)
			continue
		}
		factor := c.factor
		if factor == 0 {
			factor = 1
		}
		same := func(what string, got, want float64) {
			if !(math.Abs(got-want*factor) <= 1e-12*math.Max(1, math.Abs(got))) {
				t.Errorf("%s is not %g × %s: %s: %.15g, %.15g", c.one, factor, c.other, what, got, want)
			}
		}
		if !c.constant {
			same("loss", x.Loss, y.Loss)
		}
		for i := range x.Grads {
			g, h := x.Grads[i], y.Grads[i]
			if strings.HasPrefix(c.one, "tpo-") && left[i].Extra != nil { // which imitates the chosen one under another name
				g.Chosen, g.Extra = g.Chosen+g.Extra, 0
			}
			same("gradient of chosen", g.Chosen, h.Chosen)
			same("gradient of rejected", g.Rejected, h.Rejected)
			same("gradient of extra", g.Extra, h.Extra)
		}
	}
	t.Logf("%d equalities", len(equalities))
}

// Lists of two are pairs; a batch of one has nothing to sort.
func TestListsOfTwoArePairs(t *testing.T) {
	for _, c := range []struct {
		list, pair string
		scores     []float64
	}{
		{"plackett-luce(beta=0.7)", "dpo(beta=0.7)", []float64{1, 0}},
		{"sppo-list(beta=0.7)", "sppo(beta=0.7)", []float64{0.8, 0.3}},
		{"infonca(beta=0.7)", "soft-dpo(beta=0.7)", []float64{0.8, 0.3}},
		{"infonca(beta=0.7,temperature=0.5)", "soft-dpo(beta=0.7,temperature=0.5)", []float64{0.8, 0.3}},
		{"infonca(beta=0.7)", "dpo(beta=0.7)", []float64{900, 0}},
		{"nca-list(beta=0.7)", "nca(beta=0.7)", []float64{900, 0}},
	} {
		list, err := objective.Get(c.list)
		if err != nil {
			t.Fatal(err)
		}
		r := rand.New(rand.NewPCG(61, 62))
		e := objective.Preference{Chosen: drawSequence(r, 1), Rejected: drawSequence(r, 1), Q: &[2]float64{c.scores[0], c.scores[1]}}
		got, err := list.List.Evaluate([]objective.Listing{{Answers: []objective.Sequence{e.Chosen, e.Rejected}, Scores: c.scores}})
		if err != nil {
			t.Fatal(err)
		}
		want, err := named(t, c.pair).Evaluate([]objective.Preference{e})
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range []float64{got.Loss - want.Loss, got.Grads[0][0] - want.Grads[0].Chosen, got.Grads[0][1] - want.Grads[0].Rejected} {
			if !(math.Abs(d) < 1e-12) {
				t.Errorf("%s is not %s: %+v, %+v", c.list, c.pair, got, want)
			}
		}
	}
	r := rand.New(rand.NewPCG(63, 64))
	e := []objective.Preference{{Chosen: drawSequence(r, 1), Rejected: drawSequence(r, 1)}}
	want, _ := named(t, "cdpo(smoothing=0.2)").Evaluate(e)
	for _, text := range []string{"aot(smoothing=0.2)", "aot-unpaired(smoothing=0.2)"} {
		got, err := named(t, text).Evaluate(e)
		if err != nil || math.Abs(got.Loss-want.Loss) > 1e-15 || math.Abs(got.Grads[0].Chosen-want.Grads[0].Chosen) > 1e-15 {
			t.Errorf("%s: %+v, %v, expected %+v", text, got, err, want)
		}
	}
}

// bco's shift is the mean reward of the batch, and kto's the mean log-ratio of the
// third answers, if that is above 0.
func TestShifts(t *testing.T) {
	r := rand.New(rand.NewPCG(71, 72))
	batch := []objective.Preference{{Chosen: drawSequence(r, 1), Rejected: drawSequence(r, 1)}, {Chosen: drawSequence(r, 1), Rejected: drawSequence(r, 1)}}
	mean := 0.0
	for _, e := range batch {
		mean += 0.5 * (ratio(objective.Pair{}, e.Chosen) + ratio(objective.Pair{}, e.Rejected)) / 4
	}
	fixed := named(t, "bco(beta=0.5)")
	fixed.Delta = mean
	want, _ := fixed.Evaluate(batch)
	got, err := named(t, "bco(beta=0.5,trl=0.19)").Evaluate(batch)
	if err != nil || math.Abs(got.Loss-want.Loss) > 1e-14 || math.Abs(got.Grads[1].Rejected-want.Grads[1].Rejected) > 1e-14 {
		t.Errorf("bco: %+v, %v, expected %+v", got, err, want)
	}
	for _, lead := range []float64{0.7, -0.7} {
		for i := range batch {
			batch[i].Extra = &objective.Sequence{LogP: []float64{-1}, Ref: [][]float64{{-1 - lead}}}
		}
		want, _ := named(t, "kto(kl=0)").Evaluate(batch)
		if lead > 0 {
			want, _ = named(t, "kto(kl=0.7)").Evaluate(batch)
		}
		if got, err := named(t, "kto").Evaluate(batch); err != nil || math.Abs(got.Loss-want.Loss) > 1e-15 {
			t.Errorf("kto: %+v, %v, expected %+v", got, err, want)
		}
	}
}
