package prefs

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/internal/spec"
	"github.com/agon-rl/agon/mcts"
)

// Extraction is a rule that says which pairs of siblings are taken from a finished tree.
// The published rules are settings of it; see Extractions.
type Extraction struct {
	Name string
	// Path takes pairs along the way of the best moves only, as it would be
	// committed to; otherwise at every node.
	Path bool
	// Pairing is which siblings are set against each other: extremes (the best
	// against the worst), all (each against each that is worse), best (the best
	// against each other), fronts (the two best against the two worst, one
	// against one where there are not four).
	Pairing string
	// Signs wants a chosen value above 0 and a rejected one below.
	Signs bool
	// Gap is the least difference of the values, in units of [-1, 1].
	Gap float64
	// Visits is how often both must have been tried.
	Visits int
	// Ranked mixes values with the policy's own ranking of the siblings:
	// Q ← Ranked·Q + (1−Ranked)·rank, ranks from 1 for the most likely to −1
	// for the least (Agent Q, eq. 10). 1 takes the search's values alone.
	Ranked float64
}

// Extractions are the published extraction rules, by name, where they can be told from a
// tree.
var Extractions spec.Registry[Extraction]

func init() {
	add := func(x Extraction, help string) {
		Extractions.Add(spec.Entry[Extraction]{Name: x.Name, Help: help, Value: x})
	}
	add(Extraction{Name: "mcts-dpo", Path: true, Pairing: "extremes", Visits: 1, Ranked: 1},
		"the best against the worst, along the way of the best moves (MCTS-DPO, arXiv 2405.00451, its code's choose_worst)")
	add(Extraction{Name: "cpl", Pairing: "all", Signs: true, Visits: 1, Ranked: 1},
		"all of positive value against all of negative (CPL, arXiv 2409.08642, plan steps)")
	// Section 5.2; neither the threshold nor the mix is published.
	add(Extraction{Name: "agent-q", Pairing: "all", Gap: 0.2, Visits: 1, Ranked: 0.5},
		"all whose values, mixed with the policy's ranking, differ by 0.2 (Agent Q, arXiv 2408.07199)")
	add(Extraction{Name: "agent-q-open", Path: true, Pairing: "best", Visits: 0, Ranked: 1},
		"the move made against each other one, whatever the values (the open code of Agent Q)")
	// That the chosen ones lead to a success and the rejected ones to a failure
	// somewhere follows from the gap where only ends are valued.
	add(Extraction{Name: "rstar", Pairing: "fronts", Gap: 0.5, Visits: 1, Ranked: 1},
		"the two best against the two worst, half a unit apart (rStar-Math, arXiv 2501.04519)")
	add(Extraction{Name: "tpo", Pairing: "all", Visits: 1, Ranked: 1},
		"the whole list in its order (TPO, arXiv 2410.12854)")
}

// FindExtraction returns the extraction rule that text names, such as cpl or
// agent-q(gap=0.1).
func FindExtraction(text string) (Extraction, error) {
	kind, r, err := Extractions.Read(text)
	if err != nil {
		return Extraction{}, fmt.Errorf("rule %w", err)
	}
	x := kind.Value
	x.Gap = r.Float("gap", x.Gap, 0, 2)
	x.Visits = r.Int("visits", x.Visits, 0, 1<<30)
	x.Ranked = r.Float("ranked", x.Ranked, 0, 1)
	x.Path = r.Bool("path", x.Path)
	x.Signs = r.Bool("signs", x.Signs)
	x.Pairing = r.Choice("pairing", x.Pairing, "extremes", "all", "best", "fronts")
	if err := r.Err(); err != nil {
		return Extraction{}, fmt.Errorf("rule %w", err)
	}
	x.Name = text
	return x, nil
}

// Context is what a tree does not know of itself.
type Context struct {
	Game    string         // with its parameters
	History []games.Action // from the start to the tree's root
	Source  string
	Seed    int64
}

