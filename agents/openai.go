package agents

import (
	"math"
	"time"

	"github.com/agon-rl/agon/agents/chat"
	"github.com/agon-rl/agon/internal/spec"
	"github.com/agon-rl/agon/play"
)

// openChat opens openai.
func openChat(r *spec.Reader, env Environment) (play.Agent, error) {
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
		return nil, misnamed("openai: %w", err)
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
		return nil, misnamed("agent %w", err)
	}
	if s.Name != "openai" {
		return nil, misnamed("agent %q writes nothing: expected one such as openai:model=NAME", text)
	}
	r := spec.Read(s)
	o, err := readChat(r)
	if err == nil {
		err = r.Err()
	}
	if err != nil {
		return nil, misnamed("agent %w", err)
	}
	client, err := chat.New(o)
	if err != nil {
		return nil, misnamed("agent openai: %w", err)
	}
	return client, nil
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
			return o, misnamed("openai: timeout=%s: expected a duration such as 30s or 2m", clock)
		}
	}
	return o, nil
}
