// Package arithmetic holds chains of sums and differences of whole numbers: from a
// number, a list of operations leads to an answer, and each step works out the next
// value. Among the lines open are slips of written arithmetic: a carry forgotten,
// the other operation, digits in the wrong order.
package arithmetic

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/games/problem"
	"github.com/agon-rl/agon/internal/spec"
)

const (
	mostDigits = 3
	mostLength = 16
	mostLines  = 9
)

func init() {
	games.Register(games.Rules{
		Name:    "arithmetic",
		Summary: "Chains of sums and differences: work out one value after the other",
		Params: []games.Param{
			{Name: "digits", Default: "2", Help: "how many digits numbers have at most"},
			{Name: "length", Default: "4", Help: "how many operations there are"},
			problem.Param,
		},
		Make: func(r *spec.Reader) (games.Game, error) {
			digits, length := r.Int("digits", 2, 1, mostDigits), r.Int("length", 4, 1, mostLength)
			seed := problem.ReadSeed(r)
			if err := r.Err(); err != nil {
				return nil, err
			}
			return New(digits, length, seed), nil
		},
	})
}

// The kinds of slip.
const (
	operator = "operator"
	swapped  = "digits swapped"
	byOne    = "off by one"
	byTen    = "off by ten"
	carry    = "carry"
	copied   = "copied"
	byLittle = "off by two or three"
	round    = "off by a round number"
	anyOther = "any other"
)

// New returns the game with numbers of so many digits and so many operations. The
// seed is a problem's, or problem.Drawn.
func New(digits, length, seed int) games.Game {
	name := spec.Spec{Name: "arithmetic"}
	if digits != 2 {
		name.Args = append(name.Args, spec.Arg{Key: "digits", Value: strconv.Itoa(digits)})
	}
	if length != 4 {
		name.Args = append(name.Args, spec.Arg{Key: "length", Value: strconv.Itoa(length)})
	}
	limit := 1
	slots := make([]problem.Slot, digits)
	places := [mostDigits]string{"units", "tens", "hundreds"}
	for i := range slots {
		limit *= 10
		slots[i] = problem.Slot{Name: places[i], Values: 10}
	}
	return problem.Domain{
		Name:  name,
		Rules: fmt.Sprintf("Arithmetic. Work through the operations one at a time, each from the value before, as in 17 + 25 = 42. All values are whole numbers from 0 to %d.", limit-1),
		Lines: mostLines, Steps: length, PerPosition: view, PerLine: ofNumber,
		Draw: func(r *rand.Rand) problem.Position { return draw(r, limit, length) },
		Critique: problem.Critique{
			Errors: problem.Errors{
				Naive: []string{operator, swapped},
				Menu:  []string{operator, swapped, byOne, byTen, carry, copied},
				Other: []string{byLittle, round, anyOther},
			},
			Slots: slots, View: view,
		},
		Judge: judge, Write: write, Read: func(text string) (problem.Position, error) { return read(text, limit) }, ReadLine: readLine,
	}.New(seed)
}

// operation adds or takes away.
type operation struct {
	minus bool
	by    int
}

func (o operation) apply(x int) int {
	if o.minus {
		return x - o.by
	}
	return x + o.by
}

func (o operation) sign() string {
	if o.minus {
		return "-"
	}
	return "+"
}

// chain is a value and the operations ahead.
type chain struct {
	limit int // values are below it
	value int
	ahead []operation
}

// draw makes a chain whose values stay in range.
func draw(r *rand.Rand, limit, length int) chain {
	c := chain{limit: limit, value: r.IntN(limit), ahead: make([]operation, length)}
	for i, value := 0, c.value; i < length; {
		o := operation{minus: r.IntN(2) == 0, by: 1 + r.IntN(limit-1)}
		if next := o.apply(value); next >= 0 && next < limit {
			c.ahead[i], value = o, next
			i++
		}
	}
	return c
}

// Solved implements problem.Position.
func (c chain) Solved() bool { return len(c.ahead) == 0 }

// Needs implements problem.Position.
func (c chain) Needs() int { return len(c.ahead) }

