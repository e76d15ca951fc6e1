package cmd

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/spf13/cobra"

	"github.com/agon-rl/agon/agents"
	"github.com/agon-rl/agon/agents/chat"
	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/games/sneakycritic"
	"github.com/agon-rl/agon/internal/spec"
	"github.com/agon-rl/agon/spc/benchmark"
	"github.com/agon-rl/agon/trainer/run"
)

// judging is what spc eval was asked for.
type judging struct {
	bench, data, agent, game, by, out string
	votes                             int
	seed                              uint64
}

func (p *program) spcEvalVerb() *cobra.Command {
	var o judging
	names := strings.Join(benchmark.Names(), ", ")
	c := &cobra.Command{
		Use:   "eval",
		Short: "Measure a critic on a benchmark's files",
		Long: `Puts a benchmark to a critic, reads its answers and scores them by the benchmark's
own rule: ` + names + `. The files are yours: .json,
.jsonl, .parquet or .csv, as they are published. gsm8k and math ask for solutions.

Any language model behind an endpoint judges everything. random judges steps by the
toss of a coin. Other agents, such as run:DIR, play the critic of the game
sneaky_critic; they judge steps of problems that their game's domain can read back,
and refuse other rows. With whole=true in their game they judge whole solutions.

--by step asks about each step, --by solution about a whole solution at once. With
--out every answer is kept as it comes, and the same command goes on where it was
interrupted and asks again what got no answer. Answers that cannot be read are
counted as invalid, and scores are given with them as the published rule has it, and
without them.`,
		Example: `  agon spc eval --bench processbench --data ProcessBench/ --agent openai:model=gpt-4o-mini --out answers.jsonl
  agon spc eval --bench processbench --data ProcessBench/ --agent openai:model=qwen3,url=http://localhost:8000/v1 --by step
  agon spc eval --bench spc --data steps.jsonl --agent 'run(runs/critic,greedy=true)' --json
  agon spc eval --bench gsm8k --data test.jsonl --agent openai:model=gpt-4o-mini`,
		Args: exactly(0, "flags only"),
		RunE: func(c *cobra.Command, _ []string) error { return p.spcEval(c.Context(), o) },
	}
	c.Flags().StringVar(&o.bench, "bench", "", names)
	c.Flags().StringVar(&o.data, "data", "", "the benchmark's file, or the folder of its files")
	c.Flags().StringVar(&o.agent, "agent", "", "openai:model=NAME, run:DIR, random, or another that can play the critic")
	c.Flags().StringVar(&o.game, "game", "", "the game that the agent plays, such as sneaky_critic(domain=horn) (known where the agent is a run)")
	c.Flags().StringVar(&o.by, "by", "", "step or solution (default: the benchmark's own way; where the agent writes no prose, what its game judges)")
	c.Flags().IntVar(&o.votes, "votes", 1, "answers to each whole solution, of which the majority counts")
	c.Flags().StringVar(&o.out, "out", "", "file that keeps the answers, .jsonl")
	c.Flags().Uint64Var(&o.seed, "seed", 1, "seed of agents that draw")
	p.backendFlag(c)
	p.jsonFlag(c, "one object")
	return c
}

// spcEvalReport is what --json prints.
type spcEvalReport struct {
	Agent string `json:"agent"`
	benchmark.Report
	Calls   int     `json:"calls,omitempty"`   // of an endpoint, by this command
	Retries int     `json:"retries,omitempty"` // of these
	Dollars float64 `json:"dollars,omitempty"` // of this command, by the prices given
}

func (p *program) spcEval(ctx context.Context, o judging) (err error) {
	if err := o.check(); err != nil {
		return usage(fmt.Errorf("spc eval: %w", err))
	}
	if err := agents.Known(o.agent); err != nil {
		return err
	}
	var game *sneakycritic.Game
	if !speaks(o.agent) {
		if game, err = judgedGame(o); err != nil {
			return err
		}
		if o.by, err = o.way(game); err != nil {
			return usage(err)
		}
	}
	if err := writable("--out", o.out); err != nil {
		return err
	}
	set, err := benchmark.Open(o.bench, o.data)
	if err != nil {
		return err
	}
	task, err := benchmark.NewTask(set, o.by, o.votes)
	if err != nil {
		return usage(err)
	}
	critic, err := p.critic(ctx, o, game)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, critic.close()) }()
	journal, err := benchmark.OpenJournal(o.out, task, critic.name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, journal.Close()) }()
	p.tellBackend()
	return p.ask(ctx, o, task, critic, journal)
}

