package benchmark

import (
	"errors"
	"math"
	"math/big"
	"math/cmplx"
	"strings"
	"unicode"
)

// expression is a node: a number, a letter, or an operation on others.
type expression struct {
	op     byte // 'n' number, 'v' letter, 'm' minus sign, 'f' function, or + * / ^; differences add a minus sign
	number *big.Rat
	whole  bool // a number without a fraction in it: 4 and 4.0, not 4.5
	name   string
	args   []*expression
}

// sameValue compares two expressions by value.
func sameValue(a, b string) bool {
	x, errX := parse(a)
	y, errY := parse(b)
	if errX != nil || errY != nil {
		return false
	}
	if p, q, found := x.fraction(); found {
		if r, s, found := y.fraction(); found {
			return p.Cmp(r) == 0 && q.Cmp(s) == 0
		}
	}
	if x.integer() != y.integer() {
		return false
	}
	letters := map[string]bool{}
	x.letters(letters)
	y.letters(letters)
	const most = 2 // more are words rather than algebra
	if len(letters) > most {
		return false
	}
	u, exactX := x.exact()
	v, exactY := y.exact()
	if exactX && exactY {
		return u.Cmp(v) == 0
	}
	return agree(x, y, letters)
}

// points are values for letters: both signs, and no relation between them.
var points = [][2]complex128{
	{0.7390851332151607, 1.324717957244746},
	{2.6220575542921198, -0.5671432904097838},
	{-1.2824271291006226, 0.9159655941772190},
	{-3.3598856662431775, -2.5849817595792532},
}

// agree compares two expressions at all points; both have a value at one or more,
// and where one has none, neither has the other.
func agree(x, y *expression, letters map[string]bool) bool {
	const tolerance = 1e-9
	compared := false
	for _, p := range points {
		values, i := map[string]complex128{}, 0
		for c := 'a'; c <= 'z'; c++ { // in a fixed order
			if letters[string(c)] {
				values[string(c)] = p[i]
				i++
			}
		}
		u, v := x.value(values), y.value(values)
		finiteU, finiteV := finite(u), finite(v)
		if finiteU != finiteV {
			return false
		}
		if !finiteU {
			continue
		}
		if cmplx.Abs(u-v) > tolerance*max(1, cmplx.Abs(u), cmplx.Abs(v)) {
			return false
		}
		compared = true
	}
	return compared
}

func finite(v complex128) bool { return !cmplx.IsNaN(v) && !cmplx.IsInf(v) }

// fraction tells whether an expression is written as one integer over another.
func (e *expression) fraction() (p, q *big.Rat, found bool) {
	switch e.op {
	case 'm':
		p, q, found = e.args[0].fraction()
		if found {
			p = new(big.Rat).Neg(p)
		}
		return p, q, found
	case '/':
		over, under := e.args[0], e.args[1]
		if over.integer() && under.integer() {
			p, _ = over.exact()
			q, _ = under.exact()
			if q.Sign() < 0 {
				p, q = new(big.Rat).Neg(p), new(big.Rat).Neg(q)
			}
			return p, q, true
		}
	}
	return nil, nil, false
}

// integer tells whether an expression is written as an integer.
func (e *expression) integer() bool {
	return e.op == 'n' && e.whole || e.op == 'm' && e.args[0].integer()
}

func (e *expression) letters(into map[string]bool) {
	if e.op == 'v' {
		into[e.name] = true
	}
	for _, a := range e.args {
		a.letters(into)
	}
}

// exact is the value where it is rational and of a size that can be written down.
func (e *expression) exact() (*big.Rat, bool) {
	if e.op == 'n' {
		return e.number, true
	}
	if e.op == 'v' || e.op == 'f' {
		return nil, false
	}
	values := make([]*big.Rat, len(e.args))
	for i, a := range e.args {
		v, found := a.exact()
		if !found {
			return nil, false
		}
		values[i] = v
	}
	out := new(big.Rat)
	switch e.op {
	case 'm':
		return out.Neg(values[0]), true
	case '+':
		return out.Add(values[0], values[1]), true
	case '*':
		return out.Mul(values[0], values[1]), true
	case '/':
		if values[1].Sign() == 0 {
			return nil, false
		}
		return out.Quo(values[0], values[1]), true
	}
	return power(values[0], values[1])
}

