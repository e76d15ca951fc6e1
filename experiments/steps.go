package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"sync"

	"github.com/agon-rl/agon/agents"
	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/games/problem"
	"github.com/agon-rl/agon/mcts"
	"github.com/agon-rl/agon/objective"
	"github.com/agon-rl/agon/play"
	"github.com/agon-rl/agon/policy"
	"github.com/agon-rl/agon/prefs"
	"github.com/agon-rl/agon/solve"
	"github.com/agon-rl/agon/trainer"
)

// What a trial of the comparison of methods is made of.
const (
	stepSeeds  = 5
	stepRounds = 8
	longRounds = 40
	stepSims   = 16 // simulations a state
	stepRate   = 5e-4
	stepEpochs = 2   // over a round's data
	stepBatch  = 128 // pairs, or states, a gradient step

	stepHeldOut   = 500  // problems that the solve rate is measured on
	stepDemos     = 64   // problems a gradient step that makes the base policy
	stepLook      = 10   // gradient steps between two looks at how good it is
	stepBaseSteps = 1000 // the most gradient steps that make the base policy
)

// domain is a game with how good the base policy shall be: the probability that
// it takes a step after which the problem can still be solved; 0 is a network
// that has learnt nothing.
type domain struct {
	game string
	base float64
	// Where a game stands in the table more than once.
	column string
	judge  func(*policy.Network) mcts.Evaluator
	rounds int // stepRounds where zero
}

// name is the domain's column.
func (d domain) name() string { return cmp.Or(d.column, "`"+d.game+"`") }

// study is a comparison of the methods under one judge of the search's leaves.
type study struct {
	leaves  string // who judges them, where all domains have one judge
	hidden  int    // units in each of two layers
	states  int    // searched in a round, at most
	domains []domain
	methods []method
	judge   func(*policy.Network) mcts.Evaluator // of domains that have none of their own
}

// byOutcome: only how a problem ends is known, so what an early step is worth
// shows where the policy gets through to the end. Longer chains start from better
// policies, or no playout would ever succeed.
var byOutcome = study{
	leaves: "the policy plays to their end", hidden: 256, states: 2048,
	domains: []domain{{game: "modchain(length=4)", base: 0.5}, {game: "modchain", base: 0.6}, {game: "modchain(length=16)", base: 0.7}, {game: "countdown", base: 0.4}},
	methods: methods, judge: playedOut,
}

// playedOut judges leaves by how the policy ends the game from there.
func playedOut(n *policy.Network) mcts.Evaluator { return mcts.Playout{PolicyValue: n} }

// known judges leaves by what they are worth; the network gives priors.
func known(n *policy.Network, value func(context.Context, games.State) (float64, error)) mcts.Evaluator {
	return mcts.Mix{{Evaluator: mcts.Exact{Value: value}, Weight: 1}, {Evaluator: mcts.Network{PolicyValue: n}, Weight: 0}}
}

// byVerifier: every step is judged, as by a perfect process reward model.
var byVerifier = study{
	leaves: "the game's verifier judges", hidden: 256, states: 2048,
	domains: []domain{{game: "modchain(length=4)", base: 0.5}, {game: "modchain", base: 0.5}, {game: "modchain(length=16)", base: 0.5}, {game: "countdown", base: 0.4}},
	methods: methods,
	judge: func(n *policy.Network) mcts.Evaluator {
		return known(n, func(_ context.Context, s games.State) (float64, error) {
			if s.(problem.Verified).Solvable() {
				return 1, nil
			}
			return -1, nil
		})
	},
}

func steps(ctx context.Context, l *lab) error {
	return l.compareMethods(ctx, stepsPage, problemsCaption, byOutcome)
}

func stepsVerified(ctx context.Context, l *lab) error {
	return l.compareMethods(ctx, stepsVerifiedPage, problemsCaption, byVerifier)
}

