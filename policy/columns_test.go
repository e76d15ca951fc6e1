package policy_test

import (
	"fmt"
	"math/bits"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // graph code reads as formulas
	"pgregory.net/rapid"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/policy"
	"github.com/agon-rl/agon/policy/backend"
	"github.com/agon-rl/agon/policy/backend/backendtest"
)

// read copies a batch's columns from the device, whole numbers as floats.
func read(t testing.TB, d backend.Backend, b *policy.Batch) map[string][]float32 {
	t.Helper()
	p, err := backend.NewProgram(d, "columns", func(in []*Node) []*Node { return []*Node{ConvertDType(in[0], dtypes.Float32)} })
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]float32{}
	for i, name := range b.Names() {
		x, err := p.Run(b.Tensors()[i:i+1], 0)
		if err != nil {
			t.Fatal(err)
		}
		if out[name], err = x[0].Floats(); err != nil {
			t.Fatal(err)
		}
		if err := backend.Free(x); err != nil {
			t.Error(err)
		}
	}
	return out
}

// batch packs turns and moves them to the device, until the end of the test.
func batch(t testing.TB, m *policy.Model, turns []policy.Turn) *policy.Batch {
	t.Helper()
	c, err := m.Pack(turns)
	if err != nil {
		t.Fatal(err)
	}
	b, err := policy.NewBatch(m.Device(), c)
	if err != nil {
		t.Fatal(err)
	}
	closeLater(t, b)
	return b
}

// turns returns turns of a network at states drawn from those given.
func turns(t testing.TB, n *policy.Network, states []games.State, count int, r *rand.Rand) []policy.Turn {
	t.Helper()
	drawn, rands := make([]games.State, count), make([]*rand.Rand, count)
	for i := range drawn {
		drawn[i], rands[i] = states[r.IntN(len(states))], r
	}
	steps, err := n.Act(t.Context(), drawn, rands)
	if err != nil {
		t.Fatal(err)
	}
	out := make([]policy.Turn, count)
	for i, s := range steps {
		out[i] = policy.Turn{Step: s, Advantage: float32(r.NormFloat64()), Return: float32(r.NormFloat64())}
	}
	return out
}

// A thousand turns of Kuhn poker are turns at its 12 information states.
func TestBatchHoldsDistinctStates(t *testing.T) {
	game, d := newGame(t, "kuhn_poker"), backendtest.Open(t, backend.Go)
	for _, arch := range []policy.Arch{architectures[0].arch, {Kind: "table"}} {
		n := network(t, d, game, arch)
		b := batch(t, n.Model, turns(t, n, decisions(game.Start(), 100), 1000, rand.New(rand.NewPCG(1, 1))))
		if b.Rows != 12 || b.Turns != 1000 || b.Picks != 1000 {
			t.Errorf("%s: %d turns of %d picks at %d states", arch.Kind, b.Turns, b.Picks, b.Rows)
		}
	}
}

// Three turns at two states, column by column: turns and rows are padded to 8.
func TestPackByHand(t *testing.T) {
	d := backendtest.Open(t, backend.Go)
	m := newModel(t, d, newGame(t, "kuhn_poker"), architectures[0].arch) // states of 11 numbers, 2 actions
	x, y := make(policy.Encoded, 11), make(policy.Encoded, 11)
	x[0], y[10] = 5, 6
	turn := func(at policy.Encoded, token games.Action, target []float32, allowed ...games.Action) policy.Turn {
		return policy.Turn{Step: &policy.Step{Input: at, Picks: []policy.Pick{{Token: token, Allowed: allowed}}}, Target: target}
	}
	zeros := func(n int) []float32 { return make([]float32, n) }
	want := map[string][]float32{
		"states": slices.Concat(x, y, zeros(6*11)),
		"mask":   slices.Concat([]float32{1, 1, 0, 1}, slices.Repeat([]float32{1, 0}, 6)), // padding rows allow action 0
		"row":    slices.Concat([]float32{0, 1, 0}, zeros(5)),
		"action": slices.Concat([]float32{1, 1, 0}, zeros(5)), // padding turns pick what row 0 allows
		"real":   slices.Concat([]float32{1, 1, 1}, zeros(5)),
		"target": slices.Concat([]float32{0.25, 0.75, 0, 1, 0.5, 0.5}, zeros(10)),
	}
	b := batch(t, m, []policy.Turn{
		turn(x, 1, []float32{0.25, 0.75}, 0, 1), turn(y, 1, []float32{1}, 1), turn(x, 0, []float32{0.5, 0.5}, 0, 1),
	})
	if got := read(t, d, b); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	if b.Turns != 3 || b.Picks != 3 || b.Rows != 2 {
		t.Errorf("%d turns, %d picks, %d rows", b.Turns, b.Picks, b.Rows)
	}
	// Where row 0 allows action 1 alone, padding turns pick that; without targets, there is
	// no such column.
	got := read(t, d, batch(t, m, []policy.Turn{turn(y, 1, nil, 1), turn(x, 0, nil, 0, 1)}))
	if want := []float32{1, 0, 1, 1, 1, 1, 1, 1}; !slices.Equal(got["action"], want) {
		t.Errorf("actions %v, expected %v", got["action"], want)
	}
	if _, ok := got["target"]; ok || len(got) != 5 {
		t.Errorf("columns %v", got)
	}
	// One turn is not padded.
	if got := read(t, d, batch(t, m, []policy.Turn{turn(x, 1, nil, 0, 1)})); len(got["real"]) != 1 || len(got["mask"]) != 2 {
		t.Errorf("one turn: %v", got)
	}
}

