package sneakycritic_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/agon-rl/agon/games/problem"
	"github.com/agon-rl/agon/games/sneakycritic"
)

// What a domain writes it reads back: after any lines, right or wrong, a critic sees
// the same of a line that was read as of the line itself, and the truth about it is
// the same.
func TestReadsBack(t *testing.T) {
	for _, domain := range []string{"arithmetic", "arithmetic(digits=3,length=7)", "countdown", "countdown(numbers=5,target=10-99)", "equations", "equations(max=99)", "horn", "horn(atoms=12,depth=6,rules=14)", "word_problem", "word_problem(people=8)"} {
		t.Run(domain, func(t *testing.T) {
			game := newGame(t, domain)
			r := rand.New(rand.NewPCG(3, 4))
			read, wrong := 0, 0
			for range 12 {
				at := game.Problems().Start()
				if err := at.Apply(problem.Draw(r)); err != nil {
					t.Fatal(err)
				}
				solution := at.(problem.Solution)
				text := solution.(problem.Readable).Problem()
				var before []string
				for len(solution.Next()) > 0 {
					lines := slices.Concat(solution.Next(), free(game, solution, r))
					for _, line := range lines {
						back, err := game.Read(text, before, line.Text)
						if err != nil {
							t.Fatalf("%s\n%q\n%q: %v", text, before, line.Text, err)
						}
						own := game.Judging(solution, line)
						if !slices.Equal(seen(game, back), seen(game, own)) {
							t.Fatalf("%s\n%q\n%q: a critic sees something else", text, before, line.Text)
						}
						if back.Wrong() != own.Wrong() {
							t.Fatalf("%s\n%q\n%q: wrong is %t (%s), was %t (%s)", text, before, line.Text, back.Wrong(), back.Kind(), own.Wrong(), own.Kind())
						}
						read++
						if own.Wrong() {
							wrong++
						}
					}
					line := lines[r.IntN(len(solution.Next()))]
					before, solution = append(before, line.Text), solution.Believe(line)
				}
			}
			if t.Logf("%d lines, %d wrong", read, wrong); read < 200 || wrong < read/4 {
				t.Errorf("%d lines, %d wrong: too few", read, wrong)
			}
		})
	}
}

func newGame(t testing.TB, domain string) *sneakycritic.Game {
	t.Helper()
	game, err := sneakycritic.New(sneakycritic.Params{Domain: domain, Clean: 0.5})
	if err != nil {
		t.Fatal(err)
	}
	return game
}

func seen(game *sneakycritic.Game, s *sneakycritic.State) []float32 {
	view := make([]float32, game.Info().Tensor[0])
	s.Observe(sneakycritic.Critic, view)
	return view
}

// free are lines of free writing in the place of a right one.
func free(game *sneakycritic.Game, at problem.Solution, r *rand.Rand) (lines []problem.Line) {
	i := slices.IndexFunc(at.Next(), func(l problem.Line) bool { return l.Slip == "" })
	if i < 0 {
		return nil
	}
	for range 10 {
		var choices []int
		for _, slot := range game.Critique().Slots {
			choices = append(choices, r.IntN(slot.Values))
		}
		if line, ok := at.Write(at.Next()[i], choices); ok {
			lines = append(lines, line)
		}
	}
	return lines
}

