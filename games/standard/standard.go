// Package standard registers the games that come with Agon. Import it for its
// effect:
//
//	import _ "github.com/agon-rl/agon/games/standard"
package standard

import (
	_ "github.com/agon-rl/agon/games/arithmetic"
	_ "github.com/agon-rl/agon/games/blotto"
	_ "github.com/agon-rl/agon/games/breakthrough"
	_ "github.com/agon-rl/agon/games/chess"
	_ "github.com/agon-rl/agon/games/connectfour"
	_ "github.com/agon-rl/agon/games/countdown"
	_ "github.com/agon-rl/agon/games/equations"
	_ "github.com/agon-rl/agon/games/goofspiel"
	_ "github.com/agon-rl/agon/games/hex"
	_ "github.com/agon-rl/agon/games/horn"
	_ "github.com/agon-rl/agon/games/inspection"
	_ "github.com/agon-rl/agon/games/kuhn"
	_ "github.com/agon-rl/agon/games/leduc"
	_ "github.com/agon-rl/agon/games/liarsdice"
	_ "github.com/agon-rl/agon/games/matrix"
	_ "github.com/agon-rl/agon/games/modchain"
	_ "github.com/agon-rl/agon/games/negotiation"
	_ "github.com/agon-rl/agon/games/nim"
	_ "github.com/agon-rl/agon/games/othello"
	_ "github.com/agon-rl/agon/games/phantom"
	_ "github.com/agon-rl/agon/games/pig"
	_ "github.com/agon-rl/agon/games/randomgame"
	_ "github.com/agon-rl/agon/games/sequence"
	_ "github.com/agon-rl/agon/games/sneakycritic"
	_ "github.com/agon-rl/agon/games/spiralkuhn"
	_ "github.com/agon-rl/agon/games/tictactoe"
	_ "github.com/agon-rl/agon/games/truthdeception"
	_ "github.com/agon-rl/agon/games/undercover"
	_ "github.com/agon-rl/agon/games/wordproblem"
)
