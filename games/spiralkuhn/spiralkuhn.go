// Package spiralkuhn holds Kuhn poker as SPIRAL plays it (arXiv 2506.24119): a
// match of several deals that whoever has more chips at the end wins. Cards
// are J < Q < K, the ante and the bet one chip. Seat 1 opens the odd deals,
// counted from 1, and seat 0 the even ones. A showdown shows both cards, a
// fold none.
//
// With rules=released it is the environment as it was published, in which bets
// and calls move no chips: every deal moves exactly one, a fold costs what a
// lost showdown costs, and the winner of the last deal wins the match whatever
// the chips say. Never to fold, blind to the card, is then optimal.
package spiralkuhn

import (
	"fmt"
	"strings"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/internal/spec"
)

// Pass checks, or folds to a bet; Bet bets, or calls one.
const (
	Pass games.Action = iota
	Bet
)

const (
	maxDeals     = 20
	defaultDeals = 5
)

var cards = [3]string{"Jack", "Queen", "King"}

func init() {
	games.Register(games.Rules{
		Name:    "spiral_kuhn",
		Summary: "Kuhn poker over several deals, as SPIRAL plays it: more chips at the end wins",
		Params: []games.Param{
			{Name: "deals", Default: "5", Help: fmt.Sprintf("number of deals, 1 to %d", maxDeals)},
			{Name: "rules", Default: "true", Help: "true, or released: bets cost nothing and the last deal decides"},
		},
		Make: func(r *spec.Reader) (games.Game, error) {
			deals := r.Int("deals", defaultDeals, 1, maxDeals)
			rules := r.Choice("rules", "true", "true", "released")
			if err := r.Err(); err != nil {
				return nil, err
			}
			return New(deals, rules == "released"), nil
		},
	})
}

type game struct {
	info     games.Info
	deals    int8
	released bool
}

// New returns a match of 1 to 20 deals.
func New(deals int, released bool) games.Game {
	var args []spec.Arg
	if deals != defaultDeals {
		args = append(args, spec.Arg{Key: "deals", Value: fmt.Sprint(deals)})
	}
	if released {
		args = append(args, spec.Arg{Key: "rules", Value: "released"})
	}
	return &game{deals: int8(deals), released: released, info: games.Info{
		Name:      spec.Spec{Name: "spiral_kuhn", Args: args}.String(),
		Seats:     2,
		Roles:     []string{"first", "second"},
		Actions:   2,
		MaxLength: 3 * deals,
		MinReturn: -1,
		MaxReturn: 1,
		Chance:    games.Listed,
		Hidden:    true,
		Tensor:    []int{tensorFixed + deals},
		// Cards shown in earlier deals are left out: they say nothing about
		// what is to come.
		Recall: false,
	}}
}

func (g *game) Info() games.Info { return g.info }

func (g *game) Start() games.State {
	s := &state{game: g}
	s.deal[0].cards = [2]int8{-1, -1}
	return s
}

// deal is one deal, under way or over.
type deal struct {
	cards  [2]int8 // by seat, -1 before they are dealt
	length int8    // actions taken
	bets   uint8   // bit i: action i was a bet or call
}

// Bettings of a deal, by length and bets.
func (d deal) betting() string {
	var b [3]byte
	for i := range d.length {
		b[i] = 'p'
		if d.bets>>i&1 == 1 {
			b[i] = 'b'
		}
	}
	return string(b[:d.length])
}

func (d deal) dealt() bool { return d.cards[1] >= 0 }

// facing says whether the seat to move faces a bet.
func (d deal) facing() bool { return d.length > 0 && d.bets>>(d.length-1)&1 == 1 }

// over says whether the betting has ended: two passes, or a bet answered.
func (d deal) over() bool {
	return d.length == 2 && d.bets != 2 || d.length == 3
}

// showdown says whether the cards were shown: nobody folded.
func (d deal) showdown() bool { return d.over() && (d.bets == 0 || d.bets>>(d.length-1)&1 == 1) }

type state struct {
	game  *game
	deal  [maxDeals + 1]deal
	now   int8 // index of the deal under way; the number of deals at the end
	chips int8 // won by seat 0 so far
}

