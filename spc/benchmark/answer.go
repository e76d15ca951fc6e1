package benchmark

import (
	"regexp"
	"slices"
	"strings"
)

var (
	answerIs   = regexp.MustCompile(`(?i)the (?:final )?answer is:?[ \t]*([^\n]*)`)
	lastNumber = regexp.MustCompile(`-?\d+(?:,\d{3})*(?:\.\d+)?(?:/\d+)?|-?\.\d+`)
)

// Final finds the final answer in a solution: what follows the last "The answer
// is" on its line, else the last \boxed{...}, else the last number. It returns
// false where there is none of them.
func Final(text string) (string, bool) {
	if all := answerIs.FindAllStringSubmatch(text, -1); all != nil {
		rest := strings.TrimSpace(all[len(all)-1][1])
		if inner, found := Boxed(rest); found {
			return inner, true
		}
		rest, _, _ = strings.Cut(rest, ". ") // of the next sentence
		rest = strings.Trim(rest, "*$ ")
		rest = strings.TrimSpace(strings.TrimRight(strings.TrimSuffix(rest, "."), "*$ "))
		if rest != "" {
			return rest, true
		}
	}
	if inner, found := Boxed(text); found {
		return inner, true
	}
	all := lastNumber.FindAllStringIndex(text, -1)
	if all == nil {
		return "", false
	}
	start, end := all[len(all)-1][0], all[len(all)-1][1]
	if start > 0 && text[start] == '-' && strings.ContainsRune("0123456789)", rune(text[start-1])) {
		start++ // the minus sign of a difference
	}
	return text[start:end], true
}

// Boxed returns what stands in the last \boxed{...} whose braces match.
func Boxed(text string) (string, bool) {
	const command = `\boxed`
	for end := len(text); ; {
		i := strings.LastIndex(text[:end], command)
		if i < 0 {
			return "", false
		}
		inner, _, found := braced(strings.TrimLeft(text[i+len(command):], " "))
		if found {
			return strings.TrimSpace(inner), true
		}
		end = i
	}
}

// braced splits text after the group in braces that it begins with.
func braced(text string) (inner, rest string, found bool) {
	if !strings.HasPrefix(text, "{") {
		return "", text, false
	}
	depth := 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++ // an escaped brace opens and closes nothing
		case '{':
			depth++
		case '}':
			depth--
		}
		if depth == 0 {
			return text[1:i], text[i+1:], true
		}
	}
	return "", text, false
}

// Equal tells whether two final answers are the same, in the manner of the grader
// that came with PRM800K (https://github.com/openai/prm800k, prm800k/grading):
// texts are the same once spaces, units, $, %, thousands' commas and \text are
// gone; or they are tuples, intervals or sets in equal brackets whose elements are
// equal; or expressions of equal value. A fraction must be in the form of the
// other one and an integer must be written as an integer: 2/4 is not 1/2, 8/2 is
// not 4.
//
// That grader asks sympy whether a difference simplifies to 0. Here rational
// values are compared exactly and others numerically, to 1e-9, with fixed values
// for up to two letters: expressions that differ by less are taken as equal, and
// those that sympy alone can read (sums, integrals, matrices) must agree as texts.
// What that grader does not try is compared too: powers in braces, roots of any
// order, negative mixed numbers, dollars as a unit. An empty answer equals nothing.
func Equal(a, b string) bool {
	a, b = normalize(a), normalize(b)
	if a == "" || b == "" {
		return false
	}
	if compact(a) == compact(b) {
		return true
	}
	left, right := splitTuple(a), splitTuple(b)
	if left.open != right.open || left.close != right.close || len(left.elements) != len(right.elements) {
		return false
	}
	return slices.EqualFunc(left.elements, right.elements, func(x, y string) bool {
		return compact(x) == compact(y) || sameValue(x, y)
	})
}

