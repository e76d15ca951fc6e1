package plugintest

import (
	"fmt"
	"slices"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/internal/spec"
)

// Open returns a game whose actions are texts: a chain of arithmetic of which a
// state lists what was proposed at it, and nothing else.
func Open() (games.Rules, error) {
	chain, err := games.New("modchain(length=3,seed=5)")
	return games.Rules{Name: "open_chain", Make: func(r *spec.Reader) (games.Game, error) { return openChain{chain}, r.Err() }}, err
}

type openChain struct{ games.Game }

func (g openChain) Start() games.State { return &openState{State: g.Game.Start()} }

type openState struct {
	games.State
	proposed []games.Action
}

func (s *openState) Propose(text string) (games.Action, error) {
	a, err := s.Hear(text)
	if err == nil && !slices.Contains(s.proposed, a) {
		s.proposed = append(s.proposed, a)
		slices.Sort(s.proposed)
	}
	return a, err
}

func (s *openState) Actions(dst []games.Action) []games.Action { return append(dst, s.proposed...) }

func (s *openState) Apply(a games.Action) error {
	if !slices.Contains(s.proposed, a) {
		return fmt.Errorf("%w %d: proposed are %v", games.ErrIllegal, a, s.proposed)
	}
	err := s.State.Apply(a)
	if err == nil {
		s.proposed = nil
	}
	return err
}

func (s *openState) Clone() games.State {
	return &openState{s.State.Clone(), slices.Clone(s.proposed)}
}

func (s *openState) Prompt(seat games.Seat) string { return s.State.(games.Speaker).Prompt(seat) }
func (s *openState) Say(a games.Action) string     { return s.State.(games.Speaker).Say(a) }
func (s *openState) Hear(text string) (games.Action, error) {
	return s.State.(games.Speaker).Hear(text)
}
