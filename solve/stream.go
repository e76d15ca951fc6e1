package solve

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/policy"
)

// Stream measures policies in games that are too large to compile. It walks
// the game along what the answering seat knows and keeps only the histories of
// one line of information states in memory; none is kept once its worth is
// known. What the policy never plays is not walked at all.
type Stream struct {
	// Workers is how many goroutines walk; 0 for one a processor.
	Workers int
	// Limit bounds the histories held at the same time by all workers; 0 for
	// DefaultHeld.
	Limit int
	// Progress, if not nil, hears now and then how many histories have been
	// walked and which share of the work is done.
	Progress func(histories int64, share float64)
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
	e := &stream{Stream: s, info: info, policy: p, share: 1 / float64(info.Seats)}
	var r Report
	for seat := range games.Seat(info.Seats) {
		best, value, err := e.answer(ctx, game.Start(), seat)
		if err != nil {
			return Report{}, err
		}
		r.BestResponse, r.Value = append(r.BestResponse, best), append(r.Value, value)
		r.NashConv += best - value
	}
	r.Exploitability = r.NashConv / float64(info.Seats)
	return r, nil
}

// stream is one measurement under way.
type stream struct {
	Stream
	info   games.Info
	policy policy.Policy
	share  float64 // of a seat in the work
	done   float64

	walked, held atomic.Int64
}

// history is a node with the probability that chance and the other seats play
// their parts on the way there.
type history struct {
	state  games.State
	weight float64
}

// group is the histories of one information state of the answering seat.
type group []history

// worth of histories to the answering seat: when it answers best from there,
// and when it follows the policy.
type worth struct{ best, follow float64 }

// answer returns a seat's best response value and its value under the policy.
// The seat's first decisions are the jobs of the workers; their results are
// added in order, so that the sum does not depend on who came first.
func (e *stream) answer(ctx context.Context, start games.State, seat games.Seat) (best, follow float64, err error) {
	root := e.walker(ctx, seat)
	at, groups, err := root.expand([]history{{start, 1}})
	if err != nil {
		return 0, 0, err
	}
	results := make([][]worth, len(groups))
	jobs := 0
	for i, g := range groups {
		results[i] = make([]worth, len(g[0].state.Actions(nil)))
		jobs += len(results[i])
	}
	if err := e.work(ctx, seat, groups, results, jobs); err != nil {
		return 0, 0, err
	}
	for i, g := range groups {
		sum, err := root.decide(g, results[i])
		if err != nil {
			return 0, 0, err
		}
		at.best, at.follow = at.best+sum.best, at.follow+sum.follow
	}
	return at.best, at.follow, nil
}

func (e *stream) work(ctx context.Context, seat games.Seat, groups []group, results [][]worth, jobs int) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	type job struct{ group, action int }
	queue := make(chan job, jobs)
	for i := range results {
		for a := range results[i] {
			queue <- job{i, a}
		}
	}
	close(queue)
	var workers sync.WaitGroup
	var lock sync.Mutex
	for range min(e.Workers, jobs) {
		workers.Go(func() {
			w := e.walker(ctx, seat)
			for j := range queue {
				result, err := w.after(groups[j.group], j.action)
				if err != nil {
					cancel(err)
					return
				}
				lock.Lock()
				results[j.group][j.action] = result
				e.done += e.share / float64(jobs)
				e.report()
				lock.Unlock()
			}
		})
	}
	workers.Wait()
	if err := context.Cause(ctx); err != nil {
		return err
	}
	return nil
}

func (e *stream) report() {
	if e.Progress != nil {
		e.Progress(e.walked.Load(), e.done)
	}
}

// walker is one worker's walk.
type walker struct {
	*stream
	ctx     context.Context
	seat    games.Seat
	free    []games.State // for reuse
	key     []byte
	actions []games.Action
	odds    []float64
	returns []float64
}

func (e *stream) walker(ctx context.Context, seat games.Seat) *walker {
	return &walker{stream: e, ctx: ctx, seat: seat}
}

// copied returns a copy of a state, over one that is no longer needed.
func (w *walker) copied(s games.State) games.State {
	if n := len(w.free); n > 0 {
		old := w.free[n-1]
		w.free = w.free[:n-1]
		return games.Copy(old, s)
	}
	return s.Clone()
}

