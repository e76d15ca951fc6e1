package objective_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/agon-rl/agon/objective"
)

// given is a pair as papers write it: summed log-probabilities of the chosen answer,
// the rejected and a third by the policy and by three references, tokens, values and
// visits.
type given struct {
	w, l, e    float64
	rw, rl, re [3]float64
	tw, tl     float64
	qw, ql     float64
	nw, nl     float64
}

// ratios is the difference of both log-ratios to the first reference.
func (p given) ratios() float64 { return p.w - p.rw[0] - p.l + p.rl[0] }

// papers are losses of one pair as the papers, or the released code, write them.
var papers = map[string]func(p given) float64{
	"dpo": func(p given) float64 { return -math.Log(sigma(0.1 * p.ratios())) },
	"cdpo": func(p given) float64 {
		return -0.9*math.Log(sigma(0.1*p.ratios())) - 0.1*math.Log(sigma(-0.1*p.ratios()))
	},
	"robust-dpo": func(p given) float64 {
		return (-0.9*math.Log(sigma(0.1*p.ratios())) + 0.1*math.Log(sigma(-0.1*p.ratios()))) / 0.8
	},
	"ipo":   func(p given) float64 { return square((p.w-p.rw[0])/p.tw - (p.l-p.rl[0])/p.tl - 5) },
	"hinge": func(p given) float64 { return math.Max(0, 1-0.1*p.ratios()) },
	"simpo": func(p given) float64 { return -math.Log(sigma(2*(p.w/p.tw-p.l/p.tl) - 1)) },
	"orpo(beta=0.3,sft=0)": func(p given) float64 {
		odds := func(mean float64) float64 { return math.Exp(mean) / (1 - math.Exp(mean)) }
		return -0.3 * math.Log(sigma(math.Log(odds(p.w/p.tw)/odds(p.l/p.tl))))
	},
	"alphapo(beta=2,alpha=0.3,gamma=0.1)": func(p given) float64 {
		r := func(mean float64) float64 { return (1 - math.Pow(math.Exp(mean), -0.3)) / 0.3 }
		return -math.Log(sigma(2*(r(p.w/p.tw)-r(p.l/p.tl)) - 0.1))
	},
	"f-dpo(beta=0.6,divergence=js)": func(p given) float64 {
		f := func(t float64) float64 { return math.Log(2 * t / (1 + t)) } // f′ of the ratio
		return -math.Log(sigma(0.6 * (f(math.Exp(p.w-p.rw[0])) - f(math.Exp(p.l-p.rl[0])))))
	},
	"f-dpo(beta=0.6,divergence=forward_kl)": func(p given) float64 {
		return -math.Log(sigma(0.6 * (math.Exp(p.rl[0]-p.l) - math.Exp(p.rw[0]-p.w))))
	},
	"soft-dpo": func(p given) float64 {
		label := sigma(p.qw - p.ql)
		return -label*math.Log(sigma(p.ratios())) - (1-label)*math.Log(sigma(-p.ratios()))
	},
	"kto(beta=0.6,kl=0.3,undesirable=2)": func(p given) float64 {
		return (1-sigma(0.6*(p.w-p.rw[0]-0.3)))/2 + 1 - sigma(0.6*(0.3-p.l+p.rl[0]))
	},
	"apo-down(beta=0.6)": func(p given) float64 {
		return sigma(0.6*(p.w-p.rw[0])) + 1 - sigma(0.6*p.ratios())
	},
	"sppo(beta=0.5)": func(p given) float64 {
		return (square(p.w-p.rw[0]-(p.qw-0.5)/0.5) + square(p.l-p.rl[0]-(p.ql-0.5)/0.5)) / 2
	},
	"gpo-preference(beta=0.5)": func(p given) float64 {
		return (square(p.w-p.rw[0]-p.qw/0.5) + square(p.l-p.rl[0]-p.ql/0.5)) / 2
	},
	"spin(beta=0.3)":            func(p given) float64 { return math.Log1p(math.Exp(-0.3 * (p.w - p.rw[0] - p.l + p.rl[0]))) },
	"spin(beta=0.3,loss=hinge)": func(p given) float64 { return math.Max(0, 1-0.3*p.ratios()) },
	"inpo(eta=0.4,ratio=0.25)": func(p given) float64 {
		return square(p.w - p.l - 0.25*(p.rw[0]-p.rl[0]) - 0.75*(p.rw[1]-p.rl[1]) - 1/(2*0.4))
	},
	`mnpo(eta=0.4,ratio=0.25,weights="1,3")`: func(p given) float64 {
		history := (p.rw[1]-p.rl[1])/4 + 3*(p.rw[2]-p.rl[2])/4
		return square(p.w - p.l - 0.25*(p.rw[0]-p.rl[0]) - 0.75*history - 1/(2*0.4))
	},
	"online-ipo(beta=0.7)": func(p given) float64 { return square(p.w - p.rw[0] - p.l + p.rl[0] - (p.qw-p.ql)/0.7) },
	"srpo-robust(beta=0.7)": func(p given) float64 {
		return square(p.w - p.rw[0] - p.l + p.rl[0] - 0.5/0.7)
	},
	"dno(eta=0.6)": func(p given) float64 {
		label, x := sigma(p.qw-p.ql), 0.6*p.ratios()
		return -label*math.Log(sigma(x)) - (1-label)*math.Log(1-sigma(x))
	},
	"mcts-dpo(beta=0.6)": func(p given) float64 {
		e, x := math.Min(0.5, p.nl/(p.nw+p.nl)), 0.6*p.ratios()
		return -(1-e)*math.Log(sigma(x)) - e*math.Log(1-sigma(x))
	},
	"step-apo(beta=0.6,alpha=0.3)": func(p given) float64 {
		return -math.Log(sigma(0.6*p.ratios() - 0.3*(p.qw-p.ql)))
	},
	"rpo-regularized(beta=0.6,eta=0.3)": func(p given) float64 {
		return -math.Log(sigma(0.6*p.ratios())) - 0.3*0.6*p.w
	},
	"rpo-reward-aware(beta=0.6,eta=2,distance=sq)": func(p given) float64 {
		return square(0.6*p.ratios() - 2*(p.qw-p.ql))
	},
	"rpo-reward-aware(beta=0.6,eta=2)": func(p given) float64 {
		a, b := sigma(2*(p.qw-p.ql)), sigma(0.6*p.ratios())
		return a*math.Log(a/b) + (1-a)*math.Log((1-a)/(1-b))
	},
	"rpo-reward-aware(beta=0.6,eta=2,distance=fwd_kl)": func(p given) float64 {
		a, b := sigma(2*(p.qw-p.ql)), sigma(0.6*p.ratios())
		return b*math.Log(b/a) + (1-b)*math.Log((1-b)/(1-a))
	},
	"hypo-hybrid(beta=0.6,lambda=0.2)": func(p given) float64 {
		return -math.Log(sigma(0.6*p.ratios())) + 0.2*square(p.e-p.re[0])/2
	},
	"selm(beta=0.6,alpha=0.2)": func(p given) float64 {
		return -math.Log(sigma(0.6*p.ratios())) + 0.2*0.6*(p.e-p.re[0])
	},
	"vpo(beta=0.6,alpha=0.2)": func(p given) float64 {
		return -math.Log(sigma(0.6*p.ratios())) + 0.2*0.6*p.e
	},
	"vpo(beta=0.6,alpha=0.2,mode=offline)": func(p given) float64 {
		return -math.Log(sigma(0.6*p.ratios())) - 0.2*0.6*p.e
	},
	"xpo(beta=0.6,alpha=0.2)": func(p given) float64 {
		return -math.Log(sigma(0.6*p.ratios())) + 0.2*p.e
	},
	"apo-accelerated(beta=0.6,extrapolate=0.4)": func(p given) float64 {
		u := func(x float64, ref [3]float64) float64 { return x - 1.4*ref[0] + 0.4*ref[1] }
		return -math.Log(sigma(0.6 * (u(p.w, p.rw) - u(p.l, p.rl))))
	},
	"spo-minimax": func(p given) float64 { return -(p.qw-0.5)*p.w - (p.ql-0.5)*p.l },
	"gpo-generalized(beta=0.6,convex=exponential)": func(p given) float64 {
		return math.Exp(-0.6 * (p.w - p.rw[0] - p.l + p.rl[0]))
	},
	"gpo-generalized(beta=0.6,convex=truncated)": func(p given) float64 {
		return square(math.Max(0, 1-0.6*p.ratios()))
	},
	"gpo-generalized(beta=0.6,convex=savage)": func(p given) float64 {
		return math.Pow(1+math.Exp(0.6*p.ratios()), -2)
	},
	"irpo(beta=0.6,sft=0.3)": func(p given) float64 {
		return -math.Log(sigma(0.6*p.ratios())) - 0.3*p.w/p.tw
	},
}

