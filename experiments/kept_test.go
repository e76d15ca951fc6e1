package main

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/agon-rl/agon/policy/backend"
	"github.com/agon-rl/agon/trainer/run"
)

// TestKeptRuns runs a recipe, finds it kept, and runs it again once it is cut short.
func TestKeptRuns(t *testing.T) {
	device, _, err := backend.Open("go")
	if err != nil {
		t.Fatal(err)
	}
	l := &lab{keep: t.TempDir(), device: device}
	once := func() (*trial, time.Time) {
		t.Helper()
		some := &trial{recipe: "kuhn_poker", settings: []string{"updates=3", "games=4", "policy.hidden=[4]", "evaluate.every=3"}}
		if err := l.sparing(context.Background(), some, filepath.Join(t.TempDir(), "run")); err != nil {
			t.Fatal(err)
		}
		if len(some.metrics) != 3 || filepath.Dir(some.dir) != l.keep {
			t.Fatalf("%d updates in %s; expected 3 in a folder of %s", len(some.metrics), some.dir, l.keep)
		}
		info, err := os.Stat(filepath.Join(some.dir, run.MetricsFile))
		if err != nil {
			t.Fatal(err)
		}
		return some, info.ModTime()
	}
	first, then := once()
	if _, again := once(); !again.Equal(then) {
		t.Error("a run that is kept was run again")
	}
	if err := os.WriteFile(filepath.Join(first.dir, run.MetricsFile), []byte("{\"update\":1}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	once()
	l.keep = ""
	some := &trial{settings: []string{"game=sneaky_critic(domain=arithmetic)", "critic.warmup=1", "critic.rounds=1", "updates=1", "games=4", "evaluate.every=1000", "critic.cases=1", "policy.hidden=[4]"}}
	dir := filepath.Join(t.TempDir(), "run")
	if err := l.critic(context.Background(), some, dir); err != nil || some.dir != dir || some.game == "" {
		t.Fatalf("%v; a run in %s at %q; expected %s and its game", err, some.dir, some.game, dir)
	}
}
