package arena

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"

	"github.com/parquet-go/parquet-go"

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
	Forfeit int  `json:"forfeit" parquet:"forfeit"`
	Late    bool `json:"late" parquet:"late"`
	Voids   int  `json:"voids" parquet:"voids"`
}

// Move is an action of a seat, or of chance (-1).
type Move struct {
	Seat   int    `json:"seat" parquet:"seat"`
	Action int    `json:"action" parquet:"action"`
	Name   string `json:"name" parquet:"name"`
	Text   string `json:"text,omitempty" parquet:"text,optional"` // what an agent said with it
}

// Transcribe replays a result.
func (t Tournament) Transcribe(r Result) (Transcript, error) {
	game := t.Game
	if r.Start != "" {
		var err error
		if game, err = games.New(r.Start); err != nil {
			return Transcript{}, err
		}
	}
	info := game.Info()
	out := Transcript{Game: r.Game, Start: info.Spec(), Returns: r.Returns, Forfeit: -1, Late: r.Late, Voids: r.Voids, Moves: []Move{}}
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

// Writer takes the games of a tournament in their order.
type Writer interface {
	Write(Result) error
	Close() error
}

// NewTranscripts writes JSON lines, a Transcript each.
func NewTranscripts(t Tournament, w io.Writer) Writer {
	out := bufio.NewWriter(w)
	return writer{
		write: func(r Result) error {
			transcript, err := t.Transcribe(r)
			if err != nil {
				return err
			}
			return json.NewEncoder(out).Encode(transcript)
		},
		close: out.Flush,
	}
}

// NewParquet writes a Parquet file of Transcripts.
func NewParquet(t Tournament, w io.Writer) Writer {
	out := parquet.NewGenericWriter[Transcript](w)
	return writer{
		write: func(r Result) error {
			transcript, err := t.Transcribe(r)
			if err != nil {
				return err
			}
			_, err = out.Write([]Transcript{transcript})
			return err
		},
		close: out.Close,
	}
}

// NewPGN writes games of chess in Portable Game Notation.
func NewPGN(t Tournament, w io.Writer) (Writer, error) {
	if _, err := chess.NewRecord(t.Game.Start()); err != nil {
		return nil, fmt.Errorf("PGN is for chess, not for %s", t.Game.Info().Name)
	}
	return writer{write: func(r Result) error { return t.writePGN(w, r) }, close: func() error { return nil }}, nil
}

func (t Tournament) writePGN(w io.Writer, r Result) error {
	game := t.Game
	if r.Start != "" {
		var err error
		if game, err = games.New(r.Start); err != nil {
			return err
		}
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
		{Name: "White", Value: t.Entrants[r.Seats[1]].Name}, {Name: "Black", Value: t.Entrants[r.Seats[0]].Name},
	}
	switch {
	case r.Late:
		record.Tags = append(record.Tags, chess.Tag{Name: "Termination", Value: "time forfeit"})
	case r.Forfeit != nil:
		record.Tags = append(record.Tags, chess.Tag{Name: "Termination", Value: "rules infraction"})
	}
	record.Result = map[float64]string{1: "1-0", 0.5: "1/2-1/2", 0: "0-1"}[scoreOf(r.Returns[1])]
	return record.Write(w)
}

type writer struct {
	write func(Result) error
	close func() error
}

func (w writer) Write(r Result) error { return w.write(r) }
func (w writer) Close() error         { return w.close() }

// WriteCSV writes the standings as a table for spreadsheets.
func (s Summary) WriteCSV(w io.Writer) error {
	out := csv.NewWriter(w)
	_ = out.Write([]string{ //nolint:errcheck // Error reports it
		"rank", "agent", "elo", "elo_low", "elo_high", "games", "wins", "draws", "losses", "score", "illegal", "forfeits", "late", "voids",
		"moves", "seconds_per_move", "tokens_in", "tokens_out", "dollars",
	})
	number := func(x *float64) string {
		if x == nil {
			return ""
		}
		return strconv.FormatFloat(*x, 'g', 6, 64)
	}
	for i, r := range s.Standings {
		var low, high *float64
		if r.Elo95 != nil {
			low, high = &r.Elo95[0], &r.Elo95[1]
		}
		_ = out.Write([]string{ //nolint:errcheck // Error reports it
			strconv.Itoa(i + 1), r.Name, number(r.Elo), number(low), number(high),
			strconv.Itoa(r.Games()), strconv.Itoa(r.Wins), strconv.Itoa(r.Draws), strconv.Itoa(r.Losses), number(&r.Score),
			strconv.Itoa(r.Illegal), strconv.Itoa(r.Forfeits), strconv.Itoa(r.Late), strconv.Itoa(r.Voids),
			strconv.Itoa(r.Cost.Moves), number(r.secondsPerMove()), strconv.FormatInt(r.Cost.TokensIn, 10), strconv.FormatInt(r.Cost.TokensOut, 10), number(&r.Cost.Dollars),
		})
	}
	out.Flush()
	return out.Error()
}

// secondsPerMove is how long a decision took; nil before the first.
func (s Standing) secondsPerMove() *float64 {
	if s.Cost.Moves == 0 {
		return nil
	}
	x := s.Cost.Time.Seconds() / float64(s.Cost.Moves)
	return &x
}

// ReadLog calls a function with each game of a log, in order.
func ReadLog(r io.Reader, each func(Result) error) error {
	in := bufio.NewReaderSize(r, 1<<16)
	for number := 1; ; number++ {
		line, err := in.ReadBytes('\n')
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if isSeal(line) {
			continue
		}
		var result Result
		if err := json.Unmarshal(line, &result); err != nil {
			return fmt.Errorf("line %d is no game: %w", number, err)
		}
		if err := each(result); err != nil {
			return err
		}
	}
}
