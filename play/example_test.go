package play_test

import (
	"context"
	"fmt"

	"github.com/agon-rl/agon/games"
	_ "github.com/agon-rl/agon/games/standard"
	"github.com/agon-rl/agon/play"
)

// bold takes the last of the legal actions, which in Kuhn poker is to bet.
type bold struct{}

// Act answers for all seats that wait, in one call.
func (bold) Act(_ context.Context, in []play.Request, out []play.Decision) error {
	for i, request := range in {
		actions := request.State.Actions(nil)
		out[i] = play.Decision{Action: actions[len(actions)-1]}
	}
	return nil
}

func (bold) Close() error { return nil }

// careless draws from the generator that comes with the request, and nowhere else: so a
// seed fixes every game.
type careless struct{}

func (careless) Act(_ context.Context, in []play.Request, out []play.Decision) error {
	for i, request := range in {
		actions := request.State.Actions(nil)
		out[i] = play.Decision{Action: actions[request.Rand.IntN(len(actions))]}
	}
	return nil
}

func (careless) Close() error { return nil }

// Two agents play ten thousand games, each in either seat in turn. The number of workers
// changes no game.
func ExampleMatch() {
	game, err := games.New("kuhn_poker")
	if err != nil {
		fmt.Println(err)
		return
	}
	match := play.Match{
		Game: game, Seed: 1, Agents: []play.Agent{bold{}, careless{}}, Workers: 2,
		Seats: func(episode uint64, _ int) []int { return play.OneAgainstRest(2, episode) },
	}
	episodes, err := match.Play(context.Background(), 0, 10_000)
	if err != nil {
		fmt.Println(err)
		return
	}
	sum := 0.0
	for _, episode := range episodes {
		for seat, agent := range episode.Agents {
			if agent == 0 {
				sum += episode.Returns[seat]
			}
		}
	}
	fmt.Printf("%d games, bold wins %.1f chips a game\n", len(episodes), sum/float64(len(episodes)))
	fmt.Println("the first:", episodes[0].Actions, episodes[0].Returns)
	// Output:
	// 10000 games, bold wins 0.4 chips a game
	// the first: [2 1 1 0] [1 -1]
}

// A generator is derived from the seed and from what its numbers are for.
func ExampleGenerator() {
	deals := play.Generator(1, "deals", 17)
	again := play.Generator(1, "deals", 17)
	other := play.Generator(1, "deals", 18)
	x, y, z := deals.Uint64(), again.Uint64(), other.Uint64()
	fmt.Println(x == y, x == z)
	// Output: true false
}
