// Package inspection holds the self-play critic as an exact game: chance leaves a
// chain of steps clean, or the sneaky player corrupts one; the critic can check
// only some of the steps, sees exactly whether those are wrong, and then says
// whether the chain is correct. It is to SPC (arXiv 2504.19162) what Kuhn poker is
// to poker.
//
// To the critic the game is worth max(1-2q, q + (1-q)(2k/n - 1)), with n steps, k
// checks and the share q of clean chains: always "Incorrect", or to check k steps
// drawn uniformly and believe what was not found wrong.
package inspection

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/internal/spec"
)

const mostSteps = 16

// The seats.
const (
	Sneaky games.Seat = iota
	Critic
)

// The outcomes of chance.
const (
	clean games.Action = iota
	corrupt
)

func init() {
	games.Register(games.Rules{
		Name:    "inspection",
		Summary: "The self-play critic as an exact game: corrupt a step, check a few, judge the chain",
		Params: []games.Param{
			{Name: "checks", Default: "2", Help: "how many steps the critic can check"},
			{Name: "clean", Default: "0.5", Help: "the share of chains that chance leaves clean"},
			{Name: "steps", Default: "8", Help: "how many steps a chain has"},
		},
		Make: func(r *spec.Reader) (games.Game, error) {
			checks, q, steps := r.Int("checks", 2, 0, mostSteps), r.Float("clean", 0.5, 0, 1), r.Int("steps", 8, 1, mostSteps)
			if err := r.Err(); err != nil {
				return nil, err
			}
			return New(steps, checks, q)
		},
	})
}

type game struct {
	info          games.Info
	steps, checks int
	clean         float64
}

// New returns the game. It refuses more checks than there are steps.
func New(steps, checks int, cleanShare float64) (games.Game, error) {
	if checks > steps {
		return nil, fmt.Errorf("inspection: checks=%d: expected at most the number of steps, %d", checks, steps)
	}
	name := spec.Spec{Name: "inspection"}
	if checks != 2 {
		name.Args = append(name.Args, spec.Arg{Key: "checks", Value: strconv.Itoa(checks)})
	}
	if cleanShare != 0.5 {
		name.Args = append(name.Args, spec.Arg{Key: "clean", Value: strconv.FormatFloat(cleanShare, 'g', -1, 64)})
	}
	if steps != 8 {
		name.Args = append(name.Args, spec.Arg{Key: "steps", Value: strconv.Itoa(steps)})
	}
	return &game{steps: steps, checks: checks, clean: cleanShare, info: games.Info{
		Name: name.String(), Seats: 2, Roles: []string{"sneaky", "critic"},
		Actions: steps + 2, MaxLength: checks + 2, MinReturn: -1, MaxReturn: 1,
		Chance: games.Listed, Hidden: true,
		// own seat; the step that was corrupted, to the sneaky player alone; of each
		// step whether it was found right or wrong, to the critic alone; whether a
		// move is made
		Tensor: []int{2 + steps + 2*steps + 1}, Recall: true,
	}}, nil
}

func (g *game) Info() games.Info { return g.info }

func (g *game) Start() games.State { return &state{game: g, turn: games.Chance, target: -1} }

type state struct {
	game    *game
	turn    games.Seat
	corrupt bool
	target  int8 // the corrupted step; -1 for none
	checked [mostSteps]int8
	checks  int8
	said    games.Action
}

func (s *state) Turn() games.Seat { return s.turn }

// Value is what the game is worth to the critic.
func Value(steps, checks int, q float64) float64 {
	return max(1-2*q, q+(1-q)*(2*float64(checks)/float64(steps)-1))
}

func (s *state) correct() games.Action { return games.Action(s.game.steps) }

// Actions lists steps, or the two answers. Steps are checked in ascending order,
// so that every choice of them comes up once.
func (s *state) Actions(dst []games.Action) []games.Action {
	switch {
	case s.turn == games.Over:
		return dst
	case s.turn == games.Chance:
		if s.game.clean > 0 {
			dst = append(dst, clean)
		}
		if s.game.clean < 1 {
			dst = append(dst, corrupt)
		}
		return dst
	case s.turn == Critic && int(s.checks) == s.game.checks:
		return append(dst, s.correct(), s.correct()+1)
	}
	first, last := 0, s.game.steps-1
	if s.turn == Critic {
		if s.checks > 0 {
			first = int(s.checked[s.checks-1]) + 1
		}
		last -= s.game.checks - int(s.checks) - 1
	}
	for i := first; i <= last; i++ {
		dst = append(dst, games.Action(i))
	}
	return dst
}

