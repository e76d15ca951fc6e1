package trainer

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"

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
or feedback (see docs/reference/judges.md), in which score and outcome are the game's, such as
noisy(flip=0.2,judge=score), table(FILE), learned(FILE), openai(model=NAME)`

var judges = []string{"score", "outcome", "drawn"}

// ruling says how probable it is that one answer beats another: by the game itself.
type ruling struct {
	kind    string
	contest games.Contest // nil where answers are compared by their returns
	spread  float64       // of returns
	asked   atomic.Int64  // so often

	feedback judge.Judge     // whoever judges in place of the game; nil for the game
	ctx      context.Context //nolint:containedctx // the run's: a judge may wait for a server
	mu       sync.Mutex      // of err
	err      error           // the first of the feedback
}

func newJudge(ctx context.Context, kind string, game games.Game) (*ruling, error) {
	info := game.Info()
	contest, _ := game.(games.Contest)
	j := &ruling{kind: kind, contest: contest, spread: info.MaxReturn - info.MinReturn, ctx: ctx}
	if slices.Contains(judges, kind) {
		return j, nil
	}
	return j, j.openFeedback(kind)
}

// close ends what a feedback holds.
func (j *ruling) close() error {
	if j == nil || j.feedback == nil {
		return nil
	}
	return judge.Close(j.feedback)
}

// answer is all that one seat did in an episode: what preferences are between.
type answer struct {
	episode int // of the update; demonstrations have none
	steps   []*policy.Step
	number  int           // of a contest's answer
	ret     float64       // elsewhere: what the seat got
	told    *judge.Answer // elsewhere, where feedback judges
	// against is what stood opposite, in a contest.
	against int
	// share is the mean probability of beating those that it is compared with, met
	// how many these were.
	share float64
	met   int
	// reference holds the references' log-probabilities of the steps, by the
	// objective's slots; logProbs those of the weights that take the next gradient
	// step, and slopes the loss's in them.
	reference [][]float64
	logProbs  []float64
	slopes    []float64
}

// rival is what an answer is compared with: of a contest its number, elsewhere its
// return.
type rival struct {
	Number int           `json:"number,omitempty"`
	Return float64       `json:"return,omitempty"`
	Told   *judge.Answer `json:"told,omitempty"` // outside contests, where feedback judges
}

func (a *answer) rival() rival { return rival{a.number, a.ret, a.told} }

// beats is the probability that a is preferred to b.
func (j *ruling) beats(a *answer, b rival, r *rand.Rand) float64 {
	j.asked.Add(1)
	switch {
	case j.feedback != nil && j.contest != nil:
		return j.prefers(j.numbered(a.number), j.numbered(b.Number))
	case j.feedback != nil:
		return j.prefers(a.told, b.Told)
	}
	score := j.score(a.rival(), b)
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
func (j *ruling) score(a, b rival) float64 {
	if j.contest != nil {
		return j.contest.Score(a.Number, b.Number)
	}
	return (a.Return - b.Return) / j.spread
}

// newAnswer begins the record of what a seat did in an episode.
func (t *Trainer) newAnswer(e *play.Episode, seat games.Seat) *answer {
	a := &answer{ret: e.Returns[seat]}
	if j := t.preferring.judge; j.feedback != nil && j.contest == nil {
		a.told = j.told(t.game, e, seat)
	}
	return a
}

// answersOf returns what the learner's seats did in an episode, by seat; nil for the
// other seats and for those that never moved.
func (t *Trainer) answersOf(e *play.Episode) []*answer {
	out := make([]*answer, t.info.Seats)
	actions := make([][]games.Action, t.info.Seats)
	for _, turn := range e.Turns {
		actions[turn.Seat] = append(actions[turn.Seat], turn.Action)
		step, ok := turn.Record.(*policy.Step)
		if !ok || !owns(e, turn.Seat) {
			continue
		}
		if out[turn.Seat] == nil {
			out[turn.Seat] = t.newAnswer(e, turn.Seat)
		}
		out[turn.Seat].steps = append(out[turn.Seat].steps, step)
	}
	if contest := t.preferring.judge.contest; contest != nil {
		for seat, a := range out {
			if a != nil {
				a.number, a.against = contest.Number(actions[seat]), contest.Number(actions[1-seat])
			}
		}
	}
	return out
}
