package gamestest

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/agon-rl/agon/games"
)

const tolerance = 1e-9

// local checks what a node shows by itself.
func (c *checker) local(n node) (err error) {
	defer recoverTo(&err)
	s := n.state
	for _, check := range []func(node) error{c.turn, c.appends, c.actions, c.odds, c.dice, c.returns, c.tensors, c.speech, c.talk} {
		if err := check(n); err != nil {
			return err
		}
	}
	before := look(s, c.info)
	if what := before.differs(glance(s, c.info)); what != "" {
		return fmt.Errorf("looking at the state changes it: %s", what)
	}
	if err := c.illegal(s); err != nil {
		return err
	}
	if what := before.differs(look(s, c.info)); what != "" {
		return fmt.Errorf("a refused action changes the state: %s", what)
	}
	return c.copies(s, before)
}

func (c *checker) turn(n node) error {
	turn := n.state.Turn()
	switch {
	case turn == games.Chance && c.info.Chance == games.NoChance:
		return errors.New("a chance node in a game whose Info.Chance says there are none")
	case turn < 0 && turn != games.Chance && turn != games.Over || turn >= games.Seat(c.info.Seats):
		return fmt.Errorf("Turn is %d, expected a seat from 0 to %d, %d for chance or %d for the end", turn, c.info.Seats-1, games.Chance, games.Over)
	case n.turns > c.info.MaxLength || n.turns == c.info.MaxLength && turn >= 0:
		return fmt.Errorf("the game goes on after Info.MaxLength = %d player actions", c.info.MaxLength)
	case len(n.history) > 100*c.info.MaxLength+1000:
		return fmt.Errorf("the game does not end: %d actions, most of them chance", len(n.history))
	}
	return nil
}

// appends checks that what dst held is still there.
func (c *checker) appends(n node) error {
	s := n.state
	if got := s.Actions([]games.Action{-7}); len(got) == 0 || got[0] != -7 {
		return errors.New("Actions does not append to dst")
	}
	if got := s.Odds([]float64{-7}); len(got) == 0 || got[0] != -7 {
		return errors.New("Odds does not append to dst")
	}
	if got := s.Returns([]float64{-7}); len(got) == 0 || got[0] != -7 {
		return errors.New("Returns does not append to dst")
	}
	for seat := range games.Seat(c.info.Seats) {
		if got := s.AppendKey([]byte("-7"), seat); string(got) != "-7"+games.Key(s, seat) {
			return errors.New("AppendKey does not append to dst")
		}
	}
	return nil
}

func (c *checker) actions(n node) error {
	s := n.state
	turn, actions := s.Turn(), s.Actions(nil)
	_, open := s.(games.Open)
	_, sampled := s.(games.Sampler)
	switch {
	case turn == games.Over && len(actions) > 0:
		return fmt.Errorf("the game is over and yet the actions %v are open", actions)
	case turn == games.Chance && len(actions) == 0 && !sampled:
		return errors.New("a chance node without outcomes")
	case turn >= 0 && len(actions) == 0 && !open:
		return fmt.Errorf("seat %d is to move and has no action", turn)
	}
	for i, a := range actions {
		if i > 0 && a <= actions[i-1] {
			return fmt.Errorf("Actions is %v, expected ascending numbers", actions)
		}
		if turn >= 0 && (a < 0 || int(a) >= c.info.Actions) && !open {
			return fmt.Errorf("the action %d lies outside 0 to Info.Actions-1 = %d", a, c.info.Actions-1)
		}
	}
	return nil
}

func (c *checker) odds(n node) error {
	s := n.state
	odds := s.Odds(nil)
	if s.Turn() != games.Chance {
		if len(odds) > 0 {
			return fmt.Errorf("Odds is %v away from a chance node, expected nothing", odds)
		}
		return nil
	}
	if _, sampled := s.(games.Sampler); sampled && len(odds) == 0 {
		return nil
	}
	if actions := s.Actions(nil); len(odds) != len(actions) {
		return fmt.Errorf("%d odds for %d chance outcomes", len(odds), len(actions))
	}
	sum := 0.0
	for _, p := range odds {
		if !(p > 0) {
			return fmt.Errorf("Odds is %v, expected positive numbers", odds)
		}
		sum += p
	}
	if math.Abs(sum-1) > tolerance {
		return fmt.Errorf("Odds is %v and sums to %v, expected 1", odds, sum)
	}
	return nil
}

