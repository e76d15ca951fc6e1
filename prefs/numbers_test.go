package prefs

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

func close12(a, b float64) bool { return math.Abs(a-b) <= 1e-12*(1+math.Abs(b)) }

// Two steps of Adam by hand with a rate of 0.1, from 1, along slopes of 2 and −1. After
// the first m̂ = 2 and √v̂ = 2; after the second m̂ = 0.08/0.19 and v̂ = 0.004996/0.001999.
func TestAdamByHand(t *testing.T) {
	params := [][]float64{{1}}
	a := newAdam(0.1, params)
	want := 1 - 0.1*2/(2+1e-8)
	if a.step(params, [][]float64{{2}}); !close12(params[0][0], want) {
		t.Errorf("after one step %g, expected %g", params[0][0], want)
	}
	want -= 0.1 * (0.08 / 0.19) / (math.Sqrt(0.004996/0.001999) + 1e-8)
	if a.step(params, [][]float64{{-1}}); !close12(params[0][0], want) {
		t.Errorf("after two steps %.15g, expected %.15g", params[0][0], want)
	}
}

// A fit of three like examples in one batch, by its formulas: the slope of a batch is the
// mean over its examples, and decay is added to it. The weight starts at 0, where a label
// that is right has the slope σ(0) − 1, and decay none.
func TestFitByHand(t *testing.T) {
	const decay, rate, target = 0.5, 0.125, 0.75
	x := Observation{Chosen: []float64{3}, Rejected: []float64{1}, Target: target}
	e := &Estimator{Rate: rate, Decay: decay, Epochs: 2, Batch: 3}
	if err := e.Fit([]Observation{x, x, x}, rand.New(rand.NewPCG(1, 2))); err != nil {
		t.Fatal(err)
	}
	first := (0.5 - target) * (3 - 1)
	w := -rate * first / (math.Abs(first) + 1e-8)
	second := (1/(1+math.Exp(-2*w))-target)*(3-1) + decay*w
	m, v := (0.9*0.1*first+0.1*second)/(1-0.81), (0.999*0.001*first*first+0.001*second*second)/(1-0.999*0.999)
	w -= rate * m / (math.Sqrt(v) + 1e-8)
	if !close12(e.w[0], w) {
		t.Errorf("the weight is %.15g, expected %.15g", e.w[0], w)
	}
	if p := e.Probability([]float64{3}, []float64{1}); !close12(p, 1/(1+math.Exp(-2*w))) {
		t.Errorf("P = %g", p)
	}
	// Batches are counted: of three in batches of two there are two steps an epoch.
	e = &Estimator{Rate: rate, Epochs: 1, Batch: 2}
	if err := e.Fit([]Observation{x, x, x}, rand.New(rand.NewPCG(1, 2))); err != nil {
		t.Fatal(err)
	}
	if !(e.w[0] > 1.5*rate && e.w[0] < 2*rate) {
		t.Errorf("after two steps of %g up the weight is %g", rate, e.w[0])
	}
}

// Biases do not decay: where the answers are the same nothing else moves, and of the
// weights each goes towards 0.
func TestDecaySparesBiases(t *testing.T) {
	x := Observation{Chosen: []float64{1, 1}, Rejected: []float64{1, 1}, Target: 0.5}
	e, same := &Estimator{Hidden: 3, Rate: 1e-3, Decay: 1, Epochs: 1, Batch: 1}, &Estimator{Hidden: 3, inputs: 2}
	if err := e.Fit([]Observation{x}, rand.New(rand.NewPCG(1, 2))); err != nil {
		t.Fatal(err)
	}
	same.start(rand.New(rand.NewPCG(1, 2)))
	for _, p := range []struct {
		name          string
		after, before []float64
		step          float64
	}{{"w", e.w, same.w, 1e-3}, {"v", e.v, same.v, 1e-3}, {"b", e.b, same.b, 0}} {
		for i := range p.after {
			if want := p.before[i] - math.Copysign(p.step, p.before[i]); math.Abs(p.after[i]-want) > 1e-9 {
				t.Errorf("%s %d goes from %g to %g, expected %g", p.name, i, p.before[i], p.after[i], want)
			}
		}
	}
}

