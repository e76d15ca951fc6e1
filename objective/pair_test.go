package objective_test

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // graph code reads as formulas
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/agon-rl/agon/objective"
	"github.com/agon-rl/agon/policy/backend"
)

// columns of a pair batch, in the order of pairNodes.
const (
	chosen = iota
	rejected
	chosenReference
	rejectedReference
	chosenLength
	rejectedLength
	chosenQ
	rejectedQ
	chosenVisits
	rejectedVisits
	weight
	columns
)

func pairNodes(in []*Node) objective.Pairs {
	return objective.Pairs{
		Chosen: in[chosen], Rejected: in[rejected], ChosenReference: in[chosenReference], RejectedReference: in[rejectedReference],
		ChosenLength: in[chosenLength], RejectedLength: in[rejectedLength], ChosenQ: in[chosenQ], RejectedQ: in[rejectedQ],
		ChosenVisits: in[chosenVisits], RejectedVisits: in[rejectedVisits], Weight: in[weight],
	}
}

// drawPairs draws a batch whose last pair is padding.
func drawPairs(r *rand.Rand, n int) [][]float64 {
	batch := make([][]float64, columns)
	for c := range batch {
		batch[c] = make([]float64, n)
		for i := range batch[c] {
			switch c {
			case chosenLength, rejectedLength:
				batch[c][i] = float64(1 + r.IntN(9))
			case chosenVisits, rejectedVisits:
				batch[c][i] = float64(r.IntN(30))
			case chosenQ, rejectedQ:
				batch[c][i] = 2*r.Float64() - 1
			case weight:
				batch[c][i] = 1
			default:
				batch[c][i] = -5 * r.Float64()
			}
		}
	}
	batch[weight][n-1] = 0
	return batch
}

// evaluate runs a loss over float64 columns and returns its statistics and the
// gradients for the first two columns.
func evaluatePairs(t testing.TB, b backend.Backend, o objective.Pair, batch [][]float64) (stats, gradChosen, gradRejected []float64) {
	t.Helper()
	exec := MustNewExec(b, func(in []*Node) []*Node {
		loss, stats := o.Loss(pairNodes(in))
		for i, s := range stats {
			stats[i] = Reshape(s, 1)
		}
		return append([]*Node{Concatenate(stats, 0)}, Gradient(loss, in[chosen], in[rejected])...)
	})
	defer exec.Finalize()
	args := make([]any, len(batch))
	for i, c := range batch {
		args[i] = tensors.FromFlatDataAndDimensions(c, len(c))
	}
	out := exec.MustCall(args...)
	return tensors.MustCopyFlatData[float64](out[0]), tensors.MustCopyFlatData[float64](out[1]), tensors.MustCopyFlatData[float64](out[2])
}

