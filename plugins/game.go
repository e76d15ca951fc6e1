package plugins

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/plugins/protocol"
)

// Game is a game that lives in a plugin. Its states are games.Speakers, in
// numbers where the plugin has no words.
type Game struct {
	host        *host
	description *protocol.Description
	params      string
	info        games.Info
	start       view
	// want is what has been asked of states one by one so far: from then on it
	// comes along with every step.
	want atomic.Uint32

	known *memory

	mu     sync.Mutex
	failed error // the first answer that never came, where no error can be returned
}

// Open starts a plugin and returns its game. Whoever opens it closes it.
func Open(o Options) (*Game, error) {
	ballast()
	h, err := newHost(o)
	if err != nil {
		return nil, fmt.Errorf("plugin %s: %w", first(o.Command), err)
	}
	g := &Game{host: h, params: o.Params, known: newMemory()}
	if err := g.describe(); err != nil {
		h.close()
		return nil, err
	}
	return g, nil
}

func first(words []string) string {
	if len(words) == 0 {
		return `""`
	}
	return words[0]
}

// Close ends the plugin's processes. States of the game can no longer be played.
func (g *Game) Close() error {
	g.host.close()
	return nil
}

// Restarts is how many times a process of the plugin was started again.
func (g *Game) Restarts() int { return int(g.host.restarts.Load()) }

// Processes are the numbers of the plugin's processes that run now.
func (g *Game) Processes() []int {
	var out []int
	for _, p := range g.host.processes {
		p.mu.Lock()
		if p.running != nil {
			out = append(out, p.running.runner.cmd.Process.Pid)
		}
		p.mu.Unlock()
	}
	return out
}

// Err returns the first failure that no method could return: an answer that the
// plugin did not give about a key, an observation or a prompt.
func (g *Game) Err() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.failed
}

func (g *Game) fail(err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.failed == nil {
		g.failed = err
	}
}

// Info implements games.Game.
func (g *Game) Info() games.Info { return g.info }

// Start implements games.Game.
func (g *Game) Start() games.State { return g.wrap(state{game: g, view: g.start}) }

// Limits of what a plugin may describe.
const (
	mostSeats   = 64
	mostActions = 1 << 24
	mostTensor  = 1 << 22
)

func (g *Game) describe() error {
	err := g.host.call(func(ctx context.Context, c client) (err error) {
		g.description, err = c.Describe(ctx, &protocol.DescribeRequest{Params: g.params})
		if err != nil {
			return err
		}
		return g.understand()
	})
	if err != nil {
		return err
	}
	views := make([]view, 1)
	if err := g.step(&protocol.StepRequest{Ends: []uint32{0}}, views); err != nil {
		return err
	}
	if views[0].failure != "" {
		return g.host.refuse(fmt.Errorf("%w: its start: %s", ErrRefused, views[0].failure))
	}
	g.start = views[0]
	return nil
}

// understand checks a description and makes the game's constants of it.
func (g *Game) understand() error {
	d := g.description
	bad := func(format string, args ...any) error {
		return fmt.Errorf("%w: its description has "+format, append([]any{ErrRefused}, args...)...)
	}
	finite := func(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }
	size := 1
	for _, x := range d.Tensor {
		if x < 1 || size > mostTensor/int(max(1, x)) {
			return bad("a tensor of shape %v", d.Tensor)
		}
		size *= int(x)
	}
	switch {
	case d.Protocol < 1 || d.Protocol > Version:
		return bad("version %d of the protocol: expected 1 to %d", d.Protocol, Version)
	case d.Name == "" || len(d.Name) > 100:
		return bad("no name, or one of more than 100 bytes")
	case d.Seats < 1 || d.Seats > mostSeats:
		return bad("%d seats: expected 1 to %d", d.Seats, mostSeats)
	case len(d.Roles) != int(d.Seats):
		return bad("%d roles for %d seats", len(d.Roles), d.Seats)
	case d.Actions < 1 || d.Actions > mostActions:
		return bad("%d actions: expected 1 to %d", d.Actions, mostActions)
	case d.MaxLength < 1:
		return bad("a longest episode of %d actions: expected at least 1", d.MaxLength)
	case !finite(d.MinReturn) || !finite(d.MaxReturn) || !finite(d.Sum) || d.MinReturn >= d.MaxReturn:
		return bad("returns from %v to %v that sum to %v", d.MinReturn, d.MaxReturn, d.Sum)
	case len(d.Tensor) == 0:
		return bad("no tensor")
	}
	g.info = games.Info{
		Seats: int(d.Seats), Roles: d.Roles, Actions: int(d.Actions), MaxLength: int(d.MaxLength),
		MinReturn: d.MinReturn, MaxReturn: d.MaxReturn, Sum: d.Sum, Hidden: d.Hidden, Recall: d.Recall, NoKeys: d.Keyless,
	}
	for _, x := range d.Tensor {
		g.info.Tensor = append(g.info.Tensor, int(x))
	}
	switch {
	case d.Sampled:
		g.info.Chance = games.Sampled
	case d.Chance:
		g.info.Chance = games.Listed
	}
	if g.info.Name = d.Name; g.params != "" {
		g.info.Name += "(" + g.params + ")"
	}
	return nil
}