func power(base, exponent *big.Rat) (*big.Rat, bool) {
	const most = 1 << 14 // bits
	if !exponent.IsInt() || !exponent.Num().IsInt64() {
		return nil, false
	}
	n := exponent.Num().Int64()
	bits := int64(max(base.Num().BitLen(), base.Denom().BitLen()))
	if n < -most || n > most || bits*max(n, -n) > most || n < 0 && base.Sign() == 0 {
		return nil, false
	}
	k := big.NewInt(max(n, -n))
	out := new(big.Rat).SetFrac(new(big.Int).Exp(base.Num(), k, nil), new(big.Int).Exp(base.Denom(), k, nil))
	if n < 0 {
		out.Inv(out)
	}
	return out, true
}

var functions = map[string]func(complex128) complex128{
	"sqrt": cmplx.Sqrt, "sin": cmplx.Sin, "cos": cmplx.Cos, "tan": cmplx.Tan,
	"ln": cmplx.Log, "log": cmplx.Log, "exp": cmplx.Exp,
}

// value is the value with letters replaced; NaN or infinite where there is none.
func (e *expression) value(letters map[string]complex128) complex128 {
	switch e.op {
	case 'n':
		f, _ := e.number.Float64()
		return complex(f, 0)
	case 'v':
		return letters[e.name]
	}
	a := e.args[0].value(letters)
	if e.op == 'f' {
		if e.name == "pi" {
			return math.Pi
		}
		return functions[e.name](a)
	}
	if e.op == 'm' {
		return -a
	}
	b := e.args[1].value(letters)
	switch e.op {
	case '+':
		return a + b
	case '*':
		return a * b
	case '/':
		return a / b
	}
	return cmplx.Pow(a, b)
}

var errExpression = errors.New("it is no expression")

// parse reads LaTeX or plain arithmetic. Letters side by side multiply, as do a
// number and a bracket; a whole number before a fraction adds it.
func parse(text string) (*expression, error) {
	const longest = 500 // nobody's final answer is longer, and depth is bounded
	if len(text) > longest {
		return nil, errExpression
	}
	p := &parser{rest: []rune(strings.ToLower(text))}
	e := p.sum()
	p.skip()
	if p.failed || len(p.rest) > 0 {
		return nil, errExpression
	}
	return e, nil
}

type parser struct {
	rest   []rune
	failed bool
}

func (p *parser) fail() *expression {
	p.failed, p.rest = true, nil
	return &expression{op: 'n', number: new(big.Rat)}
}

func (p *parser) skip() {
	for len(p.rest) > 0 && p.rest[0] == ' ' {
		p.rest = p.rest[1:]
	}
}

// take consumes one of the words, if the text goes on with it.
func (p *parser) take(words ...string) bool {
	p.skip()
	for _, w := range words {
		if strings.HasPrefix(string(p.rest[:min(len(p.rest), len(w))]), w) {
			p.rest = p.rest[len(w):]
			return true
		}
	}
	return false
}

func (p *parser) peek() rune {
	p.skip()
	if len(p.rest) == 0 {
		return 0
	}
	return p.rest[0]
}

func (p *parser) sum() *expression {
	e := p.product()
	for {
		switch {
		case p.take("+"):
			e = &expression{op: '+', args: []*expression{e, p.product()}}
		case p.take("-"):
			e = &expression{op: '+', args: []*expression{e, {op: 'm', args: []*expression{p.product()}}}}
		default:
			return e
		}
	}
}

func (p *parser) product() *expression {
	e := p.signed()
	for {
		switch {
		case p.take("**"):
			return p.fail() // Python's power would read as a product
		case p.take("*", `\cdot`, `\times`):
			e = &expression{op: '*', args: []*expression{e, p.signed()}}
		case p.take("/", `\div`):
			e = &expression{op: '/', args: []*expression{e, p.signed()}}
		case p.implied():
			e = p.beside(e)
		default:
			return e
		}
	}
}

// implied tells whether a factor follows without a sign.
func (p *parser) implied() bool {
	c := p.peek()
	return unicode.IsLetter(c) || unicode.IsDigit(c) || c == '(' || c == '[' || c == '{' || c == '\\'
}

