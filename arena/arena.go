// Package arena has agents play one another and says what the games show: matches and
// tournaments, whose log resumes after any kill, and tables of results in which every
// number has its interval. What the numbers are is in arena/rating.
//
// The unit of a tournament is a set of games in which two entrants take all seats in
// turn, with one opening and one deal: what luck its games share cancels.
package arena

import (
	"errors"
	"fmt"
	"time"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/play"
)

// Entrant takes part in a tournament. Its agent may sit in several games at once.
type Entrant struct {
	Name  string // unique
	Agent play.Agent
}

// Tournament says what is played, and by whom.
type Tournament struct {
	Game     games.Game
	Entrants []Entrant
	Schedule Schedule
	Seed     uint64
	// Independent gives every game a deal of its own, where those of a unit would
	// share one.
	Independent bool
	Openings    Openings // nil: games start at the start
	Clock       play.Clock
	Stop        Stop
	// Group is how many games advance in lockstep, at least a unit; 1 where agents
	// are slow. It is part of what fixes the games, Workers is not.
	Group   int
	Workers int // groups under way at once; 1 where zero
}

// Openings say where the games of a unit start.
type Openings interface {
	// Of returns what a unit's games start with. It is a pure function and safe for
	// concurrent use.
	Of(unit int) play.Opening
}

// Stop says when a tournament ends before its schedule does. Zero is never.
type Stop struct {
	Games   int
	Tokens  int64 // in and out, of all entrants
	Dollars float64
	Time    time.Duration // of play, over all sittings
	// Decided, if not nil, is asked after every group, in order.
	Decided func(*Table) bool
}

// Result is one finished game.
type Result struct {
	Game    int            `json:"game"`              // its number: unit × games of a unit + place in it
	Start   string         `json:"start,omitempty"`   // the game by its name, where it is not the tournament's own
	Seats   []int          `json:"seats"`             // the entrant in each seat
	Actions []games.Action `json:"actions"`           // all, chance and opening included
	Returns []float64      `json:"returns"`           // by seat
	Forfeit *games.Seat    `json:"forfeit,omitempty"` // who gave an illegal action, none, or one too late
	Late    bool           `json:"late,omitempty"`    // whether it was late
	Voids   int            `json:"voids,omitempty"`   // how often the game got lost and was played again from the same deal
	Illegal []int          `json:"illegal,omitempty"` // by seat: answers that were no legal action
	Talk    []Talk         `json:"talk,omitempty"`    // what agents said, where they speak
}

// Talk is what an agent said with a decision.
type Talk struct {
	At   int    `json:"at"` // the place of its action in Actions
	Text string `json:"text"`
}

// Check says what is wrong with a tournament.
func (t Tournament) Check() error {
	info := t.Game.Info()
	if info.Seats < 2 {
		return fmt.Errorf("%s has one seat and nobody to play: agon eval measures how often it is solved", info.Name)
	}
	if len(t.Entrants) < 2 {
		return fmt.Errorf("%d entrants: expected two or more", len(t.Entrants))
	}
	seen := map[string]bool{}
	for _, e := range t.Entrants {
		if seen[e.Name] {
			return fmt.Errorf("two entrants have the name %q: give each a name of its own, as in NAME=AGENT", e.Name)
		}
		seen[e.Name] = true
	}
	if t.Group < 1 {
		return fmt.Errorf("group=%d: expected 1 or more", t.Group)
	}
	if t.Clock != (play.Clock{}) && t.Group != 1 {
		return errors.New("a clock needs games one at a time: group=1")
	}
	return t.Schedule.check(len(t.Entrants))
}

// Planned is how many games there will be if nothing stops the tournament early; 0
// where that depends on the games.
func (t Tournament) Planned() int {
	n := t.Schedule.planned(len(t.Entrants)) * gamesOf(t.Game.Info().Seats)
	if t.Stop.Games > 0 && (n == 0 || t.Stop.Games < n) {
		return t.Stop.Games
	}
	return n
}

// gamesOf is how many games a unit has: each of the two entrants is alone in every
// seat once, with the other in all the rest. In games of two seats that is two.
func gamesOf(seats int) int {
	if seats == 2 {
		return 2
	}
	return 2 * seats
}

// Unit is two entrants' set of games.
type Unit struct{ First, Second int }

// seats returns who sits where in a unit's game: in the first half of the games the
// first entrant is alone.
func (u Unit) seats(seats, game int) []int { return u.seat(make([]int, 0, seats), seats, game) }

// seat appends the same to a slice.
func (u Unit) seat(to []int, seats, game int) []int {
	alone, rest := u.First, u.Second
	if seats == 2 && game == 1 {
		return append(to, rest, alone)
	}
	if game >= seats {
		alone, rest = rest, alone
	}
	for seat := range seats {
		if seat == game%seats {
			to = append(to, alone)
		} else {
			to = append(to, rest)
		}
	}
	return to
}
