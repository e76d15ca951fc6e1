package trainer_test

import (
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/objective"
	"github.com/agon-rl/agon/policy"
	"github.com/agon-rl/agon/policy/backend"
	"github.com/agon-rl/agon/trainer"
)

// lesson is a network with turns to learn from.
type lesson struct {
	model   *policy.Model
	weights *policy.Weights
	turns   []policy.Turn
}

// decisions lists the states where a seat is to move, at most limit of them in
// the order of a depth-first walk.
func decisions(t testing.TB, s games.State, limit int) (out []games.State) {
	t.Helper()
	if s.Turn() >= 0 {
		out = append(out, s)
	}
	for _, a := range s.Actions(nil) {
		if len(out) >= limit {
			break
		}
		next := s.Clone()
		if err := next.Apply(a); err != nil {
			t.Fatal(err)
		}
		out = append(out, decisions(t, next, limit-len(out))...)
	}
	return out
}

// newLesson draws weights of the given scale, and one turn of the network at
// each of at most 30 states.
func newLesson(t testing.TB, b backend.Backend, name string, arch policy.Arch, scale float64) lesson {
	t.Helper()
	game, err := games.New(name)
	if err != nil {
		t.Fatal(err)
	}
	states := decisions(t, game.Start(), 30)
	d := policy.Description{Game: name, Arch: arch}
	if arch.Kind == "table" {
		for _, s := range states {
			d.Keys = append(d.Keys, games.Key(s, s.Turn()))
		}
	}
	m, err := d.Model(b, game)
	if err != nil {
		t.Fatal(err)
	}
	params := slices.Clone(m.Params)
	for i := range params {
		params[i].Scale = scale
	}
	r := rand.New(rand.NewPCG(1, 2))
	l := lesson{model: m, weights: policy.NewWeights(params, r)}
	n, err := m.Network(l.weights)
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	steps, err := n.Act(t.Context(), states, slices.Repeat([]*rand.Rand{r}, len(states)))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range steps {
		l.turns = append(l.turns, policy.Turn{Step: s, Advantage: float32(r.NormFloat64()), Return: float32(r.NormFloat64())})
	}
	return l
}

