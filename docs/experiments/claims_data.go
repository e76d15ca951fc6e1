package main

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"

	"gonum.org/v1/gonum/mat"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/play"
	"github.com/agon-rl/agon/prefs"
	"github.com/agon-rl/agon/solve"
)

// dataClaims are those about how pairs are made and chosen.
var dataClaims = []claim{
	certainPairs, informativeStarts, temporalGap, temporalScore, judgeWithTools,
	manyInstructions, instructionsBesideATrait, fewExamples, moreIsLess,
}

// board is tic-tac-toe, solved.
var board = sync.OnceValues(func() (*solve.Perfect, error) {
	game, err := games.New("tic_tac_toe")
	if err != nil {
		return nil, err
	}
	return solve.Minimax(context.Background(), game)
})

// boardPairs draws pairs of moves of different worth in states that random games
// come to, the truly better one chosen, no two of them the same. What is learnt of
// the first states is asked of others: no state is in both parts.
func boardPairs(ctx context.Context, learn, ask int, r *rand.Rand) (learnt, asked []prefs.Pair, err error) {
	perfect, err := board()
	if err != nil {
		return nil, nil, err
	}
	game, err := games.New("tic_tac_toe")
	if err != nil {
		return nil, nil, err
	}
	part, seen := map[string]bool{}, map[string]bool{} // by state, by pair
	for len(learnt) < learn || len(asked) < ask {
		s, history := game.Start(), []int32{}
		for range r.IntN(7) {
			if s.Turn() < 0 {
				break
			}
			actions := s.Actions(nil)
			a := actions[r.IntN(len(actions))]
			if err := s.Apply(a); err != nil {
				return nil, nil, err
			}
			history = append(history, int32(a))
		}
		seat := s.Turn()
		if seat < 0 {
			continue
		}
		actions := s.Actions(nil)
		p := prefs.Pair{Game: "tic_tac_toe", History: history, Key: games.Key(s, seat), Seat: int32(seat), Source: "minimax"}
		p.Prompt = p.Key
		var answers [2]prefs.Answer
		for i := range answers {
			a := actions[r.IntN(len(actions))]
			next := s.Clone()
			if err := next.Apply(a); err != nil {
				return nil, nil, err
			}
			q, err := perfect.Value(ctx, next)
			if err != nil {
				return nil, nil, err
			}
			if seat != 0 {
				q = -q
			}
			answers[i] = prefs.Answer{Text: games.Say(s, a), Action: int32(a), Q: q, Source: "minimax"}
		}
		position := string(s.(games.Positioned).AppendPosition(nil))
		key := fmt.Sprint(position, answers[0].Action, answers[1].Action)
		if answers[0].Q <= answers[1].Q || seen[key] {
			continue
		}
		seen[key] = true
		mine, known := part[position]
		if !known {
			mine = r.IntN(learn+ask) < learn
			part[position] = mine
		}
		switch p = p.With(answers[0], answers[1]); {
		case mine && len(learnt) < learn:
			learnt = append(learnt, p)
		case !mine && len(asked) < ask:
			asked = append(asked, p)
		}
	}
	return learnt, asked, nil
}

// turnedRound turns a share of the labels round.
func turnedRound(pairs []prefs.Pair, share float64, r *rand.Rand) []prefs.Pair {
	out := slices.Clone(pairs)
	for i := range out {
		if r.Float64() < share {
			out[i] = out[i].Swapped()
		}
	}
	return out
}

// wrongShare is the share of labels that contradict the true values.
func wrongShare(pairs []prefs.Pair) float64 {
	wrong := 0.0
	for _, p := range pairs {
		if p.Gap() < 0 {
			wrong++
		}
	}
	return wrong / float64(max(1, len(pairs)))
}

// examplesOf tells pairs by features; smooth takes 1 − doubt as the target.
func examplesOf(pairs []prefs.Pair, features prefs.Features, smooth bool) ([]prefs.Example, error) {
	out := make([]prefs.Example, len(pairs))
	for i, p := range pairs {
		chosen, rejected, err := features(p)
		if err != nil {
			return nil, err
		}
		out[i] = prefs.Example{Chosen: chosen, Rejected: rejected, Target: 1}
		if smooth {
			out[i].Target = 1 - p.Doubt
		}
	}
	return out, nil
}

// learner fits a preference model.
func learner(examples []prefs.Example, hidden int, r *rand.Rand) (*prefs.Estimator, error) {
	e := prefs.NewEstimator()
	e.Hidden = hidden
	return e, e.Fit(examples, r)
}

// accuracyOn is the share of examples that a model has right.
func accuracyOn(e *prefs.Estimator, examples []prefs.Example) float64 {
	right := 0.0
	for _, x := range examples {
		switch p := e.Probability(x.Chosen, x.Rejected); {
		case p > 0.5:
			right++
		case p == 0.5:
			right += 0.5
		}
	}
	return right / float64(len(examples))
}

