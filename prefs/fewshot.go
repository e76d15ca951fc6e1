package prefs

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/agon-rl/agon/internal/spec"
)

func init() {
	Strategies.Add(spec.Entry[func(r *spec.Reader) Selector]{
		Name: "fewshot", Aliases: []string{"fspo"}, Usage: "fewshot(k=4)",
		Help:  "each pair behind k others of the same source, who is the user (arXiv 2502.19312)",
		Value: func(r *spec.Reader) Selector { return FewShot{K: r.Int("k", 4, 0, 1<<10)} },
	})
}

// FewShot puts each pair behind K labelled pairs of the same user, who is the
// pair's source (FSPO, Singh et al. 2025, arXiv 2502.19312): a model trained on
// them by IPO or DPO learns to learn a user's taste from his examples. The examples
// are drawn among the user's pairs of other states, none twice; a user with fewer
// has fewer.
type FewShot struct{ K int }

// Select implements Selector.
func (s FewShot) Select(_ context.Context, pairs []Pair, r *rand.Rand) ([]Pair, error) {
	if s.K < 0 {
		return nil, fmt.Errorf("prefs: fewshot: k=%d: expected at least 0", s.K)
	}
	tasks, users := tasksOf(pairs), map[string][]int{}
	for i, p := range pairs {
		users[p.Source] = append(users[p.Source], i)
	}
	out := make([]Pair, len(pairs))
	for i, p := range pairs {
		var prompt strings.Builder
		for _, k := range Examples(users[p.Source], s.K, func(j int) bool { return tasks[j] != tasks[i] }, r) {
			q := pairs[k]
			fmt.Fprintf(&prompt, "%s\nbetter: %s\nworse: %s\n\n", q.Prompt, q.Chosen, q.Rejected)
		}
		p.Prompt, p.Rule = prompt.String()+p.Prompt, "fewshot"
		out[i] = p
	}
	return out, nil
}

// Examples draws up to k of a user's places, none twice, among those that may be
// shown.
func Examples(places []int, k int, may func(int) bool, r *rand.Rand) []int {
	var out []int
	moved := map[int]int{} // Fisher and Yates' shuffle as far as it is needed
	at := func(i int) int {
		if j, ok := moved[i]; ok {
			return j
		}
		return i
	}
	for i := 0; i < len(places) && len(out) < k; i++ {
		j := i + r.IntN(len(places)-i)
		place := places[at(j)]
		moved[j] = at(i)
		if may(place) {
			out = append(out, place)
		}
	}
	return out
}
