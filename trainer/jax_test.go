package trainer_test

import (
	"encoding/json"
	"math"
	"os"
	"testing"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/objective"
	"github.com/agon-rl/agon/policy"
	"github.com/agon-rl/agon/policy/backend/backendtest"
	"github.com/agon-rl/agon/trainer"
)

// recordedUpdates are gradient steps that JAX took, as experiments/peers/jax/record.py
// writes them.
type recordedUpdates struct {
	Hidden       []int
	Coefficients trainer.Coefficients
	Start        [][]float32
	Steps        []struct {
		Turns []struct {
			State                        []float32
			Allowed                      []games.Action
			Action                       games.Action
			Behaviour, Advantage, Return float32
		}
		Stats   []float32
		Weights [][]float32
	}
}

// From the same weights and turns the updater comes to the weights and statistics of the
// same loss and optimizer in JAX.
func TestUpdatesAreThoseOfJAX(t *testing.T) {
	text, err := os.ReadFile("testdata/jax_update.json")
	if err != nil {
		t.Fatal(err)
	}
	var recorded recordedUpdates
	if err := json.Unmarshal(text, &recorded); err != nil {
		t.Fatal(err)
	}
	backendtest.Each(t, func(t *testing.T, device *backendtest.Device) { repeatUpdates(t, device, recorded) })
}

func repeatUpdates(t *testing.T, device *backendtest.Device, recorded recordedUpdates) {
	game, err := games.New("leduc_poker")
	if err != nil {
		t.Fatal(err)
	}
	arch := policy.Arch{Kind: "mlp", Hidden: recorded.Hidden, Activation: "relu"}
	model, err := policy.NewModel(device, game.Info(), arch, policy.NewTensors(game.Info()))
	if err != nil {
		t.Fatal(err)
	}
	weights, err := policy.UploadWeights(device, model.Params(), recorded.Start)
	if err != nil {
		t.Fatal(err)
	}
	defer weights.Close()
	lesson := trainer.Advantages(objective.PolicyGradient{Name: "ppo", Clip: 0.2})
	updater, err := trainer.NewUpdater(model, trainer.Defaults().Optimizer.Optimizer, weights, false, lesson)
	if err != nil {
		t.Fatal(err)
	}
	defer updater.Close()
	for i, step := range recorded.Steps {
		var turns []policy.Turn
		for _, x := range step.Turns {
			turns = append(turns, policy.Turn{
				Step: &policy.Step{
					Input: policy.Encoded(x.State),
					Picks: []policy.Pick{{Token: x.Action, LogProb: x.Behaviour, Allowed: x.Allowed}},
				},
				Advantage: x.Advantage, Return: x.Return,
			})
		}
		stats, err := updater.Learn(lesson.Name, turns, recorded.Coefficients)
		if err != nil {
			t.Fatal(err)
		}
		near(t, i, "statistics", stats, step.Stats)
		after := updater.Weights()
		defer after.Close()
		for k, p := range model.Params() {
			values, err := after.Values(k)
			if err != nil {
				t.Fatal(err)
			}
			near(t, i, p.Name, values, step.Weights[k])
		}
	}
}

// near compares what step i came to with what it should be.
func near(t *testing.T, i int, name string, got, want []float32) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("step %d, %s: %d numbers, expected %d", i+1, name, len(got), len(want))
	}
	for j := range want {
		if !(math.Abs(float64(got[j]-want[j])) <= 1e-5) {
			t.Errorf("step %d, %s[%d] = %.7f, expected %.7f", i+1, name, j, got[j], want[j])
		}
	}
}
