package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/agon-rl/agon/trainer/run/report"
)

const seeds = 5

// estimators are what RAE is measured against.
var estimators = []struct{ spec, what string }{
	{"rae", "one mean a role, read first (SPIRAL's code)"},
	{"rae(order=update)", "the same, updated first (SPIRAL's paper, Vision-Zero)"},
	{"rae(order=batch)", "the same, updated once a batch"},
	{"per_actor(actors=8)", "a table for each of eight actors (SPIRAL's release)"},
	{"shared", "one mean for all roles"},
	{"batch_mean", "the batch's mean return of the role"},
	{"raw", "no baseline"},
	{"gae", "a value network"},
}

// raeGames are the games; exploitability is exact where the game has few
// enough histories, so SPIRAL's five deals are also played as three.
var raeGames = []string{
	"kuhn_poker",
	"spiral_kuhn(deals=3)", "spiral_kuhn(deals=3,rules=released)",
	"spiral_kuhn", "spiral_kuhn(rules=released)",
}

func raeAblations(ctx context.Context, l *lab) error {
	groups := map[string][]*trial{}
	var all []*trial
	for _, game := range raeGames {
		for _, e := range estimators {
			for seed := 1; seed <= seeds; seed++ {
				t := &trial{recipe: "kuhn_poker", settings: []string{
					"game=" + game, "advantage=" + e.spec, fmt.Sprintf("seed=%d", seed),
					"updates=400", "games=256", "group=256", "evaluate.every=20",
				}}
				if e.spec == "gae" {
					t.settings = append(t.settings, "value=0.5")
				}
				groups[game+e.spec] = append(groups[game+e.spec], t)
				all = append(all, t)
			}
		}
	}
	if err := l.all(ctx, all); err != nil {
		return err
	}
	var text strings.Builder
	var panels []report.Panel
	for _, game := range raeGames {
		fmt.Fprintf(&text, "\n## `%s`\n\n%s", game, raeTable(game, groups))
		if panel := raePanel(game, groups); len(panel.Series) > 0 {
			panels = append(panels, panel)
		}
	}
	if err := l.draw(raePage, panels...); err != nil {
		return err
	}
	return l.write(raePage, text.String())
}

var raePage = page{
	name:    "rae",
	title:   "Role-conditioned advantages against their ablations",
	command: "go run ./experiments rae",
	setup: fmt.Sprintf(`Each estimator trains the network of `+"`trainer/recipes/kuhn_poker.yaml`"+` for 400 updates of
256 games, %d seeds, the same seeds for all. Values are means over seeds with 95 %% intervals
(Student's t). The variance of the advantage and the gradient's noise (the standard
deviation of a batch's gradient, estimated from eight parts of it) are averages over the
second half of training; exploitability is that of the last iterate, exact.`, seeds),
}

func raeTable(game string, groups map[string][]*trial) string {
	columns := []struct {
		head, key string
		share     float64 // of the run, averaged; 0 for the last value
	}{
		{"advantage variance, first", "advantage_variance/first", 0.5},
		{"advantage variance, second", "advantage_variance/second", 0.5},
		{"gradient noise", "gradient_noise", 0.5},
		{"gradient norm", "gradient_norm", 0.5},
		{"exploitability", "exploitability", 0},
	}
	header := []string{"estimator", "what it is"}
	for _, c := range columns {
		header = append(header, c.head)
	}
	var rows [][]string
	for _, e := range estimators {
		row := []string{"`" + e.spec + "`", e.what}
		for _, c := range columns {
			var values []float64
			for _, t := range groups[game+e.spec] {
				if c.share > 0 {
					values = append(values, averageOf(t.metrics, c.key, c.share))
				} else {
					values = append(values, last(t.metrics, c.key))
				}
			}
			row = append(row, intervalOf(values).String())
		}
		rows = append(rows, row)
	}
	return markdown(header, rows)
}

func raePanel(game string, groups map[string][]*trial) report.Panel {
	panel := report.Panel{Title: game, X: "games", Y: "exploitability", Log: true}
	for _, e := range estimators {
		if s := median(e.spec, groups[game+e.spec], "exploitability"); len(s.X) > 0 {
			s.Low, s.High = nil, nil // eight bands would hide the lines
			panel.Series = append(panel.Series, s)
		}
	}
	return panel
}
