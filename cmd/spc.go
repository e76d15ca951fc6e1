package cmd

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"github.com/agon-rl/agon/recipes"
	"github.com/agon-rl/agon/runs"
	"github.com/agon-rl/agon/runs/report"
	"github.com/agon-rl/agon/spc"
	"github.com/agon-rl/agon/trainer"
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
	choose(c, p.spcTrainVerb())
	return c
}

var selfPlayCritic = school{
	kind: recipes.SPC, goOn: "agon spc train",
	read: func(text []byte, settings []string) ([]byte, opening, error) {
		if err := recipes.Expect(recipes.SPC, text); err != nil {
			return nil, nil, usage(err)
		}
		recipe, err := spc.ReadRecipe(text, settings)
		if err != nil {
			return nil, nil, usage(err)
		}
		recipe.Program = "agon " + Version
		complete, err := recipe.YAML()
		return complete, openCritic(recipe), err
	},
	runRecipe: func(run *runs.Run) (opening, error) {
		recipe, err := spc.RecipeOf(run)
		return openCritic(recipe), err
	},
	report: report.Write,
}

func openCritic(recipe spc.Recipe) opening {
	return func(ctx context.Context, options trainer.Options) (pupil, error) { return spc.New(ctx, recipe, options) }
}

func (p *program) spcTrainVerb() *cobra.Command {
	var settings []string
	var out string
	var workers int
	names := strings.Join(recipes.Names(recipes.SPC), ", ")
	c := &cobra.Command{
		Use:   "train RECIPE|FILE.yaml|GAME|RUN",
		Short: "Train a sneaky generator and a critic against each other",
		Long: `Trains by a recipe: one that comes with Agon (` + names + `), a YAML
file that says kind: spc, or a game with the default settings. Every setting can
be changed with --set path=value. The run is written to a folder; the folder of a
run that was stopped or killed, in the recipe's place, goes on with it as if it
had not been.`,
		Example: `  agon spc train sneaky_critic
  agon spc train sneaky_critic --set 'game=sneaky_critic(domain=horn)' --set rounds=2
  agon spc train sneaky_critic --set objective.name=offline --out runs/offline
  agon spc train inspection --set objective.name=best-response
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
	c.Flags().StringArrayVar(&settings, "set", nil, "change a setting of the recipe: path=value")
	c.Flags().StringVar(&out, "out", "", "folder of the run (default runs/NAME, with a number where that is taken)")
	c.Flags().IntVar(&workers, "workers", runtime.GOMAXPROCS(0), "groups of games played at the same time; changes nothing but the speed")
	p.backendFlag(c)
	p.jsonFlag(c, "one object at the end")
	return c
}

// isRun tells the folder of a run from the name of a recipe.
func isRun(name string) bool {
	info, err := os.Stat(filepath.Clean(name))
	return err == nil && info.IsDir()
}
