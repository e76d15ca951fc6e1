// Package wordproblem holds word problems made from templates: people have
// things, each so many more, fewer or times as many as another, or as two
// together, and one number is asked for. A step works out one person's number;
// among the lines open are wrong relations, wrong people and wrong sums, and
// numbers that nobody asked for.
package wordproblem

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/games/problem"
	"github.com/agon-rl/agon/internal/spec"
)

const mostPeople = 8

func init() {
	games.Register(games.Rules{
		Name:    "word_problem",
		Summary: "Word problems: work out one number after the other until the one asked for is known",
		Params: []games.Param{
			{Name: "people", Default: "5", Help: "how many people have things; a number is given for the first"},
			problem.Param,
			{Name: "spare", Default: "0", Help: "how many steps may be wasted"},
		},
		Make: func(r *spec.Reader) (games.Game, error) {
			people, spare := r.Int("people", 5, 2, mostPeople), r.Int("spare", 0, 0, mostPeople)
			seed := problem.ReadSeed(r)
			if err := r.Err(); err != nil {
				return nil, err
			}
			return New(people, spare, seed), nil
		},
	})
}

const (
	slipsEach   = 3 // beside the right line of a person
	perPerson   = 4 + kinds + 2*mostPeople
	perLine     = 3*mostPeople + operations + 2
	largest     = 200 // no number is larger
	kinds       = 5
	operations  = 3
	featureUnit = 20
)

// New returns the game with so many people, one of whom each problem asks for.
// The seed is a problem's, or problem.Drawn.
func New(people, spare, seed int) games.Game {
	name := spec.Spec{Name: "word_problem"}
	if people != 5 {
		name.Args = append(name.Args, spec.Arg{Key: "people", Value: strconv.Itoa(people)})
	}
	if spare != 0 {
		name.Args = append(name.Args, spec.Arg{Key: "spare", Value: strconv.Itoa(spare)})
	}
	return problem.Domain{
		Name:  name,
		Rules: "A word problem. Work out one number at a time, from what is given or worked out before, until the number asked for is known.",
		Lines: (1 + slipsEach) * (people - 1), Steps: people - 1 + spare,
		PerPosition: people * perPerson, PerLine: perLine,
		Draw: func(r *rand.Rand) problem.Position { return draw(r, people, spare) },
		Critique: problem.Critique{
			Errors: problem.Errors{
				Naive: []string{wrongRelation},
				Menu:  []string{wrongRelation, wrongPerson, wrongSum},
				Other: []string{"near", "round", "far"},
			},
			Slots: []problem.Slot{{Name: "hundreds", Values: 3}, {Name: "tens", Values: 10}, {Name: "units", Values: 10}},
			View:  view,
		},
		Judge: judge, Write: write, Read: func(text string) (problem.Position, error) { return read(text, spare) }, ReadLine: readLine,
	}.New(seed)
}

var (
	names  = [mostPeople]string{"Ann", "Ben", "Cem", "Dina", "Eva", "Finn", "Gus", "Hana"}
	things = []string{"apples", "books", "coins", "marbles", "stamps"}
)

// kind is how a number is told.
type kind int

const (
	given kind = iota
	more
	fewer
	times
	together
)

// person has a number of things, told by those of people before.
type person struct {
	kind
	by          int // the number itself, or how many more, fewer or times
	base, other int // whose number it is told by
}

type story struct {
	thing  string
	spare  int
	people []person
	asked  int
}

// account is a story with the numbers that are known; 0 is unknown.
type account struct {
	*story
	numbers [mostPeople]int
	wasted  int // steps that were not asked for
}

// draw makes a story in which all numbers are positive and not too large.
func draw(r *rand.Rand, people, spare int) account {
	a := account{story: &story{thing: things[r.IntN(len(things))], spare: spare, people: make([]person, people)}}
	values := make([]int, people)
	values[0] = 2 + r.IntN(19)
	a.people[0] = person{kind: given, by: values[0]}
	for i := 1; i < people; i++ {
		for {
			p := person{kind: kind(1 + r.IntN(kinds-1)), by: 2 + r.IntN(9), base: r.IntN(i), other: r.IntN(i)}
			if p.kind == times {
				p.by = 2 + r.IntN(3)
			}
			if p.kind == together && p.base >= p.other {
				continue
			}
			if v := p.number(values[p.base], values[p.other]); v > 0 && v <= largest {
				a.people[i], values[i] = p, v
				break
			}
		}
	}
	a.numbers[0] = values[0]
	// what takes the most steps is asked for, so that the budget is tight
	for i := 1; i < people; i++ {
		if a.needs(i) >= a.needs(a.asked) {
			a.asked = i
		}
	}
	return a
}

