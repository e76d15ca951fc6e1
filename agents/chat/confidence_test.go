package chat_test

import (
	"strings"
	"testing"

	"github.com/agon-rl/agon/agents/chat"
	"github.com/agon-rl/agon/games"
)

// What a model says of its own way is a probability; what cannot be read says
// nothing.
func TestConfidence(t *testing.T) {
	game, err := games.New("tic_tac_toe")
	if err != nil {
		t.Fatal(err)
	}
	for answer, want := range map[string]float64{
		"90": 0.9, "I saw 3 lines.\n75 %": 0.75, "<think>10</think>\n0": 0, "100.0\n": 1, "12.5": 0.125,
		"I cannot tell.": 0.5, "250": 0.5, "40\nor so": 0.5,
	} {
		s := serve(t)
		s.answer = func(q asked) string {
			if !strings.Contains(q.Messages[0].Content, "per cent") || !strings.Contains(q.Messages[0].Content, "You are") {
				t.Errorf("asked %q", q.Messages[0].Content)
			}
			return answer
		}
		client, err := chat.New(chat.Options{Model: "m", URL: s.URL + "/v1"})
		if err != nil {
			t.Fatal(err)
		}
		model, err := chat.NewConfidence(client, game)
		if err != nil {
			t.Fatal(err)
		}
		out := make([]float64, 2)
		if err := model.Confidence(t.Context(), []games.State{game.Start(), game.Start()}, out); err != nil || out[0] != want || out[1] != want {
			t.Errorf("%q is %v, %v; expected %g", answer, out, err, want)
		}
		if err := client.Close(); err != nil {
			t.Error(err)
		}
	}
}
