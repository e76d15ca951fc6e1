package main

import (
	"context"
	"fmt"
	"math"
	"strings"

	"github.com/agon-rl/agon/policy/backend"
	"github.com/agon-rl/agon/trainer/run"
)

// backends runs one recipe with one seed on every backend that works here and
// compares the first ten losses and the speeds.
func backends(ctx context.Context, l *lab) error {
	var rows [][]string
	var reference []float64
	for _, entry := range backend.List() {
		if !entry.Available {
			continue
		}
		device, choice, err := backend.Open(entry.Name)
		if err != nil {
			return err
		}
		l.device = device
		t := &trial{recipe: "leduc_poker", settings: []string{"updates=60"}}
		if err := l.one(ctx, t, fmt.Sprintf("%s/%s", l.dir, strings.ReplaceAll(entry.Name, ":", "_")), 2); err != nil {
			return err
		}
		device.Finalize()
		_, losses := run.Series(t.metrics, "loss")
		if reference == nil {
			reference = losses
		}
		apart := 0.0
		for i := range 10 {
			apart = math.Max(apart, math.Abs(losses[i]-reference[i]))
		}
		seconds := 0.0
		for _, line := range t.timing[10:] { // the first updates compile
			seconds += line["seconds"]
		}
		games := last(t.metrics, "games") * float64(len(t.timing)-10) / float64(len(t.timing))
		rows = append(rows, []string{"`" + choice.Name + "`", fmt.Sprintf("%.7f … %.7f", losses[0], losses[9]), fmt.Sprintf("%.1e", apart), fmt.Sprintf("%.0f", games/seconds), fmt.Sprintf("%.1f", float64(len(t.timing)-10)/seconds)})
	}
	return l.write(backendsPage, "## Losses and speeds\n\n"+
		markdown([]string{"backend", "losses of updates 1 … 10", "largest difference", "games/s", "updates/s"}, rows))
}

var backendsPage = page{
	name:    "backends",
	title:   "One recipe, one seed, every backend",
	command: "go run ./experiments backends",
	setup: `The recipe ` + "`leduc_poker`" + `, 60 updates on two cores. The first ten losses are compared with
those of the first row. Speeds leave out the first ten updates, which compile.`,
}
