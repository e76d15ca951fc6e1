// Package sneakycritic holds the game of SPC (arXiv 2504.19162) over problems that
// are solved line by line: the sneaky player slips a wrong line into a right
// solution, and the critic judges it. The verifier is exact.
//
// Chance draws a problem, right lines up to some place and the next one, and whether
// the solution stays clean; where it does, the critic sees that true line. Otherwise
// the sneaky player sees it and names a kind of error, which gives the line in its
// place; or it writes one freely, where the game lets it. A line that is not wrong is
// refused, and the sneaky player loses. The critic sees the problem, the lines before
// and the one to judge, and says Correct or Incorrect.
//
// In the game of whole solutions what comes after the line follows from it, as if it
// were believed, and the critic sees all lines: it says which is the first wrong one,
// or none.
package sneakycritic

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"

	"github.com/agon-rl/agon/games"
	_ "github.com/agon-rl/agon/games/arithmetic" // the default domain
	"github.com/agon-rl/agon/games/problem"
	"github.com/agon-rl/agon/internal/spec"
)

// The seats.
const (
	Sneaky games.Seat = iota
	Critic
)

// The critic's actions. On whole solutions Correct says that there is no error, and
// the actions after it are steps, counted from 1: the first wrong one.
const (
	Correct games.Action = iota
	Incorrect
)

func init() {
	games.Register(games.Rules{
		Name:    "sneaky_critic",
		Summary: "A sneaky generator slips wrong steps into solutions, a critic finds them (SPC)",
		Params: []games.Param{
			{Name: "clean", Default: "0.5", Help: "the share of solutions that stay clean"},
			{Name: "domain", Default: "arithmetic", Help: "the problems: arithmetic, countdown, equations, horn, word_problem, with parameters"},
			{Name: "free", Default: "false", Help: "whether the sneaky player may also write any line"},
			{Name: "whole", Default: "false", Help: "whether the critic sees whole solutions and says which step is the first wrong one"},
		},
		Make: func(r *spec.Reader) (games.Game, error) {
			p := Params{Clean: r.Float("clean", 0.5, 0, 1), Domain: r.String("domain", "arithmetic"), Free: r.Bool("free", false), Whole: r.Bool("whole", false)}
			if err := r.Err(); err != nil {
				return nil, err
			}
			return New(p)
		},
	})
}

// Params are the game's parameters.
type Params struct {
	Domain string  // the game that problems come from
	Clean  float64 // the share of solutions that stay clean
	Free   bool    // whether the sneaky player may write any line
	Whole  bool    // whether the critic judges whole solutions
}

// Game is the game of a domain.
type Game struct {
	Params
	info     games.Info
	domain   problem.Criticised
	critique problem.Critique
	seed     func(*rand.Rand) games.Action
}

// New returns the game. It refuses domains whose lines a critic cannot judge, and
// single problems.
func New(p Params) (*Game, error) {
	inner, err := games.New(p.Domain)
	if err != nil {
		return nil, fmt.Errorf("sneaky_critic: domain: %w", err)
	}
	domain, ok := inner.(problem.Criticised)
	if !ok {
		return nil, fmt.Errorf("sneaky_critic: domain=%s: expected problems that are solved line by line: arithmetic, countdown, equations, horn or word_problem", p.Domain)
	}
	if inner.Info().Chance != games.Sampled {
		return nil, fmt.Errorf("sneaky_critic: domain=%s: expected problems that chance draws, without a seed", p.Domain)
	}
	p.Domain = inner.Info().Name
	g := &Game{Params: p, domain: domain, critique: domain.Critique(), seed: problem.Draw}
	name := spec.Spec{Name: "sneaky_critic"}
	if p.Clean != 0.5 {
		name.Args = append(name.Args, spec.Arg{Key: "clean", Value: strconv.FormatFloat(p.Clean, 'g', -1, 64)})
	}
	if p.Domain != "arithmetic" {
		name.Args = append(name.Args, spec.Arg{Key: "domain", Value: p.Domain})
	}
	kinds := len(g.critique.Errors.Menu)
	actions, writing, length := max(2, kinds), kinds+1, 2
	for _, slot := range g.critique.Slots {
		writing += slot.Values
	}
	if p.Free {
		name.Args = append(name.Args, spec.Arg{Key: "free", Value: "true"})
		actions, length = max(actions, kinds+1), length+len(g.critique.Slots)
		for _, slot := range g.critique.Slots {
			actions = max(actions, slot.Values)
		}
	}
	if p.Whole {
		name.Args = append(name.Args, spec.Arg{Key: "whole", Value: "true"})
		actions = max(actions, 1+inner.Info().MaxLength)
	}
	g.info = games.Info{
		Name: name.String(), Seats: 2, Roles: []string{"sneaky", "critic"},
		Actions: actions, MaxLength: length, MinReturn: -1, MaxReturn: 1,
		Chance: games.Sampled, Hidden: true,
		// own seat; the true line, to the sneaky player, or the one to judge; what the
		// sneaky player chose. Games with and without free writing have one shape, so
		// that a critic of one can judge in the other.
		Tensor: []int{2 + g.critique.View + writing},
	}
	if p.Whole {
		g.info.Tensor = g.wholeTensor(writing)
	}
	return g, nil
}

