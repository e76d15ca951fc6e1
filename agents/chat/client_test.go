package chat_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/agon-rl/agon/agents/chat"
	"github.com/agon-rl/agon/games"
)

// What is asked for goes out as the protocol writes it, and what comes back is
// taken apart and added up.
func TestComplete(t *testing.T) {
	s := serve(t)
	s.tokens.in, s.tokens.out = 1000, 200
	o := options(t, s)
	temperature, seed := 0.5, int64(9)
	o.Temperature, o.Seed, o.MaxTokens, o.Price = &temperature, &seed, 50, chat.Price{In: 2, Out: 10}
	c := client(t, o)
	for range 2 {
		reply, err := c.Complete(t.Context(), user("hello"))
		if err != nil {
			t.Fatal(err)
		}
		if reply.Latency <= 0 {
			t.Errorf("a latency of %v", reply.Latency)
		}
		reply.Latency = 0
		want := chat.Reply{Text: "I have thought about it.\nBet", Reasoning: "Pass? No.", TokensIn: 1000, TokensOut: 200, Finish: "stop"}
		if reply != want {
			t.Errorf("got %+v, want %+v", reply, want)
		}
	}
	sent := s.requests[0]
	if sent.Model != "tiny" || *sent.Temperature != 0.5 || *sent.Seed != 9 || sent.MaxTokens != 50 || sent.Messages[0] != user("hello")[0] || s.lastKeyRead != key {
		t.Errorf("the server reads %+v with the key %q", sent, s.lastKeyRead)
	}
	want := chat.Usage{Calls: 2, Failures: map[chat.Kind]int{}, TokensIn: 2000, TokensOut: 400, Dollars: 0.008}
	if got := c.Usage(); fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", want) {
		t.Errorf("usage %+v, want %+v", got, want)
	}
}

// What was not asked for is left to the server, which may refuse to be asked.
func TestLeavesTheRestToTheServer(t *testing.T) {
	s := serve(t)
	o := options(t, s)
	t.Setenv("OPENAI_API_KEY", "")
	t.Setenv("OPENAI_BASE_URL", o.URL+"/")
	o.URL = ""
	if _, err := client(t, o).Complete(t.Context(), user("hello")); err != nil {
		t.Fatal(err)
	}
	if q := s.requests[0]; q.Temperature != nil || q.Seed != nil || q.MaxTokens != 0 || s.lastKeyRead != "" {
		t.Errorf("the server reads %+v and the key %q", q, s.lastKeyRead)
	}
}

func TestReasoningIsParted(t *testing.T) {
	for content, want := range map[string][2]string{
		"Bet":                                          {"Bet", ""},
		"<think>Should I?\nYes.</think>\nBet":          {"Bet", "Should I?\nYes."},
		"It began in the prompt.</think>Bet":           {"Bet", "It began in the prompt."},
		"<Thinking>It was cut off: Bet":                {"", "It was cut off: Bet"},
		"[THINK]hm[/THINK]Bet":                         {"Bet", "hm"},
		"a <reasoning>1</reasoning>b <think>2</think>": {"a b", "12"},
		"<think>the tag <think> opens</think>Bet":      {"Bet", "the tag  opens"},
		"if a <thinker> sees 3 < 4 and [think] Bet":    {"if a <thinker> sees 3 < 4 and [think] Bet", ""},
	} {
		s := serve(t)
		s.answer = func(asked) string { return content }
		reply, err := client(t, options(t, s)).Complete(t.Context(), user("?"))
		if err != nil || reply.Text != want[0] || reply.Reasoning != want[1] {
			t.Errorf("%q: %q and %q, %v; want %q", content, reply.Text, reply.Reasoning, err, want)
		}
	}
}

// Servers that part the reasoning themselves name it in two ways.
func TestReasoningSetApartByTheServer(t *testing.T) {
	for _, name := range []string{"reasoning", "reasoning_content"} {
		s := serve(t)
		s.fault = func(w http.ResponseWriter, _ *http.Request) bool {
			fmt.Fprintf(w, `{"choices":[{"message":{"content":"Bet",%q:"hm"}}]}`, name)
			return true
		}
		reply, err := client(t, options(t, s)).Complete(t.Context(), user("?"))
		if err != nil || reply.Text != "Bet" || reply.Reasoning != "hm" {
			t.Errorf("%s: %+v, %v", name, reply, err)
		}
	}
}

