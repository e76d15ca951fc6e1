package main

import "fmt"

// criticSetup is the setup of a page on critics of single lines: what all share, and what
// is its own between.
func criticSetup(own string) string {
	return fmt.Sprintf(`A critic and a sneaky player, networks with one layer of 128, learn by `+"`agon spc train`"+` with
Adam at 0.003: %d updates of %d games of round 0, in which both imitate the naive start,
then %d rounds of %d updates unless the text says otherwise; on line with RAE, 4 epochs an
update and a pull of 0.2 to uniform play.

%s

The exam has 200 lines of each kind of error, each in a problem of its own, and 200 right
ones. Wrong lines caught is the mean over kinds, F1 the harmonic mean with the share of
right lines accepted. Games learnt from count the critic's games of all updates, round 0
included. Means and 95 %% intervals (Student's t) over %d seeds, the same exam for all;
bands in plots run from the lowest to the highest seed.`,
		criticWarmup, criticGames, criticRounds, criticUpdates, own, seeds)
}

var armsPage = page{
	name:    "critic_arms",
	title:   "What a critic learns from naive errors, from a menu and from self-play",
	command: "go run ./experiments critic-arms",
	setup: criticSetup(`Arms differ in who slips wrong lines in after round 0, in nothing else. A line that the
verifier refuses gives the critic no game.`),
}

var roundsPage = page{
	name:    "critic_rounds",
	title:   "Rounds: whom a critic meets",
	command: "go run ./experiments critic-rounds",
	setup: criticSetup(`With frozen opponents one of the two learns in each group of games, so twice as many are
played: the critic learns from as many in all arms.`),
}

var criticObjectivesPage = page{
	name:    "critic_objectives",
	title:   "SPC's objective off line, and policy gradient on line",
	command: "go run ./experiments critic-objectives",
	setup: criticSetup("The game is `" + partsDomain + "`. " + `Off line a round plays as many games as on line, by the
players as they were at its start, then takes as many gradient steps on as many rows: half
are rewarded answers, clipped at 0.2 against round 0, half are naive cases drawn anew to
imitate, which count by 0.15. Games learnt from are here those played, and those of round 0.`),
}

const criticSameGames = `
## The same start and the same games

The players of the first row of the table above, at the ends of its rounds, play all games
of these arms, 10,240 a round. Seed by seed all start from the same round 0 and learn from
the same games, those of the rounds so far. On line's objective is policy gradient with RAE
and the pull, its ratio to those who played, by their log-probabilities (` + "`replay`" + `). All take
as many gradient steps, of as many rows.

`

var stagesPage = page{
	name:    "critic_stages",
	title:   "Who trains when",
	command: "go run ./experiments critic-stages",
	setup: criticSetup(`Where the two take turns rounds are twice as long; values are those of the last evaluation,
every 20 updates, before the critic has learnt from more games than where both train always.
The adaptive controller lets the critic train until it wins 0.8 of the games by a running
mean, then the sneaky player until it wins 0.7, each for 5 updates at least and 20 at most.`),
}

var validityPage = page{
	name:    "critic_validity",
	title:   "Success rates against the exact verifier",
	command: "go run ./experiments critic-validity",
	setup: criticSetup(`SPC has no verifier: it takes a line for wrong where completions after the true line succeed
in half the cases or more, and after the other in at least a quarter less; here in 8
completions each by a solver that takes right lines, and any line at random where it slips.
The first two tables are of 512 games a seed, half of their solutions clean, without
training.`),
}

const criticDiffer = `## Wrong lines taken for right, right lines taken for wrong

Of wrong lines, drawn uniformly from each domain's menu, the share that success rates take
for right, mean and 95 % interval over five seeds:

`

var curriculumPage = page{
	name:    "critic_curriculum",
	title:   "Problems by the spread of their values",
	command: "go run ./experiments critic-curriculum",
	setup: criticSetup(`The spread of a problem is the best less the worst chance of the critic to judge a line of it
right, over the true line and those of the menu (eva's informativeness). Looking at
candidates is not counted as learning.`),
}

var wholePage = page{
	name:    "critic_whole",
	title:   "The first wrong step of whole solutions",
	command: "go run ./experiments critic-whole",
	setup: fmt.Sprintf("The game is `%s` with `whole=true`: "+`the critic sees all lines of a solution and says
which is the first wrong one, or that there is no error; any other step than the first wrong
one loses. Networks have one layer of 256 over all lines; in the row of shared weights a
convolution of 64 channels over the lines (`+"`policy.kind=resnet`"+` without blocks), for single
lines one layer of 128. Adam at 0.003: %d updates of %d games of round 0, then %d rounds of
%d; on line with RAE, 4 epochs an update and a pull of 0.5 to uniform play, 0.2 for single
lines.

The exam has 200 solutions with each kind of error and 200 right ones. An error is found
where its very step is named, noticed where any is; F1 is ProcessBench's, of the errors
found and the right solutions accepted. Means and 95 %% intervals (Student's t) over %d seeds.`,
		wholeDomain, criticWarmup, criticGames, criticRounds, criticUpdates, seeds),
}

var inspectionPage = page{
	name:    "critic_inspection",
	title:   "The exact game: the pull against best responses",
	command: "go run ./experiments inspection",
	setup: fmt.Sprintf(`The game is `+"`inspection`"+` (8 steps, 2 checks, half of the chains clean). 1,200 updates, of 512
games where networks learn, with Adam at 0.003 and two epochs. The distance from the
equilibrium is what the two seats gain together by best responses (NashConv), of the latest
pair and of the average of all pairs so far, exact; %d seeds.`, seeds),
}