func sigma(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

// papers are the losses of one pair as the papers, and TRL's trainers, write
// them.
var papers = map[string]func(p func(column int) float64) float64{
	"dpo": func(p func(int) float64) float64 { return -math.Log(sigma(0.1 * ratios(p))) },
	"cdpo": func(p func(int) float64) float64 {
		x := 0.1 * ratios(p)
		return -0.9*math.Log(sigma(x)) - 0.1*math.Log(sigma(-x))
	},
	"robust-dpo": func(p func(int) float64) float64 {
		x := 0.1 * ratios(p)
		return (-0.9*math.Log(sigma(x)) + 0.1*math.Log(sigma(-x))) / 0.8
	},
	"ipo": func(p func(int) float64) float64 {
		x := (p(chosen)-p(chosenReference))/p(chosenLength) - (p(rejected)-p(rejectedReference))/p(rejectedLength)
		return (x - 5) * (x - 5)
	},
	"hinge": func(p func(int) float64) float64 { return math.Max(0, 1-0.1*ratios(p)) },
	"simpo": func(p func(int) float64) float64 {
		return -math.Log(sigma(2*(p(chosen)/p(chosenLength)-p(rejected)/p(rejectedLength)) - 1))
	},
	"irpo": func(p func(int) float64) float64 {
		return -math.Log(sigma(0.1*ratios(p))) - p(chosen)/p(chosenLength)
	},
	"mcts-dpo": func(p func(int) float64) float64 {
		e := min(p(rejectedVisits)/max(1, p(chosenVisits)+p(rejectedVisits)), 0.5)
		x := 0.1 * ratios(p)
		return -(1-e)*math.Log(sigma(x)) - e*math.Log(sigma(-x))
	},
	"step-apo": func(p func(int) float64) float64 {
		return -math.Log(sigma(0.3*ratios(p) - (p(chosenQ) - p(rejectedQ))))
	},
	"soft-dpo": func(p func(int) float64) float64 {
		label, x := sigma(p(chosenQ)-p(rejectedQ)), ratios(p)
		return -label*math.Log(sigma(x)) - (1-label)*math.Log(sigma(-x))
	},
}

// pairNames are those of papers.
var pairNames = []string{"dpo", "cdpo", "robust-dpo", "ipo", "hinge", "simpo", "irpo", "mcts-dpo", "step-apo", "soft-dpo"}

func ratios(p func(int) float64) float64 {
	return p(chosen) - p(chosenReference) - p(rejected) + p(rejectedReference)
}

// reference is the mean loss of a batch by papers.
func referencePairs(name string, batch [][]float64) float64 {
	sum, count := 0.0, 0.0
	for i := range batch[weight] {
		if batch[weight][i] == 0 {
			continue
		}
		sum += papers[name](func(c int) float64 { return batch[c][i] })
		count++
	}
	return sum / count
}

// Values are the papers', gradients those of finite differences over them.
func TestPairLosses(t *testing.T) {
	onBackends(t, func(t *testing.T, b backend.Backend) {
		for _, name := range pairNames {
			o, err := objective.Named(name)
			if err != nil {
				t.Fatal(err)
			}
			batch := drawPairs(rand.New(rand.NewPCG(1, 2)), 7)
			stats, gradChosen, gradRejected := evaluatePairs(t, b, o, batch)
			want := referencePairs(name, batch)
			if math.Abs(stats[0]-want) > 1e-12*math.Max(1, math.Abs(want)) {
				t.Errorf("%s: loss %.15g, expected %.15g", name, stats[0], want)
			}
			for c, gradient := range [][]float64{gradChosen, gradRejected} {
				for i := range gradient {
					const h = 1e-6
					at := batch[c][i]
					batch[c][i] = at + h
					up := referencePairs(name, batch)
					batch[c][i] = at - h
					down := referencePairs(name, batch)
					batch[c][i] = at
					if slope := (up - down) / (2 * h); math.Abs(gradient[i]-slope) > 1e-7 {
						t.Errorf("%s: column %d, pair %d: gradient %.9g, expected %.9g", name, c, i, gradient[i], slope)
					}
				}
			}
		}
	})
}

// Where policy and reference agree every loss has a value known beforehand, and
// pushes the chosen one up and the rejected one down.
func TestPairLossesAtTheReference(t *testing.T) {
	onBackends(t, func(t *testing.T, b backend.Backend) {
		at := func(o objective.Pair) float64 {
			batch := drawPairs(rand.New(rand.NewPCG(3, 4)), 2)
			batch[chosenReference], batch[rejectedReference] = batch[chosen], batch[rejected]
			batch[chosenQ], batch[rejectedQ] = []float64{0.75, 0}, []float64{-0.25, 0}
			stats, up, down := evaluatePairs(t, b, o, batch)
			if !(up[0] < 0) || !(down[0] > 0) && o.SFT == 0 {
				t.Errorf("%s: gradients %g and %g", o.Name, up[0], down[0])
			}
			return stats[0]
		}
		for text, want := range map[string]float64{
			"dpo": math.Ln2, "dpo(beta=5)": math.Ln2, "cdpo(smoothing=0.3)": math.Ln2, "mcts-dpo": math.Ln2,
			"robust-dpo": math.Ln2, "soft-dpo": math.Ln2, "hinge": 1,
			"ipo(beta=0.25)": 4, "step-apo(alpha=0.5)": -math.Log(sigma(-0.5)), "step-apo(alpha=2)": -math.Log(sigma(-2)),
		} {
			o, err := objective.Named(text)
			if err != nil {
				t.Fatal(err)
			}
			if text == "cdpo(smoothing=0.3)" && o.Smoothing != 0.3 {
				t.Fatalf("%+v", o)
			}
			if got := at(o); math.Abs(got-want) > 1e-12 {
				t.Errorf("%s: %.15g at the reference, expected %.15g", text, got, want)
			}
		}
	})
}

// Numbers far from any that training meets give finite losses and gradients.
func TestPairLossesStayFinite(t *testing.T) {
	onBackends(t, func(t *testing.T, b backend.Backend) {
		for _, name := range pairNames {
			o, err := objective.Named(name)
			if err != nil {
				t.Fatal(err)
			}
			for _, far := range []float64{-1e4, 1e4} {
				batch := drawPairs(rand.New(rand.NewPCG(5, 6)), 3)
				batch[chosen][0], batch[chosenQ][1], batch[chosenVisits][0], batch[rejectedVisits][0] = far, far/10, 0, 0
				stats, up, down := evaluatePairs(t, b, o, batch)
				for _, x := range append(append(stats, up...), down...) {
					if math.IsNaN(x) || math.IsInf(x, 0) {
						t.Errorf("%s: %v %v %v", name, stats, up, down)
						break
					}
				}
			}
		}
	})
}

// Soft labels have the optimum π ∝ π_ref·exp(Q/β), with β = 1·τ.
func TestSoftLabelsHaveTheirOptimum(t *testing.T) {
	onBackends(t, func(t *testing.T, b backend.Backend) {
		o, err := objective.Named("soft-dpo")
		if err != nil {
			t.Fatal(err)
		}
		reference, q := []float64{0.5, 0.3, 0.2}, []float64{0.2, -0.6, 0.9}
		want, sum := make([]float64, 3), 0.0
		for a := range want {
			want[a] = reference[a] * math.Exp(q[a])
			sum += want[a]
		}
		pairs := [][2]int{{0, 1}, {0, 2}, {1, 2}}
		exec := MustNewExec(b, func(logits *Node) []*Node {
			lp := LogSoftmax(logits)
			column := func(of func(pair [2]int) float64) *Node {
				return Const(logits.Graph(), []float64{of(pairs[0]), of(pairs[1]), of(pairs[2])})
			}
			at := func(side int) *Node {
				return Concatenate([]*Node{Slice(lp, AxisElem(pairs[0][side])), Slice(lp, AxisElem(pairs[1][side])), Slice(lp, AxisElem(pairs[2][side]))}, 0)
			}
			one := column(func([2]int) float64 { return 1 })
			loss, _ := o.Loss(objective.Pairs{
				Chosen: at(0), Rejected: at(1), Weight: one, ChosenLength: one, RejectedLength: one, ChosenVisits: one, RejectedVisits: one,
				ChosenReference:   column(func(p [2]int) float64 { return math.Log(reference[p[0]]) }),
				RejectedReference: column(func(p [2]int) float64 { return math.Log(reference[p[1]]) }),
				ChosenQ:           column(func(p [2]int) float64 { return q[p[0]] }),
				RejectedQ:         column(func(p [2]int) float64 { return q[p[1]] }),
			})
			return Gradient(loss, logits)
		})
		defer exec.Finalize()
		logits := []float64{0, 0, 0}
		for range 800 {
			gradient := tensors.MustCopyFlatData[float64](exec.MustCall(tensors.FromFlatDataAndDimensions(logits, 3))[0])
			for a := range logits {
				logits[a] -= 3 * gradient[a]
			}
		}
		got := softmax(logits, []bool{true, true, true})
		for a := range got {
			if math.Abs(got[a]-want[a]/sum) > 1e-6 {
				t.Errorf("action %d: %.9f, expected %.9f", a, got[a], want[a]/sum)
			}
		}
	})
}

func TestListAndKTO(t *testing.T) {
	onBackends(t, func(t *testing.T, b backend.Backend) {
		r := rand.New(rand.NewPCG(7, 8))
		const lists, siblings = 3, 4
		lp, ref, value := make([]float64, lists*siblings), make([]float64, lists*siblings), make([]float64, lists*siblings)
		rank, mask := make([]float64, lists*siblings), make([]float64, lists*siblings)
		weights := []float64{1, 1, 0}
		for i := range lp {
			lp[i], ref[i], value[i], mask[i] = -3*r.Float64(), -3*r.Float64(), 2*r.Float64()-1, 1
		}
		mask[3] = 0 // the first list has three siblings
		value[4] = value[5]
		for i := range lp {
			rank[i] = 1
			for j := i / siblings * siblings; j < (i/siblings+1)*siblings; j++ {
				if mask[j] == 1 && value[j] > value[i] {
					rank[i]++
				}
			}
		}
		o := objective.List{Beta: 0.5}
		reference := func() float64 {
			total := 0.0
			for l := range lists {
				if weights[l] == 0 {
					continue
				}
				sum, pairs := 0.0, 0.0
				for i := l * siblings; i < (l+1)*siblings; i++ {
					for j := l * siblings; j < (l+1)*siblings; j++ {
						if mask[i]*mask[j] == 0 || value[i] <= value[j] {
							continue
						}
						lambda := math.Abs(math.Exp2(value[i])-math.Exp2(value[j])) * math.Abs(1/math.Log2(1+rank[i])-1/math.Log2(1+rank[j]))
						sum -= lambda * math.Log(sigma(0.5*(lp[i]-ref[i]-lp[j]+ref[j])))
						pairs++
					}
				}
				total += sum / pairs
			}
			return total / 2
		}
		exec := MustNewExec(b, func(in []*Node) []*Node {
			loss, _ := o.Loss(objective.Lists{LogProbs: in[0], Reference: in[1], Value: in[2], Rank: in[3], Mask: in[4], Weight: in[5]})
			return []*Node{loss, Gradient(loss, in[0])[0]}
		})
		defer exec.Finalize()
		square := func(x []float64) any { return tensors.FromFlatDataAndDimensions(x, lists, siblings) }
		out := exec.MustCall(square(lp), square(ref), square(value), square(rank), square(mask), tensors.FromFlatDataAndDimensions(weights, lists))
		compare(t, "tpo", tensors.MustCopyFlatData[float64](out[0])[0], tensors.MustCopyFlatData[float64](out[1]), lp, reference)

		kto := objective.KTO{Beta: 0.3, Desirable: 1, Undesirable: 2}
		label, w := []float64{1, 0, 1, 0}, []float64{1, 1, 1, 0}
		for _, kl := range []float64{0.4, -0.4} {
			reference = func() float64 {
				sum := 0.0
				for i := range 3 {
					x := 0.3 * (lp[i] - ref[i] - math.Max(kl, 0))
					if label[i] == 1 {
						sum += 1 - sigma(x)
					} else {
						sum += 2 * (1 - sigma(-x))
					}
				}
				return sum / 3
			}
			exec := MustNewExec(b, func(in []*Node) []*Node {
				loss, _ := kto.Loss(objective.Labelled{LogProb: in[0], Reference: in[1], Desirable: in[2], Weight: in[3], KL: in[4]})
				return []*Node{loss, Gradient(loss, in[0])[0]}
			})
			column := func(x []float64) any { return tensors.FromFlatDataAndDimensions(x, len(x)) }
			out := exec.MustCall(column(lp[:4]), column(ref[:4]), column(label), column(w), kl)
			compare(t, "kto", tensors.MustCopyFlatData[float64](out[0])[0], tensors.MustCopyFlatData[float64](out[1]), lp[:4], reference)
			exec.Finalize()
		}
	})
}

// compare checks a loss against a reference, and its gradient in x against
// finite differences of that.
func compare(t *testing.T, name string, loss float64, gradient, x []float64, reference func() float64) {
	t.Helper()
	if want := reference(); math.Abs(loss-want) > 1e-12 {
		t.Errorf("%s: %.15g, expected %.15g", name, loss, want)
	}
	for i := range x {
		const h = 1e-6
		at := x[i]
		x[i] = at + h
		up := reference()
		x[i] = at - h
		down := reference()
		x[i] = at
		if slope := (up - down) / (2 * h); math.Abs(gradient[i]-slope) > 1e-8 {
			t.Errorf("%s: gradient %d is %.9g, expected %.9g", name, i, gradient[i], slope)
		}
	}
}

func TestBadPairs(t *testing.T) {
	for text, want := range map[string]string{
		"dpoo":                      `"dpoo" is unknown, did you mean "dpo"`,
		"dpo(beta=0)":               "beta=0: expected a number",
		"dpo(beta=x)":               "beta=x: expected a number",
		"cdpo(smoothing=0.7)":       "smoothing=0.7: expected a number from 0 to 0.5",
		"robust-dpo(smoothing=0.5)": "smoothing=0.5: expected 0 to 0.5, less than that for robust-dpo",
		"irpo(sft=-1)":              "sft=-1: expected a number",
		"step-apo(alfa=1)":          `unknown parameter "alfa", did you mean "alpha"`,
		"dpo(beta=0.1":              "not closed|expected NAME",
		"soft-dpo(temperature=-1)":  "temperature=-1",
	} {
		if _, err := objective.Named(text); err == nil || !containsAny(err.Error(), strings.Split(want, "|")) {
			t.Errorf("%s: %v, expected %q", text, err, want)
		}
	}
	for _, o := range []interface{ Validate() error }{objective.List{}, objective.KTO{Beta: 1}, objective.KTO{Desirable: 1}, objective.Pair{Shape: "round", Beta: 1}} {
		if o.Validate() == nil {
			t.Errorf("%+v is taken", o)
		}
	}
}

func containsAny(s string, parts []string) bool {
	for _, p := range parts {
		if strings.Contains(s, p) {
			return true
		}
	}
	return false
}
