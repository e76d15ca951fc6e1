package agents

import (
	"context"
	"math"
	"math/rand/v2"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/mcts"
	"github.com/agon-rl/agon/play"
)

// Proposer has an agent propose the steps of a search: K decisions at a state, each
// step with the share of them that it got, for its prior.
type Proposer struct{ Agent play.Agent }

var _ mcts.Proposer = Proposer{}

// Propose implements mcts.Proposer.
func (p Proposer) Propose(ctx context.Context, states []games.State, k int, rands []*rand.Rand) ([][]mcts.Proposal, error) {
	requests, decisions := make([]play.Request, 0, k*len(states)), make([]play.Decision, k*len(states))
	for i, s := range states {
		for range k {
			requests = append(requests, play.Request{State: s, Rand: rands[i]})
		}
	}
	if err := p.Agent.Act(ctx, requests, decisions); err != nil {
		return nil, err
	}
	out := make([][]mcts.Proposal, len(states))
	for i := range states {
		counts := map[games.Action]int{}
		some := decisions[i*k : (i+1)*k]
		for _, d := range some {
			counts[d.Action]++
		}
		for _, d := range some {
			out[i] = append(out[i], mcts.Proposal{Action: d.Action, LogProb: math.Log(float64(counts[d.Action]) / float64(k))})
		}
	}
	return out, nil
}
