// Package openenv offers a game as an OpenEnv environment (version 0.3): JSON over
// HTTP and WebSocket. The client plays one seat, an agent all others; the fields
// are those of OpenEnv's own OpenSpiel environment, with the prompt in words that
// its TextArena environment has.
package openenv

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/play"
)

// Server serves a game. Every WebSocket is a session of its own; requests over
// plain HTTP share one.
type Server struct {
	Game     games.Game
	Opponent play.Agent // of all seats but the client's; not needed with one seat
	Seat     games.Seat // the client's, unless a reset asks for another
	Seed     uint64     // of episodes that are reset without a seed

	episodes atomic.Uint64
	mu       sync.Mutex
	shared   *session
}

// Limits of what a client may send.
const maxBody = 1 << 20

// Handler answers the paths /health, /metadata, /schema, /reset, /step, /state and
// /ws.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /health", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, map[string]string{"status": "healthy"})
	})
	mux.HandleFunc("GET /metadata", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, s.metadata()) })
	mux.HandleFunc("GET /schema", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, schema) })
	mux.HandleFunc("GET /state", func(w http.ResponseWriter, _ *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		answer(w, http.StatusOK, s.session().state())
	})
	mux.HandleFunc("POST /reset", func(w http.ResponseWriter, r *http.Request) {
		var in resetting
		s.post(w, r, &in, func(one *session) (result, error) { return one.reset(r.Context(), in) })
	})
	mux.HandleFunc("POST /step", func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			Action action `json:"action"`
		}
		s.post(w, r, &in, func(one *session) (result, error) { return one.step(r.Context(), in.Action) })
	})
	mux.HandleFunc("GET /ws", s.socket)
	return mux
}

func (s *Server) metadata() map[string]string {
	return map[string]string{"name": s.Game.Info().Name, "description": "A game of Agon; the other seats are played by an agent.", "version": "0.3"}
}

// schema describes actions and observations, as JSON Schema.
var schema = map[string]any{
	"action": map[string]any{"type": "object", "properties": map[string]any{
		"action_id": map[string]string{"type": "integer", "description": "one of legal_actions"},
		"message":   map[string]string{"type": "string", "description": "text in which the last action named is taken"},
	}},
	"observation": map[string]any{"type": "object", "properties": map[string]any{
		"info_state":             map[string]any{"type": "array", "items": map[string]string{"type": "number"}},
		"legal_actions":          map[string]any{"type": "array", "items": map[string]string{"type": "integer"}},
		"game_phase":             map[string]any{"enum": []string{"initial", "playing", "terminal"}},
		"current_player_id":      map[string]string{"type": "integer"},
		"opponent_last_action":   map[string]any{"type": []string{"integer", "null"}},
		"prompt":                 map[string]string{"type": "string"},
		"legal_action_names":     map[string]any{"type": "array", "items": map[string]string{"type": "string"}},
		"information_state_text": map[string]string{"type": "string"},
	}},
	"state": map[string]any{"type": "object", "properties": map[string]any{
		"episode_id": map[string]string{"type": "string"}, "step_count": map[string]string{"type": "integer"},
	}},
}

// resetting is what a reset may ask for.
type resetting struct {
	Seed      *uint64 `json:"seed"`
	EpisodeID string  `json:"episode_id"`
	Seat      *int    `json:"seat"`
}

// action is what a client plays: by number or in words.
type action struct {
	ID      *int32  `json:"action_id"`
	Message *string `json:"message"`
}

// result is what reset and step answer.
type result struct {
	Observation observation `json:"observation"`
	Reward      *float64    `json:"reward"`
	Done        bool        `json:"done"`
}

type observation struct {
	InfoState   []float32 `json:"info_state"`
	Legal       []int32   `json:"legal_actions"`
	Phase       string    `json:"game_phase"`
	Current     int       `json:"current_player_id"`
	Opponent    *int32    `json:"opponent_last_action"`
	Prompt      string    `json:"prompt,omitempty"`
	LegalNames  []string  `json:"legal_action_names,omitempty"`
	Information string    `json:"information_state_text,omitempty"`
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // a client that is gone is told nothing
}

// session is the shared one; the caller holds mu.
func (s *Server) session() *session {
	if s.shared == nil {
		s.shared = s.open()
	}
	return s.shared
}

