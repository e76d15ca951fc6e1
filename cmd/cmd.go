// Package cmd is the program agon: one file a verb. cmd/agon is its main.
package cmd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/go-logr/logr"
	"github.com/rs/zerolog"
	"github.com/spf13/cobra"
	"golang.org/x/term"
	"k8s.io/klog/v2"

	"github.com/agon-rl/agon/agents"
	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/internal/spec"
	"github.com/agon-rl/agon/plugins"
	"github.com/agon-rl/agon/policy/backend"
)

// Version is the program's version.
const Version = "0.1.0"

// Exit statuses.
const (
	statusDone   = 0
	statusFailed = 1
	statusUsage  = 2
)

// usageError marks what the person typed as the cause: exit status 2.
type usageError struct{ error }

func (u usageError) Unwrap() error { return u.error }

func usage(err error) error {
	if err == nil {
		return nil
	}
	return usageError{err}
}

// program is one execution: its streams and what holds for all verbs.
type program struct {
	in          io.Reader
	out, errOut io.Writer
	log         zerolog.Logger
	json        bool
	backend     string
	plugins     *plugins.Opened
	choice      string // the backend that was opened, and why; "" before
}

// Main runs the program and returns its exit status: 0 done, 1 failed, 2 wrong
// use. An error is one line on errOut.
func Main(args []string, in io.Reader, out, errOut io.Writer) (status int) {
	defer func() {
		if r := recover(); r != nil {
			complain(errOut, "agon: this is a defect of the program, please report it: %v\n", r)
			if os.Getenv("AGON_DEBUG") != "" {
				complain(errOut, "%s", debug.Stack())
			}
			status = statusFailed
		}
	}()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// A second signal ends the program at once.
	context.AfterFunc(ctx, stop)
	output := &output{to: out}
	p := &program{in: &input{ctx: ctx, from: in}, out: output, errOut: errOut}
	level := zerolog.InfoLevel
	if os.Getenv("AGON_DEBUG") != "" {
		level = zerolog.DebugLevel
	}
	p.log = zerolog.New(zerolog.ConsoleWriter{Out: errOut, NoColor: !isTerminal(errOut), TimeFormat: time.TimeOnly}).Level(level).With().Timestamp().Logger()
	klog.SetLogger(logr.Discard()) // XLA's binding logs what it returns as errors too
	p.plugins = plugins.Find(p.log)
	root := p.root()
	root.SetArgs(args)
	root.SetOut(output)
	root.SetErr(errOut)
	err := root.ExecuteContext(ctx)
	if err == nil {
		err = p.plugins.Err() // what a plugin did not answer, and was not noticed
	}
	err = errors.Join(err, p.plugins.Close())
	if err == nil {
		err = output.err // what was printed for people, and got lost
	}
	if err == nil {
		return statusDone
	}
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		err = errors.New("stopped")
	}
	complain(errOut, "agon: %s\n", oneLine(err))
	var typed usageError
	var name *agents.NameError
	if errors.As(err, &typed) || errors.As(err, &name) {
		return statusUsage
	}
	return statusFailed
}

// complain writes to standard error; where even that fails nothing is left to do.
func complain(errOut io.Writer, format string, args ...any) {
	_, _ = fmt.Fprintf(errOut, format, args...)
}

// oneLine joins the lines of an error.
func oneLine(err error) string {
	lines := strings.Split(strings.TrimSpace(err.Error()), "\n")
	return strings.Join(lines, "; ")
}

func (p *program) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "agon",
		Short: "Self-play reinforcement learning in zero-sum games",
		Long: `Agon trains agents by self-play in zero-sum games, measures them exactly where
the game allows it, and plays them against each other.`,
		Version:       Version,
		SilenceErrors: true,
		SilenceUsage:  true,
		Example: `  agon train kuhn_poker
  agon eval run:runs/kuhn_poker --exploitability
  agon play tic_tac_toe`,
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return usage(fmt.Errorf("%s%w (%s --help)", prefix(c), err, c.CommandPath()))
	})
	choose(root,
		p.gamesVerb(), p.replayVerb(), p.playVerb(), p.trainVerb(), p.evalVerb(), p.tournamentVerb(),
		p.solveVerb(), p.searchVerb(), p.prefsVerb(), p.objectivesVerb(), p.feedbackVerb(), p.spcVerb(), p.pluginVerb(), p.serveVerb(), p.backendVerb(), p.runsVerb(), p.benchVerb(),
	)
	root.RunE = func(c *cobra.Command, _ []string) error { return c.Help() }
	root.SetHelpCommand(helpVerb(root))
	return root
}

