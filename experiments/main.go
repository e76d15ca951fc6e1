// Command experiments runs the measurements behind docs/lab and writes their
// tables and plots again:
//
//	go run ./experiments rae       role-conditioned advantages against their ablations
//	go run ./experiments leduc     five seeds of the Leduc recipe
//	go run ./experiments collapse  self-play that collapses, seen and cured
//	go run ./experiments search    what search finds, and what its pairs are worth
//	go run ./experiments steps     step preferences against outcomes, best moves and visits
//	go run ./experiments stepsverified  the same where every step is judged
//	go run ./experiments stepsboard     the same on tic-tac-toe
//	go run ./experiments testtime  search at test time against best-of-N
//	go run ./experiments teach     what a network learns from a search: visits, best moves, preferences
//	go run ./experiments critic    all of the self-play critic, which are:
//	go run ./experiments critic-arms        naive errors, the menu, self-play, free writing
//	go run ./experiments critic-rounds      opponents of this round and of earlier ones
//	go run ./experiments critic-objectives  on line and off line
//	go run ./experiments critic-stages      who trains when
//	go run ./experiments critic-validity    success rates against the verifier
//	go run ./experiments critic-curriculum  problems by the spread of their values
//	go run ./experiments critic-whole       critics of whole solutions: the first wrong step
//	go run ./experiments inspection         the exact game: the pull against best responses
//	go run ./experiments guide     a critic that guides a weak solver, against best-of-N and self-consistency
//	go run ./experiments calibration  whether intervals and tests keep what they promise
//	go run ./experiments duplicates   what shared deals and known luck are worth
//	go run ./experiments claims    claims of preference learning, put to small tests
//	go run ./experiments objectives   the methods of Nash and preference learning, exactly
//	go run ./experiments objectives-theory  their rates and identities, printed
//	go run ./experiments objectives-neural  networks trained by sampled preferences, beside their exact updates
//	go run ./experiments backends  one recipe on every backend that works here
//
// AGON_CLAIMS=id,id prints single claims instead of writing the page.
// With AGON_EXPERIMENTS=folder the runs of the self-play critic and of objectives-neural are kept there, and
// those that ended are not run again: empty it after changes to what they depend on.
package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/rs/zerolog"

	_ "github.com/agon-rl/agon/games/standard"
	"github.com/agon-rl/agon/policy/backend"
	_ "github.com/agon-rl/agon/policy/backend/xla"
	"github.com/agon-rl/agon/trainer"
	"github.com/agon-rl/agon/trainer/recipes"
	"github.com/agon-rl/agon/trainer/run"
)

var experiments = map[string]func(context.Context, *lab) error{
	"rae":               raeAblations,
	"leduc":             leducSeeds,
	"collapse":          collapse,
	"backends":          backends,
	"search":            search,
	"steps":             steps,
	"stepsverified":     stepsVerified,
	"stepsboard":        stepsBoard,
	"testtime":          testTime,
	"teach":             teach,
	"guide":             guide,
	"critic":            critic,
	"critic-arms":       criticArms,
	"critic-rounds":     criticOpponents,
	"critic-objectives": criticObjectives,
	"critic-stages":     criticStages,
	"critic-validity":   criticValidity,
	"critic-curriculum": criticCurriculum,
	"inspection":        inspectionCurves,
	"calibration":       calibration,
	"duplicates":        duplicates,
	"claims":            claims,
	"critic-whole":      criticWhole,
	"objectives-neural": objectivesNeural,
	"objectives":        objectives,
	"objectives-theory": objectivesTheory,
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := experiment(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "experiments:", err)
		os.Exit(1)
	}
}

