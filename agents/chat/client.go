// Package chat plays with language models behind any endpoint of the OpenAI chat
// completions protocol: hosted ones and those of vLLM, llama.cpp, SGLang, Ollama
// and others.
//
// One call of the protocol is one POST, so the client is net/http with
// cenkalti/backoff for the retries and x/time/rate for the rate limits. The
// official library would bring the clients of two clouds into the module, knows
// nothing of reasoning, rate limits or replies without choices, and its retries
// would have to be turned off: they draw from a generator of their own and do not
// tell a call that may be tried again from one that makes a game void.
package chat

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/play"
)

// Message is one message of a conversation. Role is system, user or assistant.
type Message struct {
	Role    string `json:"role"`
	Content string `json:"content"`
}

// Reply is a model's answer.
type Reply struct {
	Text      string // without the reasoning
	Reasoning string
	TokensIn  int64         // as the server counts; 0 where it does not
	TokensOut int64         // reasoning included
	Finish    string        // why the model stopped, such as stop or length
	Latency   time.Duration // of the call that succeeded
	Failed    int           // calls before that one
}

// Client asks one model. It is safe for concurrent use.
type Client struct {
	options Options
	key     string
	http    *http.Client
	limits  *limits
	jitter  *jitter
	ledger  *ledger
}

// New returns a client. It reads the key from the environment and connects to
// nothing.
func New(o Options) (*Client, error) {
	o.fill()
	if err := o.validate(); err != nil {
		return nil, err
	}
	key, err := o.readKey()
	if err != nil {
		return nil, err
	}
	if o.Rand == nil {
		o.Rand = play.Generator(0, "chat")
	}
	return &Client{
		options: o, key: key, http: newHTTP(o.Parallel),
		limits: newLimits(o), jitter: &jitter{r: o.Rand}, ledger: newLedger(o.Price),
	}, nil
}

