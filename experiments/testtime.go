package main

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/rs/zerolog"

	"github.com/agon-rl/agon/agents"
	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/games/problem"
	"github.com/agon-rl/agon/mcts"
	"github.com/agon-rl/agon/play"
	"github.com/agon-rl/agon/policy/backend"
	"github.com/agon-rl/agon/trainer"
	"github.com/agon-rl/agon/trainer/recipes"
	"github.com/agon-rl/agon/trainer/run"
)

// testTimeProblems is how many held-out problems are tried.
const testTimeProblems = 500

// testTime compares search with best-of-N where both may call the policy equally
// often for a problem, and a verifier says when it is solved.
func testTime(ctx context.Context, l *lab) error {
	var rows [][]string
	for _, updates := range []int{10, 40} {
		network, err := l.countdownPolicy(ctx, updates)
		if err != nil {
			return err
		}
		for _, calls := range []int{3, 6, 12, 24, 48, 96, 192} {
			sampled, err := bestOf(ctx, network, calls/3)
			if err != nil {
				return err
			}
			searched, err := searchFor(ctx, network, calls)
			if err != nil {
				return err
			}
			rows = append(rows, []string{fmt.Sprint(updates), fmt.Sprint(calls), share(sampled), share(searched)})
		}
	}
	return l.write(testTimePage, "## Share solved\n\nWith its standard error:\n\n"+markdown([]string{"updates", "calls", "best of N", "search"}, rows))
}

var testTimePage = page{
	name:    "testtime",
	title:   "Search at test time against best-of-N",
	command: "go run ./experiments testtime",
	setup: fmt.Sprintf(`Policies are trained by the recipe `+"`countdown_search`"+` for 10 and for 40 updates. For each of
%d held-out problems a method may call the policy a number of times: best-of-N samples
whole solutions, of three steps each; search grows one tree (AlphaZero's rule, no noise)
with one call a simulation. A problem counts as solved where a solution was found, since the
game verifies it.`, testTimeProblems),
}

func share(solved int) string {
	p := float64(solved) / testTimeProblems
	return fmt.Sprintf("%.3f ± %.3f", p, math.Sqrt(p*(1-p)/testTimeProblems))
}

// countdownPolicy trains the recipe for some updates and opens its network.
func (l *lab) countdownPolicy(ctx context.Context, updates int) (*agents.Sampler, error) {
	text, err := recipes.Read("countdown_search")
	if err != nil {
		return nil, err
	}
	recipe, err := trainer.ReadRecipe(text, []string{fmt.Sprintf("updates=%d", updates)})
	if err != nil {
		return nil, err
	}
	complete, err := recipe.YAML()
	if err != nil {
		return nil, err
	}
	dir := fmt.Sprintf("%s/countdown%d", l.dir, updates)
	folder, err := run.Create(dir, complete)
	if err != nil {
		return nil, err
	}
	defer folder.Close() //nolint:errcheck // a temporary run
	if _, err := trainer.Train(ctx, folder, trainer.Options{Backend: l.device, Workers: 2, Log: zerolog.Nop()}); err != nil {
		return nil, err
	}
	game, err := games.New(recipe.Game)
	if err != nil {
		return nil, err
	}
	env := agents.Environment{Game: game, Backend: func() (backend.Backend, error) { return l.device, nil }}
	agent, err := agents.Open(ctx, "run:"+dir, env)
	if err != nil {
		return nil, err
	}
	return agent.(*agents.Sampler), nil
}

// heldOut starts the problems, with a generator for each.
func heldOut(stream string) (games.Game, []games.State, []*rand.Rand, error) {
	game, err := games.New("countdown")
	if err != nil {
		return nil, nil, nil, err
	}
	r := play.Generator(1<<40, "held out")
	states, rands := make([]games.State, testTimeProblems), make([]*rand.Rand, testTimeProblems)
	for i := range states {
		states[i], rands[i] = game.Start(), play.Generator(1, stream, uint64(i))
		if err := states[i].Apply(problem.Draw(r)); err != nil {
			return nil, nil, nil, err
		}
	}
	return game, states, rands, nil
}

// bestOf counts the problems that n sampled solutions solve.
func bestOf(ctx context.Context, agent *agents.Sampler, n int) (int, error) {
	game, starts, rands, err := heldOut("samples")
	if err != nil {
		return 0, err
	}
	solved := make([]bool, len(starts))
	for range n {
		requests, out := make([]play.Request, len(starts)), make([]play.Decision, len(starts))
		for i, s := range starts {
			requests[i] = play.Request{State: s.Clone(), Rand: rands[i]}
		}
		for range game.Info().MaxLength {
			if err := agent.Act(ctx, requests, out); err != nil {
				return 0, err
			}
			for i := range requests {
				if err := requests[i].State.Apply(out[i].Action); err != nil {
					return 0, err
				}
			}
		}
		for i := range requests {
			solved[i] = solved[i] || requests[i].State.Returns(nil)[0] == 1
		}
	}
	return count(solved), nil
}

// searchFor counts the problems that one tree of so many simulations solves.
func searchFor(ctx context.Context, agent *agents.Sampler, simulations int) (int, error) {
	game, starts, rands, err := heldOut("search")
	if err != nil {
		return 0, err
	}
	judge, ok := agent.PolicyValue()
	if !ok {
		return 0, fmt.Errorf("the run's policy holds no value of states")
	}
	rule, err := mcts.NewRule("alphazero")
	if err != nil {
		return 0, err
	}
	o := mcts.Options{Rule: rule, Simulations: simulations - 1, Leaves: 1, Nodes: mcts.DefaultNodes, Prove: true} // the root is a call too
	search, err := mcts.New(o, mcts.Network{PolicyValue: judge})
	if err != nil {
		return 0, err
	}
	trees := make([]*mcts.Tree, len(starts))
	for i, s := range starts {
		if trees[i], err = mcts.NewTree(game.Info(), s, rands[i], nil); err != nil {
			return 0, err
		}
	}
	if err := search.Run(ctx, trees...); err != nil {
		return 0, err
	}
	solved := make([]bool, len(trees))
	for i, t := range trees {
		for _, c := range t.Children(mcts.Root) {
			solved[i] = solved[i] || c.Proven && c.Q >= 1
		}
	}
	return count(solved), nil
}

func count(solved []bool) (n int) {
	for _, s := range solved {
		if s {
			n++
		}
	}
	return n
}
