package policy_test

import (
	"bytes"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/gomlx/compute/dtypes"

	"github.com/agon-rl/agon/games"
	_ "github.com/agon-rl/agon/games/tictactoe"
	"github.com/agon-rl/agon/policy"
	"github.com/agon-rl/agon/policy/backend"
	"github.com/agon-rl/agon/policy/backend/backendtest"
	_ "github.com/agon-rl/agon/policy/backend/xla" // opened where AGON_TEST_XLA=1
)

func newGame(t testing.TB, text string) games.Game {
	t.Helper()
	game, err := games.New(text)
	if err != nil {
		t.Fatal(err)
	}
	return game
}

// decisions lists the states where a seat is to move, at most limit of them in
// the order of a depth-first walk.
func decisions(s games.State, limit int) (out []games.State) {
	if s.Turn() >= 0 {
		out = append(out, s)
	}
	for _, a := range s.Actions(nil) {
		if len(out) >= limit {
			break
		}
		next := s.Clone()
		if err := next.Apply(a); err != nil {
			panic(err)
		}
		out = append(out, decisions(next, limit-len(out))...)
	}
	return out
}

// kuhnKeys are the information states of Kuhn poker with two players.
func kuhnKeys(game games.Game) (keys []string) {
	for _, s := range decisions(game.Start(), 100) {
		if key := games.Key(s, s.Turn()); !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	return keys
}

// newModel prepares an architecture for a game.
func newModel(t testing.TB, b backend.Backend, game games.Game, arch policy.Arch) *policy.Model {
	t.Helper()
	d := policy.Description{Game: game.Info().Name, Arch: arch}
	if arch.Kind == "table" {
		d.Keys = kuhnKeys(game)
	}
	m, err := d.Model(b, game)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// draw draws weights, biases too, from a normal distribution.
func draw(t testing.TB, m *policy.Model, seed uint64) *policy.Weights {
	t.Helper()
	params := slices.Clone(m.Params())
	for i := range params {
		params[i].Scale = 0.5
	}
	w, err := policy.DrawWeights(m.Device(), params, rand.New(rand.NewPCG(seed, 2)))
	if err != nil {
		t.Fatal(err)
	}
	closeLater(t, w)
	return w
}

// closeLater closes at the end of the test.
func closeLater(t testing.TB, c interface{ Close() error }) {
	t.Helper()
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
}

// network builds a network whose weights are drawn.
func network(t testing.TB, b backend.Backend, game games.Game, arch policy.Arch) *policy.Network {
	t.Helper()
	m := newModel(t, b, game, arch)
	n, err := m.Network(draw(t, m, 1))
	if err != nil {
		t.Fatal(err)
	}
	closeLater(t, n)
	return n
}

// values are a tensor's values.
func values(t testing.TB, w *policy.Weights, i int) []float32 {
	t.Helper()
	v, err := w.Values(i)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// encode writes states one after the other.
func encode(t testing.TB, n *policy.Network, states []games.State) []float32 {
	t.Helper()
	width := n.Model.Encoder.Size()
	x := make([]float32, len(states)*width)
	for i, s := range states {
		if err := n.Model.Encoder.Encode(s, s.Turn(), x[i*width:][:width]); err != nil {
			t.Fatal(err)
		}
	}
	return x
}

var architectures = []struct {
	name, game string
	arch       policy.Arch
}{
	{"mlp of relu", "kuhn_poker", policy.Arch{Kind: "mlp", Hidden: []int{16, 7}, Activation: "relu"}},
	{"mlp of tanh", "tic_tac_toe", policy.Arch{Kind: "mlp", Hidden: []int{9}, Activation: "tanh"}},
	{"linear", "kuhn_poker", policy.Arch{Kind: "mlp", Activation: "relu"}},
	{"table", "kuhn_poker", policy.Arch{Kind: "table"}},
	{"resnet", "tic_tac_toe", policy.Arch{Kind: "resnet", Blocks: 2, Channels: 4}},
	{"mlp in bfloat16", "kuhn_poker", policy.Arch{Kind: "mlp", Hidden: []int{6}, Activation: "tanh", Type: "bfloat16"}},
	{"resnet without blocks", "tic_tac_toe", policy.Arch{Kind: "resnet", Channels: 3}},
}

// plain evaluates one encoded state in float64, layer by layer. It shares
// nothing with the graph but the order of the weights.
func plain(t testing.TB, m *policy.Model, w *policy.Weights, x []float32) (logits []float64, value float64) {
	t.Helper()
	i := 0
	next := func() []float32 { i++; return values(t, w, i-1) }
	if m.Arch.Kind == "table" {
		row, actions := int(x[0]), m.Info.Actions
		for _, l := range next()[row*actions:][:actions] {
			logits = append(logits, float64(l))
		}
		return logits, float64(next()[row])
	}
	dense := func(x []float64) []float64 {
		weights, biases := next(), next()
		y := make([]float64, len(biases))
		for o := range y {
			y[o] = float64(biases[o])
			for in, v := range x {
				y[o] += v * float64(weights[in*len(y)+o])
			}
		}
		return y
	}
	relu := func(x []float64) []float64 {
		y := make([]float64, len(x))
		for i, v := range x {
			y[i] = max(0, v)
		}
		return y
	}
	layer := make([]float64, len(x))
	for i, v := range x {
		layer[i] = float64(v)
	}
	switch m.Arch.Kind {
	case "mlp":
		for range m.Arch.Hidden {
			layer = dense(layer)
			if m.Arch.Activation == "relu" {
				layer = relu(layer)
				continue
			}
			for i, v := range layer {
				layer[i] = math.Tanh(v)
			}
		}
	case "resnet":
		planes, rows, columns := m.Info.Tensor[0], m.Info.Tensor[1], m.Info.Tensor[2]
		last := make([]float64, len(layer)) // channels last
		for p := range planes {
			for square := range rows * columns {
				last[square*planes+p] = layer[p*rows*columns+square]
			}
		}
		layer = relu(convolve(last, rows, columns, next(), next()))
		for range m.Arch.Blocks {
			inner := relu(convolve(layer, rows, columns, next(), next()))
			inner = convolve(inner, rows, columns, next(), next())
			for i := range inner {
				inner[i] += layer[i]
			}
			layer = relu(inner)
		}
	}
	logits = dense(layer)
	return logits, dense(layer)[0]
}

// convolve is a 3×3 convolution over x [rows, columns, in], padded with zeros,
// with weights [3, 3, in, out].
func convolve(x []float64, rows, columns int, weights, biases []float32) []float64 {
	in, out := len(x)/(rows*columns), len(biases)
	y := make([]float64, rows*columns*out)
	for r := range rows {
		for c := range columns {
			for o := range out {
				sum := float64(biases[o])
				for dr := range 3 {
					for dc := range 3 {
						row, column := r+dr-1, c+dc-1
						if row < 0 || row >= rows || column < 0 || column >= columns {
							continue
						}
						for i := range in {
							sum += x[(row*columns+column)*in+i] * float64(weights[((dr*3+dc)*in+i)*out+o])
						}
					}
				}
				y[(r*columns+c)*out+o] = sum
			}
		}
	}
	return y
}

// Every architecture computes what its formula says, on every backend.
func TestForwardIsItsFormula(t *testing.T) {
	backendtest.Each(t, func(t *testing.T, b *backendtest.Device) {
		for _, test := range architectures {
			t.Run(test.name, func(t *testing.T) {
				game := newGame(t, test.game)
				n := network(t, b, game, test.arch)
				states := decisions(game.Start(), 24)
				x, width, actions := encode(t, n, states), n.Model.Encoder.Size(), n.Model.Info.Actions
				logits, values, err := n.Forward(x, len(states))
				if err != nil {
					t.Fatal(err)
				}
				if len(logits) != len(states)*actions || len(values) != len(states) {
					t.Fatalf("%d states: %d logits, %d values", len(states), len(logits), len(values))
				}
				for i := range states {
					wantLogits, wantValue := plain(t, n.Model, n.Weights, x[i*width:][:width])
					got := append(slices.Clone(logits[i*actions:][:actions]), values[i])
					for j, want := range append(wantLogits, wantValue) {
						if !(math.Abs(float64(got[j])-want) <= 1e-4*(1+math.Abs(want))) {
							t.Fatalf("state %d, output %d: got %g, want %g", i, j, got[j], want)
						}
					}
				}
			})
		}
	})
}

// A state's logits do not depend on what else is in the batch: not to the bit
// where the batch is padded to the same size, and hardly where it is not.
func TestPaddingChangesNothing(t *testing.T) {
	b := backendtest.Open(t, backend.Go)
	for _, test := range architectures {
		t.Run(test.name, func(t *testing.T) {
			game := newGame(t, test.game)
			n := network(t, b, game, test.arch)
			x := encode(t, n, decisions(game.Start(), 24))
			width, actions := n.Model.Encoder.Size(), n.Model.Info.Actions
			forward := func(rows int) ([]float32, []float32) {
				logits, values, err := n.Forward(x, rows)
				if err != nil {
					t.Fatal(err)
				}
				return logits, values
			}
			logits8, values8 := forward(8)
			for rows := 2; rows < 8; rows++ {
				logits, values := forward(rows)
				if !slices.Equal(logits, logits8[:rows*actions]) || !slices.Equal(values, values8[:rows]) {
					t.Fatalf("%d rows and 8 differ in what they share", rows)
				}
			}
			for _, rows := range []int{1, 9, 24} {
				logits, _ := forward(rows)
				for i := range min(rows, 8) * actions {
					if d := math.Abs(float64(logits[i] - logits8[i])); d > 1e-5 {
						t.Fatalf("%d rows and 8 differ by %g at %d", rows, d, i)
					}
				}
			}
			if len(x)/width != 24 {
				t.Fatalf("%d states", len(x)/width)
			}
		})
	}
}

// probabilities asks a policy.
func probabilities(t testing.TB, p policy.Policy, states []games.State) [][]float64 {
	t.Helper()
	out := make([][]float64, len(states))
	for i, s := range states {
		out[i] = make([]float64, len(s.Actions(nil)))
	}
	if err := p.Probabilities(t.Context(), states, out); err != nil {
		t.Fatal(err)
	}
	return out
}

// A network's probabilities are the softmax over the legal actions alone, and
// those of Uniform are equal. States may repeat.
func TestProbabilities(t *testing.T) {
	b := backendtest.Open(t, backend.Go)
	for _, test := range architectures {
		t.Run(test.name, func(t *testing.T) {
			game := newGame(t, test.game)
			n := network(t, b, game, test.arch)
			states := decisions(game.Start(), 40)
			states = append(states, states...)
			uniform, got := probabilities(t, policy.Uniform{}, states), probabilities(t, n, states)
			logits, _, err := n.Forward(encode(t, n, states), len(states))
			if err != nil {
				t.Fatal(err)
			}
			for i, s := range states {
				sum, partition := 0.0, 0.0
				legal := s.Actions(nil)
				row := logits[i*n.Model.Info.Actions:]
				for _, a := range legal {
					partition += math.Exp(float64(row[a]))
				}
				for j, a := range legal {
					sum += got[i][j]
					if want := math.Exp(float64(row[a])) / partition; math.Abs(got[i][j]-want) > 1e-5 {
						t.Fatalf("state %d, action %d: probability %g, want %g", i, a, got[i][j], want)
					}
					if uniform[i][j] != 1/float64(len(legal)) {
						t.Fatalf("Uniform plays one of %d actions with probability %g", len(legal), uniform[i][j])
					}
				}
				if math.Abs(sum-1) > 1e-12 {
					t.Fatalf("state %d: the probabilities sum to %g", i, sum)
				}
			}
		})
	}
}

func generators(n int) []*rand.Rand {
	out := make([]*rand.Rand, n)
	for i := range out {
		out[i] = rand.New(rand.NewPCG(7, uint64(i)))
	}
	return out
}

// A turn's record holds what the update needs: the state as the network saw
// it, the log of the very probability with which the action was drawn, and the
// network's value.
func TestActRecords(t *testing.T) {
	game := newGame(t, "tic_tac_toe")
	n := network(t, backendtest.Open(t, backend.Go), game, architectures[1].arch)
	states := decisions(game.Start(), 60)
	probs := probabilities(t, n, states)
	x, width := encode(t, n, states), n.Model.Encoder.Size()
	_, values, err := n.Forward(x, len(states))
	if err != nil {
		t.Fatal(err)
	}
	steps, err := n.Act(t.Context(), states, generators(len(states)))
	if err != nil {
		t.Fatal(err)
	}
	for i, step := range steps {
		legal := states[i].Actions(nil)
		chosen := slices.Index(legal, step.Action())
		if chosen < 0 || len(step.Picks) != 1 || !slices.Equal(step.Picks[0].Allowed, legal) || !slices.Equal(step.Input.(policy.Encoded), x[i*width:][:width]) {
			t.Fatalf("state %d: %+v, legal are %v", i, step, legal)
		}
		if want := math.Log(probs[i][chosen]); math.Abs(float64(step.Picks[0].LogProb)-want) > 1e-6*(1-want) {
			t.Errorf("state %d: log-probability %g, want %g", i, step.Picks[0].LogProb, want)
		}
		if math.Abs(float64(step.Value-values[i])) > 1e-5 || step.StateValue() != float64(step.Value) {
			t.Errorf("state %d: value %g, want %g", i, step.Value, values[i])
		}
	}
	if steps, err := n.Act(t.Context(), nil, nil); err != nil || len(steps) != 0 {
		t.Errorf("no states: %v, %v", steps, err)
	}
}

// Actors in several goroutines share a network and decide as one would.
func TestConcurrentAct(t *testing.T) {
	b := backendtest.Open(t, backend.Go)
	for _, test := range architectures {
		t.Run(test.name, func(t *testing.T) {
			game := newGame(t, test.game)
			n := network(t, b, game, test.arch)
			states := decisions(game.Start(), 24)
			results := make([][]*policy.Step, 8)
			errs := make([]error, len(results))
			var group sync.WaitGroup
			for i := range results {
				own := make([]games.State, len(states))
				for j, s := range states {
					own[j] = s.Clone()
				}
				group.Go(func() {
					for range 5 {
						results[i], errs[i] = n.Act(t.Context(), own, generators(len(own)))
						if errs[i] != nil {
							return
						}
					}
				})
			}
			group.Wait()
			for i := range results {
				if errs[i] != nil {
					t.Fatal(errs[i])
				}
				if !reflect.DeepEqual(results[i], results[0]) {
					t.Fatalf("goroutine %d acted otherwise than goroutine 0", i)
				}
			}
		})
	}
}

// Weights that have diverged, to NaN or to infinity, are reported.
func TestDivergedWeights(t *testing.T) {
	b := backendtest.Open(t, backend.Go)
	for _, test := range architectures {
		for _, bad := range []float32{float32(math.NaN()), float32(math.Inf(1))} {
			game := newGame(t, test.game)
			n := network(t, b, game, test.arch)
			var spoilt [][]float32
			for _, p := range n.Model.Params() {
				spoilt = append(spoilt, slices.Repeat([]float32{bad}, p.Size()))
			}
			w, err := policy.UploadWeights(b, n.Model.Params(), spoilt)
			if err != nil {
				t.Fatal(err)
			}
			diverged, err := n.Model.Network(w)
			if err != nil {
				t.Fatal(err)
			}
			if err := w.Close(); err != nil {
				t.Error(err)
			}
			_, err = diverged.Act(t.Context(), decisions(game.Start(), 1), generators(1))
			if err == nil || !strings.Contains(err.Error(), "have diverged") || strings.Contains(err.Error(), "\n") {
				t.Errorf("%s of %g: %v", test.name, bad, err)
			}
			if err := diverged.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestWeightsThatDoNotFit(t *testing.T) {
	b := backendtest.Open(t, backend.Go)
	m := newModel(t, b, newGame(t, "kuhn_poker"), policy.Arch{Kind: "mlp", Hidden: []int{4}, Activation: "relu"})
	fit := draw(t, m, 1)
	for want, change := range map[string]func(w *policy.Weights){
		"the weights hold 5 tensors, the network has 6": func(w *policy.Weights) { w.Params, w.Tensors = w.Params[:5], w.Tensors[:5] },
		"the weights hold hidden_0/weights [4 11] where the network has hidden_0/weights [11 4]": func(w *policy.Weights) {
			w.Params[0].Dims = []int{4, 11}
		},
		"the weights hold gate [4] where the network has hidden_0/biases [4]": func(w *policy.Weights) { w.Params[1].Name = "gate" },
		"the weights hold hidden_0/biases as BFloat16 where the network has Float32": func(w *policy.Weights) {
			w.Params[1].Type = dtypes.BFloat16
		},
	} {
		w := policy.NewWeights(slices.Clone(fit.Params), slices.Clone(fit.Tensors))
		change(w)
		if _, err := m.Network(w); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestArchRefuses(t *testing.T) {
	info, board := newGame(t, "kuhn_poker").Info(), newGame(t, "tic_tac_toe").Info()
	mlp := func(change func(a *policy.Arch)) policy.Arch {
		a := policy.Arch{Kind: "mlp", Hidden: []int{8}, Activation: "relu"}
		change(&a)
		return a
	}
	for want, arch := range map[string]policy.Arch{
		`policy.kind: "cnn": expected mlp, resnet, table`:                                                          {Kind: "cnn"},
		"policy.hidden: width 0: expected 1 to 8192":                                                               mlp(func(a *policy.Arch) { a.Hidden = []int{8, 0} }),
		`policy.activation: "gelu": expected relu or tanh`:                                                         mlp(func(a *policy.Arch) { a.Activation = "gelu" }),
		`policy.type: "float16": expected float32 or bfloat16`:                                                     mlp(func(a *policy.Arch) { a.Type = "float16" }),
		"policy.kind: resnet needs a board, a tensor [planes, rows, columns]; that of kuhn_poker is [11]: use mlp": {Kind: "resnet", Channels: 4},
		`policy.freeze: "hiden_0": the network has no such tensor; it has hidden_0/weights, hidden_0/biases, policy/weights, policy/biases, value/weights, value/biases`: mlp(func(a *policy.Arch) {
			a.Freeze = []string{"value", "hiden_0"}
		}),
		`policy.freeze: "hidden_0/weight": the network has no such tensor, did you mean "hidden_0/weights"?; it has hidden_0/weights, hidden_0/biases, policy/weights, policy/biases, value/weights, value/biases`: mlp(func(a *policy.Arch) {
			a.Freeze = []string{"hidden_0/weight"} // the start of a name, but not up to a slash
		}),
		`policy.freeze: "hidden_1": the network has no such tensor; it has logits, values`: {Kind: "table", Freeze: []string{"hidden_1"}},
		"policy.freeze: [hidden_0 policy value]: nothing is left to train": mlp(func(a *policy.Arch) {
			a.Freeze = []string{"hidden_0", "policy", "value"}
		}),
	} {
		if err := arch.Validate(info); err == nil || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
	for _, arch := range []policy.Arch{{Kind: "resnet"}, {Kind: "resnet", Blocks: -1, Channels: 4}, {Kind: "resnet", Blocks: 65, Channels: 4}} {
		if err := arch.Validate(board); err == nil || !strings.Contains(err.Error(), "expected 0 to 64 and 1 to 1024") {
			t.Errorf("%+v: %v", arch, err)
		}
	}
	for _, arch := range []policy.Arch{
		mlp(func(a *policy.Arch) { a.Type, a.Freeze = "bfloat16", []string{"hidden_0", "policy/biases"} }),
		{Kind: "resnet", Channels: 4, Blocks: 1, Type: "float32", Freeze: []string{"block_0", "stem/weights"}},
		{Kind: "table", Freeze: []string{"values"}},
	} {
		if err := arch.Validate(board); err != nil {
			t.Errorf("%+v: %v", arch, err)
		}
	}
}

// The tensors of an architecture have names, shapes, types and a trained or frozen state,
// in the order of the graph.
func TestParams(t *testing.T) {
	type row struct {
		name   string
		dims   []int
		frozen bool
	}
	for _, test := range []struct {
		arch           policy.Arch
		input          []int
		want           []row
		stored         dtypes.DType
		firstDeviation float64 // of the first tensor: √(2/fan-in), 0 for zeros
	}{
		{
			policy.Arch{Kind: "mlp", Hidden: []int{8, 4}, Freeze: []string{"hidden_1", "value/biases"}}, []int{2, 3},
			[]row{
				{"hidden_0/weights", []int{6, 8}, false}, {"hidden_0/biases", []int{8}, false},
				{"hidden_1/weights", []int{8, 4}, true}, {"hidden_1/biases", []int{4}, true},
				{"policy/weights", []int{4, 5}, false}, {"policy/biases", []int{5}, false},
				{"value/weights", []int{4, 1}, false}, {"value/biases", []int{1}, true},
			}, dtypes.Float32, math.Sqrt(2. / 6),
		},
		{
			policy.Arch{Kind: "resnet", Blocks: 1, Channels: 4, Type: "bfloat16", Freeze: []string{"block_0"}}, []int{2, 3, 3},
			[]row{
				{"stem/weights", []int{3, 3, 2, 4}, false}, {"stem/biases", []int{4}, false},
				{"block_0/first/weights", []int{3, 3, 4, 4}, true}, {"block_0/first/biases", []int{4}, true},
				{"block_0/second/weights", []int{3, 3, 4, 4}, true}, {"block_0/second/biases", []int{4}, true},
				{"policy/weights", []int{36, 5}, false}, {"policy/biases", []int{5}, false},
				{"value/weights", []int{36, 1}, false}, {"value/biases", []int{1}, false},
			}, dtypes.BFloat16, math.Sqrt(2. / 18),
		},
		{
			policy.Arch{Kind: "table", Freeze: []string{"values"}}, []int{12},
			[]row{{"logits", []int{12, 5}, false}, {"values", []int{12, 1}, true}}, dtypes.Float32, 0,
		},
	} {
		params := test.arch.Params(test.input, 5)
		var got []row
		for _, p := range params {
			got = append(got, row{p.Name, p.Dims, p.Frozen})
			if p.Stored() != test.stored {
				t.Errorf("%s: %s is stored as %s, expected %s", test.arch.Kind, p.Name, p.Stored(), test.stored)
			}
		}
		if !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s has\n%v, expected\n%v", test.arch.Kind, got, test.want)
		}
		if math.Abs(params[0].Scale-test.firstDeviation) > 1e-12 {
			t.Errorf("%s starts from a deviation of %g, expected %g", params[0].Name, params[0].Scale, test.firstDeviation)
		}
	}
}

// Judge gives the probabilities of Probabilities and the values of Forward.
func TestJudge(t *testing.T) {
	game := newGame(t, "tic_tac_toe")
	n := network(t, backendtest.Open(t, backend.Go), game, architectures[1].arch)
	states := decisions(game.Start(), 20)
	want := probabilities(t, n, states)
	_, wantValues, err := n.Forward(encode(t, n, states), len(states))
	if err != nil {
		t.Fatal(err)
	}
	priors, values := make([][]float64, len(states)), make([]float64, len(states))
	for i, p := range want {
		priors[i] = make([]float64, len(p))
	}
	if err := n.Judge(t.Context(), states, priors, values); err != nil {
		t.Fatal(err)
	}
	for i := range states {
		if !slices.Equal(priors[i], want[i]) || values[i] != float64(wantValues[i]) {
			t.Errorf("state %d: priors %v, value %g, expected %v, %g", i, priors[i], values[i], want[i], wantValues[i])
		}
	}
}

// LogProbs says of recorded steps how probable their picks are by this network, step by
// step, also of more than go into one call.
func TestLogProbs(t *testing.T) {
	game := newGame(t, "kuhn_poker")
	b := backendtest.Open(t, backend.Go)
	n := network(t, b, game, architectures[0].arch)
	states := decisions(game.Start(), 30)
	probs := probabilities(t, n, states)
	var steps []*policy.Step
	var want []float64
	for len(steps) <= 4096+10 {
		for i, s := range states {
			for j, a := range s.Actions(nil) {
				step, err := n.Model.Observe(s, a)
				if err != nil {
					t.Fatal(err)
				}
				if step.Action() != a || !slices.Equal(step.Picks[0].Allowed, s.Actions(nil)) {
					t.Fatalf("the record of action %d at state %d is %+v", a, i, step)
				}
				steps, want = append(steps, step), append(want, math.Log(probs[i][j]))
			}
		}
	}
	got, err := n.LogProbs(steps)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != len(want) {
		t.Fatalf("%d log-probabilities of %d steps", len(got), len(want))
	}
	for i := range want {
		if math.Abs(got[i]-want[i]) > 1e-5 {
			t.Fatalf("step %d: %g, expected %g", i, got[i], want[i])
		}
	}
	for name, bad := range unreadable(steps[0]) {
		_, err := n.LogProbs([]*policy.Step{steps[1], bad})
		if err == nil || !strings.HasPrefix(err.Error(), "step 2: ") || !strings.Contains(err.Error(), ": expected ") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A saved network is a policy by itself: it plays on as before.
func TestSavedNetwork(t *testing.T) {
	b := backendtest.Open(t, backend.Go)
	for _, test := range architectures {
		t.Run(test.name, func(t *testing.T) {
			game := newGame(t, test.game)
			n := network(t, b, game, test.arch)
			d := policy.Description{Game: test.game, Arch: test.arch}
			if test.arch.Kind == "table" {
				d.Keys = kuhnKeys(game)
			}
			var file bytes.Buffer
			if err := policy.SaveNetwork(&file, d, n.Weights); err != nil {
				t.Fatal(err)
			}
			described, err := policy.ReadDescription(bytes.NewReader(file.Bytes()))
			if err != nil {
				t.Fatal(err)
			}
			saved, weights, err := policy.ReadNetwork(b, &file)
			if err != nil {
				t.Fatal(err)
			}
			closeLater(t, weights)
			d.Version = 1
			if !reflect.DeepEqual(saved, d) || !reflect.DeepEqual(described, d) {
				t.Errorf("saved as %+v, read as %+v and %+v", d, saved, described)
			}
			model, err := saved.Model(b, game)
			if err != nil {
				t.Fatal(err)
			}
			again, err := model.Network(weights)
			if err != nil {
				t.Fatal(err)
			}
			closeLater(t, again)
			states := decisions(game.Start(), 10)
			if !reflect.DeepEqual(probabilities(t, n, states), probabilities(t, again, states)) {
				t.Error("the network that was read plays otherwise")
			}
		})
	}
}

func TestReadNetworkRefuses(t *testing.T) {
	b := backendtest.Open(t, backend.Go)
	w := upload(t, b, []policy.Param{{Name: "w", Dims: []int{2}}}, []float32{1, 2})
	for text, want := range map[string]string{
		"":              "does not describe its network",
		"{":             "does not describe its network",
		`{"version":9}`: "the file has version 9, this program reads version 1",
	} {
		_, _, err := policy.ReadNetwork(b, bytes.NewReader(write(t, w, map[string]string{"agon": text})))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
	kuhn := newGame(t, "kuhn_poker")
	d := policy.Description{Game: "tic_tac_toe", Arch: architectures[0].arch}
	if _, err := d.Model(b, kuhn); err == nil || err.Error() != "the network plays tic_tac_toe, not kuhn_poker" {
		t.Errorf("another game: %v", err)
	}
	d = policy.Description{Game: "kuhn_poker", Arch: policy.Arch{Kind: "table"}, Keys: []string{"0", "1"}}
	m, err := d.Model(b, kuhn)
	if err != nil {
		t.Fatal(err)
	}
	small, err := m.Network(draw(t, m, 1))
	if err != nil {
		t.Fatal(err)
	}
	defer small.Close()
	if _, err := small.Act(t.Context(), decisions(kuhn.Start(), 100), generators(100)); err == nil || !strings.Contains(err.Error(), `the table has no row for the information state "1p"`) {
		t.Errorf("a missing row: %v", err)
	}
}
