package cmd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/rs/zerolog"
	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/rae"
	"github.com/agon-rl/agon/spc"
	"github.com/agon-rl/agon/trainer"
	"github.com/agon-rl/agon/trainer/recipes"
	"github.com/agon-rl/agon/trainer/run"
	"github.com/agon-rl/agon/trainer/run/report"
)

func (p *program) trainVerb() *cobra.Command {
	var settings []string
	var out, resume string
	var workers int
	c := &cobra.Command{
		Use:   "train RECIPE|FILE.yaml|GAME",
		Short: "Train an agent by self-play",
		Long: `Trains by a recipe: one that comes with Agon, a YAML file, or a game with the default
settings. Every setting can be changed with --set path=value. The run is written to
a folder, and a run that was stopped or killed goes on with --resume as if it had
not been.

recipes that come with Agon:
` + indent(strings.Join(recipes.Names(), "\n")) + `
method:
` + indent(trainer.Methods.Help()) + `
learn, what is learnt from what, such as [{from: games, loss: ppo}]; a loss with a comma
stands in quotes, [{from: preferences, loss: "inpo(eta=0.2,ratio=0.1)"}], and preference
objectives are those of agon objectives list:
` + indent(trainer.LearnForms) + `
learn, with method: critic:
` + indent(spc.LearnForms) + `
advantage:
` + indent(rae.Estimators.Help()) + `
opponents:
` + indent(trainer.OpponentForms()) + `
stages, where there are several players:
` + indent(trainer.StageForms()) + `
optimizer.rate, entropy, value and magnet.weight: a number, or
` + indent(trainer.ScheduleForms()) + `
preferences.judge:
` + indent(trainer.JudgeForms) + `
preferences.reference:
` + indent(trainer.ReferenceForms),
		Example: `  agon train kuhn_poker
  agon train sequence --set 'learn=[{from: preferences, loss: dpo(beta=0.1)}]' --set preferences.reference=ema
  agon train leduc_poker --backend xla:cpu --set seed=2 --set optimizer.rate='linear(0.002,0)'
  agon train my.yaml --out runs/mine
  agon train --resume runs/mine`,
		Args: between(0, 1, "a recipe, or --resume DIR"),
		RunE: func(c *cobra.Command, args []string) error {
			switch {
			case (len(args) == 1) == (resume != ""):
				return usage(fmt.Errorf("train: expected a recipe (%s, a YAML file, or a game) or --resume DIR", strings.Join(recipes.Names(), ", ")))
			case resume != "" && (len(settings) > 0 || out != ""):
				return usage(fmt.Errorf("train: --set and --out do not go with --resume: a run keeps its recipe and its folder"))
			case workers < 1:
				return usage(fmt.Errorf("train: --workers %d: expected 1 or more", workers))
			}
			if resume != "" {
				return p.resume(c.Context(), anyMethod, resume, workers)
			}
			return p.begin(c.Context(), anyMethod, args[0], settings, out, workers)
		},
	}
	c.Flags().StringVar(&resume, "resume", "", "go on with the run in this folder")
	p.trainFlags(c, &settings, &out, &workers)
	return c
}

// trainFlags are those of the verbs that train.
func (p *program) trainFlags(c *cobra.Command, settings *[]string, out *string, workers *int) {
	c.Flags().StringArrayVar(settings, "set", nil, "change a setting of the recipe: path=value")
	c.Flags().StringVar(out, "out", "", "folder of the run (default runs/NAME, with a number where that is taken)")
	c.Flags().IntVar(workers, "workers", runtime.GOMAXPROCS(0), "groups of games played at the same time; changes nothing but the speed")
	p.backendFlag(c)
	p.jsonFlag(c, "one object at the end")
}

// school is what differs between the verbs that train.
type school struct {
	method string // the only one that is taken; "" for all
	goOn   string // the command that goes on with a stopped run, before its folder
}

var anyMethod = school{goOn: "agon train --resume"}

