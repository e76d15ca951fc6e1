package prefs_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/play"
	"github.com/agon-rl/agon/prefs"
	"github.com/agon-rl/agon/solve"
)

func chosenBy(t *testing.T, strategy string, pairs []prefs.Pair) []prefs.Pair {
	t.Helper()
	s, err := prefs.FindSelector(strategy)
	if err != nil {
		t.Fatal(err)
	}
	before := slices.Clone(pairs)
	out, err := s.Select(t.Context(), pairs, play.Generator(1, "test"))
	if err != nil {
		t.Fatalf("%s: %v", strategy, err)
	}
	if d := cmp.Diff(before, pairs); d != "" {
		t.Errorf("%s changes what it is given: %s", strategy, d)
	}
	return out
}

// summary is what a pair says, in short.
func summary(p prefs.Pair) string {
	return fmt.Sprintf("%s: %s > %s by %g", p.Prompt, p.Chosen, p.Rejected, math.Round(1000*p.Gap())/1000)
}

func summaries(pairs []prefs.Pair) (out []string) {
	for _, p := range pairs {
		out = append(out, summary(p))
	}
	return out
}

// Two prompts: x has candidates a (.9), b (.5), c (.1), y has d (.2) and e (.1).
func small() []prefs.Pair {
	return []prefs.Pair{
		{Prompt: "x", Chosen: "a", Rejected: "b", ChosenQ: 0.9, RejectedQ: 0.5, ChosenAction: 1, RejectedAction: 2, Source: "s"},
		{Prompt: "x", Chosen: "b", Rejected: "c", ChosenQ: 0.5, RejectedQ: 0.1, ChosenAction: 2, RejectedAction: 3, Source: "s"},
		{Prompt: "y", Chosen: "d", Rejected: "e", ChosenQ: 0.2, RejectedQ: 0.1, ChosenAction: 4, RejectedAction: 5, Source: "s"},
	}
}

func TestSimpleStrategies(t *testing.T) {
	for strategy, want := range map[string][]string{
		"all":                 {"x: a > b by 0.4", "x: b > c by 0.4", "y: d > e by 0.1"},
		"random(share=1)":     {"x: a > b by 0.4", "x: b > c by 0.4", "y: d > e by 0.1"},
		"best-worst":          {"x: a > c by 0.8", "y: d > e by 0.1"},
		"best-worst(gap=0.1)": {"x: a > c by 0.8"},
		"margin":              {"x: a > b by 0.4", "x: b > c by 0.4"},
		"dno-prct(gap=0.05)":  {"x: a > b by 0.4", "x: b > c by 0.4", "y: d > e by 0.1"},
		"regret(share=1)":     {"x: a > c by 0.8", "y: d > e by 0.1"},
		"eva(share=1,mix=1)":  {"x: a > c by 0.8", "y: d > e by 0.1"},
	} {
		if d := cmp.Diff(want, summaries(chosenBy(t, strategy, small()))); d != "" {
			t.Errorf("%s: %s", strategy, d)
		}
	}
	for range 5 {
		if got := chosenBy(t, "random(share=0.34)", small()); len(got) != 1 {
			t.Errorf("a third of three: %v", summaries(got))
		}
	}
}

func TestGroups(t *testing.T) {
	pairs := append(small(), prefs.Pair{Prompt: "x", Chosen: "a", Rejected: "c", ChosenQ: 0.7, RejectedQ: 0.2, ChosenAction: 1, RejectedAction: 3, Source: "s", ChosenVisits: 9})
	groups := prefs.Groups(pairs)
	if len(groups) != 2 || len(groups[0].Answers) != 3 || len(groups[1].Answers) != 2 {
		t.Fatalf("%+v", groups)
	}
	if a, c := groups[0].Answers[0], groups[0].Answers[2]; a.Q != 0.7 || c.Q != 0.1 {
		t.Errorf("of the same answer the one more visited counts: %+v, %+v", a, c)
	}
	if got := summaries(groups[0].All(0.3, "r")); !slices.Equal(got, []string{"x: a > c by 0.6", "x: b > c by 0.4"}) {
		t.Errorf("%v", got)
	}
	if gap, _, _ := (prefs.Group{}).Gap(); gap != 0 {
		t.Errorf("a group without answers has gap %g", gap)
	}
}

