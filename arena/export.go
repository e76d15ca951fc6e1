package arena

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/parquet-go/parquet-go"
	"golang.org/x/sync/errgroup"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/games/chess"
)

// Transcript is a game in words.
type Transcript struct {
	Game    int       `json:"game" parquet:"game"`
	Start   string    `json:"start" parquet:"start"`   // the game by its name, parameters included
	Agents  []string  `json:"agents" parquet:"agents"` // by seat
	Moves   []Move    `json:"moves" parquet:"moves"`
	Returns []float64 `json:"returns" parquet:"returns"` // by seat
	Scores  []float64 `json:"scores" parquet:"scores"`   // by seat: 1 for more than the even share, ½ for that, 0 for less
	// Forfeit is the seat that gave an illegal action, none, or one too late; -1 where
	// none did.
	Forfeit int   `json:"forfeit" parquet:"forfeit"`
	Late    bool  `json:"late" parquet:"late"`
	Voids   int   `json:"voids" parquet:"voids"`     // how often it got lost and was played again
	Illegal []int `json:"illegal" parquet:"illegal"` // by seat: answers that were no legal action
}

// Move is an action of a seat, or of chance (-1).
type Move struct {
	Seat   int    `json:"seat" parquet:"seat"`
	Action int    `json:"action" parquet:"action"`
	Name   string `json:"name" parquet:"name"`
	Text   string `json:"text,omitempty" parquet:"text,optional"` // what an agent said with it
}

// GameOf is the game that a result is of: the tournament's, or, after an opening that
// begins elsewhere, that.
func (t Tournament) GameOf(r Result) (games.Game, error) {
	if r.Start == "" {
		return t.Game, nil
	}
	return games.New(r.Start)
}

// Transcribe replays a result.
func (t Tournament) Transcribe(r Result) (Transcript, error) {
	game, err := t.GameOf(r)
	if err != nil {
		return Transcript{}, err
	}
	info := game.Info()
	out := Transcript{Game: r.Game, Start: info.Spec(), Returns: r.Returns, Forfeit: -1, Late: r.Late, Voids: r.Voids, Moves: []Move{}, Illegal: make([]int, len(r.Seats))}
	copy(out.Illegal, r.Illegal)
	for seat, e := range r.Seats {
		out.Agents = append(out.Agents, t.Entrants[e].Name)
		out.Scores = append(out.Scores, scoreOf(r.Returns[seat]-info.Sum/float64(info.Seats)))
	}
	if r.Forfeit != nil {
		out.Forfeit = int(*r.Forfeit)
	}
	s := game.Start()
	for i, action := range r.Actions {
		m := Move{Seat: int(s.Turn()), Action: int(action), Name: games.Say(s, action)}
		if at := slices.IndexFunc(r.Talk, func(t Talk) bool { return t.At == i }); at >= 0 {
			m.Text = r.Talk[at].Text
		}
		out.Moves = append(out.Moves, m)
		if err := s.Apply(action); err != nil {
			return out, fmt.Errorf("game %d of the log: %w", r.Game, err)
		}
	}
	return out, nil
}

// Writer takes the games of a tournament in their order, each as it is in the log and in
// words.
type Writer interface {
	Write(Result, Transcript) error
	Close() error
}

// Export sends all games of a log to writers, in their order. They are put into words on
// all cores, and every writer works beside the others.
func (t Tournament) Export(ctx context.Context, log *Log, to ...Writer) error {
	const size = 256 // games that are handed on at a time
	type batch struct {
		results     []Result
		transcripts []Transcript
		ready       chan struct{}
	}
	workers := runtime.GOMAXPROCS(0)
	work := make(chan *batch)
	pool, ctx := errgroup.WithContext(ctx)
	inOrder := make([]chan *batch, len(to))
	for i, w := range to {
		in := make(chan *batch, 2*workers)
		inOrder[i] = in
		pool.Go(func() error {
			for b := range in {
				select {
				case <-b.ready:
				case <-ctx.Done():
					return nil // who failed says why
				}
				for j, r := range b.results {
					if err := w.Write(r, b.transcripts[j]); err != nil {
						return err
					}
				}
			}
			return nil
		})
	}
	for range workers {
		pool.Go(func() (err error) {
			for b := range work {
				for j, r := range b.results {
					if b.transcripts[j], err = t.Transcribe(r); err != nil {
						return err
					}
				}
				close(b.ready)
			}
			return nil
		})
	}
	pool.Go(func() error {
		defer close(work)
		for _, in := range inOrder {
			defer close(in)
		}
		var results []Result
		hand := func() error {
			b := &batch{results: results, transcripts: make([]Transcript, len(results)), ready: make(chan struct{})}
			for _, in := range append([]chan *batch{work}, inOrder...) {
				select {
				case in <- b:
				case <-ctx.Done():
					return context.Cause(ctx)
				}
			}
			results = nil
			return nil
		}
		err := log.Results(func(r Result) error {
			if results = append(results, r); len(results) < size {
				return nil
			}
			return hand()
		})
		if err == nil && len(results) > 0 {
			err = hand()
		}
		return err
	})
	return pool.Wait()
}

