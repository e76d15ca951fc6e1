package countdown

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/agon-rl/agon/games/problem"
)

var (
	tasks = regexp.MustCompile(`^Combine the numbers (\d{1,3}(?:, \d{1,3})+) two at a time, by \+, -, \* or /, until one is left: it must be (\d{1,3})\.$`)
	moves = regexp.MustCompile(`^(\d{1,9}) ([-+*/]) (\d{1,9}) = (\d{1,9})$`)
)

// Problem implements problem.Readable.
func (s *state) Problem() string {
	return fmt.Sprintf("Combine the numbers %s two at a time, by +, -, * or /, until one is left: it must be %d.", list(s.given[:s.game.Numbers]), s.target)
}

// Read implements problem.Reader. There are as many numbers as in the game's
// problems.
func (g *game) Read(text string) (problem.Solution, error) {
	m := tasks.FindStringSubmatch(text)
	if m == nil || strings.Count(m[1], ",") != g.Numbers-1 {
		return nil, problem.Unread(text, fmt.Sprintf("%d numbers and a target, as in Combine the numbers 2, 3, 5, 7 two at a time, by +, -, * or /, until one is left: it must be 24.", g.Numbers))
	}
	s := &state{game: g, drawn: true, target: number(m[2]), count: int8(g.Numbers)}
	for i, word := range strings.Split(m[1], ", ") {
		s.numbers[i] = number(word)
	}
	slices.Sort(s.numbers[:s.count])
	s.given = s.numbers
	return s, nil
}

// ReadLine implements problem.Readable.
func (s *state) ReadLine(text string) (problem.Line, error) {
	m := moves.FindStringSubmatch(text)
	if m == nil || s.count < 2 {
		return problem.Line{}, problem.Unread(text, "a step such as 3 + 4 = 7 while numbers are left")
	}
	for i := range int(s.count) {
		for j := i + 1; j < int(s.count); j++ {
			for operation := range operations {
				if done, ok := combine(s.numbers[i], s.numbers[j], operation); ok && done.means(m[1], m[2], m[3]) {
					return s.named(text, s.claim(done, i, j, number(m[4]))), nil
				}
			}
		}
	}
	for _, l := range s.Next() { // a number used twice
		if l.Text == text {
			return l, nil
		}
	}
	return problem.Line{}, problem.Unread(text, "a step of the numbers "+list(s.numbers[:s.count])+" that comes to a whole number")
}

// named is a line as Next has it, if it has it.
func (s *state) named(text string, line problem.Line) problem.Line {
	for _, l := range s.Next() {
		if l.Text == text {
			return l
		}
	}
	return line
}

func number(digits string) int32 {
	n, _ := strconv.ParseInt(digits, 10, 32) // nine digits at most
	return int32(n)
}
