// Package modchain holds chains of modular arithmetic: from a number, a list of
// operations leads to an answer, and at each step the solver claims the next
// value. Among the values open are the right one and some that slips lead to.
// An error carries on: the next step starts from what was claimed.
package modchain

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/games/problem"
	"github.com/agon-rl/agon/internal/spec"
)

const (
	mostLength  = 32
	mostModulus = 101
)

// What the verifier reads.
const (
	Steps  = "steps"  // every step: one wrong claim fails the chain
	Answer = "answer" // the last claim alone
)

func init() {
	games.Register(games.Rules{
		Name:    "modchain",
		Summary: "A chain of modular arithmetic: claim the value after each operation",
		Params: []games.Param{
			{Name: "choices", Default: "4", Help: "how many values are open at a step"},
			{Name: "length", Default: "8", Help: "how many operations there are"},
			{Name: "modulus", Default: "11", Help: "values are whole numbers below it; a prime lets no single error pass unseen"},
			problem.Param,
			{Name: "verify", Default: Steps, Help: "steps: every claim must be right; answer: the last one must"},
		},
		Make: func(r *spec.Reader) (games.Game, error) {
			p := Params{
				Choices: r.Int("choices", 4, 2, mostModulus), Length: r.Int("length", 8, 1, mostLength),
				Modulus: r.Int("modulus", 11, 3, mostModulus), Seed: problem.ReadSeed(r),
				Verify: r.Choice("verify", Steps, Steps, Answer),
			}
			if err := r.Err(); err != nil {
				return nil, err
			}
			return New(p)
		},
	})
}

// Params are the game's parameters.
type Params struct {
	Choices, Length, Modulus int
	Seed                     int // of the problem, or problem.Drawn
	Verify                   string
}

type game struct {
	info games.Info
	Params
	start state // without a problem where chance draws it
}

// New returns the game. It refuses more choices than there are values.
func New(p Params) (games.Game, error) {
	if p.Choices > p.Modulus {
		return nil, fmt.Errorf("modchain: choices=%d: expected at most the modulus, %d", p.Choices, p.Modulus)
	}
	name := spec.Spec{Name: "modchain"}
	for _, a := range []struct {
		key             string
		value, fallback int
	}{{"choices", p.Choices, 4}, {"length", p.Length, 8}, {"modulus", p.Modulus, 11}, {"seed", p.Seed, problem.Drawn}} {
		if a.value != a.fallback {
			name.Args = append(name.Args, spec.Arg{Key: a.key, Value: strconv.Itoa(a.value)})
		}
	}
	if p.Verify != Steps {
		name.Args = append(name.Args, spec.Arg{Key: "verify", Value: p.Verify})
	}
	g := &game{Params: p, info: games.Info{
		Name: name.String(), Seats: 1, Roles: problem.Roles, Actions: p.Modulus, MaxLength: p.Length,
		MinReturn: -1, MaxReturn: 1, Chance: games.Sampled,
		// the value, the operation, its number, and the steps left, as choices
		Tensor: []int{2*p.Modulus + len(signs) + p.Length + 1},
	}}
	g.start.game = g
	if p.Seed != problem.Drawn {
		g.info.Chance = games.NoChance
		g.start.draw(games.Action(p.Seed))
	}
	return g, nil
}

func (g *game) Info() games.Info { return g.info }

func (g *game) Start() games.State { return g.start.Clone() }

// The operations.
const (
	plus = iota
	minus
	times
)

var signs = [...]string{"+", "-", "*"}

// operation is a step of the chain.
type operation struct{ sign, by uint8 }

func (o operation) apply(x, modulus int) int {
	switch o.sign {
	case plus:
		return (x + int(o.by)) % modulus
	case minus:
		return (x - int(o.by) + modulus) % modulus
	}
	return x * int(o.by) % modulus
}

type state struct {
	game   *game
	drawn  bool
	wrong  bool // a claim was wrong
	done   int8
	first  uint8
	chain  [mostLength]operation
	claims [mostLength]uint8
}

