package chess

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	notnil "github.com/notnil/chess"

	"github.com/agon-rl/agon/games"
)

// StartFEN is the usual position to start from.
const StartFEN = "rnbqkbnr/pppppppp/8/8/8/8/PPPPPPPP/RNBQKBNR w KQkq - 0 1"

// start is what a FEN says.
type start struct {
	board         board
	clock, number int
}

// readFEN reads a position. It refuses what no game of chess can hold and
// notnil would take: its moves are only right where kings, pawns, rights to
// castle and the square en passant are.
func readFEN(fen string) (start, error) {
	const mostMoves = 10000
	parts := strings.Fields(fen)
	if len(parts) == 4 {
		parts = append(parts, "0", "1")
	}
	if len(parts) != 6 {
		return start{}, fmt.Errorf("%d fields, expected board, side to move, castling, en passant, half-move clock and move number, as in %s", len(parts), StartFEN)
	}
	var clocks [2]int
	for i, text := range parts[4:] {
		n, err := strconv.Atoi(text)
		if err != nil || n < i || n > mostMoves {
			return start{}, fmt.Errorf("%s is %s, expected a whole number from %d to %d", [...]string{"the half-move clock", "the move number"}[i], text, i, mostMoves)
		}
		clocks[i] = n
	}
	position := &notnil.Position{}
	if err := position.UnmarshalText([]byte(strings.Join(parts, " "))); err != nil {
		return start{}, errors.New(strings.TrimPrefix(err.Error(), "chess: fen "))
	}
	b := boardOf(position)
	if err := b.sound(); err != nil {
		return start{}, err
	}
	if square := position.EnPassantSquare(); square != notnil.NoSquare {
		if !b.justPassed(int(square)) {
			return start{}, fmt.Errorf("en-passant square %s: no pawn can just have passed it", square)
		}
		b.passant = int8(square)
	}
	return start{b, clocks[0], clocks[1]}, nil
}

// sound refuses positions that cannot arise.
func (b *board) sound() error {
	names := [...]string{"Black", "White"}
	for seat, name := range names {
		if n := count(b.pieces[seat][king]); n != 1 {
			return fmt.Errorf("%s has %d kings, expected one", name, n)
		}
		const lastRanks = 0xff000000000000ff
		if b.pieces[seat][pawn]&lastRanks != 0 {
			return fmt.Errorf("%s has a pawn on the first or last rank", name)
		}
		if b.promoted(uint8(seat)) > 8-count(b.pieces[seat][pawn]) {
			return fmt.Errorf("%s has more pieces than a game can give: each beyond the first costs a pawn", name)
		}
	}
	if b.inCheck(1 - b.turn) {
		return fmt.Errorf("%s is in check and %s is to move", names[1-b.turn], names[b.turn])
	}
	for i, right := range [...]struct {
		seat       uint8
		king, rook int
	}{{white, e1, h1}, {white, e1, a1}, {black, e8, h8}, {black, e8, a8}} {
		if b.castling>>i&1 != 0 && (b.at(right.seat, right.king) != king || b.at(right.seat, right.rook) != rook) {
			return fmt.Errorf("castling %q: the king or the rook is not where it starts", "KQkq"[i:i+1])
		}
	}
	return nil
}

// promoted counts the pieces that a seat did not start with.
func (b *board) promoted(seat uint8) int {
	sum := 0
	for kind, own := range [...]int{knight: 2, bishop: 2, rook: 2, queen: 1} {
		if kind != pawn {
			sum += max(0, count(b.pieces[seat][kind])-own)
		}
	}
	return sum
}

// justPassed tells whether a pawn of the side that is not to move can have
// passed a square in its last move.
func (b *board) justPassed(square int) bool {
	behind, passed := 5, -8 // as White, to move, sees them
	if b.turn == black {
		behind, passed = 2, 8
	}
	empty := ^(b.side(black) | b.side(white))
	return rank(square) == behind && b.pieces[1-b.turn][pawn]&bit(square+passed) != 0 &&
		empty&bit(square) != 0 && empty&bit(square-passed) != 0
}

