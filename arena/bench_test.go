package arena_test

import (
	"math/rand/v2"
	"path/filepath"
	"testing"

	"github.com/agon-rl/agon/agents"
	"github.com/agon-rl/agon/arena"
	"github.com/agon-rl/agon/games"
	_ "github.com/agon-rl/agon/games/standard"
	"github.com/agon-rl/agon/play"
)

// BenchmarkTournament plays random against random on tic-tac-toe, beside bare playouts
// (the metric of both is games/s).
func BenchmarkTournament(b *testing.B) {
	game, err := games.New("tic_tac_toe")
	if err != nil {
		b.Fatal(err)
	}
	b.Run("playouts", func(b *testing.B) {
		var p play.Playout
		r, start := rand.New(rand.NewPCG(1, 2)), game.Start()
		for b.Loop() {
			if _, err := p.From(start, r); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "games/s")
	})
	b.Run("tournament", func(b *testing.B) {
		const rounds = 500_000
		for b.Loop() {
			s := arena.DefaultSettings()
			s.Tournament, s.Agents, s.Rounds = "tic_tac_toe", []string{"a=random", "b=random"}, rounds
			t, err := s.Open(b.Context(), agents.Environment{Game: game})
			if err != nil {
				b.Fatal(err)
			}
			t.Workers = 2
			log, err := arena.OpenLog(filepath.Join(b.TempDir(), "games.log"))
			if err != nil {
				b.Fatal(err)
			}
			if _, err := t.Run(b.Context(), log, nil); err != nil {
				b.Fatal(err)
			}
			if err := log.Close(); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(2*rounds*b.N)/b.Elapsed().Seconds(), "games/s")
	})
}
