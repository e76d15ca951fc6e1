// Package rae turns finished games into advantages. Its main estimator is
// role-conditioned advantage estimation (SPIRAL, arXiv 2506.24119): seats of a
// game have different expected returns, so each (game, role) has a running
// mean of its own, and a seat's advantage is its return beyond that mean. The
// alternatives that it is measured against stand behind the same interface.
package rae

import (
	"encoding/json"
	"fmt"
	"math"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/internal/spec"
	"github.com/agon-rl/agon/play"
)

// Estimate is what an estimator makes of one turn.
type Estimate struct {
	Advantage float64
	Target    float64 // what a value head should have answered
}

// Estimator turns finished games into estimates. It is used by one goroutine,
// and its result depends on the order of the episodes.
type Estimator interface {
	// Estimate returns one slice an episode, parallel to its Turns. Turns of
	// seats where own is false belong to somebody else: their estimates are
	// zero and they leave the baselines alone.
	Estimate(episodes []*play.Episode, roles []string, own func(e *play.Episode, s games.Seat) bool) ([][]Estimate, error)
	// Baselines returns the running means by "game/role", for reports.
	Baselines() map[string]float64
	json.Marshaler
	json.Unmarshaler
}

// Valued is implemented by behaviour records that know the policy's value of
// the state; gae needs it.
type Valued interface {
	StateValue() float64
}

// Params documents the estimators for help texts.
const Params = `rae(decay=0.95,order=read|update|batch,gamma=1)  one running mean for each game and role
shared(decay=0.95,gamma=1)                       one running mean for each game
per_actor(actors=8,decay=0.95,gamma=1)           rae with a table for each actor, as in SPIRAL's release
batch_mean(gamma=1)                              the batch's own mean return of the role
raw(gamma=1)                                     no baseline
gae(gamma=1,lambda=0.95)                         the value network's, by generalised advantage estimation`

// New returns the estimator that text names, such as rae(decay=0.9).
func New(text string) (Estimator, error) {
	s, err := spec.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("advantage %w", err)
	}
	r := spec.Read(s)
	gamma := func() float64 { return r.Float("gamma", 1, 0, 1) }
	decay := func() float64 { return r.Float("decay", 0.95, 0, 0.999999) }
	var e Estimator
	switch s.Name {
	case "rae":
		e = &running{decay: decay(), order: r.Choice("order", "read", "read", "update", "batch"), gamma: gamma(), key: roleKey}
	case "shared":
		e = &running{decay: decay(), order: "read", gamma: gamma(), key: func(e *play.Episode, _ string) string { return e.Game }}
	case "per_actor":
		actors := r.Int("actors", 8, 1, 4096)
		e = &running{decay: decay(), order: "read", gamma: gamma(), key: func(e *play.Episode, role string) string {
			return fmt.Sprintf("%s#%d", roleKey(e, role), e.Number%uint64(actors))
		}}
	case "batch_mean":
		e = &batchMean{gamma: gamma()}
	case "raw":
		e = &raw{gamma: gamma()}
	case "gae":
		e = &gae{gamma: gamma(), lambda: r.Float("lambda", 0.95, 0, 1)}
	default:
		return nil, fmt.Errorf("unknown advantage %q%s", s.Name, spec.Suggest(s.Name, []string{"rae", "shared", "per_actor", "batch_mean", "raw", "gae"}))
	}
	if err := r.Err(); err != nil {
		return nil, fmt.Errorf("advantage %w", err)
	}
	return e, nil
}

func roleKey(e *play.Episode, role string) string { return e.Game + "/" + role }

// running keeps exponential running means of returns.
//
//	A = R − b,  b ← αb + (1−α)R,  b₀ = 0
//
// once for each of the learner's seats and finished game, in the order of the
// episodes (SPIRAL's released code; its paper's box and Vision-Zero update
// first).
type running struct {
	decay float64 // α
	order string  // read: b is read, then updated; update: the other way; batch: updated once a batch with its mean
	gamma float64
	key   func(e *play.Episode, role string) string

	means map[string]float64
}

func (r *running) Estimate(episodes []*play.Episode, roles []string, own func(*play.Episode, games.Seat) bool) ([][]Estimate, error) {
	if r.means == nil {
		r.means = map[string]float64{}
	}
	sums, counts := map[string]float64{}, map[string]float64{}
	out := make([][]Estimate, len(episodes))
	baselines := make([]float64, len(roles))
	for i, e := range episodes {
		for seat, role := range roles {
			if !own(e, games.Seat(seat)) {
				continue
			}
			key, ret := r.key(e, role), e.Returns[seat]
			updated := r.decay*r.means[key] + (1-r.decay)*ret
			switch r.order {
			case "read":
				baselines[seat] = r.means[key]
				r.means[key] = updated
			case "update":
				r.means[key] = updated
				baselines[seat] = updated
			case "batch":
				baselines[seat] = r.means[key]
				sums[key] += ret
				counts[key]++
			}
		}
		out[i] = discounted(e, r.gamma, own, func(s games.Seat) float64 { return baselines[s] })
	}
	for key, sum := range sums {
		r.means[key] = r.decay*r.means[key] + (1-r.decay)*sum/counts[key]
	}
	return out, nil
}

