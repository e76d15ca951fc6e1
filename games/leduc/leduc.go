// Package leduc holds Leduc hold'em (Southey et al. 2005) for two to ten
// players: a deck of two cards of each rank, with one rank more than players, a
// private card each, one public card, two rounds of betting with at most two
// raises each, of 2 and then 4 chips. Ids, names, information states, tensors and
// returns are those of OpenSpiel's leduc_poker. Two players: value -0.0856 for
// the first.
package leduc

import (
	"fmt"
	"math/bits"
	"strconv"
	"strings"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/internal/spec"
)

// Fold is open to a player who faces a raise; Raise twice a round at most.
const (
	Fold games.Action = iota
	Call
	Raise
)

const (
	maxPlayers = 10
	suits      = 2
	ante       = 1 // chips
	money      = 100
	maxRaises  = 2 // in one round
	mostChips  = ante + maxRaises*2 + maxRaises*4
	noCard     = -1
)

func init() {
	games.Register(games.Rules{
		Name:    "leduc_poker",
		Summary: "Leduc hold'em: a private and a public card, two rounds of betting",
		Params: []games.Param{
			{Name: "players", Default: "2", Help: "number of players, 2 to 10"},
			{Name: "suit_isomorphism", Default: "false", Help: "cards are told apart by rank alone"},
		},
		Make: func(r *spec.Reader) (games.Game, error) {
			players, isomorphism := r.Int("players", 2, 2, maxPlayers), r.Bool("suit_isomorphism", false)
			if err := r.Err(); err != nil {
				return nil, err
			}
			return New(players, isomorphism)
		},
	})
}

type game struct {
	info        games.Info
	ranks       int8
	cards       int8 // ids of cards: ranks, or ranks times suits
	maxTurns    int8 // in one round
	isomorphism bool
}

// New returns Leduc hold'em for 2 to 10 players. Under suit isomorphism a card's
// id is its rank, and the two cards of a rank are one outcome of twice the odds.
func New(players int, suitIsomorphism bool) (games.Game, error) {
	if players < 2 || players > maxPlayers {
		return nil, fmt.Errorf("leduc_poker: players=%d: expected 2 to %d", players, maxPlayers)
	}
	g := &game{
		ranks: int8(players + 1),
		cards: int8(suits * (players + 1)),
		// The last to act raises, twice; each raise has all others answer.
		maxTurns:    int8(players + maxRaises*(players-1)),
		isomorphism: suitIsomorphism,
	}
	if suitIsomorphism {
		g.cards = g.ranks
	}
	roles := []string{"first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"}
	g.info = games.Info{
		Name:      name(players, suitIsomorphism),
		Seats:     players,
		Roles:     roles[:players],
		Actions:   3,
		MaxLength: 2 * int(g.maxTurns),
		MinReturn: -mostChips,
		MaxReturn: float64(mostChips * (players - 1)),
		Chance:    games.Listed,
		Hidden:    true,
		// own seat, own card, public card, then for each turn of each round
		// whether it was Call or Raise
		Tensor: []int{players + 2*int(g.cards) + 2*2*int(g.maxTurns)},
		Recall: true,
	}
	return g, nil
}

// name holds what differs from the default.
func name(players int, suitIsomorphism bool) string {
	name := spec.Spec{Name: "leduc_poker"}
	if players != 2 {
		name.Args = append(name.Args, spec.Arg{Key: "players", Value: strconv.Itoa(players)})
	}
	if suitIsomorphism {
		name.Args = append(name.Args, spec.Arg{Key: "suit_isomorphism", Value: "true"})
	}
	return name.String()
}

func (g *game) Info() games.Info { return g.info }

func (g *game) Start() games.State {
	players := int8(g.info.Seats)
	s := &state{game: g, players: players, turn: int8(games.Chance), public: noCard, left: players, open: players, level: ante, isomorphism: g.isomorphism}
	for seat := range players {
		s.private[seat], s.stakes[seat] = noCard, ante
	}
	return s
}