// Extract takes the pairs of a rule from a tree, those near the root first. In
// games of hidden information, where the tree's states are drawn, only the root
// is looked at.
func Extract(t *mcts.Tree, rule Extraction, c Context) []Pair {
	e := &extractor{tree: t, rule: rule, context: c, hidden: t.Hidden()}
	e.walk(mcts.Root, t.State().Clone(), numbers(c.History), 0)
	slices.SortStableFunc(e.pairs, func(a, b Pair) int { return int(a.Depth - b.Depth) })
	return e.pairs
}

type extractor struct {
	tree    *mcts.Tree
	rule    Extraction
	context Context
	hidden  bool
	pairs   []Pair
}

// walk takes pairs at a node and below it.
func (e *extractor) walk(at mcts.NodeID, s games.State, history []int32, depth int32) {
	seat := e.tree.Seat(at)
	if seat == games.Over || s.Turn() != seat {
		return
	}
	children := e.tree.Children(at)
	for _, c := range children {
		if c.Open(s) != nil { // the state no longer takes what it took: nothing can be said of it
			return
		}
	}
	if seat >= 0 {
		for _, p := range e.rule.Choose(children) {
			e.pairs = append(e.pairs, e.pair(at, s, history, depth, p))
		}
	}
	if e.hidden {
		return
	}
	if e.rule.Path && seat >= 0 {
		slices.SortStableFunc(children, func(a, b mcts.Child) int { return b.Visits - a.Visits })
		children = children[:min(1, len(children))]
	}
	for _, c := range children {
		if c.Node == mcts.None {
			continue
		}
		next := s.Clone()
		if next.Apply(c.Action) != nil {
			continue
		}
		e.walk(c.Node, next, append(history[:len(history):len(history)], int32(c.Action)), depth+1)
	}
}

// Match is a chosen action of a node against a rejected one.
type Match struct{ Chosen, Rejected mcts.Child }

// Choose pairs the actions of one node.
func (r Extraction) Choose(children []mcts.Child) []Match {
	var some []mcts.Child
	for _, c := range children {
		if c.Visits >= r.Visits {
			some = append(some, c)
		}
	}
	if len(some) < 2 {
		return nil
	}
	if r.Pairing == "best" { // the committed action, which is the most visited
		slices.SortStableFunc(some, func(a, b mcts.Child) int { return b.Visits - a.Visits })
	} else {
		value := r.values(some)
		slices.SortStableFunc(some, func(a, b mcts.Child) int {
			return cmp.Or(cmp.Compare(value[b.Action], value[a.Action]), cmp.Compare(b.Prior, a.Prior), b.Visits-a.Visits)
		})
	}
	var out []Match
	for _, ij := range r.places(len(some)) {
		m := Match{some[ij[0]], some[ij[1]]}
		if r.accepts(m, some) {
			out = append(out, m)
		}
	}
	return out
}

// values are the siblings' values, mixed with the policy's ranking of them.
func (r Extraction) values(children []mcts.Child) map[games.Action]float64 {
	byPrior := slices.Clone(children)
	slices.SortStableFunc(byPrior, func(a, b mcts.Child) int { return cmp.Compare(b.Prior, a.Prior) })
	out := map[games.Action]float64{}
	even := byPrior[0].Prior == byPrior[len(byPrior)-1].Prior // then it ranks none above another
	for i, c := range byPrior {
		rank := 1 - 2*float64(i)/float64(len(byPrior)-1)
		if even {
			rank = 0
		}
		out[c.Action] = r.Ranked*c.Q + (1-r.Ranked)*rank
	}
	return out
}

// places lists the pairs of places in the order from best to worst.
func (r Extraction) places(n int) (out [][2]int) {
	switch r.Pairing {
	case "extremes":
		return [][2]int{{0, n - 1}}
	case "best":
		for j := 1; j < n; j++ {
			out = append(out, [2]int{0, j})
		}
	case "fronts":
		front := 2
		if n < 4 {
			front = 1
		}
		for i := range front {
			for j := range front {
				out = append(out, [2]int{i, n - 1 - j})
			}
		}
	default:
		for i := range n {
			for j := i + 1; j < n; j++ {
				out = append(out, [2]int{i, j})
			}
		}
	}
	return out
}