// Info implements games.Game.
func (g *Game) Info() games.Info { return g.info }

// Critique says what there is to find.
func (g *Game) Critique() problem.Critique { return g.critique }

// Problems is the game that problems come from.
func (g *Game) Problems() games.Game { return g.domain }

// Start implements games.Game.
func (g *Game) Start() games.State { return &State{game: g, turn: games.Chance, said: -1} }

// From is the same game with cases whose seeds are drawn otherwise.
func (g *Game) From(seed func(*rand.Rand) games.Action) *Game {
	c := *g
	c.seed = seed
	return &c
}

// Judging is the critic's turn on a line where a solution stands; nothing follows it.
func (g *Game) Judging(at problem.Solution, line problem.Line) *State {
	s := &State{game: g, turn: Critic, at: at, shown: &line, said: -1}
	if g.Whole {
		s.steps = append(before(at), step{at, line})
		s.place = len(s.steps) - 1
	}
	return s
}

// State is where a game stands.
type State struct {
	game    *Game
	turn    games.Seat
	seed    games.Action     // of the case
	at      problem.Solution // the solution so far; nil before chance
	history []games.Action   // of the problems' game, to where the solution stands
	right   problem.Line     // the line that is right and leads on
	menu    []problem.Line   // by kind, the line that it gives here; without text where it gives none
	choices []int8           // the kind, then what is written freely
	shown   *problem.Line    // the line to judge; nil before there is one
	steps   []step           // of a whole solution: those so far, and all once there is a line to judge
	place   int              // how many of them stand before that line
	clean   bool
	said    games.Action
}

// draw makes a case of a seed: a problem, right lines up to a place where a wrong
// one may stand too, and whether it stays clean.
func (s *State) draw(seed games.Action) error {
	r := problem.Generator(seed)
	for {
		at := s.game.domain.Start()
		history := []games.Action{problem.Draw(r)}
		if err := at.Apply(history[0]); err != nil {
			return err
		}
		var places []*State
		for at.Turn() != games.Over {
			place := s.game.place(at.(problem.Solution), r)
			if place == nil {
				break
			}
			if slices.ContainsFunc(place.menu, func(l problem.Line) bool { return l.Text != "" }) {
				place.at, place.history = at.Clone().(problem.Solution), slices.Clone(history)
				places = append(places, place)
			}
			if err := at.Apply(place.right.Action); err != nil {
				return err
			}
			history = append(history, place.right.Action)
		}
		if len(places) == 0 {
			continue
		}
		*s = *places[r.IntN(len(places))]
		s.seed = seed
		if s.game.Whole {
			s.steps = before(s.at)
			s.place = len(s.steps)
		}
		if s.clean = r.Float64() < s.game.Clean; s.clean {
			s.turn = Critic
			s.show(s.right)
		}
		return nil
	}
}

// place draws a right line that leads on, and a line of each kind; nil where no line
// leads on.
func (g *Game) place(at problem.Solution, r *rand.Rand) *State {
	next := at.Next()
	of := func(kind string) (problem.Line, bool) {
		var lines []problem.Line
		for _, l := range next {
			if l.Slip == kind {
				lines = append(lines, l)
			}
		}
		if len(lines) == 0 {
			return problem.Line{}, false
		}
		return lines[r.IntN(len(lines))], true
	}
	right, ok := of("")
	if !ok {
		return nil
	}
	s := &State{game: g, turn: Sneaky, at: at, right: right, menu: make([]problem.Line, len(g.critique.Errors.Menu)), said: -1}
	for i, kind := range g.critique.Errors.Menu {
		s.menu[i], _ = of(kind)
	}
	return s
}

