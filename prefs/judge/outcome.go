package judge

import "github.com/agon-rl/agon/internal/spec"

func init() {
	Kinds.Add(spec.Entry[Kind]{
		Name: "outcome", Help: "who got more in the end; temperature=1: by the logistic model of the difference",
		Value: func(r *spec.Reader, _ Environment) (Judge, error) {
			return Outcome(readTemperature(r)), nil
		},
	})
}

// Outcome prefers who got more in the end: a game's own judgement.
func Outcome(temperature float64) Judge {
	return Utility{func(a *Answer) (float64, error) { return a.Return, nil }, temperature}
}
