package main

import (
	"context"
	"fmt"
	"os"

	"github.com/agon-rl/agon/trainer/run/report"
)

func leducSeeds(ctx context.Context, l *lab) error {
	var trials []*trial
	var rows [][]string
	var finals []float64
	for seed := 1; seed <= seeds; seed++ {
		t := &trial{recipe: "leduc_poker", settings: []string{fmt.Sprintf("seed=%d", seed)}}
		// One at a time, with both cores, as a person runs it.
		if err := l.one(ctx, t, fmt.Sprintf("%s/%d", l.dir, seed), 2); err != nil {
			return err
		}
		seconds := 0.0
		for _, line := range t.timing {
			seconds += line["seconds"]
		}
		trials = append(trials, t)
		finals = append(finals, last(t.metrics, "exploitability"))
		rows = append(rows, []string{fmt.Sprint(seed), fmt.Sprintf("%.4f", finals[seed-1]), fmt.Sprintf("%.0f", last(t.metrics, "games")), fmt.Sprintf("%.0f", seconds)})
		fmt.Fprintln(os.Stderr, rows[seed-1])
	}
	panel := report.Panel{Title: "leduc_poker, last iterate, five seeds", X: "games", Y: "exploitability", Log: true,
		Series: []report.Series{median("median, lowest to highest", trials, "exploitability")}}
	if err := l.draw(leducPage, panel); err != nil {
		return err
	}
	table := markdown([]string{"seed", "exploitability of the last iterate", "games", "seconds"}, rows)
	return l.write(leducPage, fmt.Sprintf("## Five seeds\n\nOn %s, two cores:\n\n%s\nMean over seeds with its 95 %% interval: %s.\n", l.choice.Name, table, intervalOf(finals)))
}

var leducPage = page{
	name:    "leduc",
	title:   "Leduc poker by self-play",
	command: "go run ./experiments leduc",
	setup: `The recipe is ` + "`trainer/recipes/leduc_poker.yaml`" + `: a network over information states,
role-conditioned advantages, a uniform magnet. Exploitability is exact. The plot shows the
median of the seeds, from the lowest to the highest.`,
}
