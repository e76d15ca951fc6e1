package gamestest_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/games/gamestest"
)

// sampled is Kuhn poker whose deals are not listed but sampled.
type sampled struct {
	games.State
	refuses bool // a fault: what was sampled is refused
}

func (s *sampled) Actions(dst []games.Action) []games.Action {
	if s.Turn() == games.Chance {
		return dst
	}
	return s.State.Actions(dst)
}

func (s *sampled) Odds(dst []float64) []float64 { return dst }

func (s *sampled) Apply(a games.Action) error {
	if s.refuses && s.Turn() == games.Chance {
		return games.Illegal(s, a)
	}
	return s.State.Apply(a)
}

func (s *sampled) Sample(r *rand.Rand) games.Action {
	actions := s.State.Actions(nil)
	return actions[r.IntN(len(actions))]
}

func (s *sampled) Clone() games.State { return &sampled{s.State.Clone(), s.refuses} }

// talking is Kuhn poker whose players may talk.
type talking struct {
	games.State
	words, shown string
	leaks        bool // a fault: words show in keys
	deaf         bool // a fault: words show nowhere
}

func (s *talking) Talk(text string) { s.words = text }

func (s *talking) Apply(a games.Action) error {
	err := s.State.Apply(a)
	if err == nil {
		s.shown, s.words = s.shown+s.words, ""
	}
	return err
}

func (s *talking) AppendKey(dst []byte, seat games.Seat) []byte {
	if s.leaks {
		dst = append(dst, s.shown...)
	}
	return s.State.AppendKey(dst, seat)
}

func (s *talking) Prompt(seat games.Seat) string {
	if s.deaf {
		return s.State.(games.Speaker).Prompt(seat)
	}
	return s.State.(games.Speaker).Prompt(seat) + s.shown
}

func (s *talking) Say(a games.Action) string { return s.State.(games.Speaker).Say(a) }

func (s *talking) Hear(text string) (games.Action, error) {
	return s.State.(games.Speaker).Hear(text)
}

func (s *talking) Clone() games.State {
	c := *s
	c.State = s.State.Clone()
	return &c
}

// wrapped is Kuhn poker with its first state put into another.
type wrapped struct {
	chance games.ChanceKind
	wrap   func(games.State) games.State
}

func (w wrapped) Info() games.Info {
	info := straight.Info()
	info.Chance = w.chance
	return info
}

func (w wrapped) Start() games.State { return w.wrap(straight.Start()) }

func TestKindsOfGames(t *testing.T) {
	for _, test := range []struct {
		name   string
		chance games.ChanceKind
		wrap   func(games.State) games.State
		want   string // nothing: it passes
	}{
		{"sampled chance", games.Sampled, func(s games.State) games.State { return &sampled{State: s} }, ""},
		{"sampled chance, refused", games.Sampled, func(s games.State) games.State { return &sampled{s, true} }, "is refused"},
		{"talk", games.Listed, func(s games.State) games.State { return &talking{State: s} }, ""},
		{"talk in keys", games.Listed, func(s games.State) games.State { return &talking{State: s, leaks: true} }, "words that went along with action"},
		{"talk unheard", games.Listed, func(s games.State) games.State { return &talking{State: s, deaf: true} }, "does not show what seat 0 said"},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := gamestest.Check(wrapped{test.chance, test.wrap}, gamestest.Options{})
			switch {
			case test.want == "" && err != nil:
				t.Error(err)
			case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
				t.Errorf("the battery says %v, expected %q", err, test.want)
			}
		})
	}
}
