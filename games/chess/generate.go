package chess

import (
	"math/bits"
	"slices"

	"github.com/agon-rl/agon/games"
)

// move is a legal move, told by what it does to the board.
type move struct {
	from, to uint8
	promo    uint8 // the kind a pawn becomes, or pawn for none
	does     uint8
}

// What a move does beside going from a square to another.
const (
	captures = 1 << iota
	passes   // captures en passant
	castlesShort
	castlesLong
)

// option is a legal move with its id.
type option struct {
	action games.Action
	move   move
}

// The lines along which pieces move, in the order of OpenSpiel's ids, as the
// seat to move sees them.
const (
	alongFile = iota
	alongRank
	alongRising // from the left below to the right above
	alongFalling
	lines
)

// Tables by square, filled once.
var (
	rays     [8][squares]uint64 // in the directions of kingSteps
	lineOf   [2][lines][squares]uint64
	knights  [squares]uint64
	kings    [squares]uint64
	hits     [2][squares]uint64          // where a seat's pawn on the square captures
	between  [squares][squares]uint64    // squares strictly between two on a line
	jumps    [2][squares][8]int8         // a knight's targets in the order of knightSteps, as the seat sees them, or noSquare
	numbers  [2][squares][squares]uint16 // ids of moves without promotion, castling aside
	fileMask = uint64(0x0101010101010101)
)

func init() {
	for from := range squares {
		for i, step := range kingSteps {
			for to := next(from, step); to != noSquare; to = next(to, step) {
				between[from][to] = rays[i][from]
				rays[i][from] |= bit(to)
			}
			if to := next(from, step); to != noSquare {
				kings[from] |= bit(to)
			}
		}
		for seat, ahead := range [2]int{black: -1, white: 1} {
			for _, aside := range [...]int{-1, 1} {
				if to := next(from, [2]int{aside, ahead}); to != noSquare {
					hits[seat][from] |= bit(to)
				}
			}
			for i, step := range knightSteps {
				to := next(from, [2]int{step[0], step[1] * ahead})
				jumps[seat][from][i] = int8(to)
				if to != noSquare {
					knights[from] |= bit(to)
				}
			}
		}
	}
	for from := range squares {
		file, rank := rays[0][from]|rays[1][from], rays[2][from]|rays[3][from]
		rising, falling := rays[4][from]|rays[7][from], rays[5][from]|rays[6][from]
		lineOf[white][alongFile][from], lineOf[black][alongFile][from] = file, file
		lineOf[white][alongRank][from], lineOf[black][alongRank][from] = rank, rank
		lineOf[white][alongRising][from], lineOf[black][alongFalling][from] = rising, rising
		lineOf[white][alongFalling][from], lineOf[black][alongRising][from] = falling, falling
		for to := range squares {
			if (file|rank|rising|falling|knights[from])&bit(to) != 0 {
				numbers[white][from][to] = uint16(number(from, to, pawn))
				numbers[black][from][to] = uint16(number(from^upright, to^upright, pawn))
			}
		}
	}
}

// slide returns the squares that a piece on a square reaches in the directions
// from first to last of kingSteps, the first occupied one of each included.
func slide(square int, occupied uint64, first, last int) uint64 {
	var reached uint64
	for i := first; i < last; i++ {
		ray := rays[i][square]
		if blockers := ray & occupied; blockers != 0 {
			near := bits.TrailingZeros64(blockers)
			if descends[i] {
				near = 63 - bits.LeadingZeros64(blockers)
			}
			ray ^= rays[i][near]
		}
		reached |= ray
	}
	return reached
}

// descends tells which of kingSteps lead to lower squares.
var descends = [8]bool{1: true, 3: true, 5: true, 7: true}

func straight(square int, occupied uint64) uint64 { return slide(square, occupied, 0, 4) }

func slanted(square int, occupied uint64) uint64 { return slide(square, occupied, 4, 8) }

// attackers returns the pieces of a seat that attack a square.
func (b *board) attackers(seat uint8, square int, occupied uint64) uint64 {
	p := &b.pieces[seat]
	return knights[square]&p[knight] | kings[square]&p[king] | hits[1-seat][square]&p[pawn] |
		straight(square, occupied)&(p[rook]|p[queen]) | slanted(square, occupied)&(p[bishop]|p[queen])
}

