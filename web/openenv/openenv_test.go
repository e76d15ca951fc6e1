package openenv_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"

	"github.com/agon-rl/agon/agents"
	"github.com/agon-rl/agon/games"
	_ "github.com/agon-rl/agon/games/standard"
	"github.com/agon-rl/agon/web/openenv"
)

func serve(t *testing.T, name, opponent string) *httptest.Server {
	t.Helper()
	game, err := games.New(name)
	if err != nil {
		t.Fatal(err)
	}
	agent, err := agents.Open(t.Context(), opponent, agents.Environment{Game: game})
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer((&openenv.Server{Game: game, Opponent: agent, Seed: 1}).Handler())
	t.Cleanup(s.Close)
	return s
}

type reply struct {
	Type string `json:"type"`
	Data struct {
		Observation struct {
			InfoState []float64 `json:"info_state"`
			Legal     []int     `json:"legal_actions"`
			Phase     string    `json:"game_phase"`
			Current   int       `json:"current_player_id"`
			Prompt    string    `json:"prompt"`
		} `json:"observation"`
		Reward  *float64 `json:"reward"`
		Done    bool     `json:"done"`
		Message string   `json:"message"`
		Code    string   `json:"code"`
		Steps   int      `json:"step_count"`
	} `json:"data"`
}

// ask sends a message over a WebSocket and returns the answer.
func ask(t *testing.T, c *websocket.Conn, text string) (r reply) {
	t.Helper()
	if err := c.Write(t.Context(), websocket.MessageText, []byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := wsjson.Read(t.Context(), c, &r); err != nil {
		t.Fatal(err)
	}
	return r
}

func dial(t *testing.T, s *httptest.Server) *websocket.Conn {
	t.Helper()
	c, _, err := websocket.Dial(t.Context(), "ws"+strings.TrimPrefix(s.URL, "http")+"/ws", nil) //nolint:bodyclose // the connection is it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.CloseNow() })
	return c
}

// Against perfect play in tic-tac-toe nobody wins; the same seed is the same game.
func TestGamesOverAWebSocket(t *testing.T) {
	s := serve(t, "tic_tac_toe", "minimax")
	play := func(seed string) (first string, reward float64) {
		c := dial(t, s)
		r := ask(t, c, `{"type":"reset","data":{"seed":`+seed+`,"seat":1}}`)
		if r.Type != "observation" || r.Data.Reward != nil || r.Data.Observation.Phase != "initial" || r.Data.Observation.Current != 1 {
			t.Fatalf("%+v", r)
		}
		var ways strings.Builder
		for !r.Data.Done {
			legal := r.Data.Observation.Legal
			b, _ := json.Marshal(map[string]any{"type": "step", "data": map[string]int{"action_id": legal[0]}})
			r = ask(t, c, string(b))
			ways.WriteString(r.Data.Observation.Prompt)
		}
		if r.Data.Observation.Phase != "terminal" || len(r.Data.Observation.Legal) != 0 {
			t.Errorf("%+v", r)
		}
		return ways.String(), *r.Data.Reward
	}
	a, reward := play("7")
	if b, again := play("7"); a != b || reward != again {
		t.Error("the same seed gives another game")
	}
	if reward > 0 {
		t.Errorf("minimax lost: %v", reward)
	}
}

func TestRefusals(t *testing.T) {
	c := dial(t, serve(t, "kuhn_poker", "random"))
	for _, q := range []struct{ send, code, message string }{
		{`{"type":"step","data":{"action_id":0}}`, "EXECUTION_ERROR", "reset first"},
		{`{`, "INVALID_JSON", "JSON"},
		{`{"type":"fly"}`, "UNKNOWN_TYPE", `"fly": expected reset, step, state or close`},
		{`{"type":"reset","data":{"seed":-1}}`, "VALIDATION_ERROR", "seed"},
		{`{"type":"reset","data":{"seat":2}}`, "EXECUTION_ERROR", "seat 2: expected 0 to 1"},
		{`{"type":"reset","data":{"seed":1}}`, "", ""},
		{`{"type":"step","data":{"action_id":9}}`, "EXECUTION_ERROR", "illegal action 9"},
		{`{"type":"step","data":{"message":"I think"}}`, "EXECUTION_ERROR", "no action found"},
		{`{"type":"step","data":{}}`, "EXECUTION_ERROR", "expected action_id, or message"},
		{`{"type":"step","data":{"message":"so I say Bet"}}`, "", ""},
		{`{"type":"state"}`, "", ""},
	} {
		r := ask(t, c, q.send)
		if r.Data.Code != q.code || !strings.Contains(r.Data.Message, q.message) {
			t.Errorf("%s: %+v, expected %s %q", q.send, r, q.code, q.message)
		}
	}
}

func TestHTTP(t *testing.T) {
	s := serve(t, "tic_tac_toe", "random")
	post := func(path, body string) (status int, r map[string]any) {
		req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, s.URL+path, bytes.NewBufferString(body))
		if err != nil {
			t.Fatal(err)
		}
		out, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer out.Body.Close()
		if err := json.NewDecoder(out.Body).Decode(&r); err != nil {
			t.Fatal(err)
		}
		return out.StatusCode, r
	}
	for _, q := range []struct {
		path, body string
		status     int
	}{
		{"/reset", `{}`, 200}, {"/reset", ``, 200}, {"/step", `{"action":{"action_id":4}}`, 200},
		{"/step", `{"action":{"action_id":4}}`, 400}, {"/step", `nonsense`, 422},
	} {
		if status, r := post(q.path, q.body); status != q.status {
			t.Errorf("%s %s: %d %v, expected %d", q.path, q.body, status, r, q.status)
		}
	}
}
