package prefs

import (
	"context"
	"math/rand/v2"
	"slices"

	"github.com/agon-rl/agon/internal/spec"
)

func init() {
	Strategies.Add(spec.Entry[func(r *spec.Reader) Selector]{
		Name: "all", Usage: "all",
		Help:  "every pair, unchanged",
		Value: func(*spec.Reader) Selector { return All{} },
	})
	Strategies.Add(spec.Entry[func(r *spec.Reader) Selector]{
		Name: "random", Usage: "random(share=0.5)",
		Help:  "a share of the pairs, drawn evenly: what others are measured against",
		Value: func(r *spec.Reader) Selector { return Random{Share: readShare(r, 0.5)} },
	})
	Strategies.Add(spec.Entry[func(r *spec.Reader) Selector]{
		Name: "margin", Aliases: []string{"dno-prct"}, Usage: "margin(gap=0.2)",
		Help:  "pairs whose values differ by a gap at least (arXiv 2404.03715)",
		Value: func(r *spec.Reader) Selector { return Margin{Gap: r.Float("gap", 0.2, 0, 2)} },
	})
	Strategies.Add(spec.Entry[func(r *spec.Reader) Selector]{
		Name: "best-worst", Usage: "best-worst(gap=0)",
		Help:  "the best against the worst answer known of each state (arXiv 2405.00675)",
		Value: func(r *spec.Reader) Selector { return BestWorst{Gap: r.Float("gap", 0, 0, 2)} },
	})
}

// All keeps every pair.
type All struct{}

// Select implements Selector.
func (All) Select(_ context.Context, pairs []Pair, _ *rand.Rand) ([]Pair, error) {
	return slices.Clone(pairs), nil
}

// Random keeps a share of the pairs, each as likely as the other, in their order.
type Random struct{ Share float64 }

// Select implements Selector.
func (s Random) Select(_ context.Context, pairs []Pair, r *rand.Rand) ([]Pair, error) {
	places, err := evenly(len(pairs), s.Share, r)
	return pick(pairs, places), err
}

// evenly draws a share of n places.
func evenly(n int, share float64, r *rand.Rand) ([]int, error) {
	even := make([]float64, n)
	for i := range even {
		even[i] = 1
	}
	return drawn(even, share, r)
}

// Margin keeps pairs whose values differ by the gap at least.
type Margin struct{ Gap float64 }

// Select implements Selector.
func (s Margin) Select(_ context.Context, pairs []Pair, _ *rand.Rand) ([]Pair, error) {
	return slices.DeleteFunc(slices.Clone(pairs), func(p Pair) bool { return p.Gap() < s.Gap }), nil
}

// BestWorst sets the best against the worst candidate of each state, whose values
// must differ by more than Gap (SPPO's choice among its samples, released code).
type BestWorst struct{ Gap float64 }

// Select implements Selector.
func (s BestWorst) Select(_ context.Context, pairs []Pair, _ *rand.Rand) ([]Pair, error) {
	var out []Pair
	for _, g := range Groups(pairs) {
		if gap, best, worst := g.Gap(); gap > s.Gap {
			p := g.State.With(best, worst)
			p.Rule = "best-worst"
			out = append(out, p)
		}
	}
	return out, nil
}
