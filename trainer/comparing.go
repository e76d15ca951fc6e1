package trainer

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/agon-rl/agon/objective"
	"github.com/agon-rl/agon/policy"
)

// comparing is a preference objective on answers: what package objective knows by a
// name, and nothing that depends on which it is.
type comparing struct {
	objective.Objective
	scheduled bool // the recipe's reference stands for the objective's first
	certain   bool // pairs are labelled by their shares, the better one chosen
	shown     bool // demonstrations are chosen
}

// example is a pair of answers or, where rejected is nil, a list of them.
type example struct {
	objective.Preference
	chosen, rejected, extra *answer
	list                    []*answer
}

// newComparing finds the objective of a recipe's preferences.
func newComparing(p GamePreferences) (*comparing, error) {
	o, err := objective.Get(p.Objective)
	if err != nil {
		return nil, fmt.Errorf("preferences.objective: %w", err)
	}
	c := &comparing{Objective: o, scheduled: p.Reference != autoReference, certain: strings.HasPrefix(p.Pairs, "best_worst"), shown: p.Demonstrations != ""}
	switch {
	case c.scheduled && len(c.Entry.References) == 0:
		return nil, fmt.Errorf("preferences.reference: %s: objective %s has no reference: expected auto", p.Reference, c.Entry.Name)
	case c.scheduled && c.trails() && len(c.Pair.Base) > 1:
		return nil, fmt.Errorf("preferences.reference: %s: objective %s mixes the previous policies itself: expected auto", p.Reference, c.Entry.Name)
	}
	return c, nil
}

// trails tells whether the objective's references are the previous policies from the
// first on, as SPPO's, and not one that the recipe names and then these, as INPO's.
func (c *comparing) trails() bool {
	return len(c.Entry.References) > 0 && strings.HasPrefix(c.Entry.References[0], "previous")
}

// references is how many references the objective mixes.
func (c *comparing) references() int {
	if len(c.Entry.References) == 0 {
		return 0
	}
	return max(1, len(c.Pair.Base))
}

// history is how many networks before θ_t the references reach.
func (c *comparing) history() int {
	if c.trails() {
		return max(0, c.references()-1)
	}
	return max(0, c.references()-2)
}

// slots are the networks that each of the objective's references is made of.
func (c *comparing) slots(f *references, now *policy.Weights) (out [][]term) {
	for k := range c.references() {
		switch {
		case k == 0 && (c.scheduled || !c.trails()):
			out = append(out, f.scheduled(now))
		case c.trails():
			out = append(out, []term{{f.before(k, now), 1}})
		default:
			out = append(out, []term{{f.before(k-1, now), 1}})
		}
	}
	return out
}

// scored tells whether an example needs to know what its answers are worth, and not
// only which one is better.
func (c *comparing) scored() bool {
	return c.OfLists() || c.certain || c.Pair.Label != "" || c.Pair.Alpha != 0 || c.margined()
}

// margined tells whether a pair's margin is its lead in shares.
func (c *comparing) margined() bool { return c.Entry.Margin }

// sorts tells whether the objective sorts a batch, in which no example has a weight.
func (c *comparing) sorts() bool { return strings.HasPrefix(c.Pair.Shape, "aot") }

// third tells whether the objective takes a third answer.
func (c *comparing) third() bool { return c.Needs().Extra != "" && !c.Pair.Pessimism }

// examples makes the examples of a group. Where the objective has scores, they are
// the answers' shares. Else a pair stands in both orders, each with the probability
// that the judge prefers it so: its loss is the expected one.
func (c *comparing) examples(p *preferring, g *group, r *rand.Rand) (out []example) {
	if c.OfLists() {
		if all := slices.Concat(g.own, g.shown); len(all) > 1 {
			out = append(out, example{list: all})
		}
		return out
	}
	add := func(chosen, rejected *answer, weight float64) {
		if weight == 0 {
			return
		}
		e := example{chosen: chosen, rejected: rejected}
		if !c.sorts() {
			e.Weight = &weight
		}
		switch {
		case c.Pair.Label == "visits":
			e.N = &[2]float64{chosen.share * float64(chosen.met), rejected.share * float64(rejected.met)}
		case c.Pair.Label == "scores": // whose tie is at 0
			e.Q = &[2]float64{chosen.share - 0.5, rejected.share - 0.5}
		case c.Pair.Label != "" || c.Pair.Alpha != 0:
			e.Q = &[2]float64{chosen.share, rejected.share}
		case c.margined():
			lead := max(0, chosen.share-rejected.share)
			e.Margin = &lead
		}
		if c.third() {
			e.extra = g.own[r.IntN(len(g.own))]
			if c.Pair.ThirdOf == "nll" { // one to imitate
				e.extra = slices.MaxFunc(slices.Concat(g.shown, g.own), func(a, b *answer) int { return cmp.Compare(a.share, b.share) })
			}
		}
		out = append(out, e)
	}
	if c.shown {
		for i, shown := range g.shown {
			add(shown, g.own[i%len(g.own)], 1)
		}
		return out
	}
	for _, pair := range p.pairs.choose(g.own, r) {
		a, b := g.own[pair[0]], g.own[pair[1]]
		switch {
		case c.certain:
			add(a, b, 1)
		case c.scored() || c.sorts():
			var prefers float64
			if c.scored() {
				prefers = 0.5 + (a.share-b.share)/2
			} else {
				prefers = p.judge.beats(a, b.rival(), r)
			}
			if prefers < 0.5 {
				a, b = b, a
			}
			if prefers != 0.5 || c.Pair.Label == "q" || c.Pair.Label == "difference" || c.Pair.Label == "scores" {
				add(a, b, 1)
			}
		default:
			q := p.judge.beats(a, b.rival(), r)
			add(a, b, q)
			add(b, a, 1-q)
		}
	}
	return out
}

