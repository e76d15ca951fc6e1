package policy_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/gomlx/compute/dtypes"

	"github.com/agon-rl/agon/policy"
	"github.com/agon-rl/agon/policy/backend"
	"github.com/agon-rl/agon/policy/backend/backendtest"
)

var twoParams = []policy.Param{{Name: "weights", Dims: []int{2, 2}}, {Name: "biases", Dims: []int{2}}}

// The memory is free when the last handle is closed, and not before.
func TestHandles(t *testing.T) {
	d := backendtest.Open(t, backend.Go)
	w, err := policy.UploadWeights(d, twoParams, [][]float32{{1, 2, 3, 4}, {5, 6}})
	if err != nil {
		t.Fatal(err)
	}
	if w.Shared() {
		t.Error("new weights have several handles")
	}
	other := w.Share()
	if !w.Shared() || d.Live() != 2 {
		t.Errorf("shared: %t, in %d arrays: a second handle is to copy nothing", w.Shared(), d.Live())
	}
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	if other.Shared() || !slices.Equal(values(t, other, 1), []float32{5, 6}) {
		t.Error("closed by one of two, the weights are gone, or still shared")
	}
	if err := other.Close(); err != nil || d.Live() != 0 {
		t.Errorf("closed by both (%v), the weights leave %d arrays", err, d.Live())
	}
	var none *policy.Weights
	if err := none.Close(); err != nil {
		t.Errorf("no weights: %v", err)
	}
}

