package judge

import (
	"fmt"
	"math"

	"github.com/agon-rl/agon/internal/spec"
)

func init() {
	Kinds.Add(spec.Entry[Kind]{
		Name: "foresight", Help: "what the answer promises; temperature=0",
		Value: func(r *spec.Reader, _ Environment) (Judge, error) {
			return Hindsight(0, readTemperature(r)), nil
		},
	})
	Kinds.Add(spec.Entry[Kind]{
		Name: "hindsight", Usage: "hindsight(steps=2)", Help: "the same after two steps were seen; without steps, after all",
		Value: func(r *spec.Reader, _ Environment) (Judge, error) {
			return Hindsight(r.Int("steps", -1, 0, math.MaxInt32), readTemperature(r)), nil
		},
	})
}

// Hindsight judges after so many steps have been seen: what came, and what is to be
// hoped of the rest (Liang et al. 2025, arXiv 2501.08617). With 0 steps it is foresight:
// only what the answer promises counts. With steps < 0 all are seen.
func Hindsight(steps int, temperature float64) Judge {
	return Utility{func(a *Answer) (float64, error) {
		if len(a.Hopes) == 0 || len(a.Hopes) != len(a.Rewards)+1 {
			return 0, fmt.Errorf("feedback hindsight: the answer has %d hopes and %d rewards: expected a hope before the first step and one after each", len(a.Hopes), len(a.Rewards))
		}
		seen := steps
		if steps < 0 || steps > len(a.Rewards) {
			seen = len(a.Rewards)
		}
		worth := a.Hopes[seen]
		for _, r := range a.Rewards[:seen] {
			worth += r
		}
		return worth, nil
	}, temperature}
}