// inCheck tells whether the king of a seat is attacked.
func (b *board) inCheck(seat uint8) bool {
	return b.attackers(1-seat, bits.TrailingZeros64(b.pieces[seat][king]), b.side(black)|b.side(white)) != 0
}

// attacked returns all squares that a seat attacks.
func (b *board) attacked(seat uint8, occupied uint64) uint64 {
	p := &b.pieces[seat]
	var all uint64
	for from := range each(p[rook] | p[queen]) {
		all |= straight(from, occupied)
	}
	for from := range each(p[bishop] | p[queen]) {
		all |= slanted(from, occupied)
	}
	for from := range each(p[knight]) {
		all |= knights[from]
	}
	for from := range each(p[pawn]) {
		all |= hits[seat][from]
	}
	return all | kings[bits.TrailingZeros64(p[king])]
}

// each yields the squares of a set, the lowest first.
func each(set uint64) func(yield func(int) bool) {
	return func(yield func(int) bool) {
		for ; set != 0; set &= set - 1 {
			if !yield(bits.TrailingZeros64(set)) {
				return
			}
		}
	}
}

// generator holds what the legal moves of one position depend on.
type generator struct {
	*board
	seat           uint8
	mine, others   uint64
	occupied, safe uint64 // safe: where the king is not attacked
	king           int
	allowed        uint64 // where pieces other than the king may go: in check, where that ends it
	pinned         uint64
	count          int
	out            [mostMoves]option
}

// mostMoves is more than any position has: 218 are known.
const mostMoves = 256

// generate returns the legal moves in ascending order of their ids. The square
// en passant may be one where nothing can be captured.
func (b *board) generate() []option {
	g := generator{board: b, seat: b.turn, mine: b.side(b.turn), others: b.side(1 - b.turn)}
	g.occupied = g.mine | g.others
	g.king = bits.TrailingZeros64(b.pieces[g.seat][king])
	g.safe = ^b.attacked(1-g.seat, g.occupied&^bit(g.king)) // no hiding in one's own shadow
	checkers := b.attackers(1-g.seat, g.king, g.occupied)
	switch count(checkers) {
	case 0:
		g.allowed = ^uint64(0)
	case 1:
		g.allowed = checkers | between[g.king][bits.TrailingZeros64(checkers)]
	}
	g.pin()
	for f := range 8 {
		column := g.mine & (fileMask << f)
		for column != 0 {
			from := bits.TrailingZeros64(column)
			if g.seat == black {
				from = 63 - bits.LeadingZeros64(column)
			}
			column &^= bit(from)
			g.piece(from)
		}
	}
	if checkers == 0 {
		g.castle()
	}
	return slices.Clone(g.out[:g.count])
}

// pin finds the pieces that must not leave the line from the king.
func (g *generator) pin() {
	p := &g.pieces[1-g.seat]
	snipers := straight(g.king, g.others)&(p[rook]|p[queen]) | slanted(g.king, g.others)&(p[bishop]|p[queen])
	for from := range each(snipers) {
		if blockers := between[g.king][from] & g.mine; count(blockers) == 1 {
			g.pinned |= blockers
		}
	}
}

// targets restricts where a piece may go to what leaves the king safe.
func (g *generator) targets(from int, reached uint64) uint64 {
	reached &= g.allowed &^ g.mine
	if g.pinned&bit(from) != 0 {
		reached &= g.through(from)
	}
	return reached
}

// through is the line through the king and a square.
func (g *generator) through(square int) uint64 {
	for line := range lines {
		if l := lineOf[white][line][g.king]; l&bit(square) != 0 {
			return l
		}
	}
	return 0
}

// piece appends the moves of the piece on a square.
func (g *generator) piece(from int) {
	switch g.at(g.seat, from) {
	case pawn:
		g.pawn(from)
	case knight:
		reached := g.targets(from, knights[from])
		if reached == 0 {
			return
		}
		for _, to := range jumps[g.seat][from] {
			if to != noSquare && reached&bit(int(to)) != 0 {
				g.add(from, int(to), 0)
			}
		}
	case bishop:
		g.along(from, g.targets(from, slanted(from, g.occupied)))
	case rook:
		g.along(from, g.targets(from, straight(from, g.occupied)))
	case queen:
		g.along(from, g.targets(from, straight(from, g.occupied)|slanted(from, g.occupied)))
	case king:
		g.along(from, kings[from]&g.safe&^g.mine)
	}
}

