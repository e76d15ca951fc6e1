package cmd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/agon-rl/agon/agents"
	"github.com/agon-rl/agon/arena"
	"github.com/agon-rl/agon/arena/report"
	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/play"
	"github.com/agon-rl/agon/trainer/run"
)

// hosting is how the tournament verb was asked to work. It changes no game.
type hosting struct {
	out, resume    string
	workers        int
	pgn            string
	ratingInterval int
	transcripts    bool
}

// settingFlags are flags that stand for settings of a tournament.
var settingFlags = []struct{ name, path, kind, help string }{
	{"format", "format", "format", "who meets whom, see above: " + strings.Join(arena.Schedules.Names(), ", ")},
	{"rounds", "rounds", "n", "sets of games for every meeting: in games of two seats, pairs with the seats swapped (default 50)"},
	{"seed", "seed", "n", "seed of deals, openings and agents (default 1); --srand is the same"},
	{"openings", "openings", "openings", "where games start"},
	{"sprt", "sprt", "test", "stop when a sequential test is decided: elo0=0,elo1=30,alpha=0.05,beta=0.05,model=normalized|logistic"},
	{"time-move", "clock.move", "duration", "time for a move, such as 10s"},
	{"time-game", "clock.game", "duration", "time for all moves of a game"},
	{"time-gain", "clock.gain", "duration", "time gained with each move"},
	{"time-margin", "clock.margin", "duration", "by how much a limit may be overrun without loss (default 100ms)"},
	{"stop-games", "stop.games", "n", "stop after so many games"},
	{"stop-time", "stop.time", "duration", "stop after so much time of play"},
	{"stop-tokens", "stop.tokens", "n", "stop after so many tokens, in and out"},
	{"stop-dollars", "stop.dollars", "x", "stop after so much money"},
	{"anchor", "rating.anchor", "agent", "the agent whose rating is --anchor-elo (default: the mean's is)"},
	{"anchor-elo", "rating.elo", "x", "the anchor's rating (default 0)"},
	{"group", "group", "n", "games in lockstep (default 64; 1 with slow agents or a clock, 8 with --sprt)"},
}

// aliases are other names of flags.
var aliases = map[string]string{"srand": "seed", "tournament": "format"}

func (p *program) tournamentVerb() *cobra.Command {
	var h hosting
	var independent bool
	var set []string
	given := make([]string, len(settingFlags))
	c := &cobra.Command{
		Use:   "tournament GAME AGENT AGENT... | FILE.yaml",
		Short: "Play agents against one another and rate them",
		Long: `Plays a tournament and rates those who took part, with an interval on every
number. Games come in sets in which two agents take every seat in turn with the
same opening and the same deal. All is written to a folder as it is played; a
tournament that was stopped or killed goes on with --resume as if it had not been.
In the end the folder holds report.html, games.jsonl, games.parquet, games.pgn (of
chess), standings.csv and summary.json.

An agent is AGENT or NAME=AGENT. Agents:
` + indent(agents.Forms()) + `
Formats:
` + indent(arena.Schedules.Help()) + `
Openings:
` + indent(arena.OpeningKinds.Help()),
		Example: `  agon tournament tic_tac_toe random mcts:sims=20 minimax
  agon tournament kuhn_poker nash=cfr:iterations=1000 random --rounds 1000
  agon tournament connect_four 'mcts(sims=50)' 'mcts(sims=200)' --sprt elo0=0,elo1=30 --rounds 5000
  agon tournament mine.yaml --set rounds=100 --out runs/mine
  agon tournament --resume runs/tournament-tic_tac_toe`,
		RunE: func(c *cobra.Command, args []string) error {
			if err := h.check(); err != nil {
				return usage(err)
			}
			changes := flagSettings(c.Flags(), given)
			if c.Flags().Changed("independent") {
				changes = append(changes, fmt.Sprint("independent=", independent))
			}
			changes = append(changes, set...)
			if h.resume != "" {
				if len(args) > 0 || len(changes) > 0 || h.out != "" {
					return usage(errors.New("tournament: agents, settings and --out do not go with --resume: a tournament keeps its settings and its folder"))
				}
				return p.resumeTournament(c.Context(), h)
			}
			s, err := tournamentSettings(args, changes)
			if err != nil {
				return err
			}
			return p.beginTournament(c.Context(), s, h)
		},
	}
	f := c.Flags()
	for i, s := range settingFlags {
		f.Var(&word{&given[i], s.kind}, s.name, s.help)
	}
	f.BoolVar(&independent, "independent", false, "a deal of its own for every game, where those of a set would share one")
	f.StringArrayVar(&set, "set", nil, "change a setting: path=value, such as rating.resamples=200")
	f.StringVar(&h.out, "out", "", "folder of the tournament (default runs/tournament-GAME, with a number where that is taken)")
	f.StringVar(&h.resume, "resume", "", "go on with the tournament in this folder")
	f.IntVar(&h.workers, "concurrency", runtime.GOMAXPROCS(0), "groups of games played at the same time; changes nothing but the speed")
	f.StringVar(&h.pgn, "pgnout", "", "also write games of chess to this file")
	f.BoolVar(&h.transcripts, "transcripts", true, "write games.jsonl, games.parquet and games.pgn; =false leaves them to a --resume later on")
	f.IntVar(&h.ratingInterval, "ratinginterval", 0, "log the running scores every so many games (default: every half minute)")
	f.SetNormalizeFunc(func(_ *pflag.FlagSet, name string) pflag.NormalizedName {
		if other, ok := aliases[name]; ok {
			name = other
		}
		return pflag.NormalizedName(name)
	})
	p.backendFlag(c)
	p.jsonFlag(c, "one object at the end")
	return c
}

