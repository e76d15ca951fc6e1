package agents_test

import (
	"context"
	"fmt"

	"github.com/agon-rl/agon/agents"
	"github.com/agon-rl/agon/games"
	_ "github.com/agon-rl/agon/games/standard"
	"github.com/agon-rl/agon/play"
	"github.com/agon-rl/agon/solve"
)

// Agents are opened by the names that every verb takes.
func ExampleOpen() {
	ctx := context.Background()
	game, err := games.New("tic_tac_toe")
	if err != nil {
		fmt.Println(err)
		return
	}
	var opened []play.Agent
	for _, name := range []string{"mcts:sims=50", "minimax"} {
		agent, err := agents.Open(ctx, name, agents.Environment{Game: game})
		if err != nil {
			fmt.Println(err)
			return
		}
		defer agent.Close()
		opened = append(opened, agent)
	}
	match := play.Match{
		Game: game, Seed: 1, Agents: opened,
		Seats: func(episode uint64, _ int) []int { return play.OneAgainstRest(2, episode) },
	}
	episodes, err := match.Play(ctx, 0, 100)
	if err != nil {
		fmt.Println(err)
		return
	}
	lost := 0 // by the perfect player
	for _, episode := range episodes {
		for seat, agent := range episode.Agents {
			if agent == 1 && episode.Returns[seat] < 0 {
				lost++
			}
		}
	}
	fmt.Println("minimax lost", lost, "of", len(episodes))
	// Output: minimax lost 0 of 100
}

// Agents that draw from known probabilities can be asked for them, and so be measured
// exactly.
func ExampleQueryable() {
	ctx := context.Background()
	game, err := games.New("kuhn_poker")
	if err != nil {
		fmt.Println(err)
		return
	}
	agent, err := agents.Open(ctx, "cfr:iterations=1000", agents.Environment{Game: game})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer agent.Close()
	tree, err := solve.Compile(ctx, game, solve.DefaultNodes)
	if err != nil {
		fmt.Println(err)
		return
	}
	report, err := tree.Evaluate(ctx, agent.(agents.Queryable).Policy())
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("exploitability %.4f\n", report.Exploitability)
	// Output: exploitability 0.0001
}
