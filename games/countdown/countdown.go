// Package countdown holds the numbers game: combine numbers two at a time, by +,
// -, × and ÷, until one is left, which must be the target. It is the 24 game
// with other numbers and targets. Every result must be a whole number and not
// negative; moves that leave the same numbers are one.
package countdown

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/games/problem"
	"github.com/agon-rl/agon/internal/spec"
)

const (
	mostNumbers = 6
	mostNumber  = 100
	mostTarget  = 999
)

// The operations, in the order of ids.
const (
	plus = iota
	minus
	times
	divided
	operations
)

var signs = [operations]string{"+", "-", "*", "/"}

func init() {
	games.Register(games.Rules{
		Name:    "countdown",
		Summary: "Countdown: combine numbers by + - * / until the target is left",
		Params: []games.Param{
			{Name: "max", Default: "13", Help: "the largest number given"},
			{Name: "numbers", Default: "4", Help: "how many numbers are given"},
			problem.Param,
			{Name: "target", Default: "24", Help: "the target, or the range that it is drawn from, as in 10-99"},
		},
		Make: func(r *spec.Reader) (games.Game, error) {
			p := Params{Numbers: r.Int("numbers", 4, 2, mostNumbers), Max: r.Int("max", 13, 1, mostNumber)}
			p.Seed = problem.ReadSeed(r)
			target := r.String("target", "24")
			if err := r.Err(); err != nil {
				return nil, err
			}
			low, high, found := strings.Cut(target, "-")
			if !found {
				high = low
			}
			var err1, err2 error
			p.Low, err1 = strconv.Atoi(low)
			p.High, err2 = strconv.Atoi(high)
			if err1 != nil || err2 != nil {
				return nil, fmt.Errorf("countdown: target=%s: expected a whole number, or a range such as 10-99", target)
			}
			return New(p)
		},
	})
}

// Params are the game's parameters.
type Params struct {
	Numbers   int // how many are given
	Max       int // each is drawn from 1 to Max
	Low, High int // the target is drawn from Low to High
	Seed      int // of the problem, or problem.Drawn
}

type game struct {
	info games.Info
	Params
	first state // without a problem where chance draws it

	solvable sync.Map // position -> bool
}

// New returns the game. It refuses numbers out of range, and numbers and targets
// of which no problem can be solved.
func New(p Params) (games.Game, error) {
	switch {
	case p.Numbers < 2 || p.Numbers > mostNumbers:
		return nil, fmt.Errorf("countdown: numbers=%d: expected 2 to %d", p.Numbers, mostNumbers)
	case p.Max < 1 || p.Max > mostNumber:
		return nil, fmt.Errorf("countdown: max=%d: expected 1 to %d", p.Max, mostNumber)
	case p.Low < 0 || p.High < p.Low || p.High > mostTarget:
		return nil, fmt.Errorf("countdown: target=%d-%d: expected 0 to %d", p.Low, p.High, mostTarget)
	}
	name := spec.Spec{Name: "countdown"}
	add := func(key, value string) { name.Args = append(name.Args, spec.Arg{Key: key, Value: value}) }
	if p.Max != 13 {
		add("max", strconv.Itoa(p.Max))
	}
	if p.Numbers != 4 {
		add("numbers", strconv.Itoa(p.Numbers))
	}
	if p.Seed != problem.Drawn {
		add("seed", strconv.Itoa(p.Seed))
	}
	switch {
	case p.Low != p.High:
		add("target", fmt.Sprintf("%d-%d", p.Low, p.High))
	case p.Low != 24:
		add("target", strconv.Itoa(p.Low))
	}
	g := &game{Params: p, info: games.Info{
		Name: name.String(), Seats: 1, Roles: problem.Roles,
		Actions: mostNumbers * mostNumbers * operations, MaxLength: p.Numbers - 1,
		MinReturn: -1, MaxReturn: 1, Chance: games.Sampled,
		Tensor: []int{tensorSize},
	}}
	g.first.game = g
	seed := p.Seed
	if seed == problem.Drawn {
		seed = 0 // tried, so that a game without problems is refused here
	}
	s := g.first
	if err := s.draw(games.Action(seed)); err != nil {
		return nil, err
	}
	if p.Seed != problem.Drawn {
		g.info.Chance = games.NoChance
		g.first = s
	}
	return g, nil
}

func (g *game) Info() games.Info { return g.info }

func (g *game) Start() games.State { return g.first.Clone() }

// step is what was done: a, b and the result.
type step struct{ a, operation, b, result int32 }

type state struct {
	game    *game
	drawn   bool
	target  int32
	count   int8
	given   [mostNumbers]int32
	numbers [mostNumbers]int32 // those left, in ascending order
	steps   [mostNumbers]step
}

// draws is how many problems are tried before a game is said to have none.
const draws = 100_000

