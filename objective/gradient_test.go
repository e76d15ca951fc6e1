package objective_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // graph code reads as formulas
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/agon-rl/agon/objective"
	"github.com/agon-rl/agon/policy/backend"
	_ "github.com/agon-rl/agon/policy/backend/xla" // opened where AGON_TEST_XLA=1
)

// onBackends runs a test on the Go backend and, with AGON_TEST_XLA=1, on XLA.
func onBackends(t *testing.T, test func(t *testing.T, b backend.Backend)) {
	for _, name := range []string{backend.Go, backend.CPU} {
		t.Run(name, func(t *testing.T) {
			if name != backend.Go && os.Getenv("AGON_TEST_XLA") != "1" {
				t.Skip("set AGON_TEST_XLA=1 to test on XLA too")
			}
			b, _, err := backend.Open(name)
			if err != nil && name != backend.Go {
				t.Skip(err)
			}
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(b.Finalize)
			test(t, b)
		})
	}
}

// turn is one turn of a batch, in the plain numbers that the formulas of
// PolicyGradient speak of.
type turn struct {
	logits, magnet []float64 // by action, illegal ones included
	legal          []bool
	chosen         int
	behaviour      float64 // log-probability when sampled
	advantage      float64
	value, ret     float64
	padding        bool
}

// setting is a loss with its coefficients.
type setting struct {
	objective.PolicyGradient
	entropy, magnet, value float64
	copies                 bool // the magnet is a policy of its own, not uniform
}

// softmax over the legal actions; illegal ones get 0.
func softmax(logits []float64, legal []bool) []float64 {
	sum, p := 0.0, make([]float64, len(logits))
	for a, l := range logits {
		if legal[a] {
			p[a] = math.Exp(l)
			sum += p[a]
		}
	}
	for a := range p {
		p[a] /= sum
	}
	return p
}

// reference computes the statistics of objective.StatNames turn by turn, as
// the papers write them.
func (s setting) reference(turns []turn) []float64 {
	out := make([]float64, len(objective.StatNames))
	count := 0.0
	for _, x := range turns {
		if x.padding {
			continue
		}
		count++
		pi := softmax(x.logits, x.legal)
		mu := softmax(make([]float64, len(x.logits)), x.legal)
		if s.copies {
			mu = softmax(x.magnet, x.legal)
		}
		ratio := pi[x.chosen] / math.Exp(x.behaviour)
		var gain, entropy, kl, clipped float64
		if s.Name == "ppo" {
			bounded := min(max(ratio, 1-s.Clip), 1+s.Clip)
			gain = min(ratio*x.advantage, bounded*x.advantage)
			if bounded != ratio {
				clipped = 1
			}
		} else {
			gain = math.Log(pi[x.chosen]) * x.advantage
		}
		for a, p := range pi {
			if x.legal[a] {
				entropy -= p * math.Log(p)
				kl += p * math.Log(p/mu[a])
			}
		}
		square := 0.5 * (x.value - x.ret) * (x.value - x.ret)
		loss := -gain + s.value*square - s.entropy*entropy + s.magnet*kl
		for i, v := range []float64{loss, -gain, square, entropy, kl, ratio - 1 - math.Log(ratio), clipped} {
			out[i] += v
		}
	}
	for i := range out {
		out[i] /= count
	}
	return out
}

// differences is the gradient of the reference loss for every logit and then
// every value, by central finite differences.
func (s setting) differences(turns []turn) (logits, values []float64) {
	const h = 1e-6
	slope := func(x *float64) float64 {
		at := *x
		*x = at + h
		up := s.reference(turns)[0]
		*x = at - h
		down := s.reference(turns)[0]
		*x = at
		return (up - down) / (2 * h)
	}
	for i := range turns {
		for a := range turns[i].logits {
			logits = append(logits, slope(&turns[i].logits[a]))
		}
		values = append(values, slope(&turns[i].value))
	}
	return logits, values
}

// compile builds the graph of PolicyGradient.Loss with its gradient. The
// coefficients are inputs, as in training.
func (s setting) compile(b backend.Backend) *Exec {
	return MustNewExec(b, func(in []*Node) []*Node {
		mask := in[3]
		masked := func(logits *Node) *Node {
			return LogSoftmax(Add(Mul(logits, mask), MulScalar(AddScalar(mask, -1), 1e9)))
		}
		x := objective.Turns{
			LogProbs: masked(in[0]), Values: in[1], Mask: mask, Chosen: in[4],
			Behaviour: in[5], Advantage: in[6], Return: in[7], Weight: in[8],
			EntropyWeight: in[9], MagnetWeight: in[10], ValueWeight: in[11],
		}
		if s.copies {
			x.Magnet = StopGradient(masked(in[2]))
		}
		loss, stats := s.Loss(x)
		for i := range stats {
			stats[i] = Reshape(stats[i], 1)
		}
		return append([]*Node{Concatenate(stats, 0)}, Gradient(loss, in[0], in[1])...)
	})
}

