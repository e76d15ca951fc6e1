package spc_test

import (
	"context"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"github.com/agon-rl/agon/agents"
	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/games/problem"
	"github.com/agon-rl/agon/games/sneakycritic"
	_ "github.com/agon-rl/agon/games/standard"
	"github.com/agon-rl/agon/mcts"
	"github.com/agon-rl/agon/play"
	"github.com/agon-rl/agon/policy"
	"github.com/agon-rl/agon/policy/backend"
	"github.com/agon-rl/agon/spc"
	"github.com/agon-rl/agon/trainer"
	"github.com/agon-rl/agon/trainer/run"
)

// weak is a solver that takes a step after which the problem can still be solved with
// a given probability.
type weak float64

func (w weak) Probabilities(_ context.Context, states []games.State, out [][]float64) error {
	for i, s := range states {
		actions, right := s.Actions(nil), 0.0
		good := make([]bool, len(actions))
		for j, a := range actions {
			next := s.Clone()
			if err := next.Apply(a); err != nil {
				return err
			}
			if good[j] = next.(problem.Verified).Solvable(); good[j] {
				right++
			}
		}
		wrong := float64(len(actions)) - right
		for j := range actions {
			switch {
			case right == 0 || wrong == 0:
				out[i][j] = 1 / float64(len(actions))
			case good[j]:
				out[i][j] = float64(w) / right
			default:
				out[i][j] = (1 - float64(w)) / wrong
			}
		}
	}
	return nil
}

// critics by what they say.
type critic func(s *sneakycritic.State) (correct float64)

func (c critic) Probabilities(_ context.Context, states []games.State, out [][]float64) error {
	for i, s := range states {
		p := c(s.(*sneakycritic.State))
		out[i][sneakycritic.Correct], out[i][sneakycritic.Incorrect] = p, 1-p
	}
	return nil
}

var verifier = critic(func(s *sneakycritic.State) float64 {
	if s.Wrong() {
		return 0
	}
	return 1
})

func criticOf(t testing.TB, domain string, p policy.Policy) *spc.StepCritic {
	t.Helper()
	game, err := sneakycritic.New(sneakycritic.Params{Domain: domain, Clean: 0.5})
	if err != nil {
		t.Fatal(err)
	}
	return spc.NewStepCritic(game, p)
}

// problems starts problems of a game, with a generator for each.
func problems(t testing.TB, domain string, count int) (games.Info, []problem.Solution, []*rand.Rand) {
	t.Helper()
	game, err := games.New(domain)
	if err != nil {
		t.Fatal(err)
	}
	r := play.Generator(7, "problems")
	starts, rands := make([]problem.Solution, count), make([]*rand.Rand, count)
	for i := range starts {
		s := game.Start()
		if err := s.Apply(problem.Draw(r)); err != nil {
			t.Fatal(err)
		}
		starts[i], rands[i] = s.(problem.Solution), play.Generator(7, "solver", uint64(i))
	}
	return game.Info(), starts, rands
}

func rate(attempts []spc.Attempt) (solved float64) {
	for _, a := range attempts {
		if a.Solved() {
			solved += 1 / float64(len(attempts))
		}
	}
	return solved
}

func solve(t testing.TB, g spc.Guide, domain string, count int) []spc.Attempt {
	t.Helper()
	_, starts, rands := problems(t, domain, count)
	attempts, err := g.Solve(t.Context(), starts, rands)
	if err != nil {
		t.Fatal(err)
	}
	return attempts
}

