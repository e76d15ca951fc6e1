package benchmark

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
)

// Verdict is a critic's word on one step.
type Verdict int8

// The verdicts. Invalid is an answer that holds none.
const (
	Invalid Verdict = iota
	Correct
	Incorrect
)

// Unread stands for a first wrong step that an answer does not tell.
const Unread = math.MinInt

// CriticPrompt asks for a verdict on one step, with the headings and the tag of
// SPC's critic, in Agon's words.
func CriticPrompt(q Question) (system, user string) {
	system = "You judge the last step of an unfinished solution to a problem. " +
		"First say where the solution is heading. Then check the last step against the problem and the steps before it. " +
		"End with your verdict in a tag: <Answer>Correct</Answer> if the last step is right, <Answer>Incorrect</Answer> if it is wrong."
	partial := strings.Join(q.Prefix, "\n\n")
	if partial == "" {
		partial = "Let's solve this problem." // what SPC's critic sees before a first step
	}
	return system, fmt.Sprintf("## Problem\n%s\n\n## Partial Solution\n%s\n\n## Last Step\n%s", q.Problem, partial, q.Step)
}

var answerTag = regexp.MustCompile(`(?is)<answer>\s*(.*?)\s*</answer>`)

// ParseVerdict reads the tags <Answer>Correct</Answer> and
// <Answer>Incorrect</Answer>. No tag, a tag with anything else, or tags that
// contradict each other are Invalid; SPC's script reads the first tag alone.
func ParseVerdict(text string) Verdict {
	verdict := Invalid
	for _, m := range answerTag.FindAllStringSubmatch(text, -1) {
		v := Invalid
		switch strings.ToLower(m[1]) {
		case "correct":
			v = Correct
		case "incorrect":
			v = Incorrect
		}
		if v == Invalid || verdict != Invalid && v != verdict {
			return Invalid
		}
		verdict = v
	}
	return verdict
}

// FirstIncorrect turns verdicts on the steps of a solution, in order, into its
// first wrong step: -1 if all are Correct, Unread if an Invalid one comes before.
func FirstIncorrect(verdicts []Verdict) int {
	for i, v := range verdicts {
		switch v {
		case Incorrect:
			return i
		case Invalid:
			return Unread
		}
	}
	return -1
}

// FirstErrorPrompt asks for the first wrong step of a solution, numbered and
// tagged as in ProcessBench, in Agon's words.
func FirstErrorPrompt(s Solution) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Here are a problem and a solution, whose paragraphs are tagged and numbered from 0 on.\n\n[Problem]\n%s\n\n[Solution]\n", s.Problem)
	for i, step := range s.Steps {
		fmt.Fprintf(&b, "<paragraph_%d>\n%s\n</paragraph_%d>\n\n", i, step, i)
	}
	b.WriteString("Check the paragraphs one after the other. Give the number of the first one that holds an error, or -1 if there is none, as \\boxed{number}.")
	return b.String()
}

var boxedWord = regexp.MustCompile(`\\boxed\{([^}]*)\}`)

// ParseFirst reads the number in the last \boxed{...}; Unread where there is
// none.
func ParseFirst(text string) int {
	word, found := lastBoxed(text)
	if !found {
		return Unread
	}
	return number(word)
}

func lastBoxed(text string) (string, bool) {
	all := boxedWord.FindAllStringSubmatch(text, -1)
	if len(all) == 0 {
		return "", false
	}
	return strings.TrimSpace(all[len(all)-1][1]), true
}

func number(word string) int {
	if n, err := strconv.Atoi(word); err == nil {
		return n
	}
	return Unread
}

// Vote reads several answers to the same question, 8 in ProcessBench, and
// returns what most of them box; of equals, what came first. Answers that box
// nothing have no vote.
func Vote(answers []string) int {
	votes, best := map[string]int{}, ""
	var order []string
	for _, text := range answers {
		if word, found := lastBoxed(text); found {
			if votes[word]++; votes[word] == 1 {
				order = append(order, word)
			}
		}
	}
	for _, word := range order {
		if votes[word] > votes[best] {
			best = word
		}
	}
	if len(order) == 0 {
		return Unread
	}
	return number(best)
}

// SectionsPrompt asks for all wrong sections of a solution, in the form of
// DeltaBench's answers, in Agon's words.
func SectionsPrompt(s Solution) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Here are a problem and a long solution in numbered sections.\n\n[Problem]\n%s\n\n[Solution]\n", s.Problem)
	for i, step := range s.Steps {
		fmt.Fprintf(&b, "section%d:\n%s\n\n", i+1, step)
	}
	b.WriteString("Which sections hold an error? Answer in this form, with the last two lines for each of them:\n" +
		"Conclusion: yes or no\nError Section Number: the section's number\nExplanation: what is wrong")
	return b.String()
}

var (
	conclusion    = regexp.MustCompile(`(?i)conclusion:\s*\W*(yes|no)\b`)
	sectionNumber = regexp.MustCompile(`(?i)error section number:\D*?(\d+)`)
)

// ParseSections reads an answer to SectionsPrompt: the wrong sections from 0 on,
// empty where it concludes that there are none; nil where it concludes nothing,
// or names no section though it found errors.
func ParseSections(text string) []int {
	m := conclusion.FindStringSubmatch(text)
	if m == nil {
		return nil
	}
	if strings.EqualFold(m[1], "no") {
		return []int{}
	}
	var out []int
	for _, m := range sectionNumber.FindAllStringSubmatch(text, -1) {
		if n, err := strconv.Atoi(m[1]); err == nil && n > 0 {
			out = append(out, n-1)
		}
	}
	return out
}

// SolvePrompt asks for the solution of a problem with its final answer, in a form
// that Final reads.
func SolvePrompt(p Problem) string {
	return "Solve this problem step by step.\n\n" + p.Question + "\n\nEnd with the final answer, as short as it can be said, as \\boxed{answer}."
}
