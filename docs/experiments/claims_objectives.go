package main

import (
	"context"
	"math"

	"github.com/agon-rl/agon/play"
)

// objectiveClaims are those about losses.
var objectiveClaims = []claim{softLabels}

// softLabels sets a hard label, which is wrong in a fifth of the pairs, against the
// share of judges as a soft one. One pair seen again and again: the hard loss of labels
// that all agree has no minimum, the soft one has its minimum at logit(q)/β.
var softLabels = claim{
	id: "osp-soft", source: "2405.14103",
	says:    "soft labels end at a finite margin, hard ones drive it on for ever",
	setting: "20 pairs; 5 judges a pair, right with 0.8; margins after 10,000 steps of descent, β = 0.1",
	seeds:   20,
	run: func(_ context.Context, seed uint64) (figures, error) {
		r := play.Generator(seed, "claims/osp")
		const beta, pairs, judges = 0.1, 20, 5
		out := figures{}
		for range pairs {
			votes := 0
			for range judges {
				if r.Float64() < 0.8 {
					votes++
				}
			}
			q := (float64(votes) + 0.5) / (judges + 1) // Krichevsky and Trofimov's estimate, never 0 or 1
			hard := 0.0
			if 2*votes > judges {
				hard = 1
			}
			soft := descend(func(x float64) float64 { return -beta * (q - sigmoid(beta*x)) })
			early := descendFor(func(x float64) float64 { return -beta * (hard - sigmoid(beta*x)) }, 5000)
			late := descendFor(func(x float64) float64 { return -beta * (hard - sigmoid(beta*x)) }, 10000)
			out["distance"] += math.Abs(soft-math.Log(q/(1-q))/beta) / pairs
			out["growth"] += (math.Abs(late) - math.Abs(early)) / pairs
			out["hard"] += math.Abs(late) / pairs
			out["soft"] += math.Abs(soft) / pairs
		}
		return out, nil
	},
	measures: []measure{
		{key: "distance", what: "soft: distance of the margin from logit(q)/β", expect: lessThan(1e-6)},
		{key: "growth", what: "hard: growth of the margin over the second half", expect: moreThan(0.1)},
		{key: "soft", what: "soft: size of the margin"},
		{key: "hard", what: "hard: size of the margin"},
	},
}

func sigmoid(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

// descend runs gradient descent on one number from 0.
func descend(gradient func(float64) float64) float64 { return descendFor(gradient, 10000) }

func descendFor(gradient func(float64) float64, steps int) float64 {
	x := 0.0
	for range steps {
		x -= 10 * gradient(x)
	}
	return x
}