// A critic that knows the truth lifts the solve rate to what the tries allow, and one
// that tosses a coin leaves it where it was.
func TestGuideIsWorthItsCritic(t *testing.T) {
	const count = 2000
	for _, domain := range []string{"arithmetic", "countdown"} {
		solver := agents.NewSampler(weak(0.6), false)
		alone := rate(solve(t, spc.Guide{Solver: solver}, domain, count))
		guided := rate(solve(t, spc.Guide{Solver: solver, Critic: criticOf(t, domain, verifier), Tries: spc.Tries}, domain, count))
		coin := play.Generator(1, "coin")
		tossed := rate(solve(t, spc.Guide{Solver: solver, Critic: criticOf(t, domain, critic(func(*sneakycritic.State) float64 { return coin.Float64() })), Tries: spc.Tries}, domain, count))
		t.Logf("%s: alone %.3f, with the verifier %.3f, with a coin %.3f", domain, alone, guided, tossed)
		if alone < 0.08 || alone > 0.4 || guided < 0.95 {
			t.Errorf("%s: solves %.3f alone and %.3f with a perfect critic", domain, alone, guided)
		}
		if spread := math.Sqrt(2 * alone * (1 - alone) / count); math.Abs(tossed-alone) > 4*spread {
			t.Errorf("%s: solves %.3f alone and %.3f with a coin for a critic", domain, alone, tossed)
		}
	}
}

// A search by a perfect critic solves what the solver alone does not, within its calls.
func TestTreeSearch(t *testing.T) {
	const count, calls = 300, 40
	rule, err := mcts.NewRule("puct")
	if err != nil {
		t.Fatal(err)
	}
	for _, domain := range []string{"arithmetic", "countdown"} {
		solver := agents.NewSampler(weak(0.6), false)
		alone := rate(solve(t, spc.Guide{Solver: solver}, domain, count))
		judge := criticOf(t, domain, verifier)
		info, starts, rands := problems(t, domain, count)
		attempts, err := spc.TreeSearch{Solver: solver, Critic: judge, Rule: rule, Steps: 4, Calls: calls}.Solve(t.Context(), info, starts, rands)
		if err != nil {
			t.Fatal(err)
		}
		if searched := rate(attempts); searched < 0.8 || searched < alone+0.5 {
			t.Errorf("%s: search solves %.3f, the solver alone %.3f", domain, searched, alone)
		}
		judged := 0
		for i, a := range attempts {
			judged += a.Critic
			if a.Solved() && a.Belief != 1 || a.End.Turn() != games.Over || a.Policy > calls+info.MaxLength {
				t.Fatalf("%s: problem %d: belief %g, %d policy calls", domain, i, a.Belief, a.Policy)
			}
		}
		// some of Countdown's problems are drawn twice, and judged once
		if judged < judge.Calls() || domain == "arithmetic" && judged != judge.Calls() {
			t.Errorf("%s: %d lines judged are counted as %d", domain, judge.Calls(), judged)
		}
	}
}

// scripted takes the legal actions one after the other.
type scripted struct{ next *int }

func (s scripted) Act(_ context.Context, in []play.Request, out []play.Decision) error {
	for i, request := range in {
		legal := request.State.Actions(nil)
		out[i].Action = legal[*s.next%len(legal)]
		*s.next++
	}
	return nil
}

func (scripted) Close() error { return nil }

// Where all tries are rejected the last stands, or the best; every try is counted.
func TestAllTriesRejected(t *testing.T) {
	for _, best := range []bool{false, true} {
		asked := 0
		beliefs := []float64{0.1, 0.2, 0.5, 0.3, 0.4, 0.05} // by try
		judged := 0
		judge := critic(func(*sneakycritic.State) float64 {
			judged++
			return beliefs[(judged-1)%len(beliefs)]
		})
		_, starts, rands := problems(t, "arithmetic(length=1)", 1)
		legal := starts[0].Actions(nil)
		if len(legal) < 6 {
			t.Fatalf("%d steps are open", len(legal))
		}
		g := spc.Guide{Solver: scripted{&asked}, Critic: criticOf(t, "arithmetic", judge), Tries: spc.Tries, Best: best}
		attempts, err := g.Solve(t.Context(), starts, rands)
		if err != nil {
			t.Fatal(err)
		}
		want := starts[0].Clone()
		chosen, belief := legal[5], 0.05
		if best {
			chosen, belief = legal[2], 0.5
		}
		if err := want.Apply(chosen); err != nil {
			t.Fatal(err)
		}
		a := attempts[0]
		if got := string(a.End.AppendKey(nil, 0)); got != string(want.AppendKey(nil, 0)) || a.Belief != belief || a.Policy != 6 || a.Critic != 6 {
			t.Errorf("best=%v: %s with belief %g after %d and %d calls", best, got, a.Belief, a.Policy, a.Critic)
		}
	}
}

