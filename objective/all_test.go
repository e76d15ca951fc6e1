package objective_test

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // graph code reads as formulas
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/agon-rl/agon/objective"
	"github.com/agon-rl/agon/policy/backend"
)

// variants are settings that change the formula, beside all names as they are.
var variants = []string{
	"dpo(smoothing=0.2,gamma=0.3,alpha=0.4,sft=0.5)", "dpo(base=\"0.3,0.7\")", "dpo(sft=0.5,sft_by=tokens)", "dpo(ld_alpha=0.3)",
	"hinge(beta=2,smoothing=0.1)", "hinge(divergence=js)", "ipo(normalize=false)", "ipo(divergence=alpha,divergence_alpha=0.3)", "ipo(gamma=0.2)",
	"sigmoid-norm(divergence=js)", "exo(smoothing=0.3)", "exo(smoothing=0,trl=0.19)", "discopop(beta=1,tau=0.5)", "discopop(beta=1,tau=3)",
	"f-dpo(divergence=forward_kl)", "f-dpo(divergence=alpha,divergence_alpha=1.8)", "f-dpo(divergence=alpha,divergence_alpha=1)",
	"gpo-generalized(convex=logistic)", "gpo-generalized(convex=hinge)", "gpo-generalized(convex=exponential)", "gpo-generalized(convex=truncated)",
	"gpo-generalized(convex=savage)", "simpo(sft=0.3)", "alphapo(alpha=-0.4)", "alphapo(alpha=0)", "cpo(loss=hinge)", "cpo(alpha=0.1)", "orpo(beta=2)", "orpo(sft=0)",
	"kto(kl=0.4,desirable_weight=2)", "bco(delta=0.3)", "bco(trl=0.19)", "aot(smoothing=0.2)", "aot-unpaired(smoothing=0.2)", "sft(sft_by=answer)", "mpo(beta=1)",
	"step-apo(alpha=0.5)", "soft-dpo(temperature=2)", "spin(loss=hinge)", "mnpo(weights=\"1,0.5,2\",eta=0.5)", "inpo(eta=0.5,ratio=0.8)", "online-ipo(beta=2)",
	"sppo(beta=0.5)", "sppo-hard(beta=2)", "gpo-preference(beta=1)", "dno(eta=2)", "srpo-robust(beta=1)", "rpo-regularized(eta=3)", "rpo-reward-aware(distance=sq)", "rpo-reward-aware(distance=rpo_fwd_kl,eta=3)",
	"rpo-reward-aware(eta=2)", "hypo-hybrid(lambda=2)", "selm(alpha=3)", "vpo(mode=offline)", "vpo(alpha=2,mode=offline)", "xpo(alpha=2)",
	"apo-accelerated(loss=ipo)", "apo-accelerated(loss=sppo,beta=1)", "tpo-triple(loss=hinge)", "tpo-l(beta=2,smoothing=0.1)",
}

// pairObjectives are all names of pairs, and the variants.
func pairObjectives(t testing.TB) map[string]objective.Pair {
	t.Helper()
	out := map[string]objective.Pair{}
	for _, e := range objective.Entries() {
		o, err := objective.Get(e.Name)
		if err != nil {
			t.Fatal(err)
		}
		if !o.OfLists() {
			out[e.Name] = o.Pair
		}
	}
	for _, text := range variants {
		o, err := objective.Named(text)
		if err != nil {
			t.Fatal(err)
		}
		out[text] = o
	}
	return out
}

// compiled are those of pairObjectives that a backend is tried on: XLA, which takes
// a second to compile one, gets every sixth.
func compiled(t testing.TB) map[string]objective.Pair {
	t.Helper()
	all := pairObjectives(t)
	if !strings.Contains(t.Name(), "xla") {
		return all
	}
	out := map[string]objective.Pair{}
	for i, name := range slices.Sorted(maps.Keys(all)) {
		if i%6 == 0 {
			out[name] = all[name]
		}
	}
	return out
}

// drawSequence draws an answer of up to five tokens with references.
func drawSequence(r *rand.Rand, references int) objective.Sequence {
	n := 1 + r.IntN(5)
	tokens := func() []float64 {
		out := make([]float64, n)
		for i := range out {
			out[i] = -0.01 - r.ExpFloat64()
		}
		return out
	}
	s := objective.Sequence{LogP: tokens()}
	for range max(1, references) {
		s.Ref = append(s.Ref, tokens())
	}
	return s
}

