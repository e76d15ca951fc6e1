package solve

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/policy"
)

// Stream measures policies in games that are too large to compile. It walks
// the game along what the answering seat knows and keeps only the histories of
// one line of information states in memory; none is kept once its worth is
// known. What the policy never plays is not walked at all.
//
// Where states are games.Concealers it does not even walk the histories: an
// information state's worth is a sum over courses of the game, of which there
// are far fewer; see weigh.
type Stream struct {
	// Workers is how many goroutines walk; 0 for one a processor.
	Workers int
	// Limit bounds the histories held at the same time by all workers; 0 for
	// DefaultHeld.
	Limit int
	// Progress, if not nil, hears now and then how many nodes have been walked
	// and which share of the work is done.
	Progress func(nodes int64, share float64)
}

// DefaultHeld bounds the histories that a Stream holds: some gigabytes for
// states of a hundred bytes.
const DefaultHeld = 20_000_000

// Measure measures a policy that sits in every seat. Games whose chance can
// only be sampled are refused; one that holds more histories than the limit is
// an error that wraps ErrTooLarge.
func (s Stream) Measure(ctx context.Context, game games.Game, p policy.Policy) (Report, error) {
	info := game.Info()
	if info.Chance == games.Sampled {
		return Report{}, fmt.Errorf("%s: its chance can only be sampled, and exact methods need its odds", info.Name)
	}
	if s.Workers == 0 {
		s.Workers = runtime.GOMAXPROCS(0)
	}
	if s.Limit == 0 {
		s.Limit = DefaultHeld
	}
	e := &stream{Stream: s, info: info, policy: p}
	e.phases = info.Seats
	if _, e.conceals = game.Start().(games.Concealer); e.conceals {
		if e.phases *= 2; info.Seats != 2 || info.Chance != games.NoChance {
			return Report{}, fmt.Errorf("%s: its states are games.Concealers, which are for two seats without chance", info.Name)
		}
	}
	var r Report
	for seat := range games.Seat(info.Seats) {
		if err := e.weigh(ctx, game.Start(), seat); err != nil {
			return Report{}, err
		}
		of, err := e.answer(ctx, game.Start(), seat)
		if err != nil {
			return Report{}, err
		}
		r.BestResponse, r.Value = append(r.BestResponse, of.best), append(r.Value, of.follow)
		r.NashConv += of.best - of.follow
	}
	r.Exploitability = r.NashConv / float64(info.Seats)
	return r, nil
}

// stream is one measurement under way.
type stream struct {
	Stream
	info   games.Info
	policy policy.Policy

	conceals bool
	// courses holds, by course of a whole game, the probability that the seat
	// that is not answering plays its part, whatever it tries in vain; nil
	// where states are no Concealers.
	courses map[string]float64

	phases int     // of the whole work, taken to be alike
	done   float64 // phases
	walked atomic.Int64
	held   atomic.Int64
}

// history is a node with the probability that chance and the other seats play
// their parts on the way there; 1 where courses are weighed instead.
type history struct {
	state  games.State
	weight float64
}

// worth of histories to the answering seat: when it answers best from there,
// and when it follows the policy.
type worth struct{ best, follow float64 }

func (w *worth) add(by worth) { w.best, w.follow = w.best+by.best, w.follow+by.follow }

// frontier is where an expansion stops: what has been paid on the way, and the
// histories in which the seat is to move, grouped by its information states.
type frontier struct {
	paid   worth
	groups [][]history
	index  map[string]int
}

// answer returns what the game is worth to a seat. The seat's first decisions
// are the jobs of the workers; their results are added in order, so that the
// sum does not depend on who came first.
func (e *stream) answer(ctx context.Context, start games.State, seat games.Seat) (worth, error) {
	root := e.walker(ctx, seat)
	f, err := root.expand([]history{{start, 1}})
	if err != nil {
		return worth{}, err
	}
	type job struct{ group, action int }
	var jobs []job
	results := make([][]worth, len(f.groups))
	for i, g := range f.groups {
		results[i] = make([]worth, len(g[0].state.Actions(nil)))
		for a := range results[i] {
			jobs = append(jobs, job{i, a})
		}
	}
	err = e.parallel(ctx, seat, len(jobs), func(w *walker, number int) (err error) {
		j := jobs[number]
		results[j.group][j.action], err = w.after(f.groups[j.group], j.action)
		return err
	})
	if err != nil {
		return worth{}, err
	}
	sum := f.paid
	for i, g := range f.groups {
		of, err := root.decide(g, results[i])
		if err != nil {
			return worth{}, err
		}
		sum.add(of)
	}
	return sum, nil
}

