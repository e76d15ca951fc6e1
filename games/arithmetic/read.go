package arithmetic

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/agon-rl/agon/games/problem"
)

var (
	chains  = regexp.MustCompile(`^Start: (\d{1,3})\. Operations:((?: [-+]\d{1,3})+)\.$`)
	results = regexp.MustCompile(`^(\d{1,3} [-+] \d{1,3}) = (\d{1,3})$`)
)

// read reads what Text writes. Numbers may be longer than in the game's problems.
func read(text string, limit int) (problem.Position, error) {
	unread := problem.Unread(text, "a chain such as Start: 17. Operations: +25 -8.")
	m := chains.FindStringSubmatch(text)
	if m == nil {
		return nil, unread
	}
	c := chain{limit: limit, value: atoi(m[1])}
	for _, word := range strings.Fields(m[2]) {
		c.ahead = append(c.ahead, operation{minus: word[0] == '-', by: atoi(word[1:])})
	}
	if len(c.ahead) > mostLength || c.Text() != text {
		return nil, unread
	}
	return c, nil
}

func readLine(at problem.Position, text string) (problem.Line, error) {
	c := at.(chain)
	if len(c.ahead) == 0 {
		return problem.Line{}, problem.Unread(text, "nothing after the last operation")
	}
	expected := fmt.Sprintf("%d %s %d", c.value, c.ahead[0].sign(), c.ahead[0].by)
	m := results.FindStringSubmatch(text)
	if m == nil || m[1] != expected {
		return problem.Line{}, problem.Unread(text, "a value of three digits at most for "+expected)
	}
	return c.claims(atoi(m[2])), nil
}

func atoi(digits string) int {
	n, _ := strconv.Atoi(digits) // three digits at most
	return n
}