func TestTemporal(t *testing.T) {
	answer := func(prompt, source, better, worse string, q, r float64) prefs.Pair {
		return prefs.Pair{Prompt: prompt, Chosen: better, Rejected: worse, ChosenQ: q, RejectedQ: r, Source: source}
	}
	pairs := []prefs.Pair{
		answer("x", "past", "a", "b", 0.3, -0.5),
		answer("y", "past", "a", "b", 0.3, 0.2),
		answer("z", "past", "a", "b", 0.9, 0.8),
		answer("x", "now", "c", "d", 0.6, 0.4),
		answer("y", "now", "c", "d", 0.6, 0.4),
		answer("z", "now", "c", "d", 0.6, 0.4),
		answer("x", "ahead", "e", "f", 0.7, 0.65),
		answer("y", "ahead", "e", "f", 0.5, 0.1),
		answer("w", "ahead", "e", "f", 0.5, 0.1), // where there is no past
	}
	got := chosenBy(t, "temporal", pairs)
	want := []string{"x: e > b by 1.2", "y: c > b by 0.4"} // z's worst past answer is better than all later ones
	if d := cmp.Diff(want, summaries(got)); d != "" {
		t.Error(d)
	}
	if got[0].ChosenSource != "ahead" || got[0].RejectedSource != "past" || got[1].ChosenSource != "now" {
		t.Errorf("%+v", got)
	}
	// Named: what is ahead is past, what was past is the future.
	got = chosenBy(t, "temporal(past=ahead,future=past,gap=0.25)", pairs)
	if d := cmp.Diff([]string{"y: c > f by 0.5", "z: a > f by 0"}[:1], summaries(got)); d != "" {
		t.Error(d)
	}
}

func TestCurriculum(t *testing.T) {
	c, err := prefs.NewCurriculum(3, 0.3)
	if err != nil {
		t.Fatal(err)
	}
	near := func(want ...float64) {
		t.Helper()
		for i, p := range c.Odds() {
			if math.Abs(p-want[i]) > 1e-12 {
				t.Errorf("odds %v, expected %v", c.Odds(), want)
			}
		}
	}
	near(1./3, 1./3, 1./3)
	c.Observe(0, []float64{1, -1, 0}) // a gap of 2; the others count as much
	near(1./3, 1./3, 1./3)
	c.Observe(1, []float64{1, 0.5})
	near(0.7*2/4.5+0.1, 0.7*0.5/4.5+0.1, 0.7*2/4.5+0.1)
	c.Observe(2, []float64{5}) // one return says nothing
	near(0.7*2/4.5+0.1, 0.7*0.5/4.5+0.1, 0.7*2/4.5+0.1)
	c.Observe(2, []float64{3, 3})
	near(0.7*2/2.5+0.1, 0.7*0.5/2.5+0.1, 0.1)
	counts := make([]float64, 3)
	r := play.Generator(2, "curriculum")
	for range 20000 {
		counts[c.Draw(r)] += 1. / 20000
	}
	for i, p := range c.Odds() {
		if math.Abs(counts[i]-p) > 5*math.Sqrt(p*(1-p)/20000) {
			t.Errorf("start %d is drawn %g times of one, expected %g", i, counts[i], p)
		}
	}
	for i := range 3 {
		c.Observe(i, []float64{1, 1})
	}
	near(1./3, 1./3, 1./3) // nothing is left to learn: all alike
	for _, mix := range []float64{-0.1, 1.1, math.NaN()} {
		if _, err := prefs.NewCurriculum(3, mix); err == nil {
			t.Errorf("mix %g is taken", mix)
		}
	}
}

// Where one state has twice the gap of another it is drawn twice as often.
func TestRegretDrawsByGap(t *testing.T) {
	pairs := []prefs.Pair{
		{Prompt: "x", Chosen: "a", Rejected: "b", ChosenQ: 0.8},
		{Prompt: "y", Chosen: "a", Rejected: "b", ChosenQ: 0.4},
		{Prompt: "z", Chosen: "a", Rejected: "b"}, // nothing to learn
	}
	r, counts := play.Generator(3, "regret"), map[string]float64{}
	const n = 6000
	for range n {
		out, err := prefs.Regret{Share: 0.5, Mix: 0}.Select(t.Context(), pairs, r)
		if err != nil || len(out) != 1 {
			t.Fatal(out, err)
		}
		counts[out[0].Prompt]++
	}
	if math.Abs(counts["x"]/n-2./3) > 0.03 || counts["z"] != 0 {
		t.Errorf("%v of %d", counts, n)
	}
}

func TestInformationGain(t *testing.T) {
	for _, c := range []struct {
		passes []float64
		want   float64
	}{
		{[]float64{0, 1}, math.Ln2},
		{[]float64{0.7, 0.7, 0.7}, 0},
		{[]float64{0.5}, 0},
		{[]float64{0.9, 0.1}, math.Ln2 - 0.32508297339144845}, // H(½) − H(.9)
		{[]float64{0, 0.5}, 0.5623351446188083 - math.Ln2/2},  // H(¼) − H(½)/2
	} {
		if got := prefs.InformationGain(c.passes); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("%v: %g, expected %g", c.passes, got, c.want)
		}
	}
}