// draw makes the problem of a seed. No operation leaves every value as it is,
// and none takes them all to 0.
func (s *state) draw(seed games.Action) {
	r, m := problem.Generator(seed), s.game.Modulus
	s.first = uint8(r.IntN(m))
	for i := range s.game.Length {
		o := operation{sign: uint8(r.IntN(len(signs))), by: uint8(1 + r.IntN(m-1))}
		if o.sign == times && o.by == 1 {
			o.by = 2
		}
		s.chain[i] = o
	}
	s.drawn = true
}

func (s *state) over() bool { return s.drawn && int(s.done) == s.game.Length }

func (s *state) Turn() games.Seat {
	switch {
	case !s.drawn:
		return games.Chance
	case s.over():
		return games.Over
	}
	return 0
}

// Sample implements games.Sampler.
func (s *state) Sample(r *rand.Rand) games.Action { return problem.Draw(r) }

// value is what the chain stands at, by the claims.
func (s *state) value() int {
	if s.done == 0 {
		return int(s.first)
	}
	return int(s.claims[s.done-1])
}

// next is the right claim here.
func (s *state) next() int { return s.chain[s.done].apply(s.value(), s.game.Modulus) }

// open appends the values that may be claimed, in ascending order: the right
// one, what the other operations would give, one more and one less, then what
// follows on these.
func (s *state) open(dst []int) []int {
	m, x, o := s.game.Modulus, s.value(), s.chain[s.done]
	first := len(dst)
	add := func(v int) {
		if len(dst)-first < s.game.Choices && !slices.Contains(dst[first:], v) {
			dst = append(dst, v)
		}
	}
	right := o.apply(x, m)
	add(right)
	for sign := range signs {
		add(operation{uint8(sign), o.by}.apply(x, m))
	}
	for by := 1; len(dst)-first < s.game.Choices; by++ {
		add((right + by) % m)
		add((right - by%m + m) % m)
	}
	slices.Sort(dst[first:])
	return dst
}

func (s *state) Actions(dst []games.Action) []games.Action {
	if s.Turn() != 0 {
		return dst
	}
	var room [mostModulus]int
	for _, v := range s.open(room[:0]) {
		dst = append(dst, games.Action(v))
	}
	return dst
}

func (s *state) Odds(dst []float64) []float64 { return dst }

func (s *state) legal(a games.Action) bool {
	var room [mostModulus]int
	return s.Turn() == 0 && slices.Contains(s.open(room[:0]), int(a))
}

func (s *state) Apply(a games.Action) error {
	switch {
	case !s.drawn && a >= 0:
		s.draw(a)
		return nil
	case !s.drawn:
		return fmt.Errorf("%w %d: the seed of a problem is at least 0", games.ErrIllegal, a)
	case !s.legal(a):
		return games.Illegal(s, a)
	}
	s.wrong = s.wrong || int(a) != s.next()
	s.claims[s.done] = uint8(a)
	s.done++
	return nil
}

// truth is the right answer.
func (s *state) truth() int {
	x := int(s.first)
	for _, o := range s.chain[:s.game.Length] {
		x = o.apply(x, s.game.Modulus)
	}
	return x
}

func (s *state) solved() bool {
	if s.game.Verify == Steps {
		return s.over() && !s.wrong
	}
	return s.over() && s.value() == s.truth()
}

func (s *state) Returns(dst []float64) []float64 { return problem.Returns(dst, s.over(), s.solved()) }

// CheckStep implements problem.Verified.
func (s *state) CheckStep(a games.Action) error {
	if !s.legal(a) {
		return games.Illegal(s, a)
	}
	if right := s.next(); int(a) != right {
		return fmt.Errorf("%s: the result is %d", s.Say(a), right)
	}
	return nil
}

// Solvable implements problem.Verified. Where the answer alone is read, further
// errors may make up for one: all that can be claimed is followed.
func (s *state) Solvable() bool {
	if s.game.Verify == Steps {
		return !s.wrong
	}
	if !s.drawn {
		return true
	}
	var reached, next [mostModulus]bool
	reached[s.value()] = true
	at := *s
	for ; int(at.done) < s.game.Length; at.done++ {
		next = [mostModulus]bool{}
		for v := range s.game.Modulus {
			if !reached[v] {
				continue
			}
			if at.first = uint8(v); at.done > 0 {
				at.claims[at.done-1] = uint8(v)
			}
			var room [mostModulus]int
			for _, w := range at.open(room[:0]) {
				next[w] = true
			}
		}
		reached = next
	}
	return reached[s.truth()]
}

