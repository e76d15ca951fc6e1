package cmd

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"github.com/agon-rl/agon/objective"
)

func (p *program) objectivesVerb() *cobra.Command {
	c := &cobra.Command{
		Use:   "objectives",
		Short: "The preference objectives: list, explain and evaluate them",
		Long: `Preference and Nash learning is one parametrised loss of pairs, and one of lists;
the field's methods are settings of it. They have plain names; aliases, the names
of TRL's loss types and arXiv ids find them too. Acronyms that name several methods
are refused with what they name.`,
		Example: `  agon objectives list
  agon objectives explain 'simpo(gamma=0.5)'
  agon objectives eval batch.jsonl --json`,
	}
	choose(c, p.listObjectivesVerb(), p.explainVerb(), p.evalObjectivesVerb())
	return c
}

// objectiveReport is what --json prints of an objective.
type objectiveReport struct {
	Name      string              `json:"name"`
	Title     string              `json:"title"`
	ArXiv     string              `json:"arxiv,omitempty"`
	Family    string              `json:"family"`
	Aliases   []string            `json:"aliases"`
	Needs     objective.Needs     `json:"needs"`
	Formula   []string            `json:"formula,omitempty"`
	Settings  []objective.Setting `json:"settings,omitempty"`
	Gradients string              `json:"gradients,omitempty"`
	Equal     []string            `json:"equal,omitempty"`
	Notes     []string            `json:"notes,omitempty"`
	Clash     string              `json:"clash,omitempty"`
	Source    string              `json:"source,omitempty"`
}

func reportObjective(o objective.Objective) objectiveReport {
	e := o.Entry
	aliases := e.Aliases
	if aliases == nil {
		aliases = []string{}
	}
	return objectiveReport{Name: e.Name, Title: e.Title, ArXiv: e.ArXiv, Family: e.Family, Aliases: aliases, Needs: o.Needs()}
}

func (p *program) listObjectivesVerb() *cobra.Command {
	c := &cobra.Command{
		Use:     "list",
		Short:   "List all objectives with their papers and what they need",
		Example: "  agon objectives list --json",
		Args:    exactly(0, "no argument"),
		RunE:    func(*cobra.Command, []string) error { return p.listObjectives() },
	}
	p.jsonFlag(c, "one object an objective")
	return c
}

func (p *program) listObjectives() error {
	t := table.NewWriter()
	t.AppendHeader(table.Row{"objective", "arXiv", "family", "needs", "also called"})
	for _, e := range objective.Entries() {
		o, err := objective.Get(e.Name)
		if err != nil {
			return err
		}
		if p.json {
			if err := p.print(reportObjective(o)); err != nil {
				return err
			}
			continue
		}
		var aliases []string
		for _, a := range e.Aliases {
			if a != e.ArXiv {
				aliases = append(aliases, a)
			}
		}
		t.AppendRow(table.Row{e.Name, e.ArXiv, e.Family, shortNeeds(o.Needs()), strings.Join(aliases, ", ")})
	}
	if p.json {
		return nil
	}
	p.say("%s", t.Render())
	p.say("\nAcronyms that name several are refused alone:")
	for _, c := range objective.Clashes() {
		p.say("  %-5s %s", c.Acronym, c.Names)
	}
	return nil
}

// shortNeeds is a cell of the list.
func shortNeeds(n objective.Needs) string {
	var out []string
	if len(n.References) > 0 {
		out = append(out, strings.Join(n.References, " + "))
	}
	if n.Scores != "" {
		word, _, _ := strings.Cut(n.Scores, ":")
		out = append(out, word)
	}
	if n.Margin {
		out = append(out, "margin")
	}
	if n.Extra != "" {
		out = append(out, "a third answer")
	}
	if n.Online {
		out = append(out, "own samples")
	}
	return strings.Join(out, "; ")
}

func (p *program) explainVerb() *cobra.Command {
	c := &cobra.Command{
		Use:   "explain OBJECTIVE",
		Short: "Print an objective's formula with its settings and source",
		Example: `  agon objectives explain inpo
  agon objectives explain 'f-dpo(divergence=alpha,divergence_alpha=0.3)'
  agon objectives explain 2405.00675 --json`,
		Args: exactly(1, "one objective, such as dpo"),
		RunE: func(_ *cobra.Command, args []string) error { return p.explain(args[0]) },
	}
	p.jsonFlag(c, "one object")
	return c
}

func (p *program) explain(text string) error {
	o, err := objective.Get(text)
	if err != nil {
		return usage(err)
	}
	r, e := reportObjective(o), o.Entry
	r.Formula, r.Settings, r.Equal, r.Notes, r.Clash, r.Source = o.Formula(), o.Settings(), e.Equal, e.Notes, e.Clash(), e.Source
	r.Gradients = "of the mean loss, in each answer's summed log-probability"
	if r.Needs.Normalised {
		r.Gradients = "of the mean loss, in each answer's mean log-probability"
	}
	if p.json {
		return p.print(r)
	}
	p.say("%s: %s", r.Name, r.Title)
	if r.ArXiv != "" {
		p.say("arXiv %s", r.ArXiv)
	}
	p.say("\n%s\n", indent(strings.Join(r.Formula, "\n")))
	t := table.NewWriter()
	t.AppendHeader(table.Row{"setting", "value", "default", "range", ""})
	for _, s := range r.Settings {
		name := s.Name
		if len(s.Aliases) > 0 {
			name += " (" + strings.Join(s.Aliases, ", ") + ")"
		}
		t.AppendRow(table.Row{name, s.Value, s.Default, s.Range, s.Help})
	}
	if len(r.Settings) > 0 {
		p.say("%s\n", t.Render())
	}
	for _, line := range []struct {
		what  string
		lines []string
	}{
		{"references", r.Needs.References}, {"scores", one(r.Needs.Scores)}, {"third answer", one(r.Needs.Extra)}, {"also called", e.Aliases},
		{"gradients", one(r.Gradients)}, {"equal to", r.Equal}, {"notes", r.Notes}, {"one acronym", one(r.Clash)}, {"source", one(r.Source)},
	} {
		if len(line.lines) > 0 {
			p.say("%-13s %s", line.what, strings.Join(line.lines, "; "))
		}
	}
	return nil
}

