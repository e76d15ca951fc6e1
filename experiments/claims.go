package main

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/agon-rl/agon/play"
	"github.com/agon-rl/agon/trainer/run/report"
)

// claim is a sentence of the literature with the smallest test of it that is honest:
// a world whose answer is known, run with several seeds.
type claim struct {
	id      string // one word, which also names its paragraph
	says    string // what is claimed
	source  string // arXiv ids
	setting string // the test, in a few words
	seeds   int
	// run is one seed: a figure for the key of every measure. Randomness comes from
	// play.Generator(seed, …) alone.
	run      func(ctx context.Context, seed uint64) (figures, error)
	measures []measure
	more     string // a paragraph under the table; may be empty
	// panel draws the figures of all seeds, in their order; nil for no plot.
	panel func(all []figures) report.Panel
}

// figures are what one seed gave, by the measures' keys.
type figures map[string]float64

// measure is one figure of a claim, and what is claimed of its mean over seeds.
type measure struct {
	key  string
	what string // in words
	// share says that figures are 0 or 1 and that their mean is a share.
	share  bool
	expect expectation // the zero value expects nothing: the figure is only shown
}

// expectation says that a mean lies from low to high.
type expectation struct {
	low, high float64
	set       bool
}

func moreThan(x float64) expectation        { return expectation{x, math.Inf(1), true} }
func lessThan(x float64) expectation        { return expectation{math.Inf(-1), x, true} }
func between(low, high float64) expectation { return expectation{low, high, true} }

func (e expectation) String() string {
	switch {
	case !e.set:
		return "–"
	case math.IsInf(e.high, 1):
		return fmt.Sprintf("> %g", e.low)
	case math.IsInf(e.low, -1):
		return fmt.Sprintf("< %g", e.high)
	}
	return fmt.Sprintf("%g to %g", e.low, e.high)
}

// verdict is what an interval says of a claim.
type verdict int

const (
	shown verdict = iota // nothing was claimed
	holds
	undecided
	fails
)

func (v verdict) String() string {
	return [...]string{"–", "holds", "undecided", "does not hold"}[v]
}

// judge holds an interval against the expectation: it holds where the whole interval
// is as expected, does not where none of it is, and is undecided else.
func (e expectation) judge(low, high float64) verdict {
	switch {
	case !e.set:
		return shown
	case math.IsNaN(low) || math.IsNaN(high):
		return undecided
	case low > e.low && high < e.high:
		return holds
	case high <= e.low || low >= e.high:
		return fails
	}
	return undecided
}

// evidence is a measure over all seeds.
type evidence struct {
	measure
	low, mean, high float64
	verdict         verdict
}

func (m measure) over(all []figures) (evidence, error) {
	values := make([]float64, len(all))
	for i, f := range all {
		x, ok := f[m.key]
		if !ok || math.IsNaN(x) || m.share && x != 0 && x != 1 {
			return evidence{}, fmt.Errorf("%s: seed %d gave %v", m.key, i+1, x)
		}
		values[i] = x
	}
	out := evidence{measure: m}
	i := intervalOf(values)
	out.low, out.mean, out.high = i.mean-i.half, i.mean, i.mean+i.half
	if m.share {
		k := 0
		for _, x := range values {
			k += int(x)
		}
		w := play.Wilson(k, len(values))
		out.low, out.high = w[0], w[1]
	}
	out.verdict = m.expect.judge(out.low, out.high)
	return out, nil
}

func (j evidence) String() string {
	if j.share {
		return fmt.Sprintf("%.2f (%.2f to %.2f)", j.mean, j.low, j.high)
	}
	half := (j.high - j.low) / 2
	if j.mean != 0 && math.Abs(j.mean) < 1e-3 {
		return fmt.Sprintf("%.1e ± %.1e", j.mean, half)
	}
	return fmt.Sprintf("%.3f ± %.3f", j.mean, half)
}

// conclude is the verdict of a claim: all measures that expect something must hold.
func conclude(all []evidence) verdict {
	out := shown
	for _, m := range all {
		out = max(out, m.verdict)
	}
	return out
}

