package prefs

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/agon-rl/agon/internal/spec"
)

func init() {
	Strategies.Add(spec.Entry[func(r *spec.Reader) Selector]{
		Name: "temporal", Aliases: []string{"temporal-self-rewarding"}, Usage: "temporal(past=SOURCE,future=SOURCE,gap=0)",
		Help: "rejected from a past model, chosen from the present or from the one ahead, whichever is better;\nthe first and the last source unless named (arXiv 2508.06026)",
		Value: func(r *spec.Reader) Selector {
			return Temporal{Past: r.String("past", ""), Future: r.String("future", ""), Gap: r.Float("gap", 0, 0, 2)}
		},
	})
}

// Temporal is Temporal Self-Rewarding (Wang et al. 2025, arXiv 2508.06026).
// Where one model gives both answers they grow alike as it learns, and the
// gradient fades. So the rejected answer is the worst of a past model's (anchored
// rejection), and the chosen one the best of the present model's, or of the one
// ahead where that is better (future-guided chosen). Sources tell the models
// apart; what is neither past nor future is present.
type Temporal struct {
	Past, Future string  // sources; the first and the last to appear where empty
	Gap          float64 // the two values must differ by more
}

// Select implements Selector.
func (s Temporal) Select(_ context.Context, pairs []Pair, _ *rand.Rand) ([]Pair, error) {
	groups := Groups(pairs)
	var sources []string
	for _, p := range pairs {
		for _, name := range []string{p.sourceOf(p.ChosenSource), p.sourceOf(p.RejectedSource)} {
			if !slices.Contains(sources, name) {
				sources = append(sources, name)
			}
		}
	}
	if len(sources) < 2 {
		return nil, fmt.Errorf("prefs: temporal: the answers are of %d source: expected those of a past model and of a later one", len(sources))
	}
	past, future := cmp.Or(s.Past, sources[0]), cmp.Or(s.Future, sources[len(sources)-1])
	for _, name := range []string{past, future} {
		if !slices.Contains(sources, name) {
			return nil, fmt.Errorf("prefs: temporal: no answer is of source %q; there are %q", name, sources)
		}
	}
	if past == future {
		return nil, fmt.Errorf("prefs: temporal: past and future are both %q", past)
	}
	byQ := func(a, b Candidate) int { return cmp.Compare(a.Q, b.Q) }
	var out []Pair
	for _, g := range groups {
		var of [3][]Candidate // past, present, future
		for _, a := range g.Answers {
			switch a.Source {
			case past:
				of[0] = append(of[0], a)
			case future:
				of[2] = append(of[2], a)
			default:
				of[1] = append(of[1], a)
			}
		}
		later := slices.Concat(of[1], of[2]) // the present's is first, and stays where the future's is as good
		if len(of[0]) == 0 || len(later) == 0 {
			continue
		}
		chosen, rejected := slices.MaxFunc(later, byQ), slices.MinFunc(of[0], byQ)
		if chosen.Q-rejected.Q > s.Gap {
			p := g.State.With(chosen, rejected)
			p.Rule = "temporal"
			out = append(out, p)
		}
	}
	return out, nil
}
