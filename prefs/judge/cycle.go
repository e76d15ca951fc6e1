package judge

import (
	"fmt"

	"github.com/agon-rl/agon/internal/spec"
)

func init() {
	Kinds.Add(spec.Entry[Kind]{
		Name: "cycle", Usage: "cycle(n=3,strength=1)", Help: "rock-paper-scissors, n=5 with lizard and Spock",
		Value: func(r *spec.Reader, _ Environment) (Judge, error) {
			n, strength := r.Int("n", 3, 3, 1001), r.Float("strength", 1, 0, 1)
			if n%2 == 0 {
				return nil, fmt.Errorf("cycle: n=%d: expected an odd number", n)
			}
			return Cycle(n, strength)
		},
	})
}

// Cycle is the table in which each of n answers beats the (n−1)/2 that follow it with
// probability strength, as in rock-paper-scissors (n = 3) and rock-paper-scissors-
// lizard-Spock (n = 5).
func Cycle(n int, strength float64) (Table, error) {
	if n < 3 || n%2 == 0 {
		return nil, fmt.Errorf("feedback cycle: n=%d: expected an odd number from 3", n)
	}
	if !(strength >= 0 && strength <= 1) {
		return nil, fmt.Errorf("feedback cycle: strength=%g: expected a probability", strength)
	}
	out := make(Table, n)
	for i := range out {
		out[i] = make([]float64, n)
		for j := range out[i] {
			switch d := (j - i + n) % n; {
			case d == 0:
				out[i][j] = 0.5
			case d <= n/2:
				out[i][j] = strength
			default:
				out[i][j] = 1 - strength
			}
		}
	}
	return out, nil
}