func (s *state) Clone() games.State {
	c := *s
	return &c
}

func (s *state) CopyFrom(src games.State) { *s = *src.(*state) }

// AppendKey writes the problem and the claims.
func (s *state) AppendKey(dst []byte, _ games.Seat) []byte {
	if !s.drawn {
		return dst
	}
	dst = strconv.AppendInt(dst, int64(s.first), 10)
	for _, o := range s.chain[:s.game.Length] {
		dst = strconv.AppendInt(append(dst, signs[o.sign]...), int64(o.by), 10)
	}
	for _, v := range s.claims[:s.done] {
		dst = strconv.AppendInt(append(dst, ';'), int64(v), 10)
	}
	return dst
}

// AppendPosition writes what the future depends on.
func (s *state) AppendPosition(dst []byte) []byte {
	if !s.drawn {
		return append(dst, '?')
	}
	wrong := byte(0)
	if s.wrong {
		wrong = 1
	}
	dst = append(dst, wrong, byte(s.done), byte(s.value()), byte(s.truth()))
	for _, o := range s.chain[s.done:s.game.Length] {
		dst = binary.LittleEndian.AppendUint16(dst, uint16(o.sign)<<8|uint16(o.by))
	}
	return dst
}

// Observe writes the value, the operation that is next and its number, each as a
// choice, and how many steps are left.
func (s *state) Observe(_ games.Seat, dst []float32) {
	clear(dst)
	if !s.drawn {
		return
	}
	m := s.game.Modulus
	dst[s.value()] = 1
	if !s.over() {
		o := s.chain[s.done]
		dst[m+int(o.by)] = 1
		dst[2*m+int(o.sign)] = 1
	}
	dst[2*m+len(signs)+s.game.Length-int(s.done)] = 1
}

// Say names a claim as a line of arithmetic.
func (s *state) Say(a games.Action) string {
	if s.Turn() != 0 {
		return strconv.Itoa(int(a))
	}
	o := s.chain[s.done]
	return fmt.Sprintf("%d %s %d = %d", s.value(), signs[o.sign], o.by, a)
}

// lineEnd finds what a line of arithmetic comes to.
var lineEnd = regexp.MustCompile(`=\s*(\d{1,3})\b`)

// Hear finds the last result in a text: a line of arithmetic, or a number alone.
func (s *state) Hear(text string) (games.Action, error) {
	all := lineEnd.FindAllStringSubmatch(text, -1)
	if len(all) == 0 || s.Turn() != 0 {
		return games.Hear(s, text, nil)
	}
	v, err := strconv.Atoi(all[len(all)-1][1])
	if err != nil || !s.legal(games.Action(v)) {
		return 0, fmt.Errorf("%w %q: open are %v", games.ErrIllegal, all[len(all)-1][0], s.open(nil))
	}
	return games.Action(v), nil
}

func (s *state) Prompt(seat games.Seat) string {
	var b strings.Builder
	read := "Every step must be right."
	if s.game.Verify == Answer {
		read = "Only the last value counts."
	}
	fmt.Fprintf(&b, "Modular arithmetic. All values are whole numbers from 0 to %d; a result beyond is taken modulo %d. Work through the operations one at a time and claim the value after each, as in 3 + 4 = 7. %s A right chain returns +1, any other -1.\n", s.game.Modulus-1, s.game.Modulus, read)
	if s.drawn {
		fmt.Fprintf(&b, "\nStart: %d. Operations:", s.first)
		for _, o := range s.chain[:s.game.Length] {
			fmt.Fprintf(&b, " %s%d", signs[o.sign], o.by)
		}
		b.WriteString(".\n")
		at := *s
		for at.done = 0; at.done < s.done; at.done++ {
			fmt.Fprintf(&b, "%s\n", at.Say(games.Action(s.claims[at.done])))
		}
	}
	b.WriteString(games.Menu(s, seat))
	return b.String()
}