// Weights start with the variances 2/inputs and 1/hidden, biases at 0.
func TestStartOfAnEstimator(t *testing.T) {
	e := &Estimator{Hidden: 4000, inputs: 8}
	e.start(rand.New(rand.NewPCG(1, 2)))
	square := func(x []float64) float64 { return dot(x, x) / float64(len(x)) }
	if w, v := square(e.w), square(e.v); math.Abs(w-0.25) > 0.01 || math.Abs(v-1./4000) > 4e-5 || square(e.b) != 0 {
		t.Errorf("variances %g of w and %g of v, expected 0.25 and 0.00025", w, v)
	}
}

// A mask keeps units with their share of the weight, or drops them: what is kept is the
// same on average.
func TestDrop(t *testing.T) {
	mask := make([]float64, 20_000)
	(&Estimator{Dropout: 0.2}).drop(mask, rand.New(rand.NewPCG(1, 2)))
	kept := 0
	for _, m := range mask {
		switch m {
		case 1.25:
			kept++
		case 0:
		default:
			t.Fatalf("a unit counts %g times", m)
		}
	}
	if share := float64(kept) / float64(len(mask)); math.Abs(share-0.8) > 0.015 {
		t.Errorf("%g of the units are kept, expected 0.8", share)
	}
	(&Estimator{}).drop(mask, rand.New(rand.NewPCG(1, 2)))
	if slices.Min(mask) != 1 || slices.Max(mask) != 1 {
		t.Error("units are dropped without dropout")
	}
}

func TestBeliefByHand(t *testing.T) {
	b := BeliefOf([]float64{0.25, 0.75, 0.8})
	if !close12(b.Mean, 0.6) || !close12(b.Gain, InformationGain([]float64{0.25, 0.75, 0.8})) || b.Gain <= 0 {
		t.Errorf("%+v, expected a mean of 0.6", b)
	}
}

// What is kept by weight, by hand: the share is of all, places of weight 0 are left out
// even so, and the order is that of the pairs.
func TestTakeByHand(t *testing.T) {
	for _, test := range []struct {
		weights []float64
		share   float64
		want    []int
	}{
		{[]float64{0.1, 0.9, 0.5, 0.7}, 0.5, []int{1, 3}},
		{[]float64{0.1, 0.9, 0.5, 0.7}, 1, []int{0, 1, 2, 3}},
		{[]float64{0, 0.9, 0, 0}, 0.5, []int{1}},
		{[]float64{0.5, 0.5, 0.5, 0.5}, 0.25, []int{0}},
		{[]float64{0.5, 0.6, 0.5, 0.5, 0.5, 0.5, 0.5}, 0.35, []int{0, 1}}, // 2.45 are 2
	} {
		got, err := Certain{Share: test.share}.take(test.weights, nil)
		if err != nil || !slices.Equal(got, test.want) {
			t.Errorf("%g of %v: %v, %v, expected %v", test.share, test.weights, got, err, test.want)
		}
	}
	for _, share := range []float64{0, -1, 1.5, math.NaN()} {
		if _, err := (Certain{Share: share}).take([]float64{1}, nil); err == nil {
			t.Errorf("share %g is taken", share)
		}
	}
}

// An estimator that was taught by trusted pairs of one number sorts others by it: pairs
// whose label it thinks wrong are left out, the rest hold their doubt.
func TestCertainByTrusted(t *testing.T) {
	pair := func(prompt, chosen, rejected string) Pair {
		return Pair{Prompt: prompt, Chosen: chosen, Rejected: rejected}
	}
	c := NewCertain()
	c.Features, c.Share, c.Passes = "text", 1, 30
	c.Estimator.Hidden, c.Estimator.Epochs = 0, 60
	for i := range 40 {
		c.Trusted = append(c.Trusted, pair(string(rune('a'+i)), "good good", "bad bad"))
	}
	pairs := []Pair{pair("x", "good good", "bad bad"), pair("y", "bad bad", "good good"), pair("z", "same", "same")}
	for _, by := range []string{"gain", "doubt"} {
		c.By = by
		got, err := c.Select(t.Context(), pairs, rand.New(rand.NewPCG(1, 2)))
		if err != nil {
			t.Fatal(err)
		}
		if len(got) != 2 || got[0].Prompt != "x" || got[0].Doubt > 0.2 || got[1].Prompt != "z" || got[1].Doubt != 0.5 {
			t.Errorf("by %s: %+v", by, got)
		}
	}
	c.Agree, c.By = false, "gain"
	got, err := c.Select(t.Context(), pairs, rand.New(rand.NewPCG(1, 2)))
	if err != nil || len(got) != 3 || got[1].Doubt != 0.5 { // as sure of the opposite; a doubt is ½ at most
		t.Errorf("%+v, %v", got, err)
	}
	c.Share = 0.34 // one: of the pairs that nothing tells apart nothing is left to learn
	if got, err = c.Select(t.Context(), pairs, rand.New(rand.NewPCG(1, 2))); err != nil || len(got) != 1 || got[0].Prompt != "z" {
		t.Errorf("%+v, %v", got, err)
	}
}

