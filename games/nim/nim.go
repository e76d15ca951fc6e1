// Package nim holds Nim: players take objects from piles, and whoever takes the
// last one loses (misère, the default) or wins. Ids, names and returns are
// those of OpenSpiel's nim. Bouton (1901) solved both versions; from the usual
// piles 1, 3, 5, 7 the second player wins.
package nim

import (
	"fmt"
	"math/bits"
	"slices"
	"strconv"
	"strings"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/internal/spec"
)

const (
	defaultPiles = "1;3;5;7"
	maxPiles     = 32
	maxObjects   = 255 // in all piles
)

func init() {
	games.Register(games.Rules{
		Name:    "nim",
		Summary: "Nim: take from one pile at a time; the last object loses, or wins",
		Params: []games.Param{
			{Name: "is_misere", Default: "true", Help: "true: whoever takes the last object loses; false: wins"},
			{Name: "pile_sizes", Default: defaultPiles, Help: "objects in each pile, at most 32 piles and 255 objects"},
		},
		Make: func(r *spec.Reader) (games.Game, error) {
			misere := r.Bool("is_misere", true)
			text := r.String("pile_sizes", defaultPiles)
			if err := r.Err(); err != nil {
				return nil, err
			}
			var sizes []int
			for word := range strings.SplitSeq(text, ";") {
				size, err := strconv.Atoi(word)
				if err != nil {
					return nil, refuse(text)
				}
				sizes = append(sizes, size)
			}
			return New(sizes, misere)
		},
	})
}

func refuse(sizes string) error {
	return fmt.Errorf("nim: pile_sizes=%s: expected whole numbers from 1, such as %s: %d at most, %d at most in sum", sizes, defaultPiles, maxPiles, maxObjects)
}

type game struct {
	info   games.Info
	sizes  []int
	most   int // the size of the largest pile
	misere bool
}

// New returns Nim with piles of the given sizes. It refuses more than 32 piles,
// empty ones, and more than 255 objects in all.
func New(sizes []int, misere bool) (games.Game, error) {
	text := join(sizes)
	objects := 0
	for _, size := range sizes {
		if size < 1 || size > maxObjects {
			return nil, refuse(text)
		}
		objects += size
	}
	if len(sizes) < 1 || len(sizes) > maxPiles || objects > maxObjects {
		return nil, refuse(text)
	}
	name := spec.Spec{Name: "nim"}
	if !misere {
		name.Args = append(name.Args, spec.Arg{Key: "is_misere", Value: "false"})
	}
	if text != defaultPiles {
		name.Args = append(name.Args, spec.Arg{Key: "pile_sizes", Value: text})
	}
	most := slices.Max(sizes)
	return &game{sizes: slices.Clone(sizes), most: most, misere: misere, info: games.Info{
		Name:      name.String(),
		Seats:     2,
		Roles:     []string{"first", "second"},
		Actions:   len(sizes) * most,
		MaxLength: objects,
		MinReturn: -1,
		MaxReturn: 1,
		// whether it is the seat's turn, then the size of each pile as a choice
		// from 0 to the largest
		Tensor: []int{1 + len(sizes)*(most+1)},
	}}, nil
}

func join(sizes []int) string {
	words := make([]string, len(sizes))
	for i, size := range sizes {
		words[i] = strconv.Itoa(size)
	}
	return strings.Join(words, ";")
}

func (g *game) Info() games.Info { return g.info }

func (g *game) Start() games.State {
	s := &state{game: g, left: uint8(g.info.MaxLength)}
	for i, size := range g.sizes {
		s.piles[i] = uint8(size)
	}
	return s
}

type state struct {
	game   *game
	left   uint8 // objects in all piles
	length uint8
	piles  [maxPiles]uint8
	moves  [maxObjects]uint16
}

func (s *state) Turn() games.Seat {
	if s.left == 0 {
		return games.Over
	}
	return games.Seat(s.length & 1)
}

// split tells from which pile an action takes how many objects.
func (g *game) split(a games.Action) (pile, take int) {
	return int(a) % len(g.sizes), int(a)/len(g.sizes) + 1
}