// certainPairs is UPO's choice of pairs where three labels in ten are wrong.
var certainPairs = claim{
	id: "upo-certain", source: "2409.11212",
	says:    "of noisy pairs, those that an estimator with dropout is certain of teach more than as many drawn evenly",
	setting: "tic-tac-toe, 1,200 pairs of moves, 30 % of labels wrong; half are kept; a network learns from them and is asked for 1,000 pairs of other states",
	seeds:   20,
	more:    "To keep half of the labels is to throw half away: so all pairs are learnt from as well, wrong labels included. The estimator has no other labels than these; each pair is judged by one that has not seen its state.",
	run: func(ctx context.Context, seed uint64) (figures, error) {
		r := play.Generator(seed, "claims/upo")
		clean, test, err := boardPairs(ctx, 1200, 1000, r)
		if err != nil {
			return nil, err
		}
		pairs := turnedRound(clean, 0.3, r)
		features := prefs.StateFeatures()
		asked, err := examplesOf(test, features, false)
		if err != nil {
			return nil, err
		}
		out := figures{}
		learn := func(name string, pairs []prefs.Pair, smooth bool) error {
			examples, err := examplesOf(pairs, features, smooth)
			if err != nil {
				return err
			}
			// The same draws for all, so that only the pairs differ.
			e, err := learner(examples, 32, play.Generator(seed, "claims/upo/learner"))
			if err != nil {
				return err
			}
			out[name], out["wrong "+name] = accuracyOn(e, asked), wrongShare(pairs)
			return nil
		}
		certain := prefs.NewCertain()
		gain, err := certain.Select(ctx, pairs, play.Generator(seed, "claims/upo/certain"))
		if err != nil {
			return nil, err
		}
		certain.By = "doubt"
		doubt, err := certain.Select(ctx, pairs, play.Generator(seed, "claims/upo/certain"))
		if err != nil {
			return nil, err
		}
		even, err := prefs.Random{Share: float64(len(gain)) / float64(len(pairs))}.Select(ctx, pairs, r)
		if err != nil {
			return nil, err
		}
		for _, arm := range []struct {
			name   string
			pairs  []prefs.Pair
			smooth bool
		}{{"gain", gain, false}, {"doubt", doubt, false}, {"smooth", gain, true}, {"even", even, false}, {"all", pairs, false}, {"clean", clean[:len(gain)], false}} {
			if err := learn(arm.name, arm.pairs, arm.smooth); err != nil {
				return nil, err
			}
		}
		out["fewer"] = out["wrong even"] - out["wrong gain"]
		out["better"], out["better than all"] = out["gain"]-out["even"], out["gain"]-out["all"]
		out["better smooth"] = out["smooth"] - out["gain"]
		out["kept"] = float64(len(gain))
		return out, nil
	},
	measures: []measure{
		{key: "fewer", what: "share of wrong labels, drawn evenly less certain", expect: moreThan(0)},
		{key: "better", what: "accuracy, certain less drawn evenly", expect: moreThan(0)},
		{key: "kept", what: "pairs kept"},
		{key: "wrong all", what: "wrong labels among all"},
		{key: "wrong even", what: "wrong labels among those drawn evenly"},
		{key: "wrong gain", what: "wrong labels among the certain by information gain"},
		{key: "wrong doubt", what: "wrong labels among the certain by doubt"},
		{key: "even", what: "accuracy, drawn evenly"},
		{key: "gain", what: "accuracy, certain by information gain"},
		{key: "doubt", what: "accuracy, certain by doubt"},
		{key: "better smooth", what: "accuracy gained by smoothing labels by their doubt"},
		{key: "all", what: "accuracy, all pairs: twice as many labels"},
		{key: "better than all", what: "accuracy, certain less all pairs"},
		{key: "clean", what: "accuracy, as many pairs without a wrong label"},
	},
}

// maze is a grid of rooms with one goal. A walk takes moves of four directions; a
// wall or the border leaves it where it is.
type maze struct {
	cells  [][2]int
	next   [][4]int // by cell and move
	goal   int
	within int // moves
}

var rooms = []string{
	"....#....",
	"....#....",
	".........",
	"....#....",
	"##.###.##",
	"....#....",
	".........",
	"....#....",
	"....#...*",
}

func newMaze() *maze {
	m := &maze{within: 24}
	index := map[[2]int]int{}
	for y, row := range rooms {
		for x, c := range row {
			if c == '#' {
				continue
			}
			if c == '*' {
				m.goal = len(m.cells)
			}
			index[[2]int{y, x}] = len(m.cells)
			m.cells = append(m.cells, [2]int{y, x})
		}
	}
	for i, c := range m.cells {
		var next [4]int
		for a, d := range [][2]int{{-1, 0}, {1, 0}, {0, -1}, {0, 1}} {
			next[a] = i
			if j, ok := index[[2]int{c[0] + d[0], c[1] + d[1]}]; ok {
				next[a] = j
			}
		}
		m.next = append(m.next, next)
	}
	return m
}

// solved is the share of starts from which a policy comes to the goal in time,
// exactly.
func (m *maze) solved(policy [][4]float64) float64 {
	reach := make([]float64, len(m.cells))
	reach[m.goal] = 1
	for range m.within {
		before := slices.Clone(reach)
		for i := range m.cells {
			if i == m.goal {
				continue
			}
			reach[i] = 0
			for a, p := range policy[i] {
				reach[i] += p * before[m.next[i][a]]
			}
		}
	}
	sum := 0.0
	for _, p := range reach {
		sum += p
	}
	return sum / float64(len(reach))
}

func softmax4(logits [4]float64) (out [4]float64) {
	most, sum := slices.Max(logits[:]), 0.0
	for a, x := range logits {
		out[a] = math.Exp(x - most)
		sum += out[a]
	}
	for a := range out {
		out[a] /= sum
	}
	return out
}

// solve trains a table by REINFORCE, with the mean of the walks of one start as
// the baseline, until 95 % of starts are solved, and returns the walks it took.
func (m *maze) solve(c *prefs.Curriculum, budget int, r *rand.Rand) float64 {
	const walks, rate = 8, 1.0
	logits, policy := make([][4]float64, len(m.cells)), make([][4]float64, len(m.cells))
	for i := range policy {
		policy[i] = softmax4(logits[i])
	}
	for done := walks; done <= budget; done += walks {
		start := c.Draw(r)
		var steps [walks][][2]int
		returns := make([]float64, walks)
		for w := range walks {
			at := start
			for t := 0; t < m.within && at != m.goal; t++ {
				x, a := r.Float64(), 0
				for ; a < 3 && x >= policy[at][a]; a++ {
					x -= policy[at][a]
				}
				steps[w] = append(steps[w], [2]int{at, a})
				at = m.next[at][a]
			}
			if at == m.goal {
				returns[w] = 1
			}
		}
		c.Observe(start, returns)
		mean := 0.0
		for _, x := range returns {
			mean += x / walks
		}
		for w, walk := range steps {
			if returns[w] == mean {
				continue
			}
			for _, s := range walk {
				for a, p := range policy[s[0]] {
					logits[s[0]][a] -= rate * (returns[w] - mean) / walks * p
				}
				logits[s[0]][s[1]] += rate * (returns[w] - mean) / walks
			}
		}
		for _, walk := range steps {
			for _, s := range walk {
				policy[s[0]] = softmax4(logits[s[0]])
			}
		}
		if done%(walks*10) == 0 && m.solved(policy) >= 0.95 {
			return float64(done)
		}
	}
	return float64(budget)
}

