package chat_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/agon-rl/agon/agents/chat"
	"github.com/agon-rl/agon/games"
	_ "github.com/agon-rl/agon/games/standard"
	"github.com/agon-rl/agon/play"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const key = "sk-Abc123/+=xyz"

// asked is a request as the server reads it.
type asked struct {
	Model       string
	Messages    []chat.Message
	Temperature *float64
	MaxTokens   int `json:"max_tokens"`
	Seed        *int64
	Stream      bool
}

// server speaks the protocol.
type server struct {
	*httptest.Server
	answer func(asked) string
	// fault, if not nil, may spoil a call instead of answering it.
	fault func(w http.ResponseWriter, r *http.Request) bool
	// tokens are what every answer is said to have used.
	tokens struct{ in, out int }

	mu          sync.Mutex
	requests    []asked
	begun       []time.Time
	busy, peak  int
	lastKeyRead string
}

func serve(t *testing.T) *server {
	t.Helper()
	s := &server{answer: bet}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

// bet always bets or calls, after some thought.
func bet(asked) string { return "<think>Pass? No.</think>I have thought about it.\nBet" }

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var q asked
	if err := json.NewDecoder(r.Body).Decode(&q); err != nil || r.URL.Path != "/v1/chat/completions" || r.Method != http.MethodPost || q.Stream {
		http.Error(w, "not of the protocol", http.StatusBadRequest)
		return
	}
	s.enter(r, q)
	defer s.leave()
	if s.fault != nil && s.fault(w, r) {
		return
	}
	_ = json.NewEncoder(w).Encode(map[string]any{
		"choices": []any{map[string]any{"message": map[string]any{"role": "assistant", "content": s.answer(q)}, "finish_reason": "stop"}},
		"usage":   map[string]any{"prompt_tokens": s.tokens.in, "completion_tokens": s.tokens.out},
	})
}

func (s *server) enter(r *http.Request, q asked) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests, s.begun = append(s.requests, q), append(s.begun, time.Now())
	s.busy++
	s.peak = max(s.peak, s.busy)
	s.lastKeyRead = strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
}

func (s *server) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.busy--
}

// faults spoils a share of calls, each kind in its turn, and counts them.
type faults struct {
	mu    sync.Mutex
	r     *rand.Rand
	share float64
	done  map[chat.Kind]int
	next  int
}

var spoils = []struct {
	kind  chat.Kind
	spoil func(w http.ResponseWriter, r *http.Request)
}{
	{chat.ServerError, func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "overloaded", http.StatusInternalServerError)
	}},
	{chat.RateLimited, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "0.02")
		http.Error(w, `{"error":{"message":"slow down"}}`, http.StatusTooManyRequests)
	}},
	{chat.TimedOut, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }},
	{chat.CutOff, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }},
	{chat.CutOff, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		_, _ = w.Write([]byte(`{"choices":[{"mess`))
	}},
	{chat.Garbled, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>Welcome!</html>")) }},
	{chat.Empty, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"choices":[]}`)) }},
}

func (f *faults) fault(w http.ResponseWriter, r *http.Request) bool {
	f.mu.Lock()
	if f.r.Float64() >= f.share {
		f.mu.Unlock()
		return false
	}
	s := spoils[f.next%len(spoils)]
	f.next++
	f.done[s.kind]++
	f.mu.Unlock()
	s.spoil(w, r)
	return true
}

// options ask a test's server, which wants a key, and do not wait long.
func options(t *testing.T, s *server) chat.Options {
	t.Helper()
	t.Setenv("OPENAI_API_KEY", key)
	return chat.Options{URL: s.URL + "/v1", Model: "tiny", Backoff: time.Millisecond, Retries: 2, Timeout: 10 * time.Second}
}

func client(t *testing.T, o chat.Options) *chat.Client {
	t.Helper()
	c, err := chat.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func open(t *testing.T, name string) games.Game {
	t.Helper()
	game, err := games.New(name)
	if err != nil {
		t.Fatal(err)
	}
	return game
}

func agent(t *testing.T, o chat.Options, game games.Game, rules chat.Rules) *chat.Agent {
	t.Helper()
	a, err := chat.NewAgent(client(t, o), game, rules)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// match plays episodes of an agent against itself.
func match(t *testing.T, a play.Agent, game games.Game, count int) ([]*play.Episode, error) {
	t.Helper()
	seats := make([]int, game.Info().Seats)
	m := play.Match{Game: game, Seed: 7, Agents: []play.Agent{a}, Seats: func(uint64, int) []int { return seats }}
	return m.Play(t.Context(), 0, count)
}

// transcript is all there is in episodes.
func transcript(t *testing.T, episodes []*play.Episode) string {
	t.Helper()
	text, err := json.Marshal(episodes)
	if err != nil {
		t.Fatal(err)
	}
	return string(text) + fmt.Sprintf("%+v", episodes)
}

func user(text string) []chat.Message { return []chat.Message{{Role: "user", Content: text}} }
