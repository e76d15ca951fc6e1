package prefs

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/agon-rl/agon/internal/spec"
)

func init() {
	Strategies.Add(spec.Entry[func(r *spec.Reader) Selector]{
		Name: "certain", Aliases: []string{"upo"}, Usage: "certain(share=0.5,by=gain,agree=true,draw=false,passes=20,folds=5,hidden=32,dropout=0.2,epochs=30,features=auto)",
		Help:  "pairs of which an estimator with dropout is certain; their doubt goes into the column of that name\n(arXiv 2409.11212)",
		Value: readCertain,
	})
}

// Certain keeps the pairs of which an Estimator is most certain (UPO, Wang et al.
// 2024, arXiv 2409.11212): K passes under dropout give draws p_1 … p_K of the
// probability that the label is right, and with them the information gain
// B (InformationGain), which is small where the estimator is certain, and the
// doubt 1 − 1/K Σ p_k. Kept pairs hold their doubt, at most ½, so that a loss can
// smooth their labels by it:
//
//	L = −(1−ε)·log σ(βΔ) − ε·log σ(−βΔ),  ε = doubt.
//
// UPO learns the estimator from pairs that people labelled; where there are none
// (Trusted), each pair is judged by an estimator that has seen no pair of its
// state, since one that has learns the wrong labels by heart.
type Certain struct {
	Share     float64    // of the pairs to keep
	By        string     // gain: by information gain; doubt: by the probability that the label is wrong
	Agree     bool       // leaves out pairs whose label the estimator thinks wrong
	Draw      bool       // draws pairs in proportion to 1 − B/log 2 (gain) or 1 − doubt, instead of taking the most certain
	Passes    int        // K
	Folds     int        // of states, where there is nothing Trusted
	Features  string     // see FindFeatures
	Estimator *Estimator // the settings
	Trusted   []Pair     // pairs whose labels are right
}

// NewCertain returns the strategy with its defaults.
func NewCertain() Certain {
	return Certain{Share: 0.5, By: "gain", Agree: true, Passes: 20, Folds: 5, Features: "auto", Estimator: NewEstimator()}
}

func readCertain(r *spec.Reader) Selector {
	c := NewCertain()
	c.Share = readShare(r, c.Share)
	c.By = r.Choice("by", c.By, "gain", "doubt")
	c.Agree = r.Bool("agree", c.Agree)
	c.Draw = r.Bool("draw", c.Draw)
	c.Passes = r.Int("passes", c.Passes, 2, 1<<16)
	c.Folds = r.Int("folds", c.Folds, 2, 1<<10)
	c.Estimator.Hidden = r.Int("hidden", c.Estimator.Hidden, 0, 1<<12)
	c.Estimator.Dropout = r.Float("dropout", c.Estimator.Dropout, 0.01, 0.95)
	c.Estimator.Epochs = r.Int("epochs", c.Estimator.Epochs, 1, 1<<16)
	c.Features = r.Choice("features", c.Features, FeatureNames...)
	return c
}

// Select implements Selector.
func (c Certain) Select(ctx context.Context, pairs []Pair, r *rand.Rand) ([]Pair, error) {
	beliefs, err := c.Beliefs(ctx, pairs, r)
	if err != nil {
		return nil, err
	}
	weights := make([]float64, len(pairs))
	for i, b := range beliefs {
		switch {
		case c.Agree && b.Mean < 0.5:
		case c.By == "doubt":
			weights[i] = b.Mean
		default:
			weights[i] = 1 - b.Gain/math.Ln2
		}
	}
	places, err := c.take(weights, r)
	if err != nil {
		return nil, err
	}
	out := pick(pairs, places)
	for k, i := range places {
		out[k].Doubt = min(0.5, 1-beliefs[i].Mean)
	}
	return out, nil
}

// take are the places kept, in ascending order.
func (c Certain) take(weights []float64, r *rand.Rand) ([]int, error) {
	if c.Draw {
		return drawn(weights, c.Share, r)
	}
	if !(c.Share > 0 && c.Share <= 1) {
		return nil, fmt.Errorf("prefs: share=%g: expected more than 0 and at most 1", c.Share)
	}
	places := make([]int, len(weights))
	for i := range places {
		places[i] = i
	}
	slices.SortStableFunc(places, func(i, j int) int { return cmp.Compare(weights[j], weights[i]) })
	places = places[:int(math.Round(c.Share*float64(len(places))))]
	places = slices.DeleteFunc(places, func(i int) bool { return weights[i] <= 0 })
	slices.Sort(places)
	return places, nil
}

// Beliefs are what the estimator thinks of the pairs' labels.
func (c Certain) Beliefs(ctx context.Context, pairs []Pair, r *rand.Rand) ([]Belief, error) {
	if c.Passes < 2 {
		return nil, fmt.Errorf("prefs: passes=%d: expected at least 2", c.Passes)
	}
	if len(pairs) == 0 {
		return nil, errors.New("prefs: there are no pairs to be certain of")
	}
	features, err := FindFeatures(c.Features, append(slices.Clone(pairs), c.Trusted...))
	if err != nil {
		return nil, err
	}
	examples, err := examplesOf(pairs, features)
	if err != nil {
		return nil, err
	}
	out := make([]Belief, len(pairs))
	judge := func(e *Estimator, places []int) {
		for _, i := range places {
			out[i] = BeliefOf(e.Passes(examples[i].Chosen, examples[i].Rejected, c.Passes, r))
		}
	}
	if c.Trusted != nil {
		known, err := examplesOf(c.Trusted, features)
		if err != nil {
			return nil, err
		}
		e := *c.Estimator
		if err := e.Fit(known, r); err != nil {
			return nil, err
		}
		judge(&e, places(len(pairs), func(int) bool { return true }))
		return out, nil
	}
	fold, err := foldsOf(pairs, c.Folds, r)
	if err != nil {
		return nil, err
	}
	for k := range c.Folds {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		var others []Observation
		for _, i := range places(len(pairs), func(i int) bool { return fold[i] != k }) {
			others = append(others, examples[i])
		}
		e := *c.Estimator
		if err := e.Fit(others, r); err != nil {
			return nil, err
		}
		judge(&e, places(len(pairs), func(i int) bool { return fold[i] == k }))
	}
	return out, nil
}

func places(n int, meets func(int) bool) []int {
	var out []int
	for i := range n {
		if meets(i) {
			out = append(out, i)
		}
	}
	return out
}

func examplesOf(pairs []Pair, features Features) ([]Observation, error) {
	out := make([]Observation, len(pairs))
	for i, p := range pairs {
		x, y, err := features(p)
		if err != nil {
			return nil, err
		}
		out[i] = Observation{x, y, 1}
	}
	return out, nil
}

// foldsOf puts every pair into one of n folds, all pairs of a state into the same.
func foldsOf(pairs []Pair, n int, r *rand.Rand) ([]int, error) {
	tasks, index := tasksOf(pairs), map[string]int{}
	for _, task := range tasks {
		index[task] = 0
	}
	if len(index) < n {
		return nil, fmt.Errorf("prefs: pairs of %d states cannot be put into %d folds: collect more, or ask for fewer folds", len(index), n)
	}
	keys := slices.Sorted(maps.Keys(index))
	r.Shuffle(len(keys), func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
	for i, key := range keys {
		index[key] = i % n
	}
	out := make([]int, len(pairs))
	for i, task := range tasks {
		out[i] = index[task]
	}
	return out, nil
}