// A network has a handle of its own: it plays on when the weights that it was made of
// are closed, and frees them in the end.
func TestNetworkHasAHandle(t *testing.T) {
	d := backendtest.Open(t, backend.Go)
	game := newGame(t, "kuhn_poker")
	m := newModel(t, d, game, architectures[0].arch)
	w, err := m.Draw(rand.New(rand.NewPCG(1, 1)))
	if err != nil {
		t.Fatal(err)
	}
	first, err := m.Network(w)
	if err != nil {
		t.Fatal(err)
	}
	second, err := m.Network(w)
	if err != nil {
		t.Fatal(err)
	}
	states := decisions(game.Start(), 5)
	before := probabilities(t, first, states)
	for _, c := range []interface{ Close() error }{w, first} {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
	if after := probabilities(t, second, states); d.Live() != len(m.Params()) || !slices.EqualFunc(before, after, slices.Equal) {
		t.Errorf("with one of three handles left: %d arrays, %v, expected %d, %v", d.Live(), after, len(m.Params()), before)
	}
	if err := second.Close(); err != nil || d.Live() != 0 {
		t.Errorf("closed by all (%v), the weights leave %d arrays", err, d.Live())
	}
}

func TestUploadWeightsRefuses(t *testing.T) {
	d := backendtest.Open(t, backend.Go)
	for want, values := range map[string][][]float32{
		"the weights hold 2 tensors with the values of 1": {{1, 2, 3, 4}},
		"the weights hold 1 values of biases [2]":         {{1, 2, 3, 4}, {5}},
		"the weights hold 6 values of weights [2 2]":      {{1, 2, 3, 4, 5, 6}, {7, 8}},
		"the weights hold 2 tensors with the values of 3": {{1, 2, 3, 4}, {5, 6}, {7}},
	} {
		if _, err := policy.UploadWeights(d, twoParams, values); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	if d.Live() != 0 { // the first tensor was there already when the second was refused
		t.Errorf("refused weights leave %d arrays", d.Live())
	}
}

// The first weights are drawn with the deviations that the tensors ask for; zero makes
// zeros. A seed fixes them, and stored as bfloat16 they take half the memory.
func TestDrawWeights(t *testing.T) {
	d := backendtest.Open(t, backend.Go)
	params := []policy.Param{{Name: "a", Dims: []int{40, 50}, Scale: 0.5}, {Name: "b", Dims: []int{9}}, {Name: "c", Dims: []int{2000}, Scale: 3}}
	drawn := func(seed uint64) *policy.Weights {
		w, err := policy.DrawWeights(d, params, rand.New(rand.NewPCG(seed, 0)))
		if err != nil {
			t.Fatal(err)
		}
		closeLater(t, w)
		return w
	}
	w := drawn(1)
	if bytes := d.Bytes(); bytes != 4*4009 {
		t.Errorf("4009 values take %d bytes", bytes)
	}
	for i, p := range params {
		var mean, square float64
		for _, x := range values(t, w, i) {
			mean += float64(x) / float64(p.Size())
			square += float64(x) * float64(x) / float64(p.Size())
		}
		// Of 2000 values the mean has a standard error of 0.022 deviations, and the
		// deviation one of 0.016.
		if math.Abs(mean) > 0.09*p.Scale || math.Abs(math.Sqrt(square)-p.Scale) > 0.065*p.Scale {
			t.Errorf("%s: mean %g, deviation %g, expected 0 and %g", p.Name, mean, math.Sqrt(square), p.Scale)
		}
	}
	if !identical(t, w, drawn(1)) || identical(t, w, drawn(2)) {
		t.Error("a seed does not fix the weights, or all seeds draw the same")
	}
	full := d.Bytes()
	for i := range params {
		params[i].Type = dtypes.BFloat16
	}
	half := drawn(1)
	if took := d.Bytes() - full; took != 2*4009 {
		t.Errorf("4009 values in bfloat16 take %d bytes", took)
	}
	for i := range params {
		for j, x := range values(t, half, i) {
			// The first weights but for their rounding, by 2⁻⁸ of their size at most.
			if exact := values(t, w, i)[j]; math.Abs(float64(x-exact)) > math.Abs(float64(exact))/256 {
				t.Fatalf("%s[%d]: %g, expected about %g", params[i].Name, j, x, exact)
			}
		}
	}
}

// Average is share·a + (1−share)·b, computed in float32 and rounded once.
func TestAverage(t *testing.T) {
	backendtest.Each(t, func(t *testing.T, d *backendtest.Device) {
		game := newGame(t, "kuhn_poker")
		for _, stored := range []string{"float32", "bfloat16"} {
			m := newModel(t, d, game, policy.Arch{Kind: "table", Type: stored})
			a, b := draw(t, m, 1), draw(t, m, 2)
			for _, share := range []float64{0.25, 0.9, 0, 1} {
				live := d.Live()
				mean, err := m.Average(a, b, share)
				if err != nil {
					t.Fatal(err)
				}
				if err := mean.Check(m.Params()); err != nil {
					t.Error(err)
				}
				if d.Live() != live+len(m.Params()) {
					t.Errorf("an average of %d tensors adds %d arrays", len(m.Params()), d.Live()-live)
				}
				for i, p := range m.Params() {
					x, y := values(t, a, i), values(t, b, i)
					for j, got := range values(t, mean, i) {
						want := share*float64(x[j]) + (1-share)*float64(y[j])
						near := 1e-6 * math.Max(1, math.Abs(want))
						if stored == "bfloat16" {
							near = math.Abs(want)/256 + 1e-6 // half of the last of 8 digits
						}
						if math.Abs(float64(got)-want) > near {
							t.Errorf("%s, share %g: %s[%d] is %g, expected %g of %g and %g", stored, share, p.Name, j, got, want, x[j], y[j])
						}
					}
				}
				if share == 1 && !identical(t, mean, a) || share == 0 && !identical(t, mean, b) {
					t.Errorf("%s: share %g is not one of both, to the bit", stored, share)
				}
				if err := mean.Close(); err != nil {
					t.Error(err)
				}
			}
		}
		// By hand: a quarter of 1 and three of 2; in bfloat16 1 and 1+1/128 average to what
		// lies between, of which 1 is even.
		params := newModel(t, d, game, policy.Arch{Kind: "table", Type: "bfloat16"})
		ones, next := uniform(t, params, 1), uniform(t, params, 1+1./128)
		half, err := params.Average(ones, next, 0.5)
		if err != nil {
			t.Fatal(err)
		}
		closeLater(t, half)
		if got := values(t, half, 0)[0]; got != 1 {
			t.Errorf("between 1 and 1+1/128 lies %g, expected 1, the even one", got)
		}
		full := newModel(t, d, game, policy.Arch{Kind: "table"})
		quarter, err := full.Average(uniform(t, full, 1), uniform(t, full, 2), 0.25)
		if err != nil {
			t.Fatal(err)
		}
		closeLater(t, quarter)
		if got := values(t, quarter, 1)[0]; got != 1.75 {
			t.Errorf("a quarter of 1 and three of 2 are %g, expected 1.75", got)
		}
	})
}

// uniform are weights of one value.
func uniform(t testing.TB, m *policy.Model, x float32) *policy.Weights {
	t.Helper()
	var all [][]float32
	for _, p := range m.Params() {
		all = append(all, slices.Repeat([]float32{x}, p.Size()))
	}
	return upload(t, m.Device(), m.Params(), all...)
}
