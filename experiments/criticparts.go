package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/agon-rl/agon/trainer/run"
	"github.com/agon-rl/agon/trainer/run/report"
)

// critic runs all experiments of the self-play critic.
func critic(ctx context.Context, l *lab) error {
	for _, part := range []func(context.Context, *lab) error{inspectionCurves, criticArms, criticOpponents, criticObjectives, criticStages, criticValidity, criticCurriculum, criticWhole} {
		if err := part(ctx, l); err != nil {
			return err
		}
	}
	return nil
}

// partsDomain is the domain of what is compared on one domain alone, otherDomain that
// of what is shown on a second one too.
const (
	partsDomain = "word_problem(people=5)"
	otherDomain = "arithmetic(digits=1,length=2)"
)

// onBoth runs a comparison on both domains and joins its texts and its plots.
func (l *lab) onBoth(ctx context.Context, compare func(context.Context, *lab, string) (string, []report.Panel, error)) (text string, panels []report.Panel, err error) {
	for _, domain := range []string{partsDomain, otherDomain} {
		more, plots, err := compare(ctx, l, domain)
		if err != nil {
			return "", nil, err
		}
		text += fmt.Sprintf("\n## `%s`\n\n%s", domain, more)
		for _, p := range plots {
			p.Title = domain + ": " + p.Title
			panels = append(panels, p)
		}
	}
	return text, panels, nil
}

// criticOpponents compares opponents of this round with frozen ones of earlier
// rounds, and shows what is learnt where no solution is clean.
func criticOpponents(ctx context.Context, l *lab) error {
	text, panels, err := l.onBoth(ctx, compareOpponents)
	if err != nil {
		return err
	}
	return l.report(roundsPage, text, panels)
}

func compareOpponents(ctx context.Context, l *lab, domain string) (string, []report.Panel, error) {
	game := criticGame(domain)
	// with frozen opponents one player learns in each group of games: twice the games
	// for as many that the critic learns from
	twice := []string{game, fmt.Sprint("games=", 2*criticGames), fmt.Sprint("group=", criticGames), fmt.Sprint("critic.warmup=", criticWarmup/2)}
	arms := []*arm{
		{name: "latest", what: "the latest, which learns too", settings: []string{game}},
		{name: "earlier", what: "frozen, of the round before", settings: append([]string{"opponents=earlier"}, twice...)},
		{name: "no clean", what: "the latest, and no solution is clean (q = 0)", settings: []string{criticGame(domain, "clean=0")}},
	}
	for _, a := range arms {
		a.with()
	}
	if err := l.criticise(ctx, arms...); err != nil {
		return "", nil, err
	}
	return roundsTable(arms, "the sneaky player that the critic meets"), roundPanels(arms), nil
}

// roundsTable is a table of F1 by round.
func roundsTable(arms []*arm, head string) string {
	header := []string{head, "games learnt from", "F1 after round 0"}
	for round := 1; round <= criticRounds; round++ {
		header = append(header, fmt.Sprint(round))
	}
	header = append(header, "right lines accepted", "wrong lines caught", "F1, worst kind on the menu", "fooled")
	var rows [][]string
	for _, a := range arms {
		row := []string{a.what, a.learnt()}
		for round := range criticRounds + 1 {
			row = append(row, a.over(func(t *trial) float64 { return t.atRound("f1", round) }).String())
		}
		for _, key := range []string{"accuracy/correct", "accuracy/wrong", "f1/worst_menu", "fooled"} {
			row = append(row, a.last(key).String())
		}
		rows = append(rows, row)
	}
	return markdown(header, rows)
}

// atRound is a metric at the end of a round.
func (t *trial) atRound(key string, round int) (value float64) {
	if round == 0 && t.start != nil {
		return t.start[key]
	}
	_, rounds := run.Series(t.metrics, "round")
	updates, values := run.Series(t.metrics, key)
	for i, u := range updates {
		if int(rounds[int(u)-1]) == round {
			value = values[i]
		}
	}
	return value
}

func roundPanels(arms []*arm) []report.Panel {
	panels := []report.Panel{{Title: "all kinds of error", X: "round", Y: "F1"}, {Title: "the worst kind on the menu", X: "round", Y: "F1"}}
	for p, key := range []string{"f1", "f1/worst_menu"} {
		for _, a := range arms {
			var series []report.Series
			for _, t := range a.trials {
				s := report.Series{Name: a.name}
				for round := range criticRounds + 1 {
					s.X, s.Y = append(s.X, float64(round)), append(s.Y, t.atRound(key, round))
				}
				series = append(series, s)
			}
			panels[p].Series = append(panels[p].Series, report.Median(a.name, series...))
		}
	}
	return panels
}

