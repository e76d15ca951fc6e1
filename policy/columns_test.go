package policy_test

import (
	"fmt"
	"math/bits"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/tensors"
	"pgregory.net/rapid"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/policy"
	"github.com/agon-rl/agon/policy/backend"
)

// columns are a batch's tensors in plain slices.
type columns struct {
	states, mask                           []float32
	row, action                            []int32
	behaviour, advantage, returned, weight []float32
}

func read(b *policy.Batch) columns {
	floats := func(i int) []float32 { return tensors.MustCopyFlatData[float32](b.Tensors()[i]) }
	ints := func(i int) []int32 { return tensors.MustCopyFlatData[int32](b.Tensors()[i]) }
	return columns{floats(0), floats(1), ints(2), ints(3), floats(4), floats(5), floats(6), floats(7)}
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
	game := newGame(t, "kuhn_poker")
	for _, arch := range []policy.Arch{architectures[0].arch, {Kind: "table"}} {
		n := network(t, open(t, backend.Go), game, arch)
		b, err := policy.NewBatch(n.Model, turns(t, n, decisions(game.Start(), 100), 1000, rand.New(rand.NewPCG(1, 1))))
		if err != nil {
			t.Fatal(err)
		}
		if b.Rows != 12 || b.Turns != 1000 {
			t.Errorf("%s: %d turns at %d states", arch.Kind, b.Turns, b.Rows)
		}
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	}
}

// Whatever the turns, each finds its own state, legal actions and numbers in
// the batch, and padding weighs nothing and breaks nothing.
func TestBatch(t *testing.T) {
	game := newGame(t, "tic_tac_toe")
	n := network(t, open(t, backend.Go), game, architectures[1].arch)
	all := decisions(game.Start(), 300)
	width, actions := n.Model.Encoder.Size(), n.Model.Info.Actions
	rapid.Check(t, func(r *rapid.T) {
		count := rapid.IntRange(1, 70).Draw(r, "turns")
		from := rapid.IntRange(1, len(all)).Draw(r, "states")
		in := turns(t, n, all[:from], count, rand.New(rand.NewPCG(rapid.Uint64().Draw(r, "seed"), 1)))
		b, err := policy.NewBatch(n.Model, in)
		if err != nil {
			r.Fatal(err)
		}
		defer b.Close()
		c := read(b)
		rows, padded := len(c.mask)/actions, len(c.row)
		if len(c.states) != rows*width || len(b.Tensors()) != policy.TurnTensors {
			r.Fatalf("%d rows, %d values", rows, len(c.states))
		}
		for _, column := range [][]float32{c.behaviour, c.advantage, c.returned, c.weight} {
			if len(column) != padded {
				r.Fatalf("columns of %d and %d turns", len(column), padded)
			}
		}
		distinct := map[string]bool{}
		for i, turn := range in {
			row := int(c.row[i])
			if !slices.Equal(c.states[row*width:][:width], turn.Step.Encoded) {
				r.Fatalf("turn %d: row %d holds another state", i, row)
			}
			for a := range actions {
				if legal := slices.Contains(turn.Step.Legal, games.Action(a)); legal != (c.mask[row*actions+a] == 1) {
					r.Fatalf("turn %d: action %d is legal: %t, mask %g", i, a, legal, c.mask[row*actions+a])
				}
			}
			if games.Action(c.action[i]) != turn.Step.Chosen || c.behaviour[i] != turn.Step.LogProb ||
				c.advantage[i] != turn.Advantage || c.returned[i] != turn.Return || c.weight[i] != 1 {
				r.Fatalf("turn %d: other numbers in the batch", i)
			}
			distinct[fmt.Sprint(turn.Step.Encoded)] = true
		}
		if b.Rows != len(distinct) || b.Turns != count {
			r.Fatalf("%d turns at %d rows, want %d and %d", b.Turns, b.Rows, count, len(distinct))
		}
		for i := count; i < padded; i++ {
			row := int(c.row[i])
			if c.weight[i] != 0 || c.mask[row*actions+int(c.action[i])] != 1 {
				r.Fatalf("padding turn %d: weight %g, action %d of row %d", i, c.weight[i], c.action[i], row)
			}
		}
		for row := range rows {
			if !slices.Contains(c.mask[row*actions:][:actions], 1) {
				r.Fatalf("row %d has no legal action", row)
			}
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

func TestEmptyBatch(t *testing.T) {
	game := newGame(t, "kuhn_poker")
	n := network(t, open(t, backend.Go), game, architectures[0].arch)
	if _, err := policy.NewBatch(n.Model, nil); err == nil {
		t.Error("a batch without turns is made")
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
