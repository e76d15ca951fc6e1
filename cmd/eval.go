package cmd

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/agon-rl/agon/agents"
	"github.com/agon-rl/agon/arena"
	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/internal/spec"
	"github.com/agon-rl/agon/play"
	"github.com/agon-rl/agon/policy"
	"github.com/agon-rl/agon/solve"
	"github.com/agon-rl/agon/trainer/run"
)

// evaluation is what the eval verb was asked for.
type evaluation struct {
	agent, game    string
	exploitability bool
	against        []string
	games          int
	seed           uint64
}

func (p *program) evalVerb() *cobra.Command {
	var e evaluation
	c := &cobra.Command{
		Use:   "eval AGENT",
		Short: "Measure an agent: exactly, or in games against others",
		Long:  "Agents:\n" + indent(agents.Forms()),
		Example: `  agon eval run:runs/kuhn_poker --exploitability
  agon eval policy:kuhn.json --game kuhn_poker --exploitability --json
  agon eval 'run(runs/tic_tac_toe,greedy=true)' --vs minimax,random --games 1000
  agon eval mcts:sims=50 --game countdown --games 200`,
		Args: exactly(1, "one agent"),
		RunE: func(c *cobra.Command, args []string) error {
			e.agent = args[0]
			if e.games < 2 || e.games > 1<<24 {
				return usage(fmt.Errorf("eval: --games %d: expected 2 to %d", e.games, 1<<24))
			}
			return p.eval(c.Context(), e)
		},
	}
	c.Flags().StringVar(&e.game, "game", "", "the game (known where the agent is a run)")
	c.Flags().BoolVar(&e.exploitability, "exploitability", false, "best responses and exploitability, exactly")
	c.Flags().StringArrayVar(&e.against, "vs", nil, "agents to play, separated by commas")
	c.Flags().IntVar(&e.games, "games", 1000, "games against each")
	c.Flags().Uint64Var(&e.seed, "seed", 1, "seed of the games")
	p.backendFlag(c)
	p.jsonFlag(c, "one object")
	return c
}

// evalReport is what --json prints.
type evalReport struct {
	Game           string        `json:"game"`
	Agent          string        `json:"agent"`
	Exploitability *float64      `json:"exploitability,omitempty"`
	Value          *float64      `json:"value,omitempty"`         // the first seat's, against itself
	BestResponse   []float64     `json:"best_response,omitempty"` // by seat, against the agent
	Versus         []vsReport    `json:"vs,omitempty"`
	Solved         *solvedReport `json:"solved,omitempty"` // in games of one seat
}

// solvedReport says how often problems were solved. CI95 is Wilson's interval
// (play.Wilson).
type solvedReport struct {
	Games  int        `json:"games"`
	Solved int        `json:"solved"`
	Rate   float64    `json:"rate"`
	CI95   [2]float64 `json:"ci95"`
}

// vsReport holds an agent's games against another. Mean is of returns, CI95 its
// interval: in games of two seats from pairs with the seats swapped (arena.Between),
// else between the game's least and greatest return (play.MeanInterval).
type vsReport struct {
	Agent  string     `json:"agent"`
	Games  int        `json:"games"`
	Wins   int        `json:"wins"`
	Draws  int        `json:"draws"`
	Losses int        `json:"losses"`
	Mean   float64    `json:"mean"`
	CI95   [2]float64 `json:"ci95"`
	BySeat []vsSeat   `json:"by_seat"`
	*vsScore
}

// vsScore is what pairs of games of two seats tell of strength, as a tournament's
// meetings do.
type vsScore struct {
	Score    float64    `json:"score"`
	Anytime  [2]float64 `json:"score_anytime95"`
	Elo      *float64   `json:"elo"`
	EloError *float64   `json:"elo_error"`
	LOS      *float64   `json:"los"`
	Pairs    int        `json:"pairs"`
	Tell     int        `json:"effective_pairs"` // those that are no repeats of others
}

type vsSeat struct {
	Role   string  `json:"role"`
	Games  int     `json:"games"`
	Wins   int     `json:"wins"`
	Draws  int     `json:"draws"`
	Losses int     `json:"losses"`
	Mean   float64 `json:"mean"`
}

