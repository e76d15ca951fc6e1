package cmd

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/internal/spec"
	"github.com/agon-rl/agon/policy"
	"github.com/agon-rl/agon/solve"
	"github.com/agon-rl/agon/trainer/run/report"
)

func (p *program) solveVerb() *cobra.Command {
	var o solveOptions
	c := &cobra.Command{
		Use:   "solve GAME",
		Short: "Solve a game exactly",
		Long: `Solves a game that is small enough to enumerate and prints the exploitability
of its policy at 1, 2, 5, 10, 20, 50 … iterations; minimax prints the value of a
game in which nothing is hidden. Several methods, between commas, follow one
another. Methods:

` + solve.MethodForms + `

minimax                                perfect play where nothing is hidden
alphabeta                              its value alone, by alpha-beta with memory

With --json, a line for every method and mark: iteration, exploitability (the gap by
seat) and method; those of Nash and preference learning add queries (how often the
judge was asked what all answers earn), comparisons (where it is sampled), gap and
average_gap (the duality gap of the last and of the average iterate) and, where
they solve a regularised game, regularised_gap, kl (from its equilibrium to the
last iterate) and kl_bound (what theory says it is at most); and where several
policies play, gains: what a best response of each would gain.`,
		Example: `  agon solve kuhn_poker --iterations 1000 --out kuhn.json
  agon solve leduc_poker --method cfr --iterations 200 --json
  agon solve tic_tac_toe --method minimax
  agon solve 'matrix(soft_rps)' --method 'egpo(beta=0.1,reference=random),nash-mp(reference=random)' --json
  agon solve 'matrix(random(n=10,seed=1))' --method hedge,optimistic,comal --plot gap.svg`,
		Args: exactly(1, "one game"),
		RunE: func(c *cobra.Command, args []string) error {
			game, err := games.New(args[0])
			if err != nil {
				return usage(err)
			}
			methods, err := o.check()
			if err != nil {
				return err
			}
			if len(methods) == 0 {
				return p.perfect(c.Context(), game, o.methods)
			}
			return p.solve(c.Context(), game, methods, o)
		},
	}
	c.Flags().StringVar(&o.methods, "method", "cfr+", "methods as above, between commas")
	c.Flags().IntVar(&o.iterations, "iterations", 1000, "how many iterations")
	c.Flags().IntVar(&o.players, "players", 0, "so many players with a policy each, who meet all others (a game that is the same from both seats)")
	c.Flags().StringVar(&o.out, "out", "", "write the policy to this JSON file")
	c.Flags().StringVar(&o.plot, "plot", "", "draw the gap over iterations and queries into this .svg or .png file")
	p.jsonFlag(c, `{"iteration","exploitability","method",…} a line`)
	return c
}

type solveOptions struct {
	methods, out, plot string
	iterations         int
	players            int // 0 where the game says
}

// solveMethod is a method that can be started: on a matrix game or on a tree.
type solveMethod struct {
	name     string
	onMatrix func(*solve.Polymatrix) (*solve.Dynamics, error) // nil where it works on trees
	onTree   func(*solve.Tree) (solve.Solver, error)
}

// check refuses what cannot be done before anything is. It returns no methods for
// perfect play.
func (o *solveOptions) check() ([]solveMethod, error) {
	names, err := spec.List(o.methods)
	if err != nil {
		return nil, usage(fmt.Errorf("solve: --method %w", err))
	}
	var out []solveMethod
	for _, name := range names {
		if name == "minimax" || name == "alphabeta" {
			switch {
			case len(names) > 1:
				return nil, usage(fmt.Errorf("solve: --method %s: %s has no iterations: expected it alone", o.methods, name))
			case o.out != "":
				return nil, usage(fmt.Errorf("solve: --out writes the policies of the other methods; %s has none to write", name))
			case o.players != 0:
				return nil, usage(fmt.Errorf("solve: --players is for methods of Nash learning; %s plays the game as it is", name))
			case o.plot != "":
				return nil, usage(fmt.Errorf("solve: --plot draws the iterations of the other methods; %s has none", name))
			}
			o.methods = name
			return nil, nil
		}
		m := solveMethod{name: name}
		start, known, err := solve.ParseDynamics(name)
		if m.onMatrix = start; !known && err == nil {
			m.onTree, err = solve.ParseMethod(name)
		}
		if err != nil {
			return nil, usage(err)
		}
		if o.players != 0 && m.onMatrix == nil {
			return nil, usage(fmt.Errorf("solve: --players %d: %s plays games as they are; expected methods of Nash learning alone", o.players, name))
		}
		out = append(out, m)
	}
	if o.players != 0 && o.players < 2 {
		return nil, usage(fmt.Errorf("solve: --players %d: expected 2 or more", o.players))
	}
	if o.players != 0 && o.out != "" {
		return nil, usage(fmt.Errorf("solve: --players %d: --out writes the policy of a game of two seats: leave one of them out", o.players))
	}
	if o.iterations < 1 {
		return nil, usage(fmt.Errorf("solve: --iterations %d: expected 1 or more", o.iterations))
	}
	if o.out != "" && len(out) > 1 {
		return nil, usage(fmt.Errorf("solve: --out %s: %d methods: expected one, whose policy is written", o.out, len(out)))
	}
	if ext := filepath.Ext(o.plot); o.plot != "" && ext != ".svg" && ext != ".png" {
		return nil, usage(fmt.Errorf("solve: --plot %s: expected a name that ends in .svg or .png", o.plot))
	}
	if err := writable("--out", o.out); err != nil {
		return nil, err
	}
	return out, writable("--plot", o.plot)
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
		return fmt.Errorf("%s %s cannot be written: %w", flag, path, err)
	}
	return os.Remove(probe.Name())
}

