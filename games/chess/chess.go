// Package chess holds chess from any position. Action ids, names, seats and
// returns are those of OpenSpiel's chess: White, who moves first, is seat 1, and
// moves are named in standard algebraic notation (SAN). Positions are read by
// github.com/notnil/chess, which is also what the moves made here are tested
// against: its own cost ten times as much. When a game is drawn is decided here;
// for FEN and PGN see pgn.go.
//
// OpenSpiel notes a square for captures en passant wherever a pawn stands ready,
// even one that is pinned. Here it counts only where the capture is legal, as in
// the Laws of Chess, so that very rarely a game ends by repetition earlier.
package chess

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/internal/spec"
)

func init() {
	games.Register(games.Rules{
		Name:    "chess",
		Summary: "Chess: mate the other side's king",
		Params: []games.Param{
			{Name: "ends", Default: string(OpenSpiel), Help: "which draws end the game by themselves. openspiel: third repetition, 50 moves; fide: fifth repetition, 75 moves, and from the third and 50 on a draw can be claimed (action 4674)"},
			{Name: "fen", Default: "the usual start", Help: "position to start from, in Forsyth-Edwards notation"},
		},
		Make: func(r *spec.Reader) (games.Game, error) {
			ends := r.Choice("ends", string(OpenSpiel), string(OpenSpiel), string(FIDE))
			fen := r.String("fen", StartFEN)
			if err := r.Err(); err != nil {
				return nil, err
			}
			return New(fen, Ends(ends))
		},
	})
}

type game struct {
	info   games.Info
	draws  draws
	number int // of the first move, as in FEN
	start  state
}

// New returns chess from a position in Forsyth-Edwards notation.
func New(fen string, ends Ends) (games.Game, error) {
	draws, ok := drawsOf[ends]
	if !ok {
		return nil, fmt.Errorf("chess: ends=%s: expected %s, %s", ends, OpenSpiel, FIDE)
	}
	return newGame(fen, ends, draws)
}

func newGame(fen string, ends Ends, draws draws) (*game, error) {
	start, err := readFEN(fen)
	if err != nil {
		return nil, fmt.Errorf("chess: fen=%q: %w", fen, err)
	}
	g := &game{draws: draws, number: start.number}
	first := &ply{board: start.board, clock: int32(start.clock), occurred: 1}
	g.start = state{game: g, legal: first.board.settle(), last: first}
	first.key = first.board.key()
	g.start.over = draws.end.over(first, len(g.start.legal) > 0)
	name := spec.Spec{Name: "chess"}
	if ends != OpenSpiel {
		name.Args = append(name.Args, spec.Arg{Key: "ends", Value: string(ends)})
	}
	if text := g.start.fen(); text != StartFEN {
		name.Args = append(name.Args, spec.Arg{Key: "fen", Value: text})
	}
	g.info = games.Info{
		Name:      name.String(),
		Seats:     2,
		Roles:     []string{"black", "white"},
		Actions:   actions,
		MaxLength: maxLength(&first.board, draws.end.plies),
		MinReturn: -1,
		MaxReturn: 1,
		Tensor:    []int{planes, 8, 8},
	}
	if g.claims() {
		g.info.Actions++
	}
	return g, nil
}

// maxLength bounds a game's length: between two of the moves that cannot be
// taken back, captures and steps of pawns, at most plies are played.
func maxLength(b *board, plies int) int {
	final := count(b.side(black)|b.side(white)) - 2
	for square := range squares {
		if b.pieces[white][pawn]&bit(square) != 0 {
			final += 7 - rank(square)
		}
		if b.pieces[black][pawn]&bit(square) != 0 {
			final += rank(square)
		}
	}
	return (final + 1) * plies
}

func (g *game) Info() games.Info { return g.info }

// claims tells whether draws can be claimed at all.
func (g *game) claims() bool { return g.draws.claim != limits{} }

func (g *game) Start() games.State { return g.start.Clone() }

// state points at things that are never written once they are made. So copies
// are quick, and goroutines may play on from copies of one state at a time.
type state struct {
	game  *game
	legal []option
	last  *ply
	over  reason
}

func (s *state) Turn() games.Seat {
	if s.over != goesOn {
		return games.Over
	}
	return games.Seat(s.last.board.turn)
}

func (s *state) Actions(dst []games.Action) []games.Action {
	if s.over != goesOn {
		return dst
	}
	for _, o := range s.legal {
		dst = append(dst, o.action)
	}
	if s.claimable() {
		dst = append(dst, ClaimDraw)
	}
	return dst
}

// claimable tells whether the side to move may claim a draw.
func (s *state) claimable() bool {
	claim := s.game.draws.claim
	return s.over == goesOn && (claim.repeats(s.last) || claim.stalls(s.last))
}

func (s *state) Odds(dst []float64) []float64 { return dst }

func (s *state) Apply(a games.Action) error {
	if a == ClaimDraw && s.claimable() {
		s.over = claimed
		return nil
	}
	o, ok := s.option(a)
	if !ok || s.over != goesOn {
		return games.Illegal(s, a)
	}
	p := &ply{before: s.last, board: s.last.board, move: o.move}
	resets := p.board.play(o.move)
	s.legal = p.board.settle()
	s.last = p
	p.follow(resets)
	s.over = s.game.draws.end.over(p, len(s.legal) > 0)
	return nil
}

