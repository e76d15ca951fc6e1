// Package leduc holds Leduc hold'em (Southey et al. 2005) for two players: six
// cards of three ranks, a private card each, one public card, two rounds of
// betting with at most two raises each, of 2 and then 4 chips. Ids, names,
// information states, tensors and returns are those of OpenSpiel's
// leduc_poker. Its value is -0.0856 for the first player.
package leduc

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/spec"
)

// Fold is open to a player who faces a raise; Raise twice a round at most.
const (
	Fold games.Action = iota
	Call
	Raise
)

const (
	cards    = 6 // two of each rank; card c has rank c/2
	ante     = 1 // chips
	money    = 100
	maxTurns = 4 // in one round: Call, Raise, Raise, Call
	noCard   = -1
)

func init() {
	games.Register(games.Rules{
		Name:    "leduc_poker",
		Summary: "Leduc hold'em: a private and a public card, two rounds of betting",
		Params:  []games.Param{{Name: "players", Default: "2", Help: "number of players; only 2"}},
		Make: func(r *spec.Reader) (games.Game, error) {
			players := r.Int("players", 2, 2, 10)
			if err := r.Err(); err != nil {
				return nil, err
			}
			if players != 2 {
				return nil, fmt.Errorf("leduc_poker: players=%d: only 2 players are supported", players)
			}
			return New(), nil
		},
	})
}

type game struct{}

// New returns Leduc hold'em for two players.
func New() games.Game { return game{} }

var info = games.Info{
	Name:      "leduc_poker",
	Seats:     2,
	Roles:     []string{"first", "second"},
	Actions:   3,
	MaxLength: 2 * maxTurns,
	MinReturn: -13,
	MaxReturn: 13,
	Chance:    games.Listed,
	Hidden:    true,
	// own seat, own card, public card, then for each turn of each round
	// whether it was Call or Raise
	Tensor: []int{2 + cards + cards + 2*maxTurns*2},
	Recall: true,
}

func (game) Info() games.Info { return info }

func (game) Start() games.State {
	return &state{turn: int8(games.Chance), private: [2]int8{noCard, noCard}, public: noCard, stakes: [2]int8{ante, ante}}
}

type state struct {
	turn    int8
	last    int8 // the seat that acted last
	round   int8 // 0 or 1
	public  int8
	private [2]int8
	stakes  [2]int8
	raises  int8 // in this round
	folded  bool
	dealt   uint8 // set of cards
	lengths [2]int8
	turns   [2][maxTurns]uint8 // actions by round
}

func (s *state) Turn() games.Seat { return games.Seat(s.turn) }

func (s *state) Actions(dst []games.Action) []games.Action {
	switch games.Seat(s.turn) {
	case games.Over:
		return dst
	case games.Chance:
		for card := games.Action(0); card < cards; card++ {
			if s.dealt>>card&1 == 0 {
				dst = append(dst, card)
			}
		}
		return dst
	}
	if s.stakes[0] != s.stakes[1] {
		dst = append(dst, Fold)
	}
	dst = append(dst, Call)
	if s.raises < 2 {
		dst = append(dst, Raise)
	}
	return dst
}

func (s *state) Odds(dst []float64) []float64 {
	if games.Seat(s.turn) != games.Chance {
		return dst
	}
	left := cards
	if s.private[0] != noCard {
		left--
	}
	if s.private[1] != noCard {
		left--
	}
	for range left {
		dst = append(dst, 1/float64(left))
	}
	return dst
}

func (s *state) Apply(a games.Action) error {
	if games.Seat(s.turn) == games.Chance {
		return s.deal(a)
	}
	if games.Seat(s.turn) == games.Over || a < Fold || a > Raise ||
		a == Fold && s.stakes[0] == s.stakes[1] || a == Raise && s.raises == 2 {
		return games.Illegal(s, a)
	}
	me, other := s.turn, 1-s.turn
	turn := s.lengths[s.round]
	s.turns[s.round][turn] = uint8(a)
	s.lengths[s.round]++
	s.last, s.turn = me, other
	switch a {
	case Fold:
		s.folded = true
		s.turn = int8(games.Over)
	case Call:
		s.stakes[me] = s.stakes[other]
		if turn > 0 { // a call ends the round unless it opens it
			s.close()
		}
	case Raise:
		s.raises++
		s.stakes[me] = s.stakes[other] + 2<<s.round
	}
	return nil
}

func (s *state) deal(card games.Action) error {
	if card < 0 || card >= cards || s.dealt>>card&1 != 0 {
		return games.Illegal(s, card)
	}
	s.dealt |= 1 << card
	switch {
	case s.private[0] == noCard:
		s.private[0] = int8(card)
	case s.private[1] == noCard:
		s.private[1] = int8(card)
		s.turn = 0
	default:
		s.public = int8(card)
		s.turn = 0
	}
	return nil
}

func (s *state) close() {
	if s.round == 1 {
		s.turn = int8(games.Over)
		return
	}
	s.round, s.raises = 1, 0
	s.turn = int8(games.Chance)
}

// strength orders hands: a pair with the public card beats any rank.
func (s *state) strength(seat int) int8 {
	rank := s.private[seat] / 2
	if rank == s.public/2 {
		return cards
	}
	return rank
}