// Whatever the turns, each finds its own state, legal actions and numbers in the batch,
// and padding weighs nothing and breaks nothing.
func TestPack(t *testing.T) {
	game, d := newGame(t, "tic_tac_toe"), backendtest.Open(t, backend.Go)
	n := network(t, d, game, architectures[1].arch)
	all := decisions(game.Start(), 300)
	width, actions := n.Model.Encoder.Size(), n.Model.Info.Actions
	rapid.Check(t, func(r *rapid.T) {
		count := rapid.IntRange(1, 70).Draw(r, "turns")
		from := rapid.IntRange(1, len(all)).Draw(r, "states")
		in := turns(t, n, all[:from], count, rand.New(rand.NewPCG(rapid.Uint64().Draw(r, "seed"), 1)))
		columns, err := n.Model.Pack(in)
		if err != nil {
			r.Fatal(err)
		}
		columns.ByTurn("advantage", in, func(t *policy.Turn) float32 { return t.Advantage })
		columns.ByPick("behaviour", in, func(t *policy.Turn, pick int) float32 { return t.Picks[pick].LogProb })
		b, err := policy.NewBatch(d, columns)
		if err != nil {
			r.Fatal(err)
		}
		defer b.Close()
		c := read(t, d, b)
		rows, padded := len(c["mask"])/actions, len(c["row"])
		if len(c["states"]) != rows*width {
			r.Fatalf("%d rows, %d values", rows, len(c["states"]))
		}
		for _, name := range []string{"action", "real", "advantage", "behaviour"} {
			if len(c[name]) != padded {
				r.Fatalf("%s has %d turns, rows %d", name, len(c[name]), padded)
			}
		}
		distinct := map[string]bool{}
		for i, turn := range in {
			row, encoded := int(c["row"][i]), turn.Input.(policy.Encoded)
			if !slices.Equal(c["states"][row*width:][:width], encoded) {
				r.Fatalf("turn %d: row %d holds another state", i, row)
			}
			for a := range actions {
				if legal := slices.Contains(turn.Picks[0].Allowed, games.Action(a)); legal != (c["mask"][row*actions+a] == 1) {
					r.Fatalf("turn %d: action %d is legal: %t, mask %g", i, a, legal, c["mask"][row*actions+a])
				}
			}
			if games.Action(c["action"][i]) != turn.Action() || c["behaviour"][i] != turn.Picks[0].LogProb ||
				c["advantage"][i] != turn.Advantage || c["real"][i] != 1 {
				r.Fatalf("turn %d: other numbers in the batch", i)
			}
			distinct[fmt.Sprint(encoded)] = true
		}
		if b.Rows != len(distinct) || b.Turns != count {
			r.Fatalf("%d turns at %d rows, want %d and %d", b.Turns, b.Rows, count, len(distinct))
		}
		for i := count; i < padded; i++ {
			row := int(c["row"][i])
			if c["real"][i] != 0 || c["advantage"][i] != 0 || c["behaviour"][i] != 0 || c["mask"][row*actions+int(c["action"][i])] != 1 {
				r.Fatalf("padding turn %d weighs %g, picks action %g of row %d", i, c["real"][i], c["action"][i], row)
			}
		}
		for row := range rows {
			if !slices.Contains(c["mask"][row*actions:][:actions], 1) {
				r.Fatalf("row %d has no legal action", row)
			}
		}
	})
}

