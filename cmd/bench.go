package cmd

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/objective"
	"github.com/agon-rl/agon/play"
	"github.com/agon-rl/agon/policy"
	"github.com/agon-rl/agon/policy/backend"
	"github.com/agon-rl/agon/solve"
	"github.com/agon-rl/agon/trainer"
)

// benchReport is one measured rate.
type benchReport struct {
	Name      string  `json:"name"`
	Game      string  `json:"game"`
	Backend   string  `json:"backend,omitempty"`
	Hidden    []int   `json:"hidden,omitempty"` // widths of the network's layers
	Rows      int     `json:"rows,omitempty"`   // states or turns a call
	PerSecond float64 `json:"per_second"`
	Unit      string  `json:"unit"`
}

var benchNames = []string{"playouts", "cfr", "exploitability", "inference", "update"}

// bencher measures for as long as asked and reports.
type bencher struct {
	*program
	least  time.Duration
	hidden []int // of the network
	table  table.Writer
}

func (p *program) benchVerb() *cobra.Command {
	var only, gameNames []string
	var hidden []int
	var seconds float64
	c := &cobra.Command{
		Use:   "bench",
		Short: "Measure playouts, solvers, inference and updates on this machine",
		Example: `  agon bench
  agon bench --only playouts --game kuhn_poker --game connect_four --json
  agon bench --only inference,update --hidden 512,512,512`,
		Args: exactly(0, "no argument"),
		RunE: func(c *cobra.Command, _ []string) error {
			for _, name := range only {
				if !slices.Contains(benchNames, name) {
					return usage(fmt.Errorf("bench: --only %q: expected %s", name, strings.Join(benchNames, ", ")))
				}
			}
			if seconds <= 0 || seconds > 3600 {
				return usage(fmt.Errorf("bench: --seconds %g: expected more than 0 and at most 3600", seconds))
			}
			if len(only) == 0 {
				only = benchNames
			}
			b := &bencher{program: p, least: time.Duration(seconds * float64(time.Second)), hidden: hidden, table: table.NewWriter()}
			return b.run(c.Context(), only, gameNames)
		},
	}
	c.Flags().StringSliceVar(&only, "only", nil, strings.Join(benchNames, ", "))
	c.Flags().StringArrayVar(&gameNames, "game", nil, "games to measure playouts of (default: all)")
	c.Flags().IntSliceVar(&hidden, "hidden", []int{128, 128}, "widths of the layers of the network that inference and update measure")
	c.Flags().Float64Var(&seconds, "seconds", 1, "least time of each measurement")
	p.jsonFlag(c, "one object a rate")
	return c
}

func (b *bencher) run(ctx context.Context, only, gameNames []string) error {
	b.table.AppendHeader(table.Row{"what", "game", "backend", "rows", "a second", "unit"})
	for _, name := range only {
		var err error
		switch name {
		case "playouts":
			err = b.playouts(ctx, gameNames)
		case "cfr":
			err = b.cfr(ctx)
		case "exploitability":
			err = b.exploitability(ctx)
		case "inference", "update":
			err = b.networks(ctx, name)
		}
		if err != nil {
			return err
		}
	}
	if !b.json {
		b.say("%s", b.table.Render())
	}
	return nil
}

func (b *bencher) report(r benchReport) error {
	if b.json {
		return b.print(r)
	}
	rows := ""
	if r.Rows > 0 {
		rows = fmt.Sprint(r.Rows)
	}
	b.table.AppendRow(table.Row{r.Name, r.Game, r.Backend, rows, fmt.Sprintf("%.4g", r.PerSecond), r.Unit})
	return nil
}

// rate calls f again and again for the least time, f doing a number of things
// each time.
func (b *bencher) rate(ctx context.Context, f func() (int, error)) (float64, error) {
	if _, err := f(); err != nil { // compiles and warms
		return 0, err
	}
	began, done := time.Now(), 0
	for time.Since(began) < b.least {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		n, err := f()
		if err != nil {
			return 0, err
		}
		done += n
	}
	return float64(done) / time.Since(began).Seconds(), nil
}