// fen writes the position. The square en passant is left out where nothing can
// be captured there.
func (s *state) fen() string {
	p := s.last
	passant := "-"
	if p.board.passant != noSquare {
		passant = string(appendSquare(nil, int(p.board.passant)))
	}
	castling := ""
	for i := range 4 {
		if p.board.castling>>i&1 != 0 {
			castling += "KQkq"[i : i+1]
		}
	}
	if castling == "" {
		castling = "-"
	}
	return fmt.Sprintf("%s %c %s %s %d %d", p.board.placement(), "bw"[p.board.turn], castling, passant, p.clock, p.fullMove(s.game))
}

// placement writes where the pieces are, as FEN does.
func (b *board) placement() string {
	var out []byte
	for r := 7; r >= 0; r-- {
		empty := byte('0')
		for f := range 8 {
			letter := b.letter(r*8 + f)
			if letter == '.' {
				empty++
				continue
			}
			if empty > '0' {
				out = append(out, empty)
			}
			out, empty = append(out, letter), '0'
		}
		if empty > '0' {
			out = append(out, empty)
		}
		if r > 0 {
			out = append(out, '/')
		}
	}
	return string(out)
}

// errNotChess is what the functions below give for states of other games.
var errNotChess = errors.New("chess: the state is not one of chess")

// FEN writes the position of a state of chess.
func FEN(s games.State) (string, error) {
	c, ok := s.(*state)
	if !ok {
		return "", errNotChess
	}
	return c.fen(), nil
}

// UCI names a legal action of a state of chess as engines do: e2e4, e7e8q. A
// claim, which engines do not know, is named draw.
func UCI(s games.State, a games.Action) (string, error) {
	c, ok := s.(*state)
	if !ok {
		return "", errNotChess
	}
	if a == ClaimDraw && c.claimable() {
		return claimUCI, nil
	}
	o, ok := c.option(a)
	if !ok {
		return "", games.Illegal(s, a)
	}
	return string(appendUCI(nil, o.move)), nil
}

// Find returns the legal action that a word names, in SAN or as engines do, or
// that claims a draw.
func Find(s games.State, word string) (games.Action, error) {
	c, ok := s.(*state)
	if !ok {
		return 0, errNotChess
	}
	if (word == claimName || word == claimUCI) && c.claimable() {
		return ClaimDraw, nil
	}
	o, ok := c.find(word)
	if !ok || c.over != goesOn {
		return 0, fmt.Errorf("%w %q at %s", games.ErrIllegal, word, c.fen())
	}
	return o.action, nil
}

// Reason says why a game of chess is over, such as checkmate or stalemate. It
// is empty for games that go on and for other games.
func Reason(s games.State) string {
	if c, ok := s.(*state); ok {
		return c.game.draws.end.text(c.over)
	}
	return ""
}

// Tag is a line that says something about a game in PGN.
type Tag struct{ Name, Value string }

// Record is a game as a PGN file holds it.
type Record struct {
	Tags   []Tag          // without Result, SetUp and FEN
	FEN    string         // where the game starts
	Moves  []games.Action // the last may be ClaimDraw
	Result string         // 1-0, 0-1, 1/2-1/2, or * for a game that goes on
}

// NewRecord records the game that led to a state of chess.
func NewRecord(s games.State) (Record, error) {
	c, ok := s.(*state)
	if !ok {
		return Record{}, errNotChess
	}
	r := Record{FEN: c.game.start.fen(), Result: "*"}
	for p := c.last; p.before != nil; p = p.before {
		r.Moves = append(r.Moves, p.action())
	}
	slices.Reverse(r.Moves)
	if c.over == claimed {
		r.Moves = append(r.Moves, ClaimDraw)
	}
	if c.over != goesOn {
		r.Result = map[float64]string{1: "1-0", 0: drawn, -1: "0-1"}[c.Returns(nil)[white]]
	}
	return r, nil
}

// action is the id of the move that led to a ply.
func (p *ply) action() games.Action {
	m := p.move
	switch from, to := int(m.from), int(m.to); {
	case m.does&castlesShort != 0:
		return castleShort
	case m.does&castlesLong != 0:
		return castleLong
	case p.before.board.turn == black:
		return number(from^upright, to^upright, int(m.promo))
	default:
		return number(from, to, int(m.promo))
	}
}

// roster are the tags that every game has, Result aside.
var roster = []Tag{{"Event", "?"}, {"Site", "?"}, {"Date", "????.??.??"}, {"Round", "?"}, {"White", "?"}, {"Black", "?"}}

// claimComment is how a claim stands in PGN, which has no word for it: as a
// comment before the result.
const claimComment = "{draw claimed}"

