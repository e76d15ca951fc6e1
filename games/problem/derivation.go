package problem

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/internal/spec"
)

// Line is a step of a derivation: what is written, whether it is right, and
// where it leads if it is believed.
type Line struct {
	Text     string    // unique among the lines open at a position
	Slip     string    // the kind of error, such as "sign"; "" where the line is right
	Why      string    // what is wrong with it
	Then     Position  // what follows from it, true or not
	Features []float32 // as a network sees it; Domain.PerLine values

	// Action plays the line; NoAction where it is written in no game.
	Action games.Action
	Of     any // what the domain keeps of the line, for its Judge and Write
}

// Position is where a derivation stands. It never changes.
type Position interface {
	// Lines are the steps to choose from, right and wrong, in any order; none
	// where the derivation has come to its end.
	Lines() []Line
	// Solved tells whether the goal is reached.
	Solved() bool
	// Needs is how many right steps lead to the goal at least; Never where none
	// do.
	Needs() int
	// Answer is what the derivation comes to once it is solved.
	Answer() string
	// AppendTo appends what the future depends on.
	AppendTo(dst []byte) []byte
	// Observe writes what a network sees of the position beside the lines:
	// Domain.PerPosition values, all of them zero before.
	Observe(dst []float32)
	// Text says where things stand.
	Text() string
}

// Never is what Position.Needs returns where the goal is out of reach.
const Never = 1 << 20

// Domain is a kind of problem that is solved line by line.
type Domain struct {
	Name        spec.Spec // with the parameters that differ from their defaults
	Rules       string    // what a solver is told
	Lines       int       // the most lines that are open at a position
	Steps       int       // the most lines of a derivation
	PerPosition int       // values that a network sees of a position
	PerLine     int       // values that a network sees of a line
	Draw        func(*rand.Rand) Position

	Critique Critique
	// Judge writes what a critic sees of a line at a position; see Solution.
	Judge func(at Position, line Line, dst []float32)
	// Write makes a line of free choices; see Solution.
	Write func(at Position, right Line, choices []int) (Line, bool)
	// Read makes the position that a problem's Text is of.
	Read func(text string) (Position, error)
	// ReadLine makes the line that a text is at a position; see Readable.
	ReadLine func(at Position, text string) (Line, error)
}

// New returns the game of a domain: an error carries on, and one wrong line
// fails the derivation. Lines are numbered in the order of their texts, so that
// a number tells nothing.
func (d Domain) New(seed int) games.Game {
	g := &derivations{Domain: d, info: games.Info{
		Seats: 1, Roles: Roles, Actions: d.Lines, MaxLength: d.Steps,
		MinReturn: -1, MaxReturn: 1, Chance: games.Sampled,
		Tensor: []int{d.PerPosition + d.Lines*(1+d.PerLine) + d.Steps + 1},
	}}
	if seed != Drawn {
		g.Name.Args = append(g.Name.Args, spec.Arg{Key: "seed", Value: strconv.Itoa(seed)})
		slices.SortFunc(g.Name.Args, func(a, b spec.Arg) int { return cmp.Compare(a.Key, b.Key) })
	}
	g.info.Name = g.Name.String()
	g.start.game = g
	if seed != Drawn {
		g.info.Chance = games.NoChance
		g.start.draw(games.Action(seed))
	}
	return g
}

type derivations struct {
	Domain
	info  games.Info
	start derivation // without a problem where chance draws it
}

func (g *derivations) Info() games.Info { return g.info }

// Critique implements Criticised.
func (g *derivations) Critique() Critique { return g.Domain.Critique }

func (g *derivations) Start() games.State { return g.start.Clone() }

type derivation struct {
	game  *derivations
	first Position // nil before the problem is drawn
	at    Position
	open  []Line // in the order of their texts
	taken []Line
	wrong bool
}

func (s *derivation) draw(seed games.Action) {
	s.first = s.game.Draw(Generator(seed))
	s.stand(s.first)
}

func (s *derivation) stand(at Position) {
	s.at, s.open = at, nil
	if len(s.taken) >= s.game.Steps || at.Solved() {
		return
	}
	s.open = at.Lines()
	slices.SortFunc(s.open, func(a, b Line) int { return strings.Compare(a.Text, b.Text) })
	for i := range s.open {
		s.open[i].Action = games.Action(i)
	}
}

func (s *derivation) Turn() games.Seat {
	switch {
	case s.first == nil:
		return games.Chance
	case len(s.open) == 0:
		return games.Over
	}
	return 0
}

// Sample implements games.Sampler.
func (s *derivation) Sample(r *rand.Rand) games.Action { return Draw(r) }

func (s *derivation) Actions(dst []games.Action) []games.Action {
	for i := range s.open {
		dst = append(dst, games.Action(i))
	}
	return dst
}

func (s *derivation) Odds(dst []float64) []float64 { return dst }

func (s *derivation) Apply(a games.Action) error {
	switch {
	case s.first == nil && a >= 0:
		s.draw(a)
		return nil
	case s.first == nil:
		return fmt.Errorf("%w %d: the seed of a problem is at least 0", games.ErrIllegal, a)
	}
	line, err := s.Line(a)
	if err != nil {
		return err
	}
	s.wrong = s.wrong || line.Slip != ""
	s.taken = append(s.taken, line)
	s.stand(line.Then)
	return nil
}

// Line returns an open line.
func (s *derivation) Line(a games.Action) (Line, error) {
	if a < 0 || int(a) >= len(s.open) {
		return Line{}, games.Illegal(s, a)
	}
	return s.open[a], nil
}

