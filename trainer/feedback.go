package trainer

import (
	"context"
	"fmt"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/agon-rl/agon/agents"
	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/play"
	"github.com/agon-rl/agon/prefs/judge"
)

// openFeedback opens a judge that is not the game itself. The game's own judgements stand
// in it as score, outcome and drawn, so that noisy(flip=0.2,judge=score) errs about them.
func (j *ruling) openFeedback(text string) (err error) {
	own := map[string]judge.Judge{
		"score": judge.Func(func(_ context.Context, a, b *judge.Answer) (float64, error) {
			return (1 + j.scoreOf(a, b)) / 2, nil
		}),
		"outcome": judge.Func(func(_ context.Context, a, b *judge.Answer) (float64, error) {
			return judge.Logistic(j.scoreOf(a, b), 0, 0), nil
		}),
	}
	own["drawn"] = judge.Draws{Judge: own["score"], Votes: 1, Seed: 1}
	if j.feedback, err = agents.OpenFeedback(text, own); err != nil {
		return fmt.Errorf("preferences.judge: %w", err)
	}
	return nil
}

// scoreOf is score of answers as feedback reads them.
func (j *ruling) scoreOf(a, b *judge.Answer) float64 {
	of := func(a *judge.Answer) rival {
		if j.contest != nil {
			return rival{Number: int(a.Actions[0])}
		}
		return rival{Return: a.Return}
	}
	return j.score(of(a), of(b))
}

// prefers asks the feedback. The first error stays, until failed returns it.
func (j *ruling) prefers(a, b *judge.Answer) float64 {
	if j.failed() != nil {
		return 0.5
	}
	p, err := j.feedback.Prefer(j.ctx, a, b)
	if err != nil {
		j.fail(fmt.Errorf("preferences.judge: %w", err))
		return 0.5
	}
	return p
}

func (j *ruling) fail(err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.err == nil {
		j.err = err
	}
}

// failed returns why the judge could not judge, if so. What it said since is worth
// nothing.
func (j *ruling) failed() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.err
}

// judgedAtOnce is how many groups feedback judges at the same time: enough for a server
// to have several questions under way.
const judgedAtOnce = 16

// each judges groups, several at once where feedback does. Groups draw from generators
// of their own, so that their order does not matter.
func (j *ruling) each(groups []*group, judge func(i int, g *group)) {
	var some errgroup.Group
	some.SetLimit(1)
	if j.feedback != nil {
		some.SetLimit(judgedAtOnce)
	}
	for i, g := range groups {
		some.Go(func() error { judge(i, g); return nil })
	}
	_ = some.Wait() // none returns an error
}

// describable is implemented by contests whose answers have features.
type describable interface {
	// Describe returns the features of an answer.
	Describe(answer int) []float64
}

// numbered is a contest's answer as feedback reads it: one action, its number, as tables
// and fitted models have it.
func (j *ruling) numbered(n int) *judge.Answer {
	out := &judge.Answer{Actions: []games.Action{games.Action(n)}}
	if d, ok := j.contest.(describable); ok {
		out.Features = d.Describe(n)
	}
	return out
}

// told is what a seat did in an episode, as feedback reads it: its actions, its words and
// what it got.
func (j *ruling) told(game games.Game, e *play.Episode, seat games.Seat) *judge.Answer {
	out := &judge.Answer{Return: e.Returns[seat]}
	var lines []string
	s := game.Start()
	for _, action := range e.Actions {
		if s.Turn() == seat {
			if speaker, ok := s.(games.Speaker); ok && len(out.Actions) == 0 {
				out.Prompt = speaker.Prompt(seat)
			}
			out.Actions, lines = append(out.Actions, action), append(lines, games.Say(s, action))
		}
		if err := s.Apply(action); err != nil {
			j.fail(fmt.Errorf("preferences.judge: replaying a game: %w", err))
		}
	}
	out.Text = strings.Join(lines, "\n")
	return out
}
