package problem_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/agon-rl/agon/games"
	_ "github.com/agon-rl/agon/games/arithmetic"
	_ "github.com/agon-rl/agon/games/equations"
	"github.com/agon-rl/agon/games/gamestest"
	_ "github.com/agon-rl/agon/games/horn"
	"github.com/agon-rl/agon/games/problem"
	_ "github.com/agon-rl/agon/games/wordproblem"
)

func open(t testing.TB, name string) games.Game {
	t.Helper()
	game, err := games.New(name)
	if err != nil {
		t.Fatal(err)
	}
	return game
}

func drawn(t testing.TB, game games.Game, seed games.Action) games.State {
	t.Helper()
	s := game.Start()
	if err := s.Apply(seed); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestConformance(t *testing.T) {
	for _, name := range []string{
		"equations", "equations(max=3,seed=1,steps=4)", "equations(max=99)",
		"arithmetic", "arithmetic(digits=3,length=2,seed=4)", "horn", "horn(atoms=5,depth=3,rules=4,seed=7,spare=2)", "horn(atoms=16,depth=8,rules=24)",
		"word_problem", "word_problem(people=2,spare=1)", "word_problem(people=7,seed=3)",
	} {
		t.Run(name, func(t *testing.T) { gamestest.Run(t, open(t, name), gamestest.Options{}) })
	}
}

func FuzzApply(f *testing.F) { gamestest.FuzzApply(f, open(f, "word_problem")) }

func FuzzHear(f *testing.F) { gamestest.FuzzHear(f, open(f, "equations(seed=1)")) }

// reaches tries all that can follow.
func reaches(t *testing.T, s games.State) bool {
	if s.Turn() == games.Over {
		return s.Returns(nil)[0] == 1
	}
	for _, a := range s.Actions(nil) {
		next := s.Clone()
		if err := next.Apply(a); err != nil {
			t.Fatal(err)
		}
		if next.(problem.Verified).Solvable() && reaches(t, next) {
			return true
		}
	}
	return false
}

// What can still be solved is what trying all that is said to be solvable finds;
// every problem can be solved; slips are told with a reason and are never right
// later; both false lines and true ones that lead away occur.
func TestTruth(t *testing.T) {
	for _, name := range []string{"equations", "equations(steps=4)", "horn", "horn(spare=1,depth=3)", "word_problem", "word_problem(people=6,spare=1)", "arithmetic(length=3)"} {
		game, r := open(t, name), rand.New(rand.NewPCG(1, 2))
		kinds, untrue, away := map[string]int{}, 0, 0
		for seed := range games.Action(60) {
			s := drawn(t, game, seed)
			if !s.(problem.Verified).Solvable() {
				t.Fatalf("%s, problem %d cannot be solved", name, seed)
			}
			for s.Turn() != games.Over {
				solvable := s.(problem.Verified).Solvable()
				if solvable != reaches(t, s) {
					t.Fatalf("%s, problem %d: solvable %t\n%s", name, seed, solvable, s.(games.Speaker).Prompt(0))
				}
				for _, a := range s.Actions(nil) {
					line, err := s.(interface {
						Line(games.Action) (problem.Line, error)
					}).Line(a)
					if err != nil {
						t.Fatal(err)
					}
					wrong := s.(problem.Verified).CheckStep(a)
					if (line.Slip != "") != (wrong != nil) || (line.Slip != "") != (line.Why != "") {
						t.Fatalf("%s, problem %d: %+v, %v", name, seed, line, wrong)
					}
					next := s.Clone()
					if err := next.Apply(a); err != nil {
						t.Fatal(err)
					}
					kinds[line.Slip]++
					switch after := next.(problem.Verified).Solvable(); {
					case wrong != nil && after:
						t.Fatalf("%s, problem %d: solvable after a slip: %s", name, seed, line.Text)
					case wrong != nil:
						untrue++
					case solvable && !after:
						away++
					}
				}
				actions := s.Actions(nil)
				if err := s.Apply(actions[r.IntN(len(actions))]); err != nil {
					t.Fatal(err)
				}
			}
		}
		t.Logf("%s: %v, true but leading away %d", name, kinds, away)
		if untrue == 0 || away == 0 && !strings.HasPrefix(name, "arithmetic") || len(kinds) < 4 {
			t.Errorf("%s: %d false lines, %d lead away, kinds %v", name, untrue, away, kinds)
		}
	}
}

// An equation's right lines keep its solution, and a solved derivation reads as
// a person would write it.
func TestSolutionReads(t *testing.T) {
	for _, c := range []struct{ name, problem, last string }{
		{"equations(seed=1)", "=", "x = "},
		{"horn(seed=1)", "To prove: ", ", by "},
		{"word_problem(seed=1)", "How many ", ": "},
	} {
		s := open(t, c.name).Start()
		if text := s.(games.Speaker).Prompt(0); !strings.Contains(text, c.problem) {
			t.Errorf("%s: %s", c.name, text)
		}
		last := ""
		for s.Turn() != games.Over {
			for _, a := range s.Actions(nil) {
				next := s.Clone()
				if err := next.Apply(a); err != nil {
					t.Fatal(err)
				}
				if next.(problem.Verified).Solvable() {
					last, s = games.Say(s, a), next
					break
				}
			}
		}
		if s.Returns(nil)[0] != 1 || !strings.Contains(last, c.last) {
			t.Errorf("%s: returns %v, last line %q", c.name, s.Returns(nil), last)
		}
		t.Log(s.(games.Speaker).Prompt(0))
	}
}

func TestBadParameters(t *testing.T) {
	for _, name := range []string{
		"equations(max=2)", "equations(steps=3)", "equations(seed=-1)", "equations(k=1)",
		"horn(atoms=2)", "horn(atoms=17)", "horn(depth=9)", "horn(depth=5,rules=4)", "horn(rules=25)", "horn(spare=-1)",
		"word_problem(people=1)", "word_problem(people=9)", "word_problem(spare=x)", "word_problem(seed=now)",
	} {
		if _, err := games.New(name); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}