// Kind is what the line to judge is: "" where it is right, else its kind of error.
func (s *State) Kind() string {
	if s.shown == nil {
		return ""
	}
	return s.shown.Slip
}

// Wrong tells whether the line to judge is wrong, by the exact verifier. The others
// of a whole solution are right, or stand after it.
func (s *State) Wrong() bool { return s.game.critique.Errors.Count(s.Kind()) }

// Truth is the verdict that is right: what a perfect critic says.
func (s *State) Truth() games.Action {
	switch {
	case !s.Wrong():
		return Correct
	case s.game.Whole:
		return 1 + games.Action(s.place)
	}
	return Incorrect
}

// Refused tells whether the sneaky player wrote nothing wrong.
func (s *State) Refused() bool { return s.turn == games.Over && s.said < 0 }

// Shown is the line to judge, and where it stands; nil before there is one.
func (s *State) Shown() (at problem.Solution, line *problem.Line) { return s.at, s.shown }

// History is how the problems' game comes to where the solution stands; nil before
// there is one.
func (s *State) History() []games.Action { return s.history }

// Right is the line that is right and leads on.
func (s *State) Right() problem.Line { return s.right }

// Clean tells whether the solution stays clean.
func (s *State) Clean() bool { return s.clean }

// Candidates are the true line and those that the menu's kinds give.
func (s *State) Candidates() []problem.Line {
	lines := []problem.Line{s.right}
	for _, l := range s.menu {
		if l.Text != "" {
			lines = append(lines, l)
		}
	}
	return lines
}

// Show is the critic's turn if line stood here.
func (s *State) Show(line problem.Line) *State {
	c := *s
	c.turn, c.clean = Critic, !s.game.critique.Errors.Count(line.Slip)
	c.show(line)
	return &c
}

// Lines are all lines of a kind that may stand here: those of the menu, and what
// free writing reaches.
func (s *State) Lines(kind string) []problem.Line {
	var lines []problem.Line
	if slices.Contains(s.game.critique.Errors.Menu, kind) {
		for _, l := range s.at.Next() {
			if l.Slip == kind {
				lines = append(lines, l)
			}
		}
		return lines
	}
	choices := make([]int, len(s.game.critique.Slots))
	for {
		if l, ok := s.at.Write(s.right, choices); ok && l.Slip == kind {
			lines = append(lines, l)
		}
		i := 0
		for ; i < len(choices); i++ { // count up
			if choices[i]++; choices[i] < s.game.critique.Slots[i].Values {
				break
			}
			choices[i] = 0
		}
		if i == len(choices) {
			return lines
		}
	}
}

// Turn implements games.State.
func (s *State) Turn() games.Seat { return s.turn }

// Sample implements games.Sampler.
func (s *State) Sample(r *rand.Rand) games.Action { return s.game.seed(r) }

// Actions implements games.State: kinds of error, the values of what is written
// freely, or verdicts.
func (s *State) Actions(dst []games.Action) []games.Action {
	switch {
	case s.turn == Critic && s.game.Whole:
		return append(dst, games.Ids(1+len(s.steps))...)
	case s.turn == Critic:
		return append(dst, Correct, Incorrect)
	case s.turn != Sneaky:
		return dst
	case len(s.choices) > 0:
		for v := range s.slot().Values {
			dst = append(dst, games.Action(v))
		}
		return dst
	}
	for i, l := range s.menu {
		if l.Text != "" {
			dst = append(dst, games.Action(i))
		}
	}
	if s.game.Free {
		dst = append(dst, games.Action(len(s.menu)))
	}
	return dst
}

// slot is the free choice that comes next.
func (s *State) slot() problem.Slot { return s.game.critique.Slots[len(s.choices)-1] }

// Odds implements games.State.
func (s *State) Odds(dst []float64) []float64 { return dst }

// Apply implements games.State.
func (s *State) Apply(a games.Action) error {
	switch {
	case s.turn == games.Chance && a >= 0:
		return s.draw(a)
	case s.turn == games.Chance:
		return fmt.Errorf("%w %d: the seed of a case is at least 0", games.ErrIllegal, a)
	case !slices.Contains(s.Actions(nil), a):
		return games.Illegal(s, a)
	case s.turn == Critic:
		s.said, s.turn = a, games.Over
		return nil
	}
	s.choices = append(slices.Clone(s.choices), int8(a))
	switch kind := int(s.choices[0]); {
	case kind < len(s.menu):
		s.write(s.menu[kind], true)
	case len(s.choices) == 1+len(s.game.critique.Slots):
		choices := make([]int, len(s.choices)-1)
		for i, c := range s.choices[1:] {
			choices[i] = int(c)
		}
		s.write(s.at.Write(s.right, choices))
	}
	return nil
}

