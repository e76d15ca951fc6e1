// Package solve is exact game theory on games small enough to enumerate:
// expected values, best responses, exploitability, counterfactual regret
// minimisation, and minimax where nothing is hidden.
package solve

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/policy"
)

// DefaultNodes bounds the trees that are compiled unless the caller says
// otherwise.
const DefaultNodes = 10_000_000

// ErrTooLarge is wrapped by the error for a game with more nodes than the
// bound.
var ErrTooLarge = errors.New("the game is too large for an exact method")

// Tree is a game compiled into flat arrays. It does not change once compiled.
//
// Seats recall what they did (Compile refuses other games), so all that a seat
// itself contributed to a node is told by its last own action: its sequence.
// A sequence is the index of that action in a Strategy, or empty().
type Tree struct {
	Info games.Info
	Sets []Set // information sets of all seats, in the order in which a depth-first walk meets them

	nodes   int
	actions int       // entries of a Strategy
	odds    []float64 // of all chance nodes
	inner   []inner   // chance and decision nodes, each after its children
	before  []int32   // by inner node × seats: the seat's sequence
	ends    ends
	own     [][]span // by seat: its information sets, each after those that precede it in the game
}

// Set is an information set: the nodes that its seat cannot tell apart.
type Set struct {
	Seat    games.Seat
	Key     string
	Actions []games.Action
	First   int         // index of its first action in a Strategy
	State   games.State // one of its nodes, to be read only
}

// Strategy holds a probability for every action of every information set, at
// Set.First and on.
type Strategy []float64

// inner is a chance or decision node. Nodes are numbered so that the children
// of a node follow one another, in the order of State.Actions.
type inner struct {
	id     int32
	child  int32 // number of its first child
	count  int32 // how many children
	first  int32 // where its probabilities start in a Strategy with Tree.odds appended
	seat   int32 // who moves, or games.Chance
	chance float64
}

// ends are the final nodes.
type ends struct {
	id       []int32
	chance   []float64 // the probability that chance plays its part on the way there
	sequence []int32   // by end × seats
	payoff   []float64 // by end × seats
}

// span is an information set as the loops need it.
type span struct {
	first, last int32 // its actions in a Strategy, last excluded
	after       int32 // its seat's sequence
}

// empty is the sequence of a seat that has not acted.
func (t *Tree) empty() int32 { return int32(t.actions) }

// Nodes is the number of histories, final ones included.
func (t *Tree) Nodes() int { return t.nodes }

// Keys lists the keys of the information sets, in order.
func (t *Tree) Keys() []string {
	keys := make([]string, len(t.Sets))
	for i, s := range t.Sets {
		keys[i] = s.Key
	}
	return keys
}

// chunk is how many information sets a policy is asked about in one call.
const chunk = 1024

// tolerance is how far probabilities may be from summing to one.
const tolerance = 1e-6

// Strategy asks a policy for its probabilities at every information set. An
// answer that is no distribution is an error that names the set.
func (t *Tree) Strategy(ctx context.Context, p policy.Policy) (Strategy, error) {
	out := make(Strategy, t.actions)
	for lo := 0; lo < len(t.Sets); lo += chunk {
		sets := t.Sets[lo:min(lo+chunk, len(t.Sets))]
		states, probs := make([]games.State, len(sets)), make([][]float64, len(sets))
		for i, s := range sets {
			states[i], probs[i] = s.State, out[s.First:s.First+len(s.Actions)]
		}
		if err := p.Probabilities(ctx, states, probs); err != nil {
			return nil, err
		}
	}
	if err := t.check(out); err != nil {
		return nil, err
	}
	return out, nil
}

// check refuses what is not a distribution at every information set.
func (t *Tree) check(s Strategy) error {
	if len(s) != t.actions {
		return fmt.Errorf("%s: a strategy with %d probabilities: expected %d", t.Info.Name, len(s), t.actions)
	}
	for i := range t.Sets {
		set := &t.Sets[i]
		if err := distribution(s[set.First : set.First+len(set.Actions)]); err != nil {
			return fmt.Errorf("%s: seat %d, information state %q: %w", t.Info.Name, set.Seat, set.Key, err)
		}
	}
	return nil
}

// distribution refuses probabilities that are negative, not numbers, or do not
// sum to one.
func distribution(probs []float64) error {
	sum := 0.0
	for _, p := range probs {
		if !(p >= 0) {
			return fmt.Errorf("%g is no probability", p)
		}
		sum += p
	}
	if !(math.Abs(sum-1) <= tolerance) {
		return fmt.Errorf("the probabilities sum to %g, not to 1", sum)
	}
	return nil
}

// Uniform plays every action with equal probability.
func (t *Tree) Uniform() Strategy {
	out := make(Strategy, t.actions)
	for _, s := range t.Sets {
		for i := range s.Actions {
			out[s.First+i] = 1 / float64(len(s.Actions))
		}
	}
	return out
}

// Table writes a strategy as a table over information states.
func (t *Tree) Table(s Strategy) *policy.Table {
	table := policy.NewTable()
	for _, set := range t.Sets {
		probs := make(map[string]float64, len(set.Actions))
		for i, a := range set.Actions {
			probs[games.Say(set.State, a)] = s[set.First+i]
		}
		table.Set(set.Key, probs)
	}
	return table
}
