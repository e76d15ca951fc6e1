package plugins

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/plugins/protocol"
)

// Question asks an agent in a plugin for one action. It holds all that the seat may
// know.
type Question struct {
	Game        string // as in liars_dice(numdice=1)
	Seat        games.Seat
	Actions     []games.Action // legal, ascending
	Names       []string       // of the actions
	Prompt      string         // what the seat is told; "" in games without words
	Key         []byte         // its information state; nil in games without keys
	Observation []float32
	Rand        *rand.Rand    // where the agent's randomness comes from
	Left        time.Duration // for this decision; 0 for no limit
}

// Decision is what an agent decides: an action, or, where Text alone counts, the last
// action in that.
type Decision struct {
	Action games.Action
	Text   string // what the agent says
	Heard  bool   // whether the action is to be found in Text
}

// ServeAgent serves an agent as a plugin and returns when its host is done:
//
//	func main() {
//		plugins.ServeAgent(func(_ context.Context, q plugins.Question) (plugins.Decision, error) {
//			return plugins.Decision{Action: q.Actions[0]}, nil
//		})
//	}
//
// An error, or a panic, loses the game for nobody: it is played again.
func ServeAgent(act func(context.Context, Question) (Decision, error)) {
	serve(&link{agent: agentServer{act: act}})
}

type agentServer struct {
	protocol.UnimplementedAgentServer
	act func(context.Context, Question) (Decision, error)
}

// Act implements the protocol.
func (s agentServer) Act(ctx context.Context, in *protocol.ActRequest) (out *protocol.ActReply, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = status.Errorf(codes.Internal, "the agent panicked: %v", r)
		}
	}()
	out = &protocol.ActReply{}
	for _, q := range in.Questions {
		actions := make([]games.Action, len(q.Actions))
		for i, a := range q.Actions {
			actions[i] = games.Action(a)
		}
		a, err := s.act(ctx, Question{
			Game: in.Game, Seat: games.Seat(q.Seat), Actions: actions, Names: q.Names, Prompt: q.Prompt, Key: q.Key,
			Observation: q.Observation, Rand: rand.New(rand.NewPCG(q.Seed, 0)), Left: time.Duration(q.Left),
		})
		if err != nil {
			return nil, status.Error(codes.Internal, err.Error())
		}
		decision := &protocol.Decision{Text: a.Text}
		if !a.Heard {
			action := int32(a.Action)
			decision.Action = &action
		}
		out.Decisions = append(out.Decisions, decision)
	}
	return out, nil
}

// Agent asks an agent in a plugin.
type Agent struct{ host *host }

// OpenAgent makes the host of an agent. Its processes start with the first call.
func OpenAgent(o Options) (*Agent, error) {
	h, err := newHost(o)
	if err != nil {
		return nil, fmt.Errorf("plugin: %w", err)
	}
	return &Agent{host: h}, nil
}

// Act asks questions about one game. The error wraps games.ErrLost where the plugin
// gave no answer, ErrRefused where it answers wrongly.
func (a *Agent) Act(game string, questions []*protocol.Question) (decisions []*protocol.Decision, err error) {
	err = a.host.call(func(ctx context.Context, c client) error {
		reply, err := c.Act(ctx, &protocol.ActRequest{Game: game, Questions: questions})
		if err != nil {
			return err
		}
		if len(reply.Decisions) != len(questions) {
			return fmt.Errorf("%w: %d answers to %d questions", ErrRefused, len(reply.Decisions), len(questions))
		}
		decisions = reply.Decisions
		return nil
	})
	return decisions, err
}

// Close ends the processes.
func (a *Agent) Close() error {
	a.host.close()
	return nil
}
