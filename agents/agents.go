// Package agents holds whatever picks actions, and opens each by the same kind
// of name on every verb: random, policy:FILE.json, run:DIR@STEP,
// cfr:iterations=1000, minimax, mcts:sims=400, openai:model=NAME, human. Every kind
// of agent is a file that adds it to Kinds, every judge of a search's leaves one that
// adds it to Evaluators.
package agents

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/internal/spec"
	"github.com/agon-rl/agon/mcts"
	"github.com/agon-rl/agon/play"
	"github.com/agon-rl/agon/policy/backend"
)

// Kinds are the kinds of agents that can be named. Each is added by the file that
// defines it.
var Kinds spec.Registry[Kind]

// Kind is a kind of agents as it is registered.
type Kind struct {
	// Open opens an agent with the settings in r. Its errors begin with the kind's
	// name; those of settings are r.Err()'s, which Open of the package asks for too.
	Open func(ctx context.Context, r *spec.Reader, env Environment) (play.Agent, error)
	// Slow agents take so long for a move that games in lockstep gain nothing, and
	// that what a kill loses should be small.
	Slow bool
}

// Forms says how agents are named, for help texts: the kinds, and what a search is made
// of.
func Forms() string {
	below := func(help string) string { return "  " + strings.ReplaceAll(help, "\n", "\n  ") }
	return Kinds.Help() +
		"\nRules of mcts, rule=, by which a simulation takes the action of the highest Q + U; U is\n" + below(mcts.Rules.Help()) +
		"\nWhat judges the leaves of mcts, eval=:\n" + below(Evaluators.Help())
}

// Environment is what agents are opened in.
type Environment struct {
	Game games.Game
	// Backend opens the backend that networks run on. It is called only where
	// an agent needs one.
	Backend func() (backend.Backend, error)
	// In and Out are a person's terminal.
	In  io.Reader
	Out io.Writer
	// Warn, if not nil, hears of what was passed over, such as a checkpoint
	// that was refused for the one before it.
	Warn func(error)
}

// NameError is the error of Open where the name is wrong: no such agent, or a
// wrong parameter. What the name stands for was not looked at.
type NameError struct{ err error }

func (e *NameError) Error() string { return e.err.Error() }

func (e *NameError) Unwrap() error { return e.err }

// Misnamed is a NameError with a text as fmt.Errorf has it.
func Misnamed(format string, args ...any) error {
	return &NameError{fmt.Errorf(format, args...)}
}

// Open opens the agent that text names.
func Open(ctx context.Context, text string, env Environment) (play.Agent, error) {
	kind, r, err := Kinds.Read(text)
	if err != nil {
		return nil, Misnamed("agent %w", err)
	}
	agent, err := kind.Value.Open(ctx, r, env)
	var name *NameError
	if wrong := r.Err(); wrong != nil && !errors.As(err, &name) {
		if err == nil {
			wrong = errors.Join(wrong, agent.Close())
		}
		return nil, Misnamed("agent %w", wrong)
	}
	if err != nil {
		return nil, fmt.Errorf("agent %w", err)
	}
	return agent, nil
}

// Known returns a NameError where text is not the name of an agent, its parameters
// aside.
func Known(text string) error {
	if _, _, err := Kinds.Read(text); err != nil {
		return Misnamed("agent %w", err)
	}
	return nil
}

// Slow tells whether text names an agent that takes long for a move.
func Slow(text string) bool {
	kind, _, err := Kinds.Read(text)
	return err == nil && kind.Value.Slow
}