// discounted spreads a seat's advantage over its turns:
// A_t = γ^(turns the seat still has after t)·(R − b).
func discounted(e *play.Episode, gamma float64, own func(*play.Episode, games.Seat) bool, baseline func(games.Seat) float64) []Estimate {
	out := make([]Estimate, len(e.Turns))
	factor := make([]float64, len(e.Returns))
	for seat := range factor {
		factor[seat] = 1
	}
	for t := len(e.Turns) - 1; t >= 0; t-- {
		seat := e.Turns[t].Seat
		if !own(e, seat) {
			continue
		}
		out[t] = Estimate{Advantage: factor[seat] * (e.Returns[seat] - baseline(seat)), Target: factor[seat] * e.Returns[seat]}
		factor[seat] *= gamma
	}
	return out
}

func (r *running) Baselines() map[string]float64 { return r.means }

func (r *running) MarshalJSON() ([]byte, error) { return json.Marshal(r.means) }

func (r *running) UnmarshalJSON(data []byte) error { return unmarshalMeans(data, &r.means) }

func unmarshalMeans(data []byte, means *map[string]float64) error {
	var read map[string]float64
	if err := json.Unmarshal(data, &read); err != nil {
		return fmt.Errorf("reading the baselines: %w", err)
	}
	for key, mean := range read {
		if math.IsNaN(mean) || math.IsInf(mean, 0) {
			return fmt.Errorf("reading the baselines: %s is %g", key, mean)
		}
	}
	*means = read
	return nil
}

// batchMean subtracts the mean return that the role had in the same batch.
type batchMean struct {
	gamma float64
	means map[string]float64
}

func (b *batchMean) Estimate(episodes []*play.Episode, roles []string, own func(*play.Episode, games.Seat) bool) ([][]Estimate, error) {
	sums, counts := map[string]float64{}, map[string]float64{}
	for _, e := range episodes {
		for seat, role := range roles {
			if own(e, games.Seat(seat)) {
				sums[roleKey(e, role)] += e.Returns[seat]
				counts[roleKey(e, role)]++
			}
		}
	}
	b.means = map[string]float64{}
	for key, sum := range sums {
		b.means[key] = sum / counts[key]
	}
	out := make([][]Estimate, len(episodes))
	for i, e := range episodes {
		out[i] = discounted(e, b.gamma, own, func(s games.Seat) float64 { return b.means[roleKey(e, roles[s])] })
	}
	return out, nil
}

func (b *batchMean) Baselines() map[string]float64 { return b.means }
func (b *batchMean) MarshalJSON() ([]byte, error)  { return []byte("{}"), nil }
func (b *batchMean) UnmarshalJSON([]byte) error    { return nil }
func (r *raw) Baselines() map[string]float64       { return nil }
func (r *raw) MarshalJSON() ([]byte, error)        { return []byte("{}"), nil }
func (r *raw) UnmarshalJSON([]byte) error          { return nil }
func (g *gae) Baselines() map[string]float64       { return nil }
func (g *gae) MarshalJSON() ([]byte, error)        { return []byte("{}"), nil }
func (g *gae) UnmarshalJSON([]byte) error          { return nil }

// raw uses the returns as they are.
type raw struct{ gamma float64 }

func (r *raw) Estimate(episodes []*play.Episode, _ []string, own func(*play.Episode, games.Seat) bool) ([][]Estimate, error) {
	out := make([][]Estimate, len(episodes))
	for i, e := range episodes {
		out[i] = discounted(e, r.gamma, own, func(games.Seat) float64 { return 0 })
	}
	return out, nil
}

// gae is generalised advantage estimation (Schulman et al. 2016, arXiv
// 1506.02438, eq. 16) over each seat's own turns, with returns paid at the end:
//
//	δ_t = γV_{t+1} − V_t (last turn: R − V_t),  A_t = δ_t + γλA_{t+1}
type gae struct{ gamma, lambda float64 }

func (g *gae) Estimate(episodes []*play.Episode, roles []string, own func(*play.Episode, games.Seat) bool) ([][]Estimate, error) {
	out := make([][]Estimate, len(episodes))
	for i, e := range episodes {
		out[i] = make([]Estimate, len(e.Turns))
		next := make([]float64, len(roles))      // V_{t+1}, or R after the last turn
		advantage := make([]float64, len(roles)) // A_{t+1}
		last := make([]bool, len(roles))
		for seat := range roles {
			next[seat], last[seat] = e.Returns[seat], true
		}
		for t := len(e.Turns) - 1; t >= 0; t-- {
			seat := e.Turns[t].Seat
			if !own(e, seat) {
				continue
			}
			valued, ok := e.Turns[t].Record.(Valued)
			if !ok {
				return nil, fmt.Errorf("advantage gae needs a policy with a value head; this one records %T", e.Turns[t].Record)
			}
			value, gamma := valued.StateValue(), g.gamma
			if last[seat] {
				gamma = 1
			}
			advantage[seat] = gamma*next[seat] - value + g.gamma*g.lambda*advantage[seat]
			out[i][t] = Estimate{Advantage: advantage[seat], Target: advantage[seat] + value}
			next[seat], last[seat] = value, false
		}
	}
	return out, nil
}
