// Package mcts is Monte Carlo tree search over any game: one loop, rules as values of four
// functions, leaves of many trees judged in one call. Values
// inside a tree lie in [-1, 1], each from the view of the seat that moves at
// its node; games map to that range by the bounds of their returns.
package mcts

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/agon-rl/agon/games"
)

// NodeID numbers the nodes of a tree; the root is 0.
type NodeID int32

// Root is a tree's root, and None stands for a node that was never reached.
const (
	Root NodeID = 0
	None NodeID = -1
)

// Tree is the search of one state. It is grown by Search.Run and belongs to
// one goroutine at a time.
type Tree struct {
	info   games.Info
	state  games.State // at the root
	random *rand.Rand
	bounds valueRange

	nodes []node
	edges []edge

	// Where seats do not see everything, states are drawn from what the seat to
	// move knows, and nodes are its information states, found by their keys.
	worlds *Worlds
	index  map[string]NodeID

	proposals map[NodeID][]Proposal // of nodes whose actions were proposed; nil where none were

	simulations int
	full        bool        // the bound on nodes was met
	rule        Rule        // of the search that grew it last
	gumbel      *gumbelRoot // what Gumbel's rule keeps
}

// node is a decision, a chance or a final node. Its edges follow one another.
type node struct {
	first  int32 // its first edge; -1 before it is expanded
	count  int32 // how many edges
	tried  int32 // rules that try untried edges first: how many are tried; they stand in front
	visits int32 // simulations that came here, those under way included
	seat   int16 // who moves, games.Chance or games.Over
	state  nodeState
	value  float32 // what the evaluator said, to the seat that moves
	total  float64 // of the values of the simulations that came here, to the seat that moves
}

type nodeState uint8

const (
	fresh    nodeState = iota // never judged
	awaiting                  // handed to the evaluator
	judged
)

// edge is an action or an outcome of chance. Walking a tree is waiting for
// edges to come from memory, so they are small: that total/visits is proven to
// be the exact value is told by a negative child, see prove.
type edge struct {
	action games.Action
	child  NodeID
	visits int32
	prior  float32 // the policy's probability; chance's at a chance node
	total  float64 // of the values of its simulations, to the seat that moves at its node
}

func (e *edge) proven() bool { return e.child < None }

// prove marks an edge as proven. Walks end there, and only those who look at
// the tree ask what is below.
func (e *edge) prove() { e.child = None - 2 - e.child }

// node is what the edge leads to.
func (e *edge) node() NodeID {
	if e.proven() {
		return None - 2 - e.child
	}
	return e.child
}

func (e *edge) mean() float64 { return e.total / float64(e.visits) }

// valueRange maps returns to [-1, 1].
type valueRange struct {
	middle, half float64
	sum          float64 // of the values of all seats
}

func newRange(info games.Info) valueRange {
	r := valueRange{middle: (info.MaxReturn + info.MinReturn) / 2, half: (info.MaxReturn - info.MinReturn) / 2}
	if r.half == 0 {
		r.half = 1
	}
	r.sum = (info.Sum - float64(info.Seats)*r.middle) / r.half
	return r
}

// normal is a return as a value. Rounding of the bounds must not lead outside.
func (r *valueRange) normal(x float64) float64 {
	v := (x - r.middle) / r.half
	if v > 1 {
		return 1
	}
	if v < -1 {
		return -1
	}
	return v
}

// NewTree starts a search of a state, from which it keeps a copy. Someone must
// be to move there. Randomness is drawn from the generator alone. Where the
// game hides information, worlds says which histories the seat to move cannot
// tell apart from this one; elsewhere it is nil.
func NewTree(info games.Info, state games.State, random *rand.Rand, worlds *Worlds) (*Tree, error) {
	if state.Turn() < 0 {
		return nil, fmt.Errorf("searching %s: nobody is to move here", info.Name)
	}
	if info.Hidden && worlds == nil {
		return nil, fmt.Errorf("searching %s: seats do not see everything there, and the search was not told what they may hold", info.Name)
	}
	t := &Tree{info: info, state: state.Clone(), random: random, bounds: newRange(info), rule: unruled}
	if info.Hidden {
		t.worlds, t.index = worlds, map[string]NodeID{}
		t.index[string(t.key(state))] = Root
	}
	t.nodes = append(t.nodes, newNode(state.Turn()))
	return t, nil
}

func newNode(seat games.Seat) node { return node{first: -1, seat: int16(seat)} }

// key is the information state of the seat to move, and which seat that is.
func (t *Tree) key(s games.State) []byte {
	seat := s.Turn()
	return s.AppendKey([]byte{byte(seat)}, seat)
}

// State is the state searched, to be read only.
func (t *Tree) State() games.State { return t.state }

// Simulations is how many were made.
func (t *Tree) Simulations() int { return t.simulations }

// Full tells whether the tree met its bound on nodes and stopped growing.
// Simulations went on, without adding nodes.
func (t *Tree) Full() bool { return t.full }

// Nodes is how many nodes there are.
func (t *Tree) Nodes() int { return len(t.nodes) }

// Seat is who moves at a node, games.Chance or games.Over.
func (t *Tree) Seat(n NodeID) games.Seat { return games.Seat(t.nodes[n].seat) }

