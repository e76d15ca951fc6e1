package chat

import (
	"maps"
	"sync"

	"github.com/agon-rl/agon/play"
)

// Usage is what a client's calls came to.
type Usage struct {
	Calls     int // retries included
	Retries   int
	Failures  map[Kind]int // calls that failed
	TokensIn  int64        // read by the model, as its server counts
	TokensOut int64        // written by it, reasoning included
	Dollars   float64      // by Options.Price
}

// ledger adds up usage.
type ledger struct {
	mu    sync.Mutex
	price Price
	usage Usage
}

func newLedger(p Price) *ledger { return &ledger{price: p, usage: Usage{Failures: map[Kind]int{}}} }

func (l *ledger) call(retry bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.usage.Calls++
	if retry {
		l.usage.Retries++
	}
}

func (l *ledger) fail(k Kind) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.usage.Failures[k]++
}

func (l *ledger) tokens(in, out int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.usage.TokensIn += in
	l.usage.TokensOut += out
	l.usage.Dollars += l.price.of(in, out)
}

// of is what so many tokens cost, in dollars.
func (p Price) of(in, out int64) float64 { return (float64(in)*p.In + float64(out)*p.Out) / 1e6 }

// cost is what a reply took.
func (c *Client) cost(r Reply) play.Cost {
	return play.Cost{Failed: r.Failed, TokensIn: r.TokensIn, TokensOut: r.TokensOut, Dollars: c.ledger.price.of(r.TokensIn, r.TokensOut)}
}

func (l *ledger) total() Usage {
	l.mu.Lock()
	defer l.mu.Unlock()
	u := l.usage
	u.Failures = maps.Clone(u.Failures)
	return u
}
