package plugintest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/internal/spec"
)

// Defect is a mistake that authors make, in a game that is right otherwise.
type Defect struct {
	Name  string
	Game  string // that has it
	Found string // part of what a check says of it
	bend  func(bent) games.State
}

// bent is a state with a defect: what it does not redefine is the state's own.
type bent struct {
	games.State
	bend func(bent) games.State
}

func (b bent) Clone() games.State { return b.bend(bent{b.State.Clone(), b.bend}) }

// AppendPosition is left out on purpose: most defects concern what it would hide.

func (b bent) Prompt(s games.Seat) string { return b.State.(games.Speaker).Prompt(s) }
func (b bent) Say(a games.Action) string  { return b.State.(games.Speaker).Say(a) }
func (b bent) Hear(text string) (games.Action, error) {
	return b.State.(games.Speaker).Hear(text)
}

type (
	acceptsIllegal struct{ bent }
	refusesLegal   struct{ bent }
	sharesClones   struct{ bent }
	keepsElsewhere struct{ bent }
	drawsAtRandom  struct{ bent }
	sumsWrong      struct{ bent }
	leaksInKey     struct{ bent }
	leaksInTensor  struct{ bent }
	leaksInPrompt  struct{ bent }
	forgets        struct{ bent }
	wrongSeat      struct{ bent }
	deaf           struct{ bent }
	slow           struct{ bent }
)

func (s *acceptsIllegal) Apply(a games.Action) error {
	if legal := s.Actions(nil); s.Turn() >= 0 && !slices.Contains(legal, a) {
		a = legal[0]
	}
	return s.State.Apply(a)
}

func (s *refusesLegal) Apply(a games.Action) error {
	if s.Turn() == 1 && a == 1 {
		return games.Illegal(s, a)
	}
	return s.State.Apply(a)
}

func (s *sharesClones) Clone() games.State { return s }

var applied atomic.Int64 // what a game must not keep outside its states

func (s *keepsElsewhere) Apply(a games.Action) error {
	applied.Add(1)
	return s.State.Apply(a)
}

func (s *keepsElsewhere) Observe(seat games.Seat, dst []float32) {
	s.State.Observe(seat, dst)
	dst[0] += float32(applied.Load())
}

func (s *drawsAtRandom) Observe(seat games.Seat, dst []float32) {
	s.State.Observe(seat, dst)
	dst[0] += rand.Float32() //nolint:gosec // the defect
}

func (s *sumsWrong) Returns(dst []float64) []float64 {
	dst = s.State.Returns(dst)
	if s.Turn() == games.Over {
		dst[len(dst)-1] = max(dst[len(dst)-1], 0)
	}
	return dst
}

// other is the key of the other seat, which tells its card.
func other(s games.State, seat games.Seat) string { return games.Key(s, 1-seat) }

func (s *leaksInKey) AppendKey(dst []byte, seat games.Seat) []byte {
	return append(s.State.AppendKey(dst, seat), other(s.State, seat)...)
}

func (s *leaksInTensor) Observe(seat games.Seat, dst []float32) {
	s.State.Observe(seat, dst)
	if key := other(s.State, seat); strings.HasPrefix(key, "2") {
		dst[0] += 0.5
	}
}

func (s *leaksInPrompt) Prompt(seat games.Seat) string {
	return s.bent.Prompt(seat) + "\nSeen: " + other(s.State, seat)
}

func (s *forgets) AppendKey(dst []byte, seat games.Seat) []byte {
	key := games.Key(s.State, seat)
	return append(dst, key[:min(1, len(key))]...)
}

func (s *wrongSeat) Observe(_ games.Seat, dst []float32) { s.State.Observe(0, dst) }

func (s *deaf) Hear(string) (games.Action, error) { return 0, nil }

func (s *slow) Apply(a games.Action) error {
	time.Sleep(60 * time.Millisecond)
	return s.State.Apply(a)
}

// Defects are those that a check promises to find.
var Defects = []Defect{
	{"illegal-accepted", "tic_tac_toe", "is not among the legal", func(b bent) games.State { return &acceptsIllegal{b} }},
	{"legal-refused", "kuhn_poker", "is refused", func(b bent) games.State { return &refusesLegal{b} }},
	{"clones-share", "tic_tac_toe", "", func(b bent) games.State { return &sharesClones{b} }},
	{"bytes-do-not-restore", "tic_tac_toe", "another answer", func(b bent) games.State { return &keepsElsewhere{b} }},
	{"global-random", "tic_tac_toe", "draws random numbers", func(b bent) games.State { return &drawsAtRandom{b} }},
	{"returns-do-not-sum", "tic_tac_toe", "returns that sum to", func(b bent) games.State { return &sumsWrong{b} }},
	{"leak-in-key", "kuhn_poker", "key", func(b bent) games.State { return &leaksInKey{b} }},
	{"leak-in-observation", "kuhn_poker", "the tensor of seat", func(b bent) games.State { return &leaksInTensor{b} }},
	{"leak-in-prompt", "kuhn_poker", "the prompt of seat", func(b bent) games.State { return &leaksInPrompt{b} }},
	{"key-forgets", "kuhn_poker", "no perfect recall", func(b bent) games.State { return &forgets{b} }},
	{"wrong-seat", "kuhn_poker", "the tensor of seat 1", func(b bent) games.State { return &wrongSeat{b} }},
	{"deaf", "tic_tac_toe", "Hear(Say(", func(b bent) games.State { return &deaf{b} }},
	{"slow", "kuhn_poker", "a call for one state took", func(b bent) games.State { return &slow{b} }},
}

type broken struct {
	games.Game
	bend func(bent) games.State
}

func (g broken) Start() games.State { return g.bend(bent{g.Game.Start(), g.bend}) }

// Broken returns a game with a defect.
func Broken(name string) (games.Rules, error) {
	for _, d := range Defects {
		if d.Name == name {
			game, err := games.New(d.Game)
			return games.Rules{Name: d.Game, Make: func(r *spec.Reader) (games.Game, error) { return broken{game, d.bend}, r.Err() }}, err
		}
	}
	var names []string
	for _, d := range Defects {
		names = append(names, d.Name)
	}
	return games.Rules{}, fmt.Errorf("broken: no defect %q; there are %s", name, strings.Join(names, ", "))
}
