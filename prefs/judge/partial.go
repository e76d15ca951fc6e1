package judge

import (
	"errors"

	"github.com/agon-rl/agon/internal/spec"
)

func init() {
	Kinds.Add(spec.Entry[Kind]{
		Name: "partial", Usage: "partial(discount=1)", Help: "the larger sum of rewards; temperature=0 prefers it for sure",
		Value: func(r *spec.Reader, _ Environment) (Judge, error) {
			return PartialReturn(r.Float("discount", 1, 0, 1), readTemperature(r)), nil
		},
	})
}

// PartialReturn prefers the segment with the larger sum of rewards, whatever lies
// before and behind it (Christiano et al. 2017, arXiv 1706.03741, eq. 1):
// P(σ1 ≻ σ2) = σ((Σγ^t·r1_t − Σγ^t·r2_t)/τ).
func PartialReturn(discount, temperature float64) Judge {
	return Utility{func(a *Answer) (float64, error) {
		if len(a.Rewards) == 0 {
			return 0, errors.New("feedback partial: the answer has no rewards: expected those of its steps")
		}
		r, _ := a.discounted(discount)
		return r, nil
	}, temperature}
}

// discounted is Σγ^t·r_t, with γ^T of what follows.
func (a *Answer) discounted(discount float64) (sum, rest float64) {
	rest = 1
	for _, r := range a.Rewards {
		sum += rest * r
		rest *= discount
	}
	return sum, rest
}
