// Package spec holds what people name things by: the one grammar in which games,
// agents, objectives and estimators are written on the command line and in recipes, and
// the registries in which names are looked up. The grammar:
//
//	kuhn_poker
//	liars_dice(numdice=1)
//	mcts(sims=400,eval=run(DIR@1000))
//	matrix("my file.json")
//
// NAME:REST is short for NAME(REST) where the name takes arguments such as
// mcts:sims=400,c=1.4, and for one quoted argument where REST holds no "=",
// as in run:DIR@STEP.
package spec

import (
	"fmt"
	"strconv"
	"strings"
)

// Spec is a parsed name with its arguments in the order given.
type Spec struct {
	Name string
	Args []Arg
}

// Arg is one argument: Key is empty for a positional one. A value that is
// itself a spec is kept as its text.
type Arg struct {
	Key, Value string
}

// Parse reads one spec. The error names the offending text and its column.
func Parse(text string) (Spec, error) {
	s := strings.TrimSpace(text)
	end := strings.IndexFunc(s, func(r rune) bool { return !isNameRune(r) })
	if end < 0 {
		end = len(s)
	}
	if end == 0 {
		return Spec{}, fmt.Errorf("%q: expected a name such as kuhn_poker or mcts(sims=400)", text)
	}
	out := Spec{Name: s[:end]}
	rest := s[end:]
	switch {
	case rest == "":
		return out, nil
	case rest[0] == ':':
		body := rest[1:]
		if !strings.Contains(body, "=") {
			out.Args = []Arg{{Value: body}}
			return out, nil
		}
		args, err := parseArgs(text, body)
		out.Args = args
		return out, err
	case rest[0] == '(' && rest[len(rest)-1] == ')':
		args, err := parseArgs(text, rest[1:len(rest)-1])
		out.Args = args
		return out, err
	}
	return Spec{}, fmt.Errorf("%q: expected NAME, NAME(key=value,…) or NAME:VALUE, found %q at column %d", text, rest, end+1)
}

func isNameRune(r rune) bool {
	return r == '_' || r == '-' || r == '.' || r == '+' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
}

func parseArgs(text, body string) ([]Arg, error) {
	if strings.TrimSpace(body) == "" {
		return nil, nil
	}
	parts, err := split(body)
	if err != nil {
		return nil, fmt.Errorf("%q: %w", text, err)
	}
	args := make([]Arg, 0, len(parts))
	seen := map[string]bool{}
	for _, part := range parts {
		part = strings.TrimSpace(part)
		arg := Arg{Value: part}
		if i := strings.IndexByte(part, '='); i > 0 && strings.IndexFunc(part[:i], func(r rune) bool { return !isNameRune(r) }) < 0 {
			arg = Arg{Key: part[:i], Value: strings.TrimSpace(part[i+1:])}
		}
		if strings.HasPrefix(arg.Value, `"`) {
			unquoted, err := strconv.Unquote(arg.Value)
			if err != nil {
				return nil, fmt.Errorf("%q: bad quoted text %s", text, arg.Value)
			}
			arg.Value = unquoted
		} else if arg.Value == "" {
			return nil, fmt.Errorf("%q: an argument is empty", text)
		}
		if arg.Key != "" && seen[arg.Key] {
			return nil, fmt.Errorf("%q: argument %q is given twice", text, arg.Key)
		}
		seen[arg.Key] = true
		args = append(args, arg)
	}
	return args, nil
}

// List cuts a list of specs at its commas, those in parentheses and quotes aside:
// egpo(eta=0.1,beta=0.2),omd. An empty entry is an error.
func List(text string) ([]string, error) {
	parts, err := split(text)
	if err != nil {
		return nil, fmt.Errorf("%q: %w", text, err)
	}
	for i, part := range parts {
		if parts[i] = strings.TrimSpace(part); parts[i] == "" {
			return nil, fmt.Errorf("%q: entry %d of the list is empty: expected names between commas", text, i+1)
		}
	}
	return parts, nil
}

// split cuts body at the commas that stand outside parentheses and quotes.
func split(body string) ([]string, error) {
	var parts []string
	depth, start := 0, 0
	for i := 0; i < len(body); i++ {
		switch body[i] {
		case '"':
			quoted, err := strconv.QuotedPrefix(body[i:])
			if err != nil {
				return nil, fmt.Errorf("a quote is not closed")
			}
			i += len(quoted) - 1
		case '(':
			depth++
		case ')':
			depth--
			if depth < 0 {
				return nil, fmt.Errorf("a parenthesis is closed that was not opened")
			}
		case ',':
			if depth == 0 {
				parts = append(parts, body[start:i])
				start = i + 1
			}
		}
	}
	if depth > 0 {
		return nil, fmt.Errorf("a parenthesis is not closed")
	}
	return append(parts, body[start:]), nil
}

// String prints the spec so that Parse reads it back.
func (s Spec) String() string {
	if len(s.Args) == 0 {
		return s.Name
	}
	var b strings.Builder
	b.WriteString(s.Name)
	b.WriteByte('(')
	for i, a := range s.Args {
		if i > 0 {
			b.WriteByte(',')
		}
		if a.Key != "" {
			b.WriteString(a.Key)
			b.WriteByte('=')
		}
		b.WriteString(quoteIfNeeded(a))
	}
	b.WriteByte(')')
	return b.String()
}

func quoteIfNeeded(a Arg) string {
	parts, err := split(a.Value)
	plain := err == nil && len(parts) == 1 && a.Value != "" && strings.TrimSpace(a.Value) == a.Value && !strings.HasPrefix(a.Value, `"`)
	if plain && a.Key == "" && strings.Contains(a.Value, "=") {
		plain = strings.ContainsAny(a.Value[:strings.IndexByte(a.Value, '=')], "(:")
	}
	if plain {
		return a.Value
	}
	return strconv.Quote(a.Value)
}