// run runs a compiled graph: it returns the statistics and the gradient for
// the logits and the values.
func (s setting) run(t *testing.T, exec *Exec, turns []turn) (stats, logits, values []float32) {
	t.Helper()
	n, actions := len(turns), len(turns[0].logits)
	columns := make([][]float32, 9) // in the order of compile
	one := func(yes bool) float32 {
		if yes {
			return 1
		}
		return 0
	}
	add := func(column int, x float32) { columns[column] = append(columns[column], x) }
	for _, x := range turns {
		for a := range actions {
			add(0, float32(x.logits[a]))
			add(2, float32(x.magnet[a]))
			add(3, one(x.legal[a]))
			add(4, one(a == x.chosen))
		}
		add(1, float32(x.value))
		add(5, float32(x.behaviour))
		add(6, float32(x.advantage))
		add(7, float32(x.ret))
		add(8, one(!x.padding))
	}
	var in []any
	for _, c := range columns {
		dims := []int{n}
		if len(c) > n {
			dims = append(dims, actions)
		}
		in = append(in, tensors.FromFlatDataAndDimensions(c, dims...))
	}
	in = append(in, float32(s.entropy), float32(s.magnet), float32(s.value))
	var out []*tensors.Tensor
	if err := backend.Catch(func() { out = exec.MustCall(in...) }); err != nil {
		t.Fatal(err)
	}
	read := tensors.MustCopyFlatData[float32]
	return read(out[0]), read(out[1]), read(out[2])
}

// near compares with a tolerance that float32 can keep.
func near(t *testing.T, what string, got []float32, want []float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d values, want %d", what, len(got), len(want))
	}
	for i := range got {
		if !(math.Abs(float64(got[i])-want[i]) <= 2e-5*(1+math.Abs(want[i]))) {
			t.Errorf("%s[%d]: got %g, want %g", what, i, got[i], want[i])
		}
	}
}

// sample draws a batch whose ratios lie on both sides of PPO's bounds and not
// within a finite difference of them, where the loss has a kink.
func sample(r *rand.Rand, turns, actions int, clip float64) []turn {
	out := make([]turn, turns)
	normals := func() []float64 {
		x := make([]float64, actions)
		for i := range x {
			x[i] = float64(float32(r.NormFloat64()))
		}
		return x
	}
	for i := range out {
		x := turn{logits: normals(), magnet: normals(), legal: make([]bool, actions), chosen: r.IntN(actions)}
		for a := range x.legal {
			x.legal[a] = a == x.chosen || r.Float64() < 0.6
		}
		numbers := normals()
		x.advantage, x.value, x.ret = numbers[0], numbers[1], numbers[2]
		for {
			logRatio := 0.5 * r.NormFloat64()
			ratio := math.Exp(logRatio)
			if math.Abs(ratio-1-clip) > 0.01 && math.Abs(ratio-1+clip) > 0.01 {
				x.behaviour = float64(float32(math.Log(softmax(x.logits, x.legal)[x.chosen]) - logRatio))
				break
			}
		}
		x.padding = i >= turns*3/4
		out[i] = x
	}
	return out
}

var settings = []setting{
	{PolicyGradient: objective.PolicyGradient{Name: "ppo", Clip: 0.2}},
	{PolicyGradient: objective.PolicyGradient{Name: "reinforce"}},
	{PolicyGradient: objective.PolicyGradient{Name: "reinforce"}, entropy: 0.3},
	{PolicyGradient: objective.PolicyGradient{Name: "reinforce"}, magnet: 0.7},
	{PolicyGradient: objective.PolicyGradient{Name: "reinforce"}, magnet: 0.7, copies: true},
	{PolicyGradient: objective.PolicyGradient{Name: "ppo", Clip: 0.2}, value: 0.5},
	{PolicyGradient: objective.PolicyGradient{Name: "ppo", Clip: 0.1}, entropy: 0.1, magnet: 0.2, value: 0.5},
	{PolicyGradient: objective.PolicyGradient{Name: "ppo", Clip: 0.3}, entropy: 0.1, magnet: 0.2, value: 0.5, copies: true},
}

func (s setting) String() string {
	return fmt.Sprintf("%s,clip=%g,entropy=%g,magnet=%g,value=%g,copies=%t", s.Name, s.Clip, s.entropy, s.magnet, s.value, s.copies)
}

// The loss and its gradient are those of the formulas, computed turn by turn
// in float64 and by finite differences; illegal actions and padding turns have
// no gradient at all.
func TestLoss(t *testing.T) {
	onBackends(t, func(t *testing.T, b backend.Backend) {
		for i, s := range settings {
			t.Run(s.String(), func(t *testing.T) {
				turns := sample(rand.New(rand.NewPCG(uint64(i), 1)), 24, 5, s.Clip)
				wantLogits, wantValues := s.differences(turns)
				stats, logits, values := s.run(t, s.compile(b), turns)
				near(t, "statistics", stats, s.reference(turns))
				near(t, "gradient of logits", logits, wantLogits)
				near(t, "gradient of values", values, wantValues)
				for i, x := range turns {
					for a, legal := range x.legal {
						if g := logits[i*len(x.legal)+a]; (x.padding || !legal) && g != 0 {
							t.Errorf("turn %d, padding %t: action %d, legal %t, has gradient %g", i, x.padding, a, legal, g)
						}
					}
				}
			})
		}
	})
}

