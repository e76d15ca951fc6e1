// Package goofspiel holds Goofspiel, the game of pure strategy, for two players:
// each trick offers a point card, both bid a card of their own at the same time,
// and the higher bid takes it; equal bids leave it to nobody. Bids are played as
// hidden moves in turn. Ids, names and returns are those of OpenSpiel's
// goofspiel turned into a sequential game.
package goofspiel

import (
	"fmt"
	"math/bits"
	"strconv"
	"strings"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/internal/spec"
)

const maxCards = 20

// Params are the parameters of the game.
type Params struct {
	Cards      int
	Turns      int    // tricks played, Cards for all
	Order      string // of the point cards: random, descending or ascending
	Hidden     bool   // the other's bids stay hidden, only who won is told
	Difference bool   // returns are half the difference in points, not who won
}

func init() {
	games.Register(games.Rules{
		Name:    "goofspiel",
		Summary: "Goofspiel: bid your cards for point cards, both at the same time",
		Params: []games.Param{
			{Name: "imp_info", Default: "false", Help: "true hides the other's bids and tells only who won"},
			{Name: "num_cards", Default: "13", Help: fmt.Sprintf("cards of each hand, 2 to %d", maxCards)},
			{Name: "num_turns", Default: "-1", Help: "tricks that are played; -1 for all"},
			{Name: "players", Default: "2", Help: "number of players; only 2"},
			{Name: "points_order", Default: "random", Help: "order of the point cards: random, descending, ascending"},
			{Name: "returns_type", Default: "win_loss", Help: "win_loss, or point_difference: points less the mean of both"},
		},
		Make: func(r *spec.Reader) (games.Game, error) {
			p := Params{Hidden: r.Bool("imp_info", false), Cards: r.Int("num_cards", 13, 2, maxCards)}
			p.Turns = r.Int("num_turns", -1, -1, maxCards)
			players := r.Int("players", 2, 2, 10)
			p.Order = r.Choice("points_order", "random", "random", "descending", "ascending")
			p.Difference = r.Choice("returns_type", "win_loss", "win_loss", "point_difference") == "point_difference"
			if err := r.Err(); err != nil {
				return nil, err
			}
			if players != 2 {
				return nil, fmt.Errorf("goofspiel: players=%d: only 2 players are supported", players)
			}
			if p.Turns == -1 {
				p.Turns = p.Cards
			}
			return New(p)
		},
	})
}

type game struct {
	info games.Info
	Params
}

// New returns Goofspiel. It refuses numbers out of range.
func New(p Params) (games.Game, error) {
	if p.Cards < 2 || p.Cards > maxCards {
		return nil, fmt.Errorf("goofspiel: num_cards=%d: expected a whole number from 2 to %d", p.Cards, maxCards)
	}
	if p.Turns < 1 || p.Turns > p.Cards {
		return nil, fmt.Errorf("goofspiel: num_turns=%d: expected a whole number from 1 to num_cards=%d, or -1 for all", p.Turns, p.Cards)
	}
	g := &game{Params: p}
	bound := 1.0
	if p.Difference {
		bound = float64(p.Cards*(p.Cards+1)) / 4
	}
	// seat, own hand, then for each trick the point card, the own bid, and the
	// other's bid or who won
	trick := 2*p.Cards + 3
	if !p.Hidden {
		trick = 3 * p.Cards
	}
	g.info = games.Info{
		Name: g.name(), Seats: 2, Roles: []string{"first", "second"}, Actions: p.Cards,
		MaxLength: 2 * g.free(), MinReturn: -bound, MaxReturn: bound, Hidden: true,
		Tensor: []int{2 + p.Cards + p.Turns*trick}, Recall: true,
	}
	if p.Order == "random" {
		g.info.Chance = games.Listed
	}
	return g, nil
}

// free is how many tricks are bid for: the last cards of the hands play
// themselves.
func (g *game) free() int { return min(g.Turns, g.Cards-1) }

func (g *game) name() string {
	s := spec.Spec{Name: "goofspiel"}
	add := func(differs bool, key, value string) {
		if differs {
			s.Args = append(s.Args, spec.Arg{Key: key, Value: value})
		}
	}
	add(g.Hidden, "imp_info", "true")
	add(g.Cards != 13, "num_cards", strconv.Itoa(g.Cards))
	add(g.Turns != g.Cards, "num_turns", strconv.Itoa(g.Turns))
	add(g.Order != "random", "points_order", g.Order)
	add(g.Difference, "returns_type", "point_difference")
	return s.String()
}

