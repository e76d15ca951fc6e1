package main

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/floats"

	"github.com/agon-rl/agon/objective"
	"github.com/agon-rl/agon/play"
	"github.com/agon-rl/agon/trainer/run/report"
)

// objectiveClaims are those about losses.
var objectiveClaims = []claim{optimism, coverage, lengthBias, spinFixed, softLabels, robustLabels, robustSource}

// optimismWeights are the coefficients of log π of the third answer, in all.
var optimismWeights = []float64{0, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1}

// optimismBeta is β; rewards are judged at optimismScale, so that the best policy
// has log-ratios of optimismScale/β times the rewards.
const optimismBeta, optimismScale = 0.2, 5

// optimism is an online bandit whose best answer the reference hardly ever gives. With
// optimism answers of the reference become less likely, which leaves more to those that
// it does not give; once such a one is seen, its judgements do the rest.
var optimism = claim{
	id: "optimism", source: "2405.19332, 2405.19320, 2405.21046", seeds: 20,
	says:    "optimism (SELM, VPO, XPO) finds the answer that greedy learning misses, within a window of coefficients",
	setting: "ten answers, rewards in [0, 0.6], the best 1 with e⁻⁵ of the others' reference weight; DPO on line (β = 0.2) with Adam at 0.1, 60 rounds of 8 pairs, 10 steps each; third answers from the reference; found: the best one has more than ½ at the end",
	run: func(_ context.Context, seed uint64) (figures, error) {
		out := figures{}
		for _, weight := range optimismWeights {
			for name, best := range map[string]float64{"": 1, " misled": 0} {
				share, apart, err := explore(weight, best, 0, seed)
				if err != nil {
					return nil, err
				}
				out[fmt.Sprint(weight)+name] = share
				out["apart"] = math.Max(out["apart"], apart)
			}
		}
		for _, weight := range []float64{1e-3, 1e-1} {
			var err error
			if out[fmt.Sprint(weight, " plain")], _, err = explore(weight, 1, 5, seed); err != nil {
				return nil, err
			}
		}
		return out, nil
	},
	measures: []measure{
		{key: "0", what: "greedy: share of seeds that find it", share: true, expect: lessThan(0.5)},
		{key: "1e-05", what: "coefficient αβ = 0.00001: found", share: true},
		{key: "0.0001", what: "0.0001", share: true},
		{key: "0.001", what: "0.001", share: true, expect: moreThan(0.5)},
		{key: "0.01", what: "0.01", share: true},
		{key: "0.1", what: "0.1", share: true},
		{key: "1", what: "1", share: true},
		{key: "0.001 misled", what: "control, the rare answer is the worst: share that end there, coefficient 0.001", share: true, expect: lessThan(0.5)},
		{key: "0.01 misled", what: "control, 0.01", share: true},
		{key: "0.1 misled", what: "control, 0.1", share: true},
		{key: "1 misled", what: "control, 1", share: true},
		{key: "0.001 plain", what: "by plain gradient descent at 5 in place of Adam, 0.001: found", share: true},
		{key: "0.1 plain", what: "by plain gradient descent, 0.1", share: true},
		{key: "apart", what: "largest difference between the gradients of SELM, VPO and XPO", expect: lessThan(1e-12)},
	},
	panel: func(all []figures) report.Panel {
		panel := report.Panel{Title: "optimism: share of seeds", X: "log10 of the coefficient", Y: "share"}
		for _, line := range []struct{ name, key string }{{"the best answer is found", ""}, {"the worst one is taken", " misled"}} {
			s := report.Series{Name: line.name}
			for _, w := range optimismWeights[1:] {
				k := 0
				for _, f := range all {
					k += int(f[fmt.Sprint(w)+line.key])
				}
				i := play.Wilson(k, len(all))
				s.X, s.Y = append(s.X, math.Log10(w)), append(s.Y, float64(k)/float64(len(all)))
				s.Low, s.High = append(s.Low, i[0]), append(s.High, i[1])
			}
			panel.Series = append(panel.Series, s)
		}
		return panel
	},
}

