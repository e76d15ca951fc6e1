// Package kuhn holds Kuhn poker (Kuhn 1950), for two to ten players: one card
// each from a deck of one card more than players, one chip of ante, one bet.
// Ids, names, information states, tensors and returns are those of OpenSpiel's
// kuhn_poker. Two players: value -1/18 for the first.
package kuhn

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/internal/spec"
)

// Pass and Bet are the actions. Facing a bet, Pass folds and Bet calls.
const (
	Pass games.Action = iota
	Bet
)

const maxPlayers = 10

func init() {
	games.Register(games.Rules{
		Name:    "kuhn_poker",
		Summary: "Kuhn poker: one card each, one chip of ante, one bet",
		Params:  []games.Param{{Name: "players", Default: "2", Help: "number of players, 2 to 10"}},
		Make: func(r *spec.Reader) (games.Game, error) {
			players := r.Int("players", 2, 2, maxPlayers)
			if err := r.Err(); err != nil {
				return nil, err
			}
			return New(players)
		},
	})
}

type game struct{ info games.Info }

// New returns Kuhn poker for 2 to 10 players.
func New(players int) (games.Game, error) {
	if players < 2 || players > maxPlayers {
		return nil, fmt.Errorf("kuhn_poker: players=%d: expected 2 to %d", players, maxPlayers)
	}
	name := "kuhn_poker"
	if players != 2 {
		name = fmt.Sprintf("kuhn_poker(players=%d)", players)
	}
	roles := []string{"first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"}
	longest := 2*players - 1
	return &game{games.Info{
		Name:      name,
		Seats:     players,
		Roles:     roles[:players],
		Actions:   2,
		MaxLength: longest,
		MinReturn: -2,
		MaxReturn: float64(2 * (players - 1)),
		Chance:    games.Listed,
		Hidden:    true,
		// own seat, own card, then for each turn whether it was Pass or Bet
		Tensor: []int{players + players + 1 + 2*longest},
		Recall: true,
	}}, nil
}

func (g *game) Info() games.Info { return g.info }

func (g *game) Start() games.State {
	return &state{game: g, players: int8(g.info.Seats), turn: int8(games.Chance), first: -1}
}

type state struct {
	game    *game
	cards   [maxPlayers]int8 // by seat, as far as dealt
	players int8
	dealt   int8
	turn    int8
	length  int8   // turns taken
	first   int8   // the turn of the first bet, or -1
	dealtTo uint16 // set of cards dealt
	bets    uint32 // bit i: turn i was a bet
}

func (s *state) Turn() games.Seat { return games.Seat(s.turn) }

func (s *state) Actions(dst []games.Action) []games.Action {
	switch games.Seat(s.turn) {
	case games.Over:
		return dst
	case games.Chance:
		for card := games.Action(0); card <= games.Action(s.players); card++ {
			if s.dealtTo>>card&1 == 0 {
				dst = append(dst, card)
			}
		}
		return dst
	}
	return append(dst, Pass, Bet)
}

func (s *state) Odds(dst []float64) []float64 {
	if games.Seat(s.turn) != games.Chance {
		return dst
	}
	left := int(s.players + 1 - s.dealt)
	for range left {
		dst = append(dst, 1/float64(left))
	}
	return dst
}

func (s *state) Apply(a games.Action) error {
	switch games.Seat(s.turn) {
	case games.Over:
		return games.Illegal(s, a)
	case games.Chance:
		if a < 0 || a > games.Action(s.players) || s.dealtTo>>a&1 != 0 {
			return games.Illegal(s, a)
		}
		s.cards[s.dealt] = int8(a)
		s.dealtTo |= 1 << a
		if s.dealt++; s.dealt == s.players {
			s.turn = 0
		}
		return nil
	}
	switch a {
	case Pass:
	case Bet:
		if s.first < 0 {
			s.first = s.length
		}
		s.bets |= 1 << s.length
	default:
		return games.Illegal(s, a)
	}
	s.length++
	if s.turn++; s.turn == s.players {
		s.turn = 0
	}
	// All passed, or everyone else has answered the first bet.
	if s.first < 0 && s.length == s.players || s.first >= 0 && s.length == s.first+s.players {
		s.turn = int8(games.Over)
	}
	return nil
}

