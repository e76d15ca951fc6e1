// Command goofspiel serves Goofspiel with its parameters, as an author's program
// would serve a game of their own:
//
//	go build -o goofspiel ./plugins/examples/goofspiel
//	agon plugin check 'plugin:./goofspiel(num_cards=3)'
package main

import (
	"github.com/agon-rl/agon/games"
	_ "github.com/agon-rl/agon/games/goofspiel"
	"github.com/agon-rl/agon/plugins"
)

func main() { plugins.ServeRules(games.All()[0]) }
