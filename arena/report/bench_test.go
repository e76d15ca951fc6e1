package report_test

import (
	"path/filepath"
	"testing"

	"github.com/agon-rl/agon/agents"
	"github.com/agon-rl/agon/arena"
	"github.com/agon-rl/agon/arena/report"
	"github.com/agon-rl/agon/games"
	_ "github.com/agon-rl/agon/games/standard"
)

// BenchmarkWrite writes the games of a tournament in every form, and its page.
func BenchmarkWrite(b *testing.B) {
	game, err := games.New("tic_tac_toe")
	if err != nil {
		b.Fatal(err)
	}
	s := arena.DefaultSettings()
	s.Tournament, s.Agents, s.Rounds = "tic_tac_toe", []string{"a=random", "b=random"}, 100_000
	t, err := s.Open(b.Context(), agents.Environment{Game: game})
	if err != nil {
		b.Fatal(err)
	}
	t.Workers = 2
	log, err := arena.OpenLog(filepath.Join(b.TempDir(), "games.log"))
	if err != nil {
		b.Fatal(err)
	}
	table, err := t.Run(b.Context(), log, nil)
	if err != nil {
		b.Fatal(err)
	}
	summary, err := table.Summarize(arena.Rating{Resamples: 10})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if err := report.Write(b.Context(), b.TempDir(), report.Finished{Name: "bench", Tournament: t, Summary: summary, Log: log}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(table.Games()*b.N)/b.Elapsed().Seconds(), "games/s")
}