// drawExamples draws a batch with all that the objective takes.
func drawExamples(r *rand.Rand, o objective.Pair, n int) []objective.Preference {
	out := make([]objective.Preference, n)
	for i := range out {
		extra := drawSequence(r, len(o.Base))
		out[i] = objective.Preference{
			Chosen: drawSequence(r, len(o.Base)), Rejected: drawSequence(r, len(o.Base)), Extra: &extra,
			Q: &[2]float64{r.Float64(), r.Float64()}, N: &[2]float64{float64(r.IntN(20)), float64(r.IntN(20))},
		}
		if strings.HasPrefix(o.Name, "vpo") && o.Pessimism {
			out[i].Extra = nil
		}
		// Where there is a place for them.
		for field, value := range map[string]float64{"target": 0.05 + 0.9*r.Float64(), "margin": r.Float64() - 0.3, "weight": 0.2 + r.Float64()} {
			with := out[i]
			switch field {
			case "target":
				if i%2 == 0 { // the other pairs' labels are the objective's own
					continue
				}
				with.Target = &value
			case "margin":
				with.Margin = &value
			case "weight":
				with.Weight = &value
			}
			if _, err := o.Evaluate([]objective.Preference{with}); err == nil {
				out[i] = with
			}
		}
	}
	return out
}

// sum reduces tokens as the graph is given them.
func sum(o objective.Pair, x []float64, shared int) float64 {
	total := 0.0
	for t, v := range x {
		if t >= shared {
			v *= 1 - o.Excess
		}
		total += v
	}
	return total
}

// graphOf evaluates the compiled form on a batch followed by a pair of padding, and
// returns its loss and gradients as Evaluate gives them.
func graphOf(t testing.TB, device backend.Backend, o objective.Pair, batch []objective.Preference, dtype dtypes.DType) (loss float64, grads []objective.Push) {
	t.Helper()
	references := max(1, len(o.Base))
	var columns [][]float64
	column := func(of func(e objective.Preference) float64) int {
		c := make([]float64, len(batch)+1)
		for i, e := range batch {
			c[i] = of(e)
		}
		c[len(batch)] = -3.5 // padding
		columns = append(columns, c)
		return len(columns) - 1
	}
	or := func(given *float64, fallback float64) float64 {
		if given == nil {
			return fallback
		}
		return *given
	}
	third := batch[0].Extra != nil
	sides := []func(e objective.Preference) (s objective.Sequence, shared int){
		func(e objective.Preference) (objective.Sequence, int) { return e.Chosen, len(e.Rejected.LogP) },
		func(e objective.Preference) (objective.Sequence, int) { return e.Rejected, len(e.Chosen.LogP) },
		func(e objective.Preference) (objective.Sequence, int) { return *e.Extra, math.MaxInt },
	}
	if !third {
		sides = sides[:2]
	}
	logp, length, refs := make([]int, 3), make([]int, 3), make([][]int, 3)
	for s, side := range sides {
		logp[s] = column(func(e objective.Preference) float64 { q, n := side(e); return sum(o, q.LogP, n) })
		length[s] = column(func(e objective.Preference) float64 { q, _ := side(e); return float64(len(q.LogP)) })
		for k := range references {
			refs[s] = append(refs[s], column(func(e objective.Preference) float64 { q, n := side(e); return sum(o, q.Ref[k], n) }))
		}
	}
	q := []int{column(func(e objective.Preference) float64 { return e.Q[0] }), column(func(e objective.Preference) float64 { return e.Q[1] })}
	n := []int{column(func(e objective.Preference) float64 { return e.N[0] }), column(func(e objective.Preference) float64 { return e.N[1] })}
	weight := column(func(objective.Preference) float64 { return 1 })
	columns[weight][len(batch)] = 0
	margin := column(func(e objective.Preference) float64 { return or(e.Margin, 0) })
	factor := column(func(e objective.Preference) float64 { return or(e.Weight, 1) })
	target := -1
	if batch[0].Target != nil {
		target = column(func(e objective.Preference) float64 { return *e.Target })
		columns[target][len(batch)] = 0.5
	}

	exec := MustNewExec(device, func(given []*Node) []*Node {
		in := make([]*Node, len(given))
		for i := range in {
			in[i] = ConvertDType(given[i], dtype)
		}
		mixed := func(s int) *Node {
			nodes := make([]*Node, references)
			for k := range nodes {
				nodes[k] = in[refs[s][k]]
			}
			return o.Mix(nodes...)
		}
		p := objective.Pairs{
			Chosen: in[logp[0]], Rejected: in[logp[1]], ChosenReference: mixed(0), RejectedReference: mixed(1),
			ChosenLength: in[length[0]], RejectedLength: in[length[1]], ChosenQ: in[q[0]], RejectedQ: in[q[1]],
			ChosenVisits: in[n[0]], RejectedVisits: in[n[1]], Weight: in[weight], Margin: in[margin], Factor: in[factor],
		}
		of := []*Node{given[logp[0]], given[logp[1]]}
		if third {
			p.Extra, p.ExtraReference, p.ExtraLength = in[logp[2]], mixed(2), in[length[2]]
			of = append(of, given[logp[2]])
		}
		if target >= 0 {
			p.Target = in[target]
		}
		loss, _ := o.Loss(p)
		return append([]*Node{ConvertDType(loss, dtypes.Float64)}, Gradient(loss, of...)...)
	})
	defer exec.Finalize()
	args := make([]any, len(columns))
	for i, c := range columns {
		args[i] = tensors.FromFlatDataAndDimensions(c, len(c))
	}
	out := exec.MustCall(args...)
	loss = tensors.ToScalar[float64](out[0])
	grads = make([]objective.Push, len(batch))
	for s := range sides {
		g := tensors.MustCopyFlatData[float64](out[s+1])
		for i := range grads {
			v := g[i]
			if o.PerToken {
				v *= columns[length[s]][i]
			}
			switch s {
			case 0:
				grads[i].Chosen = v
			case 1:
				grads[i].Rejected = v
			case 2:
				grads[i].Extra = v
			}
		}
		if pad := g[len(batch)]; pad != 0 && !math.IsNaN(pad) {
			t.Errorf("%s: padding has gradient %g", o.Name, pad)
		}
	}
	return loss, grads
}