// weigh finds e.courses for a seat's answer. What one seat tries in vain does
// not depend, given the course of the game, on what the other tries in vain.
// So the probability of an information state of the answering seat, summed over
// all that the other may have tried, is a sum over the courses that the state
// allows; and a course's summand is found once for all of them, by letting the
// other seat follow the policy, vain tries included, while the answering seat
// plays every course and tries nothing in vain.
func (e *stream) weigh(ctx context.Context, start games.State, seat games.Seat) error {
	if !e.conceals {
		return nil
	}
	root := e.walker(ctx, seat)
	root.weighed = map[string]float64{}
	jobs := []history{{start, 1}}
	for depth := 0; depth < 2 && len(jobs) > 0; depth++ { // enough jobs to share out
		next, err := root.level(jobs, &frontier{})
		if err != nil {
			return err
		}
		jobs = next
	}
	found := make([]map[string]float64, len(jobs))
	err := e.parallel(ctx, seat, len(jobs), func(w *walker, number int) error {
		w.weighed = map[string]float64{}
		found[number] = w.weighed
		_, err := w.expand(jobs[number : number+1 : number+1])
		return err
	})
	if err != nil {
		return err
	}
	e.courses = root.weighed
	for _, part := range found { // in order: a course may be in several
		for course, weight := range part {
			e.courses[course] += weight
		}
	}
	return nil
}