// opener is the seat that opens a deal, by its index from 0.
func opener(index int8) games.Seat { return games.Seat(1 - index%2) }

func (s *state) Turn() games.Seat {
	switch d := &s.deal[s.now]; {
	case s.now == s.game.deals:
		return games.Over
	case !d.dealt():
		return games.Chance
	case d.length%2 == 0:
		return opener(s.now)
	}
	return 1 - opener(s.now)
}

func (s *state) Actions(dst []games.Action) []games.Action {
	switch s.Turn() {
	case games.Over:
		return dst
	case games.Chance:
		for card := range int8(len(cards)) {
			if s.deal[s.now].cards[0] != card {
				dst = append(dst, games.Action(card))
			}
		}
		return dst
	}
	return append(dst, Pass, Bet)
}

func (s *state) Odds(dst []float64) []float64 {
	if s.Turn() != games.Chance {
		return dst
	}
	if s.deal[s.now].cards[0] >= 0 {
		return append(dst, 0.5, 0.5)
	}
	return append(dst, 1.0/3, 1.0/3, 1.0/3)
}

func (s *state) Apply(a games.Action) error {
	turn := s.Turn()
	d := &s.deal[s.now]
	switch {
	case turn == games.Chance && a >= 0 && a < games.Action(len(cards)) && games.Action(d.cards[0]) != a:
		if d.cards[0] < 0 {
			d.cards[0] = int8(a)
		} else {
			d.cards[1] = int8(a)
		}
		return nil
	case turn >= 0 && (a == Pass || a == Bet):
		d.bets |= uint8(a) << d.length
		d.length++
		if d.over() {
			s.settle(d)
		}
		return nil
	}
	return games.Illegal(s, a)
}

// settle pays a deal and opens the next.
func (s *state) settle(d *deal) {
	winner, stake := s.winner(d), int8(1)
	if d.showdown() && d.bets != 0 && !s.game.released {
		stake = 2
	}
	if winner == 1 {
		stake = -stake
	}
	s.chips += stake
	s.now++
	s.deal[s.now].cards = [2]int8{-1, -1}
}

// winner is who wins a deal that is over.
func (s *state) winner(d *deal) games.Seat {
	if d.showdown() {
		if d.cards[0] > d.cards[1] {
			return 0
		}
		return 1
	}
	folder := opener(s.now) // the last to act
	if d.length%2 == 0 {
		folder = 1 - folder
	}
	return 1 - folder
}

func (s *state) Returns(dst []float64) []float64 {
	if s.Turn() != games.Over {
		return append(dst, 0, 0)
	}
	lead := float64(s.chips)
	if s.game.released {
		last := *s
		last.now--
		lead = 1 - 2*float64(last.winner(&last.deal[last.now]))
	}
	switch {
	case lead > 0:
		return append(dst, 1, -1)
	case lead < 0:
		return append(dst, -1, 1)
	}
	return append(dst, 0, 0)
}

func (s *state) Clone() games.State {
	c := *s
	return &c
}

// CopyFrom implements games.Copier.
func (s *state) CopyFrom(from games.State) { *s = *from.(*state) }

// AppendKey tells, deal by deal, the seat's card, the betting, and after a
// showdown the other's card: "0pbp;2bb/1;1p" for a Jack that folded, a King
// shown against a Queen, and a Queen after a check.
func (s *state) AppendKey(dst []byte, seat games.Seat) []byte {
	for i := int8(0); i <= s.now && i < s.game.deals; i++ {
		d := &s.deal[i]
		if i > 0 {
			dst = append(dst, ';')
		}
		if d.cards[seat] < 0 {
			return dst
		}
		dst = append(dst, byte('0'+d.cards[seat]))
		dst = append(dst, d.betting()...)
		if d.showdown() {
			dst = append(dst, '/', byte('0'+d.cards[1-seat]))
		}
	}
	return dst
}

// tensorFixed are the values before the one-hot of the deal.
const tensorFixed = 3 + 4 + 2

