package objective_test

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"testing"

	"github.com/agon-rl/agon/objective"
	"github.com/agon-rl/agon/policy/backend"
)

// recorded is what TRL's own DPOTrainer computed (scripts/trl/record.py): mean
// loss and gradients for the sequences' summed log-probabilities.
type recorded struct {
	Loss      string    `json:"loss"`
	Beta      float64   `json:"beta"`
	Smoothing float64   `json:"label_smoothing"`
	Value     float64   `json:"loss_value"`
	Chosen    []float64 `json:"chosen"`
	Rejected  []float64 `json:"rejected"`
	ChosenRef []float64 `json:"chosen_ref"`
	RejectRef []float64 `json:"rejected_ref"`
	ChosenLen []float64 `json:"chosen_length"`
	RejectLen []float64 `json:"rejected_length"`
	GradC     []float64 `json:"grad_chosen"`
	GradR     []float64 `json:"grad_rejected"`
}

// ours names TRL's losses as this package does.
var ours = map[string]string{"sigmoid": "dpo", "hinge": "hinge", "ipo": "ipo", "robust": "robust-dpo(smoothing=0.1)"}

// Losses and gradients are those of TRL 1.16, run as it is.
func TestPairsAreTRLs(t *testing.T) {
	b, err := os.ReadFile("testdata/trl.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		TRL   string     `json:"trl"`
		Cases []recorded `json:"cases"`
	}
	if err := json.Unmarshal(b, &file); err != nil {
		t.Fatal(err)
	}
	compared := map[string]int{}
	device, _, err := backend.Open("go")
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range file.Cases {
		name, ok := ours[c.Loss]
		if !ok {
			continue
		}
		o, err := objective.Named(name)
		if err != nil {
			t.Fatal(err)
		}
		o.Beta = c.Beta
		n := len(c.Chosen)
		batch := make([][]float64, columns)
		for column := range batch {
			batch[column] = make([]float64, n)
		}
		for column, values := range map[int][]float64{
			chosen: c.Chosen, rejected: c.Rejected, chosenReference: c.ChosenRef, rejectedReference: c.RejectRef,
			chosenLength: c.ChosenLen, rejectedLength: c.RejectLen,
		} {
			copy(batch[column], values)
		}
		for j := range n {
			batch[weight][j] = 1
		}
		stats, gradC, gradR := evaluatePairs(t, device, o, batch)
		what := fmt.Sprintf("case %d, %s, beta %g", i, c.Loss, c.Beta)
		equals(t, what+": loss", stats[0], c.Value)
		for j := range n {
			equals(t, what+": gradient of chosen", gradC[j], c.GradC[j])
			equals(t, what+": gradient of rejected", gradR[j], c.GradR[j])
		}
		compared[c.Loss]++
	}
	t.Logf("TRL %s: %v", file.TRL, compared)
	if len(compared) != len(ours) {
		t.Errorf("compared %v", compared)
	}
}

func equals(t *testing.T, what string, got, want float64) {
	t.Helper()
	if math.Abs(got-want) > 1e-9*math.Max(1, math.Abs(want)) {
		t.Errorf("%s: %.12g, TRL has %.12g", what, got, want)
	}
}
