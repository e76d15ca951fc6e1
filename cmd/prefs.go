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

	"github.com/agon-rl/agon/agents"
	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/mcts"
	"github.com/agon-rl/agon/play"
	"github.com/agon-rl/agon/prefs"
	"github.com/agon-rl/agon/solve"
)

func (p *program) prefsVerb() *cobra.Command {
	c := &cobra.Command{
		Use:   "prefs",
		Short: "Step preferences from search: collect, select, audit, sum up, convert, compare",
		Long: `Step preferences are pairs of actions at one state, of which a search found one
better. Files end in .parquet or .jsonl and hold the columns prompt, chosen and
rejected that TRL's DPO trainer loads, beside what the search found. Rules:

` + indent(prefs.Extractions.Help()) + `
  any of them with settings: cpl(gap=0.1,visits=10), tpo(path=true)`,
	}
	choose(c, p.collectVerb(), p.selectVerb(), p.auditVerb(), p.statsVerb(), p.exportVerb(), p.diffVerb())
	return c
}

// collecting is what prefs collect was asked for.
type collecting struct {
	game, agent, rule, kind, out string
	games                        int
	seed                         uint64
	check                        bool
}

func (p *program) collectVerb() *cobra.Command {
	var o collecting
	c := &cobra.Command{
		Use:   "collect GAME",
		Short: "Play a game by search and write what the search preferred",
		Long: `Plays games in which a search agent sits in every seat, and takes pairs from the
tree of every move. --kind visits writes the search's distributions instead, for
expert iteration; --kind outcome pairs a won with a lost game of the same start.
Where information is hidden, --kind counterfactual takes pairs from the
counterfactual values of an agent that can be asked, such as cfr:iterations=1000,
for all information states; search over sampled worlds is the biased, cheap way.`,
		Example: `  agon prefs collect tic_tac_toe --agent mcts:sims=200,temperature=1 --rule cpl --games 100 --out pairs.parquet --check
  agon prefs collect connect_four --agent 'mcts(sims=100,rule=puct,eval=run(runs/c4))' --kind visits --out visits.parquet
  agon prefs collect leduc_poker --kind counterfactual --agent cfr:iterations=1000 --out pairs.parquet`,
		Args: exactly(1, "one game"),
		RunE: func(c *cobra.Command, args []string) error {
			o.game = args[0]
			return p.collect(c.Context(), o)
		},
	}
	c.Flags().StringVar(&o.agent, "agent", "mcts:sims=200,temperature=1", "a search agent")
	c.Flags().StringVar(&o.rule, "rule", "cpl", "which pairs are taken; see agon prefs --help")
	c.Flags().StringVar(&o.kind, "kind", "pairs", "pairs, visits, outcome or counterfactual")
	c.Flags().StringVar(&o.out, "out", "", "file to write, .parquet or .jsonl")
	c.Flags().IntVar(&o.games, "games", 100, "how many games")
	c.Flags().Uint64Var(&o.seed, "seed", 1, "seed of the games")
	c.Flags().BoolVar(&o.check, "check", false, "compare the pairs with an exact solver")
	p.backendFlag(c)
	p.jsonFlag(c, "one object")
	return c
}

// collectReport is what collect prints with --json.
type collectReport struct {
	Game  string        `json:"game"`
	Agent string        `json:"agent"`
	Rule  string        `json:"rule,omitempty"`
	Kind  string        `json:"kind"`
	Games int           `json:"games"`
	Rows  int           `json:"rows"`
	File  string        `json:"file"`
	Check *prefs.Errors `json:"check,omitempty"`
}

