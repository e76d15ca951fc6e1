package benchmark

import (
	"fmt"
	"slices"
	"strings"
)

// Scores are a critic's by each rule that fits how it was asked; the others are
// nil.
type Scores struct {
	FirstError *Table        `json:"processbench_f1,omitempty"`
	Steps      *Table        `json:"spc_step_accuracy,omitempty"`
	Sections   *SectionTable `json:"deltabench_f1,omitempty"`
	Answers    *AnswerTable  `json:"answer_accuracy,omitempty"`
}

// Report is what a critic, or a solver, did on a benchmark. What is missing or
// refused is in no score.
type Report struct {
	Bench     string `json:"bench"`
	By        string `json:"by"`
	Asks      int    `json:"asks"`
	Answered  int    `json:"answered"`
	Invalid   int    `json:"invalid"` // answers that could not be read
	Missing   int    `json:"missing"` // asks whose answer did not come; asked again by the next call
	Refused   int    `json:"refused"` // asks that are outside of what the critic judges
	Skipped   int    `json:"skipped"` // rows that nobody labelled to an end
	TokensIn  int64  `json:"tokens_in"`
	TokensOut int64  `json:"tokens_out"`
	// Scores are by the published rules, most of which take an answer that could
	// not be read for a wrong one.
	Scores
	// Valid are the same scores without the answers that could not be read, and
	// empty where all could, or where the published rule leaves them out itself.
	Valid Scores `json:"valid"`
}

// Score scores what was answered.
func (t *Task) Score(o *Outcome) (Report, error) {
	r := Report{
		Bench: t.Set.Name, By: t.By, Asks: len(t.asks), Answered: len(o.Entries),
		Missing: len(o.Missing), Refused: len(o.Refused), Skipped: t.Set.Skipped,
	}
	for _, e := range o.Entries {
		if _, valid := t.Read(e.Answer); !valid {
			r.Invalid++
		}
		r.TokensIn, r.TokensOut = r.TokensIn+e.TokensIn, r.TokensOut+e.TokensOut
	}
	var err error
	if r.Scores, err = t.scores(o, false); err != nil || r.Invalid == 0 {
		return r, err
	}
	r.Valid, err = t.scores(o, true)
	r.Valid.Steps = nil
	return r, err
}

// scores scores units all of whose asks were answered. With valid, those that
// could not be read are left out.
func (t *Task) scores(o *Outcome, valid bool) (s Scores, err error) {
	var whole []unit
	for _, u := range t.units {
		if o.has(u.from, u.to) {
			whole = append(whole, u)
		}
	}
	switch {
	case t.By == ByAnswer:
		s.Answers = t.scoreAnswers(whole, o, valid)
	case t.Set.Name == "deltabench":
		s.Sections, err = t.scoreSections(whole, o, valid)
	case t.By == BySolution || t.Set.Name == "processbench":
		s.FirstError, err = t.scoreFirsts(whole, o, valid)
	}
	if err == nil && t.By == ByStep {
		s.Steps, err = t.scoreSteps(o)
	}
	return s, err
}

func (t *Task) scoreSteps(o *Outcome) (*Table, error) {
	var questions []Question
	var verdicts []Verdict
	for _, u := range t.units {
		for row := u.from; row < u.to; row++ {
			if u.solution != nil && u.solution.First >= 0 && row > u.from+u.solution.First {
				break // it stands on an error
			}
			if e, found := o.Entries[row]; found {
				questions, verdicts = append(questions, *t.asks[row].Question), append(verdicts, ParseVerdict(e.Answer))
			}
		}
	}
	table, err := StepAccuracy(questions, verdicts)
	return &table, err
}