func (s *Server) post(w http.ResponseWriter, r *http.Request, in any, work func(*session) (result, error)) {
	body := http.MaxBytesReader(w, r.Body, maxBody)
	if err := json.NewDecoder(body).Decode(in); err != nil && r.ContentLength != 0 {
		answer(w, http.StatusUnprocessableEntity, map[string]string{"detail": "the body is no JSON of this request: " + err.Error()})
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	out, err := work(s.session())
	if err != nil {
		answer(w, http.StatusBadRequest, map[string]string{"detail": err.Error()})
		return
	}
	answer(w, http.StatusOK, out)
}

// message is one over a WebSocket, either way.
type message struct {
	Type string          `json:"type"`
	Data json.RawMessage `json:"data,omitempty"`
}

func (s *Server) socket(w http.ResponseWriter, r *http.Request) {
	c, err := websocket.Accept(w, r, nil) // which refuses pages of other hosts
	if err != nil {
		return
	}
	defer c.CloseNow() //nolint:errcheck // it is closed
	c.SetReadLimit(maxBody)
	one := s.open()
	for {
		_, raw, err := c.Read(r.Context())
		if err != nil {
			return // the client went away
		}
		kind, data := one.serve(r.Context(), raw)
		if kind == "" {
			_ = c.Close(websocket.StatusNormalClosure, "")
			return
		}
		if err := wsjson.Write(r.Context(), c, map[string]any{"type": kind, "data": data}); err != nil {
			return
		}
	}
}

// session is one client's game.
type session struct {
	server  *Server
	at      games.State
	seat    games.Seat
	id      string
	steps   int
	chance  *rand.Rand
	players []*rand.Rand
	last    *int32 // what an opponent played last
}

func (s *Server) open() *session { return &session{server: s, seat: s.Seat} }

// serve answers one message; no kind ends the session.
func (e *session) serve(ctx context.Context, raw []byte) (kind string, data any) {
	fail := func(code string, err error) (string, any) {
		return "error", map[string]string{"message": err.Error(), "code": code}
	}
	var m message
	if err := json.Unmarshal(raw, &m); err != nil {
		return fail("INVALID_JSON", err)
	}
	var out result
	var err error
	switch m.Type {
	case "reset":
		var in resetting
		if len(m.Data) > 0 {
			err = json.Unmarshal(m.Data, &in)
		}
		if err != nil {
			return fail("VALIDATION_ERROR", err)
		}
		out, err = e.reset(ctx, in)
	case "step":
		var in action
		if err := json.Unmarshal(m.Data, &in); err != nil {
			return fail("VALIDATION_ERROR", err)
		}
		out, err = e.step(ctx, in)
	case "state":
		return "state", e.state()
	case "close":
		return "", nil
	default:
		return fail("UNKNOWN_TYPE", fmt.Errorf("type %q: expected reset, step, state or close", m.Type))
	}
	if err != nil {
		return fail("EXECUTION_ERROR", err)
	}
	return "observation", out
}

func (e *session) state() map[string]any {
	return map[string]any{"episode_id": e.id, "step_count": e.steps, "game_name": e.server.Game.Info().Name, "agent_player": e.seat}
}

func (e *session) reset(ctx context.Context, in resetting) (result, error) {
	info := e.server.Game.Info()
	e.seat = e.server.Seat
	if in.Seat != nil {
		if *in.Seat < 0 || *in.Seat >= info.Seats {
			return result{}, fmt.Errorf("seat %d: expected 0 to %d", *in.Seat, info.Seats-1)
		}
		e.seat = games.Seat(*in.Seat)
	}
	number := e.server.episodes.Add(1)
	seed := e.server.Seed
	if in.Seed != nil {
		seed, number = *in.Seed, 0
	}
	if e.id = in.EpisodeID; e.id == "" {
		e.id = fmt.Sprintf("%d-%d", seed, number)
	}
	e.at, e.steps, e.last = e.server.Game.Start(), 0, nil
	e.chance = play.Generator(seed, "chance", number)
	e.players = make([]*rand.Rand, info.Seats)
	for seat := range e.players {
		e.players[seat] = play.Generator(seed, "seat", number, uint64(seat))
	}
	if err := e.advance(ctx); err != nil {
		return result{}, err
	}
	out := e.look()
	out.Reward = nil
	return out, nil
}

func (e *session) step(ctx context.Context, in action) (result, error) {
	switch {
	case e.at == nil:
		return result{}, errors.New("reset first: there is no game")
	case e.at.Turn() == games.Over:
		return result{}, errors.New("the game is over: reset begins another")
	}
	var a games.Action
	switch speaker, speaks := e.at.(games.Speaker); {
	case in.ID != nil:
		a = games.Action(*in.ID)
	case in.Message != nil && speaks:
		var err error
		if a, err = speaker.Hear(*in.Message); err != nil {
			return result{}, err
		}
	default:
		return result{}, errors.New("expected action_id, or message")
	}
	if err := e.at.Apply(a); err != nil {
		return result{}, err
	}
	e.steps++
	if err := e.advance(ctx); err != nil {
		return result{}, err
	}
	return e.look(), nil
}

// advance plays chance and the opponents until the client is to move.
func (e *session) advance(ctx context.Context) error {
	for {
		turn := e.at.Turn()
		var a games.Action
		switch turn {
		case games.Over, e.seat:
			return nil
		case games.Chance:
			drawn, err := games.Draw(e.at, e.chance)
			if err != nil {
				return err
			}
			a = drawn
		default:
			out := make([]play.Decision, 1)
			if err := e.server.Opponent.Act(ctx, []play.Request{{State: e.at, Seat: turn, Turn: e.steps, Rand: e.players[turn]}}, out); err != nil {
				return err
			}
			if out[0].Err != nil {
				return fmt.Errorf("the opponent: %w", out[0].Err)
			}
			a = out[0].Action
			played := int32(a)
			e.last = &played
		}
		if err := e.at.Apply(a); err != nil {
			return err
		}
	}
}

// look is what the client sees.
func (e *session) look() result {
	info := e.server.Game.Info()
	seen := make([]float32, info.TensorSize())
	e.at.Observe(e.seat, seen)
	o := observation{InfoState: seen, Legal: []int32{}, Phase: "playing", Current: int(e.seat), Opponent: e.last, Information: games.Key(e.at, e.seat)}
	if speaker, ok := e.at.(games.Speaker); ok {
		o.Prompt = speaker.Prompt(e.seat)
	}
	reward := 0.0
	done := e.at.Turn() == games.Over
	switch {
	case done:
		o.Phase, o.Current = "terminal", int(games.Over)
		reward = e.at.Returns(nil)[e.seat]
	case e.steps == 0:
		o.Phase = "initial"
	}
	if !done {
		for _, a := range e.at.Actions(nil) {
			o.Legal = append(o.Legal, int32(a))
			o.LegalNames = append(o.LegalNames, games.Say(e.at, a))
		}
	}
	return result{Observation: o, Reward: &reward, Done: done}
}