func (p *program) collect(ctx context.Context, o collecting) (err error) {
	game, err := games.New(o.game)
	if err != nil {
		return usage(err)
	}
	rule, err := prefs.FindExtraction(o.rule)
	if err != nil {
		return usage(fmt.Errorf("prefs: %w", err))
	}
	if !slices.Contains([]string{"pairs", "visits", "outcome", "counterfactual"}, o.kind) {
		return usage(fmt.Errorf("prefs: --kind %s: expected pairs, visits, outcome or counterfactual", o.kind))
	}
	if o.check && o.kind != "pairs" {
		return usage(errors.New("prefs: --check compares pairs: expected --kind pairs"))
	}
	if o.games < 1 || o.games > 1<<24 {
		return usage(fmt.Errorf("prefs: --games %d: expected 1 to %d", o.games, 1<<24))
	}
	if o.out == "" {
		return usage(errors.New("prefs: expected --out with a file, such as --out pairs.parquet"))
	}
	if err := prefs.CheckName(o.out); err != nil {
		return usage(err)
	}
	if err := writable("--out", o.out); err != nil {
		return err
	}
	if o.kind == "counterfactual" {
		return p.collectCounterfactual(ctx, game, o)
	}
	check, err := checker(ctx, game, o.check)
	if err != nil {
		return err
	}
	agent, err := agents.OpenSearch(ctx, o.agent, p.environment(game))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, agent.Close()) }()
	p.tellBackend()
	report := collectReport{Game: game.Info().Name, Agent: o.agent, Kind: o.kind, Games: o.games, File: o.out}
	match := play.Match{
		Game: game, Seed: o.seed, Agents: []play.Agent{agent}, Group: 64,
		Seats: func(uint64, int) []int { return make([]int, game.Info().Seats) },
	}
	episodes, err := match.Play(ctx, 0, o.games)
	if err != nil {
		return err
	}
	switch o.kind {
	case "visits":
		report.Rows, err = writeRows(o.out, visitsOf(game, episodes, o))
	case "outcome":
		report.Rows, err = writeRows(o.out, prefs.Outcomes(game, episodes, o.agent))
	default:
		report.Rule = rule.Name
		pairs := pairsOf(game, episodes, rule, o)
		if report.Rows, err = writeRows(o.out, pairs); err == nil && check != nil {
			var e prefs.Errors
			e, err = prefs.Check(ctx, pairs, check)
			report.Check = &e
		}
	}
	if err != nil {
		return err
	}
	if p.json {
		return p.print(report)
	}
	p.say("%d rows of %d games in %s", report.Rows, o.games, o.out)
	if e := report.Check; e != nil {
		p.say("pair error rate %.4f: %d of %d pairs contradict the solver, %d more are of equal moves", e.Rate(), e.Wrong, e.Pairs, e.Even)
	}
	return nil
}

// collectCounterfactual takes pairs from the values of an agent's own policy.
func (p *program) collectCounterfactual(ctx context.Context, game games.Game, o collecting) (err error) {
	if _, err := solve.Compile(ctx, game, solve.DefaultNodes); err != nil { // it says what is too large
		return fmt.Errorf("prefs: --kind counterfactual: %w", err)
	}
	agent, err := agents.Open(ctx, o.agent, p.environment(game))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, agent.Close()) }()
	queryable, ok := agent.(agents.Queryable)
	if !ok {
		return usage(fmt.Errorf("prefs: --kind counterfactual: agent %s cannot be asked for its probabilities; expected cfr:iterations=1000, policy:FILE or run:DIR", o.agent))
	}
	const gap = 1e-6 // what is this close is a tie that was not solved to the end
	pairs, err := prefs.Counterfactual(ctx, game, queryable.Policy(), prefs.Context{Game: game.Info().Spec(), Source: o.agent}, gap)
	if err != nil {
		return err
	}
	report := collectReport{Game: game.Info().Name, Agent: o.agent, Kind: o.kind, File: o.out}
	if report.Rows, err = writeRows(o.out, pairs); err != nil {
		return err
	}
	if p.json {
		return p.print(report)
	}
	p.say("%d pairs of all information states in %s", report.Rows, o.out)
	return nil
}

// writeRows refuses to write nothing.
func writeRows[R prefs.Row](path string, rows []R) (int, error) {
	if len(rows) == 0 {
		return 0, fmt.Errorf("prefs: there is nothing to write into %s: no games or a rule that none of their moves meets", path)
	}
	return len(rows), prefs.Write(path, rows)
}

// exactValue is the return of seat 0 under best play.
type exactValue func(ctx context.Context, s games.State) (float64, error)

// checker opens an exact solver of the game, if one is wanted: its own verifier
// or minimax.
func checker(ctx context.Context, game games.Game, wanted bool) (exactValue, error) {
	if !wanted {
		return nil, nil
	}
	if value, ok := prefs.Verifier(game); ok {
		return value, nil
	}
	perfect, err := solve.Minimax(ctx, game)
	if err != nil {
		return nil, fmt.Errorf("prefs: --check: %w", err)
	}
	return perfect.Value, nil
}

// trees calls visit with the tree of every decision of the episodes, and the
// actions before it.
func trees(episodes []*play.Episode, visit func(e *play.Episode, t *mcts.Tree, history []games.Action)) {
	for _, e := range episodes {
		for _, turn := range e.Turns {
			if tree, ok := turn.Record.(*mcts.Tree); ok {
				visit(e, tree, e.Actions[:turn.At])
			}
		}
	}
}

func pairsOf(game games.Game, episodes []*play.Episode, rule prefs.Extraction, o collecting) []prefs.Pair {
	var out []prefs.Pair
	trees(episodes, func(_ *play.Episode, t *mcts.Tree, history []games.Action) {
		out = append(out, prefs.Extract(t, rule, prefs.Context{Game: game.Info().Spec(), History: history, Source: o.agent, Seed: int64(o.seed)})...)
	})
	return out
}

