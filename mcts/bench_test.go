package mcts_test

import (
	"context"
	"sync"
	"testing"

	"github.com/agon-rl/agon/games"
	_ "github.com/agon-rl/agon/games/standard"
	"github.com/agon-rl/agon/mcts"
	"github.com/agon-rl/agon/play"
)

func open(t testing.TB, name string) games.Game {
	t.Helper()
	game, err := games.New(name)
	if err != nil {
		t.Fatal(err)
	}
	return game
}

func options(t testing.TB, rule string, simulations int) mcts.Options {
	t.Helper()
	r, err := mcts.NewRule(rule)
	if err != nil {
		t.Fatal(err)
	}
	return mcts.Options{Rule: r, Simulations: simulations, Leaves: 1, Nodes: mcts.DefaultNodes}
}

func tree(t testing.TB, game games.Game, s games.State, number uint64) *mcts.Tree {
	t.Helper()
	tree, err := mcts.NewTree(game.Info(), s, play.Generator(1, "search", number), nil)
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

// BenchmarkUCT times searches of the first move with one random game a
// simulation, on one goroutine.
func BenchmarkUCT(b *testing.B) {
	for _, name := range []string{"tic_tac_toe", "connect_four", "chess"} {
		b.Run(name, func(b *testing.B) {
			game := open(b, name)
			start := game.Start()
			const simulations = 1000
			for i := range b.N {
				s, err := mcts.New(options(b, "uct", simulations), &mcts.Rollout{Count: 1})
				if err != nil {
					b.Fatal(err)
				}
				if err := s.Run(context.Background(), tree(b, game, start, uint64(i))); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(simulations*b.N)/b.Elapsed().Seconds(), "sims/s")
		})
	}
}

// nothing knows nothing: every action as likely, every state worth 0.
type nothing struct{}

func (nothing) Evaluate(_ context.Context, leaves []mcts.Leaf, out []mcts.Evaluation) error {
	for i, leaf := range leaves {
		for range leaf.Info.Seats {
			out[i].Values = append(out[i].Values, 0)
		}
	}
	return nil
}

// BenchmarkGumbel times Gumbel searches of the first move in 256 trees, without
// a network, on all cores.
func BenchmarkGumbel(b *testing.B) {
	for _, name := range []string{"tic_tac_toe", "connect_four"} {
		b.Run(name, func(b *testing.B) {
			game := open(b, name)
			start := game.Start()
			const simulations, trees, workers = 64, 256, 2
			for range b.N {
				var wait sync.WaitGroup
				for w := range workers {
					wait.Go(func() {
						var mine []*mcts.Tree
						for i := range trees / workers {
							mine = append(mine, tree(b, game, start, uint64(w*trees+i)))
						}
						s, err := mcts.New(options(b, "gumbel", simulations), nothing{})
						if err != nil {
							b.Error(err)
							return
						}
						if err := s.Run(context.Background(), mine...); err != nil {
							b.Error(err)
						}
					})
				}
				wait.Wait()
			}
			b.ReportMetric(float64(simulations*trees*b.N)/b.Elapsed().Seconds(), "sims/s")
		})
	}
}

// BenchmarkRules times every rule on one goroutine, without a network.
func BenchmarkRules(b *testing.B) {
	for _, rule := range mcts.Rules.Names() {
		b.Run(rule, func(b *testing.B) {
			game := open(b, "connect_four")
			const simulations = 1000
			for i := range b.N {
				s, err := mcts.New(options(b, rule, simulations), nothing{})
				if err != nil {
					b.Fatal(err)
				}
				if err := s.Run(context.Background(), tree(b, game, game.Start(), uint64(i))); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(simulations*b.N)/b.Elapsed().Seconds(), "sims/s")
		})
	}
}
