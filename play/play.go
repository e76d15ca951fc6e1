// Package play runs games: it seats agents, advances many games in lockstep so
// that agents decide for all waiting seats in one call, and records episodes.
//
// Every episode draws from generators of its own, derived from the run's seed
// and the episode's number, so what happens in an episode does not depend on
// how many games run beside it or on how many goroutines do the work.
package play

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/agon-rl/agon/games"
)

// Agent is whatever picks actions. One call serves all seats that wait for it.
type Agent interface {
	// Act writes a decision for every request, in order. An error means that
	// no decision could be made at all and ends the run; what goes wrong with
	// one request goes into that decision's Err. Act may be called from
	// several goroutines at once.
	Act(ctx context.Context, in []Request, out []Decision) error
	// Close releases what the agent holds.
	Close() error
}

// Request asks for one action. The agent must not change State and must not
// keep it after Act returns.
type Request struct {
	State games.State
	Seat  games.Seat
	Turn  int // decisions made in the episode before this one, by all seats
	// Left is what the clock allows now: Move for this decision, Game for all that are
	// still to come, with Gain more for each. Zero where there is no limit.
	Left Clock
	// Rand is the generator of this seat in this episode. An agent draws its
	// randomness from here and nowhere else.
	Rand *rand.Rand
}

// Decision answers a Request.
type Decision struct {
	Action games.Action
	// Text is what the agent said, where it speaks. It goes into the record
	// and, where the game is a games.Talker, to the other seats.
	Text string
	// Record is opaque to everyone but the policy that wrote it: what its
	// updater needs to learn from this turn later.
	Record any
	// Cost is what the decision took, as far as the agent counts it.
	Cost Cost
	// Err says why there is no action: a forfeit, or, where it wraps
	// games.ErrLost, a game that is void and played again.
	Err error
}

// Cost is what decisions took.
type Cost struct {
	Moves     int           `json:"moves,omitempty"`
	Time      time.Duration `json:"time,omitempty"`    // nanoseconds; of a call for many seats an equal part each
	Illegal   int           `json:"illegal,omitempty"` // answers that were no legal action
	Failed    int           `json:"failed,omitempty"`  // calls of a server that failed and were made again
	TokensIn  int64         `json:"tokens_in,omitempty"`
	TokensOut int64         `json:"tokens_out,omitempty"`
	Dollars   float64       `json:"dollars,omitempty"`
}

// Add adds another cost.
func (c *Cost) Add(d Cost) {
	c.Moves += d.Moves
	c.Time += d.Time
	c.Illegal += d.Illegal
	c.Failed += d.Failed
	c.TokensIn += d.TokensIn
	c.TokensOut += d.TokensOut
	c.Dollars += d.Dollars
}

// paid is what stays of a cost when its game got lost: the game has other moves, but
// what was paid is gone.
func (c Cost) paid() Cost {
	return Cost{Failed: c.Failed, TokensIn: c.TokensIn, TokensOut: c.TokensOut, Dollars: c.Dollars}
}

// Clock limits how long a seat may think. Zero is no limit.
type Clock struct {
	Move   time.Duration // for each decision
	Game   time.Duration // for all decisions of a game
	Gain   time.Duration // added to what is left of Game after each decision
	Margin time.Duration // by how much a limit may be overrun without loss
}

// left is what a seat that has used so much in so many decisions may use now.
func (c Clock) left(used Cost) Clock {
	if c.Game > 0 {
		c.Game = max(time.Nanosecond, c.Game+time.Duration(used.Moves)*c.Gain-used.Time)
	}
	return c
}

// Limit is how long the next decision may take; 0 where there is no limit.
func (c Clock) Limit() time.Duration {
	if c.Game > 0 && (c.Move == 0 || c.Game < c.Move) {
		return c.Game
	}
	return c.Move
}

// Share is how long the next decision may well take: most of a move's time, and of a
// game's what is left for as many moves as games often have. 0 where there is no limit.
func (c Clock) Share() time.Duration {
	const movesToCome = 30
	share := c.Move * 9 / 10
	if c.Game > 0 {
		if fair := c.Game/movesToCome + c.Gain*8/10; share == 0 || fair < share {
			share = min(fair, c.Game*8/10)
		}
	}
	return share
}

// Episode is one finished game.
type Episode struct {
	Game    string         // the game's spec
	Seed    uint64         // the run's seed
	Number  uint64         // the episode's number in the run
	Group   int            // which lockstep group played it
	Actions []games.Action // all actions from the start, chance outcomes included: replaying them gives the game again
	Turns   []Turn         // the players' decisions in order
	Returns []float64      // by seat
	Agents  []int          // by seat: index of the agent that sat there, as the caller numbers them
	Forfeit games.Seat     // the seat that gave an illegal or no action, or ran out of time, else games.Over
	Late    bool           // whether it ran out of time
	Costs   []Cost         // by seat; tokens, money and failed calls with those of games that got lost
	Voids   int            // how often the game was lost and played again from the same deal
}

// Turn is one decision of a player.
type Turn struct {
	At     int // how many of Episode.Actions come before it
	Seat   games.Seat
	Action games.Action
	Text   string
	Record any
}
