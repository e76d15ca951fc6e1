package equations

import (
	"math/big"
	"regexp"
	"strings"

	"github.com/agon-rl/agon/games/problem"
)

var (
	bracketed = regexp.MustCompile(`^(\d{1,9})\((.*)\)$`)
	linear    = regexp.MustCompile(`^(?:(-?)(?:(\d{1,9})|\((-?\d{1,9}/\d{1,9})\))?x(?: ([+-]) (\d{1,9}(?:/\d{1,9})?))?|(-?\d{1,9}(?:/\d{1,9})?))$`)
)

// read reads what Text writes.
func read(text string) (problem.Position, error) {
	e, ok := parse(text)
	if !ok || e.slope().Sign() == 0 {
		return nil, problem.Unread(text, "an equation with one solution such as 5(6x + 8) = 5x - 9")
	}
	return e, nil
}

func readLine(at problem.Position, text string) (problem.Line, error) {
	then, ok := parse(text)
	if !ok {
		return problem.Line{}, problem.Unread(text, "an equation such as 30x + 40 = 5x - 9")
	}
	line := problem.Line{Text: text, Then: then}
	if !at.(equation).same(then) {
		line.Slip, line.Why = "far", "its solution is another one"
	}
	return line, nil
}

func parse(text string) (e equation, ok bool) {
	left, right, found := strings.Cut(text, " = ")
	if !found {
		return e, false
	}
	e.k = one
	if m := bracketed.FindStringSubmatch(left); m != nil {
		e.k, left = number(m[1]), m[2]
	}
	var okLeft, okRight bool
	e.a, e.b, okLeft = readSide(left)
	e.c, e.d, okRight = readSide(right)
	// A text that would be written otherwise is of somebody else.
	return e, okLeft && okRight && e.k != nil && e.Text() == text
}

// readSide reads ax + b.
func readSide(text string) (a, b *big.Rat, ok bool) {
	m := linear.FindStringSubmatch(text)
	if m == nil {
		return nil, nil, false
	}
	a, b = zero, zero
	switch {
	case m[6] != "":
		b = number(m[6])
	case m[2]+m[3] != "":
		a = number(m[1] + m[2] + m[3])
	default:
		a = number(m[1] + "1")
	}
	if m[5] != "" {
		b = number(strings.TrimPrefix(m[4], "+") + m[5])
	}
	return a, b, a != nil && b != nil
}

// number is nil where the text is none, as x/0.
func number(text string) *big.Rat {
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		return nil
	}
	return r
}