func (l lesson) batch(t testing.TB) *policy.Batch {
	t.Helper()
	b, err := policy.NewBatch(l.model, l.turns)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

func (l lesson) updater(t testing.TB, o objective.PolicyGradient, opt trainer.Optimizer, copies bool) *trainer.Updater {
	t.Helper()
	u, err := trainer.NewUpdater(l.model, opt, l.weights, copies, trainer.Turns(o, copies))
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func step(t testing.TB, u *trainer.Updater, b *policy.Batch, c trainer.Coefficients) []float32 {
	t.Helper()
	stats, err := u.Step("turns", b, c)
	if err != nil {
		t.Fatal(err)
	}
	return stats
}

var (
	ppo       = objective.PolicyGradient{Name: "ppo", Clip: 0.2}
	reinforce = objective.PolicyGradient{Name: "reinforce"}
	adam      = trainer.Optimizer{Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8}
	all       = trainer.Coefficients{Rate: 0.01, Entropy: 0.1, Magnet: 0.2, Value: 0.5}

	kuhnNet  = policy.Arch{Kind: "mlp", Hidden: []int{5}, Activation: "tanh"}
	boardNet = policy.Arch{Kind: "resnet", Blocks: 1, Channels: 3}
	table    = policy.Arch{Kind: "table"}
)

// flat are all values, tensor after tensor.
func flat(w *policy.Weights) []float32 { return slices.Concat(w.Values...) }

// The optimizer does what the papers say, computed here in float64: three steps
// on gradients that Updater.Gradient reports.
func TestAdam(t *testing.T) {
	l := newLesson(t, goBackend(t), "kuhn_poker", kuhnNet, 0.5)
	b := l.batch(t)
	for name, test := range map[string]struct {
		decay, clip float64
		clipped     bool
	}{
		"plain":                   {},
		"clip that does not bind": {clip: 1e3},
		"clip that binds":         {clip: 1e-2, clipped: true},
		"weight decay":            {decay: 0.1},
		"decay and clip":          {decay: 0.1, clip: 1e-2, clipped: true},
	} {
		t.Run(name, func(t *testing.T) {
			// ε as large as a clipped gradient, so that clipping shows: Adam alone
			// would divide it away.
			o := trainer.Optimizer{Beta1: 0.9, Beta2: 0.99, Epsilon: 1e-2, WeightDecay: test.decay, ClipNorm: test.clip}
			u := l.updater(t, ppo, o, false)
			count := len(flat(l.weights))
			p, m, v := make([]float64, count), make([]float64, count), make([]float64, count)
			for i, x := range flat(l.weights) {
				p[i] = float64(x)
			}
			for k := 1; k <= 3; k++ {
				c := all
				c.Rate = 0.02 / float64(k)
				gradient, err := u.Gradient("turns", b, c)
				if err != nil {
					t.Fatal(err)
				}
				norm := 0.0
				for _, g := range gradient {
					norm += float64(g) * float64(g)
				}
				norm = math.Sqrt(norm)
				shrink := 1.0
				if test.clip > 0 {
					shrink = min(1, test.clip/(norm+1e-6)) // the term keeps it finite where the gradient is 0
				}
				if (shrink < 1) != test.clipped {
					t.Fatalf("a gradient of norm %g and clipping at %g", norm, test.clip)
				}
				for i, g := range gradient {
					g := shrink * float64(g)
					m[i] = o.Beta1*m[i] + (1-o.Beta1)*g
					v[i] = o.Beta2*v[i] + (1-o.Beta2)*g*g
					first, second := m[i]/(1-math.Pow(o.Beta1, float64(k))), v[i]/(1-math.Pow(o.Beta2, float64(k)))
					p[i] -= c.Rate * (first/(math.Sqrt(second)+o.Epsilon) + o.WeightDecay*p[i])
				}
				stats := step(t, u, b, c)
				if got := float64(stats[len(objective.StatNames)]); math.Abs(got-norm) > 1e-5*norm {
					t.Errorf("step %d: norm %g, want %g", k, got, norm)
				}
				s := u.State()
				if s.Steps != uint64(k) {
					t.Errorf("%d steps are counted as %d", k, s.Steps)
				}
				near(t, "weights", flat(s.Weights), p)
				near(t, "first moments", flat(s.First), m)
				near(t, "second moments", flat(s.Second), v)
			}
		})
	}
}

// near compares to six digits of the largest value.
func near(t *testing.T, what string, got []float32, want []float64) {
	t.Helper()
	largest := 0.0
	for _, x := range want {
		largest = max(largest, math.Abs(x))
	}
	for i := range want {
		if !(math.Abs(float64(got[i])-want[i]) <= 2e-6*largest) {
			t.Fatalf("%s[%d]: got %g, want %g", what, i, got[i], want[i])
		}
	}
}

// Gradient is the slope of the loss that Step reports, through network, mask,
// magnet and objective, by central differences in every weight.
func TestGradientIsTheSlope(t *testing.T) {
	b := goBackend(t)
	for _, test := range []struct {
		name, game string
		arch       policy.Arch
		objective  objective.PolicyGradient
		copies     bool
	}{
		{"mlp, ppo, uniform magnet", "kuhn_poker", kuhnNet, ppo, false},
		{"mlp, reinforce, magnet that is a copy", "kuhn_poker", kuhnNet, reinforce, true},
		{"mlp, ppo, illegal actions", "tic_tac_toe", kuhnNet, ppo, false},
		{"table, ppo, magnet that is a copy", "kuhn_poker", table, ppo, true},
		{"resnet, reinforce, uniform magnet", "tic_tac_toe", boardNet, reinforce, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := newLesson(t, b, test.game, test.arch, 0.3)
			batch := l.batch(t)
			u := l.updater(t, test.objective, adam, test.copies)
			if test.copies { // a magnet that is not where the network is
				u.SetMagnet(policy.NewWeights(l.weights.Params, rand.New(rand.NewPCG(9, 9))))
			}
			start := u.State()
			gradient, err := u.Gradient("turns", batch, all)
			if err != nil {
				t.Fatal(err)
			}
			if got := u.State(); !reflect.DeepEqual(got, start) {
				t.Error("asking for the gradient changed the state")
			}
			loss := func(tensor, i int, by float32) float64 {
				moved := start
				moved.Weights = &policy.Weights{Params: start.Weights.Params, Values: slices.Clone(start.Weights.Values)}
				moved.Weights.Values[tensor] = slices.Clone(moved.Weights.Values[tensor])
				moved.Weights.Values[tensor][i] += by
				if err := u.Restore(moved); err != nil {
					t.Fatal(err)
				}
				return float64(step(t, u, batch, all)[0])
			}
			const h = 5e-4 // small, for the kinks of a resnet's relu; not too small for float32
			var wrong, size float64
			k := 0
			for tensor, values := range start.Weights.Values {
				// A large tensor is tested at some of its values.
				for i := range values {
					if i%(1+len(values)/40) == 0 {
						slope := (loss(tensor, i, h) - loss(tensor, i, -h)) / (2 * h)
						wrong += (slope - float64(gradient[k])) * (slope - float64(gradient[k]))
						size += slope * slope
					}
					k++
				}
			}
			if k != len(gradient) || size == 0 {
				t.Fatalf("a gradient of %d values for %d weights", len(gradient), k)
			}
			if part := math.Sqrt(wrong / size); part > 0.02 {
				t.Errorf("gradient and slopes differ by %.2g of their norm", part)
			}
		})
	}
}

// KTO's loss is that of the paper's formula, with z₀ the exact mean KL of the
// policy from the copy at the batch's states.
func TestLabelled(t *testing.T) {
	l := newLesson(t, goBackend(t), "kuhn_poker", kuhnNet, 0.5)
	o := objective.KTO{Beta: 0.7, Desirable: 1, Undesirable: 2}
	u, err := trainer.NewUpdater(l.model, adam, l.weights, true, trainer.Labelled(o))
	if err != nil {
		t.Fatal(err)
	}
	anchor := policy.NewWeights(l.weights.Params, rand.New(rand.NewPCG(9, 9)))
	u.SetMagnet(anchor)
	game, err := games.New("kuhn_poker")
	if err != nil {
		t.Fatal(err)
	}
	states := decisions(t, game.Start(), 30)
	probabilities := func(w *policy.Weights) [][]float64 {
		n, err := l.model.Network(w)
		if err != nil {
			t.Fatal(err)
		}
		defer n.Close()
		out := make([][]float64, len(states))
		for i := range out {
			out[i] = make([]float64, 2)
		}
		if err := n.Probabilities(t.Context(), states, out); err != nil {
			t.Fatal(err)
		}
		return out
	}
	p, q := probabilities(l.weights), probabilities(anchor)
	var pairs []policy.Preference
	kl, want := 0.0, 0.0
	for i := range states {
		legal := l.turns[i].Step.Legal
		pairs = append(pairs, policy.Preference{Encoded: l.turns[i].Step.Encoded, Legal: legal, Chosen: legal[1], Rejected: legal[0]})
		for a := range 2 {
			kl += p[i][a] * math.Log(p[i][a]/q[i][a]) / float64(len(states))
		}
	}
	for i := range states {
		for a, weight := range []float64{o.Undesirable, o.Desirable} {
			x := o.Beta * (math.Log(p[i][a]/q[i][a]) - kl)
			if a == 0 {
				x = -x
			}
			want += weight * (1 - 1/(1+math.Exp(-x))) / float64(2*len(states))
		}
	}
	b, err := policy.NewPreferenceBatch(l.model, pairs)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	stats, err := u.Step("labelled", b, all)
	if err != nil {
		t.Fatal(err)
	}
	if kl == 0 || math.Abs(float64(stats[0])-want) > 1e-5 || math.Abs(float64(stats[1])-kl) > 1e-5 {
		t.Errorf("loss %g and KL %g, expected %g and %g", stats[0], stats[1], want, kl)
	}
}

// A pair's doubt smooths its label as cDPO's setting smooths all; 0 leaves it be.
func TestDoubtSmoothsLabels(t *testing.T) {
	l := newLesson(t, goBackend(t), "kuhn_poker", kuhnNet, 0.5)
	lossOf := func(name string, doubt float32) float32 {
		o, err := objective.Named(name)
		if err != nil {
			t.Fatal(err)
		}
		u, err := trainer.NewUpdater(l.model, adam, l.weights, false, trainer.Preferences(o, false))
		if err != nil {
			t.Fatal(err)
		}
		var pairs []policy.Preference
		for i, turn := range l.turns {
			legal := turn.Step.Legal
			pairs = append(pairs, policy.Preference{
				Encoded: turn.Step.Encoded, Legal: legal, Chosen: legal[1], Rejected: legal[0],
				ChosenLogProb: -0.1 * float32(i), RejectedLogProb: -0.7, Doubt: doubt,
			})
		}
		b, err := policy.NewPreferenceBatch(l.model, pairs)
		if err != nil {
			t.Fatal(err)
		}
		defer b.Close()
		stats, err := u.Step("preferences", b, all)
		if err != nil {
			t.Fatal(err)
		}
		return stats[0]
	}
	plain, smooth := lossOf("dpo(beta=1)", 0), lossOf("cdpo(beta=1,smoothing=0.3)", 0)
	if got := lossOf("dpo(beta=1)", 0.3); got == plain || math.Abs(float64(got-smooth)) > 1e-6 {
		t.Errorf("a doubt of 0.3: loss %g, expected cDPO's %g; without %g", got, smooth, plain)
	}
	if got := lossOf("cdpo(beta=1,smoothing=0.3)", 0.1); math.Abs(float64(got-lossOf("dpo(beta=1)", 0.1))) > 1e-6 {
		t.Errorf("doubt goes before the objective's own label: %g", got)
	}
}

// A state that was saved and restored in another updater goes on to the bit.
func TestRestoreContinues(t *testing.T) {
	l := newLesson(t, goBackend(t), "kuhn_poker", kuhnNet, 0.5)
	b := l.batch(t)
	straight, first := l.updater(t, ppo, adam, true), l.updater(t, ppo, adam, true)
	for range 5 {
		step(t, straight, b, all)
	}
	for range 2 {
		step(t, first, b, all)
	}
	saved := first.State()
	step(t, first, b, all) // what was saved stays as it was
	second := l.updater(t, ppo, adam, true)
	if err := second.Restore(saved); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		step(t, second, b, all)
	}
	if !reflect.DeepEqual(straight.State(), second.State()) {
		t.Error("2 steps, a restoration and 3 steps are not 5 steps")
	}
}