func experiment(ctx context.Context) error {
	if len(os.Args) != 2 || experiments[os.Args[1]] == nil {
		return fmt.Errorf("expected one of %s", strings.Join(slices.Sorted(maps.Keys(experiments)), ", "))
	}
	name := os.Getenv("AGON_BACKEND")
	if name == "" {
		name = backend.Auto
	}
	device, choice, err := backend.Open(name)
	if err != nil {
		return err
	}
	fmt.Fprintln(os.Stderr, choice)
	dir, err := os.MkdirTemp("", "agon-experiments-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a temporary folder
	return experiments[os.Args[1]](ctx, &lab{dir: dir, docs: "docs/lab", keep: os.Getenv("AGON_EXPERIMENTS"), device: device, choice: choice})
}

// lab runs recipes and hands back their metrics.
type lab struct {
	dir, docs string
	keep      string // a folder for runs that are not to be run again; "" for none
	device    backend.Backend
	choice    backend.Choice
}

// trial is one run of a recipe.
type trial struct {
	recipe   string // an embedded recipe
	settings []string
	metrics  []map[string]float64
	timing   []map[string]float64
	dir      string             // of a run that may be kept
	game     string             // that it was trained on
	start    map[string]float64 // its round 0, where that is another run's
}

// all runs trials side by side, one on each core.
func (l *lab) all(ctx context.Context, trials []*trial) error {
	return l.each(ctx, trials, func(ctx context.Context, t *trial, dir string) error { return l.one(ctx, t, dir, 1) })
}

// each does something with all trials, side by side, one on each core.
func (l *lab) each(ctx context.Context, trials []*trial, do func(context.Context, *trial, string) error) error {
	dir, err := os.MkdirTemp(l.dir, "trials")
	if err != nil {
		return err
	}
	queue := make(chan int)
	var wg sync.WaitGroup
	errs := make([]error, len(trials))
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for i := range queue {
				errs[i] = do(ctx, trials[i], filepath.Join(dir, fmt.Sprint(i)))
				fmt.Fprintf(os.Stderr, "%s %v done\n", trials[i].recipe, trials[i].settings)
			}
		})
	}
	for i := range trials {
		queue <- i
	}
	close(queue)
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// one runs a trial's recipe.
func (l *lab) one(ctx context.Context, t *trial, dir string, workers int) error {
	_, complete, err := t.read()
	if err != nil {
		return err
	}
	return t.record(dir, complete, func(folder *run.Folder) error { return l.train(ctx, folder, workers) })
}

// read is a trial's recipe, and its text with all defaults.
func (t *trial) read() (recipe trainer.Recipe, complete []byte, err error) {
	text, err := recipes.Read(t.recipe)
	if err != nil {
		return recipe, nil, err
	}
	if recipe, err = trainer.ReadRecipe(text, t.settings); err != nil {
		return recipe, nil, err
	}
	complete, err = recipe.YAML()
	return recipe, complete, err
}

func (l *lab) train(ctx context.Context, folder *run.Folder, workers int) error {
	_, err := trainer.Train(ctx, folder, trainer.Options{Backend: l.device, Workers: workers, Log: zerolog.Nop()})
	return err
}

// record trains in a new folder and reads what was measured.
func (t *trial) record(dir string, complete []byte, train func(*run.Folder) error) error {
	folder, err := run.Create(dir, complete)
	if err != nil {
		return err
	}
	defer folder.Close() //nolint:errcheck // a temporary run
	if err := train(folder); err != nil {
		return fmt.Errorf("%s %v: %w", t.recipe, t.settings, err)
	}
	if t.metrics, err = run.ReadMetrics(dir); err != nil {
		return err
	}
	t.timing, err = run.ReadTiming(dir)
	return err
}

// kept is record in l.keep, where there is such a folder, unless it holds the run of this
// recipe already, with so many updates.
func (l *lab) kept(t *trial, dir string, complete []byte, updates int, train func(*run.Folder) error) (err error) {
	if l.keep != "" {
		dir = filepath.Join(l.keep, fmt.Sprintf("%x", sha256.Sum256(complete)))
	}
	t.dir = dir
	if t.metrics, err = run.ReadMetrics(dir); err != nil || len(t.metrics) == updates {
		return err
	}
	if err := os.RemoveAll(dir); err != nil { // cut short
		return err
	}
	if err := t.record(dir, complete, train); err != nil {
		return err
	}
	if len(t.metrics) != updates {
		return fmt.Errorf("%s %v: the run ended early", t.recipe, t.settings)
	}
	return nil
}

func (l *lab) path(name string) string { return filepath.Join(l.docs, name) }