// number is the person's number by those it is told by.
func (p person) number(base, other int) int {
	switch p.kind {
	case given:
		return p.by
	case more:
		return base + p.by
	case fewer:
		return base - p.by
	case times:
		return base * p.by
	}
	return base + other
}

// needs counts the unknown numbers that lead to a person's.
func (a account) needs(i int) int {
	var wanted [mostPeople]bool
	wanted[i] = true
	count := 0
	for j := i; j >= 0; j-- { // people are told by those before
		if !wanted[j] || a.numbers[j] != 0 {
			continue
		}
		count++
		wanted[a.people[j].base] = true
		if a.people[j].kind == together {
			wanted[a.people[j].other] = true
		}
	}
	return count
}

// Solved implements problem.Position.
func (a account) Solved() bool { return a.numbers[a.asked] != 0 }

// Needs implements problem.Position. More steps than may be wasted lead nowhere.
func (a account) Needs() int {
	if a.wasted > a.spare {
		return problem.Never
	}
	return a.needs(a.asked)
}

// Lines implements problem.Position: for each person whose number can be worked
// out, the right line and slips.
func (a account) Lines() []problem.Line {
	if a.wasted > a.spare {
		return nil
	}
	var lines []problem.Line
	for i, p := range a.people {
		base, other := a.numbers[p.base], a.numbers[p.other]
		if a.numbers[i] != 0 || base == 0 || p.kind == together && other == 0 {
			continue
		}
		first := len(lines)
		truth := p.number(base, other)
		line := func(slip, why string, base, other int, sign string, left, right, result int) {
			if left <= 0 || right <= 0 || result <= 0 || slip != "" && result == truth {
				return
			}
			said := sum{i, left, right, result, sign}
			text := said.String()
			for _, l := range lines[first:] {
				if l.Text == text {
					return
				}
			}
			lines = append(lines, problem.Line{Text: text, Slip: slip, Why: why, Then: a.with(i, result), Features: features(i, base, other, sign, right, result), Of: said})
		}
		line("", "", p.base, p.other, p.sign(), base, p.right(other), truth)
		switched := person{kind: p.kind.switched(), by: p.by}
		if p.kind == together {
			switched.by = other
		}
		line(wrongRelation, "it is "+p.told(a.thing), p.base, p.other, switched.sign(), base, switched.by, switched.number(base, 0))
		for j := range i { // somebody else's number
			if x := a.numbers[j]; x != 0 && j != p.base && j != p.other && x != base {
				line(wrongPerson, "it is told by "+names[p.base]+"'s number", j, p.other, p.sign(), x, p.right(other), p.number(x, other))
				break
			}
		}
		line(wrongSum, "the sum is wrong", p.base, p.other, p.sign(), base, p.right(other), truth+1+(base+i)%2*9)
	}
	return lines
}

// The kinds of slip.
const (
	wrongRelation = "relation"
	wrongPerson   = "person"
	wrongSum      = "sum"
)

// sum is what a line says.
type sum struct {
	who, left, right, result int
	sign                     string
}

func (s sum) String() string {
	return fmt.Sprintf("%s: %d %s %d = %d", names[s.who], s.left, s.sign, s.right, s.result)
}

// write gives the right sum any result.
func write(at problem.Position, line problem.Line, choices []int) (problem.Line, bool) {
	a, said := at.(account), line.Of.(sum)
	result := 100*choices[0] + 10*choices[1] + choices[2]
	if result == 0 {
		return problem.Line{}, false
	}
	slip, why := "far", "the sum is wrong"
	switch off := max(result, said.result) - min(result, said.result); {
	case off == 0:
		slip, why = "", ""
	case off <= 3:
		slip = "near"
	case off%10 == 0:
		slip = "round"
	}
	said.result = result
	return problem.Line{Text: said.String(), Slip: slip, Why: why, Then: a.with(said.who, result), Of: said}, true
}