func TestRestoreRefuses(t *testing.T) {
	b := goBackend(t)
	l, other := newLesson(t, b, "kuhn_poker", kuhnNet, 0.5), newLesson(t, b, "tic_tac_toe", kuhnNet, 0.5)
	u := l.updater(t, ppo, adam, true)
	for name, change := range map[string]func(s *trainer.State){
		"weights":        func(s *trainer.State) { s.Weights = other.weights },
		"first moments":  func(s *trainer.State) { s.First = other.weights },
		"second moments": func(s *trainer.State) { s.Second = other.weights },
		"magnet":         func(s *trainer.State) { s.Magnet = other.weights },
	} {
		s := u.State()
		change(&s)
		if err := u.Restore(s); err == nil || !strings.Contains(err.Error(), "where the network has hidden_0/weights [11 5]") {
			t.Errorf("%s of another network: %v", name, err)
		}
	}
	s := u.State()
	s.Magnet = nil
	if err := u.Restore(s); err == nil || !strings.Contains(err.Error(), "magnet") {
		t.Errorf("no magnet: %v", err)
	}
	if _, err := trainer.NewUpdater(l.model, adam, other.weights, false, trainer.Turns(ppo, false)); err == nil {
		t.Error("an updater starts from another network's weights")
	}
	if _, err := trainer.NewUpdater(l.model, adam, l.weights, false, trainer.Turns(objective.PolicyGradient{Name: "ppo"}, false)); err == nil {
		t.Error("an updater takes an objective without a clip")
	}
}