// NewTranscripts writes JSON lines, a Transcript each.
func NewTranscripts(w io.Writer) Writer {
	out := bufio.NewWriterSize(w, 1<<16)
	var line []byte
	return writer{
		write: func(_ Result, t Transcript) error {
			line = append(t.AppendJSON(line[:0]), '\n')
			_, err := out.Write(line)
			return err
		},
		close: out.Flush,
	}
}

// AppendJSON appends the transcript as encoding/json would write it, several times as
// fast.
func (t Transcript) AppendJSON(b []byte) []byte {
	b = strconv.AppendInt(append(b, `{"game":`...), int64(t.Game), 10)
	b = appendText(append(b, `,"start":`...), t.Start)
	b = append(b, `,"agents":[`...)
	for i, name := range t.Agents {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendText(b, name)
	}
	b = append(b, `],"moves":[`...)
	for i, m := range t.Moves {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(append(b, `{"seat":`...), int64(m.Seat), 10)
		b = strconv.AppendInt(append(b, `,"action":`...), int64(m.Action), 10)
		b = appendText(append(b, `,"name":`...), m.Name)
		if m.Text != "" {
			b = appendText(append(b, `,"text":`...), m.Text)
		}
		b = append(b, '}')
	}
	b = appendFloats(append(b, `],"returns":`...), t.Returns)
	b = appendFloats(append(b, `,"scores":`...), t.Scores)
	b = strconv.AppendInt(append(b, `,"forfeit":`...), int64(t.Forfeit), 10)
	b = strconv.AppendBool(append(b, `,"late":`...), t.Late)
	b = strconv.AppendInt(append(b, `,"voids":`...), int64(t.Voids), 10)
	return append(appendInts(append(b, `,"illegal":`...), t.Illegal), '}')
}

// appendText appends a string in quotes: as it is where nothing in it needs escaping.
func appendText(b []byte, text string) []byte {
	for i := range len(text) {
		if c := text[i]; c < ' ' || c >= 0x7f || strings.IndexByte("\"\\<>&", c) >= 0 {
			quoted, _ := json.Marshal(text) // a string cannot fail
			return append(b, quoted...)
		}
	}
	return append(append(append(b, '"'), text...), '"')
}

// NewParquet writes a Parquet file of Transcripts.
func NewParquet(w io.Writer) Writer {
	const rowGroup, batch = 1 << 14, 1 << 8 // games held until they are written
	out := parquet.NewGenericWriter[Transcript](w, parquet.MaxRowsPerRowGroup(rowGroup), parquet.Compression(&parquet.Snappy))
	var rows []Transcript
	flush := func() error {
		_, err := out.Write(rows)
		rows = rows[:0]
		return err
	}
	return writer{
		write: func(_ Result, t Transcript) error {
			if rows = append(rows, t); len(rows) < batch {
				return nil
			}
			return flush()
		},
		close: func() error { return errors.Join(flush(), out.Close()) },
	}
}

// WritesPGN tells whether a game's can be written as PGN.
func WritesPGN(game games.Game) bool {
	_, err := chess.NewRecord(game.Start())
	return err == nil
}

// NewPGN writes games of chess in Portable Game Notation.
func NewPGN(t Tournament, w io.Writer) (Writer, error) {
	if !WritesPGN(t.Game) {
		return nil, fmt.Errorf("PGN is for chess, not for %s", t.Game.Info().Name)
	}
	return writer{write: func(r Result, _ Transcript) error { return t.writePGN(w, r) }, close: func() error { return nil }}, nil
}

// white is the seat of White, as in OpenSpiel's chess.
const white = 1