// step sends one request and checks the answer. A failure of a state is not
// looked at: that is for the caller.
func (g *Game) step(in *protocol.StepRequest, views []view) error {
	in.Params = g.params
	return g.host.call(func(ctx context.Context, c client) error {
		out, err := c.Step(ctx, in)
		if err != nil {
			return err
		}
		return unpack(g.info, g.description.Open, in, out, views)
	})
}

// Step implements games.Stepper: one call for all.
func (g *Game) Step(states []games.State, actions []games.Action, errs []error) {
	batch := make([]*state, 0, len(states))
	index := make([]int, 0, len(states))
	in := &protocol.StepRequest{
		States: make([]byte, 0, 16*len(states)), Ends: make([]uint32, 0, len(states)),
		Actions: make([]int32, 0, len(states)), Want: g.want.Load(),
	}
	want := protocol.Want(in.Want)
	refused := g.host.err()
	for i, s := range states {
		at := plain(s)
		if errs[i] = at.legal(actions[i]); errs[i] != nil {
			continue
		}
		if refused != nil {
			errs[i] = lost(refused)
			continue
		}
		if !g.known.find(at, actions[i], want) {
			batch, index = append(batch, at), append(index, i)
			in.States = append(in.States, at.bytes...)
			in.Ends, in.Actions = append(in.Ends, uint32(len(in.States))), append(in.Actions, int32(actions[i]))
		}
	}
	if len(batch) == 0 {
		return
	}
	views := make([]view, len(batch))
	err := g.step(in, views)
	for j, at := range batch {
		if err == nil && views[j].failure != "" {
			err = g.host.refuse(fmt.Errorf("%w: after an action that it lists as legal, %s", ErrRefused, views[j].failure))
		}
		if errs[index[j]] = lost(err); err == nil {
			g.known.keep(at.bytes, actions[index[j]], &views[j], mostMet)
			at.view = views[j]
		}
	}
}

// lost makes every error of a plugin one of a game that nobody has lost.
func lost(err error) error {
	if err != nil && !errors.Is(err, games.ErrLost) {
		return fmt.Errorf("%w: %w", games.ErrLost, err)
	}
	return err
}

// state is one state of a plugin's game. What kind of games.State it is in all,
// wrap says.
type state struct {
	view
	game *Game
}

type (
	// plainState is a state that says no more than every state must.
	plainState struct{ state }
	// positionedState is one of a game whose future depends on less than its history.
	positionedState struct{ state }
	// sampledState is one of a game whose chance cannot be listed.
	sampledState struct{ state }
	// sampledPositionedState is both.
	sampledPositionedState struct{ state }
	// talkingState is one of a game whose seats may talk. That its future may
	// depend on less than its history is not made use of.
	talkingState struct{ state }
	// sampledTalkingState is one whose chance cannot be listed, too.
	sampledTalkingState struct{ state }
	// openState is one of a game whose actions are proposed in words.
	openState struct{ state }
)

func (g *Game) wrap(s state) games.State {
	switch sampled := g.info.Chance == games.Sampled; {
	case g.description.Open:
		return &openState{s}
	case sampled && g.description.Talks:
		return &sampledTalkingState{s}
	case g.description.Talks:
		return &talkingState{s}
	case sampled && g.description.Positions:
		return &sampledPositionedState{s}
	case sampled:
		return &sampledState{s}
	case g.description.Positions:
		return &positionedState{s}
	}
	return &plainState{s}
}

func plain(s games.State) *state {
	switch s := s.(type) {
	case *openState:
		return &s.state
	case *sampledTalkingState:
		return &s.state
	case *talkingState:
		return &s.state
	case *sampledPositionedState:
		return &s.state
	case *sampledState:
		return &s.state
	case *positionedState:
		return &s.state
	}
	return &s.(*plainState).state
}

