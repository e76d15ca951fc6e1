package cmd

import (
	"bytes"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/spc/benchmark"
)

// exporting is what spc export was asked for.
type exporting struct {
	domain, out string
	count       int
	seed        uint64
}

func (p *program) spcExportVerb() *cobra.Command {
	var o exporting
	c := &cobra.Command{
		Use:   "export",
		Short: "Write solutions of generated problems, half of them with a wrong step, in ProcessBench's form",
		Long: `Draws problems of a domain (arithmetic, countdown, equations, horn, word_problem,
with parameters), solves them, and slips one wrong step into every second solution.
The file has the schema of ProcessBench, so that language models and networks judge
the same rows: agon spc eval --bench processbench --data FILE.`,
		Example: `  agon spc export --domain arithmetic --count 200 --out arithmetic.json
  agon spc export --domain 'word_problem(people=7)' --count 400 --out longer.json`,
		Args: exactly(0, "flags only"),
		RunE: func(*cobra.Command, []string) error { return p.spcExport(o) },
	}
	c.Flags().StringVar(&o.domain, "domain", "arithmetic", "the game that problems come from")
	c.Flags().IntVar(&o.count, "count", 200, "how many solutions")
	c.Flags().StringVar(&o.out, "out", "", "file to write, .json")
	c.Flags().Uint64Var(&o.seed, "seed", 1, "seed of problems and errors")
	return c
}

func (p *program) spcExport(o exporting) error {
	switch {
	case o.out == "":
		return usage(errors.New("spc export: expected --out with a file"))
	case o.count < 1 || o.count > 1<<20:
		return usage(fmt.Errorf("spc export: --count %d: expected 1 to %d", o.count, 1<<20))
	}
	if _, err := games.New(o.domain); err != nil {
		return usage(err)
	}
	if err := writable("--out", o.out); err != nil {
		return err
	}
	solutions, err := benchmark.Generate(o.domain, o.count, o.seed)
	if err != nil {
		return usage(err)
	}
	var text bytes.Buffer
	if err := benchmark.WriteProcessBench(&text, solutions); err != nil {
		return err
	}
	if err := os.WriteFile(o.out, text.Bytes(), 0o644); err != nil { //nolint:gosec // data to share
		return fmt.Errorf("spc export: --out: %w", err)
	}
	p.say("%d solutions of %s in %s, %d of them with a wrong step", o.count, solutions[0].Domain, o.out, o.count/2)
	return nil
}
