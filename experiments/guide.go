package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"

	"golang.org/x/sync/errgroup"

	"github.com/agon-rl/agon/agents"
	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/games/problem"
	"github.com/agon-rl/agon/games/sneakycritic"
	"github.com/agon-rl/agon/mcts"
	"github.com/agon-rl/agon/play"
	"github.com/agon-rl/agon/policy"
	"github.com/agon-rl/agon/policy/backend"
	"github.com/agon-rl/agon/spc"
	"github.com/agon-rl/agon/trainer"
	"github.com/agon-rl/agon/trainer/run"
)

const (
	guideSeeds    = 5
	guideProblems = 300 // held out, for each seed others
	guideMost     = 32  // the most solutions of a problem
	guideWidth    = 4   // steps that search asks for at a node, at least
	guideWarmup   = 100
	guideRounds   = 2
	guideUpdates  = 150 // of a round
	guideHidden   = 128 // units in each of the critic's two layers
)

// guided is a domain with how good the weak solver shall be: the probability that it
// takes a step after which the problem can still be solved.
type guided struct {
	game string
	base float64
}

var guidedDomains = []guided{{"arithmetic", 0.6}, {"countdown", 0.4}}

// outlay is what one seed of a method came to.
type outlay struct{ policy, critic, solved float64 }

// judged is how a critic does on the lines that the solver writes.
type judged struct{ right, wrong, accepted, caught float64 }

// guideResult is what a seed gives.
type guideResult struct {
	methods []string
	points  map[string][]outlay // by method, its settings in ascending order of cost
	steps   float64             // the share of the solver's lines that are right
	critics map[string]judged
}

// guide compares ways to spend calls of a weak solver, with and without a critic.
func guide(ctx context.Context, l *lab) error {
	results := make([][]guideResult, len(guidedDomains))
	var trials errgroup.Group
	trials.SetLimit(runtime.GOMAXPROCS(0))
	for d, domain := range guidedDomains {
		results[d] = make([]guideResult, guideSeeds)
		for seed := range guideSeeds {
			trials.Go(func() (err error) {
				results[d][seed], err = l.guideTrial(ctx, domain, uint64(seed+1))
				fmt.Fprintf(os.Stderr, "%s, seed %d: %+v\n", domain.game, seed+1, results[d][seed])
				return err
			})
		}
	}
	if err := trials.Wait(); err != nil {
		return err
	}
	return l.writeGuide(results)
}

// guideTrial makes a solver and a critic, and solves problems by all methods.
func (l *lab) guideTrial(ctx context.Context, d guided, seed uint64) (result guideResult, err error) {
	game, err := games.New(d.game)
	if err != nil {
		return result, err
	}
	solver, err := l.weakSolver(ctx, game, d.base, seed)
	if err != nil {
		return result, err
	}
	defer func() { err = errors.Join(err, solver.Close()) }()
	dir, err := l.trainCritic(ctx, d.game, seed)
	if err != nil {
		return result, err
	}
	env := agents.Environment{Game: game, Backend: func() (backend.Backend, error) { return l.device, nil }}
	critic, err := spc.OpenStepCritic(dir, env)
	if err != nil {
		return result, err
	}
	defer func() { err = errors.Join(err, critic.Close()) }()
	naive, err := spc.OpenStepCritic(fmt.Sprintf("%s@%d", dir, guideWarmup), env)
	if err != nil {
		return result, err
	}
	defer func() { err = errors.Join(err, naive.Close()) }()
	t := &guideTrial{
		game: game, solver: agents.NewSampler(solver, false), critic: critic, naive: naive, seed: seed,
		perfect: spc.NewStepCritic(critic.Game(), verdictOfVerifier{}),
		result:  guideResult{points: map[string][]outlay{}, critics: map[string]judged{}},
	}
	if err := t.all(ctx); err != nil {
		return result, err
	}
	return t.result, nil
}

