package report

import (
	"bytes"
	"errors"
	"image/png"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/agon-rl/agon/trainer/run"
)

const testRecipe = "version: 1\ngame: kuhn_poker\nseed: 1\n# </script><b>not markup</b>\n"

// newRun makes a run with metrics such as a trainer writes them; a line in ten
// has an evaluation.
func newRun(t *testing.T, dir string, updates int) {
	t.Helper()
	r, err := run.Create(dir, []byte(testRecipe))
	if err != nil {
		t.Fatal(err)
	}
	metrics, err := r.Metrics(nil)
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for u := 1; u <= updates; u++ {
		x := float64(u)
		noise := func(scale float64) float64 { return scale * rng.NormFloat64() }
		line := map[string]float64{
			"games": 512 * x, "loss": 0.4*math.Exp(-x/80) + noise(0.02), "loss_policy": noise(0.02),
			"loss_value": 0.5*math.Exp(-x/80) + 0.1 + noise(0.01), "entropy": 0.35 + 0.34*math.Exp(-x/60) + noise(0.005),
			"magnet_kl": 0.1 - 0.1*math.Exp(-x/60) + math.Abs(noise(0.002)), "gradient_norm": math.Exp(noise(0.4)),
			"return/first": -1./18 + noise(0.03), "return/second": 1./18 + noise(0.03),
			"wins/first": 0.44 + noise(0.01), "wins/second": 0.56 + noise(0.01), "length": 2.4 + noise(0.02),
			"clipped": math.Abs(noise(0.05)), "advantage_variance/first": 1.6 + noise(0.05), "rate": 0.01 * math.Exp(-x/200),
		}
		if u%10 == 0 || u == 1 {
			line["exploitability"] = 0.44*math.Exp(-x/40) + 0.01 + math.Abs(noise(0.004))
		}
		if u == 7 {
			line["gradient_norm"] = math.Inf(1)
		}
		if err := metrics.Append(u, line); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(metrics.Close(), r.Close()); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, elem ...string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(elem...))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestWrite(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "kuhn <1>")
	newRun(t, dir, 200)
	if err := Write(dir); err != nil {
		t.Fatal(err)
	}
	picture, err := png.Decode(bytes.NewReader(read(t, dir, CurvePNG)))
	if err != nil {
		t.Fatal(err)
	}
	if size := picture.Bounds().Size(); size.X < 1000 || size.Y < 1000 {
		t.Errorf("the PNG is only %v", size)
	}
	svg := string(read(t, dir, CurveSVG))
	for _, want := range []string{">Exploitability<", ">Returns by role<", ">second<", ">update<", ">nats<", "Arial"} {
		if !strings.Contains(svg, want) {
			t.Errorf("the SVG has no %s", want)
		}
	}
	page := string(read(t, dir, run.ReportFile))
	for _, want := range []string{
		"kuhn &lt;1&gt;", "game: kuhn_poker", "&lt;/script&gt;&lt;b&gt;", "200 updates · 102\u2009400 games",
		`"title":"Advantage variance"`, "Permission is hereby granted", "uPlot=function",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page has no %s", want)
		}
	}
	// Nothing is loaded from elsewhere. Namespaces and the licence's address
	// are names, not loads.
	if found := regexp.MustCompile(`(?:src|href)=["']?\S+|@import|url\(|fetch\(`).FindString(page); found != "" {
		t.Errorf("the page is not self-contained: %s", found)
	}

	again := filepath.Join(t.TempDir(), filepath.Base(dir))
	newRun(t, again, 200)
	if err := Write(again); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{CurvePNG, CurveSVG, run.ReportFile} {
		if !bytes.Equal(read(t, dir, name), read(t, again, name)) {
			t.Errorf("%s differs for the same run", name)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".*")); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}

func TestWriteOfFewUpdates(t *testing.T) {
	for _, updates := range []int{0, 1, 2} {
		dir := filepath.Join(t.TempDir(), "run")
		newRun(t, dir, updates)
		if err := Write(dir); err != nil {
			t.Errorf("%d updates: %v", updates, err)
		}
	}
	if err := Write(t.TempDir()); !errors.Is(err, run.ErrNotRun) {
		t.Errorf("of another folder: %v", err)
	}
}

