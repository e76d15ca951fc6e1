package main

import (
	"fmt"
	"math"

	"github.com/agon-rl/agon/trainer/run/report"
)

// writeGuide writes the page, its plot and its tables.
func (l *lab) writeGuide(results [][]guideResult) error {
	var panels []report.Panel
	var tables string
	critics := [][]string{}
	for d, domain := range guidedDomains {
		panel := report.Panel{Title: domain.game, X: "policy calls for a problem, log2", Y: "solved"}
		var rows [][]string
		for _, method := range results[d][0].methods {
			series := report.Series{Name: method}
			for k := range results[d][0].points[method] {
				var policy, critic, solved []float64
				for _, r := range results[d] {
					p := r.points[method][k]
					policy, critic, solved = append(policy, p.policy), append(critic, p.critic), append(solved, p.solved)
				}
				cost, rate := intervalOf(policy).mean, intervalOf(solved)
				series.X, series.Y = append(series.X, math.Log2(cost)), append(series.Y, rate.mean)
				series.Low, series.High = append(series.Low, rate.mean-rate.half), append(series.High, rate.mean+rate.half)
				rows = append(rows, []string{method, fmt.Sprintf("%.1f", cost), fmt.Sprintf("%.1f", intervalOf(critic).mean), rate.String()})
			}
			if len(series.X) > 1 {
				panel.Series = append(panel.Series, series)
			}
		}
		panels = append(panels, panel)
		tables += fmt.Sprintf("\n## `%s`\n\n%s", domain.game, markdown([]string{"method", "policy calls", "critic calls", "solved"}, rows))
		critics = append(critics, criticRows(domain.game, results[d])...)
	}
	return l.report(guidePage, "## What the critics make of the solver's lines\n\n"+
		markdown([]string{"domain", "critic", "solver's steps right", "right ones accepted", "wrong ones caught"}, critics)+tables, panels)
}

func criticRows(domain string, results []guideResult) (rows [][]string) {
	for _, name := range []string{"naive", "self-play"} {
		var steps, accepted, caught []float64
		for _, r := range results {
			steps = append(steps, r.steps)
			accepted, caught = append(accepted, r.critics[name].accepted), append(caught, r.critics[name].caught)
		}
		rows = append(rows, []string{domain, name, intervalOf(steps).String(), intervalOf(accepted).String(), intervalOf(caught).String()})
	}
	return rows
}

var guidePage = page{
	name:    "critic_guide",
	title:   "The critic as a guide, against spending the same calls without it",
	command: "go run ./experiments guide",
	setup: fmt.Sprintf(`The solver is a network that stopped learning early: of two layers of %d, trained on right
steps until it takes one with probability %g on `+"`%s`"+` and %g on `+"`%s`"+`. The critic
learnt by self-play on the same domain, without ever meeting the solver (`+"`sneaky_critic`"+`, two
layers of %d, %d updates of warm-up on naive errors, then %d rounds of %d, 512 games each, 6
epochs, rate 0.002); the naive critic is the same one after the warm-up.

A **policy call** is one step that the solver was asked for, thrown away or not; a
**critic call** is one line judged. Every method hands in one solution of each of %d
held-out problems, and it counts if every step is right. The methods:

- self-consistency: of N solutions the first with the answer that most have;
- best of N: by the critic, the product of its probabilities that the lines are right;
  by the verifier, which knows, the bound for what selection can do;
- five tries, SPC's way: the critic judges each step, a rejected one is tried anew up to five
  times, and where all are rejected the last stands; of N solutions made so the majority's or
  the one that the critic believes most is handed in;
- search: a tree (PUCT) whose nodes have %d to %d proposed steps, more where there are more
  calls, its leaves and ends worth the same product, no verifier; what the critic believes
  most is handed in, and the solver finishes where no end was found.

Means and 95 %% intervals over %d seeds, each with a solver, a critic and problems of its own.`,
		byOutcome.hidden, guidedDomains[0].base, guidedDomains[0].game, guidedDomains[1].base, guidedDomains[1].game,
		guideHidden, guideWarmup, guideRounds, guideUpdates, guideProblems, guideWidth, guideMost/2, guideSeeds),
}
