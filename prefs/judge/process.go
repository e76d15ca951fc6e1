package judge

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/floats"

	"github.com/agon-rl/agon/games"
)

// Process is a small decision process: states and actions numbered from 0, transitions
// without chance, rewards that are linear in features of (state, action).
type Process struct {
	Next     [][]int       // [state][action] the state that follows
	Features [][][]float64 // [state][action] φ
	End      []bool        // states that end a walk: nothing comes of them
	Discount float64       // γ, in (0, 1)
}

// Check says what is wrong with a process.
func (p *Process) Check() error {
	n := len(p.Next)
	if n == 0 || len(p.Features) != n || len(p.End) != n {
		return fmt.Errorf("feedback: a process has %d states with successors, %d with features, %d ends: expected as many of each", n, len(p.Features), len(p.End))
	}
	if !(p.Discount > 0 && p.Discount < 1) {
		return fmt.Errorf("feedback: a process has discount %g: expected one between 0 and 1", p.Discount)
	}
	for s := range n {
		if len(p.Next[s]) == 0 || len(p.Features[s]) != len(p.Next[s]) {
			return fmt.Errorf("feedback: state %d has %d actions and features of %d: expected as many", s, len(p.Next[s]), len(p.Features[s]))
		}
		for a, next := range p.Next[s] {
			if next < 0 || next >= n {
				return fmt.Errorf("feedback: action %d leads from state %d to %d: expected one of %d states", a, s, next, n)
			}
			if len(p.Features[s][a]) != len(p.Features[0][0]) {
				return fmt.Errorf("feedback: state %d, action %d has %d features, the first has %d", s, a, len(p.Features[s][a]), len(p.Features[0][0]))
			}
		}
	}
	return nil
}

// Reward is w·φ(s, a).
func (p *Process) Reward(weights []float64, state, action int) (r float64) {
	for i, w := range weights {
		r += w * p.Features[state][action][i]
	}
	return r
}

// Solve finds V* and an optimal action of each state by value iteration,
//
//	V(s) ← max_a r(s, a) + γ·V(next(s, a)),  V = 0 at ends,
//
// until no value moves by more than 1e-12 of the largest.
func (p *Process) Solve(weights []float64) (values []float64, best []int, err error) {
	if err := p.Check(); err != nil {
		return nil, nil, err
	}
	if len(weights) != len(p.Features[0][0]) {
		return nil, nil, fmt.Errorf("feedback: %d weights: expected %d, one a feature", len(weights), len(p.Features[0][0]))
	}
	rewards := make([][]float64, len(p.Next))
	for s := range rewards {
		for a := range p.Next[s] {
			rewards[s] = append(rewards[s], p.Reward(weights, s, a))
		}
	}
	values, best = make([]float64, len(p.Next)), make([]int, len(p.Next))
	const most = 1_000_000
	for range most {
		moved, size := 0.0, 1.0
		for s, actions := range p.Next {
			if p.End[s] {
				continue
			}
			top := math.Inf(-1)
			for a, next := range actions {
				if x := rewards[s][a] + p.Discount*values[next]; x > top {
					top, best[s] = x, a
				}
			}
			moved, size = math.Max(moved, math.Abs(top-values[s])), math.Max(size, math.Abs(top))
			values[s] = top
		}
		if math.IsNaN(moved) || math.IsInf(moved, 0) {
			return nil, nil, errors.New("feedback: the values of a process are not finite")
		}
		if moved <= 1e-12*size {
			return values, best, nil
		}
	}
	return nil, nil, fmt.Errorf("feedback: value iteration did not settle in %d sweeps", most)
}

// Evaluate returns V of a policy, and its successor features
// ψ(s) = φ(s, π(s)) + γ·ψ(next), of which V = w·ψ whatever w is.
func (p *Process) Evaluate(weights []float64, policy []int) (values []float64, successors [][]float64) {
	features := len(p.Features[0][0])
	values, successors = make([]float64, len(p.Next)), make([][]float64, len(p.Next))
	for s := range successors {
		successors[s] = make([]float64, features)
	}
	for range int(math.Ceil(math.Log(1e-13)/math.Log(p.Discount))) + 1 {
		moved := 0.0
		for s, a := range policy {
			if p.End[s] {
				continue
			}
			for i := range features {
				x := p.Features[s][a][i] + p.Discount*successors[p.Next[s][a]][i]
				moved = math.Max(moved, math.Abs(x-successors[s][i]))
				successors[s][i] = x
			}
		}
		if moved == 0 {
			break
		}
	}
	for s := range values {
		for i, w := range weights {
			values[s] += w * successors[s][i]
		}
	}
	return values, successors
}

