package spc

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/games/problem"
	"github.com/agon-rl/agon/games/sneakycritic"
	_ "github.com/agon-rl/agon/games/standard"
	"github.com/agon-rl/agon/trainer"
)

func openGame(t testing.TB, name string) *sneakycritic.Game {
	t.Helper()
	game, err := games.New(name)
	if err != nil {
		t.Fatal(err)
	}
	return game.(*sneakycritic.Game)
}

func drawn(t testing.TB, game *sneakycritic.Game, r *rand.Rand) *sneakycritic.State {
	t.Helper()
	s := game.Start().(*sneakycritic.State)
	if err := s.Apply(s.Sample(r)); err != nil {
		t.Fatal(err)
	}
	return s
}

// The success rate condemns what the verifier does in a domain whose errors are never
// masked; where lines that lead on less often are right too, the two differ.
func TestValidity(t *testing.T) {
	game, r := openGame(t, "sneaky_critic(clean=0,domain=arithmetic)"), rand.New(rand.NewPCG(1, 2))
	sure := validity{drop: true, tries: 4, slips: 0, high: 1, gap: 1}
	for range 200 {
		s := drawn(t, game, r)
		at, _ := s.Shown()
		for _, line := range s.Candidates() {
			if got, want := sure.wrong(at, s.Right(), line, r), line.Slip != ""; got != want {
				t.Fatalf("%s is wrong: %t by its success, %t by the verifier\n%s", line.Text, got, want, s.Problem())
			}
		}
	}
	// A solver that slips at every step does not get there from the true line either:
	// nothing can be judged.
	hopeless := validity{drop: true, tries: 4, slips: 1, high: 1, gap: 0.25}
	judged := 0
	for range 50 {
		s := drawn(t, game, r)
		at, _ := s.Shown()
		if len(s.History()) < 3 && hopeless.wrong(at, s.Right(), s.Candidates()[1], r) {
			judged++
		}
	}
	if judged > 10 {
		t.Errorf("a solver that always slips judged %d lines wrong", judged)
	}
	// A larger gap condemns no more.
	few, many := 0, 0
	for range 200 {
		s := drawn(t, game, r)
		at, _ := s.Shown()
		line, seed := s.Candidates()[1], r.Uint64()
		loose := validity{drop: true, tries: 8, slips: 0.3, high: 0.3, gap: 0.1}.wrong(at, s.Right(), line, rand.New(rand.NewPCG(seed, 0)))
		strict := validity{drop: true, tries: 8, slips: 0.3, high: 0.6, gap: 0.6}.wrong(at, s.Right(), line, rand.New(rand.NewPCG(seed, 0)))
		if strict && !loose {
			t.Fatalf("%s is wrong by the stricter rule alone", line.Text)
		}
		if loose {
			many++
		}
		if strict {
			few++
		}
	}
	if few >= many || few == 0 {
		t.Errorf("%d lines are wrong by a strict rule, %d by a loose one", few, many)
	}
}

// solved is a critic with a fixed chance of being right by kind of line: an oracle, a
// constant or anything between.
type critic func(*sneakycritic.State) float64

func (c critic) Probabilities(_ context.Context, states []games.State, out [][]float64) error {
	for i, state := range states {
		p := c(state.(*sneakycritic.State))
		out[i][sneakycritic.Correct], out[i][sneakycritic.Incorrect] = p, 1-p
	}
	return nil
}

func oracle(s *sneakycritic.State) float64 {
	if s.Wrong() {
		return 0
	}
	return 1
}

func TestExam(t *testing.T) {
	for _, domain := range []string{"arithmetic", "countdown", "equations", "horn", "word_problem"} {
		game := openGame(t, "sneaky_critic(domain="+domain+")")
		x, err := NewExam(game, 20)
		if err != nil {
			t.Fatal(err)
		}
		all := x.Errors.All()
		for _, kind := range all {
			if !slices.Contains(x.Kinds, kind) {
				t.Errorf("%s: no %q in the exam", domain, kind)
			}
		}
		for i, state := range x.states {
			s := state.(*sneakycritic.State)
			kind := x.Kinds[x.kind[i]]
			if s.Turn() != sneakycritic.Critic || kind == Right && s.Wrong() || kind != Right && (s.Kind() != kind || !s.Wrong()) {
				t.Fatalf("%s: %q, shown as %q", domain, s.Kind(), kind)
			}
		}
		missed := all[len(all)-1]
		for _, test := range []struct {
			name         string
			critic       critic
			right, wrong float64
			f1, worst    float64
		}{
			{"the oracle", oracle, 1, 1, 1, 1},
			{"always correct", func(*sneakycritic.State) float64 { return 1 }, 1, 0, 0, 0},
			{"always incorrect", func(*sneakycritic.State) float64 { return 0 }, 0, 1, 0, 0},
			{"one kind missed", func(s *sneakycritic.State) float64 {
				if s.Kind() == missed {
					return 0.9
				}
				return oracle(s)
			}, 1, 1 - 1/float64(len(all)), 2 * (1 - 1/float64(len(all))) / (2 - 1/float64(len(all))), 0},
		} {
			s, err := x.Examine(t.Context(), test.critic)
			if err != nil {
				t.Fatal(err)
			}
			worst, kind := s.Worst(all)
			if s.Right != test.right || math.Abs(s.Wrong(all)-test.wrong) > 1e-9 || math.Abs(s.F1(all)-test.f1) > 1e-9 || worst != test.worst {
				t.Errorf("%s, %s: right %g, wrong %g, F1 %g, worst %g; want %g, %g, %g, %g", domain, test.name, s.Right, s.Wrong(all), s.F1(all), worst, test.right, test.wrong, test.f1, test.worst)
			}
			if test.name == "one kind missed" && kind != missed {
				t.Errorf("%s: the worst kind is %q, want %q", domain, kind, missed)
			}
		}
	}
}

