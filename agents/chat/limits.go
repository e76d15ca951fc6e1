package chat

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"
	"golang.org/x/time/rate"
)

// limits hold calls back.
type limits struct {
	slots    chan struct{}
	requests *rate.Limiter
	tokens   *rate.Limiter
}

func newLimits(o Options) *limits {
	return &limits{
		slots:    make(chan struct{}, o.Parallel),
		requests: perMinute(o.RequestsPerMinute),
		tokens:   perMinute(o.TokensPerMinute),
	}
}

// perMinute limits to n a minute, one second's worth at once, so that no minute
// sees more than that above n.
func perMinute(n int) *rate.Limiter {
	if n == 0 {
		return rate.NewLimiter(rate.Inf, 1)
	}
	return rate.NewLimiter(rate.Limit(float64(n)/60), max(1, n/60))
}

// enter waits until a call that will read so many tokens may begin. The caller
// calls leave once it is over.
func (l *limits) enter(ctx context.Context, tokens int) error {
	select {
	case l.slots <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	err := l.requests.Wait(ctx)
	for burst := l.tokens.Burst(); err == nil && tokens > 0; tokens -= burst {
		err = l.tokens.WaitN(ctx, min(tokens, burst))
	}
	if err != nil {
		l.leave()
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return fmt.Errorf("waiting for the rate limit: %w", err)
	}
	return nil
}

func (l *limits) leave() { <-l.slots }

// owe charges tokens that were used beyond those a call was let in for. Later
// calls wait for them.
func (l *limits) owe(tokens int64) {
	if l.tokens.Limit() == rate.Inf {
		return
	}
	now, burst := time.Now(), int64(l.tokens.Burst())
	for ; tokens > 0; tokens -= burst {
		l.tokens.ReserveN(now, int(min(tokens, burst)))
	}
}

// longestWait is the longest Retry-After that is waited for.
const longestWait = 5 * time.Minute

// waits are the pauses between the tries of one call: exponential, with jitter
// from a seeded generator, which the library's own is not, and never shorter
// than the server asked for.
type waits struct {
	*backoff.ExponentialBackOff
	jitter *jitter
	asked  time.Duration
}

func newWaits(first time.Duration, j *jitter) *waits {
	exponential := backoff.NewExponentialBackOff()
	exponential.InitialInterval, exponential.RandomizationFactor = first, 0
	return &waits{ExponentialBackOff: exponential, jitter: j}
}

// NextBackOff implements backoff.BackOff. Jitter comes on top of what the server
// asked for: it asked everyone the same.
func (w *waits) NextBackOff() time.Duration {
	if w.asked > longestWait {
		return backoff.Stop
	}
	return w.asked + w.jitter.spread(w.ExponentialBackOff.NextBackOff())
}

// jitter shares a generator between calls.
type jitter struct {
	mu sync.Mutex
	r  *rand.Rand
}

// spread returns a duration between half of d and one and a half of it.
func (j *jitter) spread(d time.Duration) time.Duration {
	j.mu.Lock()
	defer j.mu.Unlock()
	return time.Duration((0.5 + j.r.Float64()) * float64(d))
}