// playouts measures random games on one core, from the first decision on.
func (b *bencher) playouts(ctx context.Context, names []string) error {
	if len(names) == 0 {
		for _, r := range games.All() {
			names = append(names, r.Name)
		}
	}
	for _, name := range names {
		game, err := games.New(name)
		if err != nil {
			return usage(err)
		}
		start, r := game.Start(), play.Generator(1, "bench")
		for start.Turn() == games.Chance {
			a, err := games.Draw(start, r)
			if err != nil {
				return err
			}
			if err := start.Apply(a); err != nil {
				return err
			}
		}
		count, took, err := play.Playouts(start, b.least, r)
		if err != nil {
			return err
		}
		if err := b.report(benchReport{Name: "playouts", Game: name, PerSecond: float64(count) / took.Seconds(), Unit: "games"}); err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}

// cfr measures the methods of `agon solve`: iterations of those that go on,
// whole solutions of those that end.
func (b *bencher) cfr(ctx context.Context) error {
	for _, bench := range []struct {
		game           string
		endless, exact []string
	}{
		{"kuhn_poker", []string{"cfr", "cfr+", "lcfr", "dcfr", "pcfr+", "mccfr", "mccfr(sampling=outcome)", "fp", "mmd"}, []string{"lp", "double_oracle"}},
		{"leduc_poker", []string{"cfr", "cfr+", "lcfr", "dcfr", "pcfr+", "mccfr", "mccfr(sampling=outcome)", "fp", "mmd"}, []string{"lp"}},
	} {
		tree, err := compileNamed(ctx, bench.game)
		if err != nil {
			return err
		}
		for _, method := range bench.endless {
			solver, err := startNamed(tree, method)
			if err != nil {
				return err
			}
			f := func() (int, error) { return 10, solver.Iterate(ctx, 10) }
			if err := b.measure(ctx, benchReport{Name: method, Game: bench.game, Unit: "iterations"}, f); err != nil {
				return err
			}
		}
		for _, method := range bench.exact {
			f := func() (int, error) {
				solver, err := startNamed(tree, method)
				if err != nil {
					return 0, err
				}
				return 1, solver.Iterate(ctx, 1000)
			}
			if err := b.measure(ctx, benchReport{Name: method, Game: bench.game, Unit: "solutions"}, f); err != nil {
				return err
			}
		}
	}
	return nil
}

// exploitability measures uniform play from nothing, the enumeration of the game
// included.
func (b *bencher) exploitability(ctx context.Context) error {
	for _, name := range []string{"kuhn_poker", "leduc_poker", "liars_dice"} {
		f := func() (int, error) {
			tree, err := compileNamed(ctx, name)
			if err != nil {
				return 0, err
			}
			_, err = tree.Evaluate(ctx, policy.Uniform{})
			return 1, err
		}
		if err := b.measure(ctx, benchReport{Name: "exploitability", Game: name, Unit: "calls"}, f); err != nil {
			return err
		}
	}
	return nil
}

// measure reports the rate of f.
func (b *bencher) measure(ctx context.Context, r benchReport, f func() (int, error)) (err error) {
	if r.PerSecond, err = b.rate(ctx, f); err != nil {
		return err
	}
	return b.report(r)
}

func compileNamed(ctx context.Context, name string) (*solve.Tree, error) {
	game, err := games.New(name)
	if err != nil {
		return nil, err
	}
	return solve.Compile(ctx, game, solve.DefaultNodes)
}

func startNamed(tree *solve.Tree, method string) (solve.Solver, error) {
	start, err := solve.ParseMethod(method)
	if err != nil {
		return nil, err
	}
	return start(tree)
}

// networks measures a network on every backend that works here.
func (b *bencher) networks(ctx context.Context, what string) error {
	game, err := games.New("leduc_poker")
	if err != nil {
		return err
	}
	arch := policy.Arch{Kind: "mlp", Hidden: b.hidden, Activation: "relu"}
	if err := arch.Validate(game.Info()); err != nil {
		return usage(fmt.Errorf("bench: --hidden: %w", err))
	}
	for _, entry := range backend.List() {
		if !entry.Available {
			continue
		}
		device, _, err := backend.Open(entry.Name)
		if err != nil {
			return err
		}
		defer device.Finalize()
		model, err := policy.NewModel(device, game.Info(), arch, policy.NewTensors(game.Info()))
		if err != nil {
			return err
		}
		for _, rows := range []int{1, 32, 1024} {
			f, err := b.networkCall(what, model, rows)
			if err != nil {
				return err
			}
			rate, err := b.rate(ctx, f)
			if err != nil {
				return err
			}
			if err := b.report(benchReport{Name: what, Game: "leduc_poker", Backend: entry.Name, Hidden: b.hidden, Rows: rows, PerSecond: rate, Unit: "calls"}); err != nil {
				return err
			}
		}
	}
	return nil
}

func (b *bencher) networkCall(what string, model *policy.Model, rows int) (func() (int, error), error) {
	r := play.Generator(1, "bench")
	weights, err := model.Draw(r)
	if err != nil {
		return nil, err
	}
	x := make([]float32, rows*model.Encoder.Size())
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	if what == "inference" {
		network, err := model.Network(weights)
		if err != nil {
			return nil, err
		}
		return func() (int, error) {
			_, _, err := network.Forward(x, rows)
			return 1, err
		}, nil
	}
	recipe := trainer.Defaults()
	lesson := trainer.Advantages(objective.PolicyGradient{Name: "ppo", Clip: 0.2})
	updater, err := trainer.NewUpdater(model, recipe.Optimizer.Optimizer, weights, false, lesson)
	if err := errors.Join(err, weights.Close()); err != nil {
		return nil, err
	}
	turns := make([]policy.Turn, rows)
	for i := range turns {
		width := model.Encoder.Size()
		step := &policy.Step{
			Input: policy.Encoded(x[i*width : (i+1)*width]),
			Picks: []policy.Pick{{Token: games.Action(r.IntN(3)), LogProb: -1.0986, Allowed: []games.Action{0, 1, 2}}},
		}
		turns[i] = policy.Turn{Step: step, Advantage: float32(r.NormFloat64())}
	}
	return func() (int, error) {
		_, err := updater.Learn(lesson.Name, turns, trainer.Coefficients{Rate: 1e-3})
		return 1, err
	}, nil
}
