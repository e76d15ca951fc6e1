package solve

import (
	"runtime"
	"slices"
	"sync"

	"github.com/agon-rl/agon/games"
)

// leastNodes is how many inner nodes a goroutine must have to do: below that,
// handing work over costs more than it saves.
const leastNodes = 8192

// work divides CFR's two loops among goroutines: expected returns by subtrees,
// all else by information sets. No two of them write the same number, and each
// number is computed by the same operations in the same order whatever the
// division.
type work struct {
	seat    games.Seat // whose turn to learn it is
	values  []func()   // by goroutine: the expected returns of some subtrees
	top     []int32    // inner nodes above these subtrees, each after its children
	updates []func()   // by goroutine: some information sets of seat
	wait    sync.WaitGroup
}

// newWork divides c's tree for as many goroutines as run at once.
func newWork(c *CFR) *work {
	t := c.tree
	workers := max(1, min(runtime.GOMAXPROCS(0), len(t.inner)/leastNodes))
	w := &work{}
	size := t.subtrees()
	subtrees, top := t.split(size, max(1, len(t.inner)/(8*workers)))
	if workers == 1 {
		subtrees, top = []subtree{{0, len(t.inner)}}, nil
	}
	w.top = top
	members := t.members()
	for i := range workers {
		mine := share(subtrees, i, workers, func(s subtree) int { return s.hi - s.lo })
		w.values = append(w.values, func() {
			for _, s := range mine {
				c.evaluate(w.seat, s.lo, s.hi)
			}
			w.wait.Done()
		})
		sets := make([][]occurrence, len(members))
		for seat := range members {
			sets[seat] = share(members[seat], i, workers, func(o occurrence) int { return 1 + len(o.nodes) })
		}
		w.updates = append(w.updates, func() {
			for _, o := range sets[w.seat] {
				c.update(w.seat, o)
			}
			w.wait.Done()
		})
	}
	return w
}

// each runs the parts side by side and waits for all.
func (w *work) each(parts []func()) {
	w.wait.Add(len(parts))
	for _, part := range parts[1:] {
		go part()
	}
	parts[0]()
	w.wait.Wait()
}

// bySeat runs one part a seat, side by side in trees that are worth it. Parts
// must not write the same number.
type bySeat struct {
	parts    []func()
	together bool
	wait     sync.WaitGroup
}

func newBySeat(t *Tree, part func(games.Seat)) *bySeat {
	b := &bySeat{together: runtime.GOMAXPROCS(0) > 1 && len(t.inner) >= leastNodes}
	for seat := range games.Seat(t.Info.Seats) {
		b.parts = append(b.parts, func() {
			part(seat)
			b.wait.Done()
		})
	}
	return b
}

func (b *bySeat) run() {
	b.wait.Add(len(b.parts))
	for _, part := range b.parts {
		if b.together {
			go part()
		} else {
			part()
		}
	}
	b.wait.Wait()
}

// share is part i of n of the items: a run of them with about as much work as
// any other part.
func share[T any](items []T, i, n int, cost func(T) int) []T {
	total := 0
	for _, item := range items {
		total += cost(item)
	}
	first, last, before := len(items), len(items), 0
	for j, item := range items {
		if before >= total*i/n && first == len(items) {
			first = j
		}
		if before >= total*(i+1)/n {
			last = j
			break
		}
		before += cost(item)
	}
	return items[min(first, last):last]
}

// subtree is a run of inner nodes: a node, which comes last, and all below it.
type subtree struct{ lo, hi int }

// subtrees counts, for each inner node, the inner nodes of the subtree that it
// is the root of.
func (t *Tree) subtrees() []int {
	size := make([]int, len(t.inner))
	at := make([]int32, t.nodes) // by node: its subtree's size, zero for ends
	for i, n := range t.inner {
		size[i] = 1
		for _, below := range at[n.child : n.child+n.count] {
			size[i] += int(below)
		}
		at[n.id] = int32(size[i])
	}
	return size
}

// split returns the largest subtrees of at most most inner nodes, and the nodes
// above them.
func (t *Tree) split(size []int, most int) (below []subtree, top []int32) {
	for i := len(t.inner) - 1; i >= 0; {
		if size[i] <= most {
			below = append(below, subtree{i + 1 - size[i], i + 1})
			i -= size[i]
		} else {
			top = append(top, int32(i))
			i--
		}
	}
	slices.Reverse(top)
	return below, top
}

// occurrence is an information set with its nodes, in the tree's order.
type occurrence struct {
	set   span
	nodes []int32
}

// members lists the nodes of each information set, by seat.
func (t *Tree) members() [][]occurrence {
	nodes := make([][]int32, t.actions) // by the set's first action
	for i, n := range t.inner {
		if games.Seat(n.seat) != games.Chance {
			nodes[n.first] = append(nodes[n.first], int32(i))
		}
	}
	out := make([][]occurrence, len(t.own))
	for seat, sets := range t.own {
		for _, set := range sets {
			out[seat] = append(out[seat], occurrence{set, nodes[set.first]})
		}
	}
	return out
}