// informativeStarts is eva's choice of where to start.
var informativeStarts = claim{
	id: "eva-starts", source: "2411.00062",
	more:    "Every walk counts, those too by which the gap of a start was seen.",
	says:    "starts drawn by the gap between the best and the worst of one's own returns are learnt from faster than starts drawn evenly",
	setting: "four rooms of 9 by 9 cells, a table learns by REINFORCE from 8 walks a start; walks until 95 % of all starts come to the goal, every cell a start",
	seeds:   20,
	run: func(_ context.Context, seed uint64) (figures, error) {
		m := newMaze()
		out := figures{}
		for name, mix := range map[string]float64{"even": 1, "regret": prefs.DefaultMix, "pure": 0} {
			c, err := prefs.NewCurriculum(len(m.cells), mix)
			if err != nil {
				return nil, err
			}
			const budget = 400000
			walks := m.solve(c, budget, play.Generator(seed, "claims/eva"))
			out[name] = walks
			out["solved "+name] = 1
			if walks >= budget {
				out["solved "+name] = 0
			}
		}
		out["ratio"], out["ratio pure"] = out["regret"]/out["even"], out["pure"]/out["even"]
		return out, nil
	},
	measures: []measure{
		{key: "ratio", what: "walks, by gap over evenly", expect: lessThan(1)},
		{key: "even", what: "walks, starts drawn evenly"},
		{key: "regret", what: "walks, by gap, a fifth evenly"},
		{key: "ratio pure", what: "walks, by gap alone over evenly"},
		{key: "solved even", what: "solved within 400,000 walks, evenly", share: true},
		{key: "solved regret", what: "solved, by gap", share: true},
		{key: "solved pure", what: "solved, by gap alone", share: true},
	},
}

// writers are policies of log-linear form over a few answers to each prompt, whose
// true scores are known.
type writers struct {
	features [][][]float64 // by prompt, answer and feature
	score    [][]float64
}

func newWriters(prompts, answers, d int, r *rand.Rand) *writers {
	const unseen = 0.3 // what of a score no feature tells
	truth := make([]float64, d)
	for k := range truth {
		truth[k] = r.NormFloat64() / math.Sqrt(float64(d))
	}
	w := &writers{}
	for range prompts {
		var rows [][]float64
		var scores []float64
		for range answers {
			row, score := make([]float64, d), unseen*r.NormFloat64()
			for k := range row {
				row[k] = r.NormFloat64()
				score += truth[k] * row[k]
			}
			rows, scores = append(rows, row), append(scores, score)
		}
		w.features, w.score = append(w.features, rows), append(w.score, scores)
	}
	return w
}

func (w *writers) policy(theta []float64, prompt int) []float64 {
	out := make([]float64, len(w.score[prompt]))
	most, sum := math.Inf(-1), 0.0
	for y, row := range w.features[prompt] {
		for k, x := range row {
			out[y] += theta[k] * x
		}
		most = max(most, out[y])
	}
	for y := range out {
		out[y] = math.Exp(out[y] - most)
		sum += out[y]
	}
	for y := range out {
		out[y] /= sum
	}
	return out
}

// mean is the policy's true score.
func (w *writers) mean(theta []float64) float64 {
	sum := 0.0
	for x := range w.score {
		for y, p := range w.policy(theta, x) {
			sum += p * w.score[x][y]
		}
	}
	return sum / float64(len(w.score))
}

// ownSamples is how many answers a prompt a policy writes.
const ownSamples = 4

// judgeNoise is the deviation of a judge's scores from the true ones.
const judgeNoise = 0.3

// sampled are pairs of the best and the worst answer of each prompt, as judged, among
// those that a policy writes.
func (w *writers) sampled(theta []float64, source string, r *rand.Rand) []prefs.Pair {
	var out []prefs.Pair
	for x := range w.score {
		p := w.policy(theta, x)
		g := prefs.Group{State: prefs.Pair{Prompt: fmt.Sprint(x)}}
		for range ownSamples {
			u, y := r.Float64(), 0
			for ; y < len(p)-1 && u >= p[y]; y++ {
				u -= p[y]
			}
			g.Answers = append(g.Answers, prefs.Answer{Text: fmt.Sprint(y), Action: int32(y), Q: w.score[x][y] + judgeNoise*r.NormFloat64(), Source: source})
		}
		_, best, worst := g.Gap()
		out = append(out, g.State.With(best, worst)) // both, though they may be as good: they are candidates
	}
	return out
}