// The compiled graph and the closed form are one formula.
func TestGraphsAreTheClosedForm(t *testing.T) {
	onBackends(t, func(t *testing.T, device backend.Backend) {
		worst := 0.0
		for name, o := range compiled(t) {
			r := rand.New(rand.NewPCG(11, 12))
			batch := drawExamples(r, o, 5)
			if len(o.Parts) > 0 { // whose parts have no place for some
				for i := range batch {
					batch[i].Target, batch[i].Margin = nil, nil
				}
			}
			for _, half := range [][]objective.Preference{alternate(batch, 0), alternate(batch, 1)} {
				want, err := o.Evaluate(half)
				if err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				loss, grads := graphOf(t, device, o, half, dtypes.Float64)
				near := func(what string, got, want float64) {
					d := math.Abs(got-want) / math.Max(1, math.Abs(want))
					if worst = math.Max(worst, d); !(d <= 1e-9) {
						t.Errorf("%s: %s: graph %.12g, closed form %.12g", name, what, got, want)
					}
				}
				near("loss", loss, want.Loss)
				for i, g := range grads {
					near("gradient of chosen", g.Chosen, want.Grads[i].Chosen)
					near("gradient of rejected", g.Rejected, want.Grads[i].Rejected)
					near("gradient of extra", g.Extra, want.Grads[i].Extra)
				}
			}
		}
		t.Logf("%d objectives and variants, largest relative difference %.2g", len(compiled(t)), worst)
	})
}

// alternate takes every second example; those with a target have one throughout.
func alternate(batch []objective.Preference, from int) []objective.Preference {
	var out []objective.Preference
	for i := from; i < len(batch); i += 2 {
		out = append(out, batch[i])
	}
	return out
}

// shiftable are objectives with a shift of the batch that takes no gradient, which
// finite differences see.
func shiftable(o objective.Pair) bool { return o.DeltaOf == "batch" }