func newHTTP(parallel int) *http.Client {
	transport := &http.Transport{Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true, IdleConnTimeout: 90 * time.Second}
	transport.MaxIdleConnsPerHost = parallel
	return &http.Client{
		Transport: transport,
		// The key goes nowhere but where it was meant to go.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Usage is what all calls so far came to.
func (c *Client) Usage() Usage { return c.ledger.total() }

// Options are those that the client was made with, zero values replaced by what
// they stand for.
func (c *Client) Options() Options { return c.options }

// Close ends the connections that are kept open between calls.
func (c *Client) Close() error {
	c.http.CloseIdleConnections()
	return nil
}

// Complete asks for the next message of a conversation. A call that cannot
// succeed is a *CallError of the kind Refused, told at once. Where only passing
// failures came until the retries were spent, the error wraps games.ErrLost and
// the last *CallError. Where ctx ends, the error is its cause.
func (c *Client) Complete(ctx context.Context, messages []Message) (Reply, error) {
	return c.complete(ctx, messages, c.options.Seed)
}

type question struct {
	Model       string    `json:"model"`
	Messages    []Message `json:"messages"`
	Temperature *float64  `json:"temperature,omitempty"`
	MaxTokens   int       `json:"max_tokens,omitempty"`
	Seed        *int64    `json:"seed,omitempty"`
}

func (c *Client) complete(ctx context.Context, messages []Message, seed *int64) (Reply, error) {
	o := c.options
	body, err := json.Marshal(question{o.Model, messages, o.Temperature, o.MaxTokens, seed})
	if err != nil {
		return Reply{}, fmt.Errorf("writing the request: %w", err)
	}
	calls, pauses := 0, newWaits(o.Backoff, c.jitter)
	reply, err := backoff.Retry(ctx, func() (Reply, error) {
		reply, err := c.call(ctx, body, estimate(messages), calls > 0)
		calls++
		if failure, ok := passing(err); ok {
			pauses.asked = failure.RetryAfter
			return reply, err
		}
		return reply, permanent(err)
	}, backoff.WithBackOff(pauses), backoff.WithMaxTries(uint(o.Retries)+1), backoff.WithMaxElapsedTime(0))
	if _, ok := passing(err); ok {
		return Reply{}, fmt.Errorf("%w: %d calls failed, the last one: %w", games.ErrLost, calls, err)
	}
	reply.Failed = max(0, calls-1)
	return reply, err
}

// passing returns the failure that err is, if it is one that may pass.
func passing(err error) (*CallError, bool) {
	var failure *CallError
	return failure, errors.As(err, &failure) && failure.Kind != Refused
}

func permanent(err error) error {
	if err == nil {
		return nil
	}
	return backoff.Permanent(err)
}

// estimate guesses how many tokens a conversation is: about four bytes each. The
// server's count settles it afterwards.
func estimate(messages []Message) int {
	n := 0
	for _, m := range messages {
		n += len(m.Content)/4 + 4
	}
	return n
}

// call waits its turn and asks once.
func (c *Client) call(ctx context.Context, body []byte, tokens int, retry bool) (Reply, error) {
	if err := c.limits.enter(ctx, tokens); err != nil {
		return Reply{}, err
	}
	defer c.limits.leave()
	c.ledger.call(retry)
	start := time.Now()
	reply, err := c.post(ctx, body)
	if ctx.Err() != nil { // called off, which is no failure
		return Reply{}, context.Cause(ctx)
	}
	c.ledger.tokens(reply.TokensIn, reply.TokensOut)
	c.limits.owe(reply.TokensIn + reply.TokensOut - int64(tokens))
	var failure *CallError
	if errors.As(err, &failure) {
		c.ledger.fail(failure.Kind)
	}
	reply.Latency = time.Since(start)
	return reply, err
}

// mostBody bounds a response, in bytes.
const mostBody = 8 << 20

func (c *Client) post(ctx context.Context, body []byte) (Reply, error) {
	ctx, cancel := context.WithTimeout(ctx, c.options.Timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.options.URL+"/chat/completions", bytes.NewReader(body))
	if err != nil {
		return Reply{}, fmt.Errorf("writing the request: %w", err)
	}
	request.Header.Set("Content-Type", "application/json")
	if c.key != "" {
		request.Header.Set("Authorization", "Bearer "+c.key)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return Reply{}, c.broken(err)
	}
	defer response.Body.Close() //nolint:errcheck // opened for reading
	answer, err := io.ReadAll(io.LimitReader(response.Body, mostBody+1))
	switch {
	case err != nil:
		return Reply{}, c.broken(err)
	case len(answer) > mostBody:
		return Reply{}, c.failure(Garbled, "the answer is longer than %d MiB", mostBody>>20)
	case response.StatusCode != http.StatusOK:
		return Reply{}, c.refusal(response, answer)
	}
	return c.read(answer)
}

type completion struct {
	Choices []struct {
		Message struct {
			Content string `json:"content"`
			// Reasoning that the server itself has set apart goes by two names.
			Reasoning        string `json:"reasoning"`
			ReasoningContent string `json:"reasoning_content"`
		} `json:"message"`
		Finish string `json:"finish_reason"`
	} `json:"choices"`
	Usage struct {
		In  int64 `json:"prompt_tokens"`
		Out int64 `json:"completion_tokens"`
	} `json:"usage"`
}

// read reads a response's body. Tokens are counted even where there is no choice:
// they are paid for.
func (c *Client) read(body []byte) (Reply, error) {
	var answer completion
	if err := json.Unmarshal(body, &answer); err != nil {
		return Reply{}, c.failure(Garbled, "expected a chat completion in JSON, got %s", body)
	}
	reply := Reply{TokensIn: max(0, answer.Usage.In), TokensOut: max(0, answer.Usage.Out)}
	if len(answer.Choices) == 0 {
		said, _ := complaint(body)
		return reply, c.failure(Empty, "the answer holds no choice: %s", said)
	}
	choice := answer.Choices[0]
	text, reasoning := splitReasoning(choice.Message.Content)
	for _, apart := range []string{choice.Message.Reasoning, choice.Message.ReasoningContent} {
		if reasoning == "" {
			reasoning = apart
		}
	}
	reply.Text, reply.Reasoning, reply.Finish = c.redact(text), c.redact(reasoning), choice.Finish
	return reply, nil
}
