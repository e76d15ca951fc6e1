package mcts

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/internal/spec"
)

// Rule is how a search decides: four functions of a tree, as mctx
// (github.com/google-deepmind/mctx) has them. A rule is a value: it keeps nothing of its
// own, so that any number of searches may share it. Each of ours is a file to be read from
// top to bottom.
type Rule struct {
	Name string
	// Root returns the edge that a simulation takes at the root, as its place among the
	// node's edges; Interior that at any other node where a seat is to move.
	Root, Interior func(t *Tree, at NodeID) int32
	// Best is the action to play once the search is over.
	Best func(t *Tree) games.Action
	// Target overwrites p, parallel to t.Children(Root), with the distribution that a
	// policy is to learn from the search. At a temperature above 0.
	Target func(t *Tree, temperature float64, p []float64)

	// Begin, if not nil, readies a tree for so many simulations once the root's actions
	// are known.
	Begin func(t *Tree, simulations int) error
	// Explores says that Best is drawn by noise of the rule's own, so that self-play
	// need not draw from Target to see many games.
	Explores bool

	wrong error // what is wrong with the constants that it was made with
}

// Rules are the rules that can be named, as in mcts:rule=puct,c=1.5. Each is added by
// the file that defines it and makes itself of settings, whose defaults are its paper's.
//
// In their formulas Q is an action's mean value to the seat that moves, N the node's
// visits, n the action's and P its prior. A simulation takes the action with the highest
// Q + U, the first of equals; help gives U.
var Rules spec.Registry[func(r *spec.Reader) Rule]

// NewRule returns the rule that text names, such as puct or puct(c=1).
func NewRule(text string) (Rule, error) {
	kind, r, err := Rules.Read(text)
	if err != nil {
		return Rule{}, fmt.Errorf("selection rule %w", err)
	}
	rule := kind.Value(r)
	if err := errors.Join(r.Err(), rule.Validate()); err != nil {
		return Rule{}, fmt.Errorf("selection rule %w", err)
	}
	return rule, nil
}

// Validate says what is wrong with a rule.
func (r Rule) Validate() error {
	if r.wrong != nil {
		return fmt.Errorf("selection rule %s: %w", r.Name, r.wrong)
	}
	if r.Root == nil || r.Interior == nil || r.Best == nil || r.Target == nil {
		return fmt.Errorf("selection rule %q: one of its four functions is missing: expected a rule such as mcts.UCT(1.4)", r.Name)
	}
	return nil
}

// mostC bounds the constants of formulas.
const mostC = 1e6

// checkC says what is wrong with the constant of a formula.
func checkC(c float64) error {
	if !(c >= 0 && c < math.Inf(1)) {
		return fmt.Errorf("c=%g: expected a number of at least 0", c)
	}
	return nil
}

// unruled is what a tree answers by that no search has begun.
var unruled = Rule{Best: mostVisited, Target: visitShares}

// mostVisited is the root's most visited action, of several the one of higher value,
// then of higher prior. A proven win is taken whatever its visits, first of all one that
// ends the game, and what is proven to be lost only where nothing else is left.
func mostVisited(t *Tree) games.Action {
	return slices.MaxFunc(t.Children(Root), func(a, b Child) int {
		return cmp.Or(
			t.certainty(a)-t.certainty(b), exactGap(a, b), a.Visits-b.Visits,
			cmp.Compare(a.Q, b.Q), cmp.Compare(a.Prior, b.Prior), int(b.Action-a.Action),
		)
	}).Action
}

// certainty ranks proven wins above what is open, and that above proven losses. A
// win that ends the game comes before one that takes longer.
func (t *Tree) certainty(c Child) int {
	switch {
	case c.Proven && c.Q >= 1 && c.Node != None && t.Seat(c.Node) == games.Over:
		return 2
	case c.Proven && c.Q >= 1:
		return 1
	case c.Proven && c.Q <= -1:
		return -1
	}
	return 0
}

// exactGap compares two proven values.
func exactGap(a, b Child) int {
	if a.Proven && b.Proven {
		return cmp.Compare(a.Q, b.Q)
	}
	return 0
}

// visitShares are the root's visits to the power 1/temperature, in proportion.
func visitShares(t *Tree, temperature float64, p []float64) {
	children := t.Children(Root)
	sum, most := 0.0, 1
	for _, c := range children {
		most = max(most, c.Visits)
	}
	for i, c := range children {
		p[i] = math.Pow(float64(c.Visits)/float64(most), 1/temperature)
		sum += p[i]
	}
	for i := range p {
		if sum > 0 {
			p[i] /= sum
		} else {
			p[i] = 1 / float64(len(p))
		}
	}
}

// highest returns the first edge with the highest score.
func highest(edges []edge, score func(*edge) float64) int32 {
	best, most := 0, math.Inf(-1)
	for i := range edges {
		if s := score(&edges[i]); s > most {
			best, most = i, s
		}
	}
	return int32(best)
}

// upper is Q + U. An action without visits counts as worth 0, a draw, and what is proven
// needs no exploring.
func (e *edge) upper(u float64) float64 {
	switch {
	case e.visits == 0:
		return u
	case e.proven():
		return e.mean()
	}
	return e.mean() + u
}

// What rules ask for is little else than √(ln n) and 1/√n, mostly of small numbers.
var (
	rootLogs     = tabulate(func(n float64) float64 { return math.Sqrt(math.Log(n)) })
	inverseRoots = tabulate(func(n float64) float64 { return 1 / math.Sqrt(n) })
)

func tabulate(f func(float64) float64) (out [4096]float64) {
	for n := range out {
		out[n] = f(float64(n))
	}
	return out
}

func rootLog(n int32) float64 {
	if uint(n) < uint(len(rootLogs)) {
		return rootLogs[n]
	}
	return math.Sqrt(math.Log(float64(n)))
}

func inverseRoot(n int32) float64 {
	if uint(n) < uint(len(inverseRoots)) {
		return inverseRoots[n]
	}
	return 1 / math.Sqrt(float64(n))
}
