package objective_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/agon-rl/agon/objective"
)

// TestTexts holds, as golden text, what objectives say of themselves and what requests
// come to, right and wrong ones: testdata/explain, testdata/requests. A line of input is
// one of them.
func TestTexts(t *testing.T) {
	for _, file := range []string{"explain", "requests"} {
		datadriven.RunTest(t, "testdata/"+file, func(_ *testing.T, data *datadriven.TestData) string {
			var out strings.Builder
			for line := range strings.Lines(data.Input) {
				line = strings.TrimSpace(line)
				switch data.Cmd {
				case "formula", "settings", "needs":
					explain(&out, data.Cmd, line)
				case "eval", "sum":
					evaluate(&out, line, data.Cmd == "sum")
				}
			}
			return out.String()
		})
	}
}

func explain(out *strings.Builder, what, text string) {
	o, err := objective.Get(text)
	if err != nil {
		fmt.Fprintln(out, err)
		return
	}
	fmt.Fprintf(out, "%s\n", text)
	switch what {
	case "formula":
		fmt.Fprintf(out, "  %s\n", strings.Join(o.Formula(), "\n  "))
	case "settings":
		for _, s := range o.Settings() {
			fmt.Fprintf(out, "  %s %v = %s, not %s, %s: %s\n", s.Name, s.Aliases, s.Value, s.Default, s.Range, s.Help)
		}
	case "needs":
		n := o.Needs()
		fmt.Fprintf(out, "  references %v, scores %q, margin %t, extra %q, online %t, by mean %t; win rates %t, clash %q\n",
			n.References, n.Scores, n.Margin, n.Extra, n.Online, n.Normalised, o.Pair.OfWinRates(), o.Entry.Clash())
	}
}

func evaluate(out *strings.Builder, line string, sum bool) {
	r, err := objective.ParseRequest([]byte(line))
	if err != nil {
		fmt.Fprintln(out, err)
		return
	}
	report, err := r.Evaluate(sum)
	if err != nil {
		fmt.Fprintln(out, err)
		return
	}
	number := func(x float64) string { return fmt.Sprintf(" %.12g", x) }
	fmt.Fprintf(out, "%s:%s of", report.ID, number(report.Loss))
	for i, loss := range report.Losses {
		fmt.Fprintf(out, "%s (", number(loss))
		switch g := report.Grads[i].(type) {
		case objective.Slopes:
			fmt.Fprint(out, number(g.Chosen), number(g.Rejected))
			if g.Extra != nil {
				fmt.Fprint(out, number(*g.Extra))
			}
		case []float64:
			for _, x := range g {
				fmt.Fprint(out, number(x))
			}
		}
		fmt.Fprint(out, " )")
	}
	if r.Positive {
		fmt.Fprint(out, ", above 0")
	}
	fmt.Fprintln(out)
}