// Observe writes: the own card (3), the betting so far as none, pass, bet or
// pass and bet (4), whether the seat opened the deal, its lead in chips over
// the most that can be won, and the deal (one-hot).
func (s *state) Observe(seat games.Seat, dst []float32) {
	clear(dst)
	if s.now == s.game.deals {
		dst[8] = s.lead(seat)
		return
	}
	d := &s.deal[s.now]
	if d.cards[seat] >= 0 {
		dst[d.cards[seat]] = 1
	}
	switch {
	case d.length == 0:
		dst[3] = 1
	case d.length == 1 && d.bets == 0:
		dst[4] = 1
	case d.length == 1:
		dst[5] = 1
	default:
		dst[6] = 1
	}
	if opener(s.now) == seat {
		dst[7] = 1
	}
	dst[8] = s.lead(seat)
	dst[tensorFixed+int(s.now)] = 1
}

func (s *state) lead(seat games.Seat) float32 {
	return float32(s.chips) * float32(1-2*int(seat)) / float32(2*s.game.deals)
}

// Say implements games.Speaker.
func (s *state) Say(a games.Action) string {
	if s.Turn() == games.Chance {
		if a >= 0 && int(a) < len(cards) {
			return cards[a]
		}
		return fmt.Sprintf("card %d", a)
	}
	facing := s.deal[s.now].facing()
	switch {
	case a == Pass && facing:
		return "fold"
	case a == Pass:
		return "check"
	case a == Bet && facing:
		return "call"
	case a == Bet:
		return "bet"
	}
	return fmt.Sprintf("action %d", a)
}

// Hear implements games.Speaker.
func (s *state) Hear(text string) (games.Action, error) {
	if s.Turn() == games.Chance {
		return games.Hear(s, text, games.Ids(len(cards)))
	}
	return games.Hear(s, text, games.Ids(2))
}

// Prompt implements games.Speaker.
func (s *state) Prompt(seat games.Seat) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Kuhn poker over %d deals. In each, both players put one chip into the pot and get one card, a Jack, a Queen or a King, of which the King is highest; they are never equal. ", s.game.deals)
	b.WriteString("Whoever opens may check or bet one chip; after a check the other may check or bet; who faces a bet may fold or call it. If nobody folds, the cards are shown and the higher wins the pot. ")
	if s.game.released {
		b.WriteString("In these rules bets and calls put no chips into the pot, and whoever wins the last deal wins the match (+1, the other -1).\n\n")
	} else {
		b.WriteString("Whoever has more chips after the last deal wins the match (+1, the other -1); equal chips are a draw (0).\n\n")
	}
	fmt.Fprintf(&b, "You are player %d.\n", seat)
	for i := int8(0); i <= s.now && i < s.game.deals; i++ {
		if s.deal[i].cards[seat] < 0 {
			break
		}
		s.tell(&b, i, seat)
	}
	fmt.Fprintf(&b, "You are %+d chips.\n", int(s.chips)*(1-2*int(seat)))
	b.WriteString(games.Menu(s, seat))
	return b.String()
}

// tell writes what a seat knows of a deal.
func (s *state) tell(b *strings.Builder, index int8, seat games.Seat) {
	d := s.deal[index]
	fmt.Fprintf(b, "Deal %d: player %d opens; your card is the %s.", index+1, opener(index), cards[d.cards[seat]])
	past := deal{cards: d.cards}
	for i := range d.length {
		before := state{game: s.game, now: 0}
		before.deal[0] = past
		who := opener(index)
		if i%2 == 1 {
			who = 1 - who
		}
		a := games.Action(d.bets >> i & 1)
		name := "Player " + fmt.Sprint(who)
		if who == seat {
			name = "You"
		}
		fmt.Fprintf(b, " %s: %s.", name, before.Say(a))
		past.bets |= uint8(a) << past.length
		past.length++
	}
	if d.showdown() {
		fmt.Fprintf(b, " Showdown: the other card is the %s.", cards[d.cards[1-seat]])
	}
	b.WriteByte('\n')
}

var (
	_ games.State   = (*state)(nil)
	_ games.Speaker = (*state)(nil)
	_ games.Copier  = (*state)(nil)
)
