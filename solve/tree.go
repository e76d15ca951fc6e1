// Package solve is exact game theory on games small enough to enumerate:
// expected values, best responses, exploitability, counterfactual regret
// minimisation, and minimax where nothing is hidden.
package solve

import (
	"context"
	"errors"
	"fmt"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/policy"
)

// DefaultNodes bounds the trees that are compiled unless the caller says
// otherwise: about a gigabyte.
const DefaultNodes = 10_000_000

// ErrTooLarge is wrapped by the error for a game with more nodes than the
// bound.
var ErrTooLarge = errors.New("the game is too large for an exact method")

// Tree is a game compiled into flat arrays. Nodes are numbered depth first from
// 0, the start, so children come after their parents; the edges of a node are
// the actions in the order of State.Actions.
type Tree struct {
	Info games.Info
	Sets []Set // information sets of all seats, in the order in which they are met

	seat    []games.Seat // by node: who moves, Chance or Over
	edge    []int32      // by node, and one more: its first edge
	child   []int32      // by edge
	odds    []float64    // by edge: the probability at a chance node
	chance  []float64    // by node: the probability that chance leads there
	set     []int32      // by node: its information set, -1 for none
	payoff  []float64    // by final node's number × seats
	final   []int32      // by node: its number among the final nodes, -1 for none
	levels  [][]level    // by seat: nodes by the number of the seat's own actions before them
	actions int          // entries of a Strategy
}

// Set is an information set: the nodes that its seat cannot tell apart.
type Set struct {
	Seat    games.Seat
	Key     string
	Actions []games.Action
	First   int         // index of its first action in a Strategy
	State   games.State // one of its nodes

	nodes []int32
}

// Strategy holds a probability for every action of every information set, at
// Set.First and on.
type Strategy []float64

// level are the nodes before which a seat has acted equally often.
type level struct {
	sets  []int32 // the seat's own information sets
	other []int32 // nodes of other seats, chance and the end, children first
}

// Compile enumerates a game of at most limit nodes.
func Compile(ctx context.Context, game games.Game, limit int) (*Tree, error) {
	info := game.Info()
	if info.Chance == games.Sampled {
		return nil, fmt.Errorf("%s: its chance can only be sampled, and exact methods need its odds", info.Name)
	}
	c := &compiler{ctx: ctx, limit: limit, tree: &Tree{Info: info}, sets: map[string]int32{}}
	if err := c.walk(game.Start(), make([]int, info.Seats)); err != nil {
		return nil, err
	}
	c.tree.edge = make([]int32, 0, len(c.children)+1)
	for _, children := range c.children {
		c.tree.edge = append(c.tree.edge, int32(len(c.tree.child)))
		c.tree.child = append(c.tree.child, children...)
	}
	c.tree.edge = append(c.tree.edge, int32(len(c.tree.child)))
	c.arrangeOdds()
	c.arrangeLevels()
	return c.tree, nil
}

// compiler holds what is needed only while a tree is built.
type compiler struct {
	ctx      context.Context
	limit    int
	tree     *Tree
	sets     map[string]int32
	children [][]int32
	chance   map[int32][]float64
	acted    [][]int16 // by seat, by node: the seat's own actions before it
}

func (c *compiler) walk(s games.State, acted []int) error {
	t := c.tree
	id := int32(len(t.seat))
	if len(t.seat) >= c.limit {
		return fmt.Errorf("%w: %s has more than %d nodes", ErrTooLarge, t.Info.Name, c.limit)
	}
	if id%4096 == 0 && c.ctx.Err() != nil {
		return c.ctx.Err()
	}
	seat := s.Turn()
	t.seat, t.set, t.final = append(t.seat, seat), append(t.set, -1), append(t.final, -1)
	c.children = append(c.children, nil)
	if c.acted == nil {
		c.acted = make([][]int16, t.Info.Seats)
	}
	for p := range c.acted {
		c.acted[p] = append(c.acted[p], int16(acted[p]))
	}
	if seat == games.Over {
		t.final[id] = int32(len(t.payoff) / t.Info.Seats)
		t.payoff = s.Returns(t.payoff)
		return nil
	}
	actions := s.Actions(nil)
	if seat == games.Chance {
		if c.chance == nil {
			c.chance = map[int32][]float64{}
		}
		c.chance[id] = s.Odds(nil)
	} else if err := c.join(id, s, seat, actions); err != nil {
		return err
	}
	children := make([]int32, len(actions))
	if seat >= 0 {
		acted[seat]++
		defer func() { acted[seat]-- }()
	}
	for i, a := range actions {
		next := s.Clone()
		if err := next.Apply(a); err != nil {
			return fmt.Errorf("%s: %w", t.Info.Name, err)
		}
		children[i] = int32(len(t.seat))
		if err := c.walk(next, acted); err != nil {
			return err
		}
	}
	c.children[id] = children
	return nil
}

// join puts a node into its information set.
func (c *compiler) join(id int32, s games.State, seat games.Seat, actions []games.Action) error {
	t := c.tree
	key := fmt.Sprintf("%d %s", seat, games.Key(s, seat))
	set, known := c.sets[key]
	if !known {
		set = int32(len(t.Sets))
		c.sets[key] = set
		t.Sets = append(t.Sets, Set{Seat: seat, Key: games.Key(s, seat), Actions: actions, First: t.actions, State: s})
		t.actions += len(actions)
	}
	if want := len(t.Sets[set].Actions); want != len(actions) {
		return fmt.Errorf("%s: seat %d has %d actions in one state and %d in another with the same key %q", t.Info.Name, seat, want, len(actions), games.Key(s, seat))
	}
	t.Sets[set].nodes = append(t.Sets[set].nodes, id)
	t.set[id] = set
	return nil
}

func (c *compiler) arrangeOdds() {
	t := c.tree
	t.odds = make([]float64, len(t.child))
	for id, odds := range c.chance {
		copy(t.odds[t.edge[id]:], odds)
	}
	t.chance = make([]float64, len(t.seat))
	t.chance[0] = 1
	for id, seat := range t.seat {
		for e := t.edge[id]; e < t.edge[id+1]; e++ {
			t.chance[t.child[e]] = t.chance[id]
			if seat == games.Chance {
				t.chance[t.child[e]] *= t.odds[e]
			}
		}
	}
}

func (c *compiler) arrangeLevels() {
	t := c.tree
	t.levels = make([][]level, t.Info.Seats)
	for p := range t.levels {
		deepest := int16(0)
		for _, d := range c.acted[p] {
			deepest = max(deepest, d)
		}
		t.levels[p] = make([]level, deepest+1)
		for id := len(t.seat) - 1; id >= 0; id-- {
			if t.seat[id] != games.Seat(p) {
				l := &t.levels[p][c.acted[p][id]]
				l.other = append(l.other, int32(id))
			}
		}
		for i, set := range t.Sets {
			if set.Seat == games.Seat(p) {
				l := &t.levels[p][c.acted[p][set.nodes[0]]]
				l.sets = append(l.sets, int32(i))
			}
		}
	}
}

// Nodes is the number of histories, final ones included.
func (t *Tree) Nodes() int { return len(t.seat) }

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

// Strategy asks a policy for its probabilities at every information set.
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
	return out, nil
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
