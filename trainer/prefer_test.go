package trainer_test

import (
	"bytes"
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/objective"
	"github.com/agon-rl/agon/policy"
	"github.com/agon-rl/agon/solve"
	"github.com/agon-rl/agon/trainer"
)

// preferring is a small run that learns from preferences between games.
const preferring = `
version: 1
game: sequence(length=3,symbols=3)
updates: 10
games: 32
group: 16
policy: {kind: mlp, hidden: [16]}
objective: {name: none, epochs: 2, minibatches: 2}
preferences: {objective: dpo, samples: 4}
optimizer: {rate: 0.003}
evaluate: {every: 4}
checkpoint: {every: 3, keep: 4}
`

// Whatever preferences are made of: the same bytes with any number of workers, and
// when the run is stopped and resumed.
func TestPreferencesTeach(t *testing.T) {
	for name, settings := range map[string][]string{
		"dpo":          nil,
		"every":        {"preferences.reference=every(4)", "preferences.pairs=best_worst"},
		"ema":          {"preferences.reference=ema(decay=0.5)", "preferences.pairs=random(n=3)", "preferences.judge=drawn"},
		"geometric":    {"preferences.reference=geometric(weight=0.2)", "preferences.judge=outcome"},
		"extrapolated": {"preferences.reference=extrapolated(alpha=0.3)"},
		"inpo":         {"preferences.objective=inpo"},
		"half":         {"preferences.objective=online-ipo", "opponents=half-step"},
		"mixture":      {"preferences.objective=online-ipo", "opponents=mixture(weight=0.2)", "preferences.reference=ema"},
		"queue":        {"preferences.objective=sppo", "opponents=queue(size=50,drawn=3)"},
		"population":   {"preferences.objective=sppo", "opponents=past(share=1,every=2,keep=3)"},
		"reward":       {"preferences.objective=reward", "objective.name=ppo", "opponents=queue(size=50,drawn=3)"},
		"spin":         {"preferences.demonstrations=random", "preferences.reference=previous"},
		"kuhn":         {"game=kuhn_poker", "preferences.judge=drawn", "preferences.demonstrations=cfr:iterations=10"},
		"leduc":        {"game=leduc_poker", "preferences.objective=sppo", "opponents=queue"},
		"board":        {"game=tic_tac_toe", "preferences.objective=inpo", "evaluate.exploitability=off"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			whole := create(t, preferring, settings...)
			result, err := train(t.Context(), whole, options(t, 1))
			if err != nil {
				t.Fatal(err)
			}
			if _, shown := result.Final["queries"]; !shown || result.Final["queries"] == 0 && name != "spin" && name != "kuhn" {
				t.Errorf("the judge was never asked: %v", result.Final)
			}
			if result.Final["gradient_norm"] == 0 {
				t.Errorf("nothing was learnt: %v", result.Final)
			}
			for _, cut := range []struct {
				at, workers int
			}{{5, 2}, {8, 8}} {
				resumed(t, whole, create(t, preferring, settings...), cut.at, cut.workers)
			}
		})
	}
}

// Every objective of package objective trains by its name, on every kind of game.
func TestEveryObjectiveTrains(t *testing.T) {
	for _, entry := range objective.Entries() {
		t.Run(entry.Name, func(t *testing.T) {
			t.Parallel()
			for _, game := range []string{"sequence(length=3,symbols=3)", "kuhn_poker", "leduc_poker", "tic_tac_toe"} {
				result, err := train(t.Context(), create(t, preferring, "preferences.objective="+entry.Name, "game="+game,
					"updates=2", "evaluate.exploitability=off", "objective.minibatches=1"), options(t, 1))
				if err != nil {
					t.Fatalf("%s: %v", game, err)
				}
				if g := result.Final["gradient_norm"]; !(g > 0) {
					t.Errorf("%s: gradient %g", game, g)
				}
			}
		})
	}
}

// resumed stops a run after an update, goes on with other workers, and compares it
// with one that was not stopped.
func resumed(t *testing.T, whole, stopped string, at, workers int) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	halfway := options(t, workers)
	halfway.Progress = func(p trainer.Progress) {
		if p.Update == at {
			cancel()
		}
	}
	if _, err := train(ctx, stopped, halfway); err == nil {
		t.Fatal("the run was not stopped")
	}
	if _, err := train(t.Context(), stopped, options(t, 2)); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"metrics.jsonl", "checkpoints/00000010/policy.safetensors"} {
		a, err := os.ReadFile(filepath.Join(whole, file))
		if err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(filepath.Join(stopped, file))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(a, b) {
			t.Errorf("stopped at %d, %d workers: %s differs", at, workers, file)
		}
	}
}