// Walk follows actions from a state, until they or the process end, with the rewards
// that weights give.
func (p *Process) Walk(weights []float64, state int, actions []int) *Answer {
	out := &Answer{States: []int{state}}
	for _, a := range actions {
		if p.End[state] {
			break
		}
		out.Actions = append(out.Actions, games.Action(a))
		out.Rewards = append(out.Rewards, p.Reward(weights, state, a))
		state = p.Next[state][a]
		out.States = append(out.States, state)
	}
	return out
}

// FitProcess finds the rewards, as weights of a process's features, under which labels
// of segments are the most likely: by their partial returns, or by their regrets, for
// which V* is solved anew under each weights that are tried. The gradient of V* by the
// weights are the successor features of the best policy; the loss has kinks where that
// changes, so the fit starts so many times from random weights.
func FitProcess(p *Process, labels []Comparison, regret bool, decay float64, starts int, r *rand.Rand) ([]float64, error) {
	if err := p.Check(); err != nil {
		return nil, err
	}
	if len(labels) == 0 || starts < 1 {
		return nil, fmt.Errorf("feedback: %d comparisons and %d starts: expected some", len(labels), starts)
	}
	walks := make([][2]walked, len(labels))
	for i, c := range labels {
		for k, a := range []*Answer{c.A, c.B} {
			var err error
			if walks[i][k], err = p.walked(a); err != nil {
				return nil, fmt.Errorf("comparison %d: %w", i+1, err)
			}
		}
	}
	width := len(p.Features[0][0])
	objective := func(w, gradient []float64) (loss float64) {
		successors := make([][]float64, len(p.Next))
		if regret {
			_, best, err := p.Solve(w)
			if err != nil {
				return math.NaN()
			}
			_, successors = p.Evaluate(w, best)
		}
		d := make([]float64, width)
		for i, c := range labels {
			clear(d)
			walks[i][0].add(d, 1, successors)
			walks[i][1].add(d, -1, successors)
			l, slope := crossEntropy(floats.Dot(w, d), c.P)
			loss += l
			floats.AddScaled(gradient, slope, d)
		}
		return loss
	}
	best := math.Inf(1)
	var out []float64
	for range starts {
		start := make([]float64, width)
		for i := range start {
			start[i] = r.NormFloat64()
		}
		w, err := minimize(objective, start, len(labels), decay)
		if err != nil {
			return nil, err
		}
		if loss := objective(w, make([]float64, width))/float64(len(labels)) + decay/2*floats.Dot(w, w); loss < best {
			best, out = loss, w
		}
	}
	return out, nil
}

// walked is a segment as a fit reads it.
type walked struct {
	features    []float64 // Σγ^t·φ_t
	rest        float64   // γ^T
	first, last int
}

// walked finds the actions of a segment and sums up their features.
func (p *Process) walked(a *Answer) (out walked, err error) {
	if out.first, out.last, err = a.ends(len(p.Next)); err != nil {
		return out, err
	}
	if len(a.Actions) != len(a.Rewards) {
		return out, fmt.Errorf("feedback: a segment has %d actions and %d rewards: expected as many", len(a.Actions), len(a.Rewards))
	}
	out.features, out.rest = make([]float64, len(p.Features[0][0])), 1
	for t, action := range a.Actions {
		s := a.States[t]
		if s < 0 || s >= len(p.Next) || action < 0 || int(action) >= len(p.Next[s]) || p.Next[s][action] != a.States[t+1] {
			return out, fmt.Errorf("feedback: step %d of a segment does not follow from the process", t+1)
		}
		floats.AddScaled(out.features, out.rest, p.Features[s][action])
		out.rest *= p.Discount
	}
	return out, nil
}

// add adds scale times the features of what a segment is judged by.
func (w walked) add(d []float64, scale float64, successors [][]float64) {
	floats.AddScaled(d, scale, w.features)
	if successors[w.first] != nil {
		floats.AddScaled(d, scale*w.rest, successors[w.last])
		floats.AddScaled(d, -scale, successors[w.first])
	}
}