// stepsBoard is the comparison on tic-tac-toe, under both judges, and for longer.
func stepsBoard(ctx context.Context, l *lab) error {
	game, err := games.New("tic_tac_toe")
	if err != nil {
		return err
	}
	perfect, err := solve.Minimax(ctx, game)
	if err != nil {
		return err
	}
	minimax := func(n *policy.Network) mcts.Evaluator {
		return known(n, func(ctx context.Context, s games.State) (float64, error) {
			v, err := perfect.Value(ctx, s)
			if s.Turn() == 1 {
				v = -v
			}
			return v, err
		})
	}
	return l.compareMethods(ctx, boardPage, boardCaption, study{
		hidden: boardHidden, states: boardStates,
		methods: boardMethods(),
		domains: []domain{
			{game: "tic_tac_toe", column: "leaves played to their end", judge: playedOut},
			{game: "tic_tac_toe", column: "leaves judged by minimax", judge: minimax},
			{game: "tic_tac_toe", column: fmt.Sprintf("the same, %d rounds", longRounds), judge: minimax, rounds: longRounds},
		},
	})
}

// method is a way to learn from a round's searches or games.
type method struct {
	name   string
	steps  string // the objective on pairs, or lists, of searched steps; "" for none
	games  string // the objective on pairs of whole games; without one of them best moves or visits are learnt
	moving bool   // the reference is the policy that searched, not the base
	ties   bool   // all moves that are as good as the best are learnt, each as likely
	part   int    // one in so many pairs; all of them where zero
}

var methods = []method{
	{name: "SFT on best moves"},
	{name: "outcome DPO", games: "dpo(beta=5)"},
	{name: "step DPO", steps: "dpo(beta=5)"},
	{name: "step DPO, β = 0.1", steps: "dpo"},
	{name: "step DPO, moving reference", steps: "dpo(beta=5)", moving: true},
	{name: "MCTS-DPO", steps: "mcts-dpo(beta=5)"},
	{name: "Step-APO, α = 1", steps: "step-apo(beta=5)"},
	{name: "TPO", steps: "tpo-tree(beta=5)"},
	{name: expertIteration},
}

const expertIteration = "expert iteration"

// boardMethods adds two that tell what a difference on a board is due to: many
// moves are equally good there, and a game has several of each seat.
func boardMethods() (out []method) {
	for _, m := range methods {
		out = append(out, m)
		switch m.name {
		case "SFT on best moves":
			out = append(out, method{name: "SFT on all best moves", ties: true})
		case "outcome DPO":
			out = append(out, method{name: "outcome DPO, a quarter of the pairs", games: m.games, part: 4})
		}
	}
	return out
}

// compareMethods compares what a policy learns from step preferences, outcomes,
// best moves and visits, at equal numbers of pairs and of steps played.
func (l *lab) compareMethods(ctx context.Context, p page, caption string, y study) error {
	domains, methods := y.domains, y.methods
	type cell struct{ base, rate [stepSeeds]float64 }
	table := make([][]cell, len(domains))
	type job struct{ d, m, seed int }
	var jobs []job
	for d := range domains {
		table[d] = make([]cell, len(methods))
		for m := range methods {
			for seed := range stepSeeds {
				jobs = append(jobs, job{d, m, seed})
			}
		}
	}
	queue := make(chan job)
	failures := make(chan error, len(jobs))
	var wait sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wait.Go(func() {
			for j := range queue {
				got, err := l.stepTrial(ctx, y, domains[j.d], methods[j.m], uint64(j.seed+1))
				table[j.d][j.m].base[j.seed], table[j.d][j.m].rate[j.seed] = got.base, got.rate
				if err != nil {
					failures <- err
				}
				fmt.Fprintf(os.Stderr, "%s, %s, seed %d: %.3f to %.3f; %d states searched in the first round, %d different; %d in the last, %d different\n",
					domains[j.d].name(), methods[j.m].name, j.seed+1, got.base, got.rate, got.first.states, got.first.different, got.last.states, got.last.different)
			}
		})
	}
	for _, j := range jobs {
		queue <- j
	}
	close(queue)
	wait.Wait()
	close(failures)
	if err := <-failures; err != nil {
		return err
	}
	header := []string{"method"}
	base := []string{"base policy"}
	for d := range domains {
		header = append(header, domains[d].name())
		base = append(base, intervalOf(table[d][0].base[:]).String())
	}
	rows := [][]string{base}
	for m := range methods {
		row := []string{methods[m].name}
		for d := range domains {
			row = append(row, intervalOf(table[d][m].rate[:]).String())
		}
		rows = append(rows, row)
	}
	return l.write(p, caption+markdown(header, rows))
}

// learnt is a policy's strength before and after, and what its first and last
// round searched.
type learnt struct {
	base, rate  float64
	first, last variety
}

