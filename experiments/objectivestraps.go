package main

import (
	"context"
	"fmt"
	"math"

	"github.com/agon-rl/agon/solve"
	"github.com/agon-rl/agon/trainer/run/report"
)

// traps shows what makes a method look better or worse than it is.
func (l *lab) traps(ctx context.Context, all []objectiveGame) (string, error) {
	text := "## Traps\n"
	var panels []report.Panel
	for _, trap := range []func(context.Context, []objectiveGame) (string, report.Panel, error){constantStep, accelerated, drifting, bestResponses} {
		part, panel, err := trap(ctx, all)
		if err != nil {
			return "", err
		}
		text += "\n" + part
		panels = append(panels, panel)
	}
	if err := report.Curves(l.path("objectives_traps.svg"), panels...); err != nil {
		return "", err
	}
	return text + "\n![the four traps](objectives_traps.svg)\n", nil
}

// tabled follows methods on a game and measures them at marks.
func tabled(ctx context.Context, g *solve.Polymatrix, methods []objectiveMethod, marks []int) ([]course, error) {
	var out []course
	for _, m := range methods {
		d, err := begin(g, m.method)
		if err != nil {
			return nil, err
		}
		c, err := follow(ctx, d, m, marks)
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, nil
}

// constantStep is Nash-MD's bias, and its cure.
func constantStep(ctx context.Context, all []objectiveGame) (string, report.Panel, error) {
	methods := []objectiveMethod{
		{"0.05", "nash-md(eta=0.05)"}, {"0.2", "nash-md(eta=0.2)"}, {"1", "nash-md(eta=1)"}, {"falling, 2/(β(t+2))", "nash-md(schedule=falling)"}, {"EGPO, 1", "egpo(eta=1)"},
	}
	var rows [][]string
	var drawn []course
	for _, g := range all[:3] {
		courses, err := tabled(ctx, g.Polymatrix, methods, spaced(20000, 100, 1000))
		if err != nil {
			return "", report.Panel{}, err
		}
		for _, c := range courses {
			rows = append(rows, []string{g.title, c.row, scientific(c.at(100).KL), scientific(c.at(1000).KL), scientific(c.at(20000).KL)})
		}
		drawn = courses
	}
	text := fmt.Sprintf(`### A constant step in Nash-MD

Nash-MD plays against the mixture of policy and reference from which it steps, and so stops
where the mixture, not the policy, would be in equilibrium. KL(π*‖π) after 100, 1,000 and
20,000 iterations, β = 0.1, with EGPO for comparison:

%s`, markdown([]string{"game", "step", "100", "1,000", "20,000"}, rows))
	return text, panel("Nash-MD by step, "+all[2].title, "KL", drawn, "iterations", toNash), nil
}

// accelerated is APO beside plain steps of its size.
func accelerated(ctx context.Context, all []objectiveGame) (string, report.Panel, error) {
	const eta = 0.1
	var rows [][]string
	var drawn []course
	for _, alpha := range []float64{0.3, 0.6, 0.9} {
		methods := []objectiveMethod{
			{fmt.Sprintf("APO, α = %g", alpha), fmt.Sprintf("apo(eta=%g,alpha=%g)", eta, alpha)},
			{"SPPO, the same step", fmt.Sprintf("sppo(eta=%g)", eta)},
			{fmt.Sprintf("SPPO, step/(1−α), α = %g", alpha), fmt.Sprintf("sppo(eta=%.17g)", eta/(1-alpha))},
		}
		courses, err := tabled(ctx, all[3].Polymatrix, methods, spaced(400, 50, 100, 200))
		if err != nil {
			return "", report.Panel{}, err
		}
		for _, c := range courses {
			if c.row == methods[1].row && alpha != 0.3 {
				continue
			}
			rows = append(rows, []string{c.row, scientific(c.at(50).Gap), scientific(c.at(100).Gap), scientific(c.at(200).Gap), scientific(c.at(400).Gap)})
			if alpha != 0.9 {
				drawn = append(drawn, c)
			}
		}
	}
	text := fmt.Sprintf(`### Acceleration, or a larger step

APO goes on by α in the direction of its last step. Gaps on the Bradley-Terry game, steps of
%g, after 50, 100, 200 and 400 iterations:

%s`, eta, markdown([]string{"method", "50", "100", "200", "400"}, rows))
	return text, panel("APO and plain steps, "+all[3].title, "duality gap", drawn, "iterations", lastGap), nil
}

// drifting is hedge's last iterate on a cycle.
func drifting(ctx context.Context, all []objectiveGame) (string, report.Panel, error) {
	biased := all[0]
	_, nash, _, err := solve.MatrixGame([][]float64{{0, -0.25, 0.5}, {0.25, 0, -0.05}, {-0.5, 0.05, 0}})
	if err != nil {
		return "", report.Panel{}, err
	}
	var rows [][]string
	var drawn []course
	for _, m := range []objectiveMethod{{"hedge, 0.1", "hedge(eta=0.1)"}, {"hedge, 0.5", "hedge(eta=0.5)"}, {"optimistic, 0.5", "optimistic(eta=0.5,beta=0)"}} {
		d, err := begin(biased.Polymatrix, m.method)
		if err != nil {
			return "", report.Panel{}, err
		}
		c := course{objectiveMethod: m}
		from := 0
		for _, mark := range []int{100, 1000, 10000} {
			worst := 0.0
			for d.Iterations() < mark {
				if err := d.Iterate(ctx, 1); err != nil {
					return "", report.Panel{}, err
				}
				gap := biased.Gap(d.Policies())
				worst = max(worst, gap)
				if i := d.Iterations(); i%10 == 0 && i <= 2000 {
					c.reports = append(c.reports, solve.DynamicsReport{Iteration: i, Gap: gap})
				}
			}
			far := 0.0
			for y, p := range nash {
				far += p * math.Log(p/d.Policies()[0][y])
			}
			rows = append(rows, []string{m.row, fmt.Sprintf("%d–%d", from+1, mark), scientific(worst), scientific(biased.Gap(d.Average())), scientific(far)})
			from = mark
		}
		drawn = append(drawn, c)
	}
	text := fmt.Sprintf(`### The last iterate of hedge

On a cycle hedge circles outward while its average comes to the equilibrium: biased rock,
paper, scissors, no regularisation; the largest gap of a last iterate within a span of
iterations, and at the span's end the average's gap and KL(equilibrium‖last iterate):

%s`, markdown([]string{"method, step", "iterations", "largest gap of a last iterate", "gap of the average", "KL of the last iterate"}, rows))
	p := report.Panel{Title: "hedge on " + biased.title, X: "iterations", Y: "gap of the last iterate", Log: true}
	for _, c := range drawn {
		p.Series = append(p.Series, c.series(iterations, lastGap))
	}
	return text, p, nil
}

// bestResponses is SPPO with the step of its released code.
func bestResponses(ctx context.Context, all []objectiveGame) (string, report.Panel, error) {
	const shown, counted = 40, 1000
	biased := all[0]
	names := []string{"rock", "paper", "scissors"}
	var rows [][]string
	p := report.Panel{Title: "SPPO by step, " + biased.title, X: "iterations", Y: "gap of the last iterate"}
	for _, eta := range []float64{1, 10, 100, 1000} {
		d, err := begin(biased.Polymatrix, fmt.Sprintf("sppo(eta=%g)", eta))
		if err != nil {
			return "", p, err
		}
		c := course{objectiveMethod: objectiveMethod{row: fmt.Sprintf("η = %g", eta)}}
		pure, seen, worst := 0, [3]bool{}, 0.0
		for i := 1; i <= counted; i++ {
			if err := d.Iterate(ctx, 1); err != nil {
				return "", p, err
			}
			gap := biased.Gap(d.Policies())
			worst = max(worst, gap)
			if i <= shown {
				c.reports = append(c.reports, solve.DynamicsReport{Iteration: i, Gap: gap})
			}
			for y, q := range d.Policies()[0] {
				if q > 0.999 {
					pure++
					seen[y] = true
				}
			}
		}
		sure := ""
		for y, s := range seen {
			if s && sure != "" {
				sure += ", "
			}
			if s {
				sure += names[y]
			}
		}
		if sure == "" {
			sure = "none"
		}
		rows = append(rows, []string{fmt.Sprintf("%g", eta), fmt.Sprintf("%.1f %%", 100*float64(pure)/counted), sure, scientific(worst), scientific(biased.Gap(d.Average()))})
		p.Series = append(p.Series, c.series(iterations, lastGap))
	}
	text := fmt.Sprintf(`### SPPO's released step

SPPO's code has η = 1000 (β = 0.001). Done exactly, that is a best response to the policies so
far: biased rock, paper, scissors over %d iterations, how many policies give one answer more
than 0.999, which answers these are, the largest gap of a policy, and that of the average:

%s`, counted, markdown([]string{"η", "policies of one answer", "answers", "largest gap", "gap of the average"}, rows))
	return text, p, nil
}