// draw makes the problem of a seed: the first solvable one that its generator
// gives.
func (s *state) draw(seed games.Action) error {
	g, r := s.game, problem.Generator(seed)
	for range draws {
		s.count = int8(g.Numbers)
		for i := range g.Numbers {
			s.numbers[i] = 1 + r.Int32N(int32(g.Max))
		}
		slices.Sort(s.numbers[:s.count])
		s.target = int32(g.Low) + r.Int32N(int32(g.High-g.Low+1))
		if s.drawn = true; s.Solvable() {
			s.given = s.numbers
			return nil
		}
	}
	return fmt.Errorf("countdown: no problem with %d numbers up to %d and a target of %d to %d can be solved", g.Numbers, g.Max, g.Low, g.High)
}

func (s *state) over() bool { return s.drawn && s.count == 1 }

func (s *state) Turn() games.Seat {
	switch {
	case !s.drawn:
		return games.Chance
	case s.count == 1:
		return games.Over
	}
	return 0
}

// Sample implements games.Sampler.
func (s *state) Sample(r *rand.Rand) games.Action { return problem.Draw(r) }

// id numbers the combination of two of the numbers left, by their places.
func id(i, j, operation int) games.Action {
	return games.Action((i*mostNumbers+j)*operations + operation)
}

// combine returns the result of an operation on two numbers, a ≤ b.
func combine(a, b int32, operation int) (step, bool) {
	switch operation {
	case plus:
		return step{a, plus, b, a + b}, true
	case minus:
		return step{b, minus, a, b - a}, true
	case times:
		return step{a, times, b, a * b}, int64(a)*int64(b) <= math.MaxInt32
	}
	if a == 0 || b%a != 0 {
		return step{}, false
	}
	return step{b, divided, a, b / a}, true
}

// after returns the numbers that are left after a step of the numbers at i and j.
func (s *state) after(i, j int, result int32) (left [mostNumbers]int32) {
	n := 0
	placed := false
	for k, x := range s.numbers[:s.count] {
		if k == i || k == j {
			continue
		}
		if !placed && result <= x {
			left[n], n, placed = result, n+1, true
		}
		left[n] = x
		n++
	}
	if !placed {
		left[n] = result
	}
	return left
}

// each calls visit with every move and what it leaves, in ascending order of ids;
// of moves that leave the same only the first. It ends early where visit is false.
func (s *state) each(visit func(a games.Action, done step, left [mostNumbers]int32) bool) {
	var seen [mostNumbers * mostNumbers * operations][mostNumbers]int32
	n := 0
	for i := range int(s.count) {
		for j := i + 1; j < int(s.count); j++ {
			for operation := range operations {
				done, ok := combine(s.numbers[i], s.numbers[j], operation)
				if !ok {
					continue
				}
				left := s.after(i, j, done.result)
				if slices.Contains(seen[:n], left) {
					continue
				}
				seen[n] = left
				n++
				if !visit(id(i, j, operation), done, left) {
					return
				}
			}
		}
	}
}

func (s *state) Actions(dst []games.Action) []games.Action {
	if s.Turn() != 0 {
		return dst
	}
	s.each(func(a games.Action, _ step, _ [mostNumbers]int32) bool {
		dst = append(dst, a)
		return true
	})
	return dst
}

func (s *state) Odds(dst []float64) []float64 { return dst }

func (s *state) Apply(a games.Action) error {
	if !s.drawn {
		if a < 0 {
			return fmt.Errorf("%w %d: the seed of a problem is at least 0", games.ErrIllegal, a)
		}
		next := *s
		if err := next.draw(a); err != nil {
			return err
		}
		*s = next
		return nil
	}
	done, left, ok := s.move(a)
	if !ok {
		return games.Illegal(s, a)
	}
	s.steps[s.game.Numbers-int(s.count)] = done
	s.numbers = left
	s.count--
	return nil
}

// move finds a legal move.
func (s *state) move(a games.Action) (done step, left [mostNumbers]int32, ok bool) {
	if s.Turn() != 0 {
		return done, left, false
	}
	s.each(func(b games.Action, d step, l [mostNumbers]int32) bool {
		if a == b {
			done, left, ok = d, l, true
		}
		return !ok
	})
	return done, left, ok
}

func (s *state) solved() bool { return s.over() && s.numbers[0] == s.target }

func (s *state) Returns(dst []float64) []float64 { return problem.Returns(dst, s.over(), s.solved()) }

// CheckStep implements problem.Verified: the arithmetic of every open step is
// right.
func (s *state) CheckStep(a games.Action) error {
	if _, _, ok := s.move(a); !ok {
		return games.Illegal(s, a)
	}
	return nil
}

// Solvable implements problem.Verified, by trying all moves; what was found is
// kept.
func (s *state) Solvable() bool {
	switch {
	case !s.drawn:
		return true // only such problems are drawn
	case s.count == 1:
		return s.numbers[0] == s.target
	}
	key := string(s.AppendPosition(nil))
	if known, ok := s.game.solvable.Load(key); ok {
		return known.(bool)
	}
	found := false
	next := *s
	next.count--
	s.each(func(_ games.Action, _ step, left [mostNumbers]int32) bool {
		next.numbers = left
		found = next.Solvable()
		return !found
	})
	s.game.solvable.Store(key, found)
	return found
}

