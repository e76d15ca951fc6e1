package chess

import "fmt"

// Ends says which draws end a game by themselves.
type Ends string

// OpenSpiel ends a game at the third repetition and after fifty moves of each
// side without a capture or a pawn's move. By the Laws of Chess (2023) players
// may claim a draw there, which is then one more action (9.2.2 and 9.3.2: what
// counts is the position on the board, not one that a move would lead to); a
// game ends by itself at the fifth repetition and after seventy-five moves (9.6).
const (
	OpenSpiel Ends = "openspiel"
	FIDE      Ends = "fide"
)

// limits are the counts at which a draw stands; 0 is never.
type limits struct {
	occurrences int // of one position
	plies       int // without a capture or a pawn's move
}

func (l limits) repeats(p *ply) bool { return l.occurrences > 0 && int(p.occurred) >= l.occurrences }

func (l limits) stalls(p *ply) bool { return l.plies > 0 && int(p.clock) >= l.plies }

// draws are the limits at which a game ends by itself, and those from which on
// the side to move may claim a draw.
type draws struct{ end, claim limits }

var drawsOf = map[Ends]draws{
	OpenSpiel: {end: limits{3, 100}},
	FIDE:      {end: limits{5, 150}, claim: limits{3, 100}},
}

// undrawn never ends a game for want of progress: what was played on was played.
var undrawn = draws{claim: drawsOf[FIDE].claim}

// reason says why a game is over.
type reason uint8

const (
	goesOn reason = iota
	checkmate
	stalemate
	insufficient
	repetition
	noProgress
	claimed
)

func (l limits) text(r reason) string {
	switch r {
	case checkmate:
		return "checkmate"
	case stalemate:
		return "stalemate"
	case insufficient:
		return "insufficient material"
	case repetition:
		return fmt.Sprintf("%d-fold repetition", l.occurrences)
	case noProgress:
		return fmt.Sprintf("%d-move rule", l.plies/2)
	case claimed:
		return "draw claimed"
	}
	return ""
}

// ply is a position of a game with the move that led to it. It is never
// written once it is made, so states share what they have in common.
type ply struct {
	before     *ply // nil at the start
	board      board
	key        uint64 // equal for positions that repeat each other
	move       move
	number     int32 // moves played since the start
	clock      int32 // plies since the last capture or pawn's move
	reversible int32 // plies that a position to be repeated can lie back
	occurred   int32 // how often the position has occurred, this time included
}

// follow sets what a ply knows of those before it. A position can only repeat
// one with the same pieces, pawns and rights to castle, so the search goes no
// further back than those; every second position has the same seat to move.
func (p *ply) follow(resets bool) {
	p.key = p.board.key()
	p.occurred = 1
	before := p.before
	p.number = before.number + 1
	if !resets {
		p.clock = before.clock + 1
		if p.board.castling == before.board.castling {
			p.reversible = before.reversible + 1
		}
	}
	earlier := p
	for back := int32(2); back <= p.reversible; back += 2 {
		earlier = earlier.before.before
		if earlier.key == p.key {
			p.occurred = earlier.occurred + 1
			return
		}
	}
}

// key hashes a position: pieces, side to move, rights to castle, and the square
// of a capture en passant where one is really possible (Laws of Chess, 9.2.3).
func (b *board) key() uint64 {
	hash := mix(uint64(b.turn)<<16 | uint64(b.castling)<<8 | uint64(b.passant+1))
	for seat := range &b.pieces {
		for _, pieces := range &b.pieces[seat] {
			hash = mix(hash ^ pieces)
		}
	}
	return hash
}

// mix is a bijection of 64 bits that changes half of them for each that
// changes: the finalizer of SplitMix64 (Steele, Lea and Flood 2014).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// over judges a position.
func (l limits) over(p *ply, movable bool) reason {
	switch {
	case !movable && p.board.inCheck(p.board.turn):
		return checkmate
	case !movable:
		return stalemate
	case p.board.barren():
		return insufficient
	case l.repeats(p):
		return repetition
	case l.stalls(p):
		return noProgress
	}
	return goesOn
}

// barren tells whether neither side has the material to mate at all: a bare
// king against a king with one knight at most, or bishops of one colour of
// square on both sides. Positions that are dead because pawns block each other
// are not found.
func (b *board) barren() bool {
	var all [kinds]uint64
	for kind := range all {
		all[kind] = b.pieces[black][kind] | b.pieces[white][kind]
	}
	if all[pawn]|all[rook]|all[queen] != 0 {
		return false
	}
	const dark = 0xaa55aa55aa55aa55
	switch count(all[knight]) {
	case 0:
		return all[bishop]&dark == 0 || all[bishop]&^dark == 0
	case 1:
		return all[bishop] == 0
	}
	return false
}
