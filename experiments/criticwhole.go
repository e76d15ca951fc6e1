package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/agon-rl/agon/agents"
	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/games/sneakycritic"
	"github.com/agon-rl/agon/policy/backend"
	"github.com/agon-rl/agon/spc/benchmark"
	"github.com/agon-rl/agon/trainer/run/report"
)

const (
	wholeDomain    = "horn(depth=3)"
	wholeSolutions = 400 // generated, to judge
)

// criticWhole trains critics of whole solutions, which say which step is the first
// wrong one, and has them and a critic of single lines judge generated solutions.
func criticWhole(ctx context.Context, l *lab) error {
	whole := func(more ...string) string { return criticGame(wholeDomain, append(more, "whole=true")...) }
	arms := []*arm{
		{name: "naive", what: "whole solutions, naive kinds", settings: []string{whole(), "critic.sneaky=naive"}},
		{name: "menu", what: "whole solutions, uniform draws from the menu", settings: []string{whole(), "critic.sneaky=menu"}},
		{name: "self-play", what: "whole solutions, self-play over the menu", settings: []string{whole()}},
		{name: "free", what: "whole solutions, self-play with free replacement", settings: []string{whole("free=true")}},
	}
	const pull = "magnet.weight=0.5"
	for _, a := range arms {
		a.with("policy.hidden=[256]", pull)
	}
	shared := &arm{name: "shared", what: "the same, all lines by the same weights", settings: []string{whole("free=true")}}
	shared.with("policy.kind=resnet", "policy.blocks=0", "policy.channels=64", pull)
	lines := &arm{name: "lines", what: "single lines, self-play with free replacement", settings: []string{criticGame(wholeDomain, "free=true")}}
	lines.with()
	for _, some := range [][]*arm{append([]*arm{lines}, arms...), {shared}} {
		if err := l.criticise(ctx, some...); err != nil {
			return err
		}
	}
	arms = append(arms, shared)
	header := []string{"critic trained on", "games learnt from", "F1 after round 0", "F1 in the end", "right solutions accepted", "first errors found", "errors noticed", "F1, worst kind on the menu", "F1, kinds beyond the menu"}
	var rows [][]string
	for _, a := range arms {
		row := []string{a.what, a.learnt(), a.over(func(t *trial) float64 { return t.atRound("f1", 0) }).String()}
		for _, key := range []string{"f1", "accuracy/correct", "accuracy/wrong", "accuracy/noticed", "f1/worst_menu", "f1/other"} {
			row = append(row, a.last(key).String())
		}
		rows = append(rows, row)
	}
	text := "## The exam\n\n" + markdown(header, rows)
	judged, err := l.judgeWholes(ctx, append(arms, lines))
	if err != nil {
		return err
	}
	text += fmt.Sprintf("\n## Generated solutions\n\n%d solutions as `agon spc export` writes them, half of them with a wrong step of the menu,\njudged by ProcessBench's rule (`agon spc eval`). The critic of single lines is asked about\neach line, and the first that it calls Incorrect counts:\n\n", wholeSolutions) + judged
	panels := []report.Panel{{Title: "first errors of whole solutions", X: "updates", Y: "F1"}, {Title: "kinds beyond the menu", X: "updates", Y: "F1"}}
	for i, key := range []string{"f1", "f1/other"} {
		for _, a := range arms {
			panels[i].Series = append(panels[i].Series, a.curve(key, byUpdate))
		}
	}
	return l.report(wholePage, text, panels)
}

// judgeWholes scores critics on generated solutions.
func (l *lab) judgeWholes(ctx context.Context, arms []*arm) (string, error) {
	spoilt := 0 // of the wrong ones, those without the right answer
	solutions, err := benchmark.Generate(wholeDomain, wholeSolutions, 1)
	if err != nil {
		return "", err
	}
	for i := range solutions {
		solutions[i].Subset = "generated"
		if s := solutions[i]; s.First >= 0 && !s.FinalCorrect {
			spoilt++
		}
	}
	set := &benchmark.Set{Name: "processbench", Solutions: solutions}
	var rows [][]string
	for _, a := range arms {
		var f1, right, wrong []float64
		for _, t := range a.trials {
			table, err := l.judgeWhole(ctx, set, t)
			if err != nil {
				return "", err
			}
			f1, right, wrong = append(f1, table.Score), append(right, table.Total.Correct.Accuracy), append(wrong, table.Total.Erroneous.Accuracy)
		}
		rows = append(rows, []string{a.what, intervalOf(f1).String(), intervalOf(right).String(), intervalOf(wrong).String()})
	}
	text := markdown([]string{"critic trained on", "ProcessBench F1", "right solutions accepted", "first errors found"}, rows)
	return text + fmt.Sprintf("\nOf the %d wrong solutions %d do not come to the right answer.\n", wholeSolutions/2, spoilt), nil
}

func (l *lab) judgeWhole(ctx context.Context, set *benchmark.Set, t *trial) (_ *benchmark.Table, err error) {
	game, err := games.New(t.game)
	if err != nil {
		return nil, err
	}
	critic := game.(*sneakycritic.Game)
	way := benchmark.ByStep
	if critic.Whole {
		way = benchmark.BySolution
	}
	task, err := benchmark.NewTask(set, way, 1)
	if err != nil {
		return nil, err
	}
	env := agents.Environment{Game: game, Backend: func() (backend.Backend, error) { return l.device, nil }}
	agent, err := agents.Open(ctx, fmt.Sprintf("run(%s,greedy=true)", t.dir), env)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, agent.Close()) }()
	journal, err := benchmark.OpenJournal("", task, "critic")
	if err != nil {
		return nil, err
	}
	outcome, err := benchmark.Judge(ctx, task, benchmark.Player{Game: critic, Agent: agent}, journal, benchmark.Options{Parallel: 1})
	if err != nil {
		return nil, err
	}
	scores, err := task.Score(outcome)
	if err != nil {
		return nil, err
	}
	return scores.FirstError, nil
}
