package trainer

import (
	"context"
	"errors"
	"fmt"

	"github.com/agon-rl/agon/agents"
	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/play"
	"github.com/agon-rl/agon/solve"
)

// autoNodes is the largest game whose exploitability is measured without being
// asked for.
const autoNodes = 200_000

// evaluator measures strength: exact exploitability where the game is small
// enough, and games against fixed agents.
type evaluator struct {
	run       *Run
	tree      *solve.Tree   // nil where exploitability is not measured, or by the answers of
	contest   games.Contest // a game that is one; else nil
	opponents []play.Agent
}

func newEvaluator(ctx context.Context, r *Run) (*evaluator, error) {
	e := &evaluator{run: r}
	settings := r.Recipe.Evaluate
	wanted := settings.Exploitability == "on" || settings.Exploitability == "auto" && r.Info.Seats == 2
	if contest, ok := r.Game.(games.Contest); ok && wanted {
		e.contest, wanted = contest, false
	}
	if wanted {
		limit := autoNodes
		if settings.Exploitability == "on" {
			limit = solve.DefaultNodes
		}
		tree, err := solve.Compile(ctx, r.Game, limit)
		switch {
		case err == nil:
			e.tree = tree
		case settings.Exploitability != "auto" || !errors.Is(err, solve.ErrTooLarge):
			return nil, err
		}
	}
	for _, name := range settings.Against {
		agent, err := agents.Open(ctx, name, r.environment())
		if err != nil {
			return nil, errors.Join(fmt.Errorf("evaluate.against: %w", err), e.close())
		}
		e.opponents = append(e.opponents, agent)
	}
	return e, nil
}

func (e *evaluator) close() error {
	if e == nil {
		return nil
	}
	var errs []error
	for _, agent := range e.opponents {
		errs = append(errs, agent.Close())
	}
	return errors.Join(errs...)
}

// measure adds exploitability, the scores against the fixed agents and, in games
// of one seat, the share of problems solved by the most probable steps.
func (e *evaluator) measure(ctx context.Context, line Line) (err error) {
	r := e.run
	var report solve.Report
	switch {
	case e.contest != nil:
		report, err = solve.MeasureContest(ctx, e.contest, r.Policy())
	case e.tree != nil:
		report, err = e.tree.Evaluate(ctx, r.Policy())
	}
	if err != nil {
		return err
	}
	if e.tree != nil || e.contest != nil {
		line["exploitability"] = report.Exploitability
	}
	count := r.Recipe.Evaluate.Games
	first := uint64(r.Done) * uint64(count)
	if r.Info.Seats == 1 {
		match := r.Match("evaluate", agents.NewSampler(r.Policy(), true))
		match.Seats = func(uint64, int) []int { return []int{0} }
		episodes, err := match.Play(ctx, first, count)
		if err != nil {
			return err
		}
		line["solved"], _, _ = r.tally(episodes)
	}
	for i, opponent := range e.opponents {
		match := r.Match("evaluate", agents.NewSampler(r.Policy(), false), opponent)
		match.Seats = func(episode uint64, _ int) []int { return play.OneAgainstRest(r.Info.Seats, episode) }
		episodes, err := match.Play(ctx, first, count)
		if err != nil {
			return err
		}
		name := r.Recipe.Evaluate.Against[i]
		line["score/"+name], line["drawn/"+name], line["lost/"+name] = r.tally(episodes)
	}
	return nil
}

// tally returns the mean score of agent 0 and its shares of draws and losses.
func (r *Run) tally(episodes []*play.Episode) (score, drawn, lost float64) {
	n := float64(len(episodes))
	for _, e := range episodes {
		x := r.score(e, seatOf(e, 0))
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

// seatOf is the last seat that an agent has in an episode.
func seatOf(e *play.Episode, agent int) (seat int) {
	for s, a := range e.Agents {
		if a == agent {
			seat = s
		}
	}
	return seat
}

// score maps a seat's return to [0, 1]: 1 for more than an even share, 0 for less, a
// half for an even share.
func (r *Run) score(e *play.Episode, seat int) float64 {
	even := r.Info.Sum / float64(r.Info.Seats)
	if r.Info.Seats == 1 { // there is nobody to share with
		even = (r.Info.MinReturn + r.Info.MaxReturn) / 2
	}
	switch d := e.Returns[seat] - even; {
	case d > 0:
		return 1
	case d < 0:
		return 0
	}
	return 0.5
}