// variety is how many states were searched, and how many of them differ.
type variety struct{ states, different int }

func varietyOf(found []looked) variety {
	different := map[string]bool{}
	for _, f := range found {
		if p, ok := f.state.(games.Positioned); ok {
			different[string(p.AppendPosition(nil))] = true
		} else {
			different[games.Key(f.state, f.state.Turn())] = true
		}
	}
	return variety{len(found), len(different)}
}

// stepTrial trains one policy.
func (l *lab) stepTrial(ctx context.Context, y study, d domain, m method, seed uint64) (out learnt, err error) {
	game, err := games.New(d.game)
	if err != nil {
		return out, err
	}
	arch := policy.Arch{Kind: "mlp", Hidden: []int{y.hidden, y.hidden}, Activation: "relu"}
	model, err := policy.Description{Game: game.Info().Name, Arch: arch}.Model(l.device, game)
	if err != nil {
		return out, err
	}
	t := &stepLearner{game: game, model: model, seed: seed, method: m, judge: y.judge, states: y.states}
	if d.judge != nil {
		t.judge = d.judge
	}
	if err := t.pretrain(ctx, d.base); err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, t.updater.Close()) }()
	if out.base, err = t.strength(ctx); err != nil {
		return out, err
	}
	if err := t.startOver(); err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, t.base.Close()) }()
	for round := range uint64(cmp.Or(d.rounds, stepRounds)) {
		if err := t.round(ctx, round); err != nil {
			return out, fmt.Errorf("%s, %s: %w", d.game, m.name, err)
		}
		if round == 0 {
			out.first = t.searched
		}
	}
	out.last = t.searched
	out.rate, err = t.strength(ctx)
	return out, err
}

var adamDefaults = trainer.Optimizer{Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8, ClipNorm: 1, Accumulate: 1}

type stepLearner struct {
	game    games.Game
	model   *policy.Model
	seed    uint64
	method  method
	loss    objective.Objective // of the method, if it has one
	updater *trainer.Updater
	states  int // searched in a round, at most
	judge   func(*policy.Network) mcts.Evaluator
	base    *policy.Network // the reference of methods whose reference stays

	searched variety // in the last round
}

// problemsARound is how many problems make a round's states.
func (t *stepLearner) problemsARound() int { return t.states / t.game.Info().MaxLength }

// network opens the policy as it is.
func (t *stepLearner) network() (*policy.Network, error) {
	w := t.updater.Weights()
	network, err := t.model.Network(w)
	return network, errors.Join(err, w.Close())
}

// startOver makes the policy the base, and goes on with an optimizer that remembers
// nothing.
func (t *stepLearner) startOver() (err error) {
	if text := cmp.Or(t.method.steps, t.method.games); text != "" {
		if t.loss, err = objective.Get(text); err != nil {
			return err
		}
	}
	if t.base, err = t.network(); err != nil {
		return err
	}
	return t.updater.Restart(t.base.Weights)
}

// problems starts problems of a stream.
func (t *stepLearner) problems(stream string, path uint64, count int) ([]games.State, error) {
	r := play.Generator(t.seed, stream, path)
	out := make([]games.State, count)
	for i := range out {
		out[i] = t.game.Start()
		if out[i].Turn() != games.Chance { // a board
			continue
		}
		if err := out[i].Apply(problem.Draw(r)); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// pretrain makes the base policy: it learns steps that keep problems solvable,
// until it takes them with a given probability.
func (t *stepLearner) pretrain(ctx context.Context, enough float64) (err error) {
	start, err := t.model.Draw(play.Generator(t.seed, "weights"))
	if err != nil {
		return err
	}
	t.updater, err = trainer.NewUpdater(t.model, adamDefaults, start, false, trainer.Targets(), trainer.Slopes())
	if err := errors.Join(err, start.Close()); err != nil || enough == 0 {
		return err
	}
	for n := range uint64(stepBaseSteps) {
		turns, states, err := t.demonstrations(n)
		if err != nil {
			return err
		}
		if n%stepLook == 0 {
			if right, err := t.right(ctx, turns, states); err != nil || right >= enough {
				return err
			}
		}
		if _, err := t.updater.Learn(trainer.Targets().Name, turns, trainer.Coefficients{Rate: 1e-3}); err != nil {
			return err
		}
	}
	return nil
}

// right is the probability with which the policy takes the steps that targets
// demonstrate.
func (t *stepLearner) right(ctx context.Context, targets []policy.Turn, states []games.State) (sum float64, err error) {
	network, err := t.network()
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, network.Close()) }()
	p := make([][]float64, len(states))
	for i := range p {
		p[i] = make([]float64, len(targets[i].Target))
	}
	if err := network.Probabilities(ctx, states, p); err != nil {
		return 0, err
	}
	for i := range p {
		for j, q := range targets[i].Target {
			if q > 0 {
				sum += p[i][j] / float64(len(p))
			}
		}
	}
	return sum, nil
}

