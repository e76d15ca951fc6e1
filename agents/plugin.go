package agents

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/internal/spec"
	"github.com/agon-rl/agon/play"
	"github.com/agon-rl/agon/plugins"
	"github.com/agon-rl/agon/plugins/protocol"
)

func init() {
	Kinds.Add(spec.Entry[Kind]{
		Name: "plugin", Usage: "plugin:PROGRAM",
		Help: `an agent in a program of its own (plugins.ServeAgent), or in a folder with plugin.yaml; also
plugin(command=PROGRAM,timeout=1m,processes=2)`,
		Value: Kind{Slow: true, Open: openPlugin},
	})
}

// plugged is an agent in a process of its own.
type plugged struct {
	plugin *plugins.Agent
	info   games.Info
}

// openPlugin opens plugin.
func openPlugin(_ context.Context, r *spec.Reader, env Environment) (play.Agent, error) {
	command, timeout := r.String("command", ""), r.String("timeout", "1m")
	processes := r.Int("processes", 1, 1, 1024)
	if err := r.Err(); err != nil {
		return nil, err
	}
	if command == "" {
		return nil, Misnamed("plugin: expected a program, such as plugin:./bot")
	}
	limit, err := time.ParseDuration(timeout)
	if err != nil || limit <= 0 {
		return nil, Misnamed("plugin: timeout=%s: expected a duration such as 30s or 2m", timeout)
	}
	options, _, err := plugins.Named(plugins.Prefix + command)
	if err != nil {
		return nil, err
	}
	options.Timeout, options.Processes = limit, processes
	plugin, err := plugins.OpenAgent(options)
	if err != nil {
		return nil, err
	}
	return plugged{plugin: plugin, info: env.Game.Info()}, nil
}

// Act implements play.Agent.
func (a plugged) Act(_ context.Context, in []play.Request, out []play.Decision) error {
	questions := make([]*protocol.Question, len(in))
	for i, request := range in {
		questions[i] = a.question(request)
	}
	answers, err := a.plugin.Act(a.info.Spec(), questions)
	if errors.Is(err, games.ErrLost) {
		for i := range out {
			out[i] = play.Decision{Err: err}
		}
		return nil
	}
	if err != nil {
		return err
	}
	for i, answer := range answers {
		out[i] = decisionOf(in[i].State, answer)
	}
	return nil
}

// question is all that a seat may know.
func (a plugged) question(r play.Request) *protocol.Question {
	q := &protocol.Question{Seat: uint32(r.Seat), Seed: r.Rand.Uint64(), Left: int64(r.Left.Limit())}
	for _, action := range r.State.Actions(nil) {
		q.Actions = append(q.Actions, int32(action))
		q.Names = append(q.Names, games.Say(r.State, action))
	}
	if speaker, ok := r.State.(games.Speaker); ok {
		q.Prompt = speaker.Prompt(r.Seat)
	}
	if !a.info.NoKeys {
		q.Key = r.State.AppendKey(nil, r.Seat)
	}
	q.Observation = make([]float32, a.info.TensorSize())
	r.State.Observe(r.Seat, q.Observation)
	return q
}

func decisionOf(s games.State, answer *protocol.Decision) play.Decision {
	d := play.Decision{Text: answer.Text}
	if answer.Action != nil {
		d.Action = games.Action(*answer.Action)
		return d
	}
	speaker, ok := s.(games.Speaker)
	if !ok {
		d.Err = errors.New("the plugin answers in words, in a game without them")
		return d
	}
	var err error
	if d.Action, err = speaker.Hear(answer.Text); err != nil {
		d.Err, d.Cost.Illegal = fmt.Errorf("plugin: %w", err), 1
	}
	return d
}

// Close implements play.Agent.
func (a plugged) Close() error { return a.plugin.Close() }
