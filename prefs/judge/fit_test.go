package judge

import (
	"math"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gonum.org/v1/gonum/diff/fd"
	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/play"
)

// labelsOf are all comparisons of a table.
func labelsOf(t Table) (out []Comparison) {
	for i := range t {
		for j := range i {
			out = append(out, Comparison{numbered(i), numbered(j), t[i][j]})
		}
	}
	return out
}

func numbered(i int) *Answer { return &Answer{Actions: []games.Action{games.Action(i)}} }

// Of two answers the reward's difference is the logit of the share of wins; of labels
// that a reward made it is that reward, but for a constant.
func TestFitRewardEqualsClosedForm(t *testing.T) {
	m, err := FitReward([]Comparison{{numbered(0), numbered(1), 0.8}}, Inputs{2}, 0)
	if err != nil {
		t.Fatal(err)
	}
	if d := m.Weights[0] - m.Weights[1]; math.Abs(d-math.Log(4)) > 1e-8 {
		t.Errorf("difference %g, expected %g", d, math.Log(4))
	}
	want := []float64{1, -0.5, 2, -2.5}
	table := make(Table, len(want))
	for i, u := range want {
		for _, v := range want {
			table[i] = append(table[i], sigmoid(u-v))
		}
	}
	if m, err = FitReward(labelsOf(table), Inputs{4}, 0); err != nil {
		t.Fatal(err)
	}
	for i, w := range m.Weights {
		if math.Abs(w-want[i]) > 1e-7 {
			t.Errorf("reward of %d: %g, expected %g", i, w, want[i])
		}
	}
	accuracy, loss, err := Agreement(t.Context(), m, labelsOf(table))
	if err != nil || accuracy != 1 {
		t.Errorf("accuracy %g, %v", accuracy, err)
	}
	entropy := 0.0
	for _, c := range labelsOf(table) {
		entropy -= (c.P*math.Log(c.P) + (1-c.P)*math.Log(1-c.P)) / 6
	}
	if math.Abs(loss-entropy) > 1e-9 {
		t.Errorf("loss %g, expected the labels' entropy %g", loss, entropy)
	}
}

