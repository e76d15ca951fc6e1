package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/prefs"
	"github.com/agon-rl/agon/solve"
)

// dataClaims are those about how pairs are made and chosen.
var dataClaims = []claim{
	certainPairs, informativeStarts, temporalGap, temporalScore, judgeWithTools,
	manyInstructions, instructionsBesideATrait, fewExamples, moreIsLess,
}

// board is tic-tac-toe, solved.
var board = sync.OnceValues(func() (*solve.Perfect, error) {
	game, err := games.New("tic_tac_toe")
	if err != nil {
		return nil, err
	}
	return solve.Minimax(context.Background(), game)
})

// boardPairs draws pairs of moves of different worth in states that random games
// come to, the truly better one chosen, no two of them the same. What is learnt of
// the first states is asked of others: no state is in both parts.
func boardPairs(ctx context.Context, learn, ask int, r *rand.Rand) (learnt, asked []prefs.Pair, err error) {
	perfect, err := board()
	if err != nil {
		return nil, nil, err
	}
	game, err := games.New("tic_tac_toe")
	if err != nil {
		return nil, nil, err
	}
	part, seen := map[string]bool{}, map[string]bool{} // by state, by pair
	for len(learnt) < learn || len(asked) < ask {
		s, history := game.Start(), []int32{}
		for range r.IntN(7) {
			if s.Turn() < 0 {
				break
			}
			actions := s.Actions(nil)
			a := actions[r.IntN(len(actions))]
			if err := s.Apply(a); err != nil {
				return nil, nil, err
			}
			history = append(history, int32(a))
		}
		seat := s.Turn()
		if seat < 0 {
			continue
		}
		actions := s.Actions(nil)
		p := prefs.Pair{Game: "tic_tac_toe", History: history, Key: games.Key(s, seat), Seat: int32(seat), Source: "minimax"}
		p.Prompt = p.Key
		var answers [2]prefs.Candidate
		for i := range answers {
			a := actions[r.IntN(len(actions))]
			next := s.Clone()
			if err := next.Apply(a); err != nil {
				return nil, nil, err
			}
			q, err := perfect.Value(ctx, next)
			if err != nil {
				return nil, nil, err
			}
			if seat != 0 {
				q = -q
			}
			answers[i] = prefs.Candidate{Text: games.Say(s, a), Action: int32(a), Q: q, Source: "minimax"}
		}
		position := string(s.(games.Positioned).AppendPosition(nil))
		key := fmt.Sprint(position, answers[0].Action, answers[1].Action)
		if answers[0].Q <= answers[1].Q || seen[key] {
			continue
		}
		seen[key] = true
		mine, known := part[position]
		if !known {
			mine = r.IntN(learn+ask) < learn
			part[position] = mine
		}
		switch p = p.With(answers[0], answers[1]); {
		case mine && len(learnt) < learn:
			learnt = append(learnt, p)
		case !mine && len(asked) < ask:
			asked = append(asked, p)
		}
	}
	return learnt, asked, nil
}

// turnedRound turns a share of the labels round.
func turnedRound(pairs []prefs.Pair, share float64, r *rand.Rand) []prefs.Pair {
	out := slices.Clone(pairs)
	for i := range out {
		if r.Float64() < share {
			out[i] = out[i].Swapped()
		}
	}
	return out
}

// wrongShare is the share of labels that contradict the true values.
func wrongShare(pairs []prefs.Pair) float64 {
	wrong := 0.0
	for _, p := range pairs {
		if p.Gap() < 0 {
			wrong++
		}
	}
	return wrong / float64(max(1, len(pairs)))
}

// examplesOf tells pairs by features; smooth takes 1 − doubt as the target.
func examplesOf(pairs []prefs.Pair, features prefs.Features, smooth bool) ([]prefs.Observation, error) {
	out := make([]prefs.Observation, len(pairs))
	for i, p := range pairs {
		chosen, rejected, err := features(p)
		if err != nil {
			return nil, err
		}
		out[i] = prefs.Observation{Chosen: chosen, Rejected: rejected, Target: 1}
		if smooth {
			out[i].Target = 1 - p.Doubt
		}
	}
	return out, nil
}

// preferenceModel fits a preference model.
func preferenceModel(examples []prefs.Observation, hidden int, r *rand.Rand) (*prefs.Estimator, error) {
	e := prefs.NewEstimator()
	e.Hidden = hidden
	return e, e.Fit(examples, r)
}

// accuracyOn is the share of examples that a model has right.
func accuracyOn(e *prefs.Estimator, examples []prefs.Observation) float64 {
	right := 0.0
	for _, x := range examples {
		switch p := e.Probability(x.Chosen, x.Rejected); {
		case p > 0.5:
			right++
		case p == 0.5:
			right += 0.5
		}
	}
	return right / float64(len(examples))
}
