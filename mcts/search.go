package mcts

import (
	"context"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distmv"

	"github.com/agon-rl/agon/games"
)

// Options say how trees are grown.
type Options struct {
	Rule Rule
	// Simulations is how many are made for a search, those that a reused tree
	// brings along not counted.
	Simulations int
	// Leaves is how many of a tree's leaves are collected before they are
	// judged together. While one waits it counts as lost (virtual loss), so
	// that the next simulations go elsewhere. 1 is the exact algorithm.
	Leaves int
	// Nodes bounds a tree; one that has so many stops growing.
	Nodes int
	// Prove passes exact values up from the ends of the game (MCTS-Solver;
	// Winands et al. 2008): two seats, nothing hidden.
	Prove bool
	// Noise mixes Dirichlet noise into the root's priors.
	Noise Noise
}

// Noise is P ← (1−Share)·P + Share·Dir(Alpha) at the root (AlphaZero: 0.25 and
// 0.3 in chess, 1 in games with few moves).
type Noise struct{ Alpha, Share float64 }

// DefaultNodes bounds trees unless the caller says otherwise: about a gigabyte
// of a game with ten moves at a node.
const DefaultNodes = 2_000_000

// Validate says what is wrong with the options.
func (o Options) Validate() error {
	switch {
	case o.Simulations < 1:
		return fmt.Errorf("search: sims=%d: expected at least 1", o.Simulations)
	case o.Leaves < 1:
		return fmt.Errorf("search: leaves=%d: expected at least 1", o.Leaves)
	case o.Nodes < 2:
		return fmt.Errorf("search: nodes=%d: expected at least 2", o.Nodes)
	case o.Noise.Share < 0 || o.Noise.Share > 1 || math.IsNaN(o.Noise.Share):
		return fmt.Errorf("search: noise=%g: expected a share from 0 to 1", o.Noise.Share)
	case o.Noise.Share > 0 && !(o.Noise.Alpha > 0 && o.Noise.Alpha < math.Inf(1)):
		return fmt.Errorf("search: alpha=%g: expected more than 0", o.Noise.Alpha)
	}
	return o.Rule.Validate()
}

// Search grows trees. It holds what one goroutine needs.
type Search struct {
	options   Options
	evaluator Evaluator
	ends      EndEvaluator // nil where games say what their ends are worth
	late      bool         // steps are proposed at a node's second visit

	walks       []*walk // reused; those under way are the first of them
	underWay    int
	leaves      []Leaf
	evaluations []Evaluation
	actions     []games.Action
	odds        []float64
	returns     []float64
}

// New returns a search.
func New(o Options, e Evaluator) (*Search, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	s := &Search{options: o, evaluator: e, ends: judgeOfEnds(e)}
	if p, ok := e.(Proposing); ok {
		s.late = p.Late
	}
	if s.ends != nil && o.Prove {
		return nil, fmt.Errorf("search: an evaluator that judges the ends of games proves nothing: leave prove out, or let the game judge its ends")
	}
	return s, nil
}

// walk is one simulation: the way from a tree's root to a leaf.
type walk struct {
	tree  *Tree
	path  []step
	leaf  NodeID      // None where the leaf has no node: the tree is full, or the way ends at a proven edge
	exact bool        // the way ends at a proven edge
	open  bool        // the leaf's actions are to be looked at
	state games.State // at the leaf
	seat  games.Seat  // who moves there
}

// step is an edge on the way and the node that it leaves.
type step struct {
	node NodeID
	edge int32
}

// patience is how many rounds pass between two looks at the context.
const patience = 64

// Run makes Options.Simulations simulations in each tree. In every round each
// tree gives its leaves, and one call judges them all. Where the context ends,
// Run ends as well, without an error: the trees hold what was found so far,
// and their Simulations say how much that is.
func (s *Search) Run(ctx context.Context, trees ...*Tree) error {
	left := make([]int, len(trees))
	for i, t := range trees {
		if err := s.prepare(t); err != nil {
			return err
		}
		left[i] = s.options.Simulations
	}
	for round := 0; ; round++ {
		if round%patience == 0 || len(trees) > 1 || s.options.Leaves > 1 {
			if ctx.Err() != nil {
				return nil //nolint:nilerr // to be stopped is no failure
			}
		}
		s.underWay = 0
		working := false
		for i, t := range trees {
			for range min(s.options.Leaves, left[i]) {
				if t.settled() {
					left[i] = 0
					break
				}
				more, counts, err := s.simulate(t)
				if err != nil {
					return err
				}
				working = true
				if counts {
					left[i]--
				}
				if !more {
					break
				}
			}
		}
		if !working {
			return nil
		}
		if err := s.judge(ctx); err != nil {
			if ctx.Err() != nil {
				return nil //nolint:nilerr // to be stopped is no failure
			}
			return err
		}
	}
}

