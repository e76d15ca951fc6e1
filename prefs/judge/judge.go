// Package judge says which of two answers is preferred: by how a game ended, by a
// table, by rewards or embeddings fitted to comparisons, by what a person sees before or
// after the consequences, by a language model; with noise, if wanted. All are one
// interface, so that whatever trains on preferences takes any of them.
package judge

import (
	"context"
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