func (p *program) ask(ctx context.Context, o judging, task *benchmark.Task, critic *examinee, journal *benchmark.Journal) error {
	bar := p.progress()
	outcome, err := benchmark.Judge(ctx, task, critic, journal, benchmark.Options{Parallel: critic.parallel, Progress: bar.asked})
	bar.close()
	if err != nil {
		if ctx.Err() != nil && errors.Is(err, context.Canceled) {
			err = errors.New("stopped")
		}
		if kept := len(journal.Entries()); o.out != "" && kept > 0 {
			err = fmt.Errorf("%w; %d of %d answers are in %s, and the same command goes on with them", err, kept, len(task.Asks()), o.out)
		}
		return err
	}
	if n := len(outcome.Refused); n == len(task.Asks()) {
		return fmt.Errorf("spc eval: %s can judge no row of %s: %w", o.agent, o.data, outcome.Refused[0].Err)
	} else if n > 0 {
		p.log.Warn().Msgf("%s cannot judge %d of %d rows, which are in no score; the first: %v", o.agent, n, len(task.Asks()), outcome.Refused[0].Err)
	}
	if len(outcome.Entries) > 0 {
		report := spcEvalReport{Agent: o.agent}
		if report.Report, err = task.Score(outcome); err != nil {
			return err
		}
		critic.account(&report)
		if err := p.showJudging(report); err != nil {
			return err
		}
	}
	if n := len(outcome.Missing); n > 0 {
		advice := "with --out FILE, what is answered is kept"
		if o.out != "" {
			advice = "the same command asks them again"
		}
		return fmt.Errorf("spc eval: %d of %d got no answer and are in no score: %s; the first, row %s: %w", n, len(task.Asks()), advice, outcome.Missing[0].ID, outcome.Missing[0].Err)
	}
	return nil
}

func (p *program) showJudging(r spcEvalReport) error {
	if p.json {
		return p.print(r)
	}
	p.say("%s on %s", r.Agent, strings.TrimSpace(r.Report.String()))
	if r.TokensIn+r.TokensOut > 0 {
		p.say("\n%d tokens read, %d written; %d calls now, %d of them retries, %.4f dollars", r.TokensIn, r.TokensOut, r.Calls, r.Retries, r.Dollars)
	}
	return nil
}

// check looks at what needs no file.
func (o judging) check() error {
	known := benchmark.Names()
	switch {
	case o.bench == "":
		return fmt.Errorf("expected --bench with one of %s", strings.Join(known, ", "))
	case !slices.Contains(known, o.bench):
		return fmt.Errorf("--bench %s is unknown%s; there are %s", o.bench, spec.Suggest(o.bench, known), strings.Join(known, ", "))
	case o.data == "":
		return fmt.Errorf("expected --data with the files of %s", o.bench)
	case o.agent == "":
		return errors.New("expected --agent, such as openai:model=NAME, run:DIR or random")
	case o.by != "" && !slices.Contains(benchmark.Ways(o.bench), o.by):
		return fmt.Errorf("--by %s: expected %s", o.by, strings.Join(benchmark.Ways(o.bench), " or "))
	case o.votes < 1:
		return fmt.Errorf("--votes %d: expected 1 or more", o.votes)
	}
	return nil
}

// speaks tells agents that write prose.
func speaks(agent string) bool {
	s, err := spec.Parse(agent)
	return err == nil && s.Name == "openai"
}

func first(by string, ways []string) string {
	if by != "" {
		return by
	}
	return ways[0]
}

// examinee is a critic that was opened by an agent's name.
type examinee struct {
	benchmark.Critic
	name     string // what its answers depend on
	parallel int
	client   *chat.Client // nil where it is no endpoint
	close    func() error
}