func TestGroups(t *testing.T) {
	lines := []map[string]float64{{
		"update": 1, "games": 2, "loss": 1, "loss_value": 1, "entropy": 1, "exploitability": 1, "return/a": 1, "return/b": 1,
		"magnet_kl": 1, "baseline/a": 1, "baseline/b": 1, "my_measure": 1, "score/random": 1, "never": math.NaN(),
	}}
	var got []string
	for _, g := range groupsOf(lines) {
		text := g.Title + ":"
		for _, s := range g.Series {
			text += " " + s.Name
		}
		got = append(got, text)
	}
	want := []string{
		"Exploitability: exploitability", "Score: random", "Returns by role: a b", "Policy entropy: entropy",
		"Losses: loss loss value", "Divergences: magnet kl", "Baseline: a b", "My measure: my measure",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestCurvesRefuses(t *testing.T) {
	dir := t.TempDir()
	good := Panel{Series: []Series{{X: []float64{1, 2}, Y: []float64{1, 2}}}}
	tests := []struct {
		name, path string
		panels     []Panel
		says       string
	}{
		{"no panel", "a.png", nil, "at least one panel"},
		{"format", "a.gif", []Panel{good}, ".gif"},
		{"folder", "none/a.png", []Panel{good}, "none"},
		{"lengths", "a.png", []Panel{{Title: "T", Series: []Series{{Name: "s", X: []float64{1}, Y: []float64{1, 2}}}}}, "1 x, 2 y"},
		{"half a band", "a.png", []Panel{{Series: []Series{{X: []float64{1}, Y: []float64{1}, Low: []float64{0}}}}}, "1 low and 0 high"},
		{"order", "a.svg", []Panel{{Series: []Series{{X: []float64{2, 1}, Y: []float64{1, 2}}}}}, "ascend"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			err := Curves(filepath.Join(dir, test.path), test.panels...)
			if err == nil || !strings.Contains(err.Error(), test.says) {
				t.Errorf("got %v; expected an error with %q", err, test.says)
			}
		})
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestMedian(t *testing.T) {
	got := Median("all",
		Series{X: []float64{1, 2, 3}, Y: []float64{5, 1, 9}},
		Series{X: []float64{1, 3}, Y: []float64{7, 3}},
		Series{X: []float64{1, 2, 3}, Y: []float64{6, 1, 6}},
		Series{X: []float64{1, 3, 4}, Y: []float64{100, 5, 0}},
	)
	for _, check := range []struct {
		name      string
		got, want []float64
	}{
		{"x", got.X, []float64{1, 3}}, {"median", got.Y, []float64{6.5, 5.5}},
		{"low", got.Low, []float64{5, 3}}, {"high", got.High, []float64{100, 9}},
	} {
		if !slices.Equal(check.got, check.want) {
			t.Errorf("%s: got %v, want %v", check.name, check.got, check.want)
		}
	}
}

// TestThinned: a thinned series has few points, all of them the series' own
// and in order, and keeps the lowest, the highest and the last.
func TestThinned(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		y := rapid.SliceOfN(rapid.Float64Range(-1, 1), 1, 300).Draw(t, "y")
		limit := rapid.IntRange(4, 100).Draw(t, "limit")
		s := Series{Y: y}
		for i := range y {
			s.X = append(s.X, float64(i))
		}
		got := s.thinned(limit)
		if len(got.X) > limit || !slices.IsSorted(got.X) {
			t.Fatalf("%d points for a limit of %d: %v", len(got.X), limit, got.X)
		}
		for i, x := range got.X {
			if got.Y[i] != y[int(x)] {
				t.Fatalf("point %v is not the series'", x)
			}
		}
		if got.X[len(got.X)-1] != float64(len(y)-1) {
			t.Fatal("the last point is gone")
		}
		if slices.Min(got.Y) != slices.Min(y) || slices.Max(got.Y) != slices.Max(y) {
			t.Fatal("a peak is gone")
		}
	})
}

// TestCurvesDrawsAnything: no values make the drawing fail, panic or hang.
func TestCurvesDrawsAnything(t *testing.T) {
	path := filepath.Join(t.TempDir(), "any.svg")
	value := rapid.OneOf(rapid.Float64Range(-1e3, 1e3), rapid.Float64(), rapid.SampledFrom([]float64{0, math.NaN(), math.Inf(1), 1e-12, 1e12, -1e12}))
	rapid.Check(t, func(t *rapid.T) {
		y := rapid.SliceOfN(value, 0, 8).Draw(t, "y")
		scale := rapid.SampledFrom([]float64{1, 1e-12, 1e15, 1e300}).Draw(t, "scale")
		s := Series{Name: rapid.String().Draw(t, "name"), Y: y}
		for i := range y {
			s.X = append(s.X, float64(i)*scale)
		}
		if rapid.Bool().Draw(t, "band") {
			s.Low = rapid.SliceOfN(value, len(y), len(y)).Draw(t, "low")
			s.High = rapid.SliceOfN(value, len(y), len(y)).Draw(t, "high")
		}
		panel := Panel{Title: "any", Log: rapid.Bool().Draw(t, "log"), LogX: rapid.Bool().Draw(t, "log x"), Series: []Series{s, {Name: "second"}}}
		if err := Curves(path, panel); err != nil {
			t.Fatal(err)
		}
	})
}

func TestNumber(t *testing.T) {
	for _, test := range []struct {
		v, size float64
		want    string
	}{
		{0.30000000000000004, 1, "0.3"}, {1e-17, 1, "0"}, {-2.5, 5, "−2.5"}, {100000, 1e5, "100\u2009000"}, {1e-5, 1e-4, "1e−05"},
		{1000, 1000, "1000"}, {-12000, 12000, "−12\u2009000"},
	} {
		if got := number(test.v, test.size); got != test.want {
			t.Errorf("number(%v) = %q, want %q", test.v, got, test.want)
		}
	}
}