// Gradients are the slopes of the losses.
func TestGradientsAreSlopes(t *testing.T) {
	worst := 0.0
	for name, o := range pairObjectives(t) {
		if shiftable(o) {
			continue
		}
		r := rand.New(rand.NewPCG(21, 22))
		batch := drawExamples(r, o, 4)
		if o.Shape == "kto" {
			for i := range batch {
				batch[i].Extra = nil
			}
		}
		got, err := o.Evaluate(batch)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for i := range batch {
			sides := map[*objective.Sequence]float64{&batch[i].Chosen: got.Grads[i].Chosen, &batch[i].Rejected: got.Grads[i].Rejected}
			if batch[i].Extra != nil {
				sides[batch[i].Extra] = got.Grads[i].Extra
			}
			for s, gradient := range sides {
				if o.PerToken || len(o.Parts) > 0 {
					gradient = perToken(o, gradient, len(s.LogP))
				}
				const h = 1e-5
				at := s.LogP[0]
				s.LogP[0] = at + h
				up, _ := o.Evaluate(batch)
				s.LogP[0] = at - h
				down, _ := o.Evaluate(batch)
				s.LogP[0] = at
				slope := (up.Loss - down.Loss) / (2 * h)
				d := math.Abs(gradient-slope) / math.Max(1, math.Abs(slope))
				if worst = math.Max(worst, d); !(d < 1e-6) {
					t.Errorf("%s: pair %d: gradient %.9g, slope %.9g", name, i, gradient, slope)
				}
			}
		}
	}
	t.Logf("largest relative difference %.2g", worst)
}

// perToken is the gradient in one token of one in the reduced log-probability.
func perToken(o objective.Pair, gradient float64, tokens int) float64 {
	if o.PerToken {
		return gradient / float64(tokens)
	}
	return gradient
}

// farBatches are batches of which one side is far from any that training meets.
func farBatches(o objective.Pair, fars ...float64) [][]objective.Preference {
	var out [][]objective.Preference
	for _, far := range fars {
		for side := range 5 {
			batch := drawExamples(rand.New(rand.NewPCG(31, 32)), o, 2)
			for i := range batch {
				batch[i].Target, batch[i].Margin = nil, nil
			}
			b := &batch[0]
			at := [][]float64{b.Chosen.LogP, b.Rejected.LogP, b.Chosen.Ref[0], b.Rejected.Ref[0], nil}[side]
			if side == 4 && b.Extra != nil {
				at = b.Extra.LogP
			}
			for k := range at {
				at[k] = far
			}
			out = append(out, batch)
		}
	}
	return out
}

func isFinite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }

// Numbers far from any that training meets give finite losses and gradients, in the
// closed form up to the end of float64.
func TestAllStayFinite(t *testing.T) {
	for name, o := range pairObjectives(t) {
		for _, batch := range farBatches(o, -1e4, 1e4, -1e6, -1e-320, 0, -1e150, 1e150, -1e308, 1e308) {
			got, err := o.Evaluate(batch)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			all := append([]float64{got.Loss}, got.Losses...)
			for _, g := range got.Grads {
				all = append(all, g.Chosen, g.Rejected, g.Extra)
			}
			if slices.ContainsFunc(all, func(x float64) bool { return !isFinite(x) }) {
				t.Errorf("%s: %+v: %v", name, batch[0], all)
			}
		}
	}
}

// So do graphs.
func TestGraphsStayFinite(t *testing.T) {
	onBackends(t, func(t *testing.T, device backend.Backend) {
		for name, o := range compiled(t) {
			// Far pairs stand in one batch, which compiles once.
			var batch []objective.Preference
			for _, b := range farBatches(o, -1e4, 1e4, -1e6, 1e6, 0) {
				batch = append(batch, b[0])
			}
			for _, dtype := range []dtypes.DType{dtypes.Float64, dtypes.Float32} {
				loss, grads := graphOf(t, device, o, batch, dtype)
				for i, g := range grads {
					if !isFinite(loss) || !isFinite(g.Chosen) || !isFinite(g.Rejected) || !isFinite(g.Extra) {
						t.Errorf("%s, %s: pair %d: %g %+v", name, dtype, i, loss, g)
					}
				}
			}
		}
	})
}

// listObjectives are all names of lists.
func listObjectives(t testing.TB) map[string]objective.List {
	t.Helper()
	out := map[string]objective.List{}
	for _, e := range objective.Entries() {
		o, err := objective.Get(e.Name)
		if err != nil {
			t.Fatal(err)
		}
		if o.OfLists() {
			out[e.Name] = o.List
			o.List.Beta, o.List.Temperature = 1.3, 0.7
			out[e.Name+", other settings"] = o.List
		}
	}
	return out
}

