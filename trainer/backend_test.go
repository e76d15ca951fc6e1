package trainer_test

import (
	"math"
	"os"
	"testing"

	"github.com/rs/zerolog"

	"github.com/agon-rl/agon/policy/backend"
	_ "github.com/agon-rl/agon/policy/backend/xla" // opened where AGON_TEST_XLA=1
	"github.com/agon-rl/agon/trainer"
	"github.com/agon-rl/agon/trainer/run"
)

// One recipe with one seed learns the same on both backends: the first ten
// updates' losses agree to 1e-4.
func TestBackendsAgree(t *testing.T) {
	agree(t, small, "loss", "updates=10")
}

func TestBackendsAgreeOnPreferences(t *testing.T) {
	agree(t, preferring, "pair_loss")
	agree(t, preferring, "pair_loss", `learn=[{from: preferences, loss: "online-ipo"}]`, "opponents=half-step", "preferences.reference=ema")
}

func agree(t *testing.T, recipe, loss string, settings ...string) {
	t.Helper()
	if os.Getenv("AGON_TEST_XLA") != "1" {
		t.Skip("set AGON_TEST_XLA=1 to compare with XLA")
	}
	losses := func(name string) []float64 {
		device, _, err := backend.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		dir := create(t, recipe, settings...)
		if _, err := train(t.Context(), dir, trainer.Options{Backend: device, Workers: 2, Log: zerolog.Nop()}); err != nil {
			t.Fatal(err)
		}
		lines, err := run.ReadMetrics(dir)
		if err != nil {
			t.Fatal(err)
		}
		_, values := run.Series(lines, loss)
		return values
	}
	want, got := losses(backend.Go), losses(backend.CPU)
	if len(want) != 10 || len(got) != 10 {
		t.Fatalf("%d and %d losses", len(want), len(got))
	}
	for i := range want {
		if math.Abs(got[i]-want[i]) > 1e-4 {
			t.Errorf("update %d: the loss is %.7f on xla:cpu, %.7f on go", i+1, got[i], want[i])
		}
	}
}
