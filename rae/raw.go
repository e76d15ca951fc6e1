package rae

import (
	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/internal/spec"
	"github.com/agon-rl/agon/play"
)

func init() {
	Estimators.Add(spec.Entry[func(r *spec.Reader) Estimator]{
		Name: "raw", Usage: "raw(gamma=1)", Help: "no baseline",
		Value: func(r *spec.Reader) Estimator {
			return &raw{gamma: readGamma(r)}
		},
	})
}

// raw uses the returns as they are.
type raw struct{ gamma float64 }

func (r *raw) Estimate(episodes []*play.Episode, _ []string, own func(*play.Episode, games.Seat) bool) ([][]Estimate, error) {
	out := make([][]Estimate, len(episodes))
	for i, e := range episodes {
		out[i] = discounted(e, r.gamma, own, func(games.Seat) float64 { return 0 })
	}
	return out, nil
}

func (r *raw) Baselines() map[string]float64 { return nil }
func (r *raw) MarshalJSON() ([]byte, error)  { return []byte("{}"), nil }
func (r *raw) UnmarshalJSON([]byte) error    { return nil }