func (s *state) Clone() games.State {
	c := *s
	return &c
}

func (s *state) CopyFrom(src games.State) { *s = *src.(*state) }

// AppendKey writes the problem and the steps.
func (s *state) AppendKey(dst []byte, _ games.Seat) []byte {
	if !s.drawn {
		return dst
	}
	for i, x := range s.given[:s.game.Numbers] {
		if i > 0 {
			dst = append(dst, ' ')
		}
		dst = strconv.AppendInt(dst, int64(x), 10)
	}
	dst = append(dst, '>')
	dst = strconv.AppendInt(dst, int64(s.target), 10)
	for _, done := range s.taken() {
		dst = append(append(dst, ';'), done.String()...)
	}
	return dst
}

func (s *state) taken() []step { return s.steps[:s.game.Numbers-int(s.count)] }

// AppendPosition writes the target and the numbers left.
func (s *state) AppendPosition(dst []byte) []byte {
	if !s.drawn {
		return append(dst, '?')
	}
	dst = binary.LittleEndian.AppendUint16(dst, uint16(s.target))
	for _, x := range s.numbers[:s.count] {
		dst = binary.LittleEndian.AppendUint32(dst, uint32(x))
	}
	return dst
}

func (d step) String() string {
	return fmt.Sprintf("%d %s %d = %d", d.a, signs[d.operation], d.b, d.result)
}

// Say names a step by its arithmetic.
func (s *state) Say(a games.Action) string {
	if done, _, ok := s.move(a); ok {
		return done.String()
	}
	return strconv.Itoa(int(a))
}

// arithmetic finds steps in a text, with or without the result.
var arithmetic = regexp.MustCompile(`(\d{1,9})\s*([-+*/x×÷−])\s*(\d{1,9})(?:\s*=\s*(\d{1,9}))?`)

// Hear finds the last step in a text. A result that is given must be right.
func (s *state) Hear(text string) (games.Action, error) {
	all := arithmetic.FindAllStringSubmatch(text, -1)
	if len(all) == 0 || s.Turn() != 0 {
		return games.Hear(s, text, nil)
	}
	parts := all[len(all)-1]
	found, result := games.Action(-1), int32(-1)
	s.each(func(a games.Action, done step, _ [mostNumbers]int32) bool {
		if done.means(parts[1], parts[2], parts[3]) {
			found, result = a, done.result
		}
		return found < 0
	})
	switch {
	case found < 0:
		return 0, fmt.Errorf("%w %q: %s", games.ErrIllegal, parts[0], s.open())
	case parts[4] != "" && parts[4] != strconv.Itoa(int(result)):
		return 0, fmt.Errorf("%w %q: the result is %d", games.ErrIllegal, parts[0], result)
	}
	return found, nil
}

// means tells whether written numbers and a sign are this step's. Sums and
// products may be written either way round.
func (d step) means(a, sign, b string) bool {
	operation := map[string]int32{"+": plus, "-": minus, "−": minus, "*": times, "x": times, "×": times, "/": divided, "÷": divided}[sign]
	x, y := strconv.Itoa(int(d.a)), strconv.Itoa(int(d.b))
	return operation == d.operation && (a == x && b == y || a == y && b == x && (operation == plus || operation == times))
}

func (s *state) open() string {
	return fmt.Sprintf("the numbers left are %s, and results must be whole and not negative", list(s.numbers[:s.count]))
}

func list(numbers []int32) string {
	var out []string
	for _, x := range numbers {
		out = append(out, strconv.Itoa(int(x)))
	}
	return strings.Join(out, ", ")
}

func (s *state) Prompt(seat games.Seat) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Countdown. Combine the numbers %s two at a time, by +, -, * or /, until one is left: it must be %d. A combination takes two of the numbers away and puts its result in their place. Results must be whole numbers and not negative; every number must be used. Solving it returns +1, failing -1. A step is named as in 3 + 4 = 7.\n", list(s.given[:s.game.Numbers]), s.target)
	if steps := s.taken(); s.drawn && len(steps) > 0 {
		b.WriteString("\nSteps so far:\n")
		for _, done := range steps {
			fmt.Fprintf(&b, "%s\n", done)
		}
	}
	if s.drawn {
		fmt.Fprintf(&b, "\nNumbers left: %s.\n", list(s.numbers[:s.count]))
	}
	b.WriteString(games.Menu(s, seat))
	return b.String()
}

// What the tensor holds of a number: whether it is there, itself and its
// logarithm to scale, whether it is or divides the target, and which it is if it
// is small.
const (
	small      = 40
	perNumber  = 5 + small
	tensorSize = (mostNumbers + 1) * perNumber
)

// Observe writes the numbers left, in ascending order, and the target.
func (s *state) Observe(_ games.Seat, dst []float32) {
	clear(dst)
	if !s.drawn {
		return
	}
	write := func(slot int, x int32) { s.number(dst[slot*perNumber:(slot+1)*perNumber], x) }
	for i, x := range s.numbers[:s.count] {
		write(i, x)
	}
	write(mostNumbers, s.target)
}
