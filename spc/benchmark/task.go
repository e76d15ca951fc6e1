package benchmark

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// How a benchmark is put to a critic.
const (
	ByStep     = "step"     // each step by itself, after those before it
	BySolution = "solution" // a whole solution at once
	ByAnswer   = "answer"   // the problem itself, for solvers
)

var ways = map[string][]string{
	"deltabench":   {BySolution, ByStep},
	"gsm8k":        {ByAnswer},
	"math":         {ByAnswer},
	"prm800k":      {ByStep, BySolution},
	"processbench": {BySolution, ByStep},
	"spc":          {ByStep},
}

// Ways lists how a benchmark can be put to a critic, its own way first.
func Ways(bench string) []string { return slices.Clone(ways[bench]) }

// Ask is one call of a critic. What it answers is text, which the task reads.
type Ask struct {
	Row          int    // in Task.Asks
	ID           string // of the benchmark's row
	System, User string // the prompts; System may be empty
	// Question is the step that is asked about; nil where a whole solution or an
	// answer is.
	Question *Question
	// Solution is the one whose first wrong step is asked for; nil otherwise.
	Solution *Solution
}

// Task is a benchmark as it is put to a critic.
type Task struct {
	Set   *Set
	By    string
	Votes int // answers to each whole solution, of which the majority counts; 1 where it does not vote

	asks  []Ask
	units []unit
}

// unit is what is scored at once, and the asks that are about it.
type unit struct {
	solution *Solution
	problem  *Problem
	from, to int
}

// NewTask puts a benchmark to a critic in one of its Ways, "" for its own. With
// votes above 1 whole solutions are asked about as often.
func NewTask(set *Set, by string, votes int) (*Task, error) {
	all := ways[set.Name]
	if by == "" {
		by = all[0]
	}
	switch {
	case !slices.Contains(all, by):
		return nil, fmt.Errorf("benchmark: %s cannot be asked by %s; expected %s", set.Name, by, strings.Join(all, " or "))
	case votes < 1:
		return nil, fmt.Errorf("benchmark: got %d votes, expected 1 or more", votes)
	case votes > 1 && (by != BySolution || set.Name == "deltabench"):
		return nil, fmt.Errorf("benchmark: got %d votes, expected 1: only the first error of a whole solution is voted on", votes)
	}
	t := &Task{Set: set, By: by, Votes: votes}
	switch {
	case by == ByAnswer:
		for i := range set.Problems {
			t.add(unit{problem: &set.Problems[i]}, Ask{ID: set.Problems[i].ID, User: SolvePrompt(set.Problems[i])})
		}
	case by == BySolution:
		for i := range set.Solutions {
			t.add(unit{solution: &set.Solutions[i]}, t.whole(&set.Solutions[i])...)
		}
	case set.Name == "processbench" || set.Name == "deltabench":
		for i, s := range set.Solutions {
			questions := s.Questions()
			if set.Name == "deltabench" { // labels those after the first error too
				questions = s.all()
			}
			t.add(unit{solution: &set.Solutions[i]}, steps(questions)...)
		}
	default:
		t.add(unit{}, steps(set.Questions)...)
	}
	if len(t.asks) == 0 {
		return nil, fmt.Errorf("benchmark: %s holds nothing to ask by %s", set.Name, by)
	}
	return t, nil
}

// Asks are all calls of the critic, in the order of the rows.
func (t *Task) Asks() []Ask { return t.asks }

// Prompts tells tasks apart: it is the hash of all that is asked.
func (t *Task) Prompts() string {
	h := sha256.New()
	for _, a := range t.asks {
		fmt.Fprintf(h, "%q %q\n", a.System, a.User) //nolint:errcheck // a hash takes all
	}
	return hex.EncodeToString(h.Sum(nil))
}

func (t *Task) add(u unit, asks ...Ask) {
	u.from = len(t.asks)
	for _, a := range asks {
		a.Row = len(t.asks)
		t.asks = append(t.asks, a)
	}
	u.to = len(t.asks)
	t.units = append(t.units, u)
}

func (t *Task) whole(s *Solution) []Ask {
	if t.Set.Name == "deltabench" {
		return []Ask{{ID: s.ID, User: SectionsPrompt(*s)}}
	}
	return slices.Repeat([]Ask{{ID: s.ID, User: FirstErrorPrompt(*s), Solution: s}}, t.Votes)
}

func steps(questions []Question) []Ask {
	out := make([]Ask, len(questions))
	for i := range questions {
		system, user := CriticPrompt(questions[i])
		out[i] = Ask{ID: questions[i].ID, System: system, User: user, Question: &questions[i]}
	}
	return out
}

// all asks about every step, also those that stand on an error.
func (s Solution) all() []Question {
	out := make([]Question, len(s.Steps))
	for i := range out {
		out[i] = Question{
			ID: s.ID + "/" + strconv.Itoa(i), Subset: s.Subset, Problem: s.Problem,
			Prefix: s.Steps[:i:i], Step: s.Steps[i], Wrong: slices.Contains(s.Wrong, i), Origin: s.Origin,
		}
	}
	return out
}

// Read says in a word what an answer was understood as; false where it
// was not.
func (t *Task) Read(text string) (word string, valid bool) {
	switch {
	case t.By == ByStep:
		v := ParseVerdict(text)
		return map[Verdict]string{Correct: "correct", Incorrect: "incorrect"}[v], v != Invalid
	case t.By == ByAnswer:
		return Final(text)
	case t.Set.Name == "deltabench":
		named := ParseSections(text)
		return strings.Trim(fmt.Sprint(named), "[]"), named != nil
	}
	first := ParseFirst(text)
	return strconv.Itoa(first), first >= -1
}
