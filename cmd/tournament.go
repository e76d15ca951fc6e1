package cmd

import (
	"context"
	"errors"
	"fmt"
	"runtime"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"github.com/agon-rl/agon/agents"
	"github.com/agon-rl/agon/arena"
	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/play"
	"github.com/agon-rl/agon/runs"
)

func (p *program) tournamentVerb() *cobra.Command {
	s := arena.DefaultSettings()
	var out, resume string
	var workers int
	c := &cobra.Command{
		Use:   "tournament GAME AGENT AGENT...",
		Short: "Play agents against one another and rate them",
		Long: `Plays a tournament and rates those who took part, with an interval on every
number. Games come in sets in which two agents take every seat in turn with the
same opening and the same deal. All is written to a folder as it is played; a
tournament that was stopped or killed goes on with --resume as if it had not been.

An agent is AGENT or NAME=AGENT. Agents:
` + indent(agents.Forms) + `
Formats:
` + indent(arena.Schedules) + `
Openings:
` + indent(arena.OpeningForms),
		Example: `  agon tournament tic_tac_toe random mcts:sims=20 minimax
  agon tournament kuhn_poker nash=cfr:iterations=1000 random --rounds 1000
  agon tournament connect_four 'mcts(sims=50)' 'mcts(sims=200)' --sprt elo0=0,elo1=30 --rounds 5000
  agon tournament --resume runs/tournament-tic_tac_toe`,
		RunE: func(c *cobra.Command, args []string) error {
			switch {
			case resume != "" && len(args) > 0:
				return usage(errors.New("tournament: agents do not go with --resume: a tournament keeps its settings"))
			case resume == "" && len(args) < 3:
				return usage(errors.New("tournament: expected a game and two agents or more, or --resume DIR"))
			case workers < 1:
				return usage(fmt.Errorf("tournament: --concurrency %d: expected 1 or more", workers))
			}
			if resume != "" {
				return p.resumeTournament(c.Context(), resume, workers)
			}
			s.Tournament, s.Agents, s.Program = args[0], args[1:], "agon "+Version
			return p.beginTournament(c.Context(), s, out, workers)
		},
	}
	f := c.Flags()
	f.StringVar(&s.Format, "format", s.Format, "roundrobin, gauntlet(seeds=1), swiss(rounds=5) or knockout")
	f.IntVar(&s.Rounds, "rounds", s.Rounds, "sets of games for every meeting: in games of two seats, pairs with the seats swapped")
	f.Uint64Var(&s.Seed, "seed", s.Seed, "seed of deals, openings and agents")
	f.BoolVar(&s.Independent, "independent", s.Independent, "a deal of its own for every game, where those of a set would share one")
	f.StringVar(&s.Openings, "openings", s.Openings, "where games start")
	f.StringVar(&s.SPRT, "sprt", s.SPRT, "stop when a sequential test is decided: elo0=0,elo1=30,alpha=0.05,beta=0.05,model=normalized")
	f.StringVar(&s.Clock.Move, "time-move", s.Clock.Move, "time for a move")
	f.StringVar(&s.Clock.Game, "time-game", s.Clock.Game, "time for all moves of a game")
	f.StringVar(&s.Clock.Gain, "time-gain", s.Clock.Gain, "time gained with each move")
	f.IntVar(&s.Stop.Games, "stop-games", s.Stop.Games, "stop after so many games")
	f.StringVar(&s.Stop.Time, "stop-time", s.Stop.Time, "stop after so much time")
	f.IntVar(&s.Stop.Tokens, "stop-tokens", s.Stop.Tokens, "stop after so many tokens")
	f.Float64Var(&s.Stop.Dollars, "stop-dollars", s.Stop.Dollars, "stop after so much money")
	f.StringVar(&s.Rating.Anchor, "anchor", s.Rating.Anchor, "the agent whose rating is --anchor-elo (default: the mean's is)")
	f.Float64Var(&s.Rating.Elo, "anchor-elo", s.Rating.Elo, "the anchor's rating")
	f.IntVar(&s.Group, "group", s.Group, "games in lockstep (default: 64, or 1 with slow agents or a clock)")
	f.StringVar(&out, "out", "", "folder of the tournament (default runs/tournament-GAME, with a number where that is taken)")
	f.StringVar(&resume, "resume", "", "go on with the tournament in this folder")
	f.IntVar(&workers, "concurrency", runtime.GOMAXPROCS(0), "groups of games played at the same time; changes nothing but the speed")
	p.backendFlag(c)
	p.jsonFlag(c, "one object at the end")
	return c
}

