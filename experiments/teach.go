package main

import (
	"context"
	"fmt"
)

// teachings are what a network may learn from a search, with its settings.
var teachings = []struct{ name, learn string }{
	{"expert iteration: the visits", "visits"},
	{"SFT on best moves", "best"},
	{"step DPO, β = 1", "dpo(beta=1)"},
	{"MCTS-DPO, β = 1", "mcts-dpo(beta=1)"},
	{"Step-APO, β = 1, α = 1", "step-apo(beta=1)"},
	{"TPO, β = 1", "tpo-tree(beta=1)"},
}

const (
	teachSeeds   = 5
	teachUpdates = 60
)

// teach compares what a network learns from the same search: on Countdown, and on
// tic-tac-toe.
func teach(ctx context.Context, l *lab) error {
	countdown, err := l.teachings(ctx, "countdown_search", "solved", "evaluate.every=20")
	if err != nil {
		return err
	}
	tictactoe, err := l.teachings(ctx, "tic_tac_toe_search", "exploitability", "evaluate.every=20", "evaluate.exploitability=on",
		"evaluate.against=[]", "search.agent=mcts:sims=32,rule=alphazero,noise=0.25,alpha=1,temperature=1")
	if err != nil {
		return err
	}
	header := []string{"learns", "20", "40", "60"}
	return l.write(teachPage, `## Countdown

The recipe `+"`countdown_search`"+`, 512 problems an update. Share of 1,000 new problems that
the most probable steps solve:

`+markdown(header, countdown)+`
Random steps solve 0.023 (`+"`agon eval random --game countdown --games 1000`"+`).

## Tic-tac-toe

The recipe `+"`tic_tac_toe_search`"+` with 32 simulations by AlphaZero's rule, 256 games an
update. Exploitability of the network alone, exactly; 0 is perfect, and uniform play has
0.960 (`+"`agon eval random --game tic_tac_toe --exploitability`"+`):

`+markdown(header, tictactoe))
}

var teachPage = page{
	name:    "teach",
	title:   "What a search can teach",
	command: "go run ./experiments teach",
	setup: fmt.Sprintf(`In both recipes a search over the network plays the games; what the network learns from it
is changed (`+"`learn`"+`). Preferences are all pairs of the tried first steps of each
search that its values order (`+"`search.rule=tpo`"+`), with the searching network as the
reference; the value head learns how games ended, with every method. Means and 95 %%
intervals over %d seeds, after 20, 40 and 60 updates.`, teachSeeds),
}

// teachings trains a recipe with everything that it may learn and returns rows of
// a measure after 20, 40 and 60 updates.
func (l *lab) teachings(ctx context.Context, recipe, measure string, settings ...string) ([][]string, error) {
	var trials []*trial
	for _, t := range teachings {
		for seed := range teachSeeds {
			trials = append(trials, &trial{recipe: recipe, settings: append([]string{
				fmt.Sprintf("seed=%d", seed+1), fmt.Sprintf("updates=%d", teachUpdates),
				fmt.Sprintf("learn=[{from: search, loss: %q}]", t.learn), "search.rule=tpo",
			}, settings...)})
		}
	}
	if err := l.all(ctx, trials); err != nil {
		return nil, err
	}
	var rows [][]string
	for i, t := range teachings {
		row := []string{t.name}
		for _, at := range []int{20, 40, 60} {
			var values []float64
			for _, trial := range trials[i*teachSeeds : (i+1)*teachSeeds] {
				values = append(values, trial.metrics[at-1][measure])
			}
			row = append(row, intervalOf(values).String())
		}
		rows = append(rows, row)
	}
	return rows, nil
}
