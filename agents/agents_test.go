package agents_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/agon-rl/agon/agents"
	"github.com/agon-rl/agon/games"
	_ "github.com/agon-rl/agon/games/standard"
	"github.com/agon-rl/agon/play"
	"github.com/agon-rl/agon/policy"
	"github.com/agon-rl/agon/policy/backend"
)

func start(t *testing.T, name string) games.State {
	t.Helper()
	game, err := games.New(name)
	if err != nil {
		t.Fatal(err)
	}
	return game.Start()
}

func environment(t *testing.T, name string) agents.Environment {
	t.Helper()
	game, err := games.New(name)
	if err != nil {
		t.Fatal(err)
	}
	return agents.Environment{
		Game: game, In: strings.NewReader(""), Out: io.Discard,
		Backend: func() (backend.Backend, error) { return nil, errors.New("this agent needs no backend") },
	}
}

// after plays actions by their names, chance's included.
func after(t *testing.T, name string, actions ...string) games.State {
	t.Helper()
	s := start(t, name)
	for _, want := range actions {
		found := false
		for _, a := range s.Actions(nil) {
			if games.Say(s, a) == want {
				if err := s.Apply(a); err != nil {
					t.Fatal(err)
				}
				found = true
				break
			}
		}
		if !found {
			t.Fatalf("%s: no action %q", name, want)
		}
	}
	return s
}

// act asks an agent for one action.
func act(t *testing.T, agent play.Agent, s games.State) string {
	t.Helper()
	out := make([]play.Decision, 1)
	request := play.Request{State: s, Seat: s.Turn(), Rand: rand.New(rand.NewPCG(1, 2))}
	if err := agent.Act(t.Context(), []play.Request{request}, out); err != nil {
		t.Fatal(err)
	}
	return games.Say(s, out[0].Action)
}

func TestOpen(t *testing.T) {
	for _, test := range []struct {
		game, agent string
		state       []string
		want        string // "" for any
	}{
		{"kuhn_poker", "random", []string{"Deal:0", "Deal:1"}, ""},
		// A king that faces a bet calls; a jack folds.
		{"kuhn_poker", "cfr:iterations=200", []string{"Deal:0", "Deal:2", "Bet"}, "Bet"},
		{"kuhn_poker", "cfr(200)", []string{"Deal:2", "Deal:0", "Bet"}, "Pass"},
		// x takes the third of a row.
		{"tic_tac_toe", "minimax", []string{"x(0,0)", "o(1,1)", "x(0,1)", "o(1,0)"}, "x(0,2)"},
		// o stops one.
		{"tic_tac_toe", "minimax", []string{"x(1,1)", "o(0,0)", "x(0,1)"}, "o(2,1)"},
	} {
		t.Run(test.game+" "+test.agent, func(t *testing.T) {
			agent, err := agents.Open(t.Context(), test.agent, environment(t, test.game))
			if err != nil {
				t.Fatal(err)
			}
			defer agent.Close()
			if got := act(t, agent, after(t, test.game, test.state...)); test.want != "" && got != test.want {
				t.Errorf("plays %s, want %s", got, test.want)
			}
		})
	}
}

func TestOpenRefuses(t *testing.T) {
	torn := filepath.Join(t.TempDir(), "torn.json")
	if err := os.WriteFile(torn, []byte(`{"0": {"Pass": 0.5`), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		game, agent, want string
		misnamed          bool
	}{
		{"kuhn_poker", "radnom", `agent "radnom" is unknown, did you mean "random"?`, true},
		{"kuhn_poker", "", "expected a name", true},
		{"kuhn_poker", "random(1)", `random: unexpected argument "1"`, true},
		{"kuhn_poker", "cfr:iterations=0", "expected a whole number from 1", true},
		{"kuhn_poker", "cfr:iteration=5", `did you mean "iterations"?`, true},
		{"kuhn_poker", "policy", "expected a file", true},
		{"kuhn_poker", "run", "expected a run's folder", true},
		{"kuhn_poker", "run:x@y", "expected a step number", true},
		{"kuhn_poker", "run:" + filepath.Join(t.TempDir(), "none"), "none", false},
		{"kuhn_poker", "policy:" + filepath.Join(t.TempDir(), "none.json"), "none.json", false},
		{"kuhn_poker", "policy:" + torn, "expected JSON", false},
		{"kuhn_poker", "minimax", "minimax", false}, // cards are hidden
	} {
		_, err := agents.Open(t.Context(), test.agent, environment(t, test.game))
		var name *agents.NameError
		if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: got %v, want one line with %q", test.agent, err, test.want)
		} else if errors.As(err, &name) != test.misnamed {
			t.Errorf("%q: is the name at fault? %v: %v", test.agent, !test.misnamed, err)
		}
	}
}

