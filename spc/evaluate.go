package spc

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/games/problem"
	"github.com/agon-rl/agon/games/sneakycritic"
	"github.com/agon-rl/agon/play"
	"github.com/agon-rl/agon/policy"
	"github.com/agon-rl/agon/trainer"
)

// Right names the lines that are right among the kinds of an Exam.
const Right = "correct"

// Exam is a fixed set of lines to judge: as many of every kind of error, and right
// ones. It is the same for every run on a game, whatever the run's seed.
type Exam struct {
	Errors problem.Errors
	Kinds  []string // Right, then all kinds of error that the game has lines of

	states []games.State
	truth  []games.Action // by state: the right verdict
	kind   []int          // by state
}

// NewExam draws an exam of so many lines of each kind, every one in a case of its
// own, uniformly from the lines of the kind there.
func NewExam(game *sneakycritic.Game, count int) (*Exam, error) {
	errors := game.Critique().Errors
	x := &Exam{Errors: errors}
	for _, kind := range append([]string{Right}, errors.All()...) {
		r := play.Generator(0, "exam "+game.Info().Name+" "+kind)
		found := 0
		for tries := 0; found < count && tries < 50*count; tries++ {
			s := game.Start().(*sneakycritic.State)
			if err := s.Apply(s.Sample(r)); err != nil {
				return nil, err
			}
			lines := []problem.Line{s.Right()}
			if kind != Right {
				lines = s.Lines(kind)
			}
			if len(lines) == 0 {
				continue
			}
			shown := s.Show(lines[r.IntN(len(lines))])
			x.states, x.truth, x.kind = append(x.states, shown), append(x.truth, shown.Truth()), append(x.kind, len(x.Kinds))
			found++
		}
		if found > 0 {
			x.Kinds = append(x.Kinds, kind)
		}
	}
	if len(x.Kinds) < 2 {
		return nil, fmt.Errorf("game %s: no lines to examine a critic on", game.Info().Name)
	}
	return x, nil
}

// Score is what a critic reached in an exam: the share judged right of each of the
// exam's kinds, by its most probable verdict. A whole solution with an error is judged
// right where its first wrong step is found, as ProcessBench counts.
type Score struct {
	Right   float64 // of right lines
	Kinds   map[string]float64
	Noticed float64 // of wrong lines or solutions, those that the critic finds any fault with
}

// Examine has a critic judge all lines.
func (x *Exam) Examine(ctx context.Context, critic policy.Policy) (Score, error) {
	probs, err := judge(ctx, critic, x.states)
	if err != nil {
		return Score{}, err
	}
	hits, counts := make([]float64, len(x.Kinds)), make([]float64, len(x.Kinds))
	noticed := 0.0
	for i, p := range probs {
		said := probable(p)
		if counts[x.kind[i]]++; said == x.truth[i] {
			hits[x.kind[i]]++
		}
		if x.kind[i] > 0 && said > sneakycritic.Correct {
			noticed++
		}
	}
	s := Score{Right: hits[0] / counts[0], Kinds: map[string]float64{}, Noticed: noticed / (float64(len(probs)) - counts[0])}
	for k, kind := range x.Kinds[1:] {
		s.Kinds[kind] = hits[k+1] / counts[k+1]
	}
	return s, nil
}

// probable is the most probable verdict, games.Action(-1) where several are.
func probable(probs []float64) games.Action {
	best := slices.Max(probs)
	i := slices.Index(probs, best)
	if slices.Contains(probs[i+1:], best) {
		return -1
	}
	return games.Action(i)
}

// Wrong is the mean accuracy over kinds of error, each with the same weight; NaN
// where the exam has none of them.
func (s Score) Wrong(kinds []string) float64 {
	sum, count := 0.0, 0.0
	for _, kind := range kinds {
		if accuracy, ok := s.Kinds[kind]; ok {
			sum, count = sum+accuracy, count+1
		}
	}
	return sum / count
}

// F1 is the harmonic mean of the accuracies on right lines and on wrong ones, by
// which ProcessBench ranks (arXiv 2412.06559): a critic that always says the same
// has 0.
func (s Score) F1(kinds []string) float64 { return harmonic(s.Right, s.Wrong(kinds)) }

// Worst is the least F1 of a single kind, and the kind.
func (s Score) Worst(kinds []string) (f1 float64, worst string) {
	f1 = math.Inf(1)
	for _, kind := range kinds {
		if accuracy, ok := s.Kinds[kind]; ok && harmonic(s.Right, accuracy) < f1 {
			f1, worst = harmonic(s.Right, accuracy), kind
		}
	}
	return f1, worst
}

