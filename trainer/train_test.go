package trainer_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	_ "github.com/agon-rl/agon/games/standard"
	"github.com/agon-rl/agon/play"
	"github.com/agon-rl/agon/policy/backend"
	"github.com/agon-rl/agon/prefs"
	"github.com/agon-rl/agon/trainer"
	"github.com/agon-rl/agon/trainer/run"
)

// small is a run of a second or two that uses every part that a checkpoint
// must hold: moving baselines, optimizer moments, a magnet that is a copy, a
// league of past selves, the guard.
const small = `
version: 2
game: kuhn_poker
updates: 40
games: 96
group: 32
policy: {kind: mlp, hidden: [16]}
advantage: rae
epochs: 2
minibatches: 2
entropy: linear(0.01,0)
value: 0.1
magnet: {kind: copy, weight: 0.05, every: 7}
optimizer: {rate: 0.003}
opponents: league(share=0.5,every=6,keep=3)
evaluate: {every: 10, against: [random], games: 60}
guard: {every: 5, games: 40}
checkpoint: {every: 8, keep: 4}
`

func goBackend(t testing.TB) backend.Backend {
	t.Helper()
	b, _, err := backend.Open("go")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func create(t *testing.T, recipe string, settings ...string) string {
	t.Helper()
	r, err := trainer.ReadRecipe([]byte(recipe), settings)
	if err != nil {
		t.Fatal(err)
	}
	text, err := r.YAML()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "run")
	folder, err := run.Create(dir, text)
	if err != nil {
		t.Fatal(err)
	}
	if err := folder.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

// train runs the run in dir to its end, from wherever it stands.
func train(ctx context.Context, dir string, options trainer.Options) (trainer.Result, error) {
	folder, err := run.Resume(dir)
	if err != nil {
		return trainer.Result{}, err
	}
	defer folder.Close()
	return trainer.Train(ctx, folder, options)
}

func options(t testing.TB, workers int) trainer.Options {
	return trainer.Options{Backend: goBackend(t), Workers: workers, Log: zerolog.New(zerolog.NewTestWriter(t))}
}

func finish(t *testing.T, dir string, workers int) {
	t.Helper()
	if _, err := train(t.Context(), dir, options(t, workers)); err != nil {
		t.Fatal(err)
	}
}

// outcome is all that a run leaves behind of learning: metrics and the files of
// the last checkpoint.
func outcome(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	metrics, err := os.ReadFile(filepath.Join(dir, run.MetricsFile))
	if err != nil {
		t.Fatal(err)
	}
	out["metrics"] = metrics
	folder, err := run.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	c, err := folder.Latest(func(err error) { t.Error(err) })
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range c.Files() {
		if out[name], err = c.ReadFile(name); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

func same(t *testing.T, what string, want, got map[string][]byte) {
	t.Helper()
	if len(want) != len(got) {
		t.Errorf("%s: %d files, want %d", what, len(got), len(want))
	}
	for name, content := range want {
		if !bytes.Equal(content, got[name]) {
			t.Errorf("%s: %s differs", what, name)
		}
	}
}

func TestSameSeedSameBytes(t *testing.T) {
	first, second, other := create(t, small), create(t, small), create(t, small, "seed=2")
	finish(t, first, 1)
	finish(t, second, 1)
	finish(t, other, 1)
	want := outcome(t, first)
	same(t, "the same seed", want, outcome(t, second))
	if bytes.Equal(want["metrics"], outcome(t, other)["metrics"]) {
		t.Error("another seed gives the same metrics")
	}
	if lines := bytes.Count(want["metrics"], []byte("\n")); lines != 40 {
		t.Errorf("%d lines of metrics, want 40: one an update", lines)
	}
}

func TestWorkersChangeNothing(t *testing.T) {
	dir := create(t, small)
	finish(t, dir, 1)
	want := outcome(t, dir)
	for _, workers := range []int{2, 8} {
		dir := create(t, small)
		finish(t, dir, workers)
		same(t, fmt.Sprintf("%d workers", workers), want, outcome(t, dir))
	}
}

// A run that a person stops again and again ends as if it had not been.
func TestStoppedAndResumed(t *testing.T) {
	straight, stopped := create(t, small), create(t, small)
	finish(t, straight, 2)
	for at := 3; ; at += 5 {
		ctx, cancel := context.WithCancel(t.Context())
		o := options(t, 2)
		o.Progress = func(p trainer.Progress) {
			if p.Update == at {
				cancel()
			}
		}
		_, err := train(ctx, stopped, o)
		cancel()
		if err == nil {
			break
		}
		if ctx.Err() == nil {
			t.Fatal(err)
		}
	}
	same(t, "stopped and resumed", outcome(t, straight), outcome(t, stopped))
}

const childEnv = "AGON_TEST_TRAIN_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childEnv); dir != "" {
		b, _, err := backend.Open("go")
		if err == nil {
			_, err = train(context.Background(), dir, trainer.Options{Backend: b, Workers: 2, Log: zerolog.New(os.Stderr)})
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// Killed at twenty random moments, a run ends byte for byte as if it had not
// been.
func TestKilledAndResumed(t *testing.T) {
	killed(t, small, "updates=200", "checkpoint.every=3")
}

// So does one that learns from preferences, with a queue of earlier answers, networks
// of earlier updates and a reference that moves.
func TestPreferencesKilledAndResumed(t *testing.T) {
	killed(t, preferring, "updates=200", "checkpoint.every=3", `learn=[{from: preferences, loss: 'mnpo(weights="0.5,0.3,0.2")'}]`, "preferences.pairs=best_worst",
		"preferences.reference=ema(decay=0.9)", "opponents=queue(size=50,drawn=3)", "preferences.judge=drawn")
}

func killed(t *testing.T, recipe string, settings ...string) {
	t.Helper()
	straight, killed := create(t, recipe, settings...), create(t, recipe, settings...)
	began := time.Now()
	finish(t, straight, 2)
	whole := time.Since(began)
	child := func() *exec.Cmd {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), childEnv+"="+killed)
		var stderr strings.Builder
		cmd.Stderr = &stderr
		t.Cleanup(func() {
			if strings.Contains(stderr.String(), "panic") {
				t.Error(stderr.String())
			}
		})
		return cmd
	}
	r := play.Generator(uint64(time.Now().UnixNano()), "kills")
	kills := 0
	for kills < 20 {
		cmd := child()
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		done := make(chan error, 1)
		go func() { done <- cmd.Wait() }()
		select {
		case <-time.After(time.Duration(r.Float64() * float64(whole) / 15)):
			if err := cmd.Process.Kill(); err == nil {
				kills++
			}
			<-done
		case err := <-done:
			if err != nil {
				t.Fatal(err)
			}
			// It came to its end between two kills: the next ones fall on another.
			same(t, fmt.Sprintf("finished after %d kills", kills), outcome(t, straight), outcome(t, killed))
			killed = create(t, recipe, settings...)
		}
	}
	if err := child().Run(); err != nil {
		t.Fatal(err)
	}
	same(t, "killed and resumed", outcome(t, straight), outcome(t, killed))
}

// searching is a small run that a search teaches.
const searching = `
version: 2
game: tic_tac_toe
updates: 8
games: 32
group: 16
policy: {kind: mlp, hidden: [32]}
learn: [{from: search, loss: visits}]
epochs: 2
minibatches: 2
value: 1
magnet: {kind: copy, every: 3}
search: {agent: "mcts:sims=12,rule=puct,noise=0.25,alpha=1", sampled: 4}
optimizer: {rate: 0.003}
evaluate: {every: 4, exploitability: off, against: [random], games: 20}
checkpoint: {every: 3, keep: 4}
`

// Whatever the network learns from a search, and whoever plays: the same bytes
// with any number of workers, and when the run is stopped and resumed.
func TestSearchTeaches(t *testing.T) {
	for name, settings := range map[string][]string{
		"visits":   nil,
		"gumbel":   {"search.agent=mcts:sims=12,rule=gumbel"},
		"best":     {`learn=[{from: search, loss: "best"}]`, "search.acts=false", "search.share=0.5"},
		"step-apo": {`learn=[{from: search, loss: "step-apo(alpha=0.5)"}]`, "search.rule=cpl", "search.reference=copy"},
		"mcts-dpo": {`learn=[{from: search, loss: "mcts-dpo"}]`, "search.rule=mcts-dpo"},
		"tpo":      {`learn=[{from: search, loss: "tpo-tree"}]`, "search.reference=copy"},
		"kto":      {`learn=[{from: search, loss: "kto(beta=0.5)"}]`, "search.reference=copy"},
		"with ppo": {`learn=[{from: games, loss: ppo}, {from: search, loss: visits}]`, "magnet.weight=0.05", "search.acts=false", "search.share=0.3"},
		"dpo, ppo": {`learn=[{from: games, loss: ppo}, {from: search, loss: dpo}]`, "search.acts=false"},
		"hidden":   {"game=kuhn_poker", "search.acts=false"},
		"connect":  {"game=connect_four", "games=8", "search.agent=mcts:sims=8,rule=alphazero"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			whole := create(t, searching, settings...)
			result, err := train(t.Context(), whole, options(t, 1))
			if err != nil {
				t.Fatal(err)
			}
			if result.Final["taught"] == 0 {
				t.Errorf("nothing was taught: %v", result.Final)
			}
			shared := create(t, searching, settings...)
			ctx, cancel := context.WithCancel(t.Context())
			halfway := options(t, 3)
			halfway.Progress = func(p trainer.Progress) {
				if p.Update == 5 {
					cancel()
				}
			}
			if _, err := train(ctx, shared, halfway); err == nil {
				t.Fatal("the run was not stopped")
			}
			if _, err := train(t.Context(), shared, options(t, 2)); err != nil {
				t.Fatal(err)
			}
			for _, file := range []string{"metrics.jsonl", "checkpoints/00000008/policy.safetensors"} {
				a, err := os.ReadFile(filepath.Join(whole, file))
				if err != nil {
					t.Fatal(err)
				}
				b, err := os.ReadFile(filepath.Join(shared, file))
				if err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(a, b) {
					t.Errorf("%s differs after a stop and with other workers", file)
				}
			}
		})
	}
}

// A network learns from a file of pairs without playing.
func TestPairsFromAFile(t *testing.T) {
	var pairs []prefs.Pair
	for range 4 {
		pairs = append(pairs, prefs.Pair{Game: "tic_tac_toe", ChosenAction: 4, RejectedAction: 1, ChosenPrior: -2, RejectedPrior: -2, ChosenQ: 0.5})
	}
	path := filepath.Join(t.TempDir(), "pairs.parquet")
	if err := prefs.Write(path, pairs); err != nil {
		t.Fatal(err)
	}
	recipe := strings.Replace(searching, `search: {agent: "mcts:sims=12,rule=puct,noise=0.25,alpha=1", sampled: 4}`, "", 1)
	recipe = strings.Replace(recipe, "{from: search, loss: visits}", "{from: file("+path+"), loss: dpo}", 1)
	result, err := train(t.Context(), create(t, recipe), options(t, 1))
	if err != nil {
		t.Fatal(err)
	}
	if result.Final["pair_accuracy"] != 1 || result.Final["pair_margin"] <= 0 {
		t.Errorf("%v", result.Final)
	}
	pairs[0].Game = "connect_four"
	pairs[1].History = []int32{4, 4}
	for i, want := range []string{"row 1 is of connect_four", "row 1: "} {
		if err := prefs.Write(path, pairs[i:]); err != nil {
			t.Fatal(err)
		}
		_, err := train(t.Context(), create(t, recipe), options(t, 1))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, expected %q", err, want)
		}
	}
}