func TestRunDir(t *testing.T) {
	for text, want := range map[string]string{
		"run:runs/kuhn_poker":              "runs/kuhn_poker",
		"run:runs/kuhn_poker@200":          "runs/kuhn_poker",
		"run(runs/kuhn_poker,greedy=true)": "runs/kuhn_poker",
		"random":                           "",
		"run":                              "",
	} {
		if got, ok := agents.RunDir(text); got != want || ok != (want != "") {
			t.Errorf("%s: %q, %v", text, got, ok)
		}
	}
}

// skewed prefers the last legal action, a little.
type skewed struct{}

func (skewed) Probabilities(_ context.Context, _ []games.State, out [][]float64) error {
	for _, p := range out {
		for i := range p {
			p[i] = 0.9 / float64(len(p))
		}
		p[len(p)-1] += 0.1
	}
	return nil
}

// A greedy agent takes the most probable action, the first of equals, and what
// it says of its probabilities is what it does.
func TestGreedy(t *testing.T) {
	s := after(t, "tic_tac_toe", "x(0,0)")
	for name, test := range map[string]struct {
		policy policy.Policy
		want   string
	}{
		"the most probable":   {skewed{}, "o(2,2)"},
		"the first of equals": {policy.Uniform{}, "o(0,1)"},
	} {
		agent := agents.NewSampler(test.policy, true)
		if got := act(t, agent, s); got != test.want {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
		probs := [][]float64{make([]float64, 8)}
		if err := agent.Policy().Probabilities(t.Context(), []games.State{s}, probs); err != nil {
			t.Fatal(err)
		}
		for i, a := range s.Actions(nil) {
			if want := games.Say(s, a) == test.want; (probs[0][i] == 1) != want || (probs[0][i] == 0) == want {
				t.Errorf("%s: %s has probability %g", name, games.Say(s, a), probs[0][i])
			}
		}
	}
}

// A sampler draws in the proportions of its policy.
func TestSamplerDraws(t *testing.T) {
	s := after(t, "tic_tac_toe", "x(0,0)", "o(0,1)", "x(0,2)", "o(1,0)", "x(1,1)") // four squares are left
	agent, r := agents.NewSampler(skewed{}, false), rand.New(rand.NewPCG(5, 6))
	const draws = 20000
	requests, out := make([]play.Request, draws), make([]play.Decision, draws)
	for i := range requests {
		requests[i] = play.Request{State: s, Seat: 1, Rand: r}
	}
	if err := agent.Act(t.Context(), requests, out); err != nil {
		t.Fatal(err)
	}
	count := map[games.Action]int{}
	for _, d := range out {
		count[d.Action]++
	}
	for i, a := range s.Actions(nil) {
		want := 0.225
		if i == 3 {
			want = 0.325
		}
		// Five standard errors of a share of 20,000 draws.
		if got := float64(count[a]) / draws; got < want-0.017 || got > want+0.017 {
			t.Errorf("%s is drawn in %.3f of the games, want %.3f", games.Say(s, a), got, want)
		}
	}
}

// A person is asked again until there is an action, and can leave.
func TestHuman(t *testing.T) {
	s := after(t, "tic_tac_toe")
	for _, test := range []struct {
		in, want, said string
		quits          bool
	}{
		{in: "[4]\n", want: "x(1,1)"},
		{in: "castle\n[4]\n", want: "x(1,1)", said: "or quit"},
		{in: "[4]", want: "x(1,1)"},
		{in: "quit\n", quits: true},
		{in: "", quits: true},
		{in: "castle", quits: true},
	} {
		var out bytes.Buffer
		person := agents.NewHuman(strings.NewReader(test.in), &out)
		decisions := make([]play.Decision, 1)
		err := person.Act(t.Context(), []play.Request{{State: s}}, decisions)
		if test.quits {
			if !errors.Is(err, agents.ErrQuit) {
				t.Errorf("%q: %v", test.in, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%q: %v", test.in, err)
		} else if got := games.Say(s, decisions[0].Action); got != test.want {
			t.Errorf("%q: %s, want %s", test.in, got, test.want)
		}
		if !strings.Contains(out.String(), test.said) {
			t.Errorf("%q: the person reads %q", test.in, out.String())
		}
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if err := agents.NewHuman(strings.NewReader("[4]\n"), io.Discard).Act(cancelled, []play.Request{{State: s}}, make([]play.Decision, 1)); !errors.Is(err, context.Canceled) {
		t.Errorf("a game that was called off: %v", err)
	}
}
