package chess

import (
	"math/bits"

	notnil "github.com/notnil/chess"
)

// The seats are OpenSpiel's: White moves first and is seat 1.
const (
	black = 0
	white = 1
)

// The kinds of pieces, in the order of AlphaZero's planes.
const (
	pawn = iota
	knight
	bishop
	rook
	queen
	king
	kinds
)

const (
	kindLetters = "PNBRQK"
	squares     = 64
	noSquare    = -1
)

// Squares count from a1 = 0 along the ranks to h8 = 63, as notnil/chess has
// them.
const (
	upright = 56 // square ^ upright is the square seen from the other side
	a1      = 0
	e1      = 4
	h1      = 7
	a8      = a1 ^ upright
	e8      = e1 ^ upright
	h8      = h1 ^ upright
)

// The rights to castle, as bits.
const (
	whiteShort = 1 << iota
	whiteLong
	blackShort
	blackLong
)

// board is a position without clocks, as bits: what notnil's Position holds,
// in a form that is quick to copy, hash and show.
type board struct {
	pieces   [2][kinds]uint64 // by seat and kind
	turn     uint8            // the seat to move
	castling uint8
	passant  int8 // where a pawn can really be captured en passant, or noSquare; see settle
}

// rightsLost are the rights to castle that a move from or to a square ends.
var rightsLost = [squares]uint8{
	e1: whiteShort | whiteLong, h1: whiteShort, a1: whiteLong,
	e8: blackShort | blackLong, h8: blackShort, a8: blackLong,
}

func bit(square int) uint64 { return 1 << square }

func file(square int) int { return square & 7 }

func rank(square int) int { return square >> 3 }

// kindOf translates notnil's order of pieces, which starts with the king.
func kindOf(t notnil.PieceType) int { return int(notnil.Pawn - t) }

func boardOf(p *notnil.Position) board {
	b := board{turn: seatOf(p.Turn()), passant: noSquare}
	for square, piece := range p.Board().SquareMap() {
		b.pieces[seatOf(piece.Color())][kindOf(piece.Type())] |= bit(int(square))
	}
	for i, side := range [...]notnil.Side{notnil.KingSide, notnil.QueenSide} {
		if p.CastleRights().CanCastle(notnil.White, side) {
			b.castling |= whiteShort << i
		}
		if p.CastleRights().CanCastle(notnil.Black, side) {
			b.castling |= blackShort << i
		}
	}
	return b
}

func seatOf(c notnil.Color) uint8 {
	if c == notnil.White {
		return white
	}
	return black
}

// at returns the kind that a seat has on a square, or kinds where it has none.
func (b *board) at(seat uint8, square int) int {
	for kind, pieces := range &b.pieces[seat] {
		if pieces&bit(square) != 0 {
			return kind
		}
	}
	return kinds
}

// side returns all pieces of a seat.
func (b *board) side(seat uint8) uint64 {
	var all uint64
	for _, pieces := range &b.pieces[seat] {
		all |= pieces
	}
	return all
}

// play plays a legal move and tells whether it moves a pawn or captures. The
// square that a pawn has just passed is noted whether or not it can be captured
// there.
func (b *board) play(m move) (resets bool) {
	from, to := int(m.from), int(m.to)
	mine, other := &b.pieces[b.turn], &b.pieces[1-b.turn]
	kind := b.at(b.turn, from)
	mine[kind] ^= bit(from)
	b.passant = noSquare
	switch {
	case m.does&passes != 0:
		other[pawn] ^= bit(to ^ 8) // one rank behind the capturing pawn
	case m.does&captures != 0:
		other[b.at(1-b.turn, to)] ^= bit(to)
	case m.does&castlesShort != 0:
		mine[rook] ^= bit(to-1) | bit(to+1)
	case m.does&castlesLong != 0:
		mine[rook] ^= bit(to+1) | bit(to-2)
	case kind == pawn && (to-from == 16 || from-to == 16):
		b.passant = int8((from + to) / 2)
	}
	if m.promo != pawn {
		mine[m.promo] |= bit(to)
	} else {
		mine[kind] |= bit(to)
	}
	b.castling &^= rightsLost[from] | rightsLost[to]
	b.turn ^= 1
	return kind == pawn || m.does&captures != 0
}

// kingSteps are files and ranks to go: straight ones first, then slanting.
var kingSteps = [8][2]int{{0, 1}, {0, -1}, {1, 0}, {-1, 0}, {1, 1}, {1, -1}, {-1, 1}, {-1, -1}}

// knightSteps are in the order of OpenSpiel's action ids.
var knightSteps = [8][2]int{{-2, -1}, {-2, 1}, {-1, -2}, {-1, 2}, {2, -1}, {2, 1}, {1, -2}, {1, 2}}

// next returns the square a step away, or noSquare beyond the edge.
func next(square int, step [2]int) int {
	f, r := file(square)+step[0], rank(square)+step[1]
	if f < 0 || f > 7 || r < 0 || r > 7 {
		return noSquare
	}
	return r*8 + f
}

// draw writes the board with White below.
func (b *board) draw(dst []byte) []byte {
	for r := 7; r >= 0; r-- {
		dst = append(dst, '1'+byte(r))
		for f := range 8 {
			dst = append(dst, ' ', b.letter(r*8+f))
		}
		dst = append(dst, '\n')
	}
	return append(dst, "  a b c d e f g h\n"...)
}

// letter names what stands on a square as FEN does: upper case for White.
func (b *board) letter(square int) byte {
	if kind := b.at(white, square); kind < kinds {
		return kindLetters[kind]
	}
	if kind := b.at(black, square); kind < kinds {
		return kindLetters[kind] + 'a' - 'A'
	}
	return '.'
}

func count(pieces uint64) int { return bits.OnesCount64(pieces) }
