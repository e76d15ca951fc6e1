package solve

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/agon-rl/agon/games"
)

// Compile enumerates a game of at most limit nodes. It refuses games with
// sampled chance, and games that break their contract: a node without actions,
// odds that do not sum to one, a seat whose information states forget its own
// actions or join nodes with different actions.
func Compile(ctx context.Context, game games.Game, limit int) (*Tree, error) {
	info := game.Info()
	if info.Chance == games.Sampled {
		return nil, fmt.Errorf("%s: its chance can only be sampled, and exact methods need its odds", info.Name)
	}
	if info.NoKeys {
		return nil, fmt.Errorf("%s: it has no keys, by which exact methods tell what a seat knows", info.Name)
	}
	if large, err := hopeless(game, limit); err == nil && large { // what is wrong with a game, the walk says
		return nil, tooLarge(game, limit)
	}
	if f, ok := game.(games.Foreseer); ok {
		if err := f.Foresee(ctx, limit); err != nil {
			return nil, err
		}
	}
	c := &compiler{
		ctx: ctx, limit: min(limit, math.MaxInt32),
		tree: &Tree{Info: info, own: make([][]span, info.Seats)},
		sets: make([]map[string]int32, info.Seats),
	}
	for seat := range c.sets {
		c.sets[seat] = map[string]int32{}
	}
	if err := c.walk(game.Start()); errors.Is(err, ErrTooLarge) {
		return nil, tooLarge(game, c.limit)
	} else if err != nil {
		return nil, err
	}
	c.finish()
	return c.tree, nil
}

// unacted stands for the empty sequence until the number of actions is known.
const unacted = -1

// compiler holds what is needed only while a tree is built.
type compiler struct {
	ctx   context.Context
	limit int
	tree  *Tree
	sets  []map[string]int32 // by seat: its information sets by key, as indices in Tree.Sets
	after []int32            // by information set: its seat's sequence
	path  []frame            // from the start to the node under way, and frames for reuse
	key   []byte
}

// frame is a node on the path of the walk.
type frame struct {
	state    games.State
	kept     bool // an information set keeps the state, so it must not be overwritten
	node     inner
	actions  []games.Action // none at the end of a game
	next     int            // which of the actions is walked next
	sequence []int32        // by seat
}

// walk visits all nodes depth first. It does not recurse, since a plugin's
// game may be as deep as the bound on its nodes is large.
func (c *compiler) walk(start games.State) error {
	root := c.frame(0)
	root.state, root.node = start, inner{chance: 1}
	for seat := range root.sequence {
		root.sequence[seat] = unacted
	}
	c.tree.nodes = 1
	if err := c.enter(root); err != nil {
		return err
	}
	for depth := 0; depth >= 0; {
		at := &c.path[depth]
		if at.next < len(at.actions) {
			depth++
			if err := c.step(depth); err != nil {
				return err
			}
			continue
		}
		if len(at.actions) > 0 {
			c.tree.inner = append(c.tree.inner, at.node)
			c.tree.before = append(c.tree.before, at.sequence...)
		}
		depth--
	}
	return nil
}

// frame returns the path's frame at a depth.
func (c *compiler) frame(depth int) *frame {
	if depth == len(c.path) {
		c.path = append(c.path, frame{sequence: make([]int32, c.tree.Info.Seats)})
	}
	return &c.path[depth]
}

// step walks to the next child of the frame above depth.
func (c *compiler) step(depth int) error {
	child := c.frame(depth)
	parent := &c.path[depth-1]
	if child.kept {
		child.state, child.kept = nil, false
	}
	child.state = games.Copy(child.state, parent.state)
	if err := child.state.Apply(parent.actions[parent.next]); err != nil {
		return fmt.Errorf("%s: %w", c.tree.Info.Name, err)
	}
	edge := int32(parent.next)
	parent.next++
	child.node = inner{id: parent.node.child + edge, chance: parent.node.chance}
	copy(child.sequence, parent.sequence)
	if seat := games.Seat(parent.node.seat); seat == games.Chance {
		child.node.chance *= c.tree.odds[parent.node.first+edge]
	} else {
		child.sequence[seat] = parent.node.first + edge
	}
	return c.enter(child)
}

