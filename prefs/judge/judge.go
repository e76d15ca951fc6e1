// Package judge says which of two answers is preferred: by how a game ended, by a
// table, by rewards or embeddings fitted to comparisons, by what a person sees before or
// after the consequences, by a language model; with noise, if wanted. All are one
// interface, so that whatever trains on preferences takes any of them.
package judge

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/agon-rl/agon/games"
)

// Judge compares answers.
type Judge interface {
	// Prefer returns the probability that a is preferred to b, in [0, 1]; ½ is a tie.
	// Swapping the two gives one minus it. It is safe for concurrent use. What it reads
	// of an answer differs by implementation; where that is missing the error says so.
	// An error that wraps games.ErrLost says that no judgement could be had this time:
	// the pair is to be asked for again or left out, and never to be counted as a tie.
	Prefer(ctx context.Context, a, b *Answer) (p float64, err error)
}

// Answer is what is compared: an answer to a prompt, what one seat did in a game, or a
// segment of a walk through a decision process. Only what the feedback in use reads
// must be given.
type Answer struct {
	Prompt  string         `json:"prompt,omitempty"`  // what was asked
	Text    string         `json:"text,omitempty"`    // the answer in words
	Actions []games.Action `json:"actions,omitempty"` // what was done; of one action where answers are drawn from a list
	// Features describe the answer as a whole.
	Features []float64 `json:"features,omitempty"`
	Return   float64   `json:"return,omitempty"` // what the seat got in the end
	// Rewards are those of single steps, States the places walked through, the first and
	// the last included: one more than rewards. Hopes[t] is what the judge expects of the
	// rest when t steps have been seen, so Hopes[0] is how good the answer looks when it
	// is given; as many as states.
	Rewards []float64 `json:"rewards,omitempty"`
	States  []int     `json:"states,omitempty"`
	Hopes   []float64 `json:"hopes,omitempty"`
}

// Close ends what a feedback holds, such as connections.
func Close(f Judge) error {
	if c, ok := f.(io.Closer); ok {
		return c.Close()
	}
	return nil
}

// Func is feedback by a function.
type Func func(ctx context.Context, a, b *Answer) (float64, error)

// Prefer implements Judge.
func (f Func) Prefer(ctx context.Context, a, b *Answer) (float64, error) { return f(ctx, a, b) }

// Logistic is Bradley and Terry's model, P(a ≻ b) = σ((u(a) − u(b))/τ). The
// temperature τ = 0 prefers the greater for sure.
func Logistic(a, b, temperature float64) float64 {
	switch {
	case a == b:
		return 0.5
	case temperature > 0:
		return sigmoid((a - b) / temperature)
	case a > b:
		return 1
	case a < b:
		return 0
	}
	return math.NaN()
}

// sigmoid is 1/(1+e^−x) without overflow.
func sigmoid(x float64) float64 {
	if x >= 0 {
		return 1 / (1 + math.Exp(-x))
	}
	e := math.Exp(x)
	return e / (1 + e)
}

// logSigmoid is log σ(x), finite for all finite x.
func logSigmoid(x float64) float64 { return math.Min(x, 0) - math.Log1p(math.Exp(-math.Abs(x))) }

// Utility is feedback by one number an answer: whoever has more is preferred, surely or
// by the logistic model.
type Utility struct {
	Of          func(*Answer) (float64, error)
	Temperature float64 // τ; 0 prefers the greater for sure
}

// Prefer implements Judge.
func (u Utility) Prefer(_ context.Context, a, b *Answer) (float64, error) {
	x, err := u.Of(a)
	if err != nil {
		return 0, err
	}
	y, err := u.Of(b)
	if err != nil {
		return 0, err
	}
	p := Logistic(x, y, u.Temperature)
	if math.IsNaN(p) {
		return 0, fmt.Errorf("feedback: utilities of %g and %g cannot be compared", x, y)
	}
	return p, nil
}

// Outcome prefers who got more in the end: a game's own judgement.
func Outcome(temperature float64) Judge {
	return Utility{func(a *Answer) (float64, error) { return a.Return, nil }, temperature}
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

// Table is P(i ≻ j) of answers that are single actions numbered from 0.
type Table [][]float64

// NewTable checks that a table is square, within [0, 1], with rows that agree with
// columns: P(i ≻ j) + P(j ≻ i) = 1.
func NewTable(p [][]float64) (Table, error) {
	if len(p) == 0 {
		return nil, errors.New("feedback table: it has no rows")
	}
	for i, row := range p {
		if len(row) != len(p) {
			return nil, fmt.Errorf("feedback table: row %d has %d numbers: expected %d, as many as rows", i, len(row), len(p))
		}
	}
	for i, row := range p {
		for j, x := range row {
			if !(x >= 0 && x <= 1) {
				return nil, fmt.Errorf("feedback table: row %d, column %d is %g: expected a probability", i, j, x)
			}
			if math.Abs(x+p[j][i]-1) > 1e-9 {
				return nil, fmt.Errorf("feedback table: %d beats %d with %g and %d beats %d with %g: expected the two to sum to 1", i, j, x, j, i, p[j][i])
			}
		}
	}
	return p, nil
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

// Prefer implements Judge.
func (t Table) Prefer(_ context.Context, a, b *Answer) (float64, error) {
	for _, x := range []*Answer{a, b} {
		if len(x.Actions) != 1 || x.Actions[0] < 0 || int(x.Actions[0]) >= len(t) {
			return 0, fmt.Errorf("feedback table: the answer's actions are %v: expected one from 0 to %d", x.Actions, len(t)-1)
		}
	}
	return t[a.Actions[0]][b.Actions[0]], nil
}

// Cyclic is a judge of features that no reward explains: it prefers a to b by how a's
// features beat the next of b's in a circle,
//
//	P(a ≻ b) = σ(scale·Σ_i (a_i·b_{i+1} − a_{i+1}·b_i)),
//
// so that of three answers with one feature each, each beats another.
type Cyclic struct{ Scale float64 }

// Prefer implements Judge.
func (c Cyclic) Prefer(_ context.Context, a, b *Answer) (float64, error) {
	x, y := a.Features, b.Features
	if len(x) < 3 || len(x) != len(y) {
		return 0, fmt.Errorf("feedback cyclic: the answers have %d and %d features: expected as many, at least 3", len(x), len(y))
	}
	score := 0.0
	for i := range x {
		j := (i + 1) % len(x)
		score += x[i]*y[j] - x[j]*y[i]
	}
	return sigmoid(c.Scale * score), nil
}
