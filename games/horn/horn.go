// Package horn holds proofs in propositional Horn logic: facts, rules of one or
// two premises, and a statement to prove by applying rules. Every rule can be
// applied at any time, also where a premise is missing or the wrong way round,
// and not every rule that may be applied helps.
package horn

import (
	"fmt"
	"math/bits"
	"math/rand/v2"
	"strconv"
	"strings"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/games/problem"
	"github.com/agon-rl/agon/internal/spec"
)

const (
	mostAtoms = 16
	mostRules = 24
	facts     = 2
)

func init() {
	games.Register(games.Rules{
		Name:    "horn",
		Summary: "Proofs from facts and if-then rules: apply the right rules in the right order",
		Params: []games.Param{
			{Name: "atoms", Default: "10", Help: "how many statements there are"},
			{Name: "depth", Default: "4", Help: "how many steps the shortest proof has"},
			{Name: "rules", Default: "10", Help: "how many rules there are"},
			problem.Param,
			{Name: "spare", Default: "0", Help: "how many steps may be wasted"},
		},
		Make: func(r *spec.Reader) (games.Game, error) {
			p := Params{
				Atoms: r.Int("atoms", 10, facts+1, mostAtoms), Depth: r.Int("depth", 4, 1, mostAtoms-facts),
				Rules: r.Int("rules", 10, 1, mostRules), Spare: r.Int("spare", 0, 0, mostAtoms),
				Seed: problem.ReadSeed(r),
			}
			if err := r.Err(); err != nil {
				return nil, err
			}
			return New(p)
		},
	})
}

// Params are the game's parameters.
type Params struct {
	Atoms, Depth, Rules, Spare int
	Seed                       int // of the problem, or problem.Drawn
}

// New returns the game. It refuses proofs longer than there are statements or
// rules for.
func New(p Params) (games.Game, error) {
	switch {
	case p.Depth > p.Atoms-facts:
		return nil, fmt.Errorf("horn: depth=%d: expected at most %d, the atoms beside %d facts", p.Depth, p.Atoms-facts, facts)
	case p.Depth > p.Rules:
		return nil, fmt.Errorf("horn: depth=%d: expected at most the number of rules, %d", p.Depth, p.Rules)
	}
	name := spec.Spec{Name: "horn"}
	for _, a := range []struct {
		key             string
		value, fallback int
	}{{"atoms", p.Atoms, 10}, {"depth", p.Depth, 4}, {"rules", p.Rules, 10}, {"spare", p.Spare, 0}} {
		if a.value != a.fallback {
			name.Args = append(name.Args, spec.Arg{Key: a.key, Value: strconv.Itoa(a.value)})
		}
	}
	return problem.Domain{
		Name:  name,
		Rules: "A proof. Some statements are known, and rules say what follows from what. Prove the goal by applying one rule at a time to statements that are known or proved.",
		Lines: p.Rules, Steps: p.Depth + p.Spare,
		PerPosition: 2*p.Atoms + p.Rules*2*p.Atoms, PerLine: p.Atoms,
		Draw: func(r *rand.Rand) problem.Position { return draw(r, p) },
		Critique: problem.Critique{
			Errors: problem.Errors{
				Naive: []string{noPremise},
				Menu:  []string{noPremise, leftOut, converse},
				Other: []string{"another conclusion", "known before", "no connection"},
			},
			Slots: []problem.Slot{{Name: "rule", Values: p.Rules}, {Name: "statement", Values: p.Atoms}},
			View:  5 * mostAtoms,
		},
		Judge: judge, Write: write, Read: func(text string) (problem.Position, error) { return read(text, p) }, ReadLine: readLine,
	}.New(p.Seed), nil
}

type set uint16

func (s set) has(atom int) bool { return s>>atom&1 == 1 }

// clause is a rule: it says that then follows where all premises hold.
type clause struct {
	premises set
	then     int
}

type theory struct {
	Params
	rules []clause
	goal  int
}

type proof struct {
	*theory
	known set
}

// draw makes a chain of rules from the facts to the goal, each of which needs
// what the one before gave, then adds rules that do not shorten the proof.
func draw(r *rand.Rand, p Params) proof {
	order := r.Perm(p.Atoms)
	at := proof{theory: &theory{Params: p, goal: order[facts+p.Depth-1]}}
	for _, atom := range order[:facts] {
		at.known |= 1 << atom
	}
	for i := range p.Depth {
		premises := set(1) << order[facts+i-1]
		if r.IntN(2) == 0 {
			premises |= 1 << order[r.IntN(facts+i)]
		}
		at.rules = append(at.rules, clause{premises, order[facts+i]})
	}
	const tries = 100
	for try := 0; len(at.rules) < p.Rules && try < tries*p.Rules; try++ {
		extra := clause{premises: 1 << r.IntN(p.Atoms), then: r.IntN(p.Atoms)}
		if r.IntN(2) == 0 {
			extra.premises |= 1 << r.IntN(p.Atoms)
		}
		if extra.premises.has(extra.then) || at.contains(extra) {
			continue
		}
		at.rules = append(at.rules, extra)
		if at.Needs() < p.Depth {
			at.rules = at.rules[:len(at.rules)-1]
		}
	}
	r.Shuffle(len(at.rules), func(i, j int) { at.rules[i], at.rules[j] = at.rules[j], at.rules[i] })
	return at
}

func (t *theory) contains(x clause) bool {
	for _, y := range t.rules {
		if x == y {
			return true
		}
	}
	return false
}

