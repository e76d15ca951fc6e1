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
	logged    bool // references were logged with the answers, and are not the magnet
	scheduled bool // the recipe's reference stands for the objective's first
	certain   bool // pairs are labelled by their shares, the better one chosen
	shown     bool // demonstrations are chosen
}

// comparison is a pair of answers or, where rejected is nil, a list of them.
type comparison struct {
	objective.Preference
	chosen, rejected, extra *response
	list                    []*response
}

// response is an answer that preferences are between: all that one seat did in an
// episode, or one action at a state.
type response struct {
	steps   []*policy.Step
	episode int // of the update; demonstrations have none
	rival       // what it is compared by
	// against is what stood opposite, in a contest.
	against int
	// share is the mean probability of beating those that it is compared with, met
	// how many these were.
	share float64
	met   int
	// reference holds the references' log-probabilities of the picks, by the
	// objective's slots; logProbs those of the weights that take the next gradient
	// step, and slopes the loss's in them.
	reference [][]float64
	logProbs  []float64
	slopes    []float64
}

// picks is how many picks the answer has.
func (a *response) picks() (n int) {
	for _, s := range a.steps {
		n += len(s.Picks)
	}
	return n
}

// newComparing finds a preference objective by its name.
func newComparing(name string) (*comparing, error) {
	o, err := objective.Get(name)
	return &comparing{Objective: o}, err
}

// settle says what the recipe's preferences between games make of the objective.
func (c *comparing) settle(p Preferences) error {
	c.logged, c.scheduled = true, p.Reference != autoReference
	c.certain, c.shown = strings.HasPrefix(p.Pairs, "best_worst"), p.Demonstrations != ""
	switch {
	case c.scheduled && len(c.Entry.References) == 0:
		return fmt.Errorf("preferences.reference: %s: objective %s has no reference: expected auto", p.Reference, c.Entry.Name)
	case c.scheduled && c.trails() && len(c.Pair.Base) > 1:
		return fmt.Errorf("preferences.reference: %s: objective %s mixes the previous policies itself: expected auto", p.Reference, c.Entry.Name)
	}
	return nil
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

// scored tells whether a comparison needs to know what its answers are worth, and not
// only which one is better.
func (c *comparing) scored() bool {
	return c.OfLists() || c.certain || c.Pair.Label != "" || c.Pair.Alpha != 0 || c.margined()
}

// margined tells whether a pair's margin is its lead in shares.
func (c *comparing) margined() bool { return c.Entry.Margin }

// sorts tells whether the objective sorts a batch, in which no comparison has a weight.
func (c *comparing) sorts() bool { return strings.HasPrefix(c.Pair.Shape, "aot") }

// third tells whether the objective takes a third answer.
func (c *comparing) third() bool { return c.Needs().Extra != "" && !c.Pair.Pessimism }

// pair is a comparison of two actions by a search's values q, from −1 to 1, and visits
// n; doubt, where above 0, is how probable it is that the label is wrong, of a loss that has one.
func (c *comparing) pair(chosen, rejected *response, q, n [2]float64, doubt float64) comparison {
	if c.Pair.OfWinRates() { // in which a tie is ½
		q = [2]float64{(1 + q[0]) / 2, (1 + q[1]) / 2}
	}
	out := comparison{chosen: chosen, rejected: rejected}
	out.Q, out.N = &q, &n
	if doubt > 0 && c.Pair.Labelled() {
		right := 1 - doubt
		out.Target = &right
	}
	return out
}

// comparisons are those of a group of games. Where the objective has scores, they are
// the answers' shares. Else a pair stands in both orders, each with the probability
// that the judge prefers it so: its loss is the expected one.
func (c *comparing) comparisons(p *preferring, g *group, r *rand.Rand) (out []comparison) {
	if c.OfLists() {
		if all := slices.Concat(g.own, g.shown); len(all) > 1 {
			out = append(out, comparison{list: all})
		}
		return out
	}
	add := func(chosen, rejected *response, weight float64) {
		if weight == 0 {
			return
		}
		e := comparison{chosen: chosen, rejected: rejected}
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
				e.extra = slices.MaxFunc(slices.Concat(g.shown, g.own), func(a, b *response) int { return cmp.Compare(a.share, b.share) })
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
				prefers = p.judge.beats(a.rival, b.rival, r)
			}
			if prefers < 0.5 {
				a, b = b, a
			}
			if prefers != 0.5 || c.Pair.Label == "q" || c.Pair.Label == "difference" || c.Pair.Label == "scores" {
				add(a, b, 1)
			}
		default:
			q := p.judge.beats(a.rival, b.rival, r)
			add(a, b, q)
			add(b, a, 1-q)
		}
	}
	return out
}

// responsesIn lists the answers of comparisons, each once.
func responsesIn(batch []comparison) (out []*response) {
	seen := map[*response]bool{}
	for _, e := range batch {
		for _, a := range append([]*response{e.chosen, e.rejected, e.extra}, e.list...) {
			if a != nil && !seen[a] {
				seen[a] = true
				out = append(out, a)
			}
		}
	}
	return out
}

