package chess

import (
	"regexp"
	"slices"
	"strings"

	"github.com/agon-rl/agon/games"
)

// OpenSpiel's action ids: for each square that a move starts from, as the seat
// to move sees it and counted file by file, 9 promotions to lesser pieces, 56
// moves of a queen and 8 of a knight; then the two ways to castle.
const (
	perSquare   = 73
	queenMoves  = 9
	lineMoves   = 14 // along a rank, a file or a diagonal
	knightMoves = queenMoves + 4*lineMoves
	castleLong  = perSquare * squares
	castleShort = castleLong + 1
	actions     = castleShort + 1
)

// ClaimDraw claims a draw, in games that end as FIDE's: an id that OpenSpiel does
// not have.
const ClaimDraw games.Action = actions

// What a claim is named in text, and among moves as engines name them.
const (
	claimName = "claim draw"
	claimUCI  = "draw"
)

// number is the id of a move other than castling between squares as the seat to
// move sees them; promo is the kind a pawn becomes, or pawn.
func number(from, to, promo int) games.Action {
	right, ahead := file(to)-file(from), rank(to)-rank(from)
	return games.Action((file(from)*8+rank(from))*perSquare + kindOfMove(right, ahead, promo))
}

// kindOfMove numbers the moves from one square: by line, then by how far they
// go, backwards before forwards.
func kindOfMove(right, ahead, promo int) int {
	along := func(line, by int) int {
		if by < 0 {
			by++
		}
		return queenMoves + line*lineMoves + 6 + by
	}
	switch {
	case promo != pawn && promo != queen:
		return 3*(rook-promo) + (right+3)%3 // straight, to the right, to the left
	case right == 0:
		return along(0, ahead)
	case ahead == 0:
		return along(1, right)
	case right == ahead:
		return along(2, right)
	case right == -ahead:
		return along(3, right)
	}
	return knightMoves + slices.Index(knightSteps[:], [2]int{right, ahead})
}

// appendUCI writes a move as engines name it: e2e4, e7e8q.
func appendUCI(dst []byte, m move) []byte {
	dst = appendSquare(appendSquare(dst, int(m.from)), int(m.to))
	if m.promo != pawn {
		dst = append(dst, kindLetters[m.promo]+'a'-'A')
	}
	return dst
}

func appendSquare(dst []byte, square int) []byte {
	return append(dst, 'a'+byte(file(square)), '1'+byte(rank(square)))
}

// appendSAN writes a move in standard algebraic notation, without the mark of
// check or mate.
func appendSAN(dst []byte, m move, b *board, legal []option) []byte {
	switch {
	case m.does&castlesShort != 0:
		return append(dst, "O-O"...)
	case m.does&castlesLong != 0:
		return append(dst, "O-O-O"...)
	}
	takes := m.does&captures != 0
	from := int(m.from)
	if kind := b.at(b.turn, from); kind != pawn {
		dst = append(dst, kindLetters[kind])
		dst = appendOrigin(dst, m, b.pieces[b.turn][kind], legal)
	} else if takes {
		dst = append(dst, 'a'+byte(file(from)))
	}
	if takes {
		dst = append(dst, 'x')
	}
	dst = appendSquare(dst, int(m.to))
	if m.promo != pawn {
		dst = append(dst, '=', kindLetters[m.promo])
	}
	return dst
}

// appendOrigin writes what tells a move from those of its like to the same
// square: the file where that is enough, else the rank, else both.
func appendOrigin(dst []byte, m move, alike uint64, legal []option) []byte {
	from := int(m.from)
	others, sameFile, sameRank := false, false, false
	for _, o := range legal {
		if other := int(o.move.from); other != from && o.move.to == m.to && alike&bit(other) != 0 {
			others = true
			sameFile = sameFile || file(other) == file(from)
			sameRank = sameRank || rank(other) == rank(from)
		}
	}
	if others && (!sameFile || sameRank) {
		dst = append(dst, 'a'+byte(file(from)))
	}
	if sameFile {
		dst = append(dst, '1'+byte(rank(from)))
	}
	return dst
}

// moveText finds the words of a text that read like moves, in upper or lower
// case: SAN, also with more of the origin than it needs; UCI; long algebraic
// notation.
var moveText = regexp.MustCompile(`(?i)\b(?:[O0]-[O0](?:-[O0])?|[KQRBN]?[a-h]?[1-8]?[-x]?[a-h][1-8](?:=?[QRBN])?)\b[+#]?`)

// claimText finds claims in a text.
var claimText = regexp.MustCompile(`(?i)\bclaim(?: a| the)? draw\b`)

// moveParts takes such a word apart where letters have their proper case:
// piece, file and rank it comes from, square it goes to, promotion.
var moveParts = regexp.MustCompile(`^([KQRBN]?)([a-h]?)([1-8]?)[-x]?([a-h][1-8])(?:=?([QRBNqrbn]))?$`)

// find returns the one legal move that a word may mean. Words in the wrong
// case are understood; a pawn's reading goes before a bishop's.
func (s *state) find(word string) (option, bool) {
	word = strings.TrimRight(word, "+#!?")
	if castle := strings.ToUpper(strings.ReplaceAll(word, "0", "O")); strings.HasPrefix(castle, "O-O") {
		return s.only(func(o option) bool {
			return castle == "O-O" && o.action == castleShort || castle == "O-O-O" && o.action == castleLong
		})
	}
	lower := strings.ToLower(word)
	for _, reading := range []string{word, lower, strings.ToUpper(lower[:min(1, len(lower))]) + lower[min(1, len(lower)):]} {
		if parts := moveParts.FindStringSubmatch(reading); parts != nil {
			if o, ok := s.only(func(o option) bool { return s.means(parts, o) }); ok {
				return o, true
			}
		}
	}
	return option{}, false
}

// only returns the one legal move that fits.
func (s *state) only(fits func(option) bool) (option, bool) {
	first := slices.IndexFunc(s.legal, fits)
	if first < 0 || slices.ContainsFunc(s.legal[first+1:], fits) {
		return option{}, false
	}
	return s.legal[first], true
}

// means tells whether the parts of a word fit a legal move.
func (s *state) means(parts []string, o option) bool {
	piece, fromFile, fromRank, to, promo := parts[1], parts[2], parts[3], parts[4], strings.ToUpper(parts[5])
	uci := string(appendUCI(nil, o.move))
	b := &s.last.board
	kind := b.at(b.turn, int(o.move.from))
	promotes := ""
	if p := o.move.promo; p != pawn {
		promotes = kindLetters[p : p+1]
	}
	if uci[2:4] != to || promotes != promo || fromFile != "" && uci[:1] != fromFile || fromRank != "" && uci[1:2] != fromRank {
		return false
	}
	switch {
	case piece == "" && fromFile != "" && fromRank != "":
		return true // UCI names no piece
	case piece == "":
		return kind == pawn && (fromFile != "" || uci[0] == uci[2])
	}
	return kindLetters[kind] == piece[0] && o.action != castleShort && o.action != castleLong
}
