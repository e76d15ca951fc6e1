package cmd

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/solve"
)

func (p *program) solveVerb() *cobra.Command {
	var method, out string
	var iterations int
	c := &cobra.Command{
		Use:   "solve GAME",
		Short: "Solve a game exactly",
		Long: `Solves a game that is small enough to enumerate and prints the exploitability
of its policy at 1, 2, 5, 10, 20, 50 … iterations; minimax prints the value of a
game in which nothing is hidden. Methods:

` + solve.MethodForms + `
minimax                                perfect play where nothing is hidden
alphabeta                              its value alone, by alpha-beta with memory`,
		Example: `  agon solve kuhn_poker --iterations 1000 --out kuhn.json
  agon solve leduc_poker --method cfr --iterations 200 --json
  agon solve tic_tac_toe --method minimax`,
		Args: exactly(1, "one game"),
		RunE: func(c *cobra.Command, args []string) error {
			game, err := games.New(args[0])
			if err != nil {
				return usage(err)
			}
			if method == "minimax" || method == "alphabeta" {
				if out != "" {
					return usage(fmt.Errorf("solve: --out writes the policies of the other methods; %s has none to write", method))
				}
				return p.perfect(c.Context(), game, method)
			}
			start, err := solve.ParseMethod(method)
			if err != nil {
				return usage(err)
			}
			if iterations < 1 {
				return usage(fmt.Errorf("solve: --iterations %d: expected 1 or more", iterations))
			}
			if err := writable("--out", out); err != nil {
				return err
			}
			return p.iterate(c.Context(), game, start, iterations, out)
		},
	}
	c.Flags().StringVar(&method, "method", "cfr+", "a method as above")
	c.Flags().IntVar(&iterations, "iterations", 1000, "how many iterations")
	c.Flags().StringVar(&out, "out", "", "write the policy to this JSON file")
	p.jsonFlag(c, `{"iteration","exploitability"} a line`)
	return c
}

// writable says early, before hours of work, that a file cannot be written.
func writable(flag, path string) error {
	if path == "" {
		return nil
	}
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return usage(fmt.Errorf("%s %s: expected a file; it is a folder or a device", flag, path))
	}
	probe, err := os.CreateTemp(filepath.Dir(path), ".agon-*")
	if err != nil {
		var cause *fs.PathError // without the probe's name
		if errors.As(err, &cause) {
			err = cause.Err
		}
		return fmt.Errorf("%s %s: its folder cannot be written to: %w", flag, path, err)
	}
	if err := probe.Close(); err != nil {
		return fmt.Errorf("--out %s cannot be written: %w", path, err)
	}
	return os.Remove(probe.Name())
}

type solveReport struct {
	Iteration      int     `json:"iteration"`
	Exploitability float64 `json:"exploitability"`
}

// iterate runs a method on a game and prints how close it comes.
func (p *program) iterate(ctx context.Context, game games.Game, start func(*solve.Tree) (solve.Solver, error), iterations int, out string) error {
	tree, err := solve.Compile(ctx, game, solve.DefaultNodes)
	if err != nil {
		return err
	}
	solver, err := start(tree)
	if err != nil {
		return err
	}
	if !p.json {
		p.say("%s: %d histories, %d information states", tree.Info.Name, tree.Nodes(), len(tree.Sets))
		p.say("%10s  %s", "iteration", "exploitability")
	}
	var report solve.Report
	for i, stop := range marks(iterations) {
		before := solver.Iterations()
		if err := solver.Iterate(ctx, stop-before); err != nil {
			return err
		}
		done := solver.Iterations()
		if i > 0 && done == before { // nothing was left to do
			break
		}
		if report, err = tree.Measure(solver.Strategy()); err != nil {
			return err
		}
		if p.json {
			err = p.print(solveReport{done, report.Exploitability})
		} else {
			p.say("%10d  %.9f", done, report.Exploitability)
		}
		if err != nil {
			return err
		}
	}
	if !p.json {
		p.say("value of the first seat under this policy: %.9f", report.Value[0])
	}
	if out == "" {
		return nil
	}
	if err := tree.Table(solver.Strategy()).WriteFile(out); err != nil {
		return err
	}
	if !p.json {
		p.say("the policy is in %s", out)
	}
	return nil
}

// marks lists 1, 2, 5, 10, 20, 50 … and n.
func marks(n int) []int {
	var out []int
	for decade := 1; ; decade *= 10 {
		for _, m := range []int{1, 2, 5} {
			if m*decade >= n {
				return append(out, n)
			}
			out = append(out, m*decade)
		}
	}
}

func (p *program) perfect(ctx context.Context, game games.Game, method string) error {
	value, positions, err := perfectValue(ctx, game, method)
	if err != nil {
		return err
	}
	if p.json {
		return p.print(map[string]any{"game": game.Info().Name, "value": value, "positions": positions})
	}
	p.say("%s: the first seat's value is %g; %d positions", game.Info().Name, value, positions)
	return nil
}

func perfectValue(ctx context.Context, game games.Game, method string) (float64, int, error) {
	if method == "alphabeta" {
		return solve.AlphaBeta(ctx, game, solve.DefaultPositions)
	}
	perfect, err := solve.Minimax(ctx, game)
	if err != nil {
		return 0, 0, err
	}
	value, err := perfect.Value(ctx, game.Start())
	return value, perfect.Positions(), err
}
