// Package liarsdice holds liar's dice for two players: hidden dice, rising bids
// on how many of a face both have together, until one calls the other a liar.
// The highest face is wild. Ids, names, information states, tensors and returns
// are those of OpenSpiel's liars_dice. With one die of six sides each its value
// is -7/258 for the first player.
package liarsdice

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
	maxDice = 5  // a player's
	maxBids = 63 // they and the call fit into a word
)

func init() {
	games.Register(games.Rules{
		Name:    "liars_dice",
		Summary: "Liar's dice: hidden dice, rising bids, and a call of the bluff",
		Params: []games.Param{
			{Name: "bidding_rule", Default: "reset-face", Help: "bids rise by quantity and then face (reset-face) or by face and then quantity (reset-quantity)"},
			{Name: "dice_sides", Default: "6", Help: "sides of a die; 2*numdice*dice_sides is 63 at most"},
			{Name: "numdice", Default: "1", Help: "dice of each player, 5 at most"},
			{Name: "players", Default: "2", Help: "number of players; only 2"},
		},
		Make: func(r *spec.Reader) (games.Game, error) {
			rule := r.Choice("bidding_rule", "reset-face", "reset-face", "reset-quantity")
			sides, dice := r.Int("dice_sides", 6, 2, 9), r.Int("numdice", 1, 1, maxDice)
			players := r.Int("players", 2, 2, 10)
			if err := r.Err(); err != nil {
				return nil, err
			}
			if players != 2 {
				return nil, fmt.Errorf("liars_dice: players=%d: only 2 players are supported", players)
			}
			return New(dice, sides, rule == "reset-quantity")
		},
	})
}

type game struct {
	info     games.Info
	dice     int // a player's
	sides    int
	bids     int  // the call of a liar is action bids
	quantity bool // bids rise by face first
	names    []string
}

// New returns liar's dice with 1 to 5 dice a player of 2 to 9 sides, at most 63
// bids in all; resetQuantity has bids rise by face and then quantity.
func New(dice, sides int, resetQuantity bool) (games.Game, error) {
	bids := 2 * dice * sides
	if dice < 1 || dice > maxDice || sides < 2 || sides > 9 || bids > maxBids {
		return nil, fmt.Errorf("liars_dice: numdice=%d, dice_sides=%d: expected 1 to %d dice of 2 to 9 sides with 2*numdice*dice_sides at most %d", dice, sides, maxDice, maxBids)
	}
	name := spec.Spec{Name: "liars_dice"}
	if resetQuantity {
		name.Args = append(name.Args, spec.Arg{Key: "bidding_rule", Value: "reset-quantity"})
	}
	if sides != 6 {
		name.Args = append(name.Args, spec.Arg{Key: "dice_sides", Value: strconv.Itoa(sides)})
	}
	if dice != 1 {
		name.Args = append(name.Args, spec.Arg{Key: "numdice", Value: strconv.Itoa(dice)})
	}
	g := &game{dice: dice, sides: sides, bids: bids, quantity: resetQuantity, info: games.Info{
		Name:      name.String(),
		Seats:     2,
		Roles:     []string{"first", "second"},
		Actions:   bids + 1,
		MaxLength: bids + 1,
		MinReturn: -1,
		MaxReturn: 1,
		Chance:    games.Listed,
		Hidden:    true,
		// own seat, each own die, the bids made and the call
		Tensor: []int{2 + dice*sides + bids + 1},
		Recall: true,
	}}
	for a := range games.Action(bids) {
		quantity, face := g.bid(a)
		g.names = append(g.names, fmt.Sprintf("%d-%d", quantity, face))
	}
	g.names = append(g.names, "Liar")
	return g, nil
}

func (g *game) Info() games.Info { return g.info }

func (g *game) Start() games.State {
	s := &state{game: g, turn: int8(games.Chance)}
	for seat := range s.faces {
		for i := range g.dice {
			s.faces[seat][i] = unrolled
		}
	}
	return s
}

// bid returns a bid's quantity and face, both from 1.
func (g *game) bid(a games.Action) (quantity, face int) {
	if g.quantity {
		return int(a)%(2*g.dice) + 1, int(a)/(2*g.dice) + 1
	}
	return int(a)/g.sides + 1, int(a)%g.sides + 1
}

const unrolled = -1

type state struct {
	game   *game
	made   uint64 // bids by number; since they rise, the set is the history
	faces  [2][maxDice]int8
	turn   int8
	rolled int8 // dice of both
	winner int8 // once the game is over
}

func (s *state) Turn() games.Seat { return games.Seat(s.turn) }

// last is the highest bid, -1 where there is none.
func (s *state) last() games.Action { return games.Action(bits.Len64(s.made)) - 1 }

func (s *state) Actions(dst []games.Action) []games.Action {
	g := s.game
	switch games.Seat(s.turn) {
	case games.Over:
		return dst
	case games.Chance:
		for face := range g.sides {
			dst = append(dst, games.Action(face))
		}
		return dst
	}
	for a := s.last() + 1; int(a) < g.bids; a++ {
		dst = append(dst, a)
	}
	if s.made != 0 {
		dst = append(dst, games.Action(g.bids))
	}
	return dst
}

func (s *state) Odds(dst []float64) []float64 {
	if games.Seat(s.turn) != games.Chance {
		return dst
	}
	for range s.game.sides {
		dst = append(dst, 1/float64(s.game.sides))
	}
	return dst
}