// Without hidden units and dropout, and with one input, the fit is the log-odds of
// the targets, and P(a ≻ b) + P(b ≻ a) = 1.
func TestEstimatorClosedForm(t *testing.T) {
	e := &prefs.Estimator{Rate: 0.05, Epochs: 400, Batch: 10}
	var examples []prefs.Observation
	for i := range 10 {
		target := 0.0
		if i < 7 {
			target = 1
		}
		examples = append(examples, prefs.Observation{Chosen: []float64{1}, Rejected: []float64{0}, Target: target})
	}
	if err := e.Fit(examples, play.Generator(1, "fit")); err != nil {
		t.Fatal(err)
	}
	if p := e.Probability([]float64{1}, []float64{0}); math.Abs(p-0.7) > 1e-3 {
		t.Errorf("P = %g, expected 0.7", p)
	}
	if p, q := e.Probability([]float64{2}, []float64{0.3}), e.Probability([]float64{0.3}, []float64{2}); math.Abs(p+q-1) > 1e-12 {
		t.Errorf("%g and %g do not add up to 1", p, q)
	}
	// Under dropout d the one input is dropped in a share d of passes, which then say
	// ½, and weighs 1/(1−d) as much in all others.
	e.Dropout = 0.25
	const n = 8000
	half := 0
	for _, p := range e.Passes([]float64{1}, []float64{0}, n, play.Generator(1, "passes")) {
		kept := 1 / (1 + math.Pow(3./7, 4./3))
		switch {
		case p == 0.5:
			half++
		case math.Abs(p-kept) > 2e-3:
			t.Fatalf("a pass says %g, expected 0.5 or %g", p, kept)
		}
	}
	if math.Abs(float64(half)/n-0.25) > 0.025 {
		t.Errorf("%d of %d passes drop the input", half, n)
	}
}

// A hidden layer learns what a linear score cannot: that the middle is best.
func TestEstimatorLearnsWhatIsNotLinear(t *testing.T) {
	r := play.Generator(5, "middle")
	draw := func() []prefs.Observation {
		var out []prefs.Observation
		for len(out) < 600 {
			a, b := r.Float64()*2-1, r.Float64()*2-1
			if math.Abs(a) < math.Abs(b) {
				out = append(out, prefs.Observation{Chosen: []float64{a}, Rejected: []float64{b}, Target: 1})
			}
		}
		return out
	}
	accuracy := func(e *prefs.Estimator) float64 {
		if err := e.Fit(draw(), r); err != nil {
			t.Fatal(err)
		}
		right := 0.0
		for _, x := range draw() {
			if e.Probability(x.Chosen, x.Rejected) > 0.5 {
				right += 1. / 600
			}
		}
		return right
	}
	linear := prefs.NewEstimator()
	linear.Hidden = 0
	if deep, flat := accuracy(prefs.NewEstimator()), accuracy(linear); deep < 0.93 || flat > 0.6 {
		t.Errorf("with hidden units %.3f, without %.3f", deep, flat)
	}
}

func TestEstimatorRefuses(t *testing.T) {
	good := []prefs.Observation{{Chosen: []float64{1}, Rejected: []float64{0}, Target: 1}}
	for want, c := range map[string]struct {
		change   func(e *prefs.Estimator)
		examples []prefs.Observation
	}{
		"needs pairs":       {examples: nil},
		"told by 1 and 2":   {examples: []prefs.Observation{{Chosen: []float64{1}, Rejected: []float64{0, 0}}}},
		"target 2":          {examples: []prefs.Observation{{Chosen: []float64{1}, Rejected: []float64{0}, Target: 2}}},
		"dropout=1":         {examples: good, change: func(e *prefs.Estimator) { e.Dropout = 1 }},
		"dropout=NaN":       {examples: good, change: func(e *prefs.Estimator) { e.Dropout = math.NaN() }},
		"0 epochs":          {examples: good, change: func(e *prefs.Estimator) { e.Epochs = 0 }},
		"-1 hidden":         {examples: good, change: func(e *prefs.Estimator) { e.Hidden = -1 }},
		"rate must be more": {examples: good, change: func(e *prefs.Estimator) { e.Rate = math.Inf(1) }},
	} {
		e := prefs.NewEstimator()
		if c.change != nil {
			c.change(e)
		}
		if err := e.Fit(c.examples, play.Generator(1, "x")); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", want, err)
		}
	}
}