// learnOffline is SPC's own objective.
const learnOffline = "learn=[{from: rounds, loss: spc}]"

// criticObjectives compares policy gradient on fresh games with SPC's objective on
// those of frozen players: as many games, as many gradient steps on as many rows.
func criticObjectives(ctx context.Context, l *lab) error {
	game := criticGame(partsDomain)
	const halves = 2 // half of a batch is imitated
	offline := []string{
		game, learnOffline, fmt.Sprint("critic.data=", criticGames*criticUpdates),
		fmt.Sprint("games=", criticGames/halves), fmt.Sprint("critic.warmup=", criticWarmup*halves), fmt.Sprint("updates=", 4*criticUpdates),
	}
	arms := []*arm{
		{name: "on line", what: "on line", settings: []string{game}},
		{name: "off line", what: "off line, each round from round 0 with the games of all (SPC)", settings: offline},
		{name: "off line, on", what: "off line, each round from the one before", settings: append([]string{"critic.restart=false"}, offline...)},
		{name: "off line, wide", what: "the same, clipped at 0.9 instead of 0.2", settings: append(slices.Clone(offline), "critic.restart=false", `learn=[{from: rounds, loss: spc(clip=0.9)}]`)},
	}
	for _, a := range arms {
		a.with()
	}
	if err := l.criticise(ctx, arms...); err != nil {
		return err
	}
	same, err := l.sameGames(ctx, arms[0])
	if err != nil {
		return err
	}
	panels := roundPanels(same)
	for i := range panels {
		panels[i].Title += ", from the same games"
	}
	return l.report(criticObjectivesPage, "## Games of their own players\n\n"+objectivesTable(arms)+criticSameGames+objectivesTable(same)+paired(same), append(roundPanels(arms), panels...))
}

// sameGames has both objectives learn from the same start and the same games, those of
// the players of a finished arm at the ends of its rounds.
func (l *lab) sameGames(ctx context.Context, players *arm) ([]*arm, error) {
	data := []string{criticGame(partsDomain), fmt.Sprint("critic.data=", criticGames*criticUpdates)}
	offline := append([]string{learnOffline, fmt.Sprint("games=", criticGames/2), fmt.Sprint("updates=", 4*criticUpdates)}, data...)
	replay := append([]string{`learn=[{from: rounds, loss: ppo}]`}, data...)
	arms := []*arm{
		{name: "off line, same", what: "off line, each round from round 0 (SPC)", settings: offline},
		{name: "off line, on", what: "off line, each round from the one before", settings: append([]string{"critic.restart=false"}, offline...)},
		{name: "off line, wide", what: "off line, the same, clipped at 0.9 instead of 0.2", settings: append(slices.Clone(offline), "critic.restart=false", `learn=[{from: rounds, loss: spc(clip=0.9)}]`)},
		{name: "replay", what: "on line's, each round from round 0", settings: replay},
		{name: "replay, on", what: "on line's, each round from the one before", settings: append([]string{"critic.restart=false"}, replay...)},
		{name: "replay, wide", what: "on line's, the same, clipped at 0.9 instead of 0.2", settings: append(slices.Clone(replay), "critic.restart=false", `learn=[{from: rounds, loss: ppo(clip=0.9)}]`)},
	}
	for _, a := range arms {
		a.with()
		for i, t := range a.trials {
			t.settings = append(t.settings, "critic.warmup=0", "critic.source="+players.trials[i].dir)
		}
	}
	if err := l.criticise(ctx, arms...); err != nil {
		return nil, err
	}
	for _, a := range arms {
		for i, t := range a.trials { // where they start
			start := map[string]float64{"round": 0}
			for _, key := range []string{"f1", "f1/worst_menu"} {
				start[key] = players.trials[i].atRound(key, 0)
			}
			t.start = start
		}
	}
	return arms, nil
}

// paired says, seed by seed, what on line's objective gains over SPC's from the same
// games: the first half of the arms are SPC's.
func paired(arms []*arm) string {
	var rows [][]string
	half := len(arms) / 2
	for i, a := range arms[:half] {
		var gains []float64
		for seed, t := range a.trials {
			gains = append(gains, last(arms[half+i].trials[seed].metrics, "f1")-last(t.metrics, "f1"))
		}
		cut := a.over(func(t *trial) float64 { return averageOf(t.metrics, "clipped/critic", 1./criticRounds) })
		rows = append(rows, []string{strings.TrimPrefix(a.what, "off line, "), intervalOf(gains).String(), cut.String()})
	}
	return "\n" + markdown([]string{"on line's objective less SPC's", "F1, seed by seed", "of the critic's answers, those that SPC's bounds cut off in round 3"}, rows)
}

