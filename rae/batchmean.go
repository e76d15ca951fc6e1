package rae

import (
	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/internal/spec"
	"github.com/agon-rl/agon/play"
)

func init() {
	Estimators.Add(spec.Entry[func(r *spec.Reader) Estimator]{
		Name: "batch_mean", Usage: "batch_mean(gamma=1)", Help: "the batch's own mean return of the role",
		Value: func(r *spec.Reader) Estimator {
			return &batchMean{gamma: readGamma(r)}
		},
	})
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
