package chat

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/play"
)

// Policies are what becomes of a turn for which a model names no legal action in
// all its tries: forfeit loses the game, random plays a legal action drawn
// uniformly, error ends the match.
var Policies = []string{"forfeit", "random", "error"}

// Rules are how an agent asks for actions.
type Rules struct {
	Template *Template // DefaultTemplate where nil
	Tries    int       // answers asked for in a turn, from 1; what was wrong with one is told to the model before the next
	Illegal  string    // one of Policies
}

// Stats count an agent's turns and the answers that were no legal action.
type Stats struct {
	Turns   int
	Illegal int // answers that named an action that was not open
	Unread  int // answers in which no action was found
	Spent   int // turns whose tries were spent, so that Rules.Illegal decided
}

// Agent plays by asking a model.
type Agent struct {
	client *Client
	info   games.Info
	rules  Rules

	mu    sync.Mutex
	stats Stats
}

var _ play.Agent = (*Agent)(nil)

// NewAgent returns an agent for a game whose states are games.Speakers. Closing
// it closes the client.
func NewAgent(c *Client, game games.Game, rules Rules) (*Agent, error) {
	if _, ok := game.Start().(games.Speaker); !ok {
		return nil, fmt.Errorf("%s does not speak: expected a game that can be played in text", game.Info().Name)
	}
	if rules.Tries < 1 {
		return nil, fmt.Errorf("tries=%d: expected a whole number from 1", rules.Tries)
	}
	if !slices.Contains(Policies, rules.Illegal) {
		return nil, fmt.Errorf("illegal=%s: expected %s", rules.Illegal, strings.Join(Policies, ", "))
	}
	if rules.Template == nil {
		rules.Template = DefaultTemplate()
	}
	return &Agent{client: c, info: game.Info(), rules: rules}, nil
}

// Stats returns the counts so far.
func (a *Agent) Stats() Stats {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.stats
}

// Usage is what the agent's calls came to so far.
func (a *Agent) Usage() Usage { return a.client.Usage() }

// Close implements play.Agent.
func (a *Agent) Close() error { return a.client.Close() }

// turn is one request under way.
type turn struct {
	state games.State
	r     *rand.Rand
	ask   Message
}

// Act implements play.Agent: it asks for all actions at once, as far as the
// client's limits allow. Every decision's Text is the model's answer without its
// reasoning, and its Record the last Reply.
func (a *Agent) Act(ctx context.Context, in []play.Request, out []play.Decision) error {
	turns := make([]turn, len(in))
	for i, request := range in {
		prompt, err := a.prompt(request)
		if err != nil {
			return err
		}
		// Requests may share a generator; turns run side by side.
		r := rand.New(rand.NewPCG(request.Rand.Uint64(), request.Rand.Uint64()))
		turns[i] = turn{state: request.State, r: r, ask: Message{"user", prompt}}
	}
	group, ctx := errgroup.WithContext(ctx)
	for i, t := range turns {
		group.Go(func() (err error) {
			out[i], err = a.decide(ctx, t)
			if errors.Is(err, games.ErrLost) { // this game is void; the others go on
				out[i], err = play.Decision{Err: err}, nil
			}
			return err
		})
	}
	return group.Wait()
}

func (a *Agent) prompt(request play.Request) (string, error) {
	speaker, ok := request.State.(games.Speaker)
	if !ok {
		return "", fmt.Errorf("%s: a model cannot play a state that does not speak", a.info.Name)
	}
	f := fields{Prompt: speaker.Prompt(request.Seat), Role: fmt.Sprint("player ", request.Seat), Game: a.info.Spec()}
	if int(request.Seat) < len(a.info.Roles) {
		f.Role = a.info.Roles[request.Seat]
	}
	text, err := a.rules.Template.text(f)
	if err != nil {
		return "", fmt.Errorf("the prompt's template: %w", err)
	}
	return text, nil
}

// decide asks until an answer holds a legal action.
func (a *Agent) decide(ctx context.Context, t turn) (play.Decision, error) {
	messages := []Message{t.ask}
	var reply Reply
	var heard error
	var cost play.Cost
	for range a.rules.Tries {
		var err error
		if reply, err = a.client.complete(ctx, messages, a.seed(t.r)); err != nil {
			return play.Decision{}, err
		}
		cost.Add(a.client.cost(reply))
		var action games.Action
		if action, heard = t.state.(games.Speaker).Hear(reply.Text); heard == nil {
			a.count(func(s *Stats) { s.Turns++ })
			return play.Decision{Action: action, Text: reply.Text, Record: reply, Cost: cost}, nil
		}
		if errors.Is(heard, games.ErrLost) { // the rules gave no answer
			return play.Decision{}, heard
		}
		cost.Illegal++
		a.count(func(s *Stats) { s.unheard(heard) })
		messages = append(messages, complain(reply, heard)...)
	}
	decision, err := a.spent(t, reply, heard)
	decision.Cost = cost
	return decision, err
}

// seed makes the seeds of the agent's calls differ, and still follow from the one
// that was asked for and from the seat's generator. With the same seed for every
// call, a server would give the same answer wherever the prompt is the same, and
// a mixed strategy would come out pure.
func (a *Agent) seed(r *rand.Rand) *int64 {
	if a.client.options.Seed == nil {
		return nil
	}
	seed := (*a.client.options.Seed ^ r.Int64()) & (1<<31 - 1) // what servers that read 32 bits take
	return &seed
}

// complain repeats to a model its answer and says why it was not understood.
func complain(reply Reply, heard error) []Message {
	complaint := Message{"user", fmt.Sprintf("Your answer could not be taken: %v. Answer again, with your action alone on the last line.", heard)}
	if reply.Text == "" { // servers refuse empty messages
		return []Message{complaint}
	}
	return []Message{{"assistant", reply.Text}, complaint}
}

// spent ends a turn without a legal answer.
func (a *Agent) spent(t turn, reply Reply, heard error) (play.Decision, error) {
	a.count(func(s *Stats) { s.Turns++; s.Spent++ })
	failed := fmt.Errorf("model %q named no legal action in %d answers, the last time: %w", a.client.options.Model, a.rules.Tries, heard)
	decision := play.Decision{Text: reply.Text, Record: reply}
	actions := t.state.Actions(nil)
	switch {
	case a.rules.Illegal == "error":
		return decision, failed
	case a.rules.Illegal == "random" && len(actions) > 0:
		decision.Action = actions[t.r.IntN(len(actions))]
	default:
		decision.Err = failed
	}
	return decision, nil
}

func (a *Agent) count(add func(*Stats)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	add(&a.stats)
}

func (s *Stats) unheard(err error) {
	if errors.Is(err, games.ErrIllegal) {
		s.Illegal++
	} else {
		s.Unread++
	}
}