// explore learns on line where the rare answer has a reward, and says whether the policy
// ends there, and how far the gradients of the three objectives ever lie apart. It learns
// by Adam, or by plain descent at a rate that is not 0.
func explore(weight, rare, plain float64, seed uint64) (found, apart float64, err error) {
	var same []objective.Pair // with that weight in all
	for _, text := range []string{
		fmt.Sprintf("xpo(beta=%g,alpha=%g)", optimismBeta, weight),
		fmt.Sprintf("selm(beta=%g,alpha=%g)", optimismBeta, weight/optimismBeta),
		fmt.Sprintf("vpo(beta=%g,alpha=%g)", optimismBeta, weight/optimismBeta),
	} {
		o, err := objective.Named(text)
		if err != nil {
			return 0, 0, err
		}
		same = append(same, o)
	}
	r := play.Generator(seed, "claims/optimism")
	rewards, reference := make([]float64, 10), make([]float64, 10)
	for i := range rewards {
		rewards[i] = 0.6 * r.Float64()
	}
	rewards[0], reference[0] = rare, -5
	floats.AddConst(-floats.LogSumExp(reference), reference)
	l := newLister(reference, nil, cmp.Or(plain, 0.1), plain == 0)
	base := l.probs()
	for range 60 {
		probs := l.probs()
		pairs := make([]preference, 8)
		for i := range pairs {
			pairs[i] = judgedPair(probs, rewards, optimismScale, r)
			pairs[i].extra = draw(base, r)
		}
		first, err := l.gradient(same[0], pairs, reference)
		if err != nil {
			return 0, 0, err
		}
		for _, o := range same[1:] {
			g, err := l.gradient(o, pairs, reference)
			if err != nil {
				return 0, 0, err
			}
			apart = math.Max(apart, floats.Distance(first, g, math.Inf(1)))
		}
		for range 10 {
			if err := l.learn(same[0], pairs, reference); err != nil {
				return 0, 0, err
			}
		}
	}
	if l.probs()[0] > 0.5 {
		found = 1
	}
	return found, apart, nil
}

// softLabels sets a hard label, which is wrong in a fifth of the pairs, against the
// share of judges as a soft one. One pair seen again and again: the hard loss of labels
// that all agree has no minimum, the soft one has its minimum at logit(q)/β.
var softLabels = claim{
	id: "osp-soft", source: "2405.14103",
	says:    "soft labels end at a finite margin, hard ones drive it on for ever",
	setting: "20 pairs; 5 judges a pair, right with 0.8; margins after 10,000 steps of descent, β = 0.1",
	seeds:   20,
	run: func(_ context.Context, seed uint64) (figures, error) {
		r := play.Generator(seed, "claims/osp")
		const beta, pairs, judges = 0.1, 20, 5
		out := figures{}
		for range pairs {
			votes := 0
			for range judges {
				if r.Float64() < 0.8 {
					votes++
				}
			}
			q := (float64(votes) + 0.5) / (judges + 1) // Krichevsky and Trofimov's estimate, never 0 or 1
			hard := 0.0
			if 2*votes > judges {
				hard = 1
			}
			to := func(label float64) func(float64) float64 {
				return func(x float64) float64 { return -beta * (label - sigmoid(beta*x)) }
			}
			soft, early, late := descend(to(q), 10000), descend(to(hard), 5000), descend(to(hard), 10000)
			out["distance"] += math.Abs(soft-math.Log(q/(1-q))/beta) / pairs
			out["growth"] += (math.Abs(late) - math.Abs(early)) / pairs
			out["hard"] += math.Abs(late) / pairs
			out["soft"] += math.Abs(soft) / pairs
		}
		return out, nil
	},
	measures: []measure{
		{key: "distance", what: "soft: distance of the margin from logit(q)/β", expect: lessThan(1e-6)},
		{key: "growth", what: "hard: growth of the margin over the second half", expect: moreThan(0.1)},
		{key: "soft", what: "soft: size of the margin"},
		{key: "hard", what: "hard: size of the margin"},
	},
}

