package trainer

import (
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/agon-rl/agon/agents"
	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/mcts"
	"github.com/agon-rl/agon/play"
	"github.com/agon-rl/agon/policy"
)

// searchLimit bounds the decisions of a game of hidden information in which a
// search teaches.
const searchLimit = 1_000_000

// lessons are what the recipe's updates learn from.
func (r Recipe) lessons() []Lesson {
	var out []Lesson
	if r.Objective.Name != noGradient {
		out = append(out, Turns(r.Loss()))
	}
	if r.Search.Agent != "" {
		out = append(out, Targets())
	}
	return out
}

// prepareSearch reads the recipe's search; nil where it has none.
func (t *Trainer) prepareSearch(ctx context.Context) (*agents.Searcher, error) {
	if t.recipe.Search.Agent == "" {
		return nil, nil
	}
	options, temperature, err := agents.ReadSearch(t.recipe.Search.Agent)
	if err != nil {
		return nil, fmt.Errorf("recipe: search.agent: %w", err)
	}
	s := &agents.Searcher{Game: t.info, Options: options, Temperature: temperature}
	if t.info.Hidden {
		if s.Worlds, err = mcts.NewWorlds(ctx, t.game, searchLimit); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// searcher is the search with a network to judge its leaves.
func (t *Trainer) searcher(network *policy.Network) agents.SearchLearner {
	s := *t.search
	s.Evaluator = func() mcts.Evaluator { return mcts.Network{Critic: network} }
	return agents.SearchLearner{Searcher: &s, Network: network, Sampled: t.recipe.Search.Sampled}
}

// actor is who plays the learner's seats.
func (t *Trainer) actor(network *policy.Network) play.Agent {
	if t.search != nil && t.recipe.Search.Acts {
		return t.searcher(network)
	}
	return agents.Learner{Network: network}
}

// targets returns, by episode, what the search makes of the learner's turns:
// what it found while it played or, where the network played, what it finds at
// a share of the turns.
func (t *Trainer) targets(ctx context.Context, network *policy.Network, episodes []*play.Episode) ([][]policy.Target, error) {
	if t.search == nil {
		return nil, nil
	}
	out := make([][]policy.Target, len(episodes))
	if !t.recipe.Search.Acts {
		return out, t.review(ctx, network, episodes, out)
	}
	for i, e := range episodes {
		for _, turn := range e.Turns {
			searched, ok := turn.Record.(*agents.Searched)
			if ok && owns(e, turn.Seat) {
				out[i] = append(out[i], ended(searched, e, turn.Seat))
			}
		}
	}
	return out, nil
}

// ended completes a target once its game is over.
func ended(s *agents.Searched, e *play.Episode, seat games.Seat) policy.Target {
	target := s.Target
	target.Return = float32(e.Returns[seat])
	return target
}

// reviewed is how many positions are searched in lockstep.
const reviewed = 256

// review replays the episodes and searches at a share of the learner's turns.
func (t *Trainer) review(ctx context.Context, network *policy.Network, episodes []*play.Episode, out [][]policy.Target) error {
	learner := t.searcher(network)
	var states []games.State
	var rands []*rand.Rand
	var episode []int
	flush := func() error {
		searched, _, err := learner.Search(ctx, states, rands)
		if err != nil {
			return err
		}
		for i, s := range searched {
			out[episode[i]] = append(out[episode[i]], ended(s, episodes[episode[i]], states[i].Turn()))
		}
		states, rands, episode = nil, nil, nil
		return nil
	}
	for i, e := range episodes {
		draw := play.Generator(t.recipe.Seed, "review", e.Number)
		s := t.game.Start()
		for _, a := range e.Actions {
			if seat := s.Turn(); seat >= 0 && owns(e, seat) && draw.Float64() < t.recipe.Search.Share {
				states, rands, episode = append(states, s.Clone()), append(rands, rand.New(rand.NewPCG(draw.Uint64(), draw.Uint64()))), append(episode, i)
			}
			if err := s.Apply(a); err != nil {
				return fmt.Errorf("replaying episode %d: %w", e.Number, err)
			}
			if len(states) == reviewed {
				if err := flush(); err != nil {
					return err
				}
			}
		}
	}
	return flush()
}