// A refusal is told at once; what may pass is tried again and then makes the game
// void.
func TestFailures(t *testing.T) {
	for _, test := range []struct {
		name, header, body string
		status             int
		kind               chat.Kind
		want               string
	}{
		{"wrong key", "", `{"error":{"message":"Incorrect API key provided: ` + key + `.","code":"invalid_api_key"}}`, 401, chat.Refused,
			"401 Unauthorized: Incorrect API key provided: (key)."},
		{"unknown model", "", `{"error":{"message":"The model does not exist","code":"model_not_found"}}`, 404, chat.Refused, "404 Not Found: The model does not exist"},
		{"wrong request", "", `{"detail":"messages:\n  too\tlong"}`, 400, chat.Refused, "400 Bad Request: messages: too long"},
		{"unpaid", "", `{"error":{"message":"You exceeded your current quota","code":"insufficient_quota"}}`, 429, chat.Refused, "429 Too Many Requests: You exceeded your current quota"},
		{"moved", "http://elsewhere.invalid/", `Moved to another place`, 301, chat.Refused, "301 Moved Permanently: Moved to another place"},
		{"overloaded", "", `{"error":"busy"}`, 503, chat.ServerError, "503 Service Unavailable: busy"},
		{"a server's own number", "", `{"message":"on fire \u001b[31m"}`, 529, chat.ServerError, "529: on fire [31m"},
		{"limited", "", `{"error":{"message":"slow down"}}`, 429, chat.RateLimited, "429 Too Many Requests: slow down"},
		{"gave up waiting", "", `patience`, 408, chat.TimedOut, "408 Request Timeout: patience"},
		{"rubbish", "", `<html>` + key + strings.Repeat("x", 400), 200, chat.Garbled, "expected a chat completion in JSON, got <html>(key)" + strings.Repeat("x", 300-len("expected a chat completion in JSON, got <html>(key)")) + "…"},
		{"key at the cut", "", strings.Repeat("y", 250) + key, 200, chat.Garbled, "expected a chat completion in JSON, got " + strings.Repeat("y", 250) + "(key)"},
		{"no choice", "", `{"choices":[],"error":{"message":"upstream is away"}}`, 200, chat.Empty, "the answer holds no choice: upstream is away"},
		{"too long", "", `"` + strings.Repeat(" ", 9<<20), 200, chat.Garbled, "the answer is longer than 8 MiB"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := serve(t)
			s.fault = func(w http.ResponseWriter, _ *http.Request) bool {
				w.Header().Set("Location", test.header)
				w.WriteHeader(test.status)
				_, _ = w.Write([]byte(test.body))
				return true
			}
			c := client(t, options(t, s))
			_, err := c.Complete(t.Context(), user("?"))
			calls, want := 1, fmt.Sprintf("model \"tiny\" at %s/v1: %s", s.URL, test.want)
			if test.kind != chat.Refused {
				calls, want = 3, "the game was lost: 3 calls failed, the last one: "+want
			}
			if err == nil || err.Error() != want {
				t.Fatalf("got  %v\nwant %s", err, want)
			}
			var failure *chat.CallError
			if !errors.As(err, &failure) || failure.Kind != test.kind || errors.Is(err, games.ErrLost) != (calls > 1) {
				t.Errorf("a failure %+v, lost %t", failure, errors.Is(err, games.ErrLost))
			}
			if u := c.Usage(); len(s.requests) != calls || u.Calls != calls || u.Retries != calls-1 || u.Failures[test.kind] != calls {
				t.Errorf("%d calls came, want %d; usage %+v", len(s.requests), calls, u)
			}
		})
	}
}

func TestNobodyThere(t *testing.T) {
	s := serve(t)
	o := options(t, s)
	s.Close()
	_, err := client(t, o).Complete(t.Context(), user("?"))
	var failure *chat.CallError
	if !errors.As(err, &failure) || failure.Kind != chat.CutOff || !errors.Is(err, games.ErrLost) || strings.Contains(err.Error(), "\n") {
		t.Errorf("nobody listens: %v", err)
	}
	o.URL = "http://nobody.invalid/v1"
	if _, err = client(t, o).Complete(t.Context(), user("?")); !errors.As(err, &failure) || failure.Kind != chat.Refused {
		t.Errorf("no such host: %v", err)
	}
}