// truePairs are n pairs of tic-tac-toe states with the exactly better move chosen.
func truePairs(t testing.TB, n int, seed uint64) []prefs.Pair {
	t.Helper()
	game, err := games.New("tic_tac_toe")
	if err != nil {
		t.Fatal(err)
	}
	perfect, err := solve.Minimax(t.Context(), game)
	if err != nil {
		t.Fatal(err)
	}
	r := play.Generator(seed, "true pairs")
	var out []prefs.Pair
	for len(out) < n {
		s, history := game.Start(), []int32(nil)
		for range r.IntN(6) {
			actions := s.Actions(nil)
			if len(actions) == 0 {
				break
			}
			a := actions[r.IntN(len(actions))]
			if err := s.Apply(a); err != nil {
				t.Fatal(err)
			}
			history = append(history, int32(a))
		}
		seat := s.Turn()
		if seat < 0 {
			continue
		}
		actions := s.Actions(nil)
		a, b := actions[r.IntN(len(actions))], actions[r.IntN(len(actions))]
		var q [2]float64
		for i, x := range []games.Action{a, b} {
			next := s.Clone()
			if err := next.Apply(x); err != nil {
				t.Fatal(err)
			}
			if q[i], err = perfect.Value(t.Context(), next); err != nil {
				t.Fatal(err)
			}
			if seat != 0 {
				q[i] = -q[i]
			}
		}
		if q[0] <= q[1] {
			continue
		}
		out = append(out, prefs.Pair{
			Prompt: games.Key(s, seat), Chosen: games.Say(s, a), Rejected: games.Say(s, b), Game: "tic_tac_toe", History: history,
			Key: games.Key(s, seat), Seat: int32(seat), ChosenAction: int32(a), RejectedAction: int32(b), ChosenQ: q[0], RejectedQ: q[1], Source: "minimax",
		})
	}
	return out
}

// noisy turns a share of the labels; wrong tells which.
func noisy(pairs []prefs.Pair, share float64, r *rand.Rand) (out []prefs.Pair, wrong int) {
	for _, p := range pairs {
		if r.Float64() < share {
			p, wrong = p.Swapped(), wrong+1
		}
		out = append(out, p)
	}
	return out, wrong
}

func errorRate(pairs []prefs.Pair) float64 {
	wrong := 0.0
	for _, p := range pairs {
		if p.Gap() < 0 {
			wrong++
		}
	}
	return wrong / float64(len(pairs))
}

// Of labels of which three in ten are wrong, those that are kept are wrong less
// often, whatever the way; and doubt tells right from wrong labels.
func TestCertainKeepsFewerWrongLabels(t *testing.T) {
	pairs, _ := noisy(truePairs(t, 1200, 1), 0.3, play.Generator(1, "flips"))
	all := errorRate(pairs)
	for _, strategy := range []string{"certain", "upo(by=doubt)", "certain(draw=true,share=0.3)", "certain(hidden=0,by=doubt)"} {
		kept := chosenBy(t, strategy, pairs)
		if got := errorRate(kept); got > all-0.08 {
			t.Errorf("%s: %.3f of %d labels are wrong, of all %.3f", strategy, got, len(kept), all)
		}
		for _, p := range kept {
			if p.Doubt < 0 || p.Doubt > 0.5 {
				t.Fatalf("%s: doubt %g", strategy, p.Doubt)
			}
		}
	}
	c := prefs.NewCertain()
	c.Agree = false
	kept, err := c.Select(t.Context(), pairs, play.Generator(1, "x"))
	if err != nil || len(kept) != 600 {
		t.Errorf("half of 1200 are %d pairs, %v", len(kept), err)
	}
	c.Trusted = truePairs(t, 400, 2)
	beliefs, err := c.Beliefs(t.Context(), pairs, play.Generator(1, "x"))
	if err != nil {
		t.Fatal(err)
	}
	var mean, count [2]float64
	for i, b := range beliefs {
		k := 0
		if pairs[i].Gap() < 0 {
			k = 1
		}
		mean[k], count[k] = mean[k]+b.Mean, count[k]+1
	}
	if right, wrong := mean[0]/count[0], mean[1]/count[1]; right < wrong+0.3 {
		t.Errorf("by trusted pairs, right labels are believed by %.3f and wrong ones by %.3f", right, wrong)
	}
}

func TestFeatures(t *testing.T) {
	pairs := truePairs(t, 5, 3)
	state, err := prefs.FindFeatures("auto", pairs)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range pairs {
		x, y, err := state(p)
		if err != nil || len(x) != 27 || len(y) != 27 {
			t.Fatalf("%d and %d numbers, %v", len(x), len(y), err)
		}
		s, err := p.State()
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Apply(games.Action(p.ChosenAction)); err != nil {
			t.Fatal(err)
		}
		want := make([]float32, 27)
		s.Observe(games.Seat(p.Seat), want)
		for i := range want {
			if x[i] != float64(want[i]) {
				t.Fatalf("%v, expected %v", x, want)
			}
		}
	}
	text, err := prefs.FindFeatures("auto", []prefs.Pair{{Chosen: "a b", Rejected: "a b"}})
	if err != nil {
		t.Fatal(err)
	}
	x, y, err := text(prefs.Pair{Chosen: "some words", Rejected: "some words"})
	if err != nil || !slices.Equal(x, y) || x[len(x)-1] != 0.1 {
		t.Errorf("%v %v %v", x, y, err)
	}
	if x, y, _ := text(prefs.Pair{Chosen: "abc", Rejected: "abd"}); slices.Equal(x, y) {
		t.Error("two texts look the same")
	}
	if _, err := prefs.FindFeatures("smell", pairs); err == nil {
		t.Error("unknown features are taken")
	}
	if _, _, err := state(prefs.Pair{Game: "tic_tac_toe", Seat: -3}); err == nil || !strings.Contains(err.Error(), "does not move") {
		t.Errorf("a seat that there is not: %v", err)
	}
	if _, _, err := state(prefs.Pair{Prompt: "x"}); err == nil {
		t.Error("a pair without a game has a state")
	}
}