// answersIn lists the answers of examples, each once.
func answersIn(batch []example) (out []*answer) {
	seen := map[*answer]bool{}
	for _, e := range batch {
		for _, a := range append([]*answer{e.chosen, e.rejected, e.extra}, e.list...) {
			if a != nil && !seen[a] {
				seen[a] = true
				out = append(out, a)
			}
		}
	}
	return out
}

func (c *comparing) sequence(a *answer) objective.Sequence {
	s := objective.Sequence{LogP: a.logProbs}
	if len(c.Entry.References) > 0 {
		s.Ref = a.reference
	}
	return s
}

// evaluate gives the loss of a batch of examples and adds its slopes to the answers.
func (c *comparing) evaluate(batch []example) (map[string]float64, error) {
	if c.OfLists() {
		return c.evaluateLists(batch)
	}
	total := 0.0
	for _, e := range batch {
		if e.Weight != nil {
			total += *e.Weight
		}
	}
	pairs := make([]objective.Preference, len(batch))
	for i, e := range batch {
		pairs[i] = e.Preference
		pairs[i].Chosen, pairs[i].Rejected = c.sequence(e.chosen), c.sequence(e.rejected)
		if e.extra != nil {
			s := c.sequence(e.extra)
			pairs[i].Extra = &s
		}
		if e.Weight != nil { // the mean is over the weight that there is
			w := *e.Weight * float64(len(batch)) / total
			pairs[i].Weight = &w
		}
	}
	result, err := c.Pair.Evaluate(pairs)
	if err != nil {
		return nil, err
	}
	var stats pairStats
	for i, e := range batch {
		g, shared := result.Grads[i], min(len(e.chosen.steps), len(e.rejected.steps))
		c.push(e.chosen, g.Chosen, shared)
		c.push(e.rejected, g.Rejected, shared)
		if e.extra != nil {
			c.push(e.extra, g.Extra, len(e.extra.steps))
		}
		w := 1.0
		if e.Weight != nil {
			w = *e.Weight
		}
		stats.add(c.ratio(e.chosen), c.ratio(e.rejected), w)
	}
	return stats.line(result.Loss), nil
}

func (c *comparing) evaluateLists(batch []example) (map[string]float64, error) {
	lists := make([]objective.Listing, len(batch))
	for i, e := range batch {
		for _, a := range e.list {
			lists[i].Answers, lists[i].Scores = append(lists[i].Answers, c.sequence(a)), append(lists[i].Scores, a.share)
		}
	}
	result, err := c.List.Evaluate(lists)
	if err != nil {
		return nil, err
	}
	var stats pairStats
	for i, e := range batch {
		for k, a := range e.list {
			c.push(a, result.Grads[i][k], len(a.steps))
			for _, b := range e.list {
				if a.share > b.share {
					stats.add(c.ratio(a), c.ratio(b), 1)
				}
			}
		}
	}
	return stats.line(result.Loss), nil
}

// push adds a slope in an answer's reduced log-probability to its steps: an equal
// part of it where that is their mean, and less of it to those beyond the shared
// length where the objective discounts them.
func (c *comparing) push(a *answer, slope float64, shared int) {
	if c.Needs().Normalised {
		slope /= float64(len(a.steps))
	}
	for t := range a.steps {
		if t < shared {
			a.slopes[t] += slope
		} else {
			a.slopes[t] += slope * (1 - c.Pair.Excess)
		}
	}
}

// ratio is an answer's log-ratio to the objective's references.
func (c *comparing) ratio(a *answer) (x float64) {
	for t, lp := range a.logProbs {
		x += lp
		for k, ref := range a.reference {
			weight := 1.0
			if k < len(c.Pair.Base) {
				weight = c.Pair.Base[k]
			}
			x -= weight * ref[t]
		}
	}
	return x
}

// pairStats are those of objective.PairStats.
type pairStats struct{ weight, accurate, chosen, rejected float64 }

func (s *pairStats) add(chosen, rejected, weight float64) {
	s.weight += weight
	s.chosen += weight * chosen
	s.rejected += weight * rejected
	if chosen > rejected {
		s.accurate += weight
	}
}

func (s *pairStats) line(loss float64) map[string]float64 {
	n := max(s.weight, 1e-300)
	out := map[string]float64{}
	for i, x := range []float64{loss, (s.chosen - s.rejected) / n, s.accurate / n, s.chosen / n, s.rejected / n} {
		out[objective.PairStats[i]] = x
	}
	return out
}
