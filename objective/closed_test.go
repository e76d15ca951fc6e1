package objective_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/agon-rl/agon/objective"
)

// given is a pair as papers write it: summed log-probabilities of the chosen answer,
// the rejected and a third by the policy and by two references, values, and lengths.
type given struct {
	w, l, e    float64
	rw, rl, re [3]float64
	qw, ql     float64
	nw, nl     float64
}

func square(x float64) float64 { return x * x }

// closedForms are losses of one pair as the papers, or the released code, write them,
// for objectives that TRL does not have.
var closedForms = map[string]func(p given) float64{
	"sppo(beta=0.5)": func(p given) float64 {
		return (square(p.w-p.rw[0]-(p.qw-0.5)/0.5) + square(p.l-p.rl[0]-(p.ql-0.5)/0.5)) / 2
	},
	"gpo-preference(beta=0.5)": func(p given) float64 {
		return (square(p.w-p.rw[0]-p.qw/0.5) + square(p.l-p.rl[0]-p.ql/0.5)) / 2
	},
	"spin(beta=0.3)":            func(p given) float64 { return math.Log1p(math.Exp(-0.3 * (p.w - p.rw[0] - p.l + p.rl[0]))) },
	"spin(beta=0.3,loss=hinge)": func(p given) float64 { return math.Max(0, 1-0.3*(p.w-p.rw[0]-p.l+p.rl[0])) },
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
		label, x := sigma(p.qw-p.ql), 0.6*(p.w-p.rw[0]-p.l+p.rl[0])
		return -label*math.Log(sigma(x)) - (1-label)*math.Log(1-sigma(x))
	},
	"mcts-dpo(beta=0.6)": func(p given) float64 {
		e, x := math.Min(0.5, p.nl/(p.nw+p.nl)), 0.6*(p.w-p.rw[0]-p.l+p.rl[0])
		return -(1-e)*math.Log(sigma(x)) - e*math.Log(1-sigma(x))
	},
	"step-apo(beta=0.6,alpha=0.3)": func(p given) float64 {
		return -math.Log(sigma(0.6*(p.w-p.rw[0]-p.l+p.rl[0]) - 0.3*(p.qw-p.ql)))
	},
	"rpo-regularized(beta=0.6,eta=0.3)": func(p given) float64 {
		return -math.Log(sigma(0.6*(p.w-p.rw[0]-p.l+p.rl[0]))) - 0.3*0.6*p.w
	},
	"rpo-reward-aware(beta=0.6,eta=2,distance=sq)": func(p given) float64 {
		return square(0.6*(p.w-p.rw[0]-p.l+p.rl[0]) - 2*(p.qw-p.ql))
	},
	"rpo-reward-aware(beta=0.6,eta=2)": func(p given) float64 {
		a, b := sigma(2*(p.qw-p.ql)), sigma(0.6*(p.w-p.rw[0]-p.l+p.rl[0]))
		return a*math.Log(a/b) + (1-a)*math.Log((1-a)/(1-b))
	},
	"rpo-reward-aware(beta=0.6,eta=2,distance=fwd_kl)": func(p given) float64 {
		a, b := sigma(2*(p.qw-p.ql)), sigma(0.6*(p.w-p.rw[0]-p.l+p.rl[0]))
		return b*math.Log(b/a) + (1-b)*math.Log((1-b)/(1-a))
	},
	"hypo-hybrid(beta=0.6,lambda=0.2)": func(p given) float64 {
		return -math.Log(sigma(0.6*(p.w-p.rw[0]-p.l+p.rl[0]))) + 0.2*square(p.e-p.re[0])/2
	},
	"selm(beta=0.6,alpha=0.2)": func(p given) float64 {
		return -math.Log(sigma(0.6*(p.w-p.rw[0]-p.l+p.rl[0]))) + 0.2*0.6*(p.e-p.re[0])
	},
	"vpo(beta=0.6,alpha=0.2)": func(p given) float64 {
		return -math.Log(sigma(0.6*(p.w-p.rw[0]-p.l+p.rl[0]))) + 0.2*0.6*p.e
	},
	"vpo(beta=0.6,alpha=0.2,mode=offline)": func(p given) float64 {
		return -math.Log(sigma(0.6*(p.w-p.rw[0]-p.l+p.rl[0]))) - 0.2*0.6*p.e
	},
	"xpo(beta=0.6,alpha=0.2)": func(p given) float64 {
		return -math.Log(sigma(0.6*(p.w-p.rw[0]-p.l+p.rl[0]))) + 0.2*p.e
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
		return square(math.Max(0, 1-0.6*(p.w-p.rw[0]-p.l+p.rl[0])))
	},
	"gpo-generalized(beta=0.6,convex=savage)": func(p given) float64 {
		return math.Pow(1+math.Exp(0.6*(p.w-p.rw[0]-p.l+p.rl[0])), -2)
	},
	"irpo(beta=0.6,sft=0.3)": func(p given) float64 {
		return -math.Log(sigma(0.6*(p.w-p.rw[0]-p.l+p.rl[0]))) - 0.3*p.w/2
	},
}

func TestClosedForms(t *testing.T) {
	r := rand.New(rand.NewPCG(81, 82))
	halves := func(x float64) []float64 { return []float64{0.3 * x, 0.7 * x} } // two tokens
	for text, form := range closedForms {
		o := named(t, text)
		want := 0.0
		var batch []objective.Preference
		draw := func() float64 { return -3 * r.ExpFloat64() }
		for range 4 {
			p := given{w: draw(), l: draw(), e: draw(), qw: r.Float64(), ql: r.Float64(), nw: float64(1 + r.IntN(9)), nl: float64(1 + r.IntN(9))}
			side := func(x float64, refs *[3]float64) objective.Sequence {
				s := objective.Sequence{LogP: halves(x)}
				for k := range refs {
					if refs[k] = draw(); k < max(1, len(o.Base)) {
						s.Ref = append(s.Ref, halves(refs[k]))
					}
				}
				return s
			}
			extra := side(p.e, &p.re)
			batch = append(batch, objective.Preference{
				Chosen: side(p.w, &p.rw), Rejected: side(p.l, &p.rl), Extra: &extra, Q: &[2]float64{p.qw, p.ql}, N: &[2]float64{p.nw, p.nl},
			})
			want += form(p) / 4
		}
		got, err := o.Evaluate(batch)
		if err != nil {
			t.Fatal(err)
		}
		if !(math.Abs(got.Loss-want) <= 1e-9*math.Max(1, math.Abs(want))) {
			t.Errorf("%s: %.15g, expected %.15g", text, got.Loss, want)
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