// A solver that looks to the end is minimax; one that looks less far is never
// wrong where it says that it knows, and knows the more the further it looks.
func TestSolverAsJudge(t *testing.T) {
	pairs := truePairs(t, 300, 4)
	last := -1
	for _, depth := range []int{0, 1, 2, 4, 9} {
		judge, known := &prefs.Solver{Depth: depth}, 0
		for _, p := range pairs {
			for _, q := range []prefs.Pair{p, p.Swapped()} {
				margin, ok, err := judge.Compare(t.Context(), q)
				if err != nil {
					t.Fatal(err)
				}
				if !ok {
					continue
				}
				if known++; margin*q.Gap() <= 0 || depth == 9 && margin != q.Gap() {
					t.Fatalf("depth %d: margin %g of %s", depth, margin, summary(q))
				}
			}
		}
		if known < last || depth == 9 && known != 600 {
			t.Errorf("depth %d knows %d of 600, one before it %d", depth, known, last)
		}
		last = known
	}
	even := pairs[0]
	even.RejectedAction, even.Rejected, even.RejectedQ = even.ChosenAction, even.Chosen, even.ChosenQ
	if margin, ok, err := (&prefs.Solver{Depth: 9}).Compare(t.Context(), even); margin != 0 || !ok || err != nil {
		t.Errorf("an action against itself: %g, %t, %v", margin, ok, err)
	}
	if _, ok, err := (&prefs.Solver{Depth: 9, Nodes: 1}).Compare(t.Context(), pairs[0]); ok && len(pairs[0].History) < 4 || err != nil {
		t.Errorf("a solver of one node knows: %t, %v", ok, err)
	}
	for want, p := range map[string]prefs.Pair{
		"unknown game":   {Game: "nosuch"},
		"no exact judge": {Game: "kuhn_poker"},
		"does not move":  {Game: "tic_tac_toe", Seat: 7},
		"action 1":       {Game: "tic_tac_toe", History: []int32{0, 0}},
		"illegal":        {Game: "tic_tac_toe", ChosenAction: -5},
	} {
		if _, _, err := (&prefs.Solver{Depth: 1}).Compare(t.Context(), p); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", want, err)
		}
	}
}

func TestRelabel(t *testing.T) {
	pairs := truePairs(t, 200, 5)
	flipped, wrong := noisy(pairs, 0.4, play.Generator(2, "flips"))
	if wrong < 40 {
		t.Fatal("nothing to put right")
	}
	got := chosenBy(t, "judge(depth=9)", flipped)
	if len(got) != 200 || errorRate(got) != 0 {
		t.Errorf("%d pairs, %.3f wrong", len(got), errorRate(got))
	}
	if got := chosenBy(t, "anyprefer(depth=0,own=keep)", flipped); math.Abs(errorRate(got)-errorRate(flipped)) > 0.1 {
		t.Errorf("labels are to be kept: %.3f", errorRate(got))
	}
	for i := range flipped { // the policy likes what is right in the first half alone
		liked := 1.0
		if (flipped[i].Gap() > 0) != (i < 100) {
			liked = -1
		}
		flipped[i].ChosenPrior, flipped[i].RejectedPrior = liked, 0
	}
	if got := chosenBy(t, "judge(tool=none)", flipped); math.Abs(errorRate(got)-0.5) > 1e-12 {
		t.Errorf("by its own weights: %.3f", errorRate(got))
	}
	drop := chosenBy(t, "judge(depth=1,own=drop)", flipped)
	if errorRate(drop) != 0 || len(drop) == 0 || len(drop) == 200 {
		t.Errorf("%d pairs, %.3f wrong", len(drop), errorRate(drop))
	}
	failing := prefs.Relabel{Judge: prefs.Panel{broken{}}}
	if _, err := failing.Select(t.Context(), pairs, nil); err == nil {
		t.Error("a judge's error is lost")
	}
}

type broken struct{}

func (broken) Compare(context.Context, prefs.Pair) (float64, bool, error) {
	return 0, false, fmt.Errorf("broken")
}