// beside joins e to what stands next to it: a mixed number or a product.
func (p *parser) beside(e *expression) *expression {
	number := e.op == 'n' || e.op == 'm' && e.args[0].op == 'n'
	digit, command := unicode.IsDigit(p.peek()), p.peek() == '\\'
	next := p.power()
	if digit && p.peek() == '/' && number && e.integer() {
		p.take("/")
		next = &expression{op: '/', args: []*expression{next, p.power()}}
	} else if digit && number {
		return p.fail() // 3 4 is no number
	}
	if _, _, fraction := next.fraction(); !fraction || !e.integer() || !digit && !command {
		return &expression{op: '*', args: []*expression{e, next}}
	}
	if e.op == 'm' { // -1 1/2 is -(1 + 1/2)
		sum := &expression{op: '+', args: []*expression{e.args[0], next}}
		return &expression{op: 'm', args: []*expression{sum}}
	}
	return &expression{op: '+', args: []*expression{e, next}}
}

func (p *parser) signed() *expression {
	switch {
	case p.take("-"):
		return &expression{op: 'm', args: []*expression{p.signed()}}
	case p.take("+"):
		return p.signed()
	}
	return p.power()
}

func (p *parser) power() *expression {
	base := p.atom()
	if !p.take("^") {
		return base
	}
	return &expression{op: '^', args: []*expression{base, p.signed()}}
}

func (p *parser) atom() *expression {
	switch c := p.peek(); {
	case p.failed || c == 0:
		return p.fail()
	case unicode.IsDigit(c) || c == '.':
		return p.numeral()
	case c == '(' || c == '[' || c == '{':
		return p.group()
	case c == '\\':
		return p.command()
	case p.take("sqrt"):
		return apply("sqrt", p.power())
	case p.take("pi"):
		return constant("pi")
	case c >= 'a' && c <= 'z':
		p.rest = p.rest[1:]
		return &expression{op: 'v', name: string(c)}
	}
	return p.fail()
}

// constant is a function of nothing, which keeps it out of exact values.
func constant(name string) *expression {
	return &expression{op: 'f', name: name, args: []*expression{{op: 'n', number: new(big.Rat)}}}
}

func (p *parser) numeral() *expression {
	n := 0
	for n < len(p.rest) && (p.rest[n] >= '0' && p.rest[n] <= '9' || p.rest[n] == '.') {
		n++
	}
	v, ok := new(big.Rat).SetString(string(p.rest[:n]))
	if !ok {
		return p.fail()
	}
	p.rest = p.rest[n:]
	return &expression{op: 'n', number: v, whole: v.IsInt()}
}

var closers = map[rune]string{'(': ")", '[': "]", '{': "}"}

func (p *parser) group() *expression {
	closer := closers[p.rest[0]]
	p.rest = p.rest[1:]
	e := p.sum()
	if !p.take(closer) {
		return p.fail()
	}
	return e
}

func (p *parser) command() *expression {
	switch {
	case p.take(`\frac`):
		over := p.argument()
		return &expression{op: '/', args: []*expression{over, p.argument()}}
	case p.take(`\pi`):
		return constant("pi")
	case p.take(`\sqrt`):
		if p.peek() == '[' {
			n := p.group()
			one := &expression{op: 'n', number: big.NewRat(1, 1)}
			return &expression{op: '^', args: []*expression{p.argument(), {op: '/', args: []*expression{one, n}}}}
		}
		return apply("sqrt", p.argument())
	}
	for _, name := range []string{"sin", "cos", "tan", "ln", "log", "exp"} {
		if p.take(`\` + name) {
			return apply(name, p.power())
		}
	}
	return p.fail()
}

func apply(name string, to *expression) *expression {
	return &expression{op: 'f', name: name, args: []*expression{to}}
}

// argument is a group, or one character as in \frac12.
func (p *parser) argument() *expression {
	if c := p.peek(); c >= '0' && c <= '9' {
		p.rest = p.rest[1:]
		return &expression{op: 'n', number: big.NewRat(int64(c-'0'), 1), whole: true}
	}
	return p.atom()
}
