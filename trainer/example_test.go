package trainer_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/agon-rl/agon/agents"
	"github.com/agon-rl/agon/games"
	_ "github.com/agon-rl/agon/games/standard"
	"github.com/agon-rl/agon/play"
	"github.com/agon-rl/agon/policy/backend"
	"github.com/agon-rl/agon/trainer"
	"github.com/agon-rl/agon/trainer/run"
)

// A recipe is trained into a folder, and the run is an agent from then on. These are the
// lines of README.md.
func ExampleTrain() {
	check := func(err error) {
		if err != nil {
			panic(err)
		}
	}
	root, err := os.MkdirTemp("", "agon")
	check(err)
	defer os.RemoveAll(root)
	ctx, dir := context.Background(), filepath.Join(root, "run")

	recipe, err := trainer.ReadRecipe([]byte("game: kuhn_poker"), []string{"updates=100", "games=256"})
	check(err)
	text, err := recipe.YAML()
	check(err)
	folder, err := run.Create(dir, text)
	check(err)
	device, _, err := backend.Open(backend.Go)
	check(err)
	result, err := trainer.Train(ctx, folder, trainer.Options{Backend: device})
	check(err)
	fmt.Printf("exploitability below that of uniform play: %t\n", result.Final["exploitability"] < 0.4583)
	game, err := games.New("kuhn_poker")
	check(err)
	open := func() (backend.Backend, error) { return device, nil }
	trained, err := agents.Open(ctx, "run:"+dir, agents.Environment{Game: game, Backend: open})
	check(err)
	seats := func(episode uint64, _ int) []int { return play.OneAgainstRest(2, episode) }
	match := play.Match{Game: game, Seed: 1, Agents: []play.Agent{trained, agents.NewRandom()}, Seats: seats}
	episodes, err := match.Play(ctx, 0, 1000)
	check(err)
	fmt.Println(len(episodes), "games")
	// Output:
	// exploitability below that of uniform play: true
	// 1000 games
}
