package sneakycritic_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/games/gamestest"
	"github.com/agon-rl/agon/games/problem"
	"github.com/agon-rl/agon/games/sneakycritic"
	_ "github.com/agon-rl/agon/games/standard"
)

var domains = []string{"arithmetic", "countdown", "equations", "horn", "word_problem"}

func open(t testing.TB, name string) *sneakycritic.Game {
	t.Helper()
	game, err := games.New(name)
	if err != nil {
		t.Fatal(err)
	}
	return game.(*sneakycritic.Game)
}

func TestConformance(t *testing.T) {
	for _, name := range []string{
		"sneaky_critic", "sneaky_critic(domain=arithmetic(digits=3),free=true)", "sneaky_critic(domain=countdown)",
		"sneaky_critic(domain=equations,free=true)", "sneaky_critic(domain=horn)",
		"sneaky_critic(clean=0,domain=word_problem,free=true)", "sneaky_critic(clean=1)",
		"sneaky_critic(whole=true)", "sneaky_critic(domain=countdown,free=true,whole=true)", "sneaky_critic(domain=equations,whole=true)",
		"sneaky_critic(domain=horn,whole=true)", "sneaky_critic(clean=0.25,domain=word_problem,free=true,whole=true)",
	} {
		t.Run(name, func(t *testing.T) { gamestest.Run(t, open(t, name), gamestest.Options{}) })
	}
}

// drawn is a case of the game.
func drawn(t testing.TB, game *sneakycritic.Game, r *rand.Rand) *sneakycritic.State {
	t.Helper()
	s := game.Start().(*sneakycritic.State)
	if err := s.Apply(s.Sample(r)); err != nil {
		t.Fatal(err)
	}
	return s
}