// Write writes the game as PGN in export format.
func (r Record) Write(w io.Writer) error {
	end, err := r.replay()
	if err != nil {
		return err
	}
	var b strings.Builder
	given := slices.Clone(r.Tags)
	for _, tag := range append(slices.Clone(roster), Tag{"Result", r.Result}) {
		if i := slices.IndexFunc(given, func(t Tag) bool { return t.Name == tag.Name }); i >= 0 {
			tag.Value = given[i].Value
			given = slices.Delete(given, i, i+1)
		}
		tag.append(&b)
	}
	if fen := end.game.start.fen(); fen != StartFEN {
		given = append(given, Tag{"SetUp", "1"}, Tag{"FEN", fen})
	}
	for _, tag := range given {
		tag.append(&b)
	}
	text := append(end.last.appendSANs(nil, end.game), ' ')
	if end.over == claimed {
		text = append(text, claimComment+" "...)
	}
	wrap(&b, string(append(text, r.Result...)))
	_, err = io.WriteString(w, b.String())
	return err
}

func (t Tag) append(b *strings.Builder) {
	escaped := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", " ", "\r", "").Replace(t.Value)
	fmt.Fprintf(b, "[%s \"%s\"]\n", t.Name, escaped)
}

// wrap writes an empty line, the words in lines of less than 80 letters, and
// another empty line.
func wrap(b *strings.Builder, text string) {
	const width = 79
	column := 0
	b.WriteByte('\n')
	for _, word := range strings.Fields(text) {
		switch {
		case column == 0:
		case column+1+len(word) > width:
			b.WriteByte('\n')
			column = 0
		default:
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += len(word)
	}
	b.WriteString("\n\n")
}

// replay plays the game to its end. Draws do not end it unless they are claimed,
// since those who played it may have gone on.
func (r Record) replay() (*state, error) {
	game, err := newGame(r.FEN, OpenSpiel, undrawn)
	if err != nil {
		return nil, err
	}
	s := game.start
	for i, a := range r.Moves {
		s.goOn()
		if err := s.Apply(a); err != nil {
			return nil, fmt.Errorf("chess: move %d of the record: %w", i+1, err)
		}
	}
	return &s, nil
}

// goOn ignores a draw for want of material, which older games may play on from.
func (s *state) goOn() {
	if s.over == insufficient {
		s.over = goesOn
	}
}

// ReadPGN reads the games of a PGN file. Comments and variations are skipped,
// but for {draw claimed} before the result of a draw that could be claimed.
// At the first error it stops and returns the games before.
func ReadPGN(r io.Reader) ([]Record, error) {
	p := &pgnReader{in: bufio.NewReader(r)}
	var out []Record
	for {
		record, err := p.record()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return out, fmt.Errorf("chess: PGN, game %d, line %d: %w", len(out)+1, p.line+1, err)
		}
		out = append(out, record)
	}
}

// pgnReader takes PGN apart into tokens: tags in brackets, and words.
type pgnReader struct {
	in   *bufio.Reader
	line int
	next string // a tag that was read where a game without result ended
}

const drawn = "1/2-1/2"

var results = []string{"1-0", "0-1", drawn, "*"}

// record reads one game, or gives io.EOF where there is none.
func (p *pgnReader) record() (Record, error) {
	out := Record{FEN: StartFEN, Result: "*"}
	var s *state
	for empty, claims := true, false; ; {
		token, err := p.token()
		switch {
		case errors.Is(err, io.EOF) && !empty:
			return out, nil // the result is missing: the file is cut off, or its writer careless
		case err != nil:
			return out, err
		case token == claimComment:
			claims = true
			continue
		}
		empty = false
		if token[0] == '[' {
			if s != nil {
				p.next = token
				return out, nil
			}
			if err := out.tag(token); err != nil {
				return out, err
			}
			continue
		}
		if s == nil {
			game, err := newGame(out.FEN, OpenSpiel, undrawn)
			if err != nil {
				return out, err
			}
			s = game.Start().(*state)
		}
		s.goOn()
		if slices.Contains(results, token) {
			out.Result = token
			if claims && token == drawn && s.claimable() {
				out.Moves = append(out.Moves, ClaimDraw)
			}
			return out, nil
		}
		claims = false
		if err := out.move(s, token); err != nil {
			return out, err
		}
	}
}