// accepts tells whether a pair passes the rule's filters.
func (r Extraction) accepts(m Match, siblings []mcts.Child) bool {
	value := r.values(siblings)
	gap := value[m.Chosen.Action] - value[m.Rejected.Action]
	switch {
	case r.Signs && !(m.Chosen.Q > 0 && m.Rejected.Q < 0):
		return false
	case r.Pairing == "best":
		return gap >= r.Gap || r.Gap == 0
	}
	return gap > 0 && gap >= r.Gap
}

// pair describes a match.
func (e *extractor) pair(at mcts.NodeID, s games.State, history []int32, depth int32, m Match) Pair {
	seat := e.tree.Seat(at)
	p := Pair{
		Game: e.context.Game, History: slices.Clone(history), Key: games.Key(s, seat), Seat: int32(seat), Depth: depth,
		Chosen: worded(s, m.Chosen), Rejected: worded(s, m.Rejected),
		ChosenAction: int32(m.Chosen.Action), RejectedAction: int32(m.Rejected.Action),
		ChosenQ: m.Chosen.Q, RejectedQ: m.Rejected.Q,
		ChosenVisits: int64(m.Chosen.Visits), RejectedVisits: int64(m.Rejected.Visits),
		Value: e.tree.Mean(at), Visits: int64(e.tree.Visits(at)),
		ChosenPrior: logProb(m.Chosen.Prior), RejectedPrior: logProb(m.Rejected.Prior),
		Rule: e.rule.Name, Source: e.context.Source, Seed: e.context.Seed,
	}
	p.ChosenBehaviour, p.RejectedBehaviour = behaviour(m.Chosen), behaviour(m.Rejected)
	p.Prompt = promptOf(s, seat)
	return p
}

// worded is an action in the words in which it was proposed, else in the game's.
func worded(s games.State, c mcts.Child) string {
	if c.Proposal != nil && c.Proposal.Text != "" {
		return c.Proposal.Text
	}
	return games.Say(s, c.Action)
}

// behaviour is the log-probability with which an action was proposed; where the
// game lists them, that is its prior.
func behaviour(c mcts.Child) float64 {
	if c.Proposal != nil {
		return max(c.Proposal.LogProb, math.Log(leastProb))
	}
	return logProb(c.Prior)
}

// leastProb keeps logarithms finite: the least positive float32.
const leastProb = 1e-45

func logProb(p float64) float64 { return math.Log(max(p, leastProb)) }

// Errors is how pairs compare with what is exact.
type Errors struct {
	Pairs int `json:"pairs"`
	Wrong int `json:"wrong"` // the rejected action is worth more
	Even  int `json:"even"`  // the two are worth the same
}

// Rate is the pair error rate: the share of pairs that contradict the solver.
func (e Errors) Rate() float64 { return float64(e.Wrong) / float64(max(1, e.Pairs)) }

// Check compares pairs with exact values: value is the return of seat 0 in a
// state under best play, final states included.
func Check(ctx context.Context, pairs []Pair, value func(ctx context.Context, s games.State) (float64, error)) (Errors, error) {
	e := Errors{Pairs: len(pairs)}
	for _, p := range pairs {
		s, err := p.State()
		if err != nil {
			return e, err
		}
		worth := [2]float64{}
		for i, a := range [...]int32{p.ChosenAction, p.RejectedAction} {
			next := s.Clone()
			if err := next.Apply(games.Action(a)); err != nil {
				return e, fmt.Errorf("prefs: %s after %v: %w", p.Game, p.History, err)
			}
			if worth[i], err = value(ctx, next); err != nil {
				return e, err
			}
			if p.Seat != 0 {
				worth[i] = -worth[i]
			}
		}
		const rounding = 1e-9
		switch gap := worth[0] - worth[1]; {
		case gap < -rounding:
			e.Wrong++
		case gap <= rounding:
			e.Even++
		}
	}
	return e, nil
}