func (s *state) Apply(a games.Action) error {
	g := s.game
	switch games.Seat(s.turn) {
	case games.Over:
		return games.Illegal(s, a)
	case games.Chance:
		if a < 0 || int(a) >= g.sides {
			return games.Illegal(s, a)
		}
		s.roll(int8(a) + 1)
		return nil
	}
	if int(a) == g.bids && s.made != 0 {
		s.call()
		return nil
	}
	if a <= s.last() || a < 0 || int(a) >= g.bids {
		return games.Illegal(s, a)
	}
	s.made |= 1 << a
	s.turn ^= 1
	return nil
}

// roll gives a player the next die. Once all have rolled, dice are sorted:
// their order tells nothing.
func (s *state) roll(face int8) {
	dice := s.game.dice
	s.faces[int(s.rolled)/dice][int(s.rolled)%dice] = face
	s.rolled++
	if int(s.rolled) == 2*dice {
		slices.Sort(s.faces[0][:dice])
		slices.Sort(s.faces[1][:dice])
		s.turn = 0
	}
}

// call ends the game: the bidder wins where the dice hold what was bid.
func (s *state) call() {
	quantity, face := s.game.bid(s.last())
	matching := 0
	for seat := range s.faces {
		for _, f := range s.faces[seat][:s.game.dice] {
			if int(f) == face || int(f) == s.game.sides {
				matching++
			}
		}
	}
	s.winner = s.turn
	if matching >= quantity {
		s.winner = 1 - s.turn
	}
	s.made |= 1 << s.game.bids
	s.turn = int8(games.Over)
}

func (s *state) Returns(dst []float64) []float64 {
	switch {
	case games.Seat(s.turn) != games.Over:
		return append(dst, 0, 0)
	case s.winner == 0:
		return append(dst, 1, -1)
	}
	return append(dst, -1, 1)
}

func (s *state) Clone() games.State {
	c := *s
	return &c
}

func (s *state) CopyFrom(src games.State) { *s = *src.(*state) }

// AppendKey writes the seat's dice, then the bids and the call: 36 1-4 2-3 Liar.
func (s *state) AppendKey(dst []byte, seat games.Seat) []byte {
	for _, f := range s.faces[seat][:s.game.dice] {
		if f == unrolled {
			dst = append(dst, '-', '1')
		} else {
			dst = append(dst, '0'+byte(f))
		}
	}
	for made := s.made; made != 0; made &= made - 1 {
		dst = append(dst, ' ')
		dst = append(dst, s.game.names[bits.TrailingZeros64(made)]...)
	}
	return dst
}

// Observe writes the seat, its dice and what was bid, each as a choice among
// its values.
func (s *state) Observe(seat games.Seat, dst []float32) {
	clear(dst)
	g := s.game
	dst[seat] = 1
	for i, f := range s.faces[seat][:g.dice] {
		if f != unrolled {
			dst[2+i*g.sides+int(f)-1] = 1
		}
	}
	for made := s.made; made != 0; made &= made - 1 {
		dst[2+g.dice*g.sides+bits.TrailingZeros64(made)] = 1
	}
}

// Say names a roll Roll 4, a bid by quantity and face as in 2-5, the call Liar.
func (s *state) Say(a games.Action) string {
	if games.Seat(s.turn) == games.Chance {
		return fmt.Sprintf("Roll %d", a+1)
	}
	if a < 0 || int(a) > s.game.bids {
		return strconv.Itoa(int(a))
	}
	return s.game.names[a]
}

func (s *state) Hear(text string) (games.Action, error) {
	if games.Seat(s.turn) == games.Chance {
		return games.Hear(s, text, games.Ids(s.game.sides))
	}
	return games.Hear(s, text, games.Ids(s.game.bids+1))
}

func (s *state) Prompt(seat games.Seat) string {
	g := s.game
	var b strings.Builder
	order := "more dice, or as many of a higher face"
	if g.quantity {
		order = "a higher face, or more dice of the same face"
	}
	fmt.Fprintf(&b, `Liar's dice for two players. Each rolls %[1]d dice of %[2]d sides and hides them. The players take turns to bid how many dice of a face, at least, both have together: 2-5 says at least two fives. Dice that show a %[2]d are wild: they count as every face. A bid must be higher than the one before: %[3]s. Instead of bidding, a player may answer the other's bid with Liar. Then all dice are shown: if they hold what was bid, the bidder wins (+1, the other -1), else the one who called.

You are player %[4]d (%[5]s).
`, g.dice, g.sides, order, seat, g.info.Roles[seat])
	if int(s.rolled) == 2*g.dice {
		fmt.Fprintf(&b, "Your dice: %s\n", digits(s.faces[seat][:g.dice]))
	}
	if games.Seat(s.turn) == games.Over {
		fmt.Fprintf(&b, "The other player's dice: %s\n", digits(s.faces[1-seat][:g.dice]))
	}
	if s.made != 0 {
		b.WriteString("So far:")
		player := 0
		for made := s.made; made != 0; made &= made - 1 {
			fmt.Fprintf(&b, " player %d %s;", player, s.game.names[bits.TrailingZeros64(made)])
			player = 1 - player
		}
		b.WriteByte('\n')
	}
	b.WriteString(games.Menu(s, seat))
	return b.String()
}

func digits(faces []int8) string {
	var out []string
	for _, f := range faces {
		out = append(out, strconv.Itoa(int(f)))
	}
	return strings.Join(out, " ")
}