// choose adds the verbs below one that does nothing by itself, and has it
// refuse others with the nearest.
func choose(c *cobra.Command, verbs ...*cobra.Command) {
	c.AddCommand(verbs...)
	var names []string
	for _, verb := range verbs {
		names = append(names, verb.Name())
	}
	c.Args = func(_ *cobra.Command, args []string) error {
		if len(args) == 0 {
			return nil
		}
		return usage(fmt.Errorf("%sunknown verb %q%s; there are %s", prefix(c), args[0], spec.Suggest(args[0], names), strings.Join(names, ", ")))
	}
	c.RunE = func(*cobra.Command, []string) error {
		return usage(fmt.Errorf("%sexpected a verb: %s", prefix(c), strings.Join(names, ", ")))
	}
}

// helpVerb is cobra's, except that it refuses what there is no help on.
func helpVerb(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use:     "help [VERB]",
		Short:   "Explain a verb",
		Example: "  agon help train",
		RunE: func(_ *cobra.Command, args []string) error {
			c, rest, err := root.Find(args)
			if err == nil && c.HasSubCommands() && len(rest) > 0 {
				err = c.Args(c, rest)
			}
			if err != nil {
				return err
			}
			return c.Help()
		},
	}
}

// prefix names a verb at the beginning of an error: "runs show: ".
func prefix(c *cobra.Command) string {
	if !c.HasParent() {
		return ""
	}
	return strings.TrimPrefix(c.CommandPath(), c.Root().Name()+" ") + ": "
}

// jsonFlag adds --json to a verb that reports.
func (p *program) jsonFlag(c *cobra.Command, form string) {
	c.Flags().BoolVar(&p.json, "json", false, "print "+form+" on standard output and nothing else there")
}

// backendFlag adds --backend to a verb that runs networks.
func (p *program) backendFlag(c *cobra.Command) {
	initial := os.Getenv("AGON_BACKEND")
	if initial == "" {
		initial = backend.Auto
	}
	c.Flags().StringVar(&p.backend, "backend", initial, strings.Join(backend.Names(), ", ")+" (or AGON_BACKEND)")
}

// openBackend opens the chosen backend.
func (p *program) openBackend() (backend.Backend, error) {
	b, choice, err := backend.Open(p.backend)
	if err != nil {
		if !slices.Contains(backend.Names(), p.backend) {
			err = usage(err)
		}
		return nil, err
	}
	p.choice = choice.String()
	return b, nil
}

// tellBackend says on the log which backend was opened and why. It is called
// when work begins, so that an error before it stands alone.
func (p *program) tellBackend() {
	if p.choice != "" {
		p.log.Info().Msgf("backend %s", p.choice)
	}
}

// environment is what agents are opened in. The backend is opened once, when
// the first agent needs it.
func (p *program) environment(game games.Game) agents.Environment {
	var opened backend.Backend
	return agents.Environment{
		Game: game, In: p.in, Out: p.out,
		Warn: func(err error) { p.log.Warn().Msg(oneLine(err)) },
		Backend: func() (b backend.Backend, err error) {
			if opened == nil {
				opened, err = p.openBackend()
			}
			return opened, err
		},
	}
}

// print writes one JSON object as a line.
func (p *program) print(v any) error {
	line, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("writing JSON: %w", err)
	}
	_, err = fmt.Fprintf(p.out, "%s\n", line)
	return err
}

// say writes a line for people.
func (p *program) say(format string, args ...any) {
	fmt.Fprintf(p.out, format+"\n", args...) //nolint:errcheck // Main looks at the output's first error
}

// exactly is cobra.ExactArgs as wrong use, naming what is expected.
func exactly(n int, what string) cobra.PositionalArgs {
	return between(n, n, what)
}

func between(lo, hi int, what string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) < lo || len(args) > hi {
			return usage(fmt.Errorf("%s%d given: expected %s (%s --help)", prefix(c), len(args), what, c.CommandPath()))
		}
		return nil
	}
}

func isTerminal(w any) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
