package cmd

import (
	"fmt"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/agon-rl/agon/arena"
)

// mostMeetings is how many are shown in the terminal; the report shows all.
const mostMeetings = 30

// showTournament prints the standings, the meetings, what moves cost, and the results
// in other programs' words.
func (p *program) showTournament(t arena.Tournament, s arena.Summary) {
	p.say("%s", standingsTable(t.Game.Info().Roles, s).Render())
	if s.Unrated != "" {
		p.say("no ratings: %s", s.Unrated)
	}
	if len(s.Pairings) > mostMeetings {
		p.say("%d meetings: see the report", len(s.Pairings))
		return
	}
	p.say("%s", meetingsTable(s).Render())
	if costs := costsTable(s); costs.Length() > 0 {
		p.say("%s", costs.Render())
	}
	for _, line := range s.Lines() {
		p.say("%s", line)
	}
}

func newTable(header table.Row, left int) table.Writer {
	w := table.NewWriter()
	w.SetStyle(table.StyleLight)
	w.Style().Format.Header = text.FormatDefault
	w.AppendHeader(header)
	var columns []table.ColumnConfig
	for i := range header {
		if i >= left {
			columns = append(columns, table.ColumnConfig{Number: i + 1, Align: text.AlignRight, AlignHeader: text.AlignRight})
		}
	}
	w.SetColumnConfigs(columns)
	w.SuppressEmptyColumns()
	return w
}

// some writes a count, and nothing for none: a column of nothing is left out.
func some(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprint(n)
}

func optional(format string, x *float64) string {
	if x == nil {
		return ""
	}
	return fmt.Sprintf(format, *x)
}

func interval(format string, x *[2]float64) string {
	if x == nil {
		return ""
	}
	return fmt.Sprintf(format+" to "+format, x[0], x[1])
}

func standingsTable(roles []string, s arena.Summary) table.Writer {
	header := table.Row{"#", "agent", "Elo", "95 %", "games", "won", "drawn", "lost", "score"}
	for _, role := range roles {
		header = append(header, "as "+role)
	}
	w := newTable(append(header, "illegal", "forfeits", "late", "voids", "alpha", "Nash", "exploitability"), 2)
	for i, r := range s.Standings {
		row := table.Row{i + 1, r.Name, optional("%+.0f", r.Elo), interval("%+.0f", r.Elo95), r.Games(), r.Wins, r.Draws, r.Losses, fmt.Sprintf("%.3f", r.Score)}
		for _, seat := range r.Seats {
			row = append(row, fmt.Sprintf("%d-%d-%d", seat.Wins, seat.Draws, seat.Losses))
		}
		w.AppendRow(append(row, some(r.Illegal), some(r.Forfeits), some(r.Late), some(r.Voids),
			optional("%.2f", r.AlphaRank), optional("%.2f", r.Nash), optional("%.4f", r.Exploitability)))
	}
	return w
}

func meetingsTable(s arena.Summary) table.Writer {
	w := newTable(table.Row{"meeting", "games", "sets that tell", "score", "running 95 %", "margin", "95 %", "without luck", "95 %", "exact"}, 1)
	for _, d := range s.Pairings {
		told := ""
		if d.Effective < d.Units {
			told = fmt.Sprintf("%d of %d", d.Effective, d.Units)
		}
		w.AppendRow(table.Row{
			d.First + " – " + d.Second, d.Games(), told, fmt.Sprintf("%.3f", d.Score), interval("%.3f", &d.Anytime),
			fmt.Sprintf("%+.3f", d.Margin), interval("%+.3f", &d.Margin95), optional("%+.4f", d.Reduced), interval("%+.4f", d.Reduced95), optional("%+.4f", d.Exact),
		})
	}
	return w
}

// costsTable is empty where nothing was measured.
func costsTable(s arena.Summary) table.Writer {
	w := newTable(table.Row{"agent", "moves", "s a move", "tokens in", "tokens out", "dollars", "failed calls", "Elo/1000 tokens"}, 1)
	for _, r := range s.Standings {
		dollars := ""
		if r.Cost.Dollars > 0 {
			dollars = fmt.Sprintf("%.4f", r.Cost.Dollars)
		}
		if r.SecondsPerMove() == nil && r.Cost.TokensIn+r.Cost.TokensOut == 0 {
			continue
		}
		w.AppendRow(table.Row{
			r.Name, r.Cost.Moves, optional("%.2g", r.SecondsPerMove()), some(int(r.Cost.TokensIn)), some(int(r.Cost.TokensOut)), dollars,
			some(r.Cost.Failed), optional("%+.0f", r.EloPerKTokens),
		})
	}
	return w
}
