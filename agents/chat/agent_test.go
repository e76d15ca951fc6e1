package chat_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/agon-rl/agon/agents/chat"
	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/play"
)

var strict = chat.Rules{Tries: 2, Illegal: "error"}

// All games are played to the end and are the same games, however many calls
// fail.
func TestPlaysThroughFailures(t *testing.T) {
	const count = 40
	game := open(t, "kuhn_poker")
	want, err := match(t, agent(t, options(t, serve(t)), game, strict), game, count)
	if err != nil {
		t.Fatal(err)
	}
	for _, share := range []float64{0.1, 1.0 / 3} {
		s := serve(t)
		spoiled := &faults{r: rand.New(rand.NewPCG(1, 2)), share: share, done: map[chat.Kind]int{}}
		s.fault = spoiled.fault
		o := options(t, s)
		o.Retries, o.Timeout, o.Parallel = 12, 500*time.Millisecond, 16
		a := agent(t, o, game, strict)
		got, err := match(t, a, game, count)
		if err != nil {
			t.Fatal(err)
		}
		for i, e := range got {
			if e.Forfeit != games.Over || !slices.Equal(e.Actions, want[i].Actions) || !slices.Equal(e.Returns, want[i].Returns) {
				t.Errorf("with %.2f of the calls failing, episode %d is %+v, want %+v", share, i, e, want[i])
			}
		}
		u, total := a.Usage(), 0
		for kind, n := range spoiled.done {
			total += n
			if u.Failures[kind] < n { // a slow machine may add a timeout
				t.Errorf("%d calls were %s, usage says %d", n, kind, u.Failures[kind])
			}
		}
		turns := 0
		for _, e := range got {
			turns += len(e.Turns)
		}
		if total == 0 || u.Calls != turns+u.Retries || u.Retries < total || a.Stats() != (chat.Stats{Turns: turns}) {
			t.Errorf("%d turns, %d failures, usage %+v, stats %+v", turns, total, u, a.Stats())
		}
		t.Logf("%.2f: %d turns, %+v", share, turns, u)
	}
}

// A server that stays away loses nobody a game.
func TestServerStaysAway(t *testing.T) {
	s := serve(t)
	spoiled := &faults{r: rand.New(rand.NewPCG(1, 2)), share: 1, done: map[chat.Kind]int{}}
	s.fault = spoiled.fault
	o := options(t, s)
	o.Timeout = 100 * time.Millisecond
	game := open(t, "kuhn_poker")
	episodes, err := match(t, agent(t, o, game, chat.Rules{Tries: 1, Illegal: "forfeit"}), game, 4)
	if !errors.Is(err, games.ErrLost) || episodes != nil {
		t.Errorf("%d episodes, %v", len(episodes), err)
	}
}

// A game whose calls all failed is void, played again from the same deal, and
// nobody's loss.
func TestVoidGamesArePlayedAgain(t *testing.T) {
	const count = 40
	game := open(t, "kuhn_poker")
	want, err := match(t, agent(t, options(t, serve(t)), game, strict), game, count)
	if err != nil {
		t.Fatal(err)
	}
	s := serve(t)
	s.fault = (&faults{r: rand.New(rand.NewPCG(1, 2)), share: 0.1, done: map[chat.Kind]int{}}).fault
	o := options(t, s)
	o.Retries, o.Timeout = 0, 500*time.Millisecond
	got, err := match(t, agent(t, o, game, strict), game, count)
	if err != nil {
		t.Fatal(err)
	}
	voids := 0
	for i, e := range got {
		voids += e.Voids
		if e.Forfeit != games.Over || !slices.Equal(e.Actions, want[i].Actions) || !slices.Equal(e.Returns, want[i].Returns) {
			t.Errorf("episode %d is %+v, want %+v", i, e, want[i])
		}
	}
	if voids == 0 {
		t.Error("no game was void")
	}
}

func TestMatchIsCalledOff(t *testing.T) {
	s := serve(t)
	ctx, cancel := context.WithCancel(t.Context())
	s.answer = func(asked) string { cancel(); time.Sleep(20 * time.Millisecond); return "Bet" }
	game := open(t, "kuhn_poker")
	m := play.Match{Game: game, Agents: []play.Agent{agent(t, options(t, s), game, strict)}, Seats: func(uint64, int) []int { return []int{0, 0} }}
	start := time.Now()
	if _, err := m.Play(ctx, 0, 50); !errors.Is(err, context.Canceled) || time.Since(start) > 2*time.Second {
		t.Errorf("after %v: %v", time.Since(start), err)
	}
}

// decide asks an agent for one action of tic-tac-toe, where x holds the middle.
func decide(t *testing.T, a *chat.Agent, r *rand.Rand) (play.Decision, error) {
	t.Helper()
	state := open(t, "tic_tac_toe").Start()
	if err := state.Apply(4); err != nil {
		t.Fatal(err)
	}
	out := make([]play.Decision, 1)
	err := a.Act(t.Context(), []play.Request{{State: state, Seat: 1, Rand: r}}, out)
	return out[0], err
}

func generator() *rand.Rand { return rand.New(rand.NewPCG(3, 4)) }