// An update that is not finite is an error that leaves the state as it was, so
// that a run can be saved, mended and resumed.
func TestLossThatIsNotFinite(t *testing.T) {
	l := newLesson(t, goBackend(t), "kuhn_poker", kuhnNet, 0.5)
	good := l.batch(t)
	for name, spoil := range map[string]func(turn *policy.Turn, s *policy.Step){
		"advantage":             func(turn *policy.Turn, _ *policy.Step) { turn.Advantage = float32(math.NaN()) },
		"return":                func(turn *policy.Turn, _ *policy.Step) { turn.Return = float32(math.Inf(1)) },
		"behaviour probability": func(_ *policy.Turn, s *policy.Step) { s.LogProb = -1e30 },
	} {
		t.Run(name, func(t *testing.T) {
			bad := l
			bad.turns = slices.Clone(l.turns)
			record := *bad.turns[3].Step
			bad.turns[3].Step = &record
			spoil(&bad.turns[3], &record)
			u, untouched := l.updater(t, ppo, adam, true), l.updater(t, ppo, adam, true)
			step(t, u, good, all)
			step(t, untouched, good, all)
			_, err := u.Step("turns", bad.batch(t), all)
			if err == nil || !strings.HasPrefix(err.Error(), "update 2: ") || !strings.Contains(err.Error(), "not finite") || strings.Contains(err.Error(), "\n") {
				t.Fatalf("got %v", err)
			}
			if !reflect.DeepEqual(u.State(), untouched.State()) {
				t.Error("the state has changed")
			}
			step(t, u, good, all)
			step(t, untouched, good, all)
			if !reflect.DeepEqual(u.State(), untouched.State()) {
				t.Error("the next update is another one")
			}
		})
	}
}