func (g *game) Info() games.Info { return g.info }

func (g *game) Start() games.State {
	all := uint32(1)<<g.Cards - 1
	s := &state{game: g, points: all, hands: [2]uint32{all, all}}
	s.offer()
	return s
}

// Cards are numbered from 0; card c counts c+1.
type state struct {
	game   *game
	points uint32 // the set of point cards not yet offered
	hands  [2]uint32
	scores [2]int16
	turn   int8
	dealt  int8 // tricks offered
	played int8 // tricks decided
	cards  [maxCards]int8
	bids   [2][maxCards]int8
}

func (s *state) Turn() games.Seat { return games.Seat(s.turn) }

// offer begins a trick, or ends the game.
func (s *state) offer() {
	g := s.game
	switch {
	case int(s.played) == g.Turns:
		s.turn = int8(games.Over)
	case int(s.played) == g.Cards-1:
		s.deal(bits.TrailingZeros32(s.points))
		s.bid(0, bits.TrailingZeros32(s.hands[0]))
		s.bid(1, bits.TrailingZeros32(s.hands[1]))
	case g.Order == "random":
		s.turn = int8(games.Chance)
	case g.Order == "descending":
		s.deal(bits.Len32(s.points) - 1)
	default:
		s.deal(bits.TrailingZeros32(s.points))
	}
}

func (s *state) deal(card int) {
	s.points &^= 1 << card
	s.cards[s.dealt] = int8(card)
	s.dealt++
	s.turn = 0
}

// bid plays a card from a hand; the second bid decides the trick.
func (s *state) bid(seat, card int) {
	s.hands[seat] &^= 1 << card
	s.bids[seat][s.played] = int8(card)
	if seat == 0 {
		s.turn = 1
		return
	}
	if winner := s.winner(int(s.played)); winner >= 0 {
		s.scores[winner] += int16(s.cards[s.played]) + 1
	}
	s.played++
	s.offer()
}

// winner is who took a trick, or -1.
func (s *state) winner(trick int) int {
	switch a, b := s.bids[0][trick], s.bids[1][trick]; {
	case a > b:
		return 0
	case b > a:
		return 1
	}
	return -1
}

// open is the set of actions.
func (s *state) open() uint32 {
	switch games.Seat(s.turn) {
	case games.Over:
		return 0
	case games.Chance:
		return s.points
	}
	return s.hands[s.turn]
}

func (s *state) Actions(dst []games.Action) []games.Action {
	for open := s.open(); open != 0; open &= open - 1 {
		dst = append(dst, games.Action(bits.TrailingZeros32(open)))
	}
	return dst
}

func (s *state) Odds(dst []float64) []float64 {
	if games.Seat(s.turn) != games.Chance {
		return dst
	}
	n := bits.OnesCount32(s.points)
	for range n {
		dst = append(dst, 1/float64(n))
	}
	return dst
}

func (s *state) Apply(a games.Action) error {
	if a < 0 || int(a) >= s.game.Cards || s.open()>>a&1 == 0 {
		return games.Illegal(s, a)
	}
	if games.Seat(s.turn) == games.Chance {
		s.deal(int(a))
	} else {
		s.bid(int(s.turn), int(a))
	}
	return nil
}

func (s *state) Returns(dst []float64) []float64 {
	difference := float64(s.scores[0] - s.scores[1])
	switch {
	case games.Seat(s.turn) != games.Over || difference == 0:
		return append(dst, 0, 0)
	case s.game.Difference:
		return append(dst, difference/2, -difference/2)
	case difference > 0:
		return append(dst, 1, -1)
	}
	return append(dst, -1, 1)
}

func (s *state) Clone() games.State {
	c := *s
	return &c
}

func (s *state) CopyFrom(src games.State) { *s = *src.(*state) }

// bade tells whether a seat has bid in a trick.
func (s *state) bade(seat games.Seat, trick int) bool {
	return trick < int(s.played) || trick < int(s.dealt) && seat == 0 && s.turn == 1
}