func (t Tournament) writePGN(w io.Writer, r Result) error {
	game, err := t.GameOf(r)
	if err != nil {
		return err
	}
	s := game.Start()
	for _, action := range r.Actions {
		if err := s.Apply(action); err != nil {
			return fmt.Errorf("game %d of the log: %w", r.Game, err)
		}
	}
	record, err := chess.NewRecord(s)
	if err != nil {
		return err
	}
	record.Tags = []chess.Tag{
		{Name: "Event", Value: "agon tournament"}, {Name: "Round", Value: strconv.Itoa(r.Game/gamesOf(2) + 1)},
		{Name: "White", Value: t.Entrants[r.Seats[white]].Name}, {Name: "Black", Value: t.Entrants[r.Seats[1-white]].Name},
	}
	switch {
	case r.Late:
		record.Tags = append(record.Tags, chess.Tag{Name: "Termination", Value: "time forfeit"})
	case r.Forfeit != nil:
		record.Tags = append(record.Tags, chess.Tag{Name: "Termination", Value: "rules infraction"})
	}
	record.Result = map[float64]string{1: "1-0", 0.5: "1/2-1/2", 0: "0-1"}[scoreOf(r.Returns[white])]
	return record.Write(w)
}

type writer struct {
	write func(Result, Transcript) error
	close func() error
}

func (w writer) Write(r Result, t Transcript) error { return w.write(r, t) }
func (w writer) Close() error                       { return w.close() }

// WriteJSON writes the summary without times, which differ between runs that are
// otherwise the same.
func (s Summary) WriteJSON(w io.Writer) error {
	s.Standings = slices.Clone(s.Standings)
	for i := range s.Standings {
		s.Standings[i].Cost.Time = 0
	}
	out := json.NewEncoder(w)
	out.SetIndent("", " ")
	return out.Encode(s)
}

// WriteCSV writes the standings as a table for spreadsheets, without times.
func (s Summary) WriteCSV(w io.Writer) error {
	header := []string{"rank", "agent", "elo", "elo_low", "elo_high", "games", "wins", "draws", "losses", "score"}
	for seat := range s.Standings[0].Seats {
		for _, column := range []string{"wins", "draws", "losses"} {
			header = append(header, fmt.Sprintf("seat%d_%s", seat, column))
		}
	}
	header = append(header, "illegal", "forfeits", "late", "voids", "moves", "tokens_in", "tokens_out", "dollars", "failed_calls",
		"elo_per_ktokens", "nash", "alpha_rank", "exploitability")
	rows := [][]string{header}
	for i, r := range s.Standings {
		var low, high *float64
		if r.Elo95 != nil {
			low, high = &r.Elo95[0], &r.Elo95[1]
		}
		row := []string{
			strconv.Itoa(i + 1), r.Name, figure(r.Elo), figure(low), figure(high),
			strconv.Itoa(r.Games()), strconv.Itoa(r.Wins), strconv.Itoa(r.Draws), strconv.Itoa(r.Losses), figure(&r.Score),
		}
		for _, seat := range r.Seats {
			row = append(row, strconv.Itoa(seat.Wins), strconv.Itoa(seat.Draws), strconv.Itoa(seat.Losses))
		}
		rows = append(rows, append(row,
			strconv.Itoa(r.Illegal), strconv.Itoa(r.Forfeits), strconv.Itoa(r.Late), strconv.Itoa(r.Voids), strconv.Itoa(r.Cost.Moves),
			strconv.FormatInt(r.Cost.TokensIn, 10), strconv.FormatInt(r.Cost.TokensOut, 10), figure(&r.Cost.Dollars), strconv.Itoa(r.Cost.Failed),
			figure(r.EloPerKTokens), figure(r.Nash), figure(r.AlphaRank), figure(r.Exploitability),
		))
	}
	return csv.NewWriter(w).WriteAll(rows)
}

// WriteTiming writes how long agents thought, as a table for spreadsheets.
func (s Summary) WriteTiming(w io.Writer) error {
	rows := [][]string{{"agent", "moves", "seconds", "seconds_per_move"}}
	for _, r := range s.Standings {
		seconds := r.Cost.Time.Seconds()
		rows = append(rows, []string{r.Name, strconv.Itoa(r.Cost.Moves), figure(&seconds), figure(r.SecondsPerMove())})
	}
	return csv.NewWriter(w).WriteAll(rows)
}

func figure(x *float64) string {
	if x == nil {
		return ""
	}
	return strconv.FormatFloat(*x, 'g', 6, 64)
}

// SecondsPerMove is how long a decision took; nil where no time was measured.
func (s Standing) SecondsPerMove() *float64 {
	if s.Cost.Moves == 0 || s.Cost.Time == 0 {
		return nil
	}
	x := s.Cost.Time.Seconds() / float64(s.Cost.Moves)
	return &x
}
