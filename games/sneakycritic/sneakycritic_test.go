package sneakycritic_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/games/gamestest"
	"github.com/agon-rl/agon/games/sneakycritic"
	_ "github.com/agon-rl/agon/games/standard"
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
	for _, name := range []string{
		"sneaky_critic", "sneaky_critic(domain=horn)", "sneaky_critic(clean=0,domain=word_problem)", "sneaky_critic(clean=1)",
	} {
		t.Run(name, func(t *testing.T) { gamestest.Run(t, open(t, name), gamestest.Options{}) })
	}
}

// A critic that knows the truth always wins, one that says Correct to everything
// wins where the solution stayed clean or the line was refused, and the label of
// every line is what the verifier says.
func TestJudgements(t *testing.T) {
	for _, domain := range []string{"equations", "horn", "word_problem"} {
		game, r := open(t, "sneaky_critic(domain="+domain+")"), rand.New(rand.NewPCG(1, 2))
		clean, refused, kinds := 0, 0, map[string]int{}
		const cases = 2000
		for range cases {
			s := game.Start()
			if err := s.Apply(s.(games.Sampler).Sample(r)); err != nil {
				t.Fatal(err)
			}
			honest := s.Turn() == sneakycritic.Critic
			if honest {
				clean++
			} else {
				actions := s.Actions(nil)
				if err := s.Apply(actions[r.IntN(len(actions))]); err != nil {
					t.Fatal(err)
				}
			}
			kind := s.(interface{ Kind() string }).Kind()
			if s.Turn() == games.Over {
				refused++
				if s.Returns(nil)[0] != -1 || kind != "" && kind != "leads away" {
					t.Fatalf("%s: %q was refused: returns %v", domain, kind, s.Returns(nil))
				}
				continue
			}
			if honest != (kind == "") {
				t.Fatalf("%s: the line is %q, clean %t\n%s", domain, kind, honest, s.(games.Speaker).Prompt(1))
			}
			kinds[kind]++
			verdict := sneakycritic.Incorrect
			if honest {
				verdict = sneakycritic.Correct
			}
			if err := s.Apply(verdict); err != nil {
				t.Fatal(err)
			}
			if s.Returns(nil)[1] != 1 {
				t.Fatalf("%s: the truth returns %v", domain, s.Returns(nil))
			}
		}
		t.Logf("%s: %d clean, %d refused, %v", domain, clean, refused, kinds)
		if clean < cases*45/100 || clean > cases*55/100 || refused == 0 || len(kinds) < 4 {
			t.Errorf("%s: %d of %d clean, %d refused, %v", domain, clean, cases, refused, kinds)
		}
	}
}

func TestRefuses(t *testing.T) {
	for name, want := range map[string]string{
		"sneaky_critic(domain=chess)":             "expected problems that are solved line by line",
		"sneaky_critic(domain=equations(seed=1))": "without a seed",
		"sneaky_critic(domain=nothing)":           "unknown game",
		"sneaky_critic(clean=2)":                  "clean=2",
	} {
		if _, err := games.New(name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, expected %q", name, err, want)
		}
	}
}
