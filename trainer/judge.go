package trainer

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/agon-rl/agon/agents"
	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/play"
	"github.com/agon-rl/agon/policy"
	"github.com/agon-rl/agon/prefs/judge"
)

// JudgeForms documents what a recipe's preferences.judge may be.
const JudgeForms = `score     the probability that the game's own returns are odds of: in a contest of answers
          (1 + what a earns against b)/2, elsewhere ½ + (return of a − return of b)/(2·range)
outcome   the better of the two for certain, a half where they are even
drawn     one of the two, drawn with the probability of score: what a person would answer once
or another judge (see docs/reference/judges.md), in which score and outcome are the game's, such as
noisy(flip=0.2,judge=score), table(FILE), learned(FILE), openai(model=NAME)`

// ownJudgements are those of the game itself.
var ownJudgements = []string{"score", "outcome", "drawn"}

// referee says how probable it is that one answer beats another: by the game itself, or
// by a judge in its place.
type referee struct {
	kind    string
	contest games.Contest // nil where answers are compared by their returns
	spread  float64       // of returns
	asked   atomic.Int64  // so often

	judge judge.Judge     // who judges in place of the game; nil for the game
	ctx   context.Context //nolint:containedctx // the run's: a judge may wait for a server
	mu    sync.Mutex      // of err
	err   error           // the first of the judge
}

// newReferee opens the judge that a recipe names. The game's own judgements stand in it
// as score, outcome and drawn, so that noisy(flip=0.2,judge=score) errs about them.
func newReferee(ctx context.Context, kind string, game games.Game) (j *referee, err error) {
	info := game.Info()
	contest, _ := game.(games.Contest)
	j = &referee{kind: kind, contest: contest, spread: info.MaxReturn - info.MinReturn, ctx: ctx}
	if slices.Contains(ownJudgements, kind) {
		return j, nil
	}
	own := map[string]judge.Judge{
		"score": judge.Func(func(_ context.Context, a, b *judge.Answer) (float64, error) {
			return (1 + j.scoreOf(a, b)) / 2, nil
		}),
		"outcome": judge.Func(func(_ context.Context, a, b *judge.Answer) (float64, error) {
			return judge.Logistic(j.scoreOf(a, b), 0, 0), nil
		}),
	}
	own["drawn"] = judge.Draws{Judge: own["score"], Votes: 1, Seed: 1}
	if j.judge, err = agents.OpenFeedback(kind, own); err != nil {
		return nil, fmt.Errorf("preferences.judge: %w", err)
	}
	return j, nil
}

// close ends what a judge holds.
func (j *referee) close() error {
	if j == nil || j.judge == nil {
		return nil
	}
	return judge.Close(j.judge)
}

// rival is what an answer is compared by: of a contest its number, elsewhere its
// return.
type rival struct {
	Number int           `json:"number,omitempty"`
	Return float64       `json:"return,omitempty"`
	Told   *judge.Answer `json:"told,omitempty"` // outside contests, where a judge judges
}

// beats is the probability that a is preferred to b.
func (j *referee) beats(a, b rival, r *rand.Rand) float64 {
	j.asked.Add(1)
	switch {
	case j.judge != nil && j.contest != nil:
		return j.prefers(j.numbered(a.Number), j.numbered(b.Number))
	case j.judge != nil:
		return j.prefers(a.Told, b.Told)
	}
	score := j.score(a, b)
	switch {
	case j.kind == "outcome":
		return judge.Logistic(score, 0, 0)
	case j.kind == "score":
		return (1 + score) / 2
	case r.Float64() < (1+score)/2: // drawn
		return 1
	}
	return 0
}

// score is what a earns against b, from -1 to 1, by the game itself.
func (j *referee) score(a, b rival) float64 {
	if j.contest != nil {
		return j.contest.Score(a.Number, b.Number)
	}
	return (a.Return - b.Return) / j.spread
}

// scoreOf is score of answers as judges read them.
func (j *referee) scoreOf(a, b *judge.Answer) float64 {
	of := func(a *judge.Answer) rival {
		if j.contest != nil {
			return rival{Number: int(a.Actions[0])}
		}
		return rival{Return: a.Return}
	}
	return j.score(of(a), of(b))
}

// prefers asks the judge. The first error stays, until failed returns it.
func (j *referee) prefers(a, b *judge.Answer) float64 {
	if j.failed() != nil {
		return 0.5
	}
	p, err := j.judge.Prefer(j.ctx, a, b)
	if err != nil {
		j.fail(fmt.Errorf("preferences.judge: %w", err))
		return 0.5
	}
	return p
}

func (j *referee) fail(err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.err == nil {
		j.err = err
	}
}

// failed returns why the judge could not judge, if so. What it said since is worth
// nothing.
func (j *referee) failed() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.err
}

// judgedAtOnce is how many groups are judged at the same time: enough for a server
// to have several questions under way.
const judgedAtOnce = 16

// each judges groups, several at once where a judge does. Groups draw from generators
// of their own, so that their order does not matter.
func (j *referee) each(groups []*group, do func(i int, g *group)) {
	var some errgroup.Group
	some.SetLimit(1)
	if j.judge != nil {
		some.SetLimit(judgedAtOnce)
	}
	for i, g := range groups {
		some.Go(func() error { do(i, g); return nil })
	}
	_ = some.Wait() // none returns an error
}

// describable is implemented by contests whose answers have features.
type describable interface {
	// Describe returns the features of an answer.
	Describe(answer int) []float64
}

// numbered is a contest's answer as judges read it: one action, its number, as tables
// and fitted models have it.
func (j *referee) numbered(n int) *judge.Answer {
	out := &judge.Answer{Actions: []games.Action{games.Action(n)}}
	if d, ok := j.contest.(describable); ok {
		out.Features = d.Describe(n)
	}
	return out
}

// told is what a seat did in an episode, as judges read it: its actions, its words and
// what it got.
func (j *referee) told(game games.Game, e *play.Episode, seat games.Seat) *judge.Answer {
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

// newResponse begins the record of what a seat did in an episode.
func (m *selfPlay) newResponse(e *play.Episode, seat games.Seat) *response {
	a := &response{rival: rival{Return: e.Returns[seat]}}
	if j := m.preferring.judge; j.judge != nil && j.contest == nil {
		a.Told = j.told(m.Game, e, seat)
	}
	return a
}

// responsesOf returns what the learner's seats did in an episode, by seat; nil for the
// other seats and for those that never moved.
func (m *selfPlay) responsesOf(e *play.Episode) []*response {
	out := make([]*response, m.Info.Seats)
	actions := make([][]games.Action, m.Info.Seats)
	for _, turn := range e.Turns {
		actions[turn.Seat] = append(actions[turn.Seat], turn.Action)
		step, ok := turn.Record.(*policy.Step)
		if !ok || !m.owns(e, turn.Seat) {
			continue
		}
		if out[turn.Seat] == nil {
			out[turn.Seat] = m.newResponse(e, turn.Seat)
		}
		out[turn.Seat].steps = append(out[turn.Seat].steps, step)
	}
	if contest := m.preferring.judge.contest; contest != nil {
		for seat, a := range out {
			if a != nil {
				a.Number, a.against = contest.Number(actions[seat]), contest.Number(actions[1-seat])
			}
		}
	}
	return out
}