// prepare readies a tree for a run.
func (s *Search) prepare(t *Tree) error {
	if s.options.Prove && (t.info.Seats > 2 || t.info.Hidden) {
		return fmt.Errorf("searching %s: exact values are passed up in games of at most two seats without hidden information only", t.info.Name)
	}
	t.nodes = slices.Grow(t.nodes, min(s.options.Simulations+1, s.options.Nodes-min(s.options.Nodes, len(t.nodes))))
	if t.nodes[Root].first >= 0 {
		return s.rootReady(t) // reused: its priors are known
	}
	return nil
}

// rootReady is called once the root's actions are known.
func (s *Search) rootReady(t *Tree) error {
	if s.options.Noise.Share > 0 {
		t.addNoise(s.options.Noise)
	}
	if begin := s.options.Rule.Begin; begin != nil {
		if err := begin(t, s.options.Simulations); err != nil {
			return fmt.Errorf("searching %s: %w", t.info.Name, err)
		}
	}
	t.rule = s.options.Rule
	return nil
}

// settled tells whether all that there is to know of the root is proven.
func (t *Tree) settled() bool {
	edges := t.edgesOf(Root)
	for i := range edges {
		if !edges[i].proven() {
			return false
		}
	}
	return len(edges) > 0
}

// next returns a walk that is not under way.
func (s *Search) next(t *Tree) *walk {
	if s.underWay == len(s.walks) {
		s.walks = append(s.walks, &walk{})
	}
	w := s.walks[s.underWay]
	if w.tree == nil || w.tree.info.Name != t.info.Name {
		w.state = nil
	}
	w.tree, w.path, w.exact, w.open = t, w.path[:0], false, true
	return w
}

// simulate walks from the root to a leaf. Where the leaf is an end of the game
// its value is passed up at once; else the walk is left under way, for judge.
// counts is false for the evaluation of the root, which is no simulation; more
// is false where the tree has no other leaf to give before that one is judged.
func (s *Search) simulate(t *Tree) (more, counts bool, err error) {
	w := s.next(t)
	if w.state, err = t.world(w.state); err != nil {
		return false, false, err
	}
	counts, err = true, s.descend(w)
	if err != nil {
		return false, false, err
	}
	if len(w.path) == 0 && w.leaf == Root {
		counts = false
	} else {
		t.simulations++
	}
	if w.exact {
		last := w.path[len(w.path)-1]
		s.returns = t.known(s.returns[:0], games.Seat(t.nodes[last.node].seat), t.edges[last.edge].mean())
		s.backup(w, s.returns, false)
		return true, counts, nil
	}
	if w.seat == games.Over && s.ends == nil {
		s.returns = w.state.Returns(s.returns[:0])
		for i, r := range s.returns {
			s.returns[i] = t.bounds.normal(r)
		}
		s.backup(w, s.returns, s.options.Prove)
		return true, counts, nil
	}
	if w.leaf != None {
		t.nodes[w.leaf].state = awaiting
	}
	s.underWay++
	return len(w.path) > 0, counts, nil
}

// descend follows the rule to a node that was never judged, or to an end.
func (s *Search) descend(w *walk) error {
	t, at := w.tree, Root
	for {
		n := &t.nodes[at]
		w.leaf, w.seat = at, games.Seat(n.seat)
		if w.seat == games.Over {
			break
		}
		if w.seat >= 0 && (n.state != judged || n.first < 0 && s.late) {
			w.open = !s.late || n.state == judged || at == Root
			break
		}
		if n.first < 0 {
			if err := s.expand(t, at, w.state, nil); err != nil {
				return err
			}
			if at == Root {
				if err := s.rootReady(t); err != nil {
					return err
				}
			}
		}
		var i int32
		var err error
		switch {
		case w.seat == games.Chance:
			i, err = s.roll(t, at, w.state)
		case at == Root:
			i = s.options.Rule.Root(t, at)
		default:
			i = s.options.Rule.Interior(t, at)
		}
		if err != nil {
			return err
		}
		n = &t.nodes[at]
		e := &t.edges[n.first+i]
		w.path = append(w.path, step{at, n.first + i})
		if e.proven() {
			w.leaf, w.exact = None, true
			break
		}
		if t.proposals != nil {
			if err := t.repropose(at, w.state, e.action); err != nil {
				return fmt.Errorf("searching %s: %w", t.info.Name, err)
			}
		}
		if err := w.state.Apply(e.action); err != nil {
			return fmt.Errorf("searching %s: %w", t.info.Name, err)
		}
		if e.child == None || t.index != nil {
			e.child = s.child(t, e.child, w)
		}
		if at = e.child; at == None { // the tree is full
			w.leaf, w.seat = None, w.state.Turn()
			break
		}
	}
	s.enter(w)
	return nil
}