// along appends moves along lines in the order of their ids: by line, from the
// far left, or below, to the far right.
func (g *generator) along(from int, reached uint64) {
	for line := range lines {
		some := reached & lineOf[g.seat][line][from]
		// Squares count upwards to the right along ranks, and upwards along
		// the file and the rising line as White sees them.
		upwards := line == alongRank || (line == alongFalling) == (g.seat == black)
		for some != 0 {
			to := bits.TrailingZeros64(some)
			if !upwards {
				to = 63 - bits.LeadingZeros64(some)
			}
			some &^= bit(to)
			g.add(from, to, 0)
		}
	}
}

func (g *generator) add(from, to int, does uint8) {
	if g.others&bit(to) != 0 {
		does |= captures
	}
	g.put(games.Action(numbers[g.seat][from][to]), move{from: uint8(from), to: uint8(to), does: does})
}

func (g *generator) put(a games.Action, m move) {
	g.out[g.count] = option{a, m}
	g.count++
}

// pawn appends the moves of a pawn.
func (g *generator) pawn(from int) {
	ahead, home, last := 8, 1, 7
	if g.seat == black {
		ahead, home, last = -8, 6, 0
	}
	reached := hits[g.seat][from] & g.others
	if to := from + ahead; g.occupied&bit(to) == 0 {
		reached |= bit(to)
		if rank(from) == home && g.occupied&bit(to+ahead) == 0 {
			reached |= bit(to + ahead)
		}
	}
	reached = g.targets(from, reached)
	if reached != 0 && rank(from+ahead) == last {
		g.promote(from, reached)
		return
	}
	passant := g.passant != noSquare && hits[g.seat][from]&bit(int(g.passant)) != 0 && g.passable(from)
	if passant {
		reached |= bit(int(g.passant))
	}
	first := g.count
	g.along(from, reached)
	if passant {
		for i := first; i < g.count; i++ {
			if o := &g.out[i]; int(o.move.to) == int(g.passant) {
				o.move.does = captures | passes
			}
		}
	}
}

// passable tells whether a capture en passant leaves the king safe: two pawns
// leave their squares at once.
func (g *generator) passable(from int) bool {
	taken := bit(int(g.passant) ^ 8) // one rank behind
	occupied := g.occupied&^bit(from)&^taken | bit(int(g.passant))
	return g.attackers(1-g.seat, g.king, occupied)&^taken == 0
}

// promote appends the moves of a pawn to the last rank: to lesser pieces, each
// straight, to the right and to the left, as the seat sees it, then to a queen.
func (g *generator) promote(from int, reached uint64) {
	ahead := 8
	if g.seat == black {
		ahead = -8
	}
	for kind := rook; kind >= knight; kind-- {
		for _, right := range [...]int{0, 1, -1} {
			if to := from + ahead + right; to >= 0 && to < squares && reached&bit(to) != 0 {
				g.addPromotion(from, to, kind)
			}
		}
	}
	first := g.count
	g.along(from, reached)
	for i := first; i < g.count; i++ {
		g.out[i].move.promo = queen
	}
}

func (g *generator) addPromotion(from, to, kind int) {
	m := move{from: uint8(from), to: uint8(to), promo: uint8(kind)}
	if g.others&bit(to) != 0 {
		m.does = captures
	}
	if g.seat == black {
		from, to = from^upright, to^upright
	}
	g.put(number(from, to, kind), m)
}

// castle appends the ways to castle.
func (g *generator) castle() {
	long, short := whiteLong, whiteShort
	if g.seat == black {
		long, short = blackLong, blackShort
	}
	k := g.king
	if g.castling&uint8(long) != 0 && g.occupied&(bit(k-1)|bit(k-2)|bit(k-3)) == 0 && g.safe&bit(k-1) != 0 && g.safe&bit(k-2) != 0 {
		g.put(castleLong, move{from: uint8(k), to: uint8(k - 2), does: castlesLong})
	}
	if g.castling&uint8(short) != 0 && g.occupied&(bit(k+1)|bit(k+2)) == 0 && g.safe&bit(k+1) != 0 && g.safe&bit(k+2) != 0 {
		g.put(castleShort, move{from: uint8(k), to: uint8(k + 2), does: castlesShort})
	}
}