// Solved implements problem.Position.
func (p proof) Solved() bool { return p.known.has(p.goal) }

// Needs implements problem.Position: breadth first over what can be known.
func (p proof) Needs() int {
	seen := make([]bool, 1<<p.Atoms)
	for steps, layer := 0, []set{p.known}; len(layer) > 0; steps++ {
		var next []set
		for _, known := range layer {
			if known.has(p.goal) {
				return steps
			}
			for _, r := range p.rules {
				more := known | 1<<r.then
				if r.premises&^known == 0 && !seen[more] {
					seen[more] = true
					next = append(next, more)
				}
			}
		}
		layer = next
	}
	return problem.Never
}

// Lines implements problem.Position: from each rule at most one line.
func (p proof) Lines() []problem.Line {
	var lines []problem.Line
	for _, r := range p.rules {
		atom, slip, why := r.then, "", ""
		missing := r.premises &^ p.known
		switch {
		case p.known.has(r.then) && missing == 0:
			continue
		case p.known.has(r.then):
			atom = bits.TrailingZeros16(uint16(missing))
			slip, why = converse, fmt.Sprintf("the rule does not lead from %s to %s", atoms(1<<r.then), atoms(1<<atom))
		case missing == r.premises:
			slip, why = noPremise, atoms(missing)+" is not known"
		case missing != 0:
			slip, why = leftOut, atoms(missing)+" is not known"
		}
		lines = append(lines, p.line(r, atom, slip, why))
	}
	return lines
}

// The kinds of slip that rules lead to.
const (
	noPremise = "no premise"
	leftOut   = "premise left out"
	converse  = "converse"
)

// line concludes an atom by a rule.
func (p proof) line(r clause, atom int, slip, why string) problem.Line {
	features := make([]float32, p.Atoms)
	features[atom] = 1
	return problem.Line{
		Text: fmt.Sprintf("%s, by %s", atoms(1<<atom), r), Slip: slip, Why: why,
		Then: proof{p.theory, p.known | 1<<atom}, Features: features, Of: step{r, atom},
	}
}

// step is what a line says.
type step struct {
	by   clause
	atom int
}

// write concludes any statement by any rule.
func write(at problem.Position, _ problem.Line, choices []int) (problem.Line, bool) {
	p := at.(proof)
	if choices[0] >= len(p.rules) { // chance made fewer
		return problem.Line{}, false
	}
	return p.conclude(p.rules[choices[0]], choices[1]), true
}

// conclude is any statement by any rule, with the truth about it.
func (p proof) conclude(r clause, atom int) problem.Line {
	slip, why := "no connection", fmt.Sprintf("%s is not in the rule", atoms(1<<atom))
	switch missing := r.premises &^ p.known; {
	case r.then == atom && missing == 0:
		slip, why = "", ""
	case r.then == atom && missing == r.premises:
		slip, why = noPremise, atoms(missing)+" is not known"
	case r.then == atom:
		slip, why = leftOut, atoms(missing)+" is not known"
	case p.known.has(atom):
		slip, why = "known before", "it does not follow from the rule"
	case r.premises.has(atom):
		slip, why = converse, fmt.Sprintf("the rule does not lead from %s to %s", atoms(1<<r.then), atoms(1<<atom))
	case missing == 0:
		slip, why = "another conclusion", "the rule leads to "+atoms(1<<r.then)
	}
	return p.line(r, atom, slip, why)
}

// judge shows what is known, the goal, the rule's premises and conclusion, and
// what is concluded.
func judge(at problem.Position, line problem.Line, dst []float32) {
	p, s := at.(proof), line.Of.(step)
	for i, set := range []set{p.known, 1 << p.goal, s.by.premises, 1 << s.by.then, 1 << s.atom} {
		for atom := range mostAtoms {
			if set.has(atom) {
				dst[i*mostAtoms+atom] = 1
			}
		}
	}
}

func atoms(s set) string {
	var out []string
	for atom := range mostAtoms {
		if s.has(atom) {
			out = append(out, string(rune('A'+atom)))
		}
	}
	return strings.Join(out, " & ")
}

func (r clause) String() string { return atoms(r.premises) + " -> " + atoms(1<<r.then) }

// Answer implements problem.Position: all proofs prove the same.
func (p proof) Answer() string { return "proved" }

// AppendTo implements problem.Position.
func (p proof) AppendTo(dst []byte) []byte { return append(dst, p.Text()...) }

// Observe implements problem.Position: what is known, the goal, and of each rule
// its premises and conclusion.
func (p proof) Observe(dst []float32) {
	for atom := range p.Atoms {
		if p.known.has(atom) {
			dst[atom] = 1
		}
	}
	dst[p.Atoms+p.goal] = 1
	for i, r := range p.rules {
		at := dst[2*p.Atoms*(1+i):]
		for atom := range p.Atoms {
			if r.premises.has(atom) {
				at[atom] = 1
			}
		}
		at[p.Atoms+r.then] = 1
	}
}

// Text implements problem.Position.
func (p proof) Text() string {
	rules := make([]string, len(p.rules))
	for i, r := range p.rules {
		rules[i] = r.String()
	}
	known := strings.ReplaceAll(atoms(p.known), " & ", ", ")
	return fmt.Sprintf("Rules: %s. Known: %s. To prove: %s.", strings.Join(rules, "; "), known, atoms(1<<p.goal))
}