// demonstrations are states on the way to a solution, with their right steps.
func (t *stepLearner) demonstrations(n uint64) (turns []policy.Turn, met []games.State, err error) {
	states, err := t.problems("demonstrations", n, stepDemos)
	if err != nil {
		return nil, nil, err
	}
	r := play.Generator(t.seed, "ways", n)
	for i := range states {
		for s := states[i]; s.Turn() != games.Over; {
			legal := s.Actions(nil)
			step, err := t.model.Observe(s, legal[0])
			if err != nil {
				return nil, nil, err
			}
			turn := policy.Turn{Step: step, Target: make([]float32, len(legal))}
			var good []int
			for j, a := range legal {
				next := s.Clone()
				if err := next.Apply(a); err != nil {
					return nil, nil, err
				}
				if next.(problem.Verified).Solvable() {
					good = append(good, j)
				}
			}
			for _, j := range good {
				turn.Target[j] = 1 / float32(len(good))
			}
			turns, met = append(turns, turn), append(met, s.Clone())
			if err := s.Apply(legal[good[r.IntN(len(good))]]); err != nil {
				return nil, nil, err
			}
		}
	}
	return turns, met, nil
}

// strength is how good the greedy policy is: the share of held-out problems that
// it solves or, of a board, of all positions in which its move keeps their value.
func (t *stepLearner) strength(ctx context.Context) (rate float64, err error) {
	network, err := t.network()
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, network.Close()) }()
	if t.game.Info().Seats == 2 {
		return t.kept(ctx, network)
	}
	match := play.Match{
		Game: t.game, Seed: 1 << 40, Agents: []play.Agent{agents.NewSampler(network, true)},
		Seats: func(uint64, int) []int { return []int{0} },
	}
	episodes, err := match.Play(ctx, 0, stepHeldOut)
	for _, e := range episodes {
		if e.Returns[0] == 1 {
			rate += 1 / float64(stepHeldOut)
		}
	}
	return rate, err
}

// kept is the share of all positions in which the most likely move keeps the
// game's value.
func (t *stepLearner) kept(ctx context.Context, network *policy.Network) (rate float64, err error) {
	perfect, err := solve.Minimax(ctx, t.game)
	if err != nil {
		return 0, err
	}
	states, _ := decisionsOf(t.game)
	p, right := make([][]float64, len(states)), make([][]float64, len(states))
	for i, s := range states {
		count := len(s.Actions(nil))
		p[i], right[i] = make([]float64, count), make([]float64, count)
	}
	if err := errors.Join(network.Probabilities(ctx, states, p), perfect.Probabilities(ctx, states, right)); err != nil {
		return 0, err
	}
	for i := range states {
		if right[i][slices.Index(p[i], slices.Max(p[i]))] > 0 {
			rate += 1 / float64(len(states))
		}
	}
	return rate, nil
}

// looked is a state that was searched.
type looked struct {
	*agents.Searched
	state games.State
	pair  *prefs.Match // the best against a worse one; nil where all are worth the same
}

