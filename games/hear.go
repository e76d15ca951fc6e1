package games

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Menu is the end of a prompt: what is open to a seat, or why nothing is.
func Menu(s State, seat Seat) string {
	switch turn := s.Turn(); turn {
	case Over:
		returns := s.Returns(nil)
		if returns[seat] == 0 {
			return "The game is over. Your return: 0."
		}
		return fmt.Sprintf("The game is over. Your return: %+.4g.", returns[seat])
	case Chance:
		return "Chance is to move."
	case seat:
		actions := s.Actions(nil)
		return fmt.Sprintf("It is your turn. Open to you: %s.\nAnswer with one of them, by name or by the number in brackets; the last one in your answer counts.", menu(s, actions, true))
	default:
		return fmt.Sprintf("Player %d is to move.", turn)
	}
}

// Hear finds the last action in a text: what a Speaker whose actions have
// fixed names needs. The candidates are the actions whose names are understood
// at this node, legal or not, so that a move which is not open is told from
// text that holds no move at all.
//
// An action is written by its name, in upper or lower case, or by its number
// in brackets, such as [4]. Where the text holds a \boxed{…}, the last box
// alone counts; there, and where a number is all the text there is, the
// brackets can be left out.
func Hear(s State, text string, candidates []Action) (Action, error) {
	legal := s.Actions(nil)
	if s.Turn() == Over {
		return 0, fmt.Errorf("%w: the game is over", ErrIllegal)
	}
	answer := text
	if box, ok := lastBox(text); ok {
		answer = box
	}
	found, ok := lastAction(s, answer, candidates)
	if !ok {
		return 0, fmt.Errorf("no action found in %s: open are %s", excerpt(text), menu(s, legal, false))
	}
	if !slices.Contains(legal, found) {
		return 0, fmt.Errorf("%w %s: open are %s", ErrIllegal, spoken(s, found, candidates), menu(s, legal, false))
	}
	return found, nil
}

// Ids returns the actions 0, 1, …, n-1.
func Ids(n int) []Action {
	ids := make([]Action, n)
	for i := range ids {
		ids[i] = Action(i)
	}
	return ids
}

func menu(s State, actions []Action, numbers bool) string {
	const most = 100
	var b strings.Builder
	for i, a := range actions {
		if i == most {
			fmt.Fprintf(&b, ", … (%d in all)", len(actions))
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(Say(s, a))
		if numbers {
			fmt.Fprintf(&b, " [%d]", a)
		}
	}
	return b.String()
}

func spoken(s State, a Action, candidates []Action) string {
	if slices.Contains(candidates, a) {
		return Say(s, a)
	}
	return strconv.Itoa(int(a))
}

func excerpt(text string) string {
	const most = 60
	text = strings.TrimSpace(text)
	if len(text) > most {
		cut := len(text) - most
		for cut < len(text) && !utf8.RuneStart(text[cut]) {
			cut++
		}
		return strconv.Quote("…" + text[cut:])
	}
	return strconv.Quote(text)
}

// lastBox returns what stands in the last \boxed{…} whose braces balance.
func lastBox(text string) (string, bool) {
	const opening = `\boxed{`
	for end := len(text); ; {
		start := strings.LastIndex(text[:end], opening)
		if start < 0 {
			return "", false
		}
		body := text[start+len(opening):]
		depth := 1
		for i := 0; i < len(body); i++ {
			switch body[i] {
			case '{':
				depth++
			case '}':
				depth--
			}
			if depth == 0 {
				return body[:i], true
			}
		}
		end = start
	}
}

// lastAction finds the candidate named last in a text, the longest where two
// names end at the same place.
func lastAction(s State, text string, candidates []Action) (Action, bool) {
	folded := strings.ToLower(text)
	best, bestEnd, bestLength := Action(0), -1, 0
	note := func(a Action, end, length int) {
		if end > bestEnd || end == bestEnd && length > bestLength {
			best, bestEnd, bestLength = a, end, length
		}
	}
	for _, a := range candidates {
		name := strings.ToLower(Say(s, a))
		if end := lastWord(folded, name); end >= 0 {
			note(a, end, len(name))
		}
	}
	if a, end, length := lastBracketed(folded); end >= 0 {
		note(a, end, length)
	}
	if bestEnd < 0 {
		if number, err := strconv.ParseInt(strings.TrimSpace(folded), 10, 32); err == nil {
			return Action(number), true
		}
	}
	return best, bestEnd >= 0
}

// lastWord returns the end of the last place where name stands in text and is
// not part of a longer word or number, or -1.
func lastWord(text, name string) int {
	if name == "" {
		return -1
	}
	first, _ := utf8.DecodeRuneInString(name)
	last, _ := utf8.DecodeLastRuneInString(name)
	for end := len(text); ; {
		start := strings.LastIndex(text[:end], name)
		if start < 0 {
			return -1
		}
		before, _ := utf8.DecodeLastRuneInString(text[:start])
		after, _ := utf8.DecodeRuneInString(text[start+len(name):])
		if !(isWord(first) && isWord(before)) && !(isWord(last) && isWord(after)) {
			return start + len(name)
		}
		end = start + len(name) - 1
	}
}

func isWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) || r == '_' }

// lastBracketed finds the last [n] in a text: its number, end and length.
func lastBracketed(text string) (Action, int, int) {
	for end := len(text); ; {
		start := strings.LastIndexByte(text[:end], '[')
		if start < 0 {
			return 0, -1, 0
		}
		if inner, _, closed := strings.Cut(text[start+1:], "]"); closed {
			if number, err := strconv.ParseInt(strings.TrimSpace(inner), 10, 32); err == nil {
				return Action(number), start + len(inner) + 2, len(inner) + 2
			}
		}
		end = start
	}
}
