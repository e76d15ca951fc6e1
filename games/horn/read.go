package horn

import (
	"fmt"
	"math/bits"
	"regexp"
	"slices"
	"strings"

	"github.com/agon-rl/agon/games/problem"
)

var (
	theories = regexp.MustCompile(`^Rules: (.+)\. Known: ([A-P](?:, [A-P])*)\. To prove: ([A-P])\.$`)
	rules    = regexp.MustCompile(`^([A-P])(?: & ([A-P]))? -> ([A-P])$`)
	steps    = regexp.MustCompile(`^([A-P]), by (.+)$`)
)

// read reads what Text writes. There may be more statements and rules than the
// game's problems have.
func read(text string, p Params) (problem.Position, error) {
	unread := problem.Unread(text, "a theory such as Rules: A -> B; A & B -> C. Known: A. To prove: C.")
	m := theories.FindStringSubmatch(text)
	if m == nil {
		return nil, unread
	}
	at := proof{theory: &theory{Params: p, goal: atomOf(m[3])}}
	all := set(1) << at.goal
	for name := range strings.SplitSeq(m[2], ", ") {
		at.known |= 1 << atomOf(name)
	}
	for name := range strings.SplitSeq(m[1], "; ") {
		r, ok := readRule(name)
		if !ok || len(at.rules) == mostRules {
			return nil, unread
		}
		at.rules = append(at.rules, r)
		all |= r.premises | 1<<r.then
	}
	at.Atoms = max(at.Atoms, bits.Len16(uint16(all|at.known)))
	return at, nil
}

func readLine(at problem.Position, text string) (problem.Line, error) {
	p := at.(proof)
	m := steps.FindStringSubmatch(text)
	if m == nil {
		return problem.Line{}, problem.Unread(text, "a step such as C, by A & B -> C")
	}
	r, ok := readRule(m[2])
	if !ok || !slices.Contains(p.rules, r) {
		return problem.Line{}, fmt.Errorf("got %q, expected a step by one of the problem's rules", text)
	}
	return p.conclude(r, atomOf(m[1])), nil
}

func readRule(text string) (r clause, ok bool) {
	m := rules.FindStringSubmatch(text)
	if m == nil {
		return r, false
	}
	r = clause{premises: 1 << atomOf(m[1]), then: atomOf(m[3])}
	if m[2] != "" {
		r.premises |= 1 << atomOf(m[2])
	}
	return r, true
}

func atomOf(name string) int { return int(name[0] - 'A') }
