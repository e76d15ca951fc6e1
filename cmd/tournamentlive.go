package cmd

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/rs/zerolog"
	"golang.org/x/term"

	"github.com/agon-rl/agon/arena"
)

// liveTable shows a tournament under way: in a terminal as a table that is drawn
// again, elsewhere as a line of the log now and then.
type liveTable struct {
	to       io.Writer // nil where there is no terminal
	width    int
	log      zerolog.Logger
	rate     arena.Rating
	planned  int
	before   int // games played in sittings before
	interval int // games between lines of the log; 0: by time
	began    time.Time
	next     time.Time
	told     int // games when the last line was logged
	lines    int // of what is on the screen
	last     *arena.Table
}

// drawEvery is how often the table is drawn.
const drawEvery = 250 * time.Millisecond

func (p *program) liveTable(t arena.Tournament, rate arena.Rating, interval, before int) *liveTable {
	l := &liveTable{log: p.log, rate: rate, planned: t.Planned(), before: before, interval: interval, began: time.Now(), told: before}
	if f, ok := p.errOut.(interface{ Fd() uintptr }); ok && isTerminal(p.errOut) {
		l.to = p.errOut
		l.width, _, _ = term.GetSize(int(f.Fd()))
	}
	l.next = l.began.Add(logEvery)
	if l.to != nil {
		l.next = l.began
	}
	return l
}

// show hears of every group of games.
func (l *liveTable) show(t *arena.Table) {
	l.last = t
	if t.Games() <= l.before { // in the log already
		return
	}
	byGames := l.interval > 0 && t.Games()-l.told >= l.interval
	now := time.Now()
	if l.to == nil && l.interval > 0 && !byGames || !byGames && now.Before(l.next) {
		return
	}
	s, err := t.Running(l.rate)
	if err != nil {
		return // the end will say it
	}
	if l.to == nil || byGames {
		l.told = t.Games()
		l.erase()
		l.log.Info().Msg(l.line(s))
	}
	l.next = now.Add(logEvery)
	if l.to != nil {
		l.next = now.Add(drawEvery)
		l.draw(s)
	}
}

// line is a summary in a line: how far it is, who leads, and, of two, the score with
// the interval that may be looked at any time.
func (l *liveTable) line(s arena.Summary) string {
	text := l.progress(s)
	if len(s.Pairings) == 1 {
		return text + "; " + running(s)
	}
	if best := s.Standings[0]; best.Elo != nil {
		return text + fmt.Sprintf("; first is %s with %+.0f Elo, score %.3f", best.Name, *best.Elo, best.Score)
	}
	return text + fmt.Sprintf("; first is %s, score %.3f", s.Standings[0].Name, s.Standings[0].Score)
}

// running is the score of two, and how far their test is.
func running(s arena.Summary) string {
	d := s.Pairings[0]
	text := fmt.Sprintf("%s vs %s: %d - %d - %d  [%.3f], between %.3f and %.3f", d.First, d.Second, d.Wins, d.Losses, d.Draws, d.Score, d.Anytime[0], d.Anytime[1])
	if s.Test != nil {
		text += fmt.Sprintf("; SPRT llr %.2f of %.2f to %.2f", s.Test.LLR, s.Test.Lower, s.Test.Upper)
	}
	return text
}

func (l *liveTable) progress(s arena.Summary) string {
	text := fmt.Sprintf("%d games", s.Games)
	if l.planned > 0 {
		text = fmt.Sprintf("%d of %d games", s.Games, l.planned)
	}
	if took := time.Since(l.began).Seconds(); took > 0 {
		text += fmt.Sprintf(", %.3g games/s", float64(s.Games-l.before)/took)
	}
	return text
}

// draw draws the table over the one before.
func (l *liveTable) draw(s arena.Summary) {
	const most = 20
	w := newTable(table.Row{"#", "agent", "Elo", "games", "won", "drawn", "lost", "score"}, 2)
	for i, r := range s.Standings[:min(most, len(s.Standings))] {
		w.AppendRow(table.Row{i + 1, r.Name, optional("%+.0f", r.Elo), r.Games(), r.Wins, r.Draws, r.Losses, fmt.Sprintf("%.3f", r.Score)})
	}
	w.SetAllowedRowLength(l.width)
	lines := strings.Split(w.Render(), "\n")
	if len(s.Pairings) == 1 {
		lines = append(lines, running(s))
	} else if len(s.Pairings) <= most {
		for _, d := range s.Pairings {
			lines = append(lines, fmt.Sprintf("%s – %s: %.3f, between %.3f and %.3f", d.First, d.Second, d.Score, d.Anytime[0], d.Anytime[1]))
		}
	}
	lines = append(lines, l.progress(s))
	l.erase()
	for _, line := range lines {
		if runes := []rune(line); l.width > 0 && len(runes) > l.width { // a line that wraps could not be erased
			line = string(runes[:l.width])
		}
		complain(l.to, "%s\n", line)
	}
	l.lines = len(lines)
}

// erase takes the table off the screen.
func (l *liveTable) erase() {
	if l.to != nil && l.lines > 0 {
		complain(l.to, "\x1b[%dA\x1b[J", l.lines)
	}
	l.lines = 0
}

// close leaves the screen to what comes next: after an end to the final table, after
// an interruption the running one as it was last.
func (l *liveTable) close(stopped bool) {
	if l.to == nil || l.last == nil || l.lines == 0 {
		return
	}
	if stopped {
		if s, err := l.last.Running(l.rate); err == nil {
			l.draw(s)
			return
		}
	}
	l.erase()
}
