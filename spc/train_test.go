package spc_test

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/games/problem"
	_ "github.com/agon-rl/agon/games/standard"
	"github.com/agon-rl/agon/play"
	"github.com/agon-rl/agon/policy/backend"
	"github.com/agon-rl/agon/prefs"
	"github.com/agon-rl/agon/spc"
	"github.com/agon-rl/agon/trainer"
	"github.com/agon-rl/agon/trainer/run"
)

// small is a run of a second that uses every part of the on-line loop that a
// checkpoint must hold: baselines, moments, a magnet, players of earlier rounds, a
// stage with its running mean, examples.
const small = `
version: 2
method: critic
game: sneaky_critic(free=true)
updates: 3
games: 32
group: 16
policy: {kind: mlp, hidden: [8]}
opponents: pool(share=0.5)
stages: adaptive(up=0.55,down=0.5,dwell=1,most=3)
epochs: 2
magnet: {kind: start, weight: 0.05}
optimizer: {rate: "linear(0.01,0.001)"}
evaluate: {every: 3, games: 32}
critic: {warmup: 2, rounds: 2, validity: drop(tries=2), curriculum: spread(pool=2), refine: pairs(games=40), cases: 4}
checkpoint: {every: 1, keep: 100}
`

// variants are runs that together go through every phase of every kind of loop.
var variants = map[string][]string{
	"online":        nil,
	"one network":   {"players=one", "opponents=earlier", "stages=together", "magnet.kind=round", "critic.validity=exact", "critic.curriculum=uniform"},
	"offline":       {`learn=[{from: rounds, loss: spc}]`, "critic.data=48", "stages=together", "game=sneaky_critic(domain=horn)"},
	"offline, on":   {`learn=[{from: rounds, loss: spc}]`, "critic.data=48", "stages=alternate(every=3)", "critic.restart=false", "opponents=earlier", "game=sneaky_critic(domain=word_problem,free=true)"},
	"replay":        {`learn=[{from: rounds, loss: ppo}]`, "critic.data=48", "critic.restart=false", "stages=together", "opponents=pool(temperature=2)"},
	"uniform":       {"critic.sneaky=menu", "stages=together", "critic.longer=sneaky_critic(domain=arithmetic(length=6))", "game=sneaky_critic"},
	"whole":         {"game=sneaky_critic(domain=word_problem,free=true,whole=true)", "policy.kind=resnet", "policy.blocks=1", "policy.channels=4"},
	"inspection":    {"game=inspection(steps=3,checks=1)", "critic.warmup=0", "critic.validity=exact", "critic.curriculum=uniform", "critic.refine=none", "stages=alternate(every=2)"},
	"best response": {"game=inspection(steps=3,checks=1)", "critic.warmup=0", "critic.validity=exact", "critic.curriculum=uniform", "critic.refine=none", "stages=alternate(every=2)", `learn=[{from: games, loss: best-response}]`, "opponents=pool"},
}