// A cycle leaves a reward nothing but ties, at log 2 a label, and an embedding of
// dimension 2 fits it.
func TestCycleNeedsAnEmbedding(t *testing.T) {
	table, err := Cycle(3, 0.9)
	if err != nil {
		t.Fatal(err)
	}
	labels := labelsOf(table)
	reward, err := FitReward(labels, Inputs{3}, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, loss, _ := Agreement(t.Context(), reward, labels); math.Abs(loss-math.Ln2) > 1e-9 || floats.Norm(reward.Weights, 2) > 1e-7 {
		t.Errorf("a reward: loss %g, weights %g", loss, reward.Weights)
	}
	embedding, err := FitEmbedding(labels, Inputs{3}, EmbeddingOptions{Dimension: 2, Temperature: 0.1, Starts: 3}, play.Generator(1, "test"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range labels {
		if p, err := embedding.Prefer(t.Context(), c.A, c.B); err != nil || math.Abs(p-c.P) > 1e-6 {
			t.Errorf("%v over %v: %g, expected %g, %v", c.A.Actions, c.B.Actions, p, c.P, err)
		}
	}
	for name, f := range map[string]Judge{"reward.json": reward, "embedding.json": embedding} {
		path := filepath.Join(t.TempDir(), name)
		if err := WriteModel(path, f); err != nil {
			t.Fatal(err)
		}
		again, err := ReadModel(path)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(f, again); d != "" {
			t.Error(d)
		}
	}
	if err := WriteModel(filepath.Join(t.TempDir(), "x"), Outcome(0)); err == nil {
		t.Error("an outcome was written as a model")
	}
}

// The embedding's gradient equals finite differences, with vectors as they are and of
// length 1; the score is what R makes of it as a matrix.
func TestEmbeddingGradient(t *testing.T) {
	const dimension, width, count = 4, 3, 7
	r := play.Generator(2, "test")
	for _, unit := range []bool{false, true} {
		examples := make([]observation, count)
		for i := range examples {
			examples[i] = observation{randoms(r.NormFloat64, width), randoms(r.NormFloat64, width), r.Float64()}
		}
		shape := func(w []float64) *Embedding {
			m := &Embedding{Temperature: 0.3, Unit: unit}
			for k := range dimension {
				m.Weights = append(m.Weights, w[k*width:(k+1)*width])
			}
			return m
		}
		x := randoms(r.NormFloat64, dimension*width)
		gradient := make([]float64, len(x))
		shape(x).loss(examples, gradient)
		want := fd.Gradient(nil, func(x []float64) float64 { return shape(x).loss(examples, make([]float64, len(x))) }, x, &fd.Settings{Formula: fd.Central})
		for i := range want {
			if math.Abs(gradient[i]-want[i]) > 1e-6*(1+math.Abs(want[i])) {
				t.Errorf("unit %v, weight %d: %g, finite differences %g", unit, i, gradient[i], want[i])
			}
		}
		m := shape(x)
		v, _ := m.embed(examples[0].a)
		w, _ := m.embed(examples[0].b)
		// R v for blocks [[0, −1], [1, 0]]: ⟨R v, w⟩ = Σ −v[2k+1]·w[2k] + v[2k]·w[2k+1].
		block := mat.NewDense(dimension, dimension, nil)
		for k := 0; k < dimension; k += 2 {
			block.Set(k, k+1, -1)
			block.Set(k+1, k, 1)
		}
		var turned mat.VecDense
		turned.MulVec(block, mat.NewVecDense(dimension, v))
		if got, want := m.score(v, w), mat.Dot(&turned, mat.NewVecDense(dimension, w))/0.3; math.Abs(got-want) > 1e-12 {
			t.Errorf("score %g, expected %g", got, want)
		}
		if m.score(v, v) != 0 || m.score(v, w) != -m.score(w, v) {
			t.Error("the score is not skew-symmetric")
		}
	}
}

func randoms(draw func() float64, n int) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = draw()
	}
	return out
}

func TestFitRefuses(t *testing.T) {
	good := []Comparison{{numbered(0), numbered(1), 0.8}}
	r := play.Generator(1, "test")
	for want, fit := range map[string]func() error{
		"feedback: there is nothing to fit: expected comparisons": func() error { _, err := FitReward(nil, Inputs{2}, 0); return err },
		"feedback: the answers have no features: expected some, or a list of answers": func() error {
			_, err := FitReward(good, Inputs{}, 0)
			return err
		},
		"comparison 1: feedback: the answer's actions are [1]: expected one from 0 to 0": func() error {
			_, err := FitReward(good, Inputs{1}, 0)
			return err
		},
		"feedback: comparison 1: 2: expected a probability": func() error {
			_, err := FitReward([]Comparison{{numbered(0), numbered(1), 2}}, Inputs{2}, 0)
			return err
		},
		"comparison 1: feedback: the answer has 2 features: expected 1": func() error {
			_, err := FitReward([]Comparison{{&Answer{Features: []float64{1}}, &Answer{Features: []float64{1, 2}}, 1}}, Inputs{}, 0)
			return err
		},
		"feedback: an embedding of dimension 3: expected an even number from 2": func() error {
			_, err := FitEmbedding(good, Inputs{2}, EmbeddingOptions{Dimension: 3, Temperature: 1, Starts: 1}, r)
			return err
		},
		"feedback: an embedding with temperature 0, 1 starts: expected more than 0 and at least 1": func() error {
			_, err := FitEmbedding(good, Inputs{2}, EmbeddingOptions{Dimension: 2, Starts: 1}, r)
			return err
		},
	} {
		if err := fit(); err == nil || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
}

// line is a walk of five states, right and left, with a prize at the right end: feature 0
// counts steps, feature 1 the prize.
func line() *Process {
	p := &Process{Discount: 0.9, End: []bool{false, false, false, false, true}}
	for s := range 5 {
		right := min(s+1, 4)
		prize := 0.0
		if right == 4 {
			prize = 1
		}
		p.Next = append(p.Next, []int{right, max(s-1, 0)})
		p.Features = append(p.Features, [][]float64{{1, prize}, {1, 0}})
	}
	return p
}

// V* of the line by hand: with rewards −1 a step and 10 for the prize, k steps from the
// end it is Σ_{t<k} −0.9^t + 0.9^(k−1)·10.
func TestSolveEqualsHandValues(t *testing.T) {
	p := line()
	values, best, err := p.Solve([]float64{-1, 10})
	if err != nil {
		t.Fatal(err)
	}
	for s, want := range []float64{-1 - 0.9 - 0.81 - 0.729 + 7.29, -1 - 0.9 - 0.81 + 8.1, -1 - 0.9 + 9, -1 + 10, 0} {
		if math.Abs(values[s]-want) > 1e-11 || s < 4 && best[s] != 0 {
			t.Errorf("state %d: %g by action %d, expected %g by 0", s, values[s], best[s], want)
		}
	}
	got, successors := p.Evaluate([]float64{-1, 10}, best)
	if math.Abs(got[0]-values[0]) > 1e-11 || math.Abs(successors[0][0]-3.439) > 1e-11 || math.Abs(successors[0][1]-0.729) > 1e-11 {
		t.Errorf("V %g, ψ %g", got[0], successors[0])
	}
	// To walk away is never to end: with a reward of 1 a step V = 1/(1−γ).
	if values, _, err = p.Solve([]float64{1, 0}); err != nil || math.Abs(values[0]-10) > 1e-9 {
		t.Errorf("%g, %v", values, err)
	}
	walk := p.Walk([]float64{-1, 10}, 2, []int{1, 0, 0, 0, 0})
	if d := cmp.Diff(&Answer{States: []int{2, 1, 2, 3, 4}, Actions: []games.Action{1, 0, 0, 0}, Rewards: []float64{-1, -1, -1, 9}}, walk); d != "" {
		t.Error(d)
	}
}

// Labels that regret made are explained by the reward that they are fitted with, and
// those of partial returns by theirs.
func TestRegretIsFittedThroughItsValues(t *testing.T) {
	p, truth := line(), []float64{-1, 10}
	values, _, err := p.Solve(truth)
	if err != nil {
		t.Fatal(err)
	}
	r := play.Generator(3, "test")
	var labels []Comparison
	for range 200 {
		a, b := p.Walk(truth, r.IntN(4), []int{r.IntN(2), r.IntN(2)}), p.Walk(truth, r.IntN(4), []int{r.IntN(2), r.IntN(2)})
		all, err := Label(t.Context(), Regret(values, p.Discount, 1), [][2]*Answer{{a, b}})
		if err != nil {
			t.Fatal(err)
		}
		labels = append(labels, all...)
	}
	w, err := FitProcess(p, labels, true, 0, 3, r)
	if err != nil {
		t.Fatal(err)
	}
	// The labels are the model's own probabilities, so the fit explains them. On the line
	// a step to the left costs 0.0729·(9·w_0 − w_1) at its start and a multiple of that
	// elsewhere, so this much of the reward is found and no more.
	if got := 9*w[0] - w[1]; math.Abs(got+19) > 1e-5 {
		t.Errorf("weights %g: 9·w_0 − w_1 = %g, expected −19", w, got)
	}
	for i := range labels {
		labels[i].P, err = PartialReturn(p.Discount, 1).Prefer(t.Context(), labels[i].A, labels[i].B)
		if err != nil {
			t.Fatal(err)
		}
	}
	if w, err = FitProcess(p, labels, false, 0, 1, r); err != nil || math.Abs(w[0]-truth[0]) > 1e-4 || math.Abs(w[1]-truth[1]) > 1e-4 {
		t.Errorf("partial return: weights %g, expected %g, %v", w, truth, err)
	}
}

func TestProcessRefuses(t *testing.T) {
	for want, spoil := range map[string]func(*Process){
		"feedback: a process has 5 states with successors, 5 with features, 4 ends: expected as many of each": func(p *Process) { p.End = p.End[:4] },
		"feedback: a process has discount 1: expected one between 0 and 1":                                    func(p *Process) { p.Discount = 1 },
		"feedback: state 1 has 0 actions and features of 2: expected as many":                                 func(p *Process) { p.Next[1] = nil },
		"feedback: action 1 leads from state 2 to 7: expected one of 5 states":                                func(p *Process) { p.Next[2][1] = 7 },
		"feedback: state 3, action 0 has 1 features, the first has 2":                                         func(p *Process) { p.Features[3][0] = []float64{1} },
		"feedback: the values of a process are not finite":                                                    func(p *Process) { p.Features[0][1][1] = math.Inf(1) },
	} {
		p := line()
		spoil(p)
		if _, _, err := p.Solve([]float64{-1, 10}); err == nil || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
	p := line()
	if _, _, err := p.Solve([]float64{1}); err == nil || err.Error() != "feedback: 1 weights: expected 2, one a feature" {
		t.Error(err)
	}
	walk := p.Walk([]float64{-1, 10}, 0, []int{0})
	broken := *walk
	broken.States = []int{0, 3}
	for want, labels := range map[string][]Comparison{
		"feedback: 0 comparisons and 1 starts: expected some":                             nil,
		"comparison 1: feedback: step 1 of a segment does not follow from the process":    {{walk, &broken, 1}},
		"comparison 1: feedback: a segment has 0 actions and 1 rewards: expected as many": {{&Answer{States: []int{0, 1}, Rewards: []float64{1}}, walk, 1}},
	} {
		if _, err := FitProcess(p, labels, true, 0, 1, play.Generator(1, "test")); err == nil || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
}
