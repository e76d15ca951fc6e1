package main

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/games/sequence"
	"github.com/agon-rl/agon/solve"
	"github.com/agon-rl/agon/trainer/run/report"
)

// The settings of the comparison of objectives.
const (
	objectiveBeta   = 0.1
	objectiveSteps  = 1000 // iterations
	objectiveSeeds  = 5
	objectiveSeed   = 1 // of the reference
	objectiveTarget = 1e-6
	objectiveFloor  = 1e-16 // of plots
	objectiveNone   = 1e-20 // what is smaller is written as such
)

// objectiveGame is a game of preferences, with an n that says how often a judge
// compares each answer where it is sampled.
type objectiveGame struct {
	name, title string
	samples     int
	*solve.Polymatrix
}

// objectiveMethod is a method under the name of its row.
type objectiveMethod struct{ row, method string }

var (
	// unregularised methods go for the equilibrium of the game itself.
	unregularised = []objectiveMethod{
		{"hedge (SPO, SPPO)", "hedge(eta=0.5)"},
		{"optimistic, β = 0", "optimistic(eta=0.5,beta=0)"},
		{"accelerated (APO)", "apo(eta=0.5,alpha=0.3)"},
		{"proximal (COMAL)", "comal(beta=0.1,inner=50)"},
	}
	// pulled methods go for that of the game regularised by β.
	pulled = []objectiveMethod{
		{"OMD (INPO, MMD)", "omd(eta=0.5,beta=0.1)"},
		{"OMD, falling step", "omd(schedule=falling,beta=0.1)"},
		{"Nash-MD", "nash-md(eta=0.5,beta=0.1)"},
		{"Nash-MD, falling step", "nash-md(schedule=falling,beta=0.1)"},
		{"EGPO, its paper's step", "egpo(beta=0.1)"},
		{"EGPO", "egpo(eta=0.5,beta=0.1)"},
		{"Nash Mirror Prox", "nash-mp(beta=0.1)"},
		{"optimistic", "optimistic(eta=0.5,beta=0.1)"},
		{"MNPO, two opponents", "mnpo(eta=2,tau=0.1,opponents=2)"},
	}
)

// halved makes of what a contest pays, 2P − 1, preferences less ½.
type halved struct{ *sequence.Game }

func (h halved) Earnings(dst, opponent []float64) {
	h.Game.Earnings(dst, opponent)
	for i := range dst {
		dst[i] /= 2
	}
}

func (halved) Stake() float64 { return 0.5 }

// matrixGame is a game of games/matrix.
func matrixGame(ctx context.Context, name string) (*solve.Polymatrix, error) {
	game, err := games.New(name)
	if err != nil {
		return nil, err
	}
	g, _, err := solve.MatrixOf(ctx, game)
	return g, err
}

func objectiveGames(ctx context.Context) ([]objectiveGame, error) {
	out := []objectiveGame{
		{"biased_rps", "rock, paper, scissors, biased", 10, nil},
		{"soft_rps", "rock, paper, scissors, soft", 10, nil},
		{"random", "random, 10 answers", 10, nil},
		{"bradley_terry", "Bradley-Terry, 4 answers", 10, nil},
		{"sequence", "sequence, 4,096 answers", 1, nil},
	}
	for i, name := range []string{"matrix(biased_rps,bound=0.5)", "matrix(soft_rps)", "matrix(random(n=10,seed=1))", "matrix(bradley_terry)"} {
		g, err := matrixGame(ctx, name)
		if err != nil {
			return nil, err
		}
		out[i].Polymatrix = g
	}
	answers, err := sequence.New(sequence.Defaults())
	if err != nil {
		return nil, err
	}
	out[4].Polymatrix = solve.SelfPlay("sequence", answers.Answers(), halved{answers}, 0.5)
	return out, nil
}

// begin starts a method from a reference that is drawn, the same for all.
func begin(g *solve.Polymatrix, method string) (*solve.Dynamics, error) {
	text := strings.TrimSuffix(method, ")")
	if !strings.HasSuffix(text, "(") {
		text += ","
	}
	start, known, err := solve.ParseDynamics(fmt.Sprintf("%sreference=random,seed=%d)", text, objectiveSeed))
	if err != nil {
		return nil, err
	}
	if !known {
		return nil, fmt.Errorf("%s is no method of solve.ParseDynamics", method)
	}
	return start(g)
}

// beginSampled is begin with a judge that is sampled: the reference stays, the seed
// draws the comparisons.
func beginSampled(g *solve.Polymatrix, method string, samples, seed int) (*solve.Dynamics, error) {
	d, err := begin(g, method)
	if err != nil {
		return nil, err
	}
	return d.Sampled(samples, rand.New(rand.NewPCG(uint64(seed), 2)))
}

// course is a method's measurements.
type course struct {
	objectiveMethod
	reports []solve.DynamicsReport
}

// at is the measurement at an iteration; there is none where it was not followed to.
func (c course) at(iteration int) solve.DynamicsReport {
	for _, r := range c.reports {
		if r.Iteration == iteration {
			return r
		}
	}
	none := math.NaN()
	return solve.DynamicsReport{Gap: none, AverageGap: none, RegularisedGap: none, KL: none}
}

