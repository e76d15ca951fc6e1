package main

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/solve"
	"github.com/agon-rl/agon/trainer/run"
	"github.com/agon-rl/agon/trainer/run/report"
)

// prefLearner is a way to learn from preferences: a name in the registry, with what it
// meets and what it is referred to.
type prefLearner struct {
	name     string
	settings []string
	exact    string // the same without a network and without samples, by its name in agon solve; "" where there is none
}

// A step of η on payoffs 2P−1 is one of 2η on preferences P, and a pull of β one of
// β/2: INPO's η = 0.2 is a step of 1/0.2 = 5 on preferences, 2.5 on payoffs, and its
// ratio 0.1 is ηβ.
var learners = []prefLearner{
	{"INPO", []string{`loss="inpo(eta=0.2,ratio=0.1)"`}, "omd(eta=2.5,beta=0.04)"},
	{"EGPO: the half step", []string{`loss='online-ipo(beta=0.2,base="0.1,0.9")'`, "opponents=half-step"}, "egpo(eta=2.5,beta=0.04)"},
	{"Nash-MD: the mixture", []string{`loss='online-ipo(beta=0.2,base="0.1,0.9")'`, "opponents=mixture(weight=0.1)"}, "nash-md(eta=2.5,beta=0.04)"},
	{"INPO, moving reference", []string{`loss="inpo(eta=0.2,ratio=0.25)"`, "reference=every(20)"}, "mpo(eta=3.3333333333,beta=0.1,every=20)"},
	{"SPPO", []string{`loss="sppo(beta=0.2)"`}, "sppo(eta=2.5)"},
	{"SPO: win share by PPO", []string{"loss=ppo", "opponents=queue"}, ""},
	{"SPO by its own gradient", []string{"loss=spo-minimax", "opponents=queue"}, ""},
	{"online DPO", []string{`loss="dpo(beta=0.1)"`}, ""},
	{"SPIN", []string{"loss=spin", "demonstrations=cfr:iterations=2000"}, ""},
}

// otherGames are those whose answers are what a seat did, compared by what it got.
var otherGames = []struct {
	game, measure, what string
	settings            []string
	learners            []prefLearner
}{
	{
		"kuhn_poker", "exploitability", "exploitability; uniform play has 0.4583",
		[]string{"updates=300", "games=256", "group=256", "epochs=4", "evaluate.every=60"},
		[]prefLearner{
			{"INPO, moving reference", []string{`loss="inpo(eta=0.25,ratio=0.1)"`, "reference=every(30)"}, ""},
			{"SPO: win share by PPO", []string{"loss=ppo", "judge=outcome", "opponents=queue"}, ""},
			{"SPIN, from CFR+", []string{"loss=spin", "demonstrations=cfr:iterations=1000"}, ""},
		},
	},
	{
		"leduc_poker", "exploitability", "exploitability; uniform play has 2.3736",
		[]string{"updates=600", "games=256", "group=256", "epochs=2", "evaluate.every=120"},
		[]prefLearner{
			{"SPO: win share by PPO", []string{"loss=ppo", "judge=outcome", "opponents=queue"}, ""},
			{"SPIN, from CFR+", []string{"loss=spin", "demonstrations=cfr:iterations=1000"}, ""},
		},
	},
	{
		"tic_tac_toe", "drawn/minimax", "share of games drawn against perfect play; random play draws 0.11",
		[]string{"updates=400", "games=256", "group=256", "epochs=1", "magnet.weight=linear(0.2,0.02)", "evaluate.every=80", "evaluate.against=[minimax]", "evaluate.games=200"},
		[]prefLearner{
			{"SPO: win share by PPO", []string{"loss=ppo", "judge=outcome", "opponents=queue"}, ""},
			{"SPIN, from perfect play", []string{"loss=spin", "demonstrations=minimax"}, ""},
		},
	},
}

const (
	neuralSeeds   = 5
	neuralUpdates = 100
	neuralEvery   = 10
)

// trials are a learner's runs of a recipe, one a seed.
func (a prefLearner) trials(recipe string, settings ...string) (out []*trial) {
	for seed := range neuralSeeds {
		// The magnet is of policy gradients alone: without it they soon play one answer.
		t := &trial{recipe: recipe, settings: append([]string{fmt.Sprintf("seed=%d", seed+1), "optimizer.rate=linear(0.003,0.0003)", "magnet.weight=0.05"}, settings...)}
		for _, s := range a.settings {
			switch key, value, _ := strings.Cut(s, "="); key {
			case "opponents":
			case "loss":
				s = fmt.Sprintf("learn=[{from: preferences, loss: %s}]", value)
			default:
				s = "preferences." + s
			}
			t.settings = append(t.settings, s)
		}
		out = append(out, t)
	}
	return out
}

