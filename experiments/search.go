package main

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"

	"github.com/agon-rl/agon/agents"
	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/games/problem"
	"github.com/agon-rl/agon/mcts"
	"github.com/agon-rl/agon/play"
	"github.com/agon-rl/agon/policy"
	"github.com/agon-rl/agon/prefs"
	"github.com/agon-rl/agon/solve"
)

// search measures tree search by itself: how good its moves are, and how often
// the pairs that the published rules take from its trees are wrong.
func search(ctx context.Context, l *lab) error {
	quality, err := ticTacToeQuality(ctx)
	if err != nil {
		return err
	}
	centre, err := centreRate(ctx)
	if err != nil {
		return err
	}
	tactics, err := connectFourTactics(ctx)
	if err != nil {
		return err
	}
	hidden, err := hiddenInformation(ctx)
	if err != nil {
		return err
	}
	errors, err := ticTacToePairs(ctx)
	if err != nil {
		return err
	}
	countdown, err := countdownPairs(ctx)
	if err != nil {
		return err
	}
	return l.write(searchPage, `## Tic-tac-toe, all 4,520 states where somebody is to move

The share in which the move found keeps the value of the game, ± its standard
error, and the share of 100 games drawn with a perfect player that chooses at
random among its best moves:

`+quality+`
## Connect four

The share of 40 searches whose first move is the centre, the only one that wins:

`+centre+`
Positions of random games in which the seat to move wins at once, and others in which
it does not, but the other seat will unless some moves of all are played. How often
the win is taken, and such a move found:

`+tactics+`
## Hidden information

Search over the worlds that a seat cannot tell apart (information-set MCTS, one observer):

`+hidden+`
## How often pairs are wrong

The pair error rate: the share of pairs whose rejected move is worth more than
the chosen one, by minimax; in brackets how many pairs there are, and the share of
those whose moves are worth the same, which teach nothing true. Trees of all 4,520
states of tic-tac-toe; pairs are taken anywhere in the tree (the rule's own filters), then
only between moves tried 10 times:

`+errors+`
On Countdown, the first steps of 500 problems, held against whether the problem can
still be solved after each step:

`+countdown)
}

var searchPage = page{
	name:    "search",
	title:   "What search finds, and what its pairs are worth",
	command: "go run ./experiments search",
	setup: `UCT with one rollout a simulation, which is one random game; its constant is √2. Proofs
(` + "`prove=true`" + `) pass exact values up from the ends of the game.`,
}

// uct returns the options of UCT with rollouts.
func uct(simulations int, prove bool) mcts.Options {
	rule, err := mcts.NewRule("uct")
	if err != nil {
		panic(err) // a name that is in the list
	}
	return mcts.Options{Rule: rule, Simulations: simulations, Leaves: 1, Nodes: mcts.DefaultNodes, Prove: prove}
}

// decisionsOf lists a state of every position where somebody is to move, with
// the actions that lead there.
func decisionsOf(game games.Game) (states []games.State, histories [][]games.Action) {
	met := map[string]bool{}
	var walk func(s games.State, history []games.Action)
	walk = func(s games.State, history []games.Action) {
		key := string(s.(games.Positioned).AppendPosition(nil))
		if met[key] || s.Turn() == games.Over {
			return
		}
		met[key] = true
		states, histories = append(states, s), append(histories, history)
		for _, a := range s.Actions(nil) {
			next := s.Clone()
			if next.Apply(a) == nil {
				walk(next, append(slices.Clone(history), a))
			}
		}
	}
	walk(game.Start(), nil)
	return states, histories
}

// grow searches states side by side and hands each tree to visit, in any order
// but one at a time.
func grow(ctx context.Context, game games.Game, states []games.State, o mcts.Options, visit func(i int, t *mcts.Tree) error) error {
	var mu sync.Mutex
	var wait sync.WaitGroup
	workers := runtime.GOMAXPROCS(0)
	failures := make([]error, workers)
	for w := range workers {
		wait.Go(func() {
			s, err := mcts.New(o, &mcts.Rollout{Count: 1})
			for i := w; i < len(states) && err == nil; i += workers {
				var t *mcts.Tree
				if t, err = mcts.NewTree(game.Info(), states[i], play.Generator(1, "search", uint64(i)), nil); err != nil {
					break
				}
				if err = s.Run(ctx, t); err != nil {
					break
				}
				mu.Lock()
				err = visit(i, t)
				mu.Unlock()
			}
			failures[w] = err
		})
	}
	wait.Wait()
	for _, err := range failures {
		if err != nil {
			return err
		}
	}
	return ctx.Err()
}