// word is a flag's text, which the setting that it stands for will check.
type word struct {
	to   *string
	kind string
}

func (w *word) String() string {
	if w.to == nil {
		return ""
	}
	return *w.to
}

func (w *word) Set(text string) error {
	if strings.TrimSpace(text) == "" {
		return errors.New("it is empty")
	}
	if _, err := strconv.ParseInt(text, 10, 64); w.kind == "n" && err != nil {
		return errors.New("expected a whole number")
	}
	if _, err := strconv.ParseFloat(text, 64); w.kind == "x" && err != nil {
		return errors.New("expected a number")
	}
	*w.to = text
	return nil
}

func (w *word) Type() string { return w.kind }

// flagSettings are the flags that were given, as path=value.
func flagSettings(f *pflag.FlagSet, given []string) (out []string) {
	for i, s := range settingFlags {
		if f.Changed(s.name) {
			out = append(out, s.path+"="+given[i])
		}
	}
	return out
}

func (h hosting) check() error {
	switch {
	case h.workers < 1:
		return fmt.Errorf("tournament: --concurrency %d: expected 1 or more", h.workers)
	case h.pgn != "" && !h.transcripts:
		return errors.New("tournament: --pgnout and --transcripts=false: the file is one of the transcripts")
	case h.ratingInterval < 0:
		return fmt.Errorf("tournament: --ratinginterval %d: expected 0 or more", h.ratingInterval)
	}
	return nil
}

// tournamentSettings reads a file of settings, or takes a game and agents, and changes
// settings by path=value.
func tournamentSettings(args, changes []string) (s arena.Settings, err error) {
	var text []byte
	switch file := len(args) == 1 && (filepath.Ext(args[0]) == ".yaml" || filepath.Ext(args[0]) == ".yml"); {
	case file:
		if text, err = os.ReadFile(args[0]); err != nil {
			return s, fmt.Errorf("tournament: %w", err)
		}
	case len(args) < 3:
		return s, usage(errors.New("tournament: expected a game and two agents or more, a FILE.yaml, or --resume DIR"))
	default:
		s = arena.DefaultSettings()
		s.Tournament, s.Agents = args[0], args[1:]
		if text, err = s.YAML(); err != nil {
			return s, err
		}
	}
	if s, err = arena.ReadSettings(text, changes); err != nil {
		return s, usage(err)
	}
	s.Program = "agon " + Version
	return s, nil
}

// beginTournament opens all that is asked for before anything is written.
func (p *program) beginTournament(ctx context.Context, s arena.Settings, h hosting) (err error) {
	complete, err := s.YAML()
	if err != nil {
		return err
	}
	t, err := p.openTournament(ctx, s, h)
	defer func() { err = errors.Join(err, closeEntrants(t)) }()
	if err != nil {
		return err
	}
	folder, err := createRun("tournament-"+fileName(t.Game.Info().Name), h.out, complete)
	if err != nil {
		return err
	}
	return errors.Join(p.tournament(ctx, t, s, folder, h), folder.Close())
}

