package countdown

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/games/problem"
)

// The kinds of wrong line: false arithmetic, a number used twice, and true lines
// that leave the target out of reach.
const (
	otherOperation = "operation"
	usedTwice      = "used twice"
	byOne          = "off by one"
	near           = "near"
	far            = "far"
)

// Critique implements problem.Criticised.
func (g *game) Critique() problem.Critique {
	return problem.Critique{
		Errors: problem.Errors{
			Naive: []string{otherOperation},
			Menu:  []string{otherOperation, usedTwice, byOne, problem.LeadsAway},
			Other: []string{near, far},
		},
		Slots: []problem.Slot{
			{Name: "numbers", Values: g.Numbers * (g.Numbers - 1) / 2}, {Name: "operation", Values: operations},
			{Name: "tens", Values: 10}, {Name: "units", Values: 10},
		},
		View: view,
	}
}

// written is a step with what it leaves.
type written struct {
	step
	left [mostNumbers]int32
}

func (s *state) line(kind, why string, done step, left [mostNumbers]int32) problem.Line {
	return problem.Line{Text: done.String(), Slip: kind, Why: why, Action: problem.NoAction, Of: written{done, left}}
}

// leads says whether the target is in reach of what is left.
func (s *state) leads(left [mostNumbers]int32) bool {
	next := *s
	next.count--
	next.numbers = left
	return next.Solvable()
}

// Next implements problem.Solution.
func (s *state) Next() []problem.Line {
	if s.Turn() != 0 {
		return nil
	}
	var lines []problem.Line
	add := func(l problem.Line) {
		if !slices.ContainsFunc(lines, func(m problem.Line) bool { return m.Text == l.Text }) {
			lines = append(lines, l)
		}
	}
	s.each(func(a games.Action, done step, left [mostNumbers]int32) bool {
		l := s.line("", "", done, left)
		if l.Action = a; !s.leads(left) {
			l.Slip, l.Why = problem.LeadsAway, fmt.Sprintf("%d is out of reach after it", s.target)
		}
		add(l)
		return true
	})
	for i := range int(s.count) {
		for j := i + 1; j < int(s.count); j++ {
			a, b := s.numbers[i], s.numbers[j]
			for operation := range operations {
				done, ok := combine(a, b, operation)
				if !ok {
					continue
				}
				if other, ok := combine(a, b, operation^1); ok && other.result != done.result {
					add(s.falsely(otherOperation, done, i, j, other.result))
				}
				for _, by := range []int32{-1, 1} {
					if done.result+by >= 0 {
						add(s.falsely(byOne, done, i, j, done.result+by))
					}
				}
			}
		}
		if twice, ok := combine(s.numbers[i], s.numbers[i], plus); ok && slices.Index(s.numbers[:s.count], s.numbers[i]) == i && (i+1 == int(s.count) || s.numbers[i+1] != s.numbers[i]) {
			add(s.usesTwice(twice))
		}
	}
	return lines
}

// usesTwice takes one number for both of a step's, and drops the one beside it.
func (s *state) usesTwice(done step) problem.Line {
	i, j, _ := s.places(done)
	return s.line(usedTwice, fmt.Sprintf("there is one %d", done.a), done, s.after(i, j, done.result))
}

// falsely claims a result for a step.
func (s *state) falsely(kind string, done step, i, j int, result int32) problem.Line {
	why := fmt.Sprintf("the result is %d", done.result)
	done.result = result
	return s.line(kind, why, done, s.after(i, j, result))
}

// Write implements problem.Solution.
func (s *state) Write(_ problem.Line, choices []int) (problem.Line, bool) {
	for i, pair := 0, 0; i < int(s.count); i++ {
		for j := i + 1; j < int(s.count); j, pair = j+1, pair+1 {
			if pair != choices[0] {
				continue
			}
			done, ok := combine(s.numbers[i], s.numbers[j], choices[1])
			if !ok {
				return problem.Line{}, false
			}
			return s.claim(done, i, j, int32(10*choices[2]+choices[3])), true
		}
	}
	return problem.Line{}, false
}