// What is of no domain is refused by one line that says what is read.
func TestUnread(t *testing.T) {
	const (
		sum     = "Start: 17. Operations: +25 -8."
		story   = "Ann has 3 coins. Ben has 2 more coins than Ann. How many coins does Ben have?"
		theory  = "Rules: A -> B; A & B -> C. Known: A. To prove: C."
		linear  = "5(6x + 8) = 5x - 9"
		numbers = "Combine the numbers 2, 3, 5, 7 two at a time, by +, -, * or /, until one is left: it must be 24."
	)
	for _, c := range []struct{ domain, problem, before, line, want string }{
		{"arithmetic", "What is 1 + 1?", "", "1 + 1 = 2", "a chain such as"},
		{"arithmetic", "Start: 1. Operations: +1" + strings.Repeat(" +1", 16) + ".", "", "1 + 1 = 2", "a chain such as"},
		{"arithmetic", sum, "", "17 + 26 = 43", "a value of three digits at most for 17 + 25"},
		{"arithmetic", sum, "", "17 + 25 = 4200", "a value of three digits at most for 17 + 25"},
		{"arithmetic", sum, "17 + 25 = 42;42 - 8 = 34", "34 + 1 = 35", "nothing after the last operation"},
		{"countdown", "Combine the numbers 2, 3 two at a time, by +, -, * or /, until one is left: it must be 5.", "", "2 + 3 = 5", "4 numbers and a target"},
		{"countdown", numbers, "", "2 + 4 = 6", "a step of the numbers 2, 3, 5, 7"},
		{"countdown", numbers, "", "7 / 2 = 3", "a step of the numbers 2, 3, 5, 7"},
		{"countdown", numbers, "", "Add 2 and 3.", "a step such as 3 + 4 = 7"},
		{"equations", "x^2 = 4", "", "x = 2", "an equation with one solution"},
		{"equations", "2(x + 1) = 2x + 2", "", "x = 2", "an equation with one solution"},
		{"equations", "2(x + 1/0) = x + 2", "", "x = 2", "an equation with one solution"},
		{"equations", linear, "", "x is 3", "an equation such as"},
		{"equations", linear, "", "x  = 3", "an equation such as"},
		{"horn", "If it rains it is wet.", "", "B, by A -> B", "a theory such as"},
		{"horn", theory, "", "B, by A & C -> B", "a step by one of the problem's rules"},
		{"horn", theory, "", "B follows", "a step such as"},
		{"word_problem", "Tom has 3 coins. How many coins does Tom have?", "", "Tom: 3 + 0 = 3", "a story such as"},
		{"word_problem", "Ann has 3 coins. Ben has 2 more coins than Cem. How many coins does Ben have?", "", "Ben: 3 + 2 = 5", "a story such as"},
		{"word_problem", story, "", "Ann: 1 + 2 = 3", "the sum of somebody whose number is asked for"},
		{"word_problem", story, "", "Ben has 5.", "the sum of somebody whose number is asked for"},
		{"word_problem", story, "nonsense", "Ben: 3 + 2 = 5", `got "nonsense", expected the sum`},
	} {
		_, err := newGame(t, c.domain).Read(c.problem, strings.FieldsFunc(c.before, func(r rune) bool { return r == ';' }), c.line)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s, %q: got %v, expected %q", c.problem, c.line, err, c.want)
		}
	}
}

// Whatever is read, nothing panics.
func FuzzRead(f *testing.F) {
	f.Add("Start: 17. Operations: +25 -8.", "17 + 25 = 42", "42 - 8 = 34")
	f.Add("Ann has 3 coins. Ben has 2 more coins than Ann. How many coins does Ben have?", "Ben: 3 + 2 = 5", "Ben: 3 + 2 = 5")
	f.Add("Rules: A -> B; A & B -> C. Known: A. To prove: P.", "B, by A -> B", "C, by A & B -> C")
	f.Add("5(6x + 8) = 5x - 9", "x = 1/3", "(3/4)x + 1/2 = -x")
	f.Add("Combine the numbers 2, 3, 5, 7 two at a time, by +, -, * or /, until one is left: it must be 24.", "3 + 3 = 6", "0 * 7 = 0")
	var all []*sneakycritic.Game
	for _, domain := range []string{"arithmetic", "countdown", "equations", "horn", "word_problem"} {
		all = append(all, newGame(f, domain))
	}
	f.Fuzz(func(t *testing.T, text, before, line string) {
		for _, game := range all {
			if s, err := game.Read(text, []string{before}, line); err == nil {
				seen(game, s)
				if s.Turn() != sneakycritic.Critic || len(s.Actions(nil)) != 2 {
					t.Errorf("%q, %q: turn of %d", text, line, s.Turn())
				}
				s.Prompt(sneakycritic.Critic)
			}
		}
	})
}