// follow measures a method at iterations, in ascending order.
func follow(ctx context.Context, d *solve.Dynamics, m objectiveMethod, marks []int) (course, error) {
	c := course{objectiveMethod: m}
	for _, mark := range marks {
		if err := d.Iterate(ctx, mark-d.Iterations()); err != nil {
			return c, err
		}
		r, err := d.Measure(ctx)
		if err != nil {
			return c, err
		}
		c.reports = append(c.reports, r)
	}
	return c, nil
}

// spaced lists some twelve iterations a decade up to n, and others.
func spaced(n int, also ...int) []int {
	out := append(also, n)
	for x := 1.0; int(math.Round(x)) < n; x *= math.Pow(10, 1.0/12) {
		out = append(out, int(math.Round(x)))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// series draws one measure of a course over another.
func (c course) series(x, y func(solve.DynamicsReport) float64) report.Series {
	s := report.Series{Name: c.row}
	for _, r := range c.reports {
		if v := y(r); v >= objectiveFloor {
			s.X, s.Y = append(s.X, x(r)), append(s.Y, v)
		}
	}
	return s
}

func iterations(r solve.DynamicsReport) float64 { return float64(r.Iteration) }
func queries(r solve.DynamicsReport) float64    { return float64(r.Queries) }
func lastGap(r solve.DynamicsReport) float64    { return r.Gap }
func averageGap(r solve.DynamicsReport) float64 { return r.AverageGap }
func toNash(r solve.DynamicsReport) float64     { return r.KL }

// panel draws a measure of several courses.
func panel(title, y string, courses []course, over string, of func(solve.DynamicsReport) float64) report.Panel {
	x := iterations
	if over == "queries" {
		x = queries
	}
	p := report.Panel{Title: title, X: over, Y: y, Log: true, LogX: true}
	for _, c := range courses {
		p.Series = append(p.Series, c.series(x, of))
	}
	return p
}

// scientific writes a number with two digits.
func scientific(x float64) string {
	switch {
	case math.IsNaN(x):
		return "–"
	case x == 0:
		return "0"
	case math.Abs(x) < objectiveNone:
		return "< 1e-20"
	case math.Abs(x) >= 0.001 && math.Abs(x) < 1000:
		return fmt.Sprintf("%.2g", x)
	}
	return fmt.Sprintf("%.1e", x)
}

// seedInterval writes a mean with its 95 % interval.
func seedInterval(values []float64) string {
	i := intervalOf(values)
	if i.mean < objectiveNone {
		return scientific(i.mean)
	}
	return fmt.Sprintf("%s ± %s", scientific(i.mean), scientific(i.half))
}

// objectives writes docs/lab/objectives.md: the methods of Nash and preference learning on
// games whose equilibrium is known, exactly and sampled, and their traps.
func objectives(ctx context.Context, l *lab) error {
	all, err := objectiveGames(ctx)
	if err != nil {
		return err
	}
	var page strings.Builder
	var klPanels []report.Panel
	for _, g := range all {
		text, panels, err := l.compareOn(ctx, g)
		if err != nil {
			return err
		}
		page.WriteString(text)
		klPanels = append(klPanels, panels...)
		fmt.Fprintln(os.Stderr, g.title, "done")
	}
	if err := report.Curves(l.path("objectives_kl.svg"), klPanels...); err != nil {
		return err
	}
	for _, part := range []func(context.Context, []objectiveGame) (string, error){stepSizes, l.traps, playersPart, theoryPart} {
		text, err := part(ctx, all)
		if err != nil {
			return err
		}
		page.WriteString("\n" + text)
	}
	return l.write(objectivesPage, page.String())
}

// compareOn compares all methods on one game: a table, a plot, and the panels of KL.
func (l *lab) compareOn(ctx context.Context, g objectiveGame) (string, []report.Panel, error) {
	var rows [][]string
	var families [2][]course
	var sampled [2][]report.Series
	for family, methods := range [][]objectiveMethod{unregularised, pulled} {
		for _, m := range methods {
			d, err := begin(g.Polymatrix, m.method)
			if err != nil {
				return "", nil, err
			}
			c, err := follow(ctx, d, m, spaced(objectiveSteps, 100))
			if err != nil {
				return "", nil, err
			}
			families[family] = append(families[family], c)
			last, average, kl, median, err := sampledCourses(ctx, g, m)
			if err != nil {
				return "", nil, err
			}
			sampled[family] = append(sampled[family], median)
			hundred, end := c.at(100), c.at(objectiveSteps)
			rows = append(rows, []string{
				m.row, "`" + m.method + "`", fmt.Sprint(end.Queries / objectiveSteps), scientific(hundred.Gap), scientific(end.Gap), scientific(end.AverageGap), scientific(end.KL),
				last, average, kl,
			})
		}
	}
	file := "objectives_" + g.name + ".svg"
	var panels []report.Panel
	for family, name := range []string{"the game itself", "regularised"} {
		for _, what := range []struct {
			name string
			of   func(solve.DynamicsReport) float64
		}{{"last iterate", lastGap}, {"average iterate", averageGap}} {
			for _, over := range []string{"iterations", "queries"} {
				panels = append(panels, panel(name+", "+what.name, "duality gap", families[family], over, what.of))
			}
		}
	}
	for family, y := range []string{"duality gap", "KL"} {
		title := []string{"the game itself", "regularised"}[family] + ", sampled, last iterate"
		panels = append(panels, report.Panel{Title: title, X: "queries", Y: y, Log: true, LogX: true, Series: sampled[family]})
	}
	if err := report.Curves(l.path(file), panels...); err != nil {
		return "", nil, err
	}
	table := markdown([]string{"method", "setting", "queries an iteration", "gap after 100", fmt.Sprintf("gap after %d", objectiveSteps), "of the average", "KL", "sampled: gap", "of the average", "KL"}, rows)
	text := fmt.Sprintf("\n## %s\n\n`%s`. Where sampled, each answer is compared %s a query.\n\n%s\n![gap over iterations and queries](%s)\n", g.title, g.Name, times(g.samples), table, file)
	return text, []report.Panel{
		panel(g.title, "KL", families[1], "iterations", toNash), panel(g.title, "KL", families[1], "queries", toNash),
	}, nil
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

// sampledCourses follows a method with a sampled judge: over seeds, the gaps of the last
// and of the average iterate and KL in the end, and the median over queries of KL or, in the game
// itself, of the gap.
func sampledCourses(ctx context.Context, g objectiveGame, m objectiveMethod) (last, average, kl string, median report.Series, err error) {
	var lasts, averages, kls []float64
	var series []report.Series
	for seed := 1; seed <= objectiveSeeds; seed++ {
		d, err := beginSampled(g.Polymatrix, m.method, g.samples, seed)
		if err != nil {
			return "", "", "", median, err
		}
		c, err := follow(ctx, d, m, spaced(objectiveSteps, 100))
		if err != nil {
			return "", "", "", median, err
		}
		end := c.at(objectiveSteps)
		lasts, averages, kls = append(lasts, end.Gap), append(averages, end.AverageGap), append(kls, end.KL)
		of := lastGap
		if !math.IsNaN(end.KL) {
			of = toNash
		}
		series = append(series, c.series(queries, of))
	}
	if kl = "–"; !math.IsNaN(kls[0]) {
		kl = seedInterval(kls)
	}
	return seedInterval(lasts), seedInterval(averages), kl, report.Median(m.row, series...), nil
}

// stepSizes counts iterations and queries to a small KL by step, where methods part.
func stepSizes(ctx context.Context, all []objectiveGame) (string, error) {
	const most = 20000
	var header = []string{"game", "β", "step"}
	families := []struct{ name, format string }{
		{"OMD", "omd(eta=%.17g,beta=%g)"}, {"EGPO", "egpo(eta=%.17g,beta=%g)"}, {"optimistic", "optimistic(eta=%.17g,beta=%g)"}, {"Nash-MD", "nash-md(eta=%.17g,beta=%g)"},
	}
	for _, f := range families {
		header = append(header, f.name)
	}
	var rows [][]string
	for _, g := range all[:3] {
		for _, beta := range []float64{0.1, 0.05} {
			for _, eta := range []float64{0.2, 1 / (beta + 3), 1, 2 / (1 + 2*beta)} {
				row := []string{g.title, fmt.Sprint(beta), fmt.Sprintf("%.3g", eta)}
				for _, f := range families {
					d, err := begin(g.Polymatrix, fmt.Sprintf(f.format, eta, beta))
					if err != nil {
						return "", err
					}
					reached, err := until(ctx, d, most, func(r solve.DynamicsReport) bool { return r.KL < objectiveTarget })
					if err != nil {
						return "", err
					}
					cell := "never"
					if reached.KL < objectiveTarget {
						cell = fmt.Sprint(reached.Iteration)
						if reached.Queries != reached.Iteration {
							cell += fmt.Sprintf(" (%d)", reached.Queries)
						}
					}
					row = append(row, cell)
				}
				rows = append(rows, row)
			}
		}
	}
	return fmt.Sprintf(`## The step decides

Iterations until KL(π*‖π) is below 1e-6, queries in brackets where they are more; "never" is
not within %d. Of each game and β the second step is EGPO's by its paper, 1/(β+3), and the last
is Nash Mirror Prox's, 2/(1+2β), so that EGPO with it is Nash Mirror Prox.

%s`, most, markdown(header, rows)), nil
}

// until iterates one by one until something holds, or most iterations are done.
func until(ctx context.Context, d *solve.Dynamics, most int, holds func(solve.DynamicsReport) bool) (solve.DynamicsReport, error) {
	for {
		if err := d.Iterate(ctx, 1); err != nil {
			return solve.DynamicsReport{}, err
		}
		r, err := d.Measure(ctx)
		if err != nil || holds(r) || r.Iteration == most {
			return r, err
		}
	}
}