// objectivesNeural trains networks by sampled preferences.
func objectivesNeural(ctx context.Context, l *lab) error {
	sequence, panels, err := l.sequenceRuns(ctx)
	if err != nil {
		return err
	}
	var others strings.Builder
	for _, e := range otherGames {
		var all []*trial
		for _, a := range e.learners {
			all = append(all, a.trials(e.game, append(slices.Clone(e.settings), "policy.hidden=[64, 64]")...)...)
		}
		if err := l.each(ctx, all, l.sparing); err != nil {
			return err
		}
		header := []string{"learner", "settings"}
		at, _ := run.Series(all[0].metrics, e.measure)
		for _, u := range at {
			header = append(header, fmt.Sprintf("%.0f", u))
		}
		var rows [][]string
		for i, a := range e.learners {
			row := []string{a.name, a.text()}
			for k := range at {
				row = append(row, across(all[i*neuralSeeds:(i+1)*neuralSeeds], e.measure, k).String())
			}
			rows = append(rows, row)
		}
		fmt.Fprintf(&others, "\n`%s`, %s (%s), after so many updates:\n\n%s", e.game, e.what, strings.Join(e.settings, ", "), markdown(header, rows))
	}
	recipe, panel, err := l.movingReference(ctx)
	if err != nil {
		return err
	}
	return l.report(neuralPage, neuralSequence+sequence+recipe+neuralOthers+others.String(), append(panels, panel))
}

// sparing runs a recipe that l.keep does not hold already.
func (l *lab) sparing(ctx context.Context, t *trial, dir string) error {
	recipe, complete, err := t.read()
	if err != nil {
		return err
	}
	return l.kept(t, dir, complete, recipe.Updates, func(folder *run.Folder) error { return l.train(ctx, folder, 1) })
}

// text is a learner's settings as they stand in a recipe.
func (a prefLearner) text() string {
	var out []string
	for _, s := range a.settings {
		key, value, _ := strings.Cut(s, "=")
		if quote := value[:1]; quote == `"` || quote == "'" { // YAML's
			value = strings.Trim(value, quote)
		}
		out = append(out, "`"+key+"="+value+"`")
	}
	return strings.Join(out, ", ")
}

// across is a measure's k-th value over seeds.
func across(trials []*trial, measure string, k int) interval {
	var values []float64
	for _, t := range trials {
		_, series := run.Series(t.metrics, measure)
		values = append(values, series[k])
	}
	return intervalOf(values)
}

// sequenceRuns trains all learners on the sequence game, and steps those that have an
// exact form beside them.
func (l *lab) sequenceRuns(ctx context.Context) (string, []report.Panel, error) {
	var all []*trial
	for _, a := range learners {
		all = append(all, a.trials("sequence", fmt.Sprintf("updates=%d", neuralUpdates), fmt.Sprintf("evaluate.every=%d", neuralEvery), "preferences.reference=auto")...)
	}
	if err := l.each(ctx, all, l.sparing); err != nil {
		return "", nil, err
	}
	regularised := []report.Panel{
		{Title: "networks, pulled to a reference", X: "answers compared by the judge", Y: "exploitability"},
		{Title: "the same, exactly", X: "iterations", Y: "exploitability"},
	}
	free := []report.Panel{
		{Title: "networks, others", X: "answers compared by the judge", Y: "exploitability"},
		{Title: "the same, exactly", X: "iterations", Y: "exploitability"},
	}
	marks := []int{20, 40, 70, 100}
	header := []string{"learner", "settings", "queries an update"}
	for _, m := range marks {
		header = append(header, fmt.Sprintf("after %d", m), "exact")
	}
	var rows [][]string
	for i, a := range learners {
		trials := all[i*neuralSeeds : (i+1)*neuralSeeds]
		queries := trials[0].metrics[0]["queries"]
		curve, err := exactCurve(ctx, a.exact, neuralUpdates)
		if err != nil {
			return "", nil, err
		}
		row := []string{a.name, a.text(), fmt.Sprintf("%.0f", queries)}
		for _, m := range marks {
			exact := "–"
			if curve != nil {
				exact = fmt.Sprintf("%.3f", curve[m])
			}
			row = append(row, across(trials, "exploitability", m/neuralEvery-1).String(), exact)
		}
		rows = append(rows, row)
		panels := free
		if i < 4 {
			panels = regularised
		}
		series := overQueries(a.name, trials, queries)
		panels[0].Series = append(panels[0].Series, series)
		if curve != nil {
			line := report.Series{Name: a.name}
			for t, x := range curve {
				line.X, line.Y = append(line.X, float64(t)), append(line.Y, x)
			}
			panels[1].Series = append(panels[1].Series, line)
		}
	}
	return markdown(header, rows), append(regularised, free...), nil
}

