package cmd

import "github.com/spf13/cobra"

func (p *program) spcVerb() *cobra.Command {
	c := &cobra.Command{
		Use:     "spc",
		Short:   "The self-play critic: a sneaky generator against a critic",
		Example: `  agon spc eval --bench processbench --data ProcessBench/ --agent openai:model=gpt-4o-mini`,
	}
	choose(c, p.spcEvalVerb(), p.spcExportVerb())
	return c
}