// The slopes of an objective's closed form, in the graph, are the gradient of the same
// objective as a graph.
func TestSlopesAreTheGradient(t *testing.T) {
	l := newLesson(t, goBackend(t), "kuhn_poker", kuhnNet, 0.5)
	step := func(i int, shift float32) *policy.Step {
		s := *l.turns[i].Step
		s.LogProb += shift // of a reference
		return &s
	}
	comparisons := []policy.Comparison{
		{Chosen: []*policy.Step{step(0, 0.3), step(1, -0.2)}, Rejected: []*policy.Step{step(2, 0.5)}},
		{Chosen: []*policy.Step{step(3, -0.4)}, Rejected: []*policy.Step{step(4, 0.1), step(5, 0.6), step(6, 0)}},
	}
	for _, name := range []string{"dpo(beta=0.7)", "cdpo", "hinge", "ipo(normalize=false)", "robust-dpo", "nca", "apo-zero", "discopop", "exo", "sppo(beta=0.5)", "online-ipo", "spo-minimax"} {
		o, err := objective.Named(name)
		if err != nil {
			t.Fatal(err)
		}
		u, err := trainer.NewUpdater(l.model, adam, l.weights, false, trainer.Comparisons(o), trainer.Trajectories())
		if err != nil {
			t.Fatal(err)
		}
		whole, err := policy.NewComparisonBatch(l.model, comparisons)
		if err != nil {
			t.Fatal(err)
		}
		want, err := u.Gradient("comparisons", whole, trainer.Coefficients{})
		if err != nil {
			t.Fatal(err)
		}
		var steps []*policy.Step
		for _, c := range comparisons {
			steps = append(append(steps, c.Chosen...), c.Rejected...)
		}
		batch, err := policy.NewTrajectoryBatch(l.model, steps)
		if err != nil {
			t.Fatal(err)
		}
		logProbs, err := u.LogProbs(batch)
		if err != nil {
			t.Fatal(err)
		}
		next := 0
		sequence := func(some []*policy.Step) (s objective.Sequence) {
			s.Ref = make([][]float64, 1)
			for _, x := range some {
				s.LogP, s.Ref[0] = append(s.LogP, float64(logProbs[next])), append(s.Ref[0], float64(x.LogProb))
				next++
			}
			return s
		}
		var pairs []objective.Preference
		for _, c := range comparisons {
			e := objective.Preference{Chosen: sequence(c.Chosen), Rejected: sequence(c.Rejected)}
			if o.OfWinRates() {
				e.Q = &[2]float64{1, 0}
			}
			pairs = append(pairs, e)
		}
		result, err := o.Evaluate(pairs)
		if err != nil {
			t.Fatal(err)
		}
		var slopes []float32
		for i, c := range comparisons {
			slopes = append(slopes, slices.Repeat([]float32{float32(result.Grads[i].Chosen)}, len(c.Chosen))...)
			slopes = append(slopes, slices.Repeat([]float32{float32(result.Grads[i].Rejected)}, len(c.Rejected))...)
		}
		if err := batch.Slopes(slopes); err != nil {
			t.Fatal(err)
		}
		got, err := u.Gradient("trajectories", batch, trainer.Coefficients{})
		if err != nil {
			t.Fatal(err)
		}
		var wrong, size float64
		for i := range want {
			wrong += math.Pow(float64(got[i]-want[i]), 2)
			size += math.Pow(float64(want[i]), 2)
		}
		if part := math.Sqrt(wrong / size); !(part < 1e-4) {
			t.Errorf("%s: the gradients differ by %.2g of their norm", name, part)
		}
		if err := errors.Join(whole.Close(), batch.Close()); err != nil {
			t.Error(err)
		}
	}
}

// On a contest small enough for tables the sampled objectives end where their exact
// updates do: at the regularised equilibrium, which solves π ∝ ref·exp(P/τ), with all
// answers' probabilities. Opponents and references do what they say.
func TestSampledObjectivesEndAtTheirFixedPoint(t *testing.T) {
	const name, tau = "sequence(length=2,symbols=3)", 0.1
	game, err := games.New(name)
	if err != nil {
		t.Fatal(err)
	}
	contest := game.(games.Contest)
	n := contest.Answers()
	want, earns := slices.Repeat([]float64{1 / float64(n)}, n), make([]float64, n)
	for range 2000 { // averaged, the map is a contraction here
		contest.Earnings(earns, want)
		sum := 0.0
		next := make([]float64, n)
		for i, x := range earns {
			next[i] = math.Exp(x / 2 / tau)
			sum += next[i]
		}
		for i := range want {
			want[i] += 0.1 * (next[i]/sum - want[i])
		}
	}
	exact := solve.ContestReport(contest, want, want).Exploitability
	for method, settings := range map[string][]string{
		"inpo": {"preferences.objective=inpo(eta=0.5,ratio=0.2)"},
		"egpo": {"preferences.objective=online-ipo(beta=0.1)", "opponents=half-step"},
	} {
		dir := create(t, preferring, append(settings, "game="+name, "policy={kind: table}", "updates=150", "games=128", "group=128",
			"objective.epochs=4", "objective.minibatches=1", "optimizer.rate=linear(0.03,0.001)", "evaluate.every=150")...)
		result, err := train(t.Context(), dir, options(t, 2))
		if err != nil {
			t.Fatal(err)
		}
		got := result.Final["exploitability"]
		t.Logf("%s: exploitability %.4f, exact %.4f", method, got, exact)
		if math.Abs(got-exact) > 0.03 {
			t.Errorf("%s: exploitability %.4f, exact %.4f", method, got, exact)
		}
	}
}
