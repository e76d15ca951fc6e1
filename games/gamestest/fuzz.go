package gamestest

import (
	"encoding/binary"
	"errors"
	"slices"
	"testing"

	"github.com/agon-rl/agon/games"
)

// FuzzApply fuzzes a game with sequences of actions, legal and not: the legal
// ones must be taken, the others refused without a trace.
func FuzzApply(f *testing.F, game games.Game) {
	f.Add([]byte{})
	f.Add([]byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12})
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 1, 0xff, 0, 0, 0, 0x80, 2, 0xff, 9, 0, 0, 0})
	info := game.Info()
	f.Fuzz(func(t *testing.T, data []byte) {
		s := game.Start()
		for len(data) > 0 && s.Turn() != games.Over {
			a, rest := nextAction(s, data)
			data = rest
			before := look(s, info)
			unlisted := s.Turn() == games.Chance && info.Chance == games.Sampled // then Apply alone knows what is legal
			err := s.Apply(a)
			switch legal := slices.Contains(before.actions, a) || unlisted && err == nil; {
			case legal && err != nil:
				t.Fatalf("the legal action %d is refused: %v", a, err)
			case !legal && !errors.Is(err, games.ErrIllegal):
				t.Fatalf("the action %d is not among %v; its error is %v", a, before.actions, err)
			case !legal:
				if what := before.differs(look(s, info)); what != "" {
					t.Fatalf("the refused action %d changes the state: %s", a, what)
				}
			}
		}
	})
}

// FuzzHear fuzzes what a game understands with texts at any node: it must be a
// legal action or an error, and must leave the state alone.
func FuzzHear(f *testing.F, game games.Game) {
	if _, ok := game.Start().(games.Speaker); !ok {
		f.Fatalf("%s: its states are no games.Speaker", game.Info().Name)
	}
	for _, text := range append(garbage, "[0]", `so \boxed{[1]}`, "Bet or Pass?", "x(1,1)", `\boxed{\boxed{`, "3") {
		f.Add([]byte{0, 1, 2}, text)
	}
	info := game.Info()
	f.Fuzz(func(t *testing.T, data []byte, text string) {
		s := game.Start()
		for len(data) > 0 && s.Turn() != games.Over {
			a, rest := nextAction(s, data)
			data = rest
			_ = s.Apply(a) // an illegal one changes nothing: FuzzApply sees to that
		}
		before := look(s, info)
		a, err := s.(games.Speaker).Hear(text)
		if err == nil && !slices.Contains(before.actions, a) {
			t.Fatalf("Hear(%q) is %d, which is not among %v", text, a, before.actions)
		}
		if what := before.differs(look(s, info)); what != "" {
			t.Fatalf("Hear(%q) changes the state: %s", text, what)
		}
	})
}

// nextAction reads an action: a byte picks one of the legal actions, or says
// with 0xff that any number follows in four bytes.
func nextAction(s games.State, data []byte) (games.Action, []byte) {
	if data[0] == 0xff && len(data) >= 5 {
		return games.Action(int32(binary.LittleEndian.Uint32(data[1:]))), data[5:]
	}
	actions := s.Actions(nil)
	if len(actions) == 0 {
		return -1, data[1:]
	}
	return actions[int(data[0])%len(actions)], data[1:]
}
