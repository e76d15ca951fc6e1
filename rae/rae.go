// Package rae turns finished games into advantages. Its main estimator is
// role-conditioned advantage estimation (SPIRAL, arXiv 2506.24119): seats of a
// game have different expected returns, so each (game, role) has a running
// mean of its own, and a seat's advantage is its return beyond that mean. The
// alternatives that it is measured against stand behind the same interface.
package rae

import (
	"encoding/json"
	"fmt"

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

// Estimators are the estimators that can be named. Each is added by the file that
// defines it.
var Estimators spec.Registry[func(r *spec.Reader) Estimator]

// New returns the estimator that text names, such as rae(decay=0.9).
func New(text string) (Estimator, error) {
	kind, r, err := Estimators.Read(text)
	if err != nil {
		return nil, fmt.Errorf("advantage %w", err)
	}
	e := kind.Value(r)
	if err := r.Err(); err != nil {
		return nil, fmt.Errorf("advantage %w", err)
	}
	return e, nil
}

func readGamma(r *spec.Reader) float64 { return r.Float("gamma", 1, 0, 1) }

func roleKey(e *play.Episode, role string) string { return e.Game + "/" + role }

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