// Every architecture learns: where one action of each state is always right,
// the network comes to play it, and every tensor takes part.
func TestEveryArchitectureLearns(t *testing.T) {
	b := goBackend(t)
	for _, test := range []struct {
		name, game string
		arch       policy.Arch
	}{
		{"mlp", "kuhn_poker", policy.Arch{Kind: "mlp", Hidden: []int{16}, Activation: "relu"}},
		{"table", "kuhn_poker", table},
		{"resnet", "tic_tac_toe", policy.Arch{Kind: "resnet", Blocks: 1, Channels: 8}},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := newLesson(t, b, test.game, test.arch, 0.1)
			for i := range l.turns {
				s := l.turns[i].Step
				s.Chosen = s.Legal[0]
				l.turns[i].Advantage, l.turns[i].Return = 1, 1
			}
			batch := l.batch(t)
			u := l.updater(t, reinforce, adam, false)
			c := trainer.Coefficients{Rate: 0.05, Value: 1}
			before := step(t, u, batch, c)
			var after []float32
			for range 60 {
				after = step(t, u, batch, c)
			}
			policyLoss, valueLoss := slices.Index(objective.StatNames, "loss_policy"), slices.Index(objective.StatNames, "loss_value")
			if !(before[policyLoss] > 0.5) || !(after[policyLoss] < 0.05) {
				t.Errorf("the cross-entropy went from %g to %g", before[policyLoss], after[policyLoss])
			}
			if !(before[valueLoss] > 0.1) || !(after[valueLoss] < 0.02) {
				t.Errorf("half the squared error of values went from %g to %g", before[valueLoss], after[valueLoss])
			}
			for i, p := range l.model.Params {
				if slices.Equal(u.State().Weights.Values[i], l.weights.Values[i]) {
					t.Errorf("%s did not move", p.Name)
				}
			}
		})
	}
}
