package objective_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // graph code reads as formulas

	"github.com/agon-rl/agon/objective"
	"github.com/agon-rl/agon/policy"
	"github.com/agon-rl/agon/policy/backend"
	"github.com/agon-rl/agon/policy/backend/backendtest"
	_ "github.com/agon-rl/agon/policy/backend/xla" // opened where AGON_TEST_XLA=1
)

// pick is one pick of a turn, in the plain numbers that the formulas speak of. The
// architecture of these tests is the simplest there is: logits of its own for each pick.
type pick struct {
	logits, magnet []float64 // by action, illegal ones included
	legal          []bool
	target         []float64 // of a search
	token          int
	behaviour      float64 // log-probability when sampled
}

// turn is one turn of a batch.
type turn struct {
	picks      []pick
	advantage  float64
	value, ret float64
	padding    bool
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

// count counts what is no padding.
func count(turns []turn) (picks, ofTurns float64) {
	for _, x := range turns {
		if !x.padding {
			picks, ofTurns = picks+float64(len(x.picks)), ofTurns+1
		}
	}
	return picks, ofTurns
}

// gains are what a turn's picks add to the policy's objective, with their ratios, as the
// papers write them.
func (s setting) gains(x turn) (gains, ratios []float64) {
	mean := 0.0
	for _, p := range x.picks {
		ratios = append(ratios, math.Log(softmax(p.logits, p.legal)[p.token])-p.behaviour)
		mean += ratios[len(ratios)-1] / float64(len(x.picks))
	}
	for i, p := range x.picks {
		if s.SequenceRatio {
			ratios[i] = mean
		}
		ratios[i] = math.Exp(ratios[i])
		gain := math.Log(softmax(p.logits, p.legal)[p.token]) * x.advantage
		if s.Name == "ppo" {
			gain = min(ratios[i]*x.advantage, min(max(ratios[i], 1-s.Clip), 1+s.Clip)*x.advantage)
		}
		gains = append(gains, gain)
	}
	return gains, ratios
}

// divergence is KL(p ‖ q).
func divergence(p, q []float64) (kl float64) {
	for a := range p {
		if p[a] > 0 {
			kl += p[a] * math.Log(p[a]/q[a])
		}
	}
	return kl
}

// entropyOf is −Σ p log p.
func entropyOf(p []float64) (h float64) {
	for _, q := range p {
		if q > 0 {
			h -= q * math.Log(q)
		}
	}
	return h
}

// reference computes the statistics of objective.StatNames turn by turn.
func (s setting) reference(turns []turn) []float64 {
	picks, count := count(turns)
	var gain, square, entropy, magnet, behaviour, clipped float64
	for _, x := range turns {
		if x.padding {
			continue
		}
		gains, ratios := s.gains(x)
		for i, p := range x.picks {
			if s.SequenceMean {
				gain += gains[i] / float64(len(x.picks)) / count
			} else {
				gain += gains[i] / picks
			}
			pi, mu := softmax(p.logits, p.legal), softmax(make([]float64, len(p.logits)), p.legal)
			if s.copies {
				mu = softmax(p.magnet, p.legal)
			}
			entropy += entropyOf(pi) / picks
			magnet += divergence(pi, mu) / picks
			behaviour += (ratios[i] - 1 - math.Log(ratios[i])) / picks
			if s.Name == "ppo" && (ratios[i] < 1-s.Clip || ratios[i] > 1+s.Clip) {
				clipped += 1 / picks
			}
		}
		square += 0.5 * (x.value - x.ret) * (x.value - x.ret) / count
	}
	return []float64{-gain + s.value*square - s.entropy*entropy + s.magnet*magnet, -gain, square, entropy, magnet, behaviour, clipped}
}

// differences is the gradient of a loss for every logit and then every value, by finite
// differences.
func differences(turns []turn, loss func() float64) (logits, values []float64) {
	const h = 1e-6
	central := func(x *float64) float64 {
		at := *x
		*x = at + h
		up := loss()
		*x = at - h
		down := loss()
		*x = at
		return (up - down) / (2 * h)
	}
	for i := range turns {
		for j := range turns[i].picks {
			for a := range turns[i].picks[j].logits {
				logits = append(logits, central(&turns[i].picks[j].logits[a]))
			}
		}
		values = append(values, central(&turns[i].value))
	}
	return logits, values
}

// graphLoss is a loss as package objective has it.
type graphLoss func(out policy.Outputs, c policy.ColumnNodes, k objective.Coefficients) (loss *Node, stats []*Node)

// compile builds the graph of a loss with its gradient, of turns of one pick or several.
// The coefficients are inputs, as in training.
func compile(t *testing.T, d backend.Backend, loss graphLoss, several, copies bool) *backend.Program {
	t.Helper()
	p, err := backend.NewProgram(d, "loss", func(in []*Node) []*Node {
		logits, values, magnet, mask, chosen, target := in[0], in[1], in[2], in[3], in[4], in[5]
		over := func(x *Node) *Node { return ReduceSum(x, -1) }
		masked := func(logits *Node) *Node {
			return LogSoftmax(Add(Mul(logits, mask), MulScalar(AddScalar(mask, -1), 1e9)))
		}
		legal := Mul(masked(logits), mask)
		probs := Mul(Exp(legal), mask)
		out := policy.Outputs{
			LogProb: over(Mul(legal, chosen)), Entropy: Neg(over(Mul(probs, legal))), Value: values,
			CrossEntropy: Neg(over(Mul(target, legal))), TargetEntropy: Neg(over(Mul(target, Log(MaxScalar(target, 1e-30))))),
			Picks: in[6], Turns: in[7],
		}
		out.KL = Sub(Log(over(mask)), out.Entropy)
		if copies {
			out.KL = over(Mul(probs, Sub(legal, Mul(StopGradient(masked(magnet)), mask))))
		}
		if several {
			out.TurnOf = in[8]
		}
		c := policy.ColumnNodes{"behaviour": in[9], "advantage": in[10], "return": in[11]}
		knob := func(i int) *Node { return Reshape(SliceAxis(in[12], 0, AxisElem(i))) }
		k := objective.Coefficients{Entropy: knob(0), Magnet: knob(1), Value: knob(2), Picks: knob(3), Turns: knob(4)}
		total, stats := loss(out, c, k)
		for i := range stats {
			stats[i] = Reshape(stats[i], 1)
		}
		return append([]*Node{Concatenate(stats, 0)}, Gradient(total, logits, values)...)
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// run runs a compiled loss on turns that are a part of a step of so many picks and turns:
// it returns the statistics and the gradient for the logits and the values.
func (s setting) run(t *testing.T, d backend.Backend, p *backend.Program, turns []turn, ofPicks, ofTurns float64) (stats, logits, values []float32) {
	t.Helper()
	byPick := make([][]float32, 10) // in the order of compile
	byTurn := make([][]float32, 12)
	var turnOf []int32
	one := func(yes bool) float32 {
		if yes {
			return 1
		}
		return 0
	}
	add := func(to [][]float32, column int, x float64) { to[column] = append(to[column], float32(x)) }
	actions := len(turns[0].picks[0].logits)
	for i, x := range turns {
		for _, p := range x.picks {
			for a := range actions {
				add(byPick, 0, p.logits[a])
				add(byPick, 2, p.magnet[a])
				add(byPick, 3, float64(one(p.legal[a])))
				add(byPick, 4, float64(one(a == p.token)))
				add(byPick, 5, p.target[a])
			}
			add(byPick, 6, float64(one(!x.padding)))
			add(byPick, 9, p.behaviour)
			if x.padding {
				turnOf = append(turnOf, 0) // padding may point to any turn
			} else {
				turnOf = append(turnOf, int32(i))
			}
		}
		add(byTurn, 1, x.value)
		add(byTurn, 7, float64(one(!x.padding)))
		add(byTurn, 10, x.advantage)
		add(byTurn, 11, x.ret)
	}
	var in []*backend.Tensor
	upload := func(x *backend.Tensor, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		in = append(in, x)
	}
	for i := range 12 {
		switch {
		case i == 8:
			upload(backend.Upload(d, turnOf, len(turnOf)))
		case byTurn[i] != nil:
			upload(backend.Upload(d, byTurn[i], len(turns)))
		case len(byPick[i]) == len(turnOf)*actions:
			upload(backend.Upload(d, byPick[i], len(turnOf), actions))
		default:
			upload(backend.Upload(d, byPick[i], len(turnOf)))
		}
	}
	upload(backend.Upload(d, []float32{float32(s.entropy), float32(s.magnet), float32(s.value), float32(ofPicks), float32(ofTurns)}, 5))
	out, err := p.Run(in, 0)
	if err != nil {
		t.Fatal(err)
	}
	for i, to := range []*[]float32{&stats, &logits, &values} {
		if *to, err = out[i].Floats(); err != nil {
			t.Fatal(err)
		}
	}
	if err := backend.Free(append(in, out...)); err != nil {
		t.Error(err)
	}
	return stats, logits, values
}

// whole is run on turns that are all of a step.
func (s setting) whole(t *testing.T, d backend.Backend, p *backend.Program, turns []turn) (stats, logits, values []float32) {
	t.Helper()
	picks, ofTurns := count(turns)
	return s.run(t, d, p, turns, picks, ofTurns)
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

// sample draws a batch, of turns of at most so many picks, whose ratios lie on both sides
// of PPO's bounds and not within a finite difference of them, where the loss has a kink.
func sample(r *rand.Rand, s setting, turns, picks, actions int) []turn {
	normals := func(n int) []float64 {
		x := make([]float64, n)
		for i := range x {
			x[i] = float64(float32(r.NormFloat64()))
		}
		return x
	}
	draw := func() pick {
		p := pick{logits: normals(actions), magnet: normals(actions), legal: make([]bool, actions), token: r.IntN(actions)}
		for a := range p.legal {
			p.legal[a] = a == p.token || r.Float64() < 0.6
		}
		p.target = softmax(normals(actions), p.legal)
		p.behaviour = float64(float32(math.Log(softmax(p.logits, p.legal)[p.token]) - 0.5*r.NormFloat64()))
		return p
	}
	onKink := func(x turn) bool {
		_, ratios := s.gains(x)
		return slices.ContainsFunc(ratios, func(ratio float64) bool { return math.Abs(math.Abs(ratio-1)-s.Clip) < 0.01 })
	}
	out := make([]turn, turns)
	for i := range out {
		numbers := normals(3)
		x := turn{advantage: numbers[0], value: numbers[1], ret: numbers[2], padding: i >= turns*3/4}
		for len(x.picks) == 0 || onKink(x) {
			x.picks = nil
			for range 1 + r.IntN(picks) {
				x.picks = append(x.picks, draw())
			}
		}
		out[i] = x
	}
	return out
}

var (
	ppo       = objective.PolicyGradient{Name: "ppo", Clip: 0.2}
	reinforce = objective.PolicyGradient{Name: "reinforce"}
	settings  = []setting{
		{PolicyGradient: ppo},
		{PolicyGradient: reinforce},
		{PolicyGradient: reinforce, entropy: 0.3},
		{PolicyGradient: reinforce, magnet: 0.7},
		{PolicyGradient: reinforce, magnet: 0.7, copies: true},
		{PolicyGradient: ppo, value: 0.5},
		{PolicyGradient: objective.PolicyGradient{Name: "ppo", Clip: 0.1}, entropy: 0.1, magnet: 0.2, value: 0.5},
		{PolicyGradient: objective.PolicyGradient{Name: "ppo", Clip: 0.3}, entropy: 0.1, magnet: 0.2, value: 0.5, copies: true},
	}
	// Ratio and mean by token, which is a pick, or by sequence, which is a turn.
	bySequence = []setting{
		{PolicyGradient: objective.PolicyGradient{Name: "ppo", Clip: 0.2}, value: 0.5, entropy: 0.1, magnet: 0.2, copies: true},
		{PolicyGradient: objective.PolicyGradient{Name: "ppo", Clip: 0.2, SequenceRatio: true}, value: 0.5, entropy: 0.1},
		{PolicyGradient: objective.PolicyGradient{Name: "ppo", Clip: 0.2, SequenceMean: true}, value: 0.5, magnet: 0.2},
		{PolicyGradient: objective.PolicyGradient{Name: "ppo", Clip: 0.2, SequenceRatio: true, SequenceMean: true}},
		{PolicyGradient: objective.PolicyGradient{Name: "reinforce"}, value: 1},
		{PolicyGradient: objective.PolicyGradient{Name: "reinforce", SequenceMean: true}, entropy: 0.3},
	}
)

func (s setting) String() string {
	return fmt.Sprintf("%s,entropy=%g,magnet=%g,value=%g,copies=%t", s.PolicyGradient, s.entropy, s.magnet, s.value, s.copies)
}

// testLoss compares a loss and its gradient with the formulas, computed turn by turn in
// float64 and by finite differences; illegal actions and padding have no gradient at all.
func testLoss(t *testing.T, d backend.Backend, s setting, turns []turn, several bool) {
	t.Helper()
	wantLogits, wantValues := differences(turns, func() float64 { return s.reference(turns)[0] })
	stats, logits, values := s.whole(t, d, compile(t, d, s.Loss, several, s.copies), turns)
	near(t, "statistics", stats, s.reference(turns))
	near(t, "gradient of logits", logits, wantLogits)
	near(t, "gradient of values", values, wantValues)
	at := 0
	for i, x := range turns {
		for _, p := range x.picks {
			for a, legal := range p.legal {
				if g := logits[at]; (x.padding || !legal) && g != 0 {
					t.Errorf("turn %d, padding %t: action %d, legal %t, has gradient %g", i, x.padding, a, legal, g)
				}
				at++
			}
		}
	}
}

// Turns of one pick, such as moves on a board.
func TestLoss(t *testing.T) {
	backendtest.Each(t, func(t *testing.T, d *backendtest.Device) {
		for i, s := range settings {
			t.Run(s.String(), func(t *testing.T) {
				testLoss(t, d, s, sample(rand.New(rand.NewPCG(uint64(i), 1)), s, 24, 1, 5), false)
			})
		}
	})
}

// Turns of several picks, such as answers in words.
func TestLossOfSeveralPicks(t *testing.T) {
	backendtest.Each(t, func(t *testing.T, d *backendtest.Device) {
		for i, s := range bySequence {
			t.Run(s.String(), func(t *testing.T) {
				testLoss(t, d, s, sample(rand.New(rand.NewPCG(uint64(i), 2)), s, 8, 4, 3), true)
			})
		}
	})
}

// Of a turn of two picks, with the ratios 1.5 and 0.5 and the advantage 1, and one of a
// pick with the ratio 2 and the advantage −1, at a clip of 0.2:
//
//	by token     gains min(1.5, 1.2) = 1.2,  min(0.5, 0.8) = 0.5,  min(−2, −1.2) = −2
//	by sequence  the ratios of the first turn are both √(1.5·0.5) = 0.8660
func TestLossByHand(t *testing.T) {
	withRatio := func(ratio float64) pick { // of two equal actions
		return pick{
			logits: []float64{0, 0}, magnet: []float64{0, 0}, legal: []bool{true, true}, target: []float64{0, 1},
			token: 1, behaviour: math.Log(0.5 / ratio),
		}
	}
	turns := []turn{
		{picks: []pick{withRatio(1.5), withRatio(0.5)}, advantage: 1, value: 3, ret: 1},
		{picks: []pick{withRatio(2)}, advantage: -1},
	}
	k3 := func(ratio float64) float64 { return ratio - 1 - math.Log(ratio) }
	root := math.Sqrt(0.75)
	perToken, perTurn := (k3(1.5)+k3(0.5)+k3(2))/3, (2*k3(root)+k3(2))/3
	backendtest.Each(t, func(t *testing.T, d *backendtest.Device) {
		for _, test := range []struct {
			text                       string
			policy, behaviour, clipped float64
		}{
			{"ppo(clip=0.2)", -(1.2 + 0.5 - 2) / 3, perToken, 1}, // all three ratios are out of bounds
			{"ppo(clip=0.2,mean=sequence)", -((1.2+0.5)/2 - 2) / 2, perToken, 1},
			{"ppo(clip=0.2,ratio=sequence)", -(2*root - 2) / 3, perTurn, 1. / 3},
			{"ppo(clip=0.2,ratio=sequence,mean=sequence)", -(root - 2) / 2, perTurn, 1. / 3},
			{"reinforce", -(2 - 1) * math.Log(0.5) / 3, perToken, 0},
			{"reinforce(mean=sequence)", 0, perToken, 0}, // log ½ once with the advantage 1, once with −1
		} {
			o, err := objective.ParsePolicyGradient(test.text)
			if err != nil {
				t.Fatal(err)
			}
			s := setting{PolicyGradient: o, value: 0.5, entropy: 0.1}
			const square = 0.5 * (2*2 + 0) / 2 // the mean is over turns, whatever picks they have
			want := []float64{test.policy + 0.5*square - 0.1*math.Ln2, test.policy, square, math.Ln2, 0, test.behaviour, test.clipped}
			stats, _, _ := s.whole(t, d, compile(t, d, s.Loss, true, false), turns)
			near(t, test.text, stats, want)
			near(t, test.text+", our own formulas", stats, s.reference(turns))
		}
	})
}

// A turn of one pick is the same whether its picks are numbered or not.
func TestOnePickIsASequence(t *testing.T) {
	d := backendtest.Open(t, backend.Go)
	for _, s := range append(slices.Clone(settings), bySequence...) {
		turns := sample(rand.New(rand.NewPCG(8, 8)), s, 12, 1, 3)
		stats, logits, values := s.whole(t, d, compile(t, d, s.Loss, false, s.copies), turns)
		stats2, logits2, values2 := s.whole(t, d, compile(t, d, s.Loss, true, s.copies), turns)
		for i, x := range slices.Concat(stats2, logits2, values2) {
			if y := slices.Concat(stats, logits, values)[i]; math.Abs(float64(x-y)) > 1e-6 {
				t.Errorf("%s: number %d is %g with turns of one pick, %g with picks of turns", s, i, y, x)
			}
		}
	}
}

// What stands in padding turns changes nothing, not even a bit.
func TestPadding(t *testing.T) {
	backendtest.Each(t, func(t *testing.T, d *backendtest.Device) {
		check := func(s setting, loss graphLoss, picks int) {
			t.Helper()
			p := compile(t, d, loss, picks > 1, s.copies)
			turns := sample(rand.New(rand.NewPCG(5, 5)), s, 16, 1, 4)
			other := sample(rand.New(rand.NewPCG(6, 6)), s, 16, 1, 4)
			if picks > 1 { // the first 12 turns are real
				turns[2].picks = append(turns[2].picks, turns[3].picks...)
				turns[7].picks = append(turns[7].picks, turns[2].picks...)
			}
			stats, logits, values := s.whole(t, d, p, turns)
			for i := range turns {
				if turns[i].padding {
					turns[i] = other[i]
				}
			}
			stats2, logits2, values2 := s.whole(t, d, p, turns)
			if !slices.Equal(stats, stats2) || !slices.Equal(logits, logits2) || !slices.Equal(values, values2) {
				t.Errorf("%s, picks: %d: other padding, other results: %v and %v", s, picks, stats, stats2)
			}
		}
		for _, s := range settings {
			check(s, s.Loss, 1)
		}
		for _, s := range bySequence {
			check(s, s.Loss, 2)
		}
		for _, picks := range []int{1, 2} {
			check(setting{value: 0.5, entropy: 0.1}, objective.Visits{}.Loss, picks)
		}
	})
}

// PPO's gradient ends where the ratio has moved past the bound on the side
// that the advantage pushes to, and only there (Schulman et al. 2017, figure
// 1).
func TestClip(t *testing.T) {
	s := setting{PolicyGradient: ppo}
	backendtest.Each(t, func(t *testing.T, d *backendtest.Device) {
		program := compile(t, d, s.Loss, false, false)
		for _, test := range []struct {
			ratio, advantage float64
			flat             bool
		}{
			{1, 1, false}, {1, -1, false},
			{1.19, 1, false}, {1.21, 1, true}, {1.21, -1, false},
			{0.81, -1, false}, {0.79, -1, true}, {0.79, 1, false},
		} {
			x := pick{logits: []float64{0.3, -0.2}, magnet: []float64{0, 0}, legal: []bool{true, true}, target: []float64{1, 0}}
			p := softmax(x.logits, x.legal)[0]
			x.behaviour = math.Log(p / test.ratio)
			stats, logits, _ := s.whole(t, d, program, []turn{{picks: []pick{x}, advantage: test.advantage}})
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
	backendtest.Each(t, func(t *testing.T, d *backendtest.Device) {
		for _, s := range settings {
			turns := []turn{
				{picks: []pick{{logits: []float64{200, -200, 0}, magnet: []float64{-200, 200, 0}, legal: []bool{true, true, true}, target: []float64{0, 0, 1}, behaviour: -1e-3}}, advantage: 1},
				{picks: []pick{{logits: []float64{1e4, 3, -1e4}, magnet: []float64{0, 0, 0}, legal: []bool{false, true, false}, target: []float64{0, 1, 0}, token: 1}}, advantage: -1},
			}
			losses := map[string]graphLoss{s.String(): s.Loss}
			if s.value == 0 && s.Name == "ppo" { // once
				losses["visits"] = objective.Visits{}.Loss
			}
			for name, loss := range losses {
				stats, logits, values := s.whole(t, d, compile(t, d, loss, false, s.copies), turns)
				if slices.ContainsFunc(slices.Concat(stats, logits, values), func(x float32) bool { return !isFinite(float64(x)) }) {
					t.Fatalf("%s: statistics %v, gradients %v and %v", name, stats, logits, values)
				}
				if forced := logits[3:6]; !slices.Equal(forced, []float32{0, 0, 0}) {
					t.Errorf("%s: a forced action has the gradient %v", name, forced)
				}
			}
		}
	})
}

// The parts of a step, each told how many picks and turns there are in all, add up to the
// step, statistics and gradients, however they are cut.
func TestPartsAddUp(t *testing.T) {
	d := backendtest.Open(t, backend.Go)
	check := func(s setting, loss graphLoss) {
		t.Helper()
		p := compile(t, d, loss, true, s.copies)
		turns := sample(rand.New(rand.NewPCG(3, 3)), s, 8, 4, 3)
		picks, ofTurns := count(turns)
		wholeStats, wholeLogits, wholeValues := s.whole(t, d, p, turns)
		var logits, values []float32
		sum := make([]float64, len(wholeStats))
		for _, part := range [][]turn{turns[:1], turns[1:5], turns[5:]} {
			some, l, v := s.run(t, d, p, part, picks, ofTurns)
			logits, values = append(logits, l...), append(values, v...)
			for i, x := range some {
				sum[i] += float64(x)
			}
		}
		near(t, s.String()+": statistics", wholeStats, sum)
		for i, x := range slices.Concat(logits, values) {
			if y := slices.Concat(wholeLogits, wholeValues)[i]; math.Abs(float64(x-y)) > 1e-6 {
				t.Errorf("%s: gradient %d is %g in parts, %g in one", s, i, x, y)
			}
		}
	}
	for _, s := range bySequence {
		check(s, s.Loss)
	}
	check(setting{value: 0.5, entropy: 0.1}, objective.Visits{}.Loss)
}

// visits computes the loss of expert iteration and the statistics of objective.VisitStats
// turn by turn.
func (s setting) visits(turns []turn, valueOnly bool) (loss float64, stats []float64) {
	_, count := count(turns)
	var cross, own, square, entropy float64
	for _, x := range turns {
		if x.padding {
			continue
		}
		for _, p := range x.picks {
			pi := softmax(p.logits, p.legal)
			for a, target := range p.target {
				if target > 0 {
					cross -= target * math.Log(pi[a]) / count
				}
			}
			own, entropy = own+entropyOf(p.target)/count, entropy+entropyOf(pi)/count
		}
		square += 0.5 * (x.value - x.ret) * (x.value - x.ret) / count
	}
	loss = s.value * square
	if !valueOnly {
		loss += cross - s.entropy*entropy
	}
	return loss, []float64{cross - own, square, entropy, own}
}

// A search's lesson is the cross-entropy of its distribution and the value's square, by
// turns of one pick and of several; ValueOnly leaves the policy alone.
func TestVisits(t *testing.T) {
	backendtest.Each(t, func(t *testing.T, d *backendtest.Device) {
		for _, picks := range []int{1, 3} {
			for _, valueOnly := range []bool{false, true} {
				p := compile(t, d, objective.Visits{ValueOnly: valueOnly}.Loss, picks > 1, false)
				for _, s := range []setting{{value: 1}, {value: 0.5, entropy: 0.3}} {
					turns := sample(rand.New(rand.NewPCG(uint64(picks), 4)), s, 12, picks, 4)
					wantLogits, wantValues := differences(turns, func() float64 {
						loss, _ := s.visits(turns, valueOnly)
						return loss
					})
					_, want := s.visits(turns, valueOnly)
					stats, logits, values := s.whole(t, d, p, turns)
					what := fmt.Sprintf("entropy %g, %d picks, value only %t: ", s.entropy, picks, valueOnly)
					near(t, what+"statistics", stats, want)
					near(t, what+"gradient of logits", logits, wantLogits)
					near(t, what+"gradient of values", values, wantValues)
				}
			}
		}
		// By hand: half and half learns from a search that is sure, log 2 = 0.69 away; the
		// value is 0.5 too high.
		hand := []turn{{picks: []pick{{logits: []float64{1, 1}, magnet: []float64{0, 0}, legal: []bool{true, true}, target: []float64{1, 0}}}, value: 1.5, ret: 1}}
		stats, logits, values := setting{value: 2}.whole(t, d, compile(t, d, objective.Visits{}.Loss, false, false), hand)
		near(t, "by hand", slices.Concat(stats, logits, values), []float64{math.Ln2, 0.125, math.Ln2, 0, -0.5, 0.5, 2 * 0.5})
	})
}

// What a loss reads of turns lies in the columns of that name.
func TestPackedColumns(t *testing.T) {
	d := backendtest.Open(t, backend.Go)
	step := func(logProbs ...float32) *policy.Step {
		s := &policy.Step{}
		for _, x := range logProbs {
			s.Picks = append(s.Picks, policy.Pick{LogProb: x})
		}
		return s
	}
	turns := []policy.Turn{{Step: step(-1, -2), Advantage: 3, Return: 4}, {Step: step(-5), Advantage: 6, Return: 7}}
	for _, test := range []struct {
		name string
		pack func(c *policy.Columns, turns []policy.Turn)
		want map[string][]float32
	}{
		{"policy gradient", ppo.Pack, map[string][]float32{"behaviour": {-1, -2, -5, 0}, "advantage": {3, 6}, "return": {4, 7}}},
		{"visits", objective.Visits{}.Pack, map[string][]float32{"return": {4, 7}}},
	} {
		c := policy.Columns{Turns: 2, Picks: 3, PaddedTurns: 2, PaddedPicks: 4}
		test.pack(&c, turns)
		b, err := policy.NewBatch(d, c)
		if err != nil {
			t.Fatal(err)
		}
		got := map[string][]float32{}
		for i, name := range b.Names() {
			if got[name], err = b.Tensors()[i].Floats(); err != nil {
				t.Fatal(err)
			}
		}
		if !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s: %v, expected %v", test.name, got, test.want)
		}
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestParsePolicyGradient(t *testing.T) {
	for text, want := range map[string]objective.PolicyGradient{
		"reinforce":                                  {Name: "reinforce"},
		"reinforce(mean=sequence)":                   {Name: "reinforce", SequenceMean: true},
		"ppo(clip=0.2)":                              {Name: "ppo", Clip: 0.2},
		"ppo(clip=0.1,ratio=sequence)":               {Name: "ppo", Clip: 0.1, SequenceRatio: true},
		"ppo(clip=0.3,ratio=sequence,mean=sequence)": {Name: "ppo", Clip: 0.3, SequenceRatio: true, SequenceMean: true},
	} {
		got, err := objective.ParsePolicyGradient(text)
		if err != nil || got != want || got.String() != text {
			t.Errorf("%s is read as %+v (%v), which is written %s", text, got, err, got)
		}
	}
	for text, want := range map[string]objective.PolicyGradient{
		"ppo":                                  {Name: "ppo", Clip: 0.2},
		"ppo(mean=token,ratio=token,clip=0.4)": {Name: "ppo", Clip: 0.4},
	} {
		if got, err := objective.ParsePolicyGradient(text); err != nil || got != want {
			t.Errorf("%s is read as %+v (%v)", text, got, err)
		}
	}
	for text, want := range map[string]string{
		"trpo":                      `"trpo": expected ppo or reinforce, did you mean "ppo"?`,
		"ppo(clip=0)":               "clip",
		"ppo(clip=1)":               "clip",
		"ppo(clip=NaN)":             "clip",
		"ppo(ratio=turn)":           "ratio",
		"reinforce(clip=0.2)":       "clip",
		"reinforce(ratio=sequence)": "ratio",
		"ppo(clip=0.2":              "",
	} {
		_, err := objective.ParsePolicyGradient(text)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}