// weakSolver is a network that stops learning early.
func (l *lab) weakSolver(ctx context.Context, game games.Game, base float64, seed uint64) (*policy.Network, error) {
	arch := policy.Arch{Kind: "mlp", Hidden: []int{byOutcome.hidden, byOutcome.hidden}, Activation: "relu"}
	model, err := policy.Description{Game: game.Info().Name, Arch: arch}.Model(l.device, game)
	if err != nil {
		return nil, err
	}
	t := &stepLearner{game: game, model: model, seed: seed, states: byOutcome.states}
	if err := t.pretrain(ctx, base); err != nil {
		return nil, err
	}
	network, err := t.network()
	return network, errors.Join(err, t.updater.Close())
}

// trainCritic trains both players of SPC on the domain and returns the run's folder.
func (l *lab) trainCritic(ctx context.Context, domain string, seed uint64) (string, error) {
	recipe, err := trainer.ReadRecipe([]byte("method: "+spc.Method), []string{
		fmt.Sprintf("game=sneaky_critic(domain=%s)", domain), fmt.Sprint("seed=", seed),
		fmt.Sprint("critic.warmup=", guideWarmup), fmt.Sprint("critic.rounds=", guideRounds), fmt.Sprint("updates=", guideUpdates),
		fmt.Sprintf("policy.hidden=[%d,%[1]d]", guideHidden), "epochs=6", "optimizer.rate=0.002",
		// Critics are examined on the solver's lines.
		"evaluate.every=1048576", "critic.cases=1", "evaluate.games=1",
		fmt.Sprint("checkpoint.every=", guideWarmup), "checkpoint.keep=100",
	})
	if err != nil {
		return "", err
	}
	text, err := recipe.YAML()
	if err != nil {
		return "", err
	}
	game, err := games.New(domain)
	if err != nil {
		return "", err
	}
	dir := filepath.Join(l.dir, fmt.Sprintf("critic_%T_%d", game, seed))
	folder, err := run.Create(dir, text)
	if err != nil {
		return "", err
	}
	defer folder.Close() //nolint:errcheck // a temporary run
	return dir, l.train(ctx, folder, 1)
}

// verdictOfVerifier is the perfect critic.
type verdictOfVerifier struct{}

func (verdictOfVerifier) Probabilities(_ context.Context, states []games.State, out [][]float64) error {
	for i, s := range states {
		out[i][sneakycritic.Correct], out[i][sneakycritic.Incorrect] = 1, 0
		if s.(*sneakycritic.State).Wrong() {
			out[i][sneakycritic.Correct], out[i][sneakycritic.Incorrect] = 0, 1
		}
	}
	return nil
}

// guideTrial is one seed under way.
type guideTrial struct {
	game                   games.Game
	solver                 play.Agent
	critic, naive, perfect *spc.StepCritic
	seed                   uint64
	result                 guideResult
}

// problems are the held-out ones, with a generator each that a method draws from.
func (t *guideTrial) problems(stream string) ([]problem.Solution, []*rand.Rand, error) {
	r := play.Generator(1<<40+t.seed, "held out")
	starts, rands := make([]problem.Solution, guideProblems), make([]*rand.Rand, guideProblems)
	for i := range starts {
		s := t.game.Start()
		if err := s.Apply(problem.Draw(r)); err != nil {
			return nil, nil, err
		}
		starts[i], rands[i] = s.(problem.Solution), play.Generator(t.seed, stream, uint64(i))
	}
	return starts, rands, nil
}

// many has a guide write so many solutions of every problem.
func (t *guideTrial) many(ctx context.Context, g spc.Guide, stream string, count int) ([][]spc.Attempt, error) {
	starts, rands, err := t.problems(stream)
	if err != nil {
		return nil, err
	}
	out := make([][]spc.Attempt, len(starts))
	for range count {
		attempts, err := g.Solve(ctx, starts, rands)
		if err != nil {
			return nil, err
		}
		for i, a := range attempts {
			out[i] = append(out[i], a)
		}
	}
	return out, nil
}

// counts are the numbers of solutions that a curve is made of.
func counts(most int) (all []int) {
	for n := 1; n <= most; n *= 2 {
		all = append(all, n)
	}
	return all
}

// note adds a point to a method's curve.
func (t *guideTrial) note(method string, handedIn []spc.Attempt) {
	if _, known := t.result.points[method]; !known {
		t.result.methods = append(t.result.methods, method)
	}
	var o outlay
	for _, a := range handedIn {
		share := 1 / float64(len(handedIn))
		o.policy += share * float64(a.Policy)
		o.critic += share * float64(a.Critic)
		if a.Solved() {
			o.solved += share
		}
	}
	t.result.points[method] = append(t.result.points[method], o)
}