// takes refuses recipes of another method.
func (s school) takes(r trainer.Recipe) error {
	if s.method == "" || r.Method == s.method {
		return nil
	}
	return fmt.Errorf("recipe: method: %s: expected %s; a recipe of another method, and its run, belong to agon train", r.Method, s.method)
}

// begin makes a run and trains it. What a person asked for wrongly is found
// before anything is written, or what was written is taken away again.
func (p *program) begin(ctx context.Context, s school, name string, settings []string, out string, workers int) error {
	name, text, err := readRecipe(s.method, name)
	if err != nil {
		return err
	}
	recipe, err := trainer.ReadRecipe(text, settings)
	if err == nil {
		err = s.takes(recipe)
	}
	if err != nil {
		return usage(err)
	}
	recipe.Program = "agon " + Version
	complete, err := recipe.YAML()
	if err != nil {
		return err
	}
	t, bar, err := p.prepare(ctx, recipe, workers)
	if err != nil {
		return err
	}
	folder, err := createRun(name, out, complete)
	if err != nil {
		return errors.Join(err, t.Close())
	}
	err = errors.Join(p.train(ctx, s, t, bar, folder), folder.Close())
	if err != nil && ctx.Err() == nil && empty(folder) {
		err = errors.Join(err, os.RemoveAll(folder.Dir()))
	}
	return err
}

func (p *program) resume(ctx context.Context, s school, dir string, workers int) error {
	folder, err := run.Open(dir)
	if err != nil {
		return err
	}
	recipe, err := trainer.RecipeOf(folder)
	if err == nil {
		err = s.takes(recipe) // a run of another method is left alone
	}
	if err != nil {
		return err
	}
	if folder, err = run.Resume(dir); err != nil {
		return err
	}
	t, bar, err := p.prepare(ctx, recipe, workers)
	if err != nil {
		return errors.Join(err, folder.Close())
	}
	return errors.Join(p.train(ctx, s, t, bar, folder), folder.Close())
}

// prepare opens a backend and what is trained on it.
func (p *program) prepare(ctx context.Context, recipe trainer.Recipe, workers int) (*trainer.Run, *liveBar, error) {
	b, err := p.openBackend()
	if err != nil {
		return nil, nil, err
	}
	bar := p.progress()
	t, err := trainer.New(ctx, recipe, trainer.Options{Backend: b, Workers: workers, Log: p.log, Progress: bar.show})
	return t, bar, err
}

// readRecipe finds a recipe by its name, its file, or the game that it would
// be all defaults for, and returns what to call its run.
func readRecipe(method, name string) (string, []byte, error) {
	if extension := filepath.Ext(name); extension == ".yaml" || extension == ".yml" {
		text, err := os.ReadFile(name)
		if err != nil {
			return "", nil, fmt.Errorf("recipe: %w", err)
		}
		return strings.TrimSuffix(filepath.Base(name), extension), text, nil
	}
	text, err := recipes.Read(name)
	if err == nil {
		return name, text, nil
	}
	if game, wrong := games.New(name); wrong == nil {
		settings := map[string]string{"game": name}
		if method != "" {
			settings["method"] = method
		}
		text, err := yaml.Marshal(settings)
		return fileName(game.Info().Name), text, err
	}
	return "", nil, usage(err)
}

// fileName replaces what is awkward in the name of a folder.
func fileName(name string) string {
	return strings.Trim(strings.Map(func(r rune) rune {
		if strings.ContainsRune("()=,/\\\" ", r) {
			return '-'
		}
		return r
	}, name), "-")
}

// createRun makes the run's folder: out, or runs/NAME with a number where that
// is taken.
func createRun(name, out string, recipe []byte) (*run.Folder, error) {
	if out != "" {
		return run.Create(out, recipe)
	}
	for n := 1; ; n++ {
		dir := filepath.Join("runs", name)
		if n > 1 {
			dir = fmt.Sprintf("%s-%d", dir, n)
		}
		folder, err := run.Create(dir, recipe)
		if !errors.Is(err, run.ErrExists) {
			return folder, err
		}
	}
}