func ticTacToeQuality(ctx context.Context) (string, error) {
	game, err := games.New("tic_tac_toe")
	if err != nil {
		return "", err
	}
	perfect, err := solve.Minimax(ctx, game)
	if err != nil {
		return "", err
	}
	states, _ := decisionsOf(game)
	var rows [][]string
	for _, simulations := range []int{10, 25, 50, 100, 200, 500} {
		row := []string{fmt.Sprint(simulations)}
		for _, prove := range []bool{false, true} {
			right := 0
			err := grow(ctx, game, states, uct(simulations, prove), func(i int, t *mcts.Tree) error {
				actions := states[i].Actions(nil)
				p := make([]float64, len(actions))
				if err := perfect.Probabilities(ctx, states[i:i+1], [][]float64{p}); err != nil {
					return err
				}
				if p[slices.Index(actions, t.Best())] > 0 {
					right++
				}
				return nil
			})
			if err != nil {
				return "", err
			}
			share := float64(right) / float64(len(states))
			draws, err := drawn(ctx, game, fmt.Sprintf("mcts:sims=%d,prove=%t", simulations, prove))
			if err != nil {
				return "", err
			}
			row = append(row, fmt.Sprintf("%.3f ± %.3f", share, math.Sqrt(share*(1-share)/float64(len(states)))), draws)
		}
		rows = append(rows, row)
	}
	return markdown([]string{"simulations", "UCT", "draws as X / O", "UCT with proofs", "draws as X / O"}, rows), nil
}

// drawn plays 100 games in each seat against the perfect player.
func drawn(ctx context.Context, game games.Game, name string) (string, error) {
	env := agents.Environment{Game: game}
	searcher, err := agents.Open(ctx, name, env)
	if err != nil {
		return "", err
	}
	perfect, err := agents.Open(ctx, "minimax", env)
	if err != nil {
		return "", err
	}
	const count = 200
	match := play.Match{
		Game: game, Seed: 1, Agents: []play.Agent{searcher, perfect}, Workers: runtime.GOMAXPROCS(0),
		Seats: func(e uint64, _ int) []int { return play.OneAgainstRest(2, e) },
	}
	episodes, err := match.Play(ctx, 0, count)
	if err != nil {
		return "", err
	}
	var draws [2]int
	for _, e := range episodes {
		if e.Returns[0] == 0 {
			draws[slices.Index(e.Agents, 0)]++
		}
	}
	return fmt.Sprintf("%d / %d", draws[0], draws[1]), nil
}

func centreRate(ctx context.Context) (string, error) {
	game, err := games.New("connect_four")
	if err != nil {
		return "", err
	}
	states := slices.Repeat([]games.State{game.Start()}, 40)
	var rows [][]string
	for _, simulations := range []int{100, 1000, 10_000} {
		centre := 0
		err := grow(ctx, game, states, uct(simulations, false), func(_ int, t *mcts.Tree) error {
			if t.Best() == 3 {
				centre++
			}
			return nil
		})
		if err != nil {
			return "", err
		}
		rows = append(rows, []string{fmt.Sprint(simulations), fmt.Sprintf("%d of 40", centre)})
	}
	return markdown([]string{"simulations", "centre"}, rows), nil
}

// connectFourTactics is how often wins of one move are taken, and threats of one met, in
// connect four.
func connectFourTactics(ctx context.Context) (string, error) {
	game, err := games.New("connect_four")
	if err != nil {
		return "", err
	}
	const wins, threats = 120, 80
	var states []games.State
	var good []map[games.Action]bool
	have := [2]int{}
	for number := uint64(0); have[0] < wins || have[1] < threats; number++ {
		s, r := game.Start(), play.Generator(1, "tactics", number)
		for s.Turn() != games.Over {
			kind, right := tactic(s)
			if kind >= 0 && have[kind] < [2]int{wins, threats}[kind] {
				have[kind]++
				states, good = append(states, s.Clone()), append(good, right)
				break // one position a game
			}
			legal := s.Actions(nil)
			if err := s.Apply(legal[r.IntN(len(legal))]); err != nil {
				return "", err
			}
		}
	}
	var rows [][]string
	for _, simulations := range []int{50, 500, 5000} {
		row := []string{fmt.Sprint(simulations)}
		for _, prove := range []bool{false, true} {
			found := [2]int{}
			err := grow(ctx, game, states, uct(simulations, prove), func(i int, t *mcts.Tree) error {
				kind, _ := tactic(states[i])
				if good[i][t.Best()] {
					found[kind]++
				}
				return nil
			})
			if err != nil {
				return "", err
			}
			row = append(row, fmt.Sprintf("%d of %d", found[0], wins), fmt.Sprintf("%d of %d", found[1], threats))
		}
		rows = append(rows, row)
	}
	return markdown([]string{"simulations", "UCT: wins taken", "threats met", "with proofs: wins taken", "threats met"}, rows), nil
}

