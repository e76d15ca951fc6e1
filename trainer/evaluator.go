package trainer

import (
	"context"
	"errors"
	"fmt"

	"github.com/agon-rl/agon/agents"
	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/play"
	"github.com/agon-rl/agon/policy"
	"github.com/agon-rl/agon/solve"
)

// autoNodes is the largest game whose exploitability is measured without being
// asked for.
const autoNodes = 200_000

// evaluator measures strength: exact exploitability where the game is small
// enough, and games against fixed agents.
type evaluator struct {
	trainer   *Trainer
	tree      *solve.Tree   // nil where exploitability is not measured, or by the answers of
	contest   games.Contest // a game that is one; else nil
	opponents []play.Agent
}

func newEvaluator(ctx context.Context, t *Trainer) (*evaluator, error) {
	e := &evaluator{trainer: t}
	settings := t.recipe.Evaluate
	wanted := settings.Exploitability == "on" || settings.Exploitability == "auto" && t.info.Seats == 2
	if contest, ok := t.game.(games.Contest); ok && wanted {
		e.contest, wanted = contest, false
	}
	if wanted || t.recipe.Policy.Kind == "table" {
		limit := autoNodes
		if settings.Exploitability == "on" || t.recipe.Policy.Kind == "table" {
			limit = solve.DefaultNodes
		}
		tree, err := solve.Compile(ctx, t.game, limit)
		switch {
		case err == nil:
			e.tree = tree
		case settings.Exploitability != "auto" || t.recipe.Policy.Kind == "table" || !errors.Is(err, solve.ErrTooLarge):
			return nil, err
		}
	}
	for _, spec := range settings.Against {
		agent, err := agents.Open(ctx, spec, t.environment())
		if err != nil {
			return nil, errors.Join(fmt.Errorf("evaluate.against: %w", err), e.close())
		}
		e.opponents = append(e.opponents, agent)
	}
	return e, nil
}

func (e *evaluator) close() error {
	var errs []error
	for _, agent := range e.opponents {
		errs = append(errs, agent.Close())
	}
	return errors.Join(errs...)
}

// keys lists the information states of all seats, for a table.
func (e *evaluator) keys() ([]string, error) {
	if e.tree == nil {
		return nil, fmt.Errorf("policy.kind: table needs a game small enough to list its information states: use mlp")
	}
	return e.tree.Keys(), nil
}

func (e *evaluator) exactly(ctx context.Context, network *policy.Network) (solve.Report, error) {
	if e.contest != nil {
		return solve.MeasureContest(ctx, e.contest, network)
	}
	return e.tree.Evaluate(ctx, network)
}

// measure adds exploitability, the scores against the fixed agents and, in games
// of one seat, the share of problems solved by the most probable steps.
func (e *evaluator) measure(ctx context.Context, network *policy.Network, line map[string]float64) error {
	if e.tree != nil || e.contest != nil {
		report, err := e.exactly(ctx, network)
		if err != nil {
			return err
		}
		line["exploitability"] = report.Exploitability
	}
	t := e.trainer
	// Episodes that training never reaches, and each evaluation its own.
	first := uint64(1)<<62 + uint64(t.update)<<24
	if t.info.Seats == 1 {
		match := play.Match{
			Game: t.game, Seed: t.recipe.Seed, Group: t.recipe.Group, Workers: t.options.Workers,
			Agents: []play.Agent{agents.NewSampler(network, true)}, Seats: func(uint64, int) []int { return []int{0} },
		}
		episodes, err := match.Play(ctx, first, t.recipe.Evaluate.Games)
		if err != nil {
			return err
		}
		line["solved"], _, _ = t.tally(episodes)
	}
	for i, opponent := range e.opponents {
		match := play.Match{
			Game: t.game, Seed: t.recipe.Seed, Group: t.recipe.Group, Workers: t.options.Workers,
			Agents: []play.Agent{agents.NewSampler(network, false), opponent},
			Seats:  func(episode uint64, _ int) []int { return play.OneAgainstRest(t.info.Seats, episode) },
		}
		episodes, err := match.Play(ctx, first, t.recipe.Evaluate.Games)
		if err != nil {
			return err
		}
		name := t.recipe.Evaluate.Against[i]
		line["score/"+name], line["drawn/"+name], line["lost/"+name] = t.tally(episodes)
	}
	return nil
}

// tally returns the learner's mean score and its shares of draws and losses.
func (t *Trainer) tally(episodes []*play.Episode) (score, drawn, lost float64) {
	n := float64(len(episodes))
	for _, e := range episodes {
		learner, _ := versus(e)
		x := t.score(e, learner)
		score += x / n
		switch x {
		case 0.5:
			drawn += 1 / n
		case 0:
			lost += 1 / n
		}
	}
	return score, drawn, lost
}

// headline picks the measure that a person watches.
func (e *evaluator) headline(newest map[string]float64) (string, float64) {
	names := []string{e.trainer.recipe.Stop.Measure, "exploitability", "solved"}
	for _, name := range e.trainer.recipe.Evaluate.Against {
		names = append(names, "score/"+name)
	}
	for _, name := range names {
		if value, ok := newest[name]; ok {
			return name, value
		}
	}
	return "", 0
}
