// Package sneakycritic holds the game of SPC (arXiv 2504.19162) over problems that
// are solved line by line: the sneaky player slips a wrong line into a right
// solution, and the critic judges it. The verifier is exact.
//
// Chance draws a problem, a right solution up to some line, and whether it stays
// clean; where it does, the critic sees the true next line. Otherwise the sneaky
// player sees that line and writes one of those open in its place. One that is not
// wrong is refused, and the sneaky player loses. The critic sees the problem, the
// lines before and the one to judge, and says Correct or Incorrect.
package sneakycritic

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	"github.com/agon-rl/agon/games"
	_ "github.com/agon-rl/agon/games/equations" // the default domain
	"github.com/agon-rl/agon/games/problem"
	"github.com/agon-rl/agon/spec"
)

// The seats.
const (
	Sneaky games.Seat = iota
	Critic
)

// The critic's actions.
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
			{Name: "domain", Default: "equations", Help: "the problems: equations, horn, word_problem, with parameters"},
		},
		Make: func(r *spec.Reader) (games.Game, error) {
			q, domain := r.Float("clean", 0.5, 0, 1), r.String("domain", "equations")
			if err := r.Err(); err != nil {
				return nil, err
			}
			return New(domain, q)
		},
	})
}

type game struct {
	info   games.Info
	domain games.Game
	clean  float64
}

// New returns the game over a domain of problems. It refuses games that are not
// solved line by line, and single problems.
func New(domain string, clean float64) (games.Game, error) {
	inner, err := games.New(domain)
	if err != nil {
		return nil, fmt.Errorf("sneaky_critic: domain: %w", err)
	}
	if _, ok := inner.Start().(problem.Written); !ok {
		return nil, fmt.Errorf("sneaky_critic: domain=%s: expected problems that are solved line by line: equations, horn or word_problem", domain)
	}
	if inner.Info().Chance != games.Sampled {
		return nil, fmt.Errorf("sneaky_critic: domain=%s: expected problems that chance draws, without a seed", domain)
	}
	name := spec.Spec{Name: "sneaky_critic"}
	if clean != 0.5 {
		name.Args = append(name.Args, spec.Arg{Key: "clean", Value: strconv.FormatFloat(clean, 'g', -1, 64)})
	}
	if inner.Info().Name != "equations" {
		name.Args = append(name.Args, spec.Arg{Key: "domain", Value: inner.Info().Name})
	}
	lines := inner.Info().Actions
	return &game{domain: inner, clean: clean, info: games.Info{
		Name: name.String(), Seats: 2, Roles: []string{"sneaky", "critic"},
		Actions: max(2, lines), MaxLength: 2, MinReturn: -1, MaxReturn: 1,
		Chance: games.Sampled, Hidden: true,
		// own seat; what a solver sees; which line is the true one, to the sneaky
		// player, or the one to judge, to the critic
		Tensor: []int{2 + inner.Info().TensorSize() + lines},
	}}, nil
}

func (g *game) Info() games.Info { return g.info }

func (g *game) Start() games.State { return &state{game: g, turn: games.Chance} }

type state struct {
	game  *game
	turn  games.Seat
	at    problem.Written // the solution so far; nil before chance
	right games.Action    // the line that is right and leads on
	shown games.Action    // the line to judge; -1 before there is one
	clean bool
	said  games.Action
}

// draw makes a case of a seed: a problem, right lines up to a place where a wrong
// one is open too, and whether it stays clean.
func (s *state) draw(seed games.Action) error {
	r := problem.Generator(seed)
	for {
		at := s.game.domain.Start()
		if err := at.Apply(problem.Draw(r)); err != nil {
			return err
		}
		var places []problem.Written
		var lines []games.Action
		for at.Turn() != games.Over {
			truths, wrong := split(at.(problem.Written))
			if len(truths) == 0 {
				break
			}
			next := truths[r.IntN(len(truths))]
			if len(wrong) > 0 {
				places, lines = append(places, at.Clone().(problem.Written)), append(lines, next)
			}
			if err := at.Apply(next); err != nil {
				return err
			}
		}
		if len(places) == 0 {
			continue
		}
		i := r.IntN(len(places))
		s.at, s.right, s.shown, s.said = places[i], lines[i], -1, -1
		if s.clean, s.turn = r.Float64() < s.game.clean, Sneaky; s.clean {
			s.shown, s.turn = s.right, Critic
		}
		return nil
	}
}

// split tells lines that are right and lead on from wrong ones; those that are
// right and lead away are neither.
func split(at problem.Written) (right, wrong []games.Action) {
	for _, a := range at.Actions(nil) {
		line, err := at.Line(a)
		if err != nil {
			continue
		}
		if line.Slip != "" {
			wrong = append(wrong, a)
			continue
		}
		next := at.Clone()
		if next.Apply(a) == nil && next.(problem.Verified).Solvable() {
			right = append(right, a)
		}
	}
	return right, wrong
}

