// Package othello holds Othello on the usual board of 8 by 8. Ids, names and
// returns are those of OpenSpiel's othello.
package othello

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"strconv"
	"strings"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/internal/spec"
)

// Pass is the only action of a seat that cannot turn any disc.
const Pass games.Action = 64

// maxMoves is OpenSpiel's bound; 60 placements with a pass between any two are
// fewer.
const maxMoves = 128

func init() {
	games.Register(games.Rules{
		Name:    "othello",
		Summary: "Othello: outflank the other's discs to turn them, most discs win",
		Make: func(r *spec.Reader) (games.Game, error) {
			if err := r.Err(); err != nil {
				return nil, err
			}
			return New(), nil
		},
	})
}

type game struct{}

// New returns Othello.
func New() games.Game { return game{} }

var info = games.Info{
	Name: "othello", Seats: 2, Roles: []string{"black", "white"}, Actions: 65, MaxLength: maxMoves,
	MinReturn: -1, MaxReturn: 1,
	// own discs, the other's discs, empty cells, all ones where the seat is to
	// move
	Tensor: []int{4, 8, 8},
}

func (game) Info() games.Info { return info }

func (game) Start() games.State {
	return newState([2]uint64{1<<28 | 1<<35, 1<<27 | 1<<36}, 0)
}

// state holds cell row*8+column in bit row*8+column, row 0 at the top.
type state struct {
	discs  [2]uint64
	open   uint64 // where the seat to move may place a disc
	turn   int8
	length uint8
	moves  [maxMoves]uint8
}

func newState(discs [2]uint64, turn int8) *state {
	return &state{discs: discs, turn: turn, open: placements(discs[turn], discs[1-turn])}
}

// Columns a and h, over whose edge a step to the side would lead.
const (
	columnA = 0x0101010101010101
	columnH = 0x8080808080808080
)

// step moves a set of cells by one in one of eight directions.
func step(set uint64, direction int) uint64 {
	switch direction {
	case 0:
		return set << 8
	case 1:
		return set >> 8
	case 2:
		return set &^ columnH << 1
	case 3:
		return set &^ columnA >> 1
	case 4:
		return set &^ columnH << 9
	case 5:
		return set &^ columnA << 7
	case 6:
		return set &^ columnH >> 7
	}
	return set &^ columnA >> 9
}

// placements are the empty cells from which a straight run of the other's discs
// leads to one's own. A run has six discs at most.
func placements(own, other uint64) uint64 {
	empty, found := ^(own | other), uint64(0)
	for direction := range 8 {
		run := step(own, direction) & other
		for range 5 {
			run |= step(run, direction) & other
		}
		found |= step(run, direction) & empty
	}
	return found
}

// turned are the discs that a placement turns.
func turned(own, other, disc uint64) uint64 {
	out := uint64(0)
	for direction := range 8 {
		run, next := uint64(0), step(disc, direction)
		for next&other != 0 {
			run |= next
			next = step(next, direction)
		}
		if next&own != 0 {
			out |= run
		}
	}
	return out
}

func (s *state) Turn() games.Seat { return games.Seat(s.turn) }

func (s *state) Actions(dst []games.Action) []games.Action {
	if games.Seat(s.turn) == games.Over {
		return dst
	}
	if s.open == 0 {
		return append(dst, Pass)
	}
	for open := s.open; open != 0; open &= open - 1 {
		dst = append(dst, games.Action(bits.TrailingZeros64(open)))
	}
	return dst
}

func (s *state) Odds(dst []float64) []float64 { return dst }

func (s *state) Apply(a games.Action) error {
	legal := games.Seat(s.turn) != games.Over && (a >= 0 && a < Pass && s.open>>a&1 != 0 || a == Pass && s.open == 0)
	if !legal {
		return games.Illegal(s, a)
	}
	own, other := &s.discs[s.turn], &s.discs[1-s.turn]
	if a != Pass {
		disc := uint64(1) << a
		flips := turned(*own, *other, disc)
		*own |= disc | flips
		*other &^= flips
	}
	s.moves[s.length] = uint8(a)
	s.length++
	s.turn = 1 - s.turn
	s.open = placements(*other, *own)
	if s.open == 0 && placements(*own, *other) == 0 {
		s.turn = int8(games.Over)
	}
	return nil
}

