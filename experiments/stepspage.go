package main

import (
	"fmt"
	"strings"
)

var (
	stepsPage         = problemsPage("steps", "What step preferences teach where only outcomes are known", "steps", byOutcome)
	stepsVerifiedPage = problemsPage("steps_verified", "What step preferences teach where every step is judged", "stepsverified", byVerifier)
)

var problemsCaption = fmt.Sprintf(`## Problems solved

The greedy solve rate on %d held-out problems after the last round, mean and 95 %%
interval over %d seeds:

`, stepHeldOut, stepSeeds)

// problemsPage is the page of a comparison on problems.
func problemsPage(name, title, command string, y study) page {
	var bases []string
	for _, d := range y.domains {
		bases = append(bases, fmt.Sprintf("%g in `%s`", d.base, d.game))
	}
	return page{name: name, title: title, command: "go run ./experiments " + command, setup: fmt.Sprintf(`Policies, networks of two layers of %d, start from the same base for each seed: trained on
right steps until they take one with probability %s.
Then %d rounds of new problems: the policy walks through each, and every state on
its way, %d in a round, is searched with %d simulations of PUCT (c = 1.5) whose
leaves %s. From each state whose tried actions differ
in value comes one pair, the best against, of those found worse, the one that the
policy likes most; %d epochs over a round's pairs, batches of %d, Adam at %g. So all
methods see as many pairs. The outcome method plays whole attempts instead, as many
steps as the searches did, and pairs solved with failed ones of a problem, at most
as many pairs; where the policy solves few problems there are fewer. References are
the base policy, β is 5 (the best of 0.1, 0.5, 2, 5 and 10 for step DPO on chains of
4, in a pilot with one seed) unless a row says otherwise. Expert iteration learns
the visits of the same states.`,
		y.hidden, strings.Join(bases, ", "), stepRounds, y.states, stepSims, y.leaves, stepEpochs, stepBatch, stepRate)}
}

// The board's network, of two layers, and how many states are searched in a round.
const (
	boardHidden = 64
	boardStates = 1024
)

var boardPage = page{
	name:    "steps_board",
	title:   "What step preferences teach on tic-tac-toe",
	command: "go run ./experiments stepsboard",
	setup: fmt.Sprintf(`The comparison of [steps.md](steps.md) on a board with two seats, with its constants but for
the network, two layers of %d. Policies start from networks that have learnt nothing. In
each of %d rounds, %d in the last column, a policy plays %d games against itself; every
state on its way, %d at most, is searched with %d simulations of PUCT, whose leaves the
policy plays to their end or minimax judges. From each state whose tried moves differ in
value comes one pair. The outcome method plays whole games, as many steps as the searches
did, and pairs games that a seat won with games that it lost, at most as many pairs, unless
a row says fewer. References are the policy that has learnt nothing, β is 5 unless a row
says otherwise.`, boardHidden, stepRounds, longRounds, boardStates/9, boardStates, stepSims),
}

var boardCaption = fmt.Sprintf(`## Positions played right

The share of all 4,520 positions in which the most likely move keeps the game's value,
after the last round, mean and 95 %% interval over %d seeds:

`, stepSeeds)