// enter reads the node of a frame whose state, number, chance and sequences
// are set, and numbers its children.
func (c *compiler) enter(f *frame) error {
	if f.node.id%4096 == 0 && c.ctx.Err() != nil {
		return c.ctx.Err()
	}
	t, s, seat := c.tree, f.state, f.state.Turn()
	f.actions, f.next = f.actions[:0], 0
	if seat == games.Over {
		return c.end(f)
	}
	if seat != games.Chance && (seat < 0 || int(seat) >= t.Info.Seats) {
		return fmt.Errorf("%s: turn %d: expected a seat below %d, %d for chance or %d for the end", t.Info.Name, seat, t.Info.Seats, games.Chance, games.Over)
	}
	if f.actions = s.Actions(f.actions); len(f.actions) == 0 {
		return fmt.Errorf("%s: no action is open at turn %d, and the game is not over", t.Info.Name, seat)
	}
	f.node.seat, f.node.count, f.node.child = int32(seat), int32(len(f.actions)), int32(t.nodes)
	if t.nodes += len(f.actions); t.nodes > c.limit {
		return ErrTooLarge
	}
	if seat == games.Chance {
		return c.roll(f)
	}
	return c.join(f, seat)
}

// end records a final node.
func (c *compiler) end(f *frame) error {
	t, e := c.tree, &c.tree.ends
	e.id = append(e.id, f.node.id)
	e.chance = append(e.chance, f.node.chance)
	e.sequence = append(e.sequence, f.sequence...)
	e.payoff = f.state.Returns(e.payoff)
	if len(e.payoff) != len(e.sequence) {
		return fmt.Errorf("%s: the returns at an end are not one for each of its %d seats", t.Info.Name, t.Info.Seats)
	}
	for _, r := range e.payoff[len(e.payoff)-t.Info.Seats:] {
		if math.IsNaN(r) || math.IsInf(r, 0) {
			return fmt.Errorf("%s: a return of %g", t.Info.Name, r)
		}
	}
	return nil
}

// roll records the odds of a chance node.
func (c *compiler) roll(f *frame) error {
	t := c.tree
	f.node.first = int32(len(t.odds))
	t.odds = f.state.Odds(t.odds)
	odds := t.odds[f.node.first:]
	if len(odds) != len(f.actions) {
		return fmt.Errorf("%s: a chance node with %d outcomes has %d odds", t.Info.Name, len(f.actions), len(odds))
	}
	if err := distribution(odds); err != nil {
		return fmt.Errorf("%s: the odds of a chance node: %w", t.Info.Name, err)
	}
	return nil
}

// join puts a decision node into its information set.
func (c *compiler) join(f *frame, seat games.Seat) error {
	t := c.tree
	c.key = f.state.AppendKey(c.key[:0], seat)
	set, met := c.sets[seat][string(c.key)]
	if !met {
		set = int32(len(t.Sets))
		key := string(c.key)
		c.sets[seat][key] = set
		c.after = append(c.after, f.sequence[seat])
		t.Sets = append(t.Sets, Set{Seat: seat, Key: key, Actions: slices.Clone(f.actions), First: t.actions, State: f.state})
		t.actions += len(f.actions)
		f.kept = true
	}
	f.node.first = int32(t.Sets[set].First)
	if actions := t.Sets[set].Actions; !slices.Equal(actions, f.actions) {
		return fmt.Errorf("%s: seat %d has the actions %v in one state and %v in another with the same key %q", t.Info.Name, seat, actions, f.actions, c.key)
	}
	if c.after[set] != f.sequence[seat] {
		return fmt.Errorf("%s: seat %d reaches the information state %q by different actions of its own: exact methods need keys that recall them", t.Info.Name, seat, c.key)
	}
	return nil
}

// finish sets what depends on the number of actions.
func (c *compiler) finish() {
	t := c.tree
	for _, sequences := range [][]int32{t.before, t.ends.sequence, c.after} {
		for i, s := range sequences {
			if s == unacted {
				sequences[i] = t.empty()
			}
		}
	}
	for i := range t.inner {
		if t.inner[i].seat == int32(games.Chance) {
			t.inner[i].first += int32(t.actions)
		}
	}
	for i := range t.Sets {
		set := &t.Sets[i]
		t.own[set.Seat] = append(t.own[set.Seat], span{
			first: int32(set.First), last: int32(set.First + len(set.Actions)), after: c.after[i],
		})
	}
}
