// Package pig holds Pig and Piglet, the jeopardy dice games of Neller and
// Presser (2004), for 2 to 10 players. Ids, names, odds and returns are those of
// OpenSpiel's pig, and so are two rules: a game that is not won within its
// horizon of player actions ends at once as a draw, and points count towards
// the goal only when the player stops.
package pig

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/internal/spec"
)

// Roll throws the die; Stop banks the points of the turn and passes the die on.
const (
	Roll games.Action = iota
	Stop
)

const (
	maxPlayers = 10
	maxHorizon = 1000
	maxScore   = 1000
	maxSides   = 100
)

func init() {
	games.Register(games.Rules{
		Name:    "pig",
		Summary: "Pig: roll the die as often as you dare, a one loses the turn's points",
		Params: []games.Param{
			{Name: "diceoutcomes", Default: "6", Help: "sides of the die, 2 to 100"},
			{Name: "horizon", Default: "1000", Help: "player actions after which the game is a draw, 1 to 1000"},
			{Name: "piglet", Default: "false", Help: "true: every roll but a one is worth one point"},
			{Name: "players", Default: "2", Help: "number of players, 2 to 10"},
			{Name: "winscore", Default: "100", Help: "points that win, 1 to 1000"},
		},
		Make: func(r *spec.Reader) (games.Game, error) {
			p := Params{
				Sides:    r.Int("diceoutcomes", Default.Sides, 2, maxSides),
				Horizon:  r.Int("horizon", Default.Horizon, 1, maxHorizon),
				Piglet:   r.Bool("piglet", Default.Piglet),
				Players:  r.Int("players", Default.Players, 2, maxPlayers),
				WinScore: r.Int("winscore", Default.WinScore, 1, maxScore),
			}
			if err := r.Err(); err != nil {
				return nil, err
			}
			return New(p)
		},
	})
}

// Params are the rules that can be changed.
type Params struct {
	Sides    int  // of the die
	Horizon  int  // player actions after which the game ends
	Piglet   bool // every roll but a one is worth one point
	Players  int
	WinScore int
}

// Default is Pig as it is usually played.
var Default = Params{Sides: 6, Horizon: 1000, Players: 2, WinScore: 100}

var roles = []string{"first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"}

type game struct {
	info games.Info
	Params
	outcomes int // of the chance node
	odds     []float64
}

// New returns Pig. It refuses numbers out of range.
func New(p Params) (games.Game, error) {
	name := spec.Spec{Name: "pig"}
	for _, a := range []struct {
		key                        string
		value, fallback, min, most int
	}{
		{"diceoutcomes", p.Sides, Default.Sides, 2, maxSides},
		{"horizon", p.Horizon, Default.Horizon, 1, maxHorizon},
		{"piglet", truth(p.Piglet), 0, 0, 1},
		{"players", p.Players, Default.Players, 2, maxPlayers},
		{"winscore", p.WinScore, Default.WinScore, 1, maxScore},
	} {
		if a.value < a.min || a.value > a.most {
			return nil, fmt.Errorf("pig: %s=%d: expected a whole number from %d to %d", a.key, a.value, a.min, a.most)
		}
		value := strconv.Itoa(a.value)
		if a.key == "piglet" {
			value = "true"
		}
		if a.value != a.fallback {
			name.Args = append(name.Args, spec.Arg{Key: a.key, Value: value})
		}
	}
	g := &game{Params: p, info: games.Info{
		Name:      name.String(),
		Seats:     p.Players,
		Roles:     roles[:p.Players],
		Actions:   2,
		MaxLength: p.Horizon,
		MinReturn: -1 / float64(p.Players-1),
		MaxReturn: 1,
		Chance:    games.Listed,
		// whose turn it is, from the seat on; whether the die is rolling; the
		// share of the horizon that is left; then, each as a choice from 0 to
		// winscore or more, the points of the turn and the scores from the seat
		// on
		Tensor: []int{p.Players + 2 + (1+p.Players)*(p.WinScore+1)},
	}}
	one := 1 / float64(p.Sides)
	if p.Piglet {
		g.odds = []float64{one, 1 - one}
	} else {
		for range p.Sides {
			g.odds = append(g.odds, one)
		}
	}
	g.outcomes = len(g.odds)
	return g, nil
}

