// Package problem holds what games of reasoning share: one seat, a problem
// drawn by chance at the start or fixed by a seed, and a verifier that knows the
// truth of every step. Chance is too wide to list, so the outcome drawn is the
// problem's seed itself: an episode holds it, and so can be replayed.
package problem

import (
	"math/rand/v2"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/internal/spec"
)

// Roles names the one seat.
var Roles = []string{"solver"}

// Verified is implemented by the states of reasoning games.
type Verified interface {
	// CheckStep tells what is wrong with a step that is open here; nil for a
	// right one. A wrong step may be taken.
	CheckStep(games.Action) error
	// Solvable tells whether the problem can still be solved from here.
	Solvable() bool
}

// Drawn stands for a problem that chance draws, as the value of a seed.
const Drawn = -1

// MaxSeed is the largest seed of a problem.
const MaxSeed = 1<<31 - 1

// Param documents the parameter that fixes a problem.
var Param = games.Param{Name: "seed", Default: "drawn", Help: "fixes the problem; otherwise chance draws one"}

// ReadSeed reads the parameter.
func ReadSeed(r *spec.Reader) int {
	if r.String("seed", "drawn") == "drawn" {
		return Drawn
	}
	return r.Int("seed", Drawn, 0, MaxSeed)
}

// Draw draws a problem's seed: what games.Sampler's Sample returns.
func Draw(r *rand.Rand) games.Action { return games.Action(r.Int32()) }

// Generator is the generator that a problem is made with.
func Generator(seed games.Action) *rand.Rand {
	return rand.New(rand.NewPCG(uint64(seed), 0x9e3779b97f4a7c15))
}

// Returns pays 1 for a problem solved and -1 for one that is not, once the game
// is over.
func Returns(dst []float64, over, solved bool) []float64 {
	switch {
	case !over:
		return append(dst, 0)
	case solved:
		return append(dst, 1)
	}
	return append(dst, -1)
}
