package cmd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"github.com/agon-rl/agon/agents"
	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/games/sneakycritic"
	"github.com/agon-rl/agon/play"
	"github.com/agon-rl/agon/spc"
	"github.com/agon-rl/agon/trainer/recipes"
	"github.com/agon-rl/agon/trainer/run"
	"github.com/agon-rl/agon/trainer/run/report"
)

func (p *program) spcVerb() *cobra.Command {
	c := &cobra.Command{
		Use:   "spc",
		Short: "The self-play critic: a sneaky generator against a critic",
		Long: `A sneaky generator slips wrong steps into solutions, a critic finds them, and both
learn from who wins (SPC, arXiv 2504.19162).`,
		Example: `  agon spc train sneaky_critic
  agon spc play runs/sneaky_critic --role sneaky
  agon spc report runs/sneaky_critic`,
	}
	choose(c, p.spcTrainVerb(), p.spcPlayVerb(), p.spcReportVerb(), p.spcEvalVerb(), p.spcExportVerb())
	return c
}

var selfPlayCritic = school{method: spc.Method, goOn: "agon spc train"}

func (p *program) spcTrainVerb() *cobra.Command {
	var settings []string
	var out string
	var workers int
	names := strings.Join(recipes.Names(spc.Method), ", ")
	c := &cobra.Command{
		Use:   "train RECIPE|FILE.yaml|GAME|RUN",
		Short: "Train a sneaky generator and a critic against each other",
		Long: `Trains by a recipe: one that comes with Agon (` + names + `), a YAML
file that says method: critic, or a game with the default settings. Every setting can
be changed with --set path=value. The run is written to a folder; the folder of a
run that was stopped or killed, in the recipe's place, goes on with it as if it
had not been. agon train does the same, and its help says what the settings that all
methods have may be.

learn, from what and by what players learn, such as [{from: games, loss: ppo}]; a loss
with a comma stands in quotes, [{from: rounds, loss: "spc(clip=0.9,imitate=0.1)"}]:
` + indent(spc.LearnForms),
		Example: `  agon spc train sneaky_critic
  agon spc train sneaky_critic --set 'game=sneaky_critic(domain=horn)' --set critic.rounds=2
  agon spc train sneaky_critic --set 'learn=[{from: rounds, loss: spc}]' --out runs/offline
  agon spc train inspection --set 'learn=[{from: games, loss: best-response}]'
  agon spc train runs/offline`,
		Args: exactly(1, "a recipe or a run"),
		RunE: func(c *cobra.Command, args []string) error {
			if workers < 1 {
				return usage(fmt.Errorf("spc train: --workers %d: expected 1 or more", workers))
			}
			if !isRun(args[0]) {
				return p.begin(c.Context(), selfPlayCritic, args[0], settings, out, workers)
			}
			if len(settings) > 0 || out != "" {
				return usage(fmt.Errorf("spc train: --set and --out do not go with the run %s: it keeps its recipe and its folder", args[0]))
			}
			return p.resume(c.Context(), selfPlayCritic, args[0], workers)
		},
	}
	p.trainFlags(c, &settings, &out, &workers)
	return c
}

// isRun tells the folder of a run from the name of a recipe.
func isRun(name string) bool {
	info, err := os.Stat(filepath.Clean(name))
	return err == nil && info.IsDir()
}

// criticGame is what spc play was asked for.
type criticGame struct {
	role, by, against string
	games             int
	seed              uint64
}

func (p *program) spcPlayVerb() *cobra.Command {
	var o criticGame
	c := &cobra.Command{
		Use:   "play RUN|GAME",
		Short: "Play sneaky or critic in the terminal, against a trained player or another agent",
		Long: `Plays cases of a run's game, or of a game, and tells the truth about each line
afterwards. A person plays the role unless --by names another agent, against the
run's own players unless --against does. Cases in which the role has nothing to do,
such as clean solutions for the sneaky player, are passed over. Agents:

` + indent(agents.Forms()),
		Example: `  agon spc play runs/sneaky_critic
  agon spc play runs/sneaky_critic --role sneaky --games 5
  agon spc play 'sneaky_critic(domain=word_problem)' --by openai:model=NAME --games 20 --json
  agon spc play runs/sneaky_critic --role sneaky --by random --against run:runs/offline`,
		Args: exactly(1, "one run or game"),
		RunE: func(c *cobra.Command, args []string) error { return p.spcPlay(c.Context(), args[0], o) },
	}
	c.Flags().StringVar(&o.role, "role", "critic", "the role to play: sneaky or critic")
	c.Flags().StringVar(&o.by, "by", "human", "the agent that plays it")
	c.Flags().StringVar(&o.against, "against", "", "the agent in the other role (default the run, or random)")
	c.Flags().IntVar(&o.games, "games", 1, "how many cases")
	c.Flags().Uint64Var(&o.seed, "seed", 1, "seed of the cases and the agents")
	p.backendFlag(c)
	p.jsonFlag(c, "one object a case")
	return c
}