// state is 64 bytes, so that copies are cheap.
type state struct {
	game    *game
	turns   [2]uint64 // actions by round, two bits each, the first lowest
	first   uint32    // set of ids of the cards that left the deck
	second  uint16    // of those, the ranks that left it twice, under isomorphism
	folded  uint16    // set of seats
	private [maxPlayers]int8
	stakes  [maxPlayers]int8
	lengths [2]uint8 // turns taken by round
	players int8
	turn    int8
	last    int8  // the seat that acted last
	round   uint8 // 0 or 1
	public  int8
	left    int8 // players who have not folded
	open    int8 // those of them who must still act in this round
	raises  int8 // in this round
	level   int8 // the highest stake

	isomorphism bool
}

func (s *state) Turn() games.Seat { return games.Seat(s.turn) }

func (s *state) Actions(dst []games.Action) []games.Action {
	switch games.Seat(s.turn) {
	case games.Over:
		return dst
	case games.Chance:
		for left := s.deck(); left != 0; left &= left - 1 {
			dst = append(dst, games.Action(bits.TrailingZeros32(left)))
		}
		return dst
	}
	if s.stakes[s.turn] != s.level {
		dst = append(dst, Fold)
	}
	dst = append(dst, Call)
	if s.raises < maxRaises {
		dst = append(dst, Raise)
	}
	return dst
}

// deck is the set of ids of the cards that are left.
func (s *state) deck() uint32 {
	ranks := s.players + 1
	if s.isomorphism {
		return (1<<ranks - 1) &^ uint32(s.second)
	}
	return (1<<(suits*ranks) - 1) &^ s.first
}

// dealt counts the cards that left the deck.
func (s *state) dealt() int {
	return bits.OnesCount32(s.first) + bits.OnesCount16(s.second)
}

func (s *state) Odds(dst []float64) []float64 {
	if games.Seat(s.turn) != games.Chance {
		return dst
	}
	left := s.deck()
	each := 1 / float64(suits*(int(s.players)+1)-s.dealt())
	if !s.isomorphism {
		for range bits.OnesCount32(left) {
			dst = append(dst, each)
		}
		return dst
	}
	for ; left != 0; left &= left - 1 {
		odds := each
		if s.first&left&-left == 0 { // both suits are left
			odds = 2 * each
		}
		dst = append(dst, odds)
	}
	return dst
}

func (s *state) Apply(a games.Action) error {
	if games.Seat(s.turn) == games.Chance {
		return s.deal(a)
	}
	if games.Seat(s.turn) == games.Over || a < Fold || a > Raise ||
		a == Fold && s.stakes[s.turn] == s.level || a == Raise && s.raises == maxRaises {
		return games.Illegal(s, a)
	}
	me, round := s.turn, s.round&1
	turn := s.lengths[round]
	s.turns[round] |= uint64(a) << (2 * turn & 63)
	s.lengths[round] = turn + 1
	s.last = me
	s.open--
	switch a {
	case Fold:
		s.folded |= 1 << (me & 15)
		if s.left--; s.left == 1 {
			s.turn = int8(games.Over)
			return nil
		}
	case Call:
		s.stakes[me] = s.level
	case Raise:
		s.raises++
		s.level += 2 << round
		s.stakes[me] = s.level
		s.open = s.left - 1 // all others must answer
	}
	if s.open == 0 {
		s.close()
		return nil
	}
	s.turn = s.after(me, s.folded)
	return nil
}

// close ends the round, or the game with the second.
func (s *state) close() {
	if s.round == 1 {
		s.turn = int8(games.Over)
		return
	}
	s.round, s.raises, s.open = 1, 0, s.left
	s.turn = int8(games.Chance)
}

// after is the next seat that is not in the set of those who folded.
func (s *state) after(seat int8, folded uint16) int8 {
	for {
		if seat++; seat == s.players {
			seat = 0
		}
		if folded>>(seat&15)&1 == 0 {
			return seat
		}
	}
}