// movingReference trains the recipe as it is, whose reference moves.
func (l *lab) movingReference(ctx context.Context) (string, report.Panel, error) {
	panel := report.Panel{Title: "the recipe: a reference that moves", X: "updates, iterations", Y: "exploitability", Log: true}
	var trials []*trial
	for seed := range neuralSeeds {
		trials = append(trials, &trial{recipe: "sequence", settings: []string{fmt.Sprintf("seed=%d", seed+1)}})
	}
	if err := l.each(ctx, trials, l.sparing); err != nil {
		return "", panel, err
	}
	stays, err := exactCurve(ctx, "egpo(eta=2.5,beta=0.04)", 2000)
	if err != nil {
		return "", panel, err
	}
	mixed, err := exactCurve(ctx, learners[2].exact, 2000)
	if err != nil {
		return "", panel, err
	}
	at, _ := run.Series(trials[0].metrics, "exploitability")
	curve, err := exactCurve(ctx, learners[3].exact, int(at[len(at)-1]))
	if err != nil {
		return "", panel, err
	}
	header, networks, exact := []string{"after"}, []string{"networks"}, []string{"exactly"}
	for k, u := range at {
		if int(u)%40 == 0 {
			header = append(header, fmt.Sprintf("%.0f", u))
			networks = append(networks, across(trials, "exploitability", k).String())
			exact = append(exact, fmt.Sprintf("%.3f", curve[int(u)]))
		}
	}
	line := report.Series{Name: "exactly"}
	for t, x := range curve {
		line.X, line.Y = append(line.X, float64(t)), append(line.Y, x)
	}
	panel.Series = []report.Series{overQueries("networks", trials, 1), line}
	text := fmt.Sprintf(`
Pulled to a reference that stays, INPO and EGPO end at the equilibrium that is regularised by it,
whose exploitability is %.3f; Nash-MD, its step constant, ends beside it, at %.3f. The recipe `+"`sequence`"+` as it is, `+"`agon train sequence`"+`, pulls
harder, to a reference that moves on every twenty updates, and takes 240 of them:

`, stays[len(stays)-1], mixed[len(mixed)-1])
	return text + markdown(header, [][]string{networks, exact}), panel, nil
}

// overQueries is the median of exploitability over seeds, over what the judge was
// asked.
func overQueries(name string, trials []*trial, queries float64) report.Series {
	var series []report.Series
	for _, t := range trials {
		updates, values := run.Series(t.metrics, "exploitability")
		x := make([]float64, len(updates))
		for i, u := range updates {
			x[i] = u * math.Max(queries, 1)
		}
		series = append(series, report.Series{Name: name, X: x, Y: values})
	}
	return report.Median(name, series...)
}

// exactCurve is the exploitability of a method's last iterates on the sequence game,
// in float64 over all answers; nil for no method.
func exactCurve(ctx context.Context, method string, iterations int) ([]float64, error) {
	if method == "" {
		return nil, nil
	}
	game, err := games.New("sequence")
	if err != nil {
		return nil, err
	}
	start, _, err := solve.ParseDynamics(method)
	if err != nil {
		return nil, err
	}
	contest := game.(games.Contest)
	d, err := start(solve.Contest(contest))
	if err != nil {
		return nil, err
	}
	out := make([]float64, iterations+1)
	for t := range out {
		pi := d.Policies()[0]
		out[t] = solve.ContestReport(contest, pi, pi).Exploitability
		if err := d.Iterate(ctx, 1); err != nil {
			return nil, err
		}
	}
	return out, nil
}

var neuralPage = page{
	name:    "objectives_neural",
	title:   "The objectives train networks",
	command: "AGON_BACKEND=go go run ./experiments objectives-neural",
	setup: fmt.Sprintf(`A network learns from preferences between whole answers that it drew itself, by an objective
that is a name in a recipe:

`+"```sh"+`
agon train sequence
agon train sequence --set opponents=half-step --set 'learn=[{from: preferences, loss: "online-ipo(beta=0.2,base=\"0.1,0.9\")"}]'
agon train kuhn_poker --set 'learn=[{from: preferences, loss: spin}]' --set preferences.demonstrations=cfr:iterations=1000
`+"```"+`

In the sequence game an update draws 256 games of two answers each, compares them in groups
of eight and takes four steps of Adam; the plots are over what the judge was asked. Beside
the networks stands each method's own exact update with the same constants, without network
and samples (`+"`agon solve`"+`), one iteration an update. PPO has a uniform magnet of 0.05 unless
the table says otherwise. Means and 95 %% intervals over %d seeds; bands in the plots run from
the lowest to the highest seed.`, neuralSeeds),
}

const neuralSequence = `## The sequence game

Answers are four letters of eight, 4,096 of them; the judge's preferences go in a circle
(` + "`agon games sequence`" + `). Exploitability is exact, by enumeration of the answers: 0 in
equilibrium, 0.375 for uniform play.

`

const neuralOthers = `
## Kuhn poker, Leduc poker, tic-tac-toe

An answer is what one seat did, compared with others from the same deal by what it got: for SPO
the better one wins, for INPO in proportion to the difference, and SPIN prefers the
demonstrator's. The current policy sits in both seats.
`