// claimGroups are the page's sections.
var claimGroups = []struct {
	title  string
	claims []claim
}{
	{"Feedback", feedbackClaims},
	{"Objectives", objectiveClaims},
	{"Preference data", dataClaims},
}

// claimed is a claim with what its seeds gave.
type claimed struct {
	claim
	all      []figures
	evidence []evidence
	verdict  verdict
}

// test runs all seeds of a claim, side by side.
func (c claim) test(ctx context.Context) (claimed, error) {
	out := claimed{claim: c, all: make([]figures, c.seeds)}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i := range out.all {
		group.Go(func() (err error) {
			out.all[i], err = c.run(ctx, uint64(i+1))
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return out, fmt.Errorf("claim %s: %w", c.id, err)
	}
	for _, m := range c.measures {
		j, err := m.over(out.all)
		if err != nil {
			return out, fmt.Errorf("claim %s: %w", c.id, err)
		}
		out.evidence = append(out.evidence, j)
	}
	out.verdict = conclude(out.evidence)
	return out, nil
}

// claims puts all claims to their tests and writes the page. With AGON_CLAIMS=id,id
// it prints the rows of these and writes nothing.
func claims(ctx context.Context, l *lab) error {
	only := strings.FieldsFunc(os.Getenv("AGON_CLAIMS"), func(r rune) bool { return r == ',' })
	var tables bytes.Buffer
	var summary [][]string
	var panels []report.Panel
	for _, g := range claimGroups {
		var rows [][]string
		var paragraphs []string
		for _, c := range g.claims {
			if len(only) > 0 && !slices.Contains(only, c.id) {
				continue
			}
			start := time.Now()
			done, err := c.test(ctx)
			if err != nil {
				return err
			}
			fmt.Fprintf(os.Stderr, "%s: %s, %.1f s\n", c.id, done.verdict, time.Since(start).Seconds())
			rows = append(rows, done.rows()...)
			summary = append(summary, []string{"`" + c.id + "`", c.says, c.source, fmt.Sprint(c.seeds), done.verdict.String()})
			if c.more != "" {
				paragraphs = append(paragraphs, fmt.Sprintf("**`%s`.** %s", c.id, c.more))
			}
			if c.panel != nil {
				panels = append(panels, c.panel(done.all))
			}
		}
		fmt.Fprintf(&tables, "\n## %s\n\n%s", g.title, markdown([]string{"claim", "setting", "measure", "expected", "figure", "verdict"}, rows))
		for _, p := range paragraphs {
			fmt.Fprintf(&tables, "\n%s\n", p)
		}
	}
	if len(only) > 0 {
		_, err := os.Stdout.Write(tables.Bytes())
		return err
	}
	if err := l.draw(claimsPage, panels...); err != nil {
		return err
	}
	return l.write(claimsPage, "## Verdicts\n\n"+markdown([]string{"claim", "in words", "arXiv", "seeds", "verdict"}, summary)+tables.String())
}

var claimsPage = page{
	name:    "objectives_claims",
	title:   "Claims of preference learning, put to small tests",
	command: "go run ./experiments claims",
	setup: `Each claim is tested in a world small enough that the right answer is known: bandits, tables,
little grids. Figures are means over seeds with 95 % intervals (Student's t; Wilson's for
shares). The verdict follows from the interval alone: a measure *holds* where its whole
interval lies where the claim has it, *does not hold* where none of the interval does, and
is *undecided* where the interval lies across the border. A claim holds if all its measures
hold; one that does not hold sinks it. Measures without an expectation are shown for what
they say of the others. What holds here is a property of the formula in a small world; it
says nothing of how large the effect is in a language model.

Settings come from pilots in these worlds: how sure judges are, step sizes, how long the
learners learn. Other settings move figures; where one is known to undo an effect (equal
lengths of segments, Adam, a long queue, one step size for all) it stands in the tables.`,
}

// rows are a claim's lines in the table.
func (c claimed) rows() [][]string {
	var out [][]string
	for i, m := range c.evidence {
		row := []string{"", "", m.what, m.expect.String(), m.String(), m.verdict.String()}
		if i == 0 {
			row[0], row[1] = "`"+c.id+"`", c.setting
		}
		out = append(out, row)
	}
	return out
}