// tactic tells positions of connect four apart: 0 where somebody wins at once, 1
// where some moves but not all let the other win at once, -1 for the rest; and the
// moves that are right.
func tactic(s games.State) (kind int, right map[games.Action]bool) {
	winning := winners(s)
	if len(winning) > 0 {
		return 0, winning
	}
	legal := s.Actions(nil)
	safe := map[games.Action]bool{}
	for _, a := range legal {
		if next := s.Clone(); next.Apply(a) == nil && len(winners(next)) == 0 {
			safe[a] = true
		}
	}
	if len(safe) == 0 || len(safe) == len(legal) {
		return -1, nil
	}
	return 1, safe
}

// winners are the moves that end a game of two in favour of who plays them.
func winners(s games.State) map[games.Action]bool {
	out := map[games.Action]bool{}
	for _, a := range s.Actions(nil) {
		next := s.Clone()
		if next.Apply(a) == nil && next.Turn() == games.Over && next.Returns(nil)[s.Turn()] > 0 {
			out[a] = true
		}
	}
	return out
}

func hiddenInformation(ctx context.Context) (string, error) {
	game, err := games.New("kuhn_poker")
	if err != nil {
		return "", err
	}
	tree, err := solve.Compile(ctx, game, solve.DefaultNodes)
	if err != nil {
		return "", err
	}
	var rows [][]string
	for _, simulations := range []int{100, 1000, 10_000, 100_000} {
		agent, err := agents.Open(ctx, fmt.Sprintf("mcts:sims=%d,c=1,temperature=1", simulations), agents.Environment{Game: game})
		if err != nil {
			return "", err
		}
		report, err := tree.Evaluate(ctx, agent.(agents.Queryable).Policy())
		if err != nil {
			return "", err
		}
		rows = append(rows, []string{fmt.Sprint(simulations), fmt.Sprintf("%.4f", report.Exploitability)})
	}
	uniform, err := tree.Evaluate(ctx, policy.Uniform{})
	if err != nil {
		return "", err
	}
	rows = append(rows, []string{"none: uniform play", fmt.Sprintf("%.4f", uniform.Exploitability)})
	return markdown([]string{"simulations", "exploitability on Kuhn poker"}, rows), nil
}

func ticTacToePairs(ctx context.Context) (string, error) {
	game, err := games.New("tic_tac_toe")
	if err != nil {
		return "", err
	}
	perfect, err := solve.Minimax(ctx, game)
	if err != nil {
		return "", err
	}
	states, histories := decisionsOf(game)
	return pairErrors(ctx, game, states, histories, perfect.Value)
}

func countdownPairs(ctx context.Context) (string, error) {
	game, err := games.New("countdown")
	if err != nil {
		return "", err
	}
	const problems = 500
	states, histories := make([]games.State, problems), make([][]games.Action, problems)
	r := play.Generator(1, "problems")
	for i := range states {
		states[i], histories[i] = game.Start(), []games.Action{problem.Draw(r)}
		if err := states[i].Apply(histories[i][0]); err != nil {
			return "", err
		}
	}
	value, _ := prefs.Verifier(game)
	return pairErrors(ctx, game, states, histories, value)
}

// pairErrors is a table of how often each rule's pairs contradict what states are
// worth.
func pairErrors(ctx context.Context, game games.Game, states []games.State, histories [][]games.Action, value func(context.Context, games.State) (float64, error)) (string, error) {
	budgets := []int{50, 200, 1000}
	var rules []prefs.Extraction
	for _, name := range prefs.Extractions.Names() {
		for _, visits := range []int{-1, 10} {
			rule, err := prefs.FindExtraction(name)
			if visits > 0 {
				rule, err = prefs.FindExtraction(fmt.Sprintf("%s(visits=%d)", name, visits))
			}
			if err != nil {
				return "", err
			}
			rules = append(rules, rule)
		}
	}
	totals := make([][]prefs.Errors, len(rules))
	for r := range totals {
		totals[r] = make([]prefs.Errors, len(budgets))
	}
	for b, simulations := range budgets {
		err := grow(ctx, game, states, uct(simulations, false), func(i int, t *mcts.Tree) error {
			for r, rule := range rules {
				e, err := prefs.Check(ctx, prefs.Extract(t, rule, prefs.Context{Game: game.Info().Name, History: histories[i]}), value)
				if err != nil {
					return err
				}
				total := &totals[r][b]
				total.Pairs, total.Wrong, total.Even = total.Pairs+e.Pairs, total.Wrong+e.Wrong, total.Even+e.Even
			}
			return nil
		})
		if err != nil {
			return "", err
		}
	}
	var rows [][]string
	for r, rule := range rules {
		row := []string{"`" + rule.Name + "`"}
		for b := range budgets {
			e := totals[r][b]
			row = append(row, fmt.Sprintf("%.3f (%d, %.2f)", e.Rate(), e.Pairs, float64(e.Even)/float64(max(1, e.Pairs))))
		}
		rows = append(rows, row)
	}
	return markdown([]string{"rule", "50 simulations", "200", "1,000"}, rows), nil
}