// write shows the critic a line, unless the verifier refuses it.
func (s *State) write(line problem.Line, ok bool) {
	if ok {
		s.show(line)
	}
	if s.turn = Critic; !ok || !s.Wrong() {
		s.turn = games.Over
	}
}

// show has a line stand where the solution does, and what follows from it.
func (s *State) show(line problem.Line) {
	if s.shown = &line; s.game.Whole {
		s.steps = slices.Concat(s.steps[:s.place], []step{{s.at, line}}, after(s.at.Believe(line), s.seed))
	}
}

// Returns implements games.State.
func (s *State) Returns(dst []float64) []float64 {
	switch {
	case s.turn != games.Over:
		return append(dst, 0, 0)
	case s.Refused() || s.said == s.Truth():
		return append(dst, -1, 1)
	}
	return append(dst, 1, -1)
}

// Clone implements games.State: nothing that it holds changes.
func (s *State) Clone() games.State {
	c := *s
	return &c
}

// CopyFrom implements games.State.
func (s *State) CopyFrom(src games.State) { *s = *src.(*State) }

// AppendKey implements games.State: the problem and the lines so far; to the sneaky
// player the true line and what it chose, to the critic the line to judge; then the
// answer.
func (s *State) AppendKey(dst []byte, seat games.Seat) []byte {
	if s.at == nil {
		return dst
	}
	if s.game.Whole && seat == Critic {
		return s.appendWhole(dst)
	}
	dst = s.at.AppendKey(dst, 0)
	if seat == Sneaky {
		dst = append(append(dst, "\ntrue: "...), s.right.Text...)
		for i, l := range s.menu { // the case says what a kind gives
			dst = append(append(strconv.AppendInt(append(dst, '\n'), int64(i), 10), ": "...), l.Text...)
		}
		for _, c := range s.choices {
			dst = strconv.AppendInt(append(dst, '\n'), int64(c), 10)
		}
		if s.clean {
			return append(dst, "\nclean"...)
		}
	}
	if s.shown != nil {
		dst = append(append(dst, "\nshown: "...), s.shown.Text...)
	}
	return s.appendEnd(dst)
}

// appendEnd writes how the game ended.
func (s *State) appendEnd(dst []byte) []byte {
	if s.said >= 0 {
		dst = append(append(dst, "\nsaid: "...), s.verdict(s.said)...)
	} else if s.turn == games.Over {
		dst = append(dst, "\nrefused"...)
	}
	return dst
}

// Observe implements games.State.
func (s *State) Observe(seat games.Seat, dst []float32) {
	clear(dst)
	if s.game.Whole {
		s.observeWhole(seat, dst)
		return
	}
	dst[seat] = 1
	if s.at == nil {
		return
	}
	view := s.game.critique.View
	switch {
	case seat == Sneaky:
		s.at.Judge(s.right, dst[2:2+view])
	case s.shown != nil:
		s.at.Judge(*s.shown, dst[2:2+view])
	}
	if seat == Sneaky {
		s.observeChoices(dst[2+view:])
	}
}

// observeChoices writes what the sneaky player chose so far.
func (s *State) observeChoices(dst []float32) {
	for i, c := range s.choices {
		dst[c] = 1
		if i == 0 {
			dst = dst[len(s.menu)+1:]
		} else {
			dst = dst[s.game.critique.Slots[i-1].Values:]
		}
	}
}

// Writing tells whether the sneaky player is writing a line freely.
func (s *State) Writing() bool { return s.turn == Sneaky && len(s.choices) > 0 }

// Read is the critic's turn on a line of a file: the problem, the lines before and
// the one to judge, in the words of the domain. Whatever the domain does not read is
// an error.
func (g *Game) Read(text string, before []string, line string) (*State, error) {
	domain, ok := g.domain.(problem.Reader)
	if !ok {
		return nil, fmt.Errorf("%s does not read problems from text", g.Domain)
	}
	at, shown, err := problem.Read(domain, text, before, line)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", g.Domain, err)
	}
	return g.Judging(at, shown), nil
}
