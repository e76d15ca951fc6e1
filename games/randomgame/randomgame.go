// Package randomgame holds random two-seat zero-sum games by seed, to test
// solvers on: each seat is dealt a signal that only it sees, then the seats move
// in turn, and what the end pays is drawn from [-1, 1) by a hash of seed and
// history. Nothing is stored, so games of any size cost nothing to make.
package randomgame

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/internal/spec"
)

const (
	maxDepth   = 30
	maxChoices = 16 // actions, and signals
)

func init() {
	games.Register(games.Rules{
		Name:    "random_game",
		Summary: "a random zero-sum game by seed: private signals, moves in turn, random payoffs",
		Params: []games.Param{
			{Name: "actions", Default: "2", Help: fmt.Sprintf("actions of each move, 1 to %d", maxChoices)},
			{Name: "depth", Default: "4", Help: fmt.Sprintf("moves of both seats together, 1 to %d", maxDepth)},
			{Name: "hidden", Default: "false", Help: "true hides each seat's moves from the other"},
			{Name: "seed", Default: "1", Help: "which game"},
			{Name: "signals", Default: "2", Help: fmt.Sprintf("signals that a seat may be dealt, 1 to %d", maxChoices)},
		},
		Make: func(r *spec.Reader) (games.Game, error) {
			p := Params{
				Actions: r.Int("actions", 2, 1, maxChoices), Depth: r.Int("depth", 4, 1, maxDepth),
				Hidden: r.Bool("hidden", false), Seed: r.Int("seed", 1, 0, 1<<53), Signals: r.Int("signals", 2, 1, maxChoices),
			}
			if err := r.Err(); err != nil {
				return nil, err
			}
			return New(p)
		},
	})
}

// Params are the parameters of the game.
type Params struct {
	Actions int  // of each move
	Depth   int  // moves of both seats together
	Hidden  bool // seats do not see each other's moves
	Seed    int
	Signals int // that a seat may be dealt
}

type game struct {
	info games.Info
	Params
}

// New returns the game of a seed. It refuses numbers out of range.
func New(p Params) (games.Game, error) {
	name := spec.Spec{Name: "random_game"}
	for _, n := range []struct {
		key                      string
		value, fallback, min, hi int
	}{
		{"actions", p.Actions, 2, 1, maxChoices},
		{"depth", p.Depth, 4, 1, maxDepth},
		{"seed", p.Seed, 1, 0, 1 << 53},
		{"signals", p.Signals, 2, 1, maxChoices},
	} {
		if n.value < n.min || n.value > n.hi {
			return nil, fmt.Errorf("random_game: %s=%d: expected a whole number from %d to %d", n.key, n.value, n.min, n.hi)
		}
		if n.key == "seed" && p.Hidden {
			name.Args = append(name.Args, spec.Arg{Key: "hidden", Value: "true"})
		}
		if n.value != n.fallback {
			name.Args = append(name.Args, spec.Arg{Key: n.key, Value: strconv.Itoa(n.value)})
		}
	}
	g := &game{Params: p, info: games.Info{
		Name: name.String(), Seats: 2, Roles: []string{"first", "second"}, Actions: p.Actions, MaxLength: p.Depth,
		MinReturn: -1, MaxReturn: 1, Chance: games.Listed, Hidden: true,
		// own seat, own signal, how many moves were made, then each move that the
		// seat has seen as a choice
		Tensor: []int{2 + p.Signals + p.Depth + 1 + p.Depth*p.Actions}, Recall: true,
	}}
	return g, nil
}

func (g *game) Info() games.Info { return g.info }

func (g *game) Start() games.State { return &state{game: g} }

type state struct {
	game    *game
	dealt   int8 // signals
	length  int8 // moves
	signals [2]uint8
	moves   [maxDepth]uint8
}

func (s *state) Turn() games.Seat {
	switch {
	case s.dealt < 2:
		return games.Chance
	case int(s.length) == s.game.Depth:
		return games.Over
	}
	return games.Seat(s.length & 1)
}

// choices is how many actions are open, numbered from 0.
func (s *state) choices() int {
	switch s.Turn() {
	case games.Over:
		return 0
	case games.Chance:
		return s.game.Signals
	}
	return s.game.Actions
}

