// Command agon trains, measures and plays agents for zero-sum games.
//
// A program with games or agents of its own is this file with more imports.
package main

import (
	"os"

	"github.com/agon-rl/agon/cmd"
	_ "github.com/agon-rl/agon/games/standard"
	_ "github.com/agon-rl/agon/policy/backend/xla" // nothing without cgo
)

func main() {
	os.Exit(cmd.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
