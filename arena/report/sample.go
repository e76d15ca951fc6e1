package report

import (
	"strings"

	"github.com/agon-rl/agon/arena"
	"github.com/agon-rl/agon/games"
)

// What the page holds of a big tournament: games of every pairing, and some of those
// in which something went wrong.
const (
	mostGames = 200
	mostOdd   = 50
	mostBytes = 4 << 20 // about, of all games as JSON
)

// shown is a game on the page.
type shown struct {
	Number  int       `json:"n"`
	Agents  []string  `json:"agents"`
	Returns []float64 `json:"returns"`
	Scores  []float64 `json:"scores"`
	Note    string    `json:"note,omitempty"`
	Start   string    `json:"start,omitempty"`
	// Board is where the game starts, where it is drawn as one.
	Board   [][]string `json:"board,omitempty"`
	Slanted bool       `json:"slanted,omitempty"`
	View    string     `json:"view,omitempty"` // what is seen at the start, where there is no board
	Steps   []step     `json:"steps"`
}

// step is a move: who made it, and what it changed.
type step struct {
	Seat  int      `json:"seat"` // -1 for chance
	Name  string   `json:"name"`
	Text  string   `json:"text,omitempty"`
	Cells []change `json:"cells,omitempty"`
	View  string   `json:"view,omitempty"`
}

// change is a cell's new mark.
type change struct {
	Row    int    `json:"r"`
	Column int    `json:"c"`
	Mark   string `json:"m"`
}

// sample collects games for the page as they come by.
type sample struct {
	of    arena.Tournament
	each  int            // games of a pairing
	taken map[[2]int]int // by the pairing's entrants
	odd   int
	bytes int
	games []shown
}

var _ arena.Writer = (*sample)(nil)

func newSample(f Finished) *sample {
	s := &sample{of: f.Tournament, each: mostGames, taken: map[[2]int]int{}, games: []shown{}}
	if len(f.Summary.Pairings) > 0 {
		s.each = max(2, mostGames/len(f.Summary.Pairings)&^1)
	}
	return s
}

// read takes the games from a log. Those that the page does not show are not put into
// words.
func (s *sample) read(log *arena.Log) error {
	return log.Results(func(r arena.Result) error {
		if !s.wants(r) {
			return nil
		}
		t, err := s.of.Transcribe(r)
		if err != nil {
			return err
		}
		return s.add(r, t)
	})
}

// Write implements arena.Writer.
func (s *sample) Write(r arena.Result, t arena.Transcript) error {
	if !s.wants(r) {
		return nil
	}
	return s.add(r, t)
}

// Close implements arena.Writer.
func (s *sample) Close() error { return nil }

func (s *sample) add(r arena.Result, t arena.Transcript) error {
	g, err := s.show(r, t)
	if err != nil {
		return err
	}
	s.games = append(s.games, g)
	s.bytes += g.size()
	return nil
}

// wants tells whether there is room for a game.
func (s *sample) wants(r arena.Result) bool {
	if s.bytes > mostBytes {
		return false
	}
	pairing := [2]int{r.Seats[0], r.Seats[0]}
	for _, e := range r.Seats {
		pairing[0], pairing[1] = min(pairing[0], e), max(pairing[1], e)
	}
	odd := r.Forfeit != nil || r.Voids > 0 || len(r.Illegal) > 0
	switch {
	case s.taken[pairing] < s.each && len(s.games) < 2*mostGames:
		s.taken[pairing]++
	case odd && s.odd < mostOdd:
		s.odd++
	default:
		return false
	}
	return true
}

// show replays a game as it will be stepped through.
func (s *sample) show(r arena.Result, t arena.Transcript) (shown, error) {
	g := shown{Number: t.Game, Agents: t.Agents, Returns: t.Returns, Scores: t.Scores, Note: note(t), Start: r.Start, Steps: []step{}}
	game, err := s.of.GameOf(r)
	if err != nil {
		return g, err
	}
	state := game.Start()
	_, draws := state.(games.Drawer)
	var last games.Board
	if draws {
		last = state.(games.Drawer).Board()
		g.Board, g.Slanted = last.Cells, last.Slanted
	}
	views := [][]string{view(state, draws)}
	for i, m := range t.Moves {
		if err := state.Apply(r.Actions[i]); err != nil {
			return g, err
		}
		next := step{Seat: m.Seat, Name: m.Name, Text: m.Text}
		if draws {
			board := state.(games.Drawer).Board()
			next.Cells = changes(last, board)
			last = board
		}
		views = append(views, view(state, draws))
		g.Steps = append(g.Steps, next)
	}
	rules := common(views)
	for i, lines := range views {
		text := strings.TrimSpace(strings.Join(lines[min(rules, len(lines)):], "\n"))
		if i == 0 {
			g.View = text
		} else {
			g.Steps[i-1].View = text
		}
	}
	return g, nil
}

// note says what was unusual in a game.
func note(t arena.Transcript) string {
	var words []string
	if t.Forfeit >= 0 {
		words = append(words, t.Agents[t.Forfeit]+map[bool]string{true: " lost on time", false: " forfeited"}[t.Late])
	}
	if t.Voids > 0 {
		words = append(words, "played again after it got lost")
	}
	for seat, n := range t.Illegal {
		if n > 0 {
			words = append(words, t.Agents[seat]+" gave answers without a legal action")
		}
	}
	return strings.Join(words, "; ")
}

// changes are the cells in which a board differs from the one before.
func changes(before, after games.Board) (out []change) {
	for r, row := range after.Cells {
		for c, mark := range row {
			if mark != before.Cells[r][c] {
				out = append(out, change{r, c, mark})
			}
		}
	}
	return out
}

// view is, of a game without a board, what the seat to move is told, by lines.
func view(s games.State, draws bool) []string {
	speaker, ok := s.(games.Speaker)
	seat := s.Turn()
	if draws || !ok || seat == games.Chance {
		return nil
	}
	if seat == games.Over {
		seat = 0
	}
	return strings.Split(speaker.Prompt(seat), "\n")
}

// common is with how many lines all views begin alike: the rules.
func common(views [][]string) int {
	var first []string
	n, several := 0, false
	for _, lines := range views {
		switch {
		case lines == nil:
		case first == nil:
			first, n = lines, len(lines)
		default:
			several = true
			for i := range n {
				if i >= len(lines) || lines[i] != first[i] {
					n = i
					break
				}
			}
		}
	}
	if !several {
		return 0
	}
	return n
}

// size is about how many bytes a game takes on the page.
func (g shown) size() int {
	n := 200 + len(g.View)
	for _, row := range g.Board {
		n += 4 * len(row)
	}
	for _, s := range g.Steps {
		n += 30 + len(s.Name) + len(s.Text) + len(s.View) + 24*len(s.Cells)
	}
	return n
}