// Visits is how many simulations came to a node, its own evaluation included.
func (t *Tree) Visits(n NodeID) int { return int(t.nodes[n].visits) }

// Mean is the mean value of the simulations that came to a node, to the seat
// that moves there, in [-1, 1]; 0 before the first.
func (t *Tree) Mean(n NodeID) float64 { return t.nodes[n].mean() }

func (n *node) mean() float64 {
	if n.visits == 0 {
		return 0
	}
	return n.total / float64(n.visits)
}

// Value is what the evaluator said of a node when it was reached, to the seat
// that moves there, in [-1, 1].
func (t *Tree) Value(n NodeID) float64 { return float64(t.nodes[n].value) }

// Child is an action at a node as the search sees it.
type Child struct {
	Action games.Action
	Node   NodeID  // what it leads to, None where it was never taken
	Visits int     // how often it was taken
	Q      float64 // mean value to the seat that moves, in [-1, 1]; 0 before the first visit
	Prior  float64 // the policy's probability, or chance's
	Proven bool    // Q is the exact value
	// Proposal is what was sampled, where actions are proposed; else nil.
	Proposal *Proposal
}

// Children lists a node's actions in ascending order; none before it is
// expanded.
func (t *Tree) Children(n NodeID) []Child {
	if n == None {
		return nil
	}
	edges := t.edgesOf(n)
	out := make([]Child, len(edges))
	for i := range edges {
		e := &edges[i]
		out[i] = Child{Action: e.action, Node: e.node(), Visits: int(e.visits), Prior: float64(e.prior), Proven: e.proven()}
		if e.visits > 0 {
			out[i].Q = e.mean()
		}
		out[i].Proposal = t.proposal(n, e.action)
	}
	slices.SortFunc(out, func(a, b Child) int { return int(a.Action) - int(b.Action) })
	return out
}

// Expanded tells whether a node's actions have been looked at.
func (t *Tree) Expanded(n NodeID) bool { return t.nodes[n].first >= 0 }

func (t *Tree) edgesOf(n NodeID) []edge {
	at := &t.nodes[n]
	if at.first < 0 {
		return nil
	}
	return t.edges[at.first : at.first+at.count]
}

// Best is the action to play, by the search's rule; before the first search it is any
// action.
func (t *Tree) Best() games.Action {
	if t.nodes[Root].count == 0 {
		return t.state.Actions(nil)[0]
	}
	return t.rule.Best(t)
}

// Distribution is the probabilities of the root's actions, in ascending order of their
// numbers: what the search's rule has a policy learn, which for most rules is visits to
// the power 1/temperature, in proportion. At temperature 0 it is one for Best.
func (t *Tree) Distribution(temperature float64) ([]games.Action, []float64) {
	children := t.Children(Root)
	actions := t.state.Actions(nil)
	if t.proposals[Root] != nil {
		actions = actions[:0]
		for _, c := range children {
			actions = append(actions, c.Action)
		}
	}
	p := make([]float64, len(actions))
	if temperature == 0 || len(children) == 0 {
		p[slices.Index(actions, t.Best())] = 1
	} else {
		t.rule.Target(t, temperature, p)
	}
	return actions, p
}

// Advance makes the node behind a move of the root the new root and keeps what
// the search knows of it, in new arrays that hold nothing else. It tells
// whether there was something to keep; if not, the tree starts afresh. state is
// the game after the move.
func (t *Tree) Advance(a games.Action, state games.State) (kept bool) {
	old := *t
	t.state, t.nodes, t.edges, t.simulations, t.full, t.proposals = state.Clone(), nil, nil, 0, false, nil
	t.rule, t.gumbel = unruled, nil
	if old.index == nil {
		for _, c := range old.Children(Root) {
			if c.Action == a && c.Node != None && games.Seat(old.nodes[c.Node].seat) == state.Turn() {
				t.graft(&old, c.Node)
				return true
			}
		}
	} else {
		t.index = map[string]NodeID{string(t.key(state)): Root}
	}
	t.nodes = append(t.nodes, newNode(state.Turn()))
	return false
}

// graft copies what lies below a node of another tree, breadth first.
func (t *Tree) graft(from *Tree, at NodeID) {
	queue := []NodeID{at}
	for next := 0; next < len(queue); next++ {
		n := from.nodes[queue[next]]
		edges := from.edgesOf(queue[next])
		if n.first >= 0 {
			n.first = int32(len(t.edges))
		}
		t.nodes = append(t.nodes, n)
		if some := from.proposals[queue[next]]; some != nil {
			if t.proposals == nil {
				t.proposals = map[NodeID][]Proposal{}
			}
			t.proposals[NodeID(next)] = some
		}
		for _, e := range edges {
			if child := e.node(); child != None {
				queue = append(queue, child)
				proven := e.proven()
				if e.child = NodeID(len(queue) - 1); proven {
					e.prove()
				}
			}
			t.edges = append(t.edges, e)
		}
	}
}

// Hidden tells whether the game hides information: then a node stands for all
// states that its seat cannot tell apart.
func (t *Tree) Hidden() bool { return t.info.Hidden }
