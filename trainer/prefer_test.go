package trainer_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"

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
		"every":        {"preferences.reference=every(n=4)", "preferences.pairs=best_worst"},
		"ema":          {"preferences.reference=ema(decay=0.5)", "preferences.pairs=random(n=3)", "preferences.judge=drawn"},
		"geometric":    {"preferences.reference=geometric(weight=0.2)", "preferences.judge=outcome"},
		"extrapolated": {"preferences.reference=extrapolated(alpha=0.3)"},
		"inpo":         {"preferences.objective=inpo"},
		"half":         {"preferences.objective=online-ipo", "opponents=half"},
		"mixture":      {"preferences.objective=online-ipo", "opponents=mixture(weight=0.2)", "preferences.reference=ema"},
		"queue":        {"preferences.objective=sppo", "opponents=queue(size=50,drawn=3)"},
		"population":   {"preferences.objective=sppo", "opponents=past(share=1,every=2,keep=3)"},
		"spo":          {"preferences.objective=spo", "objective.name=ppo", "opponents=queue(size=50,drawn=3)"},
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
			if result.Final["queries"] == 0 && name != "spin" {
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