// One move, two states: chosen in one and rejected in the other.
func TestIntra(t *testing.T) {
	pairs := []prefs.Pair{
		{Prompt: "win", Chosen: "a", Rejected: "b", ChosenQ: 1, RejectedQ: -1, Source: "s"},
		{Prompt: "lose", Chosen: "b", Rejected: "a", ChosenQ: 0.5, RejectedQ: -0.5, Source: "s"},
		{Prompt: "win", Chosen: "b", Rejected: "c", Source: "s"},
		{Prompt: "lose", Chosen: "c", Rejected: "d", Source: "s"},
	}
	got := prefs.Intra(pairs, play.Generator(1, "intra"))
	want := []prefs.PromptPair{
		{ChosenPrompt: "win", RejectedPrompt: "lose", Completion: "a", ChosenQ: 1, RejectedQ: -0.5, Source: "s"},
		{ChosenPrompt: "lose", RejectedPrompt: "win", Completion: "b", ChosenQ: 0.5, RejectedQ: -1, Source: "s"},
		{ChosenPrompt: "lose", RejectedPrompt: "win", Completion: "c", Source: "s"},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// Of two joined tasks the rejected answer misses the first, the second or both,
// each a third of the time.
func TestJoin(t *testing.T) {
	parts := []prefs.Pair{
		{Prompt: "x", Chosen: "a", Rejected: "b", ChosenQ: 1, RejectedQ: -1, ChosenPrior: -1, RejectedPrior: -2, Source: "s", Seed: 3},
		{Prompt: "y", Chosen: "c", Rejected: "d", ChosenQ: 0.5, RejectedQ: 0, ChosenPrior: -4, RejectedPrior: -8, Source: "s"},
	}
	r, counts := play.Generator(1, "join"), map[string]float64{}
	const n = 9000
	for range n {
		p := prefs.Join(parts, r)
		if p.Prompt != "1. x\n\n2. y" || p.Chosen != "1. a\n2. c" || p.ChosenQ != 0.75 || p.ChosenPrior != -5 || p.Source != "s" || p.Seed != 3 {
			t.Fatalf("%+v", p)
		}
		counts[fmt.Sprint(p.Rejected, p.RejectedQ, p.RejectedPrior)]++
	}
	for _, want := range []string{"1. b\n2. c-0.25 -6", "1. a\n2. d0.5 -9", "1. b\n2. d-0.5 -10"} {
		if math.Abs(counts[want]/n-1./3) > 0.025 {
			t.Errorf("%q: %g of %d; %v", want, counts[want], n, counts)
		}
	}
	if got := chosenBy(t, "mapl", small()); len(got) != 3 || !strings.HasPrefix(got[0].Prompt, "1. x\n\n2. y") {
		t.Errorf("%v", summaries(got))
	}
}

// TestJoinMany joins as many pairs as mapl takes.
func TestJoinMany(t *testing.T) {
	var pairs []prefs.Pair
	for i := range 65 {
		pairs = append(pairs, prefs.Pair{Prompt: fmt.Sprint(i), Chosen: "y", Rejected: "n", ChosenQ: 1})
	}
	r := play.Generator(1, "join")
	joined, err := prefs.MAPL{Kind: "inter", K: 64, Share: 0.1}.Select(t.Context(), pairs, r)
	if err != nil || len(joined) != 7 {
		t.Fatalf("%d pairs, %v; expected 7", len(joined), err)
	}
	for _, p := range joined {
		if strings.Count(p.Chosen, "y") != 64 || strings.Count(p.Rejected, "n") < 1 || p.Gap() <= 0 {
			t.Errorf("%q over %q by %g", p.Chosen, p.Rejected, p.Gap())
		}
	}
	if _, err := (prefs.MAPL{Kind: "inter", K: 65, Share: 1}).Select(t.Context(), pairs, r); err == nil || !strings.Contains(err.Error(), "k=65") {
		t.Errorf("%v; expected an error with k=65", err)
	}
}

func TestFewShot(t *testing.T) {
	pairs := []prefs.Pair{
		{Prompt: "x", Chosen: "a", Rejected: "b", Source: "u"},
		{Prompt: "y", Chosen: "c", Rejected: "d", Source: "u"},
		{Prompt: "x", Chosen: "b", Rejected: "a", Source: "v"},
		{Prompt: "x", Chosen: "e", Rejected: "a", Source: "u"}, // of the same state as the first
	}
	got := chosenBy(t, "fspo(k=2)", pairs)
	if got[0].Prompt != "y\nbetter: c\nworse: d\n\nx" || got[0].Chosen != "a" || got[2].Prompt != "x" {
		t.Errorf("%q, %q", got[0].Prompt, got[2].Prompt)
	}
	if strings.Count(got[1].Prompt, "better") != 2 || !strings.Contains(got[1].Prompt, "better: e") || !strings.HasSuffix(got[1].Prompt, "\n\ny") {
		t.Errorf("%q", got[1].Prompt)
	}
	r, counts := play.Generator(1, "examples"), make([]float64, 4)
	for range 8000 {
		for _, i := range prefs.Examples([]int{0, 1, 2, 3}, 2, func(i int) bool { return i != 3 }, r) {
			counts[i] += 1. / 8000
		}
	}
	for i, want := range []float64{2. / 3, 2. / 3, 2. / 3, 0} {
		if math.Abs(counts[i]-want) > 0.03 {
			t.Errorf("example %d is drawn %g times, expected %g", i, counts[i], want)
		}
	}
}

// styled are n pairs of which the chosen answer is longer in a share of cases, and
// has the sources given.
func styled(n int, longer float64, chosen, rejected string) []prefs.Pair {
	r := play.Generator(9, "styled")
	out := make([]prefs.Pair, n)
	for i := range out {
		texts := []string{strings.Repeat("word ", 6+r.IntN(3)), strings.Repeat("word ", 2+r.IntN(3))}
		if r.Float64() >= longer {
			slices.Reverse(texts)
		}
		out[i] = prefs.Pair{
			Prompt: fmt.Sprint(i), Chosen: texts[0], Rejected: texts[1], ChosenQ: 0.5 + r.Float64()/10, RejectedQ: 0.2,
			Source: chosen, ChosenSource: chosen, RejectedSource: rejected,
		}
	}
	return out
}

func probe(t *testing.T, probes []prefs.Probe, name string) prefs.Probe {
	t.Helper()
	i := slices.IndexFunc(probes, func(p prefs.Probe) bool { return p.Name == name })
	if i < 0 {
		t.Fatalf("there is no probe %s", name)
	}
	return probes[i]
}

func TestAudit(t *testing.T) {
	style, err := prefs.AuditOf(styled(300, 1, "strong", "own"), play.Generator(1, "audit"))
	if err != nil {
		t.Fatal(err)
	}
	if p := probe(t, style.Chosen, "surface"); p.Accuracy != 1 || p.Interval[0] < 0.98 || p.Features[0].Alone != 1 {
		t.Errorf("where the chosen is always longer: %+v", p)
	}
	if p := probe(t, style.Source, "strong"); p.Accuracy < 0.999 {
		t.Errorf("the longer writer: %+v", p)
	}
	if style.Mixed != 1 || style.Sources["own"] != 300 || style.States != 300 || math.Abs(style.Quality.Gap-0.35) > 0.01 {
		t.Errorf("%+v", style)
	}
	plain, err := prefs.AuditOf(styled(300, 0.5, "own", "own"), play.Generator(1, "audit"))
	if err != nil {
		t.Fatal(err)
	}
	if p := probe(t, plain.Chosen, "surface"); p.Interval[0] > 0.5 || p.Accuracy > 0.6 {
		t.Errorf("where length is a coin's toss: %+v", p)
	}
	if p := probe(t, plain.Chosen, "value"); p.Accuracy != 1 {
		t.Errorf("values tell: %+v", p)
	}
	if p := probe(t, plain.Chosen, "search"); p.Accuracy != 0.5 {
		t.Errorf("visits that are all the same tell nothing: %+v", p)
	}
	if plain.Source != nil || plain.Mixed != 0 {
		t.Errorf("one source: %+v", plain)
	}
	for want, pairs := range map[string][]prefs.Pair{
		"no pairs":              nil,
		"4 states":              styled(4, 1, "a", "b"),
		"number that is not fi": {{ChosenQ: math.NaN()}},
	} {
		if _, err := prefs.AuditOf(pairs, play.Generator(1, "audit")); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", want, err)
		}
	}
}

func TestFindSelectorRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"":                     "expected a name",
		"certan":               `did you mean "certain"`,
		"random(share=0)":      "share=0",
		"random(share=2)":      "share=2",
		"best-worst(gap=3)":    "gap=3",
		"certain(by=luck)":     "by=luck",
		"certain(passes=1)":    "passes=1",
		"certain(dropout=1)":   "dropout=1",
		"certain(folds=1)":     "folds=1",
		"certain(features=x)":  "features=x",
		"regret(mix=2)":        "mix=2",
		"judge(tool=oracle)":   "tool=oracle",
		"judge(depth=-1)":      "depth=-1",
		"mapl(k=1)":            "k=1",
		"mapl(k=65)":           "k=65",
		"mapl(kind=both)":      "kind=both",
		"fewshot(k=-1)":        "k=-1",
		"all(share=1)":         "it takes none",
		"temporal(gap=-1)":     "gap=-1",
		"margin(gap=0.1,gap=)": "empty",
	} {
		if _, err := prefs.FindSelector(text); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %v, expected %q", text, err, want)
		}
	}
}