func (s *state) deal(card games.Action) error {
	if card < 0 || card >= suits*(maxPlayers+1) || s.deck()>>uint(card)&1 == 0 {
		return games.Illegal(s, card)
	}
	dealt := s.dealt()
	if bit := uint32(1) << uint(card); s.first&bit == 0 {
		s.first |= bit
	} else {
		s.second |= uint16(bit)
	}
	if s.round == 1 {
		s.public = int8(card)
		s.turn = s.after(s.players-1, s.folded)
		return nil
	}
	s.private[dealt] = int8(card)
	if dealt+1 == int(s.players) {
		s.turn = 0
	}
	return nil
}

// rank is of a card on the table.
func (s *state) rank(card int8) int8 {
	if s.isomorphism {
		return card
	}
	return card >> 1
}

// strength orders hands: a pair with the public card beats any rank.
func (s *state) strength(seat int8) int8 {
	rank := s.rank(s.private[seat])
	if rank == s.rank(s.public) {
		return maxPlayers + 1
	}
	return rank
}

// winners is the set of seats that share the pot.
func (s *state) winners() (set uint16) {
	in := (1<<s.players - 1) &^ s.folded
	if s.left == 1 {
		return in
	}
	best := int8(-1)
	for ; in != 0; in &= in - 1 {
		switch strength := s.strength(int8(bits.TrailingZeros16(in))); {
		case strength > best:
			best, set = strength, in&-in
		case strength == best:
			set |= in & -in
		}
	}
	return set
}

func (s *state) pot() int {
	pot := 0
	for _, stake := range s.stakes[:s.players] {
		pot += int(stake)
	}
	return pot
}

func (s *state) Returns(dst []float64) []float64 {
	if games.Seat(s.turn) != games.Over {
		return append(dst, make([]float64, s.players)...)
	}
	pot := 0.0
	for _, stake := range s.stakes[:s.players] {
		dst = append(dst, -float64(stake))
		pot += float64(stake)
	}
	winners, won := s.winners(), dst[len(dst)-int(s.players):]
	share := pot / float64(bits.OnesCount16(winners))
	for ; winners != 0; winners &= winners - 1 {
		won[bits.TrailingZeros16(winners)] += share
	}
	return dst
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
	over := games.Seat(s.turn) == games.Over
	player, pot := int64(s.turn), int64(0)
	if over {
		player = int64(s.last)
	} else {
		pot = int64(s.pot())
	}
	dst = strconv.AppendInt(append(dst, "[Observer: "...), int64(seat), 10)
	dst = strconv.AppendInt(append(dst, "][Private: "...), private, 10)
	dst = strconv.AppendInt(append(dst, "][Round "...), int64(s.round)+1, 10)
	dst = strconv.AppendInt(append(dst, "][Player: "...), player, 10)
	dst = strconv.AppendInt(append(dst, "][Pot: "...), pot, 10)
	dst = append(dst, "][Money:"...)
	if over {
		for _, won := range s.Returns(make([]float64, 0, maxPlayers)) { // half chips, where a pot is shared
			dst = strconv.AppendFloat(append(dst, ' '), money+won, 'f', -1, 64)
		}
	} else {
		for seat := range s.players {
			dst = strconv.AppendInt(append(dst, ' '), money-int64(s.stakes[seat]), 10)
		}
	}
	if s.public != noCard {
		dst = strconv.AppendInt(append(dst, "][Public: "...), int64(s.public), 10)
	}
	for round := range uint8(2) {
		dst = append(dst, "][Round"...)
		dst = append(dst, '1'+round, ':', ' ')
		for turn := range s.lengths[round] {
			if turn > 0 {
				dst = append(dst, ' ')
			}
			dst = append(dst, '0'+byte(s.action(round, turn)))
		}
	}
	return append(dst, ']')
}

// action is what was done at a turn of a round.
func (s *state) action(round, turn uint8) games.Action {
	return games.Action(s.turns[round] >> (2 * turn) & 3)
}

