// Package negotiation holds SPIRAL's SimpleNegotiation (arXiv 2506.24119, on
// TextArena): two players who value goods differently offer one another
// trades, and whose goods gain more in its own eyes wins. What is zero-sum is
// the result, not the gains.
//
// form=v1 has Wood and Gold, ten of each to both; seat 0 values Wood at 5 and
// Gold at 15, seat 1 the other way round. form=v0 has five goods in quantities
// and values that chance draws. A player sees its own values, and in v0 its
// own goods, only.
//
// A turn is a word (accept or deny the other's standing offer, or neither,
// which leaves it standing) and then, if the player likes, an offer of one kind
// of goods for another, which replaces what stood. SPIRAL's offers may mix
// goods; here they are listed, so that a network can choose among them.
package negotiation

import (
	"fmt"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/internal/spec"
)

func init() {
	games.Register(games.Rules{
		Name:    "simple_negotiation",
		Summary: "SPIRAL's negotiation: trades of goods that the players value differently",
		Params: []games.Param{
			{Name: "form", Default: "v1", Help: "v1: Wood and Gold, nothing random; v0: five goods, drawn by chance"},
			{Name: "max_offer", Default: "5", Help: "the largest quantity in an offer, 1 to 20"},
			{Name: "turns", Default: "10", Help: "actions in all, an even number from 2 to 100"},
		},
		Make: func(r *spec.Reader) (games.Game, error) {
			form := r.Choice("form", "v1", "v1", "v0")
			bound := r.Int("max_offer", defaultBound, 1, 20)
			turns := r.Int("turns", defaultTurns, 2, 100)
			if err := r.Err(); err != nil {
				return nil, err
			}
			if turns%2 != 0 {
				return nil, fmt.Errorf("simple_negotiation: turns=%d: expected an even number, the same for both players", turns)
			}
			return New(form, bound, turns), nil
		},
	})
}

const (
	defaultBound = 5
	defaultTurns = 10
	maxGoods     = 5
)

// goods describes a form.
type goods struct {
	names  []string
	base   []int    // v0: base values
	values [2][]int // v1: values by seat
}

var forms = map[string]goods{
	"v1": {names: []string{"Wood", "Gold"}, values: [2][]int{{5, 15}, {15, 5}}},
	"v0": {names: []string{"Wheat", "Wood", "Sheep", "Brick", "Ore"}, base: []int{5, 10, 15, 25, 40}},
}

// Quantities and values of v0.
const (
	leastGoods, mostGoods = 5, 25
	leastValue, mostValue = 5, 40
	v1Goods               = 10
)

// Word is what a turn says of the other's standing offer.
type Word int8

// The words.
const (
	Neither Word = iota
	Accept
	Deny
	words
)

// trade is an offer: quantities of one kind of goods for another.
type trade struct {
	give, get           int8 // kinds
	giveCount, getCount int8
}

type game struct {
	info   games.Info
	goods  goods
	random bool
	bound  int8
	turns  int8
	trades []trade // by number from 1; 0 is no offer
}

// New returns a negotiation of form v1 or v0, with offers of at most bound
// goods, over a number of turns.
func New(form string, bound, turns int) games.Game {
	g := &game{goods: forms[form], random: form == "v0", bound: int8(bound), turns: int8(turns), trades: []trade{{}}}
	kinds := int8(len(g.goods.names))
	for give := range kinds {
		for get := range kinds {
			for n := int8(1); n <= g.bound && give != get; n++ {
				for m := int8(1); m <= g.bound; m++ {
					g.trades = append(g.trades, trade{give, get, n, m})
				}
			}
		}
	}
	var args []spec.Arg
	if g.random {
		args = append(args, spec.Arg{Key: "form", Value: form})
	}
	if bound != defaultBound {
		args = append(args, spec.Arg{Key: "max_offer", Value: fmt.Sprint(bound)})
	}
	if turns != defaultTurns {
		args = append(args, spec.Arg{Key: "turns", Value: fmt.Sprint(turns)})
	}
	g.info = games.Info{
		Name:      spec.Spec{Name: "simple_negotiation", Args: args}.String(),
		Seats:     2,
		Roles:     []string{"first", "second"},
		Actions:   int(words) * len(g.trades),
		MaxLength: turns,
		MinReturn: -1,
		MaxReturn: 1,
		Hidden:    true,
		Tensor:    []int{4*int(kinds) + 5},
	}
	if g.random {
		g.info.Chance = games.Listed
	}
	return g
}

func (g *game) Info() games.Info { return g.info }