func sigmoid(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

// descend runs gradient descent on one number from 0.
func descend(gradient func(float64) float64, steps int) float64 {
	x := 0.0
	for range steps {
		x -= 10 * gradient(x)
	}
	return x
}

// coverage is an offline bandit whose pairs show a part of the answers only. DPO is
// indifferent to the others, which go where their features carry them.
var coverage = claim{
	id: "coverage", source: "2406.01462, 2405.16436", seeds: 20,
	says:    "HyPO's KL on own samples and RPO's imitation keep the policy where the data are, as DPO does not",
	setting: "50 answers with 10 random features each; 200 labelled pairs of 10 of them, which the reference gives with 0.9; log-linear policies, β = 0.1, 1,000 steps of Adam at 0.03",
	run: func(_ context.Context, seed uint64) (figures, error) {
		r := play.Generator(seed, "claims/coverage")
		const answers, covered, width = 50, 10, 10
		features, rewards, reference := make([][]float64, answers), make([]float64, answers), make([]float64, answers)
		for i := range features {
			for range width {
				features[i] = append(features[i], r.NormFloat64())
			}
			rewards[i] = r.NormFloat64()
			if reference[i] = math.Log(0.1 / (answers - covered)); i < covered {
				reference[i] = math.Log(0.9 / covered)
			}
		}
		seen := make([]float64, answers)
		for i := range covered {
			seen[i] = 1. / covered
		}
		pairs := make([]preference, 200)
		for i := range pairs {
			pairs[i] = judgedPair(seen, rewards, 1, r)
		}
		pairs = merged(pairs)
		out := figures{}
		for _, text := range []string{
			"dpo(beta=0.1)", "hypo-hybrid(beta=0.1,lambda=0.01)", "hypo-hybrid(beta=0.1,lambda=0.1)",
			"rpo-regularized(beta=0.1,eta=0.05)", "rpo-regularized(beta=0.1,eta=0.5)",
		} {
			o, err := objective.Named(text)
			if err != nil {
				return nil, err
			}
			l := newLister(reference, features, 0.03, true)
			for range 1000 {
				if o.Third != 0 {
					probs := l.probs()
					for i := range pairs {
						pairs[i].extra = draw(probs, r)
					}
				}
				if err := l.learn(o, pairs, reference); err != nil {
					return nil, err
				}
			}
			for i := range pairs {
				pairs[i].extra = -1
			}
			out[text+" kl"] = kl(l.logs(), reference)
			out[text+" unseen"] = 1 - floats.Sum(l.probs()[:covered])
			out[text+" reward"] = floats.Dot(l.probs(), rewards)
		}
		for _, what := range []string{" kl", " unseen"} {
			out["hypo"+what] = out["dpo(beta=0.1)"+what] - out["hypo-hybrid(beta=0.1,lambda=0.1)"+what]
			out["rpo"+what] = out["dpo(beta=0.1)"+what] - out["rpo-regularized(beta=0.1,eta=0.5)"+what]
		}
		return out, nil
	},
	measures: []measure{
		{key: "hypo kl", what: "HyPO, λ = 0.1: KL from the reference below DPO's", expect: moreThan(0)},
		{key: "hypo unseen", what: "its mass on answers that no pair shows, below DPO's", expect: moreThan(0)},
		{key: "rpo unseen", what: "RPO, η = 0.5: that mass below DPO's", expect: moreThan(0)},
		{key: "rpo kl", what: "its KL below DPO's"},
		{key: "dpo(beta=0.1) kl", what: "KL: DPO"},
		{key: "hypo-hybrid(beta=0.1,lambda=0.01) kl", what: "KL: HyPO, λ = 0.01"},
		{key: "hypo-hybrid(beta=0.1,lambda=0.1) kl", what: "KL: HyPO, λ = 0.1"},
		{key: "rpo-regularized(beta=0.1,eta=0.05) kl", what: "KL: RPO, η = 0.05"},
		{key: "rpo-regularized(beta=0.1,eta=0.5) kl", what: "KL: RPO, η = 0.5"},
		{key: "dpo(beta=0.1) unseen", what: "mass on unseen answers: DPO"},
		{key: "hypo-hybrid(beta=0.1,lambda=0.01) unseen", what: "unseen: HyPO, λ = 0.01"},
		{key: "hypo-hybrid(beta=0.1,lambda=0.1) unseen", what: "unseen: HyPO, λ = 0.1"},
		{key: "rpo-regularized(beta=0.1,eta=0.05) unseen", what: "unseen: RPO, η = 0.05"},
		{key: "rpo-regularized(beta=0.1,eta=0.5) unseen", what: "unseen: RPO, η = 0.5"},
	},
}

// typist writes answers of good and bad tokens: each is good with probability σ(θ_0), and
// after the t-th the answer ends with probability σ(θ_t), after the last for sure.
type typist []float64

const longestAnswer = 12

// written is an answer: its good tokens, of how many.
type written struct{ good, length int }

func (y typist) write(r *rand.Rand) (w written) {
	for w.length = 1; ; w.length++ {
		if r.Float64() < sigmoid(y[0]) {
			w.good++
		}
		if w.length == longestAnswer || r.Float64() < sigmoid(y[w.length]) {
			return w
		}
	}
}

// logp is the log-probability of an answer, and its gradient by θ.
func (y typist) logp(w written) (sum float64, gradient []float64) {
	gradient = make([]float64, len(y))
	good := sigmoid(y[0])
	sum = float64(w.good)*math.Log(good) + float64(w.length-w.good)*math.Log(1-good)
	gradient[0] = float64(w.good) - float64(w.length)*good
	for t := 1; t <= min(w.length, longestAnswer-1); t++ {
		end := sigmoid(y[t])
		if t == w.length {
			sum, gradient[t] = sum+math.Log(end), 1-end
		} else {
			sum, gradient[t] = sum+math.Log(1-end), -end
		}
	}
	return sum, gradient
}

// length is the mean length.
func (y typist) length() (mean float64) {
	left := 1.0
	for t := 1; t <= longestAnswer; t++ {
		mean += left
		if t < longestAnswer {
			left *= 1 - sigmoid(y[t])
		}
	}
	return mean
}

// lengthBias trains on judgements that like long answers, until four in five tokens are
// good, and looks at how long answers have become by then.
var lengthBias = claim{
	id: "length", source: "2405.14734", seeds: 10,
	says:    "on judgements that like length, SimPO's answers grow less than DPO's",
	setting: "answers of 1 to 12 good or bad tokens, 4.7 on average; P(a ≻ b) = σ(4·Δ share good + 0.15·Δ length); 500 pairs of the reference; Adam at 0.02 until 0.8 of tokens are good (0.5 at first); DPO β = 0.1, SimPO β = 2, γ = 1",
	run: func(_ context.Context, seed uint64) (figures, error) {
		r := play.Generator(seed, "claims/length")
		reference := make(typist, longestAnswer)
		for t := 1; t < longestAnswer; t++ {
			reference[t] = -math.Log(4) // ends with 0.2
		}
		pairs := make([][2]written, 500)
		for i := range pairs {
			a, b := reference.write(r), reference.write(r)
			quality := func(w written) float64 { return float64(w.good) / float64(w.length) }
			if r.Float64() >= sigmoid(4*(quality(a)-quality(b))+0.15*float64(a.length-b.length)) {
				a, b = b, a
			}
			pairs[i] = [2]written{a, b}
		}
		out := figures{}
		for _, text := range []string{"dpo", "sigmoid-norm", "simpo"} {
			y, steps, err := typed(text, reference, pairs)
			if err != nil {
				return nil, err
			}
			out[text], out[text+" steps"] = y.length()-reference.length(), steps
		}
		out["difference"] = out["dpo"] - out["simpo"]
		return out, nil
	},
	measures: []measure{
		{key: "difference", what: "tokens that DPO's answers grow by beyond SimPO's", expect: moreThan(0)},
		{key: "simpo", what: "growth: SimPO", expect: lessThan(0.5)},
		{key: "dpo", what: "growth: DPO"},
		{key: "sigmoid-norm", what: "growth: DPO with log-ratios divided by length"},
	},
}

// typed learns until 0.8 of tokens are good, and says in how many steps.
func typed(text string, reference typist, pairs [][2]written) (y typist, steps float64, err error) {
	o, err := objective.Named(text)
	if err != nil {
		return nil, 0, err
	}
	y = slices.Clone(reference)
	optimizer := &adam{m: make([]float64, len(y)), v: make([]float64, len(y))}
	batch := make([]objective.Preference, len(pairs))
	for steps = 0; sigmoid(y[0]) < 0.8; steps++ {
		if steps == 20000 {
			return nil, 0, fmt.Errorf("%s: %.3f of tokens are good after %g steps", text, sigmoid(y[0]), steps)
		}
		gradients := make([][2][]float64, len(pairs))
		for i, pair := range pairs {
			var sequences [2]objective.Sequence
			for k, w := range pair {
				logp, g := y.logp(w)
				base, _ := reference.logp(w)
				sequences[k] = objective.Sequence{LogP: []float64{logp}, Ref: [][]float64{{base}}, Tokens: float64(w.length)}
				gradients[i][k] = g
			}
			batch[i] = objective.Preference{Chosen: sequences[0], Rejected: sequences[1]}
		}
		result, err := o.Evaluate(batch)
		if err != nil {
			return nil, 0, err
		}
		total := make([]float64, len(y))
		for i, push := range result.Grads {
			for k, p := range []float64{push.Chosen, push.Rejected} {
				if o.PerToken { // by the mean log-probability
					p /= float64(pairs[i][k].length)
				}
				floats.AddScaled(total, p, gradients[i][k])
			}
		}
		optimizer.scale(total)
		floats.AddScaled(y, -0.02, total)
	}
	return y, steps, nil
}

// spinFixed runs SPIN on whole distributions: demonstrations and own answers weigh as
// their probabilities do, so there is no noise of samples.
var spinFixed = claim{
	id: "spin", source: "2401.01335", seeds: 20,
	says:    "SPIN stands still where the policy is the data, and comes nearer to them with each iteration",
	setting: "eight answers, data and start at random; 20 iterations on whole distributions; each loss followed to its end (500 steps), or for 50 steps",
	run: func(_ context.Context, seed uint64) (figures, error) {
		r := play.Generator(seed, "claims/spin")
		data, start := randomLogs(8, r), randomLogs(8, r)
		out := figures{}
		for _, run := range []struct {
			key, text string
			steps     int
		}{
			{"logistic", "spin(beta=1)", 500}, {"hinge", "spin(beta=1,loss=hinge)", 50},
			{"released", "spin(beta=0.1)", 500}, {"released, short", "spin(beta=0.1)", 50},
		} {
			o, err := objective.Named(run.text)
			if err != nil {
				return nil, err
			}
			still := newLister(data, nil, 0, false)
			g, err := still.gradient(o, demonstrated(data, data), data)
			if err != nil {
				return nil, err
			}
			out["still"] = math.Max(out["still"], floats.Norm(g, math.Inf(1)))
			policy, before := start, kl(data, start)
			for range 20 {
				l := newLister(policy, nil, 1, false)
				for range run.steps {
					if err := l.learn(o, demonstrated(data, policy), policy); err != nil {
						return nil, err
					}
				}
				policy = l.logs()
				after := kl(data, policy)
				out[run.key+" rise"] = math.Max(out[run.key+" rise"], after-before)
				before = after
			}
			out[run.key+" kl"] = before
		}
		return out, nil
	},
	measures: []measure{
		{key: "still", what: "largest gradient where the policy is the data, both losses", expect: lessThan(1e-12)},
		{key: "logistic rise", what: "logistic, λ = 1: largest rise of KL(data ‖ policy) in an iteration", expect: lessThan(1e-9)},
		{key: "logistic kl", what: "its KL at last", expect: lessThan(0.01)},
		{key: "hinge rise", what: "hinge, λ = 1, 50 steps: largest rise"},
		{key: "hinge kl", what: "its KL at last"},
		{key: "released rise", what: "logistic, λ = 0.1, 500 steps: largest rise"},
		{key: "released kl", what: "its KL at last"},
		{key: "released, short rise", what: "λ = 0.1, 50 steps: largest rise"},
		{key: "released, short kl", what: "its KL at last"},
	},
}

func randomLogs(n int, r *rand.Rand) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = r.NormFloat64()
	}
	floats.AddConst(-floats.LogSumExp(out), out)
	return out
}

