package solve

import (
	"encoding/json"
	"fmt"
)

// Average is the mean of strategies, each with the same weight, over realisation
// plans: the strategy that is as likely as their mixture to come to every end of the
// game, since seats recall what they did (Kuhn 1953).
type Average struct {
	tree  *Tree
	plan  []float64 // by sequence
	count int
}

// NewAverage returns an average of nothing.
func NewAverage(t *Tree) *Average { return &Average{tree: t} }

// Add counts a strategy.
//
//	x ← x + (s − x)/n,  over realisation plans
func (a *Average) Add(s Strategy) {
	a.count++
	reach := a.tree.reach(s)
	if a.plan == nil {
		a.plan = make([]float64, len(reach))
	}
	for i, x := range reach {
		a.plan[i] += (x - a.plan[i]) / float64(a.count)
	}
}

// Strategy is the average; the uniform strategy where nothing was added.
func (a *Average) Strategy() Strategy {
	if a.count == 0 {
		return a.tree.Uniform()
	}
	return a.tree.behaviour(a.plan)
}

type averageState struct {
	Count int       `json:"count"`
	Plan  []float64 `json:"plan"`
}

// MarshalJSON implements json.Marshaler.
func (a *Average) MarshalJSON() ([]byte, error) { return json.Marshal(averageState{a.count, a.plan}) }

// UnmarshalJSON implements json.Unmarshaler, for an average over the same tree.
func (a *Average) UnmarshalJSON(text []byte) error {
	var s averageState
	if err := json.Unmarshal(text, &s); err != nil {
		return err
	}
	if want := len(a.tree.reach(a.tree.Uniform())); s.Count > 0 && len(s.Plan) != want {
		return fmt.Errorf("an average over %d sequences, the game has %d", len(s.Plan), want)
	}
	a.count, a.plan = s.Count, s.Plan
	return nil
}
