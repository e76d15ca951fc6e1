package prefs

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/stat/sampleuv"

	"github.com/agon-rl/agon/internal/spec"
)

// Selector is a preference data strategy: it says which pairs are trained on, and
// with which labels. It changes none of what it is given. What it draws, it draws
// from r. Candidates that nobody has paired yet become pairs by Group.All.
type Selector interface {
	Select(ctx context.Context, pairs []Pair, r *rand.Rand) ([]Pair, error)
}

// Strategies are the strategies that can be named, papers' names for them among the
// aliases. Each is added by the file that defines it.
var Strategies spec.Registry[func(r *spec.Reader) Selector]

func readShare(r *spec.Reader, fallback float64) float64 {
	return r.Float("share", fallback, math.SmallestNonzeroFloat64, 1)
}

// FindSelector returns the strategy that text names, such as best-worst or
// certain(share=0.3).
func FindSelector(text string) (Selector, error) {
	kind, r, err := Strategies.Read(text)
	if err != nil {
		return nil, fmt.Errorf("strategy %w", err)
	}
	out := kind.Value(r)
	if err := r.Err(); err != nil {
		return nil, fmt.Errorf("strategy %w", err)
	}
	return out, nil
}

// Candidate is one candidate at a state: an action, or a text.
type Candidate struct {
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
	Answers []Candidate
}

// Answers are the two candidates of a pair.
func (p Pair) Answers() (chosen, rejected Candidate) {
	chosen = Candidate{p.Chosen, p.ChosenAction, p.ChosenQ, p.ChosenVisits, p.ChosenPrior, p.ChosenBehaviour, p.sourceOf(p.ChosenSource), p.Seed}
	rejected = Candidate{p.Rejected, p.RejectedAction, p.RejectedQ, p.RejectedVisits, p.RejectedPrior, p.RejectedBehaviour, p.sourceOf(p.RejectedSource), p.Seed}
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
func (p Pair) With(chosen, rejected Candidate) Pair {
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
			state := p.With(Candidate{Source: p.Source}, Candidate{Source: p.Source})
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

func (g *Group) add(a Candidate) {
	i := slices.IndexFunc(g.Answers, func(b Candidate) bool { return b.Text == a.Text && b.Action == a.Action && b.Source == a.Source })
	switch {
	case i < 0:
		g.Answers = append(g.Answers, a)
	case a.Visits > g.Answers[i].Visits:
		g.Answers[i] = a
	}
}

// Gap is how far the best answer's value lies above the worst's, which are the
// first of their kind.
func (g Group) Gap() (gap float64, best, worst Candidate) {
	if len(g.Answers) == 0 {
		return 0, Candidate{}, Candidate{}
	}
	byQ := func(a, b Candidate) int { return cmp.Compare(a.Q, b.Q) }
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
