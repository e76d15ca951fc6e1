package main

import (
	"context"

	"github.com/agon-rl/agon/play"
	"github.com/agon-rl/agon/prefs"
)

// certainPairs is UPO's choice of pairs where three labels in ten are wrong.
var certainPairs = claim{
	id: "upo-certain", source: "2409.11212",
	says:    "of noisy pairs, those that an estimator with dropout is certain of teach more than as many drawn evenly",
	setting: "tic-tac-toe, 1,200 pairs of moves, 30 % of labels wrong; half are kept; a network learns from them and is asked for 1,000 pairs of other states",
	seeds:   20,
	more:    "To keep half of the labels is to throw half away: so all pairs are learnt from as well, wrong labels included. The estimator has no other labels than these; each pair is judged by one that has not seen its state.",
	run: func(ctx context.Context, seed uint64) (figures, error) {
		r := play.Generator(seed, "claims/upo")
		clean, test, err := boardPairs(ctx, 1200, 1000, r)
		if err != nil {
			return nil, err
		}
		pairs := turnedRound(clean, 0.3, r)
		features := prefs.StateFeatures()
		asked, err := examplesOf(test, features, false)
		if err != nil {
			return nil, err
		}
		out := figures{}
		learn := func(name string, pairs []prefs.Pair, smooth bool) error {
			examples, err := examplesOf(pairs, features, smooth)
			if err != nil {
				return err
			}
			// The same draws for all, so that only the pairs differ.
			e, err := preferenceModel(examples, 32, play.Generator(seed, "claims/upo/learner"))
			if err != nil {
				return err
			}
			out[name], out["wrong "+name] = accuracyOn(e, asked), wrongShare(pairs)
			return nil
		}
		certain := prefs.NewCertain()
		gain, err := certain.Select(ctx, pairs, play.Generator(seed, "claims/upo/certain"))
		if err != nil {
			return nil, err
		}
		certain.By = "doubt"
		doubt, err := certain.Select(ctx, pairs, play.Generator(seed, "claims/upo/certain"))
		if err != nil {
			return nil, err
		}
		even, err := prefs.Random{Share: float64(len(gain)) / float64(len(pairs))}.Select(ctx, pairs, r)
		if err != nil {
			return nil, err
		}
		for _, arm := range []struct {
			name   string
			pairs  []prefs.Pair
			smooth bool
		}{{"gain", gain, false}, {"doubt", doubt, false}, {"smooth", gain, true}, {"even", even, false}, {"all", pairs, false}, {"clean", clean[:len(gain)], false}} {
			if err := learn(arm.name, arm.pairs, arm.smooth); err != nil {
				return nil, err
			}
		}
		out["fewer"] = out["wrong even"] - out["wrong gain"]
		out["better"], out["better than all"] = out["gain"]-out["even"], out["gain"]-out["all"]
		out["better smooth"] = out["smooth"] - out["gain"]
		out["kept"] = float64(len(gain))
		return out, nil
	},
	measures: []measure{
		{key: "fewer", what: "share of wrong labels, drawn evenly less certain", expect: moreThan(0)},
		{key: "better", what: "accuracy, certain less drawn evenly", expect: moreThan(0)},
		{key: "kept", what: "pairs kept"},
		{key: "wrong all", what: "wrong labels among all"},
		{key: "wrong even", what: "wrong labels among those drawn evenly"},
		{key: "wrong gain", what: "wrong labels among the certain by information gain"},
		{key: "wrong doubt", what: "wrong labels among the certain by doubt"},
		{key: "even", what: "accuracy, drawn evenly"},
		{key: "gain", what: "accuracy, certain by information gain"},
		{key: "doubt", what: "accuracy, certain by doubt"},
		{key: "better smooth", what: "accuracy gained by smoothing labels by their doubt"},
		{key: "all", what: "accuracy, all pairs: twice as many labels"},
		{key: "better than all", what: "accuracy, certain less all pairs"},
		{key: "clean", what: "accuracy, as many pairs without a wrong label"},
	},
}