func (p *program) spcPlay(ctx context.Context, where string, o criticGame) (err error) {
	game, err := p.criticGameOf(where, &o)
	if err != nil {
		return err
	}
	info := game.Info()
	own := slices.Index(info.Roles, o.role)
	if own < 0 || info.Seats != 2 {
		return usage(fmt.Errorf("spc play: --role %s: the roles of %s are %s", o.role, info.Name, strings.Join(info.Roles, ", ")))
	}
	if o.games < 1 {
		return usage(fmt.Errorf("spc play: --games %d: expected 1 or more", o.games))
	}
	names := make([]string, 2)
	names[own], names[1-own] = o.by, o.against
	match, err := p.openMatch(ctx, game, names, o.seed)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeAgents(match.Agents)) }()
	p.tellBackend()
	won, played := 0, 0
	const patience = 1000 // cases passed over for each one played
	for number := 0; played < o.games; number++ {
		if number == patience*o.games {
			return fmt.Errorf("spc play: in %d cases of %s the %s player had nothing to do", number, info.Name, o.role)
		}
		episodes, err := match.Play(ctx, uint64(number), 1)
		if errors.Is(err, agents.ErrQuit) && ctx.Err() == nil {
			break
		}
		if err != nil {
			return err
		}
		e := episodes[0]
		if e.Forfeit == games.Over && !slices.ContainsFunc(e.Turns, func(t play.Turn) bool { return t.Seat == games.Seat(own) }) {
			continue
		}
		if played++; e.Returns[own] > 0 {
			won++
		}
		if err := p.showGame(game, names, e); err != nil {
			return err
		}
		if err := p.showTruth(game, e); err != nil {
			return err
		}
	}
	if !p.json {
		p.say("%s (%s) won %d of %d", o.role, o.by, won, played)
	}
	return nil
}

// criticGameOf opens the game that is played: a run's, or one by its name.
func (p *program) criticGameOf(where string, o *criticGame) (games.Game, error) {
	name := where
	if isRun(where) {
		folder, err := run.Open(where)
		if err != nil {
			return nil, err
		}
		recipe, _, err := spc.RecipeOf(folder)
		if err != nil {
			return nil, err
		}
		if name = recipe.Game; o.against == "" {
			o.against = "run:" + where
		}
	}
	if o.against == "" {
		o.against = "random"
	}
	game, err := games.New(name)
	return game, usage(err)
}

// showTruth tells what there was to find.
func (p *program) showTruth(game games.Game, e *play.Episode) error {
	s, ok := game.Start().(*sneakycritic.State)
	if !ok || p.json {
		return nil
	}
	for _, a := range e.Actions {
		if err := s.Apply(a); err != nil {
			return err
		}
	}
	_, line := s.Shown()
	place := ""
	if first := s.Truth(); len(s.Steps()) > 0 && first != sneakycritic.Correct {
		place = fmt.Sprintf("step %d: ", first)
	}
	switch {
	case line == nil:
		p.say("Nothing was written that could stand there.\n")
	case len(s.Steps()) > 0 && place == "":
		p.say("There is no error.\n")
	case s.Wrong():
		p.say("%s%s\nis wrong: %s. The true line: %s\n", place, line.Text, strings.TrimSuffix(s.Kind()+"; "+line.Why, "; "), s.Right().Text)
	default:
		p.say("%s\nis right.\n", line.Text)
	}
	return nil
}

func (p *program) spcReportVerb() *cobra.Command {
	c := &cobra.Command{
		Use:   "report RUN",
		Short: "Sum up a run round by round, and draw its page anew",
		Long: `Tells how the critic and the sneaky player stood at the end of every round, and
draws the run's curves and report.html again, also while it is being trained.`,
		Example: `  agon spc report runs/sneaky_critic
  agon spc report runs/sneaky_critic --json`,
		Args: exactly(1, "one run"),
		RunE: func(_ *cobra.Command, args []string) error {
			folder, err := run.Open(args[0])
			if err != nil {
				return err
			}
			s, err := spc.Summarise(folder)
			if err != nil {
				return err
			}
			if err := spc.Report(folder.Dir()); err != nil {
				return err
			}
			if p.json {
				return p.print(struct {
					spc.Summary
					Page string `json:"report"`
				}{s, folder.Path(run.ReportFile)})
			}
			p.showSummary(s)
			p.say("curve   %s and %s", folder.Path(report.CurvePNG), folder.Path(report.CurveSVG))
			p.say("report  %s", folder.Path(run.ReportFile))
			return nil
		},
	}
	p.jsonFlag(c, "one object")
	return c
}

func (p *program) showSummary(s spc.Summary) {
	p.say("%s: %s, %d of %d updates", s.Run, s.Game, s.Updates, s.Of)
	for _, section := range s.Sections() {
		if len(section.Rows) == 0 {
			continue
		}
		t := table.NewWriter()
		t.AppendHeader(tableRow(section.Head))
		for _, row := range section.Rows {
			var cells table.Row
			for _, cell := range row {
				cells = append(cells, cell.Text)
			}
			t.AppendRow(cells)
		}
		p.say("\n%s\n%s", section.Title, t.Render())
	}
	p.say("")
}

func tableRow(names []string) table.Row {
	var row table.Row
	for _, name := range names {
		row = append(row, name)
	}
	return row
}
