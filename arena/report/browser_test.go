package report_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/agon-rl/agon/arena/report"
)

// browser finds Chromium: AGON_TEST_BROWSER, which must then be there, or what is
// installed.
func browser(t *testing.T) string {
	t.Helper()
	if path := os.Getenv("AGON_TEST_BROWSER"); path != "" {
		if _, err := exec.LookPath(path); err != nil {
			t.Fatalf("AGON_TEST_BROWSER: %v", err)
		}
		return path
	}
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Skip("no Chromium here: name one by AGON_TEST_BROWSER")
	return ""
}

// page opens a file in a browser and notes what it fetches and complains of.
type page struct {
	context.Context

	mu       sync.Mutex
	fetched  []string
	troubles []string
}

func openPage(t *testing.T, path string) *page {
	t.Helper()
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]),
		chromedp.ExecPath(browser(t)), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND"), chromedp.WindowSize(1400, 1000))
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	p := &page{Context: ctx}
	listen := func(event any) {
		p.mu.Lock()
		defer p.mu.Unlock()
		switch e := event.(type) {
		case *network.EventRequestWillBeSent:
			p.fetched = append(p.fetched, e.Request.URL)
		case *network.EventWebSocketCreated:
			p.fetched = append(p.fetched, e.URL)
		case *runtime.EventExceptionThrown:
			p.troubles = append(p.troubles, fmt.Sprint(e.ExceptionDetails.Text, " at line ", e.ExceptionDetails.LineNumber))
		}
	}
	p.do(t, chromedp.Navigate("about:blank"))
	if err := chromedp.Listen(ctx, listen); err != nil {
		t.Fatal(err)
	}
	p.do(t, chromedp.Navigate("file://"+path))
	return p
}

// do runs actions on the page.
func (p *page) do(t *testing.T, actions ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(p, actions...); err != nil {
		t.Fatal(err)
	}
}

// ask evaluates an expression on the page.
func ask[T any](t *testing.T, p *page, expression string) T {
	t.Helper()
	out, err := chromedp.Run(p, chromedp.Evaluate[T](expression))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// picture keeps a screenshot where AGON_TEST_PICTURES names a folder.
func (p *page) picture(t *testing.T, name string) {
	t.Helper()
	if dir := os.Getenv("AGON_TEST_PICTURES"); dir != "" {
		png, err := chromedp.Run(p, chromedp.FullScreenshot(100))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name+".png"), png, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// quiet checks that the page fetched nothing but itself, and that its scripts ran
// without an error.
func (p *page) quiet(t *testing.T) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.fetched) != 1 || !strings.HasPrefix(p.fetched[0], "file://") {
		t.Errorf("fetched %v, expected the page alone", p.fetched)
	}
	if len(p.troubles) > 0 {
		t.Errorf("scripts failed: %v", p.troubles)
	}
}

const column = `[...document.querySelectorAll("#standings tbody tr")].map(row => row.cells[%s].textContent)`

func TestBrowserSorts(t *testing.T) {
	browser(t)
	dir := played(t, nil, 2, "tic_tac_toe", []string{"random", "few=mcts(sims=5)", "many=mcts(sims=100)", "minimax"}, "rounds=10")
	p := openPage(t, filepath.Join(dir, report.PageFile))
	p.picture(t, "tic_tac_toe")
	names := strings.ReplaceAll(column, "%s", "0")
	best := ask[[]string](t, p, names)
	if len(best) != 4 || best[3] != "random" {
		t.Fatalf("standings are %v", best)
	}
	p.do(t, chromedp.Click("#standings th:nth-child(1)"))
	if got := ask[[]string](t, p, names); !slices.IsSorted(got) {
		t.Errorf("by name: %v", got)
	}
	p.do(t, chromedp.Click("#standings th:nth-child(1)"))
	if got := ask[[]string](t, p, names); got[0] != "random" {
		t.Errorf("by name, backwards: %v", got)
	}
	p.do(t, chromedp.Click("#standings th:nth-child(2)"))
	if got := ask[[]string](t, p, names); !slices.Equal(got, best) {
		t.Errorf("by Elo: %v, expected %v", got, best)
	}
	p.do(t, chromedp.Click("#standings th:nth-child(7)"))
	losses := ask[[]int](t, p, strings.ReplaceAll(column, "%s", "6")+".map(Number)")
	if !slices.IsSortedFunc(losses, func(a, b int) int { return b - a }) {
		t.Errorf("by losses: %v", losses)
	}
	if n := ask[int](t, p, `document.querySelectorAll("svg.ratings .interval").length`); n != 4 {
		t.Errorf("%d intervals in the plot of ratings", n)
	}
	if n := ask[int](t, p, `document.querySelectorAll("svg.payoffs rect").length`); n != 12 {
		t.Errorf("%d payoffs", n)
	}
	if n := ask[int](t, p, `document.querySelectorAll("svg.flow .way").length`); n < 3 {
		t.Errorf("%d ways in alpha-rank's graph", n)
	}
	p.quiet(t)
}