func TestSelectRefuses(t *testing.T) {
	for strategy, want := range map[string]string{
		"temporal":                       "of 1 source",
		"certain":                        "2 states cannot be put into 5 folds",
		"certain(features=state)":        "is of no game",
		"mapl(kind=intra)":               "prefers prompts",
		"mapl(k=3)":                      "pairs of 2 states",
		"judge":                          "needs pairs of a game",
		"judge(tool=none,own=drop)":      "asks nobody",
		"temporal(past=nobody)":          "of 1 source",
		"random(share=1e-300)":           "",
		"regret(share=0.0000000001)":     "",
		"certain(folds=2,epochs=1)":      "",
		"judge(tool=none)":               "",
		"margin(gap=2)":                  "",
		"best-worst(gap=2)":              "",
		"certain(folds=2,features=text)": "",
	} {
		s, err := prefs.FindSelector(strategy)
		if err != nil {
			t.Fatal(err)
		}
		_, err = s.Select(t.Context(), small(), play.Generator(1, "x"))
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, expected %q", strategy, err, want)
		}
	}
	two := small()
	two[0].Source = "t"
	for strategy, want := range map[string]string{"temporal(past=nobody)": `source "nobody"`, "temporal(past=t,future=t)": `both "t"`} {
		s, err := prefs.FindSelector(strategy)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Select(t.Context(), two, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, expected %q", strategy, err, want)
		}
	}
}