// Kind is what the line to judge is: "" where it is true, the kind of slip where
// it is false, and "leads away" where it is true and the goal is lost.
func (s *state) Kind() string {
	if s.at == nil || s.shown < 0 {
		return ""
	}
	line, err := s.at.Line(s.shown)
	if err != nil || line.Slip != "" {
		return line.Slip
	}
	next := s.at.Clone()
	if next.Apply(s.shown) == nil && !next.(problem.Verified).Solvable() {
		return "leads away"
	}
	return ""
}

func (s *state) Turn() games.Seat { return s.turn }

// Sample implements games.Sampler.
func (s *state) Sample(r *rand.Rand) games.Action { return problem.Draw(r) }

func (s *state) Actions(dst []games.Action) []games.Action {
	switch s.turn {
	case Sneaky:
		return s.at.Actions(dst)
	case Critic:
		return append(dst, Correct, Incorrect)
	}
	return dst
}

func (s *state) Odds(dst []float64) []float64 { return dst }

func (s *state) Apply(a games.Action) error {
	switch {
	case s.turn == games.Chance && a >= 0:
		return s.draw(a)
	case s.turn == games.Chance:
		return fmt.Errorf("%w %d: the seed of a case is at least 0", games.ErrIllegal, a)
	case !slices.Contains(s.Actions(nil), a):
		return games.Illegal(s, a)
	case s.turn == Sneaky:
		s.shown, s.turn = a, Critic
		if s.slip() == "" {
			s.turn = games.Over // the verifier refuses it
		}
	default:
		s.said, s.turn = a, games.Over
	}
	return nil
}

func (s *state) slip() string {
	line, err := s.at.Line(s.shown)
	if err != nil {
		return ""
	}
	return line.Slip
}

func (s *state) Returns(dst []float64) []float64 {
	switch {
	case s.turn != games.Over:
		return append(dst, 0, 0)
	case s.said < 0 || (s.said == Correct) == s.clean: // nothing wrong was written, or it was seen
		return append(dst, -1, 1)
	}
	return append(dst, 1, -1)
}

func (s *state) Clone() games.State {
	c := *s // the solution so far never changes
	return &c
}

func (s *state) CopyFrom(src games.State) { *s = *src.(*state) }

// AppendKey writes the problem and the lines so far; to the sneaky player the true
// line and what it wrote, to the critic the line to judge; then the answer.
func (s *state) AppendKey(dst []byte, seat games.Seat) []byte {
	if s.at == nil {
		return dst
	}
	dst = s.at.AppendKey(dst, 0)
	if seat == Sneaky {
		dst = append(append(dst, "\ntrue: "...), s.text(s.right)...)
		if s.clean {
			return append(dst, "\nclean"...)
		}
	}
	if s.shown >= 0 {
		dst = append(append(dst, "\nshown: "...), s.text(s.shown)...)
	}
	if s.said >= 0 {
		dst = append(append(dst, "\nsaid: "...), verdicts[s.said]...)
	} else if s.turn == games.Over {
		dst = append(dst, "\nrefused"...)
	}
	return dst
}

func (s *state) text(a games.Action) string {
	line, err := s.at.Line(a)
	if err != nil {
		return ""
	}
	return line.Text
}

func (s *state) Observe(seat games.Seat, dst []float32) {
	clear(dst)
	dst[seat] = 1
	if s.at == nil {
		return
	}
	inner := s.game.domain.Info().TensorSize()
	s.at.Observe(0, dst[2:2+inner])
	switch {
	case seat == Sneaky:
		dst[2+inner+int(s.right)] = 1
	case s.shown >= 0:
		dst[2+inner+int(s.shown)] = 1
	}
}

var verdicts = [...]string{"Correct", "Incorrect"}

func (s *state) Say(a games.Action) string {
	switch {
	case s.turn == Critic && (a == Correct || a == Incorrect):
		return verdicts[a]
	case s.turn == Sneaky:
		if text := s.text(a); text != "" {
			return text
		}
	}
	return strconv.Itoa(int(a))
}

func (s *state) Hear(text string) (games.Action, error) {
	return games.Hear(s, text, s.Actions(nil))
}

func (s *state) Prompt(seat games.Seat) string {
	var b strings.Builder
	b.WriteString("A solution is written line by line. Sometimes a sneaky player writes a wrong line in the place of the next true one, and a critic judges the line. The critic gets +1 for a right judgement and -1 for a wrong one, the sneaky player the opposite; a line of the sneaky player that is not wrong is refused, and it gets -1.\n\n")
	fmt.Fprintf(&b, "You are the %s player.\n", s.game.info.Roles[seat])
	if s.at != nil {
		text, _, _ := strings.Cut(s.at.(games.Speaker).Prompt(0), "\nIt is your turn.")
		fmt.Fprintf(&b, "The problem, and the solution so far:\n%s\n", strings.TrimSpace(text))
		if seat == Sneaky {
			fmt.Fprintf(&b, "The true next line: %s\n", s.text(s.right))
		}
		if s.shown >= 0 && (seat == Critic || !s.clean) {
			fmt.Fprintf(&b, "The line to judge: %s\n", s.text(s.shown))
		}
		if s.said >= 0 && (seat == Critic || !s.clean) {
			fmt.Fprintf(&b, "The critic said %s.\n", verdicts[s.said])
		}
	}
	b.WriteString(games.Menu(s, seat))
	return b.String()
}