// settle returns the legal moves, and forgets a square en passant where none of
// them captures.
func (b *board) settle() []option {
	legal := b.generate()
	if b.passant == noSquare {
		return legal
	}
	if !slices.ContainsFunc(legal, func(o option) bool { return o.move.does&passes != 0 }) {
		b.passant = noSquare
	}
	return legal
}

// option returns the legal move with an id.
func (s *state) option(a games.Action) (option, bool) {
	i, ok := slices.BinarySearchFunc(s.legal, a, func(o option, a games.Action) int { return int(int64(o.action) - int64(a)) })
	if !ok {
		return option{}, false
	}
	return s.legal[i], true
}

func (s *state) Returns(dst []float64) []float64 {
	switch {
	case s.over != checkmate:
		return append(dst, 0, 0)
	case s.last.board.turn == black:
		return append(dst, -1, 1)
	}
	return append(dst, 1, -1)
}

func (s *state) Clone() games.State {
	c := *s
	return &c
}

func (s *state) CopyFrom(src games.State) { *s = *src.(*state) }

// AppendKey writes the moves so far and a claim, which both seats see: e2e4 e7e5.
func (s *state) AppendKey(dst []byte, _ games.Seat) []byte {
	dst = s.last.appendMoves(dst)
	if s.over != claimed {
		return dst
	}
	if s.last.before != nil {
		dst = append(dst, ' ')
	}
	return append(dst, claimUCI...)
}

func (p *ply) appendMoves(dst []byte) []byte {
	if p.before == nil {
		return dst
	}
	dst = p.before.appendMoves(dst)
	if p.before.before != nil {
		dst = append(dst, ' ')
	}
	return appendUCI(dst, p.move)
}

// AppendPosition writes the board, the clock, which positions have occurred
// since they can occur again, and a claim.
func (s *state) AppendPosition(dst []byte) []byte {
	p := s.last
	for seat := range &p.board.pieces {
		for _, pieces := range &p.board.pieces[seat] {
			dst = binary.LittleEndian.AppendUint64(dst, pieces)
		}
	}
	dst = append(dst, p.board.turn, p.board.castling, byte(p.board.passant))
	dst = binary.LittleEndian.AppendUint32(dst, uint32(p.clock))
	keys := make([]uint64, 0, p.reversible+1)
	for q := p; len(keys) <= int(p.reversible); q = q.before {
		keys = append(keys, q.key)
	}
	slices.Sort(keys)
	for _, key := range keys {
		dst = binary.LittleEndian.AppendUint64(dst, key)
	}
	if s.over == claimed {
		dst = append(dst, claimUCI...)
	}
	return dst
}

// Say names a legal move in SAN, and a claim.
func (s *state) Say(a games.Action) string {
	if a == ClaimDraw && s.claimable() {
		return claimName
	}
	o, ok := s.option(a)
	if !ok {
		return strconv.Itoa(int(a))
	}
	return string(appendName(nil, o.move, &s.last.board, s.legal))
}

// appendName writes a legal move in SAN, with the mark of check or mate.
func appendName(dst []byte, m move, before *board, legal []option) []byte {
	dst = appendSAN(dst, m, before, legal)
	after := *before
	after.play(m)
	if !after.inCheck(after.turn) {
		return dst
	}
	if len(after.settle()) == 0 {
		return append(dst, '#')
	}
	return append(dst, '+')
}

// Board implements games.Drawer.
func (s *state) Board() games.Board {
	return games.BoardOf(8, 8, func(row, column int) string {
		square := (7-row)*8 + column
		for seat, signs := range [...][]rune{[]rune("♟♞♝♜♛♚"), []rune("♙♘♗♖♕♔")} {
			if kind := s.last.board.at(uint8(seat), square); kind < kinds {
				return string(signs[kind])
			}
		}
		return ""
	})
}

// Hear understands SAN, UCI and long algebraic notation as well as ids. Upper
// and lower case matter only where they tell a bishop from a pawn.
func (s *state) Hear(text string) (games.Action, error) {
	var closed []string
	// Moves are replaced by ids in brackets, those that are not legal by
	// numbers below zero.
	numbered := moveText.ReplaceAllStringFunc(text, func(word string) string {
		if o, ok := s.find(word); ok {
			return fmt.Sprintf("[%d]", o.action)
		}
		closed = append(closed, word)
		return fmt.Sprintf("[%d]", -len(closed))
	})
	if s.game.claims() {
		numbered = claimText.ReplaceAllString(numbered, fmt.Sprintf("[%d]", ClaimDraw))
	}
	listener := &listener{state: s, closed: closed}
	a, err := games.Hear(listener, numbered, listener.candidates())
	if err != nil && !errors.Is(err, games.ErrIllegal) {
		return games.Hear(s, text, nil) // nothing is found: say so in the text's own words
	}
	return a, err
}

// listener is a state that can also name the moves, and the claim, that are not
// legal.
type listener struct {
	*state
	closed []string
}