func (g *game) Start() games.State {
	s := &state{game: g, standing: -1}
	if g.random {
		return s
	}
	for seat := range 2 {
		for kind, value := range g.goods.values[seat] {
			s.endow(seat, kind, v1Goods, value)
		}
	}
	s.drawn = s.draws()
	return s
}

// action and parts convert between an action and its word and offer.
func (g *game) action(w Word, offer int) games.Action {
	return games.Action(int(w)*len(g.trades) + offer)
}

func (g *game) parts(a games.Action) (Word, int) {
	return Word(int(a) / len(g.trades)), int(a) % len(g.trades)
}

type state struct {
	game     *game
	values   [2][maxGoods]int16
	initial  [2][maxGoods]int16
	holdings [2][maxGoods]int16
	drawn    int8 // chance outcomes so far
	history  []games.Action
	standing int16 // number of the standing offer, -1 for none
	proposer int8  // whose it is
	saying   string
	said     []string // by turn: the words that went along
}

func (s *state) endow(seat, kind, count, value int) {
	s.initial[seat][kind], s.holdings[seat][kind], s.values[seat][kind] = int16(count), int16(count), int16(value)
}

// draws is how many chance nodes the start has: a quantity and a value for each
// seat and kind.
func (s *state) draws() int8 { return int8(4 * len(s.game.goods.names)) }

func (s *state) Turn() games.Seat {
	switch {
	case s.drawn < s.draws():
		return games.Chance
	case len(s.history) == int(s.game.turns):
		return games.Over
	}
	return games.Seat(len(s.history) % 2)
}

// drawing tells what the next chance node draws.
func (s *state) drawing() (seat, kind int, value bool) {
	n := int(s.drawn)
	return n / 2 / len(s.game.goods.names), n / 2 % len(s.game.goods.names), n%2 == 1
}

// outcomes returns the range that the next chance node draws from. A value is
// uniform within a fifth of its base and then held within [5, 40], so the ends
// of the range may be likelier.
func (s *state) outcomes() (low, high int, odds func(int) float64) {
	_, kind, value := s.drawing()
	if !value {
		return leastGoods, mostGoods, func(int) float64 { return 1.0 / (mostGoods - leastGoods + 1) }
	}
	base := s.game.goods.base[kind]
	from, to := base-base/5, base+base/5
	low, high = max(from, leastValue), min(to, mostValue)
	each := 1 / float64(to-from+1)
	return low, high, func(v int) float64 {
		switch v {
		case low:
			return each * float64(low-from+1)
		case high:
			return each * float64(to-high+1)
		}
		return each
	}
}

func (s *state) Actions(dst []games.Action) []games.Action {
	switch turn := s.Turn(); turn {
	case games.Over:
	case games.Chance:
		low, high, _ := s.outcomes()
		for v := low; v <= high; v++ {
			dst = append(dst, games.Action(v))
		}
	default:
		for w := range words {
			if !s.allowed(turn, w) {
				continue
			}
			held := s.after(turn, w)
			for offer, t := range s.game.trades {
				if offer == 0 || int16(t.giveCount) <= held[t.give] {
					dst = append(dst, s.game.action(w, offer))
				}
			}
		}
	}
	return dst
}

// allowed says whether a seat may say a word: accept or deny only to the
// other's offer, accept only with the goods that it asks for. (The proposer
// always has what it offered: nothing changes hands while an offer stands.)
func (s *state) allowed(seat games.Seat, w Word) bool {
	if w == Neither {
		return true
	}
	if s.standing < 0 || games.Seat(s.proposer) == seat {
		return false
	}
	t := s.game.trades[s.standing]
	return w == Deny || s.holdings[seat][t.get] >= int16(t.getCount)
}

// after returns what a seat holds once its word is done.
func (s *state) after(seat games.Seat, w Word) [maxGoods]int16 {
	held := s.holdings[seat]
	if w == Accept {
		t := s.game.trades[s.standing]
		held[t.get] -= int16(t.getCount)
		held[t.give] += int16(t.giveCount)
	}
	return held
}

func (s *state) Odds(dst []float64) []float64 {
	if s.Turn() != games.Chance {
		return dst
	}
	low, high, odds := s.outcomes()
	for v := low; v <= high; v++ {
		dst = append(dst, odds(v))
	}
	return dst
}