// objectivesTable counts the games played in rounds: rows that are drawn again from
// them are no new ones.
func objectivesTable(arms []*arm) string {
	table := roundsTable(arms, "objective")
	for _, a := range arms { // in the count's column
		played := criticWarmup*criticGames + int(a.last("games").mean)
		table = strings.Replace(table, fmt.Sprintf("| %s | %s |", a.what, a.learnt()), fmt.Sprintf("| %s | %d |", a.what, played), 1)
	}
	return table
}

// criticStages compares who trains when, at as many games that the critic learns
// from.
func criticStages(ctx context.Context, l *lab) error {
	text, panels, err := l.onBoth(ctx, compareStages)
	if err != nil {
		return err
	}
	return l.report(stagesPage, text, panels)
}

func compareStages(ctx context.Context, l *lab, domain string) (string, []report.Panel, error) {
	game := criticGame(domain)
	const every = "evaluate.every=20"
	long := []string{game, every, fmt.Sprint("updates=", 2*criticUpdates)}
	arms := []*arm{
		{name: "together", what: "both, always", settings: []string{game, every}},
		{name: "alternate", what: "in turn, 10 updates each", settings: append([]string{"stages=alternate(every=10)"}, long...)},
		{name: "adaptive", what: "by two thresholds", settings: append([]string{"stages=adaptive(up=0.8,down=0.7,dwell=5,most=20)"}, long...)},
	}
	for _, a := range arms {
		a.with()
	}
	if err := l.criticise(ctx, arms...); err != nil {
		return "", nil, err
	}
	budget := float64(criticGames * (criticWarmup + criticRounds*criticUpdates))
	header := []string{"who trains", "games learnt from", "F1", "right lines accepted", "wrong lines caught", "F1, worst kind on the menu", "games played", "sneaky stages", "fooled in the end"}
	var rows [][]string
	for _, a := range arms {
		within := func(key string) interval {
			return a.over(func(t *trial) float64 { return t.within(key, budget) })
		}
		rows = append(rows, []string{
			a.what, fmt.Sprintf("%.0f", within("samples").mean), within("f1").String(), within("accuracy/correct").String(), within("accuracy/wrong").String(),
			within("f1/worst_menu").String(), fmt.Sprintf("%.0f", within("games").mean), fmt.Sprintf("%.1f", a.over(sneakyStages).mean), a.last("fooled").String(),
		})
	}
	panels := []report.Panel{{Title: "all kinds of error", X: "games that the critic learnt from", Y: "F1"}, {Title: "the critic's games won", X: "updates", Y: "share"}}
	for _, a := range arms {
		one := &arm{name: a.name, trials: a.trials}
		panels[0].Series = append(panels[0].Series, one.steps("f1", budget))
		panels[1].Series = append(panels[1].Series, one.curve("won/critic", byUpdate))
	}
	return markdown(header, rows), panels, nil
}

// within is a metric at the last evaluation before the critic has learnt from more
// games.
func (t *trial) within(key string, budget float64) (value float64) {
	samples := t.samples()
	for i, line := range t.metrics {
		if _, measured := line["f1"]; !measured || samples[i] > budget {
			continue
		}
		if value = line[key]; key == "samples" {
			value = samples[i]
		}
	}
	return value
}

// sneakyStages counts the stages in which only the sneaky player trains.
func sneakyStages(t *trial) (count float64) {
	before := false
	for _, line := range t.metrics {
		now := line["trains/sneaky"] == 1 && line["trains/critic"] == 0
		if now && !before {
			count++
		}
		before = now
	}
	return count
}

// steps is a metric over what the critic learnt from, at even places.
func (a *arm) steps(key string, budget float64) report.Series {
	const places = 16
	var series []report.Series
	for _, t := range a.trials {
		s := report.Series{Name: a.name}
		for i := 1; i <= places; i++ {
			x := budget * float64(i) / places
			if y := t.within(key, x); y > 0 {
				s.X, s.Y = append(s.X, x), append(s.Y, y)
			}
		}
		series = append(series, s)
	}
	return report.Median(a.name, series...)
}

