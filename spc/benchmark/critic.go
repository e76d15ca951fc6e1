package benchmark

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/agon-rl/agon/agents/chat"
	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/games/sneakycritic"
	"github.com/agon-rl/agon/play"
)

// Model asks a language model. It answers whatever is asked.
type Model struct{ Client *chat.Client }

// Answer implements Critic.
func (m Model) Answer(ctx context.Context, a Ask) (Entry, error) {
	var messages []chat.Message
	if a.System != "" {
		messages = append(messages, chat.Message{Role: "system", Content: a.System})
	}
	reply, err := m.Client.Complete(ctx, append(messages, chat.Message{Role: "user", Content: a.User}))
	return Entry{Answer: reply.Text, TokensIn: reply.TokensIn, TokensOut: reply.TokensOut}, err
}

// Player has an agent that plays the critic of a game judge steps, or, in a game of
// whole solutions, these. It judges rows that the game's domain can read back, problem
// and lines; others are unfit.
type Player struct {
	Game  *sneakycritic.Game
	Agent play.Agent
	Seed  uint64
}

// Why critics without words refuse.
var (
	errProse = errors.New("it asks for prose: expected steps to judge one by one")
	errSteps = errors.New("it does not ask for the first wrong step: expected whole solutions of processbench or prm800k")
)

// Answer implements Critic. The verdict is in the form that language models are
// asked for.
func (p Player) Answer(ctx context.Context, a Ask) (Entry, error) {
	if p.Game.Whole {
		return p.first(ctx, a)
	}
	if a.Question == nil {
		return Entry{}, &UnfitError{a.ID, errProse}
	}
	state, err := p.Game.Read(a.Question.Problem, lines(a.Question.Prefix), a.Question.Step)
	if err != nil {
		return Entry{}, &UnfitError{a.ID, err}
	}
	action, err := p.act(ctx, a, state)
	return verdict(action), err
}

// first judges a whole solution. Its answer is in the form that language models are
// asked for: the first wrong step, from 0 on, or -1.
func (p Player) first(ctx context.Context, a Ask) (Entry, error) {
	if a.Solution == nil {
		return Entry{}, &UnfitError{a.ID, errSteps}
	}
	var texts []string
	var steps []int // of the texts
	for i := range a.Solution.Steps {
		for _, line := range lines(a.Solution.Steps[i : i+1]) {
			texts, steps = append(texts, line), append(steps, i)
		}
	}
	state, err := p.Game.ReadWhole(a.Solution.Problem, texts)
	if err != nil {
		return Entry{}, &UnfitError{a.ID, err}
	}
	action, err := p.act(ctx, a, state)
	if err != nil {
		return Entry{}, err
	}
	first := -1
	if action != sneakycritic.Correct {
		first = steps[action-1]
	}
	return Entry{Answer: fmt.Sprintf("\\boxed{%d}", first)}, nil
}

func (p Player) act(ctx context.Context, a Ask, state *sneakycritic.State) (games.Action, error) {
	decisions := make([]play.Decision, 1)
	requests := []play.Request{{State: state, Seat: sneakycritic.Critic, Rand: play.Generator(p.Seed, "judge", uint64(a.Row))}}
	if err := p.Agent.Act(ctx, requests, decisions); err != nil {
		return 0, err
	}
	return decisions[0].Action, decisions[0].Err
}

// lines are the lines of a prefix; some benchmarks join steps.
func lines(prefix []string) (out []string) {
	for _, step := range prefix {
		for line := range strings.Lines(step) {
			if line = strings.TrimSpace(line); line != "" {
				out = append(out, line)
			}
		}
	}
	return out
}

func verdict(a games.Action) Entry {
	if a == sneakycritic.Incorrect {
		return Entry{Answer: "<Answer>Incorrect</Answer>"}
	}
	return Entry{Answer: "<Answer>Correct</Answer>"}
}

// Coin judges steps at random, evenly: what any critic is compared with.
type Coin struct{ Seed uint64 }

// Answer implements Critic.
func (c Coin) Answer(_ context.Context, a Ask) (Entry, error) {
	if a.Question == nil {
		return Entry{}, &UnfitError{a.ID, errProse}
	}
	return verdict(games.Action(play.Generator(c.Seed, "judge", uint64(a.Row)).IntN(2))), nil
}

// Name is what the model's answers depend on: not where it is, nor how patiently it
// is asked.
func (m Model) Name() string {
	o := m.Client.Options()
	name := "openai:model=" + o.Model
	if o.Temperature != nil {
		name += fmt.Sprintf(",temperature=%g", *o.Temperature)
	}
	if o.MaxTokens > 0 {
		name += fmt.Sprintf(",max_tokens=%d", o.MaxTokens)
	}
	if o.Seed != nil {
		name += fmt.Sprintf(",seed=%d", *o.Seed)
	}
	return name
}