type solveReport struct {
	Iteration      int      `json:"iteration"`
	Exploitability float64  `json:"exploitability"`
	Method         string   `json:"method"`
	Queries        int      `json:"queries,omitempty"`
	Comparisons    int      `json:"comparisons,omitempty"`
	Gap            *float64 `json:"gap,omitempty"`
	AverageGap     *float64 `json:"average_gap,omitempty"`
	RegularisedGap *float64 `json:"regularised_gap,omitempty"`
	KL             *float64 `json:"kl,omitempty"`
	KLBound        *float64 `json:"kl_bound,omitempty"`
	// Gains are, by player, what a best response gains, where several policies play.
	Gains []float64 `json:"gains,omitempty"`
}

// known is x where it is a number.
func known(x float64) *float64 {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return nil
	}
	return &x
}

// solving is a game under way: its tree, its matrix, and what was measured.
type solving struct {
	game   games.Game
	tree   *solve.Tree       // nil in a contest whose answers are all that is looked at
	matrix *solve.Polymatrix // nil where no method wants it
	lines  []solveReport
}

// table is a strategy as a table over information states.
func (s *solving) table(strategy solve.Strategy) (*policy.Table, error) {
	if s.tree != nil {
		return s.tree.Table(strategy), nil
	}
	contest, ok := s.game.(games.Contest)
	if !ok {
		return nil, fmt.Errorf("%s: it has neither a tree nor answers", s.game.Info().Name)
	}
	return solve.ContestTable(contest, strategy[:contest.Answers()])
}

// solve runs methods on a game, one after another, and prints how close they come.
func (p *program) solve(ctx context.Context, game games.Game, methods []solveMethod, o solveOptions) error {
	s := &solving{game: game}
	var err error
	if slices.ContainsFunc(methods, func(m solveMethod) bool { return m.onMatrix != nil }) {
		if s.matrix, s.tree, err = solve.MatrixOf(ctx, game); err != nil {
			return err
		}
	}
	if o.players != 0 {
		if s.matrix, err = s.matrix.Among(o.players); err != nil {
			return err
		}
	}
	if s.tree == nil && slices.ContainsFunc(methods, func(m solveMethod) bool { return m.onTree != nil }) {
		if s.tree, err = solve.Compile(ctx, game, solve.DefaultNodes); err != nil {
			return err
		}
	}
	solvers := make([]solve.Solver, len(methods))
	for i, m := range methods { // what cannot be started is said before anything is printed
		if solvers[i], err = s.start(m); err != nil {
			return err
		}
	}
	if !p.json {
		if s.tree != nil {
			p.say("%s: %d histories, %d information states", s.tree.Info.Name, s.tree.Nodes(), len(s.tree.Sets))
		} else {
			p.say("%s: %d answers", s.matrix.Name, s.matrix.Sizes[0])
		}
	}
	for i, m := range methods {
		if len(methods) > 1 && !p.json {
			p.say("\n%s", m.name)
		}
		if err := p.iterate(ctx, s, m.name, solvers[i], o); err != nil {
			return err
		}
	}
	if o.plot == "" {
		return nil
	}
	if err := report.Curves(o.plot, gapPanels(game.Info().Name, s.lines)...); err != nil {
		return err
	}
	if !p.json {
		p.say("the plot is in %s", o.plot)
	}
	return nil
}

// start starts a method.
func (s *solving) start(m solveMethod) (solve.Solver, error) {
	if m.onMatrix != nil {
		return m.onMatrix(s.matrix)
	}
	return m.onTree(s.tree)
}

