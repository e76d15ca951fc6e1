package trainer_test

import (
	"math"
	"slices"
	"testing"

	"github.com/agon-rl/agon/objective"
	"github.com/agon-rl/agon/policy"
	"github.com/agon-rl/agon/trainer"
)

// The offline objective's graph is what its formula says of the network's
// log-probabilities, with answers of one and of several steps, rewarded on both sides
// of the clip and imitated, and its gradient is the loss's slope.
func TestSentenceLesson(t *testing.T) {
	l := newLesson(t, goBackend(t), "kuhn_poker", kuhnNet, 0.5)
	sizes := []int{1, 3, 2, 1, 2, 1, 1, 1}
	shifts := []float32{0, 0.5, -0.5, 0.3, -0.3, 0.1, 0, 0} // of the reference's log-probabilities
	var sentences []policy.Sentence
	var answers []objective.Answer
	next := 0
	for i, size := range sizes {
		s := policy.Sentence{Reward: []float32{1, -1}[i/2%2], Imitated: i >= 6}
		a := objective.Answer{Reward: float64(s.Reward), Imitated: s.Imitated}
		for range size {
			step := *l.turns[next].Step
			next++
			a.LogProbs = append(a.LogProbs, float64(step.LogProb))
			step.LogProb += shifts[i]
			a.Reference = append(a.Reference, float64(step.LogProb))
			s.Steps = append(s.Steps, &step)
		}
		sentences, answers = append(sentences, s), append(answers, a)
	}
	batch, err := policy.NewSentenceBatch(l.model, sentences)
	if err != nil {
		t.Fatal(err)
	}
	defer batch.Close()
	o := objective.Sentence{Clip: 0.2, Imitate: 0.15}
	u, err := trainer.NewUpdater(l.model, adam, l.weights, false, trainer.Sentences(o))
	if err != nil {
		t.Fatal(err)
	}
	start := u.State()
	loss := func() []float32 {
		stats, err := u.Step("sentences", batch, trainer.Coefficients{})
		if err != nil {
			t.Fatal(err)
		}
		return stats
	}
	stats := loss()
	if want := o.Value(answers); math.Abs(float64(stats[0])-want) > 1e-5 || want == 0 {
		t.Errorf("the loss is %g, its formula %g", stats[0], want)
	}
	// Of six rewarded answers four have a ratio outside of 0.8 to 1.2: all but the
	// first and the one whose reference is shifted by 0.1.
	if clipped := stats[slices.Index(objective.SentenceStats, "clipped")]; math.Abs(float64(clipped)-4./6) > 1e-6 {
		t.Errorf("%g of the answers are clipped, expected 4 of 6", clipped)
	}
	if err := u.Restore(start); err != nil {
		t.Fatal(err)
	}
	gradient, err := u.Gradient("sentences", batch, trainer.Coefficients{})
	if err != nil {
		t.Fatal(err)
	}
	const h = 2e-3
	var wrong, size float64
	k := 0
	for tensor, values := range start.Weights.Values {
		for i := range values {
			var at [2]float64
			for j, move := range []float32{h, -h} {
				moved := &policy.Weights{Params: start.Weights.Params, Values: slices.Clone(start.Weights.Values)}
				moved.Values[tensor] = slices.Clone(values)
				moved.Values[tensor][i] += move
				s := start
				s.Weights = moved
				if err := u.Restore(s); err != nil {
					t.Fatal(err)
				}
				at[j] = float64(loss()[0])
			}
			slope := (at[0] - at[1]) / (2 * h)
			wrong += (slope - float64(gradient[k])) * (slope - float64(gradient[k]))
			size += slope * slope
			k++
		}
	}
	if k != len(gradient) || size == 0 {
		t.Fatalf("a gradient of %d values for %d weights", len(gradient), k)
	}
	if part := math.Sqrt(wrong / size); part > 0.02 {
		t.Errorf("gradient and slopes differ by %.2g of their norm", part)
	}
}
