// Package equations holds linear equations in one unknown, with brackets and
// exact fractions. Steps expand the bracket, move a term or divide; among the
// lines open are the slips that pupils make, and true lines that lead away.
package equations

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"strconv"
	"strings"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/games/problem"
	"github.com/agon-rl/agon/internal/spec"
)

const (
	fewestSteps = 4 // expand, move twice, divide
	mostSteps   = 12
	mostLines   = 8
	terms       = 5
)

func init() {
	games.Register(games.Rules{
		Name:    "equations",
		Summary: "Linear equations: choose the line that follows, until x stands alone",
		Params: []games.Param{
			{Name: "max", Default: "9", Help: "the largest number in the equation"},
			problem.Param,
			{Name: "steps", Default: "5", Help: "how many steps may be taken; 4 suffice"},
		},
		Make: func(r *spec.Reader) (games.Game, error) {
			most, steps := r.Int("max", 9, 3, 99), r.Int("steps", 5, fewestSteps, mostSteps)
			seed := problem.ReadSeed(r)
			if err := r.Err(); err != nil {
				return nil, err
			}
			return New(most, steps, seed), nil
		},
	})
}

// New returns the game with numbers from -most to most, and so many steps at
// most. The seed is a problem's, or problem.Drawn.
func New(most, steps, seed int) games.Game {
	name := spec.Spec{Name: "equations"}
	if most != 9 {
		name.Args = append(name.Args, spec.Arg{Key: "max", Value: strconv.Itoa(most)})
	}
	if steps != 5 {
		name.Args = append(name.Args, spec.Arg{Key: "steps", Value: strconv.Itoa(steps)})
	}
	return problem.Domain{
		Name:  name,
		Rules: "A linear equation. Solve it line by line: each line must follow from the one before, and the last must say what x is, as in x = -3/2.",
		Lines: mostLines, Steps: steps, PerPosition: terms, PerLine: terms,
		Draw: func(r *rand.Rand) problem.Position { return draw(r, most) },
		Critique: problem.Critique{
			Errors: problem.Errors{
				Naive: []string{oneSide},
				Menu:  []string{oneSide, oneTerm, sign, operation, upsideDown},
				Other: []string{"near", "far"},
			},
			Slots: []problem.Slot{{Name: "number", Values: terms - 1}, {Name: "change", Values: 2*change + 1}},
			View:  2 * terms * ofNumber,
		},
		Judge: judge, Write: write, Read: read, ReadLine: readLine,
	}.New(seed)
}

// equation is k(ax + b) = cx + d.
type equation struct{ k, a, b, c, d *big.Rat }

func whole(x int) *big.Rat { return big.NewRat(int64(x), 1) }

// draw makes an equation of one solution, which is not 0: there, many slips
// would come to nothing.
func draw(r *rand.Rand, most int) equation {
	signed := func() *big.Rat {
		x := 1 + r.IntN(most)
		if r.IntN(2) == 0 {
			x = -x
		}
		return whole(x)
	}
	for {
		e := equation{k: whole(2 + r.IntN(most-1)), a: signed(), b: signed(), c: signed(), d: signed()}
		if e.slope().Sign() != 0 && e.solution().Sign() != 0 {
			return e
		}
	}
}

func add(x, y *big.Rat) *big.Rat { return new(big.Rat).Add(x, y) }
func sub(x, y *big.Rat) *big.Rat { return new(big.Rat).Sub(x, y) }
func mul(x, y *big.Rat) *big.Rat { return new(big.Rat).Mul(x, y) }
func quo(x, y *big.Rat) *big.Rat { return new(big.Rat).Quo(x, y) }

var one, zero = whole(1), new(big.Rat)

func is(x, y *big.Rat) bool { return x.Cmp(y) == 0 }

// slope is ka - c: where it is 0, x falls out.
func (e equation) slope() *big.Rat { return sub(mul(e.k, e.a), e.c) }

// solution is the x of an equation whose slope is not 0.
func (e equation) solution() *big.Rat { return quo(sub(e.d, mul(e.k, e.b)), e.slope()) }

// same tells whether another equation has the same solution.
func (e equation) same(other equation) bool {
	return e.slope().Sign() != 0 && other.slope().Sign() != 0 && is(e.solution(), other.solution())
}

func (e equation) bracket() bool { return !is(e.k, one) }

// Solved implements problem.Position.
func (e equation) Solved() bool {
	return !e.bracket() && is(e.a, one) && e.b.Sign() == 0 && e.c.Sign() == 0
}

// Needs implements problem.Position.
func (e equation) Needs() int {
	if e.slope().Sign() == 0 {
		return problem.Never
	}
	count := 0
	for _, step := range []bool{e.bracket(), e.b.Sign() != 0, e.c.Sign() != 0, !is(e.slope(), one)} {
		if step {
			count++
		}
	}
	return count
}