// value is what histories are worth that the seat has not yet told apart.
func (w *walker) value(histories []history) (worth, error) {
	sum, groups, err := w.expand(histories)
	if err != nil {
		return worth{}, err
	}
	for _, g := range groups {
		actions := len(g[0].state.Actions(nil))
		results := make([]worth, actions)
		for a := range results {
			if results[a], err = w.after(g, a); err != nil {
				return worth{}, err
			}
		}
		of, err := w.decide(g, results)
		if err != nil {
			return worth{}, err
		}
		sum.best, sum.follow = sum.best+of.best, sum.follow+of.follow
		for _, h := range g {
			w.free = append(w.free, h.state)
		}
		w.held.Add(-int64(len(g)))
	}
	return sum, nil
}

// decide takes the best of an information state's actions, and the policy's
// mixture of them.
func (w *walker) decide(g group, results []worth) (worth, error) {
	probs := make([]float64, len(results))
	if err := w.policy.Probabilities(w.ctx, []games.State{g[0].state}, [][]float64{probs}); err != nil {
		return worth{}, err
	}
	if err := distribution(probs); err != nil {
		return worth{}, fmt.Errorf("%s: seat %d, information state %q: %w", w.info.Name, w.seat, games.Key(g[0].state, w.seat), err)
	}
	out := worth{best: math.Inf(-1)}
	for a, r := range results {
		out.best = max(out.best, r.best)
		out.follow += probs[a] * r.follow
	}
	return out, nil
}

// after is the value of an information state once the seat has taken the
// action of the given rank.
func (w *walker) after(g group, rank int) (worth, error) {
	next := make([]history, len(g))
	for i, h := range g {
		w.actions = h.state.Actions(w.actions[:0])
		next[i] = history{w.copied(h.state), h.weight}
		if rank >= len(w.actions) {
			return worth{}, fmt.Errorf("%s: seat %d has %d actions in one state and more in another with the same key %q", w.info.Name, w.seat, len(w.actions), games.Key(h.state, w.seat))
		}
		if err := next[i].state.Apply(w.actions[rank]); err != nil {
			return worth{}, fmt.Errorf("%s: %w", w.info.Name, err)
		}
	}
	w.held.Add(int64(len(next)))
	return w.value(next)
}

// expand plays chance and the other seats on until the game is over, which
// pays, or the seat is to move, which groups the histories by what it knows.
// It uses the given histories up.
func (w *walker) expand(level []history) (paid worth, groups []group, err error) {
	index := map[string]int{}
	for len(level) > 0 {
		if err := w.ctx.Err(); err != nil {
			return paid, nil, context.Cause(w.ctx)
		}
		w.walked.Add(int64(len(level)))
		var next, asked []history
		for _, h := range level {
			switch turn := h.state.Turn(); turn {
			case games.Over:
				w.returns = h.state.Returns(w.returns[:0])
				x := h.weight * w.returns[w.seat]
				paid.best, paid.follow = paid.best+x, paid.follow+x
				w.drop(h)
			case w.seat:
				w.key = h.state.AppendKey(w.key[:0], w.seat)
				at, met := index[string(w.key)]
				if !met {
					at = len(groups)
					index[string(w.key)] = at
					groups = append(groups, nil)
				}
				groups[at] = append(groups[at], h)
			case games.Chance:
				w.odds = h.state.Odds(w.odds[:0])
				if next, err = w.spread(next, h, w.odds); err != nil {
					return paid, nil, err
				}
			default:
				asked = append(asked, h)
			}
		}
		if next, err = w.ask(next, asked); err != nil {
			return paid, nil, err
		}
		level = next
		if w.held.Load() > int64(w.Limit) {
			return paid, nil, fmt.Errorf("%w: %s has information states with too many histories: more than %d are held at a time", ErrTooLarge, w.info.Name, w.Limit)
		}
	}
	return paid, groups, nil
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
			if err := distribution(probs[i]); err != nil {
				return nil, fmt.Errorf("%s: seat %d, information state %q: %w", w.info.Name, h.state.Turn(), games.Key(h.state, h.state.Turn()), err)
			}
			var err error
			if next, err = w.spread(next, h, probs[i]); err != nil {
				return nil, err
			}
		}
	}
	return next, nil
}

// spread appends a history's children of positive probability and uses it up.
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
		child := h.state // the last child takes the place of its parent
		if i < last {
			child = w.copied(h.state)
			w.held.Add(1)
		}
		if err := child.Apply(w.actions[i]); err != nil {
			return nil, fmt.Errorf("%s: %w", w.info.Name, err)
		}
		next = append(next, history{child, h.weight * p})
	}
	return next, nil
}

func (w *walker) drop(h history) {
	w.free = append(w.free, h.state)
	w.held.Add(-1)
}