// empty tells whether a run has not learnt anything yet.
func empty(folder *run.Folder) bool {
	lines, err := run.ReadMetrics(folder.Dir())
	return err == nil && len(lines) == 0
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

func (p *program) train(ctx context.Context, s school, t *trainer.Run, bar *liveBar, folder *run.Folder) error {
	p.tellBackend()
	p.log.Info().Msgf("run %s", folder.Dir())
	began := time.Now()
	result, err := t.Train(ctx, folder)
	err = errors.Join(err, t.Close())
	bar.close()
	if err != nil {
		if ctx.Err() != nil {
			return fmt.Errorf("stopped; go on with: %s %s", s.goOn, folder.Dir())
		}
		return err
	}
	if err := drawRun(folder); err != nil {
		return err
	}
	done := trainReport{
		Run: folder.Dir(), Updates: result.Updates, Games: result.Games, Seconds: time.Since(began).Seconds(), Reached: result.Reached,
		Checkpoint: folder.Path(run.CheckpointsDir, fmt.Sprintf("%08d", result.Updates)),
		Curve:      folder.Path(report.CurvePNG), Report: folder.Path(run.ReportFile), Final: result.Final,
	}
	if p.json {
		return p.print(done)
	}
	p.say("trained %s for %d updates, %d games, in %s", folder.Name(), done.Updates, done.Games, time.Since(began).Round(time.Second))
	for _, name := range headlines(result.Final) {
		p.say("  %-24s %.4f", name, result.Final[name])
	}
	p.say("curve       %s and %s", done.Curve, folder.Path(report.CurveSVG))
	p.say("report      %s", done.Report)
	p.say("checkpoint  %s", done.Checkpoint)
	return nil
}

// strength names the metrics that measure it, whole or by the part before a slash.
var strength = []string{"exploitability", "score/", "drawn/", "collapse", "nash_conv/", "f1", "f1/worst", "f1/longer", "accuracy/", "fooled"}

// headlines picks the metrics that measure strength.
func headlines(final map[string]float64) []string {
	var names []string
	for _, name := range sortedKeys(final) {
		if stem, _, _ := strings.Cut(name, "/"); slices.Contains(strength, name) || slices.Contains(strength, stem+"/") {
			names = append(names, name)
		}
	}
	return names
}

// liveBar shows a run's progress: as a bar on a terminal, elsewhere as a line
// of the log now and then.
type liveBar struct {
	bar  *progressbar.ProgressBar // nil where there is no terminal
	log  zerolog.Logger
	next time.Time // of the next line
}

const logEvery = 30 * time.Second

func (p *program) progress() *liveBar {
	b := &liveBar{log: p.log, next: time.Now().Add(logEvery)}
	if isTerminal(p.errOut) {
		b.bar = progressbar.NewOptions(0,
			progressbar.OptionSetWriter(p.errOut), progressbar.OptionShowCount(), progressbar.OptionSetPredictTime(true),
			progressbar.OptionThrottle(200*time.Millisecond), progressbar.OptionFullWidth(), progressbar.OptionClearOnFinish())
	}
	return b
}

func (b *liveBar) show(s trainer.Progress) {
	text := fmt.Sprintf("%.0f games/s", s.GamesPerSecond)
	if s.Measure != "" {
		text += fmt.Sprintf("  %s %.4f", s.Measure, s.Value)
	}
	if b.bar == nil {
		if time.Now().After(b.next) {
			b.next = time.Now().Add(logEvery)
			b.log.Info().Msgf("%d of %d updates  %s", s.Update, s.Updates, text)
		}
		return
	}
	if b.bar.GetMax() != s.Updates {
		b.bar.ChangeMax(s.Updates)
	}
	b.bar.Describe(text)
	_ = b.bar.Set(s.Update) // a bar that cannot be drawn is no reason to stop
}

func (b *liveBar) close() {
	if b.bar != nil {
		_ = b.bar.Finish()
	}
}
