package prefs

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"gonum.org/v1/gonum/stat/sampleuv"

	"github.com/agon-rl/agon/internal/spec"
)

// Selector is a preference data strategy: it says which pairs are trained on, and
// with which labels. It changes none of what it is given. What it draws, it draws
// from r. Candidates that nobody has paired yet become pairs by Group.All.
type Selector interface {
	Select(ctx context.Context, pairs []Pair, r *rand.Rand) ([]Pair, error)
}

// Strategy is a Selector as it is registered.
type Strategy struct {
	Name    string
	Aliases []string // of papers
	Source  string   // arXiv
	Form    string   // with its settings, as help shows it
	About   string
	read    func(r *spec.Reader) Selector
}

// Strategies are all that FindSelector knows.
var Strategies = []Strategy{
	{Name: "all", Form: "all", About: "every pair, unchanged", read: func(*spec.Reader) Selector { return All{} }},
	{
		Name: "random", Form: "random(share=0.5)", About: "a share of the pairs, drawn evenly: what others are measured against",
		read: func(r *spec.Reader) Selector { return Random{Share: share(r, 0.5)} },
	},
	{
		Name: "best-worst", Source: "2405.00675", Form: "best-worst(gap=0)", About: "the best against the worst answer known of each state",
		read: func(r *spec.Reader) Selector { return BestWorst{Gap: r.Float("gap", 0, 0, 2)} },
	},
	{
		Name: "margin", Aliases: []string{"dno-prct"}, Source: "2404.03715", Form: "margin(gap=0.2)", About: "pairs whose values differ by a gap at least",
		read: func(r *spec.Reader) Selector { return Margin{Gap: r.Float("gap", 0.2, 0, 2)} },
	},
	{
		Name: "certain", Aliases: []string{"upo"}, Source: "2409.11212",
		Form:  "certain(share=0.5,by=gain,agree=true,draw=false,passes=20,folds=5,hidden=32,dropout=0.2,epochs=30,features=auto)",
		About: "pairs of which an estimator with dropout is certain; their doubt goes into the column of that name",
		read:  readCertain,
	},
	{
		Name: "regret", Aliases: []string{"eva"}, Source: "2411.00062", Form: "regret(share=0.5,mix=0.2)",
		About: "states drawn by the gap between their best and worst answers, mixed with even draws; of each its best against its worst",
		read: func(r *spec.Reader) Selector {
			return Regret{Share: share(r, 0.5), Mix: r.Float("mix", DefaultMix, 0, 1)}
		},
	},
	{
		Name: "temporal", Aliases: []string{"temporal-self-rewarding"}, Source: "2508.06026", Form: "temporal(past=SOURCE,future=SOURCE,gap=0)",
		About: "rejected from a past model, chosen from the present or from the one ahead, whichever is better; the first and the last source unless named",
		read: func(r *spec.Reader) Selector {
			return Temporal{Past: r.String("past", ""), Future: r.String("future", ""), Gap: r.Float("gap", 0, 0, 2)}
		},
	},
	{
		Name: "judge", Aliases: []string{"anyprefer"}, Source: "2504.19276", Form: "judge(tool=solver,depth=4,own=prior)",
		About: "labels anew: by a solver that looks so many moves ahead, and where it does not know by the policy's own log-probabilities (own=prior), the old label (keep) or not at all (drop)",
		read:  readJudge,
	},
	{
		Name: "mapl", Source: "2505.12845", Form: "mapl(kind=inter,k=2,share=1)",
		About: "inter: k pairs joined to one of k tasks; intra: one answer under the prompt where it was chosen and one where it was rejected",
		read:  readMAPL,
	},
	{
		Name: "fewshot", Aliases: []string{"fspo"}, Source: "2502.19312", Form: "fewshot(k=4)",
		About: "each pair behind k others of the same source, who is the user",
		read:  func(r *spec.Reader) Selector { return FewShot{K: r.Int("k", 4, 0, 1<<10)} },
	},
}

func share(r *spec.Reader, fallback float64) float64 {
	return r.Float("share", fallback, math.SmallestNonzeroFloat64, 1)
}

// FindSelector returns the strategy that text names, such as best-worst or
// certain(share=0.3).
func FindSelector(text string) (Selector, error) {
	s, err := spec.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("strategy %w", err)
	}
	i := slices.IndexFunc(Strategies, func(k Strategy) bool { return k.Name == s.Name || slices.Contains(k.Aliases, s.Name) })
	if i < 0 {
		return nil, fmt.Errorf("strategy %q is unknown%s; there are %s", s.Name, spec.Suggest(s.Name, StrategyNames()), strings.Join(StrategyNames(), ", "))
	}
	r := spec.Read(s)
	out := Strategies[i].read(r)
	if err := r.Err(); err != nil {
		return nil, fmt.Errorf("strategy %w", err)
	}
	return out, nil
}

// StrategyNames lists the names of Strategies, aliases left out.
func StrategyNames() []string {
	var out []string
	for _, s := range Strategies {
		out = append(out, s.Name)
	}
	return out
}

// Answer is one candidate at a state: an action, or a text.
type Answer struct {
	Text      string
	Action    int32
	Q         float64 // its value or reward
	Visits    int64
	Prior     float64 // log-probabilities, as in Pair
	Behaviour float64
	Source    string // whose answer it is
	Seed      int64
}