// The page names what was judged: lines, or whole solutions.
func TestReportNamesWhatIsJudged(t *testing.T) {
	for whole, want := range map[bool]string{false: "wrong lines judged right", true: "first wrong steps found"} {
		s := Summary{Kinds: []string{"carry"}, Rounds: []Round{{Round: 1}}, whole: whole}
		if head := s.Sections()[0].Head; head[3] != want {
			t.Errorf("whole=%t: %q, expected %q", whole, head, want)
		}
	}
}

// An exam of whole solutions counts an error where its first step is found: a critic
// that notices it and names another step has not found it.
func TestExamOfWholes(t *testing.T) {
	for _, domain := range []string{"arithmetic", "countdown", "equations", "horn", "word_problem"} {
		x, err := NewExam(openGame(t, "sneaky_critic(domain="+domain+",whole=true)"), 20)
		if err != nil {
			t.Fatal(err)
		}
		all := x.Errors.All()
		for _, test := range []struct {
			name                      string
			say                       func(*sneakycritic.State) games.Action
			right, wrong, noticed, f1 float64
		}{
			{"the oracle", (*sneakycritic.State).Truth, 1, 1, 1, 1},
			{"never an error", func(*sneakycritic.State) games.Action { return sneakycritic.Correct }, 1, 0, 0, 0},
			{"another step", func(s *sneakycritic.State) games.Action {
				if s.Truth() == sneakycritic.Correct {
					return s.Truth()
				}
				return 1 + s.Truth()%games.Action(len(s.Steps()))
			}, 1, -1, 1, -1},
		} {
			s, err := x.Examine(t.Context(), sayer(test.say))
			if err != nil {
				t.Fatal(err)
			}
			if test.wrong < 0 { // solutions of one step have no other
				if s.Right != 1 || s.Noticed != 1 || s.Wrong(all) > 0.5 {
					t.Errorf("%s, %s: %+v", domain, test.name, s)
				}
				continue
			}
			if s.Right != test.right || s.Wrong(all) != test.wrong || s.Noticed != test.noticed || s.F1(all) != test.f1 {
				t.Errorf("%s, %s: %+v", domain, test.name, s)
			}
		}
	}
}

// sayer is a critic that is sure of what it says.
type sayer func(*sneakycritic.State) games.Action

func (c sayer) Probabilities(_ context.Context, states []games.State, out [][]float64) error {
	for i, state := range states {
		clear(out[i])
		out[i][c(state.(*sneakycritic.State))] = 1
	}
	return nil
}

// The exam of a game is the same whatever is trained on, and of the same length for
// every kind.
func TestExamIsFixed(t *testing.T) {
	a, err := NewExam(openGame(t, "sneaky_critic(domain=horn)"), 15)
	if err != nil {
		t.Fatal(err)
	}
	b, err := NewExam(openGame(t, "sneaky_critic(domain=horn)"), 15)
	if err != nil {
		t.Fatal(err)
	}
	counts := make([]int, len(a.Kinds))
	for i := range a.states {
		if games.Key(a.states[i], sneakycritic.Critic) != games.Key(b.states[i], sneakycritic.Critic) {
			t.Fatalf("line %d differs", i)
		}
		counts[a.kind[i]]++
	}
	for k, count := range counts {
		if count != 15 {
			t.Errorf("%d lines of %q, want 15", count, a.Kinds[k])
		}
	}
}