// critic opens the agent; game is nil for one without a game.
func (p *program) critic(ctx context.Context, o judging, game *sneakycritic.Game) (*examinee, error) {
	if speaks(o.agent) {
		client, err := agents.OpenChat(o.agent)
		if err != nil {
			return nil, err
		}
		options, model := client.Options(), benchmark.Model{Client: client}
		if options.Seed != nil && o.votes > 1 {
			return nil, usage(errors.Join(fmt.Errorf("spc eval: --votes %d with seed=%d gives the same answer as often: leave the seed out", o.votes, *options.Seed), client.Close()))
		}
		return &examinee{Critic: model, name: model.Name(), parallel: options.Parallel, client: client, close: client.Close}, nil
	}
	name := fmt.Sprintf("%s seed %d", o.agent, o.seed)
	if game == nil {
		return &examinee{Critic: benchmark.Coin{Seed: o.seed}, name: name, close: func() error { return nil }}, nil
	}
	agent, err := agents.Open(ctx, o.agent, p.environment(game))
	if err != nil {
		return nil, err
	}
	if _, person := agent.(*agents.Human); person {
		return nil, usage(errors.Join(errors.New("spc eval: a person cannot be measured here"), agent.Close()))
	}
	player := benchmark.Player{Game: game, Agent: agent, Seed: o.seed}
	return &examinee{Critic: player, name: name + " at " + game.Info().Name, parallel: runtime.GOMAXPROCS(0), close: agent.Close}, nil
}

// way is how those are asked who write no prose: by step, or about whole solutions
// where their game has these.
func (o judging) way(game *sneakycritic.Game) (string, error) {
	ways, own := benchmark.Ways(o.bench), benchmark.ByStep
	whole := game != nil && game.Whole
	if whole {
		own = benchmark.BySolution
	}
	switch {
	case slices.Contains(ways, own) && (o.by == "" || o.by == own):
		return own, nil
	case whole:
		return "", fmt.Errorf("spc eval: agent %s judges whole solutions, and %s is asked by %s: expected --by solution of processbench or prm800k", o.agent, o.bench, first(o.by, ways))
	}
	return "", fmt.Errorf("spc eval: agent %s writes no prose, which %s asked by %s wants: expected openai:model=NAME", o.agent, o.bench, first(o.by, ways))
}

// judgedGame is the game whose critic an agent plays; nil for the toss of a coin.
func judgedGame(o judging) (*sneakycritic.Game, error) {
	name := o.game
	if name == "" && o.agent == "random" {
		return nil, nil
	}
	if name == "" {
		dir, isRun := agents.RunDir(o.agent)
		if !isRun {
			return nil, usage(fmt.Errorf("spc eval: expected --game, such as --game 'sneaky_critic(domain=horn)': agent %s does not say what it judges", o.agent))
		}
		folder, err := run.Open(dir)
		if err != nil {
			return nil, err
		}
		text, err := folder.Recipe()
		if err != nil {
			return nil, err
		}
		// Recipes of several kinds name a game; nothing else of them matters here.
		var recipe struct {
			Game string `yaml:"game"`
		}
		if err := yaml.Unmarshal(text, &recipe); err != nil {
			return nil, fmt.Errorf("recipe of run %s: %s", dir, yaml.FormatError(err, false, false))
		}
		name = recipe.Game
	}
	game, err := games.New(name)
	if err != nil {
		return nil, usage(err)
	}
	judged, ok := game.(*sneakycritic.Game)
	if !ok {
		return nil, usage(fmt.Errorf("spc eval: agent %s plays %s, which has no critic of steps: expected one that plays sneaky_critic, or openai:model=NAME", o.agent, game.Info().Name))
	}
	return judged, nil
}

// account adds what an endpoint's calls came to.
func (c *examinee) account(r *spcEvalReport) {
	if c.client != nil {
		u := c.client.Usage()
		r.Calls, r.Retries, r.Dollars = u.Calls, u.Retries, u.Dollars
	}
}

// asked shows how many asks are done.
func (b *liveBar) asked(done, total int) {
	if b.bar != nil {
		if b.bar.GetMax() != total {
			b.bar.ChangeMax(total)
		}
		_ = b.bar.Set(done) // a bar that cannot be drawn is no reason to stop
	} else if time.Now().After(b.next) {
		b.next = time.Now().Add(logEvery)
		b.log.Info().Msgf("%d of %d asked", done, total)
	}
}
