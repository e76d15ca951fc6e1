package plugins_test

import (
	"context"
	"fmt"
	"os"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/plugins"
)

// A program that serves a game is started, asked and ended; from then on its game is one
// like any other. This one is the test itself, which serves Kuhn poker.
func ExampleOpen() {
	game, err := plugins.Open(plugins.Options{Command: []string{os.Args[0], "kuhn_poker", never, "-", "panic"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer game.Close()
	fmt.Println(game.Info().Name, game.Info().Roles)
	ours, err := games.New("kuhn_poker")
	if err != nil {
		fmt.Println(err)
		return
	}
	difference, err := plugins.Compare(context.Background(), game, ours, plugins.CheckOptions{Histories: 100, Walks: 10})
	fmt.Printf("differences from the built-in game: %q, %v\n", difference, err)
	// Output:
	// kuhn_poker [first second]
	// differences from the built-in game: "", <nil>
}

// The main function of a program that serves a game: anything that implements
// games.Game.
func ExampleServe() {
	game, err := games.New("nim(pile_sizes=3;5)")
	if err != nil {
		fmt.Println(err)
		return
	}
	if !plugins.Called() { // by a person, and not by a host
		fmt.Println("agon play plugin:./" + game.Info().Name)
		return
	}
	plugins.Serve(game)
	// Output: agon play plugin:./nim(pile_sizes=3;5)
}

// The main function of a program that plays: it answers questions.
func ExampleServeAgent() {
	if !plugins.Called() {
		fmt.Println("agon tournament kuhn_poker random mine=plugin:./mine")
		return
	}
	plugins.ServeAgent(func(_ context.Context, q plugins.Question) (plugins.Decision, error) {
		return plugins.Decision{Action: q.Actions[q.Rand.IntN(len(q.Actions))]}, nil
	})
	// Output: agon tournament kuhn_poker random mine=plugin:./mine
}