// A generator draws the kinds it was made for, uniformly among those that a case has.
func TestGenerator(t *testing.T) {
	game := openGame(t, "sneaky_critic(clean=0,domain=arithmetic,free=true)")
	errors := game.Critique().Errors
	for _, test := range []struct {
		menu    bool
		explore float64
	}{{false, 0}, {true, 0}, {false, 0.25}, {true, 1}} {
		g, r := newGenerator(errors, test.menu, test.explore), rand.New(rand.NewPCG(1, 2))
		got, want := make([]float64, len(errors.Menu)+1), make([]float64, len(errors.Menu)+1)
		const cases = 1500
		for range cases {
			s := drawn(t, game, r)
			open := s.Actions(nil)
			var some []games.Action
			for _, a := range open {
				if int(a) < len(errors.Menu) && (test.menu || slices.Contains(errors.Naive, errors.Menu[a])) {
					some = append(some, a)
				}
			}
			share := test.explore
			if len(some) == 0 {
				share = 1
			}
			for _, a := range open {
				want[a] += share / float64(len(open))
			}
			for _, a := range some {
				want[a] += (1 - share) / float64(len(some))
			}
			got[g.draw(s, r)]++
		}
		for a := range got {
			if deviation := math.Abs(got[a] - want[a]); deviation > 5*math.Sqrt(cases)/2 || (want[a] == 0) != (got[a] == 0) {
				t.Errorf("menu=%t explore=%g: %g of action %d, expected about %.0f", test.menu, test.explore, got[a], a, want[a])
			}
		}
	}
}

// A curriculum draws problems whose lines a critic judges unevenly more often than
// those it judges evenly; power 0 does not care.
func TestCurriculum(t *testing.T) {
	game := openGame(t, "sneaky_critic(domain=arithmetic)")
	even := func(s *sneakycritic.State) bool { return len(s.History())%2 == 0 }
	uneven := critic(func(s *sneakycritic.State) float64 {
		if even(s) || s.Wrong() {
			return 0.5
		}
		return 1
	})
	share := func(power float64) float64 {
		tr := &rounds{Run: &trainer.Run{}, task: task{spc: game}, cases: game}
		drawnFrom, err := curriculum{spread: true, pool: 4, power: power}.problems(t.Context(), tr, uneven, 400, 1)
		if err != nil {
			t.Fatal(err)
		}
		r, hits := rand.New(rand.NewPCG(1, 2)), 0
		const cases = 2000
		for range cases {
			if !even(drawn(t, drawnFrom.(*sneakycritic.Game), r)) {
				hits++
			}
		}
		return float64(hits) / cases
	}
	plain, drawn := share(0), share(1)
	if plain < 0.3 || plain > 0.7 || drawn < 0.98 {
		t.Errorf("of problems judged unevenly there are %.3f, and %.3f are drawn", plain, drawn)
	}
}

// A curriculum draws from the cases that are played: those with naive kinds, for a
// sneaky player that knows no other.
func TestCurriculumOfNaiveCases(t *testing.T) {
	game := openGame(t, "sneaky_critic(clean=0,domain=arithmetic(digits=1,length=2))")
	errors := game.Critique().Errors
	naive := newGenerator(errors, false, 0)
	lacking := func(from *sneakycritic.Game) (count int) {
		r := rand.New(rand.NewPCG(1, 2))
		for range 300 {
			lines := drawn(t, from, r).Candidates()
			if !slices.ContainsFunc(lines, func(l problem.Line) bool { return slices.Contains(errors.Naive, l.Slip) }) {
				count++
			}
		}
		return count
	}
	for _, test := range []struct {
		cases games.Game
		want  bool
	}{{game, true}, {naive.cases(game), false}} {
		tr := &rounds{Run: &trainer.Run{}, task: task{spc: game}, cases: test.cases}
		from, err := curriculum{spread: true, pool: 2, power: 1}.problems(t.Context(), tr, critic(oracle), 200, 1)
		if err != nil {
			t.Fatal(err)
		}
		if count := lacking(from.(*sneakycritic.Game)); (count > 0) != test.want {
			t.Errorf("%d of 300 cases have no naive kind", count)
		}
	}
}

// The repair of a line is right, leads on and is the one most alike.
func TestRepair(t *testing.T) {
	for _, domain := range []string{"arithmetic", "countdown", "equations", "horn", "word_problem"} {
		game, r := openGame(t, "sneaky_critic(clean=0,domain="+domain+")"), rand.New(rand.NewPCG(1, 2))
		for range 100 {
			s := drawn(t, game, r)
			for _, line := range s.Candidates()[1:] {
				shown := s.Show(line)
				pair, ok := Refine(game, shown, "test")
				if !ok {
					t.Fatalf("%s: no pair for %s", domain, line.Text)
				}
				at, _ := shown.Shown()
				i := slices.IndexFunc(at.Next(), func(l problem.Line) bool { return l.Text == pair.Chosen })
				if i < 0 || at.Next()[i].Slip != "" || pair.Rejected != line.Text {
					t.Fatalf("%s: %s is repaired to %s", domain, line.Text, pair.Chosen)
				}
				state, err := pair.State()
				if err != nil {
					t.Fatal(err)
				}
				if games.Key(state, 0) != pair.Key {
					t.Fatalf("%s: the history leads elsewhere", domain)
				}
			}
			if _, ok := Refine(game, s.Show(s.Right()), "test"); ok {
				t.Fatalf("%s: a right line is repaired", domain)
			}
		}
	}
}
