package agents

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/agon-rl/agon/agents/chat"
	"github.com/agon-rl/agon/internal/spec"
	"github.com/agon-rl/agon/mcts"
	"github.com/agon-rl/agon/play"
)

func init() {
	Kinds.Add(spec.Entry[Kind]{
		Name: "openai", Usage: "openai:model=NAME",
		Help: `a language model behind any OpenAI-compatible endpoint; also url=http://localhost:8000/v1
(else $OPENAI_BASE_URL), key=MY_KEY (the variable that holds the key, else OPENAI_API_KEY),
temperature=1, max_tokens=4096, seed=1, timeout=2m, retries=8, parallel=8,
rpm=60 and tpm=100000 (requests and tokens a minute), price_in=0.15 and price_out=0.6
(dollars per million tokens), template=FILE with {{.Prompt}}, {{.Role}} and {{.Game}},
tries=3, illegal=forfeit|random|error (for answers without a legal action)`,
		Value: Kind{Slow: true, Open: openChat},
	})
	Evaluators.Add(spec.Entry[EvaluatorKind]{
		Name: "self", Usage: "self(model=NAME,url=…)", Help: "a language model that judges its own way, with openai's settings",
		Value: openSelf,
	})
}

// openChat opens openai.
func openChat(_ context.Context, r *spec.Reader, env Environment) (play.Agent, error) {
	o, err := readChat(r)
	if err != nil {
		return nil, err
	}
	rules := chat.Rules{Tries: r.Int("tries", 3, 1, 100), Illegal: r.Choice("illegal", "forfeit", chat.Policies...)}
	file := r.String("template", "")
	if err := r.Err(); err != nil {
		return nil, err
	}
	if file != "" {
		if rules.Template, err = chat.ReadTemplate(file); err != nil {
			return nil, err
		}
	}
	client, err := chat.New(o)
	if err != nil {
		return nil, Misnamed("openai: %w", err)
	}
	agent, err := chat.NewAgent(client, env.Game, rules)
	if err != nil {
		return nil, err
	}
	return agent, nil
}

// OpenChat opens the model that openai:model=NAME,… names, to be asked for anything
// rather than to play. Close it after use.
func OpenChat(text string) (*chat.Client, error) {
	s, err := spec.Parse(text)
	if err != nil {
		return nil, Misnamed("agent %w", err)
	}
	if s.Name != "openai" {
		return nil, Misnamed("agent %q writes nothing: expected one such as openai:model=NAME", text)
	}
	r := spec.Read(s)
	o, err := readChat(r)
	if err == nil {
		err = r.Err()
	}
	if err != nil {
		return nil, Misnamed("agent %w", err)
	}
	client, err := chat.New(o)
	if err != nil {
		return nil, Misnamed("agent openai: %w", err)
	}
	return client, nil
}

// openSelf opens the evaluator self.
func openSelf(_ context.Context, r *spec.Reader, env Environment) (Evaluating, error) {
	o, err := readChat(r)
	if err := errors.Join(err, r.Err()); err != nil {
		return Evaluating{}, Misnamed("self: %w", err)
	}
	client, err := chat.New(o)
	if err != nil {
		return Evaluating{}, Misnamed("self: %w", err)
	}
	model, err := chat.NewConfidence(client, env.Game)
	if err != nil {
		return Evaluating{}, errors.Join(fmt.Errorf("self: %w", err), client.Close())
	}
	return Evaluating{New: func() mcts.Evaluator { return mcts.SelfEvaluation{Model: model} }, Close: client.Close}, nil
}

// readChat reads how a model is asked.
func readChat(r *spec.Reader) (o chat.Options, err error) {
	const most = math.MaxInt32
	o = chat.Options{
		Model: r.String("model", ""), URL: r.String("url", ""), Key: r.String("key", ""),
		MaxTokens: r.Int("max_tokens", 0, 1, most), Retries: r.Int("retries", 8, 0, 100),
		Parallel:          r.Int("parallel", chat.DefaultParallel, 1, 1<<16),
		RequestsPerMinute: r.Int("rpm", 0, 1, most), TokensPerMinute: r.Int("tpm", 0, 1, most),
		Price: chat.Price{In: r.Float("price_in", 0, 0, 1e6), Out: r.Float("price_out", 0, 0, 1e6)},
	}
	// The fallbacks lie outside the ranges: they mean that nothing was given.
	if t := r.Float("temperature", -1, 0, 2); t >= 0 {
		o.Temperature = &t
	}
	if seed := int64(r.Int("seed", -1, 0, most)); seed >= 0 {
		o.Seed = &seed
	}
	if clock := r.String("timeout", ""); clock != "" {
		if o.Timeout, err = time.ParseDuration(clock); err != nil || o.Timeout <= 0 {
			return o, Misnamed("openai: timeout=%s: expected a duration such as 30s or 2m", clock)
		}
	}
	return o, nil
}
