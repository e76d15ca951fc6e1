package mcts_test

import (
	"context"
	"fmt"
	"os"
	"testing"

	"github.com/agon-rl/agon/mcts"
	"github.com/agon-rl/agon/play"
	"github.com/agon-rl/agon/policy"
	"github.com/agon-rl/agon/policy/backend"
	_ "github.com/agon-rl/agon/policy/backend/xla" // opened where AGON_BACKEND says so
)

// BenchmarkNetwork times AlphaZero's search of connect four with a network at the
// leaves: of one tree, one leaf a call, and of many trees in lockstep. It runs
// on the backend that AGON_BACKEND names.
func BenchmarkNetwork(b *testing.B) {
	name := os.Getenv("AGON_BACKEND")
	if name == "" {
		name = backend.Go
	}
	device, _, err := backend.Open(name)
	if err != nil {
		b.Skip(err)
	}
	game := open(b, "connect_four")
	model, err := policy.Description{Game: "connect_four", Arch: policy.Arch{Kind: "mlp", Hidden: []int{512, 256}, Activation: "relu"}}.Model(device, game)
	if err != nil {
		b.Fatal(err)
	}
	weights, err := model.Draw(play.Generator(1, "weights"))
	if err != nil {
		b.Fatal(err)
	}
	defer weights.Close()
	network, err := model.Network(weights)
	if err != nil {
		b.Fatal(err)
	}
	defer network.Close()
	const simulations = 50
	for _, count := range []int{1, 16, 256, 1024} {
		b.Run(fmt.Sprintf("trees=%d", count), func(b *testing.B) {
			o := options(b, "alphazero", simulations)
			o.Noise = mcts.Noise{Alpha: 1, Share: 0.25} // trees of one position differ
			for range b.N {
				var trees []*mcts.Tree
				for i := range count {
					trees = append(trees, tree(b, game, game.Start(), uint64(i)))
				}
				s, err := mcts.New(o, mcts.Network{PolicyValue: network})
				if err != nil {
					b.Fatal(err)
				}
				if err := s.Run(context.Background(), trees...); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(simulations*count*b.N)/b.Elapsed().Seconds(), "sims/s")
		})
	}
}