// The audit's columns, one by one: of pairs that differ in one of them alone that one is
// named, points the right way, and tells all; the others tell nothing.
func TestColumnsOneByOne(t *testing.T) {
	for name, set := range map[string]func(a *Candidate, more bool){
		"length":    func(a *Candidate, more bool) { a.Text = map[bool]string{true: "aaaa", false: "aaa"}[more] },
		"digits":    func(a *Candidate, more bool) { a.Text = map[bool]string{true: "a1a", false: "aaa"}[more] },
		"marks":     func(a *Candidate, more bool) { a.Text = map[bool]string{true: "a+a", false: "aaa"}[more] },
		"capitals":  func(a *Candidate, more bool) { a.Text = map[bool]string{true: "aAa", false: "aaa"}[more] },
		"action":    func(a *Candidate, more bool) { a.Action = map[bool]int32{true: 3, false: 2}[more] },
		"prior":     func(a *Candidate, more bool) { a.Prior = map[bool]float64{true: -1, false: -2}[more] },
		"behaviour": func(a *Candidate, more bool) { a.Behaviour = map[bool]float64{true: -1, false: -2}[more] },
		"visits":    func(a *Candidate, more bool) { a.Visits = map[bool]int64{true: 9, false: 3}[more] },
		"q":         func(a *Candidate, more bool) { a.Q = map[bool]float64{true: 0.5, false: 0.25}[more] },
	} {
		for _, more := range []bool{true, false} { // the chosen one has more, or less
			var pairs []Pair
			for i := range 20 {
				chosen, rejected := Candidate{Text: "aaa", Source: "s"}, Candidate{Text: "aaa", Source: "s"}
				set(&chosen, more)
				set(&rejected, !more)
				pairs = append(pairs, Pair{Prompt: string(rune('a' + i)), Source: "s"}.With(chosen, rejected))
			}
			audit, err := AuditOf(pairs, rand.New(rand.NewPCG(1, 2)))
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range audit.Chosen {
				inKind := slices.ContainsFunc(columnsOf(p.Name), func(c column) bool { return c.name == name })
				if accuracy := map[bool]float64{true: 1, false: 0.5}[inKind]; p.Accuracy != accuracy {
					t.Errorf("%s: the probe %s has accuracy %g, expected %g", name, p.Name, p.Accuracy, accuracy)
				}
				for k, f := range p.Features {
					tells := inKind && k == 0
					if tells && (f.Name != name || (f.Weight > 0) != more || f.Alone != 1) || !tells && (f.Weight != 0 || f.Alone != 0.5) {
						t.Errorf("%s, %t: feature %d of the probe %s is %+v", name, more, k, p.Name, f)
					}
				}
			}
		}
	}
	// Words come with length.
	words := columns[1]
	if words.name != "words" || words.of(Candidate{Text: " two  words\n"}) != 2 {
		t.Errorf("%s of two words: %g", words.name, words.of(Candidate{Text: " two  words\n"}))
	}
	if x := columns[8].of(Candidate{Visits: 3}); columns[8].name != "visits" || !close12(x, math.Log(4)) {
		t.Errorf("3 visits are %g", x)
	}
}