// claim is a step with a result that may be right, and the truth about it.
func (s *state) claim(done step, i, j int, result int32) problem.Line {
	kind := far
	switch off := max(result, done.result) - min(result, done.result); {
	case off == 0:
		left := s.after(i, j, result)
		l := s.line("", "", done, left)
		if !s.leads(left) {
			l.Slip, l.Why = problem.LeadsAway, fmt.Sprintf("%d is out of reach after it", s.target)
		}
		return l
	case off == 1:
		kind = byOne
	case off <= 3:
		kind = near
	}
	for operation := range operations {
		if other, ok := combine(s.numbers[i], s.numbers[j], operation); ok && other.result == result {
			kind = otherOperation
		}
	}
	return s.falsely(kind, done, i, j, result)
}

// Believe implements problem.Solution.
func (s *state) Believe(line problem.Line) problem.Solution {
	said, next := line.Of.(written), *s
	next.steps[s.game.Numbers-int(s.count)] = said.step
	next.numbers = said.left
	next.count--
	return &next
}

// Before implements problem.Solution.
func (s *state) Before() (problem.Solution, problem.Line, bool) {
	steps := s.taken()
	if !s.drawn || len(steps) == 0 {
		return nil, problem.Line{}, false
	}
	before := *s
	before.numbers, before.count = s.given, int8(s.game.Numbers)
	last := len(steps) - 1
	for _, done := range steps[:last] {
		i, j, _ := before.places(done)
		before.numbers = before.after(i, j, done.result)
		before.count--
	}
	said := steps[last]
	i, j, twice := before.places(said)
	if twice {
		return &before, before.usesTwice(said), true
	}
	truth, _ := combine(before.numbers[i], before.numbers[j], int(said.operation))
	line := before.claim(truth, i, j, said.result)
	if said.result == truth.result {
		line.Action = id(i, j, int(said.operation))
	}
	return &before, line, true
}

// places are where the numbers of a step stand among those left, in ascending order;
// twice tells that it takes one number for both, and drops the one beside it.
func (s *state) places(done step) (i, j int, twice bool) {
	left := s.numbers[:s.count]
	i = slices.Index(left, done.a)
	j = slices.Index(left, done.b)
	if i == j {
		if j++; j == len(left) || left[j] != done.b {
			j, twice = (i+1)%len(left), true
		}
	}
	return min(i, j), max(i, j), twice
}

// Answer implements problem.Solution.
func (s *state) Answer() string {
	if !s.over() {
		return ""
	}
	return strconv.Itoa(int(s.numbers[0]))
}

// What a critic sees: the numbers before and the target as a solver sees them, the
// step's numbers, its operation, and the numbers that it leaves.
const view = tensorSize + 3*perNumber + operations + mostNumbers*perNumber

// Judge implements problem.Solution.
func (s *state) Judge(line problem.Line, dst []float32) {
	said := line.Of.(written)
	s.Observe(0, dst[:tensorSize])
	dst = dst[tensorSize:]
	for i, x := range []int32{said.a, said.b, said.result} {
		s.number(dst[i*perNumber:(i+1)*perNumber], x)
	}
	dst = dst[3*perNumber:]
	dst[said.operation] = 1
	dst = dst[operations:]
	for i, x := range said.left[:s.count-1] {
		s.number(dst[i*perNumber:(i+1)*perNumber], x)
	}
}

// number writes what the tensor holds of a number.
func (s *state) number(at []float32, x int32) {
	at[0], at[1], at[2] = 1, float32(x)/100, float32(math.Log1p(float64(x)))/5
	if x == s.target {
		at[3] = 1
	}
	if x > 0 && s.target%x == 0 {
		at[4] = 1
	}
	if x < small {
		at[5+x] = 1
	}
}
