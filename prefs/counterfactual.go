package prefs

import (
	"context"
	"fmt"
	"slices"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/policy"
)

// Counterfactual takes pairs from the counterfactual values of a policy that sits
// in every seat, by walking the whole game: of every information state I that the
// policy's opponents and chance can bring about, an action is worth
//
//	Q(I, a) = Σ_h π₋ᵢ(h) u(h·a) / Σ_h π₋ᵢ(h),
//
// summed over the histories h in I, weighted by how likely everybody but the seat
// makes them (Zinkevich et al. 2007). It is what preferences mean where
// information is hidden: search over sampled worlds (information-set MCTS)
// converges to something else. All pairs of actions of an information state whose
// values differ by more than the gap are taken, the better one chosen. Values are
// brought to [-1, 1]; History is the first history met.
func Counterfactual(ctx context.Context, game games.Game, p policy.Policy, c Context, gap float64) ([]Pair, error) {
	info := game.Info()
	if info.Chance == games.Sampled {
		return nil, fmt.Errorf("%s: its chance can only be sampled, and counterfactual values need its odds", info.Name)
	}
	w := &counterfactual{ctx: ctx, policy: p, info: info, sets: map[string]*set{}}
	reach := make([]float64, info.Seats+1)
	for i := range reach {
		reach[i] = 1
	}
	if _, err := w.walk(game.Start(), nil, reach); err != nil {
		return nil, err
	}
	var out []Pair
	for _, s := range w.order {
		out = append(out, s.pairs(info, c, gap)...)
	}
	return out, nil
}

// set gathers what is known of an information state.
type set struct {
	state   games.State
	history []int32
	seat    games.Seat
	actions []games.Action
	prob    []float64
	weight  float64   // Σ π₋ᵢ(h)
	worth   []float64 // Σ π₋ᵢ(h) u(h·a), by action
}

type counterfactual struct {
	ctx    context.Context
	policy policy.Policy
	info   games.Info
	sets   map[string]*set
	order  []*set
	nodes  int
}

// walk returns what every seat gets from a state on. Reach holds each seat's and,
// last, chance's part in the probability of the state.
func (w *counterfactual) walk(s games.State, history []int32, reach []float64) ([]float64, error) {
	if w.nodes++; w.nodes%1024 == 0 && w.ctx.Err() != nil {
		return nil, w.ctx.Err()
	}
	turn := s.Turn()
	if turn == games.Over {
		return s.Returns(nil), nil
	}
	actions, prob := s.Actions(nil), s.Odds(nil)
	who := len(reach) - 1
	var at *set
	if turn >= 0 {
		var err error
		if at, err = w.meet(s, history, actions); err != nil {
			return nil, err
		}
		prob, who = at.prob, int(turn)
	}
	others := 1.0
	for i, r := range reach {
		if i != int(turn) {
			others *= r
		}
	}
	value := make([]float64, w.info.Seats)
	for i, a := range actions {
		next := s.Clone()
		if err := next.Apply(a); err != nil {
			return nil, err
		}
		further := slices.Clone(reach)
		further[who] *= prob[i]
		below, err := w.walk(next, append(slices.Clip(history), int32(a)), further)
		if err != nil {
			return nil, err
		}
		for seat := range value {
			value[seat] += prob[i] * below[seat]
		}
		if at != nil {
			at.worth[i] += others * below[turn]
		}
	}
	if at != nil {
		at.weight += others
	}
	return value, nil
}

func (w *counterfactual) meet(s games.State, history []int32, actions []games.Action) (*set, error) {
	seat := s.Turn()
	key := fmt.Sprintf("%d %s", seat, games.Key(s, seat))
	if at, ok := w.sets[key]; ok {
		return at, nil
	}
	at := &set{
		state: s.Clone(), history: slices.Clone(history), seat: seat, actions: actions,
		prob: make([]float64, len(actions)), worth: make([]float64, len(actions)),
	}
	if err := w.policy.Probabilities(w.ctx, []games.State{at.state}, [][]float64{at.prob}); err != nil {
		return nil, err
	}
	w.sets[key] = at
	w.order = append(w.order, at)
	return at, nil
}

// pairs are those of one information state, best action first.
func (s *set) pairs(info games.Info, c Context, gap float64) []Pair {
	if s.weight == 0 {
		return nil // the others never let it come about
	}
	half := (info.MaxReturn - info.MinReturn) / 2
	q := make([]float64, len(s.actions))
	mean := 0.0
	for i, worth := range s.worth {
		q[i] = (worth/s.weight-info.MinReturn)/half - 1
		mean += s.prob[i] * q[i]
	}
	var out []Pair
	for w := range s.actions {
		for l := range s.actions {
			if !(q[w]-q[l] > gap) {
				continue
			}
			p := Pair{
				Prompt: promptOf(s.state, s.seat), Chosen: games.Say(s.state, s.actions[w]), Rejected: games.Say(s.state, s.actions[l]),
				Game: c.Game, History: s.history, Key: games.Key(s.state, s.seat), Seat: int32(s.seat),
				ChosenAction: int32(s.actions[w]), RejectedAction: int32(s.actions[l]), ChosenQ: q[w], RejectedQ: q[l], Value: mean,
				ChosenPrior: logProb(s.prob[w]), RejectedPrior: logProb(s.prob[l]),
				Rule: "counterfactual", Source: c.Source, Seed: c.Seed,
			}
			p.ChosenBehaviour, p.RejectedBehaviour = p.ChosenPrior, p.RejectedPrior
			out = append(out, p)
		}
	}
	return out
}
