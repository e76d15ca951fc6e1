package chess

import "github.com/agon-rl/agon/games"

// The planes of AlphaZero (arXiv 1712.01815, table S1).
const (
	remembered  = 8           // positions
	perPosition = 2*kinds + 2 // pieces of both seats, and whether the position occurred before
	constants   = 7
	planes      = remembered*perPosition + constants
	movesScale  = 100 // full moves are shown in hundreds
)

// Observe writes 119 planes of 8 by 8, the seat's own first rank first, files
// from a to h. Each of the last 8 positions, the newest first, has 14: the
// seat's pawns, knights, bishops, rooks, queens and king, then the other's; all
// ones where the position occurred for the second time at least, then where for
// the third. Then come seven with one value each: 1 for White; the number of
// the move, in hundreds; the seat's right to castle on the side of the king and
// of the queen, then the other's; the part of the plies without progress that
// make a draw. Where a draw can be claimed shows in the third time and that part.
func (s *state) Observe(seat games.Seat, dst []float32) {
	clear(dst)
	mine := uint8(seat)
	flip := 0
	if mine == black {
		flip = upright
	}
	plane := func(i int) []float32 { return dst[i*squares : (i+1)*squares] }
	p := s.last
	for i := 0; i < remembered && p != nil; i++ {
		first := i * perPosition
		for square := range squares {
			if kind := p.board.at(mine, square); kind < kinds {
				plane(first + kind)[square^flip] = 1
			} else if kind := p.board.at(1-mine, square); kind < kinds {
				plane(first + kinds + kind)[square^flip] = 1
			}
		}
		for again := range min(2, int(p.occurred)-1) {
			fill(plane(first+2*kinds+again), 1)
		}
		p = p.before
	}
	for i, value := range s.constants(mine) {
		fill(plane(remembered*perPosition+i), value)
	}
}

func (s *state) constants(mine uint8) [constants]float32 {
	p := s.last
	right := func(side uint8) float32 {
		if p.board.castling&side != 0 {
			return 1
		}
		return 0
	}
	rights := [2][2]float32{{right(blackShort), right(blackLong)}, {right(whiteShort), right(whiteLong)}}
	return [constants]float32{
		float32(mine),
		float32(p.fullMove(s.game)) / movesScale,
		rights[mine][0], rights[mine][1], rights[1-mine][0], rights[1-mine][1],
		float32(p.clock) / float32(s.game.draws.end.plies),
	}
}

func fill(dst []float32, value float32) {
	for i := range dst {
		dst[i] = value
	}
}