// A server is not asked again before the time that it named, and not at all where
// that is too long to wait for.
func TestRetryAfter(t *testing.T) {
	for _, test := range []struct {
		header func() string
		least  time.Duration
		calls  int
	}{
		{func() string { return "1" }, time.Second, 2},
		{func() string { return time.Now().Add(2 * time.Second).UTC().Format(http.TimeFormat) }, 900 * time.Millisecond, 2},
		{func() string { return "3600" }, 0, 1},
	} {
		s := serve(t)
		s.fault = func(w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("Retry-After", test.header())
			w.WriteHeader(http.StatusTooManyRequests)
			return true
		}
		o := options(t, s)
		o.Retries = 1
		_, err := client(t, o).Complete(t.Context(), user("?"))
		if !errors.Is(err, games.ErrLost) || len(s.begun) != test.calls {
			t.Fatalf("Retry-After: %s: %d calls, %v", test.header(), len(s.begun), err)
		}
		if waited := s.begun[len(s.begun)-1].Sub(s.begun[0]); waited < test.least {
			t.Errorf("Retry-After: %s: asked again after %v", test.header(), waited)
		}
	}
}

// ask makes calls side by side.
func ask(t *testing.T, c *chat.Client, calls int) {
	t.Helper()
	var wg sync.WaitGroup
	for range calls {
		wg.Go(func() {
			if _, err := c.Complete(t.Context(), user("?")); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

func TestRateLimits(t *testing.T) {
	t.Run("requests", func(t *testing.T) {
		s := serve(t)
		o := options(t, s)
		o.RequestsPerMinute = 600 // ten at once, then ten a second
		ask(t, client(t, o), 25)
		if took := s.begun[24].Sub(s.begun[0]); took < 1400*time.Millisecond {
			t.Errorf("25 calls at 600 a minute began within %v", took)
		}
	})
	t.Run("tokens", func(t *testing.T) {
		s := serve(t)
		s.tokens.in, s.tokens.out = 100, 400
		o := options(t, s)
		o.TokensPerMinute, o.Parallel = 60_000, 1 // 1000 at once, then 1000 a second
		ask(t, client(t, o), 6)
		if took := s.begun[5].Sub(s.begun[0]); took < 1400*time.Millisecond {
			t.Errorf("6 calls of 500 tokens at 60000 a minute began within %v", took)
		}
	})
	t.Run("at once", func(t *testing.T) {
		s := serve(t)
		s.answer = func(asked) string { time.Sleep(30 * time.Millisecond); return "Bet" }
		o := options(t, s)
		o.Parallel = 3
		ask(t, client(t, o), 12)
		if s.peak != 3 {
			t.Errorf("%d calls at once, want 3", s.peak)
		}
	})
}

// A call that is called off ends at once, wherever it waits, and is no failure.
func TestCancel(t *testing.T) {
	for name, fault := range map[string]func(w http.ResponseWriter, r *http.Request) bool{
		"in a call": func(_ http.ResponseWriter, r *http.Request) bool { <-r.Context().Done(); return true },
		"in a pause": func(w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("Retry-After", "60")
			w.WriteHeader(http.StatusServiceUnavailable)
			return true
		},
		"in the queue": nil,
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t)
			s.fault = fault
			o := options(t, s)
			if fault == nil {
				o.RequestsPerMinute = 1
			}
			c := client(t, o)
			if fault == nil {
				ask(t, c, 1)
			}
			ctx, cancel := context.WithCancel(t.Context())
			defer time.AfterFunc(50*time.Millisecond, cancel).Stop()
			start := time.Now()
			_, err := c.Complete(ctx, user("?"))
			if !errors.Is(err, context.Canceled) || errors.Is(err, games.ErrLost) || time.Since(start) > 2*time.Second {
				t.Errorf("after %v: %v", time.Since(start), err)
			}
			if u := c.Usage(); u.Failures[chat.TimedOut]+u.Failures[chat.CutOff] > 0 {
				t.Errorf("usage %+v", u)
			}
		})
	}
}

// A key that a server repeats, in whatever it says, goes no further.
func TestKeyIsNotRepeated(t *testing.T) {
	s := serve(t)
	s.answer = func(asked) string { return "<think>" + key + "</think>The key is " + key + ". Bet" }
	a := agent(t, options(t, s), open(t, "kuhn_poker"), chat.Rules{Tries: 1, Illegal: "random"})
	episodes, err := match(t, a, open(t, "kuhn_poker"), 3)
	if err != nil {
		t.Fatal(err)
	}
	text := transcript(t, episodes)
	quoted, err := json.Marshal(key)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(text, key) || strings.Contains(text, string(quoted)) || !strings.Contains(text, "The key is (key). Bet") {
		t.Errorf("the episodes hold %s", text)
	}
}