func (t *Task) scoreFirsts(whole []unit, o *Outcome, valid bool) (*Table, error) {
	var solutions []Solution
	var firsts []int
	for _, u := range whole {
		first := Vote(o.texts(u.from, u.to))
		if t.By == ByStep {
			first = FirstIncorrect(o.verdicts(u.from, u.to))
		}
		if !valid || first >= -1 {
			solutions, firsts = append(solutions, *u.solution), append(firsts, first)
		}
	}
	table, err := FirstErrorF1(solutions, firsts)
	return &table, err
}

// scoreSections takes a solution for unread where the verdict on any of its
// sections is.
func (t *Task) scoreSections(whole []unit, o *Outcome, valid bool) (*SectionTable, error) {
	var solutions []Solution
	var all [][]int
	for _, u := range whole {
		named := ParseSections(o.texts(u.from, u.to)[0])
		if t.By == ByStep {
			named = wrongSections(o.verdicts(u.from, u.to))
		}
		if !valid || named != nil {
			solutions, all = append(solutions, *u.solution), append(all, named)
		}
	}
	table, err := SectionF1(solutions, all)
	return &table, err
}

func wrongSections(verdicts []Verdict) []int {
	named := []int{}
	for i, v := range verdicts {
		switch v {
		case Incorrect:
			named = append(named, i)
		case Invalid:
			return nil
		}
	}
	return named
}

func (t *Task) scoreAnswers(whole []unit, o *Outcome, valid bool) *AnswerTable {
	var problems []Problem
	var texts []string
	for _, u := range whole {
		text := o.texts(u.from, u.to)[0]
		if _, found := Final(text); !valid || found {
			problems, texts = append(problems, *u.problem), append(texts, text)
		}
	}
	table := AnswerAccuracy(problems, texts)
	return &table
}

// String shows the report as text.
func (r Report) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s by %s: %d asked, %d answered, %d of them invalid", r.Bench, r.By, r.Asks, r.Answered, r.Invalid)
	for _, c := range []struct {
		n    int
		what string
	}{{r.Missing, "missing"}, {r.Refused, "refused"}, {r.Skipped, "rows without a whole label"}} {
		if c.n > 0 {
			fmt.Fprintf(&b, ", %d %s", c.n, c.what)
		}
	}
	b.WriteString("\n" + r.Scores.String())
	if text := r.Valid.String(); text != "" {
		b.WriteString("\nWithout the answers that could not be read:\n" + text)
	}
	return b.String()
}

// String shows the scores as tables.
func (s Scores) String() string {
	var tables []string
	if s.FirstError != nil {
		tables = append(tables, s.FirstError.String())
	}
	if s.Steps != nil {
		tables = append(tables, s.Steps.String())
	}
	if s.Sections != nil {
		tables = append(tables, s.Sections.String())
	}
	if s.Answers != nil {
		tables = append(tables, s.Answers.String())
	}
	return strings.Join(tables, "\n")
}

// Entry is what a critic answered.
type Entry struct {
	Answer    string
	TokensIn  int64 // as its server counts
	TokensOut int64
}

// Unanswered is an ask without an answer, and why.
type Unanswered struct {
	Ask
	Err error
}

// Outcome is what came of asking.
type Outcome struct {
	Entries map[int]Entry // by row
	Missing []Unanswered  // in the order of rows
	Refused []Unanswered
}

func (o *Outcome) has(from, to int) bool {
	for row := from; row < to; row++ {
		if _, found := o.Entries[row]; !found {
			return false
		}
	}
	return true
}

func (o *Outcome) texts(from, to int) []string {
	out := make([]string, 0, to-from)
	for row := from; row < to; row++ {
		out = append(out, o.Entries[row].Answer)
	}
	return out
}

func (o *Outcome) verdicts(from, to int) []Verdict {
	out := make([]Verdict, 0, to-from)
	for _, text := range o.texts(from, to) {
		out = append(out, ParseVerdict(text))
	}
	return out
}

func (o *Outcome) sort() {
	for _, open := range [][]Unanswered{o.Missing, o.Refused} {
		slices.SortFunc(open, func(a, b Unanswered) int { return a.Row - b.Row })
	}
}
