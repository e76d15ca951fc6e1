package agents_test

import (
	"testing"

	"github.com/agon-rl/agon/agents"
	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/games/chess"
	"github.com/agon-rl/agon/play"
)

// material takes the most valuable piece, and mates rather than take.
func TestMaterial(t *testing.T) {
	for fen, want := range map[string]string{
		"4k3/8/8/3q1r2/4P3/8/8/4K3 w - - 0 1":  "e4d5",
		"4k3/8/8/8/3p4/2N1Q3/8/4K3 b - - 0 1":  "d4e3",
		"6k1/5ppp/8/8/8/8/q7/R3K2R w KQ - 0 1": "a1a2",
		"6k1/5ppp/8/7q/8/8/8/R3K1N1 w - - 0 1": "a1a8",
	} {
		game, err := games.New(`chess(fen="` + fen + `")`)
		if err != nil {
			t.Fatal(err)
		}
		agent, err := agents.Open(t.Context(), "material", agents.Environment{Game: game})
		if err != nil {
			t.Fatal(err)
		}
		out := make([]play.Decision, 1)
		state := game.Start()
		if err := agent.Act(t.Context(), []play.Request{{State: state, Rand: play.Generator(1, "test")}}, out); err != nil {
			t.Fatal(err)
		}
		if got, err := chess.UCI(state, out[0].Action); err != nil || got != want {
			t.Errorf("%s: %s %v, expected %s", fen, got, err, want)
		}
	}
}
