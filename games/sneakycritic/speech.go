package sneakycritic

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/games/problem"
)

var verdicts = [...]string{"Correct", "Incorrect"}

// verdict names an answer of the critic.
func (s *State) verdict(a games.Action) string {
	switch {
	case !s.game.Whole:
		return verdicts[a]
	case a == Correct:
		return "no error"
	}
	return fmt.Sprintf("step %d", a)
}

// verdictsOpen is how many answers the critic has.
func (s *State) verdictsOpen() int {
	if s.game.Whole {
		return 1 + len(s.steps)
	}
	return len(verdicts)
}

// freely names the choice to write a line.
const freely = "write"

// Say implements games.State: a verdict, a kind of error with the line that it
// gives, or a value.
func (s *State) Say(a games.Action) string {
	switch {
	case a < 0:
	case s.turn == Critic && int(a) < s.verdictsOpen():
		return s.verdict(a)
	case s.turn == Sneaky && len(s.choices) == 0 && int(a) < len(s.menu):
		return fmt.Sprintf("%s: %s", s.game.critique.Errors.Menu[a], s.menu[a].Text)
	case s.turn == Sneaky && len(s.choices) == 0:
		return freely
	case s.turn == Sneaky:
		return fmt.Sprintf("%s %d", s.slot().Name, a)
	}
	return strconv.Itoa(int(a))
}

// Hear implements games.State.
func (s *State) Hear(text string) (games.Action, error) {
	return games.Hear(s, text, s.Actions(nil))
}

const (
	rulesOfLines = "A solution is written line by line. Sometimes a sneaky player writes a wrong line in the place of the next true one, and a critic judges the line. The critic gets +1 for a right judgement and -1 for a wrong one, the sneaky player the opposite; a line of the sneaky player that is not wrong is refused, and it gets -1.\n\n"
	rulesOfWhole = "A solution is written line by line. Sometimes a sneaky player writes a wrong line in the place of a true one, and the lines after it follow from it. A critic sees all lines and says which is the first wrong one, or that there is no error. The critic gets +1 if that is right and -1 if not, the sneaky player the opposite; a line of the sneaky player that is not wrong is refused, and it gets -1.\n\n"
)

// Prompt implements games.Speaker.
func (s *State) Prompt(seat games.Seat) string {
	rules := rulesOfLines
	if s.game.Whole {
		rules = rulesOfWhole
	}
	var b strings.Builder
	b.WriteString(rules)
	fmt.Fprintf(&b, "You are the %s player.\n", s.game.info.Roles[seat])
	switch {
	case s.at == nil:
	case s.game.Whole && seat == Critic:
		s.promptWhole(&b)
	default:
		fmt.Fprintf(&b, "The problem, and the solution so far:\n%s\n", s.Problem())
		if seat == Sneaky {
			fmt.Fprintf(&b, "The true next line: %s\n", s.right.Text)
		}
		if s.shown != nil && (seat == Critic || !s.clean) {
			fmt.Fprintf(&b, "The line to judge: %s\n", s.shown.Text)
		}
		if s.said >= 0 && (seat == Critic || !s.clean) {
			fmt.Fprintf(&b, "The critic said %s.\n", s.verdict(s.said))
		}
	}
	b.WriteString(games.Menu(s, seat))
	return b.String()
}

// Problem is the problem with the solution so far, as a solver reads it.
func (s *State) Problem() string { return told(s.at) }

func told(at problem.Solution) string {
	text, _, _ := strings.Cut(at.(games.Speaker).Prompt(0), "\nIt is your turn.")
	return strings.TrimSpace(text)
}
