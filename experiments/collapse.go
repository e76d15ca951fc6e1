package main

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/agon-rl/agon/trainer/run"
	"github.com/agon-rl/agon/trainer/run/report"
)

// cures are the arms: plain self-play, and what is changed to cure it.
var cures = []struct{ name, what, setting string }{
	{"self", "the latest self in every seat", "opponents=self"},
	{"pool", "a league of past selves in nine games of ten", "opponents=league(share=0.9,every=5,keep=200)"},
	{"magnet", "the latest self, and a magnet that starts strong", "magnet.weight=linear(0.2,0.02)"},
}

func collapse(ctx context.Context, l *lab) error {
	groups := make([][]*trial, len(cures))
	var all []*trial
	for i, c := range cures {
		for seed := 1; seed <= seeds; seed++ {
			t := &trial{recipe: "tic_tac_toe_collapse", settings: []string{fmt.Sprintf("seed=%d", seed), c.setting}}
			groups[i] = append(groups[i], t)
		}
		all = append(all, groups[i]...)
	}
	if err := l.all(ctx, all); err != nil {
		return err
	}
	panels := []report.Panel{
		{Title: "score against the frozen anchor", X: "games", Y: "score"},
		{Title: "score against random play", X: "games", Y: "score"},
		{Title: "entropy", X: "games", Y: "nats"},
		{Title: "games won by the first seat", X: "games", Y: "share"},
	}
	var summary, delays [][]string
	for i, c := range cures {
		for p, key := range []string{"guard/score", "score/random", "entropy", "wins/first"} {
			panels[p].Series = append(panels[p].Series, median(c.name, groups[i], key))
		}
		row := []string{c.name, c.what}
		for _, key := range []string{"guard/score", "score/random", "entropy", "wins/first"} {
			var values []float64
			for _, t := range groups[i] {
				values = append(values, averageOf(t.metrics, key, 0.1))
			}
			row = append(row, intervalOf(values).String())
		}
		for seed, t := range groups[i] {
			delays = append(delays, append([]string{c.name, fmt.Sprint(seed + 1)}, noticed(t.metrics)...))
		}
		summary = append(summary, row)
	}
	if err := l.draw(collapsePage, panels...); err != nil {
		return err
	}
	return l.write(collapsePage, "## The last tenth of the run\n\n"+
		markdown([]string{"arm", "what it is", "anchor score", "score against random", "entropy", "first seat's wins"}, summary)+
		"\n## Onset and alarm\n\nThe update at which the collapse began, told with hindsight, and that at which the guard\nsaw it:\n\n"+
		markdown([]string{"arm", "seed", "onset", "seen", "updates between"}, delays))
}

var collapsePage = page{
	name:    "collapse",
	title:   "Self-play that collapses, seen and cured",
	command: "go run ./experiments collapse",
	setup: fmt.Sprintf(`The recipe is `+"`trainer/recipes/tic_tac_toe_collapse.yaml`"+`, %d seeds, the same seeds in all
arms, and what the arms change is in the table. The anchor is the network as it was drawn.
Values are means over the last tenth of the run with 95 %% intervals over seeds; bands in
the plot run from the lowest to the highest seed. With hindsight, a collapse begins where
the score against random play falls by more than 0.05 from a best that it never regains, or
where one seat wins nine games of ten in most of the updates that follow.`, seeds),
}

// noticed returns the onset of collapse, the update at which the guard saw it,
// and the updates between. The onset is told with hindsight: the first
// evaluation at which the score against random play, of which the guard knows
// nothing, lies more than 0.05 below a best that it never regains; or, if it is
// earlier, the first update from which on, in most of at least twenty updates,
// one seat wins nine games of ten.
func noticed(metrics []map[string]float64) []string {
	onset := min(fallen(metrics), dominated(metrics))
	seen := math.Inf(1)
	at, flags := run.Series(metrics, "collapse")
	for i, flag := range flags {
		if flag == 1 {
			seen = at[i]
			break
		}
	}
	cell := func(x float64) string {
		if math.IsInf(x, 0) || math.IsNaN(x) {
			return "–"
		}
		return fmt.Sprintf("%.0f", x)
	}
	return []string{cell(onset), cell(seen), cell(seen - onset)}
}

func fallen(metrics []map[string]float64) float64 {
	updates, scores := run.Series(metrics, "score/random")
	best := math.Inf(-1)
	for i := range scores {
		if scores[i] < best-0.05 && slices.Max(scores[i:]) < best {
			return updates[i]
		}
		best = math.Max(best, scores[i])
	}
	return math.Inf(1)
}

func dominated(metrics []map[string]float64) float64 {
	updates, first := run.Series(metrics, "wins/first")
	_, second := run.Series(metrics, "wins/second")
	onset, ruled := math.Inf(1), 0
	for i := len(updates) - 1; i >= 0; i-- {
		if math.Max(first[i], second[i]) < 0.9 {
			continue
		}
		ruled++
		if left := len(updates) - i; left >= 20 && ruled*2 >= left {
			onset = updates[i]
		}
	}
	return onset
}