// An answer that is no action is asked for again, with the reason.
func TestAsksAgain(t *testing.T) {
	s := serve(t)
	answers := []string{"Let me see", "<think>?</think>", "The middle: o(1,1)", "o(0,0)"}
	s.answer = func(asked) string { return answers[len(s.requests)-1] }
	a := agent(t, options(t, s), open(t, "tic_tac_toe"), chat.Rules{Tries: 4, Illegal: "error"})
	got, err := decide(t, a, generator())
	if err != nil || got.Action != 0 || got.Text != "o(0,0)" || got.Err != nil {
		t.Fatalf("%+v, %v", got, err)
	}
	if want := (chat.Stats{Turns: 1, Illegal: 1, Unread: 2}); a.Stats() != want {
		t.Errorf("%+v, want %+v", a.Stats(), want)
	}
	var roles []string
	last := s.requests[3].Messages
	for _, m := range last {
		roles = append(roles, m.Role)
	}
	// The answer that was all reasoning is not repeated.
	if got := strings.Join(roles, " "); got != "user assistant user user assistant user" {
		t.Errorf("the model reads messages of %s", got)
	}
	if said := last[5].Content; !strings.Contains(said, "illegal action o(1,1): open are o(0,0)") {
		t.Errorf("the model hears %q", said)
	}
}

func TestPolicies(t *testing.T) {
	for _, illegal := range chat.Policies {
		s := serve(t)
		s.answer = func(asked) string { return "o(1,1)" }
		a := agent(t, options(t, s), open(t, "tic_tac_toe"), chat.Rules{Tries: 2, Illegal: illegal})
		seen := map[games.Action]bool{}
		r := generator()
		const turns = 40
		for range turns {
			d, err := decide(t, a, r)
			if (err != nil) != (illegal == "error") || (d.Err != nil) != (illegal == "forfeit") {
				t.Fatalf("%s: %+v, %v", illegal, d, err)
			}
			seen[d.Action] = true
			failed := errors.Join(err, d.Err)
			if failed != nil && !strings.HasPrefix(failed.Error(), `model "tiny" named no legal action in 2 answers, the last time: illegal action o(1,1)`) {
				t.Fatalf("%s: %v", illegal, failed)
			}
		}
		// Eight actions are open, and the middle is not.
		if illegal == "random" && (len(seen) != 8 || seen[4]) {
			t.Errorf("plays %v", seen)
		}
		if want := (chat.Stats{Turns: turns, Illegal: 2 * turns, Spent: turns}); a.Stats() != want {
			t.Errorf("%s: %+v, want %+v", illegal, a.Stats(), want)
		}
	}
}

// Calls get seeds of their own, the same in a second run.
func TestSeeds(t *testing.T) {
	runs := make([][]int64, 2)
	for i := range runs {
		s := serve(t)
		o := options(t, s)
		seed := int64(11)
		o.Seed, o.Parallel = &seed, 1
		game := open(t, "kuhn_poker")
		if _, err := match(t, agent(t, o, game, strict), game, 10); err != nil {
			t.Fatal(err)
		}
		for _, q := range s.requests {
			runs[i] = append(runs[i], *q.Seed)
		}
		slices.Sort(runs[i]) // games of a batch are asked in any order
	}
	if !slices.Equal(runs[0], runs[1]) || len(slices.Compact(runs[0])) < len(runs[1]) {
		t.Errorf("seeds %v, then %v", runs[0], runs[1])
	}
}

func TestTemplates(t *testing.T) {
	write := func(text string) string {
		file := filepath.Join(t.TempDir(), "ask.tmpl")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	template, err := chat.ReadTemplate(write("You are {{.Role}} in {{.Game}}.\n{{.Prompt}}\nBe brief."))
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		template   *chat.Template
		head, tail string
	}{
		{template, "You are second in tic_tac_toe.\n", "\nBe brief."},
		{nil, "", "on the last line of your answer."},
	} {
		s := serve(t)
		s.answer = func(asked) string { return "o(0,0)" }
		a := agent(t, options(t, s), open(t, "tic_tac_toe"), chat.Rules{Template: test.template, Tries: 1, Illegal: "error"})
		if _, err := decide(t, a, generator()); err != nil {
			t.Fatal(err)
		}
		if said := s.requests[0].Messages[0].Content; !strings.HasPrefix(said, test.head) || !strings.HasSuffix(said, test.tail) || !strings.Contains(said, "It is your turn. Open to you: o(0,0) [0]") {
			t.Errorf("the model reads %q", said)
		}
	}
	for text, want := range map[string]string{
		"{{.Prompt":            "unclosed action",
		"{{.Promt}}":           "can't evaluate field Promt",
		"You are {{.Role}}.":   "expected {{.Prompt}} in it",
		"{{template \"x\" .}}": "template \"x\" not defined",
	} {
		if _, err := chat.ReadTemplate(write(text)); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %v, want one line with %q", text, err, want)
		}
	}
}

// A real server of the protocol, such as testdata/chat/server.py starts.
func TestEndpoint(t *testing.T) {
	base := os.Getenv("AGON_TEST_CHAT_URL")
	if base == "" {
		t.Skip("AGON_TEST_CHAT_URL names no server; testdata/chat/server.py starts one")
	}
	game := open(t, "kuhn_poker")
	o := chat.Options{URL: base, Model: "random", MaxTokens: 24, Retries: 3}
	a := agent(t, o, game, chat.Rules{Tries: 2, Illegal: "random"})
	episodes, err := match(t, a, game, 10)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range episodes {
		if e.Forfeit != games.Over || len(e.Turns) < 2 {
			t.Errorf("episode %+v", e)
		}
	}
	if u := a.Usage(); u.TokensIn == 0 || u.TokensOut == 0 || len(u.Failures) > 0 {
		t.Errorf("usage %+v", u)
	}
	t.Logf("usage %+v, stats %+v", a.Usage(), a.Stats())
}