// Losses are the papers', and slopes those of the papers' formulas.
func TestPapers(t *testing.T) {
	var r *rand.Rand
	draw := func() float64 { return -3 * r.ExpFloat64() }
	tokens := func(x float64) []float64 { // of one to three
		return [][]float64{{x}, {0.3 * x, 0.7 * x}, {0.5 * x, 0.1 * x, 0.4 * x}}[r.IntN(3)]
	}
	for text, form := range papers {
		o := named(t, text)
		r = rand.New(rand.NewPCG(81, 82))
		all := make([]given, 4)
		batch := make([]objective.Preference, len(all))
		for i := range all {
			p := &all[i]
			p.qw, p.ql, p.nw, p.nl = r.Float64(), r.Float64(), float64(1+r.IntN(9)), float64(1+r.IntN(9))
			side := func(x *float64, refs *[3]float64, n *float64) objective.Sequence {
				*x = draw()
				s := objective.Sequence{LogP: tokens(*x)}
				if *n = float64(len(s.LogP)); r.IntN(2) == 0 { // given as sums
					s.LogP, s.Tokens = []float64{*x}, *n
				}
				for k := range refs {
					if refs[k] = draw(); k < max(1, len(o.Base)) {
						share := make([]float64, len(s.LogP))
						share[0] = refs[k]
						s.Ref = append(s.Ref, share)
					}
				}
				return s
			}
			batch[i] = objective.Preference{Q: &[2]float64{p.qw, p.ql}, N: &[2]float64{p.nw, p.nl}}
			var te float64
			batch[i].Chosen, batch[i].Rejected = side(&p.w, &p.rw, &p.tw), side(&p.l, &p.rl, &p.tl)
			extra := side(&p.e, &p.re, &te)
			batch[i].Extra = &extra
		}
		mean := func() (sum float64) {
			for _, p := range all {
				sum += form(p) / float64(len(all))
			}
			return sum
		}
		got, err := o.Evaluate(batch)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if want := mean(); !(math.Abs(got.Loss-want) <= 1e-12*math.Max(1, math.Abs(want))) {
			t.Errorf("%s: %.15g, expected %.15g", text, got.Loss, want)
		}
		for i := range all {
			g, p := got.Grads[i], &all[i]
			if o.PerToken {
				g.Chosen, g.Rejected = g.Chosen/p.tw, g.Rejected/p.tl
			}
			for _, side := range []struct {
				name string
				got  float64
				x    *float64
			}{{"chosen", g.Chosen, &p.w}, {"rejected", g.Rejected, &p.l}, {"extra", g.Extra, &p.e}} {
				if want := slope(side.x, mean); !(math.Abs(side.got-want) <= 1e-8*math.Max(0.1, math.Abs(want))) {
					t.Errorf("%s: pair %d: slope of %s %.12g, the paper's formula has %.12g", text, i+1, side.name, side.got, want)
				}
			}
		}
	}
}

