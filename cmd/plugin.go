package cmd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/internal/spec"
	"github.com/agon-rl/agon/plugins"
)

func (p *program) pluginVerb() *cobra.Command {
	c := &cobra.Command{
		Use:   "plugin",
		Short: "Games in processes of their own: list, check, write, serve",
		Long: `A plugin is a program that serves a game. Wherever a game is named, a plugin
is too: by its program, as in plugin:./nim or plugin:./nim(rows=3); by its
folder, where that holds a manifest plugin.yaml; or, where the folder lies in one
of those that AGON_PLUGINS lists, by its name.`,
	}
	choose(c, p.pluginListVerb(), p.pluginCheckVerb(), p.pluginNewVerb(), p.pluginWrapVerb(), p.pluginServeVerb())
	return c
}

// pluginReport is what --json prints of an installed plugin.
type pluginReport struct {
	Name    string   `json:"name"`
	Summary string   `json:"summary,omitempty"`
	Folder  string   `json:"folder"`
	Command []string `json:"command"`
}

func (p *program) pluginListVerb() *cobra.Command {
	c := &cobra.Command{
		Use:     "list",
		Short:   "List the plugins that are installed",
		Example: "  agon plugin list",
		Args:    exactly(0, "nothing"),
		RunE: func(*cobra.Command, []string) error {
			installed, broken := plugins.Installed()
			if broken != nil {
				p.log.Warn().Msg(oneLine(broken))
			}
			t := table.NewWriter()
			t.AppendHeader(table.Row{"game", "summary", "folder"})
			for _, m := range installed {
				if p.json {
					if err := p.print(pluginReport{m.Name, m.Summary, m.Folder, m.Command}); err != nil {
						return err
					}
				}
				t.AppendRow(table.Row{m.Name, m.Summary, m.Folder})
			}
			switch {
			case p.json:
			case len(installed) == 0:
				p.say("no plugin in %s", strings.Join(plugins.Folders(), ", "))
			default:
				p.say("%s", t.Render())
			}
			return nil
		},
	}
	p.jsonFlag(c, "one object a plugin")
	return c
}

func (p *program) pluginServeVerb() *cobra.Command {
	return &cobra.Command{
		Use:   "serve GAME",
		Short: "Be a plugin that serves a game of Agon's own",
		Long: `Serves a game to the Agon that started this program, as in
plugin:agon plugin serve kuhn_poker. It is what measures the transport: the game
is the same, only its place differs.`,
		Example: "  agon bench --only playouts --game 'plugin:agon plugin serve tic_tac_toe'",
		Args:    exactly(1, "one game"),
		RunE: func(_ *cobra.Command, args []string) error {
			for _, r := range games.All() {
				if r.Name == args[0] {
					if !plugins.Called() {
						return fmt.Errorf("plugin serve: this is for Agon to start: agon plugin check 'plugin:agon plugin serve %s'", r.Name)
					}
					plugins.ServeRules(r)
					return nil
				}
			}
			var names []string
			for _, r := range games.All() {
				names = append(names, r.Name)
			}
			return usage(fmt.Errorf("plugin serve: unknown game %q%s; parameters come from the host", args[0], spec.Suggest(args[0], names)))
		},
	}
}

// checkOptions are the flags of agon plugin check.
type checkOptions struct {
	against string
	speed   bool
	seed    uint64
	nodes   int
	walks   int
}

func (p *program) pluginCheckVerb() *cobra.Command {
	var o checkOptions
	c := &cobra.Command{
		Use:   "check PLUGIN",
		Short: "Check that a plugin keeps the promises of a game",
		Long: `Plays the game in all ways up to a number of histories, then at random, and
reports what fails with the shortest history that shows it. With --against, the
shortest history on which two games differ.`,
		Example: `  agon plugin check plugin:./nim
  agon plugin check nim --speed
  agon plugin check 'plugin:python kuhn.py' --against kuhn_poker`,
		Args: exactly(1, "one plugin"),
		RunE: func(c *cobra.Command, args []string) error {
			return p.checkPlugin(c.Context(), args[0], o)
		},
	}
	c.Flags().StringVar(&o.against, "against", "", "a game, in Agon or a plugin, to compare with")
	c.Flags().BoolVar(&o.speed, "speed", false, "measure steps a second, one at a time and in batches")
	c.Flags().Uint64Var(&o.seed, "seed", 1, "seed of the random games")
	c.Flags().IntVar(&o.nodes, "histories", 300, "how many histories are enumerated, shortest first")
	c.Flags().IntVar(&o.walks, "walks", 20, "how many random games are played")
	p.jsonFlag(c, "one object")
	return c
}

// checkReport is what --json prints.
type checkReport struct {
	Plugin   string                `json:"plugin"`
	Game     string                `json:"game"`
	Failures []string              `json:"failures"`
	Notes    []string              `json:"notes,omitempty"`
	Against  string                `json:"against,omitempty"`
	Differs  string                `json:"differs,omitempty"`
	Speed    []plugins.SpeedResult `json:"speed,omitempty"`
}

var errPluginFails = errors.New("the plugin does not pass")