func (l *listener) candidates() []games.Action {
	var out []games.Action
	for i := range l.closed {
		out = append(out, games.Action(-1-i))
	}
	if l.game.claims() {
		out = append(out, ClaimDraw)
	}
	return out
}

func (l *listener) Say(a games.Action) string {
	if i := -1 - int(a); i >= 0 && i < len(l.closed) {
		return l.closed[i]
	}
	if a == ClaimDraw && l.game.claims() {
		return claimName
	}
	return l.state.Say(a)
}

const rules = `Chess. Player 1 has the white pieces and moves first, player 0 the black ones; they take turns to move one piece to an empty square or onto a piece of the other side, which is captured. The board has files a to h from left to right and ranks 1 to 8, White's side being rank 1.
- A rook (R) moves any distance along its file or rank, a bishop (B) along its diagonals, a queen (Q) along all of these; none of them can pass over a piece. A king (K) moves one square in any direction. A knight (N) jumps two squares along a file or rank and one across.
- A pawn moves one square ahead to an empty square, or two from where it started if both are empty. It captures one square slantwise ahead. A pawn that has just moved two squares can be captured on the very next move by a pawn as if it had moved one (en passant). A pawn that reaches the last rank becomes a queen, rook, bishop or knight of its side.
- Castling: a king that has never moved goes two squares towards a rook of its side that has never moved, and the rook goes to the square that the king passed. All squares between them must be empty, and the king must not be attacked before, on its way or after.
- No move may leave one's own king attacked (in check). Whoever is in check and has no move is mated and loses: the other has +1, the loser -1.
- A draw (0 for both): the side to move is not in check and has no move (stalemate); neither side has the pieces to mate with; the same position, with the same side to move and the same moves open, occurs for the %[1]s time; %[2]d moves of each side pass without a capture and without a pawn's move. These draws come by themselves%[3]s.
A move is named in standard algebraic notation: the letter of the piece (none for pawns), x for a capture, the square it goes to, as in e4, Nf3, exd5, Qxh7; the file or rank it comes from where two pieces of a kind could go there, as in Nbd2, R1e2; =Q for promotion to a queen, O-O for castling on the side of file h, O-O-O on the side of file a, + for check, # for mate. Names such as e2e4 or e7e8q, with the squares it comes from and goes to, are understood as well.
`

// How the rules on draws end.
const (
	withoutClaims = " and cannot be claimed or offered"
	withClaims    = ". Where the same position has occurred for the %s time, or %d moves of each side have passed so, whoever is to move may instead claim a draw: claim draw. Draws cannot be offered"
)

var ordinals = map[int]string{3: "third", 5: "fifth"}

func (s *state) Prompt(seat games.Seat) string {
	end, claim := s.game.draws.end, s.game.draws.claim
	claims := withoutClaims
	if s.game.claims() {
		claims = fmt.Sprintf(withClaims, ordinals[claim.occurrences], claim.plies/2)
	}
	var b strings.Builder
	fmt.Fprintf(&b, rules, ordinals[end.occurrences], end.plies/2, claims)
	fmt.Fprintf(&b, "\nYou are player %d (%s).\n", seat, s.game.info.Roles[seat])
	if s.last.number > 0 {
		fmt.Fprintf(&b, "Moves so far: %s\n", s.last.appendSANs(nil, s.game))
	}
	fmt.Fprintf(&b, "The board, White's pieces in upper case, Black's in lower case:\n%sThe position in Forsyth-Edwards notation: %s\n", s.last.board.draw(nil), s.fen())
	if p := s.last; p.occurred > 1 {
		fmt.Fprintf(&b, "It has occurred %d times.\n", p.occurred)
	}
	if s.claimable() {
		fmt.Fprintf(&b, "A draw can be claimed: %s [%d].\n", claimName, ClaimDraw)
	}
	if s.over != goesOn {
		fmt.Fprintf(&b, "It is the end: %s.\n", end.text(s.over))
	} else if s.last.board.inCheck(s.last.board.turn) {
		fmt.Fprintf(&b, "%s is in check.\n", [...]string{"Black", "White"}[s.last.board.turn])
	}
	b.WriteString(games.Menu(s, seat))
	return b.String()
}

// appendSANs writes the moves so far with their numbers: 1. e4 e5 2. Nf3.
func (p *ply) appendSANs(dst []byte, g *game) []byte {
	if p.before == nil {
		return dst
	}
	dst = p.before.appendSANs(dst, g)
	first := p.before.before == nil
	if !first {
		dst = append(dst, ' ')
	}
	if mover := p.before.board.turn; mover == white {
		dst = fmt.Appendf(dst, "%d. ", p.before.fullMove(g))
	} else if first {
		dst = fmt.Appendf(dst, "%d... ", p.before.fullMove(g))
	}
	before := p.before.board
	return appendName(dst, p.move, &before, before.settle())
}

// fullMove is the number of the move that is next, as in FEN.
func (p *ply) fullMove(g *game) int {
	ofBlack := 1 - int(g.start.last.board.turn)
	return g.number + (int(p.number)+ofBlack)/2
}