func (s *state) Actions(dst []games.Action) []games.Action {
	piles := s.piles[:len(s.game.sizes)]
	enough := uint32(0) // the set of piles that hold what is taken
	for i, size := range piles {
		if size > 0 {
			enough |= 1 << i
		}
	}
	for take, first := uint8(1), 0; enough != 0; take, first = take+1, first+len(piles) {
		for left := enough; left != 0; left &= left - 1 {
			pile := bits.TrailingZeros32(left)
			dst = append(dst, games.Action(first+pile))
			if piles[pile] == take {
				enough &^= 1 << pile
			}
		}
	}
	return dst
}

func (s *state) Odds(dst []float64) []float64 { return dst }

func (s *state) Apply(a games.Action) error {
	if a < 0 || int(a) >= s.game.info.Actions {
		return games.Illegal(s, a)
	}
	pile, take := s.game.split(a)
	if take > int(s.piles[pile]) {
		return games.Illegal(s, a)
	}
	s.piles[pile] -= uint8(take)
	s.left -= uint8(take)
	s.moves[s.length] = uint16(a)
	s.length++
	return nil
}

func (s *state) Returns(dst []float64) []float64 {
	switch last := s.length&1 ^ 1; {
	case s.left > 0:
		return append(dst, 0, 0)
	case (last == 0) != s.game.misere:
		return append(dst, 1, -1)
	}
	return append(dst, -1, 1)
}

func (s *state) Clone() games.State {
	c := *s
	return &c
}

func (s *state) CopyFrom(src games.State) {
	from := src.(*state)
	s.game, s.left, s.length, s.piles = from.game, from.left, from.length, from.piles
	copy(s.moves[:from.length], from.moves[:from.length])
}

// AppendKey writes the moves so far, which both seats see: 27, 2, 0.
func (s *state) AppendKey(dst []byte, _ games.Seat) []byte {
	for i, move := range s.moves[:s.length] {
		if i > 0 {
			dst = append(dst, ", "...)
		}
		dst = strconv.AppendUint(dst, uint64(move), 10)
	}
	return dst
}

// AppendPosition writes who is to move and the piles.
func (s *state) AppendPosition(dst []byte) []byte {
	return append(append(dst, s.length&1), s.piles[:len(s.game.sizes)]...)
}

func (s *state) Observe(seat games.Seat, dst []float32) {
	clear(dst)
	if s.Turn() == seat {
		dst[0] = 1
	}
	for i := range s.game.sizes {
		dst[1+i*(s.game.most+1)+int(s.piles[i])] = 1
	}
}

// Say names a move by its pile, counted from 1, and how many it takes.
func (s *state) Say(a games.Action) string {
	if a < 0 || int(a) >= s.game.info.Actions {
		return strconv.Itoa(int(a))
	}
	pile, take := s.game.split(a)
	return "pile:" + strconv.Itoa(pile+1) + ", take:" + strconv.Itoa(take) + ";"
}

func (s *state) Hear(text string) (games.Action, error) {
	return games.Hear(s, text, games.Ids(s.game.info.Actions))
}

func (s *state) Prompt(seat games.Seat) string {
	g := s.game
	last := "wins (+1, the other -1)"
	if g.misere {
		last = "loses (-1, the other +1)"
	}
	var b strings.Builder
	fmt.Fprintf(&b, `Nim. %d piles, numbered from 1, hold these numbers of objects at the start: %s. Player 0 moves first; players 0 and 1 take turns to take one or more objects from a single pile. Whoever takes the last object of all %s. A move names the pile and how many it takes, as in pile:1, take:1; with colons and semicolon, or is given by its number, as in [0].

You are player %d (%s).
`, len(g.sizes), strings.ReplaceAll(join(g.sizes), ";", ", "), last, seat, g.info.Roles[seat])
	for i, move := range s.moves[:s.length] {
		pile, take := g.split(games.Action(move))
		fmt.Fprintf(&b, "Player %d took %d from pile %d.\n", i&1, take, pile+1)
	}
	b.WriteString("Objects left:")
	for i := range g.sizes {
		fmt.Fprintf(&b, " pile %d: %d;", i+1, s.piles[i])
	}
	b.WriteByte('\n')
	b.WriteString(games.Menu(s, seat))
	return b.String()
}
