package benchmark

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// readProcessBench reads https://github.com/QwenLM/ProcessBench: a label is the
// first wrong step from 0 on, or -1.
func readProcessBench(r *row, set *Set) {
	s := Solution{
		ID: r.id(), Subset: r.subset, Generator: r.text("generator"), Problem: r.filled("problem"),
		Steps: r.steps("steps"), FinalCorrect: r.flag("final_answer_correct"), Origin: r.origin(),
	}
	s.First = r.integer("label", -1, len(s.Steps)-1)
	if r.err != nil {
		return
	}
	if s.First >= 0 {
		s.Wrong = []int{s.First}
	}
	set.add(s)
}

// readSPC reads the rows that https://github.com/chen-judge/SPC evaluates its
// critic on: a step with its label, or a right and a wrong step after the same
// prefix.
func readSPC(r *row, set *Set) {
	q := Question{ID: r.id(), Subset: r.subset, Problem: r.filled("problem"), Origin: r.origin()}
	if partial := r.text("partial_solution"); partial != "" {
		q.Prefix = []string{partial}
	}
	if subset := r.optional("data_type"); subset != "" {
		q.Subset = subset
	}
	var steps []Question
	switch {
	case r.has("correct_last_step") || r.has("incorrect_last_step"):
		right, wrong := q, q
		right.ID, right.Step = q.ID+"/correct", r.filled("correct_last_step")
		wrong.ID, wrong.Step, wrong.Wrong = q.ID+"/incorrect", r.filled("incorrect_last_step"), true
		steps = []Question{right, wrong}
	default:
		label := "process_bench_human_label"
		if !r.has(label) && r.has("delta_bench_human_label") {
			label = "delta_bench_human_label"
		}
		q.Step, q.Wrong = r.filled("next_step"), r.label(label)
		steps = []Question{q}
	}
	if r.err == nil {
		set.Questions = append(set.Questions, steps...)
	}
}

// readDeltaBench reads https://github.com/OpenStellarTeam/DeltaBench, where
// sections are steps. What is wrong or of no use counts as wrong, as in its
// evaluation.
func readDeltaBench(r *row, set *Set) {
	content := "sections_content"
	if !r.has(content) && r.has("section_content") {
		content = "section_content"
	}
	s := Solution{
		ID: r.id(), Subset: r.filled("task_l1"), Generator: r.optional("origin"), Problem: r.filled("question"),
		Steps: sections(r.filled(content)), FinalCorrect: r.flag("final_correct"), First: -1, Origin: r.origin(),
	}
	if r.err == nil && len(s.Steps) == 0 {
		r.fail(`field %q: found no block that begins with "section1:"`, content)
	}
	for _, name := range []string{"reason_error_section_numbers", "reason_unuseful_section_numbers"} {
		for _, n := range r.numbers(name) {
			if n < 1 || n > len(s.Steps) {
				r.fail("field %q: got section %d, expected 1 to %d", name, n, len(s.Steps))
			}
			s.Wrong = append(s.Wrong, n-1)
		}
	}
	if r.err != nil {
		return
	}
	slices.Sort(s.Wrong)
	s.Wrong = slices.Compact(s.Wrong)
	if len(s.Wrong) > 0 {
		s.First = s.Wrong[0]
	}
	set.add(s)
}

var sectionHead = regexp.MustCompile(`(?im)^[ \t]*section[ \t]*(\d+)[ \t]*:`)

// sections splits a text at the heads of sections. A head out of turn is a part
// of the text, since a solution may speak of its sections.
func sections(text string) []string {
	var out []string
	start := 0
	for _, m := range sectionHead.FindAllStringSubmatchIndex(text, -1) {
		if text[m[2]:m[3]] != strconv.Itoa(len(out)+1) {
			continue
		}
		if len(out) > 0 {
			out[len(out)-1] = strings.TrimSpace(text[start:m[0]])
		}
		out, start = append(out, ""), m[1]
	}
	if len(out) > 0 {
		out[len(out)-1] = strings.TrimSpace(text[start:])
	}
	return out
}

// readGSM8K reads https://github.com/openai/grade-school-math: the answer ends in
// "#### " and the number.
func readGSM8K(r *row, set *Set) {
	p := Problem{ID: r.id(), Subset: r.subset, Question: r.filled("question")}
	answer := r.filled("answer")
	i := strings.LastIndex(answer, "####")
	if r.err == nil && i < 0 {
		r.fail(`field "answer": there is no "#### " before the final answer`)
	}
	if r.err != nil {
		return
	}
	p.Gold = strings.TrimSpace(strings.ReplaceAll(answer[i+len("####"):], ",", ""))
	if p.Gold == "" {
		r.fail(`field "answer": there is nothing after "####"`)
		return
	}
	set.Problems = append(set.Problems, p)
}

// readMATH reads https://github.com/hendrycks/math: the answer is the solution's
// last \boxed.
func readMATH(r *row, set *Set) {
	p := Problem{ID: r.id(), Subset: r.subset, Question: r.filled("problem")}
	if r.has("type") {
		p.Subset = r.filled("type")
	}
	solution := r.filled("solution")
	gold, found := Boxed(solution)
	if r.err == nil && (!found || gold == "") {
		r.fail(`field "solution": there is no whole \boxed{...} with the final answer`)
	}
	if r.err != nil {
		return
	}
	p.Gold = gold
	set.Problems = append(set.Problems, p)
}

