package agents

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/internal/spec"
	"github.com/agon-rl/agon/play"
)

func init() {
	Kinds.Add(spec.Entry[Kind]{
		Name: "human", Help: "a person at the terminal",
		Value: Kind{Slow: true, Open: func(_ context.Context, _ *spec.Reader, env Environment) (play.Agent, error) {
			return NewHuman(env.In, env.Out), nil
		}},
	})
}

// ErrQuit is returned by a person who leaves the game.
var ErrQuit = errors.New("the person at the terminal left the game")

// Human asks a person at a terminal.
type Human struct {
	in  *bufio.Reader
	out io.Writer
}

var _ play.Agent = (*Human)(nil)

// NewHuman returns an agent that prints prompts to out and reads lines from in.
func NewHuman(in io.Reader, out io.Writer) *Human {
	return &Human{in: bufio.NewReader(in), out: out}
}

// Act implements play.Agent. It asks again until it hears a legal action; the
// end of the input, or quit, is ErrQuit.
func (h *Human) Act(ctx context.Context, in []play.Request, out []play.Decision) error {
	for i, request := range in {
		speaker, ok := request.State.(games.Speaker)
		if !ok {
			return fmt.Errorf("a person cannot play this game: it does not speak")
		}
		if _, err := fmt.Fprintf(h.out, "\n%s\n", speaker.Prompt(request.Seat)); err != nil {
			return fmt.Errorf("writing to the terminal: %w", err)
		}
		decision, err := h.ask(ctx, speaker)
		if err != nil {
			return err
		}
		out[i] = decision
	}
	return nil
}

func (h *Human) ask(ctx context.Context, speaker games.Speaker) (play.Decision, error) {
	for {
		if err := ctx.Err(); err != nil {
			return play.Decision{}, err
		}
		if _, err := fmt.Fprint(h.out, "> "); err != nil {
			return play.Decision{}, fmt.Errorf("writing to the terminal: %w", err)
		}
		line, err := h.in.ReadString('\n')
		if line == "quit\n" || err != nil && line == "" {
			return play.Decision{}, ErrQuit
		}
		action, hearErr := speaker.Hear(line)
		if hearErr == nil {
			return play.Decision{Action: action, Text: line}, nil
		}
		if _, err := fmt.Fprintf(h.out, "%v (or quit)\n", hearErr); err != nil {
			return play.Decision{}, fmt.Errorf("writing to the terminal: %w", err)
		}
		if err != nil {
			return play.Decision{}, ErrQuit
		}
	}
}

// Close implements play.Agent.
func (h *Human) Close() error { return nil }