// Which columns a probe sees.
func TestKindsOfColumns(t *testing.T) {
	for kind, want := range map[string]string{
		"form":    "length words digits marks capitals action",
		"policy":  "prior behaviour",
		"surface": "length words digits marks capitals action prior behaviour",
		"search":  "visits",
		"value":   "q",
	} {
		var names []string
		for _, c := range columnsOf(kind) {
			names = append(names, c.name)
		}
		if got := strings.Join(names, " "); got != want {
			t.Errorf("%s: %s, expected %s", kind, got, want)
		}
	}
}

// What the audit counts: of four pairs one is of two sources, one is even and one
// against its values; the mean gap is (0.5 + 0 − 0.25 + 0.75)/4.
func TestAuditCounts(t *testing.T) {
	var pairs []Pair
	for i, q := range []float64{0.5, 0, -0.25, 0.75} {
		p := Pair{Prompt: string(rune('a' + i)), Chosen: "x", Rejected: "y", ChosenQ: q, Source: "s"}
		if i == 3 {
			p.RejectedSource = "t"
		}
		pairs = append(pairs, p, p) // each twice, of one state
	}
	for i := range 4 {
		pairs = append(pairs, Pair{Prompt: string(rune('p' + i)), Chosen: "x", Rejected: "y", ChosenQ: 0.25, Source: "s"})
	}
	a, err := AuditOf(pairs, rand.New(rand.NewPCG(1, 2)))
	if err != nil {
		t.Fatal(err)
	}
	if a.Pairs != 12 || a.States != 8 || a.Folds != 5 || a.Sources["s"] != 22 || a.Sources["t"] != 2 || len(a.Source) != 2 {
		t.Errorf("%+v", a)
	}
	if !close12(a.Mixed, 2./12) || !close12(a.Quality.Gap, (2*1.+4*0.25)/12) || !close12(a.Quality.Even, 2./12) || !close12(a.Quality.Against, 2./12) {
		t.Errorf("mixed %g, %+v", a.Mixed, a.Quality)
	}
}

// The answers of a source that are told by nothing but chance have an accuracy near one
// half, those that are always longer 1; a source is told from all others together.
func TestProbeSource(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var pairs []Pair
	for i := range 400 {
		text := func(source string) Candidate {
			n := 3 + r.IntN(3)
			if source == "long" {
				n += 5
			}
			return Candidate{Text: strings.Repeat("a", n), Action: int32(r.IntN(1000)), Source: source}
		}
		sources := []string{"long", "one", "two"}
		r.Shuffle(3, func(i, j int) { sources[i], sources[j] = sources[j], sources[i] })
		pairs = append(pairs, Pair{Prompt: string(rune(1000 + i))}.With(text(sources[0]), text(sources[1])))
	}
	a, err := AuditOf(pairs, r)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"long", "one", "two"} {
		p := a.Source[i]
		switch {
		case p.Name != want || p.Interval[0] > p.Accuracy || p.Interval[1] < p.Accuracy:
			t.Errorf("%+v, expected %s", p, want)
		case want == "long" && (p.Accuracy < 0.999 || p.Interval[0] < 0.95 || p.Features[0].Name != "length" || p.Features[0].Weight < 0 || p.Features[0].Alone < 0.999):
			t.Errorf("the longest: %+v", p)
		case want != "long" && (p.Accuracy < 0.65 || p.Accuracy > 0.85 || p.Features[0].Name != "length" || p.Features[0].Weight > 0):
			// short ones are of one of two: every second other one is long, and is told
			t.Errorf("a short one: %+v", p)
		}
		// Of 400 pairs the halves have some 267 and 533 answers: their accuracies' errors are
		// at most 0.5/√267 and 0.5/√533, and a mean of the two has at most half the root of
		// the sum of the squares.
		if half := (p.Interval[1] - p.Interval[0]) / 2; want != "long" && (half < 0.01 || half > 1.96*0.5*math.Sqrt(1./267/4+1./533/4)*1.1) {
			t.Errorf("%s: an interval of ±%g", want, half)
		}
	}
}