// dice checks that what a state says of fair dice is what it lists.
func (c *checker) dice(n node) error {
	dice, ok := n.state.(games.Dice)
	if !ok {
		return nil
	}
	faces := dice.Faces()
	if faces == 0 {
		return nil
	}
	actions, odds := n.state.Actions(nil), n.state.Odds(nil)
	if n.state.Turn() != games.Chance || !slices.Equal(actions, games.Ids(faces)) {
		return fmt.Errorf("Faces is %d, expected 0 where the chance outcomes are not 0 to %d: open are %v", faces, faces-1, actions)
	}
	if slices.ContainsFunc(odds, func(p float64) bool { return p != odds[0] }) {
		return fmt.Errorf("Faces is %d, expected 0 where odds differ: Odds is %v", faces, odds)
	}
	return nil
}

func (c *checker) returns(n node) error {
	s := n.state
	returns := s.Returns(nil)
	if len(returns) != c.info.Seats {
		return fmt.Errorf("Returns is %v, expected one for each of the %d seats", returns, c.info.Seats)
	}
	sum, over := 0.0, s.Turn() == games.Over
	for _, x := range returns {
		sum += x
		switch {
		case !over && x != 0:
			return fmt.Errorf("Returns is %v before the end, expected zeros", returns)
		case over && !(x >= c.info.MinReturn-tolerance && x <= c.info.MaxReturn+tolerance):
			return fmt.Errorf("Returns is %v, expected values from Info.MinReturn = %g to Info.MaxReturn = %g", returns, c.info.MinReturn, c.info.MaxReturn)
		}
	}
	if over && c.info.Seats > 1 && math.Abs(sum-c.info.Sum) > tolerance {
		return fmt.Errorf("Returns is %v and sums to %g, expected Info.Sum = %g", returns, sum, c.info.Sum)
	}
	return nil
}

func (c *checker) tensors(n node) error {
	if len(c.info.Tensor) == 0 {
		return nil
	}
	for seat := range games.Seat(c.info.Seats) {
		for i, x := range tensor(n.state, c.info, seat) {
			if math.IsNaN(float64(x)) || math.IsInf(float64(x), 0) {
				return fmt.Errorf("Observe(%d) leaves value %d of %d unwritten or not finite", seat, i, c.info.TensorSize())
			}
		}
	}
	return nil
}

// tensor observes into a slice full of NaN, so that what is not overwritten
// shows.
func tensor(s games.State, info games.Info, seat games.Seat) []float32 {
	if len(info.Tensor) == 0 {
		return nil
	}
	dst := make([]float32, info.TensorSize())
	for i := range dst {
		dst[i] = float32(math.NaN())
	}
	s.Observe(seat, dst)
	return dst
}

// garbage is text that holds no action of any game.
var garbage = []string{"", " \n", "☃☃☃", `\boxed{}`, "[]", "[99999999999999999999]", "\xff\xfe\x00"}

func (c *checker) speech(n node) error {
	s := n.state
	speaker, ok := s.(games.Speaker)
	if !ok {
		return nil
	}
	for seat := range games.Seat(c.info.Seats) {
		if text := speaker.Prompt(seat); strings.TrimSpace(text) == "" || !utf8.ValidString(text) {
			return fmt.Errorf("Prompt(%d) is %q, expected text", seat, text)
		}
	}
	named := map[string]games.Action{}
	for _, a := range s.Actions(nil) {
		name := speaker.Say(a)
		if other, taken := named[name]; taken || name == "" {
			return fmt.Errorf("Say(%d) is %q, as is Say(%d); expected names that differ and are not empty", a, name, other)
		}
		named[name] = a
	}
	for _, a := range s.Actions(nil) {
		name := speaker.Say(a)
		heard, err := speaker.Hear(name)
		if err != nil {
			return fmt.Errorf("Hear(Say(%d)) = Hear(%q) fails: %w", a, name, err)
		}
		if heard != a {
			return fmt.Errorf("Hear(Say(%d)) = Hear(%q) is %d", a, name, heard)
		}
	}
	for _, text := range garbage {
		if a, err := speaker.Hear(text); err == nil {
			return fmt.Errorf("Hear(%q) is %d, expected an error", text, a)
		}
	}
	return nil
}