func (s *state) Returns(dst []float64) []float64 {
	if games.Seat(s.turn) != games.Over {
		return append(dst, 0, 0)
	}
	first := s.first()
	return append(dst, first, 0-first) // a draw is 0, not -0
}

// first is what the first player has won, in chips.
func (s *state) first() float64 {
	if s.folded {
		if s.last == 0 {
			return -float64(s.stakes[0])
		}
		return float64(s.stakes[1])
	}
	mine, other := s.strength(0), s.strength(1)
	switch {
	case mine > other:
		return float64(s.stakes[1])
	case mine < other:
		return -float64(s.stakes[0])
	}
	return 0
}

func (s *state) Clone() games.State {
	c := *s
	return &c
}

func (s *state) CopyFrom(src games.State) { *s = *src.(*state) }

func (s *state) AppendKey(dst []byte, seat games.Seat) []byte {
	private := int64(s.private[seat])
	if private == noCard {
		private = -10000 // OpenSpiel's invalid card
	}
	player, pot := int64(s.turn), int64(s.stakes[0]+s.stakes[1])
	left := [2]int64{money - int64(s.stakes[0]), money - int64(s.stakes[1])}
	if games.Seat(s.turn) == games.Over {
		won := int64(s.first())
		player, pot = int64(s.last), 0
		left = [2]int64{money + won, money - won}
	}
	dst = strconv.AppendInt(append(dst, "[Observer: "...), int64(seat), 10)
	dst = strconv.AppendInt(append(dst, "][Private: "...), private, 10)
	dst = strconv.AppendInt(append(dst, "][Round "...), int64(s.round)+1, 10)
	dst = strconv.AppendInt(append(dst, "][Player: "...), player, 10)
	dst = strconv.AppendInt(append(dst, "][Pot: "...), pot, 10)
	dst = strconv.AppendInt(append(dst, "][Money: "...), left[0], 10)
	dst = strconv.AppendInt(append(dst, ' '), left[1], 10)
	if s.public != noCard {
		dst = strconv.AppendInt(append(dst, "][Public: "...), int64(s.public), 10)
	}
	for round := range s.turns {
		dst = append(dst, "][Round"...)
		dst = append(dst, '1'+byte(round), ':', ' ')
		for turn := range s.lengths[round] {
			if turn > 0 {
				dst = append(dst, ' ')
			}
			dst = append(dst, '0'+s.turns[round][turn])
		}
	}
	return append(dst, ']')
}

func (s *state) Observe(seat games.Seat, dst []float32) {
	clear(dst)
	dst[seat] = 1
	if s.private[seat] != noCard {
		dst[2+s.private[seat]] = 1
	}
	if s.public != noCard {
		dst[2+cards+s.public] = 1
	}
	turns := dst[2+cards+cards:]
	for round := range s.turns {
		for turn := range s.lengths[round] {
			if a := s.turns[round][turn]; a != uint8(Fold) {
				turns[2*(maxTurns*round+int(turn))+int(a)-1] = 1
			}
		}
	}
}

var names = [...]string{"Fold", "Call", "Raise"}

func (s *state) Say(a games.Action) string {
	if games.Seat(s.turn) == games.Chance {
		return "Chance outcome:" + strconv.Itoa(int(a))
	}
	if a < 0 || int(a) >= len(names) {
		return strconv.Itoa(int(a))
	}
	return names[a]
}

func (s *state) Hear(text string) (games.Action, error) {
	if games.Seat(s.turn) == games.Chance {
		return games.Hear(s, text, games.Ids(cards))
	}
	return games.Hear(s, text, games.Ids(len(names)))
}

func (s *state) Prompt(seat games.Seat) string {
	var b strings.Builder
	fmt.Fprintf(&b, `Leduc hold'em for two players. The deck has six cards, 0 to 5: two of rank 0 (cards 0 and 1), two of rank 1 (2 and 3), two of rank 2 (4 and 5). Both players put one chip into the pot and are dealt one card that only they see. There are two rounds of betting, player 0 first in both; between them a public card is turned up. Call puts in what you owe, if anything. Raise puts in what you owe and 2 chips more in the first round, 4 more in the second; two raises a round at most. Fold, open to you when you owe chips, gives up the pot. At the end a private card of the public card's rank wins, else the higher rank; equal ranks share the pot. Your return is the chips you win or lose.

You are player %d (%s).
`, seat, info.Roles[seat])
	if card := s.private[seat]; card != noCard {
		fmt.Fprintf(&b, "Your card: %d (rank %d)\n", card, card/2)
	} else {
		b.WriteString("Your card is not dealt yet.\n")
	}
	for round := range s.turns {
		if round == 1 && s.public != noCard {
			fmt.Fprintf(&b, "Public card: %d (rank %d)\n", s.public, s.public/2)
		}
		for turn := range s.lengths[round] {
			fmt.Fprintf(&b, "Round %d, player %d: %s\n", round+1, turn%2, names[s.turns[round][turn]])
		}
	}
	if games.Seat(s.turn) == games.Over && !s.folded {
		fmt.Fprintf(&b, "Showdown: player 0 has %d, player 1 has %d\n", s.private[0], s.private[1])
	}
	fmt.Fprintf(&b, "Chips in the pot: %d from player 0, %d from player 1\n", s.stakes[0], s.stakes[1])
	b.WriteString(games.Menu(s, seat))
	return b.String()
}