// dpo takes steps of DPO from theta, which is also the reference, and returns the
// first gradient's norm per pair.
func (w *writers) dpo(theta []float64, pairs []prefs.Pair, steps int, beta, rate float64) (next []float64, norm float64) {
	next = slices.Clone(theta)
	difference := make([][]float64, len(pairs))
	var x int
	for i, p := range pairs {
		_, _ = fmt.Sscan(p.Prompt, &x)
		difference[i] = make([]float64, len(theta))
		for k := range theta {
			difference[i][k] = w.features[x][p.ChosenAction][k] - w.features[x][p.RejectedAction][k]
		}
	}
	for step := range steps {
		gradient := make([]float64, len(theta))
		for _, d := range difference {
			margin := 0.0 // log-ratio's difference: the partition function cancels
			for k := range d {
				margin += (next[k] - theta[k]) * d[k]
			}
			for k := range d {
				gradient[k] -= beta * (1 - sigmoid(beta*margin)) * d[k] / float64(len(w.score))
			}
		}
		square := 0.0
		for k, g := range gradient {
			next[k] -= rate * g
			square += g * g
		}
		if step == 0 {
			norm = math.Sqrt(square)
		}
	}
	return next, norm
}

const temporalSetting = "log-linear policies, 100 prompts of 30 answers, 4 samples each judged with noise, DPO with the last policy as reference; 12 rounds, or 24 of plain self-rewarding, which costs as many trainings"

// temporalGap is what Temporal Self-Rewarding is for.
var temporalGap = claim{
	id: "temporal-gap", source: "2508.06026",
	says:    "with rejected answers of the first model and chosen ones of the model ahead, the gap between the two, and with it the gradient, stays up where it fades in plain self-rewarding",
	setting: temporalSetting, seeds: 20, run: pastAndFuture,
	measures: []measure{
		{key: "gap", what: "temporal: score gap of round 12 over the first", expect: moreThan(0.9)},
		{key: "plain gap", what: "plain: score gap of round 12 over the first", expect: lessThan(0.5)},
		{key: "norm", what: "temporal: gradient of round 12 over the first", expect: moreThan(0.9)},
		{key: "plain norm", what: "plain: gradient of round 12 over the first", expect: lessThan(0.5)},
	},
}

// temporalScore is what comes of it.
var temporalScore = claim{
	id: "temporal-score", source: "2508.06026",
	says:    "and the policy gets better than by plain self-rewarding at the same cost",
	setting: temporalSetting, seeds: 20, run: pastAndFuture,
	more: "A gradient that fades can be made up for by a larger step. So plain self-rewarding is also tried with larger ones, and its best is picked in hindsight, for each seed.",
	measures: []measure{
		{key: "better", what: "true score, temporal less plain at the same step", expect: moreThan(0)},
		{key: "better than best", what: "true score, temporal less plain at the best of 1, 2, 4 and 8 times the step", expect: moreThan(0)},
		{key: "better equal rounds", what: "true score, temporal less plain at as many rounds, half the trainings"},
		{key: "temporal", what: "true score, temporal"},
		{key: "plain", what: "true score, plain at the same step"},
		{key: "plain best", what: "true score, plain at its best step"},
		{key: "best", what: "true score of the best answers"},
	},
}

// pastAndFuture trains a policy by both kinds of pairs.
func pastAndFuture(ctx context.Context, seed uint64) (figures, error) {
	const rounds, steps, beta, rate = 12, 20, 0.5, 0.4
	out := figures{}
	w := newWriters(100, 30, 10, play.Generator(seed, "claims/temporal"))
	start := make([]float64, 10)
	gapOf := func(pairs []prefs.Pair) float64 {
		sum := 0.0
		for _, p := range pairs {
			var x int
			_, _ = fmt.Sscan(p.Prompt, &x)
			sum += w.score[x][p.ChosenAction] - w.score[x][p.RejectedAction]
		}
		return sum / float64(len(pairs))
	}
	// Plain self-rewarding: both of the present policy. Its gradient fades, which a
	// larger step makes up for: so it is also tried with those.
	out["plain best"] = math.Inf(-1)
	for _, faster := range []float64{1, 2, 4, 8} {
		r := play.Generator(seed, "claims/temporal/plain", uint64(faster))
		theta := start
		for round := range 2 * rounds {
			pairs, err := prefs.BestWorst{}.Select(ctx, w.sampled(theta, "now", r), r)
			if err != nil {
				return nil, err
			}
			var norm float64
			gap := gapOf(pairs)
			theta, norm = w.dpo(theta, pairs, steps, beta, faster*rate)
			switch {
			case faster > 1:
			case round == 0:
				out["plain gap first"], out["plain norm first"] = gap, norm
			case round == rounds-1:
				out["plain gap"], out["plain norm"], out["plain equal rounds"] = gap/out["plain gap first"], norm/out["plain norm first"], w.mean(theta)
			}
		}
		if faster == 1 {
			out["plain"] = w.mean(theta)
		}
		out["plain best"] = max(out["plain best"], w.mean(theta))
	}
	// Temporal: a model ahead is trained on anchored pairs, then the pairs are made.
	r := play.Generator(seed, "claims/temporal/temporal")
	theta := start
	for round := range rounds {
		past, now := w.sampled(start, "past", r), w.sampled(theta, "now", r)
		anchored, err := prefs.Temporal{Past: "past", Future: "now"}.Select(ctx, slices.Concat(past, now), r)
		if err != nil {
			return nil, err
		}
		ahead, _ := w.dpo(theta, anchored, steps, beta, rate)
		pairs, err := prefs.Temporal{Past: "past", Future: "ahead"}.Select(ctx, slices.Concat(past, now, w.sampled(ahead, "ahead", r)), r)
		if err != nil {
			return nil, err
		}
		var norm float64
		gap := gapOf(pairs)
		theta, norm = w.dpo(theta, pairs, steps, beta, rate)
		switch round {
		case 0:
			out["gap first"], out["norm first"] = gap, norm
		case rounds - 1:
			out["gap"], out["norm"] = gap/out["gap first"], norm/out["norm first"]
		}
	}
	out["temporal"] = w.mean(theta)
	best := 0.0
	for _, scores := range w.score {
		best += slices.Max(scores) / float64(len(w.score))
	}
	out["best"] = best
	out["better"], out["better equal rounds"] = out["temporal"]-out["plain"], out["temporal"]-out["plain equal rounds"]
	out["better than best"] = out["temporal"] - out["plain best"]
	return out, nil
}

