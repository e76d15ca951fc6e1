package main

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"

	"github.com/agon-rl/agon/agents"
	"github.com/agon-rl/agon/arena"
	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/solve"
)

// duplicates measures what it is worth that the games of a unit share their deal.
func duplicates(ctx context.Context, l *lab) error {
	var rows [][]string
	for _, c := range []struct {
		game  string
		units int
	}{{"kuhn_poker", 8000}, {"leduc_poker", 8000}} {
		rules, err := games.New(c.game)
		if err != nil {
			return err
		}
		tree, err := solve.Compile(ctx, rules, solve.DefaultNodes)
		if err != nil {
			return err
		}
		solver := solve.NewCFR(tree, solve.Variant{Plus: true, Average: 1})
		if err := solver.Iterate(ctx, 2000); err != nil {
			return err
		}
		nash := solver.Strategy()
		for _, share := range []float64{0, 0.9, 1} {
			other := make(solve.Strategy, len(nash))
			for i, u := range tree.Uniform() {
				other[i] = share*nash[i] + (1-share)*u
			}
			row, err := l.compare(ctx, rules, tree, nash, other, c.units)
			if err != nil {
				return err
			}
			name := map[float64]string{0: "uniform", 0.9: "9/10 equilibrium, 1/10 uniform", 1: "itself"}[share]
			rows = append(rows, append([]string{c.game, name}, row...))
			fmt.Fprintln(os.Stderr, c.game, name, row)
		}
	}
	return l.write(duplicatesPage, "## Variances and games\n\n"+
		markdown([]string{"game", "against", "variance, independent", "duplicate", "ratio", "games, independent", "games, duplicate", "ratio with known luck taken off"}, rows))
}

var duplicatesPage = page{
	name:    "duplicates",
	title:   "What a shared deal is worth",
	command: "go run ./experiments duplicates",
	setup: `An equilibrium plays another policy, 8,000 pairs a seed, five seeds. In a pair of duplicate
games both players get the same cards, each from the other's seat. The table has the
variance of a pair's mean return, where the two games have deals of their own and where they
share one, and its ratio; how many games it takes until the mean return is known to ±0.02
(Kuhn) or ±0.1 (Leduc), by that variance; and last the ratio to independent deals where the
luck that is known is taken off as well, of an opponent that cannot be asked for its
probabilities.`,
}

func (l *lab) compare(ctx context.Context, rules games.Game, tree *solve.Tree, nash, other solve.Strategy, units int) ([]string, error) {
	width := 0.02
	if tree.Info.Name != "kuhn_poker" {
		width = 0.1
	}
	var independent, duplicate, ratios, reduced, needI, needD []float64
	for seed := range uint64(5) {
		var variances []float64
		for _, own := range []bool{true, false} {
			t := arena.Tournament{
				Game: rules, Seed: seed + 1, Independent: own, Group: 256, Workers: 2,
				Entrants: []arena.Entrant{
					{Name: "equilibrium", Agent: agents.NewSampler(tree.Table(nash), false)},
					{Name: "other", Agent: unknown{agents.NewSampler(tree.Table(other), false)}},
				},
			}
			var err error
			if t.Schedule, err = arena.ParseSchedule("roundrobin", units, seed); err != nil {
				return nil, err
			}
			log, err := arena.OpenLog(filepath.Join(l.dir, fmt.Sprintf("%s-%d-%t-%g.log", tree.Info.Name, seed, own, other[0])))
			if err != nil {
				return nil, err
			}
			table, err := t.Run(ctx, log, nil)
			if closed := log.Close(); err == nil {
				err = closed
			}
			if err != nil {
				return nil, err
			}
			s, err := table.Summarize(arena.Rating{})
			if err != nil {
				return nil, err
			}
			d := s.Pairings[0]
			half := (d.Margin95[1] - d.Margin95[0]) / 2
			variances = append(variances, half*half*float64(units)/(1.96*1.96))
			if !own && d.Reduced95 != nil {
				half := (d.Reduced95[1] - d.Reduced95[0]) / 2
				reduced = append(reduced, variances[0]/(half*half*float64(units)/(1.96*1.96)))
			}
		}
		independent, duplicate = append(independent, variances[0]), append(duplicate, variances[1])
		ratios = append(ratios, variances[0]/variances[1])
		known := 1.96 / width
		needI = append(needI, math.Round(2*variances[0]*known*known))
		needD = append(needD, math.Round(2*variances[1]*known*known))
	}
	last := "–"
	if len(reduced) == 5 {
		last = fmt.Sprintf("%.2f ± %.2f", intervalOf(reduced).mean, intervalOf(reduced).half)
	}
	r := intervalOf(ratios)
	return []string{
		intervalOf(independent).String(), intervalOf(duplicate).String(), fmt.Sprintf("%.2f ± %.2f", r.mean, r.half),
		fmt.Sprintf("%.0f", intervalOf(needI).mean), fmt.Sprintf("%.0f", intervalOf(needD).mean), last,
	}, nil
}

// unknown hides that an agent can be asked for its probabilities.
type unknown struct{ *agents.Sampler }