// demonstrated are all pairs of an answer of the data with one of the policy.
func demonstrated(data, policy []float64) (pairs []preference) {
	for i, p := range data {
		for j, q := range policy {
			pairs = append(pairs, preference{chosen: i, rejected: j, extra: -1, weight: math.Exp(p+q) * float64(len(data)*len(policy))})
		}
	}
	return pairs
}

// robustLabels flips three labels in ten, and knows that it does.
var robustLabels = claim{
	id: "robust-dpo", source: "2403.00409", seeds: 20,
	says:    "with a known share of flipped labels robust DPO finds the margins of clean ones, where DPO shrinks them",
	setting: "six answers, rewards in [−½, ½]; 2,000 labels on each of 15 pairs, 0.3 of them flipped; tables, β = 1, followed to their end",
	run: func(_ context.Context, seed uint64) (figures, error) {
		r := play.Generator(seed, "claims/robust")
		rewards := make([]float64, 6)
		for i := range rewards {
			rewards[i] = r.Float64() - 0.5
		}
		var pairs []preference
		for a := range rewards {
			for b := range a {
				wins := 0.0
				for range 2000 {
					if (r.Float64() < sigmoid(rewards[a]-rewards[b])) != (r.Float64() < 0.3) {
						wins++
					}
				}
				pairs = append(pairs, preference{chosen: a, rejected: b, extra: -1, weight: wins}, preference{chosen: b, rejected: a, extra: -1, weight: 2000 - wins})
			}
		}
		for i := range pairs {
			pairs[i].weight /= 1000
		}
		out := figures{}
		for _, text := range []string{"dpo(beta=1)", "cdpo(beta=1,smoothing=0.3)", "robust-dpo(beta=1,smoothing=0.3)"} {
			o, err := objective.Named(text)
			if err != nil {
				return nil, err
			}
			reference := make([]float64, len(rewards))
			floats.AddConst(-floats.LogSumExp(reference), reference)
			l := newLister(reference, nil, 3, false)
			for range 2000 {
				if err := l.learn(o, pairs, reference); err != nil {
					return nil, err
				}
			}
			// The slope of found margins over true ones: 1 where none is shrunk.
			var product, square float64
			for a := range rewards {
				for b := range a {
					d := rewards[a] - rewards[b]
					product, square = product+d*(l.theta[a]-l.theta[b]), square+d*d
				}
			}
			out[o.Name] = product / square
		}
		return out, nil
	},
	measures: []measure{
		{key: "robust-dpo", what: "robust DPO: found margins over true ones, a slope", expect: between(0.9, 1.1)},
		{key: "dpo", what: "DPO: the slope (0.4 is 1 − 2ε)", expect: lessThan(0.6)},
		{key: "cdpo", what: "cDPO with ε = 0.3: the slope"},
	},
}