// unreadable are steps that no network of Kuhn poker can learn from, made from one that
// it can.
func unreadable(good *policy.Step) map[string]*policy.Step {
	with := func(change func(s *policy.Step, p *policy.Pick)) *policy.Step {
		s := *good
		s.Picks = slices.Clone(good.Picks)
		change(&s, &s.Picks[0])
		return &s
	}
	return map[string]*policy.Step{
		"two picks":     with(func(s *policy.Step, p *policy.Pick) { s.Picks = append(s.Picks, *p) }),
		"no pick":       with(func(s *policy.Step, _ *policy.Pick) { s.Picks = nil }),
		"another input": with(func(s *policy.Step, _ *policy.Pick) { s.Input = "a text" }),
		"no input":      with(func(s *policy.Step, _ *policy.Pick) { s.Input = nil }),
		"another game":  with(func(s *policy.Step, _ *policy.Pick) { s.Input = make(policy.Encoded, 27) }),
		"no actions":    with(func(_ *policy.Step, p *policy.Pick) { p.Allowed = nil }),
		"not allowed":   with(func(_ *policy.Step, p *policy.Pick) { p.Token, p.Allowed = 1, []games.Action{0} }),
		"beyond":        with(func(_ *policy.Step, p *policy.Pick) { p.Allowed = append(slices.Clone(p.Allowed), 2) }),
		"negative":      with(func(_ *policy.Step, p *policy.Pick) { p.Allowed = append(slices.Clone(p.Allowed), -1) }),
	}
}