// Lines implements problem.Position. Right lines come first, so that a slip
// which comes to the same line is none.
func (e equation) Lines() []problem.Line {
	if e.slope().Sign() == 0 {
		return nil
	}
	var lines []problem.Line
	line := func(slip, why string, k, a, b, c, d *big.Rat) {
		then := equation{k, a, b, c, d}
		text := then.Text()
		for _, other := range lines {
			if other.Text == text {
				return
			}
		}
		if text == e.Text() {
			return
		}
		if e.same(then) {
			slip, why = "", ""
		}
		features := make([]float32, terms)
		then.Observe(features)
		lines = append(lines, problem.Line{Text: text, Slip: slip, Why: why, Then: then, Features: features})
	}
	if e.bracket() {
		line("", "", one, mul(e.k, e.a), mul(e.k, e.b), e.c, e.d)
		line(oneTerm, "the bracket's second term is not multiplied", one, mul(e.k, e.a), e.b, e.c, e.d)
		line(sign, "the bracket's second term changes its sign", one, mul(e.k, e.a), new(big.Rat).Neg(mul(e.k, e.b)), e.c, e.d)
	}
	if e.c.Sign() != 0 && !e.bracket() {
		line("", "", e.k, sub(e.a, e.c), e.b, zero, e.d)
		line("", "", e.k, add(e.a, e.c), e.b, add(e.c, e.c), e.d)
		line(sign, "the term in x changes sides with its old sign", e.k, add(e.a, e.c), e.b, zero, e.d)
		line(oneSide, "the term in x is taken from one side only", e.k, e.a, e.b, zero, e.d)
	}
	if e.b.Sign() != 0 && !e.bracket() {
		line("", "", e.k, e.a, zero, e.c, sub(e.d, e.b))
		line("", "", e.k, e.a, add(e.b, e.b), e.c, add(e.d, e.b))
		line(sign, "the number changes sides with its old sign", e.k, e.a, zero, e.c, add(e.d, e.b))
		line(oneSide, "the number is taken from one side only", e.k, e.a, zero, e.c, e.d)
	}
	if !e.bracket() && e.b.Sign() == 0 && e.c.Sign() == 0 {
		line("", "", e.k, one, zero, zero, quo(e.d, e.a))
		line(oneSide, "one side only is divided", e.k, one, zero, zero, e.d)
		line(sign, "the quotient's sign is wrong", e.k, one, zero, zero, new(big.Rat).Neg(quo(e.d, e.a)))
		line(operation, "the factor is subtracted, not divided by", e.k, one, zero, zero, sub(e.d, e.a))
		if e.d.Sign() != 0 {
			line(upsideDown, "the fraction is upside down", e.k, one, zero, zero, quo(e.a, e.d))
		}
	}
	return lines
}

// The kinds of slip.
const (
	oneSide    = "one side"
	oneTerm    = "one term"
	sign       = "sign"
	operation  = "wrong operation"
	upsideDown = "upside down"
)

// change is by how much free writing changes a number at most.
const change = 10

// write changes one number of the right line.
func write(at problem.Position, line problem.Line, choices []int) (problem.Line, bool) {
	e, right := at.(equation), line.Then.(equation)
	numbers := []*big.Rat{right.a, right.b, right.c, right.d}
	by := choices[1] - change
	numbers[choices[0]] = add(numbers[choices[0]], whole(by))
	then := equation{right.k, numbers[0], numbers[1], numbers[2], numbers[3]}
	if then.a.Sign() == 0 {
		return problem.Line{}, false
	}
	slip, why := "far", "a number is wrong"
	if by >= -3 && by <= 3 {
		slip = "near"
	}
	if e.same(then) {
		slip, why = "", ""
	}
	return problem.Line{Text: then.Text(), Slip: slip, Why: why, Then: then}, true
}

// What a critic sees of a number: itself, squeezed; whether it is a fraction; and
// which it is if it is small.
const (
	small    = 30
	ofNumber = 2 + 2*small + 1
)

// judge shows the equation and what is said to follow.
func judge(at problem.Position, line problem.Line, dst []float32) {
	from, to := at.(equation), line.Then.(equation)
	for i, x := range []*big.Rat{from.k, from.a, from.b, from.c, from.d, to.k, to.a, to.b, to.c, to.d} {
		number := dst[i*ofNumber : (i+1)*ofNumber]
		f, _ := x.Float64()
		number[0] = problem.SymmetricLog(f)
		switch {
		case !x.IsInt():
			number[1] = 1
		case f >= -small && f <= small:
			number[2+small+int(f)] = 1
		}
	}
}

// Answer implements problem.Position.
func (e equation) Answer() string { return e.Text() }

// AppendTo implements problem.Position.
func (e equation) AppendTo(dst []byte) []byte { return append(dst, e.Text()...) }

// Observe implements problem.Position: the five numbers, in tens.
func (e equation) Observe(dst []float32) {
	for i, x := range []*big.Rat{e.k, e.a, e.b, e.c, e.d} {
		f, _ := x.Float32()
		dst[i] = f / 10
	}
}

// Text implements problem.Position.
func (e equation) Text() string {
	left := side(e.a, e.b)
	if e.bracket() {
		left = fmt.Sprintf("%s(%s)", e.k.RatString(), left)
	}
	return left + " = " + side(e.c, e.d)
}

// side writes ax + b.
func side(a, b *big.Rat) string {
	var s strings.Builder
	switch {
	case a.Sign() == 0:
		return b.RatString()
	case is(a, one):
		s.WriteByte('x')
	case is(a, whole(-1)):
		s.WriteString("-x")
	case a.IsInt():
		s.WriteString(a.RatString() + "x")
	default:
		s.WriteString("(" + a.RatString() + ")x")
	}
	switch b.Sign() {
	case 1:
		s.WriteString(" + " + b.RatString())
	case -1:
		s.WriteString(" - " + new(big.Rat).Neg(b).RatString())
	}
	return s.String()
}