// compared are the means of an objective's statistics over steps.
type compared struct {
	sums  Line
	steps float64
}

// step takes one gradient step on a batch of comparisons, if there are any: the
// log-probabilities of the answers as they are now, the objective's slopes in them, and
// the graph's step with these slopes.
func (s *compared) step(p *Player, c *comparing, batch []comparison, k Coefficients) error {
	answers := responsesIn(batch)
	if len(answers) == 0 {
		return nil
	}
	var steps [][]*policy.Step
	for _, a := range answers {
		steps = append(steps, a.steps)
	}
	var line Line
	graph, err := p.Updater.LearnSlopes(steps, k, func(all Referred) (slopes []float32, err error) {
		rest := all
		for _, a := range answers {
			n := a.picks()
			a.slopes, a.logProbs = make([]float64, n), widened(rest.LogProbs[:n])
			if !c.logged {
				a.reference = [][]float64{widened(rest.Reference[:n])}
			}
			rest.LogProbs, rest.Reference = rest.LogProbs[n:], rest.Reference[n:]
		}
		if line, err = c.evaluate(batch, all.KL); err != nil {
			return nil, err
		}
		for _, a := range answers {
			for _, x := range a.slopes {
				slopes = append(slopes, float32(x))
			}
		}
		return slopes, nil
	})
	if err != nil {
		return err
	}
	line["entropy"], line["gradient_norm"] = float64(graph[0]), float64(graph[1])
	if s.sums == nil {
		s.sums = Line{}
	}
	for name, x := range line {
		s.sums[name] += x
	}
	s.steps++
	return nil
}

// write adds the means to a line; see sums.write.
func (s *compared) write(source string, line Line) {
	for name, x := range s.sums {
		if _, other := line[name]; other {
			name = source + "/" + name
		}
		line[name] = x / s.steps
	}
}

func widened(x []float32) []float64 {
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = float64(v)
	}
	return out
}

func (c *comparing) sequence(a *response) objective.Sequence {
	s := objective.Sequence{LogP: a.logProbs}
	if len(c.Entry.References) > 0 {
		s.Ref = a.reference
	}
	return s
}

// evaluate gives the loss of a batch of comparisons and adds its slopes to the answers.
// kl is that of the policy from the magnet at the answers' states.
func (c *comparing) evaluate(batch []comparison, kl []float32) (Line, error) {
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
	pair := c.Pair
	if !c.logged && pair.Shape == "kto" { // where actions are listed, z₀ is known
		mean := 0.0
		for _, x := range kl {
			mean += float64(x) / float64(len(kl))
		}
		pair.Delta, pair.DeltaOf = max(0, mean), ""
	}
	result, err := pair.Evaluate(pairs)
	if err != nil {
		return nil, err
	}
	var stats pairStats
	for i, e := range batch {
		g, shared := result.Grads[i], min(len(e.chosen.logProbs), len(e.rejected.logProbs))
		c.push(e.chosen, g.Chosen, shared)
		c.push(e.rejected, g.Rejected, shared)
		if e.extra != nil {
			c.push(e.extra, g.Extra, len(e.extra.logProbs))
		}
		w := 1.0
		if e.Weight != nil {
			w = *e.Weight
		}
		stats.add(c.ratio(e.chosen), c.ratio(e.rejected), w)
	}
	return stats.line(result.Loss), nil
}

func (c *comparing) evaluateLists(batch []comparison) (Line, error) {
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
			c.push(a, result.Grads[i][k], len(a.logProbs))
			for _, b := range e.list {
				if a.share > b.share {
					stats.add(c.ratio(a), c.ratio(b), 1)
				}
			}
		}
	}
	return stats.line(result.Loss), nil
}

// push adds a slope in an answer's reduced log-probability to its picks: an equal
// part of it where that is their mean, and less of it to those beyond the shared
// length where the objective discounts them.
func (c *comparing) push(a *response, slope float64, shared int) {
	if c.Needs().Normalised {
		slope /= float64(len(a.logProbs))
	}
	for t := range a.logProbs {
		if t < shared {
			a.slopes[t] += slope
		} else {
			a.slopes[t] += slope * (1 - c.Pair.Excess)
		}
	}
}

// ratio is an answer's log-ratio to the objective's references.
func (c *comparing) ratio(a *response) (x float64) {
	for t, lp := range a.logProbs {
		x += lp
		for k, ref := range a.reference {
			weight := 1.0
			if k < len(c.Pair.Base) && len(a.reference) > 1 {
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

func (s *pairStats) line(loss float64) Line {
	n := max(s.weight, 1e-300)
	out := Line{}
	for i, x := range []float64{loss, (s.chosen - s.rejected) / n, s.accurate / n, s.chosen / n, s.rejected / n} {
		out[objective.PairStats[i]] = x
	}
	return out
}
