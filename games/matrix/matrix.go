// Package matrix holds zero-sum games given by a payoff matrix: the row player
// and the column player each pick an action without seeing the other's. They
// are played as hidden moves in sequence, row first; what was picked is shown
// at the end.
package matrix

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/internal/spec"
)

// Payoffs is a zero-sum matrix game. Matrices that are not square are fine.
type Payoffs struct {
	// Payoffs holds what the row player wins and the column player loses, by
	// row and column.
	Payoffs [][]float64 `json:"payoffs,omitempty"`
	// Preferences stand in place of Payoffs: the probability that the row is
	// preferred to the column, of which ½ is taken.
	Preferences [][]float64 `json:"preferences,omitempty"`
	// Rows and Columns name the actions. Where they are missing, rows are
	// named r0, r1, … and columns c0, c1, ….
	Rows    []string `json:"rows,omitempty"`
	Columns []string `json:"columns,omitempty"`
}

func init() {
	games.Register(games.Rules{
		Name:    "matrix",
		Summary: "a zero-sum payoff matrix: both seats pick an action unseen",
		Params: []games.Param{
			{
				Name: "payoffs", Default: "rps",
				Help: forms + `; or rows such as "[[0, -1], [1, 0]]", or a JSON file {"payoffs": [[…], …], "rows": […], "columns": […]} with what the row player wins; "preferences" in place of "payoffs" are probabilities, of which ½ is taken`,
			},
			{Name: "preferences", Default: "", Help: `rows such as "[[0.5, 0.9], [0.1, 0.5]]", in place of payoffs: the probability that the row is preferred to the column`},
			{Name: "bound", Default: "0", Help: "stretches the payoffs so that this is the largest; 0 leaves them"},
		},
		Make: func(r *spec.Reader) (games.Game, error) {
			which, preferences, bound := r.String("payoffs", ""), r.String("preferences", ""), r.Float("bound", 0, 0, 1e6)
			if err := r.Err(); err != nil {
				return nil, err
			}
			return load(which, preferences, bound)
		},
	})
}

func load(which, preferences string, bound float64) (games.Game, error) {
	name := spec.Spec{Name: "matrix"}
	var p Payoffs
	var err error
	switch {
	case which != "" && preferences != "":
		return nil, errors.New("matrix: payoffs and preferences are given: expected one of them")
	case preferences != "":
		name.Args = []spec.Arg{{Key: "preferences", Value: preferences}}
		p.Preferences, err = parseRows("preferences", preferences)
	default:
		if which == "" {
			which = "rps"
		}
		name.Args = []spec.Arg{{Value: which}}
		p, err = find(which)
	}
	if err != nil {
		return nil, err
	}
	if bound > 0 {
		name.Args = append(name.Args, spec.Arg{Key: "bound", Value: strconv.FormatFloat(bound, 'g', -1, 64)})
		if p, err = p.stretched(bound); err != nil {
			return nil, fmt.Errorf("matrix %s: %w", which, err)
		}
	}
	game, err := New(name.String(), p)
	if err != nil {
		return nil, fmt.Errorf("matrix %s: %w", cmp.Or(which, "preferences"), err)
	}
	return game, nil
}

