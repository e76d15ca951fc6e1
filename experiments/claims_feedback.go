package main

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/floats"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/objective"
	"github.com/agon-rl/agon/play"
	"github.com/agon-rl/agon/prefs/judge"
)

// feedbackClaims are those about who says what is better.
var feedbackClaims = []claim{
	embeds("gpm-cycle", "an embedding of dimension 2 fits a 3-cycle, which no reward can", "rock-paper-scissors", 3),
	embeds("gpm-rpsls", "an embedding of dimension 4 fits a cycle of five, which no reward can", "rock-paper-scissors-lizard-Spock", 5),
	embedsOrder, regretPreferences, hindsight, spoCycle, spoGrid, noisyJudges,
}

// numbered is an answer that is one action.
func numbered(i int) *judge.Answer {
	return &judge.Answer{Actions: []games.Action{games.Action(i)}}
}

// everyPair is a table's pairs, with shares of so many votes.
func everyPair(ctx context.Context, table judge.Table, votes int, seed uint64) ([]judge.Comparison, error) {
	var pairs [][2]*judge.Answer
	for i := range table {
		for j := range i {
			pairs = append(pairs, [2]*judge.Answer{numbered(i), numbered(j)})
		}
	}
	var by judge.Judge = table
	if votes > 0 {
		by = judge.Draws{Judge: table, Votes: votes, Seed: seed}
	}
	return judge.Label(ctx, by, pairs)
}

