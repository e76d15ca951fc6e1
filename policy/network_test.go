package policy_test

import (
	"bytes"
	"math"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/agon-rl/agon/games"
	_ "github.com/agon-rl/agon/games/tictactoe"
	"github.com/agon-rl/agon/policy"
	"github.com/agon-rl/agon/policy/backend"
	_ "github.com/agon-rl/agon/policy/backend/xla" // opened where AGON_TEST_XLA=1
)

func open(t testing.TB, name string) backend.Backend {
	t.Helper()
	b, _, err := backend.Open(name)
	if err != nil && name != backend.Go {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Finalize)
	return b
}

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

// network builds a network whose weights, biases too, are normal.
func network(t testing.TB, b backend.Backend, game games.Game, arch policy.Arch) *policy.Network {
	t.Helper()
	d := policy.Description{Game: game.Info().Name, Arch: arch}
	if arch.Kind == "table" {
		d.Keys = kuhnKeys(game)
	}
	m, err := d.Model(b, game)
	if err != nil {
		t.Fatal(err)
	}
	params := slices.Clone(m.Params)
	for i := range params {
		params[i].Scale = 0.5
	}
	n, err := m.Network(policy.NewWeights(params, rand.New(rand.NewPCG(1, 2))))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
	return n
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
	{"resnet without blocks", "tic_tac_toe", policy.Arch{Kind: "resnet", Channels: 3}},
}