func (s *derivation) Returns(dst []float64) []float64 {
	over := s.Turn() == games.Over
	return Returns(dst, over, over && s.at.Solved() && !s.wrong)
}

// CheckStep implements Verified.
func (s *derivation) CheckStep(a games.Action) error {
	line, err := s.Line(a)
	if err == nil && line.Slip != "" {
		err = fmt.Errorf("%s: %s", line.Text, line.Why)
	}
	return err
}

// Solvable implements Verified.
func (s *derivation) Solvable() bool {
	return s.first == nil || !s.wrong && s.at.Needs() <= s.game.Steps-len(s.taken)
}

// Next implements Solution.
func (s *derivation) Next() []Line {
	lines := slices.Clone(s.open)
	for i := range lines {
		lines[i] = s.label(lines[i])
	}
	return lines
}

// label tells true lines that lead away from those that lead on.
func (s *derivation) label(line Line) Line {
	if line.Slip == "" && line.Then.Needs() > s.game.Steps-len(s.taken)-1 {
		line.Slip, line.Why = LeadsAway, "the goal is out of reach after it"
	}
	return line
}

// Write implements Solution.
func (s *derivation) Write(right Line, choices []int) (Line, bool) {
	line, ok := s.game.Domain.Write(s.at, right, choices)
	if !ok {
		return Line{}, false
	}
	return s.known(line), true
}

// known labels a line that was written freely: one that is open already is of its
// kind.
func (s *derivation) known(line Line) Line {
	line.Action = NoAction
	for _, open := range s.open {
		if open.Text == line.Text {
			line = open
		}
	}
	return s.label(line)
}

// Judge implements Solution.
func (s *derivation) Judge(line Line, dst []float32) { s.game.Domain.Judge(s.at, line, dst) }

// Believe implements Solution.
func (s *derivation) Believe(line Line) Solution {
	next := s.Clone().(*derivation)
	next.wrong = next.wrong || line.Slip != "" && line.Slip != LeadsAway
	next.taken = append(next.taken, line)
	next.stand(line.Then)
	return next
}

// Before implements Solution.
func (s *derivation) Before() (Solution, Line, bool) {
	last := len(s.taken) - 1
	if last < 0 {
		return nil, Line{}, false
	}
	before, at := *s, s.first
	if last > 0 {
		at = s.taken[last-1].Then
	}
	before.taken = s.taken[:last:last]
	before.wrong = slices.ContainsFunc(before.taken, func(l Line) bool { return l.Slip != "" && l.Slip != LeadsAway })
	before.stand(at)
	return &before, before.label(s.taken[last]), true
}

// Answer implements Solution.
func (s *derivation) Answer() string {
	if s.first == nil || !s.at.Solved() {
		return ""
	}
	return s.at.Answer()
}

// Clone shares what never changes: positions and their lines.
func (s *derivation) Clone() games.State {
	c := *s
	c.taken = slices.Clone(s.taken)
	return &c
}

func (s *derivation) CopyFrom(src games.State) {
	from, taken := src.(*derivation), s.taken[:0]
	*s = *from
	s.taken = append(taken, from.taken...)
}

// AppendKey writes the problem and the lines.
func (s *derivation) AppendKey(dst []byte, _ games.Seat) []byte {
	if s.first == nil {
		return dst
	}
	dst = s.first.AppendTo(dst)
	for _, line := range s.taken {
		dst = append(append(dst, '\n'), line.Text...)
	}
	return dst
}

// AppendPosition writes what the future depends on.
func (s *derivation) AppendPosition(dst []byte) []byte {
	if s.first == nil {
		return append(dst, '?')
	}
	wrong := byte(0)
	if s.wrong {
		wrong = 1
	}
	dst = binary.AppendUvarint(append(dst, wrong), uint64(s.game.Steps-len(s.taken)))
	return s.at.AppendTo(dst)
}

// Observe writes the position, the open lines in their order, each with a 1
// before it, and how many steps are left.
func (s *derivation) Observe(_ games.Seat, dst []float32) {
	clear(dst)
	if s.first == nil {
		return
	}
	s.at.Observe(dst[:s.game.PerPosition])
	dst = dst[s.game.PerPosition:]
	for i, line := range s.open {
		at := dst[i*(1+s.game.PerLine):]
		at[0] = 1
		copy(at[1:1+s.game.PerLine], line.Features)
	}
	dst[s.game.Lines*(1+s.game.PerLine)+s.game.Steps-len(s.taken)] = 1
}

// Say names a step by its line.
func (s *derivation) Say(a games.Action) string {
	if line, err := s.Line(a); err == nil {
		return line.Text
	}
	return strconv.Itoa(int(a))
}

// Hear finds the last open line, or its number in brackets.
func (s *derivation) Hear(text string) (games.Action, error) {
	return games.Hear(s, text, games.Ids(len(s.open)))
}

func (s *derivation) Prompt(seat games.Seat) string {
	var b strings.Builder
	b.WriteString(s.game.Rules)
	fmt.Fprintf(&b, " There are %d steps at most. Solving it with every step right returns +1, anything else -1.\n", s.game.Steps)
	if s.first != nil {
		fmt.Fprintf(&b, "\n%s\n", s.first.Text())
		for _, line := range s.taken {
			fmt.Fprintf(&b, "%s\n", line.Text)
		}
		b.WriteByte('\n')
	}
	b.WriteString(games.Menu(s, seat))
	return b.String()
}