// enter counts a simulation on its way down. Where others set out before it is
// judged, it counts as lost.
func (s *Search) enter(w *walk) {
	t := w.tree
	lost := s.virtual()
	for _, p := range w.path {
		e := &t.edges[p.edge]
		if e.proven() {
			e.total += e.mean()
		} else {
			e.total -= lost
		}
		e.visits++
		t.nodes[p.node].visits++
	}
	if w.leaf != None {
		t.nodes[w.leaf].visits++
	}
}

func (s *Search) virtual() float64 {
	if s.options.Leaves > 1 {
		return 1
	}
	return 0
}

// child finds or makes the node that a walk has come to. It is None where a
// new one would be one too many.
func (s *Search) child(t *Tree, known NodeID, w *walk) NodeID {
	seat := w.state.Turn()
	var key string
	switch {
	case t.index == nil:
	case seat >= 0:
		key = string(t.key(w.state))
		if id, met := t.index[key]; met {
			return id
		}
	case known != None && games.Seat(t.nodes[known].seat) == seat:
		return known // chance or an end: which of them an edge leads to may differ
	}
	if len(t.nodes) >= s.options.Nodes {
		t.full = true
		return None
	}
	id := NodeID(len(t.nodes))
	t.nodes = append(t.nodes, newNode(seat))
	if key != "" {
		t.index[key] = id
	}
	return id
}

// expand lists a node's edges, with uniform priors where there are none.
func (s *Search) expand(t *Tree, at NodeID, state games.State, priors []float64) error {
	s.actions = state.Actions(s.actions[:0])
	n := &t.nodes[at]
	if n.seat == int16(games.Chance) {
		if t.info.Chance == games.Sampled || t.info.Hidden {
			s.actions = s.actions[:0] // outcomes are added as they are drawn
		} else {
			s.odds = state.Odds(s.odds[:0])
			priors = s.odds
		}
	} else if len(s.actions) == 0 {
		return fmt.Errorf("searching %s: seat %d is to move and has no listed action", t.info.Name, n.seat)
	}
	if priors != nil && len(priors) != len(s.actions) {
		return fmt.Errorf("searching %s: %d actions and %d priors", t.info.Name, len(s.actions), len(priors))
	}
	n.first, n.count = int32(len(t.edges)), int32(len(s.actions))
	t.edges = slices.Grow(t.edges, len(s.actions))[:len(t.edges)+len(s.actions)]
	edges := t.edges[n.first:]
	even := 1 / float32(max(1, len(s.actions)))
	for i, a := range s.actions {
		edges[i] = edge{action: a, child: None, prior: even}
		if priors == nil {
			continue
		}
		if !(priors[i] >= 0 && priors[i] <= 1+1e-6) {
			return fmt.Errorf("searching %s: a prior of %g for action %d: expected a probability", t.info.Name, priors[i], a)
		}
		edges[i].prior = float32(priors[i])
	}
	return nil
}

// roll draws an outcome of chance and returns its edge.
func (s *Search) roll(t *Tree, at NodeID, state games.State) (int32, error) {
	if t.info.Chance == games.Sampled || t.info.Hidden {
		a, err := games.Draw(state, t.random)
		if err != nil {
			return 0, fmt.Errorf("searching %s: %w", t.info.Name, err)
		}
		return t.outcome(at, a), nil
	}
	edges := t.edgesOf(at)
	x := t.random.Float64()
	for i := range edges {
		if x -= float64(edges[i].prior); x < 0 {
			return int32(i), nil
		}
	}
	return int32(len(edges) - 1), nil
}

// outcome finds or adds the edge of an outcome that was drawn. Edges of a node
// follow one another, so a run of them that must grow moves to the end.
func (t *Tree) outcome(at NodeID, a games.Action) int32 {
	edges := t.edgesOf(at)
	for i := range edges {
		if edges[i].action == a {
			return int32(i)
		}
	}
	n := &t.nodes[at]
	if int(n.first+n.count) != len(t.edges) {
		n.first = int32(len(t.edges))
		t.edges = append(t.edges, edges...)
	}
	t.edges = append(t.edges, edge{action: a, child: None})
	n.count++
	return n.count - 1
}

