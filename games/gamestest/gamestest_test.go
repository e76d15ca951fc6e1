package gamestest_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/games/gamestest"
	"github.com/agon-rl/agon/games/kuhn"
)

// bent is Kuhn poker with one promise broken: whatever is set here takes the
// place of the method of that name.
type bent struct {
	name    string
	info    func(*games.Info)
	turn    func(s *state) games.Seat
	actions func(s *state, dst []games.Action) []games.Action
	odds    func(s *state, dst []float64) []float64
	faces   func(s *state) int
	apply   func(s *state, a games.Action) error
	returns func(s *state, dst []float64) []float64
	clone   func(s *state) games.State
	copy    func(s, src *state)
	key     func(s *state, seat games.Seat) string
	observe func(s *state, seat games.Seat, dst []float32)
	prompt  func(s *state, seat games.Seat) string
	say     func(s *state, a games.Action) string
	hear    func(s *state, text string) (games.Action, error)

	position func(s *state) string // Kuhn has none

	want string // what the battery must say
}

var straight = func() games.Game {
	game, err := kuhn.New(2)
	if err != nil {
		panic(err)
	}
	return game
}()

func (b *bent) Info() games.Info {
	info := straight.Info()
	if b.info != nil {
		b.info(&info)
	}
	return info
}

func (b *bent) Start() games.State {
	s := &state{bent: b, State: straight.Start()}
	if b.position != nil {
		return positioned{s}
	}
	return s
}

type state struct {
	bent *bent
	games.State
	calls int
}

type positioned struct{ *state }

func (p positioned) AppendPosition(dst []byte) []byte {
	return append(dst, p.bent.position(p.state)...)
}

func (p positioned) Clone() games.State { return positioned{p.state.Clone().(*state)} }

func (p positioned) CopyFrom(src games.State) { p.state.CopyFrom(src.(positioned).state) }

func (s *state) Turn() games.Seat {
	if s.bent.turn != nil {
		return s.bent.turn(s)
	}
	return s.State.Turn()
}

func (s *state) Actions(dst []games.Action) []games.Action {
	if s.bent.actions != nil {
		return s.bent.actions(s, dst)
	}
	return s.State.Actions(dst)
}

func (s *state) Odds(dst []float64) []float64 {
	if s.bent.odds != nil {
		return s.bent.odds(s, dst)
	}
	return s.State.Odds(dst)
}

func (s *state) Faces() int {
	if s.bent.faces != nil {
		return s.bent.faces(s)
	}
	return 0
}

func (s *state) Apply(a games.Action) error {
	if s.bent.apply != nil {
		return s.bent.apply(s, a)
	}
	return s.State.Apply(a)
}

func (s *state) Returns(dst []float64) []float64 {
	if s.bent.returns != nil {
		return s.bent.returns(s, dst)
	}
	return s.State.Returns(dst)
}

func (s *state) Clone() games.State {
	if s.bent.clone != nil {
		return s.bent.clone(s)
	}
	return &state{bent: s.bent, State: s.State.Clone(), calls: s.calls}
}

func (s *state) CopyFrom(src games.State) {
	if s.bent.copy != nil {
		s.bent.copy(s, src.(*state))
		return
	}
	s.State.(games.Copier).CopyFrom(src.(*state).State)
}

func (s *state) AppendKey(dst []byte, seat games.Seat) []byte {
	if s.bent.key != nil {
		return append(dst, s.bent.key(s, seat)...)
	}
	return s.State.AppendKey(dst, seat)
}

func (s *state) Observe(seat games.Seat, dst []float32) {
	if s.bent.observe != nil {
		s.bent.observe(s, seat, dst)
		return
	}
	s.State.Observe(seat, dst)
}

func (s *state) speaker() games.Speaker { return s.State.(games.Speaker) }

func (s *state) Prompt(seat games.Seat) string {
	if s.bent.prompt != nil {
		return s.bent.prompt(s, seat)
	}
	return s.speaker().Prompt(seat)
}

func (s *state) Say(a games.Action) string {
	if s.bent.say != nil {
		return s.bent.say(s, a)
	}
	return s.speaker().Say(a)
}

func (s *state) Hear(text string) (games.Action, error) {
	if s.bent.hear != nil {
		return s.bent.hear(s, text)
	}
	return s.speaker().Hear(text)
}

// turns is what was passed and bet so far.
func (s *state) turns() string { return strings.TrimLeft(games.Key(s.State, 0), "0123456789") }