// find returns the matrix of a name, of rows or of a file.
func find(which string) (Payoffs, error) {
	if strings.HasPrefix(strings.TrimSpace(which), "[") {
		rows, err := parseRows("payoffs", which)
		return Payoffs{Payoffs: rows}, err
	}
	if s, err := spec.Parse(which); err == nil {
		p, known, err := build(s)
		if err != nil {
			return p, fmt.Errorf("matrix: %w", err)
		}
		if known {
			return p, nil
		}
	}
	if !strings.ContainsAny(which, `./\`) {
		return Payoffs{}, fmt.Errorf("matrix: unknown matrix %q%s; expected %s, rows such as \"[[0, -1], [1, 0]]\", or a JSON file such as payoffs.json", which, spec.Suggest(which, names), forms)
	}
	text, err := os.ReadFile(which)
	if err != nil {
		return Payoffs{}, fmt.Errorf("matrix: %w", err)
	}
	p, err := parse(text)
	if err != nil {
		return p, fmt.Errorf("matrix %s: %w", which, err)
	}
	return p, nil
}

// parseRows reads [[0, 1], [1, 0]].
func parseRows(what, text string) ([][]float64, error) {
	var rows [][]float64
	d := json.NewDecoder(strings.NewReader(text))
	if err := d.Decode(&rows); err != nil || d.More() {
		return nil, fmt.Errorf("matrix: %s=%s: expected rows of numbers such as \"[[0, -1], [1, 0]]\"", what, text)
	}
	return rows, nil
}

// stretched is the matrix whose largest payoff is bound.
func (p Payoffs) stretched(bound float64) (Payoffs, error) {
	payoffs, err := p.payoffs()
	if err != nil {
		return p, err
	}
	largest := 0.0
	for _, row := range payoffs {
		for _, x := range row {
			largest = max(largest, math.Abs(x))
		}
	}
	out := Payoffs{Rows: p.Rows, Columns: p.Columns}
	for _, row := range payoffs {
		row = slices.Clone(row)
		for j := range row {
			if largest > 0 {
				row[j] *= bound / largest
			}
		}
		out.Payoffs = append(out.Payoffs, row)
	}
	return out, nil
}

// payoffs returns what the row player wins.
func (p Payoffs) payoffs() ([][]float64, error) {
	if p.Preferences == nil {
		return p.Payoffs, nil
	}
	if p.Payoffs != nil {
		return nil, errors.New("payoffs and preferences are given: expected one of them")
	}
	out := make([][]float64, len(p.Preferences))
	for i, row := range p.Preferences {
		if len(row) != len(out) {
			return nil, fmt.Errorf("preferences: row %d has %d numbers, and there are %d rows; expected as many", i, len(row), len(out))
		}
	}
	for i, row := range p.Preferences {
		for j, x := range row {
			y := p.Preferences[j][i]
			if !(x >= 0 && x <= 1) || math.Abs(x+y-1) > 1e-9 {
				return nil, fmt.Errorf("preferences: row %d, column %d is %g and row %d, column %d is %g; expected probabilities that sum to 1", i, j, x, j, i, y)
			}
			out[i] = append(out[i], (x-y)/2)
		}
	}
	return out, nil
}

func parse(text []byte) (Payoffs, error) {
	const expected = `expected {"payoffs": [[0, 1], [1, 0]]}, with "rows" and "columns" naming the actions if you like`
	var p Payoffs
	if len(bytes.TrimSpace(text)) == 0 {
		return p, fmt.Errorf("the file is empty; %s", expected)
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&p); err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) {
			err = errors.New("the JSON is cut off")
		}
		return p, fmt.Errorf("%w; %s", err, expected)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return p, fmt.Errorf("there is more text after the JSON object; %s", expected)
	}
	return p, nil
}

type game struct {
	info          games.Info
	payoffs       [][]float64
	rows, columns []string
}

// New returns the game of a payoff matrix under the given name. It refuses
// matrices that are empty or ragged, payoffs that are not finite, and names of
// actions that are too many, too few or not to be told apart in text.
func New(name string, p Payoffs) (games.Game, error) {
	payoffs, err := p.payoffs()
	if err != nil {
		return nil, err
	}
	if len(payoffs) == 0 || len(payoffs[0]) == 0 {
		return nil, errors.New("payoffs: expected at least one row and one column")
	}
	width := len(payoffs[0])
	g := &game{}
	low, high := payoffs[0][0], payoffs[0][0]
	for r, row := range payoffs {
		if len(row) != width {
			return nil, fmt.Errorf("payoffs: row %d has %d numbers, row 0 has %d; expected rows of one length", r, len(row), width)
		}
		for c, x := range row {
			if math.IsNaN(x) || math.IsInf(x, 0) {
				return nil, fmt.Errorf("payoffs: row %d, column %d is %g; expected a finite number", r, c, x)
			}
			low, high = min(low, x), max(high, x)
		}
		g.payoffs = append(g.payoffs, slices.Clone(row))
	}
	if g.rows, err = actionNames("rows", "r", p.Rows, len(payoffs)); err != nil {
		return nil, err
	}
	if g.columns, err = actionNames("columns", "c", p.Columns, width); err != nil {
		return nil, err
	}
	bound := max(high, -low)
	g.info = games.Info{
		Name:      name,
		Seats:     2,
		Roles:     []string{"row", "column"},
		Actions:   max(len(g.rows), width),
		MaxLength: 2,
		MinReturn: min(low, -high),
		MaxReturn: bound,
		Hidden:    true,
		// own seat, the row picked, the column picked, as far as the seat knows
		Tensor: []int{2 + len(g.rows) + width},
		Recall: true,
	}
	return g, nil
}

func actionNames(field, letter string, given []string, count int) ([]string, error) {
	if given == nil {
		for i := range count {
			given = append(given, letter+strconv.Itoa(i))
		}
	}
	if len(given) != count {
		return nil, fmt.Errorf("%s: %d names for %d actions", field, len(given), count)
	}
	seen := map[string]bool{}
	for _, name := range given {
		folded := strings.ToLower(name)
		odd := strings.ContainsFunc(name, func(r rune) bool {
			return strings.ContainsRune(`[]{}\,;`, r) || !unicode.IsPrint(r) || r == unicode.ReplacementChar
		})
		if _, err := strconv.Atoi(name); err == nil || odd || name == "" || strings.TrimSpace(name) != name {
			return nil, fmt.Errorf("%s: %q: expected a name, neither empty nor a number, without brackets, braces, backslashes, commas and semicolons", field, name)
		}
		if seen[folded] {
			return nil, fmt.Errorf("%s: %q stands there twice", field, name)
		}
		seen[folded] = true
	}
	return slices.Clone(given), nil
}

func (g *game) Info() games.Info { return g.info }

func (g *game) Start() games.State { return &state{game: g} }

const (
	row    games.Seat = 0
	column games.Seat = 1
)

type state struct {
	game   *game
	length int8
	picks  [2]games.Action // by seat, as far as length tells
}

func (s *state) Turn() games.Seat {
	if s.length == 2 {
		return games.Over
	}
	return games.Seat(s.length)
}

// open returns the names of the actions of the seat to move.
func (s *state) open() []string {
	switch s.Turn() {
	case row:
		return s.game.rows
	case column:
		return s.game.columns
	}
	return nil
}

func (s *state) Actions(dst []games.Action) []games.Action {
	for i := range s.open() {
		dst = append(dst, games.Action(i))
	}
	return dst
}

func (s *state) Odds(dst []float64) []float64 { return dst }

func (s *state) Apply(a games.Action) error {
	if a < 0 || int(a) >= len(s.open()) {
		return games.Illegal(s, a)
	}
	s.picks[s.length] = a
	s.length++
	return nil
}

func (s *state) Returns(dst []float64) []float64 {
	if s.length < 2 {
		return append(dst, 0, 0)
	}
	x := s.game.payoffs[s.picks[row]][s.picks[column]]
	return append(dst, x, 0-x)
}

func (s *state) Clone() games.State {
	c := *s
	return &c
}

func (s *state) CopyFrom(src games.State) { *s = *src.(*state) }

// knows tells whether a seat knows what another has picked: its own pick once
// it is made, and everything at the end.
func (s *state) knows(seat, other games.Seat) bool {
	return s.length == 2 || seat == other && int8(other) < s.length
}

// AppendKey writes the seat and the picks it knows: "row", "row: Rock",
// "row: Rock, Paper".
func (s *state) AppendKey(dst []byte, seat games.Seat) []byte {
	dst = append(dst, s.game.info.Roles[seat]...)
	if s.knows(seat, row) {
		dst = append(append(dst, ": "...), s.game.rows[s.picks[row]]...)
	}
	if s.knows(seat, column) {
		if s.knows(seat, row) {
			dst = append(dst, ',')
		} else {
			dst = append(dst, ':')
		}
		dst = append(append(dst, ' '), s.game.columns[s.picks[column]]...)
	}
	return dst
}

func (s *state) Observe(seat games.Seat, dst []float32) {
	clear(dst)
	dst[seat] = 1
	if s.knows(seat, row) {
		dst[2+int(s.picks[row])] = 1
	}
	if s.knows(seat, column) {
		dst[2+len(s.game.rows)+int(s.picks[column])] = 1
	}
}

func (s *state) Say(a games.Action) string {
	open := s.open()
	if a < 0 || int(a) >= len(open) {
		return strconv.Itoa(int(a))
	}
	return open[a]
}

func (s *state) Hear(text string) (games.Action, error) {
	return games.Hear(s, text, games.Ids(len(s.open())))
}

func (s *state) Prompt(seat games.Seat) string {
	g := s.game
	var b strings.Builder
	fmt.Fprintf(&b, "A matrix game. The row player (player 0) and the column player (player 1) each pick an action without seeing the other's. What the row player wins, and the column player loses, for each row (picked by the row player) against %s:\n", strings.Join(g.columns, ", "))
	for r, name := range g.rows {
		fmt.Fprintf(&b, "%s:", name)
		for _, x := range g.payoffs[r] {
			fmt.Fprintf(&b, " %g", x)
		}
		b.WriteByte('\n')
	}
	fmt.Fprintf(&b, "\nYou are the %s player.\n", g.info.Roles[seat])
	if s.knows(seat, row) {
		fmt.Fprintf(&b, "The row player picked %s.\n", g.rows[s.picks[row]])
	}
	if s.knows(seat, column) {
		fmt.Fprintf(&b, "The column player picked %s.\n", g.columns[s.picks[column]])
	}
	b.WriteString(games.Menu(s, seat))
	return b.String()
}