// robustSource learns from pairs of two sources, which draw the same answers with other
// weights, under a judge whose preferences no reward explains.
var robustSource = claim{
	id: "srpo", source: "2406.01660", seeds: 20,
	says:    "SRPO's policy does not depend on where its pairs come from, IPO's does",
	setting: "five answers, random preferences and reference; whole distributions of pairs from two sources μ, weights of answers within a factor of 4; β = 0.5, tables, 1,000 steps of descent",
	run: func(_ context.Context, seed uint64) (figures, error) {
		r := play.Generator(seed, "claims/srpo")
		const answers = 5
		table := make([][answers]float64, answers)
		for i := range table {
			table[i][i] = 0.5
			for j := range i {
				table[i][j] = r.Float64()
				table[j][i] = 1 - table[i][j]
			}
		}
		reference := randomLogs(answers, r)
		out := figures{}
		for name, learn := range map[string]func(mu []float64) ([]float64, error){
			"ipo":  func(mu []float64) ([]float64, error) { return byIPO(table, reference, mu) },
			"srpo": func(mu []float64) ([]float64, error) { return bySRPO(table, reference, mu) },
		} {
			var policies [2][]float64
			for k := range policies {
				mu := make([]float64, answers)
				source := play.Generator(seed, "claims/srpo/source", uint64(k))
				for i := range mu {
					mu[i] = math.Pow(4, source.Float64())
				}
				floats.Scale(1/floats.Sum(mu), mu)
				var err error
				if policies[k], err = learn(mu); err != nil {
					return nil, err
				}
			}
			out[name] = floats.Distance(policies[0], policies[1], 1) / 2
		}
		return out, nil
	},
	measures: []measure{
		{key: "srpo", what: "SRPO: total variation between the policies of two sources", expect: lessThan(0.001)},
		{key: "ipo", what: "IPO: the same", expect: moreThan(0.01)},
	},
}