// fitted fits a reward and embeddings to labels and holds them against the truth.
func fitted(ctx context.Context, table judge.Table, seed uint64, dimensions ...int) (figures, error) {
	labels, err := everyPair(ctx, table, 50, seed)
	if err != nil {
		return nil, err
	}
	truth, err := everyPair(ctx, table, 0, 0)
	if err != nil {
		return nil, err
	}
	inputs := judge.Inputs{Answers: len(table)}
	const decay = 1e-3
	reward, err := judge.FitReward(labels, inputs, decay)
	if err != nil {
		return nil, err
	}
	out := figures{}
	if out["reward right"], out["reward loss"], err = judge.Agreement(ctx, reward, truth); err != nil {
		return nil, err
	}
	for _, d := range dimensions {
		o := judge.EmbeddingOptions{Dimension: d, Temperature: 0.1, Decay: decay, Starts: 1}
		model, err := judge.FitEmbedding(labels, inputs, o, play.Generator(seed, "claims/embedding", uint64(d)))
		if err != nil {
			return nil, err
		}
		key := fmt.Sprint(d)
		if out[key+" right"], out[key+" loss"], err = judge.Agreement(ctx, model, truth); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func embeds(id, says, game string, n int) claim {
	d := n - 1 // 2 for a cycle of three, 4 for one of five
	c := claim{
		id: id, source: "2410.02197", says: says, seeds: 20,
		setting: fmt.Sprintf("%s at 0.9; 50 votes on each of %d pairs; τ = 0.1, one start", game, n*(n-1)/2),
		run: func(ctx context.Context, seed uint64) (figures, error) {
			table, err := judge.Cycle(n, 0.9)
			if err != nil {
				return nil, err
			}
			return fitted(ctx, table, seed, 2, d)
		},
		measures: []measure{
			{key: fmt.Sprintf("%d right", d), what: fmt.Sprintf("embedding of dimension %d: share of pairs on the right side", d), expect: moreThan(0.99)},
			{key: "reward right", what: "reward: share of pairs on the right side", expect: lessThan(0.9)},
			{key: fmt.Sprintf("%d loss", d), what: "embedding: loss on the true table (its entropy is 0.325)", expect: lessThan(0.4)},
			{key: "reward loss", what: "reward: loss (that of ties is 0.693)", expect: moreThan(0.68)},
		},
	}
	if d > 2 {
		c.measures = append(c.measures, measure{key: "2 right", what: "embedding of dimension 2: share of pairs on the right side"})
	}
	return c
}

// embedsOrder is the control: what a reward can fit, an embedding can too.
var embedsOrder = claim{
	id: "gpm-order", source: "2410.02197", seeds: 20,
	says:    "where there is an order, an embedding of dimension 4 fits it too, nearly as well as a reward",
	setting: "five answers with rewards drawn from N(0, 1.5²); 50 votes on each of 10 pairs",
	run: func(ctx context.Context, seed uint64) (figures, error) {
		r := play.Generator(seed, "claims/order")
		rewards := make([]float64, 5)
		for i := range rewards {
			rewards[i] = 1.5 * r.NormFloat64()
		}
		table := make(judge.Table, len(rewards))
		for i, u := range rewards {
			for _, v := range rewards {
				table[i] = append(table[i], judge.Logistic(u, v, 1))
			}
		}
		out, err := fitted(ctx, table, seed, 2, 4)
		if err == nil {
			out["dearer"] = out["4 loss"] - out["reward loss"]
		}
		return out, err
	},
	measures: []measure{
		{key: "4 right", what: "embedding of dimension 4: share of pairs on the right side", expect: moreThan(0.9)},
		{key: "dearer", what: "loss of the embedding above the reward's", expect: between(-0.05, 0.05)},
		{key: "2 right", what: "embedding of dimension 2"},
		{key: "reward right", what: "reward"},
	},
}

// delivery is a grid in which a driver brings a parcel: a step costs 1, a coin gives half
// of it back, mud costs 1 more; the goal gives 50 and a sheep costs 50, and both end the walk.
type delivery struct {
	*judge.Process
	truth []float64
}

const deliverySide = 5

var deliveryRewards = []float64{-1, 0.5, -1, 50, -50} // step, coin, mud, goal, sheep

func newDelivery(r *rand.Rand) delivery {
	const cells = deliverySide * deliverySide
	what := make([]int, cells) // index of the reward beside the step's; 0 for a road
	places := r.Perm(cells)
	for i, at := range places[:12] {
		what[at] = []int{3, 4, 4, 1, 1, 1, 2, 2, 2, 2, 2, 2}[i]
	}
	p := &judge.Process{Discount: 0.95}
	for s := range cells {
		x, y := s%deliverySide, s/deliverySide
		p.End = append(p.End, what[s] >= 3)
		var next []int
		var features [][]float64
		for _, d := range [][2]int{{1, 0}, {-1, 0}, {0, 1}, {0, -1}} {
			at := min(max(x+d[0], 0), deliverySide-1) + deliverySide*min(max(y+d[1], 0), deliverySide-1)
			f := make([]float64, len(deliveryRewards))
			f[0] = 1
			if what[at] > 0 {
				f[what[at]] = 1
			}
			next, features = append(next, at), append(features, f)
		}
		p.Next, p.Features = append(p.Next, next), append(p.Features, features)
	}
	return delivery{p, deliveryRewards}
}

// scaled is how good the best policy of other weights is by the true ones, on average
// over starts: 1 for the best, 0 for one that walks at random.
func (d delivery) scaled(weights []float64) (float64, error) {
	best, _, err := d.Solve(d.truth)
	if err != nil {
		return 0, err
	}
	_, policy, err := d.Solve(weights)
	if err != nil {
		return 0, err
	}
	got, _ := d.Evaluate(d.truth, policy)
	random := make([]float64, len(best))
	for range 1000 { // 0.95^1000 is nothing
		for s, actions := range d.Next {
			if d.End[s] {
				continue
			}
			random[s] = 0
			for a, next := range actions {
				random[s] += (d.Reward(d.truth, s, a) + d.Discount*random[next]) / float64(len(actions))
			}
		}
	}
	var above, most float64
	for s := range best {
		above, most = above+got[s]-random[s], most+best[s]-random[s]
	}
	return above / most, nil
}

// segments draws pairs of walks of random steps; of 3 steps each, or of 1 to 5.
func (d delivery) segments(r *rand.Rand, count int, mixed bool) [][2]*judge.Answer {
	pairs := make([][2]*judge.Answer, count)
	for i := range pairs {
		for k := range 2 {
			start := r.IntN(len(d.Next))
			for d.End[start] {
				start = r.IntN(len(d.Next))
			}
			steps := 3
			if mixed {
				steps = 1 + r.IntN(5)
			}
			actions := make([]int, steps)
			for t := range actions {
				actions[t] = r.IntN(4)
			}
			pairs[i][k] = d.Walk(d.truth, start, actions)
		}
	}
	return pairs
}

// regretPreferences labels segments by regret and by partial return, and explains the
// labels by either.
var regretPreferences = claim{
	id: "regret", source: "2206.02231", seeds: 20,
	says:    "labels made by regret give the reward back to a model of regret, and not to one of partial return",
	setting: "5×5 delivery grids; 300 labels of two segments of random steps; the best policy under the fitted reward, its return by the true one scaled to 1 for the best and 0 for a random walk",
	run: func(ctx context.Context, seed uint64) (figures, error) {
		r := play.Generator(seed, "claims/delivery")
		grid := newDelivery(r)
		values, _, err := grid.Solve(grid.truth)
		if err != nil {
			return nil, err
		}
		out := figures{}
		for _, by := range []struct {
			key    string
			judge  judge.Judge
			mixed  bool
			regret bool
		}{
			{"regret", judge.Regret(values, grid.Discount, 0), false, true},
			{"partial", judge.Regret(values, grid.Discount, 0), false, false},
			{"regret, mixed", judge.Regret(values, grid.Discount, 0), true, true},
			{"partial, mixed", judge.Regret(values, grid.Discount, 0), true, false},
			{"control", judge.Draws{Judge: judge.PartialReturn(grid.Discount, 1), Votes: 1, Seed: seed}, true, false},
			{"crossed", judge.Draws{Judge: judge.PartialReturn(grid.Discount, 1), Votes: 1, Seed: seed}, true, true},
		} {
			labels, err := judge.Label(ctx, by.judge, grid.segments(play.Generator(seed, "claims/segments"), 300, by.mixed))
			if err != nil {
				return nil, err
			}
			weights, err := judge.FitProcess(grid.Process, labels, by.regret, 1e-4, 5, r)
			if err != nil {
				return nil, err
			}
			if out[by.key], err = grid.scaled(weights); err != nil {
				return nil, err
			}
			if out[by.key+" near"] = 0; out[by.key] > 0.9 {
				out[by.key+" near"] = 1
			}
		}
		out["gain"] = out["regret"] - out["partial"]
		out["gain, mixed"] = out["regret, mixed"] - out["partial, mixed"]
		return out, nil
	},
	measures: []measure{
		{key: "regret near", what: "model of regret, segments of 3 steps: share of grids above 0.9", share: true, expect: moreThan(0.8)},
		{key: "gain", what: "its scaled return above that of partial return on the same labels", expect: moreThan(0)},
		{key: "partial near", what: "model of partial return: share above 0.9", share: true},
		{key: "gain, mixed", what: "the gain where segments have 1 to 5 steps"},
		{key: "partial, mixed near", what: "model of partial return there: share above 0.9", share: true},
		{key: "control near", what: "control: labels drawn by partial return, its own model", share: true},
		{key: "crossed near", what: "control: labels drawn by partial return, model of regret", share: true},
	},
}

// customer asks whether a product has what he needs. It has or has not; the consultant
// says so, evades the question, or says that it has.
type customer struct {
	need, price float64
	serves      bool
}

const (
	outside     = 0.1 // what a customer gets who does not buy
	consultants = 3   // honest, evasive, promising
)

// told is what comes of an answer: at first what the customer hopes for, then what he
// pays and the first half of the use, then the second half.
func (c customer) told(answer int) *judge.Answer {
	belief := [consultants]float64{0, 0.5, 1}[answer]
	if answer == 0 && c.serves {
		belief = 1
	}
	if belief*c.need-c.price <= outside { // he does not buy
		return &judge.Answer{Rewards: []float64{outside / 2, outside / 2}, Hopes: []float64{outside, outside / 2, 0}}
	}
	use, hope := 0.0, belief*c.need/4 // what did not work may still come to work, he hopes
	if c.serves {
		use, hope = c.need/2, c.need/2
	}
	return &judge.Answer{Rewards: []float64{use - c.price, use}, Hopes: []float64{belief*c.need - c.price, hope, 0}}
}

// hindsight trains a consultant by DPO on judgements of before and after.
var hindsight = claim{
	id: "hindsight", source: "2501.08617", seeds: 20,
	says:    "judged by what came of an answer and not by what it promises, a consultant serves his customers better",
	setting: "50 customers, half of whom the product serves; the consultant is honest, evades or promises; 100 labels a customer at τ = 0.1; DPO, tables, β = 0.1, 300 steps",
	run: func(ctx context.Context, seed uint64) (figures, error) {
		r := play.Generator(seed, "claims/hindsight")
		customers := make([]customer, 50)
		for i := range customers {
			customers[i] = customer{need: 0.4 + 0.6*r.Float64(), price: 0.1 + 0.3*r.Float64(), serves: i%2 == 0}
		}
		dpo, err := objective.Named("dpo")
		if err != nil {
			return nil, err
		}
		out := figures{}
		for _, seen := range []struct {
			key   string
			judge judge.Judge
		}{{"none", judge.Hindsight(0, 0.1)}, {"half", judge.Hindsight(1, 0.1)}, {"all", judge.Hindsight(-1, 0.1)}} {
			for _, c := range customers {
				probs, err := advised(ctx, c, dpo, seen.judge, r)
				if err != nil {
					return nil, err
				}
				for answer, p := range probs {
					told := c.told(answer)
					n := float64(len(customers))
					out[seen.key+" shown"] += p * told.Hopes[0] / n
					out[seen.key+" true"] += p * (told.Rewards[0] + told.Rewards[1]) / n
					if answer == 2 && !c.serves {
						out[seen.key+" lies"] += p / (n / 2)
					}
				}
			}
		}
		out["gain"], out["shine"] = out["all true"]-out["none true"], out["none shown"]-out["all shown"]
		return out, nil
	},
	measures: []measure{
		{key: "gain", what: "true utility after all is seen, above that of foresight", expect: moreThan(0)},
		{key: "shine", what: "hopes raised by foresight, above those after all is seen", expect: moreThan(0)},
		{key: "none true", what: "true utility: nothing seen (foresight)"},
		{key: "half true", what: "true utility: half of the use seen"},
		{key: "all true", what: "true utility: all seen"},
		{key: "none lies", what: "share of promises that are false, to whom the product does not serve: nothing seen"},
		{key: "half lies", what: "the same: half seen"},
		{key: "all lies", what: "the same: all seen"},
	},
}

// advised learns what to tell one customer.
func advised(ctx context.Context, c customer, dpo objective.Pair, judge judge.Judge, r *rand.Rand) ([]float64, error) {
	reference := make([]float64, consultants)
	floats.AddConst(-floats.LogSumExp(reference), reference)
	pairs := make([]preference, 100)
	for i := range pairs {
		a := r.IntN(consultants)
		b := (a + 1 + r.IntN(consultants-1)) % consultants
		p, err := judge.Prefer(ctx, c.told(a), c.told(b))
		if err != nil {
			return nil, err
		}
		if r.Float64() >= p {
			a, b = b, a
		}
		pairs[i] = preference{chosen: a, rejected: b, extra: -1, weight: 1}
	}
	pairs = merged(pairs)
	l := newLister(reference, nil, 20, false)
	for range 300 {
		if err := l.learn(dpo, pairs, reference); err != nil {
			return nil, err
		}
	}
	return l.probs(), nil
}

// exploit is by how much the best answer beats a mixture: max_i Σ_j π_j·P(i ≻ j) − ½,
// 0 for a mixture that nothing beats, at most ½.
func exploit(table judge.Table, mixture []float64) float64 {
	most := math.Inf(-1)
	for _, row := range table {
		won := 0.0
		for j, p := range row {
			won += p * mixture[j]
		}
		most = math.Max(most, won)
	}
	return most - 0.5
}

// selfPlay is SPO (arXiv 2401.04056, algorithm 2): an answer's reward is the share of the
// policy's own last answers that it beats, each by one draw of the judge; the policy
// climbs by REINFORCE. policy gives the distribution of answers under parameters and the
// gradient of an answer's log-probability.
type selfPlay struct {
	table           judge.Table // the judge
	rounds, batch   int
	queue, opponent int // answers remembered; of them, compared with an answer
	rate            float64
	parameters      int
	policy          func(theta []float64) (probs []float64, score func(answer int) []float64)
}

// run returns the average of the policies and the last one.
func (s selfPlay) run(r *rand.Rand) (average, last []float64) {
	theta := make([]float64, s.parameters)
	average = make([]float64, len(s.table))
	var queue []int
	for range s.rounds {
		probs, score := s.policy(theta)
		for i, p := range probs {
			average[i] += p / float64(s.rounds)
		}
		answers, rewards, mean := make([]int, s.batch), make([]float64, s.batch), 0.0
		for i := range answers {
			answers[i] = draw(probs, r)
		}
		queue = append(queue, answers...)
		queue = queue[max(0, len(queue)-s.queue):]
		for i, a := range answers {
			for range s.opponent {
				if r.Float64() < s.table[a][queue[r.IntN(len(queue))]] {
					rewards[i] += 1 / float64(s.opponent)
				}
			}
			mean += rewards[i] / float64(s.batch)
		}
		for i, a := range answers {
			for k, g := range score(a) {
				theta[k] += s.rate * (rewards[i] - mean) * g / float64(s.batch)
			}
		}
		last = probs
	}
	return average, last
}

// softmaxPolicy has a logit an answer.
func softmaxPolicy(theta []float64) (probs []float64, score func(int) []float64) {
	probs = softmax(theta)
	return probs, func(answer int) []float64 {
		g := make([]float64, len(probs))
		for i, p := range probs {
			g[i] = -p
		}
		g[answer]++
		return g
	}
}

func softmax(x []float64) []float64 {
	most, sum := slices.Max(x), 0.0
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = math.Exp(v - most)
		sum += out[i]
	}
	for i := range out {
		out[i] /= sum
	}
	return out
}

// draw is an index by its probability.
func draw(probs []float64, r *rand.Rand) int {
	x := r.Float64()
	for i, p := range probs {
		if x -= p; x < 0 {
			return i
		}
	}
	return len(probs) - 1
}

// rewardOptimum fits a reward to as many draws of the judge, each pair as often as any
// other, and returns the policy that the reward likes best.
func rewardOptimum(table judge.Table, queries int, r *rand.Rand) ([]float64, error) {
	var labels []judge.Comparison
	each := queries / (len(table) * (len(table) - 1) / 2)
	for a := range table {
		for b := range a {
			wins := 0
			for range each {
				if r.Float64() < table[a][b] {
					wins++
				}
			}
			labels = append(labels, judge.Comparison{A: numbered(a), B: numbered(b), P: float64(wins) / float64(each)})
		}
	}
	reward, err := judge.FitReward(labels, judge.Inputs{Answers: len(table)}, 1e-4)
	if err != nil {
		return nil, err
	}
	out := make([]float64, len(table))
	out[floats.MaxIdx(reward.Weights)] = 1
	return out, nil
}

// erring is a table whose judge errs.
func erring(table judge.Table, flip float64) judge.Table {
	out := make(judge.Table, len(table))
	for i, row := range table {
		for _, p := range row {
			out[i] = append(out[i], p+flip*(1-2*p))
		}
	}
	return out
}

// loaded is rock-paper-scissors with victories of unequal certainty.
var loaded = judge.Table{{0.5, 0.1, 0.8}, {0.9, 0.5, 0.3}, {0.2, 0.7, 0.5}}

const spoQueries = 3000 * 8 * 4

func newSPO(judge judge.Table) selfPlay {
	return selfPlay{
		table: judge, rounds: 3000, batch: 8, queue: 64, opponent: 4, rate: 0.2,
		parameters: len(judge), policy: softmaxPolicy,
	}
}

var spoCycle = claim{
	id: "spo", source: "2401.04056", seeds: 20,
	says:    "under a judge whose preferences go in circles, self-play by win rate finds a mixture that nothing beats; a reward model picks an answer that another beats",
	setting: fmt.Sprintf("biased rock-paper-scissors (0.9, 0.8, 0.7); %d single judgements for each method", spoQueries),
	run: func(_ context.Context, seed uint64) (figures, error) {
		r := play.Generator(seed, "claims/spo")
		average, last := newSPO(loaded).run(r)
		best, err := rewardOptimum(loaded, spoQueries, r)
		if err != nil {
			return nil, err
		}
		late := newSPO(loaded)
		late.queue = 1000
		delayed, _ := late.run(r)
		return figures{
			"average": exploit(loaded, average), "last": exploit(loaded, last),
			"reward": exploit(loaded, best), "delayed": exploit(loaded, delayed),
		}, nil
	},
	measures: []measure{
		{key: "average", what: "SPO, average policy: by how much the best answer beats it", expect: lessThan(0.05)},
		{key: "reward", what: "best of a fitted reward: by how much", expect: moreThan(0.1)},
		{key: "last", what: "SPO, last policy"},
		{key: "delayed", what: "SPO, average policy, against the last 1,000 answers and not the last 64"},
	},
}

// spoGrid is SPO on walks: a policy of steps, judged by whole walks.
var spoGrid = claim{
	id: "spo-walks", source: "2401.04056", seeds: 20,
	says:    "the same for whole walks, of which the policy is one of single steps",
	setting: "the 6 shortest walks through a 3×3 grid, of a policy that remembers its way; cells of three colours, drawn until no walk beats all others; colours beat each other in a circle (scale 30 by shares of the walk)",
	run: func(ctx context.Context, seed uint64) (figures, error) {
		r := play.Generator(seed, "claims/spo-walks")
		table, walks, err := colouredGrid(ctx, r)
		if err != nil {
			return nil, err
		}
		s := newSPO(table)
		s.parameters, s.rate, s.policy = 5, 0.2, func(theta []float64) ([]float64, func(int) []float64) { return walkPolicy(walks, theta) }
		average, last := s.run(r)
		best, err := rewardOptimum(table, spoQueries, r)
		if err != nil {
			return nil, err
		}
		return figures{"average": exploit(table, average), "last": exploit(table, last), "reward": exploit(table, best)}, nil
	},
	measures: []measure{
		{key: "average", what: "SPO, average policy: by how much the best walk beats it", expect: lessThan(0.05)},
		{key: "reward", what: "best walk of a fitted reward: by how much another beats it", expect: moreThan(0.1)},
		{key: "last", what: "SPO, last policy"},
	},
}

// colouredGrid draws a grid and returns how its walks beat each other. A walk is a list
// of cells, 0 to 8.
func colouredGrid(ctx context.Context, r *rand.Rand) (table judge.Table, walks [][]int, err error) {
	var extend func(walk []int)
	extend = func(walk []int) {
		at := walk[len(walk)-1]
		if at == 8 {
			walks = append(walks, walk)
			return
		}
		if at%3 < 2 {
			extend(append(walk[:len(walk):len(walk)], at+1))
		}
		if at < 6 {
			extend(append(walk[:len(walk):len(walk)], at+3))
		}
	}
	extend([]int{0})
	for {
		answers := make([]*judge.Answer, len(walks))
		var colours [9]int
		for i := range colours {
			colours[i] = r.IntN(3)
		}
		for i, walk := range walks {
			answers[i] = &judge.Answer{Features: make([]float64, 3)}
			for _, cell := range walk {
				answers[i].Features[colours[cell]] += 1 / float64(len(walk))
			}
		}
		table = make(judge.Table, len(walks))
		champion := false
		for i, a := range answers {
			beats := 0
			for j, b := range answers {
				p, err := judge.Cyclic{Scale: 30}.Prefer(ctx, a, b)
				if err != nil {
					return nil, nil, err
				}
				table[i] = append(table[i], p)
				if i != j && p >= 0.5 {
					beats++
				}
			}
			champion = champion || beats == len(answers)-1
		}
		if !champion {
			return table, walks, nil
		}
	}
}

// walkPolicy goes right with probability σ(θ) where both ways are open. It remembers how
// it came there, so that any mixture of walks is within its reach.
func walkPolicy(walks [][]int, theta []float64) (probs []float64, score func(int) []float64) {
	probs = make([]float64, len(walks))
	scores := make([][]float64, len(walks))
	places := map[string]int{} // ways to places where both are open, numbered
	for i, walk := range walks {
		probs[i], scores[i] = 1, make([]float64, len(theta))
		for t, at := range walk[:len(walk)-1] {
			if at%3 == 2 || at >= 6 {
				continue
			}
			way := fmt.Sprint(walk[:t+1])
			k, known := places[way]
			if !known {
				k = len(places)
				places[way] = k
			}
			right := sigmoid(theta[k])
			if walk[t+1] == at+1 {
				probs[i] *= right
				scores[i][k] = 1 - right
			} else {
				probs[i] *= 1 - right
				scores[i][k] = -right
			}
		}
	}
	return probs, func(answer int) []float64 { return scores[answer] }
}

var noisyJudges = claim{
	id: "noise", source: "2401.04056", seeds: 20,
	says:    "judges that err at random slow self-play down and do not mislead it",
	setting: fmt.Sprintf("as `spo`, labels flipped with probability ε; beaten as the judge without noise judges; %d judgements each", spoQueries),
	run: func(_ context.Context, seed uint64) (figures, error) {
		out := figures{}
		for i, flip := range []float64{0, 0.2, 0.4} {
			average, _ := newSPO(erring(loaded, flip)).run(play.Generator(seed, "claims/noise", uint64(i)))
			out[fmt.Sprint(flip)] = exploit(loaded, average)
		}
		return out, nil
	},
	measures: []measure{
		{key: "0", what: "ε = 0: by how much the best answer beats the average policy", expect: lessThan(0.05)},
		{key: "0.2", what: "ε = 0.2", expect: lessThan(0.05)},
		{key: "0.4", what: "ε = 0.4", expect: lessThan(0.1)},
	},
}
