package policy_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // graph code reads as formulas

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/policy"
	"github.com/agon-rl/agon/policy/backend"
	"github.com/agon-rl/agon/policy/backend/backendtest"
)

// outputNames are what outputsOf returns, in the order of the graph.
var outputNames = []string{"log-probability", "entropy", "KL", "value", "real picks", "real turns", "reference", "cross-entropy", "target entropy"}

// outputsOf runs Model.Forward on a batch, by weights and a reference, nil for the uniform
// policy. What there is not of references and targets is left out.
func outputsOf(t testing.TB, w, reference *policy.Weights, m *policy.Model, b *policy.Batch) map[string][]float32 {
	t.Helper()
	var names []string
	n := len(m.Params())
	p, err := backend.NewProgram(m.Device(), "outputs", func(in []*Node) []*Node {
		params, in := policy.Compute(in[:n]), in[n:]
		var other []*Node
		if reference != nil {
			other, in = policy.Compute(in[:n]), in[n:]
		}
		o := m.Forward(params, other, policy.Nodes(b.Names(), in))
		if o.TurnOf != nil {
			t.Error("turns of one pick each have numbers of turns")
		}
		var out []*Node
		for i, x := range []*Node{o.LogProb, o.Entropy, o.KL, o.Value, o.Picks, o.Turns, o.Reference, o.CrossEntropy, o.TargetEntropy} {
			if x != nil {
				names, out = append(names, outputNames[i]), append(out, x)
			}
		}
		return out
	})
	if err != nil {
		t.Fatal(err)
	}
	in := slices.Clone(w.Tensors)
	if reference != nil {
		in = append(in, reference.Tensors...)
	}
	out, err := p.Run(append(in, b.Tensors()...), 0)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string][]float32{}
	for i, x := range out {
		if got[names[i]], err = x.Floats(); err != nil {
			t.Fatal(err)
		}
	}
	if err := backend.Free(out); err != nil {
		t.Error(err)
	}
	return got
}

// softmaxOf is the distribution of logits over the actions given, in float64.
func softmaxOf(logits []float64, allowed []games.Action) []float64 {
	out, sum := make([]float64, len(allowed)), 0.0
	for i, a := range allowed {
		out[i] = math.Exp(logits[a])
		sum += out[i]
	}
	for i := range out {
		out[i] /= sum
	}
	return out
}

// What lessons read of a network is what the formulas say, turn by turn, with a reference
// and without, with targets and without.
func TestOutputsAreTheirFormulas(t *testing.T) {
	backendtest.Each(t, func(t *testing.T, d *backendtest.Device) {
		for _, test := range architectures {
			t.Run(test.name, func(t *testing.T) {
				game := newGame(t, test.game)
				n := network(t, d, game, test.arch)
				m, other := n.Model, draw(t, n.Model, 9)
				r := rand.New(rand.NewPCG(4, 4))
				in := turns(t, n, decisions(game.Start(), 60), 21, r)
				without := outputsOf(t, n.Weights, nil, m, batch(t, m, in))
				for i := range in { // a target of a search: some probabilities are 0
					sum := float32(0)
					in[i].Target = make([]float32, len(in[i].Picks[0].Allowed))
					for j := range in[i].Target {
						in[i].Target[j] = float32(r.IntN(3))
						sum += in[i].Target[j]
					}
					if sum == 0 {
						in[i].Target[0], sum = 1, 1
					}
					for j := range in[i].Target {
						in[i].Target[j] /= sum
					}
				}
				with := outputsOf(t, n.Weights, other, m, batch(t, m, in))
				if len(without) != 6 || len(with) != 9 {
					t.Fatalf("%d outputs without a reference and targets, %d with both", len(without), len(with))
				}
				for i, turn := range in {
					p := turn.Picks[0]
					logits, value := plain(t, m, n.Weights, turn.Input.(policy.Encoded))
					otherLogits, _ := plain(t, m, other, turn.Input.(policy.Encoded))
					pi, mu := softmaxOf(logits, p.Allowed), softmaxOf(otherLogits, p.Allowed)
					chosen := slices.Index(p.Allowed, p.Token)
					want := map[string]float64{"log-probability": math.Log(pi[chosen]), "value": value, "real picks": 1, "real turns": 1}
					uniformKL := 0.0
					for j, q := range pi {
						want["entropy"] -= q * math.Log(q)
						uniformKL += q * math.Log(q*float64(len(pi)))
						want["KL"] += q * math.Log(q/mu[j])
						if target := float64(turn.Target[j]); target > 0 {
							want["cross-entropy"] -= target * math.Log(q)
							want["target entropy"] -= target * math.Log(target)
						}
					}
					want["reference"] = math.Log(mu[chosen])
					check := func(name string, got []float32, want float64) {
						t.Helper()
						if len(got) != 32 || !(math.Abs(float64(got[i])-want) <= 1e-4*(1+math.Abs(want))) {
							t.Fatalf("turn %d of %d: %s %g, expected %g", i, len(got), name, got[i], want)
						}
					}
					for name, got := range with {
						check(name, got, want[name])
					}
					want["KL"] = uniformKL
					for name, got := range without {
						check(name+" without a reference", got, want[name])
					}
				}
				for name, got := range with { // padding: finite, and known as such
					for i := len(in); i < len(got); i++ {
						if name == "real picks" && got[i] != 0 || name == "real turns" && got[i] != 0 || math.IsNaN(float64(got[i])) || math.IsInf(float64(got[i]), 0) {
							t.Fatalf("padding turn %d: %s %g", i, name, got[i])
						}
					}
				}
			})
		}
	})
}
