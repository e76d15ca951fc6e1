package judge

import (
	"fmt"

	"github.com/agon-rl/agon/internal/spec"
)

func init() {
	Kinds.Add(spec.Entry[Kind]{
		Name: "regret", Usage: "regret(values=FILE)", Help: "the smaller regret; FILE is a JSON list of V* by state; discount=1, temperature=0",
		Value: func(r *spec.Reader, _ Environment) (Judge, error) {
			file, discount := r.String("values", ""), r.Float("discount", 1, 0, 1)
			var values []float64
			if err := readJSON(r, "regret: values", file, &values); err != nil {
				return nil, err
			}
			return Regret(values, discount, readTemperature(r)), nil
		},
	})
}

// Regret prefers the segment that falls less short of the best that could be done
// (Knox et al. 2022, arXiv 2206.02231, section 2.3, for deterministic transitions):
//
//	regret(σ) = V*(s_0) − (Σγ^t·r_t + γ^T·V*(s_T))
//	P(σ1 ≻ σ2) = σ((regret(σ2) − regret(σ1))/τ)
//
// values are V* by state, such as Process.Solve finds.
func Regret(values []float64, discount, temperature float64) Judge {
	return Utility{func(a *Answer) (float64, error) {
		first, last, err := a.ends(len(values))
		if err != nil {
			return 0, err
		}
		r, rest := a.discounted(discount)
		return r + rest*values[last] - values[first], nil
	}, temperature}
}

// ends are the first and the last state of a segment of a process.
func (a *Answer) ends(states int) (first, last int, err error) {
	if len(a.Rewards) == 0 || len(a.States) != len(a.Rewards)+1 {
		return 0, 0, fmt.Errorf("feedback regret: the answer has %d states and %d rewards: expected rewards, and one state more", len(a.States), len(a.Rewards))
	}
	first, last = a.States[0], a.States[len(a.States)-1]
	for _, s := range []int{first, last} {
		if s < 0 || s >= states {
			return 0, 0, fmt.Errorf("feedback regret: state %d: expected one of the %d that have values", s, states)
		}
	}
	return first, last, nil
}
