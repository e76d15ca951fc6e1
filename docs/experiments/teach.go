package main

import (
	"context"
	"fmt"
	"os"
)

// teachings are what a network may learn from a search, with its settings.
var teachings = []struct{ name, learn string }{
	{"expert iteration: the visits", "visits"},
	{"SFT on best moves", "best"},
	{"step DPO, β = 1", "dpo(beta=1)"},
	{"MCTS-DPO, β = 1", "mcts-dpo(beta=1)"},
	{"Step-APO, β = 1, α = 1", "step-apo(beta=1)"},
	{"TPO, β = 1", "tpo(beta=1)"},
}

const (
	teachSeeds   = 5
	teachUpdates = 60
)

// teach compares what a network learns from the same search on Countdown.
func teach(ctx context.Context, l *lab) error {
	var trials []*trial
	for _, t := range teachings {
		for seed := range teachSeeds {
			trials = append(trials, &trial{recipe: "countdown_search", settings: []string{
				fmt.Sprintf("seed=%d", seed+1), fmt.Sprintf("updates=%d", teachUpdates), "evaluate.every=20",
				fmt.Sprintf("search.learn=%q", t.learn), "search.rule=tpo",
			}})
		}
	}
	if err := l.all(ctx, trials); err != nil {
		return err
	}
	var rows [][]string
	for i, t := range teachings {
		row := []string{t.name}
		for _, at := range []int{20, 40, 60} {
			var solved []float64
			for _, trial := range trials[i*teachSeeds : (i+1)*teachSeeds] {
				solved = append(solved, trial.metrics[at-1]["solved"])
			}
			row = append(row, intervalOf(solved).String())
		}
		rows = append(rows, row)
	}
	text := `# What a search can teach

Written by ` + "`go run ./docs/experiments teach`" + `: the recipe ` + "`countdown_search`" + `, in which PUCT
search over the network plays 512 problems an update, with what the network learns
from it changed (` + "`search.learn`" + `). Preferences are all pairs of the tried first steps of
each search that its values order (` + "`search.rule=tpo`" + `), with the searching network as
the reference; the value head learns how problems ended, with every method. Share
of 1,000 new problems that the most probable steps solve, mean and 95 % interval
over five seeds, after so many updates:

` + markdown([]string{"learns", "20", "40", "60"}, rows) + `
Random steps solve 0.023 (` + "`agon eval random --game countdown --games 1000`" + `).
`
	return os.WriteFile(l.path("teach.md"), []byte(text), 0o644) //nolint:gosec // a page to read
}
