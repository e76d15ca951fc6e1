package mcts

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/agon-rl/agon/games"
)

// Proposal is a step that a proposer sampled: an action that is listed or, where
// actions cannot be listed (games.Open), a text.
type Proposal struct {
	Action  games.Action
	Text    string  // of an action that is not listed; else ""
	LogProb float64 // with which it was sampled
}

// Proposer samples steps: what a language model does where actions are texts, and
// what keeps a tree narrow where they are many.
type Proposer interface {
	// Propose returns up to k steps for each state, which it leaves alone. The same
	// step may come twice.
	Propose(ctx context.Context, states []games.State, k int, rands []*rand.Rand) ([][]Proposal, error)
}

// Proposing makes a node's edges of K sampled steps. Their priors are the
// probabilities that they were sampled with, renormalised over those that differ.
// Values are the evaluator's.
type Proposing struct {
	Proposer  Proposer
	K         int
	Evaluator Evaluator
	// Late has a node's steps sampled when the search comes to it for the second
	// time, not when it is judged: where judging is cheap and sampling dear, nothing
	// is sampled after steps that are judged to be bad. Its value counts twice then.
	Late bool
}

// Evaluate implements Evaluator.
func (p Proposing) Evaluate(ctx context.Context, leaves []Leaf, out []Evaluation) error {
	var states []games.State
	var rands []*rand.Rand
	var place []int
	copies := slices.Clone(leaves)
	for i, leaf := range leaves {
		copies[i].State = leaf.State.Clone() // the leaf's own is still to be expanded
		if leaf.Open {
			states, rands, place = append(states, leaf.State), append(rands, leaf.Random), append(place, i)
		}
	}
	var proposed [][]Proposal
	var err error
	if len(states) > 0 {
		if proposed, err = p.Proposer.Propose(ctx, states, p.K, rands); err != nil {
			return err
		}
	}
	if len(proposed) != len(states) {
		return fmt.Errorf("%d lists of proposals for %d states", len(proposed), len(states))
	}
	if err := p.Evaluator.Evaluate(ctx, copies, out); err != nil {
		return err
	}
	for i := range out {
		out[i].Priors = nil
	}
	for k, i := range place {
		if out[i].Proposals, err = understand(states[k], proposed[k]); err != nil {
			return err
		}
	}
	return nil
}

// understand makes texts actions of a state and leaves out what is proposed twice,
// and texts that the state does not take.
func understand(s games.State, some []Proposal) ([]Proposal, error) {
	var out []Proposal
	var refused error
	for _, p := range some {
		if p.Text != "" {
			open, ok := s.(games.Open)
			if !ok {
				return nil, fmt.Errorf("the proposal %q is a text, and the game lists its actions", p.Text)
			}
			a, err := open.Propose(p.Text)
			if err != nil {
				refused = err
				continue
			}
			p.Action = a
		}
		if !slices.ContainsFunc(out, func(q Proposal) bool { return q.Action == p.Action }) {
			out = append(out, p)
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("none of %d proposals can be played: %w", len(some), cmp.Or(refused, games.ErrIllegal))
	}
	return out, nil
}

// propose makes edges of proposals.
func (s *Search) propose(t *Tree, at NodeID, state games.State, some []Proposal) error {
	legal := state.Actions(nil)
	highest := math.Inf(-1)
	for _, p := range some {
		if !slices.Contains(legal, p.Action) {
			return fmt.Errorf("searching %s: the proposed action %d is not legal", t.info.Name, p.Action)
		}
		if math.IsNaN(p.LogProb) || p.LogProb > 1e-6 {
			return fmt.Errorf("searching %s: a proposal with the log-probability %g: expected at most 0", t.info.Name, p.LogProb)
		}
		highest = max(highest, p.LogProb)
	}
	n := &t.nodes[at]
	n.first, n.count = int32(len(t.edges)), int32(len(some))
	sum := 0.0
	prior := func(p Proposal) float64 {
		if math.IsInf(highest, -1) {
			return 1
		}
		return math.Exp(p.LogProb - highest)
	}
	for _, p := range some {
		sum += prior(p)
	}
	for _, p := range some {
		t.edges = append(t.edges, edge{action: p.Action, child: None, prior: float32(prior(p) / sum)})
	}
	if t.proposals == nil {
		t.proposals = map[NodeID][]Proposal{}
	}
	t.proposals[at] = some
	return nil
}

// repropose makes a text an action again of a state that came to the node anew.
func (t *Tree) repropose(at NodeID, s games.State, a games.Action) error {
	if p := t.proposal(at, a); p != nil {
		return p.open(s)
	}
	return nil
}

// proposal is what an action of a node was sampled as; nil where none was.
func (t *Tree) proposal(at NodeID, a games.Action) *Proposal {
	some := t.proposals[at]
	for i := range some {
		if some[i].Action == a {
			return &some[i]
		}
	}
	return nil
}

// open makes a text an action of a state at which it was proposed before.
func (p *Proposal) open(s games.State) error {
	if p.Text == "" {
		return nil
	}
	_, err := s.(games.Open).Propose(p.Text)
	return err
}

// Open makes what was proposed an action of s, a state of the child's node; an
// action that the game lists is one already.
func (c Child) Open(s games.State) error {
	if c.Proposal == nil {
		return nil
	}
	return c.Proposal.open(s)
}
