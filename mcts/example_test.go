package mcts_test

import (
	"context"
	"fmt"

	"github.com/agon-rl/agon/games"
	_ "github.com/agon-rl/agon/games/standard"
	"github.com/agon-rl/agon/mcts"
	"github.com/agon-rl/agon/play"
)

// A search of tic-tac-toe finds the move that wins at once, and proves it.
func Example() {
	game, err := games.New("tic_tac_toe")
	if err != nil {
		fmt.Println(err)
		return
	}
	state := game.Start()
	for _, cell := range []games.Action{0, 3, 1, 4} { // x x . / o o . / . . .
		if err := state.Apply(cell); err != nil {
			fmt.Println(err)
			return
		}
	}
	rule, err := mcts.NewRule("uct")
	if err != nil {
		fmt.Println(err)
		return
	}
	options := mcts.Options{Rule: rule, Simulations: 200, Leaves: 1, Nodes: mcts.DefaultNodes, Prove: true}
	search, err := mcts.New(options, &mcts.Rollout{Count: 1}) // leaves are judged by one random game
	if err != nil {
		fmt.Println(err)
		return
	}
	tree, err := mcts.NewTree(game.Info(), state, play.Generator(1, "search"), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := search.Run(context.Background(), tree); err != nil {
		fmt.Println(err)
		return
	}
	for _, child := range tree.Children(mcts.Root) {
		if child.Action == tree.Best() {
			fmt.Printf("best %s, value %+.0f, proven %t\n", games.Say(state, child.Action), child.Q, child.Proven)
		}
	}
	// Output: best x(0,2), value +1, proven true
}