// AppendKey writes the seat, then for each trick the point card, the seat's bid
// and, once it is decided, the other's bid or who won: P0 4:2/1 3:1- 2.
func (s *state) AppendKey(dst []byte, seat games.Seat) []byte {
	dst = append(dst, 'P', '0'+byte(seat))
	for trick := range int(s.dealt) {
		dst = append(dst, ' ')
		dst = strconv.AppendInt(dst, int64(s.cards[trick])+1, 10)
		if !s.bade(seat, trick) {
			continue
		}
		dst = append(dst, ':')
		dst = strconv.AppendInt(dst, int64(s.bids[seat][trick])+1, 10)
		if trick >= int(s.played) {
			continue
		}
		if s.game.Hidden {
			dst = append(dst, "=+-"[s.result(seat, trick)])
		} else {
			dst = append(dst, '/')
			dst = strconv.AppendInt(dst, int64(s.bids[1-seat][trick])+1, 10)
		}
	}
	return dst
}

// result is 0 for a trick that nobody took, 1 for one that the seat took, 2 for
// one that the other took.
func (s *state) result(seat games.Seat, trick int) int {
	switch s.winner(trick) {
	case -1:
		return 0
	case int(seat):
		return 1
	}
	return 2
}

// Observe writes what Info.Tensor lists, cards as a choice among all.
func (s *state) Observe(seat games.Seat, dst []float32) {
	clear(dst)
	g := s.game
	dst[seat] = 1
	for hand := s.hands[seat]; hand != 0; hand &= hand - 1 {
		dst[2+bits.TrailingZeros32(hand)] = 1
	}
	rest := dst[2+g.Cards:]
	width := len(rest) / g.Turns
	for trick := range int(s.dealt) {
		part := rest[trick*width : (trick+1)*width]
		part[s.cards[trick]] = 1
		if s.bade(seat, trick) {
			part[g.Cards+int(s.bids[seat][trick])] = 1
		}
		switch {
		case trick >= int(s.played):
		case g.Hidden:
			part[2*g.Cards+s.result(seat, trick)] = 1
		default:
			part[2*g.Cards+int(s.bids[1-seat][trick])] = 1
		}
	}
}

// Say names a deal and a bid by the card: Deal 3, [P0]Bid: 3.
func (s *state) Say(a games.Action) string {
	if games.Seat(s.turn) == games.Chance {
		return fmt.Sprintf("Deal %d", a+1)
	}
	return fmt.Sprintf("[P%d]Bid: %d", max(s.turn, 0), a+1)
}

func (s *state) Hear(text string) (games.Action, error) {
	return games.Hear(s, text, games.Ids(s.game.Cards))
}

func (s *state) Prompt(seat games.Seat) string {
	g := s.game
	var b strings.Builder
	told := "Then both bids are shown."
	if g.Hidden {
		told = "You are told who took the card, not what the other bid."
	}
	paid := "Who has more points at the end wins (+1, the other -1); equal points are a draw (0)."
	if g.Difference {
		paid = "Your return is half of what your points exceed the other's by, or minus half of what they fall short."
	}
	fmt.Fprintf(&b, `Goofspiel for two players. Both hold the cards 1 to %d. Each of %d tricks offers a point card, in %s order. Both bid one of their cards at the same time; the higher bid takes the point card and as many points as it shows, and equal bids leave it to nobody. %s Cards that were bid are gone; when one card is left, it is played by itself. %s The number in brackets is a card's number less one.

You are player %d (%s).
`, g.Cards, g.Turns, g.Order, told, paid, seat, g.info.Roles[seat])
	for trick := range int(s.dealt) {
		fmt.Fprintf(&b, "Trick %d: point card %d", trick+1, s.cards[trick]+1)
		if s.bade(seat, trick) {
			fmt.Fprintf(&b, ", you bid %d", s.bids[seat][trick]+1)
		}
		if trick < int(s.played) {
			if !g.Hidden || games.Seat(s.turn) == games.Over {
				fmt.Fprintf(&b, ", the other bid %d", s.bids[1-seat][trick]+1)
			}
			b.WriteString([...]string{", nobody took it", ", you took it", ", the other took it"}[s.result(seat, trick)])
		}
		b.WriteByte('\n')
	}
	fmt.Fprintf(&b, "Points: %d for you, %d for the other.\n", s.scores[seat], s.scores[1-seat])
	b.WriteString(games.Menu(s, seat))
	return b.String()
}