func TestPackRefuses(t *testing.T) {
	game := newGame(t, "kuhn_poker")
	m := newModel(t, backendtest.Open(t, backend.Go), game, architectures[0].arch)
	good, err := m.Observe(decisions(game.Start(), 1)[0], 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Pack(nil); err == nil || err.Error() != "a batch without turns" {
		t.Errorf("no turns: %v", err)
	}
	for name, bad := range unreadable(good) {
		_, err := m.Pack([]policy.Turn{{Step: good}, {Step: bad}})
		if err == nil || !strings.HasPrefix(err.Error(), "turn 2: ") || !strings.Contains(err.Error(), ": expected ") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err = m.Pack([]policy.Turn{{Step: unreadable(good)["two picks"]}})
	if want := "turn 1: an input of type policy.Encoded, of 11 numbers, with 2 picks: expected a state of 11 numbers and one pick"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	_, err = m.Pack([]policy.Turn{{Step: unreadable(good)["not allowed"]}})
	if want := "turn 1: a pick of 1 among [0]: expected one of the legal actions, of 2 in all"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	both := []float32{0.5, 0.5}
	for name, targets := range map[string][2][]float32{"none for the second": {both, nil}, "none for the first": {nil, both}, "too few": {{1}, both}, "too many": {both, {0.2, 0.3, 0.5}}} {
		_, err := m.Pack([]policy.Turn{{Step: good, Target: targets[0]}, {Step: good, Target: targets[1]}})
		if err == nil || !strings.Contains(err.Error(), "probabilities: expected one for each of 2 actions") {
			t.Errorf("targets, %s: %v", name, err)
		}
	}
}

// The columns of picks hold those of one turn after the other, and SetByPick replaces
// them, padded with zeros.
func TestColumnsByPick(t *testing.T) {
	d := backendtest.Open(t, backend.Go)
	step := func(logProbs ...float32) policy.Turn {
		s := &policy.Step{}
		for _, x := range logProbs {
			s.Picks = append(s.Picks, policy.Pick{LogProb: x})
		}
		return policy.Turn{Step: s, Return: float32(len(logProbs))}
	}
	in := []policy.Turn{step(-1, -2), step(), step(-3), step(-4, -5, -6)}
	c := policy.Columns{Turns: 4, Picks: 6, PaddedTurns: 5, PaddedPicks: 8}
	c.ByPick("z", in, func(t *policy.Turn, pick int) float32 { return t.Picks[pick].LogProb })
	c.ByTurn("a", in, func(t *policy.Turn) float32 { return t.Return })
	c.Ints("m", []int32{7, 8}, 2, 1)
	b, err := policy.NewBatch(d, c)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if names := b.Names(); !slices.Equal(names, []string{"a", "m", "z"}) {
		t.Errorf("names %v", names)
	}
	want := map[string][]float32{"a": {2, 0, 1, 3, 0}, "m": {7, 8}, "z": {-1, -2, -3, -4, -5, -6, 0, 0}}
	if got := read(t, d, b); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if err := b.SetByPick("z", []float32{1, 2, 3, 4, 5, 6}); err != nil {
		t.Fatal(err)
	}
	want["z"] = []float32{1, 2, 3, 4, 5, 6, 0, 0}
	if got := read(t, d, b); !reflect.DeepEqual(got, want) || d.Live() != 3 {
		t.Errorf("after SetByPick %v in %d arrays, want %v in 3", got, d.Live(), want)
	}
	for _, bad := range []struct {
		name   string
		values []float32
		want   string
	}{
		{"y", make([]float32, 6), "column y: 6 values: expected 6 of a column that the batch has, [a m z]"},
		{"z", make([]float32, 8), "column z: 8 values: expected 6 of a column that the batch has, [a m z]"},
	} {
		if err := b.SetByPick(bad.name, bad.values); err == nil || err.Error() != bad.want {
			t.Errorf("got %v, want %s", err, bad.want)
		}
	}
	// A column that does not fit leaves nothing on the device.
	live := d.Live()
	c.Floats("zz", []float32{1}, 2)
	if _, err := policy.NewBatch(d, c); err == nil || !strings.HasPrefix(err.Error(), "column zz: ") || d.Live() != live {
		t.Errorf("a column of 1 value for 2: %v; %d arrays on the device, expected %d", err, d.Live(), live)
	}
}

// Sum adds up what the picks of each turn have, padding left out, and Spread gives each
// pick what its turn has. Where a turn is one pick, both change nothing.
func TestSumAndSpread(t *testing.T) {
	backendtest.Each(t, func(t *testing.T, d *backendtest.Device) {
		p, err := backend.NewProgram(d, "outputs", func(in []*Node) []*Node {
			o := policy.Outputs{TurnOf: in[0], Picks: in[1], Turns: in[2]}
			single := policy.Outputs{Picks: in[1], Turns: in[2]}
			return []*Node{o.Sum(in[3]), o.Spread(in[2]), single.Sum(in[3]), single.Spread(in[3])}
		})
		if err != nil {
			t.Fatal(err)
		}
		var in []*backend.Tensor
		add := func(x *backend.Tensor, err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
			in = append(in, x)
		}
		add(backend.Upload(d, []int32{0, 0, 2, 1, 2, 2, 0, 2}, 8)) // a turn's picks need not stand together
		add(backend.Upload(d, []float32{1, 1, 1, 1, 1, 1, 0, 0}, 8))
		add(backend.Upload(d, []float32{10, 20, 30, 40}, 4))
		add(backend.Upload(d, []float32{1, 2, 3, 4, 5, 6, 100, 1000}, 8))
		out, err := p.Run(in, 0)
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range [][]float32{{3, 4, 14, 0}, {10, 10, 30, 20, 30, 30, 10, 30}, {1, 2, 3, 4, 5, 6, 100, 1000}, {1, 2, 3, 4, 5, 6, 100, 1000}} {
			if got, err := out[i].Floats(); err != nil || !slices.Equal(got, want) {
				t.Errorf("output %d: %v (%v), want %v", i, got, err, want)
			}
		}
		if err := backend.Free(append(in, out...)); err != nil {
			t.Error(err)
		}
	})
}

func TestPadded(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		n := rapid.IntRange(1, 1<<20).Draw(r, "rows")
		p, err := policy.Padded(n)
		if err != nil || p < n || bits.OnesCount(uint(p)) != 1 || p > max(8, 2*n) || n == 1 && p != 1 {
			r.Fatalf("Padded(%d) = %d, %v", n, p, err)
		}
	})
	if _, err := policy.Padded(1<<20 + 1); err == nil || !strings.Contains(err.Error(), "a batch of 1048577 rows is larger than the largest, 1048576") {
		t.Errorf("too many rows: %v", err)
	}
}

// Sample draws each index with its probability and never one of probability
// zero: chi-squared with 3 degrees of freedom, 16.27 at 0.1%.
func TestSample(t *testing.T) {
	p := []float64{0, 0.5, 0.25, 0.15, 0, 0.1, 0}
	r := rand.New(rand.NewPCG(3, 3))
	const draws = 20000
	counts := make([]float64, len(p))
	for range draws {
		counts[policy.Sample(p, r)]++
	}
	squared := 0.0
	for i, q := range p {
		if q == 0 && counts[i] > 0 {
			t.Errorf("index %d has probability 0 and was drawn %g times", i, counts[i])
		}
		if q > 0 {
			squared += (counts[i] - draws*q) * (counts[i] - draws*q) / (draws * q)
		}
	}
	if squared > 16.27 {
		t.Errorf("chi-squared %g of %v", squared, counts)
	}
	// Probabilities that sum to a little less than one end at the last possible.
	short := []float64{1e-300, 0}
	if got := policy.Sample(short, r); got != 0 {
		t.Errorf("drew %d", got)
	}
}