func (s *state) Apply(a games.Action) error {
	turn := s.Turn()
	switch turn {
	case games.Over:
		return games.Illegal(s, a)
	case games.Chance:
		low, high, _ := s.outcomes()
		if int(a) < low || int(a) > high {
			return games.Illegal(s, a)
		}
		seat, kind, value := s.drawing()
		if value {
			s.values[seat][kind] = int16(a)
		} else {
			s.initial[seat][kind], s.holdings[seat][kind] = int16(a), int16(a)
		}
		s.drawn++
		return nil
	}
	if a < 0 || int(a) >= s.game.info.Actions {
		return games.Illegal(s, a)
	}
	w, offer := s.game.parts(a)
	t := s.game.trades[offer]
	if !s.allowed(turn, w) || offer > 0 && s.after(turn, w)[t.give] < int16(t.giveCount) {
		return games.Illegal(s, a)
	}
	if w == Accept {
		s.swap(turn)
	}
	if w != Neither {
		s.standing = -1
	}
	if offer > 0 {
		s.standing, s.proposer = int16(offer), int8(turn)
	}
	// Copies share history's array up to its length and no further.
	s.history = append(s.history[:len(s.history):len(s.history)], a)
	s.said = append(s.said[:len(s.said):len(s.said)], s.saying)
	s.saying = ""
	return nil
}

// swap carries out the standing offer, which a seat accepts.
func (s *state) swap(seat games.Seat) {
	t := s.game.trades[s.standing]
	s.holdings[seat] = s.after(seat, Accept)
	s.holdings[1-seat][t.give] -= int16(t.giveCount)
	s.holdings[1-seat][t.get] += int16(t.getCount)
}

// Talk implements games.Talker.
func (s *state) Talk(text string) { s.saying = text }

// gain is what a seat's goods have gained in its own eyes.
func (s *state) gain(seat games.Seat) int {
	gain := 0
	for kind := range s.game.goods.names {
		gain += int(s.values[seat][kind]) * int(s.holdings[seat][kind]-s.initial[seat][kind])
	}
	return gain
}

func (s *state) Returns(dst []float64) []float64 {
	if s.Turn() == games.Over {
		switch d := s.gain(0) - s.gain(1); {
		case d > 0:
			return append(dst, 1, -1)
		case d < 0:
			return append(dst, -1, 1)
		}
	}
	return append(dst, 0, 0)
}

func (s *state) Clone() games.State {
	c := *s
	return &c
}

// CopyFrom implements games.Copier.
func (s *state) CopyFrom(from games.State) { *s = *from.(*state) }

// AppendKey tells the seat's own goods and values, as far as they are drawn,
// and all actions: "10x5 10x15;12,51".
func (s *state) AppendKey(dst []byte, seat games.Seat) []byte {
	kinds := len(s.game.goods.names)
	for n := range 2 * kinds {
		if int(s.drawn) <= int(seat)*2*kinds+n {
			break
		}
		if kind := n / 2; n%2 == 0 {
			dst = fmt.Appendf(dst, " %d", s.initial[seat][kind])
		} else {
			dst = fmt.Appendf(dst, "x%d", s.values[seat][kind])
		}
	}
	dst = append(dst, ';')
	for i, a := range s.history {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = fmt.Append(dst, a)
	}
	return dst
}

// Observe writes, each scaled to about one: the own values and goods by kind,
// the goods that the standing offer would bring the seat and cost it by kind,
// whether it is the own or the other's, the share of turns gone, the own gain
// so far, and whether the seat moves first.
func (s *state) Observe(seat games.Seat, dst []float32) {
	clear(dst)
	kinds := len(s.game.goods.names)
	for kind := range kinds {
		dst[kind] = float32(s.values[seat][kind]) / mostValue
		dst[kinds+kind] = float32(s.holdings[seat][kind]) / mostGoods
	}
	rest := dst[4*kinds:]
	if s.standing > 0 {
		t := s.game.trades[s.standing]
		brings, costs := dst[2*kinds:3*kinds], dst[3*kinds:4*kinds]
		if own := games.Seat(s.proposer) == seat; own {
			brings, costs = costs, brings
			rest[0] = 1
		} else {
			rest[1] = 1
		}
		brings[t.give] = float32(t.giveCount) / float32(s.game.bound)
		costs[t.get] = float32(t.getCount) / float32(s.game.bound)
	}
	rest[2] = float32(len(s.history)) / float32(s.game.turns)
	rest[3] = float32(s.gain(seat)) / (mostValue * float32(s.game.bound))
	rest[4] = 1 - float32(seat)
}

var (
	_ games.State   = (*state)(nil)
	_ games.Copier  = (*state)(nil)
	_ games.Talker  = (*state)(nil)
	_ games.Speaker = (*state)(nil)
)