// judge evaluates the leaves of the walks under way and passes their values up.
func (s *Search) judge(ctx context.Context) error {
	if s.underWay == 0 {
		return nil
	}
	s.leaves = s.leaves[:0]
	for len(s.evaluations) < s.underWay {
		s.evaluations = append(s.evaluations, Evaluation{})
	}
	walks, out := s.walks[:s.underWay], s.evaluations[:s.underWay]
	for i, w := range walks {
		s.leaves = append(s.leaves, Leaf{State: w.state, Seat: w.seat, Info: &w.tree.info, Random: w.tree.random, Open: w.open, bounds: &w.tree.bounds})
		out[i] = Evaluation{Values: out[i].Values[:0]}
	}
	if err := s.evaluate(ctx, out); err != nil {
		return fmt.Errorf("search: %w", err)
	}
	for i, w := range walks {
		if err := s.settle(w, &out[i]); err != nil {
			return err
		}
	}
	return nil
}

// evaluate has the leaves judged, and ends apart from them where they are.
func (s *Search) evaluate(ctx context.Context, out []Evaluation) error {
	ended := func(l Leaf) bool { return l.Seat == games.Over }
	if s.ends == nil || !slices.ContainsFunc(s.leaves, ended) {
		return s.evaluator.Evaluate(ctx, s.leaves, out)
	}
	for _, over := range []bool{false, true} {
		var leaves []Leaf
		var some []Evaluation
		var place []int
		for i, leaf := range s.leaves {
			if ended(leaf) == over {
				leaves, some, place = append(leaves, leaf), append(some, out[i]), append(place, i)
			}
		}
		judge := s.evaluator.Evaluate
		if over {
			judge = s.ends.EvaluateEnds
		}
		if len(leaves) == 0 {
			continue
		}
		if err := judge(ctx, leaves, some); err != nil {
			return err
		}
		for k, i := range place {
			out[i] = some[k]
		}
	}
	return nil
}

// settle makes a leaf of an evaluation and passes its value up.
func (s *Search) settle(w *walk, e *Evaluation) error {
	t := w.tree
	if len(e.Values) != t.info.Seats {
		return fmt.Errorf("search: an evaluation of %s has %d values, expected one for each of %d seats", t.info.Name, len(e.Values), t.info.Seats)
	}
	for _, v := range e.Values {
		if !(v >= -1-1e-6 && v <= 1+1e-6) {
			return fmt.Errorf("search: a state of %s is valued at %g: expected -1 to 1", t.info.Name, v)
		}
	}
	if w.leaf != None {
		n := &t.nodes[w.leaf]
		first := n.state != judged
		n.state = judged
		if first && w.seat >= 0 {
			n.value = float32(e.Values[w.seat])
		}
		if first && n.first < 0 && (e.Priors != nil || e.Proposals != nil) {
			var err error
			if e.Proposals != nil {
				err = s.propose(t, w.leaf, w.state, e.Proposals)
			} else {
				err = s.expand(t, w.leaf, w.state, e.Priors)
			}
			if err != nil {
				return err
			}
			if w.leaf == Root {
				if err := s.rootReady(t); err != nil {
					return err
				}
			}
		}
	}
	s.backup(w, e.Values, false)
	return nil
}

// backup passes a leaf's values, by seat, up to the root; as proven ones as
// far as they are. A proven edge has its value already.
func (s *Search) backup(w *walk, values []float64, proving bool) {
	t := w.tree
	if w.leaf != None && w.seat >= 0 {
		t.nodes[w.leaf].total += values[w.seat]
	}
	lost := s.virtual()
	for i := len(w.path) - 1; i >= 0; i-- {
		p := w.path[i]
		n, e := &t.nodes[p.node], &t.edges[p.edge]
		value := 0.0
		if n.seat >= 0 {
			value = values[n.seat]
		} else if proving {
			value = values[0] // of chance, the first seat's
		}
		n.total += value
		switch {
		case proving:
			e.prove()
			e.total = value * float64(e.visits)
			values, proving = t.proof(p.node, values)
		case !e.proven():
			e.total += lost + value
		}
	}
}

// world overwrites dst with a state to search from: the root's or, where it is
// hidden, one that the seat to move cannot tell from it.
func (t *Tree) world(dst games.State) (games.State, error) {
	if t.worlds != nil {
		return t.worlds.draw(t.state, dst, t.random)
	}
	return games.Copy(dst, t.state), nil
}

// addNoise mixes a Dirichlet draw into the root's priors.
func (t *Tree) addNoise(o Noise) {
	edges := t.edgesOf(Root)
	if len(edges) < 2 {
		return
	}
	draw := distmv.NewDirichlet(slices.Repeat([]float64{o.Alpha}, len(edges)), t.random).Rand(nil)
	for i := range edges {
		if math.IsNaN(draw[i]) {
			return // alpha so small that every draw of a gamma is zero
		}
	}
	for i := range edges {
		edges[i].prior = float32((1-o.Share)*float64(edges[i].prior) + o.Share*draw[i])
	}
}
