package arena_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/agon-rl/agon/agents"
	"github.com/agon-rl/agon/arena"
	"github.com/agon-rl/agon/games"
	_ "github.com/agon-rl/agon/games/standard"
)

// Agents play a round robin in sets of two games with the seats swapped. The tournament is
// its log: the table is what counting it gives, and one that was stopped goes on from it.
func Example() {
	ctx := context.Background()
	game, err := games.New("tic_tac_toe")
	if err != nil {
		fmt.Println(err)
		return
	}
	tournament := arena.Tournament{Game: game, Seed: 1, Group: 2, Workers: 2}
	for _, name := range []string{"random", "mcts:sims=20", "minimax"} {
		agent, err := agents.Open(ctx, name, agents.Environment{Game: game})
		if err != nil {
			fmt.Println(err)
			return
		}
		defer agent.Close()
		tournament.Entrants = append(tournament.Entrants, arena.Entrant{Name: name, Agent: agent})
	}
	if tournament.Schedule, err = arena.ParseSchedule("roundrobin", 50, tournament.Seed); err != nil {
		fmt.Println(err)
		return
	}
	dir, err := os.MkdirTemp("", "tournament")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	log, err := arena.OpenLog(filepath.Join(dir, "games.log"))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer log.Close()
	table, err := tournament.Run(ctx, log, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	summary, err := table.Summarize(arena.Rating{Resamples: 200, Seed: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, s := range summary.Standings {
		fmt.Printf("%-12s %d games, rated %t\n", s.Name, s.Games(), s.Elo95 != nil)
	}
	// Output:
	// minimax      200 games, rated true
	// mcts:sims=20 200 games, rated true
	// random       200 games, rated true
}
