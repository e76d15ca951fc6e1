package rae

import (
	"encoding/json"
	"fmt"
	"math"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/internal/spec"
	"github.com/agon-rl/agon/play"
)

func init() {
	Estimators.Add(spec.Entry[func(r *spec.Reader) Estimator]{
		Name: "rae", Usage: "rae(decay=0.95,order=read|update|batch,gamma=1)", Help: "one running mean for each game and role",
		Value: func(r *spec.Reader) Estimator {
			return &running{decay: readDecay(r), order: r.Choice("order", "read", "read", "update", "batch"), gamma: readGamma(r), key: roleKey}
		},
	})
	Estimators.Add(spec.Entry[func(r *spec.Reader) Estimator]{
		Name: "shared", Usage: "shared(decay=0.95,gamma=1)", Help: "one running mean for each game",
		Value: func(r *spec.Reader) Estimator {
			return &running{decay: readDecay(r), order: "read", gamma: readGamma(r), key: func(e *play.Episode, _ string) string { return e.Game }}
		},
	})
	Estimators.Add(spec.Entry[func(r *spec.Reader) Estimator]{
		Name: "per_actor", Usage: "per_actor(actors=8,decay=0.95,gamma=1)", Help: "rae with a table for each actor, as in SPIRAL's release",
		Value: func(r *spec.Reader) Estimator {
			actors := r.Int("actors", 8, 1, 4096)
			return &running{decay: readDecay(r), order: "read", gamma: readGamma(r), key: func(e *play.Episode, role string) string {
				return fmt.Sprintf("%s#%d", roleKey(e, role), e.Number%uint64(actors))
			}}
		},
	})
}

func readDecay(r *spec.Reader) float64 { return r.Float("decay", 0.95, 0, 0.999999) }

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