func (s *state) Actions(dst []games.Action) []games.Action {
	for a := range s.choices() {
		dst = append(dst, games.Action(a))
	}
	return dst
}

func (s *state) Odds(dst []float64) []float64 {
	if s.Turn() == games.Chance {
		for range s.game.Signals {
			dst = append(dst, 1/float64(s.game.Signals))
		}
	}
	return dst
}

func (s *state) Apply(a games.Action) error {
	switch {
	case a < 0 || int(a) >= s.choices():
		return games.Illegal(s, a)
	case s.dealt < 2:
		s.signals[s.dealt] = uint8(a)
		s.dealt++
	default:
		s.moves[s.length] = uint8(a)
		s.length++
	}
	return nil
}

func (s *state) Returns(dst []float64) []float64 {
	if s.Turn() != games.Over {
		return append(dst, 0, 0)
	}
	hash := mix(uint64(s.game.Seed))
	for _, x := range s.signals {
		hash = mix(hash ^ uint64(x))
	}
	for _, x := range s.moves[:s.length] {
		hash = mix(hash ^ uint64(x))
	}
	paid := float64(hash>>11)/(1<<52) - 1
	return append(dst, paid, -paid)
}

// mix is the finalizer of SplitMix64 (Steele, Lea and Flood 2014).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

func (s *state) Clone() games.State {
	c := *s
	return &c
}

func (s *state) CopyFrom(src games.State) { *s = *src.(*state) }

// sees tells whether a seat has seen a move.
func (s *state) sees(seat games.Seat, move int) bool {
	return !s.game.Hidden || games.Seat(move&1) == seat
}

// AppendKey writes the seat, its signal, and the moves in order, with ? for one
// that it has not seen: P0 s1 0?1.
func (s *state) AppendKey(dst []byte, seat games.Seat) []byte {
	dst = append(dst, 'P', '0'+byte(seat))
	if int8(seat) < s.dealt {
		dst = append(dst, ' ', 's')
		dst = strconv.AppendUint(dst, uint64(s.signals[seat]), 10)
	}
	for i, move := range s.moves[:s.length] {
		dst = append(dst, ' ')
		if s.sees(seat, i) {
			dst = strconv.AppendUint(dst, uint64(move), 10)
		} else {
			dst = append(dst, '?')
		}
	}
	return dst
}

func (s *state) Observe(seat games.Seat, dst []float32) {
	clear(dst)
	g := s.game
	dst[seat] = 1
	if int8(seat) < s.dealt {
		dst[2+int(s.signals[seat])] = 1
	}
	dst[2+g.Signals+int(s.length)] = 1
	moves := dst[2+g.Signals+g.Depth+1:]
	for i, move := range s.moves[:s.length] {
		if s.sees(seat, i) {
			moves[i*g.Actions+int(move)] = 1
		}
	}
}

// Say names a signal as s1 and a move as m1.
func (s *state) Say(a games.Action) string {
	if s.Turn() == games.Chance {
		return fmt.Sprintf("s%d", a)
	}
	return fmt.Sprintf("m%d", a)
}

func (s *state) Hear(text string) (games.Action, error) {
	return games.Hear(s, text, games.Ids(max(s.game.Actions, s.game.Signals)))
}

func (s *state) Prompt(seat games.Seat) string {
	g := s.game
	var b strings.Builder
	seen := "Both see all moves."
	if g.Hidden {
		seen = "Neither sees the other's moves, only that they are made."
	}
	fmt.Fprintf(&b, `A random game. Each of two players is dealt one of %d signals that only that player sees. Then they make %d moves in turn, player 0 first, each a choice of %d. %s The payoff at the end depends on the signals and all moves, and is known to nobody before: between -1 and 1, what one gets the other loses.

You are player %d (%s).
`, g.Signals, g.Depth, g.Actions, seen, seat, g.info.Roles[seat])
	if int8(seat) < s.dealt {
		fmt.Fprintf(&b, "Your signal: s%d\n", s.signals[seat])
	}
	if s.length > 0 {
		b.WriteString("Moves so far:")
		for i, move := range s.moves[:s.length] {
			if s.sees(seat, i) {
				fmt.Fprintf(&b, " m%d", move)
			} else {
				b.WriteString(" ?")
			}
		}
		b.WriteByte('\n')
	}
	b.WriteString(games.Menu(s, seat))
	return b.String()
}
