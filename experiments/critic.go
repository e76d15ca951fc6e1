package main

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/games/problem"
	"github.com/agon-rl/agon/games/sneakycritic"
	"github.com/agon-rl/agon/spc"
	"github.com/agon-rl/agon/trainer"
	"github.com/agon-rl/agon/trainer/run"
	"github.com/agon-rl/agon/trainer/run/report"
)

// What the experiments of the self-play critic are made of.
const (
	criticWarmup  = 40  // updates of round 0
	criticUpdates = 40  // updates of a round
	criticRounds  = 3   //
	criticGames   = 256 // games an update
)

// criticBase are the settings that all arms share.
var criticBase = []string{
	fmt.Sprint("critic.warmup=", criticWarmup), fmt.Sprint("critic.rounds=", criticRounds), fmt.Sprint("updates=", criticUpdates), fmt.Sprint("games=", criticGames),
	"policy.hidden=[128]", "optimizer.rate=0.003", "epochs=4", "magnet.weight=0.2",
	"evaluate.every=1000000", "critic.cases=200", "checkpoint.every=1000000",
}

// arm is one way to train, on one domain.
type arm struct {
	name, what string
	settings   []string
	trials     []*trial // by seed
}

// with makes an arm's trials, one for each seed, with more settings.
func (a *arm) with(settings ...string) {
	a.trials = nil
	for seed := 1; seed <= seeds; seed++ {
		t := &trial{settings: slices.Concat(criticBase, settings, a.settings, []string{fmt.Sprint("seed=", seed)})}
		a.trials = append(a.trials, t)
	}
}

// criticise runs trials of the self-play critic, seed by seed, as many side by side
// as there are cores. Those that l.keep holds already are not run again.
func (l *lab) criticise(ctx context.Context, arms ...*arm) error {
	var trials []*trial
	for seed := range seeds {
		for _, a := range arms {
			trials = append(trials, a.trials[seed])
		}
	}
	return l.each(ctx, trials, l.critic)
}

func (l *lab) critic(ctx context.Context, t *trial, dir string) error {
	recipe, err := trainer.ReadRecipe([]byte("method: "+spc.Method), t.settings)
	if err != nil {
		return err
	}
	complete, err := recipe.YAML()
	if err != nil {
		return err
	}
	t.game = recipe.Game
	s := recipe.Settings.(*spc.Settings)
	return l.kept(t, dir, complete, s.Warmup+s.Rounds*recipe.Updates, func(folder *run.Folder) error { return l.train(ctx, folder, 1) })
}

// samples is how many games the critic has learnt from up to each update.
func (t *trial) samples() []float64 {
	sums, sum := make([]float64, len(t.metrics)), 0.0
	for i, line := range t.metrics {
		sum += line["samples/critic"]
		sums[i] = sum
	}
	return sums
}

// over is the interval of a number over an arm's seeds.
func (a *arm) over(number func(*trial) float64) interval {
	var values []float64
	for _, t := range a.trials {
		values = append(values, number(t))
	}
	return intervalOf(values)
}

func (a *arm) last(key string) interval {
	return a.over(func(t *trial) float64 { return last(t.metrics, key) })
}

// learnt is how many games the critic learnt from, on average.
func (a *arm) learnt() string {
	return fmt.Sprintf("%.0f", a.over(func(t *trial) float64 { return slices.Max(t.samples()) }).mean)
}

// curve is a metric over updates, by what x counts.
func (a *arm) curve(key string, x func(*trial) []float64) report.Series {
	var series []report.Series
	for _, t := range a.trials {
		updates, values := run.Series(t.metrics, key)
		at := x(t)
		s := report.Series{Name: a.name, Y: values}
		for _, u := range updates {
			s.X = append(s.X, at[int(u)-1])
		}
		series = append(series, s)
	}
	return report.Median(a.name, series...)
}

func byUpdate(t *trial) []float64 {
	x := make([]float64, len(t.metrics))
	for i := range x {
		x[i] = float64(i + 1)
	}
	return x
}

// criticDomain is a domain to train on, with longer problems to judge.
type criticDomain struct {
	game, longer string
	updates      int // of a round
}

var criticDomains = []criticDomain{
	{"word_problem(people=5)", "word_problem(people=8)", criticUpdates},
	{"horn(depth=4)", "horn(depth=8)", criticUpdates},
	{"arithmetic(digits=1,length=2)", "arithmetic(digits=1,length=8)", criticUpdates},
}