func (p *program) eval(ctx context.Context, e evaluation) (err error) {
	game, err := evalGame(e)
	if err != nil {
		return err
	}
	switch alone := game.Info().Seats == 1; {
	case alone && len(e.against) > 0:
		return usage(fmt.Errorf("eval: --vs: %s has one seat and nobody to play: leave --vs out to measure how often it is solved", game.Info().Name))
	case !alone && !e.exploitability && len(e.against) == 0:
		return usage(errors.New("eval: expected --exploitability, or --vs with agents to play"))
	}
	// All are opened before the first game, so that what is wrong is said early.
	names := []string{e.agent}
	for _, list := range e.against {
		several, err := splitAgents(list)
		if err != nil {
			return usage(fmt.Errorf("eval: --vs %w", err))
		}
		names = append(names, several...)
	}
	all, err := p.seat(ctx, game, names)
	defer func() { err = errors.Join(err, closeAgents(all)) }()
	if err != nil {
		return err
	}
	p.tellBackend()
	agent := all[0]
	report := evalReport{Game: game.Info().Name, Agent: e.agent}
	if e.exploitability {
		if err := p.measure(ctx, game, agent, &report); err != nil {
			return err
		}
	}
	if game.Info().Seats == 1 && !e.exploitability {
		if report.Solved, err = solved(ctx, game, agent, e); err != nil {
			return err
		}
	}
	for i, other := range all[1:] {
		result, err := versus(ctx, game, agent, other, e)
		if err != nil {
			return err
		}
		result.Agent = names[i+1]
		report.Versus = append(report.Versus, result)
	}
	if p.json {
		return p.print(report)
	}
	p.showEvaluation(report)
	return nil
}

// seat opens agents that can play many games at once, which a person cannot.
// Those that were opened before an error come with it.
func (p *program) seat(ctx context.Context, game games.Game, names []string) ([]play.Agent, error) {
	var all []play.Agent
	env := p.environment(game)
	for _, name := range names {
		agent, err := agents.Open(ctx, name, env)
		if err != nil {
			return all, err
		}
		all = append(all, agent)
		if _, person := agent.(*agents.Human); person {
			return all, usage(fmt.Errorf("eval: a person cannot be measured here: a person plays with agon play %s", game.Info().Name))
		}
	}
	return all, nil
}

func closeAgents(all []play.Agent) error {
	var errs []error
	for _, agent := range all {
		errs = append(errs, agent.Close())
	}
	return errors.Join(errs...)
}

// splitAgents cuts a list of agents at its commas. An agent in the form
// name:key=value,… cannot stand in a list with others; it takes name(key=value,…)
// or a --vs of its own.
func splitAgents(list string) ([]string, error) {
	if head, rest, ok := strings.Cut(list, ":"); ok && strings.Contains(rest, "=") && !strings.ContainsAny(head, "(,") {
		return []string{list}, nil
	}
	return spec.List(list)
}

func evalGame(e evaluation) (games.Game, error) {
	name := e.game
	if name == "" {
		recipe, err := recipeOf(e.agent)
		if err != nil {
			return nil, err
		}
		name = recipe
	}
	game, err := games.New(name)
	return game, usage(err)
}

// recipeOf returns the game of a run agent.
func recipeOf(agent string) (string, error) {
	dir, ok := agents.RunDir(agent)
	if !ok {
		return "", usage(fmt.Errorf("eval: expected --game GAME: agent %s does not say what it plays", agent))
	}
	folder, err := run.Open(dir)
	if err != nil {
		return "", err
	}
	text, err := folder.Recipe()
	if err != nil {
		return "", err
	}
	game, _, err := planOf(text)
	return game, err
}

func (p *program) measure(ctx context.Context, game games.Game, agent play.Agent, report *evalReport) error {
	queryable, ok := agent.(agents.Queryable)
	if !ok {
		return fmt.Errorf("eval: agent %s cannot be asked for its probabilities, which exploitability needs", report.Agent)
	}
	r, err := p.exactly(ctx, game, queryable.Policy())
	if err != nil {
		return err
	}
	report.Exploitability, report.Value, report.BestResponse = &r.Exploitability, &r.Value[0], r.BestResponse
	return nil
}

// mostHistories is the size of a game, as a power of ten, that is walked
// without being compiled: hours on a large machine.
const mostHistories = 11

// exactly measures a policy in a compiled game, or in one too large for that
// by walking it; a contest by its answers.
func (p *program) exactly(ctx context.Context, game games.Game, q policy.Policy) (solve.Report, error) {
	if contest, ok := game.(games.Contest); ok {
		return solve.MeasureContest(ctx, contest, q)
	}
	tree, err := solve.Compile(ctx, game, solve.DefaultNodes)
	if err == nil {
		return tree.Evaluate(ctx, q)
	}
	if !errors.Is(err, solve.ErrTooLarge) {
		return solve.Report{}, err
	}
	size, sizeErr := solve.Histories(game)
	if sizeErr != nil {
		return solve.Report{}, sizeErr
	}
	if size > mostHistories {
		return solve.Report{}, fmt.Errorf("%w; up to 10^%d are walked without being held: play games instead, with --vs", err, mostHistories)
	}
	p.log.Info().Msgf("%s has about 10^%.1f histories: they are walked, not held", game.Info().Name, size)
	last := time.Now()
	return solve.Stream{Progress: func(histories int64, share float64) {
		if time.Since(last) > 5*time.Second {
			last = time.Now()
			p.log.Info().Int64("histories", histories).Str("done", fmt.Sprintf("%.0f %%", 100*share)).Msg("walking")
		}
	}}.Measure(ctx, game, q)
}