// Columns are divided by their root mean square, around their mean if wanted; what does
// not vary becomes 0.
func TestScaleByHand(t *testing.T) {
	for _, test := range []struct {
		center bool
		want   [][]float64
	}{
		{false, [][]float64{{3 / math.Sqrt(5), 1, 0}, {1 / math.Sqrt(5), 1, 0}}},
		{true, [][]float64{{1, 0, 0}, {-1, 0, 0}}},
	} {
		x := [][]float64{{3, 1000, 0}, {1, 1000, 0}}
		scale(x, test.center)
		for i := range x {
			for k := range x[i] {
				if !close12(x[i][k], test.want[i][k]) {
					t.Errorf("around the mean %t: %v, expected %v", test.center, x, test.want)
				}
			}
		}
	}
	// Ten thousand million and one millionth more or less is rounding, not a feature.
	x := [][]float64{{1e10 + 1e-3}, {1e10 - 1e-3}}
	if scale(x, true); x[0][0] != 0 || x[1][0] != 0 {
		t.Errorf("%v", x)
	}
}

// The probe's loss by hand: −log σ(z) weighed, and half of λ|w|².
func TestLogisticLoss(t *testing.T) {
	got := logisticLoss([][]float64{{1}, {2}}, []float64{1, 0}, []float64{3, 5}, []float64{0.5})
	want := -3*math.Log(logistic(0.5)) - 5*math.Log(logistic(-1)) + 0.5*0.25
	if !close12(got, want) {
		t.Errorf("%g, expected %g", got, want)
	}
	if got = logisticLoss([][]float64{{1000}}, []float64{0}, []float64{1}, []float64{1}); !close12(got, 1000.5) { // without overflow
		t.Errorf("%g, expected 1000.5", got)
	}
}

func TestQuantilesByHand(t *testing.T) {
	if got := quantiles([]float64{9, 1, 5, 3, 7}); got != [5]float64{1, 3, 5, 7, 9} {
		t.Errorf("%v", got)
	}
	if got := quantiles([]float64{2, 1}); got != [5]float64{1, 1, 1, 1, 2} {
		t.Errorf("%v", got)
	}
}

// What the settings of an estimator may be at their bounds, and what they may not.
func TestBoundsOfEstimators(t *testing.T) {
	inf := math.Inf(1)
	for name, test := range map[string]struct {
		change func(*Estimator)
		ok     bool
	}{
		"as they are":       {func(*Estimator) {}, true},
		"no hidden units":   {func(e *Estimator) { e.Hidden = 0 }, true},
		"fewer than none":   {func(e *Estimator) { e.Hidden = -1 }, false},
		"one epoch":         {func(e *Estimator) { e.Epochs = 1 }, true},
		"no epoch":          {func(e *Estimator) { e.Epochs = 0 }, false},
		"batches of one":    {func(e *Estimator) { e.Batch = 1 }, true},
		"batches of none":   {func(e *Estimator) { e.Batch = 0 }, false},
		"no dropout":        {func(e *Estimator) { e.Dropout = 0 }, true},
		"less than none":    {func(e *Estimator) { e.Dropout = -0.1 }, false},
		"all dropped":       {func(e *Estimator) { e.Dropout = 1 }, false},
		"no rate":           {func(e *Estimator) { e.Rate = 0 }, false},
		"a boundless rate":  {func(e *Estimator) { e.Rate = inf }, false},
		"no decay":          {func(e *Estimator) { e.Decay = 0 }, true},
		"growth":            {func(e *Estimator) { e.Decay = -1 }, false},
		"a boundless decay": {func(e *Estimator) { e.Decay = inf }, false},
	} {
		e := NewEstimator()
		test.change(e)
		if err := e.Validate(); (err == nil) != test.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, test := range []struct {
		x  Observation
		ok bool
	}{
		{Observation{[]float64{1}, []float64{0}, 0}, true},
		{Observation{[]float64{1}, []float64{0}, 1}, true},
		{Observation{[]float64{1}, []float64{0}, -0.1}, false},
		{Observation{[]float64{1}, []float64{0}, math.NaN()}, false},
		{Observation{[]float64{}, []float64{}, 1}, false},
		{Observation{[]float64{1, 2}, []float64{0}, 1}, false},
		{Observation{[]float64{1}, []float64{0, 2}, 1}, false},
	} {
		e := &Estimator{Rate: 0.1, Epochs: 1, Batch: 1}
		if err := e.Fit([]Observation{test.x}, rand.New(rand.NewPCG(1, 2))); (err == nil) != test.ok {
			t.Errorf("%+v: %v", test.x, err)
		}
	}
}
