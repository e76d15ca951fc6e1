package countdown_test

import (
	"math"
	"testing"

	"github.com/agon-rl/agon/games"
	_ "github.com/agon-rl/agon/games/countdown"
	"github.com/agon-rl/agon/games/gamestest"
	"github.com/agon-rl/agon/games/problem"
)

func open(t testing.TB, name string) games.Game {
	t.Helper()
	game, err := games.New(name)
	if err != nil {
		t.Fatal(err)
	}
	return game
}

func TestConformance(t *testing.T) {
	for _, name := range []string{"countdown", "countdown(seed=3)", "countdown(numbers=2,max=5,target=5-9)", "countdown(numbers=5,max=10,target=10-99)"} {
		t.Run(name, func(t *testing.T) { gamestest.Run(t, open(t, name), gamestest.Options{}) })
	}
}

func FuzzApply(f *testing.F) { gamestest.FuzzApply(f, open(f, "countdown")) }

func FuzzHear(f *testing.F) { gamestest.FuzzHear(f, open(f, "countdown(seed=1)")) }

// What can still be solved is what brute force over all ends says, and the share
// of first steps that keep a problem solvable is that of the known problems.
func TestTruth(t *testing.T) {
	for name, want := range map[string][2]float64{ // steps that are open, share that keeps the target in reach
		"countdown(numbers=3,max=10)": {8.8, 0.157},
		"countdown":                   {16.35, 0.265},
	} {
		game := open(t, name)
		const problems = 800
		open, share := 0.0, 0.0
		for seed := range games.Action(problems) {
			s := game.Start()
			if err := s.Apply(seed); err != nil {
				t.Fatal(err)
			}
			if !s.(problem.Verified).Solvable() {
				t.Fatalf("%s: problem %d cannot be solved", name, seed)
			}
			actions, kept := s.Actions(nil), 0.0
			for _, a := range actions {
				next := s.Clone()
				if err := next.Apply(a); err != nil {
					t.Fatal(err)
				}
				solvable := next.(problem.Verified).Solvable()
				if solvable {
					kept++
				}
				if seed < 30 && solvable != reaches(t, next) {
					t.Fatalf("%s, problem %d, %s: solvable %t", name, seed, games.Say(s, a), solvable)
				}
			}
			open += float64(len(actions)) / problems
			share += kept / float64(len(actions)) / problems
		}
		t.Logf("%s: %.2f steps, %.3f keep the target in reach", name, open, share)
		if math.Abs(open-want[0]) > 0.4 || math.Abs(share-want[1]) > 0.025 {
			t.Errorf("%s: %.2f steps, %.3f keep the target in reach; expected %v", name, open, share, want)
		}
	}
}

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
		if reaches(t, next) {
			return true
		}
	}
	return false
}

// Steps are heard as people write them.
func TestHear(t *testing.T) {
	s := open(t, "countdown(seed=1)").Start().(games.Speaker)
	state := s.(games.State)
	first := state.Actions(nil)[0]
	name := s.Say(first)
	for _, text := range []string{name, "I take " + name + ".", "First 1 + 1, no: " + name} {
		if a, err := s.Hear(text); err != nil || a != first {
			t.Errorf("%q: %d, %v", text, a, err)
		}
	}
	for _, text := range []string{"999 + 1", name + "0", "nothing"} {
		if a, err := s.Hear(text); err == nil {
			t.Errorf("%q is heard as %s", text, s.Say(a))
		}
	}
}

func TestBadParameters(t *testing.T) {
	for _, name := range []string{
		"countdown(numbers=1)", "countdown(numbers=7)", "countdown(max=0)", "countdown(max=101)", "countdown(target=x)",
		"countdown(target=30-20)", "countdown(target=1000)", "countdown(seed=-2)", "countdown(seed=x)", "countdown(size=3)",
		"countdown(numbers=2,max=2,target=99)",
	} {
		if _, err := games.New(name); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}
