package wordproblem

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/agon-rl/agon/games/problem"
)

var (
	asks  = regexp.MustCompile(`^(.+) How many (\w+) does (\w+) have\?$`)
	tells = regexp.MustCompile(`^(\w+) has (?:(\d{1,3}) (\w+)|(\d{1,3}) (more|fewer|times as many) (\w+)(?: than| as)? (\w+)|as many (\w+) as (\w+) and (\w+) together)$`)
	sums  = regexp.MustCompile(`^(\w+): (\d{1,3}) ([-+*]) (\d{1,3}) = (\d{1,3})$`)
	kept  = map[string]kind{"more": more, "fewer": fewer, "times as many": times}
)

// read reads what Text writes. There may be more people than in the game's problems.
func read(text string, spare int) (problem.Position, error) {
	unread := problem.Unread(text, "a story such as Ann has 3 coins. Ben has 2 more coins than Ann. How many coins does Ben have?")
	m := asks.FindStringSubmatch(text)
	if m == nil {
		return nil, unread
	}
	a := account{story: &story{thing: m[2], spare: spare, asked: slices.Index(names[:], m[3])}}
	for sentence := range strings.SplitSeq(strings.TrimSuffix(m[1], "."), ". ") {
		p, ok := readPerson(sentence, len(a.people))
		if !ok {
			return nil, unread
		}
		a.people = append(a.people, p)
	}
	a.numbers[0] = a.people[0].by
	// A text that would be written otherwise is of somebody else.
	if a.asked < 0 || a.asked >= len(a.people) || a.numbers[0] == 0 || a.Text() != text {
		return nil, unread
	}
	return a, nil
}

// readPerson reads how the i-th person's number is told.
func readPerson(sentence string, i int) (p person, ok bool) {
	m := tells.FindStringSubmatch(sentence)
	if m == nil || i == mostPeople || m[1] != names[i] {
		return p, false
	}
	switch {
	case m[2] != "":
		return person{kind: given, by: atoi(m[2])}, i == 0
	case m[4] != "":
		p = person{kind: kept[m[5]], by: atoi(m[4]), base: slices.Index(names[:], m[7])}
	default:
		p = person{kind: together, base: slices.Index(names[:], m[9]), other: slices.Index(names[:], m[10])}
	}
	return p, p.base >= 0 && p.base < i && p.other >= 0 && p.other < i
}

func readLine(at problem.Position, text string) (problem.Line, error) {
	a := at.(account)
	unread := problem.Unread(text, "the sum of somebody whose number is asked for, such as Ben: 3 + 2 = 5")
	m := sums.FindStringSubmatch(text)
	if m == nil {
		return problem.Line{}, unread
	}
	said := sum{who: slices.Index(names[:], m[1]), left: atoi(m[2]), sign: m[3], right: atoi(m[4]), result: atoi(m[5])}
	if said.who < 1 || said.who >= len(a.people) || said.result == 0 || said.String() != text {
		return problem.Line{}, unread
	}
	line := problem.Line{Text: text, Then: a.with(said.who, said.result), Of: said}
	if !a.true(said) {
		line.Slip, line.Why = "far", "it is "+a.people[said.who].told(a.thing)
	}
	return line, nil
}

// true tells whether a sum gives a person's number by numbers that are known.
func (a account) true(s sum) bool {
	p := a.people[s.who]
	base, other := a.numbers[p.base], a.numbers[p.other]
	if base == 0 || p.kind == together && other == 0 {
		return false
	}
	value := map[string]int{"+": s.left + s.right, "-": s.left - s.right, "*": s.left * s.right}[s.sign]
	return value == s.result && s.result == p.number(base, other)
}

func atoi(digits string) int {
	n, _ := strconv.Atoi(digits) // three digits at most
	return n
}