// What stands in padding turns changes nothing, not even a bit.
func TestPadding(t *testing.T) {
	onBackends(t, func(t *testing.T, b backend.Backend) {
		for _, s := range settings {
			exec := s.compile(b)
			turns := sample(rand.New(rand.NewPCG(5, 5)), 16, 4, s.Clip)
			stats, logits, values := s.run(t, exec, turns)
			other := sample(rand.New(rand.NewPCG(6, 6)), 16, 4, s.Clip)
			for i := range turns {
				if turns[i].padding {
					turns[i] = other[i]
				}
			}
			stats2, logits2, values2 := s.run(t, exec, turns)
			if !slices.Equal(stats, stats2) || !slices.Equal(logits, logits2) || !slices.Equal(values, values2) {
				t.Errorf("%s: other padding, other results: %v and %v", s, stats, stats2)
			}
		}
	})
}

// PPO's gradient ends where the ratio has moved past the bound on the side
// that the advantage pushes to, and only there (Schulman et al. 2017, figure
// 1).
func TestClip(t *testing.T) {
	s := setting{PolicyGradient: objective.PolicyGradient{Name: "ppo", Clip: 0.2}}
	onBackends(t, func(t *testing.T, b backend.Backend) {
		exec := s.compile(b)
		for _, test := range []struct {
			ratio, advantage float64
			flat             bool
		}{
			{1, 1, false}, {1, -1, false},
			{1.19, 1, false}, {1.21, 1, true}, {1.21, -1, false},
			{0.81, -1, false}, {0.79, -1, true}, {0.79, 1, false},
		} {
			x := turn{
				logits: []float64{0.3, -0.2}, magnet: []float64{0, 0}, legal: []bool{true, true},
				advantage: test.advantage,
			}
			p := softmax(x.logits, x.legal)[0]
			x.behaviour = math.Log(p / test.ratio)
			stats, logits, _ := s.run(t, exec, []turn{x})
			want := []float64{0, 0}
			if !test.flat { // ∂(−ρA)/∂logits = −ρA(one-hot − π)
				slope := -test.ratio * test.advantage * (1 - p)
				want = []float64{slope, -slope}
			}
			near(t, fmt.Sprintf("ratio %g, advantage %g: gradient", test.ratio, test.advantage), logits, want)
			outside := float32(0)
			if math.Abs(test.ratio-1) > s.Clip {
				outside = 1
			}
			if got := stats[slices.Index(objective.StatNames, "clipped")]; got != outside {
				t.Errorf("ratio %g: clipped %g, want %g", test.ratio, got, outside)
			}
		}
	})
}

// A policy so sharp that a probability underflows, and one legal action alone,
// leave everything finite.
func TestExtremesStayFinite(t *testing.T) {
	onBackends(t, func(t *testing.T, b backend.Backend) {
		for _, s := range settings {
			turns := []turn{
				{logits: []float64{200, -200, 0}, magnet: []float64{-200, 200, 0}, legal: []bool{true, true, true}, behaviour: -1e-3, advantage: 1},
				{logits: []float64{1e4, 3, -1e4}, magnet: []float64{0, 0, 0}, legal: []bool{false, true, false}, chosen: 1, advantage: -1},
			}
			stats, logits, values := s.run(t, s.compile(b), turns)
			for _, x := range slices.Concat(stats, logits, values) {
				if math.IsNaN(float64(x)) || math.IsInf(float64(x), 0) {
					t.Fatalf("%s: statistics %v, gradients %v and %v", s, stats, logits, values)
				}
			}
			if forced := logits[3:6]; !slices.Equal(forced, []float32{0, 0, 0}) {
				t.Errorf("%s: a forced action has the gradient %v", s, forced)
			}
		}
	})
}

func TestValidate(t *testing.T) {
	for _, test := range []struct {
		objective objective.PolicyGradient
		want      string
	}{
		{objective.PolicyGradient{Name: "ppo", Clip: 0.2}, ""},
		{objective.PolicyGradient{Name: "reinforce"}, ""},
		{objective.PolicyGradient{Name: "ppo"}, "objective.clip: 0: expected"},
		{objective.PolicyGradient{Name: "ppo", Clip: 1}, "objective.clip: 1: expected"},
		{objective.PolicyGradient{Name: "ppo", Clip: math.NaN()}, "objective.clip: NaN: expected"},
		{objective.PolicyGradient{Name: "trpo"}, `objective.name: "trpo": expected ppo or reinforce`},
	} {
		err := test.objective.Validate()
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%+v: %v, want %q", test.objective, err, test.want)
		}
	}
}
