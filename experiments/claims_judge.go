package main

import (
	"context"
	"math"
	"slices"

	"github.com/agon-rl/agon/play"
	"github.com/agon-rl/agon/prefs"
)

// judgeWithTools is Anyprefer's judge.
var judgeWithTools = claim{
	id: "anyprefer-tools", source: "2504.19276",
	says:    "a judge that has an exact tool labels better than one that shares the policy's weights, and its labels teach the policy more",
	setting: "tic-tac-toe; the policy is a network that has learnt from 200 pairs; 1,000 further pairs are labelled by its own probabilities, or by a solver of so many moves ahead first; it learns from both and is asked for 1,000 pairs of other states",
	seeds:   20,
	run: func(ctx context.Context, seed uint64) (figures, error) {
		r := play.Generator(seed, "claims/tools")
		pairs, test, err := boardPairs(ctx, 1200, 1000, r)
		if err != nil {
			return nil, err
		}
		known, fresh := pairs[:200], slices.Clone(pairs[200:])
		features := prefs.StateFeatures()
		seeds, err := examplesOf(known, features, false)
		if err != nil {
			return nil, err
		}
		asked, err := examplesOf(test, features, false)
		if err != nil {
			return nil, err
		}
		policy, err := preferenceModel(seeds, 32, play.Generator(seed, "claims/tools/policy"))
		if err != nil {
			return nil, err
		}
		for i, p := range fresh { // what it finds how likely, up to what all moves of the state share
			chosen, rejected, err := features(p)
			if err != nil {
				return nil, err
			}
			odds := policy.Probability(chosen, rejected)
			fresh[i].ChosenPrior, fresh[i].RejectedPrior = math.Log(odds), math.Log1p(-odds)
		}
		fresh = turnedRound(fresh, 0.5, r) // so that the old label tells nothing
		out := figures{"policy": accuracyOn(policy, asked)}
		for name, judge := range map[string]prefs.Comparer{
			"own": prefs.Own{}, "one": prefs.Panel{&prefs.Solver{Depth: 1}, prefs.Own{}}, "three": prefs.Panel{&prefs.Solver{Depth: 3}, prefs.Own{}},
		} {
			labelled, err := prefs.Relabel{Judge: judge}.Select(ctx, fresh, r)
			if err != nil {
				return nil, err
			}
			out[name] = 1 - wrongShare(labelled)
			examples, err := examplesOf(labelled, features, false)
			if err != nil {
				return nil, err
			}
			taught, err := preferenceModel(append(slices.Clone(seeds), examples...), 32, play.Generator(seed, "claims/tools/policy"))
			if err != nil {
				return nil, err
			}
			out["taught "+name] = accuracyOn(taught, asked)
		}
		out["better"], out["taught better"] = out["one"]-out["own"], out["taught one"]-out["taught own"]
		out["taught by own"] = out["taught own"] - out["policy"]
		return out, nil
	},
	measures: []measure{
		{key: "better", what: "label accuracy, solver of one move ahead less own weights", expect: moreThan(0)},
		{key: "taught better", what: "policy's accuracy after it, solver of one move less own weights", expect: moreThan(0)},
		{key: "own", what: "label accuracy, own weights"},
		{key: "one", what: "label accuracy, solver of one move ahead, then own weights"},
		{key: "three", what: "label accuracy, solver of three moves ahead, then own weights"},
		{key: "policy", what: "policy's accuracy before"},
		{key: "taught by own", what: "what own labels add to it"},
		{key: "taught one", what: "policy's accuracy after labels of the solver of one move"},
		{key: "taught three", what: "policy's accuracy after labels of the solver of three moves"},
	},
}