// talk checks that words are shown to the others and change nothing else.
func (c *checker) talk(n node) error {
	seat := n.state.Turn()
	actions := n.state.Actions(nil)
	if _, ok := n.state.(games.Talker); !ok || seat < 0 || len(actions) == 0 {
		return nil
	}
	const words = "a blue heron waits"
	a := actions[c.random.IntN(len(actions))]
	silent, loud := n.state.Clone(), n.state.Clone()
	loud.(games.Talker).Talk(words)
	if err := errors.Join(silent.Apply(a), loud.Apply(a)); err != nil {
		return fmt.Errorf("the legal action %d is refused on a clone: %w", a, err)
	}
	if what := glance(silent, c.info).differs(glance(loud, c.info)); what != "" {
		return fmt.Errorf("words that went along with action %d change the game: %s", a, what)
	}
	if loud.Turn() == games.Over {
		return nil
	}
	for other := range games.Seat(c.info.Seats) {
		if speaker, ok := loud.(games.Speaker); ok && other != seat && !strings.Contains(speaker.Prompt(other), words) {
			return fmt.Errorf("Prompt(%d) does not show what seat %d said", other, seat)
		}
	}
	return nil
}

// illegal tries every number near those of actions, and some far away.
func (c *checker) illegal(s games.State) error {
	listed := s.Actions(nil)
	if _, sampled := s.(games.Sampler); sampled && s.Turn() == games.Chance && len(listed) == 0 {
		return nil
	}
	for _, a := range strangers(c.info.Actions, listed, c.random) {
		err := s.Apply(a)
		if err == nil {
			return fmt.Errorf("the action %d is not among the legal %v and is not refused", a, listed)
		}
		if !errors.Is(err, games.ErrIllegal) {
			return fmt.Errorf("the error for the illegal action %d does not wrap games.ErrIllegal: %w", a, err)
		}
	}
	return nil
}

// strangers returns numbers that are not listed: those from -2 to just above
// all others where there are few, else a sample of them, and far ones.
func strangers(actions int, listed []games.Action, r *rand.Rand) []games.Action {
	const most = 64
	top := games.Action(actions)
	if len(listed) > 0 {
		top = max(top, listed[len(listed)-1]+1)
	}
	tried := []games.Action{math.MinInt32, -2, -1, top, top + 1, math.MaxInt32}
	if top <= most {
		tried = append(tried, games.Ids(int(top))...)
	} else {
		for range most {
			tried = append(tried, games.Action(r.IntN(int(top))))
		}
	}
	return slices.DeleteFunc(tried, func(a games.Action) bool { return slices.Contains(listed, a) })
}

// copies checks that clones and overwritten states equal their source and are
// independent of it.
func (c *checker) copies(s games.State, before view) error {
	const most = 2
	actions := s.Actions(nil)
	c.random.Shuffle(len(actions), func(i, j int) { actions[i], actions[j] = actions[j], actions[i] })
	actions = actions[:min(most, len(actions))]
	copier, _ := s.Clone().(games.Copier)
	if what := before.differs(look(s.Clone(), c.info)); what != "" {
		return fmt.Errorf("a clone differs: %s", what)
	}
	for _, a := range actions {
		clone := s.Clone()
		if err := clone.Apply(a); err != nil {
			return fmt.Errorf("the legal action %d is refused on a clone: %w", a, err)
		}
		if what := before.differs(glance(s, c.info)); what != "" {
			return fmt.Errorf("playing on a clone changes the state: %s", what)
		}
		if copier == nil {
			continue
		}
		// The state overwritten here was last played on: CopyFrom must not
		// leave anything of that.
		copier.CopyFrom(s)
		overwritten := copier.(games.State)
		if what := before.differs(glance(overwritten, c.info)); what != "" {
			return fmt.Errorf("a state overwritten by CopyFrom differs: %s", what)
		}
		if err := overwritten.Apply(a); err != nil {
			return fmt.Errorf("the legal action %d is refused after CopyFrom: %w", a, err)
		}
		if what := before.differs(glance(s, c.info)); what != "" {
			return fmt.Errorf("playing on a state overwritten by CopyFrom changes its source: %s", what)
		}
		if what := glance(clone, c.info).differs(glance(overwritten, c.info)); what != "" {
			return fmt.Errorf("a clone and a state overwritten by CopyFrom differ after action %d: %s", a, what)
		}
	}
	return nil
}