// stake is what a seat has put in: the ante, and a chip where it bet.
func (s *state) stake(seat int8) int8 {
	rounds := uint32(1)<<seat | uint32(1)<<(seat+s.players)
	if s.bets&rounds != 0 {
		return 2
	}
	return 1
}

func (s *state) Returns(dst []float64) []float64 {
	if games.Seat(s.turn) != games.Over {
		return append(dst, make([]float64, s.players)...)
	}
	winner, pot := int8(-1), int8(0)
	for seat := range s.players {
		stake := s.stake(seat)
		pot += stake
		dst = append(dst, -float64(stake))
		if (s.first < 0 || stake == 2) && (winner < 0 || s.cards[seat] > s.cards[winner]) {
			winner = seat
		}
	}
	dst[len(dst)-int(s.players)+int(winner)] += float64(pot)
	return dst
}

func (s *state) Clone() games.State {
	c := *s
	return &c
}

func (s *state) CopyFrom(src games.State) { *s = *src.(*state) }

// AppendKey writes the seat's card and the turns so far: 2pb.
func (s *state) AppendKey(dst []byte, seat games.Seat) []byte {
	if int8(seat) < s.dealt {
		dst = strconv.AppendInt(dst, int64(s.cards[seat]), 10)
	}
	for turn := range s.length {
		dst = append(dst, "pb"[s.bets>>turn&1])
	}
	return dst
}

func (s *state) Observe(seat games.Seat, dst []float32) {
	clear(dst)
	dst[seat] = 1
	if int8(seat) < s.dealt {
		dst[int(s.players)+int(s.cards[seat])] = 1
	}
	turns := dst[2*int(s.players)+1:]
	for turn := range int(s.length) {
		turns[2*turn+int(s.bets>>turn&1)] = 1
	}
}

var names = [...]string{"Pass", "Bet"}

func (s *state) Say(a games.Action) string {
	if games.Seat(s.turn) == games.Chance {
		return "Deal:" + strconv.Itoa(int(a))
	}
	if a < 0 || int(a) >= len(names) {
		return strconv.Itoa(int(a))
	}
	return names[a]
}

func (s *state) Hear(text string) (games.Action, error) {
	if games.Seat(s.turn) == games.Chance {
		return games.Hear(s, text, games.Ids(int(s.players)+1))
	}
	return games.Hear(s, text, games.Ids(2))
}

func (s *state) Prompt(seat games.Seat) string {
	var b strings.Builder
	fmt.Fprintf(&b, `Kuhn poker for %d players. The deck has the cards 0 to %d; a higher card beats a lower one. Everyone puts one chip into the pot and is dealt one card that only they see. From player 0 on, players take turns to Pass, or to Bet one more chip. If nobody bets, the highest card takes the pot. Once somebody has bet, everybody else has one more turn: Bet calls with one chip, Pass folds. Then the highest card among those who bet takes the pot. Your return is the chips you win or lose.

You are player %d (%s).
`, s.players, s.players, seat, s.game.info.Roles[seat])
	if int8(seat) < s.dealt {
		fmt.Fprintf(&b, "Your card: %d\n", s.cards[seat])
	} else {
		b.WriteString("Your card is not dealt yet.\n")
	}
	for turn := range s.length {
		fmt.Fprintf(&b, "Player %d: %s\n", turn%s.players, names[s.bets>>turn&1])
	}
	if games.Seat(s.turn) == games.Over {
		shown := make([]string, 0, s.players)
		for p := range s.players {
			if s.first < 0 || s.stake(p) == 2 {
				shown = append(shown, fmt.Sprintf("player %d has %d", p, s.cards[p]))
			}
		}
		if len(shown) > 1 {
			fmt.Fprintf(&b, "Showdown: %s\n", strings.Join(slices.Clip(shown), ", "))
		}
	}
	b.WriteString(games.Menu(s, seat))
	return b.String()
}
