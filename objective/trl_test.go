package objective_test

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/agon-rl/agon/objective"
)

// recorded is what a trainer of TRL computed (testdata/trl/record.py): the mean loss
// and the gradients in the answers' summed log-probabilities.
type recorded struct {
	Trainer string               `json:"trainer"`
	Loss    float64              `json:"loss"`
	Grads   []map[string]float64 `json:"grads"`
	ThirdIs string               `json:"third_is"` // the answer whose gradient includes the third one's

	Objective string          `json:"objective"`
	Settings  json.RawMessage `json:"settings"`
	Pairs     json.RawMessage `json:"pairs"`
}

// request is the case as a line of agon objectives eval.
func (c recorded) request(t *testing.T) objective.Request {
	t.Helper()
	line, err := json.Marshal(map[string]any{"objective": c.Objective, "settings": c.Settings, "pairs": c.Pairs})
	if err != nil {
		t.Fatal(err)
	}
	r, err := objective.ParseRequest(line)
	if err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	return r
}

func recordings(t *testing.T, file string) (version string, cases []recorded) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", file))
	if err != nil {
		t.Fatal(err)
	}
	var recording struct {
		TRL   string     `json:"trl"`
		Cases []recorded `json:"cases"`
	}
	if err := json.Unmarshal(b, &recording); err != nil {
		t.Fatal(err)
	}
	return recording.TRL, recording.Cases
}

// Losses and gradients are those of TRL's trainers, run as they are: 1.16's, and
// older ones' where formulas differ or have gone.
func TestObjectivesAreTRLs(t *testing.T) {
	for file, least := range map[string]int{"trl.json": 24, "trl-0.19.json": 14, "trl-1.0.json": 1} {
		t.Run(file, func(t *testing.T) { testRecording(t, file, least) })
	}
}

func testRecording(t *testing.T, file string, least int) {
	version, cases := recordings(t, file)
	compared, worst := map[string]int{}, 0.0
	for i, c := range cases {
		r := c.request(t)
		got, err := r.Objective.Pair.Evaluate(r.Pairs)
		if err != nil {
			t.Fatal(err)
		}
		what := fmt.Sprintf("case %d, %s%s", i, c.Objective, c.Settings)
		equals := func(what string, got, want float64) {
			d := math.Abs(got-want) / math.Max(1, math.Abs(want))
			if worst = math.Max(worst, d); !(d <= 1e-9) {
				t.Errorf("%s: %.12g, TRL has %.12g", what, got, want)
			}
		}
		equals(what+": loss", got.Loss, c.Loss)
		for j, g := range got.Grads {
			// Ours are in the mean log-probability where the objective divides.
			perSum := func(s objective.Sequence) float64 {
				if r.Objective.Pair.PerToken {
					return float64(len(s.LogP))
				}
				return 1
			}
			switch c.ThirdIs {
			case "chosen":
				g.Chosen += g.Extra
			case "rejected":
				g.Rejected += g.Extra
			}
			equals(what+": gradient of chosen", g.Chosen, c.Grads[j]["chosen"]*perSum(r.Pairs[j].Chosen))
			equals(what+": gradient of rejected", g.Rejected, c.Grads[j]["rejected"]*perSum(r.Pairs[j].Rejected))
			if third := r.Pairs[j].Extra; third != nil && c.ThirdIs == "" {
				equals(what+": gradient of extra", g.Extra, c.Grads[j]["extra"]*perSum(*third))
			}
		}
		compared[c.Objective]++
	}
	t.Logf("TRL %s: %d cases of %d objectives, largest relative error %.2g: %v", version, len(cases), len(compared), worst, compared)
	if len(compared) < least {
		t.Errorf("compared %d objectives: %v", len(compared), compared)
	}
}