// beginTournament opens all that is asked for before anything is written.
func (p *program) beginTournament(ctx context.Context, s arena.Settings, out string, workers int) (err error) {
	if err := s.Validate(); err != nil {
		return usage(err)
	}
	complete, err := s.YAML()
	if err != nil {
		return err
	}
	t, err := p.openTournament(ctx, s, workers)
	defer func() { err = errors.Join(err, closeEntrants(t)) }()
	if err != nil {
		return err
	}
	run, err := createRun("tournament-"+fileName(t.Game.Info().Name), out, complete)
	if err != nil {
		return err
	}
	return errors.Join(p.tournament(ctx, t, s, run), run.Close())
}

func (p *program) resumeTournament(ctx context.Context, dir string, workers int) (err error) {
	run, err := runs.Resume(dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, run.Close()) }()
	text, err := run.Recipe()
	if err != nil {
		return err
	}
	s, err := arena.ReadSettings(text, nil)
	if err != nil {
		return fmt.Errorf("%s: %w", dir, err)
	}
	t, err := p.openTournament(ctx, s, workers)
	defer func() { err = errors.Join(err, closeEntrants(t)) }()
	if err != nil {
		return err
	}
	return p.tournament(ctx, t, s, run)
}

func (p *program) openTournament(ctx context.Context, s arena.Settings, workers int) (arena.Tournament, error) {
	game, err := games.New(s.Tournament)
	if err != nil {
		return arena.Tournament{}, usage(err)
	}
	t, err := s.Open(ctx, p.environment(game))
	t.Workers = workers
	return t, err
}

func closeEntrants(t arena.Tournament) error {
	var all []play.Agent
	for _, e := range t.Entrants {
		all = append(all, e.Agent)
	}
	return closeAgents(all)
}

func (p *program) tournament(ctx context.Context, t arena.Tournament, s arena.Settings, run *runs.Run) (err error) {
	p.tellBackend()
	log, err := arena.OpenLog(run.Path("games.log"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	p.log.Info().Msgf("tournament %s; if it is stopped: agon tournament --resume %s", run.Dir(), run.Dir())
	result, err := t.Run(ctx, log, nil)
	if err != nil {
		return err
	}
	summary, err := result.Summarize(arena.Rating{
		Anchor: s.Rating.Anchor, AnchorElo: s.Rating.Elo, Prior: s.Rating.Prior, Resamples: s.Rating.Resamples, Seed: s.Seed,
	})
	if err != nil {
		return err
	}
	if p.json {
		return p.print(summary)
	}
	p.showTournament(summary)
	return nil
}

func (p *program) showTournament(s arena.Summary) {
	w := table.NewWriter()
	w.SetStyle(table.StyleLight)
	w.AppendHeader(table.Row{"#", "agent", "Elo", "95 %", "games", "won", "drawn", "lost", "score", "Nash", "alpha"})
	for i, r := range s.Standings {
		elo, interval := "–", "–"
		if r.Elo != nil {
			elo = fmt.Sprintf("%+.0f", *r.Elo)
		}
		if r.Elo95 != nil {
			interval = fmt.Sprintf("%+.0f to %+.0f", r.Elo95[0], r.Elo95[1])
		}
		w.AppendRow(table.Row{i + 1, r.Name, elo, interval, r.Games(), r.Wins, r.Draws, r.Losses, fmt.Sprintf("%.3f", r.Score), share(r.Nash), share(r.AlphaRank)})
	}
	p.say("%s", w.Render())
	for _, d := range s.Pairings {
		p.say("Score of %s vs %s: %d - %d - %d  [%.3f] %d", d.First, d.Second, d.Wins, d.Losses, d.Draws, d.Score, d.Games())
	}
}

func share(x *float64) string {
	if x == nil {
		return "–"
	}
	return fmt.Sprintf("%.2f", *x)
}