// Group is a state and the candidates known of it. The state is a Pair without
// its answers.
type Group struct {
	State   Pair
	Answers []Answer
}

// Answers are the two candidates of a pair.
func (p Pair) Answers() (chosen, rejected Answer) {
	chosen = Answer{p.Chosen, p.ChosenAction, p.ChosenQ, p.ChosenVisits, p.ChosenPrior, p.ChosenBehaviour, p.sourceOf(p.ChosenSource), p.Seed}
	rejected = Answer{p.Rejected, p.RejectedAction, p.RejectedQ, p.RejectedVisits, p.RejectedPrior, p.RejectedBehaviour, p.sourceOf(p.RejectedSource), p.Seed}
	return chosen, rejected
}

// sourceOf is a source that was noted, or the pair's.
func (p Pair) sourceOf(noted string) string {
	if noted != "" {
		return noted
	}
	return p.Source
}

// With is the pair of the same state with other answers.
func (p Pair) With(chosen, rejected Answer) Pair {
	p.Chosen, p.ChosenAction, p.ChosenQ, p.ChosenVisits = chosen.Text, chosen.Action, chosen.Q, chosen.Visits
	p.ChosenPrior, p.ChosenBehaviour, p.ChosenSource = chosen.Prior, chosen.Behaviour, chosen.Source
	p.Rejected, p.RejectedAction, p.RejectedQ, p.RejectedVisits = rejected.Text, rejected.Action, rejected.Q, rejected.Visits
	p.RejectedPrior, p.RejectedBehaviour, p.RejectedSource = rejected.Prior, rejected.Behaviour, rejected.Source
	p.Seed, p.Doubt = chosen.Seed, 0
	if chosen.Source == rejected.Source {
		p.Source, p.ChosenSource, p.RejectedSource = chosen.Source, "", ""
	}
	return p
}

// Groups gathers the candidates of pairs by state, in the order in which states
// and answers come. Where one source has the same answer twice, the one that was
// tried more often counts.
func Groups(pairs []Pair) []Group {
	index := map[string]int{}
	var out []Group
	for _, p := range pairs {
		key := p.task()
		i, ok := index[key]
		if !ok {
			i = len(out)
			index[key] = i
			state := p.With(Answer{Source: p.Source}, Answer{Source: p.Source})
			state.Rule = ""
			out = append(out, Group{State: state})
		}
		chosen, rejected := p.Answers()
		out[i].add(chosen)
		out[i].add(rejected)
	}
	return out
}

// task tells what was to be answered: the state and who moves, or the prompt
// where no game is behind it.
func (p Pair) task() string {
	if p.Game == "" {
		return p.Prompt
	}
	return fmt.Sprint(p.Game, p.History, p.Seat)
}

// tasksOf are the tasks of pairs.
func tasksOf(pairs []Pair) []string {
	out := make([]string, len(pairs))
	for i, p := range pairs {
		out[i] = p.task()
	}
	return out
}

func (g *Group) add(a Answer) {
	i := slices.IndexFunc(g.Answers, func(b Answer) bool { return b.Text == a.Text && b.Action == a.Action && b.Source == a.Source })
	switch {
	case i < 0:
		g.Answers = append(g.Answers, a)
	case a.Visits > g.Answers[i].Visits:
		g.Answers[i] = a
	}
}

// Gap is how far the best answer's value lies above the worst's, which are the
// first of their kind.
func (g Group) Gap() (gap float64, best, worst Answer) {
	if len(g.Answers) == 0 {
		return 0, Answer{}, Answer{}
	}
	byQ := func(a, b Answer) int { return cmp.Compare(a.Q, b.Q) }
	best, worst = slices.MaxFunc(g.Answers, byQ), slices.MinFunc(g.Answers, byQ)
	return best.Q - worst.Q, best, worst
}

// All are the pairs of every two candidates whose values differ by more than gap.
func (g Group) All(gap float64, rule string) []Pair {
	var out []Pair
	for _, w := range g.Answers {
		for _, l := range g.Answers {
			if w.Q-l.Q > gap {
				p := g.State.With(w, l)
				p.Rule = rule
				out = append(out, p)
			}
		}
	}
	return out
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

// drawn draws a share of the places without putting any back, each time in
// proportion to the weights of those left. It gives them in ascending order;
// places of weight 0 are never drawn.
func drawn(weights []float64, share float64, r *rand.Rand) ([]int, error) {
	if !(share > 0 && share <= 1) {
		return nil, fmt.Errorf("prefs: share=%g: expected more than 0 and at most 1", share)
	}
	want, positive := int(math.Round(share*float64(len(weights)))), 0
	for _, w := range weights {
		if !(w >= 0) || math.IsInf(w, 0) {
			return nil, errors.New("prefs: a weight is negative or no number")
		}
		if w > 0 {
			positive++
		}
	}
	if want = min(want, positive); want == 0 {
		return nil, nil
	}
	urn := sampleuv.NewWeighted(slices.Clone(weights), r)
	var out []int
	for range want {
		i, ok := urn.Take()
		if !ok {
			break
		}
		out = append(out, i)
	}
	slices.Sort(out)
	return out, nil
}

func pick(pairs []Pair, places []int) []Pair {
	out := make([]Pair, len(places))
	for i, place := range places {
		out[i] = pairs[place]
	}
	return out
}