// criticValidity counts how often SPC's success rates take a wrong line for right,
// and what training by them costs.
func criticValidity(ctx context.Context, l *lab) error {
	domains := []string{"arithmetic", "countdown", "equations", "horn", "word_problem"}
	slips := []string{"0", "0.1", "0.3"}
	arms := map[string]*arm{}
	var all []*arm
	for _, d := range domains {
		for _, s := range slips {
			a := &arm{settings: []string{criticGame(d), "critic.sneaky=menu", fmt.Sprintf("critic.validity=drop(slips=%s)", s)}}
			a.with("critic.warmup=0", "critic.rounds=1", "updates=2", "critic.cases=1")
			arms[d+s], all = a, append(all, a)
		}
	}
	train := []*arm{
		{name: "exact", what: "the verifier", settings: []string{criticGame(partsDomain, "free=true")}},
		{name: "drop", what: "success rates", settings: []string{criticGame(partsDomain, "free=true"), "critic.validity=drop"}},
	}
	for _, a := range train {
		a.with(fmt.Sprintf("critic.longer=sneaky_critic(domain=%s)", criticDomains[0].longer))
	}
	if err := l.criticise(ctx, append(all, train...)...); err != nil {
		return err
	}
	differs := func(key string) string {
		var rows [][]string
		for _, d := range domains {
			row := []string{"`" + d + "`"}
			for _, s := range slips {
				row = append(row, arms[d+s].over(func(t *trial) float64 { return averageOf(t.metrics, key, 1) }).String())
			}
			rows = append(rows, row)
		}
		return markdown([]string{"domain", "solver without slips", "slips at one line in ten", "at three in ten"}, rows)
	}
	text := criticDiffer + differs("validity/differ") + "\nAnd of right lines, drawn uniformly from those that may stand in a clean solution, the share\nthat they take for wrong:\n\n" + differs("validity/condemned")
	text += "\n## Training by success rates\n\nSelf-play with free replacement on `" + partsDomain + "`, where one or the other decides:\n\n" + criticScores(train)
	return l.write(validityPage, text)
}

// criticCurriculum compares problems drawn uniformly and by the spread of what the
// critic makes of their kinds of error.
func criticCurriculum(ctx context.Context, l *lab) error {
	var text strings.Builder
	for _, d := range criticDomains[:2] {
		game, longer := criticGame(d.game, "free=true"), fmt.Sprintf("critic.longer=sneaky_critic(domain=%s)", d.longer)
		arms := []*arm{
			{what: "problems drawn uniformly", settings: []string{game}},
			{what: "by the spread, of 4 candidates a game", settings: []string{game, "critic.curriculum=spread"}},
		}
		for _, a := range arms {
			a.with(longer)
		}
		if err := l.criticise(ctx, arms...); err != nil {
			return err
		}
		fmt.Fprintf(&text, "\n## `%s`\n\nSelf-play with free replacement:\n\n%s", d.game, criticScores(arms))
	}
	return l.write(curriculumPage, text.String())
}

// inspectionCurves trains on the exact game.
func inspectionCurves(ctx context.Context, l *lab) error {
	base := []string{"game=inspection", "critic.warmup=0", "policy.hidden=[32]", "epochs=2", "games=512", "evaluate.every=20"}
	arms := []*arm{
		{name: "best response", what: "an exact best response to the latest opponent", settings: []string{`learn=[{from: games, loss: best-response}]`, "critic.rounds=1", "updates=1200"}},
		{name: "soft", what: "a softened best response to the latest opponent, temperature 0.2", settings: []string{`learn=[{from: games, loss: best-response(soft=0.2)}]`, "critic.rounds=1", "updates=1200"}},
		{name: "soft, pool", what: "the same to the average of all so far, temperature 0.03", settings: []string{`learn=[{from: games, loss: best-response(soft=0.03)}]`, "opponents=pool", "critic.rounds=1", "updates=1200"}},
		{name: "pull to round", what: "policy gradient, pull 0.2 to the policy at the start of each 50 updates", settings: []string{"critic.rounds=24", "updates=50", "magnet.weight=0.2", "magnet.kind=round"}},
	}
	for _, a := range arms {
		a.with(base...)
	}
	if err := l.criticise(ctx, arms...); err != nil {
		return err
	}
	header := []string{"learning", "latest pair", "averaged pair", "first update from which the averaged pair stays below 0.05"}
	panels := []report.Panel{{Title: "averaged pair", X: "updates", Y: "NashConv", Log: true}, {Title: "latest pair", X: "updates", Y: "NashConv", Log: true}}
	var rows [][]string
	for _, a := range arms {
		var first []string
		for _, t := range a.trials {
			first = append(first, below(t, 0.05))
		}
		rows = append(rows, []string{a.what, a.last("nash_conv/last").String(), a.last("nash_conv/average").String(), strings.Join(first, ", ")})
		panels[0].Series = append(panels[0].Series, a.curve("nash_conv/average", byUpdate))
		panels[1].Series = append(panels[1].Series, a.curve("nash_conv/last", byUpdate))
	}
	return l.report(inspectionPage, "## Distance from the equilibrium\n\n"+markdown(header, rows), panels)
}

// below is the first measured update from which on the averaged pair's
// exploitability is less.
func below(t *trial, bound float64) string {
	updates, values := run.Series(t.metrics, "nash_conv/average")
	first := "never"
	for i := len(values) - 1; i >= 0 && values[i] < bound; i-- {
		first = fmt.Sprint(int(updates[i]))
	}
	return first
}