func harmonic(a, b float64) float64 {
	if a+b == 0 {
		return 0
	}
	return 2 * a * b / (a + b)
}

// evaluator measures critics during a run.
type evaluator struct {
	exam, longer *Exam
	whole        bool // whether whole solutions are judged
}

func newEvaluator(t task, cases int) (*evaluator, error) {
	e := &evaluator{whole: t.spc.Whole}
	var err error
	if e.exam, err = NewExam(t.spc, cases); err != nil {
		return nil, err
	}
	if t.longer != nil {
		e.longer, err = NewExam(t.longer, cases)
	}
	return e, err
}

// measure adds a critic's scores to a line of metrics.
func (e *evaluator) measure(ctx context.Context, critic policy.Policy, line trainer.Line) error {
	s, err := e.exam.Examine(ctx, critic)
	if err != nil {
		return err
	}
	errors := e.exam.Errors
	line["accuracy/correct"], line["accuracy/wrong"] = s.Right, s.Wrong(errors.All())
	for kind, accuracy := range s.Kinds {
		line["caught/"+kind] = accuracy
	}
	line["f1"], line["f1/menu"] = s.F1(errors.All()), s.F1(errors.Menu)
	if f1 := s.F1(errors.Other); !math.IsNaN(f1) {
		line["f1/other"] = f1
	}
	if e.whole {
		line["accuracy/noticed"] = s.Noticed
	}
	line["f1/worst"], _ = s.Worst(errors.All())
	line["f1/worst_menu"], _ = s.Worst(errors.Menu)
	if e.longer == nil {
		return nil
	}
	if s, err = e.longer.Examine(ctx, critic); err != nil {
		return err
	}
	line["f1/longer"], line["accuracy/correct_longer"] = s.F1(errors.All()), s.Right
	return nil
}

// Measure implements trainer.Method.
func (m *rounds) Measure(ctx context.Context, line trainer.Line) error {
	if m.exact != nil {
		return m.measureExactly(ctx, line)
	}
	if !m.Evaluates(m.Done) && !m.begins(m.Done) {
		return nil
	}
	if err := m.evaluator.measure(ctx, m.player(sneakycritic.Critic).Network, line); err != nil {
		return err
	}
	if err := m.watch(ctx, line); err != nil {
		return err
	}
	if m.begins(m.Done) || m.Done == m.Total {
		return m.refine(ctx, line)
	}
	return nil
}

// watchGames plays the players as they are, apart from the games that they learn from.
func (m *rounds) watchGames(ctx context.Context, stream string, first uint64, count int) ([]*play.Episode, error) {
	agents, generator := m.agents()
	match := m.Match(stream, agents...)
	match.Game = m.cases
	match.Seats = func(uint64, int) []int {
		seats := []int{m.PlayerOf(sneakycritic.Sneaky), m.PlayerOf(sneakycritic.Critic)}
		if m.settings.Sneaky != "learn" {
			seats[sneakycritic.Sneaky] = generator
		}
		return seats
	}
	return match.Play(ctx, first, count)
}

// watch plays the players as they are and tells how often each kind of error is
// slipped in, and how often it fools the critic.
func (m *rounds) watch(ctx context.Context, line trainer.Line) error {
	episodes, err := m.watchGames(ctx, "watch", uint64(m.Done)*uint64(m.Recipe.Evaluate.Games), m.Recipe.Evaluate.Games)
	if err != nil {
		return err
	}
	written, fooled := map[string]float64{}, map[string]float64{}
	all, refused, deceived := 0.0, 0.0, 0.0
	var judged []*sneakycritic.State
	for _, e := range episodes {
		s, err := m.replay(e)
		if err != nil {
			return err
		}
		if s.Clean() {
			continue
		}
		if all++; s.Refused() {
			refused++
			continue
		}
		judged = append(judged, s)
		written[s.Kind()]++
		if e.Returns[sneakycritic.Sneaky] > 0 {
			fooled[s.Kind()]++
			deceived++
		}
	}
	if all == 0 {
		return nil
	}
	if m.sneakiest, err = sneakiest(ctx, m.player(sneakycritic.Critic).Network, judged); err != nil {
		return err
	}
	line["refused"], line["fooled"] = refused/all, deceived/all
	for _, kind := range m.evaluator.exam.Errors.All() {
		line["written/"+kind] = written[kind] / all
		if written[kind] > 0 {
			line["fooled/"+kind] = fooled[kind] / written[kind]
		}
	}
	return nil
}
