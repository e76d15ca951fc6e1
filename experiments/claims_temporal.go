package main

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/agon-rl/agon/play"
	"github.com/agon-rl/agon/prefs"
)

// writers are policies of log-linear form over a few answers to each prompt, whose
// true scores are known.
type writers struct {
	features [][][]float64 // by prompt, answer and feature
	score    [][]float64
}

func newWriters(prompts, answers, d int, r *rand.Rand) *writers {
	const unseen = 0.3 // what of a score no feature tells
	truth := make([]float64, d)
	for k := range truth {
		truth[k] = r.NormFloat64() / math.Sqrt(float64(d))
	}
	w := &writers{}
	for range prompts {
		var rows [][]float64
		var scores []float64
		for range answers {
			row, score := make([]float64, d), unseen*r.NormFloat64()
			for k := range row {
				row[k] = r.NormFloat64()
				score += truth[k] * row[k]
			}
			rows, scores = append(rows, row), append(scores, score)
		}
		w.features, w.score = append(w.features, rows), append(w.score, scores)
	}
	return w
}

func (w *writers) policy(theta []float64, prompt int) []float64 {
	logits := make([]float64, len(w.score[prompt]))
	for y, row := range w.features[prompt] {
		logits[y] = inner(theta, row)
	}
	return softmax(logits)
}

// mean is the policy's true score.
func (w *writers) mean(theta []float64) float64 {
	sum := 0.0
	for x := range w.score {
		for y, p := range w.policy(theta, x) {
			sum += p * w.score[x][y]
		}
	}
	return sum / float64(len(w.score))
}

// ownSamples is how many answers a prompt a policy writes.
const ownSamples = 4

// judgeNoise is the deviation of a judge's scores from the true ones.
const judgeNoise = 0.3

// sampled are pairs of the best and the worst answer of each prompt, as judged, among
// those that a policy writes.
func (w *writers) sampled(theta []float64, source string, r *rand.Rand) []prefs.Pair {
	var out []prefs.Pair
	for x := range w.score {
		p := w.policy(theta, x)
		g := prefs.Group{State: prefs.Pair{Prompt: fmt.Sprint(x)}}
		for range ownSamples {
			y := draw(p, r)
			g.Answers = append(g.Answers, prefs.Candidate{Text: fmt.Sprint(y), Action: int32(y), Q: w.score[x][y] + judgeNoise*r.NormFloat64(), Source: source})
		}
		_, best, worst := g.Gap()
		out = append(out, g.State.With(best, worst)) // both, though they may be as good: they are candidates
	}
	return out
}

// dpo takes steps of DPO from theta, which is also the reference, and returns the
// first gradient's norm per pair.
func (w *writers) dpo(theta []float64, pairs []prefs.Pair, steps int, beta, rate float64) (next []float64, norm float64) {
	next = slices.Clone(theta)
	difference := make([][]float64, len(pairs))
	var x int
	for i, p := range pairs {
		_, _ = fmt.Sscan(p.Prompt, &x)
		difference[i] = make([]float64, len(theta))
		for k := range theta {
			difference[i][k] = w.features[x][p.ChosenAction][k] - w.features[x][p.RejectedAction][k]
		}
	}
	for step := range steps {
		gradient := make([]float64, len(theta))
		for _, d := range difference {
			margin := 0.0 // log-ratio's difference: the partition function cancels
			for k := range d {
				margin += (next[k] - theta[k]) * d[k]
			}
			for k := range d {
				gradient[k] -= beta * (1 - sigmoid(beta*margin)) * d[k] / float64(len(w.score))
			}
		}
		square := 0.0
		for k, g := range gradient {
			next[k] -= rate * g
			square += g * g
		}
		if step == 0 {
			norm = math.Sqrt(square)
		}
	}
	return next, norm
}

const temporalSetting = "log-linear policies, 100 prompts of 30 answers, 4 samples each judged with noise, DPO with the last policy as reference; 12 rounds, or 24 of plain self-rewarding, which costs as many trainings"

// temporalGap is what Temporal Self-Rewarding is for.
var temporalGap = claim{
	id: "temporal-gap", source: "2508.06026",
	says:    "with rejected answers of the first model and chosen ones of the model ahead, the gap between the two, and with it the gradient, stays up where it fades in plain self-rewarding",
	setting: temporalSetting, seeds: 20, run: pastAndFuture,
	measures: []measure{
		{key: "gap", what: "temporal: score gap of round 12 over the first", expect: moreThan(0.9)},
		{key: "plain gap", what: "plain: score gap of round 12 over the first", expect: lessThan(0.5)},
		{key: "norm", what: "temporal: gradient of round 12 over the first", expect: moreThan(0.9)},
		{key: "plain norm", what: "plain: gradient of round 12 over the first", expect: lessThan(0.5)},
	},
}