type prmLabel struct {
	Steps  []prmStep `json:"steps"`
	Finish string    `json:"finish_reason"`
}

type prmStep struct {
	Completions []struct {
		Text   *string `json:"text"`
		Rating *int    `json:"rating"`
	} `json:"completions"`
	Human  *written `json:"human_completion"`
	Chosen *int     `json:"chosen_completion"`
}

// written is a step by a labeller: the documentation of PRM800K has a string,
// its files an object with a text.
type written string

func (w *written) UnmarshalJSON(raw []byte) error {
	var object struct {
		Text *string `json:"text"`
	}
	if json.Unmarshal(raw, (*string)(w)) == nil {
		return nil
	}
	if err := json.Unmarshal(raw, &object); err != nil || object.Text == nil {
		return fmt.Errorf("got human_completion %s, expected a string or an object with a text", short(raw))
	}
	*w = written(*object.Text)
	return nil
}

// readPRM800K reads https://github.com/openai/prm800k: every rated completion is
// a question; what was chosen, up to the first error, is a solution. A rating of
// 0 counts as right: its documentation calls such a step not incorrect, only
// without progress.
func readPRM800K(r *row, set *Set) {
	var question struct {
		Problem   *string  `json:"problem"`
		Generated []string `json:"pre_generated_steps"`
	}
	var label prmLabel
	r.object("question", &question)
	r.object("label", &label)
	switch {
	case r.err != nil:
	case question.Problem == nil || *question.Problem == "":
		r.fail(`field "question": there is no problem`)
	case !slices.Contains([]string{"solution", "found_error", "bad_problem", "give_up"}, label.Finish):
		r.fail(`field "label": got finish_reason %q, expected solution, found_error, bad_problem or give_up`, label.Finish)
	}
	if r.err == nil {
		if err := label.check(); err != nil {
			r.fail(`field "label", %w`, err)
		}
	}
	if r.err != nil {
		return
	}
	if label.Finish == "bad_problem" {
		set.Skipped++
		return
	}
	s := Solution{
		ID: r.id(), Subset: r.subset, Problem: *question.Problem, First: -1,
		FinalCorrect: label.Finish == "solution", Origin: r.origin(),
	}
	set.Questions = append(set.Questions, label.follow(&s, question.Generated)...)
	switch {
	case label.Finish == "give_up", len(s.Steps) == 0, label.Finish == "found_error" && s.First < 0:
		set.Skipped++
	default:
		set.Solutions = append(set.Solutions, s)
	}
}

// object decodes a field and names the inner field that does not fit.
func (r *row) object(name string, v any) {
	if !r.has(name) {
		r.decode(name, "an object", v)
		return
	}
	err := json.Unmarshal(r.fields[name], v)
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &kind) && kind.Field != "":
		r.fail("field %q: got a %s at %s, expected %s", name, kind.Value, kind.Field, kind.Type)
	case errors.As(err, &kind):
		r.fail("field %q: got %s, expected an object", name, short(r.fields[name]))
	case err != nil:
		r.fail("field %q: %w", name, err)
	}
}

func (l prmLabel) check() error {
	for i, step := range l.Steps {
		for j, c := range step.Completions {
			if c.Text == nil {
				return fmt.Errorf("step %d, completion %d: there is no text", i, j)
			}
			if c.Rating != nil && (*c.Rating < -1 || *c.Rating > 1) {
				return fmt.Errorf("step %d, completion %d: got rating %d, expected -1, 0, 1 or null", i, j, *c.Rating)
			}
		}
		if n := len(step.Completions); step.Chosen != nil && (*step.Chosen < 0 || *step.Chosen >= n) {
			return fmt.Errorf("step %d: got chosen_completion %d, expected less than %d", i, *step.Chosen, n)
		}
	}
	return nil
}

// follow writes what was chosen into s and returns what was rated on the way.
func (l prmLabel) follow(s *Solution, generated []string) (rated []Question) {
	for i, step := range l.Steps {
		for j, c := range step.Completions {
			if c.Rating != nil {
				rated = append(rated, Question{
					ID: fmt.Sprintf("%s/%d/%d", s.ID, i, j), Subset: s.Subset, Problem: s.Problem,
					Prefix: s.Steps[:i:i], Step: *c.Text, Wrong: *c.Rating < 0, Origin: s.Origin,
				})
			}
		}
		own := ""
		if i < len(generated) {
			own = generated[i]
		}
		text, wrong, found := step.taken(own)
		if !found {
			return rated
		}
		s.Steps = append(s.Steps, text)
		if wrong {
			s.First, s.Wrong = i, []int{i}
			return rated
		}
	}
	return rated
}

// taken is the step that the solution goes on with. Nothing is chosen where it
// ends in an error: that is the wrong step of the solution that was labelled, or
// else the first wrong one.
func (p prmStep) taken(generated string) (text string, wrong, found bool) {
	if p.Chosen != nil {
		c := p.Completions[*p.Chosen]
		return *c.Text, c.Rating != nil && *c.Rating < 0, true
	}
	if p.Human != nil {
		return string(*p.Human), false, true
	}
	for _, c := range p.Completions {
		if c.Rating == nil || *c.Rating >= 0 {
			continue
		}
		if !found || *c.Text == generated {
			text, wrong, found = *c.Text, true, true
		}
	}
	return text, wrong, found
}
