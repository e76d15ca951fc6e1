// Command broken serves a game with a defect of choice, to see what a check says
// of it:
//
//	go build -o broken ./plugins/examples/broken
//	agon plugin check 'plugin:./broken leak-in-key'
package main

import (
	"fmt"
	"os"
	"strings"

	_ "github.com/agon-rl/agon/games/standard"
	"github.com/agon-rl/agon/plugins"
	"github.com/agon-rl/agon/plugins/plugintest"
)

func main() {
	rules, err := plugintest.Broken(strings.Join(os.Args[1:], " "))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	plugins.ServeRules(rules)
}
