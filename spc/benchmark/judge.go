package benchmark

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/agon-rl/agon/agents/chat"
	"github.com/agon-rl/agon/games"
)

// Critic answers asks. It is safe for concurrent use.
type Critic interface {
	// Answer returns an answer. An *UnfitError refuses this ask for good; an error
	// that wraps games.ErrLost leaves it open; any other ends the judging.
	Answer(ctx context.Context, a Ask) (Entry, error)
}

// UnfitError is the error of an ask that a critic cannot judge.
type UnfitError struct {
	ID  string
	Err error
}

func (e *UnfitError) Error() string { return fmt.Sprintf("row %s: %v", e.ID, e.Err) }

func (e *UnfitError) Unwrap() error { return e.Err }

// Options say how a task is judged.
type Options struct {
	Parallel int // asks under way at once; 1 where 0
	// Patience is after how many failures with no answer between them it is
	// given up; DefaultPatience where 0.
	Patience int
	Progress func(done, total int) // may be nil; called after each ask, by one goroutine at a time
}

// DefaultPatience outlasts a server that restarts.
const DefaultPatience = 24

// Judge asks a critic whatever the journal has no answer to, and keeps each
// answer there as it comes. Asks that fail stay open: the outcome says so, and the
// next call asks them again. Where ctx ends or the critic fails for good, the error
// says why, and the journal has what was answered until then.
func Judge(ctx context.Context, t *Task, critic Critic, journal *Journal, o Options) (*Outcome, error) {
	if o.Patience == 0 {
		o.Patience = DefaultPatience
	}
	open := slices.DeleteFunc(slices.Clone(t.asks), func(a Ask) bool { return journal.Has(a.Row) })
	l := &loop{task: t, journal: journal, options: o, done: len(t.asks) - len(open)}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(max(1, o.Parallel))
	for _, ask := range open {
		if ctx.Err() != nil {
			break
		}
		group.Go(func() error {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			e, err := critic.Answer(ctx, ask)
			if err != nil && ctx.Err() != nil {
				return context.Cause(ctx)
			}
			return l.take(ask, e, err)
		})
	}
	err := group.Wait()
	if err == nil && ctx.Err() != nil && len(l.outcome.Missing)+len(l.outcome.Refused)+len(journal.Entries()) < len(t.asks) {
		err = context.Cause(ctx)
	}
	if err != nil {
		return nil, err
	}
	l.outcome.Entries = journal.Entries()
	l.outcome.sort()
	return &l.outcome, nil
}

// loop is a judging under way.
type loop struct {
	task    *Task
	journal *Journal
	options Options

	mu      sync.Mutex
	outcome Outcome
	done    int
	failed  int // since the last answer
}

func (l *loop) take(a Ask, e Entry, err error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	var unfit *UnfitError
	switch {
	case err == nil:
		if err := l.journal.Add(l.task, a, e); err != nil {
			return err
		}
		l.failed = 0
	case errors.As(err, &unfit):
		l.outcome.Refused = append(l.outcome.Refused, Unanswered{a, err})
	case passes(err):
		err = reason(err)
		l.outcome.Missing = append(l.outcome.Missing, Unanswered{a, err})
		if l.failed++; l.failed >= l.options.Patience {
			return fmt.Errorf("benchmark: %d asks failed one after the other, the last one: %w", l.failed, err)
		}
	default:
		return fmt.Errorf("benchmark: row %s: %w", a.ID, err)
	}
	if l.done++; l.options.Progress != nil {
		l.options.Progress(l.done, len(l.task.asks))
	}
	return nil
}

// reason is what the last call said, where there was one.
func reason(err error) error {
	var call *chat.CallError
	if errors.As(err, &call) {
		return call
	}
	return err
}

// passes tells failures of one ask from those that all asks would meet: what a
// server finds wrong with a request may be its length alone.
func passes(err error) bool {
	var call *chat.CallError
	return errors.Is(err, games.ErrLost) || errors.As(err, &call) &&
		slices.Contains([]int{http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity}, call.Status)
}
