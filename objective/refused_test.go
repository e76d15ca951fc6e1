package objective_test

import (
	"math"
	"strings"
	"testing"

	"github.com/agon-rl/agon/objective"
)

// What a program may give by mistake is refused in a line that names it.
func TestRefused(t *testing.T) {
	nan, inf, one := math.NaN(), math.Inf(1), 1.0
	pair := func(change func(o *objective.Pair, p *objective.Preference)) func() error {
		return func() error {
			o := named(t, "dpo")
			p := objective.Preference{
				Chosen:   objective.Sequence{LogP: []float64{-1}, Ref: [][]float64{{-1}}},
				Rejected: objective.Sequence{LogP: []float64{-2}, Ref: [][]float64{{-1}}},
			}
			change(&o, &p)
			_, err := o.Evaluate([]objective.Preference{{Chosen: p.Chosen, Rejected: p.Rejected}, p})
			return err
		}
	}
	setting := func(change func(o *objective.Pair)) func() error {
		return pair(func(o *objective.Pair, _ *objective.Preference) { change(o) })
	}
	list := func(change func(o *objective.List, l *objective.Listing)) func() error {
		return func() error {
			o, err := objective.Get("infonca")
			if err != nil {
				t.Fatal(err)
			}
			good := objective.Sequence{LogP: []float64{-1}, Ref: [][]float64{{-1}}}
			l := objective.Listing{Answers: []objective.Sequence{good, good}, Scores: []float64{1, 2}}
			first := l
			change(&o.List, &l)
			_, err = o.List.Evaluate([]objective.Listing{first, l})
			return err
		}
	}
	number := func(x float64) *float64 { return &x }
	for _, c := range []struct {
		want     string
		evaluate func() error
	}{
		{"pairs: empty", func() error { _, err := named(t, "dpo").Evaluate(nil); return err }},
		{"pair 1: chosen.logp: token 1: NaN", pair(func(_ *objective.Pair, p *objective.Preference) { p.Chosen.LogP = []float64{nan} })},
		{"pair 1: rejected.ref: token 1: +Inf", pair(func(_ *objective.Pair, p *objective.Preference) { p.Rejected.Ref = [][]float64{{inf}} })},
		{"pair 1: rejected.logp: empty", pair(func(_ *objective.Pair, p *objective.Preference) { p.Rejected.LogP = nil })},
		{"pair 2: extra.logp: token 1: -Inf", pair(func(_ *objective.Pair, p *objective.Preference) { p.Extra = &objective.Sequence{LogP: []float64{-inf}} })},
		{"pair 2: target: NaN: expected", pair(func(_ *objective.Pair, p *objective.Preference) { p.Target = &nan })},
		{"pair 2: target: -0.1: expected", pair(func(_ *objective.Pair, p *objective.Preference) { p.Target = number(-0.1) })},
		{"pair 2: margin: +Inf: expected a finite", pair(func(_ *objective.Pair, p *objective.Preference) { p.Margin = &inf })},
		{"pair 2: weight: +Inf: expected", pair(func(_ *objective.Pair, p *objective.Preference) { p.Weight = &inf })},
		{"pair 2: q: [0, NaN]: expected two finite", pair(func(_ *objective.Pair, p *objective.Preference) { p.Q = &[2]float64{0, nan} })},
		{"pair 2: n: [0, -1]: expected two numbers", pair(func(_ *objective.Pair, p *objective.Preference) { p.N = &[2]float64{0, -1} })},
		{`shape "round": expected aot, aot-unpaired`, setting(func(o *objective.Pair) { o.Shape = "round" })},
		{"beta=0: expected more than 0", setting(func(o *objective.Pair) { o.Beta = 0 })},
		{"beta=+Inf: expected more than 0", setting(func(o *objective.Pair) { o.Beta = inf })},
		{"beta=NaN: expected more than 0", setting(func(o *objective.Pair) { o.Beta = nan })},
		{"smoothing=-0.1: expected 0 to 0.5", setting(func(o *objective.Pair) { o.Smoothing = -0.1 })},
		{"smoothing=0.6: expected 0 to 0.5", setting(func(o *objective.Pair) { o.Smoothing = 0.6 })},
		{"sft, alpha, gamma: expected finite", setting(func(o *objective.Pair) { o.SFT = -1 })},
		{"sft, alpha, gamma: expected finite", setting(func(o *objective.Pair) { o.SFT = inf })},
		{"sft, alpha, gamma: expected finite", setting(func(o *objective.Pair) { o.Alpha = nan })},
		{"sft, alpha, gamma: expected finite", setting(func(o *objective.Pair) { o.Gamma = -inf })},
		{"sft, alpha, gamma: expected finite", setting(func(o *objective.Pair) { o.Third = inf })},
		{"temperature=0: expected more than 0", setting(func(o *objective.Pair) { o.Label, o.Temperature = "q", 0 })},
		{"temperature=+Inf: expected more than 0", setting(func(o *objective.Pair) { o.Label, o.Temperature = "q", inf })},
		{"tau=0: expected more than 0", setting(func(o *objective.Pair) { o.Shape = "discopop" })},
		{"tau=+Inf: expected more than 0", setting(func(o *objective.Pair) { o.Shape, o.Tau = "discopop", inf })},
		{`link "bent" with curve 0`, setting(func(o *objective.Pair) { o.Link = "bent" })},
		{`link "power" with curve 0`, setting(func(o *objective.Pair) { o.Link = "power" })},
		{`link "power" with curve +Inf`, setting(func(o *objective.Pair) { o.Link, o.Curve = "power", inf })},
		{"desirable=-1, undesirable=2: expected", setting(func(o *objective.Pair) { o.Shape, o.Desirable, o.Undesirable = "kto", -1, 2 })},
		{"desirable=2, undesirable=-1: expected", setting(func(o *objective.Pair) { o.Shape, o.Desirable, o.Undesirable = "kto", 2, -1 })},
		{"desirable=0, undesirable=0: expected", setting(func(o *objective.Pair) { o.Shape = "kto" })},
		{"base [0.5 0.2]: expected weights", setting(func(o *objective.Pair) { o.Base = []float64{0.5, 0.2} })},
		{"base [NaN 0.2]: expected weights", setting(func(o *objective.Pair) { o.Base = []float64{nan, 0.2} })},
		{"shape \"round\": expected aot", setting(func(o *objective.Pair) { o.Parts = []objective.Part{{Weight: 1, Pair: objective.Pair{Shape: "round"}}} })},
		{"target: 1: objective exo takes its", func() error { return exoWith(t, &one) }},
		{"target: 0: objective exo takes its", func() error { return exoWith(t, number(0)) }},
		{"lists: empty", func() error { _, err := objective.List{Shape: "lambda", Beta: 1}.Evaluate(nil); return err }},
		{"list 2: answers: 1: expected at least two", list(func(_ *objective.List, l *objective.Listing) { l.Answers = l.Answers[:1] })},
		{"list 2: scores: 1, and there are 2 answers", list(func(_ *objective.List, l *objective.Listing) { l.Scores = l.Scores[:1] })},
		{"list 2: scores: NaN: expected", list(func(_ *objective.List, l *objective.Listing) { l.Scores = []float64{1, nan} })},
		{"list 2: scores: +Inf: expected", list(func(_ *objective.List, l *objective.Listing) { l.Scores = []float64{1, inf} })},
		{"list 2: weight: -1: expected", list(func(_ *objective.List, l *objective.Listing) { l.Weight = number(-1) })},
		{"list 2: weight: +Inf: expected", list(func(_ *objective.List, l *objective.Listing) { l.Weight = &inf })},
		{`list objective: shape "": expected infonca`, list(func(o *objective.List, _ *objective.Listing) { o.Shape = "" })},
		{"list objective: beta=0: expected", list(func(o *objective.List, _ *objective.Listing) { o.Beta = 0 })},
		{"list objective: beta=+Inf: expected", list(func(o *objective.List, _ *objective.Listing) { o.Beta = inf })},
		{"list objective: temperature=0: expected", list(func(o *objective.List, _ *objective.Listing) { o.Temperature = 0 })},
		{"list objective: temperature=+Inf: expected", list(func(o *objective.List, _ *objective.Listing) { o.Temperature = inf })},
	} {
		if err := c.evaluate(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, expected %q", err, c.want)
		}
	}
	// The ends of what is taken.
	for name, evaluate := range map[string]func() error{
		"tie":       pair(func(_ *objective.Pair, p *objective.Preference) { p.Target, p.Weight = number(0), number(0) }),
		"sure":      pair(func(_ *objective.Pair, p *objective.Preference) { p.Target, p.N = &one, &[2]float64{0, 0} }),
		"smoothing": setting(func(o *objective.Pair) { o.Smoothing = 0.5 }),
		"kto":       setting(func(o *objective.Pair) { o.Shape, o.Desirable = "kto", 1 }),
		"weight":    list(func(_ *objective.List, l *objective.Listing) { l.Weight = number(0) }),
		"lambda":    list(func(o *objective.List, _ *objective.Listing) { o.Shape, o.Temperature = "lambda", 0 }),
	} {
		if err := evaluate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func exoWith(t *testing.T, target *float64) error {
	s := objective.Sequence{LogP: []float64{-1}, Ref: [][]float64{{-1}}}
	_, err := named(t, "exo").Evaluate([]objective.Preference{{Chosen: s, Rejected: s, Target: target}})
	return err
}