// tag notes a token such as [White "Anderssen"].
func (r *Record) tag(token string) error {
	name, quoted, _ := strings.Cut(strings.TrimSpace(strings.Trim(token, "[]")), " ")
	quoted = strings.TrimSpace(quoted)
	if len(quoted) < 2 || quoted[0] != '"' || quoted[len(quoted)-1] != '"' {
		return fmt.Errorf("tag %s: expected a name and a value in quotes", token)
	}
	value := strings.NewReplacer(`\\`, `\`, `\"`, `"`).Replace(quoted[1 : len(quoted)-1])
	switch name {
	case "FEN":
		if _, err := readFEN(value); err != nil {
			return fmt.Errorf("tag %s: %w", token, err)
		}
		r.FEN = value
	case "Result", "SetUp":
	default:
		r.Tags = append(r.Tags, Tag{name, value})
	}
	return nil
}

// move plays a word of the movetext. Numbers, which may stand right before a
// move, and remarks are skipped.
func (r *Record) move(s *state, word string) error {
	if digits := strings.TrimLeft(word, "0123456789"); strings.HasPrefix(digits, ".") || digits == "" {
		word = strings.TrimLeft(digits, ".")
	}
	if word == "" || word[0] == '$' || word == "e.p." || strings.Trim(word, "!?") == "" {
		return nil
	}
	a, err := Find(s, word)
	if err != nil {
		return err
	}
	r.Moves = append(r.Moves, a)
	return s.Apply(a)
}

// token returns the next tag or word, without variations and comments, except
// that which claims a draw.
func (p *pgnReader) token() (string, error) {
	if token := p.next; token != "" {
		p.next = ""
		return token, nil
	}
	for depth := 0; ; {
		c, err := p.read()
		if err != nil {
			if depth > 0 && errors.Is(err, io.EOF) {
				err = errors.New("a variation is not closed")
			}
			return "", err
		}
		switch {
		case c == '{':
			var text string
			if text, err = p.skip('}', "a comment is not closed"); depth == 0 && isClaim(text) {
				return claimComment, nil
			}
		case c == ';' || c == '%':
			_, err = p.skip('\n', "")
		case c == '(':
			depth++
		case c == ')':
			depth = max(0, depth-1)
		case strings.IndexByte(" \t\r\n\ufeff", c) >= 0:
		case c == '[' && depth == 0:
			return p.tagToken()
		default:
			word := p.word(c)
			if depth == 0 {
				return word, nil
			}
		}
		if err != nil {
			return "", err
		}
	}
}

func (p *pgnReader) read() (byte, error) {
	c, err := p.in.ReadByte()
	if c == '\n' {
		p.line++
	}
	return c, err
}

// isClaim tells whether the text in a comment, perhaps broken into lines, claims
// a draw.
func isClaim(text string) bool {
	return "{"+strings.Join(strings.Fields(text), " ")+"}" == claimComment
}

// skip skips to the end of a comment and returns what it says. One that the
// file's end may close has no complaint.
func (p *pgnReader) skip(end byte, complaint string) (string, error) {
	var text []byte
	for {
		switch c, err := p.read(); {
		case errors.Is(err, io.EOF) && complaint != "":
			return "", errors.New(complaint)
		case err != nil:
			return "", err
		case c == end:
			return string(text), nil
		default:
			text = append(text, c)
		}
	}
}

// tagToken reads on to the bracket that closes a tag outside its quotes.
func (p *pgnReader) tagToken() (string, error) {
	const longest = 10000
	token, quoted := []byte{'['}, false
	for len(token) < longest {
		c, err := p.read()
		if err != nil {
			break
		}
		token = append(token, c)
		switch {
		case c == '\\' && quoted:
			if c, err = p.read(); err == nil {
				token = append(token, c)
			}
		case c == '"':
			quoted = !quoted
		case c == ']' && !quoted:
			return string(token), nil
		}
	}
	return "", errors.New("a tag is not closed")
}

// word reads on to the end of a word.
func (p *pgnReader) word(first byte) string {
	word := []byte{first}
	for {
		next, err := p.in.Peek(1)
		if err != nil || strings.IndexByte(" \t\r\n{}()[];", next[0]) >= 0 {
			return string(word)
		}
		c, _ := p.read()
		word = append(word, c)
	}
}
