package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"github.com/agon-rl/agon/recipes"
	"github.com/agon-rl/agon/runs"
	"github.com/agon-rl/agon/runs/report"
	"github.com/agon-rl/agon/trainer"
)

func (p *program) trainVerb() *cobra.Command {
	var settings []string
	var out, resume string
	var workers int
	c := &cobra.Command{
		Use:   "train RECIPE",
		Short: "Train an agent by self-play",
		Long: `Trains by a recipe: one that comes with Agon (` + strings.Join(recipes.Names(), ", ") + `)
or a YAML file. Every setting can be changed with --set path=value. The run is
written to a folder, and a run that was stopped or killed goes on with --resume
as if it had not been.`,
		Example: `  agon train kuhn_poker
  agon train leduc_poker --backend xla:cpu --set seed=2 --set optimizer.rate='linear(0.002,0)'
  agon train my.yaml --out runs/mine
  agon train --resume runs/mine`,
		Args: between(0, 1, "a recipe, or --resume DIR"),
		RunE: func(c *cobra.Command, args []string) error {
			switch {
			case (len(args) == 1) == (resume != ""):
				return usage(fmt.Errorf("train: expected a recipe (%s, or a YAML file) or --resume DIR", strings.Join(recipes.Names(), ", ")))
			case resume != "" && (len(settings) > 0 || out != ""):
				return usage(fmt.Errorf("train: --set and --out do not go with --resume: a run keeps its recipe and its folder"))
			case workers < 1:
				return usage(fmt.Errorf("train: --workers %d: expected 1 or more", workers))
			}
			var run *runs.Run
			var err error
			if resume != "" {
				run, err = runs.Resume(resume)
			} else {
				run, err = createRun(args[0], settings, out)
			}
			if err != nil {
				return err
			}
			return errors.Join(p.train(c.Context(), run, workers), run.Close())
		},
	}
	c.Flags().StringArrayVar(&settings, "set", nil, "change a setting of the recipe: path=value")
	c.Flags().StringVar(&out, "out", "", "folder of the run (default runs/NAME, with a number where that is taken)")
	c.Flags().StringVar(&resume, "resume", "", "go on with the run in this folder")
	c.Flags().IntVar(&workers, "workers", runtime.GOMAXPROCS(0), "groups of games played at the same time; changes nothing but the speed")
	p.backendFlag(c)
	p.jsonFlag(c, "one object at the end")
	return c
}

// createRun reads a recipe and makes its run. What a person typed wrong is
// found before anything is written.
func createRun(name string, settings []string, out string) (*runs.Run, error) {
	var text []byte
	var err error
	if strings.HasSuffix(name, ".yaml") || strings.HasSuffix(name, ".yml") {
		if text, err = os.ReadFile(name); err != nil {
			return nil, fmt.Errorf("recipe: %w", err)
		}
		name = strings.TrimSuffix(strings.TrimSuffix(filepath.Base(name), ".yml"), ".yaml")
	} else if text, err = recipes.Read(name); err != nil {
		return nil, usage(err)
	}
	recipe, err := trainer.ReadRecipe(text, settings)
	if err != nil {
		return nil, usage(err)
	}
	recipe.Program = "agon " + Version
	complete, err := recipe.YAML()
	if err != nil {
		return nil, err
	}
	if out != "" {
		return runs.Create(out, complete)
	}
	for n := 1; ; n++ {
		dir := filepath.Join("runs", name)
		if n > 1 {
			dir = fmt.Sprintf("%s-%d", dir, n)
		}
		run, err := runs.Create(dir, complete)
		if !errors.Is(err, runs.ErrExists) {
			return run, err
		}
	}
}

// trainReport is what --json prints.
type trainReport struct {
	Run        string             `json:"run"`
	Updates    int                `json:"updates"`
	Games      int                `json:"games"`
	Seconds    float64            `json:"seconds"`
	Reached    bool               `json:"reached"`
	Checkpoint string             `json:"checkpoint"`
	Curve      string             `json:"curve"`
	Report     string             `json:"report"`
	Final      map[string]float64 `json:"final"`
}

func (p *program) train(ctx context.Context, run *runs.Run, workers int) error {
	b, err := p.openBackend()
	if err != nil {
		return err
	}
	p.log.Info().Msgf("run %s", run.Dir())
	began := time.Now()
	bar := p.progress()
	result, err := trainer.Train(ctx, run, trainer.Options{Backend: b, Workers: workers, Log: p.log, Progress: bar.show})
	bar.close()
	if err != nil {
		if ctx.Err() != nil {
			return fmt.Errorf("stopped; go on with: agon train --resume %s", run.Dir())
		}
		return err
	}
	if err := report.Write(run.Dir()); err != nil {
		return err
	}
	done := trainReport{
		Run: run.Dir(), Updates: result.Updates, Games: result.Games, Seconds: time.Since(began).Seconds(), Reached: result.Reached,
		Checkpoint: run.Path(runs.CheckpointsDir, fmt.Sprintf("%08d", result.Updates)),
		Curve:      run.Path(report.CurvePNG), Report: run.Path(runs.ReportFile), Final: result.Final,
	}
	if p.json {
		return p.print(done)
	}
	p.say("trained %s for %d updates, %d games, in %s", run.Name(), done.Updates, done.Games, time.Since(began).Round(time.Second))
	for _, name := range headlines(result.Final) {
		p.say("  %-24s %.4f", name, result.Final[name])
	}
	p.say("curve       %s and %s", done.Curve, run.Path(report.CurveSVG))
	p.say("report      %s", done.Report)
	p.say("checkpoint  %s", done.Checkpoint)
	return nil
}

// headlines picks the metrics that measure strength.
func headlines(final map[string]float64) []string {
	var names []string
	for _, name := range sortedKeys(final) {
		if name == "exploitability" || strings.HasPrefix(name, "score/") || strings.HasPrefix(name, "drawn/") || name == "collapse" {
			names = append(names, name)
		}
	}
	return names
}

// liveBar shows a run's progress on a terminal, and nothing elsewhere.
type liveBar struct{ bar *progressbar.ProgressBar }

func (p *program) progress() *liveBar {
	out := p.errOut
	if !isTerminal(out) {
		out = io.Discard
	}
	return &liveBar{progressbar.NewOptions(0,
		progressbar.OptionSetWriter(out), progressbar.OptionShowCount(), progressbar.OptionSetPredictTime(true),
		progressbar.OptionThrottle(200*time.Millisecond), progressbar.OptionFullWidth(), progressbar.OptionClearOnFinish())}
}

func (b *liveBar) show(s trainer.Progress) {
	if b.bar.GetMax() != s.Updates {
		b.bar.ChangeMax(s.Updates)
	}
	text := fmt.Sprintf("%.0f games/s", s.GamesPerSecond)
	if s.Measure != "" {
		text += fmt.Sprintf("  %s %.4f", s.Measure, s.Value)
	}
	b.bar.Describe(text)
	_ = b.bar.Set(s.Update) // a bar that cannot be drawn is no reason to stop
}

func (b *liveBar) close() { _ = b.bar.Finish() }