func (p *program) resumeTournament(ctx context.Context, h hosting) (err error) {
	folder, err := run.Resume(h.resume)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, folder.Close()) }()
	text, err := folder.Recipe()
	if err != nil {
		return err
	}
	if !arena.IsSettings(text) {
		return fmt.Errorf("tournament: %s is no tournament but a training run: go on with agon train --resume %[1]s", h.resume)
	}
	s, err := arena.ReadSettings(text, nil)
	if err != nil {
		return fmt.Errorf("%s: %w", h.resume, err)
	}
	t, err := p.openTournament(ctx, s, h)
	defer func() { err = errors.Join(err, closeEntrants(t)) }()
	if err != nil {
		return err
	}
	return p.tournament(ctx, t, s, folder, h)
}

func (p *program) openTournament(ctx context.Context, s arena.Settings, h hosting) (arena.Tournament, error) {
	game, err := games.New(s.Tournament)
	if err != nil {
		return arena.Tournament{}, usage(err)
	}
	if h.pgn != "" && !arena.WritesPGN(game) {
		return arena.Tournament{}, usage(fmt.Errorf("tournament: --pgnout %s: PGN is for chess, not for %s", h.pgn, game.Info().Name))
	}
	t, err := s.Open(ctx, p.environment(game))
	t.Workers = h.workers
	return t, err
}

func closeEntrants(t arena.Tournament) error {
	var all []play.Agent
	for _, e := range t.Entrants {
		all = append(all, e.Agent)
	}
	return closeAgents(all)
}

// tournamentReport is what --json prints.
type tournamentReport struct {
	Tournament string `json:"tournament"` // its folder
	Report     string `json:"report"`
	arena.Summary
}

func (p *program) tournament(ctx context.Context, t arena.Tournament, s arena.Settings, folder *run.Folder, h hosting) (err error) {
	p.tellBackend()
	log, err := arena.OpenLog(folder.Path("games.log"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	again := "agon tournament --resume " + folder.Dir()
	p.log.Info().Msgf("tournament %s; if it is stopped: %s", folder.Dir(), again)
	if n := log.Games(); n > 0 {
		p.log.Info().Msgf("%d games are played already", n)
	}
	rate, err := s.Rate()
	if err != nil {
		return err
	}
	live := p.liveTable(t, rate, h.ratingInterval, log.Games())
	began := time.Now()
	table, err := t.Run(ctx, log, live.show)
	live.close(err != nil)
	switch {
	case err != nil && ctx.Err() != nil:
		return fmt.Errorf("stopped; go on with: %s", again)
	case err != nil:
		return fmt.Errorf("%w; once that is mended, go on with: %s", err, again)
	}
	if played, took := table.Games()-log.Games(), time.Since(began); played > 0 {
		p.log.Info().Msgf("%d games in %s, %.4g games/s", played, took.Round(time.Millisecond), float64(played)/took.Seconds())
	}
	summary, err := table.Summarize(rate)
	if err != nil {
		return err
	}
	settings, err := s.YAML()
	if err != nil {
		return err
	}
	const many = 50_000
	if table.Games() > many && h.transcripts {
		p.log.Info().Msgf("writing %d games to %s", table.Games(), folder.Dir())
	}
	done := report.Finished{Name: folder.Name(), Settings: string(settings), Tournament: t, Summary: summary, Log: log, Brief: !h.transcripts}
	if err := report.Write(ctx, folder.Dir(), done); err != nil {
		return err
	}
	if h.pgn != "" {
		if err := copyFile(folder.Path(report.PGNFile), h.pgn); err != nil {
			return fmt.Errorf("tournament: --pgnout: %w", err)
		}
	}
	if p.json {
		return p.print(tournamentReport{Tournament: folder.Dir(), Report: folder.Path(report.PageFile), Summary: summary})
	}
	p.showTournament(t, summary)
	p.say("report      %s", folder.Path(report.PageFile))
	if h.transcripts {
		p.say("games       %s and %s", folder.Path(report.GamesFile), folder.Path(report.ParquetFile))
	}
	return nil
}

func copyFile(from, to string) error {
	text, err := os.ReadFile(from) //nolint:gosec // from the tournament's folder
	if err != nil {
		return err
	}
	return os.WriteFile(to, text, 0o644) //nolint:gosec // where the user wants it, as readable as the rest
}