// Selections take what they say, and cost what all solutions did.
func TestSelections(t *testing.T) {
	attempts := solve(t, spc.Guide{Solver: agents.NewSampler(weak(0.6), false)}, "arithmetic", 5)
	answers, beliefs := []string{"7", "", "9", "", "9"}, []float64{0.2, 0.9, 0.4, 0.9, 0.1}
	for i := range attempts {
		attempts[i].Answer, attempts[i].Belief = answers[i], beliefs[i]
		attempts[i].Calls = spc.Calls{Policy: i, Critic: 10 * i}
	}
	at := func(a spc.Attempt) int {
		if a.Calls != (spc.Calls{Policy: 10, Critic: 100}) {
			t.Errorf("one of five costs %+v", a.Calls)
		}
		return slices.IndexFunc(attempts, func(b spc.Attempt) bool { return b.End == a.End })
	}
	if got := at(spc.Majority(attempts)); got != 2 {
		t.Errorf("the majority is solution %d", got)
	}
	if got := at(spc.BestOf(attempts)); got != 1 {
		t.Errorf("the critic's best is solution %d", got)
	}
	right := slices.IndexFunc(attempts, spc.Attempt.Solved)
	if got := at(spc.Verified(attempts)); got != max(0, right) {
		t.Errorf("the verifier takes solution %d, the first right one is %d", got, right)
	}
}

// What a critic believes of a solution is the product over its lines, each judged once
// however many solutions share it.
func TestBelief(t *testing.T) {
	said := map[string]float64{}
	r := play.Generator(3, "beliefs")
	judge := criticOf(t, "arithmetic", critic(func(s *sneakycritic.State) float64 {
		key := string(s.AppendKey(nil, sneakycritic.Critic))
		if _, twice := said[key]; twice {
			t.Errorf("judged twice: %s", key)
		}
		said[key] = r.Float64()
		return said[key]
	}))
	belief := spc.NewBelief(judge)
	attempts := solve(t, spc.Guide{Solver: agents.NewSampler(weak(0.6), false)}, "arithmetic", 50)
	for _, a := range attempts {
		var before []games.State // the solution at all its steps, the end first
		for s, ok := a.End, true; ok; s, _, ok = s.Before() {
			before = append(before, s)
		}
		r.Shuffle(len(before), func(i, j int) { before[i], before[j] = before[j], before[i] })
		out := make([]float64, len(before))
		if err := belief.Confidence(t.Context(), before, out); err != nil {
			t.Fatal(err)
		}
		for i, state := range before {
			want := 1.0
			for s := state.(problem.Solution); ; {
				at, line, ok := s.Before()
				if !ok {
					break
				}
				want *= said[string(judge.Game().Judging(at, line).AppendKey(nil, sneakycritic.Critic))]
				s = at
			}
			if math.Abs(out[i]-want) > 1e-12 {
				t.Errorf("belief %g, the product is %g", out[i], want)
			}
		}
	}
	if judge.Calls() != len(said) {
		t.Errorf("%d calls for %d lines", judge.Calls(), len(said))
	}
}

