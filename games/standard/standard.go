// Package standard registers the games that come with Agon. Import it for its
// effect:
//
//	import _ "github.com/agon-rl/agon/games/standard"
package standard
