package objective_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/agon-rl/agon/objective"
)

// FuzzEval looks for lines that panic, or whose report is not JSON of finite numbers.
func FuzzEval(f *testing.F) {
	pairs := `"pairs":[{"chosen":{"logp":[-1,-2],"ref":[-2,-1]},"rejected":{"logp":[-3],"ref":[[-3],[-1]]},"extra":{"logp":[0],"ref":[-1]},` +
		`"target":0.3,"margin":1,"weight":2,"q":[1,0.5],"n":[3,1]}]`
	plain := `"pairs":[{"chosen":{"logp":[-1e308,-1e308],"ref":[-2,-1]},"rejected":{"logp":[1e308],"ref":[-3]},"extra":{"logp":[0],"ref":[-1]},"q":[1e308,-1e308],"n":[3,1]}]`
	for _, e := range objective.Entries() {
		f.Add(`{"id":1,"objective":"` + e.Name + `",` + pairs + `}`)
		f.Add(`{"id":1,"objective":"` + e.Name + `",` + plain + `}`)
	}
	f.Add(`{"objective":"tpo-tree(beta=1e9)","lists":[{"answers":[{"logp":[-1e308],"ref":[1e308]},{"logp":[-2],"ref":[-2]}],"scores":[1e308,-1e308],"weight":1e308}]}`)
	f.Add(`{"objective":"mnpo","settings":{"weights":[1e6,1e-300],"eta":1e-9,"base":null},` + pairs + `}`)
	f.Add(`{"objective":"f-dpo","settings":{"divergence":"alpha","divergence_alpha":-1000,"beta":1e9},` + plain + `}`)
	f.Add(`[[[`)
	f.Add(`{"pairs":[{}]}`)
	f.Fuzz(func(t *testing.T, line string) {
		r, err := objective.ParseRequest([]byte(line))
		if err == nil {
			var report objective.Report
			if report, err = r.Evaluate(len(line)%2 == 0); err == nil {
				b, err := json.Marshal(report)
				if err != nil {
					t.Fatalf("%s: %v", line, err)
				}
				for _, x := range append(report.Losses, report.Loss) {
					if math.IsNaN(x) || math.IsInf(x, 0) {
						t.Fatalf("%s: %s", line, b)
					}
				}
			}
		}
		if err != nil && strings.Contains(err.Error(), "\n") && !strings.Contains(line, "\n") && !strings.Contains(line, `\n`) {
			t.Fatalf("%s: an error of several lines: %v", line, err)
		}
	})
}

// A report is the objective's, and evaluating twice changes nothing.
func TestRequest(t *testing.T) {
	line := `{"id":"a","objective":"dpo","settings":{"beta":0.5},"pairs":[{"chosen":{"logp":[-1],"ref":[-2]},"rejected":{"logp":[-1],"ref":[-1]}}]}`
	r, err := objective.ParseRequest([]byte(line))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		report, err := r.Evaluate(false)
		if err != nil {
			t.Fatal(err)
		}
		b, err := json.Marshal(report)
		if err != nil {
			t.Fatal(err)
		}
		want := math.Log1p(math.Exp(-0.5))
		if string(report.ID) != `"a"` || math.Abs(report.Loss-want) > 1e-15 || !strings.HasPrefix(string(b), `{"id":"a","loss":0.474076984180106`) {
			t.Errorf("%s, expected %g", b, want)
		}
	}
}

func TestRequestsTakeArXivIDsWithSettings(t *testing.T) {
	r, err := objective.ParseRequest([]byte(`{"objective":"arXiv:2305.18290(beta=0.2)","pairs":[{"chosen":{"logp":[-1],"ref":[-1]},"rejected":{"logp":[-1],"ref":[-1]}}]}`))
	if err != nil || r.Objective.Entry.Name != "dpo" || r.Objective.Pair.Beta != 0.2 {
		t.Fatalf("%+v, %v", r.Objective.Pair, err)
	}
}