// What a critic sees: how the person's number is told, by which numbers, and the
// line.
const (
	ofNumber = 30 // three digits
	view     = kinds + 3*ofNumber + operations + 3*ofNumber
)

func judge(at problem.Position, line problem.Line, dst []float32) {
	a, w := at.(account), line.Of.(sum)
	p := a.people[w.who]
	dst[p.kind] = 1
	dst = dst[kinds:]
	told := []int{p.by, a.numbers[p.base], a.numbers[p.other]}
	if p.kind == together {
		told[0] = 0
	} else {
		told[2] = 0
	}
	dst[3*ofNumber+strings.Index("+-*", w.sign)] = 1
	for i, number := range told {
		problem.Digits(number, dst[i*ofNumber:(i+1)*ofNumber])
	}
	dst = dst[3*ofNumber+operations:]
	for i, number := range []int{w.left, w.right, w.result} {
		problem.Digits(number, dst[i*ofNumber:(i+1)*ofNumber])
	}
}

func (k kind) switched() kind {
	switch k {
	case more, together:
		return fewer
	case fewer:
		return more
	}
	return more // times
}

func (p person) sign() string { return [...]string{"", "+", "-", "*", "+"}[p.kind] }

func (p person) right(other int) int {
	if p.kind == together {
		return other
	}
	return p.by
}

// with is the account once a person's number is believed.
func (a account) with(i, number int) account {
	before := a.needs(a.asked)
	a.numbers[i] = number
	if a.needs(a.asked) == before {
		a.wasted++
	}
	return a
}

// Answer implements problem.Position.
func (a account) Answer() string { return strconv.Itoa(a.numbers[a.asked]) }

// AppendTo implements problem.Position.
func (a account) AppendTo(dst []byte) []byte {
	dst = strconv.AppendInt(append(dst, a.Text()...), int64(a.wasted), 10)
	for _, x := range a.numbers[:len(a.people)] {
		dst = strconv.AppendInt(append(dst, ' '), int64(x), 10)
	}
	return dst
}

// Observe implements problem.Position: of each person the number, if known, and
// how it is told, and who is asked for.
func (a account) Observe(dst []float32) {
	for i, p := range a.people {
		at := dst[i*perPerson : (i+1)*perPerson]
		if x := a.numbers[i]; x != 0 {
			at[0], at[1] = 1, float32(x)/featureUnit
		}
		at[2] = float32(p.by) / featureUnit
		if i == a.asked {
			at[3] = 1
		}
		at[4+p.kind] = 1
		if p.kind != given {
			at[4+kinds+p.base] = 1
		}
		if p.kind == together {
			at[4+kinds+mostPeople+p.other] = 1
		}
	}
}

// features is what a network sees of a line: whose number it is, by whose it is
// worked out, the operation, its number and the result.
func features(i, base, other int, sign string, right, result int) []float32 {
	f := make([]float32, perLine)
	f[i], f[mostPeople+base], f[2*mostPeople+other] = 1, 1, 1
	f[3*mostPeople+strings.Index("+-*", sign)] = 1
	f[3*mostPeople+operations] = float32(right) / featureUnit
	f[3*mostPeople+operations+1] = float32(result) / featureUnit
	return f
}

// told says how the number is told, without the name.
func (p person) told(thing string) string {
	switch p.kind {
	case given:
		return fmt.Sprintf("%d %s", p.by, thing)
	case more:
		return fmt.Sprintf("%d more %s than %s", p.by, thing, names[p.base])
	case fewer:
		return fmt.Sprintf("%d fewer %s than %s", p.by, thing, names[p.base])
	case times:
		return fmt.Sprintf("%d times as many %s as %s", p.by, thing, names[p.base])
	}
	return fmt.Sprintf("as many %s as %s and %s together", thing, names[p.base], names[p.other])
}

// Text implements problem.Position.
func (a account) Text() string {
	var b strings.Builder
	for i, p := range a.people {
		fmt.Fprintf(&b, "%s has %s. ", names[i], p.told(a.thing))
	}
	fmt.Fprintf(&b, "How many %s does %s have?", a.thing, names[a.asked])
	return b.String()
}
