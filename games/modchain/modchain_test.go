package modchain_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/games/gamestest"
	_ "github.com/agon-rl/agon/games/modchain"
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
	for _, name := range []string{"modchain", "modchain(length=2,modulus=5,seed=1)", "modchain(length=3,verify=answer,modulus=10,seed=2)", "modchain(choices=11,length=16)"} {
		t.Run(name, func(t *testing.T) { gamestest.Run(t, open(t, name), gamestest.Options{}) })
	}
}

func FuzzApply(f *testing.F) { gamestest.FuzzApply(f, open(f, "modchain")) }

func FuzzHear(f *testing.F) { gamestest.FuzzHear(f, open(f, "modchain(seed=1)")) }

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

// What can still be solved is what trying everything says; one right step is
// open at every turn, and the chain of right steps is solved.
func TestTruth(t *testing.T) {
	for _, name := range []string{"modchain(length=4)", "modchain(length=4,verify=answer,modulus=13,choices=3)", "modchain(length=4,verify=answer,modulus=10)"} {
		game, r := open(t, name), rand.New(rand.NewPCG(1, 2))
		for seed := range games.Action(40) {
			s, straight := game.Start(), game.Start()
			for _, x := range []games.State{s, straight} {
				if err := x.Apply(seed); err != nil {
					t.Fatal(err)
				}
			}
			for s.Turn() != games.Over {
				if got, want := s.(problem.Verified).Solvable(), reaches(t, s); got != want {
					t.Fatalf("%s, problem %d: solvable %t\n%s", name, seed, got, s.(games.Speaker).Prompt(0))
				}
				actions := s.Actions(nil)
				if err := s.Apply(actions[r.IntN(len(actions))]); err != nil {
					t.Fatal(err)
				}
				rights := 0
				for _, a := range straight.Actions(nil) {
					if straight.(problem.Verified).CheckStep(a) == nil {
						rights++
					}
				}
				if rights != 1 {
					t.Fatalf("%s, problem %d: %d right steps", name, seed, rights)
				}
				for _, a := range straight.Actions(nil) {
					if straight.(problem.Verified).CheckStep(a) == nil {
						if err := straight.Apply(a); err != nil {
							t.Fatal(err)
						}
						break
					}
				}
			}
			if straight.Returns(nil)[0] != 1 {
				t.Fatalf("%s, problem %d: right steps fail", name, seed)
			}
		}
	}
}

// An error followed by right steps shows in the answer where the modulus is
// prime, and may not where it is not: the longer the chain, the more.
func TestMasking(t *testing.T) {
	masked := func(name string) float64 {
		game, r := open(t, name), rand.New(rand.NewPCG(3, 4))
		const tries = 4000
		count := 0
		for range tries {
			s := game.Start()
			if err := s.Apply(games.Action(r.Int32())); err != nil {
				t.Fatal(err)
			}
			slip := r.IntN(game.Info().MaxLength)
			for i := 0; s.Turn() != games.Over; i++ {
				var right games.Action
				var wrong []games.Action
				for _, a := range s.Actions(nil) {
					if s.(problem.Verified).CheckStep(a) == nil {
						right = a
					} else {
						wrong = append(wrong, a)
					}
				}
				if i == slip {
					right = wrong[r.IntN(len(wrong))]
				}
				if err := s.Apply(right); err != nil {
					t.Fatal(err)
				}
			}
			if s.Returns(nil)[0] == 1 {
				count++
			}
		}
		return float64(count) / tries
	}
	before := 0.0
	for _, length := range []string{"4", "8", "16"} {
		if m := masked("modchain(verify=answer,choices=11,length=" + length + ")"); m != 0 {
			t.Errorf("length %s, modulus 11: %.4f of the errors are masked", length, m)
		}
		m := masked("modchain(verify=answer,modulus=10,choices=10,length=" + length + ")")
		t.Logf("length %s, modulus 10: %.3f of the errors are masked", length, m)
		if m <= before {
			t.Errorf("length %s, modulus 10: %.4f of the errors are masked, %.4f in shorter chains", length, m, before)
		}
		before = m
	}
}

func TestHear(t *testing.T) {
	s := open(t, "modchain(seed=1)").Start().(games.Speaker)
	state := s.(games.State)
	a := state.Actions(nil)[1]
	for _, text := range []string{s.Say(a), "so " + s.Say(a) + ".", "1 + 1 = 99, no: " + s.Say(a)} {
		if got, err := s.Hear(text); err != nil || got != a {
			t.Errorf("%q: %d, %v", text, got, err)
		}
	}
	if _, err := s.Hear("= 77"); err == nil || !strings.Contains(err.Error(), "open are") {
		t.Errorf("%v", err)
	}
}

func TestBadParameters(t *testing.T) {
	for _, name := range []string{
		"modchain(length=0)", "modchain(length=33)", "modchain(modulus=2)", "modchain(modulus=102)", "modchain(choices=1)",
		"modchain(choices=12)", "modchain(verify=all)", "modchain(seed=-1)", "modchain(steps=3)",
	} {
		if _, err := games.New(name); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}