// round searches the states on the policy's own ways through new problems, and
// learns from what was found or, for the outcome method, from whole games that
// took as many steps.
func (t *stepLearner) round(ctx context.Context, round uint64) error {
	network, err := t.network()
	if err != nil {
		return err
	}
	found, played, err := t.searches(ctx, network, round)
	if err != nil {
		return errors.Join(err, network.Close())
	}
	t.searched = varietyOf(found)
	found = slices.DeleteFunc(found, func(s looked) bool { return s.pair == nil })
	if !t.method.moving {
		if err := t.refer(ctx, found); err != nil {
			return errors.Join(err, network.Close())
		}
	}
	var answers []contrast
	switch {
	case t.method.games != "":
		answers, err = t.comparisons(ctx, network, round, played, len(found)/max(1, t.method.part))
	case t.method.steps != "":
		for _, f := range found {
			answers = append(answers, t.contrast(f))
		}
	}
	if err := errors.Join(err, network.Close()); err != nil {
		return err
	}
	for range stepEpochs {
		if answers != nil {
			err = inBatches(answers, t.prefer)
		} else {
			err = inBatches(found, t.imitate)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// inBatches learns from data, a batch at a time.
func inBatches[T any](data []T, learn func([]T) error) error {
	for some := range slices.Chunk(data, stepBatch) {
		if err := learn(some); err != nil {
			return err
		}
	}
	return nil
}

// contrast are answers that an objective compares: a pair, the chosen one first, or a
// list.
type contrast struct {
	answers   [][]*policy.Step
	reference [][]float64 // log-probabilities of their steps
	values    []float64   // of each, where a search gave them
	visits    []float64
}

func (c *contrast) add(steps []*policy.Step, reference []float64, value, visits float64) {
	c.answers, c.reference = append(c.answers, steps), append(c.reference, reference)
	c.values, c.visits = append(c.values, value), append(c.visits, visits)
}

// contrast is what a search thinks of the pair at a state or, for an objective of lists,
// of all that it tried.
func (t *stepLearner) contrast(s looked) (c contrast) {
	tried := []mcts.Child{s.pair.Chosen, s.pair.Rejected}
	if t.loss.OfLists() {
		tried = slices.DeleteFunc(slices.Clone(s.Children), func(c mcts.Child) bool { return c.Visits == 0 })
	}
	for _, child := range tried {
		step := *s.Step
		step.Picks = []policy.Pick{{Token: child.Action, Allowed: s.Step.Picks[0].Allowed}}
		c.add([]*policy.Step{&step}, []float64{logOf(child.Prior)}, child.Q, float64(child.Visits))
	}
	return c
}

// prefer takes a gradient step on answers by the method's objective: the graph gives
// their log-probabilities, the objective its slopes in them.
func (t *stepLearner) prefer(batch []contrast) error {
	var answers [][]*policy.Step
	for _, c := range batch {
		answers = append(answers, c.answers...)
	}
	_, err := t.updater.LearnSlopes(answers, trainer.Coefficients{Rate: stepRate}, func(all trainer.Referred) (slopes []float32, err error) {
		logProbs := all.LogProbs
		var sequences []objective.Sequence
		for _, c := range batch {
			for i, steps := range c.answers {
				s := objective.Sequence{Ref: [][]float64{c.reference[i]}}
				for _, x := range logProbs[:len(steps)] {
					s.LogP = append(s.LogP, float64(x))
				}
				sequences, logProbs = append(sequences, s), logProbs[len(steps):]
			}
		}
		grads, err := t.evaluate(batch, sequences)
		for i, steps := range answers {
			for range steps {
				slopes = append(slopes, float32(grads[i]))
			}
		}
		return slopes, err
	})
	return err
}

// evaluate returns the slope of the objective in each answer's log-probability.
func (t *stepLearner) evaluate(batch []contrast, sequences []objective.Sequence) (grads []float64, err error) {
	grads = make([]float64, 0, len(sequences))
	if t.loss.OfLists() {
		lists := make([]objective.Listing, len(batch))
		for i, c := range batch {
			n := len(c.answers)
			lists[i], sequences = objective.Listing{Answers: sequences[:n], Scores: c.values}, sequences[n:]
		}
		result, err := t.loss.List.Evaluate(lists)
		return append(grads, slices.Concat(result.Grads...)...), err
	}
	pairs := make([]objective.Preference, len(batch))
	for i, c := range batch {
		pairs[i] = objective.Preference{
			Chosen: sequences[2*i], Rejected: sequences[2*i+1], Q: &[2]float64{c.values[0], c.values[1]}, N: &[2]float64{c.visits[0], c.visits[1]},
		}
	}
	result, err := t.loss.Pair.Evaluate(pairs)
	for _, g := range result.Grads {
		grads = append(grads, g.Chosen, g.Rejected)
	}
	return grads, err
}

// imitate takes a gradient step on what searches found: their visits, or the best moves.
func (t *stepLearner) imitate(some []looked) error {
	turns := make([]policy.Turn, len(some))
	for i, s := range some {
		if turns[i] = (policy.Turn{Step: s.Step, Target: s.Target}); t.method.name != expertIteration {
			turns[i].Target = t.bestMoves(s)
		}
	}
	_, err := t.updater.Learn(trainer.Targets().Name, turns, trainer.Coefficients{Rate: stepRate})
	return err
}

// refer makes the base policy the reference of searched states: its
// log-probabilities stand in the place of those of the policy that searched.
func (t *stepLearner) refer(ctx context.Context, found []looked) error {
	states, legal := make([]games.State, len(found)), make([][]games.Action, len(found))
	for i, f := range found {
		states[i], legal[i] = f.state, f.Step.Picks[0].Allowed
	}
	p, err := t.reference(ctx, states, legal)
	if err != nil {
		return err
	}
	for i, f := range found {
		of := func(a games.Action) float64 { return p[i][slices.Index(legal[i], a)] }
		for j := range f.Children {
			f.Children[j].Prior = of(f.Children[j].Action)
		}
		f.pair.Chosen.Prior, f.pair.Rejected.Prior = of(f.pair.Chosen.Action), of(f.pair.Rejected.Action)
	}
	return nil
}

// reference is the base policy's probabilities of the legal actions of states.
func (t *stepLearner) reference(ctx context.Context, states []games.State, legal [][]games.Action) ([][]float64, error) {
	p := make([][]float64, len(states))
	for i := range p {
		p[i] = make([]float64, len(legal[i]))
	}
	return p, t.base.Probabilities(ctx, states, p)
}

// searches walks through new problems by the policy, searches every state on the
// way, and returns how many steps the searches played.
func (t *stepLearner) searches(ctx context.Context, network *policy.Network, round uint64) (found []looked, played int, err error) {
	states, err := t.problems("problems", round, t.problemsARound())
	if err != nil {
		return nil, 0, err
	}
	rule, err := mcts.NewRule("puct")
	if err != nil {
		return nil, 0, err
	}
	learner := agents.SearchLearner{Network: network, Searcher: &agents.Searcher{
		Game: t.game.Info(), Temperature: 1, Options: mcts.Options{Rule: rule, Simulations: stepSims, Leaves: 1, Nodes: mcts.DefaultNodes},
		Evaluator: func() mcts.Evaluator { return t.judge(network) },
	}}
	rands := make([]*rand.Rand, len(states))
	for i := range rands {
		rands[i] = play.Generator(t.seed, "search", round, uint64(i))
	}
	for left := t.game.Info().MaxLength; len(states) > 0; left-- {
		some, _, err := learner.Search(ctx, states, rands)
		if err != nil {
			return nil, 0, err
		}
		played += len(states) * stepSims * left
		still, stillRands := states[:0:0], rands[:0:0]
		for i, s := range some {
			at := looked{Searched: s, state: states[i].Clone()}
			at.pair = hardest(s.Children)
			found = append(found, at)
			p := make([]float64, len(s.Children))
			for j, c := range s.Children {
				p[j] = c.Prior
			}
			if err := states[i].Apply(s.Children[policy.Sample(p, rands[i])].Action); err != nil {
				return nil, 0, err
			}
			if states[i].Turn() != games.Over {
				still, stillRands = append(still, states[i]), append(stillRands, rands[i])
			}
		}
		states, rands = still, stillRands
	}
	return found, played, nil
}

// hardest pairs the best action with, of those found worse, the one that the
// policy likes most: of many that are equally bad, the published rules would
// take the least likely, of which there is the least to learn.
func hardest(children []mcts.Child) *prefs.Match {
	tried := slices.DeleteFunc(slices.Clone(children), func(c mcts.Child) bool { return c.Visits == 0 })
	if len(tried) == 0 {
		return nil
	}
	best := slices.MaxFunc(tried, func(a, b mcts.Child) int {
		return cmp.Or(cmp.Compare(a.Q, b.Q), a.Visits-b.Visits)
	})
	worse := slices.DeleteFunc(tried, func(c mcts.Child) bool { return c.Q >= best.Q })
	if len(worse) == 0 {
		return nil
	}
	return &prefs.Match{Chosen: best, Rejected: slices.MaxFunc(worse, func(a, b mcts.Child) int { return cmp.Compare(a.Prior, b.Prior) })}
}

// bestMoves is the target of SFT: the best of the moves that were tried.
func (t *stepLearner) bestMoves(s looked) []float32 {
	best := []mcts.Child{s.pair.Chosen}
	if t.method.ties {
		best = slices.DeleteFunc(slices.Clone(s.Children), func(c mcts.Child) bool { return c.Visits == 0 || c.Q < s.pair.Chosen.Q })
	}
	legal := s.Step.Picks[0].Allowed
	target := make([]float32, len(legal))
	for _, c := range best {
		target[slices.Index(legal, c.Action)] = 1 / float32(len(best))
	}
	return target
}

func logOf(p float64) float64 { return math.Log(max(p, math.SmallestNonzeroFloat32)) }

// comparisons plays the round's problems again and again, as many steps in all
// as the searches took, and pairs won with lost attempts at a problem, by seat:
// at most as many pairs as the searches gave.
func (t *stepLearner) comparisons(ctx context.Context, network *policy.Network, round uint64, played, most int) (out []contrast, err error) {
	info, count := t.game.Info(), t.problemsARound()
	attempts := played / (count * info.MaxLength)
	won, lost := make([][][]*policy.Step, count*info.Seats), make([][][]*policy.Step, count*info.Seats)
	for attempt := range attempts {
		states, err := t.problems("problems", round, count)
		if err != nil {
			return nil, err
		}
		rands := make([]*rand.Rand, len(states))
		for i := range rands {
			rands[i] = play.Generator(t.seed, "attempt", round, uint64(attempt), uint64(i))
		}
		ways, err := t.attempt(ctx, network, states, rands)
		if err != nil {
			return nil, err
		}
		for i, s := range states {
			for seat, r := range s.Returns(nil) {
				at := i*info.Seats + seat
				switch r {
				case info.MaxReturn:
					won[at] = append(won[at], ways[at])
				case info.MinReturn:
					lost[at] = append(lost[at], ways[at])
				}
			}
		}
	}
	for k := 0; len(out) < most; k++ {
		before := len(out)
		for i := range won {
			if len(out) < most && k < min(len(won[i]), len(lost[i])) {
				var c contrast
				for _, way := range [][]*policy.Step{won[i][k], lost[i][k]} {
					c.add(way, referenceOf(way), 0, 0)
				}
				out = append(out, c)
			}
		}
		if len(out) == before {
			break
		}
	}
	return out, nil
}

// attempt plays states to their end and returns the steps taken, by state and
// then by seat.
func (t *stepLearner) attempt(ctx context.Context, network *policy.Network, states []games.State, rands []*rand.Rand) ([][]*policy.Step, error) {
	seats := t.game.Info().Seats
	ways := make([][]*policy.Step, len(states)*seats)
	live := make([]int, len(states))
	for i := range live {
		live[i] = i
	}
	for len(live) > 0 {
		open, draws := make([]games.State, len(live)), make([]*rand.Rand, len(live))
		for k, i := range live {
			open[k], draws[k] = states[i], rands[i]
		}
		taken, err := network.Act(ctx, open, draws)
		if err != nil {
			return nil, err
		}
		if err := t.referSteps(ctx, open, taken); err != nil {
			return nil, err
		}
		still := live[:0]
		for k, i := range live {
			at := i*seats + int(states[i].Turn())
			ways[at] = append(ways[at], taken[k])
			if err := states[i].Apply(taken[k].Action()); err != nil {
				return nil, err
			}
			if states[i].Turn() != games.Over {
				still = append(still, i)
			}
		}
		live = still
	}
	return ways, nil
}

// referSteps makes the base policy the reference of steps taken: their log-probabilities
// are its.
func (t *stepLearner) referSteps(ctx context.Context, states []games.State, taken []*policy.Step) error {
	legal := make([][]games.Action, len(taken))
	for i, s := range taken {
		legal[i] = s.Picks[0].Allowed
	}
	p, err := t.reference(ctx, states, legal)
	if err != nil {
		return err
	}
	for i, s := range taken {
		s.Picks[0].LogProb = float32(logOf(p[i][slices.Index(legal[i], s.Action())]))
	}
	return nil
}

// referenceOf are the log-probabilities that steps carry.
func referenceOf(steps []*policy.Step) []float64 {
	out := make([]float64, len(steps))
	for i, s := range steps {
		out[i] = float64(s.Picks[0].LogProb)
	}
	return out
}