// iterate runs a method and prints how close it comes.
func (p *program) iterate(ctx context.Context, s *solving, name string, solver solve.Solver, o solveOptions) error {
	dynamics, _ := solver.(*solve.Dynamics)
	if !p.json && dynamics != nil {
		p.say("%10s %10s  %-11s  %-11s  %-11s  %-11s", "iteration", "queries", "gap", "average gap", "reg. gap", "KL")
	} else if !p.json {
		p.say("%10s  %s", "iteration", "exploitability")
	}
	value := math.NaN() // of the first seat
	for i, stop := range marks(o.iterations) {
		before := solver.Iterations()
		if err := solver.Iterate(ctx, stop-before); err != nil {
			return err
		}
		done := solver.Iterations()
		if i > 0 && done == before { // nothing was left to do
			break
		}
		line := solveReport{Iteration: done, Method: name}
		if dynamics != nil {
			r, err := dynamics.Measure(ctx)
			if err != nil {
				return err
			}
			line.Exploitability, line.Queries, line.Comparisons = r.Gap/float64(s.matrix.Players()), r.Queries, r.Comparisons
			if len(r.Gains) > 1 {
				line.Gains = r.Gains
			}
			line.Gap, line.AverageGap = known(r.Gap), known(r.AverageGap)
			line.RegularisedGap, line.KL, line.KLBound = known(r.RegularisedGap), known(r.KL), known(r.KLBound)
		} else {
			r, err := s.tree.Measure(solver.Strategy())
			if err != nil {
				return err
			}
			line.Exploitability, value = r.Exploitability, r.Value[0]
		}
		if dynamics != nil && i == 0 && line.Gap != nil && *line.Gap == 0 && !strings.Contains(name, "reference=") {
			method, _ := spec.Parse(name) // it was read before
			p.log.Warn().Msgf("%s starts from uniform play, which is an equilibrium here: to start elsewhere take %s(reference=random)", name, method.Name)
		}
		s.lines = append(s.lines, line)
		if err := p.solveLine(line); err != nil {
			return err
		}
	}
	if !p.json && !math.IsNaN(value) {
		p.say("value of the first seat under this policy: %.9f", value)
	}
	if o.out == "" {
		return nil
	}
	table, err := s.table(solver.Strategy())
	if err != nil {
		return err
	}
	if err := table.WriteFile(o.out); err != nil {
		return err
	}
	if !p.json {
		p.say("the policy is in %s", o.out)
	}
	return nil
}

// solveLine prints a measurement.
func (p *program) solveLine(l solveReport) error {
	if p.json {
		return p.print(l)
	}
	if l.Gap == nil {
		p.say("%10d  %.9f", l.Iteration, l.Exploitability)
		return nil
	}
	number := func(x *float64) string {
		if x == nil {
			return "–"
		}
		return fmt.Sprintf("%.5g", *x)
	}
	p.say("%10d %10d  %-11s  %-11s  %-11s  %-11s", l.Iteration, l.Queries, number(l.Gap), number(l.AverageGap), number(l.RegularisedGap), number(l.KL))
	return nil
}

// gapOf is the duality gap that was measured; of methods on trees, of two seats.
func gapOf(l solveReport) float64 {
	if l.Gap != nil {
		return *l.Gap
	}
	return 2 * l.Exploitability
}

// gapPanels are the plots of what was measured: the duality gap over iterations and over
// queries, of the last iterate (of other methods' policy) and of the average.
func gapPanels(game string, lines []solveReport) []report.Panel {
	panel := func(title, x string, point func(solveReport) (x, y float64, ok bool)) report.Panel {
		out := report.Panel{Title: game + ": " + title, X: x, Y: "duality gap", Log: true, LogX: true}
		for _, l := range lines {
			x, y, ok := point(l)
			if !ok {
				continue
			}
			if n := len(out.Series); n == 0 || out.Series[n-1].Name != l.Method || l.Iteration == 1 {
				out.Series = append(out.Series, report.Series{Name: l.Method})
			}
			s := &out.Series[len(out.Series)-1]
			s.X, s.Y = append(s.X, x), append(s.Y, y)
		}
		return out
	}
	panels := []report.Panel{panel("last iterate", "iterations", func(l solveReport) (float64, float64, bool) {
		return float64(l.Iteration), gapOf(l), true
	})}
	queries := panel("last iterate", "queries", func(l solveReport) (float64, float64, bool) {
		return float64(l.Queries), gapOf(l), l.Queries > 0
	})
	if len(queries.Series) == 0 {
		return panels
	}
	average := func(l solveReport) float64 {
		if l.AverageGap == nil {
			return 0
		}
		return *l.AverageGap
	}
	return append(panels, queries,
		panel("average iterate", "iterations", func(l solveReport) (float64, float64, bool) {
			return float64(l.Iteration), average(l), l.AverageGap != nil
		}),
		panel("average iterate", "queries", func(l solveReport) (float64, float64, bool) {
			return float64(l.Queries), average(l), l.AverageGap != nil
		}))
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
