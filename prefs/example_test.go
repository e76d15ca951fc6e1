package prefs_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/agon-rl/agon/games"
	_ "github.com/agon-rl/agon/games/standard"
	"github.com/agon-rl/agon/mcts"
	"github.com/agon-rl/agon/play"
	"github.com/agon-rl/agon/prefs"
)

// searched grows a tree of the first move of tic-tac-toe.
func searched(ctx context.Context, game games.Game) (*mcts.Tree, error) {
	rule, err := mcts.NewRule("uct")
	if err != nil {
		return nil, err
	}
	search, err := mcts.New(mcts.Options{Rule: rule, Simulations: 500, Leaves: 1, Nodes: mcts.DefaultNodes}, &mcts.Rollout{Count: 1})
	if err != nil {
		return nil, err
	}
	tree, err := mcts.NewTree(game.Info(), game.Start(), play.Generator(1, "search"), nil)
	if err != nil {
		return nil, err
	}
	return tree, search.Run(ctx, tree)
}

// A rule takes pairs from a search's tree; they are written in the columns that TRL's
// trainers load, and read again.
func Example() {
	game, err := games.New("tic_tac_toe")
	if err != nil {
		fmt.Println(err)
		return
	}
	tree, err := searched(context.Background(), game)
	if err != nil {
		fmt.Println(err)
		return
	}
	rule, err := prefs.FindExtraction("agent-q-open(visits=10)")
	if err != nil {
		fmt.Println(err)
		return
	}
	pairs := prefs.Extract(tree, rule, prefs.Context{Game: game.Info().Name, Source: "uct"})
	dir, err := os.MkdirTemp("", "pairs")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "pairs.parquet")
	if err := prefs.Write(file, pairs); err != nil {
		fmt.Println(err)
		return
	}
	read, err := prefs.Read[prefs.Pair](file)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(len(read) == len(pairs), read[0].Chosen, "over", read[0].Rejected)
	// Output: true x(1,1) over x(2,2)
}

// A strategy chooses the pairs to train on, and an audit asks what else they teach.
func ExampleFindSelector() {
	ctx := context.Background()
	game, err := games.New("tic_tac_toe")
	if err != nil {
		fmt.Println(err)
		return
	}
	tree, err := searched(ctx, game)
	if err != nil {
		fmt.Println(err)
		return
	}
	rule, err := prefs.FindExtraction("tpo")
	if err != nil {
		fmt.Println(err)
		return
	}
	pairs := prefs.Extract(tree, rule, prefs.Context{Game: game.Info().Name})
	selector, err := prefs.FindSelector("margin(gap=0.5)")
	if err != nil {
		fmt.Println(err)
		return
	}
	chosen, err := selector.Select(ctx, pairs, play.Generator(1, "pairs"))
	if err != nil {
		fmt.Println(err)
		return
	}
	stats := prefs.Describe(chosen)
	fmt.Println("fewer pairs:", stats.Pairs < len(pairs), "the least gap is enough:", stats.Gap[0] >= 0.5)
	// Output: fewer pairs: true the least gap is enough: true
}
