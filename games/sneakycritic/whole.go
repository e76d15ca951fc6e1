package sneakycritic

import (
	"fmt"
	"slices"
	"strings"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/games/problem"
)

// step is a line of a whole solution, and where it stands.
type step struct {
	at   problem.Solution
	line problem.Line
}

// before are the steps that a solution has taken.
func before(at problem.Solution) (steps []step) {
	for {
		earlier, line, ok := at.Before()
		if !ok {
			slices.Reverse(steps)
			return steps
		}
		steps, at = append(steps, step{earlier, line}), earlier
	}
}

// after are the steps to the end that follow from what a solution has. They depend on
// the case alone, so that its seed fixes the whole game.
func after(at problem.Solution, seed games.Action) (steps []step) {
	r := problem.Generator(^seed) // other draws than those that made the case
	problem.Follow(at, r, func(at problem.Solution, line problem.Line) { steps = append(steps, step{at, line}) })
	return steps
}

// Steps are the lines of a whole solution as far as they are written; none in the game
// of single lines.
func (s *State) Steps() (lines []problem.Line) {
	for _, t := range s.steps {
		lines = append(lines, t.line)
	}
	return lines
}

// ReadWhole is the critic's turn on a whole solution of a file, in the words of the
// domain. Whatever the domain does not read, and more lines than the domain's own
// solutions have, is an error.
func (g *Game) ReadWhole(text string, lines []string) (*State, error) {
	domain, ok := g.domain.(problem.Reader)
	most := g.domain.Info().MaxLength
	switch {
	case !g.Whole:
		return nil, fmt.Errorf("%s judges single lines: expected whole=true", g.info.Name)
	case !ok:
		return nil, fmt.Errorf("%s does not read problems from text", g.Domain)
	case len(lines) == 0 || len(lines) > most:
		return nil, fmt.Errorf("%s: got %d lines, expected 1 to %d", g.Domain, len(lines), most)
	}
	at, err := domain.Read(strings.TrimSpace(text))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", g.Domain, err)
	}
	s := &State{game: g, turn: Critic, said: -1}
	for i, text := range lines {
		line, err := at.(problem.Readable).ReadLine(strings.TrimSpace(text))
		if err != nil {
			return nil, fmt.Errorf("%s: line %d: %w", g.Domain, i+1, err)
		}
		if s.steps = append(s.steps, step{at, line}); s.shown == nil || !s.Wrong() {
			s.at, s.shown, s.place = at, &line, i
		}
		at = at.Believe(line)
	}
	return s, nil
}

// The planes of a whole solution's tensor, one row a line: own seat, whether there is a
// line, whether the sneaky player is to write in its place; then what a critic sees of
// the line, and what the sneaky player chose.
const (
	linePlane = 2
	herePlane = 3
	viewPlane = 4
)

// wholeTensor is the shape of what a network sees: planes by lines by one, so that a
// network may also look at all lines by the same weights.
func (g *Game) wholeTensor(writing int) []int {
	return []int{viewPlane + g.critique.View + writing, g.domain.Info().MaxLength, 1}
}

// observeWhole writes all lines to the critic; to the sneaky player those so far and
// the true next one.
func (s *State) observeWhole(seat games.Seat, dst []float32) {
	planes, rows := s.game.info.Tensor[0], s.game.info.Tensor[1]
	for row := range rows {
		dst[int(seat)*rows+row] = 1
	}
	if s.at == nil {
		return
	}
	steps := s.steps
	if seat == Sneaky {
		steps = append(slices.Clone(steps[:s.place]), step{s.at, s.right})
	}
	column := make([]float32, planes)
	for row, t := range steps[:min(len(steps), rows)] {
		clear(column)
		column[linePlane] = 1
		t.at.Judge(t.line, column[viewPlane:viewPlane+s.game.critique.View])
		if seat == Sneaky && row == s.place {
			column[herePlane] = 1
			s.observeChoices(column[viewPlane+s.game.critique.View:])
		}
		for plane, x := range column[linePlane:] {
			dst[(linePlane+plane)*rows+row] = x
		}
	}
}

// appendWhole writes what the critic knows: the problem and, once it is asked, all
// lines, none of them marked.
func (s *State) appendWhole(dst []byte) []byte {
	dst = s.first().AppendKey(dst, 0)
	if s.shown != nil {
		for _, t := range s.steps {
			dst = append(append(dst, '\n'), t.line.Text...)
		}
	}
	return s.appendEnd(dst)
}

// first is where the solution starts.
func (s *State) first() problem.Solution {
	if len(s.steps) == 0 {
		return s.at
	}
	return s.steps[0].at
}

// promptWhole tells the critic the problem and, once they are written, all lines.
func (s *State) promptWhole(b *strings.Builder) {
	fmt.Fprintf(b, "The problem:\n%s\n", told(s.first()))
	if s.shown == nil {
		return
	}
	b.WriteString("The solution:\n")
	for i, t := range s.steps {
		fmt.Fprintf(b, "step %d: %s\n", i+1, t.line.Text)
	}
	if s.said >= 0 {
		fmt.Fprintf(b, "The critic said %s.\n", s.verdict(s.said))
	}
}