func visitsOf(game games.Game, episodes []*play.Episode, o collecting) []prefs.Visit {
	var out []prefs.Visit
	trees(episodes, func(_ *play.Episode, t *mcts.Tree, history []games.Action) {
		out = append(out, prefs.VisitOf(t, prefs.Context{Game: game.Info().Spec(), History: history, Source: o.agent}))
	})
	return out
}

func (p *program) statsVerb() *cobra.Command {
	c := &cobra.Command{
		Use:     "stats FILE",
		Short:   "Sum up a file of pairs",
		Example: `  agon prefs stats pairs.parquet`,
		Args:    exactly(1, "one file"),
		RunE: func(_ *cobra.Command, args []string) error {
			pairs, err := prefs.Read[prefs.Pair](args[0])
			if err != nil {
				return err
			}
			s := prefs.Describe(pairs)
			if p.json {
				return p.print(s)
			}
			t := table.NewWriter()
			t.AppendHeader(table.Row{"what", "count"})
			t.AppendRows([]table.Row{{"pairs", s.Pairs}, {"states", s.States}})
			appendCounts(t, "game", s.Games)
			appendCounts(t, "rule", s.Rules)
			appendCounts(t, "seat", s.Seats)
			appendCounts(t, "depth", s.Depths)
			p.say("%s", t.Render())
			p.say("quantiles at 0, 25, 50, 75, 100 %%: gap of values %.3f, visits of the less visited %.0f", s.Gap, s.Visits)
			return nil
		},
	}
	p.jsonFlag(c, "one object")
	return c
}

func appendCounts[K int32 | string](t table.Writer, what string, counts map[K]int) {
	for _, key := range slices.Sorted(maps.Keys(counts)) {
		t.AppendRow(table.Row{fmt.Sprintf("%s %v", what, key), counts[key]})
	}
}

func (p *program) exportVerb() *cobra.Command {
	var out, form string
	c := &cobra.Command{
		Use:   "export FILE",
		Short: "Convert a file of pairs: to the other format, or to the columns of TRL's KTO trainer",
		Example: `  agon prefs export pairs.parquet --out pairs.jsonl
  agon prefs export pairs.parquet --form kto --out kto.parquet`,
		Args: exactly(1, "one file"),
		RunE: func(_ *cobra.Command, args []string) error {
			if form != "dpo" && form != "kto" {
				return usage(fmt.Errorf("prefs: --form %s: expected dpo or kto", form))
			}
			if out == "" {
				return usage(errors.New("prefs: expected --out with a file, such as --out pairs.jsonl"))
			}
			if err := prefs.CheckName(out); err != nil {
				return usage(err)
			}
			pairs, err := prefs.Read[prefs.Pair](args[0])
			if err != nil {
				return err
			}
			rows := len(pairs)
			if form == "dpo" {
				err = prefs.Write(out, pairs)
			} else {
				var all []prefs.Completion
				for _, pair := range pairs {
					all = append(all, pair.Completions()...)
				}
				rows, err = len(all), prefs.Write(out, all)
			}
			if err != nil {
				return err
			}
			if p.json {
				return p.print(map[string]any{"file": out, "form": form, "rows": rows})
			}
			p.say("%d rows in %s", rows, out)
			return nil
		},
	}
	c.Flags().StringVar(&out, "out", "", "file to write, .parquet or .jsonl")
	c.Flags().StringVar(&form, "form", "dpo", "columns: dpo (prompt, chosen, rejected) or kto (prompt, completion, label)")
	p.jsonFlag(c, "one object")
	return c
}

func (p *program) diffVerb() *cobra.Command {
	c := &cobra.Command{
		Use:     "diff FILE FILE",
		Short:   "Compare two files of pairs by state and actions",
		Example: `  agon prefs diff few.parquet many.parquet`,
		Args:    exactly(2, "two files"),
		RunE: func(_ *cobra.Command, args []string) error {
			var sets [2][]prefs.Pair
			for i, path := range args {
				var err error
				if sets[i], err = prefs.Read[prefs.Pair](path); err != nil {
					return err
				}
			}
			d := prefs.Diff(sets[0], sets[1])
			if p.json {
				return p.print(d)
			}
			p.say("%d pairs in both, %d in %s alone, %d in %s alone, %d contradict each other", d.Both, d.First, args[0], d.Second, args[1], d.Contradicting)
			for _, e := range d.Examples {
				p.say("  %s after %s: %s (%+.3f) over %s (%+.3f) in the first, the other way round in the second",
					e.Game, strings.Trim(fmt.Sprint(e.History), "[]"), e.Chosen, e.ChosenQ, e.Rejected, e.RejectedQ)
			}
			return nil
		},
	}
	p.jsonFlag(c, "one object")
	return c
}
