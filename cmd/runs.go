package cmd

import (
	"errors"
	"fmt"
	"os"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"github.com/agon-rl/agon/arena"
	"github.com/agon-rl/agon/spc"
	"github.com/agon-rl/agon/trainer"
	"github.com/agon-rl/agon/trainer/run"
	"github.com/agon-rl/agon/trainer/run/report"
)

func (p *program) runsVerb() *cobra.Command {
	c := &cobra.Command{
		Use:   "runs",
		Short: "List, show or plot runs",
		Example: `  agon runs list
  agon runs show runs/kuhn_poker
  agon runs plot runs/kuhn_poker`,
	}
	list := &cobra.Command{
		Use: "list [DIR]", Short: "List the runs in a folder", Args: between(0, 1, "at most one folder"),
		Example: "  agon runs list runs",
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return p.listRuns("runs")
			}
			if _, err := os.ReadDir(args[0]); err != nil {
				return fmt.Errorf("runs list: %w", err)
			}
			return p.listRuns(args[0])
		},
	}
	show := &cobra.Command{
		Use: "show DIR", Short: "Show a run: its recipe, how far it is, its newest metrics", Args: exactly(1, "one run"),
		Example: "  agon runs show runs/kuhn_poker --json",
		RunE:    func(_ *cobra.Command, args []string) error { return p.showRun(args[0]) },
	}
	plot := &cobra.Command{
		Use: "plot DIR", Short: "Draw a run's curves and report anew", Args: exactly(1, "one run"),
		Example: "  agon runs plot runs/kuhn_poker",
		RunE: func(_ *cobra.Command, args []string) error {
			folder, err := run.Open(args[0])
			if err != nil {
				return err
			}
			if err := noTournament(folder); err != nil {
				return err
			}
			if err := drawRun(folder); err != nil {
				return err
			}
			files := map[string]string{"png": folder.Path(report.CurvePNG), "svg": folder.Path(report.CurveSVG), "report": folder.Path(run.ReportFile)}
			if p.json {
				return p.print(files)
			}
			p.say("%s\n%s\n%s", files["png"], files["svg"], files["report"])
			return nil
		},
	}
	p.jsonFlag(list, "one object a run")
	p.jsonFlag(show, "one object")
	p.jsonFlag(plot, "one object")
	choose(c, list, show, plot)
	return c
}

// runReport is what --json prints of a run.
type runReport struct {
	Run         string             `json:"run"`
	Game        string             `json:"game"`
	Updates     int                `json:"updates"`
	Of          int                `json:"of"`
	Checkpoints []int              `json:"checkpoints"`
	Final       map[string]float64 `json:"final"`
	Tournament  bool               `json:"tournament,omitempty"` // of which only run and game are told
	recipe      []byte
}

// noTournament refuses a tournament, whose report is its own.
func noTournament(folder *run.Folder) error {
	text, err := folder.Recipe()
	if err == nil && arena.IsSettings(text) {
		err = fmt.Errorf("%s is a tournament: its results are in %s; agon tournament --resume %[1]s writes them anew", folder.Dir(), folder.Path(run.ReportFile))
	}
	return err
}

func describeRun(folder *run.Folder) (runReport, error) {
	text, err := folder.Recipe()
	if err != nil {
		return runReport{}, err
	}
	if arena.IsSettings(text) {
		settings, err := arena.ReadSettings(text, nil)
		return runReport{Run: folder.Dir(), Game: settings.Tournament, Tournament: true}, err
	}
	game, of, err := planOf(text)
	if err != nil {
		return runReport{}, fmt.Errorf("%s: %w", folder.Dir(), err)
	}
	lines, err := run.ReadMetrics(folder.Dir())
	if err != nil {
		return runReport{}, err
	}
	steps, err := folder.Steps()
	if err != nil {
		return runReport{}, err
	}
	r := runReport{Run: folder.Dir(), Game: game, Of: of, Checkpoints: steps, Final: map[string]float64{}, recipe: text}
	for _, line := range lines {
		for key, value := range line {
			r.Final[key] = value
		}
	}
	r.Updates = int(r.Final[run.UpdateKey])
	delete(r.Final, run.UpdateKey)
	return r, nil
}

// planOf reads the game and the updates of a recipe.
func planOf(text []byte) (game string, updates int, err error) {
	recipe, err := trainer.ReadRecipe(text, nil)
	if err != nil {
		return "", 0, err
	}
	method, err := trainer.Methods.Find(recipe.Method)
	if err != nil {
		return "", 0, err
	}
	return recipe.Game, method.Value.Updates(recipe), nil
}

// drawRun draws a run's curves and page.
func drawRun(folder *run.Folder) error {
	recipe, err := trainer.RecipeOf(folder)
	if err != nil {
		return err
	}
	if recipe.Method == spc.Method {
		return spc.Report(folder.Dir())
	}
	return report.Write(folder.Dir())
}

func (p *program) listRuns(root string) error {
	all, broken := run.List(root)
	t := table.NewWriter()
	t.AppendHeader(table.Row{"run", "game", "updates", "measure"})
	for _, folder := range all {
		r, err := describeRun(folder)
		if err != nil {
			broken = errors.Join(broken, err)
			continue
		}
		if p.json {
			if err := p.print(r); err != nil {
				return err
			}
			continue
		}
		if r.Tournament {
			t.AppendRow(table.Row{r.Run, r.Game, "tournament", ""})
			continue
		}
		measure := ""
		for _, name := range headlines(r.Final) {
			measure += fmt.Sprintf("%s %.4f  ", name, r.Final[name])
		}
		t.AppendRow(table.Row{r.Run, r.Game, fmt.Sprintf("%d of %d", r.Updates, r.Of), measure})
	}
	switch {
	case len(all) == 0 && broken == nil:
		p.log.Info().Msgf("there is no run in %s", root)
	case len(all) > 0 && !p.json:
		p.say("%s", t.Render())
	}
	return broken
}

func (p *program) showRun(dir string) error {
	folder, err := run.Open(dir)
	if err != nil {
		return err
	}
	if err := noTournament(folder); err != nil {
		return err
	}
	r, err := describeRun(folder)
	if err != nil {
		return err
	}
	if p.json {
		return p.print(r)
	}
	p.say("%s: %s, %d of %d updates; checkpoints %v\n", r.Run, r.Game, r.Updates, r.Of, r.Checkpoints)
	t := table.NewWriter()
	t.AppendHeader(table.Row{"metric", "newest value"})
	for _, name := range sortedKeys(r.Final) {
		t.AppendRow(table.Row{name, fmt.Sprintf("%.6g", r.Final[name])})
	}
	p.say("%s\n\n%s", t.Render(), r.recipe)
	return nil
}