func drawLists(r *rand.Rand) []objective.Listing {
	var out []objective.Listing
	for _, n := range []int{4, 2, 3, 4} {
		l := objective.Listing{}
		for range n {
			l.Answers = append(l.Answers, drawSequence(r, 1))
			l.Scores = append(l.Scores, r.Float64())
		}
		out = append(out, l)
	}
	out[0].Scores[1] = out[0].Scores[2]           // two alike
	out[3].Scores = []float64{0.5, 0.5, 0.5, 0.5} // all alike
	return out
}

// Lists: the graph is the closed form, and gradients are slopes.
func TestLists(t *testing.T) {
	onBackends(t, func(t *testing.T, device backend.Backend) {
		for name, o := range listObjectives(t) {
			batch := drawLists(rand.New(rand.NewPCG(41, 42)))
			want, err := o.Evaluate(batch)
			if err != nil {
				t.Fatal(err)
			}
			const lists, width = 5, 4 // the last one is padding
			cells := func(of func(l objective.Listing, k int) float64) []float64 {
				out := make([]float64, lists*width)
				for i, l := range batch {
					for k := range l.Answers {
						out[i*width+k] = of(l, k)
					}
				}
				return out
			}
			total := func(x []float64) float64 { return sum(objective.Pair{}, x, math.MaxInt) }
			square := func(x []float64) any { return tensors.FromFlatDataAndDimensions(x, lists, width) }
			exec := MustNewExec(device, func(in []*Node) []*Node {
				loss, _ := o.Loss(objective.Lists{LogProbs: in[0], Reference: in[1], Value: in[2], Rank: in[3], Mask: in[4], Weight: in[5]})
				return []*Node{loss, Gradient(loss, in[0])[0]}
			})
			out := exec.MustCall(
				square(cells(func(l objective.Listing, k int) float64 { return total(l.Answers[k].LogP) })),
				square(cells(func(l objective.Listing, k int) float64 { return total(l.Answers[k].Ref[0]) })),
				square(cells(func(l objective.Listing, k int) float64 { return l.Scores[k] })),
				square(cells(func(l objective.Listing, k int) float64 {
					rank := 1.0
					for _, s := range l.Scores {
						if s > l.Scores[k] {
							rank++
						}
					}
					return rank
				})),
				square(cells(func(objective.Listing, int) float64 { return 1 })),
				tensors.FromFlatDataAndDimensions([]float64{1, 1, 1, 1, 0}, lists),
			)
			exec.Finalize()
			near := func(what string, got, want, tolerance float64) {
				if !(math.Abs(got-want) <= tolerance*math.Max(1, math.Abs(want))) {
					t.Errorf("%s: %s: %.12g, expected %.12g", name, what, got, want)
				}
			}
			near("loss of the graph", tensors.ToScalar[float64](out[0]), want.Loss, 1e-9)
			g := tensors.MustCopyFlatData[float64](out[1])
			for i, l := range batch {
				for k := range l.Answers {
					near(fmt.Sprintf("gradient of list %d, answer %d", i, k), g[i*width+k], want.Grads[i][k], 1e-9)
					const h = 1e-5
					at := l.Answers[k].LogP[0]
					l.Answers[k].LogP[0] = at + h
					up, err1 := o.Evaluate(batch)
					l.Answers[k].LogP[0] = at - h
					down, err2 := o.Evaluate(batch)
					l.Answers[k].LogP[0] = at
					if err := errors.Join(err1, err2); err != nil {
						t.Fatal(err)
					}
					near("slope", (up.Loss-down.Loss)/(2*h), want.Grads[i][k], 1e-5)
				}
			}
			for _, far := range []float64{-1e4, 1e4, -1e300, 1e300, 1e308} {
				batch := drawLists(rand.New(rand.NewPCG(43, 44)))
				batch[0].Answers[0].LogP[0], batch[1].Scores[0], batch[2].Scores[1] = far, far, -far
				got, err := o.Evaluate(batch)
				if err != nil {
					t.Fatal(err)
				}
				all := append([]float64{got.Loss}, got.Losses...)
				for _, g := range got.Grads {
					all = append(all, g...)
				}
				if slices.ContainsFunc(all, func(x float64) bool { return math.IsNaN(x) || math.IsInf(x, 0) }) {
					t.Errorf("%s: %g: %v", name, far, all)
				}
			}
		}
	})
}