// judgeWithTools is Anyprefer's judge.
var judgeWithTools = claim{
	id: "anyprefer-tools", source: "2504.19276",
	says:    "a judge that has an exact tool labels better than one that shares the policy's weights, and its labels teach the policy more",
	setting: "tic-tac-toe; the policy is a network that has learnt from 200 pairs; 1,000 further pairs are labelled by its own probabilities, or by a solver of so many moves ahead first; it learns from both and is asked for 1,000 pairs of other states",
	seeds:   20,
	run: func(ctx context.Context, seed uint64) (figures, error) {
		r := play.Generator(seed, "claims/tools")
		pairs, test, err := boardPairs(ctx, 1200, 1000, r)
		if err != nil {
			return nil, err
		}
		known, fresh := pairs[:200], slices.Clone(pairs[200:])
		features := prefs.StateFeatures()
		seeds, err := examplesOf(known, features, false)
		if err != nil {
			return nil, err
		}
		asked, err := examplesOf(test, features, false)
		if err != nil {
			return nil, err
		}
		policy, err := learner(seeds, 32, play.Generator(seed, "claims/tools/policy"))
		if err != nil {
			return nil, err
		}
		for i, p := range fresh { // what it finds how likely, up to what all moves of the state share
			chosen, rejected, err := features(p)
			if err != nil {
				return nil, err
			}
			odds := policy.Probability(chosen, rejected)
			fresh[i].ChosenPrior, fresh[i].RejectedPrior = math.Log(odds), math.Log1p(-odds)
		}
		fresh = turnedRound(fresh, 0.5, r) // so that the old label tells nothing
		out := figures{"policy": accuracyOn(policy, asked)}
		for name, judge := range map[string]prefs.Judge{
			"own": prefs.Own{}, "one": prefs.Panel{&prefs.Solver{Depth: 1}, prefs.Own{}}, "three": prefs.Panel{&prefs.Solver{Depth: 3}, prefs.Own{}},
		} {
			labelled, err := prefs.Relabel{Judge: judge}.Select(ctx, fresh, r)
			if err != nil {
				return nil, err
			}
			out[name] = 1 - wrongShare(labelled)
			examples, err := examplesOf(labelled, features, false)
			if err != nil {
				return nil, err
			}
			taught, err := learner(append(slices.Clone(seeds), examples...), 32, play.Generator(seed, "claims/tools/policy"))
			if err != nil {
				return nil, err
			}
			out["taught "+name] = accuracyOn(taught, asked)
		}
		out["better"], out["taught better"] = out["one"]-out["own"], out["taught one"]-out["taught own"]
		out["taught by own"] = out["taught own"] - out["policy"]
		return out, nil
	},
	measures: []measure{
		{key: "better", what: "label accuracy, solver of one move ahead less own weights", expect: moreThan(0)},
		{key: "taught better", what: "policy's accuracy after it, solver of one move less own weights", expect: moreThan(0)},
		{key: "own", what: "label accuracy, own weights"},
		{key: "one", what: "label accuracy, solver of one move ahead, then own weights"},
		{key: "three", what: "label accuracy, solver of three moves ahead, then own weights"},
		{key: "policy", what: "policy's accuracy before"},
		{key: "taught by own", what: "what own labels add to it"},
		{key: "taught one", what: "policy's accuracy after labels of the solver of one move"},
		{key: "taught three", what: "policy's accuracy after labels of the solver of three moves"},
	},
}

// wishes is a world of instructions: an answer is a word of eight letters y or n,
// an instruction wants one of them to be one or the other.
const wishes = 8

func wishList() []prefs.Instruction {
	var out []prefs.Instruction
	for i := range wishes {
		out = append(out, prefs.Instruction{
			Holds: func(a prefs.Answer) bool { return a.Text[i] == 'y' },
			Ask: func(holds bool) string {
				if holds {
					return fmt.Sprint(i, "=y")
				}
				return fmt.Sprint(i, "=n")
			},
		})
	}
	return out
}

// wished tells a prompt of wishes and an answer by numbers: which wishes there are,
// and the answer's letters.
func wished(prompt, answer string) []float64 {
	x := make([]float64, 3*wishes+1)
	for _, line := range strings.Fields(prompt) {
		i := int(line[0] - '0')
		if line[2] == 'y' {
			x[i] = 1
		} else {
			x[wishes+i] = 1
		}
	}
	for i, c := range answer {
		x[2*wishes+i] = 1
		if c == 'n' {
			x[2*wishes+i] = -1
		}
	}
	return x
}

// wishPairs are pairs of prompts of k wishes, of which the chosen answer meets all
// and the rejected one does not. The last letter is a trait that nobody wishes for:
// chosen answers have it with the probability given, rejected ones with the rest.
func wishPairs(n, k int, trait float64, r *rand.Rand) ([]prefs.Pair, error) {
	word := func(trait float64) string {
		var b strings.Builder
		for range wishes {
			b.WriteByte("yn"[r.IntN(2)])
		}
		if r.Float64() < trait {
			return b.String() + "y"
		}
		return b.String() + "n"
	}
	var out []prefs.Pair
	for len(out) < n {
		some, err := prefs.Instruct([]prefs.Pair{{Chosen: word(trait), Rejected: word(1 - trait)}}, wishList(), k, r)
		if err != nil {
			return nil, err
		}
		out = append(out, some...)
	}
	return out, nil
}