// CopyFrom implements games.Copier.
func (s *state) CopyFrom(src games.State) { *s = *plain(src) }

// Clone implements games.State. Views are shared: nobody changes them.
func (s *state) Clone() games.State { return s.game.wrap(*s) }

// Turn implements games.State.
func (s *state) Turn() games.Seat { return s.turn }

// Actions implements games.State.
func (s *state) Actions(dst []games.Action) []games.Action { return append(dst, s.actions...) }

// Odds implements games.State.
func (s *state) Odds(dst []float64) []float64 { return append(dst, s.odds...) }

// Returns implements games.State.
func (s *state) Returns(dst []float64) []float64 {
	if s.turn != games.Over {
		return append(dst, make([]float64, s.game.info.Seats)...)
	}
	return append(dst, s.returns...)
}

// legal tells whether an action may be played: asking the plugin would cost a
// call.
func (s *state) legal(a games.Action) error {
	if s.turn == games.Over {
		return fmt.Errorf("%w %d: the game is over", games.ErrIllegal, a)
	}
	if s.turn == games.Chance && s.game.info.Chance == games.Sampled {
		if a < 0 {
			return fmt.Errorf("%w %d: outcomes are at least 0", games.ErrIllegal, a)
		}
		return nil
	}
	if _, ok := slices.BinarySearch(s.actions, a); !ok {
		return fmt.Errorf("%w %d: legal here are %v", games.ErrIllegal, a, s.actions)
	}
	return nil
}

// Apply implements games.State.
func (s *state) Apply(a games.Action) error {
	if err := s.legal(a); err != nil {
		return err
	}
	if err := s.game.host.err(); err != nil {
		return lost(err)
	}
	want := s.game.want.Load()
	if s.game.known.find(s, a, protocol.Want(want)) {
		return nil
	}
	views := make([]view, 1)
	err := s.game.step(&protocol.StepRequest{
		States: s.bytes, Ends: []uint32{uint32(len(s.bytes))}, Actions: []int32{int32(a)}, Want: want,
	}, views)
	if err == nil && views[0].failure != "" {
		if s.turn == games.Chance && s.game.info.Chance == games.Sampled {
			return fmt.Errorf("%w %d: %s", games.ErrIllegal, a, views[0].failure)
		}
		err = s.game.host.refuse(fmt.Errorf("%w: after action %d, which it lists as legal, %s", ErrRefused, a, views[0].failure))
	}
	if err != nil {
		return lost(err)
	}
	s.game.known.keep(s.bytes, a, &views[0], mostMet)
	s.view = views[0]
	return nil
}

// look asks for more of this state: what is wanted, for one seat.
func (s *state) look(want protocol.Want, seat games.Seat) (view, bool) {
	if seat == s.turn || want == protocol.Want_WANT_POSITIONS {
		s.game.want.Or(uint32(want)) // the next states will bring it along
	}
	views := make([]view, 1)
	err := s.game.step(&protocol.StepRequest{
		States: s.bytes, Ends: []uint32{uint32(len(s.bytes))}, Want: uint32(want), Seat: uint32(seat) + 1,
	}, views)
	if err == nil && views[0].failure != "" {
		err = s.game.host.refuse(fmt.Errorf("%w: of a state that it made itself, %s", ErrRefused, views[0].failure))
	}
	if err != nil {
		s.game.fail(err)
		return view{}, false
	}
	return views[0], true
}

// AppendKey implements games.State.
func (s *state) AppendKey(dst []byte, seat games.Seat) []byte {
	if s.game.info.NoKeys {
		return dst
	}
	if seat == s.turn && s.key != nil {
		return append(dst, s.key...)
	}
	v, ok := s.look(protocol.Want_WANT_KEYS, seat)
	if ok && seat == s.turn {
		s.key = v.key
	}
	return append(dst, v.key...)
}

// Observe implements games.State.
func (s *state) Observe(seat games.Seat, dst []float32) {
	tensor := s.tensor
	if seat != s.turn || tensor == nil {
		v, ok := s.look(protocol.Want_WANT_OBSERVATIONS, seat)
		if !ok {
			clear(dst)
			return
		}
		if tensor = v.tensor; seat == s.turn {
			s.tensor = tensor
		}
	}
	for i := range dst {
		dst[i] = math.Float32frombits(binary.LittleEndian.Uint32(tensor[4*i:]))
	}
}

