package sneakycritic_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/games/problem"
	"github.com/agon-rl/agon/games/sneakycritic"
)

// firstWrong is the first line, from 1 on, that the problem's own game does not accept
// or from which it cannot be solved, where that counts; 0 where there is none. It
// plays the lines, and asks nobody else.
func firstWrong(t *testing.T, game *sneakycritic.Game, start problem.Solution, lines []problem.Line) int {
	t.Helper()
	at := start.Clone()
	for i, line := range lines {
		open := at.Actions(nil)
		k := slices.IndexFunc(open, func(a games.Action) bool { return games.Say(at, a) == line.Text })
		if k < 0 || at.(problem.Verified).CheckStep(open[k]) != nil {
			return i + 1
		}
		if err := at.Apply(open[k]); err != nil {
			t.Fatal(err)
		}
		if !at.(problem.Verified).Solvable() && game.Critique().Errors.Count(problem.LeadsAway) {
			return i + 1
		}
	}
	return 0
}

// judgedWhole plays cases of whole solutions until the critic is asked.
func judgedWhole(t *testing.T, game *sneakycritic.Game, r *rand.Rand) *sneakycritic.State {
	t.Helper()
	for {
		s := drawn(t, game, r)
		for s.Turn() == sneakycritic.Sneaky {
			actions := s.Actions(nil)
			if err := s.Apply(actions[r.IntN(len(actions))]); err != nil {
				t.Fatal(err)
			}
		}
		if s.Turn() == sneakycritic.Critic {
			return s
		}
	}
}

// The label of a whole solution is the first step that is wrong by the problem's own
// game; clean ones solve it. Saying so wins, and saying anything else loses. Errors
// stand everywhere, with right lines and what follows from them around.
func TestWholeSolutions(t *testing.T) {
	for _, domain := range domains {
		game, r := open(t, "sneaky_critic(domain="+domain+",free=true,whole=true)"), rand.New(rand.NewPCG(7, 8))
		truths, followed := map[games.Action]int{}, 0
		for range 400 {
			s := judgedWhole(t, game, r)
			start := game.Problems().Start()
			if err := start.Apply(s.History()[0]); err != nil {
				t.Fatal(err)
			}
			lines := s.Steps()
			want := firstWrong(t, game, start.(problem.Solution), lines)
			if int(s.Truth()) != want || s.Wrong() != (want > 0) || s.Clean() != (want == 0) {
				t.Fatalf("%s: the first wrong step is %d, labelled %d\n%s", domain, want, s.Truth(), s.Prompt(1))
			}
			truths[s.Truth()]++
			if want > 0 && want < len(lines) {
				followed++
			}
			actions := s.Actions(nil)
			if len(actions) != 1+len(lines) {
				t.Fatalf("%s: %d answers to %d lines", domain, len(actions), len(lines))
			}
			for _, a := range actions {
				end := s.Clone()
				if err := end.Apply(a); err != nil {
					t.Fatal(err)
				}
				won := -1.0
				if a == s.Truth() {
					won = 1
				}
				if got := end.Returns(nil); got[1] != won || got[0] != -won {
					t.Fatalf("%s: %s returns %v, the truth is %s", domain, games.Say(s, a), got, games.Say(s, s.Truth()))
				}
			}
		}
		t.Logf("%s: %v, %d with lines after the error", domain, truths, followed)
		if truths[0] < 150 || truths[1] == 0 || truths[2] == 0 || followed < 20 {
			t.Errorf("%s: %v, %d with lines after the error: too few of some", domain, truths, followed)
		}
	}
}

// A solution that is written to a file reads back the same, truth included; and its
// tensor holds every line as a critic of single lines sees it.
func TestWholeReadsBack(t *testing.T) {
	for _, domain := range domains {
		game, single := open(t, "sneaky_critic(domain="+domain+",whole=true)"), open(t, "sneaky_critic(domain="+domain+")")
		r, shape := rand.New(rand.NewPCG(9, 10)), game.Info().Tensor
		for range 60 {
			s := judgedWhole(t, game, r)
			start := game.Problems().Start()
			if err := start.Apply(s.History()[0]); err != nil {
				t.Fatal(err)
			}
			var texts []string
			at := start.(problem.Solution)
			whole := make([]float32, game.Info().TensorSize())
			s.Observe(sneakycritic.Critic, whole)
			for row, line := range s.Steps() {
				view := seen(single, single.Judging(at, line))[2:]
				for i, x := range view[:game.Critique().View] {
					if whole[(4+i)*shape[1]+row] != x {
						t.Fatalf("%s: line %d looks different in the whole", domain, row+1)
					}
				}
				at, texts = at.Believe(line), append(texts, line.Text)
			}
			back, err := game.ReadWhole(start.(problem.Readable).Problem(), texts)
			if err != nil {
				t.Fatalf("%s: %q: %v", domain, texts, err)
			}
			again := make([]float32, len(whole))
			back.Observe(sneakycritic.Critic, again)
			if !slices.Equal(whole, again) || back.Truth() != s.Truth() {
				t.Fatalf("%s: %q reads as another: truth %d, was %d", domain, texts, back.Truth(), s.Truth())
			}
		}
	}
}

// Nothing that the critic knows tells where the sneaky player wrote.
func TestWholeIsUnmarked(t *testing.T) {
	game, r := open(t, "sneaky_critic(whole=true)"), rand.New(rand.NewPCG(11, 12))
	for range 100 {
		s := judgedWhole(t, game, r)
		at, line := s.Shown()
		key := string(s.AppendKey(nil, sneakycritic.Critic))
		if strings.Count(key, line.Text) == 0 || strings.Contains(key, "shown") || strings.Contains(key, "true:") {
			t.Fatalf("the critic knows %q of %q", key, line.Text)
		}
		other := game.Judging(at, *line) // the same solution, cut after the line
		if len(other.Steps()) > len(s.Steps()) {
			t.Fatalf("%d lines of %d", len(other.Steps()), len(s.Steps()))
		}
	}
}

func TestWholeRefuses(t *testing.T) {
	const sum = "Start: 17. Operations: +25 -8."
	whole, single := open(t, "sneaky_critic(whole=true)"), open(t, "sneaky_critic")
	for _, test := range []struct {
		game  *sneakycritic.Game
		text  string
		lines []string
		want  string
	}{
		{single, sum, []string{"17 + 25 = 42"}, "expected whole=true"},
		{whole, sum, nil, "got 0 lines, expected 1 to 4"},
		{whole, sum, []string{"1", "2", "3", "4", "5"}, "got 5 lines, expected 1 to 4"},
		{whole, "What is 1 + 1?", []string{"1 + 1 = 2"}, "a chain such as"},
		{whole, sum, []string{"17 + 25 = 42", "nonsense"}, "line 2: "},
	} {
		_, err := test.game.ReadWhole(test.text, test.lines)
		if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: got %v, expected %q", test.lines, err, test.want)
		}
	}
}

func FuzzReadWhole(f *testing.F) {
	f.Add("Start: 17. Operations: +25 -8.", "17 + 25 = 43", "43 - 8 = 35")
	game := open(f, "sneaky_critic(whole=true)")
	f.Fuzz(func(t *testing.T, text, first, second string) {
		s, err := game.ReadWhole(text, []string{first, second})
		if err != nil {
			return
		}
		s.Observe(sneakycritic.Critic, make([]float32, game.Info().TensorSize()))
		if len(s.Actions(nil)) != 3 || s.Prompt(sneakycritic.Critic) == "" {
			t.Errorf("%q, %q: %d answers", first, second, len(s.Actions(nil)))
		}
	})
}
