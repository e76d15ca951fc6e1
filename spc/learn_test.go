package spc_test

import (
	"math"
	"os"
	"strings"
	"testing"

	"github.com/agon-rl/agon/spc"
	"github.com/agon-rl/agon/trainer/recipes"
	"github.com/agon-rl/agon/trainer/run"
)

// On the exact game the loop with a pull and averaging comes close to the
// equilibrium; best responses to the latest opponent do not, while those to the
// average of all, fictitious play, come closer with time.
func TestInspection(t *testing.T) {
	text, err := recipes.Read("inspection")
	if err != nil {
		t.Fatal(err)
	}
	measure := func(settings ...string) (last, average float64) {
		final := finish(t, create(t, read(t, string(text), settings...)), 1).Final
		return final["nash_conv/last"], final["nash_conv/average"]
	}
	game := "game=inspection(checks=1,steps=4)"
	if _, average := measure(game, "games=512", "updates=600"); !(average < 0.05) {
		t.Errorf("the averaged pair has a NashConv of %g, expected less than 0.05", average)
	}
	best := []string{game, `learn=[{from: games, loss: best-response}]`}
	last, average := measure(best...)
	if !(last > 0.3) || !(average > 0.3) {
		t.Errorf("best responses to the latest: NashConv %g of the last pair, %g of the average", last, average)
	}
	// Softened, those to the average come close with the last pair too.
	soft, both := measure(game, "opponents=pool", `learn=[{from: games, loss: best-response(soft=0.02)}]`)
	if !(soft < 0.1) || !(both < 0.1) {
		t.Errorf("softened best responses to the average: NashConv %g of the last pair, %g of the average", soft, both)
	}
	_, fictitious := measure(append(best, "opponents=pool")...)
	if !(fictitious < 0.1) {
		t.Errorf("best responses to the average: NashConv %g, expected less than 0.1", fictitious)
	}
}

// easy is a domain that a small network learns in a second.
const easy = `
version: 2
method: critic
game: sneaky_critic(domain=arithmetic(digits=1,length=1))
updates: 50
games: 256
group: 128
policy: {kind: mlp, hidden: [32]}
optimizer: {rate: "0.01"}
evaluate: {every: 25, games: 60}
critic: {warmup: 50, rounds: 1, cases: 40}
`

// Without clean solutions the critic's best reply is always the same, and it comes to
// that: F1 0. With them it learns; on line and off line what the warm-up left out.
func TestLearns(t *testing.T) {
	for _, test := range []struct {
		name     string
		settings []string
		good     func(final map[string]float64) bool
	}{
		{"no clean solutions", []string{"critic.warmup=20", "updates=20", "game=sneaky_critic(clean=0,domain=arithmetic(digits=1,length=1))"}, func(f map[string]float64) bool {
			return f["f1"] == 0 && f["accuracy/correct"] == 0 && f["accuracy/wrong"] == 1
		}},
		{"online", nil, func(f map[string]float64) bool { return f["f1"] > 0.7 }},
		{"offline", []string{`learn=[{from: rounds, loss: "spc(imitate=0.15)"}]`, "critic.data=2048"}, func(f map[string]float64) bool { return f["f1"] > 0.7 }},
		{"replay", []string{`learn=[{from: rounds, loss: ppo(clip=0.9)}]`, "critic.data=2048"}, func(f map[string]float64) bool { return f["f1"] > 0.7 }},
	} {
		t.Run(test.name, func(t *testing.T) {
			final := finish(t, create(t, read(t, easy, test.settings...)), 1).Final
			if !test.good(final) {
				t.Errorf("F1 %.3f, right lines %.3f, wrong lines %.3f", final["f1"], final["accuracy/correct"], final["accuracy/wrong"])
			}
			for name, value := range final {
				if math.IsNaN(value) || math.IsInf(value, 0) {
					t.Errorf("%s is %g", name, value)
				}
			}
		})
	}
}

// The summary and the page say what the metrics say.
func TestReport(t *testing.T) {
	dir := create(t, read(t, small, "critic.validity=exact"))
	final := finish(t, dir, 1).Final
	folder, err := run.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	s, err := spc.Summarise(folder)
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Rounds) != 3 || s.Updates != 8 || s.Of != 8 {
		t.Fatalf("%d rounds, %d of %d updates", len(s.Rounds), s.Updates, s.Of)
	}
	for i, want := range []int{2, 5, 8} {
		if r := s.Rounds[i]; r.Round != i || r.Update != want {
			t.Errorf("round %d at update %d, want %d at %d", r.Round, r.Update, i, want)
		}
	}
	last := s.Rounds[2]
	if *last.F1 != final["f1"] || *last.FoolRate != final["fooled"] || last.Caught["carry"] != final["caught/carry"] {
		t.Errorf("%+v is not %v", last, final)
	}
	least := math.Inf(1)
	for _, share := range last.Caught {
		least = min(least, share)
	}
	if last.Caught[last.Worst] != least {
		t.Errorf("the worst kind %q is found in %g, another in %g", last.Worst, last.Caught[last.Worst], least)
	}
	if len(s.Sneakiest) == 0 {
		t.Error("no examples")
	}
	kinds := map[string]int{}
	for i, e := range s.Sneakiest {
		if kinds[e.Kind]++; e.Line == e.Right || e.Problem == "" || i > 0 && e.Believed > s.Sneakiest[i-1].Believed {
			t.Errorf("%+v", e)
		}
	}
	if err := spc.Report(dir); err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(folder.Path(run.ReportFile))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Fool rate by kind of error", "The sneakiest lines", last.Worst, s.Sneakiest[0].Line, "round 2"} {
		if !strings.Contains(strings.NewReplacer("&#43;", "+", "&lt;", "<", "&gt;", ">", "&#39;", "'").Replace(string(page)), want) {
			t.Errorf("the page does not hold %q", want)
		}
	}
	if strings.Contains(string(page), "http://") || strings.Contains(string(page), "src=") {
		t.Error("the page loads something")
	}
}