func (p *program) checkPlugin(ctx context.Context, name string, o checkOptions) error {
	options, found, err := plugins.Named(name)
	if err != nil {
		return usage(err)
	}
	if !found {
		return usage(fmt.Errorf("plugin check: %q is no installed plugin (`agon plugin list`); a program is named as in plugin:./%s", name, name))
	}
	options.Log = p.log
	report := checkReport{Plugin: name, Against: o.against, Failures: []string{}}
	result, err := plugins.Check(ctx, options, plugins.CheckOptions{Seed: o.seed, Histories: o.nodes, Walks: o.walks})
	if err != nil {
		return err
	}
	report.Game, report.Notes = result.Game, result.Notes
	for _, f := range result.Failures {
		report.Failures = append(report.Failures, f.Error())
	}
	if o.against != "" {
		if report.Differs, err = p.compareGames(ctx, name, o); err != nil {
			return err
		}
	}
	if o.speed && len(report.Failures) == 0 {
		if report.Speed, err = plugins.Speed(ctx, options); err != nil {
			return err
		}
	}
	if err := p.tellCheck(report); err != nil {
		return err
	}
	if len(report.Failures) > 0 || report.Differs != "" {
		return errPluginFails
	}
	return nil
}

func (p *program) compareGames(ctx context.Context, name string, o checkOptions) (string, error) {
	if !strings.HasPrefix(name, plugins.Prefix) {
		name = plugins.Prefix + name
	}
	game, err := games.New(name)
	if err != nil {
		return "", err
	}
	reference, err := games.New(o.against)
	if err != nil {
		return "", usage(err)
	}
	difference, err := plugins.Compare(ctx, game, reference, plugins.CheckOptions{Seed: o.seed, Histories: o.nodes, Walks: o.walks})
	return difference, err
}

func (p *program) tellCheck(r checkReport) error {
	if p.json {
		return p.print(r)
	}
	p.say("%s: the game %s", r.Plugin, r.Game)
	for _, note := range r.Notes {
		p.say("note: %s", note)
	}
	for _, f := range r.Failures {
		p.say("fails: %s", strings.ReplaceAll(f, "\n", " "))
	}
	if len(r.Failures) == 0 {
		p.say("passes: every promise of a game was kept")
	}
	switch {
	case r.Differs != "":
		p.say("differs from %s: %s", r.Against, r.Differs)
	case r.Against != "":
		p.say("the same as %s on every history that was tried", r.Against)
	}
	if len(r.Speed) > 0 {
		t := table.NewWriter()
		t.AppendHeader(table.Row{"states a call", "steps/s"})
		for _, s := range r.Speed {
			t.AppendRow(table.Row{s.Batch, fmt.Sprintf("%.4g", s.PerSecond)})
		}
		p.say("%s", t.Render())
	}
	return nil
}

func (p *program) pluginNewVerb() *cobra.Command {
	var lang string
	c := &cobra.Command{
		Use:   "new NAME",
		Short: "Write a working game, with its test, to start from",
		Example: `  agon plugin new nim --lang go
  agon plugin new nim --lang python`,
		Args: exactly(1, "one name"),
		RunE: func(_ *cobra.Command, args []string) error {
			files, err := plugins.Scaffold(args[0], lang)
			if err != nil {
				return usage(err)
			}
			if _, err := os.Stat(args[0]); err == nil {
				return usage(fmt.Errorf("plugin new: %s is there already: choose another name, or remove it", args[0]))
			}
			if err := files.Write(args[0]); err != nil {
				return err
			}
			p.say("%s", files.Next)
			return nil
		},
	}
	c.Flags().StringVar(&lang, "lang", "go", "go or python")
	return c
}

func (p *program) pluginWrapVerb() *cobra.Command {
	var out, python string
	c := &cobra.Command{
		Use:   "wrap KIND NAME [-- OPTION...]",
		Short: "Make a plugin of an environment of another Python library",
		Long: `Writes a folder with a manifest that serves an environment of gymnasium,
pettingzoo, openspiel, textarena or an OpenEnv server through the Python package
agon_game. What follows -- goes to its wrapper (python -m agon_game.wrap --help):
the bounds of returns, the texts of TextArena's actions.`,
		Example: `  agon plugin wrap openspiel kuhn_poker
  agon plugin wrap gymnasium CartPole-v1 -- --min 0 --max 500
  agon plugin wrap textarena KuhnPoker-v0 -- --max-length 15 --actions [check] [bet] [call] [fold]`,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) < 2 {
				return usage(fmt.Errorf("%s%d given: expected a kind and a name (%s --help)", prefix(c), len(args), c.CommandPath()))
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error {
			wrapped, err := plugins.Wrap(python, args[0], args[1], args[2:])
			if err != nil {
				return usage(err)
			}
			if out == "" {
				out = wrapped.Name
			}
			if _, err := os.Stat(out); err == nil {
				return usage(fmt.Errorf("plugin wrap: %s is there already: choose another folder with --out, or remove it", out))
			}
			if err := wrapped.Write(out); err != nil {
				return err
			}
			p.say("wrote %s: agon plugin check plugin:%s", out, out)
			return nil
		},
	}
	c.Flags().StringVar(&out, "out", "", "the folder (default the environment's name)")
	c.Flags().StringVar(&python, "python", "python3", "the Python that has agon_game and the library")
	return c
}
