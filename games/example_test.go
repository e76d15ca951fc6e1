package games_test

import (
	"fmt"

	"github.com/agon-rl/agon/games"
	_ "github.com/agon-rl/agon/games/standard"
)

// A game is walked state by state. Chance is a turn like any other: whoever runs the
// game draws it.
func Example() {
	game, err := games.New("kuhn_poker")
	if err != nil {
		fmt.Println(err)
		return
	}
	state := game.Start()
	for _, name := range []string{"Deal:2", "Deal:0", "Bet", "Bet"} {
		fmt.Printf("turn %d: %s\n", state.Turn(), name)
		action, err := games.Hear(state, name, state.Actions(nil))
		if err == nil {
			err = state.Apply(action)
		}
		if err != nil {
			fmt.Println(err)
			return
		}
	}
	fmt.Println("over:", state.Turn() == games.Over)
	fmt.Println("returns", state.Returns(nil))
	// Output:
	// turn -1: Deal:2
	// turn -1: Deal:0
	// turn 0: Bet
	// turn 1: Bet
	// over: true
	// returns [2 -2]
}

// A game is named with its parameters, and what is wrong with them is said in one line.
func ExampleNew() {
	game, err := games.New("connect_four(rows=5,columns=6)")
	if err != nil {
		fmt.Println(err)
		return
	}
	info := game.Info()
	fmt.Println(info.Seats, "seats:", info.Roles)
	fmt.Println(info.Actions, "actions, at most", info.MaxLength, "in an episode")
	_, err = games.New("conect_four")
	fmt.Println(err)
	// Output:
	// 2 seats: [first second]
	// 6 actions, at most 30 in an episode
	// unknown game "conect_four", did you mean "connect_four"? (`agon games` lists them)
}

// An information state is what a seat knows: the same where it cannot tell two states
// apart.
func ExampleKey() {
	game, err := games.New("kuhn_poker")
	if err != nil {
		fmt.Println(err)
		return
	}
	deal := func(first, second games.Action) games.State {
		state := game.Start()
		for _, card := range []games.Action{first, second} {
			if err := state.Apply(card); err != nil {
				fmt.Println(err)
			}
		}
		return state
	}
	one, other := deal(1, 0), deal(1, 2)
	fmt.Println("first seat:", games.Key(one, 0) == games.Key(other, 0))
	fmt.Println("second seat:", games.Key(one, 1) == games.Key(other, 1))
	// Output:
	// first seat: true
	// second seat: false
}