// temporalScore is what comes of it.
var temporalScore = claim{
	id: "temporal-score", source: "2508.06026",
	says:    "and the policy gets better than by plain self-rewarding at the same cost",
	setting: temporalSetting, seeds: 20, run: pastAndFuture,
	more: "A gradient that fades can be made up for by a larger step. So plain self-rewarding is also tried with larger ones, and its best is picked in hindsight, for each seed.",
	measures: []measure{
		{key: "better", what: "true score, temporal less plain at the same step", expect: moreThan(0)},
		{key: "better than best", what: "true score, temporal less plain at the best of 1, 2, 4 and 8 times the step", expect: moreThan(0)},
		{key: "better equal rounds", what: "true score, temporal less plain at as many rounds, half the trainings"},
		{key: "temporal", what: "true score, temporal"},
		{key: "plain", what: "true score, plain at the same step"},
		{key: "plain best", what: "true score, plain at its best step"},
		{key: "best", what: "true score of the best answers"},
	},
}

// pastAndFuture trains a policy by both kinds of pairs.
func pastAndFuture(ctx context.Context, seed uint64) (figures, error) {
	const rounds, steps, beta, rate = 12, 20, 0.5, 0.4
	out := figures{}
	w := newWriters(100, 30, 10, play.Generator(seed, "claims/temporal"))
	start := make([]float64, 10)
	gapOf := func(pairs []prefs.Pair) float64 {
		sum := 0.0
		for _, p := range pairs {
			var x int
			_, _ = fmt.Sscan(p.Prompt, &x)
			sum += w.score[x][p.ChosenAction] - w.score[x][p.RejectedAction]
		}
		return sum / float64(len(pairs))
	}
	// Plain self-rewarding: both of the present policy. Its gradient fades, which a
	// larger step makes up for: so it is also tried with those.
	out["plain best"] = math.Inf(-1)
	for _, faster := range []float64{1, 2, 4, 8} {
		r := play.Generator(seed, "claims/temporal/plain", uint64(faster))
		theta := start
		for round := range 2 * rounds {
			pairs, err := prefs.BestWorst{}.Select(ctx, w.sampled(theta, "now", r), r)
			if err != nil {
				return nil, err
			}
			var norm float64
			gap := gapOf(pairs)
			theta, norm = w.dpo(theta, pairs, steps, beta, faster*rate)
			switch {
			case faster > 1:
			case round == 0:
				out["plain gap first"], out["plain norm first"] = gap, norm
			case round == rounds-1:
				out["plain gap"], out["plain norm"], out["plain equal rounds"] = gap/out["plain gap first"], norm/out["plain norm first"], w.mean(theta)
			}
		}
		if faster == 1 {
			out["plain"] = w.mean(theta)
		}
		out["plain best"] = max(out["plain best"], w.mean(theta))
	}
	// Temporal: a model ahead is trained on anchored pairs, then the pairs are made.
	r := play.Generator(seed, "claims/temporal/temporal")
	theta := start
	for round := range rounds {
		past, now := w.sampled(start, "past", r), w.sampled(theta, "now", r)
		anchored, err := prefs.Temporal{Past: "past", Future: "now"}.Select(ctx, slices.Concat(past, now), r)
		if err != nil {
			return nil, err
		}
		ahead, _ := w.dpo(theta, anchored, steps, beta, rate)
		pairs, err := prefs.Temporal{Past: "past", Future: "ahead"}.Select(ctx, slices.Concat(past, now, w.sampled(ahead, "ahead", r)), r)
		if err != nil {
			return nil, err
		}
		var norm float64
		gap := gapOf(pairs)
		theta, norm = w.dpo(theta, pairs, steps, beta, rate)
		switch round {
		case 0:
			out["gap first"], out["norm first"] = gap, norm
		case rounds - 1:
			out["gap"], out["norm"] = gap/out["gap first"], norm/out["norm first"]
		}
	}
	out["temporal"] = w.mean(theta)
	best := 0.0
	for _, scores := range w.score {
		best += slices.Max(scores) / float64(len(w.score))
	}
	out["best"] = best
	out["better"], out["better equal rounds"] = out["temporal"]-out["plain"], out["temporal"]-out["plain equal rounds"]
	out["better than best"] = out["temporal"] - out["plain best"]
	return out, nil
}
