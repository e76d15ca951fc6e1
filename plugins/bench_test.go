package plugins

import (
	"context"
	"math/rand/v2"
	"os"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/agon-rl/agon/games"
	_ "github.com/agon-rl/agon/games/tictactoe"
	"github.com/agon-rl/agon/plugins/protocol"
)

const benchBatch = 256

// benchStep is a batch of steps in the middle of random games of tic-tac-toe, and
// its answer.
func benchStep(b *testing.B) (protocol.GameServer, games.Game, *protocol.StepRequest, *protocol.StepReply) {
	b.Helper()
	var rules games.Rules
	for _, r := range games.All() {
		if r.Name == "tic_tac_toe" {
			rules = r
		}
	}
	game, err := games.New("tic_tac_toe")
	if err != nil {
		b.Fatal(err)
	}
	in := &protocol.StepRequest{}
	r := rand.New(rand.NewPCG(1, 2))
	for range benchBatch {
		s := game.Start()
		for range 4 {
			legal := s.Actions(nil)
			a := legal[r.IntN(len(legal))]
			if err := s.Apply(a); err != nil {
				b.Fatal(err)
			}
			in.States = appendAction(in.States, a)
		}
		in.Ends, in.Actions = append(in.Ends, uint32(len(in.States))), append(in.Actions, int32(s.Actions(nil)[0]))
	}
	server := NewServer(rules)
	out, err := server.Step(context.Background(), in)
	if err != nil {
		b.Fatal(err)
	}
	return server, game, in, out
}

func perStep(b *testing.B) {
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*benchBatch), "ns/step")
}

// BenchmarkStep is where the time of a step goes: the whole way through a plugin,
// the plugin's part, the messages' coding, the host's checks, and a step in this
// process.
func BenchmarkStep(b *testing.B) {
	server, game, in, out := benchStep(b)
	b.Run("through", func(b *testing.B) {
		agon := os.Getenv("AGON_BENCH_PROGRAM")
		if agon == "" {
			b.Skip("AGON_BENCH_PROGRAM names no agon")
		}
		g, err := Open(Options{Command: []string{agon, "plugin", "serve", "tic_tac_toe"}})
		if err != nil {
			b.Fatal(err)
		}
		defer g.Close()
		views := make([]view, benchBatch)
		for b.Loop() {
			if err := g.step(in, views); err != nil {
				b.Fatal(err)
			}
		}
		perStep(b)
	})
	b.Run("plugin", func(b *testing.B) {
		for b.Loop() {
			if _, err := server.Step(context.Background(), in); err != nil {
				b.Fatal(err)
			}
		}
		perStep(b)
	})
	b.Run("coding", func(b *testing.B) {
		for b.Loop() {
			for _, m := range []proto.Message{in, out} {
				raw, err := proto.Marshal(m)
				if err != nil {
					b.Fatal(err)
				}
				if err := proto.Unmarshal(raw, m.ProtoReflect().New().Interface()); err != nil {
					b.Fatal(err)
				}
			}
		}
		perStep(b)
	})
	b.Run("host", func(b *testing.B) {
		views := make([]view, benchBatch)
		for b.Loop() {
			if err := unpack(game.Info(), false, in, out, views); err != nil {
				b.Fatal(err)
			}
		}
		perStep(b)
	})
	b.Run("process", func(b *testing.B) {
		states := make([]games.State, benchBatch)
		var room games.State
		for i := range states {
			states[i] = game.Start()
		}
		for b.Loop() {
			for i, s := range states {
				room = games.Copy(room, s)
				if err := room.Apply(games.Action(i % 9)); err != nil {
					b.Fatal(err)
				}
			}
		}
		perStep(b)
	})
}
