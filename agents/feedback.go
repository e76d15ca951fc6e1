package agents

import (
	"context"

	"github.com/agon-rl/agon/agents/chat"
	"github.com/agon-rl/agon/internal/spec"
	"github.com/agon-rl/agon/prefs/judge"
)

// OpenFeedback opens the feedback that text names (see judge.Kinds), language models
// included, which are asked as openai agents are. own are judges of the caller's, by
// name. Close it by judge.Close.
func OpenFeedback(text string, own map[string]judge.Judge) (judge.Judge, error) {
	return judge.Parse(text, judge.Environment{Own: own, Ask: func(s spec.Spec) (judge.Asker, error) {
		r := spec.Read(s)
		o, err := readChat(r)
		if err == nil {
			err = r.Err()
		}
		if err != nil {
			return nil, err
		}
		client, err := chat.New(o)
		if err != nil {
			return nil, Misnamed("openai: %w", err)
		}
		return asker{client}, nil
	}})
}

// asker asks single questions.
type asker struct{ *chat.Client }

// Ask implements judge.Asker.
func (a asker) Ask(ctx context.Context, question string) (string, error) {
	reply, err := a.Complete(ctx, []chat.Message{{Role: "user", Content: question}})
	return reply.Text, err
}