func criticGame(domain string, more ...string) string {
	return fmt.Sprintf("game=sneaky_critic(%s)", strings.Join(append([]string{"domain=" + domain}, more...), ","))
}

// criticArms compares what a critic is trained on.
func criticArms(ctx context.Context, l *lab) error {
	arms := make([][]*arm, len(criticDomains))
	for i, d := range criticDomains {
		arms[i] = []*arm{
			{name: "naive", what: "naive kinds", settings: []string{criticGame(d.game), "critic.sneaky=naive"}},
			{name: "menu", what: "uniform draws from the menu", settings: []string{criticGame(d.game), "critic.sneaky=menu"}},
			{name: "self-play", what: "self-play over the menu", settings: []string{criticGame(d.game)}},
			{name: "free", what: "self-play with free replacement", settings: []string{criticGame(d.game, "free=true")}},
		}
		for _, a := range arms[i] {
			a.with(fmt.Sprintf("critic.longer=sneaky_critic(domain=%s)", d.longer), fmt.Sprint("updates=", d.updates))
		}
		if err := l.criticise(ctx, arms[i]...); err != nil {
			return err
		}
	}
	var text strings.Builder
	var panels []report.Panel
	for i, d := range criticDomains {
		critique, err := critiqueOf(d.game)
		if err != nil {
			return err
		}
		fmt.Fprintf(&text, "\n## `%s`\n\n", d.game)
		text.WriteString(criticScores(arms[i]))
		fmt.Fprintf(&text, "\nOf each kind of error, the share that the critic catches, and in brackets the share of the\nwrong lines that the sneaky player of that arm made of it in the end. On the menu are\n%s, of which %s naive.\n\n", listed(critique.Menu), areOrIs(critique.Naive))
		text.WriteString(criticKinds(arms[i], critique.All()))
		for _, p := range []struct{ title, key string }{{"worst kind on the menu", "f1/worst_menu"}, {"kinds beyond the menu", "f1/other"}} {
			panel := report.Panel{Title: fmt.Sprintf("%s: %s", d.game, p.title), X: "updates", Y: "F1"}
			for _, a := range arms[i] {
				panel.Series = append(panel.Series, a.curve(p.key, byUpdate))
			}
			panels = append(panels, panel)
		}
	}
	return l.report(armsPage, text.String(), panels)
}

func critiqueOf(domain string) (found problem.Errors, err error) {
	game, err := games.New(fmt.Sprintf("sneaky_critic(domain=%s)", domain))
	if err != nil {
		return found, err
	}
	return game.(*sneakycritic.Game).Critique().Errors, nil
}

// criticScores is the table of what critics reached.
func criticScores(arms []*arm) string {
	columns := []struct{ head, key string }{
		{"F1", "f1"}, {"right lines accepted", "accuracy/correct"}, {"wrong lines caught", "accuracy/wrong"},
		{"F1, worst kind on the menu", "f1/worst_menu"}, {"F1, kinds beyond the menu", "f1/other"}, {"F1, worst of all", "f1/worst"}, {"F1, longer problems", "f1/longer"},
	}
	header := []string{"critic trained on", "games learnt from"}
	for _, c := range columns {
		header = append(header, c.head)
	}
	var rows [][]string
	for _, a := range arms {
		row := []string{a.what, a.learnt()}
		for _, c := range columns {
			row = append(row, a.last(c.key).String())
		}
		rows = append(rows, row)
	}
	return markdown(header, rows)
}

func criticKinds(arms []*arm, kinds []string) string {
	header := []string{"kind"}
	for _, a := range arms {
		header = append(header, a.name)
	}
	var rows [][]string
	for _, kind := range kinds {
		if math.IsNaN(arms[0].last("caught/" + kind).mean) { // such problems have no line of it
			continue
		}
		row := []string{kind}
		for _, a := range arms {
			written := a.last("written/" + kind).mean
			cell := fmt.Sprintf("%.2f", a.last("caught/"+kind).mean)
			if written > 0 {
				cell += fmt.Sprintf(" (%.2f)", written)
			}
			row = append(row, cell)
		}
		rows = append(rows, row)
	}
	return markdown(header, rows)
}

func listed(names []string) string {
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}

func areOrIs(names []string) string {
	if len(names) == 1 {
		return names[0] + " is"
	}
	return listed(names) + " are"
}