// trained is the folder of a short run.
func trained(t testing.TB, settings ...string) string {
	t.Helper()
	recipe, err := trainer.ReadRecipe([]byte("method: critic"), append([]string{
		"critic.warmup=2", "critic.rounds=1", "updates=1", "games=16", "group=16", "policy.hidden=[8]", "critic.cases=2",
	}, settings...))
	if err != nil {
		t.Fatal(err)
	}
	text, err := recipe.YAML()
	if err != nil {
		t.Fatal(err)
	}
	folder, err := run.Create(filepath.Join(t.TempDir(), "run"), text)
	if err != nil {
		t.Fatal(err)
	}
	defer folder.Close()
	if _, err := trainer.Train(t.Context(), folder, trainer.Options{Backend: device(t), Workers: 1, Log: zerolog.Nop()}); err != nil {
		t.Fatal(err)
	}
	return folder.Dir()
}

func device(t testing.TB) backend.Backend {
	t.Helper()
	b, _, err := backend.Open("go")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func environment(t testing.TB, name string) agents.Environment {
	t.Helper()
	game, err := games.New(name)
	if err != nil {
		t.Fatal(err)
	}
	return agents.Environment{Game: game, Backend: func() (backend.Backend, error) { return device(t), nil }}
}

// A run's critic judges the leaves of a search that is named on a command line, of two
// networks or of one, of any of its checkpoints.
func TestCriticByName(t *testing.T) {
	two, one := trained(t), trained(t, "players=one", "game=sneaky_critic(domain=countdown)")
	for _, test := range []struct{ game, agent string }{
		{"arithmetic", "mcts:sims=20,rule=puct,eval=critic(" + two + ")"},
		{"arithmetic(length=6)", "mcts:sims=20,rule=puct,eval=critic(" + two + "@3,policy=random)"},
		{"countdown", "mcts:sims=20,leaves=4,eval=critic(" + one + ",ends=critic)"},
		{"countdown", "mcts:sims=20,eval=mix(critic(" + one + "),0.5,rollout,0.5)"},
	} {
		env := environment(t, test.game)
		agent, err := agents.Open(t.Context(), test.agent, env)
		if err != nil {
			t.Fatal(err)
		}
		s := env.Game.Start()
		if err := s.Apply(5); err != nil {
			t.Fatal(err)
		}
		out := make([]play.Decision, 1)
		if err := agent.Act(t.Context(), []play.Request{{State: s, Rand: play.Generator(1, "search")}}, out); err != nil {
			t.Fatalf("%s: %v", test.agent, err)
		}
		if tree := out[0].Record.(*mcts.Tree); tree.Simulations() != 20 || tree.Nodes() < 5 {
			t.Errorf("%s: %d simulations, %d nodes", test.agent, tree.Simulations(), tree.Nodes())
		}
		if err := agent.Close(); err != nil {
			t.Error(err)
		}
	}
	for _, test := range []struct{ game, eval, want string }{
		{"arithmetic", "critic", "expected the folder of a run of SPC"},
		{"arithmetic", "critic(" + one + ")", "a critic of countdown cannot read arithmetic"},
		{"modchain", "critic(" + two + ")", "solved line by line"},
		{"arithmetic", "critic(" + two + ",ends=nobody)", "expected game, critic"},
		{"arithmetic", "critic(" + two + "@7)", "7"},
		{"arithmetic", "critic(" + two + ",policy=human)", "whose probabilities can be asked for"},
		{"arithmetic", "critic(" + two + ",temperature=1)", "temperature"},
	} {
		agent, err := agents.Open(t.Context(), "mcts:sims=20,eval="+test.eval, environment(t, test.game))
		if err == nil {
			t.Errorf("%s on %s opens %v", test.eval, test.game, agent)
		} else if !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s on %s: %v", test.eval, test.game, err)
		}
	}
	if _, err := agents.Open(t.Context(), "mcts:sims=20,prove=true,eval=critic("+two+",ends=critic)", environment(t, "arithmetic")); err == nil || !strings.Contains(err.Error(), "leave prove out") {
		t.Errorf("a critic proves: %v", err)
	}
}