// instructed learns from pairs, and from what MAPL makes of them, and asks for answers to several
// instructions, without the trait telling anything.
func instructed(n int, trait float64) func(context.Context, uint64) (figures, error) {
	return func(_ context.Context, seed uint64) (figures, error) {
		r := play.Generator(seed, "claims/mapl")
		out := figures{}
		plain, err := wishPairs(n, 1, trait, r)
		if err != nil {
			return nil, err
		}
		bare := slices.Clone(plain) // what MAPL makes of the same answers
		for i := range bare {
			bare[i].Prompt = ""
		}
		further, err := wishPairs(2*n, 1, trait, play.Generator(seed, "claims/mapl/further"))
		if err != nil {
			return nil, err
		}
		two, err := prefs.Instruct(bare, wishList(), 2, r)
		if err != nil {
			return nil, err
		}
		turned, err := prefs.InstructIntra(bare, wishList(), 2, r)
		if err != nil {
			return nil, err
		}
		of := func(pairs []prefs.Pair) (out []prefs.Example) {
			for _, p := range pairs {
				out = append(out, prefs.Example{Chosen: wished(p.Prompt, p.Chosen), Rejected: wished(p.Prompt, p.Rejected), Target: 1})
			}
			return out
		}
		var intra []prefs.Example
		for _, p := range turned {
			intra = append(intra, prefs.Example{Chosen: wished(p.ChosenPrompt, p.Completion), Rejected: wished(p.RejectedPrompt, p.Completion), Target: 1})
		}
		base, inter := of(plain), of(two)
		for name, examples := range map[string][]prefs.Example{
			"plain": slices.Concat(base, base, base), // as many steps for all
			"intra": slices.Concat(base, intra, intra),
			"inter": slices.Concat(base, inter, inter),
			"both":  slices.Concat(base, intra, inter),
			"fresh": slices.Concat(base, of(further)),
		} {
			e, err := learner(examples, 64, play.Generator(seed, "claims/mapl/learner"))
			if err != nil {
				return nil, err
			}
			for _, k := range []int{1, 3, 5} {
				test, err := wishPairs(1000, k, 0.5, play.Generator(seed, "claims/mapl/test", uint64(k)))
				if err != nil {
					return nil, err
				}
				out[fmt.Sprint(name, k)] = accuracyOn(e, of(test))
			}
		}
		out["better3"], out["better5"] = out["both3"]-out["plain3"], out["both5"]-out["plain5"]
		return out, nil
	}
}

const instructionsSay = "pairs of prompts for one answer, and pairs of several instructions, made of given pairs, teach to meet instructions together better than the given pairs alone"

var instructedMeasures = []measure{
	{key: "better3", what: "accuracy on three, with both kinds less plain pairs alone", expect: moreThan(0)},
	{key: "better5", what: "accuracy on five, the same", expect: moreThan(0)},
	{key: "plain3", what: "accuracy on three, plain pairs"},
	{key: "intra3", what: "accuracy on three, with intra"},
	{key: "inter3", what: "accuracy on three, with inter"},
	{key: "both3", what: "accuracy on three, with both"},
	{key: "fresh3", what: "accuracy on three, three times as many plain pairs instead"},
	{key: "plain5", what: "accuracy on five, plain pairs"},
	{key: "both5", what: "accuracy on five, with both"},
	{key: "fresh5", what: "accuracy on five, three times as many plain pairs instead"},
	{key: "plain1", what: "accuracy on one, plain pairs"},
	{key: "both1", what: "accuracy on one, with both"},
}

// manyInstructions is MAPL's two kinds of pairs where plain pairs tell all.
var manyInstructions = claim{
	id: "mapl-goals", source: "2505.12845", says: instructionsSay,
	setting: "answers of nine letters, instructions on one of eight of them; a network learns from 240 pairs of one instruction, and in as many steps from what is made of them, and is asked which answer meets three, or five, instructions at once",
	seeds:   20, run: instructed(240, 0.5), measures: instructedMeasures,
	more: "The score that the network has to learn is a sum over instructions, and nothing but the instruction sets the chosen answer apart.",
}

// instructionsBesideATrait is the same where plain pairs can be told without a look
// at the prompt.
var instructionsBesideATrait = claim{
	id: "mapl-trait", source: "2505.12845", says: instructionsSay + ", where chosen answers share a trait that has nothing to do with what was asked",
	setting: "the same, but in the pairs learnt from 95 % of chosen answers have a ninth letter that 95 % of the rejected ones lack; when asked it is a coin's toss",
	seeds:   20, run: instructed(240, 0.95), measures: instructedMeasures,
	more: "A pair of prompts for one answer cannot be told by the answer.",
}

// user is someone's taste.
type user struct{ taste []float64 }

const tastes, tasteScale = 4, 2.0

func newUser(r *rand.Rand) user {
	u := user{make([]float64, tastes)}
	for k := range u.taste {
		u.taste[k] = r.NormFloat64() * tasteScale
	}
	return u
}

// seen is a labelled pair of a user: the chosen answer's features less the rejected's.
func (u user) seen(r *rand.Rand) []float64 {
	d := make([]float64, tastes)
	for k := range d {
		d[k] = r.NormFloat64()
	}
	if r.Float64() >= sigmoid(inner(u.taste, d)) {
		for k := range d {
			d[k] = -d[k]
		}
	}
	return d
}

func inner(a, b []float64) float64 {
	sum := 0.0
	for i := range a {
		sum += a[i] * b[i]
	}
	return sum
}

// asked is a query behind what was seen of its user: the same distance from the
// middle, the chosen answer on one side and the rejected one on the other.
func asked(context [][]float64, query []float64) prefs.Example {
	other := make([]float64, len(query))
	for k, x := range query {
		other[k] = -x
	}
	return prefs.Example{Chosen: inContext(context, query), Rejected: inContext(context, other), Target: 1}
}

// attending fits a score that is linear in what attention sees.
func attending(examples []prefs.Example, r *rand.Rand) (*prefs.Estimator, error) {
	e := prefs.NewEstimator()
	e.Hidden, e.Dropout, e.Rate, e.Batch = 0, 0, 0.003, 128
	return e, e.Fit(examples, r)
}

