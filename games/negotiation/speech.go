package negotiation

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/agon-rl/agon/games"
)

// Say names an action as it is said: [Accept] [Offer: 3 Wood -> 1 Gold], or
// [Pass] for neither word nor offer.
func (s *state) Say(a games.Action) string {
	if s.Turn() == games.Chance {
		seat, kind, value := s.drawing()
		if value {
			return fmt.Sprintf("player %d values %s at %d", seat, s.game.goods.names[kind], a)
		}
		return fmt.Sprintf("player %d has %d %s", seat, a, s.game.goods.names[kind])
	}
	if a < 0 || int(a) >= s.game.info.Actions {
		return fmt.Sprintf("action %d", a)
	}
	w, offer := s.game.parts(a)
	var parts []string
	switch w {
	case Accept:
		parts = append(parts, "[Accept]")
	case Deny:
		parts = append(parts, "[Deny]")
	}
	if offer > 0 {
		parts = append(parts, "[Offer: "+s.game.describe(offer)+"]")
	}
	if len(parts) == 0 {
		return "[Pass]"
	}
	return strings.Join(parts, " ")
}

// describe writes an offer as give -> get.
func (g *game) describe(offer int) string {
	t := g.trades[offer]
	return fmt.Sprintf("%d %s -> %d %s", t.giveCount, g.goods.names[t.give], t.getCount, g.goods.names[t.get])
}

var (
	wordTag  = regexp.MustCompile(`(?i)\[\s*(accept|deny|pass)\s*[.!]?\s*\]`)
	offerTag = regexp.MustCompile(`(?i)\[\s*offer\s*:?\s*([^\]]*)\]`)
	item     = regexp.MustCompile(`^(\d+)\s+([A-Za-z]+)$`)
	between  = regexp.MustCompile(`(?i)\s*(?:,|\band\b)\s*`)
	lead     = regexp.MustCompile(`(?i)^\s*(?:i\s+give|i\s+offer|give|my)\s+`)
)

// Hear reads a turn: the last word in brackets, and the first offer, as SPIRAL
// does. Both words are ignored where no offer of the other's stands.
func (s *state) Hear(text string) (games.Action, error) {
	seat := s.Turn()
	if seat == games.Over {
		return 0, fmt.Errorf("%w: the game is over", games.ErrIllegal)
	}
	if seat == games.Chance {
		for _, a := range s.Actions(nil) {
			if s.Say(a) == strings.TrimSpace(text) {
				return a, nil
			}
		}
		return 0, fmt.Errorf("no outcome of chance in %q", clip(text))
	}
	said := wordTag.FindAllStringSubmatch(text, -1)
	offers := offerTag.FindStringSubmatch(text)
	if len(said) == 0 && offers == nil {
		return 0, fmt.Errorf("no action found in %q: expected %s", clip(text), s.open(seat))
	}
	w := Neither
	if len(said) > 0 && s.standing > 0 && games.Seat(s.proposer) != seat {
		switch strings.ToLower(said[len(said)-1][1]) {
		case "accept":
			w = Accept
		case "deny":
			w = Deny
		}
	}
	if !s.allowed(seat, w) {
		t := s.game.trades[s.standing]
		return 0, fmt.Errorf("%w: to accept takes %d %s, and you have %d", games.ErrIllegal, t.getCount, s.game.goods.names[t.get], s.holdings[seat][t.get])
	}
	offer := 0
	if offers != nil {
		var err error
		if offer, err = s.hearOffer(offers[1], s.after(seat, w)); err != nil {
			return 0, err
		}
	}
	return s.game.action(w, offer), nil
}

// hearOffer reads "3 Wood -> 1 Gold".
func (s *state) hearOffer(text string, held [maxGoods]int16) (int, error) {
	give, get, ok := strings.Cut(text, "->")
	if !ok {
		return 0, fmt.Errorf("offer %q: expected goods given -> goods wanted, such as [Offer: 3 %s -> 1 %s]", clip(text), s.game.goods.names[0], s.game.goods.names[1])
	}
	var t trade
	var err error
	if t.give, t.giveCount, err = s.hearGoods(give); err != nil {
		return 0, err
	}
	if t.get, t.getCount, err = s.hearGoods(get); err != nil {
		return 0, err
	}
	if held[t.give] < int16(t.giveCount) {
		return 0, fmt.Errorf("%w: you offer %d %s and have %d", games.ErrIllegal, t.giveCount, s.game.goods.names[t.give], held[t.give])
	}
	if t.give == t.get {
		return 0, fmt.Errorf("%w: an offer of %s for %s", games.ErrIllegal, s.game.goods.names[t.give], s.game.goods.names[t.get])
	}
	return slices.Index(s.game.trades, t), nil
}