// Lists as the papers write them, with sums of exponentials as they stand.
func TestClosedFormsOfLists(t *testing.T) {
	u, v := []float64{0.4, -1.1, 0.7}, []float64{0.2, 0.9, 0.5} // best first: 1, 2, 0
	var l objective.Listing
	for k := range u {
		l.Answers = append(l.Answers, objective.Sequence{LogP: []float64{u[k] - 2}, Ref: [][]float64{{-2}}})
	}
	l.Scores = v
	r := func(beta float64, k int) float64 { return beta * u[k] }
	e := func(beta float64, k int) float64 { return math.Exp(r(beta, k)) }
	p := func(tau float64, k int) float64 {
		return math.Exp(v[k]/tau) / (math.Exp(v[0]/tau) + math.Exp(v[1]/tau) + math.Exp(v[2]/tau))
	}
	infonca, nca, sppo := 0.0, 0.0, 0.0
	for k := range u {
		infonca -= p(0.5, k) * math.Log(e(2, k)/(e(2, 0)+e(2, 1)+e(2, 2)))
		nca -= p(0.5, k)*math.Log(sigma(r(2, k))) + math.Log(sigma(-r(2, k)))/3
		sppo += square(u[k]-(v[k]-0.5)/2) / 2
	}
	discount := func(rank float64) float64 { return 1 / math.Log2(1+rank) }
	pair := func(i, j int, ri, rj float64) float64 {
		return -math.Abs(math.Exp2(v[i])-math.Exp2(v[j])) * math.Abs(discount(ri)-discount(rj)) * math.Log(sigma(r(2, i)-r(2, j)))
	}
	for text, want := range map[string]float64{
		"plackett-luce(beta=2)":            -math.Log(e(2, 1)/(e(2, 0)+e(2, 1)+e(2, 2))) - math.Log(e(2, 2)/(e(2, 0)+e(2, 2))),
		"infonca(beta=2,temperature=0.5)":  infonca,
		"nca-list(beta=2,temperature=0.5)": nca,
		"sppo-list(beta=2)":                sppo,
		"tpo-tree(beta=2)":                 (pair(1, 2, 1, 2) + pair(1, 0, 1, 3) + pair(2, 0, 2, 3)) / 3,
	} {
		o, err := objective.Get(text)
		if err != nil {
			t.Fatal(err)
		}
		got, err := o.List.Evaluate([]objective.Listing{l})
		if err != nil || math.Abs(got.Loss-want) > 1e-12 {
			t.Errorf("%s: %.15g, %v, expected %.15g", text, got.Loss, err, want)
		}
	}
}