// solved plays a game of one seat.
func solved(ctx context.Context, game games.Game, agent play.Agent, e evaluation) (*solvedReport, error) {
	match := play.Match{
		Game: game, Seed: e.seed, Agents: []play.Agent{agent}, Workers: runtime.GOMAXPROCS(0),
		Seats: func(uint64, int) []int { return []int{0} },
	}
	episodes, err := match.Play(ctx, 0, e.games)
	if err != nil {
		return nil, err
	}
	out := &solvedReport{Games: e.games}
	for _, episode := range episodes {
		if episode.Returns[0] == game.Info().MaxReturn {
			out.Solved++
		}
	}
	out.Rate = float64(out.Solved) / float64(out.Games)
	out.CI95 = play.Wilson(out.Solved, out.Games)
	return out, nil
}

// versus plays the agent against another, in every seat in turn.
func versus(ctx context.Context, game games.Game, agent, other play.Agent, e evaluation) (vsReport, error) {
	out := vsReport{Games: e.games}
	info := game.Info()
	match := play.Match{
		Game: game, Seed: e.seed, Agents: []play.Agent{agent, other}, Workers: runtime.GOMAXPROCS(0),
		Seats: func(episode uint64, _ int) []int { return play.OneAgainstRest(info.Seats, episode) },
	}
	episodes, err := match.Play(ctx, 0, e.games)
	if err != nil {
		return out, err
	}
	for _, role := range info.Roles {
		out.BySeat = append(out.BySeat, vsSeat{Role: role})
	}
	even := info.Sum / float64(info.Seats)
	returns := make([]float64, 0, e.games)
	for _, episode := range episodes {
		seat := slices.Index(episode.Agents, 0)
		ret := episode.Returns[seat]
		s := &out.BySeat[seat]
		s.Games++
		s.Mean += ret
		out.Mean += ret / float64(e.games)
		returns = append(returns, ret)
		switch {
		case ret > even:
			s.Wins, out.Wins = s.Wins+1, out.Wins+1
		case ret < even:
			s.Losses, out.Losses = s.Losses+1, out.Losses+1
		default:
			s.Draws, out.Draws = s.Draws+1, out.Draws+1
		}
	}
	for i := range out.BySeat {
		out.BySeat[i].Mean /= math.Max(1, float64(out.BySeat[i].Games))
	}
	if info.Seats != 2 {
		out.CI95 = play.MeanInterval(returns, info.MinReturn, info.MaxReturn)
		return out, nil
	}
	d, err := arena.Between(game, "agent", "other", episodes)
	if err != nil {
		return out, err
	}
	out.CI95 = [2]float64{even + d.Margin95[0], even + d.Margin95[1]}
	out.vsScore = &vsScore{Score: d.Score, Anytime: d.Anytime, Elo: d.Elo, EloError: d.EloError, LOS: d.LOS, Pairs: d.Units, Tell: d.Effective}
	return out, nil
}

func (p *program) showEvaluation(r evalReport) {
	p.say("%s at %s", r.Agent, r.Game)
	if r.Exploitability != nil {
		p.say("  exploitability         %.9f", *r.Exploitability)
		p.say("  value against itself   %.9f for the first seat", *r.Value)
		p.say("  best responses earn    %.9f by seat", r.BestResponse)
	}
	if v := r.Solved; v != nil {
		p.say("  solved %d of %d: %.4f, 95%% interval %.4f to %.4f", v.Solved, v.Games, v.Rate, v.CI95[0], v.CI95[1])
	}
	for _, v := range r.Versus {
		p.say("  against %s: %d games, %d won, %d drawn, %d lost; mean return %.4f, 95%% interval %.4f to %.4f",
			v.Agent, v.Games, v.Wins, v.Draws, v.Losses, v.Mean, v.CI95[0], v.CI95[1])
		if s := v.vsScore; s != nil {
			p.say("    score %.3f, running 95%% interval %.3f to %.3f; Elo difference %s", s.Score, s.Anytime[0], s.Anytime[1], s)
		}
		for _, s := range v.BySeat {
			p.say("    as %-8s %d games, %d won, %d drawn, %d lost; mean %.4f", s.Role, s.Games, s.Wins, s.Draws, s.Losses, s.Mean)
		}
	}
}

// String is the difference of Elo with its error.
func (s *vsScore) String() string {
	text := "beyond bounds"
	if s.Elo != nil && s.EloError != nil {
		text = fmt.Sprintf("%+.1f ± %.1f, LOS %.1f %%", *s.Elo, *s.EloError, 100**s.LOS)
	}
	if s.Tell < s.Pairs {
		text += fmt.Sprintf("; %d of %d pairs are no repeats", s.Tell, s.Pairs)
	}
	return text
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