// plain evaluates one encoded state in float64, layer by layer. It shares
// nothing with the graph but the order of the weights.
func plain(m *policy.Model, w *policy.Weights, x []float32) (logits []float64, value float64) {
	i := 0
	next := func() []float32 { i++; return w.Values[i-1] }
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
	names := []string{backend.Go}
	if os.Getenv("AGON_TEST_XLA") == "1" {
		names = append(names, backend.CPU)
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			b := open(t, name)
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
						wantLogits, wantValue := plain(n.Model, n.Weights, x[i*width:][:width])
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
}

// A state's logits do not depend on what else is in the batch: not to the bit
// where the batch is padded to the same size, and hardly where it is not.
func TestPaddingChangesNothing(t *testing.T) {
	b := open(t, backend.Go)
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
	b := open(t, backend.Go)
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
	n := network(t, open(t, backend.Go), game, architectures[1].arch)
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
		chosen := slices.Index(legal, step.Chosen)
		if chosen < 0 || !slices.Equal(step.Legal, legal) || !slices.Equal(step.Encoded, x[i*width:][:width]) {
			t.Fatalf("state %d: %+v, legal are %v", i, step, legal)
		}
		if want := math.Log(probs[i][chosen]); math.Abs(float64(step.LogProb)-want) > 1e-6*(1-want) {
			t.Errorf("state %d: log-probability %g, want %g", i, step.LogProb, want)
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
	b := open(t, backend.Go)
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
	b := open(t, backend.Go)
	for _, test := range architectures {
		for _, bad := range []float32{float32(math.NaN()), float32(math.Inf(1))} {
			game := newGame(t, test.game)
			n := network(t, b, game, test.arch)
			w := &policy.Weights{Params: n.Weights.Params}
			for _, values := range n.Weights.Values {
				w.Values = append(w.Values, slices.Repeat([]float32{bad}, len(values)))
			}
			diverged, err := n.Model.Network(w)
			if err != nil {
				t.Fatal(err)
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
	game := newGame(t, "kuhn_poker")
	n := network(t, open(t, backend.Go), game, policy.Arch{Kind: "mlp", Hidden: []int{4}, Activation: "relu"})
	other := func(change func(w *policy.Weights)) *policy.Weights {
		w := &policy.Weights{Params: slices.Clone(n.Weights.Params), Values: slices.Clone(n.Weights.Values)}
		change(w)
		return w
	}
	for want, w := range map[string]*policy.Weights{
		"the weights hold 5 tensors, the network has 6": other(func(w *policy.Weights) { w.Params, w.Values = w.Params[:5], w.Values[:5] }),
		"the weights hold hidden_0/weights [4 11] where the network has hidden_0/weights [11 4]": other(func(w *policy.Weights) {
			w.Params[0].Dims = []int{4, 11}
		}),
		"the weights hold gate [4] where the network has hidden_0/biases [4]": other(func(w *policy.Weights) { w.Params[1].Name = "gate" }),
		"the weights hold 3 values of hidden_0/biases [4]":                    other(func(w *policy.Weights) { w.Values[1] = w.Values[1][:3] }),
		"the weights hold 6 tensors with the values of 5":                     other(func(w *policy.Weights) { w.Values = w.Values[:5] }),
	} {
		if _, err := n.Model.Network(w); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestArchRefuses(t *testing.T) {
	info := newGame(t, "kuhn_poker").Info()
	for want, arch := range map[string]policy.Arch{
		`policy.kind: "cnn": expected mlp, resnet, table`: {Kind: "cnn"},
		"policy.hidden: width 0: expected 1 to 8192":      {Kind: "mlp", Hidden: []int{8, 0}, Activation: "relu"},
		`policy.activation: "gelu": expected relu or tanh`: {
			Kind: "mlp", Activation: "gelu",
		},
		"policy.kind: resnet needs a board, a tensor [planes, rows, columns]; that of kuhn_poker is [11]: use mlp": {Kind: "resnet", Channels: 4},
	} {
		if err := arch.Validate(info); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	board := newGame(t, "tic_tac_toe").Info()
	for _, arch := range []policy.Arch{{Kind: "resnet"}, {Kind: "resnet", Blocks: -1, Channels: 4}, {Kind: "resnet", Blocks: 65, Channels: 4}} {
		if err := arch.Validate(board); err == nil || !strings.Contains(err.Error(), "expected 0 to 64 and 1 to 1024") {
			t.Errorf("%+v: %v", arch, err)
		}
	}
}

// A saved network is a policy by itself: it plays on as before.
func TestSavedNetwork(t *testing.T) {
	b := open(t, backend.Go)
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
			saved, weights, err := policy.ReadNetwork(&file)
			if err != nil {
				t.Fatal(err)
			}
			model, err := saved.Model(b, game)
			if err != nil {
				t.Fatal(err)
			}
			again, err := model.Network(weights)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { again.Close() })
			states := decisions(game.Start(), 10)
			if !reflect.DeepEqual(probabilities(t, n, states), probabilities(t, again, states)) {
				t.Error("the network that was read plays otherwise")
			}
		})
	}
}

func TestReadNetworkRefuses(t *testing.T) {
	w := &policy.Weights{}
	for text, want := range map[string]string{
		"":              "does not describe its network",
		"{":             "does not describe its network",
		`{"version":9}`: "the file has version 9, this program reads version 1",
	} {
		_, _, err := policy.ReadNetwork(bytes.NewReader(write(t, w, map[string]string{"agon": text})))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
	kuhn := newGame(t, "kuhn_poker")
	d := policy.Description{Game: "tic_tac_toe", Arch: architectures[0].arch}
	if _, err := d.Model(open(t, backend.Go), kuhn); err == nil || err.Error() != "the network plays tic_tac_toe, not kuhn_poker" {
		t.Errorf("another game: %v", err)
	}
	n := network(t, open(t, backend.Go), kuhn, policy.Arch{Kind: "table"})
	d = policy.Description{Game: "kuhn_poker", Arch: policy.Arch{Kind: "table"}, Keys: []string{"0", "1"}}
	m, err := d.Model(n.Model.Backend, kuhn)
	if err != nil {
		t.Fatal(err)
	}
	small, err := m.Network(policy.NewWeights(m.Params, rand.New(rand.NewPCG(1, 1))))
	if err != nil {
		t.Fatal(err)
	}
	defer small.Close()
	if _, err := small.Act(t.Context(), decisions(kuhn.Start(), 100), generators(100)); err == nil || !strings.Contains(err.Error(), `the table has no row for the information state "1p"`) {
		t.Errorf("a missing row: %v", err)
	}
}
