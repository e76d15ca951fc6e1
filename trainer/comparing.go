package trainer

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/agon-rl/agon/policy"
	"github.com/agon-rl/agon/spec"
)

// TEMPORARY closed forms until package objective has its scalar forms.
type comparing interface {
	history() int
	slots(f *references, now *policy.Weights) [][]term
	examples(p *preferring, g *group, r *rand.Rand) []example
	evaluate(batch []example) (map[string]float64, error)
}

type example struct {
	chosen, rejected *answer
	weight, target   float64
}

func answersIn(batch []example) (out []*answer) {
	seen := map[*answer]bool{}
	for _, e := range batch {
		for _, a := range []*answer{e.chosen, e.rejected} {
			if a != nil && !seen[a] {
				seen[a] = true
				out = append(out, a)
			}
		}
	}
	return out
}

type simple struct {
	name           string
	beta, eta, tau float64
}

func newComparing(p GamePreferences) (comparing, error) {
	s, err := spec.Parse(p.Objective)
	if err != nil {
		return nil, err
	}
	r := spec.Read(s)
	o := simple{name: s.Name, beta: r.Float("beta", 0.1, 0, 1e9), eta: r.Float("eta", 1, 0, 1e9), tau: r.Float("tau", 0.1, 0, 1e9)}
	if err := r.Err(); err != nil {
		return nil, err
	}
	switch s.Name {
	case "dpo", "inpo", "online-ipo", "sppo":
		return o, nil
	}
	return nil, fmt.Errorf("preferences.objective: %q", s.Name)
}

func (o simple) history() int { return 0 }
func (o simple) slots(f *references, now *policy.Weights) [][]term {
	return [][]term{f.scheduled(now), {{now, 1}}}
}

func (o simple) examples(p *preferring, g *group, r *rand.Rand) (out []example) {
	if len(g.shown) > 0 {
		for i, d := range g.shown {
			out = append(out, example{chosen: d, rejected: g.own[i%len(g.own)], weight: 1})
		}
		return out
	}
	for _, ij := range p.pairs.choose(g.own, r) {
		a, b := g.own[ij[0]], g.own[ij[1]]
		switch o.name {
		case "online-ipo", "sppo":
			out = append(out, example{a, b, 1, a.share - b.share})
		default:
			q := p.judge.beats(a, b.rival(), r)
			out = append(out, example{a, b, q, 0}, example{b, a, 1 - q, 0})
		}
	}
	return out
}

func (o simple) evaluate(batch []example) (map[string]float64, error) {
	total, margin, sum := 0.0, 0.0, 0.0
	for _, e := range batch {
		total += e.weight
	}
	of := func(a *answer, slot int) (x float64) {
		for i, lp := range a.logProbs {
			if slot < 0 {
				x += lp
			} else {
				x += a.reference[slot][i]
			}
		}
		return x
	}
	u := func(a *answer) float64 {
		switch o.name {
		case "inpo":
			return of(a, -1) - o.tau/o.eta*of(a, 0) - (1-o.tau/o.eta)*of(a, 1)
		case "sppo":
			return of(a, -1) - of(a, 1)
		}
		return of(a, -1) - of(a, 0)
	}
	for _, e := range batch {
		w := e.weight / total
		d := u(e.chosen) - u(e.rejected)
		margin += w * d
		var loss, slope float64
		switch o.name {
		case "dpo":
			loss, slope = math.Log1p(math.Exp(-o.beta*d)), -o.beta/(1+math.Exp(o.beta*d))
		case "inpo":
			x := d - 1/(2*o.eta)
			loss, slope = x*x, 2*x
		case "online-ipo":
			x := d - e.target/o.beta
			loss, slope = x*x, 2*x
		case "sppo":
			for _, s := range []*answer{e.chosen, e.rejected} {
				x := u(s) - (s.share-0.5)/o.beta
				loss += x * x / 2
				s.slope += w * x
			}
		}
		sum += w * loss
		e.chosen.slope += w * slope
		e.rejected.slope -= w * slope
	}
	return map[string]float64{"pair_loss": sum, "pair_margin": margin}, nil
}
