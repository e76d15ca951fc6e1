package problem

import (
	"fmt"
	"strings"
)

// Reader is implemented by games that read problems back from text, so that what
// judges their lines can also judge lines of a file.
type Reader interface {
	Criticised
	// Read returns the solution, still without a line, of a problem in the words of
	// Readable.Problem. The problem may be larger than those that the game draws as
	// far as Critique's View has room; such a solution is for critics alone.
	Read(problem string) (Solution, error)
}

// Readable is implemented by the solutions of such games.
type Readable interface {
	Solution
	// Problem is the problem as it was at the start.
	Problem() string
	// ReadLine returns the line that a text is here, with the truth about it. A text
	// that is no line of the domain, right or wrong, is an error.
	ReadLine(text string) (Line, error)
}

// Read reads a problem, the lines before one and that line.
func Read(game Reader, problem string, before []string, line string) (Solution, Line, error) {
	at, err := game.Read(strings.TrimSpace(problem))
	if err != nil {
		return nil, Line{}, err
	}
	for _, text := range before {
		said, err := at.(Readable).ReadLine(strings.TrimSpace(text))
		if err != nil {
			return nil, Line{}, err
		}
		at = at.Believe(said)
	}
	said, err := at.(Readable).ReadLine(strings.TrimSpace(line))
	return at, said, err
}

// Unread is the error of a text that is not of a domain: what was given and what
// was expected.
func Unread(text, expected string) error {
	const most = 60
	if runes := []rune(text); len(runes) > most {
		text = string(runes[:most]) + "…"
	}
	return fmt.Errorf("got %q, expected %s", text, expected)
}

// Read implements Reader.
func (g *derivations) Read(text string) (Solution, error) {
	first, err := g.Domain.Read(text)
	if err != nil {
		return nil, err
	}
	s := &derivation{game: g, first: first}
	s.stand(first)
	return s, nil
}

// Problem implements Readable.
func (s *derivation) Problem() string { return s.first.Text() }

// ReadLine implements Readable. A line that is open is of its kind.
func (s *derivation) ReadLine(text string) (Line, error) {
	line, err := s.game.Domain.ReadLine(s.at, text)
	if err != nil {
		return Line{}, err
	}
	return s.known(line), nil
}