func (s *state) appendPosition(dst []byte) []byte {
	if s.position == nil {
		v, _ := s.look(protocol.Want_WANT_POSITIONS, 0)
		s.position = v.position
	}
	return append(dst, s.position...)
}

// AppendPosition implements games.Positioned.
func (s *positionedState) AppendPosition(dst []byte) []byte { return s.appendPosition(dst) }

// AppendPosition implements games.Positioned.
func (s *sampledPositionedState) AppendPosition(dst []byte) []byte { return s.appendPosition(dst) }

// Sample implements games.Sampler.
func (s *sampledState) Sample(r *rand.Rand) games.Action { return s.sample(r) }

// Sample implements games.Sampler.
func (s *sampledTalkingState) Sample(r *rand.Rand) games.Action { return s.sample(r) }

// Sample implements games.Sampler.
func (s *sampledPositionedState) Sample(r *rand.Rand) games.Action { return s.sample(r) }

func (s *state) sample(r *rand.Rand) games.Action {
	word := r.Uint64()
	return games.Action(s.speak(&protocol.SpeakRequest{Draw: &word}).Action)
}

// speak asks for words. Where none come, the reply is empty.
func (s *state) speak(in *protocol.SpeakRequest) *protocol.SpeakReply {
	in.Params, in.State = s.game.params, s.bytes
	var out *protocol.SpeakReply
	err := s.game.host.call(func(ctx context.Context, c client) (err error) {
		out, err = c.Speak(ctx, in)
		return err
	})
	if err != nil {
		s.game.fail(err)
		return &protocol.SpeakReply{Refused: err.Error()}
	}
	return out
}

// numbered is a state as it speaks where its plugin has no words: without Say
// and Hear of its own, actions go by their numbers.
type numbered struct{ games.State }

// Prompt implements games.Speaker.
func (s *state) Prompt(seat games.Seat) string {
	if !s.game.description.Speaks {
		return fmt.Sprintf("%s.\n\n%s", s.game.info.Name, games.Menu(numbered{s}, seat))
	}
	return s.speak(&protocol.SpeakRequest{Seat: uint32(seat), Prompt: true}).Prompt
}

// Say implements games.Speaker.
func (s *state) Say(a games.Action) string {
	if s.game.description.Speaks {
		if names := s.speak(&protocol.SpeakRequest{Say: []int32{int32(a)}}).Names; len(names) == 1 {
			return names[0]
		}
	}
	return strconv.Itoa(int(a))
}

// Hear implements games.Speaker.
func (s *state) Hear(text string) (games.Action, error) {
	if !s.game.description.Speaks {
		return games.Hear(numbered{s}, text, s.actions)
	}
	text = strings.ToValidUTF8(text, "?") // as the protocol demands
	out := s.speak(&protocol.SpeakRequest{Hear: &text})
	a := games.Action(out.Action)
	if out.Refused != "" {
		return 0, errors.New(clean(out.Refused, 1000))
	}
	return a, s.legal(a)
}

// Propose implements games.Open.
func (s *openState) Propose(text string) (games.Action, error) {
	text = strings.ToValidUTF8(text, "?")
	out := s.speak(&protocol.SpeakRequest{Propose: &text})
	if out.Refused != "" {
		return 0, errors.New(clean(out.Refused, 1000))
	}
	a := games.Action(out.Action)
	s.bytes = bytes.Clone(out.State)
	if at, known := slices.BinarySearch(s.actions, a); !known {
		s.actions = slices.Insert(slices.Clone(s.actions), at, a)
	}
	return a, nil
}

// Sample implements games.Sampler where chance cannot be listed.
func (s *openState) Sample(r *rand.Rand) games.Action {
	if s.game.info.Chance == games.Sampled {
		return s.sample(r)
	}
	a, err := games.Draw(plainOnly{s}, r)
	if err != nil {
		s.game.fail(err)
	}
	return a
}

// plainOnly hides what a state can do beside the rules.
type plainOnly struct{ games.State }

// Talk implements games.Talker.
func (s *talkingState) Talk(text string) { s.talk(text) }

// Talk implements games.Talker.
func (s *sampledTalkingState) Talk(text string) { s.talk(text) }

func (s *state) talk(text string) {
	text = strings.ToValidUTF8(text, "?")
	if out := s.speak(&protocol.SpeakRequest{Talk: &text}); len(out.State) > 0 {
		s.bytes = bytes.Clone(out.State)
	}
}