// firstLayer leaves out what later layers see.
func firstLayer(examples []prefs.Example) []prefs.Example {
	out := slices.Clone(examples)
	for i, x := range out {
		out[i].Chosen, out[i].Rejected = x.Chosen[:tastes*tastes], x.Rejected[:tastes*tastes]
	}
	return out
}

// inContext tells an answer x by what was seen of its user, d_1 … d_k, as layers of
// linear attention see it: the products of x with Σd, with GΣd and with G²Σd, each
// brought to length 1, where G = Σddᵀ/k. A score linear in them can be that of steps of regression on what was
// seen (von Oswald et al. 2022, arXiv 2212.07677).
func inContext(context [][]float64, x []float64) []float64 {
	const layers = 3
	k := float64(len(context))
	sum := make([]float64, tastes)
	for _, d := range context {
		for i := range d {
			sum[i] += d[i] / math.Sqrt(k)
		}
	}
	var out []float64
	for range layers {
		size := math.Sqrt(inner(sum, sum)) // a norm for each layer
		for _, s := range sum {
			for _, value := range x {
				out = append(out, s*value/size)
			}
		}
		next := make([]float64, tastes)
		for _, d := range context {
			along := inner(d, sum) / k
			for i := range d {
				next[i] += along * d[i]
			}
		}
		sum = next
	}
	return out
}

// fewExamples is FSPO: a model that learns to learn a user's taste.
var fewExamples = claim{
	id: "fspo-users", source: "2502.19312",
	says:    "a model trained behind examples of users comes to know a new user the better the more of his examples it is shown, and comes near to Bayes",
	setting: "users with a taste drawn from N(0, 4·I) in four dimensions, labels by Bradley and Terry; three layers of linear attention learn from 8,000 users; 2,000 new ones are asked once each",
	seeds:   10,
	run: func(_ context.Context, seed uint64) (figures, error) {
		r := play.Generator(seed, "claims/fspo")
		out := figures{}
		for _, k := range []int{1, 4, 16, 64} {
			var examples []prefs.Example
			for range 8000 {
				u := newUser(r)
				examples = append(examples, asked(u.many(k, r), u.seen(r)))
			}
			model, err := attending(examples, r)
			if err != nil {
				return nil, err
			}
			one, err := attending(firstLayer(examples), r)
			if err != nil {
				return nil, err
			}
			var test, strange []prefs.Example
			bayes := 0.0
			const users = 2000
			for range users {
				u := newUser(r)
				context, query := u.many(k, r), u.seen(r)
				test, strange = append(test, asked(context, query)), append(strange, asked(newUser(r).many(k, r), query))
				if predictive(context, query, r) > 0.5 {
					bayes++
				}
			}
			name := fmt.Sprint(k)
			out["shown "+name], out["bayes "+name], out["strange "+name] = accuracyOn(model, test), bayes/users, accuracyOn(model, strange)
			out["short of one "+name] = bayes/users - accuracyOn(one, firstLayer(test))
			out["short "+name] = bayes/users - out["shown "+name]
		}
		out["grows"] = out["shown 16"] - out["shown 1"]
		return out, nil
	},
	measures: []measure{
		{key: "grows", what: "accuracy, 16 examples less 1", expect: moreThan(0.05)},
		{key: "short 16", what: "Bayes' accuracy less the model's, 16 examples", expect: lessThan(0.02)},
		{key: "short 64", what: "Bayes' accuracy less the model's, 64 examples", expect: lessThan(0.02)},
		{key: "strange 16", what: "accuracy behind 16 examples of another user", expect: between(0.47, 0.53)},
		{key: "short of one 16", what: "Bayes' accuracy less that of the first layer alone, 16 examples"},
		{key: "shown 1", what: "accuracy, 1 example"},
		{key: "bayes 1", what: "Bayes, 1 example"},
		{key: "shown 4", what: "accuracy, 4 examples"},
		{key: "bayes 4", what: "Bayes, 4 examples"},
		{key: "shown 16", what: "accuracy, 16 examples"},
		{key: "bayes 16", what: "Bayes, 16 examples"},
		{key: "shown 64", what: "accuracy, 64 examples"},
		{key: "bayes 64", what: "Bayes, 64 examples"},
	},
}

func (u user) many(n int, r *rand.Rand) (out [][]float64) {
	for range n {
		out = append(out, u.seen(r))
	}
	return out
}

// predictive is the posterior probability that the query is labelled as it is. The
// posterior is met at its mode with its curvature there, and what a normal
// distribution does not say of it is put right by importance weights.
func predictive(context [][]float64, query []float64, r *rand.Rand) float64 {
	const draws, wider = 64, 1.2
	logPosterior := func(w []float64) float64 {
		sum := -inner(w, w) / (2 * tasteScale * tasteScale)
		for _, d := range context {
			sum -= math.Log1p(math.Exp(-inner(w, d)))
		}
		return sum
	}
	mode := make([]float64, tastes)
	var curvature mat.Cholesky
	for range 25 { // Newton's method; the posterior is log-concave
		hessian, gradient := mat.NewSymDense(tastes, nil), mat.NewVecDense(tastes, nil)
		for k, x := range mode {
			hessian.SetSym(k, k, 1/(tasteScale*tasteScale))
			gradient.SetVec(k, -x/(tasteScale*tasteScale))
		}
		for _, d := range context {
			p, v := sigmoid(inner(mode, d)), mat.NewVecDense(tastes, d)
			hessian.SymRankOne(hessian, p*(1-p), v)
			gradient.AddScaledVec(gradient, 1-p, v)
		}
		step := mat.NewVecDense(tastes, nil)
		if !curvature.Factorize(hessian) || curvature.SolveVecTo(step, gradient) != nil {
			return math.NaN() // never: the prior's part is positive definite
		}
		if mat.Norm(step, 2) < 1e-9 {
			break
		}
		for k := range mode {
			mode[k] += step.AtVec(k) * min(1, 2/mat.Norm(step, 2))
		}
	}
	var root mat.TriDense
	curvature.UTo(&root) // H = UᵀU, so U⁻¹z has covariance H⁻¹
	logs, likes, most := make([]float64, draws), make([]float64, draws), math.Inf(-1)
	for i := range draws {
		z, w := mat.NewVecDense(tastes, nil), mat.NewVecDense(tastes, nil)
		for k := range tastes {
			z.SetVec(k, r.NormFloat64())
		}
		if w.SolveVec(&root, z) != nil {
			return math.NaN()
		}
		at := slices.Clone(mode)
		for k := range at {
			at[k] += wider * w.AtVec(k)
		}
		logs[i], likes[i] = logPosterior(at)+mat.Dot(z, z)/2, sigmoid(inner(at, query))
		most = max(most, logs[i])
	}
	all, with := 0.0, 0.0
	for i, x := range logs {
		weight := math.Exp(x - most)
		all += weight
		with += weight * likes[i]
	}
	return with / all
}