func (s *state) Returns(dst []float64) []float64 {
	lead := bits.OnesCount64(s.discs[0]) - bits.OnesCount64(s.discs[1])
	switch {
	case games.Seat(s.turn) != games.Over || lead == 0:
		return append(dst, 0, 0)
	case lead > 0:
		return append(dst, 1, -1)
	}
	return append(dst, -1, 1)
}

func (s *state) Clone() games.State {
	c := *s
	return &c
}

func (s *state) CopyFrom(src games.State) {
	from := src.(*state)
	s.discs, s.open, s.turn, s.length = from.discs, from.open, from.turn, from.length
	copy(s.moves[:from.length], from.moves[:from.length])
}

// AppendKey writes the moves so far, which both seats see: d3 c3 pass.
func (s *state) AppendKey(dst []byte, _ games.Seat) []byte {
	for i, move := range s.moves[:s.length] {
		if i > 0 {
			dst = append(dst, ' ')
		}
		dst = append(dst, name(games.Action(move))...)
	}
	return dst
}

// AppendPosition writes the discs and who is to move.
func (s *state) AppendPosition(dst []byte) []byte {
	dst = binary.LittleEndian.AppendUint64(dst, s.discs[0])
	dst = binary.LittleEndian.AppendUint64(dst, s.discs[1])
	return append(dst, byte(s.turn))
}

func (s *state) Observe(seat games.Seat, dst []float32) {
	clear(dst)
	for cell := range 64 {
		switch {
		case s.discs[seat]>>cell&1 != 0:
			dst[cell] = 1
		case s.discs[1-seat]>>cell&1 != 0:
			dst[64+cell] = 1
		default:
			dst[128+cell] = 1
		}
		if games.Seat(s.turn) == seat {
			dst[192+cell] = 1
		}
	}
}

// name is a cell by column and row, a1 in the upper left corner.
func name(a games.Action) string {
	if a == Pass {
		return "pass"
	}
	return string([]byte{'a' + byte(a%8), '1' + byte(a/8)})
}

// Say names a placement by its cell, as in d3, and pass.
func (s *state) Say(a games.Action) string {
	if a < 0 || a > Pass {
		return strconv.Itoa(int(a))
	}
	return name(a)
}

func (s *state) Hear(text string) (games.Action, error) { return games.Hear(s, text, games.Ids(65)) }

// Board implements games.Drawer.
func (s *state) Board() games.Board {
	return games.BoardOf(8, 8, func(row, column int) string {
		switch cell := 8*row + column; {
		case s.discs[0]>>cell&1 != 0:
			return "x"
		case s.discs[1]>>cell&1 != 0:
			return "o"
		}
		return ""
	})
}

func (s *state) Prompt(seat games.Seat) string {
	var b strings.Builder
	fmt.Fprintf(&b, `Othello on a board of 8 rows and 8 columns. Cells are named by column and row, a1 in the upper left corner, h8 in the lower right one. Black plays x and moves first, white plays o. A move places a disc on an empty cell so that at least one straight line, level, upright or slanting, of the other's discs runs from it to a disc of one's own; all discs on such lines are turned to one's own. Who has no such move passes. When neither has one, the game ends, and whoever has more discs wins (+1, the other -1); as many are a draw (0).

You are player %d (%s) and play %c.
  a b c d e f g h
`, seat, info.Roles[seat], "xo"[seat])
	for row, cells := range s.Board().Cells {
		fmt.Fprintf(&b, "%d", row+1)
		for _, mark := range cells {
			if mark == "" {
				mark = "."
			}
			b.WriteString(" " + mark)
		}
		b.WriteByte('\n')
	}
	if s.length > 0 {
		fmt.Fprintf(&b, "Moves so far: %s\n", s.AppendKey(nil, seat))
	}
	b.WriteString(games.Menu(s, seat))
	return b.String()
}