// A critic that knows the truth always wins, all kinds of error occur, and the
// verifier refuses what is not wrong.
func TestJudgements(t *testing.T) {
	for _, domain := range domains {
		game, r := open(t, "sneaky_critic(domain="+domain+",free=true)"), rand.New(rand.NewPCG(1, 2))
		clean, refused, kinds := 0, 0, map[string]int{}
		const cases = 3000
		for range cases {
			s := drawn(t, game, r)
			honest := s.Turn() == sneakycritic.Critic
			if honest {
				clean++
			}
			for s.Turn() == sneakycritic.Sneaky {
				actions := s.Actions(nil)
				if err := s.Apply(actions[r.IntN(len(actions))]); err != nil {
					t.Fatal(err)
				}
			}
			if s.Turn() == games.Over {
				refused++
				if s.Returns(nil)[0] != -1 || s.Wrong() || !s.Refused() {
					t.Fatalf("%s: %q was refused: returns %v", domain, s.Kind(), s.Returns(nil))
				}
				continue
			}
			if honest == s.Wrong() {
				t.Fatalf("%s: the line is %q, clean %t\n%s", domain, s.Kind(), honest, s.Prompt(1))
			}
			kinds[s.Kind()]++
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
		if clean < cases*45/100 || clean > cases*55/100 || refused == 0 {
			t.Errorf("%s: %d of %d clean, %d refused", domain, clean, cases, refused)
		}
		for _, kind := range game.Critique().Errors.All() {
			if kinds[kind] == 0 {
				t.Errorf("%s: no line of the kind %q in %d cases", domain, kind, cases)
			}
		}
	}
}

// The verifier's label of a line is what the problem's own check of a step says,
// wherever the line can be played: false lines fail it, and after one that leads
// away no problem can be solved. All lines of a case differ.
func TestLabels(t *testing.T) {
	for _, domain := range domains {
		game, r := open(t, "sneaky_critic(clean=0,domain="+domain+")"), rand.New(rand.NewPCG(3, 4))
		for range 200 {
			s := drawn(t, game, r)
			at, _ := s.Shown()
			seen := map[string]bool{}
			for _, line := range at.Next() {
				if seen[line.Text] {
					t.Fatalf("%s: twice: %s\n%s", domain, line.Text, s.Prompt(0))
				}
				seen[line.Text] = true
				if line.Action == problem.NoAction {
					if line.Slip == "" {
						t.Fatalf("%s: %s is right and cannot be played", domain, line.Text)
					}
					continue
				}
				next := at.Clone()
				wrong := at.CheckStep(line.Action) != nil
				if err := next.Apply(line.Action); err != nil {
					t.Fatal(err)
				}
				leads := next.(problem.Verified).Solvable()
				if want := line.Slip != "" && line.Slip != problem.LeadsAway; wrong != want || (line.Slip == "") != leads {
					t.Fatalf("%s: %s is %q; wrong %t, leads on %t\n%s", domain, line.Text, line.Slip, wrong, leads, s.Prompt(0))
				}
			}
			for _, kind := range game.Critique().Errors.All() {
				for _, line := range s.Lines(kind) {
					if line.Slip != kind || line.Text == s.Right().Text {
						t.Fatalf("%s: %q has the line %+v", domain, kind, line)
					}
					if shown := s.Show(line); !shown.Wrong() || shown.Turn() != sneakycritic.Critic {
						t.Fatalf("%s: %s is not wrong", domain, line.Text)
					}
				}
			}
		}
	}
}

// What a critic sees tells right lines from wrong ones: no two that look the same
// have different labels.
func TestViews(t *testing.T) {
	for _, domain := range domains {
		game, r := open(t, "sneaky_critic(clean=0,domain="+domain+")"), rand.New(rand.NewPCG(5, 6))
		for range 100 {
			s := drawn(t, game, r)
			at, _ := s.Shown()
			views := map[string]problem.Line{}
			for _, line := range at.Next() {
				if line.Slip != "" && !game.Critique().Errors.Count(line.Slip) {
					continue // neither right nor wrong here
				}
				view := make([]float32, game.Info().TensorSize())
				s.Show(line).Observe(sneakycritic.Critic, view)
				key := fmt.Sprint(view)
				if other, same := views[key]; same && other.Slip != line.Slip {
					t.Fatalf("%s: %q and %q look the same\n%s", domain, other.Text, line.Text, s.Prompt(0))
				}
				views[key] = line
			}
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

func TestNaiveKindsAreOnTheMenu(t *testing.T) {
	for _, domain := range domains {
		errors := open(t, "sneaky_critic(domain="+domain+")").Critique().Errors
		for _, kind := range errors.Naive {
			if !slices.Contains(errors.Menu, kind) {
				t.Errorf("%s: %q is not on the menu", domain, kind)
			}
		}
	}
}

func BenchmarkCase(b *testing.B) {
	for _, domain := range domains {
		b.Run(domain, func(b *testing.B) {
			game, r := open(b, "sneaky_critic(domain="+domain+")"), rand.New(rand.NewPCG(1, 2))
			for b.Loop() {
				drawn(b, game, r)
			}
		})
	}
}

// A solution goes back the way that it came, over right lines and, believed, over
// wrong ones, and says the truth of each.
func TestBefore(t *testing.T) {
	for _, domain := range domains {
		inner, err := games.New(domain)
		if err != nil {
			t.Fatal(err)
		}
		r := rand.New(rand.NewPCG(3, 4))
		steps, wrong := 0, 0
		for range 300 {
			start := inner.Start()
			if err := start.Apply(problem.Draw(r)); err != nil {
				t.Fatal(err)
			}
			s := start.(problem.Solution)
			if _, _, ok := s.Before(); ok {
				t.Fatalf("%s: something comes before the first line", domain)
			}
			for s.Turn() != games.Over {
				lines := s.Next()
				line := lines[r.IntN(len(lines))]
				next := s.Believe(line)
				if line.Action != problem.NoAction && r.IntN(2) == 0 {
					next = s.Clone().(problem.Solution)
					if err := next.Apply(line.Action); err != nil {
						t.Fatal(err)
					}
				}
				at, said, ok := next.Before()
				if !ok {
					t.Fatalf("%s: nothing comes before %s", domain, line.Text)
				}
				if got, want := string(at.AppendKey(nil, 0)), string(s.AppendKey(nil, 0)); got != want {
					t.Fatalf("%s: before %q stands %q, not %q", domain, line.Text, got, want)
				}
				if said.Text != line.Text || said.Action != line.Action || (said.Slip == "") != (line.Slip == "") || (said.Slip == problem.LeadsAway) != (line.Slip == problem.LeadsAway) {
					t.Fatalf("%s: %+v was written, and %+v is said to be", domain, line, said)
				}
				view := inner.(problem.Criticised).Critique().View
				got, want := make([]float32, view), make([]float32, view)
				at.Judge(said, got)
				s.Judge(line, want)
				if !slices.Equal(got, want) {
					t.Fatalf("%s: a critic sees %q otherwise than it was", domain, line.Text)
				}
				if steps++; line.Slip != "" {
					wrong++
				}
				s = next
			}
		}
		if steps < 300 || wrong < 30 || wrong == steps {
			t.Errorf("%s: %d lines, %d of them wrong", domain, steps, wrong)
		}
	}
}