// Lines implements problem.Position. The right line comes first, so that a slip
// which comes to the same is none.
func (c chain) Lines() []problem.Line {
	if len(c.ahead) == 0 {
		return nil
	}
	o := c.ahead[0]
	right := o.apply(c.value)
	if right < 0 || right >= c.limit { // only an error leads here
		return nil
	}
	lines := []problem.Line{c.line(right, "", "")}
	slip := func(kind, why string, result int) {
		if result < 0 || result >= c.limit {
			return
		}
		for _, l := range lines {
			if l.Of.(claim).result == result {
				return
			}
		}
		lines = append(lines, c.line(result, kind, why))
	}
	slip(operator, "it is the other operation's result", operation{!o.minus, o.by}.apply(c.value))
	slip(swapped, "two digits are swapped", swap(right))
	slip(carry, "the carry is forgotten", digitwise(c.value, o))
	slip(byOne, "it is one off", right+1)
	slip(byOne, "it is one off", right-1)
	slip(byTen, "it is ten off", right+10)
	slip(byTen, "it is ten off", right-10)
	slip(copied, "a number is copied", o.by)
	slip(copied, "a number is copied", c.value)
	return lines[:min(len(lines), mostLines)]
}

// swap exchanges the last two digits.
func swap(x int) int { return x/100*100 + x%10*10 + x/10%10 }

// digitwise works digit by digit and forgets what is carried or borrowed.
func digitwise(x int, o operation) int {
	result := 0
	for unit := 1; unit < 1000; unit *= 10 {
		a, b := x/unit%10, o.by/unit%10
		if o.minus {
			b = 10 - b
		}
		result += (a + b) % 10 * unit
	}
	return result
}

// claim is what a line says.
type claim struct {
	from   int
	done   operation
	result int
}

func (c chain) line(result int, slip, why string) problem.Line {
	o := c.ahead[0]
	features := make([]float32, ofNumber)
	problem.Digits(result, features)
	return problem.Line{
		Text: fmt.Sprintf("%d %s %d = %d", c.value, o.sign(), o.by, result), Slip: slip, Why: why,
		Then: chain{c.limit, result, c.ahead[1:]}, Features: features, Of: claim{c.value, o, result},
	}
}

// write claims any value.
func write(at problem.Position, _ problem.Line, choices []int) (problem.Line, bool) {
	c := at.(chain)
	result := 0
	for i := len(choices) - 1; i >= 0; i-- {
		result = 10*result + choices[i]
	}
	return c.claims(result), true
}

// claims is any value said to be the next, with the truth about it.
func (c chain) claims(result int) problem.Line {
	right := c.ahead[0].apply(c.value)
	off := max(result, right) - min(result, right)
	slip, why := anyOther, fmt.Sprintf("the result is %d", right)
	switch {
	case off == 0:
		slip, why = "", ""
	case off == 2 || off == 3:
		slip = byLittle
	case off%10 == 0:
		slip = round
	}
	return c.line(result, slip, why)
}

// What a network sees: the value, the operation and its number; a critic sees the
// result too.
const (
	ofNumber = 10 * mostDigits
	view     = 3*ofNumber + 2
)

// Observe implements problem.Position.
func (c chain) Observe(dst []float32) {
	if len(c.ahead) > 0 {
		see(c.value, c.ahead[0], dst)
	}
}

func see(from int, o operation, dst []float32) {
	problem.Digits(from, dst[:ofNumber])
	problem.Digits(o.by, dst[ofNumber:2*ofNumber])
	if o.minus {
		dst[3*ofNumber] = 1
	} else {
		dst[3*ofNumber+1] = 1
	}
}

func judge(_ problem.Position, line problem.Line, dst []float32) {
	c := line.Of.(claim)
	see(c.from, c.done, dst)
	problem.Digits(c.result, dst[2*ofNumber:3*ofNumber])
}

// Answer implements problem.Position.
func (c chain) Answer() string { return strconv.Itoa(c.value) }

// AppendTo implements problem.Position.
func (c chain) AppendTo(dst []byte) []byte { return append(dst, c.Text()...) }

// Text implements problem.Position.
func (c chain) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Start: %d. Operations:", c.value)
	for _, o := range c.ahead {
		fmt.Fprintf(&b, " %s%d", o.sign(), o.by)
	}
	return b.String() + "."
}