// A game with a board is stepped through to its end, by buttons, keys and its moves.
func TestBrowserStepsThroughABoard(t *testing.T) {
	browser(t)
	dir := played(t, nil, 2, "connect_four", []string{"random", "few=mcts(sims=20)"}, "rounds=3")
	p := openPage(t, filepath.Join(dir, report.PageFile))
	const stones = `document.querySelectorAll("#board circle").length`
	moves := ask[int](t, p, `document.querySelectorAll("#moves li").length`)
	if moves < 7 {
		t.Fatalf("a game of %d moves", moves)
	}
	if n := ask[int](t, p, stones); n != 0 {
		t.Errorf("%d stones at the start", n)
	}
	for i := 1; i <= 3; i++ {
		p.do(t, chromedp.Click("#next"))
		if n := ask[int](t, p, stones); n != i {
			t.Errorf("%d stones after %d moves", n, i)
		}
	}
	p.do(t, chromedp.Click("#back"))
	if n := ask[int](t, p, stones); n != 2 {
		t.Errorf("%d stones after a step back", n)
	}
	p.do(t, chromedp.KeyEvent(kb.ArrowRight))
	if n := ask[int](t, p, stones); n != 3 {
		t.Errorf("%d stones after an arrow key", n)
	}
	p.do(t, chromedp.Click("#moves li:nth-child(5)"))
	if n := ask[int](t, p, stones); n != 5 {
		t.Errorf("%d stones at the fifth move", n)
	}
	p.do(t, chromedp.Click("#last"))
	if n := ask[int](t, p, stones); n != moves {
		t.Errorf("%d stones at the end of %d moves", n, moves)
	}
	p.picture(t, "connect_four")
	if end := ask[string](t, p, `document.getElementById("ply").textContent`); !strings.Contains(end, "returns") {
		t.Errorf("the end says %q", end)
	}
	p.do(t, chromedp.Click("#games tbody tr:nth-child(2)"))
	if title := ask[string](t, p, `document.getElementById("title").textContent`); !strings.Contains(title, "Game 1") {
		t.Errorf("the second game is %q", title)
	}
	p.quiet(t)
}

// A game without a board shows what seats are told.
func TestBrowserStepsThroughText(t *testing.T) {
	browser(t)
	dir := played(t, nil, 2, "kuhn_poker", []string{"random", "nash=cfr(iterations=100)"}, "rounds=20")
	p := openPage(t, filepath.Join(dir, report.PageFile))
	p.do(t, chromedp.Click("#next"), chromedp.Click("#next"))
	if told := ask[string](t, p, `document.querySelector("#board .text").textContent`); !strings.Contains(told, "card") {
		t.Errorf("after the deal the seat to move is told %q", told)
	}
	p.picture(t, "kuhn_poker")
	p.quiet(t)
}

func TestBrowserShowsChess(t *testing.T) {
	browser(t)
	dir := played(t, nil, 2, "chess", []string{"random", "other=random"}, "rounds=1")
	p := openPage(t, filepath.Join(dir, report.PageFile))
	if n := ask[int](t, p, `document.querySelectorAll("#board .piece").length`); n != 32 {
		t.Errorf("%d pieces", n)
	}
	p.do(t, chromedp.Click("#next"))
	if n := ask[int](t, p, `document.querySelectorAll("#board .new").length`); n != 2 {
		t.Errorf("a move changes %d squares", n)
	}
	p.picture(t, "chess")
	p.quiet(t)
}