func truth(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (g *game) Info() games.Info { return g.info }

func (g *game) Start() games.State { return &state{game: g} }

// pips is what the outcome shows; in Piglet, 0 stands for a one and 1 for the
// rest.
func (g *game) pips(outcome int) int {
	if g.Piglet {
		return outcome
	}
	return outcome + 1
}

type state struct {
	game   *game
	turn   games.Seat // who moves, games.Chance or games.Over
	seat   int8       // whose turn it is, also while the die rolls and at the end
	rolls  bool       // also at the end, where the horizon stops the die
	enough bool       // stopping wins; then nothing else is open
	length uint16
	points int16 // of this turn
	scores [maxPlayers]int16
	moves  [maxHorizon]uint8
}

// What moves hold: a stop, a die that still rolls, or fallen plus the outcome.
const (
	stopped = iota
	rolling
	fallen
)

func (s *state) Turn() games.Seat { return s.turn }

// faces are the outcomes of the largest die, in order.
var faces = func() (all [maxSides]games.Action) {
	for i := range all {
		all[i] = games.Action(i)
	}
	return all
}()

func (s *state) Actions(dst []games.Action) []games.Action {
	switch {
	case s.turn == games.Over:
		return dst
	case s.turn == games.Chance:
		return append(dst, faces[:s.game.outcomes]...)
	case s.enough:
		return append(dst, Stop)
	}
	return append(dst, Roll, Stop)
}

func (s *state) Odds(dst []float64) []float64 {
	if s.turn != games.Chance {
		return dst
	}
	return append(dst, s.game.odds...)
}

// Faces implements games.Dice. In Piglet a one is rarer than the rest.
func (s *state) Faces() int {
	if s.turn != games.Chance || s.game.Piglet {
		return 0
	}
	return s.game.Sides
}

func (s *state) Apply(a games.Action) error {
	switch {
	case s.turn == games.Chance:
		return s.fall(a)
	case s.turn == games.Over || a != Stop && a != Roll || a == Roll && s.enough:
		return games.Illegal(s, a)
	case a == Roll:
		s.moves[s.length] = rolling
		s.turn, s.rolls = games.Chance, true
	default:
		s.stop()
	}
	s.length++
	if int(s.length) == s.game.Horizon {
		s.turn = games.Over
	}
	return nil
}

func (s *state) stop() {
	s.moves[s.length] = stopped
	s.scores[s.seat] += s.points
	wins := s.enough
	s.pass()
	if wins {
		s.turn = games.Over
	}
}

// fall ends a roll: the first outcome is a one.
func (s *state) fall(outcome games.Action) error {
	if outcome < 0 || int(outcome) >= s.game.outcomes {
		return games.Illegal(s, outcome)
	}
	s.moves[s.length-1] = fallen + uint8(outcome)
	s.rolls = false
	if outcome == 0 {
		s.pass()
		return nil
	}
	s.points += int16(s.game.pips(int(outcome)))
	s.enough = int(s.scores[s.seat]+s.points) >= s.game.WinScore
	s.turn = games.Seat(s.seat)
	return nil
}

// pass ends a turn. Nobody who has enough lets the die go on.
func (s *state) pass() {
	s.points, s.enough = 0, false
	if s.seat++; int(s.seat) == s.game.Players {
		s.seat = 0
	}
	s.turn = games.Seat(s.seat)
}

// winner is the seat that has reached the goal, or -1.
func (s *state) winner() int {
	for seat, score := range s.scores[:s.game.Players] {
		if int(score) >= s.game.WinScore {
			return seat
		}
	}
	return -1
}

func (s *state) Returns(dst []float64) []float64 {
	winner, lost := s.winner(), s.game.info.MinReturn
	for seat := range s.game.Players {
		switch winner {
		case -1:
			dst = append(dst, 0)
		case seat:
			dst = append(dst, 1)
		default:
			dst = append(dst, lost)
		}
	}
	return dst
}

func (s *state) Clone() games.State {
	c := *s
	return &c
}

func (s *state) CopyFrom(src games.State) {
	from := src.(*state)
	s.game, s.turn, s.seat, s.rolls, s.enough = from.game, from.turn, from.seat, from.rolls, from.enough
	s.length, s.points, s.scores = from.length, from.points, from.scores
	copy(s.moves[:from.length], from.moves[:from.length])
}

// AppendKey writes the actions so far and what was rolled, which all see: r3r5s
// and, while the die rolls, r3r5sr.
func (s *state) AppendKey(dst []byte, _ games.Seat) []byte {
	for _, move := range s.moves[:s.length] {
		switch move {
		case stopped:
			dst = append(dst, 's')
		case rolling:
			dst = append(dst, 'r')
		default:
			dst = strconv.AppendInt(append(dst, 'r'), int64(s.game.pips(int(move)-fallen)), 10)
		}
	}
	return dst
}

// AppendPosition writes the scores, the turn, and how many actions are played,
// since the horizon draws near.
func (s *state) AppendPosition(dst []byte) []byte {
	rolls := s.seat << 1
	if s.rolls {
		rolls |= 1
	}
	dst = append(dst, byte(rolls))
	dst = binary.LittleEndian.AppendUint16(dst, s.length)
	dst = binary.LittleEndian.AppendUint16(dst, uint16(s.points))
	for _, score := range s.scores[:s.game.Players] {
		dst = binary.LittleEndian.AppendUint16(dst, uint16(score))
	}
	return dst
}

func (s *state) Observe(seat games.Seat, dst []float32) {
	clear(dst)
	g := s.game
	n := g.Players
	dst[(int(s.seat)-int(seat)+n)%n] = 1
	dst[n] = float32(truth(s.rolls))
	dst[n+1] = 1 - float32(s.length)/float32(g.Horizon)
	choices := dst[n+2:]
	choices[min(int(s.points), g.WinScore)] = 1
	for i := range n {
		choices = choices[g.WinScore+1:]
		choices[min(int(s.scores[(int(seat)+i)%n]), g.WinScore)] = 1
	}
}

var names = [...]string{"roll", "stop"}

func (s *state) Say(a games.Action) string {
	switch {
	case s.Turn() == games.Chance && a >= 0 && int(a) < s.game.outcomes:
		return "Roll " + strconv.Itoa(s.game.pips(int(a)))
	case s.Turn() != games.Chance && a >= 0 && int(a) < len(names):
		return names[a]
	}
	return strconv.Itoa(int(a))
}

func (s *state) Hear(text string) (games.Action, error) {
	if s.Turn() == games.Chance {
		return games.Hear(s, text, games.Ids(s.game.outcomes))
	}
	return games.Hear(s, text, games.Ids(len(names)))
}

func (s *state) Prompt(seat games.Seat) string {
	g := s.game
	kind, worth := "Pig", "Any other number is added to the points of the turn"
	if g.Piglet {
		kind, worth = "Piglet", "Any other number, written as a roll of 1, adds one point to the turn; a one is written as a roll of 0"
	}
	var b strings.Builder
	fmt.Fprintf(&b, `%s for %d players with a die of %d sides. The players take turns in order, player 0 first. At your turn you roll the die as often as you dare. If it shows a one, the points of this turn are lost and the next player's turn begins. %s. When you stop, the points of the turn are added to your score and the next player's turn begins. Whoever first has a score of %d or more after stopping wins: +1, and %+.4g for each other player. With enough points to win, all that is open is to stop. Every roll and every stop is an action; after %d of them without a winner the game ends at once, even while the die rolls, and all get 0. Answer roll or stop.

You are player %d (%s).
`, kind, g.Players, g.Sides, worth, g.WinScore, g.info.MinReturn, g.Horizon, seat, g.info.Roles[seat])
	s.tell(&b)
	b.WriteString("Scores:")
	for i, score := range s.scores[:g.Players] {
		fmt.Fprintf(&b, " player %d: %d;", i, score)
	}
	fmt.Fprintf(&b, "\nPoints of this turn, which is player %d's: %d\nActions so far: %d of %d\n", s.seat, s.points, s.length, g.Horizon)
	b.WriteString(games.Menu(s, seat))
	return b.String()
}

// tell writes the turns so far, one to a line.
func (s *state) tell(b *strings.Builder) {
	seat, begins := 0, true
	for _, move := range s.moves[:s.length] {
		if begins {
			fmt.Fprintf(b, "Player %d:", seat)
		}
		switch move {
		case stopped:
			b.WriteString(" stop")
		case rolling:
			b.WriteString(" roll")
		default:
			fmt.Fprintf(b, " roll %d", s.game.pips(int(move)-fallen))
		}
		if begins = move == stopped || move == fallen; begins {
			seat = (seat + 1) % s.game.Players
			b.WriteByte('\n')
		} else {
			b.WriteByte(',')
		}
	}
	if !begins {
		b.WriteString(" …\n")
	}
}