// Every promise of package games, once broken, is found.
func TestBrokenPromisesAreFound(t *testing.T) {
	for _, b := range []bent{
		{name: "role twice", want: "Info.Roles", info: func(i *games.Info) { i.Roles = []string{"a", "a"} }},
		{name: "no actions", want: "Info.Actions", info: func(i *games.Info) { i.Actions = 0 }},
		{name: "bounds crossed", want: "Info.MinReturn", info: func(i *games.Info) { i.MinReturn = 3 }},
		{name: "tensor of nothing", want: "Info.Tensor", info: func(i *games.Info) { i.Tensor = []int{0} }},
		{name: "name no spec", want: "Info.Name", info: func(i *games.Info) { i.Name = "kuhn(" }},
		{name: "undeclared chance", want: "at the start: a chance node in a game", info: func(i *games.Info) { i.Chance = games.NoChance }},
		{name: "longer than declared", want: "goes on after Info.MaxLength = 2", info: func(i *games.Info) { i.MaxLength = 2 }},
		{name: "bounds too tight", want: "expected values from Info.MinReturn = -1", info: func(i *games.Info) { i.MinReturn = -1 }},
		{name: "sum", want: "expected Info.Sum = 1", info: func(i *games.Info) { i.Sum = 1 }},
		{name: "turn of nobody", want: "Turn is 7", turn: func(s *state) games.Seat {
			if s.turns() == "pb" {
				return 7
			}
			return s.State.Turn()
		}},
		{name: "actions overwrite", want: "Actions does not append", actions: func(s *state, dst []games.Action) []games.Action {
			return s.State.Actions(dst[:0])
		}},
		{name: "actions descend", want: "expected ascending", actions: func(s *state, dst []games.Action) []games.Action {
			if s.State.Turn() == 0 {
				return append(dst, 1, 0)
			}
			return s.State.Actions(dst)
		}},
		{name: "actions twice", want: "expected ascending", actions: func(s *state, dst []games.Action) []games.Action {
			if s.State.Turn() == 0 {
				return append(dst, 0, 0)
			}
			return s.State.Actions(dst)
		}},
		{name: "no action at a turn", want: "has no action", actions: func(s *state, dst []games.Action) []games.Action {
			if s.turns() == "p" {
				return dst
			}
			return s.State.Actions(dst)
		}},
		{name: "action out of range", want: "lies outside", actions: func(s *state, dst []games.Action) []games.Action {
			dst = s.State.Actions(dst)
			if s.State.Turn() == 1 {
				dst = append(dst, 2)
			}
			return dst
		}},
		{name: "actions at the end", want: "the game is over and yet", actions: func(s *state, dst []games.Action) []games.Action {
			if s.State.Turn() == games.Over {
				return append(dst, 0)
			}
			return s.State.Actions(dst)
		}},
		{name: "odds at a turn", want: "away from a chance node", odds: func(s *state, dst []float64) []float64 {
			if s.State.Turn() == 0 {
				return append(dst, 1)
			}
			return s.State.Odds(dst)
		}},
		{name: "odds sum", want: "expected 1", odds: func(s *state, dst []float64) []float64 {
			n := len(dst)
			dst = s.State.Odds(dst)
			if len(dst) > n {
				dst[n] += 0.01
			}
			return dst
		}},
		{name: "odds of zero", want: "expected positive", odds: func(s *state, dst []float64) []float64 {
			n := len(dst)
			dst = s.State.Odds(dst)
			if len(dst) == n+2 {
				dst[n], dst[n+1] = 0, 1
			}
			return dst
		}},
		{name: "odds too few", want: "odds for", odds: func(s *state, dst []float64) []float64 {
			if s.State.Turn() == games.Chance {
				return append(dst, 1)
			}
			return dst
		}},
		{name: "dice at a turn", want: "Faces is 2, expected 0", faces: func(s *state) int {
			if s.State.Turn() >= 0 {
				return 2
			}
			return 0
		}},
		{name: "dice of other outcomes", want: "Faces is 2, expected 0", faces: func(s *state) int {
			if s.State.Turn() == games.Chance { // once a card is dealt, the two left are not 0 and 1
				return len(s.State.Actions(nil))
			}
			return 0
		}},
		{name: "dice that are not fair", want: "expected 0 where odds differ", faces: func(s *state) int {
			if games.Key(s.State, 0) == "" {
				return 3
			}
			return 0
		}, odds: func(s *state, dst []float64) []float64 {
			if games.Key(s.State, 0) == "" {
				return append(dst, 0.5, 0.25, 0.25)
			}
			return s.State.Odds(dst)
		}},
		{name: "legal refused", want: "the legal action 1 is refused", apply: func(s *state, a games.Action) error {
			if s.turns() == "b" && a == 1 {
				return games.Illegal(s, a)
			}
			return s.State.Apply(a)
		}},
		{name: "illegal taken", want: "the action 2 is not among the legal [0 1] and is not refused", apply: func(s *state, a games.Action) error {
			if s.State.Turn() >= 0 && a == 2 {
				return nil
			}
			return s.State.Apply(a)
		}},
		{name: "illegal leaves a trace", want: "a refused action changes the state", apply: func(s *state, a games.Action) error {
			err := s.State.Apply(a)
			if err != nil && s.turns() == "p" {
				return errors.Join(err, s.State.Apply(0))
			}
			return err
		}},
		{name: "error of another kind", want: "does not wrap games.ErrIllegal", apply: func(s *state, a games.Action) error {
			if s.State.Apply(a) != nil {
				return errors.New("no")
			}
			return nil
		}},
		{name: "panic", want: "panic: index out of range", apply: func(s *state, a games.Action) error {
			if a > 1000 {
				panic("index out of range")
			}
			return s.State.Apply(a)
		}},
		{name: "returns before the end", want: "before the end", returns: func(s *state, dst []float64) []float64 {
			if s.turns() == "p" {
				return append(dst, 1, -1)
			}
			return s.State.Returns(dst)
		}},
		{name: "returns too few", want: "one for each of the 2 seats", returns: func(_ *state, dst []float64) []float64 {
			return append(dst, 0)
		}},
		{name: "clone shares", want: "playing on a clone changes the state", clone: func(s *state) games.State {
			return &state{bent: s.bent, State: s.State}
		}},
		{name: "clone starts anew", want: "a clone differs", clone: func(s *state) games.State {
			return s.bent.Start()
		}},
		{name: "copy forgets", want: "overwritten by CopyFrom differs", copy: func(s, _ *state) {
			s.State = straight.Start()
		}},
		{name: "copy shares", want: "overwritten by CopyFrom changes its source", copy: func(s, src *state) {
			s.State = src.State
		}},
		{name: "looking counts", want: "looking at the state changes it", observe: func(s *state, seat games.Seat, dst []float32) {
			s.calls++
			s.State.Observe(seat, dst)
			dst[0] += float32(s.calls)
		}},
		{name: "tensor unwritten", want: "Observe(0) leaves value 3 of 11", observe: func(s *state, seat games.Seat, dst []float32) {
			kept := dst[3]
			s.State.Observe(seat, dst)
			dst[3] = kept
		}},
		{name: "tensor infinite", want: "not finite", observe: func(s *state, seat games.Seat, dst []float32) {
			s.State.Observe(seat, dst)
			dst[0] = float32(math.Inf(1))
		}},
		{name: "tensor leaks", want: "it shows what the seat cannot know", observe: func(s *state, seat games.Seat, dst []float32) {
			s.State.Observe(seat, dst)
			if s.State.Turn() >= 0 {
				dst[0] = float32(games.Key(s.State, 1-seat)[0])
			}
		}},
		{name: "tensor tells too little", want: "Info.Recall says", observe: func(_ *state, _ games.Seat, dst []float32) {
			clear(dst)
		}},
		{name: "key forgets", want: "or the key too little", key: func(s *state, seat games.Seat) string {
			return strings.TrimLeft(games.Key(s.State, seat), "0123456789")
		}},
		{name: "key mixes turns", want: "no perfect recall", key: func(s *state, seat games.Seat) string {
			return strings.ReplaceAll(games.Key(s.State, seat), "pb", "")
		}},
		{name: "prompt leaks", want: "it tells what the seat cannot know", prompt: func(s *state, seat games.Seat) string {
			return s.speaker().Prompt(seat) + games.Key(s.State, 1-seat)
		}},
		{name: "prompt empty", want: "Prompt(1) is", prompt: func(s *state, seat games.Seat) string {
			if seat == 1 {
				return " "
			}
			return s.speaker().Prompt(seat)
		}},
		{name: "names not unique", want: "expected names that differ", say: func(*state, games.Action) string { return "move" }},
		{name: "hears another", want: "Hear(Say(1))", hear: func(s *state, text string) (games.Action, error) {
			a, err := s.speaker().Hear(text)
			if err == nil && s.State.Turn() == 0 {
				a = 0
			}
			return a, err
		}},
		{name: "hears garbage", want: "expected an error", hear: func(s *state, text string) (games.Action, error) {
			a, err := s.speaker().Hear(text)
			if err != nil && s.State.Turn() == 0 {
				return 0, nil
			}
			return a, err
		}},
		{name: "position too coarse", want: "the position is also that after", position: func(s *state) string { return s.turns() }},
	} {
		t.Run(b.name, func(t *testing.T) {
			err := gamestest.Check(&b, gamestest.Options{})
			if err == nil || !strings.Contains(err.Error(), b.want) {
				t.Errorf("the battery says %v, expected %q", err, b.want)
			}
		})
	}
}

// A fault that only shows late is told with the shortest history that shows
// it, also where a random walk found it.
func TestHistoryIsShort(t *testing.T) {
	b := bent{returns: func(s *state, dst []float64) []float64 {
		if s.State.Turn() == games.Over && strings.HasSuffix(s.turns(), "bb") {
			return append(dst, 1, 1)
		}
		return s.State.Returns(dst)
	}}
	for _, o := range []gamestest.Options{{}, {Nodes: 1}} {
		err := gamestest.Check(&b, o)
		if err == nil || !strings.Contains(err.Error(), "Bet, Bet)") || strings.Contains(err.Error(), "Pass") {
			t.Errorf("%+v: the battery says %v, expected a history of two deals and two bets", o, err)
		}
	}
}

func TestStraightGamePasses(t *testing.T) {
	gamestest.Run(t, straight, gamestest.Options{})
}