func one(text string) []string {
	if text == "" {
		return nil
	}
	return []string{text}
}

func (p *program) evalObjectivesVerb() *cobra.Command {
	var sum bool
	c := &cobra.Command{
		Use:   "eval [FILE|-]",
		Short: "Evaluate objectives on batches: losses and gradients in float64",
		Long: `Reads JSON lines, from standard input where no file is named, each an objective
and a batch of pairs with the log-probabilities of their tokens:

  {"id": 1, "objective": "dpo", "settings": {"beta": 0.1},
   "pairs": [{"chosen":   {"logp": [-0.5, -1.2], "ref": [-0.7, -1.0]},
              "rejected": {"logp": [-0.9],       "ref": [-0.8]},
              "target": 0.9, "margin": 0.1, "weight": 1, "q": [0.7, 0.2], "n": [30, 4]}]}

and prints for each, in the order of the lines,

  {"id": 1, "loss": …, "losses": […], "grads": [{"chosen": …, "rejected": …}]}

losses are those of the pairs times their weights, loss is their mean. grads are the
gradients of loss: with respect to each answer's summed log-probability, or its mean
where the objective divides by length (agon objectives explain says which). --sum
takes those of the losses' sum instead.

target is P(chosen beats rejected), margin a lead in reward, q values, scores or win
rates of both, n how often a search tried both; agon objectives explain says what an
objective wants. Where it mixes several references, "ref" is a list of lists in the
order that it names; a single one stands for all. A third answer is "extra".
Objectives of lists take pairs, or
"lists": [{"answers": [{"logp", "ref"}, …], "scores": […]}].

Lines that are wrong print nothing; the error names the first, and the exit status
is 1.`,
		Example: `  agon objectives eval batch.jsonl --json
  agon objectives eval - < batch.jsonl`,
		Args: between(0, 1, "at most one file"),
		RunE: func(_ *cobra.Command, args []string) error {
			file := "-"
			if len(args) > 0 {
				file = args[0]
			}
			return p.evalObjectives(file, sum)
		},
	}
	c.Flags().BoolVar(&sum, "sum", false, "gradients of the sum of losses instead of their mean")
	p.jsonFlag(c, "one object a line")
	return c
}

func (p *program) evalObjectives(file string, sum bool) error {
	in, name := p.in, "standard input"
	if file != "-" {
		f, err := os.Open(file) //nolint:gosec // the person names it
		if err != nil {
			return pathError(file, err)
		}
		defer f.Close() //nolint:errcheck // it was read
		in, name = f, file
	}
	var first error
	bad, lines, warned := 0, 0, false
	reader := bufio.NewReader(in)
	t := table.NewWriter()
	t.AppendHeader(table.Row{"id", "objective", "pair", "loss", "chosen", "rejected", "extra"})
	for number := 1; ; number++ {
		line, readErr := reader.ReadBytes('\n')
		if readErr != nil && !errors.Is(readErr, io.EOF) {
			return pathError(name, readErr)
		}
		if line = bytes.TrimSpace(line); len(line) > 0 {
			lines++
			r, report, err := evalLine(line, sum)
			switch {
			case err != nil:
				if bad++; first == nil {
					first = fmt.Errorf("%s: line %d: %w", name, number, err)
				}
			case p.json:
				if err := p.print(report); err != nil {
					return err
				}
			default:
				appendReport(t, r, report)
			}
			if r.Positive && !warned {
				warned = true
				p.log.Warn().Msgf("%s: line %d: a log-probability above 0, which no token has: taken as it is", name, number)
			}
		}
		if readErr != nil {
			break
		}
	}
	if !p.json && lines > bad {
		p.say("%s", t.Render())
	}
	switch {
	case lines == 0:
		return fmt.Errorf("%s: empty: expected one JSON object a line (agon objectives eval --help)", name)
	case bad > 1:
		return fmt.Errorf("%w (and %d more of %d lines)", first, bad-1, lines)
	}
	return first
}

func evalLine(line []byte, sum bool) (objective.Request, objective.Report, error) {
	r, err := objective.ParseRequest(line)
	if err != nil {
		return objective.Request{}, objective.Report{}, err
	}
	report, err := r.Evaluate(sum)
	return r, report, err
}

// appendReport writes a batch as rows of a table.
func appendReport(t table.Writer, r objective.Request, report objective.Report) {
	number := func(x float64) string { return fmt.Sprintf("%.9g", x) }
	t.AppendRow(table.Row{string(report.ID), r.Objective.Entry.Name, "mean", number(report.Loss)})
	for i, g := range report.Grads {
		row := table.Row{"", "", i + 1, number(report.Losses[i])}
		switch g := g.(type) {
		case objective.Slopes:
			row = append(row, number(g.Chosen), number(g.Rejected))
			if g.Extra != nil {
				row = append(row, number(*g.Extra))
			}
		case []float64:
			row = append(row, fmt.Sprint(g))
		}
		t.AppendRow(row)
	}
	t.AppendSeparator()
}

// pathError says what is wrong with a file, beginning with its name.
func pathError(file string, err error) error {
	var of *fs.PathError
	if errors.As(err, &of) {
		err = of.Err
	}
	return fmt.Errorf("%s: %w", file, err)
}