// Every strategy gives the same pairs for the same seed, and its form can be read.
func TestStrategies(t *testing.T) {
	pairs := truePairs(t, 80, 6)
	for i := range pairs {
		if i%2 == 0 {
			pairs[i].Source = "other"
		}
	}
	for _, k := range prefs.Strategies.All() {
		form := strings.NewReplacer("SOURCE,", "minimax,", "=SOURCE", "=other", "epochs=30", "epochs=2", "past=SOURCE", "past=minimax").Replace(k.Usage)
		s, err := prefs.FindSelector(form)
		if err != nil {
			t.Errorf("%s: %v", form, err)
			continue
		}
		var sets [2][]prefs.Pair
		for i := range sets {
			if sets[i], err = s.Select(t.Context(), pairs, play.Generator(8, "again")); err != nil {
				t.Fatalf("%s: %v", form, err)
			}
		}
		if d := cmp.Diff(sets[0], sets[1]); d != "" {
			t.Errorf("%s: two runs of a seed differ: %s", form, d)
		}
		for _, alias := range k.Aliases {
			if _, err := prefs.FindSelector(alias); err != nil {
				t.Errorf("%s: %v", alias, err)
			}
		}
	}
}

// Files from before there were columns of strategies are read as zeros.
func TestReadsFilesWithoutTheLaterColumns(t *testing.T) {
	path := filepath.Join(t.TempDir(), "old.parquet")
	pair := small()[0]
	type old struct {
		Prompt            string  `parquet:"prompt"`
		Chosen            string  `parquet:"chosen"`
		Rejected          string  `parquet:"rejected"`
		Game              string  `parquet:"game,dict"`
		History           []int32 `parquet:"history,list"`
		Key               string  `parquet:"key"`
		Seat              int32   `parquet:"seat"`
		Depth             int32   `parquet:"depth"`
		ChosenAction      int32   `parquet:"chosen_action"`
		RejectedAction    int32   `parquet:"rejected_action"`
		ChosenQ           float64 `parquet:"chosen_q"`
		RejectedQ         float64 `parquet:"rejected_q"`
		ChosenVisits      int64   `parquet:"chosen_visits"`
		RejectedVisits    int64   `parquet:"rejected_visits"`
		Value             float64 `parquet:"value"`
		Visits            int64   `parquet:"visits"`
		ChosenPrior       float64 `parquet:"chosen_prior"`
		RejectedPrior     float64 `parquet:"rejected_prior"`
		ChosenBehaviour   float64 `parquet:"chosen_behaviour"`
		RejectedBehaviour float64 `parquet:"rejected_behaviour"`
		Rule              string  `parquet:"rule,dict"`
		Source            string  `parquet:"source,dict"`
		Seed              int64   `parquet:"seed"`
	}
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w := parquet.NewGenericWriter[old](f)
	row := old{Prompt: "x", Chosen: "a", Rejected: "b", ChosenQ: 0.9, RejectedQ: 0.5, ChosenAction: 1, RejectedAction: 2, Source: "s", History: []int32{4, 5}}
	if _, err := w.Write([]old{row, row}); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	pair.History = []int32{4, 5}
	got, err := prefs.Read[prefs.Pair](path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]prefs.Pair{pair, pair}, got); d != "" {
		t.Error(d)
	}
}