var (
	blanks    = strings.NewReplacer("\n", " ", `\!`, "", `\,`, " ", `\;`, " ", `\:`, " ", `\ `, " ", "~", " ", `\quad`, " ")
	notations = strings.NewReplacer(
		`\dfrac`, `\frac`, `\tfrac`, `\frac`, `\left`, "", `\right`, "", `\$`, "", "$", "", `\%`, "", "%", "",
		`^{\circ}`, "", `^\circ`, "", `\circ`, "", "°", "", "−", "-", "×", `\times `, "·", `\cdot `, "π", `\pi `, "√", "sqrt ", "{,}", ",",
		`\{`, "⟨", `\}`, "⟩", // braces that are written, apart from those that group
		" or ", ",", " and ", ",", " million", "*10^6", " billion", "*10^9", " trillion", "*10^12",
	)
	wholeText = regexp.MustCompile(`^\\(?:text|textbf|mbox|mathrm)\s*\{([^{}]*)\}$`)
	someText  = regexp.MustCompile(`\\(?:text|textbf|mbox|mathrm)\s*\{[^{}]*\}(?:\s*\^\{?\d\}?)?`)
	joined    = regexp.MustCompile(`\\(?:text|mbox)\s*\{\s*(?:or|and)\s*\}`)
	units     = regexp.MustCompile(`(?i)(^|[^a-z\\])(?:degree|cm|km|mm|kg|centimeter|kilometer|meter|mile|second|minute|hour|day|week|month|year|foot|feet|inch|yard|dollar|percent|unit)(?:es|s)?\b\s*(?:\^\{?\d\}?)?`)
	thousands = regexp.MustCompile(`(\d),(\d{3})(\D|$)`)
	assigned  = regexp.MustCompile(`^\s*[A-Za-z]{1,2}\s*=([^=]*)$`)
)

// normalize removes what does not change an answer.
func normalize(s string) string {
	s = joined.ReplaceAllString(blanks.Replace(s), ",")
	s = strings.TrimSpace(notations.Replace(s))
	if m := wholeText.FindStringSubmatch(s); m != nil {
		s = m[1]
	}
	if cut := strings.TrimSpace(someText.ReplaceAllString(s, "")); cut != "" {
		s = cut
	}
	if cut := strings.TrimSpace(units.ReplaceAllString(s, "$1")); cut != "" {
		s = cut
	}
	if m := assigned.FindStringSubmatch(s); m != nil {
		s = m[1]
	}
	if inner, rest, found := braced(s); found && rest == "" {
		s = inner
	}
	for thousands.MatchString(s) {
		s = thousands.ReplaceAllString(s, "$1$2$3")
	}
	return strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(s), "."))
}

func compact(s string) string { return strings.ToLower(strings.ReplaceAll(s, " ", "")) }

type tuple struct {
	open, close string
	elements    []string
}

// splitTuple splits an answer at its commas outside of all brackets but those
// around it; an expression is a tuple of one without brackets.
func splitTuple(s string) tuple {
	const opening, closing = "([⟨", ")]⟩"
	runes := []rune(s)
	depth, start, around := 0, 0, ""
	whole := strings.ContainsRune(opening, runes[0]) && strings.ContainsRune(closing, runes[len(runes)-1])
	var inner []int // commas
	var outer []int
	for i, r := range runes {
		switch {
		case strings.ContainsRune(opening+"{", r):
			depth++
		case strings.ContainsRune(closing+"}", r):
			depth--
			whole = whole && (depth > 0 || i == len(runes)-1)
		case r == ',' && depth == 0:
			outer = append(outer, i)
		case r == ',' && depth == 1:
			inner = append(inner, i)
		}
	}
	commas := outer
	if whole && (len(inner) > 0 || runes[0] == '⟨') {
		around, commas, start = string(runes[0])+string(runes[len(runes)-1]), inner, 1
		runes = runes[:len(runes)-1]
	}
	var t tuple
	if around != "" {
		pair := []rune(around)
		t.open, t.close = string(pair[0]), string(pair[1])
	}
	for _, c := range append(slices.Clone(commas), len(runes)) {
		t.elements = append(t.elements, strings.TrimSpace(string(runes[start:c])))
		start = c + 1
	}
	return t
}