// writer writes words of one style: how often he sets a mark, and how often a
// capital. What makes a text good has to do with its letters alone.
type writer struct {
	name            string
	marks, capitals float64
	length          int
}

var (
	strongWriter = writer{"strong", 0.25, 0.3, 22}
	ownWriter    = writer{"own", 0.05, 0.1, 20}
)

// text writes one, with its quality: how much more often it has letters of the
// alphabet's first half.
func (w writer) text(r *rand.Rand) (string, float64) {
	var b strings.Builder
	quality, letters := 0.0, 0.0
	for range w.length - 2 + r.IntN(5) {
		switch {
		case r.Float64() < w.marks:
			b.WriteByte('!')
			continue
		case r.Float64() < 0.15:
			b.WriteByte(' ')
			continue
		}
		c := r.IntN(8)
		if letters++; c < 4 {
			quality++
		}
		if r.Float64() < w.capitals {
			b.WriteByte(byte('A' + c))
		} else {
			b.WriteByte(byte('a' + c))
		}
	}
	return b.String(), quality/max(1, letters) - 0.5
}

// writtenPairs are pairs in which the chosen text is better by 0.1 to 0.3.
func writtenPairs(n int, chosen, rejected writer, r *rand.Rand) (out []prefs.Pair) {
	for len(out) < n {
		x, q := chosen.text(r)
		y, s := rejected.text(r)
		if q-s < 0.1 || q-s > 0.3 {
			continue
		}
		out = append(out, prefs.Pair{Prompt: fmt.Sprint(len(out))}.With(prefs.Answer{Text: x, Q: q, Source: chosen.name}, prefs.Answer{Text: y, Q: s, Source: rejected.name}))
	}
	return out
}

// moreIsLess is the audit of pairs between two writers against pairs of one.
var moreIsLess = claim{
	id: "more-is-less", source: "2504.02193",
	says:    "where a stronger writer's texts are chosen over one's own, chosen and rejected can be told by style though they are no further apart in quality, and a model that learns from them goes by style",
	setting: "texts of two writers whose styles have nothing to do with quality; 600 pairs, quality apart by 0.1 to 0.3; the audit's surface probe; a linear model of letters learns from them",
	seeds:   20,
	run: func(_ context.Context, seed uint64) (figures, error) {
		r := play.Generator(seed, "claims/more")
		out := figures{}
		features := prefs.TextFeatures(256)
		test, err := examplesOf(writtenPairs(1000, ownWriter, ownWriter, r), features, false)
		if err != nil {
			return nil, err
		}
		against, err := examplesOf(writtenPairs(1000, ownWriter, strongWriter, r), features, false)
		if err != nil {
			return nil, err
		}
		for name, chosen := range map[string]writer{"mixed": strongWriter, "single": ownWriter} {
			pairs := writtenPairs(600, chosen, ownWriter, play.Generator(seed, "claims/more/"+name))
			audit, err := prefs.AuditOf(pairs, play.Generator(seed, "claims/more/audit"))
			if err != nil {
				return nil, err
			}
			surface := slices.IndexFunc(audit.Chosen, func(p prefs.Probe) bool { return p.Name == "surface" })
			out[name], out["gap "+name] = audit.Chosen[surface].Accuracy, audit.Quality.Gap
			if len(audit.Source) > 0 {
				out["source"] = audit.Source[0].Accuracy
			}
			examples, err := examplesOf(pairs, features, false)
			if err != nil {
				return nil, err
			}
			e, err := learner(examples, 0, play.Generator(seed, "claims/more/learner"))
			if err != nil {
				return nil, err
			}
			out["own "+name], out["against "+name] = accuracyOn(e, test), accuracyOn(e, against)
		}
		out["easier"], out["worse"] = out["mixed"]-out["single"], out["own single"]-out["own mixed"]
		out["gaps"] = out["gap mixed"] - out["gap single"]
		return out, nil
	},
	measures: []measure{
		{key: "easier", what: "the surface tells the chosen one: accuracy, two writers less one", expect: moreThan(0.2)},
		{key: "gaps", what: "quality gap, two writers less one", expect: between(-0.02, 0.02)},
		{key: "worse", what: "model asked for pairs of one writer: accuracy, learnt from one writer less from two", expect: moreThan(0)},
		{key: "mixed", what: "the surface tells the chosen one, two writers"},
		{key: "single", what: "the surface tells the chosen one, one writer"},
		{key: "source", what: "the surface tells whose a text is"},
		{key: "own mixed", what: "model of two writers, asked for pairs of one"},
		{key: "own single", what: "model of one writer, asked for the same"},
		{key: "against mixed", what: "model of two writers, asked where the better text is of the weaker's style"},
		{key: "against single", what: "model of one writer, asked for the same"},
	},
}