const sourceBeta, sourceSteps = 0.5, 1000

// byIPO regresses differences of log-ratios on preferences.
func byIPO(table [][5]float64, reference, mu []float64) ([]float64, error) {
	o, err := objective.Named(fmt.Sprintf("ipo(beta=%g,normalize=false)", sourceBeta))
	if err != nil {
		return nil, err
	}
	var pairs []preference
	for i, p := range mu {
		for j, q := range mu {
			pairs = append(pairs, preference{chosen: i, rejected: j, extra: -1, target: &table[i][j], weight: p * q * float64(len(mu)*len(mu))})
		}
	}
	l := newLister(reference, nil, 0.5, false)
	for range sourceSteps {
		if err := l.learn(o, pairs, reference); err != nil {
			return nil, err
		}
	}
	return l.probs(), nil
}

// bySRPO learns an improver, a policy for each answer that it is shown, and from it the
// policy whose answers the improver has the least to add to.
func bySRPO(table [][5]float64, reference, mu []float64) ([]float64, error) {
	o, err := objective.Named(fmt.Sprintf("srpo-robust(beta=%g)", sourceBeta))
	if err != nil {
		return nil, err
	}
	kept := make([]float64, len(mu)) // log-ratio of the improver that keeps the answer it is shown
	for shown := range mu {
		var pairs []preference
		for i, p := range mu {
			pairs = append(pairs, preference{chosen: i, rejected: shown, extra: -1, target: &table[i][shown], weight: p * float64(len(mu))})
		}
		l := newLister(reference, nil, 0.5, false)
		for range sourceSteps {
			if err := l.learn(o, pairs, reference); err != nil {
				return nil, err
			}
		}
		kept[shown] = l.logs()[shown] - reference[shown]
	}
	even := 0.5
	var pairs []preference
	for i, p := range mu {
		for j, q := range mu {
			margin := sourceBeta * (kept[i] - kept[j])
			pairs = append(pairs, preference{chosen: i, rejected: j, extra: -1, target: &even, margin: &margin, weight: p * q * float64(len(mu)*len(mu))})
		}
	}
	l := newLister(reference, nil, 0.5, false)
	for range sourceSteps {
		if err := l.learn(o, pairs, reference); err != nil {
			return nil, err
		}
	}
	return l.probs(), nil
}