func (s *state) Odds(dst []float64) []float64 {
	if s.turn != games.Chance {
		return dst
	}
	for _, p := range []float64{s.game.clean, 1 - s.game.clean} {
		if p > 0 {
			dst = append(dst, p)
		}
	}
	return dst
}

func (s *state) Apply(a games.Action) error {
	var room [mostSteps + 2]games.Action
	if !slices.Contains(s.Actions(room[:0]), a) {
		return games.Illegal(s, a)
	}
	switch {
	case s.turn == games.Chance && a == corrupt:
		s.corrupt, s.turn = true, Sneaky
	case s.turn == games.Chance:
		s.turn = Critic
	case s.turn == Sneaky:
		s.target, s.turn = int8(a), Critic
	case int(s.checks) < s.game.checks:
		s.checked[s.checks] = int8(a)
		s.checks++
	default:
		s.said, s.turn = a, games.Over
	}
	return nil
}

func (s *state) Returns(dst []float64) []float64 {
	switch {
	case s.turn != games.Over:
		return append(dst, 0, 0)
	case (s.said == s.correct()) == !s.corrupt:
		return append(dst, -1, 1)
	}
	return append(dst, 1, -1)
}

func (s *state) Clone() games.State {
	c := *s
	return &c
}

func (s *state) CopyFrom(src games.State) { *s = *src.(*state) }

// AppendKey writes to the sneaky player that it may corrupt a step, and which it
// did; to the critic what its checks found, as in 3+5!, and its answer.
func (s *state) AppendKey(dst []byte, seat games.Seat) []byte {
	if seat == Sneaky {
		if s.corrupt {
			dst = append(dst, '?')
		}
		if s.target >= 0 {
			dst = strconv.AppendInt(dst, int64(s.target), 10)
		}
		return dst
	}
	if s.turn == games.Chance || s.turn == Sneaky {
		return dst
	}
	dst = append(dst, ':')
	for _, i := range s.checked[:s.checks] {
		dst = append(strconv.AppendInt(dst, int64(i), 10), "+!"[s.wrong(i)])
	}
	if s.turn == games.Over {
		dst = strconv.AppendInt(append(dst, '='), int64(s.said), 10)
	}
	return dst
}

// wrong is 1 for the corrupted step, else 0.
func (s *state) wrong(i int8) int {
	if s.target == i {
		return 1
	}
	return 0
}

func (s *state) Observe(seat games.Seat, dst []float32) {
	clear(dst)
	n := s.game.steps
	dst[seat] = 1
	if seat == Sneaky {
		if s.target >= 0 {
			dst[2+int(s.target)] = 1
		}
		if s.corrupt {
			dst[2+3*n] = 1
		}
		return
	}
	for _, i := range s.checked[:s.checks] {
		dst[2+n+2*int(i)+s.wrong(i)] = 1
	}
	switch s.turn {
	case Critic:
		dst[2+3*n] = 1
	case games.Over: // the answer, in place of the corrupted step
		dst[2+3*n] = 2 + float32(s.said-s.correct())
	}
}

func (s *state) Say(a games.Action) string {
	switch {
	case s.turn == games.Chance && a == clean:
		return "clean"
	case s.turn == games.Chance && a == corrupt:
		return "corrupt"
	case a == s.correct():
		return "Correct"
	case a == s.correct()+1:
		return "Incorrect"
	}
	return "step " + strconv.Itoa(int(a))
}

func (s *state) Hear(text string) (games.Action, error) {
	if s.turn == games.Chance {
		return games.Hear(s, text, []games.Action{clean, corrupt})
	}
	return games.Hear(s, text, games.Ids(s.game.steps+2))
}

func (s *state) Prompt(seat games.Seat) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Inspection. A chain has %d steps, numbered from 0. With probability %g chance leaves it clean; otherwise the sneaky player makes one step wrong. The critic then checks %d of the steps, in ascending order, and is told of each whether it is wrong. In the end the critic says whether the chain is Correct or Incorrect: +1 for the critic if that is so, -1 if not, and the opposite for the sneaky player.\n\nYou are the %s player.\n", s.game.steps, s.game.clean, s.game.checks, s.game.info.Roles[seat])
	if seat == Sneaky && s.target >= 0 {
		fmt.Fprintf(&b, "You made step %d wrong.\n", s.target)
	}
	if seat == Critic {
		for _, i := range s.checked[:s.checks] {
			fmt.Fprintf(&b, "Step %d is %s.\n", i, [...]string{"right", "wrong"}[s.wrong(i)])
		}
	}
	b.WriteString(games.Menu(s, seat))
	return b.String()
}