// selects notes a method that selects one of the first n solutions.
func (t *guideTrial) selects(method string, solutions [][]spc.Attempt, choose func([]spc.Attempt) spc.Attempt) {
	for _, n := range counts(len(solutions[0])) {
		handedIn := make([]spc.Attempt, len(solutions))
		for i, some := range solutions {
			handedIn[i] = choose(some[:n])
		}
		t.note(method, handedIn)
	}
}

// all runs the methods.
func (t *guideTrial) all(ctx context.Context) error {
	alone, err := t.many(ctx, spc.Guide{Solver: t.solver}, "alone", guideMost)
	if err != nil {
		return err
	}
	if err := t.examine(ctx, alone); err != nil {
		return err
	}
	t.selects("self-consistency", alone, spc.Majority)
	t.selects("best of N, verifier", alone, spc.Verified)
	for _, some := range alone {
		if err := spc.Believe(ctx, t.critic, some); err != nil {
			return err
		}
	}
	t.selects("best of N, critic", alone, spc.BestOf)
	for _, way := range []struct {
		name  string
		guide spc.Guide
		most  int
	}{
		{fiveTries, spc.Guide{Critic: t.critic}, guideMost / 2},
		{"five tries, the most believed stands", spc.Guide{Critic: t.critic, Best: true}, 1},
		{"five tries, naive critic", spc.Guide{Critic: t.naive}, 1},
		{"five tries, perfect critic", spc.Guide{Critic: t.perfect}, 1},
	} {
		way.guide.Solver, way.guide.Tries = t.solver, spc.Tries
		solutions, err := t.many(ctx, way.guide, way.name, way.most)
		if err != nil {
			return err
		}
		if way.most == 1 {
			t.selects(way.name, solutions, spc.BestOf)
			continue
		}
		t.selects(way.name+", majority", solutions, spc.Majority)
		t.selects(way.name+", best", solutions, spc.BestOf)
	}
	return t.search(ctx)
}

const fiveTries = "five tries"

func (t *guideTrial) search(ctx context.Context) error {
	rule, err := mcts.NewRule("puct")
	if err != nil {
		return err
	}
	for _, n := range counts(guideMost) {
		calls := n * t.game.Info().MaxLength
		if calls < 3*guideWidth {
			continue
		}
		starts, rands, err := t.problems("search")
		if err != nil {
			return err
		}
		found, err := spc.TreeSearch{Solver: t.solver, Critic: t.critic, Rule: rule, Steps: max(guideWidth, n/2), Calls: calls}.Solve(ctx, t.game.Info(), starts, rands)
		if err != nil {
			return err
		}
		t.note("search", found)
	}
	return nil
}

// examine measures critics on the lines of the solver's first solutions.
func (t *guideTrial) examine(ctx context.Context, solutions [][]spc.Attempt) error {
	var at []problem.Solution
	var lines []problem.Line
	right := 0.0
	for _, some := range solutions {
		for s, more := some[0].End, true; more; {
			before, line, ok := s.Before()
			if more = ok; ok {
				at, lines, s = append(at, before), append(lines, line), before
				if t.right(line) {
					right++
				}
			}
		}
	}
	t.result.steps = right / float64(len(lines))
	for name, critic := range map[string]*spc.StepCritic{"self-play": t.critic, "naive": t.naive} {
		beliefs := make([]float64, len(lines))
		if err := critic.Judge(ctx, at, lines, beliefs); err != nil {
			return err
		}
		var j judged
		for i, line := range lines {
			switch accepts := beliefs[i] > 0.5; {
			case t.right(line):
				if j.right++; accepts {
					j.accepted++
				}
			default:
				if j.wrong++; !accepts {
					j.caught++
				}
			}
		}
		j.accepted /= j.right
		j.caught /= j.wrong
		t.result.critics[name] = j
	}
	return nil
}

func (t *guideTrial) right(line problem.Line) bool {
	return !t.game.(problem.Criticised).Critique().Errors.Count(line.Slip)
}