// parallel lets workers take the jobs 0 to count-1.
func (e *stream) parallel(ctx context.Context, seat games.Seat, count int, run func(w *walker, job int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var workers sync.WaitGroup
	var lock sync.Mutex
	var next atomic.Int64
	for range min(e.Workers, count) {
		workers.Go(func() {
			w := e.walker(ctx, seat)
			for job := next.Add(1) - 1; job < int64(count); job = next.Add(1) - 1 {
				if err := run(w, int(job)); err != nil {
					cancel(err)
					return
				}
				lock.Lock()
				e.done += 1 / float64(count)
				if e.Progress != nil {
					e.Progress(e.walked.Load(), e.done/float64(e.phases))
				}
				lock.Unlock()
			}
		})
	}
	workers.Wait()
	return context.Cause(ctx)
}

// walker is one worker's walk.
type walker struct {
	*stream
	ctx     context.Context
	seat    games.Seat
	weighed map[string]float64 // what weigh finds; nil when the seat answers
	free    []games.State      // for reuse
	key     []byte
	actions []games.Action
	odds    []float64
	met     []int
	returns []float64
}

func (e *stream) walker(ctx context.Context, seat games.Seat) *walker {
	return &walker{stream: e, ctx: ctx, seat: seat}
}

// copied returns a copy of a state, over one that is no longer needed.
func (w *walker) copied(s games.State) games.State {
	w.held.Add(1)
	if n := len(w.free); n > 0 {
		old := w.free[n-1]
		w.free = w.free[:n-1]
		return games.Copy(old, s)
	}
	return s.Clone()
}

func (w *walker) drop(h history) {
	w.free = append(w.free, h.state)
	w.held.Add(-1)
}

// value is what histories are worth that the seat has not yet told apart.
func (w *walker) value(histories []history) (worth, error) {
	f, err := w.expand(histories)
	if err != nil {
		return worth{}, err
	}
	sum := f.paid
	for _, g := range f.groups {
		results := make([]worth, len(g[0].state.Actions(nil)))
		for a := range results {
			if results[a], err = w.after(g, a); err != nil {
				return worth{}, err
			}
		}
		of, err := w.decide(g, results)
		if err != nil {
			return worth{}, err
		}
		sum.add(of)
		for _, h := range g {
			w.drop(h)
		}
	}
	return sum, nil
}

// decide takes the best of an information state's actions, and the policy's
// mixture of them.
func (w *walker) decide(g []history, results []worth) (worth, error) {
	probs := make([]float64, len(results))
	if err := w.policy.Probabilities(w.ctx, []games.State{g[0].state}, [][]float64{probs}); err != nil {
		return worth{}, err
	}
	if err := w.sound(g[0].state, probs); err != nil {
		return worth{}, err
	}
	out := worth{best: math.Inf(-1)}
	for a, r := range results {
		out.best = max(out.best, r.best)
		out.follow += probs[a] * r.follow
	}
	return out, nil
}

// sound refuses a policy's answer that is no distribution.
func (w *walker) sound(s games.State, probs []float64) error {
	if err := distribution(probs); err != nil {
		return fmt.Errorf("%s: seat %d, information state %q: %w", w.info.Name, s.Turn(), games.Key(s, s.Turn()), err)
	}
	return nil
}

// after is the worth of an information state once the seat has taken the
// action of the given rank.
func (w *walker) after(g []history, rank int) (worth, error) {
	next := make([]history, len(g))
	for i, h := range g {
		w.actions = h.state.Actions(w.actions[:0])
		if rank >= len(w.actions) {
			return worth{}, fmt.Errorf("%s: seat %d has %d actions in one state and more in another with the same key %q", w.info.Name, w.seat, len(w.actions), games.Key(h.state, w.seat))
		}
		next[i] = history{w.copied(h.state), h.weight}
		if err := next[i].state.Apply(w.actions[rank]); err != nil {
			return worth{}, fmt.Errorf("%s: %w", w.info.Name, err)
		}
	}
	return w.value(next)
}

// expand plays chance and the other seats on until the game is over or the
// seat is to move. It uses the given histories up.
func (w *walker) expand(level []history) (f frontier, err error) {
	f.index = map[string]int{}
	err = w.play(level, &f)
	return f, err
}

// widest is how many histories are played on at the same time where they need
// not meet again.
const widest = 1 << 14

func (w *walker) play(level []history, f *frontier) (err error) {
	for len(level) > 0 && err == nil {
		if w.weighed != nil && len(level) > widest {
			if err := w.play(level[widest:], f); err != nil {
				return err
			}
			level = level[:widest]
		}
		level, err = w.level(level, f)
	}
	return err
}

// level is one move of expand.
func (w *walker) level(level []history, f *frontier) (next []history, err error) {
	if w.ctx.Err() != nil {
		return nil, context.Cause(w.ctx)
	}
	w.walked.Add(int64(len(level)))
	if w.held.Load() > int64(w.Limit) {
		return nil, fmt.Errorf("%w: %s has information states with too many histories: more than %d are held at a time", ErrTooLarge, w.info.Name, w.Limit)
	}
	var asked []history
	for _, h := range level {
		switch turn := h.state.Turn(); turn {
		case games.Over:
			x := w.end(h)
			f.paid.add(worth{x, x})
			w.drop(h)
		case games.Chance:
			w.odds = h.state.Odds(w.odds[:0])
			next, err = w.spread(next, h, w.odds)
		default:
			switch {
			case w.conceals && (turn == w.seat) == (w.weighed != nil):
				next, err = w.effects(next, h)
			case turn == w.seat:
				w.join(h, f)
			default:
				asked = append(asked, h)
			}
		}
		if err != nil {
			return nil, err
		}
	}
	return w.ask(next, asked)
}

// join puts a history into its group.
func (w *walker) join(h history, f *frontier) {
	w.key = h.state.AppendKey(w.key[:0], w.seat)
	at, met := f.index[string(w.key)]
	if !met {
		at = len(f.groups)
		f.index[string(w.key)] = at
		f.groups = append(f.groups, nil)
	}
	f.groups[at] = append(f.groups[at], h)
}

// end is what a final history pays the seat, or nothing while courses are
// weighed.
func (w *walker) end(h history) float64 {
	weight := h.weight
	if w.conceals {
		w.key = h.state.(games.Concealer).AppendCourse(w.key[:0])
		if w.weighed != nil {
			w.weighed[string(w.key)] += weight
			return 0
		}
		weight = w.courses[string(w.key)]
	}
	w.returns = h.state.Returns(w.returns[:0])
	return weight * w.returns[w.seat]
}

// effects appends one child for each effect of a history's actions.
func (w *walker) effects(next []history, h history) ([]history, error) {
	w.actions, w.odds, w.met = h.state.Actions(w.actions[:0]), w.odds[:0], w.met[:0]
	conceals := h.state.(games.Concealer)
	for _, a := range w.actions {
		effect, p := conceals.Effect(a), 0.0
		if effect != games.NoEffect && !slices.Contains(w.met, effect) {
			w.met, p = append(w.met, effect), 1
		}
		w.odds = append(w.odds, p)
	}
	return w.spread(next, h, w.odds)
}

// ask lets the other seats follow the policy.
func (w *walker) ask(next, asked []history) ([]history, error) {
	for lo := 0; lo < len(asked); lo += chunk {
		part := asked[lo:min(lo+chunk, len(asked))]
		states, probs := make([]games.State, len(part)), make([][]float64, len(part))
		for i, h := range part {
			w.actions = h.state.Actions(w.actions[:0])
			states[i], probs[i] = h.state, make([]float64, len(w.actions))
		}
		if err := w.policy.Probabilities(w.ctx, states, probs); err != nil {
			return nil, err
		}
		for i, h := range part {
			err := w.sound(h.state, probs[i])
			if err == nil {
				next, err = w.spread(next, h, probs[i])
			}
			if err != nil {
				return nil, err
			}
		}
	}
	return next, nil
}

// spread appends a history's children of positive probability and uses it up:
// the last child takes the place of its parent.
func (w *walker) spread(next []history, h history, probs []float64) ([]history, error) {
	w.actions = h.state.Actions(w.actions[:0])
	if len(w.actions) != len(probs) {
		return nil, fmt.Errorf("%s: %d actions with %d probabilities", w.info.Name, len(w.actions), len(probs))
	}
	last := len(probs) - 1
	for last >= 0 && probs[last] == 0 {
		last--
	}
	for i, p := range probs[:last+1] {
		if p == 0 {
			continue
		}
		child := h.state
		if i < last {
			child = w.copied(h.state)
		}
		if err := child.Apply(w.actions[i]); err != nil {
			return nil, fmt.Errorf("%s: %w", w.info.Name, err)
		}
		next = append(next, history{child, h.weight * p})
	}
	return next, nil
}
