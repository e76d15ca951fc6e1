package cmd

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"github.com/agon-rl/agon/play"
	"github.com/agon-rl/agon/prefs"
)

func (p *program) selectVerb() *cobra.Command {
	var strategy, out string
	var seed uint64
	c := &cobra.Command{
		Use:   "select FILE...",
		Short: "Choose the pairs to train on, or label them anew, by a published strategy",
		Long: `Reads pairs, of several files as one set, and writes those that a strategy chooses.
Answers to one state are candidates, whatever file they come from. Strategies:

` + indent(prefs.Strategies.Help()),
		Example: `  agon prefs select pairs.parquet --strategy best-worst --out best.parquet
  agon prefs select pairs.parquet --strategy 'certain(share=0.5,by=doubt)' --out sure.parquet
  agon prefs select old.parquet now.parquet ahead.parquet --strategy temporal --out pairs.jsonl
  agon prefs select pairs.parquet --strategy 'judge(tool=solver,depth=6)' --out judged.parquet --json`,
		Args: atLeastOneFile,
		RunE: func(c *cobra.Command, args []string) error {
			return p.selectPairs(c.Context(), args, strategy, out, seed)
		},
	}
	c.Flags().StringVar(&strategy, "strategy", "", "which pairs, see above")
	c.Flags().StringVar(&out, "out", "", "file to write, .parquet or .jsonl")
	c.Flags().Uint64Var(&seed, "seed", 1, "seed of what is drawn")
	p.jsonFlag(c, "one object")
	return c
}

func atLeastOneFile(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return usage(fmt.Errorf("%s: expected files of pairs, such as pairs.parquet", c.CommandPath()))
	}
	return nil
}

// selectReport is what select prints with --json.
type selectReport struct {
	Strategy string   `json:"strategy"`
	Files    []string `json:"files"`
	Seed     uint64   `json:"seed"`
	Given    int      `json:"given"`  // pairs read
	Rows     int      `json:"rows"`   // rows written
	Turned   int      `json:"turned"` // of them, labelled the other way round than any pair given
	File     string   `json:"file"`
}

func (p *program) selectPairs(ctx context.Context, files []string, strategy, out string, seed uint64) error {
	if strategy == "" {
		return usage(fmt.Errorf("prefs: expected --strategy with one of %s", strings.Join(prefs.Strategies.Names(), ", ")))
	}
	selector, err := prefs.FindSelector(strategy)
	if err != nil {
		return usage(fmt.Errorf("prefs: %w", err))
	}
	if out == "" {
		return usage(errors.New("prefs: expected --out with a file, such as --out chosen.parquet"))
	}
	if err := prefs.CheckName(out); err != nil {
		return usage(err)
	}
	if err := writable("--out", out); err != nil {
		return err
	}
	pairs, err := readAll(files)
	if err != nil {
		return err
	}
	report := selectReport{Strategy: strategy, Files: files, Seed: seed, Given: len(pairs), File: out}
	draw := play.Generator(seed, "prefs select")
	if m, ok := selector.(prefs.MAPL); ok && m.Kind == "intra" {
		report.Rows, err = writeSelected(out, strategy, prefs.Intra(pairs, draw))
	} else {
		var chosen []prefs.Pair
		if chosen, err = selector.Select(ctx, pairs, draw); err != nil {
			return err
		}
		report.Turned = prefs.Diff(chosen, pairs).Contradicting
		report.Rows, err = writeSelected(out, strategy, chosen)
	}
	if err != nil {
		return err
	}
	if p.json {
		return p.print(report)
	}
	p.say("%d rows of %d pairs in %s, %d turned round", report.Rows, report.Given, out, report.Turned)
	return nil
}

// readAll reads the pairs of several files as one set.
func readAll(files []string) ([]prefs.Pair, error) {
	var out []prefs.Pair
	for _, path := range files {
		pairs, err := prefs.Read[prefs.Pair](path)
		if err != nil {
			return nil, err
		}
		out = append(out, pairs...)
	}
	return out, nil
}

func writeSelected[R prefs.Row](path, strategy string, rows []R) (int, error) {
	if len(rows) == 0 {
		return 0, fmt.Errorf("prefs: %s chooses none of the pairs: there is nothing to write into %s", strategy, path)
	}
	return len(rows), prefs.Write(path, rows)
}

func (p *program) auditVerb() *cobra.Command {
	var seed uint64
	c := &cobra.Command{
		Use:   "audit FILE...",
		Short: "Ask whether the chosen answers, and whose each is, can be told without looking at quality",
		Long: `Fits linear probes that tell the chosen answer of a pair by kinds of features, and
says how often they are right in states they have not seen, 0.5 being chance. Where
form and policy (the surface) tell it as well as the values do, a learner can go by
style and need not learn what makes an answer better. Where answers are of several
sources it asks also how well each source can be told.`,
		Example: `  agon prefs audit pairs.parquet
  agon prefs audit strong.parquet own.parquet --json`,
		Args: atLeastOneFile,
		RunE: func(_ *cobra.Command, args []string) error {
			pairs, err := readAll(args)
			if err != nil {
				return err
			}
			audit, err := prefs.AuditOf(pairs, play.Generator(seed, "prefs audit"))
			if err != nil {
				return err
			}
			if p.json {
				return p.print(audit)
			}
			p.sayAudit(audit)
			return nil
		},
	}
	c.Flags().Uint64Var(&seed, "seed", 1, "seed of the folds")
	p.jsonFlag(c, "one object")
	return c
}

func (p *program) sayAudit(a prefs.Audit) {
	t := table.NewWriter()
	t.AppendHeader(table.Row{"what is told", "by", "accuracy", "95 %", "heaviest features, and how often each is right alone"})
	add := func(what, by string, probe prefs.Probe) {
		var heaviest []string
		for _, w := range probe.Features[:min(3, len(probe.Features))] {
			heaviest = append(heaviest, fmt.Sprintf("%s %+.2f (%.2f)", w.Name, w.Weight, w.Alone))
		}
		t.AppendRow(table.Row{
			what, by, fmt.Sprintf("%.3f", probe.Accuracy), fmt.Sprintf("%.3f to %.3f", probe.Interval[0], probe.Interval[1]),
			strings.Join(heaviest, ", "),
		})
	}
	for _, probe := range a.Chosen {
		add("the chosen answer", probe.Name, probe)
	}
	for _, probe := range a.Source {
		add("source "+probe.Name, "surface", probe)
	}
	p.say("%d pairs of %d states, %.0f %% of them between two sources", a.Pairs, a.States, 100*a.Mixed)
	for _, name := range slices.Sorted(maps.Keys(a.Sources)) {
		p.say("  %d answers of %s", a.Sources[name], name)
	}
	p.say("values: the chosen answer is better by %.3f on average; %.1f %% of pairs are even, %.1f %% contradict their values",
		a.Quality.Gap, 100*a.Quality.Even, 100*a.Quality.Against)
	p.say("%s", t.Render())
}
