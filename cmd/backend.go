package cmd

import (
	"fmt"
	"slices"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"github.com/agon-rl/agon/policy/backend"
)

func (p *program) backendVerb() *cobra.Command {
	c := &cobra.Command{
		Use:   "backend",
		Short: "List or install what computes networks",
		Example: `  agon backend list
  agon backend install`,
	}
	list := &cobra.Command{
		Use: "list", Short: "List the backends, whether each works here, and why", Args: exactly(0, "no argument"),
		Example: "  agon backend list --json",
		RunE:    func(*cobra.Command, []string) error { return p.listBackends() },
	}
	p.jsonFlag(list, "one object a backend")
	choose(c, list, p.installVerb())
	return c
}

func (p *program) listBackends() error {
	t := table.NewWriter()
	t.AppendHeader(table.Row{"backend", "available", "why", "plugin", "version"})
	for _, e := range backend.List() {
		if p.json {
			if err := p.print(e); err != nil {
				return err
			}
			continue
		}
		t.AppendRow(table.Row{e.Name, e.Available, e.Why, e.Plugin, e.Version})
	}
	if !p.json {
		p.say("%s", t.Render())
	}
	return nil
}

func (p *program) installVerb() *cobra.Command {
	var via, dir string
	c := &cobra.Command{
		Use:   "install [cpu|cuda]",
		Short: "Fetch XLA's plugin, checked by its hash",
		Example: `  agon backend install
  agon backend install cuda --via installer`,
		Args: between(0, 1, "cpu or cuda"),
		RunE: func(c *cobra.Command, args []string) error {
			kind := "cpu"
			if len(args) == 1 {
				kind = args[0]
			}
			if !slices.Contains([]string{"cpu", "cuda"}, kind) {
				return usage(fmt.Errorf("backend install: %q: expected cpu or cuda", kind))
			}
			if !slices.Contains([]string{backend.ViaPip, backend.ViaInstaller}, via) {
				return usage(fmt.Errorf("backend install: --via %q: expected %s or %s", via, backend.ViaPip, backend.ViaInstaller))
			}
			if dir == "" {
				var err error
				if dir, err = backend.Dir(); err != nil {
					return err
				}
			}
			p.log.Info().Msgf("fetching %s", backend.Fetches(kind, via))
			installed, err := backend.Install(c.Context(), kind, via, dir)
			if err != nil {
				return err
			}
			if p.json {
				return p.print(installed)
			}
			p.say("%s %s is installed: %s", installed.Name, installed.Version, installed.Plugin)
			if installed.Note != "" {
				p.say("%s", installed.Note)
			}
			return nil
		},
	}
	c.Flags().StringVar(&via, "via", backend.ViaPip, "pip (a pinned wheel, by your own index settings) or installer (go-xla's own)")
	c.Flags().StringVar(&dir, "dir", "", "folder to install to (default: the user's cache, or "+backend.DirEnv+")")
	p.jsonFlag(c, "one object")
	return c
}