func goBackend(t testing.TB) backend.Backend {
	t.Helper()
	b, _, err := backend.Open("go")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func read(t testing.TB, text string, settings ...string) trainer.Recipe {
	t.Helper()
	r, err := trainer.ReadRecipe([]byte(text), settings)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// total is how many updates a run has.
func total(r trainer.Recipe) int {
	s := r.Settings.(*spc.Settings)
	return s.Warmup + s.Rounds*r.Updates
}

func create(t testing.TB, recipe trainer.Recipe) string {
	t.Helper()
	text, err := recipe.YAML()
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

func finish(t testing.TB, dir string, workers int) trainer.Result {
	t.Helper()
	result, err := train(t.Context(), dir, options(t, workers))
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// content is all that a run leaves behind of learning: metrics, checkpoints, pairs.
func content(t testing.TB, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		name, _ := filepath.Rel(dir, path)
		if base := filepath.Base(name); base == "lock" || base == "run.json" || base == "manifest.json" || name == run.TimingFile { // the manifest names the run
			return nil
		}
		data, err := os.ReadFile(path)
		out[name] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func same(t *testing.T, what string, want, got map[string]string) {
	t.Helper()
	for name := range got {
		if _, ok := want[name]; !ok {
			t.Errorf("%s: there is %s", what, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if want[name] != got[name] {
			t.Errorf("%s: %s differs", what, name)
		}
	}
}

// Whatever the number of workers, a run leaves the same bytes; another seed others.
func TestSameBytes(t *testing.T) {
	for _, name := range slices.Sorted(maps.Keys(variants)) {
		t.Run(name, func(t *testing.T) {
			recipe := read(t, small, append(slices.Clone(variants[name]), "checkpoint.every=4")...)
			dir := create(t, recipe)
			finish(t, dir, 1)
			want := content(t, dir)
			if lines := strings.Count(want[run.MetricsFile], "\n"); lines != total(recipe) {
				t.Errorf("%d lines of metrics, want %d: one an update", lines, total(recipe))
			}
			for _, workers := range []int{2, 8} {
				dir := create(t, recipe)
				finish(t, dir, workers)
				same(t, fmt.Sprintf("%d workers", workers), want, content(t, dir))
			}
			recipe.Seed++
			dir = create(t, recipe)
			finish(t, dir, 1)
			if !strings.HasPrefix(recipe.Learn[0].Loss, "best-response") && content(t, dir)[run.MetricsFile] == want[run.MetricsFile] {
				t.Error("another seed gives the same metrics")
			}
		})
	}
}

// Killed after any of its updates, in the warm-up, within a round or at its border,
// a run that is resumed ends byte for byte as if it had not been. Killed means that
// the folder is as a process leaves it that dies before the next checkpoint: metrics
// and pairs may be ahead.
func TestKilledAnywhere(t *testing.T) {
	for _, name := range slices.Sorted(maps.Keys(variants)) {
		t.Run(name, func(t *testing.T) {
			recipe := read(t, small, variants[name]...)
			straight := create(t, recipe)
			finish(t, straight, 2)
			want := content(t, straight)
			stride := 3
			if name == "online" || name == "offline, on" {
				stride = 1
			}
			for at := 0; at < total(recipe); at += stride {
				killed := filepath.Join(t.TempDir(), "run")
				if err := os.CopyFS(killed, os.DirFS(straight)); err != nil {
					t.Fatal(err)
				}
				for later := at + 1; later <= total(recipe); later++ {
					if err := os.RemoveAll(filepath.Join(killed, run.CheckpointsDir, fmt.Sprintf("%08d", later))); err != nil {
						t.Fatal(err)
					}
				}
				finish(t, killed, 1)
				same(t, fmt.Sprintf("killed after update %d", at), want, content(t, killed))
			}
		})
	}
}

// Runs that learn from another run's players start where it did, from the same games,
// whatever their objective; and go on after a kill as if there had been none.
func TestOtherPlayers(t *testing.T) {
	players := create(t, read(t, small))
	finish(t, players, 2)
	shares := map[string][]float64{}
	for objective, loss := range map[string]string{"offline": "spc", "replay": "ppo"} {
		recipe := read(t, small, "learn=[{from: rounds, loss: "+loss+"}]", "critic.source="+players, "critic.data=48", "critic.warmup=0", "stages=together", "seed=7")
		dir := create(t, recipe)
		finish(t, dir, 2)
		want := content(t, dir)
		lines, err := run.ReadMetrics(dir)
		if err != nil {
			t.Fatal(err)
		}
		_, shares[objective] = run.Series(lines, "won/critic")
		for _, at := range []int{2, 3, 4} {
			killed := filepath.Join(t.TempDir(), "run")
			if err := os.CopyFS(killed, os.DirFS(dir)); err != nil {
				t.Fatal(err)
			}
			for later := at + 1; later <= total(recipe); later++ {
				if err := os.RemoveAll(filepath.Join(killed, run.CheckpointsDir, fmt.Sprintf("%08d", later))); err != nil {
					t.Fatal(err)
				}
			}
			finish(t, killed, 1)
			same(t, fmt.Sprintf("%s, killed after update %d", objective, at), want, content(t, killed))
		}
		for _, round := range []string{"00000001/snapshot_00000000", "00000006/snapshot_00000000"} {
			got := want[filepath.Join(run.CheckpointsDir, round+".critic.safetensors")]
			if theirs := content(t, players)[filepath.Join(run.CheckpointsDir, "00000008/snapshot_00000002.critic.safetensors")]; got == "" || got != theirs {
				t.Errorf("%s: %s is not the players' round 0", objective, round)
			}
		}
	}
	if !slices.Equal(shares["offline"], shares["replay"]) || shares["replay"][0] == shares["replay"][5] {
		t.Errorf("the critic won %v of the games off line, %v of those that are replayed", shares["offline"], shares["replay"])
	}
	for _, bad := range []struct{ setting, want string }{
		{"policy.hidden=[4]", "has other networks"},
		{"game=sneaky_critic(domain=horn)", "has other networks"},
		{"critic.rounds=3", "has begun 2 rounds: expected 3"},
		{"critic.source=nowhere", "critic.source: "},
	} {
		recipe := read(t, small, `learn=[{from: rounds, loss: ppo}]`, "critic.source="+players, "critic.data=48", "critic.warmup=0", "stages=together", bad.setting)
		if _, err := trainer.New(t.Context(), recipe, options(t, 1)); err == nil || !strings.Contains(err.Error(), bad.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, expected %q", bad.setting, err, bad.want)
		}
	}
}

// A run that a person stops after every update ends as if it had not been.
func TestStoppedAndResumed(t *testing.T) {
	for _, name := range []string{"online", "offline, on"} {
		t.Run(name, func(t *testing.T) {
			recipe := read(t, small, append(slices.Clone(variants[name]), "checkpoint.every=1000")...)
			straight, stopped := create(t, recipe), create(t, recipe)
			finish(t, straight, 2)
			want := content(t, straight)
			for at := 1; at <= total(recipe); at++ {
				ctx, cancel := context.WithCancel(t.Context())
				o := options(t, 2)
				o.Progress = func(p trainer.Progress) {
					if p.Update == at {
						cancel()
					}
				}
				_, err := train(ctx, stopped, o)
				if cancelled := ctx.Err() != nil; cancelled != (err != nil) && at < total(recipe) {
					t.Fatalf("stopped after update %d: %v", at, err)
				}
				cancel()
			}
			got := content(t, stopped)
			for name := range got {
				if _, last := want[name]; !last { // checkpoints of the stops
					delete(got, name)
				}
			}
			same(t, "stopped and resumed", want, got)
		})
	}
}

const childEnv = "AGON_TEST_SPC_DIR"

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

// Killed by the system at random moments, the same.
func TestKilled(t *testing.T) {
	recipe := read(t, small, "updates=15", "checkpoint.every=2")
	straight, killed := create(t, recipe), create(t, recipe)
	began := time.Now()
	finish(t, straight, 2)
	whole := time.Since(began)
	r := play.Generator(uint64(began.UnixNano()), "kills")
	for kills := 0; ; kills++ {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), childEnv+"="+killed)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		wait := time.Duration((0.2 + r.Float64()) * float64(whole) / 4)
		if kills == 8 {
			wait = time.Hour
		}
		timer := time.AfterFunc(wait, func() { _ = cmd.Process.Kill() })
		err := cmd.Wait()
		timer.Stop()
		if err == nil {
			t.Logf("finished after %d kills", kills)
			break
		}
		if cmd.ProcessState.Exited() {
			t.Fatalf("%v: %s", err, stderr.String())
		}
	}
	same(t, "killed", content(t, straight), content(t, killed))
}

// The repairs are pairs that say what was measured, of the problems' own game, and
// can be played.
func TestRefined(t *testing.T) {
	dir := create(t, read(t, small, "game=sneaky_critic(clean=0,free=true)", "critic.refine=pairs(games=40,playable=false)", "critic.validity=exact"))
	result := finish(t, dir, 1)
	pairs, err := prefs.Read[prefs.Pair](filepath.Join(dir, spc.RefinedDir, "round_0002.parquet"))
	if err != nil {
		t.Fatal(err)
	}
	if len(pairs) < 20 || float64(len(pairs)) != result.Final["refined"] {
		t.Errorf("%d pairs, the metrics say %g", len(pairs), result.Final["refined"])
	}
	playable := 0
	for _, p := range pairs {
		s, err := p.State()
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(p.Game, "arithmetic") || p.Chosen == p.Rejected || p.ChosenQ != 1 || p.RejectedQ != -1 || p.Prompt == "" {
			t.Errorf("%+v", p)
		}
		verified := s.(problem.Verified)
		if err := verified.CheckStep(games.Action(p.ChosenAction)); err != nil {
			t.Errorf("the repair is wrong: %v", err)
		}
		if p.RejectedAction == int32(problem.NoAction) {
			continue
		}
		playable++
		if verified.CheckStep(games.Action(p.RejectedAction)) == nil {
			t.Errorf("the original is right: %s", p.Rejected)
		}
	}
	if playable == 0 || playable == len(pairs) {
		t.Errorf("%d of %d can be played, expected some", playable, len(pairs))
	}
}