// hearGoods reads "3 Wood", in the plural too.
func (s *state) hearGoods(text string) (kind, count int8, err error) {
	text = strings.TrimRight(strings.TrimSpace(lead.ReplaceAllString(text, "")), ".!,; ")
	if parts := between.Split(text, -1); len(parts) > 1 {
		return 0, 0, fmt.Errorf("%w: %q: an offer here gives one kind of goods for one other", games.ErrIllegal, clip(text))
	}
	m := item.FindStringSubmatch(text)
	if m == nil {
		return 0, 0, fmt.Errorf("goods %q: expected a quantity and a kind, such as 3 %s", clip(text), s.game.goods.names[0])
	}
	n, err := strconv.Atoi(m[1])
	if err != nil || n < 1 || n > int(s.game.bound) {
		return 0, 0, fmt.Errorf("%w: %s %s: a quantity is from 1 to %d", games.ErrIllegal, m[1], m[2], s.game.bound)
	}
	for kind, name := range s.game.goods.names {
		if strings.EqualFold(m[2], name) || strings.EqualFold(m[2], name+"s") {
			return int8(kind), int8(n), nil
		}
	}
	return 0, 0, fmt.Errorf("goods %q: expected %s", m[2], strings.Join(s.game.goods.names, ", "))
}

func clip(text string) string {
	const most = 60
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return text
}

// open says what a seat may do.
func (s *state) open(seat games.Seat) string {
	parts := []string{"[Pass]", fmt.Sprintf("[Offer: N %s -> M %s] with quantities from 1 to %d", s.game.goods.names[0], s.game.goods.names[1], s.game.bound)}
	if s.allowed(seat, Deny) {
		parts = append([]string{"[Deny]"}, parts...)
	}
	if s.allowed(seat, Accept) {
		parts = append([]string{"[Accept]"}, parts...)
	}
	return strings.Join(parts, ", ")
}

// Prompt implements games.Speaker.
func (s *state) Prompt(seat games.Seat) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Two players own goods (%s) and value them differently. They take turns, %d actions in all, to offer trades of one kind of goods for another. ", strings.Join(s.game.goods.names, ", "), s.game.turns)
	b.WriteString("Whoever's goods have gained more, each by its own values, wins (+1, the other -1); equal gains are a draw (0). ")
	b.WriteString("In a turn you may answer the other's standing offer with [Accept] or [Deny] (neither leaves it standing), and make one offer, which replaces what stood. You may also talk; the other player reads it.\n\n")
	fmt.Fprintf(&b, "You are player %d.", seat)
	if s.drawn < s.draws() {
		return b.String() + " The goods are being dealt.\n" + games.Menu(s, seat)
	}
	b.WriteString(" You own")
	for kind, name := range s.game.goods.names {
		if kind > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, " %d %s (worth %d each to you)", s.holdings[seat][kind], name, s.values[seat][kind])
	}
	fmt.Fprintf(&b, "; your gain so far is %d.\n", s.gain(seat))
	for i, a := range s.history {
		who := fmt.Sprintf("Player %d", i%2)
		if games.Seat(i%2) == seat {
			who = "You"
		}
		fmt.Fprintf(&b, "%d. %s: %s", i+1, who, s.Say(a))
		if s.said[i] != "" {
			fmt.Fprintf(&b, " %q", s.said[i])
		}
		b.WriteByte('\n')
	}
	if s.Turn() != seat {
		return b.String() + games.Menu(s, seat)
	}
	if s.standing > 0 && games.Seat(s.proposer) != seat {
		fmt.Fprintf(&b, "Offered to you: %s (they give -> they get).\n", s.game.describe(int(s.standing)))
	}
	fmt.Fprintf(&b, "It is your turn, action %d of %d. Open to you: %s.", len(s.history)+1, s.game.turns, s.open(seat))
	return b.String()
}