func (s *state) Observe(seat games.Seat, dst []float32) {
	clear(dst)
	dst[seat] = 1
	cards := dst[s.players:]
	if card := s.private[seat]; card != noCard {
		cards[card] = 1
	}
	if s.public != noCard {
		cards[s.game.cards+s.public] = 1
	}
	turns := cards[2*s.game.cards:]
	for round := range uint8(2) {
		for turn := range s.lengths[round] {
			if a := s.action(round, turn); a != Fold {
				turns[2*(int(s.game.maxTurns)*int(round)+int(turn))+int(a)-1] = 1
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
		return games.Hear(s, text, games.Ids(int(s.game.cards)))
	}
	return games.Hear(s, text, games.Ids(len(names)))
}

func (s *state) Prompt(seat games.Seat) string {
	var b strings.Builder
	b.WriteString(s.game.rules())
	fmt.Fprintf(&b, "\n\nYou are player %d (%s).\n", seat, s.game.info.Roles[seat])
	if card := s.private[seat]; card != noCard {
		fmt.Fprintf(&b, "Your card: %s\n", s.game.show(card))
	} else {
		b.WriteString("Your card is not dealt yet.\n")
	}
	s.tell(&b)
	if games.Seat(s.turn) == games.Over && s.left > 1 {
		fmt.Fprintf(&b, "Showdown: %s\n", s.each(func(p int8) string {
			if s.folded>>uint(p)&1 != 0 {
				return ""
			}
			return fmt.Sprintf("player %d has %d", p, s.private[p])
		}))
	}
	fmt.Fprintf(&b, "Chips in the pot: %s\n", s.each(func(p int8) string {
		return fmt.Sprintf("%d from player %d", s.stakes[p], p)
	}))
	b.WriteString(games.Menu(s, seat))
	return b.String()
}

// tell writes what everybody has seen: the turns and the public card.
func (s *state) tell(b *strings.Builder) {
	folded := uint16(0)
	for round := range uint8(2) {
		if round == 1 && s.public != noCard {
			fmt.Fprintf(b, "Public card: %s\n", s.game.show(s.public))
		}
		player := s.players - 1
		for turn := range s.lengths[round] {
			player = s.after(player, folded)
			a := s.action(round, turn)
			if a == Fold {
				folded |= 1 << uint(player)
			}
			fmt.Fprintf(b, "Round %d, player %d: %s\n", round+1, player, names[a])
		}
	}
}

// each joins what is said of each player, where anything is.
func (s *state) each(say func(player int8) string) string {
	var out []string
	for p := range s.players {
		if text := say(p); text != "" {
			out = append(out, text)
		}
	}
	return strings.Join(out, ", ")
}

// show names a card to a reader.
func (g *game) show(card int8) string {
	if g.isomorphism {
		return strconv.Itoa(int(card))
	}
	return fmt.Sprintf("%d (rank %d)", card, card/suits)
}

var counts = [...]string{2: "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"}

// rules are what a player reads first.
func (g *game) rules() string {
	players := g.info.Seats
	deck := fmt.Sprintf("The deck has %d cards, 0 to %d, two of each rank: 0 and 1 are of rank 0, 2 and 3 of rank 1, up to rank %d.", g.cards, g.cards-1, g.ranks-1)
	everybody, first := "All players put", "player 0 first in both, or the next who has not folded"
	fold, best := "gives up the pot", "the highest rank of those who have not folded"
	if players == 2 {
		deck = "The deck has six cards, 0 to 5: two of rank 0 (cards 0 and 1), two of rank 1 (2 and 3), two of rank 2 (4 and 5)."
		everybody, first = "Both players put", "player 0 first in both"
		fold, best = "gives up the pot", "the higher rank"
	}
	if g.isomorphism {
		deck = fmt.Sprintf("The deck has %d cards, two of each rank from 0 to %d; a card is named by its rank.", suits*g.ranks, g.ranks-1)
	}
	return fmt.Sprintf("Leduc hold'em for %s players. %s %s one chip into the pot and are dealt one card that only they see. There are two rounds of betting, %s; between them a public card is turned up. Call puts in what you owe, if anything. Raise puts in what you owe and 2 chips more in the first round, 4 more in the second; two raises a round at most. Fold, open to you when you owe chips, %s. At the end a private card of the public card's rank wins, else %s; equal ranks share the pot. Your return is the chips you win or lose.",
		counts[players], deck, everybody, first, fold, best)
}
