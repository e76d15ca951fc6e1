package main

import "fmt"

var objectivesPage = page{
	name:    "objectives",
	title:   "The objectives of Nash and preference learning, side by side",
	command: "go run ./experiments objectives",
	setup: fmt.Sprintf(`All in float64, without networks. A judge prefers one answer to another with a probability
that is known; a policy is a distribution over the answers and plays against itself. Every
method is one step

    θ⁺ = Σ_k w_k·θ_k + η·P·(opponent)

on log-probabilities θ, and the methods differ in the base and in the opponent alone
(`+"`solve/updates.go`"+` has them one after another). `+"`agon solve 'matrix(soft_rps)' --method egpo,omd --json`"+`
runs any of them, on any matrix.

The duality gap is 2·(max P·π − ½): what best responses gain, 0 in equilibrium, 1 at most. A
query asks the judge what all answers earn; EGPO and Nash Mirror Prox ask twice an iteration.
All methods start from the same reference, drawn once (log-probabilities standard normal),
which those that are regularised are pulled to, with β = %g: they end at the regularised
equilibrium π*, whose gap is not 0, and KL(π*‖π) tells how near they are. Where the judge is
sampled, each answer is compared with answers drawn from the opponent, a Bernoulli draw each;
mean and 95 %% interval after %d iterations over %d seeds of these draws, and in the plots
their median and range. The sequence game has the judge of `+"`sequence`"+`, whose pay of 2P − 1 is
halved here to P − ½.`, objectiveBeta, objectiveSteps, objectiveSeeds),
}
