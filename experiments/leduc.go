package main

import (
	"context"
	"fmt"
	"os"
	"strings"

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
	if err := report.Curves(l.path("leduc.svg"), panel); err != nil {
		return err
	}
	var text strings.Builder
	fmt.Fprintf(&text, `# Leduc poker by self-play

Written by `+"`go run ./experiments leduc`"+` on %s, two cores. The recipe is
`+"`trainer/recipes/leduc_poker.yaml`"+`: a network over information states, role-conditioned
advantages, a uniform magnet. Exploitability is exact; uniform play has 2.3736.

![exploitability over games](leduc.svg)

%s
Mean over seeds with its 95 %% interval: %s.
`, l.choice.Name, markdown([]string{"seed", "exploitability of the last iterate", "games", "seconds"}, rows), intervalOf(finals))
	if finding, err := os.ReadFile(l.path("leduc.finding.md")); err == nil {
		fmt.Fprintf(&text, "\n%s", finding)
	}
	return os.WriteFile(l.path("leduc.md"), []byte(text.String()), 0o644) //nolint:gosec // a page to read
}
